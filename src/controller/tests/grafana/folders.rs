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
            let in_same_place = |known: &&Folder| known.parent_uid == folder.parent_uid;
            let is_same = |known: &Folder| known.title.eq_ignore_ascii_case(&folder.title);
            if held.folders.iter().filter(in_same_place).any(is_same) {
                return Err(refusal(
                    "folders.create",
                    409,
                    "a folder with the same name already exists in the current location",
                ));
            }
            let mut above = 0;
            let mut parent = folder.parent_uid.clone();
            while let Some(uid) = parent {
                above += 1;
                let known = held.folders.iter().find(|known| known.uid == uid);
                parent = known.and_then(|known| known.parent_uid.clone());
            }
            if held.deepest_folder.is_some_and(|deepest| above >= deepest) {
                return Err(refusal(
                    "folders.create",
                    400,
                    "Maximum nested folder depth reached",
                ));
            }
            held.folders.push(folder.clone());
            Ok(folder)
        })
    }
    fn content<'a>(&'a self, uid: &'a str) -> Answer<'a, Option<u64>> {
        let uid = uid.to_owned();
        self.call("folders.content", move |held| {
            let folders = held
                .folders
                .iter()
                .filter(|f| f.parent_uid.as_ref() == Some(&uid))
                .count();
            let rules = held.rules.values().filter(|rule| rule.folder_uid == uid).count();
            Ok(u64::try_from(folders + rules).ok())
        })
    }
    fn delete<'a>(&'a self, uid: &'a str) -> Answer<'a, ()> {
        let uid = uid.to_owned();
        self.call("folders.delete", move |held| {
            held.folders.retain(|f| f.uid != uid);
            Ok(())
        })
    }
}
