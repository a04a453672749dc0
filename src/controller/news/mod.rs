//! What each watch tells the controllers of other kinds.

pub(in crate::controller) mod texts;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use futures::StreamExt;
use k8s_openapi::api::core::v1::Namespace;
use kube::core::PartialObjectMeta;
use kube::runtime::watcher::{self, Event};
use kube::{Client, Resource, ResourceExt};
use tokio_util::sync::CancellationToken;
use tracing::debug;

use crate::api::{
    AlertRule, ContactPoint, GrafanaInstance, InhibitionRule, MaintenancePolicy, NotificationPolicy,
    NotificationTemplate, Silence, TimeInterval,
};
use crate::cluster::answer::{chain, code_within};
use crate::cluster::namespace::{self, Labels};
use crate::controller::alert_rule::import;
use crate::controller::context::Context;
use crate::controller::engine::by::{By, Indexed, Near, labelled, named};
use crate::controller::engine::claim::Claiming;
use crate::controller::engine::managed::Managed;
use crate::controller::engine::store::Store;
use crate::controller::engine::trigger::Trigger;
use crate::controller::instance;
use crate::controller::maintenance::rolling::Rolling;
use crate::controller::maintenance::{selection, watched};
use crate::controller::notification::policy::related;
use crate::controller::tally;
use crate::domain::maintenance::migration::Job;
use crate::domain::notification::contact_point;
use crate::domain::rule;
use crate::domain::silence::{self, extent};
use crate::domain::tenancy::{self, Tenant};

/// Lets a watch tell its news.
pub(in crate::controller) fn tell<K: Resource + 'static>(
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

/// Silences may cover a rule that comes, goes, or changes its labels.
pub(in crate::controller) fn about_rule(
    event: &Event<AlertRule>,
    before: Option<&AlertRule>,
    context: &Context,
) {
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
    if after.is_some() && before.map(|before| before.metadata.generation) != Some(rule.metadata.generation) {
        tell_those_that_cover_none(rule, context);
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

/// Those silences count anew that covered no rule until now, and may cover this one.
fn tell_those_that_cover_none(rule: &AlertRule, context: &Context) {
    // One that records has no alerts.
    if rule.spec.record.is_some() {
        return;
    }
    let labels = extent::labels(&rule.spec, rule::title(&rule.spec, rule.id()), &BTreeMap::new());
    let all = rule.labels().iter();
    let near = all.map(|label| Near::Label(labelled(rule.ns(), label)));
    let near = near.chain([
        Near::Rule(named(rule.ns(), rule.id())),
        Near::Namespace(rule.ns().to_owned()),
    ]);
    let near: Vec<Near> = near.collect();
    let tell = |silence: &Silence| {
        if extent::may_reach(&silence.spec, labels.clone()) {
            context.triggers.silences.one(silence.ns(), silence.id());
        }
    };
    let silences = &context.stores.silences;
    for instance in rule.instances() {
        let key = |near: Near| By::CoversNone {
            instance: instance.clone(),
            near,
        };
        for silence in near.iter().flat_map(|near| silences.by(&key(near.clone()))) {
            tell(&silence);
        }
        // Those of matchers alone may be for every namespace.
        let mut everywhere = context.unrestricted(&instance);
        everywhere.remove(rule.ns());
        let everywhere = everywhere.into_iter().map(Near::Namespace);
        for silence in everywhere.flat_map(|near| silences.by(&key(near))) {
            if silence.spec.alert_rules.is_none() {
                tell(&silence);
            }
        }
    }
}

/// A policy waits for its contact points.
pub(in crate::controller) fn about_contact_point(
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

pub(in crate::controller) fn about_policy(
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

/// Policies and rules wait for their time intervals.
pub(in crate::controller) fn about_time_interval(
    event: &Event<TimeInterval>,
    before: Option<&TimeInterval>,
    context: &Context,
) {
    tally::count(event, before, &context.stores.time_intervals, context);
    for (namespace, name) in claim(event, &context.stores.time_intervals, context) {
        context.triggers.time_intervals.one(&namespace, &name);
    }
    let (Event::Apply(interval) | Event::Delete(interval)) = event else {
        return;
    };
    context.tell_those_at_times(&By::Interval(named(interval.ns(), interval.id())));
    // By its name in Grafana it may be referred to as well, also by the one that it had.
    for interval in [before, Some(interval)].into_iter().flatten() {
        let name = interval.spec.name.as_deref().unwrap_or(interval.id());
        for instance in interval.instances() {
            context.tell_those_at_times(&By::GrafanaInterval {
                instance,
                name: name.to_owned(),
            });
        }
    }
}

pub(in crate::controller) fn about_template(
    event: &Event<NotificationTemplate>,
    before: Option<&NotificationTemplate>,
    context: &Context,
) {
    tally::count(event, before, &context.stores.templates, context);
    for (namespace, name) in claim(event, &context.stores.templates, context) {
        context.triggers.templates.one(&namespace, &name);
    }
}

pub(in crate::controller) fn about_inhibition_rule(
    event: &Event<InhibitionRule>,
    before: Option<&InhibitionRule>,
    context: &Context,
) {
    tally::count(event, before, &context.stores.inhibition_rules, context);
    for (namespace, name) in claim(event, &context.stores.inhibition_rules, context) {
        context.triggers.inhibition_rules.one(&namespace, &name);
    }
}

pub(in crate::controller) fn about_instance(
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
        let (name, spec) = (instance.name_any(), is_there.then_some(&instance.spec));
        if context.claims.set_ground(&name, spec) {
            context.claim_anew(&name);
        }
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
pub(in crate::controller) fn about_maintenance(
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
pub(in crate::controller) fn about_silence(
    event: &Event<Silence>,
    before: Option<&Silence>,
    context: &Context,
) {
    tally::count_silences(event, before, context);
    if let Event::Delete(silence) = event {
        context.claims.asks_no_more(silence);
    }
    for (namespace, name) in claim(event, &context.stores.silences, context) {
        context.triggers.silences.one(&namespace, &name);
    }
    watched::silence(event, before, context);
}

/// What rolls out may be looked after by policies.
pub(in crate::controller) fn about_rolling<K: Rolling>(
    event: &Event<K>,
    before: Option<&K>,
    context: &Context,
) {
    watched::rolling(event, context);
    selection::rolling(event, before, context);
}

pub(in crate::controller) fn about_job(event: &Event<Job>, before: Option<&Job>, context: &Context) {
    watched::job(event, context);
    selection::job(event, before, context);
}

/// Watches the labels of namespaces from when an instance first chooses by them.
pub(in crate::controller) async fn namespace_changes(
    client: Client,
    context: Arc<Context>,
    stop: CancellationToken,
) {
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
pub(in crate::controller) fn namespace_told(
    event: watcher::Result<Event<PartialObjectMeta<Namespace>>>,
    context: &Context,
) {
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
    fn at<K: Claiming>(meant: &[Arc<K>], trigger: &Trigger<K>, context: &Context) {
        for object in meant {
            trigger.one(object.ns(), object.id());
            for other in context.claims.note(&**object) {
                trigger.one(&other.namespace, &other.name);
            }
        }
    }
    fn meant<K: Managed + Indexed>(
        store: &Store<K>,
        instance: &str,
        is_meant: impl Fn(&str) -> bool,
    ) -> Vec<Arc<K>> {
        let mut all = store.by(&By::Instance(instance.to_owned()));
        all.retain(|object| is_meant(object.ns()));
        all
    }
    let (stores, triggers) = (&context.stores, &context.triggers);
    at(
        &meant(&stores.rules, instance, &is_meant),
        &triggers.rules,
        context,
    );
    let points = meant(&stores.contact_points, instance, &is_meant);
    at(&points, &triggers.contact_points, context);
    let policies = meant(&stores.policies, instance, &is_meant);
    for root in policies.iter().filter_map(|policy| policy.root()) {
        triggers.policies.one(&root.namespace, &root.name);
    }
    at(&policies, &triggers.policies, context);
    let intervals = meant(&stores.time_intervals, instance, &is_meant);
    at(&intervals, &triggers.time_intervals, context);
    at(
        &meant(&stores.templates, instance, &is_meant),
        &triggers.templates,
        context,
    );
    let inhibitions = meant(&stores.inhibition_rules, instance, &is_meant);
    at(&inhibitions, &triggers.inhibition_rules, context);
    for silence in meant(&stores.silences, instance, &is_meant) {
        triggers.silences.one(silence.ns(), silence.id());
    }
}
