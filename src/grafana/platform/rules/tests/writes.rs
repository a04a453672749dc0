//! What a write sends, and when it takes more than one call.

use super::*;

#[tokio::test]
async fn a_new_rule_is_sent_without_the_group_that_is_wished_and_found_without_one() {
    let (rules, seen) = Script::new()
        .answers(&format!("POST {ALERTS}"), 201, object("r", None, "1m", ""))
        .serve()
        .await;
    let stored = put(&rules, &rule(), None).await.unwrap();
    assert_eq!(
        (stored.found.group.as_deref(), stored.kept, stored.is_of_group),
        (None, None, false)
    );
    let (_, sent) = seen.lock().pop().unwrap();
    assert_eq!(sent["apiVersion"], "rules.alerting.grafana.app/v1beta1");
    assert_eq!(sent["kind"], "AlertRule");
    assert_eq!(
        sent["metadata"],
        json!({"name": "r", "annotations": {"grafana.app/folder": "f", "grafana.com/provenance": "api"}})
    );
}

#[tokio::test]
async fn a_uid_that_is_taken_is_a_conflict_and_leaves_open_what_is_there() {
    let text = "Failed to save alert rule 'r' due to conflict: rule UID under the same organisation should be unique";
    let refusal = json!({"kind": "Status", "code": 409, "reason": "Conflict", "message": text, "details": {"uid": "alerting.alert-rule.conflict"}});
    let (rules, _) = Script::new()
        .answers(&format!("POST {ALERTS}"), 409, refusal)
        .serve()
        .await;
    let error = put(&rules, &rule(), None).await.unwrap_err();
    assert_eq!(error.class(), Class::Conflict);
    assert!(!error.changed_nothing() && !error.is_title_conflict());
}

#[tokio::test]
async fn a_rule_without_a_group_stays_so_whatever_is_wished() {
    let one = format!("PUT {ALERTS}/r");
    let (rules, seen) = Script::new()
        .answers(&one, 200, object("r", None, "2m", ""))
        .serve()
        .await;
    let before = found_of(object("r", None, "1m", ""));
    let wish = AlertRule {
        interval: Duration::from_secs(120),
        ..rule()
    };
    let stored = put(&rules, &wish, Some(&before)).await.unwrap();
    assert_eq!(
        (
            stored.found.group,
            stored.found.interval.as_secs(),
            stored.is_of_group
        ),
        (None, 120, false)
    );
    let seen = std::mem::take(&mut *seen.lock());
    let [(_, sent)] = &seen[..] else {
        panic!("one call, in the state that was found: {seen:?}")
    };
    assert_eq!(sent["metadata"]["resourceVersion"], "7");
    assert_eq!(sent["metadata"]["labels"], json!(null));
    assert_eq!(sent["spec"]["trigger"]["interval"], "120s");
}

#[tokio::test]
async fn what_the_other_api_has_found_is_looked_at_before_it_is_replaced() {
    let one = format!("{ALERTS}/r");
    let (rules, seen) = Script::new()
        .answers(
            &format!("GET {one}"),
            200,
            object("r", Some(("g", "4")), "1m", ""),
        )
        .answers(
            &format!("PUT {one}"),
            200,
            object("r", Some(("g", "4")), "1m", ""),
        )
        .serve()
        .await;
    let before = FoundRule {
        revision: None,
        ..found_of(object("r", Some(("g", "4")), "1m", ""))
    };
    put(&rules, &rule(), Some(&before)).await.unwrap();
    let (_, sent) = seen.lock().last().cloned().unwrap();
    assert_eq!(sent["metadata"]["labels"]["grafana.com/group-index"], "4");
    assert_eq!(calls(&seen), ["GET alertrules/r", "PUT alertrules/r"]);
}

#[tokio::test]
async fn a_race_is_lost_only_if_the_rule_itself_is_another_one() {
    let text = "Operation cannot be fulfilled on alertrules: the object has been modified; please apply your changes to the latest version and try again";
    let one = format!("{ALERTS}/r");
    let script = |now: Value| {
        Script::new()
            .answers(&format!("PUT {one}"), 409, status(409, text))
            .answers(&format!("PUT {one}"), 200, object("r", None, "1m", ""))
            .answers(&format!("GET {one}"), 200, now)
    };
    let before = found_of(object("r", None, "1m", ""));
    let mut now = object("r", None, "1m", "");
    now["metadata"]["resourceVersion"] = json!("8");
    let (rules, seen) = script(now.clone()).serve().await;
    put(&rules, &rule(), Some(&before)).await.unwrap();
    let (_, sent) = seen.lock().last().cloned().unwrap();
    assert_eq!(sent["metadata"]["resourceVersion"], "8");
    assert_eq!(
        calls(&seen),
        ["PUT alertrules/r", "GET alertrules/r", "PUT alertrules/r"]
    );
    now["spec"]["title"] = json!("somebody's");
    let (rules, seen) = script(now).serve().await;
    assert_eq!(
        put(&rules, &rule(), Some(&before)).await.unwrap_err().class(),
        Class::Conflict
    );
    assert_eq!(calls(&seen), ["PUT alertrules/r", "GET alertrules/r"]);
}

/// Grafana's answer to a uid that another rule has, of whatever kind.
fn taken() -> Value {
    let text = "Failed to save alert rule 'r' due to conflict: rule UID under the same organisation should be unique";
    json!({"kind": "Status", "code": 409, "reason": "Conflict", "message": text, "details": {"uid": "alerting.alert-rule.conflict"}})
}

fn recording() -> FoundRule {
    let mut recording = object("r", Some(("g", "0")), "1m", "");
    recording["spec"]["metric"] = json!("errors:sum");
    found_of(recording)
}

#[tokio::test]
async fn a_recording_rule_goes_once_nothing_else_is_wrong_with_the_alert_rule_that_takes_its_place() {
    let (rules, seen) = Script::new()
        .answers(&format!("DELETE {RECORDINGS}/r"), 200, json!({}))
        .answers(&format!("POST {ALERTS}"), 409, taken())
        .answers(&format!("POST {ALERTS}"), 201, object("r", None, "1m", ""))
        .serve()
        .await;
    let stored = put(&rules, &rule(), Some(&recording())).await.unwrap();
    assert_eq!(stored.found.metric, None);
    assert_eq!(
        calls(&seen),
        ["POST alertrules", "DELETE recordingrules/r", "POST alertrules"]
    );
}

#[tokio::test]
async fn a_recording_rule_stays_where_the_alert_rule_is_refused_and_a_later_refusal_says_that_it_is_gone() {
    let refusal = status(
        403,
        "alertrules.rules.alerting.grafana.app \"r\" is forbidden: receiver does not exist",
    );
    let (rules, seen) = Script::new()
        .answers(&format!("POST {ALERTS}"), 403, refusal.clone())
        .serve()
        .await;
    let error = put(&rules, &rule(), Some(&recording())).await.unwrap_err();
    assert_eq!(error.class(), Class::Rejected);
    assert!(!error.to_string().contains("gone"), "{error}");
    assert_eq!(calls(&seen), ["POST alertrules"]);
    let (rules, seen) = Script::new()
        .answers(&format!("DELETE {RECORDINGS}/r"), 200, json!({}))
        .answers(&format!("POST {ALERTS}"), 409, taken())
        .answers(&format!("POST {ALERTS}"), 403, refusal)
        .serve()
        .await;
    let error = put(&rules, &rule(), Some(&recording())).await.unwrap_err();
    assert_eq!(error.class(), Class::Rejected);
    assert!(
        error
            .to_string()
            .contains("the recording rule that it takes the place of is gone"),
        "{error}"
    );
    assert_eq!(calls(&seen).len(), 3);
}
