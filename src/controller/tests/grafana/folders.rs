//! Its folders.

use super::{Double, refusal};
use crate::grafana::api::watch::Listed;
use crate::grafana::api::{Answer, Folders};
use crate::grafana::wire::Folder;

impl Folders for Double {
    fn list(&self) -> Answer<'_, Listed<Folder>> {
        self.call("folders.list", |held| {
            Ok(if held.index_lags {
                Vec::new()
            } else {
                held.folders.clone()
            }
            .into())
        })
    }
    fn get<'a>(&'a self, uid: &'a str) -> Answer<'a, Option<Folder>> {
        let uid = uid.to_owned();
        self.call("folders.get", move |held| {
            Ok(held.folders.iter().find(|f| f.uid == uid).cloned())
        })
    }
    fn create<'a>(&'a self, uid: &'a str, title: &'a str, parent_uid: Option<&'a str>) -> Answer<'a, Folder> {
        let folder = Folder {
            uid: uid.to_owned(),
            title: title.to_owned(),
            parent_uid: parent_uid.map(str::to_owned),
        };
        self.call("folders.create", move |held| {
            if held.folders.iter().any(|known| known.uid == folder.uid) {
                return Err(refusal(
                    "folders.create",
                    412,
                    "a folder with the same name already exists",
                ));
            }
            held.folders.push(folder.clone());
            Ok(folder)
        })
    }
    fn content<'a>(&'a self, _: &'a str) -> Answer<'a, Option<u64>> {
        self.call("folders.content", |_| Ok(Some(0)))
    }
    fn delete<'a>(&'a self, uid: &'a str) -> Answer<'a, ()> {
        let uid = uid.to_owned();
        self.call("folders.delete", move |held| {
            held.folders.retain(|f| f.uid != uid);
            Ok(())
        })
    }
}
