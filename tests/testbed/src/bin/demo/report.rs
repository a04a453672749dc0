//! What is printed: a line for each observed fact with the time since the start, and a table at the end.

#![allow(clippy::print_stdout, reason = "printing is what a demonstration is for")]

use std::{
    io::{IsTerminal, stdout},
    time::Instant,
};

use alertwright_testbed::picture::recording::COLUMNS;
use parking_lot::Mutex;

use crate::failure::Failure;

/// How wide the time at the front of each line is.
const MARGIN: usize = 10;

/// How far in is what programs printed; tables are wide.
const INDENT: usize = 4;

/// How a step ended.
#[derive(Debug)]
pub(crate) enum Ending {
    /// Everything was seen; the most telling part of it.
    Done(String),
    /// It cannot be had here, and why.
    Skipped(String),
    /// It was not seen.
    Failed(String),
}

/// The output so far.
#[derive(Debug)]
pub(crate) struct Report {
    start: Instant,
    colours: bool,
    steps: Mutex<Vec<(&'static str, f64, Ending)>>,
}

impl Report {
    pub(crate) fn new() -> Self {
        Self {
            start: Instant::now(),
            colours: (stdout().is_terminal() || std::env::var_os("CLICOLOR_FORCE").is_some())
                && std::env::var_os("NO_COLOR").is_none(),
            steps: Mutex::default(),
        }
    }

    /// The headline of a step.
    pub(crate) fn title(&self, text: &str) {
        println!("\n{}", self.paint("1", text));
    }

    /// A fact, now.
    pub(crate) fn say(&self, text: impl AsRef<str>) {
        let mut time = format!("{:6.1} s", self.start.elapsed().as_secs_f64());
        for line in wrap(text.as_ref(), COLUMNS - MARGIN) {
            println!("{time}  {line}");
            time = " ".repeat(MARGIN - 2);
        }
    }

    /// What a program printed, as it printed it.
    #[allow(clippy::unused_self, reason = "everything printed goes through the report")]
    pub(crate) fn show(&self, text: &str) {
        for line in text.trim_end().lines() {
            let line = format!("{:INDENT$}{}", "", cut(line, COLUMNS - INDENT));
            println!("{}", line.trim_end());
        }
    }

    /// A failure in full.
    pub(crate) fn failed(&self, failure: &Failure, logs: &[(String, String)]) {
        println!("{}", self.paint("31;1", "  FAILED"));
        for (mut what, text) in [("expected:", &failure.expected), ("seen:", &failure.seen)] {
            for line in wrap(text, COLUMNS - INDENT - 10) {
                println!("{:INDENT$}{what:<10}{line}", "");
                what = "";
            }
        }
        for (program, log) in logs {
            println!("--- the end of the log of {program}\n{log}");
        }
    }

    /// Notes how a step ended.
    pub(crate) fn ended(&self, step: &'static str, began: Instant, ending: Ending) {
        self.steps
            .lock()
            .push((step, began.elapsed().as_secs_f64(), ending));
    }

    /// Prints the table; whether nothing failed.
    pub(crate) fn summary(&self) -> bool {
        self.title("Summary");
        let steps = self.steps.lock();
        let width = steps
            .iter()
            .map(|(step, ..)| step.len())
            .max()
            .unwrap_or_default();
        for (step, seconds, ending) in steps.iter() {
            let (verdict, colour, note) = match ending {
                Ending::Done(note) => ("done", "32", note),
                Ending::Skipped(note) => ("skipped", "33", note),
                Ending::Failed(note) => ("FAILED", "31;1", note),
            };
            let verdict = self.paint(colour, &format!("{verdict:<7}"));
            let indent = width + 22;
            let mut lines = wrap(note, COLUMNS - indent).into_iter();
            let first = lines.next().unwrap_or_default();
            println!("  {step:<width$}  {verdict}  {seconds:5.1} s  {first}");
            lines.for_each(|line| println!("{:indent$}{line}", ""));
        }
        let failed = steps
            .iter()
            .filter(|(.., ending)| matches!(ending, Ending::Failed(_)));
        let failed = failed.count();
        let total = self.start.elapsed().as_secs();
        let verdict = match failed {
            0 => format!(
                "The whole story happened, in {} min {:02} s.",
                total / 60,
                total % 60
            ),
            _ => format!("{failed} of {} steps did not happen.", steps.len()),
        };
        println!("\n{verdict}");
        failed == 0
    }

    fn paint(&self, colour: &str, text: &str) -> String {
        if self.colours {
            format!("\u{1b}[{colour}m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    }
}

/// Breaks a text at spaces.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split([' ', '\n']) {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// Cuts a line that is too long.
fn cut(line: &str, width: usize) -> String {
    if line.chars().count() <= width {
        return line.to_owned();
    }
    line.chars().take(width - 1).chain(['…']).collect()
}
