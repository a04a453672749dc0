//! Reading a Grafana in bulk into the mirror.

mod contact_points;
pub(in crate::controller) mod deliveries;
mod named;
mod rules;
mod trees;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures::join;

use super::apis;
use super::changed::Changed;
use super::folders;
use super::resend::Undone;
use super::schedule::Due;
use super::watch::Begun;
use crate::api::condition::Reason;
use crate::controller::connection::Instance;
use crate::controller::engine::failure::{Failure, Retry};
use crate::controller::engine::health::Health;
use crate::controller::silence::listed;
use crate::deadline::{Late, within};
use crate::grafana;
use crate::grafana::mirror::Part;

/// How long reading a part may take, once it is its turn.
const DEADLINE: Duration = Duration::from_secs(120);

/// What reading some parts came to.
#[derive(Default)]
pub(super) struct Found {
    pub(super) changed: Changed,
    pub(super) undone: Undone,
    /// What goes on from what was read, of parts that may be watched.
    pub(super) watches: BTreeMap<Part, Option<Begun>>,
    /// How it ended, for each part that was due.
    pub(super) results: BTreeMap<Part, Result<(), Failure>>,
}

impl Found {
    /// Nothing of what is due was read, for one reason.
    pub(super) fn nothing(due: &Due, failure: &Failure) -> Self {
        Self {
            results: due
                .parts
                .iter()
                .map(|part| (*part, Err(failure.clone())))
                .collect(),
            ..Self::default()
        }
    }

    /// Where nothing of a round could be read, what wasn't due for being watched can't be either, whatever its watch says, nor can settings that weren't
    /// seen. Settings that were are no sign of the others.
    pub(super) fn spread_failure(&mut self, parts: &BTreeSet<Part>) {
        let read = self.results.iter().filter(|(part, _)| **part != Part::Settings);
        let mut failures = read.map(|(_, result)| result.as_ref().err());
        let first = failures.next().flatten().cloned();
        if let Some(failure) = first
            && failures.all(|failure| failure.is_some())
        {
            for part in parts {
                self.results.entry(*part).or_insert_with(|| Err(failure.clone()));
            }
        }
    }

    /// Settings that are kept unseen haven't been read: where nothing else can be either, they can't.
    fn take_settings(&mut self, result: Option<Result<Seen, Failure>>) {
        match self.take(Part::Settings, result) {
            Some(Seen::Nothing) => _ = self.results.remove(&Part::Settings),
            Some(Seen::Changed) => self.changed.settings = true,
            Some(Seen::Same) | None => {}
        }
    }

    fn take<T>(&mut self, part: Part, result: Option<Result<T, Failure>>) -> Option<T> {
        match result? {
            Ok(value) => {
                self.results.insert(part, Ok(()));
                Some(value)
            }
            Err(failure) => {
                self.results.insert(part, Err(failure));
                None
            }
        }
    }
}

/// Reads what is due. What can't be read stays as it was known.
pub(super) async fn read(instance: &Instance, due: &Due) -> Found {
    let mut found = Found::default();
    let mut parts = due.parts.clone();
    let is_down = matches!(instance.health(), Health::Down(_));
    // What is read first goes through the API that the settings let be chosen.
    let is_new = parts.contains(&Part::Settings) && instance.known_settings().is_none();
    if is_down || is_new {
        let settings = in_time(read_settings(instance, Again::Always)).await;
        // One call is enough to see that it still is.
        if let (true, Err(failure)) = (is_down, &settings) {
            let all = parts.iter().map(|part| (*part, Err(failure.clone())));
            found.results = all.collect();
            return found;
        }
        parts.remove(&Part::Settings);
        found.take_settings(Some(settings));
    }
    let (settings, sources, folders, rules, contact_points, trees, silences, named) = join!(
        if_due(&parts, Part::Settings, read_settings(instance, Again::of(due))),
        if_due(&parts, Part::DataSources, read_sources(instance)),
        if_due(&parts, Part::Folders, folders::read(instance)),
        if_due(&parts, Part::Rules, rules::read(instance)),
        if_due(&parts, Part::ContactPoints, contact_points::read(instance)),
        if_due(&parts, Part::Policy, trees::read(instance)),
        if_due(&parts, Part::Silences, listed::read(instance)),
        async {
            join!(
                if_due(&parts, Part::TimeIntervals, named::time_intervals(instance)),
                if_due(&parts, Part::Templates, named::templates(instance)),
                if_due(&parts, Part::InhibitionRules, named::inhibition_rules(instance)),
            )
        },
    );
    let (time_intervals, templates, inhibition_rules) = named;
    found.take_settings(settings);
    let are_others = found.take(Part::DataSources, sources).unwrap_or_default();
    found.changed.facts |= found.changed.settings | are_others;
    if let Some((changed, watch)) = found.take(Part::Folders, folders) {
        found.changed.folders = changed;
        found.watches.insert(Part::Folders, watch);
    }
    if let Some(((changed, undone), watch)) = found.take(Part::Rules, rules) {
        found.changed.rules = changed;
        found.undone.extend(undone);
        found.watches.insert(Part::Rules, watch);
    }
    if let Some(((changed, undone), watch)) = found.take(Part::ContactPoints, contact_points) {
        found.changed.contact_points = changed;
        found.undone.extend(undone);
        found.watches.insert(Part::ContactPoints, watch);
    }
    if let Some((changed, watch)) = found.take(Part::Policy, trees) {
        found.changed.trees = changed;
        found.watches.insert(Part::Policy, watch);
    }
    found.changed.silences = found.take(Part::Silences, silences).unwrap_or_default();
    let time_intervals = found.take(Part::TimeIntervals, time_intervals);
    found.changed.time_intervals = time_intervals.unwrap_or_default();
    found.changed.templates = found.take(Part::Templates, templates).unwrap_or_default();
    let inhibition_rules = found.take(Part::InhibitionRules, inhibition_rules);
    found.changed.inhibition_rules = inhibition_rules.unwrap_or_default();
    // An API has shown that it isn't there any more, or not for these credentials.
    if instance.grafana.apis.is_stale()
        && let Some(settings) = instance.known_settings()
    {
        apis::choose(instance, &settings).await;
    }
    found
}

async fn if_due<T>(
    parts: &BTreeSet<Part>,
    part: Part,
    read: impl Future<Output = grafana::Result<T>>,
) -> Option<Result<T, Failure>> {
    if !parts.contains(&part) {
        return None;
    }
    Some(in_time(read).await)
}

async fn in_time<T>(read: impl Future<Output = grafana::Result<T>>) -> Result<T, Failure> {
    match within(DEADLINE, read).await {
        Ok(result) => result.map_err(|error| {
            let failure = Failure::from(error);
            // What is said of one object in passing would never be said of a whole Grafana.
            Failure {
                reason: failure.reason.or(Some(Reason::Unavailable)),
                ..failure
            }
        }),
        Err(Late) => Err(Failure::new(
            Reason::Unavailable,
            format!("reading took longer than {} s", DEADLINE.as_secs()),
            Retry::Backoff,
        )),
    }
}

/// What was seen of the settings.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Seen {
    Changed,
    Same,
    /// Grafana doesn't say which version it is, so they are kept as they are known.
    Nothing,
}

/// When settings that are known are read again.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Again {
    /// Whatever Grafana says.
    Always,
    /// If it says another version, or none.
    UnlessTheSame,
    /// If it says another version.
    IfAnother,
}

impl Again {
    fn of(due: &Due) -> Self {
        match due {
            Due { settings: true, .. } => Self::Always,
            Due {
                settings_if_hidden: true,
                ..
            } => Self::UnlessTheSame,
            Due { .. } => Self::IfAnother,
        }
    }
}

/// Settings are megabytes, with all plugins and data sources, and change only when Grafana starts anew. That it did is told by another version,
/// or by its being away for a while; where it hides its version they are read now and then.
async fn read_settings(instance: &Instance, again: Again) -> grafana::Result<Seen> {
    if again != Again::Always
        && let Some(known) = instance.known_settings()
    {
        let seen = instance.grafana.server.health().await;
        let kept = if seen.is_ok() { Seen::Same } else { Seen::Nothing };
        // Whether it can be reached is for others to say: a database that is gone is told by what needs it.
        let is_kept = match seen.map(|health| health.version) {
            Ok(version @ Some(_)) if known.version.is_some() => version == known.version,
            Ok(_) => again == Again::IfAnother,
            Err(_) => true,
        };
        if is_kept {
            // What was refused or hidden may have been allowed meanwhile, or shown.
            let is_improvable = instance.grafana.apis.capabilities().is_improvable;
            if instance.are_apis_due() || (is_improvable && again == Again::UnlessTheSame) {
                apis::choose(instance, &known).await;
            }
            return Ok(kept);
        }
    }
    let settings = instance.grafana.server.settings().await?;
    apis::choose(instance, &settings).await;
    if instance.set_settings(settings) {
        Ok(Seen::Changed)
    } else {
        Ok(Seen::Same)
    }
}

async fn read_sources(instance: &Instance) -> grafana::Result<bool> {
    let sources = instance.grafana.server.data_sources().await?;
    Ok(instance.set_sources(sources))
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use futures::FutureExt;

    use super::*;
    use crate::deadline::{time, waiting};

    #[tokio::test]
    async fn a_part_whose_turn_has_not_come_is_not_late() {
        let mut queued = Box::pin(in_time(waiting(pending::<grafana::Result<()>>())));
        let mut asked = Box::pin(in_time(pending::<grafana::Result<()>>()));
        assert!(futures::poll!(queued.as_mut()).is_pending());
        assert!(futures::poll!(asked.as_mut()).is_pending());
        time::pass(DEADLINE);
        let late = asked.now_or_never().expect("the deadline is over").unwrap_err();
        assert_eq!(late.message, "reading took longer than 120 s");
        assert!(futures::poll!(queued.as_mut()).is_pending(), "waiting counts");
    }
}
