//! What a Grafana holds → the resources that it would be of: the way back from what the passes wish.
//!
//! The passes' own functions have the last word: each resource is taken through them, and what comes out is compared with what was found, as a pass compares it. What isn't the same is
//! told, and what no resource can say is left out and told.

mod around;
mod contact_point;
mod fields;
pub mod foreign;
mod held;
mod named;
mod names;
mod nodes;
mod policy;
pub mod resource;
mod rule;
mod silence;
pub mod texts;

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::domain::ownership::{Owners, is_derived, is_silence_author};
use crate::domain::silence::is_living;
use crate::grafana::api::OWNER_LABEL;
use crate::grafana::model::{AlertRule, ContactPoint};

use around::Around;
use names::Names;
use resource::{Kind, Resource};

pub use held::{Asked, Holdings};

/// What has become of it.
#[derive(Debug, Default)]
pub struct Export {
    /// The resources, what is referred to first.
    pub resources: Vec<Resource>,
    /// What no resource can say.
    pub left: Vec<Left>,
    /// How many objects of alertwright's were passed over.
    pub ours: usize,
    /// How many of the rules have the mark already that their resources give them.
    pub marked: usize,
    /// What rules are asked for that aren't there, in words.
    pub unmet: Option<String>,
}

/// Something that isn't exported.
#[derive(Debug, PartialEq, Eq)]
pub struct Left {
    /// What it would have been.
    pub kind: Kind,
    /// What Grafana calls it.
    pub called: String,
    /// Why not.
    pub why: String,
}

impl Export {
    fn take(&mut self, kind: Kind, called: &str, made: Result<Resource, String>) -> Option<&Resource> {
        match made {
            Ok(resource) => {
                self.resources.push(resource);
                self.resources.last()
            }
            Err(why) => {
                self.left.push(Left {
                    kind,
                    called: called.to_owned(),
                    why,
                });
                None
            }
        }
    }

    /// Whether all of everything is in the resources.
    pub fn is_whole(&self) -> bool {
        self.left.is_empty() && self.resources.iter().all(|resource| resource.lost.is_empty())
    }
}

/// The resources of what a Grafana holds, at `now`. Whose they are to be matters only for those that are alertwright's already.
pub fn export(held: &Holdings, asked: &Asked, owners: &Owners, now: Timestamp) -> Export {
    let mut export = Export::default();
    let mut around = Around::new(held, asked, owners);
    contact_points(&mut export, &mut around);
    time_intervals(&mut export, &mut around);
    others(&mut export, &around);
    trees(&mut export, &mut around);
    rules(&mut export, &around);
    export.unmet = around.unmet().filter(|_| asked.has(Kind::AlertRule));
    silences(&mut export, &around, now);
    export
}

fn contact_points(export: &mut Export, around: &mut Around<'_>) {
    let mut names = Names::new(&around.asked.prefix);
    let mut all: Vec<&ContactPoint> = around
        .held
        .contact_points
        .iter()
        .map(|found| &found.object)
        .collect();
    all.sort_by_key(|point| &point.name);
    for point in all.into_iter().filter(|_| around.asked.has(Kind::ContactPoint)) {
        let is_ours = !point.integrations.is_empty() && point.uids().all(|uid| is_derived(uid));
        let is_ours = is_ours || around.asked.contact_points_of_resources.contains(&point.name);
        if is_ours && !around.asked.includes_ours {
            export.ours += 1;
            continue;
        }
        if contact_point::is_grafanas_own(point) {
            continue;
        }
        let name = names.of(&point.name, "contact-point");
        let made = contact_point::resource(point, &name, around);
        if export.take(Kind::ContactPoint, &point.name, made).is_some() {
            around.receivers.insert(point.name.clone(), name);
        }
    }
}

fn time_intervals(export: &mut Export, around: &mut Around<'_>) {
    let mut names = Names::new(&around.asked.prefix);
    let all = around.held.time_intervals.iter();
    for found in all.filter(|_| around.asked.has(Kind::TimeInterval)) {
        let called = &found.object.name;
        let name = names.of(called, "time-interval");
        let made = named::time_interval(found, &name, around);
        if export.take(Kind::TimeInterval, called, made).is_some() {
            around.intervals.insert(called.clone(), name);
        }
    }
}

fn others(export: &mut Export, around: &Around<'_>) {
    let mut names = Names::new(&around.asked.prefix);
    let all = around.held.templates.iter();
    for found in all.filter(|_| around.asked.has(Kind::NotificationTemplate)) {
        let called = &found.object.name;
        let made = named::template(found, &names.of(called, "template"), around);
        export.take(Kind::NotificationTemplate, called, made);
    }
    let mut names = Names::new(&around.asked.prefix);
    let all = around.held.inhibition_rules.iter();
    for found in all.filter(|_| around.asked.has(Kind::InhibitionRule)) {
        let called = &found.object.name;
        let made = named::inhibition_rule(found, &names.of(called, "inhibition"), around);
        export.take(Kind::InhibitionRule, called, made);
    }
}

fn trees(export: &mut Export, around: &mut Around<'_>) {
    let mut names = Names::new(&around.asked.prefix);
    let all = around.held.trees.iter();
    for (tree, found) in all.filter(|_| around.asked.has(Kind::NotificationPolicy)) {
        if policy::is_ours(&found.object) && !around.asked.includes_ours {
            export.ours += 1;
            continue;
        }
        if policy::is_grafanas_own(tree, found) {
            continue;
        }
        let called = if tree.is_default() { "root" } else { &tree.0 };
        let name = names.of(called, "root");
        let made = policy::resource(tree, found, &name, around);
        if export.take(Kind::NotificationPolicy, called, made).is_some() {
            around.trees.insert(tree.0.clone(), name);
        }
    }
}

fn rules(export: &mut Export, around: &Around<'_>) {
    let mut names = BTreeMap::new();
    let mut all: Vec<&AlertRule> = around.held.rules.iter().collect();
    let folder = |rule: &AlertRule| around.folder(&rule.folder_uid).title.clone();
    // Those that have a name already are the first to get it.
    all.sort_by_cached_key(|rule| {
        (
            !rule.labels.contains_key(OWNER_LABEL),
            folder(rule),
            rule.group.clone(),
            rule.title.clone(),
            rule.uid.clone(),
        )
    });
    all.retain(|rule| around.asked.has(Kind::AlertRule) && around.is_asked_for(rule));
    for rule in all {
        if rule.labels.contains_key(OWNER_LABEL) && !around.asked.includes_ours {
            export.ours += 1;
            continue;
        }
        let made = rule::resource(rule, &mut names, around);
        let is_marked = |made: &Resource| {
            let namespace = made.namespace.as_ref().or(around.asked.namespace.as_ref());
            let mark = namespace.map(|namespace| around.owners.now().label(namespace, &made.name));
            mark.is_some() && rule.labels.get(OWNER_LABEL) == mark.as_ref()
        };
        let taken = export.take(Kind::AlertRule, &rule.title, made);
        export.marked += usize::from(taken.is_some_and(is_marked));
    }
    let astray = around.held.astray.iter();
    for rule in astray.filter(|rule| around.asked.has(Kind::AlertRule) && around.is_asked_for(rule)) {
        if rule.labels.contains_key(OWNER_LABEL) && !around.asked.includes_ours {
            export.ours += 1;
            continue;
        }
        let why = format!(
            "its folder, of uid {}, isn't there, or may not be seen: give the rule a folder that is (uid {})",
            rule.folder_uid, rule.uid
        );
        export.take(Kind::AlertRule, &rule.title, Err(why));
    }
}

fn silences(export: &mut Export, around: &Around<'_>, now: Timestamp) {
    let mut names = Names::new(&around.asked.prefix);
    let all = around.held.silences.iter();
    for silence in all.filter(|silence| around.asked.has(Kind::Silence) && is_living(silence, now)) {
        // Its resource is there, or it ends soon.
        if is_silence_author(&silence.created_by) {
            export.ours += 1;
            continue;
        }
        let made = silence::resource(silence, &mut names, around, now);
        export.take(Kind::Silence, &silence::called(silence), made);
    }
}

#[cfg(test)]
mod tests;
