//! What every test starts from: a cluster of its own whose Argo CD has deployed the operator, as `deploy/argocd` says.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use alertwright_testbed::argocd::Application;
use alertwright_testbed::{
    ArgoCd, ControlPlane, Grafana, Loki, Operator, Proxy, Repository, grafana, operator, wait,
};
use serde_json::{Value, json};

/// How long anything that should happen may take.
pub const SOON: Duration = Duration::from_secs(300);

/// The Application of the Revel example.
pub const REVEL: &str = "revel-alerting";
/// The namespace of the Revel example.
pub const NAMESPACE: &str = "revel";

/// A cluster with Argo CD, and the operator deployed by it.
pub struct Site {
    /// The cluster.
    pub plane: ControlPlane,
    /// Its Argo CD.
    pub argo: ArgoCd,
    /// What Argo CD deploys from: our chart and `deploy`.
    pub repository: Repository,
    /// The Grafana.
    pub grafana: Grafana,
    /// What the operator reaches it through.
    pub proxy: Proxy,
    /// What the Deployment's pod would be.
    pub operator: Operator,
}

/// The project's folder.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A file of the project.
pub fn read(file: &str) -> String {
    std::fs::read_to_string(root().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// The objects of a YAML text.
pub fn documents(yaml: &str) -> Vec<Value> {
    let all: Vec<Value> = serde_saphyr::from_multiple(yaml).expect("YAML");
    all.into_iter().filter(|document| !document.is_null()).collect()
}

impl Site {
    /// Follows docs/gitops.md: health checks, the operator's Application, the Secret of the token.
    pub async fn start() -> Self {
        Self::start_with(None).await
    }

    /// The same, with a shipped Application that is applied ahead of the operator's.
    pub async fn start_with(other: Option<&str>) -> Self {
        let plane = ControlPlane::start().await.expect("a control plane");
        let argo = ArgoCd::start(&plane).await.expect("Argo CD starts");
        let grafana = Grafana::start(grafana::Options::default())
            .await
            .expect("grafana starts");
        let loki = Loki::shared().await;
        grafana.add_loki_datasource(loki, "loki", "Loki", true).await;
        let proxy = Proxy::start(grafana.url()).await;
        let repository = Repository::new().expect("a git repository");
        for folder in ["charts/alertwright", "deploy"] {
            repository.copy(&root().join(folder), folder);
        }
        repository.commit("As it is shipped");

        let patch = root().join("deploy/argocd/health-checks.yaml");
        let patch = patch.to_string_lossy();
        let configure = words("-n argocd patch configmap argocd-cm --type merge --patch-file");
        plane.kubectl([configure, vec![&*patch]].concat()).await.ok();
        prepare_revel(&plane).await;
        if let Some(file) = other {
            plane
                .apply(&shipped(file, &repository).to_string(), "argocd")
                .await;
        }
        plane
            .apply(&of_operator(&repository, &proxy).to_string(), "argocd")
            .await;
        let deployed = |application: &Application| {
            application.sync() == "Synced" && application.operation() == "Succeeded"
        };
        argo.until("is deployed", "alertwright", SOON, deployed).await;
        let operator = operator(&plane).await;
        let waits = |application: &Application| {
            let health = application.health_of("GrafanaInstance", "default");
            health.is_some_and(|(health, message)| {
                health == "Progressing" && message.starts_with("DependencyMissing: ")
            })
        };
        argo.until("waits for the Secret of the token", "alertwright", SOON, waits)
            .await;
        let token = format!("--from-literal=token={}", grafana.token().await);
        let secret = words("-n alertwright-system create secret generic alertwright-grafana");
        plane.kubectl([secret, vec![&*token]].concat()).await.ok();
        let site = Self {
            plane,
            argo,
            repository,
            grafana,
            proxy,
            operator,
        };
        site.is("alertwright", "Synced", "Healthy").await;
        // kubectl remembers what there is, and has looked before our types were there.
        site.plane
            .kubectl(words("api-resources --api-group alerting.letsrevel.io"))
            .await
            .ok();
        site
    }

    /// Applies a shipped Application, of this site's repository, and waits until it is Synced and Healthy.
    pub async fn deploy(&self, file: &str) -> Application {
        let application = shipped(file, &self.repository);
        self.plane.apply(&application.to_string(), "argocd").await;
        let name = application["metadata"]["name"].as_str().expect("a name");
        self.is(name, "Synced", "Healthy").await
    }

    /// Waits until an Application of the newest commit is in these states, and no sync is under way.
    pub async fn is(&self, name: &str, sync: &str, health: &str) -> Application {
        let what = format!("is {sync} and {health}");
        let is_so = |application: &Application| {
            application.sync() == sync
                && application.health() == health
                && application.operation() == "Succeeded"
        };
        self.argo.until(&what, name, SOON, is_so).await
    }

    /// Commits what was changed and waits until Argo CD has synced the Application to it.
    pub async fn push(&self, message: &str, name: &str) -> Application {
        let commit = self.repository.commit(message);
        self.argo.refresh(name).await;
        let is_there = |application: &Application| {
            application.revision() == commit
                && application.sync() == "Synced"
                && application.0["operationState"]["syncResult"]["revision"] == commit
                && application.operation() == "Succeeded"
        };
        self.argo
            .until(&format!("is synced to {message:?}"), name, SOON, is_there)
            .await
    }

    /// The objects of our kinds in the example's namespace as the API server has them, but for what a status is and does: by
    /// kind and name.
    pub async fn stored(&self) -> BTreeMap<String, Value> {
        let list = self.kubectl("get alerting -o json --show-managed-fields").await;
        let list: Value = serde_json::from_str(&list).expect("JSON");
        let mut stored = BTreeMap::new();
        for mut object in list["items"].as_array().cloned().unwrap_or_default() {
            let name = format!("{}/{}", object["kind"], object["metadata"]["name"]).replace('"', "");
            object["status"] = Value::Null;
            object["metadata"]["resourceVersion"] = Value::Null;
            if let Some(fields) = object["metadata"]["managedFields"].as_array_mut() {
                fields.retain(|entry| entry["subresource"] != "status");
            }
            stored.insert(name, object);
        }
        stored
    }

    /// What kstatus makes of the objects of our kinds in the example's namespace.
    pub async fn kstatus(&self) -> Vec<String> {
        let list: Value = serde_json::from_str(&self.kubectl("get alerting -o json").await).expect("JSON");
        crate::kstatus::kstatus(list["items"].as_array().expect("a list")).await
    }

    /// What kubectl prints for the example's namespace.
    pub async fn kubectl(&self, command: &str) -> String {
        let all = ["-n", NAMESPACE].into_iter().chain(words(command));
        self.plane.kubectl(all).await.ok()
    }

    /// Waits for five reads of everything in Grafana by the operator.
    pub async fn five_resyncs(&self) {
        self.proxy.reset();
        wait::until("five resyncs of the operator", SOON, async || {
            self.proxy.requests().of("GET", "/api/ruler/").len() >= 6
        })
        .await;
    }
}

/// The arguments of a command line, none of which has a space in it.
pub fn words(command: &str) -> Vec<&str> {
    command.split_whitespace().collect()
}

/// A shipped Application, of another repository.
pub fn shipped(file: &str, repository: &Repository) -> Value {
    let yaml = read(&format!("deploy/argocd/{file}"));
    let mut application: Value = serde_saphyr::from_str(&yaml).expect("YAML");
    application["spec"]["source"]["repoURL"] = json!(repository.url());
    application
}

/// The operator's Application, with this Grafana and shorter intervals.
pub fn of_operator(repository: &Repository, proxy: &Proxy) -> Value {
    let mut application = shipped("alertwright.yaml", repository);
    let values = &mut application["spec"]["source"]["helm"]["valuesObject"];
    values["grafana"]["url"] = json!(proxy.url());
    values["grafana"]["spec"] = json!({"resyncInterval": "2s", "stateInterval": "1s"});
    application
}

/// What the Deployment's pod would run, under the ServiceAccount that is there now.
pub async fn operator(plane: &ControlPlane) -> Operator {
    let kubeconfig = plane.service_account("alertwright-system", "alertwright").await;
    operator::Options::new(env!("CARGO_BIN_EXE_alertwright"), &kubeconfig)
        .env("POD_NAMESPACE", "alertwright-system")
        .env("POD_NAME", "alertwright-0")
        .env("LEADER_ELECT", "true")
        .start()
        .await
        .expect("the operator starts")
}

/// What the Revel example takes to be there: its namespace and the Secret of its channels.
async fn prepare_revel(plane: &ControlPlane) {
    plane.kubectl(["create", "namespace", NAMESPACE]).await.ok();
    let secrets = root().join("deploy/examples/revel/secrets.example.yaml");
    plane.apply_file(secrets, NAMESPACE).await;
}
