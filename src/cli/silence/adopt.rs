//! `alertwright adopt`.

use kube::Api;
use kube::api::{DynamicObject, Patch, PatchParams};
use serde_json::json;

use super::super::common::connect::{Cluster, Scope, ToGrafana, Watched, wait};
use super::super::common::exit::{self, Exit};
use super::super::common::names;
use super::super::common::print::{note, wrong};
use super::super::diff::{adoption, asked};
use super::make::MANAGER;
use super::objects;
use super::told::{Of, Report, Telling};
use crate::api::ANNOTATION_ADOPT;
use crate::api::condition::Reason;
use crate::cluster::answer::chain;

/// Take over what somebody else has made in Grafana under the names of these resources. Prints first what would change there, as diff does.
#[derive(clap::Args, Debug)]
#[command(after_help = format!("Examples:\n  alertwright adopt ContactPoint/default-email --dry-run\n  alertwright adopt -n revel ContactPoint/default-email NotificationPolicy/revel -o json\n  GRAFANA_URL=https://grafana.example.com alertwright adopt TimeInterval/weekends --grafana-token-file token\n\n{}", exit::HELP_IN_PART))]
pub(in super::super) struct Adopt {
    /// Which ones.
    #[arg(required = true, value_name = "KIND/NAME", value_parser = asked::named, add = names::of_any_kind())]
    which: Vec<(String, Option<String>)>,
    #[command(flatten)]
    cluster: Cluster,
    #[command(flatten)]
    watched: Watched,
    #[command(flatten)]
    grafana: ToGrafana,
    /// Say what would change, and write nothing.
    #[arg(long)]
    dry_run: bool,
    /// Nothing but the result: no notes.
    #[arg(short, long)]
    quiet: bool,
    #[command(flatten)]
    telling: Telling,
}

impl Adopt {
    pub(in super::super) fn execute(self) -> Result<Exit, String> {
        if let Some((kind, _)) = self.which.iter().find(|(_, name)| name.is_none()) {
            wrong(&format!("which {kind}? Give its name as {kind}/NAME"));
        }
        wait(self.run())
    }

    async fn run(&self) -> Result<Exit, String> {
        let scope = Scope::of(&self.watched);
        let mut found = Box::pin(adoption(&self.which, &self.cluster, &scope, &self.grafana)).await?;
        if !self.quiet {
            found.notes.iter().for_each(|text| note(text));
        }
        let mut report = Report::new("AdoptReport", &self.telling, self.dry_run);
        report.first(&found.text, "differences", std::mem::take(&mut found.rows))?;
        let connected = self.cluster.connect(&scope).await?;
        for (kind, name) in &self.which {
            let name = name.as_deref().unwrap_or_default();
            let of = Of {
                kind: kind.clone(),
                namespace: connected.namespace.clone(),
                name: name.to_owned(),
            };
            if !found.able.iter().any(|(own, able)| own == kind && able == name) {
                report.refused(&of, &refusal(found.why_not(kind, name)));
                continue;
            }
            let kind = objects::named(kind)?.kind;
            let api: Api<DynamicObject> =
                Api::namespaced_with(connected.client.clone(), &connected.namespace, &kind.resource);
            // Where it can't be read, the patch says why.
            let there = api.get(name).await.ok();
            if let Some(said) = there.as_ref().and_then(needless) {
                report.done(&of, "unchanged", said)?;
                continue;
            }
            let parameters = PatchParams {
                dry_run: self.dry_run,
                field_manager: Some(MANAGER.to_owned()),
                ..PatchParams::default()
            };
            let patch = json!({"metadata": {"annotations": {ANNOTATION_ADOPT: "true"}}});
            match api.patch(name, &parameters, &Patch::Merge(&patch)).await {
                Ok(_) if self.dry_run => report.done(&of, "adopted", "would be adopted (dry run)")?,
                Ok(_) => report.done(&of, "adopted", "adopted")?,
                Err(error) => report.failed(&of, &chain(&error)),
            }
        }
        report.end()
    }
}

/// What is said of a resource that has nothing to take over, as the operator has told of it as it is written.
fn needless(object: &DynamicObject) -> Option<&'static str> {
    let ready = objects::ready(object)?;
    if ready.observed_generation != object.metadata.generation {
        return None;
    }
    let is = |reason: Reason| ready.reason == reason.as_str();
    if is(Reason::Expired) {
        return Some("is over: there is nothing to take over");
    }
    (is(Reason::Synced) || is(Reason::Drifted)).then_some("is alertwright's own already")
}

/// What is said of a resource that couldn't take over. The document has nothing above it that says why.
fn refusal(why: Option<&str>) -> String {
    why.map_or_else(
        || "isn't adopted".to_owned(),
        |why| format!("isn't adopted: {why}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_in_sync_or_over_has_nothing_to_take_over() {
        let of = |reason: &str, observed: i64| {
            let object = json!({
                "apiVersion": "alerting.letsrevel.io/v1alpha1", "kind": "Silence", "metadata": {"name": "s", "generation": 2},
                "status": {"conditions": [{
                    "type": "Ready", "status": "True", "reason": reason, "message": "", "observedGeneration": observed,
                    "lastTransitionTime": "2026-11-24T21:00:00Z",
                }]},
            });
            needless(&serde_json::from_value(object).unwrap())
        };
        assert_eq!(of("Synced", 2), Some("is alertwright's own already"));
        assert_eq!(of("Drifted", 2), Some("is alertwright's own already"));
        assert!(of("Expired", 2).is_some_and(|said| said.starts_with("is over")));
        assert_eq!((of("NotOwned", 2), of("Synced", 1)), (None, None));
    }

    #[test]
    fn a_refusal_says_why_and_not_where_that_stands() {
        assert_eq!(refusal(Some("no key")), "isn't adopted: no key");
        assert_eq!(refusal(None), "isn't adopted");
    }
}
