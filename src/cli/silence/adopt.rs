//! `alertwright adopt`.

use kube::api::{DynamicObject, ListParams, Patch, PatchParams};
use kube::{Api, ResourceExt};
use serde_json::json;

use super::super::common::connect::{Cluster, Connected, Scope, ToGrafana, Watched, wait};
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
#[command(after_help = format!("Examples:\n  alertwright adopt ContactPoint/default-email --dry-run\n  alertwright adopt -n revel ContactPoint/default-email NotificationPolicy/revel -o json\n  alertwright adopt -n taken-over --all --dry-run\n  alertwright adopt -n shop AlertRule -l app=checkout\n  GRAFANA_URL=https://grafana.example.com alertwright adopt TimeInterval/weekends --grafana-token-file token\n\n{}", exit::HELP_IN_PART))]
pub(in super::super) struct Adopt {
    /// Which ones: a kind and a name. With --all or -l a kind alone, or none for all kinds.
    #[arg(value_name = "KIND[/NAME]", value_parser = asked::named, add = names::of_any_kind())]
    which: Vec<(String, Option<String>)>,
    /// All of the namespace that say `NotOwned`, or that the operator hasn't looked at yet.
    #[arg(long, conflicts_with = "selector")]
    all: bool,
    /// Those of them with these labels of their own (metadata.labels), as kubectl takes them: app=checkout,tier!=low.
    #[arg(short = 'l', long, value_name = "SELECTOR")]
    selector: Option<String>,
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
        if let Some(mistake) = mistake(&self.which, self.takes_all()) {
            wrong(&mistake);
        }
        wait(self.run())
    }

    const fn takes_all(&self) -> bool {
        self.all || self.selector.is_some()
    }

    /// Those that are named, or that are chosen and have something to take over as far as the operator has said.
    async fn chosen(&self, connected: &Connected) -> Result<Vec<(String, Option<String>)>, String> {
        if !self.takes_all() {
            return Ok(self.which.clone());
        }
        let parameters = ListParams {
            label_selector: self.selector.clone(),
            ..ListParams::default()
        };
        let is_meant = |kind: &&str| self.which.is_empty() || self.which.iter().any(|(own, _)| own == kind);
        let (mut chosen, mut count) = (Vec::new(), 0);
        for kind in asked::kinds().filter(is_meant) {
            let resource = objects::named(kind)?.kind.resource;
            let api: Api<DynamicObject> =
                Api::namespaced_with(connected.client.clone(), &connected.namespace, &resource);
            let all = api.list(&parameters).await;
            let all = all.map_err(|error| format!("cannot list every {kind}: {}", chain(&error)))?;
            count += all.items.len();
            let there = all.items.iter().filter(|object| is_anothers(object));
            chosen.extend(there.map(|object| (kind.to_owned(), Some(object.name_any()))));
        }
        let labels = self.selector.as_ref();
        let labels = labels.map_or_else(String::new, |labels| format!(" with the labels {labels}"));
        let place = format!("{labels} in namespace {}", connected.namespace);
        match (count, chosen.len()) {
            (0, _) => Err(format!("there is no such resource{place}")),
            (_, 0) => {
                if !self.quiet {
                    note(&format!(
                        "no resource{place} says NotOwned: there is nothing to take over"
                    ));
                }
                Ok(chosen)
            }
            _ => Ok(chosen),
        }
    }

    async fn run(&self) -> Result<Exit, String> {
        let scope = Scope::of(&self.watched);
        let connected = self.cluster.connect(&scope).await?;
        let which = self.chosen(&connected).await?;
        if which.is_empty() {
            return Report::new("AdoptReport", &self.telling, self.dry_run).end();
        }
        let mut found = Box::pin(adoption(&which, &self.cluster, &scope, &self.grafana)).await?;
        if !self.quiet {
            found.notes.iter().for_each(|text| note(text));
        }
        let mut report = Report::new("AdoptReport", &self.telling, self.dry_run);
        report.first(&found.text, "differences", std::mem::take(&mut found.rows))?;
        for (kind, name) in &which {
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
            let nothing = || {
                found
                    .is_new(kind.kind(), name)
                    .then_some("isn't in Grafana: there is nothing to take over")
            };
            if let Some(said) = there.as_ref().and_then(needless).or_else(nothing) {
                report.done(&of, "unchanged", said)?;
                continue;
            }
            let asked = there
                .as_ref()
                .and_then(|object| object.annotations().get(ANNOTATION_ADOPT));
            let asks = asked::adopting(kind.kind(), asked.map(String::as_str));
            let parameters = PatchParams {
                dry_run: self.dry_run,
                field_manager: Some(MANAGER.to_owned()),
                ..PatchParams::default()
            };
            let patch = json!({"metadata": {"annotations": {ANNOTATION_ADOPT: asks}}});
            match api.patch(name, &parameters, &Patch::Merge(&patch)).await {
                Ok(_) if self.dry_run => report.done(&of, "adopted", "would be adopted (dry run)")?,
                Ok(_) => report.done(&of, "adopted", "adopted")?,
                Err(error) => report.failed(&of, &chain(&error)),
            }
        }
        report.end()
    }
}

/// What is wrong with what is named, if anything is.
fn mistake(which: &[(String, Option<String>)], takes_all: bool) -> Option<String> {
    if which.is_empty() && !takes_all {
        return Some(
            "nothing is named: give a kind and a name, such as ContactPoint/default-email, or --all or -l"
                .to_owned(),
        );
    }
    which.iter().find_map(|(kind, name)| match name {
        None if !takes_all => Some(format!(
            "which {kind}? Give its name as {kind}/NAME, or --all or -l"
        )),
        Some(name) if takes_all => Some(format!(
            "{kind}/{name} is named, and --all or -l means others too: give one of both"
        )),
        _ => None,
    })
}

/// Whether the operator says that somebody else has made what it is of, or has said nothing of it as it is written.
fn is_anothers(object: &DynamicObject) -> bool {
    objects::ready(object).is_none_or(|ready| {
        ready.observed_generation != object.metadata.generation || ready.reason == Reason::NotOwned.as_str()
    })
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

    fn told(reason: &str, observed: i64) -> DynamicObject {
        let object = json!({
            "apiVersion": "alerting.letsrevel.io/v1alpha1", "kind": "Silence", "metadata": {"name": "s", "generation": 2},
            "status": {"conditions": [{
                "type": "Ready", "status": "True", "reason": reason, "message": "", "observedGeneration": observed,
                "lastTransitionTime": "2026-11-24T21:00:00Z",
            }]},
        });
        serde_json::from_value(object).unwrap()
    }

    #[test]
    fn of_all_are_taken_those_that_somebody_else_has_made_or_nobody_has_looked_at() {
        for (object, is) in [
            (told("NotOwned", 2), true),
            (told("Synced", 1), true),
            (told("Synced", 2), false),
            (told("Invalid", 2), false),
            (told("Suspended", 2), false),
        ] {
            assert_eq!(is_anothers(&object), is, "{object:?}");
        }
        let unseen = json!({"apiVersion": "v1", "kind": "Silence", "metadata": {"name": "s"}});
        assert!(is_anothers(&serde_json::from_value(unseen).unwrap()));
    }

    #[test]
    fn something_is_named_or_all_are_meant() {
        let kind = |name: Option<&str>| vec![("AlertRule".to_owned(), name.map(str::to_owned))];
        for (which, takes_all, is_right) in [
            (vec![], false, false),
            (vec![], true, true),
            (kind(None), false, false),
            (kind(None), true, true),
            (kind(Some("a")), false, true),
            (kind(Some("a")), true, false),
        ] {
            assert_eq!(
                mistake(&which, takes_all).is_none(),
                is_right,
                "{which:?} {takes_all}"
            );
        }
    }

    #[test]
    fn what_is_in_sync_or_over_has_nothing_to_take_over() {
        let of = |reason: &str, observed: i64| needless(&told(reason, observed));
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
