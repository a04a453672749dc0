//! Moments and how long ago they are, in words.

use std::{env, fs};

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};

use super::files::zones::zone;

/// How long something lasts, as kubectl writes it: two parts at most, and fewer the longer it is.
pub(in super::super) fn lasting(length: SignedDuration) -> String {
    let seconds = length.as_secs().max(0);
    let (minutes, hours) = (seconds / 60, seconds / 3600);
    let (days, years) = (hours / 24, hours / 24 / 365);
    let two = |first: i64, unit: &str, second: i64, small: &str| {
        if second == 0 {
            format!("{first}{unit}")
        } else {
            format!("{first}{unit}{second}{small}")
        }
    };
    if seconds < 120 {
        format!("{seconds}s")
    } else if minutes < 10 {
        two(minutes, "m", seconds % 60, "s")
    } else if minutes < 180 {
        format!("{minutes}m")
    } else if hours < 8 {
        two(hours, "h", minutes % 60, "m")
    } else if hours < 48 {
        format!("{hours}h")
    } else if days < 8 {
        two(days, "d", hours % 24, "h")
    } else if years < 2 {
        format!("{days}d")
    } else if years < 8 {
        two(years, "y", days % 365, "d")
    } else {
        format!("{years}y")
    }
}

/// How long ago a moment is; a dash where there is none.
pub(in super::super) fn ago(moment: Option<Timestamp>, now: Timestamp) -> String {
    moment.map_or_else(|| "–".to_owned(), |moment| lasting(now.duration_since(moment)))
}

/// A moment to come, on the clock of a place.
pub(in super::super) fn at(moment: Timestamp, now: Timestamp, place: &TimeZone) -> String {
    let (then, today) = (moment.to_zoned(place.clone()), now.to_zoned(place.clone()).date());
    let clock = then.strftime("%H:%M");
    if then.date() == today {
        clock.to_string()
    } else if today.checked_add(1.day()).is_ok_and(|next| next == then.date()) {
        format!("tomorrow {clock}")
    } else {
        format!("{} {clock}", then.date())
    }
}

/// The clock of this machine: that of `TZ`, else the machine's own, else UTC.
pub(in super::super) fn place() -> TimeZone {
    let named = env::var("TZ").ok().filter(|name| !name.is_empty());
    let found = match named {
        Some(name) => zone(name.trim_start_matches(':')),
        None => fs::read("/etc/localtime")
            .ok()
            .and_then(|bytes| TimeZone::tzif("local", &bytes).ok()),
    };
    found.unwrap_or(TimeZone::UTC)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_written_as_kubectl_does() {
        let all = [
            (-5, "0s"),
            (119, "119s"),
            (120, "2m"),
            (599, "9m59s"),
            (600, "10m"),
            (3 * 3600 - 1, "179m"),
            (3 * 3600 + 60, "3h1m"),
            (47 * 3600, "47h"),
            (50 * 3600, "2d2h"),
            (9 * 86400, "9d"),
            (800 * 86400, "2y70d"),
            (9 * 365 * 86400, "9y"),
        ];
        for (seconds, said) in all {
            assert_eq!(lasting(SignedDuration::from_secs(seconds)), said);
        }
    }

    #[test]
    fn a_moment_to_come_has_its_day_where_that_is_another() {
        let now: Timestamp = "2026-11-27T21:00:00Z".parse().unwrap();
        let said = |text: &str, place: &TimeZone| at(text.parse().unwrap(), now, place);
        assert_eq!(said("2026-11-27T23:33:46Z", &TimeZone::UTC), "23:33");
        assert_eq!(said("2026-11-28T08:00:00Z", &TimeZone::UTC), "tomorrow 08:00");
        assert_eq!(said("2026-12-04T08:00:00Z", &TimeZone::UTC), "2026-12-04 08:00");
        let east = TimeZone::fixed(jiff::tz::offset(2));
        assert_eq!(said("2026-11-27T21:59:00Z", &east), "23:59");
    }
}
