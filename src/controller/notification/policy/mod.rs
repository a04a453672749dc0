//! NotificationPolicy: resolve, decide, apply, report. A root is here, with the tree that it writes in `assembly`; `branch` has what differs for a branch.

mod assembly;
mod branch;
mod holds;
mod own_tree;
pub(in crate::controller) mod related;

use std::sync::Arc;

use kube::runtime::events::EventType;
use kube::runtime::reflector::ObjectRef;
use tracing::info;

use self::assembly::writer;
use self::branch::STORED;
use self::own_tree::Parting;
use super::users::rule_uid;
use super::{interval, known, receiver, tree};
use crate::api::condition::{self, Reason};
use crate::api::reference::DeletionPolicy;
use crate::api::{NotificationPolicy, NotificationPolicyStatus};
use crate::controller::connection::Instance;
use crate::controller::context::Context;
use crate::controller::engine::by::{By, named};
use crate::controller::engine::claim::{Key, standing};
use crate::controller::engine::failure::{Failure, Retry};
use crate::controller::engine::managed::Managed;
use crate::controller::pass::{self, Reconcile, Report};
use crate::domain::changed::drift;
use crate::domain::lint::mistakes;
use crate::domain::notification::policy;
use crate::domain::refusal::Refusal;
use crate::domain::version::links;
use crate::grafana::mirror::{Part, Subject};
use crate::grafana::model::Route;

impl Reconcile for NotificationPolicy {
    async fn reconcile(&self, context: &Context) -> Result<Report<NotificationPolicyStatus>, Failure> {
        let instance = context.instance(self)?;
        if let Some(root) = self.root() {
            return branch::reconcile(self, &root, &instance, context).await;
        }
        if !instance.allows_tree(self.ns()) {
            return Err(Failure::new(
                Reason::Invalid,
                format!(
                    "GrafanaInstance {} doesn't let namespace {} hold a policy tree; its administrator can add it to spec.rootPolicyNamespaces.names",
                    instance.name,
                    self.ns()
                ),
                Retry::OnChange,
            ));
        }
        let name = self.tree();
        if let Some((older, _)) = context.ahead(&self.key(context, &instance), self) {
            return Err(Failure::new(
                Reason::Conflict,
                format!(
                    "NotificationPolicy {} {} holds the {} of this Grafana, of which there is one{}",
                    older.path(),
                    standing(&older, self),
                    tree::what(&name),
                    own_tree::instead(&instance)
                ),
                Retry::OnChange,
            ));
        }
        // An older one that can't be seen may hold the tree. Who held it before goes on.
        let holds_it = self
            .status
            .as_ref()
            .is_some_and(|status| condition::is_ready(&status.conditions, self.metadata.generation));
        if !holds_it && !context.unwatched.sees_all(NotificationPolicy::KIND) {
            return Err(Failure::unseen(NotificationPolicy::KIND));
        }
        own_tree::check(self, &instance)?;
        if !policy::intervals(&self.spec).is_empty() {
            instance.check(&[Part::TimeIntervals])?;
            policy::refuse_what_is_too_new(&self.spec, instance.facts()?.version)?;
        }
        self.know(context, &instance).await?;
        let wish = self.wish(context, &instance);
        if matches!(&wish, Err(refusal) if refusal.reason == Reason::DependencyMissing) {
            // What Grafana has refused for want of it is another thing once it is there.
            instance.refused.forget(&tree::called(&name));
        }
        let mut tree = assembly::assemble(self, wish?, &instance, context).await?;
        if instance.only_reports_drift(self) {
            let stored = self.status.as_ref().and_then(|status| status.stored.clone());
            let wishes = [tree.route(), tree.without_refused(context)];
            let as_stored = |wish: &Route| stored.as_ref() == Some(&drift::code(wish));
            let drift = match wishes.into_iter().find(as_stored) {
                Some(wish) => tree::drift(&instance, &name, &wish).await?,
                None => Vec::new(),
            };
            if !drift.is_empty() {
                let status = self.status.clone().unwrap_or_default();
                return Ok(Report::synced(status, "").drifted(drift));
            }
        }
        let before = assembly::known(&name, &instance);
        let brought = assembly::bring(self, &mut tree, &instance, context).await?;
        let wish = tree.route();
        let lost = tree::lost(&instance, &name, &wish)?;
        if brought.is_taken_over {
            let until = |lost| format!("{lost}. It comes back with the tree when this resource is deleted");
            let lost = lost.as_ref().map(until);
            context.adopted(self, &tree::called(&name), lost.as_deref()).await;
        }
        if brought.is_written {
            let stored = self.status.as_ref().and_then(|status| status.stored.as_ref());
            if self.is_stored() && !brought.is_taken_over && stored == Some(&drift::code(&wish)) {
                context.metrics.drift_corrected(Self::KIND);
            }
            info!(
                namespace = self.ns(),
                name = self.id(),
                tree = name.0,
                "policy tree written"
            );
            context.tell_waiting(&instance.name);
            self.tell_rules(context, &instance);
        }
        assembly::trigger_moved(self, before.as_ref(), &wish, &instance, context);
        let mut status = self.status.clone().unwrap_or_default();
        status.receiver.clone_from(&wish.receiver);
        status.stored = Some(drift::code(&wish));
        status.routes = i64::try_from(policy::count(&self.spec.routes)).ok();
        status.branches = i64::try_from(tree.count()).ok().filter(|count| *count > 0);
        status.url = Some(links::policies(instance.external_url()));
        Ok(Report {
            warnings: lost
                .map(|lost| without(&lost))
                .into_iter()
                .chain(tree.warning())
                .collect(),
            ..Report::synced(status, STORED)
        })
    }

    async fn mistake(&self, _: &Context) -> Option<Failure> {
        mistakes::of_policy(&self.spec).err().map(Failure::from)
    }

    fn decided_by(&self, _: &Instance) -> Option<Subject> {
        // A branch looks for itself in its root's tree.
        self.root().is_none().then(|| Subject::Tree(self.tree()))
    }

    fn may_be_stored(&self, context: &Context) -> bool {
        let running = context.running.read().get(self.instance()).cloned();
        self.status
            .as_ref()
            .is_some_and(|status| status.receiver.is_some())
            || running.is_some_and(|instance| instance.facts().is_ok())
    }

    fn mark_stored(&self, context: &Context, status: &mut NotificationPolicyStatus) {
        self.note_place(context, status);
    }

    fn note_place(&self, context: &Context, status: &mut NotificationPolicyStatus) {
        if self.spec.parent_ref.is_some() {
            branch::note(self, context, status);
        }
    }

    async fn clean_up(&self, context: &Context) -> Result<(), Failure> {
        let Some(instance) = pass::leaving(self, context).await? else {
            return Ok(());
        };
        if self.spec.parent_ref.is_some() {
            return branch::clean_up(self, &instance, context).await;
        }
        let name = self.tree();
        if context.ahead(&self.key(context, &instance), self).is_some() {
            return Ok(());
        }
        let mut is_orphan = instance.deletion_policy(self.spec.deletion_policy) == DeletionPolicy::Orphan;
        // Who comes next takes over what we have written, and what was there before; nothing is routed by it in between.
        if !is_orphan
            && let Some(heir) = self.heir(context, &instance).await?
            && self.hands_over(&heir, context, &instance).await?
        {
            return Ok(());
        }
        let in_use = if is_orphan {
            None
        } else {
            match own_tree::part(self, &instance, context).await? {
                Parting::Goes(in_use) => in_use,
                Parting::WasNever => return Ok(()),
                Parting::Stays(why) => {
                    let note = format!("{why}, so it stays in Grafana");
                    context.left_behind(self, self.instance(), &note).await;
                    is_orphan = true;
                    None
                }
            }
        };
        let turn = instance.rights.notifications.lock().await;
        let writer = |mark: &str| writer(mark, self, context, &instance);
        if !is_orphan && let Some(what) = tree::give_back(&instance, &turn, &name, writer, in_use).await? {
            let what = if instance.declared() == instance.name {
                what
            } else {
                format!("in the Grafana that was left {what}")
            };
            context
                .event_of(self, EventType::Normal, "Restored", "Delete", &what)
                .await;
            info!(namespace = self.ns(), name = self.id(), what, "policy tree left");
        }
        tree::forget(&instance, &name, writer).await?;
        context.tell_waiting(&instance.name);
        Ok(())
    }
}

impl NotificationPolicy {
    /// What a root claims in a Grafana.
    fn key(&self, context: &Context, instance: &Instance) -> Key {
        Key::Tree(context.claims.place(&instance.name), self.tree())
    }

    /// The tree of a root as Grafana should hold it, without its branches and its mark.
    fn wish(&self, context: &Context, instance: &Instance) -> Result<Route, Refusal> {
        policy::tree(
            &self.spec,
            |target| receiver::name_of(target, self.ns(), context, instance),
            |interval| interval::name_of(interval, self.ns(), context, instance),
        )
    }

    /// Has it known what Grafana has of all that a root refers to.
    async fn know(&self, context: &Context, instance: &Instance) -> Result<(), Failure> {
        let (targets, intervals) = (policy::targets(&self.spec), policy::intervals(&self.spec));
        known::ensure(targets, intervals, self.ns(), context, instance).await
    }

    /// Has the rules that name this tree looked at, which wait for it, be it new or lost with the whole Grafana.
    fn tell_rules(&self, context: &Context, instance: &Instance) {
        if self.tree().is_default() {
            return;
        }
        for rule in context.stores.rules.by(&By::Tree(named(self.ns(), self.id()))) {
            // What Grafana has refused for want of it is another thing now.
            instance.refused.forget(&rule_uid(&rule, instance));
        }
        context.tell_those_of_tree(self);
    }

    /// Whether the next in line has the tree now, or gets it by itself as soon as this one is gone. One that stays in other Grafanas puts the
    /// heir's tree there: through another GrafanaInstance it may have this very tree, as far as its mark tells, so nobody would take it from it.
    async fn hands_over(
        &self,
        heir: &Self,
        context: &Context,
        instance: &Arc<Instance>,
    ) -> Result<bool, Failure> {
        let place = ObjectRef::new(self.id()).within(self.ns());
        let whole = context.stores.policies.get(&place);
        if whole.is_none_or(|whole| whole.is_deleting() || whole.projections().is_empty()) {
            return Ok(true);
        }
        let mut tree = assembly::assemble(heir, heir.wish(context, instance)?, instance, context).await?;
        match assembly::bring(heir, &mut tree, instance, context).await {
            // Grafana takes it from nobody.
            Err(failure) if failure.refused_for().is_some() => Ok(false),
            brought => {
                brought?;
                info!(namespace = heir.ns(), name = heir.id(), "policy tree handed over");
                Ok(true)
            }
        }
    }

    /// The next in line that waits for this one's tree, if it can put its own in the place. One that can't yet, for want of a contact
    /// point for example, would leave a tree that is nobody's any more.
    async fn heir(&self, context: &Context, instance: &Instance) -> Result<Option<Arc<Self>>, Failure> {
        let key = self.key(context, instance);
        let mut last = None;
        while let Some(claimant) = context.claims.next::<NotificationPolicy>(&key, last.as_ref()) {
            let place = ObjectRef::new(&claimant.name).within(&claimant.namespace);
            let is_self = (claimant.namespace.as_str(), claimant.name.as_str()) == (self.ns(), self.id());
            let next = context.stores.policies.at(&place, &claimant.instance);
            let next = next.filter(|_| !is_self);
            if let Some(next) = next.filter(|next| !next.is_deleting()) {
                next.know(context, instance).await?;
                let can_write =
                    !next.is_suspended() && next.unread().is_none() && next.wish(context, instance).is_ok();
                return Ok(can_write.then_some(next));
            }
            last = Some(claimant);
        }
        Ok(None)
    }
}

/// What to know of a tree that said more than ours can.
fn without(lost: &str) -> String {
    format!(
        "the tree that was there before said what this one doesn't, and what has no effect meanwhile: {lost}. It comes back with that tree when this resource is deleted"
    )
}
