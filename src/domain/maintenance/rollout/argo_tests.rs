//! Every state of a Rollout, with the status that the controller of Argo Rollouts writes for it (by its source, as [`super::argo`] says).

use k8s_openapi::jiff::Timestamp;
use serde_json::{Value, json};

use super::argo::Rollout;
use super::*;
use crate::domain::maintenance::phase::UnderWay;
use crate::domain::maintenance::recorded::words;

const NOW: &str = "2026-01-01T10:00:00Z";

/// At rest with three pods of the template `a`, which is revision 1, with these differences. The strategy is a canary's without traffic routing.
fn rollout(changes: &[Value]) -> Rollout {
    let mut object = json!({
        "metadata": {
            "name": "web", "namespace": "shop", "uid": "u", "generation": 1, "creationTimestamp": "2026-01-01T09:00:00Z",
            "annotations": {"rollout.argoproj.io/revision": "1"},
        },
        "spec": {
            "replicas": 3, "strategy": {"canary": {"steps": [{"setWeight": 34}, {"pause": {}}]}}, "template": template("a"),
            "selector": {"matchLabels": {"app": "web"}},
        },
        "status": {
            "observedGeneration": "1", "currentPodHash": "a", "stableRS": "a", "replicas": 3, "updatedReplicas": 3,
            "readyReplicas": 3, "availableReplicas": 3, "phase": "Healthy",
            "conditions": [progressing("NewReplicaSetAvailable", "09:10")],
        },
    });
    for change in changes {
        merge(&mut object, change);
    }
    serde_json::from_value(object).unwrap()
}

fn template(image: &str) -> Value {
    json!({"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "main", "image": image}]}})
}

fn progressing(reason: &str, at: &str) -> Value {
    json!({"type": "Progressing", "status": "True", "reason": reason, "lastUpdateTime": format!("2026-01-01T{at}:00Z")})
}

fn merge(into: &mut Value, from: &Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (key, value) in from {
                match value {
                    Value::Null => drop(into.remove(key)),
                    _ => merge(into.entry(key.clone()).or_insert(Value::Null), value),
                }
            }
        }
        (into, from) => *into = from.clone(),
    }
}

/// The controller hasn't looked yet.
fn asked(image: &str, generation: i64) -> Value {
    json!({"metadata": {"generation": generation}, "spec": {"template": template(image)}})
}

/// The controller has looked, and made a `ReplicaSet` for the template.
fn seen(image: &str, revision: i64) -> Value {
    let mut change = asked(image, revision);
    let counts = json!({
        "metadata": {"annotations": {"rollout.argoproj.io/revision": revision.to_string()}},
        "status": {
            "observedGeneration": revision.to_string(), "currentPodHash": image, "updatedReplicas": 0, "phase": "Progressing",
            "conditions": [progressing("NewReplicaSetCreated", "09:59")],
        },
    });
    merge(&mut change, &counts);
    change
}

fn counts(pods: i32, updated: i32, available: i32) -> Value {
    json!({"status": {"replicas": pods, "updatedReplicas": updated, "availableReplicas": available}})
}

fn says(reason: &str) -> Value {
    json!({"status": {"conditions": [progressing(reason, "09:59")]}})
}

fn paused(why: &str) -> Value {
    let paused = json!([{"reason": why, "startTime": "2026-01-01T09:59:00Z"}]);
    json!({"status": {"pauseConditions": paused, "controllerPause": true, "phase": "Paused"}})
}

fn resumed() -> Value {
    json!({"status": {"pauseConditions": null, "phase": "Progressing"}})
}

fn aborted() -> Value {
    json!({"status": {"abort": true, "abortedAt": "2026-01-01T09:59:30Z", "phase": "Degraded"}})
}

fn stable(image: &str) -> Value {
    json!({"status": {"stableRS": image, "phase": "Healthy"}})
}

fn blue_green() -> Value {
    let strategy =
        json!({"canary": null, "blueGreen": {"activeService": "web", "previewService": "preview"}});
    let status = json!({"blueGreen": {"activeSelector": "a", "previewSelector": "a"}});
    json!({"spec": {"strategy": strategy}, "status": status})
}

fn routed() -> Value {
    json!({"spec": {"strategy": {"canary": {"trafficRouting": {"nginx": {"stableIngress": "web"}}}}}})
}

/// What is seen of these states one after the other, and by an operator that restarts before each of them.
fn told(states: &[Vec<Value>]) -> [Vec<String>; 2] {
    let now: Timestamp = NOW.parse().unwrap();
    [false, true].map(|forgets| {
        let mut settled = None;
        let mut phases = Vec::new();
        for state in states {
            let known = settled.as_ref().filter(|_| !forgets);
            let facts = rollout(state).facts().at(now).continuing(known);
            phases.push((now, observe(&facts, known)));
            settled = facts.settled().or(settled.take());
        }
        words(&phases)
    })
}

/// A name, the states, and what is seen of them.
type Case = (&'static str, Vec<Vec<Value>>, &'static [&'static str]);

fn canaries() -> Vec<Case> {
    let first = json!({"status": {"stableRS": ""}});
    let none = json!({"status": null, "metadata": {"annotations": null}});
    vec![
        (
            "first creation",
            vec![
                vec![none],
                vec![first.clone(), counts(0, 0, 0)],
                vec![first, counts(3, 3, 2)],
                vec![],
            ],
            &["running 1", "succeeded 1"],
        ),
        (
            "a step that waits for a person, and is promoted",
            vec![
                vec![],
                vec![asked("b", 2)],
                vec![seen("b", 2), counts(3, 0, 3)],
                vec![seen("b", 2), counts(3, 1, 3)],
                vec![
                    seen("b", 2),
                    counts(3, 1, 3),
                    paused("CanaryPauseStep"),
                    says("RolloutPaused"),
                ],
                vec![seen("b", 2), counts(3, 1, 3), resumed(), says("RolloutResumed")],
                vec![seen("b", 2), counts(4, 2, 3), says("ReplicaSetUpdated")],
                vec![
                    seen("b", 2),
                    counts(3, 3, 3),
                    stable("b"),
                    says("NewReplicaSetAvailable"),
                ],
            ],
            &["succeeded 1", "running 2", "idle", "running 2", "succeeded 2"],
        ),
        (
            "paused by a person",
            vec![
                vec![seen("b", 2), counts(3, 1, 3)],
                vec![seen("b", 2), counts(3, 1, 3), json!({"spec": {"paused": true}})],
            ],
            &["running 2", "idle"],
        ),
    ]
}

fn failures() -> Vec<Case> {
    vec![
        (
            "aborted, and undone by the earlier template",
            vec![
                vec![],
                vec![seen("b", 2), counts(3, 1, 3)],
                vec![
                    seen("b", 2),
                    counts(3, 1, 3),
                    aborted(),
                    says("ReplicaSetUpdated"),
                ],
                vec![seen("b", 2), counts(3, 0, 3), aborted(), says("RolloutAborted")],
                vec![
                    asked("a", 3),
                    counts(3, 3, 3),
                    json!({"metadata": {"annotations": {"rollout.argoproj.io/revision": "3"}}, "status": {"observedGeneration": "3"}}),
                ],
            ],
            &[
                "succeeded 1",
                "running 2",
                "failed 2 RolloutAborted",
                "succeeded 3",
            ],
        ),
        (
            "aborted while it was paused",
            vec![vec![
                seen("b", 2),
                counts(3, 1, 3),
                paused("CanaryPauseStep"),
                aborted(),
            ]],
            &["failed 2 RolloutAborted"],
        ),
        (
            "retried after it was aborted",
            vec![
                vec![seen("b", 2), counts(3, 0, 3), aborted(), says("RolloutAborted")],
                vec![seen("b", 2), counts(3, 0, 3), says("RolloutRetry")],
            ],
            &["failed 2 RolloutAborted", "running 2"],
        ),
        (
            "got no further for progressDeadlineSeconds",
            vec![
                vec![seen("b", 2), counts(4, 1, 3)],
                vec![seen("b", 2), counts(4, 1, 3), says("ProgressDeadlineExceeded")],
            ],
            &["running 2", "failed 2 ProgressDeadlineExceeded"],
        ),
        (
            "a specification that its controller refuses",
            vec![vec![
                json!({"status": {"phase": "Degraded", "conditions": [progressing("NewReplicaSetAvailable", "09:10"), {
                    "type": "InvalidSpec", "status": "True", "reason": "InvalidSpec", "lastUpdateTime": "2026-01-01T09:59:00Z",
                }]}}),
            ]],
            &["failed 1 InvalidSpec"],
        ),
    ]
}

fn replaced() -> Vec<Case> {
    vec![
        (
            "superseded midway",
            vec![
                vec![seen("b", 2), counts(3, 1, 3)],
                vec![seen("c", 3), counts(3, 1, 3)],
                vec![seen("c", 3), counts(3, 3, 3), stable("c")],
            ],
            &["running 2", "running 3", "succeeded 3"],
        ),
        (
            "back to the stable template midway, until the canary's pods are gone",
            vec![
                vec![seen("b", 2), counts(3, 1, 3)],
                vec![seen("a", 3), counts(4, 3, 3)],
                vec![seen("a", 3), counts(3, 3, 3)],
            ],
            &["running 2", "running 3", "succeeded 3"],
        ),
    ]
}

fn others() -> Vec<Case> {
    let none = json!({"spec": {"replicas": 0}});
    vec![
        (
            "blue and green, with a preview that waits",
            vec![
                vec![blue_green()],
                vec![blue_green(), seen("b", 2), counts(3, 0, 0)],
                vec![blue_green(), seen("b", 2), counts(6, 3, 2)],
                vec![
                    blue_green(),
                    seen("b", 2),
                    counts(6, 3, 3),
                    paused("BlueGreenPause"),
                ],
                vec![blue_green(), seen("b", 2), counts(6, 3, 3), resumed()],
                // The analysis after the switch.
                vec![
                    blue_green(),
                    seen("b", 2),
                    counts(6, 3, 3),
                    json!({"status": {"blueGreen": {"activeSelector": "b"}}}),
                ],
                // The old pods stay for `scaleDownDelaySeconds`.
                vec![blue_green(), seen("b", 2), counts(6, 3, 3), stable("b")],
                vec![blue_green(), seen("b", 2), counts(3, 3, 3), stable("b")],
            ],
            &["succeeded 1", "running 2", "idle", "running 2", "succeeded 2"],
        ),
        (
            "traffic that moves before the earlier pods go",
            vec![
                vec![routed(), seen("b", 2), counts(4, 1, 4)],
                vec![routed(), seen("b", 2), counts(6, 3, 6)],
                vec![routed(), seen("b", 2), counts(6, 3, 3), stable("b")],
            ],
            &["running 2", "succeeded 2"],
        ),
        (
            "scaled without a rollout",
            vec![
                vec![json!({"spec": {"replicas": 5}, "metadata": {"generation": 2}})],
                vec![
                    json!({"spec": {"replicas": 5}, "metadata": {"generation": 2}, "status": {"observedGeneration": "2"}}),
                    counts(5, 5, 3),
                    says("ReplicaSetUpdated"),
                ],
                vec![json!({"spec": {"replicas": 5}}), counts(5, 5, 5)],
            ],
            &["still running 1", "succeeded 1"],
        ),
        (
            "pods that break at rest, until its controller gives up",
            vec![
                vec![counts(3, 3, 1), says("ReplicaSetNotAvailable")],
                vec![counts(3, 3, 1), says("ProgressDeadlineExceeded")],
            ],
            &["still running 1"],
        ),
        (
            "zero replicas, also with another template",
            vec![
                vec![none.clone(), counts(0, 0, 0)],
                vec![none, seen("b", 2), counts(0, 0, 0)],
            ],
            &["idle"],
        ),
        (
            "another workload's template",
            vec![
                vec![
                    json!({"spec": {"template": null, "workloadRef": {"kind": "Deployment", "name": "web"}}}),
                ],
                vec![seen("b", 2), json!({"spec": {"template": null}}), counts(3, 1, 3)],
            ],
            &["succeeded 1", "running 2"],
        ),
        (
            "being deleted",
            vec![vec![
                seen("b", 2),
                json!({"metadata": {"deletionTimestamp": "2026-01-01T09:59:00Z"}}),
            ]],
            &["idle"],
        ),
    ]
}

#[test]
fn each_state_of_a_rollout_is_read_as_what_it_is() {
    for (name, states, expected) in [canaries(), failures(), replaced(), others()].concat() {
        let [seen, restarted] = told(&states);
        assert_eq!(seen, expected, "{name}");
        // A template that its controller hasn't seen yet is known for another one only by what was before.
        let certain = |words: &[String]| -> Vec<String> {
            let told = words.iter().filter(|word| !word.starts_with("still"));
            told.cloned().collect()
        };
        let seen: Vec<_> = certain(&seen);
        assert_eq!(certain(&restarted), seen, "{name}, restarted before every state");
    }
}

#[test]
fn a_restart_is_a_rollout_of_its_own_from_when_it_is_due_until_its_controller_says_so() {
    let asked_at = |at: &str, done: Option<&str>, observed: &str| {
        rollout(&[json!({
            "spec": {"restartAt": at}, "status": {"restartedAt": done, "observedGeneration": observed}, "metadata": {"generation": 2},
        })])
    };
    let asked = |at: &str, done: Option<&str>| asked_at(at, done, "1");
    let caught_up = |at: &str, done: Option<&str>| asked_at(at, done, "2");
    let seen = |rollout: &Rollout| observe(&rollout.facts().at(NOW.parse().unwrap()), None);
    let at_rest = seen(&rollout(&[]));
    let revision = |phase: &Phase| phase.run().map(|run| run.revision.clone());

    let (due, later) = ("2026-01-01T09:59:00Z", "2026-01-01T10:01:00Z");
    let under_way = seen(&asked(due, None));
    let Phase::Running(UnderWay {
        is_certain, created, ..
    }) = &under_way
    else {
        panic!("{under_way:?}");
    };
    // For as long as a lease, as a first creation: nothing tells how far it is.
    assert_eq!((*is_certain, *created), (false, due.parse().ok()));
    assert_ne!(revision(&under_way), revision(&at_rest));

    // The one before is over, this one isn't.
    let again = seen(&asked(due, Some("2025-12-31T09:59:00Z")));
    assert_eq!(again, under_way);
    let over = seen(&caught_up(due, Some(due)));
    assert!(matches!(over, Phase::Succeeded(_)), "{over:?}");
    assert_eq!(revision(&over), revision(&under_way));
    let not_yet = seen(&caught_up(later, None));
    assert_eq!(revision(&not_yet), revision(&at_rest));
    assert!(matches!(not_yet, Phase::Succeeded(_)), "{not_yet:?}");
}
