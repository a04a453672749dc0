//! What became of the notifications to a contact point, in its status and in events.

use std::time::Instant;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::runtime::events::EventType;

use crate::api::{ContactPoint, ContactPointStatus};
use crate::controller::connection::Instance;
use crate::controller::context::Context;
use crate::domain::notification::delivery::{self, Before, DELIVERED};
use crate::grafana::error::redacted;

/// Tells in the status what Grafana last said of the contact point of this name.
pub(super) async fn tell(
    object: &ContactPoint,
    instance: &Instance,
    context: &Context,
    name: &str,
    before: Before,
    status: &mut ContactPointStatus,
) {
    let redact = |words: &str| {
        instance
            .spoken
            .with(name, Instant::now(), |secrets| redacted(words, secrets))
    };
    let said = (status.delivery.take(), status.last_sent.take().map(|Time(at)| at));
    let void = delivery::void(&said, before);
    let now = instance.deliveries.read().of(name, void, redact);
    let had_failed = failure(said.0.as_deref()).is_some();
    let (word, at) = delivery::told(said, before, now);
    let event = match failure(word.as_deref()) {
        Some(failure) if !had_failed => Some((EventType::Warning, "DeliveryFailed", failure.to_owned())),
        None if had_failed && word.is_some() => Some((
            EventType::Normal,
            "Delivered",
            "notifications go out again".to_owned(),
        )),
        _ => None,
    };
    if let Some((type_, reason, note)) = event {
        context.event_of(object, type_, reason, "Deliver", &note).await;
    }
    status.delivery = word;
    status.last_sent = at.map(Time);
}

/// Why notifications fail, if that is what is told.
fn failure(word: Option<&str>) -> Option<&str> {
    word.filter(|word| *word != DELIVERED)
}
