//! Grafana's own files, for provisioning and as it exports them, and grafana-operator's resources → what a Grafana would hold.

mod operator;
mod point;
mod routes;
mod rule;
mod take;
mod variables;

use std::collections::BTreeSet;

use serde_json::Value;

use self::point::Given;
use self::rule::{Place, folder};
use self::take::Beside;
use self::variables::{Variables, unescaped};
use super::alertmanager::{is_nothing, list, name, take_interval, text};
use super::asked::Import;
use super::world::World;

pub(super) use operator::Operator;

/// The lists of a file, each entry of which says of which organisation it is.
const LISTS: [&str; 5] = ["groups", "contactPoints", "muteTimes", "templates", "policies"];

/// The organisation of an entry; one that says nothing is of the first.
fn organisation(entry: &Value) -> String {
    let own = entry.get("orgId").filter(|own| !is_nothing(own));
    own.map_or_else(|| "1".to_owned(), text)
}

/// All organisations of which something is in a file.
pub(super) fn organisations(value: &Value) -> impl Iterator<Item = String> {
    let entries = LISTS.iter().flat_map(|field| list(value, field));
    entries.map(organisation)
}

/// Says that what is of several organisations is of one here.
pub(super) fn tell(organisations: &BTreeSet<String>, import: &mut Import) {
    if organisations.len() > 1 {
        let all: Vec<&str> = organisations.iter().map(String::as_str).collect();
        import.leave(
            "orgId",
            format!(
                "what is read is of the organisations {}, and a GrafanaInstance is one of them: all of it is for the same one here. Import what each has by itself, with --instance",
                all.join(", ")
            ),
        );
    }
}

/// Takes a file that Grafana is provisioned with or has exported. `is_one_of_several` is whether there is something of other organisations.
pub(super) fn file(value: &Value, is_one_of_several: bool, world: &mut World, import: &mut Import) {
    let entered = |raw: &Value, world: &mut World| {
        world.enter_organisation(is_one_of_several.then(|| organisation(raw)));
    };
    let beside = |raw: &Value| Beside {
        variables: Variables::of(raw),
        ..Beside::default()
    };
    for raw in list(value, "groups") {
        entered(raw, world);
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
        entered(raw, world);
        let point = &unescaped(raw);
        let Some(called) = name(point) else {
            import.leave("contactPoints", "one of them has no name");
            continue;
        };
        let given: Vec<Given<'_>> = list(point, "receivers").iter().map(Given::of).collect();
        take::point(&called, &given, beside(raw), world, import);
    }
    for raw in list(value, "muteTimes") {
        entered(raw, world);
        take_interval(raw, "", world, import);
    }
    for raw in list(value, "templates") {
        entered(raw, world);
        take::template(raw, world, import);
    }
    for raw in list(value, "policies") {
        entered(raw, world);
        for told in Variables::of(raw).told() {
            import.leave("policies", told);
        }
        take::policy(&unescaped(raw), "", None, world, import);
    }
    world.enter_organisation(None);
    let deletions = value.as_object().into_iter().flatten();
    for (field, _) in deletions.filter(|(field, value)| is_deletion(field) && !is_nothing(value)) {
        import.leave(field, "what isn't in a resource is deleted with it");
    }
}

fn is_deletion(field: &str) -> bool {
    field.starts_with("delete") || field.starts_with("reset")
}
