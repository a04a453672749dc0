//! Taking over what somebody else made: who may, and what is said of it before and after.

use serde_json::json;

use super::super::*;
use super::{in_grafana, marked, marks, world_with};
use crate::api::ANNOTATION_ADOPT;
use crate::api::condition::Reason;
use crate::controller::pass::Reconcile;
use crate::grafana::model::{NotificationSettings, Record, Route};

pub(super) fn adopting<K: ::kube::Resource>(mut object: K) -> K {
    let annotations = object.meta_mut().annotations.get_or_insert_default();
    annotations.insert(ANNOTATION_ADOPT.to_owned(), "true".to_owned());
    object
}

#[tokio::test]
async fn only_namespaces_that_may_adopt_take_over_what_somebody_else_made() {
    let spec = json!({"query": QUERY, "uid": "theirs"});
    for (instance, may) in [
        (json!({}), true),
        (json!({"allowedNamespaces": {"names": ["revel"]}}), false),
        (json!({"adoptNamespaces": {"names": ["other"]}}), false),
        (
            json!({"allowedNamespaces": {"names": ["revel"]}, "adoptNamespaces": {"names": ["revel"]}}),
            true,
        ),
    ] {
        let mut world = world_with(&instance, |held| in_grafana(held, "theirs", "Theirs", None)).await;
        let rule = adopting(world.rule("r", spec.clone()));
        let outcome = rule.reconcile(&world.context).await;
        if may {
            outcome.unwrap();
            assert_eq!(marks(&world), marked([("theirs", "own/revel/r")]));
            let notes = world.server.notes();
            assert!(
                notes.len() == 1 && notes[0].contains("Adopted") && notes[0].contains("theirs"),
                "{notes:?}"
            );
        } else {
            let failure = outcome.err().unwrap();
            assert_eq!(failure.reason, Some(Reason::NotOwned));
            assert!(
                failure.message.contains("spec.adoptNamespaces.names"),
                "{}",
                failure.message
            );
            assert_eq!(marks(&world), marked([("theirs", "")]));
        }
    }
}

#[tokio::test]
async fn what_another_resource_has_made_is_not_adopted() {
    let mut world = world_with(&json!({}), |held| {
        in_grafana(held, "theirs", "Theirs", Some("own/revel/maker"));
    })
    .await;
    let rule = adopting(world.rule("r", json!({"query": QUERY, "uid": "theirs"})));
    let maker = world.rule("maker", json!({"query": QUERY}));
    let failure = rule.reconcile(&world.context).await.err().unwrap();
    assert_eq!(failure.reason, Some(Reason::NotOwned));
    // Once its maker is gone it is nobody's.
    world.writers.rules.apply(&Event::Delete(maker));
    rule.reconcile(&world.context).await.unwrap();
    assert_eq!(marks(&world), marked([("theirs", "own/revel/r")]));
}

#[tokio::test]
async fn an_adopted_contact_point_names_what_it_has_removed_and_no_setting_of_it() {
    let spec = json!({"integrations": [{"webhook": {"url": {"value": "https://example.com/hook"}}}]});
    let settings = json!({"url": "https://example.com/hunter2"});
    let foreign = Point {
        uid: "by-hand".to_owned(),
        name: "team".to_owned(),
        r#type: "slack".to_owned(),
        settings: settings.as_object().unwrap().clone(),
    };
    for (instance, may) in [
        (json!({}), true),
        (json!({"adoptNamespaces": {"names": []}}), false),
    ] {
        let mut world = world_with(&instance, |held| held.points.push(foreign.clone())).await;
        let object = adopting(world.contact_point("team", spec.clone()));
        let outcome = object.reconcile(&world.context).await;
        let notes = world.server.notes();
        if may {
            outcome.unwrap();
            let [note] = notes.as_slice() else {
                panic!("{notes:?}")
            };
            assert!(
                note.contains("Adopted") && note.contains("slack (by-hand)") && !note.contains("hunter2"),
                "{note}"
            );
        } else {
            let failure = outcome.err().unwrap();
            assert_eq!(failure.reason, Some(Reason::NotOwned));
            assert!(notes.is_empty(), "{notes:?}");
            assert_eq!(world.grafana.hold(|held| held.points.len()), 1);
        }
    }
}

/// A tree of somebody else's, two routes of which say what ours can't.
fn muted() -> Route {
    let tree = json!({"receiver": "oncall", "routes": [
        {"receiver": "db", "object_matchers": [["team", "=", "db"]], "mute_time_intervals": ["nights", "weekends"]},
        {"receiver": "web", "matchers": ["team=web"], "active_time_intervals": ["office-hours"], "of_the_future": {"a": 1}},
        {"receiver": "all", "continue": true},
    ]});
    serde_json::from_value(tree).unwrap()
}

const LOST: [&str; 3] = [
    "routes[0] (team=db): mute_time_intervals nights and weekends",
    "routes[1] (team=web): active_time_intervals office-hours, of_the_future",
    "comes back",
];

fn names_all(text: &str) {
    for part in LOST {
        assert!(text.contains(part), "{part} in {text}");
    }
    assert!(!text.contains("routes[2]"), "{text}");
}

#[tokio::test]
async fn what_a_foreign_tree_says_beyond_ours_is_told_before_and_after_it_is_taken_over_and_comes_back_whole()
{
    let mut world = world_with(&json!({}), |held| {
        held.policy = Some(muted());
        held.points.push(Point {
            uid: "by-hand".to_owned(),
            name: "oncall".to_owned(),
            r#type: "slack".to_owned(),
            ..Point::default()
        });
    })
    .await;
    let policy = world.policy("tree", json!({"receiverRef": {"grafanaName": "oncall"}}));
    let failure = policy.reconcile(&world.context).await.err().unwrap();
    assert_eq!(failure.reason, Some(Reason::NotOwned));
    names_all(&failure.message);
    assert_eq!(world.grafana.hold(|held| held.policy.clone()), Some(muted()));
    assert!(world.server.notes().is_empty());

    let policy = adopting(policy);
    let report = policy.reconcile(&world.context).await.unwrap();
    let [warning] = report.warnings.as_slice() else {
        panic!("{:?}", report.warnings)
    };
    names_all(warning);
    let notes = world.server.notes();
    let [note] = notes.as_slice() else {
        panic!("{notes:?}")
    };
    assert!(
        note.starts_with("Adopted: took over Grafana's policy tree"),
        "{note}"
    );
    names_all(note);

    // It stands there for as long as the other tree is away, and is no news.
    let report = policy.reconcile(&world.context).await.unwrap();
    assert_eq!(report.warnings.len(), 1);
    assert_eq!(world.server.notes().len(), 1);
    policy.clean_up(&world.context).await.unwrap();
    assert_eq!(world.grafana.hold(|held| held.policy.clone()), Some(muted()));
}

#[tokio::test]
async fn a_tree_that_ours_can_say_as_well_is_taken_over_without_a_warning() {
    let mut tree = muted();
    tree.routes
        .retain(|route| route.receiver.as_deref() == Some("all"));
    let mut world = world_with(&json!({}), |held| {
        held.policy = Some(tree);
        held.points.push(Point {
            name: "oncall".to_owned(),
            ..Point::default()
        });
    })
    .await;
    let policy = adopting(world.policy("tree", json!({"receiverRef": {"grafanaName": "oncall"}})));
    let report = policy.reconcile(&world.context).await.unwrap();
    assert!(report.warnings.is_empty(), "{:?}", report.warnings);
    let expected = "Adopted: took over Grafana's policy tree, which this resource hadn't made";
    assert_eq!(world.server.notes(), [expected]);
}

#[tokio::test]
async fn a_tree_that_is_nobodys_or_our_own_is_replaced_without_a_word() {
    let mut world = world_with(&json!({}), |held| {
        for name in ["oncall", "team"] {
            held.points.push(Point {
                name: name.to_owned(),
                ..Point::default()
            });
        }
    })
    .await;
    for name in ["oncall", "team"] {
        let policy = adopting(world.policy("tree", json!({"receiverRef": {"grafanaName": name}})));
        policy.reconcile(&world.context).await.unwrap();
        let held = world.grafana.hold(|held| held.policy.clone());
        assert_eq!(held.unwrap().receiver.as_deref(), Some(name));
    }
    assert!(world.server.notes().is_empty(), "{:?}", world.server.notes());
}

#[tokio::test]
async fn what_a_contact_point_would_lose_is_said_before_it_is_taken_over() {
    let spec = json!({"integrations": [{"webhook": {"url": {"value": "https://example.com/hook"}}}]});
    let mut world = world_with(&json!({}), |held| {
        held.points.push(Point {
            uid: "by-hand".to_owned(),
            name: "team".to_owned(),
            r#type: "slack".to_owned(),
            ..Point::default()
        });
    })
    .await;
    let object = world.contact_point("team", spec);
    let failure = object.reconcile(&world.context).await.err().unwrap();
    assert_eq!(failure.reason, Some(Reason::NotOwned));
    let expected = "Its integrations would be lost for good then: slack (by-hand). They differ in webhook: only here, slack: only there";
    assert!(failure.message.ends_with(expected), "{}", failure.message);
}

#[tokio::test]
async fn what_a_rule_says_beyond_ours_is_told_before_and_after_it_is_taken_over() {
    let mut world = world_with(&json!({}), |held| {
        in_grafana(held, "theirs", "Theirs", None);
        let rule = held.rules.get_mut("theirs").unwrap();
        rule.notification_settings = Some(NotificationSettings {
            receiver: "pager".to_owned(),
            ..NotificationSettings::default()
        });
        rule.record = Some(Record {
            metric: "errors:sum".to_owned(),
            ..Record::default()
        });
    })
    .await;
    let rule = world.rule("r", json!({"query": QUERY, "uid": "theirs"}));
    let lost = ["contact point pager", "metric errors:sum"];
    let failure = rule.reconcile(&world.context).await.err().unwrap();
    assert_eq!(failure.reason, Some(Reason::NotOwned));
    adopting(rule).reconcile(&world.context).await.unwrap();
    let notes = world.server.notes();
    for text in [failure.message.as_str(), notes[0].as_str()] {
        for part in lost {
            assert!(text.contains(part), "{part} in {text}");
        }
    }
    assert!(notes.len() == 1 && notes[0].starts_with("Adopted"), "{notes:?}");
}
