//! JSON without what is nested too deep in it.
//!
//! `serde_json` gives up 128 levels down, and with the whole text: one object would keep a list from being read, whosever it is.
//! API servers and Grafana take ten thousand levels (Go's `encoding/json`). So what both answer goes through [`Shallow`], which leaves
//! out what nobody reads, byte by byte and without holding anything of it.

use bytes::{Bytes, BytesMut};
use serde::de::{DeserializeOwned, Error as _};
use serde_json::Value;

use super::quotes::Quotes;

/// How many arrays and objects within each other are read; a deeper one is read as empty. That is well below what `serde_json` reads,
/// and well above what our own types let be written, with all that stands around it in a list.
pub const READ: usize = 100;

/// Empties what is nested deeper than [`READ`] in JSON that comes piece by piece. Of several texts in a row, as a watch has, each
/// begins anew.
#[derive(Debug, Default)]
pub struct Shallow {
    depth: usize,
    quotes: Quotes,
    /// Something was left out.
    has_cut: bool,
}

impl Shallow {
    /// What is to be read of the next piece. Mostly that is all of it, and nothing is copied.
    pub fn pass(&mut self, piece: Bytes) -> Bytes {
        let before = (self.depth, self.quotes);
        if self.depth <= READ && self.deepest(&piece) <= READ {
            return piece;
        }
        (self.depth, self.quotes) = before;
        let Some(first) = piece.iter().position(|byte| !self.keeps(*byte)) else {
            return piece;
        };
        self.has_cut = true;
        let mut rest = piece.clone();
        let mut kept = BytesMut::from(rest.split_to(first).as_ref());
        kept.extend(rest.iter().skip(1).copied().filter(|byte| self.keeps(*byte)));
        kept.freeze()
    }

    /// How deep the next piece goes.
    fn deepest(&mut self, piece: &[u8]) -> usize {
        let (mut depth, mut deepest) = (self.depth, self.depth);
        self.quotes.outside(piece, |byte| match byte {
            b'{' | b'[' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        });
        self.depth = depth;
        deepest
    }

    fn keeps(&mut self, byte: u8) -> bool {
        if self.quotes.holds(byte) {
            return self.depth <= READ;
        }
        match byte {
            b'{' | b'[' => {
                self.depth += 1;
                return self.depth <= READ + 1;
            }
            b'}' | b']' => {
                self.depth = self.depth.saturating_sub(1);
                return self.depth <= READ;
            }
            _ => {}
        }
        self.depth <= READ
    }
}

/// Reads a value, and what is nested too deep in it as empty.
pub fn from_slice<T: DeserializeOwned>(text: Bytes) -> serde_json::Result<T> {
    serde_json::from_slice(&Shallow::default().pass(text))
}

/// Reads a value that is needed as it is, to be written again.
pub fn whole_from_slice<T: DeserializeOwned>(text: Bytes) -> serde_json::Result<T> {
    let mut shallow = Shallow::default();
    let text = shallow.pass(text);
    if shallow.has_cut {
        return Err(serde_json::Error::custom("nested too deep"));
    }
    serde_json::from_slice(&text)
}

/// Whether more than so many arrays and objects stand within each other.
pub fn is_deeper(value: &Value, levels: usize) -> bool {
    let Some(below) = levels.checked_sub(1) else {
        return value.is_array() || value.is_object();
    };
    match value {
        Value::Array(items) => items.iter().any(|item| is_deeper(item, below)),
        Value::Object(fields) => fields.values().any(|field| is_deeper(field, below)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn nested(levels: usize) -> String {
        let (objects, arrays) = (levels / 2, levels - levels / 2);
        let open = r#"{"a":"#.repeat(objects) + &"[".repeat(arrays);
        format!("{open}1{}{}", "]".repeat(arrays), "}".repeat(objects))
    }

    fn passed(text: &str, piece: usize) -> String {
        let mut shallow = Shallow::default();
        let pieces = text.as_bytes().chunks(piece).map(Bytes::copy_from_slice);
        let kept: Vec<u8> = pieces.flat_map(|piece| shallow.pass(piece)).collect();
        String::from_utf8(kept).unwrap()
    }

    #[test]
    fn what_is_nested_too_deep_is_read_as_empty_and_all_else_as_it_is() {
        for levels in [1, 2, READ] {
            assert_eq!(passed(&nested(levels), 7), nested(levels));
        }
        for levels in [READ + 1, 128, 200, 9_999] {
            let text = format!(r#"{{"items":[{},{{"b":"}}{{\"]"}}]}}"#, nested(levels));
            let read: Value = from_slice(text.clone().into()).unwrap();
            assert_eq!(read["items"][1], json!({"b": "}{\"]"}), "{levels}");
            assert!(is_deeper(&read["items"][0], READ - 2) && !is_deeper(&read["items"][0], READ - 1));
            assert!(whole_from_slice::<Value>(text.into()).is_err());
        }
        assert!(
            serde_json::from_str::<Value>(&nested(128)).is_err(),
            "or none of this is needed"
        );
    }

    #[test]
    fn texts_in_a_row_begin_anew() {
        let text = format!("{}\n{}\n{}\n", nested(300), nested(3), nested(READ));
        let passed = passed(&text, 64);
        let read: Vec<Value> = passed
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(
            read[1..],
            [
                serde_json::from_str::<Value>(&nested(3)).unwrap(),
                serde_json::from_str(&nested(READ)).unwrap()
            ]
        );
    }

    #[test]
    fn levels_are_counted_as_they_are_written() {
        for (value, levels) in [
            (json!("x"), 0),
            (json!({}), 1),
            (json!([[], 1]), 2),
            (json!({"a": 1, "b": {"c": []}}), 3),
        ] {
            assert!(
                !is_deeper(&value, levels) && (levels == 0 || is_deeper(&value, levels - 1)),
                "{value}"
            );
        }
    }

    proptest! {
        #[test]
        fn what_is_left_is_the_same_however_the_text_comes(text in r#"([{}\[\]"\\a]|\{"a":){0,300}"#, deep in 0..120usize, piece in 1..40usize) {
            let text = "[".repeat(deep) + &text;
            let once = passed(&text, text.len().max(1));
            prop_assert_eq!(&passed(&text, piece), &once);
            prop_assert_eq!(&passed(&once, piece), &once, "what is left stays");
        }

        #[test]
        fn json_stays_json(levels in prop::collection::vec(0..3, 0..200), key in "\\PC{0,9}") {
            let key = json!(key);
            let text = levels.iter().fold(key.to_string(), |inner, level| match level {
                0 => format!("[{key},{inner},{{}}]"),
                1 => format!("{{{key}:{inner}}}"),
                _ => format!("[{inner}]"),
            });
            let read = from_slice::<Value>(text.clone().into());
            prop_assert!(read.is_ok(), "{:?} {}", read, text);
        }
    }
}
