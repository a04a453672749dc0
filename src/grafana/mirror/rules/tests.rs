//! Rules as polls, writes and watches leave them, by group, by title and by mark.

use std::time::Duration;

use super::*;
use crate::grafana::api::Updated;
use crate::grafana::model::{AlertRule, Revision};

fn rule(uid: &str, folder: &str, group: &str, title: &str) -> FoundRule {
    let rule = AlertRule {
        uid: uid.to_owned(),
        folder_uid: folder.to_owned(),
        group: Some(group.to_owned()),
        interval: Duration::from_secs(60),
        title: title.to_owned(),
        ..AlertRule::default()
    };
    FoundRule::of(&rule)
}

fn group(rules: &Rules, folder: &str, group: &str) -> Vec<String> {
    let mut uids: Vec<_> = rules
        .in_group(folder, group)
        .map(|rule| rule.uid.clone())
        .collect();
    uids.sort();
    uids
}

#[test]
fn rules_are_found_by_group_and_title_after_a_poll() {
    let mut rules = Rules::default();
    let poll = rules.begin_poll();
    rules.finish_poll(
        poll,
        vec![
            rule("a", "f", "g", "A"),
            rule("b", "f", "g", "B"),
            rule("c", "x", "g", "A"),
        ],
    );
    assert_eq!(group(&rules, "f", "g"), ["a", "b"]);
    assert_eq!(
        rules
            .titled("x", "A")
            .map(|rule| rule.uid.as_str())
            .collect::<Vec<_>>(),
        ["c"]
    );
    assert_eq!(rules.titled("x", "B").count(), 0);
    assert_eq!(
        (rules.count_in_folder("f"), rules.count_in_folder("none")),
        (2, 0)
    );
}

#[test]
fn a_written_rule_leaves_its_old_place() {
    let mut rules = Rules::default();
    rules.written(rule("a", "f", "g", "A"));
    rules.written(rule("a", "x", "h", "B"));
    assert_eq!(
        (group(&rules, "f", "g"), group(&rules, "x", "h")),
        (vec![], vec!["a".to_owned()])
    );
    assert_eq!(
        (rules.titled("f", "A").count(), rules.titled("x", "B").count()),
        (0, 1)
    );
    rules.unknown("a");
    assert!(group(&rules, "x", "h").is_empty());
    rules.written(rule("a", "x", "h", "B"));
    rules.deleted("a");
    assert!(group(&rules, "x", "h").is_empty());
    assert!(rules.folders.is_empty());
}

#[test]
fn a_rule_without_a_group_is_in_its_folder_and_in_no_group() {
    let without = FoundRule {
        group: None,
        ..rule("a", "f", "", "A")
    };
    let mut rules = Rules::default();
    rules.written(without);
    rules.written(rule("b", "f", "g", "B"));
    assert_eq!(
        (group(&rules, "f", ""), group(&rules, "f", "g")),
        (vec![], vec!["b".to_owned()])
    );
    assert_eq!(
        (rules.titled("f", "A").count(), rules.count_in_folder("f")),
        (1, 2)
    );
    rules.deleted("b");
    assert_eq!(rules.count_in_folder("f"), 1);
    rules.deleted("a");
    assert!(rules.folders.is_empty());
}

#[test]
fn a_rule_is_the_same_whenever_it_was_changed_and_whatever_its_state_is_called() {
    let mut rules = Rules::default();
    let poll = rules.begin_poll();
    rules.finish_poll(poll, vec![rule("a", "f", "g", "A")]);
    let revised = FoundRule {
        revision: Some(Revision("2".to_owned())),
        ..rule("a", "f", "g", "A")
    };
    let poll = rules.begin_poll();
    assert!(rules.finish_poll(poll, vec![revised.clone()]).is_empty());
    let held = rules.lookup("a").present().unwrap();
    assert_eq!(held.revision, revised.revision, "it is written by the newest");
}

#[test]
fn rules_are_found_by_their_mark_also_while_the_answer_of_a_write_is_lost() {
    let marked = |uid: &str, mark: &str| FoundRule {
        owner: Some(mark.to_owned()),
        ..rule(uid, "f", "g", uid)
    };
    let mut rules = Rules::default();
    let poll = rules.begin_poll();
    rules.finish_poll(poll, vec![marked("a", "old/ns/a"), rule("b", "f", "g", "b")]);
    assert_eq!(rules.marked("old/ns/a"), ["a"]);
    rules.unknown("a");
    assert_eq!(rules.marked("old/ns/a"), ["a"], "it may still carry it");
    let poll = rules.begin_poll();
    rules.unknown("a");
    rules.finish_poll(poll, vec![rule("c", "f", "g", "c")]);
    assert_eq!(rules.marked("old/ns/a"), ["a"], "a poll from before says nothing");
    rules.written(marked("a", "new/ns/a"));
    assert!(rules.marked("old/ns/a").is_empty());
    assert_eq!(rules.marked("new/ns/a"), ["a"]);
    rules.deleted("a");
    assert!(rules.marked("new/ns/a").is_empty());
    let poll = rules.begin_poll();
    rules.finish_poll(poll, vec![]);
    assert!(rules.marked.is_empty(), "{:?}", rules.marked);
}

#[test]
fn an_older_poll_moves_no_rule_back() {
    let mut rules = Rules::default();
    let poll = rules.begin_poll();
    rules.written(rule("a", "x", "h", "B"));
    assert_eq!(
        rules.finish_poll(poll, vec![rule("a", "f", "g", "A"), rule("b", "f", "g", "B")]),
        ["b"]
    );
    assert_eq!(
        (group(&rules, "f", "g"), group(&rules, "x", "h")),
        (vec!["b".to_owned()], vec!["a".to_owned()])
    );
}

/// The rule, changed last at this time, as this contact point's.
fn at(uid: &str, seconds: i64, receiver: &str) -> FoundRule {
    FoundRule {
        updated: Updated(Some(jiff::Timestamp::new(seconds, 0).unwrap())),
        receiver: Some(receiver.to_owned()),
        ..rule(uid, "f", "g", uid)
    }
}

#[test]
fn what_goes_back_in_time_or_is_gone_without_us_is_undone() {
    let all = || ["back", "edited", "same", "gone", "ours", "deleted"].map(|uid| at(uid, 5, "now"));
    let mut rules = Rules::default();
    let poll = rules.begin_poll();
    rules.finish_poll(poll, all().to_vec());
    rules.written(at("ours", 9, "newest"));
    rules.deleted("deleted");
    let found = [
        at("back", 4, "then"),
        at("edited", 6, "then"),
        at("same", 4, "now"),
        at("ours", 4, "then"),
        at("new", 1, "then"),
    ];
    let undone = rules.undone(&found);
    let uids = |rules: &[FoundRule]| rules.iter().map(|rule| rule.uid.clone()).collect::<Vec<_>>();
    assert_eq!(
        (uids(&undone.older), uids(&undone.gone)),
        (vec!["back".to_owned()], vec!["gone".to_owned()])
    );
    // A rule that stays as it is takes over its new time.
    let poll = rules.begin_poll();
    rules.finish_poll(poll, found.to_vec());
    let poll = rules.begin_poll();
    rules.finish_poll(poll, vec![at("same", 8, "now")]);
    assert_eq!(uids(&rules.undone(&[at("same", 7, "then")]).older), ["same"]);
}

#[test]
fn what_a_watch_tells_moves_a_rule_to_where_it_is_now() {
    let mut rules = Rules::default();
    let poll = rules.begin_poll();
    let (_, mut watched) = rules.finish_list(poll, vec![rule("a", "f", "g", "A"), rule("b", "f", "g", "B")]);
    let moved = FoundRule {
        owner: Some("own/ns/a".to_owned()),
        ..rule("a", "x", "h", "B")
    };
    assert!(rules.told(&mut watched, "a".into(), Some(moved)));
    assert_eq!(
        (group(&rules, "f", "g"), group(&rules, "x", "h")),
        (vec!["b".to_owned()], vec!["a".to_owned()])
    );
    assert_eq!(
        (rules.titled("f", "A").count(), rules.titled("x", "B").count()),
        (0, 1)
    );
    assert_eq!(rules.marked("own/ns/a"), ["a"]);
    assert!(rules.told(&mut watched, "b".into(), None));
    assert!(rules.told(&mut watched, "a".into(), None));
    assert!(rules.folders.is_empty() && rules.marked("own/ns/a").is_empty());
    // One that is being written is nowhere until its outcome, whatever is told, and a look has the last word.
    rules.begins("c");
    assert!(!rules.told(&mut watched, "c".into(), Some(rule("c", "f", "g", "C"))));
    assert_eq!(rules.count_in_folder("f"), 0);
    rules.written(rule("c", "f", "g", "C"));
    rules.told(&mut watched, "c".into(), Some(rule("c", "f", "theirs", "C")));
    assert_eq!(rules.doubtful(&mut watched), ["c".into()]);
    let look = rules.begin_look();
    assert!(rules.finish_look(
        &mut watched,
        look,
        "c".into(),
        Some(rule("c", "f", "theirs", "C"))
    ));
    assert_eq!(
        (group(&rules, "f", "g"), group(&rules, "f", "theirs")),
        (vec![], vec!["c".to_owned()])
    );
}

#[test]
fn what_a_watch_tells_is_undone_as_what_a_poll_finds_is() {
    let mut rules = Rules::default();
    let poll = rules.begin_poll();
    rules.finish_poll(poll, vec![at("a", 5, "now"), at("ours", 5, "now")]);
    rules.written(at("ours", 9, "newest"));
    let undone = |uid: &str, now: Option<FoundRule>| {
        let undone = rules.undone_of(uid, now.as_ref());
        (undone.older.len(), undone.gone.len())
    };
    assert_eq!(undone("a", Some(at("a", 4, "then"))), (1, 0));
    assert_eq!(undone("a", Some(at("a", 6, "edited"))), (0, 0));
    assert_eq!(
        undone("a", Some(at("a", 4, "now"))),
        (0, 0),
        "a clock was put right"
    );
    assert_eq!(undone("a", None), (0, 1));
    for now in [Some(at("ours", 4, "then")), None] {
        assert_eq!(undone("ours", now), (0, 0), "we have written it since");
    }
    assert_eq!(undone("new", Some(at("new", 1, "then"))), (0, 0));
}
