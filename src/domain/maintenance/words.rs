//! What people are told of a workload's silences, in its events.

use super::Maintenance;
use super::lease::Change;
use super::window::{Outcome, Window};
use crate::api::matcher::MatcherText;

/// An event in the making.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    /// Somebody should look.
    pub is_warning: bool,
    /// Its reason.
    pub reason: &'static str,
    /// What happened.
    pub note: String,
}

impl Word {
    fn normal(reason: &'static str, note: String) -> Self {
        Self {
            is_warning: false,
            reason,
            note,
        }
    }

    fn warning(reason: &'static str, note: String) -> Self {
        Self {
            is_warning: true,
            reason,
            note,
        }
    }
}

/// That a silence has come into force: said when Grafana holds it, not when it was asked for.
/// `unknown`: rules that are asked for by name and aren't there.
pub fn in_force(
    is_again: bool,
    window: &Window,
    maintenance: &Maintenance,
    unknown: &[String],
    name: &str,
) -> Word {
    let names = maintenance.alert_rules.names.iter();
    let known: Vec<&str> = names
        .filter(|rule| !unknown.contains(rule))
        .map(String::as_str)
        .collect();
    let covered = match &maintenance.alert_rules {
        selector if selector.all == Some(true) => "all AlertRules of the namespace".to_owned(),
        _ if !known.is_empty() => format!("AlertRules {}", known.join(", ")),
        selector if !selector.names.is_empty() => "no AlertRule: none of those named is there".to_owned(),
        _ => "AlertRules with the labels it asks for".to_owned(),
    };
    let matchers: Vec<&str> = maintenance.matchers.iter().map(MatcherText::as_str).collect();
    let covered = match matchers[..] {
        [] => covered,
        _ => format!(
            "{covered}, of whose alerts only those with {}",
            matchers.join(", ")
        ),
    };
    let source = &maintenance.source;
    let ends = window.ends;
    if is_again {
        let note = format!(
            "Silence {name} covers {covered} again, as {source} says; it ends at {ends} unless progress is seen"
        );
        return Word::normal("SilenceReopened", note);
    }
    let note = format!(
        "Silence {name} covers {covered}, as {source} says; it ends with the work, and at {ends} unless progress is seen"
    );
    Word::normal("SilenceOpened", note)
}

/// That a window changed. `lingers`: a failure doesn't end it at once. `is_awaited`: Grafana has never held it. None: no news.
pub fn of(change: Change, window: &Window, lingers: bool, is_awaited: bool, name: &str) -> Option<Word> {
    let ends = window.ends;
    let outcome = match change {
        Change::Opened | Change::Reopened | Change::Extended | Change::Released => return None,
        Change::Shortened => {
            let note = format!("Silence {name} ends at {ends}: nothing is under way");
            return Some(Word::normal("SilenceShortened", note));
        }
        Change::Bounded => {
            let note = format!("Silence {name} ends at {ends}: no more is asked for now");
            return Some(Word::normal("SilenceShortened", note));
        }
        Change::Ended(outcome) => outcome,
    };
    let normal = |reason, why: &str| Word::normal(reason, format!("Silence {name} {why}"));
    let warning = |reason, why: &str| Word::warning(reason, format!("Silence {name} {why}"));
    let mut word = match outcome {
        Outcome::Succeeded => normal(
            "SilenceLingers",
            &format!("ends at {ends}: the work succeeded, and late evaluations are covered until then"),
        ),
        Outcome::Failed if lingers => warning(
            "SilenceLingers",
            &format!("ends at {ends}: the work failed, and lingerAfterFailure is set"),
        ),
        Outcome::Failed => warning(
            "SilenceExpired",
            "ends now: the work failed or is stuck, and alerts notify again",
        ),
        Outcome::Gone => normal("SilenceExpired", "ends now: the workload was deleted"),
        Outcome::Superseded => normal("SilenceSuperseded", "ends now: another run has its own"),
        Outcome::Lapsed => warning(
            "SilenceLapsed",
            "ended: no progress was seen for as long as its lease",
        ),
        Outcome::Paused => normal(
            "SilenceExpired",
            "ended: nothing is under way: the workload is paused, suspended, scaled to zero, or waits for its pods to be deleted; what goes on is silenced again",
        ),
        Outcome::Overran => warning("SilenceLapsed", "ended: it has reached maxDuration"),
        Outcome::Withdrawn => normal("SilenceWithdrawn", "ends now: nothing asks for it any more"),
        Outcome::Removed => normal(
            "SilenceRemoved",
            "was deleted: this run isn't silenced any more, and the next one has its own",
        ),
    };
    if is_awaited {
        word.note
            .push_str(". It never was in force: Grafana hadn't taken it");
    }
    Some(word)
}

/// That somebody else changed it.
pub fn put_right(name: &str) -> Word {
    let note = format!(
        "Silence {name} was changed by hand and has been put right: it follows the work. Delete it to end it for this run"
    );
    Word::normal("SilencePutRight", note)
}

/// That somebody else has the name that it should have.
pub fn taken(taken: &str, name: &str) -> Word {
    let note = format!(
        "Silence {taken} is there already and isn't this workload's, so it stays as it is; the maintenance silence is {name}"
    );
    Word::normal("SilenceRenamed", note)
}

/// That it names rules that aren't there.
pub fn unknown_rules(names: &[String], maintenance: &Maintenance, name: &str) -> Word {
    let note = format!(
        "{} names AlertRules that this namespace doesn't have, so Silence {name} doesn't cover them: {}",
        maintenance.source,
        names.join(", ")
    );
    Word::warning("UnknownAlertRule", note)
}

/// That it can't be written.
pub fn refused(message: &str) -> Word {
    let note = format!("the maintenance silence can't be written: {message}");
    Word::warning("SilenceRefused", note)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::matcher::Matcher;
    use crate::api::silence::AlertRuleSelector;
    use crate::domain::maintenance::phase::Run;
    use crate::domain::maintenance::window::Lease;

    fn window() -> Window {
        Window {
            run: Run {
                revision: "a".into(),
                attempt: 1,
            },
            opened: "2026-11-23T22:00:00Z".parse().unwrap(),
            ends: "2026-11-23T22:05:00Z".parse().unwrap(),
            progress: None,
            outcome: None,
            retires: false,
            in_force: false,
        }
    }

    #[test]
    fn an_opening_is_told_when_grafana_holds_it_and_not_before() {
        for change in [
            Change::Opened,
            Change::Reopened,
            Change::Extended,
            Change::Released,
        ] {
            assert_eq!(of(change, &window(), false, true, "s"), None, "{change:?}");
        }
    }

    #[test]
    fn a_silence_that_never_was_in_force_says_so_at_its_end() {
        let failed =
            |is_awaited| of(Change::Ended(Outcome::Failed), &window(), false, is_awaited, "s").unwrap();
        assert!(
            failed(true).note.ends_with("Grafana hadn't taken it"),
            "{}",
            failed(true).note
        );
        assert!(
            failed(false).note.ends_with("alerts notify again"),
            "{}",
            failed(false).note
        );
        assert!(failed(false).is_warning);
    }

    #[test]
    fn what_is_covered_is_told_with_what_narrows_it() {
        let mut maintenance = Maintenance {
            instances: Vec::new(),
            alert_rules: AlertRuleSelector {
                all: Some(true),
                ..AlertRuleSelector::default()
            },
            matchers: Vec::new(),
            lease: Lease::default(),
            source: "MaintenancePolicy p".to_owned(),
        };
        let note = |maintenance: &Maintenance| {
            in_force(false, &window(), maintenance, &["gone".to_owned()], "s").note
        };
        assert!(
            note(&maintenance)
                .contains("covers all AlertRules of the namespace, as MaintenancePolicy p says")
        );
        let narrow = Matcher::parse("severity!=critical").unwrap();
        maintenance.matchers = vec![MatcherText::from(&narrow)];
        let narrowed = note(&maintenance);
        assert!(
            narrowed.contains("of the namespace, of whose alerts only those with severity!="),
            "{narrowed}"
        );
        maintenance.matchers.clear();
        for (names, expected) in [
            (vec!["gone", "there"], "covers AlertRules there, as"),
            (
                vec!["gone"],
                "covers no AlertRule: none of those named is there, as",
            ),
        ] {
            maintenance.alert_rules = AlertRuleSelector {
                names: names.into_iter().map(str::to_owned).collect(),
                ..AlertRuleSelector::default()
            };
            let named = note(&maintenance);
            assert!(named.contains(expected), "{named}");
        }
    }

    #[test]
    fn a_pause_is_told_as_one_and_is_no_reason_to_worry() {
        let of = |outcome| of(Change::Ended(outcome), &window(), false, false, "s").unwrap();
        let (paused, lapsed) = (of(Outcome::Paused), of(Outcome::Lapsed));
        assert!(
            !paused.is_warning && paused.note.contains("nothing is under way"),
            "{paused:?}"
        );
        assert!(
            lapsed.is_warning && lapsed.note.contains("no progress"),
            "{lapsed:?}"
        );
    }
}
