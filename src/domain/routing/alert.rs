//! The alert that is asked for: its labels, and what its rule says of them.

use std::collections::BTreeMap;

use super::trees::{World, path};
use super::walk::Labels;
use crate::api::alert_rule::{AlertRuleSpec, ExecErrState, NoDataState};
use crate::domain::lint::object::{Object, Typed};
use crate::domain::notification::settings::{self, Way};
use crate::domain::ownership::LABEL;
use crate::domain::refusal::Refusal;
use crate::domain::rule;
use crate::domain::silence::extent::OTHER_NAMES;
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

/// What Grafana calls the alert of a rule in a state in which its query gives nothing, or fails; nothing where it has none of its own.
pub fn in_state(spec: &AlertRuleSpec, state: Option<&str>) -> Option<&'static str> {
    let [no_data, error] = OTHER_NAMES;
    match state? {
        "NoData" => (spec.no_data_state == Some(NoDataState::NoData)).then_some(no_data),
        "Error" => matches!(spec.exec_err_state, None | Some(ExecErrState::Error)).then_some(error),
        _ => None,
    }
}

/// What Grafana adds to such an alert, which has the rule's title as another label.
fn of_state(rule: &AlertRuleSpec, title: &str, name: &str, labels: &mut Labels) {
    labels.insert("alertname".to_owned(), name.to_owned());
    labels.insert("rulename".to_owned(), title.to_owned());
    let source = rule.datasource.as_ref().and_then(|source| source.uid.clone());
    let asked = rule.query.as_ref().map(|_| "A".to_owned());
    for (label, value) in [("datasource_uid", source), ("ref_id", asked)] {
        if let Some(value) = value {
            labels.entry(label.to_owned()).or_insert(value);
        }
    }
}

/// The alert of a rule whose query gives these labels. Those of the rule count before them, as in Grafana; but where the name is one that Grafana
/// gives while the query returns nothing or fails, it is that alert.
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
    let title = rule::title(&rule.spec, name);
    let asked = given.get("alertname").map(String::as_str);
    match asked.filter(|asked| OTHER_NAMES.contains(asked)) {
        Some(asked) => of_state(&rule.spec, title, asked, &mut labels),
        None => {
            labels.insert("alertname".to_owned(), title.to_owned());
        }
    }
    let prefix = world.spec.and_then(|spec| spec.folder_prefix.as_deref());
    let folder = rule::folder_path(&rule.spec, namespace, prefix.unwrap_or_default());
    labels.extend(folder.map(|folder| ("grafana_folder".to_owned(), folder)));
    let way = if let Some(tree) = settings::tree(&rule.spec) {
        let name = world.named_tree(&tree, namespace);
        Some(Way::Tree(
            name.map_err(|refusal| settings::at_policy(&rule.spec, refusal))?,
        ))
    } else if let Some(target) = settings::target(&rule.spec) {
        let name = world.point(&target, namespace);
        Some(Way::Receiver(
            name.map_err(|refusal| settings::at_receiver(&rule.spec, refusal))?,
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
