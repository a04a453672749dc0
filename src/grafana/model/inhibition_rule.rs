//! Inhibition rules.

use serde::Serialize;

use super::ObjectMatcher;

/// An inhibition rule: while an alert fires that its sources match, nobody is told of those that its targets match.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct InhibitionRule {
    /// Name, unique within the organisation.
    pub name: String,
    /// What alerts must match, all of them, for the rule to hold.
    pub source_matchers: Vec<ObjectMatcher>,
    /// What alerts match that are held back.
    pub target_matchers: Vec<ObjectMatcher>,
    /// Labels that must be equal in both.
    pub equal: Vec<String>,
}
