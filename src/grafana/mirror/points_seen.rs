//! One look at all contact points, for several that wait to write theirs.

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
    /// By so many it may be shared, and so old it may be: somebody else may take one of their names meanwhile.
    const SHARED_BY: usize = 10;
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

    /// What it says to one that has waited for its turn since `asked`; `None` if that needs a look of its own.
    pub fn serve(&mut self, name: &str, asked: Instant, now: Instant) -> Option<Option<Found<ContactPoint>>> {
        let is_old = now.saturating_duration_since(self.began) >= Self::SHARED_FOR;
        if self.began < asked || is_old || self.shared_by >= Self::SHARED_BY {
            return None;
        }
        self.shared_by += 1;
        Some(self.found.get(name).cloned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_look_serves_a_few_that_waited_when_it_began_and_nobody_for_long() {
        let began = Instant::now();
        let later = |seconds| began + Duration::from_secs(seconds);
        let look = || PointsSeen::new(began, []);
        assert!(look().serve("a", began, later(4)).is_some());
        assert!(look().serve("a", began, later(5)).is_none(), "it is old");
        assert!(
            look().serve("a", later(1), later(1)).is_none(),
            "nobody knows what was before"
        );
        let mut shared = look();
        assert_eq!(
            (0..20)
                .filter(|_| shared.serve("a", began, began).is_some())
                .count(),
            10
        );
    }
}
