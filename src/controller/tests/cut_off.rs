//! Passes that are cut off in the middle of a write, and those behind them in the queue.

use parking_lot::Mutex;
use serde_json::json;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::controller::pass::{self, Reconcile};
use crate::controller::run::in_time;
use crate::deadline::time;
use crate::grafana::mirror::Lookup;

fn web_hook() -> Value {
    json!({"webhook": {"url": {"value": "https://example.com/hook"}}})
}

/// Runs a pass until Grafana was asked this, which it is in no hurry to do, and drops it there. Returns what makes Grafana go on.
async fn cut_off_in(world: &World, object: &impl Reconcile, operation: &'static str) -> CancellationToken {
    let go_on = CancellationToken::new();
    let dawdle = go_on.clone();
    world.grafana.does(move |called| {
        if called == operation {
            Does::Dawdles(dawdle.clone())
        } else {
            Does::Well
        }
    });
    let before = world.grafana.count(operation);
    tokio::select! {
        ended = object.reconcile(&world.context) => panic!("not cut off: {ended:?}"),
        () = world.grafana.called(operation, before + 1) => {}
    }
    world.grafana.does_well();
    go_on
}

/// Deletes the resource while Grafana still has the write before it.
async fn clean_up_meanwhile(world: &World, object: &impl Reconcile, go_on: &CancellationToken) {
    let clean_up = object.clean_up(&world.context);
    let mut clean_up = std::pin::pin!(clean_up);
    assert!(
        futures::poll!(clean_up.as_mut()).is_pending(),
        "the clean-up doesn't wait for the write under way"
    );
    go_on.cancel();
    clean_up.await.unwrap();
}

#[tokio::test]
async fn a_rule_that_was_being_created_when_its_pass_was_cut_off_is_deleted_with_its_resource() {
    let mut world = World::connected().await;
    let rule = world.rule("r", json!({"query": QUERY}));
    let go_on = cut_off_in(&world, &rule, "rules.create").await;
    clean_up_meanwhile(&world, &rule, &go_on).await;
    assert_eq!(
        world.grafana.hold(|held| held.rules.len()),
        0,
        "{:?}",
        world.grafana.calls()
    );
}

#[tokio::test]
async fn a_contact_point_that_was_being_created_when_its_pass_was_cut_off_is_deleted_with_its_resource() {
    let mut world = World::connected().await;
    let spec = json!({"integrations": [web_hook()]});
    let point = world.contact_point("team", spec);
    let go_on = cut_off_in(&world, &point, "contact_points.create").await;
    clean_up_meanwhile(&world, &point, &go_on).await;
    assert_eq!(
        world.grafana.hold(|held| held.points.len()),
        0,
        "{:?}",
        world.grafana.calls()
    );
}

#[tokio::test]
async fn a_silence_that_was_being_created_when_its_pass_was_cut_off_ends_with_its_resource() {
    let mut world = World::connected().await;
    let spec = json!({"matchers": ["severity=\"high\""], "duration": "5000d"});
    let silence = world.silence("s", spec);
    let go_on = cut_off_in(&world, &silence, "silences.put").await;
    clean_up_meanwhile(&world, &silence, &go_on).await;
    assert_eq!(
        world.grafana.hold(|held| held.silences.len()),
        0,
        "{:?}",
        world.grafana.calls()
    );
}

#[tokio::test]
async fn a_tree_that_was_being_written_when_its_pass_was_cut_off_goes_with_its_resource() {
    let mut world = World::connected().await;
    let spec = json!({"integrations": [web_hook()]});
    let point = world.contact_point("team", spec);
    point.reconcile(&world.context).await.unwrap();
    let policy = world.policy("tree", json!({"receiver": "team"}));
    let go_on = cut_off_in(&world, &policy, "policy.put").await;
    clean_up_meanwhile(&world, &policy, &go_on).await;
    let receiver = world.grafana.hold(|held| held.policy.clone().unwrap().receiver);
    assert_eq!(receiver.as_deref(), Some("grafana-default-email"));
}

#[tokio::test]
async fn a_folder_that_was_being_created_when_a_pass_was_cut_off_is_created_once() {
    let mut world = World::connected().await;
    let rule = world.rule("r", json!({"query": QUERY, "folder": "Shop"}));
    let go_on = cut_off_in(&world, &rule, "folders.create").await;
    let again = rule.reconcile(&world.context);
    let mut again = std::pin::pin!(again);
    assert!(futures::poll!(again.as_mut()).is_pending());
    go_on.cancel();
    again.await.unwrap();
    assert_eq!(world.grafana.count("folders.create"), 1);
}

#[tokio::test]
async fn nothing_is_known_of_a_rule_while_it_is_written_whatever_a_poll_says() {
    let mut world = World::connected().await;
    let rule = world.rule("r", json!({"query": QUERY}));
    let uid = world.context.owner.rule_uid("revel", "r");
    let go_on = cut_off_in(&world, &rule, "rules.create").await;
    let instance = world.instance();
    let is_unknown = || {
        instance
            .mirror
            .read(|held| held.rules.lookup(&uid) == Lookup::Unknown)
    };
    assert!(is_unknown());
    // It asked before Grafana had got so far.
    let poll = instance.mirror.write(|held| held.rules.begin_poll());
    instance
        .mirror
        .write(|held| held.rules.finish_poll(poll, Vec::new()));
    assert!(is_unknown(), "a poll took the rule for absent");
    go_on.cancel();
    let is_present = || {
        instance
            .mirror
            .read(|held| held.rules.lookup(&uid).present().is_some())
    };
    until("the outcome, which is noted though the pass is gone", is_present).await;
}

#[tokio::test]
async fn what_a_write_that_failed_leaves_is_unknown_and_what_was_refused_stands() {
    let mut world = World::connected().await;
    let rule = world.rule("r", json!({"query": QUERY}));
    let uid = world.context.owner.rule_uid("revel", "r");
    for (status, expected) in [(502, Lookup::Unknown), (400, Lookup::Absent)] {
        world.grafana.does(move |called| match called {
            "rules.create" => Does::Refuses(status, "no"),
            _ => Does::Well,
        });
        rule.reconcile(&world.context).await.unwrap_err();
        let known = world
            .instance()
            .mirror
            .read(|held| held.rules.lookup(&uid).cloned());
        assert_eq!(known, expected, "after {status}");
    }
}

#[tokio::test]
async fn a_connection_that_is_made_anew_has_the_rights_and_the_owner_ids_of_the_one_before() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut world = World::new();
    // Nobody answers there.
    let more = json!({"url": "http://127.0.0.1:1", "previousOwnerIDs": ["old"]});
    let before = world.connect(more).await;
    let writes = before.rights.notifications.lock().await;
    // Its Secret is another one by now.
    let secret = json!({"metadata": {"name": "token", "namespace": HOME}, "data": {"token": "cmVuZXdlZA=="}});
    world
        .server
        .set(&format!("/api/v1/namespaces/{HOME}/secrets/token"), secret);
    let declared = world.server.get(&path("grafanainstances", HOME, "default"));
    let declared: GrafanaInstance = serde_json::from_value(declared).unwrap();
    instance::reconcile(Arc::new(declared), world.context.clone())
        .await
        .unwrap();
    let renewed = world.instance();
    assert!(!Arc::ptr_eq(&before, &renewed), "it is connected anew");
    assert!(
        before.stop.is_cancelled(),
        "nobody reads by the old token any more"
    );
    assert_eq!(renewed.owners, before.owners);
    let mut waits = Box::pin(renewed.rights.notifications.lock());
    assert!(futures::poll!(waits.as_mut()).is_pending());
    drop(writes);
    waits.await;
    renewed.stop.cancel();
}

/// A pass over a contact point as the controller runs it. Returns reason and message of its condition then.
fn pass_over(world: &mut World, name: &str) -> impl Future<Output = (String, String)> + Send + use<> {
    let point = world.contact_point(name, json!({"integrations": [web_hook()]}));
    let (context, server) = (world.context.clone(), world.server.clone());
    let at = path("contactpoints", "revel", name);
    async move {
        in_time(pass::run(Arc::new(point), context)).await.unwrap();
        server.ready(&at).unwrap()
    }
}

/// Has Grafana take its time to create contact points. Returns what has it go on with each.
fn slow_to_create(world: &World) -> Arc<Mutex<Vec<CancellationToken>>> {
    let go_on = Arc::<Mutex<Vec<_>>>::default();
    let asked = go_on.clone();
    world.grafana.does(move |called| {
        if called != "contact_points.create" {
            return Does::Well;
        }
        let token = CancellationToken::new();
        asked.lock().push(token.clone());
        Does::Dawdles(token)
    });
    go_on
}

#[tokio::test]
async fn twenty_contact_points_before_a_slow_grafana_are_all_written_in_order_and_none_is_late() {
    let mut world = World::connected().await;
    let go_on = slow_to_create(&world);
    let names: Vec<String> = (0..20).map(|i| format!("team-{i}")).collect();
    let mut passes = JoinSet::new();
    for name in &names {
        passes.spawn(pass_over(&mut world, name));
    }
    let is_well = |ended: Result<(String, String), _>| {
        let (reason, message) = ended.unwrap();
        assert_eq!(reason, "Synced", "{message}");
    };
    for asked in 1..=names.len() {
        loop {
            tokio::select! {
                () = world.grafana.called("contact_points.create", asked) => break,
                Some(ended) = passes.join_next() => is_well(ended),
            }
        }
        time::pass(Duration::from_secs(25));
        let written = go_on.lock()[asked - 1].clone();
        written.cancel();
    }
    while let Some(ended) = passes.join_next().await {
        is_well(ended);
    }
    let written = world.grafana.hold(|held| {
        held.points
            .iter()
            .map(|point| point.name.clone())
            .collect::<Vec<_>>()
    });
    assert_eq!(written, names);
    assert!(world.context.backoff.is_empty(), "a pass has failed");
}

#[tokio::test]
async fn a_pass_that_takes_too_long_by_itself_is_cut_off_and_the_next_has_all_its_time() {
    let mut world = World::connected().await;
    let go_on = slow_to_create(&world);
    let slow = tokio::spawn(pass_over(&mut world, "slow"));
    world.grafana.called("contact_points.create", 1).await;
    let next = tokio::spawn(pass_over(&mut world, "next"));
    tokio::task::yield_now().await;
    time::pass(Duration::from_secs(30));
    until("the end of the pass that is late", || slow.is_finished()).await;
    let (reason, message) = slow.await.unwrap();
    assert_eq!(reason, "Unavailable", "{message}");
    assert!(message.contains("not done within 30 s"), "{message}");
    // What it has sent is carried out before the next one's turn.
    let written = go_on.lock()[0].clone();
    written.cancel();
    world.grafana.called("contact_points.create", 2).await;
    time::pass(Duration::from_secs(29));
    let written = go_on.lock()[1].clone();
    written.cancel();
    let (reason, message) = next.await.unwrap();
    assert_eq!(reason, "Synced", "{message}");
}

#[tokio::test]
async fn a_silence_that_a_connection_has_not_read_yet_is_asked_for_and_not_made_again() {
    let mut world = World::connected().await;
    let silence = world.silence("s", json!({"matchers": ["a=b"], "duration": "5000d"}));
    silence.reconcile(&world.context).await.unwrap();
    // It is connected anew, and what it reads is from before the silence was made.
    let held = world.grafana.hold(|held| std::mem::take(&mut held.silences));
    let renewed = world.connect(json!({})).await;
    until("the first read", || !matches!(renewed.health(), Health::Starting)).await;
    world.grafana.hold(|now| now.silences = held);
    silence.reconcile(&world.context).await.unwrap();
    assert_eq!(
        world.grafana.count("silences.put"),
        1,
        "{:?}",
        world.grafana.calls()
    );
    assert_eq!(world.grafana.count("silences.get"), 1);
}
