//! The walk itself: depth first, in the order of the routes, and no further than the first that takes the alert and doesn't continue.

use std::collections::BTreeMap;

use crate::api::matcher::{MatchOp, Matcher};
use crate::grafana::digest::{self, Inherited};
use crate::grafana::model::Route;

/// The labels of an alert.
pub type Labels = BTreeMap<String, String>;

/// A route that can be walked: its matchers are read, and what it leaves out is filled in from those above it.
#[derive(Debug)]
pub struct Node<'a> {
    /// The route as Grafana has it.
    pub route: &'a Route,
    /// All that an alert must match, in the order in which it is written.
    pub matchers: Vec<Matcher>,
    /// Contact point, grouping and times: its own, or those of the routes above.
    pub has: Inherited<'a>,
    /// What stands below it.
    pub routes: Vec<Node<'a>>,
}

impl<'a> Node<'a> {
    /// The tree with this root; or the matcher that can't be read.
    pub fn of(root: &'a Route) -> Result<Self, String> {
        Self::below(Inherited::DEFAULTS, root)
    }

    fn below(above: Inherited<'a>, route: &'a Route) -> Result<Self, String> {
        let has = above.overridden_by(route);
        let below = route.routes.iter().map(|child| Self::below(has, child));
        Ok(Self {
            route,
            matchers: matchers(route)?,
            has,
            routes: below.collect::<Result<_, _>>()?,
        })
    }

    /// Takes an alert with these labels through the tree.
    pub fn walk(&self, labels: &Labels) -> Result<Step<'_>, Untold> {
        for (at, matcher) in self.matchers.iter().enumerate() {
            match matcher.matches(labels) {
                Some(true) => {}
                Some(false) => return Ok(self.not_taken(Verdict::Missed(at))),
                None => return Err(Untold(matcher.to_string())),
            }
        }
        let mut below = Vec::new();
        let mut routes = self.routes.iter();
        let mut is_taken = false;
        for route in routes.by_ref() {
            let step = route.walk(labels)?;
            let takes = step.verdict.matches();
            below.push(step);
            is_taken |= takes;
            if takes && !route.route.r#continue {
                break;
            }
        }
        below.extend(routes.map(|route| route.not_taken(Verdict::NotReached)));
        let verdict = if is_taken { Verdict::Passes } else { Verdict::Takes };
        Ok(Step {
            node: self,
            verdict,
            below,
        })
    }

    /// The same with everything below it, to which the alert doesn't come.
    fn not_taken(&self, verdict: Verdict) -> Step<'_> {
        let below = self.routes.iter();
        Step {
            node: self,
            verdict,
            below: below.map(|route| route.not_taken(Verdict::NotReached)).collect(),
        }
    }
}

/// The matchers of a route, in the order in which they are written. Trees of resources have them in the newest form alone.
fn matchers(route: &Route) -> Result<Vec<Matcher>, String> {
    let has_older = !(route.matchers.is_empty() && route.r#match.is_empty() && route.match_re.is_empty());
    let all = if has_older {
        digest::matchers(route)
    } else {
        route.object_matchers.clone()
    };
    all.into_iter()
        .map(|(label, operator, value)| {
            let op = MatchOp::parse(&operator)
                .ok_or_else(|| format!("{operator:?} of {label} is no operator of matchers"))?;
            Matcher::new(label, op, value).map_err(|problem| problem.to_string())
        })
        .collect()
}

/// What becomes of an alert at a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It matches, and none below it does: its contact point is told.
    Takes,
    /// It matches, and so does one below it, which is told in its place.
    Passes,
    /// It doesn't match: this matcher is the first that doesn't hold.
    Missed(usize),
    /// The alert doesn't come to it: one before it keeps the alert, or one above doesn't match.
    NotReached,
}

impl Verdict {
    /// Whether the alert matches the route.
    pub const fn matches(self) -> bool {
        matches!(self, Self::Takes | Self::Passes)
    }
}

/// What became of an alert at a route, and at all below it.
#[derive(Debug)]
pub struct Step<'a> {
    /// The route.
    pub node: &'a Node<'a>,
    /// What became of the alert there.
    pub verdict: Verdict,
    /// The same of those below it.
    pub below: Vec<Step<'a>>,
}

impl<'a> Step<'a> {
    /// The routes to which the alert comes, whether they take it or not.
    pub fn reached(&self) -> Vec<&'a Node<'a>> {
        if self.verdict == Verdict::NotReached {
            return Vec::new();
        }
        let below = self.below.iter().flat_map(Self::reached);
        std::iter::once(self.node).chain(below).collect()
    }
}

impl Step<'_> {
    /// The routes that tell their contact points of the alert, in their order: each as the way to it from the root on, with its place among its
    /// siblings.
    pub fn taken(&self) -> Vec<Vec<(usize, &Self)>> {
        let mut all = Vec::new();
        self.collect(0, &mut Vec::new(), &mut all);
        all
    }

    fn collect<'s>(
        &'s self,
        at: usize,
        above: &mut Vec<(usize, &'s Self)>,
        all: &mut Vec<Vec<(usize, &'s Self)>>,
    ) {
        above.push((at, self));
        if self.verdict == Verdict::Takes {
            all.push(above.clone());
        }
        for (at, step) in self.below.iter().enumerate() {
            step.collect(at, above, all);
        }
        above.pop();
    }
}

/// A matcher of which it can't be told whether it holds: Grafana takes its regular expression, and here it can't be compiled.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "whether {0} matches can't be told here: its regular expression is too large, or one that Grafana alone understands"
)]
pub struct Untold(pub String);
