//! What is another at each run: which is replaced in what is shown, and which is passed over where runs are compared.

use regex::{Captures, Regex};

/// Local addresses are those of the test's servers. The names are as long as they are, so that tables stay straight.
pub fn replaced(printed: &str, grafana: &str) -> String {
    let local = Regex::new(r"127\.0\.0\.1:[0-9]{4,5}").expect("a pattern");
    let replaced = local.replace_all(printed, |found: &Captures<'_>| {
        if &found[0] == grafana {
            "grafana.example"
        } else {
            "receive.example"
        }
    });
    replaced.into_owned()
}

/// What is passed over, in this order: what it is, and what stands for it.
const MASKS: [(&str, &str); 12] = [
    // This program's version, and what it was compiled for.
    (
        r"(CLIENT|OPERATOR|alertwright:) *[0-9]+\.[0-9]+\.[0-9]+( [a-z]+/[a-z0-9_]+)?",
        "$1 version",
    ),
    // What identifies objects, which Grafana or the operator makes up.
    (r"aw-[a-z0-9]{20,}", "aw-"),
    (r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "uuid"),
    (r"uid: [a-z0-9]{12,}", "uid: uid"),
    // The end of a Silence's name.
    (r"\boncall-[a-z0-9]{5}\b", "oncall-"),
    // Moments.
    (
        r"\b(tomorrow |[0-9]{4}-[0-9]{2}-[0-9]{2}[ T])?[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?Z?",
        "time",
    ),
    (r"[0-9]{4}-[0-9]{2}-[0-9]{2}", "day"),
    (
        r"(\b(Mon|Tue|Wed|Thu|Fri|Sat|Sun)( [0-9]{1,2})?\b *)+",
        "weekday ",
    ),
    // Lengths of time.
    (r"\b([0-9.]+(ms|s|m|h|d) ?)*[0-9.]+(ms|s|m|h|d)\b", "0s"),
    // Shares of time.
    (r"\b[0-9]{1,3}%", "0%"),
    // Charts.
    (r"[▁▂▃▄▅▆▇█]+", "▁"),
    // Columns are as wide as what is in them.
    (r" {2,}|-{4,}", " "),
];

/// Lines without what is another at each run.
pub fn masked(lines: &[String]) -> Vec<String> {
    let masks = MASKS.map(|(pattern, name)| (Regex::new(pattern).expect("a pattern"), name));
    let mask = |line: &String| {
        let mut line = line.clone();
        for (pattern, name) in &masks {
            line = pattern.replace_all(&line, *name).into_owned();
        }
        line.trim_end().to_owned()
    };
    lines.iter().map(mask).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_lengths_and_ids_are_passed_over_and_nothing_else() {
        for (one, other, same) in [
            ("firing  9s   to team", "firing  1h 12m  to team", true),
            ("until 23:40 UTC", "until 2026-11-27 02:10 UTC", true),
            ("until 23:40 UTC", "until 02:10 UTC", true),
            ("until 23:40", "until tomorrow 02:10", true),
            ("at 2026-11-27T10:00:00Z", "at 2027-01-02T03:04:05.67Z", true),
            (
                "uid aw-ea43ppg3guve5jxzblpcw5xvrh",
                "uid aw-aaaappg3guve5jxzblpcw5xvrh",
                true,
            ),
            ("silence/oncall-7f3k2 active", "silence/oncall-x8d2k active", true),
            ("3 rules", "4 rules", false),
            ("10 of 12", "11 of 12", false),
            ("pagerduty-oncall", "pagerduty-onduty", false),
            ("Fri 20    Sun 22   Mon 23", "Sat 21   Sun 22", true),
        ] {
            let of = |text: &str| masked(&[text.to_owned()]);
            assert_eq!(
                of(one) == of(other),
                same,
                "{one} | {other}: {:?} {:?}",
                of(one),
                of(other)
            );
        }
    }

    #[test]
    fn addresses_of_the_tests_servers_have_names_as_long_as_they_are() {
        let shown = replaced(
            "http://127.0.0.1:41234/x http://127.0.0.1:50000",
            "127.0.0.1:41234",
        );
        assert_eq!(shown, "http://grafana.example/x http://receive.example");
        assert_eq!("127.0.0.1:41234".len(), "grafana.example".len());
        assert_eq!("127.0.0.1:41234".len(), "receive.example".len());
    }
}
