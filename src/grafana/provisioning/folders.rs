//! Folders: `/api/folders`, listed through `/api/search`, which alone shows every depth at once.

use std::collections::{BTreeMap, HashSet};

use futures::FutureExt;
use http::Method;
use serde::Deserialize;

use super::Provisioning;
use crate::grafana::api::watch::Listed;
use crate::grafana::api::{Answer, Folders};
use crate::grafana::error::Result;
use crate::grafana::transport::Call;
use crate::grafana::wire::Folder;

const FOLDERS: &str = "api/folders";

/// Most folders that one search returns.
const PAGE: usize = 5000;

/// A page with fewer folders is the last one. One with more may have been cut by the server: the search of 12 and later is answered by an index,
/// and nothing says that it fills each page.
const LEAST_PAGE: usize = 100;

/// What the names of library elements have in common among a folder's counts: `librarypanel`, from 12.0 on `library_elements` or
/// `librarypanels` (`toFolderLegacyCounts` in `pkg/api/folder.go`).
const LIBRARY: &str = "library";

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
    fn list(&self) -> Answer<'_, Listed<Folder>> {
        async move {
            let (mut folders, mut seen) = (Vec::new(), HashSet::new());
            for page in 1_usize.. {
                let call = Call::get("folders.list", "api/search", &[])
                    .query("type", "dash-folder")
                    .query("limit", PAGE.to_string())
                    .query("page", page.to_string());
                let found: Vec<Folder> = self.transport.fetch(call).await?;
                let (length, before) = (found.len(), folders.len());
                folders.extend(found.into_iter().filter(|folder| seen.insert(folder.uid.clone())));
                if length < LEAST_PAGE || folders.len() == before {
                    break;
                }
            }
            Ok(folders.into())
        }
        .boxed()
    }

    fn get<'a>(&'a self, uid: &'a str) -> Answer<'a, Option<Folder>> {
        async move {
            let found = self
                .transport
                .fetch(Call::get("folders.get", FOLDERS, &[uid]).of_one());
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
            let call = Call::get("folders.content", FOLDERS, &[uid, "counts"]).of_one();
            let counts: Option<BTreeMap<String, u64>> =
                self.if_present(self.transport.fetch(call).await).await?;
            let Some(counts) = counts else { return Ok(None) };
            let counted = counts.values().sum();
            if counted == 0 && !counts.keys().any(|kind| kind.contains(LIBRARY)) {
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
