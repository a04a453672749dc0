//! What makes an uninstallation leave nothing that hangs.

use std::time::Duration;

use kube::Client;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::{Error, config, identity, plain};
use crate::api::{
    AlertRule, ContactPoint, InhibitionRule, NotificationPolicy, NotificationTemplate, Silence, TimeInterval,
};
use crate::cluster::answer::chain;
use crate::cluster::finalizers::{self, Freed};
use crate::cluster::leader::{Election, End};
use crate::controller::engine::managed::Managed;

/// How long an operator that runs is given to put finalizers on again.
const AFTERWARDS: Duration = Duration::from_secs(2);

/// Takes the finalizers off all resources in these namespaces (none: all), once no operator runs any more. Returns how many
/// resources of each kind had one.
pub async fn remove_finalizers(
    namespace: &str,
    watched: &[String],
    patience: Duration,
) -> Result<[(&'static str, usize); 7], Error> {
    let client = plain(&config().await?)?;
    // Whoever holds the Lease is the only one that writes; a running operator would put them on again.
    let election = Election::new(&client, namespace, identity());
    timeout(patience, election.win(|_| {})).await.map_err(|_| {
        Error(format!(
            "the Lease of namespace {namespace} could not be had: if an operator runs there, stop it first (kubectl -n {namespace} scale deployment/alertwright --replicas=0)"
        ))
    })?;
    let never = CancellationToken::new();
    // However many there are: whoever else wants the Lease waits until all is done.
    let removed = tokio::select! {
        removed = take_off(&client, watched) => {
            removed.map_err(|e| Error(format!("cannot take the finalizers off: {}", chain(&e))))
        }
        end = election.keep(&never) => {
            let why = match end {
                End::Lost(why) => why,
                End::Stopped => String::new(),
            };
            Err(Error(format!("not all finalizers are off: {why}; run it again")))
        }
    };
    election.release().await;
    removed
}

/// Takes all finalizers off, and looks after a moment whether they are: an operator that has no part in the election puts them on again.
async fn take_off(
    client: &Client,
    watched: &[String],
) -> Result<[(&'static str, usize); 7], finalizers::Error> {
    let mut freed = Freed::default();
    let mut all = once_off(&mut freed, client, watched).await?;
    if all.iter().any(|(_, count)| *count > 0) {
        sleep(AFTERWARDS).await;
        let again = once_off(&mut freed, client, watched).await?;
        for ((_, count), (_, more)) in all.iter_mut().zip(again) {
            *count += more;
        }
    }
    Ok(all)
}

async fn once_off(
    freed: &mut Freed,
    client: &Client,
    watched: &[String],
) -> Result<[(&'static str, usize); 7], finalizers::Error> {
    macro_rules! off {
        ($($kind:ident),*) => {
            [$(($kind::KIND, freed.all_of::<$kind>(client, watched).await?)),*]
        };
    }
    Ok(off!(
        AlertRule,
        ContactPoint,
        InhibitionRule,
        NotificationPolicy,
        NotificationTemplate,
        TimeInterval,
        Silence
    ))
}

/// How many resources of each kind in these namespaces (none: all) have the finalizer. Nothing is written, whether or not an operator runs.
pub async fn count_finalizers(watched: &[String]) -> Result<[(&'static str, usize); 7], Error> {
    let client = plain(&config().await?)?;
    macro_rules! counted {
        ($($kind:ident),*) => {
            [$((
                $kind::KIND,
                finalizers::count::<$kind>(&client, watched)
                    .await
                    .map_err(|e| Error(format!("cannot look for finalizers: {}", chain(&e))))?,
            )),*]
        };
    }
    Ok(counted!(
        AlertRule,
        ContactPoint,
        InhibitionRule,
        NotificationPolicy,
        NotificationTemplate,
        TimeInterval,
        Silence
    ))
}
