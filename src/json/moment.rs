//! Moments as others write them. "For ever" is often written `9999-12-31T23:59:59Z`, which is a little after the last moment that
//! [`Timestamp`] can hold: it is read as that last one. Others may write more digits of a second than there are nanoseconds, and read
//! them too: what is shorter is cut off.

use jiff::Timestamp;
use jiff::fmt::temporal::Pieces;
use serde::de::Error;
use serde::{Deserialize, Deserializer};

/// The first year in which a moment may be too late.
const LAST_YEAR: i16 = 9999;

/// What [`parse`] reads of what an API server takes for a moment: it looks at the form of `date-time` by an expression of its own, which lets
/// any character stand before the fraction, any number of hours in an offset, and anything behind a second `t`.
pub const PATTERN: &str = "^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}([.,][0-9]+)?([Zz]|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$";

/// How many digits of a second count.
const NANOSECONDS: usize = 9;

/// Reads RFC 3339. What is too late or too early is the last or the first moment, of whole seconds.
pub fn parse(text: &str) -> Result<Timestamp, jiff::Error> {
    let shorter = shortened(text);
    let text = shorter.as_deref().unwrap_or(text);
    text.parse().or_else(|error| {
        let pieces = Pieces::parse(text)?;
        match pieces.date().year() {
            LAST_YEAR if pieces.offset().is_some() => Ok(whole(Timestamp::MAX)),
            year if year == -LAST_YEAR && pieces.offset().is_some() => Ok(whole(Timestamp::MIN)),
            _ => Err(error),
        }
    })
}

/// The text with no more digits of a second than count, where it has more.
fn shortened(text: &str) -> Option<String> {
    let at = text.find(['.', ','])? + 1;
    let (seconds, fraction) = (text.get(..at)?, text.get(at..)?);
    let digits = fraction.bytes().take_while(u8::is_ascii_digit).count();
    (digits > NANOSECONDS).then(|| {
        Some(format!(
            "{seconds}{}{}",
            fraction.get(..NANOSECONDS)?,
            fraction.get(digits..)?
        ))
    })?
}

fn whole(time: Timestamp) -> Timestamp {
    Timestamp::from_second(time.as_second()).unwrap_or(time)
}

/// For `serde(deserialize_with)`.
pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Timestamp, D::Error> {
    let text = String::deserialize(from)?;
    parse(&text).map_err(D::Error::custom)
}

/// The same for a field that may be absent.
pub fn optional<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Timestamp>, D::Error> {
    let text = Option::<String>::deserialize(from)?;
    text.as_deref().map(parse).transpose().map_err(D::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn for_ever_is_read_as_the_last_moment_there_is() {
        for text in [
            "9999-12-31T23:59:59Z",
            "9999-12-31T23:59:59.999999999Z",
            "9999-12-31T00:00:00-12:00",
            "9999-12-30T22:00:01Z",
        ] {
            assert_eq!(parse(text).unwrap(), whole(Timestamp::MAX), "{text}");
        }
        let plain = "2026-11-23T22:00:00Z";
        assert_eq!(parse(plain).unwrap().to_string(), plain);
        let ours = whole(Timestamp::MAX);
        assert_eq!(
            parse(&ours.to_string()).unwrap(),
            ours,
            "what we write reads back"
        );
    }

    #[test]
    fn of_a_second_no_more_than_nanoseconds_count() {
        for (text, expected) in [
            (
                "2030-01-01T00:00:00.123456789123Z",
                "2030-01-01T00:00:00.123456789Z",
            ),
            ("2030-01-01T02:00:00.0000000000+02:00", "2030-01-01T00:00:00Z"),
            (
                "9999-12-31T23:59:59.9999999999999Z",
                &whole(Timestamp::MAX).to_string(),
            ),
        ] {
            assert_eq!(parse(text).unwrap().to_string(), expected, "{text}");
        }
    }

    #[test]
    fn what_is_let_into_a_specification_can_be_read() {
        let pattern = regex::Regex::new(PATTERN).unwrap();
        let seconds = ["00:00:00", "23:59:59"];
        let fractions = [
            "",
            ".5",
            ",5",
            ".1234567890123456789",
            ".000000000000",
            "!5",
            ".",
            "t5",
        ];
        let offsets = [
            "Z", "z", "+23:59", "-00:00", "-23:59", "+24:00", "+99:99", "", "ZtZ",
        ];
        for day in ["0000-01-01", "2026-02-28", "9999-12-31"] {
            for t in ["T", "t"] {
                for second in seconds {
                    for fraction in fractions {
                        for offset in offsets {
                            let text = format!("{day}{t}{second}{fraction}{offset}");
                            assert!(!pattern.is_match(&text) || parse(&text).is_ok(), "{text}");
                        }
                    }
                }
            }
        }
        assert!(pattern.is_match("2026-02-28t00:00:00.1234567890123z"));
        assert!(
            !pattern.is_match("2026-02-28T00:00:00!5Z") && !pattern.is_match("2026-02-28T00:00:00+99:99")
        );
    }

    #[test]
    fn what_is_no_moment_is_still_none() {
        for text in [
            "",
            "soon",
            "9999-13-01T00:00:00Z",
            "9999-12-31",
            "10000-01-01T00:00:00Z",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
