//! What a recording rule writes, and where to.

use super::data::{called, is_prometheus};
use super::surroundings::Surroundings;
use crate::api::alert_rule::AlertRuleSpec;
use crate::api::condition::Reason;
use crate::domain::refusal::Refusal;
use crate::domain::version::Version;
use crate::grafana::model::Record;
use crate::grafana::wire::Toggles;

/// Where the target stands in a specification.
pub const TARGET: &str = "spec.record.targetDatasource";

/// The node that `query` becomes.
pub(super) const QUERY: &str = "A";

/// Fails where this Grafana has no recording rules, or none that say where to they write.
pub(super) fn refuse_what_is_too_new(
    spec: &AlertRuleSpec,
    version: Version,
    toggles: Toggles,
) -> Result<(), Refusal> {
    let Some(record) = &spec.record else {
        return Ok(());
    };
    let since = Version::RECORDING_RULES;
    if !version.has_recording_rules(toggles) {
        return Err(Refusal::new(
            Reason::Unsupported,
            format!(
                "spec.record needs Grafana {since}, or {} with the feature toggle grafanaManagedRecordingRules; this one is {version}. Have the data source's own rules record, or upgrade Grafana",
                Version::RECORDING_RULES_BY_TOGGLE
            ),
        ));
    }
    if record.target_datasource.is_some() && version < since {
        return Err(Refusal::new(
            Reason::Unsupported,
            format!(
                "{TARGET} needs Grafana {since} or newer; this one is {version}, which writes where its settings say (recording_rules.url). Remove the field or upgrade Grafana"
            ),
        ));
    }
    Ok(())
}

/// What the rule writes, if it records.
pub(super) fn record(spec: &AlertRuleSpec, around: &Surroundings<'_>) -> Result<Option<Record>, Refusal> {
    let Some(record) = &spec.record else {
        return Ok(None);
    };
    let target = if around.version < Version::RECORDING_RULES {
        None
    } else {
        if let Some(target) = around.target.filter(|target| !is_prometheus(target)) {
            return Err(Refusal::invalid(
                TARGET,
                format!(
                    "{} is of type {}, and Grafana writes to a Prometheus alone; name one",
                    called(target),
                    target.r#type
                ),
            ));
        }
        let asked = around.source.filter(|source| is_prometheus(source));
        let target = around.target.or(asked).ok_or_else(|| {
            Refusal::invalid(
                TARGET,
                "name the Prometheus that is written to; only a query that asks one is written back there by itself",
            )
        })?;
        Some(target.uid.clone())
    };
    Ok(Some(Record {
        metric: record.metric.clone(),
        from: record.from.clone().unwrap_or_else(|| QUERY.to_owned()),
        target,
    }))
}

#[cfg(test)]
mod tests;
