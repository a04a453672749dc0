//! `alertwright doctor`: what it says of an installation on a real API server, and of one that is broken.

use std::process::{Command, Output};

use alertwright::api::GrafanaInstance;
use alertwright_testbed::{apply, every_release, wait};
use k8s_openapi::api::apps::v1::Deployment;
use kube::Api;
use serde_json::{Value, json};
use tokio::task::spawn_blocking;

use crate::world::{self, SOON, World};

/// Runs a command with these rights, and gives what it printed.
async fn run(kubeconfig: &str, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_alertwright"));
    command.args(arguments).env_clear().env("KUBECONFIG", kubeconfig);
    spawn_blocking(move || command.output().expect("the program"))
        .await
        .expect("an end")
}

/// What it says in JSON, by the names of checks, and its exit code.
async fn doctor(w: &World, more: &[&str]) -> (Value, i32) {
    let arguments = [
        "doctor",
        "-o",
        "json",
        "-n",
        &w.ns,
        "--operator-namespace",
        &w.home,
    ];
    let arguments: Vec<&str> = arguments.iter().chain(more).copied().collect();
    let output = run(&w.plane.kubeconfig().display().to_string(), &arguments).await;
    let said = String::from_utf8_lossy(&output.stderr);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {said}"));
    assert_eq!(report["apiVersion"], "cli.alerting.letsrevel.io/v1");
    let checks = report["checks"].as_array().expect("checks").iter();
    let named = checks.map(|check| (check["name"].as_str().expect("a name").to_owned(), check.clone()));
    (
        named.collect::<serde_json::Map<_, _>>().into(),
        output.status.code().expect("a code"),
    )
}

/// A Deployment and a Lease as the chart's installation has them; the operator itself runs beside the cluster.
async fn deploy(w: &World) {
    let deployment = json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "alertwright", "labels": {"app.kubernetes.io/name": "alertwright"}},
        "spec": {
            "replicas": 1, "selector": {"matchLabels": {"a": "b"}},
            "template": {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "operator", "image": "alertwright:0.1.0"}]}},
        },
    });
    w.plane.apply(&deployment.to_string(), &w.home).await;
}

#[apply(every_release)]
async fn an_installation_is_told_check_by_check_and_nothing_is_written() {
    let w = world::start().await;
    deploy(&w).await;
    let api: Api<GrafanaInstance> = Api::namespaced(w.client().await, &w.home);
    wait::until("the instance is ready", SOON, async || {
        let instance = api.get("default").await.ok()?;
        let mut conditions = instance.status.iter().flat_map(|status| &status.conditions);
        conditions
            .any(|one| one.type_ == "Ready" && one.status == "True")
            .then_some(())
    })
    .await;
    let deployments: Api<Deployment> = Api::namespaced(w.client().await, &w.home);
    wait::until("the Deployment is ready", SOON, async || {
        let status = deployments.get("alertwright").await.ok()?.status?;
        (status.ready_replicas == Some(1)).then_some(())
    })
    .await;
    let before = w.proxy.requests().writes().len();
    let (checks, code) = doctor(&w, &[]).await;
    for well in [
        "kubernetes",
        "types",
        "right to read resources",
        "right to silence",
        "instance default",
        "instance default: grafana",
        "instance default: token",
        "instance default: data source",
    ] {
        assert_eq!(checks[well]["verdict"], "ok", "{well}: {checks:#}");
    }
    let version = w.grafana.version().to_string();
    let said = checks["instance default: grafana"]["message"]
        .as_str()
        .expect("a text");
    assert!(said.ends_with(&version), "{said}");
    assert_eq!(
        (checks["operator"]["verdict"].as_str(), code),
        (Some("ok"), 0),
        "{checks:#}"
    );
    assert_eq!(w.proxy.requests().writes().len(), before);
}

#[apply(every_release)]
async fn a_token_that_may_only_read_and_an_operator_that_is_not_there_are_told_with_the_cure() {
    let w = world::start().await;
    let viewer = w.grafana.account("Viewer").await;
    world::connect(w.plane, &w.home, &w.proxy.url(), &viewer.token, json!({})).await;
    let (checks, code) = doctor(&w, &[]).await;
    assert_eq!(code, 1);
    let token = &checks["instance default: token"];
    assert_eq!(token["verdict"], "failed", "{checks:#}");
    assert!(
        token["message"]
            .as_str()
            .is_some_and(|text| text.contains("may not write rules")),
        "{token}"
    );
    assert!(
        token["cure"].as_str().is_some_and(|text| text.contains("Admin")),
        "{token}"
    );
    assert_eq!(checks["operator"]["verdict"], "failed");
    let pre = ["--pre"];
    let (before, code) = doctor(&w, &pre).await;
    assert_eq!(code, 0, "{before:#}");
    assert_eq!(before["right to install types"]["verdict"], "ok");
    assert_eq!(before["installation"]["verdict"], "warning");
}
