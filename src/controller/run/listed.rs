//! The start: nothing is decided before every kind has been listed.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tracing::{debug, info};

use crate::controller::context::{Context, Stores};
use crate::controller::engine::by::Indexed;
use crate::controller::engine::store::Store;
use crate::controller::tally;

/// How often it is said what everything waits for.
const SAY: Duration = Duration::from_secs(15);

/// Nothing is decided before every kind has been listed once; then everything is looked at: resources that have an object in Grafana by the passes
/// that they have been waiting for.
pub(in crate::controller) async fn when_listed(context: Arc<Context>, stop: CancellationToken) {
    tokio::select! {
        () = all_listed(&context) => {}
        () = stop.cancelled() => {
            context.begins.cancel();
            return;
        }
    }
    debug!("every kind has been listed");
    context.set_ready();
    tally::log_standing(&context.stores);
    let Stores {
        instances,
        maintenance,
        imports,
        ..
    } = &context.stores;
    let triggers = &context.triggers;
    triggers.instances.all(instances);
    triggers.maintenance.all(maintenance);
    triggers.imports.all(imports);
}

/// Waits until every kind has been listed, and says now and then which ones it waits for.
async fn all_listed(context: &Context) {
    let stores = &context.stores;
    let missing = Mutex::new(BTreeSet::new());
    let listed = tokio::time::Instant::now();
    let all = async {
        tokio::join!(
            one_listed(&stores.rules, &missing),
            one_listed(&stores.contact_points, &missing),
            one_listed(&stores.policies, &missing),
            one_listed(&stores.time_intervals, &missing),
            one_listed(&stores.templates, &missing),
            one_listed(&stores.inhibition_rules, &missing),
            one_listed(&stores.silences, &missing),
            one_listed(&stores.instances, &missing),
            one_listed(&stores.maintenance, &missing),
            one_listed(&stores.deployments, &missing),
            one_listed(&stores.stateful_sets, &missing),
            one_listed(&stores.daemon_sets, &missing),
            one_listed(&stores.jobs, &missing),
            one_listed(&stores.imports, &missing),
        )
    };
    let say = async {
        loop {
            let kinds = missing.lock().iter().cloned().collect::<Vec<_>>().join(", ");
            context.readiness.wait(format!("not listed yet: {kinds}"));
            sleep(SAY).await;
            info!(kinds, "nothing is done before these have been listed");
        }
    };
    tokio::select! {
        _ = all => debug!(took = ?listed.elapsed(), "listed"),
        () = say => {}
    }
}

/// Waits until a kind has been listed; it is among the missing until then.
async fn one_listed<K: Indexed>(store: &Store<K>, missing: &Mutex<BTreeSet<String>>) {
    let kind = K::kind(&()).into_owned();
    missing.lock().insert(kind.clone());
    // A store whose writer is gone is never listed: the process ends.
    if store.as_reflected().wait_until_ready().await.is_err() {
        std::future::pending::<()>().await;
    }
    missing.lock().remove(&kind);
}
