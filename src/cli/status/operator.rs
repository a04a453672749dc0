//! The operator itself, as its Deployment and its Lease say.

use serde::Serialize;
use serde_json::Value;

use crate::domain::lint::object::Object;

/// The operator.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Operator {
    /// Its Deployment, as namespace and name; none where it can't be seen.
    pub(super) deployment: Option<String>,
    /// Its version, as the Deployment says.
    pub(super) version: Option<String>,
    /// How many of its replicas are ready.
    pub(super) ready: i64,
    /// How many there should be.
    pub(super) wanted: i64,
    /// Which of them holds the Lease.
    pub(super) leader: Option<String>,
    /// Whether one may not look at its Deployment.
    #[serde(skip)]
    pub(super) is_unseen: bool,
}

/// What these objects say of the operator.
pub(super) fn operator(objects: &[Object]) -> Operator {
    let of = |kind: &str| objects.iter().find(|object| object.kind == kind);
    let leader = of("Lease").and_then(|lease| lease.spec().get("holderIdentity")?.as_str());
    let leader = leader.filter(|holder| !holder.is_empty()).map(str::to_owned);
    let Some(deployment) = of("Deployment") else {
        return Operator {
            leader,
            ..Operator::default()
        };
    };
    let ready = deployment
        .value
        .pointer("/status/readyReplicas")
        .and_then(Value::as_i64);
    Operator {
        deployment: Some(format!("{}/{}", deployment.namespace, deployment.name)),
        version: version(deployment),
        ready: ready.unwrap_or(0),
        wanted: deployment
            .spec()
            .get("replicas")
            .and_then(Value::as_i64)
            .unwrap_or(1),
        leader,
        is_unseen: false,
    }
}

/// The version that its labels say, else that of its image.
fn version(deployment: &Object) -> Option<String> {
    let labels = deployment.labels();
    if let Some(version) = labels.get("app.kubernetes.io/version") {
        return Some(version.clone());
    }
    let image = deployment
        .spec()
        .pointer("/template/spec/containers/0/image")?
        .as_str()?;
    let name = image.rsplit('/').next()?.split('@').next()?;
    name.split_once(':').map(|(_, tag)| tag.to_owned())
}
