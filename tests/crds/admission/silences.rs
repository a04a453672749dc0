//! Silences, what makes them, and the connection to Grafana.

use serde_json::{Value, json};

use super::{DURATION, MATCHER, accepted, immutable, refused, with};

#[tokio::test]
async fn a_bad_silence_is_refused_with_its_cure() {
    let good = json!({"matchers": ["a=b"], "duration": "1h"});
    let rules = |rules: Value| with(&good, json!({"alertRules": rules}));
    let selector = "give exactly one of names, matchLabels and all";
    let table = [
        (
            with(&good, json!({"duration": null})),
            "give exactly one of endsAt and duration",
        ),
        (
            with(&good, json!({"endsAt": "2030-01-01T00:00:00Z"})),
            "give exactly one of endsAt and duration",
        ),
        (
            with(&good, json!({"matchers": null})),
            "a silence needs matchers or alertRules",
        ),
        (
            with(&good, json!({"matchers": []})),
            "a silence needs matchers or alertRules",
        ),
        (with(&good, json!({"matchers": ["a"]})), MATCHER),
        (with(&good, json!({"matchers": ["severity=\"critical"]})), MATCHER),
        (
            with(&good, json!({"matchers": ["severity == \"critical\""]})),
            MATCHER,
        ),
        (
            with(
                &good,
                json!({"matchers": ["severity=\"critical\", team=\"web\""]}),
            ),
            MATCHER,
        ),
        (
            with(&good, json!({"matchers": ["{severity=\"critical\"}"]})),
            MATCHER,
        ),
        (
            with(&good, json!({"matchers": ["service != processing,speech"]})),
            MATCHER,
        ),
        (with(&good, json!({"matchers": ["severity="]})), MATCHER),
        (
            with(&good, json!({"matchers": ["__alertwright__=~\"c/other/.*\""]})),
            "__alertwright__ is the operator's own label",
        ),
        (with(&good, json!({"duration": "an hour"})), DURATION),
        (
            with(&good, json!({"duration": null, "endsAt": "tomorrow"})),
            "spec.endsAt",
        ),
        (
            with(
                &good,
                json!({"duration": null, "startsAt": "2030-01-02T00:00:00Z", "endsAt": "2030-01-01T00:00:00Z"}),
            ),
            "endsAt must be after startsAt",
        ),
        (rules(json!({})), selector),
        (rules(json!({"all": true, "names": ["a"]})), selector),
        (rules(json!({"all": false})), "all can only be true"),
        (rules(json!({"names": []})), "spec.alertRules.names"),
        (rules(json!({"matchLabels": {}})), "spec.alertRules.matchLabels"),
        (with(&good, json!({"ttlAfterExpiry": "never"})), DURATION),
    ];
    refused("Silence", &table).await;
}

#[tokio::test]
async fn a_good_silence_is_accepted() {
    let table = [
        json!({"matchers": ["a=b"], "duration": "1d12h"}),
        json!({"alertRules": {"all": true}, "startsAt": "2030-01-01T00:00:00Z", "endsAt": "2030-01-02T00:00:00+02:00", "ttlAfterExpiry": "1h"}),
        json!({"alertRules": {"names": ["a.b"]}, "matchers": ["severity!=\"critical\""], "duration": "1h", "comment": "why"}),
        json!({"alertRules": {"matchLabels": {"app.kubernetes.io/name": "shop"}}, "duration": "1h"}),
        json!({"alertRules": {"all": true}, "matchers": [], "duration": "1h"}),
        json!({"alertRules": {"all": true, "names": Value::Null, "matchLabels": Value::Null}, "matchers": Value::Null, "duration": "1h"}),
    ];
    accepted("Silence", &table).await;
    let other = with(&table[0], json!({"instance": "other"}));
    immutable("Silence", &[(table[0].clone(), other, "instance is immutable")]).await;
}

#[tokio::test]
async fn a_bad_maintenance_policy_is_refused_with_its_cure() {
    let targets = json!({"targets": [{"kind": "Deployment"}]});
    let silence = |silence: Value| with(&targets, json!({"silence": silence}));
    let table = [
        (json!({}), "spec.targets"),
        (json!({"targets": []}), "spec.targets"),
        (json!({"targets": [{"kind": "Pod"}]}), "supported values"),
        (silence(json!({"lease": "5 min"})), DURATION),
        (silence(json!({"matchers": ["severity"]})), MATCHER),
        (
            silence(json!({"alertRules": {"all": true, "names": ["a"]}})),
            "give exactly one of names, matchLabels and all",
        ),
    ];
    refused("MaintenancePolicy", &table).await;
    let good = json!({
        "targets": [{"kind": "Deployment", "selector": {"matchLabels": {"a": "b"}}}, {"kind": "Job"}],
        "silence": {"alertRules": {"all": true}, "matchers": ["severity!=critical"], "lease": "5m", "linger": "0s", "maxDuration": "1h"},
    });
    accepted("MaintenancePolicy", &[targets, good]).await;
}

#[tokio::test]
async fn a_bad_grafana_instance_is_refused_with_its_cure() {
    let secret = json!({"secretKeyRef": {"name": "s", "key": "k"}});
    let good = json!({"url": "https://grafana.example.com/sub", "auth": {"token": secret}});
    let table = [
        (
            with(&good, json!({"url": "grafana:3000"})),
            "write an address such as http://grafana.monitoring:3000",
        ),
        (
            with(&good, json!({"url": "https://user:password@grafana"})),
            "no user and password",
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
            with(&good, json!({"allowedNamespaces": {"names": ["team-*"]}})),
            "there are no wildcards",
        ),
        (
            with(&good, json!({"allowedNamespaces": ["shop"]})),
            "allowedNamespaces",
        ),
        (
            with(&good, json!({"tls": {"clientKey": secret}})),
            "clientCertificate and clientKey belong together",
        ),
        (
            with(&good, json!({"labels": {"__alertwright__": "x"}})),
            "begins neither with a digit nor with __",
        ),
        (with(&good, json!({"resyncInterval": "often"})), DURATION),
    ];
    refused("GrafanaInstance", &table).await;
    let full = with(
        &good,
        json!({
            "externalURL": "http://localhost:3000", "orgID": 2, "auth": {"basic": {"username": {"value": "admin"}, "password": secret}},
            "allowedNamespaces": {"names": ["shop"]}, "rootPolicyNamespaces": {"names": []}, "stateInterval": "1m30s", "defaultDatasource": {"uid": "loki"}, "labels": {"cluster": "prod"},
            "tls": {"ca": {"value": "pem"}, "insecureSkipVerify": false}, "resyncInterval": "30s", "folderPrefix": "Prod ",
        }),
    );
    accepted("GrafanaInstance", &[good, full]).await;
}
