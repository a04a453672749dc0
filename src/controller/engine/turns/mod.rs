//! Who may write to which Grafana, and writes that nobody cuts off.

use std::collections::HashMap;
use std::panic::resume_unwind;
use std::sync::{Arc, Weak};

use parking_lot::Mutex;

use crate::deadline;
use crate::grafana::approach::{self, Approaches};
use crate::grafana::turns::{GroupRights, Right, Rights};
use crate::telemetry::spans;

pub mod crowd;

/// The rights to write to one Grafana. All connections to it share them, so that one that is made anew, with another token for example,
/// waits for what is under way by the one before.
#[derive(Debug, Default)]
pub struct GrafanaRights {
    /// To write contact points and policies, which are one document in Grafana.
    pub notifications: Right,
    /// To create folders.
    pub folders: Right,
    /// To write rule groups: the clients take these turns.
    pub groups: Arc<GroupRights>,
    /// Which passes may soon write a rule.
    pub approaches: Approaches,
    /// To write a rule, by its uid, or silences, by their author.
    pub objects: Rights<String>,
}

/// The rights that are in use, by Grafana's address. Which organisation a connection is for is not known before Grafana has answered, and
/// to wait for another one's writes harms nobody.
#[derive(Debug, Default)]
pub struct AllRights(Mutex<HashMap<String, Weak<GrafanaRights>>>);

impl AllRights {
    /// The rights of the Grafana at an address.
    pub fn of(&self, address: &str) -> Arc<GrafanaRights> {
        let mut all = self.0.lock();
        all.retain(|_, rights| rights.strong_count() > 0);
        let slot = all.entry(address.to_owned()).or_default();
        slot.upgrade().unwrap_or_else(|| {
            let rights = Arc::new(GrafanaRights::default());
            *slot = Arc::downgrade(&rights);
            rights
        })
    }
}

/// Does this to its end, also where whoever waits for it is cut off: what was sent can't be called back.
pub async fn to_its_end<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> T {
    match tokio::spawn(spans::carried(approach::carried(deadline::carried(work)))).await {
        Ok(done) => done,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => resume_unwind(panic),
            // The process ends, and takes whoever waits here with it.
            Err(_) => std::future::pending().await,
        },
    }
}

#[cfg(test)]
mod tests {
    use tokio_util::sync::CancellationToken;

    use super::*;

    #[tokio::test]
    async fn a_connection_that_is_made_anew_waits_for_the_writes_of_the_one_before() {
        let all = AllRights::default();
        let before = all.of("http://grafana");
        let writes = before.notifications.lock().await;
        let renewed = all.of("http://grafana");
        drop(before);
        let mut waits = Box::pin(renewed.notifications.lock());
        assert!(futures::poll!(waits.as_mut()).is_pending());
        let other = all.of("http://another");
        other.notifications.lock().await;
        drop(writes);
        waits.await;
    }

    #[tokio::test]
    async fn work_goes_on_when_whoever_waits_for_it_is_cut_off() {
        let (go_on, done) = (CancellationToken::new(), CancellationToken::new());
        let (started, finished) = (go_on.clone(), done.clone());
        let mut waiting = Box::pin(to_its_end(async move {
            started.cancelled().await;
            finished.cancel();
        }));
        assert!(futures::poll!(waiting.as_mut()).is_pending());
        drop(waiting);
        go_on.cancel();
        done.cancelled().await;
    }

    #[tokio::test]
    async fn work_that_is_done_to_its_end_waits_by_the_clock_of_whoever_waits_for_it() {
        let limit = std::time::Duration::from_secs(30);
        let right = Arc::new(Right::default());
        let held = right.lock().await;
        let wanted = right.clone();
        let write = to_its_end(async move { drop(wanted.lock().await) });
        let mut pass = Box::pin(deadline::within(limit, write));
        assert!(futures::poll!(pass.as_mut()).is_pending());
        tokio::task::yield_now().await;
        deadline::time::pass(limit);
        assert!(futures::poll!(pass.as_mut()).is_pending(), "waiting counts");
        drop(held);
        pass.await.expect("in time");
    }
}
