//! What passes over workloads write and remember, and what is said of it.

use super::*;
use crate::controller::maintenance::jobs;

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
        let done = done();
        seen(&mut world, &done);
        if is_there {
            world.server.set(at, serde_json::to_value(&done).unwrap());
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
fn done() -> Job {
    let now = jiff::Timestamp::now();
    let mut done = serde_json::to_value(running()).unwrap();
    done["status"]["completionTime"] = json!(now);
    done["status"]["conditions"] = json!([{"type": "Complete", "status": "True", "reason": "CompletionsReached", "lastTransitionTime": now}]);
    serde_json::from_value(done).unwrap()
}
