//! How the screen is made and printed.

use std::collections::BTreeSet;
use std::io::{self, Write};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::super::common::color::Color;
use super::super::common::document::{as_json, as_yaml};
use super::super::common::files::zones::zone;
use super::super::common::print::{API_VERSION, harmless, note};
use super::super::common::terminal::Look;
use super::screen::{Screen, Shown};
use super::text::{self, Clock, Manner, Parts};
use crate::domain::lint::object::Object;

/// How it is printed.
#[derive(clap::ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Output {
    /// Tables for people.
    Table,
    /// The same, however wide the terminal is.
    Wide,
    /// One JSON document; with --watch one for each change.
    Json,
    /// The same documents as YAML.
    Yaml,
    /// What fires, isn't in sync or can't be evaluated, each by kind and name.
    Name,
}

/// What somebody wants to see of a cluster, and how.
pub(super) struct View<'a> {
    pub(super) shown: Shown<'a>,
    pub(super) parts: Parts,
    pub(super) output: Output,
    pub(super) has_titles: bool,
    /// When there are colours. The terminal's width is asked for each screen: somebody may draw its window larger.
    pub(super) color: Color,
    pub(super) is_quiet: bool,
    /// Whether there are resources that one may not read.
    pub(super) is_partial: bool,
    /// On whose clock times are said.
    pub(super) place: TimeZone,
}

impl View<'_> {
    /// The screen of these objects at a moment.
    pub(super) fn screen(&self, objects: &[Object], now: Timestamp) -> Result<Screen, String> {
        Screen::new(objects, &self.shown, now, &zone)
    }

    /// The screen as it is printed.
    pub(super) fn said(&self, screen: &Screen, now: Timestamp) -> Result<String, String> {
        let look = Look::of_output(self.color, self.output == Output::Wide);
        match self.output {
            Output::Json => return Ok(json(screen, self.parts)),
            // One document ends where the next begins.
            Output::Yaml => return Ok(format!("---\n{}", as_yaml(&json(screen, self.parts))?)),
            Output::Name => return Ok(names(screen, self.parts)),
            Output::Wide | Output::Table => {}
        }
        let clock = Clock {
            now,
            place: &self.place,
        };
        let manner = Manner {
            has_titles: self.has_titles,
            is_partial: self.is_partial,
            look,
        };
        Ok(text::all(screen, self.parts, &clock, manner))
    }

    /// What is said besides.
    pub(super) fn notes(&self, notes: &[String]) {
        if !self.is_quiet {
            for text in notes {
                note(text);
            }
        }
    }
}

/// Prints what goes on and on. Whether there still is somebody who reads it.
pub(super) fn handed(out: &mut impl Write, text: &str) -> Result<bool, String> {
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(format!("cannot print what was found: {error}")),
    }
}

/// Ends when whoever reads a pipe has gone, also while there is nothing to print; never where that can't be told.
#[cfg(unix)]
pub(super) async fn gone(out: impl std::os::fd::AsFd) {
    use tokio::net::unix::pipe::Sender;

    let out = out.as_fd().try_clone_to_owned();
    // Of a file or a terminal it can't be asked.
    if let Ok(out) = out.and_then(Sender::from_owned_fd_unchecked)
        && out.ready(tokio::io::Interest::ERROR).await.is_ok()
    {
        return;
    }
    std::future::pending::<()>().await;
}

/// The same where there is no way to ask.
#[cfg(not(unix))]
pub(super) async fn gone(_: impl Sized) {
    std::future::pending().await
}

/// What somebody may have to look at, as kubectl takes it, each once.
fn names(screen: &Screen, parts: Parts) -> String {
    let rule = |path: &str| {
        let name = path.rsplit_once('/').map_or(path, |(_, name)| name);
        format!("alertrule/{name}")
    };
    let firing = screen.firing.iter().filter(|_| parts.firing);
    let failing = screen.in_error.iter().filter(|_| parts.not_ready);
    let waiting = screen.not_in_sync.iter().filter(|_| parts.not_ready);
    let rules = firing
        .map(|one| rule(&one.rule))
        .chain(failing.map(|one| rule(&one.rule)));
    let others = waiting.map(|one| format!("{}/{}", one.kind.to_lowercase(), one.name));
    let all: BTreeSet<String> = rules.chain(others).collect();
    all.iter().map(|name| harmless(name) + "\n").collect()
}

fn json(screen: &Screen, parts: Parts) -> String {
    let mut document = json!({"apiVersion": API_VERSION, "kind": "StatusReport"});
    let all = serde_json::to_value(screen).unwrap_or_default();
    if let (Some(document), Value::Object(all)) = (document.as_object_mut(), all) {
        document.extend(all.into_iter().filter(|(part, _)| match part.as_str() {
            "firing" => parts.firing,
            "notInSync" | "inError" => parts.not_ready,
            _ => parts.around,
        }));
    }
    as_json(&document)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Somebody who has gone.
    struct Gone;

    impl Write for Gone {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn whoever_goes_is_noticed_though_nothing_is_printed() {
        let (reader, writer) = std::io::pipe().unwrap();
        let mut gone = std::pin::pin!(gone(&writer));
        let is_gone = tokio::select! {
            biased;
            () = &mut gone => true,
            () = tokio::task::yield_now() => false,
        };
        assert!(!is_gone);
        drop(reader);
        let noticed = tokio::time::timeout(std::time::Duration::from_secs(60), gone).await;
        assert!(noticed.is_ok());
    }

    #[test]
    fn it_is_known_whether_somebody_still_reads() {
        assert_eq!(handed(&mut Vec::<u8>::new(), "x\n"), Ok(true));
        assert_eq!(handed(&mut Gone, "x\n"), Ok(false));
    }
}
