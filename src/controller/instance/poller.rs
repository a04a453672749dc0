//! Reading a Grafana in bulk, and asking for passes over what has changed.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures::try_join;
use rand::Rng;
use tokio::time::{Instant, sleep_until, timeout};
use tracing::{info, warn};

use crate::api::condition::Reason;
use crate::api::duration;
use crate::api::{AlertRule, ContactPoint, NotificationPolicy};
use crate::controller::connection::{Facts, Health, Instance, SeenState};
use crate::controller::context::Context;
use crate::controller::engine::by::{By, named};
use crate::controller::engine::claim::Key;
use crate::controller::engine::failure::{Failure, Retry};
use crate::controller::engine::managed::Managed;
use crate::domain::rule::state_message;
use crate::domain::version::Version;
use crate::grafana::Result;
use crate::grafana::api::AlertState;
use crate::grafana::wire::Silence as WireSilence;

/// How often everything is read where the instance doesn't say.
const RESYNC: Duration = Duration::from_secs(60);
/// How often the alerts' states are read where the instance doesn't say.
const STATES: Duration = Duration::from_secs(15);
/// The states are read so rarely that it takes at most this share of the time.
const STATES_SHARE: u32 = 50;
/// How many reads of everything lie between two reads of what hardly ever changes.
const FACTS_EVERY: u64 = 10;
/// The first delay after a failed read; it doubles.
const FIRST_RETRY: Duration = Duration::from_millis(500);
/// The longest delay after a failed read.
const LONGEST_RETRY: Duration = Duration::from_secs(5);
/// The same, where the credentials are refused: a new Secret makes a new connection anyway.
const FORBIDDEN_RETRY: Duration = Duration::from_secs(30);
/// How long reading everything may take.
const DEADLINE: Duration = Duration::from_secs(120);

/// Reads until the instance is stopped.
pub async fn run(instance: Arc<Instance>, context: Arc<Context>) {
    let resync = interval(instance.spec.resync_interval.as_ref(), RESYNC);
    let states = interval(instance.spec.state_interval.as_ref(), STATES);
    let stop = instance.stop.clone();
    let (mut next_resync, mut next_states) = (Instant::now(), Instant::now());
    let (mut rounds, mut failures) = (0u64, 0u32);
    loop {
        tokio::select! {
            biased;
            () = stop.cancelled() => return,
            () = instance.suspicion.notified() => {}
            () = sleep_until(next_resync) => {}
            () = sleep_until(next_states), if next_states < next_resync && failures == 0 => {
                let started = Instant::now();
                let _ = read_states(&instance, &context).await;
                next_states = Instant::now() + states.max(started.elapsed() * STATES_SHARE);
                continue;
            }
        }
        // That Grafana wants to be left alone says nothing of its health.
        if let Some(left) = instance.grafana.server.pause() {
            next_resync = next_resync.max(Instant::now() + left);
            next_states = next_states.max(next_resync);
            continue;
        }
        let is_stale = instance.facts_are_stale.swap(false, Ordering::AcqRel);
        let read_facts = rounds.is_multiple_of(FACTS_EVERY) || failures > 0 || is_stale;
        match resync_once(&instance, &context, read_facts).await {
            Ok(()) => {
                rounds += 1;
                failures = 0;
                next_resync = Instant::now() + jittered(resync);
                if rounds == 1 {
                    next_states = Instant::now();
                }
            }
            Err(failure) => {
                next_resync = Instant::now() + delay(&failure, failures);
                failures = failures.saturating_add(1);
                let is_news = instance.set_health(Health::Down(failure.clone()));
                if is_news {
                    warn!(
                        instance = instance.name,
                        detail = failure.message,
                        "grafana cannot be read"
                    );
                }
                // A token that is refused may have been renewed in its Secret, which nobody tells where Secrets aren't watched.
                if is_news || failure.reason == Some(Reason::Unauthorized) {
                    context.triggers.instances.one(&context.namespace, &instance.name);
                }
                if failures == 1 && rounds == 0 {
                    // Whoever waited for the first read learns that it failed.
                    trigger_everything(&instance, &context);
                }
            }
        }
    }
}

fn interval(text: Option<&duration::Duration>, default: Duration) -> Duration {
    text.and_then(|text| text.checked().ok())
        .filter(|d| !d.is_zero())
        .unwrap_or(default)
}

fn jittered(interval: Duration) -> Duration {
    interval.mul_f64(rand::rng().random_range(0.9..1.0))
}

fn delay(failure: &Failure, failures: u32) -> Duration {
    match (failure.reason, failure.retry) {
        (Some(Reason::Unauthorized), _) => FORBIDDEN_RETRY,
        (_, Retry::After(delay)) => delay,
        _ => FIRST_RETRY
            .saturating_mul(1 << failures.min(8))
            .min(LONGEST_RETRY),
    }
}

async fn resync_once(instance: &Instance, context: &Context, read_facts: bool) -> Result<(), Failure> {
    let was_up = matches!(instance.health(), Health::Up);
    let (news, changed) = match timeout(DEADLINE, read_everything(instance, read_facts)).await {
        Ok(result) => result?,
        Err(_) => {
            return Err(Failure::new(
                Reason::Unavailable,
                format!("reading everything took longer than {} s", DEADLINE.as_secs()),
                Retry::Backoff,
            ));
        }
    };
    instance.set_health(Health::Up);
    if was_up && !news {
        trigger_changed(instance, context, &changed);
        if !context.watch_secrets {
            trigger_readers_of_secrets(instance, context);
        }
    } else {
        info!(
            instance = instance.name,
            url = instance.spec.url,
            "grafana has been read"
        );
        instance.refused.forget_all();
        trigger_everything(instance, context);
    }
    context.triggers.instances.one(&context.namespace, &instance.name);
    Ok(())
}

/// Keys of what differs from what was known.
#[derive(Debug, Default)]
struct Changed {
    rules: Vec<String>,
    folders: bool,
    contact_points: Vec<String>,
    policy: bool,
    silences: Vec<(String, Option<String>)>,
}

async fn read_everything(instance: &Instance, read_facts: bool) -> Result<(bool, Changed), Failure> {
    let news = if read_facts {
        self::read_facts(instance).await?
    } else {
        false
    };
    let (folders, rules, contact_points, policy, silences) = try_join!(
        read_folders(instance),
        read_rules(instance),
        read_contact_points(instance),
        read_policy(instance),
        read_silences(instance),
    )?;
    Ok((
        news,
        Changed {
            rules,
            folders,
            contact_points,
            policy,
            silences,
        },
    ))
}

async fn read_facts(instance: &Instance) -> Result<bool> {
    let (settings, sources) = try_join!(
        instance.grafana.server.settings(),
        instance.grafana.server.data_sources()
    )?;
    let version_text = settings.version.unwrap_or_default();
    let version = Version::parse(&version_text).unwrap_or(Version::OLDEST);
    Ok(instance.set_facts(Facts {
        version_text,
        version,
        min_interval: settings.min_interval,
        nested_folders: settings.nested_folders,
        sources,
    }))
}

async fn read_folders(instance: &Instance) -> Result<bool> {
    let poll = instance.mirror.write(|held| held.folders.begin_poll());
    let found = instance.grafana.folders.list().await?;
    let found = found.into_iter().map(|folder| (folder.uid.clone(), folder));
    Ok(!instance
        .mirror
        .write(|held| held.folders.finish_poll(poll, found))
        .is_empty())
}

async fn read_rules(instance: &Instance) -> Result<Vec<String>> {
    let poll = instance.mirror.write(|held| held.rules.begin_poll());
    let found = instance.grafana.rules.list().await?;
    Ok(instance.mirror.write(|held| held.rules.finish_poll(poll, found)))
}

async fn read_contact_points(instance: &Instance) -> Result<Vec<String>> {
    let poll = instance.mirror.write(|held| held.contact_points.begin_poll());
    let found = instance.grafana.notifications.contact_points().await?;
    Ok(instance
        .mirror
        .write(|held| held.finish_contact_points(poll, found)))
}

async fn read_policy(instance: &Instance) -> Result<bool> {
    let poll = instance.mirror.write(|held| held.policy.begin_poll());
    let found = instance.grafana.notifications.policy().await?;
    let found = found.map(|tree| ((), tree));
    Ok(!instance
        .mirror
        .write(|held| held.policy.finish_poll(poll, found))
        .is_empty())
}

/// Returns ids with the author, where it is known.
async fn read_silences(instance: &Instance) -> Result<Vec<(String, Option<String>)>> {
    let poll = instance.mirror.write(|held| held.silences.begin_poll());
    let found = instance.grafana.silences.list().await?;
    let found = found.into_iter().filter_map(|mut silence| {
        // The order of matchers says nothing.
        silence.matchers.sort();
        silence.updated_at = None;
        Some((silence.id.clone()?, silence))
    });
    Ok(instance.mirror.write(|held| {
        let before: HashMap<String, String> = held
            .silences
            .iter()
            .map(|(id, s): (&String, &WireSilence)| (id.clone(), s.created_by.clone()))
            .collect();
        let changed = held.silences.finish_poll(poll, found);
        let author = |id: &String| {
            held.silences
                .lookup(id)
                .present()
                .map(|s| s.created_by.clone())
                .or_else(|| before.get(id).cloned())
        };
        changed
            .into_iter()
            .map(|id| {
                let author = author(&id);
                (id, author)
            })
            .collect()
    }))
}

async fn read_states(instance: &Instance, context: &Context) -> Result<()> {
    let found: HashMap<(String, String), SeenState> = instance
        .grafana
        .rules
        .states()
        .await?
        .into_iter()
        .filter_map(|rule| {
            let (namespace, name) = instance.owners.resource(rule.owner.as_deref()?)?;
            let message = rule
                .last_error
                .as_deref()
                .filter(|_| rule.state == AlertState::Error);
            let seen = SeenState {
                state: rule.state,
                message: message.and_then(state_message::state_message),
            };
            Some(((namespace.to_owned(), name.to_owned()), seen))
        })
        .collect();
    let changed: HashSet<(String, String)> = {
        let known = instance.states.read();
        let news = found
            .iter()
            .filter(|(key, seen)| known.get(*key) != Some(*seen))
            .map(|(key, _)| key);
        let gone = known.keys().filter(|key| !found.contains_key(*key));
        news.chain(gone).cloned().collect()
    };
    *instance.states.write() = found;
    for (namespace, name) in changed {
        context.triggers.rules.one(&namespace, &name);
    }
    Ok(())
}

fn trigger_everything(instance: &Instance, context: &Context) {
    let (triggers, stores) = (&context.triggers, &context.stores);
    triggers
        .contact_points
        .all_of(&stores.contact_points, &instance.name);
    triggers.rules.all_of(&stores.rules, &instance.name);
    triggers.policies.all_of(&stores.policies, &instance.name);
    triggers.silences.all_of(&stores.silences, &instance.name);
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
    let mut others = HashSet::new();
    for uid in uids {
        let key = Key::Uid(place.clone(), uid.clone());
        if let Some(rule) = context.claims.holder::<AlertRule>(&key) {
            triggers.one(&rule.namespace, &rule.name);
            continue;
        }
        let found = instance.mirror.read(|held| held.rules.lookup(uid).cloned());
        let mark = found.present().and_then(|found| found.owner);
        match mark.as_deref().and_then(|mark| instance.owners.resource(mark)) {
            Some((namespace, name)) => triggers.one(namespace, name),
            None => drop(others.insert(uid.as_str())),
        }
    }
    if others.is_empty() {
        return;
    }
    let uid = |rule: &AlertRule| rule.status.as_ref().and_then(|status| status.uid.clone());
    for rule in context.stores.rules.by(&By::Instance(instance.name.clone())) {
        if uid(&rule).is_some_and(|uid| others.contains(uid.as_str())) {
            triggers.one(rule.ns(), rule.id());
        }
    }
}

fn trigger_changed(instance: &Instance, context: &Context, changed: &Changed) {
    let (triggers, stores) = (&context.triggers, &context.stores);
    if changed.folders {
        triggers.rules.all_of(&stores.rules, &instance.name);
    } else {
        trigger_rules(instance, context, &changed.rules);
    }
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
    if changed.policy {
        let tree = Key::Tree(context.claims.place(&instance.name));
        if let Some(holder) = context.claims.holder::<NotificationPolicy>(&tree) {
            triggers.policies.one(&holder.namespace, &holder.name);
        }
    }
    if changed.policy {
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
