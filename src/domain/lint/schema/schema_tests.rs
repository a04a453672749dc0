use serde_json::{Value, json};

use super::*;
use crate::api::schema::kept;

fn rule(spec: &Value) -> Vec<(String, &'static str, String)> {
    found("AlertRule", spec)
}

/// What is found in a resource: the field, the rule, the message.
fn found(kind: &str, spec: &Value) -> Vec<(String, &'static str, String)> {
    whole(json!({"apiVersion": API_VERSION, "kind": kind, "metadata": {"name": "x"}, "spec": spec}))
}

fn whole(value: Value) -> Vec<(String, &'static str, String)> {
    thread_local!(static SCHEMAS: Schemas = Schemas::default());
    let object = Object::new(value, "");
    let found = SCHEMAS.with(|schemas| schemas.check(0, &object));
    found
        .into_iter()
        .map(|finding| (finding.path.to_string(), finding.rule.name, finding.message))
        .collect()
}

fn one(found: Vec<(String, &'static str, String)>) -> (String, &'static str, String) {
    assert_eq!(found.len(), 1, "{found:#?}");
    found.into_iter().next().unwrap()
}

#[test]
fn what_an_api_server_takes_is_taken() {
    for (kind, spec) in [
        (
            "AlertRule",
            json!({"query": "up == 0", "for": "5m", "labels": null, "severity": "high"}),
        ),
        (
            "AlertRule",
            json!({"query": "up == 0", "title": null, "noDataState": "NoData", "execErrState": null}),
        ),
        (
            "NotificationPolicy",
            json!({"receiver": "a", "routes": [{"matchers": ["a=\"b\""], "routes": [{"routes": [{"groupWait": "0s"}]}]}]}),
        ),
        (
            "Silence",
            json!({"matchers": ["a=b"], "startsAt": "2026-01-01T00:00:00Z", "endsAt": "2026-01-02T00:00:00+02:00"}),
        ),
        (
            "TimeInterval",
            json!({"timeIntervals": [{"times": [{"startTime": "09:00", "endTime": "24:00"}], "daysOfMonth": ["-3:-1"], "location": "Europe/Berlin"}]}),
        ),
        (
            "ContactPoint",
            json!({"integrations": [{"email": {"addresses": ["a@example.com"]}}]}),
        ),
    ] {
        assert_eq!(found(kind, &spec), vec![], "{kind}: {spec}");
    }
}

#[test]
fn a_text_that_may_be_a_secret_is_not_shown_where_it_stands_wrong() {
    let spec = json!({"integrations": [{"webhook": {"url": "https://example.com/hunter2"}}]});
    let expected = "a text by itself is not taken here; write it as {value: …}, or as {secretKeyRef: {name: …, key: …}} to take it from a Secret";
    assert_eq!(
        found("ContactPoint", &spec),
        [(
            "spec.integrations[0].webhook.url".to_owned(),
            "schema",
            expected.to_owned()
        )]
    );
}

#[test]
fn what_the_schema_does_not_allow_is_told_at_its_field_with_a_cure() {
    for (spec, field, message) in [
        (
            json!({"query": "a", "sevrity": "x"}),
            "spec.sevrity",
            "unknown field sevrity; did you mean severity?",
        ),
        (
            json!({"query": "a", "for": 5}),
            "spec.for",
            "a length of time is expected here, and this is the number 5; write 5s or 5m",
        ),
        (
            json!({"query": "a", "paused": "yes"}),
            "spec.paused",
            "true or false is expected here, and this is \"yes\"; take it out of the quotes",
        ),
        (
            json!({"query": "a", "noDataState": "Nodata"}),
            "spec.noDataState",
            "\"Nodata\" is none of NoData, Alerting, OK, KeepLast; did you mean NoData?",
        ),
        (json!({"query": ""}), "spec.query", "must not be empty"),
        (
            json!({"query": "a", "title": "x".repeat(191)}),
            "spec.title",
            "has 191 characters, and must have at most 190",
        ),
        (
            json!({"query": "a", "missingSeriesEvalsToResolve": 0}),
            "spec.missingSeriesEvalsToResolve",
            "must be at least 1",
        ),
        (
            json!({"query": "a", "labels": {"a": 1}}),
            "spec.labels.a",
            "a text is expected here, and this is the number 1; put it in quotes",
        ),
        (
            json!({"data": [{"refId": "A", "model": {}, "datasourceUid": "x"}, {"refId": "A", "model": {}, "datasourceUid": "x"}], "condition": "A"}),
            "spec.data[1]",
            "refId \"A\" is given twice",
        ),
        (
            json!({"query": "a", "panelRef": {"panelID": 1}}),
            "spec.panelRef",
            "dashboardUID is missing",
        ),
    ] {
        let (path, rule, said) = one(rule(&spec));
        assert_eq!(
            (path.as_str(), rule, said.as_str()),
            (field, "schema", message),
            "{spec}"
        );
    }
    let (path, _, message) = one(found(
        "Silence",
        &json!({"matchers": ["a=b"], "endsAt": "tomorrow"}),
    ));
    assert_eq!(path, "spec.endsAt");
    assert!(message.contains("is no time"), "{message}");
    // What people write for "for ever" is read as the operator reads it.
    for end in ["9999-12-31T23:59:59Z", "9999-12-30T23:59:59+01:00"] {
        let silence = json!({"matchers": ["a=b"], "endsAt": end});
        assert_eq!(found("Silence", &silence).len(), 0, "{end}");
    }
}

#[test]
fn a_name_that_would_lead_elsewhere_in_the_path_of_a_request_is_told() {
    for name in [".", ".."] {
        for (kind, spec, field) in [
            ("AlertRule", json!({"query": "a", "group": name}), "spec.group"),
            (
                "TimeInterval",
                json!({"name": name, "timeIntervals": [{"weekdays": ["sunday"]}]}),
                "spec.name",
            ),
            (
                "NotificationTemplate",
                json!({"name": name, "template": "x"}),
                "spec.name",
            ),
        ] {
            let (path, rule, message) = one(found(kind, &spec));
            assert_eq!((path.as_str(), rule), (field, "cel"), "{spec}");
            assert!(message.contains("can't be . or .."), "{message}");
        }
    }
}

#[test]
fn what_a_rule_of_the_schema_refuses_is_told_in_its_words() {
    for (kind, spec, field, name, start) in [
        ("AlertRule", json!({}), "spec", "cel", "give exactly one of query"),
        (
            "AlertRule",
            json!({"query": "a", "severity": "x", "labels": {"severity": "y"}}),
            "spec.labels",
            "cel",
            "severity is given twice",
        ),
        (
            "AlertRule",
            json!({"query": "a", "labels": {"a-b": "y"}}),
            "spec.labels",
            "cel",
            "a label name consists of",
        ),
        (
            "AlertRule",
            json!({"query": "a", "expr": "b"}),
            "spec.expr",
            "cel",
            "expr is Prometheus' name",
        ),
        (
            "AlertRule",
            json!({"query": "a", "for": "5 m"}),
            "spec.for",
            "duration",
            "\"5 m\" is not a duration",
        ),
        (
            "Silence",
            json!({"duration": "1h", "matchers": ["a=b"], "ttlAfterExpiry": "999999999999w"}),
            "spec.ttlAfterExpiry",
            "duration",
            "\"999999999999w\" is too long",
        ),
        (
            "Silence",
            json!({"matchers": ["a=b"], "startsAt": "2026-01-02T00:00:00Z", "endsAt": "2026-01-02T00:00:00Z"}),
            "spec.endsAt",
            "cel",
            "endsAt must be after startsAt",
        ),
        (
            "TimeInterval",
            json!({"timeIntervals": [{"weekdays": ["friday:monday"]}]}),
            "spec.timeIntervals[0].weekdays[0]",
            "cel",
            "the first day must not be after",
        ),
        (
            "NotificationPolicy",
            json!({"receiver": "a", "receiverRef": {"name": "b"}}),
            "spec",
            "cel",
            "give exactly one of receiver and receiverRef",
        ),
    ] {
        let (path, rule, said) = one(found(kind, &spec));
        assert_eq!((path.as_str(), rule), (field, name), "{spec}: {said}");
        assert!(said.starts_with(start), "{spec}: {said}");
    }
}

#[test]
fn what_is_around_the_specification_is_looked_at_too() {
    let metadata = |metadata: Value| {
        let (path, _, said) = one(whole(
            json!({"apiVersion": API_VERSION, "kind": "AlertRule", "metadata": metadata, "spec": {"query": "a"}}),
        ));
        format!("{path}: {said}")
    };
    assert!(
        metadata(json!({"name": "High_Errors"})).starts_with("metadata.name: \"High_Errors\" is no name")
    );
    assert_eq!(
        metadata(json!({"name": "a", "annotations": {"alerting.letsrevel.io/adopt": true}})),
        "metadata.annotations[alerting.letsrevel.io/adopt]: the values of annotations are texts, and this is true; put it in quotes"
    );
    assert_eq!(metadata(json!({})), "metadata: a name is missing");
    let (_, _, said) = one(whole(
        json!({"apiVersion": API_VERSION, "kind": "AlterRule", "metadata": {"name": "a"}, "spec": {}}),
    ));
    assert_eq!(said, "there is no kind AlterRule; did you mean AlertRule?");
    let (_, _, said) = one(whole(
        json!({"apiVersion": "alerting.letsrevel.io/v1", "kind": "AlertRule", "metadata": {"name": "a"}}),
    ));
    assert!(said.contains("write alerting.letsrevel.io/v1alpha1"), "{said}");
    let (path, _, said) = one(whole(
        json!({"apiVersion": API_VERSION, "kind": "AlertRule", "metadata": {"name": "a"}, "spec": {"query": "a"}, "for": "5m"}),
    ));
    assert_eq!(
        (path.as_str(), said.as_str()),
        ("for", "unknown field for; it belongs below spec")
    );
}

/// What makes thousands of resources quick to check: compiling takes far longer than asking.
#[test]
fn a_rule_is_compiled_when_a_resource_first_needs_it_and_once_for_all() {
    let schemas = Schemas::default();
    assert_eq!(schemas.rules.compiled.get(), 0, "none is needed yet");
    let check = |title: &str, severity: &str| {
        let spec = json!({"query": "up == 0", "title": title, "severity": severity});
        let value =
            json!({"apiVersion": API_VERSION, "kind": "AlertRule", "metadata": {"name": "a"}, "spec": spec});
        assert!(schemas.check(0, &Object::new(value, "")).is_empty());
        schemas.rules.compiled.get()
    };
    let first = check("a", "high");
    assert!(first > 5, "{first}");
    for i in 0..20 {
        assert_eq!(check(&format!("rule {i}"), "info"), first);
    }
}

#[test]
fn only_the_schemas_of_kinds_that_occur_are_made() {
    let schemas = Schemas::default();
    let made = || {
        schemas
            .kinds
            .values()
            .filter(|schema| schema.get().is_some())
            .count()
    };
    assert_eq!(made(), 0);
    let value = json!({"apiVersion": API_VERSION, "kind": "Silence", "metadata": {"name": "a"}, "spec": {"matchers": ["a=b"], "duration": "1h"}});
    assert!(schemas.check(0, &Object::new(value, "revel")).is_empty());
    assert_eq!(made(), 1);
}

#[test]
fn every_kind_is_known_by_its_own_name() {
    let kinds: Vec<String> = api::crds().into_iter().map(|crd| crd.spec.names.kind).collect();
    assert_eq!(kinds, api::kinds().collect::<Vec<_>>());
    assert_eq!(kinds.len(), 10);
}

#[test]
fn the_schemas_that_are_kept_are_those_of_the_types() {
    let (kept, crds) = (include_str!("../../../api/schema/kept.txt"), api::crds());
    let made = kept::text(&crds);
    // Line by line, so that a failure shows one kind.
    for (kept, made) in kept.lines().zip(made.lines()) {
        assert!(kept == made, "make docs writes it: {made:.60}");
    }
    let names = kept::names();
    assert_eq!((names.len(), kept.lines().count()), (crds.len(), crds.len()));
    for ((names, crd), line) in names.iter().zip(&crds).zip(made.lines()) {
        let (spec, resource) = (&crd.spec, kept::resource(names));
        assert_eq!(
            (
                &resource.group,
                &resource.version,
                &resource.kind,
                &resource.plural
            ),
            (
                &spec.group,
                &spec.versions[0].name,
                &spec.names.kind,
                &spec.names.plural
            )
        );
        let made: Value = serde_json::from_str(line.split_once('\t').unwrap().1).unwrap();
        let kept = serde_json::to_value(kept::schema(&names.kind)).unwrap();
        assert!(kept == made, "{}", names.kind);
    }
}

#[test]
fn metadata_that_the_types_do_not_take_never_passes_for_right() {
    let rule = |more: Value| {
        let mut value = json!({"apiVersion": API_VERSION, "kind": "AlertRule", "metadata": {"name": "x"}, "spec": {"query": "up == 0"}});
        for (key, entry) in more.as_object().unwrap() {
            value["metadata"][key] = entry.clone();
        }
        value
    };
    let all = [
        "annotations",
        "creationTimestamp",
        "deletionGracePeriodSeconds",
        "deletionTimestamp",
        "finalizers",
        "generateName",
        "generation",
        "labels",
        "managedFields",
        "namespace",
        "ownerReferences",
        "resourceVersion",
        "selfLink",
        "uid",
    ];
    let mut refused = 0;
    for key in all {
        for value in [
            json!(true),
            json!(5),
            json!("x"),
            json!(["a"]),
            json!([5]),
            json!({"a": "b"}),
            json!({"a": 5}),
        ] {
            let value = rule(json!({key: value}));
            if Object::new(value.clone(), "").typed.is_none() {
                let path = one(whole(value.clone())).0;
                assert!(path.starts_with(&format!("metadata.{key}")), "{value}: {path}");
                refused += 1;
            }
        }
        assert_eq!(whole(rule(json!({key: null}))), vec![], "{key}");
    }
    assert!(refused > 60, "{refused}");
    let said = |more: Value| one(whole(rule(more)));
    assert!(said(json!({"namespace": false})).2.contains("put it in quotes"));
    assert!(said(json!({"namespace": "A_b"})).2.contains("is no namespace"));
    assert!(said(json!({"lables": {}})).2.contains("did you mean labels?"));
    assert!(
        said(json!({"labels": {"team": "a b"}}))
            .2
            .contains("no value of a label")
    );
    assert!(
        said(json!({"labels": {"a/b/c": "x"}}))
            .2
            .contains("no key of labels")
    );
    for fine in [
        json!({"labels": {"app.kubernetes.io/name": "a.b_c-d", "x": ""}, "annotations": {"a/b": "any text {}"}}),
        json!({"namespace": "shop-1", "creationTimestamp": null, "uid": "u", "generation": 3, "finalizers": ["a/b"]}),
    ] {
        assert_eq!(whole(rule(fine.clone())), vec![], "{fine}");
    }
}

#[test]
fn a_status_that_can_not_be_read_is_told() {
    let value = json!({"apiVersion": API_VERSION, "kind": "AlertRule", "metadata": {"name": "x"}, "spec": {"query": "up == 0"}, "status": {"conditions": 5}});
    let (path, rule, _) = one(whole(value));
    assert_eq!((path.as_str(), rule), ("status", "schema"));
}
