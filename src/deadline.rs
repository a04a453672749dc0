//! Deadlines for work. Whoever waits for a turn does nothing meanwhile, so that doesn't count: what is slow uses up its own deadline,
//! and not the deadlines of those in the queue behind it.
//!
//! tokio's `timeout` counts all time, and its clock stops only for tests and for everybody.

use std::iter::successors;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::future::Either;
use parking_lot::Mutex;
use tokio::sync::Notify;

use time::now;
pub(crate) use time::sleep;

tokio::task_local! {
    static CLOCK: Arc<Clock>;
}

/// The work took longer than it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Late;

/// Does this, or drops it when it has taken `limit`, what it [waits](waiting) left out. That counts for no deadline around this one either.
pub(crate) fn within<T>(
    limit: Duration,
    work: impl Future<Output = T>,
) -> impl Future<Output = Result<T, Late>> {
    // A pass is large, and would be held twice over.
    let work = Box::pin(work);
    async move {
        let clock = Arc::new(Clock {
            stopwatch: Mutex::new(Stopwatch::started(now())),
            goes_on: Notify::new(),
            outer: here(),
        });
        tokio::select! {
            biased;
            done = CLOCK.scope(clock.clone(), work) => Ok(done),
            () = clock.shows(limit) => Err(Late),
        }
    }
}

/// Waits for a turn. Who has it must have a deadline of its own, or this may be for ever.
pub(crate) async fn waiting<T>(turn: impl Future<Output = T>) -> T {
    let _standstill = here().map(Standstill::begin);
    turn.await
}

/// The work as it is to be done in another task while the one that calls this awaits it: what it waits there doesn't count here.
pub(crate) fn carried<T>(work: impl Future<Output = T>) -> impl Future<Output = T> {
    match here() {
        Some(clock) => Either::Left(CLOCK.scope(clock, work)),
        None => Either::Right(work),
    }
}

/// The clock of the deadline that this task has, if it has one.
fn here() -> Option<Arc<Clock>> {
    CLOCK.try_with(Arc::clone).ok()
}

struct Clock {
    stopwatch: Mutex<Stopwatch>,
    goes_on: Notify,
    outer: Option<Arc<Clock>>,
}

impl Clock {
    /// Waits until so much work has been done.
    async fn shows(&self, limit: Duration) {
        loop {
            let worked = self.stopwatch.lock().worked(now());
            match worked.map(|worked| limit.saturating_sub(worked)) {
                Some(Duration::ZERO) => return,
                // It may have stood still by then, and the rest be as long again.
                Some(left) => sleep(left).await,
                None => self.goes_on.notified().await,
            }
        }
    }

    fn and_all_around(&self) -> impl Iterator<Item = &Self> {
        successors(Some(self), |clock| clock.outer.as_deref())
    }
}

/// A clock stands still, and all around it, until this is dropped.
struct Standstill(Arc<Clock>);

impl Standstill {
    fn begin(clock: Arc<Clock>) -> Self {
        let now = now();
        clock
            .and_all_around()
            .for_each(|clock| clock.stopwatch.lock().stop(now));
        Self(clock)
    }
}

impl Drop for Standstill {
    fn drop(&mut self) {
        let now = now();
        for clock in self.0.and_all_around() {
            clock.stopwatch.lock().go_on(now);
            clock.goes_on.notify_one();
        }
    }
}

/// Time without that between stops. Who has stopped it several times has it go on as often.
struct Stopwatch {
    /// Up to the last stop.
    worked: Duration,
    since: Instant,
    stops: usize,
}

impl Stopwatch {
    fn started(now: Instant) -> Self {
        Self {
            worked: Duration::ZERO,
            since: now,
            stops: 0,
        }
    }

    fn stop(&mut self, now: Instant) {
        self.worked = self.worked(now).unwrap_or(self.worked);
        self.stops += 1;
    }

    fn go_on(&mut self, now: Instant) {
        self.stops = self.stops.saturating_sub(1);
        self.since = now;
    }

    /// What it shows; `None` while it stands still.
    fn worked(&self, now: Instant) -> Option<Duration> {
        (self.stops == 0).then(|| self.worked + now.saturating_duration_since(self.since))
    }
}

#[cfg(not(test))]
mod time {
    use std::time::Instant;

    pub(crate) use tokio::time::sleep;

    pub(super) fn now() -> Instant {
        Instant::now()
    }
}

/// In tests no time passes for deadlines but what a test lets pass. (tokio can do that too, with a feature that would have everything
/// above it built twice.)
#[cfg(test)]
pub(crate) mod time {
    use std::time::{Duration, Instant};

    use tokio::sync::watch;

    thread_local! {
        static NOW: watch::Sender<Instant> = watch::Sender::new(Instant::now());
    }

    pub(super) fn now() -> Instant {
        NOW.with(|now| *now.borrow())
    }

    pub(crate) async fn sleep(time: Duration) {
        let until = now() + time;
        let mut next = NOW.with(watch::Sender::subscribe);
        let _ = next.wait_for(|now| *now >= until).await;
    }

    /// Lets so much time pass at once.
    pub(crate) fn pass(time: Duration) {
        NOW.with(|now| now.send_modify(|now| *now += time));
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;
    use std::pin::pin;

    use futures::{FutureExt, poll};
    use tokio::sync::oneshot;

    use super::*;

    const LIMIT: Duration = Duration::from_secs(10);

    #[test]
    fn a_stopwatch_shows_the_time_between_stops() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut stopwatch = Stopwatch::started(start);
        stopwatch.stop(at(2));
        stopwatch.stop(at(3));
        assert_eq!(stopwatch.worked(at(4)), None);
        stopwatch.go_on(at(5));
        assert_eq!(stopwatch.worked(at(6)), None, "it was stopped twice");
        stopwatch.go_on(at(7));
        assert_eq!(stopwatch.worked(at(8)), Some(Duration::from_secs(3)));
    }

    #[tokio::test]
    async fn work_that_takes_too_long_is_cut_off() {
        let mut work = pin!(within(LIMIT, pending::<()>()));
        assert!(poll!(work.as_mut()).is_pending());
        time::pass(LIMIT * 9 / 10);
        assert!(poll!(work.as_mut()).is_pending());
        time::pass(LIMIT / 10);
        assert_eq!(poll!(work.as_mut()), std::task::Poll::Ready(Err(Late)));
    }

    #[tokio::test]
    async fn what_is_waited_for_a_turn_counts_neither_here_nor_around() {
        let (give, turn) = oneshot::channel::<()>();
        let work = within(LIMIT, async {
            waiting(turn).await.unwrap();
            pending::<()>().await;
        });
        let mut work = pin!(within(2 * LIMIT, work));
        assert!(poll!(work.as_mut()).is_pending());
        time::pass(9 * LIMIT);
        assert!(poll!(work.as_mut()).is_pending(), "waiting counts");
        give.send(()).unwrap();
        assert!(poll!(work.as_mut()).is_pending());
        time::pass(LIMIT);
        let ended = work.now_or_never().expect("the clock goes on");
        assert_eq!(
            ended,
            Ok(Err(Late)),
            "the inner one is over, and the outer one isn't"
        );
    }

    #[tokio::test]
    async fn what_another_task_waits_for_this_one_does_not_count() {
        let (give, turn) = oneshot::channel::<()>();
        let mut work = pin!(within(LIMIT, async {
            tokio::spawn(carried(waiting(turn))).await
        }));
        assert!(poll!(work.as_mut()).is_pending());
        tokio::task::yield_now().await;
        time::pass(9 * LIMIT);
        assert!(poll!(work.as_mut()).is_pending(), "waiting counts");
        give.send(()).unwrap();
        work.await.expect("in time").unwrap().unwrap();
    }

    #[tokio::test]
    async fn who_gives_up_waiting_has_the_clock_go_on() {
        let mut work = pin!(within(LIMIT, async {
            assert!(waiting(pending::<()>()).now_or_never().is_none());
            pending::<()>().await;
        }));
        assert!(poll!(work.as_mut()).is_pending());
        time::pass(LIMIT);
        assert_eq!(work.now_or_never(), Some(Err(Late)));
    }
}
