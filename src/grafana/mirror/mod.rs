//! What one Grafana and organisation holds, as far as polls and our own writes tell, behind one lock.

mod collection;
mod rules;

use parking_lot::RwLock;

use super::wire::{ContactPoint, Folder, Route, Silence};

pub use collection::{Collection, Lookup, Poll};
pub use rules::Rules;

/// The mirror of one Grafana and organisation.
#[derive(Debug, Default)]
pub struct Mirror {
    held: RwLock<Held>,
}

/// What is mirrored.
#[derive(Debug, Default)]
pub struct Held {
    /// Rules by uid.
    pub rules: Rules,
    /// Folders by uid.
    pub folders: Collection<String, Folder>,
    /// Integrations by the name of their contact point.
    pub contact_points: Collection<String, Vec<ContactPoint>>,
    /// The policy tree, under the only key there is.
    pub policy: Collection<(), Route>,
    /// Silences by id.
    pub silences: Collection<String, Silence>,
}

impl Mirror {
    /// Looks at several things at one moment. The lock is held meanwhile: look, and let go.
    pub fn read<T>(&self, look: impl FnOnce(&Held) -> T) -> T {
        look(&self.held.read())
    }

    /// Notes a poll or a write.
    pub fn write<T>(&self, note: impl FnOnce(&mut Held) -> T) -> T {
        note(&mut self.held.write())
    }
}

impl Held {
    /// Whether everything was read once.
    pub fn is_loaded(&self) -> bool {
        self.rules.is_loaded()
            && self.folders.is_loaded()
            && self.contact_points.is_loaded()
            && self.policy.is_loaded()
            && self.silences.is_loaded()
    }

    /// Takes over a poll of all contact points, and returns the names of those that changed.
    pub fn finish_contact_points(&mut self, poll: Poll, found: Vec<ContactPoint>) -> Vec<String> {
        let mut by_name = std::collections::BTreeMap::<_, Vec<_>>::new();
        for integration in found {
            by_name
                .entry(integration.name.clone())
                .or_default()
                .push(integration);
        }
        self.contact_points.finish_poll(poll, by_name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn integration(name: &str, uid: &str) -> ContactPoint {
        ContactPoint {
            name: name.to_owned(),
            uid: uid.to_owned(),
            ..ContactPoint::default()
        }
    }

    #[test]
    fn integrations_of_one_name_are_one_contact_point() {
        let mut held = Held::default();
        let found = vec![
            integration("team", "a"),
            integration("other", "b"),
            integration("team", "c"),
        ];
        let poll = held.contact_points.begin_poll();
        assert_eq!(held.finish_contact_points(poll, found.clone()), ["other", "team"]);
        let team = held.contact_points.lookup("team").present().map(Vec::len);
        assert_eq!(team, Some(2));

        let poll = held.contact_points.begin_poll();
        assert_eq!(held.finish_contact_points(poll, found[..2].to_vec()), ["team"]);
    }

    #[test]
    fn a_mirror_is_loaded_when_every_collection_is() {
        let mirror = Mirror::default();
        mirror.write(|held| {
            let poll = held.rules.begin_poll();
            held.rules.finish_poll(poll, Vec::new());
            let poll = held.folders.begin_poll();
            held.folders.finish_poll(poll, []);
            let poll = held.policy.begin_poll();
            held.policy.finish_poll(poll, []);
            let poll = held.silences.begin_poll();
            held.silences.finish_poll(poll, []);
        });
        assert!(!mirror.read(Held::is_loaded));
        mirror.write(|held| {
            let poll = held.contact_points.begin_poll();
            held.contact_points.finish_poll(poll, [])
        });
        assert!(mirror.read(Held::is_loaded));
    }
}
