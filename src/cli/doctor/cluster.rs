//! What the cluster says.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::time::Duration;

use futures::future::{join_all, try_join_all};
use jiff::Timestamp;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::authorization::v1::{
    ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec,
};
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::ConfigMap;
use k8s_openapi::api::rbac::v1::ClusterRole;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ManagedFieldsEntry;
use kube::api::{ListParams, PostParams};
use kube::core::discovery::v2::APIGroupDiscoveryList;
use kube::{Api, Client, ResourceExt};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::super::common::connect::Connected;
use super::facts::{Deployed, Facts, Held, Instance, Read, Right, Served, State, Type};
use super::verdict;
use crate::api::condition::READY;
use crate::api::{self, GrafanaInstance};
use crate::cluster::answer::{chain, is_missing};
use crate::cluster::leader;

/// How our objects are labelled by the chart and the manifests.
const LABELLED: &str = "app.kubernetes.io/name=alertwright";
/// Before the name of the role that a `ClusterRole` is taken up into.
const AGGREGATED: &str = "rbac.authorization.k8s.io/aggregate-to-";
/// Where Argo CD keeps its settings, by Argo CD's own manifests.
const ARGO: &str = "argocd-cm";
/// How that ConfigMap is labelled there.
const ARGO_LABELLED: &str = "app.kubernetes.io/part-of=argocd";
/// Before the kind in the keys of health checks.
const HEALTH: &str = "resource.customizations.health.alerting.letsrevel.io_";

pub(super) async fn facts(
    connected: &Connected,
    namespace: Option<&str>,
    now: Timestamp,
) -> Result<Facts, String> {
    let (client, home) = (&connected.client, connected.home.as_str());
    let served = served(client).await;
    Ok(Facts {
        now,
        home: home.to_owned(),
        kubernetes: version(client).await?,
        types: types(client).await,
        rights: rights(client, verdict::needs(namespace, home)).await?,
        deployments: deployments(client, home).await,
        lease: lease(client, home).await,
        instances: instances(client, home).await,
        named: None,
        aggregated: aggregated(client).await,
        argo: argo(client, served.as_deref().unwrap_or_default()).await,
        served,
    })
}

/// The API server's version. Without an answer nothing else can be said.
pub(super) async fn version(client: &Client) -> Result<String, String> {
    let said = client.apiserver_version().await;
    let said = said.map_err(|e| format!("cannot ask the cluster: {}", chain(&e)))?;
    Ok(said.git_version)
}

async fn all<K>(api: Api<K>, labels: &str) -> Read<Vec<K>>
where
    K: Clone + Debug + DeserializeOwned,
{
    let found = api.list(&ListParams::default().labels(labels)).await;
    Ok(found.map_err(|e| chain(&e))?.items)
}

async fn types(client: &Client) -> Read<Vec<Type>> {
    let api: Api<CustomResourceDefinition> = Api::all(client.clone());
    let ours = api::crds();
    let found = join_all(
        ours.iter()
            .map(|crd| api.get(crd.metadata.name.as_deref().unwrap_or_default())),
    );
    let found = found.await.into_iter().zip(&ours);
    found
        .map(|(found, ours)| {
            let state = match found {
                Ok(found) if shape(&found) == shape(ours) => State::Same,
                Ok(_) => State::Differs,
                Err(error) if is_missing(&error) => State::Missing,
                Err(error) => return Err(chain(&error)),
            };
            let kind = ours.spec.names.kind.clone();
            Ok(Type { kind, state })
        })
        .collect()
}

/// What of a type the API server takes as it is: it fills in other things.
fn shape(crd: &CustomResourceDefinition) -> Value {
    let versions = crd.spec.versions.iter();
    let versions: Vec<Value> = versions
        .map(|version| {
            json!({
                "name": version.name, "served": version.served, "storage": version.storage, "schema": version.schema,
                "columns": version.additional_printer_columns, "selectable": version.selectable_fields,
            })
        })
        .collect();
    json!({"versions": versions, "short": crd.spec.names.short_names, "categories": crd.spec.names.categories})
}

/// Asks for each right whether whoever asks has it. That may always be asked.
pub(super) async fn rights(client: &Client, needs: Vec<Right>) -> Result<Vec<Right>, String> {
    let api: Api<SelfSubjectAccessReview> = Api::all(client.clone());
    let api = &api;
    try_join_all(needs.into_iter().map(|right| async move {
        let review = SelfSubjectAccessReview {
            spec: SelfSubjectAccessReviewSpec {
                resource_attributes: Some(ResourceAttributes {
                    group: Some(right.group.to_owned()),
                    resource: Some(right.resource.clone()),
                    verb: Some(right.verb.to_owned()),
                    namespace: right.namespace.clone(),
                    ..ResourceAttributes::default()
                }),
                ..SelfSubjectAccessReviewSpec::default()
            },
            ..SelfSubjectAccessReview::default()
        };
        let answer = api.create(&PostParams::default(), &review).await;
        let answer = answer.map_err(|e| format!("cannot ask for your rights: {}", chain(&e)))?;
        let is_allowed = answer.status.is_some_and(|status| status.allowed);
        Ok(Right { is_allowed, ..right })
    }))
    .await
}

async fn deployments(client: &Client, home: &str) -> Read<Vec<Deployed>> {
    let found = all::<Deployment>(Api::namespaced(client.clone(), home), LABELLED).await?;
    Ok(found.into_iter().map(deployed).collect())
}

fn deployed(deployment: Deployment) -> Deployed {
    let name = deployment.name_any();
    let spec = deployment.spec.unwrap_or_default();
    let containers = spec.template.spec.map(|pod| pod.containers).unwrap_or_default();
    let own = containers.first();
    let elects_by = |text: &str| text == "--leader-elect" || text == "--leader-elect=true";
    let arguments = own.and_then(|own| own.args.as_ref()).into_iter().flatten();
    let variables = own.and_then(|own| own.env.as_ref()).into_iter().flatten();
    let mut variables = variables.filter(|variable| variable.name == "LEADER_ELECT");
    Deployed {
        name,
        image: own.and_then(|own| own.image.clone()).unwrap_or_default(),
        wished: spec.replicas.unwrap_or(1),
        ready: deployment
            .status
            .and_then(|status| status.ready_replicas)
            .unwrap_or(0),
        elects: arguments.into_iter().any(|text| elects_by(text))
            || variables.any(|variable| variable.value.as_deref() == Some("true")),
    }
}

async fn lease(client: &Client, home: &str) -> Read<Option<Held>> {
    let api: Api<Lease> = Api::namespaced(client.clone(), home);
    let found = api.get_opt(leader::NAME).await.map_err(|e| chain(&e))?;
    let Some(spec) = found.and_then(|lease| lease.spec) else {
        return Ok(None);
    };
    let seconds = spec
        .lease_duration_seconds
        .and_then(|seconds| u64::try_from(seconds).ok());
    Ok(Some(Held {
        holder: spec.holder_identity.unwrap_or_default(),
        renewed: spec.renew_time.map(|time| time.0),
        lasts: seconds.map_or(leader::DURATION, Duration::from_secs),
    }))
}

/// When a status was last written, by whomever.
fn written(fields: &[ManagedFieldsEntry]) -> Option<Timestamp> {
    let of_status = fields
        .iter()
        .filter(|entry| entry.subresource.as_deref() == Some("status"));
    of_status.filter_map(|entry| Some(entry.time.as_ref()?.0)).max()
}

async fn instances(client: &Client, home: &str) -> Read<Vec<Instance>> {
    let found = all::<GrafanaInstance>(Api::namespaced(client.clone(), home), "").await?;
    let instance = |found: GrafanaInstance| {
        let conditions = found.status.iter().flat_map(|status| &status.conditions);
        let mut ready = conditions.filter(|condition| condition.type_ == READY);
        Instance {
            name: found.name_any(),
            is_declared: true,
            url: found.spec.url.clone(),
            ready: ready
                .next()
                .map(|ready| (ready.status.clone(), ready.reason.clone(), ready.message.clone())),
            written: written(found.managed_fields()),
            default: found.spec.default_datasource.clone(),
            grafana: None,
        }
    };
    Ok(found.into_iter().map(instance).collect())
}

async fn aggregated(client: &Client) -> Read<BTreeSet<String>> {
    let found = all::<ClusterRole>(Api::all(client.clone()), LABELLED).await?;
    let labels = found.iter().flat_map(ResourceExt::labels);
    let into = labels.filter(|(_, value)| *value == "true");
    Ok(into
        .filter_map(|(label, _)| label.strip_prefix(AGGREGATED))
        .map(str::to_owned)
        .collect())
}

/// Everything that the API server serves, which everybody may see.
pub(super) async fn served(client: &Client) -> Read<Vec<Served>> {
    let groups = client.list_api_groups_aggregated().await.map_err(|e| chain(&e))?;
    let core = client
        .list_core_api_versions_aggregated()
        .await
        .map_err(|e| chain(&e))?;
    Ok([core, groups].into_iter().flat_map(of_groups).collect())
}

fn of_groups(list: APIGroupDiscoveryList) -> Vec<Served> {
    let mut all: BTreeMap<(String, String), BTreeSet<String>> = BTreeMap::new();
    for group in list.items {
        let name = group.metadata.and_then(|meta| meta.name).unwrap_or_default();
        for resource in group.versions.into_iter().flat_map(|version| version.resources) {
            let plural = resource.resource.unwrap_or_default();
            let names = all.entry((name.clone(), plural.clone())).or_default();
            names.insert(plural);
            names.extend(resource.singular_resource.filter(|name| !name.is_empty()));
            names.extend(resource.short_names);
        }
    }
    let served = |((group, plural), names)| Served { group, plural, names };
    all.into_iter().map(served).collect()
}

async fn argo(client: &Client, served: &[Served]) -> Read<Option<BTreeSet<String>>> {
    let is_it = |one: &Served| one.group == "argoproj.io" && one.plural == "applications";
    if !served.iter().any(is_it) {
        return Ok(None);
    }
    let found = match all::<ConfigMap>(Api::all(client.clone()), ARGO_LABELLED).await {
        Ok(found) => found,
        // Who may not see all may see the usual place.
        Err(why) => {
            let usual: Api<ConfigMap> = Api::namespaced(client.clone(), "argocd");
            usual.get_opt(ARGO).await.map_err(|_| why)?.into_iter().collect()
        }
    };
    let settings = found.into_iter().filter(|map| map.name_any() == ARGO);
    let keys = settings.flat_map(|map| map.data.unwrap_or_default().into_keys());
    Ok(Some(
        keys.filter_map(|key| key.strip_prefix(HEALTH).map(str::to_owned))
            .collect(),
    ))
}
