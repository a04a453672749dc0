//! How it is said what became of resources.

use serde::Serialize;
use serde_json::{Value, json};

use super::super::common::document::as_json;
use super::super::common::exit::Exit;
use super::super::common::print::{API_VERSION, note, print};

/// How it is told.
#[derive(clap::Args, Debug)]
pub(super) struct Telling {
    /// What is printed.
    #[arg(short, long, value_enum, default_value_t = Output::Text)]
    output: Output,
}

/// How results are printed.
#[derive(clap::ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Output {
    /// A line for each resource.
    Text,
    /// One JSON document.
    Json,
}

/// A resource that is told of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Of {
    pub(super) kind: String,
    pub(super) namespace: String,
    pub(super) name: String,
}

impl Of {
    /// What it is called: `alertrule/high-error-rate`.
    pub(super) fn called(&self) -> String {
        format!("{}/{}", self.kind.to_lowercase(), self.name)
    }
}

/// What became of a resource.
#[derive(Debug, Serialize)]
struct Line {
    #[serde(flatten)]
    of: Of,
    /// In a word.
    result: &'static str,
    /// In words.
    message: String,
}

/// What became of all of them. Lines are printed as it becomes known, the document at the end.
pub(super) struct Report {
    kind: &'static str,
    output: Output,
    is_dry: bool,
    lines: Vec<Line>,
    more: Vec<(&'static str, Value)>,
    failed: usize,
    unwell: usize,
    open: usize,
}

impl Report {
    pub(super) fn new(kind: &'static str, telling: &Telling, is_dry: bool) -> Self {
        Self {
            kind,
            output: telling.output,
            is_dry,
            lines: Vec::new(),
            more: Vec::new(),
            failed: 0,
            unwell: 0,
            open: 0,
        }
    }

    /// It was done, or there was nothing to do.
    pub(super) fn done(&mut self, of: &Of, result: &'static str, message: &str) -> Result<(), String> {
        self.add(of, result, message);
        match self.output {
            Output::Text => print(&format!("{} {message}\n", of.called())),
            Output::Json => Ok(()),
        }
    }

    /// It was done, and isn't as it should be.
    pub(super) fn unwell(&mut self, of: &Of, result: &'static str, message: &str) -> Result<(), String> {
        self.unwell += 1;
        self.done(of, result, message)
    }

    /// It was done, and what came of it isn't known.
    pub(super) fn open(&mut self, of: &Of, result: &'static str, message: &str) -> Result<(), String> {
        self.open += 1;
        self.done(of, result, message)
    }

    /// It wasn't done, for a reason that is an answer.
    pub(super) fn refused(&mut self, of: &Of, message: &str) {
        self.unwell += 1;
        self.add(of, "refused", message);
        note(&format!("{} {message}", of.called()));
    }

    /// It could not be done.
    pub(super) fn failed(&mut self, of: &Of, why: &str) {
        self.failed += 1;
        self.add(of, "failed", why);
        note(&format!("{}: {why}", of.called()));
    }

    /// Text before all lines, or the same in the document.
    pub(super) fn first(&mut self, text: &str, field: &'static str, value: Value) -> Result<(), String> {
        self.more.push((field, value));
        match self.output {
            Output::Text => print(text),
            Output::Json => Ok(()),
        }
    }

    fn add(&mut self, of: &Of, result: &'static str, message: &str) {
        self.lines.push(Line {
            of: of.clone(),
            result,
            message: message.to_owned(),
        });
    }

    /// Ends it, with the exit code.
    pub(super) fn end(self) -> Result<Exit, String> {
        if self.output == Output::Json {
            print(&as_json(&self.document()))?;
        }
        let exit = exit(self.lines.len(), self.failed, self.unwell);
        Ok(match exit {
            Exit::Done | Exit::No if self.open > 0 => Exit::InPart,
            exit => exit,
        })
    }

    fn document(&self) -> Value {
        let mut document = json!({
            "apiVersion": API_VERSION,
            "kind": self.kind,
            "dryRun": self.is_dry,
            "resources": self.lines,
        });
        if let Some(fields) = document.as_object_mut() {
            let more = self
                .more
                .iter()
                .map(|(field, value)| ((*field).to_owned(), value.clone()));
            fields.extend(more);
        }
        document
    }
}

/// How it ends where so many of all couldn't be done, and of the others so many are not as they should be.
fn exit(all: usize, failed: usize, unwell: usize) -> Exit {
    match (failed, unwell) {
        (0, 0) => Exit::Done,
        (0, _) => Exit::No,
        (failed, _) if failed >= all => Exit::Failed,
        _ => Exit::InPart,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(name: &str) -> Of {
        Of {
            kind: "AlertRule".to_owned(),
            namespace: "revel".to_owned(),
            name: name.to_owned(),
        }
    }

    fn report(is_dry: bool) -> Report {
        Report::new("SuspendReport", &Telling { output: Output::Json }, is_dry)
    }

    #[test]
    fn a_document_says_of_each_resource_what_became_of_it() {
        let mut report = report(true);
        report
            .done(&of("a"), "suspended", "would be suspended (dry run)")
            .unwrap();
        report.failed(&of("b"), "there is none");
        let expected = json!({
            "apiVersion": "cli.alerting.letsrevel.io/v1", "kind": "SuspendReport", "dryRun": true,
            "resources": [
                {"kind": "AlertRule", "namespace": "revel", "name": "a", "result": "suspended", "message": "would be suspended (dry run)"},
                {"kind": "AlertRule", "namespace": "revel", "name": "b", "result": "failed", "message": "there is none"},
            ],
        });
        assert_eq!(report.document(), expected);
    }

    #[test]
    fn the_exit_code_is_that_of_all_of_them() {
        let ends = |each: &[&str]| {
            let mut report = report(false);
            for (name, how) in each.iter().enumerate() {
                let of = of(&name.to_string());
                match *how {
                    "well" => report.done(&of, "suspended", "").unwrap(),
                    "unwell" => report.unwell(&of, "suspended", "").unwrap(),
                    "refused" => report.refused(&of, ""),
                    "open" => report.open(&of, "suspended", "").unwrap(),
                    _ => report.failed(&of, ""),
                }
            }
            report.end().unwrap()
        };
        assert_eq!(ends(&[]), Exit::Done);
        assert_eq!(ends(&["well"]), Exit::Done);
        assert_eq!(ends(&["well", "unwell"]), Exit::No);
        assert_eq!(ends(&["well", "refused"]), Exit::No);
        assert_eq!(ends(&["well", "open"]), Exit::InPart);
        assert_eq!(ends(&["unwell", "failed"]), Exit::InPart);
        assert_eq!(ends(&["failed", "failed"]), Exit::Failed);
    }

    #[test]
    fn the_exit_code_says_how_many_could_be_done() {
        assert_eq!(exit(2, 0, 0), Exit::Done);
        assert_eq!(exit(2, 0, 1), Exit::No);
        assert_eq!(exit(2, 1, 1), Exit::InPart);
        assert_eq!(exit(2, 2, 0), Exit::Failed);
        assert_eq!(exit(0, 0, 0), Exit::Done);
    }
}
