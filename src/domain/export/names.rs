//! Names of resources, made of what Grafana calls their objects.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::import::name::words;

/// A name of this length is a label's value too.
const LONGEST: usize = 63;

/// The names of one kind that were given.
#[derive(Default)]
pub(super) struct Names {
    /// What each begins with.
    prefix: String,
    given: BTreeSet<String>,
    /// Up to which number all names that begin so are given: of a thousand that are called the same each begins there, and not at the first.
    last: BTreeMap<String, usize>,
}

impl Names {
    /// Those that begin with this.
    pub(super) fn new(prefix: &str) -> Self {
        Self {
            prefix: words(prefix).trim_matches('-').to_owned(),
            given: BTreeSet::new(),
            last: BTreeMap::new(),
        }
    }

    /// The name for what is called so; `otherwise` where that has no letters that a name may have.
    pub(super) fn of(&mut self, called: &str, otherwise: &str) -> String {
        let words = words(called);
        let words = match words.trim_matches('-') {
            "" => otherwise,
            words => words,
        };
        if self.prefix.is_empty() {
            return self.free(words);
        }
        let name = format!("{}-{words}", self.prefix);
        self.free(&name)
    }

    /// This name, or the first free one that begins like it.
    pub(super) fn free(&mut self, name: &str) -> String {
        let first = self.last.get(name).map_or(1, |last| last + 1);
        for nth in first.. {
            let end = if nth == 1 {
                String::new()
            } else {
                format!("-{nth}")
            };
            let begin: String = name.chars().take(LONGEST - end.len()).collect();
            let free = format!("{}{end}", begin.trim_end_matches(['-', '.']));
            if self.given.insert(free.clone()) {
                self.last.insert(name.to_owned(), nth);
                return free;
            }
        }
        String::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_that_kubernetes_takes_and_is_given_once() {
        let mut names = Names::default();
        let long = "x".repeat(80);
        for (called, expected) in [
            ("Checkout errors", "checkout-errors"),
            ("StripePaymentFailures", "stripe-payment-failures"),
            ("checkout  errors!", "checkout-errors-2"),
            ("Überlast (Köln)", "berlast-k-ln"),
            ("!!", "rule"),
            ("再起動", "rule-2"),
            (&long, &long[..63]),
            (&long, &format!("{}-2", &long[..61])),
        ] {
            assert_eq!(names.of(called, "rule"), expected, "{called}");
        }
    }

    #[test]
    fn of_many_that_are_called_the_same_each_begins_where_the_last_one_ended() {
        let mut names = Names::default();
        assert_eq!(names.free("down-3"), "down-3");
        let given: Vec<String> = (0..4).map(|_| names.free("down")).collect();
        assert_eq!(given, ["down", "down-2", "down-4", "down-5"]);
        assert_eq!(names.last["down"], 5);
        // With a look at all of them again for each this takes minutes.
        let last = (0..20_000).map(|_| names.free("up")).last();
        assert_eq!(last.as_deref(), Some("up-20000"));
    }
}
