//! Where an alert goes: who is told, by which route of which policy, and what became of it at each of the others.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::Serialize;

use super::alert::{Alert, TREE};
use super::clock::{self, Zones};
use super::inhibited::{Inhibited, Restraint, holding_back};
use super::silenced::{Quiet, Silenced, covering, perhaps_covering};
use super::trees::{Tree, World, path};
use super::walk::{Labels, Node, Step, Verdict};
use crate::api::matcher::Matcher;
use crate::domain::notification::branches;
use crate::domain::notification::tree::{self as marks, MARK};
use crate::domain::ownership::LABEL;
use crate::grafana::digest::Inherited;
use crate::grafana::model::{NotificationSettings, Route, TreeName};

/// What Grafana groups the alerts of a rule by that names a contact point itself and no labels, whatever the policy tree says
/// (`generateRouteFromSettings` in `pkg/services/ngalert/notifier/autogen_alertmanager.go`).
const GROUPED: [&str; 2] = ["grafana_folder", "alertname"];

/// The policy trees of one Grafana, ready to be walked.
pub struct Roads<'a> {
    world: &'a World<'a>,
    trees: Vec<(&'a Tree, Node<'a>)>,
    /// What there is of time intervals, by whether it is the time for each; `None` where that can't be told.
    times: BTreeMap<String, Option<bool>>,
    quiet: Vec<Quiet>,
    restraints: Vec<Restraint>,
}

/// Where an alert goes.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    /// What the alert is called: its rule, or the labels that were given.
    pub alert: String,
    /// The labels that it has, those aside that only tell rules from each other.
    pub labels: Labels,
    /// The policy tree that it goes through, as its resource; none where its rule names a contact point.
    pub tree: Option<Origin>,
    /// Who is told, in this order.
    pub contact_points: Vec<Told>,
    /// The Silences that cover it at that time.
    pub silenced: Vec<Silenced>,
    /// The InhibitionRules that hold it back while certain other alerts fire.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub inhibited: Vec<Inhibited>,
    /// What became of it at each route, from the root on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub routes: Option<Stop>,
    /// Labels whose values aren't known and which decide where it goes: routes on its way ask for them.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub unknown_labels: BTreeSet<String>,
    /// The same of Silences, which decide whether anybody is told.
    #[serde(skip)]
    unknown_to_silences: BTreeSet<String>,
}

/// Where something stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Origin {
    /// The resource.
    pub resource: String,
    /// The field in it.
    pub field: String,
}

/// Who is told of an alert.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Told {
    /// The contact point's name in Grafana.
    pub contact_point: String,
    /// The route that tells it.
    pub by: Origin,
    /// What it asks for, and before it those above it, the root aside.
    pub matchers: Vec<Vec<String>>,
    /// Labels whose values make a notification of their own.
    pub group_by: Vec<String>,
    /// How long is waited for further alerts of a new group.
    pub group_wait: String,
    /// How long is waited before news of a group are sent.
    pub group_interval: String,
    /// When a notification is repeated.
    pub repeat_interval: String,
    /// Time intervals in which nothing is sent.
    pub mute_time_intervals: Vec<String>,
    /// Time intervals outside of which nothing is sent.
    pub active_time_intervals: Vec<String>,
    /// Whether nothing is sent at that time, for these time intervals; `null` where that can't be told.
    pub is_muted: Option<bool>,
}

/// What became of an alert at one route.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Stop {
    /// The route.
    pub at: Origin,
    /// The namespace whose alerts alone it gets, where it is bound to one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// What it asks for.
    pub matchers: Vec<String>,
    /// Its contact point.
    pub contact_point: String,
    /// Whether alerts that it takes go on.
    pub continues: bool,
    /// What became of the alert there.
    pub verdict: Said,
    /// Why it doesn't match.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// The routes below it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub routes: Vec<Self>,
}

/// What became of an alert, in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Said {
    /// Its contact point is told.
    Takes,
    /// A route below it tells its own.
    Passes,
    /// It doesn't match.
    Misses,
    /// The alert doesn't come to it.
    NotReached,
}

impl<'a> Roads<'a> {
    /// The trees of a Grafana; or why one can't be walked.
    pub fn new(
        world: &'a World<'a>,
        trees: &'a [Tree],
        at: Timestamp,
        zones: Zones<'_>,
    ) -> Result<Self, String> {
        let nodes = trees.iter().map(|tree| Ok((tree, Node::of(&tree.route)?)));
        let intervals = world.intervals().into_iter();
        Ok(Self {
            world,
            trees: nodes.collect::<Result<_, String>>()?,
            times: intervals
                .map(|(name, interval)| (name, clock::is_time(&interval, at, zones)))
                .collect(),
            quiet: world.quiet(at),
            restraints: world.restraints(),
        })
    }

    /// Where an alert goes; or why that can't be told.
    pub fn answer(&self, alert: &Alert) -> Result<Answer, String> {
        if let Some(settings) = &alert.settings {
            return Ok(self.direct(alert, settings));
        }
        // Grafana puts the trees with a name before the default one, each for the alerts that carry it.
        let named = alert.labels.get(TREE);
        let named = named.and_then(|name| self.trees.iter().find(|(tree, _)| tree.name.0 == *name));
        let Some((tree, node)) = named.or_else(|| self.default_tree()) else {
            let elsewhere = self.world.instances_with_trees();
            let hint = if elsewhere.is_empty() {
                String::new()
            } else {
                format!("; there are trees of {}", elsewhere.join(", "))
            };
            return Err(format!(
                "no NotificationPolicy holds the policy tree of GrafanaInstance {}: what Grafana has there isn't known{hint}",
                self.world.instance
            ));
        };
        let step = node.walk(&alert.labels).map_err(|untold| untold.to_string())?;
        let taken = step.taken();
        let told = taken.iter().map(|way| self.told(tree, way));
        let routes = self.stop(tree, &[(0, &step)], &alert.labels);
        Ok(Answer {
            alert: alert.name.clone(),
            labels: shown(&alert.labels),
            tree: Some(origin_of_root(tree)),
            contact_points: told.collect(),
            silenced: covering(&self.quiet, &alert.labels),
            inhibited: holding_back(&self.restraints, &alert.labels),
            routes,
            unknown_labels: step
                .reached()
                .iter()
                .flat_map(|node| in_doubt(&node.matchers, alert))
                .collect(),
            unknown_to_silences: self.in_doubt(alert),
        })
    }

    /// The Silences that cover an alert at that time, wherever it goes.
    pub fn silenced(&self, alert: &Alert) -> Vec<Silenced> {
        covering(&self.quiet, &alert.labels)
    }

    /// Those that cover it if it has labels which aren't known, each with what it asks of those.
    pub fn perhaps_silenced(&self, alert: &Alert) -> Vec<(Silenced, String)> {
        perhaps_covering(&self.quiet, &alert.labels)
    }

    fn default_tree(&self) -> Option<&(&'a Tree, Node<'a>)> {
        self.trees
            .iter()
            .find(|(tree, _)| tree.name == TreeName::default())
    }

    /// The answer for a rule that names its contact point itself. What it doesn't say is as at the root of the default tree.
    fn direct(&self, alert: &Alert, settings: &NotificationSettings) -> Answer {
        let own = Route {
            receiver: Some(settings.receiver.clone()),
            group_by: if settings.group_by.is_empty() {
                GROUPED.map(str::to_owned).to_vec()
            } else {
                settings.group_by.clone()
            },
            group_wait: settings.group_wait.clone(),
            group_interval: settings.group_interval.clone(),
            repeat_interval: settings.repeat_interval.clone(),
            mute_time_intervals: settings.mute_time_intervals.clone(),
            active_time_intervals: settings.active_time_intervals.clone(),
            ..Route::default()
        };
        let above = self
            .default_tree()
            .map_or(Inherited::DEFAULTS, |(_, root)| root.has);
        let by = Origin {
            resource: format!("AlertRule {}", alert.name),
            field: "spec.notificationSettings".to_owned(),
        };
        Answer {
            alert: alert.name.clone(),
            labels: shown(&alert.labels),
            tree: None,
            contact_points: vec![self.at_route(by, Vec::new(), &own, above.overridden_by(&own))],
            silenced: covering(&self.quiet, &alert.labels),
            inhibited: holding_back(&self.restraints, &alert.labels),
            routes: None,
            unknown_labels: BTreeSet::new(),
            unknown_to_silences: self.in_doubt(alert),
        }
    }

    /// The labels of an alert that aren't known and that Silences ask for.
    fn in_doubt(&self, alert: &Alert) -> BTreeSet<String> {
        let all = self.quiet.iter().map(Quiet::matchers);
        all.flat_map(|matchers| in_doubt(matchers, alert)).collect()
    }

    fn told(&self, tree: &Tree, way: &[(usize, &Step<'_>)]) -> Told {
        let matchers = way.iter().skip(1).map(|(_, step)| texts(&step.node.matchers));
        let route = way.last().map_or(&tree.route, |(_, step)| step.node.route);
        let has = way.last().map_or(Inherited::DEFAULTS, |(_, step)| step.node.has);
        self.at_route(self.origin(tree, way), matchers.collect(), route, has)
    }

    /// Whether nothing is sent at that time: it is that of a muting interval, or of no active one where there are any.
    fn is_muted(&self, route: &Route) -> Option<bool> {
        let times = |names: &[String]| -> Vec<Option<bool>> {
            names
                .iter()
                .map(|name| self.times.get(name).copied().flatten())
                .collect()
        };
        let (mute, active) = (
            times(&route.mute_time_intervals),
            times(&route.active_time_intervals),
        );
        let is_inactive = !active.is_empty() && active.iter().all(|is_time| *is_time == Some(false));
        if mute.contains(&Some(true)) || is_inactive {
            return Some(true);
        }
        let is_known = !mute.contains(&None) && (active.is_empty() || active.contains(&Some(true)));
        is_known.then_some(false)
    }

    fn at_route(&self, by: Origin, matchers: Vec<Vec<String>>, route: &Route, has: Inherited<'_>) -> Told {
        Told {
            contact_point: has.receiver.to_owned(),
            by,
            matchers,
            group_by: has.group_by.to_vec(),
            group_wait: has.group_wait.to_owned(),
            group_interval: has.group_interval.to_owned(),
            repeat_interval: has.repeat_interval.to_owned(),
            mute_time_intervals: route.mute_time_intervals.clone(),
            active_time_intervals: route.active_time_intervals.clone(),
            is_muted: self.is_muted(route),
        }
    }

    /// What became of an alert at the end of a way, and at all below it; nothing at the mark of the tree, which is no route of anybody's.
    fn stop(&self, tree: &Tree, way: &[(usize, &Step<'_>)], labels: &Labels) -> Option<Stop> {
        let (_, step) = way.last()?;
        let node = step.node;
        if marks::is_mark(node.route) {
            return None;
        }
        let of_branch = self.branch(node.route);
        let bound = node.matchers.iter().any(|matcher| matcher.label == LABEL);
        let namespace = of_branch
            .filter(|_| bound)
            .map(|(namespace, _)| namespace.to_owned());
        let (verdict, why) = match step.verdict {
            Verdict::Takes => (Said::Takes, None),
            Verdict::Passes => (Said::Passes, None),
            Verdict::NotReached => (Said::NotReached, None),
            Verdict::Missed(at) => (
                Said::Misses,
                node.matchers.get(at).map(|matcher| why(matcher, labels)),
            ),
        };
        let below = step.below.iter().enumerate();
        Some(Stop {
            at: self.origin(tree, way),
            namespace,
            matchers: texts(&node.matchers),
            contact_point: node.has.receiver.to_owned(),
            continues: node.route.r#continue,
            verdict,
            why,
            routes: below
                .filter_map(|below| self.stop(tree, &[way, &[below]].concat(), labels))
                .collect(),
        })
    }

    /// The resource whose branch a route is.
    fn branch<'r>(&self, route: &'r Route) -> Option<(&'r str, &'r str)> {
        self.world.owners.resource(branches::mark(route)?)
    }

    /// The resource and the field that a route is written in.
    fn origin(&self, tree: &Tree, way: &[(usize, &Step<'_>)]) -> Origin {
        let Some((at, first)) = way.get(1) else {
            return origin_of_root(tree);
        };
        let indices = |steps: &[(usize, &Step<'_>)]| -> Vec<String> {
            steps.iter().map(|(at, _)| format!(".routes[{at}]")).collect()
        };
        let further = indices(way.get(2..).unwrap_or_default()).concat();
        if let Some((namespace, name)) = self.branch(first.node.route) {
            return Origin {
                resource: policy(namespace, name),
                field: format!("spec{further}"),
            };
        }
        let is_ours = |route: &&Route| marks::is_mark(route) || self.branch(route).is_some();
        let before = tree.route.routes.iter().take(*at).filter(is_ours).count();
        Origin {
            field: format!("spec.routes[{}]{further}", at - before),
            ..origin_of_root(tree)
        }
    }
}

impl Answer {
    /// The labels that aren't known and may make another answer of it; with `is_timed` also of what Silences cover at that time.
    pub fn unknown(&self, is_timed: bool) -> BTreeSet<&str> {
        let of_silences = self.unknown_to_silences.iter().filter(|_| is_timed);
        let all = self.unknown_labels.iter().chain(of_silences);
        all.map(String::as_str).collect()
    }

    /// The names of the contact points that routes lead to; with `is_timed` those that are told at that time, whatever is muted or silenced then aside.
    pub fn told(&self, is_timed: bool) -> BTreeSet<&str> {
        let told = self
            .contact_points
            .iter()
            .filter(|told| !is_timed || (told.is_muted != Some(true) && self.silenced.is_empty()));
        told.map(|told| told.contact_point.as_str()).collect()
    }
}

/// The labels of an alert that aren't known and decide whether it matches: what doesn't match whatever they are asks for none.
fn in_doubt(matchers: &[Matcher], alert: &Alert) -> Vec<String> {
    let (open, known): (Vec<&Matcher>, Vec<&Matcher>) = matchers
        .iter()
        .partition(|matcher| alert.unknown.contains(&matcher.label));
    let misses = |matcher: &&Matcher| matcher.matches(&alert.labels) == Some(false);
    if known.iter().any(misses) {
        return Vec::new();
    }
    open.into_iter().map(|matcher| matcher.label.clone()).collect()
}

fn policy(namespace: &str, name: &str) -> String {
    format!("NotificationPolicy {}", path(namespace, name))
}

fn origin_of_root(tree: &Tree) -> Origin {
    Origin {
        resource: policy(&tree.root.0, &tree.root.1),
        field: "spec".to_owned(),
    }
}

/// Matchers as people write them. What the operator adds to tell rules and branches from each other nobody has written.
fn texts(matchers: &[Matcher]) -> Vec<String> {
    let own = matchers
        .iter()
        .filter(|matcher| ![MARK, LABEL].contains(&matcher.label.as_str()));
    own.map(ToString::to_string).collect()
}

fn shown(labels: &Labels) -> Labels {
    let mut labels = labels.clone();
    labels.remove(LABEL);
    labels
}

/// Why a matcher doesn't hold.
fn why(matcher: &Matcher, labels: &Labels) -> String {
    if matcher.label == LABEL {
        return "the alert is of no rule of this namespace".to_owned();
    }
    match labels.get(&matcher.label) {
        Some(value) => format!("{} is {value:?}", matcher.label),
        None => format!("no label {}", matcher.label),
    }
}
