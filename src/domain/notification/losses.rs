//! What a tree of somebody else's says that a NotificationPolicy has no words for, or that ours leaves out though it keeps people from being woken,
//! and that is lost while ours stands in its place.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::api::notification::policy::MAX_DEPTH;
use crate::grafana::digest::matchers;
use crate::grafana::model::Route;

/// How many routes are named; of the others it is said how many they are.
const NAMED: usize = 5;

/// How long the name of a route, or what it loses, may be, in characters.
const LONGEST: usize = 120;

/// Names what is lost, each route by its place and its matchers; `None` if nothing is. A time interval is lost that no route of ours names.
pub(super) fn said(tree: &Route, wish: Option<&Route>) -> Option<String> {
    let mut all = Vec::new();
    let mut kept = BTreeSet::new();
    if let Some(wish) = wish {
        intervals(wish, &mut kept);
    }
    collect(tree, &kept, "", 0, &mut all);
    if all.is_empty() {
        return None;
    }
    let named: Vec<_> = all.iter().take(NAMED).map(String::as_str).collect();
    let others = all.len() - named.len();
    let more = if others > 0 {
        format!("; and {others} more")
    } else {
        String::new()
    };
    Some(format!("{}{more}", named.join("; ")))
}

fn intervals<'a>(route: &'a Route, all: &mut BTreeSet<&'a str>) {
    let own = route
        .mute_time_intervals
        .iter()
        .chain(&route.active_time_intervals);
    all.extend(own.map(String::as_str));
    for child in &route.routes {
        intervals(child, all);
    }
}

fn collect(route: &Route, kept: &BTreeSet<&str>, place: &str, depth: usize, all: &mut Vec<String>) {
    let own = own(route, kept, depth);
    if !own.is_empty() {
        let name = if depth == 0 { "the root" } else { place };
        all.push(format!(
            "{name}{}: {}",
            cut(&matched(route)),
            cut(&own.join(", "))
        ));
    }
    for (i, child) in route.routes.iter().enumerate() {
        let dot = if depth == 0 { "" } else { "." };
        collect(child, kept, &format!("{place}{dot}routes[{i}]"), depth + 1, all);
    }
}

/// What a route says itself that is lost, in Grafana's words.
fn own(route: &Route, kept: &BTreeSet<&str>, depth: usize) -> Vec<String> {
    let lost = |names: &[String]| -> Vec<String> {
        let lost = names.iter().filter(|name| !kept.contains(name.as_str()));
        lost.cloned().collect()
    };
    let intervals = [
        ("mute_time_intervals", lost(&route.mute_time_intervals)),
        ("active_time_intervals", lost(&route.active_time_intervals)),
    ];
    let mut own: Vec<String> = intervals
        .into_iter()
        .filter(|(_, names)| !names.is_empty())
        .map(|(field, names)| format!("{field} {}", names.join(" and ")))
        .collect();
    let unknown = route.unknown.iter().filter(|(_, value)| says_something(value));
    own.extend(unknown.map(|(field, _)| field.clone()));
    if depth > MAX_DEPTH {
        own.push(format!("more than {MAX_DEPTH} levels"));
    }
    own
}

fn says_something(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => false,
        Value::Bool(true) | Value::Number(_) => true,
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(fields) => !fields.is_empty(),
    }
}

fn matched(route: &Route) -> String {
    let all: Vec<_> = matchers(route)
        .into_iter()
        .map(|(label, operator, value)| format!("{label}{operator}{value}"))
        .collect();
    if all.is_empty() {
        String::new()
    } else {
        format!(" ({})", all.join(", "))
    }
}

fn cut(text: &str) -> String {
    if text.chars().count() <= LONGEST {
        return text.to_owned();
    }
    text.chars().take(LONGEST).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{from_value, json};

    use super::*;

    fn lost(tree: Value) -> Option<String> {
        said(&from_value(tree).unwrap(), None)
    }

    #[test]
    fn time_intervals_are_named_with_their_routes_at_any_level() {
        let tree = json!({"receiver": "ops", "routes": [
            {"receiver": "a", "object_matchers": [["team", "=", "web"]]},
            {"receiver": "b", "matchers": ["team=\"db\""], "mute_time_intervals": ["nights", "weekends"], "routes": [
                {"receiver": "c", "match": {"tier": "1"}, "active_time_intervals": ["office hours"]},
            ]},
        ]});
        assert_eq!(
            lost(tree).as_deref(),
            Some(
                "routes[1] (team=db): mute_time_intervals nights and weekends; \
                 routes[1].routes[0] (tier=1): active_time_intervals office hours"
            )
        );
    }

    #[test]
    fn time_intervals_that_ours_names_too_are_not_lost() {
        let tree: Route = from_value(
            json!({"receiver": "ops", "routes": [{"mute_time_intervals": ["nights", "weekends"]}]}),
        )
        .unwrap();
        let wish: Route = from_value(
            json!({"receiver": "b", "routes": [{}, {"routes": [{"active_time_intervals": ["nights"]}]}]}),
        )
        .unwrap();
        assert_eq!(said(&tree, Some(&tree)), None);
        assert_eq!(
            said(&tree, Some(&wish)).as_deref(),
            Some("routes[0]: mute_time_intervals weekends")
        );
    }

    #[test]
    fn fields_that_nobody_knows_are_named_without_their_values_if_they_say_anything() {
        let tree = json!({"receiver": "ops", "routes": [
            {"receiver": "a", "of_the_future": {"x": "hunter2"}, "empty": {}, "none": null, "off": false, "text": ""},
            {"receiver": "b", "empty": [], "on": true},
        ]});
        assert_eq!(
            lost(tree).as_deref(),
            Some("routes[0]: of_the_future; routes[1]: on")
        );
    }

    #[test]
    fn routes_deeper_than_ours_can_be_are_lost() {
        let deep = |levels: usize| {
            let last = json!({"receiver": "a"});
            (0..levels).fold(last, |below, _| json!({"receiver": "a", "routes": [below]}))
        };
        assert_eq!(lost(deep(MAX_DEPTH)), None);
        let said = lost(deep(MAX_DEPTH + 1)).unwrap();
        assert!(said.ends_with("routes[0]: more than 5 levels"), "{said}");
    }

    #[test]
    fn a_tree_that_has_no_more_than_ours_can_say_loses_nothing() {
        let all = json!({"receiver": "ops", "group_by": ["a"], "group_wait": "1s", "group_interval": "1m", "repeat_interval": "1h", "routes": [
            {"object_matchers": [["a", "!~", "b"]], "matchers": ["c=d"], "match": {"e": "f"}, "match_re": {"g": "h"}, "continue": true,
             "group_by": ["..."], "group_wait": "0s", "group_interval": "2m", "repeat_interval": "2h", "mute_time_intervals": null},
        ]});
        assert_eq!(lost(all), None);
    }

    #[test]
    fn what_is_said_of_a_large_tree_stays_short() {
        let long = "x".repeat(1000);
        let route =
            json!({"receiver": "a", "object_matchers": [["l", "=", long]], "mute_time_intervals": [long]});
        let said = lost(json!({"receiver": "a", "routes": vec![route; 100]})).unwrap();
        assert!(said.ends_with("; and 95 more"), "{said}");
        assert!(said.chars().count() < NAMED * (2 * LONGEST + 40), "{said}");
    }
}
