//! Who is on the way to a write. Whoever could write for several at once waits a little for them.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures::future::Either;
use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::deadline;

/// How long others are waited for while none of them gets anywhere.
const QUIET: Duration = Duration::from_secs(1);
/// How often that is, at most: who comes much later than the first is waited for by nobody.
const MOST: usize = 20;

tokio::task_local! {
    static HERE: Approach;
}

/// All who are on the way to one Grafana.
#[derive(Debug, Clone, Default)]
pub struct Approaches(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    count: Mutex<Count>,
    nobody: Notify,
}

#[derive(Debug, Default, Clone, Copy)]
struct Count {
    on_the_way: usize,
    /// How many were, and are no longer.
    before: u64,
}

impl Approaches {
    /// Begins one more.
    pub fn begin(&self) -> Approach {
        self.0.count.lock().on_the_way += 1;
        Approach(Arc::new(Mutex::new(Held {
            way: Some(Way(self.0.clone())),
            place: None,
        })))
    }

    /// Waits until nobody is on the way. Who gets nowhere is waited for no longer than a second, and all of them together for twenty times that.
    pub async fn settled(&self) {
        let mut seen = None;
        for _ in 0..MOST {
            let mut nobody = std::pin::pin!(self.0.nobody.notified());
            nobody.as_mut().enable();
            let count = *self.0.count.lock();
            if count.on_the_way == 0 || seen == Some(count.before) {
                return;
            }
            seen = Some(count.before);
            tokio::select! {
                biased;
                () = nobody => return,
                () = deadline::sleep(QUIET) => {}
            }
        }
    }
}

/// One counts as on the way until this is dropped.
#[derive(Debug)]
struct Way(Arc<Shared>);

impl Drop for Way {
    fn drop(&mut self) {
        let mut count = self.0.count.lock();
        count.on_the_way = count.on_the_way.saturating_sub(1);
        count.before += 1;
        if count.on_the_way == 0 {
            self.0.nobody.notify_waiters();
        }
    }
}

/// That somebody may soon write; clones are the same one. With the last of them it ends.
#[derive(Clone, Default)]
pub struct Approach(Arc<Mutex<Held>>);

#[derive(Default)]
struct Held {
    way: Option<Way>,
    place: Option<Box<dyn Send>>,
}

impl fmt::Debug for Approach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let held = self.0.lock();
        f.debug_struct("Approach")
            .field("is_on_the_way", &held.way.is_some())
            .field("has_place", &held.place.is_some())
            .finish()
    }
}

impl Approach {
    /// Does this as what it is on the way for: [`arrived`] ends it.
    pub fn scope<T>(&self, work: impl Future<Output = T>) -> impl Future<Output = T> {
        HERE.scope(self.clone(), work)
    }

    /// Holds this until it [arrives](arrived).
    pub fn hold(&self, place: impl Send + 'static) {
        self.0.lock().place = Some(Box::new(place));
    }

    /// Whether it holds something.
    pub fn holds(&self) -> bool {
        self.0.lock().place.is_some()
    }

    /// Gives back what it holds.
    pub fn let_go(&self) {
        let place = self.0.lock().place.take();
        drop(place);
    }

    /// Is no longer waited for.
    pub fn ends(&self) {
        let way = self.0.lock().way.take();
        drop(way);
    }
}

/// The approach that this task has.
pub fn here() -> Option<Approach> {
    HERE.try_with(Clone::clone).ok()
}

/// Notes that whoever is on the way here waits with the others from now on, and needs nothing meanwhile.
pub fn arrived() {
    if let Some(approach) = here() {
        approach.ends();
        approach.let_go();
    }
}

/// The work as it is to be done in another task for the one that calls this: what arrives there arrives here.
pub fn carried<T>(work: impl Future<Output = T>) -> impl Future<Output = T> {
    match here() {
        Some(approach) => Either::Left(HERE.scope(approach, work)),
        None => Either::Right(work),
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use futures::{FutureExt, poll};

    use super::*;
    use crate::deadline::time;

    #[tokio::test]
    async fn with_nobody_on_the_way_nobody_waits() {
        let approaches = Approaches::default();
        assert!(approaches.settled().now_or_never().is_some());
        drop(approaches.begin());
        assert!(approaches.settled().now_or_never().is_some());
    }

    #[tokio::test]
    async fn all_are_waited_for_until_they_arrive_or_end() {
        let approaches = Approaches::default();
        let (one, other) = (approaches.begin(), approaches.begin());
        let mut settled = pin!(approaches.settled());
        assert!(poll!(settled.as_mut()).is_pending());
        one.scope(async { arrived() }).await;
        assert!(poll!(settled.as_mut()).is_pending(), "one of two is on the way");
        drop(other);
        assert!(settled.now_or_never().is_some());
    }

    #[tokio::test]
    async fn what_arrives_in_another_task_arrives_here() {
        let approaches = Approaches::default();
        let approach = approaches.begin();
        approach.hold("a place");
        approach
            .scope(async { tokio::spawn(carried(async { arrived() })).await })
            .await
            .unwrap();
        assert!(approaches.settled().now_or_never().is_some());
        assert!(!approach.holds(), "who waits needs no place");
    }

    #[tokio::test]
    async fn who_gets_nowhere_is_not_waited_for_long() {
        let approaches = Approaches::default();
        let _stuck = approaches.begin();
        let mut settled = pin!(approaches.settled());
        assert!(poll!(settled.as_mut()).is_pending());
        time::pass(QUIET * 9 / 10);
        assert!(poll!(settled.as_mut()).is_pending());
        time::pass(QUIET / 10);
        assert!(settled.now_or_never().is_some());
    }

    #[tokio::test]
    async fn while_others_come_the_rest_is_waited_for_but_not_for_ever() {
        let approaches = Approaches::default();
        let _stuck = approaches.begin();
        let mut settled = pin!(approaches.settled());
        for _ in 1..MOST {
            drop(approaches.begin());
            assert!(poll!(settled.as_mut()).is_pending());
            time::pass(QUIET);
            drop(approaches.begin());
        }
        assert!(poll!(settled.as_mut()).is_pending());
        drop(approaches.begin());
        time::pass(QUIET);
        assert!(settled.now_or_never().is_some());
    }
}
