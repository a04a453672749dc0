//! What was measured, for people and for machines.

use std::{fmt, time::Duration};

use alertwright_testbed::proxy::Calls;
use serde_json::{Value, json};

/// One figure.
#[derive(Debug, Clone)]
pub(crate) enum Figure {
    /// How many, or how many times.
    Count(f64),
    /// A time.
    Time(Duration),
    /// The same thing measured many times over.
    Times(Samples),
    /// Resident memory, now and at most, in bytes.
    Memory { now: u64, peak: u64 },
    /// Bytes that went over the wire.
    Bytes(u64),
    /// A share of a whole, in percent.
    Percent(f64),
    /// Calls in all, and of each method.
    Methods([usize; 5]),
}

impl Figure {
    /// A count of things.
    pub(crate) fn count(count: usize) -> Self {
        Self::Count(precise(count))
    }

    /// How many calls there are, in all and of each method.
    pub(crate) fn methods(calls: &Calls) -> Self {
        let of = |method| calls.of(method, "").len();
        Self::Methods([calls.len(), of("GET"), of("POST"), of("PUT"), of("DELETE")])
    }

    /// What is compared with a goal: seconds, bytes, percent, or how many. Of memory it is what is there now.
    pub(crate) fn value(&self) -> f64 {
        match self {
            Self::Count(count) => *count,
            Self::Time(time) => time.as_secs_f64(),
            Self::Times(samples) => samples.percentile(99).as_secs_f64(),
            Self::Memory { now: bytes, .. } | Self::Bytes(bytes) => precise_bytes(*bytes),
            Self::Percent(share) => *share,
            Self::Methods([all, ..]) => precise(*all),
        }
    }

    /// The figure by its unit, so that two runs can be compared.
    pub(crate) fn json(&self) -> Value {
        match self {
            Self::Count(count) => json!({"count": count}),
            Self::Time(time) => json!({"seconds": time.as_secs_f64()}),
            Self::Times(samples) => {
                let [p50, p99, longest] = [50, 99, 100].map(|rank| samples.percentile(rank).as_secs_f64());
                json!({"times": samples.len(), "p50Seconds": p50, "p99Seconds": p99, "maxSeconds": longest})
            }
            Self::Memory { now, peak } => json!({"bytes": now, "peakBytes": peak}),
            Self::Bytes(bytes) => json!({"bytes": bytes}),
            Self::Percent(share) => json!({"percent": share}),
            Self::Methods([all, get, post, put, delete]) => {
                json!({"calls": all, "GET": get, "POST": post, "PUT": put, "DELETE": delete})
            }
        }
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count(count) => write!(f, "{}", number(*count)),
            Self::Time(took) => f.write_str(&time(*took)),
            Self::Times(samples) => samples.fmt(f),
            Self::Memory { now, peak } => write!(f, "{:.1} / {:.1} MB", megabytes(*now), megabytes(*peak)),
            Self::Bytes(bytes) => write!(f, "{:.1} MB", megabytes(*bytes)),
            Self::Percent(share) => write!(f, "{share:.2} %"),
            Self::Methods([all, get, post, put, delete]) => {
                write!(f, "{all}: {get} GET, {post} POST, {put} PUT, {delete} DELETE")
            }
        }
    }
}

/// Times that were measured, shown as their median, their 99th percentile and the longest.
#[derive(Debug, Clone, Default)]
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
    pub(crate) fn percentile(&self, percent: usize) -> Duration {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        let rank = (sorted.len() * percent).div_ceil(100).max(1);
        sorted.get(rank - 1).copied().unwrap_or_default()
    }
}

impl fmt::Display for Samples {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [p50, p99, longest] = [50, 99, 100].map(|rank| time(self.percentile(rank)));
        write!(f, "p50 {p50}, p99 {p99}, max {longest}")
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

/// A count as a whole number, a quotient with two digits.
pub(crate) fn number(number: f64) -> String {
    if number.fract() == 0.0 {
        format!("{number:.0}")
    } else {
        format!("{number:.2}")
    }
}

/// Megabytes of 10^6 bytes.
pub(crate) fn megabytes(bytes: u64) -> f64 {
    precise_bytes(bytes) / 1e6
}

/// How many of one there are for each of the other.
pub(crate) fn ratio(count: usize, of: usize) -> f64 {
    precise(count) / precise(of.max(1))
}

#[expect(clippy::cast_precision_loss, reason = "counts are small")]
pub(crate) fn precise(count: usize) -> f64 {
    count as f64
}

#[expect(clippy::cast_precision_loss, reason = "shown with one digit")]
fn precise_bytes(bytes: u64) -> f64 {
    bytes as f64
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

    #[test]
    fn a_machine_reads_the_unit_beside_the_figure() {
        let memory = Figure::Memory {
            now: 20_000_000,
            peak: 21_000_000,
        };
        assert_eq!(memory.to_string(), "20.0 / 21.0 MB");
        assert_eq!(
            memory.json(),
            json!({"bytes": 20_000_000, "peakBytes": 21_000_000})
        );
    }
}
