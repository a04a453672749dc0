//! What became of a contact point's notifications, as Grafana's looks at them tell.
//!
//! Each replica of Grafana knows its own attempts alone, and forgets them when it starts or its configuration changes. So of what several
//! looks show the newest attempt of each integration counts, and one that nothing is told of is no news.

use std::collections::{BTreeMap, HashMap, HashSet};

use jiff::Timestamp;

use crate::grafana::api::Delivery;
use crate::grafana::error::steady;

/// The word for notifications that went out.
pub const DELIVERED: &str = "OK";

/// The last attempts of all integrations that are known.
#[derive(Debug, Default)]
pub struct Deliveries {
    by_contact_point: HashMap<String, BTreeMap<usize, Delivery>>,
    /// The last attempt that was known of a contact point when it was written. Grafana shows it, and those before, until it has read its configuration.
    void: HashMap<String, Timestamp>,
}

impl Deliveries {
    /// Notes what a look has shown, and returns the contact points that deliver now where they didn't, or the other way round. `redact` takes out of
    /// Grafana's words of a contact point what is known to be secret now: some of it may not be known any more when the words are shown.
    pub fn note(&mut self, seen: Vec<Delivery>, redact: impl Fn(&str, &str) -> String) -> Vec<String> {
        let mut shown: HashMap<String, BTreeMap<usize, Delivery>> = HashMap::new();
        for mut delivery in seen {
            let void = self.void.get(&delivery.contact_point);
            if delivery.at.is_some_and(|at| void.is_some_and(|void| at <= *void)) {
                (delivery.at, delivery.error) = (None, None);
            }
            if let Some(error) = &mut delivery.error {
                // What is left of an address that is redacted in part would be read as none.
                let hosts = steady::hosts_alone(error);
                *error = hosts.map_or_else(String::new, |hosts| redact(&delivery.contact_point, &hosts));
            }
            let all = shown.entry(delivery.contact_point.clone()).or_default();
            all.insert(delivery.place, delivery);
        }
        let mut changed = Vec::new();
        for (name, now) in &mut shown {
            let before = self.by_contact_point.remove(name).unwrap_or_default();
            let did = verdict(&before);
            for (place, older) in before {
                if let Some(newer) = now.get_mut(&place)
                    && newer.integration == older.integration
                    && newer.at < older.at
                {
                    *newer = older;
                }
            }
            if verdict(now) != did {
                changed.push(name.clone());
            }
        }
        self.void.retain(|name, _| shown.contains_key(name));
        self.by_contact_point = shown;
        changed.sort_unstable();
        changed
    }

    /// Forgets the attempts of a contact point that was written, also where they are shown again: they say nothing of what it is now.
    pub fn forget(&mut self, contact_point: &str) {
        let all = self.by_contact_point.remove(contact_point).unwrap_or_default();
        if let Some(last) = all.values().filter_map(|delivery| delivery.at).max() {
            self.void.insert(contact_point.to_owned(), last);
        }
    }

    /// The last attempt that was known when a contact point was written.
    pub fn void(&self, contact_point: &str) -> Option<Timestamp> {
        self.void.get(contact_point).copied()
    }

    /// What is known of a contact point, but for attempts that were made by `void`. `redact` takes out of Grafana's words what only the caller knows to be secret.
    pub fn of(
        &self,
        contact_point: &str,
        void: Option<Timestamp>,
        redact: impl Fn(&str) -> String,
    ) -> Option<Shown> {
        let all = self.by_contact_point.get(contact_point)?;
        let counts = |delivery: &&Delivery| delivery.at.is_none_or(|at| void.is_none_or(|void| at > void));
        let mut said = HashSet::new();
        let failures: Vec<String> = all
            .values()
            .filter(counts)
            .filter_map(|delivery| Some((delivery, delivery.error.as_deref()?)))
            .map(|(delivery, error)| {
                let why = steady::steady(&redact(error));
                format!("{}: {}", delivery.integration, why.as_deref().unwrap_or("failed"))
            })
            .filter(|failure| said.insert(failure.clone()))
            .collect();
        Some(Shown {
            last_sent: all
                .values()
                .filter(counts)
                .filter_map(|delivery| delivery.at)
                .max()?,
            failure: (!failures.is_empty()).then(|| failures.join("; ")),
        })
    }
}

/// Whether the last attempts failed; `None` before the first.
fn verdict(all: &BTreeMap<usize, Delivery>) -> Option<bool> {
    let tried = all.values().any(|delivery| delivery.at.is_some());
    tried.then(|| all.values().any(|delivery| delivery.error.is_some()))
}

/// What is to be shown of a contact point.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// When the last attempt was.
    pub last_sent: Timestamp,
    /// Why the last attempts of some integrations failed.
    pub failure: Option<String>,
}

/// What a status shows: [`DELIVERED`] or why not, and the last attempt that was known then. Without a word that is one from before the contact point was
/// written, and says until when attempts say nothing of what it is now, also after a restart.
pub type Told = (Option<String>, Option<Timestamp>);

/// What was told before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Before {
    /// It stands in a status that may stay as it is.
    Stands,
    /// The status is written anyway.
    IsDue,
    /// The contact point that it was said of was another one; with the last attempt that is known of that.
    IsVoid(Option<Timestamp>),
}

/// Until when attempts say nothing of what a contact point is now, as its status says.
pub fn void(said: &Told, before: Before) -> Option<Timestamp> {
    match (before, said) {
        (Before::IsVoid(last), (_, at)) => last.max(*at),
        (_, (None, at)) => *at,
        (_, (Some(_), _)) => None,
    }
}

/// What is to be told now. While a contact point goes on delivering, or failing, what was told stands: nothing is written for each notification.
pub fn told(said: Told, before: Before, now: Option<Shown>) -> Told {
    let Some(now) = now else {
        return if matches!(before, Before::IsVoid(_)) {
            (None, void(&said, before))
        } else {
            said
        };
    };
    let word = now.failure.unwrap_or_else(|| DELIVERED.to_owned());
    let is_same = said
        .0
        .as_deref()
        .is_some_and(|said| (said == DELIVERED) == (word == DELIVERED));
    if is_same && before == Before::Stands {
        return said;
    }
    (Some(word), Some(now.last_sent))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attempt(place: usize, at: i64, error: Option<&str>) -> Delivery {
        Delivery {
            contact_point: "team".to_owned(),
            integration: if place == 0 { "slack" } else { "email" }.to_owned(),
            place,
            at: (at > 0).then(|| Timestamp::from_second(at).unwrap()),
            error: error.map(str::to_owned),
        }
    }

    fn note(deliveries: &mut Deliveries, seen: Vec<Delivery>) -> Vec<String> {
        deliveries.note(seen, |_, words| words.to_owned())
    }

    fn shown(deliveries: &Deliveries) -> Option<(i64, Option<String>)> {
        let shown = deliveries.of("team", None, |error| error.replace("s3cret", "***"))?;
        Some((shown.last_sent.as_second(), shown.failure))
    }

    #[test]
    fn attempts_from_before_a_write_say_nothing_also_where_grafana_goes_on_showing_them() {
        let mut deliveries = Deliveries::default();
        note(
            &mut deliveries,
            vec![attempt(0, 10, Some("no")), attempt(1, 20, None)],
        );
        deliveries.forget("team");
        deliveries.forget("team");
        assert!(
            note(
                &mut deliveries,
                vec![attempt(0, 10, Some("no")), attempt(1, 20, None)]
            )
            .is_empty()
        );
        assert_eq!(shown(&deliveries), None);
        note(&mut deliveries, vec![attempt(0, 21, None), attempt(1, 20, None)]);
        assert_eq!(shown(&deliveries), Some((21, None)));
    }

    #[test]
    fn a_contact_point_fails_while_the_last_attempt_of_any_integration_did() {
        let mut deliveries = Deliveries::default();
        assert!(note(&mut deliveries, vec![attempt(0, 0, None), attempt(1, 0, None)]).is_empty());
        assert_eq!(shown(&deliveries), None);
        assert_eq!(
            note(
                &mut deliveries,
                vec![attempt(0, 10, Some("invalid s3cret")), attempt(1, 12, None)]
            ),
            ["team"]
        );
        assert_eq!(
            shown(&deliveries),
            Some((12, Some("slack: invalid ***".to_owned())))
        );
        let other = vec![
            attempt(0, 20, Some("no_channel")),
            attempt(1, 22, Some("535 at https://a.b/c?d")),
        ];
        assert!(note(&mut deliveries, other).is_empty(), "it goes on failing");
        let both = "slack: no_channel; email: 535 at https://a.b/…";
        assert_eq!(shown(&deliveries), Some((22, Some(both.to_owned()))));
        assert_eq!(
            note(&mut deliveries, vec![attempt(0, 30, None), attempt(1, 30, None)]),
            ["team"]
        );
        assert_eq!(shown(&deliveries), Some((30, None)));
    }

    #[test]
    fn of_several_replicas_the_newest_attempt_counts_and_one_that_knows_none_is_no_news() {
        let mut deliveries = Deliveries::default();
        note(&mut deliveries, vec![attempt(0, 20, None)]);
        assert!(note(&mut deliveries, vec![attempt(0, 0, None)]).is_empty());
        assert!(note(&mut deliveries, vec![attempt(0, 10, Some("timeout"))]).is_empty());
        assert_eq!(shown(&deliveries), Some((20, None)));
        // Another integration in its place has its own attempts.
        let other = Delivery {
            integration: "email".to_owned(),
            ..attempt(0, 10, Some("timeout"))
        };
        assert_eq!(note(&mut deliveries, vec![other]), ["team"]);
        assert_eq!(shown(&deliveries), Some((10, Some("email: timeout".to_owned()))));
    }

    #[test]
    fn of_an_address_that_was_another_before_its_secret_changed_nothing_is_told() {
        let mut deliveries = Deliveries::default();
        let old = r#"Post "https://hooks.example.com/services/T000/B000/OLDoldOLD": no such host"#;
        note(&mut deliveries, vec![attempt(0, 10, Some(old))]);
        // What the address has in common with the one of now is known to be secret.
        let common = "https://hooks.example.com/services/T000/B000/";
        let shown = deliveries
            .of("team", None, |words| words.replace(common, "[REDACTED]"))
            .unwrap();
        let told = r#"slack: Post "https://hooks.example.com/…": no such host"#;
        assert_eq!(shown.failure.as_deref(), Some(told));
    }

    #[test]
    fn what_was_secret_when_it_was_said_stays_hidden_when_nobody_knows_it_any_more() {
        let mut deliveries = Deliveries::default();
        let known = |name: &str, words: &str| words.replace(&format!("{name}-0ld"), "[REDACTED]");
        deliveries.note(
            vec![attempt(0, 10, Some("no bot team-0ld at https://a.b/team-0ld"))],
            known,
        );
        let told = "slack: no bot [REDACTED] at https://a.b/…";
        assert_eq!(shown(&deliveries), Some((10, Some(told.to_owned()))));
    }

    #[test]
    fn equal_failures_are_told_once() {
        let mut deliveries = Deliveries::default();
        note(
            &mut deliveries,
            vec![
                attempt(1, 10, Some("refused")),
                attempt(2, 11, Some("refused")),
                attempt(3, 12, Some("timeout")),
            ],
        );
        let failures = "email: refused; email: timeout";
        assert_eq!(shown(&deliveries), Some((12, Some(failures.to_owned()))));
    }

    #[test]
    fn what_is_gone_or_was_written_is_known_no_longer() {
        let mut deliveries = Deliveries::default();
        note(
            &mut deliveries,
            vec![attempt(0, 20, None), attempt(1, 20, Some("refused"))],
        );
        assert_eq!(note(&mut deliveries, vec![attempt(0, 20, None)]), ["team"]);
        assert_eq!(shown(&deliveries), Some((20, None)));
        deliveries.forget("team");
        assert_eq!(shown(&deliveries), None);
        note(&mut deliveries, vec![attempt(0, 20, None)]);
        note(&mut deliveries, Vec::new());
        assert_eq!(shown(&deliveries), None);
    }

    #[test]
    fn what_is_told_changes_between_delivering_and_failing_alone() {
        let at = |second| Some(Timestamp::from_second(second).unwrap());
        let shown = |second, failure: Option<&str>| {
            Some(Shown {
                last_sent: at(second).unwrap(),
                failure: failure.map(str::to_owned),
            })
        };
        let word = |word: &str| Some(word.to_owned());
        let ok = || (word("OK"), at(5));
        let failing = || (word("slack: no"), at(5));
        let (stands, due, void) = (Before::Stands, Before::IsDue, Before::IsVoid(at(8)));
        for (name, said, before, now, expected) in [
            ("never", (None, None), stands, None, (None, None)),
            ("the first", (None, None), stands, shown(5, None), ok()),
            ("the next", ok(), stands, shown(9, None), ok()),
            (
                "it fails",
                ok(),
                stands,
                shown(9, Some("slack: no")),
                (word("slack: no"), at(9)),
            ),
            (
                "it fails otherwise",
                failing(),
                stands,
                shown(9, Some("slack: but")),
                failing(),
            ),
            (
                "it works again",
                failing(),
                stands,
                shown(9, None),
                (word("OK"), at(9)),
            ),
            ("Grafana has forgotten", ok(), stands, None, ok()),
            ("Grafana has forgotten, and it is due", ok(), due, None, ok()),
            (
                "it is due",
                failing(),
                due,
                shown(9, Some("slack: but")),
                (word("slack: but"), at(9)),
            ),
            ("it is another one", ok(), void, None, (None, at(8))),
            (
                "nothing was sent since",
                (None, at(8)),
                stands,
                None,
                (None, at(8)),
            ),
            (
                "another one again",
                (None, at(8)),
                Before::IsVoid(None),
                None,
                (None, at(8)),
            ),
            (
                "another one works",
                failing(),
                void,
                shown(9, None),
                (word("OK"), at(9)),
            ),
        ] {
            assert_eq!(told(said, before, now), expected, "{name}");
        }
    }

    #[test]
    fn attempts_up_to_the_one_that_a_status_without_a_word_names_are_from_before_a_write() {
        let at = |second| Some(Timestamp::from_second(second).unwrap());
        let word = Some("OK".to_owned());
        for (said, before, expected) in [
            ((None, None), Before::Stands, None),
            ((None, at(8)), Before::Stands, at(8)),
            ((None, at(8)), Before::IsDue, at(8)),
            ((word.clone(), at(8)), Before::Stands, None),
            ((word.clone(), at(8)), Before::IsDue, None),
            ((word.clone(), at(8)), Before::IsVoid(at(9)), at(9)),
            ((word, at(8)), Before::IsVoid(None), at(8)),
        ] {
            assert_eq!(void(&said, before), expected, "{said:?} {before:?}");
        }
        let mut deliveries = Deliveries::default();
        note(
            &mut deliveries,
            vec![attempt(0, 8, Some("no")), attempt(1, 5, Some("no"))],
        );
        assert_eq!(deliveries.of("team", at(8), str::to_owned), None);
        note(
            &mut deliveries,
            vec![attempt(0, 8, Some("no")), attempt(1, 9, None)],
        );
        let shown = deliveries.of("team", at(8), str::to_owned).unwrap();
        assert_eq!((Some(shown.last_sent), shown.failure), (at(9), None));
    }
}
