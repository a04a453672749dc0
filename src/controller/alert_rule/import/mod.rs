//! PrometheusRuleImport: which AlertRules there should be, and writing them. It writes nothing else, and nothing into Grafana: that is up to
//! the AlertRules.

pub mod news;
mod write;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use kube::ResourceExt;

use crate::api::condition::Reason;
use crate::api::prometheus_rule_import::{PrometheusRuleImportStatus, SourceKind};
use crate::api::{AlertRule, PrometheusRuleImport};
use crate::cluster::prometheus::RuleSource;
use crate::controller::connection::{self, Facts, Instance};
use crate::controller::context::Context;
use crate::controller::engine::by::{By, Indexed};
use crate::controller::engine::failure::{Failure, Retry};
use crate::controller::engine::managed::Managed;
use crate::controller::engine::store::Store;
use crate::controller::pass::{Reconcile, Report};
use crate::domain::import::selection::{Namespaces, Selection};
use crate::domain::import::source::Source;
use crate::domain::import::{self, Grafana, MOST_RULES, Wish};
use crate::domain::refusal::{Refusal, counted};
use crate::domain::rule;
use crate::grafana::mirror::Part;
use crate::grafana::wire::DataSource;

/// How soon an import goes on that had too much to write for one pass.
const ON: Duration = Duration::from_millis(1);

impl Reconcile for PrometheusRuleImport {
    async fn conclude(&self, _: &Context) -> Result<Option<Report<PrometheusRuleImportStatus>>, Failure> {
        Ok(self.is_suspended().then(|| Report {
            reason: Reason::Suspended,
            ..Report::synced(
                self.status.clone().unwrap_or_default(),
                "spec.suspend is set: the AlertRules are left as they are",
            )
        }))
    }

    async fn mistake(&self, _: &Context) -> Option<Failure> {
        Selection::of(self).err().map(Failure::from)
    }

    async fn reconcile(&self, context: &Context) -> Result<Report<PrometheusRuleImportStatus>, Failure> {
        let instances = self.usable(context)?;
        let selection = Selection::of(self)?;
        let strict = instances.iter().find(|one| !one.is_unrestricted(self.ns()));
        if let Some(strict) = strict.filter(|_| !selection.stays_at_home(self.ns())) {
            return Err(Refusal::invalid(
                "spec.namespaces",
                format!(
                    "GrafanaInstance {} doesn't let namespace {} read others; its administrator can add it to spec.unrestrictedNamespaces.names",
                    strict.name,
                    self.ns()
                ),
            )
            .into());
        }
        if !selection
            .kinds
            .iter()
            .all(|kind| context.sources.is_listed(*kind))
        {
            return Err(Failure::not_yet());
        }
        let (prometheus, vm) = (
            read(&context.stores.prometheus_rules, &selection),
            read(&context.stores.vm_rules, &selection),
        );
        let sources = prometheus
            .iter()
            .map(|object| source(&**object))
            .chain(vm.iter().map(|object| source(&**object)))
            .filter(|source| selection.kinds.contains(&source.kind))
            .collect();
        // What is carried over must be right in each of them.
        let facts = instances.iter().map(|instance| facts(instance));
        let facts: Vec<Facts> = facts.collect::<Result<_, _>>()?;
        let oldest = facts.iter().map(|facts| facts.version).min();
        let intervals = facts.iter().map(|facts| rule::base_interval(facts.min_interval));
        let prefixes = instances
            .iter()
            .filter_map(|one| one.spec.folder_prefix.as_deref());
        // One that isn't there is the AlertRules' to tell of.
        let asked = instances.iter().zip(&facts).filter_map(|(instance, facts)| {
            let default = instance.spec.default_datasource.as_ref();
            connection::source(facts, self.spec.datasource.as_ref(), default)
                .ok()
                .cloned()
        });
        let asked: Vec<DataSource> = asked.collect();
        let titles = self.titles(context);
        let grafana = Grafana {
            version: oldest.ok_or_else(Failure::not_yet)?,
            base_interval: intervals.reduce(import::common_interval).unwrap_or_default(),
            owner: &context.owner,
            folder_prefix: prefixes.max_by_key(|prefix| prefix.len()).unwrap_or_default(),
            titles: &titles,
            sources: &asked,
        };
        let mut wish = import::wish(self, sources, &grafana);
        if let Some(mistake) = wish.languages.mistake(self, &asked) {
            return Err(mistake.into());
        }
        let seen = Seen { context, selection };
        let is_done = write::all(self, context, &mut wish, &|rule| seen.is_known_to_be_gone(rule)).await?;
        if !is_done {
            return Err(Failure {
                retry: Retry::After(ON),
                ..Failure::not_yet()
            });
        }
        Ok(self.report(&seen, wish))
    }

    fn may_be_stored(&self, _: &Context) -> bool {
        false
    }

    async fn clean_up(&self, _: &Context) -> Result<(), Failure> {
        Ok(())
    }
}

impl PrometheusRuleImport {
    /// The Grafanas that the rules are for. One that isn't there, or that this namespace may not use, is the AlertRules' to tell of, as long as
    /// there is another one. Of each other all must be known: what is carried over depends on it, and isn't to change with who answers first.
    fn usable(&self, context: &Context) -> Result<Vec<Arc<Instance>>, Failure> {
        let mut usable = Vec::new();
        let mut refused = None;
        for name in self.wanted() {
            match context.instance(&self.only_in(name, None)) {
                Ok(instance) => usable.push(instance),
                Err(failure) if is_the_rules(&failure) => drop(refused.get_or_insert(failure)),
                Err(failure) => return Err(failure),
            }
        }
        match refused {
            Some(failure) if usable.is_empty() => Err(failure),
            _ => Ok(usable),
        }
    }

    /// The titles of the AlertRules that it has, by their names.
    fn titles(&self, context: &Context) -> BTreeMap<String, String> {
        let own = context
            .stores
            .rules
            .whole(&By::Owner(self.uid().unwrap_or_default()));
        let titles = own
            .iter()
            .filter_map(|rule| Some((rule.name_any(), rule.spec.title.clone()?)));
        titles.collect()
    }

    fn report(&self, seen: &Seen<'_>, wish: Wish) -> Report<PrometheusRuleImportStatus> {
        let number = |count| i64::try_from(count).ok();
        let status = PrometheusRuleImportStatus {
            sources: number(wish.sources),
            rules: number(wish.rules.len()),
            skipped: number(wish.skipped.count + wish.beyond),
            skipped_rules: wish.skipped.first,
            different: number(wish.different.count),
            differences: wish.different.first,
            ..PrometheusRuleImportStatus::default()
        };
        let message = format!(
            "{} from {}; kubectl get alertrules tells whether Grafana has {}",
            counted(wish.rules.len(), "AlertRule"),
            counted(wish.sources, "object"),
            if wish.rules.len() == 1 { "it" } else { "them" }
        );
        let mut report = Report::synced(status, message);
        report.warnings.extend(seen.selection.nothing(wish.sources, self));
        if let Some(missing) = seen.missing(self) {
            report.reason = Reason::DependencyMissing;
            report.message = missing;
        }
        if wish.beyond > 0 {
            report.reason = Reason::Invalid;
            report.message = format!(
                "{} beyond the {MOST_RULES} that one import may have, without an AlertRule: narrow spec.selector, and give the rest to another import",
                counted(wish.beyond, "rule")
            );
        }
        report
    }
}

/// Whether a GrafanaInstance isn't there, or not for this namespace.
fn is_the_rules(failure: &Failure) -> bool {
    matches!(failure.reason, Some(Reason::DependencyMissing | Reason::Invalid))
}

/// What the AlertRules are for. It is known for as long as the connection lasts, whether Grafana answers or not.
fn facts(instance: &Instance) -> Result<Facts, Failure> {
    instance
        .facts()
        .map_err(|unknown| instance.check(&[Part::Settings]).err().unwrap_or(unknown))
}

/// The objects of a kind that are selected.
fn read<K: RuleSource + Indexed>(store: &Store<K>, selection: &Selection) -> Vec<Arc<K>> {
    let all = match &selection.namespaces {
        Namespaces::All => store.all(),
        Namespaces::Named(names) => names
            .iter()
            .flat_map(|name| store.by(&By::Namespace(name.clone())))
            .collect(),
    };
    let selected = all.into_iter().filter(|object| selection.takes(object.labels()));
    selected.collect()
}

fn source<K: RuleSource>(object: &K) -> Source<'_> {
    let meta = object.meta();
    Source {
        kind: K::KIND,
        namespace: meta.namespace.as_deref().unwrap_or_default(),
        name: meta.name.as_deref().unwrap_or_default(),
        spec: object.spec(),
    }
}

/// What can be seen of the objects of others.
struct Seen<'a> {
    context: &'a Context,
    selection: Selection,
}

impl Seen<'_> {
    /// Whether an AlertRule that isn't asked for any more may go: what isn't seen may be there.
    fn is_known_to_be_gone(&self, rule: &AlertRule) -> bool {
        let sees = |kind: SourceKind, namespace: &str| {
            // What isn't selected any more is gone, whether it is there or not.
            !self.selection.kinds.contains(&kind) || self.context.unwatched.sees(kind.as_str(), namespace)
        };
        match import::stored::origin(rule) {
            Some((kind, namespace)) => sees(kind, namespace) || !self.selection.reads(namespace),
            None => SourceKind::ALL
                .into_iter()
                .all(|kind| self.context.unwatched.sees_all(kind.as_str())),
        }
    }

    /// Which kinds can't be read where they should be, if that matters: of kinds that nobody has named one suffices.
    fn missing(&self, import: &PrometheusRuleImport) -> Option<String> {
        let kinds = &self.selection.kinds;
        let unseen = |kind: SourceKind| {
            let unwatched = &self.context.unwatched;
            let is_seen = match &self.selection.namespaces {
                Namespaces::All => unwatched.sees_all(kind.as_str()),
                Namespaces::Named(names) => names.iter().all(|name| unwatched.sees(kind.as_str(), name)),
            };
            !is_seen
        };
        let unseen: Vec<&str> = kinds
            .iter()
            .filter(|kind| unseen(**kind))
            .map(|kind| kind.as_str())
            .collect();
        if unseen.is_empty() || import.spec.kinds.is_none() && unseen.len() < kinds.len() {
            return None;
        }
        let not = if unseen.len() == 1 {
            "it isn't"
        } else {
            "they aren't"
        };
        Some(format!(
            "{} can't be read here: {not} installed, or the operator doesn't watch one of the namespaces or lacks the right to; the AlertRules that there are from {} stay",
            unseen.join(" and "),
            if unseen.len() == 1 { "it" } else { "them" }
        ))
    }
}
