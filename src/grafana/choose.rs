//! Which API each concern goes through: the newer one where Grafana serves it and lets it be used, else the older.

use std::sync::Arc;

use futures::FutureExt;
use parking_lot::RwLock;

use super::api::{self, Answer, Api, Apis, Capabilities, Concern, Grafana};
use super::error::{Class, Error};
use super::transport::Transport;
use super::wire::{Folder, Settings};
use super::{platform, provisioning};

/// A client that begins with the older API, which every version serves.
pub(super) fn client(transport: Arc<Transport>) -> Grafana {
    let older = provisioning::client(transport.clone());
    let folders = Arc::new(Folders {
        older: older.clone(),
        newer: RwLock::default(),
        refused: RwLock::default(),
    });
    Grafana {
        rules: older.clone(),
        folders: folders.clone(),
        notifications: older.clone(),
        silences: older.clone(),
        server: older,
        apis: Arc::new(Chosen { transport, folders }),
    }
}

/// What is chosen.
struct Chosen {
    transport: Arc<Transport>,
    folders: Arc<Folders>,
}

impl Apis for Chosen {
    fn choose<'a>(&'a self, settings: &'a Settings) -> Answer<'a, ()> {
        async move {
            let found = match &settings.namespace {
                Some(namespace) => {
                    let (kind, versions) = (platform::Folders::KIND, platform::Folders::VERSIONS);
                    let found = platform::find(&self.transport, kind, &versions).await?;
                    found.map(|kind| platform::Folders::new(self.transport.clone(), kind, namespace.clone()))
                }
                // A version that doesn't say where its objects are has none that is worth it.
                None => None,
            };
            // It is tried before it is chosen, lest what is refused be chosen and given up in turn.
            let refused = match &found {
                Some(newer) => match newer.probe().await {
                    Err(error) if is_closed(&error) => Some(error.to_string()),
                    Err(error) => return Err(error),
                    Ok(()) => None,
                },
                None => None,
            };
            *self.folders.refused.write() = refused;
            *self.folders.newer.write() = found.map(Arc::new);
            Ok(())
        }
        .boxed()
    }

    fn capabilities(&self) -> Capabilities {
        let newer = self.folders.usable();
        let folders = newer.as_ref().map_or(Api::Provisioning, |newer| {
            Api::Platform(newer.kind().group_version())
        });
        Capabilities {
            apis: [
                (Concern::Folders, folders),
                (Concern::Notifications, Api::Provisioning),
                (Concern::Rules, Api::Provisioning),
            ]
            .into(),
            refused: self
                .folders
                .refused
                .read()
                .clone()
                .map(|why| (Concern::Folders, why))
                .into_iter()
                .collect(),
            watchable: newer
                .filter(|newer| newer.kind().is_watchable)
                .map(|_| Concern::Folders)
                .into_iter()
                .collect(),
        }
    }
}

/// Folders are listed through the newer API, which knows what has just been written. All else goes through the older one: it gives a new folder the
/// permissions that people expect, and deletes none that holds rules.
struct Folders {
    older: Arc<dyn api::Folders>,
    newer: RwLock<Option<Arc<platform::Folders>>>,
    /// Why the newer one isn't used though it is there.
    refused: RwLock<Option<String>>,
}

impl Folders {
    fn usable(&self) -> Option<Arc<platform::Folders>> {
        if self.refused.read().is_some() {
            return None;
        }
        self.newer.read().clone()
    }

    /// Notes that the newer API can't be used until the next choice.
    fn give_up(&self, error: &Error) {
        *self.refused.write() = Some(error.to_string());
    }
}

/// Whether the newer API isn't for these credentials, or not there any more.
fn is_closed(error: &Error) -> bool {
    matches!(error.class(), Class::Forbidden | Class::Missing)
}

impl api::Folders for Folders {
    fn list(&self) -> Answer<'_, Vec<Folder>> {
        async move {
            let Some(newer) = self.usable() else {
                return self.older.list().await;
            };
            let refused = match newer.list().await {
                Err(error) if is_closed(&error) => error,
                answer => return answer,
            };
            // What the older one refuses too is said in its words.
            let folders = self.older.list().await?;
            self.give_up(&refused);
            Ok(folders)
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

#[cfg(test)]
mod tests;
