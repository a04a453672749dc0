//! What Rust's regular expressions have and Go's don't: Grafana compiles them with Go's `regexp` (RE2's syntax).

/// The highest count in `{n}`.
const MOST_REPEATS: u32 = 1000;

/// Why Go refuses an expression that Rust takes, or reads it otherwise; nothing where both agree, as far as is known.
pub(super) fn problem(pattern: &str) -> Option<&'static str> {
    let mut chars = pattern.chars().peekable();
    // Whether the last thing was a repetition, which may be followed by one `?` and by no other repetition.
    let mut repeated = false;
    while let Some(c) = chars.next() {
        let mut repeats = false;
        match c {
            '\\' => match chars.next() {
                Some('u' | 'U') => return Some("Go has no \\u; write the character itself, or \\x{…}"),
                Some('<' | '>') => return Some("Go has no \\< and \\>; write \\b"),
                Some('b') if chars.peek() == Some(&'{') => return Some("Go has no \\b{…}; write \\b"),
                _ => {}
            },
            '[' => {
                if let Some(problem) = class(&mut chars) {
                    return Some(problem);
                }
            }
            '*' | '+' | '?' | '{' => {
                repeats = true;
                if repeated {
                    return Some(
                        "Go repeats no repetition; leave the second out, or put the first in parentheses",
                    );
                }
                if c == '{' {
                    let count: String = chars.by_ref().take_while(|c| *c != '}').collect();
                    let is_too_many = |n: &str| n.trim().parse::<u32>().is_ok_and(|n| n > MOST_REPEATS);
                    if count.split(',').any(is_too_many) {
                        return Some("Go repeats at most 1000 times");
                    }
                }
                // A lazy repetition is one, not two.
                chars.next_if_eq(&'?');
            }
            _ => {}
        }
        repeated = repeats;
    }
    None
}

/// Reads a class to its end. Rust has classes within classes and operators on them; for Go these are characters.
fn class(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Option<&'static str> {
    const NESTED: &str = "Go has no classes within classes; write \\[ for the character";
    chars.next_if_eq(&'^');
    // A bracket that closes at once is a character.
    chars.next_if_eq(&']');
    while let Some(c) = chars.next() {
        match c {
            ']' => return None,
            '\\' if matches!(chars.next(), Some('u' | 'U')) => {
                return Some("Go has no \\u; write the character itself, or \\x{…}");
            }
            '[' if chars.peek() == Some(&':') => while chars.next().is_some_and(|c| c != ']') {},
            '[' => return Some(NESTED),
            '&' | '-' | '~' if chars.peek() == Some(&c) => {
                return Some("Go has no &&, -- and ~~ in classes; escape the second character");
            }
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_only_rust_takes_is_named() {
        for pattern in [
            "web++",
            "a**",
            "a{2}{3}",
            "a+{2}",
            "a{1001}",
            "a{1,1001}",
            r"\u0041.*",
            r"\U00000041",
            r"[\u0041]",
            r"\<web\>",
            r"\b{start}web",
            "[a[bc]]",
            "[a-z&&[^b]]",
            "[a--b]",
            "[a~~b]",
            "a???",
        ] {
            assert!(problem(pattern).is_some(), "{pattern}");
        }
    }

    #[test]
    fn what_both_take_is_left_alone() {
        for pattern in [
            "",
            "web.*",
            "a|b",
            "a+?b*?c??d{2,3}?",
            "a{1000}",
            r"\d+\.\d+",
            r"a\+\+",
            "[+*]+",
            "[]a]",
            "[^]a]",
            "[[:alpha:]_]+",
            r"[\[\]]+",
            "(a+)+",
            r"\x{41}",
            r"\bweb\b",
            "[a-]",
            "[-a]",
            "[&]",
            r"\{1001}",
            "[{1001}]",
        ] {
            assert_eq!(problem(pattern), None, "{pattern}");
            assert!(regex::Regex::new(pattern).is_ok(), "{pattern}");
        }
    }
}
