//! A rule as the mirror has it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use kube::runtime::reflector::ObjectRef;

use crate::api::AlertRule;
use crate::controller::connection::Instance;
use crate::controller::context::Context;
use crate::controller::engine::failure::Failure;
use crate::controller::engine::managed::Managed;
use crate::domain::rule::{self, identity};
use crate::grafana::api::{FoundRule, KeptInterval, Provenance, RuleWrite, Stored};
use crate::grafana::digest::RuleDigest;
use crate::grafana::mirror::{Held, Lookup, Subject};
use crate::grafana::turns::Turn;
use crate::grafana::{Error, model};

/// Under which uid Grafana holds a resource's rule, or would.
pub(super) fn uid(object: &AlertRule, instance: &Instance) -> String {
    let reported = object.status.as_ref().and_then(|status| status.uid.as_deref());
    instance.mirror.read(|held| {
        identity::uid(
            object.spec.uid.as_deref(),
            &instance.owners,
            (object.ns(), object.id()),
            reported,
            |uid| matches!(held.rules.lookup(uid), Lookup::Absent),
            |mark| originals(object, instance, held, mark),
        )
    })
}

/// The rules that carry a mark of a resource and are no copies that people have made.
fn originals(object: &AlertRule, instance: &Instance, held: &Held, mark: &str) -> Vec<String> {
    let mut uids = held.rules.marked(mark);
    uids.retain(|uid| match held.rules.lookup(uid) {
        Lookup::Present(found) => is_original(found, instance, (object.ns(), object.id()), Some(object)),
        Lookup::Absent | Lookup::Unknown => true,
    });
    uids
}

/// Whether a rule that carries the mark of a resource is the resource's, which is there or not, and no copy that somebody has made of it.
pub(in crate::controller) fn is_original(
    found: &FoundRule,
    instance: &Instance,
    resource: (&str, &str),
    object: Option<&AlertRule>,
) -> bool {
    let found = (found.uid.as_str(), found.provenance.as_deref());
    identity::is_original(found, &instance.owners, resource, named(object))
}

/// Whether a uid is a resource's, which is there or not, as the resource alone says it.
pub(in crate::controller) fn is_named(
    uid: &str,
    instance: &Instance,
    resource: (&str, &str),
    object: Option<&AlertRule>,
) -> bool {
    identity::is_of((uid, &instance.owners), resource, named(object))
}

/// The uids that a resource names: the one that is given by hand, and the one that was reported.
fn named(object: Option<&AlertRule>) -> [Option<&str>; 2] {
    let given = object.and_then(|object| object.spec.uid.as_deref());
    let status = object.and_then(|object| object.status.as_ref());
    [given, status.and_then(|status| status.uid.as_deref())]
}

/// The rules that former owner ids have made for a resource, besides the one with this uid.
pub(super) fn doubles(object: &AlertRule, instance: &Instance, uid: &str) -> Vec<String> {
    let marked = |mark: &str| {
        instance
            .mirror
            .read(|held| originals(object, instance, held, mark))
    };
    identity::doubles(uid, &instance.owners, (object.ns(), object.id()), marked)
}

/// Every rule that Grafana holds, or may hold, for a resource; `is_ours` says whether one is the resource's.
pub(super) fn all(
    object: &AlertRule,
    instance: &Instance,
    is_ours: impl Fn(&FoundRule) -> bool,
) -> Vec<String> {
    let uid = uid(object, instance);
    let mut all = doubles(object, instance, &uid);
    all.push(uid);
    all.retain(|uid| {
        instance.mirror.read(|held| match held.rules.lookup(uid) {
            Lookup::Present(found) => is_ours(found),
            Lookup::Absent => false,
            Lookup::Unknown => true,
        })
    });
    all
}

/// What Grafana holds under this uid; asks it where an answer was lost.
pub(super) async fn find(instance: &Instance, uid: &str) -> Result<Option<FoundRule>, Failure> {
    match instance.mirror.read(|held| held.rules.lookup(uid).cloned()) {
        Lookup::Present(found) => Ok(Some(found)),
        Lookup::Absent => Ok(None),
        Lookup::Unknown => look(instance, uid).await,
    }
}

/// What Grafana holds under this uid right now. Whoever asks has the right to write it, so no write is under way.
pub(super) async fn look(instance: &Instance, uid: &str) -> Result<Option<FoundRule>, Failure> {
    let found = instance.grafana.rules.get(uid).await;
    let found = found.map_err(|e| instance.suspect(e.into()))?;
    instance.mirror.write(|held| match &found {
        Some(found) => held.rules.written(found.clone()),
        None => held.rules.deleted(uid),
    });
    Ok(found)
}

/// What a write of a rule has left in Grafana.
pub(super) struct Written {
    /// The rule as it stands there.
    pub(super) found: FoundRule,
    /// Why it has another interval than was wished, if it has.
    pub(super) kept: Option<KeptInterval>,
    /// Why the interval that is wished couldn't be set, if it couldn't.
    pub(super) failure: Option<Failure>,
}

/// Creates a rule, or makes the one that was found what is wished, unless that was refused a short while ago.
pub(super) async fn put(
    context: &Context,
    instance: &Arc<Instance>,
    turn: &Turn,
    rule: &model::AlertRule,
    found: Option<&FoundRule>,
    only_interval: bool,
) -> Result<Written, Failure> {
    let sent = (RuleDigest::of(rule).fingerprint(), rule.interval.as_secs());
    let attempt = instance.refused.attempt(&rule.uid, &sent, Instant::now())?;
    let (wish, before) = (rule.clone(), found.cloned());
    let interval_by_itself = interval_by_itself(instance, rule, found);
    let has_written = has_written(context, instance, rule);
    let provenance = Provenance::named(rule.provenance.as_deref());
    let (writing, noting, trigger) = (instance.clone(), instance.clone(), context.triggers.rules.clone());
    let put = instance.write(
        turn.clone(),
        Subject::Rules(vec![rule.uid.clone()]),
        |grafana| async move {
            let write = RuleWrite {
                rule: &wish,
                found: before.as_ref(),
                only_interval,
                interval_by_itself: &interval_by_itself,
                has_written: &has_written,
                provenance,
            };
            let put = grafana.rules.put(write).await;
            if put.as_ref().is_err_and(|error| !error.changed_nothing()) {
                writing.mirror.write(|held| doubt(held, &wish));
            }
            put
        },
        move |held, stored| {
            let others = note(held, stored);
            let marks = others.iter().filter_map(|other| other.owner.as_deref());
            for (namespace, name) in marks.filter_map(|mark| noting.owners.resource(mark)) {
                // It may wish the interval that its rule has had.
                trigger.one(namespace, name);
            }
        },
    );
    let Stored {
        found, kept, failure, ..
    } = match put.await {
        Ok(stored) => stored,
        Err(error) => return attempt.ended(Err(failed(instance, rule, error)), Instant::now()),
    };
    let failure = failure.map(|error| instance.suspect(error.into()));
    let ended = attempt.ended(failure.map_or(Ok(()), Err), Instant::now());
    Ok(Written {
        found,
        kept,
        failure: ended.err(),
    })
}

/// The interval that Grafana gives a rule by itself: that of the others in its group, the one that it has, or that of a new group.
fn interval_by_itself(
    instance: &Arc<Instance>,
    rule: &model::AlertRule,
    found: Option<&FoundRule>,
) -> impl Fn() -> Duration + Send + Sync + use<> {
    let (instance, uid, folder) = (instance.clone(), rule.uid.clone(), rule.folder_uid.clone());
    let before = found.map(|found| found.interval);
    let is_without = found.is_some_and(|found| found.group.is_none());
    let group = rule.group.clone().filter(|_| !is_without);
    move || {
        let of_others = instance.mirror.read(|held| {
            let mut members = held.rules.in_group(&folder, group.as_ref()?);
            members
                .find(|member| member.uid != uid)
                .map(|member| member.interval)
        });
        let of_new = || {
            let shortest = instance
                .facts()
                .map_or(Duration::ZERO, |facts| facts.min_interval);
            rule::default_interval(shortest)
        };
        of_others.or(before).unwrap_or_else(of_new)
    }
}

/// Says of a rule with our mark whether it is one that we write as we write `rule`: that of the resource that the mark names, editable or not as this
/// one is.
fn has_written(
    context: &Context,
    instance: &Arc<Instance>,
    rule: &model::AlertRule,
) -> impl Fn(&str) -> Option<bool> + Send + Sync + use<> {
    let (instance, resources) = (instance.clone(), context.stores.rules.clone());
    let provenance = rule.provenance.clone();
    move |uid| {
        let found = match instance.mirror.read(|held| held.rules.before(uid).cloned()) {
            Lookup::Present(found) => found,
            Lookup::Absent => return Some(false),
            Lookup::Unknown => return None,
        };
        let mark = found.owner.as_deref();
        let Some((namespace, name)) = mark.and_then(|mark| instance.owners.resource(mark)) else {
            return Some(false);
        };
        let resource = resources.here(&ObjectRef::new(name).within(namespace), &instance.name);
        // A write of a group gives all of its rules one provenance.
        let is_editable = resource
            .as_ref()
            .map(|resource| resource.spec.editable == Some(true));
        if is_editable.is_some_and(|is_editable| is_editable != provenance.is_none()) {
            return Some(false);
        }
        let named = named(resource.as_deref());
        if !identity::is_of((uid, &instance.owners), (namespace, name), named) {
            return Some(false);
        }
        (found.provenance == provenance).then_some(true)
    }
}

/// Notes a rule that was written, and what that says of the others in its group. Returns those of them that have another interval now.
fn note(held: &mut Held, stored: &Stored) -> Vec<FoundRule> {
    let rule = &stored.found;
    let mut others = Vec::new();
    if let Some(group) = rule.group.as_ref().filter(|_| stored.is_of_group) {
        let members = held.rules.in_group(&rule.folder_uid, group);
        let members = members.filter(|member| member.uid != rule.uid && member.interval != rule.interval);
        others.extend(members.map(|other| FoundRule {
            interval: rule.interval,
            ..other.clone()
        }));
        for other in &others {
            held.rules.written(other.clone());
        }
    }
    held.rules.written(rule.clone());
    if let Some(group) = rule.group.as_ref().filter(|_| stored.is_in_doubt) {
        let members = held.rules.in_group(&rule.folder_uid, group);
        let members: Vec<String> = members.map(|member| member.uid.clone()).collect();
        for uid in members {
            held.rules.unknown(&uid);
        }
    }
    others
}

/// Notes that a write whose answer was lost may have given its interval to the others of the group.
fn doubt(held: &mut Held, wish: &model::AlertRule) {
    let Some(group) = &wish.group else { return };
    let members = held.rules.in_group(&wish.folder_uid, group);
    let others = members.filter(|member| member.interval != wish.interval);
    let others: Vec<String> = others.map(|member| member.uid.clone()).collect();
    for uid in others {
        held.rules.unknown(&uid);
    }
}

fn failed(instance: &Instance, rule: &model::AlertRule, error: Error) -> Failure {
    let is_title = error.is_title_conflict();
    if error.is_folder_missing() {
        // The next pass asks for it, or makes it anew.
        instance
            .mirror
            .write(|held| held.folders.unknown(rule.folder_uid.clone()));
    }
    let mut failure = instance.suspect(error.into());
    if is_title {
        // Its database may take letters of either case for the same, and the credentials may not show every rule.
        failure.message = format!(
            "spec.title: a rule that can't be seen has the title {:?} in the same folder, or Grafana takes another for the same; choose another title or folder ({})",
            rule.title, failure.message
        );
    }
    failure
}

/// Deletes a rule that was found.
pub(super) async fn delete(instance: &Arc<Instance>, turn: &Turn, found: FoundRule) -> Result<(), Failure> {
    let gone = found.uid.clone();
    let provenance = Provenance::named(found.provenance.as_deref());
    let deleted = instance.write(
        turn.clone(),
        Subject::Rules(vec![gone.clone()]),
        |grafana| async move { grafana.rules.delete(&found, provenance).await },
        move |held, ()| held.rules.deleted(&gone),
    );
    deleted.await.map_err(|e| instance.suspect(e.into()))
}
