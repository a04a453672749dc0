//! Times that were measured many times over.

use std::{fmt, time::Duration};

/// Times, shown as their median, their 99th percentile and the longest.
#[derive(Debug, Default)]
pub(crate) struct Samples(Vec<Duration>);

impl Samples {
    /// Adds a time.
    pub(crate) fn push(&mut self, time: Duration) {
        self.0.push(time);
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// The time that so many of a hundred don't exceed, by the nearest rank.
    fn percentile(&self, percent: usize) -> Duration {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        let rank = (sorted.len() * percent).div_ceil(100).max(1);
        sorted.get(rank - 1).copied().unwrap_or_default()
    }
}

impl fmt::Display for Samples {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let longest = self.percentile(100);
        write!(
            f,
            "p50 {}, p99 {}, max {}",
            time(self.percentile(50)),
            time(self.percentile(99)),
            time(longest)
        )
    }
}

/// A time in the unit that suits it.
pub(crate) fn time(time: Duration) -> String {
    if time < Duration::from_secs(1) {
        format!("{} ms", time.as_millis())
    } else {
        format!("{:.1} s", time.as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_times_that_were_measured() {
        let mut samples = Samples::default();
        (1..=200)
            .rev()
            .for_each(|ms| samples.push(Duration::from_millis(ms)));
        assert_eq!(samples.to_string(), "p50 100 ms, p99 198 ms, max 200 ms");
        assert_eq!(Samples::default().to_string(), "p50 0 ms, p99 0 ms, max 0 ms");
    }
}
