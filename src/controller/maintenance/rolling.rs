//! Kinds of workloads whose rollouts are silenced.

use kube::runtime::reflector::ObjectRef;
use kube::{Resource, ResourceExt};

use crate::controller::context::Context;
use crate::controller::engine::by::Indexed;
use crate::controller::engine::store::Store;
use crate::controller::engine::trigger::Trigger;
use crate::controller::engine::watch::LAST_APPLIED;
use crate::domain::maintenance::rollout::argo::Rollout;
use crate::domain::maintenance::rollout::{DaemonSet, Deployment, RollsOut, StatefulSet};

/// A kind whose rollouts are silenced.
pub trait Rolling: RollsOut + Indexed {
    /// Which there are.
    fn store(context: &Context) -> &Store<Self>;

    /// Asks for passes.
    fn trigger(context: &Context) -> &Trigger<Self>;
}

macro_rules! rolling {
    ($($kind:ty: $field:ident),*) => {$(
        impl Rolling for $kind {
            fn store(context: &Context) -> &Store<Self> {
                &context.stores.$field
            }

            fn trigger(context: &Context) -> &Trigger<Self> {
                &context.triggers.$field
            }
        }
    )*};
}

rolling!(Deployment: deployments, StatefulSet: stateful_sets, DaemonSet: daemon_sets, Rollout: rollouts);

/// What nobody reads of the metadata is dropped.
pub fn prune<K: Resource>(workload: &mut K) {
    workload.managed_fields_mut().clear();
    workload.annotations_mut().remove(LAST_APPLIED);
}

/// Whether a workload of this kind, name and uid is there and not on its way out.
pub(super) fn is_there<K: Rolling>(namespace: &str, name: &str, uid: &str, context: &Context) -> bool {
    K::store(context)
        .get(&ObjectRef::new(name).within(namespace))
        .is_some_and(|object| {
            object.uid().as_deref() == Some(uid) && object.meta().deletion_timestamp.is_none()
        })
}
