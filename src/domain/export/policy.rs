//! A policy tree → a NotificationPolicy.

use super::around::Around;
use super::named::matchers;
use super::resource::{Resource, Spec};
use crate::api::NotificationPolicySpec;
use crate::api::duration::Duration;
use crate::api::notification::policy;
use crate::domain::notification::interval::Interval;
use crate::domain::notification::policy::{count, tree};
use crate::domain::notification::receiver::Target;
use crate::domain::notification::tree::{Holder, is_mark, mark};
use crate::grafana::digest::{self, RouteDigest};
use crate::grafana::model::{Found, Route, TreeName};

/// What Grafana groups by where nothing is said.
const DEFAULT_GROUP_BY: [&str; 2] = ["grafana_folder", "alertname"];

/// What is lost of a root that groups by no label. A branch then groups as its root, there and here.
pub(super) const UNGROUPED: &str = "the root groups by no label; a NotificationPolicy without groupBy groups by grafana_folder and alertname";

/// Whether alertwright has made it.
pub(super) fn is_ours(found: &Route) -> bool {
    mark(found).is_some()
}

/// Whether nobody has made it.
pub(super) fn is_grafanas_own(name: &TreeName, found: &Found<Route>) -> bool {
    Holder::of(name, Some(found), |_| false, false) == Holder::Nobody
}

/// The resource of a tree, or why there can't be any.
pub(super) fn resource(
    called: &TreeName,
    found: &Found<Route>,
    name: &str,
    around: &Around<'_>,
) -> Result<Resource, String> {
    let mut there = found.object.clone();
    there.routes.retain(|route| !is_mark(route));
    let root = there.receiver.as_deref().unwrap_or_default();
    let (receiver, receiver_ref) = around.receiver(root);
    let is_usual = there.group_by == DEFAULT_GROUP_BY;
    let spec = NotificationPolicySpec {
        instance: around.asked.instance.clone(),
        tree: (!called.is_default()).then(|| called.0.clone()),
        receiver,
        receiver_ref,
        group_by: if is_usual {
            Vec::new()
        } else {
            there.group_by.clone()
        },
        group_wait: length(there.group_wait.as_deref()),
        group_interval: length(there.group_interval.as_deref()),
        repeat_interval: length(there.repeat_interval.as_deref()),
        routes: routes(&there.routes, root, around)?,
        ..NotificationPolicySpec::default()
    };
    let wish = tree(
        &spec,
        |target| {
            Ok(match target {
                Target::Grafana { name } => name.clone(),
                Target::ContactPoint { name, .. } => Around::called(&around.receivers, name)
                    .cloned()
                    .unwrap_or_default(),
            })
        },
        |interval| {
            Ok(match interval {
                Interval::Grafana { name } => name.clone(),
                Interval::Resource { name, .. } => Around::called(&around.intervals, name)
                    .cloned()
                    .unwrap_or_default(),
            })
        },
    );
    let wish = wish.map_err(|refusal| refusal.message)?;
    let mut lost = Vec::new();
    unknown(&there, "the root", &mut lost);
    let is_same = RouteDigest::of(&wish) == RouteDigest::of(&there);
    if there.group_by.is_empty() {
        lost.push(UNGROUPED.to_owned());
    }
    let routes = match count(&spec.routes) {
        1 => "1 route".to_owned(),
        many => format!("{many} routes"),
    };
    let resource = Resource {
        adopts: around.asked.adopts.then(|| "true".to_owned()),
        form: routes,
        changes: if is_same {
            Vec::new()
        } else {
            vec!["its routes".to_owned()]
        },
        lost,
        ..Resource::new(
            Spec::NotificationPolicy(Box::new(spec)),
            name,
            around.asked.namespace.as_deref(),
            if called.is_default() { "root" } else { &called.0 },
        )
    };
    resource.checked(&around.schemas)
}

/// A route names its contact point only where that isn't the one above.
fn routes(found: &[Route], above: &str, around: &Around<'_>) -> Result<Vec<policy::Route>, String> {
    let all = found.iter().map(|route| {
        let own = route
            .receiver
            .as_deref()
            .filter(|own| !own.is_empty())
            .unwrap_or(above);
        let (receiver, receiver_ref) = if own == above {
            (None, None)
        } else {
            around.receiver(own)
        };
        let (mute_time_intervals, mute_time_interval_refs) = around.intervals(&route.mute_time_intervals);
        let (active_time_intervals, active_time_interval_refs) =
            around.intervals(&route.active_time_intervals);
        let is_new = route.matchers.is_empty() && route.r#match.is_empty() && route.match_re.is_empty();
        let asked = if is_new {
            route.object_matchers.clone()
        } else {
            digest::matchers(route)
        };
        Ok(policy::Route {
            matchers: matchers(&asked)?,
            receiver,
            receiver_ref,
            continue_: route.r#continue.then_some(true),
            group_by: route.group_by.clone(),
            group_wait: length(route.group_wait.as_deref()),
            group_interval: length(route.group_interval.as_deref()),
            repeat_interval: length(route.repeat_interval.as_deref()),
            mute_time_intervals,
            mute_time_interval_refs,
            active_time_intervals,
            active_time_interval_refs,
            routes: routes(&route.routes, own, around)?,
        })
    });
    all.collect()
}

fn length(text: Option<&str>) -> Option<Duration> {
    text.filter(|text| !text.is_empty())
        .and_then(digest::duration)
        .map(Duration::from)
}

/// What a route says that no resource can.
fn unknown(route: &Route, place: &str, lost: &mut Vec<String>) {
    lost.extend(
        route
            .unknown
            .keys()
            .map(|field| format!("{field} of {place}: there is no field for it")),
    );
    for (i, below) in route.routes.iter().enumerate() {
        unknown(below, &format!("{place}, route {i}"), lost);
    }
}
