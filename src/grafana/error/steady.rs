//! Why Grafana couldn't do something, in words that stay the same while the reason does.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::Regex;

/// How many characters of Grafana's message are kept.
const LONGEST: usize = 256;

/// What stands for whatever changes by itself.
const CHANGING: &str = "…";

/// Times, durations with a fraction or below a second, UUIDs, long numbers and hexadecimal ids, and the port of a client.
static CHANGES: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(concat!(
        r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|[ ]?[+-]\d{2}:?\d{2})?(?: UTC| [A-Z]{3,4})?",
        r"|\b(?:\d+h)?(?:\d+m)?(?:\d+\.\d+(?:ns|us|µs|ms|s)|\d+(?:ns|us|µs|ms))\b",
        r"|\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b",
        r"|\b0x[0-9a-fA-F]+\b|\b[0-9a-fA-F]*[0-9][0-9a-fA-F]{15,}\b|\b\d{7,}\b",
        r"|:\d+->",
    ))
    .ok()
});

/// The query of a URL: a data source's own parameters may hold a token, and the time is in it anyway.
static QUERIES: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r#"(\b[a-z][a-z0-9+.-]*://[^\s"'?]+)\?[^\s"']*"#).ok());

/// What follows the host of a URL, and the login before it: who has the address of a webhook may send there.
static ADDRESSES: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r#"(\b[a-zA-Z][a-zA-Z0-9+.-]*://)(?:[^\s"'/?#]*@)?([^\s"'/?#]+)[^\s"']*"#).ok()
});

/// Grafana's words with the host alone of each URL.
pub fn hosts_alone(error: &str) -> Option<Cow<'_, str>> {
    Some(ADDRESSES.as_ref()?.replace_all(error, "${1}${2}/…"))
}

/// Grafana's words on one line, cut, without the queries of URLs, and free of times, durations and ids; nothing where it says nothing.
pub fn steady(error: &str) -> Option<String> {
    let line = error.split_whitespace().collect::<Vec<_>>().join(" ");
    let line = match &*QUERIES {
        Some(queries) => queries.replace_all(&line, "${1}?…").into_owned(),
        None => return None,
    };
    let steady = match &*CHANGES {
        Some(changes) => changes.replace_all(&line, CHANGING).into_owned(),
        None => line,
    };
    let cut = match steady.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", steady.get(..end).unwrap_or_default().trim_end()),
        None => steady,
    };
    (!cut.is_empty()).then_some(cut)
}

/// The message to show: the one before, unless the new one says something else than other numbers, which nobody needs a write for.
pub fn kept(before: Option<String>, now: Option<String>) -> Option<String> {
    let words = |text: &str| text.chars().filter(|c| !c.is_ascii_digit()).collect::<String>();
    match (before, now) {
        (Some(before), Some(now)) if words(&before) == words(&now) => Some(before),
        (_, now) => now,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_one_line_without_what_changes_by_itself() {
        for (error, expected) in [
            (
                "[sse.dataQueryError] failed to execute query [A]:\n parse error at line 1, col 5",
                "[sse.dataQueryError] failed to execute query [A]: parse error at line 1, col 5",
            ),
            (
                "Post \"http://loki:3100/query?time=1732400000123456789\": dial tcp 10.0.0.1:43210->10.0.0.2:3100: i/o timeout after 1.0032s",
                "Post \"http://loki:3100/query?…\": dial tcp 10.0.0.1…10.0.0.2:3100: i/o timeout after …",
            ),
            (
                "at 2026-11-23T22:15:35.123Z trace 4bf92f3577b34da6a3ce929d0e0e4736 took 12ms (id 0c4d1f62-8a3b-4f51-9a51-0123456789ab)",
                "at … trace … took … (id …)",
            ),
            (
                "Get \"http://prom/api/v1/query?token=s3cret&query=up\": EOF",
                "Get \"http://prom/api/v1/query?…\": EOF",
            ),
            (
                "too many series in the last 5m of [30s]",
                "too many series in the last 5m of [30s]",
            ),
        ] {
            assert_eq!(steady(error).as_deref(), Some(expected), "{error}");
        }
        assert_eq!(steady(" \n"), None);
    }

    #[test]
    fn of_an_address_that_was_sent_to_the_host_alone_is_told() {
        for (error, expected) in [
            (
                "Post \"https://hooks.slack.com/services/T0/B0/s3cret\": dial tcp: lookup hooks.slack.com: no such host",
                "Post \"https://hooks.slack.com/…\": dial tcp: lookup hooks.slack.com: no such host",
            ),
            (
                "Post \"https://user:pass@example.com:8443?token=s3cret\": EOF",
                "Post \"https://example.com:8443/…\": EOF",
            ),
            (
                "failed to send HTTP request - status code 404: invalid_token",
                "failed to send HTTP request - status code 404: invalid_token",
            ),
            (
                "HTTPS://Example.com#s3cret failed",
                "HTTPS://Example.com/… failed",
            ),
        ] {
            let told = hosts_alone(error).and_then(|hosts| steady(&hosts));
            assert_eq!(told.as_deref(), Some(expected), "{error}");
        }
    }

    #[test]
    fn a_long_message_is_cut() {
        let cut = steady(&"ü ".repeat(1000)).unwrap();
        assert!(cut.chars().count() <= LONGEST + 1, "{}", cut.chars().count());
        assert!(cut.ends_with('…'));
    }

    #[test]
    fn numbers_alone_make_no_other_message() {
        let text = |text: &str| Some(text.to_owned());
        let twelve = text("found 12 series");
        assert_eq!(kept(twelve.clone(), text("found 7 series")), twelve);
        assert_eq!(
            kept(twelve.clone(), text("found no series")),
            text("found no series")
        );
        assert_eq!(kept(None, twelve.clone()), twelve);
        assert_eq!(kept(twelve, None), None);
    }
}
