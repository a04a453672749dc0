//! NotificationPolicy: resolve, decide, apply, report.

use kube::Resource;
use kube::runtime::events::EventType;
use kube::runtime::reflector::ObjectRef;
use tracing::info;

use super::maker::makers;
use super::tree;
use super::users::refers;
use crate::api::condition::{self, Reason};
use crate::api::reference::DeletionPolicy;
use crate::api::{ANNOTATION_SHARED_WITH, ContactPoint, NotificationPolicy, NotificationPolicyStatus};
use crate::controller::connection::Instance;
use crate::controller::context::Context;
use crate::controller::engine::by::By;
use crate::controller::engine::claim::Key;
use crate::controller::engine::failure::{Failure, Retry};
use crate::controller::engine::managed::Managed;
use crate::controller::pass::{self, Reconcile, Report};
use crate::domain::links;
use crate::domain::notification::contact_point;
use crate::domain::notification::contact_point::decision;
use crate::domain::notification::policy::{self, Target};
use crate::domain::notification::tree::marked;
use crate::domain::refusal::Refusal;
use crate::grafana::model::Route;

impl Reconcile for NotificationPolicy {
    async fn reconcile(&self, context: &Context) -> Result<Report<NotificationPolicyStatus>, Failure> {
        let instance = context.instance(self)?;
        if !instance.allows_tree(self.ns()) {
            return Err(Failure::new(
                Reason::Invalid,
                format!(
                    "GrafanaInstance {} doesn't let namespace {} hold the policy tree; its administrator can add it to spec.rootPolicyNamespaces.names",
                    instance.name,
                    self.ns()
                ),
                Retry::OnChange,
            ));
        }
        if let Some((older, _)) = context
            .claims
            .ahead(&Key::Tree(context.claims.place(&instance.name)), self)
        {
            return Err(Failure::new(
                Reason::Conflict,
                format!(
                    "NotificationPolicy {} is older and holds the tree of this Grafana, of which there is one",
                    older.path()
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
        let wish = policy::tree(&self.spec, |target| self.name_of(target, context, &instance));
        if matches!(&wish, Err(refusal) if refusal.reason == Reason::DependencyMissing) {
            // What Grafana has refused for want of it is another thing once it is there.
            instance.refused.forget(tree::TREE);
        }
        let wish = wish?;
        let wish = marked(wish, &instance.owners.now().label(self.ns(), self.id()));
        let brought = tree::bring(
            &instance,
            &wish,
            |mark| is_to_write(mark, context, &instance),
            instance.adopts(self),
            &instance.how_to_adopt(self.ns()),
        )
        .await?;
        let lost = tree::lost(&instance)?;
        if brought.is_taken_over {
            let until = |lost| format!("{lost}. It comes back with the tree when this resource is deleted");
            let lost = lost.as_ref().map(until);
            context.adopted(self, "policy tree", lost.as_deref()).await;
        }
        if brought.is_written {
            info!(namespace = self.ns(), name = self.id(), "policy tree written");
            trigger_waiting(context, &instance);
        }
        let mut status = self.status.clone().unwrap_or_default();
        status.receiver.clone_from(&wish.receiver);
        status.routes = i64::try_from(policy::count(&self.spec.routes)).ok();
        status.url = Some(links::policies(instance.external_url()));
        let stored =
            "stored in Grafana; it takes effect at Grafana's next poll of its configuration, 60 s by default";
        Ok(Report {
            warnings: lost.map(|lost| without(&lost)).into_iter().collect(),
            ..Report::synced(status, stored)
        })
    }

    async fn mistake(&self, _: &Context) -> Option<Failure> {
        // Whoever the receivers are.
        let tree = policy::tree(&self.spec, |_| Ok("any".to_owned()));
        tree.err().map(Failure::from)
    }

    fn may_be_stored(&self, context: &Context) -> bool {
        let running = context.running.read().get(self.instance()).cloned();
        self.status
            .as_ref()
            .is_some_and(|status| status.receiver.is_some())
            || running.is_some_and(|instance| instance.facts().is_ok())
    }

    async fn clean_up(&self, context: &Context) -> Result<(), Failure> {
        let Some(instance) = pass::leaving(self, context).await? else {
            return Ok(());
        };
        if context
            .claims
            .ahead(&Key::Tree(context.claims.place(&instance.name)), self)
            .is_some()
        {
            return Ok(());
        }
        let is_orphan = instance.deletion_policy(self.spec.deletion_policy) == DeletionPolicy::Orphan;
        // Who comes next takes over what we have written, and what was there before; nothing is routed by it in between.
        if !is_orphan && self.has_heir(context, &instance) {
            return Ok(());
        }
        let turn = instance.rights.notifications.lock().await;
        let is_ours = |mark: &str| is_to_write(mark, context, &instance);
        if !is_orphan && let Some(what) = tree::give_back(&instance, &turn, &is_ours).await? {
            let about = self.object_ref(&());
            context
                .event(&about, EventType::Normal, "Restored", "Delete", &what)
                .await;
            info!(namespace = self.ns(), name = self.id(), what, "policy tree left");
        }
        tree::forget(&instance, is_ours).await?;
        trigger_waiting(context, &instance);
        Ok(())
    }
}

impl NotificationPolicy {
    /// Whether the next in line waits for this one's tree and can put its own in the place. One that can't yet, for want of a contact
    /// point for example, would leave a tree that is nobody's any more.
    fn has_heir(&self, context: &Context, instance: &Instance) -> bool {
        let key = Key::Tree(context.claims.place(&instance.name));
        let mut last = None;
        while let Some(claimant) = context.claims.next::<NotificationPolicy>(&key, last.as_ref()) {
            let place = ObjectRef::new(&claimant.name).within(&claimant.namespace);
            let is_self = (claimant.namespace.as_str(), claimant.name.as_str()) == (self.ns(), self.id());
            let next = context.stores.policies.get(&place).filter(|_| !is_self);
            if let Some(next) = next.filter(|next| !next.is_deleting()) {
                return !next.is_suspended()
                    && policy::tree(&next.spec, |target| next.name_of(target, context, instance)).is_ok();
            }
            last = Some(claimant);
        }
        false
    }

    /// The name in Grafana of what a receiver refers to.
    fn name_of(&self, target: &Target, context: &Context, instance: &Instance) -> Result<String, Refusal> {
        let exists = |name: &str| {
            instance
                .mirror
                .read(|held| held.contact_points.lookup(&name.to_owned()).present().is_some())
        };
        let (namespace, name) = match target {
            Target::Grafana { name } => {
                let found = instance
                    .mirror
                    .read(|held| held.contact_points.lookup(&name.clone()).cloned().present());
                let found = found.map(|found| found.object.integrations);
                let makers = makers(name, &found.unwrap_or_default(), instance, context);
                if let Some(maker) = makers.first()
                    && makers.iter().all(|maker| maker.ns() != self.ns())
                {
                    return Err(Refusal::invalid(
                        "grafanaName",
                        format!(
                            "{name} belongs to ContactPoint {}/{}; refer to it by name and namespace",
                            maker.ns(),
                            maker.id()
                        ),
                    ));
                }
                return if exists(name) || is_referred_to(name, instance) {
                    Ok(name.clone())
                } else {
                    Err(Refusal::missing(format!(
                        "Grafana has no contact point {name}; create it or correct grafanaName"
                    )))
                };
            }
            Target::ContactPoint { namespace, name } => (namespace.as_deref().unwrap_or(self.ns()), name),
        };
        let found = context
            .stores
            .contact_points
            .get(&ObjectRef::new(name).within(namespace));
        let missing = || Refusal::missing(format!("ContactPoint {namespace}/{name} is not there; create it"));
        let contact_point = found.ok_or_else(missing)?;
        if namespace != self.ns() && !is_shared(&contact_point, self.ns()) {
            return Err(Refusal::missing(format!(
                "ContactPoint {namespace}/{name} isn't shared with namespace {}; its owner can, with the annotation {ANNOTATION_SHARED_WITH}",
                self.ns()
            )));
        }
        if contact_point.instance() != instance.name {
            return Err(Refusal::invalid(
                "receiver",
                format!("ContactPoint {namespace}/{name} is for another GrafanaInstance"),
            ));
        }
        let grafana_name = contact_point::name(&contact_point.spec, name);
        let key = Key::ContactPoint(context.claims.place(&instance.name), grafana_name.to_owned());
        // The name may be somebody else's, who had it first.
        let own = decision::uids(&contact_point.spec, &context.owner, namespace, name);
        let is_stored = instance.mirror.read(|held| {
            let found = held.contact_points.lookup(grafana_name).present();
            found.is_some_and(|found| found.object.integrations.iter().any(|i| own.contains(&i.uid)))
        });
        if is_stored && context.claims.ahead(&key, &*contact_point).is_none() {
            return Ok(grafana_name.to_owned());
        }
        let why = contact_point
            .status
            .as_ref()
            .and_then(|s| condition::ready(&s.conditions))
            .map(|c| c.reason.clone())
            .filter(|reason| reason != Reason::Synced.as_str());
        Err(Refusal::missing(format!(
            "ContactPoint {namespace}/{name} is not in Grafana yet{}",
            why.map(|why| format!(" ({why})")).unwrap_or_default()
        )))
    }
}

/// Whether the tree that Grafana holds, or the one from before ours, sends to this name. Then Grafana has it, though a contact point without
/// integrations is in none of its lists: a new one from 12.4 on begins with such a one, `empty`.
fn is_referred_to(name: &str, instance: &Instance) -> bool {
    let sends = |tree: Option<&Route>| tree.is_some_and(|tree| refers(tree, name));
    instance
        .mirror
        .read(|held| sends(held.tree().present().map(|tree| &tree.object)))
        || instance
            .memory()
            .is_ok_and(|memory| memory.read(|memory| sends(memory.previous_tree.as_ref())))
}

/// What to know of a tree that said more than ours can.
fn without(lost: &str) -> String {
    format!(
        "the tree that was there before said what a NotificationPolicy has no words for, and which has no effect meanwhile: {lost}. It comes back with that tree when this resource is deleted"
    )
}

/// Whether the tree with this mark is the first in line's to write: its resource isn't there any more, or stands in the same line. One that
/// has the tree through another GrafanaInstance keeps it: their addresses or logins differ, so nothing else tells that both are for
/// one Grafana.
fn is_to_write(mark: &str, context: &Context, instance: &Instance) -> bool {
    let Some((namespace, name)) = instance.owners.resource(mark) else {
        return false;
    };
    let holder = ObjectRef::new(name).within(namespace);
    let holder = context.stores.policies.get(&holder);
    let place = |name: &str| context.claims.place(name);
    holder.is_none_or(|holder| place(holder.instance()) == place(&instance.name))
}

fn is_shared(contact_point: &ContactPoint, namespace: &str) -> bool {
    contact_point
        .annotation(ANNOTATION_SHARED_WITH)
        .is_some_and(|list| {
            list.split(',')
                .map(str::trim)
                .any(|entry| entry == "*" || entry == namespace)
        })
}

/// Contact points whose deletion waits may be free now.
fn trigger_waiting(context: &Context, instance: &Instance) {
    let waits = By::Deleting(instance.name.clone());
    context
        .triggers
        .contact_points
        .all_by(&context.stores.contact_points, &waits);
}
