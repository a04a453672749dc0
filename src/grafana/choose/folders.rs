//! Folders: the newer API lists them, the older one does all else.

use std::sync::Arc;

use futures::FutureExt;

use super::newer::Newer;
use crate::grafana::api::watch::Listed;
use crate::grafana::api::{self, Answer};
use crate::grafana::error::Result;
use crate::grafana::platform::{self, Discovery, Need};
use crate::grafana::transport::Transport;
use crate::grafana::wire::Folder;

const LIST: &str = "folders";

/// Folders are listed through the newer API, which knows what has just been written. All else goes through the older one: it gives a new folder the
/// permissions that people expect, and deletes none that holds rules.
pub(super) struct Folders {
    older: Arc<dyn api::Folders>,
    pub(super) newer: Newer<platform::Folders>,
}

impl Folders {
    pub(super) fn new(older: Arc<dyn api::Folders>) -> Self {
        Self {
            older,
            newer: Newer::default(),
        }
    }

    /// Looks whether the newer API is there, where this version may have it or not. Where what is below `/apis` isn't shown it isn't looked
    /// for by itself: nothing is lost without it.
    pub(super) async fn look(
        &self,
        transport: &Arc<Transport>,
        discovery: &Discovery<'_>,
        namespace: Option<&str>,
        is_expected: bool,
    ) -> Result<()> {
        let found = match namespace {
            Some(namespace) if discovery.is_shown().await? => {
                let (group, plural) = platform::Folders::KIND;
                let needs = [Need::to_read(plural)];
                let found = discovery.find(group, needs, &platform::Folders::VERSIONS).await?;
                found.map(|[kind]| platform::Folders::new(transport.clone(), kind, namespace.to_owned()))
            }
            _ => None,
        };
        self.newer.found(found, is_expected, &[LIST]);
        Ok(())
    }
}

impl api::Folders for Folders {
    fn list(&self) -> Answer<'_, Listed<Folder>> {
        async move {
            let Some(newer) = self.newer.to_list() else {
                return self.older.list().await;
            };
            let answer = newer.list().await;
            self.newer.listed(LIST, answer, self.older.list()).await
        }
        .boxed()
    }

    fn get<'a>(&'a self, uid: &'a str) -> Answer<'a, Option<Folder>> {
        self.older.get(uid)
    }

    fn create<'a>(&'a self, uid: &'a str, title: &'a str, parent_uid: Option<&'a str>) -> Answer<'a, Folder> {
        self.older.create(uid, title, parent_uid)
    }

    fn content<'a>(&'a self, uid: &'a str) -> Answer<'a, Option<u64>> {
        self.older.content(uid)
    }

    fn delete<'a>(&'a self, uid: &'a str) -> Answer<'a, ()> {
        self.older.delete(uid)
    }
}
