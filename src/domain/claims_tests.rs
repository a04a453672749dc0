use super::*;

impl Claimable for &str {
    fn is_shared(&self) -> bool {
        *self == "group"
    }
}

fn claimant(created: i64, name: &str) -> Claimant {
    Claimant {
        created: Timestamp::from_second(created).unwrap(),
        namespace: "ns".into(),
        name: name.into(),
        instance: "default".into(),
    }
}

fn names(affected: &BTreeSet<Claimant>) -> Vec<&str> {
    affected.iter().map(|c| c.name.as_str()).collect()
}

#[test]
fn the_oldest_holds_and_the_next_inherits() {
    let mut claims = Claims::default();
    claims.update(claimant(2, "young"), vec![("key", ())], |_| false);
    assert!(claims.ahead_of(&"key", "ns", "young").is_none());
    let affected = claims.update(claimant(1, "old"), vec![("key", ())], |_| false);
    assert_eq!(names(&affected), ["young"]);
    assert_eq!(claims.ahead_of(&"key", "ns", "young").unwrap().0.name, "old");
    assert_eq!(names(&claims.remove("ns", "old")), ["young"]);
    assert!(claims.ahead_of(&"key", "ns", "young").is_none());
}

#[test]
fn who_has_it_keeps_it_until_it_is_given_up_however_old_the_others_are() {
    let mut claims = Claims::default();
    let key = || vec![("key", ())];
    claims.update(claimant(2, "young"), key(), |_| true);
    claims.update(claimant(1, "old"), key(), |_| false);
    claims.update(claimant(3, "youngest"), key(), |_| false);
    assert_eq!(claims.ahead_of(&"key", "ns", "old").unwrap().0.name, "young");
    assert_eq!(
        claims.next(&"key", Some(&claimant(2, "young"))).unwrap().name,
        "old"
    );
    assert!(claims.is_claimed_by(&"key", "ns", "old"));
    // It is no more than asked for again, as after it was lost: the oldest is first.
    let affected = claims.update(claimant(2, "young"), key(), |_| false);
    assert_eq!(names(&affected), ["old", "youngest"]);
    assert_eq!(claims.holder(&"key").unwrap().0.name, "old");
    claims.update(claimant(2, "young"), key(), |_| true);
    assert_eq!(names(&claims.remove("ns", "young")), ["old", "youngest"]);
    // The first gets it: nothing is another to those behind it.
    for has in [true, false] {
        assert!(claims.update(claimant(1, "old"), key(), |_| has).is_empty());
    }
    assert_eq!(claims.holder(&"key").unwrap().0.name, "old");
}

#[test]
fn who_agrees_with_the_first_of_what_is_shared_needs_not_know_who_that_is() {
    let mut claims = Claims::default();
    let group = |value: i64| vec![("group", value)];
    for (age, name) in [(2, "b"), (3, "c"), (4, "d")] {
        assert!(
            claims.update(claimant(age, name), group(1), |_| false).is_empty(),
            "{name}"
        );
    }
    let other = claims.update(claimant(5, "other"), group(2), |_| false);
    assert!(other.is_empty(), "it waits behind the others");
    // Another first, who agrees: the one that waits for the first names it.
    assert_eq!(
        names(&claims.update(claimant(1, "a"), group(1), |_| false)),
        ["other"]
    );
    assert_eq!(
        names(&claims.update(claimant(4, "d"), group(1), |_| true)),
        ["other"]
    );
    assert_eq!(names(&claims.remove("ns", "d")), ["other"]);
    assert!(claims.remove("ns", "c").is_empty(), "it was none of the first's");
    // One that doesn't agree.
    assert_eq!(
        names(&claims.update(claimant(1, "a"), group(3), |_| false)),
        ["b", "other"]
    );
    assert_eq!(names(&claims.remove("ns", "a")), ["b", "other"]);
}

#[test]
fn an_unchanged_claim_affects_nobody() {
    let mut claims = Claims::default();
    claims.update(claimant(1, "a"), vec![("key", 1)], |_| false);
    claims.update(claimant(2, "b"), vec![("key", 1)], |_| false);
    assert!(
        claims
            .update(claimant(2, "b"), vec![("key", 1)], |_| false)
            .is_empty()
    );
    assert_eq!(
        names(&claims.update(claimant(1, "a"), vec![("key", 2)], |_| false)),
        ["b"]
    );
}

#[test]
fn a_change_of_one_concerns_the_others_only_if_it_was_or_is_the_first() {
    let concerned = [10, 1000].map(|many| {
        let mut claims = Claims::default();
        for i in 0..many {
            claims.update(
                claimant(i, &format!("{i:04}")),
                vec![("shared", 1), ("own", i)],
                |_| false,
            );
        }
        let last = format!("{:04}", many - 1);
        let claimed = claims.update(
            claimant(many - 1, &last),
            vec![("shared", 2), ("other", 1)],
            |_| false,
        );
        let given_up = claims.update(claimant(many - 1, &last), vec![("other", 1)], |_| false);
        let taken_up = claims.update(
            claimant(many - 1, &last),
            vec![("shared", 1), ("other", 1)],
            |_| false,
        );
        let gone = claims.remove("ns", &last);
        [claimed, given_up, taken_up, gone].map(|affected| names(&affected).join(","))
    });
    assert_eq!(concerned[0], concerned[1]);
    assert_eq!(concerned[0], ["0000", "0000", "", "0000"]);
    let mut claims = Claims::default();
    for i in 0..10 {
        claims.update(claimant(i, &format!("{i:04}")), vec![("shared", 1)], |_| false);
    }
    assert_eq!(
        claims
            .update(claimant(0, "0000"), vec![("shared", 2)], |_| false)
            .len(),
        9
    );
    assert_eq!(
        claims.remove("ns", "0000").len(),
        9,
        "each of them is told who is first now"
    );
    assert_eq!(
        claims
            .update(claimant(-1, "first"), vec![("shared", 2)], |_| false)
            .len(),
        9
    );
}

#[test]
fn a_recreated_resource_loses_its_seniority() {
    let mut claims = Claims::default();
    claims.update(claimant(1, "a"), vec![("key", ())], |_| false);
    claims.update(claimant(2, "b"), vec![("key", ())], |_| false);
    claims.update(claimant(3, "a"), vec![("key", ())], |_| false);
    assert_eq!(claims.holder(&"key").unwrap().0.name, "b");
}

#[test]
fn a_resource_claims_in_each_of_its_grafanas_and_gives_up_in_one_of_them_alone() {
    let mut claims = Claims::default();
    let at = |instance: &str| Claimant {
        instance: instance.to_owned(),
        ..claimant(1, "both")
    };
    claims.update(claimant(2, "young"), vec![("a/name", ()), ("b/name", ())], |_| {
        false
    });
    claims.update(at("a"), vec![("a/name", ())], |_| false);
    assert_eq!(
        names(&claims.update(at("b"), vec![("b/name", ())], |_| false)),
        ["young"]
    );
    for key in ["a/name", "b/name"] {
        assert!(claims.is_claimed_by(&key, "ns", "both"), "{key}");
        assert_eq!(claims.holder(&key).unwrap().0.name, "both", "{key}");
    }
    assert_eq!(
        names(&claims.keep("ns", "both", |instance| instance == "b")),
        ["young"]
    );
    assert_eq!(claims.holder(&"a/name").unwrap().0.name, "young");
    assert_eq!(claims.holder(&"b/name").unwrap().0.name, "both");
    claims.remove("ns", "both");
    assert_eq!(claims.holder(&"b/name").unwrap().0.name, "young");
}
