//! What a resource of each kind claims, and what of that it has.

use parking_lot::Mutex;

use super::{AllClaims, Claiming, Folder, Ground, Key};
use crate::api::{
    AlertRule, ContactPoint, InhibitionRule, NotificationPolicy, NotificationTemplate, Silence, TimeInterval,
};
use crate::controller::engine::managed::Managed;
use crate::domain::claims::Claims;
use crate::domain::rule::identity;
use crate::domain::{notification::contact_point, rule, tenancy};

impl Claiming for AlertRule {
    fn claims(&self, all: &AllClaims, ground: &Ground) -> Vec<(Key, u64)> {
        if !ground.allows(&all.namespaces, self.ns(), tenancy::may_use) {
            return Vec::new();
        }
        let place = || ground.place.clone();
        let mut claims: Vec<_> = if let Some(uid) = &self.spec.uid {
            // What is refused keeps nobody from it.
            let check = identity::check(Some(uid), &ground.owners, (self.ns(), self.id()));
            check.map_or_else(|_| Vec::new(), |()| vec![(Key::Uid(place(), uid.clone()), 0)])
        } else {
            // Under which of them Grafana holds it is known to it alone.
            let uids = ground
                .owners
                .all()
                .map(|owner| owner.rule_uid(self.ns(), self.id()));
            uids.map(|uid| (Key::Uid(place(), uid), 0)).collect()
        };
        let folder = all.folder_on(self, ground);
        let title = rule::title(&self.spec, self.id()).to_owned();
        claims.push((Key::Title(place(), folder.clone(), title), 0));
        // One that can't be read sets the interval of nobody.
        if let Ok(interval) = rule::interval(&self.spec) {
            let group = rule::group(&self.spec, self.id()).to_owned();
            claims.push((Key::Group(place(), folder, group), interval.as_secs()));
        }
        claims
    }
    /// Of a title its status says nothing; and of a uid that it may have only that, until it was stored.
    fn has(&self, key: &Key) -> bool {
        let Some(status) = &self.status else { return false };
        match key {
            Key::Uid(_, uid) => status.uid.as_ref() == Some(uid) && status.stored.is_some(),
            Key::Group(_, Folder::Uid(folder), group) => {
                status.folder_uid.as_ref() == Some(folder) && status.group.as_ref() == Some(group)
            }
            _ => false,
        }
    }
    fn of(all: &AllClaims) -> &Mutex<Claims<Key, u64>> {
        &all.rules
    }
}

impl Claiming for ContactPoint {
    fn claims(&self, all: &AllClaims, ground: &Ground) -> Vec<(Key, u64)> {
        if !ground.allows(&all.namespaces, self.ns(), tenancy::may_use) {
            return Vec::new();
        }
        let name = contact_point::name(&self.spec, self.id()).to_owned();
        vec![(Key::ContactPoint(ground.place.clone(), name), 0)]
    }
    fn has(&self, key: &Key) -> bool {
        let stored = self.status.as_ref().filter(|status| status.types.is_some());
        let name = stored.and_then(|status| status.name.as_ref());
        matches!(key, Key::ContactPoint(_, claimed) if name == Some(claimed))
    }
    fn of(all: &AllClaims) -> &Mutex<Claims<Key, u64>> {
        &all.contact_points
    }
}

/// Kinds that Grafana knows by a name alone, and whose status says it once it was stored.
macro_rules! by_name {
    ($kind:ty, $key:path, $claims:ident) => {
        impl Claiming for $kind {
            fn claims(&self, all: &AllClaims, ground: &Ground) -> Vec<(Key, u64)> {
                if !ground.allows(&all.namespaces, self.ns(), tenancy::may_use) {
                    return Vec::new();
                }
                let name = self.spec.name.as_deref().unwrap_or(self.id());
                vec![($key(ground.place.clone(), name.to_owned()), 0)]
            }
            fn has(&self, key: &Key) -> bool {
                let stored = self.status.as_ref().filter(|status| status.stored.is_some());
                let name = stored.and_then(|status| status.name.as_ref());
                matches!(key, $key(_, claimed) if name == Some(claimed))
            }
            fn of(all: &AllClaims) -> &Mutex<Claims<Key, u64>> {
                &all.$claims
            }
        }
    };
}

by_name!(TimeInterval, Key::TimeInterval, time_intervals);
by_name!(NotificationTemplate, Key::Template, templates);
by_name!(InhibitionRule, Key::InhibitionRule, inhibition_rules);

impl Claiming for NotificationPolicy {
    fn claims(&self, all: &AllClaims, ground: &Ground) -> Vec<(Key, u64)> {
        if self.spec.parent_ref.is_some()
            || !ground.allows(&all.namespaces, self.ns(), tenancy::may_hold_tree)
        {
            return Vec::new();
        }
        vec![(Key::Tree(ground.place.clone(), self.tree()), 0)]
    }
    fn has(&self, key: &Key) -> bool {
        let stored = self
            .status
            .as_ref()
            .is_some_and(|status| status.routes.is_some() && status.root.is_none());
        matches!(key, Key::Tree(..)) && stored
    }
    fn of(all: &AllClaims) -> &Mutex<Claims<Key, u64>> {
        &all.policies
    }
}

impl Claiming for Silence {
    fn claims(&self, all: &AllClaims, ground: &Ground) -> Vec<(Key, u64)> {
        let asked = all.asks(self);
        let key = |id| (Key::Silence(ground.place.clone(), id), 0);
        asked.map(key).into_iter().collect()
    }
    fn of(all: &AllClaims) -> &Mutex<Claims<Key, u64>> {
        &all.silences
    }
}
