//! A Kubernetes control plane: API server, etcd, controllers, scheduler, and kwok in place of kubelets.

mod account;
mod apply;
mod kubectl;
mod servers;

use std::{
    path::{Path, PathBuf},
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use k8s_openapi::api::core::v1::{Namespace, Node};
use kube::{
    Api, Client, Config,
    api::{ObjectMeta, Patch, PatchParams, PostParams},
    config::{KubeConfigOptions, Kubeconfig},
};
use parking_lot::Mutex;
use serde_json::json;
use tokio::sync::OnceCell;

pub use account::Watch;
pub use kubectl::Output;

use crate::{Error, Result, Scratch, http, process::Process};

use servers::Servers;

/// Who server-side apply records as the owner of what tests apply.
const FIELD_MANAGER: &str = "alertwright-testbed";

/// How long kwok has to make its Node ready; a second is usual.
const NODE: Duration = Duration::from_secs(20);

/// A running control plane with one Node that fits everything; its pods become Ready, its Jobs complete.
///
/// RBAC is real; [`ControlPlane::admin`] may do everything.
#[derive(Debug)]
pub struct ControlPlane {
    kubeconfig: PathBuf,
    namespaces: AtomicUsize,
    servers: Servers,
    etcd: Process,
    apiserver: Mutex<Process>,
    kwok: Process,
    others: Vec<Process>,
    // Last, so that the folder goes after the programs that write to it.
    scratch: Scratch,
}

impl ControlPlane {
    /// The control plane of this test binary, started by the first test that asks.
    pub async fn shared() -> &'static Self {
        static SHARED: OnceCell<Result<ControlPlane, String>> = OnceCell::const_new();
        // The failure is kept too: tests that follow fail at once instead of trying again.
        let started = SHARED
            .get_or_init(async || Self::start().await.map_err(|error| format!("{error:?}")))
            .await;
        started
            .as_ref()
            .unwrap_or_else(|error| panic!("no control plane: {error}"))
    }

    /// Starts a control plane of one's own.
    pub async fn start() -> Result<Self> {
        http::crypto();
        loop {
            match Self::start_once().await {
                Err(error) if error.is_port_clash() => {}
                done => return done,
            }
        }
    }

    async fn start_once() -> Result<Self> {
        let scratch = Scratch::new("control-plane")?;
        let servers = Servers::new(&scratch)?;
        let etcd = servers.etcd().await?;
        let apiserver = servers.apiserver().await?;
        let kubeconfig = servers.admin_kubeconfig()?;
        let others = servers.others(&kubeconfig)?;
        let kwok = servers.kwok(&kubeconfig)?;
        let mut plane = Self {
            kubeconfig,
            namespaces: AtomicUsize::new(1),
            servers,
            etcd,
            apiserver: Mutex::new(apiserver),
            kwok,
            others,
            scratch,
        };
        plane.add_node().await?;
        Ok(plane)
    }

    /// The kubeconfig file of the administrator.
    pub fn kubeconfig(&self) -> &Path {
        &self.kubeconfig
    }

    /// The address of the API server.
    pub fn url(&self) -> String {
        self.servers.url()
    }

    /// A new client of the administrator. Each test takes its own: a client dies with the runtime that made it.
    pub async fn admin(&self) -> Client {
        self.client(&self.kubeconfig).await
    }

    /// A new client of whom the kubeconfig names, see [`ControlPlane::service_account`].
    pub async fn client(&self, kubeconfig: &Path) -> Client {
        let file = Kubeconfig::read_from(kubeconfig).expect("a kubeconfig that we wrote");
        let mut config = Config::from_custom_kubeconfig(file, &KubeConfigOptions::default())
            .await
            .expect("a kubeconfig that we wrote");
        // A developer's HTTPS_PROXY must not catch calls to 127.0.0.1.
        config.proxy_url = None;
        Client::try_from(config).expect("a client for a kubeconfig that we wrote")
    }

    /// Creates a namespace whose name begins with the prefix and is like no other.
    pub async fn namespace(&self, prefix: &str) -> String {
        let name = format!("{prefix}-{}", self.namespaces.fetch_add(1, Ordering::Relaxed));
        let namespace = Namespace {
            metadata: ObjectMeta {
                name: Some(name.clone()),
                ..ObjectMeta::default()
            },
            ..Namespace::default()
        };
        let api: Api<Namespace> = Api::all(self.admin().await);
        api.create(&PostParams::default(), &namespace)
            .await
            .expect("a new namespace");
        name
    }

    /// Kills the API server, as an outage would. Nothing is lost: etcd goes on.
    pub fn stop_apiserver(&self) {
        self.apiserver.lock().kill();
    }

    /// Starts the API server again, at the same address, and waits until it is ready.
    pub async fn start_apiserver(&self) -> Result<()> {
        let started = self.servers.apiserver().await?;
        *self.apiserver.lock() = started;
        Ok(())
    }

    /// The process ids of etcd, the API server, and the rest.
    pub fn processes(&self) -> Vec<u32> {
        let others = self.others.iter().map(Process::id);
        [self.etcd.id(), self.apiserver.lock().id(), self.kwok.id()]
            .into_iter()
            .chain(others)
            .collect()
    }

    /// The folder for the control plane's data, logs and kubeconfigs.
    pub fn dir(&self) -> &Path {
        self.scratch.path()
    }

    /// Adds the Node that kwok plays, and waits until pods can be scheduled to it.
    async fn add_node(&mut self) -> Result<()> {
        let api: Api<Node> = Api::all(self.admin().await);
        let room = json!({"cpu": "1k", "memory": "4Ti", "pods": "100k"});
        let node = serde_json::from_value(json!({
            "metadata": {"name": "fake", "annotations": {"kwok.x-k8s.io/node": "fake"}},
            "status": {"allocatable": room, "capacity": room},
        }));
        let node: Node = node.expect("a Node");
        api.create(&PostParams::default(), &node)
            .await
            .map_err(Error::kube("the Node"))?;
        // Admission taints every new node until the node lifecycle controller, which isn't run, finds it ready.
        let untaint = Patch::Merge(json!({"spec": {"taints": null}}));
        api.patch("fake", &PatchParams::default(), &untaint)
            .await
            .map_err(Error::kube("the Node's taints"))?;
        // Seen once: a kwok that lived, and hadn't taken up its Node within 30 s. Its log goes on in the next one's.
        for _ in 0..2 {
            match self.node_is_ready(&api).await {
                Err(Error::NotReady { .. }) => {}
                done => return done,
            }
            self.kwok.kill();
            self.kwok = self.servers.kwok(&self.kubeconfig)?;
        }
        self.node_is_ready(&api).await
    }

    /// Waits until kwok has taken up the Node; fails at once where it has ended.
    async fn node_is_ready(&mut self, api: &Api<Node>) -> Result<()> {
        let check = async || {
            let node = api.get("fake").await.map_err(|error| error.to_string())?;
            let conditions = node.status.and_then(|status| status.conditions);
            let mut conditions = conditions.unwrap_or_default().into_iter();
            let ready = conditions.any(|c| c.type_ == "Ready" && c.status == "True");
            ready
                .then_some(())
                .ok_or_else(|| "the Node isn't Ready".to_owned())
        };
        self.kwok.ready(NODE, check).await
    }
}
