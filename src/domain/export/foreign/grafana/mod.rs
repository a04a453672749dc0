//! Grafana's own files, for provisioning and as it exports them, and grafana-operator's resources → what a Grafana would hold.

mod operator;
mod point;
mod rule;
mod take;

use serde_json::{Map, Value};

use self::point::Given;
use self::rule::{Place, folder};
use super::alertmanager::{is_nothing, list, name, take_interval, text};
use super::asked::Import;
use super::world::World;

pub(super) use operator::Operator;

/// Takes a file that Grafana is provisioned with or has exported.
pub(super) fn file(value: &Value, world: &mut World, import: &mut Import) {
    let value = &unescaped(value);
    for group in list(value, "groups") {
        let place = Place {
            folder: match (group.get("folder").map(text), group.get("folderUid").map(text)) {
                (Some(path), _) if !path.is_empty() => folder(&path, world),
                (_, Some(uid)) => uid,
                _ => String::new(),
            },
            group: group.get("name").map(text).unwrap_or_default(),
            interval: group.get("interval").map(text).unwrap_or_default(),
        };
        take::rules(group, &place, world, import);
    }
    for point in list(value, "contactPoints") {
        let Some(called) = name(point) else {
            import.leave("contactPoints", "one of them has no name");
            continue;
        };
        let given: Vec<Given<'_>> = list(point, "receivers").iter().map(Given::of).collect();
        take::point(&called, &given, world, import);
    }
    for time in list(value, "muteTimes") {
        take_interval(time, "", world, import);
    }
    for template in list(value, "templates") {
        take::template(template, world, import);
    }
    for route in list(value, "policies") {
        take::policy(route, "", None, world, import);
    }
    let deletions = value.as_object().into_iter().flatten();
    for (field, _) in deletions.filter(|(field, value)| is_deletion(field) && !is_nothing(value)) {
        import.leave(field, "what isn't in a resource is deleted with it");
    }
}

fn is_deletion(field: &str) -> bool {
    field.starts_with("delete") || field.starts_with("reset")
}

/// All texts as Grafana reads them in its files, where a dollar is written twice lest it begin a variable. Nodes aren't touched: what they ask stands there as it is.
fn unescaped(value: &Value) -> Value {
    match value {
        Value::String(text) => text.replace("$$", "$").into(),
        Value::Array(items) => items.iter().map(unescaped).collect(),
        Value::Object(fields) => {
            let fields = fields.iter().map(|(name, value)| {
                let value = if name == "model" {
                    value.clone()
                } else {
                    unescaped(value)
                };
                (name.clone(), value)
            });
            Value::Object(fields.collect::<Map<_, _>>())
        }
        other => other.clone(),
    }
}
