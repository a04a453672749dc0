//! What a shell offers while a command is typed: names of resources, of namespaces and of contexts, as the cluster and the kubeconfig have them. `tests/cli/typed.rs` has the same where no cluster answers.

use std::path::Path;

use alertwright_testbed::{ControlPlane, any_release, apply};
use kube::config::Kubeconfig;
use serde_json::{Value, json};
use tokio::process::Command;

use crate::world::install_crds;

/// Who asks what to offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shell {
    /// kubectl, behind `kubectl alertwright`.
    Kubectl,
    /// bash, by its script.
    Bash,
}

/// What is offered for the last of these words, which is to be silent and done.
async fn offered(shell: Shell, kubeconfig: &Path, line: &str) -> Vec<String> {
    let words: Vec<&str> = line.split(' ').collect();
    let mut command = Command::new(env!("CARGO_BIN_EXE_alertwright"));
    command
        .env_clear()
        .env("KUBECONFIG", kubeconfig)
        .kill_on_drop(true);
    match shell {
        Shell::Kubectl => {
            command.args(["completion", "kubectl", "--"]).args(&words);
        }
        Shell::Bash => {
            command.args(["--", "alertwright"]).args(&words);
            command.env("ALERTWRIGHT_COMPLETE", "bash");
            command.env("_CLAP_COMPLETE_INDEX", words.len().to_string());
            command.env("_CLAP_IFS", "\n");
        }
    }
    let ended = command.output().await.expect("an end");
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("a text");
    let (printed, said) = (text(&ended.stdout), text(&ended.stderr));
    assert_eq!(
        (ended.status.code(), said.as_str()),
        (Some(0), ""),
        "{shell:?} {line}: {printed}"
    );
    let is_name = |line: &&str| !line.starts_with(':') && !line.starts_with('-');
    let lines = printed.lines().filter(is_name);
    // Behind a tabulator help stands.
    let mut names: Vec<String> = lines
        .map(|line| line.split('\t').next().unwrap_or_default().to_owned())
        .collect();
    names.sort();
    names
}

async fn make(plane: &ControlPlane, namespace: &str, kind: &str, name: &str, spec: Value) {
    let object = json!({
        "apiVersion": "alerting.letsrevel.io/v1alpha1", "kind": kind,
        "metadata": {"name": name, "namespace": namespace}, "spec": spec,
    });
    plane.apply(&object.to_string(), namespace).await;
}

#[apply(any_release)]
async fn a_shell_completes_the_names_of_what_there_is() {
    let plane = ControlPlane::shared().await;
    install_crds(plane).await;
    let (ns, home) = (plane.namespace("typed").await, plane.namespace("op").await);
    for name in ["high-error-rate", "high-latency", "slow"] {
        make(plane, &ns, "AlertRule", name, json!({"query": "up == 0"})).await;
    }
    let silence = json!({"matchers": ["team=web"], "duration": "1h", "comment": "why"});
    make(plane, &ns, "Silence", "oncall-x8d2k", silence).await;
    let point = json!({"integrations": [{"email": {"addresses": ["a@example.com"]}}]});
    make(plane, &ns, "ContactPoint", "team", point).await;
    for name in ["default", "staging"] {
        let auth = json!({"token": {"secretKeyRef": {"name": "grafana", "key": "token"}}});
        let instance = json!({"url": "http://grafana.example.com", "auth": auth});
        make(plane, &home, "GrafanaInstance", name, instance).await;
    }
    let kubeconfig = plane.kubeconfig();
    let contexts = Kubeconfig::read_from(kubeconfig).expect("a kubeconfig").contexts;
    let contexts: Vec<String> = contexts.into_iter().map(|context| context.name).collect();
    let rules = ["high-error-rate", "high-latency"].map(str::to_owned);
    let of_rules = rules.clone().map(|name| format!("alertrule/{name}"));
    let one = |name: &str| vec![name.to_owned()];
    for shell in [Shell::Kubectl, Shell::Bash] {
        let ask = async |line: &str| {
            let line = line.replace("NS", &ns).replace("HOME", &home);
            offered(shell, kubeconfig, &line).await
        };
        assert_eq!(ask("trace -n NS rule high").await, rules);
        assert_eq!(ask("suspend -n NS alertrule/high").await, of_rules);
        assert_eq!(ask("diff --namespace=NS alertrule/high").await, of_rules);
        assert_eq!(ask("silence -n NS --rule sl").await, one("slow"));
        assert_eq!(ask("silence end -n NS onc").await, one("oncall-x8d2k"));
        assert_eq!(ask("route -n NS --expect t").await, one("team"));
        let instances = ["default", "staging"].map(str::to_owned);
        assert_eq!(
            ask("status --operator-namespace HOME --instance ").await,
            instances
        );
        assert_eq!(
            ask("status --operator-namespace HOME -i sta").await,
            one("staging")
        );
        assert!(ask("status -n NS").await.contains(&ns));
        // Of hundreds not all are offered.
        assert!(!ask("status -n ").await.is_empty());
        assert!(ask("status --operator-namespace HOME").await.contains(&home));
        assert_eq!(ask("status --context ").await, contexts);
        assert_eq!(ask("trace -n none-of-these ").await, [""; 0]);
    }
}
