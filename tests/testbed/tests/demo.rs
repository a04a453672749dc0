//! The demonstration on servers that are somebody's: it leaves nothing behind.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "a failure must fail the test"
)]

use std::process::Stdio;

use alertwright_testbed::{ControlPlane, Grafana, Loki, grafana, operator};
use serde_json::json;
use tokio::process::Command;

/// Runs it; whether it exited with 0, and what it printed.
async fn demo(plane: &ControlPlane, grafana: &Grafana, loki: &Loki, more: &[(&str, &str)]) -> (bool, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_demo"))
        .arg("--operator")
        .arg(operator::shipped().expect("the static binary"))
        .env("KUBECONFIG", plane.kubeconfig())
        .env("GRAFANA_URL", grafana.url())
        .env("GRAFANA_TOKEN", grafana.token().await)
        .env("LOKI_URL", loki.url())
        .env_remove("KEEP")
        .envs(more.iter().copied())
        .stdin(Stdio::null())
        .output()
        .await
        .expect("the demonstration runs");
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    println!("{printed}{}", String::from_utf8_lossy(&output.stderr));
    (output.status.success(), printed)
}

#[tokio::test(flavor = "multi_thread")]
async fn on_somebodys_servers_it_asks_before_it_replaces_a_tree_and_leaves_nothing_behind() {
    let plane = ControlPlane::start().await.expect("a control plane");
    let grafana = Grafana::start(grafana::Options::default())
        .await
        .expect("grafana");
    let loki = Loki::start().await.expect("loki");
    let mut tree = grafana.policy_tree().await;
    tree["routes"] = json!([{"receiver": tree["receiver"], "object_matchers": [["team", "=", "x"]]}]);
    grafana.put("/api/v1/provisioning/policies", tree).await.ok();
    let before = grafana.policy_tree().await;
    let contact_points = grafana.contact_points().await;
    let datasources = grafana.get("/api/datasources").await.ok();

    let (happened, printed) = demo(&plane, &grafana, &loki, &[]).await;
    assert!(!happened && printed.contains("DEMO_REPLACE_TREE=1"), "{printed}");
    assert_eq!(grafana.policy_tree().await, before);

    let (happened, printed) = demo(&plane, &grafana, &loki, &[("DEMO_REPLACE_TREE", "1")]).await;
    assert!(happened, "{printed}");
    assert!(printed.contains("skipped"), "{printed}");
    assert_eq!(grafana.policy_tree().await["routes"], before["routes"]);
    assert_eq!(grafana.contact_points().await, contact_points);
    assert_eq!(grafana.get("/api/datasources").await.ok(), datasources);
    assert!(grafana.rules().await.is_empty() && grafana.folders().await.is_empty());
    let left = plane
        .kubectl(["get", "namespaces,clusterroles,crds", "-o", "name"])
        .await
        .ok();
    assert!(!left.contains("demo") && !left.contains("letsrevel"), "{left}");
}
