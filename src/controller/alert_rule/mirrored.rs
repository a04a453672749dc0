//! A rule as the mirror has it.

use std::sync::Arc;
use std::time::Instant;

use crate::api::AlertRule;
use crate::controller::connection::Instance;
use crate::controller::engine::failure::Failure;
use crate::controller::engine::managed::Managed;
use crate::controller::engine::turns::Turn;
use crate::domain::rule::identity;
use crate::grafana::api::{FoundRule, Provenance};
use crate::grafana::mirror::{Lookup, Subject};
use crate::grafana::wire::AlertRule as WireRule;
use crate::grafana::{self, Error, Grafana};

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
            |mark| held.rules.marked(mark),
        )
    })
}

/// The rules that former owner ids have made for a resource, besides the one with this uid.
pub(super) fn doubles(object: &AlertRule, instance: &Instance, uid: &str) -> Vec<String> {
    let marked = |mark: &str| instance.mirror.read(|held| held.rules.marked(mark));
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
        Lookup::Unknown => {
            let found = instance
                .grafana
                .rules
                .get(uid)
                .await
                .map_err(|e| instance.suspect(e.into()))?;
            instance.mirror.write(|held| match &found {
                Some(found) => held.rules.written(found.clone()),
                None => held.rules.deleted(uid),
            });
            Ok(found)
        }
    }
}

/// The rights to write a rule: to the rule itself and to its group.
pub(super) type Turns = (Turn, Turn);

/// Creates a rule.
pub(super) async fn create(
    instance: &Arc<Instance>,
    turns: &Turns,
    rule: &WireRule,
    written: FoundRule,
) -> Result<(), Failure> {
    put(instance, turns, rule, written, |grafana, rule| async move {
        grafana.rules.create(&rule, Provenance::Api).await
    })
    .await
}

/// Replaces a rule.
pub(super) async fn update(
    instance: &Arc<Instance>,
    turns: &Turns,
    rule: &WireRule,
    written: FoundRule,
) -> Result<(), Failure> {
    put(instance, turns, rule, written, |grafana, rule| async move {
        grafana.rules.update(&rule, Provenance::Api).await
    })
    .await
}

/// Sends a rule, unless it was refused a short while ago.
async fn put<F>(
    instance: &Arc<Instance>,
    turns: &Turns,
    rule: &WireRule,
    written: FoundRule,
    call: impl FnOnce(Grafana, WireRule) -> F,
) -> Result<(), Failure>
where
    F: Future<Output = grafana::Result<()>> + Send + 'static,
{
    let attempt = instance.refused.attempt(&rule.uid, rule, Instant::now())?;
    let sent = rule.clone();
    let put = instance.write(
        turns.clone(),
        Subject::Rules(vec![rule.uid.clone()]),
        |grafana| call(grafana, sent),
        |held, ()| held.rules.written(written),
    );
    let put = put.await.map_err(|e| failed(instance, rule, e));
    attempt.ended(put, Instant::now())
}

fn failed(instance: &Instance, rule: &WireRule, error: Error) -> Failure {
    let is_title = error.is_title_conflict();
    let is_bound = error.is_bound_to_no_group();
    if error.is_folder_missing() {
        // The next pass asks for it, or makes it anew.
        instance
            .mirror
            .write(|held| held.folders.unknown(rule.folder_uid.clone()));
    }
    let mut failure = instance.suspect(error.into());
    if is_bound {
        failure.message = format!(
            "spec.group: Grafana's rule {} was made without a group, through Grafana's newer API, and can't get one; delete it in Grafana, and it is made anew in its group ({})",
            rule.uid, failure.message
        );
    }
    if is_title {
        // Its database may take letters of either case for the same, and the credentials may not show every rule.
        failure.message = format!(
            "spec.title: a rule that can't be seen has the title {:?} in the same folder, or Grafana takes another for the same; choose another title or folder ({})",
            rule.title, failure.message
        );
    }
    failure
}

/// Deletes a rule.
pub(super) async fn delete(instance: &Arc<Instance>, turns: &Turns, uid: &str) -> Result<(), Failure> {
    let (uid, gone) = (uid.to_owned(), uid.to_owned());
    let subject = Subject::Rules(vec![uid.clone()]);
    let deleted = instance.write(
        turns.clone(),
        subject,
        |grafana| async move { grafana.rules.delete(&uid, Provenance::Api).await },
        move |held, ()| held.rules.deleted(&gone),
    );
    deleted.await.map_err(|e| instance.suspect(e.into()))
}
