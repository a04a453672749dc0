//! What became of notifications, from what Grafana's own pages show of contact points.

use futures::FutureExt;
use jiff::Timestamp;
use serde::Deserialize;

use crate::grafana::api::{Answer, Deliveries, Delivery};
use crate::grafana::error::cut;
use crate::grafana::provisioning::Provisioning;
use crate::grafana::transport::Call;

const RECEIVERS: &str = "api/alertmanager/grafana/config/api/v1/receivers";

#[derive(Deserialize)]
struct Receiver {
    name: String,
    #[serde(default)]
    integrations: Option<Vec<Integration>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Integration {
    /// The type, from some versions on with a number, as `slack[0]`.
    name: String,
    /// Go's zero, the year 1, before the first.
    #[serde(default)]
    last_notify_attempt: Option<Timestamp>,
    #[serde(default)]
    last_notify_attempt_error: Option<String>,
}

impl Deliveries for Provisioning {
    fn list(&self) -> Answer<'_, Vec<Delivery>> {
        async move {
            let call = Call::get("contact_points.deliveries", RECEIVERS, &[]);
            let receivers: Vec<Receiver> = self.transport.fetch(call).await?;
            Ok(receivers.into_iter().flat_map(deliveries).collect())
        }
        .boxed()
    }
}

fn deliveries(receiver: Receiver) -> impl Iterator<Item = Delivery> {
    let integrations = receiver.integrations.unwrap_or_default().into_iter();
    integrations.enumerate().map(move |(place, integration)| {
        let name = integration.name.split('[').next().unwrap_or_default();
        Delivery {
            contact_point: receiver.name.clone(),
            integration: name.to_owned(),
            place,
            at: integration
                .last_notify_attempt
                .filter(|at| *at > Timestamp::UNIX_EPOCH),
            error: integration
                .last_notify_attempt_error
                .filter(|error| !error.is_empty())
                .map(|error| cut(&error)),
        }
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_attempt_says_when_it_was_and_why_it_failed() {
        let body = json!([
            {"name": "never", "active": true, "integrations": [
                {"name": "email", "sendResolved": true, "lastNotifyAttempt": "0001-01-01T00:00:00.000Z", "lastNotifyAttemptDuration": "0s"},
            ]},
            {"name": "two", "active": false, "integrations": [
                {"name": "slack[0]", "sendResolved": true, "lastNotifyAttempt": "2026-11-23T22:15:35.123+01:00", "lastNotifyAttemptDuration": "12ms", "lastNotifyAttemptError": "invalid_token"},
                {"name": "slack[1]", "sendResolved": true, "lastNotifyAttempt": "2026-11-23T22:15:35Z", "lastNotifyAttemptError": ""},
            ]},
            {"name": "none", "active": null, "integrations": null},
        ]);
        let receivers: Vec<Receiver> = serde_json::from_value(body).unwrap();
        let seen: Vec<Delivery> = receivers.into_iter().flat_map(deliveries).collect();
        let delivery =
            |contact_point: &str, integration: &str, place, at: Option<&str>, error: Option<&str>| Delivery {
                contact_point: contact_point.to_owned(),
                integration: integration.to_owned(),
                place,
                at: at.map(|at| at.parse().unwrap()),
                error: error.map(str::to_owned),
            };
        assert_eq!(
            seen,
            [
                delivery("never", "email", 0, None, None),
                delivery(
                    "two",
                    "slack",
                    0,
                    Some("2026-11-23T21:15:35.123Z"),
                    Some("invalid_token")
                ),
                delivery("two", "slack", 1, Some("2026-11-23T22:15:35Z"), None),
            ]
        );
    }

    #[test]
    fn what_grafana_says_of_a_failure_is_in_no_debug_text() {
        let delivery = Delivery {
            contact_point: "team".to_owned(),
            integration: "slack".to_owned(),
            place: 0,
            at: None,
            error: Some("s3cret".to_owned()),
        };
        assert!(!format!("{delivery:?}").contains("s3cret"));
    }
}
