//! What to do about a rule that Grafana holds.

mod difference;

use crate::domain::changed::drift::DELETED;
use crate::grafana::api::FoundRule;
use crate::grafana::digest::RuleDigest;
use crate::grafana::model::AlertRule;

pub use difference::{difference, lost};

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// There is none: create it.
    Create,
    /// It differs in these fields, and perhaps in its interval.
    Update(Vec<&'static str>),
    /// It differs in nothing but its interval.
    SetInterval,
    /// It is as wished.
    Keep,
    /// Somebody else made it.
    NotOwned,
}

/// The labels, as a digest calls them.
const LABELS: &str = "labels";

/// What an interval that somebody has changed is called.
pub const INTERVAL: &str = "interval";

/// What another provenance is called.
const EDITABLE: &str = "editable";

/// The group, as a digest calls it.
const GROUP: &str = "group";

/// The fingerprint of a rule that was wished, as it stands in Grafana: without a group if it was made without one.
pub fn fingerprint(wish: &AlertRule, stored: &FoundRule) -> String {
    let rule = AlertRule {
        group: wish.group.clone().filter(|_| stored.group.is_some()),
        ..wish.clone()
    };
    RuleDigest::of(&rule).fingerprint()
}

/// Whether what was found has all labels but those that the wish leaves empty: no alert has these, and Grafana needn't keep them.
fn is_without_empty_labels(wish: &AlertRule, found: &FoundRule) -> bool {
    let mut wish = wish.clone();
    wish.labels.retain(|_, value| !value.is_empty());
    !RuleDigest::of(&wish).changed(&found.digest).contains(&LABELS)
}

/// Whether the rule must be made anew to be editable. Grafana takes no provenance away (`canUpdateProvenance`, all versions).
pub fn is_to_be_made_anew(wish: &AlertRule, found: &FoundRule) -> bool {
    wish.provenance.is_none() && found.provenance.is_some()
}

/// Whether nothing else is different about a rule that must be made anew.
pub fn is_only_locked(fields: &[&str]) -> bool {
    fields == [EDITABLE]
}

/// Whether a difference has been made in Grafana since the last write, and not by another wish. `stored` is the fingerprint of
/// what was stored last, where that is known.
pub fn is_drift(stored: Option<&str>, found: Option<&FoundRule>) -> bool {
    match (stored, found) {
        (Some(stored), Some(found)) => found.digest.fingerprint() != stored,
        (_, None) => true,
        (None, Some(_)) => false,
    }
}

/// What somebody has changed of a rule that was stored as it is wished; nothing where the wish is another one since. `stored` is the fingerprint of what
/// was stored last.
pub fn drift(wish: &AlertRule, found: Option<&FoundRule>, label: &str, stored: Option<&str>) -> Vec<String> {
    match decide(wish, found, label, true) {
        Decision::Create => vec![DELETED.to_owned()],
        Decision::Update(fields) if stored.is_some() && is_drift(stored, found) => {
            fields.into_iter().map(str::to_owned).collect()
        }
        Decision::SetInterval => vec![INTERVAL.to_owned()],
        Decision::Update(_) | Decision::Keep | Decision::NotOwned => Vec::new(),
    }
}

/// Compares the wish with what was found.
///
/// `label` is the ownership label that our rule carries; `may_claim` says that a rule of this uid is ours even without it,
/// because the uid is derived from the resource or the user has asked to take the rule over.
pub fn decide(wish: &AlertRule, found: Option<&FoundRule>, label: &str, may_claim: bool) -> Decision {
    let Some(found) = found else {
        return Decision::Create;
    };
    if found.owner.as_deref() != Some(label) && !may_claim {
        return Decision::NotOwned;
    }
    let fields = changed(wish, found);
    if !fields.is_empty() {
        Decision::Update(fields)
    } else if found.interval == wish.interval {
        Decision::Keep
    } else {
        Decision::SetInterval
    }
}

/// The fields that differ, but for the interval.
fn changed(wish: &AlertRule, found: &FoundRule) -> Vec<&'static str> {
    let mut fields = RuleDigest::of(wish).changed(&found.digest);
    if fields.contains(&LABELS) && is_without_empty_labels(wish, found) {
        fields.retain(|field| *field != LABELS);
    }
    // One that was made without a group can't get any.
    if found.group.is_none() {
        fields.retain(|field| *field != GROUP);
    }
    if wish.provenance != found.provenance {
        fields.push(EDITABLE);
    }
    fields
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;
    use crate::grafana::api::OWNER_LABEL;

    fn rule() -> AlertRule {
        AlertRule {
            uid: "aw-1".into(),
            group: Some("errors".into()),
            interval: Duration::from_secs(60),
            title: "HighErrorRate".into(),
            r#for: "5m".into(),
            labels: BTreeMap::from([(OWNER_LABEL.to_owned(), "o/ns/a".to_owned())]),
            ..AlertRule::default()
        }
    }

    fn found(rule: &AlertRule) -> FoundRule {
        FoundRule::of(rule)
    }

    #[test]
    fn an_absent_rule_is_created_and_an_equal_one_is_kept() {
        assert_eq!(decide(&rule(), None, "o/ns/a", true), Decision::Create);
        let same = AlertRule {
            r#for: "300s".into(),
            ..rule()
        };
        assert_eq!(
            decide(&rule(), Some(&found(&same)), "o/ns/a", true),
            Decision::Keep
        );
    }

    #[test]
    fn one_that_is_to_be_editable_is_made_anew_and_one_that_is_not_any_more_is_only_written() {
        let by = |provenance: Option<&str>| AlertRule {
            provenance: provenance.map(str::to_owned),
            ..rule()
        };
        let (locked, open) = (by(Some("api")), by(None));
        for (wish, stands, anew) in [(&locked, &open, false), (&open, &locked, true)] {
            let stands = found(stands);
            let decision = decide(wish, Some(&stands), "o/ns/a", true);
            assert_eq!(decision, Decision::Update(vec!["editable"]));
            assert_eq!(is_to_be_made_anew(wish, &stands), anew);
        }
        assert!(is_only_locked(&["editable"]) && !is_only_locked(&["title", "editable"]));
        for same in [&locked, &open] {
            assert_eq!(decide(same, Some(&found(same)), "o/ns/a", true), Decision::Keep);
        }
    }

    #[test]
    fn drift_is_what_differs_from_what_was_stored_and_not_another_wish() {
        let stored = fingerprint(&rule(), &found(&rule()));
        let of = |wish: &AlertRule, found: Option<&FoundRule>| drift(wish, found, "o/ns/a", Some(&stored));
        let renamed = AlertRule {
            title: "Other".into(),
            ..rule()
        };
        assert_eq!(of(&rule(), Some(&found(&rule()))), [""; 0]);
        assert_eq!(of(&rule(), Some(&found(&renamed))), ["title"]);
        assert_eq!(
            of(&renamed, Some(&found(&rule()))),
            [""; 0],
            "the wish is another"
        );
        assert_eq!(of(&rule(), None), ["deleted"]);
        let faster = AlertRule {
            interval: Duration::from_secs(10),
            ..rule()
        };
        assert_eq!(of(&rule(), Some(&found(&faster))), ["interval"]);
        assert_eq!(drift(&rule(), Some(&found(&renamed)), "o/ns/a", None), [""; 0]);
    }

    #[test]
    fn what_differs_is_named() {
        let changed = AlertRule {
            title: "Other".into(),
            is_paused: true,
            ..rule()
        };
        let Decision::Update(mut fields) = decide(&rule(), Some(&found(&changed)), "o/ns/a", true) else {
            panic!()
        };
        fields.sort_unstable();
        assert_eq!(fields, ["paused", "title"]);
    }

    #[test]
    fn another_interval_alone_is_set_and_no_change_of_the_rule() {
        let faster = AlertRule {
            interval: Duration::from_secs(10),
            ..rule()
        };
        assert_eq!(
            decide(&rule(), Some(&found(&faster)), "o/ns/a", true),
            Decision::SetInterval
        );
        let other = AlertRule {
            title: "Other".into(),
            ..faster
        };
        assert_eq!(
            decide(&rule(), Some(&found(&other)), "o/ns/a", true),
            Decision::Update(vec!["title"])
        );
    }

    #[test]
    fn a_rule_that_was_made_without_a_group_is_equal_whatever_group_is_wished_and_counts_for_no_drift() {
        let without = AlertRule {
            group: None,
            ..rule()
        };
        let stands = found(&without);
        assert_eq!(decide(&rule(), Some(&stands), "o/ns/a", true), Decision::Keep);
        let stored = fingerprint(&rule(), &stands);
        assert!(!is_drift(Some(&stored), Some(&stands)));
        let grouped = found(&rule());
        assert_ne!(stored, fingerprint(&rule(), &grouped));
        assert_eq!(fingerprint(&rule(), &grouped), grouped.digest.fingerprint());
        let expected = Decision::Update(vec!["group"]);
        let moved = AlertRule {
            group: Some("other".into()),
            ..rule()
        };
        assert_eq!(decide(&rule(), Some(&found(&moved)), "o/ns/a", true), expected);
    }

    #[test]
    fn a_label_without_a_value_is_no_difference_where_grafana_keeps_none() {
        let labelled = |labels: &[(&str, &str)]| {
            let mut rule = rule();
            let more = labels.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
            rule.labels.extend(more);
            rule
        };
        let wish = labelled(&[("instance", ""), ("team", "web")]);
        for kept in [wish.clone(), labelled(&[("team", "web")])] {
            assert_eq!(decide(&wish, Some(&found(&kept)), "o/ns/a", true), Decision::Keep);
        }
        for other in [
            labelled(&[("instance", "")]),
            labelled(&[("team", "db")]),
            labelled(&[("instance", "x"), ("team", "web")]),
        ] {
            let expected = Decision::Update(vec!["labels"]);
            assert_eq!(decide(&wish, Some(&found(&other)), "o/ns/a", true), expected);
        }
        // One that is no longer wished for is taken out.
        let expected = Decision::Update(vec!["labels"]);
        assert_eq!(
            decide(&labelled(&[("team", "web")]), Some(&found(&wish)), "o/ns/a", true),
            expected
        );
    }

    #[test]
    fn a_difference_is_drift_only_where_grafana_differs_from_what_was_stored() {
        let stored = found(&rule()).digest.fingerprint();
        let edited = AlertRule {
            is_paused: true,
            ..rule()
        };
        assert!(!is_drift(Some(&stored), Some(&found(&rule()))), "another wish");
        assert!(is_drift(Some(&stored), Some(&found(&edited))), "an edit");
        assert!(is_drift(Some(&stored), None), "gone");
        assert!(!is_drift(None, Some(&found(&edited))), "nobody knows");
    }

    #[test]
    fn a_foreign_rule_of_a_uid_given_by_hand_is_left_alone() {
        let foreign = AlertRule {
            labels: BTreeMap::new(),
            ..rule()
        };
        assert_eq!(
            decide(&rule(), Some(&found(&foreign)), "o/ns/a", false),
            Decision::NotOwned
        );
        let of_another = AlertRule {
            labels: BTreeMap::from([(OWNER_LABEL.to_owned(), "o/ns/b".to_owned())]),
            ..rule()
        };
        assert_eq!(
            decide(&rule(), Some(&found(&of_another)), "o/ns/a", false),
            Decision::NotOwned
        );
        assert_eq!(
            decide(&rule(), Some(&found(&foreign)), "o/ns/a", true),
            Decision::Update(vec!["labels"])
        );
    }

    /// Any rule of this uid, mostly one with our mark.
    fn any_rule() -> impl Strategy<Value = AlertRule> {
        let choice = |texts: &[&'static str]| prop::sample::select(texts.to_vec());
        let label = (choice(&["team", "instance", "x"]), choice(&["", "web", "db"]));
        (
            (choice(&["A", "B"]), choice(&["5m", "300s", "0s", "1h"])),
            (
                prop::option::of(choice(&["0s", "5m", "300s"])),
                prop::collection::btree_map(label.0, label.1, 0..3),
            ),
            choice(&["o/ns/a", "o/ns/a", "o/ns/b", ""]),
            (any::<bool>(), prop::option::of(choice(&["api", "file"]))),
            (prop::option::of(choice(&["g", "h"])), choice(&["OK", "NoData"])),
            10..40u64,
        )
            .prop_map(
                |((title, pending), (keeps, labels), mark, (is_paused, by), (group, state), every)| {
                    let marks = (!mark.is_empty()).then(|| (OWNER_LABEL.to_owned(), mark.to_owned()));
                    let labels = labels.into_iter().map(|(k, v)| (k.to_owned(), v.to_owned()));
                    AlertRule {
                        title: title.to_owned(),
                        r#for: pending.to_owned(),
                        keep_firing_for: keeps.map(str::to_owned),
                        labels: labels.chain(marks).collect(),
                        is_paused,
                        provenance: by.map(str::to_owned),
                        group: group.map(str::to_owned),
                        no_data_state: state.to_owned(),
                        interval: Duration::from_secs(every),
                        ..rule()
                    }
                },
            )
    }

    proptest! {
        #[test]
        fn what_was_written_as_decided_is_kept_and_has_not_drifted(
            wish in any_rule(), before in prop::option::of(any_rule()), may_claim in any::<bool>(),
        ) {
            let label = "o/ns/a";
            let found = before.as_ref().map(FoundRule::of);
            let is_ours = |found: &FoundRule| may_claim || found.owner.as_deref() == Some(label);
            let first = decide(&wish, found.as_ref(), label, may_claim);
            match &first {
                Decision::NotOwned => {
                    prop_assert!(!is_ours(found.as_ref().unwrap()));
                    return Ok(());
                }
                Decision::Create => prop_assert!(found.is_none()),
                Decision::Update(fields) => prop_assert!(!fields.is_empty()),
                Decision::SetInterval | Decision::Keep => {}
            }
            // One that was made without a group stays without.
            let is_without = found.as_ref().is_some_and(|found| found.group.is_none());
            let stored = FoundRule::of(&AlertRule {
                group: wish.group.clone().filter(|_| !is_without),
                ..wish.clone()
            });
            prop_assert_eq!(decide(&wish, Some(&stored), label, true), Decision::Keep);
            let known = fingerprint(&wish, &stored);
            prop_assert!(!is_drift(Some(&known), Some(&stored)));
            prop_assert_eq!(drift(&wish, Some(&stored), label, Some(&known)), [""; 0]);
        }
    }
}
