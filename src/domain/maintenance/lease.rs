//! The lease: when a maintenance silence opens, is extended and ends.
//!
//! [`decide`] looks at a workload's phase and its windows, and says how the windows should be; carrying that out and asking again
//! changes nothing.

use std::time::Duration;

use k8s_openapi::jiff::Timestamp;

use super::phase::{Phase, Progress, Run, Verdict};
use super::window::{Lease, Outcome, Window, later, whole_seconds};

/// What happens to a window; for events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// It opens; a silence of that revision that ended long ago is used again.
    Opened,
    /// Its lease is extended.
    Extended,
    /// Nothing is under way (paused, suspended, scaled to zero): it ends after the linger time.
    Shortened,
    /// It has an outcome now and ends with it; or soon, if that is success.
    Ended(Outcome),
}

/// A window as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// What happens.
    pub change: Change,
    /// What to write.
    pub window: Window,
}

/// What to do for one workload.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// In this order: the new window opens before the one it supersedes ends.
    pub steps: Vec<Step>,
    /// When to look again although nothing happened.
    pub recheck: Option<Duration>,
}

/// Decides about all windows of one workload. `windows` are its own: what belongs to an object of the same name with another
/// uid is the garbage collector's.
pub fn decide(lease: &Lease, phase: &Phase, windows: &[Window], now: Timestamp) -> Plan {
    let now = whole_seconds(now);
    let revision = phase.run().map(|run| run.revision.as_str());
    let (present, others): (Vec<_>, Vec<_>) = windows
        .iter()
        .partition(|window| Some(window.run.revision.as_str()) == revision);
    let mut plan = Plan::default();
    match phase {
        Phase::Idle => {}
        Phase::Running { run, since, progress } => {
            plan.steps.extend(running(
                lease,
                run,
                *since,
                progress,
                present.first().copied(),
                now,
            ));
        }
        Phase::Succeeded(verdict) => {
            plan.steps.extend(
                present
                    .first()
                    .and_then(|window| succeeded(lease, verdict, window, now)),
            );
        }
        Phase::Failed(verdict) => {
            plan.steps
                .extend(present.first().and_then(|window| failed(verdict, window, now)));
        }
        Phase::Gone(_) => {
            plan.steps
                .extend(present.first().and_then(|window| gone(window, now)));
        }
    }
    plan.steps
        .extend(others.into_iter().filter_map(|window| match phase {
            Phase::Idle => idle(lease, window, now),
            _ => superseded(phase, window, now),
        }));
    plan.recheck = recheck(lease, phase, &plan.steps, windows, now);
    plan
}

fn running(
    lease: &Lease,
    run: &Run,
    since: Option<Timestamp>,
    progress: &Progress,
    window: Option<&Window>,
    now: Timestamp,
) -> Option<Step> {
    let Some(window) = window else {
        return open(lease, run, since, progress, now);
    };
    let is_over = !window.is_open(now);
    let is_another = window.run.attempt != run.attempt && (is_over || !window.is_lease());
    let is_resumed = is_over
        && (window.is_lease() || window.outcome == Some(Outcome::Overran))
        && since.is_some_and(|since| since >= window.ends);
    if is_another || is_resumed {
        return open(lease, run, since, progress, now).or_else(|| lapsed(lease, window));
    }
    if !window.is_lease() {
        return None;
    }
    let has_moved = progress
        .mark()
        .is_none_or(|mark| window.progress.as_deref() != Some(mark));
    let ends = later(now, lease.lease).min(window.latest(lease));
    if has_moved && now >= window.due(lease) && ends > window.ends.max(now) {
        let progress = progress.mark().map(str::to_owned);
        let window = Window {
            run: run.clone(),
            opened: window.opened,
            ends,
            progress,
            outcome: None,
        };
        return Some(Step {
            change: Change::Extended,
            window,
        });
    }
    is_over.then(|| lapsed(lease, window)).flatten()
}

fn open(
    lease: &Lease,
    run: &Run,
    since: Option<Timestamp>,
    progress: &Progress,
    now: Timestamp,
) -> Option<Step> {
    let opened = since.map_or(now, |since| whole_seconds(since).min(now));
    let ends = later(now, lease.lease).min(later(opened, lease.max_duration));
    let progress = progress.mark().map(str::to_owned);
    let window = Window {
        run: run.clone(),
        opened,
        ends,
        progress,
        outcome: None,
    };
    window.is_open(now).then_some(Step {
        change: Change::Opened,
        window,
    })
}

/// A lease that has run out is marked once, so that people are told once.
fn lapsed(lease: &Lease, window: &Window) -> Option<Step> {
    if window.outcome.is_some() {
        return None;
    }
    let has_overrun = window.ends >= window.latest(lease);
    let outcome = if has_overrun {
        Outcome::Overran
    } else {
        Outcome::Lapsed
    };
    let window = Window {
        outcome: Some(outcome),
        ..window.clone()
    };
    Some(Step {
        change: Change::Ended(outcome),
        window,
    })
}

/// The end is counted from the completion, also when that is only seen later or after the lease ran out.
fn succeeded(lease: &Lease, verdict: &Verdict, window: &Window, now: Timestamp) -> Option<Step> {
    if !window.is_lease() || !window.concerns(verdict) {
        return None;
    }
    let completed = verdict.at.map_or(now, |at| whole_seconds(at).min(now));
    let ends = later(completed, lease.linger).min(window.latest(lease));
    let ended = Window {
        run: verdict.run.clone(),
        ..window.ended(now, Outcome::Succeeded)
    };
    let window = if ends > now {
        Window { ends, ..ended }
    } else {
        ended
    };
    Some(Step {
        change: Change::Ended(Outcome::Succeeded),
        window,
    })
}

fn failed(verdict: &Verdict, window: &Window, now: Timestamp) -> Option<Step> {
    if !window.is_lease() || !window.concerns(verdict) {
        return None;
    }
    let window = Window {
        run: verdict.run.clone(),
        ..window.ended(now, Outcome::Failed)
    };
    Some(Step {
        change: Change::Ended(Outcome::Failed),
        window,
    })
}

fn gone(window: &Window, now: Timestamp) -> Option<Step> {
    let window = window.is_lease().then(|| window.ended(now, Outcome::Gone))?;
    Some(Step {
        change: Change::Ended(Outcome::Gone),
        window,
    })
}

fn idle(lease: &Lease, window: &Window, now: Timestamp) -> Option<Step> {
    if !window.is_lease() {
        return None;
    }
    if !window.is_open(now) {
        return lapsed(lease, window);
    }
    // A second at least: what ends now would have lapsed already, and be marked so only at the next look.
    let ends = later(now, lease.linger.max(Duration::from_secs(1)));
    let shortened = Window {
        ends,
        ..window.clone()
    };
    (ends < window.ends).then_some(Step {
        change: Change::Shortened,
        window: shortened,
    })
}

/// What lingers after a success stays when the next run has succeeded too; else it makes way.
fn superseded(phase: &Phase, window: &Window, now: Timestamp) -> Option<Step> {
    let makes_way = match window.outcome {
        None => true,
        Some(Outcome::Succeeded) => window.is_open(now) && !matches!(phase, Phase::Succeeded(_)),
        Some(_) => false,
    };
    makes_way.then(|| Step {
        change: Change::Ended(Outcome::Superseded),
        window: window.ended(now, Outcome::Superseded),
    })
}

/// A lease is looked after when it can be extended, and when it has run out.
fn recheck(
    lease: &Lease,
    phase: &Phase,
    steps: &[Step],
    windows: &[Window],
    now: Timestamp,
) -> Option<Duration> {
    let written = steps.iter().map(|step| &step.window);
    let untouched = windows.iter().filter(|window| {
        steps
            .iter()
            .all(|step| step.window.run.revision != window.run.revision)
    });
    written
        .chain(untouched)
        .filter(|window| window.outcome.is_none())
        .filter_map(|window| {
            let due = window.due(lease);
            let extends =
                matches!(phase, Phase::Running { .. }) && due > now && window.ends < window.latest(lease);
            let next = if extends { due } else { window.ends };
            Duration::try_from(next.duration_since(now)).ok()
        })
        .min()
}

/// The end of the silence in Grafana that outlives its Job: clean-up and short lifetimes delete a Job right after success, and
/// the garbage collector its Silence. `last` is the Job's last phase, if it was seen. None: it ends at once.
pub fn outlives_job(
    lease: &Lease,
    last: Option<&Phase>,
    window: &Window,
    now: Timestamp,
) -> Option<Timestamp> {
    let now = whole_seconds(now);
    let step = match last {
        Some(Phase::Succeeded(verdict)) => succeeded(lease, verdict, window, now),
        _ => None,
    };
    let last = step.map_or_else(|| window.clone(), |step| step.window);
    (last.outcome == Some(Outcome::Succeeded) && last.is_open(now)).then_some(last.ends)
}

#[cfg(test)]
#[path = "lease_tests.rs"]
mod tests;
