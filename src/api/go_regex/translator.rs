//! Go's syntax in Rust's, part by part.

use std::fmt::Write as _;

use super::group::{Group, Part};

/// Go's limit of repetitions, also for repetitions within each other.
const MOST: u32 = 1000;
/// Go's limit of groups within each other.
const DEEPEST: usize = 1000;
const CLASSES: [&str; 14] = [
    "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print", "punct", "space",
    "upper", "word", "xdigit",
];

/// Reads an expression of Go's and writes one of Rust's.
pub(super) struct Translator<'a> {
    rest: &'a str,
    /// What is written by now.
    pub(super) rust: String,
    groups: Vec<Group>,
    /// The last thing was a repetition.
    is_repeated: bool,
    /// What takes long to be compiled.
    pub(super) costs: Costs,
}

/// What an expression has of what takes long to be compiled.
#[derive(Default)]
pub(super) struct Costs {
    /// Somewhere case is ignored.
    folds_case: bool,
    /// There is a class.
    has_class: bool,
    /// There is a class by a name of Unicode's.
    has_category: bool,
}

impl Costs {
    /// To ignore the case of a class, or to find out a category, takes far longer than all else.
    pub(super) fn are_high(&self) -> bool {
        self.has_category || (self.folds_case && self.has_class)
    }
}

impl<'a> Translator<'a> {
    pub(super) fn new(go: &'a str) -> Self {
        Self {
            rest: go,
            rust: String::with_capacity(go.len() + 16),
            groups: vec![Group::default()],
            is_repeated: false,
            costs: Costs::default(),
        }
    }

    /// Translates all of it.
    pub(super) fn translate(&mut self) -> Result<(), String> {
        while let Some(c) = self.next() {
            self.step(c)?;
        }
        if self.groups.len() > 1 {
            return Err("a ( is never closed; a literal one is written \\(".into());
        }
        Ok(())
    }

    /// What is known of it as a whole.
    pub(super) fn whole(&self) -> Part {
        self.groups.last().map_or(Group::default().part(), Group::part)
    }

    fn next(&mut self) -> Option<char> {
        let mut chars = self.rest.chars();
        let c = chars.next()?;
        self.rest = chars.as_str();
        Some(c)
    }

    fn eat(&mut self, text: &str) -> bool {
        self.rest.strip_prefix(text).is_some_and(|rest| {
            self.rest = rest;
            true
        })
    }

    fn step(&mut self, c: char) -> Result<(), String> {
        let was_repeated = std::mem::take(&mut self.is_repeated);
        match c {
            '(' => self.open(),
            ')' => self.close(),
            '|' => {
                self.rust.push('|');
                self.top(Group::alternative);
                Ok(())
            }
            '[' => self.class(),
            '\\' => self.backslash(),
            '*' | '?' => self.repeat(&c.to_string(), 0, 1, was_repeated),
            '+' => self.repeat("+", 1, 1, was_repeated),
            '{' => match self.count() {
                Some((text, least, most)) => self.repeat_counted(&text, least, most, was_repeated),
                None => self.literal('{'),
            },
            '^' | '$' => {
                self.rust.push(c);
                self.atom(Part::ANCHOR)
            }
            '.' => {
                self.rust.push(c);
                self.atom(Part::CHARACTER)
            }
            other => self.literal(other),
        }
    }

    fn top(&mut self, change: impl FnOnce(&mut Group)) {
        if let Some(group) = self.groups.last_mut() {
            change(group);
        }
    }

    #[expect(clippy::unnecessary_wraps, reason = "every way through a step ends alike")]
    fn atom(&mut self, part: Part) -> Result<(), String> {
        self.top(|group| group.add(part));
        Ok(())
    }

    fn literal(&mut self, c: char) -> Result<(), String> {
        push_literal(&mut self.rust, c);
        self.atom(Part::CHARACTER)
    }

    fn repeat(&mut self, text: &str, least: u32, times: u32, was_repeated: bool) -> Result<(), String> {
        let inner = self.groups.last().and_then(Group::repeated);
        let Some(inner) = inner else {
            return Err(format!(
                "there is nothing before {text} to repeat; a literal one is written \\{text}"
            ));
        };
        if was_repeated {
            return Err(format!(
                "{text} stands after another repetition: Grafana's regular expressions have no possessive ones; put what is to be repeated twice in (?:...)"
            ));
        }
        let total = inner.saturating_mul(times.max(1));
        if times > 1 && total > MOST {
            return Err(format!(
                "{text} makes more than {MOST} repetitions, the most that Grafana takes"
            ));
        }
        self.rust.push_str(text);
        if self.eat("?") {
            self.rust.push('?');
        }
        self.top(|group| group.repeat(least, times, total));
        self.is_repeated = true;
        Ok(())
    }

    fn repeat_counted(
        &mut self,
        text: &str,
        least: u32,
        most: Option<u32>,
        was_repeated: bool,
    ) -> Result<(), String> {
        if least > MOST || most.is_some_and(|most| most > MOST || most < least) {
            return Err(format!(
                "{text} is no repetition that Grafana takes: at most {MOST}, and the second number not below the first"
            ));
        }
        self.repeat(text, least, most.unwrap_or(least), was_repeated)
    }

    /// What stands after a brace, if that makes it a repetition: `{2}`, `{2,}`, `{2,3}`.
    fn count(&mut self) -> Option<(String, u32, Option<u32>)> {
        let (inner, rest) = self.rest.split_once('}')?;
        let number = |text: &str| {
            let is_number = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
            let has_zeros = text.len() > 1 && text.starts_with('0');
            (is_number && !has_zeros).then(|| text.parse().unwrap_or(u32::MAX))
        };
        let (least, most) = match inner.split_once(',') {
            None => (number(inner)?, Some(number(inner)?)),
            Some((least, "")) => (number(least)?, None),
            Some((least, most)) => (number(least)?, Some(number(most)?)),
        };
        self.rest = rest;
        Some((format!("{{{inner}}}"), least, most))
    }

    fn open(&mut self) -> Result<(), String> {
        if self.groups.len() > DEEPEST {
            return Err("groups stand too deep within each other".into());
        }
        if self.eat("?P<") || self.eat("?<") {
            let name = self.rest.split('>').next().unwrap_or_default();
            let is_name = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
            let length = name.len();
            if name.starts_with(['=', '!']) {
                return Err(NO_LOOKING_AROUND.into());
            }
            if !is_name || self.rest.len() == length {
                return Err("the name of a group is letters, digits and _ between < and >".into());
            }
            self.rest = self.rest.get(length + 1..).unwrap_or_default();
            self.rust.push('(');
        } else if self.eat("?") {
            return self.flags();
        } else {
            self.rust.push('(');
        }
        self.groups.push(Group::default());
        Ok(())
    }

    fn flags(&mut self) -> Result<(), String> {
        let mut flags = String::new();
        let mut is_negative = false;
        let mut has_flag = false;
        loop {
            match self.next() {
                Some(flag @ ('i' | 'm' | 's' | 'U')) => {
                    self.costs.folds_case |= flag == 'i';
                    flags.push(flag);
                    has_flag = true;
                }
                Some('-') if !is_negative => {
                    flags.push('-');
                    is_negative = true;
                    has_flag = false;
                }
                Some(end @ (':' | ')')) if has_flag || !is_negative => {
                    if end == ':' {
                        let _ = write!(self.rust, "(?{flags}:");
                        self.groups.push(Group::default());
                    } else if !flags.is_empty() {
                        let _ = write!(self.rust, "(?{flags})");
                    }
                    return Ok(());
                }
                Some('=' | '!') => return Err(NO_LOOKING_AROUND.into()),
                _ => return Err("after (? only the flags i, m, s and U are known".into()),
            }
        }
    }

    fn close(&mut self) -> Result<(), String> {
        let inner = self.groups.pop().filter(|_| !self.groups.is_empty());
        let Some(inner) = inner else {
            return Err("a ) closes nothing; a literal one is written \\)".into());
        };
        self.rust.push(')');
        self.atom(inner.part())
    }

    fn backslash(&mut self) -> Result<(), String> {
        if self.eat("Q") {
            let Some((quoted, rest)) = self.rest.split_once(r"\E") else {
                return Err(r"\Q is never closed; end the literal text with \E".into());
            };
            self.rest = rest;
            return quoted.chars().try_for_each(|c| self.literal(c));
        }
        for (letter, rust, part) in [
            ("A", r"\A", Part::ANCHOR),
            ("z", r"\z", Part::ANCHOR),
            ("b", r"(?-u:\b)", Part::EDGE),
            ("B", r"(?-u:\B)", Part::ANCHOR),
        ] {
            if self.eat(letter) {
                self.rust.push_str(rust);
                return self.atom(part);
            }
        }
        if let Some(class) = self.named_class()? {
            let _ = write!(self.rust, "[{class}]");
            return self.atom(Part::CHARACTER);
        }
        let c = self.escaped()?;
        self.literal(c)
    }

    /// A class after a backslash, as it is written within brackets.
    fn named_class(&mut self) -> Result<Option<String>, String> {
        for (letter, rust) in [
            ("d", "0-9"),
            ("D", "[^0-9]"),
            ("s", r"\t\n\x0C\r\x20"),
            ("S", r"[^\t\n\x0C\r\x20]"),
            ("w", "0-9A-Za-z_"),
            ("W", "[^0-9A-Za-z_]"),
        ] {
            if self.eat(letter) {
                self.costs.has_class = true;
                return Ok(Some(rust.to_owned()));
            }
        }
        let mut is_negative = self.rest.starts_with('P');
        if !self.rest.starts_with(['p', 'P']) {
            return Ok(None);
        }
        self.next();
        let unknown = || r"after \p stands one letter or a name in braces, as in \pL or \p{Greek}".to_owned();
        let name = match self.next() {
            Some('{') => {
                let (name, rest) = self.rest.split_once('}').ok_or_else(unknown)?;
                self.rest = rest;
                name.strip_prefix('^')
                    .map_or(name, |name| {
                        is_negative = !is_negative;
                        name
                    })
                    .to_owned()
            }
            Some(letter) => letter.to_string(),
            None => return Err(unknown()),
        };
        if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
            return Err(unknown());
        }
        self.costs.has_category = true;
        let letter = if is_negative { 'P' } else { 'p' };
        Ok(Some(format!(r"\{letter}{{{name}}}")))
    }

    /// The character that an escape stands for; the backslash is read.
    fn escaped(&mut self) -> Result<char, String> {
        let octal = |c: char| c.to_digit(8);
        match self.next() {
            None => Err(r"it ends in a backslash; a literal one is written \\".into()),
            Some('a') => Ok('\x07'),
            Some('f') => Ok('\x0C'),
            Some('n') => Ok('\n'),
            Some('r') => Ok('\r'),
            Some('t') => Ok('\t'),
            Some('v') => Ok('\x0B'),
            Some('x') => self.hexadecimal(),
            Some(digit @ '0'..='7') if digit == '0' || self.rest.starts_with(|c| octal(c).is_some()) => {
                let mut value = octal(digit).unwrap_or_default();
                for _ in 0..2 {
                    let Some(next) = self.rest.chars().next().and_then(octal) else {
                        break;
                    };
                    self.next();
                    value = value * 8 + next;
                }
                char::from_u32(value).ok_or_else(|| "no such character".to_owned())
            }
            Some(digit @ '1'..='9') => Err(format!(
                r"\{digit} looks back at a group, which Grafana's regular expressions can't"
            )),
            Some('u' | 'U') => {
                Err(r"\u is no escape of Grafana's regular expressions; write \x{0041}".into())
            }
            Some(other) if other.is_ascii() && !other.is_ascii_alphanumeric() => Ok(other),
            Some(other) => Err(format!(
                r"\{other} is no escape of Grafana's regular expressions; a literal backslash is written \\"
            )),
        }
    }

    fn hexadecimal(&mut self) -> Result<char, String> {
        let wrong =
            || r"after \x stand two hexadecimal digits, or more in braces: \x7F, \x{1F600}".to_owned();
        let digits = if self.eat("{") {
            let (digits, rest) = self.rest.split_once('}').ok_or_else(wrong)?;
            self.rest = rest;
            digits
        } else {
            let (digits, rest) = self.rest.split_at_checked(2).ok_or_else(wrong)?;
            self.rest = rest;
            digits
        };
        let is_hexadecimal = digits.bytes().all(|b| b.is_ascii_hexdigit());
        let value = u32::from_str_radix(digits, 16).ok().filter(|_| is_hexadecimal);
        value.and_then(char::from_u32).ok_or_else(wrong)
    }

    fn class(&mut self) -> Result<(), String> {
        let open = || r"a [ is never closed; a literal one is written \[".to_owned();
        self.costs.has_class = true;
        self.rust.push('[');
        if self.eat("^") {
            self.rust.push('^');
        }
        let mut is_first = true;
        while is_first || !self.rest.starts_with(']') {
            is_first = false;
            if let Some((name, rest)) = self.posix_class() {
                if !CLASSES.contains(&name.strip_prefix('^').unwrap_or(name)) {
                    return Err(format!("[:{name}:] is no class; a literal [ is written \\["));
                }
                let _ = write!(self.rust, "[:{name}:]");
                self.rest = rest;
                continue;
            }
            if self.rest.starts_with('\\') {
                let before = self.rest;
                self.next();
                if let Some(class) = self.named_class()? {
                    self.rust.push_str(&class);
                    continue;
                }
                self.rest = before;
            }
            let low = self.class_character().ok_or_else(open)??;
            let is_range = self.rest.starts_with('-') && !self.rest.starts_with("-]") && self.rest.len() > 1;
            push_literal(&mut self.rust, low);
            if is_range {
                self.next();
                let high = self.class_character().ok_or_else(open)??;
                if high < low {
                    return Err(format!(
                        "the range {low}-{high} runs backwards; a literal - is written \\-"
                    ));
                }
                self.rust.push('-');
                push_literal(&mut self.rust, high);
            }
        }
        self.next();
        self.rust.push(']');
        self.atom(Part::CHARACTER)
    }

    fn posix_class(&self) -> Option<(&'a str, &'a str)> {
        self.rest.strip_prefix("[:")?.split_once(":]")
    }

    fn class_character(&mut self) -> Option<Result<char, String>> {
        match self.next()? {
            '\\' => Some(self.escaped()),
            other => Some(Ok(other)),
        }
    }
}

const NO_LOOKING_AROUND: &str = "Grafana's regular expressions can't look ahead or behind; use another matcher with !~ for what must not be there";

/// A character that stands for itself, within a class too.
fn push_literal(rust: &mut String, c: char) {
    if c.is_ascii_alphanumeric() || c == '_' || !c.is_ascii() {
        rust.push(c);
    } else {
        let _ = write!(rust, r"\x{:02X}", u32::from(c));
    }
}
