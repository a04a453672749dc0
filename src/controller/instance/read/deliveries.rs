//! What became of notifications: one look for all contact points. It is for people to see and nothing depends on it, so where it can't be had
//! nothing else stops.

use std::sync::atomic::Ordering;
use std::time::Instant;

use tracing::{info, warn};

use super::in_time;
use crate::api::ContactPoint;
use crate::controller::connection::Instance;
use crate::controller::context::Context;
use crate::controller::engine::by::By;
use crate::controller::engine::claim::Key;
use crate::grafana::error::redacted;

/// Looks, where there are ContactPoints, and asks for passes over those that deliver now where they didn't, or the other way round.
pub(in crate::controller) async fn read(instance: &Instance, context: &Context) {
    let all = By::Instance(instance.name.clone());
    if context.stores.contact_points.count(&all) == 0 {
        return;
    }
    let seen = in_time(instance.grafana.deliveries.list()).await;
    let was_hidden = instance
        .are_deliveries_hidden
        .swap(seen.is_err(), Ordering::Relaxed);
    match seen {
        Ok(seen) => {
            if was_hidden {
                info!(instance = instance.name, "deliveries can be read again");
            }
            let now = Instant::now();
            let redact = |name: &str, words: &str| {
                instance
                    .spoken
                    .with(name, now, |secrets| redacted(words, secrets))
            };
            for name in instance.deliveries.write().note(seen, redact) {
                let key = Key::ContactPoint(context.claims.place(&instance.name), name);
                if let Some(holder) = context.holder::<ContactPoint>(&key, instance) {
                    context
                        .triggers
                        .contact_points
                        .one(&holder.namespace, &holder.name);
                }
            }
        }
        Err(failure) if !was_hidden => warn!(
            instance = instance.name,
            detail = failure.message,
            "deliveries cannot be read in grafana, so contact points don't show theirs"
        ),
        Err(_) => {}
    }
}
