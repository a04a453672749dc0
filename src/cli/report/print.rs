//! Figures, for people and for programs.

use std::fmt::Write;

use jiff::SignedDuration;
use serde_json::json;

use super::super::common::document::as_json;
use super::super::common::print::{API_VERSION, escaped, harmless};
use super::super::common::terminal::{Look, Paint};
use super::super::common::written::PAGE;
use super::figures::{By, Row, Window};
use crate::grafana::api::history::{KeptIn, Past};

const TITLES: [&str; 10] = [
    "RULE", "SEVERITY", "FIRINGS", "FIRING", "MEDIAN", "FLAPS", "SILENCED", "NODATA", "ERROR", "LAST",
];

/// The titles: what isn't of single rules says how many they are.
fn titles(by: By) -> [&'static str; 10] {
    let mut titles = TITLES;
    let (first, second) = match by {
        By::Rule => return titles,
        By::Team => ("TEAM", "RULES"),
        By::Severity => ("SEVERITY", "RULES"),
        By::Namespace => ("NAMESPACE", "RULES"),
    };
    [titles[0], titles[1]] = [first, second];
    titles
}

fn cells(row: &Row, by: By) -> Vec<String> {
    let none = || "–".to_owned();
    vec![
        row.name.clone(),
        match by {
            By::Rule => row.severity.clone().unwrap_or_else(none),
            _ => row.rules.to_string(),
        },
        row.firings.to_string(),
        length(row.firing),
        row.median.map_or_else(none, length),
        row.flaps.to_string(),
        row.silenced
            .map_or_else(none, |share| format!("{:.0}%", share * 100.0)),
        row.no_data.to_string(),
        row.errors.to_string(),
        row.last
            .map_or_else(none, |at| at.strftime("%Y-%m-%d %H:%M").to_string()),
    ]
}

/// A length of time in its two largest units.
fn length(length: SignedDuration) -> String {
    let seconds = length.as_secs();
    let (days, hours, minutes) = (seconds / 86400, seconds / 3600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds}s"),
        (0, 0, _) => format!("{minutes}m {}s", seconds % 60),
        (0, ..) => format!("{hours}h {minutes}m"),
        _ => format!("{days}d {hours}h"),
    }
}

pub(super) fn table(rows: &[Row], by: By, has_titles: bool, look: Look) -> String {
    let cells: Vec<Vec<String>> = rows.iter().map(|row| cells(row, by)).collect();
    // What never fired is paler, as on the page.
    let paint = |row: usize, _| rows.get(row).filter(|row| row.firings == 0).map(|_| Paint::Dim);
    look.table(&titles(by), &cells, has_titles, &paint)
}

/// A text of which Markdown makes nothing else: no link, no picture, nobody who is told of it.
fn marked(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in harmless(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '@' => out.push_str("&#64;"),
            '\\' | '|' | '[' | ']' | '!' | '*' | '_' | '`' => out.extend(['\\', c]),
            c => out.push(c),
        }
    }
    out
}

/// A table, and below it what its figures can't say.
pub(super) fn markdown(rows: &[Row], by: By, limits: &[String]) -> String {
    let line = |cells: &[String]| {
        let cells: Vec<String> = cells.iter().map(|cell| marked(cell)).collect();
        format!("| {} |\n", cells.join(" | "))
    };
    let mut out = line(&titles(by).map(str::to_owned));
    out.push_str("|---|---|--:|--:|--:|--:|--:|--:|--:|---|\n");
    for row in rows {
        out.push_str(&line(&cells(row, by)));
    }
    for limit in limits {
        let _ = writeln!(out, "\n{}", marked(limit));
    }
    out
}

pub(super) fn csv(rows: &[Row], has_titles: bool) -> String {
    let mut out = String::new();
    if has_titles {
        out.push_str("name,severity,rules,firings,firing_seconds,median_seconds,flaps,silenced_share,no_data,errors,last,uid,folder,namespace\n");
    }
    for row in rows {
        let quoted = |text: &str| {
            let text = harmless(text).replace('"', "\"\"");
            // A spreadsheet would take it for a formula.
            let guard = if text.starts_with(['=', '+', '-', '@']) {
                "'"
            } else {
                ""
            };
            format!("\"{guard}{text}\"")
        };
        let or_none = |value: Option<String>| value.unwrap_or_default();
        let _ = writeln!(
            out,
            "{},{},{},{},{},{},{},{},{},{},{},{},{},{}",
            quoted(&row.name),
            or_none(row.severity.as_deref().map(quoted)),
            row.rules,
            row.firings,
            row.firing.as_secs(),
            or_none(row.median.map(|median| median.as_secs().to_string())),
            row.flaps,
            or_none(row.silenced.map(|share| format!("{share:.3}"))),
            row.no_data,
            row.errors,
            or_none(row.last.map(|at| at.to_string())),
            or_none(row.of.as_ref().map(|of| quoted(&of.uid))),
            or_none(row.of.as_ref().map(|of| quoted(&of.folder))),
            or_none(row.of.as_ref().and_then(|of| of.namespace.as_deref()).map(quoted)),
        );
    }
    out
}

pub(super) fn json(rows: &[Row], window: &Window, past: &Past, limits: &[String]) -> String {
    let all: Vec<_> = rows
        .iter()
        .map(|row| {
            json!({
                "name": row.name, "uid": row.of.as_ref().map(|of| &of.uid), "folder": row.of.as_ref().map(|of| &of.folder),
                "namespace": row.of.as_ref().and_then(|of| of.namespace.as_ref()), "severity": row.severity, "rules": row.rules, "firings": row.firings, "firingSeconds": row.firing.as_secs(),
                "medianSeconds": row.median.map(|median| median.as_secs()), "flaps": row.flaps, "silencedShare": row.silenced,
                "noData": row.no_data, "errors": row.errors, "last": row.last,
            })
        })
        .collect();
    let kept_in = match past.kept_in {
        KeptIn::Annotations => "annotations",
        KeptIn::Loki => "loki",
    };
    let document = json!({
        "apiVersion": API_VERSION, "kind": "AlertReport", "from": window.from, "to": window.to,
        "history": {"keptIn": kept_in, "isCut": past.is_cut, "oldest": past.changes.first().map(|change| change.at)}, "rows": all, "notes": limits,
    });
    as_json(&document)
}

const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:76rem;padding:0 1rem;color:#1c2430;background:#fff}\
table{border-collapse:collapse;width:100%}th,td{padding:.35rem .6rem;border-bottom:1px solid #d8dee6;text-align:left}\
th{font-size:.8rem;color:#56616f}td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}\
.bar{display:block;height:.3rem;background:#d2452f;border-radius:2px}th:last-child,td:last-child{white-space:nowrap}tr.never td{color:#7b8592}\
@media(prefers-color-scheme:dark){body{color:#dfe5ec;background:#14181e}th,td{border-color:#2c343e}th{color:#9fb0c0}}";

/// One page that loads nothing.
pub(super) fn html(rows: &[Row], by: By, window: &Window, limits: &[String]) -> String {
    let day = |at: jiff::Timestamp| at.strftime("%Y-%m-%d %H:%M UTC").to_string();
    let most = rows
        .iter()
        .map(|row| row.firing.as_secs_f64())
        .fold(1.0, f64::max);
    let mut out = format!(
        "{PAGE}\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width\">\n<title>Alert report</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<h1>Alert report</h1>\n<p>{} to {}. {} firings, {} that never fired.</p>\n<table>\n<tr>",
        day(window.from),
        day(window.to),
        rows.iter().map(|row| row.firings).sum::<usize>(),
        rows.iter().filter(|row| row.firings == 0).count(),
    );
    let class = |at: usize| {
        if (2..9).contains(&at) || (at == 1 && by != By::Rule) {
            " class=\"n\""
        } else {
            ""
        }
    };
    for (at, title) in titles(by).iter().enumerate() {
        let _ = write!(out, "<th{}>{title}</th>", class(at));
    }
    out.push_str("</tr>\n");
    for row in rows {
        out.push_str(if row.firings == 0 {
            "<tr class=\"never\">"
        } else {
            "<tr>"
        });
        for (at, cell) in cells(row, by).iter().enumerate() {
            let width = row.firing.as_secs_f64() / most * 100.0;
            let bar = match at {
                3 if row.firings > 0 => format!("<span class=\"bar\" style=\"width:{width:.1}%\"></span>"),
                _ => String::new(),
            };
            let _ = write!(out, "<td{}>{}{bar}</td>", class(at), escaped(cell));
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</table>\n");
    for limit in limits {
        let _ = writeln!(out, "<p><small>{}</small></p>", escaped(limit));
    }
    out.push_str("</body>\n</html>\n");
    out
}

#[cfg(test)]
mod tests {
    use super::super::figures::Single;
    use super::*;

    fn rows() -> Vec<Row> {
        vec![
            Row {
                name: "<b>High | \"rate\"\u{1b}".to_owned(),
                of: Some(Single {
                    uid: "u1".to_owned(),
                    folder: "=Shop".to_owned(),
                    namespace: None,
                }),
                severity: Some("=high".to_owned()),
                rules: 1,
                firings: 19,
                firing: SignedDuration::from_mins(252),
                median: Some(SignedDuration::from_mins(8)),
                flaps: 6,
                silenced: Some(0.254),
                no_data: 1,
                errors: 2,
                last: Some("2026-11-25T14:05:00Z".parse().unwrap()),
                unended: 0,
            },
            Row {
                name: "Quiet".to_owned(),
                rules: 1,
                ..Row::default()
            },
        ]
    }

    #[test]
    fn the_table_has_a_column_for_each_figure_and_no_text_of_a_rule_breaks_it() {
        let expected = "RULE               SEVERITY  FIRINGS  FIRING  MEDIAN  FLAPS  SILENCED  NODATA  ERROR  LAST\n<b>High | \"rate\"\u{fffd}  =high     19       4h 12m  8m 0s   6      25%       1       2      2026-11-25 14:05\nQuiet              –         0        0s      –       0      –         0       0      –\n";
        let table = |by, has_titles| table(&rows(), by, has_titles, Look::default());
        assert_eq!(table(By::Rule, true), expected);
        assert!(table(By::Team, true).starts_with("TEAM "));
        assert_eq!(table(By::Rule, false).lines().count(), 2);
    }

    #[test]
    fn programs_are_told_which_rule_it_is() {
        let window = Window {
            from: jiff::Timestamp::UNIX_EPOCH,
            to: jiff::Timestamp::MAX,
            known: jiff::Timestamp::UNIX_EPOCH,
        };
        let past = Past {
            kept_in: KeptIn::Loki,
            changes: Vec::new(),
            is_cut: false,
            failed: None,
        };
        let document: serde_json::Value = serde_json::from_str(&json(&rows(), &window, &past, &[])).unwrap();
        let [first, second] = [0, 1].map(|at| &document["rows"][at]);
        assert_eq!(
            (&first["uid"], &first["folder"], &second["uid"]),
            (&json!("u1"), &json!("=Shop"), &serde_json::Value::Null)
        );
    }

    #[test]
    fn texts_of_rules_stay_texts_in_every_other_form() {
        let first = |text: String| text.lines().nth(1).unwrap_or_default().to_owned();
        assert_eq!(
            first(csv(&rows(), true)),
            "\"<b>High | \"\"rate\"\"\u{fffd}\",\"'=high\",1,19,15120,480,6,0.254,1,2,2026-11-25T14:05:00Z,\"u1\",\"'=Shop\","
        );
        let limits = ["limits < all".to_owned()];
        let markdown = markdown(&rows(), By::Rule, &limits);
        assert!(
            markdown.contains("| &lt;b>High \\| \"rate\"\u{fffd} | =high | 19 |")
                && markdown.ends_with("|\n\nlimits &lt; all\n"),
            "{markdown}"
        );
        assert_eq!(
            marked("![x](y) @all &lt; a_b `c` *d*"),
            "\\!\\[x\\](y) &#64;all &amp;lt; a\\_b \\`c\\` \\*d\\*"
        );
        let window = Window {
            from: jiff::Timestamp::UNIX_EPOCH,
            to: jiff::Timestamp::MAX,
            known: jiff::Timestamp::UNIX_EPOCH,
        };
        let page = html(&rows(), By::Rule, &window, &limits);
        assert!(
            page.contains("&lt;b&gt;High") && !page.contains("<b>High"),
            "{page}"
        );
        assert!(page.contains("limits &lt; all") && page.contains("1 that never fired"));
        // A moment stays in one line.
        assert!(page.contains("td:last-child{white-space:nowrap}"));
        // Nothing is loaded.
        assert!(!page.contains("http") && !page.contains("<script") && !page.contains("url("));
    }
}
