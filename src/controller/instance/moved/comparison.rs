//! Comparing a Grafana that was left with the one that there is now.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::probes::Probes;
use super::settled;
use crate::controller::connection::Instance;
use crate::controller::connection::former::{Left, Outlook};
use crate::controller::context::Context;
use crate::domain::changed::moved::Moved;

/// Two Grafanas, if they are that, and what is known of them.
pub(super) struct Comparison {
    pub(super) left: Arc<Left>,
    /// Where all is now.
    pub(super) instance: Arc<Instance>,
    pub(super) state: Moved,
    began: Instant,
    probes: Probes,
}

impl Comparison {
    pub(super) fn new(left: Arc<Left>, instance: Arc<Instance>, apart_for: Duration) -> Self {
        Self {
            left,
            instance,
            state: Moved::new(apart_for),
            began: Instant::now(),
            probes: Probes::default(),
        }
    }

    /// Whether the instance is still connected there, and this process may write.
    pub(super) fn goes_on(&self, context: &Context) -> bool {
        let running = context.running.read();
        let is_here = running
            .get(&self.instance.name)
            .is_some_and(|running| Arc::ptr_eq(running, &self.instance));
        is_here && !self.instance.stop.is_cancelled() && context.term.holds()
    }

    /// Looks through both connections.
    pub(super) async fn look(&mut self, context: &Context) {
        let (old, new) = (&self.left.instance, &self.instance);
        let look = self.probes.look(old, new, context).await;
        self.state.looked(look.verdict(), self.began.elapsed());
    }

    /// Whether something may be removed now.
    pub(super) fn is_allowed(&self) -> bool {
        self.state.is_allowed(self.began.elapsed())
    }

    /// Whether one more object may be removed. Looks again where that takes it, and asks whether all else is still so.
    pub(super) async fn may_remove(&mut self, context: &Context) -> bool {
        if !self.goes_on(context) {
            return false;
        }
        if self.state.may_remove(self.began.elapsed()) {
            return true;
        }
        if settled::missing(&self.instance, context) != Some(0) {
            return false;
        }
        self.look(context).await;
        self.goes_on(context) && self.state.may_remove(self.began.elapsed())
    }

    /// Has the status say so.
    pub(super) fn say(&self, outlook: Outlook, context: &Context) {
        let (name, grafana) = (&self.instance.name, &self.left.grafana);
        if context.former.tell(name, grafana, outlook) {
            context.triggers.instances.one(&context.namespace, name);
        }
    }

    /// Removes the folders. What couldn't be removed is tried again the next time.
    pub(super) async fn withdraw(&mut self, context: &Context) {
        let (old, new) = (&self.left.instance, &self.instance);
        self.probes.withdraw(old, new, context).await;
    }

    /// The same for the last time.
    pub(super) async fn give_up(&mut self, context: &Context) {
        self.withdraw(context).await;
        std::mem::take(&mut self.probes).give_up(context);
    }
}
