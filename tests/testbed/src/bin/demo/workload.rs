//! The workloads of the story: Revel's web and worker Deployments, and a migration Job.

use serde_json::{Value, json};

use crate::stage::Stage;

/// Starts and stops at once, on any cluster.
const IMAGE: &str = "registry.k8s.io/pause:3.10";

/// A Deployment of Revel.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deployment {
    pub(crate) name: &'static str,
    /// What is rolled out.
    pub(crate) version: &'static str,
    /// A node that no cluster has, so that new pods never start.
    pub(crate) is_stuck: bool,
    /// The rules that its rollouts silence; None: as the `MaintenancePolicy` says.
    pub(crate) silences: Option<&'static str>,
}

impl Deployment {
    pub(crate) fn object(self, stage: &Stage) -> Value {
        let labels = json!({"app": self.name, "app.kubernetes.io/part-of": "revel"});
        let nowhere = json!({"kubernetes.io/hostname": "no-such-node"});
        let annotations = self
            .silences
            .map(|rules| json!({"alerting.letsrevel.io/silence": rules}));
        json!({
            "apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {
                "name": self.name, "namespace": stage.namespace, "labels": labels, "annotations": annotations,
            },
            "spec": {
                "replicas": 2,
                "minReadySeconds": stage.pace.min_ready,
                "progressDeadlineSeconds": stage.pace.deadline,
                "selector": {"matchLabels": {"app": self.name}},
                "strategy": {"rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}},
                "template": {
                    "metadata": {"labels": labels, "annotations": {"version": self.version}},
                    "spec": {
                        "nodeSelector": self.is_stuck.then_some(nowhere),
                        "terminationGracePeriodSeconds": 1,
                        "containers": [{"name": "revel", "image": IMAGE}],
                    },
                },
            },
        })
    }
}

/// The migration Job: a container that does nothing for a few seconds.
pub(crate) fn migration(stage: &Stage) -> Value {
    json!({
        "apiVersion": "batch/v1", "kind": "Job",
        "metadata": {"name": "migrate", "namespace": stage.namespace, "labels": {"revel.io/task": "migrate"}},
        "spec": {"template": {"spec": {
            "restartPolicy": "Never",
            "containers": [{"name": "migrate", "image": "busybox:1.37", "command": ["sleep", "5"]}],
        }}},
    })
}

/// Whether a condition of an object is True; else what it says.
pub(crate) fn condition(object: &Value, type_: &str) -> Result<(), String> {
    let conditions = object.pointer("/status/conditions").and_then(Value::as_array);
    let found = conditions
        .into_iter()
        .flatten()
        .find(|condition| condition.get("type").is_some_and(|own| own == type_));
    match found {
        Some(condition) if condition.get("status").is_some_and(|status| status == "True") => Ok(()),
        other => Err(format!("{type_}: {}", other.cloned().unwrap_or_default())),
    }
}
