//! Leader election by a Lease: of several replicas one writes, and the others wait.
//!
//! kube has no leader election. What is decided here is one pure function; the rest reads and writes the Lease, always with
//! the resourceVersion that was read, so that of two replicas only one can win. Whether the holder is gone is judged by when
//! this process last saw it renew, not by comparing clocks.

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

/// The name of the Lease.
const NAME: &str = "alertwright";
/// How long a holder that doesn't renew keeps the Lease.
const DURATION: Duration = Duration::from_secs(15);
/// How often the holder renews.
const RENEW: Duration = Duration::from_secs(5);
/// How long the holder goes on without having renewed: well before another can take over.
const GIVE_UP: Duration = Duration::from_secs(10);
/// How often a replica that waits looks.
const LOOK: Duration = Duration::from_secs(2);
/// How long a request may take.
const REQUEST: Duration = Duration::from_secs(4);

/// What to do about a Lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// It is free, expired or ours from before: take it.
    Take,
    /// Somebody else holds it.
    Wait,
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
/// A process that was stopped for a while (a paused container, a starved node) goes on where it was, and doesn't know yet that
/// another replica has taken over meanwhile. So what it writes asks here first.
#[derive(Default)]
pub struct Term {
    /// When the last renewal that succeeded began; without leader election there is none.
    renewed: Mutex<Option<Instant>>,
}

impl Term {
    /// Whether the Lease can't have been taken by another yet, or there is no leader election.
    pub fn holds(&self) -> bool {
        self.holds_at(Instant::now())
    }

    fn holds_at(&self, now: Instant) -> bool {
        self.renewed
            .lock()
            .is_none_or(|at| now.duration_since(at) <= GIVE_UP)
    }

    fn renewed(&self, began: Instant) {
        *self.renewed.lock() = Some(began);
    }
}

/// One replica's part in the election.
pub struct Election {
    api: Api<Lease>,
    me: String,
    term: Arc<Term>,
}

impl Election {
    /// The election among the replicas in this namespace. `me` differs from replica to replica, and stays the same when a
    /// container is restarted: what it held before is its own at once.
    pub fn new(client: &Client, namespace: &str, me: String) -> Self {
        Self {
            api: Api::namespaced(client.clone(), namespace),
            me,
            term: Arc::default(),
        }
    }

    /// How long this replica may write, once it has won.
    pub fn term(&self) -> Arc<Term> {
        self.term.clone()
    }

    /// Waits until the Lease is ours.
    pub async fn win(&self) {
        let mut seen: Option<Seen> = None;
        loop {
            let began = Instant::now();
            match timeout(REQUEST, self.attempt(&mut seen)).await {
                Ok(Ok(true)) => return self.term.renewed(began),
                Ok(Ok(false)) => {}
                Ok(Err(error)) => warn!(error = %error, "cannot take the lease"),
                Err(_) => warn!("cannot take the lease in time"),
            }
            sleep(LOOK).await;
        }
    }

    async fn attempt(&self, seen: &mut Option<Seen>) -> kube::Result<bool> {
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
            return Ok(false);
        }
        let next = Lease {
            spec: Some(self.claim(Some(&spec))),
            ..lease
        };
        self.won(self.api.replace(NAME, &PostParams::default(), &next).await)
    }

    /// A conflict means that another replica was faster.
    fn won(&self, result: kube::Result<Lease>) -> kube::Result<bool> {
        match result {
            Ok(_) => {
                info!(holder = self.me, "holding the lease");
                Ok(true)
            }
            Err(kube::Error::Api(status)) if status.is_conflict() || status.is_already_exists() => Ok(false),
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

    /// Renews until `stop`, then lets go of the Lease. Returns `false` when it was lost: this process must write no more.
    pub async fn keep(&self, stop: &CancellationToken) -> bool {
        loop {
            tokio::select! {
                () = stop.cancelled() => return true,
                () = sleep(RENEW) => {}
            }
            let began = Instant::now();
            match timeout(REQUEST, self.renew()).await {
                Ok(Ok(true)) => self.term.renewed(began),
                Ok(Ok(false)) => {
                    warn!("another replica holds the lease");
                    return false;
                }
                Ok(Err(error)) => warn!(error = %error, "cannot renew the lease"),
                Err(_) => warn!("cannot renew the lease in time"),
            }
            if !self.term.holds() {
                warn!("the lease could not be renewed");
                return false;
            }
        }
    }

    async fn renew(&self) -> kube::Result<bool> {
        let lease = self.api.get(NAME).await?;
        let spec = lease.spec.clone().unwrap_or_default();
        if spec.holder_identity.as_deref() != Some(self.me.as_str()) {
            return Ok(false);
        }
        let next = Lease {
            spec: Some(self.claim(Some(&spec))),
            ..lease
        };
        self.api
            .replace(NAME, &PostParams::default(), &next)
            .await
            .map(|_| true)
    }

    /// Lets go, so that the next replica needn't wait.
    pub async fn release(&self) {
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
            self.api
                .replace(
                    NAME,
                    &PostParams::default(),
                    &Lease {
                        spec: Some(spec),
                        ..lease
                    },
                )
                .await
                .map(|_| ())
        };
        match timeout(REQUEST, release).await {
            Ok(Ok(())) => info!("let go of the lease"),
            Ok(Err::<(), kube::Error>(error)) => warn!(error = %error, "cannot let go of the lease"),
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

    #[test]
    fn a_term_ends_by_itself_and_goes_on_with_each_renewal() {
        let term = Term::default();
        let began = Instant::now();
        let end = began + GIVE_UP;
        let later = end + Duration::from_millis(1);
        assert!(term.holds_at(later), "without leader election there is no end");
        term.renewed(began);
        assert!(term.holds_at(end));
        assert!(!term.holds_at(later));
        term.renewed(end);
        assert!(term.holds_at(later));
    }

    #[test]
    fn a_holder_gives_up_before_another_can_take_over() {
        assert!(GIVE_UP + REQUEST < DURATION);
        assert!(RENEW + REQUEST < GIVE_UP);
    }
}
