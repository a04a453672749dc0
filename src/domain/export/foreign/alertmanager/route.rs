//! The routes of a configuration, and its matchers.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::parts::{Place, always, list, strict_list, text};
use crate::api::matcher::Matcher;
use crate::domain::export::foreign::world::About;
use crate::grafana::model::{ObjectMatcher, Route, TimeInterval};

/// The fields of a route that are read.
const KNOWN: [&str; 13] = [
    "receiver",
    "group_by",
    "group_wait",
    "group_interval",
    "repeat_interval",
    "match",
    "match_re",
    "matchers",
    "object_matchers",
    "continue",
    "mute_time_intervals",
    "active_time_intervals",
    "routes",
];

/// Receivers that send nothing, each with the time interval that mutes its routes.
pub(super) struct Empty {
    before: String,
    names: BTreeMap<String, String>,
}

impl Empty {
    pub(super) fn new(before: &str) -> Self {
        Self {
            before: before.to_owned(),
            names: BTreeMap::new(),
        }
    }

    /// Adds one. Its time interval is called like it, unless another one is.
    pub(super) fn add(&mut self, name: &str, is_taken: &dyn Fn(&str) -> bool) {
        let of = |nth: usize| match nth {
            0 => name.to_owned(),
            1 => format!("{name}-muted"),
            nth => format!("{name}-muted-{nth}"),
        };
        let mut nth = 0;
        let free = loop {
            let full = format!("{}{}", self.before, of(nth));
            if !is_taken(&full) && !self.names.values().any(|other| *other == full) {
                break full;
            }
            nth += 1;
        };
        self.names.insert(name.to_owned(), free);
    }

    /// The time intervals that have their routes send nothing, with the names of the receivers.
    pub(super) fn intervals(&self) -> impl Iterator<Item = (String, TimeInterval)> {
        self.names.iter().map(|(name, called)| {
            let interval = TimeInterval {
                name: called.clone(),
                time_intervals: vec![always()],
            };
            (name.clone(), interval)
        })
    }

    /// Whether a route is muted by the interval of a receiver.
    pub(super) fn is_used(&self, route: &Route, name: &str) -> bool {
        let Some(called) = self.names.get(name) else {
            return false;
        };
        route.mute_time_intervals.contains(called)
            || route.routes.iter().any(|route| self.is_used(route, name))
    }
}

/// The tree, with what there is to say of it; or why there can't be any.
pub(super) fn tree(given: &Value, place: &Place, empty: &Empty) -> Result<(Route, About), String> {
    let root = given.get("receiver").map(text).unwrap_or_default();
    if empty.names.contains_key(&root) {
        return Err(format!(
            "the root sends to {root}, which has no integrations: give it one, for a NotificationPolicy needs a contact point that sends"
        ));
    }
    let mut lost = Vec::new();
    let mut route = route(given, &root, "", place, empty, &root, &mut lost)?;
    let mut branch = place.parent.clone();
    if let Some(Value::Object(fields)) = &mut branch {
        // What a root can't have belongs to the branch.
        let matchers = std::mem::take(&mut route.object_matchers);
        let texts: Result<Vec<Value>, String> = matchers.iter().map(written).collect();
        let texts = texts?;
        if !texts.is_empty() {
            fields.insert("matchers".to_owned(), texts.into());
        }
    }
    if !place.before.is_empty() && route.receiver.is_none() {
        return Err("it names no receiver".to_owned());
    }
    let about = About {
        source: "route".to_owned(),
        lost,
        remarks: place.remarks.clone(),
        branch,
        ..About::default()
    };
    Ok((route, about))
}

fn written((label, operator, value): &ObjectMatcher) -> Result<Value, String> {
    let op = crate::api::matcher::MatchOp::parse(operator).ok_or("a matcher can't be read")?;
    let matcher = Matcher::new(label.clone(), op, value.clone()).map_err(|e| e.to_string())?;
    Ok(json!(crate::api::matcher::MatcherText::from(&matcher)))
}

/// One route with those below it. `above` is the receiver that it has if it names none.
fn route(
    given: &Value,
    root: &str,
    at: &str,
    place: &Place,
    empty: &Empty,
    above: &str,
    lost: &mut Vec<String>,
) -> Result<Route, String> {
    let own = given.get("receiver").map(text).filter(|name| !name.is_empty());
    let own = own.unwrap_or_else(|| above.to_owned());
    let full = |name: &str| format!("{}{name}", place.before);
    let names =
        |field: &str| -> Vec<String> { list(given, field).iter().map(|name| full(&text(name))).collect() };
    let mut mutes = names("mute_time_intervals");
    let receiver = if let Some(called) = empty.names.get(&own) {
        mutes.push(called.clone());
        root
    } else {
        &own
    };
    let length = |field: &str| given.get(field).map(text).filter(|length| !length.is_empty());
    let mut routes = Vec::new();
    for (nth, below) in strict_list(given, "routes")?.iter().enumerate() {
        let at = if at.is_empty() {
            format!("routes[{nth}]")
        } else {
            format!("{at}.routes[{nth}]")
        };
        if !below.is_object() {
            // It would match everything.
            return Err(format!("{at}: it is no mapping"));
        }
        routes.push(route(below, root, &at, place, empty, &own, lost)?);
    }
    for field in given
        .as_object()
        .into_iter()
        .flat_map(|fields| fields.keys())
        .filter(|field| !KNOWN.contains(&field.as_str()))
    {
        let at = if at.is_empty() {
            String::new()
        } else {
            format!("{at}.")
        };
        lost.push(format!("{at}{field}: there is no field for it"));
    }
    Ok(Route {
        receiver: Some(full(receiver)).filter(|_| !receiver.is_empty()),
        group_by: list(given, "group_by").iter().map(text).collect(),
        object_matchers: matchers(given, "").map_err(|why| {
            if at.is_empty() {
                why
            } else {
                format!("{at}: {why}")
            }
        })?,
        r#continue: given.get("continue").and_then(Value::as_bool).unwrap_or_default(),
        group_wait: length("group_wait"),
        group_interval: length("group_interval"),
        repeat_interval: length("repeat_interval"),
        mute_time_intervals: mutes,
        active_time_intervals: names("active_time_intervals"),
        routes,
        ..Route::default()
    })
}

/// The matchers of a route or an inhibition rule in all of their forms: `match`, `match_re` and `matchers`, which of the latter begin with `source_` or `target_`.
pub(super) fn matchers(given: &Value, side: &str) -> Result<Vec<ObjectMatcher>, String> {
    let mut all = Vec::new();
    for (field, operator) in [("match", "="), ("match_re", "=~")] {
        match given.get(format!("{side}{field}")) {
            Some(Value::Object(fields)) => {
                for (label, value) in fields {
                    all.push((label.clone(), operator.to_owned(), text(value)));
                }
            }
            // AlertmanagerConfigs have lists of matchers by this name.
            Some(Value::Array(entries)) => {
                for entry in entries {
                    all.extend(entry_of(entry)?);
                }
            }
            None | Some(Value::Null) => {}
            // Without it the route would match more, if not everything.
            Some(_) => return Err(format!("{side}{field} is neither a mapping nor a list")),
        }
    }
    for entry in strict_list(given, &format!("{side}matchers"))? {
        all.extend(entry_of(entry)?);
    }
    for entry in strict_list(given, &format!("{side}object_matchers"))? {
        let [label, operator, value] = entry.as_array().map_or(&[][..], Vec::as_slice) else {
            return Err(
                "an entry of object_matchers has another form than [label, operator, value]".to_owned(),
            );
        };
        all.push((text(label), text(operator), text(value)));
    }
    Ok(all)
}

/// One entry of a list of matchers: a text, which may hold several, or a label with its value.
fn entry_of(entry: &Value) -> Result<Vec<ObjectMatcher>, String> {
    if let Value::String(all) = entry {
        return pieces(all)
            .into_iter()
            .map(|piece| {
                // Where both take it and don't agree, Alertmanager takes it as it did before names in UTF-8.
                if let Some(matcher) = classic(&piece) {
                    return Ok(matcher);
                }
                let matcher = Matcher::parse(&piece).map_err(|e| format!("matcher {piece}: {e}"))?;
                Ok((matcher.label, matcher.op.as_str().to_owned(), matcher.value))
            })
            .collect();
    }
    // `value: y` is `true` to whoever reads YAML as Kubernetes does, and no API server takes that.
    let is_text = |value: &&Value| !value.is_string() && !value.is_null();
    if let Some(other) = ["name", "value"]
        .iter()
        .filter_map(|field| entry.get(*field))
        .find(is_text)
    {
        return Err(format!(
            "a matcher has {} where a text belongs: quote it",
            text(other)
        ));
    }
    let label = entry.get("name").map(text).ok_or("a matcher has no name")?;
    let is = |field: &str| entry.get(field).and_then(Value::as_bool);
    let operator = match entry.get("match_type").map(text) {
        Some(operator) if !operator.is_empty() => operator,
        _ => {
            let is_regex = is("regex").or_else(|| is("is_regex")) == Some(true);
            let is_equal = is("is_equal") != Some(false);
            let operator = match (is_equal, is_regex) {
                (true, true) => "=~",
                (true, false) => "=",
                (false, true) => "!~",
                (false, false) => "!=",
            };
            operator.to_owned()
        }
    };
    Ok(vec![(
        label,
        operator,
        entry.get("value").map(text).unwrap_or_default(),
    )])
}

/// A matcher as Alertmanager reads it that doesn't insist on names in UTF-8 (`labels.ParseMatcher`): a value needs no quotes, may be empty, and a backslash that
/// escapes nothing is one.
fn classic(piece: &str) -> Option<ObjectMatcher> {
    let piece = piece.trim();
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | ':');
    let (label, rest) = piece.split_at(piece.find(|c| !is_name(c))?);
    if label.is_empty() || label.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let rest = rest.trim_start();
    let operator = ["=~", "!=", "!~", "="]
        .into_iter()
        .find(|own| rest.starts_with(own))?;
    let given = rest.strip_prefix(operator)?.trim();
    let (given, is_quoted) = given
        .strip_prefix('"')
        .map_or((given, false), |rest| (rest, true));
    let (mut value, mut is_closed) = (String::new(), false);
    let mut chars = given.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' => {
                let escaped = match chars.peek() {
                    Some('n') => Some('\n'),
                    Some(escaped @ ('"' | '\\')) => Some(*escaped),
                    _ => None,
                };
                if escaped.is_some() {
                    chars.next();
                }
                value.push(escaped.unwrap_or('\\'));
            }
            '"' if is_quoted && chars.peek().is_none() => is_closed = true,
            '"' => return None,
            c => value.push(c),
        }
    }
    (is_quoted == is_closed).then(|| (label.to_owned(), operator.to_owned(), value))
}

/// `{a="b", c="d,e"}` as its matchers.
fn pieces(all: &str) -> Vec<String> {
    let trimmed = all.trim();
    let inner = trimmed
        .strip_prefix('{')
        .and_then(|inner| inner.strip_suffix('}'))
        .unwrap_or(trimmed);
    let mut pieces = vec![String::new()];
    let (mut is_quoted, mut is_escaped) = (false, false);
    for c in inner.chars() {
        if c == ',' && !is_quoted {
            pieces.push(String::new());
            continue;
        }
        if c == '"' && !is_escaped {
            is_quoted = !is_quoted;
        }
        is_escaped = c == '\\' && !is_escaped;
        if let Some(piece) = pieces.last_mut() {
            piece.push(c);
        }
    }
    pieces.retain(|piece| !piece.trim().is_empty());
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matchers_are_read_in_every_form_that_there_has_been() {
        for (given, expected) in [
            (
                json!({"match": {"a": "b"}, "match_re": {"c": "d|e"}}),
                vec![("a", "=", "b"), ("c", "=~", "d|e")],
            ),
            (
                json!({"matchers": ["a=b", "c != \"d\""]}),
                vec![("a", "=", "b"), ("c", "!=", "d")],
            ),
            (
                json!({"matchers": ["{a=\"b,c\", d=~\"e\\\"f\"}"]}),
                vec![("a", "=", "b,c"), ("d", "=~", "e\"f")],
            ),
            (
                json!({"matchers": [{"name": "a", "value": "b", "match_type": "!~"}, {"name": "c", "value": "d", "regex": true}]}),
                vec![("a", "!~", "b"), ("c", "=~", "d")],
            ),
        ] {
            let found = matchers(&given, "").unwrap();
            let found: Vec<_> = found
                .iter()
                .map(|(a, b, c)| (a.as_str(), b.as_str(), c.as_str()))
                .collect();
            assert_eq!(found, expected, "{given}");
        }
        assert!(matchers(&json!({"matchers": ["nonsense"]}), "").is_err());
        for (given, value) in [
            (r"a=~b\.c", r"b\.c"),
            ("a='q'", "'q'"),
            ("a = bar baz ", "bar baz"),
            ("a=", ""),
            ("a=\"\"", ""),
            ("a=~`m`", "`m`"),
            (r#"a="\t\n\"""#, "\\t\n\""),
        ] {
            let found = matchers(&json!({"matchers": [given]}), "").unwrap();
            assert_eq!(found[0].2, value, "{given}");
        }
        for given in ["a=\"b", "a=b\"c", "a=\"b\"c\"", "=b"] {
            assert!(matchers(&json!({"matchers": [given]}), "").is_err(), "{given}");
        }
        for value in [json!(true), json!(1)] {
            assert!(matchers(&json!({"matchers": [{"name": "a", "value": value}]}), "").is_err());
        }
        assert_eq!(matchers(&json!({"matchers": null, "match": {}}), ""), Ok(vec![]));
    }

    #[test]
    fn what_is_no_list_of_matchers_does_not_match_everything() {
        for given in [
            json!({"matchers": "a=b"}),
            json!({"matchers": {"a": "b"}}),
            json!({"match": "a=b"}),
            json!({"match_re": 1}),
            json!({"object_matchers": {"a": "b"}}),
        ] {
            assert!(matchers(&given, "").is_err(), "{given}");
        }
        assert!(matchers(&json!({"source_match": true}), "source_").is_err());
    }
}
