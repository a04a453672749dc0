//! Folders: `/api/folders`, listed through `/api/search`, which alone shows every depth at once.

use std::collections::BTreeMap;

use futures::FutureExt;
use http::Method;
use serde::Deserialize;

use super::Provisioning;
use crate::grafana::api::{Answer, Folders};
use crate::grafana::error::Result;
use crate::grafana::transport::Call;
use crate::grafana::wire::Folder;

const FOLDERS: &str = "api/folders";

/// Most folders that one search returns.
const PAGE: usize = 5000;

/// What a folder's counts call library panels.
const LIBRARY_PANELS: &str = "librarypanel";

#[derive(Deserialize)]
struct LibraryElements {
    result: LibraryElementsResult,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct LibraryElementsResult {
    total_count: u64,
}

impl Folders for Provisioning {
    fn list(&self) -> Answer<'_, Vec<Folder>> {
        async move {
            let mut folders = Vec::new();
            for page in 1_usize.. {
                let call = Call::get("folders.list", "api/search", &[])
                    .query("type", "dash-folder")
                    .query("limit", PAGE.to_string())
                    .query("page", page.to_string());
                let mut found: Vec<Folder> = self.transport.fetch(call).await?;
                let last = found.len() < PAGE;
                folders.append(&mut found);
                if last {
                    break;
                }
            }
            Ok(folders)
        }
        .boxed()
    }

    fn get<'a>(&'a self, uid: &'a str) -> Answer<'a, Option<Folder>> {
        async move {
            let found = self.transport.fetch(Call::get("folders.get", FOLDERS, &[uid]));
            self.if_present(found.await).await
        }
        .boxed()
    }

    fn create<'a>(&'a self, uid: &'a str, title: &'a str, parent_uid: Option<&'a str>) -> Answer<'a, Folder> {
        async move {
            let folder = Folder {
                uid: uid.to_owned(),
                title: title.to_owned(),
                parent_uid: parent_uid.map(str::to_owned),
            };
            self.transport
                .fetch(Call::new("folders.create", Method::POST, FOLDERS, &[]).json(&folder)?)
                .await
        }
        .boxed()
    }

    fn content<'a>(&'a self, uid: &'a str) -> Answer<'a, Option<u64>> {
        async move {
            let call = Call::get("folders.content", FOLDERS, &[uid, "counts"]);
            let counts: Option<BTreeMap<String, u64>> =
                self.if_present(self.transport.fetch(call).await).await?;
            let Some(counts) = counts else { return Ok(None) };
            let counted = counts.values().sum();
            if counted == 0 && !counts.contains_key(LIBRARY_PANELS) {
                return self.library_elements(uid).await.map(Some);
            }
            Ok(Some(counted))
        }
        .boxed()
    }

    fn delete<'a>(&'a self, uid: &'a str) -> Answer<'a, ()> {
        async move {
            let call = Call::new("folders.delete", Method::DELETE, FOLDERS, &[uid]);
            let sent = self.transport.send(call).await;
            self.if_gone(sent, Folders::get(self, uid)).await
        }
        .boxed()
    }
}

impl Provisioning {
    /// How many library elements lie in a folder. Old versions do not count them, and delete them before they look at anything
    /// that forbids to delete the folder.
    async fn library_elements(&self, uid: &str) -> Result<u64> {
        let call = Call::get("folders.content", "api/library-elements", &[])
            .query("perPage", "1")
            .query("folderFilterUIDs", uid);
        let found: LibraryElements = self.transport.fetch(call).await?;
        Ok(found.result.total_count)
    }
}
