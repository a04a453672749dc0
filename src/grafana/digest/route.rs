//! Policy trees: two are equal if they do the same.

use super::canonical::Canonical;
use crate::grafana::model::{ObjectMatcher, Route};

/// Alertmanager's defaults at the root.
const GROUP_WAIT: &str = "30s";
const GROUP_INTERVAL: &str = "5m";
const REPEAT_INTERVAL: &str = "4h";

/// What a policy tree does, however it is written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RouteDigest(u64);

impl RouteDigest {
    /// The digest of a tree, wished or found.
    pub fn of(root: &Route) -> Self {
        Self(Canonical::hash(|hash| Inherited::DEFAULTS.write(hash, root)))
    }
}

/// What a policy has from those above it, unless it says otherwise.
#[derive(Debug, Clone, Copy)]
pub struct Inherited<'a> {
    /// The contact point.
    pub receiver: &'a str,
    /// Labels whose values make a notification of their own; `...` alone means all.
    pub group_by: &'a [String],
    /// How long to wait for further alerts of a new group.
    pub group_wait: &'a str,
    /// How long to wait before news of a group are sent.
    pub group_interval: &'a str,
    /// When a notification is repeated.
    pub repeat_interval: &'a str,
}

impl<'a> Inherited<'a> {
    /// What a root has that says nothing.
    pub const DEFAULTS: Self = Self {
        receiver: "",
        group_by: &[],
        group_wait: GROUP_WAIT,
        group_interval: GROUP_INTERVAL,
        repeat_interval: REPEAT_INTERVAL,
    };

    fn write(self, hash: &mut Canonical, route: &'a Route) {
        let own = self.overridden_by(route);
        hash.text(own.receiver);
        hash.set(own.group_by.iter().map(String::as_str));
        hash.duration(own.group_wait);
        hash.duration(own.group_interval);
        hash.duration(own.repeat_interval);
        hash.list(&matchers(route), |hash, (label, operator, value)| {
            hash.text(label);
            hash.text(operator);
            hash.text(value);
        });
        hash.flag(route.r#continue);
        hash.set(route.mute_time_intervals.iter().map(String::as_str));
        hash.set(route.active_time_intervals.iter().map(String::as_str));
        hash.list(&route.routes, |hash, child| own.write_child(hash, child));
    }

    fn write_child(self, hash: &mut Canonical, child: &Route) {
        Inherited::write(self, hash, child);
    }

    /// What a policy below these has, and hands down itself. Time intervals aren't among it: they are each policy's own.
    #[must_use]
    pub fn overridden_by(self, route: &'a Route) -> Self {
        let or = |own: &'a Option<String>, inherited| {
            own.as_deref().filter(|own| !own.is_empty()).unwrap_or(inherited)
        };
        Self {
            receiver: or(&route.receiver, self.receiver),
            group_by: if route.group_by.is_empty() {
                self.group_by
            } else {
                &route.group_by
            },
            group_wait: or(&route.group_wait, self.group_wait),
            group_interval: or(&route.group_interval, self.group_interval),
            repeat_interval: or(&route.repeat_interval, self.repeat_interval),
        }
    }
}

/// All matchers of a policy in the newest of their forms. All must match, so neither order nor number matters.
pub fn matchers(route: &Route) -> Vec<ObjectMatcher> {
    let owned = |(label, value): (&String, &String), operator: &str| {
        (label.clone(), operator.to_owned(), value.clone())
    };
    let mut all = route.object_matchers.clone();
    all.extend(route.r#match.iter().map(|pair| owned(pair, "=")));
    all.extend(route.match_re.iter().map(|pair| owned(pair, "=~")));
    all.extend(route.matchers.iter().map(|text| parse(text)));
    all.sort_unstable();
    all.dedup();
    all
}

/// Reads `label="value"` as Alertmanager prints it. What is not of this form stays whole, in place of the label.
fn parse(text: &str) -> ObjectMatcher {
    let split = text
        .find(['=', '!'])
        .map(|at| text.split_at(at))
        .and_then(|(label, rest)| {
            let operator = ["=~", "!~", "!=", "="]
                .into_iter()
                .find(|operator| rest.starts_with(operator))?;
            Some((label.trim(), operator, rest.strip_prefix(operator)?.trim()))
        });
    match split {
        Some((label, operator, value)) => (label.to_owned(), operator.to_owned(), unquote(value)),
        None => (text.to_owned(), String::new(), String::new()),
    }
}

fn unquote(value: &str) -> String {
    let Some(quoted) = value.strip_prefix('"').and_then(|value| value.strip_suffix('"')) else {
        return value.to_owned();
    };
    let mut plain = String::with_capacity(quoted.len());
    let mut characters = quoted.chars();
    while let Some(c) = characters.next() {
        plain.push(match c {
            '\\' => match characters.next() {
                Some('n') => '\n',
                Some(escaped) => escaped,
                None => '\\',
            },
            c => c,
        });
    }
    plain
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn digest(tree: Value) -> RouteDigest {
        RouteDigest::of(&serde_json::from_value(tree).unwrap())
    }

    #[test]
    fn trees_that_do_the_same_are_equal() {
        let short = json!({
            "receiver": "team", "group_by": ["a", "b"],
            "routes": [{"object_matchers": [["x", "=~", "1|2"], ["severity", "=", "high"]], "repeat_interval": "1h"}],
        });
        let long = json!({
            "receiver": "team", "group_by": ["b", "a"], "group_wait": "30s", "group_interval": "300s", "repeat_interval": "4h",
            "mute_time_intervals": null,
            "routes": [{
                "receiver": "team", "group_by": ["a", "b"], "group_wait": "30s", "repeat_interval": "60m", "continue": false,
                "object_matchers": [["severity", "=", "high"], ["x", "=~", "1|2"]], "routes": [],
            }],
        });
        assert_eq!(digest(short), digest(long));
    }

    #[test]
    fn older_forms_of_matchers_are_equal_to_the_newest() {
        let new = json!({"routes": [{"object_matchers": [
            ["a", "=", "1"], ["b", "=~", "2.*"], ["c", "!~", "x=\"y\"\\d"], ["d", "!=", "plain"],
        ]}]});
        let old = json!({"routes": [{
            "match": {"a": "1"}, "match_re": {"b": "2.*"}, "matchers": [r#"c !~ "x=\"y\"\\d""#, "d!=plain"],
        }]});
        assert_eq!(digest(new), digest(old));
    }

    #[test]
    fn every_difference_in_what_a_tree_does_is_seen() {
        let tree = json!({"receiver": "a", "routes": [
            {"receiver": "b", "object_matchers": [["x", "=", "1"]]}, {"receiver": "c"},
        ]});
        let changes: [(&str, Value); 9] = [
            ("/receiver", json!("z")),
            ("/group_by", json!(["alertname"])),
            ("/routes/0/object_matchers/0/1", json!("!=")),
            ("/routes/0/continue", json!(true)),
            ("/routes/0/group_wait", json!("1s")),
            ("/routes/0/mute_time_intervals", json!(["nights"])),
            ("/routes/0/active_time_intervals", json!(["days"])),
            ("/routes/1/routes", json!([{"receiver": "d"}])),
            (
                "/routes",
                json!([{"receiver": "c"}, {"receiver": "b", "object_matchers": [["x", "=", "1"]]}]),
            ),
        ];
        for (pointer, value) in changes {
            let mut other = tree.clone();
            let (parent, key) = pointer.rsplit_once('/').unwrap();
            let parent = other.pointer_mut(parent).unwrap();
            match key.parse::<usize>() {
                Ok(index) => parent[index] = value,
                Err(_) => parent[key] = value,
            }
            assert_ne!(digest(tree.clone()), digest(other), "{pointer}");
        }
    }
}
