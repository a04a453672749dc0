//! The resources that stand in the way of a rule.

use std::time::Duration;

use super::mirrored;
use crate::api::AlertRule;
use crate::api::condition::Reason;
use crate::api::duration;
use crate::controller::connection::Instance;
use crate::controller::context::{Context, Holding, made_by};
use crate::controller::engine::claim::{Folder, Key, standing};
use crate::controller::engine::managed::Managed;
use crate::controller::engine::store::Store;
use crate::domain::refusal::Refusal;
use crate::domain::rule;
use crate::domain::version::Version;

/// The resources that stand in the way: of those that have the same the oldest, and while none has it of all.
pub(super) struct Rivals {
    uid: Option<String>,
    title: Option<String>,
    group: Option<(String, u64)>,
}

impl Rivals {
    pub(super) fn of(object: &AlertRule, context: &Context, uid: &str) -> Self {
        let place = context.claims.place(object.instance());
        let folder = context.claims.folder(object);
        let title = rule::title(&object.spec, object.id()).to_owned();
        let group = rule::group(&object.spec, object.id()).to_owned();
        let ahead = |key| context.ahead(&key, object);
        let named =
            |key| ahead(key).map(|(first, _)| format!("{} {}", first.path(), standing(&first, object)));
        // Who has a title says so later, under the right to write.
        let titled = context
            .claims
            .ahead(&Key::Title(place.clone(), folder.clone(), title.clone()), object);
        let titled = titled.map(|(first, _)| format!("{} {}", first.path(), standing(&first, object)));
        let has_title = has_title(object, context, uid, &folder, &title);
        Self {
            uid: named(Key::Uid(place.clone(), uid.to_owned())),
            title: titled.filter(|_| !has_title),
            group: group_of_others(&Key::Group(place, folder, group), object, context),
        }
    }

    pub(super) fn refuse(&self, object: &AlertRule, version: Version) -> Result<(), Refusal> {
        let conflict = |message| Err(Refusal::new(Reason::Conflict, message));
        if let Some(first) = &self.uid {
            return conflict(format!(
                "spec.uid: AlertRule {first} has this uid; choose another"
            ));
        }
        if let Some(first) = &self.title
            && version < Version::SAME_TITLES
        {
            return conflict(format!(
                "spec.title: AlertRule {first} has this title in the same folder, where Grafana {version} wants titles to be unique; choose another title or folder"
            ));
        }
        if let Some((path, seconds)) = &self.group {
            let own = rule::interval(&object.spec)?;
            if own.as_secs() != *seconds {
                return conflict(format!(
                    "spec.interval: the group is evaluated every {} as AlertRule {path} says, the oldest of those in it, not every {}; make them equal or choose another group",
                    duration::format(Duration::from_secs(*seconds)),
                    duration::format(own)
                ));
            }
        }
        Ok(())
    }
}

/// The other rule whose interval the group has, with that; nothing where all that claim the group say what this one says.
fn group_of_others(group: &Key, object: &AlertRule, context: &Context) -> Option<(String, u64)> {
    let own = rule::interval(&object.spec).ok()?.as_secs();
    if context.claims.agree::<AlertRule>(group, own) {
        return None;
    }
    let first = context.ahead(group, object);
    first.map(|(first, seconds)| (first.path(), seconds))
}

impl Holding for AlertRule {
    fn holds(&self, key: &Key, instance: &Instance) -> bool {
        match key {
            Key::Uid(_, uid) => instance.mirror.read(|held| {
                let found = held.rules.before(uid).present();
                self.was_ours(found, instance)
            }),
            Key::Group(_, Folder::Uid(folder), group) => {
                let uid = mirrored::uid(self, instance);
                instance.mirror.read(|held| {
                    let found = held.rules.before(&uid).present();
                    found.is_some_and(|found| {
                        found.folder_uid == *folder && found.group.as_ref() == Some(group)
                    })
                })
            }
            _ => false,
        }
    }
    fn named(key: &Key, instance: &Instance) -> Option<Vec<(String, String)>> {
        let Key::Uid(_, uid) = key else { return None };
        let mark = instance.mirror.read(|held| {
            let found = held.rules.before(uid).present();
            found.and_then(|found| found.owner.clone())
        });
        Some(made_by(instance, mark.as_deref()))
    }
    fn all(context: &Context) -> &Store<Self> {
        &context.stores.rules
    }
}

/// Whether Grafana shows the rule with its title already. No status says so, and an older resource that comes to ask for it takes nothing
/// from a rule that has it.
fn has_title(object: &AlertRule, context: &Context, uid: &str, folder: &Folder, title: &str) -> bool {
    let Folder::Uid(folder) = folder else { return false };
    let instance = context.connection(object.instance());
    instance.is_some_and(|instance| {
        instance.mirror.read(|held| {
            let mut titled = held.rules.titled(folder, title);
            titled.any(|found| found.uid == uid)
        })
    })
}
