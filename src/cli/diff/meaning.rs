//! What a change of routes means for the alerts of the rules that are there, by an Alertmanager's walk over the tree before and after.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::controller::run::rehearsal::Performance;
use crate::domain::routing::alert::TREE;
use crate::domain::routing::walk::{Labels, Node};
use crate::grafana::api::OWNER_LABEL;
use crate::grafana::api::rehearsed::Change;
use crate::grafana::model::{AlertRule, Route, TreeName};

/// Labels that tell rules from each other, and aren't told.
const OWN: [&str; 3] = ["alertname", "grafana_folder", OWNER_LABEL];

/// Where the alerts of some rules go.
#[derive(Debug, Serialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub(super) struct Meaning {
    /// What the rules have in common.
    pub(super) labels: Labels,
    /// How many rules these are.
    pub(super) rules: usize,
    /// Who is told now.
    pub(super) before: Vec<String>,
    /// Who would be.
    pub(super) after: Vec<String>,
}

/// What a change of this tree means. Of what can't be walked nothing is said.
pub(super) fn of(change: &Change<Route>, tree: &str, performance: &Performance) -> Vec<Meaning> {
    let (Some(before), Some(after)) = (&change.before, &change.after) else {
        return Vec::new();
    };
    let (Ok(old), Ok(new)) = (Node::of(before), Node::of(after)) else {
        return Vec::new();
    };
    let mut all: BTreeMap<(Labels, Vec<String>, Vec<String>), usize> = BTreeMap::new();
    for rule in performance.notes.rules() {
        let Some(labels) = labels(&rule, tree, &|uid| performance.folder(uid)) else {
            continue;
        };
        let (Some(was), Some(is)) = (told(&old, &labels), told(&new, &labels)) else {
            continue;
        };
        if was != is {
            let mut shown = labels;
            shown.retain(|name, _| !OWN.contains(&name.as_str()) && name != TREE);
            *all.entry((shown, was, is)).or_default() += 1;
        }
    }
    all.into_iter()
        .map(|((labels, before, after), rules)| Meaning {
            labels,
            rules,
            before,
            after,
        })
        .collect()
}

/// What a change of a rule means for its own alerts. Of one that is new or goes nothing is said.
pub(super) fn of_rule(change: &Change<AlertRule>, performance: &Performance) -> Option<Meaning> {
    let (before, after) = (change.before.as_ref()?, change.after.as_ref()?);
    let folder = |uid: &str| performance.folder(uid);
    let tree = |name: &str| performance.notes.tree(name);
    let was = told_of(before, &folder, |name| tree(name).before)?;
    let is = told_of(after, &folder, |name| tree(name).after)?;
    meant(after, was, is)
}

fn meant(after: &AlertRule, was: Vec<String>, is: Vec<String>) -> Option<Meaning> {
    if was == is {
        return None;
    }
    let shown = after
        .labels
        .iter()
        .filter(|(name, _)| !OWN.contains(&name.as_str()));
    Some(Meaning {
        labels: shown.map(|(name, value)| (name.clone(), value.clone())).collect(),
        rules: 1,
        before: was,
        after: is,
    })
}

/// Who is told of the alerts of a rule, by its tree as it is then.
fn told_of(
    rule: &AlertRule,
    folder: &dyn Fn(&str) -> Option<String>,
    tree_of: impl Fn(&str) -> Option<Route>,
) -> Option<Vec<String>> {
    let settings = rule.notification_settings.as_ref();
    if let Some(direct) = settings.filter(|settings| !settings.receiver.is_empty()) {
        return Some(vec![direct.receiver.clone()]);
    }
    let named = settings.and_then(|settings| settings.policy.clone());
    let named = named.or_else(|| rule.labels.get(TREE).cloned());
    let tree = named.as_deref().unwrap_or(TreeName::DEFAULT);
    let labels = labels(rule, tree, folder)?;
    let route = tree_of(tree)?;
    told(&Node::of(&route).ok()?, &labels)
}

/// The labels that all alerts of a rule have, if they go through this tree.
fn labels(rule: &AlertRule, tree: &str, folder: &dyn Fn(&str) -> Option<String>) -> Option<Labels> {
    let settings = rule.notification_settings.as_ref();
    let own = settings.and_then(|settings| settings.policy.clone());
    let is_direct = settings.is_some_and(|settings| !settings.receiver.is_empty());
    let named = own.or_else(|| rule.labels.get(TREE).cloned());
    let goes = named.as_deref().unwrap_or(TreeName::DEFAULT);
    if rule.record.is_some() || is_direct || goes != tree {
        return None;
    }
    let known = rule.labels.iter().filter(|(_, value)| !value.contains("{{"));
    let mut labels: Labels = known.map(|(name, value)| (name.clone(), value.clone())).collect();
    labels.insert("alertname".to_owned(), rule.title.clone());
    if let Some(folder) = folder(&rule.folder_uid) {
        labels.insert("grafana_folder".to_owned(), folder);
    }
    Some(labels)
}

/// Who is told, in order, each once.
fn told(tree: &Node<'_>, labels: &Labels) -> Option<Vec<String>> {
    let step = tree.walk(labels).ok()?;
    let mut all: Vec<String> = Vec::new();
    for way in step.taken() {
        if let Some((_, last)) = way.last() {
            let name = last.node.has.receiver.to_owned();
            if !all.contains(&name) {
                all.push(name);
            }
        }
    }
    Some(all)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_rule_whose_labels_lead_elsewhere_is_told_with_who_is_told_instead() {
        let tree = json!({"receiver": "mail", "routes": [{"receiver": "pager", "object_matchers": [["severity", "=", "critical"]]}]});
        let tree: Route = serde_json::from_value(tree).unwrap();
        let rule = |severity: &str| AlertRule {
            labels: BTreeMap::from([("severity".to_owned(), severity.to_owned())]),
            ..AlertRule::default()
        };
        let told = |rule: &AlertRule| told_of(rule, &|_| None, |_| Some(tree.clone()));
        let of = |before: &str, after: &str| {
            let after = rule(after);
            meant(&after, told(&rule(before)).unwrap(), told(&after).unwrap())
        };
        let meaning = of("critical", "info").unwrap();
        assert_eq!(
            (meaning.before, meaning.after),
            (vec!["pager".to_owned()], vec!["mail".to_owned()])
        );
        assert_eq!(of("low", "info"), None);
    }
}
