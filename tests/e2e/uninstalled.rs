//! `alertwright remove-finalizers`: nothing hangs once the operator is gone.

use std::process::{Command, Output, Stdio};

use alertwright::api::{AlertRule, Silence};
use alertwright_testbed::{any_release, apply};
use kube::{Api, ResourceExt};
use serde_json::json;
use tokio::task::spawn_blocking;

use crate::rules::quiet;
use crate::world::{self, Reported, World};

/// Runs the command as the cluster's administrator; standard output, what it said besides, and its exit code.
async fn remove_finalizers(w: &World, timeout: &str) -> (String, String, i32) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_alertwright"));
    command
        .args(["remove-finalizers", "--operator-namespace", &w.home])
        .args(["--watch-namespaces", &w.ns, "--timeout", timeout])
        .env_clear()
        .env("KUBECONFIG", w.plane.kubeconfig())
        .stdin(Stdio::null());
    let ended: Output = spawn_blocking(move || command.output().expect("the program"))
        .await
        .expect("an end");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("a text");
    (
        text(ended.stdout),
        text(ended.stderr),
        ended.status.code().expect("an exit code"),
    )
}

async fn finalizers<K: Reported>(w: &World, name: &str) -> Vec<String> {
    let api: Api<K> = w.api().await;
    api.get(name).await.expect("it is there").finalizers().to_vec()
}

async fn two_resources(w: &World) {
    w.put("AlertRule", "r", quiet()).await;
    w.put(
        "Silence",
        "s",
        json!({"alertRules": {"names": ["r"]}, "duration": "1h"}),
    )
    .await;
    w.synced::<AlertRule>("r").await;
    w.synced::<Silence>("s").await;
}

#[apply(any_release)]
async fn without_an_operator_all_finalizers_go_nothing_hangs_and_grafana_keeps_what_it_has() {
    let mut w = world::start().await;
    two_resources(&w).await;
    w.operator.terminate().await;
    let writes = w.proxy.requests().writes().len();
    let (told, said, code) = remove_finalizers(&w, "30s").await;
    assert_eq!(code, 0, "{told}{said}");
    for line in [
        "AlertRule            1",
        "Silence              1",
        "ContactPoint         0",
    ] {
        assert!(told.contains(line), "{line}: {told}");
    }
    assert_eq!(finalizers::<AlertRule>(&w, "r").await, [""; 0]);
    assert_eq!(finalizers::<Silence>(&w, "s").await, [""; 0]);
    // Once more there is nothing to do.
    let (told, said, code) = remove_finalizers(&w, "30s").await;
    assert_eq!(code, 0, "{told}{said}");
    assert!(told.contains("AlertRule            0"), "{told}");
    w.delete::<AlertRule>("r").await;
    w.delete::<Silence>("s").await;
    assert_eq!(w.grafana.rules().await.len(), 1);
    assert_eq!(w.grafana.active_silences().await.len(), 1);
    assert_eq!(
        w.proxy.requests().writes().len(),
        writes,
        "Grafana isn't asked for it"
    );
}
