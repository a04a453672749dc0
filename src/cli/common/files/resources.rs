//! The resources in files.

use std::sync::{Arc, LazyLock};

use regex::Regex;
use serde_json::Value;

use super::document::{Content, Node};
use super::place::{Source, Spot, locate};
use super::yaml::{self, Unreadable};
use crate::api::kinds;
use crate::domain::lint::finding::{Finding, HELM_BRACES, Part, Rule, SCHEMA, YAML};
use crate::domain::lint::object::{API_VERSION, Object, is_ours};
use crate::domain::lint::path::Path;

/// What is wrong with a file before anything in it is known.
#[derive(Debug)]
pub(in super::super::super) struct Problem {
    /// Which file.
    pub(in super::super::super) source: usize,
    pub(in super::super::super) spot: Spot,
    pub(in super::super::super) rule: &'static Rule,
    pub(in super::super::super) message: String,
}

/// The resources in files, with where each is written.
#[derive(Debug, Default)]
pub(in super::super::super) struct Resources {
    pub(in super::super::super) objects: Vec<Object>,
    pub(in super::super::super) problems: Vec<Problem>,
    /// How many objects of other groups there are.
    pub(in super::super::super) others: usize,
    /// The Secrets and ConfigMaps among them.
    pub(in super::super::super) values: Vec<Value>,
    places: Vec<Written>,
}

/// Where a resource is written.
#[derive(Debug)]
struct Written {
    source: usize,
    document: Arc<Node>,
    /// The way to it in its document, where that is a list of resources.
    within: Path,
}

impl Resources {
    /// Which file a resource is in.
    pub(in super::super::super) fn source(&self, object: usize) -> usize {
        self.places.get(object).map_or(0, |place| place.source)
    }

    /// Where in its file something was found.
    pub(in super::super::super) fn spot(&self, sources: &[Source], finding: &Finding) -> Option<Spot> {
        let place = self.places.get(finding.object)?;
        let source = sources.get(place.source)?;
        let path = place.within.join(&finding.path);
        Some(locate(source, &place.document, &path, finding.part))
    }
}

/// All resources in these files. What has no namespace is in the one that is given.
pub(in super::super::super) fn resources(sources: &[Source], namespace: &str) -> Resources {
    let mut all = Resources::default();
    for (number, source) in sources.iter().enumerate() {
        for documents in yaml::documents(&source.text) {
            match documents {
                Ok(documents) => {
                    for document in documents {
                        match yaml::refused(&document) {
                            None => all.take(number, source, &document, namespace),
                            Some(refused) => all.problems.push(problem(number, source, &refused)),
                        }
                    }
                }
                Err(unreadable) => all.problems.push(problem(number, source, &unreadable)),
            }
        }
    }
    all
}

/// A document of any kind, as a value.
#[derive(Debug)]
pub(in super::super::super) struct Document {
    /// Which file.
    pub(in super::super::super) source: usize,
    pub(in super::super::super) value: Value,
    /// Why kubectl refuses it.
    pub(in super::super::super) refused: Option<Problem>,
    /// It as it is written, where it isn't one of a list.
    node: Option<Arc<Node>>,
}

impl Document {
    /// The value with every text as it is written, which kubectl may take for a number or whether something is so.
    pub(in super::super::super) fn written(&self) -> Value {
        let node = self.node.as_deref();
        node.map_or_else(|| self.value.clone(), yaml::as_written)
    }
}

/// All documents in these files, whatever they are, those of lists by themselves, and what is wrong with the others.
pub(in super::super::super) fn documents(sources: &[&Source]) -> (Vec<Document>, Vec<Problem>) {
    let (mut all, mut problems) = (Vec::new(), Vec::new());
    for (number, source) in sources.iter().enumerate() {
        for documents in yaml::documents(&source.text) {
            match documents {
                Ok(documents) => {
                    for document in documents {
                        let value = yaml::to_json(&document);
                        let refused =
                            yaml::refused(&document).map(|refused| problem(number, source, &refused));
                        if is_list(&value) {
                            if let Some(refused) = refused {
                                problems.push(refused);
                                continue;
                            }
                            each(value, &mut |value| {
                                all.push(Document {
                                    source: number,
                                    value,
                                    refused: None,
                                    node: None,
                                });
                            });
                            continue;
                        }
                        all.push(Document {
                            source: number,
                            value,
                            refused,
                            node: Some(document),
                        });
                    }
                }
                Err(unreadable) => problems.push(problem(number, source, &unreadable)),
            }
        }
    }
    (all, problems)
}

/// Shows the objects of a list.
fn each(mut value: Value, show: &mut dyn FnMut(Value)) {
    let items = value.get_mut("items").and_then(Value::as_array_mut);
    items.into_iter().flatten().for_each(|item| show(item.take()));
}

fn is_list(value: &Value) -> bool {
    let kind = value.get("kind").and_then(Value::as_str);
    value.get("items").is_some_and(Value::is_array) && kind.is_some_and(|kind| kind.ends_with("List"))
}

impl Resources {
    fn take(&mut self, number: usize, source: &Source, document: &Arc<Node>, namespace: &str) {
        let value = yaml::to_json(document);
        if is_list(&value) {
            let items = value.get("items").and_then(Value::as_array).cloned();
            for (i, item) in items.into_iter().flatten().enumerate() {
                let within = Path::parse("items").index(i);
                if self.is_versioned(number, source, document, &within, &item) {
                    self.add(number, document, within, item, namespace);
                }
            }
            return;
        }
        let group = value
            .get("apiVersion")
            .and_then(Value::as_str)
            .unwrap_or_default();
        if !is_ours(&value) && group.contains("letsrevel") {
            let spot = locate(source, document, &Path::parse("apiVersion"), Part::Value);
            self.problems.push(Problem {
                source: number,
                spot,
                rule: &SCHEMA,
                message: format!("there is no {group}; write {API_VERSION}"),
            });
            return;
        }
        if self.is_versioned(number, source, document, &Path::default(), &value) {
            self.add(number, document, Path::default(), value, namespace);
        }
    }

    /// Whether an object says of which version it is; one of our kinds that doesn't is none that an API server takes, and told.
    fn is_versioned(
        &mut self,
        number: usize,
        source: &Source,
        document: &Node,
        within: &Path,
        value: &Value,
    ) -> bool {
        let kind = value.get("kind").and_then(Value::as_str).unwrap_or_default();
        let is_said = value.get("apiVersion").is_some_and(|version| !version.is_null());
        if is_said || !kinds().any(|known| known == kind) {
            return true;
        }
        self.problems.push(Problem {
            source: number,
            spot: locate(source, document, &within.field("kind"), Part::Value),
            rule: &SCHEMA,
            message: format!("this {kind} has no apiVersion; write apiVersion: {API_VERSION}"),
        });
        false
    }

    fn add(&mut self, source: usize, document: &Arc<Node>, within: Path, value: Value, namespace: &str) {
        if is_ours(&value) {
            self.objects.push(Object::new(value, namespace));
            self.places.push(Written {
                source,
                document: document.clone(),
                within,
            });
        } else if matches!(document.content, Content::Mapping(_)) {
            self.others += 1;
            let kind = value.get("kind").and_then(Value::as_str);
            if matches!(kind, Some("Secret" | "ConfigMap")) {
                self.values.push(value);
            }
        }
    }
}

/// A line whose value begins with an action of a template, or is nothing else.
static ACTION: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r#"(?m)^[ \t]*(?:- +)*(?:["']?[\w./-]+["']?:[ \t]+)?(?:&\w+[ \t]+)?(\{\{)"#).ok()
});

/// What is wrong with a document that can't be read. Where a template is left in it, that is what is wrong, whatever the parser says.
fn problem(number: usize, source: &Source, unreadable: &Unreadable) -> Problem {
    let part = source.text.get(unreadable.span.clone()).unwrap_or_default();
    let action = ACTION.as_ref().and_then(|action| action.captures(part)?.get(1));
    let (at, rule, message) = match action {
        Some(action) => (
            unreadable.span.start + action.start(),
            &HELM_BRACES,
            "this is a template of Helm's, not a manifest yet: render it first, as in helm template . | alertwright check -f -"
                .to_owned(),
        ),
        None => (unreadable.at, &YAML, unreadable.message.clone()),
    };
    Problem {
        source: number,
        spot: source.spot(&(at..at + 1)),
        rule,
        message,
    }
}
