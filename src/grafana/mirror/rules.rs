//! The rules of one Grafana, also by group and by title.

use std::collections::{HashMap, HashSet};

use super::collection::{Collection, Lookup, Poll};
use crate::grafana::api::FoundRule;
use crate::touched;

/// Rules by uid, with the folders they lie in. Works as the [`Collection`] that it is made of.
#[derive(Debug)]
#[expect(
    clippy::struct_field_names,
    reason = "the rules themselves, and two ways to find them"
)]
pub struct Rules {
    /// By uid, and by the contact point that a rule has for itself.
    rules: Collection<String, FoundRule, String>,
    folders: HashMap<String, Folder>,
    /// Uids by the mark that the rule had when it was last seen or written; some may have another one since, or be gone.
    marked: HashMap<String, Vec<String>>,
}

/// What became of rules that nobody of us has written, as they were before.
#[derive(Debug, Default)]
pub struct Undone {
    /// Those that are other ones, and were last changed earlier than what they were before: time goes back.
    pub older: Vec<FoundRule>,
    /// Those that are gone.
    pub gone: Vec<FoundRule>,
}

/// The rules of one folder, as uids.
#[derive(Debug, Default)]
struct Folder {
    groups: HashMap<String, HashSet<String>>,
    titles: HashMap<String, HashSet<String>>,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            rules: Collection::grouped(|rule| rule.receiver.clone()),
            folders: HashMap::new(),
            marked: HashMap::new(),
        }
    }
}

impl Rules {
    /// Marks the moment before a poll asks Grafana.
    pub fn begin_poll(&mut self) -> Poll {
        self.rules.begin_poll()
    }

    /// Takes over what a poll read, and returns the uids of rules that appeared, changed or disappeared.
    pub fn finish_poll(&mut self, poll: Poll, found: Vec<FoundRule>) -> Vec<String> {
        let changed = self
            .rules
            .finish_poll(poll, found.into_iter().map(|rule| (rule.uid.clone(), rule)));
        if !changed.is_empty() {
            self.folders.clear();
            let rules = &self.rules;
            self.marked.retain(|_, uids| {
                uids.retain(|uid| rules.lookup(uid).is_unknown());
                !uids.is_empty()
            });
            for (_, rule) in rules.iter() {
                place(&mut self.folders, rule);
                mark(&mut self.marked, rule);
            }
        }
        changed
    }

    /// The rules that stood as the last poll showed them, weren't written since, and are other ones or gone in what a poll has found now.
    pub fn undone(&self, found: &[FoundRule]) -> Undone {
        let mut undone = Undone::default();
        for rule in found {
            if let Some(known) = self.rules.polled(&rule.uid)
                && rule.updated.is_before(known.updated)
                && rule != known
            {
                undone.older.push(known.clone());
            }
        }
        let found: HashSet<&str> = found.iter().map(|rule| rule.uid.as_str()).collect();
        let gone = self
            .rules
            .polled_keys()
            .filter(|uid| !found.contains(uid.as_str()));
        undone.gone = gone.filter_map(|uid| self.rules.polled(uid).cloned()).collect();
        undone
    }

    /// Notes that a write is about to be sent: until its outcome is noted nothing is known, whatever polls say.
    pub fn begins(&mut self, uid: &str) {
        self.displace(uid);
        self.rules.begins(uid.to_owned());
    }

    /// Notes that the write that is under way has changed nothing.
    pub fn stands(&mut self, uid: &String) {
        self.rules.stands(uid);
        if let Some(rule) = self.rules.lookup(uid).present() {
            place(&mut self.folders, rule);
        }
    }

    /// Whether a write is under way.
    pub fn is_under_way(&self, uid: &str) -> bool {
        self.rules.is_under_way(uid)
    }

    /// Notes what a write left behind.
    pub fn written(&mut self, rule: FoundRule) {
        self.displace(&rule.uid);
        place(&mut self.folders, &rule);
        mark(&mut self.marked, &rule);
        self.rules.written(rule.uid.clone(), Some(rule));
    }

    /// Notes that a rule was deleted, or read and not found.
    pub fn deleted(&mut self, uid: &str) {
        self.displace(uid);
        self.rules.written(uid.to_owned(), None);
    }

    /// Notes that the answer of a write was lost.
    pub fn unknown(&mut self, uid: &str) {
        self.displace(uid);
        self.rules.unknown(uid.to_owned());
    }

    /// What is known about a rule.
    pub fn lookup(&self, uid: &str) -> Lookup<&FoundRule> {
        self.rules.lookup(uid)
    }

    /// What was known about a rule before the write of it that is under way; what is known, if none is.
    pub fn before(&self, uid: &str) -> Lookup<&FoundRule> {
        self.rules.before(uid)
    }

    /// Whether a poll has finished, so that absence is known.
    pub fn is_loaded(&self) -> bool {
        self.rules.is_loaded()
    }

    /// Every rule that is known to be there, in no order.
    pub fn iter(&self) -> impl Iterator<Item = &FoundRule> {
        self.rules.iter().map(|(_, rule)| rule)
    }

    /// The rules that have a contact point of this name for themselves, in no order.
    pub fn with_receiver<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a FoundRule> + use<'a> {
        self.rules.in_group(&name.to_owned())
    }

    /// The rules of one group, in no order. Those without a group are in none.
    pub fn in_group(&self, folder_uid: &str, group: &str) -> impl Iterator<Item = &FoundRule> {
        self.present(
            self.folders
                .get(folder_uid)
                .and_then(|folder| folder.groups.get(group)),
        )
    }

    /// The rules of one title in a folder: before 12.0 at most one.
    pub fn titled(&self, folder_uid: &str, title: &str) -> impl Iterator<Item = &FoundRule> {
        self.present(
            self.folders
                .get(folder_uid)
                .and_then(|folder| folder.titles.get(title)),
        )
    }

    /// The uids of the rules that carry a mark ([`OWNER_LABEL`](crate::grafana::api::OWNER_LABEL)), in no order. One that carried it
    /// when a write began whose answer is to come, or was lost, is among them.
    pub fn marked(&self, mark: &str) -> Vec<String> {
        let has_it = |uid: &String| match self.rules.lookup(uid) {
            Lookup::Present(rule) => rule.owner.as_deref() == Some(mark),
            Lookup::Unknown => true,
            Lookup::Absent => false,
        };
        let known = self.marked.get(mark).into_iter().flatten();
        known.filter(|uid| has_it(uid)).cloned().collect()
    }

    /// How many rules a folder holds.
    pub fn count_in_folder(&self, folder_uid: &str) -> usize {
        self.folders
            .get(folder_uid)
            .map_or(0, |folder| folder.titles.values().map(HashSet::len).sum())
    }

    fn present<'a>(&'a self, uids: Option<&'a HashSet<String>>) -> impl Iterator<Item = &'a FoundRule> {
        uids.into_iter()
            .flatten()
            .inspect(|_| touched::note(1))
            .filter_map(|uid| self.rules.lookup(uid.as_str()).present())
    }

    fn displace(&mut self, uid: &str) {
        let Some(rule) = self.rules.lookup(uid).present() else {
            return;
        };
        let Some(folder) = self.folders.get_mut(&rule.folder_uid) else {
            return;
        };
        if let Some(group) = &rule.group {
            remove(&mut folder.groups, group, uid);
        }
        remove(&mut folder.titles, &rule.title, uid);
        if folder.titles.is_empty() {
            self.folders.remove(&rule.folder_uid);
        }
    }
}

fn place(folders: &mut HashMap<String, Folder>, rule: &FoundRule) {
    let folder = folders.entry(rule.folder_uid.clone()).or_default();
    if let Some(group) = &rule.group {
        let group = folder.groups.entry(group.clone()).or_default();
        group.insert(rule.uid.clone());
    }
    folder
        .titles
        .entry(rule.title.clone())
        .or_default()
        .insert(rule.uid.clone());
}

fn mark(marked: &mut HashMap<String, Vec<String>>, rule: &FoundRule) {
    let Some(owner) = &rule.owner else { return };
    let uids = marked.entry(owner.clone()).or_default();
    if !uids.contains(&rule.uid) {
        uids.push(rule.uid.clone());
    }
}

fn remove(index: &mut HashMap<String, HashSet<String>>, name: &str, uid: &str) {
    if let Some(uids) = index.get_mut(name) {
        uids.remove(uid);
        if uids.is_empty() {
            index.remove(name);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::grafana::api::Updated;
    use crate::grafana::model::{AlertRule, Revision};

    fn rule(uid: &str, folder: &str, group: &str, title: &str) -> FoundRule {
        let rule = AlertRule {
            uid: uid.to_owned(),
            folder_uid: folder.to_owned(),
            group: Some(group.to_owned()),
            interval: Duration::from_secs(60),
            title: title.to_owned(),
            ..AlertRule::default()
        };
        FoundRule::of(&rule)
    }

    fn group(rules: &Rules, folder: &str, group: &str) -> Vec<String> {
        let mut uids: Vec<_> = rules
            .in_group(folder, group)
            .map(|rule| rule.uid.clone())
            .collect();
        uids.sort();
        uids
    }

    #[test]
    fn rules_are_found_by_group_and_title_after_a_poll() {
        let mut rules = Rules::default();
        let poll = rules.begin_poll();
        rules.finish_poll(
            poll,
            vec![
                rule("a", "f", "g", "A"),
                rule("b", "f", "g", "B"),
                rule("c", "x", "g", "A"),
            ],
        );
        assert_eq!(group(&rules, "f", "g"), ["a", "b"]);
        assert_eq!(
            rules
                .titled("x", "A")
                .map(|rule| rule.uid.as_str())
                .collect::<Vec<_>>(),
            ["c"]
        );
        assert_eq!(rules.titled("x", "B").count(), 0);
        assert_eq!(
            (rules.count_in_folder("f"), rules.count_in_folder("none")),
            (2, 0)
        );
    }

    #[test]
    fn a_written_rule_leaves_its_old_place() {
        let mut rules = Rules::default();
        rules.written(rule("a", "f", "g", "A"));
        rules.written(rule("a", "x", "h", "B"));
        assert_eq!(
            (group(&rules, "f", "g"), group(&rules, "x", "h")),
            (vec![], vec!["a".to_owned()])
        );
        assert_eq!(
            (rules.titled("f", "A").count(), rules.titled("x", "B").count()),
            (0, 1)
        );
        rules.unknown("a");
        assert!(group(&rules, "x", "h").is_empty());
        rules.written(rule("a", "x", "h", "B"));
        rules.deleted("a");
        assert!(group(&rules, "x", "h").is_empty());
        assert!(rules.folders.is_empty());
    }

    #[test]
    fn a_rule_without_a_group_is_in_its_folder_and_in_no_group() {
        let without = FoundRule {
            group: None,
            ..rule("a", "f", "", "A")
        };
        let mut rules = Rules::default();
        rules.written(without);
        rules.written(rule("b", "f", "g", "B"));
        assert_eq!(
            (group(&rules, "f", ""), group(&rules, "f", "g")),
            (vec![], vec!["b".to_owned()])
        );
        assert_eq!(
            (rules.titled("f", "A").count(), rules.count_in_folder("f")),
            (1, 2)
        );
        rules.deleted("b");
        assert_eq!(rules.count_in_folder("f"), 1);
        rules.deleted("a");
        assert!(rules.folders.is_empty());
    }

    #[test]
    fn a_rule_is_the_same_whenever_it_was_changed_and_whatever_its_state_is_called() {
        let mut rules = Rules::default();
        let poll = rules.begin_poll();
        rules.finish_poll(poll, vec![rule("a", "f", "g", "A")]);
        let revised = FoundRule {
            revision: Some(Revision("2".to_owned())),
            ..rule("a", "f", "g", "A")
        };
        let poll = rules.begin_poll();
        assert!(rules.finish_poll(poll, vec![revised.clone()]).is_empty());
        let held = rules.lookup("a").present().unwrap();
        assert_eq!(held.revision, revised.revision, "it is written by the newest");
    }

    #[test]
    fn rules_are_found_by_their_mark_also_while_the_answer_of_a_write_is_lost() {
        let marked = |uid: &str, mark: &str| FoundRule {
            owner: Some(mark.to_owned()),
            ..rule(uid, "f", "g", uid)
        };
        let mut rules = Rules::default();
        let poll = rules.begin_poll();
        rules.finish_poll(poll, vec![marked("a", "old/ns/a"), rule("b", "f", "g", "b")]);
        assert_eq!(rules.marked("old/ns/a"), ["a"]);
        rules.unknown("a");
        assert_eq!(rules.marked("old/ns/a"), ["a"], "it may still carry it");
        let poll = rules.begin_poll();
        rules.unknown("a");
        rules.finish_poll(poll, vec![rule("c", "f", "g", "c")]);
        assert_eq!(rules.marked("old/ns/a"), ["a"], "a poll from before says nothing");
        rules.written(marked("a", "new/ns/a"));
        assert!(rules.marked("old/ns/a").is_empty());
        assert_eq!(rules.marked("new/ns/a"), ["a"]);
        rules.deleted("a");
        assert!(rules.marked("new/ns/a").is_empty());
        let poll = rules.begin_poll();
        rules.finish_poll(poll, vec![]);
        assert!(rules.marked.is_empty(), "{:?}", rules.marked);
    }

    #[test]
    fn an_older_poll_moves_no_rule_back() {
        let mut rules = Rules::default();
        let poll = rules.begin_poll();
        rules.written(rule("a", "x", "h", "B"));
        assert_eq!(
            rules.finish_poll(poll, vec![rule("a", "f", "g", "A"), rule("b", "f", "g", "B")]),
            ["b"]
        );
        assert_eq!(
            (group(&rules, "f", "g"), group(&rules, "x", "h")),
            (vec!["b".to_owned()], vec!["a".to_owned()])
        );
    }

    /// The rule, changed last at this time, as this contact point's.
    fn at(uid: &str, seconds: i64, receiver: &str) -> FoundRule {
        FoundRule {
            updated: Updated(Some(jiff::Timestamp::new(seconds, 0).unwrap())),
            receiver: Some(receiver.to_owned()),
            ..rule(uid, "f", "g", uid)
        }
    }

    #[test]
    fn what_goes_back_in_time_or_is_gone_without_us_is_undone() {
        let all = || ["back", "edited", "same", "gone", "ours", "deleted"].map(|uid| at(uid, 5, "now"));
        let mut rules = Rules::default();
        let poll = rules.begin_poll();
        rules.finish_poll(poll, all().to_vec());
        rules.written(at("ours", 9, "newest"));
        rules.deleted("deleted");
        let found = [
            at("back", 4, "then"),
            at("edited", 6, "then"),
            at("same", 4, "now"),
            at("ours", 4, "then"),
            at("new", 1, "then"),
        ];
        let undone = rules.undone(&found);
        let uids = |rules: &[FoundRule]| rules.iter().map(|rule| rule.uid.clone()).collect::<Vec<_>>();
        assert_eq!(
            (uids(&undone.older), uids(&undone.gone)),
            (vec!["back".to_owned()], vec!["gone".to_owned()])
        );
        // A rule that stays as it is takes over its new time.
        let poll = rules.begin_poll();
        rules.finish_poll(poll, found.to_vec());
        let poll = rules.begin_poll();
        rules.finish_poll(poll, vec![at("same", 8, "now")]);
        assert_eq!(uids(&rules.undone(&[at("same", 7, "then")]).older), ["same"]);
    }
}
