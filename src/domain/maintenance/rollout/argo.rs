//! A Rollout of Argo Rollouts (`argoproj.io/v1alpha1`), as far as it is rolling out: no more of it than is read.
//!
//! What its fields mean is in Argo Rollouts' documentation and source (argoproj/argo-rollouts, `utils/rollout/rolloututil.go` at commit 02f04b15
//! and `utils/conditions/conditions.go` of the same time). A rollout is under way until the template's `ReplicaSet` is the stable one
//! (`currentPodHash` is `stableRS`), whatever the pods do: scaling and pods that break leave that as it is. It is held at a pause,
//! of its steps or of a person, and has failed when it was aborted or got no further for `progressDeadlineSeconds`.
//! A restart (`restartAt`) changes no template, and no count tells how far it is.

use std::borrow::Cow;

use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time};
use kube::Resource;
use serde::Deserialize;
use serde_json::Value;

use super::{Facts, Progressing, Restart, RollsOut, Template};
use crate::api::maintenance_policy::WorkloadKind;

/// Where Argo Rollouts counts the `ReplicaSets` that it has made for templates.
const REVISION_ANNOTATION: &str = "rollout.argoproj.io/revision";

/// A Rollout.
#[derive(Deserialize, Clone, Debug, Default)]
pub struct Rollout {
    /// Its metadata.
    #[serde(default)]
    pub metadata: ObjectMeta,
    #[serde(default)]
    spec: Spec,
    #[serde(default)]
    status: Status,
}

#[derive(Deserialize, Clone, Debug, Default)]
#[serde(rename_all = "camelCase", default)]
struct Spec {
    /// 1 if it isn't set.
    replicas: Option<i32>,
    paused: bool,
    restart_at: Option<Time>,
    /// Absent where the template is another workload's (`workloadRef`).
    template: Option<Template>,
    strategy: Strategy,
}

#[derive(Deserialize, Clone, Debug, Default)]
#[serde(rename_all = "camelCase", default)]
struct Strategy {
    canary: Option<Canary>,
}

#[derive(Deserialize, Clone, Debug, Default)]
#[serde(rename_all = "camelCase", default)]
struct Canary {
    traffic_routing: Option<Value>,
}

#[derive(Deserialize, Clone, Debug, Default)]
#[serde(rename_all = "camelCase", default)]
struct Status {
    abort: bool,
    pause_conditions: Vec<Value>,
    current_pod_hash: String,
    #[serde(rename = "stableRS")]
    stable_rs: String,
    replicas: i32,
    updated_replicas: i32,
    available_replicas: i32,
    /// The generation as text; up to 0.9 a hash.
    observed_generation: String,
    restarted_at: Option<Time>,
    conditions: Vec<Condition>,
}

#[derive(Deserialize, Clone, Debug, Default)]
#[serde(rename_all = "camelCase", default)]
struct Condition {
    #[serde(rename = "type")]
    type_: String,
    reason: String,
    last_update_time: Option<Time>,
}

impl Resource for Rollout {
    type DynamicType = ();
    type Scope = NamespaceResourceScope;

    fn kind((): &()) -> Cow<'_, str> {
        WorkloadKind::Rollout.as_str().into()
    }
    fn group((): &()) -> Cow<'_, str> {
        "argoproj.io".into()
    }
    fn version((): &()) -> Cow<'_, str> {
        "v1alpha1".into()
    }
    fn plural((): &()) -> Cow<'_, str> {
        "rollouts".into()
    }
    fn meta(&self) -> &ObjectMeta {
        &self.metadata
    }
    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.metadata
    }
}

impl Rollout {
    /// The template's pods are the stable ones. A new Rollout has none before its first pods are available.
    fn is_promoted(&self) -> bool {
        let status = &self.status;
        !status.stable_rs.is_empty() && status.stable_rs == status.current_pod_hash
    }

    /// Whether pods of earlier templates go before the rollout is over. With traffic routing and with the strategy `blueGreen` they stay for
    /// `scaleDownDelaySeconds`, without traffic.
    fn replaces_pods(&self) -> bool {
        let canary = self.spec.strategy.canary.as_ref();
        canary.is_some_and(|canary| canary.traffic_routing.is_none())
    }

    /// What its controller says where that decides anything: that it failed, or that it was taken up again and isn't over.
    fn told(&self) -> Option<Progressing> {
        let conditions = &self.status.conditions;
        let told = |condition: &Condition, reason: &str| Progressing {
            reason: reason.to_owned(),
            updated: condition.last_update_time.as_ref().map(|time| time.0),
        };
        if let Some(invalid) = conditions.iter().find(|c| c.type_ == "InvalidSpec") {
            return Some(told(invalid, &invalid.type_));
        }
        let progressing = conditions.iter().find(|c| c.type_ == "Progressing");
        let progressing = progressing.map(|condition| told(condition, &condition.reason));
        if self.status.abort {
            return Some(Progressing {
                reason: "RolloutAborted".to_owned(),
                updated: progressing.and_then(|progressing| progressing.updated),
            });
        }
        progressing.filter(|progressing| {
            let decides = [
                "ProgressDeadlineExceeded",
                "ReplicaSetCreateError",
                "RolloutResumed",
            ];
            !self.is_promoted() && decides.contains(&progressing.reason.as_str())
        })
    }
}

impl RollsOut for Rollout {
    const KIND: WorkloadKind = WorkloadKind::Rollout;

    fn facts(&self) -> Facts {
        let (spec, status) = (&self.spec, &self.status);
        let revision = self
            .metadata
            .annotations
            .as_ref()
            .and_then(|all| all.get(REVISION_ANNOTATION))
            .and_then(|number| number.parse().ok());
        let observed: Option<i64> = status.observed_generation.parse().ok();
        let reported = !status.observed_generation.is_empty();
        let is_paused = spec.paused || !status.pause_conditions.is_empty();
        let is_promoted = self.is_promoted();
        let lets_stay = is_promoted && !self.replaces_pods();
        let pods = if lets_stay {
            status.updated_replicas
        } else {
            status.replicas
        };
        Facts {
            template: match &spec.template {
                Some(template) => template.hash().to_owned(),
                None => status.current_pod_hash.clone(),
            },
            rollout: revision.unwrap_or(0),
            is_numbered: true,
            caught_up: match observed {
                Some(observed) => observed >= self.metadata.generation.unwrap_or(0),
                None => reported,
            },
            reported,
            held: is_paused && !status.abort || self.metadata.deletion_timestamp.is_some(),
            by_hand: false,
            wished: spec.replicas.unwrap_or(1),
            kept: 0,
            pods,
            old: pods.saturating_sub(status.updated_replicas),
            misses_old: false,
            reached: None,
            is_fresh: false,
            updated: status.updated_replicas,
            available: status.available_replicas,
            revisions: None,
            is_unfinished: !is_promoted,
            created: None,
            restart: spec.restart_at.as_ref().map(|at| Restart {
                at: at.0,
                is_over: status.restarted_at.as_ref() == Some(at),
            }),
            progressing: self.told(),
        }
    }
}
