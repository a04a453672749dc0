//! The windows of a workload: what the watch shows of its Silences, and what was written later than that.

use std::sync::Arc;

use super::generated::ANNOTATIONS;
use super::window::Window;
use crate::api::Silence;
use crate::api::silence::SilenceSpec;

/// A generated Silence as it was last written.
#[derive(Clone, Debug, PartialEq)]
pub struct Written {
    /// The window that it stands for.
    pub window: Window,
    /// What the API server was asked to store.
    pub asked: SilenceSpec,
    /// What it stored.
    pub stored: Silence,
}

/// A window of a workload, with its Silence.
#[derive(Clone, Debug, PartialEq)]
pub struct Held {
    /// The window, as it was decided.
    pub window: Window,
    /// The Silence that stands for it.
    pub silence: Arc<Silence>,
    /// What was last asked to be stored; what is stored, if somebody else than this process asked.
    pub asked: SilenceSpec,
    /// Somebody else has changed the Silence since it was written.
    pub is_edited: bool,
}

impl Held {
    /// The Silence as it was asked for, without what somebody else made of it.
    pub fn as_asked(&self) -> Silence {
        Silence {
            spec: self.asked.clone(),
            ..(*self.silence).clone()
        }
    }

    /// It is being deleted: nothing can be written onto it.
    pub fn is_going(&self) -> bool {
        self.silence.metadata.deletion_timestamp.is_some()
    }
}

/// All windows of a workload, one of each revision.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Holding {
    /// The windows.
    pub windows: Vec<Held>,
    /// Silences in whose place there is another one of the same revision, in another Grafana.
    pub replaced: Vec<Held>,
}

/// Works them out. `shown`: the Silences of the workload that the watch shows; `written`: what this process wrote of them.
pub fn hold(shown: &[Arc<Silence>], written: &[Written]) -> Holding {
    let mut all: Vec<Held> = shown
        .iter()
        .filter_map(|silence| {
            let own = written.iter().find(|own| is_the_same(&own.stored, silence));
            held(silence, own)
        })
        .collect();
    // Not shown yet.
    all.extend(
        written
            .iter()
            .filter(|own| !shown.iter().any(|silence| is_the_same(&own.stored, silence)))
            .map(as_written),
    );
    all.sort_by_key(|held| (held.is_going(), std::cmp::Reverse(held.window.opened)));
    let mut holding = Holding::default();
    for held in all {
        let is_first = holding
            .windows
            .iter()
            .all(|other| !other.window.is_the_same(&held.window));
        if is_first {
            holding.windows.push(held);
        } else if !held.is_going() {
            holding.replaced.push(held);
        }
    }
    holding
}

fn is_the_same(one: &Silence, other: &Silence) -> bool {
    (&one.metadata.name, &one.metadata.uid) == (&other.metadata.name, &other.metadata.uid)
}

fn as_written(own: &Written) -> Held {
    Held {
        window: own.window.clone(),
        silence: Arc::new(own.stored.clone()),
        asked: own.asked.clone(),
        is_edited: false,
    }
}

fn held(silence: &Arc<Silence>, own: Option<&Written>) -> Option<Held> {
    let Some(own) = own else {
        return Some(Held {
            window: Window::of(silence)?,
            silence: silence.clone(),
            asked: silence.spec.clone(),
            is_edited: false,
        });
    };
    if is_older(silence, &own.stored) {
        return Some(as_written(own));
    }
    Some(Held {
        window: Window {
            in_force: Window::is_in_force(silence),
            ..own.window.clone()
        },
        silence: silence.clone(),
        asked: own.asked.clone(),
        is_edited: silence.spec != own.stored.spec || annotations(silence) != annotations(&own.stored),
    })
}

/// The API server counts versions up, so what is shown can be told from what is to come.
fn is_older(one: &Silence, other: &Silence) -> bool {
    let version = |silence: &Silence| silence.metadata.resource_version.as_ref()?.parse::<u64>().ok();
    version(one) < version(other)
}

fn annotations(silence: &Silence) -> Vec<Option<&String>> {
    let all = silence.metadata.annotations.as_ref();
    ANNOTATIONS
        .iter()
        .map(|key| all.and_then(|all| all.get(*key)))
        .collect()
}

#[cfg(test)]
#[path = "held_tests.rs"]
mod tests;
