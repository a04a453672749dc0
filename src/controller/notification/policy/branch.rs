//! Branches: what each adds to the tree of its root, and whether Grafana has it there.
//!
//! A root alone writes its tree. A branch works out what it should add and looks for that in Grafana's tree; where it isn't so, it asks for
//! a pass over its root, which works out the same for each of its branches.

use std::sync::Arc;
use std::time::Instant;

use kube::runtime::reflector::ObjectRef;

use crate::api::condition::{self, Reason};
use crate::api::reference::DeletionPolicy;
use crate::api::{
    ANNOTATION_SHARED_WITH, ContactPoint, NotificationPolicy, NotificationPolicyStatus, TimeInterval,
};
use crate::controller::connection::Instance;
use crate::controller::context::Context;
use crate::controller::engine::by::{Named, named};
use crate::controller::engine::failure::{Failure, Retry};
use crate::controller::engine::managed::Managed;
use crate::controller::notification::{interval, receiver, tree};
use crate::controller::pass::{self, Report};
use crate::domain::changed::drift;
use crate::domain::notification::branches::{self, Root, Standing};
use crate::domain::notification::interval::Interval;
use crate::domain::notification::policy;
use crate::domain::notification::receiver::Target;
use crate::domain::notification::tree as marks;
use crate::domain::refusal::Refusal;
use crate::domain::version::links;
use crate::grafana::mirror::{Lookup, Part, Subject};
use crate::grafana::model::Route;

/// What the message of `Ready` says of a tree that is as it should be.
pub(super) const STORED: &str =
    "stored in Grafana; it takes effect at Grafana's next poll of its configuration, 60 s by default";

/// What is to become of a branch in the tree of its root.
pub(super) enum Outlook {
    /// It is to be there, like this.
    In(Box<Route>),
    /// It stays as Grafana has it, or stays out: it is suspended, or it or what it depends on can't be seen right now.
    AsItIs,
    /// It is left out.
    Out(Failure),
}

/// What is to become of a branch. Its root asks the same as itself.
pub(super) fn outlook(
    branch: &NotificationPolicy,
    root: &NotificationPolicy,
    context: &Context,
    instance: &Instance,
) -> Outlook {
    if let Err(refusal) = may_join(branch, root) {
        return Outlook::Out(refusal.into());
    }
    match context.admit(instance, branch.ns()) {
        Err(failure) if failure.reason == Some(Reason::Invalid) => return Outlook::Out(failure),
        // The labels of its namespace can't be seen.
        Err(_) => return Outlook::AsItIs,
        Ok(()) => {}
    }
    if branch.is_suspended() || branch.unread().is_some() || is_unclear(branch, context, instance) {
        return Outlook::AsItIs;
    }
    let tenant =
        (!instance.is_unrestricted(branch.ns())).then(|| instance.owners.namespace_pattern(branch.ns()));
    let fits = instance
        .facts()
        .and_then(|facts| Ok(policy::refuse_what_is_too_new(&branch.spec, facts.version)?));
    if let Err(failure) = fits {
        return Outlook::Out(failure);
    }
    let route = policy::branch(
        &branch.spec,
        tenant.as_deref(),
        |target| receiver::name_of(target, branch.ns(), context, instance),
        |wanted| interval::name_of(wanted, branch.ns(), context, instance),
    );
    match route {
        Ok(route) => {
            let route = branches::marked(route, &mark(branch, instance));
            // Grafana has refused it lately, when it stood in the way of others.
            let subject = refused_as(&named(branch.ns(), branch.id()));
            match instance.refused.attempt(subject, &route, Instant::now()) {
                Ok(_) => Outlook::In(Box::new(route)),
                Err(failure) => Outlook::Out(failure),
            }
        }
        Err(refusal) => {
            if refusal.reason == Reason::DependencyMissing {
                // What was refused for want of it is another thing once it is there.
                instance
                    .refused
                    .forget(&refused_as(&named(branch.ns(), branch.id())));
            }
            Outlook::Out(refusal.into())
        }
    }
}

/// What a branch is called among what Grafana has refused.
pub(super) fn refused_as(branch: &Named) -> String {
    format!("branch {}", branch.path())
}

/// The mark of a policy, in the tree or in its branch.
pub(super) fn mark(policy: &NotificationPolicy, instance: &Instance) -> String {
    instance.owners.now().label(policy.ns(), policy.id())
}

/// Fails where a policy can't be a branch of that one, whatever it says.
fn may_join(branch: &NotificationPolicy, root: &NotificationPolicy) -> Result<(), Refusal> {
    let parent = root.root().map(|own| own.path());
    branches::may_join(
        (branch.ns(), branch.instance()),
        &Root {
            place: (root.ns(), root.id()),
            parent: parent.as_deref(),
            instance: root.instance(),
            instances: &root.instances(),
            shared_with: root.annotation(ANNOTATION_SHARED_WITH),
            is_deleting: root.is_deleting(),
        },
    )
}

/// Whether nothing can be said of one of its contact points or time intervals at this moment: a write is under way, its answer was lost, or
/// the operator may not look.
fn is_unclear(branch: &NotificationPolicy, context: &Context, instance: &Instance) -> bool {
    are_receivers_unclear(branch, context, instance) || are_intervals_unclear(branch, context, instance)
}

fn are_intervals_unclear(branch: &NotificationPolicy, context: &Context, instance: &Instance) -> bool {
    let intervals = policy::intervals(&branch.spec);
    if !intervals.is_empty() && instance.check(&[Part::TimeIntervals]).is_err() {
        return true;
    }
    let is_unknown = |name: &str| {
        instance
            .mirror
            .read(|held| held.time_intervals.lookup(name).is_unknown())
    };
    intervals.iter().any(
        |interval| match (interval::called(interval, branch.ns(), context), interval) {
            (Some(name), _) => is_unknown(&name),
            (None, Interval::Resource { namespace, .. }) => {
                let namespace = namespace.as_deref().unwrap_or(branch.ns());
                !context.unwatched.sees(TimeInterval::KIND, namespace)
            }
            (None, Interval::Grafana { .. }) => false,
        },
    )
}

fn are_receivers_unclear(branch: &NotificationPolicy, context: &Context, instance: &Instance) -> bool {
    let is_unknown = |name: &str| {
        instance
            .mirror
            .read(|held| held.contact_points.lookup(name).is_unknown())
    };
    policy::targets(&branch.spec).iter().any(|target| {
        match (receiver::called(target, branch.ns(), context), target) {
            (Some(name), _) => is_unknown(&name),
            (None, Target::ContactPoint { namespace, .. }) => {
                let namespace = namespace.as_deref().unwrap_or(branch.ns());
                !context.unwatched.sees(ContactPoint::KIND, namespace)
            }
            (None, Target::Grafana { .. }) => false,
        }
    })
}

/// Where a branch stands in a tree of Grafana's, and the resource whose tree that is: the one of its root, if it stands there.
fn standing(branch: &NotificationPolicy, instance: &Instance) -> Lookup<(Standing, Named)> {
    let (own, wanted) = (mark(branch, instance), branch.root());
    instance.mirror.read(|held| {
        let mut found: Vec<_> = held
            .trees
            .iter()
            .filter_map(|(_, tree)| {
                let root = marks::mark(&tree.object).and_then(|mark| instance.owners.resource(mark));
                let standing = branches::standings(&tree.object).remove(own.as_str())?;
                let (namespace, name) = root?;
                Some((standing, named(namespace, name)))
            })
            .collect();
        found.sort_by_key(|(_, root)| (wanted.as_ref() != Some(root), root.path()));
        match found.into_iter().next() {
            Some((standing, root)) if wanted.as_ref() == Some(&root) => Lookup::Present((standing, root)),
            // It may stand there, or just have left.
            _ if held.tree().is_unknown() || held.trees.unknown_keys().next().is_some() => Lookup::Unknown,
            Some(elsewhere) => Lookup::Present(elsewhere),
            None => Lookup::Absent,
        }
    })
}

/// Notes in the status where a branch stands.
pub(super) fn note(branch: &NotificationPolicy, context: &Context, status: &mut NotificationPolicyStatus) {
    let running = context.running.read().get(branch.instance()).cloned();
    let Some(instance) = running else { return };
    let found = match standing(branch, &instance) {
        Lookup::Unknown => return,
        known => known.present(),
    };
    status.position = found
        .as_ref()
        .and_then(|(standing, _)| i64::try_from(standing.position).ok());
    status.root = found.map(|(_, root)| root.path());
}

/// One pass over a branch.
pub(super) async fn reconcile(
    branch: &NotificationPolicy,
    root: &Named,
    instance: &Arc<Instance>,
    context: &Context,
) -> Result<Report<NotificationPolicyStatus>, Failure> {
    let place = ObjectRef::new(&root.name).within(&root.namespace);
    let found = context.stores.policies.here(&place, &instance.name);
    let Some(found) = found else {
        if !context.unwatched.sees(NotificationPolicy::KIND, &root.namespace) {
            return Err(Failure::unseen(NotificationPolicy::KIND));
        }
        let missing = format!(
            "spec.parentRef: NotificationPolicy {} is not there; create it or correct parentRef",
            root.path()
        );
        return Err(Refusal::missing(missing).into());
    };
    if pass::is_asked(branch) {
        let _turn = instance.rights.notifications.lock().await;
        let _doubt = pass::Doubt::of(instance.clone(), Subject::Tree(found.tree()));
        tree::know_all(instance).await?;
    }
    let is_in = standing(branch, instance);
    let ask = || context.triggers.policies.one(&root.namespace, &root.name);
    let wish = match outlook(branch, &found, context, instance) {
        Outlook::In(route) => route,
        Outlook::AsItIs => {
            return Err(soon(
                "what has become of its contact points in Grafana isn't known yet",
            ));
        }
        Outlook::Out(failure) => {
            if !matches!(is_in, Lookup::Absent) {
                ask();
            }
            return Err(failure);
        }
    };
    let digest = branches::digest(&wish);
    if let Lookup::Present((standing, holder)) = is_in
        && standing.digest == digest
        && holder == *root
    {
        let mut status = branch.status.clone().unwrap_or_default();
        status.receiver.clone_from(&wish.receiver);
        status.routes = i64::try_from(policy::count(&branch.spec.routes)).ok();
        status.url = Some(links::policies(instance.external_url()));
        status.stored = Some(drift::code(&wish));
        note(branch, context, &mut status);
        return Ok(Report::synced(status, STORED));
    }
    if let Some(drift) = drifted(branch, &found, &wish, instance) {
        let mut status = branch.status.clone().unwrap_or_default();
        note(branch, context, &mut status);
        let said = if drift.is_empty() { STORED } else { "" };
        return Ok(Report::synced(status, said).drifted(drift));
    }
    if let Some(why) = hinders(&found) {
        return Err(Refusal::missing(format!("NotificationPolicy {} {why}", root.path())).into());
    }
    ask();
    Err(soon(&format!(
        "NotificationPolicy {} has still to write its tree with it",
        root.path()
    )))
}

/// What somebody has changed of a branch that was stored as it is wished, where its root says that it only tells of such changes. One that is new, or another
/// one by now, has the root write all of its tree.
fn drifted(
    branch: &NotificationPolicy,
    root: &NotificationPolicy,
    wish: &Route,
    instance: &Instance,
) -> Option<Vec<String>> {
    let stored = branch.status.as_ref()?.stored.as_ref()?;
    let ready = condition::ready(&root.status.as_ref()?.conditions)?;
    let tells = ready.reason == Reason::Drifted.as_str() && instance.only_reports_drift(root);
    if !tells || *stored != drift::code(wish) {
        return None;
    }
    let own = mark(branch, instance);
    instance
        .mirror
        .read(|held| match held.trees.lookup(&root.tree()) {
            Lookup::Unknown => None,
            Lookup::Absent => Some(vec![drift::DELETED.to_owned()]),
            Lookup::Present(tree) => Some(branches::drift(wish, branches::find(&tree.object, &own))),
        })
}

fn soon(message: &str) -> Failure {
    Failure::new(Reason::DependencyMissing, message, Retry::Soon)
}

/// Why a root doesn't write its tree, if it says so.
fn hinders(root: &NotificationPolicy) -> Option<String> {
    if root.is_suspended() {
        return Some("is suspended, so its tree in Grafana stays as it is".to_owned());
    }
    let ready = condition::ready(&root.status.as_ref()?.conditions)?;
    (ready.status == "False").then(|| format!("is not in Grafana itself ({})", ready.reason))
}

/// Waits until Grafana's tree is without a branch that is deleted, if somebody writes it.
pub(super) async fn clean_up(
    branch: &NotificationPolicy,
    instance: &Arc<Instance>,
    context: &Context,
) -> Result<(), Failure> {
    if instance.deletion_policy(branch.spec.deletion_policy) == DeletionPolicy::Orphan {
        return Ok(());
    }
    let mut is_in = standing(branch, instance);
    if matches!(is_in, Lookup::Unknown) {
        let _turn = instance.rights.notifications.lock().await;
        tree::know_all(instance).await?;
        is_in = standing(branch, instance);
    }
    let Lookup::Present((_, holder)) = is_in else {
        return Ok(());
    };
    let place = ObjectRef::new(&holder.name).within(&holder.namespace);
    let root = context.stores.policies.here(&place, &instance.name);
    // The next write of the tree is one without it, whoever comes to make that.
    let writes = root.is_some_and(|root| !root.is_deleting() && hinders(&root).is_none());
    if !writes {
        return Ok(());
    }
    context.triggers.policies.one(&holder.namespace, &holder.name);
    let message = format!(
        "NotificationPolicy {} has still to write its tree without it",
        holder.path()
    );
    Err(Failure::new(Reason::InUse, message, Retry::Soon))
}
