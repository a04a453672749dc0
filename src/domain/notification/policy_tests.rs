use serde_json::{Value, from_value, json};

use super::*;
use crate::api::condition::Reason;

fn spec(value: Value) -> NotificationPolicySpec {
    from_value(value).unwrap()
}

/// The tree in which every ContactPoint is called after itself.
fn tree_of(value: Value) -> Result<model::Route, Refusal> {
    let interval_of = |interval: &Interval| {
        Ok(match interval {
            Interval::Resource {
                namespace: None,
                name,
            } => name.clone(),
            Interval::Resource {
                namespace: Some(namespace),
                name,
            } => format!("{namespace}/{name}"),
            Interval::Grafana { name } => format!("grafana:{name}"),
        })
    };
    let name_of = |target: &Target| {
        Ok(match target {
            Target::ContactPoint {
                namespace: None,
                name,
            } => name.clone(),
            Target::ContactPoint {
                namespace: Some(namespace),
                name,
            } => format!("{namespace}/{name}"),
            Target::Grafana { name } => format!("grafana:{name}"),
        })
    };
    tree(&spec(value), name_of, interval_of)
}

fn json_of(value: Value) -> Value {
    serde_json::to_value(tree_of(value).unwrap()).unwrap()
}

fn refused(value: Value) -> String {
    let refusal = tree_of(value).unwrap_err();
    assert_eq!(refusal.reason, Reason::Invalid);
    refusal.message
}

#[test]
fn a_root_of_nothing_but_a_receiver_groups_as_grafana_does() {
    let expected = json!({"receiver": "ops", "group_by": ["grafana_folder", "alertname"]});
    assert_eq!(json_of(json!({"receiver": "ops"})), expected);
}

#[test]
fn every_field_of_the_specification_reaches_the_tree() {
    let written = json_of(json!({
        "receiver": "ops", "groupBy": ["alertname", "team"], "groupWait": "0s", "groupInterval": "120s", "repeatInterval": "36h",
        "routes": [
            {"matchers": ["severity=\"critical\"", "team=~web|api", "env!=dev", "zone!~x.*"], "receiver": "pager", "continue": true,
             "groupBy": ["..."], "groupWait": "90s", "groupInterval": "1m", "repeatInterval": "1h"},
            {},
        ],
    }));
    let expected = json!({
        "receiver": "ops", "group_by": ["alertname", "team"], "group_wait": "0s", "group_interval": "2m", "repeat_interval": "1d12h",
        "routes": [
            {"receiver": "pager", "continue": true, "group_by": ["..."], "group_wait": "1m30s", "group_interval": "1m", "repeat_interval": "1h",
             "object_matchers": [["severity", "=", "critical"], ["team", "=~", "web|api"], ["env", "!=", "dev"], ["zone", "!~", "x.*"]]},
            {"receiver": "ops"},
        ],
    });
    assert_eq!(written, expected);
}

#[test]
fn every_route_names_the_receiver_that_it_inherits() {
    let written = json_of(json!({"receiver": "ops", "routes": [
        {"routes": [{"receiver": "web", "routes": [{}, {"receiverRef": {"name": "db"}}]}]},
        {"receiverRef": {"grafanaName": "mail"}, "routes": [{}]},
        {"receiverRef": {"name": "pager", "namespace": "infra"}},
    ]}));
    let expected = json!({"receiver": "ops", "group_by": ["grafana_folder", "alertname"], "routes": [
        {"receiver": "ops", "routes": [{"receiver": "web", "routes": [{"receiver": "web"}, {"receiver": "db"}]}]},
        {"receiver": "grafana:mail", "routes": [{"receiver": "grafana:mail"}]},
        {"receiver": "infra/pager"},
    ]});
    assert_eq!(written, expected);
}

#[test]
fn a_root_may_refer_to_any_contact_point() {
    let of = |reference| json_of(json!({ "receiverRef": reference }))["receiver"].clone();
    assert_eq!(of(json!({"name": "a"})), "a");
    assert_eq!(of(json!({"name": "a", "namespace": "b"})), "b/a");
    assert_eq!(of(json!({"grafanaName": "a"})), "grafana:a");
    assert_eq!(refused(json!({})), "spec.receiver: give receiver or receiverRef");
}

#[test]
fn periods_that_would_never_pause_are_refused_by_the_name_of_their_field() {
    for field in ["groupInterval", "repeatInterval"] {
        assert_eq!(
            refused(json!({"receiver": "a", field: "0s"})),
            format!("spec.{field}: must be greater than 0")
        );
        let nested = json!({"receiver": "a", "routes": [{}, {"routes": [{field: "0s"}]}]});
        assert_eq!(
            refused(nested),
            format!("spec.routes[1].routes[0].{field}: must be greater than 0")
        );
    }
    assert!(tree_of(json!({"receiver": "a", "groupWait": "0s", "routes": [{"groupWait": "0s"}]})).is_ok());
}

#[test]
fn what_is_no_duration_is_refused_by_the_name_of_its_field() {
    for field in ["groupWait", "groupInterval", "repeatInterval"] {
        for (value, place) in [
            (json!({"receiver": "a", field: "soon"}), "spec"),
            (
                json!({"receiver": "a", "routes": [{field: "soon"}]}),
                "spec.routes[0]",
            ),
        ] {
            let message = refused(value);
            assert!(
                message.starts_with(&format!("{place}.{field}: \"soon\" is not a duration")),
                "{message}"
            );
        }
    }
}

#[test]
fn grouping_by_all_stands_alone_and_no_label_is_named_twice() {
    for (group_by, problem) in [
        (
            json!(["...", "team"]),
            "... means all labels and must stand alone",
        ),
        (json!(["team", "team"]), "a label is named twice"),
    ] {
        let root = json!({"receiver": "a", "groupBy": group_by});
        assert_eq!(refused(root), format!("spec.groupBy: {problem}"));
        let route = json!({"receiver": "a", "routes": [{"groupBy": group_by}]});
        assert_eq!(refused(route), format!("spec.routes[0].groupBy: {problem}"));
    }
}

#[test]
fn a_bad_matcher_is_refused_with_its_place() {
    let message = refused(json!({"receiver": "a", "routes": [{}, {"routes": [{"matchers": ["a=b", "a"]}]}]}));
    assert!(
        message.starts_with("spec.routes[1].routes[0].matchers[1]: "),
        "{message}"
    );
}

#[test]
fn time_intervals_are_named_by_what_they_are_called_in_grafana_or_by_their_place() {
    let value = json!({"receiver": "a", "routes": [{}, {"routes": [{
        "muteTimeIntervals": ["nights", "weekends"], "muteTimeIntervalRefs": [{"name": "nights", "namespace": "ops"}, {"grafanaName": "by hand"}],
        "activeTimeIntervals": ["office"], "activeTimeIntervalRefs": [{"grafanaName": "office"}],
    }]}]});
    let written = json_of(value.clone());
    let route = &written["routes"][1]["routes"][0];
    assert_eq!(
        route["mute_time_intervals"],
        json!(["nights", "weekends", "ops/nights", "grafana:by hand"])
    );
    assert_eq!(
        route["active_time_intervals"],
        json!(["office", "grafana:office"])
    );
    assert_eq!(intervals(&spec(value.clone())).len(), 6);
    let old = refuse_what_is_too_new(&spec(value.clone()), Version::new(12, 0, 3)).unwrap_err();
    assert_eq!(old.reason, Reason::Unsupported);
    assert_eq!(
        old.message,
        "spec.routes[1].routes[0].activeTimeIntervals needs Grafana 12.1; this one is 12.0.3, which would always send. Name in muteTimeIntervals when nothing is to be sent, or upgrade Grafana"
    );
    let new = Version::ACTIVE_INTERVALS;
    assert_eq!(refuse_what_is_too_new(&spec(value.clone()), new), Ok(()));
    let muted = json!({"receiver": "a", "routes": [{"muteTimeIntervals": ["nights"]}]});
    assert_eq!(refuse_what_is_too_new(&spec(muted), Version::OLDEST), Ok(()));
    let gone = |_: &Interval| Err(Refusal::missing("it is not there"));
    let refusal = tree(&spec(value), |_| Ok("ok".into()), gone).unwrap_err();
    assert_eq!(refusal.reason, Reason::DependencyMissing);
    assert_eq!(
        refusal.message,
        "spec.routes[1].routes[0].muteTimeIntervals[0]: it is not there"
    );
}

#[test]
fn a_branch_is_muted_and_active_itself() {
    let value = json!({"parentRef": {"name": "tree"}, "receiver": "a", "muteTimeIntervals": ["nights"],
        "activeTimeIntervalRefs": [{"grafanaName": "office"}], "routes": [{"muteTimeIntervals": ["weekends"]}]});
    let name_of = |interval: &Interval| match interval {
        Interval::Resource { name, .. } if name == "gone" => Err(Refusal::missing("it is not there")),
        Interval::Resource { name, .. } | Interval::Grafana { name } => Ok(name.clone()),
    };
    let branch = |value: Value| branch(&spec(value), None, |_| Ok("ok".into()), name_of);
    let route = branch(value.clone()).unwrap();
    assert_eq!(route.mute_time_intervals, ["nights"]);
    assert_eq!(route.active_time_intervals, ["office"]);
    assert_eq!(route.routes[0].mute_time_intervals, ["weekends"]);
    assert_eq!(intervals(&spec(value.clone())).len(), 3);
    let old = refuse_what_is_too_new(&spec(value.clone()), Version::OLDEST).unwrap_err();
    assert!(
        old.message
            .starts_with("spec.activeTimeIntervalRefs needs Grafana 12.1"),
        "{}",
        old.message
    );
    for (field, names, message) in [
        (
            "muteTimeIntervals",
            json!(["gone"]),
            "spec.muteTimeIntervals[0]: it is not there",
        ),
        (
            "activeTimeIntervalRefs",
            json!([{"namespace": "a", "grafanaName": "b"}]),
            "spec.activeTimeIntervalRefs[0]: namespace goes with name",
        ),
    ] {
        let mut value = value.clone();
        value[field] = names;
        assert_eq!(branch(value).unwrap_err().message, message);
    }
}

#[test]
fn a_receiver_that_cannot_be_used_is_named_with_its_place_and_reason() {
    let missing = |value| {
        let name_of = |target: &Target| match target {
            Target::ContactPoint { name, .. } if name == "gone" => {
                Err(Refusal::missing("there is no ContactPoint gone"))
            }
            _ => Ok("ok".into()),
        };
        tree(&spec(value), name_of, |_| Ok("ok".into()))
    };
    for (value, place) in [
        (json!({"receiver": "gone"}), "spec.receiver"),
        (json!({"receiverRef": {"name": "gone"}}), "spec.receiverRef"),
        (
            json!({"receiver": "a", "routes": [{"receiverRef": {"name": "gone"}}]}),
            "spec.routes[0].receiverRef",
        ),
        (
            json!({"receiver": "a", "routes": [{"routes": [{"receiver": "gone"}]}]}),
            "spec.routes[0].routes[0].receiver",
        ),
    ] {
        let refusal = missing(value).unwrap_err();
        assert_eq!(refusal.reason, Reason::DependencyMissing);
        assert_eq!(refusal.message, format!("{place}: there is no ContactPoint gone"));
    }
}

#[test]
fn every_contact_point_that_a_tree_refers_to_is_known_once() {
    let spec = spec(json!({"receiver": "a", "routes": [
        {"receiver": "b", "routes": [{"receiverRef": {"name": "a", "namespace": "x"}}, {"receiver": "a"}]}, {"receiverRef": {"grafanaName": "g"}}, {},
    ]}));
    let point = |namespace: Option<&str>, name: &str| Target::ContactPoint {
        namespace: namespace.map(str::to_owned),
        name: name.into(),
    };
    let expected = BTreeSet::from([
        point(None, "a"),
        point(None, "b"),
        point(Some("x"), "a"),
        Target::Grafana { name: "g".into() },
    ]);
    assert_eq!(targets(&spec), expected);
    assert_eq!(count(&spec.routes), 5);
}

#[test]
fn a_route_that_cannot_be_what_it_says_is_refused_with_its_place_and_cure_before_contact_points_are_looked_for()
 {
    let nowhere = |value: Value| {
        let missing = |_: &Target| Err(Refusal::missing("no contact point is looked for"));
        let no_interval = |_: &Interval| Err(Refusal::missing("no time interval is looked for"));
        tree(&spec(value), missing, no_interval).unwrap_err().message
    };
    let route = |route: Value| json!({"receiver": "ops", "routes": [{}, {"routes": [route]}]});
    let at = "spec.routes[1].routes[0]";
    for (wrong, words) in [
        (
            json!({"matchers": ["a=b", "severity==critical"]}),
            [".matchers[1]: ", "="],
        ),
        (
            json!({"matchers": [r#"{foo="bar", bar!="bar"}"#]}),
            [".matchers[0]: ", "brace"],
        ),
        (
            json!({"matchers": ["service != processing,speech"]}),
            [".matchers[0]: ", "quote"],
        ),
        (
            json!({"receiver": "a", "receiverRef": {"name": "b"}}),
            ["", ": give receiver or receiverRef, not both"],
        ),
        (
            json!({"receiverRef": {}}),
            [".receiverRef: ", "give exactly one of name and grafanaName"],
        ),
        (
            json!({"receiverRef": {"grafanaName": "a", "namespace": "b"}}),
            [".receiverRef: ", "namespace goes with name"],
        ),
        (
            json!({"muteTimeIntervalRefs": [{"name": "a", "grafanaName": "b"}]}),
            [
                ".muteTimeIntervalRefs[0]: ",
                "give exactly one of name and grafanaName",
            ],
        ),
        (
            json!({"activeTimeIntervalRefs": [{"name": "a"}, {"grafanaName": "b", "namespace": "c"}]}),
            [".activeTimeIntervalRefs[1]: ", "namespace goes with name"],
        ),
    ] {
        let message = nowhere(route(wrong));
        assert!(message.starts_with(&format!("{at}{}", words[0])), "{message}");
        assert!(message.contains(words[1]), "{message}");
    }
    let deep = |levels: usize| (1..levels).fold(json!({}), |below, _| json!({"routes": [below]}));
    let tree = |levels| json!({"receiver": "ops", "routes": [deep(levels)]});
    assert!(tree_of(tree(MAX_DEPTH)).is_ok());
    let message = nowhere(tree(MAX_DEPTH + 1));
    assert!(
        message.ends_with(": routes can be nested 5 levels deep; this one is deeper"),
        "{message}"
    );
}
