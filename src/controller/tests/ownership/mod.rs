//! Whose an object in Grafana is: by another owner id, by somebody else, by nobody any more; and who of several was first.

mod adoption;
mod branches;
mod claims;
mod contact_points;
mod inhibitions;
mod named;
mod orphans;
mod own_trees;
mod receivers;
mod several;
mod silences;
mod tenancy;
mod timed;
mod trees;

use std::collections::BTreeMap;

use serde_json::json;

use super::*;
use crate::api::ANNOTATION_ADOPT;
use crate::api::condition::Reason;
use crate::controller::pass::Reconcile;
use crate::grafana::api::OWNER_LABEL;
use crate::grafana::model::{self, Route, TreeName};
use crate::grafana::wire::Folder;

/// A world that takes over what the owner id `old` has made, and whose Grafana holds this.
async fn taking_over(former: &[&str], hold: impl FnOnce(&mut grafana::Held)) -> World {
    world_with(&json!({"previousOwnerIDs": former}), hold).await
}

async fn world_with(instance: &Value, hold: impl FnOnce(&mut grafana::Held)) -> World {
    let mut world = World::new();
    world.grafana.hold(hold);
    let instance = world.connect(instance.clone()).await;
    until("the first read", || {
        !matches!(instance.health(), Health::Starting)
    })
    .await;
    world
}

fn uid_by(owner: &str, name: &str) -> String {
    Owner::parse(owner).unwrap().rule_uid("revel", name)
}

/// A rule in Grafana, in the folder of namespace `revel`.
fn in_grafana(held: &mut grafana::Held, uid: &str, title: &str, mark: Option<&str>) {
    if held.folders.is_empty() {
        held.folders.push(Folder {
            uid: "f1".to_owned(),
            title: "revel".to_owned(),
            parent_uid: None,
        });
    }
    let labels = mark.map(|mark| (OWNER_LABEL.to_owned(), mark.to_owned()));
    let rule = model::AlertRule {
        uid: uid.to_owned(),
        title: title.to_owned(),
        folder_uid: "f1".to_owned(),
        group: Some(title.to_owned()),
        labels: labels.into_iter().collect(),
        ..model::AlertRule::default()
    };
    held.rules.insert(uid.to_owned(), rule);
}

/// The marks of the rules in Grafana by their uids.
fn marks(world: &World) -> BTreeMap<String, String> {
    world.grafana.hold(|held| {
        let rules = held.rules.values();
        rules
            .map(|rule| {
                let mark = rule.labels.get(OWNER_LABEL).cloned().unwrap_or_default();
                (rule.uid.clone(), mark)
            })
            .collect()
    })
}

fn marked<const N: usize>(rules: [(&str, &str); N]) -> BTreeMap<String, String> {
    rules.map(|(uid, mark)| (uid.to_owned(), mark.to_owned())).into()
}

#[tokio::test]
async fn a_rule_of_a_former_owner_id_is_taken_over_where_it_is() {
    let old = uid_by("old", "r");
    let mut world = taking_over(&["older", "old"], |held| {
        in_grafana(held, &old, "r", Some("old/revel/r"));
    })
    .await;
    let rule = world.rule("r", json!({"query": QUERY}));
    let report = rule.reconcile(&world.context).await.unwrap();
    assert_eq!(report.status.uid.as_deref(), Some(old.as_str()));
    assert_eq!(marks(&world), marked([(&old, "own/revel/r")]));
    let calls = world.grafana.calls();
    assert_eq!(world.grafana.count("rules.create"), 0, "{calls:?}");
    assert_eq!(world.grafana.count("rules.delete"), 0, "{calls:?}");
    // It rests there, also where the status and the former id are forgotten.
    rule.reconcile(&world.context).await.unwrap();
    assert_eq!(world.grafana.count("rules.update"), 1);
    let mut anew = taking_over(&[], |held| in_grafana(held, &old, "r", Some("own/revel/r"))).await;
    let rule = anew.rule("r", json!({"query": QUERY}));
    rule.reconcile(&anew.context).await.unwrap();
    assert_eq!(marks(&anew), marked([(&old, "own/revel/r")]));
    rule.clean_up(&anew.context).await.unwrap();
    assert_eq!(marks(&anew), marked([]));
}

#[tokio::test]
async fn a_rule_that_was_doubled_before_the_former_owner_id_was_named_is_one_again() {
    let (own, old) = (uid_by("own", "r"), uid_by("old", "r"));
    let mut world = taking_over(&["old"], |held| {
        in_grafana(held, &own, "r", Some("own/revel/r"));
        in_grafana(held, &old, "r", Some("old/revel/r"));
        in_grafana(held, "another", "r", Some("old/revel/other"));
    })
    .await;
    let rule = world.rule("r", json!({"query": QUERY}));
    rule.reconcile(&world.context).await.unwrap();
    let left = marked([(&own, "own/revel/r"), ("another", "old/revel/other")]);
    assert_eq!(marks(&world), left);
}

#[tokio::test]
async fn a_rule_that_is_deleted_goes_under_whichever_owner_id_it_was_made() {
    let (own, old) = (uid_by("own", "r"), uid_by("old", "r"));
    let mut world = taking_over(&["old"], |held| {
        in_grafana(held, &own, "r", Some("own/revel/r"));
        in_grafana(held, &old, "r", Some("old/revel/r"));
    })
    .await;
    let rule = world.rule("r", json!({"query": QUERY}));
    rule.clean_up(&world.context).await.unwrap();
    assert_eq!(marks(&world), marked([]));
}

#[tokio::test]
async fn a_rule_that_its_resource_made_and_somebody_else_has_marked_is_left_behind_with_a_word() {
    let old = uid_by("old", "r");
    let mut world = taking_over(&[], |held| in_grafana(held, &old, "r", Some("old/revel/r"))).await;
    let mut rule = world.rule("r", json!({"query": QUERY}));
    // The status has survived, the owner id hasn't.
    rule.status = Some(serde_json::from_value(json!({"uid": old})).unwrap());
    rule.clean_up(&world.context).await.unwrap();
    assert_eq!(marks(&world), marked([(&old, "old/revel/r")]));
    let notes = world.server.notes();
    assert_eq!(notes.len(), 2, "of the rule and of the instance: {notes:?}");
    for note in &notes {
        for part in ["LeftBehind", old.as_str(), "old/revel/r", "spec.previousOwnerIDs"] {
            assert!(note.contains(part), "{part} in {note}");
        }
    }
}

#[tokio::test]
async fn a_silence_of_a_former_owner_id_is_followed_by_one_before_it_ends() {
    let spec = json!({"duration": "1000d", "matchers": ["a=b"]});
    let mut former = taking_over(&[], |_| {}).await;
    let silence = former.silence("s", spec.clone());
    silence.reconcile(&former.context).await.unwrap();
    let mut made = former.grafana.hold(|held| held.silences.clone());
    made[0].created_by = made[0].created_by.replace("own/", "old/");
    for matcher in &mut made[0].matchers {
        matcher.value = matcher.value.replace("own/", "old/");
    }
    made[0].id = Some("former".to_owned());

    let mut world = taking_over(&["old"], |held| held.silences = made).await;
    let silence = world.silence("s", spec);
    silence.reconcile(&world.context).await.unwrap();
    let silences = world.grafana.hold(|held| held.silences.clone());
    let [only] = silences.as_slice() else {
        panic!("{silences:?}")
    };
    assert_eq!(only.created_by, "alertwright own/revel/s");
    let calls = world.grafana.calls();
    let place = |operation| calls.iter().position(|call| *call == operation);
    assert!(place("silences.put") < place("silences.expire"), "{calls:?}");
    silence.clean_up(&world.context).await.unwrap();
    assert!(world.grafana.hold(|held| held.silences.is_empty()));
}

#[tokio::test]
async fn a_contact_point_of_a_former_owner_id_is_taken_over_and_any_other_is_not() {
    let spec = json!({"integrations": [{"webhook": {"url": {"value": "https://example.com/hook"}}}]});
    let owner = Owner::parse("old").unwrap();
    let uid = owner.integration_uid("revel", "team", "webhook", 0);
    let point = Point {
        uid: uid.clone(),
        name: "team".to_owned(),
        r#type: "webhook".to_owned(),
        ..Point::default()
    };
    for (former, expected) in [(&[][..], Err(Reason::NotOwned)), (&["old"][..], Ok(()))] {
        let mut world = taking_over(former, |held| held.points.push(point.clone())).await;
        let object = world.contact_point("team", spec.clone());
        let outcome = object.reconcile(&world.context).await;
        let outcome = outcome.map(drop).map_err(|failure| failure.reason.unwrap());
        assert_eq!(outcome, expected, "{former:?}");
        let uids = world.grafana.hold(|held| {
            let points = held.points.iter();
            points.map(|point| point.uid.clone()).collect::<Vec<_>>()
        });
        let kept = if expected.is_ok() {
            Owner::parse("own")
                .unwrap()
                .integration_uid("revel", "team", "webhook", 0)
        } else {
            uid.clone()
        };
        assert_eq!(uids, [kept]);
        assert!(world.server.notes().is_empty(), "it was ours all along");
    }
}

#[tokio::test]
async fn a_contact_point_that_made_nothing_goes_though_a_policy_refers_to_its_name() {
    let spec = json!({"integrations": [{"webhook": {"url": {"value": "https://example.com/hook"}}}]});
    let mut world = world_with(&json!({}), |held| {
        held.points.push(Point {
            uid: "theirs".to_owned(),
            name: "team".to_owned(),
            r#type: "webhook".to_owned(),
            ..Point::default()
        });
        held.policy = Some(Route {
            receiver: Some("team".to_owned()),
            ..Route::default()
        });
    })
    .await;
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "revel"}, "status": {"phase": "Active"}});
    world.server.set("/api/v1/namespaces/revel", namespace);
    let object = world.contact_point("team", spec);
    let failure = object.reconcile(&world.context).await.err().unwrap();
    assert_eq!(failure.reason, Some(Reason::NotOwned));
    object.clean_up(&world.context).await.unwrap();
    assert_eq!(world.grafana.hold(|held| held.points.len()), 1);
}

#[tokio::test]
async fn a_title_that_an_orphan_holds_is_said_to_be_held_by_one() {
    let orphan = uid_by("own", "ghost");
    let mut world = world_with(&json!({}), |held| {
        // Since 12.0 two rules of a folder may have one title.
        held.version = "11.6.0".to_owned();
        in_grafana(held, &orphan, "Same", Some("own/revel/ghost"));
    })
    .await;
    let rule = world.rule("r", json!({"query": QUERY, "title": "Same"}));
    let failure = rule.reconcile(&world.context).await.err().unwrap();
    assert_eq!(failure.reason, Some(Reason::Conflict));
    let parts = [
        orphan.as_str(),
        "AlertRule revel/ghost",
        "isn't there",
        "Delete the rule in Grafana",
    ];
    for part in parts {
        assert!(failure.message.contains(part), "{part} in {}", failure.message);
    }
    // It doesn't tell anybody to rename what isn't there.
    assert!(!failure.message.contains("for one of the two"));
    world.grafana.hold(|held| held.rules.clear());
    let instance = world.instance();
    instance.mirror.write(|held| held.rules.deleted(&orphan));
    rule.reconcile(&world.context).await.unwrap();
}

#[tokio::test]
async fn what_is_not_a_resources_is_not_let_go_of_with_it() {
    let mut world = world_with(&json!({}), |held| {
        in_grafana(held, "theirs", "Theirs", Some("own/revel/maker"));
        in_grafana(held, "ours", "Ours", Some("own/revel/r"));
    })
    .await;
    let released = |world: &World| {
        let instance = world.instance();
        let memory = instance.memory().unwrap();
        memory.read(|memory| memory.released.len())
    };
    for (uid, count) in [("theirs", 0), ("ours", 1)] {
        let spec = json!({"query": QUERY, "uid": uid, "deletionPolicy": "Orphan"});
        let rule = world.rule("r", spec);
        rule.clean_up(&world.context).await.unwrap();
        assert_eq!(released(&world), count, "{uid}");
    }
}

/// A tree of one route, with the mark of a resource of this owner id.
fn tree_by(owner: &str) -> Route {
    let route = |matchers: Value| json!({"receiver": "grafana-default-email", "object_matchers": matchers});
    let mark = format!("{owner}/revel/tree");
    let label = crate::domain::notification::tree::MARK;
    let tree = json!({
        "receiver": "grafana-default-email",
        "routes": [route(json!([[label, "=", mark], [label, "!=", mark]])), route(json!([["a", "=", "b"]]))],
    });
    serde_json::from_value(tree).unwrap()
}

#[tokio::test]
async fn whose_the_tree_is_says_its_mark_and_nothing_has_to_be_remembered() {
    for (instance, owner, is_ours) in [
        (json!({}), "own", true),
        (json!({"previousOwnerIDs": ["old"]}), "old", true),
        (json!({}), "old", false),
    ] {
        let mut world = world_with(&instance, |held| {
            held.policy = Some(tree_by(owner));
            held.policy_by = Some("api".to_owned());
        })
        .await;
        let before = world.grafana.hold(|held| held.policy.clone());
        let policy = world.policy("tree", json!({"receiver": "team"}));
        let hook = json!({"integrations": [{"webhook": {"url": {"value": "https://example.com/hook"}}}]});
        world
            .contact_point("team", hook)
            .reconcile(&world.context)
            .await
            .unwrap();
        let outcome = policy.reconcile(&world.context).await;
        let tree = world.grafana.hold(|held| held.policy.clone());
        if is_ours {
            outcome.unwrap();
            assert_eq!(tree.unwrap().receiver.as_deref(), Some("team"), "{owner}");
            let memory = world.instance();
            let previous = memory
                .memory()
                .unwrap()
                .read(|memory| memory.tree(&TreeName::default()).previous.clone());
            assert_eq!(previous, None, "a tree of ours is none to be given back");
        } else {
            let failure = outcome.err().unwrap();
            assert_eq!(failure.reason, Some(Reason::NotOwned));
            assert!(failure.message.contains("old/revel/tree"), "{}", failure.message);
            policy.clean_up(&world.context).await.unwrap();
            assert_eq!(world.grafana.hold(|held| held.policy.clone()), before);
        }
    }
}

#[tokio::test]
async fn a_tree_that_grafana_has_refused_makes_nothing_ours() {
    let mut world = World::connected().await;
    let hook = json!({"integrations": [{"webhook": {"url": {"value": "https://example.com/hook"}}}]});
    let point = world.contact_point("team", hook);
    point.reconcile(&world.context).await.unwrap();
    let policy = world.policy("tree", json!({"receiver": "team"}));
    world.grafana.does(|called| match called {
        "policy.put" => Does::Refuses(400, "not today"),
        _ => Does::Well,
    });
    policy.reconcile(&world.context).await.unwrap_err();
    world.grafana.does_well();
    // People help themselves.
    let route = json!({"receiver": "team", "object_matchers": [["a", "=", "b"]]});
    let theirs = json!({"receiver": "grafana-default-email", "routes": [route]});
    let theirs: Route = serde_json::from_value(theirs).unwrap();
    world.grafana.hold(|held| held.policy = Some(theirs.clone()));
    world.poll().await;
    let failure = policy.reconcile(&world.context).await.unwrap_err();
    assert_eq!(failure.reason, Some(Reason::NotOwned), "{}", failure.message);
    policy.clean_up(&world.context).await.unwrap();
    assert_eq!(world.grafana.hold(|held| held.policy.clone()), Some(theirs));
}
