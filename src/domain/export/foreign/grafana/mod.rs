//! Grafana's own files, for provisioning and as it exports them, and grafana-operator's resources → what a Grafana would hold.

mod operator;
mod point;
mod rule;
mod take;
mod variables;

use serde_json::Value;

use self::point::Given;
use self::rule::{Place, folder};
use self::take::Beside;
use self::variables::{Variables, unescaped};
use super::alertmanager::{is_nothing, list, name, take_interval, text};
use super::asked::Import;
use super::world::World;

pub(super) use operator::Operator;

/// Takes a file that Grafana is provisioned with or has exported.
pub(super) fn file(value: &Value, world: &mut World, import: &mut Import) {
    let beside = |raw: &Value| Beside {
        variables: Variables::of(raw),
        ..Beside::default()
    };
    for raw in list(value, "groups") {
        let group = &unescaped(raw);
        let place = Place {
            folder: match (group.get("folder").map(text), group.get("folderUid").map(text)) {
                (Some(path), _) if !path.is_empty() => folder(&path, world),
                (_, Some(uid)) => uid,
                _ => String::new(),
            },
            group: group.get("name").map(text).unwrap_or_default(),
            interval: group.get("interval").map(text).unwrap_or_default(),
        };
        let of_group = Variables::of_fields(raw, &["name", "folder", "folderUid", "interval"]);
        let of_rule = |nth: usize| {
            let own = list(raw, "rules").get(nth).map(Variables::of);
            Beside {
                variables: own.unwrap_or_default().and(&of_group),
                ..Beside::default()
            }
        };
        take::rules(group, &place, &of_rule, world, import);
    }
    for raw in list(value, "contactPoints") {
        let point = &unescaped(raw);
        let Some(called) = name(point) else {
            import.leave("contactPoints", "one of them has no name");
            continue;
        };
        let given: Vec<Given<'_>> = list(point, "receivers").iter().map(Given::of).collect();
        take::point(&called, &given, beside(raw), world, import);
    }
    for raw in list(value, "muteTimes") {
        take_interval(raw, "", world, import);
    }
    for raw in list(value, "templates") {
        take::template(raw, world, import);
    }
    for raw in list(value, "policies") {
        for told in Variables::of(raw).told() {
            import.leave("policies", told);
        }
        take::policy(&unescaped(raw), "", None, world, import);
    }
    let deletions = value.as_object().into_iter().flatten();
    for (field, _) in deletions.filter(|(field, value)| is_deletion(field) && !is_nothing(value)) {
        import.leave(field, "what isn't in a resource is deleted with it");
    }
}

fn is_deletion(field: &str) -> bool {
    field.starts_with("delete") || field.starts_with("reset")
}
