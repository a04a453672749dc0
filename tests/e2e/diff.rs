//! The operator writes nothing that a person wrote: after it has reconciled, `kubectl diff` is empty.

use alertwright::api::{AlertRule, ContactPoint, FIELD_MANAGER, MaintenancePolicy, NotificationPolicy};
use alertwright_testbed::{any_release, apply};
use serde_json::Value;

use crate::example::{all_ready, rendered};
use crate::world::{self, World};

/// What belongs to whom in an object: the manager, the subresource, and the paths of its fields below the top.
fn owned(object: &Value) -> Vec<(String, String, Vec<String>)> {
    let managers = object["metadata"]["managedFields"]
        .as_array()
        .expect("managed fields");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let owned = managers.iter().map(|entry| {
        let mut fields = Vec::new();
        for (top, below) in entry["fieldsV1"].as_object().expect("fields") {
            let below = below.as_object().into_iter().flatten().map(|(name, _)| name);
            let below = below.filter(|name| *name != ".");
            fields.extend(below.map(|name| format!("{top}/{name}").replace("f:", "")));
        }
        (text(&entry["manager"]), text(&entry["subresource"]), fields)
    });
    owned.collect()
}

async fn reconciled(w: &World) -> Vec<Value> {
    all_ready::<ContactPoint>(w, 6).await;
    all_ready::<NotificationPolicy>(w, 1).await;
    all_ready::<AlertRule>(w, 10).await;
    all_ready::<MaintenancePolicy>(w, 2).await;
    let list = [
        "get",
        "alerting",
        "-n",
        &w.ns,
        "-o",
        "json",
        "--show-managed-fields",
    ];
    let list: Value = serde_json::from_str(&w.plane.kubectl(list).await.ok()).expect("JSON");
    list["items"].as_array().cloned().expect("a list")
}

/// Applies the example with these flags, waits for the operator, and compares with the same flags.
async fn apply_and_compare(flags: &[&str]) {
    let w = world::start().await;
    let example = rendered(&w).await;
    let run = async |command: &[&str], flags: &[&str]| {
        let args = [command, flags, &["-f", "-"]].concat();
        w.plane.kubectl_with_input(args, &example).await
    };
    run(&["apply"], flags).await.ok();
    for object in reconciled(&w).await {
        for (manager, subresource, fields) in owned(&object) {
            let is_a_person = manager.starts_with("kubectl");
            let is_ours = match subresource.as_str() {
                "status" => fields.iter().all(|field| field.starts_with("status/")),
                _ => fields == ["metadata/finalizers"],
            } && manager == FIELD_MANAGER;
            let path = format!("{}/{}", object["kind"], object["metadata"]["name"]);
            assert!(
                is_a_person || is_ours,
                "{path}: {manager} owns {subresource} {fields:?}"
            );
            assert!(!is_a_person || subresource.is_empty(), "{path}: {manager}");
        }
    }
    let diff = run(&["diff"], flags).await;
    assert!(
        diff.success,
        "there is a difference:\n{}{}",
        diff.stdout, diff.stderr
    );
    assert_eq!(diff.stdout, "");
    // It would have been seen.
    let other = example.replace("for: 2m", "for: 4m");
    let args = [&["diff"], flags, &["-f", "-"]].concat();
    let diff = w.plane.kubectl_with_input(args, &other).await;
    assert!(
        !diff.success && diff.stdout.contains("for: 4m"),
        "{}",
        diff.stderr
    );
}

#[apply(any_release)]
async fn the_example_applied_by_the_server_shows_no_diff_once_it_is_reconciled() {
    apply_and_compare(&["--server-side"]).await;
}

#[apply(any_release)]
async fn the_example_applied_by_the_client_shows_no_diff_once_it_is_reconciled() {
    apply_and_compare(&[]).await;
}
