//! Folders.

use serde::{Deserialize, Deserializer, Serialize};

/// The uid by which some answers call the root.
const GENERAL: &str = "general";

/// One folder.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Folder {
    /// Identity within the organisation.
    pub uid: String,
    /// Title, unique among the folders of one parent.
    pub title: String,
    /// Folder it lies in; `None` at the root. A search names it `folderUid`.
    #[serde(
        alias = "folderUid",
        deserialize_with = "parent",
        skip_serializing_if = "Option::is_none"
    )]
    pub parent_uid: Option<String>,
}

fn parent<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    Option::<String>::deserialize(from).map(in_folder)
}

/// The folder that something lies in. The root has no name of its own, and an empty one or `general` in answers that come from an index.
pub(in crate::grafana) fn in_folder(uid: Option<String>) -> Option<String> {
    uid.filter(|uid| !uid.is_empty() && uid != GENERAL)
}
