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

/// A length of time, as commands say it, behind its first digit.
const LENGTH: &str = "[0-9.]*(?:ms|s|m|h|d)(?: ?[0-9]+(?:s|m|h|d))*";

/// What is passed over in columns of tables: their titles, and which cells. A length that somebody has written, such as a `for`, stands in none of them.
const COLUMNS: [(&[&str], &str); 3] = [
    // How long ago something was.
    (&["SINCE", "FOR", "LAST SEEN"], "^[0-9]{LENGTH}$"),
    // How long something was. That it was for no time at all is another thing.
    (&["FIRING", "LONGEST", "LENGTH", "MEDIAN"], "^[1-9]{LENGTH}$"),
    // Shares of time, if there is any.
    (&["SILENCED"], "^[1-9][0-9]{0,2}%$"),
];

/// What is passed over elsewhere, in this order: what it is, and what stands for it.
const MASKS: [(&str, &str); 14] = [
    // This program's version, and what it was compiled for.
    (
        r"(CLIENT|OPERATOR|alertwright:) *[0-9]+\.[0-9]+\.[0-9]+( [a-z]+/[a-z0-9_]+)?(, commit [0-9a-f]+(-dirty)?)?",
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
        r"\b((Mon|Tue|Wed|Thu|Fri|Sat|Sun) )?(tomorrow |[0-9]{4}-[0-9]{2}-[0-9]{2}[ T])?[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?Z?",
        "time",
    ),
    (r"[0-9]{4}-[0-9]{2}-[0-9]{2}", "day"),
    // The days below a chart, and the chart.
    (
        r"^ *((Mon|Tue|Wed|Thu|Fri|Sat|Sun)( [0-9]{1,2})?( +|$))+$",
        "weekdays",
    ),
    (r"^ *[▁▂▃▄▅▆▇█][▁▂▃▄▅▆▇█ ]* ", "▁ "),
    // How long ago something was, or is to come, or took.
    (r"\b[0-9]{LENGTH} (old|ago)\b", "0s $1"),
    (r"^(STATE .*| +in sync) for [0-9]{LENGTH}$", "$1 for 0s"),
    (r"(next to end: \S+ in) [0-9]{LENGTH}(;|$)", "$1 0s$2"),
    (r"(✓ .* delivered in) [0-9]{LENGTH}$", "$1 0s"),
    // Columns are as wide as what is in them.
    (r"(\S) {2,}", "$1 "),
];

fn pattern(text: &str) -> Regex {
    Regex::new(&text.replace("{LENGTH}", LENGTH)).expect("a pattern")
}

/// Lines without what is another at each run.
pub fn masked(lines: &[String]) -> Vec<String> {
    let masks = MASKS.map(|(text, name)| (pattern(text), name));
    let columns = COLUMNS.map(|(titles, text)| (titles, pattern(text)));
    let words = Regex::new(r"\S+( \S+)*").expect("a pattern");
    // Where the columns of the table begin and end whose lines are gone through, and which cells are passed over.
    let mut table: Vec<(usize, usize, &Regex)> = Vec::new();
    let mut mask = |line: &String| {
        let begins: Vec<(usize, &str)> = words
            .find_iter(line)
            .map(|found| (line[..found.start()].chars().count(), found.as_str()))
            .collect();
        let of_title = |(i, (begin, title)): (usize, &(usize, &str))| {
            let (_, cells) = columns.iter().find(|(titles, _)| titles.contains(title))?;
            let end = begins.get(i + 1).map_or(usize::MAX, |(begin, _)| *begin);
            Some((*begin, end, cells))
        };
        let titles: Vec<_> = begins.iter().enumerate().filter_map(of_title).collect();
        if !titles.is_empty() || line.is_empty() {
            table = titles;
        }
        let mut line = line.clone();
        for (begin, end, cells) in table.iter().rev() {
            let letters: Vec<char> = line.chars().collect();
            let end = (*end).min(letters.len());
            let Some(cell) = letters.get(*begin..end) else {
                continue;
            };
            if cells.is_match(cell.iter().collect::<String>().trim_end()) {
                let (before, behind) = (&letters[..*begin], &letters[end..]);
                line = before.iter().chain(&['~', ' ', ' ']).chain(behind).collect();
            }
        }
        for (pattern, name) in &masks {
            line = pattern.replace_all(&line, *name).into_owned();
        }
        line.trim_end().to_owned()
    };
    lines.iter().map(&mut mask).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_at_each_run_is_passed_over_and_nothing_else() {
        for (one, other, same) in [
            ("until 23:40 UTC", "until 2026-11-27 02:10 UTC", true),
            ("until 23:40 UTC", "until 02:10 UTC", true),
            ("until 23:40", "until tomorrow 02:10", true),
            ("of Sat 2026-11-21 14:55: x", "of Sun 2026-11-22 04:55: x", true),
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
            ("on Fri 20", "on Sat 21", false),
            ("    ▅    ▁   7 to 60", "  ▅ ▁    ▇   7 to 60", true),
            ("    ▅    ▁   7 to 60", "    ▅    ▁   7 to 61", false),
            // Ages, and how long something took.
            ("generation 1, 117s old", "generation 1, 2m old", true),
            ("generation 1, 117s old", "generation 1, 2m6s old", true),
            ("   in sync for 117s", "   in sync for 2m5s", true),
            ("OK since 35s ago", "OK since 1m 5s ago", true),
            ("STATE     Firing for 65s", "STATE     Firing for 2m", true),
            ("STATE     Firing for 65s", "STATE     Pending for 65s", false),
            ("   in sync for 117s", "   in sync for 3m", true),
            ("next to end: a/b in 118m", "next to end: a/b in 2h", true),
            (
                "next to end: a/b in 117m; more",
                "next to end: a/b in 119m; more",
                true,
            ),
            (
                "next to end: a/b in 117m; more",
                "next to end: a/b in 117m; less",
                false,
            ),
            ("✓ slack  delivered in 1ms", "✓ slack  delivered in 12ms", true),
            // Lengths that somebody has written.
            ("    for  10m → 0s", "    for  10m → 5m", false),
            ("    groupWait  7m → 30s", "    groupWait  8m → 30s", false),
            ("1  x  30s  5m  4h  –", "1  x  30s  5m  12h  –", false),
            ("for 0m, every 1m", "for 5m, every 1m", false),
            ("    [30m]", "    [10m]", false),
            (
                "would be active for 30m: 8 rules",
                "would be active for 2h: 8 rules",
                false,
            ),
            ("Evaluated every 1m", "Evaluated every 5m", false),
            ("over 90% of it", "over 80% of it", false),
            // Indents say what belongs to what.
            ("  for: 5m", "for: 5m", false),
            ("a      b", "a  b", true),
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
    fn of_a_table_the_columns_of_ages_and_of_measured_times_are_passed_over() {
        let standing = "\
RULE  FIRING  SINCE  FOR  SILENCED
a–b   2h 18m  65s    2h   40%
c     0s      –      1d   0%

RULE  WAIT
a     30s";
        for (from, to, same) in [
            ("2h 18m  65s    2h ", "9m      1h 5m  4d ", true),
            ("65s    ", "2m3s   ", true),
            ("65s    ", "–      ", false),
            ("0s      ", "5m      ", false),
            ("40%", "100%", true),
            ("40%", "0%", false),
            ("30s", "40s", false),
            ("a–b   ", "a–c   ", false),
        ] {
            assert!(standing.contains(from), "{from}");
            let of = |text: &str| masked(&text.lines().map(str::to_owned).collect::<Vec<_>>());
            let (one, other) = (of(standing), of(&standing.replace(from, to)));
            assert_eq!(one == other, same, "{from} | {to}: {one:?} {other:?}");
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
