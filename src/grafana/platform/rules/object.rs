//! A rule as an object: what says where it is and in which state.

use std::collections::BTreeMap;

use super::spec::Spec;
use crate::grafana::api::{FoundRule, Provenance, Updated};
use crate::grafana::error::Result;
use crate::grafana::model::{AlertRule, Revision};
use crate::grafana::platform::object::{FOLDER, Metadata, Object};

/// Annotation with the time of the last change.
const UPDATED: &str = "grafana.app/updatedTimestamp";

/// Labels of a rule that was made with a group: its name, and the rule's place in it. What is made here has none and can't get any; who has them keeps
/// them only if both are sent back (`apps/alerting/rules/pkg/app/util/group_validation.go`).
pub(super) const GROUP: &str = "grafana.com/group";
const GROUP_INDEX: &str = "grafana.com/group-index";

/// What of an object's state a write has to send back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct State {
    /// Another one after each change, of a sibling too.
    version: String,
    /// Its place in its group; empty without one.
    index: String,
}

impl State {
    pub(super) fn of(metadata: &Metadata) -> Self {
        Self {
            version: metadata.resource_version.clone(),
            index: metadata.labels.get(GROUP_INDEX).cloned().unwrap_or_default(),
        }
    }

    /// What was kept of one.
    pub(super) fn read(revision: &Revision) -> Option<Self> {
        let (version, index) = revision.0.rsplit_once('/')?;
        Some(Self {
            version: version.to_owned(),
            index: index.to_owned(),
        })
    }

    fn revision(&self) -> Revision {
        Revision(format!("{}/{}", self.version, self.index))
    }
}

/// What Grafana has told of a rule.
pub(super) fn found(object: Object<Spec>) -> FoundRule {
    let state = State::of(&object.metadata);
    let updated = object.metadata.annotations.get(UPDATED);
    FoundRule {
        updated: Updated(updated.and_then(|text| text.parse().ok())),
        revision: Some(state.revision()),
        ..FoundRule::of(&rule(object))
    }
}

/// The rule itself.
pub(super) fn rule(object: Object<Spec>) -> AlertRule {
    let Object { metadata, spec } = object;
    let provenance = metadata.provenance();
    let mut annotations = metadata.annotations;
    let mut labels = metadata.labels;
    AlertRule {
        uid: metadata.name,
        folder_uid: annotations.remove(FOLDER).unwrap_or_default(),
        group: labels.remove(GROUP),
        provenance,
        ..spec.rule()
    }
}

/// A rule as it is sent: a new one, or in the place of one in this state, which stays without a group if it has none.
pub(super) fn sent(
    rule: &AlertRule,
    provenance: Provenance,
    group: Option<(&str, &State)>,
    state: Option<&State>,
) -> Result<Object<Spec>> {
    let labels = group.map(|(name, state)| {
        BTreeMap::from([
            (GROUP.to_owned(), name.to_owned()),
            (GROUP_INDEX.to_owned(), state.index.clone()),
        ])
    });
    let metadata = Metadata {
        name: rule.uid.clone(),
        resource_version: state.map(|state| state.version.clone()).unwrap_or_default(),
        annotations: BTreeMap::from([(FOLDER.to_owned(), rule.folder_uid.clone())]),
        labels: labels.unwrap_or_default(),
    };
    Ok(Object {
        metadata: metadata.provided(provenance),
        spec: Spec::of(rule)?,
    })
}
