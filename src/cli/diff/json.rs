//! One JSON document, for programs.

use serde_json::json;

use super::super::common::document::as_json;
use super::super::common::print::API_VERSION;
use super::judge::{Counts, Row, Sign};

pub(super) fn all(rows: &[Row], counts: &Counts, grafana: &str) -> String {
    let of = |sign| counts.get(&sign).copied().unwrap_or_default();
    let document = json!({
        "apiVersion": API_VERSION,
        "kind": "DiffReport",
        "grafana": grafana,
        "resources": rows,
        "counts": {
            "create": of(Sign::Create),
            "change": of(Sign::Change),
            "delete": of(Sign::Delete),
            "refused": of(Sign::Refused),
            "suspended": of(Sign::Suspended),
            "unknown": of(Sign::Unknown),
            "equal": of(Sign::Equal),
        },
    });
    as_json(&document)
}
