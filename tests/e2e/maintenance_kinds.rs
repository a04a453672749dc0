//! Rollouts of StatefulSets and DaemonSets by the real controllers, and the silences that they get.

use alertwright::api::{MaintenancePolicy, Silence};
use alertwright_testbed::{any_release, apply, wait};
use kube::ResourceExt;
use serde_json::{Value, json};

use crate::silences::{A_WHILE, becomes, calls_at_rest, id};
use crate::workloads::{
    applied, asking, ended, of_kind, over, roll_of, settled, silenced, silences_of, told, writers,
};
use crate::world::{self, World};

/// The pods of a workload are proven for a moment each, so that a rollout can be seen.
fn slow() -> Value {
    json!({"minReadySeconds": 2})
}

/// A first creation, a rollout, and a pod that goes at rest, each with what it gets.
async fn lives(kind: &str, replicas: &Value) {
    let w = world::start().await;
    let silence = json!({"lease": "30s", "linger": "2s"});
    let target = json!({"kind": kind, "selector": {"matchLabels": {"app": "db"}}});
    let spec = json!({"targets": [target], "silence": silence});
    w.put("MaintenancePolicy", "rollouts", spec).await;
    w.synced::<MaintenancePolicy>("rollouts").await;
    for name in ["db", "other"] {
        let object = of_kind(kind, name, &json!({}), &slow(), replicas);
        w.apply(&object.to_string()).await;
    }
    let first = settled(&w, "db").await;
    assert!(
        first
            .name_any()
            .starts_with(&format!("{}-db-", kind.to_lowercase()))
    );
    let owner = first.owner_references().first().cloned().expect("an owner");
    assert_eq!((owner.kind.as_str(), owner.name.as_str()), (kind, "db"));
    assert_eq!((owner.controller, owner.block_owner_deletion), (None, None));

    roll_of(&w, kind, "db", "2").await;
    let opened = silenced(&w, "db").await;
    assert_ne!(opened.name_any(), first.name_any());
    let done = ended(&w, &opened.name_any(), "Succeeded").await;
    assert_eq!(id(&done), id(&opened), "extended, not opened again");
    becomes(&w, &id(&opened), "expired").await;
    w.reason::<Silence>(&opened.name_any(), "Expired").await;
    for reason in ["SilenceOpened", "SilenceLingers"] {
        told(&w, kind, "db", reason).await;
    }

    // Back to the first template: another rollout of the same name.
    roll_of(&w, kind, "db", "1").await;
    ended(&w, &opened.name_any(), "Succeeded").await;
    let back = silenced(&w, "db").await;
    assert_eq!(back.name_any(), first.name_any());
    ended(&w, &back.name_any(), "Succeeded").await;
    over(&w, &back.name_any()).await;

    pod_goes_at_rest(&w).await;
    assert_eq!(
        silences_of(&w, "other").await.len(),
        0,
        "the policy doesn't select it"
    );
    let managers = writers(&w, kind, "db").await;
    assert!(
        !managers.split(' ').any(|manager| manager == "alertwright"),
        "{managers}"
    );
    let calls = calls_at_rest(&w).await;
    assert_eq!(calls.writes().len(), 0, "{calls}");
}

async fn pod_goes_at_rest(w: &World) {
    let before = applied(w).await;
    let pods = ["delete", "pods", "-l", "app=db", "-n", &w.ns, "--wait=false"];
    w.plane.kubectl(pods).await.ok();
    wait::never("a silence for pods that go at rest", A_WHILE, async || {
        applied(w).await > before
    })
    .await;
}

#[apply(any_release)]
async fn a_stateful_set_is_silenced_while_it_rolls_out_and_not_when_its_pods_go_at_rest() {
    lives("StatefulSet", &json!(3)).await;
}

#[apply(any_release)]
async fn a_daemon_set_is_silenced_while_it_rolls_out_and_not_when_its_pods_go_at_rest() {
    lives("DaemonSet", &Value::Null).await;
}

/// Rollouts of which each waits for a person, and each has a silence from its first pod on; the last one goes back to the first template.
async fn lives_by_hand(kind: &str, replicas: &Value) {
    let w = world::start().await;
    let mut spec = slow();
    spec["updateStrategy"] = json!({"type": "OnDelete"});
    let object = of_kind(kind, "db", &asking("30s", "2s"), &spec, replicas);
    w.apply(&object.to_string()).await;
    settled(&w, "db").await;
    for version in ["2", "3", "1"] {
        let before = applied(&w).await;
        roll_of(&w, kind, "db", version).await;
        wait::never("a silence before a pod is deleted", A_WHILE, async || {
            applied(&w).await > before
        })
        .await;
        let pods = ["get", "pods", "-l", "app=db", "-n", &w.ns, "-o", "name"];
        let pods = w.plane.kubectl(pods).await.ok();
        let mut pods = pods.split_whitespace();
        let delete = async |pod: &str| {
            let args = ["delete", pod, "-n", &w.ns, "--wait=false"];
            w.plane.kubectl(args).await.ok();
        };
        delete(pods.next().expect("a pod")).await;
        let opened = silenced(&w, "db").await;
        for pod in pods {
            delete(pod).await;
        }
        ended(&w, &opened.name_any(), "Succeeded").await;
        over(&w, &opened.name_any()).await;
    }
    pod_goes_at_rest(&w).await;
}

#[apply(any_release)]
async fn each_rollout_of_a_stateful_set_by_hand_is_silenced_from_its_first_pod_on() {
    lives_by_hand("StatefulSet", &json!(3)).await;
}

#[apply(any_release)]
async fn each_rollout_of_a_daemon_set_by_hand_is_silenced_from_its_first_pod_on() {
    lives_by_hand("DaemonSet", &Value::Null).await;
}
