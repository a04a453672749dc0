//! The folders of a Grafana.

use std::collections::{HashMap, HashSet};

use futures::future::join_all;

use super::changed::Changed;
use super::watch::{Begun, Watchable};
use crate::controller::connection::Instance;
use crate::grafana::api::Answer;
use crate::grafana::api::watch::Listed;
use crate::grafana::mirror::{Collection, Held, Part};
use crate::grafana::wire::Folder;
use crate::grafana::{self, Grafana};

/// How many folders are asked for at once.
const LOOKS: usize = 4;

/// Returns the uids of what changed, and of what lies in it, and how it goes on.
pub(super) async fn read(instance: &Instance) -> grafana::Result<(Vec<String>, Option<Begun>)> {
    let poll = instance.mirror.write(|held| held.folders.begin_poll());
    let Listed {
        items: mut found,
        watch,
    } = instance.grafana.folders.list().await?;
    found.extend(unlisted(instance, &found).await?);
    let found = found.into_iter().map(|folder| (folder.uid.clone(), folder));
    let (changed, watched) = instance.mirror.write(|held| {
        let (changed, watched) = held.folders.finish_list(poll, found);
        (with_what_lies_in_them(changed, held), watched)
    });
    let begun = watch.map(|watch| Begun::of::<Folders>(watched, watch));
    Ok((changed, begun))
}

/// Folders, as they are watched.
struct Folders;

impl Watchable for Folders {
    type Key = String;
    type Item = Folder;
    type Value = Folder;
    type Mirrored = Collection<String, Folder, (Option<String>, String)>;
    const PART: Part = Part::Folders;

    fn known(folder: Folder) -> (String, Folder) {
        (folder.uid.clone(), folder)
    }

    fn mirrored(held: &mut Held) -> &mut Self::Mirrored {
        &mut held.folders
    }

    fn look<'a>(grafana: &'a Grafana, uid: &'a String) -> Answer<'a, Option<Folder>> {
        grafana.folders.get(uid)
    }

    fn changed(held: &Held, uids: Vec<String>) -> Changed {
        Changed {
            folders: with_what_lies_in_them(uids, held),
            ..Changed::default()
        }
    }
}

/// Folders that are known and there, though a list doesn't show them: from 12.0 on it comes from an index, which learns of a folder later
/// than the folder itself can be read. So none is taken for gone before it was asked for. One that the credentials may not see any more is as good as
/// gone, as it is to a process that starts then: the rules in it say so, and no others have to wait for it.
async fn unlisted(instance: &Instance, listed: &[Folder]) -> grafana::Result<Vec<Folder>> {
    let listed: HashSet<&str> = listed.iter().map(|folder| folder.uid.as_str()).collect();
    let missing: Vec<String> = instance.mirror.read(|held| {
        let known = held.folders.iter().map(|(uid, _)| uid);
        known
            .filter(|uid| !listed.contains(uid.as_str()))
            .cloned()
            .collect()
    });
    let mut found = Vec::new();
    for uids in missing.chunks(LOOKS) {
        let looks = uids.iter().map(|uid| instance.grafana.folders.get(uid));
        for look in join_all(looks.collect::<Vec<_>>()).await {
            match look {
                Err(error) if is_hidden(&error) => {}
                look => found.extend(look?),
            }
        }
    }
    Ok(found)
}

/// Whether Grafana itself says that the credentials may not see an object. What stands in front of it knows nothing of single ones.
fn is_hidden(error: &grafana::Error) -> bool {
    matches!(error, grafana::Error::Status { status: 403, .. })
}

fn with_what_lies_in_them(mut uids: Vec<String>, held: &Held) -> Vec<String> {
    if uids.is_empty() {
        return uids;
    }
    let mut within: HashMap<&str, Vec<&str>> = HashMap::new();
    for (_, folder) in held.folders.iter() {
        if let Some(parent) = &folder.parent_uid {
            within.entry(parent).or_default().push(&folder.uid);
        }
    }
    // Each is looked up once, though Grafana should say that two lie in each other.
    let mut next: Vec<String> = uids.clone();
    while let Some(uid) = next.pop() {
        for inner in within.remove(uid.as_str()).unwrap_or_default() {
            next.push(inner.to_owned());
            uids.push(inner.to_owned());
        }
    }
    uids
}
