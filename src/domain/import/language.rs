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
    /// How many are surely in another language.
    wrong: usize,
    /// Whether one is surely in the right one.
    is_one_right: bool,
}

impl Languages {
    /// Says why a rule can't be asked of one of the data sources.
    pub(super) fn hear(&mut self, spec: &AlertRuleSpec, sources: &[DataSource]) -> Option<String> {
        let mut refusals = sources
            .iter()
            .map(|source| rule::refuse_other_language(spec, source));
        if let Some(refusal) = refusals.find_map(Result::err) {
            self.wrong += 1;
            return Some(refusal.message);
        }
        let query = spec.query.as_deref().unwrap_or_default();
        self.is_one_right |= !sources.is_empty() && language::sign(query).is_some();
        None
    }

    /// Why nothing is to be done: it is the data source that is wrong, and not single rules. One rule in the right language shows that it is meant.
    pub fn mistake(&self, import: &PrometheusRuleImport, sources: &[DataSource]) -> Option<Refusal> {
        let is_asked_in = |source: &&DataSource| Language::of_type(&source.r#type).is_none();
        let (source, problem) = if let Some(odd) = sources.iter().find(is_asked_in) {
            (odd, "which is asked neither in PromQL nor in LogQL".to_owned())
        } else if self.wrong > 0 && !self.is_one_right {
            let source = sources.first()?;
            let other = match Language::of_type(&source.r#type)? {
                Language::LogQl => Language::PromQl,
                Language::PromQl => Language::LogQl,
            };
            (source, format!("and the rules are {other}"))
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
