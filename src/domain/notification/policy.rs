//! NotificationPolicy → the policy tree that Grafana should hold, or a branch of it.

use std::collections::BTreeSet;

use super::interval::{self, Interval, Timings, named};
use super::receiver::{Target, at_receiver, target};
use super::timing::{grouping, period};
use super::tree::MARK;
use crate::api::condition::Reason;
use crate::api::matcher::{Matcher, MatcherText};
use crate::api::notification::policy::{MAX_DEPTH, NotificationPolicySpec, Route};
use crate::domain::ownership::LABEL;
use crate::domain::refusal::Refusal;
use crate::domain::version::Version;
use crate::grafana::model;
use crate::grafana::wire::Toggles;

/// What Grafana groups by where a root names nothing.
const DEFAULT_GROUP_BY: [&str; 2] = ["grafana_folder", "alertname"];

/// Every contact point that the tree refers to.
pub fn targets(spec: &NotificationPolicySpec) -> BTreeSet<Target> {
    fn walk(routes: &[Route], all: &mut BTreeSet<Target>) {
        for route in routes {
            all.extend(target(route.receiver.as_deref(), route.receiver_ref.as_ref()));
            walk(&route.routes, all);
        }
    }
    let mut all = BTreeSet::from_iter(target(spec.receiver.as_deref(), spec.receiver_ref.as_ref()));
    walk(&spec.routes, &mut all);
    all
}

/// Every time interval that a policy refers to.
pub fn intervals(spec: &NotificationPolicySpec) -> BTreeSet<Interval> {
    let mut all = BTreeSet::new();
    each_timing(spec, &mut |_, timings| all.extend(interval::all(timings)));
    all
}

/// Fails where a policy names time intervals outside of which nothing is sent and this Grafana has none: an older one doesn't heed them, so the route
/// would always be active.
pub fn refuse_what_is_too_new(spec: &NotificationPolicySpec, version: Version) -> Result<(), Refusal> {
    if version >= Version::ACTIVE_INTERVALS {
        return Ok(());
    }
    let mut first = None;
    each_timing(spec, &mut |place, timings| {
        if let Some(field) = interval::field_of_active(timings) {
            first.get_or_insert_with(|| format!("{place}.{field}"));
        }
    });
    first.map_or(Ok(()), |field| Err(interval::too_new(&field, version)))
}

/// Fails where this Grafana has no policy tree beside the default one, which a root asks for.
pub fn refuse_another_tree(version: Version, toggles: Toggles) -> Result<(), Refusal> {
    if version.has_several_trees(toggles) {
        return Ok(());
    }
    let toggle = if version >= Version::SEVERAL_TREES_BY_TOGGLE {
        "turn on its feature toggle alertingMultiplePolicies, "
    } else {
        ""
    };
    Err(Refusal::new(
        Reason::Unsupported,
        format!(
            "spec.tree: Grafana {version} has one policy tree, several since {}; {toggle}upgrade, or leave spec.tree out for the default tree",
            Version::SEVERAL_TREES
        ),
    ))
}

/// The time intervals that a route names.
fn timings(route: &Route) -> Timings<'_> {
    interval::timings(
        (&route.mute_time_intervals, &route.mute_time_interval_refs),
        (&route.active_time_intervals, &route.active_time_interval_refs),
    )
}

/// The same of a branch itself.
fn own_timings(spec: &NotificationPolicySpec) -> Timings<'_> {
    interval::timings(
        (&spec.mute_time_intervals, &spec.mute_time_interval_refs),
        (&spec.active_time_intervals, &spec.active_time_interval_refs),
    )
}

/// Shows the time intervals of a policy, those of each route with its place.
fn each_timing(spec: &NotificationPolicySpec, show: &mut dyn FnMut(&str, &Timings)) {
    fn walk(routes: &[Route], parent: &str, show: &mut dyn FnMut(&str, &Timings)) {
        for (i, route) in routes.iter().enumerate() {
            let place = format!("{parent}.routes[{i}]");
            show(&place, &timings(route));
            walk(&route.routes, &place, show);
        }
    }
    show("spec", &own_timings(spec));
    walk(&spec.routes, "spec", show);
}

/// How many routes the tree has, nested ones included.
pub fn count(routes: &[Route]) -> usize {
    routes.iter().map(|route| 1 + count(&route.routes)).sum()
}

/// Works out the tree. `name_of` gives a contact point's name in Grafana, and `interval_of` a time interval's, or says why it can't be used.
pub fn tree(
    spec: &NotificationPolicySpec,
    mut name_of: impl FnMut(&Target) -> Result<String, Refusal>,
    mut interval_of: impl FnMut(&Interval) -> Result<String, Refusal>,
) -> Result<model::Route, Refusal> {
    checked(&spec.routes, "spec", MAX_DEPTH)?;
    let receiver = receiver(spec, &mut name_of)?;
    let group_by = if spec.group_by.is_empty() {
        DEFAULT_GROUP_BY.map(str::to_owned).to_vec()
    } else {
        grouping(&spec.group_by, "spec")?
    };
    Ok(model::Route {
        group_by,
        ..top(spec, receiver, &mut name_of, &mut interval_of)?
    })
}

/// Works out what a branch adds to the tree of its root: one route with everything below it, for alerts that match the ownership
/// pattern alone where there is one. It carries no mark yet.
pub fn branch(
    spec: &NotificationPolicySpec,
    tenant: Option<&str>,
    mut name_of: impl FnMut(&Target) -> Result<String, Refusal>,
    mut interval_of: impl FnMut(&Interval) -> Result<String, Refusal>,
) -> Result<model::Route, Refusal> {
    named("spec", own_timings(spec), &mut |_| Ok(String::new()))?;
    checked(&spec.routes, "spec", MAX_DEPTH)?;
    let receiver = receiver(spec, &mut name_of)?;
    let mut object_matchers =
        Vec::from_iter(tenant.map(|pattern| model::object_matcher(LABEL, "=~", pattern)));
    object_matchers.extend(matchers(&spec.matchers, "spec")?);
    let [mute_time_intervals, active_time_intervals] = named("spec", own_timings(spec), &mut interval_of)?;
    Ok(model::Route {
        object_matchers,
        mute_time_intervals,
        active_time_intervals,
        r#continue: !spec.exclusive.unwrap_or(false),
        group_by: grouping(&spec.group_by, "spec")?,
        ..top(spec, receiver, &mut name_of, &mut interval_of)?
    })
}

/// The contact point of the specification itself.
fn receiver(
    spec: &NotificationPolicySpec,
    name_of: &mut dyn FnMut(&Target) -> Result<String, Refusal>,
) -> Result<String, Refusal> {
    let target = target(spec.receiver.as_deref(), spec.receiver_ref.as_ref())
        .ok_or_else(|| Refusal::invalid("spec.receiver", "give receiver or receiverRef"))?;
    name_of(&target).map_err(|refusal| at_receiver(refusal, "spec", spec.receiver.is_some()))
}

/// What a root and a branch say alike.
fn top(
    spec: &NotificationPolicySpec,
    receiver: String,
    name_of: &mut dyn FnMut(&Target) -> Result<String, Refusal>,
    interval_of: &mut dyn FnMut(&Interval) -> Result<String, Refusal>,
) -> Result<model::Route, Refusal> {
    Ok(model::Route {
        routes: routes(&spec.routes, "spec", &receiver, name_of, interval_of)?,
        receiver: Some(receiver),
        group_wait: period(spec.group_wait.as_ref(), "spec.groupWait", true)?,
        group_interval: period(spec.group_interval.as_ref(), "spec.groupInterval", false)?,
        repeat_interval: period(spec.repeat_interval.as_ref(), "spec.repeatInterval", false)?,
        ..model::Route::default()
    })
}

/// Fails where a route can't be what it says. An API server can't afford to look for that in a whole tree, and nothing that is wrong in
/// itself shall wait for contact points.
fn checked(routes: &[Route], parent: &str, levels: usize) -> Result<(), Refusal> {
    for (i, route) in routes.iter().enumerate() {
        let field = format!("{parent}.routes[{i}]");
        if levels == 0 {
            return Err(Refusal::invalid(
                &field,
                format!("routes can be nested {MAX_DEPTH} levels deep; this one is deeper"),
            ));
        }
        if route.receiver.is_some() && route.receiver_ref.is_some() {
            return Err(Refusal::invalid(&field, "give receiver or receiverRef, not both"));
        }
        if let Some(reference) = &route.receiver_ref {
            let field = format!("{field}.receiverRef");
            if reference.name.is_some() == reference.grafana_name.is_some() {
                return Err(Refusal::invalid(
                    &field,
                    "give exactly one of name and grafanaName",
                ));
            }
            if reference.namespace.is_some() && reference.name.is_none() {
                return Err(Refusal::invalid(&field, "namespace goes with name"));
            }
        }
        named(&field, timings(route), &mut |_| Ok(String::new()))?;
        matchers(&route.matchers, &field)?;
        checked(&route.routes, &field, levels - 1)?;
    }
    Ok(())
}

/// A receiver is written at every route, since Grafana 10.0 refuses a route without one.
fn routes(
    routes_: &[Route],
    parent: &str,
    inherited: &str,
    name_of: &mut dyn FnMut(&Target) -> Result<String, Refusal>,
    interval_of: &mut dyn FnMut(&Interval) -> Result<String, Refusal>,
) -> Result<Vec<model::Route>, Refusal> {
    routes_
        .iter()
        .enumerate()
        .map(|(i, route)| {
            let field = format!("{parent}.routes[{i}]");
            let receiver = match target(route.receiver.as_deref(), route.receiver_ref.as_ref()) {
                None => inherited.to_owned(),
                Some(target) => name_of(&target)
                    .map_err(|refusal| at_receiver(refusal, &field, route.receiver.is_some()))?,
            };
            let [mute_time_intervals, active_time_intervals] = named(&field, timings(route), interval_of)?;
            Ok(model::Route {
                routes: routes(&route.routes, &field, &receiver, name_of, interval_of)?,
                receiver: Some(receiver),
                object_matchers: matchers(&route.matchers, &field)?,
                r#continue: route.continue_.unwrap_or(false),
                group_by: grouping(&route.group_by, &field)?,
                group_wait: period(route.group_wait.as_ref(), &format!("{field}.groupWait"), true)?,
                group_interval: period(
                    route.group_interval.as_ref(),
                    &format!("{field}.groupInterval"),
                    false,
                )?,
                repeat_interval: period(
                    route.repeat_interval.as_ref(),
                    &format!("{field}.repeatInterval"),
                    false,
                )?,
                mute_time_intervals,
                active_time_intervals,
                ..model::Route::default()
            })
        })
        .collect()
}

fn matchers(texts: &[MatcherText], field: &str) -> Result<Vec<model::ObjectMatcher>, Refusal> {
    texts
        .iter()
        .enumerate()
        .map(|(i, text)| {
            let matcher = Matcher::parse(text.as_str())
                .map_err(|e| Refusal::invalid(&format!("{field}.matchers[{i}]"), e))?;
            if matcher.label == MARK {
                return Err(Refusal::invalid(
                    &format!("{field}.matchers[{i}]"),
                    format!("{MARK} is the operator's own label"),
                ));
            }
            Ok(model::object_matcher(
                &matcher.label,
                matcher.op.as_str(),
                &matcher.value,
            ))
        })
        .collect()
}

/// The same tree without a contact point: the parent's takes its place, and `otherwise` at the root.
pub fn without(tree: &model::Route, name: &str, otherwise: &str) -> model::Route {
    let own = tree.receiver.as_deref().filter(|receiver| *receiver != name);
    let receiver = own.unwrap_or(otherwise);
    model::Route {
        receiver: Some(receiver.to_owned()),
        routes: tree
            .routes
            .iter()
            .map(|route| without(route, name, receiver))
            .collect(),
        ..tree.clone()
    }
}

#[cfg(test)]
#[path = "policy_tests.rs"]
mod tests;
