//! What is only known by its name: time intervals, templates and inhibition rules.

mod inhibition_rules;
mod templates;
mod time_intervals;

pub(in crate::grafana) use inhibition_rules::InhibitionRules;
pub(in crate::grafana) use templates::Templates;
pub(in crate::grafana) use time_intervals::TimeIntervals;
