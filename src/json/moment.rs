//! Moments as others write them. "For ever" is often written `9999-12-31T23:59:59Z`, which is a little after the last moment that
//! [`Timestamp`] can hold: it is read as that last one.

use jiff::Timestamp;
use jiff::fmt::temporal::Pieces;
use serde::de::Error;
use serde::{Deserialize, Deserializer};

/// The first year in which a moment may be too late.
const LAST_YEAR: i16 = 9999;

/// Reads RFC 3339. What is too late or too early is the last or the first moment, of whole seconds.
pub fn parse(text: &str) -> Result<Timestamp, jiff::Error> {
    text.parse().or_else(|error| {
        let pieces = Pieces::parse(text)?;
        match pieces.date().year() {
            LAST_YEAR if pieces.offset().is_some() => Ok(whole(Timestamp::MAX)),
            year if year == -LAST_YEAR && pieces.offset().is_some() => Ok(whole(Timestamp::MIN)),
            _ => Err(error),
        }
    })
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
