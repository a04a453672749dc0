//! The resources that are looked at.

use std::borrow::Cow;
use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::api::{
    AlertRule, ContactPoint, DEFAULT_INSTANCE, GROUP, GrafanaInstance, InhibitionRule, MaintenancePolicy,
    NotificationPolicy, NotificationTemplate, PrometheusRuleImport, Silence, TimeInterval,
};

/// The annotation by which a resource switches rules off: their names, comma separated, or `all`.
pub const ANNOTATION_DISABLE: &str = "alerting.letsrevel.io/lint-disable";

/// The version of the custom resources.
pub const API_VERSION: &str = "alerting.letsrevel.io/v1alpha1";

/// One resource as it is written.
#[derive(Debug, Clone)]
pub struct Object {
    /// Its kind.
    pub kind: String,
    /// Its namespace; empty where none is written.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// The whole of it.
    pub value: Value,
    /// The same with its types, where it has them.
    pub typed: Option<Typed>,
}

/// A resource with the types of its kind.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "each is its kind")]
pub enum Typed {
    AlertRule(Box<AlertRule>),
    ContactPoint(Box<ContactPoint>),
    GrafanaInstance(Box<GrafanaInstance>),
    InhibitionRule(Box<InhibitionRule>),
    MaintenancePolicy(Box<MaintenancePolicy>),
    NotificationPolicy(Box<NotificationPolicy>),
    NotificationTemplate(Box<NotificationTemplate>),
    PrometheusRuleImport(Box<PrometheusRuleImport>),
    Silence(Box<Silence>),
    TimeInterval(Box<TimeInterval>),
}

/// Whether a document is a resource of our group, whichever its version is.
pub fn is_ours(value: &Value) -> bool {
    let version = value.get("apiVersion").and_then(Value::as_str);
    version.is_some_and(|version| version.split('/').next() == Some(GROUP))
}

impl Object {
    /// A resource as it is written; without a namespace it is in the one that is given.
    pub fn new(value: Value, namespace: &str) -> Self {
        let text = |at: &str| value.pointer(at).and_then(Value::as_str).map(str::to_owned);
        let kind = text("/kind").unwrap_or_default();
        Self {
            namespace: text("/metadata/namespace").unwrap_or_else(|| namespace.to_owned()),
            name: text("/metadata/name").unwrap_or_default(),
            typed: typed(&kind, &value),
            kind,
            value,
        }
    }

    /// Kind and name, as kubectl writes them.
    pub fn called(&self) -> String {
        let name = if self.name.is_empty() {
            "(without a name)"
        } else {
            &self.name
        };
        format!("{} {name}", self.kind)
    }

    /// The field for which its kind's types don't take it, and why; without what may be a secret.
    pub(super) fn unreadable(&self) -> Option<(&'static str, String)> {
        if self.typed.is_some() {
            return None;
        }
        let without = |field: &str| {
            let mut value = self.value.clone();
            value.as_object_mut()?.remove(field);
            typed(&self.kind, &value)
        };
        if let Err(error) = ObjectMeta::deserialize(self.value.get("metadata").unwrap_or(&Value::Null)) {
            return Some(("metadata", error.to_string()));
        }
        if without("status").is_some() {
            return Some(("status", "it is none of this version's; leave it out".to_owned()));
        }
        Some(("spec", format!("it is no {} of this version", self.kind)))
    }

    /// The same, if need be without metadata that can't be read: what else is wrong with it is told at once.
    pub(super) fn as_far_as_readable(&self) -> Cow<'_, Self> {
        if self.typed.is_some() {
            return Cow::Borrowed(self);
        }
        let mut value = self.value.clone();
        if let Some(fields) = value.as_object_mut() {
            fields.remove("status");
            let name = json!({"name": self.name, "namespace": self.namespace});
            fields.insert("metadata".to_owned(), name);
        }
        Cow::Owned(Self {
            typed: typed(&self.kind, &value),
            ..self.clone()
        })
    }

    /// Its specification.
    pub fn spec(&self) -> &Value {
        self.value.get("spec").unwrap_or(&Value::Null)
    }

    /// The GrafanaInstances that it is for.
    pub fn instances(&self) -> Vec<&str> {
        let spec = self.spec();
        let several = spec.get("instances").and_then(Value::as_array);
        let several: Vec<&str> = several.into_iter().flatten().filter_map(Value::as_str).collect();
        if several.is_empty() {
            let one = spec.get("instance").and_then(Value::as_str);
            vec![one.unwrap_or(DEFAULT_INSTANCE)]
        } else {
            several
        }
    }

    /// An annotation of it.
    pub fn annotation(&self, name: &str) -> Option<&str> {
        self.value
            .get("metadata")?
            .get("annotations")?
            .get(name)?
            .as_str()
    }

    /// Its labels.
    pub fn labels(&self) -> BTreeMap<String, String> {
        let labels = self.value.pointer("/metadata/labels").and_then(Value::as_object);
        let text = |(key, value): (&String, &Value)| Some((key.clone(), value.as_str()?.to_owned()));
        labels.into_iter().flatten().filter_map(text).collect()
    }

    /// The rules that it switches off.
    pub fn disabled(&self) -> impl Iterator<Item = &str> {
        let list = self.annotation(ANNOTATION_DISABLE).unwrap_or_default();
        list.split(',').map(str::trim).filter(|name| !name.is_empty())
    }
}

fn typed(kind: &str, value: &Value) -> Option<Typed> {
    fn read<K: DeserializeOwned>(value: &Value) -> Option<Box<K>> {
        K::deserialize(value).ok().map(Box::new)
    }
    Some(match kind {
        "AlertRule" => Typed::AlertRule(read(value)?),
        "ContactPoint" => Typed::ContactPoint(read(value)?),
        "GrafanaInstance" => Typed::GrafanaInstance(read(value)?),
        "InhibitionRule" => Typed::InhibitionRule(read(value)?),
        "MaintenancePolicy" => Typed::MaintenancePolicy(read(value)?),
        "NotificationPolicy" => Typed::NotificationPolicy(read(value)?),
        "NotificationTemplate" => Typed::NotificationTemplate(read(value)?),
        "PrometheusRuleImport" => Typed::PrometheusRuleImport(read(value)?),
        "Silence" => Typed::Silence(read(value)?),
        "TimeInterval" => Typed::TimeInterval(read(value)?),
        _ => return None,
    })
}
