//! What each watch tells the controllers of other kinds.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use futures::StreamExt;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{ConfigMap, Namespace, Secret};
use kube::core::PartialObjectMeta;
use kube::runtime::watcher::{self, Event};
use kube::{Client, Resource, ResourceExt};
use tokio_util::sync::CancellationToken;
use tracing::debug;

use super::alert_rule::import;
use super::context::Context;
use super::instance;
use super::maintenance::rolling::Rolling;
use super::maintenance::{selection, watched};
use super::notification::policy::related;
use super::tally;
use crate::api::{
    AlertRule, ContactPoint, GrafanaInstance, GrafanaInstanceSpec, MaintenancePolicy, NotificationPolicy,
    Silence,
};
use crate::cluster::answer::{chain, code_within};
use crate::cluster::namespace::{self, Labels};
use crate::controller::engine::by::{By, Named, labelled, named};
use crate::controller::engine::claim::Claiming;
use crate::controller::engine::managed::Managed;
use crate::controller::engine::store::Store;
use crate::controller::engine::watch::{Events, versions};
use crate::domain::claims::Claimant;
use crate::domain::notification::contact_point;
use crate::domain::silence;
use crate::domain::tenancy::{self, Tenant};

/// Lets a watch tell its news.
pub(super) fn tell<K: Resource + 'static>(
    context: &Arc<Context>,
    about: fn(&Event<K>, Option<&K>, &Context),
) -> impl Fn(&Event<K>, Option<&K>) + Send + 'static {
    let context = context.clone();
    move |event, before| about(event, before, &context)
}

/// Notes what a resource claims; returns those for whom the answer may have changed.
fn claim<K: Claiming>(event: &Event<K>, store: &Store<K>, context: &Context) -> Vec<(String, String)> {
    let affected = match event {
        Event::Apply(object) | Event::InitApply(object) => context.claims.note_all(object),
        Event::Delete(object) => context.claims.forget(object),
        Event::Init => Vec::new(),
        // What vanished while the watch was down left no event.
        Event::InitDone => context.claims.keep_only(store),
    };
    affected
        .into_iter()
        .map(|claimant| (claimant.namespace, claimant.name))
        .collect()
}

/// Notes what the resources of an instance claim, where that depends on what has changed in it.
fn claim_anew(instance: &str, spec: Option<&GrafanaInstanceSpec>, context: &Context) {
    fn of<K: Claiming>(store: &Store<K>, instance: &str, context: &Context) -> Vec<Claimant> {
        let all = store.by(&By::Instance(instance.to_owned()));
        all.iter()
            .flat_map(|object| context.claims.note(&**object))
            .collect()
    }
    if !context.claims.set_ground(instance, spec) {
        return;
    }
    let (stores, triggers) = (&context.stores, &context.triggers);
    for other in of(&stores.rules, instance, context) {
        triggers.rules.one(&other.namespace, &other.name);
    }
    for other in of(&stores.contact_points, instance, context) {
        triggers.contact_points.one(&other.namespace, &other.name);
    }
    for other in of(&stores.policies, instance, context) {
        triggers.policies.one(&other.namespace, &other.name);
    }
}

/// Silences may cover a rule that comes, goes, or changes its labels.
pub(super) fn about_rule(event: &Event<AlertRule>, before: Option<&AlertRule>, context: &Context) {
    tally::count(event, before, &context.stores.rules, context);
    import::news::rule(event, before, context);
    for (namespace, name) in claim(event, &context.stores.rules, context) {
        context.triggers.rules.one(&namespace, &name);
    }
    let (rule, after) = match event {
        Event::Apply(rule) => (rule, Some(rule)),
        Event::Delete(rule) => (rule, None),
        Event::InitApply(_) | Event::Init | Event::InitDone => return,
    };
    let silences = &context.stores.silences;
    let has_moved = before.map(AlertRule::instances) != after.map(AlertRule::instances);
    if has_moved {
        let selected = By::Selected(named(rule.ns(), rule.id()));
        context.triggers.silences.all_by(silences, &selected);
    }
    // A status that changes every few seconds is no news: what selects a rule now and did before has it already.
    let states: Vec<&BTreeMap<String, String>> = [before, after]
        .into_iter()
        .flatten()
        .map(ResourceExt::labels)
        .collect();
    let is_selected = |silence: &Silence, labels: &BTreeMap<String, String>| {
        let selector = silence.spec.alert_rules.as_ref();
        selector.is_some_and(|selector| silence::has_all(labels, &selector.match_labels))
    };
    if !has_moved && states.iter().all(|labels| *labels == rule.labels()) {
        return;
    }
    let labels: BTreeSet<_> = states.iter().copied().flatten().collect();
    for label in labels {
        for silence in silences.by(&By::Selector(labelled(rule.ns(), label))) {
            let times = states
                .iter()
                .filter(|labels| is_selected(&silence, labels))
                .count();
            if times > 0 && (has_moved || times < states.len()) {
                context.triggers.silences.one(silence.ns(), silence.id());
            }
        }
    }
}

/// A policy waits for its contact points.
pub(super) fn about_contact_point(
    event: &Event<ContactPoint>,
    before: Option<&ContactPoint>,
    context: &Context,
) {
    tally::count(event, before, &context.stores.contact_points, context);
    for (namespace, name) in claim(event, &context.stores.contact_points, context) {
        context.triggers.contact_points.one(&namespace, &name);
    }
    let (Event::Apply(contact_point) | Event::Delete(contact_point)) = event else {
        return;
    };
    context.tell_referrers(&By::Receiver(named(contact_point.ns(), contact_point.id())));
    // By its name in Grafana it may be referred to as well, also by the one that it had.
    let names: BTreeSet<_> = [before, Some(contact_point)]
        .into_iter()
        .flatten()
        .flat_map(|point| {
            let name = contact_point::name(&point.spec, point.id());
            let instances = point.instances().into_iter();
            instances.map(move |instance| (instance, name))
        })
        .collect();
    for (instance, name) in names {
        context.tell_referrers(&By::GrafanaReceiver {
            instance,
            name: name.to_owned(),
        });
    }
}

pub(super) fn about_policy(
    event: &Event<NotificationPolicy>,
    before: Option<&NotificationPolicy>,
    context: &Context,
) {
    tally::count(event, before, &context.stores.policies, context);
    for (namespace, name) in claim(event, &context.stores.policies, context) {
        context.triggers.policies.one(&namespace, &name);
    }
    related::told(event, before, context);
}

pub(super) fn about_instance(
    event: &Event<GrafanaInstance>,
    before: Option<&GrafanaInstance>,
    context: &Context,
) {
    tally::count_instances(event, before, context);
    // Whether it is there is all that those ask who are told by this.
    match (event, before) {
        (Event::Apply(instance), None) | (Event::Delete(instance), _) => {
            watched::instance(&instance.name_any(), context);
            let (triggers, stores) = (&context.triggers, &context.stores);
            triggers.imports.all_of(&stores.imports, &instance.name_any());
        }
        _ => {}
    }
    if let Event::Apply(instance) | Event::InitApply(instance) | Event::Delete(instance) = event {
        let is_there = !matches!(event, Event::Delete(_));
        claim_anew(&instance.name_any(), is_there.then_some(&instance.spec), context);
        if is_there && tenancy::selector(&instance.spec).is_some() {
            context.namespaces.ask();
        }
    }
    match event {
        Event::Delete(instance) => {
            instance::disconnect(&instance.name_any(), context);
            context.metrics.forget_reachable(&instance.name_any());
        }
        Event::InitDone => {
            let names: Vec<String> = context.running.read().keys().cloned().collect();
            for name in names.iter().filter(|name| !context.instance_exists(name)) {
                instance::disconnect(name, context);
            }
        }
        Event::Apply(_) | Event::Init | Event::InitApply(_) => {}
    }
}

/// The workloads of the namespace may get or lose a silence.
pub(super) fn about_maintenance(
    event: &Event<MaintenancePolicy>,
    before: Option<&MaintenancePolicy>,
    context: &Context,
) {
    tally::count_maintenance(event, before, context);
    // What a policy asks for is its specification; its status counts the workloads, which change often.
    if matches!((event, before), (Event::Apply(after), Some(before)) if before.spec == after.spec) {
        return;
    }
    selection::policy(event, context);
    let (Event::Apply(policy) | Event::Delete(policy)) = event else {
        return;
    };
    let (triggers, stores) = (&context.triggers, &context.stores);
    let namespace = policy.namespace().unwrap_or_default();
    let naming = By::Policy(named(&namespace, &policy.name_any()));
    for concerned in [By::Namespace(namespace), naming] {
        triggers.deployments.all_by(&stores.deployments, &concerned);
        triggers.stateful_sets.all_by(&stores.stateful_sets, &concerned);
        triggers.daemon_sets.all_by(&stores.daemon_sets, &concerned);
        triggers.rollouts.all_by(&stores.rollouts, &concerned);
        triggers.jobs.all_by(&stores.jobs, &concerned);
    }
}

/// A generated Silence concerns its workload.
pub(super) fn about_silence(event: &Event<Silence>, before: Option<&Silence>, context: &Context) {
    tally::count(event, before, &context.stores.silences, context);
    if let Event::Delete(silence) = event {
        context.claims.asks_no_more(silence);
    }
    for (namespace, name) in claim(event, &context.stores.silences, context) {
        context.triggers.silences.one(&namespace, &name);
    }
    watched::silence(event, before, context);
}

/// What rolls out may be looked after by policies.
pub(super) fn about_rolling<K: Rolling>(event: &Event<K>, _: Option<&K>, context: &Context) {
    watched::rolling(event, context);
    selection::rolling(event, context);
}

pub(super) fn about_job(event: &Event<Job>, _: Option<&Job>, context: &Context) {
    watched::job(event, context);
    selection::job(event, context);
}

/// Watches the labels of namespaces from when an instance first chooses by them.
pub(super) async fn namespace_changes(client: Client, context: Arc<Context>, stop: CancellationToken) {
    let watched = async {
        context.namespaces.asked().await;
        let mut events = namespace::watch(&client);
        while let Some(event) = events.next().await {
            namespace_told(event, &context);
        }
    };
    tokio::select! {
        () = watched => {}
        () = stop.cancelled() => {}
    }
}

/// Sends those on a pass who may or may not use an instance by what the watch of namespaces tells.
pub(super) fn namespace_told(event: watcher::Result<Event<PartialObjectMeta<Namespace>>>, context: &Context) {
    let all = &context.namespaces;
    let was_known = all.are_known();
    let was_refused = all.refused().is_some();
    let changed = match event {
        Ok(event) => all.note(event),
        Err(error) => {
            let why = chain(&error);
            if matches!(code_within(&error), Some(401 | 403 | 404)) {
                all.refuse(why);
            } else {
                debug!(error = why, "cannot watch namespaces");
            }
            Vec::new()
        }
    };
    let is_news = was_known != all.are_known() || was_refused != all.refused().is_some();
    if changed.is_empty() && !is_news {
        return;
    }
    for instance in context.stores.instances.all() {
        if tenancy::selector(&instance.spec).is_none() {
            continue;
        }
        let name = instance.name_any();
        context.triggers.instances.one(&context.namespace, &name);
        let may =
            |name: &str, labels: Option<&Labels>| tenancy::may_use(&instance.spec, Tenant { name, labels });
        let turned: HashSet<&str> = changed
            .iter()
            .filter(|(name, before)| may(name, before.as_ref()) != may(name, all.of(name).as_ref()))
            .map(|(name, _)| name.as_str())
            .collect();
        look_again(&name, |namespace| is_news || turned.contains(namespace), context);
    }
}

/// Has the resources of an instance that are in some of the namespaces claim anew and looked at.
fn look_again(instance: &str, is_meant: impl Fn(&str) -> bool, context: &Context) {
    let (stores, triggers) = (&context.stores, &context.triggers);
    let by = By::Instance(instance.to_owned());
    for rule in stores.rules.by(&by).iter().filter(|rule| is_meant(rule.ns())) {
        triggers.rules.one(rule.ns(), rule.id());
        for other in context.claims.note(&**rule) {
            triggers.rules.one(&other.namespace, &other.name);
        }
    }
    for point in stores
        .contact_points
        .by(&by)
        .iter()
        .filter(|point| is_meant(point.ns()))
    {
        triggers.contact_points.one(point.ns(), point.id());
        for other in context.claims.note(&**point) {
            triggers.contact_points.one(&other.namespace, &other.name);
        }
    }
    for policy in stores
        .policies
        .by(&by)
        .iter()
        .filter(|policy| is_meant(policy.ns()))
    {
        triggers.policies.one(policy.ns(), policy.id());
        if let Some(root) = policy.root() {
            triggers.policies.one(&root.namespace, &root.name);
        }
        for other in context.claims.note(&**policy) {
            triggers.policies.one(&other.namespace, &other.name);
        }
    }
    for silence in stores
        .silences
        .by(&by)
        .iter()
        .filter(|silence| is_meant(silence.ns()))
    {
        triggers.silences.one(silence.ns(), silence.id());
    }
}

/// Sends whoever refers to a Secret on a pass when it changes.
pub(super) async fn secret_changes(
    client: Client,
    context: Arc<Context>,
    mut namespaces: Vec<String>,
    stop: CancellationToken,
) {
    if !context.watch_secrets {
        return;
    }
    add_home(&mut namespaces, &context);
    // Helm's are many and large.
    let but = "type!=helm.sh/release.v1";
    let changes = versions::<Secret>(&client, &namespaces, &context.unwatched, but);
    each(changes, stop, |secret| secret_changed(secret, &context)).await;
}

/// Sends whoever refers to a ConfigMap on a pass when it changes.
pub(super) async fn config_map_changes(
    client: Client,
    context: Arc<Context>,
    mut namespaces: Vec<String>,
    stop: CancellationToken,
) {
    add_home(&mut namespaces, &context);
    // Kubernetes writes this one into each namespace.
    let but = "metadata.name!=kube-root-ca.crt";
    let changes = versions::<ConfigMap>(&client, &namespaces, &context.unwatched, but);
    each(changes, stop, |texts| config_map_changed(texts, &context)).await;
}

/// GrafanaInstances refer to what is in the operator's own namespace, wherever resources are watched.
fn add_home(namespaces: &mut Vec<String>, context: &Context) {
    if !namespaces.is_empty() && !namespaces.contains(&context.namespace) {
        namespaces.push(context.namespace.clone());
    }
}

/// Hands over what has changed since the first listing.
async fn each<K>(changes: Events<K>, stop: CancellationToken, about: impl Fn(&K)) {
    let mut is_listed = false;
    let changes = changes.take_until(stop.cancelled_owned());
    let mut changes = std::pin::pin!(changes);
    while let Some(event) = changes.next().await {
        match event {
            Event::Apply(object) | Event::Delete(object) => about(&object),
            // A change may hide in a second listing; the first one has no news.
            Event::InitApply(object) if is_listed => about(&object),
            Event::InitDone => is_listed = true,
            Event::InitApply(_) | Event::Init => {}
        }
    }
}

pub(super) fn secret_changed<S: Resource>(secret: &S, context: &Context) {
    let (triggers, stores) = (&context.triggers, &context.stores);
    let refers = By::Secret(name_of(secret));
    triggers.contact_points.all_by(&stores.contact_points, &refers);
    triggers.instances.all_by(&stores.instances, &refers);
}

pub(super) fn config_map_changed<S: Resource>(texts: &S, context: &Context) {
    let refers = By::ConfigMap(name_of(texts));
    let (triggers, stores) = (&context.triggers, &context.stores);
    triggers.contact_points.all_by(&stores.contact_points, &refers);
    triggers.instances.all_by(&stores.instances, &refers);
}

fn name_of<K: Resource>(object: &K) -> Named {
    let meta = object.meta();
    named(
        meta.namespace.as_deref().unwrap_or_default(),
        meta.name.as_deref().unwrap_or_default(),
    )
}
