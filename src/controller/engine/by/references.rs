//! What resources of notifications are found by through what they refer to.

use super::key::{By, Named};
use crate::api::AlertRule;
use crate::controller::engine::managed::Managed;
use crate::domain::notification::interval::Interval;
use crate::domain::notification::receiver::Target;
use crate::domain::notification::settings::{self, Tree};

/// A contact point.
pub(super) fn refers_to<K: Managed>(object: &K, target: Target) -> By {
    match target {
        Target::ContactPoint { namespace, name } => By::Receiver(Named {
            namespace: namespace.unwrap_or_else(|| object.ns().to_owned()),
            name,
        }),
        Target::Grafana { name } => By::GrafanaReceiver {
            instance: object.instance().to_owned(),
            name,
        },
    }
}

/// A time interval.
pub(super) fn refers_to_interval<K: Managed>(object: &K, interval: Interval) -> By {
    match interval {
        Interval::Resource { namespace, name } => By::Interval(Named {
            namespace: namespace.unwrap_or_else(|| object.ns().to_owned()),
            name,
        }),
        Interval::Grafana { name } => By::GrafanaInterval {
            instance: object.instance().to_owned(),
            name,
        },
    }
}

/// A policy tree.
fn refers_to_tree(rule: &AlertRule, tree: Tree) -> By {
    match tree {
        Tree::Policy { namespace, name } => By::Tree(Named {
            namespace: namespace.unwrap_or_else(|| rule.ns().to_owned()),
            name,
        }),
        Tree::Grafana { name } => By::GrafanaTree {
            instance: rule.instance().to_owned(),
            name,
        },
    }
}

/// All that the notification settings of a rule refer to.
pub(super) fn of_rule(rule: &AlertRule) -> Vec<By> {
    let target = settings::target(&rule.spec).map(|target| refers_to(rule, target));
    let tree = settings::tree(&rule.spec).map(|tree| refers_to_tree(rule, tree));
    let intervals = settings::intervals(&rule.spec);
    let timed = (!intervals.is_empty()).then(|| By::Timed(rule.instance().to_owned()));
    let intervals = intervals
        .into_iter()
        .map(|interval| refers_to_interval(rule, interval));
    target
        .into_iter()
        .chain(tree)
        .chain(timed)
        .chain(intervals)
        .collect()
}
