//! Maintenance silences: a Silence for each rollout of a workload and each run of a Job that asks for one.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use kube::runtime::controller::Action;
use kube::runtime::events::EventType;
use kube::runtime::reflector::ObjectRef;
use kube::{Resource, ResourceExt};
use tracing::{info, warn};

use super::rolling::Rolling;
pub use super::write::Error;
use super::write::{owner, write};
use crate::api::maintenance_policy::WorkloadKind;
use crate::api::{AlertRule, MaintenancePolicy, Silence};
use crate::cluster::answer::chain;
use crate::cluster::namespace;
use crate::controller::context::Context;
use crate::controller::engine::by::By;
use crate::controller::engine::managed::Managed;
use crate::controller::workloads::Awaited;
use crate::domain::maintenance::generated;
use crate::domain::maintenance::held::{self, Held, Holding};
use crate::domain::maintenance::lease::{self, Change, Step};
use crate::domain::maintenance::migration::{self, Job, JobFacts};
use crate::domain::maintenance::phase::Phase;
use crate::domain::maintenance::rollout;
use crate::domain::maintenance::window::Window;
use crate::domain::maintenance::words::{self, Word};
use crate::domain::maintenance::workload::template::Subject;
use crate::domain::maintenance::workload::{opts_out, policy_name};
use crate::domain::maintenance::{self, Maintenance};
use crate::domain::refusal::Refusal;

/// How long a pass waits until everything has been listed.
const NOT_YET: Duration = Duration::from_millis(200);
/// How soon a workload is looked at again that nothing can be decided about, because its policies or Silences can't be seen.
const UNSEEN: Duration = Duration::from_secs(30);
/// When to try again after an error: what the API server refuses waits for a change, with growing delays.
#[expect(
    clippy::needless_pass_by_value,
    reason = "the signature that the controller asks for"
)]
pub fn after_error<K: Resource<DynamicType = ()>>(
    object: Arc<K>,
    error: &Error,
    context: Arc<Context>,
) -> Action {
    let delay = context
        .backoff
        .next(&key(&*object), object.meta().generation, Instant::now());
    warn!(kind = %K::kind(&()), namespace = object.namespace(), name = object.name_any(),
        error = chain(error), retry_in = ?delay, "pass failed");
    Action::requeue(delay)
}

/// One pass over a workload that rolls out.
pub async fn rolling<K: Rolling>(object: Arc<K>, context: Arc<Context>) -> Result<Action, Error> {
    if !context.is_ready() {
        return Ok(Action::requeue(NOT_YET));
    }
    let uid = object.uid().unwrap_or_default();
    let mut facts = object.facts().at(context.now());
    if !context.workloads.settled.lock().contains_key(&uid) {
        let held = hold(&*object, &uid, &context);
        facts = facts.recalled(held.windows.iter().map(|held| &held.window));
    }
    let phase = {
        let mut settled = context.workloads.settled.lock();
        let facts = facts.continuing(settled.get(&uid));
        let phase = rollout::observe(&facts, settled.get(&uid));
        if let Some(now_settled) = facts.settled() {
            settled.insert(uid, now_settled);
        }
        phase
    };
    look_after(&*object, K::KIND, &phase, &context).await
}

/// The silences that a workload has.
fn hold<K: Resource<DynamicType = ()>>(object: &K, uid: &str, context: &Context) -> Holding {
    let namespace = object.namespace().unwrap_or_default();
    let mut shown = context.stores.silences.whole(&By::Workload(uid.to_owned()));
    shown.retain(|silence| silence.ns() == namespace);
    held::hold(&shown, &context.workloads.written_of(uid))
}

/// One pass over a Job.
pub async fn job(object: Arc<Job>, context: Arc<Context>) -> Result<Action, Error> {
    if !context.is_ready() {
        return Ok(Action::requeue(NOT_YET));
    }
    let phase = migration::observe(&JobFacts::of(&object));
    look_after(&*object, WorkloadKind::Job, &phase, &context).await
}

/// What is asked for a workload; also what a suspended policy asks for.
pub(super) fn wanted<K: Resource<DynamicType = ()>>(
    object: &K,
    kind: WorkloadKind,
    context: &Context,
) -> Result<Option<Maintenance>, Refusal> {
    let namespace = object.namespace().unwrap_or_default();
    let policies = context.stores.maintenance.by(&By::Namespace(namespace));
    let policies: Vec<&MaintenancePolicy> = policies.iter().map(AsRef::as_ref).collect();
    let named = policy_name(object.annotations()).ok().flatten();
    let named = named.and_then(|policy| {
        let policy = ObjectRef::new(&policy.name).within(&policy.namespace);
        context.stores.maintenance.get(&policy)
    });
    maintenance::wanted(&Subject::of(kind, object), &policies, named.as_deref())
}

/// Brings the windows of a workload to what they should be, whatever is asked for it.
async fn look_after<K>(
    object: &K,
    kind: WorkloadKind,
    phase: &Phase,
    context: &Context,
) -> Result<Action, Error>
where
    K: Resource<DynamicType = ()>,
{
    let namespace = object.namespace().unwrap_or_default();
    let is_seen = |kind| context.unwatched.sees(kind, &namespace);
    if !is_seen("MaintenancePolicy") || !is_seen("Silence") {
        return Ok(Action::requeue(UNSEEN));
    }
    let wanted = match wanted(object, kind, context) {
        Ok(wanted) => wanted,
        Err(refusal) => {
            let word = Word {
                is_warning: true,
                reason: "InvalidMaintenance",
                note: refusal.message,
            };
            tell(object, &word, context).await;
            None
        }
    };
    let workload = Workload {
        object,
        uid: object.uid().unwrap_or_default(),
        kind,
        maintenance: wanted.as_ref(),
        context,
    };
    let result = workload.look_after(phase).await;
    if let Some(message) = result.as_ref().err().and_then(Error::refusal) {
        tell(object, &words::refused(&message), context).await;
    }
    if result.is_ok() {
        context.backoff.reset(&key(object));
    }
    result
}

async fn tell<K: Resource<DynamicType = ()>>(object: &K, word: &Word, context: &Context) {
    let type_ = if word.is_warning {
        EventType::Warning
    } else {
        EventType::Normal
    };
    context
        .event(&object.object_ref(&()), type_, word.reason, "Silence", &word.note)
        .await;
}

/// Under this key failed passes over a workload are counted.
fn key<K: Resource<DynamicType = ()>>(object: &K) -> String {
    format!(
        "{}/{}/{}",
        K::kind(&()),
        object.namespace().unwrap_or_default(),
        object.name_any()
    )
}

/// A workload in a pass.
struct Workload<'a, K> {
    object: &'a K,
    uid: String,
    kind: WorkloadKind,
    /// What is asked for it; none if nothing is.
    maintenance: Option<&'a Maintenance>,
    context: &'a Context,
}

impl<K: Resource<DynamicType = ()>> Workload<'_, K> {
    async fn look_after(&self, phase: &Phase) -> Result<Action, Error> {
        let now = self.context.now();
        let holding = self.note_deleted(phase, self.hold()).await?;
        self.tell_of_those_in_force(&holding).await;
        let windows: Vec<Window> = holding.windows.iter().map(|held| held.window.clone()).collect();
        let mut plan = match self.maintenance {
            Some(maintenance) => lease::decide(&maintenance.lease, phase, &windows, now),
            None => lease::withdraw(phase, &windows, now),
        };
        if plan.covers_more() && self.is_opted_out().await? {
            plan = lease::withdraw(phase, &windows, now);
        }
        for step in &plan.steps {
            let held = holding
                .windows
                .iter()
                .find(|held| held.window.is_the_same(&step.window));
            if held.is_some_and(|held| held.is_going() && step.change != Change::Opened) {
                continue;
            }
            self.carry_out(step, held).await?;
        }
        for held in &holding.replaced {
            if let Some(step) = lease::replaced(&held.window, now) {
                self.carry_out(&step, Some(held)).await?;
            }
        }
        let is_untouched = |held: &&Held| {
            !plan
                .steps
                .iter()
                .any(|step| step.window.is_the_same(&held.window))
        };
        for held in holding.windows.iter().filter(is_untouched) {
            self.put_right(held, now).await?;
        }
        Ok(plan.recheck.map_or_else(Action::await_change, Action::requeue))
    }

    /// Whether the namespace has opted out. It is asked for before something is covered: namespaces aren't watched.
    async fn is_opted_out(&self) -> Result<bool, Error> {
        let namespace = self.object.namespace().unwrap_or_default();
        let annotations = namespace::annotations(&self.context.client, &namespace).await?;
        Ok(opts_out(&annotations))
    }

    fn hold(&self) -> Holding {
        hold(self.object, &self.uid, self.context)
    }

    /// A Silence that a person deleted is over for its run: another one in its place remembers that.
    async fn note_deleted(&self, phase: &Phase, holding: Holding) -> Result<Holding, Error> {
        let workloads = &self.context.workloads;
        let mut is_changed = false;
        for (key, silence) in workloads.deleted_of(&self.uid) {
            let step = Window::of(&silence)
                .filter(|window| !holding.windows.iter().any(|held| held.window.is_the_same(window)))
                .filter(|_| self.maintenance.is_some())
                .and_then(|window| lease::removed(phase, &window, self.context.now()));
            if let Some(step) = step {
                let held = Held {
                    window: step.window.clone(),
                    asked: silence.spec.clone(),
                    silence: Arc::new(silence),
                    is_edited: false,
                };
                self.carry_out(&step, Some(&held)).await?;
                is_changed = true;
            }
            workloads.deleted.lock().remove(&key);
        }
        Ok(if is_changed { self.hold() } else { holding })
    }

    async fn carry_out(&self, step: &Step, held: Option<&Held>) -> Result<(), Error> {
        let wished = self.maintenance.map_or(&[][..], |wanted| &wanted.instances);
        // What opens anew opens in the Grafanas that are asked for; what is open doesn't move.
        let is_new = |held: &&Held| {
            step.change == Change::Opened
                && (held.is_going() || generated::places_of(&held.silence.spec) != wished)
        };
        let known = held.filter(|held| !is_new(held)).map(Held::as_asked);
        let silence = self.silence(&step.window, known.as_ref());
        let name = self.write(silence, &step.window).await?;
        info!(kind = self.kind.as_str(), namespace = self.object.namespace(), name = self.object.name_any(),
            silence = name, change = ?step.change, until = %step.window.ends, "maintenance silence written");
        let key = (self.uid.clone(), name.clone());
        let id = held.and_then(|held| held.silence.grafana_ids(self.context));
        let awaited = match step.change {
            Change::Opened | Change::Reopened => {
                let is_again = step.change == Change::Reopened;
                let awaited = Awaited { is_again, id };
                self.context.workloads.awaited.lock().insert(key, awaited);
                self.tell_of_unknown_rules(&name).await;
                return Ok(());
            }
            Change::Ended(_) => {
                // Grafana may have taken it without anybody having been told yet.
                let awaited = self.context.workloads.awaited.lock().remove(&key);
                let is_held = held.is_some_and(|held| held.window.in_force);
                awaited.is_some_and(|awaited| !is_held && awaited.id == id)
            }
            _ => false,
        };
        let lingers = self
            .maintenance
            .is_some_and(|maintenance| maintenance.lease.lingers_after_failure)
            && self.kind == WorkloadKind::Job;
        if let Some(word) = words::of(step.change, &step.window, lingers, awaited, &name) {
            tell(self.object, &word, self.context).await;
        }
        Ok(())
    }

    fn silence(&self, window: &Window, known: Option<&Silence>) -> Silence {
        let namespace = self.object.namespace().unwrap_or_default();
        generated::silence(
            self.kind,
            &owner(self.object),
            &namespace,
            window,
            known,
            self.maintenance,
        )
    }

    /// Writes a Silence and returns its name, which is another one than it should be where somebody else has that.
    async fn write(&self, silence: Silence, window: &Window) -> Result<String, Error> {
        let (name, taken) = write(&owner(self.object), silence, window, self.context).await?;
        if let Some(taken) = taken {
            tell(self.object, &words::taken(&taken, &name), self.context).await;
        }
        Ok(name)
    }

    /// What somebody has changed by hand, and what is open and was asked for otherwise, is written as it should be.
    async fn put_right(&self, held: &Held, now: Timestamp) -> Result<(), Error> {
        if held.is_going() {
            return Ok(());
        }
        let silence = self.silence(&held.window, Some(&held.as_asked()));
        let is_outdated =
            held.window.is_open(now) && self.maintenance.is_some() && silence.spec != held.asked;
        if !held.is_edited && !is_outdated {
            return Ok(());
        }
        let name = self.write(silence, &held.window).await?;
        info!(
            kind = self.kind.as_str(),
            namespace = self.object.namespace(),
            name = self.object.name_any(),
            silence = name,
            is_edited = held.is_edited,
            "maintenance silence put right"
        );
        if held.is_edited {
            tell(self.object, &words::put_right(&name), self.context).await;
        }
        Ok(())
    }

    /// The rules that are asked for by name and aren't there are told as often as a silence opens that should cover them.
    async fn tell_of_unknown_rules(&self, name: &str) {
        let Some(maintenance) = self.maintenance else {
            return;
        };
        let unknown = self.unknown_rules(maintenance);
        if !unknown.is_empty() {
            tell(
                self.object,
                &words::unknown_rules(&unknown, maintenance, name),
                self.context,
            )
            .await;
        }
    }

    /// The rules that are asked for by name and aren't there, as far as can be seen.
    fn unknown_rules(&self, maintenance: &Maintenance) -> Vec<String> {
        let namespace = self.object.namespace().unwrap_or_default();
        if !self.context.unwatched.sees(AlertRule::KIND, &namespace) {
            return Vec::new();
        }
        let rules = &self.context.stores.rules;
        let is_there = |rule: &&String| rules.get(&ObjectRef::new(rule).within(&namespace)).is_some();
        let names = maintenance.alert_rules.names.iter();
        names.filter(|rule| !is_there(rule)).cloned().collect()
    }

    /// That a silence covers something is told when Grafana holds it.
    async fn tell_of_those_in_force(&self, holding: &Holding) {
        for held in holding.windows.iter().filter(|held| held.window.in_force) {
            let name = held.silence.name_any();
            let awaited = self
                .context
                .workloads
                .awaited
                .lock()
                .remove(&(self.uid.clone(), name.clone()));
            if let (Some(awaited), Some(maintenance)) = (awaited, self.maintenance) {
                let word = words::in_force(
                    awaited.is_again,
                    &held.window,
                    maintenance,
                    &self.unknown_rules(maintenance),
                    &name,
                );
                tell(self.object, &word, self.context).await;
            }
        }
    }
}
