//! Taking away what a resource has made, once nobody refers to it.

use std::sync::Arc;

use super::kind::{IN_USE, Named, Names, fresh};
use crate::api::condition::Reason;
use crate::api::reference::DeletionPolicy;
use crate::cluster::namespace;
use crate::controller::connection::Instance;
use crate::controller::context::Context;
use crate::controller::engine::failure::{Failure, Retry};
use crate::controller::pass;
use crate::domain::notification::named::Holder;
use crate::grafana::turns::Turn;

/// Removes from Grafana whatever the resource has made there.
pub(super) async fn clean_up<K: Named>(object: &K, context: &Context) -> Result<(), Failure> {
    let Some(instance) = pass::leaving(object, context).await? else {
        return Ok(());
    };
    // Of a Grafana that has never answered there is nothing to forget.
    let Ok(names) = Names::of(object, &instance) else {
        return Ok(());
    };
    let is_orphan = instance.deletion_policy(object.deletion_policy()) == DeletionPolicy::Orphan;
    let turn = instance.rights.notifications.lock().await;
    for name in names.all() {
        if !is_orphan && let Err(failure) = remove(object, &instance, context, &turn, &name).await {
            if failure.reason != Some(Reason::InUse) {
                return Err(failure);
            }
            let is_waiting = !object.users(&instance, context, &name).leaving.is_empty();
            // A namespace must never hang on what somebody else refers to. Its own policies go by themselves.
            if is_waiting || !namespace::is_terminating(&context.client, object.ns()).await? {
                return Err(failure);
            }
            let note = format!("{}, so it stays in Grafana", failure.message);
            context.left_behind(object, object.instance(), &note).await;
        }
        let_go(&names, name, &instance, context).await?;
    }
    Ok(())
}

/// Forgets that the resource has had a name. Whoever asks for it was told that it isn't free.
pub(super) async fn let_go<K: Named>(
    names: &Names<'_, K>,
    name: String,
    instance: &Instance,
    context: &Context,
) -> Result<(), Failure> {
    names.forget(&name).await?;
    let key = K::key(context.claims.place(&instance.name), name);
    if let Some(next) = context.holder::<K>(&key, instance) {
        K::trigger(context).one(&next.namespace, &next.name);
    }
    Ok(())
}

/// Removes what Grafana holds under a name that is remembered as the resource's.
pub(super) async fn remove<K: Named>(
    object: &K,
    instance: &Arc<Instance>,
    context: &Context,
    turn: &Turn,
    name: &str,
) -> Result<(), Failure> {
    let names = Names::of(object, instance)?;
    let found = fresh::<K>(instance, name).await?;
    // What was to be made may have been somebody else's.
    let ours = found.filter(|found| names.holder(name, Some(found)) == Holder::Us);
    let Some(found) = ours else {
        return Ok(());
    };
    if let Some(who) = object.users(instance, context, name).still_refer() {
        return Err(in_use(format!("{} {name}: {who}", K::CALLED)));
    }
    let gone = name.to_owned();
    let delete = instance.write(
        turn.clone(),
        K::subject(name.to_owned()),
        |grafana| async move { K::delete(&grafana, &found).await },
        move |held, ()| K::mirrored(held).written(gone, None),
    );
    match delete.await {
        // What the mirror doesn't show: a rule that the credentials can't see, or one of this very minute.
        Err(error) if error.is_in_use() => {
            // Who it is shows in the next poll.
            instance.suspicion.of_everything();
            Err(in_use(crate::cluster::answer::chain(&error)))
        }
        Err(error) => Err(instance.suspect(error.into())),
        Ok(()) => Ok(()),
    }
}

/// The deletion waits for somebody to let go of it.
fn in_use(message: String) -> Failure {
    Failure::new(Reason::InUse, message, Retry::After(IN_USE))
}
