//! `alertwright suspend` and `alertwright resume`.

use std::time::Instant;

use kube::api::DynamicObject;
use serde_json::json;

use super::super::common::connect::wait;
use super::super::common::exit::{self, Exit};
use super::super::common::print::{harmless, note, print};
use super::objects::{Found, Kind, Which, exit as ended, ready};
use crate::api::condition::Reason;
use crate::api::duration::Duration;

/// Leave Grafana as it is, whatever changes in these resources, until they are resumed.
#[derive(clap::Args, Debug)]
#[command(after_help = format!("Examples:\n  alertwright suspend AlertRule/high-error-rate\n  alertwright suspend -n revel AlertRule -l team=payments --dry-run\n  alertwright suspend -n revel --all --wait\n\n{}", exit::HELP_IN_PART))]
pub(in super::super) struct Suspend {
    #[command(flatten)]
    change: Change,
}

/// Bring Grafana again to what these resources ask for, after `suspend`.
#[derive(clap::Args, Debug)]
#[command(after_help = format!("Examples:\n  alertwright resume AlertRule/high-error-rate --wait\n  alertwright resume -n revel AlertRule -l team=payments\n  alertwright resume -n revel --all --dry-run\n\n{}", exit::HELP_IN_PART))]
pub(in super::super) struct Resume {
    #[command(flatten)]
    change: Change,
}

#[derive(clap::Args, Debug)]
struct Change {
    #[command(flatten)]
    which: Which,
    /// Say what would be done, as the API server would take it.
    #[arg(long)]
    dry_run: bool,
    /// Wait until the operator says that it is so.
    #[arg(long, conflicts_with = "dry_run")]
    wait: bool,
    /// How long to wait.
    #[arg(long, default_value = "1m", value_name = "DURATION")]
    timeout: Duration,
}

impl Suspend {
    pub(in super::super) fn execute(self) -> Result<Exit, String> {
        self.change.execute(true)
    }
}

impl Resume {
    pub(in super::super) fn execute(self) -> Result<Exit, String> {
        self.change.execute(false)
    }
}

fn can(kind: &Kind) -> bool {
    kind.specifies("suspend")
}

impl Change {
    fn execute(&self, suspends: bool) -> Result<Exit, String> {
        self.which
            .check(&can, if suspends { "suspended" } else { "resumed" });
        wait(self.run(suspends))
    }

    async fn run(&self, suspends: bool) -> Result<Exit, String> {
        let limit = self.timeout.checked().map_err(|error| error.to_string())?;
        let looked = self.which.find(&can).await?;
        let (mut failed, mut unwell) = (looked.failed, 0);
        let mut changed = Vec::new();
        for found in &looked.found {
            if found.is_suspended() == suspends {
                let already = if suspends {
                    "suspended already"
                } else {
                    "isn't suspended"
                };
                print(&format!("{} {already}\n", found.called))?;
                continue;
            }
            let suspend = suspends.then_some(true);
            match found
                .patch(&json!({"spec": {"suspend": suspend}}), self.dry_run)
                .await
            {
                Ok(_) if self.dry_run => {
                    let done = if suspends { "suspended" } else { "resumed" };
                    print(&format!("{} would be {done} (dry run)\n", found.called))?;
                }
                Ok(_) if !self.wait => {
                    print(&format!(
                        "{} {}\n",
                        found.called,
                        if suspends { "suspended" } else { "resumed" }
                    ))?;
                }
                Ok(object) => changed.push((found, object)),
                Err(why) => {
                    failed += 1;
                    note(&format!("{}: {why}", found.called));
                }
            }
        }
        let end = Instant::now() + limit;
        for (found, object) in changed {
            match self.settled(found, &object, suspends, end).await {
                Ok((line, is_well)) => {
                    unwell += usize::from(!is_well);
                    print(&format!("{} {line}\n", found.called))?;
                }
                Err(why) => {
                    failed += 1;
                    note(&format!("{}: {why}", found.called));
                }
            }
        }
        Ok(ended(looked.found.len() + looked.failed, failed, unwell))
    }

    /// What the operator says of it, once it does, and whether it is well.
    async fn settled(
        &self,
        found: &Found,
        changed: &DynamicObject,
        suspends: bool,
        end: Instant,
    ) -> Result<(String, bool), String> {
        let generation = changed.metadata.generation;
        let is_told = |object: &DynamicObject| {
            ready(object).is_some_and(|ready| ready.observed_generation >= generation)
        };
        let done = if suspends { "suspended" } else { "resumed" };
        let Some(seen) = found.until(is_told, end).await? else {
            return Err(format!(
                "{done}, and the operator has said nothing of it within {}",
                self.timeout
            ));
        };
        let Some(ready) = ready(&seen) else {
            return Ok((done.to_owned(), false));
        };
        Ok(match ready.reason.as_str() {
            reason if suspends && reason == Reason::Suspended.as_str() => (done.to_owned(), true),
            reason if ready.status == "True" => (format!("{done}: {reason}"), true),
            reason => (format!("{done}: {reason}: {}", harmless(&ready.message)), false),
        })
    }
}
