//! Watches: one stream for each kind, over all namespaces or over some, that fills a store and tells others what they want to know.
//!
//! kube's `Controller` pauses all events of a kind after each error of its streams, so none gets that far: what goes wrong is
//! told here, and tried again by the watch itself.

mod calm;
mod decode;
mod echo;
mod kinds;
mod merge;

use std::collections::HashSet;
use std::sync::Arc;

use futures::stream::{self, BoxStream};
use futures::{Stream, StreamExt, TryStreamExt, future};
use kube::core::PartialObjectMeta;
use kube::runtime::WatchStreamExt;
use kube::runtime::reflector::ObjectRef;
use kube::runtime::watcher::{self, Event};
use kube::{Api, Client, Resource, ResourceExt};

use calm::{Calm, calm};
use decode::decode;
use merge::merge;

use super::by::Indexed;
use super::managed::Managed;
use super::store::{Store, Writer};
use super::unwatched::Unwatched;
use crate::cluster::client::WORKLOAD_WATCH;

/// How many objects are listed at a time.
const PAGE: u32 = 100;
pub use decode::{InPlace, LAST_APPLIED, Read, left_out, readable};
pub use echo::Echoes;
pub use kinds::{Events, Watched};

/// Lists page by page, or thousands of objects would be held as text and as JSON at once. A list from the API server's cache
/// (`resourceVersion=0`) would have no pages: the limit is ignored there.
fn config() -> watcher::Config {
    watcher::Config::default().page_size(PAGE)
}

/// Watches a kind of ours. What can't be decoded mustn't stop the others: `in_place` is made of it, and where that is nothing it is left out with
/// a warning. `lasts`: after how many seconds the watch is begun anew, if not when the API server ends it.
pub fn guarded<K: Watched>(
    client: &Client,
    namespaces: &[String],
    unwatched: &Arc<Unwatched>,
    lasts: Option<u32>,
    in_place: InPlace<K>,
) -> Events<K> {
    over(namespaces, &Calm::new(unwatched), |namespace| {
        let api = api::<Read<K>>(client, namespace);
        let config = lasts.map_or_else(config, |seconds| config().timeout(seconds));
        let decoded = watcher::watcher(api, config)
            .default_backoff()
            .try_filter_map(move |event| async move { Ok(decode(event, in_place)) });
        decoded.boxed()
    })
}

/// Watches a kind of others' that need not be installed: it counts as listed and empty where it isn't there or may not be watched, and is
/// looked for again every half a minute. [`Unwatched`] tells that from one that has no objects. `lasts` is as in [`guarded`], `prune` as in
/// [`pruned`].
pub fn optional<K: Watched>(
    client: &Client,
    namespaces: &[String],
    unwatched: &Arc<Unwatched>,
    lasts: Option<u32>,
    prune: fn(&mut K),
) -> Events<K> {
    over(namespaces, &Calm::of_optional(unwatched), |namespace| {
        let api = api::<Read<K>>(client, namespace);
        let config = lasts.map_or_else(config, |seconds| config().timeout(seconds));
        let decoded = watcher::watcher(api, config)
            .default_backoff()
            .try_filter_map(|event| async move { Ok(decode(event, left_out::<K>)) });
        decoded.modify(prune).boxed()
    })
}

/// Watches workloads. `prune` drops what nobody reads.
pub fn pruned<K: Watched>(
    client: &Client,
    namespaces: &[String],
    unwatched: &Arc<Unwatched>,
    prune: fn(&mut K),
) -> Events<K> {
    over(namespaces, &Calm::new(unwatched), |namespace| {
        watcher::watcher(api(client, namespace), config().timeout(WORKLOAD_WATCH))
            .default_backoff()
            .modify(prune)
            .boxed()
    })
}

/// Watches names and versions of all but what a selector of fields leaves out.
pub fn versions<K: Watched>(
    client: &Client,
    namespaces: &[String],
    unwatched: &Arc<Unwatched>,
    but: &str,
) -> Events<PartialObjectMeta<K>> {
    over(namespaces, &Calm::new(unwatched), |namespace| {
        let api: Api<PartialObjectMeta<K>> = api(client, namespace);
        watcher::watcher(api, config().fields(but))
            .default_backoff()
            .modify(|object| object.managed_fields_mut().clear())
            .boxed()
    })
}

/// Feeds the store, lets `tell` see every event, with what was known of its object before, and yields what was applied.
pub fn reflect<K: Watched + Indexed>(
    events: Events<K>,
    writer: Writer<K>,
    tell: impl Fn(&Event<K>, Option<&K>) + Send + 'static,
) -> impl Stream<Item = watcher::Result<K>> + Send + 'static {
    but(events, writer, tell, |_, _| false)
}

/// The same of a kind of ours, without what passes have written themselves.
pub fn reflect_ours<K: Watched + Indexed + Managed>(
    events: Events<K>,
    writer: Writer<K>,
    echoes: Arc<Echoes>,
    tell: impl Fn(&Event<K>, Option<&K>) + Send + 'static,
) -> impl Stream<Item = watcher::Result<K>> + Send + 'static {
    but(events, writer, tell, move |event, before| {
        echoes.is_one(event, before)
    })
}

fn but<K: Watched + Indexed>(
    events: Events<K>,
    mut writer: Writer<K>,
    tell: impl Fn(&Event<K>, Option<&K>) + Send + 'static,
    is_left_out: impl Fn(&Event<K>, Option<&K>) -> bool + Send + 'static,
) -> impl Stream<Item = watcher::Result<K>> + Send + 'static {
    let mut relisting = Relisting::new(writer.as_reader());
    events
        .flat_map(move |event| stream::iter(relisting.step(event)))
        .map(move |event| {
            let before = writer.apply(&event);
            tell(&event, before.as_deref());
            let is_left_out = is_left_out(&event, before.as_deref());
            (!is_left_out).then_some(Ok(event))
        })
        .filter_map(future::ready)
        .applied_objects()
}

/// What a second listing shows as changed or gone is told as that, before the listing ends: nobody looks at a listing for news, and
/// once it has ended nothing is known any more of what was before.
struct Relisting<K: Watched + Indexed> {
    store: Store<K>,
    is_listed: bool,
    listed: HashSet<ObjectRef<K>>,
    changed: Vec<K>,
}

impl<K: Watched + Indexed> Relisting<K> {
    fn new(store: Store<K>) -> Self {
        Self {
            store,
            is_listed: false,
            listed: HashSet::new(),
            changed: Vec::new(),
        }
    }

    fn step(&mut self, event: Event<K>) -> Vec<Event<K>> {
        match event {
            Event::Init => {
                self.listed.clear();
                self.changed.clear();
                vec![Event::Init]
            }
            Event::InitApply(object) => {
                if self.is_listed {
                    let reference = ObjectRef::from_obj(&object);
                    let known = self.store.get(&reference);
                    if known.is_none_or(|known| known.resource_version() != object.resource_version()) {
                        self.changed.push(object.clone());
                    }
                    self.listed.insert(reference);
                }
                vec![Event::InitApply(object)]
            }
            Event::InitDone if self.is_listed => {
                let listed = std::mem::take(&mut self.listed);
                let all = self.store.all().into_iter();
                let gone = all.filter(|object| !listed.contains(&ObjectRef::from_obj(&**object)));
                let gone = gone.map(|object| Event::Delete((*object).clone()));
                let changed = std::mem::take(&mut self.changed).into_iter().map(Event::Apply);
                gone.chain(changed).chain([Event::InitDone]).collect()
            }
            Event::InitDone => {
                self.is_listed = true;
                vec![Event::InitDone]
            }
            Event::Apply(_) | Event::Delete(_) => vec![event],
        }
    }
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

fn over<K: Watched>(
    namespaces: &[String],
    manner: &Calm,
    watch: impl Fn(Option<&str>) -> BoxStream<'static, watcher::Result<Event<K>>>,
) -> Events<K> {
    match namespaces {
        [] => calm(watch(None), manner.clone()),
        [one] => calm(watch(Some(one)), manner.clone()),
        several => merge(
            several
                .iter()
                .map(|namespace| calm(watch(Some(namespace)), manner.of_part(namespace)))
                .collect(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::super::store;
    use super::*;
    use crate::api::{AlertRule, AlertRuleSpec};

    fn rule(name: &str, version: &str) -> AlertRule {
        let mut rule = AlertRule::new(name, AlertRuleSpec::default());
        rule.metadata.namespace = Some("team".into());
        rule.metadata.resource_version = Some(version.into());
        rule
    }

    fn told(event: &Event<AlertRule>) -> String {
        match event {
            Event::Init => "begin".into(),
            Event::InitApply(o) => format!("list {}", o.name_any()),
            Event::InitDone => "end".into(),
            Event::Apply(o) => format!("apply {}", o.name_any()),
            Event::Delete(o) => format!("delete {}", o.name_any()),
        }
    }

    #[tokio::test]
    async fn a_second_listing_tells_what_changed_and_what_is_gone() {
        let (store, writer) = store::store::<AlertRule>();
        let seen = Arc::new(parking_lot::Mutex::new(Vec::new()));
        let events = vec![
            Event::Init,
            Event::InitApply(rule("same", "1")),
            Event::InitApply(rule("changed", "1")),
            Event::InitApply(rule("gone", "1")),
            Event::InitDone,
            Event::Init,
            Event::InitApply(rule("same", "1")),
            Event::InitApply(rule("changed", "2")),
            Event::InitApply(rule("new", "2")),
            Event::InitDone,
        ];
        let tell = {
            let seen = seen.clone();
            move |event: &Event<AlertRule>, before: Option<&AlertRule>| {
                let before = before.and_then(ResourceExt::resource_version);
                let before = before.map(|version| format!(" after {version}"));
                seen.lock().push(told(event) + &before.unwrap_or_default());
            }
        };
        let reflected = reflect(stream::iter(events).boxed(), writer, tell);
        reflected.for_each(|_| async {}).await;
        let seen = seen.lock();
        let news: Vec<_> = seen
            .iter()
            .skip(5)
            .filter(|text| !text.starts_with("list"))
            .collect();
        assert_eq!(
            news,
            [
                "begin",
                "delete gone after 1",
                "apply changed after 1",
                "apply new",
                "end"
            ]
        );
        let mut names: Vec<_> = store.all().iter().map(|o| o.name_any()).collect();
        names.sort();
        assert_eq!(names, ["changed", "new", "same"]);
    }
}
