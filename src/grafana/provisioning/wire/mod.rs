//! Request and response bodies, named and spelled as this API's JSON has them.

mod rule;

pub(super) use rule::{Member, NotificationSettings, Query, Record, Rule, RuleGroup, name_of};
