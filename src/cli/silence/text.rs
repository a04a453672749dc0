//! How Silences are told of.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::api::Silence;

/// A moment as people read it, with its day where that isn't today.
pub(super) fn moment(at: Timestamp, now: Timestamp) -> String {
    let day = |at: Timestamp| at.to_zoned(TimeZone::UTC).date();
    let format = if day(at) == day(now) {
        "%H:%M UTC"
    } else {
        "%Y-%m-%d %H:%M UTC"
    };
    at.strftime(format).to_string()
}

/// So many of these.
pub(super) fn counted(count: i64, one: &str) -> String {
    let ending = if count == 1 { "" } else { "s" };
    format!("{count} {one}{ending}")
}

/// So many rules, and of how many of them that isn't sure.
pub(super) fn rules(all: i64, perhaps: usize) -> String {
    let perhaps = i64::try_from(perhaps).unwrap_or(i64::MAX).min(all);
    match all - perhaps {
        _ if perhaps == 0 => counted(all, "rule"),
        0 => format!("perhaps {}", counted(all, "rule")),
        sure => format!("{}, perhaps {perhaps} more", counted(sure, "rule")),
    }
}

/// What the operator has made of a Silence, of whose rules so many aren't sure: `active until 23:40 UTC: 3 rules, 2 alerts now`.
pub(super) fn state(silence: &Silence, perhaps: usize, now: Timestamp) -> String {
    let Some(status) = &silence.status else {
        return "not taken up by the operator".to_owned();
    };
    let state = status.state.as_deref().unwrap_or("without effect").to_lowercase();
    let ends = status.ends_at.as_ref();
    let until = ends.map_or_else(String::new, |time| format!(" until {}", moment(time.0, now)));
    let rules = status.matches_rules.map(|count| rules(count, perhaps));
    let alerts = status
        .matches_alerts
        .map(|count| counted(count, "alert") + " now");
    let counts: Vec<String> = rules.into_iter().chain(alerts).collect();
    if counts.is_empty() {
        return format!("{state}{until}");
    }
    format!("{state}{until}: {}", counts.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn rules_that_may_be_covered_are_counted_apart() {
        assert_eq!(rules(10, 0), "10 rules");
        assert_eq!(rules(10, 10), "perhaps 10 rules");
        assert_eq!(rules(10, 9), "1 rule, perhaps 9 more");
    }

    #[test]
    fn a_moment_has_its_day_only_where_that_is_another() {
        let now = at("2026-11-27T21:40:00Z");
        assert_eq!(moment(at("2026-11-27T23:40:59Z"), now), "23:40 UTC");
        assert_eq!(moment(at("2026-11-28T01:00:00Z"), now), "2026-11-28 01:00 UTC");
    }

    #[test]
    fn a_silence_says_its_end_and_how_much_it_covers() {
        let now = at("2026-11-27T21:40:00Z");
        let of = |status: serde_json::Value| {
            let object = serde_json::json!({"metadata": {"name": "s"}, "spec": {}, "status": status});
            state(&serde_json::from_value(object).unwrap(), 0, now)
        };
        assert_eq!(
            of(
                serde_json::json!({"state": "Active", "endsAt": "2026-11-27T23:40:00Z", "matchesRules": 3, "matchesAlerts": 1})
            ),
            "active until 23:40 UTC: 3 rules, 1 alert now"
        );
        assert_eq!(
            of(serde_json::json!({"state": "Pending", "endsAt": "2026-11-27T23:40:00Z"})),
            "pending until 23:40 UTC"
        );
        assert_eq!(of(serde_json::json!(null)), "not taken up by the operator");
    }
}
