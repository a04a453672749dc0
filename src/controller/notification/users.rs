//! Who refers to a contact point in Grafana, so that it can't go.

use std::collections::BTreeSet;
use std::sync::Arc;

use kube::runtime::reflector::ObjectRef;

use crate::api::{AlertRule, ContactPoint, NotificationPolicy};
use crate::controller::connection::Instance;
use crate::controller::context::Context;
use crate::controller::engine::by::{By, Named, named};
use crate::controller::engine::claim::Key;
use crate::controller::engine::managed::Managed;
use crate::domain::notification::branches;
use crate::grafana::api::FoundRule;
use crate::grafana::model::{Route, TreeName};

/// Most rules and other trees that are named.
const NAMED: usize = 3;

/// Who refers to the contact point of this name, as far as the mirror shows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Users {
    /// The default policy tree and those of ours beside it, by the resources that have what refers in them: their branches, and their roots.
    tree: Vec<String>,
    /// The resource whose tree it is to be in, though Grafana's tree doesn't have it now: somebody has changed that, or it waits.
    wished: Option<String>,
    /// Other trees, in order.
    others: Vec<String>,
    /// Rules that have it as their own contact point (from Grafana 10.4 on), in order.
    rules: Vec<String>,
    /// AlertRules that are to have it, though Grafana's don't have it now, in order.
    wishing: Vec<String>,
    /// Whether an AlertRule of its own namespace has it, which goes with the namespace.
    is_neighbours: bool,
}

impl Users {
    pub(super) fn of(object: &ContactPoint, instance: &Instance, context: &Context, name: &str) -> Self {
        let (trees, rules) = instance.mirror.read(|held| {
            let trees = held.trees.iter().filter(|(_, tree)| refers(&tree.object, name));
            let rules = held.rules.with_receiver(name);
            let rules: Vec<FoundRule> = rules.cloned().collect();
            (trees.map(|(name, _)| name.clone()).collect::<Vec<_>>(), rules)
        });
        let is_neighbours = rules
            .iter()
            .any(|rule| goes_with(rule, object.ns(), instance, context));
        let mut rules: Vec<_> = rules.iter().map(|rule| called(rule, instance)).collect();
        rules.sort();
        let wishing = wishing(object, &asked_for_by(object, instance, name), context);
        let mut wishing: Vec<_> = wishing.iter().map(rule_called).collect();
        wishing.retain(|rule| !rules.contains(rule));
        let mut tree = BTreeSet::new();
        let mut others = Vec::new();
        for called in trees {
            let root = root_called(&called, instance, context);
            let Some(root) = root.or_else(|| called.is_default().then(|| "Grafana's policy tree".to_owned()))
            else {
                others.push(format!("Grafana's policy tree {}", called.0));
                continue;
            };
            let all = in_tree(&called, instance, context, &|route| sends(route, name)).into_iter();
            tree.extend(all.map(|who| who.map_or_else(|| root.clone(), |who| policy_called(&who))));
        }
        others.sort();
        let tree: Vec<_> = tree.into_iter().collect();
        let wished = if tree.is_empty() {
            wished(object, instance, context, name)
        } else {
            None
        };
        Self {
            tree,
            wished,
            others,
            rules,
            wishing,
            is_neighbours,
        }
    }

    /// Whether there are any.
    pub(super) fn is_any(&self) -> bool {
        self.wished.is_some() || !self.wishing.is_empty() || self.are_in_grafana()
    }

    /// Whether there are any in Grafana.
    pub(super) fn are_in_grafana(&self) -> bool {
        !self.tree.is_empty() || !self.others.is_empty() || !self.rules.is_empty()
    }

    /// Whether it will be let go of by who goes with its namespace.
    pub(super) fn are_leaving(&self) -> bool {
        self.is_neighbours
    }

    /// Whether all that refers to it are trees that may be ours.
    pub(super) fn is_only_the_tree(&self) -> bool {
        self.others.is_empty() && self.rules.is_empty()
    }

    /// In words: who still refers to it.
    pub(super) fn still_refer(&self) -> String {
        let mut all: Vec<&str> = self.tree.iter().chain(&self.wished).map(String::as_str).collect();
        let rest = self.others.iter().chain(&self.rules).chain(&self.wishing);
        all.extend(rest.clone().take(NAMED).map(String::as_str));
        let more = rest.count().saturating_sub(NAMED);
        let count = all.len() + more;
        let others = if more > 0 {
            format!(" and {more} more")
        } else {
            String::new()
        };
        let verb = if count == 1 { "refers" } else { "refer" };
        format!("{}{others} still {verb}", all.join(", "))
    }
}

/// Whether a tree sends to a contact point of this name.
pub(super) fn refers(route: &Route, name: &str) -> bool {
    any(route, &|route| sends(route, name))
}

fn sends(route: &Route, name: &str) -> bool {
    route.receiver.as_deref() == Some(name)
}

/// Whether a route is itself muted or active in a time interval of this name.
pub(super) fn names_interval(route: &Route, name: &str) -> bool {
    let (mute, active) = (&route.mute_time_intervals, &route.active_time_intervals);
    mute.iter().chain(active).any(|interval| interval == name)
}

/// Whether something is so of a route, or of one below it.
pub(super) fn any(route: &Route, is_so: &dyn Fn(&Route) -> bool) -> bool {
    is_so(route) || route.routes.iter().any(|route| any(route, is_so))
}

/// What the root of Grafana's tree of this name is called, if it is a resource that holds that.
fn root_called(name: &TreeName, instance: &Instance, context: &Context) -> Option<String> {
    let key = Key::Tree(context.claims.place(&instance.name), name.clone());
    let holder = context.holder::<NotificationPolicy>(&key, instance)?;
    Some(format!("NotificationPolicy {}", holder.path()))
}

/// Who has the routes of Grafana's tree of this name of which something is so: the branches that do, and the root (`None`), which comes first, if
/// anything else does, or a branch that has no resource any more.
pub(super) fn in_tree(
    name: &TreeName,
    instance: &Instance,
    context: &Context,
    is_so: &dyn Fn(&Route) -> bool,
) -> Vec<Option<Named>> {
    let (mut branches, is_own) = instance.mirror.read(|held| {
        let Some(tree) = held.trees.lookup(name).present().map(|tree| &tree.object) else {
            return (BTreeSet::new(), false);
        };
        let mut is_own = is_so(tree);
        let mut branches = BTreeSet::new();
        for route in tree.routes.iter().filter(|route| any(route, is_so)) {
            let branch = branches::mark(route).and_then(|mark| instance.owners.resource(mark));
            is_own |= branch.is_none();
            branches.extend(branch.map(|(namespace, name)| named(namespace, name)));
        }
        (branches, is_own)
    });
    let count = branches.len();
    branches.retain(|branch| {
        let place = ObjectRef::new(&branch.name).within(&branch.namespace);
        context.stores.policies.get(&place).is_some()
    });
    let is_own = is_own || branches.len() < count;
    let root = is_own.then_some(None);
    root.into_iter().chain(branches.into_iter().map(Some)).collect()
}

/// The resource that asks for this contact point in the tree, and goes on to: its root, or one of its branches.
fn wished(object: &ContactPoint, instance: &Instance, context: &Context, name: &str) -> Option<String> {
    let asking = asking(object, &asked_for_by(object, instance, name), instance, context);
    asking.iter().min().map(policy_called)
}

/// What those are found by who ask for a contact point, or for the name that it has in Grafana.
fn asked_for_by(object: &ContactPoint, instance: &Instance, name: &str) -> [By; 2] {
    let by_name = By::GrafanaReceiver {
        instance: instance.name.clone(),
        name: name.to_owned(),
    };
    [By::Receiver(named(object.ns(), object.id())), by_name]
}

/// Those found by one of these who have a part in a tree of this Grafana, and go on to: its root, and its branches. Who may not name the object gets
/// it never, and isn't waited for.
pub(super) fn asking<K: Managed>(
    object: &K,
    by: &[By],
    instance: &Instance,
    context: &Context,
) -> Vec<Named> {
    let place = context.claims.place(&instance.name);
    let holds = |policy: &Arc<NotificationPolicy>| {
        let root = match policy.root() {
            Some(root) => {
                let at = ObjectRef::new(&root.name).within(&root.namespace);
                context.stores.policies.here(&at, policy.instance())
            }
            None => Some(policy.clone()),
        };
        root.is_some_and(|root| {
            let key = Key::Tree(place.clone(), root.tree());
            let holder = context.holder::<NotificationPolicy>(&key, instance);
            holder.is_some_and(|holder| {
                policy.instance() == holder.instance
                    && (holder.namespace.as_str(), holder.name.as_str()) == (root.ns(), root.id())
            })
        })
    };
    let mut asking: Vec<_> = by.iter().flat_map(|by| context.stores.policies.by(by)).collect();
    asking.retain(|policy| {
        !policy.is_deleting() && !policy.is_suspended() && may_be_named(object, policy.ns()) && holds(policy)
    });
    let asking = asking.iter().map(|policy| named(policy.ns(), policy.id()));
    asking.collect()
}

/// What a policy is called.
pub(super) fn policy_called(policy: &Named) -> String {
    format!("NotificationPolicy {}", policy.path())
}

/// The AlertRules found by one of these that ask for an object, may have it, and go on to ask, in order.
pub(super) fn wishing<K: Managed>(object: &K, by: &[By], context: &Context) -> Vec<Named> {
    let asking = by.iter().flat_map(|by| context.stores.rules.by(by));
    let goes_on = |rule: &Arc<AlertRule>| {
        rule.instance() == object.instance()
            && !rule.is_deleting()
            && !rule.is_suspended()
            && may_be_named(object, rule.ns())
    };
    let asking = asking
        .filter(goes_on)
        .map(|rule| named(rule.ns(), rule.id()))
        .collect::<BTreeSet<_>>();
    asking.into_iter().collect()
}

/// Under which uid Grafana has a rule, or would.
pub(super) fn rule_uid(rule: &AlertRule, instance: &Instance) -> String {
    let reported = rule.status.as_ref().and_then(|status| status.uid.clone());
    let known = rule.spec.uid.clone().or(reported);
    known.unwrap_or_else(|| instance.owners.now().rule_uid(rule.ns(), rule.id()))
}

/// Whether resources of a namespace may refer to an object.
fn may_be_named<K: Managed>(object: &K, from: &str) -> bool {
    object.ns() == from || object.is_shared_with(from)
}

/// Whether a rule is one of a resource that goes with a namespace.
pub(super) fn goes_with(rule: &FoundRule, namespace: &str, instance: &Instance, context: &Context) -> bool {
    resource(rule, instance).is_some_and(|(of, name)| {
        let resource = ObjectRef::new(name).within(of);
        of == namespace && context.stores.rules.get(&resource).is_some()
    })
}

/// What a rule is called by those who can change it.
pub(super) fn called(rule: &FoundRule, instance: &Instance) -> String {
    resource(rule, instance).map_or_else(
        || format!("Grafana's rule {:?} ({})", rule.title, rule.uid),
        |(namespace, name)| rule_called(&named(namespace, name)),
    )
}

/// What an AlertRule is called.
pub(super) fn rule_called(rule: &Named) -> String {
    format!("AlertRule {}", rule.path())
}

/// The resource that a rule carries the mark of, by namespace and name.
fn resource<'a>(rule: &'a FoundRule, instance: &'a Instance) -> Option<(&'a str, &'a str)> {
    let mark = rule.owner.as_deref()?;
    instance.owners.resource(mark)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_named_up_to_a_few() {
        let users = |tree: Option<&str>, rules: &[&str]| Users {
            tree: tree.map(str::to_owned).into_iter().collect(),
            wished: None,
            others: Vec::new(),
            rules: rules.iter().map(|rule| (*rule).to_owned()).collect(),
            wishing: Vec::new(),
            is_neighbours: false,
        };
        assert!(!Users::default().is_any());
        let wished = Users {
            wished: Some("NotificationPolicy ns/tree".to_owned()),
            ..Users::default()
        };
        assert!(wished.is_any() && !wished.are_in_grafana());
        assert_eq!(wished.still_refer(), "NotificationPolicy ns/tree still refers");
        let wishing = Users {
            wishing: vec!["AlertRule ns/a".to_owned()],
            ..Users::default()
        };
        assert!(wishing.is_any() && !wishing.are_in_grafana());
        assert_eq!(wishing.still_refer(), "AlertRule ns/a still refers");
        let tree = users(Some("NotificationPolicy ns/tree"), &[]);
        assert!(tree.is_any() && tree.is_only_the_tree());
        assert_eq!(tree.still_refer(), "NotificationPolicy ns/tree still refers");
        let both = users(Some("T"), &["a", "b"]);
        assert!(!both.is_only_the_tree());
        assert_eq!(both.still_refer(), "T, a, b still refer");
        let many = users(None, &["a", "b", "c", "d", "e"]);
        assert_eq!(many.still_refer(), "a, b, c and 2 more still refer");
        let beside = Users {
            others: vec!["T2".to_owned()],
            ..users(Some("T"), &["a", "b", "c"])
        };
        assert!(beside.is_any() && !beside.is_only_the_tree());
        assert_eq!(beside.still_refer(), "T, T2, a, b and 1 more still refer");
    }
}
