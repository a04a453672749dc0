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
