use super::super::resource::Resource;
use super::*;

fn imported(format: Format, value: Value, namespace: Option<&str>) -> Import {
    let document = Document {
        called: "file".to_owned(),
        value,
        format,
    };
    let asked = Asked {
        namespace: namespace.map(str::to_owned),
        parent: "root".to_owned(),
        secret: "contact-points".to_owned(),
        ..Asked::default()
    };
    import(&[document], &asked)
}

fn of(import: &Import, kind: Kind) -> &Resource {
    let made = import.made.iter().find(|made| made.resource.spec.kind() == kind);
    &made.unwrap_or_else(|| panic!("no {kind}: {import:?}")).resource
}

fn of_payments() -> Value {
    json!({
        "apiVersion": "monitoring.coreos.com/v1alpha1", "kind": "AlertmanagerConfig",
        "metadata": {"name": "a", "namespace": "payments"},
        "spec": {
            "route": {"receiver": "team", "matchers": [{"name": "team", "value": "x"}]},
            "receivers": [{"name": "team", "slackConfigs": [{"apiURL": {"name": "slack", "key": "url"}, "channel": "#x"}]}],
        },
    })
}

#[test]
fn what_is_of_a_namespace_stays_there_and_another_one_is_told() {
    let own = imported(Format::AlertmanagerConfig, of_payments(), None);
    assert!(own.is_whole(), "{own:?}");
    assert_eq!(own.made.len(), 2, "{own:?}");
    for made in &own.made {
        assert_eq!(made.resource.namespace.as_deref(), Some("payments"));
    }
    let same = imported(Format::AlertmanagerConfig, of_payments(), Some("payments"));
    assert!(same.is_whole(), "{same:?}");
    let other = imported(Format::AlertmanagerConfig, of_payments(), Some("shop"));
    for (kind, why) in [
        (Kind::ContactPoint, "it has the Secrets of namespace payments"),
        (
            Kind::NotificationPolicy,
            "it was for the alerts of namespace payments",
        ),
    ] {
        let found = of(&other, kind);
        assert_eq!(found.namespace.as_deref(), Some("shop"));
        assert!(
            found.lost.len() == 1 && found.lost[0].starts_with(why),
            "{:?}",
            found.lost
        );
    }
}

#[test]
fn a_branch_keeps_what_it_groups_by_and_groups_as_its_root_where_it_says_nothing() {
    let groups = |group_by: Value| {
        let mut value = of_payments();
        value["spec"]["route"]["groupBy"] = group_by;
        let import = imported(Format::AlertmanagerConfig, value, None);
        let policy = of(&import, Kind::NotificationPolicy);
        assert!(policy.lost.is_empty(), "{:?}", policy.lost);
        let spec = serde_json::to_value(&policy.spec).unwrap();
        spec.get("groupBy").cloned()
    };
    assert_eq!(groups(json!([])), None);
    let usual = json!(["grafana_folder", "alertname"]);
    assert_eq!(groups(usual.clone()), Some(usual));
}

#[test]
fn a_route_that_only_names_its_receiver_is_a_policy_too() {
    let config = json!({
        "route": {"receiver": "a"}, "receivers": [{"name": "a", "webhook_configs": [{"url": "https://a.example"}]}],
    });
    let import = imported(Format::Alertmanager, config, None);
    let lost = &of(&import, Kind::NotificationPolicy).lost;
    assert!(
        lost.len() == 1 && lost[0].starts_with("the root groups by no label"),
        "{lost:?}"
    );
}

#[test]
fn a_policy_tells_of_receivers_that_are_not_carried_over() {
    let config = json!({
        "route": {"receiver": "a", "group_by": ["b"], "routes": [{"receiver": "gone", "matchers": ["c=d"]}]},
        "receivers": [
            {"name": "a", "webhook_configs": [{"url": "https://a.example"}]},
            {"name": "gone", "rocketchat_configs": [{"channel": "x"}]},
        ],
    });
    let import = imported(Format::Alertmanager, config, None);
    let lost = &of(&import, Kind::NotificationPolicy).lost;
    assert!(
        lost.len() == 1 && lost[0].starts_with("routes name receiver gone, which isn't carried over"),
        "{lost:?}"
    );
}

#[test]
fn an_address_that_says_who_asks_is_a_secret() {
    let alertmanager = json!({
        "route": {"receiver": "a"},
        "receivers": [{"name": "a",
            "slack_configs": [{"api_url": "https://slack.example", "channel": "#x", "icon_url": "https://u:s3cr3t@a.example/i.png"}],
            "opsgenie_configs": [{"api_key": "k", "api_url": "https://u:s3cr3t@b.example"}]}],
    });
    let grafana = json!({"apiVersion": 1, "contactPoints": [{"name": "a", "receivers": [
        {"uid": "k", "type": "kafka", "settings": {"kafkaRestProxy": "https://u:s3cr3t@c.example", "kafkaTopic": "t"}},
    ]}]});
    for (format, value, count) in [
        (Format::Alertmanager, alertmanager, 2),
        (Format::GrafanaFile, grafana, 1),
    ] {
        let import = imported(format, value, None);
        let text = serde_json::to_string(&of(&import, Kind::ContactPoint).manifest()).unwrap();
        assert!(!text.contains("s3cr3t"), "{text}");
        let values = import.values.values();
        assert_eq!(values.filter(|value| value.contains("s3cr3t")).count(), count);
    }
}

#[test]
fn what_is_in_files_is_asked_for_or_told() {
    let config = json!({
        "route": {"receiver": "a"},
        "receivers": [{"name": "a",
            "slack_configs": [{"api_url_file": "/url", "channel": "#x", "title_file": "/title"}],
            "webhook_configs": [{"url": "https://a.example", "http_config": {"basic_auth": {"username_file": "/user", "password": "p"}}}]}],
    });
    let import = imported(Format::Alertmanager, config, None);
    let point = of(&import, Kind::ContactPoint);
    assert_eq!(
        point.lost,
        ["slack_configs[0].title_file: what is in the file isn't read"]
    );
    for file in ["api_url_file", "username_file"] {
        assert!(
            point.remarks.iter().any(|remark| remark.contains(file)),
            "{:?}",
            point.remarks
        );
    }
    assert_eq!(point.secrets.len(), 4, "{:?}", point.secrets);
}
