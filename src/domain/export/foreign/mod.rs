//! What is written for other programs → the resources that say the same: rules, and what notifications are made of.
//!
//! Rules for Prometheus become what a PrometheusRuleImport makes of them, by its own decision. All else is read as if a Grafana held it, and goes the way that an export goes, so that each
//! resource is held against what was read by the operator's own comparison.

mod alertmanager;
mod asked;
pub mod format;
mod grafana;
pub mod plain;
mod prometheus;
pub mod templates;
mod world;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::names::Names;
use super::resource::Kind;
use crate::domain::lint::schema::Schemas;
use crate::grafana::model::{Template, TreeName};
use alertmanager::{Place, configuration, resource};
use asked::meta;
use format::Format;
use grafana::Operator;
use world::{About, World, found};

pub use asked::{Asked, Document, Import, Left, Made};

/// The resources of all documents.
pub fn import(documents: &[Document], asked: &Asked) -> Import {
    let mut import = Import::default();
    let schemas = Schemas::default();
    let mut names = Names::new(&asked.prefix);
    let mut taken = Taken::default();
    let namespaces: BTreeSet<String> = documents
        .iter()
        .filter_map(|document| namespace(&document.value))
        .collect();
    let mut world = World::default();
    let has_templates = documents
        .iter()
        .any(|document| document.format == Format::Template);
    let files = documents
        .iter()
        .filter(|document| document.format == Format::GrafanaFile);
    let organisations: BTreeSet<String> = files
        .flat_map(|document| grafana::organisations(&document.value))
        .collect();
    grafana::tell(&organisations, &mut import);
    let mut rules = Vec::new();
    let mut operator = Operator::default();
    for document in documents {
        match document.format {
            Format::PrometheusRule | Format::VmRule | Format::Prometheus | Format::Loki => {
                let place = prometheus::Place {
                    name: free(&mut taken, document),
                    is_one_of_several_namespaces: namespaces.len() > 1,
                };
                rules.push((document, place));
            }
            Format::Alertmanager => {
                let place = Place {
                    before: String::new(),
                    tree: TreeName::default(),
                    parent: None,
                    called: document.called.clone(),
                    remarks: Vec::new(),
                };
                configuration(&document.value, &place, has_templates, &mut world, &mut import);
            }
            Format::AlertmanagerConfig => of_namespace(document, asked, &mut taken, &mut world, &mut import),
            Format::Template => template(document, &mut world, &mut import),
            Format::GrafanaFile => {
                grafana::file(&document.value, organisations.len() > 1, &mut world, &mut import);
            }
            Format::GrafanaOperator => operator.add(&document.value),
        }
    }
    operator.take(&parent(asked), &mut world, &mut import);
    world.resources(asked, &schemas, &mut import);
    for made in import
        .made
        .iter()
        .filter(|made| made.resource.spec.kind() == Kind::AlertRule)
    {
        names.free(&made.resource.name);
    }
    for (document, place) in rules {
        prometheus::rules(document, &place, asked, &schemas, &mut names, &mut import);
    }
    import
}

/// An `AlertmanagerConfig`: its receivers are called as prometheus-operator calls them, and its route is a branch.
fn of_namespace(
    document: &Document,
    asked: &Asked,
    taken: &mut Taken,
    world: &mut World,
    import: &mut Import,
) {
    let name = free(taken, document);
    let own = namespace(&document.value);
    let before = [own.as_deref().unwrap_or_default(), &name].join("/");
    let spec = resource::configuration(document.value.get("spec").unwrap_or(&Value::Null));
    let place = Place {
        before: format!("{}/", before.trim_start_matches('/')),
        tree: world.branch(&name),
        parent: Some(json!({"parentRef": parent(asked)})),
        called: name,
        remarks: Vec::new(),
    };
    world.enter(own);
    configuration(&spec, &place, true, world, import);
    world.enter(None);
}

/// The policy that routes of a namespace are a branch of, as a resource refers to it.
fn parent(asked: &Asked) -> Value {
    match asked.parent.rsplit_once('/') {
        Some((namespace, name)) => json!({"name": name, "namespace": namespace}),
        None => json!({"name": asked.parent}),
    }
}

/// A file of templates.
fn template(document: &Document, world: &mut World, import: &mut Import) {
    let about = About {
        source: format!("template file {}", document.called),
        ..About::default()
    };
    match world.note(Kind::NotificationTemplate, &document.called, about) {
        Ok(()) => world.held.templates.push(found(Template {
            name: document.called.clone(),
            content: document.value.as_str().unwrap_or_default().to_owned(),
        })),
        Err(why) => import.leave(&document.called, why),
    }
}

fn namespace(value: &Value) -> Option<String> {
    meta(value).namespace
}

/// Names of objects and files, by their namespaces, each with the number up to which those that begin so are taken.
type Taken = BTreeMap<(Option<String>, String), usize>;

/// The name of an object or file, another one for each: groups of two that are called the same would be one.
fn free(taken: &mut Taken, document: &Document) -> String {
    let about = meta(&document.value);
    let called = about.name.unwrap_or_else(|| document.called.clone());
    let own = (about.namespace.clone(), called.clone());
    let first = taken.get(&own).map_or(1, |last| last + 1);
    for nth in first.. {
        let name = if nth == 1 {
            called.clone()
        } else {
            format!("{called}-{nth}")
        };
        let key = (about.namespace.clone(), name.clone());
        if !taken.contains_key(&key) {
            taken.insert(key, 1);
            taken.insert(own, nth);
            return name;
        }
    }
    called
}

#[cfg(test)]
mod tests;
