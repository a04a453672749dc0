//! Leader election by a Lease: of several replicas one writes, and the others wait.
//!
//! kube has no leader election. What is decided here is one pure function; the rest reads and writes the Lease, always with the resourceVersion that was
//! read, so that of two replicas only one can win. Whether the holder is gone is judged by when this process last saw it renew, not by comparing clocks.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use kube::api::PostParams;
use kube::{Api, Client};
use parking_lot::Mutex;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::answer::{chain, is_conflict, is_missing};

/// The name of the Lease.
pub const NAME: &str = "alertwright";
/// How long a holder that doesn't renew keeps the Lease.
pub const DURATION: Duration = Duration::from_secs(12);
/// How often the holder renews.
const RENEW: Duration = Duration::from_secs(3);
/// How soon the holder tries again when a renewal failed.
const RETRY: Duration = Duration::from_millis(500);
/// How long the holder goes on without having renewed: well before another can take over.
const GIVE_UP: Duration = Duration::from_secs(8);
/// How often a replica that waits looks.
const LOOK: Duration = Duration::from_secs(1);
/// One that dies right after a renewal, which is seen at the next look, is followed within 15 s.
const _: () = assert!(2 * LOOK.as_secs() + DURATION.as_secs() < 15);
/// How long a request may take. One that isn't answered leaves time for another before the holder gives up.
const REQUEST: Duration = Duration::from_secs(3);

/// What to do about a Lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// It is free, expired or ours from before: take it.
    Take,
    /// Somebody else holds it.
    Wait,
}

/// How an attempt to take the Lease went.
enum Attempt {
    Won,
    /// By somebody else; empty where it changed hands this moment.
    Held(String),
}

/// How a renewal went.
enum Renewal {
    Done,
    /// Somebody else wrote the Lease meanwhile; it is to be read again.
    Raced,
    /// It isn't ours any more; the text says why.
    Lost(String),
}

/// The holder's last sign of life, and when this process saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Seen {
    renewed: Option<MicroTime>,
    at: Instant,
}

/// What to do about the Lease that was read.
fn decide(lease: &LeaseSpec, me: &str, seen: &Seen, now: Instant) -> Step {
    let holder = lease.holder_identity.as_deref().unwrap_or_default();
    if holder.is_empty() || holder == me {
        return Step::Take;
    }
    let seconds = lease
        .lease_duration_seconds
        .and_then(|s| u64::try_from(s).ok())
        .unwrap_or(DURATION.as_secs());
    if now.duration_since(seen.at) > Duration::from_secs(seconds) {
        Step::Take
    } else {
        Step::Wait
    }
}

/// How long this process may write, as far as it can know without asking.
///
/// A process that was stopped for a while (a paused container, a starved node, a suspended machine) goes on where it was, and
/// doesn't know yet that another replica has taken over meanwhile. So what it writes asks here first.
#[derive(Default)]
pub struct Term {
    /// When the last renewal that succeeded began; without leader election there is none.
    renewed: Mutex<Option<Moment>>,
}

/// A moment by two clocks: one never jumps but may stand still while the machine is suspended, the other one goes on.
#[derive(Debug, Clone, Copy)]
struct Moment {
    monotonic: Instant,
    wall: Timestamp,
}

impl Moment {
    fn now() -> Self {
        Self {
            monotonic: Instant::now(),
            wall: Timestamp::now(),
        }
    }

    /// How long ago an earlier moment was, by the clock that says more.
    fn since(&self, earlier: &Self) -> Duration {
        let wall = self.wall.duration_since(earlier.wall);
        self.monotonic
            .duration_since(earlier.monotonic)
            .max(Duration::try_from(wall).unwrap_or_default())
    }
}

impl Term {
    /// Whether the Lease can't have been taken by another yet, or there is no leader election.
    pub fn holds(&self) -> bool {
        self.holds_at(&Moment::now())
    }

    fn holds_at(&self, now: &Moment) -> bool {
        self.renewed.lock().is_none_or(|at| now.since(&at) <= GIVE_UP)
    }

    fn renewed(&self, began: Moment) {
        *self.renewed.lock() = Some(began);
    }

    /// Ends it: from now on nothing may be written.
    pub fn end(&self) {
        let past = Moment {
            monotonic: Instant::now(),
            wall: Timestamp::UNIX_EPOCH,
        };
        self.renewed(past);
    }
}

/// How holding the Lease ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// The process was asked to stop; the Lease is still ours.
    Stopped,
    /// The Lease isn't ours any more, or may not be: this process must write no more. The text says why.
    Lost(String),
}

/// One replica's part in the election.
pub struct Election {
    api: Api<Lease>,
    me: String,
    term: Arc<Term>,
    /// The Lease as we wrote it last.
    held: Mutex<Option<Lease>>,
}

impl Election {
    /// The election among the replicas in this namespace. `me` differs from replica to replica, and stays the same when a
    /// container is restarted: what it held before is its own at once.
    pub fn new(client: &Client, namespace: &str, me: String) -> Self {
        Self {
            api: Api::namespaced(client.clone(), namespace),
            me,
            term: Arc::default(),
            held: Mutex::default(),
        }
    }

    /// How long this replica may write, once it has won.
    pub fn term(&self) -> Arc<Term> {
        self.term.clone()
    }

    /// Waits until the Lease is ours, and says whom for, or why it can't be had. `told` hears of that trouble, or that there is none.
    pub async fn win(&self, told: impl Fn(Option<&str>)) {
        let mut seen: Option<Seen> = None;
        let mut last = None;
        loop {
            let began = Moment::now();
            let state = match timeout(REQUEST, self.attempt(&mut seen)).await {
                Ok(Ok(Attempt::Won)) => return self.term.renewed(began),
                Ok(Ok(Attempt::Held(holder))) => Ok(holder),
                Ok(Err(error)) => Err(chain(&error)),
                Err(_) => Err("no answer in time".to_owned()),
            };
            if last.as_ref() != Some(&state) {
                match &state {
                    Ok(holder) => info!(holder, "waiting for the lease"),
                    Err(error) => warn!(error, "cannot take the lease"),
                }
            }
            told(state.as_ref().err().map(String::as_str));
            last = Some(state);
            sleep(LOOK).await;
        }
    }

    async fn attempt(&self, seen: &mut Option<Seen>) -> kube::Result<Attempt> {
        let Some(lease) = self.api.get_opt(NAME).await? else {
            let mut lease = Lease {
                spec: Some(self.claim(None)),
                ..Lease::default()
            };
            lease.metadata.name = Some(NAME.to_owned());
            return self.won(self.api.create(&PostParams::default(), &lease).await);
        };
        let spec = lease.spec.clone().unwrap_or_default();
        let now = Instant::now();
        let last = match seen.take() {
            Some(last) if last.renewed == spec.renew_time => last,
            _ => Seen {
                renewed: spec.renew_time.clone(),
                at: now,
            },
        };
        let step = decide(&spec, &self.me, &last, now);
        *seen = Some(last);
        if step == Step::Wait {
            return Ok(Attempt::Held(spec.holder_identity.unwrap_or_default()));
        }
        let next = Lease {
            spec: Some(self.claim(Some(&spec))),
            ..lease
        };
        self.won(self.api.replace(NAME, &PostParams::default(), &next).await)
    }

    /// A conflict means that another replica was faster.
    fn won(&self, result: kube::Result<Lease>) -> kube::Result<Attempt> {
        match result {
            Ok(lease) => {
                info!(holder = self.me, "holding the lease");
                *self.held.lock() = Some(lease);
                Ok(Attempt::Won)
            }
            Err(error) if is_conflict(&error) => Ok(Attempt::Held(String::new())),
            Err(error) => Err(error),
        }
    }

    fn claim(&self, before: Option<&LeaseSpec>) -> LeaseSpec {
        let now = MicroTime(Timestamp::now());
        let is_ours = before.and_then(|spec| spec.holder_identity.as_deref()) == Some(self.me.as_str());
        let transitions = before.and_then(|spec| spec.lease_transitions).unwrap_or(0);
        LeaseSpec {
            holder_identity: Some(self.me.clone()),
            lease_duration_seconds: i32::try_from(DURATION.as_secs()).ok(),
            acquire_time: before
                .filter(|_| is_ours)
                .and_then(|spec| spec.acquire_time.clone())
                .or(Some(now.clone())),
            renew_time: Some(now),
            lease_transitions: Some(if is_ours { transitions } else { transitions + 1 }),
            ..LeaseSpec::default()
        }
    }

    /// Renews until `stop`, or until the Lease is lost.
    pub async fn keep(&self, stop: &CancellationToken) -> End {
        let mut pause = RENEW;
        loop {
            tokio::select! {
                () = stop.cancelled() => return End::Stopped,
                () = sleep(pause) => {}
            }
            let began = Moment::now();
            pause = RETRY;
            match timeout(REQUEST, self.renew()).await {
                Ok(Ok(Renewal::Done)) => {
                    self.term.renewed(began);
                    pause = RENEW;
                }
                Ok(Ok(Renewal::Raced)) => warn!("somebody else writes the lease"),
                Ok(Ok(Renewal::Lost(why))) => {
                    self.term.end();
                    return End::Lost(why);
                }
                Ok(Err(error)) => warn!(error = chain(&error), "cannot renew the lease"),
                Err(_) => warn!("cannot renew the lease in time"),
            }
            if !self.term.holds() {
                self.term.end();
                return End::Lost(format!(
                    "the Lease could not be renewed for {} s",
                    GIVE_UP.as_secs()
                ));
            }
        }
    }

    /// One renewal: one request, as long as nobody else writes the Lease.
    async fn renew(&self) -> kube::Result<Renewal> {
        let held = self.held.lock().clone();
        if let Some(lease) = held
            && self.write(lease).await?
        {
            return Ok(Renewal::Done);
        }
        let lease = match self.api.get(NAME).await {
            Ok(lease) => lease,
            Err(error) if is_missing(&error) => return Ok(Renewal::Lost("the Lease was deleted".into())),
            Err(error) => return Err(error),
        };
        let holder = lease.spec.as_ref().and_then(|spec| spec.holder_identity.clone());
        if holder.as_deref() != Some(self.me.as_str()) {
            let holder = holder.unwrap_or_default();
            return Ok(Renewal::Lost(format!(
                "another replica holds the Lease: {holder}"
            )));
        }
        // Our own write whose answer was lost, or somebody's annotation.
        let is_written = self.write(lease).await?;
        Ok(if is_written { Renewal::Done } else { Renewal::Raced })
    }

    /// Writes our claim over the Lease that was read; `false` where it has changed since, or is gone.
    async fn write(&self, lease: Lease) -> kube::Result<bool> {
        let next = Lease {
            spec: Some(self.claim(lease.spec.as_ref())),
            ..lease
        };
        match self.api.replace(NAME, &PostParams::default(), &next).await {
            Ok(lease) => {
                *self.held.lock() = Some(lease);
                Ok(true)
            }
            Err(error) if is_conflict(&error) || is_missing(&error) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Lets go, so that the next replica needn't wait.
    pub async fn release(&self) {
        self.term.end();
        let release = async {
            let lease = self.api.get(NAME).await?;
            let spec = lease.spec.clone().unwrap_or_default();
            if spec.holder_identity.as_deref() != Some(self.me.as_str()) {
                return Ok(());
            }
            let spec = LeaseSpec {
                holder_identity: Some(String::new()),
                ..spec
            };
            let next = Lease {
                spec: Some(spec),
                ..lease
            };
            self.api
                .replace(NAME, &PostParams::default(), &next)
                .await
                .map(|_| ())
        };
        match timeout(REQUEST, release).await {
            Ok(Ok(())) => info!("let go of the lease"),
            Ok(Err::<(), kube::Error>(error)) => warn!(error = chain(&error), "cannot let go of the lease"),
            Err(_) => warn!("cannot let go of the lease in time"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lease(holder: &str) -> LeaseSpec {
        LeaseSpec {
            holder_identity: Some(holder.into()),
            lease_duration_seconds: Some(15),
            ..LeaseSpec::default()
        }
    }

    fn seen(now: Instant, ago: u64) -> Seen {
        Seen {
            renewed: None,
            at: now.checked_sub(Duration::from_secs(ago)).unwrap(),
        }
    }

    #[test]
    fn a_lease_is_taken_when_it_is_free_ours_or_silent_for_too_long() {
        let now = Instant::now() + Duration::from_secs(100);
        for (holder, ago, step) in [
            ("", 0, Step::Take),
            ("me", 0, Step::Take),
            ("other", 0, Step::Wait),
            ("other", 15, Step::Wait),
            ("other", 16, Step::Take),
        ] {
            assert_eq!(
                decide(&lease(holder), "me", &seen(now, ago), now),
                step,
                "{holder} {ago}"
            );
        }
    }

    fn later(moment: &Moment, by: Duration) -> Moment {
        Moment {
            monotonic: moment.monotonic + by,
            wall: moment.wall + by,
        }
    }

    #[test]
    fn a_term_ends_by_itself_and_goes_on_with_each_renewal() {
        let term = Term::default();
        let began = Moment::now();
        let end = later(&began, GIVE_UP);
        let after = later(&end, Duration::from_millis(1));
        assert!(term.holds_at(&after), "without leader election there is no end");
        term.renewed(began);
        assert!(term.holds_at(&end));
        assert!(!term.holds_at(&after));
        term.renewed(end);
        assert!(term.holds_at(&after));
        term.end();
        assert!(!term.holds());
    }

    #[test]
    fn a_term_ends_while_the_machine_is_suspended_though_one_clock_stands_still() {
        let term = Term::default();
        let began = Moment::now();
        term.renewed(began);
        let awake = Moment {
            monotonic: began.monotonic + Duration::from_secs(1),
            ..later(&began, GIVE_UP * 2)
        };
        assert!(!term.holds_at(&awake));
        let set_back = Moment {
            wall: Timestamp::UNIX_EPOCH,
            ..later(&began, GIVE_UP)
        };
        assert!(term.holds_at(&set_back), "a clock that is set back ends nothing");
    }

    #[test]
    fn a_holder_gives_up_before_another_can_take_over_and_not_for_one_lost_answer() {
        assert!(GIVE_UP + REQUEST < DURATION);
        assert!(RENEW + REQUEST + RETRY < GIVE_UP);
    }
}
