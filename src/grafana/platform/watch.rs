//! Watching a kind: the changes since a list, one JSON object a line, as they happen.
//!
//! The protocol is Kubernetes' ("Efficient detection of changes" in its API concepts): a version is a word of the server's, handed back as it is and never
//! compared. What Grafana makes of it was read in `pkg/storage/unified/apistore` (`store.go`, `stream.go`).

use std::time::Duration;

use futures::StreamExt;
use futures::stream::unfold;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::time::{Instant, sleep, timeout_at};

use super::object::{Metadata, Object};
use super::place::Place;
use crate::grafana::api::watch::{Listed, Told, Watch};
use crate::grafana::error::{Error, Result, cut};
use crate::grafana::transport::Lines;

/// How long one answer is asked to go on; then the watch is opened again.
const LASTS: Duration = Duration::from_secs(300);

/// How much longer an answer may last that the server doesn't end: its connection may have been lost without a word.
const GRACE: Duration = Duration::from_secs(20);

/// An answer that goes on for so long is a watch, though nothing is told.
const PROOF: Duration = Duration::from_secs(10);

/// So many answers in a row that end sooner and without a word are none: Grafana gives an empty one where it can't make out what is
/// to be watched (`NewEmptyWatch`).
const EMPTY: u32 = 3;

/// The first pause after an answer that was short, and the longest; it doubles.
const PAUSE: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));

impl Place {
    /// Everything of the kind, in pages of so many, and what happens to it from then on where Grafana tells that. The operations are those of the
    /// list and of the watch.
    pub(super) async fn listed<S, T>(
        &self,
        (list, watch): (&'static str, &'static str),
        size: usize,
        read: fn(Object<S>) -> T,
    ) -> Result<Listed<T>>
    where
        S: DeserializeOwned + Send + 'static,
        T: Send + 'static,
    {
        let call = || self.list(list);
        let (items, version) = self.versioned_pages(call, size, read).await?;
        let can_watch = self.kind.is_watchable && !version.is_empty();
        Ok(Listed {
            items,
            watch: can_watch.then(|| watched(self.clone(), watch, version, read)),
        })
    }
}

/// What happens after this version.
fn watched<S, T>(place: Place, operation: &'static str, version: String, read: fn(Object<S>) -> T) -> Watch<T>
where
    S: DeserializeOwned + Send + 'static,
    T: Send + 'static,
{
    let watching = Watching {
        place,
        operation,
        progress: Progress::from(version),
        read,
        lines: None,
        next: None,
    };
    unfold(Some(watching), async |watching| {
        let mut watching = watching?;
        match watching.next().await {
            Ok(told) => Some((Ok(told?), Some(watching))),
            Err(error) => Some((Err(error), None)),
        }
    })
    .boxed()
}

struct Watching<S, T> {
    place: Place,
    operation: &'static str,
    progress: Progress,
    read: fn(Object<S>) -> T,
    lines: Option<Lines>,
    /// What was told when it first showed that it works.
    next: Option<Told<T>>,
}

impl<S: DeserializeOwned, T> Watching<S, T> {
    /// What is told next; `None` where nothing ever is.
    async fn next(&mut self) -> Result<Option<Told<T>>> {
        if let Some(told) = self.next.take() {
            return Ok(Some(told));
        }
        loop {
            let Some(lines) = &mut self.lines else {
                let Some(pause) = self.progress.pause() else {
                    return Ok(None);
                };
                sleep(pause).await;
                let opened = open(&self.place, self.operation, &self.progress.version);
                self.lines = Some(opened.await?);
                self.progress.opened(Instant::now());
                continue;
            };
            let line = match self.progress.unsure_until() {
                None => lines.next().await,
                Some(moment) => {
                    let Ok(line) = timeout_at(moment, lines.next()).await else {
                        self.progress.lasts();
                        return Ok(Some(Told::Works));
                    };
                    line
                }
            };
            match line {
                Ok(Some(line)) => {
                    let was_sure = self.progress.is_sure;
                    let told = self.progress.take(self.operation, &line, self.read)?;
                    if was_sure || matches!(told, Told::Works) {
                        return Ok(Some(told));
                    }
                    self.next = Some(told);
                    return Ok(Some(Told::Works));
                }
                Ok(None) | Err(Error::Dropped { .. } | Error::Timeout { .. }) => {
                    self.lines = None;
                    self.progress.closed(Instant::now());
                }
                Err(error) => return Err(error),
            }
        }
    }
}

async fn open(place: &Place, operation: &'static str, version: &str) -> Result<Lines> {
    // Each line is of one.
    let call = place.list(operation).of_one();
    let call = call
        .query("watch", "true")
        .query("resourceVersion", version)
        .query("allowWatchBookmarks", "true")
        .query("timeoutSeconds", LASTS.as_secs().to_string());
    place.transport.lines(call, LASTS + GRACE).await
}

/// How far a watch has come.
#[derive(Debug)]
struct Progress {
    /// All up to here was told.
    version: String,
    /// When it was opened last.
    opened: Option<Instant>,
    /// Whether this answer has told something, or goes on.
    is_sure: bool,
    /// How many answers in a row were short.
    short: u32,
    /// How many of them told nothing.
    empty: u32,
}

impl From<String> for Progress {
    fn from(version: String) -> Self {
        Self {
            version,
            opened: None,
            is_sure: false,
            short: 0,
            empty: 0,
        }
    }
}

impl Progress {
    /// How long to wait before it is opened; `None` if that is in vain.
    fn pause(&self) -> Option<Duration> {
        if self.empty >= EMPTY {
            return None;
        }
        let (first, longest) = PAUSE;
        let doubled = self.short.checked_sub(1).map(|times| 1 << times.min(8));
        Some(doubled.map_or(Duration::ZERO, |factor| (first * factor).min(longest)))
    }

    fn opened(&mut self, now: Instant) {
        self.opened = Some(now);
        self.is_sure = false;
    }

    /// Until when it isn't known whether this answer is a watch.
    fn unsure_until(&self) -> Option<Instant> {
        let opened = self.opened.filter(|_| !self.is_sure);
        opened.map(|opened| opened + PROOF)
    }

    /// It goes on without a word.
    fn lasts(&mut self) {
        self.is_sure = true;
    }

    fn closed(&mut self, now: Instant) {
        let is_short = self.opened.take().is_none_or(|opened| now < opened + PROOF);
        self.short = if is_short { self.short + 1 } else { 0 };
        self.empty = if is_short && !self.is_sure {
            self.empty + 1
        } else {
            0
        };
    }

    /// Takes a line. That the version isn't there any more (410) is as much an error as any other: no watch goes on after it.
    fn take<S: DeserializeOwned, T>(
        &mut self,
        operation: &'static str,
        line: &[u8],
        read: fn(Object<S>) -> T,
    ) -> Result<Told<T>> {
        let event = serde_json::from_slice(line).map_err(|error| Error::Decode {
            operation,
            line: error.line(),
            column: error.column(),
        })?;
        let (version, told) = match event {
            Event::Added(object) | Event::Modified(object) => (
                object.metadata.resource_version.clone(),
                Told::There(read(object)),
            ),
            // Not every Grafana gives a deletion its own version: it may be that of what was there before, and all since would be told again.
            Event::Deleted(object) => (String::new(), Told::Gone(object.metadata.name)),
            Event::Bookmark(object) => (object.metadata.resource_version, Told::Works),
            Event::Error(status) => return Err(status.error(operation)),
        };
        self.is_sure = true;
        if !version.is_empty() {
            self.version = version;
        }
        Ok(told)
    }
}

/// One line (`WatchEvent` of Kubernetes' meta/v1).
#[derive(Deserialize)]
#[serde(
    tag = "type",
    content = "object",
    rename_all = "UPPERCASE",
    bound = "S: Deserialize<'de>"
)]
enum Event<S> {
    Added(Object<S>),
    Modified(Object<S>),
    Deleted(Named),
    Bookmark(Named),
    Error(Status),
}

/// An object of which the rest doesn't matter.
#[derive(Deserialize)]
struct Named {
    metadata: Metadata,
}

/// What is wrong (`Status` of meta/v1).
#[derive(Default, Deserialize)]
#[serde(default)]
struct Status {
    code: u16,
    reason: String,
    message: String,
}

impl Status {
    fn error(self, operation: &'static str) -> Error {
        let said = [self.message, self.reason]
            .into_iter()
            .find(|said| !said.is_empty());
        Error::Status {
            operation,
            status: self.code,
            message: said.map_or_else(|| "no reason given".to_owned(), |said| cut(&said)),
            message_id: None,
            retry_after: None,
        }
    }
}

#[cfg(test)]
mod tests;
