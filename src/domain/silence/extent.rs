//! How many rules a silence may cover.

use std::collections::BTreeMap;

use super::as_matcher;
use crate::api::matcher::Matcher;
use crate::domain::ownership::LABEL;
use crate::domain::refusal::Refusal;
use crate::grafana::wire::SilenceMatcher;

/// How many names a message has.
const NAMED: usize = 3;

/// Of these rules (what they are called, and the labels of their specification) those that the matchers may reach. A rule's own labels come before
/// those of its query, so one that contradicts a matcher is out of reach; a label that it doesn't set may come from the query, and one with a
/// template in it may be anything.
pub fn reached<'a>(
    matchers: &[SilenceMatcher],
    rules: impl Iterator<Item = (String, &'a BTreeMap<String, String>)>,
) -> Vec<String> {
    let matchers: Vec<Matcher> = matchers
        .iter()
        .filter(|matcher| matcher.name != LABEL)
        .filter_map(as_matcher)
        .collect();
    rules
        .filter(|(_, labels)| {
            matchers.iter().all(|matcher| {
                let is_fixed = labels
                    .get(&matcher.label)
                    .is_some_and(|value| !value.contains("{{"));
                !is_fixed || matcher.matches(labels) != Some(false)
            })
        })
        .map(|(name, _)| name)
        .collect()
}

/// Fails if a silence would cover more rules than one may.
pub fn check(most: usize, mut reached: Vec<String>, instance: &str) -> Result<(), Refusal> {
    let count = reached.len();
    if count <= most {
        return Ok(());
    }
    reached.sort();
    reached.truncate(NAMED);
    let others = match count - reached.len() {
        0 => String::new(),
        others => format!(" and {others} more"),
    };
    Err(Refusal::invalid(
        "spec",
        format!(
            "this would cover {count} AlertRules ({}{others}), and GrafanaInstance {instance} allows {most} for one silence (spec.maxRulesPerSilence); narrow it by alertRules or matchers",
            reached.join(", ")
        ),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::silence::tests::matcher;

    fn reached_of(matchers: &[SilenceMatcher]) -> Vec<String> {
        let rules = [
            ("api", "team", "api"),
            ("web", "team", "web"),
            ("any", "x", "y"),
            ("templated", "team", "{{ $labels.team }}"),
        ];
        let rules =
            rules.map(|(name, label, value)| (name, BTreeMap::from([(label.to_owned(), value.to_owned())])));
        reached(
            matchers,
            rules.iter().map(|(name, labels)| ((*name).to_owned(), labels)),
        )
    }

    #[test]
    fn a_rule_whose_own_label_contradicts_a_matcher_is_out_of_reach() {
        let all = ["api", "web", "any", "templated"];
        assert_eq!(reached_of(&[]), all);
        assert_eq!(
            reached_of(&[matcher("team", "web", false, true)]),
            ["web", "any", "templated"]
        );
        assert_eq!(reached_of(&[matcher("team", "web|api", true, true)]), all);
        assert_eq!(
            reached_of(&[matcher("team", "web", false, false)]),
            ["api", "any", "templated"]
        );
        assert_eq!(
            reached_of(&[matcher("severity", "x", false, true)]),
            all,
            "the label may come from the query"
        );
        assert_eq!(
            reached_of(&[matcher(LABEL, "p/other/.*", true, true)]),
            all,
            "that is the selection's"
        );
    }

    #[test]
    fn what_would_be_covered_is_named_with_the_limit() {
        let names = |count: usize| (0..count).map(|i| format!("r{i}")).collect::<Vec<_>>();
        assert_eq!(check(5, names(5), "default"), Ok(()));
        assert_eq!(
            check(4, names(5), "default").unwrap_err().message,
            "spec: this would cover 5 AlertRules (r0, r1, r2 and 2 more), and GrafanaInstance default allows 4 for one silence (spec.maxRulesPerSilence); narrow it by alertRules or matchers"
        );
        assert!(check(1, names(2), "g").unwrap_err().message.contains("(r0, r1)"));
    }
}
