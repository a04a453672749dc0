//! Integrations of ContactPoints: their long texts, and what a Grafana doesn't know.

use alertwright::api::ContactPoint;
use alertwright_testbed::{any_release, apply, every_release, wait};
use serde_json::{Value, json};

use crate::alarm::{assert_rests, integration, secret};
use crate::world::{self, SOON, World};

async fn texts(w: &World, message: &str) {
    let map = json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "texts", "namespace": w.ns}, "data": {"message": message},
    });
    w.apply(&map.to_string()).await;
}

#[apply(any_release)]
async fn a_text_from_a_config_map_is_waited_for_and_a_change_of_it_is_in_grafana_after_one_write() {
    let w = world::start().await;
    let from = json!({"configMapKeyRef": {"name": "texts", "key": "message"}});
    let spec = json!({"integrations": [{"webhook": {"url": {"value": "http://127.0.0.1:9/hook"}, "messageFrom": from}}]});
    w.put("ContactPoint", "hook", spec).await;
    w.reason::<ContactPoint>("hook", "DependencyMissing").await;
    let message = w.message::<ContactPoint>("hook").await;
    assert!(message.contains("ConfigMap texts is not there"), "{message}");

    texts(&w, "{{ .Status }}: first\n").await;
    w.synced::<ContactPoint>("hook").await;
    let stored = integration(&w, "hook", "webhook").await;
    assert_eq!(stored["settings"]["message"], "{{ .Status }}: first");
    assert_rests(&w).await;

    w.proxy.reset();
    texts(&w, "{{ .Status }}: second").await;
    wait::until("one write", SOON, async || w.proxy.requests().writes().len() == 1).await;
    assert_rests(&w).await;
    let stored = integration(&w, "hook", "webhook").await;
    assert_eq!(stored["settings"]["message"], "{{ .Status }}: second");
}

#[apply(every_release)]
async fn what_a_release_does_not_know_of_integrations_is_unsupported_and_stored_by_nobody() {
    let w = world::start().await;
    secret(&w, "keys", json!({"token": "t"})).await;
    let token = json!({"secretKeyRef": {"name": "keys", "key": "token"}});
    let jira = json!({"jira": {"apiURL": "http://127.0.0.1:9", "apiToken": token, "project": "P", "issueType": "Bug"}});
    let footer = json!({"slack": {"url": {"value": "http://127.0.0.1:9"}, "footer": "f"}});
    let version = w.grafana.version();
    for (name, integration, field, since) in [
        ("type", jira, "jira", (11, 6)),
        ("field", footer, "slack.footer", (12, 4)),
    ] {
        w.put("ContactPoint", name, json!({"integrations": [integration]}))
            .await;
        if version.since(since.0, since.1) {
            w.synced::<ContactPoint>(name).await;
            continue;
        }
        w.reason::<ContactPoint>(name, "Unsupported").await;
        let message = w.message::<ContactPoint>(name).await;
        let expected = format!(
            "spec.integrations[0].{field} needs Grafana {}.{} or newer",
            since.0, since.1
        );
        assert!(message.contains(&expected), "{message}");
        assert_eq!(w.grafana.contact_point(name).await, Vec::<Value>::new());
    }
    assert_rests(&w).await;
}
