//! What of JSON stands within texts in quotes, and what outside of them.

use memchr::memchr2;

/// Where JSON that comes piece by piece has got to: whether the next byte is within a text.
#[derive(Debug, Default, Clone, Copy)]
pub struct Quotes {
    is_quoted: bool,
    /// Behind a backslash.
    is_escaped: bool,
}

impl Quotes {
    /// Whether this byte, which is next, is of a text; the quotes around it are not.
    pub const fn holds(&mut self, byte: u8) -> bool {
        if !self.is_quoted {
            self.is_quoted = byte == b'"';
            return false;
        }
        if self.is_escaped {
            self.is_escaped = false;
        } else if byte == b'\\' {
            self.is_escaped = true;
        } else if byte == b'"' {
            self.is_quoted = false;
            return false;
        }
        true
    }

    /// Tells each byte of the next piece that is outside of texts. All answers of Grafana go through here: texts, most of their bytes, are skipped.
    pub fn outside(&mut self, piece: &[u8], mut each: impl FnMut(u8)) {
        let mut rest = piece;
        while let Some((byte, behind)) = rest.split_first() {
            rest = behind;
            if !self.holds(*byte) {
                each(*byte);
            }
            if self.is_quoted && !self.is_escaped {
                let end = memchr2(b'"', b'\\', rest).unwrap_or(rest.len());
                rest = rest.get(end..).unwrap_or_default();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn outside(text: &str, piece: usize) -> String {
        let mut quotes = Quotes::default();
        let mut seen = Vec::new();
        for piece in text.as_bytes().chunks(piece) {
            quotes.outside(piece, |byte| seen.push(byte));
        }
        String::from_utf8(seen).unwrap()
    }

    #[test]
    fn texts_are_left_out_with_all_that_is_escaped_in_them() {
        for (text, left) in [
            (r#"{"a,[":[1,""]}"#, r#"{"":[1,""]}"#),
            (r#"["\"",2,"\\",3]"#, r#"["",2,"",3]"#),
            (r#"["\\\"]",4]"#, r#"["",4]"#),
        ] {
            for piece in 1..=text.len() {
                assert_eq!(outside(text, piece), left, "{piece}");
            }
        }
    }

    proptest! {
        #[test]
        fn a_piece_is_seen_as_its_bytes_are_one_by_one(text in r#"[{}\[\],"\\a]{0,200}"#, piece in 1..40usize) {
            let mut quotes = Quotes::default();
            let one_by_one: String = text.chars().filter(|char| !quotes.holds(u8::try_from(*char).unwrap())).collect();
            prop_assert_eq!(outside(&text, piece), one_by_one);
        }
    }
}
