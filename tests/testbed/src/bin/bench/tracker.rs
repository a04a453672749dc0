//! Which resources are in sync, as a watch tells.

use std::{
    collections::HashMap,
    pin::pin,
    sync::Arc,
    time::{Duration, Instant},
};

use futures::TryStreamExt;
use kube::{
    Api,
    api::{ApiResource, DynamicObject, ListParams, WatchEvent, WatchParams},
};
use parking_lot::Mutex;
use serde_json::Value;
use tokio::{task::JoinSet, time::sleep};

/// The kinds that become in sync, with their plurals.
pub(crate) const KINDS: [(&str, &str); 4] = [
    ("AlertRule", "alertrules"),
    ("Silence", "silences"),
    ("ContactPoint", "contactpoints"),
    ("NotificationPolicy", "notificationpolicies"),
];

/// Follows every resource of the kinds that become in sync.
#[derive(Debug)]
pub(crate) struct Tracker {
    seen: Arc<Mutex<HashMap<String, Seen>>>,
    // Ends the watches when it is dropped.
    _watches: JoinSet<()>,
}

#[derive(Debug, Default)]
struct Seen {
    generation: i64,
    in_sync: Option<i64>,
    state: Option<String>,
}

impl Tracker {
    /// Begins to watch a namespace, or all of them.
    pub(crate) async fn start(client: &kube::Client, namespace: Option<&str>) -> Self {
        let seen = Arc::default();
        let mut watches = JoinSet::new();
        for (kind, plural) in KINDS {
            let (client, resource) = (client.clone(), resource(kind, plural));
            let api = match namespace {
                Some(namespace) => Api::namespaced_with(client, namespace, &resource),
                None => Api::all_with(client, &resource),
            };
            let listed = api
                .list(&ListParams::default())
                .await
                .expect("a list of our kinds");
            for object in &listed.items {
                note(&seen, kind, object);
            }
            let version = listed.metadata.resource_version.unwrap_or_default();
            watches.spawn(follow(api, kind, version, Arc::clone(&seen)));
        }
        Self {
            seen,
            _watches: watches,
        }
    }

    /// How many resources are in sync at their present generation.
    pub(crate) fn in_sync(&self) -> usize {
        let seen = self.seen.lock();
        seen.values()
            .filter(|seen| seen.in_sync == Some(seen.generation))
            .count()
    }

    /// Waits until so many resources are in sync, and says when they were.
    pub(crate) async fn until_in_sync(&self, count: usize, patience: Duration) -> Instant {
        self.until(&format!("{count} resources are in sync"), patience, || {
            (self.in_sync(), count)
        })
        .await
    }

    /// Waits until a rule is in sync at this generation or a later one, and says when it was.
    pub(crate) async fn until_rule(&self, name: &str, generation: i64) -> Instant {
        let key = key("AlertRule", name);
        let is_there = || {
            let seen = self.seen.lock();
            let synced = seen.get(&key).and_then(|seen| seen.in_sync);
            (usize::from(synced >= Some(generation)), 1)
        };
        self.until(&format!("{name} is in sync"), Duration::from_secs(60), is_there)
            .await
    }

    /// Waits until so many rules show a state, for the first one is written when Grafana has evaluated the rule.
    pub(crate) async fn until_evaluated(&self, count: usize, patience: Duration) {
        let evaluated = || {
            self.seen
                .lock()
                .values()
                .filter(|seen| seen.state.is_some())
                .count()
        };
        self.until("every rule shows a state", patience, || (evaluated(), count))
            .await;
    }

    async fn until(&self, what: &str, patience: Duration, look: impl Fn() -> (usize, usize)) -> Instant {
        let begun = Instant::now();
        loop {
            let (found, wanted) = look();
            if found >= wanted {
                return Instant::now();
            }
            assert!(
                begun.elapsed() < patience,
                "not within {patience:?}: {what}; {found} of {wanted}"
            );
            sleep(Duration::from_millis(2)).await;
        }
    }
}

/// A kind of ours, without asking the API server for it.
pub(crate) fn resource(kind: &str, plural: &str) -> ApiResource {
    ApiResource {
        group: "alerting.letsrevel.io".to_owned(),
        version: "v1alpha1".to_owned(),
        api_version: crate::fleet::API_VERSION.to_owned(),
        kind: kind.to_owned(),
        plural: plural.to_owned(),
    }
}

async fn follow(
    api: Api<DynamicObject>,
    kind: &'static str,
    mut version: String,
    seen: Arc<Mutex<HashMap<String, Seen>>>,
) {
    loop {
        let events = api
            .watch(&WatchParams::default(), &version)
            .await
            .expect("a watch of our kinds");
        let mut events = pin!(events);
        // The server ends a watch after some minutes; the next one goes on from there.
        while let Ok(Some(event)) = events.try_next().await {
            match event {
                WatchEvent::Added(object) | WatchEvent::Modified(object) => {
                    version = object.metadata.resource_version.clone().unwrap_or_default();
                    note(&seen, kind, &object);
                }
                WatchEvent::Bookmark(bookmark) => version = bookmark.metadata.resource_version,
                WatchEvent::Deleted(_) => {}
                WatchEvent::Error(error) => panic!("the watch of {kind} failed: {error:?}"),
            }
        }
    }
}

fn note(seen: &Mutex<HashMap<String, Seen>>, kind: &str, object: &DynamicObject) {
    let status = object.data.get("status");
    let conditions = status.and_then(|status| status.get("conditions")?.as_array());
    let ready = conditions.and_then(|all| all.iter().find(|c| text(c, "type") == Some("Ready")));
    let in_sync = ready
        .filter(|ready| text(ready, "status") == Some("True"))
        .and_then(|ready| ready.get("observedGeneration")?.as_i64());
    let state = status
        .and_then(|status| text(status, "state"))
        .map(ToOwned::to_owned);
    let generation = object.metadata.generation.unwrap_or_default();
    let name = object.metadata.name.as_deref().unwrap_or_default();
    // Those of rollouts come and go by themselves.
    if kind == "Silence" && !name.starts_with("silence-") {
        return;
    }
    let now = Seen {
        generation,
        in_sync,
        state,
    };
    seen.lock().insert(key(kind, name), now);
}

fn key(kind: &str, name: &str) -> String {
    format!("{kind}/{name}")
}

fn text<'a>(value: &'a Value, field: &str) -> Option<&'a str> {
    value.get(field)?.as_str()
}
