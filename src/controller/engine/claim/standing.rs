//! Who comes before whom, in words.

use super::claimant;
use crate::controller::engine::managed::Managed;
use crate::domain::claims::Claimant;

/// How the first in line comes before this resource, in words.
pub fn standing<K: Managed>(first: &Claimant, object: &K) -> &'static str {
    if first.created <= claimant(object).created {
        "is older and"
    } else {
        "already"
    }
}
