//! Whether everything is in the Grafana that an instance is connected to now.

use std::sync::Arc;

use crate::api::condition;
use crate::api::silence::ACTIVE;
use crate::api::{
    AlertRule, ContactPoint, InhibitionRule, NotificationPolicy, NotificationTemplate, Silence, TimeInterval,
};
use crate::controller::connection::Instance;
use crate::controller::context::Context;
use crate::controller::engine::by::{By, Indexed};
use crate::controller::engine::health::Health;
use crate::controller::engine::managed::Managed;
use crate::controller::engine::store::Store;
use crate::controller::pass::Reconcile;
use crate::controller::silence;
use crate::domain::notification::contact_point;
use crate::grafana::mirror::Lookup;

/// How many resources aren't in sync; `None` while nobody knows. Their statuses alone don't say it: right after an instance has been pointed elsewhere they
/// speak of the Grafana before. So each must be seen there.
pub(super) fn missing(instance: &Arc<Instance>, context: &Context) -> Option<usize> {
    let health = instance.health();
    if !context.is_ready() || matches!(health, Health::Starting | Health::Down(_)) {
        return None;
    }
    let stores = &context.stores;
    let counts = [
        count(&stores.rules, instance, |rule: &AlertRule| {
            rule.only_in(&instance.name, None).may_be_stored(context)
        }),
        count(&stores.contact_points, instance, |point: &ContactPoint| {
            let name = contact_point::name(&point.spec, point.id()).to_owned();
            instance
                .mirror
                .read(|held| matches!(held.contact_points.lookup(&name), Lookup::Present(_)))
        }),
        count(&stores.policies, instance, |policy: &NotificationPolicy| {
            policy.spec.parent_ref.is_some() || policy.has_tree(instance)
        }),
        count(&stores.time_intervals, instance, |interval: &TimeInterval| {
            let name = interval.spec.name.as_deref().unwrap_or(interval.id());
            instance
                .mirror
                .read(|held| matches!(held.time_intervals.lookup(name), Lookup::Present(_)))
        }),
        count(&stores.templates, instance, |template: &NotificationTemplate| {
            let name = template.spec.name.as_deref().unwrap_or(template.id());
            instance
                .mirror
                .read(|held| matches!(held.templates.lookup(name), Lookup::Present(_)))
        }),
        count(&stores.inhibition_rules, instance, |rule: &InhibitionRule| {
            let name = rule.spec.name.as_deref().unwrap_or(rule.id());
            instance
                .mirror
                .read(|held| matches!(held.inhibition_rules.lookup(name), Lookup::Present(_)))
        }),
        count(&stores.silences, instance, |silence: &Silence| {
            let status = silence.status.as_ref();
            let state = status.and_then(|status| status.state.as_deref());
            // One that was taken over isn't among those that it has made.
            let is_known = |id: &String| {
                instance
                    .mirror
                    .read(|held| matches!(held.silences.lookup(id), Lookup::Present(_)))
            };
            let id = status.and_then(|status| status.id.as_ref());
            state != Some(ACTIVE) || silence::has_any(silence, instance) || id.is_some_and(is_known)
        }),
    ];
    // What can't be read may be what something waits for.
    let least = usize::from(health != Health::Up);
    Some(counts.iter().sum::<usize>().max(least))
}

/// How many resources of a kind aren't there. Those that are left alone or on their way out are waited for by nobody.
fn count<K: Managed + Indexed>(
    store: &Store<K>,
    instance: &Instance,
    is_there: impl Fn(&K) -> bool,
) -> usize {
    let all = store.by(&By::Instance(instance.name.clone()));
    let wanted = all
        .iter()
        .filter(|object| !object.is_suspended() && !object.is_deleting());
    let is_ready = |object: &K| {
        let status = object.status().map(K::conditions);
        status.is_some_and(|all| condition::is_ready(all, object.meta().generation))
    };
    wanted
        .filter(|object| !is_ready(object) || !is_there(object))
        .count()
}
