//! Resources whose Grafana is away, and never was there.

use ::kube::runtime::controller::Action;
use http::StatusCode;
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::cluster::logged_tests::Lines;
use crate::controller::engine::health::Health;
use crate::controller::engine::managed::Managed;
use crate::controller::maintenance;
use crate::controller::pass::{self, Reconcile};
use crate::controller::run::listed::when_listed;
use crate::controller::run::when_ready;

/// A world whose Grafana has never answered.
async fn alone() -> World {
    let mut world = World::new();
    world.grafana.does(|_| Does::Refuses(502, "bad gateway"));
    let instance = world.connect(json!({})).await;
    until("the first read has failed", || {
        matches!(instance.health(), Health::Down(_))
    })
    .await;
    world
}

/// Runs a pass over a resource and returns its reason and message.
async fn said<K: Reconcile>(world: &World, plural: &str, object: K) -> (String, String) {
    let at = path(plural, "revel", object.id());
    pass::run(Arc::new(object), world.context.clone()).await.unwrap();
    world.server.ready(&at).expect("a condition")
}

#[tokio::test]
async fn a_mistake_of_a_resource_is_told_though_its_grafana_is_away() {
    let mut world = alone().await;
    let rule = |world: &mut World, spec: Value| world.rule("r", spec);
    for (spec, part) in [
        (json!({"query": "up < "}), "spec.query"),
        (json!({"query": QUERY, "interval": "5 m"}), "spec.interval"),
        (json!({"query": QUERY, "folder": "a//b"}), "spec.folder"),
        (
            json!({"query": QUERY, "annotations": {"summary": "{{ .Value"}}),
            "spec.annotations[summary]",
        ),
        (json!({"query": QUERY, "for": "1x"}), "spec.for"),
        (
            json!({"data": [{"refId": "A", "datasourceUid": "x", "model": {}}, {"refId": "A", "datasourceUid": "x", "model": {}}], "condition": "A"}),
            "spec.data[1].refId",
        ),
    ] {
        let object = rule(&mut world, spec);
        let (reason, message) = said(&world, "alertrules", object).await;
        assert!(
            reason == "Invalid" && message.contains(part),
            "{part}: {reason}: {message}"
        );
    }
    let silence = world.silence(
        "s",
        json!({"matchers": ["severity==\"high\""], "duration": "5000d"}),
    );
    let (reason, message) = said(&world, "silences", silence).await;
    assert!(
        reason == "Invalid" && message.contains("spec.matchers[0]"),
        "{reason}: {message}"
    );
    let tree = json!({"receiver": "x", "routes": [{"receiver": "y", "matchers": ["severity==high"]}]});
    let policy = world.policy("tree", tree);
    let (reason, message) = said(&world, "notificationpolicies", policy).await;
    assert!(
        reason == "Invalid" && message.contains("spec.routes[0]"),
        "{reason}: {message}"
    );
    let secret =
        json!({"integrations": [{"slack": {"url": {"secretKeyRef": {"name": "hook", "key": "url"}}}}]});
    let point = world.contact_point("team", secret.clone());
    let (reason, message) = said(&world, "contactpoints", point).await;
    assert_eq!(reason, "DependencyMissing");
    assert_eq!(
        message,
        "Secret hook is not there in namespace revel; create it there with the key url"
    );
    let hook = json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "hook", "namespace": "revel"}, "data": {"url": "Cg=="},
    });
    world.server.set("/api/v1/namespaces/revel/secrets/hook", hook);
    let point = world.contact_point("team", secret);
    let (reason, message) = said(&world, "contactpoints", point).await;
    assert_eq!(reason, "DependencyMissing");
    assert_eq!(message, "key url of Secret hook is empty; write the value there");
    assert_eq!(world.grafana.count("rules.create"), 0);
}

#[tokio::test]
async fn what_is_right_waits_for_the_grafana_that_is_away_and_names_it() {
    let mut world = alone().await;
    let specs = json!({"integrations": [{"webhook": {"url": {"value": "https://example.com/hook"}}}]});
    let rule = world.rule("r", json!({"query": QUERY}));
    let point = world.contact_point("team", specs);
    let policy = world.policy("tree", json!({"receiver": "x"}));
    let silence = world.silence(
        "s",
        json!({"matchers": ["severity=\"high\""], "duration": "5000d"}),
    );
    for (reason, message) in [
        said(&world, "alertrules", rule).await,
        said(&world, "contactpoints", point).await,
        said(&world, "notificationpolicies", policy).await,
        said(&world, "silences", silence).await,
    ] {
        assert_eq!(reason, "Unavailable");
        assert!(message.starts_with("GrafanaInstance default: "), "{message}");
        assert!(message.contains("bad gateway"), "{message}");
    }
}

#[tokio::test]
async fn a_pass_begins_when_every_kind_has_been_listed_and_something_is_known_of_its_grafana() {
    let mut world = World::starting(ApiServer::default(), Double::new());
    let rule = Arc::new(world.rule("r", json!({"query": QUERY})));
    let go_on = CancellationToken::new();
    let dawdle = go_on.clone();
    world.grafana.does(move |_| Does::Dawdles(dawdle.clone()));
    let instance = world.connect(json!({})).await;
    let mut first = Box::pin(when_ready(rule.clone(), world.context.clone()));
    assert!(futures::poll!(first.as_mut()).is_pending(), "nothing is listed");
    world.context.triggers.rules.one("revel", "r");
    assert_eq!(drain(&mut world.receivers.rules), 0, "its first pass is ahead");
    world.context.set_ready();
    assert_eq!(first.await.unwrap(), Action::await_change());
    assert_eq!(world.server.writes(), [""; 0], "nothing is known of Grafana yet");
    go_on.cancel();
    until("the first read", || {
        !matches!(instance.health(), Health::Starting)
    })
    .await;
    until("the rule's part of it", || {
        instance.check(AlertRule::NEEDS).is_ok()
    })
    .await;
    until("the rule is asked for", || !world.receivers.rules.is_empty()).await;
    assert_eq!(drain(&mut world.receivers.rules), 1, "one pass does it");
    when_ready(rule, world.context.clone()).await.unwrap();
    let (reason, message) = world
        .server
        .ready(&path("alertrules", "revel", "r"))
        .expect("a condition");
    assert_eq!(reason, "Synced", "{message}");
}

#[tokio::test]
async fn what_was_never_in_a_grafana_waits_for_none_when_it_is_deleted() {
    let mut world = alone().await;
    let rule = world.rule("r", json!({"query": QUERY}));
    let point = world.contact_point(
        "team",
        json!({"integrations": [{"webhook": {"url": {"value": "https://example.com/hook"}}}]}),
    );
    let policy = world.policy("tree", json!({"receiver": "x"}));
    let silence = world.silence(
        "s",
        json!({"matchers": ["severity=\"high\""], "duration": "5000d"}),
    );
    rule.clean_up(&world.context).await.unwrap();
    point.clean_up(&world.context).await.unwrap();
    policy.clean_up(&world.context).await.unwrap();
    silence.clean_up(&world.context).await.unwrap();
    // One that was waits.
    let mut stored = rule.clone();
    stored.status = serde_json::from_value(json!({"uid": "aw-1"})).unwrap();
    let failure = stored.clean_up(&world.context).await.unwrap_err();
    assert!(failure.message.contains("bad gateway"), "{}", failure.message);
    // And where the instance is gone only what was in it is left behind.
    world.context.running.write().clear();
    world.writers.instances.apply(&Event::Delete(
        world
            .context
            .declared_instance("default")
            .unwrap()
            .as_ref()
            .clone(),
    ));
    rule.clean_up(&world.context).await.unwrap();
    assert_eq!(world.server.count("events"), 0);
    stored.clean_up(&world.context).await.unwrap();
    assert_eq!(world.server.count("events"), 1);
}

#[tokio::test]
async fn a_rule_whose_first_answer_was_lost_may_be_there_and_its_deletion_waits() {
    let mut world = World::connected().await;
    world.grafana.does(|called| match called {
        "rules.create" => Does::Refuses(502, "bad gateway"),
        _ => Does::Well,
    });
    let rule = world.rule("r", json!({"query": QUERY}));
    let (reason, _) = said(&world, "alertrules", rule.clone()).await;
    assert_eq!(reason, "Unavailable");
    let marked = world.server.get(&path("alertrules", "revel", "r"));
    assert_eq!(
        marked["status"]["uid"],
        json!(world.context.owner.rule_uid("revel", "r")),
        "{marked}"
    );
}

#[tokio::test]
async fn a_maintenance_policy_that_is_wrong_says_so_in_an_event_too() {
    let world = World::new();
    let object = json!({
        "apiVersion": "alerting.letsrevel.io/v1alpha1", "kind": "MaintenancePolicy",
        "metadata": {"name": "own", "namespace": "revel", "uid": "uid-own", "generation": 1},
        "spec": {"targets": [{"kind": "Job"}], "silence": {"lease": "1s"}},
    });
    let at = path("maintenancepolicies", "revel", "own");
    world.server.set(&at, object);
    for _ in 0..2 {
        let stored = serde_json::from_value(world.server.get(&at)).unwrap();
        maintenance::policy::reconcile(Arc::new(stored), world.context.clone())
            .await
            .unwrap();
    }
    let (reason, message) = world.server.ready(&at).unwrap();
    assert!(message.starts_with("spec.silence.lease: "), "{message}");
    assert_eq!(world.server.notes(), [format!("{reason}: {message}")]);
}

#[tokio::test]
async fn a_silence_that_is_over_needs_neither_its_grafana_nor_a_rule_in_order_to_be_so() {
    let mut world = alone().await;
    for (name, more) in [
        ("of-a-matcher", json!({"matchers": ["a=b"]})),
        ("of-nothing", json!({"alertRules": {"names": ["no-such-rule"]}})),
        ("elsewhere", json!({"matchers": ["a=b"], "instance": "elsewhere"})),
        ("suspended", json!({"matchers": ["a=b"], "suspend": true})),
    ] {
        let mut spec = json!({"endsAt": "2020-01-01T00:00:00Z", "ttlAfterExpiry": "1s"});
        spec.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        let silence = world.silence(name, spec);
        let (reason, _) = said(&world, "silences", silence).await;
        assert_eq!(reason, "Expired", "{name}");
        let gone = format!("DELETE {}", path("silences", "revel", name));
        assert!(
            world.server.writes().contains(&gone),
            "{:?}",
            world.server.writes()
        );
    }
}

#[tokio::test]
async fn a_silence_that_is_said_to_have_changed_is_retired_later() {
    let mut world = alone().await;
    let over = json!({"matchers": ["a=b"], "endsAt": "2020-01-01T00:00:00Z", "ttlAfterExpiry": "1s"});
    let silence = world.silence("over", over);
    // Its status can be written, and it can't be deleted.
    said(&world, "silences", silence).await;
    world.server.find(StatusCode::CONFLICT, "/silences/over");
    let seen =
        serde_json::from_value::<Silence>(world.server.get(&path("silences", "revel", "over"))).unwrap();
    let action = pass::run(Arc::new(seen), world.context.clone()).await.unwrap();
    assert_eq!(action, Action::requeue(pass::CHANGED));
}

#[tokio::test]
async fn a_deletion_that_begins_to_wait_is_news_though_the_reason_was_the_same_before() {
    let mut world = alone().await;
    let mut rule = world.rule("r", json!({"query": QUERY}));
    rule.status = Some(serde_json::from_value(json!({"uid": "aw-1"})).unwrap());
    said(&world, "alertrules", rule.clone()).await;
    let place = path("alertrules", "revel", "r");
    let waits = |world: &World| {
        let notes = world.server.notes();
        notes
            .iter()
            .filter(|note| note.contains("the deletion waits"))
            .count()
    };
    assert_eq!(waits(&world), 0);
    let mut object = world.server.get(&place);
    object["metadata"]["deletionTimestamp"] = json!("2026-01-02T00:00:00Z");
    world.server.set(&place, object.clone());
    let deleting: AlertRule = serde_json::from_value(object).unwrap();
    let (lines, _guard) = Lines::of("info".into());
    let (reason, message) = said(&world, "alertrules", deleting).await;
    assert_eq!(reason, "Unavailable");
    assert!(message.starts_with("the deletion waits"), "{message}");
    assert_eq!(waits(&world), 1, "{:?}", world.server.notes());
    // While it goes on waiting that is no news, whatever else the message says.
    let mut object = world.server.get(&place);
    let ready = object["status"]["conditions"].as_array_mut().unwrap();
    for condition in ready {
        condition["message"] = json!("the deletion waits: something else");
    }
    let deleting: AlertRule = serde_json::from_value(object).unwrap();
    let (_, again) = said(&world, "alertrules", deleting).await;
    assert_eq!(again, message);
    assert_eq!(waits(&world), 1, "{:?}", world.server.notes());
    let log = lines.text();
    assert_eq!(log.matches("the deletion waits").count(), 1, "{log}");
}

#[tokio::test]
async fn a_status_or_finalizer_that_may_not_be_written_is_told_in_an_event() {
    for (part, has_finalizer) in [("/status", true), ("/alertrules/r", false)] {
        let mut world = World::connected().await;
        let mut rule = world.rule("r", json!({"query": QUERY}));
        if !has_finalizer {
            rule.metadata.finalizers = None;
        }
        world.server.close(part);
        pass::run(Arc::new(rule), world.context.clone())
            .await
            .unwrap_err();
        let notes = world.server.notes();
        let [note] = notes.as_slice() else {
            panic!("{part}: {notes:?}")
        };
        for word in ["WriteRefused: ", "admission policy: not here", "deploy/rbac.yaml"] {
            assert!(note.contains(word), "{word} in {note}");
        }
    }
}

#[tokio::test]
async fn a_finalizer_for_an_object_that_has_changed_meanwhile_is_no_failure_and_it_is_looked_at_again() {
    for code in [
        StatusCode::UNPROCESSABLE_ENTITY,
        StatusCode::CONFLICT,
        StatusCode::NOT_FOUND,
    ] {
        for is_deleting in [false, true] {
            let mut world = World::connected().await;
            let mut rule = world.rule("r", json!({"query": QUERY}));
            if is_deleting {
                rule.metadata.deletion_timestamp = Some(Time(Timestamp::UNIX_EPOCH));
            } else {
                rule.metadata.finalizers = None;
            }
            world.server.find(code, "/alertrules/r");
            let (lines, _guard) = Lines::of("info".into());
            let action = pass::run(Arc::new(rule), world.context.clone()).await.unwrap();
            // That it has changed may be untrue, and then no watch brings it.
            assert_eq!(action, Action::requeue(pass::CHANGED), "{code} {is_deleting}");
            assert!(!lines.text().contains("WARN"), "{}", lines.text());
            assert!(world.server.notes().is_empty(), "{:?}", world.server.notes());
        }
    }
}

#[tokio::test]
async fn what_was_not_well_before_a_start_is_named_once_every_kind_is_listed_and_not_sooner() {
    let mut world = World::new();
    let mut rule = world.rule("r", json!({"query": QUERY}));
    let ready = json!({"type": "Ready", "status": "False", "reason": "Invalid", "message": "m", "lastTransitionTime": "2026-01-01T00:00:00Z"});
    rule.status = Some(serde_json::from_value(json!({"conditions": [ready]})).unwrap());
    let (lines, _guard) = Lines::of("info".into());
    let mut starting = Box::pin(when_listed(world.context.clone(), CancellationToken::new()));
    listed(&mut world.writers.rules, Some(rule));
    listed(&mut world.writers.contact_points, None);
    listed(&mut world.writers.policies, None);
    listed(&mut world.writers.time_intervals, None);
    listed(&mut world.writers.templates, None);
    listed(&mut world.writers.inhibition_rules, None);
    listed(&mut world.writers.silences, None);
    listed(&mut world.writers.instances, None);
    listed(&mut world.writers.maintenance, None);
    listed(&mut world.writers.deployments, None);
    listed(&mut world.writers.stateful_sets, None);
    listed(&mut world.writers.daemon_sets, None);
    listed(&mut world.writers.imports, None);
    assert!(futures::poll!(starting.as_mut()).is_pending(), "Jobs are missing");
    drain(&mut world.receivers.rules);
    let told = || {
        lines
            .text()
            .lines()
            .filter(|line| line.contains("not well since before this start"))
            .count()
    };
    assert_eq!(told(), 0, "{}", lines.text());
    listed(&mut world.writers.jobs, None);
    // A kind that this test doesn't know would be waited for for ever.
    tokio::time::timeout(Duration::from_secs(30), starting)
        .await
        .expect("these are all kinds that must be listed");
    assert_eq!(told(), 1, "{}", lines.text());
    assert!(lines.text().contains("revel/r"), "{}", lines.text());
}

/// Lets a watch tell of all there is of a kind.
fn listed<K: Indexed>(writer: &mut Writer<K>, only: Option<K>) {
    writer.apply(&Event::Init);
    if let Some(object) = only {
        writer.apply(&Event::InitApply(object));
    }
    writer.apply(&Event::InitDone);
}
