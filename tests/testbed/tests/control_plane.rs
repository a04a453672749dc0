//! The control plane runs workloads and enforces rights.

#![allow(clippy::expect_used, reason = "a failure of the set-up fails the test")]

use std::time::Duration;

use alertwright_testbed::{ControlPlane, control_plane::Watch, wait};
use k8s_openapi::api::{apps::v1::Deployment, batch::v1::Job, coordination::v1::Lease};
use kube::{Api, api::ListParams};

const SOON: Duration = Duration::from_secs(30);

const WORKLOADS: &str = r"
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: example.com/web:1}]}
---
---
apiVersion: batch/v1
kind: Job
metadata: {name: migrate}
spec:
  template:
    spec: {restartPolicy: Never, containers: [{name: migrate, image: example.com/web:1}]}
";

#[tokio::test]
async fn a_deployment_becomes_ready_and_a_job_completes() {
    let plane = ControlPlane::shared().await;
    let namespace = plane.namespace("workloads").await;
    plane.apply(WORKLOADS, &namespace).await;

    let deployments: Api<Deployment> = Api::namespaced(plane.admin().await, &namespace);
    wait::until("2 ready replicas", SOON, async || {
        let status = deployments.get("web").await?.status;
        Ok::<_, kube::Error>(status.filter(|status| status.ready_replicas == Some(2)))
    })
    .await;
    let jobs: Api<Job> = Api::namespaced(plane.admin().await, &namespace);
    wait::until("a complete Job", SOON, async || {
        let status = jobs.get("migrate").await?.status;
        Ok::<_, kube::Error>(status.filter(|status| status.succeeded == Some(1)))
    })
    .await;

    let seen = plane
        .kubectl(["get", "deployments", "-n", &namespace, "--no-headers"])
        .await
        .ok();
    assert!(seen.starts_with("web") && seen.contains("2/2"), "{seen}");
}

#[tokio::test]
async fn an_unknown_field_is_refused() {
    let plane = ControlPlane::shared().await;
    let namespace = plane.namespace("strict").await;
    let refused = plane
        .try_apply(&WORKLOADS.replace("replicas", "replica"), &namespace)
        .await;
    let error = format!("{:?}", refused.expect_err("a typing error in a manifest"));
    assert!(error.contains("spec.replica"), "{error}");
}

#[tokio::test]
async fn a_new_custom_resource_can_be_applied_with_its_definition() {
    let plane = ControlPlane::shared().await;
    let namespace = plane.namespace("custom").await;
    let yaml = r"
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: gauges.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {kind: Gauge, plural: gauges, singular: gauge}
  versions:
  - name: v1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
---
apiVersion: example.com/v1
kind: Gauge
metadata: {name: one}
";
    plane.apply(yaml, &namespace).await;
    plane
        .kubectl(["get", "gauge", "one", "-n", &namespace])
        .await
        .ok();
}

#[tokio::test]
async fn an_operator_has_its_rights_where_it_watches_and_nowhere_else() {
    let plane = ControlPlane::shared().await;
    let own = plane.namespace("operator").await;
    let watched = plane.namespace("watched").await;
    let foreign = plane.namespace("foreign").await;

    let kubeconfig = plane.operator_account(&own, Watch::Namespaces(&[&watched])).await;
    let client = plane.client(&kubeconfig).await;
    let may_list = async |namespace: &str| {
        let deployments: Api<Deployment> = Api::namespaced(client.clone(), namespace);
        deployments.list(&ListParams::default()).await.is_ok()
    };
    assert!(may_list(&watched).await);
    assert!(!may_list(&foreign).await);
    let leases: Api<Lease> = Api::namespaced(client.clone(), &own);
    assert!(leases.get_opt("alertwright").await.is_ok(), "its own Role holds");
    let leases: Api<Lease> = Api::namespaced(client.clone(), &watched);
    assert!(
        leases.get_opt("alertwright").await.is_err(),
        "and only in its own namespace"
    );

    let everywhere = plane.namespace("operator").await;
    let kubeconfig = plane.operator_account(&everywhere, Watch::All).await;
    let deployments: Api<Deployment> = Api::all(plane.client(&kubeconfig).await);
    deployments
        .list(&ListParams::default())
        .await
        .expect("rights in all namespaces");
}

#[tokio::test]
async fn what_is_stored_survives_an_outage_of_the_api_server() {
    let plane = ControlPlane::start().await.expect("a control plane of our own");
    let namespace = plane.namespace("outage").await;
    plane.stop_apiserver();
    assert!(!plane.kubectl(["get", "namespace", &namespace]).await.success);
    plane.start_apiserver().await.expect("the API server again");
    plane.kubectl(["get", "namespace", &namespace]).await.ok();
}
