//! The poller: reads a Grafana in bulk, and asks for passes over what has changed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use rand::Rng;
use tokio::time::{Instant, sleep_until};
use tracing::{info, warn};

use super::changed;
use super::moved::{self, recognition::recognise};
use super::read::{Found, deliveries, read};
use super::resend;
use super::schedule::{Due, Round, Schedule, interval, resync};
use super::states::StateReads;
use super::sweep;
use super::watch::{Begun, Watches};
use crate::api::condition::Reason;
use crate::api::{
    AlertRule, ContactPoint, InhibitionRule, NotificationPolicy, NotificationTemplate, Silence, TimeInterval,
};
use crate::controller::connection::Instance;
use crate::controller::context::Context;
use crate::controller::engine::by::{By, Indexed};
use crate::controller::engine::failure::Failure;
use crate::controller::engine::health::Health;
use crate::controller::engine::managed::Managed;
use crate::controller::engine::store::Store;
use crate::controller::notification::contact_point::revision;
use crate::grafana::mirror::Part;

/// What orphans are found in.
const SWEPT: [Part; 2] = [Part::Rules, Part::Silences];
/// How often the alerts' states are read where the instance doesn't say.
const STATES: Duration = Duration::from_secs(15);

/// Reads until the instance is stopped.
pub async fn run(instance: Arc<Instance>, context: Arc<Context>) {
    let resync = resync(&instance.spec);
    let every = interval(instance.spec.state_interval.as_ref(), STATES);
    let stop = instance.stop.clone();
    let mut schedule = Schedule::new(resync, Instant::now());
    let mut states = StateReads::new(every, Instant::now());
    let mut watches = Watches::default();
    loop {
        ask_for_needed(&instance, &context);
        schedule.want(instance.suspicion.parts(), Instant::now());
        let next = schedule.next();
        tokio::select! {
            biased;
            () = stop.cancelled() => return,
            () = sleep_until(next) => {}
            suspected = instance.suspicion.next() => {
                schedule.suspect(suspected, Instant::now());
                continue;
            }
            over = watches.over() => {
                // One that never worked was none, and what it was for has just been read.
                if over.has_worked {
                    schedule.over(over.part, Instant::now());
                } else {
                    watches.give_up([over.part], &instance, &context);
                }
                continue;
            }
            () = sleep_until(states.next()), if states.next() < next && instance.check(&[Part::Rules]).is_ok() => {
                let is_crowded = context.crowd.is_crowded(AlertRule::KIND, &instance.name);
                if states.gives_way(is_crowded, Instant::now()) {
                    continue;
                }
                if stop.run_until_cancelled(states.read(&instance, &context)).await.is_none() {
                    return;
                }
                continue;
            }
        }
        // That Grafana wants to be left alone says nothing of its health.
        if let Some(left) = instance.grafana.server.pause() {
            schedule.hold_until(Instant::now() + left);
            states.hold_until(schedule.next());
            continue;
        }
        let spared = watches.spared(&instance);
        let due = schedule.take(Instant::now(), &spared);
        let Some((failed, begun)) = poll(&instance, &context, &due).await else {
            return;
        };
        if due.round == Round::Whole {
            watches.try_all_again();
        }
        for (part, begun) in begun {
            watches.replace(part, begun, &instance, &context);
        }
        watches.give_up(due.parts.iter().copied(), &instance, &context);
        let is_read = |part: &Part| due.parts.contains(part) && !failed.contains_key(part);
        let is_known = |part: &Part| {
            is_read(part) || (due.is_round() && spared.contains(part) && !failed.contains_key(part))
        };
        if SWEPT.iter().all(is_known) {
            sweep::after_poll(&instance, &context, SWEPT.iter().all(is_read)).await;
        }
        if is_read(&Part::Folders) && !instance.is_tidy.swap(true, Ordering::AcqRel) {
            moved::tidy(&instance, &context).await;
        }
        // What resources need is read first after a start; their statuses say what was delivered until then.
        if due.deliveries
            && stop
                .run_until_cancelled(deliveries::read(&instance, &context))
                .await
                .is_none()
        {
            return;
        }
        if due.is_round() && failed.is_empty() {
            context
                .metrics
                .set_read(&instance.name, context.now().as_second());
        }
        let jitter = rand::rng().random_range(0.0..1.0);
        schedule.read(&due, &failed, Instant::now(), jitter);
    }
}

/// Asks for what resources need that isn't read of every Grafana. Those that have had their passes with the connection before ask no more.
fn ask_for_needed(instance: &Instance, context: &Context) {
    fn ask<K: Managed + Indexed>(store: &Store<K>, instance: &Instance) {
        if store.count(&By::Instance(instance.name.clone())) > 0 {
            instance.suspicion.ask_for(K::NEEDS);
        }
    }
    ask(&context.stores.time_intervals, instance);
    ask(&context.stores.templates, instance);
    ask(&context.stores.inhibition_rules, instance);
}

/// Reads everything now, the settings too if Grafana hides its version and they are due then.
#[cfg(any(test, feature = "cli"))]
pub(in crate::controller) async fn poll_all(
    instance: &Instance,
    context: &Context,
    settings_if_hidden: bool,
) {
    let due = Due {
        parts: instance.suspicion.parts(),
        round: Round::Whole,
        settings: false,
        settings_if_hidden,
        deliveries: false,
    };
    poll(instance, context, &due).await;
}

/// Why what couldn't be read couldn't, and how what could goes on where that may be watched.
type Polled = (BTreeMap<Part, Failure>, BTreeMap<Part, Option<Begun>>);

/// Reads what is due, notes how that went, and asks for passes over what it concerns. Returns nothing if the instance was stopped meanwhile.
async fn poll(instance: &Instance, context: &Context, due: &Due) -> Option<Polled> {
    let before = instance.health();
    let mut states_by = None;
    let mut found = match recognise(instance, context).await {
        Ok(()) => {
            // Before anything was read no contact point has had its pass, so none is sent before and after.
            resend::as_asked(instance, context).await;
            states_by = revision::by(instance);
            instance.stop.run_until_cancelled(read(instance, due)).await?
        }
        Err(failure) => Found::nothing(due, &failure),
    };
    if due.is_round() {
        found.spread_failure(&instance.suspicion.parts());
    }
    // What can be read again, and what couldn't be read the first time: whoever waits for either is told.
    let (failed, told) = instance.reads(|reads| {
        let (mut failed, mut told) = (BTreeMap::new(), BTreeSet::new());
        for (part, result) in found.results {
            let is_first = !reads.is_tried(part);
            if let Err(failure) = &result {
                failed.insert(part, failure.clone());
                if failure.reason == Some(Reason::Throttled) && !is_first {
                    continue;
                }
            }
            if reads.note(part, result) || is_first {
                told.insert(part);
            }
        }
        (failed, told)
    });
    let after = instance.health();
    let is_news = before != after;
    if is_news {
        tell(instance, &after);
    }
    if !told.is_empty() || found.changed.facts {
        instance.refused.forget_all();
    }
    // Before the passes that put everything back, so that none sends twice.
    resend::after_poll(instance, context, &found.undone).await;
    // What wasn't read now may be of the version before.
    if due.parts.contains(&Part::ContactPoints) && !failed.contains_key(&Part::ContactPoints) {
        revision::after_poll(instance, context, states_by).await;
    }
    let rules_told = trigger_users(instance, context, &told);
    changed::trigger(instance, context, &found.changed, rules_told);
    // As often as where contact points aren't watched.
    if !context.watch_secrets && (due.is_round() || due.parts.contains(&Part::ContactPoints)) {
        trigger_readers_of_secrets(instance, context);
    }
    let is_refused = matches!(&after, Health::Down(failure) if failure.reason == Some(Reason::Unauthorized));
    let is_read = due.is_round() && !matches!(after, Health::Down(_));
    // A token that is refused may have been renewed in its Secret, which nobody tells where Secrets aren't watched.
    if is_news || is_read || is_refused {
        context.triggers.instances.one(&context.namespace, &instance.name);
    }
    Some((failed, found.watches))
}

fn tell(instance: &Instance, health: &Health) {
    let name = &instance.name;
    match health {
        Health::Starting => {}
        Health::Up => info!(instance = name, url = instance.spec.url, "grafana has been read"),
        Health::Partly(failing) => {
            for (part, failure) in failing {
                warn!(
                    instance = name,
                    part = part.as_str(),
                    detail = failure.message,
                    "cannot be read in grafana"
                );
            }
        }
        Health::Down(failure) => warn!(
            instance = name,
            detail = failure.message,
            "grafana cannot be read"
        ),
    }
}

/// Asks for a pass over everything that needs one of these parts. Returns whether all rules are among that.
fn trigger_users(instance: &Instance, context: &Context, parts: &BTreeSet<Part>) -> bool {
    fn needs<K: Managed>(parts: &BTreeSet<Part>) -> bool {
        let mut all = K::NEEDS.iter().chain(K::NEEDS_TO_LEAVE);
        all.any(|part| parts.contains(part))
    }
    let (triggers, stores) = (&context.triggers, &context.stores);
    if needs::<ContactPoint>(parts) {
        triggers
            .contact_points
            .all_of(&stores.contact_points, &instance.name);
    }
    let rules_told = needs::<AlertRule>(parts) || parts.contains(&Part::DataSources);
    if rules_told {
        triggers.rules.all_of(&stores.rules, &instance.name);
    } else if parts.contains(&Part::TimeIntervals) {
        let timed = By::Timed(instance.name.clone());
        triggers.rules.all_by(&stores.rules, &timed);
    }
    if needs::<NotificationPolicy>(parts) || parts.contains(&Part::TimeIntervals) {
        triggers.policies.all_of(&stores.policies, &instance.name);
    }
    if needs::<Silence>(parts) {
        triggers.silences.all_of(&stores.silences, &instance.name);
    }
    if needs::<TimeInterval>(parts) {
        triggers
            .time_intervals
            .all_of(&stores.time_intervals, &instance.name);
    }
    if needs::<NotificationTemplate>(parts) {
        triggers.templates.all_of(&stores.templates, &instance.name);
    }
    if needs::<InhibitionRule>(parts) {
        triggers
            .inhibition_rules
            .all_of(&stores.inhibition_rules, &instance.name);
    }
    rules_told
}

/// Without a watch, only another look tells whether a Secret has changed.
fn trigger_readers_of_secrets(instance: &Instance, context: &Context) {
    let readers = By::ReadsSecrets(instance.name.clone());
    context
        .triggers
        .contact_points
        .all_by(&context.stores.contact_points, &readers);
}
