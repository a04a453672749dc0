//! Rules that Grafana doesn't lock.

use alertwright::api::AlertRule;
use alertwright_testbed::{any_release, apply, every_release, wait};
use reqwest::Method;
use serde_json::{Value, json};

use crate::alarm::assert_rests;
use crate::rules::{QUIET, in_grafana, quiet, resyncs, uid};
use crate::world::{self, SOON, World};

#[expect(
    clippy::needless_pass_by_value,
    reason = "json!(..) reads better without a borrow"
)]
fn editable(more: Value) -> Value {
    let mut spec = json!({"query": QUIET, "editable": true});
    for (field, value) in more.as_object().into_iter().flatten() {
        spec[field] = value.clone();
    }
    spec
}

fn path(uid: &str) -> String {
    format!("/api/v1/provisioning/alert-rules/{uid}")
}

/// Saves a rule as Grafana's pages do, with another title.
async fn edit(w: &World, uid: &str, title: &str) -> u16 {
    let mut rule = w.grafana.rule(uid).await.expect("it is there");
    rule["title"] = json!(title);
    let saved = w.grafana.write_as_frontend(Method::PUT, &path(uid), rule).await;
    saved.status.as_u16()
}

fn is_locked(rule: &Value) -> bool {
    rule["provenance"] == "api"
}

#[apply(every_release)]
async fn an_editable_rule_may_be_edited_in_grafana_and_is_put_right_and_a_locked_one_may_not() {
    let w = world::start().await;
    w.put("AlertRule", "open", editable(json!({}))).await;
    w.put("AlertRule", "locked", quiet()).await;
    let (open, locked) = (in_grafana(&w, "open").await, in_grafana(&w, "locked").await);
    assert!(!is_locked(&open), "{open}");
    assert!(is_locked(&locked), "{locked}");
    assert_rests(&w).await;
    let (open, locked) = (uid(&w, "open").await, uid(&w, "locked").await);
    assert!(edit(&w, &locked, "by hand").await >= 400);
    assert_eq!(edit(&w, &open, "by hand").await, 200);
    wait::until("the title is back", SOON, async || {
        in_grafana(&w, "open").await["title"] == "open"
    })
    .await;
    wait::until("the drift is told", SOON, async || {
        let rule: AlertRule = w.synced("open").await;
        (rule.status?.last_drift?.fields == ["title"]).then_some(())
    })
    .await;
    assert!(!is_locked(&in_grafana(&w, "open").await));
    // Somebody locks it.
    let rule = w.grafana.rule(&open).await.expect("it is there");
    w.grafana.put(&path(&open), rule).await.ok();
    // It is made anew for that, so for a moment there is none.
    wait::until("it is open again", SOON, async || {
        w.grafana.rule(&open).await.is_some_and(|rule| !is_locked(&rule))
    })
    .await;
    assert_eq!(uid(&w, "open").await, open);
    assert_rests(&w).await;
    for name in ["open", "locked"] {
        w.delete::<AlertRule>(name).await;
    }
    assert!(w.grafana.rules().await.is_empty());
}

#[apply(every_release)]
async fn a_rule_is_locked_by_one_write_and_opened_under_the_same_uid() {
    let w = world::start().await;
    w.put("AlertRule", "r", editable(json!({}))).await;
    let before = uid(&w, "r").await;
    w.proxy.reset();
    w.put("AlertRule", "r", json!({"query": QUIET, "editable": false}))
        .await;
    assert!(is_locked(&in_grafana(&w, "r").await));
    let writes = w.proxy.reset().writes();
    assert_eq!(
        (writes.len(), uid(&w, "r").await),
        (1, before.clone()),
        "{writes}"
    );
    // What else is new is written before the rule goes.
    w.put("AlertRule", "r", editable(json!({"title": "Open"}))).await;
    let rule = in_grafana(&w, "r").await;
    assert!(!is_locked(&rule) && rule["title"] == "Open", "{rule}");
    let writes = w.proxy.reset().writes();
    let counts = ["PUT", "DELETE", "POST"].map(|method| writes.of(method, w.rules_at()).len());
    assert_eq!((counts, uid(&w, "r").await), ([1, 1, 1], before), "{writes}");
    assert_rests(&w).await;
}

#[apply(every_release)]
async fn editable_and_locked_rules_of_one_group_keep_what_they_are() {
    let w = world::start().await;
    let spec = |is_editable: bool, interval: &str| json!({"query": QUIET, "editable": is_editable, "group": "shared", "interval": interval});
    let all = [("a", true), ("b", false), ("c", true), ("d", false)];
    for (name, is_editable) in all {
        w.put("AlertRule", name, spec(is_editable, "1m")).await;
    }
    let as_wished = async || {
        for (name, is_editable) in all {
            let rule = in_grafana(&w, name).await;
            assert_eq!(is_locked(&rule), !is_editable, "{name}: {rule}");
        }
    };
    as_wished().await;
    assert_rests(&w).await;
    // The interval is the group's, and a write of that would lock or open all of them.
    for (name, is_editable) in all {
        w.put("AlertRule", name, spec(is_editable, "2m")).await;
    }
    as_wished().await;
    if !w.rules_by_apis() {
        let message = w.message::<AlertRule>("a").await;
        assert!(message.contains("only one of the two is editable"), "{message}");
    }
    resyncs(&w, 1).await;
    assert_rests(&w).await;
    as_wished().await;
}

#[apply(any_release)]
async fn an_editable_rule_that_grafana_would_refuse_does_not_cost_the_one_that_is_there() {
    let w = world::start().await;
    w.put("AlertRule", "r", quiet()).await;
    let uid = uid(&w, "r").await;
    w.proxy.fault(
        alertwright_testbed::proxy::Fault::status(400)
            .body(r#"{"message": "invalid alert rule"}"#)
            .on("PUT", w.rules_at()),
    );
    w.put("AlertRule", "r", editable(json!({"title": "Refused"})))
        .await;
    w.reason::<AlertRule>("r", "Invalid").await;
    assert_eq!(w.grafana.rule(&uid).await.expect("it is there")["title"], "r");
    w.proxy.clear_faults();
    w.put("AlertRule", "r", editable(json!({}))).await;
    assert!(!is_locked(&in_grafana(&w, "r").await));
}
