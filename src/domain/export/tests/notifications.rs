//! Contact points, trees, and what they are made with.

use serde_json::from_value;

use super::*;
use crate::api::SilenceSpec;
use crate::api::matcher::MatcherText;
use crate::grafana::model::Integration;

fn integration(type_: &str, settings: Value) -> Integration {
    Integration {
        uid: format!("of-{type_}"),
        r#type: type_.to_owned(),
        settings: from_value(settings).unwrap(),
        ..Integration::default()
    }
}

fn point(name: &str, integrations: Vec<Integration>) -> Found<ContactPoint> {
    found(ContactPoint {
        name: name.to_owned(),
        integrations,
    })
}

#[test]
fn integrations_have_their_own_words_and_references_in_the_place_of_secrets() {
    let held = Holdings {
        contact_points: vec![point(
            "On call",
            vec![
                integration(
                    "email",
                    json!({"addresses": "a@example.com;b@example.com", "singleEmail": false}),
                ),
                integration(
                    "slack",
                    json!({"url": "[REDACTED]", "recipient": "#alerts", "icon_url": "https://x/y.png"}),
                ),
                integration("slack", json!({"token": "[REDACTED]", "recipient": "#more"})),
                integration(
                    "pagerduty",
                    json!({"integrationKey": "[REDACTED]", "details": {"a": "b"}}),
                ),
                integration(
                    "webhook",
                    json!({"url": "https://example.com", "maxAlerts": "5", "headers": {"X-Key": "[REDACTED]", "X-Team": "web"},
                           "hmacConfig": {"secret": "[REDACTED]", "header": "X-Sig"}}),
                ),
            ],
        )],
        ..Holdings::default()
    };
    let export = exported(&held, &asked());
    let secret = |key: &str| json!({"secretKeyRef": {"name": "secrets", "key": format!("on-call.{key}")}});
    let expected = json!({"name": "On call", "integrations": [
        {"email": {"addresses": ["a@example.com", "b@example.com"], "singleEmail": false}},
        {"slack": {"url": secret("slack.url"), "recipient": "#alerts", "iconURL": "https://x/y.png"}},
        {"slack": {"token": secret("slack-2.token"), "recipient": "#more"}},
        {"pagerduty": {"integrationKey": secret("pagerduty.integrationKey"), "details": {"a": "b"}}},
        {"webhook": {
            "url": {"value": "https://example.com"}, "maxAlerts": 5,
            "headers": {"X-Key": secret("webhook.headers.X-Key"), "X-Team": {"value": "web"}},
            "hmacConfig": {"secret": secret("webhook.hmacConfig.secret"), "header": "X-Sig"},
        }},
    ]});
    assert_eq!(specs(&export)["on-call"], expected);
    let [resource] = export.resources.as_slice() else {
        panic!()
    };
    assert!(resource.changes.is_empty(), "{resource:#?}");
    assert_eq!(resource.secrets.len(), 5);
    assert!(export.is_whole());
}

#[test]
fn a_mail_to_each_address_is_one_where_nothing_says_so() {
    let held = Holdings {
        contact_points: vec![point(
            "x",
            vec![integration("email", json!({"addresses": "a@example.com"}))],
        )],
        ..Holdings::default()
    };
    let export = exported(&held, &asked());
    assert_eq!(
        specs(&export)["x"]["integrations"],
        json!([{"email": {"addresses": ["a@example.com"]}}])
    );
    assert!(export.resources[0].changes.is_empty(), "{export:#?}");
}

#[test]
fn what_has_no_words_of_its_own_is_written_in_grafanas() {
    let cases = [
        integration(
            "email",
            json!({"addresses": "a@example.com, b@example.com", "singleEmail": false}),
        ),
        integration(
            "slack",
            json!({"url": "[REDACTED]", "title": "", "new_in_99": {"deep": "[REDACTED]", "x": 1}}),
        ),
        integration("carrier-pigeon", json!({"loft": "[REDACTED]", "count": 3})),
        integration(
            "opsgenie",
            json!({"apiKey": "in the clear", "apiUrl": "https://api.opsgenie.com/v2/alerts"}),
        ),
    ];
    for integration in cases {
        let held = Holdings {
            contact_points: vec![point("x", vec![integration.clone()])],
            ..Holdings::default()
        };
        let export = exported(&held, &asked());
        let spec = &specs(&export)["x"];
        let custom = &spec["integrations"][0]["custom"];
        assert_eq!(custom["type"], integration.r#type.as_str(), "{spec}");
        assert!(!spec.to_string().contains("REDACTED"), "{spec}");
        assert!(
            export.resources[0].changes.is_empty() && export.is_whole(),
            "{export:#?}"
        );
    }
}

#[test]
fn what_a_grafana_begins_with_is_left_out_until_somebody_changes_it() {
    let with = |name: &str, addresses: &[&str], uid: &str| {
        let mails = addresses.iter().map(|addresses| Integration {
            uid: uid.to_owned(),
            ..integration("email", json!({"addresses": addresses}))
        });
        let held = Holdings {
            contact_points: vec![point(name, mails.collect())],
            ..Holdings::default()
        };
        let export = exported(&held, &asked());
        (export.resources.len(), export.left.len())
    };
    let count = |name: &str, addresses: &[&str]| with(name, addresses, "u").0;
    assert_eq!(with("email receiver", &["<example@email.com>"], ""), (0, 0));
    assert_eq!(with("email receiver", &["a@example.com"], ""), (0, 1));
    assert_eq!(count("grafana-default-email", &["<example@email.com>"]), 0);
    assert_eq!(count("empty", &[]), 0);
    assert_eq!(count("grafana-default-email", &["a@example.com"]), 1);
    assert_eq!(count("mails", &["<example@email.com>"]), 1);
}

fn tree(tree: Value) -> Found<Route> {
    found(from_value(tree).unwrap())
}

#[test]
fn a_tree_refers_to_resources_where_they_are_and_to_grafanas_names_else() {
    let held = Holdings {
        contact_points: vec![point("On call", vec![integration("LINE", json!({"token": "[REDACTED]"}))])],
        time_intervals: vec![found(
            from_value(json!({"name": "Nights", "time_intervals": [
                {"times": [{"start_time": "00:00", "end_time": "06:30"}], "weekdays": ["monday:friday"], "months": ["1:3", "12"]},
            ]}))
            .unwrap(),
        )],
        templates: vec![found(Template {
            name: "Texts".to_owned(),
            content: "{{ define \"x\" }}\n  {{ .Status }}\n{{ end }}".to_owned(),
        })],
        trees: vec![(
            TreeName::default(),
            tree(json!({
                "receiver": "On call", "group_by": ["grafana_folder", "alertname"], "repeat_interval": "1h", "routes": [
                    {"receiver": "other", "object_matchers": [["severity", "=", "critical"], ["team", "=~", "a|b"]], "continue": true,
                     "mute_time_intervals": ["Nights", "gone"], "group_by": ["..."], "routes": [
                        {"receiver": "On call", "matchers": ["x!=\"y z\""]}, {"match": {"a": "b"}, "match_re": {"c": "d.*"}}]},
                    {"object_matchers": [["team", "!=", ""]], "group_wait": "0s"},
                ],
            })),
        )],
        ..Holdings::default()
    };
    let export = exported(&held, &asked());
    let specs = specs(&export);
    let expected = json!({
        "receiver": "on-call", "repeatInterval": "1h", "routes": [
            {"receiverRef": {"grafanaName": "other"}, "matchers": ["severity=\"critical\"", "team=~\"a|b\""], "continue": true,
             "muteTimeIntervals": ["nights"], "muteTimeIntervalRefs": [{"grafanaName": "gone"}], "groupBy": ["..."], "routes": [
                {"receiver": "on-call", "matchers": ["x!=\"y z\""]}, {"matchers": ["a=\"b\"", "c=~\"d.*\""]}]},
            {"matchers": ["team!=\"\""], "groupWait": "0s"},
        ],
    });
    assert_eq!(specs["root"], expected);
    assert_eq!(specs["nights"]["name"], "Nights");
    assert_eq!(specs["texts"]["template"], held.templates[0].object.content);
    assert!(
        export
            .resources
            .iter()
            .all(|resource| resource.changes.is_empty()),
        "{export:#?}"
    );
    assert!(export.is_whole());
}

#[test]
fn a_tree_of_ours_and_one_that_nobody_has_made_are_left_out() {
    let ours = json!({"receiver": "a", "routes": [
        {"object_matchers": [["__alertwright_tree__", "=", "prod/shop/root"], ["__alertwright_tree__", "!=", "prod/shop/root"]]},
        {"receiver": "b", "object_matchers": [["x", "=", "y"]]},
    ]});
    let of = |route: Value, includes_ours| {
        let held = Holdings {
            trees: vec![(TreeName::default(), tree(route))],
            ..Holdings::default()
        };
        let asked = Asked {
            includes_ours,
            ..asked()
        };
        let export = exported(&held, &asked);
        (export.resources.len(), export.ours)
    };
    assert_eq!(of(json!({"receiver": "grafana-default-email"}), false), (0, 0));
    assert_eq!(of(ours.clone(), false), (0, 1));
    assert_eq!(of(ours, true), (1, 0));
}

#[test]
fn what_a_tree_says_that_no_resource_can_is_told() {
    let held = Holdings {
        trees: vec![(
            TreeName("team-a".to_owned()),
            tree(
                json!({"receiver": "a", "group_by": [], "routes": [{"object_matchers": [["x", "=", "y"]], "new_in_99": 1}]}),
            ),
        )],
        ..Holdings::default()
    };
    let export = exported(&held, &asked());
    assert_eq!(specs(&export)["team-a"]["tree"], "team-a");
    let lost = &export.resources[0].lost;
    assert_eq!(lost.len(), 2, "{lost:?}");
    assert!(lost[0].starts_with("new_in_99 of the root, route 0"), "{lost:?}");
    assert_eq!(export.resources[0].changes, ["its routes"]);
}

#[test]
fn a_silence_that_is_not_over_is_kept_as_it_is_and_adopted_by_its_id() {
    let silence = |id: &str, state: &str, starts: &str, ends: &str, by: &str| {
        let silence = json!({
            "id": id, "matchers": [{"name": "team", "value": "web|api", "isRegex": true, "isEqual": true},
                                    {"name": "a b", "value": "x\"y", "isRegex": false, "isEqual": false}],
            "startsAt": starts, "endsAt": ends, "createdBy": by, "comment": "Move of the database: on Friday", "status": {"state": state},
        });
        from_value(silence).unwrap()
    };
    let (past, later, end) = (
        "2026-11-27T11:00:00Z",
        "2026-11-27T13:00:00Z",
        "2026-11-27T18:00:00.5Z",
    );
    let held = Holdings {
        silences: vec![
            silence("1", "active", past, end, "ann"),
            silence("2", "pending", later, end, "ann"),
            silence("3", "expired", past, later, "ann"),
            silence("4", "active", past, end, "alertwright prod/shop/x"),
        ],
        ..Holdings::default()
    };
    let export = exported(&held, &asked());
    assert_eq!((export.resources.len(), export.ours), (2, 1));
    for (resource, id, begins) in [
        (&export.resources[0], "1", None),
        (&export.resources[1], "2", Some(later)),
    ] {
        assert!(resource.changes.is_empty(), "{resource:#?}");
        assert_eq!(resource.adopts.as_deref(), Some(id));
        let spec: SilenceSpec = from_value(serde_json::to_value(&resource.spec).unwrap()).unwrap();
        let starts = spec.starts_at.map(|time| time.0.to_string());
        assert_eq!(starts.as_deref(), begins);
        let texts: Vec<&str> = spec.matchers.iter().map(MatcherText::as_str).collect();
        assert_eq!(texts, ["team=~\"web|api\"", "\"a b\"!=\"x\\\"y\""]);
    }
    assert_eq!(export.resources[0].name, "move-of-the-database-on-friday");
    assert_eq!(export.resources[1].name, "move-of-the-database-on-friday-2");
}

#[test]
fn a_contact_point_that_a_resource_has_is_left_out_though_it_carries_no_mark() {
    let held = Holdings {
        contact_points: vec![point(
            "taken",
            vec![integration("email", json!({"addresses": "a@example.com"}))],
        )],
        ..Holdings::default()
    };
    let of = |name: &str| {
        let asked = Asked {
            contact_points_of_resources: [name.to_owned()].into(),
            ..asked()
        };
        let export = exported(&held, &asked);
        (export.ours, export.resources.len())
    };
    assert_eq!((of("taken"), of("other")), ((1, 0), (0, 1)));
}
