//! GrafanaInstances: the connection to Grafana, and who may use it.

use serde_json::{Value, json};

use super::{DURATION, accepted, refused, with};

const PREFIX: &str = "no title in front of or behind a / is empty";

fn secret() -> Value {
    json!({"secretKeyRef": {"name": "s", "key": "k"}})
}

fn good() -> Value {
    json!({"url": "https://grafana.example.com/sub", "auth": {"token": secret()}})
}

#[tokio::test]
async fn a_bad_grafana_instance_is_refused_with_its_cure() {
    let (secret, good) = (secret(), good());
    let table = [
        (
            with(&good, json!({"url": "grafana:3000"})),
            "write an address such as http://grafana.monitoring",
        ),
        (
            with(&good, json!({"url": "https://user:password@grafana"})),
            "no user and password",
        ),
        (
            with(&good, json!({"url": "https://grafana/?orgId=2"})),
            "nothing behind the path",
        ),
        (
            with(&good, json!({"externalURL": "https://grafana/#home"})),
            "nothing behind the path",
        ),
        (
            with(&good, json!({"auth": {}})),
            "give exactly one of token and basic",
        ),
        (
            with(&good, json!({"auth": {"token": {"value": "in the clear"}}})),
            "spec.auth.token",
        ),
        (
            with(
                &good,
                json!({"auth": {"token": secret, "basic": {"username": {"value": "a"}, "password": secret}}}),
            ),
            "give exactly one of token and basic",
        ),
        (with(&good, json!({"orgID": 0})), "greater than or equal to 1"),
        (
            with(&good, json!({"orgID": 2})),
            "a service account's token belongs to one organisation",
        ),
        (
            with(&good, json!({"resyncInterval": "1ms"})),
            "must be at least 1s",
        ),
        (
            with(&good, json!({"resyncInterval": "0s"})),
            "must be at least 1s",
        ),
        (with(&good, json!({"stateInterval": "0"})), "must be at least 1s"),
        (
            with(&good, json!({"driftPolicy": "Ignore"})),
            "supported values: \"Correct\", \"Report\"",
        ),
        (
            with(&good, json!({"tls": {"clientKey": secret}})),
            "clientCertificate and clientKey belong together",
        ),
        (
            with(&good, json!({"labels": {"__alertwright__": "x"}})),
            "begins neither with a digit nor with __",
        ),
        (
            with(&good, json!({"labels": {"alertname": "x"}})),
            "alertname is each rule's title",
        ),
        (with(&good, json!({"resyncInterval": "often"})), DURATION),
        (
            with(&good, json!({"maxRulesPerSilence": 0})),
            "spec.maxRulesPerSilence",
        ),
        (
            with(&good, json!({"maxRulesPerSilence": "many"})),
            "maxRulesPerSilence",
        ),
    ];
    refused("GrafanaInstance", &table).await;
    let full = with(
        &good,
        json!({
            "externalURL": "http://localhost:3000", "orgID": 2, "auth": {"basic": {"username": {"value": "admin"}, "password": secret}},
            "allowedNamespaces": {"names": ["shop"]}, "rootPolicyNamespaces": {"names": []}, "stateInterval": "1m30s", "defaultDatasource": {"uid": "loki"}, "labels": {"cluster": "prod"},
            "tls": {"ca": {"configMapKeyRef": {"name": "bundle", "key": "ca.crt"}}, "insecureSkipVerify": false}, "resyncInterval": "30s", "driftPolicy": "Report", "folderPrefix": "Prod ", "defaultDeletionPolicy": Value::Null,
        }),
    );
    accepted("GrafanaInstance", &[good, full]).await;
}

#[tokio::test]
async fn an_interval_that_is_not_meant_and_a_prefix_that_no_folder_has_are_refused() {
    let good = good();
    let table = [
        (
            with(&good, json!({"resyncInterval": "9999999999y"})),
            "at most 9999 of each other unit",
        ),
        (
            with(&good, json!({"resyncInterval": "1w"})),
            "at most 9999 of each other unit",
        ),
        (
            with(&good, json!({"stateInterval": "99999s"})),
            "at most 9999 of each other unit",
        ),
        (
            with(&good, json!({"previousOwnerIDs": ["prod", "Test_1"]})),
            "an owner id consists of lower-case letters, digits and dashes, as status.ownerID shows it",
        ),
        (with(&good, json!({"folderPrefix": "/Prod"})), PREFIX),
        (with(&good, json!({"folderPrefix": " Prod"})), PREFIX),
        (with(&good, json!({"folderPrefix": "Prod //"})), PREFIX),
        (with(&good, json!({"folderPrefix": "Prod//"})), PREFIX),
        (with(&good, json!({"folderPrefix": "Prod/ "})), PREFIX),
    ];
    refused("GrafanaInstance", &table).await;
    let nested = with(&good, json!({"folderPrefix": "Prod/", "resyncInterval": "1d"}));
    let slash = with(&good, json!({"folderPrefix": "KeyDB \\/ Redis "}));
    accepted("GrafanaInstance", &[nested, slash]).await;
}

#[tokio::test]
async fn a_bad_way_to_grafana_is_refused_with_its_cure() {
    let (secret, good) = (secret(), good());
    let header = |name: &str, value: Value| with(&good, json!({"headers": {name: value}}));
    let proxy = |url: &str| with(&good, json!({"proxyURL": url}));
    let value = json!({"value": "x"});
    let address = "write an address such as http://proxy.example.com:3128";
    let own = "the operator sets this header itself";
    let table = [
        (header("Authorization", secret.clone()), own),
        (header("x-grafana-org-id", value.clone()), own),
        (header("X-Disable-Provenance", value.clone()), own),
        (header("Proxy-Authorization", value.clone()), own),
        (header("If-None-Match", value.clone()), own),
        (
            header("X: Y", value.clone()),
            "the name of a header consists of letters",
        ),
        (
            header("X-A", json!({})),
            "give exactly one of value and secretKeyRef",
        ),
        (header("X-A", json!("plain")), "headers"),
        (proxy("socks5://proxy:1080"), address),
        (proxy("proxy:3128"), address),
        (proxy("http://proxy:3128/path"), address),
        (
            proxy("http://me:secret@proxy:3128"),
            "proxyAuth takes them from a Secret",
        ),
        (
            with(
                &good,
                json!({"proxyAuth": {"username": value, "password": secret}}),
            ),
            "proxyAuth goes with proxyURL, which is missing",
        ),
        (
            with(
                &good,
                json!({"proxyURL": "http://proxy", "proxyAuth": {"username": value, "password": {"value": "clear"}}}),
            ),
            "spec.proxyAuth.password",
        ),
        (
            with(
                &good,
                json!({"tls": {"ca": {"value": "pem", "configMapKeyRef": {"name": "c", "key": "k"}}}}),
            ),
            "give exactly one of value, configMapKeyRef and secretKeyRef",
        ),
    ];
    refused("GrafanaInstance", &table).await;
    let all = json!({
        "headers": {"CF-Access-Client-Id": value, "CF-Access-Client-Secret": secret, "Cookie": value},
        "proxyURL": "https://proxy.example.com:3128/", "proxyAuth": {"username": value, "password": secret},
    });
    accepted("GrafanaInstance", &[with(&good, all)]).await;
}

#[tokio::test]
async fn a_bad_choice_of_namespaces_is_refused_with_its_cure() {
    let good = good();
    let table = [
        (
            with(&good, json!({"allowedNamespaces": {"names": ["team-*"]}})),
            "there are no wildcards",
        ),
        (
            with(&good, json!({"allowedNamespaces": {}})),
            "give names, selector or both",
        ),
        (
            with(
                &good,
                json!({"allowedNamespaces": {"selector": {"team": "shop"}}}),
            ),
            "field not declared in schema",
        ),
        (
            with(&good, json!({"allowedNamespaces": ["shop"]})),
            "allowedNamespaces",
        ),
    ];
    refused("GrafanaInstance", &table).await;
    let selected = [
        json!({"allowedNamespaces": {"names": ["shop"], "selector": {"matchLabels": {"team": "shop"}}}}),
        json!({"allowedNamespaces": {"selector": {"matchExpressions": [{"key": "team", "operator": "In", "values": ["a", "b"]}]}}}),
    ]
    .map(|more| with(&good, more));
    accepted("GrafanaInstance", &selected).await;
}
