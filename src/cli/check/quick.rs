//! Grafanas of the cluster that evaluate rules more often than is usual.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::api::condition;
use crate::domain::lint::finding::{Finding, INTERVAL, Level};
use crate::domain::lint::object::{Object, Typed};
use crate::domain::rule;

/// How often Grafana evaluates rules unless its configuration says otherwise.
fn is_usual(interval: Duration) -> bool {
    let base = rule::base_interval(Duration::ZERO);
    !interval.is_zero() && interval.as_nanos().is_multiple_of(base.as_nanos())
}

/// The GrafanaInstances that evaluate more often than is usual: they have taken a rule for which that is so.
pub(super) fn instances(objects: &[Object]) -> BTreeSet<String> {
    let is_quick = |object: &&Object| match &object.typed {
        Some(Typed::AlertRule(alert)) => {
            let conditions = alert.status.as_ref().map_or(&[][..], |status| &status.conditions);
            condition::is_ready(conditions, alert.metadata.generation)
                && rule::interval(&alert.spec).is_ok_and(|interval| !is_usual(interval))
        }
        _ => false,
    };
    let all = objects.iter().filter(is_quick);
    all.flat_map(|object| object.instances())
        .map(str::to_owned)
        .collect()
}

/// Whether the cluster shows that something isn't so: that an interval is refused where others like it are taken.
pub(super) fn is_proved_wrong(finding: &Finding, objects: &[Object], quick: &BTreeSet<String>) -> bool {
    let Some(Object {
        typed: Some(Typed::AlertRule(alert)),
        ..
    }) = objects.get(finding.object)
    else {
        return false;
    };
    let is_of_interval = finding.rule == &INTERVAL && finding.level == Level::Error;
    let is_whole = rule::interval(&alert.spec).is_ok_and(|interval| interval.as_secs() > 0);
    let mut instances = objects
        .get(finding.object)
        .map(Object::instances)
        .unwrap_or_default()
        .into_iter();
    is_of_interval && is_whole && instances.all(|instance| quick.contains(instance))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::lint::path::Path;

    fn object(interval: &str, instance: &str, ready: &str) -> Object {
        let value = json!({
            "apiVersion": "alerting.letsrevel.io/v1alpha1", "kind": "AlertRule", "metadata": {"namespace": "n", "name": "r", "generation": 1},
            "spec": {"query": "up > 1", "interval": interval, "instance": instance},
            "status": {"conditions": [{"type": "Ready", "status": ready, "reason": "r", "message": "", "observedGeneration": 1, "lastTransitionTime": "2026-11-24T21:00:00Z"}]},
        });
        Object::new(value, "")
    }

    #[test]
    fn an_interval_that_the_cluster_has_taken_before_is_no_error() {
        let there = [
            object("1s", "fast", "True"),
            object("1s", "slow", "False"),
            object("10s", "usual", "True"),
        ];
        let quick = instances(&there);
        assert_eq!(quick, BTreeSet::from(["fast".to_owned()]));
        let finding = Finding::new(&INTERVAL, 0, Path::parse("spec.interval"), "").of(Level::Error);
        for (interval, instance, is) in [("2s", "fast", true), ("2s", "slow", false), ("0s", "fast", false)] {
            let written = [object(interval, instance, "True")];
            assert_eq!(
                is_proved_wrong(&finding, &written, &quick),
                is,
                "{interval} {instance}"
            );
        }
    }
}
