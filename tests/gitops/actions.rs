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
    assert_eq!(actions.open(&own("AlertRule")).await, ["adopt", "suspend"]);
    assert_eq!(
        actions.open(&own("ContactPoint")).await,
        ["adopt", "resend", "suspend"]
    );
    assert_eq!(actions.open(&own("MaintenancePolicy")).await, ["suspend"]);
    assert_eq!(actions.open(&own("GrafanaInstance")).await, ["resend"]);
    let synced = of("AlertRule", Reason::Synced, json!({}));
    assert_eq!(
        actions.open(&synced).await,
        ["suspend"],
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
