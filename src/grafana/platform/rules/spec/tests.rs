//! What is sent, and what Grafana's answers are read as.

use std::time::Duration;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::grafana::digest::RuleDigest;
use crate::grafana::model::NotificationSettings;

fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    let pairs = pairs.iter();
    pairs
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

fn query(ref_id: &str, datasource_uid: &str, from: i64, model: Value) -> Query {
    Query {
        ref_id: ref_id.to_owned(),
        query_type: String::new(),
        relative_time_range: RelativeTimeRange { from, to: 0 },
        datasource_uid: datasource_uid.to_owned(),
        model,
    }
}

/// A rule that uses every field.
fn rule() -> AlertRule {
    AlertRule {
        interval: Duration::from_secs(90),
        title: "StripePaymentFailures".to_owned(),
        condition: "C".to_owned(),
        data: vec![
            Query {
                query_type: "instant".to_owned(),
                ..query("A", "loki", 600, json!({"expr": "sum(x)", "refId": "A"}))
            },
            query(
                "C",
                "__expr__",
                0,
                json!({"type": "math", "expression": "$A > 5"}),
            ),
        ],
        no_data_state: "OK".to_owned(),
        exec_err_state: "KeepLast".to_owned(),
        r#for: "5m".to_owned(),
        keep_firing_for: Some("1d12h".to_owned()),
        missing_series_evals_to_resolve: Some(3),
        annotations: map(&[("summary", "s"), ("__dashboardUid__", "d"), ("__panelId__", "7")]),
        labels: map(&[("severity", "high"), ("__alertwright__", "o/n/r")]),
        is_paused: true,
        notification_settings: Some(NotificationSettings {
            receiver: "team".to_owned(),
            group_by: vec!["alertname".to_owned(), "team".to_owned()],
            group_wait: Some("30s".to_owned()),
            group_interval: Some("5m".to_owned()),
            repeat_interval: Some("4h".to_owned()),
            mute_time_intervals: vec!["night".to_owned()],
            active_time_intervals: vec!["office".to_owned()],
            policy: None,
        }),
        ..AlertRule::default()
    }
}

fn sent(rule: &AlertRule) -> Value {
    serde_json::to_value(Spec::of(rule).unwrap()).unwrap()
}

fn read(spec: Value) -> AlertRule {
    serde_json::from_value::<Spec>(spec).unwrap().rule()
}

/// Names of the fields in which what was read differs from the wish.
fn changed(wish: &AlertRule, found: &AlertRule) -> Vec<&'static str> {
    let mut changed = RuleDigest::of(wish).changed(&RuleDigest::of(found));
    if wish.interval != found.interval {
        changed.push("interval");
    }
    changed
}

#[test]
fn a_rule_is_sent_in_the_words_of_the_schema() {
    let expected = json!({
        "title": "StripePaymentFailures", "paused": true, "trigger": {"interval": "90s"},
        "expressions": {
            "A": {"queryType": "instant", "relativeTimeRange": {"from": "600s", "to": "0s"}, "datasourceUID": "loki", "model": {"expr": "sum(x)", "refId": "A"}},
            "C": {"model": {"type": "math", "expression": "$A > 5"}, "source": true},
        },
        "labels": {"severity": "high", "__alertwright__": "o/n/r"},
        "annotations": {"summary": "s", "__dashboardUid__": "d", "__panelId__": "7"},
        "for": "5m", "keepFiringFor": "1d12h", "missingSeriesEvalsToResolve": 3, "noDataState": "Ok", "execErrState": "KeepLast",
        "notificationSettings": {
            "type": "SimplifiedRouting", "receiver": "team", "groupBy": ["alertname", "team"], "groupWait": "30s", "groupInterval": "5m",
            "repeatInterval": "4h", "muteTimeIntervals": ["night"], "activeTimeIntervals": ["office"],
        },
        "panelRef": {"dashboardUID": "d", "panelID": 7},
    });
    assert_eq!(sent(&rule()), expected);
}

#[test]
fn what_a_rule_does_not_say_is_left_out() {
    let rule = AlertRule {
        interval: Duration::from_secs(60),
        r#for: "0s".to_owned(),
        keep_firing_for: Some("0s".to_owned()),
        no_data_state: "NoData".to_owned(),
        exec_err_state: "Error".to_owned(),
        ..AlertRule::default()
    };
    let expected = json!({
        "title": "", "trigger": {"interval": "60s"}, "expressions": {}, "labels": {}, "annotations": {}, "noDataState": "NoData", "execErrState": "Error",
    });
    assert_eq!(sent(&rule), expected, "a duration of nothing would be refused");
}

#[test]
fn what_grafana_answers_equals_what_was_sent() {
    let answer = json!({
        "title": "StripePaymentFailures", "paused": true, "trigger": {"interval": "1m30s"},
        "expressions": {
            "A": {"queryType": "instant", "relativeTimeRange": {"from": "10m0s", "to": "0s"}, "datasourceUID": "loki",
                  "model": {"expr": "sum(x)", "intervalMs": 1000, "maxDataPoints": 43200, "refId": "A"}},
            "C": {"source": true, "model": {"expression": "$A > 5", "intervalMs": 1000, "maxDataPoints": 43200, "type": "math"}},
        },
        "labels": {"severity": "high", "__alertwright__": "o/n/r"},
        "annotations": {"summary": "s", "__dashboardUid__": "d", "__panelId__": "7"},
        "for": "5m0s", "keepFiringFor": "36h0m0s", "missingSeriesEvalsToResolve": 3, "noDataState": "Ok", "execErrState": "KeepLast",
        "notificationSettings": {
            "type": "SimplifiedRouting", "receiver": "team", "groupBy": ["alertname", "grafana_folder", "team"], "groupWait": "30s",
            "groupInterval": "5m", "repeatInterval": "4h", "muteTimeIntervals": ["night"], "activeTimeIntervals": ["office"],
        },
        "panelRef": {"dashboardUID": "d", "panelID": 7}, "unknown": {"a": 1},
    });
    assert_eq!(changed(&rule(), &read(answer)), [""; 0]);
    let little = AlertRule {
        interval: Duration::from_secs(60),
        data: vec![query("A", "-100", 0, json!({"type": "math", "expression": "1"}))],
        condition: "A".to_owned(),
        no_data_state: "NoData".to_owned(),
        exec_err_state: "Error".to_owned(),
        r#for: "0s".to_owned(),
        ..AlertRule::default()
    };
    let answer = json!({
        "title": "", "trigger": {"interval": "1m"}, "labels": null, "noDataState": "NoData", "execErrState": "Error",
        "expressions": {"A": {"source": true, "model": {"type": "math", "expression": "1"}}},
    });
    assert_eq!(
        changed(&little, &read(answer)),
        [""; 0],
        "an expression has two names"
    );
}

#[test]
fn settings_without_a_type_name_a_contact_point_and_others_a_tree() {
    let settings = |settings: Value| read(json!({"notificationSettings": settings})).notification_settings;
    let found = settings(json!({"receiver": "team"})).unwrap();
    assert_eq!((found.receiver.as_str(), found.policy), ("team", None));
    let found = settings(json!({"type": "NamedRoutingTree", "routingTree": "other"})).unwrap();
    assert_eq!(
        (found.receiver.as_str(), found.policy.as_deref()),
        ("", Some("other"))
    );
    assert_eq!(settings(json!(null)), None);
}

#[test]
fn a_tree_is_sent_by_its_name_and_alone() {
    let rule = AlertRule {
        notification_settings: Some(NotificationSettings {
            policy: Some("other".to_owned()),
            ..NotificationSettings::default()
        }),
        ..AlertRule::default()
    };
    let sent = sent(&rule);
    assert_eq!(
        sent["notificationSettings"],
        json!({"type": "NamedRoutingTree", "routingTree": "other"})
    );
    assert_eq!(read(sent).notification_settings, rule.notification_settings);
}

#[test]
fn a_panel_is_named_by_annotations_and_by_a_field_that_can_say_less() {
    let panel = |dashboard: &str, panel: &str| {
        let annotations = map(&[("__dashboardUid__", dashboard), ("__panelId__", panel)]);
        let rule = AlertRule {
            annotations: annotations.clone(),
            ..AlertRule::default()
        };
        assert_eq!(read(sent(&rule)).annotations, annotations);
        sent(&rule)["panelRef"].clone()
    };
    assert_eq!(
        panel("d-_1", "12"),
        json!({"dashboardUID": "d-_1", "panelID": 12})
    );
    for (dashboard, id) in [
        ("d", "07"),
        ("d", "0"),
        ("d", "-1"),
        ("d", "x"),
        ("", "1"),
        ("d e", "1"),
        ("{{ $labels.d }}", "1"),
    ] {
        assert_eq!(panel(dashboard, id), json!(null), "{dashboard:?} {id:?}");
    }
    let only_the_field =
        read(json!({"panelRef": {"dashboardUID": "d", "panelID": 7}, "annotations": {"summary": "s"}}));
    assert_eq!(
        only_the_field.annotations,
        map(&[("summary", "s"), ("__dashboardUid__", "d"), ("__panelId__", "7")])
    );
}

#[test]
fn a_recording_rule_says_what_it_writes_and_has_no_condition() {
    let found = read(json!({
        "title": "t", "trigger": {"interval": "1m"}, "metric": "errors:sum", "targetDatasourceUID": "p",
        "expressions": {"A": {"datasourceUID": "p", "model": {}, "source": true}},
    }));
    assert_eq!(
        found.record,
        Some(Record {
            metric: "errors:sum".to_owned(),
            from: "A".to_owned(),
            target: Some("p".to_owned()),
        })
    );
    assert_eq!(found.condition, "");
    let spec = sent(&found);
    assert_eq!(
        spec,
        json!({
            "title": "t", "trigger": {"interval": "60s"}, "metric": "errors:sum", "targetDatasourceUID": "p", "labels": {},
            "expressions": {"A": {"datasourceUID": "p", "model": {}, "source": true}},
        })
    );
    assert_eq!(changed(&found, &read(spec)), [""; 0]);
}

#[test]
fn two_nodes_of_one_name_are_told_and_not_sent() {
    let twice = query("A", "loki", 600, json!({}));
    let rule = AlertRule {
        data: vec![twice.clone(), twice],
        ..rule()
    };
    let error = Spec::of(&rule).unwrap_err();
    assert!(error.to_string().contains("refId A"), "{error}");
    assert_eq!(error.class(), crate::grafana::Class::Rejected);
}

/// A duration as Go prints it.
fn go(duration: Duration) -> String {
    let (seconds, millis) = (duration.as_secs(), duration.subsec_millis());
    if seconds == 0 && millis > 0 {
        return format!("{millis}ms");
    }
    let fraction = format!(".{millis:03}");
    let fraction = fraction.trim_end_matches('0').trim_end_matches('.');
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match (hours, minutes) {
        (0, 0) => format!("{seconds}{fraction}s"),
        (0, _) => format!("{minutes}m{seconds}{fraction}s"),
        _ => format!("{hours}h{minutes}m{seconds}{fraction}s"),
    }
}

proptest! {
    #[test]
    fn a_duration_is_the_same_whoever_has_printed_it(days in 0u64..400, millis in 1u64..86_400_000) {
        let wished = Duration::from_millis(days * 86_400_000 + millis);
        let prometheus = format!("{days}d{}s{}ms", millis / 1000, millis % 1000);
        let wish = AlertRule { r#for: prometheus.clone(), keep_firing_for: Some(prometheus), ..rule() };
        let mut answer = sent(&wish);
        answer["for"] = json!(go(wished));
        answer["keepFiringFor"] = json!(go(wished));
        prop_assert_eq!(changed(&wish, &read(answer)), [""; 0], "{}", go(wished));
    }

    #[test]
    fn whatever_a_rule_says_is_read_as_it_was_sent(
        texts in prop::collection::btree_map("[ -~\u{e4}\u{2713}\n]{0,12}", "[ -~\u{e4}\u{2713}\n]{0,12}", 0..5),
        nodes in prop::collection::btree_set("[A-Z]{1,2}", 1..6),
        (interval, from, to) in (1u64..90_000, -5i64..100_000, 0i64..10),
        missing in prop::option::of(1i64..9),
        is_paused in any::<bool>(),
        state in prop::sample::select(vec!["OK", "NoData", "Alerting", "KeepLast", "Error", ""]),
    ) {
        let expression = |name: &String| name.len() > 1;
        let rule = AlertRule {
            interval: Duration::from_secs(interval),
            condition: nodes.first().cloned().unwrap_or_default(),
            data: nodes.iter().map(|name| {
                let source = if expression(name) { "__expr__" } else { "ds" };
                let node = query(name, source, from.max(0), json!({"refId": name, "n": from}));
                Query { relative_time_range: RelativeTimeRange { from: from.max(0), to }, ..node }
            }).collect(),
            labels: texts.clone(),
            annotations: texts,
            missing_series_evals_to_resolve: missing,
            is_paused,
            no_data_state: state.to_owned(),
            exec_err_state: state.to_owned(),
            ..rule()
        };
        prop_assert_eq!(changed(&rule, &read(sent(&rule))), [""; 0]);
    }
}
