//! InhibitionRules that hold an alert back while others fire.

use serde::Serialize;

use super::trees::{World, path};
use super::walk::Labels;
use crate::api::InhibitionRule;
use crate::api::matcher::{MatchOp, Matcher, MatcherText};
use crate::domain::lint::object::{Object, Typed};
use crate::domain::ownership::LABEL;
use crate::domain::version::Version;

/// An InhibitionRule, ready to be compared with alerts.
#[derive(Debug)]
pub struct Restraint {
    targets: Vec<Matcher>,
    sources: Vec<Matcher>,
    says: Inhibited,
}

/// What is said of an InhibitionRule that holds an alert back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Inhibited {
    /// The resource.
    pub by: String,
    /// What another alert that fires must match.
    pub source_matchers: Vec<String>,
    /// Labels whose values both must have in common.
    pub equal: Vec<String>,
}

impl World<'_> {
    /// The InhibitionRules of a Grafana that has any.
    pub fn restraints(&self) -> Vec<Restraint> {
        if self
            .version()
            .is_some_and(|version| version < Version::INHIBITION_RULES)
        {
            return Vec::new();
        }
        let all = self.here(|typed| match typed {
            Typed::InhibitionRule(rule) => Some(&**rule),
            _ => None,
        });
        let restraint = |(object, rule): (&Object, &InhibitionRule)| {
            let read = |texts: &[MatcherText]| -> Option<Vec<Matcher>> {
                texts.iter().map(|text| text.parse().ok()).collect()
            };
            let mut targets = read(&rule.spec.target_matchers)?;
            if let Some(pattern) = self.tenant(&object.namespace) {
                targets.push(Matcher::new(LABEL, MatchOp::Regex, pattern).ok()?);
            }
            let sources = read(&rule.spec.source_matchers)?;
            Some(Restraint {
                targets,
                says: Inhibited {
                    by: format!("InhibitionRule {}", path(&object.namespace, &object.name)),
                    source_matchers: sources.iter().map(ToString::to_string).collect(),
                    equal: rule.spec.equal.clone(),
                },
                sources,
            })
        };
        all.into_iter().filter_map(restraint).collect()
    }
}

/// Those that hold an alert back, whichever other alerts there are. A label that isn't there counts as one without a value, as in Alertmanager.
pub fn holding_back(all: &[Restraint], labels: &Labels) -> Vec<Inhibited> {
    let holds = |restraint: &&Restraint| {
        let targets = &restraint.targets;
        targets
            .iter()
            .all(|matcher| matcher.matches(labels) == Some(true))
    };
    all.iter()
        .filter(holds)
        .map(|restraint| restraint.says.clone())
        .collect()
}

impl Restraint {
    /// The resource.
    pub fn by(&self) -> &str {
        &self.says.by
    }

    /// Whether an alert that fires surely holds another one back, of whose labels there may be more than these: labels that a query adds may speak against it, so each that is asked
    /// for must be there.
    pub fn surely_holds(&self, target: &Labels, source: &Labels) -> bool {
        let all = |matchers: &[Matcher], labels: &Labels| {
            matchers
                .iter()
                .all(|matcher| labels.contains_key(&matcher.label) && matcher.matches(labels) == Some(true))
        };
        let not = |matchers: &[Matcher], labels: &Labels| {
            matchers
                .iter()
                .any(|matcher| labels.contains_key(&matcher.label) && matcher.matches(labels) == Some(false))
        };
        let is_equal = |label: &String| {
            target
                .get(label)
                .is_some_and(|value| source.get(label) == Some(value))
        };
        all(&self.targets, target)
            && all(&self.sources, source)
            && self.says.equal.iter().all(is_equal)
            // An alert on both sides is held back by those alone that are on one.
            && (not(&self.sources, target) || not(&self.targets, source))
    }
}

impl Inhibited {
    /// In words: while which other alerts fire.
    pub fn words(&self) -> String {
        let equal = if self.equal.is_empty() {
            String::new()
        } else {
            format!(" and the same {}", self.equal.join(", "))
        };
        format!(
            "held back by {} while another alert fires with {}{equal}",
            self.by,
            self.source_matchers.join(", ")
        )
    }
}
