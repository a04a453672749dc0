//! Watching parts of a Grafana: what changes is told as it happens, so it needn't be read at each resync.

use std::collections::{BTreeMap, BTreeSet};
use std::future::pending;
use std::hash::Hash;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt};
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::sleep;
use tracing::info;

use super::apis;
use super::changed::{self, Changed};
use super::resend::{self, Undone};
use crate::cluster::answer::chain;
use crate::controller::connection::Instance;
use crate::controller::context::Context;
use crate::grafana::Grafana;
use crate::grafana::api::watch::{Told, Watch};
use crate::grafana::api::{Answer, Api};
use crate::grafana::mirror::{Follow, Held, Part, Watched};

/// Most changes that are taken over before passes are asked for.
const AT_ONCE: usize = 100;

/// How long after what couldn't be looked at, or is being written, it is looked at again.
const AGAIN: Duration = Duration::from_secs(5);

/// A part that can be watched.
pub(super) trait Watchable: Send + 'static {
    /// By what the mirror knows one.
    type Key: Clone + Ord + Hash + Send + Sync + From<String> + 'static;
    /// What Grafana tells of one.
    type Item: Send + 'static;
    /// What the mirror knows of one.
    type Value: PartialEq + Send + Sync + 'static;
    /// Where the mirror has them.
    type Mirrored: Follow<Self::Key, Self::Value>;
    /// Which part this is.
    const PART: Part;

    /// What is told of one, as the mirror takes it.
    fn known(item: Self::Item) -> (Self::Key, Self::Value);
    /// Where the mirror has them.
    fn mirrored(held: &mut Held) -> &mut Self::Mirrored;
    /// Asks Grafana for one.
    fn look<'a>(grafana: &'a Grafana, key: &'a Self::Key) -> Answer<'a, Option<Self::Value>>;
    /// Whom it concerns that these have changed.
    fn changed(held: &Held, keys: Vec<Self::Key>) -> Changed;
    /// What becomes of one that nobody of us has written since it was read or told last, where that may be undone.
    fn undone(held: &Held, key: &Self::Key, now: Option<&Self::Value>) -> Undone {
        let (_, _, _) = (held, key, now);
        Undone::default()
    }
}

/// What goes on from a list.
pub(super) struct Begun {
    number: u64,
    follow: Following,
}

type Following =
    Box<dyn FnOnce(Arc<Instance>, Arc<Context>, Option<Works>) -> BoxFuture<'static, Over> + Send>;

impl Begun {
    /// The watch that goes on from a list, as the mirror has taken that over.
    pub(super) fn of<W: Watchable>(watched: Watched<W::Key, W::Value>, watch: Watch<W::Item>) -> Self {
        Self {
            number: watched.number(),
            follow: Box::new(|instance, context, works| {
                follow::<W>(instance, context, works, watched, watch).boxed()
            }),
        }
    }
}

/// The end of a watch.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Over {
    pub(super) part: Part,
    /// Whether it ever told anything, or was open for a while.
    pub(super) has_worked: bool,
}

/// The watches of one instance. Dropped, they end.
#[derive(Default)]
pub(super) struct Watches {
    all: JoinSet<Over>,
    by_part: BTreeMap<Part, Current>,
    /// Those that haven't worked, though Grafana says that they can be watched.
    in_vain: BTreeSet<Part>,
}

/// The watch of a part.
struct Current {
    task: AbortHandle,
    /// The API that it goes through; `None` where that isn't used any more.
    api: Option<Api>,
}

impl Watches {
    /// The parts that needn't be read, since a watch tells of them. One through an API that isn't used any more goes on until the next list, which
    /// is due then.
    pub(super) fn spared(&self, instance: &Instance) -> BTreeSet<Part> {
        let mut spared = instance.watched.all();
        spared.retain(|part| {
            let current = self.by_part.get(part);
            current.is_some_and(|current| current.api == apis::used_for(instance, *part))
        });
        spared
    }

    /// Has people told that these aren't watched any more, if they aren't and no watch is to follow.
    pub(super) fn give_up(
        &self,
        parts: impl IntoIterator<Item = Part>,
        instance: &Instance,
        context: &Context,
    ) {
        let mut is_news = false;
        for part in parts {
            is_news |= !self.by_part.contains_key(&part) && instance.watched.give_up(part);
        }
        if is_news {
            tell(instance, context);
        }
    }

    /// What goes on from a new list of a part, in the place of what went on from the one before.
    pub(super) fn replace(
        &mut self,
        part: Part,
        begun: Option<Begun>,
        instance: &Arc<Instance>,
        context: &Arc<Context>,
    ) {
        let begun = begun.filter(|_| !self.in_vain.contains(&part));
        let next = begun.map(|Begun { number, follow }| {
            // What has worked goes on to, so nothing is said of it.
            let works = instance.watched.has(part);
            let works = works.then(|| Works::begin(instance.clone(), context, part, number));
            let watch = follow(instance.clone(), context.clone(), works);
            let task = self.all.spawn(watch);
            // A list may have gone through one that was found closed since. Only one of them tells of anything.
            let api = apis::used_for(instance, part).filter(|api| matches!(api, Api::Platform(_)));
            Current { task, api }
        });
        let before = match next {
            Some(next) => self.by_part.insert(part, next),
            None => self.by_part.remove(&part),
        };
        if let Some(before) = before {
            before.task.abort();
        }
    }

    /// Has those that haven't worked tried again.
    pub(super) fn try_all_again(&mut self) {
        self.in_vain.clear();
    }

    /// Waits for the end of one that was not replaced.
    pub(super) async fn over(&mut self) -> Over {
        loop {
            match self.all.join_next_with_id().await {
                Some(Ok((id, over))) => {
                    let is_current = |current: &Current| current.task.id() == id;
                    if !self.by_part.get(&over.part).is_some_and(is_current) {
                        continue;
                    }
                    self.by_part.remove(&over.part);
                    if !over.has_worked {
                        self.in_vain.insert(over.part);
                    }
                    return over;
                }
                Some(Err(_)) => {}
                None => return pending().await,
            }
        }
    }
}

/// While it is there, a part needn't be read.
struct Works {
    instance: Arc<Instance>,
    part: Part,
    number: u64,
}

impl Works {
    fn begin(instance: Arc<Instance>, context: &Context, part: Part, number: u64) -> Self {
        if instance.watched.begin(part, number) {
            info!(
                instance = instance.name,
                part = part.as_str(),
                "grafana tells of changes"
            );
            tell(&instance, context);
        }
        Self {
            instance,
            part,
            number,
        }
    }
}

impl Drop for Works {
    fn drop(&mut self) {
        self.instance.watched.end(self.part, self.number);
    }
}

/// Has the status say what is watched.
fn tell(instance: &Instance, context: &Context) {
    let instances = &context.triggers.instances;
    instances.one(&context.namespace, &instance.name);
}

/// Takes over what a watch tells, until it ends.
async fn follow<W: Watchable>(
    instance: Arc<Instance>,
    context: Arc<Context>,
    mut works: Option<Works>,
    mut watched: Watched<W::Key, W::Value>,
    watch: Watch<W::Item>,
) -> Over {
    let mut has_worked = false;
    let mut told = watch.ready_chunks(AT_ONCE);
    let end = loop {
        let next = tokio::select! {
            biased;
            next = told.next() => next,
            () = sleep(AGAIN), if watched.has_doubts() => Some(Vec::new()),
        };
        let (mut keys, mut end) = (BTreeSet::new(), next.is_none().then_some(None));
        for told in next.into_iter().flatten() {
            let (key, value) = match told {
                Err(error) => {
                    end = Some(Some(error));
                    break;
                }
                Ok(Told::Works) => {
                    has_worked = true;
                    works.get_or_insert_with(|| {
                        Works::begin(instance.clone(), &context, W::PART, watched.number())
                    });
                    continue;
                }
                Ok(Told::There(item)) => {
                    let (key, value) = W::known(item);
                    (key, Some(value))
                }
                Ok(Told::Gone(name)) => (W::Key::from(name), None),
            };
            let (is_news, undone) = instance.mirror.write(|held| {
                let undone = W::undone(held, &key, value.as_ref());
                let is_news = W::mirrored(held).told(&mut watched, key.clone(), value);
                (is_news, undone)
            });
            if is_news {
                resend::told(&instance, &context, &undone);
                keys.insert(key);
            }
        }
        keys.extend(look::<W>(&instance, &mut watched).await);
        if !keys.is_empty() {
            let keys = keys.into_iter().collect();
            let changed = instance.mirror.read(|held| W::changed(held, keys));
            changed::trigger(&instance, &context, &changed, false);
        }
        if let Some(end) = end {
            break end;
        }
    };
    let why = end.map_or_else(
        || "it ends as soon as it begins".to_owned(),
        |error| chain(&error),
    );
    info!(
        instance = instance.name,
        part = W::PART.as_str(),
        error = why,
        "a watch of grafana is over"
    );
    drop(works);
    Over {
        part: W::PART,
        has_worked,
    }
}

/// Looks at what was told otherwise than we had left it, and returns what looks different now.
async fn look<W: Watchable>(instance: &Instance, watched: &mut Watched<W::Key, W::Value>) -> Vec<W::Key> {
    let mut changed = Vec::new();
    for key in instance.mirror.write(|held| W::mirrored(held).doubtful(watched)) {
        let look = instance.mirror.write(|held| W::mirrored(held).begin_look());
        // What can't be seen now stays doubtful.
        let Ok(found) = W::look(&instance.grafana, &key).await else {
            break;
        };
        let is_news = |held: &mut Held| W::mirrored(held).finish_look(watched, look, key.clone(), found);
        if instance.mirror.write(is_news) {
            changed.push(key);
        }
    }
    changed
}
