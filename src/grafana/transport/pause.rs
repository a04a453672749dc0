//! How long nothing is sent, because Grafana has asked for fewer requests.

use std::time::{Duration, Instant};

/// How long where Grafana doesn't say it.
const UNSAID: Duration = Duration::from_secs(5);

/// A pause, or none.
#[derive(Debug, Default)]
pub(super) struct Pause {
    until: Option<Instant>,
}

impl Pause {
    /// Begins one of the length that was asked for. One that lasts longer goes on.
    pub(super) fn begin(&mut self, now: Instant, asked: Option<Duration>) {
        self.until = self.until.max(Some(now + asked.unwrap_or(UNSAID)));
    }

    /// How much of it is left; `None` where there is none.
    pub(super) fn left(&self, now: Instant) -> Option<Duration> {
        let left = self.until?.saturating_duration_since(now);
        (!left.is_zero()).then_some(left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_lasts_as_long_as_the_longest_that_was_asked_for() {
        let second = Duration::from_secs(1);
        let (mut pause, now) = (Pause::default(), Instant::now());
        assert_eq!(pause.left(now), None);
        pause.begin(now, Some(9 * second));
        pause.begin(now + second, Some(2 * second));
        assert_eq!(pause.left(now + 2 * second), Some(7 * second));
        assert_eq!(pause.left(now + 9 * second), None);
        pause.begin(now + 9 * second, None);
        assert_eq!(pause.left(now + 9 * second), Some(UNSAID));
    }
}
