//! Watches: one stream for each kind, over all namespaces or over some, that fills a store and tells others what they want to know.

use std::collections::HashMap;

use futures::stream::{BoxStream, SelectAll, select_all};
use futures::{Stream, StreamExt, TryStreamExt};
use k8s_openapi::api::core::v1::Secret;
use kube::core::{DeserializeGuard, PartialObjectMeta};
use kube::runtime::reflector::store::Writer;
use kube::runtime::watcher::{self, Event};
use kube::runtime::{WatchStreamExt, reflector};
use kube::{Api, Client, Resource, ResourceExt};
use serde::de::DeserializeOwned;
use std::fmt::Debug;
use tracing::warn;

/// How many objects are listed at a time.
const PAGE: u32 = 100;

/// What a watch yields.
pub type Events<K> = BoxStream<'static, watcher::Result<Event<K>>>;

/// The kinds that a watch can be over.
pub trait Watched:
    Resource<DynamicType = (), Scope = k8s_openapi::NamespaceResourceScope>
    + Clone
    + Debug
    + DeserializeOwned
    + Send
    + Sync
    + 'static
{
}
impl<K> Watched for K where
    K: Resource<DynamicType = (), Scope = k8s_openapi::NamespaceResourceScope>
        + Clone
        + Debug
        + DeserializeOwned
        + Send
        + Sync
        + 'static
{
}

/// Lists page by page, or thousands of objects would be held as text and as JSON at once. A list from the API server's cache
/// (`resourceVersion=0`) would have no pages: the limit is ignored there.
fn config() -> watcher::Config {
    watcher::Config::default().page_size(PAGE)
}

/// Watches a kind of ours. An object that can't be decoded is left out with a warning; it mustn't stop the others.
pub fn guarded<K: Watched>(client: &Client, namespaces: &[String]) -> Events<K> {
    over(namespaces, |namespace| {
        let api: Api<DeserializeGuard<K>> = api(client, namespace);
        let decoded = watcher::watcher(api, config())
            .default_backoff()
            .try_filter_map(|event| async move { Ok(decode(event)) });
        decoded.boxed()
    })
}

/// Watches a kind of Kubernetes'. `prune` drops what nobody reads.
pub fn pruned<K: Watched>(client: &Client, namespaces: &[String], prune: fn(&mut K)) -> Events<K> {
    over(namespaces, |namespace| {
        watcher::watcher(api(client, namespace), config())
            .default_backoff()
            .modify(prune)
            .boxed()
    })
}

/// Watches names and versions of all Secrets but Helm's.
pub fn secrets(client: &Client, namespaces: &[String]) -> Events<PartialObjectMeta<Secret>> {
    over(namespaces, |namespace| {
        let api: Api<PartialObjectMeta<Secret>> = api(client, namespace);
        let fields = config().fields("type!=helm.sh/release.v1");
        watcher::watcher(api, fields)
            .default_backoff()
            .modify(|secret| secret.managed_fields_mut().clear())
            .boxed()
    })
}

/// Feeds the store, lets `tell` see every event, and yields what was applied.
pub fn reflect<K: Watched>(
    events: Events<K>,
    writer: Writer<K>,
    tell: impl Fn(&Event<K>) + Send + 'static,
) -> impl Stream<Item = watcher::Result<K>> + Send + 'static {
    reflector::reflector(writer, events)
        .inspect_ok(move |event| tell(event))
        .applied_objects()
}

fn api<K: Resource<DynamicType = (), Scope = k8s_openapi::NamespaceResourceScope>>(
    client: &Client,
    namespace: Option<&str>,
) -> Api<K> {
    match namespace {
        Some(namespace) => Api::namespaced(client.clone(), namespace),
        None => Api::all(client.clone()),
    }
}

fn decode<K: Watched>(event: Event<DeserializeGuard<K>>) -> Option<Event<K>> {
    let decoded = |guard: DeserializeGuard<K>| match guard.0 {
        Ok(mut object) => {
            object.managed_fields_mut().clear();
            Some(object)
        }
        Err(invalid) => {
            let metadata = &invalid.metadata;
            warn!(kind = %K::kind(&()), namespace = metadata.namespace, name = metadata.name, error = %invalid.error, "object left out: it cannot be decoded");
            None
        }
    };
    match event {
        Event::Apply(guard) => decoded(guard).map(Event::Apply),
        Event::Delete(guard) => decoded(guard).map(Event::Delete),
        Event::InitApply(guard) => decoded(guard).map(Event::InitApply),
        Event::Init => Some(Event::Init),
        Event::InitDone => Some(Event::InitDone),
    }
}

fn over<K: Watched>(namespaces: &[String], watch: impl Fn(Option<&str>) -> Events<K>) -> Events<K> {
    match namespaces {
        [] => watch(None),
        [one] => watch(Some(one)),
        several => {
            let streams = several
                .iter()
                .enumerate()
                .map(|(i, namespace)| watch(Some(namespace)).map_ok(move |event| (i, event)).boxed());
            merge(several.len(), select_all(streams)).boxed()
        }
    }
}

/// The events of one of several watches, each with the watch's number.
type Numbered<K> = BoxStream<'static, watcher::Result<(usize, Event<K>)>>;

/// Makes one watch of several, each over another namespace: one beginning and one end of the first listing. What one of them
/// lists again later is told as changes, or the store would forget what the others hold.
fn merge<K: Watched>(
    count: usize,
    streams: SelectAll<Numbered<K>>,
) -> impl Stream<Item = watcher::Result<Event<K>>> + Send {
    let mut merged = Merged {
        parts: (0..count).map(|_| Part::default()).collect(),
        has_begun: false,
        is_done: false,
    };
    streams
        .map_ok(move |(i, event)| futures::stream::iter(merged.step(i, event).into_iter().map(Ok)))
        .try_flatten()
}

struct Merged<K> {
    parts: Vec<Part<K>>,
    has_begun: bool,
    is_done: bool,
}

struct Part<K> {
    known: HashMap<String, K>,
    listing: HashMap<String, K>,
    is_done: bool,
}

impl<K> Default for Part<K> {
    fn default() -> Self {
        Self {
            known: HashMap::new(),
            listing: HashMap::new(),
            is_done: false,
        }
    }
}

impl<K: Watched> Merged<K> {
    fn step(&mut self, i: usize, event: Event<K>) -> Vec<Event<K>> {
        let Some(part) = self.parts.get_mut(i) else {
            return Vec::new();
        };
        match event {
            Event::Init => {
                part.listing.clear();
                if std::mem::replace(&mut self.has_begun, true) {
                    Vec::new()
                } else {
                    vec![Event::Init]
                }
            }
            Event::InitApply(object) => {
                part.listing.insert(object.name_any(), object.clone());
                if self.is_done {
                    vec![Event::Apply(object)]
                } else {
                    Vec::new()
                }
            }
            Event::Apply(object) => {
                part.known.insert(object.name_any(), object.clone());
                if self.is_done {
                    vec![Event::Apply(object)]
                } else {
                    Vec::new()
                }
            }
            Event::Delete(object) => {
                part.known.remove(&object.name_any());
                if self.is_done {
                    vec![Event::Delete(object)]
                } else {
                    Vec::new()
                }
            }
            Event::InitDone => {
                let listing = std::mem::take(&mut part.listing);
                let gone: Vec<_> = part
                    .known
                    .drain()
                    .filter(|(name, _)| !listing.contains_key(name))
                    .map(|(_, object)| Event::Delete(object))
                    .collect();
                part.known = listing;
                part.is_done = true;
                if self.is_done {
                    return gone;
                }
                if !self.parts.iter().all(|part| part.is_done) {
                    return Vec::new();
                }
                self.is_done = true;
                let all = self.parts.iter().flat_map(|part| part.known.values().cloned());
                all.map(Event::InitApply).chain([Event::InitDone]).collect()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{AlertRule, AlertRuleSpec};

    fn rule(name: &str) -> AlertRule {
        AlertRule::new(name, AlertRuleSpec::default())
    }

    fn told(events: &[Event<AlertRule>]) -> Vec<String> {
        let mut told: Vec<_> = events
            .iter()
            .map(|event| match event {
                Event::Init => "begin".to_owned(),
                Event::InitApply(o) => format!("list {}", o.name_any()),
                Event::InitDone => "end".to_owned(),
                Event::Apply(o) => format!("apply {}", o.name_any()),
                Event::Delete(o) => format!("delete {}", o.name_any()),
            })
            .collect();
        told.sort();
        told
    }

    fn two() -> Merged<AlertRule> {
        Merged {
            parts: vec![Part::default(), Part::default()],
            has_begun: false,
            is_done: false,
        }
    }

    #[test]
    fn the_listing_ends_when_every_namespace_has_been_listed() {
        let mut merged = two();
        assert_eq!(told(&merged.step(0, Event::Init)), ["begin"]);
        assert!(merged.step(1, Event::Init).is_empty());
        assert!(merged.step(0, Event::InitApply(rule("a"))).is_empty());
        assert!(merged.step(0, Event::InitDone).is_empty());
        assert!(merged.step(0, Event::Apply(rule("b"))).is_empty());
        assert!(merged.step(0, Event::Delete(rule("a"))).is_empty());
        assert!(merged.step(1, Event::InitApply(rule("c"))).is_empty());
        assert_eq!(
            told(&merged.step(1, Event::InitDone)),
            ["end", "list b", "list c"]
        );
    }

    #[test]
    fn a_later_listing_of_one_namespace_leaves_the_other_alone() {
        let mut merged = two();
        for i in 0..2 {
            merged.step(i, Event::Init);
            merged.step(i, Event::InitApply(rule(&format!("old-{i}"))));
            merged.step(i, Event::InitDone);
        }
        assert!(merged.step(0, Event::Init).is_empty());
        assert_eq!(
            told(&merged.step(0, Event::InitApply(rule("new")))),
            ["apply new"]
        );
        assert_eq!(told(&merged.step(0, Event::InitDone)), ["delete old-0"]);
    }
}
