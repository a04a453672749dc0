//! Rules of one group that are written, or deleted, together: what is sent, and when that may be.
//!
//! A write of a group replaces it: rules that it doesn't list are deleted, and all that it lists get its provenance. So it is sent only
//! where a look right before shows that every rule in the group is ours, and those are sent back exactly as they were read.

pub(super) mod fault;
pub(super) mod queue;

use std::collections::{HashMap, HashSet};

use serde::Deserialize;
use serde_json::{Value, json};

use crate::grafana::api::{OWNER_LABEL, Provenance};
use crate::grafana::wire::null_as_default;

/// Where a group is: the folder that holds it, and its name within that.
pub(super) type Key = (String, String);

/// A group as it was read. One that isn't there has no rules.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Group {
    /// Its rules, in their order.
    #[serde(deserialize_with = "null_as_default")]
    rules: Vec<Value>,
}

impl Group {
    /// Whether it holds nothing, as one that isn't there.
    pub(super) fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }
}

/// A rule that waits to be written into a group.
#[derive(Debug, Clone)]
pub(super) struct Wish {
    /// Identity of the rule.
    pub(super) uid: String,
    /// Title of the rule.
    pub(super) title: String,
    /// Seconds between evaluations that it wishes for its group.
    pub(super) interval: u64,
    /// Who is to have provisioned it.
    pub(super) provenance: Provenance,
    /// The rule as it is sent.
    pub(super) body: Value,
}

/// Why rules aren't written together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Apart {
    /// There is but one.
    Alone,
    /// The group holds this rule, which isn't known to be ours.
    Foreign(String),
}

/// From which versions on what can be done with a group as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Abilities {
    /// A write may bring rules that aren't there yet, and keeps their order: 11.5.2 (grafana/grafana#99858). Before, it fails of them.
    pub(super) write: bool,
    /// It can be deleted: 11.0.
    pub(super) delete: bool,
}

impl Abilities {
    /// Those of a version such as `12.1.0-91295`. One that isn't told has none.
    pub(super) fn of(version: Option<&str>) -> Self {
        let mut numbers = version
            .unwrap_or_default()
            .trim_start_matches('v')
            .split(['.', '-', '+']);
        let mut next = || numbers.next().and_then(|number| number.parse::<u32>().ok());
        let version = [next().unwrap_or(0), next().unwrap_or(0), next().unwrap_or(0)];
        Self {
            write: version >= [11, 5, 2],
            delete: version >= [11, 0, 0],
        }
    }
}

/// Whether a rule can be written in one go with the one that has waited longest.
pub(super) fn goes_with(first: &Wish, other: &Wish) -> bool {
    first.interval == other.interval && first.provenance == other.provenance
}

/// The one of these rules that a refusal names, if it names just one.
pub(super) fn named<'a>(message: &str, uids: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let mut named = uids.into_iter().filter(|uid| message.contains(uid));
    named.next().filter(|_| named.next().is_none())
}

/// The body that writes all these wishes into the group that was found, with the interval that they wish for it. `is_ours` is asked of uid
/// and mark of every other rule in it.
///
/// Rules stay in their order; new ones follow, by title, so that it doesn't matter who came first.
pub(super) fn together(
    (folder_uid, name): &Key,
    found: &Group,
    wishes: &[&Wish],
    is_ours: &dyn Fn(&str, &str) -> bool,
) -> Result<Value, Apart> {
    let [first, _, ..] = wishes else {
        return Err(Apart::Alone);
    };
    let mut by_uid: HashMap<&str, &Wish> = wishes.iter().map(|wish| (wish.uid.as_str(), *wish)).collect();
    let mut rules = Vec::with_capacity(found.rules.len() + wishes.len());
    for rule in &found.rules {
        match by_uid.remove(uid(rule)) {
            Some(wish) => rules.push(wish.body.clone()),
            None if mark(rule).is_some_and(|mark| is_ours(uid(rule), mark)) => rules.push(rule.clone()),
            None => return Err(Apart::Foreign(uid(rule).to_owned())),
        }
    }
    let mut new: Vec<&Wish> = by_uid.into_values().collect();
    new.sort_by(|a, b| (&a.title, &a.uid).cmp(&(&b.title, &b.uid)));
    rules.extend(new.into_iter().map(|wish| wish.body.clone()));
    Ok(json!({
        "title": name, "folderUid": folder_uid, "interval": first.interval, "rules": rules,
    }))
}

/// Whether a group holds nothing but rules that are to be deleted.
pub(super) fn are_all(found: &Group, uids: &HashSet<&str>) -> bool {
    !found.rules.is_empty() && found.rules.iter().all(|rule| uids.contains(uid(rule)))
}

fn uid(rule: &Value) -> &str {
    rule.get("uid").and_then(Value::as_str).unwrap_or_default()
}

fn mark(rule: &Value) -> Option<&str> {
    rule.get("labels")?.get(OWNER_LABEL)?.as_str()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::subsequence;

    use super::*;

    /// Rules by their uids, whose titles are in the same order.
    const NAMES: [&str; 6] = ["a", "b", "c", "d", "e", "f"];

    fn wish(uid: &str) -> Wish {
        Wish {
            uid: uid.to_owned(),
            title: format!("T {uid}"),
            interval: 30,
            provenance: Provenance::Api,
            body: json!({"uid": uid, "wished": true}),
        }
    }

    /// A rule as it is read, with what nobody here knows.
    fn read(uid: &str, mark: &str) -> Value {
        json!({"uid": uid, "labels": {OWNER_LABEL: mark}, "orgID": 1, "later": {"grafana": [1.5, null]}})
    }

    fn group(rules: Vec<Value>) -> Group {
        Group { rules }
    }

    fn written(found: &Group, wishes: &[Wish]) -> Result<Value, Apart> {
        let wishes: Vec<&Wish> = wishes.iter().collect();
        together(
            &("f".to_owned(), "g".to_owned()),
            found,
            &wishes,
            &|uid: &str, mark: &str| mark.starts_with("ours/") && uid != "copy",
        )
    }

    fn uids(body: &Value) -> Vec<&str> {
        body["rules"].as_array().unwrap().iter().map(uid).collect()
    }

    #[test]
    fn rules_that_are_ours_are_sent_back_exactly_as_read_and_in_their_order() {
        let found = group(vec![
            read("z", "ours/ns/z"),
            read("b", "ours/ns/b"),
            read("a", "ours/ns/a"),
        ]);
        let body = written(&found, &[wish("d"), wish("b"), wish("c")]).unwrap();
        assert_eq!(uids(&body), ["z", "b", "a", "c", "d"]);
        assert_eq!(body["rules"][0], found.rules[0]);
        assert_eq!(body["rules"][2], found.rules[2]);
        assert_eq!(body["rules"][1], wish("b").body, "as it is wished");
    }

    #[test]
    fn folder_name_and_interval_are_the_wished_ones() {
        let body = written(&group(vec![]), &[wish("a"), wish("b")]).unwrap();
        let head = [&body["title"], &body["folderUid"], &body["interval"]];
        assert_eq!(head, [&json!("g"), &json!("f"), &json!(30)]);
    }

    proptest! {
        #[test]
        fn the_order_is_what_is_there_and_then_by_title_whoever_came_first(
            there in subsequence(NAMES.to_vec(), 0..=NAMES.len()).prop_shuffle(),
            coming in subsequence(NAMES.to_vec(), 2..=NAMES.len()).prop_shuffle(),
        ) {
            let stands = |names: &[&str]| {
                let rules = names.iter().map(|name| read(name, &format!("ours/ns/{name}")));
                group(rules.collect())
            };
            let wishes: Vec<_> = coming.iter().map(|name| wish(name)).collect();
            let body = written(&stands(&there), &wishes).unwrap();
            let mut new: Vec<_> = coming.iter().copied().filter(|name| !there.contains(name)).collect();
            new.sort_unstable();
            let expected: Vec<_> = there.iter().copied().chain(new).collect();
            prop_assert_eq!(uids(&body), expected.clone());
            // Once it stands, the same rules move nothing.
            let again = written(&stands(&expected), &wishes).unwrap();
            prop_assert_eq!(uids(&again), expected);
        }
    }

    #[test]
    fn a_rule_that_is_not_ours_keeps_all_others_apart() {
        let unmarked = json!({"uid": "x", "labels": null});
        let copy = read("copy", "ours/ns/a");
        for foreign in [read("x", "theirs/ns/x"), unmarked, json!({"uid": "x"}), copy] {
            let named = uid(&foreign).to_owned();
            let found = group(vec![read("a", "ours/ns/a"), foreign]);
            assert_eq!(
                written(&found, &[wish("b"), wish("c")]).unwrap_err(),
                Apart::Foreign(named)
            );
        }
    }

    #[test]
    fn a_rule_that_is_taken_over_or_moves_in_is_as_it_is_wished() {
        // That it may be taken over was decided before.
        let found = group(vec![read("taken", "theirs/ns/x")]);
        let body = written(&found, &[wish("moves-in"), wish("taken")]).unwrap();
        assert_eq!(uids(&body), ["taken", "moves-in"]);
        assert!(
            body["rules"]
                .as_array()
                .unwrap()
                .iter()
                .all(|rule| rule["wished"] == true)
        );
    }

    #[test]
    fn one_alone_is_not_written_as_a_group() {
        assert_eq!(written(&group(vec![]), &[wish("a")]).unwrap_err(), Apart::Alone);
        assert_eq!(written(&group(vec![]), &[]).unwrap_err(), Apart::Alone);
    }

    #[test]
    fn only_those_of_one_interval_and_provenance_are_written_together() {
        let slow = Wish {
            interval: 60,
            ..wish("slow")
        };
        let nobodys = Wish {
            provenance: Provenance::None,
            ..wish("nobodys")
        };
        assert!(goes_with(&wish("a"), &wish("b")));
        assert!(!goes_with(&wish("a"), &slow));
        assert!(!goes_with(&wish("a"), &nobodys));
    }

    #[test]
    fn a_refusal_may_name_the_rule_that_is_at_fault() {
        let message = "conflicting alert rule found [rule_uid:'aw-2', title:'T']";
        assert_eq!(named(message, ["aw-1", "aw-2"]), Some("aw-2"));
        assert_eq!(named("aw-1 and aw-2", ["aw-1", "aw-2"]), None);
        assert_eq!(named("invalid alert rule", ["aw-1", "aw-2"]), None);
    }

    #[test]
    fn a_group_goes_as_a_whole_only_with_all_that_it_holds() {
        let found = group(vec![read("a", "ours/ns/a"), read("b", "ours/ns/b")]);
        assert!(are_all(&found, &HashSet::from(["a", "b", "gone"])));
        assert!(!are_all(&found, &HashSet::from(["a"])));
        assert!(!are_all(&group(vec![]), &HashSet::from(["a"])));
    }

    #[test]
    fn versions_differ_in_what_they_do_with_a_group() {
        let of = |version| {
            let abilities = Abilities::of(Some(version));
            (abilities.write, abilities.delete)
        };
        for (version, expected) in [
            ("10.4.19", (false, false)),
            ("11.0.0", (false, true)),
            ("11.5.1", (false, true)),
            ("11.5.2", (true, true)),
            ("11.5.2+security-01", (true, true)),
            ("11.6.0-pre", (true, true)),
            ("v12.0", (true, true)),
            ("13.1.0-25926265225", (true, true)),
            ("", (false, false)),
        ] {
            assert_eq!(of(version), expected, "{version}");
        }
        assert_eq!(Abilities::of(None), Abilities::default());
    }
}
