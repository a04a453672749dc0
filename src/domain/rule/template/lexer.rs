//! The marks between `{{` and `}}` as Go's lexer has them (`text/template/parse/lex.go`), and which numbers, texts and characters there are.

use super::error::Problem;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark<'a> {
    Space,
    Pipe,
    Open,
    Close,
    Declare,
    Assign,
    Comma,
    Dot,
    Field,
    Variable(&'a str),
    /// A keyword, a constant or a function.
    Word(&'a str),
    /// In quotes of either kind.
    Text,
    /// A number or a character.
    Number,
}

/// All of them; or what is none.
pub(super) fn lex(text: &str) -> Result<Vec<Mark<'_>>, Problem> {
    let mut marks = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let second = rest.chars().nth(1);
        let (mark, length) = match first {
            c if c.is_whitespace() => {
                let length = rest.find(|c: char| !c.is_whitespace());
                (Mark::Space, length.unwrap_or(rest.len()))
            }
            '|' => (Mark::Pipe, 1),
            '(' => (Mark::Open, 1),
            ')' => (Mark::Close, 1),
            ',' => (Mark::Comma, 1),
            '=' => (Mark::Assign, 1),
            ':' if second == Some('=') => (Mark::Declare, 2),
            '"' | '`' | '\'' => quoted(rest, first)?,
            '.' if second.is_some_and(|c| c.is_ascii_digit()) => (Mark::Number, number(rest)?),
            '.' => match word(rest, 1) {
                1 => (Mark::Dot, 1),
                length => (Mark::Field, length),
            },
            '$' => {
                let length = word(rest, 1);
                (Mark::Variable(rest.get(..length).unwrap_or_default()), length)
            }
            '+' | '-' => (Mark::Number, number(rest)?),
            c if c.is_ascii_digit() => (Mark::Number, number(rest)?),
            c if is_word(c) => {
                let length = word(rest, 0);
                (Mark::Word(rest.get(..length).unwrap_or_default()), length)
            }
            _ => return Err(Problem::Unexpected),
        };
        rest = rest.get(length..).unwrap_or_default();
        // Names end where something begins that may stand behind them, and so does `$x = 1`, but not `$x=1`.
        let is_name = matches!(mark, Mark::Field | Mark::Variable(_) | Mark::Word(_));
        if is_name && rest.starts_with(|c: char| !c.is_whitespace() && !".,|:()".contains(c)) {
            return Err(Problem::Unexpected);
        }
        marks.push(mark);
    }
    Ok(marks)
}

fn is_word(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

/// The length of a word with so much before it.
fn word(rest: &str, before: usize) -> usize {
    let body = rest.get(before..).unwrap_or_default();
    before + body.find(|c| !is_word(c)).unwrap_or(body.len())
}

/// A text or character with its quotes.
fn quoted<'a>(rest: &str, quote: char) -> Result<(Mark<'a>, usize), Problem> {
    let mut count = 0;
    let mut chars = rest.char_indices().skip(1).peekable();
    while let Some((at, c)) = chars.next() {
        match c {
            c if c == quote => {
                return match (quote, count) {
                    ('\'', 1) => Ok((Mark::Number, at + 1)),
                    ('\'', _) => Err(Problem::Literal),
                    _ => Ok((Mark::Text, at + 1)),
                };
            }
            '\n' if quote != '`' => return Err(Problem::UnclosedString),
            '\\' if quote != '`' => {
                let (_, escape) = chars.next().ok_or(Problem::UnclosedString)?;
                let (more, radix) = match escape {
                    'a' | 'b' | 'f' | 'n' | 'r' | 't' | 'v' | '\\' => (0, 16),
                    c if c == quote => (0, 16),
                    '0'..='7' => (2, 8),
                    'x' => (2, 16),
                    'u' => (4, 16),
                    'U' => (8, 16),
                    _ => return Err(Problem::Literal),
                };
                let mut code = escape.to_digit(radix).filter(|_| radix == 8).unwrap_or_default();
                for _ in 0..more {
                    let digit = chars.next_if(|(_, c)| c.is_digit(radix));
                    let digit = digit.and_then(|(_, c)| c.to_digit(radix));
                    let digit = digit.ok_or(Problem::Literal)?;
                    code = code.saturating_mul(radix).saturating_add(digit);
                }
                let is_char = more < 4 || char::from_u32(code).is_some();
                if !is_char || (radix == 8 && code > 255) {
                    return Err(Problem::Literal);
                }
            }
            _ => {}
        }
        count += 1;
    }
    Err(Problem::UnclosedString)
}

/// The length of a number.
fn number(rest: &str) -> Result<usize, Problem> {
    let unsigned = rest.trim_start_matches(['+', '-']);
    let sign = rest.len() - unsigned.len();
    let is_hex = unsigned.starts_with("0x") || unsigned.starts_with("0X");
    let mut length = 0;
    let mut before = ' ';
    for c in unsigned.chars() {
        let is_exponent = if is_hex {
            matches!(before, 'p' | 'P')
        } else {
            matches!(before, 'e' | 'E')
        };
        if !(is_word(c) || c == '.' || (matches!(c, '+' | '-') && is_exponent)) {
            break;
        }
        length += c.len_utf8();
        before = c;
    }
    let body = unsigned.get(..length).unwrap_or_default();
    if sign < 2 && is_number(&body.to_ascii_lowercase()) {
        Ok(sign + length)
    } else {
        Err(Problem::Literal)
    }
}

/// Whether a number without its sign is one. Of those with an imaginary part none is looked at closely.
fn is_number(body: &str) -> bool {
    if body.ends_with('i') && !body.starts_with("0x") {
        return body.starts_with(|c: char| c.is_ascii_digit() || c == '.');
    }
    let plain: String = body.chars().filter(|c| *c != '_').collect();
    let digits = |text: &str, radix: u32| !text.is_empty() && u64::from_str_radix(text, radix).is_ok();
    let is_signed = |text: &str| text.starts_with(['+', '-']);
    if let Some(hex) = plain.strip_prefix("0x") {
        let is_float = hex.contains(['p', '.']);
        return (is_float && hex.contains('p')) || (!is_signed(hex) && digits(hex, 16));
    }
    for (prefix, radix) in [("0b", 2), ("0o", 8)] {
        if let Some(rest) = plain.strip_prefix(prefix) {
            return !is_signed(rest) && digits(rest, radix);
        }
    }
    if plain.contains(['.', 'e']) {
        return plain.starts_with(|c: char| c.is_ascii_digit() || c == '.') && plain.parse::<f64>().is_ok();
    }
    match plain.strip_prefix('0') {
        Some("") => true,
        Some(octal) => digits(octal, 8),
        None => digits(&plain, 10),
    }
}
