//! The time intervals that resources refer to.

use kube::runtime::reflector::ObjectRef;

use super::not_yet::not_yet;
use crate::api::{ANNOTATION_SHARED_WITH, TimeInterval};
use crate::controller::connection::Instance;
use crate::controller::context::Context;
use crate::controller::engine::claim::Key;
use crate::controller::engine::managed::Managed;
use crate::domain::changed::orphans;
use crate::domain::notification::interval::Interval;
use crate::domain::refusal::Refusal;
use crate::domain::tenancy;

/// The name in Grafana of what is meant, whatever Grafana has; `None` for a resource that isn't there.
pub(super) fn called(interval: &Interval, from: &str, context: &Context) -> Option<String> {
    match interval {
        Interval::Grafana { name } => Some(name.clone()),
        Interval::Resource { namespace, name } => {
            let place = ObjectRef::new(name).within(namespace.as_deref().unwrap_or(from));
            let interval = context.stores.time_intervals.get(&place)?;
            Some(interval.spec.name.as_deref().unwrap_or(name).to_owned())
        }
    }
}

/// The name in Grafana of what a reference is to, for a resource of the namespace `from`; or why it can't be used. The time intervals of that Grafana
/// have been read.
pub(in crate::controller) fn name_of(
    interval: &Interval,
    from: &str,
    context: &Context,
    instance: &Instance,
) -> Result<String, Refusal> {
    let exists = |name: &str| {
        instance
            .mirror
            .read(|held| held.time_intervals.lookup(name).present().is_some())
    };
    let (namespace, name) = match interval {
        Interval::Grafana { name } => {
            return match maker(name, instance) {
                Some((namespace, maker)) if namespace != from => Err(Refusal::invalid(
                    "grafanaName",
                    format!(
                        "{name} belongs to TimeInterval {namespace}/{maker}; refer to it by name and namespace"
                    ),
                )),
                _ if exists(name) => Ok(name.clone()),
                _ => Err(Refusal::missing(format!(
                    "Grafana has no time interval {name}; create it or correct grafanaName"
                ))),
            };
        }
        Interval::Resource { namespace, name } => (namespace.as_deref().unwrap_or(from), name),
    };
    let found = context
        .stores
        .time_intervals
        .here(&ObjectRef::new(name).within(namespace), &instance.name);
    let missing = || Refusal::missing(format!("TimeInterval {namespace}/{name} is not there; create it"));
    let interval = found.ok_or_else(missing)?;
    let place = (namespace, name.as_str());
    let shared_with = interval.annotation(ANNOTATION_SHARED_WITH);
    tenancy::refuse_unshared(TimeInterval::KIND, place, from, shared_with)?;
    tenancy::refuse_other_instance(TimeInterval::KIND, place, &interval.instances(), &instance.name)?;
    let grafana_name = interval.spec.name.as_deref().unwrap_or(name);
    let key = Key::TimeInterval(context.claims.place(&instance.name), grafana_name.to_owned());
    // The name may be somebody else's, who had it first.
    let is_its =
        maker(grafana_name, instance).is_some_and(|(ns, id)| (ns.as_str(), &id) == (namespace, name));
    if is_its && exists(grafana_name) && context.ahead(&key, &*interval).is_none() {
        return Ok(grafana_name.to_owned());
    }
    let conditions = interval.status.as_ref().map(|status| &*status.conditions);
    Err(not_yet(&format!("TimeInterval {namespace}/{name}"), conditions))
}

/// The resource that is remembered to have made what Grafana has under a name.
fn maker(name: &str, instance: &Instance) -> Option<(String, String)> {
    let key = orphans::key(TimeInterval::KIND, name);
    let mark = instance
        .memory()
        .ok()?
        .read(|memory| memory.names.get(&key).map(|named| named.mark.clone()))?;
    let (namespace, name) = instance.owners.resource(&mark)?;
    Some((namespace.to_owned(), name.to_owned()))
}
