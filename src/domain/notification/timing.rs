//! How notifications are gathered, and when they are sent.

use std::collections::BTreeSet;

use crate::api::duration::{self, Duration};
use crate::domain::refusal::Refusal;

/// The labels by which alerts are gathered in one notification, as `groupBy` below `field` names them.
pub fn grouping(labels: &[String], field: &str) -> Result<Vec<String>, Refusal> {
    let field = format!("{field}.groupBy");
    if labels.len() > 1 && labels.iter().any(|label| label == "...") {
        return Err(Refusal::invalid(
            &field,
            "... means all labels and must stand alone",
        ));
    }
    let distinct: BTreeSet<_> = labels.iter().collect();
    if distinct.len() < labels.len() {
        return Err(Refusal::invalid(&field, "a label is named twice"));
    }
    Ok(labels.to_vec())
}

/// A period as Grafana writes it; `None` where none is given.
pub fn period(text: Option<&Duration>, field: &str, zero_allowed: bool) -> Result<Option<String>, Refusal> {
    let Some(text) = text else { return Ok(None) };
    let period = text.checked().map_err(|e| Refusal::invalid(field, e))?;
    if period.is_zero() && !zero_allowed {
        return Err(Refusal::invalid(field, "must be greater than 0"));
    }
    Ok(Some(duration::format(period)))
}
