//! The installation that the README describes: plain manifests on an empty cluster, and the operator with what they give it.

use alertwright_testbed::{ControlPlane, Grafana, Loki, any_release, apply, grafana, operator, wait};

use crate::world::{self, SOON};

/// A rule of the example, as a user applies it.
const RULE: &str = "deploy/examples/revel/alert-rules.yaml";

#[apply(any_release)]
async fn one_apply_of_the_manifests_on_an_empty_cluster_installs_all_that_a_rule_needs() {
    let plane = ControlPlane::start().await.expect("a control plane of its own");
    let grafana = Grafana::start(grafana::Options::default())
        .await
        .expect("grafana starts");
    let loki = Loki::shared().await;
    grafana.add_loki_datasource(loki, "loki", "Loki", true).await;
    let deploy = world::root().join("deploy").to_string_lossy().into_owned();
    plane
        .kubectl(["apply", "--server-side", "-k", &deploy])
        .await
        .ok();
    let token = format!("--from-literal=token={}", grafana.token().await);
    let secret = [
        "create",
        "secret",
        "generic",
        "alertwright-grafana",
        "-n",
        "alertwright-system",
        &token,
    ];
    plane.kubectl(secret).await.ok();

    // What the Deployment's pod would run: the image's binary, its ServiceAccount and environment, but for the address of this Grafana.
    let kubeconfig = plane.service_account("alertwright-system", "alertwright").await;
    let running = operator::Options::new(operator::shipped().expect("the static binary"), &kubeconfig)
        .env("POD_NAMESPACE", "alertwright-system")
        .env("POD_NAME", "alertwright-0")
        .env("LEADER_ELECT", "true")
        .env("GRAFANA_URL", grafana.url())
        .env("GRAFANA_TOKEN_SECRET", "alertwright-grafana/token")
        .start()
        .await
        .expect("the operator starts");
    plane.kubectl(["create", "namespace", "revel"]).await.ok();
    let rules = world::root().join(RULE).to_string_lossy().into_owned();
    plane.kubectl(["apply", "-n", "revel", "-f", &rules]).await.ok();
    wait::until("the rules of the example are Ready", SOON, async || {
        let columns = "custom-columns=R:.status.conditions[?(@.type=='Ready')].reason";
        let reasons = plane
            .kubectl(["get", "alertrules", "-n", "revel", "--no-headers", "-o", columns])
            .await
            .ok();
        let synced = reasons.lines().filter(|reason| reason.trim() == "Synced").count();
        (synced == 10).then_some(synced)
    })
    .await;
    assert_eq!(grafana.rules().await.len(), 10, "{}", running.log());
    let instances = plane
        .kubectl(["get", "grafanainstances", "-n", "alertwright-system"])
        .await
        .ok();
    println!("{instances}");
    assert!(
        instances.contains("default") && instances.contains(&grafana.version().to_string()),
        "{instances}"
    );
}
