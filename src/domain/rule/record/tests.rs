#![expect(
    clippy::needless_pass_by_value,
    reason = "json!(..) reads better without a borrow"
)]

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::*;
use crate::domain::ownership::Owner;
use crate::domain::rule::wish;
use crate::grafana::model::{self, AlertRule};
use crate::grafana::wire::DataSource;

/// A specification with a query, where these fields give no other.
fn spec(fields: Value) -> AlertRuleSpec {
    let mut all = json!({ "query": "sum(rate({app=\"shop\"}[5m])) > 5" });
    all.as_object_mut()
        .unwrap()
        .extend(fields.as_object().cloned().unwrap());
    serde_json::from_value(all).unwrap()
}

fn loki() -> DataSource {
    source("loki-1", "loki")
}

fn source(uid: &str, type_: &str) -> DataSource {
    DataSource {
        uid: uid.to_owned(),
        name: uid.to_owned(),
        r#type: type_.to_owned(),
        ..DataSource::default()
    }
}

/// The recording rule that a Grafana of this version should hold for a query of a data source.
fn recorded(fields: Value, asked: &DataSource, version: Version) -> Result<AlertRule, Refusal> {
    recorded_into(&source("target", "prometheus"), fields, asked, version)
}

/// The same with the data source that `targetDatasource` names.
fn recorded_into(
    target: &DataSource,
    fields: Value,
    asked: &DataSource,
    version: Version,
) -> Result<AlertRule, Refusal> {
    let names_target = fields["record"]["targetDatasource"].is_object();
    let (owner, labels) = (Owner::parse("prod").unwrap(), BTreeMap::new());
    let around = Surroundings {
        owner: &owner,
        uid: "aw-1",
        namespace: "shop",
        name: "errors",
        labels: &labels,
        source: Some(asked),
        target: names_target.then_some(target),
        notification: None,
        external_url: "",
        version,
        toggles: Toggles {
            recording_rules: true,
            ..Toggles::default()
        },
        min_interval: Duration::from_secs(10),
    };
    wish(&spec(fields), &around).map(|wish| wish.rule)
}

#[test]
fn a_recording_rule_writes_what_its_query_returns_and_says_nothing_of_alerts() {
    let prometheus = source("prom", "prometheus");
    let now = Version::new(12, 0, 0);
    let record = json!({"query": "sum by (job) (rate(errors[5m])) > 5", "record": {"metric": "job:errors:rate5m"}, "labels": {"team": "web"}});
    let rule = recorded(record, &prometheus, now).unwrap();
    assert_eq!(rule.data.len(), 1);
    assert_eq!(rule.data[0].model["expr"], "sum by (job) (rate(errors[5m])) > 5");
    let expected = model::Record {
        metric: "job:errors:rate5m".to_owned(),
        from: "A".to_owned(),
        target: Some("prom".to_owned()),
    };
    assert_eq!(rule.record, Some(expected.clone()));
    let of_alerts = [&rule.condition, &rule.no_data_state, &rule.exec_err_state];
    assert_eq!(of_alerts, ["", "", ""]);
    assert_eq!(rule.labels["team"], "web");
    assert!(rule.annotations.is_empty());
    // Somewhere else.
    let record = json!({"record": {"metric": "m", "targetDatasource": {"name": "target"}}});
    for asked in [&loki(), &prometheus] {
        let rule = recorded(record.clone(), asked, now).unwrap();
        assert_eq!(
            rule.record.unwrap().target.as_deref(),
            Some("target"),
            "{asked:?}"
        );
    }
    // Before 12.0 Grafana's settings say where to.
    let record = json!({"record": {"metric": "job:errors:rate5m"}});
    let rule = recorded(record, &loki(), Version::new(11, 2, 0)).unwrap();
    assert_eq!(
        rule.record,
        Some(model::Record {
            target: None,
            ..expected
        })
    );
}

#[test]
fn a_recording_rule_is_not_written_into_anything_but_a_prometheus() {
    let record = json!({"record": {"metric": "m", "targetDatasource": {"name": "logs"}}});
    let of = |type_: &str| {
        recorded_into(
            &source("logs", type_),
            record.clone(),
            &loki(),
            Version::new(12, 0, 0),
        )
    };
    let refusal = of("loki").unwrap_err();
    assert_eq!(refusal.reason, Reason::Invalid);
    assert_eq!(
        refusal.message,
        "spec.record.targetDatasource: data source logs is of type loki, and Grafana writes to a Prometheus alone; name one"
    );
    of("grafana-amazonprometheus-datasource").unwrap();
}

#[test]
fn a_recording_rule_that_cannot_be_names_the_field_and_the_cure() {
    let refuse = |fields: Value, version: Version| recorded(fields, &loki(), version).unwrap_err();
    let plain = json!({"record": {"metric": "m"}});
    let refusal = refuse(plain.clone(), Version::new(12, 0, 0));
    assert_eq!(refusal.reason, Reason::Invalid);
    assert!(
        refusal
            .message
            .starts_with("spec.record.targetDatasource: name the Prometheus that is written to"),
        "{}",
        refusal.message
    );
    let refusal = refuse(plain, Version::new(11, 1, 0));
    assert_eq!(refusal.reason, Reason::Unsupported);
    let expected = "spec.record needs Grafana 12.0, or 11.2 with the feature toggle grafanaManagedRecordingRules; this one is 11.1.";
    assert!(refusal.message.starts_with(expected), "{}", refusal.message);
    let with_target = json!({"record": {"metric": "m", "targetDatasource": {"name": "target"}}});
    let refusal = refuse(with_target, Version::new(11, 6, 0));
    assert_eq!(refusal.reason, Reason::Unsupported);
    assert!(
        refusal
            .message
            .starts_with("spec.record.targetDatasource needs Grafana 12.0"),
        "{}",
        refusal.message
    );
    let refusal = recorded(
        json!({"query": "sum(", "record": {"metric": "m"}}),
        &source("p", "prometheus"),
        Version::new(12, 0, 0),
    )
    .unwrap_err();
    assert!(refusal.message.starts_with("spec.query: "), "{}", refusal.message);
}
