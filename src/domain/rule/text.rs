//! The annotations and labels of a rule.

use std::collections::BTreeMap;

use super::data::Data;
use super::surroundings::Surroundings;
use super::template;
use crate::api::alert_rule::{AlertRuleSpec, DebugQuery};
use crate::domain::ownership::LABEL;
use crate::domain::refusal::Refusal;
use crate::domain::version::links;

/// The annotations that link a panel.
const DASHBOARD: &str = "__dashboardUid__";
/// See above.
const PANEL: &str = "__panelId__";

/// Grafana refuses one without the other, and a panel that is no number; before 11.4 with a fault of the server's.
fn refuse_half_a_link(annotations: &BTreeMap<String, String>) -> Result<(), Refusal> {
    let refuse = |key: &str, problem: &str| {
        Err(Refusal::invalid(
            &format!("spec.annotations[{key}]"),
            format!("{problem}; spec.panelRef writes both"),
        ))
    };
    match (annotations.get(DASHBOARD), annotations.get(PANEL)) {
        (Some(_), None) => refuse(DASHBOARD, "needs __panelId__ beside it"),
        (None, Some(_)) => refuse(PANEL, "needs __dashboardUid__ beside it"),
        (Some(_), Some(panel)) if panel.parse::<i64>().is_err() => {
            refuse(PANEL, "must be the panel's number")
        }
        _ => Ok(()),
    }
}

/// The annotations: the specification's, with those of its panel and its debug queries.
pub(super) fn annotations(
    spec: &AlertRuleSpec,
    around: &Surroundings<'_>,
    data: &Data,
    warnings: &mut Vec<String>,
) -> Result<BTreeMap<String, String>, Refusal> {
    let mut annotations = BTreeMap::new();
    for (key, text) in &spec.annotations {
        let field = format!("spec.annotations[{key}]");
        annotations.insert(key.clone(), template(&field, text, data, warnings)?);
    }
    if let Some(panel) = &spec.panel_ref {
        for key in [DASHBOARD, PANEL] {
            if annotations.contains_key(key) {
                return Err(Refusal::invalid(
                    &format!("spec.annotations[{key}]"),
                    "is given in spec.panelRef too; keep one of the two",
                ));
            }
        }
        annotations.insert(DASHBOARD.into(), panel.dashboard_uid.clone());
        annotations.insert(PANEL.into(), panel.panel_id.to_string());
    }
    refuse_half_a_link(&annotations)?;
    if let Some(source) = around.source {
        for (i, query) in spec.debug_queries.iter().enumerate() {
            let key = annotation_key(query);
            if annotations.contains_key(&key) {
                return Err(Refusal::invalid(
                    &format!("spec.debugQueries[{i}].name"),
                    format!("makes the annotation {key}, which there is already; choose another name"),
                ));
            }
            annotations.insert(key, links::explore(around.external_url, source, &query.query));
        }
    }
    Ok(annotations)
}

/// `debug_` and the query's name, in the letters that an annotation's name may have.
fn annotation_key(query: &DebugQuery) -> String {
    let name: String = query
        .name
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() {
                c.to_ascii_lowercase()
            } else {
                '_'
            }
        })
        .collect();
    format!("debug_{name}")
}

/// A text as Grafana has to get it, so that the value in it means the number. Texts of `data` are left as they are.
fn template(field: &str, text: &str, data: &Data, warnings: &mut Vec<String>) -> Result<String, Refusal> {
    let rewritten = if let Some(value) = data.value {
        let rewritten = template::rewrite(text, value).map_err(|e| Refusal::invalid(field, e))?;
        rewritten.into_owned()
    } else {
        let mistake = template::check(text).err();
        warnings
            .extend(mistake.map(|e| format!("{field}: {e}. Grafana shows the whole text as it is written")));
        text.to_owned()
    };
    warnings.extend(
        template::unknown(text)
            .iter()
            .map(|unknown| format!("{field}: {unknown}")),
    );
    Ok(rewritten)
}

/// The labels: the instance's, then the specification's, and before all the one that says whose the rule is.
pub(super) fn labels(
    spec: &AlertRuleSpec,
    around: &Surroundings<'_>,
    data: &Data,
    warnings: &mut Vec<String>,
) -> Result<BTreeMap<String, String>, Refusal> {
    let severity = spec
        .severity
        .as_ref()
        .map(|text| ("spec.severity".to_owned(), "severity", text));
    let own = spec
        .labels
        .iter()
        .map(|(key, text)| (format!("spec.labels[{key}]"), key.as_str(), text));
    let own: Vec<_> = own.chain(severity).collect();
    let is_own = |key: &str| own.iter().any(|(_, own, _)| *own == key);
    let of_instance = around.labels.iter().filter(|(key, _)| !is_own(key));
    let of_instance =
        of_instance.map(|(key, text)| (format!("the instance's labels[{key}]"), key.as_str(), text));
    let mut labels = BTreeMap::new();
    for (field, key, text) in of_instance.chain(own.iter().cloned()) {
        labels.insert(key.to_owned(), template(&field, text, data, warnings)?);
        if template::mentions_value(text) {
            warnings.push(format!(
                "{field} holds the value: whenever it changes, the alert ends and a new one begins. Use an annotation, or a rule for each severity"
            ));
        }
    }
    labels.insert(
        LABEL.to_owned(),
        around.owner.label(around.namespace, around.name),
    );
    Ok(labels)
}
