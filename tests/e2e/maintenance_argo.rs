//! Rollouts of Argo Rollouts, whose status the test writes as its controller would, and the silences that they get.

use alertwright::api::{MaintenancePolicy, Silence};
use alertwright_testbed::{any_release, apply, wait};
use kube::ResourceExt;
use serde_json::{Value, json};

use crate::silences::{becomes, calls_at_rest, id};
use crate::workloads::{ended, roll_by_merge, silenced, told};
use crate::world::{self, SOON, World};

fn rollout(name: &str) -> Value {
    json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "metadata": {"name": name, "labels": {"app": name}},
        "spec": {
            "replicas": 3, "selector": {"matchLabels": {"app": name}}, "strategy": {"canary": {"steps": [{"setWeight": 34}, {"pause": {}}]}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {"containers": [{"name": "main", "image": "example.com/app:1"}]},
            },
        },
    })
}

/// Writes the status as the controller does once it has seen the present specification.
async fn says(w: &World, name: &str, pods: [i32; 3], hashes: [&str; 2], more: Value) {
    let generation = [
        "get",
        "rollout",
        name,
        "-n",
        &w.ns,
        "-o",
        "jsonpath={.metadata.generation}",
    ];
    let generation = w.plane.kubectl(generation).await.ok();
    let mut status = json!({
        "observedGeneration": generation, "replicas": pods[0], "updatedReplicas": pods[1], "availableReplicas": pods[2],
        "currentPodHash": hashes[0], "stableRS": hashes[1], "pauseConditions": null, "abort": null,
    });
    for (field, value) in more.as_object().into_iter().flatten() {
        status[field] = value.clone();
    }
    let patch = json!({"status": status}).to_string();
    let patch = [
        "patch",
        "rollout",
        name,
        "-n",
        &w.ns,
        "--subresource=status",
        "--type=merge",
        "-p",
        &patch,
    ];
    w.plane.kubectl(patch).await.ok();
}

/// Waits until the policy's message has these words, or hasn't.
async fn policy_says(w: &World, text: &str, has: bool) {
    let api = w.api::<MaintenancePolicy>().await;
    wait::until(
        &format!("the policy says {text:?}: {has}"),
        2 * SOON,
        async || {
            let policy = api.get("rollouts").await.ok();
            let status = policy.as_ref().and_then(|policy| policy.status.clone());
            let says = |text: &str| {
                status
                    .as_ref()
                    .is_some_and(|s| s.conditions.iter().any(|c| c.message.contains(text)))
            };
            let is_there = status
                .as_ref()
                .is_some_and(|status| !status.conditions.is_empty());
            if is_there && says(text) == has {
                wait::Seen::Yes(())
            } else {
                wait::not_yet(status)
            }
        },
    )
    .await;
}

#[apply(any_release)]
async fn a_rollout_of_argo_is_silenced_while_it_moves_not_while_it_waits_and_not_when_it_is_aborted() {
    let w = world::start().await;
    let silence = json!({"lease": "30s", "linger": "1s"});
    let target = json!({"kind": "Rollout", "selector": {"matchLabels": {"app": "web"}}});
    let spec = json!({"targets": [target], "silence": silence});
    w.put("MaintenancePolicy", "rollouts", spec).await;
    policy_says(&w, "rollouts.argoproj.io isn't installed", true).await;
    w.plane
        .apply(include_str!("maintenance_argo/rollouts.yaml"), "default")
        .await;
    let web = rollout("web").to_string();
    wait::until("Rollouts are served", SOON, async || {
        w.plane.try_apply(&web, &w.ns).await.is_ok()
    })
    .await;
    // It is looked for every half a minute.
    policy_says(&w, "isn't installed", false).await;

    let first = silenced(&w, "web").await;
    assert!(
        first.name_any().starts_with("rollout-web-"),
        "{}",
        first.name_any()
    );
    let owner = first.owner_references().first().cloned().expect("an owner");
    assert_eq!(
        (owner.kind.as_str(), owner.api_version.as_str()),
        ("Rollout", "argoproj.io/v1alpha1")
    );
    says(&w, "web", [3, 3, 3], ["a", "a"], json!({})).await;
    ended(&w, &first.name_any(), "Succeeded").await;

    // A canary, which waits for a person and goes on.
    roll_by_merge(&w, "rollout", "web", "2").await;
    says(&w, "web", [3, 1, 2], ["b", "a"], json!({})).await;
    let opened = silenced(&w, "web").await;
    assert_ne!(opened.name_any(), first.name_any());
    let pause =
        json!({"pauseConditions": [{"reason": "CanaryPauseStep", "startTime": "2026-01-01T00:00:00Z"}]});
    says(&w, "web", [3, 1, 3], ["b", "a"], pause).await;
    becomes(&w, &id(&opened), "expired").await;
    says(&w, "web", [4, 2, 3], ["b", "a"], json!({})).await;
    let again = silenced(&w, "web").await;
    assert_eq!(again.name_any(), opened.name_any());

    // It is aborted: heard at once.
    says(&w, "web", [3, 0, 3], ["b", "a"], json!({"abort": true})).await;
    ended(&w, &opened.name_any(), "Failed").await;
    becomes(&w, &id(&again), "expired").await;
    w.reason::<Silence>(&opened.name_any(), "Expired").await;
    told(&w, "Rollout", "web", "SilenceOpened").await;
    let calls = calls_at_rest(&w).await;
    assert_eq!(calls.writes().len(), 0, "{calls}");
}
