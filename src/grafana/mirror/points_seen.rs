//! One look at all contact points, for several that are about to make theirs, or just have.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use crate::grafana::model::{ContactPoint, Found};

/// All contact points as one look has found them.
#[derive(Debug)]
pub struct PointsSeen {
    began: Instant,
    shared_by: usize,
    found: HashMap<String, Found<ContactPoint>>,
}

impl PointsSeen {
    /// By so many it may be shared before they write, and so old it may be: somebody else may take one of their names meanwhile, which each finds out
    /// after its write.
    const SHARED_BY: usize = 32;
    const SHARED_FOR: Duration = Duration::from_secs(5);

    /// What a look that began then has found.
    pub fn new(began: Instant, found: impl IntoIterator<Item = Found<ContactPoint>>) -> Self {
        let named = |found: Found<ContactPoint>| (found.object.name.clone(), found);
        let found = found.into_iter().map(named).collect();
        Self {
            began,
            shared_by: 0,
            found,
        }
    }

    /// Whether it says, to one that is about to make a contact point of this name, that there is none. What it shows may be gone by now, and needs a look
    /// of its own. It says nothing to a resource that is younger, whose age is known: who writes one has often made the contact point first, or exported it.
    pub fn lacks(&mut self, name: &str, now: Instant, age: Option<Duration>) -> bool {
        let since = now.saturating_duration_since(self.began);
        let is_old = since >= Self::SHARED_FOR || age.is_some_and(|age| age < since);
        if is_old || self.shared_by >= Self::SHARED_BY || self.found.contains_key(name) {
            return false;
        }
        self.shared_by += 1;
        true
    }

    /// What it has found of this name, if it began after this; however long ago that is, it shows who was there then.
    pub fn since(&self, name: &str, then: Instant) -> Option<Option<Found<ContactPoint>>> {
        (self.began >= then).then(|| self.found.get(name).cloned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(name: &str) -> Found<ContactPoint> {
        Found {
            object: ContactPoint {
                name: name.to_owned(),
                ..ContactPoint::default()
            },
            provenance: None,
            revision: None,
        }
    }

    #[test]
    fn a_look_tells_many_that_their_names_are_free_for_a_short_while_and_never_that_one_is_taken() {
        let began = Instant::now();
        let later = |seconds| began + Duration::from_secs(seconds);
        let look = || PointsSeen::new(began, [point("taken")]);
        assert!(look().lacks("free", later(4), None));
        assert!(!look().lacks("free", later(5), None), "it is old");
        assert!(!look().lacks("taken", began, None), "it may be gone by now");
        let age = |seconds| Some(Duration::from_secs(seconds));
        assert!(look().lacks("free", later(3), age(3)));
        assert!(
            !look().lacks("free", later(3), age(2)),
            "somebody may have made it before the resource"
        );
        let mut shared = look();
        assert_eq!((0..50).filter(|_| shared.lacks("free", began, None)).count(), 32);
    }

    #[test]
    fn who_is_there_after_a_write_says_only_a_look_that_began_after_it() {
        let began = Instant::now();
        let look = PointsSeen::new(began, [point("taken")]);
        let later = began + Duration::from_nanos(1);
        assert_eq!(look.since("taken", began), Some(Some(point("taken"))));
        assert_eq!(look.since("free", began), Some(None));
        assert_eq!(look.since("taken", later), None);
    }
}
