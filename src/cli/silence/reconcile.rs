//! `alertwright reconcile`.

use std::time::Instant;

use jiff::Timestamp;
use kube::api::DynamicObject;
use serde_json::{Value, json};

use super::super::common::connect::wait;
use super::super::common::exit::{self, Exit};
use super::super::common::print::harmless;
use super::change::Change;
use super::objects::{Found, Kind, ready};
use super::told::Report;
use crate::api::ANNOTATION_RECONCILE;

/// What the status says was handled last.
const HANDLED: &str = "lastHandledReconcileAt";

/// Ask the operator for a pass over these resources now, which reads Grafana anew, instead of at its next look.
#[derive(clap::Args, Debug)]
#[command(after_help = format!("Examples:\n  alertwright reconcile AlertRule/high-error-rate --wait\n  alertwright reconcile -n revel ContactPoint --all\n  alertwright reconcile -n shop -l app=checkout --dry-run\n\n{}", exit::HELP_IN_PART))]
pub(in super::super) struct Reconcile {
    #[command(flatten)]
    change: Change,
}

fn can(kind: &Kind) -> bool {
    kind.says(HANDLED)
}

impl Reconcile {
    pub(in super::super) fn execute(self) -> Result<Exit, String> {
        self.change.which.check(
            &can,
            "reconciled on request: the operator reads what it is about with every resyncInterval",
        );
        wait(self.run())
    }

    async fn run(&self) -> Result<Exit, String> {
        let change = &self.change;
        let limit = change.timeout.checked().map_err(|error| error.to_string())?;
        let mut report = Report::new("ReconcileReport", &change.telling, change.dry_run);
        let looked = change.which.find(&can, &mut report).await?;
        let at = Timestamp::now().to_string();
        let patch = json!({"metadata": {"annotations": {ANNOTATION_RECONCILE: at}}});
        let mut asked = Vec::new();
        for found in &looked {
            let done = if found.is_suspended() {
                Err("it is suspended: resume it first".to_owned())
            } else {
                found.patch(&patch, change.dry_run).await
            };
            match done {
                Ok(_) if change.dry_run => {
                    report.done(&found.of, "requested", "would be reconciled (dry run)")?;
                }
                Ok(_) if !change.wait => report.done(&found.of, "requested", "asked for")?,
                Ok(_) => asked.push(found),
                Err(why) => report.failed(&found.of, &why),
            }
        }
        let end = Instant::now() + limit;
        for found in asked {
            match self.handled(found, &at, end).await {
                Ok((line, true)) => report.done(&found.of, "reconciled", &line)?,
                Ok((line, false)) => report.unwell(&found.of, "reconciled", &line)?,
                Err(why) => report.failed(&found.of, &why),
            }
        }
        report.end()
    }

    /// What came of the request, and whether the resource is well.
    async fn handled(&self, found: &Found, at: &str, end: Instant) -> Result<(String, bool), String> {
        let is_handled = |object: &DynamicObject| {
            let handled = object.data.pointer(&format!("/status/{HANDLED}"));
            handled.and_then(Value::as_str) == Some(at)
        };
        let Some(seen) = found.until(is_handled, end).await? else {
            let last = found
                .api
                .get(found.object.metadata.name.as_deref().unwrap_or_default())
                .await;
            let why = last
                .ok()
                .and_then(|object| ready(&object))
                .filter(|ready| ready.status != "True");
            // A Grafana that is away is told by its GrafanaInstance alone.
            let why = why.map_or_else(
                || {
                    "; see with alertwright doctor whether the operator runs, and whether it reaches Grafana"
                        .to_owned()
                },
                |ready| format!("; it is {}: {}", ready.reason, harmless(&ready.message)),
            );
            return Err(format!(
                "asked for, and not done within {}{why}",
                self.change.timeout
            ));
        };
        let Some(ready) = ready(&seen) else {
            return Ok(("reconciled".to_owned(), true));
        };
        if ready.status == "True" {
            return Ok((format!("reconciled: {}", ready.reason), true));
        }
        Ok((
            format!("reconciled: {}: {}", ready.reason, harmless(&ready.message)),
            false,
        ))
    }
}
