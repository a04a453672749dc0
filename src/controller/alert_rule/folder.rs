//! The folder that a rule lies in.

use crate::api::AlertRule;
use crate::api::condition::Reason;
use crate::controller::connection::{Facts, Instance};
use crate::controller::context::Context;
use crate::controller::engine::failure::Failure;
use crate::controller::engine::managed::Managed;
use crate::domain::refusal::Refusal;
use crate::domain::rule;
use crate::domain::version::Version;
use crate::grafana::mirror::Lookup;
use crate::grafana::wire::Folder;

/// A folder that exists.
#[derive(Debug, Clone)]
pub struct Place {
    /// Its uid.
    pub uid: String,
    /// Its title path.
    pub title: String,
}

/// Finds the rule's folder, or creates it. A folder that somebody else made is used as it is.
pub async fn ensure(
    instance: &Instance,
    context: &Context,
    object: &AlertRule,
    facts: &Facts,
) -> Result<Place, Failure> {
    if let Some(uid) = &object.spec.folder_uid {
        return match instance.mirror.read(|held| held.folders.lookup(uid).cloned()) {
            Lookup::Present(folder) => Ok(Place {
                uid: folder.uid,
                title: folder.title,
            }),
            Lookup::Absent | Lookup::Unknown => Err(Refusal::missing(format!(
                "spec.folderUID: Grafana has no folder with uid {uid}; create it, or give folder instead"
            ))
            .into()),
        };
    }
    let prefix = instance.spec.folder_prefix.as_deref().unwrap_or_default();
    let path = rule::folder_path(&object.spec, object.ns(), prefix).unwrap_or_default();
    let titles = titles(&path, facts)?;
    let mut parent: Option<String> = None;
    let mut so_far = String::new();
    for title in titles {
        if !so_far.is_empty() {
            so_far.push('/');
        }
        so_far.push_str(title);
        let uid = one(
            instance,
            &context.owner.folder_uid(&so_far),
            title,
            parent.as_deref(),
        )
        .await?;
        parent = Some(uid);
    }
    Ok(Place {
        uid: parent.unwrap_or_default(),
        title: path,
    })
}

fn titles<'a>(path: &'a str, facts: &Facts) -> Result<Vec<&'a str>, Refusal> {
    let titles: Vec<_> = path.split('/').collect();
    if titles.iter().any(|title| title.trim().is_empty()) {
        return Err(Refusal::invalid("spec.folder", "a folder's title can't be empty"));
    }
    if titles.len() > 1 && !facts.nested_folders && facts.version < Version::NESTED_FOLDERS {
        return Err(Refusal::new(
            Reason::Unsupported,
            format!(
                "spec.folder: folders within folders need Grafana {} or newer; this one is {}",
                Version::NESTED_FOLDERS,
                facts.version
            ),
        ));
    }
    Ok(titles)
}

/// The uid of one folder, which is created if it isn't there.
async fn one(instance: &Instance, uid: &str, title: &str, parent: Option<&str>) -> Result<String, Failure> {
    if let Some(found) = known(instance, uid, title, parent) {
        return Ok(found);
    }
    let _writer = instance.folders.lock().await;
    if let Some(found) = known(instance, uid, title, parent) {
        return Ok(found);
    }
    match instance.grafana.folders.create(uid, title, parent).await {
        Ok(folder) => {
            let uid = folder.uid.clone();
            instance
                .mirror
                .write(|held| held.folders.written(uid.clone(), Some(folder)));
            Ok(uid)
        }
        Err(error) => {
            // Another answer may have been lost, or somebody was faster: the next look tells.
            let listed = instance
                .grafana
                .folders
                .list()
                .await
                .map_err(|e| instance.suspect(e.into()))?;
            let same = |f: &&Folder| f.uid == uid || (f.title == title && f.parent_uid.as_deref() == parent);
            match listed.iter().find(same) {
                Some(folder) => {
                    instance
                        .mirror
                        .write(|held| held.folders.written(folder.uid.clone(), Some(folder.clone())));
                    Ok(folder.uid.clone())
                }
                None => Err(instance.suspect(error.into())),
            }
        }
    }
}

fn known(instance: &Instance, uid: &str, title: &str, parent: Option<&str>) -> Option<String> {
    instance.mirror.read(|held| {
        if held.folders.lookup(&uid.to_owned()).present().is_some() {
            return Some(uid.to_owned());
        }
        held.folders
            .iter()
            .find(|(_, folder)| folder.title == title && folder.parent_uid.as_deref() == parent)
            .map(|(uid, _)| uid.clone())
    })
}
