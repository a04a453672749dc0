//! What passes have written themselves and the watch tells of afterwards: another pass over that would find nothing to do.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::{Duration, Instant};

use kube::ResourceExt;
use kube::runtime::watcher::Event;
use parking_lot::Mutex;

use crate::api::FINALIZER;
use crate::controller::engine::managed::Managed;

/// The writes whose echo is still to come, by what was written to. What is told here before it is sent can't come back earlier.
#[derive(Debug, Default)]
pub struct Echoes(Mutex<HashMap<Key, Written>>);

/// Kind and uid: one that is made anew under its name is another.
type Key = (&'static str, String);

#[derive(Debug, Default)]
struct Written {
    finalizer: Option<Finalizer>,
    /// Digests of statuses, in the order in which they were written.
    statuses: Vec<u64>,
    /// The last of them, with the version of the object that it was written over.
    last: Option<(String, u64)>,
}

#[derive(Debug, Clone, Copy)]
enum Finalizer {
    /// It is going to be added.
    Sent,
    /// It was added then.
    Added(Instant),
}

/// For how long a watch that is behind is believed to bring the finalizer yet. After that it is looked for anew, which harms nothing if it does.
const BEHIND: Duration = Duration::from_secs(10);

/// So many statuses of one resource are awaited at most: those that come back otherwise than they were sent don't add up.
const MOST: usize = 4;

impl Echoes {
    /// The finalizer is going to be added.
    pub fn expect_finalizer<K: Managed>(&self, object: &K) {
        self.0.lock().entry(key(object)).or_default().finalizer = Some(Finalizer::Sent);
    }

    /// The finalizer has been added.
    pub fn finalizer_added<K: Managed>(&self, object: &K, now: Instant) {
        // The echo may have been quicker than the answer.
        if let Some(written) = self.0.lock().get_mut(&key(object))
            && written.finalizer.is_some()
        {
            written.finalizer = Some(Finalizer::Added(now));
        }
    }

    /// Whether an object has the finalizer though it was seen without it: the watch is behind.
    pub fn has_finalizer<K: Managed>(&self, object: &K, now: Instant) -> bool {
        let finalizer = self
            .0
            .lock()
            .get(&key(object))
            .and_then(|written| written.finalizer);
        matches!(finalizer, Some(Finalizer::Added(then)) if now.duration_since(then) < BEHIND)
    }

    /// This status is going to be written.
    pub fn expect_status<K: Managed>(&self, object: &K, status: &K::Status) {
        let Some(digest) = digest::<K>(status) else { return };
        let mut all = self.0.lock();
        let written = all.entry(key(object)).or_default();
        if written.statuses.len() == MOST {
            written.statuses.remove(0);
        }
        written.statuses.push(digest);
        written.last = object.resource_version().map(|version| (version, digest));
    }

    /// The status that was going to be written may not have been.
    pub fn status_failed<K: Managed>(&self, object: &K) {
        if let Some(written) = self.0.lock().get_mut(&key(object)) {
            written.last = None;
        }
    }

    /// Whether an object has this status already though it was seen without it: the watch has told nothing of it since.
    pub fn has_status<K: Managed>(&self, object: &K, status: &K::Status) -> bool {
        let all = self.0.lock();
        let last = all.get(&key(object)).and_then(|written| written.last.as_ref());
        last.is_some_and(|(over, sent)| {
            Some(over) == object.meta().resource_version.as_ref() && Some(*sent) == digest::<K>(status)
        })
    }

    /// Whether an event tells of nothing but what was written here.
    pub(super) fn is_one<K: Managed>(&self, event: &Event<K>, before: Option<&K>) -> bool {
        match (event, before) {
            (Event::Apply(after), Some(before)) => self.brings_nothing_else(before, after),
            (Event::Delete(object), _) => {
                self.0.lock().remove(&key(object));
                false
            }
            _ => false,
        }
    }

    fn brings_nothing_else<K: Managed>(&self, before: &K, after: &K) -> bool {
        let mut all = self.0.lock();
        let key = key(after);
        let Some(written) = all.get_mut(&key) else {
            return false;
        };
        // What is asked for has a generation, but not what is asked for by metadata.
        let (old, new) = (before.meta(), after.meta());
        let asks_the_same = old.uid == new.uid
            && old.generation == new.generation
            && old.deletion_timestamp == new.deletion_timestamp
            && old.labels == new.labels
            && old.annotations == new.annotations
            && old.owner_references == new.owner_references;
        let gets_finalizer = written.finalizer.is_some() && is_added(before.finalizers(), after.finalizers());
        if !asks_the_same || !gets_finalizer && before.finalizers() != after.finalizers() {
            return false;
        }
        let status = match (before.status(), after.status()) {
            (before, after) if before == after => None,
            (_, after) => {
                let digest = after.and_then(digest::<K>);
                let found = written.statuses.iter().position(|sent| Some(*sent) == digest);
                if found.is_none() {
                    return false;
                }
                found
            }
        };
        if let Some(last) = status {
            written.statuses.drain(..=last);
        }
        if gets_finalizer {
            written.finalizer = None;
        }
        if written.finalizer.is_none() && written.statuses.is_empty() {
            all.remove(&key);
        }
        gets_finalizer || status.is_some()
    }
}

fn key<K: Managed>(object: &K) -> Key {
    (K::KIND, object.meta().uid.clone().unwrap_or_default())
}

/// As it is written, since a time is written in whole seconds.
fn digest<K: Managed>(status: &K::Status) -> Option<u64> {
    let text = serde_json::to_vec(status).ok()?;
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    Some(hasher.finish())
}

fn is_added(before: &[String], after: &[String]) -> bool {
    after
        .split_last()
        .is_some_and(|(last, rest)| last == FINALIZER && rest == before)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::api::AlertRule;

    /// A rule of this version with more in its metadata and another status.
    fn rule(metadata: Value, status: &Value) -> AlertRule {
        let mut object = json!({
            "apiVersion": "alerting.letsrevel.io/v1alpha1", "kind": "AlertRule",
            "metadata": {"name": "r", "namespace": "revel", "uid": "u", "generation": 1},
            "spec": {"query": "up == 0"}, "status": status,
        });
        if let (Some(all), Value::Object(more)) = (object["metadata"].as_object_mut(), metadata) {
            all.extend(more);
        }
        serde_json::from_value(object).expect("a rule")
    }

    fn tells(echoes: &Echoes, before: &AlertRule, after: &AlertRule) -> bool {
        !echoes.is_one(&Event::Apply(after.clone()), Some(before))
    }

    #[test]
    fn what_was_written_here_is_no_news_and_what_others_write_is() {
        let (known, stored) = (json!({}), json!({"uid": "stored"}));
        let held = json!({"finalizers": [FINALIZER]});
        let before = rule(json!({}), &known);
        let others = [
            ("spec", json!({"generation": 2}), &stored),
            (
                "deletion",
                json!({"deletionTimestamp": "2026-01-01T00:00:00Z"}),
                &stored,
            ),
            ("a label", json!({"labels": {"a": "b"}}), &stored),
            ("a request", json!({"annotations": {"a": "b"}}), &stored),
            (
                "an owner",
                json!({"ownerReferences": [{"apiVersion": "v1", "kind": "Pod", "name": "p", "uid": "p"}]}),
                &stored,
            ),
            (
                "another finalizer",
                json!({"finalizers": ["else.org/x", FINALIZER]}),
                &stored,
            ),
            ("another object of that name", json!({"uid": "v"}), &stored),
            ("another's status", json!({}), &json!({"uid": "else"})),
        ];
        for (what, metadata, status) in others {
            let echoes = Echoes::default();
            echoes.expect_finalizer(&before);
            echoes.expect_status(&before, rule(json!({}), &stored).status().expect("a status"));
            assert!(tells(&echoes, &before, &rule(metadata, status)), "{what}");
        }
        let echoes = Echoes::default();
        assert!(
            tells(&echoes, &before, &rule(held.clone(), &known)),
            "nobody was to write"
        );
        echoes.expect_finalizer(&before);
        echoes.expect_status(&before, rule(json!({}), &stored).status().expect("a status"));
        let (with, done) = (rule(held.clone(), &known), rule(held.clone(), &stored));
        assert!(!tells(&echoes, &before, &with), "the finalizer");
        assert!(!tells(&echoes, &with, &done), "the status");
        assert!(tells(&echoes, &done, &with), "somebody has put it back");
        assert!(tells(&echoes, &with, &done), "and once more: it was written once");
    }

    #[test]
    fn a_finalizer_that_was_added_is_there_before_the_watch_tells_but_not_for_ever() {
        let (echoes, now) = (Echoes::default(), Instant::now());
        let before = rule(json!({}), &json!({}));
        echoes.expect_finalizer(&before);
        assert!(!echoes.has_finalizer(&before, now), "it may not have arrived");
        echoes.finalizer_added(&before, now);
        assert!(echoes.has_finalizer(&before, now + BEHIND / 2));
        assert!(!echoes.has_finalizer(&before, now + BEHIND));
        let with = rule(json!({"finalizers": [FINALIZER]}), &json!({}));
        assert!(!tells(&echoes, &before, &with));
        assert!(
            !echoes.has_finalizer(&before, now),
            "somebody may have taken it off"
        );
        echoes.expect_finalizer(&before);
        echoes.finalizer_added(&before, now);
        let anew = rule(json!({"uid": "v"}), &json!({}));
        assert!(
            !echoes.has_finalizer(&anew, now),
            "it was made anew under its name"
        );
        assert!(!tells(&echoes, &before, &with));
        echoes.finalizer_added(&before, now);
        assert!(!echoes.has_finalizer(&before, now), "the echo was quicker");
    }

    #[test]
    fn a_status_is_there_before_the_watch_tells_unless_it_tells_something_else_or_the_write_failed() {
        let echoes = Echoes::default();
        let at = |version: &str| rule(json!({"resourceVersion": version}), &json!({}));
        let (stored, other) = (json!({"uid": "stored"}), json!({"uid": "other"}));
        let [stored, other] =
            [stored, other].map(|status| rule(json!({}), &status).status.expect("a status"));
        echoes.expect_status(&at("1"), &stored);
        assert!(echoes.has_status(&at("1"), &stored));
        assert!(!echoes.has_status(&at("1"), &other));
        assert!(
            !echoes.has_status(&at("2"), &stored),
            "somebody may have changed it"
        );
        echoes.status_failed(&at("1"));
        assert!(!echoes.has_status(&at("1"), &stored));
    }

    #[test]
    fn statuses_that_are_never_told_do_not_add_up_and_go_with_their_object() {
        let echoes = Echoes::default();
        let before = rule(json!({}), &json!({}));
        let status = |uid: usize| rule(json!({}), &json!({"uid": uid.to_string()}));
        for uid in 0..10 {
            echoes.expect_status(&before, status(uid).status().expect("a status"));
        }
        assert!(tells(&echoes, &before, &status(5)), "too long ago");
        assert!(!tells(&echoes, &before, &status(9)));
        echoes.expect_status(&before, status(1).status().expect("a status"));
        assert!(!echoes.is_one(&Event::Delete(before.clone()), Some(&before)));
        assert!(tells(&echoes, &before, &status(1)), "of another object");
    }
}
