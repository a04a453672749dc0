//! Two watches that were made by hand, as one.

use std::future::pending;

use futures::FutureExt;
use futures::stream::iter;

use super::*;
use crate::grafana::error::Error;
use crate::grafana::model::AlertRule;

fn rule(uid: &str) -> FoundRule {
    FoundRule::of(&AlertRule {
        uid: uid.to_owned(),
        ..AlertRule::default()
    })
}

fn there(uid: &str) -> Told<FoundRule> {
    Told::There(rule(uid))
}

fn gone(uid: &str) -> Told<FoundRule> {
    Told::Gone(uid.to_owned())
}

fn listed(uid: &str, watch: Option<Watch<FoundRule>>) -> Listed<FoundRule> {
    Listed {
        items: vec![rule(uid)],
        watch,
    }
}

/// Tells this, and then nothing for ever.
fn goes_on(told: Vec<Told<FoundRule>>) -> Watch<FoundRule> {
    let for_ever = once(pending());
    iter(told.into_iter().map(Ok)).chain(for_ever).boxed()
}

/// All that is told without waiting, and whether that was the end.
fn all(mut watch: Watch<FoundRule>) -> (Vec<Told<FoundRule>>, bool) {
    let mut told = Vec::new();
    loop {
        match watch.next().now_or_never() {
            None => return (told, false),
            Some(Some(Ok(next))) => told.push(next),
            Some(Some(Err(_)) | None) => return (told, true),
        }
    }
}

#[test]
fn both_kinds_are_listed_and_watched_only_if_both_can_be() {
    for (alerting, recording) in [(true, true), (true, false), (false, true), (false, false)] {
        let watch = |is_watched: bool| is_watched.then(|| goes_on(Vec::new()));
        let both = both(listed("a", watch(alerting)), listed("r", watch(recording)));
        let uids: Vec<_> = both.items.iter().map(|rule| rule.uid.as_str()).collect();
        assert_eq!(uids, ["a", "r"]);
        assert_eq!(both.watch.is_some(), alerting && recording);
    }
}

#[test]
fn it_works_when_both_do_and_tells_meanwhile() {
    let one = merged(goes_on(vec![Told::Works, there("a")]), goes_on(vec![there("r")]));
    let (told, has_ended) = all(one);
    assert!(!has_ended && !told.contains(&Told::Works), "{told:?}");
    assert_eq!(told.len(), 2);
    let both = merged(goes_on(vec![Told::Works]), goes_on(vec![Told::Works]));
    assert_eq!(all(both), (vec![Told::Works], false));
}

#[test]
fn it_ends_with_the_first_of_them() {
    let gone = || {
        Err(Error::Status {
            operation: "rules.watch",
            status: 410,
            message: "too old".to_owned(),
            message_id: None,
            retry_after: None,
        })
    };
    let goes = || goes_on(vec![Told::Works]);
    let ends = || iter(Vec::new()).boxed();
    let fails = || iter([gone()]).boxed();
    for (alerting, recording) in [
        (goes(), ends()),
        (ends(), goes()),
        (goes(), fails()),
        (fails(), goes()),
    ] {
        assert!(all(merged(alerting, recording)).1);
    }
}

#[test]
fn a_rule_that_has_become_one_of_the_other_kind_is_not_gone() {
    use Kind::{Alerting, Recording};
    let mut both = Both::default();
    let mut is_told = |kind, told| both.take(kind, Ok(told)).is_some();
    // Whichever of the two is told first.
    assert!(is_told(Recording, there("x")));
    assert!(!is_told(Alerting, gone("x")));
    assert!(is_told(Recording, gone("x")));
    assert!(is_told(Alerting, there("x")));
    // One that was only listed is of the kind that tells of its end.
    assert!(is_told(Recording, gone("y")));
    assert!(is_told(Alerting, gone("x")));
}
