//! What a Silence would cover, by the operator's own decisions.

use std::collections::BTreeMap;

use jiff::Timestamp;

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
    /// What a person should know.
    pub(super) warnings: Vec<String>,
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
        let mut warnings: Vec<String> = missing
            .iter()
            .map(|name| {
                let near = nearest(name, own().map(|rule| rule.id()));
                let near = near.map_or_else(String::new, |near| format!("; there is {near}"));
                format!(
                    "there is no AlertRule {name} in namespace {}{near}",
                    self.namespace
                )
            })
            .collect();
        let Some(wish) = silence::wish(spec, &selection, &around)? else {
            let rules = Vec::new();
            return Ok(Covers { rules, warnings });
        };
        warnings.extend(silence::warning(spec, &around));
        let is_everywhere = selection == Selection::Matchers && around.unrestricted;
        let reachable = here
            .iter()
            .filter(|rule| is_everywhere || rule.ns() == self.namespace);
        let candidates = reachable.map(|rule| Candidate {
            called: if is_everywhere {
                format!("{}/{}", rule.ns(), rule.id())
            } else {
                rule.id().to_owned()
            },
            name: rule.id(),
            spec: &rule.spec,
        });
        let labels = self.spec.map_or(&none, |spec| &spec.labels);
        let rules = extent::covered(&wish, &selection, candidates, labels);
        let most = self.spec.and_then(|spec| spec.max_rules_per_silence);
        if let Some(most) = most.and_then(|most| usize::try_from(most).ok()) {
            extent::check(most, rules.clone(), self.instance)?;
        }
        Ok(Covers { rules, warnings })
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

    fn rules() -> [AlertRule; 4] {
        [
            rule("shop", "errors", &json!({"query": "up", "severity": "critical"})),
            rule("shop", "latency", &json!({"query": "up", "severity": "low"})),
            rule("shop", "elsewhere", &json!({"query": "up", "instance": "other"})),
            rule("web", "errors", &json!({"query": "up", "severity": "critical"})),
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
        assert_eq!(
            covers.warnings,
            ["there is no AlertRule error in namespace shop; there is errors"]
        );
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
