use serde_json::{Value, json};

use super::*;
use crate::domain::maintenance::recorded::{job, words};

#[test]
fn real_sequences_are_read_as_what_they_are() {
    let cases: [(&str, &[&str]); 5] = [
        ("completes", &["running 1", "succeeded 1"]),
        ("fails", &["running 1", "failed 1 BackoffLimitExceeded"]),
        ("runs out of time", &["running 1", "failed 1 DeadlineExceeded"]),
        (
            "suspended and resumed",
            &["running 1", "idle", "running 1", "succeeded 1"],
        ),
        ("deleted", &["running 1", "gone 1"]),
    ];
    for (sequence, expected) in cases {
        assert_eq!(words(&job(sequence)), expected, "{sequence}");
    }
}

fn with_conditions(conditions: &[&str]) -> JobFacts {
    let conditions: Vec<Value> = conditions
        .iter()
        .map(|kind| json!({"type": kind, "status": "True", "lastTransitionTime": "2026-11-23T22:00:00Z"}))
        .collect();
    let job = json!({"metadata": {"uid": "0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9"}, "status": {"conditions": conditions}});
    JobFacts::of(&serde_json::from_value(job).unwrap())
}

#[test]
fn the_first_word_of_failure_counts_and_the_last_of_success() {
    assert!(matches!(
        observe(&with_conditions(&["FailureTarget"])),
        Phase::Failed(_)
    ));
    assert!(matches!(
        observe(&with_conditions(&["SuccessCriteriaMet"])),
        Phase::Running(_)
    ));
    assert!(matches!(
        observe(&with_conditions(&["SuccessCriteriaMet", "Complete"])),
        Phase::Succeeded(_)
    ));
}

#[test]
fn a_job_deleted_after_it_met_its_criteria_has_succeeded() {
    let facts = JobFacts {
        deleting: true,
        ..with_conditions(&["SuccessCriteriaMet"])
    };
    assert!(matches!(observe(&facts), Phase::Succeeded(_)));
}

#[test]
fn a_job_deleted_after_its_end_keeps_it() {
    let complete = JobFacts {
        deleting: true,
        ..with_conditions(&["Complete"])
    };
    assert!(matches!(observe(&complete), Phase::Succeeded(_)));
    let failed = JobFacts {
        deleting: true,
        ..with_conditions(&["Failed"])
    };
    assert!(matches!(observe(&failed), Phase::Failed(_)));
}

#[test]
fn the_uid_names_a_job() {
    assert_eq!(with_conditions(&[]).revision, "0a1b2c3d4e");
}
