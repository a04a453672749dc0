//! The folder that a rule lies in.

use std::sync::Arc;
use std::time::Instant;

use crate::api::AlertRule;
use crate::api::condition::Reason;
use crate::controller::connection::{Facts, Instance};
use crate::controller::engine::failure::Failure;
use crate::controller::engine::managed::Managed;
use crate::domain::refusal::Refusal;
use crate::domain::rule;
use crate::domain::version::Version;
use crate::grafana::Class;
use crate::grafana::mirror::{Lookup, Subject};
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
pub async fn ensure(instance: &Arc<Instance>, object: &AlertRule, facts: &Facts) -> Result<Place, Failure> {
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
    let before = object.status.as_ref().and_then(|s| s.folder_uid.as_deref());
    let mut parent: Option<String> = None;
    let mut so_far = String::new();
    for title in &titles {
        if !so_far.is_empty() {
            so_far.push('/');
        }
        so_far.push_str(&title.replace('\\', "\\\\").replace('/', "\\/"));
        // Ours, and those that former owner ids made.
        let uids: Vec<String> = instance
            .owners
            .all()
            .map(|owner| owner.folder_uid(&so_far))
            .collect();
        let uid = one(instance, &uids, title, parent.as_deref(), before).await?;
        parent = Some(uid);
    }
    Ok(Place {
        uid: parent.unwrap_or_default(),
        title: path,
    })
}

fn titles(path: &str, facts: &Facts) -> Result<Vec<String>, Refusal> {
    let titles = rule::folder::titles(path)?;
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
async fn one(
    instance: &Arc<Instance>,
    uids: &[String],
    title: &str,
    parent: Option<&str>,
    before: Option<&str>,
) -> Result<String, Failure> {
    if let Some(found) = known(instance, uids, title, parent, before) {
        return Ok(found);
    }
    let turn = instance.rights.folders.lock().await;
    if let Some(found) = known(instance, uids, title, parent, before) {
        return Ok(found);
    }
    let own = uids.first().cloned().unwrap_or_default();
    // It was there: after a restart the index may not show it yet.
    if before.is_some()
        && let Some(folder) = ours(instance, uids).await?
    {
        return Ok(noted(instance, folder));
    }
    let attempt = instance
        .refused
        .attempt(format!("folder {own}"), &(title, parent), Instant::now())?;
    let wish = Folder {
        uid: own,
        title: title.to_owned(),
        parent_uid: parent.map(str::to_owned),
    };
    let created = instance.write(
        turn.clone(),
        Subject::Folder(wish.uid.clone()),
        |grafana| async move {
            let folders = &grafana.folders;
            folders
                .create(&wish.uid, &wish.title, wish.parent_uid.as_deref())
                .await
        },
        |held, folder: &Folder| held.folders.written(folder.uid.clone(), Some(folder.clone())),
    );
    let result = match created.await {
        Ok(folder) => Ok(folder.uid),
        Err(error) => {
            // Another answer may have been lost, or somebody was faster: the next look tells.
            match existing(instance, uids, title, parent, before).await {
                Ok(Some(folder)) => Ok(noted(instance, folder)),
                Err(failure) if error.class() != Class::Forbidden => return Err(failure),
                // Who may not make it may not see what isn't there either: the first refusal says what is missing.
                Ok(None) | Err(_) => Err(instance.suspect(error.into())),
            }
        }
    };
    attempt.ended(result, Instant::now())
}

/// The folder that stands in the way of a new one.
async fn existing(
    instance: &Instance,
    uids: &[String],
    title: &str,
    parent: Option<&str>,
    before: Option<&str>,
) -> Result<Option<Folder>, Failure> {
    if let Some(folder) = ours(instance, uids).await? {
        return Ok(Some(folder));
    }
    let listed = instance.grafana.folders.list().await;
    let listed = listed.map_err(|e| instance.suspect(e.into()))?;
    Ok(choose(&listed.items, uids, title, parent, before).cloned())
}

/// Our folder, asked for by its uid: the list of all comes from an index from 12.0 on, which may not know it yet.
async fn ours(instance: &Instance, uids: &[String]) -> Result<Option<Folder>, Failure> {
    let Some(uid) = uids.first() else { return Ok(None) };
    let found = instance.grafana.folders.get(uid).await;
    found.map_err(|e| instance.suspect(e.into()))
}

/// Notes a folder that was found, and returns its uid.
fn noted(instance: &Instance, folder: Folder) -> String {
    let uid = folder.uid.clone();
    instance
        .mirror
        .write(|held| held.folders.written(uid.clone(), Some(folder)));
    uid
}

fn known(
    instance: &Instance,
    uids: &[String],
    title: &str,
    parent: Option<&str>,
    before: Option<&str>,
) -> Option<String> {
    instance.mirror.read(|held| {
        let place = (parent.map(str::to_owned), title.to_owned());
        let folders = held.folders.in_group(&place);
        let ours = uids.iter().filter_map(|uid| held.folders.lookup(uid).present());
        choose(folders.chain(ours), uids, title, parent, before).map(|folder| folder.uid.clone())
    })
}

/// Ours (`uids`, the best first), or else one of this title. Of several it is always the same one: the one that the rule has been in before, or that with the smallest uid.
fn choose<'a>(
    folders: impl IntoIterator<Item = &'a Folder>,
    uids: &[String],
    title: &str,
    parent: Option<&str>,
    before: Option<&str>,
) -> Option<&'a Folder> {
    let place = |folder: &Folder| uids.iter().position(|uid| *uid == folder.uid);
    let rank = |folder: &Folder| {
        let ours = place(folder).unwrap_or(uids.len());
        (ours, before != Some(folder.uid.as_str()))
    };
    let folders = folders
        .into_iter()
        .filter(|f| place(f).is_some() || (f.title == title && f.parent_uid.as_deref() == parent));
    folders.min_by(|a, b| rank(a).cmp(&rank(b)).then_with(|| a.uid.cmp(&b.uid)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(uid: &str, title: &str, parent: Option<&str>) -> Folder {
        Folder {
            uid: uid.to_owned(),
            title: title.to_owned(),
            parent_uid: parent.map(str::to_owned),
        }
    }

    #[test]
    fn of_several_folders_with_one_title_it_is_always_the_same() {
        let all = [
            folder("c", "Shop", None),
            folder("a", "Other", None),
            folder("b", "Shop", None),
            folder("d", "Shop", Some("a")),
        ];
        let by = |uids: &[&str], parent: Option<&str>, before: Option<&str>| {
            let uids: Vec<String> = uids.iter().map(|uid| (*uid).to_owned()).collect();
            let forwards = choose(&all, &uids, "Shop", parent, before).map(|f| f.uid.clone());
            let backwards = choose(all.iter().rev(), &uids, "Shop", parent, before).map(|f| f.uid.clone());
            assert_eq!(forwards, backwards);
            forwards
        };
        let of = |uid: &str, parent: Option<&str>, before: Option<&str>| by(&[uid], parent, before);
        assert_eq!(of("aw-1", None, None).as_deref(), Some("b"));
        assert_eq!(of("aw-1", None, Some("c")).as_deref(), Some("c"));
        assert_eq!(
            of("aw-1", None, Some("a")).as_deref(),
            Some("b"),
            "another title by now"
        );
        assert_eq!(of("c", None, Some("b")).as_deref(), Some("c"), "ours comes first");
        assert_eq!(
            by(&["aw-1", "c"], None, Some("b")).as_deref(),
            Some("c"),
            "then that of a former owner id"
        );
        assert_eq!(of("aw-1", Some("a"), None).as_deref(), Some("d"));
        assert_eq!(of("aw-1", Some("b"), None), None);
    }
}
