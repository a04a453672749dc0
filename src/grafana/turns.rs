//! Who may write, one after the other, and who else does.

use std::collections::{BTreeSet, HashMap};
use std::hash::Hash;
use std::sync::{Arc, Weak};

use parking_lot::Mutex;
use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};

use crate::deadline;
use crate::grafana::approach::Approaches;

/// A right that one at a time has.
#[derive(Debug, Default)]
pub struct Right(Arc<AsyncMutex<()>>);

/// The right, had. It is given back when the last clone is gone.
#[derive(Debug, Clone)]
pub struct Turn {
    _guards: Arc<Vec<OwnedMutexGuard<()>>>,
}

impl Turn {
    fn of(guards: Vec<OwnedMutexGuard<()>>) -> Self {
        Self {
            _guards: Arc::new(guards),
        }
    }
}

impl Right {
    /// Waits for it.
    pub async fn lock(&self) -> Turn {
        Turn::of(vec![take(self.0.clone()).await])
    }

    /// Has it, if nobody else does.
    pub fn try_lock(&self) -> Option<Turn> {
        let guard = self.0.clone().try_lock_owned().ok()?;
        Some(Turn::of(vec![guard]))
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

impl<K: Eq + Hash + Ord> Rights<K> {
    /// Waits for one.
    pub async fn lock(&self, key: K) -> Turn {
        self.lock_all([key]).await
    }

    /// Waits for several, each after the other: always in one order, so that nobody waits for whoever waits for it.
    pub async fn lock_all(&self, keys: impl IntoIterator<Item = K>) -> Turn {
        let keys: BTreeSet<K> = keys.into_iter().collect();
        let mut guards = Vec::with_capacity(keys.len());
        for key in keys {
            guards.push(take(self.right(key)).await);
        }
        Turn::of(guards)
    }

    /// Has it, if nobody else does.
    pub fn try_lock(&self, key: K) -> Option<Turn> {
        let guard = self.right(key).try_lock_owned().ok()?;
        Some(Turn::of(vec![guard]))
    }

    fn right(&self, key: K) -> Arc<AsyncMutex<()>> {
        let mut rights = self.0.lock();
        rights.retain(|_, right| right.strong_count() > 0);
        let slot = rights.entry(key).or_default();
        slot.upgrade().unwrap_or_else(|| {
            let right = Arc::new(AsyncMutex::new(()));
            *slot = Arc::downgrade(&right);
            right
        })
    }
}

/// The rights to write rule groups, by folder uid and name.
pub type GroupRights = Rights<(String, String)>;

/// What a client needs to know of all that write to the same Grafana. By default nobody else does, and nothing is ours.
#[derive(Clone)]
pub struct Company {
    /// Whether a mark, which a rule has in its label [`OWNER_LABEL`](crate::grafana::api::OWNER_LABEL), says that the rule is ours.
    pub is_ours: Arc<dyn Fn(&str) -> bool + Send + Sync>,
    /// Whether a uid is of our making, so that a rule that isn't found under it is nobody else's.
    pub makes_uid: fn(&str) -> bool,
    /// Who may write which rule group. All clients of one Grafana share it.
    pub groups: Arc<GroupRights>,
    /// Who may soon write a rule.
    pub approaches: Approaches,
}

impl Default for Company {
    fn default() -> Self {
        Self {
            is_ours: Arc::new(|_| false),
            makes_uid: |_| false,
            groups: Arc::default(),
            approaches: Approaches::default(),
        }
    }
}

async fn take(right: Arc<AsyncMutex<()>>) -> OwnedMutexGuard<()> {
    deadline::waiting(right.lock_owned()).await
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

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
    async fn who_needs_two_rights_gets_them_in_the_same_order_whichever_way_round_they_are_named() {
        let rights = Rights::default();
        let first = rights.lock("b").await;
        let mut one = Box::pin(rights.lock_all(["b", "a"]));
        assert!(futures::poll!(one.as_mut()).is_pending());
        let mut other = Box::pin(rights.lock_all(["a", "b"]));
        assert!(futures::poll!(other.as_mut()).is_pending());
        drop(first);
        let turn = one.now_or_never().expect("each has what the other waits for");
        assert!(futures::poll!(other.as_mut()).is_pending());
        drop(turn);
        other.now_or_never().expect("nobody has them");
        let twice = rights.lock_all(["a", "a"]).now_or_never();
        twice.expect("whoever has one waits for itself");
    }
}
