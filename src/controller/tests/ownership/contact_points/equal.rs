//! What somebody else has made just as a resource asks for.

use jiff::Timestamp;

use super::*;
use crate::api::condition;

/// What a person has made who wants what [`spec`] says.
fn equal(name: &str) -> Point {
    let settings = json!({"url": "https://example.com/hook"});
    Point {
        r#type: "webhook".to_owned(),
        settings: settings.as_object().unwrap().clone(),
        ..by_hand(name)
    }
}

#[tokio::test]
async fn an_equal_contact_point_becomes_ours_with_no_write_and_keeps_its_uid() {
    let mut world = world_with(&json!({}), |held| held.points.push(equal("team"))).await;
    let object = world.contact_point("team", spec());
    object.reconcile(&world.context).await.unwrap();
    let tree = world.policy("tree", json!({"receiver": "team"}));
    tree.reconcile(&world.context).await.unwrap();
    let mut world = world.restarted().await;
    let object = world.contact_point("team", spec());
    object.reconcile(&world.context).await.unwrap();
    assert_eq!(writes(&world), 0);
    assert!(world.server.notes().is_empty());
    let refused = world.policy("web", json!({"receiverRef": {"grafanaName": "team"}}));
    refused.reconcile(&world.context).await.unwrap();

    let other = json!({"integrations": [{"webhook": {"url": {"value": "https://example.com/other"}}}]});
    let object = world.contact_point("team", other);
    object.reconcile(&world.context).await.unwrap();
    assert_eq!(
        (writes(&world), world.grafana.count("contact_points.update")),
        (1, 1)
    );
    let uids = |world: &World| {
        world.grafana.hold(|held| {
            held.points
                .iter()
                .map(|point| point.uid.clone())
                .collect::<Vec<_>>()
        })
    };
    assert_eq!(uids(&world), ["by-hand-team"]);
    refused.clean_up(&world.context).await.unwrap();
    object.clean_up(&world.context).await.unwrap();
    assert_eq!(uids(&world), [""; 0]);
    let left = world
        .instance()
        .memory()
        .unwrap()
        .read(|memory| memory.sent.len() + memory.kept_uids.len());
    assert_eq!(left, 0);
}

#[tokio::test]
async fn an_equal_contact_point_stays_somebody_elses_where_its_namespace_may_not_adopt() {
    for instance in [
        json!({"adoptNamespaces": {"names": []}}),
        json!({"allowedNamespaces": {"names": ["revel"]}}),
    ] {
        let mut world = world_with(&instance, |held| held.points.push(equal("team"))).await;
        let object = world.contact_point("team", spec());
        let failure = object.reconcile(&world.context).await.unwrap_err();
        assert_eq!(failure.reason, Some(Reason::NotOwned), "{}", failure.message);
        object.clean_up(&world.context).await.unwrap();
        assert_eq!(writes(&world), 0);
        assert_eq!(world.grafana.hold(|held| held.points.len()), 1);
    }
}

#[tokio::test]
async fn what_is_equal_but_for_what_grafana_hides_is_taken_over_where_it_may_be_and_only_that_is_sent() {
    let mut world = world_with(&json!({}), |held| {
        held.hidden = vec!["url"];
        held.points.push(equal("team"));
        held.points.push(Point {
            uid: "mail".to_owned(),
            r#type: "email".to_owned(),
            settings: json!({"addresses": "a@example.com"}).as_object().unwrap().clone(),
            ..by_hand("team")
        });
    })
    .await;
    let two = json!({"integrations": [
        {"email": {"addresses": ["a@example.com"]}}, {"webhook": {"url": {"value": "https://example.com/hook"}}},
    ]});
    let object = world.contact_point("team", two);
    let failure = object.reconcile(&world.context).await.unwrap_err();
    assert_eq!(failure.reason, Some(Reason::NotOwned));
    let told = "They are equal as far as Grafana shows it, so nothing would be lost, and no more would be sent than what it hides: webhook.url";
    assert!(failure.message.ends_with(told), "{}", failure.message);
    assert_eq!(writes(&world), 0);
    let object = adopting(object);
    object.reconcile(&world.context).await.unwrap();
    object.reconcile(&world.context).await.unwrap();
    assert_eq!(
        (writes(&world), world.grafana.count("contact_points.update")),
        (1, 1)
    );
    let expected = "Adopted: took over Grafana's contact point team, which this resource hadn't made";
    assert_eq!(world.server.notes(), [expected]);
    // One that is wished no more goes, though its uid is another's.
    let object = world.contact_point("team", spec());
    object.reconcile(&world.context).await.unwrap();
    assert_eq!(types(&world, "team"), ["webhook"]);
}

#[tokio::test]
async fn an_equal_contact_point_of_another_operators_stays_its() {
    let uid = Owner::parse("another")
        .unwrap()
        .integration_uid("revel", "team", "webhook", 0);
    let theirs = Point { uid, ..equal("team") };
    let mut world = world_with(&json!({}), |held| held.points.push(theirs)).await;
    let object = world.contact_point("team", spec());
    let failure = object.reconcile(&world.context).await.unwrap_err();
    assert_eq!(failure.reason, Some(Reason::NotOwned), "{}", failure.message);
    assert!(
        failure.message.contains("would be made anew then"),
        "{}",
        failure.message
    );
    assert_eq!(writes(&world), 0);
}

#[tokio::test]
async fn what_kept_its_uid_is_taken_out_as_well_of_a_contact_point_that_somebody_makes_in_that_moment() {
    let mut world = world_with(&json!({}), |held| held.points.push(equal("team"))).await;
    let object = world.contact_point("team", spec());
    object.reconcile(&world.context).await.unwrap();
    // Somebody deletes it, and makes another one right when ours is made anew under the uid that it had.
    world.grafana.hold(|held| held.points.clear());
    world.poll().await;
    let (grafana, made) = (world.grafana.clone(), AtomicUsize::new(0));
    world.grafana.does(move |called| {
        if called == "contact_points.create" && made.fetch_add(1, Ordering::Relaxed) == 0 {
            let theirs = Point {
                uid: "theirs".to_owned(),
                ..by_hand("team")
            };
            grafana.hold(|held| held.points.push(theirs));
        }
        Does::Well
    });
    let failure = object.reconcile(&world.context).await.unwrap_err();
    assert_eq!(failure.reason, Some(Reason::NotOwned), "{}", failure.message);
    assert_eq!(types(&world, "team"), ["slack"]);
    let remembered = world.instance().memory().unwrap().read(|memory| {
        let kept = memory.kept_uids.len();
        (memory.sent.len(), kept)
    });
    assert_eq!(remembered, (0, 0));
    let before = writes(&world);
    world.poll().await;
    object.reconcile(&world.context).await.unwrap_err();
    object.clean_up(&world.context).await.unwrap();
    assert_eq!(
        (writes(&world), types(&world, "team")),
        (before, vec!["slack".to_owned()])
    );
}

#[tokio::test]
async fn an_equal_contact_point_that_is_provisioned_by_other_means_stays_as_it_is() {
    for (by, is_claimed) in [("file", false), ("converted_prometheus", false), ("api", true)] {
        let mut world = world_with(&json!({}), |held| {
            held.points.push(equal("team"));
            held.points_by.insert("team".to_owned(), by.to_owned());
        })
        .await;
        let object = world.contact_point("team", spec());
        let outcome = object.reconcile(&world.context).await.map(|_| ());
        let claimed = world
            .instance()
            .memory()
            .unwrap()
            .read(|memory| memory.kept_uids.len());
        assert_eq!(
            (outcome.is_ok(), claimed),
            (is_claimed, usize::from(is_claimed)),
            "{by}"
        );
        if let Err(failure) = outcome {
            assert_eq!(
                failure.reason,
                Some(Reason::NotOwned),
                "{by}: {}",
                failure.message
            );
        }
        assert_eq!(writes(&world), 0, "{by}");
    }
}

#[tokio::test]
async fn one_equal_contact_point_becomes_one_resources_and_what_is_hidden_is_not_taken_for_sent() {
    let mut world = world_with(&json!({}), |held| {
        held.hidden = vec!["url"];
        held.points.push(equal("team"));
    })
    .await;
    let object = adopting(world.contact_point("team", spec()));
    // Its write fails: it is still to be sent, and no other is made.
    world.grafana.does(|called| match called {
        "contact_points.update" => Does::Refuses(503, "not now"),
        _ => Does::Well,
    });
    object.reconcile(&world.context).await.unwrap_err();
    world.grafana.does_well();
    object.reconcile(&world.context).await.unwrap();
    assert_eq!(world.grafana.count("contact_points.update"), 2);
    assert_eq!(world.grafana.count("contact_points.create"), 0);
    assert_eq!(types(&world, "team"), ["webhook"]);
}

#[tokio::test]
async fn an_equal_contact_point_without_a_uid_stays_grafanas() {
    let theirs = Point {
        uid: String::new(),
        ..equal("team")
    };
    let mut world = world_with(&json!({}), |held| held.points.push(theirs)).await;
    let object = world.contact_point("team", spec());
    let failure = object.reconcile(&world.context).await.unwrap_err();
    assert_eq!(failure.reason, Some(Reason::NotOwned), "{}", failure.message);
    assert_eq!(writes(&world), 0);
}

#[tokio::test]
async fn what_became_ours_as_it_was_counts_as_sent_so_a_change_of_it_is_only_told_where_that_is_asked() {
    let mut world = world_with(&json!({"driftPolicy": "Report"}), |held| {
        held.points.push(equal("team"));
    })
    .await;
    let mut object = world.contact_point("team", spec());
    let mut status = object.reconcile(&world.context).await.unwrap().status;
    condition::report(
        &mut status.conditions,
        Reason::Synced,
        "",
        Some(1),
        Timestamp::UNIX_EPOCH,
    );
    object.status = Some(status);
    world.grafana.hold(|held| {
        let url = json!("https://example.com/changed");
        held.points[0].settings.insert("url".to_owned(), url);
    });
    world.poll().await;
    let report = object.reconcile(&world.context).await.unwrap();
    assert_eq!(report.drift, ["webhook.url"]);
    assert_eq!(writes(&world), 0);
}

#[tokio::test]
async fn an_equal_integration_in_the_place_of_what_was_sent_is_no_longer_somebody_elses_to_keep() {
    let mut world = World::connected().await;
    let object = world.contact_point("team", spec());
    object.reconcile(&world.context).await.unwrap();
    world.grafana.hold(|held| held.points = vec![equal("team")]);
    world.poll().await;
    // Whatever becomes of it, it isn't taken over as if Grafana had never had ours.
    let _ = object.reconcile(&world.context).await;
    let memory = world.instance();
    let kept = memory.memory().unwrap().read(|memory| memory.kept_uids.len());
    assert_eq!(kept, 0);
}

#[tokio::test]
async fn what_is_kept_for_a_resource_that_is_not_seen_is_not_taken_over() {
    let mut world = world_with(&json!({}), |held| held.points.push(equal("team"))).await;
    let instance = world.instance();
    let kept = ("aw-of-another".to_owned(), "by-hand-team".to_owned());
    let note = |memory: &mut crate::cluster::memory::Remembered| memory.kept_uids.extend([kept.clone()]);
    instance.memory().unwrap().update(note).await.unwrap();
    let object = world.contact_point("team", spec());
    let failure = object.reconcile(&world.context).await.unwrap_err();
    assert_eq!(failure.reason, Some(Reason::NotOwned), "{}", failure.message);
    assert_eq!(writes(&world), 0);
}
