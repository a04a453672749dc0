//! A matcher as an object.

use serde::{Deserialize, Serialize};

use crate::grafana::model::ObjectMatcher;

/// How a label is compared with a value.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Matcher {
    pub(super) r#type: String,
    pub(super) label: String,
    pub(super) value: String,
}

impl From<Matcher> for ObjectMatcher {
    fn from(Matcher { r#type, label, value }: Matcher) -> Self {
        (label, r#type, value)
    }
}

impl From<&ObjectMatcher> for Matcher {
    fn from((label, operator, value): &ObjectMatcher) -> Self {
        Self {
            r#type: operator.clone(),
            label: label.clone(),
            value: value.clone(),
        }
    }
}
