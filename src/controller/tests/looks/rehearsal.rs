//! Passes that are only rehearsed: they come to what the real ones come to, and write nothing.

use std::collections::BTreeMap;

use super::*;
use crate::api::condition::Reason;
use crate::cluster::rehearsed::{Seen, Stage, rehearsed};
use crate::controller::pass;
use crate::controller::run::rehearsal::{Cast, Performance, Play};
use crate::domain::routing::difference;
use crate::grafana::api::rehearsed::Concern;

/// Words of calls that write.
const WRITES: [&str; 6] = ["put", "create", "delete", "remove", "expire", "update"];

fn writes(world: &World) -> Vec<String> {
    let calls = world.grafana.calls().into_iter();
    let written = calls.filter(|call| WRITES.iter().any(|word| call.contains(word)));
    written.map(str::to_owned).chain(world.server.writes()).collect()
}

fn all<K: Indexed>(store: &crate::controller::engine::store::Store<K>) -> Vec<K> {
    store.all().iter().map(|object| (**object).clone()).collect()
}

fn cast(world: &World) -> Cast {
    let stores = &world.context.stores;
    Cast {
        rules: all(&stores.rules),
        contact_points: all(&stores.contact_points),
        policies: all(&stores.policies),
        time_intervals: all(&stores.time_intervals),
        templates: all(&stores.templates),
        inhibition_rules: all(&stores.inhibition_rules),
        silences: all(&stores.silences),
    }
}

/// Rehearses all passes, over this Grafana and this API server, and sees that nothing is written to either.
async fn perform(world: &World, cast: Cast) -> Performance {
    let before = writes(world);
    let declared = world.server.get(&path("grafanainstances", HOME, "default"));
    let play = Play {
        client: rehearsed(
            Some(world.server.client()),
            Stage::default(),
            &Arc::<Seen>::default(),
        ),
        home: HOME.to_owned(),
        owner: world.context.owner.clone(),
        instance: serde_json::from_value(declared).unwrap(),
        grafana: world.grafana.client(),
        namespaces: Vec::new(),
    };
    let performance = Box::pin(play.perform(cast)).await;
    assert_eq!(performance.is_down(), None);
    assert_eq!(writes(world), before);
    performance
}

/// What became of each resource, and how many objects would be written for it.
fn told(performance: &Performance) -> BTreeMap<String, (Option<Reason>, usize)> {
    let all = performance.outcomes.iter();
    all.map(|(name, outcome)| (name.name.clone(), (outcome.reason, outcome.touched.len())))
        .collect()
}

fn expected(all: &[(&str, Option<Reason>, usize)]) -> BTreeMap<String, (Option<Reason>, usize)> {
    all.iter()
        .map(|(name, reason, touched)| ((*name).to_owned(), (*reason, *touched)))
        .collect()
}

fn hook(url: &str) -> Value {
    json!({"integrations": [{"webhook": {"url": {"value": url}}}]})
}

/// A world with a rule, a contact point and a policy, none of which has had its pass.
async fn furnished() -> World {
    let mut world = World::connected().await;
    world.rule("rule", json!({"query": QUERY, "for": "5m"}));
    world.contact_point("point", hook("https://example.com/hook"));
    world.policy("policy", json!({"receiver": "point"}));
    world
}

async fn pass_all(world: &World) {
    let stores = &world.context.stores;
    for object in stores.contact_points.all() {
        pass::run(object, world.context.clone()).await.unwrap();
    }
    for object in stores.policies.all() {
        pass::run(object, world.context.clone()).await.unwrap();
    }
    for object in stores.rules.all() {
        pass::run(object, world.context.clone()).await.unwrap();
    }
}

#[tokio::test]
async fn what_would_be_made_counts_for_those_that_need_it_and_nothing_is_written() {
    let world = furnished().await;
    let performance = perform(&world, cast(&world)).await;
    let synced = Some(Reason::Synced);
    assert_eq!(
        told(&performance),
        expected(&[("rule", synced, 1), ("point", synced, 1), ("policy", synced, 1)])
    );
    let uid = world.context.owner.rule_uid("revel", "rule");
    let change = performance.notes.rule(&uid);
    assert_eq!(change.before, None);
    let rule = change.after.unwrap();
    assert_eq!(performance.folder(&rule.folder_uid).as_deref(), Some("revel"));
    assert!(performance.notes.tree("user-defined").after.is_some());
}

#[tokio::test]
async fn what_is_in_grafana_as_it_is_asked_for_would_not_be_written() {
    let world = furnished().await;
    pass_all(&world).await;
    let synced = Some(Reason::Synced);
    assert_eq!(
        told(&perform(&world, cast(&world)).await),
        expected(&[("rule", synced, 0), ("point", synced, 0), ("policy", synced, 0)])
    );
}

#[tokio::test]
async fn what_somebody_has_changed_is_told_field_by_field_also_where_it_is_only_reported() {
    let mut world = furnished().await;
    pass_all(&world).await;
    world.connect(json!({"driftPolicy": "Report"})).await;
    let uid = world.context.owner.rule_uid("revel", "rule");
    world.grafana.hold(|held| {
        let rule = held.rules.get_mut(&uid).unwrap();
        rule.r#for = "1h".to_owned();
        rule.annotations
            .insert("summary".to_owned(), "by hand".to_owned());
    });
    let performance = perform(&world, cast(&world)).await;
    let change = performance.notes.rule(&uid);
    let (before, after) = (change.before.unwrap(), change.after.unwrap());
    let fields: Vec<_> = difference::rule(&before, &after, |_| None)
        .into_iter()
        .map(|one| one.field)
        .collect();
    assert_eq!(fields, ["for", "annotations.summary"]);
    let touched: usize = told(&performance).values().map(|(_, count)| count).sum();
    assert_eq!(touched, 1);
}

#[tokio::test]
async fn what_is_refused_would_be_refused_and_what_goes_would_go() {
    let mut world = furnished().await;
    pass_all(&world).await;
    world.rule("bad", json!({"query": "up <"}));
    world.policy("second", json!({"receiver": "point"}));
    let mut cast = cast(&world);
    for rule in &mut cast.rules {
        if rule.metadata.name.as_deref() == Some("rule") {
            rule.metadata.deletion_timestamp = rule.metadata.creation_timestamp.clone();
        }
    }
    let performance = perform(&world, cast).await;
    let synced = Some(Reason::Synced);
    assert_eq!(
        told(&performance),
        expected(&[
            ("rule", None, 1),
            ("bad", Some(Reason::Invalid), 0),
            ("point", synced, 0),
            ("policy", synced, 0),
            ("second", Some(Reason::Conflict), 0),
        ])
    );
    let uid = world.context.owner.rule_uid("revel", "rule");
    assert_eq!(performance.notes.rule(&uid).after, None);
}

#[tokio::test]
async fn a_branch_is_put_into_the_tree_of_its_root() {
    let mut world = furnished().await;
    pass_all(&world).await;
    world.policy(
        "branch",
        json!({"receiver": "point", "parentRef": {"name": "policy"}, "matchers": ["team=\"a\""]}),
    );
    let performance = perform(&world, cast(&world)).await;
    let synced = Some(Reason::Synced);
    assert_eq!(
        told(&performance),
        expected(&[
            ("rule", synced, 0),
            ("point", synced, 0),
            ("policy", synced, 1),
            ("branch", synced, 0),
        ])
    );
    let touched = performance.outcomes.values().flat_map(|outcome| &outcome.touched);
    assert!(touched.clone().all(|(concern, _)| *concern == Concern::Tree));
}
