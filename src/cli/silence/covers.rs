//! What a Silence would cover, by the operator's own decisions.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::super::common::connect::hint;
use crate::api::AlertRule;
use crate::api::grafana_instance::GrafanaInstanceSpec;
use crate::api::silence::SilenceSpec;
use crate::controller::engine::managed::Managed;
use crate::domain::lint::near::nearest;
use crate::domain::ownership::{Owner, Owners};
use crate::domain::refusal::Refusal;
use crate::domain::silence::extent::{self, Candidate};
use crate::domain::silence::{self, Selection, Surroundings};
use crate::domain::tenancy;

/// Whoever the operator is. What a Silence covers doesn't depend on it.
const OWNER: &str = "silence";

/// Where a Silence is to be.
pub(super) struct Place<'a> {
    pub(super) namespace: &'a str,
    /// What its GrafanaInstance is called.
    pub(super) instance: &'a str,
    /// What that says, where it may be read.
    pub(super) spec: Option<&'a GrafanaInstanceSpec>,
    /// The operator's own namespace.
    pub(super) home: &'a str,
}

/// What it would cover.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Covers {
    /// AlertRules by name, with their namespaces where it reaches those of others.
    pub(super) rules: Vec<String>,
    /// How many of them it covers only where their queries add a label that it asks for.
    pub(super) perhaps: usize,
    /// Which AlertRules are named and aren't there, or not for this Grafana.
    pub(super) missing: Vec<String>,
    /// What a person should know.
    pub(super) warnings: Vec<String>,
}

/// That a rule which is asked for isn't there, and which one may be meant.
fn missing(name: &str, place: &Place<'_>, rules: &[AlertRule]) -> String {
    let Place {
        namespace, instance, ..
    } = *place;
    let own = rules
        .iter()
        .find(|rule| rule.ns() == namespace && rule.id() == name);
    if let Some(other) = own {
        return format!(
            "AlertRule {name} is for GrafanaInstance {}, and this is for {instance}: name its own with -i",
            other.instances().join(" and ")
        );
    }
    let hint = hint(namespace, name, rules.iter().map(|rule| (rule.ns(), rule.id())));
    format!("there is no AlertRule {name} in namespace {namespace}{hint}")
}

impl Place<'_> {
    /// Whether it may cover alerts of other namespaces.
    pub(super) fn is_unrestricted(&self) -> bool {
        match self.spec {
            Some(spec) => tenancy::is_unrestricted(spec, self.namespace, self.home),
            None => self.namespace == self.home,
        }
    }

    /// Of these AlertRules those that a Silence would cover; why it can't be where the operator would refuse it.
    pub(super) fn covers(
        &self,
        spec: &SilenceSpec,
        rules: &[AlertRule],
        now: Timestamp,
    ) -> Result<Covers, Refusal> {
        let owners = owners()?;
        let around = Surroundings {
            owners: &owners,
            namespace: self.namespace,
            name: OWNER,
            created: now,
            unrestricted: self.is_unrestricted(),
        };
        let here = |rule: &&AlertRule| rule.instances().iter().any(|name| name == self.instance);
        let here: Vec<&AlertRule> = rules.iter().filter(here).collect();
        let own = || here.iter().filter(|rule| rule.ns() == self.namespace);
        let none = BTreeMap::new();
        let labelled = own().map(|rule| (rule.id(), rule.metadata.labels.as_ref().unwrap_or(&none)));
        let (selection, missing) = silence::select(spec.alert_rules.as_ref(), labelled);
        let missing: Vec<String> = missing
            .iter()
            .map(|name| self::missing(name, self, rules))
            .collect();
        let Some(wish) = silence::wish(spec, &selection, &around)? else {
            return Ok(Covers {
                rules: Vec::new(),
                perhaps: 0,
                missing,
                warnings: Vec::new(),
            });
        };
        let mut warnings: Vec<String> = silence::warning(spec, &around).into_iter().collect();
        let is_everywhere = selection == Selection::Matchers && around.unrestricted;
        let reachable = here
            .iter()
            .filter(|rule| is_everywhere || rule.ns() == self.namespace);
        let called = |rule: &AlertRule| {
            if is_everywhere {
                format!("{}/{}", rule.ns(), rule.id())
            } else {
                rule.id().to_owned()
            }
        };
        let candidates = reachable.clone().map(|rule| Candidate {
            called: called(rule),
            name: rule.id(),
            spec: &rule.spec,
        });
        let labels = self.spec.map_or(&none, |spec| &spec.labels);
        let rules = extent::covered(&wish, &selection, candidates, labels);
        let most = self.spec.and_then(|spec| spec.max_rules_per_silence);
        if let Some(most) = most.and_then(|most| usize::try_from(most).ok()) {
            extent::check(most, rules.clone(), self.instance)?;
        }
        let left: Vec<Vec<String>> = reachable
            .filter(|rule| rules.contains(&called(rule)))
            .map(|rule| {
                let title = crate::domain::rule::title(&rule.spec, rule.id());
                extent::left_to_query(spec, &extent::labels(&rule.spec, title, labels))
            })
            .collect();
        let perhaps = left.iter().filter(|left| !left.is_empty()).count();
        let nowhere = left.iter().flatten().collect::<BTreeSet<_>>().into_iter();
        for label in nowhere.filter(|label| left.iter().all(|left| left.contains(label))) {
            let own = here.iter().flat_map(|rule| rule.spec.labels.keys());
            let own = own.map(String::as_str).chain(["severity", "alertname"]);
            let near = nearest(label, own.chain(labels.keys().map(String::as_str)));
            let near = near.filter(|near| near != label);
            let near = near.map_or_else(String::new, |near| format!(" (there is {near})"));
            warnings.push(format!(
                "no rule that this may cover sets the label {label}{near}: only alerts whose query adds it are covered"
            ));
        }
        Ok(Covers {
            rules,
            perhaps,
            missing,
            warnings,
        })
    }
}

fn owners() -> Result<Owners, Refusal> {
    let owner = Owner::parse(OWNER).ok_or_else(|| Refusal::invalid("spec", "the owner id is none"))?;
    Ok(Owners::new(owner, &[]))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn rule(namespace: &str, name: &str, spec: &Value) -> AlertRule {
        let object = json!({"metadata": {"name": name, "namespace": namespace}, "spec": spec});
        serde_json::from_value(object).unwrap()
    }

    fn rules() -> [AlertRule; 5] {
        [
            rule("shop", "errors", &json!({"query": "up", "severity": "critical"})),
            rule("shop", "latency", &json!({"query": "up", "severity": "low"})),
            rule("shop", "elsewhere", &json!({"query": "up", "instance": "other"})),
            rule("web", "errors", &json!({"query": "up", "severity": "critical"})),
            rule("web", "pods", &json!({"query": "up", "severity": "low"})),
        ]
    }

    fn covered(namespace: &str, spec: &Value, of_instance: Option<&Value>) -> Result<Covers, Refusal> {
        let mut spec = spec.clone();
        spec["duration"] = json!("1h");
        let of_instance = of_instance.map(|spec| serde_json::from_value(spec.clone()).unwrap());
        let place = Place {
            namespace,
            instance: "default",
            spec: of_instance.as_ref(),
            home: "home",
        };
        place.covers(
            &serde_json::from_value(spec).unwrap(),
            &rules(),
            Timestamp::UNIX_EPOCH,
        )
    }

    #[test]
    fn it_covers_what_the_operator_would_count() {
        let names = |namespace: &str, spec: Value| covered(namespace, &spec, None).unwrap().rules;
        assert_eq!(
            names("shop", json!({"alertRules": {"all": true}})),
            ["errors", "latency"]
        );
        let critical = json!({"matchers": ["severity=\"critical\""]});
        assert_eq!(names("shop", critical.clone()), ["errors"]);
        assert_eq!(names("home", critical), ["shop/errors", "web/errors"]);
        let contradicting = json!({"alertRules": {"names": ["errors"]}, "matchers": ["severity=low"]});
        assert_eq!(names("shop", contradicting), [""; 0]);
    }

    #[test]
    fn a_rule_that_is_not_there_is_said_with_the_one_that_was_meant() {
        let covers = covered("shop", &json!({"alertRules": {"names": ["error"]}}), None).unwrap();
        assert_eq!(covers.rules, [""; 0]);
        let told = |name: &str| {
            let named = json!({"alertRules": {"names": ["errors", name]}});
            covered("shop", &named, None).unwrap().missing
        };
        assert_eq!(
            told("error"),
            ["there is no AlertRule error in namespace shop; there is errors"]
        );
        assert_eq!(
            told("elsewhere"),
            [
                "AlertRule elsewhere is for GrafanaInstance other, and this is for default: name its own with -i"
            ]
        );
        assert_eq!(
            told("pods"),
            ["there is no AlertRule pods in namespace shop; there is web/pods"]
        );
        assert_eq!(told("latency"), [""; 0]);
    }

    #[test]
    fn a_label_that_no_rule_has_is_told_and_its_rules_are_counted_apart() {
        let of = |matcher: &str| covered("shop", &json!({"matchers": [matcher]}), None).unwrap();
        let slip = of("severty=\"critical\"");
        assert_eq!((slip.rules.len(), slip.perhaps), (2, 2));
        assert_eq!(
            slip.warnings,
            [
                "no rule that this may cover sets the label severty (there is severity): only alerts whose query adds it are covered"
            ]
        );
        let meant = of("severity=\"critical\"");
        assert_eq!((meant.perhaps, meant.warnings), (0, Vec::new()));
    }

    #[test]
    fn what_the_instance_says_counts_where_it_may_be_read() {
        let instance = json!({"url": "https://g", "auth": {}, "labels": {"severity": "x", "cluster": "prod"}, "maxRulesPerSilence": 1});
        let other = json!({"matchers": ["cluster=test"]});
        assert_eq!(covered("shop", &other, Some(&instance)).unwrap().rules, [""; 0]);
        let all = covered("shop", &json!({"alertRules": {"all": true}}), Some(&instance));
        assert!(all.unwrap_err().message.contains("allows 1 for one silence"));
    }
}
