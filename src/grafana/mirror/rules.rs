//! The rules of one Grafana, also by group and by title.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::collection::{Collection, Follow, Lookup, Poll, Watched};
use crate::grafana::api::FoundRule;
use crate::held::few::Few;
use crate::held::touched;

/// Rules by uid, with the folders they lie in. Works as the [`Collection`] that it is made of. A uid is kept once, and shared by
/// all that rules are found by.
#[derive(Debug)]
#[expect(
    clippy::struct_field_names,
    reason = "the rules themselves, and two ways to find them"
)]
pub struct Rules {
    /// By uid, and by the contact point that a rule has for itself.
    rules: Collection<Arc<str>, FoundRule, String>,
    folders: HashMap<String, Folder>,
    /// Uids by the mark that the rule had when it was last seen or written; some may have another one since, or be gone.
    marked: HashMap<String, Few<Arc<str>>>,
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
    groups: HashMap<String, Few<Arc<str>>>,
    titles: HashMap<String, Few<Arc<str>>>,
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
        self.finish_list(poll, found).0
    }

    /// The same, with the watch that goes on from it.
    pub fn finish_list(
        &mut self,
        poll: Poll,
        found: Vec<FoundRule>,
    ) -> (Vec<String>, Watched<Arc<str>, FoundRule>) {
        let found = found.into_iter().map(|rule| (rule.uid.as_str().into(), rule));
        let (changed, watched) = self.rules.finish_list(poll, found);
        if !changed.is_empty() {
            self.folders.clear();
            let rules = &self.rules;
            for (owner, uids) in std::mem::take(&mut self.marked) {
                for uid in uids.keys().filter(|uid| rules.lookup(*uid).is_unknown()) {
                    mark(&mut self.marked, uid, Some(&owner));
                }
            }
            for (uid, rule) in rules.iter() {
                place(&mut self.folders, uid, rule);
                mark(&mut self.marked, uid, rule.owner.as_deref());
            }
        }
        let changed = changed.iter().map(|uid| (**uid).to_owned()).collect();
        (changed, watched)
    }

    /// The rules that stood as the last poll showed them, weren't written since, and are other ones or gone in what a poll has found now.
    pub fn undone(&self, found: &[FoundRule]) -> Undone {
        let mut undone = Undone::default();
        undone
            .older
            .extend(found.iter().filter_map(|rule| self.older(rule)).cloned());
        let found: HashSet<&str> = found.iter().map(|rule| rule.uid.as_str()).collect();
        let gone = self.rules.polled_keys().filter(|uid| !found.contains(&***uid));
        undone.gone = gone.filter_map(|uid| self.rules.polled(uid).cloned()).collect();
        undone
    }

    /// The same of one rule, as it is now.
    pub fn undone_of(&self, uid: &str, now: Option<&FoundRule>) -> Undone {
        let (mut undone, known) = (Undone::default(), self.rules.polled(uid));
        match now {
            Some(now) => undone.older.extend(self.older(now).cloned()),
            None => undone.gone.extend(known.cloned()),
        }
        undone
    }

    /// What a rule was when it was changed later than it says now.
    fn older(&self, now: &FoundRule) -> Option<&FoundRule> {
        let known = self.rules.polled(now.uid.as_str())?;
        (now.updated.is_before(known.updated) && now != known).then_some(known)
    }

    /// Notes that a write is about to be sent: until its outcome is noted nothing is known, whatever polls say.
    pub fn begins(&mut self, uid: &str) {
        self.displace(uid);
        let uid = self.kept(uid);
        self.rules.begins(uid);
    }

    /// Notes that the write that is under way has changed nothing.
    pub fn stands(&mut self, uid: &str) {
        self.rules.stands(uid);
        let uid = self.kept(uid);
        if let Some(rule) = self.rules.lookup(&uid).present() {
            place(&mut self.folders, &uid, rule);
        }
    }

    /// Whether a write is under way.
    pub fn is_under_way(&self, uid: &str) -> bool {
        self.rules.is_under_way(uid)
    }

    /// Notes what a write left behind.
    pub fn written(&mut self, rule: FoundRule) {
        let uid = self.kept(&rule.uid);
        self.displace(&uid);
        place(&mut self.folders, &uid, &rule);
        mark(&mut self.marked, &uid, rule.owner.as_deref());
        self.rules.written(uid, Some(rule));
    }

    /// Notes that a rule was deleted, or read and not found.
    pub fn deleted(&mut self, uid: &str) {
        self.displace(uid);
        let uid = self.kept(uid);
        self.rules.written(uid, None);
    }

    /// Notes that the answer of a write was lost.
    pub fn unknown(&mut self, uid: &str) {
        self.displace(uid);
        let uid = self.kept(uid);
        self.rules.unknown(uid);
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

    /// The rules that have a time interval of this name for themselves, in no order. It walks through all rules: for a deletion, not for a pass.
    pub fn with_interval<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a FoundRule> {
        self.iter()
            .filter(move |rule| rule.intervals.iter().any(|interval| interval == name))
    }

    /// The rules whose alerts go through the policy tree of this name, in no order. It walks through all rules: for a deletion, not for a pass.
    pub fn with_tree<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a FoundRule> {
        self.iter().filter(move |rule| rule.tree.as_deref() == Some(name))
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
        let has_it = |uid: &Arc<str>| match self.rules.lookup(uid) {
            Lookup::Present(rule) => rule.owner.as_deref() == Some(mark),
            Lookup::Unknown => true,
            Lookup::Absent => false,
        };
        let known = self.marked.get(mark).into_iter().flat_map(Few::keys);
        known
            .filter(|uid| has_it(uid))
            .map(|uid| (**uid).to_owned())
            .collect()
    }

    /// How many rules a folder holds.
    pub fn count_in_folder(&self, folder_uid: &str) -> usize {
        self.folders
            .get(folder_uid)
            .map_or(0, |folder| folder.titles.values().map(Few::len).sum())
    }

    /// Lets something happen to a rule, and has it where it is then.
    fn replaced<T>(
        &mut self,
        uid: &str,
        happen: impl FnOnce(&mut Collection<Arc<str>, FoundRule, String>) -> T,
    ) -> T {
        self.displace(uid);
        let happened = happen(&mut self.rules);
        let uid = self.kept(uid);
        if let Some(rule) = self.rules.lookup(&uid).present() {
            place(&mut self.folders, &uid, rule);
            mark(&mut self.marked, &uid, rule.owner.as_deref());
        }
        happened
    }

    fn present<'a>(&'a self, uids: Option<&'a Few<Arc<str>>>) -> impl Iterator<Item = &'a FoundRule> {
        uids.into_iter()
            .flat_map(Few::keys)
            .inspect(|_| touched::note(1))
            .filter_map(|uid| self.rules.lookup(uid).present())
    }

    /// A uid as it is kept here.
    fn kept(&self, uid: &str) -> Arc<str> {
        self.rules.kept(uid).cloned().unwrap_or_else(|| uid.into())
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

impl Follow<Arc<str>, FoundRule> for Rules {
    fn told(
        &mut self,
        watched: &mut Watched<Arc<str>, FoundRule>,
        uid: Arc<str>,
        now: Option<FoundRule>,
    ) -> bool {
        self.replaced(&uid.clone(), |rules| rules.told(watched, uid, now))
    }

    fn doubtful(&self, watched: &mut Watched<Arc<str>, FoundRule>) -> Vec<Arc<str>> {
        self.rules.doubtful(watched)
    }

    fn begin_look(&mut self) -> Poll {
        self.rules.begin_look()
    }

    fn finish_look(
        &mut self,
        watched: &mut Watched<Arc<str>, FoundRule>,
        look: Poll,
        uid: Arc<str>,
        found: Option<FoundRule>,
    ) -> bool {
        self.replaced(&uid.clone(), |rules| rules.finish_look(watched, look, uid, found))
    }
}

fn place(folders: &mut HashMap<String, Folder>, uid: &Arc<str>, rule: &FoundRule) {
    let folder = folders.entry(rule.folder_uid.clone()).or_default();
    if let Some(group) = &rule.group {
        insert(&mut folder.groups, group, uid);
    }
    insert(&mut folder.titles, &rule.title, uid);
}

fn mark(marked: &mut HashMap<String, Few<Arc<str>>>, uid: &Arc<str>, owner: Option<&str>) {
    if let Some(owner) = owner {
        insert(marked, owner, uid);
    }
}

fn insert(index: &mut HashMap<String, Few<Arc<str>>>, name: &str, uid: &Arc<str>) {
    index.entry(name.to_owned()).or_default().insert(uid.clone(), ());
}

fn remove(index: &mut HashMap<String, Few<Arc<str>>>, name: &str, uid: &str) {
    if let Some(uids) = index.get_mut(name) {
        uids.remove(uid);
        if uids.is_empty() {
            index.remove(name);
        }
    }
}

#[cfg(test)]
mod tests;
