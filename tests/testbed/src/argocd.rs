//! Argo CD: its application controller and repo-server, with the cache that they share in memory.

use std::{fs, path::PathBuf, time::Duration};

use kube::{
    Api,
    api::{ApiResource, DynamicObject, GroupVersionKind, Patch, PatchParams},
};
use serde_json::{Value, json};
use tokio::net::TcpStream;

use crate::{
    ControlPlane, Error, Result, Scratch, http, parts, ports,
    process::{Process, Program},
    wait,
};

/// Where Argo CD and its Applications are.
pub const NAMESPACE: &str = "argocd";

const START: Duration = Duration::from_secs(300);
/// How long a comparison may take that was asked for.
const COMPARED: Duration = Duration::from_secs(300);

/// A running Argo CD that manages the cluster it is in, by the address <https://kubernetes.default.svc>.
///
/// It has no settings but what Argo CD can't do without; tests add theirs to the `ConfigMap` `argocd-cm`.
pub struct ArgoCd {
    applications: Api<DynamicObject>,
    kubeconfig: PathBuf,
    /// The addresses of the cache and the repo-server.
    redis: String,
    repo_server: String,
    _processes: [Process; 3],
    // Last, so that the folder goes after the programs that write to it.
    scratch: Scratch,
}

/// Argo CD's API server, which lets everybody do everything.
pub struct Server {
    url: String,
    _process: Process,
}

impl Server {
    /// The links that it shows for a resource of an Application: each a title and an address.
    pub async fn links(&self, application: &str, kind: &str, namespace: &str, name: &str) -> Vec<Value> {
        let url = format!("{}/api/v1/applications/{application}/resource/links", self.url);
        let of = [
            ("resourceName", name),
            ("namespace", namespace),
            ("group", "alerting.letsrevel.io"),
            ("version", "v1alpha1"),
            ("kind", kind),
        ];
        let answer = http::client().get(&url).query(&of).send().await;
        let answer: Value = match answer {
            Ok(answer) => answer.json().await.expect("JSON of Argo CD"),
            Err(error) => panic!("{url}: {}", crate::error::chain(&error)),
        };
        assert!(answer.get("error").is_none(), "{answer}");
        let items = answer.get("items").and_then(Value::as_array);
        items.cloned().unwrap_or_default()
    }
}

impl ArgoCd {
    /// Starts its API server, and waits until it answers.
    pub async fn serve(&self) -> Result<Server> {
        let (port, metrics) = (ports::free(), ports::free());
        let mut process = program("argocd-server", &self.scratch)?
            .env("KUBECONFIG", &self.kubeconfig)
            // Applications name the cluster as they would inside it.
            .env("ARGOCD_FAKE_IN_CLUSTER", "true")
            .flag("--kubeconfig", &self.kubeconfig)
            .flag("--namespace", NAMESPACE)
            .flag("--address", "127.0.0.1")
            .flag("--port", port.to_string())
            .flag("--metrics-port", metrics.to_string())
            .flag("--redis", &self.redis)
            .flag("--repo-server", &self.repo_server)
            .arg("--repo-server-plaintext")
            .arg("--insecure")
            .arg("--disable-auth")
            .spawn(&self.scratch.join("server.log"))?;
        let url = format!("http://127.0.0.1:{port}");
        let health = format!("{url}/healthz");
        process
            .ready(START, async || http::answers(http::client(), &health).await)
            .await?;
        Ok(Server {
            url,
            _process: process,
        })
    }

    /// Installs and starts an Argo CD, and waits until it works.
    pub async fn start(plane: &ControlPlane) -> Result<Self> {
        install(plane).await?;
        loop {
            match Self::start_once(plane).await {
                Err(error) if error.is_port_clash() => {}
                done => return done,
            }
        }
    }

    async fn start_once(plane: &ControlPlane) -> Result<Self> {
        let scratch = Scratch::new("argocd")?;
        for folder in ["home", "tmp", "tls", "ssh"] {
            fs::create_dir(scratch.join(folder)).map_err(Error::io("cannot make a folder for Argo CD"))?;
        }
        let redis = format!("127.0.0.1:{}", ports::free());
        let mut cache = Program::new("argocd-redis", parts::path("argocd-redis")?)
            .arg(&redis)
            .spawn(&scratch.join("redis.log"))?;
        cache
            .ready(START, async || TcpStream::connect(&redis).await.map(drop))
            .await?;

        let (port, metrics) = (ports::free(), ports::free());
        let mut repo_server = program("argocd-repo-server", &scratch)?
            .flag("--address", "127.0.0.1")
            .flag("--port", port.to_string())
            .flag("--metrics-address", "127.0.0.1")
            .flag("--metrics-port", metrics.to_string())
            .flag("--redis", &redis)
            .arg("--disable-tls")
            // It has one by default, and says itself that it can't.
            .flag("--client-ca-path", "")
            .spawn(&scratch.join("repo-server.log"))?;
        healthy(&mut repo_server, metrics).await?;

        let metrics = ports::free();
        let mut controller = program("argocd-application-controller", &scratch)?
            // Applications name the cluster as they would inside it.
            .env("ARGOCD_FAKE_IN_CLUSTER", "true")
            .env("KUBECONFIG", plane.kubeconfig())
            .flag("--kubeconfig", plane.kubeconfig())
            .flag("--namespace", NAMESPACE)
            .flag("--repo-server", format!("127.0.0.1:{port}"))
            .flag("--metrics-port", metrics.to_string())
            .flag("--redis", &redis)
            .arg("--repo-server-plaintext")
            // Three minutes otherwise. What changes within a sync is seen by the next comparison only.
            .flag("--app-resync", "10")
            .flag("--app-resync-jitter", "0")
            // So that the health of each resource is in the Application's status.
            .arg("--persist-resource-health")
            .spawn(&scratch.join("application-controller.log"))?;
        healthy(&mut controller, metrics).await?;

        let kind = GroupVersionKind::gvk("argoproj.io", "v1alpha1", "Application");
        let applications =
            Api::namespaced_with(plane.admin().await, NAMESPACE, &ApiResource::from_gvk(&kind));
        Ok(Self {
            applications,
            kubeconfig: plane.kubeconfig().to_owned(),
            redis,
            repo_server: format!("127.0.0.1:{port}"),
            _processes: [cache, repo_server, controller],
            scratch,
        })
    }

    /// An Application as it is now.
    pub async fn application(&self, name: &str) -> Option<Application> {
        let found = self.applications.get_opt(name).await;
        let found = found.unwrap_or_else(|error| panic!("Application {name}: {error}"))?;
        Some(Application(found.data.get("status").cloned().unwrap_or_default()))
    }

    /// Waits until an Application is as it should be.
    pub async fn until(
        &self,
        what: &str,
        name: &str,
        timeout: Duration,
        is_so: impl Fn(&Application) -> bool,
    ) -> Application {
        wait::until(&format!("{name} {what}"), timeout, async || {
            match self.application(name).await {
                Some(application) if is_so(&application) => wait::Seen::Yes(application),
                Some(application) => wait::Seen::NotYet(application.summary()),
                None => wait::Seen::NotYet("no such Application".to_owned()),
            }
        })
        .await
    }

    /// Has an Application rendered anew from the newest commit and compared with the cluster, and waits for the outcome.
    pub async fn refresh(&self, name: &str) -> Application {
        const ANNOTATION: &str = "argocd.argoproj.io/refresh";
        let ask = Patch::Merge(json!({"metadata": {"annotations": {ANNOTATION: "hard"}}}));
        let asked = self.applications.patch(name, &PatchParams::default(), &ask).await;
        asked.unwrap_or_else(|error| panic!("Application {name}: {error}"));
        wait::until(&format!("{name} is compared"), COMPARED, async || {
            let found = self.applications.get(name).await?;
            let is_done = found
                .metadata
                .annotations
                .is_none_or(|all| !all.contains_key(ANNOTATION));
            Ok::<_, kube::Error>(is_done.then_some(()))
        })
        .await;
        self.application(name).await.expect("it was there a moment ago")
    }

    /// Deletes an Application with all it has made, and waits until both are gone.
    pub async fn delete_with_resources(&self, name: &str, timeout: Duration) {
        let cascade =
            Patch::Merge(json!({"metadata": {"finalizers": ["resources-finalizer.argocd.argoproj.io"]}}));
        let patched = self
            .applications
            .patch(name, &PatchParams::default(), &cascade)
            .await;
        patched.unwrap_or_else(|error| panic!("Application {name}: {error}"));
        let deleted = self
            .applications
            .delete(name, &kube::api::DeleteParams::default())
            .await;
        deleted.unwrap_or_else(|error| panic!("Application {name}: {error}"));
        wait::until(
            &format!("Application {name} is gone"),
            timeout,
            async || match self.application(name).await {
                None => wait::Seen::Yes(()),
                Some(left) => wait::Seen::NotYet(left.summary()),
            },
        )
        .await;
    }
}

/// The status of an Application.
#[derive(Debug, Clone)]
pub struct Application(pub Value);

impl Application {
    /// `Synced`, `OutOfSync` or `Unknown`.
    pub fn sync(&self) -> &str {
        self.text("/sync/status")
    }

    /// `Healthy`, `Progressing`, `Degraded`, `Suspended`, `Missing` or `Unknown`.
    pub fn health(&self) -> &str {
        self.text("/health/status")
    }

    /// The commit that it was compared with.
    pub fn revision(&self) -> &str {
        self.text("/sync/revision")
    }

    /// `Succeeded`, `Running`, `Failed` or `Error`; empty before the first sync.
    pub fn operation(&self) -> &str {
        self.text("/operationState/phase")
    }

    /// Its resources: `group`, `kind`, `namespace`, `name`, `status` and `health`.
    pub fn resources(&self) -> &[Value] {
        let resources = self.0.pointer("/resources").and_then(Value::as_array);
        resources.map(Vec::as_slice).unwrap_or_default()
    }

    /// State and message of one resource's health.
    pub fn health_of(&self, kind: &str, name: &str) -> Option<(&str, &str)> {
        let is_it = |resource: &&Value| text(resource, "/kind") == kind && text(resource, "/name") == name;
        let resource = self.resources().iter().find(is_it)?;
        Some((
            text(resource, "/health/status"),
            text(resource, "/health/message"),
        ))
    }

    /// What a person would look at first, for messages.
    pub fn summary(&self) -> String {
        let resources = self.resources().iter().filter(|resource| {
            text(resource, "/status") != "Synced"
                || !["Healthy", ""].contains(&text(resource, "/health/status"))
        });
        let resources: Vec<_> = resources.map(Value::to_string).collect();
        format!(
            "{} {} of {}, operation {} ({}), conditions {}\n{}",
            self.sync(),
            self.health(),
            self.revision(),
            self.operation(),
            self.text("/operationState/message"),
            self.0.pointer("/conditions").unwrap_or(&Value::Null),
            resources.join("\n")
        )
    }

    fn text(&self, pointer: &str) -> &str {
        text(&self.0, pointer)
    }
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// One of Argo CD's programs, with folders of its own and the testbed's helm and kustomize.
fn program(name: &str, scratch: &Scratch) -> Result<Program> {
    let tools = parts::path("helm")?.with_file_name("");
    parts::path("kustomize")?;
    let mut path = vec![tools, beside("tools")?];
    path.extend(std::env::split_paths(
        &std::env::var_os("PATH").unwrap_or_default(),
    ));
    let path = std::env::join_paths(path).expect("folders from PATH go into PATH");
    Ok(Program::new(name, parts::path("argocd")?)
        .clean_env()
        .env("ARGOCD_BINARY_NAME", name)
        .env("PATH", path)
        .env("HOME", scratch.join("home"))
        .env("TMPDIR", scratch.join("tmp"))
        .env("ARGOCD_ASK_PASS_SOCK", scratch.join("ask-pass.sock"))
        .env("ARGOCD_TLS_DATA_PATH", scratch.join("tls"))
        .env("ARGOCD_SSH_DATA_PATH", scratch.join("ssh"))
        .env("ARGOCD_GPG_ENABLED", "false")
        .flag("--logformat", "text")
        .flag("--loglevel", "warn"))
}

async fn healthy(process: &mut Process, metrics: u16) -> Result<()> {
    let health = format!("http://127.0.0.1:{metrics}/healthz");
    process
        .ready(START, async || http::answers(http::client(), &health).await)
        .await
}

/// The types and objects that Argo CD's own installation begins with.
async fn install(plane: &ControlPlane) -> Result<()> {
    let part_of = json!({"app.kubernetes.io/part-of": "argocd"});
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}});
    plane.try_apply(&namespace.to_string(), NAMESPACE).await?;
    for file in ["application-crd.yaml", "appproject-crd.yaml"] {
        plane.apply_file(beside("crds")?.join(file), NAMESPACE).await;
    }
    let settings = json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "argocd-cm", "labels": part_of},
    });
    let secret = json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "argocd-secret", "labels": part_of},
        "stringData": {"server.secretkey": "of a test"},
    });
    let project = json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "AppProject", "metadata": {"name": "default"},
        "spec": {
            "sourceRepos": ["*"],
            "destinations": [{"namespace": "*", "server": "*"}],
            "clusterResourceWhitelist": [{"group": "*", "kind": "*"}],
        },
    });
    for object in [settings, secret, project] {
        plane.try_apply(&object.to_string(), NAMESPACE).await?;
    }
    Ok(())
}

/// A folder beside the binary: of Argo CD's own types, or of the script that it runs.
fn beside(folder: &str) -> Result<PathBuf> {
    let binary = parts::path("argocd")?;
    let binary = fs::canonicalize(&binary).map_err(Error::io(format!("cannot read {}", binary.display())))?;
    Ok(binary.with_file_name(folder))
}
