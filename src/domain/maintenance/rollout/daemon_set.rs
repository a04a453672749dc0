//! A DaemonSet, as far as it is rolling out.

use k8s_openapi::api::apps::v1;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::Resource;
use serde::Deserialize;

use super::{Facts, RollsOut, Template};
use crate::api::maintenance_policy::WorkloadKind;

/// Where the API server counts how often the template has changed. Its name says that a later version of the API may lack it; apps/v1 has it.
const TEMPLATE_ANNOTATION: &str = "deprecated.daemonset.template.generation";

/// A DaemonSet: no more of it than is read.
#[derive(Resource, Deserialize, Clone, Debug)]
#[resource(inherit = v1::DaemonSet)]
pub struct DaemonSet {
    /// Its metadata.
    #[serde(default)]
    pub metadata: ObjectMeta,
    spec: Option<Spec>,
    status: Option<Status>,
}

#[derive(Deserialize, Clone, Debug)]
#[serde(rename_all = "camelCase")]
struct Spec {
    #[serde(default)]
    template: Template,
    update_strategy: Option<UpdateStrategy>,
}

#[derive(Deserialize, Clone, Debug)]
struct UpdateStrategy {
    #[serde(rename = "type")]
    type_: Option<String>,
}

#[derive(Deserialize, Clone, Debug)]
#[serde(rename_all = "camelCase")]
struct Status {
    observed_generation: Option<i64>,
    desired_number_scheduled: Option<i32>,
    current_number_scheduled: Option<i32>,
    updated_number_scheduled: Option<i32>,
    number_available: Option<i32>,
}

impl RollsOut for DaemonSet {
    const KIND: WorkloadKind = WorkloadKind::DaemonSet;

    fn facts(&self) -> Facts {
        let metadata = &self.metadata;
        let spec = self.spec.as_ref();
        let status = self.status.as_ref();
        let strategy = spec.and_then(|spec| spec.update_strategy.as_ref());
        let generation = metadata.generation.unwrap_or(0);
        let counted: Option<i64> = metadata
            .annotations
            .as_ref()
            .and_then(|all| all.get(TEMPLATE_ANNOTATION))
            .and_then(|number| number.parse().ok());
        let observed = status.and_then(|status| status.observed_generation);
        // How many nodes it is for is told by the first status.
        let unknown = i32::from(observed.is_none());
        let count = |of: Option<i32>| of.unwrap_or(0);
        let pods = count(status.and_then(|status| status.current_number_scheduled));
        let updated = count(status.and_then(|status| status.updated_number_scheduled));
        Facts {
            template: spec.map_or_else(String::new, |spec| spec.template.hash().to_owned()),
            rollout: counted.unwrap_or(generation),
            is_numbered: counted.is_some(),
            caught_up: observed.unwrap_or(0) >= generation,
            reported: observed.is_some(),
            held: metadata.deletion_timestamp.is_some(),
            by_hand: strategy.is_some_and(|strategy| strategy.type_.as_deref() == Some("OnDelete")),
            wished: count(status.and_then(|status| status.desired_number_scheduled)).max(unknown),
            kept: 0,
            pods,
            old: pods.saturating_sub(updated),
            misses_old: false,
            reached: None,
            is_fresh: false,
            updated,
            available: count(status.and_then(|status| status.number_available)),
            is_unfinished: false,
            revisions: None,
            created: metadata.creation_timestamp.as_ref().map(|time| time.0),
            restart: None,
            progressing: None,
        }
    }
}
