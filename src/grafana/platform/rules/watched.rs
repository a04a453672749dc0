//! Both kinds of rules as one list that goes on.

use std::collections::HashMap;
use std::future::ready;

use futures::StreamExt;
use futures::stream::{once, select};

use crate::grafana::api::FoundRule;
use crate::grafana::api::watch::{Listed, Told, Watch};
use crate::grafana::error::Result;

/// A kind of rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Alerting,
    Recording,
}

/// All of both kinds. They are watched if both kinds are, by two watches that end together.
pub(super) fn both(alerting: Listed<FoundRule>, recording: Listed<FoundRule>) -> Listed<FoundRule> {
    let mut items = alerting.items;
    items.extend(recording.items);
    let watches = alerting.watch.zip(recording.watch);
    Listed {
        items,
        watch: watches.map(|(alerting, recording)| merged(alerting, recording)),
    }
}

fn merged(alerting: Watch<FoundRule>, recording: Watch<FoundRule>) -> Watch<FoundRule> {
    let until_its_end = |kind: Kind, watch: Watch<FoundRule>| {
        let end = once(ready(None));
        watch.map(Some).chain(end).map(move |told| (kind, told))
    };
    let both = select(
        until_its_end(Kind::Alerting, alerting),
        until_its_end(Kind::Recording, recording),
    );
    let told = both.scan(Both::default(), |both, (kind, told)| {
        ready(told.map(|told| both.take(kind, told)))
    });
    told.filter_map(ready).boxed()
}

/// What both watches have told.
#[derive(Debug, Default)]
struct Both {
    alerting_works: bool,
    recording_works: bool,
    /// Of which kind a rule was when it was told of last. Uids are one space, and the two watches know nothing of each other's order.
    kinds: HashMap<String, Kind>,
}

impl Both {
    /// What the watch of one kind tells, as far as it is told of both.
    fn take(&mut self, kind: Kind, told: Result<Told<FoundRule>>) -> Option<Result<Told<FoundRule>>> {
        match &told {
            Ok(Told::Works) => {
                match kind {
                    Kind::Alerting => self.alerting_works = true,
                    Kind::Recording => self.recording_works = true,
                }
                if !(self.alerting_works && self.recording_works) {
                    return None;
                }
            }
            Ok(Told::There(rule)) => drop(self.kinds.insert(rule.uid.clone(), kind)),
            Ok(Told::Gone(uid)) => match self.kinds.get(uid) {
                // It is of the other kind by now.
                Some(now) if *now != kind => return None,
                _ => drop(self.kinds.remove(uid)),
            },
            Err(_) => {}
        }
        Some(told)
    }
}

#[cfg(test)]
mod tests;
