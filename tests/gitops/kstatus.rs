//! kstatus, which Flux and `kubectl wait` go by, reads our conditions without any configuration.

use alertwright::api::condition::Reason;
use alertwright_testbed::parts;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use crate::health::{kinds, object};

/// What kstatus makes of each object: `Current`, `InProgress`, `Failed` or `Terminating`.
pub async fn kstatus(objects: &[Value]) -> Vec<String> {
    let mut child = Command::new(parts::path("kstatus").expect("kstatus"))
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("kstatus starts");
    let list = json!({"apiVersion": "v1", "kind": "List", "items": objects});
    let mut input = child.stdin.take().expect("a pipe");
    input
        .write_all(list.to_string().as_bytes())
        .await
        .expect("kstatus reads");
    drop(input);
    let output = child.wait_with_output().await.expect("kstatus ends");
    assert!(output.status.success(), "kstatus refuses the objects");
    let said = String::from_utf8_lossy(&output.stdout);
    said.lines().map(ToOwned::to_owned).collect()
}

/// What a tool that waits should do: go on, give up, or wait.
fn expected(reason: Reason) -> &'static str {
    match reason {
        Reason::Synced | Reason::Drifted | Reason::Expired => "Current",
        Reason::Invalid | Reason::Conflict | Reason::NotOwned | Reason::Unsupported => "Failed",
        Reason::DependencyMissing
        | Reason::Unavailable
        | Reason::Throttled
        | Reason::Unauthorized
        | Reason::InUse
        | Reason::Suspended => "InProgress",
    }
}

#[tokio::test]
async fn every_reason_is_current_failed_or_in_progress_as_its_conditions_say() {
    for kind in kinds() {
        let objects: Vec<_> = Reason::ALL
            .iter()
            .map(|reason| object(&kind, 1, Some(*reason)))
            .collect();
        let wanted: Vec<_> = Reason::ALL
            .iter()
            .map(|reason| expected(*reason).to_owned())
            .collect();
        assert_eq!(kstatus(&objects).await, wanted, "{kind}: {:?}", Reason::ALL);
    }
}

#[tokio::test]
async fn a_status_of_an_older_generation_is_in_progress_and_a_deletion_is_terminating() {
    for kind in kinds() {
        let changed = object(&kind, 2, Some(Reason::Synced));
        let mut deleted = object(&kind, 1, Some(Reason::InUse));
        deleted["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
        assert_eq!(
            kstatus(&[changed, deleted]).await,
            ["InProgress", "Terminating"],
            "{kind}"
        );
    }
}
