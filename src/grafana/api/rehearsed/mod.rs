//! A Grafana to which nothing is written: what would be is noted, and is read afterwards as if it had been.

mod known;
mod notifications;

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::FutureExt;
use parking_lot::Mutex;

pub use self::known::Change;
use self::known::Known;
use super::watch::Listed;
use super::{Answer, Folders, FoundRule, Grafana, Provenance, RuleWrite, Rules, Silences, Stored};
use crate::grafana::model::{AlertRule, ContactPoint, Found, InhibitionRule, Route, Template, TimeInterval};
use crate::grafana::wire::{Folder, Silence};

/// What is written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Concern {
    /// An alert rule, by its uid.
    Rule,
    /// A contact point, by its name.
    ContactPoint,
    /// A policy tree, by its name.
    Tree,
    /// A time interval, by its name.
    TimeInterval,
    /// A notification template, by its name.
    Template,
    /// An inhibition rule, by its name.
    InhibitionRule,
    /// A silence, by its id.
    Silence,
}

/// One object that was written to: what it is, and its key.
pub type Touched = (Concern, String);

/// What would have been written.
#[derive(Default)]
pub struct Notes(Mutex<Held>);

#[derive(Default)]
struct Held {
    touched: Vec<Touched>,
    folders: Known<Folder>,
    rules: Known<AlertRule>,
    contact_points: Known<Found<ContactPoint>>,
    trees: Known<Found<Route>>,
    time_intervals: Known<Found<TimeInterval>>,
    templates: Known<Found<Template>>,
    inhibition_rules: Known<Found<InhibitionRule>>,
    silences: Known<Silence>,
    /// How many silences were given an id.
    ids: usize,
}

impl Notes {
    /// What was written to since this was asked last.
    pub fn take_touched(&self) -> Vec<Touched> {
        std::mem::take(&mut self.0.lock().touched)
    }

    /// Every rule, as it would be.
    pub fn rules(&self) -> Vec<AlertRule> {
        self.0.lock().rules.all().cloned().collect()
    }

    /// What would become of a rule.
    pub fn rule(&self, uid: &str) -> Change<AlertRule> {
        self.0.lock().rules.change(uid)
    }

    /// What would become of a contact point.
    pub fn contact_point(&self, name: &str) -> Change<ContactPoint> {
        plain(self.0.lock().contact_points.change(name))
    }

    /// What would become of a policy tree.
    pub fn tree(&self, name: &str) -> Change<Route> {
        plain(self.0.lock().trees.change(name))
    }

    /// What would become of a time interval.
    pub fn time_interval(&self, name: &str) -> Change<TimeInterval> {
        plain(self.0.lock().time_intervals.change(name))
    }

    /// What would become of a template.
    pub fn template(&self, name: &str) -> Change<Template> {
        plain(self.0.lock().templates.change(name))
    }

    /// What would become of an inhibition rule.
    pub fn inhibition_rule(&self, name: &str) -> Change<InhibitionRule> {
        plain(self.0.lock().inhibition_rules.change(name))
    }

    /// What would become of a silence.
    pub fn silence(&self, id: &str) -> Change<Silence> {
        self.0.lock().silences.change(id)
    }

    fn note<T>(&self, note: impl FnOnce(&mut Held) -> T) -> T {
        note(&mut self.0.lock())
    }
}

fn plain<T>(change: Change<Found<T>>) -> Change<T> {
    Change {
        before: change.before.map(|found| found.object),
        after: change.after.map(|found| found.object),
    }
}

/// The same Grafana, to which nothing is written.
pub fn rehearsed(grafana: Grafana, notes: &Arc<Notes>) -> Grafana {
    let stage = Arc::new(Stage {
        real: grafana.clone(),
        notes: notes.clone(),
    });
    Grafana {
        rules: stage.clone(),
        folders: stage.clone(),
        contact_points: stage.clone(),
        trees: stage.clone(),
        time_intervals: stage.clone(),
        templates: stage.clone(),
        inhibition_rules: stage.clone(),
        silences: stage,
        ..grafana
    }
}

struct Stage {
    real: Grafana,
    notes: Arc<Notes>,
}

impl Rules for Stage {
    fn list(&self) -> Answer<'_, Listed<FoundRule>> {
        async move {
            let all = self.real.rules.whole().await?;
            let all = self
                .notes
                .note(|held| held.rules.list(all, |rule| rule.uid.clone()));
            Ok(all.iter().map(FoundRule::of).collect::<Vec<_>>().into())
        }
        .boxed()
    }

    fn whole(&self) -> Answer<'_, Vec<AlertRule>> {
        self.real.rules.whole()
    }

    fn named(&self) -> Answer<'_, Vec<AlertRule>> {
        self.real.rules.named()
    }

    fn get<'a>(&'a self, uid: &'a str) -> Answer<'a, Option<FoundRule>> {
        async move {
            let look = |held: &mut Held| (held.rules.knows(uid), held.rules.now(uid).cloned());
            match self.notes.note(look) {
                (true, now) => Ok(now.as_ref().map(FoundRule::of)),
                (false, _) => self.real.rules.get(uid).await,
            }
        }
        .boxed()
    }

    fn put<'a>(&'a self, write: RuleWrite<'a>) -> Answer<'a, Stored> {
        let mut rule = AlertRule {
            provenance: write.provenance.name().map(str::to_owned),
            ..write.rule.clone()
        };
        if write.found.is_some_and(|found| found.group.is_none()) {
            rule.group = None;
        }
        let found = FoundRule::of(&rule);
        self.notes.note(|held| {
            let uid = rule.uid.clone();
            held.rules.write(&uid, Some(rule));
            held.touched.push((Concern::Rule, uid));
        });
        async move {
            Ok(Stored {
                found,
                kept: None,
                is_of_group: false,
                failure: None,
                is_in_doubt: false,
                turn: None,
            })
        }
        .boxed()
    }

    fn delete<'a>(&'a self, found: &'a FoundRule, _: Provenance) -> Answer<'a, ()> {
        self.notes.note(|held| {
            held.rules.write(&found.uid, None);
            held.touched.push((Concern::Rule, found.uid.clone()));
        });
        async { Ok(()) }.boxed()
    }

    fn is_served(&self) -> Answer<'_, bool> {
        self.real.rules.is_served()
    }
}

impl Folders for Stage {
    fn list(&self) -> Answer<'_, Listed<Folder>> {
        async move {
            let all = self.real.folders.list().await?.items;
            let all = self
                .notes
                .note(|held| held.folders.list(all, |folder| folder.uid.clone()));
            Ok(all.into())
        }
        .boxed()
    }

    fn get<'a>(&'a self, uid: &'a str) -> Answer<'a, Option<Folder>> {
        async move {
            let known = self.notes.note(|held| held.folders.written(uid).cloned());
            match known {
                Some(known) => Ok(known),
                None => self.real.folders.get(uid).await,
            }
        }
        .boxed()
    }

    fn create<'a>(&'a self, uid: &'a str, title: &'a str, parent_uid: Option<&'a str>) -> Answer<'a, Folder> {
        let folder = Folder {
            uid: uid.to_owned(),
            title: title.to_owned(),
            parent_uid: parent_uid.map(str::to_owned),
        };
        self.notes
            .note(|held| held.folders.write(uid, Some(folder.clone())));
        async { Ok(folder) }.boxed()
    }

    fn content<'a>(&'a self, uid: &'a str) -> Answer<'a, Option<u64>> {
        self.real.folders.content(uid)
    }

    fn delete<'a>(&'a self, uid: &'a str) -> Answer<'a, ()> {
        self.notes.note(|held| held.folders.write(uid, None));
        async { Ok(()) }.boxed()
    }
}

impl Silences for Stage {
    fn list(&self) -> Answer<'_, Vec<Silence>> {
        async move {
            let all = self.real.silences.list().await?;
            let key = |silence: &Silence| silence.id.clone().unwrap_or_default();
            Ok(self.notes.note(|held| held.silences.list(all, key)))
        }
        .boxed()
    }

    fn get<'a>(&'a self, id: &'a str) -> Answer<'a, Option<Silence>> {
        async move {
            let look = |held: &mut Held| (held.silences.knows(id), held.silences.now(id).cloned());
            match self.notes.note(look) {
                (true, now) => Ok(now),
                (false, _) => self.real.silences.get(id).await,
            }
        }
        .boxed()
    }

    fn put<'a>(&'a self, silence: &'a Silence) -> Answer<'a, String> {
        let id = self.notes.note(|held| {
            let id = silence.id.clone().unwrap_or_else(|| {
                held.ids += 1;
                format!("rehearsed-{}", held.ids)
            });
            let silence = Silence {
                id: Some(id.clone()),
                ..silence.clone()
            };
            held.silences.write(&id, Some(silence));
            held.touched.push((Concern::Silence, id.clone()));
            id
        });
        async { Ok(id) }.boxed()
    }

    fn expire<'a>(&'a self, id: &'a str) -> Answer<'a, ()> {
        self.notes.note(|held| {
            held.silences.write(id, None);
            held.touched.push((Concern::Silence, id.to_owned()));
        });
        async { Ok(()) }.boxed()
    }

    fn alerts<'a>(&'a self, filters: &'a [String]) -> Answer<'a, Vec<BTreeMap<String, String>>> {
        self.real.silences.alerts(filters)
    }
}
