//! Which maintenance silence a workload gets.

pub mod coverage;
pub mod generated;
pub mod held;
pub mod lease;
pub mod migration;
pub mod phase;
#[cfg(test)]
mod recorded;
pub mod rollout;
pub mod selected;
pub mod window;
pub mod words;
pub mod workload;

use std::time::Duration;

use kube::core::SelectorExt;

use crate::api::condition::Reason;
use crate::api::maintenance_policy::{MaintenancePolicySpec, MaintenanceTarget, WorkloadKind};
use crate::api::matcher::{Matcher, MatcherText};
use crate::api::silence::AlertRuleSelector;
use crate::api::{DEFAULT_INSTANCE, MaintenancePolicy, duration};
use crate::domain::refusal::Refusal;
use crate::domain::tenancy::selector;
use window::Lease;
use workload::template::{self, Subject};
use workload::{PolicyName, Rules, WorkloadWish};

/// The silence that a workload gets while it rolls out or runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Maintenance {
    /// The GrafanaInstances that hold it, as [`places`] has them.
    pub instances: Vec<String>,
    /// Which rules it covers.
    pub alert_rules: AlertRuleSelector,
    /// What narrows it.
    pub matchers: Vec<MatcherText>,
    /// How long it lasts.
    pub lease: Lease,
    /// Who asks for it, as messages name it.
    pub source: String,
}

/// The GrafanaInstances of a silence in one order, whoever has named them how; none where it is the default alone.
pub fn places(one: Option<&str>, several: Option<&[String]>) -> Vec<String> {
    let mut named = match several {
        Some(several) if !several.is_empty() => several.to_vec(),
        _ => one.map(str::to_owned).into_iter().collect(),
    };
    named.sort();
    named.dedup();
    if named == [DEFAULT_INSTANCE] {
        named.clear();
    }
    named
}

/// What is asked for a workload. Annotations come before policies, and of several policies that select it the oldest decides, a
/// suspended one only where there is no other. `policies`: those of its namespace; `named`: the one that its annotation names.
pub fn wanted(
    subject: &Subject<'_>,
    policies: &[&MaintenancePolicy],
    named: Option<&MaintenancePolicy>,
) -> Result<Option<Maintenance>, Refusal> {
    asked(subject, policies, named)?
        .map(|maintenance| filled(maintenance, subject))
        .transpose()
}

fn filled(maintenance: Maintenance, subject: &Subject<'_>) -> Result<Maintenance, Refusal> {
    let matchers = maintenance
        .matchers
        .iter()
        .map(|text| template::fill(text, subject))
        .collect::<Result<_, _>>()
        .map_err(|problem| Refusal::invalid(&maintenance.source, problem))?;
    Ok(Maintenance {
        matchers,
        ..maintenance
    })
}

fn asked(
    subject: &Subject<'_>,
    policies: &[&MaintenancePolicy],
    elsewhere: Option<&MaintenancePolicy>,
) -> Result<Option<Maintenance>, Refusal> {
    let parse = |text: &str| {
        duration::Duration::parse(text)
            .ok()
            .and_then(|d| d.checked().ok())
    };
    let wish = match workload::read(subject.annotations, parse) {
        Err(error) => return Err(Refusal::invalid("annotations", error)),
        Ok(WorkloadWish::Disabled) => return Ok(None),
        Ok(WorkloadWish::Unset) => None,
        Ok(WorkloadWish::Policy(name)) => return of_named(&name, elsewhere, subject).map(Some),
        Ok(WorkloadWish::Silence(wish)) => Some(wish),
    };
    let Some(wish) = wish else {
        return Ok(of_policies(subject, policies));
    };
    let matchers = wish
        .matchers
        .iter()
        .map(|text| Matcher::parse(text).map(|matcher| MatcherText::from(&matcher)))
        .collect::<Result<Vec<_>, _>>()
        .map_err(|e| Refusal::invalid(workload::ANNOTATION_MATCHERS, e))?;
    let alert_rules = match &wish.rules {
        Rules::All => AlertRuleSelector {
            all: Some(true),
            ..AlertRuleSelector::default()
        },
        Rules::Names(names) => AlertRuleSelector {
            names: names.clone(),
            ..AlertRuleSelector::default()
        },
    };
    Ok(Some(Maintenance {
        instances: Vec::new(),
        alert_rules,
        matchers,
        lease: wish.lease(Lease::default()),
        source: format!("annotation {}", workload::ANNOTATION_SILENCE),
    }))
}

/// What the policy asks for that a workload names.
fn of_named(
    name: &PolicyName,
    policy: Option<&MaintenancePolicy>,
    subject: &Subject<'_>,
) -> Result<Maintenance, Refusal> {
    let PolicyName { namespace, name } = name;
    let refused = |problem: String| {
        Refusal::invalid(
            workload::ANNOTATION_POLICY,
            format!("MaintenancePolicy {namespace}/{name} {problem}"),
        )
    };
    let policy = policy.ok_or_else(|| refused("is not there, or its namespace isn't watched".to_owned()))?;
    if !selects(&policy.spec, subject) {
        return Err(refused(format!("has no target that selects {subject}")));
    }
    let maintenance = of_policy(policy).map_err(|refusal| refused(format!("is {}", refusal.message)))?;
    Ok(Maintenance {
        source: format!("MaintenancePolicy {namespace}/{name}"),
        ..maintenance
    })
}

fn of_policies(subject: &Subject<'_>, policies: &[&MaintenancePolicy]) -> Option<Maintenance> {
    let age = |policy: &&&MaintenancePolicy| {
        (
            policy.metadata.creation_timestamp.as_ref().map(|t| t.0),
            policy.metadata.name.clone(),
        )
    };
    policies
        .iter()
        .filter(|policy| selects(&policy.spec, subject))
        .filter_map(|policy| Some((policy, of_policy(policy).ok()?)))
        .min_by_key(|(policy, maintenance)| (maintenance.lease.is_suspended, age(policy)))
        .map(|(_, maintenance)| maintenance)
}

/// Whether a policy looks after a workload.
pub fn selects(spec: &MaintenancePolicySpec, subject: &Subject<'_>) -> bool {
    let is_of_kind = |target: &&MaintenanceTarget| {
        target.kind == subject.kind || target.kind == WorkloadKind::CronJob && subject.cron_job.is_some()
    };
    spec.targets
        .iter()
        .filter(is_of_kind)
        .any(|target| match selector::of(target.selector.as_ref()) {
            Ok(selector) => selector.matches(subject.labels),
            Err(_) => false,
        })
}

/// Whether a policy has a target of this kind.
pub fn names(spec: &MaintenancePolicySpec, kind: WorkloadKind) -> bool {
    spec.targets.iter().any(|target| target.kind == kind)
}

/// What a policy asks for, or what is wrong with it.
pub fn of_policy(policy: &MaintenancePolicy) -> Result<Maintenance, Refusal> {
    for (i, target) in policy.spec.targets.iter().enumerate() {
        selector::of(target.selector.as_ref())
            .map_err(|mistake| Refusal::new(Reason::Invalid, format!("spec.targets[{i}].{mistake}")))?;
    }
    let silence = policy.spec.silence.clone().unwrap_or_default();
    for (i, text) in silence.matchers.iter().enumerate() {
        template::check(text).map_err(|e| Refusal::invalid(&format!("spec.silence.matchers[{i}]"), e))?;
    }
    let default = Lease::default();
    let period = |text: Option<&duration::Duration>, field: &str, default: Duration| match text {
        None => Ok(default),
        Some(text) => text.checked().map_err(|e| Refusal::invalid(field, e)),
    };
    let lease = Lease {
        lease: period(silence.lease.as_ref(), "spec.silence.lease", default.lease)?,
        linger: period(silence.linger.as_ref(), "spec.silence.linger", default.linger)?,
        max_duration: period(
            silence.max_duration.as_ref(),
            "spec.silence.maxDuration",
            default.max_duration,
        )?,
        is_suspended: policy.spec.suspend.unwrap_or(false),
        lingers_after_failure: silence.linger_after_failure.unwrap_or(false),
    };
    if lease.lease < window::SHORTEST {
        let shortest = duration::Duration::from(window::SHORTEST);
        let problem =
            format!("must be at least {shortest}: it is extended at half of that, which takes a moment");
        return Err(Refusal::invalid("spec.silence.lease", problem));
    }
    if lease.max_duration.is_zero() {
        return Err(Refusal::invalid(
            "spec.silence.maxDuration",
            "must be greater than 0",
        ));
    }
    Ok(Maintenance {
        instances: places(policy.spec.instance.as_deref(), policy.spec.instances.as_deref()),
        alert_rules: silence.alert_rules.unwrap_or(AlertRuleSelector {
            all: Some(true),
            ..AlertRuleSelector::default()
        }),
        matchers: silence.matchers,
        lease,
        source: format!(
            "MaintenancePolicy {}",
            policy.metadata.name.as_deref().unwrap_or_default()
        ),
    })
}

/// What a person should know of a lease though nothing is wrong with it.
pub fn warnings(lease: &Lease) -> Vec<String> {
    [("lease", lease.lease), ("linger", lease.linger)]
        .into_iter()
        .filter(|(_, length)| *length > lease.max_duration)
        .map(|(field, length)| {
            let (length, most) = (duration::Duration::from(length), duration::Duration::from(lease.max_duration));
            format!(
                "spec.silence.{field} is {length}, but no silence lasts longer than maxDuration, which is {most}"
            )
        })
        .collect()
}

#[cfg(test)]
#[path = "maintenance_tests.rs"]
mod tests;
