//! The health check, run by the real Argo CD.

use alertwright::api::condition::{self, Reason};
use alertwright_testbed::{Scratch, parts};
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::process::Command;

use crate::site::read;

/// What a person expects to see. A reason without a decision doesn't compile.
fn expected(reason: Reason) -> &'static str {
    match reason {
        Reason::Synced | Reason::Drifted | Reason::Expired => "Healthy",
        Reason::Suspended => "Suspended",
        // It is mended by what the operator waits for, which may well be on its way.
        Reason::DependencyMissing | Reason::Unavailable | Reason::Throttled | Reason::InUse => "Progressing",
        // The last one although the operator tries again: only a person can give it a better token.
        Reason::Invalid
        | Reason::Conflict
        | Reason::NotOwned
        | Reason::Unsupported
        | Reason::Unauthorized => "Degraded",
    }
}

/// Every kind of ours.
pub fn kinds() -> Vec<String> {
    let crds = alertwright::api::crds();
    crds.iter().map(|crd| crd.spec.names.kind.clone()).collect()
}

/// An object whose status the operator has written for its first generation.
pub fn object(kind: &str, generation: i64, reason: Option<Reason>) -> Value {
    let mut object = json!({
        "apiVersion": "alerting.letsrevel.io/v1alpha1",
        "kind": kind,
        "metadata": {"name": "example", "namespace": "revel", "generation": generation},
    });
    if let Some(reason) = reason {
        let mut conditions = Vec::new();
        condition::report(
            &mut conditions,
            reason,
            "the message",
            Some(1),
            Timestamp::UNIX_EPOCH,
        );
        object["status"] = json!({"observedGeneration": 1, "conditions": conditions});
    }
    object
}

/// Argo CD's own command for trying health checks, with the settings that are shipped.
struct Checker {
    scratch: Scratch,
}

impl Checker {
    fn new() -> Self {
        let scratch = Scratch::new("health").expect("a folder");
        let patch: Value = serde_saphyr::from_str(&read("deploy/argocd/health-checks.yaml")).expect("YAML");
        let settings = json!({
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "argocd-cm"}, "data": patch["data"],
        });
        scratch
            .write("argocd-cm.yaml", settings.to_string())
            .expect("a file");
        Self { scratch }
    }

    /// State and message.
    async fn health(&self, object: &Value) -> (String, String) {
        let name = format!("{}-{}.yaml", object["kind"], parts_of(object)).replace(['"', '/'], "");
        let file = self.scratch.write(&name, object.to_string()).expect("a file");
        let output = Command::new(parts::path("argocd").expect("argocd"))
            .env("ARGOCD_BINARY_NAME", "argocd")
            .env("HOME", self.scratch.path())
            .args(["admin", "settings", "resource-overrides", "health"])
            .arg(file)
            .arg("--argocd-cm-path")
            .arg(self.scratch.join("argocd-cm.yaml"))
            .output()
            .await
            .expect("argocd runs");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(
            output.status.success(),
            "{said}{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let line = |label: &str| {
            said.lines()
                .find_map(|line| line.strip_prefix(label))
                .unwrap_or_default()
                .to_owned()
        };
        (line("STATUS: "), line("MESSAGE: "))
    }
}

fn parts_of(object: &Value) -> String {
    format!(
        "{}-{}",
        object["metadata"]["generation"], object["status"]["conditions"][0]["reason"]
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn every_reason_of_every_kind_has_the_health_that_a_person_expects() {
    let checks = kinds().into_iter().map(|kind| {
        tokio::spawn(async move {
            let checker = Checker::new();
            for reason in Reason::ALL {
                let (health, message) = checker.health(&object(&kind, 1, Some(reason))).await;
                assert_eq!(health, expected(reason), "{kind} {reason}");
                assert_eq!(message, format!("{reason}: the message"), "{kind}");
            }
        })
    });
    for check in checks.collect::<Vec<_>>() {
        check.await.expect("as expected");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_operator_has_not_looked_at_and_what_is_being_deleted_is_progressing() {
    let checker = Checker::new();
    for kind in kinds() {
        let new = checker.health(&object(&kind, 1, None)).await;
        assert_eq!(
            new,
            ("Progressing".into(), "waiting for the operator".into()),
            "{kind}"
        );
        let changed = checker.health(&object(&kind, 2, Some(Reason::Synced))).await;
        assert_eq!(
            changed,
            ("Progressing".into(), "waiting for the operator".into()),
            "{kind}"
        );
        let mut deleted = object(&kind, 1, Some(Reason::InUse));
        deleted["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
        assert_eq!(checker.health(&deleted).await.0, "Progressing", "{kind}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reason_of_a_newer_operator_is_degraded_rather_than_overlooked() {
    let mut object = object("AlertRule", 1, Some(Reason::Invalid));
    object["status"]["conditions"][0]["reason"] = json!("Unheard");
    assert_eq!(
        Checker::new().health(&object).await,
        ("Degraded".into(), "Unheard: the message".into())
    );
}
