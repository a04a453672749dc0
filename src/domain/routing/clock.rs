//! Whether it is the time that a time interval means, as Alertmanager's `timeinterval` package reads one.

use jiff::civil::Time;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

use crate::grafana::digest::{DAYS, MONTHS};
use crate::grafana::model::{Period, TimeInterval, TimeRange};

/// Finds a time zone by the name that IANA has for it.
pub type Zones<'a> = &'a dyn Fn(&str) -> Option<TimeZone>;

/// Whether it is the time that an interval means: that of any of its periods. `None` if that can't be told, for want of a time zone or since
/// something in it can't be read.
pub fn is_time(interval: &TimeInterval, at: Timestamp, zones: Zones<'_>) -> Option<bool> {
    let mut is_known = true;
    for period in &interval.time_intervals {
        match is_within(period, at, zones) {
            Some(true) => return Some(true),
            Some(false) => {}
            None => is_known = false,
        }
    }
    is_known.then_some(false)
}

/// Whether all that a period says holds, each by one of its entries.
fn is_within(period: &Period, at: Timestamp, zones: Zones<'_>) -> Option<bool> {
    let zone = match period.location.as_deref() {
        None | Some("" | "UTC") => TimeZone::UTC,
        Some(name) => zones(name)?,
    };
    let now = at.to_zoned(zone);
    let weekday = i64::from(now.weekday().to_sunday_zero_offset());
    let checks = [
        any(&period.times, |range| holds(range, &now))?,
        any(&period.days_of_month, |text| is_day(text, &now))?,
        any(&period.months, |text| {
            is_between(text, i64::from(now.month()), &MONTHS, 1)
        })?,
        any(&period.weekdays, |text| is_between(text, weekday, &DAYS, 0))?,
        any(&period.years, |text| {
            is_between(text, i64::from(now.year()), &[], 0)
        })?,
    ];
    Some(checks.into_iter().all(|holds| holds))
}

/// Whether one of these holds; what isn't there holds always.
fn any<T>(all: &[T], holds: impl Fn(&T) -> Option<bool>) -> Option<bool> {
    if all.is_empty() {
        return Some(true);
    }
    let all: Vec<bool> = all.iter().map(holds).collect::<Option<_>>()?;
    Some(all.into_iter().any(|holds| holds))
}

fn holds(range: &TimeRange, now: &Zoned) -> Option<bool> {
    let minute = i32::from(now.hour()) * 60 + i32::from(now.minute());
    Some((minute_of(&range.start_time)?..minute_of(&range.end_time)?).contains(&minute))
}

/// The minute of the day; its end is `24:00`.
fn minute_of(text: &str) -> Option<i32> {
    if text == "24:00" {
        return Some(24 * 60);
    }
    let time = Time::strptime("%H:%M", text).ok()?;
    Some(i32::from(time.hour()) * 60 + i32::from(time.minute()))
}

/// Days of the month, from its end where negative. What a range has of days that this month hasn't is nothing.
fn is_day(text: &str, now: &Zoned) -> Option<bool> {
    let last = i64::from(now.days_in_month());
    let (begin, end) = bounds(text, &[], 0)?;
    let counted = |day: i64| if day < 0 { last + day + 1 } else { day };
    Some((counted(begin)..=counted(end)).contains(&i64::from(now.day())))
}

/// Whether a number is in a range. One of weekdays may go on over the end of the week.
fn is_between(text: &str, number: i64, names: &[&str], first: i64) -> Option<bool> {
    let (begin, end) = bounds(text, names, first)?;
    let goes_on = names.len() == DAYS.len() && begin > end;
    Some(if goes_on {
        number >= begin || number <= end
    } else {
        (begin..=end).contains(&number)
    })
}

fn bounds(text: &str, names: &[&str], first: i64) -> Option<(i64, i64)> {
    let text = text.to_ascii_lowercase();
    let number = |text: &str| {
        let known = names.iter().zip(first..).find(|(name, _)| **name == text);
        known.map(|(_, number)| number).or_else(|| text.parse().ok())
    };
    let (begin, end) = text.split_once(':').unwrap_or((&text, &text));
    Some((number(begin)?, number(end)?))
}
