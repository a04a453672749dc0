use serde_json::{Value, json};

use super::*;
use crate::domain::maintenance::recorded::{deployment, words};

#[test]
fn real_sequences_are_read_as_what_they_are() {
    let stuck = "ProgressDeadlineExceeded";
    let cases: [(&str, &[&str]); 16] = [
        ("first creation", &["running 1", "succeeded 1"]),
        ("new image", &["succeeded 1", "running 2", "succeeded 2"]),
        ("scaled only", &["succeeded 2"]),
        ("annotated", &["succeeded 9"]),
        ("rollback", &["succeeded 2", "running 3", "succeeded 3"]),
        (
            "changed while paused",
            &["succeeded 3", "idle", "running 4", "succeeded 4"],
        ),
        (
            "paused and resumed at rest",
            &["succeeded 4", "idle", "succeeded 4"],
        ),
        (
            "paused midway",
            &["succeeded 4", "running 5", "idle", "running 5", "succeeded 5"],
        ),
        (
            "changed at zero replicas",
            &["succeeded 10", "idle", "succeeded 11"],
        ),
        (
            "without a progress deadline",
            &[
                "succeeded 11",
                "running 12",
                "succeeded 12",
                "still running 12",
                "idle",
                "succeeded 12",
            ],
        ),
        ("deleted", &["succeeded 13", "idle"]),
        (
            "back to a template that is stuck",
            &["succeeded 3", "running 4", "running 5", "succeeded 5"],
        ),
        (
            "stuck, undone",
            &[
                "succeeded 1",
                "running 2",
                &format!("failed 2 {stuck}"),
                "running 3",
                "succeeded 3",
            ],
        ),
        (
            "stuck, scaled, undone",
            &[
                "succeeded 5",
                "running 6",
                &format!("failed 6 {stuck}"),
                "running 6",
                "running 7",
                "succeeded 7",
            ],
        ),
        // The old failure is said of the new rollout for a moment: the lease knows it by its condition.
        (
            "stuck without surge, undone",
            &[
                "succeeded 6",
                "running 7",
                &format!("failed 7 {stuck}"),
                "running 8",
                &format!("failed 8 {stuck}"),
                "running 8",
                "succeeded 8",
            ],
        ),
        // Its controller numbers this rollout only after the first look.
        (
            "recreated",
            &[
                "succeeded 12",
                "running 13",
                "running 12",
                "running 13",
                "succeeded 13",
            ],
        ),
    ];
    for (sequence, expected) in cases {
        assert_eq!(words(&deployment(sequence, false)), expected, "{sequence}");
    }
}

#[test]
fn rollouts_of_other_strategies_and_that_flap_are_read_as_what_they_are() {
    let cases: [(&str, &[&str]); 7] = [
        (
            "superseded midway",
            &["succeeded 1", "running 2", "running 3", "succeeded 3"],
        ),
        ("without surge", &["succeeded 1", "running 2", "succeeded 2"]),
        ("surge of all", &["succeeded 1", "running 2", "succeeded 2"]),
        (
            "recreate, new image",
            &[
                "succeeded 1",
                "running 2",
                "running 1",
                "succeeded 1",
                "running 2",
                "succeeded 2",
            ],
        ),
        // Its controller goes on saying what it said of the rollout before: the lease goes by the counts.
        (
            "recreate, rolled back",
            &["succeeded 2", "running 3", "succeeded 3"],
        ),
        (
            "recreate of 3, rolled back",
            &["running 2", "succeeded 2", "running 3", "succeeded 3"],
        ),
        ("flapping", &["succeeded 1", "running 2"]),
    ];
    for (sequence, expected) in cases {
        assert_eq!(words(&deployment(sequence, false)), expected, "{sequence}");
    }
}

#[test]
fn a_restarted_operator_sees_a_rollout_as_soon_as_its_controller_does() {
    for sequence in [
        "new image",
        "rollback",
        "changed while paused",
        "recreated",
        "first creation",
    ] {
        let seen = words(&deployment(sequence, true));
        assert!(
            seen.iter().any(|phase| phase.starts_with("running")),
            "{sequence}: {seen:?}"
        );
        assert_eq!(
            seen.last(),
            words(&deployment(sequence, false)).last(),
            "{sequence}"
        );
    }
}

fn facts(change: impl FnOnce(&mut Value)) -> Facts {
    let mut object = json!({
        "metadata": {"generation": 4, "annotations": {"deployment.kubernetes.io/revision": "3"}},
        "spec": {"replicas": 2, "selector": {}, "template": {"metadata": {"labels": {"a": "1", "b": "2"}}}},
        "status": {
            "observedGeneration": 4, "replicas": 2, "updatedReplicas": 2, "readyReplicas": 2, "availableReplicas": 2,
            "conditions": [{
                "type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable",
                "lastUpdateTime": "2026-11-23T22:00:00Z",
            }],
        },
    });
    change(&mut object);
    serde_json::from_value::<Deployment>(object).unwrap().facts()
}

fn with_reason(reason: &str) -> Facts {
    facts(|object| object["status"]["conditions"][0]["reason"] = json!(reason))
}

#[test]
fn a_replica_set_that_cannot_be_created_is_a_failure() {
    let phase = observe(&with_reason("ReplicaSetCreateError"), None);
    assert!(matches!(phase, Phase::Failed(verdict) if verdict.reason == "ReplicaSetCreateError"));
}

#[test]
fn finding_a_complete_replica_set_is_no_rollout() {
    assert_eq!(observe(&with_reason("FoundNewReplicaSet"), None), Phase::Idle);
}

#[test]
fn a_pod_that_breaks_after_the_rollout_is_no_rollout() {
    let broken = facts(|object| object["status"]["availableReplicas"] = json!(1));
    assert!(matches!(observe(&broken, None), Phase::Succeeded(_)));
    let unjudged = facts(|object| {
        object["status"]["availableReplicas"] = json!(1);
        object["status"]["conditions"] = json!([]);
    });
    let phase = observe(&unjudged, None);
    assert!(
        matches!(&phase, Phase::Running(under_way) if !under_way.is_certain),
        "what is open goes on, and nothing opens: {phase:?}"
    );
}

#[test]
fn without_a_progress_deadline_a_rollout_succeeds_when_its_pods_are_available() {
    let first = |available: i32| {
        facts(|object| {
            object["status"] = json!({
                "observedGeneration": 4, "replicas": 2, "updatedReplicas": 2, "availableReplicas": available,
            });
        })
    };
    assert!(
        matches!(observe(&first(0), None), Phase::Running(_)),
        "pods exist"
    );
    assert!(matches!(observe(&first(1), None), Phase::Running(_)));
    assert!(matches!(observe(&first(2), None), Phase::Succeeded(_)));
}

#[test]
fn without_a_progress_deadline_a_template_without_pods_is_rolling_out() {
    let waiting = facts(|object| {
        object["status"] = json!({"observedGeneration": 4});
    });
    assert!(matches!(observe(&waiting, None), Phase::Running(_)));
}

#[test]
fn a_changed_template_is_noticed_before_its_controller_notices() {
    let before = facts(|_| {}).settled().unwrap();
    let changed = facts(|object| {
        object["metadata"]["generation"] = json!(5);
        object["spec"]["template"]["metadata"]["labels"]["a"] = json!("9");
    });
    let phase = observe(&changed, Some(&before));
    assert_eq!(
        phase.run(),
        Some(&Run {
            revision: changed.template.clone(),
            attempt: 4
        })
    );
    assert!(matches!(phase, Phase::Running(_)));
    let scaled = facts(|object| {
        object["metadata"]["generation"] = json!(5);
        object["spec"]["replicas"] = json!(7);
    });
    assert!(matches!(observe(&scaled, Some(&before)), Phase::Succeeded(_)));
}

#[test]
fn the_hash_is_short_stable_and_of_the_template_alone() {
    let template = facts(|_| {}).template;
    assert_eq!(template, "37mubcrg");
    assert_eq!(
        facts(|object| object["spec"]["replicas"] = json!(9)).template,
        template
    );
    assert_ne!(
        facts(|object| object["spec"]["template"]["metadata"]["labels"]["a"] = json!("2")).template,
        template
    );
}
