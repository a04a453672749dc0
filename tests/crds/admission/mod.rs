//! What a person hears at `kubectl apply`: mistakes that show in the object alone are refused there, each with its cure.

mod imports;
mod instances;
mod integrations;
mod intervals;
mod notifications;
mod rules;
mod several;
mod silences;

use serde_json::{Value, json};

use crate::control_plane;

fn object(kind: &str, name: &str, spec: &Value) -> String {
    json!({
        "apiVersion": "alerting.letsrevel.io/v1alpha1",
        "kind": kind,
        "metadata": {"name": name},
        "spec": spec,
    })
    .to_string()
}

/// Checks that each is refused with the words that stand beside it.
async fn refused(kind: &str, table: &[(Value, &str)]) {
    let plane = control_plane().await;
    let ns = plane.namespace("refused").await;
    let mut wrong = Vec::new();
    for (spec, words) in table {
        match plane.try_apply(&object(kind, "bad", spec), &ns).await {
            Ok(()) => wrong.push(format!("accepted: {spec}")),
            Err(error) => {
                let error = format!("{error:?}");
                // Of a time CEL sees no text, so that its pattern has no message of its own; what it is to be is said beside it.
                if error.contains("should match") && !error.contains("must be of type date-time") {
                    wrong.push(format!("{spec}: {error} shows a bare pattern"));
                }
                if !error.contains(words) {
                    wrong.push(format!("{spec}: {error} lacks {words:?}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Checks that each is accepted.
async fn accepted(kind: &str, table: &[Value]) {
    let plane = control_plane().await;
    let ns = plane.namespace("accepted").await;
    for (i, spec) in table.iter().enumerate() {
        plane.apply(&object(kind, &format!("good-{i}"), spec), &ns).await;
    }
}

/// Checks that a resource can't be changed from the first to the second, in the words that stand beside it.
async fn immutable(kind: &str, table: &[(Value, Value, &str)]) {
    let plane = control_plane().await;
    let ns = plane.namespace("immutable").await;
    for (i, (before, after, words)) in table.iter().enumerate() {
        let name = format!("fixed-{i}");
        plane.apply(&object(kind, &name, before), &ns).await;
        let changed = plane.try_apply(&object(kind, &name, after), &ns).await;
        let error = format!("{:?}", changed.expect_err(&format!("{before} became {after}")));
        assert!(error.contains(words), "{error} lacks {words:?}");
    }
}

/// Checks that a resource can be changed from the first to the second.
async fn mutable(kind: &str, name: &str, before: &Value, after: &Value) {
    let plane = control_plane().await;
    let ns = plane.namespace("mutable").await;
    plane.apply(&object(kind, name, before), &ns).await;
    plane.apply(&object(kind, name, after), &ns).await;
}

/// The object with some fields replaced; `null` removes one.
fn with(base: &Value, fields: Value) -> Value {
    let mut all = base.as_object().cloned().unwrap_or_default();
    for (key, value) in fields.as_object().into_iter().flatten() {
        if value.is_null() {
            all.remove(key);
        } else {
            all.insert(key.clone(), value.clone());
        }
    }
    Value::Object(all)
}

/// So many levels of routes, the last of which is given.
fn deep(levels: usize, last: Value) -> Value {
    (1..levels).fold(last, |below, _| json!({"routes": [below]}))
}

/// What is said of a name that would lead elsewhere in the path of a request.
const DOTS: &str = "can't be . or .., which Grafana's API takes as a way through its paths";

/// What is said of every duration and of every matcher that can't be read.
const DURATION: &str =
    "write whole numbers with the units y, w, d, h, m, s, ms in this order, each at most once, such as 30s";
const MATCHER: &str = "write one matcher an entry, as a label, one of the operators =, !=, =~ and !~";

#[test]
fn each_kind_has_a_table_of_what_is_refused() {
    let mut tables = [
        include_str!("imports.rs"),
        include_str!("instances.rs"),
        include_str!("integrations.rs"),
        include_str!("intervals.rs"),
        include_str!("notifications.rs"),
        include_str!("rules.rs"),
        include_str!("silences.rs"),
    ]
    .concat();
    tables.retain(|letter| !letter.is_whitespace());
    for crd in alertwright::api::crds() {
        let kind = &crd.spec.names.kind;
        assert!(
            tables.contains(&format!("refused(\"{kind}\",")),
            "{kind} has none"
        );
    }
}
