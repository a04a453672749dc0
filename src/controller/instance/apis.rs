//! Which of Grafana's APIs is used for what: in the instance's status, a condition and a metric.

use jiff::Timestamp;
use tracing::{info, warn};

use crate::api::GrafanaInstanceStatus;
use crate::api::condition;
use crate::cluster::answer::chain;
use crate::controller::connection::Instance;
use crate::grafana::api::{Capabilities, Concern};
use crate::grafana::wire::Settings;
use crate::metrics::Metrics;

/// The condition that is there while a newer API is refused and an older one used in its place.
const FALLBACK: &str = "APIFallback";
/// Its reason.
const REASON: &str = "Refused";

/// Chooses anew. Where what there is can't be seen now, the next read of everything tries again.
pub(super) async fn choose(instance: &Instance, settings: &Settings) {
    let before = instance.grafana.apis.capabilities();
    let chosen = instance.grafana.apis.choose(settings).await;
    instance.set_apis_due(chosen.is_err());
    if let Err(error) = chosen {
        warn!(
            instance = instance.name,
            error = chain(&error),
            "which apis grafana has can't be seen"
        );
        return;
    }
    let after = instance.grafana.apis.capabilities();
    for (concern, api) in after.apis {
        if before.apis.get(&concern) != Some(&api) {
            info!(instance = instance.name, concern = concern.as_str(), %api, "api chosen");
        }
    }
}

/// Notes what is chosen, for the status and the metrics.
pub(super) fn note(instance: &Instance, metrics: &Metrics, next: &mut GrafanaInstanceStatus) {
    let capabilities = instance.grafana.apis.capabilities();
    let chosen = capabilities.apis.iter();
    next.apis = chosen
        .map(|(concern, api)| (concern.as_str().to_owned(), api.to_string()))
        .collect();
    metrics.set_apis(&instance.name, &next.apis);
}

/// Tells people of an API that is refused.
pub(super) fn tell(
    capabilities: Option<&Capabilities>,
    next: &mut GrafanaInstanceStatus,
    generation: Option<i64>,
    now: Timestamp,
) {
    let refused = capabilities.into_iter().flat_map(|found| &found.refused);
    let all: Vec<String> = refused.map(|(concern, why)| sentence(*concern, why)).collect();
    let message = (!all.is_empty()).then(|| all.join("; "));
    let message = message.as_deref().map(|message| (REASON, message));
    condition::note(&mut next.conditions, FALLBACK, message, generation, now);
}

fn sentence(concern: Concern, why: &str) -> String {
    let right = match concern {
        Concern::Folders => "folders:read for all folders",
        Concern::Notifications => "alert.notifications:read and alert.notifications:write",
        Concern::Rules => "alert.rules:read, alert.rules:create, alert.rules:write and alert.rules:delete",
    };
    format!(
        "{} go through Grafana's older API, because it refuses the newer one ({why}); give the service account {right}, or leave it so: nothing is missing",
        concern.as_str()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_api_that_is_refused_is_told_with_the_right_that_is_missing() {
        let now = Timestamp::from_second(1).unwrap();
        let mut status = GrafanaInstanceStatus::default();
        let refused = Capabilities {
            refused: [(Concern::Folders, "no access".to_owned())].into(),
            ..Capabilities::default()
        };
        tell(Some(&refused), &mut status, Some(1), now);
        let [condition] = status.conditions.as_slice() else {
            panic!("{:?}", status.conditions);
        };
        assert_eq!(
            (condition.type_.as_str(), condition.status.as_str()),
            ("APIFallback", "True")
        );
        for part in ["folders go through", "no access", "folders:read"] {
            assert!(condition.message.contains(part), "{}", condition.message);
        }
        tell(Some(&Capabilities::default()), &mut status, Some(1), now);
        assert!(status.conditions.is_empty());
    }
}
