//! What one Grafana and organisation holds, as far as polls and our own writes tell, behind one lock.

mod collection;
mod points_seen;
mod rules;

use std::collections::HashSet;
use std::hash::Hash;

use parking_lot::RwLock;

use super::model::{ContactPoint, Found, InhibitionRule, Route, Template, TimeInterval, TreeName};
use super::wire::{Folder, Silence};

pub use collection::{Collection, Follow, Lookup, Poll, Watched};
pub use points_seen::PointsSeen;
pub use rules::{Rules, Undone};

/// The mirror of one Grafana and organisation.
#[derive(Debug, Default)]
pub struct Mirror {
    held: RwLock<Held>,
}

/// What is mirrored.
#[derive(Debug)]
pub struct Held {
    /// Rules by uid.
    pub rules: Rules,
    /// Folders by uid, and by the folder that they lie in with their title.
    pub folders: Collection<String, Folder, (Option<String>, String)>,
    /// Contact points by name.
    pub contact_points: Collection<String, Found<ContactPoint>>,
    /// Policy trees by their name.
    pub trees: Collection<TreeName, Found<Route>>,
    /// Silences by id, and by their author.
    pub silences: Collection<String, Silence, String>,
    /// Time intervals by name.
    pub time_intervals: Collection<String, Found<TimeInterval>>,
    /// Notification templates by name.
    pub templates: Collection<String, Found<Template>>,
    /// Inhibition rules by name.
    pub inhibition_rules: Collection<String, Found<InhibitionRule>>,
    /// What is unknown only because somebody wants it read.
    doubted: HashSet<Subject>,
}

impl Default for Held {
    fn default() -> Self {
        Self {
            rules: Rules::default(),
            folders: Collection::grouped(|folder| Some((folder.parent_uid.clone(), folder.title.clone()))),
            contact_points: Collection::default(),
            trees: Collection::default(),
            silences: Collection::grouped(|silence| Some(silence.created_by.clone())),
            time_intervals: Collection::default(),
            templates: Collection::default(),
            inhibition_rules: Collection::default(),
            doubted: HashSet::new(),
        }
    }
}

/// What is read as a whole, by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Part {
    /// Version and limits.
    Settings,
    /// Data sources.
    DataSources,
    /// Folders.
    Folders,
    /// Rules.
    Rules,
    /// Contact points.
    ContactPoints,
    /// The policy trees.
    Policy,
    /// Silences.
    Silences,
    /// Time intervals.
    TimeIntervals,
    /// Notification templates.
    Templates,
    /// Inhibition rules.
    InhibitionRules,
}

impl Part {
    /// Those that are read of every Grafana. Of the others only what somebody has asked for: most have no resources of their kinds.
    pub const ALWAYS: [Self; 7] = [
        Self::Settings,
        Self::DataSources,
        Self::Folders,
        Self::Rules,
        Self::ContactPoints,
        Self::Policy,
        Self::Silences,
    ];

    /// What people call it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Settings => "settings",
            Self::DataSources => "data sources",
            Self::Folders => "folders",
            Self::Rules => "rules",
            Self::ContactPoints => "contact points",
            Self::Policy => "policy tree",
            Self::Silences => "silences",
            Self::TimeIntervals => "time intervals",
            Self::Templates => "templates",
            Self::InhibitionRules => "inhibition rules",
        }
    }
}

/// What one write changes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Subject {
    /// Rules, by uid.
    Rules(Vec<String>),
    /// A folder, by uid.
    Folder(String),
    /// A contact point, by name.
    ContactPoint(String),
    /// A policy tree, by name.
    Tree(TreeName),
    /// The silences of an author: the id of a new one isn't known before the answer.
    SilencesOf(String),
    /// A time interval, by name.
    TimeInterval(String),
    /// A notification template, by name.
    Template(String),
    /// An inhibition rule, by name.
    InhibitionRule(String),
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
    /// The policy tree that every organisation has.
    pub fn tree(&self) -> Lookup<&Found<Route>> {
        self.trees.lookup(TreeName::DEFAULT)
    }

    /// Whether everything that is read of every Grafana was read once.
    pub fn is_loaded(&self) -> bool {
        self.rules.is_loaded()
            && self.folders.is_loaded()
            && self.contact_points.is_loaded()
            && self.trees.is_loaded()
            && self.silences.is_loaded()
    }

    /// Notes that a write is about to be sent: until its outcome is noted nothing is known of its subject, whatever polls say.
    pub fn begins(&mut self, subject: &Subject) {
        self.doubted.remove(subject);
        match subject {
            Subject::Rules(uids) => uids.iter().for_each(|uid| self.rules.begins(uid)),
            Subject::Folder(uid) => self.folders.begins(uid.clone()),
            Subject::ContactPoint(name) => self.contact_points.begins(name.clone()),
            Subject::Tree(name) => self.trees.begins(name.clone()),
            Subject::SilencesOf(author) => self.silences.begins(silences_of(author)),
            Subject::TimeInterval(name) => self.time_intervals.begins(name.clone()),
            Subject::Template(name) => self.templates.begins(name.clone()),
            Subject::InhibitionRule(name) => self.inhibition_rules.begins(name.clone()),
        }
    }

    /// Notes that the write that is under way has changed nothing: what was known before it stands.
    pub fn stands(&mut self, subject: &Subject) {
        match subject {
            Subject::Rules(uids) => uids.iter().for_each(|uid| self.rules.stands(uid)),
            Subject::Folder(uid) => self.folders.stands(uid),
            Subject::ContactPoint(name) => self.contact_points.stands(name),
            Subject::Tree(name) => self.trees.stands(name),
            Subject::SilencesOf(author) => self.silences.stands(&silences_of(author)),
            Subject::TimeInterval(name) => self.time_intervals.stands(name),
            Subject::Template(name) => self.templates.stands(name),
            Subject::InhibitionRule(name) => self.inhibition_rules.stands(name),
        }
    }

    /// Notes that a write is over. Where nothing was noted of its outcome it is unknown.
    pub fn ends(&mut self, subject: &Subject) {
        match subject {
            Subject::Rules(uids) => {
                for uid in uids {
                    if self.rules.is_under_way(uid) {
                        self.rules.unknown(uid);
                    }
                }
            }
            Subject::Folder(uid) => end(&mut self.folders, uid),
            Subject::ContactPoint(name) => end(&mut self.contact_points, name),
            Subject::Tree(name) => end(&mut self.trees, name),
            Subject::SilencesOf(author) => end(&mut self.silences, &silences_of(author)),
            Subject::TimeInterval(name) => end(&mut self.time_intervals, name),
            Subject::Template(name) => end(&mut self.templates, name),
            Subject::InhibitionRule(name) => end(&mut self.inhibition_rules, name),
        }
    }

    /// Has a subject read by itself before the next decision, as after an answer that was lost. What is unknown already is anyway.
    pub fn doubts(&mut self, subject: &Subject) {
        if !self.is_unknown(subject) {
            self.begins(subject);
            self.doubted.insert(subject.clone());
        }
    }

    /// Takes a doubt back that led to no look: what was known stands. What was written or read meanwhile isn't doubted any more.
    pub fn trusts(&mut self, subject: &Subject) {
        if self.is_doubted(subject) {
            self.doubted.remove(subject);
            self.stands(subject);
        }
    }

    /// Whether nothing is known of a subject for no other reason than a doubt: no answer was lost.
    pub fn is_doubted(&self, subject: &Subject) -> bool {
        self.doubted.contains(subject) && self.is_unknown(subject)
    }

    fn is_unknown(&self, subject: &Subject) -> bool {
        match subject {
            Subject::Rules(uids) => uids.iter().any(|uid| self.rules.lookup(uid).is_unknown()),
            Subject::Folder(uid) => self.folders.lookup(uid).is_unknown(),
            Subject::ContactPoint(name) => self.contact_points.lookup(name).is_unknown(),
            Subject::Tree(name) => self.trees.lookup(name).is_unknown(),
            Subject::SilencesOf(author) => self.is_unknown_of(author),
            Subject::TimeInterval(name) => self.time_intervals.lookup(name).is_unknown(),
            Subject::Template(name) => self.templates.lookup(name).is_unknown(),
            Subject::InhibitionRule(name) => self.inhibition_rules.lookup(name).is_unknown(),
        }
    }

    /// Whether the answer of a write to a silence of this author was lost, or is to come.
    pub fn is_unknown_of(&self, author: &str) -> bool {
        self.silences.lookup(&silences_of(author)).is_unknown()
    }

    /// Notes that all silences of this author have been read.
    pub fn has_read_of(&mut self, author: &str) {
        self.silences.written(silences_of(author), None);
    }
}

/// Under this key, which is no silence's id, it is noted whether anything is known of an author's silences.
fn silences_of(author: &str) -> String {
    format!("of {author}")
}

fn end<K, V, G>(collection: &mut Collection<K, V, G>, key: &K)
where
    K: Clone + Hash + Ord,
    V: PartialEq,
    G: Eq + Hash,
{
    if collection.is_under_way(key) {
        collection.unknown(key.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_doubted_is_unknown_until_it_is_read_and_what_is_being_written_stays_so() {
        let mirror = Mirror::default();
        let subject = Subject::TimeInterval("nights".to_owned());
        let is_unknown = || mirror.read(|held| held.time_intervals.lookup("nights").is_unknown());
        mirror.write(|held| {
            let poll = held.time_intervals.begin_poll();
            held.time_intervals.finish_poll(poll, []);
        });
        assert!(!is_unknown());
        mirror.write(|held| held.doubts(&subject));
        assert!(is_unknown());
        mirror.write(|held| held.time_intervals.written("nights".to_owned(), None));
        assert!(!is_unknown());
        mirror.write(|held| {
            held.doubts(&subject);
            let poll = held.time_intervals.begin_poll();
            held.time_intervals.finish_poll(poll, []);
        });
        assert!(is_unknown(), "it is to be read by itself");
        mirror.write(|held| held.trusts(&subject));
        assert!(!is_unknown(), "nobody looked");
        mirror.write(|held| {
            held.begins(&subject);
            held.doubts(&subject);
            held.stands(&subject);
        });
        assert!(
            !is_unknown(),
            "the write that was under way has left it as it was"
        );
    }

    #[test]
    fn an_answer_that_was_lost_is_no_doubt_and_ends_one() {
        let mirror = Mirror::default();
        let subject = Subject::TimeInterval("nights".to_owned());
        let is_doubted = || mirror.read(|held| held.is_doubted(&subject));
        mirror.write(|held| {
            let poll = held.time_intervals.begin_poll();
            held.time_intervals.finish_poll(poll, []);
            held.doubts(&subject);
        });
        assert!(is_doubted());
        mirror.write(|held| {
            held.begins(&subject);
            held.ends(&subject);
        });
        assert!(!is_doubted(), "a write was lost since");
        mirror.write(|held| held.doubts(&subject));
        assert!(!is_doubted(), "it is to be read for that");
        mirror.write(|held| {
            held.time_intervals.written("nights".to_owned(), None);
            held.doubts(&subject);
        });
        assert!(is_doubted());
        mirror.write(|held| held.time_intervals.written("nights".to_owned(), None));
        assert!(!is_doubted(), "it was read");
        mirror.write(|held| {
            held.doubts(&subject);
            held.begins(&subject);
            held.trusts(&subject);
        });
        let lookup = mirror.read(|held| held.time_intervals.lookup("nights").is_unknown());
        assert!(lookup, "it is being written");
    }

    #[test]
    fn a_mirror_is_loaded_when_every_collection_is() {
        let mirror = Mirror::default();
        mirror.write(|held| {
            let poll = held.rules.begin_poll();
            held.rules.finish_poll(poll, Vec::new());
            let poll = held.folders.begin_poll();
            held.folders.finish_poll(poll, []);
            let poll = held.trees.begin_poll();
            held.trees.finish_poll(poll, []);
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
