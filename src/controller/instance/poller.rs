//! The poller: reads a Grafana in bulk, and asks for passes over what has changed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use rand::Rng;
use tokio::time::{Instant, sleep_until};
use tracing::{info, warn};

use super::read::{Changed, Found, read};
use super::recognition::recognise;
use super::resend;
use super::schedule::{Due, Schedule};
use super::states::StateReads;
use super::sweep;
use crate::api::condition::Reason;
use crate::api::duration;
use crate::api::{AlertRule, ContactPoint, NotificationPolicy, Silence};
use crate::controller::connection::Instance;
use crate::controller::context::Context;
use crate::controller::engine::by::{By, named};
use crate::controller::engine::claim::Key;
use crate::controller::engine::failure::Failure;
use crate::controller::engine::health::Health;
use crate::controller::engine::managed::Managed;
use crate::grafana::api::notifications::TreeName;
use crate::grafana::mirror::Part;

/// How often everything is read where the instance doesn't say.
const RESYNC: Duration = Duration::from_secs(60);
/// How often the alerts' states are read where the instance doesn't say.
const STATES: Duration = Duration::from_secs(15);

/// Reads until the instance is stopped.
pub async fn run(instance: Arc<Instance>, context: Arc<Context>) {
    let resync = interval(instance.spec.resync_interval.as_ref(), RESYNC);
    let every = interval(instance.spec.state_interval.as_ref(), STATES);
    let stop = instance.stop.clone();
    let mut schedule = Schedule::new(resync, Instant::now());
    let mut states = StateReads::new(every, Instant::now());
    loop {
        let next = schedule.next();
        tokio::select! {
            biased;
            () = stop.cancelled() => return,
            () = sleep_until(next) => {}
            suspected = instance.suspicion.next() => {
                schedule.suspect(suspected, Instant::now());
                continue;
            }
            () = sleep_until(states.next()), if states.next() < next && instance.check(&[Part::Rules]).is_ok() => {
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
        let due = schedule.take(Instant::now());
        let Some(failed) = poll(&instance, &context, &due).await else {
            return;
        };
        let is_read = |part: &Part| due.parts.contains(part) && !failed.contains_key(part);
        if [Part::Rules, Part::Silences].iter().all(is_read) {
            sweep::after_poll(&instance, &context).await;
        }
        schedule.read(
            &due.parts,
            &failed,
            Instant::now(),
            rand::rng().random_range(0.0..1.0),
        );
    }
}

fn interval(text: Option<&duration::Duration>, default: Duration) -> Duration {
    text.and_then(|text| text.checked().ok())
        .filter(|d| !d.is_zero())
        .unwrap_or(default)
}

/// Reads everything now, the settings too if Grafana hides its version and they are due then.
#[cfg(test)]
pub(in crate::controller) async fn poll_all(
    instance: &Instance,
    context: &Context,
    settings_if_hidden: bool,
) {
    let due = Due {
        parts: Part::ALL.into(),
        settings: false,
        settings_if_hidden,
    };
    poll(instance, context, &due).await;
}

/// Reads what is due, notes how that went, and asks for passes over what it concerns. Returns why what couldn't be read couldn't, or
/// nothing if the instance was stopped meanwhile.
async fn poll(instance: &Instance, context: &Context, due: &Due) -> Option<BTreeMap<Part, Failure>> {
    let before = instance.health();
    let found = match recognise(instance, context).await {
        Ok(()) => {
            // Before anything was read no contact point has had its pass, so none is sent before and after.
            resend::as_asked(instance, context).await;
            instance.stop.run_until_cancelled(read(instance, due)).await?
        }
        Err(failure) => Found::nothing(due, &failure),
    };
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
    trigger_users(instance, context, &told);
    trigger_changed(instance, context, &found.changed);
    if !context.watch_secrets && due.parts.contains(&Part::ContactPoints) {
        trigger_readers_of_secrets(instance, context);
    }
    let is_refused = matches!(&after, Health::Down(failure) if failure.reason == Some(Reason::Unauthorized));
    let is_read = due.parts.len() == Part::ALL.len() && !matches!(after, Health::Down(_));
    // A token that is refused may have been renewed in its Secret, which nobody tells where Secrets aren't watched.
    if is_news || is_read || is_refused {
        context.triggers.instances.one(&context.namespace, &instance.name);
    }
    Some(failed)
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

/// Asks for a pass over everything that needs one of these parts.
fn trigger_users(instance: &Instance, context: &Context, parts: &BTreeSet<Part>) {
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
    if needs::<AlertRule>(parts) || parts.contains(&Part::DataSources) {
        triggers.rules.all_of(&stores.rules, &instance.name);
    }
    if needs::<NotificationPolicy>(parts) {
        triggers.policies.all_of(&stores.policies, &instance.name);
    }
    if needs::<Silence>(parts) {
        triggers.silences.all_of(&stores.silences, &instance.name);
    }
}

/// Without a watch, only another look tells whether a Secret has changed.
fn trigger_readers_of_secrets(instance: &Instance, context: &Context) {
    let readers = By::ReadsSecrets(instance.name.clone());
    context
        .triggers
        .contact_points
        .all_by(&context.stores.contact_points, &readers);
}

/// The resource of a rule is the one that claims its uid, that its mark names, or whose status does.
fn trigger_rules(instance: &Instance, context: &Context, uids: &[String]) {
    let triggers = &context.triggers.rules;
    let place = context.claims.place(&instance.name);
    for uid in uids {
        let key = Key::Uid(place.clone(), uid.clone());
        if let Some(rule) = context.claims.holder::<AlertRule>(&key) {
            triggers.one(&rule.namespace, &rule.name);
            continue;
        }
        let found = instance.mirror.read(|held| held.rules.lookup(uid).cloned());
        let mark = found.present().and_then(|found| found.owner);
        if let Some((namespace, name)) = mark.as_deref().and_then(|mark| instance.owners.resource(mark)) {
            triggers.one(namespace, name);
            continue;
        }
        let stored = By::Stored {
            instance: instance.name.clone(),
            id: uid.clone(),
        };
        triggers.all_by(&context.stores.rules, &stored);
    }
}

fn trigger_changed(instance: &Instance, context: &Context, changed: &Changed) {
    let (triggers, stores) = (&context.triggers, &context.stores);
    if changed.facts {
        triggers.rules.all_of(&stores.rules, &instance.name);
    }
    for uid in &changed.folders {
        let inside = By::Folder {
            instance: instance.name.clone(),
            uid: uid.clone(),
        };
        triggers.rules.all_by(&stores.rules, &inside);
    }
    if !changed.folders.is_empty() {
        let unplaced = By::Unplaced(instance.name.clone());
        triggers.rules.all_by(&stores.rules, &unplaced);
    }
    trigger_rules(instance, context, &changed.rules);
    for name in &changed.contact_points {
        let key = Key::ContactPoint(context.claims.place(&instance.name), name.clone());
        if let Some(contact_point) = context.claims.holder::<ContactPoint>(&key) {
            triggers
                .contact_points
                .one(&contact_point.namespace, &contact_point.name);
            let receiver = By::Receiver(named(&contact_point.namespace, &contact_point.name));
            triggers.policies.all_by(&stores.policies, &receiver);
        }
        let receiver = By::GrafanaReceiver {
            instance: instance.name.clone(),
            name: name.clone(),
        };
        triggers.policies.all_by(&stores.policies, &receiver);
    }
    if changed.trees.iter().any(TreeName::is_default) {
        let tree = Key::Tree(context.claims.place(&instance.name));
        if let Some(holder) = context.claims.holder::<NotificationPolicy>(&tree) {
            triggers.policies.one(&holder.namespace, &holder.name);
        }
    }
    if !changed.trees.is_empty() {
        let waiting = By::Deleting(instance.name.clone());
        triggers.contact_points.all_by(&stores.contact_points, &waiting);
    }
    for (id, author) in &changed.silences {
        if let Some((namespace, name)) = author
            .as_deref()
            .and_then(|a| instance.owners.silence_resource(a))
        {
            triggers.silences.one(namespace, name);
        } else if author.is_none() {
            let holder = By::Stored {
                instance: instance.name.clone(),
                id: id.clone(),
            };
            triggers.silences.all_by(&stores.silences, &holder);
        }
    }
}
