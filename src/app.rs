//! The operator's process: what starts and stops in which order.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use http::header::{HeaderValue, USER_AGENT};
use k8s_openapi::api::core::v1::Secret;
use kube::api::{ListParams, PostParams};
use kube::runtime::events::Reporter;
use kube::{Api, Client, CustomResourceExt, ResourceExt};
use parking_lot::RwLock;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing::info;

use crate::api::grafana_instance::Auth;
use crate::api::reference::{SecretKeyRef, SecretSource};
use crate::api::{
    AlertRule, ContactPoint, DEFAULT_INSTANCE, FIELD_MANAGER, GrafanaInstance, NotificationPolicy, Silence,
};
use crate::cluster::events::Events;
use crate::cluster::finalizers;
use crate::cluster::leader::Election;
use crate::controller::context::{Context, Workloads, stores};
use crate::controller::engine::backoff::Backoff;
use crate::controller::engine::claim::AllClaims;
use crate::controller::engine::failure::chain;
use crate::controller::engine::managed::Managed;
use crate::controller::engine::trigger::triggers;
use crate::controller::run;
use crate::domain::ownership::{Owner, base32};
use crate::metrics::Metrics;
use crate::server;

/// The Secret that keeps the owner id where none is given.
const OWNER_SECRET: &str = "alertwright-owner";
/// Its key.
const OWNER_KEY: &str = "ownerID";

/// What the operator was started with, checked.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The operator's own namespace.
    pub namespace: String,
    /// The namespaces to watch; none means all.
    pub watch_namespaces: Vec<String>,
    /// Marks what is ours in Grafana; generated and kept where `None`.
    pub owner: Option<Owner>,
    /// Where health and metrics are served.
    pub http_address: SocketAddr,
    /// Whether changes of Secrets are watched. If not, every resync looks.
    pub watch_secrets: bool,
    /// Whether to wait for the Lease before writing anything.
    pub leader_elect: bool,
    /// The GrafanaInstance `default` that is created if there is none: its address, and the Secret of its token.
    pub default_instance: Option<(String, SecretKeyRef)>,
}

/// Why the operator couldn't start or go on. The message names the cure.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Error(String);

/// Runs until SIGTERM or SIGINT.
pub async fn run(settings: Settings) -> Result<(), Error> {
    let client = connect().await?;
    check_crds(&client, &settings).await?;
    let owner = match settings.owner.clone() {
        Some(owner) => owner,
        None => kept_owner(&client, &settings.namespace).await?,
    };
    info!(
        version = env!("CARGO_PKG_VERSION"),
        namespace = settings.namespace,
        owner = owner.as_str(),
        "starting"
    );
    let stop = on_signal()?;
    let metrics = Arc::new(Metrics::new());
    // A replica that waits for the lease is ready: a rollout of the operator must not wait for it.
    let ready = Arc::new(AtomicBool::new(settings.leader_elect));
    let serving = tokio::spawn(server::serve(
        settings.http_address,
        metrics.clone(),
        ready.clone(),
        stop.clone(),
    ));
    let election = settings
        .leader_elect
        .then(|| Election::new(&client, &settings.namespace, identity()));
    if let Some(election) = &election {
        tokio::select! {
            () = election.win() => {}
            () = stop.cancelled() => return served(serving.await, &settings),
        }
    }
    metrics.set_leader(true);
    create_default_instance(&client, &settings).await?;
    let (stores, writers) = stores();
    let (triggers, receivers) = triggers();
    let reporter = Reporter {
        controller: FIELD_MANAGER.into(),
        instance: std::env::var("POD_NAME").ok(),
    };
    let context = Arc::new(Context {
        namespace: settings.namespace.clone(),
        owner,
        term: election.as_ref().map_or_else(Arc::default, Election::term),
        watch_secrets: settings.watch_secrets,
        stores,
        claims: AllClaims::default(),
        triggers,
        backoff: Backoff::default(),
        metrics,
        running: RwLock::default(),
        broken: RwLock::default(),
        workloads: Workloads::default(),
        ready: Arc::new(AtomicBool::new(false)),
        served_ready: ready,
        events: Events::new(client.clone(), reporter),
        client,
    });
    let controllers = Box::pin(run::all(
        context,
        writers,
        receivers,
        &settings.watch_namespaces,
        stop.clone(),
    ));
    let is_leader = match &election {
        None => {
            controllers.await;
            true
        }
        Some(election) => {
            let (kept, ()) = tokio::join!(
                async {
                    let kept = election.keep(&stop).await;
                    // Passes under way are given up with the process where the lease was lost.
                    stop.cancel();
                    kept
                },
                controllers
            );
            if kept {
                election.release().await;
            }
            kept
        }
    };
    stop.cancel();
    info!("stopped");
    if !is_leader {
        return Err(Error("the lease was lost; another replica goes on".into()));
    }
    served(serving.await, &settings)
}

/// Takes the finalizers off all resources in these namespaces (none: all), once no operator runs any more. Returns how many
/// resources of each kind had one.
pub async fn remove_finalizers(
    namespace: &str,
    watched: &[String],
    patience: Duration,
) -> Result<[(&'static str, usize); 4], Error> {
    let client = connect().await?;
    // Whoever holds the Lease is the only one that writes; a running operator would put them on again.
    let election = Election::new(&client, namespace, identity());
    timeout(patience, election.win()).await.map_err(|_| {
        Error(format!(
            "the Lease of namespace {namespace} could not be had: if an operator runs there, stop it first (kubectl -n {namespace} scale deployment/alertwright --replicas=0)"
        ))
    })?;
    let failed = |e: kube::Error| Error(format!("cannot take the finalizers off: {}", chain(&e)));
    let removed = async {
        Ok([
            (
                AlertRule::KIND,
                finalizers::remove::<AlertRule>(&client, watched).await?,
            ),
            (
                ContactPoint::KIND,
                finalizers::remove::<ContactPoint>(&client, watched).await?,
            ),
            (
                NotificationPolicy::KIND,
                finalizers::remove::<NotificationPolicy>(&client, watched).await?,
            ),
            (
                Silence::KIND,
                finalizers::remove::<Silence>(&client, watched).await?,
            ),
        ])
    };
    let removed = removed.await;
    election.release().await;
    removed.map_err(failed)
}

fn served(
    ended: Result<std::io::Result<()>, tokio::task::JoinError>,
    settings: &Settings,
) -> Result<(), Error> {
    match ended {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(Error(format!(
            "cannot serve health and metrics on {}: {error}; choose another --http-address",
            settings.http_address
        ))),
        Err(error) => Err(Error(error.to_string())),
    }
}

/// What tells this replica from the others: the pod's name. A container that is restarted in its pod is the same replica.
fn identity() -> String {
    let name = |variable| std::env::var(variable).ok().filter(|name| !name.is_empty());
    name("POD_NAME")
        .or_else(|| name("HOSTNAME"))
        .unwrap_or_else(|| format!("{FIELD_MANAGER}-{}", std::process::id()))
}

async fn connect() -> Result<Client, Error> {
    let mut config = kube::Config::infer().await.map_err(|e| {
        Error(format!(
            "no Kubernetes API server is configured: {}; set KUBECONFIG or run in a cluster",
            chain(&e)
        ))
    })?;
    // The API server takes from it who wrote what, where a write doesn't say so itself: the finalizer's.
    let agent = HeaderValue::from_static(concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION")));
    config.headers.push((USER_AGENT, agent));
    Client::try_from(config).map_err(|e| Error(format!("cannot set up the Kubernetes client: {}", chain(&e))))
}

/// A watch of a kind that isn't there waits for ever without a word, so this says it at once.
async fn check_crds(client: &Client, settings: &Settings) -> Result<(), Error> {
    let api: Api<AlertRule> = match settings.watch_namespaces.first() {
        Some(namespace) => Api::namespaced(client.clone(), namespace),
        None => Api::all(client.clone()),
    };
    match api.list(&ListParams::default().limit(1)).await {
        Ok(_) => Ok(()),
        Err(kube::Error::Api(status)) if status.is_not_found() => Err(Error(format!(
            "the CustomResourceDefinition {} is not installed; install all of them with: alertwright crds | kubectl apply --server-side -f -",
            AlertRule::crd_name()
        ))),
        Err(kube::Error::Api(status)) if status.is_forbidden() => Err(Error(format!(
            "the ServiceAccount lacks rights: {}; apply deploy/rbac.yaml",
            status.message
        ))),
        Err(error) => Err(Error(format!(
            "cannot reach the Kubernetes API server: {}",
            chain(&error)
        ))),
    }
}

/// The owner id that was generated when the operator first started here.
async fn kept_owner(client: &Client, namespace: &str) -> Result<Owner, Error> {
    let api: Api<Secret> = Api::namespaced(client.clone(), namespace);
    let failed = |e: kube::Error| {
        Error(format!(
            "cannot keep the owner id in Secret {namespace}/{OWNER_SECRET}: {}",
            chain(&e)
        ))
    };
    let read = |secret: &Secret| -> Option<Owner> {
        let bytes = secret.data.as_ref()?.get(OWNER_KEY)?;
        Owner::parse(std::str::from_utf8(&bytes.0).ok()?)
    };
    if let Some(secret) = api.get_opt(OWNER_SECRET).await.map_err(failed)? {
        return read(&secret).ok_or_else(|| {
            Error(format!("Secret {namespace}/{OWNER_SECRET} holds no valid {OWNER_KEY}: [a-z0-9-], at most 40 characters"))
        });
    }
    let id = base32().encode(&rand::random::<[u8; 10]>());
    let mut secret = Secret {
        string_data: Some([(OWNER_KEY.to_owned(), id.clone())].into()),
        ..Secret::default()
    };
    secret.metadata.name = Some(OWNER_SECRET.to_owned());
    match api.create(&PostParams::default(), &secret).await {
        Ok(_) => Owner::parse(&id).ok_or_else(|| Error("cannot generate an owner id".into())),
        // Another replica was faster.
        Err(kube::Error::Api(status)) if status.is_already_exists() => {
            let secret = api.get(OWNER_SECRET).await.map_err(failed)?;
            read(&secret).ok_or_else(|| {
                Error(format!(
                    "Secret {namespace}/{OWNER_SECRET} holds no valid {OWNER_KEY}"
                ))
            })
        }
        Err(error) => Err(failed(error)),
    }
}

/// Creates the GrafanaInstance `default` from the flags if it is absent; it is never updated.
async fn create_default_instance(client: &Client, settings: &Settings) -> Result<(), Error> {
    let Some((url, token)) = &settings.default_instance else {
        return Ok(());
    };
    let api: Api<GrafanaInstance> = Api::namespaced(client.clone(), &settings.namespace);
    let spec = serde_json::json!({ "url": url });
    let auth = Auth {
        token: Some(SecretSource {
            secret_key_ref: token.clone(),
        }),
        basic: None,
    };
    let mut spec = spec;
    if let (Some(fields), Ok(auth)) = (spec.as_object_mut(), serde_json::to_value(&auth)) {
        fields.insert("auth".into(), auth);
    }
    let spec = serde_json::from_value(spec).map_err(|e| Error(e.to_string()))?;
    match api
        .create(
            &PostParams::default(),
            &GrafanaInstance::new(DEFAULT_INSTANCE, spec),
        )
        .await
    {
        Ok(created) => {
            info!(name = created.name_any(), url, "GrafanaInstance created");
            Ok(())
        }
        Err(kube::Error::Api(status)) if status.is_already_exists() => Ok(()),
        Err(error) => Err(Error(format!(
            "cannot create GrafanaInstance {DEFAULT_INSTANCE}: {}",
            chain(&error)
        ))),
    }
}

/// Is cancelled by the first SIGTERM or SIGINT.
fn on_signal() -> Result<CancellationToken, Error> {
    let failed = |e: std::io::Error| Error(format!("cannot listen for signals: {e}"));
    let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
    let stop = CancellationToken::new();
    let cancel = stop.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        info!("stopping");
        cancel.cancel();
    });
    Ok(stop)
}
