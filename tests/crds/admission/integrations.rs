//! The types of integrations of a ContactPoint.

use serde_json::{Value, json};

use super::{accepted, refused, with};

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "one table: a row for each mistake")]
async fn a_bad_integration_is_refused_with_its_cure() {
    let secret = json!({"secretKeyRef": {"name": "s", "key": "k"}});
    let url = json!({"value": "https://example.com/hook"});
    let text = json!({"configMapKeyRef": {"name": "m", "key": "k"}});
    let one = |type_: &str, base: Value, more: Value| json!({"integrations": [{type_: with(&base, more)}]});
    let webhook = |more: Value| one("webhook", json!({"url": url}), more);
    let oauth2 = |more: Value| {
        let base = json!({"tokenURL": "https://example.com/token", "clientID": "a", "clientSecret": secret});
        webhook(json!({"httpConfig": {"oauth2": with(&base, more)}}))
    };
    let jira = |more: Value| {
        let base = json!({"apiURL": "https://example.com/rest/api/3", "apiToken": secret, "project": "P", "issueType": "Bug"});
        one("jira", base, more)
    };
    let kafka = |more: Value| {
        one(
            "kafka",
            json!({"restProxyURL": "http://kafka:8082", "topic": "t"}),
            more,
        )
    };
    let mqtt = |more: Value| {
        one(
            "mqtt",
            json!({"brokerURL": "tcp://broker:1883", "topic": "t"}),
            more,
        )
    };
    let opsgenie = |more: Value| one("opsgenie", json!({"apiKey": secret}), more);
    let pushover = |more: Value| one("pushover", json!({"apiToken": secret, "userKey": secret}), more);
    let sns = |more: Value| one("sns", json!({"phoneNumber": "+390000000000"}), more);
    let telegram = |more: Value| one("telegram", json!({"botToken": secret, "chatID": "1"}), more);
    let threema = |more: Value| {
        let base = json!({"gatewayID": "*ABCDEFG", "recipientID": "ABCDEFGH", "apiSecret": secret});
        one("threema", base, more)
    };
    let wecom = |more: Value| one("wecom", json!({}), more);
    let table = [
        (
            one(
                "teams",
                json!({"url": url}),
                json!({"message": "a", "messageFrom": text}),
            ),
            "give message or messageFrom, not both",
        ),
        (
            one(
                "slack",
                json!({"url": url}),
                json!({"text": "a", "textFrom": text}),
            ),
            "give text or textFrom, not both",
        ),
        (
            opsgenie(json!({"description": "a", "descriptionFrom": text})),
            "give description or descriptionFrom, not both",
        ),
        (
            kafka(json!({"details": "a", "detailsFrom": text})),
            "give details or detailsFrom, not both",
        ),
        (
            one(
                "teams",
                json!({"url": url}),
                json!({"messageFrom": {"configMapKeyRef": {"name": "My Map", "key": "k"}}}),
            ),
            "the name of a ConfigMap consists of lower-case letters",
        ),
        (
            one(
                "teams",
                json!({"url": url}),
                json!({"messageFrom": {"configMapKeyRef": {"name": "m", "key": "a/b"}}}),
            ),
            "a key of a ConfigMap consists of letters",
        ),
        (
            one("teams", json!({"url": url}), json!({"messageFrom": {}})),
            "configMapKeyRef",
        ),
        (
            one("alertmanager", json!({"urls": []}), json!({})),
            "should have at least 1 items",
        ),
        (
            one(
                "alertmanager",
                json!({"urls": ["http://a:9093,http://b:9093"]}),
                json!({}),
            ),
            "each entry is one URL",
        ),
        (
            one(
                "alertmanager",
                json!({"urls": ["http://a:9093"]}),
                json!({"username": "u"}),
            ),
            "username and password belong together",
        ),
        (
            one("dingding", json!({"url": url}), json!({"messageType": "text"})),
            "supported values",
        ),
        (
            one(
                "googlechat",
                json!({"url": {"value": "chat.googleapis.com"}}),
                json!({}),
            ),
            "a URL begins with http:// or https://",
        ),
        (jira(json!({"apiURL": null})), "apiURL"),
        (
            jira(json!({"apiURL": "example.atlassian.net"})),
            "a URL begins with http:// or https://",
        ),
        (
            jira(json!({"apiToken": null})),
            "give apiToken, or user and password",
        ),
        (
            jira(json!({"user": secret, "password": secret})),
            "give apiToken, or user and password",
        ),
        (
            jira(json!({"apiToken": null, "user": secret})),
            "user and password belong together",
        ),
        (
            jira(json!({"dedupKeyField": "customfield_10001"})),
            "give the number of a custom field",
        ),
        (
            jira(json!({"reopenDuration": "a day"})),
            "write whole numbers with the units",
        ),
        (
            kafka(json!({"apiVersion": "v3"})),
            "apiVersion v3 needs clusterID",
        ),
        (kafka(json!({"apiVersion": "v1"})), "supported values"),
        (kafka(json!({"password": secret})), "password goes with username"),
        (
            kafka(json!({"restProxyURL": "kafka:8082"})),
            "a URL begins with http:// or https://",
        ),
        (one("line", json!({}), json!({})), "token"),
        (
            one("line", json!({"token": {"value": "t"}}), json!({})),
            "token.value: field not declared in schema",
        ),
        (
            mqtt(json!({"brokerURL": "broker:1883"})),
            "a broker's URL begins with its scheme",
        ),
        (mqtt(json!({"qos": 3})), "less than or equal to 2"),
        (mqtt(json!({"messageFormat": "xml"})), "supported values"),
        (
            mqtt(json!({"tlsConfig": {"clientKey": secret}})),
            "clientCertificate and clientKey belong together",
        ),
        (
            mqtt(json!({"tlsConfig": {"ca": {}}})),
            "give exactly one of value, configMapKeyRef and secretKeyRef",
        ),
        (
            mqtt(json!({"tlsConfig": {"ca": {"value": "[REDACTED]"}}})),
            "[REDACTED] is what Grafana shows in place of a secret",
        ),
        (
            one(
                "oncall",
                json!({"url": url}),
                json!({"username": "u", "password": secret, "authorizationCredentials": secret}),
            ),
            "or authorizationCredentials, not both",
        ),
        (
            one(
                "oncall",
                json!({"url": url}),
                json!({"authorizationScheme": "Token"}),
            ),
            "authorizationScheme goes with authorizationCredentials, which are missing",
        ),
        (opsgenie(json!({"sendTagsAs": "labels"})), "supported values"),
        (
            opsgenie(json!({"responders": [{"type": "group", "name": "a"}]})),
            "a responder is a team, teams, user, escalation or schedule",
        ),
        (
            opsgenie(json!({"responders": [{"type": "team"}]})),
            "give at least one of id, name and username",
        ),
        (
            one(
                "pagerduty",
                json!({"integrationKey": secret}),
                json!({"url": "https://events.eu.pagerduty.com/v2/enqueue"}),
            ),
            "url",
        ),
        (pushover(json!({"priority": 3})), "less than or equal to 2"),
        (
            pushover(json!({"priority": 2})),
            "priority 2 needs retry and expire",
        ),
        (
            pushover(json!({"okPriority": 2, "retry": 60})),
            "priority 2 needs retry and expire",
        ),
        (pushover(json!({"retry": 10})), "greater than or equal to 30"),
        (pushover(json!({"expire": 10801})), "less than or equal to 10800"),
        (one("sensugo", json!({"url": url}), json!({})), "apiKey"),
        (
            sns(json!({"phoneNumber": null})),
            "give at least one of topicARN, targetARN and phoneNumber",
        ),
        (sns(json!({"topicARN": "alerts"})), "an ARN has six parts"),
        (
            sns(json!({"sigv4": {"accessKey": secret}})),
            "accessKey and secretKey belong together",
        ),
        (
            sns(json!({"sigv4": {"roleARN": "grafana"}})),
            "an ARN has six parts",
        ),
        (telegram(json!({"chatID": -100})), "string"),
        (
            telegram(json!({"messageThreadID": "general"})),
            "the id of a topic is a whole number",
        ),
        (telegram(json!({"parseMode": "html"})), "supported values"),
        (
            threema(json!({"gatewayID": "ABCDEFGH"})),
            "a gateway id has 8 characters and begins with *",
        ),
        (
            threema(json!({"recipientID": "ABC"})),
            "a recipient id has 8 characters",
        ),
        (
            one(
                "victorops",
                json!({"url": url}),
                json!({"messageType": "critical"}),
            ),
            "a message is CRITICAL or WARNING",
        ),
        (one("webex", json!({"botToken": secret}), json!({})), "roomID"),
        (
            one(
                "webex",
                json!({"botToken": secret, "roomID": "r"}),
                json!({"apiURL": "webexapis.com"}),
            ),
            "a URL begins with http:// or https://",
        ),
        (wecom(json!({})), "give exactly one of url and secret"),
        (
            wecom(json!({"url": url, "secret": secret})),
            "give exactly one of url and secret",
        ),
        (
            wecom(json!({"secret": secret, "agentID": "1"})),
            "secret, agentID and corpID belong together",
        ),
        (
            webhook(json!({"headers": {"X Key": {"value": "a"}}})),
            "the name of a header consists of letters",
        ),
        (
            webhook(json!({"headers": {"authorization": {"value": "a"}}})),
            "Grafana lets nobody set this header",
        ),
        (webhook(json!({"headers": {"X-Key": "abc"}})), "object"),
        (
            webhook(json!({"payload": {}})),
            "give exactly one of template and templateFrom",
        ),
        (
            webhook(json!({"payload": {"template": "a", "templateFrom": text}})),
            "give exactly one of template and templateFrom",
        ),
        (
            webhook(json!({"hmacConfig": {"header": "X-Signature"}})),
            "secret",
        ),
        (oauth2(json!({"clientSecret": null})), "clientSecret"),
        (
            oauth2(json!({"tokenURL": "login"})),
            "a URL begins with http:// or https://",
        ),
        (
            oauth2(json!({"proxyConfig": {"proxyURL": "http://proxy:3128", "proxyFromEnvironment": true}})),
            "proxyFromEnvironment takes the place of proxyURL and noProxy",
        ),
        (
            oauth2(json!({"proxyConfig": {"noProxy": "a"}})),
            "noProxy goes with proxyURL",
        ),
        (
            oauth2(json!({"proxyConfig": {"proxyConnectHeader": {"X-Key": secret}}})),
            "proxyConnectHeader goes with proxyURL or proxyFromEnvironment",
        ),
    ];
    refused("ContactPoint", &table).await;
}

#[tokio::test]
async fn what_templates_write_where_a_value_is_empty_is_accepted() {
    let secret = json!({"secretKeyRef": {"name": "s", "key": "k"}});
    let nulls = json!({"integrations": [
        {"opsgenie": {"apiKey": secret, "sendTagsAs": Value::Null, "responders": Value::Null}},
        {"sns": {"phoneNumber": "+390000000000", "attributes": Value::Null}},
        {"jira": {
            "apiURL": "https://example.com", "apiToken": secret, "project": "P", "issueType": "Bug", "labels": Value::Null,
            "fields": Value::Null,
        }},
        {"webhook": {"url": secret, "headers": Value::Null, "payload": {"template": "a", "vars": Value::Null}}},
        {"victorops": {"url": secret, "messageType": "{{ .CommonLabels.type }}"}},
        {"telegram": {"botToken": secret, "chatID": "1", "messageThreadID": "{{ .CommonLabels.topic }}"}},
    ]});
    accepted("ContactPoint", &[nulls]).await;
}
