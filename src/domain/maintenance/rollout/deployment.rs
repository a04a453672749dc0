//! A Deployment, as far as it is rolling out.

use k8s_openapi::api::apps::v1;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time};
use kube::Resource;
use serde::Deserialize;

use super::{Facts, Progressing, RollsOut, Template};
use crate::api::maintenance_policy::WorkloadKind;

/// Where the deployment controller counts a Deployment's rollouts.
const REVISION_ANNOTATION: &str = "deployment.kubernetes.io/revision";

/// A Deployment: no more of it than is read.
#[derive(Resource, Deserialize, Clone, Debug)]
#[resource(inherit = v1::Deployment)]
pub struct Deployment {
    /// Its metadata.
    #[serde(default)]
    pub metadata: ObjectMeta,
    spec: Option<Spec>,
    status: Option<Status>,
}

#[derive(Deserialize, Clone, Debug)]
struct Spec {
    paused: Option<bool>,
    replicas: Option<i32>,
    #[serde(default)]
    template: Template,
}

#[derive(Deserialize, Clone, Debug)]
#[serde(rename_all = "camelCase")]
struct Status {
    observed_generation: Option<i64>,
    replicas: Option<i32>,
    updated_replicas: Option<i32>,
    available_replicas: Option<i32>,
    conditions: Option<Vec<Condition>>,
}

#[derive(Deserialize, Clone, Debug)]
#[serde(rename_all = "camelCase")]
struct Condition {
    #[serde(rename = "type")]
    type_: String,
    reason: Option<String>,
    last_update_time: Option<Time>,
}

impl RollsOut for Deployment {
    const KIND: WorkloadKind = WorkloadKind::Deployment;

    fn facts(&self) -> Facts {
        let metadata = &self.metadata;
        let spec = self.spec.as_ref();
        let status = self.status.as_ref();
        let observed = status.and_then(|status| status.observed_generation);
        let count = |of: Option<i32>| of.unwrap_or(0);
        let progressing = status
            .and_then(|status| status.conditions.as_ref())
            .and_then(|all| all.iter().find(|condition| condition.type_ == "Progressing"))
            .map(|condition| Progressing {
                reason: condition.reason.clone().unwrap_or_default(),
                updated: condition.last_update_time.as_ref().map(|time| time.0),
            });
        let pods = count(status.and_then(|status| status.replicas));
        let updated = count(status.and_then(|status| status.updated_replicas));
        Facts {
            template: spec.map_or_else(String::new, |spec| spec.template.hash().to_owned()),
            rollout: metadata
                .annotations
                .as_ref()
                .and_then(|all| all.get(REVISION_ANNOTATION))
                .and_then(|number| number.parse().ok())
                .unwrap_or(0),
            is_numbered: true,
            caught_up: observed.unwrap_or(0) >= metadata.generation.unwrap_or(0),
            reported: observed.is_some() || progressing.is_some(),
            held: spec.and_then(|spec| spec.paused).unwrap_or(false) || metadata.deletion_timestamp.is_some(),
            by_hand: false,
            wished: spec.and_then(|spec| spec.replicas).unwrap_or(1),
            kept: 0,
            pods,
            old: pods.saturating_sub(updated),
            misses_old: false,
            reached: None,
            is_fresh: false,
            updated,
            available: count(status.and_then(|status| status.available_replicas)),
            is_unfinished: updated == 0,
            revisions: None,
            created: None,
            restart: None,
            progressing,
        }
    }
}
