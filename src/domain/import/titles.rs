//! Titles of the AlertRules, for a Grafana where those of a folder must differ.

use std::collections::{BTreeMap, BTreeSet};

use kube::ResourceExt;

use super::remark::Remarks;
use super::stored;
use crate::api::prometheus_rule_import::Remark;
use crate::api::{ANNOTATION_SOURCE, AlertRule};
use crate::domain::version::Version;

/// Gives titles that several rules have numbers, and says so. An AlertRule that is there keeps the title that it has: with another one its alerts
/// would end, and others begin.
pub(super) fn tell_apart(
    rules: &mut [AlertRule],
    different: &mut Remarks,
    known: &BTreeMap<String, String>,
    version: Version,
) {
    let plain = |rule: &AlertRule| rule.spec.title.clone().unwrap_or_default();
    let mut taken: BTreeSet<String> = BTreeSet::new();
    let mut keep = |rule: &AlertRule| {
        let kept = known.get(&rule.name_any())?;
        let is_kept = is_of(kept, &plain(rule)) && taken.insert(kept.clone());
        is_kept.then(|| kept.clone())
    };
    let kept: Vec<Option<String>> = rules.iter().map(&mut keep).collect();
    let mut next: BTreeMap<String, usize> = BTreeMap::new();
    for (rule, kept) in rules.iter_mut().zip(kept) {
        let plain = plain(rule);
        let title = kept.unwrap_or_else(|| {
            let nth = next.entry(plain.clone()).or_insert(1);
            loop {
                let title = numbered(&plain, *nth);
                *nth += 1;
                if taken.insert(title.clone()) {
                    break title;
                }
            }
        });
        if title == plain {
            continue;
        }
        let message = format!(
            "is called {title:?}, and so is its label alertname: Grafana {version} wants the titles of a folder to differ"
        );
        different.push(Remark {
            source: rule
                .annotations()
                .get(ANNOTATION_SOURCE)
                .cloned()
                .unwrap_or_default(),
            group: None,
            rule: Some(plain),
            message,
        });
        stored::rename(rule, title);
    }
}

/// A title with a number, which the first one goes without.
fn numbered(plain: &str, nth: usize) -> String {
    if nth == 1 {
        plain.to_owned()
    } else {
        format!("{plain} ({nth})")
    }
}

/// Whether a title is the plain one, with a number or without.
fn is_of(title: &str, plain: &str) -> bool {
    let Some(rest) = title.strip_prefix(plain) else {
        return false;
    };
    let number = rest.strip_prefix(" (").and_then(|rest| rest.strip_suffix(')'));
    rest.is_empty() || number.is_some_and(|number| number.parse::<usize>().is_ok_and(|nth| nth > 1))
}

#[cfg(test)]
#[path = "titles_tests.rs"]
mod tests;
