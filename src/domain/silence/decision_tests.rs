use proptest::prelude::*;

use super::super::*;
use super::{at, matcher};
use crate::grafana::wire::SilenceStatus;

fn wanted() -> Wish {
    Wish {
        matchers: vec![matcher("a", "b", false, true)],
        begins_at_once: false,
        starts_at: at(0),
        ends_at: at(3600),
        author: "alertwright prod/shop/quiet".into(),
        comment: "why".into(),
        says_why: true,
    }
}

#[test]
fn the_mark_of_a_former_owner_id_is_no_change_by_hand() {
    let former = |change: fn(&mut Silence)| {
        found("f", SilenceState::Active, |silence| {
            silence.created_by = "alertwright test/shop/quiet".into();
            change(silence);
        })
    };
    let update = Decision::Write {
        update: Some("f".into()),
        expire: Vec::new(),
    };
    for (silence, fields) in [
        (former(|_| ()), Vec::new()),
        (
            former(|silence| silence.comment = "by hand".into()),
            vec!["comment"],
        ),
    ] {
        let decision = decide(Some(&wanted()), std::slice::from_ref(&silence), None, at(60));
        assert_eq!(decision, update, "it is marked anew");
        assert_eq!(drift(&decision, &wanted(), &[silence], at(60)), fields);
    }
}

#[test]
fn a_silence_made_by_hand_that_is_equal_is_kept_as_it_is_and_else_updated_and_marked() {
    let by_hand = |change: fn(&mut Silence)| {
        found("h", SilenceState::Active, |silence| {
            silence.created_by = "admin".into();
            change(silence);
        })
    };
    let wish = |says_why| Wish { says_why, ..wanted() };
    let decided = |wish: &Wish, silence: Silence| decide(Some(wish), &[silence], None, at(60));
    assert_eq!(decided(&wish(true), by_hand(|_| ())), keep("h", &[]));
    let other_words = by_hand(|silence| silence.comment = "by hand".into());
    assert_eq!(decided(&wish(false), other_words.clone()), keep("h", &[]));
    let update = Decision::Write {
        update: Some("h".into()),
        expire: Vec::new(),
    };
    assert_eq!(decided(&wish(true), other_words.clone()), update);
    let shorter = by_hand(|silence| silence.ends_at = at(600));
    assert_eq!(decided(&wish(true), shorter), update);
    assert_eq!(
        body(&wanted(), Some(&other_words), at(60)).created_by,
        wanted().author
    );
}

/// A silence of ours as Grafana answers it.
fn found(id: &str, state: SilenceState, change: impl FnOnce(&mut Silence)) -> Silence {
    let wish = wanted();
    let mut silence = Silence {
        id: Some(id.into()),
        matchers: wish.matchers,
        starts_at: wish.starts_at,
        ends_at: wish.ends_at,
        created_by: wish.author,
        comment: wish.comment,
        updated_at: None,
        status: Some(SilenceStatus { state }),
    };
    change(&mut silence);
    silence
}

fn keep(id: &str, expire: &[&str]) -> Decision {
    Decision::Keep {
        id: id.into(),
        expire: expire.iter().map(|id| (*id).to_owned()).collect(),
    }
}

fn write(update: Option<&str>, expire: &[&str]) -> Decision {
    Decision::Write {
        update: update.map(str::to_owned),
        expire: expire.iter().map(|id| (*id).to_owned()).collect(),
    }
}

#[test]
fn what_is_done_depends_on_what_is_there() {
    use SilenceState::{Active, Expired, Pending};
    let same = |id, state| found(id, state, |_| {});
    let other = |id, state| found(id, state, |s| s.matchers = vec![matcher("a", "c", false, true)]);
    let decided = |ours: &[Silence]| decide(Some(&wanted()), ours, Some("k"), at(60));
    assert_eq!(decided(&[]), write(None, &[]), "nothing is there");
    assert_eq!(decided(&[same("k", Active)]), keep("k", &[]));
    assert_eq!(
        decided(&[same("k", Expired)]),
        write(None, &[]),
        "an expired one is never taken up"
    );
    assert_eq!(
        decided(&[found("k", Active, |s| s.ends_at = at(60))]),
        write(None, &[]),
        "nor one whose time is over"
    );
    assert_eq!(
        decided(&[other("k", Active)]),
        write(None, &["k"]),
        "other matchers need another id"
    );
    assert_eq!(decided(&[other("x", Expired), same("k", Active)]), keep("k", &[]));
    assert_eq!(
        decided(&[same("k", Active), same("x", Active)]),
        keep("k", &["x"]),
        "the known one of two stays"
    );
    assert_eq!(
        decided(&[same("x", Active), same("k", Active)]),
        keep("k", &["x"])
    );
    assert_eq!(
        decided(&[same("x", Pending), same("y", Active)]),
        keep("y", &["x"]),
        "else the one in force"
    );
    let longer = found("z", Active, |s| s.ends_at = at(7200));
    assert_eq!(
        decided(&[same("y", Active), longer]),
        write(Some("z"), &["y"]),
        "else the longest"
    );
}

#[test]
fn a_difference_is_an_update_of_the_same_silence() {
    type Change = fn(&mut Silence);
    use SilenceState::{Active, Pending};
    let decided = |silence: Silence| decide(Some(&wanted()), &[silence], None, at(60));
    let cases: [(&str, Change, bool); 7] = [
        ("as wished", |_| {}, false),
        ("another comment", |s| s.comment = "other".into(), true),
        ("a later end", |s| s.ends_at = at(3602), true),
        ("an earlier end", |s| s.ends_at = at(3598), true),
        ("an end within the tolerance", |s| s.ends_at = at(3601), false),
        ("a start that Grafana moved", |s| s.starts_at = at(30), false),
        (
            "a former owner id in its author",
            |s| s.created_by = "alertwright old/shop/quiet".into(),
            true,
        ),
    ];
    for (what, change, updates) in cases {
        let expected = if updates {
            write(Some("k"), &[])
        } else {
            keep("k", &[])
        };
        assert_eq!(decided(found("k", Active, change)), expected, "{what}");
    }
    // A pending one begins when it should.
    let late = |second| found("k", Pending, |s| s.starts_at = at(second));
    assert_eq!(decided(late(1)), keep("k", &[]));
    assert_eq!(decided(late(120)), write(Some("k"), &[]));
    // One in force that should begin later is written anew.
    let later = Wish {
        starts_at: at(120),
        ..wanted()
    };
    let early = found("k", Active, |_| {});
    assert_eq!(
        decide(Some(&later), &[early], None, at(60)),
        write(Some("k"), &[])
    );
}

#[test]
fn what_is_over_or_covers_nothing_is_expired() {
    let ours = [
        found("a", SilenceState::Active, |_| {}),
        found("b", SilenceState::Pending, |_| {}),
        found("c", SilenceState::Expired, |_| {}),
    ];
    let expired = Decision::Expired {
        expire: vec!["a".into(), "b".into()],
    };
    assert_eq!(decide(None, &ours, None, at(60)), expired);
    let past = Wish {
        ends_at: at(60),
        ..wanted()
    };
    assert_eq!(decide(Some(&past), &ours, None, at(60)), expired);
    assert_eq!(
        decide(Some(&past), &[], None, at(60)),
        Decision::Expired { expire: vec![] }
    );
}

#[test]
fn a_silence_is_over_by_our_clock_and_left_to_end_by_itself_where_grafanas_is_behind() {
    let ours = [found("a", SilenceState::Active, |silence| {
        silence.ends_at = at(60);
    })];
    let over = Wish {
        ends_at: at(60),
        ..wanted()
    };
    assert_eq!(
        decide(Some(&over), &ours, Some("a"), at(61)),
        Decision::Expired { expire: vec![] }
    );
}

#[test]
fn the_body_leaves_a_start_that_has_passed_as_it_is() {
    let now = at(60);
    // Grafana makes its own now of it, also where its clock is behind.
    let long_ago = at(60 - 3600);
    let expected = Silence {
        id: None,
        starts_at: long_ago,
        ..found("x", SilenceState::Active, |_| {})
    };
    let new = body(&wanted(), None, now);
    assert_eq!(
        new,
        Silence {
            status: None,
            ..expected
        }
    );
    let active = found("k", SilenceState::Active, |s| s.starts_at = at(7));
    let kept = body(&wanted(), Some(&active), now);
    assert_eq!((kept.id.as_deref(), kept.starts_at), (Some("k"), at(7)));
    let future = Wish {
        starts_at: at(120),
        ..wanted()
    };
    assert_eq!(body(&future, Some(&active), now).starts_at, at(120));
    let pending = found("k", SilenceState::Pending, |s| s.starts_at = at(90));
    let moved = body(&wanted(), Some(&pending), now);
    assert_eq!((moved.id.as_deref(), moved.starts_at), (Some("k"), long_ago));
    let at_once = Wish {
        begins_at_once: true,
        ..future
    };
    assert_eq!(
        body(&at_once, None, now).starts_at,
        long_ago,
        "created by a clock that is ahead"
    );
}

/// What Grafana holds after a decision was carried out: it gives a new id to what it can't update in place.
fn carry_out(decision: &Decision, wish: &Wish, ours: &[Silence], now: Timestamp) -> Vec<Silence> {
    let mut held = ours.to_vec();
    let over = match decision {
        Decision::Keep { expire, .. } | Decision::Expired { expire } => expire,
        Decision::Write { update, expire } => {
            let old = held.iter().find(|s| s.id == *update && update.is_some()).cloned();
            let mut new = body(wish, old.as_ref(), now);
            new.status = Some(SilenceStatus {
                state: state(&new, now),
            });
            held.retain(|s| s.id != new.id || new.id.is_none());
            new.id.get_or_insert_with(|| "new".into());
            held.push(new);
            expire
        }
    };
    for silence in held
        .iter_mut()
        .filter(|s| s.id.as_ref().is_some_and(|id| over.contains(id)))
    {
        silence.status = Some(SilenceStatus {
            state: SilenceState::Expired,
        });
        silence.ends_at = now;
    }
    held
}

fn any_silence() -> impl Strategy<Value = Silence> {
    ("[bc]", -10..200_i64, 1..200_i64, "[xy]").prop_map(|(value, start, length, comment)| {
        found("", SilenceState::Active, |s| {
            s.matchers = vec![matcher("a", &value, false, true)];
            s.starts_at = at(start);
            s.ends_at = at(start + length);
            s.comment = comment;
        })
    })
}

/// What Grafana says of a silence, going by its times.
fn state(silence: &Silence, now: Timestamp) -> SilenceState {
    if silence.ends_at <= now {
        SilenceState::Expired
    } else if silence.starts_at > now {
        SilenceState::Pending
    } else {
        SilenceState::Active
    }
}

proptest! {
    #[test]
    fn nothing_is_left_to_do_once_a_decision_is_carried_out(
        mut ours in proptest::collection::vec(any_silence(), 0..5),
        start in -10..200_i64, length in 1..200_i64, known in 0..6_usize, now in 0..150_i64,
    ) {
        for (i, silence) in ours.iter_mut().enumerate() {
            silence.id = Some(format!("s{i}"));
            silence.status = Some(SilenceStatus { state: state(silence, at(now)) });
        }
        let wish = Wish { starts_at: at(start), ends_at: at(start + length), comment: "x".into(), ..wanted() };
        let known = format!("s{known}");
        let first = decide(Some(&wish), &ours, Some(&known), at(now));
        let held = carry_out(&first, &wish, &ours, at(now));
        match decide(Some(&wish), &held, Some(&known), at(now)) {
            Decision::Keep { expire, .. } | Decision::Expired { expire } => prop_assert!(expire.is_empty()),
            again @ Decision::Write { .. } => prop_assert!(false, "{first:?}, then {again:?}"),
        }
    }
}

#[test]
fn of_two_alike_the_one_in_force_is_kept_and_of_those_the_one_that_ends_later() {
    let until = |id: &str, state, end| found(id, state, |silence| silence.ends_at = at(end));
    let (active, pending) = (SilenceState::Active, SilenceState::Pending);
    let right = until("right", active, 3600);
    for other in [until("other", pending, 7200), until("other", active, 600)] {
        for both in [[right.clone(), other.clone()], [other, right.clone()]] {
            assert_eq!(
                decide(Some(&wanted()), &both, None, at(60)),
                keep("right", &["other"]),
                "{both:?}"
            );
        }
    }
}
