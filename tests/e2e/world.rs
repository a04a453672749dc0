//! What every test starts from: two namespaces of its own, a Grafana of its own, and the operator.

use std::path::{Path, PathBuf};
use std::time::Duration;

use alertwright::api::{
    AlertRule, ContactPoint, GrafanaInstance, InhibitionRule, MaintenancePolicy, NotificationPolicy,
    NotificationTemplate, PrometheusRuleImport, Silence, TimeInterval,
};
use alertwright_testbed::control_plane::Watch;
use alertwright_testbed::grafana::{Account, FixedRole};
use alertwright_testbed::operator::{self, Operator};
use alertwright_testbed::trial::{self, Door};
use alertwright_testbed::{ControlPlane, Grafana, Loki, Proxy, grafana, wait};
use kube::{Api, Client, Resource};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// How long anything that should happen may take.
pub const SOON: Duration = Duration::from_secs(60);

/// One installation of the operator with its Grafana.
pub struct World {
    /// Shared by all tests.
    pub plane: &'static ControlPlane,
    /// The operator's own namespace.
    pub home: String,
    /// The namespace that users' resources are in.
    pub ns: String,
    /// This test's Grafana.
    pub grafana: Grafana,
    /// What the operator reaches it through; counts and breaks calls.
    pub proxy: Proxy,
    /// The operator.
    pub operator: Operator,
    /// Rights of the operator.
    pub kubeconfig: PathBuf,
}

/// The project's folder.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Starts a world with everything in its default.
pub async fn start() -> World {
    start_with(grafana::Options::default()).await
}

/// Starts a world with a Grafana of one's own.
pub async fn start_with(options: grafana::Options) -> World {
    start_connected(options, json!({})).await
}

/// The same, whose operator is connected to it in this way from the start; the value goes into the spec.
pub async fn start_connected(options: grafana::Options, more: Value) -> World {
    start_as(options, async |grafana| grafana.account("Admin").await, more)
        .await
        .0
}

/// Starts a world whose operator has an account that has these roles and no other.
pub async fn start_limited(mut options: grafana::Options, roles: &[FixedRole]) -> (World, Account) {
    options.settings.push(Grafana::LICENSED.to_owned());
    let account = async |grafana: &Grafana| grafana.account_with(roles).await;
    start_as(options, account, json!({})).await
}

/// The same with an account of one's own.
async fn start_as(
    options: grafana::Options,
    account: impl AsyncFnOnce(&Grafana) -> Account,
    more: Value,
) -> (World, Account) {
    let plane = ControlPlane::shared().await;
    install_crds(plane).await;
    let (home, ns) = (plane.namespace("op").await, plane.namespace("team").await);
    let grafana = Grafana::start(options).await.expect("grafana starts");
    let loki = Loki::shared().await;
    grafana.add_loki_datasource(loki, "loki", "Loki", true).await;
    let proxy = proxy_of(&grafana).await;
    let kubeconfig = plane.operator_account(&home, Watch::Namespaces(&[&ns])).await;
    let account = account(&grafana).await;
    connect(plane, &home, &proxy.url(), &account.token, more).await;
    let operator = operator(&home, &ns, &kubeconfig)
        .start()
        .await
        .expect("the operator starts");
    let world = World {
        plane,
        home,
        ns,
        grafana,
        proxy,
        operator,
        kubeconfig,
    };
    (world, account)
}

/// A proxy in front of a Grafana, which lets the operator through the trial's door.
pub async fn proxy_of(grafana: &Grafana) -> Proxy {
    let proxy = Proxy::start(grafana.url()).await;
    if trial::door() == Some(Door::Provisioning) {
        proxy.only("/api/");
    }
    proxy
}

/// Options of the operator as tests start it.
pub fn operator(home: &str, ns: &str, kubeconfig: &Path) -> operator::Options {
    operator_as(home, home, ns, kubeconfig)
}

/// The same, with an owner id of one's own.
pub fn operator_as(owner: &str, home: &str, ns: &str, kubeconfig: &Path) -> operator::Options {
    operator::Options::new(env!("CARGO_BIN_EXE_alertwright"), kubeconfig).args([
        "--operator-namespace",
        home,
        "--watch-namespaces",
        ns,
        "--owner-id",
        owner,
        "--log-level",
        "debug",
    ])
}

/// Writes the GrafanaInstance `default` and its Secret, so that Grafana is used through the trial's API; `more` goes into the spec.
pub async fn connect(plane: &ControlPlane, home: &str, url: &str, token: &str, more: Value) {
    let mut spec = json!({
        "url": url,
        "auth": {"token": {"secretKeyRef": {"name": "grafana", "key": "token"}}},
        "resyncInterval": "2s",
        "stateInterval": "1s",
    });
    if trial::door() == Some(Door::Platform) {
        spec["ruleAPI"] = json!("Platform");
    }
    if let (Some(spec), Some(more)) = (spec.as_object_mut(), more.as_object()) {
        spec.extend(more.clone());
    }
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "grafana"}, "stringData": {"token": token}});
    let instance = json!({"apiVersion": "alerting.letsrevel.io/v1alpha1", "kind": "GrafanaInstance", "metadata": {"name": "default"}, "spec": spec});
    plane.apply(&secret.to_string(), home).await;
    plane.apply(&instance.to_string(), home).await;
}

/// Installs our CRDs, once.
pub async fn install_crds(plane: &ControlPlane) {
    static INSTALLED: tokio::sync::OnceCell<()> = tokio::sync::OnceCell::const_new();
    INSTALLED.get_or_init(|| install_crds_anew(plane)).await;
}

/// The same on a control plane of one's own.
pub async fn install_crds_anew(plane: &ControlPlane) {
    for crd in alertwright::api::crds() {
        plane
            .apply(&serde_json::to_string(&crd).expect("a CRD is JSON"), "default")
            .await;
    }
}

/// A kind of ours, as tests wait for it.
pub trait Reported:
    Resource<DynamicType = (), Scope = k8s_openapi::NamespaceResourceScope>
    + Clone
    + DeserializeOwned
    + std::fmt::Debug
{
    /// The conditions in its status.
    fn conditions(&self) -> Vec<k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition>;
}

macro_rules! reported {
    ($($kind:ident),*) => {
        $(impl Reported for $kind {
            fn conditions(&self) -> Vec<k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition> {
                self.status.as_ref().map(|status| status.conditions.clone()).unwrap_or_default()
            }
        })*
    };
}
reported!(
    AlertRule,
    ContactPoint,
    GrafanaInstance,
    InhibitionRule,
    MaintenancePolicy,
    NotificationPolicy,
    PrometheusRuleImport,
    Silence,
    NotificationTemplate,
    TimeInterval
);

impl World {
    /// A client with all rights.
    pub async fn client(&self) -> Client {
        self.plane.admin().await
    }

    /// The resources of a kind in the users' namespace.
    pub async fn api<K: Reported>(&self) -> Api<K> {
        Api::namespaced(self.client().await, &self.ns)
    }

    /// Applies YAML into the users' namespace.
    pub async fn apply(&self, yaml: &str) {
        self.plane.apply(yaml, &self.ns).await;
    }

    /// Applies one resource of ours.
    pub async fn put(&self, kind: &str, name: &str, spec: Value) {
        let object = json!({"apiVersion": "alerting.letsrevel.io/v1alpha1", "kind": kind, "metadata": {"name": name}, "spec": spec});
        self.apply(&object.to_string()).await;
    }

    /// Waits until `Ready` has this reason for the present generation, and returns the resource.
    pub async fn reason<K: Reported>(&self, name: &str, reason: &str) -> K {
        let api = self.api::<K>().await;
        let what = format!("{} {name} is {reason}\n--- operator ---\n{}", K::kind(&()), "");
        wait::until(&what, SOON, async || {
            let object = api.get_opt(name).await.ok().flatten()?;
            let ready = object.conditions().into_iter().find(|c| c.type_ == "Ready")?;
            (ready.reason == reason && ready.observed_generation == object.meta().generation)
                .then_some(object)
        })
        .await
    }

    /// Waits until the resource is in sync.
    pub async fn synced<K: Reported>(&self, name: &str) -> K {
        self.reason(name, "Synced").await
    }

    /// The message of `Ready`.
    pub async fn message<K: Reported>(&self, name: &str) -> String {
        let object = self.api::<K>().await.get(name).await.expect("it is there");
        object
            .conditions()
            .into_iter()
            .find(|c| c.type_ == "Ready")
            .map(|c| c.message)
            .unwrap_or_default()
    }

    /// The names of the Secrets in which the operator remembers what Grafana can't.
    pub async fn memories(&self) -> Vec<String> {
        let list = ["get", "secrets", "-n", &self.home, "-o", "name"];
        let names = self.plane.kubectl(list).await.ok();
        names
            .lines()
            .filter_map(|line| line.strip_prefix("secret/"))
            .filter(|name| name.starts_with("alertwright-memory-"))
            .map(str::to_owned)
            .collect()
    }

    /// Deletes what the operator remembers.
    pub async fn forget(&self) {
        for name in self.memories().await {
            self.plane
                .kubectl(["delete", "secret", &name, "-n", &self.home])
                .await
                .ok();
        }
    }

    /// Deletes a resource and waits until it is gone.
    pub async fn delete<K: Reported>(&self, name: &str) {
        let api = self.api::<K>().await;
        api.delete(name, &kube::api::DeleteParams::default())
            .await
            .expect("it can be deleted");
        wait::until(&format!("{} {name} is gone", K::kind(&())), SOON, async || {
            api.get_opt(name).await.is_ok_and(|found| found.is_none())
        })
        .await;
    }
}
