//! Rules: each is the same again, by a query where it is one.

use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::api::AlertRuleSpec;
use crate::domain::export::resource::Spec;
use crate::domain::rule::{self, Surroundings};
use crate::grafana::model::{NotificationSettings, Query, RelativeTimeRange};

pub(super) fn held(rules: Vec<AlertRule>) -> Holdings {
    let folder = |uid: &str, title: &str, parent: Option<&str>| Folder {
        uid: uid.to_owned(),
        title: title.to_owned(),
        parent_uid: parent.map(str::to_owned),
    };
    let source = |uid: &str, type_: &str| DataSource {
        uid: uid.to_owned(),
        name: uid.to_owned(),
        r#type: type_.to_owned(),
        is_default: false,
    };
    Holdings {
        rules,
        folders: vec![
            folder("f", "Shop", None),
            folder("g", "KeyDB / Redis", Some("f")),
            folder("h", "Shop", None),
        ]
        .into_iter()
        .filter(|folder| folder.uid != "h")
        .collect(),
        sources: vec![
            source("loki", "loki"),
            source("prom", "prometheus"),
            source("sql", "mysql"),
        ],
        version: Version::parse("13.3.0"),
        ..Holdings::default()
    }
}

fn node(ref_id: &str, source: &str, model: Value) -> Query {
    let from = if source == "__expr__" { 0 } else { 600 };
    Query {
        ref_id: ref_id.to_owned(),
        query_type: String::new(),
        relative_time_range: RelativeTimeRange { from, to: 0 },
        datasource_uid: source.to_owned(),
        model,
    }
}

/// As Grafana's pages make one.
pub(super) fn by_hand() -> AlertRule {
    AlertRule {
        uid: "fdy2k7q9x1c0gb".to_owned(),
        folder_uid: "f".to_owned(),
        group: Some("checkout".to_owned()),
        interval: Duration::from_secs(60),
        title: "Checkout errors".to_owned(),
        condition: "C".to_owned(),
        data: vec![
            node(
                "A",
                "prom",
                json!({"refId": "A", "expr": "sum(rate(errors[5m]))", "instant": true, "range": false, "editorMode": "code",
                       "intervalMs": 1000, "maxDataPoints": 43200, "legendFormat": "__auto"}),
            ),
            node(
                "B",
                "__expr__",
                json!({"refId": "B", "type": "reduce", "reducer": "last", "expression": "A", "settings": {"mode": "dropNN"},
                       "conditions": [], "datasource": {"type": "__expr__", "uid": "__expr__"}}),
            ),
            node(
                "C",
                "__expr__",
                json!({"refId": "C", "type": "threshold", "expression": "B", "intervalMs": 1000,
                       "conditions": [{"evaluator": {"type": "gt", "params": [5, 0]}, "type": "query"}]}),
            ),
        ],
        no_data_state: "NoData".to_owned(),
        exec_err_state: "Error".to_owned(),
        r#for: "5m".to_owned(),
        labels: [("severity", "high"), ("team", "web")]
            .map(|(k, v)| (k.to_owned(), v.to_owned()))
            .into(),
        annotations: [
            ("summary", "{{ $values.B }} errors"),
            ("__dashboardUid__", "d"),
            ("__panelId__", "7"),
        ]
        .map(|(k, v)| (k.to_owned(), v.to_owned()))
        .into(),
        ..AlertRule::default()
    }
}

pub(super) fn only(export: &Export) -> (&Resource, Value) {
    let [resource] = export.resources.as_slice() else {
        panic!("{export:#?}")
    };
    (resource, serde_json::to_value(&resource.spec).unwrap())
}

#[test]
fn a_rule_of_grafanas_pages_is_a_query_again_and_keeps_all_else() {
    let export = exported(&held(vec![by_hand()]), &asked());
    let (resource, spec) = only(&export);
    assert_eq!(
        (resource.form.as_str(), resource.name.as_str()),
        ("query", "checkout-errors")
    );
    assert_eq!(resource.changes, ["query"]);
    let expected = json!({
        "uid": "fdy2k7q9x1c0gb", "title": "Checkout errors", "folder": "Shop", "group": "checkout", "query": "sum(rate(errors[5m])) > 5",
        "datasource": {"uid": "prom"}, "for": "5m", "severity": "high", "labels": {"team": "web"}, "noDataState": "NoData",
        "annotations": {"summary": "{{ $values.B }} errors"}, "panelRef": {"dashboardUID": "d", "panelID": 7},
    });
    assert_eq!(spec, expected);
    let manifest = serde_json::to_value(resource.manifest()).unwrap();
    let metadata = json!({"name": "checkout-errors", "namespace": "shop", "annotations": {"alerting.letsrevel.io/adopt": "true"}});
    assert_eq!(manifest["metadata"], metadata);
    assert!(export.is_whole());
}

type Change = fn(&mut AlertRule);

#[test]
fn what_is_another_rule_as_a_query_stays_as_it_is() {
    let cases: [(&str, Change); 15] = [
        ("isn't reduced to one value", |rule| {
            rule.data[2].model["expression"] = json!("A");
            rule.data.remove(1);
        }),
        ("asks for a range", |rule| {
            rule.data[0].model["instant"] = json!(false);
        }),
        ("asks for a range", |rule| {
            rule.data[0].model["range"] = json!(true);
        }),
        ("asks for a range", |rule| {
            rule.data[0].relative_time_range.to = 60;
        }),
        ("several queries", |rule| {
            let other = node(
                "D",
                "loki",
                json!({"refId": "D", "expr": "x", "queryType": "instant"}),
            );
            rule.data.push(other);
        }),
        ("classic conditions", |rule| {
            rule.data[2].model["type"] = json!("classic_conditions");
        }),
        ("recovery threshold", |rule| {
            rule.data[2].model["conditions"][0]["unloadEvaluator"] = json!({"type": "lt", "params": [3]});
        }),
        ("comparison with one number", |rule| {
            rule.data[2].model["conditions"][0]["evaluator"]["type"] = json!("within_range");
        }),
        ("what the query returns", |rule| {
            rule.data[1].model["reducer"] = json!("count");
        }),
        ("no numbers", |rule| {
            rule.data[1].model["settings"]["mode"] = json!("replaceNN");
        }),
        ("variables", |rule| {
            rule.data[0].model["expr"] = json!("rate(x[$__rate_interval])");
        }),
        ("$value", |rule| {
            rule.annotations
                .insert("summary".to_owned(), "{{ $value }}".to_owned());
        }),
        ("name its nodes", |rule| {
            rule.data[1].ref_id = "R".to_owned();
            rule.data[1].model["refId"] = json!("R");
            rule.data[2].model["expression"] = json!("R");
            rule.annotations
                .insert("summary".to_owned(), "{{ $values.R }}".to_owned());
        }),
        ("neither Loki nor Prometheus", |rule| {
            rule.data[0].datasource_uid = "sql".to_owned();
        }),
        ("isn't known", |rule| {
            rule.data[0].datasource_uid = "nowhere".to_owned();
        }),
    ];
    for (why, change) in cases {
        let mut rule = by_hand();
        change(&mut rule);
        let export = exported(&held(vec![rule]), &asked());
        let (resource, spec) = only(&export);
        assert!(resource.form.contains(why), "{why}: {}", resource.form);
        assert!(
            resource.form.starts_with("data: ") && resource.changes.is_empty(),
            "{resource:#?}"
        );
        assert_eq!(spec["condition"], "C");
        assert_eq!(spec.get("query"), None);
    }
}

#[test]
fn a_comparison_is_put_behind_a_query_so_that_it_is_one_of_all_of_it() {
    for (expr, threshold, expected) in [
        ("a", json!({"type": "lt", "params": [0.5]}), "a < 0.5"),
        ("a", json!({"type": "gt", "params": [0]}), "a > 0"),
        ("a or b", json!({"type": "gte", "params": [1]}), "(a or b) >= 1"),
        ("a > 3", json!({"type": "gt", "params": [5]}), "(a > 3) > 5"),
    ] {
        let mut rule = by_hand();
        rule.data[0].model["expr"] = json!(expr);
        rule.data[2].model["conditions"][0]["evaluator"] = threshold;
        let export = exported(&held(vec![rule]), &asked());
        assert_eq!(only(&export).1["query"], expected);
    }
    let mut math = by_hand();
    math.data[2].model = json!({"refId": "C", "type": "math", "expression": "$B >= 10"});
    let export = exported(&held(vec![math]), &asked());
    assert_eq!(only(&export).1["query"], "sum(rate(errors[5m])) >= 10");
}

/// What Grafana holds of an AlertRule.
pub(super) fn stored(spec: &AlertRuleSpec, name: &str) -> AlertRule {
    let owners = owners();
    let held = held(Vec::new());
    let labels = BTreeMap::new();
    let uid = owners.now().rule_uid("shop", name);
    let around = Surroundings {
        owner: owners.now(),
        uid: &uid,
        namespace: "shop",
        name,
        labels: &labels,
        source: held.sources.iter().find(|source| source.uid == "loki"),
        target: None,
        notification: None,
        external_url: "",
        version: held.version.unwrap(),
        toggles: Toggles::default(),
        min_interval: Duration::ZERO,
    };
    AlertRule {
        folder_uid: "g".to_owned(),
        ..rule::wish(spec, &around).unwrap().rule
    }
}

#[test]
fn a_rule_of_ours_is_the_resource_again_that_it_is_of() {
    for (query, text) in [
        (
            r#"sum(count_over_time({app="shop"} |= "x" [10m])) > 5"#,
            "{{ $value }} failures",
        ),
        (
            r#"sum(rate({app="a"} [5m])) != 0"#,
            r#"{{ printf "%.1f" $value }} of {{ $labels.team }}"#,
        ),
        (r#"absent_over_time({app="a"} [5m])"#, "{{ $value }}"),
        (r#"rate({app="a"} [5m]) or rate({app="b"} [5m])"#, "nothing"),
    ] {
        let spec = json!({
            "title": "Payment failures", "query": query, "datasource": {"uid": "loki"}, "for": "5m", "severity": "high",
            "annotations": {"summary": text}, "labels": {"team": "web"}, "folder": r"Shop/KeyDB \/ Redis", "group": "g",
        });
        let rule = stored(
            &serde_json::from_value(spec.clone()).unwrap(),
            "payment-failures.v2",
        );
        assert!(exported(&held(vec![rule.clone()]), &asked()).resources.is_empty());
        let ours = Asked {
            includes_ours: true,
            ..asked()
        };
        let export = exported(&held(vec![rule.clone()]), &ours);
        let (resource, found) = only(&export);
        assert_eq!(found, spec);
        assert_eq!(
            (resource.changes.as_slice(), resource.name.as_str()),
            (&[][..], "payment-failures.v2")
        );
        assert_eq!(export.marked, 1);
        let elsewhere = Asked {
            includes_ours: true,
            namespace: Some("web".to_owned()),
            ..asked()
        };
        let marked = exported(&held(vec![rule]), &elsewhere).marked;
        assert_eq!(marked, 0, "in another namespace it gets another mark");
    }
}

#[test]
fn what_no_resource_can_say_of_a_rule_is_told() {
    let mut reserved = by_hand();
    reserved.labels.insert("__secret".to_owned(), "x".to_owned());
    let mut refused = by_hand();
    refused.uid = "other".to_owned();
    refused.group = Some("a/b".to_owned());
    let export = exported(&held(vec![reserved, refused]), &asked());
    let (resource, _) = only(&export);
    assert_eq!(
        resource.lost,
        ["label __secret: names that begin with __ are reserved"]
    );
    assert_eq!(resource.changes, ["query", "labels"]);
    let [left] = export.left.as_slice() else { panic!() };
    assert!(left.why.starts_with("spec.group: "), "{left:?}");
    assert!(!export.is_whole());
}

#[test]
fn rules_are_chosen_by_folder_group_and_title_and_refer_to_what_is_exported_with_them() {
    let mut other = by_hand();
    (other.uid, other.title, other.folder_uid) = ("other".to_owned(), "Other".to_owned(), "g".to_owned());
    other.notification_settings = Some(NotificationSettings {
        receiver: "On call".to_owned(),
        group_by: ["grafana_folder", "alertname", "team"].map(str::to_owned).into(),
        mute_time_intervals: vec!["nights".to_owned()],
        ..NotificationSettings::default()
    });
    let by = |change: fn(&mut Asked)| {
        let mut asked = asked();
        change(&mut asked);
        let export = exported(&held(vec![by_hand(), other.clone()]), &asked);
        let names = export.resources.iter().map(|resource| resource.name.clone());
        names.collect::<Vec<_>>()
    };
    assert_eq!(by(|_| {}), ["checkout-errors", "other"]);
    assert_eq!(
        by(|asked| asked.folders = vec!["KeyDB / Redis".to_owned()]),
        ["other"]
    );
    assert_eq!(
        by(|asked| asked.folders = vec!["Shop".to_owned()]),
        ["checkout-errors"]
    );
    assert_eq!(by(|asked| asked.rules = vec!["other".to_owned()]), ["other"]);
    assert_eq!(by(|asked| asked.groups = vec!["none".to_owned()]), [""; 0]);
    let export = exported(&held(vec![other.clone()]), &asked());
    let settings = &only(&export).1["notificationSettings"];
    let expected = json!({
        "receiverRef": {"grafanaName": "On call"}, "groupBy": ["team"], "muteTimeIntervalRefs": [{"grafanaName": "nights"}],
    });
    assert_eq!(*settings, expected);
    assert_eq!(only(&export).0.changes, ["query"]);
}

/// Any rule that Grafana may hold, as far as it matters here.
fn any_rule() -> impl Strategy<Value = AlertRule> {
    let text = |texts: &[&'static str]| prop::sample::select(texts.to_vec()).prop_map(str::to_owned);
    let length = || text(&["0s", "5m", "1h30m", "90s", "1d"]);
    let texts = prop::collection::btree_map(
        text(&["summary", "description", "severity", "team", "x_1"]),
        text(&[
            "",
            "{{ $value }}",
            "{{ $values.B }}",
            "on",
            "1:30",
            "a: b\n c",
            "{{ .Value | printf \"%.2f\" }}",
            " x ",
        ]),
        0..4,
    );
    let model = prop::sample::select(vec![
        json!({"refId": "A", "expr": "up == 0", "instant": true}),
        json!({"refId": "A", "expr": "rate(x[5m])", "instant": true, "intervalMs": 15000}),
        json!({"refId": "A", "expr": "a or b", "queryType": "instant"}),
        json!({"refId": "A", "rawSql": "select 1", "format": "table"}),
    ]);
    (
        (
            text(&["loki", "prom", "sql", "gone"]),
            model,
            prop::sample::select(vec!["C", "B"]),
        ),
        (
            length(),
            prop::option::of(length()),
            prop::option::of(1..5_i64),
            1..20_u64,
        ),
        (texts.clone(), texts, any::<bool>()),
        (
            text(&["NoData", "OK", "Alerting", "KeepLast"]),
            text(&["Error", "OK", "Alerting", "KeepLast"]),
        ),
        prop::sample::select(vec!["gt", "lt", "gte", "eq", "outside_range"]),
    )
        .prop_map(
            |(
                (source, model, condition),
                (r#for, keep, missing, every),
                (labels, annotations, is_paused),
                states,
                op,
            )| {
                let mut rule = AlertRule {
                    r#for,
                    keep_firing_for: keep,
                    missing_series_evals_to_resolve: missing,
                    interval: Duration::from_secs(every * 10),
                    labels,
                    annotations,
                    is_paused,
                    no_data_state: states.0,
                    exec_err_state: states.1,
                    condition: condition.to_owned(),
                    ..by_hand()
                };
                rule.data[0] = node("A", &source, model);
                rule.data[2].model["conditions"][0]["evaluator"]["type"] = json!(op);
                rule
            },
        )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4))]

    #[test]
    fn any_rule_is_the_same_again(rules in prop::collection::vec(any_rule(), 32)) {
        let export = exported(&held(rules), &asked());
        prop_assert!(export.is_whole(), "{:#?}", export.left);
        prop_assert_eq!(export.resources.len(), 32);
        for resource in &export.resources {
            let expected: &[&str] = if resource.form == "query" { &["query"] } else { &[] };
            prop_assert_eq!(&resource.changes, expected, "{:#?}", resource);
            prop_assert!(matches!(resource.spec, Spec::AlertRule(_)));
        }
    }
}
