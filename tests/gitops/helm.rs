//! Alert templates inside a Helm chart, as docs/gitops.md explains them.

use alertwright_testbed::{any_release, apply};
use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::rest::a_maintenance_silence_comes_and_goes;
use crate::site::{NAMESPACE, REVEL, Site, documents, read, root, shipped, words};

const REVEL_FOLDER: &str = "deploy/examples/revel";
const CHART: &str = "deploy/examples/helm";

/// The specs of AlertRules by name.
fn specs(objects: &[Value]) -> BTreeMap<String, Value> {
    let rules = objects.iter().filter(|object| object["kind"] == "AlertRule");
    rules
        .map(|rule| (rule["metadata"]["name"].to_string(), rule["spec"].clone()))
        .collect()
}

#[apply(any_release)]
async fn the_example_as_a_helm_chart_is_synced_and_healthy_and_its_rules_are_the_plain_ones() {
    let site = Site::start().await;
    // The older way of knowing what belongs to an Application: by a label, which copies could carry too.
    let tracking = r#"{"data":{"application.resourceTrackingMethod":"label"}}"#;
    let configure = words("-n argocd patch configmap argocd-cm --type merge --patch");
    site.plane
        .kubectl([configure, vec![tracking]].concat())
        .await
        .ok();
    let plain = read(&format!("{REVEL_FOLDER}/alert-rules.yaml"));
    // The chart has the first rule as a template, and the others are inserted as they are.
    let (_, others) = plain.split_once("\n---\n").expect("ten rules");
    site.repository
        .remove(&format!("{CHART}/alerting/stripe-payment-failures.yaml"));
    site.repository
        .write(&format!("{CHART}/alerting/alert-rules.yaml"), others);
    for file in [
        "contact-points.yaml",
        "notification-policy.yaml",
        "maintenance-policies.yaml",
    ] {
        site.repository.copy(
            &root().join(REVEL_FOLDER).join(file),
            &format!("{CHART}/alerting/{file}"),
        );
    }
    site.repository.commit("Revel in a chart");

    let mut application = shipped("revel.yaml", &site.repository);
    application["spec"]["source"]["path"] = json!(CHART);
    // Argo CD's own way of applying and comparing, for a change.
    application["spec"]["syncPolicy"]["syncOptions"] = json!([]);
    site.plane.apply(&application.to_string(), "argocd").await;
    let synced = site.is(REVEL, "Synced", "Healthy").await;
    assert_eq!(synced.0["sourceType"], "Helm");
    assert_eq!(synced.resources().len(), 10 + 6 + 1 + 2, "{}", synced.summary());

    let list = site.kubectl("get alertrules -o json").await;
    let list: Value = serde_json::from_str(&list).expect("JSON");
    let deployed = specs(list["items"].as_array().expect("a list"));
    assert_eq!(deployed, specs(&documents(&plain)));
    assert_eq!(site.grafana.rules().await.len(), 10);
    for _ in 0..5 {
        let again = site.argo.refresh(REVEL).await;
        assert_eq!(
            (again.sync(), again.health()),
            ("Synced", "Healthy"),
            "{}",
            again.summary()
        );
    }

    a_maintenance_silence_comes_and_goes(&site, &format!("{CHART}/alerting")).await;

    // A value of the chart reaches the rule in Grafana.
    site.repository.replace(
        &format!("{CHART}/values.yaml"),
        "errorsPerSecond: 0.1",
        "errorsPerSecond: 0.25",
    );
    site.push("Tolerate more errors", REVEL).await;
    site.is(REVEL, "Synced", "Healthy").await;
    let query = site
        .kubectl("get alertrule high-error-rate -o jsonpath={.spec.query}")
        .await;
    assert!(query.ends_with("[5m]) > 0.25"), "{query}");
    site.argo.delete_with_resources(REVEL, crate::site::SOON).await;
    assert!(site.grafana.rules().await.is_empty(), "of {NAMESPACE}");
}
