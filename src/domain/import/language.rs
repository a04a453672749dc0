//! Whether the rules are in the language that their data source is asked in.

use crate::api::PrometheusRuleImport;
use crate::api::alert_rule::AlertRuleSpec;
use crate::domain::refusal::Refusal;
use crate::domain::rule;
use crate::domain::rule::query::language::{self, Language};
use crate::grafana::wire::DataSource;

/// What the expressions say of the data sources.
#[derive(Debug, Default)]
pub struct Languages {
    /// How many there are.
    heard: usize,
    /// How many of them can't be asked of a data source.
    wrong: usize,
    /// The first such data source.
    asked: Option<DataSource>,
    /// Whether one is surely in the right language.
    is_one_right: bool,
}

impl Languages {
    /// Says why a rule can't be asked of one of the data sources.
    pub(super) fn hear(&mut self, spec: &AlertRuleSpec, sources: &[DataSource]) -> Option<String> {
        self.heard += 1;
        let mut refusals = sources
            .iter()
            .map(|source| (source, rule::refuse_other_language(spec, source)));
        let refused = refusals.find_map(|(source, heard)| Some((source, heard.err()?)));
        let Some((source, refusal)) = refused else {
            let query = spec.query.as_deref().unwrap_or_default();
            self.is_one_right |= !sources.is_empty() && language::sign(query).is_some();
            return None;
        };
        self.wrong += 1;
        self.asked.get_or_insert_with(|| source.clone());
        Some(refusal.message)
    }

    /// Why nothing is to be done: it is the data source that is wrong, and not single rules. One rule that is surely of its language shows that it is meant, and so do
    /// most that may be.
    pub fn mistake(&self, import: &PrometheusRuleImport, sources: &[DataSource]) -> Option<Refusal> {
        let is_asked_in = |source: &&DataSource| Language::of_type(&source.r#type).is_none();
        let (source, problem) = if let Some(odd) = sources.iter().find(is_asked_in) {
            (odd, "which is asked neither in PromQL nor in LogQL")
        } else if self.wrong * 2 > self.heard && !self.is_one_right {
            (self.asked.as_ref()?, "and the rules are PromQL")
        } else {
            return None;
        };
        let which = if import.spec.datasource.is_some() {
            ""
        } else {
            ", the default,"
        };
        Some(Refusal::invalid(
            "spec.datasource",
            format!(
                "data source {}{which} is of type {}, {problem}; name the right one here. The AlertRules that there are stay as they are",
                source.name, source.r#type
            ),
        ))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{from_value, json};

    use super::*;

    /// What is wrong with an import of these expressions from a Loki.
    fn mistake(expressions: &[&str]) -> Option<String> {
        let loki = DataSource {
            uid: "l".to_owned(),
            name: "Loki".to_owned(),
            r#type: "loki".to_owned(),
            is_default: true,
        };
        let import: PrometheusRuleImport =
            from_value(json!({"metadata": {"name": "own", "namespace": "revel"}, "spec": {}})).unwrap();
        let mut languages = Languages::default();
        for expression in expressions {
            let spec: AlertRuleSpec = from_value(json!({"query": expression})).unwrap();
            languages.hear(&spec, std::slice::from_ref(&loki));
        }
        languages.mistake(&import, &[loki]).map(|refusal| refusal.message)
    }

    #[test]
    fn the_data_source_is_at_fault_where_most_rules_surely_are_of_another_language_and_none_of_its_own() {
        let (metrics, either) = ("up == 0", "vector(0) > 5");
        let logs = r#"sum(count_over_time({app="a"} |= "x" [5m])) > 1"#;
        for (expressions, is_told) in [
            (&[metrics][..], true),
            (&[metrics, metrics, either], true),
            (&[metrics, either], false),
            (&[metrics, either, either], false),
            (&[metrics, metrics, logs], false),
            (&[either], false),
            (&[], false),
        ] {
            let told = mistake(expressions);
            assert_eq!(told.is_some(), is_told, "{expressions:?}: {told:?}");
            assert!(told.is_none_or(|told| {
                told.contains("Loki, the default, is of type loki, and the rules are PromQL")
            }));
        }
    }

    #[test]
    fn what_is_asked_of_nothing_shows_no_language_and_the_first_data_source_at_fault_is_named() {
        let loki = |uid: &str| DataSource {
            uid: uid.to_owned(),
            name: format!("Loki {uid}"),
            r#type: "loki".to_owned(),
            is_default: false,
        };
        let spec = |query: &str| from_value::<AlertRuleSpec>(json!({"query": query})).unwrap();
        let import: PrometheusRuleImport =
            from_value(json!({"metadata": {"name": "own", "namespace": "revel"}, "spec": {}})).unwrap();
        let mut languages = Languages::default();
        let logs = r#"sum(count_over_time({app="a"} |= "x" [5m])) > 1"#;
        assert_eq!(languages.hear(&spec(logs), &[]), None);
        for uid in ["a", "b"] {
            assert!(languages.hear(&spec("up == 0"), &[loki(uid)]).is_some());
        }
        let told = languages.mistake(&import, &[loki("a"), loki("b")]).unwrap();
        assert!(told.message.contains("data source Loki a"), "{}", told.message);
    }
}
