//! What a workload's annotations ask for, without a `MaintenancePolicy`.

pub mod template;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::window::{Lease, SHORTEST};
use crate::api::matcher::LONGEST;
use crate::api::silence::{MOST_MATCHERS, MOST_NAMES};

/// `namespace`, or names of `AlertRule` resources separated by commas: what is silenced while the workload rolls out or runs.
pub const ANNOTATION_SILENCE: &str = "alerting.letsrevel.io/silence";
/// Alertmanager matchers that narrow it, separated by commas or line breaks.
pub const ANNOTATION_MATCHERS: &str = "alerting.letsrevel.io/silence-matchers";
/// See [`Lease::lease`].
pub const ANNOTATION_LEASE: &str = "alerting.letsrevel.io/silence-lease";
/// See [`Lease::linger`].
pub const ANNOTATION_LINGER: &str = "alerting.letsrevel.io/silence-linger";
/// See [`Lease::max_duration`].
pub const ANNOTATION_MAX_DURATION: &str = "alerting.letsrevel.io/silence-max-duration";
/// `disabled`: no maintenance silences for this workload, whatever a policy says.
pub const ANNOTATION_MAINTENANCE: &str = "alerting.letsrevel.io/maintenance";

/// The namespace and name of a MaintenancePolicy that looks after this workload, instead of those of its own namespace.
pub const ANNOTATION_POLICY: &str = "alerting.letsrevel.io/maintenance-policy";

const EVERY_RULE: &str = "namespace";
const DISABLED: &str = "disabled";
const DETAILS: [&str; 4] = [
    ANNOTATION_MATCHERS,
    ANNOTATION_LEASE,
    ANNOTATION_LINGER,
    ANNOTATION_MAX_DURATION,
];

/// Which `AlertRule` resources of the workload's namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rules {
    /// Every one.
    All,
    /// These, at least one.
    Names(Vec<String>),
}

/// What is silenced, and for how long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SilenceWish {
    /// The rules that are covered.
    pub rules: Rules,
    /// Matchers as they were written; whether they parse is for Alertmanager's parser to say.
    pub matchers: Vec<String>,
    /// Where given, instead of [`Lease::lease`].
    pub lease: Option<Duration>,
    /// Where given, instead of [`Lease::linger`].
    pub linger: Option<Duration>,
    /// Where given, instead of [`Lease::max_duration`].
    pub max_duration: Option<Duration>,
}

impl SilenceWish {
    /// The lease with what the annotations leave open taken from `otherwise`.
    pub fn lease(&self, otherwise: Lease) -> Lease {
        Lease {
            lease: self.lease.unwrap_or(otherwise.lease),
            linger: self.linger.unwrap_or(otherwise.linger),
            max_duration: self.max_duration.unwrap_or(otherwise.max_duration),
            ..otherwise
        }
    }
}

/// What the annotations ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WorkloadWish {
    /// Nothing: policies decide.
    Unset,
    /// No silence.
    Disabled,
    /// This silence, instead of a policy's.
    Silence(SilenceWish),
    /// What this policy asks for, wherever it is.
    Policy(PolicyName),
}

/// A MaintenancePolicy of any namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyName {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

/// An annotation that can't be followed; names it and the cure.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidWish {
    /// Some other value of `maintenance`.
    #[error(
        "annotation {ANNOTATION_MAINTENANCE} is {0:?}: its only value is \"{DISABLED}\", leave it out otherwise"
    )]
    Maintenance(String),
    /// Details of a silence that isn't asked for.
    #[error(
        "annotation {0} has no effect without {ANNOTATION_SILENCE}: set that to \"{EVERY_RULE}\" or to names of AlertRules"
    )]
    Detached(&'static str),
    /// Two that say who decides.
    #[error(
        "annotations {ANNOTATION_POLICY} and {ANNOTATION_SILENCE} exclude each other: the first takes a policy's silence, the second describes one"
    )]
    Both,
    /// Not a namespace and a name.
    #[error(
        "annotation {ANNOTATION_POLICY} is {0:?}: write the namespace and the name of a MaintenancePolicy, for example platform/rollouts"
    )]
    NotAPolicy(String),
    /// `silence` names nothing.
    #[error(
        "annotation {ANNOTATION_SILENCE} is empty: set it to \"{EVERY_RULE}\" or to names of AlertRules separated by commas"
    )]
    NoRules,
    /// A name that no `AlertRule` can have.
    #[error(
        "annotation {ANNOTATION_SILENCE} has {0:?}, which is not a resource's name: give \"{EVERY_RULE}\" alone or names of AlertRules separated by commas"
    )]
    RuleName(String),
    /// A double quote without its end.
    #[error(
        "annotation {ANNOTATION_MATCHERS} has a quote that isn't closed: write matchers as severity!=\"critical\", separated by commas"
    )]
    OpenQuote,
    /// More than a Silence can hold.
    #[error("annotation {0} has {1}, and a silence holds {2}: {3}")]
    TooMuch(&'static str, String, usize, &'static str),
    /// A duration that isn't one.
    #[error(
        "annotation {0} is {1:?}, which is not a duration: write it as in Prometheus, for example 5m or 1h30m"
    )]
    NotADuration(&'static str, String),
    /// A duration of zero where that makes no sense.
    #[error(
        "annotation {0} is zero: give a longer duration, or {ANNOTATION_MAINTENANCE}: \"{DISABLED}\" for no silence"
    )]
    Zero(&'static str),
    /// A lease that nobody could extend in time.
    #[error(
        "annotation {ANNOTATION_LEASE} is {0:?}: give at least {least} s, since the lease is extended at half of it", least = SHORTEST.as_secs()
    )]
    TooShort(String),
}

/// Reads the annotations; `duration` reads Prometheus' syntax.
pub fn read(
    annotations: &BTreeMap<String, String>,
    duration: impl Fn(&str) -> Option<Duration>,
) -> Result<WorkloadWish, InvalidWish> {
    let get = |key: &str| annotations.get(key).map(|value| value.trim());
    match get(ANNOTATION_MAINTENANCE) {
        Some(DISABLED) => return Ok(WorkloadWish::Disabled),
        Some(other) => return Err(InvalidWish::Maintenance(other.to_owned())),
        None => {}
    }
    let policy = policy_name(annotations)?;
    if policy.is_some() && get(ANNOTATION_SILENCE).is_some() {
        return Err(InvalidWish::Both);
    }
    let Some(rules) = get(ANNOTATION_SILENCE) else {
        let unset = policy.map_or(WorkloadWish::Unset, WorkloadWish::Policy);
        let detached = DETAILS.into_iter().find(|key| annotations.contains_key(*key));
        return detached.map_or(Ok(unset), |key| Err(InvalidWish::Detached(key)));
    };
    let span = |key| {
        let read = |text: &str| duration(text).ok_or_else(|| InvalidWish::NotADuration(key, text.to_owned()));
        get(key).map(read).transpose()
    };
    let positive = |key| match span(key)? {
        Some(Duration::ZERO) => Err(InvalidWish::Zero(key)),
        other => Ok(other),
    };
    Ok(WorkloadWish::Silence(SilenceWish {
        rules: parse_rules(rules)?,
        matchers: get(ANNOTATION_MATCHERS).map_or(Ok(Vec::new()), split_matchers)?,
        lease: match positive(ANNOTATION_LEASE)? {
            Some(lease) if lease < SHORTEST => {
                let text = get(ANNOTATION_LEASE).unwrap_or_default();
                return Err(InvalidWish::TooShort(text.to_owned()));
            }
            lease => lease,
        },
        linger: span(ANNOTATION_LINGER)?,
        max_duration: positive(ANNOTATION_MAX_DURATION)?,
    }))
}

/// The policy that a workload names, if it does.
pub fn policy_name(annotations: &BTreeMap<String, String>) -> Result<Option<PolicyName>, InvalidWish> {
    let Some(text) = annotations.get(ANNOTATION_POLICY).map(|text| text.trim()) else {
        return Ok(None);
    };
    match text.split_once('/') {
        Some((namespace, name)) if is_resource_name(namespace) && is_resource_name(name) => {
            Ok(Some(PolicyName {
                namespace: namespace.to_owned(),
                name: name.to_owned(),
            }))
        }
        _ => Err(InvalidWish::NotAPolicy(text.to_owned())),
    }
}

/// Whether annotations of a namespace say that nothing in it is silenced for maintenance.
pub fn opts_out(annotations: &BTreeMap<String, String>) -> bool {
    annotations
        .get(ANNOTATION_MAINTENANCE)
        .is_some_and(|value| value.trim() == DISABLED)
}

fn parse_rules(text: &str) -> Result<Rules, InvalidWish> {
    if text == EVERY_RULE {
        return Ok(Rules::All);
    }
    // A Silence names each rule once.
    let mut seen = BTreeSet::new();
    let names: Vec<_> = text
        .split(',')
        .map(str::trim)
        .filter(|name| !name.is_empty() && seen.insert(*name))
        .map(str::to_owned)
        .collect();
    if names.is_empty() {
        return Err(InvalidWish::NoRules);
    }
    if names.len() > MOST_NAMES {
        let count = format!("{} names", names.len());
        let cure = "name fewer, or \"namespace\" for every rule";
        return Err(InvalidWish::TooMuch(ANNOTATION_SILENCE, count, MOST_NAMES, cure));
    }
    match names
        .iter()
        .find(|name| *name == EVERY_RULE || !is_resource_name(name))
    {
        Some(name) => Err(InvalidWish::RuleName(name.clone())),
        None => Ok(Rules::Names(names)),
    }
}

/// A DNS-1123 subdomain, as Kubernetes has it for names.
fn is_resource_name(name: &str) -> bool {
    let is_edge = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    name.len() <= 253
        && name.split('.').all(|part| {
            part.starts_with(is_edge)
                && part.ends_with(is_edge)
                && part.chars().all(|c| is_edge(c) || c == '-')
        })
}

/// Splits at commas and line breaks outside of double quotes; braces around the whole list are allowed, as Alertmanager does.
fn split_matchers(text: &str) -> Result<Vec<String>, InvalidWish> {
    let inner = text
        .strip_prefix('{')
        .and_then(|rest| rest.strip_suffix('}'))
        .unwrap_or(text);
    let mut matchers = vec![String::new()];
    let mut is_quoted = false;
    let mut is_escaped = false;
    for c in inner.chars() {
        if !is_quoted && matches!(c, ',' | '\n') {
            matchers.push(String::new());
            continue;
        }
        if c == '"' && !is_escaped {
            is_quoted = !is_quoted;
        }
        is_escaped = is_quoted && c == '\\' && !is_escaped;
        if let Some(last) = matchers.last_mut() {
            last.push(c);
        }
    }
    if is_quoted {
        return Err(InvalidWish::OpenQuote);
    }
    let matchers: Vec<String> = matchers
        .iter()
        .map(|matcher| matcher.trim())
        .filter(|matcher| !matcher.is_empty())
        .map(str::to_owned)
        .collect();
    if matchers.len() > MOST_MATCHERS {
        let count = format!("{} matchers", matchers.len());
        let cure = "write fewer; one regular expression can hold several values";
        return Err(InvalidWish::TooMuch(
            ANNOTATION_MATCHERS,
            count,
            MOST_MATCHERS,
            cure,
        ));
    }
    if let Some(long) = matchers.iter().map(|m| m.chars().count()).find(|n| *n > LONGEST) {
        let count = format!("a matcher of {long} characters");
        let cure = "write shorter ones";
        return Err(InvalidWish::TooMuch(ANNOTATION_MATCHERS, count, LONGEST, cure));
    }
    Ok(matchers)
}

#[cfg(test)]
mod tests;
