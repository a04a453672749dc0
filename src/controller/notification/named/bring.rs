//! Bringing an object to what is wished.

use std::sync::Arc;
use std::time::Instant;

use kube::runtime::reflector::ObjectRef;
use tracing::info;

use super::clean_up;
use super::kind::{Named, Names, fresh};
use crate::api::condition::Reason;
use crate::controller::connection::Instance;
use crate::controller::context::Context;
use crate::controller::engine::claim::standing;
use crate::controller::engine::failure::{Failure, Retry};
use crate::domain::changed::drift::{self, DELETED};
use crate::domain::notification::named::{Decision, decide};
use crate::grafana;
use crate::grafana::mirror::Lookup;
use crate::grafana::model::Found;
use crate::grafana::turns::Turn;

/// What became of an object.
#[derive(Default)]
pub(super) struct Brought {
    /// Whether it was written.
    pub(super) is_written: bool,
    /// What somebody has changed of it, where that is only told of.
    pub(super) drift: Vec<String>,
    /// A former name under which it must stay for now, because somebody refers to it.
    pub(super) stays: Option<String>,
}

impl Brought {
    /// In words: that it is stored, and what stays besides.
    pub(super) fn stored_as(&self) -> String {
        let stored =
            "stored in Grafana; it takes effect at Grafana's next poll of its configuration, 60 s by default";
        self.stays.as_ref().map_or_else(
            || stored.to_owned(),
            |former| format!("{stored}. Under its former name {former} it stays until nothing refers to it"),
        )
    }
}

/// Brings what Grafana holds under the resource's name to what is wished, and takes away what it held under a former one.
pub(super) async fn bring<K: Named>(
    object: &K,
    instance: &Arc<Instance>,
    context: &Context,
    wish: &K::Object,
) -> Result<Brought, Failure> {
    let name = object.called();
    let names = Names::of(object, instance)?;
    let look = |found: Option<&Found<K::Object>>| {
        let holder = names.holder(name, found);
        let is_same = found.is_some_and(|found| K::is_same(&found.object, wish));
        decide(&holder, is_same, instance.adoption(object))
    };
    let known = instance.mirror.read(|held| K::held(held).lookup(name).cloned());
    if let Lookup::Present(found) = &known
        && look(Some(found)) == Decision::Keep
        && !names.is_making(name)
        && names.former(name).is_empty()
    {
        return Ok(Brought::default());
    }
    let turn = instance.rights.notifications.lock().await;
    let found = fresh::<K>(instance, name).await?;
    let decision = look(found.as_ref());
    let mut brought = Brought::default();
    let drift = changed(object, (decision, found.as_ref()), wish);
    match decision {
        _ if !drift.is_empty() && instance.only_reports_drift(object) => brought.drift = drift,
        Decision::Keep | Decision::Claim => names.note(name, None).await?,
        Decision::NotOwned => return Err(not_owned(object, instance, context, (name, found.as_ref()), wish)),
        Decision::Create | Decision::Correct | Decision::TakeOver => {
            object.objection(wish, found.as_ref(), instance)?;
            let subject = format!("{} {name}", K::CALLED);
            let attempt = instance.refused.attempt(subject, wish, Instant::now())?;
            if decision != Decision::Correct {
                // Remembered before it is written: after a crash in between nobody else would say whose it is.
                names.note(name, Some(wish)).await?;
            }
            let put = put::<K>(instance, &turn, (name, wish), found.clone()).await;
            attempt.ended(put.map_err(|e| instance.suspect(e.into())), Instant::now())?;
            names.note(name, None).await?;
            brought.is_written = true;
            if !drift.is_empty() {
                context.metrics.drift_corrected(K::KIND);
            }
            info!(
                kind = K::KIND,
                namespace = object.ns(),
                name = object.id(),
                "{} written",
                K::CALLED
            );
        }
    }
    if let (Decision::TakeOver, Some(found)) = (decision, &found) {
        let lost = K::difference(&found.object, wish);
        context
            .adopted(object, &format!("{} {name}", K::CALLED), Some(&lost))
            .await;
    }
    for former in names.former(name) {
        match clean_up::remove(object, instance, context, &turn, &former).await {
            Ok(()) => clean_up::let_go(&names, former, instance, context).await?,
            Err(failure) if failure.reason == Some(Reason::InUse) => brought.stays = Some(former),
            Err(failure) => return Err(failure),
        }
    }
    Ok(brought)
}

/// What somebody has changed of what was stored as it is wished.
fn changed<K: Named>(
    object: &K,
    (decision, found): (Decision, Option<&Found<K::Object>>),
    wish: &K::Object,
) -> Vec<String> {
    let is_change = matches!(decision, Decision::Create | Decision::Correct);
    let stored = object.status().and_then(K::stored);
    if !is_change || !object.is_stored() || stored != Some(&drift::code(wish)) {
        return Vec::new();
    }
    found.map_or_else(
        || vec![DELETED.to_owned()],
        |found| K::changed(&found.object, wish),
    )
}

/// Whether the resource may have an object in Grafana, by what is remembered.
pub(super) fn may_be_stored<K: Named>(object: &K, context: &Context) -> bool {
    let running = context.connection(object.instance());
    running.is_some_and(|instance| Names::of(object, &instance).is_ok_and(|names| !names.all().is_empty()))
}

/// Fails where an older resource asks for the same name.
pub(super) fn claimed<K: Named>(object: &K, context: &Context) -> Result<(), Failure> {
    let name = object.called();
    let key = K::key(context.claims.place(object.instance()), name.to_owned());
    let Some((older, _)) = context.ahead(&key, object) else {
        return Ok(());
    };
    Err(Failure::new(
        Reason::Conflict,
        format!(
            "spec.name: {} {} {} has the name {name} in Grafana; choose another",
            K::KIND,
            older.path(),
            standing(&older, object)
        ),
        Retry::OnChange,
    ))
}

async fn put<K: Named>(
    instance: &Arc<Instance>,
    turn: &Turn,
    (name, wish): (&str, &K::Object),
    found: Option<Found<K::Object>>,
) -> grafana::Result<Found<K::Object>> {
    let (wish, name) = (wish.clone(), name.to_owned());
    let put = instance.write(
        turn.clone(),
        K::subject(name.clone()),
        |grafana| async move { K::put(&grafana, &wish, found.as_ref()).await },
        move |held, stored: &Found<K::Object>| K::mirrored(held).written(name, Some(stored.clone())),
    );
    put.await
}

/// Why somebody else's stays as it is.
fn not_owned<K: Named>(
    object: &K,
    instance: &Instance,
    context: &Context,
    (name, found): (&str, Option<&Found<K::Object>>),
    wish: &K::Object,
) -> Failure {
    let called = K::CALLED;
    let maker = Names::of(object, instance)
        .ok()
        .and_then(|names| names.maker(name));
    if let Some((namespace, id)) = maker {
        let is_there = K::store(context)
            .get(&ObjectRef::new(&id).within(&namespace))
            .is_some();
        let cure = if is_there {
            "choose another name for one of the two"
        } else {
            "if that resource is gone for good, delete it in Grafana or choose another name"
        };
        return Failure::new(
            Reason::NotOwned,
            format!(
                "spec.name: {} {namespace}/{id} has made the {called} {name} that Grafana has; {cure}",
                K::KIND
            ),
            Retry::OnChange,
        );
    }
    let difference = found.map_or_else(String::new, |found| {
        format!(". They differ: {}", K::difference(&found.object, wish))
    });
    Failure::new(
        Reason::NotOwned,
        format!(
            "spec.name: Grafana has a {called} {name} that this resource didn't make; choose another name, or {}{difference}",
            instance.how_to_adopt(object.ns())
        ),
        Retry::OnChange,
    )
}
