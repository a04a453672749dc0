//! Time intervals, templates and inhibition rules: what has a name in Grafana and no place for a mark. Resolve, decide, apply, report, for each in the same way.

mod bring;
mod callers;
mod clean_up;
mod inhibition_rule;
mod kind;
mod template;
mod time_interval;

pub(super) use time_interval::know as know_interval;
