//! Alert rules, one hash per field.

use serde_json::Value;

use super::canonical::Canonical;
use crate::grafana::model::{AlertRule, EXPRESSION, NotificationSettings, Query};

/// What Grafana adds to a model without `intervalMs`.
const INTERVAL_MS: f64 = 1000.0;

/// What Grafana adds to a model without `maxDataPoints`.
const MAX_DATA_POINTS: f64 = 43_200.0;

/// What a rule without `missing_series_evals_to_resolve` does.
const MISSING_SERIES_EVALS: i64 = 2;

/// Groups by every label.
const ALL_LABELS: &str = "...";

/// Labels by which the alerts of a rule with a contact point of its own are always grouped.
const ALWAYS_GROUPED: [&str; 2] = ["alertname", "grafana_folder"];

type Field = (&'static str, fn(&mut Canonical, &AlertRule));

/// The fields, under the names that the custom resource has for them.
const FIELDS: [Field; 14] = [
    ("title", |hash, rule| hash.text(&rule.title)),
    ("folder", |hash, rule| hash.text(&rule.folder_uid)),
    ("group", |hash, rule| {
        hash.text(rule.group.as_deref().unwrap_or_default());
    }),
    ("query", |hash, rule| {
        hash.text(&rule.condition);
        // Nodes refer to each other by name, so their order says nothing.
        let mut nodes: Vec<_> = rule.data.iter().collect();
        nodes.sort_by_key(|node| &node.ref_id);
        hash.list(&nodes, |hash, node| query(hash, node));
    }),
    ("record", |hash, rule| {
        if let Some(record) = &rule.record {
            hash.text(&record.metric);
            hash.text(&record.from);
            hash.text(record.target.as_deref().unwrap_or_default());
        }
    }),
    ("for", |hash, rule| duration_or_zero(hash, Some(&rule.r#for))),
    ("keepFiringFor", |hash, rule| {
        duration_or_zero(hash, rule.keep_firing_for.as_deref());
    }),
    ("missingSeriesEvalsToResolve", |hash, rule| {
        hash.text(
            &rule
                .missing_series_evals_to_resolve
                .unwrap_or(MISSING_SERIES_EVALS)
                .to_string(),
        );
    }),
    ("labels", |hash, rule| hash.map(&rule.labels)),
    ("annotations", |hash, rule| hash.map(&rule.annotations)),
    ("noDataState", |hash, rule| hash.text(&rule.no_data_state)),
    ("execErrState", |hash, rule| hash.text(&rule.exec_err_state)),
    ("paused", |hash, rule| hash.flag(rule.is_paused)),
    ("notificationSettings", |hash, rule| {
        if let Some(settings) = &rule.notification_settings {
            notification(hash, settings);
        }
    }),
];

/// What of an alert rule can differ, one hash per field. The interval is a number, and no part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RuleDigest([u64; FIELDS.len()]);

impl RuleDigest {
    /// The digest of a rule, wished or found.
    pub fn of(rule: &AlertRule) -> Self {
        Self(FIELDS.map(|(_, write)| Canonical::hash(|hash| write(hash, rule))))
    }

    /// All of it in a few letters, to be kept and compared later. It stays the same across versions that know the same fields.
    pub fn fingerprint(&self) -> String {
        let whole = Canonical::hash(|hash| hash.list(&self.0, |hash, field| hash.text(&field.to_string())));
        format!("{whole:016x}")
    }

    /// Names of the fields that differ, as the custom resource spells them.
    pub fn changed(&self, other: &Self) -> Vec<&'static str> {
        let pairs = self.0.iter().zip(&other.0);
        FIELDS
            .iter()
            .zip(pairs)
            .filter(|(_, (ours, theirs))| ours != theirs)
            .map(|((name, _), _)| *name)
            .collect()
    }
}

fn duration_or_zero(hash: &mut Canonical, text: Option<&str>) {
    hash.duration(text.filter(|text| !text.is_empty()).unwrap_or("0"));
}

fn query(hash: &mut Canonical, query: &Query) {
    hash.text(&query.ref_id);
    let query_type = query.model.get("queryType").and_then(Value::as_str);
    hash.text(query_type.unwrap_or(&query.query_type));
    hash.text(&query.relative_time_range.from.to_string());
    hash.text(&query.relative_time_range.to.to_string());
    // An expression has two names.
    hash.text(if query.is_expression() {
        EXPRESSION
    } else {
        &query.datasource_uid
    });
    match query.model.as_object() {
        Some(model) => hash.object(model.iter().filter(|(key, value)| !is_default(key, value))),
        None => hash.value(&query.model),
    }
}

/// Whether Grafana would add this to a model. It takes zero, and anything but a number, for missing.
fn is_default(key: &str, value: &Value) -> bool {
    let default = match key {
        "intervalMs" => INTERVAL_MS,
        "maxDataPoints" => MAX_DATA_POINTS,
        _ => return false,
    };
    value
        .as_f64()
        .is_none_or(|number| number.abs() < f64::EPSILON || (number - default).abs() < f64::EPSILON)
}

fn notification(hash: &mut Canonical, settings: &NotificationSettings) {
    hash.text(&settings.receiver);
    let group_by = settings.group_by.iter().map(String::as_str);
    if settings.group_by.is_empty() || settings.group_by.iter().any(|label| label == ALL_LABELS) {
        hash.set(group_by);
    } else {
        hash.set(group_by.chain(ALWAYS_GROUPED));
    }
    for duration in [
        &settings.group_wait,
        &settings.group_interval,
        &settings.repeat_interval,
    ] {
        hash.duration(duration.as_deref().unwrap_or_default());
    }
    hash.set(settings.mute_time_intervals.iter().map(String::as_str));
    hash.set(settings.active_time_intervals.iter().map(String::as_str));
    if let Some(policy) = settings.policy.as_deref().filter(|policy| !policy.is_empty()) {
        hash.text(policy);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::grafana::model::{Record, RelativeTimeRange};

    fn rule() -> AlertRule {
        AlertRule {
            uid: "aw-1".to_owned(),
            folder_uid: "f".to_owned(),
            group: Some("g".to_owned()),
            title: "StripePaymentFailures".to_owned(),
            condition: "A".to_owned(),
            data: vec![Query {
                ref_id: "A".to_owned(),
                query_type: "instant".to_owned(),
                relative_time_range: RelativeTimeRange { from: 600, to: 0 },
                datasource_uid: "loki".to_owned(),
                model: json!({"expr": "sum(x)", "queryType": "instant", "params": [5]}),
            }],
            no_data_state: "OK".to_owned(),
            exec_err_state: "Error".to_owned(),
            r#for: "300s".to_owned(),
            ..AlertRule::default()
        }
    }

    type Change = fn(&mut AlertRule);

    fn changed(change: impl FnOnce(&mut AlertRule)) -> Vec<&'static str> {
        let mut other = rule();
        change(&mut other);
        RuleDigest::of(&rule()).changed(&RuleDigest::of(&other))
    }

    #[test]
    fn what_grafana_writes_otherwise_is_no_change() {
        let stored = |rule: &mut AlertRule| {
            rule.r#for = "5m".to_owned();
            rule.keep_firing_for = Some("0s".to_owned());
            rule.missing_series_evals_to_resolve = Some(2);
            rule.provenance = Some("api".to_owned());
            rule.data[0].query_type = String::new();
            rule.data[0].model = json!({
                "expr": "sum(x)", "intervalMs": 1000, "maxDataPoints": 43200, "params": [5.0], "queryType": "instant",
            });
        };
        assert_eq!(changed(stored), [""; 0]);
    }

    #[test]
    fn the_order_of_nodes_counts_for_nothing() {
        let node = |ref_id: &str| Query {
            ref_id: ref_id.to_owned(),
            ..rule().data.remove(0)
        };
        let of = |ids: [&str; 3]| {
            RuleDigest::of(&AlertRule {
                data: ids.map(node).to_vec(),
                ..rule()
            })
        };
        assert_eq!(of(["A", "B", "C"]), of(["C", "A", "B"]));
        assert_ne!(of(["A", "B", "C"]), of(["A", "B", "D"]));
    }

    #[test]
    fn an_expression_is_the_same_by_either_of_its_names() {
        let of = |name: &str| {
            let mut rule = rule();
            rule.data[0].datasource_uid = name.to_owned();
            RuleDigest::of(&rule)
        };
        assert_eq!(of("__expr__"), of("-100"));
        assert_ne!(of("__expr__"), of("loki"));
    }

    #[test]
    fn a_policy_tree_of_its_own_is_a_difference() {
        let of = |policy: Option<&str>| {
            let settings = NotificationSettings {
                policy: policy.map(str::to_owned),
                ..Default::default()
            };
            RuleDigest::of(&AlertRule {
                notification_settings: Some(settings),
                ..rule()
            })
        };
        assert_ne!(of(Some("a")), of(Some("b")));
        assert_ne!(of(Some("a")), of(None));
        assert_eq!(of(Some("")), of(None));
    }

    #[test]
    fn a_fingerprint_tells_any_difference() {
        let other = AlertRule {
            is_paused: true,
            ..rule()
        };
        assert_eq!(
            RuleDigest::of(&rule()).fingerprint(),
            RuleDigest::of(&rule()).fingerprint()
        );
        assert_ne!(
            RuleDigest::of(&rule()).fingerprint(),
            RuleDigest::of(&other).fingerprint()
        );
    }

    #[test]
    fn every_field_that_changes_is_named() {
        let cases: [(&str, Change); 17] = [
            ("title", |rule| rule.title.push('x')),
            ("folder", |rule| rule.folder_uid.push('x')),
            ("group", |rule| rule.group = Some("gx".to_owned())),
            ("query", |rule| rule.condition.push('x')),
            ("record", |rule| rule.record = Some(Record::default())),
            ("query", |rule| rule.data[0].model["queryType"] = json!("range")),
            ("query", |rule| rule.data[0].model["intervalMs"] = json!(2000)),
            ("query", |rule| rule.data[0].relative_time_range.to = 60),
            ("query", |rule| rule.data[0].datasource_uid.push('x')),
            ("for", |rule| rule.r#for = "5s".to_owned()),
            ("keepFiringFor", |rule| {
                rule.keep_firing_for = Some("1s".to_owned());
            }),
            ("missingSeriesEvalsToResolve", |rule| {
                rule.missing_series_evals_to_resolve = Some(1);
            }),
            ("labels", |rule| {
                rule.labels.insert("a".to_owned(), "b".to_owned());
            }),
            ("annotations", |rule| {
                rule.annotations.insert("a".to_owned(), String::new());
            }),
            ("noDataState", |rule| rule.no_data_state = "NoData".to_owned()),
            ("execErrState", |rule| rule.exec_err_state = "OK".to_owned()),
            ("paused", |rule| rule.is_paused = true),
        ];
        for (field, change) in cases {
            assert_eq!(changed(change), [field]);
        }
        assert_eq!(
            changed(|rule| rule.notification_settings = Some(NotificationSettings::default())),
            ["notificationSettings"]
        );
    }

    #[test]
    fn labels_that_grafana_always_groups_by_are_no_change() {
        let digest = |group_by: &[&str]| {
            let group_by = group_by.iter().map(ToString::to_string).collect();
            let settings = NotificationSettings {
                receiver: "r".to_owned(),
                group_by,
                ..Default::default()
            };
            RuleDigest::of(&AlertRule {
                notification_settings: Some(settings),
                ..rule()
            })
        };
        assert_eq!(
            digest(&["team"]),
            digest(&["grafana_folder", "alertname", "team"])
        );
        assert_ne!(digest(&["team"]), digest(&[]));
        assert_ne!(digest(&["..."]), digest(&["alertname", "grafana_folder"]));
    }
}
