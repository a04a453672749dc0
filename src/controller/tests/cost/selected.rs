//! What a MaintenancePolicy looks after, as the watches tell: what comes, changes and goes, also while a watch was down.

use super::*;
use crate::domain::maintenance::selected::Selected;

/// A policy for what carries the label `app: a`.
fn selecting(world: &mut World, label: &str) -> MaintenancePolicy {
    let of = |kind: &str| json!({"kind": kind, "selector": {"matchLabels": {"app": label}}});
    let object = json!({
        "apiVersion": "alerting.letsrevel.io/v1alpha1", "kind": "MaintenancePolicy", "spec": {"targets": [of("Deployment"), of("Job")]},
        "metadata": {"name": "own", "namespace": "revel", "uid": "uid-own", "generation": 1},
    });
    let policy = serde_json::from_value(object).unwrap();
    seen(world, &policy);
    policy
}

fn labelled<K: Own>(mut object: K, label: &str) -> K {
    object.meta_mut().labels = Some([("app".to_owned(), label.to_owned())].into());
    object
}

/// How many workloads the policy looks after; `None` where nothing is known of it.
fn counted(world: &World) -> Option<usize> {
    let selected = world.context.workloads.selected.lock();
    let own = ("revel".to_owned(), "own".to_owned());
    selected.get(&own).map(Selected::count)
}

/// How many there are after this was told, and whether that was news for the policy.
fn told(world: &mut World, tell: impl FnOnce(&mut World)) -> (Option<usize>, bool) {
    world.asked();
    tell(world);
    let asked = world.asked();
    (
        counted(world),
        asked.contains(&"MaintenancePolicy revel/own".to_owned()),
    )
}

/// A watch lists anew and finds nothing: what was there has gone while it was down.
fn lists_nothing<K: Own>(world: &mut World) {
    let (context, writer) = K::writer(world);
    for event in [Event::Init, Event::InitDone] {
        let before = writer.apply(&event);
        K::ABOUT(&event, before.as_deref(), context);
    }
}

fn comes_changes_and_goes<K: Own>(world: &mut World, object: &K) {
    let (ours, other) = (labelled(object.clone(), "a"), labelled(object.clone(), "b"));
    assert_eq!(told(world, |world| seen(world, &ours)), (Some(1), true));
    assert_eq!(told(world, |world| seen(world, &ours)), (Some(1), false));
    assert_eq!(told(world, |world| seen(world, &other)), (Some(0), true));
    assert_eq!(told(world, |world| seen(world, &other)), (Some(0), false));
    assert_eq!(told(world, |world| seen(world, &ours)), (Some(1), true));
    assert_eq!(told(world, |world| gone(world, ours.clone())), (Some(0), true));
    // One that wasn't selected is no news when it goes.
    seen(world, &other);
    assert_eq!(told(world, |world| gone(world, other)), (Some(0), false));
    seen(world, &ours);
    lists_nothing::<K>(world);
    assert_eq!(counted(world), Some(0));
}

#[tokio::test]
async fn a_policy_knows_what_it_looks_after_as_it_comes_changes_and_goes() {
    let mut world = World::connected().await;
    selecting(&mut world, "a");
    assert_eq!(counted(&world), Some(0));
    comes_changes_and_goes(&mut world, &rolling_out());
    comes_changes_and_goes(&mut world, &running());
}

#[tokio::test]
async fn a_policy_that_comes_or_selects_otherwise_looks_for_what_is_there_and_one_that_goes_is_forgotten() {
    let mut world = World::connected().await;
    seen(&mut world, &labelled(rolling_out(), "a"));
    seen(&mut world, &labelled(running(), "a"));
    let policy = selecting(&mut world, "a");
    assert_eq!(counted(&world), Some(2));
    let other = selecting(&mut world, "b");
    assert_eq!(counted(&world), Some(0));
    seen(&mut world, &policy);
    assert_eq!(counted(&world), Some(2));
    gone(&mut world, other);
    assert_eq!(counted(&world), None);
    seen(&mut world, &policy);
    lists_nothing::<MaintenancePolicy>(&mut world);
    assert_eq!(counted(&world), None);
}

/// In another namespace, and naming this policy.
fn elsewhere<K: Own>(object: K, names: Option<&str>) -> K {
    let mut object = labelled(object, "a");
    object.meta_mut().namespace = Some("bank".to_owned());
    let name = "alerting.letsrevel.io/maintenance-policy".to_owned();
    object.meta_mut().annotations = names.map(|policy| [(name, policy.to_owned())].into());
    object
}

fn is_asked_from_elsewhere<K: Own>(world: &mut World, object: &K) {
    let (ours, other) = (
        elsewhere(object.clone(), Some("revel/own")),
        elsewhere(object.clone(), None),
    );
    assert_eq!(told(world, |world| seen(world, &other)), (Some(0), false));
    assert_eq!(told(world, |world| seen(world, &ours)), (Some(1), true));
    // One of the same name in the policy's own namespace is another.
    let own = labelled(object.clone(), "a");
    assert_eq!(told(world, |world| seen(world, &own)), (Some(2), true));
    gone(world, own);
    assert_eq!(
        told(world, |world| seen(world, &other)),
        (Some(0), true),
        "it names no policy any more"
    );
    seen(world, &ours);
    selecting(world, "a");
    assert_eq!(counted(world), Some(1), "a policy that changes finds it");
    gone(world, ours);
    assert_eq!(counted(world), Some(0));
}

#[tokio::test]
async fn a_policy_counts_what_names_it_from_another_namespace() {
    let mut world = World::connected().await;
    selecting(&mut world, "a");
    is_asked_from_elsewhere(&mut world, &rolling_out());
    is_asked_from_elsewhere(&mut world, &running());
}
