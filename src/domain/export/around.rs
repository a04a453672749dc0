//! What is known while objects become resources.

use std::collections::BTreeMap;

use super::held::{Asked, Holdings};
use crate::api::reference::{PolicyRef, ReceiverRef, TimeIntervalRef};
use crate::domain::lint::near::nearest;
use crate::domain::lint::schema::Schemas;
use crate::domain::ownership::Owners;
use crate::domain::rule::folder::titles;
use crate::domain::version::Version;
use crate::grafana::model::AlertRule;

/// The longest path that a resource may name.
const LONGEST_PATH: usize = 190;

/// How many folders may lie in each other; more are a circle.
const DEEPEST: usize = 64;

/// A Grafana that doesn't tell its version has whatever it shows.
const NEWEST: Version = Version::new(u32::MAX, 0, 0);

/// What a rule may be called where it is asked for.
type Called<'a> = fn(&Around<'a>, &AlertRule) -> Vec<String>;

/// What is known while objects become resources.
pub(super) struct Around<'a> {
    pub(super) held: &'a Holdings,
    pub(super) asked: &'a Asked,
    pub(super) owners: &'a Owners,
    pub(super) schemas: Schemas,
    pub(super) version: Version,
    /// Names of the ContactPoints, TimeIntervals and NotificationPolicies that are exported, by their names in Grafana.
    pub(super) receivers: BTreeMap<String, String>,
    pub(super) intervals: BTreeMap<String, String>,
    pub(super) trees: BTreeMap<String, String>,
    folders: BTreeMap<String, Place>,
}

/// A folder, as a resource names it.
#[derive(Debug, Clone, Default)]
pub(super) struct Place {
    /// Its title, with those above it.
    pub(super) title: String,
    /// Its path; `None` where only the uid says which it is.
    pub(super) path: Option<String>,
    own: String,
}

impl<'a> Around<'a> {
    pub(super) fn new(held: &'a Holdings, asked: &'a Asked, owners: &'a Owners) -> Self {
        Self {
            held,
            asked,
            owners,
            schemas: Schemas::default(),
            version: held.version.unwrap_or(NEWEST),
            receivers: BTreeMap::new(),
            intervals: BTreeMap::new(),
            trees: BTreeMap::new(),
            folders: places(held, &asked.folder_prefix),
        }
    }

    /// The namespace that resources are in, as far as it matters what it is.
    pub(super) fn namespace(&self) -> &str {
        self.asked.namespace.as_deref().unwrap_or("default")
    }

    /// A folder; one that can't be seen has no title.
    pub(super) fn folder(&self, uid: &str) -> Place {
        self.folders.get(uid).cloned().unwrap_or_default()
    }

    /// Whether a rule is among those that are asked for.
    pub(super) fn is_asked_for(&self, rule: &AlertRule) -> bool {
        let is_one = |(_, all, called): &(&str, &[String], Called<'a>)| {
            all.is_empty() || called(self, rule).iter().any(|own| all.contains(own))
        };
        self.filters().iter().all(is_one)
    }

    /// What rules are chosen by, with what each may be called there.
    fn filters(&self) -> [(&'static str, &'a [String], Called<'a>); 3] {
        let folders: Called<'a> = |around, rule| {
            let folder = around.folder(&rule.folder_uid);
            let path = folder.path.unwrap_or_default();
            vec![folder.title, folder.own, path, rule.folder_uid.clone()]
        };
        let asked = self.asked;
        [
            ("in folder", &asked.folders, folders),
            ("of group", &asked.groups, |_, rule| {
                rule.group.iter().cloned().collect()
            }),
            ("called", &asked.rules, |_, rule| {
                vec![rule.title.clone(), rule.uid.clone()]
            }),
        ]
    }

    /// What is asked for and isn't there: whoever mistakes a title would take the nothing for all that there is.
    pub(super) fn unmet(&self) -> Option<String> {
        let rules = || self.held.rules.iter().chain(&self.held.astray);
        for (what, all, called) in self.filters() {
            let names = || rules().flat_map(|rule| called(self, rule));
            if let Some(missing) = all.iter().find(|asked| !names().any(|own| own == **asked)) {
                let names: Vec<String> = names().filter(|name| !name.is_empty()).collect();
                let near = nearest(missing, names.iter().map(String::as_str));
                let near = near.map_or_else(String::new, |near| format!("; there is {near:?}"));
                return Some(format!("no rule is {what} {missing:?}{near}"));
            }
        }
        let is_asked = self.filters().iter().any(|(_, all, _)| !all.is_empty());
        (is_asked && !rules().any(|rule| self.is_asked_for(rule))).then(|| {
            "no rule is in one of the folders, of one of the groups and one of the rules that are named"
                .to_owned()
        })
    }

    /// A contact point as a resource refers to it: by its resource's name, or by its own.
    pub(super) fn receiver(&self, called: &str) -> (Option<String>, Option<ReceiverRef>) {
        let name = self.receivers.get(called).cloned();
        let reference = name.is_none().then(|| ReceiverRef {
            grafana_name: Some(called.to_owned()),
            ..ReceiverRef::default()
        });
        (name, reference)
    }

    /// A policy tree in the same way.
    pub(super) fn tree(&self, called: &str) -> (Option<String>, Option<PolicyRef>) {
        let name = self.trees.get(called).cloned();
        let reference = name.is_none().then(|| PolicyRef {
            grafana_name: Some(called.to_owned()),
            ..PolicyRef::default()
        });
        (name, reference)
    }

    /// Time intervals in the same way.
    pub(super) fn intervals(&self, called: &[String]) -> (Vec<String>, Vec<TimeIntervalRef>) {
        let (mut names, mut references) = (Vec::new(), Vec::new());
        for called in called {
            match self.intervals.get(called) {
                Some(name) => names.push(name.clone()),
                None => references.push(TimeIntervalRef {
                    grafana_name: Some(called.clone()),
                    ..TimeIntervalRef::default()
                }),
            }
        }
        (names, references)
    }

    /// The other way round: what Grafana calls the object of a resource.
    pub(super) fn called<'b>(names: &'b BTreeMap<String, String>, name: &str) -> Option<&'b String> {
        names
            .iter()
            .find(|(_, own)| *own == name)
            .map(|(called, _)| called)
    }
}

/// Every folder by its uid. A path that two have, that a resource can't write, or that begins with folders that nobody showed, says nothing.
fn places(held: &Holdings, prefix: &str) -> BTreeMap<String, Place> {
    let by_uid: BTreeMap<&str, _> = held.folders.iter().map(|f| (f.uid.as_str(), f)).collect();
    let mut places: BTreeMap<String, Place> = BTreeMap::new();
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for folder in &held.folders {
        let mut titles = vec![folder.title.as_str()];
        let mut above = folder.parent_uid.as_deref();
        while let Some(parent) = above
            .and_then(|uid| by_uid.get(uid))
            .filter(|_| titles.len() < DEEPEST)
        {
            titles.push(&parent.title);
            above = parent.parent_uid.as_deref();
        }
        titles.reverse();
        let escaped = titles
            .iter()
            .map(|title| title.replace('\\', r"\\").replace('/', r"\/"));
        let whole = escaped.collect::<Vec<_>>().join("/");
        *seen.entry(whole.clone()).or_default() += 1;
        let place = Place {
            title: titles.join("/"),
            path: above.is_none().then_some(whole),
            own: folder.title.clone(),
        };
        places.insert(folder.uid.clone(), place);
    }
    for place in places.values_mut() {
        let path = place.path.take().filter(|path| {
            let is_only = seen.get(path) == Some(&1);
            is_only && titles(path).is_ok()
        });
        let path = path.and_then(|path| Some(path.strip_prefix(prefix)?.to_owned()));
        place.path = path.filter(|path| (1..=LONGEST_PATH).contains(&path.chars().count()));
    }
    places
}
