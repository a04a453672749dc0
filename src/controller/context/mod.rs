//! What a pass may use.

mod holding;
mod made;
mod said;
mod tell;

pub use holding::{Holding, made_by};
pub use made::Operator;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use jiff::Timestamp;
use kube::Client;
use kube::ResourceExt;
use kube::runtime::reflector::ObjectRef;
use parking_lot::{Mutex, RwLock};
use tokio_util::sync::CancellationToken;

use super::connection::Instance;
use super::connection::former::Former;
use super::workloads::Workloads;
use crate::api::condition::Reason;
use crate::api::{
    AlertRule, ContactPoint, GrafanaInstance, InhibitionRule, MaintenancePolicy, NotificationPolicy,
    NotificationTemplate, PrometheusRuleImport, Silence, TimeInterval,
};
use crate::cluster::events::Events;
use crate::cluster::leader::Term;
use crate::cluster::memory::Memories;
use crate::cluster::namespace::AllLabels;
use crate::cluster::prometheus::{PrometheusRule, VmRule};
use crate::controller::engine::backoff::Backoff;
use crate::controller::engine::by::{By, named};
use crate::controller::engine::claim::AllClaims;
use crate::controller::engine::failure::{Failure, Retry};
use crate::controller::engine::managed::Managed;
use crate::controller::engine::readiness::Readiness;
use crate::controller::engine::sources::Sources;
use crate::controller::engine::store::{Store, Writer, store};
use crate::controller::engine::trigger::Triggers;
use crate::controller::engine::turns::AllRights;
use crate::controller::engine::turns::crowd::Crowd;
use crate::controller::engine::unwatched::Unwatched;
use crate::controller::engine::watch::Echoes;
use crate::domain::maintenance::migration::Job;
use crate::domain::maintenance::rollout::argo::Rollout;
use crate::domain::maintenance::rollout::{DaemonSet, Deployment, StatefulSet};
use crate::domain::ownership::Owner;
use crate::domain::refusal::Refusal;
use crate::domain::tenancy::{self, Tenant};
use crate::metrics::Metrics;

/// Which resources there are, as the watches tell.
pub struct Stores {
    /// AlertRules.
    pub rules: Store<AlertRule>,
    /// ContactPoints.
    pub contact_points: Store<ContactPoint>,
    /// NotificationPolicies.
    pub policies: Store<NotificationPolicy>,
    /// TimeIntervals.
    pub time_intervals: Store<TimeInterval>,
    /// NotificationTemplates.
    pub templates: Store<NotificationTemplate>,
    /// InhibitionRules.
    pub inhibition_rules: Store<InhibitionRule>,
    /// Silences.
    pub silences: Store<Silence>,
    /// GrafanaInstances of the operator's own namespace.
    pub instances: Store<GrafanaInstance>,
    /// MaintenancePolicies.
    pub maintenance: Store<MaintenancePolicy>,
    /// Deployments, pruned.
    pub deployments: Store<Deployment>,
    /// StatefulSets, pruned.
    pub stateful_sets: Store<StatefulSet>,
    /// DaemonSets, pruned.
    pub daemon_sets: Store<DaemonSet>,
    /// Rollouts of Argo Rollouts, pruned, where they are watched.
    pub rollouts: Store<Rollout>,
    /// Jobs, pruned.
    pub jobs: Store<Job>,
    /// PrometheusRuleImports.
    pub imports: Store<PrometheusRuleImport>,
    /// PrometheusRules, as soon as there is an import.
    pub prometheus_rules: Store<PrometheusRule>,
    /// VMRules, as soon as there is an import.
    pub vm_rules: Store<VmRule>,
}

/// The writing ends of [`Stores`].
#[allow(missing_docs, reason = "as in Stores")]
pub struct Writers {
    pub rules: Writer<AlertRule>,
    pub contact_points: Writer<ContactPoint>,
    pub policies: Writer<NotificationPolicy>,
    pub time_intervals: Writer<TimeInterval>,
    pub templates: Writer<NotificationTemplate>,
    pub inhibition_rules: Writer<InhibitionRule>,
    pub silences: Writer<Silence>,
    pub instances: Writer<GrafanaInstance>,
    pub maintenance: Writer<MaintenancePolicy>,
    pub deployments: Writer<Deployment>,
    pub stateful_sets: Writer<StatefulSet>,
    pub daemon_sets: Writer<DaemonSet>,
    pub rollouts: Writer<Rollout>,
    pub jobs: Writer<Job>,
    pub imports: Writer<PrometheusRuleImport>,
    pub prometheus_rules: Writer<PrometheusRule>,
    pub vm_rules: Writer<VmRule>,
}

/// Empty stores, with their writing ends.
pub fn stores() -> (Stores, Writers) {
    let (rules, rules_writer) = store();
    let (contact_points, contact_points_writer) = store();
    let (policies, policies_writer) = store();
    let (time_intervals, time_intervals_writer) = store();
    let (templates, templates_writer) = store();
    let (inhibition_rules, inhibition_rules_writer) = store();
    let (silences, silences_writer) = store();
    let (instances, instances_writer) = store();
    let (maintenance, maintenance_writer) = store();
    let (deployments, deployments_writer) = store();
    let (stateful_sets, stateful_sets_writer) = store();
    let (daemon_sets, daemon_sets_writer) = store();
    let (rollouts, rollouts_writer) = store();
    let (jobs, jobs_writer) = store();
    let (imports, imports_writer) = store();
    let (prometheus_rules, prometheus_rules_writer) = store();
    let (vm_rules, vm_rules_writer) = store();
    (
        Stores {
            rules,
            contact_points,
            policies,
            time_intervals,
            templates,
            inhibition_rules,
            silences,
            instances,
            maintenance,
            deployments,
            stateful_sets,
            daemon_sets,
            rollouts,
            jobs,
            imports,
            prometheus_rules,
            vm_rules,
        },
        Writers {
            rules: rules_writer,
            contact_points: contact_points_writer,
            policies: policies_writer,
            time_intervals: time_intervals_writer,
            templates: templates_writer,
            inhibition_rules: inhibition_rules_writer,
            silences: silences_writer,
            instances: instances_writer,
            maintenance: maintenance_writer,
            deployments: deployments_writer,
            stateful_sets: stateful_sets_writer,
            daemon_sets: daemon_sets_writer,
            rollouts: rollouts_writer,
            jobs: jobs_writer,
            imports: imports_writer,
            prometheus_rules: prometheus_rules_writer,
            vm_rules: vm_rules_writer,
        },
    )
}

/// What a pass may use. There is one for the whole process.
pub struct Context {
    /// Connection to the API server.
    pub client: Client,
    /// The operator's own namespace, where GrafanaInstances and their Secrets are.
    pub namespace: String,
    /// Marks what is ours in Grafana.
    pub owner: Owner,
    /// How long this process may write.
    pub term: Arc<Term>,
    /// Whether changes of Secrets are watched. If not, every resync looks.
    pub watch_secrets: bool,
    /// Which resources there are.
    pub stores: Stores,
    /// The labels of namespaces, where an instance chooses by them.
    pub namespaces: Arc<AllLabels>,
    /// Who has which name in Grafana.
    pub claims: AllClaims,
    /// Asks for passes.
    pub triggers: Triggers,
    /// Failures of each object.
    pub backoff: Backoff,
    /// Counters.
    pub metrics: Arc<Metrics>,
    /// The Grafanas that are connected.
    pub running: RwLock<HashMap<String, Arc<Instance>>>,
    /// Those that were before.
    pub former: Former,
    /// Who may write to each Grafana.
    pub rights: AllRights,
    /// What is remembered of each Grafana.
    pub memories: Memories,
    /// Why a GrafanaInstance that exists isn't connected: its Secret is missing, for example.
    pub broken: RwLock<HashMap<String, Failure>>,
    /// What is remembered of workloads.
    pub workloads: Workloads,
    /// What is known of the rules of others.
    pub sources: Sources,
    /// By instance and author: the id of the silence that was written last. The status shows it a little later.
    pub silence_ids: Mutex<HashMap<(String, String), String>>,
    /// Whether every kind has been listed.
    pub ready: Arc<AtomicBool>,
    /// Passes begin with this: every kind has been listed, or the process ends.
    pub begins: CancellationToken,
    /// What `/readyz` says.
    pub readiness: Arc<Readiness>,
    /// What can't be watched where.
    pub unwatched: Arc<Unwatched>,
    /// What passes have written and the watches are still to tell.
    pub echoes: Arc<Echoes>,
    /// The passes over resources that are under way.
    pub crowd: Crowd,
    /// Publishes events; one for all, since it remembers what it has published.
    pub events: Events,
}

impl Context {
    /// The time. Passed on as a value from here.
    pub fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    /// Whether every kind has been listed, so that what isn't in a store isn't there.
    pub fn is_ready(&self) -> bool {
        self.ready.load(Ordering::SeqCst)
    }

    /// Notes that every kind has been listed.
    pub fn set_ready(&self) {
        self.ready.store(true, Ordering::SeqCst);
        self.readiness.set();
        self.begins.cancel();
    }

    /// The connected Grafana that a resource is for, once everything in it has been read.
    pub fn instance<K: Managed>(&self, object: &K) -> Result<Arc<Instance>, Failure> {
        if !self.is_ready() {
            return Err(Failure::not_yet());
        }
        let name = object.instance();
        let running = self.running.read().get(name).cloned();
        let Some(instance) = running else {
            return Err(if self.instance_exists(name) {
                self.unconnected(name)
            } else {
                Refusal::missing(format!(
                    "GrafanaInstance {name} is not there; create it in namespace {}, or set spec.instance",
                    self.namespace
                ))
                .into()
            });
        };
        self.admit(&instance, object.ns())?;
        instance.check(K::NEEDS)?;
        Ok(instance)
    }

    /// Whether nothing is known yet of the Grafana that a resource is for, good or bad: everybody is sent on a pass as soon as something is. Of
    /// one that is for several each has its own answer.
    pub fn knows_nothing_yet<K: Managed>(&self, object: &K) -> bool {
        object.projections().is_empty()
            && self
                .instance(object)
                .is_err_and(|failure| failure == Failure::not_yet())
    }

    /// Fails unless resources of a namespace may use an instance. Whoever waits for labels is told as soon as they are seen.
    pub fn admit(&self, instance: &Instance, namespace: &str) -> Result<(), Failure> {
        let labels = self.namespaces.of(namespace);
        let tenant = Tenant {
            name: namespace,
            labels: labels.as_ref(),
        };
        if tenancy::may_use(&instance.spec, tenant) {
            return Ok(());
        }
        let name = &instance.name;
        let has_selector = tenancy::selector(&instance.spec).is_some();
        if has_selector && !self.namespaces.are_known() {
            return Err(self.namespaces.refused().map_or_else(Failure::not_yet, |why| {
                let message = format!(
                    "GrafanaInstance {name} allows namespaces by their labels, and the operator cannot see these: {why}; give its ServiceAccount the right to list and watch namespaces by a ClusterRoleBinding, or have {namespace} added to spec.allowedNamespaces.names"
                );
                Failure::new(Reason::Unavailable, message, Retry::OnChange)
            }));
        }
        let cure = if has_selector {
            "give the namespace the labels that spec.allowedNamespaces.selector asks for, or have it added to spec.allowedNamespaces.names"
        } else {
            "its administrator can add it to spec.allowedNamespaces.names"
        };
        Err(Failure::new(
            Reason::Invalid,
            format!("GrafanaInstance {name} doesn't allow namespace {namespace}; {cure}"),
            Retry::OnChange,
        ))
    }

    /// The namespaces whose Silences may cover alerts of any other in an instance.
    pub fn unrestricted(&self, name: &str) -> BTreeSet<String> {
        let declared = self.declared_instance(name);
        let names = declared
            .iter()
            .flat_map(|it| it.spec.unrestricted_namespaces.iter());
        let names = names.flat_map(|namespaces| namespaces.names.iter().cloned());
        names.chain([self.namespace.clone()]).collect()
    }

    /// The connection of this name: of a GrafanaInstance, or one that was left.
    pub fn connection(&self, name: &str) -> Option<Arc<Instance>> {
        let running = self.running.read().get(name).cloned();
        running.or_else(|| self.former.connection(name))
    }

    /// Why an instance that exists can't be used. Whoever needs it is told as soon as it is connected.
    pub fn unconnected(&self, name: &str) -> Failure {
        let broken = self.broken.read();
        broken.get(name).map_or_else(Failure::not_yet, |failure| {
            let message = format!(
                "GrafanaInstance {name} in namespace {}: {}",
                self.namespace, failure.message
            );
            Failure {
                message,
                retry: Retry::OnChange,
                ..failure.clone()
            }
        })
    }

    /// Why the Grafana that a resource is for can't be used, if it can't though it is declared.
    pub fn unusable<K: Managed>(&self, object: &K) -> Option<Failure> {
        let name = object.instance();
        let running = self.running.read().get(name).cloned();
        match running {
            Some(instance) => instance.check(K::NEEDS).err(),
            None => self.instance_exists(name).then(|| self.unconnected(name)),
        }
    }

    /// Whether there is a GrafanaInstance of this name, connected or not.
    pub fn instance_exists(&self, name: &str) -> bool {
        self.declared_instance(name).is_some()
    }

    /// Whether this GrafanaInstance is still there, in whatever state. One that was made anew under its name is another.
    pub fn is_declared(&self, object: &GrafanaInstance) -> bool {
        let declared = self.declared_instance(&object.name_any());
        declared.is_some_and(|declared| declared.metadata.uid == object.metadata.uid)
    }

    /// The GrafanaInstance of this name as it is declared, connected or not.
    pub fn declared_instance(&self, name: &str) -> Option<Arc<GrafanaInstance>> {
        self.stores
            .instances
            .get(&ObjectRef::new(name).within(&self.namespace))
    }

    /// Tells whoever waits for this resource that its condition has changed.
    pub fn reported<K: Managed>(&self, object: &K, _reason: Reason) {
        if K::KIND == ContactPoint::KIND {
            self.tell_referrers(&By::Receiver(named(object.ns(), object.id())));
        }
    }

    /// Sends those on a pass who refer to a contact point in this way.
    pub fn tell_referrers(&self, receiver: &By) {
        self.triggers.policies.all_by(&self.stores.policies, receiver);
        self.triggers.rules.all_by(&self.stores.rules, receiver);
    }
}
