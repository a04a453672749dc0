//! How it takes rules, and shows contact points.

use jiff::Timestamp;

use super::Held;
use crate::grafana::wire::{AlertRule, ContactPoint, REDACTED};

impl Held {
    /// Takes a rule as a call does.
    pub(in crate::controller::tests) fn take(&mut self, rule: AlertRule) {
        self.seconds += 1;
        self.updated
            .insert(rule.uid.clone(), Timestamp::new(self.seconds, 0).unwrap());
        self.rules.insert(rule.uid.clone(), rule);
    }

    /// The contact points without what is hidden.
    pub(super) fn shown(&self) -> Vec<ContactPoint> {
        let mut points = self.points.clone();
        for (name, value) in points.iter_mut().flat_map(|point| &mut point.settings) {
            if self.hidden.contains(&name.as_str()) {
                *value = REDACTED.into();
            }
        }
        points
    }
}
