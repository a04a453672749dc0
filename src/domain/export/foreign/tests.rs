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

#[test]
fn an_address_within_a_list_that_says_who_asks_is_left_out_and_told() {
    let alertmanager = json!({
        "route": {"receiver": "a"},
        "receivers": [{"name": "a",
            "pagerduty_configs": [{"routing_key": "k", "details": {"runbook": "https://u:s3cr3t@a.example"}}],
            "opsgenie_configs": [{"api_key": "k", "responders": [{"name": "https://u:s3cr3t@b.example", "type": "team"}]}]}],
    });
    let grafana = json!({"apiVersion": 1, "contactPoints": [{"name": "a", "receivers": [
        {"uid": "k", "type": "kafka", "settings": {"kafkaRestProxy": "https://c.example", "kafkaTopic": "t", "brokers": [{"at": "https://u:s3cr3t@d.example"}]}},
        {"uid": "l", "type": "webhook", "settings": {"url": "https://e.example", "more": {"all": ["https://u:s3cr3t@f.example"]}}},
    ]}]});
    for (format, value) in [
        (Format::Alertmanager, alertmanager),
        (Format::GrafanaFile, grafana),
    ] {
        let import = imported(format, value, None);
        let point = of(&import, Kind::ContactPoint);
        let text = serde_json::to_string(&point.manifest()).unwrap();
        assert!(!text.contains("s3cr3t"), "{text}");
        let told = point
            .lost
            .iter()
            .filter(|lost| lost.contains("an address in it says who asks"));
        assert_eq!(told.count(), 2, "{:?}", point.lost);
    }
}

#[test]
fn secrets_of_another_namespace_are_told_with_what_to_copy() {
    let point = json!({
        "apiVersion": "grafana.integreatly.org/v1beta1", "kind": "GrafanaContactPoint", "metadata": {"name": "a", "namespace": "grafana"},
        "spec": {"name": "a", "type": "slack", "settings": {"recipient": "#x"}, "valuesFrom": [
            {"targetPath": "url", "valueFrom": {"secretKeyRef": {"name": "slack", "key": "url"}}},
        ]},
    });
    let of = |namespace: Option<&str>| {
        let import = imported(Format::GrafanaOperator, point.clone(), namespace);
        let made = of(&import, Kind::ContactPoint);
        (made.lost.clone(), made.remarks.clone())
    };
    let (lost, remarks) = of(None);
    let said = "It refers to Secrets of namespace grafana: apply it there, or copy slack to where it is";
    assert!(
        lost.is_empty() && remarks.iter().any(|remark| remark == said),
        "{remarks:?}"
    );
    let (lost, remarks) = of(Some("grafana"));
    assert!(
        lost.is_empty() && !remarks.iter().any(|remark| remark.contains("Secrets of")),
        "{remarks:?}"
    );
    let (lost, _) = of(Some("shop"));
    assert_eq!(
        lost,
        ["it has the Secrets of namespace grafana: copy slack into shop"]
    );
}

#[test]
fn variables_of_a_group_are_told_with_its_rules_and_texts_without_any_stay_as_they_are() {
    let rule = |title: &str| json!({"title": title, "condition": "A", "data": [{"refId": "A", "datasourceUid": "p", "relativeTimeRange": {"from": 600}, "model": {"expr": "y"}}]});
    let file = json!({
        "apiVersion": 1,
        "groups": [
            {"name": "g ${STAGE}", "folder": "$$5 $__file{/run/folder}", "interval": "$EVERY", "rules": [rule("One"), rule("Two")]},
            {"name": "plain", "folder": "$$5", "interval": "1m", "rules": [rule("Three")]},
        ],
        "muteTimes": [{"name": "$$nights", "time_intervals": [{"months": ["1"]}]}],
        "templates": [{"name": "t", "template": "{{ define \"a\" }}$COST $$5{{ end }}"}],
    });
    let import = imported(Format::GrafanaFile, file, None);
    let made = |name: &str| {
        let mut all = import.made.iter().map(|made| &made.resource);
        all.find(|resource| resource.name == name).unwrap()
    };
    let told = ["$EVERY", "$__file{/run/folder}", "${STAGE}"].map(|name| {
        format!(
            "{name} is a variable of Grafana's, and stands here as it is written: put in what it stands for"
        )
    });
    assert_eq!(made("one").lost, told);
    assert_eq!(made("two").lost, told);
    assert!(made("three").lost.is_empty());
    let interval = of(&import, Kind::TimeInterval);
    assert_eq!((interval.called.as_str(), interval.lost.len()), ("$$nights", 0));
    let template = of(&import, Kind::NotificationTemplate);
    assert!(template.lost.is_empty(), "{:?}", template.lost);
    let spec = serde_json::to_string(&template.spec).unwrap();
    assert!(spec.contains("$COST $$5"), "{spec}");
}

#[test]
fn variables_of_grafanas_files_are_told_and_secret_ones_are_to_be_filled_in() {
    let file = json!({
        "apiVersion": 1,
        "groups": [{"name": "g", "folder": "f", "interval": "1m", "rules": [
            {"title": "Own", "condition": "A", "labels": {"team": "$TEAM"}, "annotations": {"a": "{{ $labels.b }} 5$$"}, "data": [{"refId": "A", "datasourceUid": "p", "relativeTimeRange": {"from": 600}, "model": {"expr": "x{a=~\"$B\"}"}}]},
            {"title": "None", "condition": "A", "labels": {"cost": "$$5"}, "data": [{"refId": "A", "datasourceUid": "p", "relativeTimeRange": {"from": 600}, "model": {"expr": "y"}}]},
        ]}],
        "contactPoints": [{"name": "a", "receivers": [
            {"uid": "k", "type": "webhook", "settings": {"url": "https://a.example/${KEY}", "password": "$$ecret", "username": "$__env{NAME}"}},
        ]}],
    });
    let import = imported(Format::GrafanaFile, file, None);
    let lost = |name: &str| {
        let made = import
            .made
            .iter()
            .find(|made| made.resource.name == name)
            .unwrap();
        made.resource.lost.clone()
    };
    let told = |name: &str| {
        format!(
            "{name} is a variable of Grafana's, and stands here as it is written: put in what it stands for"
        )
    };
    assert_eq!(lost("own"), [told("$TEAM")]);
    assert!(lost("none").is_empty());
    let point = of(&import, Kind::ContactPoint);
    assert_eq!(point.lost, [told("$__env{NAME}")]);
    assert!(
        point
            .remarks
            .iter()
            .any(|remark| remark.starts_with("url is a variable")),
        "{:?}",
        point.remarks
    );
    // A dollar that is written twice begins no variable.
    assert_eq!(import.values.values().collect::<Vec<_>>(), ["$ecret"]);
}

#[test]
fn a_receiver_that_there_is_none_of_is_told() {
    let config = |receiver: &str| {
        json!({
            "route": {"receiver": "mail", "routes": [{"receiver": receiver, "matchers": ["a=b"]}]},
            "receivers": [{"name": "mail", "webhook_configs": [{"url": "http://hook"}]}],
        })
    };
    let lost = |receiver: &str| {
        let import = imported(Format::Alertmanager, config(receiver), None);
        of(&import, Kind::NotificationPolicy).lost.join("; ")
    };
    assert!(lost("missing").contains("routes name receiver missing, which there is none of"));
    assert!(!lost("mail").contains("routes name"));
}

#[test]
fn rules_stay_in_their_namespace_unless_another_one_is_asked_for() {
    let rules = json!({
        "apiVersion": "monitoring.coreos.com/v1", "kind": "PrometheusRule", "metadata": {"name": "r", "namespace": "shop"},
        "spec": {"groups": [{"name": "a", "rules": [{"alert": "Down", "expr": "up == 0"}]}]},
    });
    let of = |asked: Option<&str>| {
        let import = imported(Format::PrometheusRule, rules.clone(), asked);
        of(&import, Kind::AlertRule).namespace.clone()
    };
    assert_eq!(of(None).as_deref(), Some("shop"));
    assert_eq!(of(Some("other")).as_deref(), Some("other"));
}

#[test]
fn a_webhook_keeps_its_headers_and_how_it_connects() {
    let config = json!({
        "route": {"receiver": "a"}, "receivers": [{"name": "a", "webhook_configs": [{"url": "https://a.example"}]}],
    });
    let connects = |http: Value| {
        let mut config = config.clone();
        config["receivers"][0]["webhook_configs"][0]["http_config"] = http;
        let import = imported(Format::Alertmanager, config, None);
        let manifest = serde_json::to_value(of(&import, Kind::ContactPoint).manifest()).unwrap();
        assert!(!manifest.to_string().contains("s3cr3t"), "{manifest}");
        let integration = manifest["spec"]["integrations"][0].clone();
        (integration, of(&import, Kind::ContactPoint).lost.clone())
    };
    let (own, lost) = connects(json!({
        "http_headers": {"X-Scope-OrgID": {"values": ["acme"]}, "X-Key": {"secrets": ["s3cr3t-key"]}, "X-Two": {"values": ["1", "2"]}},
        "tls_config": {"insecure_skip_verify": true, "ca": "s3cr3t-ca", "server_name": "b"},
    }));
    let webhook = &own["webhook"];
    assert_eq!(webhook["headers"]["X-Scope-OrgID"]["value"], "acme", "{own:#}");
    assert!(webhook["headers"]["X-Key"]["secretKeyRef"].is_object(), "{own:#}");
    assert_eq!(webhook["tlsConfig"]["insecureSkipVerify"], true, "{own:#}");
    assert!(webhook["tlsConfig"]["ca"]["secretKeyRef"].is_object(), "{own:#}");
    let places: Vec<&str> = lost.iter().filter_map(|lost| lost.split(": ").next()).collect();
    assert_eq!(
        places,
        [
            "webhook_configs[0].http_config.http_headers.X-Two",
            "webhook_configs[0].http_config.tls_config.server_name"
        ]
    );
    let (own, lost) = connects(json!({
        "oauth2": {"client_id": "me", "client_secret": "s3cr3t-oauth", "token_url": "https://t.example", "scopes": ["x"], "proxy_url": "http://p.example"},
    }));
    assert!(lost.is_empty(), "{lost:?}");
    let oauth2 = &own["custom"]["settings"]["http_config"]["oauth2"];
    assert_eq!(
        (&oauth2["client_id"], &oauth2["scopes"]),
        (&json!("me"), &json!(["x"])),
        "{own:#}"
    );
    assert_eq!(oauth2["proxy_config"]["proxy_url"], "http://p.example", "{own:#}");
    let secure = &own["custom"]["secureSettings"];
    assert!(secure["http_config.oauth2.client_secret"].is_object(), "{own:#}");
}

#[test]
fn a_receiver_that_sends_nothing_and_has_the_name_of_an_interval_is_muted_by_another_one() {
    let config = json!({
        "route": {"receiver": "a", "group_by": ["b"], "routes": [
            {"receiver": "null", "matchers": ["c=d"], "mute_time_intervals": ["null"]},
        ]},
        "receivers": [
            {"name": "a", "webhook_configs": [{"url": "https://a.example"}]},
            {"name": "null"},
        ],
        "time_intervals": [{"name": "null", "time_intervals": [{"weekdays": ["saturday"]}]}],
    });
    let import = imported(Format::Alertmanager, config, None);
    assert!(import.is_whole(), "{import:?}");
    let policy = serde_json::to_value(&of(&import, Kind::NotificationPolicy).spec).unwrap();
    assert_eq!(
        policy["routes"][0]["muteTimeIntervals"],
        json!(["null", "null-muted"]),
        "{policy:#}"
    );
    let intervals = import
        .made
        .iter()
        .filter(|made| made.resource.spec.kind() == Kind::TimeInterval);
    assert_eq!(intervals.count(), 2);
}
