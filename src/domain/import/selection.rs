//! Which objects an import reads.

use std::collections::BTreeMap;

use kube::ResourceExt;
use kube::core::{Selector, SelectorExt};

use crate::api::PrometheusRuleImport;
use crate::api::prometheus_rule_import::{PrometheusRuleImportSpec, SourceKind};
use crate::domain::refusal::Refusal;
use crate::domain::tenancy::selector;

/// The namespaces whose objects are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Namespaces {
    /// All that the operator watches.
    All,
    /// These.
    Named(Vec<String>),
}

/// Which objects an import reads.
#[derive(Debug)]
pub struct Selection {
    /// The kinds.
    pub kinds: Vec<SourceKind>,
    /// The namespaces.
    pub namespaces: Namespaces,
    selector: Selector,
}

impl Selection {
    /// Reads a selection, or says what is wrong with it.
    pub fn of(import: &PrometheusRuleImport) -> Result<Self, Refusal> {
        let selector = selector::of(import.spec.selector.as_ref())
            .map_err(|problem| Refusal::invalid("spec", problem))?;
        Ok(Self {
            kinds: kinds(&import.spec),
            namespaces: namespaces(import),
            selector,
        })
    }

    /// Whether an object with these labels is selected, if its kind and namespace are.
    pub fn takes(&self, labels: &BTreeMap<String, String>) -> bool {
        self.selector.matches(labels)
    }

    /// Whether it reads the objects of a namespace.
    pub fn reads(&self, namespace: &str) -> bool {
        match &self.namespaces {
            Namespaces::All => true,
            Namespaces::Named(names) => names.iter().any(|name| name == namespace),
        }
    }

    /// What to know where nothing is selected: often a label is misspelt.
    pub fn nothing(&self, sources: usize, import: &PrometheusRuleImport) -> Option<String> {
        if sources > 0 {
            return None;
        }
        let kinds: Vec<&str> = self.kinds.iter().map(|kind| kind.as_str()).collect();
        let place = match &self.namespaces {
            Namespaces::All => "of all namespaces that the operator watches".to_owned(),
            Namespaces::Named(names) => format!("of namespace {}", names.join(", ")),
        };
        let which = if import.spec.selector.is_some() {
            "spec.selector matches"
        } else {
            "there is"
        };
        Some(format!(
            "{which} no {} {place}, so there is nothing to import",
            kinds.join(" and no ")
        ))
    }

    /// Whether it reads nothing but its own namespace.
    pub fn stays_at_home(&self, namespace: &str) -> bool {
        match &self.namespaces {
            Namespaces::All => false,
            Namespaces::Named(names) => names.iter().all(|name| name == namespace),
        }
    }
}

/// The kinds that are read.
fn kinds(spec: &PrometheusRuleImportSpec) -> Vec<SourceKind> {
    spec.kinds.clone().unwrap_or_else(|| SourceKind::ALL.to_vec())
}

/// The namespaces that are read.
pub fn namespaces(import: &PrometheusRuleImport) -> Namespaces {
    match &import.spec.namespaces {
        None => Namespaces::Named(vec![import.namespace().unwrap_or_default()]),
        Some(chosen) => match &chosen.names {
            Some(names) => Namespaces::Named(names.clone()),
            None => Namespaces::All,
        },
    }
}
