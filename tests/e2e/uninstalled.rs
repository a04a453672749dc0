//! `alertwright remove-finalizers`: nothing hangs once the operator is gone, and it says so where one is still at work.

use std::process::{Command, Output, Stdio};

use alertwright::api::{AlertRule, Silence};
use alertwright_testbed::{any_release, apply, wait};
use kube::api::DeleteParams;
use kube::{Api, ResourceExt};
use serde_json::json;
use tokio::task::spawn_blocking;

use crate::rules::{QUIET, in_grafana, quiet};
use crate::world::{self, Reported, SOON, World};

/// Runs the command as the cluster's administrator; standard output, what it said besides, and its exit code.
async fn remove_finalizers(w: &World, timeout: &str) -> (String, String, i32) {
    ran(w, &["--timeout", timeout]).await
}

async fn ran(w: &World, more: &[&str]) -> (String, String, i32) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_alertwright"));
    command
        .args(["remove-finalizers", "--operator-namespace", &w.home])
        .args(["--watch-namespaces", &w.ns])
        .args(more)
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

pub async fn two_resources(w: &World) {
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
    // It may be asked what there would be to do while the operator runs.
    let (counted, said, code) = ran(&w, &["--dry-run"]).await;
    assert_eq!(code, 0, "{counted}{said}");
    assert!(counted.contains("AlertRule            1"), "{counted}");
    assert_eq!(
        finalizers::<AlertRule>(&w, "r").await.len(),
        1,
        "nothing is written"
    );
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

#[apply(any_release)]
async fn an_operator_that_puts_finalizers_on_again_is_told_of_and_works_on() {
    let w = world::start().await;
    two_resources(&w).await;
    // It takes no part in the election, so only its finalizers show that it runs.
    let (told, said, code) = remove_finalizers(&w, "30s").await;
    assert_eq!((told.as_str(), code), ("", 3), "{said}");
    assert!(
        said.contains("has got its finalizer again: an operator is running; stop it first"),
        "{said}"
    );
    wait::until("both have their finalizer", SOON, async || {
        !finalizers::<AlertRule>(&w, "r").await.is_empty() && !finalizers::<Silence>(&w, "s").await.is_empty()
    })
    .await;
    w.put("AlertRule", "r", json!({"query": QUIET, "for": "7m"}))
        .await;
    w.synced::<AlertRule>("r").await;
    let api: Api<AlertRule> = w.api().await;
    in_grafana(&w, "r").await;
    api.delete("r", &DeleteParams::default())
        .await
        .expect("a deletion");
    wait::until("it is gone in Grafana too", SOON, async || {
        w.grafana.rules().await.is_empty()
    })
    .await;
}

#[apply(any_release)]
async fn an_operator_that_holds_the_lease_is_waited_for_and_nothing_is_taken_off() {
    let mut w = world::start().await;
    w.operator.terminate().await;
    let leader = world::operator(&w.home, &w.ns, &w.kubeconfig)
        .args(["--leader-elect"])
        .start()
        .await
        .expect("it starts");
    two_resources(&w).await;
    let (told, said, code) = remove_finalizers(&w, "3s").await;
    assert_eq!((told.as_str(), code), ("", 3), "{said}");
    assert!(
        said.contains("if an operator runs there, stop it first"),
        "{said}"
    );
    assert_eq!(
        finalizers::<AlertRule>(&w, "r").await.len(),
        1,
        "{}",
        leader.log()
    );
    assert_eq!(finalizers::<Silence>(&w, "s").await.len(), 1);
}
