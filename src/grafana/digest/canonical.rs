//! Hashing of values in one form.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// A hash under way. Every part is preceded by its kind and length, so that no two sequences of parts are the same bytes.
pub(super) struct Canonical(Sha256);

impl Canonical {
    /// The hash of what `write` adds.
    pub(super) fn hash(write: impl FnOnce(&mut Self)) -> u64 {
        let mut canonical = Self(Sha256::new());
        write(&mut canonical);
        let digest: [u8; 32] = canonical.0.finalize().into();
        digest
            .iter()
            .take(size_of::<u64>())
            .fold(0, |hash, byte| hash << 8 | u64::from(*byte))
    }

    pub(super) fn text(&mut self, text: &str) {
        self.part(b's', text.len());
        self.0.update(text);
    }

    pub(super) fn flag(&mut self, flag: bool) {
        self.part(b'b', usize::from(flag));
    }

    /// Numbers are equal by value: Grafana stores `5.0` and answers `5`.
    pub(super) fn number(&mut self, number: f64) {
        self.part(b'n', 0);
        // Adding zero makes -0 and 0 the same.
        self.0.update((number + 0.0).to_be_bytes());
    }

    /// Durations are equal by value: `300s` is `5m`. Anything else is text.
    pub(super) fn duration(&mut self, text: &str) {
        match duration(text) {
            Some(duration) => {
                self.part(b'd', 0);
                self.0.update(duration.as_nanos().to_be_bytes());
            }
            None => self.text(text),
        }
    }

    pub(super) fn list<T>(&mut self, items: &[T], mut write: impl FnMut(&mut Self, &T)) {
        self.part(b'l', items.len());
        for item in items {
            write(self, item);
        }
    }

    /// Texts of which neither order nor number matters.
    pub(super) fn set<'a>(&mut self, items: impl IntoIterator<Item = &'a str>) {
        let mut items: Vec<_> = items.into_iter().collect();
        items.sort_unstable();
        items.dedup();
        self.list(&items, |hash, item| hash.text(item));
    }

    pub(super) fn map(&mut self, map: &BTreeMap<String, String>) {
        self.part(b'm', map.len());
        for (key, value) in map {
            self.text(key);
            self.text(value);
        }
    }

    /// Keys in order, and none whose value is null.
    pub(super) fn value(&mut self, value: &Value) {
        match value {
            Value::Null => self.part(b'0', 0),
            Value::Bool(flag) => self.flag(*flag),
            Value::Number(number) => self.number(number.as_f64().unwrap_or(f64::MAX)),
            Value::String(text) => self.text(text),
            Value::Array(items) => self.list(items, Self::value),
            Value::Object(fields) => self.object(fields.iter()),
        }
    }

    pub(super) fn object<'a>(&mut self, fields: impl Iterator<Item = (&'a String, &'a Value)>) {
        let mut fields: Vec<_> = fields.filter(|(_, value)| !value.is_null()).collect();
        fields.sort_unstable_by_key(|(key, _)| *key);
        self.part(b'o', fields.len());
        for (key, value) in fields {
            self.text(key);
            self.value(value);
        }
    }

    fn part(&mut self, kind: u8, length: usize) {
        self.0.update([kind]);
        self.0.update((length as u64).to_be_bytes());
    }
}

/// A duration as Prometheus and Go print it: `5m`, `1d12h`, `1m0s`, `1.5s`, `0`.
pub fn duration(text: &str) -> Option<Duration> {
    if text == "0" {
        return Some(Duration::ZERO);
    }
    let mut rest = text;
    let mut total = Duration::ZERO;
    loop {
        let end = rest.find(|c: char| !(c.is_ascii_digit() || c == '.'))?;
        let (number, tail) = rest.split_at(end);
        let unit_length = tail.find(|c: char| c.is_ascii_digit()).unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(unit_length);
        total = total.checked_add(part(number, unit_millis(unit)?)?)?;
        if tail.is_empty() {
            return Some(total);
        }
        rest = tail;
    }
}

/// So many of a unit. Go has fractions, down to the nanosecond; Prometheus has none.
fn part(number: &str, millis: u64) -> Option<Duration> {
    const PER_MILLI: u64 = 1_000_000;
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let whole: u64 = whole.parse().ok()?;
    let whole = Duration::from_millis(whole.checked_mul(millis)?);
    let parts: u64 = fraction.parse().ok()?;
    let scale = 10u64.checked_pow(u32::try_from(fraction.len()).ok()?)?;
    let nanos = u128::from(parts) * u128::from(millis) * u128::from(PER_MILLI) / u128::from(scale);
    whole.checked_add(Duration::from_nanos(u64::try_from(nanos).ok()?))
}

fn unit_millis(unit: &str) -> Option<u64> {
    const SECOND: u64 = 1000;
    Some(match unit {
        "ms" => 1,
        "s" => SECOND,
        "m" => 60 * SECOND,
        "h" => 3600 * SECOND,
        "d" => 24 * 3600 * SECOND,
        "w" => 7 * 24 * 3600 * SECOND,
        "y" => 365 * 24 * 3600 * SECOND,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn hash(value: &Value) -> u64 {
        Canonical::hash(|hash| hash.value(value))
    }

    #[test]
    fn durations_are_read_by_value() {
        let seconds = |text| duration(text).map(|duration| duration.as_secs_f64());
        for (text, expected) in [
            ("0", Some(0.0)),
            ("0s", Some(0.0)),
            ("300s", Some(300.0)),
            ("1m0s", Some(60.0)),
            ("1d12h", Some(129_600.0)),
            ("2w", Some(1_209_600.0)),
            ("1500ms", Some(1.5)),
            ("1.5s", Some(1.5)),
            ("1h0m0.25s", Some(3600.25)),
            ("1.s", None),
            (".5s", None),
            ("1.2.3s", None),
            ("1.99999999999999999999s", None),
            ("", None),
            ("5", None),
            ("m", None),
            ("5 m", None),
            ("5x", None),
            ("99999999999999999999s", None),
            ("9999999999999999999y", None),
        ] {
            assert_eq!(seconds(text), expected, "{text:?}");
        }
    }

    #[test]
    fn values_are_equal_whatever_the_order_of_keys_and_the_form_of_numbers() {
        assert_eq!(
            hash(&json!({"a": 5, "b": [1, null]})),
            hash(&json!({"b": [1.0, null], "a": 5.0, "c": null}))
        );
    }

    #[test]
    fn values_differ_where_only_their_nesting_does() {
        let values = [
            json!([["a"], "b"]),
            json!([["a", "b"]]),
            json!(["a", "b"]),
            json!({"a": "b"}),
            json!("ab"),
            json!(null),
        ];
        for (i, one) in values.iter().enumerate() {
            for other in &values[i + 1..] {
                assert_ne!(hash(one), hash(other), "{one} {other}");
            }
        }
    }

    #[test]
    fn hashes_are_the_same_in_every_process() {
        assert_eq!(
            hash(&json!({"title": "StripePaymentFailures", "for": 5})),
            10_170_875_565_004_284_161
        );
    }
}
