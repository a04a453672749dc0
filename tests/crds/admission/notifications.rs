//! ContactPoints and NotificationPolicies.

use serde_json::{Value, json};

use super::{DURATION, MATCHER, accepted, deep, immutable, mutable, refused, with};

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "one table: a row for each mistake")]
async fn a_bad_contact_point_is_refused_with_its_cure() {
    let secret = json!({"secretKeyRef": {"name": "s", "key": "k"}});
    let url = json!({"value": "https://example.com/hook"});
    let one = |receiver: Value| json!({"integrations": [receiver]});
    let webhook = |more: Value| one(json!({"webhook": with(&json!({"url": url}), more)}));
    let slack = |slack: Value| one(json!({"slack": slack}));
    let types = "give exactly one of alertmanager, dingding, discord, email";
    let table = [
        (json!({}), "spec.integrations"),
        (
            json!({"integrations": []}),
            "give at least one integration: Grafana's provisioning API has no contact point without one. For alerts that nobody is to get, take",
        ),
        (
            json!({"integrations": vec![json!({"webhook": {"url": url}}); 101]}),
            "must have at most 100 items",
        ),
        (one(json!({})), types),
        (
            one(json!({"discord": {"url": url}, "email": {"addresses": ["a@example.com"]}})),
            types,
        ),
        (one(json!({"email": {"addresses": []}})), "addresses"),
        (
            one(json!({"email": {"addresses": ["oncall"]}})),
            "each entry is one e-mail address",
        ),
        (
            one(json!({"email": {"addresses": ["a@example.com; b@example.com"]}})),
            "each entry is one e-mail address",
        ),
        (
            one(json!({"discord": {"url": {"value": "discord.com/api/webhooks/1"}}})),
            "a URL begins with http:// or https://",
        ),
        (
            slack(json!({"url": {"value": "hooks.slack.com/x"}})),
            "a URL begins with http:// or https://",
        ),
        (
            webhook(json!({"url": {"value": "example.com/hook"}})),
            "a URL begins with http:// or https://",
        ),
        (
            one(json!({"discord": {"url": {"value": "[REDACTED]"}}})),
            "[REDACTED] is what Grafana shows in place of a secret; take the secret from a Secret by secretKeyRef",
        ),
        (
            one(json!({"webhook": {"url": {"secretKeyRef": {"name": "My Secret", "key": "k"}}}})),
            "the name of a Secret consists of lower-case letters",
        ),
        (
            one(json!({"webhook": {"url": {"secretKeyRef": {"name": "s", "key": "a/b"}}}})),
            "a key of a Secret consists of letters",
        ),
        (
            one(json!({"pagerduty": {"integrationKey": secret, "severity": "high"}})),
            "PagerDuty knows critical, error, warning and info",
        ),
        (
            one(json!({"pagerduty": {"integrationKey": secret, "severity": ""}})),
            "PagerDuty knows critical, error, warning and info",
        ),
        (
            webhook(json!({"authorizationScheme": "Bearer"})),
            "authorizationScheme goes with authorizationCredentials, which are missing",
        ),
        (
            slack(json!({"url": url, "token": secret, "recipient": "#a"})),
            "give exactly one of url and token",
        ),
        (
            slack(json!({"recipient": "#a"})),
            "give exactly one of url and token",
        ),
        (slack(json!({"token": secret})), "a token needs a recipient"),
        (
            slack(json!({"url": url, "mentionChannel": "all"})),
            "supported values",
        ),
        (slack(json!({"url": "https://example.com"})), "url"),
        (
            one(json!({"discord": {"url": {}}})),
            "give exactly one of value and secretKeyRef",
        ),
        (
            one(json!({"discord": {"url": {"value": "x", "secretKeyRef": {"name": "s", "key": "k"}}}})),
            "give exactly one of value and secretKeyRef",
        ),
        (one(json!({"pagerduty": {}})), "integrationKey"),
        (
            one(json!({"pagerduty": {"integrationKey": {"value": "abc"}}})),
            "integrationKey",
        ),
        (
            one(
                json!({"pagerduty": {"integrationKey": secret, "severity": "x", "severityMap": {"a": "P1"}}}),
            ),
            "give severity or severityMap, not both",
        ),
        (
            one(json!({"pagerduty": {"integrationKey": secret, "severityMap": {"a": "P6"}}})),
            "supported values",
        ),
        (
            one(json!({"pagerduty": {"integrationKey": secret, "severityMap": {"a\"b": "P1"}}})),
            "a severity consists of letters",
        ),
        (
            webhook(json!({"username": "u"})),
            "username and password belong together",
        ),
        (
            webhook(json!({"password": secret})),
            "username and password belong together",
        ),
        (
            webhook(json!({"username": "u", "password": secret, "authorizationCredentials": secret})),
            "or authorizationCredentials, not both",
        ),
        (webhook(json!({"httpMethod": "GET"})), "supported values"),
        (webhook(json!({"maxAlerts": -1})), "greater than or equal to 0"),
        (one(json!({"custom": {"settings": {}}})), "type"),
        (
            one(json!({"custom": {"type": "line", "settings": ["a"]}})),
            "settings",
        ),
    ];
    refused("ContactPoint", &table).await;
}

#[tokio::test]
async fn a_good_contact_point_is_accepted_and_keeps_its_name() {
    let secret = json!({"secretKeyRef": {"name": "s", "key": "k"}});
    let good = json!({"name": "On call", "integrations": [
        {"email": {"addresses": ["a@example.com"]}, "disableResolveMessage": true},
        {"slack": {"url": secret}},
        {"slack": {"token": secret, "recipient": "#alerts", "mentionChannel": "here"}},
        {"discord": {"url": {"value": "https://example.com/hook"}}},
        {"pagerduty": {"integrationKey": secret, "severityMap": {"critical": "P1", "high": "P2"}}},
        {"pagerduty": {"integrationKey": secret, "severity": "{{ .CommonLabels.severity }}", "severityMap": Value::Null, "details": Value::Null}},
        {"webhook": {"url": secret, "username": "u", "password": secret}},
        {"webhook": {"url": secret, "authorizationScheme": "Bearer", "authorizationCredentials": secret}},
        {"custom": {"type": "line", "settings": {"deep": {"er": 1}}, "secureSettings": {"token": secret}}},
    ]});
    let many = json!({"integrations": vec![json!({"email": {"addresses": ["a@example.com"]}}); 100]});
    let nulls = json!({"deletionPolicy": Value::Null, "integrations": [
        {"slack": {"url": secret, "mentionChannel": Value::Null}},
        {"webhook": {"url": secret, "httpMethod": Value::Null, "headers": Value::Null}},
    ]});
    accepted("ContactPoint", &[good.clone(), many.clone(), nulls]).await;
    // Writing the default out changes nothing, and neither does leaving it out again.
    let named = with(&many, json!({"name": "on-call"}));
    mutable("ContactPoint", "on-call", &many, &named).await;
    mutable("ContactPoint", "on-call", &named, &many).await;
    let table = [
        (
            good.clone(),
            with(&good, json!({"name": "other"})),
            "spec.name: Invalid value: name is immutable: create a second ContactPoint and refer to it",
        ),
        (
            good.clone(),
            with(&good, json!({"name": null})),
            "name is immutable",
        ),
        (many, named, "name is immutable"),
        (
            good.clone(),
            with(&good, json!({"instance": "other"})),
            "instance is immutable",
        ),
    ];
    immutable("ContactPoint", &table).await;
}

/// What is said of a root with what only a branch can have.
const OF_A_BRANCH: &str = "matchers, priority and exclusive belong to a branch, which names its root in parentRef; a root takes every alert";
const ALL_LABELS: &str = "... means all labels and must stand alone";
const DEFAULT_TREE: &str = "this is what Grafana calls the default tree: leave tree out for that one";
const TREE_NAME: &str = "a tree has small letters, digits, - and . in its name";
const ALWAYS_ACTIVE: &str = "a root is always active: name time intervals in its routes, or in a branch, which names its root in parentRef";

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "one table: a row for each mistake")]
async fn a_bad_notification_policy_is_refused_with_its_cure() {
    let root = json!({"receiver": "a"});
    let branch = json!({"receiver": "a", "parentRef": {"name": "tree"}});
    let route = |route: Value| with(&root, json!({"routes": [route]}));
    let table = [
        (json!({}), "give exactly one of receiver and receiverRef"),
        (
            with(&root, json!({"receiverRef": {"name": "b"}})),
            "give exactly one of receiver and receiverRef",
        ),
        (
            json!({"receiverRef": {}}),
            "give exactly one of name and grafanaName",
        ),
        (
            json!({"receiverRef": {"name": "a", "grafanaName": "b"}}),
            "give exactly one of name and grafanaName",
        ),
        (
            json!({"receiverRef": {"grafanaName": "a", "namespace": "b"}}),
            "namespace goes with name",
        ),
        (with(&root, json!({"groupWait": "thirty seconds"})), DURATION),
        (with(&root, json!({"repeatInterval": "1s1h"})), DURATION),
        (route(deep(2, json!({"groupInterval": "5 min"}))), DURATION),
        (with(&root, json!({"groupInterval": "0s"})), "must be more than 0"),
        (
            route(deep(2, json!({"repeatInterval": "0"}))),
            "must be more than 0",
        ),
        (with(&root, json!({"groupBy": ["...", "team"]})), ALL_LABELS),
        (route(deep(2, json!({"groupBy": ["...", "team"]}))), ALL_LABELS),
        (route(json!({"matchers": ["severity"]})), MATCHER),
        (route(json!({"matchers": ["severity==critical"]})), MATCHER),
        (
            route(json!({"receiver": "a", "receiverRef": {"name": "b"}})),
            "give receiver or receiverRef, not both",
        ),
        (
            route(json!({"muteTimeIntervals": [""]})),
            "spec.routes[0].muteTimeIntervals[0]",
        ),
        (
            route(json!({"activeTimeIntervalRefs": [{"name": "a", "grafanaName": "b"}]})),
            "give exactly one of name and grafanaName",
        ),
        (
            route(json!({"muteTimeIntervalRefs": [{"namespace": "a", "grafanaName": "b"}]})),
            "namespace goes with name",
        ),
        (
            with(&root, json!({"parentRef": {}})),
            "spec.parentRef.name: Required value",
        ),
        (
            with(&root, json!({"parentRef": {"name": ""}})),
            "spec.parentRef.name",
        ),
        (
            with(&branch, json!({"tree": "batch"})),
            "a branch stands in the tree of its root: leave tree out",
        ),
        (with(&root, json!({"tree": "user-defined"})), DEFAULT_TREE),
        (with(&root, json!({"tree": "default"})), DEFAULT_TREE),
        (with(&root, json!({"tree": "Batch"})), TREE_NAME),
        (with(&root, json!({"tree": "a:b"})), TREE_NAME),
        (with(&root, json!({"tree": "-a"})), TREE_NAME),
        (with(&root, json!({"tree": "a..b"})), TREE_NAME),
        (with(&root, json!({"tree": ""})), "spec.tree"),
        (with(&root, json!({"tree": "a".repeat(41)})), "spec.tree"),
        (with(&root, json!({"priority": 1})), OF_A_BRANCH),
        (with(&root, json!({"exclusive": false})), OF_A_BRANCH),
        (with(&root, json!({"matchers": ["a=b"]})), OF_A_BRANCH),
        (
            with(&root, json!({"muteTimeIntervals": ["nights"]})),
            ALWAYS_ACTIVE,
        ),
        (
            with(
                &root,
                json!({"muteTimeIntervalRefs": [{"grafanaName": "nights"}]}),
            ),
            ALWAYS_ACTIVE,
        ),
        (
            with(&root, json!({"activeTimeIntervals": ["office"]})),
            ALWAYS_ACTIVE,
        ),
        (
            with(&root, json!({"activeTimeIntervalRefs": [{"name": "office"}]})),
            ALWAYS_ACTIVE,
        ),
        (
            with(&branch, json!({"muteTimeIntervalRefs": [{}]})),
            "give exactly one of name and grafanaName",
        ),
        (
            with(&branch, json!({"matchers": ["severity"]})),
            "write one matcher an entry",
        ),
        (with(&branch, json!({"priority": "high"})), "spec.priority"),
        (
            json!({"parentRef": {"name": "tree"}}),
            "give exactly one of receiver and receiverRef",
        ),
        (
            route(deep(3, json!({"receiver": "a", "receiverRef": {"name": "b"}}))),
            "give receiver or receiverRef, not both",
        ),
        (
            route(deep(
                3,
                json!({"receiverRef": {"grafanaName": "a", "namespace": "b"}}),
            )),
            "namespace goes with name",
        ),
    ];
    refused("NotificationPolicy", &table).await;
}

#[tokio::test]
async fn a_good_notification_policy_is_accepted() {
    let table = [
        json!({"receiver": "a"}),
        json!({"receiverRef": {"name": "a", "namespace": "other"}}),
        json!({"receiver": "a", "tree": "batch"}),
        json!({"receiver": "a", "tree": "0.batch-jobs.of-the-night"}),
        json!({"receiver": "a", "tree": "a".repeat(40)}),
        json!({"receiver": "a", "parentRef": {"name": "tree"}}),
        json!({"receiver": "a", "parentRef": {"name": "tree", "namespace": "platform"}, "priority": -10, "exclusive": true,
            "matchers": ["severity!=\"info\""], "routes": [{"matchers": ["severity=\"critical\""], "receiver": "b"}]}),
        json!({"receiverRef": {"grafanaName": "grafana-default-email"}, "groupBy": ["..."], "routes": [
            {"matchers": ["severity=\"critical\"", "team=~\"a|b\"", "env!=dev", "zone !~ \"x.*\""], "continue": true, "groupWait": "0s",
             "routes": [{"receiver": "a", "routes": [{"receiverRef": {"name": "b"}, "repeatInterval": "1d12h"}]}]},
        ]}),
    ];
    accepted("NotificationPolicy", &table).await;
    let routes = |route: Value| with(&table[0], json!({"routes": [route]}));
    let matchers = json!([
        "a=\"\"",
        " a =~ b",
        "\"a = b\"!=c",
        "\"a\\\"=\" = d",
        "a!~\"=~\"",
        "__alertwright__=~\"c/shop/.*\""
    ]);
    accepted("NotificationPolicy", &[routes(json!({"matchers": matchers}))]).await;
    let nulls = json!({"muteTimeIntervals": Value::Null, "matchers": Value::Null, "receiverRef": Value::Null, "groupBy": Value::Null, "routes": Value::Null, "receiver": "a"});
    // What an API server can't afford to look for in a whole tree: the operator refuses it, in its own words.
    let costly = [
        routes(deep(2, json!({"matchers": ["severity"]}))),
        routes(deep(3, json!({"groupBy": ["...", "team"]}))),
        routes(deep(3, json!({"repeatInterval": "0s"}))),
        routes(deep(4, json!({"receiver": "a", "receiverRef": {"name": "b"}}))),
        routes(deep(3, json!({"groupWait": "5 min"}))),
        routes(deep(6, json!({"receiver": "a"}))),
        routes(deep(4, json!({"muteTimeIntervals": ["weekends"]}))),
    ];
    accepted("NotificationPolicy", &costly).await;
    let fine = [
        routes(deep(5, json!({"receiver": "a"}))),
        routes(nulls.clone()),
        routes(deep(5, nulls)),
    ];
    accepted("NotificationPolicy", &fine).await;
    let other = with(&table[0], json!({"instance": "other"}));
    let branch = with(&table[0], json!({"parentRef": {"name": "tree"}}));
    let turned = "a root can't become a branch, nor a branch a root";
    let fixed = [
        (table[0].clone(), other, "instance is immutable"),
        (table[0].clone(), branch.clone(), turned),
        (branch.clone(), table[0].clone(), turned),
        (
            table[0].clone(),
            with(&table[0], json!({"tree": "batch"})),
            "tree is immutable",
        ),
        (
            with(&table[0], json!({"tree": "batch"})),
            table[0].clone(),
            "tree is immutable",
        ),
        (
            with(&table[0], json!({"tree": "batch"})),
            with(&table[0], json!({"tree": "other"})),
            "tree is immutable",
        ),
    ];
    immutable("NotificationPolicy", &fixed).await;
    let elsewhere = with(&table[0], json!({"parentRef": {"name": "other"}, "priority": 3}));
    mutable("NotificationPolicy", "moved", &branch, &elsewhere).await;
}
