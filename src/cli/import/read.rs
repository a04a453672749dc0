//! What is in the files, as far as it is asked for.

use std::collections::BTreeMap;
use std::path::Path;

use k8s_openapi::ByteString;
use serde_json::Value;

use super::super::common::files::{Problem, Source, documents};
use crate::domain::export::foreign::format::{self, Format, Objective};
use crate::domain::export::foreign::plain::with_texts;
use crate::domain::export::foreign::templates::{are_named, defines};
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
    /// What other programs make rules of.
    objectives: Vec<Objective>,
}

/// All documents of the format that is asked for.
pub(super) fn all(sources: &[Source], from: From) -> Found {
    let mut found = Found {
        documents: Vec::new(),
        others: 0,
        unread: Vec::new(),
        objectives: Vec::new(),
    };
    let sources: Vec<&Source> = sources.iter().collect();
    let wrapped = found.add(&sources, from);
    // What is in a ConfigMap's file is no ConfigMap.
    let (templates, wrapped): (Vec<&Source>, Vec<&Source>) =
        wrapped.iter().partition(|source| is_template(source));
    found.add(&wrapped, from);
    found.take(&templates, from);
    found.judge();
    found
}

impl Found {
    /// Names the objectives of whose rules nothing was read.
    fn judge(&mut self) {
        for objective in std::mem::take(&mut self.objectives) {
            let is_read = self.documents.iter().any(|one| {
                let name = one.value.pointer("/metadata/name").and_then(Value::as_str);
                matches!(one.format, Format::PrometheusRule | Format::VmRule)
                    && name == Some(objective.name.as_str())
            });
            if is_read {
                self.others += 1;
            } else {
                self.unread.push(Left {
                    why: objective.why(),
                    source: objective.called,
                });
            }
        }
    }

    /// Takes what ConfigMaps hold that may be templates: what a configuration of Alertmanager uses that was read, or which is asked for. What defines none is for somebody else.
    fn take(&mut self, templates: &[&Source], from: From) {
        let configurations = || {
            let all = self.documents.iter();
            all.filter(|one| matches!(one.format, Format::Alertmanager | Format::AlertmanagerConfig))
        };
        let named = configurations().filter_map(|one| one.value.get("templates")?.as_array());
        let patterns: Vec<String> = named
            .flatten()
            .filter_map(|pattern| pattern.as_str().map(str::to_owned))
            .collect();
        let has_user = from == From::Alertmanager || configurations().next().is_some();
        for template in templates {
            let may_be = matches!(from, From::Auto | From::Alertmanager) && defines(&template.text);
            let why = match (patterns.is_empty(), has_user) {
                _ if !may_be => {
                    self.others += 1;
                    continue;
                }
                (false, _) if are_named(&template.name, &patterns) => None,
                (false, _) => {
                    Some("no configuration of Alertmanager that was read names it in its templates")
                }
                (true, true) => None,
                (true, false) => Some(
                    "no configuration of Alertmanager was read that uses it; --from alertmanager takes it all the same",
                ),
            };
            match why {
                None => self.documents.push(of_template(template)),
                Some(why) => self.unread.push(Left {
                    source: template.name.clone(),
                    why: why.to_owned(),
                }),
            }
        }
    }

    /// Adds what is in these, and gives the files that ConfigMaps among it hold.
    fn add(&mut self, sources: &[&Source], from: From) -> Vec<Source> {
        let mut wrapped = Vec::new();
        let (templates, sources): (Vec<&Source>, Vec<&Source>) =
            sources.iter().partition(|source| is_template(source));
        let (documents, problems) = documents(&sources);
        let name = |source: usize| sources.get(source).map_or("", |source| source.name.as_str());
        for problem in problems {
            self.unread.push(unread(name(problem.source), &problem));
        }
        for template in templates {
            if matches!(from, From::Auto | From::Alertmanager) {
                self.documents.push(of_template(template));
            } else {
                self.others += 1;
            }
        }
        for document in documents {
            // That of Grafana's files is a number.
            let is_for_kubectl = document.value.get("apiVersion").is_some_and(Value::is_string);
            if let (true, Some(problem)) = (is_for_kubectl, &document.refused) {
                self.unread.push(unread(name(document.source), problem));
                continue;
            }
            let files = files(&document.value);
            match format::of(&document.value).and_then(|format| asked_for(format, from)) {
                Some(format) => self.documents.push(Document {
                    called: stem(name(document.source)),
                    value: with_texts(format, document.value.clone(), document.written()),
                    format,
                }),
                None if !files.is_empty() => wrapped.extend(files),
                None => match format::objective(&document.written()) {
                    Some(objective) if matches!(from, From::Auto | From::PrometheusRule) => {
                        self.objectives.push(objective);
                    }
                    _ => self.others += 1,
                },
            }
        }
        wrapped
    }
}

fn unread(source: &str, problem: &Problem) -> Left {
    Left {
        source: format!("{source}:{}", problem.spot.start.0),
        why: problem.message.clone(),
    }
}

/// The files that a ConfigMap holds, as sidecars and volumes make them: those whose keys end like what is read. Of a Secret only those in which prometheus-operator
/// keeps an Alertmanager's configuration and templates: all else there is nobody's business.
fn files(value: &Value) -> Vec<Source> {
    let is = |field: &str, text: &str| value.get(field).and_then(Value::as_str) == Some(text);
    if is("apiVersion", "v1") && is("kind", "Secret") {
        return of_secret(value);
    }
    if !is("apiVersion", "v1") || !is("kind", "ConfigMap") {
        return Vec::new();
    }
    let data = value.get("data").and_then(Value::as_object).into_iter().flatten();
    data.filter(|(key, _)| {
        let end = Path::new(key).extension().and_then(|end| end.to_str());
        end.is_some_and(|end| ["yaml", "yml", "json", "rules", "tmpl", "tpl"].contains(&end))
    })
    .filter_map(|(key, text)| Some(Source::new(key, text.as_str()?.to_owned())))
    .collect()
}

fn of_secret(value: &Value) -> Vec<Source> {
    let entries = |field: &str| {
        let entries = value.get(field).and_then(Value::as_object).into_iter().flatten();
        entries.filter_map(|(key, text)| Some((key.clone(), text.as_str()?.to_owned())))
    };
    let decoded = entries("data").filter_map(|(key, text)| {
        let bytes: ByteString = serde_json::from_value(text.into()).ok()?;
        Some((key, String::from_utf8(bytes.0).ok()?))
    });
    // What is written in the clear counts before what isn't, as for an API server.
    let all: BTreeMap<String, String> = decoded.chain(entries("stringData")).collect();
    let is_read = |(key, _): &(String, String)| {
        matches!(key.as_str(), "alertmanager.yaml" | "alertmanager.yml")
            || Path::new(key)
                .extension()
                .is_some_and(|end| end == "tmpl" || end == "tpl")
    };
    let files = all.into_iter().filter(is_read);
    files.map(|(key, text)| Source::new(&key, text)).collect()
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

fn of_template(source: &Source) -> Document {
    Document {
        called: stem(&source.name),
        value: source.text.clone().into(),
        format: Format::Template,
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_secret_the_configuration_of_an_alertmanager_is_read_and_nothing_else() {
        // The first is `route: {receiver: a}\nreceivers: [{name: a}]\n`.
        let text = r#"
apiVersion: v1
kind: Secret
metadata: {name: alertmanager-main}
data:
  alertmanager.yaml: cm91dGU6IHtyZWNlaXZlcjogYX0KcmVjZWl2ZXJzOiBbe25hbWU6IGF9XQo=
  other.yaml: cm91dGU6IHtyZWNlaXZlcjogYX0KcmVjZWl2ZXJzOiBbe25hbWU6IGF9XQo=
  broken.tmpl: "%%%"
---
apiVersion: v1
kind: Secret
stringData:
  alertmanager.yml: |
    route: {receiver: b}
    receivers: [{name: b}]
  password: hunter2
---
apiVersion: v1
kind: Secret
stringData: {password: hunter2}
"#;
        let found = all(&[Source::new("x.yaml", text.to_owned())], From::Auto);
        let receivers = found.documents.iter();
        let receivers: Vec<_> = receivers
            .map(|one| {
                (
                    one.format,
                    one.value.pointer("/route/receiver").and_then(Value::as_str),
                )
            })
            .collect();
        assert_eq!(
            receivers,
            [
                (Format::Alertmanager, Some("a")),
                (Format::Alertmanager, Some("b"))
            ]
        );
        assert_eq!((found.unread.len(), found.others), (0, 1));
    }

    #[test]
    fn files_in_a_config_map_are_read_as_files_by_the_names_of_their_keys() {
        let text = r#"
apiVersion: v1
kind: ConfigMap
metadata: {name: rules}
data:
  node.rules.yaml: |
    groups: [{name: node, rules: [{alert: Down, expr: up == 0}]}]
  broken.yaml: "{"
  mail.tmpl: '{{ define "mail" }}x{{ end }}'
  logo.svg: <svg/>
  again.yaml: |
    {apiVersion: v1, kind: ConfigMap, data: {deep.yaml: "groups: []"}}
---
apiVersion: v1
kind: ConfigMap
data: {logo.svg: <svg/>}
"#;
        let read = |from| {
            let found = all(&[Source::new("x.yaml", text.to_owned())], from);
            let documents: Vec<_> = found
                .documents
                .into_iter()
                .map(|one| (one.called, one.format))
                .collect();
            let unread: Vec<_> = found.unread.into_iter().map(|left| left.source).collect();
            (documents, unread, found.others)
        };
        let (documents, unread, others) = read(From::Auto);
        assert_eq!(documents, [("node.rules".to_owned(), Format::Prometheus)]);
        assert_eq!(unread.len(), 2, "{unread:?}");
        assert!(unread[0].starts_with("broken.yaml:"), "{unread:?}");
        // The second one holds nothing that is read, and one within another isn't looked into.
        assert_eq!(others, 1);
        assert_eq!(read(From::Loki).0, [("node.rules".to_owned(), Format::Loki)]);
        assert_eq!(
            read(From::Alertmanager).0,
            [("mail".to_owned(), Format::Template)]
        );
    }

    #[test]
    fn of_what_a_config_map_holds_a_configurations_own_templates_are_taken_and_no_others() {
        let config_map = |templates: &str| {
            format!(
                r#"
apiVersion: v1
kind: ConfigMap
metadata: {{name: alertmanager}}
data:
  alertmanager.yml: |
    {{route: {{receiver: a}}, receivers: [{{name: a}}]{templates}}}
  mail.tmpl: '{{{{ define "mail" }}}}x{{{{ end }}}}'
  chat.tpl: '{{{{ define "chat" }}}}x{{{{ end }}}}'
  _helpers.tpl: '{{{{ define "name" }}}}{{{{ .Values.name }}}}{{{{ end }}}}'
  nginx.tpl: 'listen {{{{ .Port }}}};'
"#
            )
        };
        let read = |templates: &str| {
            let found = all(&[Source::new("x.yaml", config_map(templates))], From::Auto);
            let taken = found.documents.into_iter();
            let taken = taken.filter(|one| one.format == Format::Template);
            let left: Vec<_> = found.unread.into_iter().map(|left| left.source).collect();
            (
                taken.map(|one| one.called).collect::<Vec<_>>(),
                left,
                found.others,
            )
        };
        let of = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        assert_eq!(read(""), (of(&["chat", "mail"]), of(&[]), 2));
        let named = ", templates: [/etc/alertmanager/*.tmpl]";
        assert_eq!(read(named), (of(&["mail"]), of(&["chat.tpl"]), 2));
    }
}
