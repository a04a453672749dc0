//! What Grafana says of the alerts of our rules, read in rounds of one answer or more.
//!
//! Between two answers of a round rules may come, go and move: one that moves to where the round has already been isn't seen in it, one that
//! moves the other way is seen twice. So a rule that a round of several answers doesn't show keeps its state until the next round doesn't
//! show it either, and of several sightings the last one counts. A round of one answer is one moment of Grafana's: what it doesn't show is gone.

use std::collections::HashMap;

use crate::grafana::api::AlertState;

/// Namespace and name of an AlertRule.
pub type Named = (String, String);

/// What Grafana says of a rule's alerts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenState {
    /// The most serious state among them.
    pub state: AlertState,
    /// Why it is `Error`, free of what changes by itself.
    pub message: Option<String>,
}

/// A rule of which something else is known after a round.
#[derive(Debug)]
pub struct Change {
    /// Which one.
    pub rule: Named,
    /// Whether nothing was known of it before.
    pub is_first: bool,
}

/// What is known of all rules. What a round brings counts from its end on.
#[derive(Debug, Default)]
pub struct States {
    known: HashMap<Named, Known>,
    /// What the round under way has shown otherwise than it is known.
    news: HashMap<Named, SeenState>,
    /// The number of the round under way.
    round: u64,
    /// How many answers it has had.
    answers: usize,
}

#[derive(Debug)]
struct Known {
    seen: SeenState,
    /// The last round that showed the rule.
    round: u64,
}

impl States {
    /// What is known of a rule.
    pub fn get(&self, rule: &Named) -> Option<&SeenState> {
        self.known.get(rule).map(|known| &known.seen)
    }

    /// Begins a round. Whatever one has brought that wasn't read to its end counts for nothing.
    pub fn begin(&mut self) {
        self.news.clear();
        self.answers = 0;
    }

    /// Notes an answer of the round.
    pub fn answer(&mut self, shown: impl IntoIterator<Item = (Named, SeenState)>) {
        self.answers += 1;
        for (rule, seen) in shown {
            match self.known.get_mut(&rule) {
                Some(known) => {
                    known.round = self.round;
                    if known.seen == seen {
                        self.news.remove(&rule);
                    } else {
                        self.news.insert(rule, seen);
                    }
                }
                None => {
                    self.news.insert(rule, seen);
                }
            }
        }
    }

    /// Ends the round, and returns the rules of which something else is known now.
    pub fn end(&mut self) -> Vec<Change> {
        let round = self.round;
        let missed = u64::from(self.answers > 1);
        let is_gone = |known: &Known| known.round + missed < round;
        let of_news = self.news.keys().map(|rule| Change {
            rule: rule.clone(),
            is_first: !self.known.contains_key(rule),
        });
        let mut changed: Vec<Change> = of_news.collect();
        let gone = self.known.extract_if(|_, known| is_gone(known));
        changed.extend(gone.map(|(rule, _)| Change {
            rule,
            is_first: false,
        }));
        let news = self
            .news
            .drain()
            .map(|(rule, seen)| (rule, Known { seen, round }));
        self.known.extend(news);
        self.round += 1;
        changed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grafana::api::AlertState::{Firing, Normal};

    fn rule(name: &str) -> Named {
        ("ns".to_owned(), name.to_owned())
    }

    fn seen(name: &str, state: AlertState) -> (Named, SeenState) {
        (rule(name), SeenState { state, message: None })
    }

    /// Reads a round with these answers, and gives the names of what changed.
    fn round(states: &mut States, answers: &[&[(&str, AlertState)]]) -> Vec<String> {
        states.begin();
        for answer in answers {
            states.answer(answer.iter().map(|(name, state)| seen(name, *state)));
        }
        let mut changed: Vec<String> = states.end().into_iter().map(|change| change.rule.1).collect();
        changed.sort();
        changed
    }

    fn state(states: &States, name: &str) -> Option<AlertState> {
        states.get(&rule(name)).map(|seen| seen.state)
    }

    #[test]
    fn what_a_round_shows_first_and_what_it_shows_otherwise_has_changed() {
        let mut states = States::default();
        assert_eq!(
            round(&mut states, &[&[("a", Normal)], &[("b", Normal)]]),
            ["a", "b"]
        );
        assert_eq!(round(&mut states, &[&[("a", Normal)], &[("b", Firing)]]), ["b"]);
        assert_eq!(state(&states, "b"), Some(Firing));
        assert!(round(&mut states, &[&[("a", Normal)], &[("b", Firing)]]).is_empty());
    }

    #[test]
    fn what_was_not_known_before_is_told_from_what_has_changed() {
        let mut states = States::default();
        round(&mut states, &[&[("a", Normal)]]);
        states.begin();
        states.answer([seen("a", Firing), seen("b", Firing)]);
        let firsts = |changes: Vec<Change>| {
            let firsts = changes.into_iter().filter(|change| change.is_first);
            firsts.map(|change| change.rule.1).collect::<Vec<_>>()
        };
        assert_eq!(firsts(states.end()), ["b"]);
    }

    #[test]
    fn a_rule_that_one_answer_for_all_does_not_show_is_gone() {
        let mut states = States::default();
        round(&mut states, &[&[("a", Firing), ("b", Normal)]]);
        assert_eq!(round(&mut states, &[&[("b", Normal)]]), ["a"]);
        assert_eq!(state(&states, "a"), None);
    }

    #[test]
    fn a_rule_that_moved_between_two_answers_and_was_not_seen_keeps_its_state() {
        let mut states = States::default();
        round(&mut states, &[&[("a", Normal)], &[("b", Firing)]]);
        assert!(round(&mut states, &[&[("a", Normal)], &[]]).is_empty());
        assert_eq!(state(&states, "b"), Some(Firing));
        assert!(round(&mut states, &[&[("b", Firing)], &[("a", Normal)]]).is_empty());
        // Seen once more, so it may be missed once more.
        assert!(round(&mut states, &[&[], &[("a", Normal)]]).is_empty());
        assert_eq!(state(&states, "b"), Some(Firing));
    }

    #[test]
    fn a_rule_that_two_rounds_of_several_answers_do_not_show_is_gone() {
        let mut states = States::default();
        round(&mut states, &[&[("a", Normal)], &[("b", Firing)]]);
        assert!(round(&mut states, &[&[("a", Normal)], &[]]).is_empty());
        assert_eq!(round(&mut states, &[&[("a", Normal)], &[]]), ["b"]);
        assert_eq!(state(&states, "b"), None);
    }

    #[test]
    fn of_a_rule_that_is_seen_twice_in_a_round_the_last_sighting_counts() {
        let mut states = States::default();
        round(&mut states, &[&[("a", Firing)]]);
        // Nothing changes where the last one shows what is known: the same every round, and nobody writes a status for it.
        assert!(round(&mut states, &[&[("a", Normal)], &[("a", Firing)]]).is_empty());
        assert_eq!(round(&mut states, &[&[("a", Firing)], &[("a", Normal)]]), ["a"]);
        assert_eq!(state(&states, "a"), Some(Normal));
    }

    #[test]
    fn a_round_that_was_not_read_to_its_end_changes_nothing() {
        let mut states = States::default();
        round(&mut states, &[&[("a", Normal)], &[("b", Normal)]]);
        states.begin();
        states.answer([seen("a", Firing), seen("c", Firing)]);
        assert_eq!((state(&states, "a"), state(&states, "c")), (Some(Normal), None));
        assert!(round(&mut states, &[&[("a", Normal)], &[("b", Normal)]]).is_empty());
        assert_eq!(state(&states, "c"), None);
    }
}
