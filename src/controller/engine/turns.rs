//! Who may write, one after the other, and writes that nobody cuts off.

use std::collections::HashMap;
use std::hash::Hash;
use std::panic::resume_unwind;
use std::sync::{Arc, Weak};

use parking_lot::Mutex;
use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};

use crate::deadline;

/// A right that one at a time has.
#[derive(Debug, Default)]
pub struct Right(Arc<AsyncMutex<()>>);

/// The right, had. It is given back when the last clone is gone.
#[derive(Debug, Clone)]
pub struct Turn {
    _guard: Arc<OwnedMutexGuard<()>>,
}

impl Right {
    /// Waits for it.
    pub async fn lock(&self) -> Turn {
        take(self.0.clone()).await
    }
}

/// Rights by what they are for. Those that nobody has or waits for take no room.
#[derive(Debug)]
pub struct Rights<K>(Mutex<HashMap<K, Weak<AsyncMutex<()>>>>);

impl<K> Default for Rights<K> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Eq + Hash> Rights<K> {
    /// Waits for one.
    pub async fn lock(&self, key: K) -> Turn {
        let right = {
            let mut rights = self.0.lock();
            rights.retain(|_, right| right.strong_count() > 0);
            let slot = rights.entry(key).or_default();
            slot.upgrade().unwrap_or_else(|| {
                let right = Arc::new(AsyncMutex::new(()));
                *slot = Arc::downgrade(&right);
                right
            })
        };
        take(right).await
    }
}

/// The rights to write to one Grafana. All connections to it share them, so that one that is made anew, with another token for example,
/// waits for what is under way by the one before.
#[derive(Debug, Default)]
pub struct GrafanaRights {
    /// To write contact points and policies, which are one document in Grafana.
    pub notifications: Right,
    /// To create folders.
    pub folders: Right,
    /// To write rule groups, by folder uid and title.
    pub groups: Rights<(String, String)>,
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

async fn take(right: Arc<AsyncMutex<()>>) -> Turn {
    Turn {
        _guard: Arc::new(deadline::waiting(right.lock_owned()).await),
    }
}

/// Does this to its end, also where whoever waits for it is cut off: what was sent can't be called back.
pub async fn to_its_end<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> T {
    match tokio::spawn(deadline::carried(work)).await {
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
    async fn a_right_is_given_back_with_the_last_that_holds_it() {
        let rights = Rights::default();
        let first = rights.lock("a").await;
        let kept = first.clone();
        drop(first);
        let other = rights.lock("b").await;
        let mut second = Box::pin(rights.lock("a"));
        assert!(futures::poll!(second.as_mut()).is_pending());
        drop((kept, other));
        second.await;
        rights.lock("c").await;
        assert_eq!(rights.0.lock().len(), 1, "those that nobody has take no room");
    }

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
    async fn who_gives_up_leaves_the_queue_and_the_others_keep_their_order() {
        let right = Right::default();
        let held = right.lock().await;
        let mut waiting: Vec<_> = (0..3).map(|_| Box::pin(right.lock())).collect();
        for turn in &mut waiting {
            assert!(futures::poll!(turn.as_mut()).is_pending());
        }
        drop(waiting.remove(1));
        drop(held);
        assert!(
            futures::poll!(waiting[1].as_mut()).is_pending(),
            "the last is not the next"
        );
        let first = waiting.remove(0).await;
        assert!(futures::poll!(waiting[0].as_mut()).is_pending());
        drop(first);
        waiting.remove(0).await;
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
