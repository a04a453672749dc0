use k8s_openapi::jiff::Timestamp;
use serde_json::{Value, from_value, json};

use super::super::Managed;
use super::*;
use crate::api::AlertRule;

/// The conditions of a resource that this was said of at this generation.
fn said(reason: Reason, message: &str, generation: i64) -> Vec<Condition> {
    let mut conditions = Vec::new();
    condition::report(
        &mut conditions,
        reason,
        message,
        Some(generation),
        Timestamp::UNIX_EPOCH,
    );
    conditions
}

fn verdict_of(parts: &[(&str, &[Condition])]) -> Option<(Reason, String)> {
    let parts = parts
        .iter()
        .map(|(instance, conditions)| Part { instance, conditions });
    verdict(&parts.collect::<Vec<_>>(), Some(2))
}

#[test]
fn all_must_be_ready_and_who_is_not_is_named() {
    let stored = said(Reason::Synced, "stored", 2);
    let waits = said(Reason::Unavailable, "gone", 2);
    let wrong = said(Reason::Invalid, "no", 2);
    let (word, drifted) = (|text: &str| text.to_owned(), said(Reason::Drifted, "other", 2));
    let suspended = said(Reason::Suspended, "left", 2);
    for (parts, expected) in [
        (
            vec![("a", &stored[..]), ("b", &stored[..])],
            Some((Reason::Synced, word("stored"))),
        ),
        (
            vec![("a", &stored[..]), ("b", &waits[..])],
            Some((Reason::Unavailable, word("GrafanaInstance b: gone"))),
        ),
        (
            vec![("a", &waits[..]), ("b", &wrong[..])],
            Some((
                Reason::Invalid,
                word("GrafanaInstance b: no; GrafanaInstance a: gone"),
            )),
        ),
        (
            vec![("a", &stored[..]), ("b", &drifted[..])],
            Some((
                Reason::Drifted,
                word("GrafanaInstance a: stored; GrafanaInstance b: other"),
            )),
        ),
        (
            vec![("a", &suspended[..]), ("b", &suspended[..])],
            Some((Reason::Suspended, word("left"))),
        ),
    ] {
        assert_eq!(verdict_of(&parts), expected);
    }
}

#[test]
fn of_what_is_not_known_yet_nothing_is_said_unless_another_is_not_well() {
    let (now, before) = (
        said(Reason::Synced, "stored", 2),
        said(Reason::Synced, "stored", 1),
    );
    let waits = said(Reason::Unavailable, "gone", 2);
    for unknown in [&before[..], &[]] {
        assert_eq!(verdict_of(&[("a", &now), ("b", unknown)]), None);
        let (reason, message) = verdict_of(&[("a", &waits), ("b", unknown)]).unwrap();
        assert_eq!(
            (reason, message.as_str()),
            (Reason::Unavailable, "GrafanaInstance a: gone")
        );
    }
}

#[test]
fn a_message_that_names_its_instance_names_it_once() {
    assert_eq!(says("a", "GrafanaInstance a: down"), "GrafanaInstance a: down");
    assert_eq!(
        says("a", "GrafanaInstance ab: down"),
        "GrafanaInstance a: GrafanaInstance ab: down"
    );
}

#[test]
fn the_state_is_the_worst_one_with_its_own_time_and_message() {
    let status = |state: &str, since: &str, message: Option<&str>| -> AlertRuleStatus {
        from_value(json!({
            "uid": "u", "url": format!("http://{since}"), "state": state, "stateSince": since, "stateMessage": message, "drift": ["title"],
        }))
        .unwrap()
    };
    let calm = status("Normal", "2026-01-01T00:00:00Z", None);
    let failing = status("Error", "2026-01-03T00:00:00Z", Some("timeout"));
    let longer = status("Error", "2026-01-02T00:00:00Z", None);
    let whole = rule(&[("a", &calm), ("b", &failing), ("c", &longer)]);
    assert_eq!(whole.state.as_deref(), Some("Error"));
    assert_eq!(whole.state_since, longer.state_since);
    assert_eq!(whole.state_message.as_deref(), Some("timeout"));
    assert_eq!((whole.uid.as_deref(), whole.url), (Some("u"), None));
    assert_eq!(whole.drift, ["a: title", "b: title", "c: title"]);
}

#[test]
fn a_contact_point_that_cannot_send_somewhere_says_where() {
    let status = |delivery: &str, sent: &str| -> ContactPointStatus {
        from_value(json!({"name": "team", "delivery": delivery, "lastSent": sent})).unwrap()
    };
    let (well, later) = (
        status("OK", "2026-01-01T00:00:00Z"),
        status("OK", "2026-01-02T00:00:00Z"),
    );
    let fails = status("webhook: 500", "2026-01-01T12:00:00Z");
    let whole = contact_point(&[("a", &well), ("b", &later)]);
    assert_eq!(
        (whole.delivery.as_deref(), whole.last_sent),
        (Some("OK"), later.last_sent.clone())
    );
    let whole = contact_point(&[("a", &later), ("b", &fails)]);
    assert_eq!(whole.delivery.as_deref(), Some("GrafanaInstance b: webhook: 500"));
    assert_eq!(
        (whole.last_sent, whole.name.as_deref()),
        (fails.last_sent, Some("team"))
    );
}

#[test]
fn a_silence_lasts_from_its_first_start_to_its_last_end() {
    let status = |state: &str, starts: &str, ends: &str, alerts: i64| -> SilenceStatus {
        from_value(json!({"id": state, "state": state, "startsAt": starts, "endsAt": ends, "matchesRules": alerts, "matchesAlerts": alerts}))
            .unwrap()
    };
    let over = status("Expired", "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z", 1);
    let active = status("Active", "2026-01-01T06:00:00Z", "2026-01-03T00:00:00Z", 3);
    let whole = silence(&[("a", &over), ("b", &active)]);
    assert_eq!(whole.state.as_deref(), Some("Active"));
    assert_eq!((whole.starts_at, whole.ends_at), (over.starts_at, active.ends_at));
    assert_eq!(
        (whole.id, whole.matches_rules, whole.matches_alerts),
        (None, Some(3), Some(4))
    );
}

fn resource(spec: &Value, status: &Value, is_deleting: bool) -> AlertRule {
    let mut object = json!({"metadata": {"name": "r", "namespace": "ns"}, "spec": spec, "status": status});
    if is_deleting {
        object["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
    }
    from_value(object).unwrap()
}

/// What it is in each Grafana: the instance, the uid that its status has there, and whether it is on its way out.
fn parts(rule: &AlertRule) -> Vec<(String, String, bool)> {
    let parts = rule.projections();
    for part in &parts {
        assert!(part.projections().is_empty(), "a part has no parts");
    }
    let told = |part: &AlertRule| {
        let uid = part.status.as_ref().and_then(|status| status.uid.clone());
        (
            part.instance().to_owned(),
            uid.unwrap_or_default(),
            part.is_deleting(),
        )
    };
    parts.iter().map(told).collect()
}

#[test]
fn a_resource_is_in_each_grafana_what_its_status_says_of_that() {
    let part = |instance: &str, uid: &str, leaves: bool| (instance.to_owned(), uid.to_owned(), leaves);
    let two = json!({"instances": [{"instance": "a", "uid": "1"}, {"instance": "b", "uid": "2"}]});
    let flat = json!({"uid": "1"});
    let cases = [
        (json!({"instances": ["a"]}), flat.clone(), false, vec![]),
        (json!({"instance": "a"}), flat.clone(), false, vec![]),
        // What a status says that names none is of the first.
        (
            json!({"instances": ["a", "b"]}),
            flat.clone(),
            false,
            vec![part("a", "1", false), part("b", "", false)],
        ),
        (
            json!({"instances": ["b", "c"]}),
            two.clone(),
            false,
            vec![part("b", "2", false), part("c", "", false), part("a", "1", true)],
        ),
        (
            json!({"instance": "b"}),
            two.clone(),
            false,
            vec![part("b", "2", false), part("a", "1", true)],
        ),
        // One that is deleted is nowhere that isn't noted.
        (json!({"instances": ["a", "b"]}), flat, true, vec![]),
        (
            json!({"instances": ["b", "c"]}),
            two,
            true,
            vec![part("b", "2", true), part("a", "1", true)],
        ),
    ];
    for (spec, status, is_deleting, expected) in cases {
        let rule = resource(&spec, &status, is_deleting);
        assert_eq!(parts(&rule), expected, "{spec} {status} {is_deleting}");
    }
    assert_eq!(
        resource(&json!({"instances": ["b", "a"]}), &json!({}), true).instance(),
        "b"
    );
    assert_eq!(resource(&json!({}), &json!({}), false).instance(), "default");
}
