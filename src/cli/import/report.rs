//! What is said of an import.

use serde_json::{Value, json};

use super::super::common::document::as_json;
use super::super::common::print::API_VERSION;
use super::super::common::telling;
use super::super::common::terminal::{Look, Paint};
use super::super::common::written::Written;
use crate::domain::export::foreign::Import;
use crate::domain::export::resource::{Resource, Spec};

/// An import, and the files that it has become.
pub(super) struct Report<'a> {
    pub(super) import: &'a Import,
    pub(super) written: &'a Written,
    /// How many documents are in no format that is read.
    pub(super) others: usize,
}

impl telling::Report for Report<'_> {
    fn table(&self, has_titles: bool, look: Look) -> String {
        let made = self.import.made.iter().enumerate().map(|(at, made)| {
            let resource = &made.resource;
            let name = format!("{}/{}", resource.spec.kind(), resource.name);
            let place = self.written.file(at).unwrap_or(name);
            vec![made.source.clone(), place, note(resource)]
        });
        let left = self.import.left.iter();
        let left = left.map(|left| vec![left.source.clone(), "–".to_owned(), left.why.clone()]);
        let rows: Vec<Vec<String>> = made.chain(left).collect();
        let place = if self.written.file(0).is_some() {
            "FILE"
        } else {
            "RESOURCE"
        };
        let paint = |row: usize, column: usize| match self.import.made.get(row) {
            _ if column != 2 => None,
            None => Some(Paint::Red),
            Some(made) => (!made.resource.lost.is_empty()).then_some(Paint::Yellow),
        };
        look.table(&["SOURCE", place, "NOTE"], &rows, has_titles, &paint)
    }

    fn json(&self) -> Result<String, String> {
        let made = self.import.made.iter().enumerate().map(|(at, made)| {
            let resource = &made.resource;
            json!({
                "source": made.source, "kind": resource.spec.kind().to_string(), "name": resource.name, "namespace": resource.namespace,
                "file": self.written.file(at), "form": resource.form, "lost": resource.lost, "remarks": resource.remarks,
                "secrets": resource.secrets,
            })
        });
        let left = self.import.left.iter();
        let left = left.map(|left| json!({"source": left.source, "why": left.why}));
        let document = json!({
            "apiVersion": API_VERSION, "kind": "Import", "resources": made.collect::<Value>(), "notCarriedOver": left.collect::<Value>(),
            "passedOver": self.others,
        });
        Ok(as_json(&document))
    }

    fn sentences(&self) -> Vec<String> {
        let mut all = Vec::new();
        if self.others > 0 {
            all.push(format!(
                "{} in other formats passed over.",
                number(self.others, "document")
            ));
        }
        if self
            .import
            .made
            .iter()
            .any(|made| asks_the_default(&made.resource))
        {
            all.push(
                "Rules without a data source are asked of the GrafanaInstance's defaultDatasource, else of Grafana's default one; --datasource names another.".to_owned(),
            );
        }
        let secrets: usize = self
            .import
            .made
            .iter()
            .map(|made| made.resource.secrets.len())
            .sum();
        if secrets > 0 {
            all.push(format!(
                "{} in no resource: the Secret that they refer to is written by --secrets-file.",
                if secrets == 1 {
                    "1 secret is".to_owned()
                } else {
                    format!("{secrets} secrets are")
                }
            ));
        }
        let made = self.import.made.len();
        let left = self.import.left.len();
        let with_loss = self.import.made.iter();
        let with_loss = with_loss.filter(|made| !made.resource.lost.is_empty()).count();
        all.push(format!(
            "{made} of {} carried over, {left} left out, {with_loss} with a loss.",
            made + left
        ));
        all
    }
}

/// Whether it is a rule that names no data source.
fn asks_the_default(resource: &Resource) -> bool {
    match &resource.spec {
        Spec::AlertRule(spec) => spec.query.is_some() && spec.datasource.is_none(),
        _ => false,
    }
}

fn note(resource: &Resource) -> String {
    let mut all = Vec::from_iter(Some(resource.form.clone()).filter(|form| !form.is_empty()));
    all.extend(
        resource
            .lost
            .iter()
            .map(|lost| format!("not carried over: {lost}")),
    );
    all.extend(resource.remarks.iter().cloned());
    all.join("; ")
}

pub(super) fn number(count: usize, what: &str) -> String {
    let s = if count == 1 { "" } else { "s" };
    format!("{count} {what}{s}")
}
