//! Time intervals, templates and inhibition rules. No Grafana has a watch for them, so what is listed ends with the list.

use crate::controller::connection::Instance;
use crate::grafana;

/// Returns the names of what changed.
pub(super) async fn time_intervals(instance: &Instance) -> grafana::Result<Vec<String>> {
    let poll = instance.mirror.write(|held| held.time_intervals.begin_poll());
    let found = instance.grafana.time_intervals.list().await?;
    let found = found.into_iter().map(|found| (found.object.name.clone(), found));
    Ok(instance
        .mirror
        .write(|held| held.time_intervals.finish_poll(poll, found)))
}

/// Returns the names of what changed.
pub(super) async fn templates(instance: &Instance) -> grafana::Result<Vec<String>> {
    let poll = instance.mirror.write(|held| held.templates.begin_poll());
    let found = instance.grafana.templates.list().await?;
    let found = found.into_iter().map(|found| (found.object.name.clone(), found));
    Ok(instance
        .mirror
        .write(|held| held.templates.finish_poll(poll, found)))
}

/// Returns the names of what changed.
pub(super) async fn inhibition_rules(instance: &Instance) -> grafana::Result<Vec<String>> {
    let poll = instance.mirror.write(|held| held.inhibition_rules.begin_poll());
    let found = instance.grafana.inhibition_rules.list().await?;
    let found = found.into_iter().map(|found| (found.object.name.clone(), found));
    Ok(instance
        .mirror
        .write(|held| held.inhibition_rules.finish_poll(poll, found)))
}
