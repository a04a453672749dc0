//! What differs for a root with a tree of its own, beside the default one: not every Grafana has such, and rules name it.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::api::NotificationPolicy;
use crate::api::condition::Reason;
use crate::cluster::namespace;
use crate::controller::connection::Instance;
use crate::controller::context::Context;
use crate::controller::engine::by::{By, named};
use crate::controller::engine::failure::{Failure, Retry};
use crate::controller::engine::managed::Managed;
use crate::controller::notification::rule_tree;
use crate::controller::notification::users::{called, goes_with, rule_called, wishing};
use crate::domain::notification::policy;
use crate::grafana::api::FoundRule;
use crate::grafana::mirror::Part;
use crate::grafana::model::TreeName;

/// Most rules that are named.
const NAMED: usize = 3;

/// How soon a deletion that waits looks again by itself, though a poll that shows another rule tells it sooner.
const IN_USE: Duration = Duration::from_secs(10);

/// Fails where this Grafana has no tree but the default one, or none that can be reached.
pub(super) fn check(policy: &NotificationPolicy, instance: &Instance) -> Result<(), Failure> {
    let name = policy.tree();
    if name.is_default() {
        return Ok(());
    }
    let facts = instance.facts()?;
    policy::refuse_another_tree(facts.version, facts.toggles)?;
    reach(instance)
}

/// What a root can do that finds its tree taken, where this Grafana may have several. Which of its APIs is used may be another one tomorrow, and then nobody says
/// this anew.
pub(super) fn instead(instance: &Instance) -> &'static str {
    let has_several = instance
        .facts()
        .is_ok_and(|facts| facts.version.has_several_trees(facts.toggles));
    if has_several {
        "; this Grafana may have several where its newer API is used, as status.apis of the GrafanaInstance says: create this one anew with another name in spec.tree, which rules then name in notificationSettings.policyRef, or make it a branch of that one by parentRef"
    } else {
        "; make this one a branch of that one by parentRef"
    }
}

fn reach(instance: &Instance) -> Result<(), Failure> {
    rule_tree::reach("spec.tree", "For the default tree leave spec.tree out", instance)
}

/// What becomes of the tree of a root that is deleted.
pub(super) enum Parting {
    /// It goes; unless one from before takes its place, it waits for this.
    Goes(Option<Failure>),
    /// It was never there.
    WasNever,
    /// It stays, as nobody's: this says why.
    Stays(String),
}

/// Says what becomes of the tree of a root that is deleted.
pub(super) async fn part(
    policy: &NotificationPolicy,
    instance: &Instance,
    context: &Context,
) -> Result<Parting, Failure> {
    let name = policy.tree();
    if name.is_default() {
        return Ok(Parting::Goes(None));
    }
    if let Err(out_of_reach) = reach(instance) {
        let was_ours = instance
            .memory()
            .is_ok_and(|memory| memory.read(|memory| memory.tree(&name).was_ours));
        return if was_ours {
            Err(out_of_reach)
        } else {
            Ok(Parting::WasNever)
        };
    }
    // Whose alerts would have no tree isn't known before all rules have been read.
    instance.check(&[Part::Rules])?;
    let rules: Vec<FoundRule> = instance
        .mirror
        .read(|held| held.rules.with_tree(&name.0).cloned().collect());
    // Those that are to name it are given it again, so it stays for them too.
    let asking = [
        By::Tree(named(policy.ns(), policy.id())),
        by_name(&name, instance),
    ];
    let asking = wishing(policy, &asking, context);
    if rules.is_empty() && asking.is_empty() {
        return Ok(Parting::Goes(None));
    }
    let all = rules.iter().map(|rule| called(rule, instance));
    let all = all.chain(asking.iter().map(rule_called)).collect();
    let message = still_name(&all, &name);
    let goes_too = |rule: &FoundRule| goes_with(rule, policy.ns(), instance, context);
    // A namespace must never hang on what somebody else refers to. Its own rules go by themselves.
    if !rules.iter().any(goes_too) && namespace::is_terminating(&context.client, policy.ns()).await? {
        return Ok(if rules.is_empty() {
            Parting::Goes(None)
        } else {
            Parting::Stays(message)
        });
    }
    let in_use = Failure::new(Reason::InUse, message, Retry::After(IN_USE));
    Ok(Parting::Goes(Some(in_use)))
}

/// What those rules are found by that name the tree as Grafana does.
fn by_name(name: &TreeName, instance: &Instance) -> By {
    By::GrafanaTree {
        instance: instance.name.clone(),
        name: name.0.clone(),
    }
}

fn still_name(all: &BTreeSet<String>, name: &TreeName) -> String {
    let more = match all.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let verb = if all.len() == 1 { "names" } else { "name" };
    let named: Vec<_> = all.iter().take(NAMED).map(String::as_str).collect();
    format!("{}{more} still {verb} policy tree {}", named.join(", "), name.0)
}
