//! How many rules a silence may cover.

use std::collections::BTreeMap;

use super::{Selection, Wish, as_matcher};
use crate::api::alert_rule::AlertRuleSpec;
use crate::api::matcher::Matcher;
use crate::api::silence::SilenceSpec;
use crate::domain::ownership::LABEL;
use crate::domain::refusal::Refusal;
use crate::domain::rule;
use crate::grafana::wire::SilenceMatcher;

/// The label that has the title of an alert's rule.
const ALERT_NAME: &str = "alertname";
/// How many names a message has.
const NAMED: usize = 3;

/// What alerts of any rule are called while its query returns nothing or fails.
pub const OTHER_NAMES: [&str; 2] = ["DatasourceNoData", "DatasourceError"];

/// What Grafana itself adds to alerts, to some only while a query returns nothing or fails.
const OF_GRAFANA: [&str; 4] = ["grafana_folder", "rulename", "datasource_uid", "ref_id"];

/// The labels that a rule gives its alerts: its own, its severity, those of its instance, and its title.
pub fn labels(
    spec: &AlertRuleSpec,
    title: &str,
    of_instance: &BTreeMap<String, String>,
) -> BTreeMap<String, String> {
    let mut labels = of_instance.clone();
    labels.extend(spec.labels.clone());
    labels.extend(spec.severity.clone().map(|text| ("severity".to_owned(), text)));
    labels.insert(ALERT_NAME.to_owned(), title.to_owned());
    labels
}

/// A rule that a silence may cover.
pub struct Candidate<'a> {
    /// What it is called where it is told of: its name, with its namespace where rules of others are among them.
    pub called: String,
    /// Its name.
    pub name: &'a str,
    /// What it asks for.
    pub spec: &'a AlertRuleSpec,
}

/// Of these rules, all of which a silence's selection may reach, those that it covers, by what they are called.
pub fn covered<'a>(
    wish: &Wish,
    selection: &Selection,
    rules: impl Iterator<Item = Candidate<'a>>,
    of_instance: &BTreeMap<String, String>,
) -> Vec<String> {
    let is_selected = |rule: &Candidate<'_>| match selection {
        Selection::Rules(selected) => selected.iter().any(|name| name == rule.name),
        Selection::Namespace | Selection::Matchers => true,
    };
    // A recording rule has no alerts.
    let selected = rules.filter(|rule| rule.spec.record.is_none() && is_selected(rule));
    let labelled = selected.map(|rule| {
        let title = rule::title(rule.spec, rule.name);
        (rule.called, labels(rule.spec, title, of_instance))
    });
    reached(&wish.matchers, labelled)
}

/// Of these rules (what they are called, and their [`labels`]) those that the matchers may reach. A rule's own labels come before
/// those of its query, so one that contradicts a matcher is out of reach; a label that it doesn't set may come from the query, and one with a
/// template in it may be anything.
pub fn reached(
    matchers: &[SilenceMatcher],
    rules: impl Iterator<Item = (String, BTreeMap<String, String>)>,
) -> Vec<String> {
    let own = matchers.iter().filter(|matcher| matcher.name != LABEL);
    let matchers: Vec<Matcher> = own.filter_map(as_matcher).collect();
    let reached = rules.filter_map(|(name, labels)| is_reached(&matchers, labels).then_some(name));
    reached.collect()
}

/// Whether the matchers that a silence asks for may reach a rule with these [`labels`].
pub fn may_reach(spec: &SilenceSpec, labels: BTreeMap<String, String>) -> bool {
    let matchers = spec.matchers.iter();
    let matchers: Vec<Matcher> = matchers
        .filter_map(|text| Matcher::parse(text.as_str()).ok())
        .collect();
    is_reached(&matchers, labels)
}

fn is_reached(matchers: &[Matcher], mut labels: BTreeMap<String, String>) -> bool {
    let may_reach = |labels: &BTreeMap<String, String>| {
        matchers.iter().all(|matcher| {
            let is_fixed = labels
                .get(&matcher.label)
                .is_some_and(|value| !value.contains("{{"));
            !is_fixed || matcher.matches(labels) != Some(false)
        })
    };
    may_reach(&labels)
        || OTHER_NAMES.iter().any(|name| {
            labels.insert(ALERT_NAME.to_owned(), (*name).to_owned());
            may_reach(&labels)
        })
}

/// The labels that a silence asks for and that a rule with these [`labels`] may lack: only where its query adds them are its alerts covered.
pub fn left_to_query(spec: &SilenceSpec, labels: &BTreeMap<String, String>) -> Vec<String> {
    let matchers = spec.matchers.iter();
    let matchers = matchers.filter_map(|text| Matcher::parse(text.as_str()).ok());
    let is_left = |matcher: &Matcher| match labels.get(&matcher.label) {
        Some(value) => value.contains("{{"),
        None => !matcher.matches_empty() && !OF_GRAFANA.contains(&matcher.label.as_str()),
    };
    matchers.filter(is_left).map(|matcher| matcher.label).collect()
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
            rules.into_iter().map(|(name, labels)| (name.to_owned(), labels)),
        )
    }

    #[test]
    fn severity_title_and_labels_of_the_instance_count_as_the_rules_own() {
        let of_instance = BTreeMap::from([("cluster", "prod"), ("team", "all")]);
        let of_instance = of_instance
            .into_iter()
            .map(|(k, v)| (k.to_owned(), v.to_owned()))
            .collect();
        let spec = serde_json::json!({"query": "up == 0", "severity": "critical", "labels": {"team": "api"}});
        let spec: AlertRuleSpec = serde_json::from_value(spec).unwrap();
        let labels = labels(&spec, "Down", &of_instance);
        let is_reached = |name: &str, value: &str| {
            let rule = ("down".to_owned(), labels.clone());
            !reached(&[matcher(name, value, false, true)], [rule].into_iter()).is_empty()
        };
        for (name, value, expected) in [
            ("severity", "critical", true),
            ("severity", "info", false),
            ("cluster", "prod", true),
            ("cluster", "test", false),
            ("team", "api", true),
            ("team", "all", false),
            ("alertname", "Down", true),
            ("alertname", "Up", false),
            ("alertname", "DatasourceNoData", true),
            ("alertname", "DatasourceError", true),
        ] {
            assert_eq!(is_reached(name, value), expected, "{name}={value}");
        }
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
    fn a_label_that_no_rule_sets_is_left_to_its_query() {
        let of = |matcher: &str, labels: &[(&str, &str)]| {
            let spec = serde_json::json!({"matchers": [matcher], "duration": "1h"});
            let labels = labels
                .iter()
                .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
                .collect();
            left_to_query(&serde_json::from_value(spec).unwrap(), &labels)
        };
        assert_eq!(of("severty=critical", &[("severity", "critical")]), ["severty"]);
        assert_eq!(of("team=a", &[("team", "{{ $labels.team }}")]), ["team"]);
        for sure in ["team=a", "pod!=x", "grafana_folder=f", "ref_id=A"] {
            assert_eq!(of(sure, &[("team", "a")]), [""; 0], "{sure}");
        }
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
