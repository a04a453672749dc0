//! The values of Secrets that Grafana may still repeat: those of now, and those that they have replaced, while Grafana may know these.
//!
//! A value that is replaced isn't found in any Secret any more, but Grafana has it until it has stored the new one and read its configuration. What
//! it says of a contact point meanwhile, of a delivery above all, may have the former value in it.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use secrecy::{ExposeSecret, SecretString};

use crate::grafana;

/// How long Grafana may repeat a value after it has stored another one: each of its replicas reads the configuration anew every 60 s by default, and
/// a notification under way may be tried for that long again.
const ECHO: Duration = Duration::from_secs(300);

/// What of each contact point of one Grafana, by its name there, Grafana may repeat.
#[derive(Default)]
pub struct Spoken(Mutex<HashMap<String, Values>>);

#[derive(Default)]
struct Values {
    present: Vec<SecretString>,
    former: Vec<Former>,
}

struct Former {
    value: SecretString,
    /// Until when it may be repeated; not known before Grafana has stored what replaces it.
    until: Option<Instant>,
}

impl Spoken {
    /// Notes the values that a contact point is about to be compared with, or sent with. What was there before and isn't any more is a former value.
    pub fn note<'a>(&self, name: &str, values: impl Iterator<Item = &'a String>, now: Instant) {
        let mut all = self.0.lock();
        let values: Vec<SecretString> = values.map(|value| SecretString::from(value.as_str())).collect();
        let known = all.entry(name.to_owned()).or_default();
        let is_in =
            |values: &[SecretString], one: &str| values.iter().any(|value| value.expose_secret() == one);
        // What is put back is no former value any more.
        known
            .former
            .retain(|former| !is_in(&values, former.value.expose_secret()));
        for value in std::mem::replace(&mut known.present, values) {
            if !is_in(&known.present, value.expose_secret()) {
                known.former.push(Former { value, until: None });
            }
        }
        known
            .former
            .retain(|former| former.until.is_none_or(|until| until > now));
        if known.present.is_empty() && known.former.is_empty() {
            all.remove(name);
        }
    }

    /// Notes that Grafana has stored the present values.
    pub fn stored(&self, name: &str, now: Instant) {
        if let Some(known) = self.0.lock().get_mut(name) {
            for former in &mut known.former {
                former.until.get_or_insert(now + ECHO);
            }
        }
    }

    /// Notes that a contact point is gone. Grafana may still repeat its values, of another one too that is made under its name meanwhile.
    pub fn retire(&self, name: &str, now: Instant) {
        let mut all = self.0.lock();
        if let Some(known) = all.get_mut(name) {
            let gone = std::mem::take(&mut known.present).into_iter();
            known
                .former
                .extend(gone.map(|value| Former { value, until: None }));
            for former in &mut known.former {
                former.until.get_or_insert(now + ECHO);
            }
        }
        // Names that don't come back are looked at by nobody else.
        all.retain(|_, known| {
            known
                .former
                .retain(|former| former.until.is_none_or(|until| until > now));
            !known.present.is_empty() || !known.former.is_empty()
        });
    }

    /// Gives all values that Grafana may repeat of a contact point, and lets go of those that it can't repeat any more.
    pub fn with<T>(&self, name: &str, now: Instant, then: impl FnOnce(&[&str]) -> T) -> T {
        let mut all = self.0.lock();
        let Some(known) = all.get_mut(name) else {
            drop(all);
            return then(&[]);
        };
        known
            .former
            .retain(|former| former.until.is_none_or(|until| until > now));
        let former = known.former.iter().map(|former| &former.value);
        let values: Vec<&str> = known
            .present
            .iter()
            .chain(former)
            .map(ExposeSecret::expose_secret)
            .collect();
        then(&values)
    }

    /// An error of a write of a contact point, without what it may repeat.
    pub fn redact(&self, name: &str, error: grafana::Error) -> grafana::Error {
        self.with(name, Instant::now(), |values| error.redact(values))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note(spoken: &Spoken, values: &[&str], now: Instant) {
        let values: Vec<String> = values.iter().map(|value| (*value).to_owned()).collect();
        spoken.note("team", values.iter(), now);
    }

    fn known(spoken: &Spoken, now: Instant) -> Vec<String> {
        spoken.with("team", now, |values| {
            values.iter().map(|value| (*value).to_owned()).collect()
        })
    }

    #[test]
    fn a_former_value_is_known_until_grafana_has_stored_the_new_one_and_read_it() {
        let (spoken, start) = (Spoken::default(), Instant::now());
        note(&spoken, &["old", "same"], start);
        note(&spoken, &["new", "same"], start);
        assert_eq!(
            known(&spoken, start + ECHO * 9),
            ["new", "same", "old"],
            "nothing is stored yet"
        );
        spoken.stored("team", start);
        spoken.stored("team", start + ECHO);
        assert_eq!(known(&spoken, start + ECHO / 2), ["new", "same", "old"]);
        assert_eq!(known(&spoken, start + ECHO), ["new", "same"]);
        spoken.with("other", start, |values| assert!(values.is_empty()));
    }

    #[test]
    fn a_value_that_is_put_back_is_a_present_one_and_what_is_gone_is_hidden_for_as_long_as_it_may_be_repeated()
     {
        let (spoken, start) = (Spoken::default(), Instant::now());
        note(&spoken, &["old"], start);
        note(&spoken, &["new"], start);
        note(&spoken, &["old"], start);
        assert_eq!(known(&spoken, start), ["old", "new"]);
        spoken.stored("team", start);
        assert_eq!(known(&spoken, start + ECHO), ["old"]);
        spoken.retire("team", start);
        note(&spoken, &["another"], start);
        assert_eq!(known(&spoken, start), ["another", "old"]);
        spoken.retire("team", start);
        // Whoever goes next lets go of all that have gone before.
        spoken.retire("other", start + ECHO);
        assert!(spoken.0.lock().is_empty());
    }
}
