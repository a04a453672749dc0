//! Passes that come in crowds: many may wait for each other at the same time, and few of them work.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::sync::Semaphore;

use crate::deadline;
use crate::grafana::approach::{Approach, here};

/// How many passes work at the same time.
const PLACES: usize = 16;
/// How soon the next pass over an object begins whose finalizer has just been added, or nobody waits for it any more.
const NEXT: Duration = Duration::from_secs(1);

/// The passes of one kind that come in crowds.
#[derive(Debug)]
pub struct Crowd {
    places: Arc<Semaphore>,
    between: Mutex<Between>,
}

/// Those that are between two passes, on the way all the while.
#[derive(Debug, Default)]
struct Between {
    passes: HashMap<String, (Approach, Instant)>,
    looked: Option<Instant>,
}

impl Default for Crowd {
    fn default() -> Self {
        Self {
            places: Arc::new(Semaphore::new(PLACES)),
            between: Mutex::default(),
        }
    }
}

impl Crowd {
    /// Begins a pass over an object. What was on the way to it ends then, and not before.
    pub fn come(&self, object: &str, begin: impl FnOnce() -> Approach, now: Instant) -> Approach {
        let approach = begin();
        let mut between = self.between.lock();
        let is_due = between
            .looked
            .is_none_or(|looked| now.duration_since(looked) >= NEXT);
        if is_due {
            between.looked = Some(now);
            between
                .passes
                .retain(|_, (_, since)| now.duration_since(*since) < NEXT);
        }
        let before = between.passes.remove(object);
        drop(between);
        drop(before);
        approach
    }

    /// Stays on the way to the object's next pass, which is about to begin.
    pub fn stay(&self, object: String, approach: Approach, now: Instant) {
        approach.let_go();
        self.between.lock().passes.insert(object, (approach, now));
    }

    /// Waits for a place to work at, which is held until the approach [arrives](crate::grafana::approach::arrived).
    pub async fn enter(&self, approach: &Approach) {
        if !approach.holds() {
            // It is never closed.
            let place = deadline::waiting(self.places.clone().acquire_owned()).await;
            approach.hold(place);
        }
    }

    /// Waits for a place again, if this pass has given it up, for what there is to do after the last write. Nobody waits for it from now on.
    pub async fn leave(&self) {
        if let Some(approach) = here() {
            approach.ends();
            self.enter(&approach).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use futures::{FutureExt, poll};

    use super::*;
    use crate::grafana::approach::{Approaches, arrived};

    #[tokio::test]
    async fn who_waits_with_others_leaves_its_place_and_gets_one_to_go_on() {
        let crowd = Crowd::default();
        let approaches = Approaches::default();
        let mut first: Vec<_> = (0..PLACES).map(|_| approaches.begin()).collect();
        for approach in &first {
            crowd.enter(approach).await;
        }
        let late = approaches.begin();
        let mut enters = Box::pin(crowd.enter(&late));
        assert!(poll!(enters.as_mut()).is_pending(), "all places are taken");
        let waits = first.remove(0);
        waits.scope(async { arrived() }).await;
        assert!(
            enters.as_mut().now_or_never().is_some(),
            "whoever waits has given up its own"
        );
        let mut leaves = pin!(waits.scope(crowd.leave()));
        assert!(poll!(leaves.as_mut()).is_pending(), "all places are taken");
        drop(enters);
        drop(late);
        leaves.await;
        assert!(waits.holds());
    }

    #[tokio::test]
    async fn an_object_is_on_the_way_between_two_passes_but_not_for_ever() {
        let (crowd, approaches, now) = (Crowd::default(), Approaches::default(), Instant::now());
        let begin = || approaches.begin();
        let come = |object: &str, after| crowd.come(object, begin, now + after);
        let first = come("a", Duration::ZERO);
        first.hold("a place");
        crowd.stay("a".to_owned(), first.clone(), now);
        assert!(!first.holds(), "others may work meanwhile");
        drop(first);
        let mut settled = pin!(approaches.settled());
        assert!(poll!(settled.as_mut()).is_pending(), "its next pass is to come");
        drop(come("a", NEXT / 2));
        assert!(settled.now_or_never().is_some());
        crowd.stay("gone".to_owned(), come("gone", NEXT / 2), now + NEXT / 2);
        drop(come("b", NEXT * 2));
        assert!(approaches.settled().now_or_never().is_some(), "it has never come");
    }

    #[tokio::test]
    async fn a_pass_that_is_over_is_waited_for_by_nobody() {
        let (crowd, approaches) = (Crowd::default(), Approaches::default());
        let approach = approaches.begin();
        crowd.enter(&approach).await;
        approach.scope(crowd.leave()).await;
        assert!(approaches.settled().now_or_never().is_some());
        assert!(approach.holds(), "it still works");
    }
}
