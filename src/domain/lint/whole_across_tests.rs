use super::*;

#[test]
fn references_are_judged_only_where_others_of_their_kind_are() {
    let alone = all(vec![policy("root", json!({"receiver": "mail"}))], &options());
    assert_eq!(alone, Vec::new());
    let objects = [Object::new(policy("root", json!({"receiver": "mail"})), "")];
    assert_eq!(across(&objects, &Standing::default(), &options()).1, 1);
    let mut elsewhere = point("mail");
    elsewhere["metadata"]["namespace"] = json!("ops");
    let reference = policy(
        "root",
        json!({"receiverRef": {"name": "mail", "namespace": "ops"}}),
    );
    let found = all(vec![reference.clone(), elsewhere.clone()], &options());
    let messages: Vec<&str> = found
        .iter()
        .filter(|f| f.rule.name == "reference")
        .map(|f| f.message.as_str())
        .collect();
    assert!(
        matches!(messages.as_slice(), [one] if one.contains("isn't shared with namespace revel")),
        "{messages:?}"
    );
    elsewhere["metadata"]["annotations"] = json!({"alerting.letsrevel.io/shared-with": "shop, revel"});
    assert_eq!(said(vec![reference, elsewhere]), Vec::<String>::new());
}

#[test]
fn contact_points_without_use_and_rules_without_a_route_are_told() {
    let root = policy(
        "root",
        json!({"receiver": "mail", "routes": [{"matchers": ["team=\"a\""]}]}),
    );
    assert_eq!(
        said(vec![root.clone(), point("mail"), point("slack")]),
        ["unused-contact-point 2.metadata.name"]
    );
    assert_eq!(
        said(vec![point("slack")]),
        Vec::<String>::new(),
        "whoever uses it may be elsewhere"
    );
    let calling = |team: &str| {
        rule(
            "a",
            json!({"severity": "critical", "labels": {"team": team}, "annotations": {"summary": "s", "description": "d", "runbook_url": "u"}}),
        )
    };
    assert_eq!(
        said(vec![root.clone(), point("mail"), calling("b")]),
        ["default-only 2.spec.severity"]
    );
    assert_eq!(
        said(vec![root.clone(), point("mail"), calling("a")]),
        Vec::<String>::new()
    );
    assert_eq!(
        said(vec![root, point("mail"), calling("{{ $labels.team }}")]),
        Vec::<String>::new()
    );
}

#[test]
fn a_tree_that_a_rule_names_is_that_of_a_root_with_a_tree_of_its_own() {
    let named = |settings: Value| {
        let resources = vec![
            rule("a", json!({"notificationSettings": settings})),
            point("mail"),
            policy("root", json!({"receiver": "mail"})),
            policy("own", json!({"receiver": "mail", "tree": "batch"})),
            policy(
                "branch",
                json!({"receiver": "mail", "parentRef": {"name": "own"}}),
            ),
        ];
        said(resources)
    };
    for good in [
        json!({"policy": "own"}),
        json!({"policyRef": {"grafanaName": "x"}}),
    ] {
        assert_eq!(named(good), Vec::<String>::new());
    }
    for bad in ["root", "branch", "owm"] {
        let at = "reference 0.spec.notificationSettings.policy";
        assert_eq!(named(json!({"policy": bad})), [at], "{bad}");
        assert_eq!(
            named(json!({"policyRef": {"name": bad}})),
            [format!("{at}Ref.name")],
            "{bad}"
        );
    }
    let older = Options {
        version: Some(Version::new(12, 4, 0)),
        ..options()
    };
    let through = rule(
        "a",
        json!({"notificationSettings": {"policyRef": {"grafanaName": "x"}}}),
    );
    let found: Vec<_> = all(vec![through], &older)
        .iter()
        .map(|finding| (finding.rule.name, finding.path.to_string()))
        .collect();
    assert_eq!(
        found,
        [("unsupported", "spec.notificationSettings.policyRef".to_owned())]
    );
}

#[test]
fn trees_with_names_are_no_doubles_and_none_of_an_older_grafana() {
    let trees = || {
        vec![
            policy("root", json!({"receiver": "mail"})),
            policy("other", json!({"receiver": "mail", "tree": "shop"})),
            point("mail"),
        ]
    };
    assert_eq!(said(trees()), Vec::<String>::new());
    let old = Options {
        version: Version::parse("12.4"),
        ..options()
    };
    let found = all(trees(), &old);
    let found: Vec<_> = found
        .iter()
        .map(|finding| (finding.rule.name, finding.object, finding.path.to_string()))
        .collect();
    assert_eq!(found, [("unsupported", 1, "spec.tree".to_owned())]);
}

#[test]
fn an_inhibition_rule_is_looked_at_as_any_other() {
    let inhibition = |name: &str, source: &str| {
        object(
            "InhibitionRule",
            name,
            json!({"sourceMatchers": [source], "targetMatchers": ["a=\"b\""]}),
        )
    };
    assert_eq!(said(vec![inhibition("a", "x=y")]), Vec::<String>::new());
    assert_eq!(
        said(vec![inhibition("a", "x y")]),
        ["matcher 0.spec.sourceMatchers[0]"]
    );
    assert_eq!(
        said(vec![inhibition(&"a".repeat(41), "x=y")]),
        ["refused 0.spec.name"]
    );
    let old = Options {
        version: Version::parse("12.4"),
        ..options()
    };
    let found = all(vec![inhibition("a", "x=y")], &old);
    assert_eq!(
        found.iter().map(|finding| finding.rule.name).collect::<Vec<_>>(),
        ["unsupported"]
    );
}

#[path = "whole_standing_tests.rs"]
mod beside_a_cluster;

#[test]
fn a_time_zone_that_there_is_not_is_told_with_the_one_that_was_meant() {
    let interval = |location: &str| {
        let periods = json!([{"weekdays": ["monday"]}, {"location": location}]);
        object("TimeInterval", "i", json!({"timeIntervals": periods}))
    };
    let known = |zones: &[&str]| Options {
        zones: (!zones.is_empty()).then(|| zones.iter().map(|zone| (*zone).to_owned()).collect()),
        ..options()
    };
    let told = |location: &str, zones: &[&str]| {
        let found = all(vec![interval(location)], &known(zones)).into_iter();
        let found = found.filter(|finding| finding.rule.name == "unknown-word");
        found
            .map(|finding| format!("{}: {}", finding.path, finding.message))
            .collect::<Vec<_>>()
    };
    let zones = ["Europe/Berlin", "Europe/Rome", "UTC"];
    assert_eq!(
        told("Europe/Berlim", &zones),
        [
            "spec.timeIntervals[1].location: there is no time zone \"Europe/Berlim\" on this machine; did you mean \"Europe/Berlin\"?"
        ]
    );
    assert!(told("Europe/Rome", &zones).is_empty());
    assert!(
        told("Europe/Berlim", &[]).is_empty(),
        "nothing is known of them here"
    );
    for own in ["UTC", "Local"] {
        assert!(told(own, &["Europe/Rome"]).is_empty(), "{own}");
    }
}

#[test]
fn what_grafana_reads_at_once_is_refused_for_an_unknown_word() {
    let template =
        |(name, text): (&str, &str)| object("NotificationTemplate", name, json!({"template": text}));
    let texts = [
        (
            "a",
            r#"{{ define "a" }}{{ .CommonLabels.foo | toUppr }}{{ end }}"#,
        ),
        ("b", r#"{{ define "b" }}{{ 1.5 | humanize }}{{ end }}"#),
        ("c", r#"{{ define "c" }}{{ $labels.foo }}{{ end }}"#),
    ];
    let levels = |version: Option<&str>| {
        let options = Options {
            version: version.and_then(Version::parse),
            // Errors are told whatever else is asked for.
            asked: version.is_none().then(std::collections::BTreeSet::new),
            ..options()
        };
        let found = all(texts.map(template).to_vec(), &options).into_iter();
        found
            .map(|finding| (finding.rule.name, finding.object, finding.level))
            .collect::<Vec<_>>()
    };
    let told = |level| [0, 1, 2].map(|at| ("unknown-word", at, level));
    assert_eq!(levels(None), told(Level::Error));
    assert_eq!(levels(Some("12.4")), told(Level::Error));
    // Nobody knows yet what that one has.
    let mut expected = told(Level::Warning).to_vec();
    // No Go has a variable that isn't declared.
    expected.push(("refused", 2, Level::Error));
    assert_eq!(levels(Some("14.0")), expected);
}

#[test]
fn a_recording_rule_compares_nothing_and_neither_does_a_condition() {
    let of = |more: Value| {
        let found = all(vec![rule("a", more)], &options()).into_iter();
        let found = found.filter(|finding| finding.rule.name == "no-comparison");
        found.map(|finding| finding.part).collect::<Vec<_>>()
    };
    assert_eq!(of(json!({"query": "up == bool 0"})), [Part::Byte(6)]);
    assert_eq!(of(json!({"query": "sum(up)"})), [Part::Byte(0)]);
    assert_eq!(of(json!({"query": "sum(up)", "record": {"metric": "a"}})), []);
    assert_eq!(of(json!({"query": "absent(up)"})), []);
}

#[test]
fn a_silence_of_nothing_is_not_told_to_be_broad() {
    let silence = object("Silence", "s", json!({"duration": "1h"}));
    let told = said(vec![silence]);
    assert!(
        !told.is_empty() && !told.iter().any(|told| told.starts_with("broad-silence")),
        "{told:?}"
    );
}

#[test]
fn a_template_that_nobody_defines_is_told_where_the_namespace_has_templates() {
    let group = |text: &str| object("NotificationTemplate", "texts", json!({"template": text}));
    let calling = |name: &str| {
        let text = format!("{{{{ template {name:?} . }}}}");
        object(
            "ContactPoint",
            "a",
            json!({"integrations": [{"email": {"addresses": ["a@example.com"], "subject": text}}]}),
        )
    };
    let said = |values: Vec<Value>| -> Vec<String> {
        let all = all(values, &options()).into_iter();
        all.filter(|finding| finding.rule.name == "reference" && finding.path.to_string().contains("subject"))
            .map(|finding| format!("{} {}", finding.level, finding.message))
            .collect()
    };
    let defining = || group("{{ define \"shop.title\" }}x{{ end }}");
    assert_eq!(
        said(vec![defining(), calling("shop.titel")]),
        ["warning no NotificationTemplate here defines the template \"shop.titel\"; there is \"shop.title\""]
    );
    for fine in [
        vec![defining(), calling("shop.title")],
        vec![defining(), calling("default.title")],
        vec![calling("shop.titel")],
    ] {
        assert_eq!(said(fine), Vec::<String>::new());
    }
    // What is in a ConfigMap isn't known.
    let elsewhere = object(
        "NotificationTemplate",
        "more",
        json!({"templateFrom": {"configMapKeyRef": {"name": "c", "key": "k"}}}),
    );
    assert_eq!(
        said(vec![defining(), elsewhere, calling("shop.titel")]),
        Vec::<String>::new()
    );
}

fn instance(name: &str, more: Value) -> Value {
    let mut spec =
        json!({"url": "http://grafana", "auth": {"token": {"secretKeyRef": {"name": "g", "key": "token"}}}});
    for (key, value) in more.as_object().unwrap() {
        spec[key] = value.clone();
    }
    object("GrafanaInstance", name, spec)
}

#[test]
fn every_kind_is_for_grafana_instances_that_there_are_each_told_at_its_place() {
    let several = json!({"instances": ["default", "stge", "other"]});
    let with = |mut resource: Value| {
        resource["spec"]
            .as_object_mut()
            .unwrap()
            .extend(several.as_object().unwrap().clone());
        resource
    };
    let point = point("mail");
    for resource in [
        rule("a", json!({})),
        point,
        policy("root", json!({"receiverRef": {"grafanaName": "x"}})),
        object("MaintenancePolicy", "m", json!({"targets": [{"kind": "Job"}]})),
        object("Silence", "s", json!({"duration": "1h", "matchers": ["a=\"b\""]})),
        object(
            "InhibitionRule",
            "i",
            json!({"sourceMatchers": ["a=\"b\""], "targetMatchers": ["a=\"c\""]}),
        ),
        object(
            "TimeInterval",
            "t",
            json!({"timeIntervals": [{"weekdays": ["monday"]}]}),
        ),
        object(
            "NotificationTemplate",
            "n",
            json!({"template": "{{ define \"x\" }}y{{ end }}"}),
        ),
        object("PrometheusRuleImport", "p", json!({})),
    ] {
        let found = all(
            vec![
                with(resource.clone()),
                instance("default", json!({})),
                instance("stage", json!({})),
            ],
            &options(),
        );
        let told: Vec<String> = found
            .iter()
            .filter(|finding| finding.rule.name == "reference")
            .map(|finding| format!("{}: {}", finding.path, finding.message))
            .collect();
        let expected = [
            "spec.instances[1]: no GrafanaInstance \"stge\"; there is \"stage\"",
            "spec.instances[2]: no GrafanaInstance \"other\"",
        ];
        assert_eq!(told, expected, "{resource}");
    }
}

#[test]
fn an_instance_that_does_not_allow_a_namespace_is_told() {
    let told = |resource: Value, of_instance: Value| {
        let found = all(vec![resource, instance("default", of_instance)], &options());
        let found = found.iter().filter(|finding| finding.rule.name == "reference");
        found
            .map(|finding| finding.message.clone())
            .collect::<Vec<String>>()
    };
    let named = |field: &str, names: Value| json!({ field: { "names": names } });
    let root = || policy("root", json!({"receiverRef": {"grafanaName": "x"}}));
    for (resource, of_instance, said) in [
        (
            rule("a", json!({})),
            named("allowedNamespaces", json!(["revel"])),
            None,
        ),
        (
            rule("a", json!({})),
            named("allowedNamespaces", json!(["shop"])),
            Some("doesn't allow namespace revel"),
        ),
        // Which labels the namespace has isn't known.
        (
            rule("a", json!({})),
            json!({"allowedNamespaces": {"names": ["shop"], "selector": {"matchLabels": {"a": "b"}}}}),
            None,
        ),
        (
            rule("a", json!({})),
            named("rootPolicyNamespaces", json!([])),
            None,
        ),
        (
            root(),
            named("rootPolicyNamespaces", json!(["shop"])),
            Some("doesn't let namespace revel hold a policy tree"),
        ),
    ] {
        let found = told(resource.clone(), of_instance.clone());
        match said {
            None => assert_eq!(found, Vec::<String>::new(), "{of_instance}"),
            Some(said) => assert!(
                matches!(found.as_slice(), [one] if one.contains(said)),
                "{found:?}"
            ),
        }
    }
}
