//! What became of rules.

use super::super::common::exit::Exit;
use super::super::common::print::note;
use super::paged::Paged;
use super::subject::Subject;
use crate::domain::rule::evaluation::past::Past;
use crate::domain::rule::evaluation::plan::Span;
use crate::grafana::model::AlertRule;

/// How a command ends that was to say something of several rules: with this answer, or in part where nothing can be said of some; or why of none.
pub(in super::super) fn ended(said: usize, failed: &[String], answer: Exit) -> Result<Exit, String> {
    match (said, failed) {
        (_, []) => Ok(answer),
        (0, failed) => Err(failed.join("\n")),
        _ => Ok(Exit::InPart),
    }
}

/// Says besides what is to be known of each rule, of several with its name before it, and of which nothing can be said.
pub(in super::super) fn tell(all: &[(String, &[String])], failed: &[String], is_quiet: bool) {
    for (called, notes) in all.iter().filter(|_| !is_quiet) {
        for text in *notes {
            match all {
                [_] => note(text),
                _ => note(&format!("{called}: {text}")),
            }
        }
    }
    for why in failed {
        note(why);
    }
}

/// What became of one rule.
pub(super) struct Tested<'a> {
    pub(super) subject: &'a Subject,
    pub(super) span: Span,
    /// How long what was asked for is, in seconds.
    pub(super) length: i64,
    /// The one of the file or the cluster last.
    pub(super) runs: Vec<Run>,
    pub(super) notes: Vec<String>,
}

/// One rule's past.
pub(super) struct Run {
    /// Whose rule it is: `in Grafana`, or `this file`.
    pub(super) called: &'static str,
    pub(super) rule: AlertRule,
    pub(super) past: Past,
    pub(super) paged: Paged,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_said_of_others_is_said_and_ends_in_part() {
        let why = ["AlertRule a: no".to_owned(), "AlertRule b: no".to_owned()];
        assert_eq!(ended(2, &[], Exit::No), Ok(Exit::No));
        assert_eq!(ended(2, &why, Exit::No), Ok(Exit::InPart));
        assert_eq!(
            ended(0, &why, Exit::Done),
            Err("AlertRule a: no\nAlertRule b: no".to_owned())
        );
    }
}
