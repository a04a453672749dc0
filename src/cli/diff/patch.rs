//! What somebody has changed in Grafana, as patches for the manifests.

use std::fmt::Write;

use serde_json::{Map, Value, json};

use super::super::common::document::to_yaml;
use super::super::common::print::harmless;
use super::judge::{Row, Sign};
use crate::domain::lint::object::API_VERSION;
use crate::domain::routing::difference::{Difference, SECRET};

/// Fields of an AlertRule that Grafana has as the resource does.
const OF_RULE: [&str; 10] = [
    "title",
    "group",
    "interval",
    "for",
    "keepFiringFor",
    "missingSeriesEvalsToResolve",
    "noDataState",
    "execErrState",
    "paused",
    "editable",
];
/// The same of a NotificationPolicy.
const OF_POLICY: [&str; 4] = ["groupBy", "groupWait", "groupInterval", "repeatInterval"];
/// The same of a Silence.
const OF_SILENCE: [&str; 3] = ["comment", "startsAt", "endsAt"];

/// A patch for each resource that Grafana has otherwise, to be merged. What no field can say is a comment.
pub(super) fn all(rows: &[Row]) -> Result<String, String> {
    let mut out = String::new();
    for row in rows.iter().filter(|row| row.sign != Sign::Equal) {
        let mut spec = Map::new();
        let mut remarks = Vec::new();
        match row.sign {
            Sign::Create => remarks.push("it isn't in Grafana".to_owned()),
            Sign::Delete => remarks.push("it is still in Grafana".to_owned()),
            Sign::Refused | Sign::Suspended | Sign::Unknown => remarks.extend(row.message.clone()),
            Sign::Change | Sign::Equal => {}
        }
        for one in &row.differences {
            // Grafana's folder has the instance's prefix in its title, and may be named by its uid.
            if row.name.kind == "AlertRule"
                && one.field == "folder"
                && let Some((field, folder)) = &row.folder
            {
                insert(&mut spec, &[(*field).to_owned()], json!(folder));
                continue;
            }
            match path(row.name.kind, one) {
                Some(path) => insert(&mut spec, &path, one.before.clone().unwrap_or_default()),
                None => remarks.push(format!("{} can't be patched: change it by hand", one.field)),
            }
        }
        let name = &row.name;
        out.push_str("---\n");
        for remark in remarks {
            let called = format!("{} {}/{}", name.kind, name.namespace, name.name);
            let _ = writeln!(out, "# {called}: {}", harmless(&remark));
        }
        if !spec.is_empty() {
            let patch = json!({
                "apiVersion": API_VERSION,
                "kind": name.kind,
                "metadata": {"name": name.name, "namespace": name.namespace},
                "spec": spec,
            });
            out.push_str(&to_yaml(&patch)?);
        }
    }
    Ok(out)
}

/// Where a field is in the specification, if it is there as Grafana has it.
fn path(kind: &str, one: &Difference) -> Option<Vec<String>> {
    if [&one.before, &one.after]
        .iter()
        .any(|value| value.as_ref().is_some_and(|value| value == SECRET))
    {
        return None;
    }
    let field = one.field.as_str();
    let own: &[&str] = match kind {
        "AlertRule" => &OF_RULE,
        "NotificationPolicy" => &OF_POLICY,
        "NotificationTemplate" => &["template"],
        "Silence" => &OF_SILENCE,
        _ => &[],
    };
    if own.contains(&field) {
        return Some(vec![field.to_owned()]);
    }
    match (kind, field.split_once('.')?) {
        ("AlertRule", ("labels", "severity")) => Some(vec!["severity".to_owned()]),
        ("AlertRule", (map @ ("labels" | "annotations"), key)) => Some(vec![map.to_owned(), key.to_owned()]),
        _ => None,
    }
}

fn insert(fields: &mut Map<String, Value>, path: &[String], value: Value) {
    match path {
        [] => {}
        [last] => drop(fields.insert(last.clone(), value)),
        [first, rest @ ..] => {
            let below = fields.entry(first.clone()).or_insert_with(|| json!({}));
            if let Some(below) = below.as_object_mut() {
                insert(below, rest, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controller::run::rehearsal::Name;

    fn one(field: &str, before: Value, after: Value) -> Difference {
        let value = |value: Value| Some(value).filter(|value| !value.is_null());
        Difference {
            field: field.to_owned(),
            before: value(before),
            after: value(after),
        }
    }

    #[test]
    fn a_folder_is_patched_where_the_resource_has_it_and_never_by_the_words_of_grafana() {
        let of = |folder: Option<(&'static str, &str)>| {
            let row = Row {
                name: Name {
                    kind: "AlertRule",
                    namespace: "revel".to_owned(),
                    name: "r".to_owned(),
                },
                sign: Sign::Change,
                place: None,
                differences: vec![one("folder", json!("prefix shop"), json!("prefix revel"))],
                message: None,
                routing: Vec::new(),
                folder: folder.map(|(field, value)| (field, value.to_owned())),
            };
            all(&[row]).unwrap()
        };
        for (field, value) in [("folder", "shop"), ("folderUID", "abc")] {
            let patch: Value = serde_saphyr::from_str(&of(Some((field, value)))).unwrap();
            assert_eq!(patch["spec"], json!({ field: value }));
        }
        let none = of(None);
        assert!(
            none.contains("folder can't be patched") && !none.contains("spec"),
            "{none}"
        );
    }

    #[test]
    fn what_was_changed_becomes_a_patch_and_the_rest_a_comment() {
        let row = Row {
            name: Name {
                kind: "AlertRule",
                namespace: "revel".to_owned(),
                name: "r".to_owned(),
            },
            sign: Sign::Change,
            place: None,
            differences: vec![
                one("for", json!("2m"), json!("5m")),
                one("annotations.summary", json!("by hand"), json!("x")),
                one("labels.team", json!(null), json!("pay")),
                one("data[A].model.expr", json!("a"), json!("b")),
            ],
            message: None,
            routing: Vec::new(),
            folder: None,
        };
        let text = all(&[row]).unwrap();
        assert!(
            text.starts_with("---\n# AlertRule revel/r: data[A].model.expr can't be patched"),
            "{text}"
        );
        let patch: Value = serde_saphyr::from_str(text.split_once('\n').unwrap().1).unwrap();
        assert_eq!(
            patch["spec"],
            json!({"for": "2m", "annotations": {"summary": "by hand"}, "labels": {"team": null}})
        );
    }
}
