//! The lease: when a maintenance silence opens, is extended and ends.
//!
//! [`decide`] looks at a workload's phase and its windows, and says how the windows should be; carrying that out and asking again
//! changes nothing.

use std::time::Duration;

use k8s_openapi::jiff::Timestamp;

use super::phase::{Phase, UnderWay, Verdict};
use super::window::{Lease, Outcome, Window, later, whole_seconds};

/// How much longer than its lease a window may be before it is shortened: so far the clocks of two replicas may be apart.
const SKEW: Duration = Duration::from_secs(10);
/// A look is at least so far away, and what ends now ends so much later.
const SECOND: Duration = Duration::from_secs(1);

/// What happens to a window; for events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It opens; a silence of that revision that ended long ago is used again.
    Opened,
    /// Its lease is extended.
    Extended,
    /// It had lapsed or was withdrawn, and is taken up again.
    Reopened,
    /// Nothing is under way (paused, suspended, scaled to zero): it ends after the linger time.
    Shortened,
    /// It was longer than what is asked for now.
    Bounded,
    /// It has an outcome now and ends with it; or soon, if that is success.
    Ended(Outcome),
    /// What became of it needn't be remembered any more. Nothing that people see changes.
    Released,
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
    /// When to look again although nothing happened; a second at least.
    pub recheck: Option<Duration>,
}

impl Plan {
    /// Whether something is covered by it that wasn't, or for longer than it was.
    pub fn covers_more(&self) -> bool {
        self.steps
            .iter()
            .any(|step| matches!(step.change, Change::Opened | Change::Extended | Change::Reopened))
    }
}

/// Decides about all windows of one workload. `windows` are its own: what belongs to an object of the same name with another
/// uid is the garbage collector's.
pub fn decide(lease: &Lease, phase: &Phase, windows: &[Window], now: Timestamp) -> Plan {
    let now = whole_seconds(now);
    let revision = phase.run().map(|run| run.revision.as_str());
    let (present, others): (Vec<_>, Vec<_>) = windows
        .iter()
        .partition(|window| Some(window.run.revision.as_str()) == revision);
    let present = present.first().copied();
    let first = match (phase, present) {
        (Phase::Running(under_way), _) => running(lease, under_way, present, now),
        (Phase::Succeeded(verdict), Some(window)) => succeeded(lease, verdict, window, now),
        (Phase::Failed(verdict), Some(window)) => failed(lease, verdict, window, now),
        (Phase::Gone(_), Some(window)) => end(window, now, Outcome::Gone),
        _ => None,
    };
    let newest = first.as_ref().map(|step| &step.window).or(present);
    let is_awaited = newest.is_some_and(|window| window.is_open(now) && !window.in_force);
    let mut steps: Vec<Step> = first.into_iter().collect();
    steps.extend(others.into_iter().filter_map(|window| match phase {
        Phase::Idle => idle(lease, window, now),
        _ => superseded(phase, window, is_awaited, now),
    }));
    conclude(phase, &mut steps, windows);
    let recheck = recheck(lease, revision, &steps, windows, now);
    Plan { steps, recheck }
}

/// Ends what is open where nothing asks for it any more: the workload has opted out, its policy is gone, or its wish can't be read.
pub fn withdraw(phase: &Phase, windows: &[Window], now: Timestamp) -> Plan {
    let now = whole_seconds(now);
    let mut steps: Vec<Step> = windows
        .iter()
        .filter(|window| match window.outcome {
            None => true,
            Some(Outcome::Succeeded | Outcome::Failed) => window.is_open(now),
            Some(_) => false,
        })
        .map(|window| end_any(window, now, Outcome::Withdrawn))
        .collect();
    conclude(phase, &mut steps, windows);
    Plan { steps, recheck: None }
}

/// What to put in the place of a window that a person deleted while how it ended is still needed; none if it isn't.
pub fn removed(phase: &Phase, window: &Window, now: Timestamp) -> Option<Step> {
    let now = whole_seconds(now);
    if window.retires || phase.is_done_with(&window.run) {
        return None;
    }
    let kept = Step {
        change: Change::Released,
        window: window.ended(now, window.outcome.unwrap_or(Outcome::Removed)),
    };
    Some(end(window, now, Outcome::Removed).unwrap_or(kept))
}

/// Ends a window in whose place there is one of the same revision in another Grafana.
pub fn replaced(window: &Window, now: Timestamp) -> Option<Step> {
    let now = whole_seconds(now);
    let is_over = window.outcome.is_some() && !window.is_open(now);
    if is_over && window.retires {
        return None;
    }
    let mut step = end_any(window, now, Outcome::Superseded);
    step.window.retires = true;
    if is_over {
        step.change = Change::Released;
        step.window.outcome = window.outcome;
    }
    Some(step)
}

fn running(lease: &Lease, under_way: &UnderWay, window: Option<&Window>, now: Timestamp) -> Option<Step> {
    let is_young = under_way
        .created
        .is_some_and(|created| later(created, lease.lease) > now);
    let opens = (under_way.is_certain || is_young) && !lease.is_suspended;
    let Some(window) = window else {
        return opens.then(|| open(lease, under_way, now)).flatten();
    };
    let is_over = !window.is_open(now);
    let is_another = under_way.run.attempt > window.run.attempt && (is_over || !window.is_lease());
    let is_resumed = is_over
        && (window.is_lease() || window.outcome == Some(Outcome::Overran))
        && under_way.since.is_some_and(|since| since >= window.ends);
    if opens && (is_another || is_resumed) {
        return open(lease, under_way, now).or_else(|| lapsed(lease, window));
    }
    if !window.is_lease() {
        return None;
    }
    extended(lease, under_way, window, now)
        .or_else(|| bounded(lease, window, now))
        .or_else(|| is_over.then(|| lapsed(lease, window)).flatten())
}

fn open(lease: &Lease, under_way: &UnderWay, now: Timestamp) -> Option<Step> {
    let opened = under_way.since.map_or(now, |since| whole_seconds(since).min(now));
    let ends = later(now, lease.lease).min(later(opened, lease.max_duration));
    let window = Window {
        run: under_way.run.clone(),
        opened,
        ends,
        progress: under_way.progress.text(),
        outcome: None,
        retires: false,
        in_force: false,
    };
    window.is_open(now).then_some(Step {
        change: Change::Opened,
        window,
    })
}

/// More time for a run that got further, or that is to be silenced again.
fn extended(lease: &Lease, under_way: &UnderWay, window: &Window, now: Timestamp) -> Option<Step> {
    let is_same_attempt = under_way.run.attempt <= window.run.attempt;
    let remembered = window.progress.as_deref().filter(|_| is_same_attempt);
    let furthest = under_way.progress.further_than(remembered);
    let is_asked_again = window.outcome == Some(Outcome::Withdrawn);
    let is_earned = is_asked_again || (furthest.is_some() && now >= window.due(lease));
    let ends = later(now, lease.lease).min(window.latest(lease));
    if lease.is_suspended || !is_earned || ends <= window.ends.max(now) {
        return None;
    }
    let is_going_on = window.is_open(now) && window.outcome.is_none();
    let change = if is_going_on {
        Change::Extended
    } else {
        Change::Reopened
    };
    let mut window = Window {
        ends,
        outcome: None,
        in_force: window.in_force && is_going_on,
        ..window.of_attempt(&under_way.run)
    };
    if let Some(furthest) = furthest {
        window.progress = furthest.text();
    }
    Some(Step { change, window })
}

/// No longer than what is asked for now, which may be less than what was asked for when it was last extended.
fn bounded(lease: &Lease, window: &Window, now: Timestamp) -> Option<Step> {
    if window.outcome.is_some() || !window.is_open(now) {
        return None;
    }
    let latest = window.latest(lease);
    if window.ends <= latest && window.ends <= later(now, lease.lease.saturating_add(SKEW)) {
        return None;
    }
    let ends = later(now, lease.lease).min(latest);
    if ends <= now {
        return end(window, now, Outcome::Overran);
    }
    Some(Step {
        change: Change::Bounded,
        window: Window {
            ends,
            ..window.clone()
        },
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

/// What ran out while nothing was under way lacked no progress.
fn paused(step: Step) -> Step {
    if step.window.outcome != Some(Outcome::Lapsed) {
        return step;
    }
    Step {
        change: Change::Ended(Outcome::Paused),
        window: Window {
            outcome: Some(Outcome::Paused),
            ..step.window
        },
    }
}

/// The end is counted from the completion, also when that is only seen later or after the lease ran out.
fn succeeded(lease: &Lease, verdict: &Verdict, window: &Window, now: Timestamp) -> Option<Step> {
    if !window.is_lease() || window.outcome == Some(Outcome::Withdrawn) {
        return None;
    }
    let mut completed = verdict.at.map_or(now, |at| whole_seconds(at).min(now));
    if let Some(standing) = window.stood_before(verdict) {
        if !standing.is_complete || verdict.run.attempt < window.run.attempt {
            return running(lease, &verdict.under_way(standing), Some(window), now);
        }
        // The verdict is of an earlier run, but the counts are of this one.
        completed = now;
    }
    let ends = later(completed, lease.linger).min(window.latest(lease));
    let ended = window.of_attempt(&verdict.run).ended(now, Outcome::Succeeded);
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

fn failed(lease: &Lease, verdict: &Verdict, window: &Window, now: Timestamp) -> Option<Step> {
    match window.stood_before(verdict) {
        Some(standing) => running(lease, &verdict.under_way(standing), Some(window), now),
        None if lease.lingers_after_failure && verdict.standing.is_none() => {
            let lasting = succeeded(lease, verdict, window, now)?;
            Some(Step {
                change: Change::Ended(Outcome::Failed),
                window: Window {
                    outcome: Some(Outcome::Failed),
                    ..lasting.window
                },
            })
        }
        None => end(&window.of_attempt(&verdict.run), now, Outcome::Failed),
    }
}

/// Ends a lease now.
fn end(window: &Window, now: Timestamp, outcome: Outcome) -> Option<Step> {
    window.is_lease().then(|| end_any(window, now, outcome))
}

/// Ends a window now, whatever became of it.
fn end_any(window: &Window, now: Timestamp, outcome: Outcome) -> Step {
    Step {
        change: Change::Ended(outcome),
        window: window.ended(now, outcome),
    }
}

fn idle(lease: &Lease, window: &Window, now: Timestamp) -> Option<Step> {
    if !window.is_lease() {
        return None;
    }
    if !window.is_open(now) {
        return lapsed(lease, window).map(paused);
    }
    // A second at least: what ends now would have lapsed already, and be marked so only at the next look.
    let ends = later(now, lease.linger.max(SECOND));
    let shortened = Window {
        ends,
        // What goes on after a pause needs time of its own, as if it had got further.
        progress: window.mark().map(str::to_owned),
        ..window.clone()
    };
    (ends < window.ends).then_some(Step {
        change: Change::Shortened,
        window: shortened,
    })
}

/// What lingers after a success stays when the next run has succeeded too; else it makes way. What is open goes on until
/// Grafana holds what takes its place.
fn superseded(phase: &Phase, window: &Window, is_awaited: bool, now: Timestamp) -> Option<Step> {
    let is_open = window.is_open(now);
    let makes_way = match window.outcome {
        None => true,
        Some(Outcome::Succeeded) => is_open && !matches!(phase, Phase::Succeeded(_)),
        Some(_) => false,
    };
    if !makes_way || (is_open && is_awaited) {
        return None;
    }
    Some(end_any(window, now, Outcome::Superseded))
}

/// Says of each window how long it is to be remembered.
fn conclude(phase: &Phase, steps: &mut Vec<Step>, windows: &[Window]) {
    for Step { window, .. } in steps.iter_mut() {
        window.retires = match window.outcome {
            None => false,
            Some(Outcome::Succeeded | Outcome::Gone | Outcome::Superseded) => true,
            Some(_) => phase.is_done_with(&window.run),
        };
    }
    let released: Vec<Step> = windows
        .iter()
        .filter(|window| steps.iter().all(|step| !step.window.is_the_same(window)))
        .filter(|window| window.outcome.is_some() && !window.retires && phase.is_done_with(&window.run))
        .map(|window| Step {
            change: Change::Released,
            window: Window {
                retires: true,
                ..window.clone()
            },
        })
        .collect();
    steps.extend(released);
}

/// A lease is looked after when it can be extended, and when it has run out.
fn recheck(
    lease: &Lease,
    revision: Option<&str>,
    steps: &[Step],
    windows: &[Window],
    now: Timestamp,
) -> Option<Duration> {
    let written = steps.iter().map(|step| &step.window);
    let untouched = windows
        .iter()
        .filter(|window| steps.iter().all(|step| !step.window.is_the_same(window)));
    written
        .chain(untouched)
        .filter(|window| window.outcome.is_none())
        .map(|window| {
            let due = window.due(lease);
            let extends = revision == Some(window.run.revision.as_str())
                && due > now
                && window.ends < window.latest(lease);
            let next = if extends { due } else { window.ends };
            Duration::try_from(next.duration_since(now)).unwrap_or_default()
        })
        .min()
        .map(|wait| wait.max(SECOND))
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
        Some(Phase::Failed(verdict)) => failed(lease, verdict, window, now),
        _ => None,
    };
    let last = step.map_or_else(|| window.clone(), |step| step.window);
    let lingers = matches!(last.outcome, Some(Outcome::Succeeded | Outcome::Failed));
    (lingers && last.is_open(now)).then_some(last.ends)
}

#[cfg(test)]
#[path = "lease_tests.rs"]
mod tests;
