//! Inhibition rules: `inhibitionrules` of `notifications.alerting.grafana.app`. Their names are the client's.

use std::sync::Arc;

use futures::FutureExt;
use serde::{Deserialize, Serialize};

use crate::grafana::api::{Answer, Provenance};
use crate::grafana::model::{Found, InhibitionRule, ObjectMatcher};
use crate::grafana::platform::Kind;
use crate::grafana::platform::matcher::Matcher;
use crate::grafana::platform::object::{Metadata, Object};
use crate::grafana::platform::place::Place;
use crate::grafana::transport::Transport;
use crate::grafana::wire::null_as_default;

const KIND: &str = "InhibitionRule";

/// Most objects that one page has. Up to 13.3 they come all at once.
const PAGE: usize = 500;

/// What such a rule says.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Spec {
    #[serde(deserialize_with = "null_as_default")]
    source_matchers: Vec<Matcher>,
    #[serde(deserialize_with = "null_as_default")]
    target_matchers: Vec<Matcher>,
    #[serde(deserialize_with = "null_as_default", skip_serializing_if = "Vec::is_empty")]
    equal: Vec<String>,
}

impl From<&InhibitionRule> for Spec {
    fn from(rule: &InhibitionRule) -> Self {
        Self {
            source_matchers: rule.source_matchers.iter().map(Matcher::from).collect(),
            target_matchers: rule.target_matchers.iter().map(Matcher::from).collect(),
            equal: rule.equal.clone(),
        }
    }
}

fn found(object: Object<Spec>) -> Found<InhibitionRule> {
    let name = object.metadata.name.clone();
    let Found {
        object: spec,
        provenance,
        revision,
    } = object.found();
    let matchers = |all: Vec<Matcher>| all.into_iter().map(ObjectMatcher::from).collect();
    Found {
        object: InhibitionRule {
            name,
            source_matchers: matchers(spec.source_matchers),
            target_matchers: matchers(spec.target_matchers),
            equal: spec.equal,
        },
        provenance,
        revision,
    }
}

/// The inhibition rules of an organisation.
pub(in crate::grafana) struct InhibitionRules(Place);

impl InhibitionRules {
    /// Where these are, in the versions of [`Receivers`](crate::grafana::platform::Receivers): all of them are one document.
    pub(in crate::grafana) const KIND: (&'static str, &'static str) =
        ("notifications.alerting.grafana.app", "inhibitionrules");

    /// Those of one namespace.
    pub(in crate::grafana) fn new(transport: Arc<Transport>, kind: Kind, namespace: String) -> Self {
        Self(Place {
            transport,
            kind,
            namespace,
        })
    }

    /// Every inhibition rule, those of imported configurations among them.
    pub(in crate::grafana) fn list(&self) -> Answer<'_, Vec<Found<InhibitionRule>>> {
        self.0
            .pages(|| self.0.list("inhibition_rules.list"), PAGE, found)
            .boxed()
    }

    /// One inhibition rule.
    pub(in crate::grafana) fn get<'a>(&'a self, name: &'a str) -> Answer<'a, Option<Found<InhibitionRule>>> {
        async move { Ok(self.0.get("inhibition_rules.get", name).await?.map(found)) }.boxed()
    }

    /// Creates one, or replaces the one of this name that was found.
    pub(in crate::grafana) fn put<'a>(
        &'a self,
        wish: &'a InhibitionRule,
        before: Option<&'a Found<InhibitionRule>>,
        provenance: Provenance,
    ) -> Answer<'a, Found<InhibitionRule>> {
        async move {
            let name = wish.name.as_str();
            let version = before.and_then(|found| found.revision.as_ref());
            let metadata = Metadata {
                name: name.to_owned(),
                resource_version: version.map(|revision| revision.0.clone()).unwrap_or_default(),
                ..Metadata::default()
            };
            let object = Object {
                metadata: metadata.provided(provenance),
                spec: Spec::from(wish),
            };
            let stored = if before.is_some() {
                let update = "inhibition_rules.update";
                self.0.replace(update, KIND, name, &object).await?
            } else {
                self.0.create("inhibition_rules.create", KIND, &object).await?
            };
            Ok(found(stored))
        }
        .boxed()
    }

    /// Deletes one in the state that was found.
    pub(in crate::grafana) fn delete<'a>(&'a self, found: &'a Found<InhibitionRule>) -> Answer<'a, ()> {
        let version = found.revision.as_ref().map(|revision| revision.0.as_str());
        self.0
            .delete("inhibition_rules.delete", &found.object.name, version)
            .boxed()
    }
}
