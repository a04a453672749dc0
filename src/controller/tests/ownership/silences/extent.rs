//! How much one silence may cover, and what is said of what it covers.

use serde_json::json;

use crate::api::condition::Reason;
use crate::controller::news;
use crate::controller::pass::Reconcile;
use crate::controller::tests::ownership::world_with;
use crate::controller::tests::*;

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
async fn rules_that_record_have_no_alerts_and_count_nowhere() {
    let mut world = world_with(&json!({"maxRulesPerSilence": 1}), |_| ()).await;
    let record = json!({"metric": "shop:up:sum", "targetDatasource": {"name": "Prometheus"}});
    world.rule("a", json!({"query": QUERY, "labels": {"team": "web"}}));
    world.rule(
        "recorded",
        json!({"query": QUERY, "record": record, "labels": {"team": "web"}}),
    );
    for (covered, count) in [
        (json!({"alertRules": {"all": true}}), 1),
        (json!({"alertRules": {"names": ["a", "recorded"]}}), 1),
        (json!({"alertRules": {"names": ["recorded"]}}), 0),
        (json!({"matchers": ["team=web"]}), 1),
        (json!({"alertRules": {"all": true}, "matchers": ["team=web"]}), 1),
    ] {
        let mut spec = covered.clone();
        spec["endsAt"] = json!(END);
        let silence = world.silence("s", spec);
        let report = silence.reconcile(&world.context).await;
        let report = report.unwrap_or_else(|failure| panic!("{covered}: {}", failure.message));
        assert_eq!(report.status.matches_rules, Some(count), "{covered}");
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

#[tokio::test]
async fn only_rules_whose_own_labels_contradict_no_matcher_are_counted_and_none_is_a_warning() {
    let instance = json!({"labels": {"cluster": "prod"}});
    for (covered, matchers, count, is_warned) in [
        (json!({"all": true}), json!([]), 3, false),
        (json!({"all": true}), json!(["team=web"]), 2, false),
        (json!({"all": true}), json!(["team!=web"]), 2, false),
        (json!({"all": true}), json!(["cluster=test"]), 0, true),
        (json!({"names": ["a", "b"]}), json!(["team=web"]), 1, false),
        (json!({"names": ["b"]}), json!(["team=web"]), 0, true),
        // Its query may say so.
        (json!({"names": ["c"]}), json!(["team=web"]), 1, false),
    ] {
        let mut world = world_with(&instance, |_| ()).await;
        world.rule("a", json!({"query": QUERY, "labels": {"team": "web"}}));
        world.rule("b", json!({"query": QUERY, "labels": {"team": "api"}}));
        world.rule("c", json!({"query": QUERY}));
        let spec = json!({"alertRules": covered, "matchers": matchers, "endsAt": END});
        let report = world.silence("s", spec).reconcile(&world.context).await.unwrap();
        assert_eq!(report.status.matches_rules, Some(count), "{covered} {matchers}");
        let warned = |warning: &String| warning.contains("give their alerts other labels");
        assert_eq!(
            report.warnings.iter().any(warned),
            is_warned,
            "{covered} {matchers}: {:?}",
            report.warnings
        );
    }
}

#[tokio::test]
async fn a_silence_of_matchers_says_that_it_covers_the_alerts_of_its_namespace_alone_where_it_does() {
    for (may, covered, is_told) in [
        (json!([]), json!({"matchers": ["a=b"]}), true),
        (json!(["revel"]), json!({"matchers": ["a=b"]}), false),
        (json!([]), json!({"alertRules": {"all": true}}), false),
    ] {
        let mut world = world_with(&json!({"unrestrictedNamespaces": {"names": may}}), |_| ()).await;
        let mut spec = covered.clone();
        spec["endsAt"] = json!(END);
        let report = world.silence("s", spec).reconcile(&world.context).await.unwrap();
        let message = report.message;
        assert!(message.starts_with("stored in Grafana"), "{message}");
        assert_eq!(
            message.contains("of namespace revel alone"),
            is_told,
            "{covered}: {message}"
        );
    }
}

#[tokio::test]
async fn rules_that_come_after_a_silence_that_covered_none_are_counted_once() {
    for (covered, team, counts) in [
        (json!({"alertRules": {"all": true}}), "web", true),
        (json!({"matchers": ["team=web"]}), "web", true),
        (json!({"matchers": ["team=web"]}), "api", false),
    ] {
        let mut world = world_with(&json!({}), |_| ()).await;
        let mut spec = covered.clone();
        spec["endsAt"] = json!(END);
        let mut silence = world.silence("s", spec);
        let mut pass = async |world: &mut World| {
            let report = silence.reconcile(&world.context).await.unwrap();
            silence.status = Some(report.status);
            see(
                &world.context,
                &mut world.writers.silences,
                silence.clone(),
                news::about_silence,
            );
            drain(&mut world.receivers.silences);
            (silence.status.as_ref().unwrap().matches_rules, report.warnings)
        };
        assert_eq!(pass(&mut world).await.0, Some(0), "{covered}");
        let alerts = world.grafana.count("silences.alerts");
        world.rule("a", json!({"query": QUERY, "labels": {"team": team}}));
        assert_eq!(
            drain(&mut world.receivers.silences),
            usize::from(counts),
            "{covered} {team}"
        );
        let (rules, warnings) = pass(&mut world).await;
        assert_eq!(rules, Some(i64::from(counts)), "{covered} {team}");
        let is_told = |warning: &String| warning.contains("there is no AlertRule");
        assert!(!warnings.iter().any(is_told), "{warnings:?}");
        // What comes later is no news any more.
        world.rule("b", json!({"query": QUERY, "labels": {"team": team}}));
        assert_eq!(drain(&mut world.receivers.silences), 0, "{covered} {team}");
        assert_eq!(pass(&mut world).await.0, Some(i64::from(counts)));
        assert_eq!(
            world.grafana.count("silences.alerts"),
            alerts,
            "nothing is asked of Grafana for it"
        );
    }
}

#[tokio::test]
async fn a_silence_that_begins_is_counted_again_and_once() {
    let mut world = world_with(&json!({}), |_| ()).await;
    let of = |starts: &str| json!({"alertRules": {"all": true}, "startsAt": starts, "endsAt": END});
    let mut silence = world.silence("s", of("2099-01-01T00:00:00Z"));
    let mut pass = async |world: &World| {
        let asked = world.grafana.count("silences.alerts");
        let status = silence.reconcile(&world.context).await.unwrap().status;
        silence.status = Some(status.clone());
        // Its beginning comes, and nothing else of it changes.
        let begins = of("2026-01-01T00:00:00Z");
        silence.spec = serde_json::from_value(begins).unwrap();
        let asked = world.grafana.count("silences.alerts") - asked;
        (
            status.state.unwrap(),
            status.matches_rules,
            status.matches_alerts,
            asked,
        )
    };
    assert_eq!(pass(&world).await, ("Pending".to_owned(), Some(0), Some(0), 1));
    for name in ["a", "b"] {
        world.rule(name, json!({"query": QUERY}));
    }
    let alert = [("alertname".to_owned(), "a".to_owned())];
    world.grafana.hold(|held| held.alerts = vec![alert.into()]);
    assert_eq!(pass(&world).await, ("Active".to_owned(), Some(2), Some(1), 1));
    world.grafana.hold(|held| held.alerts.clear());
    assert_eq!(pass(&world).await, ("Active".to_owned(), Some(2), Some(1), 0));
}

#[tokio::test]
async fn a_rule_is_told_to_those_that_covered_none_and_look_for_one_where_it_is() {
    for (may, covered, namespace, is_told) in [
        (
            json!([]),
            json!({"alertRules": {"names": ["own"]}}),
            "revel",
            true,
        ),
        (
            json!([]),
            json!({"alertRules": {"names": ["other"]}}),
            "revel",
            false,
        ),
        (
            json!([]),
            json!({"alertRules": {"matchLabels": {"team": "web"}}}),
            "revel",
            true,
        ),
        (
            json!([]),
            json!({"alertRules": {"matchLabels": {"team": "api"}}}),
            "revel",
            false,
        ),
        (json!([]), json!({"alertRules": {"all": true}}), "revel", true),
        (json!([]), json!({"matchers": ["severity=x"]}), "revel", true),
        // Those of another namespace, which may cover its alerts or may not.
        (json!([]), json!({"matchers": ["severity=x"]}), "shop", false),
        (
            json!(["revel"]),
            json!({"matchers": ["severity=x"]}),
            "shop",
            true,
        ),
        (
            json!(["revel"]),
            json!({"alertRules": {"all": true}}),
            "shop",
            false,
        ),
    ] {
        let mut world = world_with(&json!({"unrestrictedNamespaces": {"names": may}}), |_| ()).await;
        let mut rule: AlertRule = made(&world.server, "alertrules", "own", json!({"query": QUERY}));
        rule.metadata.namespace = Some(namespace.to_owned());
        rule.metadata.labels = Some([("team".to_owned(), "web".to_owned())].into());
        see(
            &world.context,
            &mut world.writers.rules,
            rule.clone(),
            news::about_rule,
        );
        let mut spec = covered.clone();
        spec["endsAt"] = json!(END);
        let mut silence = world.silence("s", spec);
        silence.status = Some(serde_json::from_value(json!({"state": "Active", "matchesRules": 0})).unwrap());
        see(
            &world.context,
            &mut world.writers.silences,
            silence,
            news::about_silence,
        );
        drain(&mut world.receivers.silences);
        // Another specification, and the same labels: what selects it has it already.
        rule.metadata.generation = Some(2);
        see(&world.context, &mut world.writers.rules, rule, news::about_rule);
        let told = drain(&mut world.receivers.silences);
        assert_eq!(told, usize::from(is_told), "{covered}, {may} from {namespace}");
    }
}
