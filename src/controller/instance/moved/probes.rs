//! The folders that tell two Grafanas apart.

use rand::distr::{Alphanumeric, SampleString};
use tracing::warn;

use crate::cluster::answer::chain;
use crate::controller::connection::Instance;
use crate::controller::context::Context;
use crate::domain::changed::moved::{Look, Sight, Sights, probe_prefix};
use crate::grafana;
use crate::grafana::wire::Folder;

/// How their titles begin. A title is unique too, for old versions want that.
const TITLE: &str = "alertwright: telling two Grafanas apart";
/// How many letters make a uid one that nobody has asked for before.
const LETTERS: usize = 12;

/// One folder through each of two connections, as long as they are compared.
#[derive(Default)]
pub(super) struct Probes {
    old: Option<Probe>,
    new: Option<Probe>,
}

struct Probe {
    uid: String,
    letters: String,
    /// Whether it is known to stand. Otherwise it may.
    is_made: bool,
}

impl Probes {
    /// Asks each connection for both folders, which are made where they don't stand yet.
    pub(super) async fn look(&mut self, old: &Instance, new: &Instance, context: &Context) -> Look {
        let there = make(&mut self.old, old, context).await;
        let here = make(&mut self.new, new, context).await;
        let (Ok(there), Ok(here)) = (&there, &here) else {
            let sights = |made: &Result<String, String>| Sights {
                own: match made {
                    Ok(_) => Sight::Seen,
                    Err(why) => Sight::Unclear(why.clone()),
                },
                other: Sight::Missing,
            };
            return Look {
                old: sights(&there),
                new: sights(&here),
            };
        };
        // The other's comes first: that a connection still sees its own says that it could have seen that one too.
        let old = Sights {
            other: see(old, here).await,
            own: see(old, there).await,
        };
        let new = Sights {
            other: see(new, there).await,
            own: see(new, here).await,
        };
        Look { old, new }
    }

    /// Removes both. What can't be removed may be tried again.
    pub(super) async fn withdraw(&mut self, old: &Instance, new: &Instance, context: &Context) {
        take_away(&mut self.old, old, context).await;
        take_away(&mut self.new, new, context).await;
    }

    /// Leaves what still stands to whoever looks for it next.
    pub(super) fn give_up(self, context: &Context) {
        for probe in [self.old, self.new].into_iter().flatten() {
            context.former.note_probe(&probe.uid, false);
        }
    }
}

/// The uid of the folder, which is made where it doesn't stand yet.
async fn make(slot: &mut Option<Probe>, instance: &Instance, context: &Context) -> Result<String, String> {
    let is_again = slot.is_some();
    let probe = slot.get_or_insert_with(|| {
        let letters = Alphanumeric.sample_string(&mut rand::rng(), LETTERS);
        let letters = letters.to_lowercase();
        Probe {
            uid: format!("{}{letters}", probe_prefix(&context.owner.code())),
            letters,
            is_made: false,
        }
    });
    context.former.note_probe(&probe.uid, true);
    // The answer may have been lost.
    if !probe.is_made && is_again {
        probe.is_made = see(instance, &probe.uid).await == Sight::Seen;
    }
    if !probe.is_made {
        let title = format!("{TITLE} {}", probe.letters);
        let made = instance.grafana.folders.create(&probe.uid, &title, None).await;
        made.map_err(|error| {
            format!(
                "a folder that is to tell the two apart can't be made: {}",
                chain(&error)
            )
        })?;
        probe.is_made = true;
    }
    Ok(probe.uid.clone())
}

async fn take_away(slot: &mut Option<Probe>, instance: &Instance, context: &Context) {
    let Some(probe) = slot else { return };
    match remove(instance, &probe.uid).await {
        Ok(()) => {
            context.former.note_probe(&probe.uid, false);
            *slot = None;
        }
        Err(error) => {
            // It may be gone all the same.
            probe.is_made = false;
            let error = chain(&error);
            let folder = &probe.uid;
            warn!(instance = instance.name, folder, error, "cannot remove a folder");
        }
    }
}

async fn see(instance: &Instance, uid: &str) -> Sight {
    match instance.grafana.folders.get(uid).await {
        Ok(Some(_)) => Sight::Seen,
        Ok(None) => Sight::Missing,
        Err(error) => Sight::Unclear(chain(&error)),
    }
}

/// Removes such a folder, unless somebody has put something into it.
async fn remove(instance: &Instance, uid: &str) -> grafana::Result<()> {
    let folders = &instance.grafana.folders;
    match folders.content(uid).await? {
        Some(0) => folders.delete(uid).await,
        _ => Ok(()),
    }
}

/// Removes those that a process has left that ended while it compared: they are recognised by their uids. Once for each connection.
pub(in crate::controller) async fn tidy(instance: &Instance, context: &Context) {
    let prefix = probe_prefix(&context.owner.code());
    let is_left = |folder: &Folder| folder.uid.starts_with(&prefix) && !context.former.is_probe(&folder.uid);
    let left: Vec<String> = instance.mirror.read(|held| {
        let folders = held.folders.iter().map(|(_, folder)| folder);
        folders
            .filter(|folder| is_left(folder))
            .map(|folder| folder.uid.clone())
            .collect()
    });
    for uid in left {
        if let Err(error) = remove(instance, &uid).await {
            warn!(
                instance = instance.name,
                folder = uid,
                error = chain(&error),
                "cannot remove a folder"
            );
        }
    }
}
