//! When and how the states of alerts are read.

use super::*;
use crate::controller::instance::states::{Size, StateReads};
use crate::domain::rule::states::States;
use crate::grafana::api::AlertState::{Firing, Normal};
use crate::grafana::api::{AlertState, RuleState};
use crate::grafana::model;

/// Pages of two groups.
const PAGE: Size = Size {
    groups: 2,
    rules: 2000,
};

fn states_of(rules: &[(&str, AlertState)]) -> Vec<RuleState> {
    let one = |(name, state): &(&str, AlertState)| RuleState {
        uid: Some(Owner::parse("own").unwrap().rule_uid("revel", name)),
        owner: Some(format!("own/revel/{name}")),
        folder: "revel".to_owned(),
        group: (*name).to_owned(),
        title: (*name).to_owned(),
        state: *state,
        active_at: None,
        last_error: None,
    };
    rules.iter().map(one).collect()
}

fn state(instance: &Instance, name: &str) -> Option<AlertState> {
    let rule = ("revel".to_owned(), name.to_owned());
    instance.states.read().get(&rule).map(|seen| seen.state)
}

/// One that has been read by pages, and what reads it further. The poller has stopped.
async fn read_by_pages(rules: &[(&str, AlertState)]) -> (World, Arc<Instance>, StateReads) {
    let world = World::connected().await;
    let instance = world.instance();
    instance.stop.cancel();
    world.grafana.hold(|held| held.states = states_of(rules));
    let mut reads = StateReads::by_pages(Duration::from_secs(15), Instant::now().into(), PAGE);
    round(&world, &instance, &mut reads).await;
    (world, instance, reads)
}

/// Reads a whole round, and says how many answers it had.
async fn round(world: &World, instance: &Instance, reads: &mut StateReads) -> u32 {
    for answers in 1..20 {
        reads.read(instance, &world.context).await;
        if reads.next() > Instant::now().into() {
            return answers;
        }
    }
    panic!("a round without an end: {:?}", world.grafana.calls());
}

#[tokio::test]
async fn states_are_read_page_by_page_and_count_from_the_end_of_the_round() {
    let five = [
        ("a", Normal),
        ("b", Normal),
        ("c", Normal),
        ("d", Normal),
        ("e", Normal),
    ];
    let (mut world, instance, mut reads) = read_by_pages(&five).await;
    drain(&mut world.receivers.rules);
    world.grafana.hold(|held| held.states[0].state = Firing);
    reads.read(&instance, &world.context).await;
    assert!(
        reads.next() <= Instant::now().into(),
        "the next page is due at once"
    );
    assert_eq!(state(&instance, "a"), Some(Normal));
    assert_eq!(round(&world, &instance, &mut reads).await, 2, "pages");
    assert_eq!(state(&instance, "a"), Some(Firing));
    assert_eq!(drain(&mut world.receivers.rules), 1, "passes");
}

/// As after a restart.
#[tokio::test]
async fn states_that_statuses_show_already_ask_for_no_pass_when_they_are_first_read() {
    let mut world = World::connected().await;
    let instance = world.instance();
    instance.stop.cancel();
    let told = [
        ("same", json!({"state": "Normal"}), json!({}), 0),
        ("other", json!({"state": "Firing"}), json!({}), 1),
        ("paused", json!({"state": "Paused"}), json!({"paused": true}), 0),
        ("unpaused", json!({"state": "Paused"}), json!({}), 1),
        (
            "unpaused by hand",
            json!({"state": "Paused", "drift": ["paused"]}),
            json!({"paused": true}),
            1,
        ),
        (
            "paused by hand",
            json!({"state": "Paused", "drift": ["paused"]}),
            json!({}),
            0,
        ),
        ("new", json!({}), json!({}), 1),
        (
            "message",
            json!({"state": "Normal", "stateMessage": "why"}),
            json!({}),
            1,
        ),
    ];
    for (name, status, more, passes) in told {
        let mut spec = json!({"query": QUERY});
        spec.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        let mut rule = world.rule(name, spec);
        rule.status = serde_json::from_value(status).unwrap();
        see(&world.context, &mut world.writers.rules, rule, news::about_rule);
        world
            .grafana
            .hold(|held| held.states = states_of(&[(name, Normal)]));
        drain(&mut world.receivers.rules);
        let mut reads = StateReads::by_pages(Duration::from_secs(15), Instant::now().into(), PAGE);
        *instance.states.write() = States::default();
        round(&world, &instance, &mut reads).await;
        assert_eq!(drain(&mut world.receivers.rules), passes, "{name}");
    }
}

#[tokio::test]
async fn a_state_that_changes_asks_for_a_pass_whatever_the_status_shows_for_one_under_way_may_show_the_former()
 {
    let (mut world, instance, mut reads) = read_by_pages(&[("a", Firing)]).await;
    let mut rule = world.rule("a", json!({"query": QUERY}));
    rule.status = serde_json::from_value(json!({"state": "Normal"})).unwrap();
    see(&world.context, &mut world.writers.rules, rule, news::about_rule);
    world.grafana.hold(|held| held.states[0].state = Normal);
    drain(&mut world.receivers.rules);
    round(&world, &instance, &mut reads).await;
    assert_eq!(drain(&mut world.receivers.rules), 1);
}

#[tokio::test]
async fn states_are_read_after_the_rules_that_many_passes_bring_but_not_much_later() {
    let now: tokio::time::Instant = Instant::now().into();
    let mut reads = StateReads::by_pages(Duration::from_secs(15), now, PAGE);
    assert!(!reads.gives_way(false, now), "nobody is in the way");
    for after in [0, 10, 29] {
        let now = now + Duration::from_secs(after);
        assert!(reads.gives_way(true, now), "{after} s");
        assert!(reads.next() > now, "it is looked again soon");
    }
    assert!(
        !reads.gives_way(true, now + Duration::from_secs(30)),
        "long enough"
    );
    assert!(
        reads.gives_way(true, now + Duration::from_secs(31)),
        "and from the beginning"
    );
}

#[tokio::test]
async fn a_copy_of_a_rule_hides_nothing_of_its_state_with_or_without_uids() {
    let mut world = World::connected().await;
    let rule = world.rule("a", json!({"query": QUERY}));
    rule.reconcile(&world.context).await.unwrap();
    let instance = world.instance();
    world.grafana.hold(|held| {
        let own = held.rules.values().next().unwrap().clone();
        let copy = model::AlertRule {
            uid: "copy".to_owned(),
            title: "a (copy)".to_owned(),
            provenance: Some(String::new()),
            ..own
        };
        held.rules.insert(copy.uid.clone(), copy);
    });
    world.poll().await;
    instance.stop.cancel();
    // The second is one that was made after the rules were read.
    for uid in [Some("copy"), Some("another"), None] {
        world.grafana.hold(|held| {
            held.states = states_of(&[("a", Firing), ("a", Normal)]);
            held.states[1].uid = uid.map(str::to_owned);
            held.states[1].title = "a (copy)".to_owned();
            if uid.is_none() {
                held.states.iter_mut().for_each(|state| state.uid = None);
            }
        });
        let mut reads = StateReads::by_pages(Duration::from_secs(15), Instant::now().into(), PAGE);
        round(&world, &instance, &mut reads).await;
        assert_eq!(state(&instance, "a"), Some(Firing), "{uid:?}");
    }
}

#[tokio::test]
async fn a_rule_that_moves_between_two_pages_keeps_its_state() {
    let (mut world, instance, mut reads) =
        read_by_pages(&[("a", Normal), ("b", Normal), ("c", Firing), ("d", Normal)]).await;
    drain(&mut world.receivers.rules);
    reads.read(&instance, &world.context).await;
    // To where the round has been.
    world.grafana.hold(|held| held.states.swap(0, 2));
    round(&world, &instance, &mut reads).await;
    assert_eq!(state(&instance, "c"), Some(Firing));
    assert_eq!(drain(&mut world.receivers.rules), 0, "passes");
}

#[tokio::test]
async fn pages_that_lead_back_are_given_up_until_grafana_is_another() {
    let (world, instance, mut reads) = read_by_pages(&[("a", Normal), ("b", Normal), ("c", Normal)]).await;
    world.grafana.hold(|held| held.lost_page = Some(0));
    assert_eq!(
        round(&world, &instance, &mut reads).await,
        3,
        "twice the first page, and all"
    );
    world.grafana.hold(|held| held.states[2].state = Firing);
    assert_eq!(round(&world, &instance, &mut reads).await, 1);
    assert_eq!(state(&instance, "c"), Some(Firing));
    world.grafana.hold(|held| held.lost_page = None);
    let mut settings = instance.known_settings().unwrap();
    settings.version = Some("12.4.1".to_owned());
    instance.set_settings(settings);
    assert_eq!(round(&world, &instance, &mut reads).await, 2, "pages");
}

#[tokio::test]
async fn a_round_that_breaks_off_changes_nothing_and_the_next_begins_anew() {
    let (mut world, instance, mut reads) =
        read_by_pages(&[("a", Normal), ("b", Normal), ("c", Normal)]).await;
    drain(&mut world.receivers.rules);
    world.grafana.hold(|held| held.states[0].state = Firing);
    reads.read(&instance, &world.context).await;
    world.grafana.does(|_| Does::Refuses(503, "away"));
    reads.read(&instance, &world.context).await;
    assert!(reads.next() > Instant::now().into(), "not again at once");
    assert_eq!(state(&instance, "a"), Some(Normal));
    world.grafana.does_well();
    assert_eq!(round(&world, &instance, &mut reads).await, 2, "pages");
    assert_eq!(state(&instance, "a"), Some(Firing));
}

#[tokio::test]
async fn what_is_suspected_is_looked_at_between_two_pages() {
    let mut world = World::new();
    let names: Vec<String> = (0..1001).map(|number| format!("r{number}")).collect();
    let rules: Vec<_> = names.iter().map(|name| (name.as_str(), Normal)).collect();
    world.grafana.hold(|held| held.states = states_of(&rules));
    let (context, is_first) = (world.context.clone(), AtomicBool::new(true));
    world.grafana.does(move |called| {
        if called == "rules.states" && is_first.swap(false, Ordering::Relaxed) {
            context.running.read()["default"].suspicion.of_sources();
        }
        Does::Well
    });
    let instance = world.connect(json!({})).await;
    until("every rule has a state", || state(&instance, "r1000").is_some()).await;
    let calls = world.grafana.calls();
    let pages = calls.iter().filter(|call| **call == "rules.states");
    assert_eq!(pages.count(), 3, "{calls:?}");
    let last = |wanted| calls.iter().rposition(|call| *call == wanted);
    assert_eq!(world.grafana.count("server.data_sources"), 2, "{calls:?}");
    assert!(last("server.data_sources") < last("rules.states"), "{calls:?}");
}
