//! Which resources are asked for.

use std::collections::{BTreeMap, BTreeSet};

use kube::core::{Expression, Selector as Labels, SelectorExt};

use super::super::common::dns;
use crate::domain::lint::near::nearest;

/// The kinds that there are, with their plurals and short names.
const KINDS: [(&str, [&str; 2]); 7] = [
    ("AlertRule", ["alertrules", "arule"]),
    ("ContactPoint", ["contactpoints", "cpoint"]),
    ("InhibitionRule", ["inhibitionrules", "irule"]),
    ("NotificationPolicy", ["notificationpolicies", "npolicy"]),
    ("NotificationTemplate", ["notificationtemplates", "ntemplate"]),
    ("Silence", ["silences", "sil"]),
    ("TimeInterval", ["timeintervals", "tinterval"]),
];

/// What is asked for, beside files and namespaces.
pub(super) struct Asked<'a> {
    pub(super) only: &'a [(String, Option<String>)],
    pub(super) selector: Option<&'a Selector>,
}

/// Labels that are asked for.
#[derive(Debug, Clone)]
pub(in super::super) struct Selector(Vec<Expression>);

impl Selector {
    /// Whether something has these labels.
    pub(in super::super) fn chooses(&self, labels: &BTreeMap<String, String>) -> bool {
        let all: Labels = self.0.iter().cloned().collect();
        all.matches(labels)
    }
}

/// Every kind that is compared.
pub(in super::super) fn kinds() -> impl Iterator<Item = &'static str> {
    KINDS.iter().map(|(kind, _)| *kind)
}

/// A kind, or a kind and a name, as people write them.
pub(in super::super) fn named(text: &str) -> Result<(String, Option<String>), String> {
    let (kind, name) = text
        .split_once('/')
        .map_or((text, None), |(kind, name)| (kind, Some(name)));
    let plain = kind.to_ascii_lowercase();
    let is_it = |(own, others): &&(&str, [&str; 2])| {
        own.to_ascii_lowercase() == plain || others.contains(&plain.as_str())
    };
    let Some((kind, _)) = KINDS.iter().find(is_it) else {
        let near = nearest(kind, KINDS.iter().map(|(kind, _)| *kind));
        let near = near.map_or_else(String::new, |near| format!("; did you mean {near}?"));
        return Err(format!("there is no kind {kind}{near}"));
    };
    match name {
        Some("") => Err(format!("{text} names nothing behind the /")),
        name => Ok(((*kind).to_owned(), name.map(dns::name).transpose()?)),
    }
}

/// A selector as kubectl takes them: of equal and unequal labels, of those that have one of several values or none, and of those that are there or not.
pub(in super::super) fn selector(text: &str) -> Result<Selector, String> {
    let one = |part: &str| -> Result<Expression, String> {
        let part = part.trim();
        let wrong = || {
            format!(
                "{text:?} is no selector; write one such as team=payments,tier!=low or 'team in (web,api)'"
            )
        };
        if let Some((head, values)) = part.strip_suffix(')').and_then(|part| part.split_once('(')) {
            let values: BTreeSet<String> = values.split(',').map(|value| value.trim().to_owned()).collect();
            let words: Vec<&str> = head.split_whitespace().collect();
            return match words.as_slice() {
                _ if values.iter().any(|value| value.contains(['(', ' '])) => Err(wrong()),
                [key, "in"] => Ok(Expression::In((*key).to_owned(), values)),
                [key, "notin"] => Ok(Expression::NotIn((*key).to_owned(), values)),
                _ => Err(wrong()),
            };
        }
        let pair = |(key, value): (&str, &str)| (key.trim().to_owned(), value.trim().to_owned());
        if let Some((key, value)) = part.split_once("!=").map(pair) {
            return Ok(Expression::NotEqual(key, value));
        }
        let equal = part.split_once("==").or_else(|| part.split_once('='));
        if let Some((key, value)) = equal.map(pair) {
            return Ok(Expression::Equal(key, value));
        }
        match part.strip_prefix('!') {
            _ if part.is_empty() || part.contains([' ', '(', ')']) => Err(wrong()),
            Some(key) => Ok(Expression::DoesNotExist(key.to_owned())),
            None => Ok(Expression::Exists(part.to_owned())),
        }
    };
    // Commas within brackets are between values.
    let mut depth = 0_usize;
    let parts = text.split(|c| {
        depth = match c {
            '(' => depth + 1,
            ')' => depth.saturating_sub(1),
            _ => depth,
        };
        c == ',' && depth == 0
    });
    parts.map(one).collect::<Result<_, _>>().map(Selector)
}

/// Why what somebody asks for by its name isn't compared: it isn't there, or is for these instances and not for that one.
pub(super) fn absent(
    what: &str,
    place: &str,
    theirs: Option<(&BTreeSet<String>, &str)>,
    more: &str,
) -> String {
    let Some((theirs, own)) = theirs else {
        return format!("there is no {what} {place} to compare{more}");
    };
    let theirs: Vec<&str> = theirs.iter().map(String::as_str).collect();
    format!(
        "{what} {place} is for GrafanaInstance {}, and this asks {own}: name its own with --instance",
        theirs.join(" and ")
    )
}

/// Why no cluster is asked, and that none has to be.
pub(super) fn unconnected(why: &str, may_be_alone: bool) -> String {
    if may_be_alone {
        format!("{why}; or give the operator's owner id with --owner-id, and no cluster is asked")
    } else {
        why.to_owned()
    }
}

/// What the annotation says by which a resource of a kind takes over: a Silence may name one of Grafana's by its id, which stays.
pub(in super::super) fn adopting(kind: &str, now: Option<&str>) -> String {
    let id = now.filter(|id| kind == "Silence" && !id.is_empty());
    id.unwrap_or("true").to_owned()
}

impl Asked<'_> {
    /// Whether a resource is asked for.
    pub(super) fn is_meant(&self, kind: &str, name: &str, labels: &BTreeMap<String, String>) -> bool {
        let is_named = |(own, only): &(String, Option<String>)| {
            own == kind && only.as_deref().is_none_or(|only| only == name)
        };
        (self.only.is_empty() || self.only.iter().any(is_named))
            && self.selector.is_none_or(|selector| selector.chooses(labels))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_named_as_kubectl_takes_them() {
        let all = ["alertrule/a", "AlertRule/a", "alertrules/a", "arule/a"];
        for text in all {
            assert_eq!(named(text), Ok(("AlertRule".to_owned(), Some("a".to_owned()))));
        }
        assert_eq!(named("npolicy"), Ok(("NotificationPolicy".to_owned(), None)));
        assert!(
            named("alertrul/a")
                .unwrap_err()
                .contains("did you mean AlertRule?")
        );
        assert!(named("silence/").is_err());
    }

    #[test]
    fn the_silence_that_is_named_by_its_id_stays_the_one_that_is_taken_over() {
        assert_eq!(adopting("Silence", Some("a95611c1")), "a95611c1");
        assert_eq!(adopting("Silence", None), "true");
        assert_eq!(adopting("ContactPoint", Some("yes")), "true");
    }

    #[test]
    fn what_is_for_another_grafana_is_told_from_what_is_not_there() {
        let theirs = BTreeSet::from(["h117".to_owned(), "h124".to_owned()]);
        assert_eq!(
            absent("AlertRule/a", "in namespace n", Some((&theirs, "default")), ""),
            "AlertRule/a in namespace n is for GrafanaInstance h117 and h124, and this asks default: name its own with --instance"
        );
        assert_eq!(
            absent("AlertRule/a", "in the files", None, "; m"),
            "there is no AlertRule/a in the files to compare; m"
        );
    }

    #[test]
    fn files_and_an_address_need_no_cluster_once_the_owner_is_named() {
        assert!(unconnected("no cluster", true).contains("--owner-id"));
        assert_eq!(unconnected("no cluster", false), "no cluster");
    }

    #[test]
    fn a_selector_chooses_by_labels() {
        let labels = |all: &[(&str, &str)]| -> BTreeMap<String, String> {
            all.iter()
                .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
                .collect()
        };
        let chosen = |text: &str, own: &[(&str, &str)]| {
            let selector = selector(text).unwrap();
            let asked = Asked {
                only: &[],
                selector: Some(&selector),
            };
            asked.is_meant("AlertRule", "a", &labels(own))
        };
        assert!(chosen("team=pay,tier!=low", &[("team", "pay")]));
        assert!(!chosen("team=pay,tier!=low", &[("team", "pay"), ("tier", "low")]));
        assert!(chosen("team,!tier", &[("team", "x")]) && !chosen("team", &[]));
        let several = "team in (web, api),tier notin (low),!old";
        assert!(chosen(several, &[("team", "api")]) && chosen(several, &[("team", "web"), ("tier", "high")]));
        assert!(!chosen(several, &[("team", "ops")]) && !chosen(several, &[]));
        assert!(!chosen(several, &[("team", "api"), ("tier", "low")]));
        assert!(!chosen(several, &[("team", "api"), ("old", "")]));
        for wrong in [
            "",
            "team in",
            "team in a",
            "team of (a)",
            "in (a)",
            "team in (a",
            "team in (a b)",
            "a b",
        ] {
            assert!(selector(wrong).is_err(), "{wrong}");
        }
    }
}
