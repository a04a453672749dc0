use std::collections::BTreeSet;

use proptest::prelude::*;

use super::super::by::labelled;
use super::*;
use crate::api::AlertRule;

fn rule(name: &str, instance: &str, team: Option<&str>) -> AlertRule {
    let mut object = serde_json::json!({
        "metadata": {"name": name, "namespace": "shop"}, "spec": {"instance": instance, "query": "vector(1) > 0"},
    });
    if let Some(team) = team {
        object["metadata"]["labels"] = serde_json::json!({"team": team, "kind": "rule"});
    }
    serde_json::from_value(object).unwrap()
}

fn instance(name: &str) -> By {
    By::Instance(name.to_owned())
}

fn team(name: &str) -> By {
    By::Label(labelled("shop", (&"team".to_owned(), &name.to_owned())))
}

fn found(store: &Store<AlertRule>, key: &By) -> BTreeSet<String> {
    let by: BTreeSet<String> = store.by(key).iter().map(|o| o.name_any()).collect();
    let names: BTreeSet<String> = store.names(key).iter().map(|o| o.name.clone()).collect();
    assert_eq!(by, names, "{key:?}");
    assert_eq!(store.count(key), names.len(), "{key:?}");
    by
}

#[test]
fn an_object_is_found_by_what_it_says_now_and_the_writer_tells_what_it_said_before() {
    let (store, mut writer) = store::<AlertRule>();
    assert!(
        writer
            .apply(&Event::Apply(rule("a", "one", Some("red"))))
            .is_none()
    );
    assert_eq!(found(&store, &team("red")).len(), 1);
    let before = writer
        .apply(&Event::Apply(rule("a", "two", Some("blue"))))
        .unwrap();
    assert_eq!(before.spec.instance.as_deref(), Some("one"));
    assert!(found(&store, &team("red")).is_empty() && found(&store, &instance("one")).is_empty());
    assert_eq!(found(&store, &team("blue")), found(&store, &instance("two")));
    let before = writer.apply(&Event::Delete(rule("a", "two", None))).unwrap();
    assert_eq!(before.labels()["team"], "blue");
    assert!(found(&store, &team("blue")).is_empty() && store.all().is_empty());
    assert!(
        store.index.read().by.is_empty(),
        "nothing is left of what is gone"
    );
}

#[test]
fn half_a_listing_is_not_found_yet_and_what_a_whole_one_lacks_is_not_found_any_more() {
    let (store, mut writer) = store::<AlertRule>();
    writer.apply(&Event::Apply(rule("old", "one", None)));
    writer.apply(&Event::Init);
    writer.apply(&Event::InitApply(rule("new", "one", None)));
    assert_eq!(
        found(&store, &instance("one")),
        BTreeSet::from(["old".to_owned()])
    );
    writer.apply(&Event::InitDone);
    assert_eq!(
        found(&store, &instance("one")),
        BTreeSet::from(["new".to_owned()])
    );
}

#[test]
fn what_is_asked_for_costs_the_same_among_ten_and_among_a_thousand() {
    let touched = [10, 1000].map(|others| {
        let (store, mut writer) = store::<AlertRule>();
        for i in 0..others {
            writer.apply(&Event::Apply(rule(&format!("other-{i}"), "other", Some("blue"))));
        }
        writer.apply(&Event::Apply(rule("own", "one", Some("red"))));
        touched::take();
        assert_eq!(found(&store, &team("red")).len(), 1);
        assert!(store.find(&instance("one"), |_| true).is_some());
        assert!(store.find(&instance("other"), |_| true).is_some());
        writer.apply(&Event::Apply(rule("own", "two", Some("blue"))));
        touched::take()
    });
    assert_eq!(touched[0], touched[1]);
}

fn events() -> impl Strategy<Value = Vec<Event<AlertRule>>> {
    let object = ("[a-d]", "[xy]", proptest::option::of("[rb]"))
        .prop_map(|(name, instance, team)| rule(&name, &instance, team.as_deref()));
    let event = prop_oneof![
        4 => object.clone().prop_map(Event::Apply),
        2 => object.clone().prop_map(Event::Delete),
        2 => object.prop_map(Event::InitApply),
        1 => Just(Event::Init),
        1 => Just(Event::InitDone),
    ];
    proptest::collection::vec(event, 0..40)
}

proptest! {
    #[test]
    fn whatever_a_watch_tells_the_index_finds_what_a_walk_would(events in events()) {
        let (store, mut writer) = store::<AlertRule>();
        for event in &events {
            writer.apply(event);
        }
        for key in [instance("x"), instance("y"), team("r"), team("b")] {
            let walked: BTreeSet<String> = store
                .all()
                .iter()
                .filter(|object| object.found_by().contains(&key))
                .map(|object| object.name_any())
                .collect();
            prop_assert_eq!(found(&store, &key), walked);
        }
    }
}
