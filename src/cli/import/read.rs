//! What is in the files, as far as it is asked for.

use std::path::Path;

use super::super::common::files::{Source, documents};
use crate::domain::export::foreign::format::{self, Format};
use crate::domain::export::foreign::{Document, Left};

/// The formats that are read.
#[derive(clap::ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum From {
    /// All of them, each as it is recognized.
    Auto,
    /// Rule files of Prometheus.
    Prometheus,
    /// Resources of prometheus-operator's kind PrometheusRule, as Sloth and Pyrra print them too.
    #[value(name = "prometheusrule")]
    PrometheusRule,
    /// Resources of VictoriaMetrics' kind VMRule.
    #[value(name = "vmrule")]
    VmRule,
    /// Rule files of Loki.
    Loki,
    /// Alertmanager's configuration, and its files of templates.
    Alertmanager,
    #[expect(clippy::doc_markdown, reason = "it is shown as it is")]
    /// Resources of prometheus-operator's kind AlertmanagerConfig, and VictoriaMetrics' VMAlertmanagerConfig.
    #[value(name = "alertmanagerconfig")]
    AlertmanagerConfig,
    /// Files that Grafana is provisioned with, or has exported, as YAML or JSON.
    GrafanaFile,
    /// Resources of grafana-operator.
    GrafanaOperator,
}

/// What was found.
pub(super) struct Found {
    pub(super) documents: Vec<Document>,
    /// How many documents are none of those that are asked for.
    pub(super) others: usize,
    /// What can't be read.
    pub(super) unread: Vec<Left>,
}

/// All documents of the format that is asked for.
pub(super) fn all(sources: &[Source], from: From) -> Found {
    let (templates, sources): (Vec<&Source>, Vec<&Source>) =
        sources.iter().partition(|source| is_template(source));
    let (documents, problems) = documents(&sources);
    let mut found = Found {
        documents: Vec::new(),
        others: 0,
        unread: Vec::new(),
    };
    let name = |source: usize| sources.get(source).map_or("", |source| source.name.as_str());
    for problem in problems {
        found.unread.push(Left {
            source: format!("{}:{}", name(problem.source), problem.spot.start.0),
            why: problem.message,
        });
    }
    for template in templates {
        if matches!(from, From::Auto | From::Alertmanager) {
            found.documents.push(Document {
                called: stem(&template.name),
                value: template.text.clone().into(),
                format: Format::Template,
            });
        } else {
            found.others += 1;
        }
    }
    for document in documents {
        match format::of(&document.value).and_then(|format| asked_for(format, from)) {
            Some(format) => found.documents.push(Document {
                called: stem(name(document.source)),
                value: document.value,
                format,
            }),
            None => found.others += 1,
        }
    }
    found
}

/// What a document is read as, if it is asked for: that a rule file is Loki's is known only if an expression shows it.
fn asked_for(format: Format, from: From) -> Option<Format> {
    let is_asked = match from {
        From::Auto => true,
        From::Prometheus | From::Loki if matches!(format, Format::Prometheus | Format::Loki) => {
            return Some(if from == From::Loki {
                Format::Loki
            } else {
                Format::Prometheus
            });
        }
        From::PrometheusRule => format == Format::PrometheusRule,
        From::VmRule => format == Format::VmRule,
        From::Alertmanager => format == Format::Alertmanager,
        From::GrafanaFile => format == Format::GrafanaFile,
        From::GrafanaOperator => format == Format::GrafanaOperator,
        From::AlertmanagerConfig => format == Format::AlertmanagerConfig,
        From::Prometheus | From::Loki => false,
    };
    is_asked.then_some(format)
}

/// A file's name without its folder and what it ends in.
fn stem(name: &str) -> String {
    let stem = Path::new(name).file_stem().and_then(|stem| stem.to_str());
    stem.filter(|stem| *stem != "-").unwrap_or("imported").to_owned()
}

/// Whether a file holds templates, by what people end its name in.
fn is_template(source: &Source) -> bool {
    let extension = Path::new(&source.name).extension();
    extension.is_some_and(|extension| extension == "tmpl" || extension == "tpl")
}
