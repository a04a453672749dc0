//! `alertwright suspend` and `alertwright resume`.

use std::time::Instant;

use kube::api::DynamicObject;
use serde_json::json;

use super::super::common::connect::wait;
use super::super::common::exit::{self, Exit};
use super::super::common::print::harmless;
use super::change::Change;
use super::objects::{Found, Kind, ready};
use super::told::Report;
use crate::api::condition::Reason;

/// Leave Grafana as it is, whatever changes in these resources, until they are resumed.
#[derive(clap::Args, Debug)]
#[command(after_help = format!("Examples:\n  alertwright suspend AlertRule/high-error-rate\n  alertwright suspend -n shop AlertRule -l app=checkout --dry-run\n  alertwright suspend -n revel --all --wait -o json\n\n{}", exit::HELP_IN_PART))]
pub(in super::super) struct Suspend {
    #[command(flatten)]
    change: Change,
}

/// Bring Grafana again to what these resources ask for, after `suspend`.
#[derive(clap::Args, Debug)]
#[command(after_help = format!("Examples:\n  alertwright resume AlertRule/high-error-rate --wait\n  alertwright resume -n shop AlertRule -l app=checkout\n  alertwright resume -n revel --all --dry-run\n\n{}", exit::HELP_IN_PART))]
pub(in super::super) struct Resume {
    #[command(flatten)]
    change: Change,
}

impl Suspend {
    pub(in super::super) fn execute(self) -> Result<Exit, String> {
        execute(&self.change, true)
    }
}

impl Resume {
    pub(in super::super) fn execute(self) -> Result<Exit, String> {
        execute(&self.change, false)
    }
}

fn can(kind: &Kind) -> bool {
    kind.specifies("suspend")
}

fn execute(change: &Change, suspends: bool) -> Result<Exit, String> {
    let verb = if suspends { "suspended" } else { "resumed" };
    change.which.check(&can, verb);
    wait(run(change, suspends))
}

async fn run(change: &Change, suspends: bool) -> Result<Exit, String> {
    let limit = change.timeout.checked().map_err(|error| error.to_string())?;
    let (kind, done, already) = if suspends {
        ("SuspendReport", "suspended", "suspended already")
    } else {
        ("ResumeReport", "resumed", "isn't suspended")
    };
    let mut report = Report::new(kind, &change.telling, change.dry_run);
    let looked = change.which.find(&can, &mut report).await?;
    let mut changed = Vec::new();
    for found in &looked {
        let of = &found.of;
        if found.is_suspended() == suspends {
            report.done(of, "unchanged", already)?;
            continue;
        }
        let patch = json!({"spec": {"suspend": suspends.then_some(true)}});
        match found.patch(&patch, change.dry_run).await {
            Ok(_) if change.dry_run => report.done(of, done, &format!("would be {done} (dry run)"))?,
            Ok(_) if !change.wait => report.done(of, done, done)?,
            Ok(object) => changed.push((found, object)),
            Err(why) => report.failed(of, &why),
        }
    }
    let end = Instant::now() + limit;
    for (found, object) in changed {
        match settled(found, &object, done, end).await {
            Ok(Some((line, true))) => report.done(&found.of, done, &line)?,
            Ok(Some((line, false))) => report.unwell(&found.of, done, &line)?,
            // It is written, and what comes of it isn't known.
            Ok(None) => report.open(
                &found.of,
                done,
                &format!(
                    "{done}, and the operator has said nothing of it within {}",
                    change.timeout
                ),
            )?,
            Err(why) => report.failed(&found.of, &why),
        }
    }
    report.end()
}

/// What the operator says of it, once it does, and whether it is well; nothing where it doesn't in time.
async fn settled(
    found: &Found,
    changed: &DynamicObject,
    done: &str,
    end: Instant,
) -> Result<Option<(String, bool)>, String> {
    let generation = changed.metadata.generation;
    let is_told =
        |object: &DynamicObject| ready(object).is_some_and(|ready| ready.observed_generation >= generation);
    let Some(seen) = found.until(is_told, end).await? else {
        return Ok(None);
    };
    let Some(ready) = ready(&seen) else {
        return Ok(Some((done.to_owned(), false)));
    };
    let is_suspended = changed.data.pointer("/spec/suspend") == Some(&json!(true));
    Ok(Some(match ready.reason.as_str() {
        reason if is_suspended && reason == Reason::Suspended.as_str() => (done.to_owned(), true),
        reason if ready.status == "True" => (format!("{done}: {reason}"), true),
        reason => (format!("{done}: {reason}: {}", harmless(&ready.message)), false),
    }))
}
