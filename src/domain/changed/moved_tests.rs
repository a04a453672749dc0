use proptest::prelude::*;

use super::*;

const APART: Duration = Duration::from_secs(50);

fn sights(own: &Sight, other: &Sight) -> Sights {
    Sights {
        own: own.clone(),
        other: other.clone(),
    }
}

fn unclear() -> Sight {
    Sight::Unclear("403".to_owned())
}

fn through(kept: &[&str], in_use: &[&str], is_further: bool) -> Round {
    let all = |all: &[&str]| all.iter().map(|one| (*one).to_owned()).collect();
    Round::Through {
        kept: all(kept),
        in_use: all(in_use),
        is_further,
    }
}

/// One that two looks far enough apart have proven to be two, and when.
fn proven() -> (Moved, Duration) {
    let start = Duration::from_secs(1000);
    let mut moved = Moved::new(APART);
    moved.looked(Verdict::Two, start);
    moved.looked(Verdict::Two, start + APART);
    (moved, start + APART)
}

#[test]
fn only_where_each_sees_its_own_and_neither_the_others_they_are_two() {
    let all = [Sight::Seen, Sight::Missing, unclear()];
    for old_own in &all {
        for old_other in &all {
            for new_own in &all {
                for new_other in &all {
                    let look = Look {
                        old: sights(old_own, old_other),
                        new: sights(new_own, new_other),
                    };
                    let is_crossed = [old_other, new_other].contains(&&Sight::Seen);
                    let is_two = [old_own, new_own] == [&Sight::Seen; 2]
                        && [old_other, new_other] == [&Sight::Missing; 2];
                    match look.verdict() {
                        Verdict::One => assert!(is_crossed, "{look:?}"),
                        Verdict::Two => assert!(is_two, "{look:?}"),
                        Verdict::Unclear(_) => assert!(!is_crossed && !is_two, "{look:?}"),
                    }
                }
            }
        }
    }
}

#[test]
fn an_unclear_look_says_through_which_of_them_and_why() {
    let two = sights(&Sight::Seen, &Sight::Missing);
    let told = |old: Sights, new: Sights| match (Look { old, new }).verdict() {
        Verdict::Unclear(why) => why,
        other => panic!("{other:?}"),
    };
    let hidden = sights(&Sight::Seen, &unclear());
    assert_eq!(told(hidden.clone(), two.clone()), "the Grafana before: 403");
    assert_eq!(told(two.clone(), hidden), "this Grafana: 403");
    let blind = sights(&Sight::Missing, &Sight::Missing);
    assert!(told(blind, two).starts_with("the Grafana before doesn't show"));
}

#[test]
fn one_look_proves_nothing_and_a_second_one_only_when_the_folders_have_stood_for_long() {
    let start = Duration::from_secs(1000);
    let mut moved = Moved::new(APART);
    for seconds in [0, 1, 49] {
        let now = start + Duration::from_secs(seconds);
        moved.looked(Verdict::Two, now);
        assert!(!moved.is_proven() && !moved.may_remove(now), "after {seconds} s");
        assert_eq!(moved.next(false), Step::Look, "it is found out all the same");
    }
    moved.looked(Verdict::Two, start + APART);
    assert!(moved.is_proven() && moved.may_remove(start + APART));
    // However short it should be, one moment is no second look.
    let mut hasty = Moved::new(Duration::ZERO);
    hasty.looked(Verdict::Two, start);
    assert!(!hasty.may_remove(start));
}

#[test]
fn after_a_look_a_batch_may_go_and_only_soon() {
    let (mut moved, now) = proven();
    for _ in 0..BATCH {
        assert!(moved.may_remove(now));
    }
    assert!(!moved.may_remove(now), "the batch is over");
    moved.looked(Verdict::Two, now);
    assert!(moved.may_remove(now + COUNTS));
    assert!(
        !moved.may_remove(now + COUNTS + Duration::from_secs(1)),
        "the look is old"
    );
}

#[test]
fn nothing_goes_while_something_is_not_in_sync_and_nobody_asks_any_more_once_they_are_two() {
    let (moved, _) = proven();
    assert_eq!(moved.next(false), Step::Wait);
    assert_eq!(moved.next(true), Step::Look);
}

#[test]
fn what_is_one_ends_it_for_good() {
    let (mut moved, now) = proven();
    moved.looked(Verdict::One, now);
    moved.looked(Verdict::Two, now + APART);
    moved.looked(Verdict::Two, now + APART + APART);
    assert!(!moved.may_remove(now + APART + APART));
    assert_eq!(moved.next(true), Step::Over(End::Same));
}

#[test]
fn a_look_that_shows_nothing_has_all_begin_anew_and_ten_end_it() {
    let (mut moved, now) = proven();
    moved.looked(Verdict::Unclear("lost".to_owned()), now);
    assert!(!moved.may_remove(now));
    moved.looked(Verdict::Two, now);
    assert!(!moved.may_remove(now), "that is the first look again");
    for _ in 1..TRIES {
        assert_eq!(moved.next(true), Step::Look);
        moved.looked(Verdict::Unclear("lost".to_owned()), now);
    }
    let Step::Over(End::Stays { what: None, why }) = moved.next(true) else {
        panic!("{:?}", moved.next(true));
    };
    assert!(why.contains("(lost)"), "{why}");
}

#[test]
fn it_ends_when_all_is_gone_and_says_what_stays() {
    let (mut moved, _) = proven();
    moved.ended(through(&[], &[], true));
    assert_eq!(moved.next(true), Step::Over(End::Gone));
    let (mut moved, _) = proven();
    let all = ["a", "b", "c", "d", "e", "f"].map(|one| format!("Rule ns/{one} is suspended"));
    moved.ended(through(&all.each_ref().map(String::as_str), &[], true));
    let Step::Over(End::Stays { what, why }) = moved.next(true) else {
        panic!("{:?}", moved.next(true));
    };
    assert_eq!(what.as_deref(), Some("6 objects"));
    assert!(why.contains("ns/e is") && !why.contains("ns/f"), "{why}");
    assert!(why.ends_with("and 1 more"), "{why}");
}

#[test]
fn what_others_use_is_waited_for_ten_rounds_long_and_progress_begins_them_anew() {
    let (mut moved, _) = proven();
    for _ in 1..TRIES {
        moved.ended(through(&[], &["point"], false));
        assert_eq!(moved.next(true), Step::Look);
    }
    moved.ended(Round::Further);
    for _ in 1..TRIES {
        moved.ended(through(&["rule"], &["point"], false));
        assert_eq!(moved.next(true), Step::Look);
    }
    moved.ended(through(&["rule"], &["point"], false));
    let Step::Over(End::Stays { what, why }) = moved.next(true) else {
        panic!("{:?}", moved.next(true));
    };
    assert_eq!(
        (what.as_deref(), why.as_str()),
        (Some("2 objects"), "rule; point")
    );
}

/// What can happen to it.
#[derive(Debug, Clone)]
enum Event {
    Looked(Verdict),
    BeganAnew,
    Ended(Round),
    Asked,
}

fn any_event() -> impl Strategy<Value = (u64, Event)> {
    let event = prop_oneof![
        6 => Just(Event::Looked(Verdict::Two)),
        1 => Just(Event::Looked(Verdict::One)),
        1 => Just(Event::Looked(Verdict::Unclear("lost".to_owned()))),
        1 => Just(Event::BeganAnew),
        1 => Just(Event::Ended(Round::Further)),
        1 => Just(Event::Ended(Round::Failed("lost".to_owned()))),
        30 => Just(Event::Asked),
    ];
    (prop_oneof![4 => Just(0u64), 1 => 1..40u64, 1 => 40..90u64], event)
}

/// Whether one may be removed now, told from all that has happened and when, and from nothing that the code remembers.
fn may(trace: &[(Duration, Event, bool)], now: Duration) -> bool {
    if trace
        .iter()
        .any(|(_, event, _)| matches!(event, Event::Looked(Verdict::One)))
    {
        return false;
    }
    let is_break = |event: &Event| {
        matches!(
            event,
            Event::BeganAnew | Event::Looked(Verdict::Unclear(_) | Verdict::One)
        )
    };
    let row = trace
        .iter()
        .rposition(|(_, event, _)| is_break(event))
        .map_or(0, |at| at + 1);
    let row = &trace[row..];
    let looks: Vec<_> = row
        .iter()
        .enumerate()
        .filter(|(_, (_, event, _))| matches!(event, Event::Looked(Verdict::Two)))
        .collect();
    let (Some((_, (first, ..))), Some((at, (last, ..)))) = (looks.first(), looks.last()) else {
        return false;
    };
    let removed = row[*at..].iter().filter(|(_, _, removed)| *removed).count();
    *first + APART <= *last && *last > *first && now <= *last + COUNTS && removed < BATCH as usize
}

proptest! {
    /// The law: nothing is removed but in a batch after a fresh look of an unbroken row that began long before, and never once they were one.
    #[test]
    fn nothing_goes_without_proof(events in prop::collection::vec(any_event(), 1..120)) {
        let mut moved = Moved::new(APART);
        let mut now = Duration::from_secs(1000);
        let mut trace: Vec<(Duration, Event, bool)> = Vec::new();
        for (passed, event) in events {
            now += Duration::from_secs(passed);
            let is_over = matches!(moved.next(true), Step::Over(_));
            let removed = match event.clone() {
                Event::Looked(verdict) => { moved.looked(verdict, now); false }
                Event::BeganAnew => { moved.begin_anew(); false }
                Event::Ended(round) => { moved.ended(round); false }
                Event::Asked => {
                    let removed = moved.may_remove(now);
                    prop_assert_eq!(removed, !is_over && may(&trace, now), "{:?}", trace);
                    removed
                }
            };
            if is_over {
                prop_assert!(matches!(moved.next(true), Step::Over(_)), "what is over stays so");
            }
            trace.push((now, event, removed));
        }
    }
}
