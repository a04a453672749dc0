//! What was printed and when: as a recording of asciinema's (cast, version 2), and as a picture that moves.

use std::fmt::Write;

use serde_json::{Value, json};

use super::terminal;

/// How wide the terminal of a recording is: what `kubectl get silences` prints of the demonstration fits, with room in front of it.
pub const COLUMNS: usize = 110;
/// How many of its lines a picture shows.
const ROWS: usize = 28;
/// A picture doesn't wait longer than this for the next line, in seconds, and stays so long at the end.
const PATIENCE: f64 = 1.2;
const END: f64 = 8.0;
/// So many lines are there from the beginning.
const FIRST: usize = 3;
/// How long each line stays at the bottom at least, so that it can be seen coming.
const LEAST: f64 = 0.12;

/// Lines and when each was there, in seconds from the beginning.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Recording {
    /// What it is of.
    pub title: String,
    /// A time and a line, with the codes for its colours and without its end.
    pub lines: Vec<(f64, String)>,
}

impl Recording {
    /// The recording as a file.
    pub fn cast(&self) -> String {
        let head = json!({
            "version": 2, "width": COLUMNS, "height": ROWS, "title": self.title, "idle_time_limit": 2.0,
            "env": {"TERM": "xterm-256color"},
        });
        let mut out = format!("{head}\n");
        for (at, line) in &self.lines {
            let at = (at * 100.0).round() / 100.0;
            let _ = writeln!(out, "{}", json!([at, "o", format!("{line}\r\n")]));
        }
        out
    }

    /// A recording from its file. `None` where it isn't one.
    pub fn read(cast: &str) -> Option<Self> {
        let mut all = cast.lines().map(serde_json::from_str::<Value>);
        let head = all.next()?.ok()?;
        let lines = all.map(|event| {
            let event = event.ok()?;
            let line = event.get(2)?.as_str()?.trim_end_matches(['\r', '\n']);
            Some((event.get(0)?.as_f64()?, line.to_owned()))
        });
        Some(Self {
            title: head.get("title")?.as_str()?.to_owned(),
            lines: lines.collect::<Option<_>>()?,
        })
    }

    /// What it says, without colours.
    pub fn said(&self) -> Vec<String> {
        let printed: Vec<&str> = self.lines.iter().map(|(_, line)| line.as_str()).collect();
        let lines = terminal::lines(&printed.join("\n"));
        lines.iter().map(terminal::Line::text).collect()
    }

    /// The picture: lines come in as they came, and go up where there is no room below. Who wants nothing to move sees the last of them.
    pub fn svg(&self) -> String {
        let printed: Vec<&str> = self.lines.iter().map(|(_, line)| line.as_str()).collect();
        let all = terminal::lines(&printed.join("\n"));
        let (mut now, mut before) = (0.0, 0.0);
        let mut frames: Vec<(f64, usize)> = Vec::new();
        for (number, (at, _)) in (1..).zip(self.lines.iter().take(all.len())) {
            // The first ones are there at once, so that there is something to see.
            if number > FIRST {
                now += (at - before).clamp(LEAST, PATIENCE);
            }
            before = *at;
            frames.push((now, number));
        }
        let whole = now + END;
        let mut styles = String::new();
        // What isn't there yet is behind a curtain, which goes down; then the lines go up.
        for (name, place) in [("k", gone_up as fn(usize) -> usize), ("u", come_down)] {
            let sign = if name == "k" { "-" } else { "" };
            let _ = write!(styles, "@keyframes {name}{{");
            let mut last = None;
            for (at, count) in &frames {
                if last.replace(place(*count)) != Some(place(*count)) {
                    let _ = write!(
                        styles,
                        "{:.2}%{{transform:translateY({sign}{}px)}}",
                        at / whole * 100.0,
                        place(*count)
                    );
                }
            }
            let _ = write!(
                styles,
                "}}.{name}{{transform:translateY({sign}{}px);animation:{name} {whole:.1}s step-end infinite}}",
                place(all.len())
            );
        }
        styles.push_str("@media(prefers-reduced-motion:reduce){.k,.u{animation:none}}");
        let body = format!(
            "<g class=\"k\">\n{}</g>\n<rect class=\"u\" y=\"-15\" width=\"100%\" height=\"{}\" fill=\"#12171f\"/>\n",
            terminal::body(&all),
            terminal::high(ROWS)
        );
        terminal::framed(&self.title, COLUMNS, ROWS, &styles, &body)
    }
}

/// How far lines have gone up when so many are there.
fn gone_up(count: usize) -> usize {
    terminal::high(count.saturating_sub(ROWS))
}

/// How far the curtain has come down.
fn come_down(count: usize) -> usize {
    terminal::high(count.min(ROWS))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recording() -> Recording {
        let lines = [(0.0, "\u{1b}[1mBegin\u{1b}[0m"), (0.25, ""), (61.5, "  \"end\"")];
        Recording {
            title: "A story".to_owned(),
            lines: lines.map(|(at, line)| (at, line.to_owned())).to_vec(),
        }
    }

    #[test]
    fn a_recording_is_read_as_it_was_written() {
        let cast = recording().cast();
        assert!(cast.contains("[61.5,\"o\",\"  \\\"end\\\"\\r\\n\"]"), "{cast}");
        assert_eq!(Recording::read(&cast), Some(recording()));
        assert_eq!(recording().said(), ["Begin", "", "  \"end\""]);
        assert_eq!(Recording::read("no cast"), None);
    }

    #[test]
    fn a_picture_waits_no_longer_than_people_do_and_ends_with_the_last_lines() {
        let svg = recording().svg();
        let whole = svg
            .split("animation:k ")
            .nth(1)
            .unwrap()
            .split('s')
            .next()
            .unwrap();
        assert!(whole.parse::<f64>().unwrap() < 12.0, "{whole}");
        let shown: Vec<String> = terminal::read(&svg).iter().map(terminal::Line::text).collect();
        assert_eq!(shown, recording().said());
        assert!(
            svg.contains(".k{transform:translateY(-0px)") && svg.contains(".u{transform:translateY(60px)"),
            "{svg}"
        );
    }
}
