//! Making a context, before anything is known.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use kube::Client;
use kube::runtime::events::Reporter;
use parking_lot::{Mutex, RwLock};
use tokio_util::sync::CancellationToken;

use super::{Context, Writers, stores};
use crate::api::FIELD_MANAGER;
use crate::cluster::events::Events;
use crate::cluster::leader::Term;
use crate::cluster::memory::Memories;
use crate::cluster::namespace::AllLabels;
use crate::controller::connection::former::Former;
use crate::controller::engine::backoff::Backoff;
use crate::controller::engine::claim::AllClaims;
use crate::controller::engine::readiness::Readiness;
use crate::controller::engine::sources::Sources;
use crate::controller::engine::trigger::{Receivers, triggers};
use crate::controller::engine::turns::AllRights;
use crate::controller::engine::turns::crowd::Crowd;
use crate::controller::engine::unwatched::Unwatched;
use crate::controller::workloads::Workloads;
use crate::domain::ownership::Owner;
use crate::metrics::Metrics;

/// Who has passes, and where.
pub struct Operator {
    /// Its own namespace.
    pub namespace: String,
    /// Marks what is ours in Grafana.
    pub owner: Owner,
    /// Whether changes of Secrets are watched.
    pub watch_secrets: bool,
    /// The namespaces that are watched; none means all.
    pub watched: Vec<String>,
    /// How long it may write.
    pub term: Arc<Term>,
    /// Counters.
    pub metrics: Arc<Metrics>,
    /// What `/readyz` says.
    pub readiness: Arc<Readiness>,
}

impl Operator {
    /// A context in which nothing is known yet, with who tells it what there is, and what passes it asks for.
    pub fn context(self, client: Client) -> (Context, Writers, Receivers) {
        let (stores, writers) = stores();
        let ready = Arc::new(AtomicBool::new(false));
        let (triggers, receivers) = triggers(&ready);
        let reporter = Reporter {
            controller: FIELD_MANAGER.into(),
            instance: std::env::var("POD_NAME").ok(),
        };
        let namespaces = Arc::new(AllLabels::default());
        let context = Context {
            namespace: self.namespace,
            claims: AllClaims::new(self.owner.clone(), namespaces.clone()),
            namespaces,
            owner: self.owner,
            term: self.term,
            watch_secrets: self.watch_secrets,
            stores,
            triggers,
            backoff: Backoff::default(),
            running: RwLock::default(),
            former: Former::default(),
            rights: AllRights::default(),
            echoes: Arc::default(),
            crowd: Crowd::default(),
            memories: Memories::default(),
            broken: RwLock::default(),
            workloads: Workloads::default(),
            sources: Sources::default(),
            silence_ids: Mutex::default(),
            ready,
            begins: CancellationToken::new(),
            readiness: self.readiness,
            unwatched: Arc::new(Unwatched::new(&self.watched, self.metrics.clone())),
            metrics: self.metrics,
            events: Events::new(client.clone(), reporter),
            client,
        };
        (context, writers, receivers)
    }
}
