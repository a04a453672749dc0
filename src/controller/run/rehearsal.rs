//! All passes over the resources of one Grafana, rehearsed: each as the operator would have it, over a Grafana and a cluster that are read and not written
//! to. What would have been written counts for those that follow, as do the statuses, so that a policy finds the contact point that isn't there yet.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use k8s_openapi::api::core::v1::Namespace;
use kube::Client;
use kube::core::PartialObjectMeta;
use kube::runtime::reflector::ObjectRef;
use kube::runtime::watcher::Event;
use serde::Serialize;
use tokio::sync::mpsc::UnboundedReceiver;

use crate::api::condition::Reason;
use crate::api::grafana_instance::DriftPolicy;
use crate::api::{
    AlertRule, ContactPoint, GrafanaInstance, InhibitionRule, NotificationPolicy, NotificationTemplate,
    Silence, TimeInterval,
};
use crate::cluster::identity::Identity;
use crate::controller::connection::Instance;
use crate::controller::context::{Context, Operator, Writers};
use crate::controller::engine::by::Indexed;
use crate::controller::engine::health::Health;
use crate::controller::engine::managed::Managed;
use crate::controller::engine::readiness::Readiness;
use crate::controller::engine::store::{Store, Writer};
use crate::controller::engine::trigger::Receivers;
use crate::controller::instance::{poller, preference};
use crate::controller::news;
use crate::controller::pass::{Reconcile, rehearse};
use crate::domain::ownership::{Owner, Owners};
use crate::grafana::Grafana;
use crate::grafana::api::rehearsed::{Notes, Touched, rehearsed};
use crate::grafana::mirror::Lookup;
use crate::metrics::Metrics;

/// How often passes may ask for others. Each time there are fewer; what would go on for ever is a fault.
const ROUNDS: usize = 16;

/// How many folders may lie in each other; more are a circle.
const DEEPEST: usize = 32;

/// The resources that there are, or would be.
#[derive(Default, Clone)]
#[allow(missing_docs, reason = "each is its kind")]
pub struct Cast {
    pub rules: Vec<AlertRule>,
    pub contact_points: Vec<ContactPoint>,
    pub policies: Vec<NotificationPolicy>,
    pub time_intervals: Vec<TimeInterval>,
    pub templates: Vec<NotificationTemplate>,
    pub inhibition_rules: Vec<InhibitionRule>,
    pub silences: Vec<Silence>,
}

/// What is rehearsed.
#[derive(Clone)]
pub struct Play {
    /// A cluster that can't be written to.
    pub client: Client,
    /// The operator's own namespace.
    pub home: String,
    /// Marks what is ours in Grafana.
    pub owner: Owner,
    /// The Grafana that the resources are for.
    pub instance: GrafanaInstance,
    /// Its client.
    pub grafana: Grafana,
    /// The labels of namespaces, where the instance chooses by them.
    pub namespaces: Vec<PartialObjectMeta<Namespace>>,
}

/// What a resource is called.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Name {
    /// Its kind.
    pub kind: &'static str,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

/// What became of a resource.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The reason of `Ready`; none where it would be gone.
    pub reason: Option<Reason>,
    /// The message of `Ready`.
    pub message: String,
    /// What would have been written for it.
    pub touched: Vec<Touched>,
}

/// How it went.
pub struct Performance {
    /// What became of each resource.
    pub outcomes: BTreeMap<Name, Outcome>,
    /// What would have been written.
    pub notes: Arc<Notes>,
    instance: Arc<Instance>,
}

impl Performance {
    /// The path of titles to a folder, as far as it is known.
    pub fn folder(&self, uid: &str) -> Option<String> {
        self.instance.mirror.read(|held| {
            let (mut titles, mut next) = (Vec::new(), Some(uid.to_owned()));
            while let Some(uid) = &next {
                let Lookup::Present(folder) = held.folders.lookup(uid) else {
                    break;
                };
                titles.push(folder.title.replace('/', "\\/"));
                next.clone_from(&folder.parent_uid);
            }
            titles.reverse();
            (!titles.is_empty()).then(|| titles.join("/"))
        })
    }

    /// The same as a resource would write it; none where not all of it is known.
    pub fn folder_path(&self, uid: &str) -> Option<String> {
        self.instance.mirror.read(|held| {
            let (mut titles, mut next) = (Vec::new(), Some(uid.to_owned()));
            while let Some(uid) = &next {
                let Lookup::Present(folder) = held.folders.lookup(uid) else {
                    return None;
                };
                titles.push(folder.title.replace('\\', "\\\\").replace('/', "\\/"));
                next.clone_from(&folder.parent_uid);
                next = next.filter(|uid| !uid.is_empty() && titles.len() < DEEPEST);
            }
            titles.reverse();
            Some(titles.join("/"))
        })
    }

    /// Why nothing of the Grafana could be read, if that is so.
    pub fn is_down(&self) -> Option<String> {
        match self.instance.health() {
            Health::Down(failure) => Some(failure.message),
            _ => None,
        }
    }
}

impl Play {
    /// Rehearses all passes until none asks for another.
    pub async fn perform(self, cast: Cast) -> Performance {
        let notes: Arc<Notes> = Arc::default();
        let operator = Operator {
            namespace: self.home.clone(),
            owner: self.owner.clone(),
            watch_secrets: true,
            watched: Vec::new(),
            term: Arc::default(),
            metrics: Arc::new(Metrics::new()),
            readiness: Arc::new(Readiness::waiting("rehearsing")),
        };
        let (context, writers, receivers) = operator.context(self.client.clone());
        let namespaces = self.namespaces.iter().cloned().map(Event::InitApply);
        for event in [Event::Init]
            .into_iter()
            .chain(namespaces)
            .chain([Event::InitDone])
        {
            context.namespaces.note(event);
        }
        let instance = self.connect(&context, &notes);
        let mut stage = Stage {
            context,
            writers,
            receivers,
            notes: notes.clone(),
            outcomes: BTreeMap::new(),
        };
        stage.enter(&self.instance, cast);
        stage.context.set_ready();
        for needs in [
            TimeInterval::NEEDS,
            NotificationTemplate::NEEDS,
            InhibitionRule::NEEDS,
        ] {
            instance.suspicion.ask_for(needs);
        }
        poller::poll_all(&instance, &stage.context, false).await;
        stage.drain();
        stage.all().await;
        Performance {
            outcomes: stage.outcomes,
            notes,
            instance,
        }
    }

    fn connect(&self, context: &Context, notes: &Arc<Notes>) -> Arc<Instance> {
        let name = self.instance.metadata.name.clone().unwrap_or_default();
        let mut spec = self.instance.spec.clone();
        // What is only reported would be no difference.
        spec.drift_policy = Some(DriftPolicy::Correct);
        self.grafana.apis.prefer(preference(&self.instance, None));
        let owners = Owners::new(self.owner.clone(), &spec.previous_owner_ids);
        let instance = Arc::new(Instance::new(
            name.clone(),
            spec.clone(),
            String::new(),
            rehearsed(self.grafana.clone(), notes),
            owners,
            context.rights.of(Identity::new(&spec.url, None).url()),
            self.home.clone(),
        ));
        context.running.write().insert(name, instance.clone());
        instance
    }
}

/// What a watch tells of an object of this kind.
type About<K> = fn(&Event<K>, Option<&K>, &Context);

struct Stage {
    context: Context,
    writers: Writers,
    receivers: Receivers,
    notes: Arc<Notes>,
    outcomes: BTreeMap<Name, Outcome>,
}

/// Lets a first listing tell of these.
fn list<K: Indexed>(context: &Context, writer: &mut Writer<K>, objects: Vec<K>, about: About<K>) {
    let objects = objects.into_iter().map(Event::InitApply);
    for event in [Event::Init].into_iter().chain(objects).chain([Event::InitDone]) {
        let before = writer.apply(&event);
        about(&event, before.as_deref(), context);
    }
}

/// Which passes are asked for.
fn asked<K: kube::Resource<DynamicType = ()>>(
    receiver: &mut UnboundedReceiver<ObjectRef<K>>,
) -> BTreeSet<(String, String)> {
    let mut asked = BTreeSet::new();
    while let Ok(reference) = receiver.try_recv() {
        asked.insert((reference.namespace.unwrap_or_default(), reference.name));
    }
    asked
}

fn names<K: Managed + Indexed>(store: &Store<K>) -> BTreeSet<(String, String)> {
    let all = store.all();
    all.iter()
        .map(|object| (object.ns().to_owned(), object.id().to_owned()))
        .collect()
}

/// The passes over these resources of one kind.
async fn act<K: Reconcile + Indexed>(
    context: &Context,
    writer: &mut Writer<K>,
    about: About<K>,
    (notes, outcomes): (&Notes, &mut BTreeMap<Name, Outcome>),
    asked: BTreeSet<(String, String)>,
) {
    let store = writer.as_reader();
    for (namespace, name) in asked {
        let Some(object) = store.get(&ObjectRef::new(&name).within(&namespace)) else {
            continue;
        };
        let rehearsed = rehearse(&*object, context).await;
        let mut touched = notes.take_touched();
        let called = Name {
            kind: K::KIND,
            namespace,
            name,
        };
        let before = outcomes.remove(&called);
        for earlier in before.into_iter().flat_map(|before| before.touched) {
            if !touched.contains(&earlier) {
                touched.push(earlier);
            }
        }
        touched.sort();
        touched.dedup();
        outcomes.insert(
            called,
            Outcome {
                reason: rehearsed.reason,
                message: rehearsed.message,
                touched,
            },
        );
        if let Some(status) = rehearsed.status {
            let mut told = (*object).clone();
            if object.status() != Some(&status) {
                told = told.only_in(object.instance(), Some(status));
                let event = Event::Apply(told);
                let before = writer.apply(&event);
                about(&event, before.as_deref(), context);
                context.reported(&*object, rehearsed.reason.unwrap_or(Reason::Synced));
            }
        }
    }
}

impl Stage {
    fn enter(&mut self, instance: &GrafanaInstance, cast: Cast) {
        let (context, writers) = (&self.context, &mut self.writers);
        list(
            context,
            &mut writers.instances,
            vec![instance.clone()],
            news::about_instance,
        );
        list(context, &mut writers.rules, cast.rules, news::about_rule);
        list(
            context,
            &mut writers.contact_points,
            cast.contact_points,
            news::about_contact_point,
        );
        list(context, &mut writers.policies, cast.policies, news::about_policy);
        list(
            context,
            &mut writers.time_intervals,
            cast.time_intervals,
            news::about_time_interval,
        );
        list(
            context,
            &mut writers.templates,
            cast.templates,
            news::about_template,
        );
        list(
            context,
            &mut writers.inhibition_rules,
            cast.inhibition_rules,
            news::about_inhibition_rule,
        );
        list(context, &mut writers.silences, cast.silences, news::about_silence);
    }

    /// Forgets which passes were asked for: all will be had.
    fn drain(&mut self) {
        let receivers = &mut self.receivers;
        asked(&mut receivers.rules);
        asked(&mut receivers.contact_points);
        asked(&mut receivers.policies);
        asked(&mut receivers.time_intervals);
        asked(&mut receivers.templates);
        asked(&mut receivers.inhibition_rules);
        asked(&mut receivers.silences);
    }

    /// One pass over each resource, those first that others wait for, and then those that are asked for.
    async fn all(&mut self) {
        for round in 0..ROUNDS {
            let mut count = 0;
            macro_rules! kind {
                ($field:ident, $about:ident) => {
                    let asked = match round {
                        0 => {
                            asked(&mut self.receivers.$field);
                            names(&self.context.stores.$field)
                        }
                        _ => asked(&mut self.receivers.$field),
                    };
                    count += asked.len();
                    act(
                        &self.context,
                        &mut self.writers.$field,
                        news::$about,
                        (&self.notes, &mut self.outcomes),
                        asked,
                    )
                    .await;
                };
            }
            kind!(time_intervals, about_time_interval);
            kind!(templates, about_template);
            kind!(contact_points, about_contact_point);
            kind!(policies, about_policy);
            kind!(inhibition_rules, about_inhibition_rule);
            kind!(rules, about_rule);
            kind!(silences, about_silence);
            if count == 0 {
                return;
            }
        }
    }
}
