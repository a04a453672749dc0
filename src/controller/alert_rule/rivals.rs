//! The resources that stand in the way of a rule.

use std::time::Duration;

use crate::api::AlertRule;
use crate::api::condition::Reason;
use crate::api::duration;
use crate::controller::context::Context;
use crate::controller::engine::claim::{Folder, Key, standing};
use crate::controller::engine::managed::Managed;
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
        let ahead = |key| context.claims.ahead(&key, object);
        let named =
            |key| ahead(key).map(|(first, _)| format!("{} {}", first.path(), standing(&first, object)));
        let has_title = has_title(object, context, uid, &folder, &title);
        Self {
            uid: named(Key::Uid(place.clone(), uid.to_owned())),
            title: named(Key::Title(place.clone(), folder.clone(), title)).filter(|_| !has_title),
            group: ahead(Key::Group(place, folder, group)).map(|(first, seconds)| (first.path(), seconds)),
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
