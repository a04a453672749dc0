//! Rules that use every field, those of the first user, and such as nobody would write.

use std::collections::BTreeMap;
use std::time::Duration;

use alertwright::api::AlertRule as Resource;
use alertwright::domain::ownership::Owner;
use alertwright::domain::rule::{Surroundings, wish};
use alertwright::domain::version::Version;
use alertwright::grafana::model::{AlertRule, NotificationSettings, Query, Record, RelativeTimeRange};
use alertwright::grafana::wire::{DataSource, Toggles};
use proptest::prelude::*;
use serde_json::{Value, json};

/// The folder that all of them lie in.
pub(super) const FOLDER: &str = "f";

/// The contact point that some of them name.
pub(super) const RECEIVER: &str = "team";

/// The time interval that some of them name.
pub(super) const NIGHT: &str = "night";

fn texts(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
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

/// A rule of which little is said, in a group of its own.
pub(super) fn plain(uid: &str) -> AlertRule {
    AlertRule {
        uid: uid.to_owned(),
        folder_uid: FOLDER.to_owned(),
        group: Some(format!("group of {uid}")),
        interval: Duration::from_secs(60),
        title: format!("Rule {uid}"),
        condition: "A".to_owned(),
        data: vec![query(
            "A",
            "__expr__",
            0,
            json!({"type": "math", "expression": "1 == 0"}),
        )],
        no_data_state: "NoData".to_owned(),
        exec_err_state: "Error".to_owned(),
        r#for: "0s".to_owned(),
        labels: texts(&[("__alertwright__", "own/ns/name")]),
        ..AlertRule::default()
    }
}

/// Rules with a field each, and one with all.
pub(super) fn every_field() -> Vec<AlertRule> {
    type Change = fn(&mut AlertRule);
    let changes: [Change; 14] = [
        |_| {},
        |rule| rule.interval = Duration::from_secs(5400),
        |rule| rule.title = "\"Ünïcode\" ✓ / <&> \\ {{ $labels.x }}".into(),
        |rule| {
            rule.condition = "C".into();
            rule.data = vec![
                Query {
                    query_type: "range".to_owned(),
                    relative_time_range: RelativeTimeRange {
                        from: 93_600,
                        to: 3600,
                    },
                    ..query(
                        "A",
                        "loki-1",
                        0,
                        json!({"expr": "sum(rate({a=\"b\"}[5m]))", "refId": "A", "n": 1.5, "deep": {"a": [1, null, {}]}}),
                    )
                },
                query(
                    "B",
                    "loki-1",
                    600,
                    json!({"expr": "y", "intervalMs": 2000, "maxDataPoints": 100, "queryType": "instant"}),
                ),
                query(
                    "C",
                    "-100",
                    0,
                    json!({"type": "reduce", "expression": "A", "reducer": "last"}),
                ),
            ];
        },
        |rule| rule.no_data_state = "OK".into(),
        |rule| rule.no_data_state = "KeepLast".into(),
        |rule| rule.exec_err_state = "OK".into(),
        |rule| rule.exec_err_state = "Alerting".into(),
        |rule| rule.r#for = "1d12h".into(),
        |rule| rule.keep_firing_for = Some("90s".to_owned()),
        |rule| rule.missing_series_evals_to_resolve = Some(5),
        |rule| {
            rule.annotations = texts(&[
                ("summary", "a\nb"),
                ("__dashboardUid__", "d-1"),
                ("__panelId__", "12"),
                ("empty", ""),
            ]);
        },
        |rule| rule.is_paused = true,
        |rule| {
            rule.notification_settings = Some(NotificationSettings {
                receiver: RECEIVER.to_owned(),
                group_by: vec![
                    "alertname".to_owned(),
                    "grafana_folder".to_owned(),
                    "x".to_owned(),
                ],
                group_wait: Some("0s".to_owned()),
                group_interval: Some("5m".to_owned()),
                repeat_interval: Some("1d".to_owned()),
                mute_time_intervals: vec![NIGHT.to_owned()],
                active_time_intervals: vec![NIGHT.to_owned()],
                ..NotificationSettings::default()
            });
        },
    ];
    let mut all = plain("all");
    let mut rules: Vec<_> = (0..)
        .zip(changes)
        .map(|(number, change)| {
            change(&mut all);
            let mut rule = plain(&format!("field-{number}"));
            change(&mut rule);
            rule
        })
        .collect();
    rules.push(all);
    rules
}

/// A recording rule, of which everything is said.
pub(super) fn recording(uid: &str) -> AlertRule {
    AlertRule {
        condition: String::new(),
        no_data_state: String::new(),
        exec_err_state: String::new(),
        is_paused: true,
        data: vec![query("A", "loki-1", 600, json!({"expr": "x", "refId": "A"}))],
        record: Some(Record {
            metric: "errors:sum".to_owned(),
            from: "A".to_owned(),
            target: Some("prom-1".to_owned()),
        }),
        ..plain(uid)
    }
}

/// The ten rules of the first user, as the operator wishes them.
pub(super) fn ten() -> Vec<AlertRule> {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/deploy/examples/revel/alert-rules.yaml"
    );
    let yaml = std::fs::read_to_string(path).expect("the example");
    let resources: Vec<Resource> = serde_saphyr::from_multiple(&yaml).expect("AlertRules");
    let (owner, labels) = (Owner::parse("own").expect("an owner"), BTreeMap::new());
    let source = DataSource {
        uid: "loki-1".to_owned(),
        name: "Loki".to_owned(),
        r#type: "loki".to_owned(),
        is_default: true,
    };
    let all: Vec<_> = resources
        .iter()
        .map(|resource| {
            let name = resource.metadata.name.as_deref().expect("a name");
            let around = Surroundings {
                owner: &owner,
                uid: name,
                namespace: "revel",
                name,
                labels: &labels,
                source: Some(&source),
                target: None,
                notification: None,
                external_url: "https://grafana.example.com/",
                version: Version::new(13, 0, 0),
                toggles: Toggles::default(),
                min_interval: Duration::ZERO,
            };
            let rule = wish(&resource.spec, &around).expect("a wish").rule;
            AlertRule {
                folder_uid: FOLDER.to_owned(),
                ..rule
            }
        })
        .collect();
    assert_eq!(all.len(), 10);
    all
}

/// Whatever may be a rule.
pub(super) fn any_rule(uid: String) -> impl Strategy<Value = AlertRule> {
    let text = "[ -~\u{e4}\u{2713}\n]{0,20}";
    let duration = prop::sample::select(vec!["0s", "1s", "90s", "5m", "1h30m", "1d12h", "2w"]);
    let state = |own: &'static str| prop::sample::select(vec![own, "OK", "Alerting", "KeepLast"]);
    let node = (
        prop::sample::select(vec!["__expr__", "loki-1"]),
        1i64..100_000,
        0i64..1000,
        text,
        any::<bool>(),
    );
    (
        ("[ -~\u{e4}]{1,40}", 1u64..2000, duration.clone(), duration),
        prop::collection::btree_map("[a-z_]{1,10}", text, 0..4),
        prop::collection::btree_map("[a-zA-Z_]{1,10}", text, 0..4),
        prop::collection::btree_map("[A-Z]{1,2}", node, 1..5),
        (
            state("NoData"),
            state("Error"),
            any::<bool>(),
            prop::option::of(1i64..9),
        ),
    )
        .prop_map(
            move |(
                (title, interval, pending, keep),
                labels,
                annotations,
                nodes,
                (no_data, exec_err, is_paused, missing),
            )| AlertRule {
                interval: Duration::from_secs(interval * 10),
                title,
                condition: nodes.keys().next_back().cloned().unwrap_or_default(),
                data: nodes
                    .into_iter()
                    .map(|(name, (source, length, to, text, has_type))| {
                        let mut model = json!({"refId": name, "text": text, "number": length});
                        if has_type {
                            model["queryType"] = json!("instant");
                        }
                        let is_expression = source == "__expr__";
                        let relative_time_range = RelativeTimeRange {
                            from: if is_expression { 0 } else { to + length },
                            to: if is_expression { 0 } else { to },
                        };
                        Query {
                            relative_time_range,
                            ..query(&name, source, 0, model)
                        }
                    })
                    .collect(),
                no_data_state: no_data.to_owned(),
                exec_err_state: exec_err.to_owned(),
                r#for: pending.to_owned(),
                keep_firing_for: Some(keep.to_owned()),
                missing_series_evals_to_resolve: missing,
                annotations,
                labels: labels.into_iter().chain(plain(&uid).labels).collect(),
                is_paused,
                ..plain(&uid)
            },
        )
}
