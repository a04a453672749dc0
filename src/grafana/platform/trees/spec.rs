//! A policy tree as `/apis` has it: the root is called its defaults, and a matcher is an object.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::grafana::digest;
use crate::grafana::model::{ObjectMatcher, Route, outlasting};
use crate::grafana::platform::matcher::Matcher;
use crate::grafana::wire::null_as_default;

/// The kinds of matchers, as this API and the older one write them.
const TYPES: [&str; 4] = ["=", "!=", "=~", "!~"];

/// A tree.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Spec {
    defaults: Defaults,
    #[serde(deserialize_with = "null_as_default")]
    routes: Vec<Branch>,
    #[serde(flatten)]
    unknown: Map<String, Value>,
}

/// Its root.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Defaults {
    receiver: String,
    #[serde(deserialize_with = "null_as_default", skip_serializing_if = "Vec::is_empty")]
    group_by: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    group_wait: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    group_interval: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    repeat_interval: Option<String>,
    #[serde(flatten)]
    unknown: Map<String, Value>,
}

/// A policy below the root.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Branch {
    #[serde(skip_serializing_if = "Option::is_none")]
    receiver: Option<String>,
    #[serde(deserialize_with = "null_as_default", skip_serializing_if = "Vec::is_empty")]
    matchers: Vec<Matcher>,
    /// Required.
    r#continue: bool,
    #[serde(deserialize_with = "null_as_default", skip_serializing_if = "Vec::is_empty")]
    group_by: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    group_wait: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    group_interval: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    repeat_interval: Option<String>,
    #[serde(deserialize_with = "null_as_default", skip_serializing_if = "Vec::is_empty")]
    mute_time_intervals: Vec<String>,
    #[serde(deserialize_with = "null_as_default", skip_serializing_if = "Vec::is_empty")]
    active_time_intervals: Vec<String>,
    #[serde(deserialize_with = "null_as_default", skip_serializing_if = "Vec::is_empty")]
    routes: Vec<Branch>,
    #[serde(flatten)]
    unknown: Map<String, Value>,
}

/// What a tree says and this API has no words for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unsayable(pub(super) String);

impl fmt::Display for Unsayable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Spec {
    /// A tree as it is written. Nothing is left out: what there are no words for is an error.
    pub(super) fn of(root: &Route) -> Result<Self, Unsayable> {
        let only_below = [
            ("object_matchers", !root.object_matchers.is_empty()),
            ("continue", root.r#continue),
            ("mute_time_intervals", !root.mute_time_intervals.is_empty()),
            ("active_time_intervals", !root.active_time_intervals.is_empty()),
        ];
        if let Some((field, _)) = only_below.into_iter().find(|(_, is_said)| *is_said) {
            return Err(Unsayable(format!("{field} at the root")));
        }
        has_words(root)?;
        Ok(Self {
            defaults: Defaults {
                receiver: root.receiver.clone().unwrap_or_default(),
                group_by: root.group_by.clone(),
                group_wait: root.group_wait.clone(),
                group_interval: root.group_interval.clone(),
                repeat_interval: root.repeat_interval.clone(),
                unknown: Map::new(),
            },
            routes: branches(&root.routes)?,
            unknown: Map::new(),
        })
    }
}

/// The same tree with all matchers in the one form that this API has, by what they do.
pub(super) fn in_own_words(route: &Route) -> Route {
    Route {
        object_matchers: digest::matchers(route),
        matchers: Vec::new(),
        r#match: BTreeMap::new(),
        match_re: BTreeMap::new(),
        routes: route.routes.iter().map(in_own_words).collect(),
        ..route.clone()
    }
}

fn branches(routes: &[Route]) -> Result<Vec<Branch>, Unsayable> {
    routes.iter().map(Branch::of).collect()
}

impl Branch {
    fn of(route: &Route) -> Result<Self, Unsayable> {
        has_words(route)?;
        Ok(Self {
            receiver: route.receiver.clone(),
            matchers: route
                .object_matchers
                .iter()
                .map(matcher)
                .collect::<Result<_, _>>()?,
            r#continue: route.r#continue,
            group_by: route.group_by.clone(),
            group_wait: route.group_wait.clone(),
            group_interval: route.group_interval.clone(),
            repeat_interval: route.repeat_interval.clone(),
            mute_time_intervals: route.mute_time_intervals.clone(),
            active_time_intervals: route.active_time_intervals.clone(),
            routes: branches(&route.routes)?,
            unknown: Map::new(),
        })
    }
}

/// Fails where a route says what neither a root nor a branch can.
fn has_words(route: &Route) -> Result<(), Unsayable> {
    let older = [
        ("matchers", route.matchers.is_empty()),
        ("match", route.r#match.is_empty()),
        ("match_re", route.match_re.is_empty()),
    ];
    let mut unsaid = older
        .into_iter()
        .filter(|(_, is_empty)| !is_empty)
        .map(|(field, _)| field)
        .chain(route.unknown.keys().map(String::as_str));
    match unsaid.next() {
        Some(field) => Err(Unsayable(format!("the field {field}"))),
        None => Ok(()),
    }
}

fn matcher(matcher: &ObjectMatcher) -> Result<Matcher, Unsayable> {
    let (_, operator, value) = matcher;
    if !TYPES.contains(&operator.as_str()) {
        return Err(Unsayable(format!("the operator {operator}")));
    }
    Ok(Matcher {
        // It is read once, from the database.
        value: outlasting(value),
        ..matcher.into()
    })
}

impl From<Spec> for Route {
    fn from(spec: Spec) -> Self {
        let root = spec.defaults;
        Self {
            receiver: said(Some(root.receiver)),
            group_by: root.group_by,
            group_wait: said(root.group_wait),
            group_interval: said(root.group_interval),
            repeat_interval: said(root.repeat_interval),
            routes: routes(spec.routes),
            unknown: spec.unknown.into_iter().chain(root.unknown).collect(),
            ..Self::default()
        }
    }
}

fn routes(branches: Vec<Branch>) -> Vec<Route> {
    branches.into_iter().map(Route::from).collect()
}

impl From<Branch> for Route {
    fn from(branch: Branch) -> Self {
        let matchers = branch.matchers.into_iter();
        Self {
            receiver: said(branch.receiver),
            group_by: branch.group_by,
            object_matchers: matchers.map(ObjectMatcher::from).collect(),
            r#continue: branch.r#continue,
            group_wait: said(branch.group_wait),
            group_interval: said(branch.group_interval),
            repeat_interval: said(branch.repeat_interval),
            mute_time_intervals: branch.mute_time_intervals,
            active_time_intervals: branch.active_time_intervals,
            routes: routes(branch.routes),
            unknown: branch.unknown,
            ..Self::default()
        }
    }
}

/// An empty text says nothing.
fn said(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::option;
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn matcher() -> impl Strategy<Value = ObjectMatcher> {
        let value = prop_oneof!["\"?[a-z.|\\\\]{0,4}\"?", "[\"(:?) ]{0,5}", ".{0,6}"];
        ("[a-z_]{1,4}", prop::sample::select(&TYPES[..]), value)
            .prop_map(|(label, operator, value)| (label, operator.to_owned(), value))
    }

    fn names() -> impl Strategy<Value = Vec<String>> {
        vec("[a-z]{1,4}|\\.\\.\\.", 0..3)
    }

    fn period() -> impl Strategy<Value = Option<String>> {
        option::of("[1-9][0-9]?[smhd]")
    }

    /// What a route says of its own, wherever it is.
    fn own() -> impl Strategy<Value = Route> {
        let receiver = option::of("[a-zA-Z ü\"]{1,5}");
        (receiver, names(), period(), period(), period()).prop_map(
            |(receiver, group_by, wait, interval, repeat)| Route {
                receiver,
                group_by,
                group_wait: wait,
                group_interval: interval,
                repeat_interval: repeat,
                ..Route::default()
            },
        )
    }

    fn branch() -> impl Strategy<Value = Route> {
        let leaf = (own(), vec(matcher(), 0..4), any::<bool>(), names(), names()).prop_map(
            |(own, object_matchers, goes_on, mute, active)| Route {
                object_matchers,
                r#continue: goes_on,
                mute_time_intervals: mute,
                active_time_intervals: active,
                ..own
            },
        );
        leaf.prop_recursive(3, 12, 3, |inner| {
            (inner.clone(), vec(inner, 0..3)).prop_map(|(route, routes)| Route { routes, ..route })
        })
    }

    fn tree() -> impl Strategy<Value = Route> {
        (own(), vec(branch(), 0..3)).prop_map(|(own, routes)| Route { routes, ..own })
    }

    /// What Grafana does with a tree between a write and a read.
    fn from_the_database(mut spec: Value) -> Value {
        if let Some(value) = spec.pointer("/value").and_then(Value::as_str) {
            let value = value.strip_prefix('"').unwrap_or(value);
            let value = value.strip_suffix('"').unwrap_or(value).to_owned();
            spec["value"] = json!(value);
        }
        match &mut spec {
            Value::Array(all) => all
                .iter_mut()
                .for_each(|one| *one = from_the_database(one.take())),
            Value::Object(fields) => fields
                .values_mut()
                .for_each(|one| *one = from_the_database(one.take())),
            _ => {}
        }
        spec
    }

    proptest! {
        #[test]
        fn a_tree_that_is_written_is_read_back_equal(tree in tree()) {
            let written = serde_json::to_value(Spec::of(&tree).unwrap()).unwrap();
            let read: Spec = serde_json::from_value(from_the_database(written)).unwrap();
            prop_assert_eq!(Route::from(read), tree);
        }
    }

    #[test]
    fn a_tree_is_written_as_the_api_has_it() {
        let tree = json!({"receiver": "ops", "group_by": ["alertname"], "group_wait": "30s", "routes": [
            {"receiver": "db", "object_matchers": [["team", "=~", "db|dba"]], "continue": true, "mute_time_intervals": ["nights"]},
            {"active_time_intervals": ["days"], "routes": [{"repeat_interval": "1h"}]},
        ]});
        let tree: Route = serde_json::from_value(tree).unwrap();
        let expected = json!({
            "defaults": {"receiver": "ops", "group_by": ["alertname"], "group_wait": "30s"},
            "routes": [
                {"receiver": "db", "matchers": [{"type": "=~", "label": "team", "value": "db|dba"}], "continue": true, "mute_time_intervals": ["nights"]},
                {"continue": false, "active_time_intervals": ["days"], "routes": [{"continue": false, "repeat_interval": "1h"}]},
            ],
        });
        assert_eq!(serde_json::to_value(Spec::of(&tree).unwrap()).unwrap(), expected);
    }

    #[test]
    fn what_a_tree_says_in_words_that_this_api_has_not_is_no_tree_of_it() {
        for (field, value) in [
            ("matchers", json!(["a=b"])),
            ("match", json!({"a": "b"})),
            ("match_re", json!({"a": "b"})),
            ("of_the_future", json!({"x": 1})),
        ] {
            for place in ["", "/routes/0", "/routes/0/routes/0"] {
                let mut tree = json!({"receiver": "a", "routes": [{"routes": [{}]}]});
                tree.pointer_mut(place).unwrap()[field] = value.clone();
                let said = Spec::of(&serde_json::from_value(tree).unwrap()).unwrap_err();
                assert_eq!(said.to_string(), format!("the field {field}"), "{place}");
            }
        }
        for (field, value) in [
            ("object_matchers", json!([["a", "=", "b"]])),
            ("continue", json!(true)),
            ("mute_time_intervals", json!(["nights"])),
            ("active_time_intervals", json!(["days"])),
        ] {
            let below = json!({"receiver": "a", "routes": [{field: value.clone()}]});
            assert!(
                Spec::of(&serde_json::from_value(below).unwrap()).is_ok(),
                "{field}"
            );
            let root = json!({"receiver": "a", field: value});
            let said = Spec::of(&serde_json::from_value(root).unwrap()).unwrap_err();
            assert_eq!(said.to_string(), format!("{field} at the root"));
        }
        let strange = json!({"routes": [{"object_matchers": [["a", "~", "b"]]}]});
        let said = Spec::of(&serde_json::from_value(strange).unwrap()).unwrap_err();
        assert_eq!(said.to_string(), "the operator ~");
    }

    #[test]
    fn fields_of_the_future_are_seen_in_every_place_of_a_tree() {
        let spec = json!({
            "later": 1, "defaults": {"receiver": "a", "sooner": 2}, "routes": [{"continue": false, "below": 3, "receiver": "", "matchers": null}],
        });
        let read: Route = serde_json::from_value::<Spec>(spec).unwrap().into();
        let expected = json!({"receiver": "a", "later": 1, "sooner": 2, "routes": [{"below": 3}]});
        assert_eq!(read, serde_json::from_value(expected).unwrap());
    }
}
