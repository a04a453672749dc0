#![expect(
    clippy::needless_pass_by_value,
    reason = "json!(..) reads better without a borrow"
)]

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::*;
use crate::domain::ownership::{LABEL, Owner};
use crate::domain::version::links;
use crate::grafana::wire::{DataSource, Toggles};

fn owner() -> Owner {
    Owner::parse("prod").unwrap()
}

fn loki() -> DataSource {
    DataSource {
        uid: "loki-1".into(),
        name: "Loki".into(),
        r#type: "loki".into(),
        ..DataSource::default()
    }
}

/// A specification with a query and these fields.
fn spec(fields: Value) -> AlertRuleSpec {
    let mut all = json!({ "query": "sum(rate({app=\"shop\"}[5m])) > 5" });
    all.as_object_mut()
        .unwrap()
        .extend(fields.as_object().cloned().unwrap());
    serde_json::from_value(all).unwrap()
}

/// Works the wish out in surroundings that the caller may change.
fn wish_in(spec: &AlertRuleSpec, change: impl FnOnce(&mut Surroundings<'_>)) -> Result<Wish, Refusal> {
    wish_on(spec, &BTreeMap::new(), change)
}

/// The same on an instance that adds labels.
fn wish_on(
    spec: &AlertRuleSpec,
    labels: &BTreeMap<String, String>,
    change: impl FnOnce(&mut Surroundings<'_>),
) -> Result<Wish, Refusal> {
    let (owner, source) = (owner(), loki());
    let mut around = Surroundings {
        owner: &owner,
        uid: spec.uid.as_deref().unwrap_or("aw-1"),
        namespace: "shop",
        name: "errors",
        labels,
        source: Some(&source),
        target: None,
        notification: None,
        external_url: "https://grafana.example.com/",
        version: Version::new(12, 1, 0),
        toggles: Toggles::default(),
        min_interval: Duration::from_secs(10),
    };
    change(&mut around);
    wish(spec, &around)
}

fn wished(fields: Value) -> Wish {
    wish_in(&spec(fields), |_| {}).unwrap()
}

fn refused(fields: Value) -> Refusal {
    wish_in(&spec(fields), |_| {}).unwrap_err()
}

#[test]
fn a_rule_of_nothing_but_a_query_has_every_default() {
    let Wish { rule, warnings } = wished(json!({}));
    assert!(warnings.is_empty());
    assert_eq!(rule.data.len(), 3);
    let expected = AlertRule {
        uid: "aw-1".into(),
        group: Some("errors".into()),
        interval: Duration::from_secs(60),
        title: "errors".into(),
        condition: "C".into(),
        data: rule.data.clone(),
        no_data_state: "OK".into(),
        exec_err_state: "Error".into(),
        r#for: "0s".into(),
        labels: BTreeMap::from([(LABEL.to_owned(), "prod/shop/errors".to_owned())]),
        provenance: Some("api".into()),
        ..AlertRule::default()
    };
    assert_eq!(rule, expected);
}

#[test]
fn every_field_of_the_specification_reaches_the_rule() {
    let Wish { rule, .. } = wished(json!({
        "title": "Errors", "uid": "by-hand", "group": "shop", "for": "90s", "keepFiringFor": "60m", "interval": "120s",
        "noDataState": "NoData", "execErrState": "KeepLast", "missingSeriesEvalsToResolve": 3, "paused": true, "severity": "high",
        "labels": {"team": "web"}, "annotations": {"summary": "broken"}, "panelRef": {"dashboardUID": "d-1", "panelID": 7},
    }));
    let expected = AlertRule {
        uid: "by-hand".into(),
        folder_uid: String::new(),
        group: Some("shop".into()),
        interval: Duration::from_secs(120),
        title: "Errors".into(),
        condition: "C".into(),
        data: rule.data.clone(),
        no_data_state: "NoData".into(),
        exec_err_state: "KeepLast".into(),
        r#for: "1m30s".into(),
        keep_firing_for: Some("1h".into()),
        missing_series_evals_to_resolve: Some(3),
        annotations: strings(&[
            ("summary", "broken"),
            ("__dashboardUid__", "d-1"),
            ("__panelId__", "7"),
        ]),
        labels: strings(&[("team", "web"), ("severity", "high"), (LABEL, "prod/shop/errors")]),
        is_paused: true,
        notification_settings: None,
        record: None,
        provenance: Some("api".into()),
    };
    assert_eq!(rule, expected);
}

#[test]
fn states_are_called_as_grafana_calls_them() {
    for state in ["NoData", "Alerting", "OK", "KeepLast"] {
        assert_eq!(wished(json!({ "noDataState": state })).rule.no_data_state, state);
    }
    for state in ["Error", "Alerting", "OK", "KeepLast"] {
        assert_eq!(
            wished(json!({ "execErrState": state })).rule.exec_err_state,
            state
        );
    }
}

fn strings(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect()
}

#[test]
fn the_rules_own_labels_come_before_the_instances_and_ownership_before_all() {
    let instance = strings(&[
        ("cluster", "prod"),
        ("team", "nobody"),
        ("severity", "low"),
        (LABEL, "forged"),
    ]);
    let spec = spec(json!({ "labels": {"team": "web", LABEL: "forged"}, "severity": "high" }));
    let labels = wish_on(&spec, &instance, |_| {}).unwrap().rule.labels;
    let expected = [
        (LABEL, "prod/shop/errors"),
        ("cluster", "prod"),
        ("severity", "high"),
        ("team", "web"),
    ];
    assert_eq!(labels, strings(&expected));
}

#[test]
fn a_severity_in_the_labels_comes_before_the_instances() {
    let instance = strings(&[("severity", "low")]);
    let severity =
        |fields| wish_on(&spec(fields), &instance, |_| {}).unwrap().rule.labels["severity"].clone();
    assert_eq!(severity(json!({ "labels": {"severity": "high"} })), "high");
    assert_eq!(severity(json!({})), "low");
}

#[test]
fn a_folder_is_the_namespace_or_a_path_behind_the_prefix_or_a_uid() {
    let path = |fields, prefix| folder_path(&spec(fields), "shop", prefix);
    assert_eq!(path(json!({}), "").as_deref(), Some("shop"));
    assert_eq!(path(json!({}), "Prod ").as_deref(), Some("Prod shop"));
    assert_eq!(
        path(json!({ "folder": "Shop/Errors" }), "Prod/").as_deref(),
        Some("Prod/Shop/Errors")
    );
    assert_eq!(path(json!({ "folderUID": "abc" }), "Prod/"), None);
}

#[test]
fn an_interval_is_a_multiple_of_what_the_scheduler_wakes_up_at_and_not_of_the_shortest() {
    for (interval, min, good) in [
        ("10s", 10, true),
        ("1m30s", 10, true),
        ("15s", 10, false),
        ("3m", 120, true),
        ("2m30s", 120, true),
        ("2m35s", 120, false),
        ("0s", 10, false),
        // A scheduler that wakes up more often.
        ("1s", 1, true),
        ("500ms", 1, false),
        // A server that tells nothing has Grafana's usual interval.
        ("20s", 0, true),
        ("15s", 0, false),
    ] {
        let spec = spec(json!({ "interval": interval }));
        let wish = wish_in(&spec, |around| around.min_interval = Duration::from_secs(min));
        assert_eq!(wish.is_ok(), good, "{interval} at {min}s: {wish:?}");
        if let Err(refusal) = wish {
            assert_eq!(refusal.reason, Reason::Invalid);
            assert!(
                refusal.message.starts_with("spec.interval: "),
                "{}",
                refusal.message
            );
        }
    }
}

#[test]
fn an_interval_below_the_shortest_is_raised_as_grafana_does_and_told_if_somebody_asked_for_it() {
    let of = |fields: Value, min: u64| {
        wish_in(&spec(fields), |around| {
            around.min_interval = Duration::from_secs(min);
        })
        .unwrap()
    };
    let asked = of(json!({ "interval": "1m" }), 120);
    assert_eq!(asked.rule.interval, Duration::from_secs(120));
    assert_eq!(
        asked.warnings,
        [
            "spec.interval: 1m is shorter than 2m, the shortest that this Grafana evaluates at (min_interval), so it is 2m"
        ]
    );
    let default = of(json!({}), 120);
    assert_eq!(
        (default.rule.interval, default.warnings),
        (Duration::from_secs(120), vec![])
    );
    assert_eq!(
        default_interval(Duration::from_secs(120)),
        Duration::from_secs(120)
    );
    assert_eq!(default_interval(Duration::from_secs(10)), Duration::from_secs(60));
}

#[test]
fn a_bad_duration_is_refused_by_the_name_of_its_field() {
    for field in ["for", "keepFiringFor", "interval"] {
        let refusal = refused(json!({ field: "1h5" }));
        assert_eq!(refusal.reason, Reason::Invalid);
        assert!(
            refusal.message.starts_with(&format!("spec.{field}: ")),
            "{}",
            refusal.message
        );
    }
}

#[test]
fn a_field_that_grafana_is_too_old_for_is_named_and_never_dropped() {
    for (fields, words, since) in [
        (
            json!({ "noDataState": "KeepLast" }),
            "spec.noDataState: KeepLast",
            (10, 4),
        ),
        (
            json!({ "execErrState": "KeepLast" }),
            "spec.execErrState: KeepLast",
            (10, 4),
        ),
        (json!({ "keepFiringFor": "5m" }), "spec.keepFiringFor", (12, 0)),
        (
            json!({ "missingSeriesEvalsToResolve": 3 }),
            "spec.missingSeriesEvalsToResolve",
            (12, 0),
        ),
    ] {
        let at = |major, minor| {
            wish_in(&spec(fields.clone()), |around| {
                around.version = Version::new(major, minor, 0);
            })
        };
        let refusal = at(since.0 - 1, 9).unwrap_err();
        assert_eq!(refusal.reason, Reason::Unsupported);
        assert!(refusal.message.starts_with(words), "{}", refusal.message);
        let needed = format!(
            "needs Grafana {}.{} or newer; this one is {}.9",
            since.0,
            since.1,
            since.0 - 1
        );
        assert!(refusal.message.contains(&needed), "{}", refusal.message);
        assert!(at(since.0, since.1).is_ok(), "{words}");
    }
    let plain = wish_in(&spec(json!({ "noDataState": "NoData" })), |around| {
        around.version = Version::OLDEST;
    });
    assert!(plain.is_ok());
}

#[test]
fn all_fields_that_are_too_new_are_told_at_once() {
    let fields = json!({"noDataState": "KeepLast", "keepFiringFor": "5m", "missingSeriesEvalsToResolve": 3});
    let at = |version| wish_in(&spec(fields.clone()), |around| around.version = version).unwrap_err();
    assert_eq!(
        at(Version::new(10, 0, 0)).message,
        "spec.noDataState: KeepLast needs Grafana 10.4 or newer, spec.keepFiringFor needs Grafana 12.0 or newer, spec.missingSeriesEvalsToResolve needs Grafana 12.0 or newer; this one is 10.0. Remove them or upgrade Grafana"
    );
    let many: Vec<_> = (0..10)
        .map(|n| (format!("spec.f{n}"), Version::new(12, 0, 0)))
        .collect();
    let message = too_new(&many, Version::OLDEST).unwrap();
    assert!(
        message.contains("spec.f7 needs") && !message.contains("spec.f8"),
        "{message}"
    );
    assert!(message.contains("and so on for 2 more"), "{message}");
}

#[test]
fn debug_queries_become_links_under_names_of_plain_letters() {
    let wish = wished(json!({ "debugQueries": [
        {"name": "Slow requests", "query": "{app=\"shop\"} |= \"slow\""}, {"name": "p99", "query": "y"},
    ] }));
    let keys: Vec<_> = wish.rule.annotations.keys().map(String::as_str).collect();
    assert_eq!(keys, ["debug_p99", "debug_slow_requests"]);
    let link = &wish.rule.annotations["debug_slow_requests"];
    assert_eq!(
        *link,
        links::explore(
            "https://grafana.example.com/",
            &loki(),
            "{app=\"shop\"} |= \"slow\""
        )
    );
}

#[test]
fn debug_queries_that_would_share_an_annotation_are_refused() {
    let query = |name: &str| json!({ "name": name, "query": "x" });
    let refusal = refused(json!({ "debugQueries": [query("a b"), query("A-b")] }));
    assert!(
        refusal
            .message
            .starts_with("spec.debugQueries[1].name: makes the annotation debug_a_b")
    );
    let refusal = refused(json!({ "debugQueries": [query("logs")], "annotations": {"debug_logs": "mine"} }));
    assert!(
        refusal.message.starts_with("spec.debugQueries[0].name: "),
        "{}",
        refusal.message
    );
}

#[test]
fn only_queries_need_a_data_source() {
    assert!(needs_source(&spec(json!({}))));
    let verbatim = AlertRuleSpec {
        query: None,
        ..spec(json!({}))
    };
    assert!(!needs_source(&verbatim));
    let with_links = spec(json!({ "debugQueries": [{"name": "a", "query": "b"}] }));
    assert!(needs_source(&AlertRuleSpec {
        query: None,
        ..with_links
    }));
    let without = wish_in(&spec(json!({})), |around| around.source = None).unwrap_err();
    assert_eq!(without.reason, Reason::DependencyMissing);
}

#[path = "text_tests.rs"]
mod texts;

#[test]
fn a_manifest_alone_is_refused_for_its_language_only_where_it_names_the_type() {
    let owner = Owner::parse("own").unwrap();
    let of = |fields: serde_json::Value| {
        let spec: AlertRuleSpec = serde_json::from_value(fields).unwrap();
        check(&spec, &owner, ("shop", "r"), "").map_err(|refusal| refusal.message)
    };
    let lines = r#"rate({a="b"} |= "x" [5m]) > 1"#;
    of(serde_json::json!({"query": lines})).unwrap();
    of(serde_json::json!({"query": lines, "datasource": {"name": "prometheus"}})).unwrap();
    of(serde_json::json!({"query": lines, "datasource": {"type": "loki"}})).unwrap();
    of(serde_json::json!({"query": lines, "datasource": {"type": "prometheus"}})).unwrap();
    of(serde_json::json!({"query": "up > 1"})).unwrap();
    assert_eq!(
        of(serde_json::json!({"query": "up > 1", "datasource": {"type": "loki"}})).unwrap_err(),
        "spec.query: line 1, column 1: up is PromQL, and the data source is of type loki; name the right one in spec.datasource"
    );
    let record = |type_: &str| {
        of(serde_json::json!({
            "query": "up", "record": {"metric": "m", "targetDatasource": {"type": type_}},
        }))
    };
    record("prometheus").unwrap();
    assert!(
        record("loki")
            .unwrap_err()
            .starts_with("spec.record.targetDatasource: ")
    );
    let odd = of(serde_json::json!({"query": "up", "datasource": {"type": "mysql"}})).unwrap_err();
    assert!(
        odd.starts_with("spec.query: the data source is of type mysql"),
        "{odd}"
    );
}
