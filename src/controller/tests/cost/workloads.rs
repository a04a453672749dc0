//! What passes over workloads write and remember, and what is said of it.

use ::kube::runtime::watcher;
use futures::StreamExt;
use futures::stream::BoxStream;

use super::*;
use crate::controller::engine::store::store;
use crate::controller::maintenance::{argo, jobs};
use crate::domain::maintenance::rollout::StatefulSet;
use crate::domain::maintenance::rollout::argo::Rollout;
use crate::domain::maintenance::window::Outcome;

#[tokio::test]
async fn a_job_that_is_gone_is_remembered_only_as_long_as_its_silence() {
    for is_silenced in [false, true] {
        let mut world = World::connected().await;
        maintenance(&mut world);
        seen(&mut world, &running());
        if is_silenced {
            let pass = workload::job(Arc::new(running()), world.context.clone());
            pass.await.unwrap();
            let silence = opened(&world);
            seen(&mut world, &silence);
        }
        let remembered = |world: &World| world.context.workloads.jobs.lock().len();
        assert_eq!(remembered(&world), 1);
        let written = world.context.workloads.written_of("uid-own");
        gone(&mut world, running());
        assert_eq!(remembered(&world), written.len(), "silenced: {is_silenced}");
        for own in written {
            gone(&mut world, own.stored);
        }
        assert_eq!(remembered(&world), 0, "silenced: {is_silenced}");
    }
}

#[tokio::test]
async fn a_silence_that_is_going_is_not_written_onto() {
    let mut world = World::connected().await;
    maintenance(&mut world);
    seen(&mut world, &rolling_out());
    let pass = workload::rolling(Arc::new(rolling_out()), world.context.clone());
    pass.await.unwrap();
    let mut going = world.context.workloads.written_of("uid-own")[0].stored.clone();
    going.metadata.deletion_timestamp = Some(Time(jiff::Timestamp::now()));
    seen(&mut world, &going);
    // Its Deployment is made anew, and the silence of the same template has the same name.
    let mut anew = rolling_out();
    anew.metadata.uid = Some("uid-anew".to_owned());
    let pass = workload::rolling(Arc::new(anew), world.context.clone());
    let failed = pass.await.unwrap_err().to_string();
    assert!(failed.contains("is being deleted"), "{failed}");
    assert!(world.context.workloads.written_of("uid-anew").is_empty());
}

/// The Silence that would be generated, as a person has it who gives one the name, or copies it.
fn by_hand(silence: &Silence, name: &str, uid: &str) -> Silence {
    let mut own = silence.clone();
    own.metadata.name = Some(name.to_owned());
    own.metadata.uid = Some(uid.to_owned());
    own.metadata.owner_references = None;
    own.spec.comment = Some("mine".to_owned());
    own
}

#[tokio::test]
async fn a_silence_of_a_persons_is_left_alone_where_a_generated_one_would_have_its_name() {
    let mut world = World::connected().await;
    maintenance(&mut world);
    seen(&mut world, &rolling_out());
    let generated = passed(&mut world).await;
    let name = generated.metadata.name.clone().unwrap();

    // The label and the annotations come along with what people copy.
    for labels in [None, generated.metadata.labels.clone()] {
        let mut world = World::connected().await;
        maintenance(&mut world);
        seen(&mut world, &rolling_out());
        let mut own = by_hand(&generated, &name, "by-hand");
        own.metadata.labels = labels;
        seen(&mut world, &own);
        let other = passed(&mut world).await;
        let other = other.metadata.name.unwrap();
        assert!(other != name && other.starts_with(&name), "{other}");
        let writes = world.server.writes();
        assert!(
            !writes
                .iter()
                .any(|write| write.ends_with(&format!("/silences/{name}"))),
            "{writes:?}"
        );
        let notes = world.server.notes();
        assert!(
            notes.len() == 1 && notes[0].starts_with("SilenceRenamed: ") && notes[0].contains(&other),
            "{notes:?}"
        );
        // It is this one from then on, without another word.
        passed(&mut world).await;
        assert_eq!(world.server.writes().len(), writes.len());
        assert_eq!(world.server.notes().len(), 1);

        // Somebody has that name too.
        let mut world = World::connected().await;
        maintenance(&mut world);
        seen(&mut world, &rolling_out());
        seen(&mut world, &own);
        seen(&mut world, &by_hand(&generated, &other, "too"));
        let pass = workload::rolling(Arc::new(rolling_out()), world.context.clone());
        let failed = pass.await.unwrap_err().to_string();
        assert!(failed.contains(&name) && failed.contains(&other), "{failed}");
        let notes = world.server.notes();
        assert!(notes[0].starts_with("SilenceRefused: "), "{notes:?}");
    }
}

#[tokio::test]
async fn a_copy_of_a_generated_silence_is_a_persons() {
    let mut world = World::connected().await;
    maintenance(&mut world);
    seen(&mut world, &rolling_out());
    let generated = passed(&mut world).await;
    let mut copy = by_hand(&generated, "copy", "copy");
    copy.spec.ends_at = Some(Time(
        jiff::Timestamp::now() + jiff::SignedDuration::from_hours(720),
    ));
    seen(&mut world, &copy);
    let writes = world.server.writes();
    passed(&mut world).await;
    assert_eq!(world.server.writes(), writes, "neither of them is written");
    assert_eq!(world.context.workloads.written_of("uid-own").len(), 1);
}

#[tokio::test]
async fn a_generated_silence_whose_label_and_owner_somebody_takes_off_stays_its_workloads() {
    let mut world = World::connected().await;
    maintenance(&mut world);
    seen(&mut world, &rolling_out());
    let mut generated = passed(&mut world).await;
    generated.metadata.owner_references = None;
    generated.metadata.labels = None;
    seen(&mut world, &generated);
    maintenance_by(&mut world, &json!({"matchers": ["severity!=critical"]}));
    let after = passed(&mut world).await;
    assert_eq!(after.metadata.name, generated.metadata.name);
    assert_eq!(json!(after.spec.matchers), json!(["severity!=critical"]));
}

/// A pass over the Deployment that rolls out. Its silence is returned as it is written then, and seen.
async fn passed(world: &mut World) -> Silence {
    let pass = workload::rolling(Arc::new(rolling_out()), world.context.clone());
    pass.await.unwrap();
    let silence = opened(world);
    seen(world, &silence);
    silence
}

#[tokio::test]
async fn an_edit_of_what_a_policy_silences_reaches_the_silence_that_is_open() {
    let mut world = World::connected().await;
    maintenance(&mut world);
    seen(&mut world, &rolling_out());
    let before = passed(&mut world).await;
    maintenance_by(&mut world, &json!({"matchers": ["severity!=critical"]}));
    let after = passed(&mut world).await;
    assert_eq!(json!(after.spec.matchers), json!(["severity!=critical"]));
    assert_eq!(after.spec.ends_at, before.spec.ends_at, "its lease is the same");
    let writes = world.server.writes().len();
    passed(&mut world).await;
    assert_eq!(world.server.writes().len(), writes, "{:?}", world.server.writes());
}

#[tokio::test]
async fn an_opening_is_told_once_and_when_grafana_holds_the_silence() {
    let mut world = World::connected().await;
    maintenance(&mut world);
    seen(&mut world, &rolling_out());
    for _ in 0..2 {
        passed(&mut world).await;
        assert!(world.server.notes().is_empty(), "{:?}", world.server.notes());
    }
    let mut held = opened(&world);
    held.status =
        serde_json::from_value(json!({"state": "Active", "observedGeneration": held.metadata.generation}))
            .unwrap();
    for _ in 0..2 {
        seen(&mut world, &held);
        let pass = workload::rolling(Arc::new(rolling_out()), world.context.clone());
        pass.await.unwrap();
        let notes = world.server.notes();
        assert!(
            notes.len() == 1 && notes[0].starts_with("SilenceOpened: "),
            "{notes:?}"
        );
    }
}

#[tokio::test]
async fn a_silence_lingers_where_its_job_has_gone_and_ends_where_a_person_deletes_it_under_a_job_that_is_there()
 {
    let at = "/apis/batch/v1/namespaces/revel/jobs/own";
    // What the watch shows, what the API server has, and whether the silence lingers.
    for (is_shown, is_there, lingers) in [(true, true, false), (true, false, true), (false, false, true)] {
        let mut world = World::connected().await;
        maintenance_by(&mut world, &json!({"linger": "10m"}));
        seen(&mut world, &running());
        workload::job(Arc::new(running()), world.context.clone())
            .await
            .unwrap();
        let silence = opened(&world);
        seen(&mut world, &silence);
        let stored = done();
        let done: Job = serde_json::from_value(stored.clone()).unwrap();
        seen(&mut world, &done);
        if is_there {
            world.server.set(at, stored);
        }
        if !is_shown {
            gone(&mut world, done);
        }
        let until = jobs::linger_of(&silence, &world.context).await.unwrap();
        assert_eq!(
            until.is_some(),
            lingers,
            "shown: {is_shown}, there: {is_there}: {until:?}"
        );
    }
}

/// The Job once it has succeeded.
fn done() -> Value {
    let now = jiff::Timestamp::now();
    let mut done = a_run();
    done["status"]["completionTime"] = json!(now);
    done["status"]["conditions"] = json!([{"type": "Complete", "status": "True", "reason": "CompletionsReached", "lastTransitionTime": now}]);
    done
}

#[tokio::test]
async fn a_namespace_that_has_opted_out_gets_no_silence_and_what_is_open_ends_instead_of_being_extended() {
    let at = "/api/v1/namespaces/revel";
    let namespace = |annotations: Value| {
        json!({
            "apiVersion": "meta.k8s.io/v1", "kind": "PartialObjectMetadata",
            "metadata": {"name": "revel", "annotations": annotations},
        })
    };
    let disabled = json!({"alerting.letsrevel.io/maintenance": "disabled"});
    let mut world = World::connected().await;
    maintenance(&mut world);
    seen(&mut world, &rolling_out());
    world.server.set(at, namespace(disabled.clone()));
    let pass = async |world: &World| {
        workload::rolling(Arc::new(rolling_out()), world.context.clone())
            .await
            .unwrap();
    };
    pass(&world).await;
    assert!(world.context.workloads.written_of("uid-own").is_empty());
    world.server.set(at, namespace(json!({})));
    pass(&world).await;
    let mut silence = opened(&world);
    // Much of the lease is over, so it would be extended.
    maintenance_by(&mut world, &json!({"lease": "10h", "maxDuration": "20h"}));
    silence
        .metadata
        .annotations
        .as_mut()
        .unwrap()
        .remove("alerting.letsrevel.io/maintenance-progress");
    world.context.workloads.written.lock().remove_all("uid-own");
    seen(&mut world, &silence);
    world.server.set(at, namespace(disabled));
    pass(&world).await;
    let written = world.context.workloads.written_of("uid-own");
    assert_eq!(written[0].window.outcome, Some(Outcome::Withdrawn));
}

#[tokio::test]
async fn an_edit_of_a_policy_of_another_namespace_sends_the_workloads_on_a_pass_that_name_it() {
    let mut world = World::connected().await;
    let mut naming = rolling_out();
    let policy = (
        "alerting.letsrevel.io/maintenance-policy".to_owned(),
        "platform/shared".to_owned(),
    );
    naming
        .metadata
        .annotations
        .get_or_insert_default()
        .extend([policy]);
    seen(&mut world, &naming);
    world.asked();
    for (name, expected) in [("other", false), ("shared", true)] {
        let object = json!({
            "apiVersion": "alerting.letsrevel.io/v1alpha1", "kind": "MaintenancePolicy",
            "metadata": {"name": name, "namespace": "platform", "uid": format!("uid-{name}"), "generation": 1},
            "spec": {"targets": [{"kind": "Deployment"}]},
        });
        seen::<MaintenancePolicy>(&mut world, &serde_json::from_value(object).unwrap());
        let asked = world.asked();
        assert_eq!(
            asked.contains(&"Deployment revel/own".to_owned()),
            expected,
            "{name}: {asked:?}"
        );
    }
    let pass = workload::rolling(Arc::new(naming), world.context.clone());
    pass.await.unwrap();
    assert_eq!(
        opened(&world).metadata.namespace.as_deref(),
        Some("revel"),
        "its own rules are silenced"
    );
}

/// Begins to watch Rollouts of Argo Rollouts; it ends with the watch.
fn watching(world: &World) -> tokio::task::JoinHandle<BoxStream<'static, watcher::Result<Rollout>>> {
    let context = world.context.clone();
    let writer = store().1;
    tokio::spawn(async move { argo::watch(&context, &context.client, &[], writer).await })
}

/// What was read that is Argo's.
fn looks(world: &World) -> Vec<String> {
    let reads = world.server.reads().into_iter();
    reads.filter(|path| path.contains("argoproj.io")).collect()
}

#[tokio::test]
async fn rollouts_that_are_not_installed_cost_one_look_at_the_start_until_a_policy_names_them() {
    let mut world = World::connected().await;
    let watch = watching(&world);
    until("it looks once", || {
        looks(&world) == ["/apis/argoproj.io/v1alpha1"]
    })
    .await;
    // Other kinds are no reason to look again.
    maintenance(&mut world);
    for _ in 0..1000 {
        tokio::task::yield_now().await;
    }
    assert!(
        !watch.is_finished() && looks(&world).len() == 1,
        "{:?}",
        looks(&world)
    );

    let policy = json!({
        "apiVersion": "alerting.letsrevel.io/v1alpha1", "kind": "MaintenancePolicy", "spec": {"targets": [{"kind": "Rollout"}]},
        "metadata": {"name": "argo", "namespace": "revel", "uid": "uid-argo", "generation": 1},
    });
    let policy: MaintenancePolicy = serde_json::from_value(policy).unwrap();
    seen(&mut world, &policy);
    let rollouts = watch.await.unwrap();
    tokio::spawn(rollouts.for_each(|_| async {}));
    until("it looks again", || looks(&world).len() > 1).await;
    let is_missing = || !world.context.unwatched.sees("Rollout", "revel");
    until("that they are missing is known", is_missing).await;
    let said = argo::missing(&policy, &world.context).unwrap_or_default();
    assert!(
        said.starts_with("spec.targets[0].kind is Rollout, but rollouts.argoproj.io isn't installed"),
        "{said}"
    );
}

#[tokio::test]
async fn rollouts_that_are_installed_are_watched_without_a_policy() {
    let world = World::connected().await;
    let kind = json!({"name": "rollouts", "singularName": "rollout", "namespaced": true, "kind": "Rollout", "verbs": ["list", "watch"]});
    let served = json!({"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": "argoproj.io/v1alpha1", "resources": [kind]});
    world.server.set("/apis/argoproj.io/v1alpha1", served);
    let watch = watching(&world);
    until("it is watched", || watch.is_finished()).await;
}

#[tokio::test]
async fn a_rollout_that_is_scaled_while_the_operator_starts_anew_keeps_its_silence_as_it_is() {
    let stateful_set = |generation: i64, replicas: i32| -> StatefulSet {
        serde_json::from_value(json!({
            "metadata": {"name": "own", "namespace": "revel", "uid": "uid-own", "generation": generation},
            "spec": {"replicas": replicas, "selector": {}, "serviceName": "own", "template": {"metadata": {"name": "hash"}}},
            "status": {
                "observedGeneration": generation, "replicas": 3, "currentReplicas": 2, "updatedReplicas": 1, "availableReplicas": 2,
                "currentRevision": "own-1", "updateRevision": "own-2",
            },
        }))
        .unwrap()
    };
    let policy: MaintenancePolicy = serde_json::from_value(json!({
        "apiVersion": "alerting.letsrevel.io/v1alpha1", "kind": "MaintenancePolicy", "spec": {"targets": [{"kind": "StatefulSet"}]},
        "metadata": {"name": "own", "namespace": "revel", "uid": "uid-own", "generation": 1},
    }))
    .unwrap();
    let mut world = World::connected().await;
    seen(&mut world, &policy);
    let pass = workload::rolling(Arc::new(stateful_set(7, 3)), world.context.clone());
    pass.await.unwrap();
    let mut silence = opened(&world);
    // More than half of its lease has passed, and progress would extend it.
    let soon = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(60);
    silence.spec.ends_at = Some(Time(soon));
    let mut world = world.restarted().await;
    seen(&mut world, &policy);
    seen(&mut world, &silence);
    let writes = world.server.writes().len();
    let pass = workload::rolling(Arc::new(stateful_set(8, 5)), world.context.clone());
    pass.await.unwrap();
    assert_eq!(
        world.server.writes()[writes..],
        [""; 0],
        "the silence is this very rollout's, and it is no further"
    );
}
