//! Names of the AlertRules: the same for a rule whatever comes or goes beside it.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest, Sha256};

use super::source::{Group, Rule, Source};

/// A name of this length is a label's value too.
const LONGEST: usize = 63;
/// How many bytes of a hash are in a name: ten characters.
const HASH: usize = 6;

/// The names that were given.
pub(super) struct Names {
    import: String,
    given: BTreeSet<String>,
}

impl Names {
    /// Those of an import: another import of the same objects has others.
    pub(super) fn new(import: &str) -> Self {
        Self {
            import: import.to_owned(),
            given: BTreeSet::new(),
        }
    }

    /// The name for a rule: its alert's in lower case, and a hash of what it is found by. That is its object, its group and its alert. Where a
    /// group has several alerts of one name (`is_one_of_several`) their labels tell them apart, and where these are the same too, their order.
    pub(super) fn of(
        &mut self,
        source: &Source<'_>,
        group: &Group,
        rule: &Rule,
        is_one_of_several: bool,
    ) -> String {
        let labels = is_one_of_several.then_some(&rule.labels);
        for nth in 0.. {
            let hash = hash(&self.import, source, &group.name, rule.name(), labels, nth);
            let room = LONGEST - hash.len() - 1;
            let words: String = words(rule.name()).chars().take(room).collect();
            let name = match words.trim_matches('-') {
                "" => format!("rule-{hash}"),
                words => format!("{words}-{hash}"),
            };
            if self.given.insert(name.clone()) {
                return name;
            }
        }
        String::new()
    }
}

fn hash(
    import: &str,
    source: &Source<'_>,
    group: &str,
    alert: &str,
    labels: Option<&BTreeMap<String, String>>,
    nth: usize,
) -> String {
    let mut hash = Sha256::new();
    let mut part = |text: &str| {
        hash.update(text);
        hash.update([0]);
    };
    for text in [import, source.namespace, source.name, group, alert] {
        part(text);
    }
    for (label, value) in labels.into_iter().flatten() {
        part(label);
        part(value);
    }
    part(&nth.to_string());
    let digest: Vec<u8> = hash.finalize().iter().copied().take(HASH).collect();
    data_encoding::BASE32_DNSSEC.encode(&digest)
}

/// `KubeAPIErrorBudgetBurn` as `kube-api-error-budget-burn`.
pub fn words(name: &str) -> String {
    let mut words = String::new();
    let mut chars = name.chars().peekable();
    let mut before = '-';
    while let Some(c) = chars.next() {
        if c.is_ascii_alphanumeric() {
            let ends_an_acronym =
                before.is_ascii_uppercase() && chars.peek().is_some_and(char::is_ascii_lowercase);
            let begins = before.is_ascii_lowercase() || before.is_ascii_digit() || ends_an_acronym;
            if c.is_ascii_uppercase() && begins && !words.ends_with('-') {
                words.push('-');
            }
            words.push(c.to_ascii_lowercase());
        } else if !words.ends_with('-') {
            words.push('-');
        }
        before = c;
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_alerts_are_taken_apart_as_people_read_them() {
        for (alert, expected) in [
            ("KubePodCrashLooping", "kube-pod-crash-looping"),
            ("KubeAPIErrorBudgetBurn", "kube-api-error-budget-burn"),
            ("etcdNoLeader", "etcd-no-leader"),
            ("Disk full: /var", "disk-full-var"),
            ("job:up:rate5m", "job-up-rate5m"),
            ("HTTP5xx", "http5xx"),
            ("größer", "gr-er"),
        ] {
            assert_eq!(words(alert), expected, "{alert}");
        }
    }
}
