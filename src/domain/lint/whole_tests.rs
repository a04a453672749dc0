#![allow(
    clippy::needless_pass_by_value,
    clippy::too_many_lines,
    reason = "each example is a value by itself, and there is one for each rule"
)]

use serde_json::{Value, json};

use super::super::finding::{Level, Part, RULES};
use super::*;
use crate::domain::version::Version;

fn options() -> Options {
    Options {
        version: None,
        versions: std::collections::BTreeMap::new(),
        asked: None,
        disabled: std::collections::BTreeSet::new(),
        now: "2026-03-01T00:00:00Z".parse().unwrap(),
        zones: None,
    }
}

fn object(kind: &str, name: &str, spec: Value) -> Value {
    json!({"apiVersion": "alerting.letsrevel.io/v1alpha1", "kind": kind, "metadata": {"name": name, "namespace": "revel"}, "spec": spec})
}

/// A rule with which nothing is wrong, with some fields.
fn rule(name: &str, more: Value) -> Value {
    let mut spec = json!({
        "query": "sum(rate(errors[5m])) > 5", "for": "5m", "severity": "warning",
        "annotations": {"summary": "s", "description": "d"},
    });
    for (key, value) in more.as_object().unwrap() {
        spec[key] = value.clone();
    }
    object("AlertRule", name, spec)
}

fn point(name: &str) -> Value {
    object(
        "ContactPoint",
        name,
        json!({"integrations": [{"email": {"addresses": ["a@example.com"]}}]}),
    )
}

fn policy(name: &str, spec: Value) -> Value {
    object("NotificationPolicy", name, spec)
}

fn all(values: Vec<Value>, options: &Options) -> Vec<Finding> {
    let objects: Vec<Object> = values.into_iter().map(|value| Object::new(value, "")).collect();
    let schemas = Schemas::default();
    let of_each = objects
        .iter()
        .enumerate()
        .flat_map(|(i, object)| each(i, object, &schemas, options));
    let mut found: Vec<Finding> = of_each.collect();
    found.extend(across(&objects, &Standing::default(), options).0);
    found
}

/// What is found in these resources, as `rule object.path`.
fn said(values: Vec<Value>) -> Vec<String> {
    let mut said: Vec<String> = all(values, &options())
        .iter()
        .map(|finding| format!("{} {}.{}", finding.rule.name, finding.object, finding.path))
        .collect();
    said.sort();
    said
}

#[test]
fn nothing_is_found_where_nothing_is_wrong() {
    let resources = vec![
        rule("a", json!({})),
        point("mail"),
        policy(
            "root",
            json!({"receiver": "mail", "routes": [{"matchers": ["severity=\"warning\""]}]}),
        ),
    ];
    assert_eq!(said(resources), Vec::<String>::new());
}

#[test]
fn every_rule_finds_what_it_is_for_at_its_field() {
    let route = |matchers: Value, more: Value| {
        let mut route = json!({"matchers": matchers, "receiver": "mail"});
        route
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        route
    };
    let routes = |routes: Value| {
        vec![
            policy("root", json!({"receiver": "mail", "routes": routes})),
            point("mail"),
        ]
    };
    let cases: Vec<(Vec<Value>, &str)> = vec![
        (
            vec![rule("a", json!({"query": "sum(rate(x[5m]) > 5"}))],
            "query 0.spec.query",
        ),
        (
            vec![rule(
                "a",
                json!({"annotations": {"summary": "{{ if $value }}", "description": "d"}}),
            )],
            "template 0.spec.annotations.summary",
        ),
        (
            vec![rule(
                "a",
                json!({"annotations": {"summary": "{{ $labels.a | human }}", "description": "d"}}),
            )],
            "unknown-word 0.spec.annotations.summary",
        ),
        (
            vec![rule("a", json!({"query": "sum(rate(x[5m]))"}))],
            "no-comparison 0.spec.query",
        ),
        (
            vec![rule("a", json!({"labels": {"value": "{{ $value }}"}}))],
            "value-in-label 0.spec.labels.value",
        ),
        (vec![rule("a", json!({"for": "5x"}))], "duration 0.spec.for"),
        (vec![rule("a", json!({"folder": "a//b"}))], "cel 0.spec.folder"),
        (vec![rule("a", json!({"folder": "/a"}))], "refused 0.spec.folder"),
        (
            vec![rule("a", json!({"severity": "critcal"}))],
            "unknown-severity 0.spec.severity",
        ),
        (vec![rule("a", json!({"severity": null}))], "no-severity 0.spec"),
        (
            vec![rule("a", json!({"severity": "high"}))],
            "no-runbook 0.spec.annotations",
        ),
        (
            vec![rule("a", json!({"annotations": {"description": "d"}}))],
            "no-summary 0.spec.annotations",
        ),
        (
            vec![rule("a", json!({"annotations": {"summary": "d"}}))],
            "no-description 0.spec.annotations",
        ),
        (
            vec![rule(
                "a",
                json!({"severity": "high", "for": "0s", "annotations": {"summary": "s", "description": "d", "runbook_url": "u"}}),
            )],
            "for-zero 0.spec.for",
        ),
        (
            vec![rule("a", json!({"query": "count_over_time({a=\"b\"}[5m]) > 0"}))],
            "single-event 0.spec.query",
        ),
        (
            vec![rule("a", json!({"interval": "15s"}))],
            "interval 0.spec.interval",
        ),
        (vec![rule("a", json!({"for": "30s"}))], "interval 0.spec.for"),
        (
            vec![rule("a", json!({"query": "sum(rate(x[30s])) > 5"}))],
            "interval 0.spec.query",
        ),
        (
            vec![rule(
                "a",
                json!({"query": "sum(rate(x{a=\"{{ .Values.app }}\"}[5m])) > 5"}),
            )],
            "helm-braces 0.spec.query",
        ),
        (
            vec![rule("a", json!({})), rule("b", json!({"title": "a"}))],
            "duplicate 1.spec.title",
        ),
        (
            vec![rule("a", json!({})), rule("a", json!({}))],
            "duplicate 1.metadata.name",
        ),
        (
            vec![
                rule("a", json!({"group": "g"})),
                rule("b", json!({"group": "g", "interval": "2m"})),
            ],
            "duplicate 1.spec.interval",
        ),
        (
            vec![
                policy("root", json!({"receiver": "mail"})),
                policy("other", json!({"receiver": "mail"})),
                point("mail"),
            ],
            "duplicate 1.metadata.name",
        ),
        (
            vec![
                policy("root", json!({"receiver": "male"})),
                point("mail"),
                object(
                    "Silence",
                    "s",
                    json!({"duration": "1h", "alertRules": {"all": true}}),
                ),
            ],
            "reference 0.spec.receiver",
        ),
        (
            routes(json!([route(json!(["a=b,c"]), json!({}))])),
            "matcher 0.spec.routes[0].matchers[0]",
        ),
        (
            routes(json!([
                route(json!(["team=\"a\""]), json!({})),
                route(json!(["team=\"a\"", "severity=\"high\""]), json!({}))
            ])),
            "unreachable-route 0.spec.routes[1]",
        ),
        (
            routes(json!([
                route(json!([]), json!({})),
                route(json!(["team=\"a\""]), json!({}))
            ])),
            "unreachable-route 0.spec.routes[1]",
        ),
        (
            routes(json!([route(
                json!(["team=\"a\""]),
                json!({"continue": true, "routes": [{"matchers": ["team=~\"b|c\""]}]})
            )])),
            "unreachable-route 0.spec.routes[0].routes[0]",
        ),
        (
            vec![object(
                "Silence",
                "s",
                json!({"duration": "60d", "alertRules": {"all": true}}),
            )],
            "broad-silence 0.spec.duration",
        ),
        (
            vec![object(
                "Silence",
                "s",
                json!({"duration": "1h", "matchers": ["a!=\"b\""]}),
            )],
            "broad-silence 0.spec.matchers",
        ),
        (
            vec![object(
                "ContactPoint",
                "c",
                json!({"integrations": [{"custom": {"type": "slack", "settings": {"url": "https://hooks.example.com"}}}]}),
            )],
            "secret-in-clear 0.spec.integrations[0].custom.settings.url",
        ),
        (
            vec![object(
                "ContactPoint",
                "c",
                json!({"integrations": [{"custom": {"type": "slak"}}]}),
            )],
            "unknown-integration 0.spec.integrations[0].custom.type",
        ),
        (
            vec![object(
                "MaintenancePolicy",
                "m",
                json!({"targets": [{"kind": "Deployment"}], "silence": {"lease": "2h", "maxDuration": "1h"}}),
            )],
            "lease 0.spec.silence.lease",
        ),
    ];
    let mut seen = std::collections::BTreeSet::new();
    for (resources, expected) in cases {
        let found = said(resources.clone());
        let found: Vec<&String> = found
            .iter()
            .filter(|said| !said.starts_with("unused-contact-point"))
            .collect();
        assert_eq!(found, [expected], "{resources:#?}");
        seen.extend(expected.split(' ').next());
    }
    let elsewhere = [
        // Of the schema, of files, and of other tests here.
        "schema",
        "cel",
        "yaml",
        "expression",
        "unsupported",
        "default-only",
        "unused-contact-point",
        "lint-disable",
    ];
    let missing: Vec<_> = RULES
        .iter()
        .map(|rule| rule.name)
        .filter(|name| !seen.contains(name) && !elsewhere.contains(name))
        .collect();
    assert_eq!(missing, Vec::<&str>::new(), "rules without an example");
}

#[test]
fn a_route_that_may_get_something_is_left_alone() {
    for routes in [
        json!([{"matchers": ["team=\"a\""], "continue": true}, {"matchers": ["team=\"a\""]}]),
        json!([{"matchers": ["team=\"a\"", "x=\"y\""]}, {"matchers": ["team=\"a\""]}]),
        json!([{"matchers": ["team=~\"a.*\""]}, {"matchers": ["team=~\"ab.*\""]}]),
        json!([{"matchers": ["team!=\"a\""], "routes": [{"matchers": ["team=~\"a|b\""]}]}]),
    ] {
        let found = said(vec![
            policy("root", json!({"receiver": "mail", "routes": routes})),
            point("mail"),
        ]);
        assert_eq!(found, Vec::<String>::new(), "{routes}");
    }
}

#[test]
fn a_place_within_a_text_is_where_the_mistake_is() {
    let query = "sum(\n  rate(x[5m]\n) > 5";
    let found = all(vec![rule("a", json!({"query": query}))], &options());
    let [finding] = found.as_slice() else {
        panic!("{found:#?}")
    };
    assert_eq!(finding.part, Part::Byte(query.find('(').unwrap()));
    let found = all(
        vec![object(
            "Silence",
            "s",
            json!({"duration": "1h", "matchers": ["ä = b c"]}),
        )],
        &options(),
    );
    let [finding] = found.as_slice() else {
        panic!("{found:#?}")
    };
    assert_eq!(finding.part, Part::Byte("ä = b ".len()), "{finding:#?}");
}

#[test]
fn a_grafana_of_a_version_lacks_what_is_newer() {
    let of = |version: &str, spec: Value| {
        let options = Options {
            version: Version::parse(version),
            ..options()
        };
        let found = all(vec![rule("a", spec)], &options);
        found
            .iter()
            .map(|finding| format!("{} {}", finding.rule.name, finding.path))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        of("11.6", json!({"keepFiringFor": "5m"})),
        ["unsupported spec.keepFiringFor"]
    );
    assert_eq!(of("12.0", json!({"keepFiringFor": "5m"})), Vec::<String>::new());
    assert_eq!(of("10.4", json!({"folder": "a/b"})), ["unsupported spec.folder"]);
    assert_eq!(of("11.0", json!({"folder": "a/b"})), Vec::<String>::new());
}

#[test]
fn equal_titles_are_refused_by_an_older_grafana_and_confuse_people_in_a_newer_one() {
    for (version, level) in [
        (None, Level::Warning),
        (Some("12.0"), Level::Warning),
        (Some("11.6"), Level::Error),
    ] {
        let options = Options {
            version: version.and_then(Version::parse),
            ..options()
        };
        let found = all(
            vec![rule("a", json!({})), rule("b", json!({"title": "a"}))],
            &options,
        );
        assert_eq!(
            found.iter().map(|finding| finding.level).collect::<Vec<_>>(),
            [level],
            "{version:?}"
        );
    }
}

#[test]
fn what_is_switched_off_is_not_told() {
    let with = |list: &str| {
        let mut rule = rule("a", json!({"severity": "high", "annotations": {"summary": "s"}}));
        rule["metadata"]["annotations"] = json!({"alerting.letsrevel.io/lint-disable": list});
        said(vec![rule])
    };
    assert_eq!(with("").len(), 2);
    assert_eq!(with("no-runbook"), ["no-description 0.spec.annotations"]);
    assert_eq!(with("no-runbook, no-description"), Vec::<String>::new());
    assert_eq!(with("all"), Vec::<String>::new());
    let off = "lint-disable 0.metadata.annotations[alerting.letsrevel.io/lint-disable]";
    assert_eq!(with("no-runbook,no-descripton,no-description"), [off]);
    let resources = || {
        vec![
            rule("a", json!({"severity": "high"})),
            rule("b", json!({"for": "5x"})),
        ]
    };
    let names = |options: &Options| {
        all(resources(), options)
            .iter()
            .map(|finding| finding.rule.name)
            .collect::<Vec<_>>()
    };
    let only = |asked: &[&'static str]| Options {
        asked: Some(asked.iter().copied().collect()),
        ..options()
    };
    assert_eq!(names(&only(&[])), ["duration"]);
    assert_eq!(names(&only(&["no-runbook"])), ["no-runbook", "duration"]);
    let without = Options {
        disabled: ["duration", "no-runbook"].into(),
        ..options()
    };
    assert_eq!(names(&without), Vec::<&str>::new());
}

#[path = "whole_across_tests.rs"]
mod across_files;

#[test]
fn what_is_wrong_with_metadata_hides_nothing_that_is_wrong_below_it() {
    let mut value = rule("a", json!({"query": "sum("}));
    value["metadata"]["labels"] = json!({"team": 5});
    let found = all(vec![value], &options());
    let names: Vec<&str> = found.iter().map(|finding| finding.rule.name).collect();
    assert!(names.contains(&"schema") && names.contains(&"query"), "{names:?}");
}

#[test]
fn an_interval_that_grafana_cannot_keep_is_an_error_and_one_that_does_not_fit_a_warning() {
    let level = |more: Value| {
        all(vec![rule("a", more)], &options())
            .first()
            .map(|finding| finding.level)
    };
    assert_eq!(level(json!({"interval": "45s"})), Some(Level::Error));
    assert_eq!(level(json!({"for": "30s"})), Some(Level::Warning));
}
