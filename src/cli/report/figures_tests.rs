use super::*;

fn at(minute: i64) -> Timestamp {
    Timestamp::from_second(1_764_000_000 + minute * 60).unwrap()
}

fn mins(minutes: i64) -> SignedDuration {
    SignedDuration::from_mins(minutes)
}

fn rule(uid: &str, severity: &str) -> Rule {
    Rule {
        uid: uid.to_owned(),
        title: format!("rule {uid}"),
        folder: "Shop".to_owned(),
        labels: BTreeMap::from([("severity".to_owned(), severity.to_owned())]),
        namespace: Some("revel".to_owned()),
        fires_since: None,
        is_quiet: false,
    }
}

fn change(rule: &str, pod: &str, minute: i64, before: &str, after: &str) -> StateChange {
    StateChange {
        rule: rule.to_owned(),
        labels: BTreeMap::from([("pod".to_owned(), pod.to_owned())]),
        at: at(minute),
        before: before.to_owned(),
        after: after.to_owned(),
    }
}

fn hour() -> Window {
    Window {
        from: at(0),
        to: at(60),
        known: at(0),
    }
}

fn of(changes: &[StateChange], silences: &[Silenced]) -> Row {
    let rows = rows(
        &[rule("a", "high")],
        changes,
        silences,
        &hour(),
        (By::Rule, Sort::Firings),
    );
    rows.into_iter().next().unwrap()
}

#[test]
fn firings_are_counted_with_their_time_and_the_middle_of_their_lengths() {
    let row = of(
        &[
            change("a", "x", 5, "Normal", "Pending"),
            change("a", "x", 10, "Pending", "Alerting"),
            change("a", "x", 20, "Alerting", "Normal"),
            change("a", "y", 30, "Normal", "Alerting"),
            change("a", "y", 34, "Alerting", "Recovering"),
            change("a", "y", 36, "Recovering", "Normal"),
        ],
        &[],
    );
    assert_eq!(
        (row.firings, row.firing, row.median, row.flaps),
        (2, mins(16), Some(mins(8)), 0)
    );
    assert_eq!(
        (row.last, row.silenced, row.severity.as_deref()),
        (Some(at(30)), Some(0.0), Some("high"))
    );
}

#[test]
fn what_fired_at_the_beginning_counts_from_there_and_what_still_fires_to_the_end() {
    let row = of(
        &[
            change("a", "x", 15, "Alerting", "Normal"),
            change("a", "y", 50, "Normal", "Alerting (NoData)"),
        ],
        &[],
    );
    assert_eq!((row.firings, row.firing, row.no_data), (2, mins(25), 1));
}

#[test]
fn a_rule_that_fires_now_has_fired_also_where_nothing_changed() {
    let of = |since, changes: &[StateChange]| {
        let mut rule = rule("a", "high");
        rule.fires_since = Some(at(since));
        let rows = rows(&[rule], changes, &[], &hour(), (By::Rule, Sort::Firings));
        (rows[0].firings, rows[0].firing, rows[0].last)
    };
    assert_eq!(of(-600, &[]), (1, mins(60), Some(at(0))));
    assert_eq!(of(40, &[]), (1, mins(20), Some(at(40))));
    // Where the history says it, it counts once.
    assert_eq!(
        of(50, &[change("a", "x", 50, "Normal", "Alerting")]),
        (1, mins(10), Some(at(50)))
    );
    let flapped = [
        change("a", "x", 10, "Normal", "Alerting"),
        change("a", "x", 20, "Alerting", "Normal"),
    ];
    assert_eq!(of(-600, &flapped), (2, mins(70), Some(at(10))));
}

#[test]
fn a_firing_soon_after_the_same_alerts_last_one_is_a_flap() {
    let flapping = |pod: &str, again: i64| {
        of(
            &[
                change("a", "x", 1, "Normal", "Alerting"),
                change("a", "x", 2, "Alerting", "Normal"),
                change("a", pod, again, "Normal", "Alerting"),
            ],
            &[],
        )
        .flaps
    };
    assert_eq!(
        [flapping("x", 16), flapping("x", 17), flapping("y", 3)],
        [1, 0, 0]
    );
}

#[test]
fn no_data_and_errors_are_counted_when_they_begin_whatever_they_make_of_the_alert() {
    let row = of(
        &[
            change("a", "x", 1, "Normal", "NoData"),
            change("a", "x", 2, "NoData", "Normal (NoData)"),
            change("a", "x", 3, "Normal (NoData)", "Normal"),
            change("a", "x", 4, "Normal", "Error"),
            change("a", "x", 5, "Error", "Normal"),
            change("a", "x", 6, "Normal", "Alerting (Error)"),
            change("a", "y", 7, "Normal", "Alerting (NoData, KeepLast)"),
            change("a", "z", 7, "Normal", "NoData"),
        ],
        &[],
    );
    // At 7 it is one evaluation of two alerts.
    assert_eq!((row.no_data, row.errors, row.firings), (2, 2, 2));
}

#[test]
fn the_share_that_silences_cover_counts_each_moment_once_and_by_all_labels() {
    let silence = |text: &str, from, to| Silenced {
        matchers: vec![Matcher::parse(text).unwrap()],
        from: at(from),
        to: at(to),
    };
    let row = of(
        &[
            change("a", "x", 10, "Normal", "Alerting"),
            change("a", "x", 30, "Alerting", "Normal"),
        ],
        &[
            silence("severity=high", 5, 15),
            silence("alertname=\"rule a\"", 10, 20),
            silence("pod=y", 0, 60),
        ],
    );
    assert_eq!(row.silenced, Some(0.5));
}

#[test]
fn rules_that_never_fired_are_there_and_rules_are_told_together_by_their_labels() {
    let rules = [rule("a", "high"), rule("b", "high"), rule("c", "low")];
    let changes = [
        change("c", "x", 1, "Normal", "Alerting"),
        change("gone", "x", 1, "Normal", "Alerting"),
    ];
    let told = |by| rows(&rules, &changes, &[], &hour(), (by, Sort::Firings));
    let names = |rows: &[Row]| {
        rows.iter()
            .map(|row| (row.name.clone(), row.rules, row.firings))
            .collect::<Vec<_>>()
    };
    let of = |name: &str, rules, firings| (name.to_owned(), rules, firings);
    assert_eq!(
        names(&told(By::Rule)),
        [of("rule c", 1, 1), of("rule a", 1, 0), of("rule b", 1, 0)]
    );
    assert_eq!(names(&told(By::Severity)), [of("low", 1, 1), of("high", 2, 0)]);
    assert_eq!(names(&told(By::Team)), [of("–", 3, 1)]);
    assert_eq!(names(&told(By::Namespace)), [of("revel", 3, 1)]);
}

#[test]
fn rules_of_one_title_are_told_apart_by_their_folder_or_uid() {
    let titled = |uid: &str, title: &str, folder: &str| Rule {
        title: title.to_owned(),
        folder: folder.to_owned(),
        ..rule(uid, "high")
    };
    let rules = [
        titled("a", "Same", "Shop"),
        titled("b", "Same", "Web"),
        titled("c", "Other", "Web"),
        titled("d", "Twice", "Web"),
        titled("e", "Twice", "Web"),
    ];
    let names = |by: By| -> Vec<String> {
        let rows = rows(&rules, &[], &[], &hour(), (by, Sort::Firings));
        rows.into_iter().map(|row| row.name).collect()
    };
    let expected = [
        "Other",
        "Same (in Shop)",
        "Same (in Web)",
        "Twice (in Web, uid d)",
        "Twice (in Web, uid e)",
    ];
    assert_eq!(names(By::Rule), expected);
    assert_eq!(names(By::Severity), ["high"]);
}

/// The figures of a rule of which Grafana says that it doesn't fire now.
fn of_quiet(changes: &[StateChange], known: i64) -> Row {
    let mut quiet = rule("a", "high");
    quiet.is_quiet = true;
    let window = Window {
        known: at(known),
        ..hour()
    };
    let rows = rows(&[quiet], changes, &[], &window, (By::Rule, Sort::Firings));
    rows.into_iter().next().unwrap()
}

#[test]
fn what_ended_nobody_knows_when_counts_as_far_as_it_is_known() {
    let row = of_quiet(
        &[
            change("a", "x", 5, "Normal", "Alerting"),
            change("a", "y", 10, "Normal", "Alerting"),
            change("a", "y", 12, "Alerting", "Recovering"),
        ],
        0,
    );
    assert_eq!((row.firings, row.firing, row.unended), (2, mins(2), 2));
    // One of which a later change says that it didn't fire any more.
    let row = of(
        &[
            change("a", "x", 5, "Normal", "Alerting"),
            change("a", "x", 30, "Normal", "Pending"),
            change("a", "x", 40, "Pending", "Alerting"),
            change("a", "x", 44, "Alerting", "Normal"),
        ],
        &[],
    );
    assert_eq!((row.firings, row.firing, row.unended), (2, mins(4), 1));
}

#[test]
fn what_fired_at_the_beginning_counts_from_the_first_change_that_is_kept() {
    let row = of_quiet(&[change("a", "x", 50, "Alerting", "Normal")], 20);
    assert_eq!((row.firings, row.firing, row.last), (1, mins(30), Some(at(20))));
}
