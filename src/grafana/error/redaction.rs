//! Taking secrets out of what Grafana says.
//!
//! A message may repeat a secret as it is, as Go's `%q` and JSON write it, as it stands in a URL, and in any of these within another, as
//! settings within a message are. So message and secrets are both brought into one plain form, in which nothing of that is left, and
//! compared there. Takes time and room in proportion to the lengths of both.

use std::collections::HashMap;
use std::ops::Range;

use crate::grafana::model::REDACTED;

/// So many bytes that a secret has too are taken out wherever they stand, with the word that they are in, also where the rest of the secret doesn't: Go hides
/// the password of a URL and shows what stands around it. Fewer may be a word of Grafana's own, as `configuration` is; shorter secrets count as a whole.
const PART: usize = 16;
/// Shortest line of a secret that counts by itself, and shortest beginning of one that is looked for where the message was cut.
const LEAST: usize = 4;

/// `message` with each part that repeats one of the `secrets` replaced by Grafana's own mask. What lies within `own` stays: words of Grafana's by
/// which its refusals are told apart.
pub(super) fn without(message: &str, secrets: &[&str], own: &[Range<usize>]) -> String {
    let said = plain(message);
    let bytes: Vec<u8> = said.iter().map(|piece| piece.byte).collect();
    let mut hidden = Hidden {
        message,
        said: &said,
        bytes: vec![false; message.len()],
    };
    let mut is_part = vec![false; said.len()];
    let mut parts: HashMap<&[u8], Vec<usize>> = HashMap::new();
    for (at, part) in bytes.windows(PART).enumerate() {
        parts.entry(part).or_default().push(at);
    }
    let own_words = words(&said);
    let quoted = quoted(&bytes);
    for secret in secrets {
        for word in words_of(secret) {
            for range in own_words.get(&word.bytes).into_iter().flatten() {
                if !word.is_plain || quoted.contains(&range.start) {
                    hidden.hide(range.clone());
                }
            }
        }
        let lines = secret.lines().filter(|line| line.len() >= LEAST);
        for text in lines.chain([*secret]) {
            let secret: Vec<u8> = plain(text).iter().map(|piece| piece.byte).collect();
            let secret = secret.trim_ascii();
            for part in secret.windows(PART) {
                for at in parts.remove(part).unwrap_or_default() {
                    hidden.hide(at..at + PART);
                    if let Some(part) = is_part.get_mut(at..at + PART) {
                        part.fill(true);
                    }
                }
            }
            if !secret.is_empty() && secret.len() < PART {
                for (at, _) in (bytes.windows(secret.len()).enumerate()).filter(|(_, part)| *part == secret) {
                    hidden.hide(at..at + secret.len());
                }
            }
            let cut = (LEAST..PART.min(secret.len())).rev();
            let mut begun =
                cut.filter(|length| secret.get(..*length).is_some_and(|start| bytes.ends_with(start)));
            if let Some(length) = begun.next() {
                hidden.hide(bytes.len() - length..bytes.len());
            }
        }
    }
    hidden.hide_words(&is_part);
    for range in own {
        hidden.set(range.clone(), false);
    }
    hidden.text()
}

/// What of a URL, or between the quotes and spaces of a text, stands alone: Go's errors say a port, a login or a part of a path by itself.
struct Word {
    bytes: Vec<u8>,
    /// Whether it may be a word of Grafana's own, as `configuration` is: then it is taken out only where a message quotes something.
    is_plain: bool,
}

fn words_of(secret: &str) -> Vec<Word> {
    let pieces = plain(secret);
    let as_written = |piece: &Piece| secret.as_bytes().get(piece.start).copied().unwrap_or(piece.byte);
    let words = words(&pieces).into_iter().map(|(bytes, ranges)| {
        let is_plain = ranges.iter().any(|range| {
            let written: Vec<u8> = pieces
                .get(range.clone())
                .unwrap_or_default()
                .iter()
                .map(as_written)
                .collect();
            let [first, rest @ ..] = written.as_slice() else {
                return false;
            };
            // `certificate`, `Certificate` or, as a key in PEM has it, `CERTIFICATE`.
            first.is_ascii_alphabetic() && rest.iter().all(u8::is_ascii_lowercase)
                || written.iter().all(u8::is_ascii_uppercase)
        });
        Word { bytes, is_plain }
    });
    words.collect()
}

/// The words of a text that aren't too short, with where they stand.
fn words(text: &[Piece]) -> HashMap<Vec<u8>, Vec<Range<usize>>> {
    let is_within = |byte: u8| byte.is_ascii_alphanumeric() || byte >= 0x80;
    let mut found: HashMap<_, Vec<Range<usize>>> = HashMap::new();
    let mut start = 0;
    for part in text.split_inclusive(|piece| !is_within(piece.byte) && !b"._-~".contains(&piece.byte)) {
        let ends = |piece: &Piece| is_within(piece.byte);
        if let (Some(first), Some(last)) = (part.iter().position(ends), part.iter().rposition(ends))
            && last + 1 - first >= LEAST
            && let Some(word) = part.get(first..=last)
        {
            let bytes = word.iter().map(|piece| piece.byte).collect();
            found
                .entry(bytes)
                .or_default()
                .push(start + first..start + last + 1);
        }
        start += part.len();
    }
    found
}

/// What a message may quote: all from its first quote to its last one, as there may be quotes in what it quotes.
fn quoted(message: &[u8]) -> Range<usize> {
    let is_quote = |byte: &u8| b"\"'`".contains(byte);
    let first = message.iter().position(is_quote).unwrap_or_default();
    first..message.iter().rposition(is_quote).unwrap_or_default()
}

/// Which bytes of a message are to go.
struct Hidden<'a> {
    message: &'a str,
    said: &'a [Piece],
    bytes: Vec<bool>,
}

impl Hidden<'_> {
    /// Hides what stands in the message for a range of its plain form.
    fn hide(&mut self, plain: Range<usize>) {
        let is_last = plain.end == self.said.len();
        let pieces = self.said.get(plain).unwrap_or_default();
        let (Some(first), Some(last)) = (pieces.first(), pieces.last()) else {
            return;
        };
        // Behind the last one may be the beginning of an escape that was cut.
        let end = if is_last { self.message.len() } else { last.end };
        self.set(first.start..end, true);
    }

    /// Hides all of each word of which so much is hidden. The rest of it is no word of Grafana's either, and may be what the secret was before it was
    /// changed: addresses of one webhook begin alike.
    fn hide_words(&mut self, is_part: &[bool]) {
        let mut start = 0;
        for word in self.said.split_inclusive(|piece| is_between_words(piece.byte)) {
            let end = start + word.len();
            let is_ended = word.last().is_some_and(|last| is_between_words(last.byte));
            let own = start..if is_ended { end - 1 } else { end };
            if is_part.get(own.clone()).is_some_and(|part| part.contains(&true)) {
                self.hide(own);
            }
            start = end;
        }
    }

    fn set(&mut self, range: Range<usize>, is_hidden: bool) {
        if let Some(bytes) = self.bytes.get_mut(range) {
            bytes.fill(is_hidden);
        }
    }

    fn text(&self) -> String {
        let mut text = String::with_capacity(self.message.len());
        let mut is_within = false;
        for (at, c) in self.message.char_indices() {
            let bytes = self.bytes.get(at..at + c.len_utf8());
            let is_hidden = bytes.is_some_and(|bytes| bytes.contains(&true));
            if !is_hidden {
                text.push(c);
            } else if !is_within {
                text.push_str(REDACTED);
            }
            is_within = is_hidden;
        }
        text
    }
}

fn is_between_words(byte: u8) -> bool {
    byte.is_ascii_whitespace() || b"\"'`()[]{}<>,;".contains(&byte)
}

/// A byte of the plain form, and what it stands for.
#[derive(Clone, Copy)]
struct Piece {
    byte: u8,
    start: usize,
    end: usize,
}

/// The plain form: of an ASCII letter the small one, as hosts are written; without escapes and what they are written with; a space for `+` and
/// each control character, as messages have one line. An escape that the end of the text cuts off counts for nothing.
fn plain(text: &str) -> Vec<Piece> {
    let unescaped = without_backslashes(&without_percent(text.as_bytes()));
    let mut plain: Vec<Piece> = Vec::with_capacity(unescaped.len());
    for mut piece in unescaped {
        piece.byte = match piece.byte {
            b'+' => b' ',
            // The second byte of a control character above ASCII.
            0x80..=0x9F if plain.last().is_some_and(|before| before.byte == 0xC2) => {
                if let Some(before) = plain.pop() {
                    piece.start = before.start;
                }
                b' '
            }
            byte if byte.is_ascii_control() => b' ',
            byte => byte.to_ascii_lowercase(),
        };
        plain.push(piece);
    }
    // The first byte of a character alone tells nothing either.
    plain.pop_if(|last| last.byte == 0xC2);
    plain
}

/// Reads `%2F`, and what is left of it once the percent sign was encoded again, however often: `%252F`.
fn without_percent(text: &[u8]) -> Vec<Piece> {
    let mut pieces = Vec::with_capacity(text.len());
    let mut start = 0;
    while let Some(&byte) = text.get(start) {
        let mut at = start + 1;
        let mut piece = Piece { byte, start, end: at };
        if byte == b'%' {
            while text.get(at..at + 2) == Some(b"25") && !matches!(digits(text, at + 2, 2), Digits::None) {
                at += 2;
            }
            match digits(text, at, 2) {
                Digits::Cut => break,
                Digits::Value(value) => {
                    piece.byte = u8::try_from(value).unwrap_or_default();
                    piece.end = at + 2;
                }
                Digits::None => {}
            }
        }
        start = piece.end;
        pieces.push(piece);
    }
    pieces
}

/// Reads what backslashes lead in, however many there are of them: each level of quoting doubles them. Backslashes alone count for nothing.
fn without_backslashes(text: &[Piece]) -> Vec<Piece> {
    let bytes: Vec<u8> = text.iter().map(|piece| piece.byte).collect();
    let mut pieces = Vec::with_capacity(text.len());
    let mut at = 0;
    while let Some(first) = text.get(at) {
        let letter = behind_backslashes(&bytes, at);
        let Some(&Piece { byte, end, .. }) = text.get(letter) else {
            break;
        };
        let (mut char, mut next) = (None, letter + 1);
        if letter > at {
            match escape(&bytes, letter) {
                Escape::Cut => break,
                Escape::Char(c, behind) => (char, next) = (Some(c), behind),
                Escape::None => {}
            }
        }
        let end = next
            .checked_sub(1)
            .and_then(|last| text.get(last))
            .map_or(end, |last| last.end);
        let mut push = |byte| {
            pieces.push(Piece {
                byte,
                start: first.start,
                end,
            });
        };
        match char {
            Some(c) => c.encode_utf8(&mut [0; 4]).bytes().for_each(push),
            None => push(byte),
        }
        at = next;
    }
    pieces
}

/// What a letter behind backslashes means.
enum Escape {
    /// Itself.
    None,
    /// A character, and where what follows begins.
    Char(char, usize),
    /// The end of the text cuts it off.
    Cut,
}

fn escape(bytes: &[u8], letter: usize) -> Escape {
    let at = letter + 1;
    let length = match bytes.get(letter) {
        Some(b'x') => 2,
        Some(b'u') => 4,
        Some(b'U') => 8,
        Some(b'a' | b'b' | b'f' | b'n' | b'r' | b't' | b'v') => return Escape::Char(' ', at),
        _ => return Escape::None,
    };
    let value = match digits(bytes, at, length) {
        Digits::Value(value) => value,
        Digits::Cut => return Escape::Cut,
        Digits::None => return Escape::None,
    };
    let behind = at + length;
    if !(0xD800..0xDC00).contains(&value) {
        return Escape::Char(
            char::from_u32(value).unwrap_or(char::REPLACEMENT_CHARACTER),
            behind,
        );
    }
    // The first half of a character that UTF-16 writes as two.
    let second = behind_backslashes(bytes, behind);
    if second >= bytes.len() {
        return Escape::Cut;
    }
    if second > behind && bytes.get(second) == Some(&b'u') {
        match digits(bytes, second + 1, 4) {
            Digits::Value(low @ 0xDC00..0xE000) => {
                let both = 0x1_0000 + ((value - 0xD800) << 10) + (low - 0xDC00);
                let char = char::from_u32(both).unwrap_or(char::REPLACEMENT_CHARACTER);
                return Escape::Char(char, second + 5);
            }
            Digits::Cut => return Escape::Cut,
            _ => {}
        }
    }
    Escape::Char(char::REPLACEMENT_CHARACTER, behind)
}

fn behind_backslashes(bytes: &[u8], at: usize) -> usize {
    let rest = bytes.get(at..).unwrap_or_default();
    at + rest.iter().take_while(|byte| **byte == b'\\').count()
}

/// A number of so many hexadecimal digits.
enum Digits {
    None,
    Value(u32),
    Cut,
}

fn digits(bytes: &[u8], at: usize, length: usize) -> Digits {
    let rest = bytes.get(at..).unwrap_or_default();
    let mut value = 0;
    for (i, byte) in rest.iter().take(length).enumerate() {
        match char::from(*byte).to_digit(16) {
            Some(digit) => value = value << 4 | digit,
            None => return Digits::None,
        }
        if i + 1 == length {
            return Digits::Value(value);
        }
    }
    Digits::Cut
}

#[cfg(test)]
#[path = "redaction_tests.rs"]
mod tests;
