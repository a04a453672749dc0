//! Folders.

use serde::{Deserialize, Serialize};

/// One folder.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Folder {
    /// Identity within the organisation.
    pub uid: String,
    /// Title, unique among the folders of one parent.
    pub title: String,
    /// Folder it lies in; `None` at the root. A search names it `folderUid`.
    #[serde(alias = "folderUid", skip_serializing_if = "Option::is_none")]
    pub parent_uid: Option<String>,
}
