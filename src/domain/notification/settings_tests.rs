#![expect(
    clippy::needless_pass_by_value,
    reason = "json!(..) reads better without a borrow"
)]

use serde_json::{Value, json};

use super::*;

fn spec(settings: Value) -> AlertRuleSpec {
    serde_json::from_value(json!({"query": "up < 1", "notificationSettings": settings})).unwrap()
}

fn pager() -> Way {
    Way::Receiver("Pager".to_owned())
}

/// The notification settings that these become, with a contact point that Grafana has as `Pager`.
fn settings(fields: Value) -> Result<NotificationSettings, Refusal> {
    super::settings(&spec(fields), Some(pager()), |_| Ok("any".to_owned())).map(Option::unwrap)
}

#[test]
fn a_contact_point_of_its_own_is_sent_by_its_name_in_grafana_with_the_labels_that_are_always_grouped_by() {
    let bare = NotificationSettings {
        receiver: "Pager".to_owned(),
        ..Default::default()
    };
    assert_eq!(settings(json!({"receiver": "pager"})).unwrap(), bare);
    let full = json!({
        "receiverRef": {"name": "pager", "namespace": "other"}, "groupBy": ["team", "alertname"], "groupWait": "0s", "groupInterval": "300s",
        "repeatInterval": "1d12h",
    });
    let expected = NotificationSettings {
        group_by: ["team", "alertname", "grafana_folder"]
            .map(str::to_owned)
            .to_vec(),
        group_wait: Some("0s".to_owned()),
        group_interval: Some("5m".to_owned()),
        repeat_interval: Some("1d12h".to_owned()),
        ..bare.clone()
    };
    assert_eq!(settings(full).unwrap(), expected);
    let all = NotificationSettings {
        group_by: vec!["...".to_owned()],
        ..bare
    };
    assert_eq!(
        settings(json!({"receiver": "pager", "groupBy": ["..."]})).unwrap(),
        all
    );
}

#[test]
fn a_policy_tree_is_sent_by_its_name_and_alone() {
    let of =
        |fields: Value| super::settings(&spec(fields), Some(Way::Tree("batch".to_owned())), |_| panic!());
    let alone = NotificationSettings {
        policy: Some("batch".to_owned()),
        ..Default::default()
    };
    assert_eq!(of(json!({"policy": "own"})).unwrap(), Some(alone));
}

#[test]
fn a_policy_tree_is_that_of_a_resource_here_or_elsewhere_or_one_of_grafanas() {
    let here = |namespace: Option<&str>| Tree::Policy {
        namespace: namespace.map(str::to_owned),
        name: "own".to_owned(),
    };
    let there = Tree::Grafana {
        name: "batch".to_owned(),
    };
    for (settings, expected, place) in [
        (json!({"policy": "own"}), here(None), "policy"),
        (json!({"policyRef": {"name": "own"}}), here(None), "policyRef"),
        (
            json!({"policyRef": {"name": "own", "namespace": "ops"}}),
            here(Some("ops")),
            "policyRef",
        ),
        (json!({"policyRef": {"grafanaName": "batch"}}), there, "policyRef"),
    ] {
        let spec = spec(settings);
        assert_eq!(tree(&spec), Some(expected));
        assert_eq!(target(&spec), None);
        let refusal = at_policy(&spec, Refusal::missing("it is not there"));
        let message = format!("spec.notificationSettings.{place}: it is not there");
        assert_eq!(
            (refusal.reason, refusal.message),
            (Reason::DependencyMissing, message)
        );
    }
    for none in [json!({"receiver": "a"}), json!({"policyRef": {}})] {
        assert_eq!(tree(&spec(none)), None);
    }
    assert_eq!(tree(&AlertRuleSpec::default()), None);
}

#[test]
fn a_policy_tree_is_named_where_there_is_one_tree_and_what_helps() {
    let spec = spec(json!({"policyRef": {"grafanaName": "batch"}}));
    let refuse = |version: Version, several_trees: bool| {
        let toggles = Toggles {
            several_trees,
            ..Toggles::default()
        };
        refuse_what_is_too_new(&spec, version, toggles)
    };
    for (version, toggle, cure) in [
        (Version::new(12, 4, 0), true, "several since 13.2; upgrade, or"),
        (
            Version::new(13, 1, 0),
            false,
            "turn on its feature toggle alertingMultiplePolicies",
        ),
    ] {
        let refusal = refuse(version, toggle).unwrap_err();
        assert_eq!(refusal.reason, Reason::Unsupported);
        let start = format!("spec.notificationSettings.policyRef: Grafana {version} has one policy tree");
        assert!(refusal.message.starts_with(&start), "{}", refusal.message);
        assert!(refusal.message.contains(cure), "{}", refusal.message);
    }
    // Where a rule has no settings at all, that comes first.
    let refusal = refuse(Version::new(10, 4, 0), true).unwrap_err();
    assert!(
        refusal.message.contains("alertingSimplifiedRouting"),
        "{}",
        refusal.message
    );
    assert_eq!(refuse(Version::new(13, 0, 0), true), Ok(()));
    assert_eq!(refuse(Version::new(13, 2, 0), false), Ok(()));
}

#[test]
fn notification_settings_that_grafana_would_refuse_name_the_field() {
    for (fields, message) in [
        (
            json!({"receiver": "a", "groupInterval": "0s"}),
            "spec.notificationSettings.groupInterval: must be greater than 0",
        ),
        (
            json!({"receiver": "a", "repeatInterval": "0s"}),
            "spec.notificationSettings.repeatInterval: must be greater than 0",
        ),
        (
            json!({"receiver": "a", "groupBy": ["a", "a"]}),
            "spec.notificationSettings.groupBy: a label is named twice",
        ),
        (
            json!({"receiver": "a", "groupBy": ["a", "..."]}),
            "spec.notificationSettings.groupBy: ... means all labels",
        ),
        (
            json!({"receiver": "a", "muteTimeIntervalRefs": [{"name": "a"}, {}]}),
            "spec.notificationSettings.muteTimeIntervalRefs[1]: give exactly one of name and grafanaName",
        ),
    ] {
        let refusal = settings(fields).unwrap_err();
        assert_eq!(refusal.reason, Reason::Invalid);
        assert!(refusal.message.starts_with(message), "{}", refusal.message);
    }
}

#[test]
fn time_intervals_are_sent_by_their_names_in_grafana_and_each_is_asked_for_by_its_field() {
    let fields = json!({"receiver": "pager",
        "muteTimeIntervals": ["nights", "weekends"], "muteTimeIntervalRefs": [{"name": "nights", "namespace": "ops"}, {"grafanaName": "by hand"}],
        "activeTimeIntervals": ["office"], "activeTimeIntervalRefs": [{"grafanaName": "office"}],
    });
    let interval = |namespace: Option<&str>, name: &str| Interval::Resource {
        namespace: namespace.map(str::to_owned),
        name: name.to_owned(),
    };
    let in_grafana = |name: &str| Interval::Grafana {
        name: name.to_owned(),
    };
    let all = [
        interval(None, "nights"),
        interval(None, "weekends"),
        interval(Some("ops"), "nights"),
        in_grafana("by hand"),
        interval(None, "office"),
        in_grafana("office"),
    ];
    assert_eq!(intervals(&spec(fields.clone())), all.clone().into());
    let name_of = |interval: &Interval| {
        Ok(match interval {
            Interval::Resource { namespace, name } => {
                format!("{}/{name}", namespace.as_deref().unwrap_or("here"))
            }
            Interval::Grafana { name } => name.clone(),
        })
    };
    let settings = super::settings(&spec(fields.clone()), Some(pager()), name_of).unwrap();
    let settings = settings.unwrap();
    assert_eq!(
        settings.mute_time_intervals,
        ["here/nights", "here/weekends", "ops/nights", "by hand"]
    );
    assert_eq!(settings.active_time_intervals, ["here/office", "office"]);
    let missing = |interval: &Interval| match interval {
        Interval::Grafana { name } if name == "office" => Err(Refusal::missing("it is not there")),
        _ => Ok("x".to_owned()),
    };
    let refusal = super::settings(&spec(fields), Some(pager()), missing).unwrap_err();
    assert_eq!(refusal.reason, Reason::DependencyMissing);
    assert_eq!(
        refusal.message,
        "spec.notificationSettings.activeTimeIntervalRefs[0]: it is not there"
    );
    assert!(intervals(&AlertRuleSpec::default()).is_empty());
}

#[test]
fn a_time_interval_to_be_active_in_is_named_where_the_version_drops_it() {
    let refuse = |fields: Value, version| {
        let toggles = Toggles {
            simplified_routing: true,
            ..Toggles::default()
        };
        refuse_what_is_too_new(&spec(fields), version, toggles)
    };
    for (fields, field) in [
        (
            json!({"receiver": "a", "activeTimeIntervals": ["office"]}),
            "activeTimeIntervals",
        ),
        (
            json!({"receiver": "a", "activeTimeIntervalRefs": [{"grafanaName": "office"}]}),
            "activeTimeIntervalRefs",
        ),
    ] {
        let refusal = refuse(fields.clone(), Version::new(12, 0, 3)).unwrap_err();
        assert_eq!(refusal.reason, Reason::Unsupported);
        let message = format!(
            "spec.notificationSettings.{field} needs Grafana 12.1; this one is 12.0.3, which would always send."
        );
        assert!(refusal.message.starts_with(&message), "{}", refusal.message);
        assert_eq!(refuse(fields, Version::ACTIVE_INTERVALS), Ok(()));
    }
    let muted = json!({"receiver": "a", "muteTimeIntervals": ["nights"]});
    assert_eq!(refuse(muted, Version::NOTIFICATION_SETTINGS_BY_TOGGLE), Ok(()));
}

#[test]
fn a_contact_point_of_its_own_is_named_where_the_version_drops_it() {
    let spec = spec(json!({"receiver": "a"}));
    let refuse = |version: Version, simplified_routing: bool| {
        let toggles = Toggles {
            simplified_routing,
            ..Toggles::default()
        };
        refuse_what_is_too_new(&spec, version, toggles)
    };
    for (version, toggle) in [(Version::new(10, 3, 9), true), (Version::new(10, 4, 2), false)] {
        let refusal = refuse(version, toggle).unwrap_err();
        assert_eq!(refusal.reason, Reason::Unsupported);
        let message = format!(
            "spec.notificationSettings needs Grafana 11.0, or 10.4 with the feature toggle alertingSimplifiedRouting; this one is {version}."
        );
        assert!(refusal.message.starts_with(&message), "{}", refusal.message);
    }
    assert!(refuse(Version::new(10, 4, 2), true).is_ok());
    assert!(refuse(Version::new(11, 0, 0), false).is_ok());
    assert!(refuse_what_is_too_new(&AlertRuleSpec::default(), Version::OLDEST, Toggles::default()).is_ok());
}
