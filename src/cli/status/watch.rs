//! The screen again with each change: what is shown is watched, and never read twice.

use std::collections::BTreeMap;
use std::io::{self, IsTerminal};
use std::time::Duration;

use futures::{Stream, StreamExt};
use jiff::Timestamp;
use kube::ResourceExt;
use kube::api::DynamicObject;
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, Event, watcher};
use tokio::signal::ctrl_c;
use tokio::time::{MissedTickBehavior, interval, sleep};

use super::super::common::connect::{Connected, Read, Source};
use super::super::common::exit::Exit;
use super::screen::Screen;
use super::view::{View, gone, handed};
use crate::cluster::answer::chain;
use crate::domain::lint::object::Object;

/// Changes that come so soon after another are shown together.
const TOGETHER: Duration = Duration::from_millis(200);
/// How often a terminal shows how time goes by.
const TICK: Duration = Duration::from_secs(1);
/// How often time alone changes what is shown: an interval begins, a silence ends.
const ANEW: u32 = 15;

/// Takes the cursor of a terminal to its beginning, and clears it from there.
const CLEAR: &str = "\x1b[H\x1b[2J";

type Place = (String, String);

/// What is known of one source.
struct Held {
    source: Source,
    objects: BTreeMap<Place, Object>,
    /// A listing that isn't complete yet.
    coming: Option<BTreeMap<Place, Object>>,
}

impl Held {
    /// Notes what a watch tells. Whether something may look different now.
    fn take(&mut self, event: Event<DynamicObject>) -> bool {
        let place = |object: &DynamicObject| (object.namespace().unwrap_or_default(), object.name_any());
        match event {
            Event::Init => self.coming = Some(BTreeMap::new()),
            Event::InitApply(object) => {
                let read = self.source.object(&object);
                let coming = self.coming.get_or_insert_default();
                coming.insert(place(&object), read);
            }
            Event::InitDone => {
                self.objects = self.coming.take().unwrap_or_default();
                return true;
            }
            Event::Apply(object) => {
                let read = self.source.object(&object);
                self.objects.insert(place(&object), read);
                return true;
            }
            Event::Delete(object) => return self.objects.remove(&place(&object)).is_some(),
        }
        false
    }
}

/// Shows the screen until somebody interrupts it, or nobody reads it any more.
pub(super) async fn watch(cluster: &Connected, read: Read, view: &View<'_>) -> Result<Exit, String> {
    let held = |(source, objects): (Source, Vec<Object>)| Held {
        source,
        objects: objects
            .into_iter()
            .map(|object| ((object.namespace.clone(), object.name.clone()), object))
            .collect(),
        coming: None,
    };
    let mut all: Vec<Held> = read.sources.into_iter().map(held).collect();
    let mut news = news(cluster, &all);
    let mut glass = Glass {
        is_terminal: io::stdout().is_terminal(),
        last: None,
    };
    if !glass.show(&all, view)? {
        return Ok(Exit::Done);
    }
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut count = 0;
    let mut trouble = None;
    let mut interrupted = std::pin::pin!(ctrl_c());
    let mut gone = std::pin::pin!(gone(io::stdout()));
    loop {
        tokio::select! {
            _ = &mut interrupted => return Ok(Exit::Interrupted),
            () = &mut gone => return Ok(Exit::Done),
            Some((at, event)) = news.next() => match event {
                Ok(event) => {
                    let mut is_news = all.get_mut(at).is_some_and(|held| held.take(event));
                    if !is_news {
                        continue;
                    }
                    let mut together = std::pin::pin!(sleep(TOGETHER));
                    while is_news {
                        tokio::select! {
                            () = &mut together => is_news = false,
                            Some((at, event)) = news.next() => {
                                if let (Some(held), Ok(event)) = (all.get_mut(at), event) {
                                    held.take(event);
                                }
                            }
                        }
                    }
                    if !glass.show(&all, view)? {
                        return Ok(Exit::Done);
                    }
                }
                // It is tried again, later and later; what is shown may be old meanwhile.
                Err(error) => {
                    let said = format!("the cluster can't be watched for the moment: {}", chain(&error));
                    if trouble.as_ref() != Some(&said) {
                        view.notes(std::slice::from_ref(&said));
                        trouble = Some(said);
                    }
                }
            },
            _ = ticks.tick() => {
                count += 1;
                let is_read = if count % ANEW == 0 {
                    glass.show(&all, view)?
                } else {
                    glass.tick(view)?
                };
                if !is_read {
                    return Ok(Exit::Done);
                }
            }
        }
    }
}

type News = (usize, Result<Event<DynamicObject>, watcher::Error>);

/// All that the watches tell, each with the source that it is of.
fn news(cluster: &Connected, all: &[Held]) -> impl Stream<Item = News> + Unpin + use<> {
    let streams = all.iter().enumerate().map(|(at, held)| {
        let (fields, labels) = held.source.selectors();
        let config = watcher::Config {
            field_selector: fields,
            label_selector: labels.map(str::to_owned),
            ..watcher::Config::default()
        };
        watcher(held.source.api(cluster), config)
            .default_backoff()
            .map(move |event| (at, event))
            .boxed()
    });
    futures::stream::select_all(streams)
}

/// What is in front of somebody.
struct Glass {
    is_terminal: bool,
    last: Option<Screen>,
}

impl Glass {
    /// Shows what is known, if that is another picture. Whether somebody still reads it.
    fn show(&mut self, all: &[Held], view: &View<'_>) -> Result<bool, String> {
        let objects: Vec<Object> = all
            .iter()
            .flat_map(|held| held.objects.values().cloned())
            .collect();
        let now = Timestamp::now();
        let screen = view.screen(&objects, now)?;
        if self.last.as_ref() == Some(&screen) && !self.is_terminal {
            return Ok(true);
        }
        let is_read = self.draw(&view.said(&screen, now)?, self.last.is_none())?;
        self.last = Some(screen);
        Ok(is_read)
    }

    /// Shows how time goes by.
    fn tick(&self, view: &View<'_>) -> Result<bool, String> {
        match &self.last {
            Some(screen) if self.is_terminal => self.draw(&view.said(screen, Timestamp::now())?, false),
            _ => Ok(true),
        }
    }

    fn draw(&self, said: &str, is_first: bool) -> Result<bool, String> {
        let before = match (self.is_terminal, is_first) {
            (true, _) => CLEAR,
            (false, true) => "",
            (false, false) => "\n",
        };
        handed(&mut io::stdout().lock(), &format!("{before}{said}"))
    }
}
