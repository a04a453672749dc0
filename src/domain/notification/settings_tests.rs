#![expect(
    clippy::needless_pass_by_value,
    reason = "json!(..) reads better without a borrow"
)]

use serde_json::{Value, json};

use super::*;

fn spec(settings: Value) -> AlertRuleSpec {
    serde_json::from_value(json!({"query": "up < 1", "notificationSettings": settings})).unwrap()
}

/// The notification settings that these become, with a contact point that Grafana has as `Pager`.
fn settings(fields: Value) -> Result<NotificationSettings, Refusal> {
    super::settings(&spec(fields), Some("Pager")).map(Option::unwrap)
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
            json!({"receiver": "a", "muteTimeIntervals": ["n"]}),
            "spec.notificationSettings.muteTimeIntervals: time intervals are not there yet",
        ),
    ] {
        let refusal = settings(fields).unwrap_err();
        assert_eq!(refusal.reason, Reason::Invalid);
        assert!(refusal.message.starts_with(message), "{}", refusal.message);
    }
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
