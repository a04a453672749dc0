//! Folders as they are read: `folder.grafana.app`. Unlike the search of `/api`, this list shows what has just been written.

use std::sync::Arc;

use serde::Deserialize;

use super::Kind;
use super::object::{FOLDER, Object};
use super::place::Place;
use crate::grafana::api::watch::Listed;
use crate::grafana::error::Result;
use crate::grafana::transport::Transport;
use crate::grafana::wire::{Folder, in_folder};

/// Most folders that one page has.
const PAGE: usize = 1000;

#[derive(Debug, Deserialize)]
struct Spec {
    title: String,
}

/// The folders of an organisation.
pub(in crate::grafana) struct Folders(Place);

impl Folders {
    /// Where these are, and in which versions, the best first. Beta from 12.0 on, stable from 13.0 on (what's new in 12.0 and 13.0).
    pub(in crate::grafana) const KIND: (&'static str, &'static str) = ("folder.grafana.app", "folders");
    pub(in crate::grafana) const VERSIONS: [&'static str; 2] = ["v1", "v1beta1"];

    /// Those of one namespace.
    pub(in crate::grafana) fn new(transport: Arc<Transport>, kind: Kind, namespace: String) -> Self {
        Self(Place {
            transport,
            kind,
            namespace,
        })
    }

    /// Which API this is.
    pub(in crate::grafana) fn kind(&self) -> &Kind {
        &self.0.kind
    }

    /// Every folder, at any depth.
    pub(in crate::grafana) async fn list(&self) -> Result<Listed<Folder>> {
        let operations = ("folders.list", "folders.watch");
        self.0.listed(operations, PAGE, Folder::from).await
    }
}

impl From<Object<Spec>> for Folder {
    fn from(found: Object<Spec>) -> Self {
        Self {
            uid: found.metadata.name,
            title: found.spec.title,
            parent_uid: in_folder(found.metadata.annotations.get(FOLDER).cloned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_folder_is_the_same_whichever_api_it_is_read_through() {
        let folder = |annotations: serde_json::Value| -> Folder {
            let found = json!({"metadata": {"name": "f", "annotations": annotations}, "spec": {"title": "Shop", "description": "x"}});
            serde_json::from_value::<Object<Spec>>(found).unwrap().into()
        };
        let older = |parent: serde_json::Value| -> Folder {
            serde_json::from_value(json!({"uid": "f", "title": "Shop", "folderUid": parent})).unwrap()
        };
        assert_eq!(folder(json!({"grafana.app/folder": "p"})), older(json!("p")));
        for root in [
            json!({}),
            json!(null),
            json!({"grafana.app/folder": ""}),
            json!({"grafana.app/folder": "general"}),
        ] {
            assert_eq!(folder(root.clone()), older(json!(null)), "{root}");
        }
    }
}
