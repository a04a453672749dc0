//! One connected Grafana: its client, the mirror of what it holds, and who may write.

pub mod former;
mod spoken;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use parking_lot::{Mutex, RwLock};
use tokio_util::sync::CancellationToken;

use self::spoken::Spoken;
use crate::api::condition::Reason;
use crate::api::grafana_instance::{DriftPolicy, OrphanPolicy};
use crate::api::reference::{DatasourceRef, DeletionPolicy};
use crate::api::{ANNOTATION_ADOPT, GrafanaInstanceSpec};
use crate::cluster::memory::Memory;
use crate::controller::engine::failure::Failure;
use crate::controller::engine::health::{Health, Reads, Suspicion, WatchedParts};
use crate::controller::engine::managed::Managed;
use crate::controller::engine::refused::Refused;
use crate::controller::engine::turns::{GrafanaRights, to_its_end};
use crate::domain::changed::orphans::{self, Orphans};
use crate::domain::changed::restored::Restored;
use crate::domain::notification::delivery::Deliveries;
use crate::domain::ownership::Owners;
use crate::domain::refusal::Refusal;
use crate::domain::rule::states::States;
use crate::domain::tenancy::{self, Adoption};
use crate::domain::version::Version;
use crate::grafana::mirror::{Held, Mirror, Part, PointsSeen, Subject};
use crate::grafana::turns::Turn;
use crate::grafana::wire::{DataSource, Settings, Toggles};
use crate::grafana::{self, Class, Grafana};

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
    /// Which feature toggles are on.
    pub toggles: Toggles,
    /// Its data sources.
    pub sources: Vec<DataSource>,
}

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
    /// Whose objects in it are ours.
    pub owners: Owners,
    /// What Grafana holds, as far as we know.
    pub mirror: Mirror,
    /// What a look has found, for those who were waiting for their turns by then.
    pub points_seen: Mutex<Option<PointsSeen>>,
    /// The requests for passes over Silences, by namespace and name, that stood when all silences were read last for one of them.
    pub silences_served: tokio::sync::Mutex<HashMap<(String, String), String>>,
    /// The contact points whose state a read called otherwise than the correction right before it.
    pub renamed_states: Mutex<BTreeSet<String>>,
    /// What carries our mark and has no resource.
    pub orphans: Mutex<Orphans>,
    /// By foreign owner ids: how many rules carry them and the names of our AlertRules.
    pub strangers: Mutex<BTreeMap<String, usize>>,
    /// Whether it was put back to what it was before.
    pub restored: Mutex<Restored>,
    /// The states of rules.
    pub states: RwLock<States>,
    /// What became of notifications.
    pub deliveries: RwLock<Deliveries>,
    /// The values of Secrets that it may repeat.
    pub spoken: Spoken,
    /// Whether that couldn't be read the last time.
    pub are_deliveries_hidden: AtomicBool,
    /// What it has refused.
    pub refused: Refused,
    /// Who may write, whoever is connected to this Grafana.
    pub rights: Arc<GrafanaRights>,
    /// Has the poller look sooner.
    pub suspicion: Suspicion,
    /// What Grafana tells of by itself.
    pub watched: WatchedParts,
    /// Ends the poller.
    pub stop: CancellationToken,
    /// What Grafana can't remember for us, once Grafana has said which it is.
    memory: OnceLock<Arc<Memory>>,
    settings: RwLock<Option<Settings>>,
    /// Whether it couldn't be seen which APIs there are.
    are_apis_due: AtomicBool,
    sources: RwLock<Vec<DataSource>>,
    reads: RwLock<Reads>,
    /// The namespace whose silences may cover alerts of any other.
    home: String,
    /// The GrafanaInstance that it was the connection of, if it is that no more.
    of: Option<String>,
    /// Whether what was left in another Grafana is being looked after.
    pub is_moving: AtomicBool,
    /// Whether it was looked for folders that told two Grafanas apart.
    pub is_tidy: AtomicBool,
}

impl Instance {
    /// A connection of which nothing is known yet.
    pub fn new(
        name: String,
        spec: GrafanaInstanceSpec,
        fingerprint: String,
        grafana: Grafana,
        owners: Owners,
        rights: Arc<GrafanaRights>,
        home: String,
    ) -> Self {
        Self {
            name,
            spec,
            fingerprint,
            grafana,
            owners,
            mirror: Mirror::default(),
            points_seen: Mutex::default(),
            silences_served: tokio::sync::Mutex::default(),
            renamed_states: Mutex::default(),
            orphans: Mutex::default(),
            strangers: Mutex::default(),
            restored: Mutex::default(),
            states: RwLock::default(),
            deliveries: RwLock::default(),
            spoken: Spoken::default(),
            are_deliveries_hidden: AtomicBool::default(),
            refused: Refused::default(),
            rights,
            suspicion: Suspicion::default(),
            watched: WatchedParts::default(),
            stop: CancellationToken::new(),
            memory: OnceLock::new(),
            settings: RwLock::default(),
            are_apis_due: AtomicBool::default(),
            sources: RwLock::default(),
            reads: RwLock::default(),
            home,
            of: None,
            is_moving: AtomicBool::default(),
            is_tidy: AtomicBool::default(),
        }
    }

    /// Whether a namespace may hold the policy tree if it may use this Grafana.
    pub fn allows_tree(&self, namespace: &str) -> bool {
        tenancy::may_be_root(&self.spec, namespace)
    }

    /// Whether resources of a namespace may take over what somebody else made.
    pub fn allows_adoption(&self, namespace: &str) -> bool {
        tenancy::may_adopt(&self.spec, namespace, &self.home)
    }

    /// Whether a resource asks to take over what somebody else made, and may.
    pub fn adopts<K: Managed>(&self, object: &K) -> bool {
        object.annotation(ANNOTATION_ADOPT) == Some("true") && self.allows_adoption(object.ns())
    }

    /// What a resource takes over of what somebody else made. What it has stored is its own, be it that nobody remembers.
    pub fn adoption<K: Managed>(&self, object: &K) -> Adoption {
        if self.adopts(object) {
            Adoption::Asked
        } else if self.allows_adoption(object.ns()) || object.is_stored() {
            Adoption::Equal
        } else {
            Adoption::Forbidden
        }
    }

    /// Whether a change that somebody makes in Grafana of what a resource has stored there, as it is asked for now, is only told of.
    pub fn only_reports_drift<K: Managed>(&self, object: &K) -> bool {
        self.spec.drift_policy == Some(DriftPolicy::Report) && object.is_stored()
    }

    /// How a resource of a namespace can take over what somebody else made, as messages say it.
    pub fn how_to_adopt(&self, namespace: &str) -> String {
        let annotation = format!("take it over with the annotation {ANNOTATION_ADOPT}: \"true\"");
        if self.allows_adoption(namespace) {
            return annotation;
        }
        format!(
            "{annotation} once an administrator has added namespace {namespace} to spec.adoptNamespaces.names of GrafanaInstance {}",
            self.name
        )
    }

    /// Whether silences of a namespace may cover alerts of others.
    pub fn is_unrestricted(&self, namespace: &str) -> bool {
        tenancy::is_unrestricted(&self.spec, namespace, &self.home)
    }

    /// Fails unless all of these have been read, and the last time too. What isn't read of every Grafana is from now on.
    pub fn check(&self, needs: &[Part]) -> Result<(), Failure> {
        self.suspicion.ask_for(needs);
        self.reads.read().check(needs).map_err(|failure| Failure {
            message: match failure.reason {
                Some(_) => format!("GrafanaInstance {}: {}", self.name, failure.message),
                None => failure.message,
            },
            ..failure
        })
    }

    /// Whether the Grafana can be used.
    pub fn health(&self) -> Health {
        self.reads.read().health()
    }

    /// Notes how reads ended.
    pub fn reads<T>(&self, note: impl FnOnce(&mut Reads) -> T) -> T {
        note(&mut self.reads.write())
    }

    /// What Grafana can't remember for us. It is there whenever the Grafana can be used.
    pub fn memory(&self) -> Result<&Memory, Failure> {
        self.memory.get().map(Arc::as_ref).ok_or_else(Failure::not_yet)
    }

    /// Notes which Grafana this is, with what is remembered of it.
    pub fn recognised(&self, memory: Arc<Memory>) {
        // Nothing but the first answer counts: another one would make another connection.
        let _ = self.memory.set(memory);
    }

    /// What the Grafana says about itself.
    pub fn facts(&self) -> Result<Facts, Failure> {
        let settings = self.settings.read().clone().ok_or_else(Failure::not_yet)?;
        let version_text = settings.version.unwrap_or_default();
        Ok(Facts {
            version: Version::parse(&version_text).unwrap_or(Version::OLDEST),
            version_text,
            min_interval: settings.min_interval,
            nested_folders: settings.nested_folders,
            toggles: settings.toggles,
            sources: self.sources.read().clone(),
        })
    }

    /// Version and limits, as far as they have been read.
    pub fn known_settings(&self) -> Option<Settings> {
        self.settings.read().clone()
    }

    /// Notes version and limits, and tells whether that is news to whoever depends on them.
    pub fn set_settings(&self, settings: Settings) -> bool {
        let mut known = self.settings.write();
        let is_news = known.as_ref() != Some(&settings);
        *known = Some(settings);
        is_news
    }

    /// Whether it is to be looked again which APIs there are.
    pub fn are_apis_due(&self) -> bool {
        self.are_apis_due.load(Ordering::Relaxed)
    }

    /// Notes whether it is to be looked again which APIs there are.
    pub fn set_apis_due(&self, is_due: bool) {
        self.are_apis_due.store(is_due, Ordering::Relaxed);
    }

    /// Notes the data sources, and tells whether that is news to whoever depends on them.
    pub fn set_sources(&self, sources: Vec<DataSource>) -> bool {
        let mut known = self.sources.write();
        let is_news = *known != sources;
        *known = sources;
        is_news
    }

    /// Grafana's address for people.
    pub fn external_url(&self) -> &str {
        self.spec.external_url.as_deref().unwrap_or(&self.spec.url)
    }

    /// What happens to objects of resources that are deleted.
    pub fn deletion_policy(&self, own: Option<DeletionPolicy>) -> DeletionPolicy {
        own.or(self.spec.default_deletion_policy).unwrap_or_default()
    }

    /// The right to write the rule of this uid, or the silences of this author. Whoever needs other rights too takes this one first.
    pub async fn object(&self, uid_or_author: &str) -> Turn {
        self.rights.objects.lock(uid_or_author.to_owned()).await
    }

    /// Sends a write and notes in the mirror what it has done, to the end even where whoever waits for it is cut off. Until then nothing is
    /// known of its subject, and `turn` isn't given back. What was refused has changed nothing; of any other failure the outcome is unknown.
    pub async fn write<T: Send + 'static, F>(
        self: &Arc<Self>,
        turn: impl Send + 'static,
        subject: Subject,
        call: impl FnOnce(Grafana) -> F,
        done: impl FnOnce(&mut Held, &T) + Send + 'static,
    ) -> grafana::Result<T>
    where
        F: Future<Output = grafana::Result<T>> + Send + 'static,
    {
        let under_way = UnderWay::begin(self.clone(), subject);
        let call = call(self.grafana.clone());
        to_its_end(async move {
            let result = call.await;
            under_way.instance.mirror.write(|held| match &result {
                Ok(value) => done(held, value),
                Err(error) if error.changed_nothing() => held.stands(&under_way.subject),
                Err(_) => {}
            });
            // A data source that was replaced is refused by the uid that it had.
            if let (Subject::Rules(_), Err(error)) = (&under_way.subject, &result)
                && error.class() == Class::Rejected
            {
                under_way.instance.suspicion.of_sources();
            }
            drop(under_way);
            drop(turn);
            result
        })
        .await
    }

    /// Remembers that objects of a kind's resource stay in Grafana on purpose, so that they are nobody's orphans.
    pub async fn let_go<K: Managed>(&self, ids: &[String]) -> Result<(), Failure> {
        if ids.is_empty() {
            return Ok(());
        }
        // Where orphans are only told of, nothing has to wait for a Grafana that hasn't answered yet.
        let memory = match self.memory() {
            Ok(memory) => memory,
            Err(failure) if self.spec.orphans == Some(OrphanPolicy::Delete) => return Err(failure),
            Err(_) => return Ok(()),
        };
        let _turn = self.rights.notifications.lock().await;
        let keys = || ids.iter().map(|id| orphans::key(K::KIND, id));
        Ok(memory.update(|memory| memory.released.extend(keys())).await?)
    }

    /// Passes a failure on, and has the poller look if it is of the connection.
    pub fn suspect(&self, failure: Failure) -> Failure {
        if failure.is_of_the_connection() {
            self.suspicion.of_everything();
        }
        failure
    }
}

/// A write that has been sent. Dropped, its outcome is unknown unless something was noted.
struct UnderWay {
    instance: Arc<Instance>,
    subject: Subject,
}

impl UnderWay {
    fn begin(instance: Arc<Instance>, subject: Subject) -> Self {
        instance.mirror.write(|held| held.begins(&subject));
        Self { instance, subject }
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.instance.mirror.write(|held| held.ends(&self.subject));
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
    named(facts, field, reference)
}

/// The data source that a reference at `field` means.
pub fn named<'a>(
    facts: &'a Facts,
    field: &str,
    reference: &DatasourceRef,
) -> Result<&'a DataSource, Refusal> {
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
