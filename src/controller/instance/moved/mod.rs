//! A GrafanaInstance that is pointed at another Grafana: what it leaves in the one before is removed there, once it is proven that it is another one, and all
//! is in sync where it is now. `domain::changed::moved` decides, here it is done.

mod comparison;
mod probes;
pub(super) mod recognition;
mod removal;
mod settled;
mod tell;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use kube::runtime::events::EventType;
use tracing::info;

use super::schedule::resync;
use crate::controller::connection::Instance;
use crate::controller::connection::former::{Left, Outlook, Resources};
use crate::controller::context::Context;
use crate::controller::engine::by::{By, Indexed};
use crate::controller::engine::managed::Managed;
use crate::controller::engine::store::Store;
use crate::domain::changed::moved::{End, Step};
use comparison::Comparison;
pub(in crate::controller) use probes::tidy;
pub(in crate::controller) use tell::tell;

/// Keeps a connection that ends, with the resources that may have made something through it, if there are any.
pub(in crate::controller) fn leave(instance: &Instance, context: &Context) {
    fn all<K: Managed + Indexed>(store: &Store<K>, name: &str) -> Vec<Arc<K>> {
        let mut all = store.by(&By::Instance(name.to_owned()));
        all.sort_by(|a, b| (a.ns(), a.id()).cmp(&(b.ns(), b.id())));
        all
    }
    // Before everything has been listed nothing was made by this process.
    let Some(grafana) = instance.memory().ok().map(|memory| memory.identity().to_string()) else {
        return;
    };
    if !context.is_ready() {
        return;
    }
    let (stores, name) = (&context.stores, &instance.name);
    let resources = Resources {
        rules: all(&stores.rules, name),
        silences: all(&stores.silences, name),
        policies: all(&stores.policies, name),
        inhibition_rules: all(&stores.inhibition_rules, name),
        contact_points: all(&stores.contact_points, name),
        time_intervals: all(&stores.time_intervals, name),
        templates: all(&stores.templates, name),
    };
    if resources.are_none() {
        context.former.leave_nothing(name, grafana);
    } else if let Some(kept) = instance.to_leave(&grafana) {
        let left = Left {
            grafana,
            instance: Arc::new(kept),
            resources,
        };
        context.former.leave(name, left);
    }
}

/// Looks after what was left in other Grafanas, if there is something and nobody does yet. Never in the way of a pass: it is a task of its own.
pub(super) fn look_after(instance: &Arc<Instance>, context: &Arc<Context>) {
    let Ok(memory) = instance.memory() else { return };
    context
        .former
        .arrive(&instance.name, &memory.identity().to_string());
    let is_left = !context.former.open(&instance.name).is_empty();
    if is_left && !instance.is_moving.swap(true, Ordering::AcqRel) {
        tokio::spawn(run(instance.clone(), context.clone()));
    }
}

async fn run(instance: Arc<Instance>, context: Arc<Context>) {
    for left in context.former.open(&instance.name) {
        // Somewhat less than what lies between two rounds, which are never as far apart as that by the clock.
        let apart_for = resync(&instance.spec).mul_f64(0.9);
        let mut work = Work::new(left, instance.clone(), apart_for);
        // What is under way isn't cut off: a folder that is being made is removed again.
        while work.0.goes_on(&context) && !work.round(&context).await {
            let pause = tokio::time::sleep(resync(&instance.spec));
            if instance.stop.run_until_cancelled(pause).await.is_none() {
                break;
            }
        }
        work.end(&context).await;
    }
    instance.is_moving.store(false, Ordering::Release);
}

/// The work on one Grafana that was left.
pub(in crate::controller) struct Work(Comparison);

impl Work {
    /// Nothing is known yet. Two looks that prove something lie so far apart.
    pub(in crate::controller) fn new(left: Arc<Left>, instance: Arc<Instance>, apart_for: Duration) -> Self {
        Self(Comparison::new(left, instance, apart_for))
    }

    /// One look, and what may be removed after it. Whether it is over.
    pub(in crate::controller) async fn round(&mut self, context: &Context) -> bool {
        let comparison = &mut self.0;
        let missing = settled::missing(&comparison.instance, context);
        // While nobody knows what is here, nothing is asked there.
        if missing.is_none() && comparison.state.next(false) != Step::Wait {
            return false;
        }
        let is_in_sync = missing == Some(0);
        if comparison.state.next(is_in_sync) == Step::Look {
            comparison.look(context).await;
            if is_in_sync && comparison.state.is_proven() && comparison.state.next(true) == Step::Look {
                comparison.say(Outlook::Goes, context);
                if comparison.is_allowed() {
                    let round = removal::round(comparison, context).await;
                    comparison.state.ended(round);
                }
            }
        }
        match comparison.state.next(is_in_sync) {
            Step::Over(end) => {
                self.over(end, context).await;
                true
            }
            Step::Wait => {
                comparison.say(Outlook::Waits(missing.unwrap_or(1)), context);
                comparison.state.begin_anew();
                comparison.withdraw(context).await;
                false
            }
            Step::Look => false,
        }
    }

    async fn over(&mut self, end: End, context: &Context) {
        let comparison = &mut self.0;
        comparison.give_up(context).await;
        let (name, grafana) = (&comparison.instance.name, &comparison.left.grafana);
        let (type_, note) = match &end {
            End::Same => (
                EventType::Normal,
                format!("{grafana} is the Grafana that it is connected to now, so nothing is left behind"),
            ),
            End::Gone => (
                EventType::Normal,
                format!("what this instance's resources had made in {grafana} is removed there"),
            ),
            End::Stays { what, why } => (
                EventType::Warning,
                format!(
                    "{} in {grafana} stays there: {why}",
                    what.as_deref()
                        .unwrap_or("what this instance's resources had made")
                ),
            ),
        };
        info!(instance = name, grafana, ?end, "grafana left");
        comparison.say(Outlook::Over(end), context);
        context
            .event_of_instance(name, type_, "LeftBehind", "Leave", &note)
            .await;
    }

    /// Removes the folders, whatever it has come to.
    pub(in crate::controller) async fn end(mut self, context: &Context) {
        self.0.give_up(context).await;
    }
}
