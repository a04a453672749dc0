//! What is to be imported, how, and what becomes of it.

use std::collections::BTreeMap;

use kube::core::ObjectMeta;
use serde_json::Value;

use super::super::resource::Resource;
use super::format::Format;
use crate::api::reference::{DatasourceRef, SecretKeyRef};

/// A document that is to be imported.
#[derive(Debug, Clone)]
pub struct Document {
    /// What it is called where it has no name of its own: that of its file, without what it ends in.
    pub called: String,
    /// What is in it.
    pub value: Value,
    /// What it is.
    pub format: Format,
}

/// What is asked for.
#[derive(Debug, Default)]
pub struct Asked {
    /// The namespace that the resources are for, where one is named.
    pub namespace: Option<String>,
    /// The GrafanaInstance that they are for, where it isn't the default one.
    pub instance: Option<String>,
    /// What rules are asked of, where it is named.
    pub datasource: Option<DatasourceRef>,
    /// Whether recording rules are carried over too.
    pub records: bool,
    /// The label that holds the severity, where it isn't `severity`.
    pub severity_label: Option<String>,
    /// The folder of rules that have none, where it isn't that of their namespace.
    pub folder: Option<String>,
    /// What names of resources begin with.
    pub prefix: String,
    /// The policy that routes of a namespace are a branch of: its name, or namespace and name.
    pub parent: String,
    /// The Secret that holds what mustn't be in resources.
    pub secret: String,
    /// Whether the resources are to take over what is in Grafana already.
    pub adopts: bool,
}

/// What has become of it.
#[derive(Debug, Default)]
pub struct Import {
    /// The resources.
    pub made: Vec<Made>,
    /// What no resource says.
    pub left: Vec<Left>,
    /// What was read of what the Secret is to hold.
    pub values: BTreeMap<SecretKeyRef, String>,
}

/// A resource, and what it was.
#[derive(Debug)]
pub struct Made {
    /// What it was, and what that is called.
    pub source: String,
    /// What it is.
    pub resource: Resource,
}

/// Something that isn't carried over.
#[derive(Debug, PartialEq, Eq)]
pub struct Left {
    /// What it is called.
    pub source: String,
    /// Why not.
    pub why: String,
}

impl Import {
    /// Whether all of everything is in the resources.
    pub fn is_whole(&self) -> bool {
        self.left.is_empty() && self.made.iter().all(|made| made.resource.lost.is_empty())
    }

    pub(super) fn leave(&mut self, source: impl Into<String>, why: impl Into<String>) {
        self.left.push(Left {
            source: source.into(),
            why: why.into(),
        });
    }
}

/// Name and namespace of an object, as far as it has any.
pub(super) fn meta(value: &Value) -> ObjectMeta {
    let field = |name: &str| {
        let text = value.get("metadata")?.get(name)?.as_str()?;
        Some(text.to_owned())
    };
    ObjectMeta {
        name: field("name"),
        namespace: field("namespace"),
        ..ObjectMeta::default()
    }
}
