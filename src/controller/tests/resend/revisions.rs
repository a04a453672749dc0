//! What somebody stores in Grafana where nobody sees it is found by the state that a contact point is in then.

use super::*;
use crate::grafana::api::{Api, Concern};
use crate::grafana::mirror::Lookup;

/// Has Grafana's newer API take contact points from now on, which knows their states, or the older one.
fn choose(grafana: &Double, is_newer: bool) {
    let newer = || Api::Platform("notifications.alerting.grafana.app/v1beta1".to_owned());
    grafana.hold(|held| {
        held.has_revisions = is_newer;
        let api = if is_newer { newer() } else { Api::Provisioning };
        held.capabilities.apis.insert(Concern::Notifications, api);
    });
}

async fn start() -> ((ApiServer, Double), Asked) {
    let outside = outside();
    choose(&outside.1, true);
    let asked = Asked::start(&outside, None).await;
    assert_eq!(asked.written(), 4, "each was made in one write");
    (outside, asked)
}

#[tokio::test]
async fn a_secret_that_somebody_changes_in_grafana_is_put_right_by_one_write_each_time() {
    let ((server, _), mut asked) = start().await;
    assert_eq!((asked.poll().await, asked.poll().await), (0, 0), "at rest");
    for time in 1..=3 {
        asked.stale();
        assert_eq!(asked.poll().await, 3, "time {time}");
        assert_eq!(asked.passwords(), [PASSWORD; 3]);
        assert_eq!(
            (asked.poll().await, asked.poll().await),
            (0, 0),
            "after time {time}"
        );
    }
    let notes = server.notes();
    let is_told = |note: &&String| note.starts_with("Drift: somebody has changed in Grafana what it hides");
    assert_eq!(
        notes.iter().filter(is_told).count(),
        3,
        "of each contact point: {notes:#?}"
    );
}

#[tokio::test]
async fn a_change_while_nobody_looked_is_found_after_a_restart_and_a_restart_alone_changes_nothing() {
    let (outside, asked) = start().await;
    let written = asked.written();
    let mut asked = Asked::start(&outside, None).await;
    assert_eq!((asked.written(), asked.poll().await), (written, 0));
    asked.stale();
    let asked = Asked::start(&outside, None).await;
    assert_eq!(asked.written(), written + 3);
    assert_eq!(asked.passwords(), [PASSWORD; 3]);
}

#[tokio::test]
async fn another_name_for_a_state_is_no_change() {
    let (outside, mut asked) = start().await;
    let upgrade = |version: &str| outside.1.hold(|held| held.version = version.to_owned());
    choose(&outside.1, false);
    assert_eq!(asked.poll().await, 0, "the older API");
    choose(&outside.1, true);
    assert_eq!(asked.poll().await, 0, "the newer one again");
    upgrade("12.5.0");
    assert_eq!((asked.poll().await, asked.poll().await), (0, 0), "an upgrade");
    // What is stored from then on is found.
    asked.stale();
    assert_eq!((asked.poll().await, asked.poll().await), (3, 0));
    // Before the poll has seen the upgrade.
    upgrade("12.6.0");
    let instance = asked.world.instance();
    instance
        .mirror
        .write(|held| held.contact_points.unknown("a".to_owned()));
    assert_eq!(
        asked.pass().await,
        0,
        "an upgrade that a pass is the first to see"
    );
    let known = instance
        .mirror
        .read(|held| held.contact_points.lookup("a").cloned());
    assert_ne!(known, Lookup::Unknown);
}

#[tokio::test]
async fn what_the_older_api_has_written_is_no_change_to_the_newer_one() {
    let (outside, mut asked) = start().await;
    choose(&outside.1, false);
    asked.annotate(Some("1")).await;
    assert_eq!(asked.poll().await, 3);
    let other = json!({"integrations": [webhook("https://example.com/other")]});
    asked.points[0] = asked.world.contact_point("a", other);
    assert_eq!(asked.poll().await, 1);
    choose(&outside.1, true);
    assert_eq!((asked.poll().await, asked.poll().await), (0, 0));
    asked.stale();
    assert_eq!(asked.poll().await, 3, "its state is known from the poll");
}

#[tokio::test]
async fn sending_again_on_demand_is_one_write_where_states_are_known_too() {
    let (_, mut asked) = start().await;
    asked.stale();
    asked.annotate(Some("1")).await;
    assert_eq!((asked.poll().await, asked.poll().await), (3, 0));
    assert_eq!(asked.passwords(), [PASSWORD; 3]);
}

#[tokio::test]
async fn a_change_is_put_right_though_the_first_write_fails() {
    let (_, mut asked) = start().await;
    asked.stale();
    asked.world.poll().await;
    asked.world.grafana.does(|called| match called {
        "contact_points.put" => Does::Refuses(503, "not now"),
        _ => Does::Well,
    });
    asked.points[0].reconcile(&asked.world.context).await.unwrap_err();
    asked.world.grafana.does_well();
    assert_eq!((asked.pass().await, asked.poll().await), (3, 0));
    assert_eq!(asked.passwords(), [PASSWORD; 3]);
}

#[tokio::test]
async fn a_secret_that_is_changed_again_right_after_it_was_put_right_is_put_right_again() {
    let (_, mut asked) = start().await;
    for time in 1..=3 {
        asked.stale();
        // No poll comes between the write and the next change.
        assert_eq!(asked.poll().await, 3, "time {time}");
        assert_eq!(asked.passwords(), [PASSWORD; 3]);
    }
    assert_eq!((asked.poll().await, asked.poll().await), (0, 0));
}

#[tokio::test]
async fn a_secret_that_is_changed_between_the_write_and_the_read_after_it_is_put_right_by_the_next_poll() {
    let (_, mut asked) = start().await;
    asked.stale();
    asked.world.poll().await;
    let grafana = asked.world.grafana.clone();
    let (before, is_changed) = (asked.written(), std::sync::atomic::AtomicBool::new(false));
    asked.world.grafana.does(move |called| {
        let is_after = called == "contact_points.get" && grafana.count("contact_points.put") > before;
        if is_after && !is_changed.swap(true, std::sync::atomic::Ordering::SeqCst) {
            grafana.hold(|held| {
                let point = held.points.iter_mut().find(|point| point.name == "a");
                let settings = &mut point.unwrap().settings;
                settings.insert("password".to_owned(), json!("theirs"));
            });
        }
        Does::Well
    });
    assert_eq!(asked.pass().await, 3);
    assert!(asked.passwords().contains(&"theirs".to_owned()));
    assert_eq!((asked.poll().await, asked.poll().await), (1, 0));
    assert_eq!(asked.passwords(), [PASSWORD; 3]);
}

#[tokio::test]
async fn where_writes_call_a_state_otherwise_than_reads_it_comes_to_rest_all_the_same() {
    let (outside, mut asked) = start().await;
    outside.1.hold(|held| held.states_of_writes = "of a write: ");
    asked.stale();
    assert_eq!((asked.poll().await, asked.poll().await), (3, 3));
    assert_eq!((asked.poll().await, asked.poll().await), (0, 0));
}

#[tokio::test]
async fn where_a_read_after_the_write_fails_what_the_write_said_counts() {
    let (_, mut asked) = start().await;
    asked.stale();
    asked.world.poll().await;
    let grafana = asked.world.grafana.clone();
    asked.world.grafana.does(move |called| match called {
        "contact_points.get" if grafana.count("contact_points.put") > 4 => Does::Refuses(503, "not now"),
        _ => Does::Well,
    });
    asked.points[0].reconcile(&asked.world.context).await.unwrap();
    asked.world.grafana.does_well();
    assert_eq!((asked.pass().await, asked.poll().await), (2, 0));
    asked.stale();
    assert_eq!((asked.poll().await, asked.poll().await), (3, 0));
}

#[tokio::test]
async fn a_state_is_noted_by_polls_of_the_instance_that_its_contact_point_is_for() {
    let (outside, mut asked) = start().await;
    let other = asked.world.connect_as("other", json!({}), None).await;
    until("the first read", || other.health() == Health::Up).await;
    let instance = asked.world.instance();
    let noted = || {
        let memory = instance.memory().unwrap();
        memory.read(|memory| memory.revisions.keys().cloned().collect::<Vec<_>>())
    };
    let forget = || async {
        let memory = instance.memory().unwrap();
        memory.update(|memory| memory.revisions.clear()).await.unwrap();
    };
    assert_eq!(noted().len(), 4);
    forget().await;
    poller::poll_all(&other, &asked.world.context, false).await;
    assert!(noted().is_empty(), "{:?}", noted());
    assert_eq!(asked.poll().await, 0);
    assert_eq!(noted(), ["a", "b", "c", "open"]);
    drop(outside);
}

#[tokio::test]
async fn a_poll_that_reads_no_contact_points_notes_no_state_of_them() {
    let (outside, mut asked) = start().await;
    assert_eq!(asked.poll().await, 0);
    outside.1.hold(|held| held.version = "12.5.0".to_owned());
    asked.world.grafana.does(|called| match called {
        "contact_points.list" => Does::Refuses(503, "starting"),
        _ => Does::Well,
    });
    // The first finds the upgrade, and the second begins with it.
    asked.world.poll().await;
    asked.world.poll().await;
    asked.world.grafana.does_well();
    assert_eq!((asked.poll().await, asked.poll().await), (0, 0));
}

#[tokio::test]
async fn a_poll_in_which_grafana_becomes_another_notes_no_state() {
    let (outside, asked) = start().await;
    let instance = asked.world.instance();
    let memory = instance.memory().unwrap();
    memory.update(|memory| memory.revisions.clear()).await.unwrap();
    outside.1.hold(|held| held.version = "12.5.0".to_owned());
    let noted = || memory.read(|memory| memory.revisions.values().cloned().collect::<Vec<_>>());
    asked.world.poll().await;
    assert_eq!(noted(), []);
    asked.world.poll().await;
    assert_eq!(noted().len(), 4);
    assert!(noted().iter().all(|seen| seen.by.starts_with("12.5.0 ")));
}

#[tokio::test]
async fn what_was_to_be_put_right_is_sent_though_an_upgrade_hides_that_it_was_changed() {
    let (outside, mut asked) = start().await;
    asked.stale();
    asked.world.poll().await;
    asked.world.grafana.does(|called| match called {
        "contact_points.put" => Does::Refuses(503, "not now"),
        _ => Does::Well,
    });
    asked.points[0].reconcile(&asked.world.context).await.unwrap_err();
    asked.world.grafana.does_well();
    outside.1.hold(|held| held.version = "12.5.0".to_owned());
    assert_eq!(asked.poll().await, 1, "the one whose write had begun");
    assert_eq!(asked.poll().await, 0);
}

#[tokio::test]
async fn a_state_is_forgotten_with_the_resource_that_had_it_and_with_no_other() {
    let (_, mut asked) = start().await;
    let instance = asked.world.instance();
    let memory = instance.memory().unwrap();
    let is_noted = || memory.read(|memory| memory.revisions.contains_key("a"));
    let spec = json!({"name": "a", "integrations": [webhook("https://example.com/in-vain")]});
    let in_vain = asked.world.contact_point("z", spec);
    in_vain.clean_up(&asked.world.context).await.unwrap();
    assert!(is_noted(), "it never had the name");
    asked.points[0].clean_up(&asked.world.context).await.unwrap();
    assert!(!is_noted());
}
