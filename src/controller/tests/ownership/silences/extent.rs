//! How much one silence may cover, and what is said of what it covers.

use serde_json::json;

use super::super::super::*;
use super::super::world_with;
use crate::api::condition::Reason;
use crate::controller::news;
use crate::controller::pass::Reconcile;

const END: &str = "2100-01-01T00:00:00Z";

#[tokio::test]
async fn a_silence_that_would_cover_more_than_its_instance_allows_is_refused_with_what_it_would_have_covered()
{
    let mut world = world_with(&json!({"maxRulesPerSilence": 2}), |_| ()).await;
    for (name, team) in [("a", "web"), ("b", "web"), ("c", "api")] {
        world.rule(name, json!({"query": QUERY, "labels": {"team": team}}));
    }
    let spec = |covered: Value| {
        let mut spec = json!({"endsAt": END});
        spec.as_object_mut()
            .unwrap()
            .extend(covered.as_object().unwrap().clone());
        spec
    };
    for (covered, words) in [
        (
            json!({"alertRules": {"all": true}}),
            Some("3 AlertRules (a, b, c)"),
        ),
        (
            json!({"alertRules": {"names": ["a", "b", "c"]}}),
            Some("3 AlertRules (a, b, c)"),
        ),
        (
            json!({"matchers": ["severity=x"]}),
            Some("3 AlertRules (a, b, c)"),
        ),
        (json!({"matchers": ["team=web"]}), None),
        (
            json!({"alertRules": {"all": true}, "matchers": ["team!=api"]}),
            None,
        ),
        (json!({"alertRules": {"names": ["a", "c"]}}), None),
    ] {
        let writes = world.grafana.count("silences.put");
        let silence = world.silence("s", spec(covered.clone()));
        let outcome = silence.reconcile(&world.context).await;
        match words {
            None => drop(outcome.unwrap_or_else(|failure| panic!("{covered}: {}", failure.message))),
            Some(words) => {
                let failure = outcome.err().unwrap();
                assert_eq!(failure.reason, Some(Reason::Invalid));
                let message = failure.message;
                assert!(
                    message.contains(words) && message.contains("allows 2"),
                    "{covered}: {message}"
                );
                assert_eq!(world.grafana.count("silences.put"), writes);
            }
        }
    }
}

#[tokio::test]
async fn a_silence_that_may_cover_every_namespace_is_measured_by_the_rules_of_all() {
    for (may, reached) in [
        (json!({"names": []}), None),
        (json!({"names": ["revel"]}), Some("(bank/x, revel/a)")),
    ] {
        let mut world = world_with(
            &json!({"maxRulesPerSilence": 1, "unrestrictedNamespaces": may}),
            |_| (),
        )
        .await;
        world.rule("a", json!({"query": QUERY}));
        let mut other: AlertRule = made(&world.server, "alertrules", "x", json!({"query": QUERY}));
        other.metadata.namespace = Some("bank".to_owned());
        see(&world.context, &mut world.writers.rules, other, news::about_rule);
        let silence = world.silence("s", json!({"matchers": ["severity=x"], "endsAt": END}));
        let message = silence
            .reconcile(&world.context)
            .await
            .err()
            .map(|failure| failure.message);
        match reached {
            None => assert_eq!(message, None),
            Some(words) => assert!(
                message.as_ref().is_some_and(|text| text.contains(words)),
                "{message:?}"
            ),
        }
    }
}

#[tokio::test]
async fn a_silence_that_covers_nothing_says_so_but_one_of_maintenance_does_not() {
    let mut world = world_with(&json!({}), |_| ()).await;
    let empty = world.silence("s", json!({"alertRules": {"all": true}, "endsAt": END}));
    let report = empty.reconcile(&world.context).await.unwrap();
    assert!(
        report
            .warnings
            .iter()
            .any(|warning| warning.contains("no AlertRule in this namespace")),
        "{:?}",
        report.warnings
    );
    let mut unmet = world.silence("t", json!({"matchers": ["team=web"], "endsAt": END}));
    let report = unmet.reconcile(&world.context).await.unwrap();
    assert!(
        report
            .warnings
            .iter()
            .any(|warning| warning.contains("no alert had these labels")),
        "{:?}",
        report.warnings
    );
    let workload = (
        "alerting.letsrevel.io/maintenance-of".to_owned(),
        "uid".to_owned(),
    );
    unmet.metadata.labels = Some([workload].into());
    let report = unmet.reconcile(&world.context).await.unwrap();
    assert_eq!(report.warnings, Vec::<String>::new());
}
