//! What a Grafana of some version doesn't have.

use super::super::finding::{Finding, UNSUPPORTED};
use super::super::object::{Object, Typed};
use super::super::options::Options;
use super::super::path::Path;
use crate::api::NotificationPolicySpec;
use crate::domain::notification::named::inhibition;
use crate::domain::notification::{contact_point, policy, settings};
use crate::domain::refusal::Refusal;
use crate::domain::rule::{self, folder};
use crate::domain::version::Version;
use crate::grafana::wire::Toggles;

pub(super) fn check(at: usize, object: &Object, typed: &Typed, options: &Options) -> Option<Finding> {
    let version = options.version_of(object)?;
    // A feature toggle may bring some of it earlier; who has set one can say so by switching the rule off.
    let toggles = Toggles::default();
    let refusal = match typed {
        Typed::AlertRule(rule) => rule::refuse_what_is_too_new(&rule.spec, version, toggles)
            .and_then(|()| settings::refuse_what_is_too_new(&rule.spec, version, toggles))
            .and_then(|()| nested(rule.spec.folder.as_deref(), version)),
        Typed::ContactPoint(point) => contact_point::refuse_what_is_too_new(&point.spec, version),
        Typed::NotificationPolicy(policy) => another_tree(&policy.spec, version, toggles)
            .and_then(|()| policy::refuse_what_is_too_new(&policy.spec, version)),
        // Where it can be had, it is shown.
        Typed::InhibitionRule(_) => {
            inhibition::refuse_what_is_too_new(version >= Version::INHIBITION_RULES, version)
        }
        _ => Ok(()),
    };
    let refusal = refusal.err()?;
    let (path, message) = parts(&refusal);
    Some(Finding::new(&UNSUPPORTED, at, path, message))
}

fn another_tree(spec: &NotificationPolicySpec, version: Version, toggles: Toggles) -> Result<(), Refusal> {
    match &spec.tree {
        Some(_) => policy::refuse_another_tree(version, toggles),
        None => Ok(()),
    }
}

fn nested(folder: Option<&str>, version: Version) -> Result<(), Refusal> {
    match folder.map(folder::titles) {
        Some(Ok(titles)) => folder::refuse_what_is_too_new(&titles, version, false),
        // What else is wrong with it is said elsewhere.
        _ => Ok(()),
    }
}

/// The field that such a refusal begins with, and all of its words.
fn parts(refusal: &Refusal) -> (Path, String) {
    let message = refusal.message.clone();
    let field = message.split([' ']).next().unwrap_or_default();
    let path = Path::parse(field.trim_end_matches(':'));
    let is_path = field.starts_with("spec");
    (if is_path { path } else { Path::parse("spec") }, message)
}
