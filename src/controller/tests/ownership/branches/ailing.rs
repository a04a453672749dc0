//! When a branch, or its root, is broken, suspended, refused, unseen or gone.

use super::*;
use crate::controller::engine::failure::{Failure, Retry};
use crate::controller::tests::ownership::tenancy::namespace;

#[tokio::test]
async fn a_broken_branch_is_left_out_says_why_and_hurts_no_other() {
    let mut world = with_a_root(json!({})).await;
    let good = branch(&mut world, "shop", "good", json!({}));
    let bad = branch(&mut world, "shop", "bad", json!({"matchers": ["a=~\"(\""]}));
    let lacks = branch(
        &mut world,
        "shop",
        "lacks",
        json!({"receiverRef": {"grafanaName": "nobody"}}),
    );
    pass_over(&mut world, &[&bad, &lacks, &good]).await;
    assert_eq!(order(&world), ["own/shop/good"]);
    let (reason, message, position) = said(&world, "shop", "bad");
    assert_eq!((reason.as_str(), position), ("Invalid", None));
    assert!(message.starts_with("spec.matchers[0]: "), "{message}");
    let (reason, message, _) = said(&world, "shop", "lacks");
    assert_eq!(reason, "DependencyMissing", "{message}");
    let (reason, message, _) = said(&world, "revel", "tree");
    assert_eq!(reason, "Synced");
    assert!(
        message.ends_with("branches are left out, whose own status says why: shop/bad (Invalid), shop/lacks (DependencyMissing)"),
        "{message}"
    );
    // One that is made broken is named as well, and no more once it is for another tree.
    let worse = branch(&mut world, "shop", "worse", json!({"matchers": ["a=~\"(\""]}));
    pass_over(&mut world, &[&worse]).await;
    let message = said(&world, "revel", "tree").1;
    assert!(
        message.ends_with("shop/lacks (DependencyMissing), shop/worse (Invalid)"),
        "{message}"
    );
    branch(
        &mut world,
        "shop",
        "worse",
        json!({"parentRef": {"name": "other"}}),
    );
    settle(&mut world).await;
    let message = said(&world, "revel", "tree").1;
    assert!(
        message.ends_with("shop/bad (Invalid), shop/lacks (DependencyMissing)"),
        "{message}"
    );
    // One that was there and is broken by a change goes, and comes back.
    for (matcher, expected) in [("a=~\"(\"", vec![]), ("a=b", vec!["own/shop/good"])] {
        let changed = branch(&mut world, "shop", "good", json!({"matchers": [matcher]}));
        pass_over(&mut world, &[&changed]).await;
        assert_eq!(order(&world), expected);
        assert_eq!(said(&world, "shop", "good").2.is_some(), !expected.is_empty());
    }
}

#[tokio::test]
async fn a_root_that_goes_gives_back_the_tree_from_before_and_its_branches_say_so() {
    let mut world = with_a_root(json!({})).await;
    let before: Route =
        serde_json::from_value(json!({"receiver": "by-hand", "routes": [{"receiver": "by-hand"}]})).unwrap();
    world.grafana.hold(|held| held.policy = Some(before.clone()));
    world.poll().await;
    let root = adoption::adopting(root(&mut world, json!({})));
    let root = see(
        &world.context,
        &mut world.writers.policies,
        root,
        news::about_policy,
    );
    // Shared no more; so the branch is one of the root's own namespace.
    let own = branch(&mut world, "revel", "own", json!({}));
    root.reconcile(&world.context).await.unwrap();
    pass_over(&mut world, &[&own]).await;
    assert_eq!(said(&world, "revel", "own").0, "Synced");
    root.clean_up(&world.context).await.unwrap();
    assert_eq!(tree(&world), before);
    let gone = ::kube::runtime::watcher::Event::Delete(root);
    let last = world.writers.policies.apply(&gone);
    news::about_policy(&gone, last.as_deref(), &world.context);
    settle(&mut world).await;
    let (reason, message, position) = said(&world, "revel", "own");
    assert_eq!(
        (reason.as_str(), position),
        ("DependencyMissing", None),
        "{message}"
    );
    assert_eq!(tree(&world), before);
}

#[tokio::test]
async fn a_branch_whose_root_stands_in_line_says_that_it_has_no_effect() {
    let mut world = with_a_root(json!({})).await;
    let first = root(&mut world, json!({}));
    pass_over(&mut world, &[&first]).await;
    let spec = json!({"receiverRef": {"grafanaName": "by-hand"}});
    let second = policy(&mut world, "shop", "tree", &spec, &json!({}));
    let own = branch(&mut world, "shop", "own", json!({"parentRef": {"name": "tree"}}));
    pass_over(&mut world, &[&second, &own]).await;
    assert_eq!(said(&world, "shop", "tree").0, "Conflict");
    let (reason, message, position) = said(&world, "shop", "own");
    assert_eq!((reason.as_str(), position), ("DependencyMissing", None));
    assert_eq!(
        message,
        "NotificationPolicy shop/tree is not in Grafana itself (Conflict)"
    );
    assert_eq!(order(&world), [""; 0]);
}

#[tokio::test]
async fn a_suspended_branch_stays_as_grafana_has_it_and_one_of_a_suspended_root_waits() {
    let mut world = with_a_root(json!({})).await;
    let own = branch(&mut world, "shop", "own", json!({}));
    pass_over(&mut world, &[&own]).await;
    let there = tree(&world).routes[1].clone();
    branch(
        &mut world,
        "shop",
        "own",
        json!({"suspend": true, "matchers": ["x=y"], "priority": 9}),
    );
    let other = branch(&mut world, "bank", "other", json!({}));
    pass_over(&mut world, &[&own, &other]).await;
    assert_eq!(order(&world), ["own/shop/own", "own/bank/other"]);
    assert_eq!(tree(&world).routes[1], there);
    let puts = world.grafana.count("policy.put");
    let root = root(&mut world, json!({"suspend": true}));
    let late = branch(&mut world, "shop", "late", json!({}));
    pass_over(&mut world, &[&root, &late]).await;
    let (reason, message, _) = said(&world, "shop", "late");
    assert_eq!(reason, "DependencyMissing");
    assert!(message.contains("revel/tree is suspended"), "{message}");
    assert_eq!(world.grafana.count("policy.put"), puts);
}

#[tokio::test]
async fn a_branch_that_cannot_be_seen_stays_as_grafana_has_it() {
    let mut world = with_a_root(json!({})).await;
    let first = branch(&mut world, "shop", "own", json!({"priority": 3}));
    let unseen = branch(&mut world, "bank", "own", json!({"priority": 2}));
    pass_over(&mut world, &[&first, &unseen]).await;
    world.context.unwatched.begins("NotificationPolicy", "bank");
    let gone = ::kube::runtime::watcher::Event::Delete(unseen);
    let last = world.writers.policies.apply(&gone);
    news::about_policy(&gone, last.as_deref(), &world.context);
    let new = branch(&mut world, "shop", "new", json!({}));
    pass_over(&mut world, &[&new]).await;
    assert_eq!(order(&world), ["own/bank/own", "own/shop/own", "own/shop/new"]);
    world.context.unwatched.ends("NotificationPolicy", "bank");
    let root = root(&mut world, json!({}));
    pass_over(&mut world, &[&root]).await;
    assert_eq!(order(&world), ["own/shop/own", "own/shop/new"]);
}

#[tokio::test]
async fn a_deleted_branch_waits_for_the_write_without_it_and_for_nobody_who_writes_none() {
    let mut world = with_a_root(json!({})).await;
    let own = branch(&mut world, "shop", "own", json!({}));
    pass_over(&mut world, &[&own]).await;
    let mut going = own.clone();
    going.metadata.deletion_timestamp = Some(serde_json::from_value(json!("2026-01-02T00:00:00Z")).unwrap());
    let going = see(
        &world.context,
        &mut world.writers.policies,
        going,
        news::about_policy,
    );
    let failure: Failure = going.clean_up(&world.context).await.unwrap_err();
    assert_eq!(
        (failure.reason, failure.retry),
        (Some(Reason::InUse), Retry::Soon)
    );
    assert!(
        failure
            .message
            .contains("revel/tree has still to write its tree without it"),
        "{}",
        failure.message
    );
    let root = ObjectRef::new("tree").within("revel");
    run(&mut world, &root).await;
    assert_eq!(order(&world), [""; 0]);
    going.clean_up(&world.context).await.unwrap();

    let again = branch(&mut world, "shop", "own", json!({}));
    pass_over(&mut world, &[&again]).await;
    assert_eq!(order(&world), ["own/shop/own"]);
    policy(
        &mut world,
        "revel",
        "tree",
        &json!({"receiverRef": {"grafanaName": "by-hand"}, "suspend": true}),
        &json!({}),
    );
    going.clean_up(&world.context).await.unwrap();
}

#[tokio::test]
async fn a_branch_that_grafana_refuses_is_left_out_once_and_for_a_while_and_the_others_are_written() {
    let mut world = with_a_root(json!({})).await;
    world.grafana.hold(|held| held.ungroupable = Some("bad label"));
    let old = branch(&mut world, "shop", "old", json!({}));
    pass_over(&mut world, &[&old]).await;
    let bad = branch(&mut world, "shop", "bad", json!({"groupBy": ["bad label"]}));
    let good = branch(&mut world, "bank", "good", json!({}));
    let changed = branch(&mut world, "shop", "old", json!({"exclusive": true}));
    pass_over(&mut world, &[&bad, &good, &changed]).await;
    assert_eq!(order(&world), ["own/bank/good", "own/shop/old"]);
    assert!(!find(&tree(&world), "own/shop/old").unwrap().r#continue);
    let (reason, message, position) = said(&world, "shop", "bad");
    assert_eq!((reason.as_str(), position), ("Invalid", None));
    assert!(message.contains("invalid label name"), "{message}");
    let (reason, message, _) = said(&world, "revel", "tree");
    assert_eq!(reason, "Synced");
    assert!(message.contains("shop/bad (Invalid)"), "{message}");
    // What was refused isn't sent again, whoever comes by.
    let puts = world.grafana.count("policy.put");
    let root = root(&mut world, json!({}));
    pass_over(&mut world, &[&root, &bad, &good]).await;
    assert_eq!(world.grafana.count("policy.put"), puts);
    let mended = branch(&mut world, "shop", "bad", json!({"groupBy": ["label"]}));
    pass_over(&mut world, &[&mended]).await;
    assert_eq!(order(&world), ["own/bank/good", "own/shop/bad", "own/shop/old"]);
    // A root that is refused itself is the only one to blame.
    let root = policy(
        &mut world,
        "revel",
        "tree",
        &json!({"receiverRef": {"grafanaName": "by-hand"}, "groupBy": ["bad label"]}),
        &json!({ANNOTATION_SHARED_WITH: "*"}),
    );
    pass_over(&mut world, &[&root]).await;
    assert_eq!(said(&world, "revel", "tree").0, "Invalid");
    assert_eq!(order(&world), ["own/bank/good", "own/shop/bad", "own/shop/old"]);
}

#[tokio::test]
async fn a_namespace_that_loses_the_label_by_which_it_was_chosen_loses_its_branch() {
    let chosen =
        json!({"allowedNamespaces": {"names": ["revel"], "selector": {"matchLabels": {"team": "shop"}}}});
    let mut world = with_a_root(chosen).await;
    let told = |world: &World, event| news::namespace_told(Ok(event), &world.context);
    for event in [
        Event::Init,
        Event::InitApply(namespace("shop", "shop")),
        Event::InitDone,
    ] {
        told(&world, event);
    }
    let own = branch(&mut world, "shop", "own", json!({}));
    pass_over(&mut world, &[&own]).await;
    assert_eq!(order(&world), ["own/shop/own"]);
    told(&world, Event::Apply(namespace("shop", "other")));
    settle(&mut world).await;
    assert_eq!(order(&world), [""; 0]);
    let (reason, message, position) = said(&world, "shop", "own");
    assert_eq!((reason.as_str(), position), ("Invalid", None), "{message}");
    told(&world, Event::Apply(namespace("shop", "shop")));
    settle(&mut world).await;
    assert_eq!(order(&world), ["own/shop/own"]);
}

#[tokio::test]
async fn a_tree_that_lacks_a_refused_branch_is_left_as_somebody_changes_it_where_that_is_only_told() {
    let mut world = with_a_root(json!({"driftPolicy": "Report"})).await;
    world.grafana.hold(|held| held.ungroupable = Some("bad label"));
    let bad = branch(&mut world, "shop", "bad", json!({"groupBy": ["bad label"]}));
    let good = branch(&mut world, "bank", "good", json!({}));
    pass_over(&mut world, &[&bad, &good]).await;
    assert_eq!(said(&world, "revel", "tree").0, "Synced");
    assert_eq!(said(&world, "shop", "bad").0, "Invalid");
    let changed = Route {
        group_wait: Some("2m".to_owned()),
        ..tree(&world)
    };
    world.grafana.hold(|held| held.policy = Some(changed.clone()));
    world.poll().await;
    // As after a start, when nothing is known of refusals.
    world.instance().refused.forget_all();
    let puts = world.grafana.count("policy.put");
    world.context.triggers.policies.one("revel", "tree");
    settle(&mut world).await;
    let (reason, message, _) = said(&world, "revel", "tree");
    assert!(
        reason == "Drifted" && message.contains("group_wait"),
        "{reason}: {message}"
    );
    assert_eq!(world.grafana.count("policy.put"), puts);
    assert_eq!(tree(&world), changed);
    // One that is new to it is another wish.
    let new = branch(&mut world, "bank", "new", json!({}));
    pass_over(&mut world, &[&new]).await;
    assert_eq!(said(&world, "revel", "tree").0, "Synced");
    assert_eq!(tree(&world).group_wait, None);
}

#[tokio::test]
async fn a_branch_of_whose_contact_point_nothing_is_known_right_now_stays_as_grafana_has_it() {
    let mut world = with_a_root(json!({})).await;
    let hook = json!({"integrations": [{"webhook": {"url": {"value": "https://example.com/hook"}}}]});
    let point = world.contact_point("team", hook);
    point.reconcile(&world.context).await.unwrap();
    let own = branch(
        &mut world,
        "revel",
        "own",
        json!({"receiverRef": {"name": "team"}}),
    );
    pass_over(&mut world, &[&own]).await;
    assert_eq!(order(&world), ["own/revel/own"]);
    let unknown = |held: &mut crate::grafana::mirror::Held| held.contact_points.unknown("team".to_owned());
    world.instance().mirror.write(unknown);
    let root = root(&mut world, json!({"routes": [{"matchers": ["c=d"]}]}));
    pass_over(&mut world, &[&root]).await;
    assert_eq!(order(&world), ["own/revel/own"]);
    let matchers = tree(&world).routes.last().unwrap().object_matchers.clone();
    assert_eq!(matchers[0].0, "c", "the root's own part is new");
}

#[tokio::test]
async fn a_branch_that_moves_to_another_root_or_whose_root_is_deleted_is_not_in_sync_any_more() {
    let mut world = with_a_root(json!({})).await;
    let own = branch(&mut world, "shop", "own", json!({}));
    pass_over(&mut world, &[&own]).await;
    assert_eq!(said(&world, "shop", "own").0, "Synced");
    // Grafana's tree still has it, under the root that it has left.
    policy(
        &mut world,
        "shop",
        "tree",
        &json!({"receiverRef": {"grafanaName": "by-hand"}}),
        &json!({}),
    );
    let moved = branch(&mut world, "shop", "own", json!({"parentRef": {"name": "tree"}}));
    assert_eq!(order(&world), ["own/shop/own"]);
    let failure = moved.reconcile(&world.context).await.err().unwrap();
    assert_eq!(
        failure.reason,
        Some(Reason::DependencyMissing),
        "{}",
        failure.message
    );

    let back = branch(&mut world, "shop", "own", json!({}));
    let mut going = root(&mut world, json!({}));
    going.metadata.deletion_timestamp = Some(serde_json::from_value(json!("2026-01-02T00:00:00Z")).unwrap());
    see(
        &world.context,
        &mut world.writers.policies,
        going,
        news::about_policy,
    );
    let failure = back.reconcile(&world.context).await.err().unwrap();
    assert_eq!(
        failure.message,
        "spec.parentRef: NotificationPolicy revel/tree is being deleted"
    );
}

#[tokio::test]
async fn a_root_that_nobody_knows_to_be_the_first_waits_and_one_that_has_the_tree_goes_on() {
    let mut world = with_a_root(json!({})).await;
    world.context.unwatched.begins("NotificationPolicy", "bank");
    let root = root(&mut world, json!({}));
    let failure = root.reconcile(&world.context).await.err().unwrap();
    assert_eq!(failure.reason, Some(Reason::Unavailable), "{}", failure.message);
    assert_eq!(world.grafana.count("policy.put"), 0);
    world.context.unwatched.ends("NotificationPolicy", "bank");
    pass_over(&mut world, &[&root]).await;
    assert_eq!(said(&world, "revel", "tree").0, "Synced");
    world.context.unwatched.begins("NotificationPolicy", "bank");
    let place = ObjectRef::new("tree").within("revel");
    let stored = world.context.stores.policies.get(&place).unwrap();
    let report = stored.reconcile(&world.context).await.unwrap();
    assert_eq!(report.reason, Reason::Synced);
}
