//! A StatefulSet, as far as it is rolling out.
//!
//! Its controller numbers no rollouts, and makes `currentRevision` the `updateRevision` when every pod has been replaced and is ready;
//! with a partition or the strategy `OnDelete` it doesn't. A pod that is on its way out counts in `replicas` and in no revision.

use k8s_openapi::api::apps::v1;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::Resource;
use serde::Deserialize;

use super::{Facts, RollsOut, Template};
use crate::api::maintenance_policy::WorkloadKind;

/// A StatefulSet: no more of it than is read.
#[derive(Resource, Deserialize, Clone, Debug)]
#[resource(inherit = v1::StatefulSet)]
pub struct StatefulSet {
    /// Its metadata.
    #[serde(default)]
    pub metadata: ObjectMeta,
    spec: Option<Spec>,
    status: Option<Status>,
}

#[derive(Deserialize, Clone, Debug)]
#[serde(rename_all = "camelCase")]
struct Spec {
    replicas: Option<i32>,
    #[serde(default)]
    template: Template,
    update_strategy: Option<UpdateStrategy>,
}

#[derive(Deserialize, Clone, Debug)]
#[serde(rename_all = "camelCase")]
struct UpdateStrategy {
    #[serde(rename = "type")]
    type_: Option<String>,
    rolling_update: Option<RollingUpdate>,
}

#[derive(Deserialize, Clone, Debug)]
struct RollingUpdate {
    partition: Option<i32>,
}

#[derive(Deserialize, Clone, Debug)]
#[serde(rename_all = "camelCase")]
struct Status {
    observed_generation: Option<i64>,
    replicas: Option<i32>,
    current_replicas: Option<i32>,
    updated_replicas: Option<i32>,
    available_replicas: Option<i32>,
    current_revision: Option<String>,
    update_revision: Option<String>,
}

impl RollsOut for StatefulSet {
    const KIND: WorkloadKind = WorkloadKind::StatefulSet;

    fn facts(&self) -> Facts {
        let metadata = &self.metadata;
        let spec = self.spec.as_ref();
        let status = self.status.as_ref();
        let strategy = spec.and_then(|spec| spec.update_strategy.as_ref());
        let by_hand = strategy.is_some_and(|strategy| strategy.type_.as_deref() == Some("OnDelete"));
        let partition = strategy
            .and_then(|strategy| strategy.rolling_update.as_ref())
            .and_then(|rolling| rolling.partition)
            .unwrap_or(0);
        let wished = spec.and_then(|spec| spec.replicas).unwrap_or(1);
        let kept = if by_hand {
            0
        } else {
            partition.clamp(0, wished.max(0))
        };
        let is_between = status.is_some_and(|status| status.current_revision != status.update_revision);
        let count = |of: Option<i32>| of.unwrap_or(0);
        let observed = status.and_then(|status| status.observed_generation);
        Facts {
            template: spec.map_or_else(String::new, |spec| spec.template.hash().to_owned()),
            rollout: metadata.generation.unwrap_or(0),
            is_numbered: false,
            caught_up: observed.unwrap_or(0) >= metadata.generation.unwrap_or(0),
            reported: observed.is_some(),
            held: metadata.deletion_timestamp.is_some(),
            by_hand,
            wished,
            kept,
            pods: count(status.and_then(|status| status.replicas)),
            old: count(
                status
                    .and_then(|status| status.current_replicas)
                    .filter(|_| is_between),
            ),
            misses_old: true,
            reached: None,
            is_fresh: false,
            updated: count(status.and_then(|status| status.updated_replicas)),
            available: count(status.and_then(|status| status.available_replicas)),
            revisions: status.filter(|_| is_between).and_then(|status| {
                let (from, to) = (
                    status.current_revision.as_ref()?,
                    status.update_revision.as_ref()?,
                );
                Some(format!("{from}..{to}"))
            }),
            is_unfinished: is_between && !by_hand && kept == 0,
            created: metadata.creation_timestamp.as_ref().map(|time| time.0),
            restart: None,
            progressing: None,
        }
    }
}
