//! One connected Grafana: its client, the mirror of what it holds, and who may write.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use parking_lot::{Mutex, RwLock};
use tokio::sync::{Mutex as AsyncMutex, Notify, OwnedMutexGuard};
use tokio_util::sync::CancellationToken;

use crate::api::GrafanaInstanceSpec;
use crate::api::condition::Reason;
use crate::api::reference::{DatasourceRef, DeletionPolicy};
use crate::cluster::memory::Memory;
use crate::controller::engine::failure::{Failure, Retry};
use crate::domain::refusal::Refusal;
use crate::domain::version::Version;
use crate::grafana::Grafana;
use crate::grafana::api::AlertState;
use crate::grafana::mirror::Mirror;
use crate::grafana::wire::DataSource;

/// What a Grafana says about itself.
#[derive(Debug, Clone)]
pub struct Facts {
    /// As it says.
    pub version_text: String,
    /// As far as decisions depend on it.
    pub version: Version,
    /// The shortest interval that it evaluates rules at.
    pub min_interval: Duration,
    /// Whether folders may lie in folders.
    pub nested_folders: bool,
    /// Its data sources.
    pub sources: Vec<DataSource>,
}

/// Whether a Grafana can be used.
#[derive(Debug, Clone)]
pub enum Health {
    /// Nothing has been read yet.
    Starting,
    /// Everything has been read, and the last read succeeded.
    Up,
    /// The last read failed.
    Down(Failure),
}

/// What Grafana says of a rule's alerts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenState {
    /// The most serious state among them.
    pub state: AlertState,
    /// Why it is `Error`, free of what changes by itself.
    pub message: Option<String>,
}

/// Folder uid and title of a rule group.
type GroupKey = (String, String);

/// One connected Grafana.
pub struct Instance {
    /// Name of the GrafanaInstance.
    pub name: String,
    /// Its specification.
    pub spec: GrafanaInstanceSpec,
    /// What the connection was made from; another value makes another connection.
    pub fingerprint: String,
    /// The client.
    pub grafana: Grafana,
    /// What Grafana holds, as far as we know.
    pub mirror: Mirror,
    /// What Grafana can't remember for us.
    pub memory: Memory,
    /// The states of rules, by namespace and name of their AlertRule.
    pub states: RwLock<HashMap<(String, String), SeenState>>,
    /// Held while contact points or policies are written: they are one document in Grafana.
    pub notifications: AsyncMutex<()>,
    /// Held while folders are created.
    pub folders: AsyncMutex<()>,
    /// Wakes the poller up.
    pub suspicion: Notify,
    /// Whether the poller should read at once what hardly ever changes.
    pub facts_are_stale: AtomicBool,
    /// Ends the poller.
    pub stop: CancellationToken,
    groups: Mutex<HashMap<GroupKey, Weak<AsyncMutex<()>>>>,
    facts: RwLock<Option<Facts>>,
    health: RwLock<Health>,
    /// The namespace whose silences may cover alerts of any other.
    home: String,
}

impl Instance {
    /// A connection of which nothing is known yet.
    pub fn new(
        name: String,
        spec: GrafanaInstanceSpec,
        fingerprint: String,
        grafana: Grafana,
        memory: Memory,
        home: String,
    ) -> Self {
        Self {
            name,
            spec,
            fingerprint,
            grafana,
            mirror: Mirror::default(),
            memory,
            states: RwLock::default(),
            notifications: AsyncMutex::default(),
            folders: AsyncMutex::default(),
            suspicion: Notify::new(),
            facts_are_stale: AtomicBool::new(false),
            stop: CancellationToken::new(),
            groups: Mutex::default(),
            facts: RwLock::default(),
            health: RwLock::new(Health::Starting),
            home,
        }
    }

    /// Whether resources of a namespace may use this Grafana.
    pub fn allows(&self, namespace: &str) -> bool {
        let allowed = self.spec.allowed_namespaces.as_ref();
        allowed.is_none_or(|allowed| allowed.contains(namespace))
    }

    /// Whether a namespace may hold the policy tree.
    pub fn allows_tree(&self, namespace: &str) -> bool {
        let allowed = self.spec.root_policy_namespaces.as_ref();
        allowed.is_none_or(|allowed| allowed.contains(namespace))
    }

    /// Whether silences of a namespace may cover alerts of others.
    pub fn is_unrestricted(&self, namespace: &str) -> bool {
        let unrestricted = self.spec.unrestricted_namespaces.as_ref();
        namespace == self.home || unrestricted.is_some_and(|unrestricted| unrestricted.contains(namespace))
    }

    /// Fails unless the Grafana can be used.
    pub fn check(&self) -> Result<(), Failure> {
        match &*self.health.read() {
            Health::Up => Ok(()),
            Health::Starting => Err(Failure::not_yet()),
            // The poller asks for a pass as soon as Grafana is back.
            Health::Down(failure) => Err(Failure {
                retry: Retry::OnChange,
                ..failure.clone()
            }),
        }
    }

    /// Whether the Grafana can be used.
    pub fn health(&self) -> Health {
        self.health.read().clone()
    }

    /// Notes whether the Grafana can be used, and tells whether that is news.
    pub fn set_health(&self, health: Health) -> bool {
        let mut known = self.health.write();
        let same = matches!((&*known, &health), (Health::Up, Health::Up))
            || matches!((&*known, &health), (Health::Down(a), Health::Down(b)) if a == b);
        *known = health;
        !same
    }

    /// What the Grafana says about itself.
    pub fn facts(&self) -> Result<Facts, Failure> {
        self.facts.read().clone().ok_or_else(Failure::not_yet)
    }

    /// Notes what the Grafana says about itself, and tells whether that is news to whoever depends on it.
    pub fn set_facts(&self, facts: Facts) -> bool {
        let mut known = self.facts.write();
        let same = known.as_ref().is_some_and(|k| {
            k.version == facts.version && k.min_interval == facts.min_interval && k.sources == facts.sources
        });
        *known = Some(facts);
        !same
    }

    /// Grafana's address for people.
    pub fn external_url(&self) -> &str {
        self.spec.external_url.as_deref().unwrap_or(&self.spec.url)
    }

    /// What happens to objects of resources that are deleted.
    pub fn deletion_policy(&self, own: Option<DeletionPolicy>) -> DeletionPolicy {
        own.or(self.spec.default_deletion_policy).unwrap_or_default()
    }

    /// The right to write a rule group. One writer at a time has it.
    pub async fn group(&self, folder_uid: &str, group: &str) -> OwnedMutexGuard<()> {
        let lock = {
            let mut groups = self.groups.lock();
            groups.retain(|_, lock| lock.strong_count() > 0);
            let slot = groups
                .entry((folder_uid.to_owned(), group.to_owned()))
                .or_default();
            slot.upgrade().unwrap_or_else(|| {
                let lock = Arc::new(AsyncMutex::new(()));
                *slot = Arc::downgrade(&lock);
                lock
            })
        };
        lock.lock_owned().await
    }

    /// Has the poller read at once what hardly ever changes, data sources for example: something is missing there.
    pub fn read_facts_soon(&self) {
        self.facts_are_stale.store(true, Ordering::Release);
        self.suspicion.notify_one();
    }

    /// Passes a failure on, and has the poller look if it is of the connection.
    pub fn suspect(&self, failure: Failure) -> Failure {
        if failure.is_of_the_connection() {
            self.suspicion.notify_one();
        }
        failure
    }
}

/// The data source that a rule's own reference, or else the instance's, names.
pub fn source<'a>(
    facts: &'a Facts,
    own: Option<&DatasourceRef>,
    default: Option<&DatasourceRef>,
) -> Result<&'a DataSource, Refusal> {
    let (field, reference) = match (own, default) {
        (Some(reference), _) => ("spec.datasource", reference),
        (None, Some(reference)) => ("the instance's defaultDatasource", reference),
        (None, None) => {
            return facts.sources.iter().find(|s| s.is_default).ok_or_else(|| {
                Refusal::missing(
                    "spec.datasource is unset and Grafana has no default data source; set one of them",
                )
            });
        }
    };
    let known = || {
        let mut names: Vec<_> = facts.sources.iter().map(|s| s.name.as_str()).collect();
        names.sort_unstable();
        if names.is_empty() {
            "none".to_owned()
        } else {
            names.join(", ")
        }
    };
    let missing = |what: String| {
        Refusal::new(
            Reason::DependencyMissing,
            format!("{field}: Grafana has no data source {what}; it has {}", known()),
        )
    };
    if let Some(uid) = &reference.uid {
        return facts
            .sources
            .iter()
            .find(|s| s.uid == *uid)
            .ok_or_else(|| missing(format!("with uid {uid}")));
    }
    if let Some(name) = &reference.name {
        return facts
            .sources
            .iter()
            .find(|s| s.name == *name)
            .ok_or_else(|| missing(format!("named {name}")));
    }
    let type_ = reference.type_.as_deref().unwrap_or_default();
    let of_type: Vec<_> = facts.sources.iter().filter(|s| s.r#type == type_).collect();
    match of_type.as_slice() {
        [] => Err(missing(format!("of type {type_}"))),
        [only] => Ok(only),
        several => several.iter().find(|s| s.is_default).copied().ok_or_else(|| {
            Refusal::invalid(
                field,
                format!(
                    "{} data sources are of type {type_}; give name or uid",
                    several.len()
                ),
            )
        }),
    }
}
