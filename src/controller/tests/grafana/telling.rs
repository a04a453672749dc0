//! Its watches of rules, contact points and trees, where a test has it tell of changes.

use futures::StreamExt;
use futures::channel::mpsc::{UnboundedSender, unbounded};

use super::{Double, refusal};
use crate::grafana::Result;
use crate::grafana::api::FoundRule;
use crate::grafana::api::watch::{Listed, Told};
use crate::grafana::model::{ContactPoint, Found, Route, TreeName};

/// What it tells of.
#[derive(Default)]
pub(in crate::controller::tests) struct Telling {
    pub(super) rules: Channel<FoundRule>,
    pub(super) contact_points: Channel<Found<ContactPoint>>,
    pub(in crate::controller::tests) trees: Channel<(TreeName, Found<Route>)>,
}

impl Telling {
    /// Whether lists go on from now on.
    pub(in crate::controller::tests) fn has_verb(&mut self, has_verb: bool) {
        self.rules.has_verb = has_verb;
        self.contact_points.has_verb = has_verb;
        self.trees.has_verb = has_verb;
    }

    /// Ends all watches by an error.
    pub(in crate::controller::tests) fn end(&mut self) {
        self.rules.end();
        self.contact_points.end();
        self.trees.end();
    }
}

/// The watch that went on from the last list.
pub(in crate::controller::tests) struct Channel<T> {
    pub(in crate::controller::tests) has_verb: bool,
    open: Option<UnboundedSender<Result<Told<T>>>>,
}

impl<T> Default for Channel<T> {
    fn default() -> Self {
        Self {
            has_verb: false,
            open: None,
        }
    }
}

impl<T: Send + 'static> Channel<T> {
    /// A list that goes on, if it does.
    pub(super) fn listed(&mut self, items: Vec<T>) -> Listed<T> {
        if !self.has_verb {
            return items.into();
        }
        let (open, watch) = unbounded();
        self.open = Some(open);
        self.tell(Ok(Told::Works));
        Listed {
            items,
            watch: Some(watch.boxed()),
        }
    }

    fn tell(&self, told: Result<Told<T>>) {
        let open = self.open.as_ref().expect("nothing was listed");
        open.unbounded_send(told).expect("nobody watches");
    }

    fn end(&mut self) {
        self.tell(Err(refusal("things.watch", 410, "too old resource version")));
        self.open = None;
    }
}

impl Double {
    /// Tells how a rule is now.
    pub(in crate::controller::tests) fn tell_rule(&self, uid: &str) {
        self.hold(|held| {
            let gone = Told::Gone(uid.to_owned());
            let told = held.found_rule(uid).map_or(gone, Told::There);
            held.telling.rules.tell(Ok(told));
        });
    }

    /// Tells how a contact point is now.
    pub(in crate::controller::tests) fn tell_contact_point(&self, name: &str) {
        self.hold(|held| {
            let gone = Told::Gone(name.to_owned());
            let told = held.shown(name).map_or(gone, Told::There);
            held.telling.contact_points.tell(Ok(told));
        });
    }

    /// Tells how the policy tree is now.
    pub(in crate::controller::tests) fn tell_tree(&self) {
        self.hold(|held| {
            let tree = held.tree().expect("a tree");
            held.telling
                .trees
                .tell(Ok(Told::There((TreeName::default(), tree))));
        });
    }
}
