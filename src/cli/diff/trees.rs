//! What becomes of policy trees, and whose part that is.

use std::collections::BTreeSet;

use super::meaning::{self, Meaning};
use super::sign::Sign;
use crate::controller::run::rehearsal::{Name, Performance};
use crate::domain::ownership::Owners;
use crate::domain::routing::difference::{self, Branch, Difference};
use crate::grafana::api::rehearsed::{Change, Concern};
use crate::grafana::model::Route;

/// The policy trees, with who has which part of them.
pub(super) struct Trees {
    changes: Vec<(Name, Sign, Vec<Difference>)>,
    meanings: Vec<(BTreeSet<Name>, Vec<Meaning>)>,
}

impl Trees {
    pub(super) fn of(performance: &Performance, owners: &Owners) -> Self {
        let mut trees = Self {
            changes: Vec::new(),
            meanings: Vec::new(),
        };
        for (root, outcome) in &performance.outcomes {
            for (_, tree) in outcome
                .touched
                .iter()
                .filter(|(concern, _)| *concern == Concern::Tree)
            {
                let change = performance.notes.tree(tree);
                trees.note(root, &change, owners, performance, tree);
            }
        }
        trees
    }

    fn note(
        &mut self,
        root: &Name,
        change: &Change<Route>,
        owners: &Owners,
        performance: &Performance,
        tree: &str,
    ) {
        let mut concerned = BTreeSet::new();
        let own = match (&change.before, &change.after) {
            (Some(before), Some(after)) => {
                let told = difference::tree(before, after);
                (!told.is_empty()).then_some((Sign::Change, told))
            }
            (None, Some(_)) => Some((Sign::Create, Vec::new())),
            (Some(_), None) => Some((Sign::Delete, Vec::new())),
            (None, None) => None,
        };
        if let Some((sign, told)) = own {
            concerned.insert(root.clone());
            self.changes.push((root.clone(), sign, told));
        }
        for (whose, branch) in difference::branches(change.before.as_ref(), change.after.as_ref()) {
            let Some((namespace, name)) = owners.resource(whose) else {
                continue;
            };
            let name = Name {
                kind: root.kind,
                namespace: namespace.to_owned(),
                name: name.to_owned(),
            };
            let (sign, told) = match branch {
                Branch::New => (Sign::Create, Vec::new()),
                Branch::Gone => (Sign::Delete, Vec::new()),
                Branch::Other(told) => (Sign::Change, told),
            };
            concerned.insert(name.clone());
            self.changes.push((name, sign, told));
        }
        let meanings = meaning::of(change, tree, performance);
        self.meanings.push((concerned, meanings));
    }

    pub(super) fn change(&self, name: &Name) -> Option<(Sign, Vec<Difference>)> {
        let found = self.changes.iter().find(|(own, ..)| own == name)?;
        Some((found.1, found.2.clone()))
    }

    pub(super) fn take_meaning(&mut self, name: &Name) -> Vec<Meaning> {
        let found = self
            .meanings
            .iter()
            .position(|(concerned, _)| concerned.contains(name));
        found.map_or_else(Vec::new, |at| self.meanings.swap_remove(at).1)
    }
}
