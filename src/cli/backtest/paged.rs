//! Who would have been told: by the policy trees as they stand in Grafana.

use std::collections::BTreeMap;

use crate::domain::lint::object::Object;
use crate::domain::routing::alert::{self, TREE};
use crate::domain::routing::trees::World;
use crate::domain::routing::walk::{Labels, Node};
use crate::domain::rule::evaluation::machine::State;
use crate::domain::rule::evaluation::past::{Firing, Past};
use crate::grafana::model::{AlertRule, NotificationSettings, Route, TreeName};

/// How many firings each contact point would have been told of; or why that isn't known.
pub(super) type Paged = Result<BTreeMap<String, usize>, String>;

/// Whose alerts they are.
pub(super) enum Whose<'a> {
    /// Of a resource.
    Written(&'a World<'a>, &'a Object),
    /// Of a rule in Grafana, in a folder of this title.
    Standing(&'a AlertRule, Option<&'a str>),
}

/// Takes each firing through the trees.
pub(super) fn paged(trees: &[(TreeName, Route)], whose: &Whose<'_>, past: &Past) -> Paged {
    let nodes: Vec<(&TreeName, Node<'_>)> = trees
        .iter()
        .map(|(name, route)| Ok((name, Node::of(route)?)))
        .collect::<Result<_, String>>()?;
    let mut counts = BTreeMap::new();
    for firing in &past.firings {
        let (labels, settings) = described(whose, firing)?;
        let own = settings.as_ref().map(|settings| settings.receiver.clone());
        let told = match own.filter(|receiver| !receiver.is_empty()) {
            Some(receiver) => vec![receiver],
            None => walked(&nodes, &labels)?,
        };
        for receiver in told {
            *counts.entry(receiver).or_default() += 1;
        }
    }
    Ok(counts)
}

fn walked(trees: &[(&TreeName, Node<'_>)], labels: &Labels) -> Result<Vec<String>, String> {
    let named = labels.get(TREE);
    let named = named.and_then(|name| trees.iter().find(|(tree, _)| tree.0 == *name));
    let tree = named.or_else(|| trees.iter().find(|(tree, _)| tree.is_default()));
    let (_, root) = tree.ok_or("Grafana shows no policy tree")?;
    let step = root.walk(labels).map_err(|untold| untold.to_string())?;
    let taken = step.taken();
    let last = taken.iter().filter_map(|way| way.last());
    Ok(last.map(|(_, step)| step.node.has.receiver.to_owned()).collect())
}

/// An alert's labels, and the contact point that its rule names.
fn described(whose: &Whose<'_>, firing: &Firing) -> Result<(Labels, Option<NotificationSettings>), String> {
    let (mut labels, settings) = match whose {
        Whose::Written(world, object) => {
            let alert = alert::of_rule(world, object, &firing.labels).map_err(|refusal| refusal.message)?;
            (alert.labels, alert.settings)
        }
        Whose::Standing(rule, folder) => {
            let mut labels = firing.labels.clone();
            labels.insert("alertname".to_owned(), rule.title.clone());
            labels.extend(folder.map(|folder| ("grafana_folder".to_owned(), folder.to_owned())));
            (labels, rule.notification_settings.clone())
        }
    };
    // No data and errors are alerts of Grafana's own.
    let name = match firing.of {
        State::NoData => "DatasourceNoData",
        State::Error => "DatasourceError",
        _ => return Ok((labels, settings)),
    };
    if let Some(title) = labels.insert("alertname".to_owned(), name.to_owned()) {
        labels.insert("rulename".to_owned(), title);
    }
    Ok((labels, settings))
}
