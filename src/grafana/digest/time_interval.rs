//! Time intervals: two are equal if it is the time for both at the same times.

use super::canonical::Canonical;
use crate::grafana::model::{Period, TimeInterval};

/// Days of the week, from the first on.
pub const DAYS: [&str; 7] = [
    "sunday",
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
];
/// Months of the year.
pub const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

/// When it is the time, however that is written down. The name is no part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TimeIntervalDigest(u64);

impl TimeIntervalDigest {
    /// The digest of a time interval, wished or found.
    pub fn of(interval: &TimeInterval) -> Self {
        let mut periods: Vec<String> = interval.time_intervals.iter().map(said).collect();
        periods.sort_unstable();
        periods.dedup();
        let texts = periods.iter().map(String::as_str);
        Self(Canonical::hash(|hash| hash.set(texts)))
    }
}

/// What a period says, in one form: its entries are alternatives, of which neither order nor number matters.
pub fn said(period: &Period) -> String {
    let times = period
        .times
        .iter()
        .map(|time| format!("{}-{}", time.start_time, time.end_time));
    let location = period.location.as_deref().unwrap_or_default();
    let location = Some(location).filter(|name| !matches!(*name, "" | "UTC"));
    let all = [
        ("times", set(times)),
        ("weekdays", set(ranges(&period.weekdays, &DAYS, 0))),
        ("days of the month", set(ranges(&period.days_of_month, &[], 0))),
        ("months", set(ranges(&period.months, &MONTHS, 1))),
        ("years", set(ranges(&period.years, &[], 0))),
        ("in", location.unwrap_or_default().to_owned()),
    ];
    let said = all.into_iter().filter(|(_, text)| !text.is_empty());
    let said: Vec<String> = said.map(|(what, text)| format!("{what} {text}")).collect();
    said.join("; ")
}

fn set(texts: impl Iterator<Item = String>) -> String {
    let mut texts: Vec<String> = texts.collect();
    texts.sort_unstable();
    texts.dedup();
    texts.join(", ")
}

/// Ranges as Grafana prints them: weekdays by name, months by number, and no range of one.
fn ranges<'a>(texts: &'a [String], names: &'a [&str], first: usize) -> impl Iterator<Item = String> + 'a {
    texts.iter().map(move |text| {
        let text = text.to_ascii_lowercase();
        let (begin, end) = text.split_once(':').unwrap_or((&text, &text));
        let (begin, end) = (member(begin, names, first), member(end, names, first));
        if begin == end {
            begin
        } else {
            format!("{begin}:{end}")
        }
    })
}

fn member(text: &str, names: &[&str], first: usize) -> String {
    if let Some(at) = names.iter().position(|name| *name == text) {
        return if first == 0 {
            text.to_owned()
        } else {
            (at + first).to_string()
        };
    }
    // Grafana reads `01` and says `1`.
    text.parse::<i64>()
        .map_or_else(|_| text.to_owned(), |number| number.to_string())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, from_value, json};

    use super::*;

    fn digest(periods: &Value) -> TimeIntervalDigest {
        let interval: TimeInterval = from_value(json!({"name": "any", "time_intervals": periods})).unwrap();
        TimeIntervalDigest::of(&interval)
    }

    #[test]
    fn what_grafana_prints_of_a_time_interval_is_what_was_sent() {
        let sent = json!([
            {"times": [{"start_time": "22:00", "end_time": "24:00"}, {"start_time": "00:00", "end_time": "06:30"}],
             "weekdays": ["Monday:Friday", "sunday:sunday"], "days_of_month": ["01:5", "-3:-1"],
             "months": ["january:March", "12:december"], "years": ["2026", "2027:2030"], "location": "Europe/Berlin"},
            {"weekdays": ["saturday"], "location": "UTC"},
        ]);
        let printed = json!([
            {"weekdays": ["saturday"], "times": null, "location": ""},
            {"times": [{"start_time": "00:00", "end_time": "06:30"}, {"start_time": "22:00", "end_time": "24:00"}],
             "weekdays": ["sunday", "monday:friday"], "days_of_month": ["1:5", "-3:-1"],
             "months": ["1:3", "12"], "years": ["2026", "2027:2030"], "location": "Europe/Berlin"},
        ]);
        assert_eq!(digest(&sent), digest(&printed));
    }

    #[test]
    fn another_time_is_another() {
        let one = json!([{"weekdays": ["saturday"], "location": "Europe/Berlin"}]);
        for other in [
            json!([]),
            json!([{"weekdays": ["saturday"]}]),
            json!([{"weekdays": ["saturday", "sunday"], "location": "Europe/Berlin"}]),
            json!([{"weekdays": ["saturday"], "months": ["1"], "location": "Europe/Berlin"}]),
            json!([{"days_of_month": ["6"], "location": "Europe/Berlin"}]),
        ] {
            assert_ne!(digest(&one), digest(&other), "{other}");
        }
        // Months and days of the month are both numbers.
        assert_ne!(
            digest(&json!([{"months": ["6"]}])),
            digest(&json!([{"days_of_month": ["6"]}]))
        );
        // All of one must hold; of several any.
        let both = json!([{"weekdays": ["monday"], "months": ["6"]}]);
        assert_ne!(
            digest(&both),
            digest(&json!([{"weekdays": ["monday"]}, {"months": ["6"]}]))
        );
    }
}
