//! Rollouts and Jobs silence what they trip, for as long as they should.

use std::time::Instant;

use serde_json::Value;
use tokio::time::sleep;

use super::{
    Told,
    alerts::{arrivals, state, told_exactly},
    install::{WEB, WORKER},
};
use crate::{
    failure::{Result, ensure, until},
    grafana::text,
    inbox::Channel,
    logs,
    stage::Stage,
    workload::{Deployment, condition, migration as migration_job},
};

/// A Silence that the operator made for a workload.
struct Opened {
    name: String,
    /// Grafana's id of it.
    id: String,
}

/// A rollout that succeeds: silent from its start until its linger time has passed.
pub(super) async fn rollout(stage: &mut Stage) -> Told {
    let (title, resource) = ("GDPRExportFailures", "gdpr-export-failures");
    let deployment = Deployment { version: "2", ..WEB };
    stage.kubectl.apply(&deployment.object(stage)).await?;
    let began = Instant::now();
    stage
        .report
        .say("Deployment web (part-of: revel) gets a new pod template: its rollout starts");
    let silence = opened(stage, "deployment-web-", began).await?;
    stage.push(logs::EXPORT).await?;
    suppressed(stage, title, resource, &silence).await?;
    let namespace = &stage.namespace;
    let status = format!("rollout status deployment/web -n {namespace} --timeout=120s");
    stage.kubectl.run(&status).await?;
    stage
        .report
        .say("the rollout is complete; its Silence lingers for the 5s of the overlay");
    let lingers = stage.grafana.silence_state(&silence.id).await;
    stage.report.say(format!(
        "Grafana says of it: {}",
        lingers.unwrap_or_else(|error| error)
    ));
    told_exactly(stage, title, &[])?;
    stage.report.say(format!("nobody was told of {title} until here"));
    ended(stage, &silence, "Succeeded").await?;
    stage.report.say("the Silence has ended, in Grafana too");
    stage
        .show(&format!("get silences {} -n {namespace}", silence.name))
        .await?;
    stage
        .report
        .say("the error is still within the rule's window of 30m, far longer than the demo's linger:");
    arrivals(stage, title, &[Channel::Email]).await?;
    Ok("silence active, nobody told; ended after lingering".to_owned())
}

/// A rollout that gets stuck: silent until Kubernetes calls it failed, and not a moment longer.
pub(super) async fn stuck(stage: &mut Stage) -> Told {
    let (title, resource) = ("DatabaseErrors", "database-errors");
    let deployment = Deployment {
        version: "2",
        is_stuck: true,
        ..WORKER
    };
    stage.kubectl.apply(&deployment.object(stage)).await?;
    let began = Instant::now();
    stage.report.say(format!(
        "Deployment worker (annotated with silence: {resource}) gets a template that no node can run"
    ));
    let silence = opened(stage, "deployment-worker-", began).await?;
    stage.push(logs::DATABASE).await?;
    suppressed(stage, title, resource, &silence).await?;
    told_exactly(stage, title, &[])?;
    stage.report.say(format!(
        "{title} is critical, and nobody was told of it: as asked for"
    ));
    until(
        "Kubernetes to call the rollout failed",
        stage.pace.soon,
        async || {
            let worker = stage
                .get("deployment", "worker")
                .await
                .map_err(|failure| failure.to_string())?;
            let conditions = worker
                .pointer("/status/conditions")
                .map(ToString::to_string)
                .unwrap_or_default();
            if conditions.contains("ProgressDeadlineExceeded") {
                Ok(())
            } else {
                Err(conditions)
            }
        },
    )
    .await?;
    stage.report.say(format!(
        "Kubernetes says ProgressDeadlineExceeded (progressDeadlineSeconds: {})",
        stage.pace.deadline
    ));
    let failed = Instant::now();
    ended(stage, &silence, "Failed").await?;
    let seconds = failed.elapsed().as_secs_f64();
    stage.report.say(format!(
        "the Silence was expired at once: seen {seconds:.1} s later, minutes before its lease ran out"
    ));
    stage
        .show(&format!("get silences {} -n {}", silence.name, stage.namespace))
        .await?;
    arrivals(stage, title, &[Channel::PagerDuty, Channel::Email]).await?;
    Ok("silence expired on ProgressDeadlineExceeded; PagerDuty + e-mail told".to_owned())
}

/// A migration Job: the same, for a Job.
pub(super) async fn migration(stage: &mut Stage) -> Told {
    stage.kubectl.apply(&migration_job(stage)).await?;
    let began = Instant::now();
    stage.report.say("Job migrate (revel.io/task: migrate) starts");
    let silence = opened(stage, "job-migrate-", began).await?;
    until("the Job to complete", stage.pace.soon, async || {
        let job = stage
            .get("job", "migrate")
            .await
            .map_err(|failure| failure.to_string())?;
        condition(&job, "Complete")
    })
    .await?;
    stage.report.say("the Job is complete");
    ended(stage, &silence, "Succeeded").await?;
    stage
        .report
        .say("its Silence lingered and has ended, in Grafana too");
    Ok("silence active from start to completion and linger".to_owned())
}

/// Waits until the operator's Silence for a workload is there, and active in Grafana.
async fn opened(stage: &Stage, prefix: &str, began: Instant) -> Result<Opened> {
    let expected = format!("Silence {prefix}* to be active in Grafana");
    let opened = until(&expected, stage.pace.soon, async || {
        let silence = find(stage, prefix).await.map_err(|failure| failure.to_string())?;
        let silence = silence.ok_or_else(|| "no such Silence".to_owned())?;
        let opened = Opened {
            name: text(&silence, "/metadata/name"),
            id: text(&silence, "/status/id"),
        };
        match stage.grafana.silence_state(&opened.id).await?.as_str() {
            "active" => Ok(opened),
            other => Err(format!("{} is {other:?} in Grafana", opened.name)),
        }
    })
    .await?;
    let seconds = began.elapsed().as_secs_f64();
    stage.report.say(format!(
        "its Silence is there and active in Grafana, seen {seconds:.1} s later"
    ));
    stage
        .show(&format!("get silences {} -n {}", opened.name, stage.namespace))
        .await?;
    Ok(opened)
}

/// The open Silence whose name begins so.
async fn find(stage: &Stage, prefix: &str) -> Result<Option<Value>> {
    let all = stage
        .kubectl
        .json(&format!("get silences -n {}", stage.namespace))
        .await?;
    let items = all
        .pointer("/items")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    Ok(items.into_iter().find(|silence| {
        text(silence, "/metadata/name").starts_with(prefix) && !text(silence, "/status/id").is_empty()
    }))
}

/// Waits until a rule's alert fires and Grafana names the Silence as what holds it back.
async fn suppressed(stage: &Stage, title: &str, resource: &str, silence: &Opened) -> Result<()> {
    let expected = format!("{title} to be held back by {}", silence.name);
    until(&expected, stage.pace.soon, async || {
        let alerts = stage.grafana.alerts(title, &stage.namespace).await?;
        let held = |alert: &crate::grafana::Alert| {
            alert.state == "suppressed" && alert.silenced_by.contains(&silence.id)
        };
        if !alerts.is_empty() && alerts.iter().all(held) {
            Ok(())
        } else {
            Err(format!("{alerts:?}"))
        }
    })
    .await?;
    stage.report.say(format!(
        "{title} fires; Grafana: suppressed, silencedBy this Silence"
    ));
    stage.report.show(&state(stage, resource, "Firing").await?);
    sleep(stage.pace.quiet).await;
    told_exactly(stage, title, &[])
}

/// Waits until a Silence has expired in Grafana, and checks why.
async fn ended(stage: &Stage, silence: &Opened, outcome: &str) -> Result<()> {
    let expected = format!("{} to have expired in Grafana", silence.name);
    until(&expected, stage.pace.soon, async || {
        match stage.grafana.silence_state(&silence.id).await?.as_str() {
            "expired" => Ok(()),
            other => Err(other.to_owned()),
        }
    })
    .await?;
    let resource = until("the Silence to say Expired", stage.pace.soon, async || {
        let resource = stage
            .get("silence", &silence.name)
            .await
            .map_err(|failure| failure.to_string())?;
        match text(&resource, "/status/state").as_str() {
            "Expired" => Ok(resource),
            other => Err(other.to_owned()),
        }
    })
    .await?;
    let annotation = "/metadata/annotations/alerting.letsrevel.io~1maintenance-outcome";
    let found = text(&resource, annotation);
    ensure(found == outcome, &format!("the outcome {outcome}"), || {
        found.clone()
    })
}
