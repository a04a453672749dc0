#![expect(
    clippy::needless_pass_by_value,
    reason = "json!(..) reads better without a borrow"
)]

use serde_json::{Value, from_value, json};

use super::*;
use crate::api::prometheus_rule_import::SourceKind;

pub(super) const NEW: Version = Version::new(13, 0, 0);
pub(super) const OLD: Version = Version::new(11, 6, 0);

pub(super) fn import(spec: Value) -> PrometheusRuleImport {
    from_value(json!({
        "apiVersion": "alerting.letsrevel.io/v1alpha1", "kind": "PrometheusRuleImport",
        "metadata": {"name": "mixins", "namespace": "shop", "uid": "uid-mixins"}, "spec": spec,
    }))
    .unwrap()
}

pub(super) fn group(rules: Value) -> Value {
    json!({"groups": [{"name": "g", "rules": rules}]})
}

pub(super) fn alert(name: &str) -> Value {
    json!({"alert": name, "expr": "up == 0"})
}

pub(super) fn carried(spec: Value, objects: &[(&str, Value)], version: Version) -> Wish {
    let sources = objects.iter().map(|(name, spec)| Source {
        kind: SourceKind::PrometheusRule,
        namespace: "shop",
        name,
        spec,
    });
    of(spec, sources.collect(), version)
}

fn of(spec: Value, sources: Vec<Source<'_>>, version: Version) -> Wish {
    of_import(&import(spec), sources, version)
}

pub(super) fn of_import(import: &PrometheusRuleImport, sources: Vec<Source<'_>>, version: Version) -> Wish {
    beside(&BTreeMap::new(), import, sources, version)
}

/// The same where the import has AlertRules of these titles.
pub(super) fn beside(
    titles: &BTreeMap<String, String>,
    import: &PrometheusRuleImport,
    sources: Vec<Source<'_>>,
    version: Version,
) -> Wish {
    let owner = Owner::parse("own").unwrap();
    let grafana = Grafana {
        version,
        base_interval: Duration::from_secs(10),
        owner: &owner,
        folder_prefix: "",
        titles,
        sources: &[],
    };
    wish(import, sources, &grafana)
}

fn one(rule: Value) -> AlertRule {
    let mut wish = carried(json!({}), &[("web", group(json!([rule])))], NEW);
    assert_eq!(wish.rules.len(), 1, "{wish:?}");
    wish.rules.remove(0)
}

pub(super) fn names(wish: &Wish) -> Vec<String> {
    wish.rules.iter().map(ResourceExt::name_any).collect()
}

pub(super) fn said(remarks: &Remarks) -> Vec<String> {
    let texts = remarks.first.iter().map(|remark| {
        let rule = remark.rule.as_deref().unwrap_or("-");
        format!("{rule}: {}", remark.message)
    });
    texts.collect()
}

#[test]
fn an_alert_becomes_an_alert_rule_that_says_the_same() {
    let rules = json!([{
        "alert": "HighErrorRate", "expr": " sum(rate(errors[5m])) > 5\n", "for": "10m", "keep_firing_for": "5m",
        "labels": {"severity": "page", "team": "web", "empty": "", "alertname": "Other"},
        "annotations": {"summary": "{{ $value | humanize }} on {{ $labels.job }}"},
    }]);
    let source = json!({"groups": [{"name": "http", "interval": "30s", "labels": {"team": "all", "tier": "1"}, "rules": rules}]});
    let spec = json!({
        "instance": "prod", "deletionPolicy": "Orphan", "datasource": {"name": "Mimir"}, "folder": "Mixins",
        "labels": {"origin": "mixin", "tier": "0"}, "severityMapping": {"map": {"page": "critical"}}, "execErrState": "OK",
    });
    let wish = carried(spec, &[("web", source)], NEW);
    let rule = &wish.rules[0];
    assert_eq!(
        serde_json::to_value(&rule.spec).unwrap(),
        json!({
            "instance": "prod", "deletionPolicy": "Orphan", "datasource": {"name": "Mimir"}, "folder": "Mixins",
            "title": "HighErrorRate", "query": "sum(rate(errors[5m])) > 5", "group": "web: http", "interval": "30s",
            "for": "10m", "keepFiringFor": "5m", "severity": "critical",
            "labels": {"team": "web", "tier": "1", "origin": "mixin", "empty": ""},
            "annotations": {"summary": "{{ $value | humanize }} on {{ $labels.job }}"},
            "execErrState": "OK", "missingSeriesEvalsToResolve": 1,
        })
    );
    let owner = &rule.owner_references()[0];
    assert_eq!((owner.uid.as_str(), owner.controller), ("uid-mixins", Some(true)));
    assert_eq!(rule.labels()[crate::api::LABEL_IMPORT], "mixins");
    assert_eq!(rule.labels()[crate::api::LABEL_ALERT], "HighErrorRate");
    assert_eq!(
        rule.annotations()[crate::api::ANNOTATION_SOURCE],
        "PrometheusRule shop/web http"
    );
    assert_eq!(stored::origin(rule), Some((SourceKind::PrometheusRule, "shop")));
    assert_eq!((wish.skipped.count, wish.different.count), (0, 0), "{wish:?}");
}

#[test]
fn a_name_stays_whatever_comes_and_goes_beside_its_rule() {
    let before = carried(json!({}), &[("web", group(json!([alert("A"), alert("B")])))], NEW);
    let after = carried(
        json!({}),
        &[
            ("api", group(json!([alert("A")]))),
            ("web", group(json!([alert("Z"), alert("B"), alert("A")]))),
        ],
        NEW,
    );
    let (before, after) = (names(&before), names(&after));
    for name in &before {
        assert!(after.contains(name), "{name} isn't in {after:?}");
    }
    assert_eq!(after.len(), 4);
}

#[test]
fn alerts_of_one_name_are_told_apart_by_their_labels_and_equal_ones_by_their_order() {
    let burn = |severity: &str| json!({"alert": "Burn", "expr": "up == 0", "labels": {"severity": severity}});
    let of = |rules: Value| names(&carried(json!({}), &[("web", group(rules))], NEW));
    let two = of(json!([burn("critical"), burn("warning")]));
    let turned = of(json!([burn("warning"), burn("critical")]));
    assert_ne!(two[0], two[1]);
    assert_eq!([&two[0], &two[1]], [&turned[1], &turned[0]]);
    let three = of(json!([burn("info"), burn("warning"), burn("warning")]));
    assert_eq!(three[1], two[1]);
    assert_eq!(three.iter().collect::<BTreeSet<_>>().len(), 3, "{three:?}");
}

#[test]
fn names_can_be_names_of_kubernetes_whatever_an_alert_is_called() {
    for alert_name in [
        "KubePodCrashLooping",
        &"Long".repeat(40),
        "ü",
        "-a-",
        "Disk full: /var",
    ] {
        let rule = one(alert(alert_name));
        let name = rule.name_any();
        let is_edge = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        assert!(
            name.len() <= 63
                && name.starts_with(is_edge)
                && name.ends_with(is_edge)
                && name.chars().all(|c| is_edge(c) || c == '-'),
            "{name}"
        );
    }
    assert!(
        one(alert("KubePodCrashLooping"))
            .name_any()
            .starts_with("kube-pod-crash-looping-")
    );
}

#[test]
fn two_imports_of_one_object_have_rules_of_their_own() {
    let source = group(json!([alert("A")]));
    let first = carried(json!({}), &[("web", source.clone())], NEW);
    let mut other = import(json!({}));
    other.metadata.name = Some("others".into());
    let read = Source {
        kind: SourceKind::PrometheusRule,
        namespace: "shop",
        name: "web",
        spec: &source,
    };
    assert_ne!(names(&first), names(&of_import(&other, vec![read], NEW)));
}

#[test]
fn a_vm_rule_of_the_same_name_is_a_copy_and_keeps_the_identity_of_its_rules() {
    let spec = group(json!([alert("A")]));
    let source = |kind, name| Source {
        kind,
        namespace: "shop",
        name,
        spec: &spec,
    };
    let (prometheus, vm) = (SourceKind::PrometheusRule, SourceKind::VMRule);
    let both = of(json!({}), vec![source(vm, "web"), source(prometheus, "web")], NEW);
    assert_eq!((both.sources, both.rules.len()), (1, 1));
    assert_eq!(stored::origin(&both.rules[0]), Some((prometheus, "shop")));
    let alone = of(json!({}), vec![source(vm, "web")], NEW);
    assert_eq!(names(&both), names(&alone));
    let others = of(json!({}), vec![source(vm, "web"), source(vm, "api")], NEW);
    assert_eq!(others.rules.len(), 2);
}

#[test]
fn what_cannot_be_carried_over_is_named_and_hurts_itself_alone() {
    let rules = json!([
        alert("Good"),
        {"record": "job:up:sum", "expr": "sum(up)"},
        {"alert": "Broken", "expr": "sum(up"},
        {"alert": "NoExpr"},
        {"alert": "Text", "expr": "up == 0", "annotations": {"summary": "{{ $value"}},
        {"alert": "Long", "expr": "up == 0", "for": "1.5h"},
        {"alert": "Utf8", "expr": "up == 0", "labels": {"my.label": "x"}},
        {"alert": "Hidden", "expr": "up == 0", "labels": {"__a__": "x"}},
        {"expr": "up == 0"},
        "nonsense",
        {"alert": "Number", "expr": 1},
    ]);
    let wish = carried(json!({}), &[("web", group(rules))], NEW);
    let titles: Vec<_> = wish
        .rules
        .iter()
        .filter_map(|rule| rule.spec.title.as_deref())
        .collect();
    assert_eq!(titles, ["Good", "Number"]);
    let said = said(&wish.skipped);
    assert_eq!((wish.skipped.count, said.len()), (9, 9), "{said:#?}");
    for (rule, words) in [
        ("job:up:sum", "records a series"),
        ("Broken", "expr"),
        ("NoExpr", "expr"),
        ("Text", "annotations[summary]"),
        ("Long", "for: \"1.5h\" is not a duration"),
        ("Utf8", "labels.my.label"),
        ("Hidden", "labels.__a__"),
        ("", "either alert or record"),
    ] {
        assert!(
            said.iter()
                .any(|text| text.starts_with(&format!("{rule}: ")) && text.contains(words)),
            "{rule} {words}: {said:#?}"
        );
    }
    assert_eq!(wish.skipped.first[0].source, "PrometheusRule shop/web");
}

#[test]
fn a_group_of_another_language_is_skipped_and_the_next_one_is_not() {
    let source = json!({"groups": [
        {"name": "logs", "type": "vlogs", "rules": [alert("A"), alert("B")]},
        {"name": "bad", "interval": "soon", "rules": [alert("C")]},
        "nonsense",
        {"name": "good", "type": "prometheus", "rules": [alert("D")]},
    ]});
    let wish = carried(json!({}), &[("web", source)], NEW);
    assert_eq!(wish.rules.len(), 1);
    let said = said(&wish.skipped);
    assert_eq!(said.len(), 4, "{said:#?}");
    assert!(
        said[0].ends_with("expected a group")
            && said[1].contains("\"vlogs\"")
            && said[3].contains("interval"),
        "{said:#?}"
    );
}

#[test]
fn what_grafana_does_otherwise_is_named() {
    let rules = json!([
        {"alert": "A", "expr": "up == 0", "keep_firing_for": "5m"},
        {"alert": "B", "expr": "up == 0", "annotations": {"s": "{{ range query \"up\" }}{{ . }}{{ end }} {{ $externalLabels.cluster }}"}},
        {"alert": "C", "expr": "up == 0", "debug": true, "update_entries_limit": 3, "keep_firing_for": ""},
    ]);
    let source = json!({"groups": [{
        "name": "g", "interval": "15s", "limit": 5, "query_offset": "1m", "partial_response_strategy": "warn", "tenant": "7",
        "eval_offset": "0s", "params": {}, "concurrency": 4, "something": "new", "rules": rules,
    }]});
    let wish = carried(json!({}), &[("web", source.clone())], OLD);
    assert_eq!((wish.rules.len(), wish.skipped.count), (3, 0), "{wish:?}");
    let said = said(&wish.different);
    for words in [
        "-: interval: 15s is 20s",
        "-: limit: 5 is not carried over",
        "-: query_offset: 1m is not carried over",
        "-: partial_response_strategy: warn is not",
        "-: tenant: 7 is not",
        "-: something: new is not",
        "A: keep_firing_for: 5m is not carried over: it needs Grafana 12.0",
        "B: annotations.s: query asks the data source again",
        "B: annotations.s: Grafana has no variable $externalLabels",
    ] {
        assert!(
            said.iter().any(|text| text.starts_with(words)),
            "{words}: {said:#?}"
        );
    }
    assert_eq!(said.len(), 9, "{said:#?}");
    assert_eq!(wish.rules[0].spec.interval.as_ref().unwrap().as_str(), "20s");
    assert_eq!(wish.rules[0].spec.keep_firing_for, None);
    assert_eq!(wish.rules[0].spec.missing_series_evals_to_resolve, None);
    let new = carried(json!({}), &[("web", source)], NEW);
    assert_eq!(new.rules[0].spec.keep_firing_for.as_ref().unwrap().as_str(), "5m");
}

#[test]
fn a_refusal_speaks_of_the_fields_that_are_in_the_source() {
    let rules = json!([
        {"alert": "A", "expr": "sum("}, {"alert": "B", "expr": "up == 0", "annotations": {"s": "{{ $value"}},
    ]);
    let wish = carried(json!({}), &[("web", group(rules))], NEW);
    let said = said(&wish.skipped);
    assert!(said[0].starts_with("A: expr: line 1"), "{said:?}");
    assert!(said[1].starts_with("B: annotations[s]: "), "{said:?}");
}

#[test]
fn severity_is_read_from_a_label_of_ones_own_choice() {
    let of = |severity: Value, labels: Value| {
        let rule = json!({"alert": "A", "expr": "up == 0", "labels": labels});
        let wish = carried(
            json!({"severityMapping": severity}),
            &[("web", group(json!([rule])))],
            NEW,
        );
        let spec = wish.rules[0].spec.clone();
        (
            spec.severity.unwrap_or_default(),
            spec.labels.into_iter().collect::<Vec<_>>(),
        )
    };
    let label = |key: &str, value: &str| vec![(key.to_owned(), value.to_owned())];
    let prio = json!({"label": "priority", "map": {"P1": "critical"}, "default": "info"});
    assert_eq!(
        of(prio.clone(), json!({"priority": "P1", "severity": "page"})),
        ("critical".into(), label("priority", "P1"))
    );
    assert_eq!(
        of(prio.clone(), json!({"priority": "P9"})),
        ("P9".into(), label("priority", "P9"))
    );
    assert_eq!(of(prio, json!({})), ("info".into(), vec![]));
    assert_eq!(
        of(json!({}), json!({"severity": "warning"})),
        ("warning".into(), vec![])
    );
    let long = "{{ if gt $value 10.0 }}critical{{ else }}warning and some more words{{ end }}";
    assert_eq!(
        of(json!({}), json!({"severity": long})),
        (String::new(), label("severity", long))
    );
}

#[test]
fn alerts_that_are_excluded_are_not_there_and_are_not_skipped_either() {
    let source = group(json!([alert("Watchdog"), alert("A")]));
    let wish = carried(json!({"excludeAlerts": ["Watchdog"]}), &[("web", source)], NEW);
    assert_eq!((wish.rules.len(), wish.skipped.count), (1, 0));
}

#[test]
fn groups_are_named_by_their_object_too_and_fit_into_grafanas_paths() {
    let named = |spec: Value, object: &str, group: &str| {
        let source = json!({"groups": [{"name": group, "rules": [alert("A")]}]});
        let wish = carried(spec, &[(object, source)], NEW);
        wish.rules[0].spec.group.clone().unwrap()
    };
    assert_eq!(named(json!({}), "web", "http"), "web: http");
    assert_eq!(
        named(json!({"namespaces": {"all": true}}), "web", "http"),
        "shop web: http"
    );
    let slash = named(json!({}), "web", "a/b");
    assert!(
        slash.starts_with("web: a-b ") && slash != named(json!({}), "web", "a\\b"),
        "{slash}"
    );
    let long = named(json!({}), "web", &"ü".repeat(300));
    assert!(long.chars().count() <= 190, "{long}");
}

#[test]
fn more_rules_than_one_import_may_have_leave_the_first_ones_as_they_are() {
    let rules: Vec<Value> = (0..MOST_RULES + 3).map(|i| alert(&format!("A{i}"))).collect();
    let wish = carried(json!({}), &[("web", group(json!(rules.clone())))], NEW);
    assert_eq!((wish.rules.len(), wish.beyond), (MOST_RULES, 3));
    let more = [
        ("web", group(json!(rules))),
        ("x", group(json!([alert("A"), alert("B")]))),
    ];
    let both = carried(json!({}), &more, NEW);
    assert_eq!((names(&both), both.beyond), (names(&wish), 5));
}

#[test]
fn a_status_has_room_for_so_much_and_the_number_of_all() {
    let rules: Vec<Value> = (0..1000)
        .map(|i| json!({"record": format!("{}{i}", "long".repeat(200)), "expr": "up"}))
        .collect();
    let wish = carried(json!({}), &[("web", group(json!(rules)))], NEW);
    assert_eq!(
        (wish.skipped.count, wish.skipped.first.len()),
        (1000, remark::MOST)
    );
    let written = serde_json::to_string(&wish.skipped.first).unwrap();
    assert!(written.len() < 32_768, "{}", written.len());
}

#[test]
fn what_others_set_beside_it_is_left_to_them_and_what_they_change_is_not() {
    let asked = one(json!({"alert": "A", "expr": "up == 0", "labels": {"team": "web"}, "for": "5m"}));
    let changed = |change: fn(&mut AlertRule)| {
        let mut stored = asked.clone();
        change(&mut stored);
        stored::is_as_asked(&stored, &asked)
    };
    assert!(changed(|_| {}));
    assert!(changed(|rule| rule.spec.paused = Some(true)));
    assert!(changed(|rule| {
        rule.spec.labels.insert("more".into(), "x".into());
    }));
    assert!(changed(|rule| {
        rule.metadata
            .annotations
            .get_or_insert_default()
            .insert("a".into(), "b".into());
    }));
    assert!(!changed(|rule| rule.spec.for_ = None));
    assert!(!changed(|rule| rule.spec.query = Some("up == 1".into())));
    assert!(!changed(|rule| {
        rule.spec.labels.insert("team".into(), "other".into());
    }));
    assert!(!changed(|rule| rule.metadata.labels = None));
    assert!(!changed(|rule| rule.metadata.owner_references = None));
    // What was asked for before and isn't any more shows in no field of the wish.
    let without = one(json!({"alert": "A", "expr": "up == 0", "labels": {"team": "web"}}));
    assert!(!stored::is_as_asked(&asked, &without));
}
