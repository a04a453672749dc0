//! A rule as the mirror has it.

use std::sync::Arc;

use crate::controller::connection::Instance;
use crate::controller::engine::failure::Failure;
use crate::controller::engine::turns::Turn;
use crate::grafana::api::{FoundRule, Provenance};
use crate::grafana::mirror::{Lookup, Subject};
use crate::grafana::wire::AlertRule;

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
    rule: &AlertRule,
    written: FoundRule,
) -> Result<(), Failure> {
    let rule = rule.clone();
    let subject = Subject::Rules(vec![rule.uid.clone()]);
    let created = instance.write(
        turns.clone(),
        subject,
        |grafana| async move { grafana.rules.create(&rule, Provenance::Api).await },
        |held, ()| held.rules.written(written),
    );
    created.await.map_err(|e| instance.suspect(e.into()))
}

/// Replaces a rule.
pub(super) async fn update(
    instance: &Arc<Instance>,
    turns: &Turns,
    rule: &AlertRule,
    written: FoundRule,
) -> Result<(), Failure> {
    let rule = rule.clone();
    let subject = Subject::Rules(vec![rule.uid.clone()]);
    let updated = instance.write(
        turns.clone(),
        subject,
        |grafana| async move { grafana.rules.update(&rule, Provenance::Api).await },
        |held, ()| held.rules.written(written),
    );
    updated.await.map_err(|e| instance.suspect(e.into()))
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
