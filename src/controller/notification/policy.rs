//! NotificationPolicy: resolve, decide, apply, report.

use std::sync::Arc;

use kube::runtime::events::EventType;
use kube::runtime::reflector::ObjectRef;
use kube::{Resource, ResourceExt};
use tracing::info;

use crate::api::condition::{self, Reason};
use crate::api::reference::DeletionPolicy;
use crate::api::{ANNOTATION_SHARED_WITH, ContactPoint, NotificationPolicy, NotificationPolicyStatus};
use crate::controller::connection::Instance;
use crate::controller::context::Context;
use crate::controller::engine::by::By;
use crate::controller::engine::claim::Key;
use crate::controller::engine::failure::{Failure, Retry};
use crate::controller::engine::managed::Managed;
use crate::controller::engine::turns::Turn;
use crate::controller::pass::{self, Reconcile, Report};
use crate::domain::links;
use crate::domain::notification::contact_point;
use crate::domain::notification::contact_point::decision;
use crate::domain::notification::policy::{self, Target, TreeDecision};
use crate::domain::refusal::Refusal;
use crate::grafana::Class;
use crate::grafana::api::Provenance;
use crate::grafana::digest::RouteDigest;
use crate::grafana::mirror::{Lookup, Subject};
use crate::grafana::wire::Route;

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
        let wish = policy::tree(&self.spec, |target| self.name_of(target, context, &instance))?;
        self.sync(&instance, context, &wish, instance.adopts(self))
            .await?;
        let mut status = self.status.clone().unwrap_or_default();
        status.receiver.clone_from(&wish.receiver);
        status.routes = i64::try_from(policy::count(&self.spec.routes)).ok();
        status.url = Some(links::policies(instance.external_url()));
        Ok(Report::synced(
            status,
            "stored in Grafana; it takes effect at Grafana's next poll of its configuration, 60 s by default",
        ))
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
        let holds_tree = context
            .claims
            .ahead(&Key::Tree(context.claims.place(&instance.name)), self)
            .is_none()
            && instance.memory.read(|memory| memory.written_tree.is_some());
        let is_orphan = instance.deletion_policy(self.spec.deletion_policy) == DeletionPolicy::Orphan;
        // Who comes next takes over what we have written, and what was there before; nothing is routed by it in between.
        if !holds_tree || (!is_orphan && self.has_heir(context, &instance)) {
            return Ok(());
        }
        let turn = instance.notifications.lock().await;
        if !is_orphan {
            let what = self.restore(&instance, &turn).await?;
            context
                .event(
                    &self.object_ref(&()),
                    EventType::Normal,
                    "Restored",
                    "Delete",
                    &what,
                )
                .await;
            info!(
                namespace = self.ns(),
                name = self.id(),
                what,
                "policy tree restored"
            );
        }
        instance
            .memory
            .update(|memory| {
                memory.previous_tree = None;
                memory.written_tree = None;
            })
            .await?;
        trigger_waiting(context, &instance);
        Ok(())
    }
}

impl NotificationPolicy {
    /// Whether another resource waits for this one's tree.
    fn has_heir(&self, context: &Context, instance: &Instance) -> bool {
        let waits = |other: &NotificationPolicy| {
            instance.allows_tree(other.ns()) && (other.ns(), other.id()) != (self.ns(), self.id())
        };
        let wants_it = By::WantsTree(instance.name.clone());
        context.stores.policies.find(&wants_it, waits).is_some()
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
                let key = Key::ContactPoint(context.claims.place(&instance.name), name.clone());
                if let Some(holder) = context.claims.holder::<ContactPoint>(&key)
                    && holder.namespace != self.ns()
                {
                    return Err(Refusal::invalid(
                        "grafanaName",
                        format!(
                            "{name} belongs to ContactPoint {}; refer to it by name and namespace",
                            holder.path()
                        ),
                    ));
                }
                return if exists(name) {
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
            found.is_some_and(|found| found.iter().any(|integration| own.contains(&integration.uid)))
        });
        if is_stored && context.claims.ahead(&key, &*contact_point).is_none() {
            return Ok(grafana_name.to_owned());
        }
        let why = contact_point
            .status
            .as_ref()
            .and_then(|s| condition::ready(&s.conditions))
            .map(|c| c.reason.clone());
        Err(Refusal::missing(format!(
            "ContactPoint {namespace}/{name} is not in Grafana yet{}",
            why.map(|why| format!(" ({why})")).unwrap_or_default()
        )))
    }

    async fn sync(
        &self,
        instance: &Arc<Instance>,
        context: &Context,
        wish: &Route,
        adopt: bool,
    ) -> Result<(), Failure> {
        let digest = RouteDigest::of(wish);
        let decide = |found: Option<&Route>| {
            let written = instance
                .memory
                .read(|memory| memory.written_tree.as_ref().map(RouteDigest::of));
            policy::decide(digest, found, written, adopt)
        };
        let known = instance.mirror.read(|held| held.policy.lookup(&()).cloned());
        if let Lookup::Present(found) = &known
            && decide(Some(found)) == TreeDecision::Keep
            && instance.memory.read(|memory| memory.written_tree.is_some())
        {
            return Ok(());
        }
        let turn = instance.notifications.lock().await;
        let suspect = |e: crate::grafana::Error| instance.suspect(e.into());
        let found = instance.grafana.notifications.policy().await.map_err(suspect)?;
        instance
            .mirror
            .write(|held| held.policy.written((), found.clone()));
        let is_new = instance.memory.read(|memory| memory.written_tree.is_none());
        match decide(found.as_ref()) {
            TreeDecision::NotOwned => {
                return Err(Failure::new(
                    Reason::NotOwned,
                    format!(
                        "Grafana has a policy tree that somebody else made; {} (it comes back when this resource is deleted)",
                        instance.how_to_adopt(self.ns())
                    ),
                    Retry::OnChange,
                ));
            }
            TreeDecision::Keep if !is_new => return Ok(()),
            TreeDecision::Keep | TreeDecision::Correct | TreeDecision::TakeOver => {}
        }
        // Remembered before the write that it protects.
        instance
            .memory
            .update(|memory| {
                if is_new {
                    memory.was_editable = found.as_ref().is_some_and(|tree| !policy::is_provisioned(tree));
                    // One that equals the wish is most likely from an earlier life of this resource.
                    memory.previous_tree = found.clone().filter(|tree| RouteDigest::of(tree) != digest);
                }
                memory.written_tree = Some(wish.clone());
            })
            .await?;
        put(instance, &turn, wish, Provenance::Api)
            .await
            .map_err(suspect)?;
        info!(
            namespace = self.ns(),
            name = self.name_any(),
            "policy tree written"
        );
        trigger_waiting(context, instance);
        Ok(())
    }

    /// Puts the tree back that was there before, or Grafana's own, and says which.
    async fn restore(&self, instance: &Arc<Instance>, turn: &Turn) -> Result<String, Failure> {
        let notifications = &instance.grafana.notifications;
        let suspect = |e: crate::grafana::Error| instance.suspect(e.into());
        let (previous, provenance) = instance.memory.read(|memory| {
            let provenance = if memory.was_editable {
                Provenance::None
            } else {
                Provenance::Api
            };
            (memory.previous_tree.clone(), provenance)
        });
        let mut what = "Grafana's own policy tree is back".to_owned();
        let mut is_restored = false;
        if let Some(tree) = previous {
            let mut result = put(instance, turn, &tree, provenance).await;
            if result
                .as_ref()
                .is_err_and(|error| error.class() == Class::Foreign)
            {
                // Some versions don't make editable what was provisioned, but start anew with one that is.
                reset(instance, turn).await.map_err(suspect)?;
                result = put(instance, turn, &tree, provenance).await;
            }
            match result {
                Ok(()) => {
                    is_restored = true;
                    "the policy tree that was there before is back".clone_into(&mut what);
                }
                Err(error) if error.class() == Class::Rejected => {
                    what = format!(
                        "the policy tree that was there before is no longer valid ({error}); Grafana's own is back"
                    );
                }
                Err(error) => return Err(suspect(error)),
            }
        }
        if !is_restored {
            reset(instance, turn).await.map_err(suspect)?;
        }
        let tree = notifications.policy().await.map_err(suspect)?;
        instance.mirror.write(|held| held.policy.written((), tree));
        Ok(what)
    }
}

/// Replaces the tree.
async fn put(
    instance: &Arc<Instance>,
    turn: &Turn,
    tree: &Route,
    provenance: Provenance,
) -> crate::grafana::Result<()> {
    let tree = tree.clone();
    let written = Route {
        provenance: provenance.name().map(str::to_owned),
        ..tree.clone()
    };
    let put = instance.write(
        turn.clone(),
        Subject::Policy,
        |grafana| async move { grafana.notifications.put_policy(&tree, provenance).await },
        |held, ()| held.policy.written((), Some(written)),
    );
    put.await
}

/// Goes back to Grafana's own tree, whatever that is.
async fn reset(instance: &Arc<Instance>, turn: &Turn) -> crate::grafana::Result<()> {
    let reset = instance.write(
        turn.clone(),
        Subject::Policy,
        |grafana| async move { grafana.notifications.reset_policy().await },
        |_, ()| {},
    );
    reset.await
}

/// Takes a contact point that has to go out of our tree; `false` if the tree isn't ours. The parent's takes its place, and the
/// previous tree's at the root. The caller holds the right to write.
pub(super) async fn replace_receiver(
    instance: &Arc<Instance>,
    turn: &Turn,
    name: &str,
) -> Result<bool, Failure> {
    let (is_ours, otherwise) = instance.memory.read(|memory| {
        let previous = memory
            .previous_tree
            .as_ref()
            .and_then(|tree| tree.receiver.clone());
        (memory.written_tree.is_some(), previous)
    });
    if !is_ours {
        return Ok(false);
    }
    let notifications = &instance.grafana.notifications;
    let suspect = |e: crate::grafana::Error| instance.suspect(e.into());
    let Some(found) = notifications.policy().await.map_err(suspect)? else {
        return Ok(true);
    };
    let otherwise = otherwise.filter(|other| other != name).unwrap_or_default();
    let tree = policy::without(&found, name, &otherwise);
    match put(instance, turn, &tree, Provenance::Api).await {
        // Nothing is left that the root could refer to.
        Err(error) if error.class() == Class::Rejected => {
            reset(instance, turn).await.map_err(suspect)?;
        }
        result => result.map_err(suspect)?,
    }
    let found = notifications.policy().await.map_err(suspect)?;
    instance.mirror.write(|held| held.policy.written((), found));
    Ok(true)
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
