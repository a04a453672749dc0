use serde_json::{Value, from_value, json};

use super::*;
use crate::api::condition::Reason;

fn spec(value: Value) -> NotificationPolicySpec {
    from_value(value).unwrap()
}

/// The tree in which every ContactPoint is called after itself.
fn tree_of(value: Value) -> Result<model::Route, Refusal> {
    tree(&spec(value), |target| {
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
    })
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
fn a_receiver_that_cannot_be_used_is_named_with_its_place_and_reason() {
    let missing = |value| {
        tree(&spec(value), |target| match target {
            Target::ContactPoint { name, .. } if name == "gone" => {
                Err(Refusal::missing("there is no ContactPoint gone"))
            }
            _ => Ok("ok".into()),
        })
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
        tree(&spec(value), missing).unwrap_err().message
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
            json!({"muteTimeIntervals": ["weekends"]}),
            [".muteTimeIntervals: ", "time intervals are not there yet"],
        ),
        (
            json!({"muteTimeIntervals": [], "activeTimeIntervals": ["office-hours"]}),
            [".activeTimeIntervals: ", "time intervals are not there yet"],
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
