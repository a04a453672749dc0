//! Silences, and what makes them.

use serde_json::{Value, json};

use super::{DURATION, MATCHER, accepted, immutable, object, refused, with};
use crate::control_plane;

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
        (
            rules(json!({"matchLabels": {"not a label!": "x"}})),
            "no object can have such a label",
        ),
        (
            rules(json!({"matchLabels": {"app": "x y"}})),
            "no object can have such a label",
        ),
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
        json!({"alertRules": {"matchLabels": {"app.kubernetes.io/name": "shop", "A_b.c": ""}}, "duration": "1h", "deletionPolicy": Value::Null}),
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
    let words = "between {{ and }} stands .name, .namespace, .cronJob or .labels.KEY";
    let table = [
        (json!({}), "spec.targets"),
        (json!({"targets": []}), "spec.targets"),
        (json!({"targets": [{"kind": "Pod"}]}), "supported values"),
        (json!({"targets": [{"kind": "ReplicaSet"}]}), "supported values"),
        (json!({"targets": [{"kind": "statefulset"}]}), "supported values"),
        (silence(json!({"lease": "5 min"})), DURATION),
        (silence(json!({"lease": "2s"})), "must be at least 5s"),
        (silence(json!({"lease": "4999ms"})), "must be at least 5s"),
        (silence(json!({"lease": "0m4s"})), "must be at least 5s"),
        (silence(json!({"maxDuration": "0s"})), "must be more than 0"),
        (
            silence(json!({"matchers": ["service=\"{{ .labels.app\""]})),
            words,
        ),
        (
            silence(json!({"matchers": ["service=\"{{ .Labels.app }}\""]})),
            words,
        ),
        (
            silence(json!({"matchers": ["service=\"{{ .name }}-{{ .pod }}\""]})),
            words,
        ),
        (
            silence(json!({"matchers": ["service={{ .labels.app }}"]})),
            MATCHER,
        ),
        (
            silence(json!({"lingerAfterFailure": "yes"})),
            "lingerAfterFailure",
        ),
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
    let worded = with(
        &good,
        json!({
            "targets": [{"kind": "StatefulSet"}, {"kind": "DaemonSet"}, {"kind": "CronJob"}],
            "silence": {"matchers": ["service=\"{{ .labels.app }}\"", "pod=~\"{{ .name }}-.*\""], "lingerAfterFailure": true},
        }),
    );
    let short = json!({"lease": "5s", "maxDuration": "1ms", "matchers": [
        "a=\"{{.labels.app.kubernetes.io/name}}-{b}{\"", "c=~\"{{ .namespace }}{{ .cronJob }}[0-9]{2}\"",
    ]});
    let (short, hour) = (silence(short), silence(json!({"lease": "1h0s"})));
    let thousands = silence(json!({"lease": "5000ms"}));
    accepted(
        "MaintenancePolicy",
        &[targets, good, worded, short, hour, thousands],
    )
    .await;
}

#[tokio::test]
async fn what_is_not_there_yet_is_refused_also_where_a_client_lets_unknown_fields_be_dropped() {
    let plane = control_plane().await;
    let ns = plane.namespace("lenient").await;
    for (kind, spec, words) in [
        (
            "AlertRule",
            json!({"query": "up < 1", "expr": "up < 1"}),
            "expr is Prometheus' name: write query",
        ),
        (
            "AlertRule",
            json!({"query": "up < 1", "alert": "Down"}),
            "alert is Prometheus' name: write title",
        ),
    ] {
        let applied = plane
            .kubectl_with_input(
                ["apply", "--validate=false", "-n", &ns, "-f", "-"],
                &object(kind, "bad", &spec),
            )
            .await
            .refused();
        assert!(applied.contains(words), "{applied} lacks {words:?}");
    }
}
