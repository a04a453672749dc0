//! The alert that is asked for: its labels, and what its rule says of them.

use std::collections::BTreeMap;

use super::trees::{World, path};
use super::walk::Labels;
use crate::domain::lint::object::{Object, Typed};
use crate::domain::notification::settings::{self, Way};
use crate::domain::ownership::LABEL;
use crate::domain::refusal::Refusal;
use crate::domain::rule;
use crate::grafana::model::NotificationSettings;

/// The label of Grafana's own by which an alert goes through a policy tree beside the default one.
pub const TREE: &str = "__grafana_managed_route__";

/// An alert.
#[derive(Debug, Clone, PartialEq)]
pub struct Alert {
    /// What it is called in what is printed: its rule, or the labels that were given.
    pub name: String,
    /// All of its labels, those of Grafana's and the operator's own included.
    pub labels: Labels,
    /// The contact point that its rule names, past the policy tree.
    pub settings: Option<NotificationSettings>,
    /// Labels of the rule whose values aren't known before it fires.
    pub unknown: Vec<String>,
}

/// An alert with these labels, of some rule of this namespace; of none that is a resource where there is none.
pub fn of_labels(world: &World<'_>, given: &Labels, namespace: Option<&str>) -> Alert {
    let mut labels = given.clone();
    if let Some(namespace) = namespace {
        let rule = given.get("alertname").map_or("-", String::as_str);
        let mark = || world.owners.now().label(namespace, rule);
        labels.entry(LABEL.to_owned()).or_insert_with(mark);
    }
    let texts: Vec<String> = given
        .iter()
        .map(|(label, value)| format!("{label}={value}"))
        .collect();
    Alert {
        name: texts.join(" "),
        labels,
        settings: None,
        unknown: Vec::new(),
    }
}

/// The alert of a rule whose query gives these labels. Those of the rule count before them, as in Grafana.
pub fn of_rule(world: &World<'_>, object: &Object, given: &Labels) -> Result<Alert, Refusal> {
    let Some(Typed::AlertRule(rule)) = &object.typed else {
        return Err(Refusal::invalid("spec", "it can't be read; check says why"));
    };
    let (namespace, name) = (object.namespace.as_str(), object.name.as_str());
    if rule.spec.record.is_some() {
        return Err(Refusal::invalid("spec.record", "a recording rule has no alerts"));
    }
    let none = BTreeMap::new();
    let of_instance = world.spec.map_or(&none, |spec| &spec.labels);
    let own = rule::labels(&rule.spec, world.owners.now(), (namespace, name), of_instance)?;
    let (unknown, known): (Labels, Labels) = own.into_iter().partition(|(_, value)| value.contains("{{"));
    let mut labels = given.clone();
    labels.extend(known);
    labels.insert("alertname".to_owned(), rule::title(&rule.spec, name).to_owned());
    let prefix = world.spec.and_then(|spec| spec.folder_prefix.as_deref());
    let folder = rule::folder_path(&rule.spec, namespace, prefix.unwrap_or_default());
    labels.extend(folder.map(|folder| ("grafana_folder".to_owned(), folder)));
    let way = if let Some(tree) = settings::tree(&rule.spec) {
        let name = world.named_tree(&tree, namespace);
        Some(Way::Tree(
            name.map_err(|refusal| settings::at_policy(&rule.spec, &refusal))?,
        ))
    } else if let Some(target) = settings::target(&rule.spec) {
        let name = world.point(&target, namespace);
        Some(Way::Receiver(
            name.map_err(|refusal| settings::at_receiver(&rule.spec, &refusal))?,
        ))
    } else {
        None
    };
    let settings = settings::settings(&rule.spec, way, |interval| world.interval(interval, namespace))?;
    if let Some(tree) = settings.as_ref().and_then(|settings| settings.policy.clone()) {
        labels.insert(TREE.to_owned(), tree);
    }
    Ok(Alert {
        name: path(namespace, name),
        unknown: unknown
            .into_keys()
            .filter(|label| !labels.contains_key(label))
            .collect(),
        labels,
        settings: settings.filter(|settings| !settings.receiver.is_empty()),
    })
}
