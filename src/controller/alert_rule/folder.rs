//! The folder that a rule lies in.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::api::AlertRule;
use crate::api::condition::Reason;
use crate::controller::connection::{Facts, Instance};
use crate::controller::engine::failure::{Failure, REFUSED, Retry};
use crate::controller::engine::managed::Managed;
use crate::controller::engine::refused::Attempt;
use crate::domain::refusal::Refusal;
use crate::domain::rule;
use crate::domain::version::Version;
use crate::grafana::Class;
use crate::grafana::mirror::{Lookup, Subject};
use crate::grafana::wire::Folder;

/// How long a path counts as too deep: to try it makes the folders above it and takes them away again. Who raises the limit starts Grafana anew, and then
/// everything is tried at once.
const DEEP: Duration = Duration::from_secs(3600);

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
    let mut made = Vec::new();
    let levels = levels(instance, &titles);
    for (above, title) in titles.iter().enumerate() {
        let rest = levels.get(above..).unwrap_or_default();
        let wanted = Wanted {
            uids: rest.first().map_or(&[], Vec::as_slice),
            title,
            parent: parent.as_deref(),
            before,
            above,
            rest,
        };
        match one(instance, &wanted, &mut made).await {
            Ok(uid) => parent = Some(uid),
            Err(failure) => {
                if deep(instance, rest).is_err() {
                    tidy(instance, &made).await;
                }
                return Err(failure);
            }
        }
    }
    Ok(Place {
        uid: parent.unwrap_or_default(),
        title: path,
    })
}

/// One folder of a path.
struct Wanted<'a> {
    /// Ours, the best first.
    uids: &'a [String],
    title: &'a str,
    parent: Option<&'a str>,
    /// The folder that the rule has been in before.
    before: Option<&'a str>,
    /// How many there are above it.
    above: usize,
    /// The uids of this one and of those that are to lie below it.
    rest: &'a [Vec<String>],
}

/// The uids that each folder of a path may have: ours, and those that former owner ids made.
fn levels(instance: &Instance, titles: &[String]) -> Vec<Vec<String>> {
    let escaped = titles
        .iter()
        .map(|title| title.replace('\\', "\\\\").replace('/', "\\/"));
    let paths = escaped.scan(String::new(), |so_far, title| {
        if !so_far.is_empty() {
            so_far.push('/');
        }
        so_far.push_str(&title);
        Some(so_far.clone())
    });
    paths
        .map(|path| {
            instance
                .owners
                .all()
                .map(|owner| owner.folder_uid(&path))
                .collect()
        })
        .collect()
}

/// Fails where Grafana has said of one of these folders that it would lie too deep. How deep they may lie is a setting that it doesn't show, and one above
/// may lie elsewhere than its path says: so it is kept by path, and says nothing of others.
fn deep(instance: &Instance, levels: &[Vec<String>]) -> Result<(), Failure> {
    let mut uids = levels.iter().filter_map(|uids| uids.first());
    uids.try_for_each(|uid| how_deep(instance, uid).map(drop))
}

fn how_deep<'a>(instance: &'a Instance, uid: &str) -> Result<Attempt<'a>, Failure> {
    instance
        .refused
        .attempt(format!("depth of folder {uid}"), &(), Instant::now())
}

fn too_deep(level: usize) -> Refusal {
    Refusal::invalid(
        "spec.folder",
        format!(
            "this Grafana takes no folder with {} above it; give a path of at most {} titles, one that the instance's folderPrefix brings counted too, or have max_nested_folder_depth raised in the section [folder] of its settings where it has that",
            level - 1,
            level - 1
        ),
    )
}

/// Takes away again what was made on the way to a folder that lies too deep, as long as nobody has put anything in.
async fn tidy(instance: &Arc<Instance>, made: &[String]) {
    let turn = instance.rights.folders.lock().await;
    for uid in made.iter().rev() {
        if !matches!(instance.grafana.folders.content(uid).await, Ok(Some(0))) {
            return;
        }
        let gone = uid.clone();
        let deleted = instance.write(
            turn.clone(),
            Subject::Folder(uid.clone()),
            |grafana| {
                let uid = uid.clone();
                async move { grafana.folders.delete(&uid).await }
            },
            move |held, ()| held.folders.written(gone, None),
        );
        if deleted.await.is_err() {
            return;
        }
    }
}

fn titles(path: &str, facts: &Facts) -> Result<Vec<String>, Refusal> {
    let titles = rule::folder::titles(path)?;
    rule::folder::refuse_what_is_too_new(&titles, facts.version, facts.nested_folders)?;
    Ok(titles)
}

/// The uid of one folder, which is created if it isn't there, and then is among those that were `made`.
async fn one(
    instance: &Arc<Instance>,
    wanted: &Wanted<'_>,
    made: &mut Vec<String>,
) -> Result<String, Failure> {
    if let Some(found) = known(instance, wanted) {
        return Ok(found);
    }
    let turn = instance.rights.folders.lock().await;
    if let Some(found) = known(instance, wanted) {
        return Ok(found);
    }
    let own = wanted.uids.first().cloned().unwrap_or_default();
    // It was there: after a restart the index may not show it yet.
    if wanted.before.is_some()
        && let Some(folder) = ours(instance, wanted.uids).await?
    {
        return Ok(noted(instance, folder));
    }
    // What would lie too deep makes none of those above it.
    deep(instance, wanted.rest)?;
    let attempt = instance.refused.attempt(
        format!("folder {own}"),
        &(wanted.title, wanted.parent),
        Instant::now(),
    )?;
    let wish = Folder {
        uid: own,
        title: wanted.title.to_owned(),
        parent_uid: wanted.parent.map(str::to_owned),
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
        Ok(folder) => {
            made.push(folder.uid.clone());
            Ok(folder.uid)
        }
        Err(error) if error.is_too_deep() => {
            let failure = Failure {
                retry: Retry::After(DEEP),
                ..too_deep(wanted.above + 1).into()
            };
            let uid = wanted.uids.first().map_or("", String::as_str);
            return how_deep(instance, uid)?.ended(Err(failure), Instant::now());
        }
        Err(error) => {
            // Another answer may have been lost, or somebody was faster: the next look tells.
            match existing(instance, wanted).await {
                Ok(Existing::This(folder)) => Ok(noted(instance, folder)),
                Ok(Existing::InOtherCase(folder)) if error.class() == Class::Conflict => {
                    Err(in_other_case(wanted.title, &folder))
                }
                // A newer one takes a title once beside each other: there somebody was faster, and the list doesn't show it yet.
                Ok(Existing::Elsewhere(folder))
                    if error.class() == Class::Conflict
                        && instance.facts()?.version < Version::NESTED_FOLDERS =>
                {
                    Err(elsewhere(wanted.title, &folder))
                }
                Err(failure) if error.class() != Class::Forbidden => return Err(failure),
                // Who may not make it may not see what isn't there either: the first refusal says what is missing.
                Ok(_) | Err(_) => Err(instance.suspect(error.into())),
            }
        }
    };
    attempt.ended(result, Instant::now())
}

fn in_other_case(title: &str, other: &Folder) -> Failure {
    Failure {
        retry: Retry::After(REFUSED),
        ..Refusal::new(
            Reason::Conflict,
            format!(
                "spec.folder: Grafana has a folder {:?} there and takes {title:?} for the same name; write it so here, in spec.folder (default: the namespace) or, where it comes from that, in folderPrefix of the GrafanaInstance, or rename one of the two",
                other.title
            ),
        )
        .into()
    }
}

fn elsewhere(title: &str, other: &Folder) -> Failure {
    Failure {
        retry: Retry::After(REFUSED),
        ..Refusal::new(
            Reason::Conflict,
            format!(
                "spec.folder: this Grafana takes the title of a folder once, wherever the folder lies, and has {title:?} elsewhere (uid {}); give the last or a former title of the path another name, or upgrade Grafana to 11.0 or newer",
                other.uid
            ),
        )
        .into()
    }
}

/// The folder that stands in the way of a new one.
enum Existing {
    /// It is the folder that is wanted.
    This(Folder),
    /// It has the title but for upper and lower case, which counts or not depending on Grafana's version and database.
    InOtherCase(Folder),
    /// Another folder has the title, of which early nested folders know one alone (`grafana/grafana#80408`).
    Elsewhere(Folder),
    Unseen,
}

async fn existing(instance: &Instance, wanted: &Wanted<'_>) -> Result<Existing, Failure> {
    if let Some(folder) = ours(instance, wanted.uids).await? {
        return Ok(Existing::This(folder));
    }
    let listed = instance.grafana.folders.list().await;
    let listed = listed.map_err(|e| instance.suspect(e.into()))?.items;
    let title = wanted.title.to_lowercase();
    if let Some(folder) = choose(&listed, wanted) {
        return Ok(Existing::This(folder.clone()));
    }
    let (beside, others): (Vec<_>, Vec<_>) = listed
        .into_iter()
        .partition(|folder| folder.parent_uid.as_deref() == wanted.parent);
    let mut beside = beside.into_iter();
    let twin = beside.find(|folder| folder.title.to_lowercase() == title);
    let other = || others.into_iter().find(|folder| folder.title == wanted.title);
    let twin = twin.map(Existing::InOtherCase);
    Ok(twin
        .or_else(|| other().map(Existing::Elsewhere))
        .unwrap_or(Existing::Unseen))
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

fn known(instance: &Instance, wanted: &Wanted<'_>) -> Option<String> {
    instance.mirror.read(|held| {
        let place = (wanted.parent.map(str::to_owned), wanted.title.to_owned());
        let folders = held.folders.in_group(&place);
        let ours = wanted
            .uids
            .iter()
            .filter_map(|uid| held.folders.lookup(uid).present());
        choose(folders.chain(ours), wanted).map(|folder| folder.uid.clone())
    })
}

/// Ours (`uids`, the best first), or else one of this title. Of several it is always the same one: the one that the rule has been in before, or that with the smallest uid.
fn choose<'a>(folders: impl IntoIterator<Item = &'a Folder>, wanted: &Wanted<'_>) -> Option<&'a Folder> {
    let place = |folder: &Folder| wanted.uids.iter().position(|uid| *uid == folder.uid);
    let rank = |folder: &Folder| {
        let ours = place(folder).unwrap_or(wanted.uids.len());
        (ours, wanted.before != Some(folder.uid.as_str()))
    };
    let is_there = |f: &&Folder| f.title == wanted.title && f.parent_uid.as_deref() == wanted.parent;
    let folders = folders.into_iter().filter(|f| place(f).is_some() || is_there(f));
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
            let wanted = Wanted {
                uids: &uids,
                title: "Shop",
                parent,
                before,
                above: 0,
                rest: &[],
            };
            let forwards = choose(&all, &wanted).map(|f| f.uid.clone());
            let backwards = choose(all.iter().rev(), &wanted).map(|f| f.uid.clone());
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
