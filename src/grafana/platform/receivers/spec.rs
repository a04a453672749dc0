//! What a receiver says, spelled as Grafana has it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::grafana::model::{ContactPoint, Integration};
use crate::grafana::platform::titled::Titled;
use crate::grafana::wire::null_as_default;

/// The version of integrations that aren't imported from elsewhere.
const VERSION: &str = "v1";

#[derive(Serialize, Deserialize)]
pub(super) struct Spec {
    title: String,
    #[serde(default, deserialize_with = "null_as_default")]
    integrations: Vec<Body>,
}

/// One integration.
#[derive(Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Body {
    #[serde(deserialize_with = "null_as_default")]
    uid: String,
    r#type: String,
    version: String,
    #[serde(deserialize_with = "null_as_default")]
    disable_resolve_message: bool,
    #[serde(deserialize_with = "null_as_default")]
    settings: Map<String, Value>,
    /// Which secrets are stored, by their paths; in a write those that are to stay, which mustn't be given in the settings too
    /// (`WithExistingSecureFields` in `pkg/services/ngalert/models/receivers.go`).
    #[serde(
        deserialize_with = "null_as_default",
        skip_serializing_if = "BTreeMap::is_empty"
    )]
    secure_fields: BTreeMap<String, bool>,
    /// Fields that we don't know, for who writes it back.
    #[serde(flatten)]
    unknown: Map<String, Value>,
}

impl Titled for Spec {
    const KIND: &'static str = "Receiver";
    const CALLS: [&'static str; 5] = [
        "contact_points.list",
        "contact_points.get",
        "contact_points.create",
        "contact_points.update",
        "contact_points.delete",
    ];
}

impl Spec {
    /// A contact point as it is sent, with all its secrets.
    pub(super) fn of(wish: &ContactPoint) -> Self {
        let integrations = wish.integrations.iter().map(|integration| Body {
            uid: integration.uid.clone(),
            r#type: integration.r#type.clone(),
            version: VERSION.to_owned(),
            disable_resolve_message: integration.disable_resolve_message,
            settings: integration.settings.clone(),
            ..Body::default()
        });
        Self {
            title: wish.name.clone(),
            integrations: integrations.collect(),
        }
    }

    /// The same without some of its integrations.
    pub(super) fn without(mut self, uids: &[String]) -> Self {
        self.integrations
            .retain(|integration| !uids.contains(&integration.uid));
        self
    }

    /// The same with some integrations of what was read, as they are.
    pub(super) fn beside(mut self, there: Self, uids: &[String]) -> Self {
        let kept = there.integrations.into_iter();
        self.integrations
            .extend(kept.filter(|integration| uids.contains(&integration.uid)));
        self
    }

    /// The contact point that was read, as provisioned by the same for all of its integrations.
    pub(super) fn contact_point(self, provenance: Option<&String>) -> ContactPoint {
        let integrations = self.integrations.into_iter().map(|body| {
            let mut integration = Integration {
                uid: body.uid,
                r#type: body.r#type,
                settings: body.settings,
                disable_resolve_message: body.disable_resolve_message,
                provenance: provenance.cloned(),
            };
            let stored = body.secure_fields.iter().filter(|(_, is_stored)| **is_stored);
            stored.for_each(|(path, _)| integration.hide(path));
            integration
        });
        ContactPoint {
            name: self.title,
            integrations: integrations.collect(),
        }
    }
}
