//! What `kubectl apply` refuses.

use alertwright_testbed::{ControlPlane, any_release, apply};
use serde_json::{Value, json};

use crate::rules::QUIET;
use crate::world;

async fn refused(plane: &ControlPlane, ns: &str, kind: &str, spec: &Value) -> String {
    let object = json!({
        "apiVersion": "alerting.letsrevel.io/v1alpha1", "kind": kind,
        "metadata": {"name": "refused", "namespace": ns}, "spec": spec,
    });
    plane
        .kubectl_with_input(["apply", "--dry-run=server", "-f", "-"], &object.to_string())
        .await
        .refused()
}

#[apply(any_release)]
async fn what_can_be_known_to_be_wrong_is_refused_at_apply_with_a_clear_message() {
    let plane = ControlPlane::shared().await;
    world::install_crds(plane).await;
    let ns = plane.namespace("admission").await;
    let expression =
        json!([{"refId": "A", "datasourceUid": "__expr__", "model": {"type": "math", "expression": "1"}}]);
    let rules = [
        (
            json!({"query": QUIET, "data": expression, "condition": "A"}),
            "exactly one of query (what Prometheus calls expr) and data",
        ),
        (
            json!({}),
            "exactly one of query (what Prometheus calls expr) and data",
        ),
        (
            json!({"data": expression, "condition": "B"}),
            "condition must be the refId of one entry of data",
        ),
        (json!({"data": expression}), "data and condition belong together"),
        (
            json!({"data": [expression[0], expression[0]], "condition": "A"}),
            "Duplicate value",
        ),
        (json!({"query": QUIET, "for": "5 minutes"}), "spec.for"),
        (json!({"query": QUIET, "interval": "1.5m"}), "spec.interval"),
        (
            json!({"query": QUIET, "labels": {"my-team": "a"}}),
            "letters, digits and underscores",
        ),
        (
            json!({"query": QUIET, "labels": {"__alertwright__": "x/y/z"}}),
            "reserved",
        ),
        (
            json!({"query": QUIET, "severity": "high", "labels": {"severity": "low"}}),
            "severity is given twice",
        ),
        (
            json!({"query": QUIET, "folder": "a", "folderUID": "b"}),
            "folder or folderUID",
        ),
        (json!({"query": QUIET, "noDataState": "Ok"}), "noDataState"),
        (
            json!({"query": QUIET, "datasource": {"name": "a", "uid": "b"}}),
            "exactly one of name, uid and type",
        ),
        (json!({"query": QUIET, "severty": "high"}), "severty"),
    ];
    for (spec, expected) in rules {
        let message = refused(plane, &ns, "AlertRule", &spec).await;
        println!("{message}");
        assert!(message.contains(expected), "{spec}: {message}");
    }
    let silences = [
        (
            json!({"matchers": ["team"], "duration": "1h"}),
            "spec.matchers[0]",
        ),
        (
            json!({"matchers": ["team=\"a\""], "duration": "soon"}),
            "spec.duration",
        ),
    ];
    for (spec, expected) in silences {
        let message = refused(plane, &ns, "Silence", &spec).await;
        println!("{message}");
        assert!(message.contains(expected), "{spec}: {message}");
    }
    let tree = json!({"receiver": "a", "repeatInterval": "4 h"});
    let message = refused(plane, &ns, "NotificationPolicy", &tree).await;
    println!("{message}");
    assert!(message.contains("spec.repeatInterval"), "{message}");
}
