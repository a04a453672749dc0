//! Every metric, with its registration.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicI64;
use std::time::Duration;

use parking_lot::Mutex;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

use crate::grafana::Class;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Pass {
    kind: &'static str,
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Kind {
    kind: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Request {
    operation: &'static str,
    class: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Deprecated {
    instance: String,
    operation: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Write {
    resource: String,
    verb: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Within {
    instance: String,
    kind: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct State {
    kind: &'static str,
    reason: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Stage {
    kind: &'static str,
    state: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Source {
    source: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Grafana {
    instance: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ApiInUse {
    instance: String,
    concern: String,
    api: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Place {
    kind: String,
    namespace: String,
}

/// All metrics of the process, in the OpenMetrics format under the prefix `alertwright_`.
pub struct Metrics {
    registry: Registry,
    reconciles: Family<Pass, Counter>,
    reconcile_seconds: Family<Kind, Histogram>,
    passes: Family<Stage, Gauge<i64, AtomicI64>>,
    grafana_requests: Family<Request, Counter>,
    grafana_deprecated: Family<Deprecated, Counter>,
    grafana_seconds: Histogram,
    kubernetes_writes: Family<Write, Counter>,
    leader: Gauge<i64, AtomicI64>,
    unwatched: Family<Place, Gauge<i64, AtomicI64>>,
    orphans: Family<Within, Gauge<i64, AtomicI64>>,
    resources: Family<State, Gauge<i64, AtomicI64>>,
    silences: Family<Source, Gauge<i64, AtomicI64>>,
    drift: Family<Kind, Counter>,
    grafana_read: Family<Grafana, Gauge<i64, AtomicI64>>,
    grafana_reachable: Family<Grafana, Gauge<i64, AtomicI64>>,
    grafana_api: Family<ApiInUse, Gauge<i64, AtomicI64>>,
    /// What `grafana_api` has, by instance.
    apis: Mutex<BTreeMap<String, Vec<ApiInUse>>>,
}

impl Metrics {
    /// Metrics that count from zero.
    #[expect(clippy::too_many_lines, reason = "a list of all there are")]
    pub fn new() -> Self {
        let mut registry = Registry::with_prefix("alertwright");
        let reconciles = Family::default();
        let reconcile_seconds = Family::<Kind, Histogram>::new_with_constructor(|| {
            Histogram::new(exponential_buckets(0.001, 2.0, 16))
        });
        let passes = Family::default();
        let grafana_requests = Family::default();
        let grafana_deprecated = Family::default();
        let grafana_seconds = Histogram::new(exponential_buckets(0.001, 2.0, 15));
        let kubernetes_writes = Family::default();
        let leader = Gauge::default();
        let unwatched = Family::default();
        let orphans = Family::default();
        let resources = Family::default();
        let silences = Family::default();
        let drift = Family::default();
        let grafana_read = Family::default();
        let grafana_reachable = Family::default();
        let grafana_api = Family::default();
        registry.register(
            "build",
            "The version of the operator",
            Info::new(vec![("version", env!("CARGO_PKG_VERSION"))]),
        );
        registry.register(
            "silences",
            "Silences that are active, by what they were made for: workload, or by_hand",
            silences.clone(),
        );
        registry.register(
            "drift_corrected",
            "Changes by hand in Grafana that were put right, by kind of the resource",
            drift.clone(),
        );
        registry.register(
            "grafana_read_timestamp_seconds",
            "When everything was last read, by GrafanaInstance, in seconds since 1970",
            grafana_read.clone(),
        );
        registry.register(
            "reconciles",
            "Passes over resources by outcome",
            reconciles.clone(),
        );
        registry.register(
            "reconcile_seconds",
            "How long passes took",
            reconcile_seconds.clone(),
        );
        registry.register(
            "passes",
            "Passes that are under way, by kind and whether they wait for their turn or work",
            passes.clone(),
        );
        registry.register(
            "grafana_requests",
            "Requests to Grafana by operation and class of answer",
            grafana_requests.clone(),
        );
        registry.register(
            "grafana_deprecated_calls",
            "Requests to Grafana that it says are deprecated, by GrafanaInstance and operation",
            grafana_deprecated.clone(),
        );
        registry.register(
            "grafana_request_seconds",
            "How long requests to Grafana took",
            grafana_seconds.clone(),
        );
        registry.register(
            "kubernetes_writes",
            "Writes to the API server, answered or not, but those of the Lease",
            kubernetes_writes.clone(),
        );
        registry.register(
            "leader",
            "1 while this process is the one that writes",
            leader.clone(),
        );
        registry.register(
            "unwatched",
            "1 for each kind and namespace that the API server refuses to let be watched; namespace is empty for all that are watched",
            unwatched.clone(),
        );
        registry.register(
            "orphans",
            "Objects in Grafana that carry this operator's mark and have no resource, by GrafanaInstance and kind of the resource",
            orphans.clone(),
        );
        registry.register(
            "resources",
            "Resources by kind and the reason of their condition Ready; reason is empty until a first pass has said one",
            resources.clone(),
        );
        registry.register(
            "grafana_reachable",
            "1 for each GrafanaInstance whose Grafana answers, 0 for one that doesn't or can't be connected",
            grafana_reachable.clone(),
        );
        registry.register(
            "grafana_api",
            "1 for the API that is used, by GrafanaInstance and concern",
            grafana_api.clone(),
        );
        Self {
            registry,
            reconciles,
            reconcile_seconds,
            passes,
            grafana_requests,
            grafana_deprecated,
            grafana_seconds,
            kubernetes_writes,
            leader,
            unwatched,
            orphans,
            resources,
            silences,
            drift,
            grafana_read,
            grafana_reachable,
            grafana_api,
            apis: Mutex::default(),
        }
    }

    /// Counts a pass.
    pub fn pass(&self, kind: &'static str, is_ok: bool, took: Duration) {
        let outcome = if is_ok { "done" } else { "failed" };
        self.reconciles.get_or_create(&Pass { kind, outcome }).inc();
        self.reconcile_seconds
            .get_or_create(&Kind { kind })
            .observe(took.as_secs_f64());
    }

    /// Counts a pass as under way for as long as what this gives lives: it waits for its turn until it [works](UnderWay::works).
    pub fn under_way(&self, kind: &'static str) -> UnderWay {
        let of = |state| self.passes.get_or_create(&Stage { kind, state }).clone();
        let (now, working) = (of("waiting"), of("working"));
        now.inc();
        UnderWay { now, working }
    }

    /// Counts a write to the API server: of this type in the plural, with its subresource, as in `alertrules/status`, and by this verb.
    pub fn kubernetes_write(&self, resource: String, verb: &'static str) {
        self.kubernetes_writes
            .get_or_create(&Write { resource, verb })
            .inc();
    }

    /// Notes whether this process is the one that writes.
    pub fn set_leader(&self, is_leader: bool) {
        self.leader.set(i64::from(is_leader));
    }

    /// Notes whether a kind can't be watched in a namespace.
    pub fn set_unwatched(&self, kind: &str, namespace: &str, is_unwatched: bool) {
        let place = Place {
            kind: kind.to_owned(),
            namespace: namespace.to_owned(),
        };
        if is_unwatched {
            self.unwatched.get_or_create(&place).set(1);
        } else {
            self.unwatched.remove(&place);
        }
    }

    /// Notes how many objects in an instance's Grafana have no resource of this kind though they carry our mark.
    pub fn set_orphans(&self, instance: &str, kind: &'static str, count: usize) {
        let instance = instance.to_owned();
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        self.orphans.get_or_create(&Within { instance, kind }).set(count);
    }

    /// Notes which API is used, by concern, for an instance's Grafana.
    pub fn set_apis(&self, instance: &str, apis: &BTreeMap<String, String>) {
        let now: Vec<ApiInUse> = apis
            .iter()
            .map(|(concern, api)| ApiInUse {
                instance: instance.to_owned(),
                concern: concern.clone(),
                api: api.clone(),
            })
            .collect();
        let mut known = self.apis.lock();
        for gone in known.remove(instance).unwrap_or_default() {
            if !now.contains(&gone) {
                self.grafana_api.remove(&gone);
            }
        }
        for labels in &now {
            self.grafana_api.get_or_create(labels).set(1);
        }
        if !now.is_empty() {
            known.insert(instance.to_owned(), now);
        }
    }

    /// Forgets the APIs of an instance that is gone.
    pub fn forget_apis(&self, instance: &str) {
        self.set_apis(instance, &BTreeMap::new());
    }

    /// Forgets the orphans of an instance that is gone.
    pub fn forget_orphans(&self, instance: &str, kind: &'static str) {
        let instance = instance.to_owned();
        self.orphans.remove(&Within { instance, kind });
    }

    /// Counts a resource whose condition has another reason now. `None`: it wasn't there before, or isn't any more.
    pub fn resource(&self, kind: &'static str, before: Option<&'static str>, after: Option<&'static str>) {
        let of = |reason| self.resources.get_or_create(&State { kind, reason });
        if let Some(reason) = before {
            of(reason).dec();
        }
        if let Some(reason) = after {
            of(reason).inc();
        }
    }

    /// Notes how many resources of a kind have a reason.
    pub fn set_resources(&self, kind: &'static str, reason: &'static str, count: i64) {
        self.resources.get_or_create(&State { kind, reason }).set(count);
    }

    /// Counts a Silence that becomes active, or is it no more.
    pub fn silence(&self, source: &'static str, more: i64) {
        self.silences.get_or_create(&Source { source }).inc_by(more);
    }

    /// Notes how many Silences are active.
    pub fn set_silences(&self, source: &'static str, count: i64) {
        self.silences.get_or_create(&Source { source }).set(count);
    }

    /// Counts a change by hand in Grafana that was put right.
    pub fn drift_corrected(&self, kind: &'static str) {
        self.drift.get_or_create(&Kind { kind }).inc();
    }

    /// Notes that everything in an instance's Grafana has been read, in seconds since 1970.
    pub fn set_read(&self, instance: &str, at: i64) {
        let instance = instance.to_owned();
        self.grafana_read.get_or_create(&Grafana { instance }).set(at);
    }

    /// Notes whether an instance's Grafana answers.
    pub fn set_reachable(&self, instance: &str, is_reachable: bool) {
        let instance = instance.to_owned();
        let reachable = self.grafana_reachable.get_or_create(&Grafana { instance });
        reachable.set(i64::from(is_reachable));
    }

    /// Forgets a GrafanaInstance that is gone.
    pub fn forget_reachable(&self, instance: &str) {
        let gone = Grafana {
            instance: instance.to_owned(),
        };
        self.grafana_reachable.remove(&gone);
        self.grafana_read.remove(&gone);
    }

    /// All metrics as text.
    pub fn text(&self) -> Result<String, std::fmt::Error> {
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

/// A pass that is under way.
#[derive(Debug)]
pub struct UnderWay {
    /// What counts it.
    now: Gauge<i64, AtomicI64>,
    working: Gauge<i64, AtomicI64>,
}

impl UnderWay {
    /// It has its turn.
    pub fn works(&mut self) {
        self.now.dec();
        self.now = self.working.clone();
        self.now.inc();
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.now.dec();
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// Counts a call to Grafana.
    pub fn grafana_call(&self, operation: &'static str, error: Option<Class>, took: Duration) {
        let class = error.map_or("ok", Class::as_str);
        self.grafana_requests
            .get_or_create(&Request { operation, class })
            .inc();
        self.grafana_seconds.observe(took.as_secs_f64());
    }

    /// Counts a call to Grafana that it says is deprecated.
    pub fn grafana_deprecated_call(&self, instance: &str, operation: &'static str) {
        let instance = instance.to_owned();
        self.grafana_deprecated
            .get_or_create(&Deprecated { instance, operation })
            .inc();
    }
}
