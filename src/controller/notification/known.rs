//! Knowing what Grafana has under the names that a resource refers to.

use super::contact_point::know as know_contact_point;
use super::named::know_interval;
use super::{interval, receiver};
use crate::controller::connection::Instance;
use crate::controller::context::Context;
use crate::controller::engine::failure::Failure;
use crate::domain::notification::interval::Interval;
use crate::domain::notification::receiver::Target;
use crate::grafana::mirror::{Held, Part};

/// Waits for the writes that are under way of contact points and time intervals that a resource of the namespace `from` refers to, and looks at those
/// whose answer was lost: of what isn't known neither whose it is can be said, nor that it isn't there.
pub(in crate::controller) async fn ensure(
    targets: impl IntoIterator<Item = Target>,
    intervals: impl IntoIterator<Item = Interval>,
    from: &str,
    context: &Context,
    instance: &Instance,
) -> Result<(), Failure> {
    let targets = targets.into_iter();
    let points = targets.filter_map(|target| receiver::called(&target, from, context));
    let points = unknown(points.collect(), Part::ContactPoints, instance, |held, name| {
        held.contact_points.lookup(name).is_unknown()
    });
    let intervals = intervals.into_iter();
    let intervals = intervals.filter_map(|wanted| interval::called(&wanted, from, context));
    let intervals = unknown(
        intervals.collect(),
        Part::TimeIntervals,
        instance,
        |held, name| held.time_intervals.lookup(name).is_unknown(),
    );
    if points.is_empty() && intervals.is_empty() {
        return Ok(());
    }
    let _turn = instance.rights.notifications.lock().await;
    for name in points {
        know_contact_point(instance, &name).await?;
    }
    for name in intervals {
        know_interval(instance, &name).await?;
    }
    Ok(())
}

/// Those of which nothing is known though the rest has been read.
fn unknown(
    mut names: Vec<String>,
    part: Part,
    instance: &Instance,
    is_unknown: impl Fn(&Held, &str) -> bool,
) -> Vec<String> {
    if names.is_empty() || instance.check(&[part]).is_err() {
        return Vec::new();
    }
    instance
        .mirror
        .read(|held| names.retain(|name| is_unknown(held, name)));
    names
}
