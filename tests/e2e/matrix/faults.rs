//! Every call, every fault.

use std::time::Duration;

use alertwright_testbed::proxy::Fault;
use alertwright_testbed::{apply, on_releases};
use serde_json::json;

use super::{Side, run};

/// Longer than either side waits.
pub(super) const TOO_LATE: &str = "answered too late";

/// What can go wrong with one call of Grafana, and of the API server.
pub(super) fn kinds(side: Side) -> Vec<(&'static str, Fault, bool)> {
    let refused = |code: u16, reason: &str| {
        let fault = Fault::status(code);
        match side {
            Side::Grafana => fault,
            Side::ApiServer => fault.body(
                json!({
                    "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
                    "message": "fault on demand", "reason": reason, "code": code,
                })
                .to_string(),
            ),
        }
    };
    let soon = Duration::from_secs(1);
    let mut kinds = vec![
        ("cut before it arrived", Fault::drop_before(), false),
        ("its answer lost", Fault::drop_after(), false),
        ("500", refused(500, "InternalError"), false),
        ("503", refused(503, "ServiceUnavailable"), false),
        (
            "429 with Retry-After",
            refused(429, "TooManyRequests").retry_after(soon),
            false,
        ),
        ("409", refused(409, "Conflict"), false),
        ("a body that is no JSON", Fault::garbage(), false),
        ("half of its answer", Fault::partial(), false),
    ];
    if super::all() {
        kinds.push((TOO_LATE, Fault::delay(Duration::from_secs(25)), false));
    }
    kinds
}

macro_rules! oldest_and_newest {
    ($($test:tt)*) => { on_releases! { v10_0_0 v13_3_0_provisioning v13_3_0_platform; $($test)* } };
}

#[apply(oldest_and_newest)]
async fn whatever_goes_wrong_with_one_call_of_grafana_the_end_is_the_same() {
    run(Side::Grafana, &kinds(Side::Grafana)).await;
}

#[apply(oldest_and_newest)]
async fn whatever_goes_wrong_with_one_call_of_the_api_server_the_end_is_the_same() {
    run(Side::ApiServer, &kinds(Side::ApiServer)).await;
}
