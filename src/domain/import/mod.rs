//! PrometheusRuleImport: rules written for Prometheus → the AlertRules that there should be, and what is lost on the way.

mod carry;
mod language;
pub mod name;
pub mod remark;
pub mod selection;
pub mod source;
pub mod stored;
mod titles;
mod words;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use kube::ResourceExt;

use crate::api::{AlertRule, PrometheusRuleImport};
use crate::domain::ownership::Owner;
use crate::domain::version::Version;
use crate::grafana::wire::DataSource;
use carry::Carried;
use language::Languages;
use name::Names;
use remark::{About, Remarks};
use source::{Group, Source};

/// How many AlertRules one import may have. Grafana evaluates each of them by itself, and whoever needs more can split the selection.
pub const MOST_RULES: usize = 5000;

/// What the AlertRules depend on beside the import and its sources.
#[derive(Debug, Clone, Copy)]
pub struct Grafana<'a> {
    /// Its version.
    pub version: Version,
    /// What intervals are multiples of.
    pub base_interval: Duration,
    /// Whose rules they will be.
    pub owner: &'a Owner,
    /// What the instance writes in front of folder titles.
    pub folder_prefix: &'a str,
    /// The titles of the AlertRules that the import has by now, by their names.
    pub titles: &'a BTreeMap<String, String>,
    /// What the rules are asked of, as far as it is known.
    pub sources: &'a [DataSource],
}

/// What an import asks for.
#[derive(Debug, Default)]
pub struct Wish {
    /// The AlertRules that there should be, complete.
    pub rules: Vec<AlertRule>,
    /// What is otherwise than in Prometheus with each of them, its group's with the rule's own.
    pub losses: Vec<Vec<String>>,
    /// What each of them has as it is written, and Grafana shows otherwise.
    pub remarks: Vec<Vec<String>>,
    /// How many objects they are from.
    pub sources: usize,
    /// Rules without an AlertRule.
    pub skipped: Remarks,
    /// What is otherwise than in Prometheus.
    pub different: Remarks,
    /// How many rules there are beyond [`MOST_RULES`], whatever they are.
    pub beyond: usize,
    /// Whether the data sources are the right ones.
    pub languages: Languages,
}

/// The shortest interval that is a multiple of both.
pub fn common_interval(a: Duration, b: Duration) -> Duration {
    let (mut divisor, mut rest) = (a.as_secs(), b.as_secs());
    while rest > 0 {
        (divisor, rest) = (rest, divisor % rest);
    }
    let times = b.as_secs().checked_div(divisor).unwrap_or(1);
    Duration::from_secs(a.as_secs().saturating_mul(times))
}

/// Works out the AlertRules of an import from the objects that it selects, in whatever order these come.
pub fn wish(import: &PrometheusRuleImport, sources: Vec<Source<'_>>, grafana: &Grafana<'_>) -> Wish {
    fill(Wish::default(), import, sources, grafana)
}

/// The same with all remarks, word for word, where no status has to hold them.
#[cfg(feature = "cli")]
pub fn in_full(import: &PrometheusRuleImport, sources: Vec<Source<'_>>, grafana: &Grafana<'_>) -> Wish {
    let wish = Wish {
        skipped: Remarks::in_full(),
        ..Wish::default()
    };
    fill(wish, import, sources, grafana)
}

fn fill(
    mut wish: Wish,
    import: &PrometheusRuleImport,
    mut sources: Vec<Source<'_>>,
    grafana: &Grafana<'_>,
) -> Wish {
    sources.sort_by(|a, b| (a.namespace, a.name, a.kind).cmp(&(b.namespace, b.name, b.kind)));
    // The PrometheusRule is first of the two.
    sources.dedup_by(|copy, original| (copy.namespace, copy.name) == (original.namespace, original.name));
    wish.sources = sources.len();
    let mut names = Names::new(&import.name_any());
    for source in &sources {
        if wish.rules.len() == MOST_RULES {
            // What nobody will have isn't read either.
            wish.beyond += source.size();
            continue;
        }
        let groups = source.groups(&mut wish.skipped);
        for group in &groups {
            group_of(import, source, group, grafana, &mut names, &mut wish);
        }
    }
    if grafana.version < Version::SAME_TITLES {
        titles::tell_apart(
            &mut wish.rules,
            &mut wish.different,
            grafana.titles,
            grafana.version,
        );
    }
    wish
}

fn group_of(
    import: &PrometheusRuleImport,
    source: &Source<'_>,
    group: &Group,
    grafana: &Grafana<'_>,
    names: &mut Names,
    wish: &mut Wish,
) {
    let about = About {
        source: source.path(),
        group: &group.name,
    };
    let excluded: BTreeSet<&str> = import.spec.exclude_alerts.iter().map(String::as_str).collect();
    let (interval, of_group) = match carry::group(group, grafana.base_interval) {
        Ok((interval, losses)) => {
            for loss in &losses {
                wish.different.of_group(&about, loss);
            }
            (interval, losses)
        }
        Err(problem) => {
            for rule in &group.rules {
                wish.skipped.of_rule(&about, rule.name(), &problem);
            }
            return;
        }
    };
    let place = carry::group_name(import.spec.namespaces.is_some(), source, &group.name);
    let mut times: BTreeMap<&str, usize> = BTreeMap::new();
    for rule in &group.rules {
        *times.entry(rule.name()).or_default() += 1;
    }
    for rule in &group.rules {
        if wish.rules.len() == MOST_RULES {
            wish.beyond += 1;
            continue;
        }
        if excluded.contains(rule.name()) {
            continue;
        }
        let carried = carry::rule(import, group, rule, grafana.version);
        let Carried {
            mut spec,
            losses,
            remarks,
        } = match carried {
            Ok(carried) => carried,
            Err(problem) => {
                wish.skipped.of_rule(&about, rule.name(), &problem);
                continue;
            }
        };
        spec.interval.clone_from(&interval);
        spec.group = Some(place.clone());
        let name = names.of(
            source,
            group,
            rule,
            times.get(rule.name()).is_some_and(|times| *times > 1),
        );
        let namespace = import.namespace().unwrap_or_default();
        let id = (namespace.as_str(), name.as_str());
        if let Err(refusal) = crate::domain::rule::check(&spec, grafana.owner, id, grafana.folder_prefix) {
            wish.skipped
                .of_rule(&about, rule.name(), &words::of_source(&refusal.message));
            continue;
        }
        if let Some(problem) = wish.languages.hear(&spec, grafana.sources) {
            wish.skipped
                .of_rule(&about, rule.name(), &words::of_source(&problem));
            continue;
        }
        for loss in losses.iter().chain(&remarks) {
            wish.different.of_rule(&about, rule.name(), loss);
        }
        wish.losses.push([of_group.clone(), losses].concat());
        wish.remarks.push(remarks);
        wish.rules
            .push(stored::object(import, source, group, rule.name(), name, spec));
    }
}

#[cfg(test)]
mod tests;
