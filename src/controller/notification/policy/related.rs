//! What a change of one policy means for the others of its tree, and for the rules that name that.

use kube::runtime::watcher::Event;

use crate::api::{ANNOTATION_SHARED_WITH, NotificationPolicy, condition};
use crate::controller::context::Context;
use crate::controller::engine::by::{By, Named, named};
use crate::controller::engine::managed::Managed;

/// Asks for a pass over the root that a branch has left or stands otherwise in, and over the branches of a root and the rules that name its tree.
pub(in crate::controller) fn told(
    event: &Event<NotificationPolicy>,
    before: Option<&NotificationPolicy>,
    context: &Context,
) {
    let (policies, triggers) = (&context.stores.policies, &context.triggers.policies);
    let (policy, after) = match event {
        Event::Apply(policy) => (policy, Some(policy)),
        Event::Delete(policy) => (policy, None),
        // A branch that vanished while the watch was down left no event, and its root knows.
        Event::InitDone if context.is_ready() => {
            let roots = policies
                .all()
                .into_iter()
                .filter(|policy| policy.root().is_none());
            roots.for_each(|root| triggers.one(root.ns(), root.id()));
            return;
        }
        Event::InitApply(_) | Event::Init | Event::InitDone => return,
    };
    // A branch that is there asks its root itself where the tree lacks it; of its place among the others it knows nothing.
    let (left, joined) = (before.and_then(place_in_tree), after.and_then(place_in_tree));
    if let Some((root, _)) = left.filter(|left| joined.as_ref() != Some(left)) {
        triggers.one(&root.namespace, &root.name);
    }
    // Of one that its tree has never had the root hears nothing else, and names it.
    if let Some((root, _)) = joined
        && before.map(left_out).unwrap_or_default() != after.map(left_out).unwrap_or_default()
    {
        triggers.one(&root.namespace, &root.name);
    }
    if before.map(seen_by_branches) != after.map(seen_by_branches) {
        triggers.all_by(policies, &By::Branch(named(policy.ns(), policy.id())));
        context.tell_those_of_tree(policy);
    }
}

/// The root of a branch, and its priority there.
fn place_in_tree(branch: &NotificationPolicy) -> Option<(Named, i32)> {
    Some((branch.root()?, branch.spec.priority.unwrap_or(0)))
}

/// In which Grafanas a branch isn't in the tree, as its status says, and why: what its root says of it.
fn left_out(branch: &NotificationPolicy) -> Vec<(String, String)> {
    let parts = branch.projections();
    let alone = parts.is_empty().then_some(branch);
    let reason = |part: &NotificationPolicy| {
        let ready = condition::ready(&part.status.as_ref()?.conditions)?;
        (ready.status == "False").then(|| (part.instance().to_owned(), ready.reason.clone()))
    };
    alone.into_iter().chain(&parts).filter_map(reason).collect()
}

/// What of a root its branches in each Grafana depend on.
fn seen_by_branches(root: &NotificationPolicy) -> Vec<SeenByBranches> {
    let parts = root.projections();
    let alone = parts.is_empty().then_some(root);
    alone.into_iter().chain(&parts).map(SeenByBranches::of).collect()
}

/// What of a root its branches depend on, besides Grafana's tree.
#[derive(PartialEq)]
struct SeenByBranches {
    instance: String,
    is_deleting: bool,
    is_suspended: bool,
    shared_with: Option<String>,
    /// Status and reason.
    ready: Option<(String, String)>,
    /// It is none if it has one.
    root: Option<Named>,
}

impl SeenByBranches {
    fn of(root: &NotificationPolicy) -> Self {
        let status = root.status.as_ref();
        let ready = status.and_then(|status| condition::ready(&status.conditions));
        Self {
            instance: root.instance().to_owned(),
            is_deleting: root.is_deleting(),
            is_suspended: root.is_suspended(),
            shared_with: root.annotation(ANNOTATION_SHARED_WITH).map(str::to_owned),
            ready: ready.map(|ready| (ready.status.clone(), ready.reason.clone())),
            root: root.root(),
        }
    }
}
