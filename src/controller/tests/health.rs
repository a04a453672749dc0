//! What goes on while Grafana, or a part of it, can't be read.

use serde_json::json;

use super::*;
use crate::api::GrafanaInstanceStatus;
use crate::api::condition::{self, Reason};
use crate::controller::engine::failure::{Failure, Retry};
use crate::controller::instance::describe;
use crate::controller::pass::{self, Reconcile};

fn failing(operation: &'static str, status: u16, message: &'static str) -> impl Fn(&'static str) -> Does {
    move |called| {
        if called == operation {
            Does::Refuses(status, message)
        } else {
            Does::Well
        }
    }
}

fn silence(world: &mut World) -> Silence {
    world.silence(
        "s",
        json!({"matchers": ["severity=\"high\""], "duration": "5000d"}),
    )
}

#[tokio::test]
async fn silences_that_cannot_be_read_stop_silences_alone() {
    let mut world = World::connected().await;
    world
        .grafana
        .does(failing("silences.list", 500, "alertmanager is not ready"));
    world.poll().await;

    let rule = world.rule("r", json!({"query": QUERY}));
    let report = rule.reconcile(&world.context).await.unwrap();
    assert_eq!(report.reason, Reason::Synced);

    let silence = silence(&mut world);
    let failure = silence.reconcile(&world.context).await.unwrap_err();
    assert_eq!(failure.reason, Some(Reason::Unavailable));
    let message = &failure.message;
    assert!(
        message.contains("GrafanaInstance default: Grafana's silences cannot be read")
            && message.contains("alertmanager is not ready"),
        "{message}"
    );

    let mut status = GrafanaInstanceStatus::default();
    let (reason, message) = describe(&world.instance(), &world.context, &mut status);
    assert_eq!((reason, status.reachable), (Reason::Unavailable, Some(true)));
    assert!(
        message.starts_with("Grafana's silences cannot be read: ")
            && message.contains("alertmanager is not ready"),
        "{message}"
    );

    drain(&mut world.receivers.rules);
    drain(&mut world.receivers.silences);
    world.grafana.does_well();
    world.poll().await;
    assert_eq!(drain(&mut world.receivers.silences), 1, "it waited for them");
    assert_eq!(drain(&mut world.receivers.rules), 0);
    silence.reconcile(&world.context).await.unwrap();
    let (reason, _) = describe(&world.instance(), &world.context, &mut status);
    assert_eq!(reason, Reason::Synced);
}

#[tokio::test]
async fn a_grafana_that_goes_away_does_not_answer_and_does_again_when_it_is_back() {
    let world = World::connected().await;
    let said = |world: &World| {
        let mut status = GrafanaInstanceStatus::default();
        let (reason, _) = describe(&world.instance(), &world.context, &mut status);
        (reason, status.reachable)
    };
    world.grafana.does(|_| Does::Refuses(503, "no upstream"));
    world.poll().await;
    assert_eq!(said(&world), (Reason::Unavailable, Some(false)));
    world.grafana.does_well();
    world.poll().await;
    assert_eq!(said(&world), (Reason::Synced, Some(true)));
    // Where it says its version and nothing else, it is there.
    world.grafana.does(|called| match called {
        "server.health" => Does::Well,
        _ => Does::Refuses(503, "no upstream"),
    });
    world.poll().await;
    assert_eq!(said(&world), (Reason::Unavailable, Some(true)));
}

#[tokio::test]
async fn an_organisation_that_is_not_there_is_the_specifications_mistake() {
    for (more, expected) in [
        (json!({"orgID": 7}), Reason::Invalid),
        (json!({}), Reason::Unavailable),
    ] {
        let mut world = World::new();
        world
            .grafana
            .does(|_| Does::Refuses(404, "organization not found"));
        let instance = world.connect(more).await;
        until("the first read", || instance.health() != Health::Starting).await;
        let mut status = GrafanaInstanceStatus::default();
        let (reason, message) = describe(&instance, &world.context, &mut status);
        assert_eq!(reason, expected, "{message}");
        let names = message.starts_with("spec.orgID: Grafana has no organisation 7 (");
        assert_eq!(names, expected == Reason::Invalid, "{message}");
    }
}

#[tokio::test]
async fn without_the_right_to_see_data_sources_all_goes_on_but_rules_that_have_one() {
    let mut world = World::new();
    world
        .grafana
        .does(failing("server.data_sources", 403, "access denied"));
    let instance = world.connect(json!({})).await;
    until("the first read", || instance.health() != Health::Starting).await;

    let rule = world.rule("r", json!({"query": QUERY}));
    let failure = rule.reconcile(&world.context).await.unwrap_err();
    assert_eq!(failure.reason, Some(Reason::Unauthorized));
    assert!(failure.message.contains("data sources"), "{}", failure.message);

    let data = json!([{"refId": "A", "datasourceUid": "loki", "model": {"expr": "x"}}]);
    let own = world.rule("own", json!({"data": data, "condition": "A"}));
    own.reconcile(&world.context).await.unwrap();
    let integrations = json!([{"webhook": {"url": {"value": "https://example.com/hook"}}}]);
    let point = world.contact_point("team", json!({"integrations": integrations}));
    point.reconcile(&world.context).await.unwrap();
    let silence = silence(&mut world);
    silence.reconcile(&world.context).await.unwrap();
}

#[tokio::test]
async fn a_rule_that_is_deleted_needs_no_folders_and_no_settings() {
    let mut world = World::connected().await;
    let rule = world.rule("r", json!({"query": QUERY}));
    rule.reconcile(&world.context).await.unwrap();
    world.grafana.does(|called| match called {
        "folders.list" | "server.health" | "server.settings" | "silences.list" => Does::Refuses(500, "no"),
        _ => Does::Well,
    });
    world.poll().await;
    rule.clean_up(&world.context).await.unwrap();
    assert_eq!(world.grafana.hold(|held| held.rules.len()), 0);
}

/// A rule whose status says that this generation is stored in Grafana.
fn stored(world: &mut World, name: &str, observed: i64, generation: i64) -> AlertRule {
    let mut rule = world.rule(name, json!({"query": QUERY}));
    rule.metadata.generation = Some(generation);
    let mut status = crate::api::AlertRuleStatus {
        observed_generation: Some(observed),
        ..Default::default()
    };
    let now = jiff::Timestamp::UNIX_EPOCH;
    condition::report(
        &mut status.conditions,
        Reason::Synced,
        "stored in Grafana",
        Some(observed),
        now,
    );
    rule.status = Some(status);
    rule
}

async fn reason_after_a_pass(world: &World, rule: AlertRule) -> Option<String> {
    let path = path("alertrules", "revel", rule.id());
    pass::run(Arc::new(rule), world.context.clone()).await.unwrap();
    world.server.ready(&path).map(|(reason, _)| reason)
}

#[tokio::test]
async fn a_restart_while_grafana_is_away_leaves_what_was_said_of_the_same_wish() {
    let mut world = World::new();
    let (same, changed) = (
        stored(&mut world, "same", 1, 1),
        stored(&mut world, "changed", 1, 2),
    );
    let new = world.rule("new", json!({"query": QUERY}));
    world.grafana.does(|_| Does::Refuses(502, "no upstream"));
    let instance = world.connect(json!({})).await;
    until("the first read", || instance.health() != Health::Starting).await;
    assert_eq!(drain(&mut world.receivers.rules), 3, "all are looked at once");

    assert_eq!(
        reason_after_a_pass(&world, same).await,
        None,
        "nothing is written"
    );
    assert!(world.server.writes().is_empty(), "{:?}", world.server.writes());
    assert_eq!(
        reason_after_a_pass(&world, changed).await.as_deref(),
        Some("Unavailable")
    );
    assert_eq!(
        reason_after_a_pass(&world, new).await.as_deref(),
        Some("Unavailable")
    );
    let mut status = GrafanaInstanceStatus::default();
    let (reason, _) = describe(&instance, &world.context, &mut status);
    assert_eq!((reason, status.reachable), (Reason::Unavailable, Some(false)));
}

#[tokio::test]
async fn a_wrong_path_at_which_everything_is_missing_is_told() {
    let mut world = World::new();
    world.grafana.does(|_| Does::Refuses(404, "404 page not found"));
    let instance = world.connect(json!({})).await;
    until("the first read", || instance.health() != Health::Starting).await;
    let rule = world.rule("r", json!({"query": QUERY}));
    assert_eq!(
        reason_after_a_pass(&world, rule).await.as_deref(),
        Some("Unavailable")
    );
}

#[tokio::test]
async fn while_the_token_is_refused_each_poll_has_the_instance_look_whether_it_was_renewed() {
    for is_connected in [true, false] {
        let mut world = if is_connected {
            World::connected().await
        } else {
            World::new()
        };
        world.grafana.does(|_| Does::Refuses(401, "Invalid API key"));
        if !is_connected {
            let instance = world.connect(json!({})).await;
            until("the first read", || instance.health() != Health::Starting).await;
        }
        // That it is refused is news once, and what is no news needs a look too.
        for poll in 1..=4 {
            drain(&mut world.receivers.instances);
            world.poll().await;
            let passes = drain(&mut world.receivers.instances);
            assert!(passes > 0, "after poll {poll}; connected before: {is_connected}");
        }
    }
}

#[tokio::test]
async fn how_connecting_ends_is_told_and_not_that_it_begins() {
    let mut world = World::new();
    let answers = tokio_util::sync::CancellationToken::new();
    let slow = answers.clone();
    world.grafana.does(move |_| Does::Dawdles(slow.clone()));
    let secret = json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "token", "namespace": HOME}, "data": {"token": "eA=="},
    });
    let place = format!("/api/v1/namespaces/{HOME}/secrets/token");
    world.server.set(&place, secret);
    let instance = world.connect(json!({})).await;
    let at = path("grafanainstances", HOME, "default");
    let look = async || {
        let stored: GrafanaInstance = serde_json::from_value(world.server.get(&at)).unwrap();
        instance::reconcile(Arc::new(stored), world.context.clone())
            .await
            .unwrap();
        world.server.ready(&at).unwrap()
    };
    assert_eq!(look().await.1, "connecting");
    assert_eq!(world.server.notes(), [""; 0]);

    world.grafana.does(|_| Does::Refuses(502, "bad gateway"));
    answers.cancel();
    world.poll().await;
    until("an answer", || !matches!(instance.health(), Health::Starting)).await;
    world.poll().await;
    let (reason, message) = look().await;
    assert!(message.contains("bad gateway"), "{message}");
    assert_eq!(world.server.notes(), [format!("{reason}: {message}")]);
}

#[tokio::test]
async fn an_instance_whose_token_may_only_read_says_so() {
    let mut world = World::connected().await;
    let said = |world: &World| {
        let mut status = GrafanaInstanceStatus::default();
        describe(&world.instance(), &world.context, &mut status).1
    };
    assert_eq!(said(&world), "connected");
    world
        .grafana
        .does(failing("rules.create", 403, "You'll need additional permissions"));
    let rule = world.rule("r", json!({"query": QUERY}));
    let failure = rule.reconcile(&world.context).await.err().unwrap();
    assert_eq!(failure.reason, Some(Reason::Unauthorized));
    let message = said(&world);
    assert!(
        message.starts_with("connected. Warning: ") && message.contains("needs the role Admin"),
        "{message}"
    );
    world.grafana.does_well();
    world.instance().refused.forget_all();
    rule.reconcile(&world.context).await.unwrap();
    assert_eq!(said(&world), "connected");
}

#[tokio::test]
async fn what_answers_in_the_place_of_a_grafana_that_is_away_is_not_taken_for_another_one() {
    let mut world = World::connected().await;
    let secret = json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "namespace": "revel"},
        "data": {"k": "aHR0cHM6Ly9leGFtcGxlLmNvbQ=="},
    });
    world.server.set("/api/v1/namespaces/revel/secrets/s", secret);
    let integrations = json!([{"webhook": {"url": {"secretKeyRef": {"name": "s", "key": "k"}}}}]);
    let point = world.contact_point("team", json!({"integrations": integrations}));
    point.reconcile(&world.context).await.unwrap();
    let known = world.instance().memory().unwrap().identity().clone();
    // The operator starts anew while a gateway says, in JSON, that it knows no way to Grafana.
    world.instance().stop.cancel();
    for status in [403, 404] {
        world
            .grafana
            .does(move |_| Does::Refuses(status, "no Route matched with those values"));
        let instance = world.connect(json!({})).await;
        until("the first read", || instance.health() != Health::Starting).await;
        assert!(instance.memory().is_err(), "nobody has said which Grafana it is");
        world.grafana.does_well();
        world.poll().await;
        assert_eq!(instance.memory().unwrap().identity(), &known);
        point.reconcile(&world.context).await.unwrap();
        assert_eq!(
            world.grafana.count("contact_points.update"),
            0,
            "its secret isn't sent again"
        );
        instance.stop.cancel();
    }
    // Where Grafana itself doesn't say it, it is the one that the specification names.
    world
        .grafana
        .does(failing("server.organisation", 403, "access denied"));
    let instance = world.connect(json!({"orgID": 7})).await;
    until("the first read", || instance.health() != Health::Starting).await;
    assert_eq!(instance.memory().unwrap().identity().organisation(), Some(7));
}

#[tokio::test]
async fn the_status_of_an_instance_says_which_part_cannot_be_read_and_how_many_wait_for_what() {
    let mut world = World::connected().await;
    world
        .grafana
        .does(failing("silences.list", 500, "alertmanager is not ready"));
    world.poll().await;
    let silence = silence(&mut world);
    let rule = world.rule("r", json!({"query": "up < "}));
    pass::run(Arc::new(silence), world.context.clone()).await.unwrap();
    pass::run(Arc::new(rule), world.context.clone()).await.unwrap();
    let written = |plural: &str, name: &str| world.server.get(&path(plural, "revel", name));
    let silence: Silence = serde_json::from_value(written("silences", "s")).unwrap();
    let rule: AlertRule = serde_json::from_value(written("alertrules", "r")).unwrap();
    see(
        &world.context,
        &mut world.writers.silences,
        silence,
        news::about_silence,
    );
    see(&world.context, &mut world.writers.rules, rule, news::about_rule);
    let mut status = GrafanaInstanceStatus::default();
    describe(&world.instance(), &world.context, &mut status);
    assert_eq!(status.unread.keys().collect::<Vec<_>>(), ["silences"]);
    assert!(status.unread["silences"].contains("alertmanager is not ready"));
    let waiting: Vec<_> = status
        .waiting
        .iter()
        .map(|(reason, count)| (reason.as_str(), *count))
        .collect();
    assert_eq!(waiting, [("Invalid", 1), ("Unavailable", 1)]);

    world.grafana.does_well();
    world.poll().await;
    describe(&world.instance(), &world.context, &mut status);
    assert!(status.unread.is_empty(), "{:?}", status.unread);
}

#[tokio::test]
async fn who_waits_for_an_instance_says_what_is_wrong_with_it_now() {
    let mut world = World::new();
    world.grafana.does(|_| Does::Refuses(502, "bad gateway"));
    let instance = world.connect(json!({})).await;
    until("the first read", || instance.health() != Health::Starting).await;
    world.rule("r", json!({"query": QUERY}));
    let at = path("alertrules", "revel", "r");
    let said = async |world: &World| {
        let rule: AlertRule = serde_json::from_value(world.server.get(&at)).unwrap();
        pass::run(Arc::new(rule), world.context.clone()).await.unwrap();
        world.server.ready(&at).unwrap()
    };
    let (reason, message) = said(&world).await;
    assert!(
        reason == "Unavailable" && message.contains("bad gateway"),
        "{reason}: {message}"
    );
    drain(&mut world.receivers.rules);
    world.grafana.does(|_| Does::Refuses(401, "Invalid API key"));
    world.poll().await;
    assert_eq!(drain(&mut world.receivers.rules), 1, "the reason is another");
    let (reason, message) = said(&world).await;
    assert!(
        reason == "Unauthorized" && message.contains("Invalid API key"),
        "{reason}: {message}"
    );
    world.poll().await;
    assert_eq!(drain(&mut world.receivers.rules), 0, "nothing is new");
    // What it lacks is no more than it was before a Grafana was asked.
    world.context.running.write().clear();
    for lack in [
        "ConfigMap bundle is not there",
        "key ca of ConfigMap bundle is empty",
    ] {
        let failure = Failure::new(Reason::DependencyMissing, lack, Retry::OnChange);
        world.context.broken.write().insert("default".to_owned(), failure);
        let (reason, message) = said(&world).await;
        assert!(
            reason == "DependencyMissing" && message.ends_with(lack),
            "{reason}: {message}"
        );
    }
}
