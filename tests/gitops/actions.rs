//! The actions that are shipped for Argo CD, run by the real Argo CD.

use alertwright::api::condition::Reason;
use alertwright_testbed::{Scratch, parts};
use serde_json::{Value, json};
use tokio::process::Command;

use crate::health::{kinds, object};
use crate::site::read;

/// Argo CD's own command for trying actions, with the settings that are shipped.
struct Actions {
    scratch: Scratch,
}

impl Actions {
    fn new() -> Self {
        let scratch = Scratch::new("actions").expect("a folder");
        let patch: Value = serde_saphyr::from_str(&read("deploy/argocd/actions.yaml")).expect("YAML");
        let settings = json!({
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "argocd-cm"}, "data": patch["data"],
        });
        scratch
            .write("argocd-cm.yaml", settings.to_string())
            .expect("a file");
        Self { scratch }
    }

    async fn run(&self, command: &str, object: &Value, action: &[&str]) -> String {
        let file = self
            .scratch
            .write("object.yaml", object.to_string())
            .expect("a file");
        let output = Command::new(parts::path("argocd").expect("argocd"))
            .env("ARGOCD_BINARY_NAME", "argocd")
            .env("HOME", self.scratch.path())
            .args(["admin", "settings", "resource-overrides", command])
            .arg(file)
            .args(action)
            .arg("--argocd-cm-path")
            .arg(self.scratch.join("argocd-cm.yaml"))
            .output()
            .await
            .expect("argocd runs");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}{errors}");
        said
    }

    /// The actions that can be chosen.
    async fn open(&self, object: &Value) -> Vec<String> {
        let list = self.run("list-actions", object, &[]).await;
        let rows = list
            .lines()
            .filter_map(|line| line.trim_end().strip_suffix("false"));
        let mut open: Vec<_> = rows.map(|name| name.trim().to_owned()).collect();
        open.sort();
        open
    }

    /// What an action changes, as lines that are added or removed.
    async fn changes(&self, object: &Value, action: &str) -> Vec<String> {
        let said = self.run("run-action", object, &[action]).await;
        let lines = said.lines().filter(|line| line.starts_with(['<', '>']));
        lines
            .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
            .collect()
    }
}

fn of(kind: &str, reason: Reason, spec: Value) -> Value {
    let mut object = object(kind, 1, Some(reason));
    object["spec"] = spec;
    object
}

#[tokio::test(flavor = "multi_thread")]
async fn argo_cd_suspends_and_resumes_each_kind_that_can_be_and_no_other() {
    let actions = Actions::new();
    for kind in kinds() {
        let can = kind != "GrafanaInstance";
        let running = of(&kind, Reason::Synced, json!({}));
        let open = actions.open(&running).await;
        assert_eq!(open.contains(&"suspend".to_owned()), can, "{kind}: {open:?}");
        assert!(!open.contains(&"resume".to_owned()), "{kind}: {open:?}");
        if !can {
            continue;
        }
        let changes = actions.changes(&running, "suspend").await;
        assert!(
            changes.iter().any(|line| line.ends_with("suspend: true")),
            "{kind}: {changes:?}"
        );
        let suspended = of(
            &kind,
            Reason::Suspended,
            json!({"suspend": true, "comment": "stays"}),
        );
        let open = actions.open(&suspended).await;
        assert!(
            open.contains(&"resume".to_owned()) && !open.contains(&"suspend".to_owned()),
            "{kind}: {open:?}"
        );
        let changes = actions.changes(&suspended, "resume").await;
        assert_eq!(changes, ["< suspend: true"], "{kind}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn argo_cd_takes_over_what_is_not_owned_and_sends_secrets_again_where_there_are_any() {
    let actions = Actions::new();
    let own = |kind: &str| of(kind, Reason::NotOwned, json!({"comment": "a"}));
    assert_eq!(
        actions.open(&own("AlertRule")).await,
        ["adopt", "reconcile", "suspend"]
    );
    assert_eq!(
        actions.open(&own("ContactPoint")).await,
        ["adopt", "reconcile", "resend", "suspend"]
    );
    assert_eq!(actions.open(&own("MaintenancePolicy")).await, ["suspend"]);
    assert_eq!(actions.open(&own("GrafanaInstance")).await, ["resend"]);
    let synced = of("AlertRule", Reason::Synced, json!({}));
    assert_eq!(
        actions.open(&synced).await,
        ["reconcile", "suspend"],
        "there is nothing to take over"
    );

    let changes = actions.changes(&own("AlertRule"), "adopt").await.join("\n");
    assert!(
        changes.contains("alerting.letsrevel.io/adopt: \"true\""),
        "{changes}"
    );
    let changes = actions
        .changes(&own("GrafanaInstance"), "resend")
        .await
        .join("\n");
    assert!(changes.contains("alerting.letsrevel.io/resend: \""), "{changes}");
}

/// The kinds whose status says which request was handled.
fn reconcilable() -> Vec<String> {
    let crds = alertwright::api::crds().into_iter();
    let handles = crds.filter(|crd| {
        let crd = serde_json::to_value(crd).expect("JSON");
        let status =
            "/spec/versions/0/schema/openAPIV3Schema/properties/status/properties/lastHandledReconcileAt";
        crd.pointer(status).is_some()
    });
    handles.map(|crd| crd.spec.names.kind).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn argo_cd_asks_for_a_pass_over_each_kind_that_handles_requests_but_not_while_it_is_suspended() {
    let actions = Actions::new();
    let reconcilable = reconcilable();
    assert!(reconcilable.len() > 5, "{reconcilable:?}");
    for kind in kinds() {
        let can = reconcilable.contains(&kind);
        let running = of(&kind, Reason::Synced, json!({}));
        let open = actions.open(&running).await;
        assert_eq!(open.contains(&"reconcile".to_owned()), can, "{kind}: {open:?}");
        if can {
            let suspended = of(&kind, Reason::Suspended, json!({"suspend": true}));
            let open = actions.open(&suspended).await;
            assert!(!open.contains(&"reconcile".to_owned()), "{kind}: {open:?}");
            let changes = actions.changes(&running, "reconcile").await.join("\n");
            let annotation = "> alerting.letsrevel.io/reconcile-at: \"2";
            assert!(changes.contains(annotation), "{kind}: {changes}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn argo_cd_ends_a_silence_that_is_active_and_none_that_a_rollout_has() {
    let actions = Actions::new();
    let silence = |state: &str, spec: Value| {
        let mut silence = of("Silence", Reason::Synced, spec);
        silence["status"]["state"] = json!(state);
        silence
    };
    let can = async |silence: &Value| actions.open(silence).await.contains(&"end".to_owned());
    let active = silence("Active", json!({"comment": "stays", "duration": "1h"}));
    assert!(can(&active).await);
    let changes = actions.changes(&active, "end").await;
    assert!(changes.contains(&"< duration: 1h".to_owned()), "{changes:?}");
    assert!(
        changes.iter().any(|line| line.starts_with("> endsAt: \"2")),
        "{changes:?}"
    );
    // In the second one's time zone it is still the day before.
    for starts_at in ["2099-01-01T00:00:00Z", "2001-01-01T00:00:00-12:00"] {
        let pending = silence(
            "Pending",
            json!({"comment": "stays", "startsAt": starts_at, "endsAt": "2099-01-02T00:00:00Z"}),
        );
        assert!(can(&pending).await);
        let changes = actions.changes(&pending, "end").await;
        assert!(
            changes.contains(&format!("< startsAt: \"{starts_at}\"")),
            "{changes:?}"
        );
    }

    assert!(!can(&silence("Expired", json!({"duration": "1h"}))).await);
    let mut of_rollout = active;
    of_rollout["metadata"]["ownerReferences"] =
        json!([{"apiVersion": "apps/v1", "kind": "Deployment", "name": "web", "uid": "1"}]);
    assert!(!can(&of_rollout).await, "it is the operator's");
}
