//! The policy trees that rules refer to.

use std::time::Duration;

use kube::runtime::reflector::ObjectRef;

use super::not_yet::not_yet;
use crate::api::condition::Reason;
use crate::api::{ANNOTATION_SHARED_WITH, NotificationPolicy};
use crate::controller::connection::Instance;
use crate::controller::context::Context;
use crate::controller::engine::claim::Key;
use crate::controller::engine::failure::{Failure, Retry};
use crate::controller::engine::managed::Managed;
use crate::domain::notification::settings::Tree;
use crate::domain::notification::tree as marks;
use crate::domain::refusal::Refusal;
use crate::grafana::mirror::Lookup;
use crate::grafana::model::TreeName;

/// How soon it is looked again whether trees are known by their names.
const OUT_OF_REACH: Duration = Duration::from_secs(60);

/// Fails where trees can't be reached by their names, so that it isn't known which there are. `field` is what asks for one, and `else_` what to do without.
pub(in crate::controller) fn reach(field: &str, else_: &str, instance: &Instance) -> Result<(), Failure> {
    if instance.grafana.trees.knows_names() {
        return Ok(());
    }
    Err(Failure::new(
        Reason::Unsupported,
        format!(
            "{field}: Grafana knows policy trees beside the default one through its newer API alone (/apis), which it doesn't serve or doesn't let these credentials use; the status of GrafanaInstance {} says why. {else_}",
            instance.name
        ),
        Retry::After(OUT_OF_REACH),
    ))
}

/// The name in Grafana of the tree that is referred to, for a rule of the namespace `from`; or why it can't be used. The trees of that Grafana have been
/// read.
pub(in crate::controller) fn name_of(
    tree: &Tree,
    from: &str,
    context: &Context,
    instance: &Instance,
) -> Result<String, Refusal> {
    let (namespace, name) = match tree {
        Tree::Grafana { name } => return by_name(name, from, context, instance),
        Tree::Policy { namespace, name } => (namespace.as_deref().unwrap_or(from), name),
    };
    let found = context
        .stores
        .policies
        .here(&ObjectRef::new(name).within(namespace), &instance.name);
    let path = format!("NotificationPolicy {namespace}/{name}");
    let policy = found.ok_or_else(|| Refusal::missing(format!("{path} is not there; create it")))?;
    if namespace != from && !policy.is_shared_with(from) {
        return Err(Refusal::missing(format!(
            "{path} isn't shared with namespace {from}; its owner can, with the annotation {ANNOTATION_SHARED_WITH}"
        )));
    }
    let invalid = |message: String| Err(Refusal::new(Reason::Invalid, message));
    if policy.instance() != instance.name {
        return invalid(format!(
            "{path} is for GrafanaInstance {}, not for {}",
            policy.instances().join(", "),
            instance.name
        ));
    }
    if let Some(root) = policy.root() {
        return invalid(format!(
            "{path} is a branch; name the root of its tree, which may be {}",
            root.path()
        ));
    }
    let tree = policy.tree();
    if tree.is_default() {
        return invalid(format!(
            "{path} has the default tree, which alerts go through anyway; leave notificationSettings out"
        ));
    }
    let key = Key::Tree(context.claims.place(&instance.name), tree.clone());
    // The tree may be somebody else's, who had it first.
    if context.ahead(&key, &*policy).is_none() && is_its(&policy, &tree, instance) {
        return Ok(tree.0);
    }
    let conditions = policy.status.as_ref().map(|status| &*status.conditions);
    Err(not_yet(&format!("the tree of {path}"), conditions))
}

/// A tree of Grafana that is nobody's in its namespace's way.
fn by_name(name: &str, from: &str, context: &Context, instance: &Instance) -> Result<String, Refusal> {
    let tree = TreeName(name.to_owned());
    let key = Key::Tree(context.claims.place(&instance.name), tree.clone());
    if let Some(holder) = context.holder::<NotificationPolicy>(&key, instance)
        && holder.namespace != from
    {
        return Err(Refusal::invalid(
            "grafanaName",
            format!(
                "{name} belongs to NotificationPolicy {}; refer to it by name and namespace",
                holder.path()
            ),
        ));
    }
    let is_there = instance
        .mirror
        .read(|held| held.trees.before(&tree).present().is_some());
    if is_there {
        return Ok(tree.0);
    }
    Err(Refusal::missing(format!(
        "Grafana has no policy tree {name}; create it or correct grafanaName"
    )))
}

/// Whether Grafana's tree of this name is that of a root. While it is written, it is still there as it was.
fn is_its(root: &NotificationPolicy, name: &TreeName, instance: &Instance) -> bool {
    instance.mirror.read(|held| {
        let Lookup::Present(found) = held.trees.before(name) else {
            return false;
        };
        match marks::mark(&found.object) {
            Some(mark) => instance.owners.marks(mark, root.ns(), root.id()),
            // Somebody has taken the mark away.
            None => instance
                .memory()
                .is_ok_and(|memory| memory.read(|memory| memory.tree(name).was_ours)),
        }
    })
}
