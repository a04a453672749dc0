//! Which ContactPoint has made what Grafana holds under a name.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::api::ContactPoint;
use crate::controller::connection::Instance;
use crate::controller::context::Context;
use crate::controller::engine::by::By;
use crate::controller::engine::managed::Managed;
use crate::domain::notification::contact_point::decision;
use crate::domain::ownership::is_derived;
use crate::grafana::model;

/// The ContactPoints that have made one of these integrations, by namespace and name; several only where an old fault or a lost race has joined
/// theirs. They may be for another GrafanaInstance: two can be for one Grafana. Who asks for the name in vain has made nothing.
pub(super) fn makers(
    name: &str,
    found: &[model::Integration],
    instance: &Instance,
    context: &Context,
) -> Vec<Arc<ContactPoint>> {
    // What people have made needs no look at who asks for it, however many do.
    let memory = instance.memory().ok();
    let kept = memory.map_or_else(BTreeMap::new, |memory| {
        memory.read(|memory| memory.kept_uids.clone())
    });
    let may_be_made = |uid: &String| is_derived(uid) || kept.values().any(|kept| kept == uid);
    if !found.iter().any(|integration| may_be_made(&integration.uid)) {
        return Vec::new();
    }
    let asking = By::GrafanaName(name.to_owned());
    let mut makers = context.stores.contact_points.by(&asking);
    makers.retain(|object| {
        let made = instance
            .owners
            .all()
            .flat_map(|owner| decision::uids(&object.spec, owner, object.ns(), object.id()));
        let made: Vec<String> = made.collect();
        let kept: Vec<&String> = made.iter().filter_map(|uid| kept.get(uid)).collect();
        let is_made = |uid: &String| made.contains(uid) || kept.contains(&uid);
        found.iter().any(|integration| is_made(&integration.uid))
    });
    makers.sort_by(|a, b| (a.ns(), a.id()).cmp(&(b.ns(), b.id())));
    makers
}
