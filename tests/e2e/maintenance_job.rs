//! Jobs run by the real controllers, and the silences that they get.

use alertwright::api::{MaintenancePolicy, Silence};
use alertwright_testbed::wait::{self, Seen};
use alertwright_testbed::{any_release, apply, every_release};
use jiff::{SignedDuration, Timestamp};
use kube::ResourceExt;
use serde_json::{Value, json};

use crate::silences::{A_WHILE, becomes, id, state};
use crate::workloads::{asking, ended, held, job, let_go, silenced, silences_of, told, writers};
use crate::world::{self, SOON, World};

async fn create(w: &World, object: Value) {
    w.apply(&object.to_string()).await;
}

async fn delete(w: &World, name: &str) {
    let args = ["delete", "job", name, "-n", &w.ns, "--cascade=background"];
    w.plane.kubectl(args).await.ok();
}

/// Waits until the Silence itself is gone: nothing holds it.
async fn gone(w: &World, silence: &Silence) {
    let api = w.api::<Silence>().await;
    wait::until("the Silence is gone", SOON, async || {
        api.get_opt(&silence.name_any())
            .await
            .is_ok_and(|found| found.is_none())
    })
    .await;
}

#[apply(every_release)]
async fn a_job_is_silenced_while_it_runs_and_for_its_linger() {
    let w = world::start().await;
    create(&w, job("migrate", &asking("6s", "3s"), &held(&w))).await;
    let opened = silenced(&w, "migrate").await;
    // Being under way is all the progress that a Job shows: the lease is extended.
    let api = w.api::<Silence>().await;
    wait::until("the lease is extended", SOON, async || {
        let now = api.get(&opened.name_any()).await.ok()?;
        (now.spec.ends_at?.0 > opened.spec.ends_at.as_ref()?.0).then_some(())
    })
    .await;
    let_go(&w).await;
    let done = ended(&w, &opened.name_any(), "Succeeded").await;
    assert_eq!(id(&done), id(&opened));
    becomes(&w, &id(&opened), "expired").await;
    told(&w, "Job", "migrate", "SilenceOpened").await;
    told(&w, "Job", "migrate", "SilenceLingers").await;
    let writers = writers(&w, "job", "migrate").await;
    assert!(
        !writers.split(' ').any(|manager| manager == "alertwright"),
        "{writers}"
    );
}

#[apply(any_release)]
async fn a_failed_job_is_heard_at_once() {
    let w = world::start().await;
    let mut spec = held(&w);
    spec["activeDeadlineSeconds"] = json!(5);
    create(&w, job("migrate", &asking("60s", "30s"), &spec)).await;
    let opened = silenced(&w, "migrate").await;
    let failed = ended(&w, &opened.name_any(), "Failed").await;
    becomes(&w, &id(&opened), "expired").await;
    let lasted = failed
        .spec
        .ends_at
        .expect("an end")
        .0
        .duration_since(opened.spec.starts_at.expect("a start").0);
    assert!(lasted.as_secs() < 50, "neither lease nor linger: {lasted}");
    told(&w, "Job", "migrate", "SilenceExpired").await;
}

#[apply(any_release)]
async fn a_job_that_is_deleted_right_after_its_success_keeps_its_linger_in_grafana() {
    let w = world::start().await;
    create(&w, job("hook", &asking("60s", "15s"), &held(&w))).await;
    let opened = silenced(&w, "hook").await;
    let_go(&w).await;
    let args = [
        "wait",
        "--for=condition=complete",
        "job/hook",
        "-n",
        &w.ns,
        "--timeout=60s",
    ];
    w.plane.kubectl(args).await.ok();
    let completed = Timestamp::now();
    delete(&w, "hook").await;
    gone(&w, &opened).await;
    let all = w.grafana.silences().await;
    let left = all
        .iter()
        .find(|s| s["id"] == id(&opened).as_str())
        .expect("the silence");
    let ends: Timestamp = left["endsAt"]
        .as_str()
        .and_then(|t| t.parse().ok())
        .expect("an end");
    let linger = ends.duration_since(completed);
    assert!(
        linger > SignedDuration::from_secs(5) && linger <= SignedDuration::from_secs(16),
        "completion + linger: {linger}"
    );
    becomes(&w, &id(&opened), "expired").await;
}

#[apply(any_release)]
async fn a_job_that_is_deleted_while_it_runs_is_heard_at_once() {
    let w = world::start().await;
    create(&w, job("migrate", &asking("600s", "300s"), &held(&w))).await;
    let opened = silenced(&w, "migrate").await;
    delete(&w, "migrate").await;
    becomes(&w, &id(&opened), "expired").await;
    gone(&w, &opened).await;
}

#[apply(any_release)]
async fn a_suspended_job_gets_no_silence_until_it_is_resumed() {
    let w = world::start().await;
    let mut spec = held(&w);
    spec["suspend"] = json!(true);
    create(&w, job("migrate", &asking("60s", "2s"), &spec)).await;
    wait::never("a silence while suspended", A_WHILE, async || {
        !silences_of(&w, "migrate").await.is_empty()
    })
    .await;
    let args = [
        "patch",
        "job",
        "migrate",
        "-n",
        &w.ns,
        "-p",
        r#"{"spec":{"suspend":false}}"#,
    ];
    w.plane.kubectl(args).await.ok();
    let opened = silenced(&w, "migrate").await;
    // Suspended again, nothing is under way: it ends with the linger.
    let args = [
        "patch",
        "job",
        "migrate",
        "-n",
        &w.ns,
        "-p",
        r#"{"spec":{"suspend":true}}"#,
    ];
    w.plane.kubectl(args).await.ok();
    becomes(&w, &id(&opened), "expired").await;
}

#[apply(any_release)]
async fn a_job_of_a_cron_job_is_selected_by_a_policys_labels() {
    let w = world::start().await;
    let target = json!({"kind": "Job", "selector": {"matchLabels": {"app": "nightly"}}});
    w.put(
        "MaintenancePolicy",
        "jobs",
        json!({"targets": [target], "silence": {"lease": "30s", "linger": "2s"}}),
    )
    .await;
    let template = job("nightly", &json!({}), &held(&w));
    let cron = json!({
        "apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "nightly"},
        "spec": {"schedule": "0 3 * * *", "jobTemplate": {"metadata": {"labels": {"app": "nightly"}}, "spec": template["spec"]}},
    });
    create(&w, cron).await;
    let args = ["create", "job", "run-1", "--from=cronjob/nightly", "-n", &w.ns];
    w.plane.kubectl(args).await.ok();
    create(&w, job("other", &json!({}), &held(&w))).await;
    let opened = silenced(&w, "run-1").await;
    assert_eq!(silences_of(&w, "other").await.len(), 0);
    let_go(&w).await;
    ended(&w, &opened.name_any(), "Succeeded").await;
    becomes(&w, &id(&opened), "expired").await;
    assert_eq!(state(&w, &id(&opened)).await.as_deref(), Some("expired"));
}

#[apply(any_release)]
async fn a_cron_job_that_would_be_silenced_for_ever_is_named_in_its_policy_and_its_runs_count_as_one() {
    let w = world::start().await;
    let spec = json!({"targets": [{"kind": "Job"}], "silence": {"lease": "30s", "linger": "10m"}});
    w.put("MaintenancePolicy", "jobs", spec).await;
    let template = job("sync", &json!({}), &json!({}));
    let cron = json!({
        "apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "sync"},
        "spec": {"schedule": "0 3 * * *", "jobTemplate": {"spec": template["spec"]}},
    });
    create(&w, cron).await;
    for run in ["run-1", "run-2", "run-3"] {
        w.plane
            .kubectl(["create", "job", run, "--from=cronjob/sync", "-n", &w.ns])
            .await
            .ok();
        let wait_for = [
            "wait",
            "--for=condition=Complete",
            &format!("job/{run}"),
            "-n",
            &w.ns,
            "--timeout=60s",
        ];
        w.plane.kubectl(wait_for).await.ok();
    }
    let api = w.api::<MaintenancePolicy>().await;
    wait::until("the policy names the CronJob", SOON, async || {
        let policy = api.get("jobs").await.ok();
        let status = policy.and_then(|policy| policy.status).unwrap_or_default();
        let is_named = status.conditions.iter().any(|condition| {
            condition
                .message
                .contains("CronJob sync are silenced for all of the time")
        });
        if is_named && status.workloads == Some(1) {
            Seen::Yes(())
        } else {
            wait::not_yet(status)
        }
    })
    .await;
    told(&w, "MaintenancePolicy", "jobs", "Synced").await;
}
