//! Notification templates: `templategroups` of `notifications.alerting.grafana.app`.

use std::sync::Arc;

use futures::FutureExt;
use serde::{Deserialize, Serialize};

use crate::grafana::api::{Answer, Provenance, notifications};
use crate::grafana::model::{Found, Template};
use crate::grafana::platform::Kind;
use crate::grafana::platform::titled::{ByTitle, Titled};
use crate::grafana::transport::Transport;

/// Templates in Grafana's own words. Imported ones are `mimir`.
const OWN: &str = "grafana";

/// Who provisioned the templates that Grafana brings along, which are listed from 12.4 on.
const SHIPPED: &str = "system";

/// A template file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Group {
    title: String,
    #[serde(default)]
    content: String,
    #[serde(default = "own")]
    kind: String,
}

fn own() -> String {
    OWN.to_owned()
}

impl Titled for Group {
    const KIND: &'static str = "TemplateGroup";
    const CALLS: [&'static str; 5] = [
        "templates.list",
        "templates.get",
        "templates.create",
        "templates.update",
        "templates.delete",
    ];
}

impl From<&Template> for Group {
    fn from(template: &Template) -> Self {
        Self {
            title: template.name.clone(),
            content: template.content.clone(),
            kind: own(),
        }
    }
}

/// The template, if it is one that people have made here: those that Grafana brings along and those that were imported are on no other list.
fn made_here(found: Found<Group>) -> Option<Found<Template>> {
    let is_own = found.object.kind == OWN && found.provenance.as_deref() != Some(SHIPPED);
    is_own.then_some(Found {
        object: Template {
            name: found.object.title,
            content: found.object.content,
        },
        provenance: found.provenance,
        revision: found.revision,
    })
}

/// The notification templates of an organisation.
pub(in crate::grafana) struct Templates(ByTitle<Group>);

impl Templates {
    /// Where these are, in the versions of [`Receivers`](crate::grafana::platform::Receivers): all of them are one document.
    pub(in crate::grafana) const KIND: (&'static str, &'static str) =
        ("notifications.alerting.grafana.app", "templategroups");

    /// Those of one namespace.
    pub(in crate::grafana) fn new(transport: Arc<Transport>, kind: Kind, namespace: String) -> Self {
        Self(ByTitle::new(transport, kind, namespace))
    }

    /// Which API this is.
    pub(in crate::grafana) fn kind(&self) -> &Kind {
        self.0.kind()
    }
}

impl notifications::Templates for Templates {
    fn list(&self) -> Answer<'_, Vec<Found<Template>>> {
        async move {
            let all = self.0.list().await?;
            Ok(all.into_iter().filter_map(made_here).collect())
        }
        .boxed()
    }

    fn get<'a>(&'a self, name: &'a str) -> Answer<'a, Option<Found<Template>>> {
        async move { Ok(self.0.get(name).await?.and_then(made_here)) }.boxed()
    }

    fn put<'a>(
        &'a self,
        wish: &'a Template,
        found: Option<&'a Found<Template>>,
        provenance: Provenance,
    ) -> Answer<'a, Found<Template>> {
        async move {
            let found = found.map(|found| (found.object.name.as_str(), found.revision.as_ref()));
            let Found {
                object,
                provenance,
                revision,
            } = self.0.put(wish.into(), found, provenance).await?;
            Ok(Found {
                object: Template {
                    name: object.title,
                    content: object.content,
                },
                provenance,
                revision,
            })
        }
        .boxed()
    }

    fn delete<'a>(&'a self, found: &'a Found<Template>) -> Answer<'a, ()> {
        self.0.delete(&found.object.name, found.revision.as_ref()).boxed()
    }
}
