//! Namespaces: whether one is on its way out, which annotations it has, and which labels they all have.

use std::collections::{BTreeMap, HashMap};

use futures::StreamExt;
use futures::stream::BoxStream;
use k8s_openapi::api::core::v1::Namespace;
use kube::core::PartialObjectMeta;
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, Event};
use kube::{Api, Client, ResourceExt};
use parking_lot::RwLock;
use tokio::sync::Notify;

use super::answer::is_forbidden;

/// Whether a namespace is being deleted. Without the right to read it, it counts as staying.
pub async fn is_terminating(client: &Client, name: &str) -> kube::Result<bool> {
    match Api::<Namespace>::all(client.clone()).get_metadata_opt(name).await {
        Ok(found) => Ok(found.is_none_or(|namespace| namespace.metadata.deletion_timestamp.is_some())),
        Err(error) if is_forbidden(&error) => Ok(false),
        Err(error) => Err(error),
    }
}

/// The annotations of a namespace. Without the right to read it, and where it is gone, there are none.
pub async fn annotations(client: &Client, name: &str) -> kube::Result<BTreeMap<String, String>> {
    match Api::<Namespace>::all(client.clone()).get_metadata_opt(name).await {
        Ok(found) => Ok(found
            .and_then(|namespace| namespace.metadata.annotations)
            .unwrap_or_default()),
        Err(error) if is_forbidden(&error) => Ok(BTreeMap::new()),
        Err(error) => Err(error),
    }
}

/// The labels of a namespace.
pub type Labels = BTreeMap<String, String>;

/// A namespace whose labels have changed, and what they were.
pub type Before = (String, Option<Labels>);

/// The labels of all namespaces, once somebody asks for them: most installations choose namespaces by name, and need no right to list them.
#[derive(Default)]
pub struct AllLabels {
    known: RwLock<Known>,
    asked: Notify,
}

#[derive(Default)]
struct Known {
    /// By name; `None` until they have been listed once.
    labels: Option<HashMap<String, Labels>>,
    /// A listing under way.
    listing: HashMap<String, Labels>,
    /// Why they can't be watched at present.
    refused: Option<String>,
}

impl AllLabels {
    /// Says that they are needed.
    pub fn ask(&self) {
        self.asked.notify_one();
    }

    /// Waits until they are needed.
    pub async fn asked(&self) {
        self.asked.notified().await;
    }

    /// Those of a namespace; `None` where it isn't there, or can't be seen.
    pub fn of(&self, namespace: &str) -> Option<Labels> {
        self.known.read().labels.as_ref()?.get(namespace).cloned()
    }

    /// Whether they have been listed.
    pub fn are_known(&self) -> bool {
        self.known.read().labels.is_some()
    }

    /// Why they can't be watched at present, if they can't.
    pub fn refused(&self) -> Option<String> {
        self.known.read().refused.clone()
    }

    /// Notes why they can't be watched; whether that is news.
    pub fn refuse(&self, why: String) -> bool {
        self.known.write().refused.replace(why).is_none()
    }

    /// Notes what the watch tells, and returns whose labels have changed. A first listing changes nobody's: see [`Self::are_known`].
    pub fn note(&self, event: Event<PartialObjectMeta<Namespace>>) -> Vec<Before> {
        let mut known = self.known.write();
        if !matches!(event, Event::Init | Event::InitApply(_)) {
            known.refused = None;
        }
        match event {
            Event::Init => known.listing.clear(),
            Event::InitApply(namespace) => {
                let labels = namespace.labels().clone();
                known.listing.insert(namespace.name_any(), labels);
            }
            Event::InitDone => {
                let now = std::mem::take(&mut known.listing);
                let Some(before) = known.labels.replace(now.clone()) else {
                    return Vec::new();
                };
                let gone = before.iter().filter(|(name, _)| !now.contains_key(*name));
                let gone = gone.map(|(name, labels)| (name.clone(), Some(labels.clone())));
                let other = now
                    .iter()
                    .filter(|(name, labels)| before.get(*name) != Some(*labels));
                let other = other.map(|(name, _)| (name.clone(), before.get(name).cloned()));
                return gone.chain(other).collect();
            }
            Event::Apply(namespace) => {
                let labels = known.labels.get_or_insert_default();
                let before = labels.insert(namespace.name_any(), namespace.labels().clone());
                if before.as_ref() != Some(namespace.labels()) {
                    return vec![(namespace.name_any(), before)];
                }
            }
            Event::Delete(namespace) => {
                let labels = known.labels.get_or_insert_default();
                let before = labels.remove(&namespace.name_any());
                return vec![(namespace.name_any(), before)];
            }
        }
        Vec::new()
    }
}

/// Watches names and labels of all namespaces.
pub fn watch(client: &Client) -> BoxStream<'static, watcher::Result<Event<PartialObjectMeta<Namespace>>>> {
    let api: Api<PartialObjectMeta<Namespace>> = Api::all(client.clone());
    watcher::watcher(api, watcher::Config::default())
        .default_backoff()
        .boxed()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{from_value, json};

    fn namespace(name: &str, team: &str) -> PartialObjectMeta<Namespace> {
        from_value(json!({
            "apiVersion": "meta.k8s.io/v1", "kind": "PartialObjectMetadata",
            "metadata": {"name": name, "labels": {"team": team}},
        }))
        .unwrap()
    }

    /// The changes, sorted.
    fn noted(
        all: &AllLabels,
        events: Vec<Event<PartialObjectMeta<Namespace>>>,
    ) -> Vec<(String, Option<String>)> {
        let changes = events.into_iter().flat_map(|event| all.note(event));
        let team = |labels: Labels| labels.get("team").cloned().unwrap_or_default();
        let mut changes: Vec<_> = changes.map(|(name, before)| (name, before.map(team))).collect();
        changes.sort();
        changes
    }

    #[test]
    fn whose_labels_have_changed_is_told_also_by_a_second_listing_and_nobody_elses() {
        let all = AllLabels::default();
        let list = |namespaces: &[(&str, &str)]| {
            let listed = namespaces
                .iter()
                .map(|(name, team)| Event::InitApply(namespace(name, team)));
            let listed: Vec<_> = [Event::Init]
                .into_iter()
                .chain(listed)
                .chain([Event::InitDone])
                .collect();
            listed
        };
        assert!(!all.are_known());
        assert!(all.refuse("forbidden".into()) && !all.refuse("forbidden".into()));
        assert_eq!(noted(&all, list(&[("a", "x"), ("b", "x"), ("c", "x")])), []);
        assert!(all.are_known() && all.refused().is_none());
        let before = |name: &str, team: &str| (name.to_owned(), Some(team.to_owned()));
        assert_eq!(noted(&all, vec![Event::Apply(namespace("a", "x"))]), []);
        assert_eq!(
            noted(&all, vec![Event::Apply(namespace("a", "y"))]),
            [before("a", "x")]
        );
        // What is being listed isn't known before the listing ends.
        all.note(Event::Init);
        assert_eq!(all.of("b").unwrap()["team"], "x");
        let relisted = noted(&all, list(&[("a", "y"), ("b", "y"), ("d", "x")]));
        assert_eq!(
            relisted,
            [before("b", "x"), before("c", "x"), ("d".to_owned(), None)]
        );
        assert_eq!(
            noted(&all, vec![Event::Delete(namespace("d", "x"))]),
            [before("d", "x")]
        );
        assert_eq!(all.of("d"), None);
    }
}
