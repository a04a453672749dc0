//! Objects that any tenant may make and that are costly to read: nested very deep, or with matchers that take long to be compiled.

use alertwright::api::{AlertRule, Silence};
use alertwright_testbed::wait::{self, Seen};
use alertwright_testbed::{any_release, apply};
use serde_json::json;

use crate::rules::QUIET;
use crate::world::{self, SOON, World};

/// More than `serde_json` reads, and far less than an API server takes.
const LEVELS: usize = 300;

fn nested(key: &str) -> String {
    format!(
        "{}{{}}{}",
        format!(r#"{{"{key}":"#).repeat(LEVELS),
        "}".repeat(LEVELS)
    )
}

/// Creates an object as it is written: clients don't nest as deep.
async fn create(w: &World, resources: &str, object: &str) {
    let path = format!("/{resources}", resources = resources.replace("{}", &w.ns));
    w.plane
        .kubectl_with_input(["create", "--raw", &path, "-f", "-"], object)
        .await
        .ok();
}

#[apply(any_release)]
async fn an_object_that_is_nested_too_deep_is_refused_and_stops_no_other() {
    let mut w = world::start().await;
    let ours = "apis/alerting.letsrevel.io/v1alpha1/namespaces/{}/";
    let model = nested("a");
    let rule = format!(
        r#"{{"apiVersion":"alerting.letsrevel.io/v1alpha1","kind":"AlertRule","metadata":{{"name":"deep"}},"spec":{{"condition":"A","data":[{{"refId":"A","datasourceUid":"x","model":{model}}}]}}}}"#
    );
    create(&w, &format!("{ours}alertrules"), &rule).await;
    let point = format!(
        r#"{{"apiVersion":"alerting.letsrevel.io/v1alpha1","kind":"ContactPoint","metadata":{{"name":"deep"}},"spec":{{"integrations":[{{"custom":{{"type":"kafka","settings":{model}}}}}]}}}}"#
    );
    create(&w, &format!("{ours}contactpoints"), &point).await;
    let fields = nested("f:a");
    let secret = format!(
        r#"{{"apiVersion":"v1","kind":"Secret","metadata":{{"name":"deep","managedFields":[{{"manager":"x","operation":"Update","apiVersion":"v1","fieldsType":"FieldsV1","fieldsV1":{fields}}}]}}}}"#
    );
    create(&w, "api/v1/namespaces/{}/secrets", &secret).await;
    // What is there already is listed.
    w.operator.restart().await.expect("the operator starts");
    w.put("AlertRule", "flat", json!({"query": QUIET})).await;
    w.synced::<AlertRule>("flat").await;
    for (kind, field) in [
        ("alertrule", "spec.data[0].model: is nested deeper than 64 levels"),
        (
            "contactpoint",
            "spec.integrations[0].custom.settings: is nested deeper than 64 levels",
        ),
    ] {
        let message = r#"jsonpath={.status.conditions[?(@.type=="Ready")].message}"#;
        wait::until(
            &format!("the {kind} says what is wrong with it"),
            SOON,
            async || {
                let said = w
                    .plane
                    .kubectl(["get", kind, "deep", "-n", &w.ns, "-o", message])
                    .await
                    .ok();
                if said.contains(field) {
                    Seen::Yes(())
                } else {
                    wait::not_yet(&said)
                }
            },
        )
        .await;
        w.plane
            .kubectl(["delete", kind, "deep", "-n", &w.ns, "--timeout=30s"])
            .await
            .ok();
    }
}

#[apply(any_release)]
async fn matchers_that_take_long_to_be_compiled_hold_up_no_other() {
    let w = world::start().await;
    let matchers: Vec<String> = (0..64).map(|i| format!(r#"a{i}=~"\pL{{150}}""#)).collect();
    for name in ["one", "two", "three"] {
        w.put("Silence", name, json!({"matchers": matchers, "duration": "1h"}))
            .await;
    }
    w.put("Silence", "after", json!({"matchers": ["a=b"], "duration": "1h"}))
        .await;
    for name in ["after", "one", "two", "three"] {
        w.synced::<Silence>(name).await;
    }
}
