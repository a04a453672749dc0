//! A synced application stays so: nothing that the operator does is a difference to Argo CD.

use alertwright_testbed::{any_release, apply, wait};
use serde_json::Value;

use crate::site::{NAMESPACE, REVEL, SOON, Site};

/// A workload of Revel, tracked by the same Application. Its first rollout is silenced by the policy `rollouts`.
const WEB: &str = r"
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  labels: {app.kubernetes.io/part-of: revel}
spec:
  replicas: 1
  selector:
    matchLabels: {app: web}
  template:
    metadata:
      labels: {app: web}
    spec:
      containers:
      - {name: web, image: 'example.com/web:1'}
";

#[apply(any_release)]
async fn the_shipped_applications_are_healthy_and_never_differ_through_resyncs_and_a_maintenance_silence() {
    let site = Site::start().await;
    let first = site.deploy("revel.yaml").await;
    assert_eq!(site.grafana.rules().await.len(), 10);
    let rule = first.health_of("AlertRule", "database-errors");
    assert_eq!(rule, Some(("Healthy", "Synced: stored in Grafana")));
    assert_eq!(
        first.resources().len(),
        10 + 6 + 1 + 2,
        "{:#?}",
        first.resources()
    );
    // Without a health check anywhere, as Flux and scripts see it.
    site.kubectl("wait --for=condition=Ready alerting --all --timeout=0")
        .await;
    assert_eq!(site.kstatus().await, ["Current"; 10 + 6 + 1 + 2]);

    let stored = site.stored().await;
    for (name, object) in &stored {
        let metadata = &object["metadata"];
        let annotations: Vec<_> = metadata["annotations"]
            .as_object()
            .into_iter()
            .flatten()
            .map(|(key, _)| key)
            .collect();
        assert_eq!(annotations, ["argocd.argoproj.io/tracking-id"], "{name}");
        assert_eq!(metadata["labels"], Value::Null, "{name}");
    }
    for _ in 0..5 {
        let again = site.argo.refresh(REVEL).await;
        assert_eq!(
            (again.sync(), again.health()),
            ("Synced", "Healthy"),
            "{}",
            again.summary()
        );
    }
    site.five_resyncs().await;
    let operator = site.argo.refresh("alertwright").await;
    assert_eq!(
        (operator.sync(), operator.health()),
        ("Synced", "Healthy"),
        "{}",
        operator.summary()
    );
    let rested = site.argo.refresh(REVEL).await;
    assert_eq!(site.stored().await, stored, "nothing but a status was written");
    assert_eq!(
        rested.0["history"], first.0["history"],
        "Argo CD had nothing to sync"
    );

    a_maintenance_silence_comes_and_goes(&site, "deploy/examples/revel").await;
    let last = site.argo.refresh(REVEL).await;
    assert_eq!(
        (last.sync(), last.health()),
        ("Synced", "Healthy"),
        "{}",
        last.summary()
    );
    assert!(site.operator.log().contains("maintenance silence written"));
}

/// A rollout is deployed by Argo CD itself, so the workload is tracked, and its silence is in the same namespace.
///
/// The folder is the one in the repository that Argo CD deploys.
pub async fn a_maintenance_silence_comes_and_goes(site: &Site, folder: &str) {
    // Ten minutes in the example.
    site.repository.replace(
        &format!("{folder}/maintenance-policies.yaml"),
        "linger: 10m",
        "linger: 3s",
    );
    site.push("Linger for three seconds", REVEL).await;
    let stored = site.stored().await;
    site.repository.write(&format!("{folder}/web.yaml"), WEB);
    let kustomization = format!("{folder}/kustomization.yaml");
    if site.repository.file(&kustomization).exists() {
        site.repository
            .replace(&kustomization, "resources:", "resources:\n- web.yaml");
    }
    let synced = site.push("Deploy a workload", REVEL).await;
    let is_ours = |silence: &Value| {
        silence["comment"]
            .as_str()
            .is_some_and(|text| text.contains("revel/web"))
    };
    wait::until("the rollout is silenced", SOON, async || {
        site.grafana.silences().await.into_iter().find(is_ours)
    })
    .await;
    // A comparison, and another sync with pruning, while it is there.
    let during = site.argo.refresh(REVEL).await;
    assert_eq!(during.sync(), "Synced", "{}", during.summary());
    assert!(
        during
            .resources()
            .iter()
            .all(|resource| resource["kind"] != "Silence")
    );
    site.repository.replace(
        &format!("{folder}/web.yaml"),
        "part-of: revel",
        "part-of: revel, tier: front",
    );
    site.push("Change a label of the workload", REVEL).await;
    wait::until("the silence has run its course", SOON, async || {
        let silences = site.grafana.silences().await;
        silences
            .into_iter()
            .filter(is_ours)
            .all(|silence| silence["status"]["state"] == "expired")
    })
    .await;
    let reason = "jsonpath={.items[*].status.conditions[?(@.type==\"Ready\")].reason}";
    wait::until("the Silence is still there and says so", SOON, async || {
        site.kubectl(&format!("get silences -o {reason}")).await == "Expired"
    })
    .await;
    let mut now = site.stored().await;
    now.retain(|name, _| !name.starts_with("Silence/"));
    assert_eq!(now, stored, "the silence of {NAMESPACE}/web changed nothing else");
    let is_web = |resource: &&Value| resource["name"] == "web";
    assert_eq!(synced.resources().iter().filter(is_web).count(), 1);
}
