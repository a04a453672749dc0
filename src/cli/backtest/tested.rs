//! What became of rules.

use super::paged::Paged;
use super::subject::Subject;
use crate::domain::rule::evaluation::past::Past;
use crate::domain::rule::evaluation::plan::Span;
use crate::grafana::model::AlertRule;

/// What became of one rule.
pub(super) struct Tested<'a> {
    pub(super) subject: &'a Subject,
    pub(super) span: Span,
    /// The one of the file or the cluster last.
    pub(super) runs: Vec<Run>,
    pub(super) notes: Vec<String>,
}

/// One rule's past.
pub(super) struct Run {
    /// Whose rule it is: `in Grafana`, or `this file`.
    pub(super) called: &'static str,
    pub(super) rule: AlertRule,
    pub(super) past: Past,
    pub(super) paged: Paged,
}
