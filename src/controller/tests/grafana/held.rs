//! How it takes rules.

use jiff::Timestamp;

use super::Held;
use crate::grafana::model::AlertRule;

impl Held {
    /// Takes a rule as a call does.
    pub(in crate::controller::tests) fn take(&mut self, rule: AlertRule) {
        self.seconds += 1;
        self.updated
            .insert(rule.uid.clone(), Timestamp::new(self.seconds, 0).unwrap());
        self.rules.insert(rule.uid.clone(), rule);
    }
}
