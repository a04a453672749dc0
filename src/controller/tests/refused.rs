//! What Grafana refuses, and what is said of it.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use serde_json::json;

use super::*;
use crate::api::condition::Reason;
use crate::controller::engine::failure::{Failure, Retry};
use crate::controller::pass::{self, Reconcile};
use crate::grafana::model::{self, NotificationSettings, TreeName};

fn hook(path: &str) -> Value {
    json!({"integrations": [{"webhook": {"url": {"value": format!("https://example.com/{path}")}}}]})
}

/// Refuses one operation.
fn refuse(world: &World, operation: &'static str, status: u16, message: &'static str) {
    world.grafana.does(move |called| {
        if called == operation {
            Does::Refuses(status, message)
        } else {
            Does::Well
        }
    });
}

/// Lets Grafana refuse the write of a resource, and looks at it again and again; `edited` is the same resource after an edit.
async fn is_sent_once(
    world: &World,
    operation: &'static str,
    object: &impl Reconcile,
    edited: &impl Reconcile,
) {
    for (status, message, reason) in [
        (400, "bad", Reason::Invalid),
        (403, "not yours", Reason::Unauthorized),
        (403, "quota has been exceeded", Reason::Invalid),
    ] {
        refuse(world, operation, status, message);
        let before = world.grafana.count(operation);
        let sent = || world.grafana.count(operation) - before;
        for _ in 0..4 {
            let failure = object.reconcile(&world.context).await.unwrap_err();
            assert_eq!(failure.reason, Some(reason), "{operation} {message}");
            assert!(failure.message.contains(message), "{}", failure.message);
            let Retry::After(again) = failure.retry else {
                panic!("never tried again: {failure:?}");
            };
            assert!(again >= Duration::from_secs(290), "{again:?}");
        }
        assert_eq!(sent(), 1, "{operation} {message}: {:?}", world.grafana.calls());
        // A poll finds nothing new, and another look sends nothing either.
        world.poll().await;
        object.reconcile(&world.context).await.unwrap_err();
        assert_eq!(sent(), 1, "{operation} {message} after a poll");
        edited.reconcile(&world.context).await.unwrap_err();
        assert_eq!(sent(), 2, "{operation} {message} after an edit");
        world.instance().refused.forget_all();
    }
    world.grafana.does_well();
    object.reconcile(&world.context).await.unwrap();
}

#[tokio::test]
async fn a_rule_that_was_refused_is_sent_again_only_after_an_edit_or_a_long_while() {
    let mut world = World::connected().await;
    let edited = world.rule("r", json!({"query": QUERY, "for": "2m"}));
    let rule = world.rule("r", json!({"query": QUERY}));
    is_sent_once(&world, "rules.create", &rule, &edited).await;
    let other = world.rule("r", json!({"query": QUERY, "for": "3m"}));
    is_sent_once(&world, "rules.update", &edited, &other).await;
}

#[tokio::test]
async fn what_was_refused_is_sent_again_once_grafana_was_away_or_is_another_by_now() {
    let mut world = World::connected().await;
    let rule = world.rule("r", json!({"query": QUERY}));
    let refused = async |world: &World| {
        refuse(world, "rules.create", 400, "bad");
        rule.reconcile(&world.context).await.unwrap_err();
        world.grafana.does_well();
        rule.reconcile(&world.context).await.unwrap_err();
    };
    refused(&world).await;
    world.grafana.does(|_| Does::Refuses(502, "no upstream"));
    world.poll().await;
    world.grafana.does_well();
    world.poll().await;
    rule.reconcile(&world.context).await.unwrap();

    world.grafana.hold(|held| held.rules.clear());
    world.poll().await;
    refused(&world).await;
    world.grafana.hold(|held| held.version = "13.0.1".to_owned());
    world.poll().await;
    rule.reconcile(&world.context).await.unwrap();
}

#[tokio::test]
async fn a_folder_that_was_refused_is_sent_once_for_all_its_rules() {
    let mut world = World::connected().await;
    let rules = [
        world.rule("a", json!({"query": QUERY})),
        world.rule("b", json!({"query": QUERY})),
    ];
    refuse(&world, "folders.create", 400, "bad");
    for rule in &rules {
        let failure = rule.reconcile(&world.context).await.unwrap_err();
        assert_eq!(failure.reason, Some(Reason::Invalid));
    }
    assert_eq!(world.grafana.count("folders.create"), 1);
}

#[tokio::test]
async fn who_may_not_make_a_folder_is_told_that_and_not_that_it_may_not_be_seen() {
    let mut world = World::connected().await;
    let rules = [
        world.rule("a", json!({"query": QUERY})),
        world.rule("b", json!({"query": QUERY})),
    ];
    world.grafana.does(|called| match called {
        "folders.create" => Does::Refuses(403, "Permissions needed: folders:create"),
        "folders.get" => Does::Refuses(403, "Permissions needed: folders:read"),
        _ => Does::Well,
    });
    for rule in &rules {
        let failure = rule.reconcile(&world.context).await.unwrap_err();
        assert_eq!(failure.reason, Some(Reason::Unauthorized));
        assert!(failure.message.contains("folders:create"), "{}", failure.message);
    }
    assert_eq!(world.grafana.count("folders.create"), 1);
}

#[tokio::test]
async fn an_interval_that_was_refused_is_sent_again_only_after_an_edit_or_a_long_while() {
    let mut world = World::connected().await;
    let rule = world.rule("r", json!({"query": QUERY, "interval": "2m"}));
    refuse(&world, "rules.put_group", 400, "bad");
    for _ in 0..3 {
        let failure = rule.reconcile(&world.context).await.unwrap_err();
        assert_eq!(failure.reason, Some(Reason::Invalid));
    }
    assert_eq!(world.grafana.count("rules.put_group"), 1);
}

#[tokio::test]
async fn a_contact_point_that_was_refused_is_sent_again_only_after_an_edit_or_a_long_while() {
    let mut world = World::connected().await;
    let edited = world.contact_point("team", hook("b"));
    let point = world.contact_point("team", hook("a"));
    is_sent_once(&world, "contact_points.create", &point, &edited).await;
}

#[tokio::test]
async fn a_silence_that_was_refused_is_sent_again_only_after_an_edit_or_a_long_while() {
    let mut world = World::connected().await;
    let spec =
        |severity: &str| json!({"matchers": [format!("severity=\"{severity}\"")], "duration": "5000d"});
    let edited = world.silence("s", spec("low"));
    let silence = world.silence("s", spec("high"));
    is_sent_once(&world, "silences.put", &silence, &edited).await;
}

#[tokio::test]
async fn a_tree_that_was_refused_is_sent_again_only_after_an_edit_or_a_long_while() {
    let mut world = World::connected().await;
    for name in ["a", "b"] {
        let point = world.contact_point(name, hook(name));
        point.reconcile(&world.context).await.unwrap();
    }
    let edited = world.policy("tree", json!({"receiver": "b"}));
    let policy = world.policy("tree", json!({"receiver": "a"}));
    is_sent_once(&world, "policy.put", &policy, &edited).await;
}

/// Loses as many races as are run again without a word, in no time.
fn lose_races(world: &World, key: &str) {
    let now = Instant::now();
    let lost = |n: u32| {
        world
            .context
            .backoff
            .soon(key, Some(1), now + n * Duration::from_secs(1))
    };
    assert!((0..100).any(|n| lost(n).is_none()));
}

#[tokio::test]
async fn a_conflict_that_goes_on_is_told_with_its_cure() {
    let mut world = World::connected().await;
    let rule = Arc::new(world.rule("r", json!({"query": QUERY})));
    let at = path("alertrules", "revel", "r");
    refuse(
        &world,
        "rules.create",
        409,
        "rule title under the same organisation and folder should be unique",
    );
    pass::run(rule.clone(), world.context.clone()).await.unwrap();
    assert_eq!(world.server.ready(&at), None, "a race may be lost without a word");
    lose_races(&world, "AlertRule/revel/r/default");
    pass::run(rule, world.context.clone()).await.unwrap();
    let (reason, message) = world.server.ready(&at).unwrap();
    assert_eq!(reason, "Conflict");
    assert!(
        message.starts_with("spec.title: ") && message.contains("choose another title"),
        "{message}"
    );
}

#[tokio::test]
async fn what_is_missing_again_and_again_is_told() {
    let mut world = World::connected().await;
    let rule = Arc::new(world.rule("r", json!({"query": QUERY})));
    refuse(&world, "rules.create", 404, "folder not found");
    lose_races(&world, "AlertRule/revel/r/default");
    pass::run(rule, world.context.clone()).await.unwrap();
    let (reason, message) = world.server.ready(&path("alertrules", "revel", "r")).unwrap();
    assert_eq!(reason, "Unavailable");
    assert!(message.contains("folder not found"), "{message}");
}

#[tokio::test]
async fn what_the_api_server_refuses_is_told_in_its_words() {
    let mut world = World::connected().await;
    let point = Arc::new(world.contact_point("team", hook("a")));
    world.server.close("/secrets");
    pass::run(point, world.context.clone()).await.unwrap();
    let (reason, message) = world
        .server
        .ready(&path("contactpoints", "revel", "team"))
        .unwrap();
    assert_eq!(reason, "Unavailable");
    assert!(message.contains("admission policy: not here"), "{message}");
}

async fn refused_clean_up(world: &World, point: &ContactPoint) -> Failure {
    let failure = point.clean_up(&world.context).await.unwrap_err();
    assert_eq!(failure.reason, Some(Reason::InUse), "{failure:?}");
    assert_eq!(failure.retry, Retry::After(Duration::from_secs(10)));
    failure
}

#[tokio::test]
async fn a_contact_point_that_a_rule_has_for_its_own_waits_with_its_deletion_and_says_for_which() {
    let mut world = World::connected().await;
    let namespace = |phase: &str| json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "revel"}, "status": {"phase": phase}});
    world.server.set("/api/v1/namespaces/revel", namespace("Active"));
    let point = world.contact_point("team", hook("a"));
    point.reconcile(&world.context).await.unwrap();
    let used = "contact point 'team' is currently used in notification settings by one or many alert rules";
    refuse(&world, "contact_points.delete", 500, used);
    // Nobody has read of the rule yet.
    let failure = refused_clean_up(&world, &point).await;
    assert!(failure.message.contains(used), "{}", failure.message);
    assert_eq!(world.grafana.count("contact_points.delete"), 1);
    let rule = |uid: &str, label: Option<&str>| model::AlertRule {
        uid: uid.to_owned(),
        title: format!("Rule {uid}"),
        labels: label
            .map(|l| (crate::domain::ownership::LABEL.to_owned(), l.to_owned()))
            .into_iter()
            .collect(),
        notification_settings: Some(NotificationSettings {
            receiver: "team".to_owned(),
            ..NotificationSettings::default()
        }),
        ..model::AlertRule::default()
    };
    world.grafana.hold(|held| {
        held.rules.insert("x".to_owned(), rule("x", None));
        held.rules
            .insert("y".to_owned(), rule("y", Some("own/revel/paging")));
    });
    world.poll().await;
    for _ in 0..3 {
        let failure = refused_clean_up(&world, &point).await;
        assert_eq!(
            failure.message,
            "AlertRule revel/paging, Grafana's rule \"Rule x\" (x) still refer to it"
        );
    }
    assert_eq!(
        world.grafana.count("contact_points.delete"),
        1,
        "no call where the mirror knows"
    );
    // Once the rules have let go it goes.
    world.grafana.hold(|held| held.rules.clear());
    world.grafana.does_well();
    world.poll().await;
    point.clean_up(&world.context).await.unwrap();
    assert!(world.grafana.hold(|held| held.points.is_empty()));
}

#[tokio::test]
async fn a_tree_that_was_refused_for_want_of_a_contact_point_is_sent_again_when_that_is_there() {
    let mut world = World::connected().await;
    let point = world.contact_point("a", hook("a"));
    point.reconcile(&world.context).await.unwrap();
    let policy = world.policy("tree", json!({"receiver": "a"}));
    let edited = world.contact_point("a", hook("b"));
    for is_polled in [true, false] {
        refuse(&world, "policy.put", 400, "receiver 'a' does not exist");
        policy.reconcile(&world.context).await.unwrap_err();
        world.grafana.does_well();
        policy.reconcile(&world.context).await.unwrap_err();
        world.grafana.hold(|held| held.points.clear());
        if is_polled {
            world.poll().await;
            point.reconcile(&world.context).await.unwrap();
        } else {
            edited.reconcile(&world.context).await.unwrap();
        }
        policy.reconcile(&world.context).await.unwrap();
        world.grafana.hold(|held| held.policy = None);
        world.poll().await;
    }
}

#[tokio::test]
async fn a_contact_point_waits_for_the_policy_that_asks_for_it_though_somebody_has_reset_the_tree() {
    let mut world = World::connected().await;
    let mut namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "revel"}});
    world.server.set("/api/v1/namespaces/revel", namespace.clone());
    for name in ["a", "b"] {
        let point = world.contact_point(name, hook(name));
        point.reconcile(&world.context).await.unwrap();
    }
    let (a, b) = (
        world.contact_point("a", hook("a")),
        world.contact_point("b", hook("b")),
    );
    let policy = world.policy("tree", json!({"receiver": "a"}));
    policy.reconcile(&world.context).await.unwrap();
    world.grafana.hold(|held| held.policy = None);
    world.poll().await;
    let failure = refused_clean_up(&world, &a).await;
    let expected = "NotificationPolicy revel/tree still refers to it";
    assert_eq!(failure.message, expected);
    b.clean_up(&world.context).await.unwrap();
    assert_eq!(world.grafana.count("contact_points.delete"), 1);
    // A namespace never hangs on it.
    namespace["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
    world.server.set("/api/v1/namespaces/revel", namespace);
    a.clean_up(&world.context).await.unwrap();
    assert_eq!(world.grafana.count("contact_points.delete"), 2);
}

#[tokio::test]
async fn what_stays_in_grafana_is_told_at_the_instance_too() {
    let mut world = World::connected().await;
    let point = world.contact_point("team", hook("a"));
    point.reconcile(&world.context).await.unwrap();
    let used = "contact point 'team' is currently used in notification settings by one or many alert rules";
    refuse(&world, "contact_points.delete", 500, used);
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "revel", "deletionTimestamp": "2026-01-01T00:00:00Z"}});
    world.server.set("/api/v1/namespaces/revel", namespace);
    point.clean_up(&world.context).await.unwrap();
    let notes = world.server.notes();
    let stays = "contact point 'team' is currently used in notification settings by one or many alert rules, so it stays in Grafana";
    for said in ["LeftBehind: ", "LeftBehind: ContactPoint revel/team: "] {
        let is_said = |note: &String| note.starts_with(said) && note.ends_with(stays);
        assert!(notes.iter().any(is_said), "{said}: {notes:#?}");
    }
}

#[tokio::test]
async fn a_contact_point_that_turns_out_to_be_in_use_when_half_of_it_is_gone_is_made_whole_again() {
    let mut world = World::connected().await;
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "revel"}});
    world.server.set("/api/v1/namespaces/revel", namespace);
    let two = json!({"integrations": [
        {"webhook": {"url": {"value": "https://example.com/hook"}}}, {"email": {"addresses": ["a@example.com"]}},
    ]});
    let point = world.contact_point("team", two);
    point.reconcile(&world.context).await.unwrap();
    let deleted = AtomicUsize::new(0);
    world.grafana.does(move |called| match called {
        "contact_points.delete" if deleted.fetch_add(1, Ordering::Relaxed) > 0 => Does::Refuses(
            500,
            "contact point 'team' is currently used in notification settings by one or many alert rules",
        ),
        _ => Does::Well,
    });
    refused_clean_up(&world, &point).await;
    let types = world.grafana.hold(|held| {
        let mut types: Vec<_> = held.points.iter().map(|point| point.r#type.clone()).collect();
        types.sort();
        types
    });
    assert_eq!(types, ["email", "webhook"]);
    assert_eq!(world.grafana.count("contact_points.create"), 3);
}

#[tokio::test]
async fn a_tree_of_which_nothing_is_known_is_looked_at_before_a_contact_point_goes() {
    for is_known in [false, true] {
        let mut world = World::connected().await;
        let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "revel", "deletionTimestamp": "2026-01-01T00:00:00Z"}});
        world.server.set("/api/v1/namespaces/revel", namespace);
        let point = world.contact_point("team", hook("a"));
        point.reconcile(&world.context).await.unwrap();
        let policy = world.policy("tree", json!({"receiver": "team"}));
        policy.reconcile(&world.context).await.unwrap();
        let puts = world.grafana.count("policy.put");
        world.instance().mirror.write(|held| {
            if is_known {
                // As a poll has shown it that began before ours was there.
                held.trees.written(TreeName::default(), None);
            } else {
                held.trees.unknown(TreeName::default());
            }
        });
        let grafana = world.grafana.clone();
        world.grafana.does(move |called| {
            let receiver = grafana.hold(|held| held.policy.as_ref()?.receiver.clone());
            if called == "contact_points.delete" && receiver.as_deref() == Some("team") {
                Does::Refuses(
                    409,
                    "contact point 'team' is currently used by a notification policy",
                )
            } else {
                Does::Well
            }
        });
        if point.clean_up(&world.context).await.is_err() {
            assert!(is_known);
            point.clean_up(&world.context).await.unwrap();
        }
        assert!(world.grafana.hold(|held| held.points.is_empty()), "{is_known}");
        assert_eq!(world.grafana.count("policy.put"), puts + 1, "{is_known}");
        assert_eq!(world.server.notes(), Vec::<String>::new());
    }
}
