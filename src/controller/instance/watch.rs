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

use super::changed::{self, Changed};
use crate::cluster::answer::chain;
use crate::controller::connection::Instance;
use crate::controller::context::Context;
use crate::grafana::Grafana;
use crate::grafana::api::Answer;
use crate::grafana::api::watch::{Told, Watch};
use crate::grafana::mirror::{Collection, Held, Part, Watched};

/// Most changes that are taken over before passes are asked for.
const AT_ONCE: usize = 100;

/// How long after what couldn't be looked at, or is being written, it is looked at again.
const AGAIN: Duration = Duration::from_secs(5);

/// A part that can be watched.
pub(super) trait Watchable: Send + 'static {
    /// What it holds, by name.
    type Item: PartialEq + Send + Sync + 'static;
    /// By what the mirror groups them.
    type Group: Eq + Hash;
    /// Which part this is.
    const PART: Part;

    /// The name by which the mirror and Grafana know one.
    fn name(item: &Self::Item) -> String;
    /// Where the mirror has them.
    fn mirrored(held: &mut Held) -> &mut Collection<String, Self::Item, Self::Group>;
    /// Asks Grafana for one.
    fn look<'a>(grafana: &'a Grafana, name: &'a str) -> Answer<'a, Option<Self::Item>>;
    /// Whom it concerns that these have changed.
    fn changed(held: &Held, names: Vec<String>) -> Changed;
}

/// What goes on from a list.
pub(super) struct Begun {
    number: u64,
    follow: Follow,
}

type Follow = Box<dyn FnOnce(Arc<Instance>, Arc<Context>, Option<Works>) -> BoxFuture<'static, Over> + Send>;

impl Begun {
    /// The watch that goes on from a list, as the mirror has taken that over.
    pub(super) fn of<W: Watchable>(watched: Watched<String, W::Item>, watch: Watch<W::Item>) -> Self {
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
    by_part: BTreeMap<Part, AbortHandle>,
    /// Those that haven't worked, though Grafana says that they can be watched.
    in_vain: BTreeSet<Part>,
}

impl Watches {
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
            let works = works.then(|| Works::begin(instance.clone(), context.clone(), part, number));
            let watch = follow(instance.clone(), context.clone(), works);
            self.all.spawn(watch)
        });
        let before = match next {
            Some(next) => self.by_part.insert(part, next),
            None => self.by_part.remove(&part),
        };
        if let Some(before) = before {
            before.abort();
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
                    let is_current = |watch: &AbortHandle| watch.id() == id;
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
    context: Arc<Context>,
    part: Part,
    number: u64,
}

impl Works {
    fn begin(instance: Arc<Instance>, context: Arc<Context>, part: Part, number: u64) -> Self {
        let is_news = instance.watched.begin(part, number);
        let works = Self {
            instance,
            context,
            part,
            number,
        };
        if is_news {
            info!(
                instance = works.instance.name,
                part = part.as_str(),
                "grafana tells of changes"
            );
            works.tell();
        }
        works
    }

    fn tell(&self) {
        let instances = &self.context.triggers.instances;
        instances.one(&self.context.namespace, &self.instance.name);
    }
}

impl Drop for Works {
    fn drop(&mut self) {
        if self.instance.watched.end(self.part, self.number) {
            self.tell();
        }
    }
}

/// Takes over what a watch tells, until it ends.
async fn follow<W: Watchable>(
    instance: Arc<Instance>,
    context: Arc<Context>,
    mut works: Option<Works>,
    mut watched: Watched<String, W::Item>,
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
        let (mut names, mut end) = (BTreeSet::new(), next.is_none().then_some(None));
        for told in next.into_iter().flatten() {
            let (name, item) = match told {
                Err(error) => {
                    end = Some(Some(error));
                    break;
                }
                Ok(Told::Works) => (None, None),
                Ok(Told::There(item)) => (Some(W::name(&item)), Some(item)),
                Ok(Told::Gone(name)) => (Some(name), None),
            };
            has_worked = true;
            works.get_or_insert_with(|| {
                Works::begin(instance.clone(), context.clone(), W::PART, watched.number())
            });
            let Some(name) = name else { continue };
            let is_news = |held: &mut Held| W::mirrored(held).told(&mut watched, name.clone(), item);
            if instance.mirror.write(is_news) {
                names.insert(name);
            }
        }
        names.extend(look::<W>(&instance, &mut watched).await);
        if !names.is_empty() {
            let names = names.into_iter().collect();
            let changed = instance.mirror.read(|held| W::changed(held, names));
            changed::trigger(&instance, &context, &changed);
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
async fn look<W: Watchable>(instance: &Instance, watched: &mut Watched<String, W::Item>) -> Vec<String> {
    let mut changed = Vec::new();
    for name in instance.mirror.write(|held| W::mirrored(held).doubtful(watched)) {
        let look = instance.mirror.write(|held| W::mirrored(held).begin_look());
        // What can't be seen now stays doubtful.
        let Ok(found) = W::look(&instance.grafana, &name).await else {
            break;
        };
        let is_news = |held: &mut Held| W::mirrored(held).finish_look(watched, look, name.clone(), found);
        if instance.mirror.write(is_news) {
            changed.push(name);
        }
    }
    changed
}
