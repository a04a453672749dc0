//! InhibitionRule → the inhibition rule that Grafana should hold.

use std::fmt::Write as _;

use crate::api::condition::Reason;
use crate::api::matcher::MatcherText;
use crate::api::notification::inhibition_rule::InhibitionRuleSpec;
use crate::domain::ownership::LABEL;
use crate::domain::refusal::Refusal;
use crate::domain::version::Version;
use crate::grafana::model::{InhibitionRule, ObjectMatcher, object_matcher};
use crate::grafana::wire::Toggles;

/// How many characters a name may have (`InhibitRuleToInhibitionRule` in `pkg/services/ngalert/notifier/legacy_storage`, 13.0).
const LONGEST_NAME: usize = 40;

/// Fails where this Grafana has no inhibition rules, or doesn't show them.
pub fn refuse_what_is_too_new(is_served: bool, version: Version) -> Result<(), Refusal> {
    if is_served {
        return Ok(());
    }
    let since = Version::INHIBITION_RULES;
    let message = if version < since {
        format!("inhibition rules need Grafana {since}; this one is {version}. Upgrade Grafana")
    } else {
        format!(
            "Grafana {version} has inhibition rules below /apis alone, and nothing of notifications.alerting.grafana.app is to be seen there. Let /apis through to it"
        )
    };
    Err(Refusal::new(Reason::Unsupported, message))
}

/// What to know of a Grafana that keeps inhibition rules and holds nothing back by them.
pub fn unheeded(version: Version, toggles: Toggles) -> Option<String> {
    (!version.heeds_inhibition_rules(toggles)).then(|| {
        format!(
            "Grafana {version} keeps the rule and holds back no alert by it: it heeds inhibition rules from {} on, and before with the feature toggle alertingMultiplePolicies, which is off",
            Version::SEVERAL_TREES
        )
    })
}

/// The inhibition rule that Grafana should hold under a name. It holds back alerts that match the ownership pattern alone, where there is one.
pub fn inhibition_rule(
    spec: &InhibitionRuleSpec,
    name: &str,
    tenant: Option<&str>,
) -> Result<InhibitionRule, Refusal> {
    let length = name.chars().count();
    if length > LONGEST_NAME {
        return Err(Refusal::invalid(
            "spec.name",
            format!(
                "Grafana takes names of at most {LONGEST_NAME} characters, and {name} has {length}; give a shorter one"
            ),
        ));
    }
    let source_matchers = matchers(&spec.source_matchers, "spec.sourceMatchers")?;
    let mut target_matchers = Vec::from_iter(tenant.map(|pattern| object_matcher(LABEL, "=~", pattern)));
    target_matchers.extend(matchers(&spec.target_matchers, "spec.targetMatchers")?);
    Ok(InhibitionRule {
        name: name.to_owned(),
        source_matchers,
        target_matchers,
        equal: spec.equal.clone(),
    })
}

fn matchers(texts: &[MatcherText], field: &str) -> Result<Vec<ObjectMatcher>, Refusal> {
    if texts.is_empty() {
        return Err(Refusal::invalid(field, "give at least one matcher"));
    }
    let all = texts.iter().enumerate().map(|(i, text)| {
        let matcher = text
            .parse()
            .map_err(|error| Refusal::invalid(&format!("{field}[{i}]"), error))?;
        Ok(object_matcher(
            &matcher.label,
            matcher.op.as_str(),
            &matcher.value,
        ))
    });
    all.collect()
}

/// Whether both hold back the same.
pub fn is_same(one: &InhibitionRule, other: &InhibitionRule) -> bool {
    said(one) == said(other)
}

/// The fields that somebody has changed of an inhibition rule, as the specification calls them.
pub fn changed(found: &InhibitionRule, wish: &InhibitionRule) -> Vec<String> {
    let both = said(found).into_iter().zip(said(wish));
    both.filter(|(there, here)| there != here)
        .map(|((field, _), _)| field.to_owned())
        .collect()
}

/// What two inhibition rules say, where they differ: first what Grafana has.
pub fn difference(found: &InhibitionRule, wish: &InhibitionRule) -> String {
    let mut all = String::new();
    for ((what, there), (_, here)) in said(found).into_iter().zip(said(wish)) {
        if there != here {
            let and = if all.is_empty() { "" } else { "; " };
            let _ = write!(
                all,
                "{and}{what} {} there, and {} here",
                list(&there),
                list(&here)
            );
        }
    }
    all
}

/// What it says, in one form: of its entries neither order nor number matters.
fn said(rule: &InhibitionRule) -> [(&'static str, Vec<String>); 3] {
    let set = |mut all: Vec<String>| {
        all.sort_unstable();
        all.dedup();
        all
    };
    let matchers = |all: &[ObjectMatcher]| {
        let all = all.iter();
        set(all
            .map(|(label, op, value)| format!("{label}{op}{value:?}"))
            .collect())
    };
    [
        ("sourceMatchers", matchers(&rule.source_matchers)),
        ("targetMatchers", matchers(&rule.target_matchers)),
        ("equal", set(rule.equal.clone())),
    ]
}

fn list(all: &[String]) -> String {
    if all.is_empty() {
        "nothing".to_owned()
    } else {
        all.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, from_value, json};

    use super::*;

    fn spec(value: Value) -> InhibitionRuleSpec {
        from_value(value).unwrap()
    }

    fn down() -> InhibitionRuleSpec {
        spec(json!({
            "sourceMatchers": ["alertname=\"NodeDown\""], "targetMatchers": ["severity=~\"warning|info\"", "team!=ops"],
            "equal": ["node"],
        }))
    }

    #[test]
    fn an_inhibition_rule_says_in_grafana_what_it_says_here_and_holds_back_the_alerts_of_its_tenant_alone() {
        let matcher = |label, op, value| object_matcher(label, op, value);
        let own = [
            matcher("severity", "=~", "warning|info"),
            matcher("team", "!=", "ops"),
        ];
        let everybodys = inhibition_rule(&down(), "node", None).unwrap();
        assert_eq!(
            everybodys,
            InhibitionRule {
                name: "node".to_owned(),
                source_matchers: vec![matcher("alertname", "=", "NodeDown")],
                target_matchers: own.to_vec(),
                equal: vec!["node".to_owned()],
            }
        );
        let tenants = inhibition_rule(&down(), "node", Some("own/revel/.*")).unwrap();
        assert_eq!(tenants.source_matchers, everybodys.source_matchers);
        assert_eq!(tenants.target_matchers[0], matcher(LABEL, "=~", "own/revel/.*"));
        assert_eq!(tenants.target_matchers[1..], own);
    }

    #[test]
    fn what_grafana_would_refuse_is_named_by_its_field() {
        let long = "n".repeat(41);
        for (spec, name, message) in [
            (
                down(),
                long.as_str(),
                "spec.name: Grafana takes names of at most 40 characters",
            ),
            (
                spec(json!({"sourceMatchers": ["a=b"], "targetMatchers": ["a=b", "c"]})),
                "n",
                "spec.targetMatchers[1]: ",
            ),
            (
                spec(json!({"sourceMatchers": [], "targetMatchers": ["a=b"]})),
                "n",
                "spec.sourceMatchers: give at least one matcher",
            ),
        ] {
            let refusal = inhibition_rule(&spec, name, None).unwrap_err();
            assert_eq!(refusal.reason, Reason::Invalid);
            assert!(refusal.message.starts_with(message), "{}", refusal.message);
        }
        assert!(inhibition_rule(&down(), &long[1..], None).is_ok());
    }

    #[test]
    fn neither_order_nor_number_makes_a_difference_and_what_does_is_told() {
        let rule = |source: &[&str], equal: &[&str]| {
            let spec = json!({"sourceMatchers": source, "targetMatchers": ["c=d"], "equal": equal});
            inhibition_rule(&from_value(spec).unwrap(), "n", None).unwrap()
        };
        let one = rule(&["a=b", "b=c"], &["x", "y"]);
        assert!(is_same(&one, &rule(&["b=c", "a=b", "a=b"], &["y", "x"])));
        let other = rule(&["a!=b"], &[]);
        assert!(!is_same(&one, &other));
        assert_eq!(changed(&one, &other), ["sourceMatchers", "equal"]);
        assert_eq!(
            difference(&one, &other),
            r#"sourceMatchers a="b", b="c" there, and a!="b" here; equal x, y there, and nothing here"#
        );
    }

    #[test]
    fn a_grafana_without_inhibition_rules_is_told_with_the_cure_and_one_that_heeds_none_too() {
        let refused = |version| refuse_what_is_too_new(false, version).unwrap_err();
        let old = refused(Version::new(12, 4, 0));
        assert_eq!(old.reason, Reason::Unsupported);
        assert_eq!(
            old.message,
            "inhibition rules need Grafana 13.0; this one is 12.4. Upgrade Grafana"
        );
        let hidden = refused(Version::new(13, 3, 0));
        assert_eq!(hidden.reason, Reason::Unsupported);
        assert!(
            hidden.message.ends_with("Let /apis through to it"),
            "{}",
            hidden.message
        );
        // What is served is there, whatever version is told.
        assert_eq!(refuse_what_is_too_new(true, Version::OLDEST), Ok(()));
        let toggles = |several_trees| Toggles {
            several_trees,
            ..Toggles::default()
        };
        let told = unheeded(Version::new(13, 1, 0), toggles(false)).unwrap();
        assert!(
            told.contains("from 13.2 on") && told.contains("alertingMultiplePolicies"),
            "{told}"
        );
        assert_eq!(unheeded(Version::new(13, 1, 0), toggles(true)), None);
        assert_eq!(unheeded(Version::new(13, 2, 0), toggles(false)), None);
    }
}
