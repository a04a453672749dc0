//! The chart, installed by the real helm on a real API server, and the operator with the rights that it gives.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failure must fail the test"
)]

#[path = "chart/pages.rs"]
mod pages;
#[path = "chart/upgraded.rs"]
mod upgraded;

use std::ffi::OsStr;
use std::time::Duration;

use alertwright_testbed::control_plane::Output;
use alertwright_testbed::{
    ControlPlane, Grafana, Loki, Operator, Scratch, any_release, apply, grafana, operator, parts, wait,
};
use serde_json::Value;
use tokio::process::Command;

const SOON: Duration = Duration::from_secs(60);
const CHART: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/charts/alertwright");
/// The ten rules of the Revel example.
const RULES: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/deploy/examples/revel/alert-rules.yaml"
);

/// helm, with folders of its own.
struct Helm {
    plane: ControlPlane,
    namespace: String,
    scratch: Scratch,
}

impl Helm {
    async fn start() -> Self {
        let plane = ControlPlane::start().await.expect("a control plane");
        let namespace = plane.namespace("chart").await;
        let scratch = Scratch::new("helm").expect("a folder");
        Self {
            plane,
            namespace,
            scratch,
        }
    }

    async fn run(&self, args: &[&str]) -> Output {
        let mut command = self.prepared(parts::path("helm").expect("helm"));
        command.arg("--kubeconfig").arg(self.plane.kubeconfig());
        command.args(["--namespace", self.namespace.as_str()]).args(args);
        ran(&mut command).await
    }

    /// A command with folders of helm of its own.
    fn prepared(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        for (variable, folder) in [
            ("HELM_CACHE_HOME", "cache"),
            ("HELM_CONFIG_HOME", "config"),
            ("HELM_DATA_HOME", "data"),
            ("HOME", "home"),
        ] {
            command.env(variable, self.scratch.join(folder));
        }
        command
    }

    async fn release(&self, command: &str, values: &[&str]) -> Output {
        let mut args = vec![command, "alertwright", CHART, "--wait", "--timeout", "3m"];
        args.extend(values.iter().flat_map(|value| ["--set", value]));
        self.run(&args).await
    }

    async fn kubectl(&self, args: &[&str]) -> Output {
        let mut all = vec!["--namespace", self.namespace.as_str()];
        all.extend(args);
        self.plane.kubectl(all).await
    }

    async fn instance(&self) -> Value {
        let json = self
            .kubectl(&["get", "grafanainstance", "default", "-o", "json"])
            .await;
        serde_json::from_str(&json.ok()).expect("JSON")
    }

    /// The operator as it is shipped, as the release's ServiceAccount.
    async fn operator(&self) -> Operator {
        let kubeconfig = self.plane.service_account(&self.namespace, "alertwright").await;
        let binary = operator::shipped().expect("the static binary");
        operator::Options::new(binary, &kubeconfig)
            .args(["--operator-namespace", self.namespace.as_str(), "--leader-elect"])
            .start()
            .await
            .expect("the operator starts")
    }

    /// Applies the rules, and waits until all are in Grafana.
    async fn apply_rules(&self, grafana: &Grafana) {
        self.kubectl(&["apply", "-f", RULES]).await.ok();
        let reason = "custom-columns=R:.status.conditions[?(@.type=='Ready')].reason";
        wait::until("the ten rules are in Grafana", SOON, async || {
            let get = ["get", "alertrules", "--no-headers", "-o", reason];
            let reasons = self.kubectl(&get).await.stdout;
            let synced = reasons.lines().filter(|reason| reason.trim() == "Synced");
            if synced.count() == 10 && grafana.rules().await.len() == 10 {
                wait::Seen::Yes(())
            } else {
                wait::not_yet(reasons)
            }
        })
        .await;
    }

    /// `helm test`. kwok doesn't run what is in a pod, so that is run here, and how it ended is told.
    async fn test(&self, operator: &Operator) -> String {
        let play = async {
            let pod = wait::until("the pod of helm test", SOON, async || {
                let get = ["get", "pod", "alertwright-test", "-o", "json"];
                let pod = self.kubectl(&get).await;
                pod.success.then_some(pod.stdout)
            })
            .await;
            let pod: Value = serde_json::from_str(&pod).expect("JSON");
            let args = pod["spec"]["containers"][0]["args"]
                .as_array()
                .expect("arguments");
            let (service, here) = ("http://alertwright-metrics:8080", operator.url());
            let args = args
                .iter()
                .filter_map(Value::as_str)
                .map(|arg| arg.replace(service, &here));
            let mut probe = Command::new(operator::shipped().expect("the static binary"));
            ran(probe.args(args)).await.ok();
            let succeeded = r#"{"status": {"phase": "Succeeded"}}"#;
            let patch = [
                "patch",
                "pod",
                "alertwright-test",
                "--subresource=status",
                "--type=merge",
                "-p",
            ];
            self.kubectl(&[&patch[..], &[succeeded]].concat()).await.ok();
        };
        let (said, ()) = tokio::join!(self.run(&["test", "alertwright", "--timeout", "2m"]), play);
        said.ok()
    }
}

/// What a command prints.
async fn ran(command: &mut Command) -> Output {
    let output = command.output().await.expect("it can be started");
    Output {
        success: output.status.success(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// A Grafana with a Loki, and the values of the chart that connect the operator to it.
async fn grafana() -> (Grafana, [String; 2]) {
    let grafana = Grafana::start(grafana::Options::default())
        .await
        .expect("grafana");
    grafana
        .add_loki_datasource(Loki::shared().await, "loki", "Loki", true)
        .await;
    let url = format!("grafana.url={}", grafana.url());
    let token = format!("grafana.token={}", grafana.token().await);
    (grafana, [url, token])
}

#[apply(any_release)]
async fn the_chart_is_installed_upgraded_rolled_back_and_uninstalled() {
    let helm = Helm::start().await;
    let (grafana, [url, token]) = grafana().await;

    let said = helm.release("install", &[&url, &token]).await.ok();
    println!("{said}");
    assert!(said.contains("get grafanainstance default"), "{said}");
    let installed = helm.instance().await;

    let operator = helm.operator().await;
    let tested = helm.test(&operator).await;
    assert!(tested.contains("Succeeded"), "{tested}");
    helm.apply_rules(&grafana).await;

    // What the first installation made by a hook is part of the release now, changed in place.
    helm.release("upgrade", &[&url, &token, "grafana.spec.labels.cluster=prod"])
        .await
        .ok();
    let upgraded = helm.instance().await;
    assert_eq!(upgraded["metadata"]["uid"], installed["metadata"]["uid"]);
    assert_eq!(upgraded["spec"]["labels"]["cluster"], "prod");

    helm.run(&["rollback", "alertwright", "1", "--wait", "--timeout", "3m"])
        .await
        .ok();
    assert_eq!(
        helm.instance().await["metadata"]["uid"],
        installed["metadata"]["uid"]
    );

    // In the order that the notes say: resources, then the operator.
    helm.kubectl(&["delete", "alertrules", "--all", "--timeout", "60s"])
        .await
        .ok();
    assert!(grafana.rules().await.is_empty());
    helm.run(&["uninstall", "alertwright", "--wait"]).await.ok();
    drop(operator);
    let left = helm
        .kubectl(&["get", "deployments,roles,rolebindings,services", "-o", "name"])
        .await
        .ok();
    assert_eq!(left.trim(), "");
    let types = helm.kubectl(&["get", "crds", "-o", "name"]).await.ok();
    assert_eq!(
        types.matches("alerting.letsrevel.io").count(),
        alertwright::api::crds().len(),
        "types are kept: {types}"
    );

    // And once more over what was kept.
    helm.release("install", &[&url, &token, "crds.keep=false"])
        .await
        .ok();
    helm.run(&["uninstall", "alertwright", "--wait"]).await.ok();
    let types = helm.kubectl(&["get", "crds", "-o", "name"]).await.ok();
    assert_eq!(
        types.matches("alerting.letsrevel.io").count(),
        0,
        "types go where that is asked for: {types}"
    );
}

#[apply(any_release)]
async fn what_is_left_after_an_uninstallation_can_be_deleted_without_an_operator() {
    let helm = Helm::start().await;
    let (grafana, [url, token]) = grafana().await;
    helm.release("install", &[&url, &token]).await.ok();
    let mut operator = helm.operator().await;
    helm.apply_rules(&grafana).await;

    // kwok only plays the pod of the hook's Job, so what the Job runs is run here, with the rights that it has.
    let rendered = helm
        .run(&[
            "template",
            "alertwright",
            CHART,
            "--show-only",
            "templates/uninstall.yaml",
        ])
        .await
        .ok();
    let (jobs, rights): (Vec<Value>, Vec<Value>) = serde_saphyr::from_multiple::<Value>(&rendered)
        .expect("YAML")
        .into_iter()
        .partition(|object| object["kind"] == "Job");
    let pod = &jobs[0]["spec"]["template"]["spec"];
    let account = pod["serviceAccountName"].as_str().expect("an account");
    let args = pod["containers"][0]["args"].as_array().expect("arguments");
    let args: Vec<&str> = args.iter().filter_map(Value::as_str).collect();
    let job = async |more: &[&str]| {
        // Helm has removed them again, as it does after a hook that succeeded.
        for object in &rights {
            helm.plane.apply(&object.to_string(), &helm.namespace).await;
        }
        let kubeconfig = helm.plane.service_account(&helm.namespace, account).await;
        let binary = operator::shipped().expect("the static binary");
        let mut command = Command::new(binary);
        command.args(args.iter().chain(more)).env_clear();
        command.env("KUBECONFIG", &kubeconfig);
        command.env("POD_NAMESPACE", &helm.namespace);
        ran(&mut command).await
    };
    let refused = job(&["--timeout", "1s"]).await.refused();
    assert!(refused.contains("stop it first"), "{refused}");

    operator.terminate().await;
    helm.run(&["uninstall", "alertwright", "--wait", "--timeout", "3m"])
        .await
        .ok();
    let finalizers = "jsonpath={.items[*].metadata.finalizers}";
    let kept = helm.kubectl(&["get", "alertrules", "-o", finalizers]).await.ok();
    assert!(kept.contains("alerting.letsrevel.io/cleanup"), "{kept}");
    let done = job(&[]).await.ok();
    assert!(done.contains("AlertRule            10"), "{done}");
    helm.kubectl(&["delete", "alertrules", "--all", "--timeout", "60s"])
        .await
        .ok();
    assert_eq!(grafana.rules().await.len(), 10, "what is in Grafana stays");
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_values_are_refused_with_their_name() {
    let helm = parts::path("helm").expect("helm");
    for (value, named) in [
        ("replicas=2", "replicas"),
        ("log.format=xml", "format"),
        ("grafana.url=grafana", "url"),
        ("ownerID=A_B", "ownerID"),
        ("grafanaInstances[0].name=other", "spec"),
    ] {
        let output = Command::new(&helm)
            .args(["template", "alertwright", CHART, "--set", value])
            .output()
            .await
            .expect("helm runs");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success(), "{value} was taken");
        assert!(said.contains(named), "{value}: {said}");
    }
}
