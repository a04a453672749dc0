//! Silences that cover an alert.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use super::trees::{World, path};
use super::walk::Labels;
use crate::api::matcher::Matcher;
use crate::domain::lint::object::Typed;
use crate::domain::silence::{self, Selection, Surroundings};

/// What only alerts of a query that returns nothing or fails have.
const OF_STATES: [&str; 3] = ["rulename", "datasource_uid", "ref_id"];

/// A Silence that is active, ready to be compared with alerts.
#[derive(Debug)]
pub struct Quiet {
    matchers: Vec<Matcher>,
    says: Silenced,
}

impl Quiet {
    /// What it asks for.
    pub(super) fn matchers(&self) -> &[Matcher] {
        &self.matchers
    }
}

/// What is said of a Silence that covers an alert.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Silenced {
    /// The resource.
    pub by: String,
    /// When it ends.
    pub until: Timestamp,
    /// Why there is one.
    pub comment: String,
}

impl World<'_> {
    /// The Silences that are active at a time. One that was never in a cluster and names no start begins then.
    pub fn quiet(&self, at: Timestamp) -> Vec<Quiet> {
        let mut all = Vec::new();
        let mut rules: BTreeMap<&str, Vec<(&str, Labels)>> = BTreeMap::new();
        for (object, _) in self.here(|typed| match typed {
            Typed::AlertRule(rule) => Some(&**rule),
            _ => None,
        }) {
            let of_namespace = rules.entry(&object.namespace).or_default();
            of_namespace.push((&object.name, object.labels()));
        }
        for (object, found) in self.here(|typed| match typed {
            Typed::Silence(silence) => Some(&**silence),
            _ => None,
        }) {
            let namespace = object.namespace.as_str();
            let around = Surroundings {
                owners: &self.owners,
                namespace,
                name: &object.name,
                created: found
                    .metadata
                    .creation_timestamp
                    .as_ref()
                    .map_or(at, |time| time.0),
                unrestricted: self.is_unrestricted(namespace),
            };
            let candidates = rules.get(namespace).map_or(&[][..], Vec::as_slice).iter();
            let candidates = candidates.map(|(name, labels)| (*name, labels));
            let (selection, missing) = silence::select(found.spec.alert_rules.as_ref(), candidates);
            let selection = match selection {
                // A rule that isn't among the files may be the one that is asked for.
                Selection::Rules(names) => Selection::Rules(names.into_iter().chain(missing).collect()),
                other => other,
            };
            let Ok(Some(wish)) = silence::wish(&found.spec, &selection, &around) else {
                continue;
            };
            let matchers: Option<Vec<Matcher>> = wish.matchers.iter().map(silence::as_matcher).collect();
            if let Some(matchers) = matchers.filter(|_| (wish.starts_at..wish.ends_at).contains(&at)) {
                all.push(Quiet {
                    matchers,
                    says: Silenced {
                        by: format!("Silence {}", path(namespace, &object.name)),
                        until: wish.ends_at,
                        comment: wish.comment,
                    },
                });
            }
        }
        all
    }
}

/// The Silences that cover an alert, of those that are active.
pub fn covering(all: &[Quiet], labels: &Labels) -> Vec<Silenced> {
    let covers = |quiet: &&Quiet| {
        quiet
            .matchers
            .iter()
            .all(|matcher| matcher.matches(labels) == Some(true))
    };
    all.iter()
        .filter(covers)
        .map(|quiet| quiet.says.clone())
        .collect()
}

/// Silences that cover an alert only if it has labels which aren't known of it, each with what it asks of those.
pub fn perhaps_covering(all: &[Quiet], labels: &Labels) -> Vec<(Silenced, String)> {
    let may = |quiet: &Quiet| {
        let mut asked = Vec::new();
        for matcher in &quiet.matchers {
            if matcher.matches(labels) == Some(true) {
                continue;
            }
            let is_open =
                !labels.contains_key(&matcher.label) && !OF_STATES.contains(&matcher.label.as_str());
            if !is_open {
                return None;
            }
            asked.push(matcher.to_string());
        }
        (!asked.is_empty()).then(|| (quiet.says.clone(), asked.join(", ")))
    };
    all.iter().filter_map(may).collect()
}
