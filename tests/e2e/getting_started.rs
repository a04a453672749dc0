//! The page that newcomers follow, typed word by word: what it promises is seen, and nothing of it is left in Grafana at the end.

use std::collections::BTreeSet;
use std::process::Stdio;
use std::time::{Duration, Instant};

use alertwright::api::Silence;
use alertwright_testbed::trial::Need;
use alertwright_testbed::wait::{self, Seen};
use alertwright_testbed::{
    ControlPlane, Grafana, Operator, Prometheus, Scratch, any_release, apply, grafana, operator, parts,
};
use jiff::Timestamp;
use kube::api::ListParams;
use kube::{Api, ResourceExt};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

use crate::workloads::OUTCOME;
use crate::world::{self, SOON};

const PAGE: &str = "docs/getting-started.md";

/// What isn't typed: the clone is here, and the image is made, run and pushed by tests of its own.
const ELSEWHERE: [&str; 2] = ["git clone ", "make image "];

/// Where the page has its Grafana, and what the Secret of its administrator is called.
const GRAFANA: &str = "http://kps-grafana";
const ADMIN: &str = "kps-grafana";

/// Where a release's chart is; here it is the folder's.
const RELEASED: &str = "oci://ghcr.io/letsrevel/charts/alertwright";
const CHART: &str = "charts/alertwright";

/// The Silence ends so long after a rollout that succeeded.
const LINGER: i64 = 120;

/// A command that is typed to see something, the words of each line that it is seen by, and how long readers are told to wait: some seconds where
/// no time is said.
struct Promise {
    command: &'static str,
    shows: &'static [&'static [&'static str]],
    wait: Duration,
}

const SOME: Duration = Duration::from_secs(10);

static PROMISES: [Promise; 4] = [
    Promise {
        command: "get grafanainstances",
        shows: &[&["default", "True"]],
        wait: SOME,
    },
    Promise {
        command: "get alertrules",
        shows: &[&["hello", "Firing", "True"]],
        wait: Duration::from_secs(120),
    },
    Promise {
        command: "get contactpoints,notificationpolicies",
        shows: &[&["/team", "True"], &["/root", "True"]],
        wait: SOME,
    },
    Promise {
        command: "get silences",
        shows: &[&["Active", "True"]],
        wait: SOME,
    },
];

impl Promise {
    fn of(command: &str) -> Option<&'static Self> {
        PROMISES.iter().find(|promise| command.contains(promise.command))
    }

    fn is_kept(&self, printed: &str) -> bool {
        let has = |words: &[&str]| {
            let mut lines = printed.lines();
            lines.any(|line| words.iter().all(|word| line.contains(word)))
        };
        self.shows.iter().all(|words| has(words))
    }

    /// More than that only where the machine is slow.
    fn timeout(&self) -> Duration {
        self.wait.max(SOON)
    }
}

/// The commands of a block, each with its here-document and the lines that it goes on in.
fn commands(block: &str) -> Vec<String> {
    let mut all = Vec::new();
    let mut lines = block.lines();
    while let Some(first) = lines.next() {
        let mut command = first.to_owned();
        while command.ends_with('\\') {
            command = format!("{command}\n{}", lines.next().expect("it goes on"));
        }
        if command.contains("<<'END'") {
            for line in lines.by_ref() {
                command = format!("{command}\n{line}");
                if line == "END" {
                    break;
                }
            }
        }
        if !command.trim().is_empty() && !command.starts_with('#') {
            all.push(command);
        }
    }
    all
}

/// Everything that the page has people type, in its order: its blocks, and what its sentences say of one namespace.
fn typed() -> Vec<String> {
    let page = std::fs::read_to_string(world::root().join(PAGE)).expect("the page");
    let mut all = Vec::new();
    for (number, piece) in page.split("```").enumerate() {
        if number % 2 == 0 {
            let spans = piece.split('`').skip(1).step_by(2);
            all.extend(
                spans
                    .filter(|span| span.starts_with("kubectl -n "))
                    .map(str::to_owned),
            );
        } else {
            let block = piece.strip_prefix("sh\n").expect("what is shown is typed");
            all.extend(commands(block));
        }
    }
    all
}

/// Somebody at a shell, in the project's folder.
struct Reader {
    plane: ControlPlane,
    grafana: Grafana,
    scratch: Scratch,
    /// What the Deployment's pod runs, while it is installed.
    operator: Option<Operator>,
}

impl Reader {
    fn shell(&self, command: &str) -> Command {
        let mut shell = Command::new("bash");
        shell.args(["-c", command]).current_dir(world::root());
        let helm = parts::path("helm").expect("helm").with_file_name("");
        let path = std::env::var("PATH").expect("a PATH");
        shell.env("PATH", format!("{}:{path}", helm.display()));
        shell.env("KUBECONFIG", self.plane.kubeconfig());
        for (variable, folder) in [
            ("HELM_CACHE_HOME", "cache"),
            ("HELM_CONFIG_HOME", "config"),
            ("HELM_DATA_HOME", "data"),
            ("HOME", "home"),
            ("KUBECACHEDIR", "kubectl"),
        ] {
            shell.env(variable, self.scratch.join(folder));
        }
        shell.stdin(Stdio::null()).kill_on_drop(true);
        shell
    }

    /// Types a command that succeeds, and returns what it prints.
    async fn types(&self, command: &str) -> String {
        let ended = self.shell(command).output().await.expect("a shell");
        let said = String::from_utf8_lossy(&ended.stderr);
        assert!(ended.status.success(), "{command}\n{said}");
        String::from_utf8_lossy(&ended.stdout).into_owned()
    }

    /// Types a command that goes on until somebody ends it, which is when the promise is kept.
    async fn watches(&self, command: &str, promise: &Promise) {
        let mut shell = self.shell(&format!("exec {command}"));
        let mut child = shell.stdout(Stdio::piped()).spawn().expect("a shell");
        let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        let mut printed = String::new();
        let kept = tokio::time::timeout(promise.timeout(), async {
            while let Some(line) = lines.next_line().await.expect("a text") {
                printed = format!("{printed}{line}\n");
                if promise.is_kept(&printed) {
                    return true;
                }
            }
            false
        });
        let kept = kept.await.unwrap_or(false);
        assert!(kept, "{command} shows no {:?}:\n{printed}", promise.shows);
        child.kill().await.expect("Ctrl-C");
    }

    /// Types it until the promise is kept, as people do.
    async fn looks(&self, command: &str, promise: &Promise) {
        wait::until(command, promise.timeout(), async || {
            let printed = self.types(command).await;
            if promise.is_kept(&printed) {
                Seen::Yes(())
            } else {
                wait::not_yet(printed)
            }
        })
        .await;
    }

    /// Runs what the pod of the Deployment runs: kwok only plays it.
    async fn run_operator(&self) -> Operator {
        let get = "kubectl -n monitoring get pods -o json -l app.kubernetes.io/name=alertwright";
        let pod = wait::until("the operator's pod", SOON, async || {
            let pods: Value = serde_json::from_str(&self.types(get).await).expect("JSON");
            pods["items"].as_array().and_then(|pods| pods.first().cloned())
        })
        .await;
        let account = pod["spec"]["serviceAccountName"].as_str().expect("an account");
        let container = &pod["spec"]["containers"][0];
        let kubeconfig = self.plane.service_account("monitoring", account).await;
        let args = container["args"].as_array().expect("arguments").iter();
        let mut args: Vec<&str> = args.filter_map(Value::as_str).collect();
        assert_eq!(args.remove(0), "run");
        let binary = operator::shipped().expect("the static binary");
        let mut options = operator::Options::new(binary, &kubeconfig).args(args);
        for variable in container["env"].as_array().expect("an environment") {
            let field = variable["valueFrom"]["fieldRef"]["fieldPath"].as_str();
            let value = field.map_or(&variable["value"], |field| {
                pod.pointer(&format!("/{}", field.replace('.', "/")))
                    .expect("a field")
            });
            let name = variable["name"].as_str().expect("a name");
            options = options.env(name, value.as_str().expect("a text"));
        }
        options.start().await.expect("the operator starts")
    }

    async fn silences(&self) -> Vec<Silence> {
        let api: Api<Silence> = Api::namespaced(self.plane.admin().await, "default");
        api.list(&ListParams::default()).await.expect("Silences").items
    }

    /// Waits until a rollout's Silence other than these covers the rule, and the alert is silenced by it. Returns its name.
    async fn silenced(&self, but: &BTreeSet<String>) -> String {
        wait::until("the rollout silences the alert", SOON, async || {
            let silences = self.silences().await;
            let alerts = self.grafana.alerts().await;
            let is_silenced_by = |id: &str| {
                alerts.iter().any(|alert| {
                    let status = &alert["status"];
                    let by = status["silencedBy"].as_array();
                    alert["labels"]["alertname"] == "hello"
                        && status["state"] == "suppressed"
                        && by.is_some_and(|by| by.iter().any(|other| other == id))
                })
            };
            let found = silences.iter().find(|silence| {
                let Some(status) = &silence.status else {
                    return false;
                };
                !but.contains(&silence.name_any())
                    && status.state.as_deref() == Some("Active")
                    && status.matches_rules >= Some(1)
                    && status.matches_alerts >= Some(1)
                    && status.id.as_deref().is_some_and(is_silenced_by)
            });
            found.map_or_else(
                || wait::not_yet((&silences, &alerts)),
                |silence| Seen::Yes(silence.name_any()),
            )
        })
        .await
    }

    /// Waits until a Silence's rollout has succeeded: it ends two minutes later.
    async fn succeeded(&self, name: &str) {
        let ends = wait::until("the rollout has succeeded", SOON, async || {
            let silences = self.silences().await;
            let done = silences.into_iter().find(|silence| {
                let outcome = silence.annotations().get(OUTCOME);
                silence.name_any() == name && outcome.is_some_and(|outcome| outcome == "Succeeded")
            });
            done.and_then(|silence| silence.spec.ends_at)
        })
        .await;
        let left = ends.0.duration_since(Timestamp::now()).as_secs();
        assert!(left <= LINGER, "{left} s");
    }

    /// Waits until the rollouts' Silences are gone with their Deployment. Kubernetes finds what belongs to it half a minute after a type is new, which
    /// is sooner than people are here.
    async fn has_no_silence(&self) {
        wait::until("the Silences go with the Deployment", SOON, async || {
            let silences = self.silences().await;
            if silences.is_empty() {
                Seen::Yes(())
            } else {
                wait::not_yet(silences)
            }
        })
        .await;
    }

    /// Waits until an event of the Deployment says this.
    async fn told(&self, reason: &str) {
        wait::until(&format!("the Deployment's event {reason}"), SOON, async || {
            let command = "kubectl -n default events --for deployment/web";
            let printed = self.types(command).await;
            if printed.contains(reason) {
                Seen::Yes(())
            } else {
                wait::not_yet(printed)
            }
        })
        .await;
    }
}

/// What resources make in a Grafana. Folders stay, as is said elsewhere.
async fn held(grafana: &Grafana) -> Value {
    json!({
        "rules": grafana.rules().await,
        "contact points": grafana.contact_points().await,
        "tree": grafana.policy_tree().await,
        "silences": grafana.active_silences().await,
    })
}

async fn reader() -> Reader {
    let second = Duration::from_secs(1);
    // As slow as Grafana is by default.
    let grafana = Grafana::start(grafana::Options {
        interval: 10 * second,
        poll: 60 * second,
        ..grafana::Options::default()
    });
    let grafana = grafana.await.expect("grafana starts");
    // Its administrator logs in, and would be in another organisation than the test's.
    grafana.needs(Need::Restart);
    let prometheus = Prometheus::shared().await;
    grafana
        .add_prometheus_datasource(prometheus, "prometheus", "Prometheus")
        .await;
    let reader = Reader {
        plane: ControlPlane::start().await.expect("a control plane"),
        grafana,
        scratch: Scratch::new("reader").expect("a folder"),
        operator: None,
    };
    // What kube-prometheus-stack has left.
    let (user, password) = reader.grafana.admin();
    let secret = json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": ADMIN},
        "stringData": {"admin-user": user, "admin-password": password},
    });
    reader.types("kubectl create namespace monitoring").await;
    reader.plane.apply(&secret.to_string(), "monitoring").await;
    reader
}

#[apply(any_release)]
async fn whoever_types_the_page_has_a_rule_that_fires_a_rollout_that_silences_it_and_nothing_left_at_the_end()
{
    let mut reader = reader().await;
    let before = held(&reader.grafana).await;
    let (mut kept, mut silences) = (Vec::new(), BTreeSet::new());
    let (mut promised, mut waited) = (Duration::ZERO, Duration::ZERO);
    let began = Instant::now();
    for command in typed() {
        if ELSEWHERE.iter().any(|other| command.starts_with(other)) {
            println!("not typed: {command}");
            continue;
        }
        let command = command.replace(RELEASED, CHART);
        let command = command.replace(GRAFANA, &reader.grafana.url());
        if command.starts_with("helm uninstall") {
            reader.has_no_silence().await;
        }
        let typed = Instant::now();
        if let Some(promise) = Promise::of(&command) {
            if command.contains("--watch") {
                reader.watches(&command, promise).await;
            } else {
                reader.looks(&command, promise).await;
            }
            kept.push(promise.command);
            promised += promise.wait;
            waited += typed.elapsed();
            println!("{:?} of {:?} waited: {command}", typed.elapsed(), promise.wait);
        } else {
            let printed = reader.types(&command).await;
            println!("{:?}: {command}\n{printed}", typed.elapsed());
        }
        if command.starts_with("helm install") {
            reader.operator = Some(reader.run_operator().await);
        } else if command.contains("get silences") {
            let name = reader.silenced(&silences).await;
            reader.told("SilenceOpened").await;
            reader.succeeded(&name).await;
            silences.insert(name);
        } else if command.contains("rollout restart") {
            silences.insert(reader.silenced(&silences).await);
        } else if command.starts_with("helm uninstall")
            && let Some(mut operator) = reader.operator.take()
        {
            operator.terminate().await;
        }
    }
    println!(
        "{:?} in all; {promised:?} of waiting are promised, {waited:?} were waited",
        began.elapsed()
    );
    let all: Vec<&str> = PROMISES.iter().map(|promise| promise.command).collect();
    assert_eq!(kept, all);
    assert_eq!(silences.len(), 2, "one for each rollout");
    assert!(reader.operator.is_none(), "it is uninstalled");
    assert_eq!(held(&reader.grafana).await, before);
    let left = reader.types("kubectl get alerting -A -o name").await;
    let left: Vec<&str> = left
        .lines()
        .filter(|name| !name.starts_with("grafanainstance"))
        .collect();
    assert_eq!(left, [""; 0]);
}
