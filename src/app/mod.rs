//! The operator's process: what starts and stops in which order.

mod check;
pub(crate) mod command;
pub mod owner;
mod uninstall;

pub use uninstall::{count_finalizers, remove_finalizers};

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use kube::api::{ListParams, PostParams};
use kube::{Api, Client, Config, ResourceExt};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::api::grafana_instance::Auth;
use crate::api::reference::{SecretKeyRef, SecretSource};
use crate::api::{DEFAULT_INSTANCE, FIELD_MANAGER, GrafanaInstance};
use crate::cluster::answer::{chain, is_conflict};
use crate::cluster::client;
use crate::cluster::leader::{Election, End};
use crate::controller::context::Operator;
use crate::controller::engine::readiness::Readiness;
use crate::controller::run;
use crate::domain::ownership::Owner;
use crate::metrics::Metrics;
use crate::server;

/// How long passes under way may go on after the process was asked to stop. The Lease holds for longer.
const FINISH: Duration = Duration::from_secs(5);

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
    let stop = on_signal()?;
    let config = config().await?;
    let client = plain(&config)?;
    let metrics = Arc::new(Metrics::new());
    let readiness = Arc::new(Readiness::waiting("waiting for the API server"));
    let listener = server::bind(settings.http_address).await.map_err(|e| {
        Error(format!(
            "cannot serve health and metrics on {}: {e}; choose another --http-address",
            settings.http_address
        ))
    })?;
    let serving = tokio::spawn(server::serve(
        listener,
        metrics.clone(),
        readiness.clone(),
        stop.clone(),
    ));
    // A connection of its own: nothing else keeps a renewal waiting.
    let election = if settings.leader_elect {
        Some(Election::new(&plain(&config)?, &settings.namespace, identity()))
    } else {
        None
    };
    let ran = tokio::select! {
        () = stop.cancelled() => Ok(None),
        owner = start(&settings, &client, election.as_ref(), &readiness) => owner.map(Some),
    };
    let ran = match ran {
        Ok(Some(owner)) => {
            lead(
                &settings,
                &config,
                owner,
                election.as_ref(),
                &metrics,
                &readiness,
                &stop,
            )
            .await
        }
        // The Lease may just have been taken.
        Ok(None) => {
            if let Some(election) = &election {
                election.release().await;
            }
            Ok(())
        }
        Err(error) => Err(error),
    };
    metrics.set_leader(false);
    stop.cancel();
    // A client that keeps its connection open keeps no process alive.
    let Ok(served) = timeout(FINISH, serving).await else {
        return ran;
    };
    info!("stopped");
    ran?;
    match served {
        Ok(served) => served.map_err(|e| Error(format!("cannot serve health and metrics: {e}"))),
        Err(error) => Err(Error(error.to_string())),
    }
}

/// Waits for the API server and for the Lease; returns the owner id.
async fn start(
    settings: &Settings,
    client: &Client,
    election: Option<&Election>,
    readiness: &Readiness,
) -> Result<Owner, Error> {
    check::installation(client, &settings.namespace, &settings.watch_namespaces)
        .await
        .map_err(Error)?;
    let owner = match settings.owner.clone() {
        Some(owner) => owner,
        None => owner::keep(client, &settings.namespace).await.map_err(Error)?,
    };
    info!(
        version = env!("CARGO_PKG_VERSION"),
        namespace = settings.namespace,
        owner = owner.as_str(),
        "starting"
    );
    if let Some(election) = election {
        // A replica that waits for the Lease is ready: a rollout of the operator must not wait for it. One that can't even ask for it isn't.
        readiness.wait("asking for the Lease");
        let told = |trouble: Option<&str>| match trouble {
            None => readiness.set(),
            Some(trouble) => readiness.wait(format!("cannot take the Lease: {trouble}")),
        };
        election.win(told).await;
    }
    readiness.wait("not listed yet");
    create_default_instance(client, settings).await?;
    Ok(owner)
}

/// Runs the controllers until `stop`, or until the Lease is lost.
async fn lead(
    settings: &Settings,
    config: &Config,
    owner: Owner,
    election: Option<&Election>,
    metrics: &Arc<Metrics>,
    readiness: &Arc<Readiness>,
    stop: &CancellationToken,
) -> Result<(), Error> {
    let term = election.map_or_else(Arc::default, Election::term);
    let counts = metrics.clone();
    let count = move |resource, verb| counts.kubernetes_write(resource, verb);
    let client = client::fenced(config.clone(), term.clone(), Arc::new(count)).map_err(|e| no_client(&e))?;
    let attentive = client::attentive(config.clone()).map_err(|e| no_client(&e))?;
    metrics.set_leader(true);
    let operator = Operator {
        namespace: settings.namespace.clone(),
        owner,
        watch_secrets: settings.watch_secrets,
        watched: settings.watch_namespaces.clone(),
        term,
        metrics: metrics.clone(),
        readiness: readiness.clone(),
    };
    let (context, writers, receivers) = operator.context(client);
    let context = Arc::new(context);
    let mut controllers = Box::pin(run::all(
        context.clone(),
        &attentive,
        writers,
        receivers,
        &settings.watch_namespaces,
        stop.clone(),
    ));
    let held = async {
        if let Some(election) = election {
            election.keep(stop).await
        } else {
            stop.cancelled().await;
            End::Stopped
        }
    };
    let (end, are_done) = tokio::select! {
        end = held => (end, false),
        () = &mut controllers => (End::Stopped, true),
    };
    stop.cancel();
    if let End::Lost(why) = end {
        // Passes under way are given up with the process.
        return Err(Error(format!("{why}; restarting")));
    }
    // Before everything has been listed there are no passes, and a controller would wait for its store for ever.
    if !are_done && context.is_ready() && timeout(FINISH, controllers).await.is_err() {
        warn!("passes under way were given up after {} s", FINISH.as_secs());
    }
    if let Some(election) = election {
        election.release().await;
    }
    Ok(())
}

/// What tells this replica from the others: the pod's name. A container that is restarted in its pod is the same replica.
fn identity() -> String {
    let name = |variable| std::env::var(variable).ok().filter(|name| !name.is_empty());
    name("POD_NAME")
        .or_else(|| name("HOSTNAME"))
        .unwrap_or_else(|| format!("{FIELD_MANAGER}-{}", std::process::id()))
}

async fn config() -> Result<Config, Error> {
    client::config().await.map_err(|e| {
        Error(format!(
            "no Kubernetes API server is configured: {}; set KUBECONFIG or run in a cluster",
            chain(&e)
        ))
    })
}

fn plain(config: &Config) -> Result<Client, Error> {
    client::plain(config.clone()).map_err(|e| no_client(&e))
}

fn no_client(error: &kube::Error) -> Error {
    Error(format!("cannot set up the Kubernetes client: {}", chain(error)))
}

/// Creates the GrafanaInstance `default` from the flags if it is absent; it is never updated.
async fn create_default_instance(client: &Client, settings: &Settings) -> Result<(), Error> {
    let Some((url, token)) = &settings.default_instance else {
        return Ok(());
    };
    let api: Api<GrafanaInstance> = Api::namespaced(client.clone(), &settings.namespace);
    // The right to create one is needed only where there is none. It is listed, for which there is a right anyway.
    let named = ListParams::default().fields(&format!("metadata.name={DEFAULT_INSTANCE}"));
    if matches!(api.list_metadata(&named).await, Ok(found) if !found.items.is_empty()) {
        return Ok(());
    }
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
        Err(error) if is_conflict(&error) => Ok(()),
        Err(error) => Err(Error(format!(
            "cannot create GrafanaInstance {DEFAULT_INSTANCE}: {}",
            chain(&error)
        ))),
    }
}

/// Is cancelled by the first SIGTERM or SIGINT.
#[cfg(unix)]
fn on_signal() -> Result<CancellationToken, Error> {
    use tokio::signal::unix::{SignalKind, signal};

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

/// Elsewhere there is the command line alone.
#[cfg(not(unix))]
fn on_signal() -> Result<CancellationToken, Error> {
    Err(Error(
        "the operator runs on Linux; on this system there is its command line alone".to_owned(),
    ))
}
