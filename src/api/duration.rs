//! Durations as Prometheus and Alertmanager write them: `30s`, `5m`, `1h30m`, `1d12h`.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// What the API server lets through, by a CEL rule, since a bare pattern tells people nothing; the empty text is refused by `minLength`.
pub const PATTERN: &str = "^(0|([0-9]+y)?([0-9]+w)?([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?)$";

/// What to write instead.
pub const SYNTAX: &str = "write whole numbers with the units y, w, d, h, m, s, ms in this order, each at most once, such as 30s or 1h30m";

/// The rule of a duration that can't be nothing, beside its syntax.
pub const MORE_THAN_0: &str = "self.matches('[1-9]')";

/// What is said of one that is.
pub const MORE_THAN_0_SAID: &str = "must be more than 0";

/// The units in the order in which they must be written, each in milliseconds. A year is 365 days.
const UNITS: [(&str, u64); 7] = [
    ("y", 365 * 24 * 3_600_000),
    ("w", 7 * 24 * 3_600_000),
    ("d", 24 * 3_600_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1000),
    ("ms", 1),
];

/// Prometheus counts nanoseconds in a signed 64-bit number: 292 years and some.
const LONGEST: u64 = i64::MAX.unsigned_abs() / 1_000_000;

/// A duration in a specification, kept as it was written.
///
/// Reading never fails, so that one bad object doesn't make a whole list unreadable; [`Duration::checked`] tells what it
/// means.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, Eq, Hash)]
#[serde(transparent)]
pub struct Duration(String);

/// Why a text is not a duration.
#[derive(thiserror::Error, Clone, Debug, PartialEq, Eq)]
pub enum InvalidDuration {
    /// It doesn't follow the syntax.
    #[error("{0:?} is not a duration: {SYNTAX}")]
    Syntax(String),
    /// It is longer than Prometheus can count.
    #[error("{0:?} is too long: 292 years are the limit")]
    TooLong(String),
}

impl Duration {
    /// Takes over a text that is a duration.
    pub fn parse(text: &str) -> Result<Self, InvalidDuration> {
        milliseconds(text)?;
        Ok(Self(text.to_owned()))
    }

    /// The length of time that the text means.
    pub fn checked(&self) -> Result<std::time::Duration, InvalidDuration> {
        milliseconds(&self.0).map(std::time::Duration::from_millis)
    }

    /// The text as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Duration {
    type Err = InvalidDuration;

    fn from_str(text: &str) -> Result<Self, InvalidDuration> {
        Self::parse(text)
    }
}

impl From<std::time::Duration> for Duration {
    fn from(length: std::time::Duration) -> Self {
        Self(format(length))
    }
}

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl JsonSchema for Duration {
    fn schema_name() -> Cow<'static, str> {
        "Duration".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "minLength": 1,
            "maxLength": 32,
            "x-kubernetes-validations": [{ "rule": format!("self.matches('{PATTERN}')"), "message": SYNTAX }],
        })
    }
}

/// Prints as Prometheus and Grafana do: `5m`, `1h30m`, `0s`; what is shorter than a millisecond is cut off.
///
/// Years and weeks appear only where nothing is left over, because 90d reads better than 12w6d.
pub fn format(length: std::time::Duration) -> String {
    let mut left = u64::try_from(length.as_millis()).unwrap_or(u64::MAX);
    if left == 0 {
        return "0s".to_owned();
    }
    let mut text = String::new();
    for (unit, size) in UNITS {
        let only_if_exact = matches!(unit, "y" | "w");
        if left < size || (only_if_exact && left % size != 0) {
            continue;
        }
        text.push_str(&(left / size).to_string());
        text.push_str(unit);
        left %= size;
    }
    text
}

fn milliseconds(text: &str) -> Result<u64, InvalidDuration> {
    let syntax = || InvalidDuration::Syntax(text.to_owned());
    let too_long = || InvalidDuration::TooLong(text.to_owned());
    if text == "0" {
        return Ok(0);
    }
    if text.is_empty() {
        return Err(syntax());
    }
    let (mut rest, mut units, mut total) = (text, UNITS.iter(), 0_u64);
    while !rest.is_empty() {
        let (digits, after) = split_where(rest, |c| !c.is_ascii_digit());
        let (letters, after) = split_where(after, |c| !c.is_ascii_alphabetic());
        // The iterator goes on behind the unit it found, so a unit can't come twice or too late.
        let (_, size) = units.find(|(unit, _)| *unit == letters).ok_or_else(syntax)?;
        if digits.is_empty() {
            return Err(syntax());
        }
        let count: u64 = digits.parse().map_err(|_| too_long())?;
        total = count
            .checked_mul(*size)
            .and_then(|part| total.checked_add(part))
            .ok_or_else(too_long)?;
        rest = after;
    }
    if total > LONGEST {
        Err(too_long())
    } else {
        Ok(total)
    }
}

fn split_where(text: &str, ends: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(ends).unwrap_or(text.len()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn millis(text: &str) -> Option<u128> {
        Duration::parse(text)
            .ok()
            .map(|d| d.checked().unwrap().as_millis())
    }

    fn schema_accepts(text: &str) -> bool {
        (1..=32).contains(&text.len()) && regex::Regex::new(PATTERN).unwrap().is_match(text)
    }

    #[test]
    fn means_what_prometheus_means() {
        for (text, expected) in [
            ("0", 0),
            ("0s", 0),
            ("0m", 0),
            ("00m", 0),
            ("5ms", 5),
            ("30s", 30_000),
            ("5m", 300_000),
            ("1h30m", 5_400_000),
            ("1d12h", 129_600_000),
            ("90m", 5_400_000),
            ("1w2d3h4m5s6ms", 788_645_006),
            ("1y", 31_536_000_000),
            ("1y1ms", 31_536_000_001),
            ("292y", 9_208_512_000_000),
        ] {
            assert_eq!(millis(text), Some(expected), "{text}");
            assert!(schema_accepts(text), "{text}");
        }
    }

    #[test]
    fn refuses_what_prometheus_refuses() {
        for text in [
            "", " ", "5", "m", "5 m", " 5m", "5m ", "-5m", "+5m", "1.5h", "5M", "5min", "1m1h", "1m1m",
            "1s1s", "1ms1s", "0x5m", "5m0", "1h 30m", "five", "５m", "1d12",
        ] {
            assert!(
                matches!(Duration::parse(text), Err(InvalidDuration::Syntax(_))),
                "{text}"
            );
            assert!(!schema_accepts(text), "{text}");
        }
    }

    #[test]
    fn refuses_what_prometheus_cannot_count() {
        for text in [
            "293y",
            "18446744073709551616ms",
            "99999999999999999999y",
            "18446744073709551615s",
        ] {
            assert_eq!(
                Duration::parse(text),
                Err(InvalidDuration::TooLong(text.to_owned())),
                "{text}"
            );
        }
    }

    #[test]
    fn prints_as_prometheus_prints() {
        for (millis, text) in [
            (0, "0s"),
            (1, "1ms"),
            (1000, "1s"),
            (300_000, "5m"),
            (5_400_000, "1h30m"),
            (86_400_000, "1d"),
            (7 * 86_400_000, "1w"),
            (8 * 86_400_000, "8d"),
            (90 * 86_400_000, "90d"),
            (365 * 86_400_000, "1y"),
            (366 * 86_400_000, "366d"),
            (372 * 86_400_000, "372d"),
            (86_400_001, "1d1ms"),
        ] {
            assert_eq!(format(std::time::Duration::from_millis(millis)), text);
        }
        assert_eq!(format(std::time::Duration::from_nanos(999_999)), "0s");
    }

    #[test]
    fn keeps_the_text_as_written_and_reads_even_a_bad_one() {
        let read: Vec<Duration> = serde_json::from_str(r#"["90m", "soon"]"#).unwrap();
        assert_eq!(serde_json::to_string(&read).unwrap(), r#"["90m","soon"]"#);
        assert!(read[0].checked().is_ok());
        let refusal = read[1].checked().unwrap_err().to_string();
        assert!(refusal.starts_with(r#""soon" is not a duration: "#), "{refusal}");
    }

    proptest! {
        #[test]
        fn printing_and_parsing_gives_the_same_length(millis in 0..=LONGEST) {
            let length = std::time::Duration::from_millis(millis);
            let text = Duration::from(length);
            prop_assert!(schema_accepts(text.as_str()));
            prop_assert_eq!(text.checked(), Ok(length));
        }

        #[test]
        fn the_schema_knows_the_syntax(text in "([0-9]{1,3}(y|w|d|h|m|s|ms)){0,5}|[0-9wdhms]{0,8}|\\PC{0,8}") {
            let is_syntax_error = matches!(Duration::parse(&text), Err(InvalidDuration::Syntax(_)));
            prop_assert_eq!(!is_syntax_error, schema_accepts(&text));
        }
    }
}
