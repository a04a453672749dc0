//! What somebody who checks resources may say.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::finding::{Finding, Level, Rule};
use super::object::Object;
use crate::domain::version::Version;

/// What somebody who checks resources may say.
#[derive(Debug, Clone)]
pub struct Options {
    /// The Grafana that they are for; `None` for the newest.
    pub version: Option<Version>,
    /// The Grafana of each GrafanaInstance, as far as that is known, which counts where no other is named.
    pub versions: BTreeMap<String, Version>,
    /// The rules of less than errors that are asked for; `None` for all.
    pub asked: Option<BTreeSet<&'static str>>,
    /// The rules that are switched off.
    pub disabled: BTreeSet<&'static str>,
    /// What time it is.
    pub now: Timestamp,
    /// The names of the time zones that there are; `None` where that isn't known.
    pub zones: Option<BTreeSet<String>>,
}

impl Options {
    /// The oldest Grafana that a resource is for; `None` for the newest.
    pub fn version_of(&self, object: &Object) -> Option<Version> {
        let theirs = || {
            let instances = object.instances().into_iter();
            instances
                .filter_map(|instance| self.versions.get(instance).copied())
                .min()
        };
        self.version.or_else(theirs)
    }

    /// Whether a rule is looked for at all.
    pub fn wants(&self, rule: &Rule) -> bool {
        self.wants_of(rule, rule.level)
    }

    /// Whether what a rule finds of that level is looked for.
    fn wants_of(&self, rule: &Rule, level: Level) -> bool {
        let is_error = level == Level::Error || rule.level == Level::Error;
        let is_asked = is_error || self.asked.as_ref().is_none_or(|asked| asked.contains(rule.name));
        is_asked && !self.disabled.contains(rule.name)
    }

    /// Whether something that was found is to be told.
    pub(super) fn tells(&self, finding: &Finding, object: &Object) -> bool {
        let is_off = object
            .disabled()
            .any(|name| name == "all" || name == finding.rule.name);
        // Nobody can switch off that he has switched off what there isn't.
        self.wants_of(finding.rule, finding.level)
            && (!is_off || finding.rule == &super::finding::LINT_DISABLE)
    }
}
