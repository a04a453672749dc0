//! A resource that is written down.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use crate::api::reference::SecretKeyRef;
use crate::api::{
    ANNOTATION_ADOPT, AlertRuleSpec, ContactPointSpec, InhibitionRuleSpec, NotificationPolicySpec,
    NotificationTemplateSpec, SilenceSpec, TimeIntervalSpec,
};
use crate::domain::lint::object::{API_VERSION, Object};
use crate::domain::lint::schema::Schemas;

/// The kinds that an object of Grafana may be of, in the order in which they are needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "each is its kind")]
pub enum Kind {
    ContactPoint,
    TimeInterval,
    NotificationTemplate,
    InhibitionRule,
    NotificationPolicy,
    AlertRule,
    Silence,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::ContactPoint,
        Self::TimeInterval,
        Self::NotificationTemplate,
        Self::InhibitionRule,
        Self::NotificationPolicy,
        Self::AlertRule,
        Self::Silence,
    ];
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::ContactPoint => "ContactPoint",
            Self::TimeInterval => "TimeInterval",
            Self::NotificationTemplate => "NotificationTemplate",
            Self::InhibitionRule => "InhibitionRule",
            Self::NotificationPolicy => "NotificationPolicy",
            Self::AlertRule => "AlertRule",
            Self::Silence => "Silence",
        })
    }
}

/// The specification of one of them.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
#[expect(missing_docs, reason = "each is its kind")]
pub enum Spec {
    ContactPoint(Box<ContactPointSpec>),
    TimeInterval(Box<TimeIntervalSpec>),
    NotificationTemplate(Box<NotificationTemplateSpec>),
    InhibitionRule(Box<InhibitionRuleSpec>),
    NotificationPolicy(Box<NotificationPolicySpec>),
    AlertRule(Box<AlertRuleSpec>),
    Silence(Box<SilenceSpec>),
}

impl Spec {
    /// Which kind it is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::ContactPoint(_) => Kind::ContactPoint,
            Self::TimeInterval(_) => Kind::TimeInterval,
            Self::NotificationTemplate(_) => Kind::NotificationTemplate,
            Self::InhibitionRule(_) => Kind::InhibitionRule,
            Self::NotificationPolicy(_) => Kind::NotificationPolicy,
            Self::AlertRule(_) => Kind::AlertRule,
            Self::Silence(_) => Kind::Silence,
        }
    }
}

/// A resource, with what there is to say of it.
#[derive(Debug, Clone)]
pub struct Resource {
    /// Its name.
    pub name: String,
    /// Its namespace, where one is known.
    pub namespace: Option<String>,
    /// Its specification.
    pub spec: Spec,
    /// What its annotation says that takes over what there is.
    pub adopts: Option<String>,
    /// What Grafana calls its object.
    pub called: String,
    /// The title of the folder of a rule.
    pub folder: Option<String>,
    /// What was made of it, in a few words.
    pub form: String,
    /// What the first pass would change in Grafana beside saying whose the object is.
    pub changes: Vec<String>,
    /// What isn't in it.
    pub lost: Vec<String>,
    /// What is to be done, or to be known.
    pub remarks: Vec<String>,
    /// Keys of Secrets that hold what Grafana hides.
    pub secrets: Vec<SecretKeyRef>,
}

/// A resource as it is written.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest<'a> {
    api_version: &'static str,
    kind: String,
    metadata: Metadata<'a>,
    spec: &'a Spec,
}

#[derive(Debug, Serialize)]
struct Metadata<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace: Option<&'a str>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    annotations: BTreeMap<&'static str, &'a str>,
}

impl Resource {
    /// One of which nothing is to be said yet.
    pub fn new(spec: Spec, name: &str, namespace: Option<&str>, called: &str) -> Self {
        Self {
            name: name.to_owned(),
            namespace: namespace.map(str::to_owned),
            spec,
            adopts: None,
            called: called.to_owned(),
            folder: None,
            form: String::new(),
            changes: Vec::new(),
            lost: Vec::new(),
            remarks: Vec::new(),
            secrets: Vec::new(),
        }
    }

    /// As it is written.
    pub fn manifest(&self) -> Manifest<'_> {
        let adopts = self.adopts.as_deref().map(|adopts| (ANNOTATION_ADOPT, adopts));
        Manifest {
            api_version: API_VERSION,
            kind: self.spec.kind().to_string(),
            metadata: Metadata {
                name: &self.name,
                namespace: self.namespace.as_deref(),
                annotations: adopts.into_iter().collect(),
            },
            spec: &self.spec,
        }
    }

    /// The first thing for which an API server would refuse it.
    pub(super) fn refusal(&self, schemas: &Schemas) -> Option<String> {
        // A specification always serialises.
        let value = serde_json::to_value(self.manifest()).unwrap_or_default();
        let found = schemas.check(0, &Object::new(value, ""));
        found
            .into_iter()
            .next()
            .map(|finding| format!("{}: {}", finding.path, finding.message))
    }

    /// Itself, where an API server would take it.
    pub(super) fn checked(self, schemas: &Schemas) -> Result<Self, String> {
        match self.refusal(schemas) {
            Some(refusal) => Err(refusal),
            None => Ok(self),
        }
    }
}
