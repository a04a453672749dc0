use super::*;

const RESYNC: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

fn unavailable(part: Part) -> (Part, Failure) {
    (part, Failure::new(Reason::Unavailable, "away", Retry::Backoff))
}

/// Lets an hour pass, in which signs come twenty times a second and `fails` can't be read. Counts how often each part is read.
fn an_hour(suspected: Suspected, fails: &[Part]) -> BTreeMap<Part, u32> {
    let start = Instant::now();
    let mut schedule = Schedule::new(RESYNC, start);
    let mut counts = BTreeMap::new();
    let mut now = start;
    while now < start + HOUR {
        if suspected.everything || suspected.sources {
            schedule.suspect(suspected, now);
        }
        if schedule.next() <= now {
            let due = schedule.take(now, &BTreeSet::new());
            for part in &due.parts {
                *counts.entry(*part).or_default() += 1;
            }
            let failed = due.parts.iter().copied().filter(|part| fails.contains(part));
            let failed = failed.map(unavailable).collect();
            schedule.read(&due, &failed, now, 0.0);
        }
        now += Duration::from_millis(50);
    }
    counts
}

const NOTHING: Suspected = Suspected {
    everything: false,
    sources: false,
};

#[test]
fn everything_is_read_once_in_each_resync_but_data_sources_in_every_second_one() {
    let counts = an_hour(NOTHING, &[]);
    for (part, count) in counts {
        let times = if part == Part::DataSources { 30 } else { 60 };
        assert_eq!(count, times, "{part:?}");
    }
}

#[test]
fn what_became_of_notifications_is_read_where_data_sources_are_not() {
    let start = Instant::now();
    let mut schedule = Schedule::new(RESYNC, start);
    for round in 0..20 {
        let now = schedule.next();
        let due = schedule.take(now, &BTreeSet::new());
        let has_sources = due.parts.contains(&Part::DataSources);
        assert_eq!(due.deliveries, round % 2 == 1, "round {round}");
        assert!(has_sources != due.deliveries, "round {round}");
        schedule.read(&due, &BTreeMap::new(), now, 0.0);
    }
}

#[test]
fn a_swarm_of_failed_writes_has_everything_read_sooner_and_less_and_less_often() {
    let suspected = Suspected {
        everything: true,
        ..NOTHING
    };
    for (part, count) in an_hour(suspected, &[]) {
        let times = if part == Part::DataSources {
            30..=34
        } else {
            60..=64
        };
        assert!(times.contains(&count), "{part:?}: {count}");
    }
}

#[test]
fn a_swarm_of_rules_without_their_data_source_has_the_data_sources_alone_read_once_in_ten_seconds() {
    let suspected = Suspected {
        sources: true,
        ..NOTHING
    };
    let counts = an_hour(suspected, &[]);
    for (part, count) in counts {
        let most = if part == Part::DataSources { 360 + 60 } else { 60 };
        assert!(count <= most, "{part:?}: {count}");
    }
}

#[test]
fn a_grafana_that_wants_to_be_left_alone_is_read_when_that_is_over() {
    let now = Instant::now();
    let mut schedule = Schedule::new(RESYNC, now);
    let failed = [unavailable(Part::Silences)].into();
    let due = schedule.take(now, &BTreeSet::new());
    schedule.read(&due, &failed, now, 0.0);
    schedule.suspect(
        Suspected {
            everything: true,
            sources: true,
        },
        now,
    );
    schedule.hold_until(now + HOUR);
    assert_eq!(schedule.next(), now + HOUR);
}

#[test]
fn a_first_sign_is_followed_at_once() {
    let now = Instant::now();
    let mut schedule = Schedule::new(RESYNC, now);
    let due = schedule.take(now, &BTreeSet::new());
    schedule.read(&due, &BTreeMap::new(), now, 0.0);
    let later = now + Duration::from_secs(20);
    assert!(schedule.next() > later);
    schedule.suspect(
        Suspected {
            everything: true,
            sources: true,
        },
        later,
    );
    assert_eq!(schedule.next(), later);
    assert_eq!(
        schedule.take(later, &BTreeSet::new()).parts.len(),
        Part::ALWAYS.len()
    );
}

#[test]
fn what_somebody_asks_for_is_read_at_once_and_with_every_round_from_then_on() {
    let now = Instant::now();
    let mut schedule = Schedule::new(Duration::from_secs(60), now);
    let due = schedule.take(now, &BTreeSet::new());
    assert_eq!(due.parts, Part::ALWAYS.into());
    schedule.read(&due, &BTreeMap::new(), now, 0.0);
    let later = now + Duration::from_secs(5);
    let all: BTreeSet<Part> = Part::ALWAYS.into_iter().chain([Part::TimeIntervals]).collect();
    schedule.want(all.clone(), later);
    assert_eq!(schedule.next(), later);
    let due = schedule.take(later, &BTreeSet::new());
    assert_eq!(
        (due.parts.clone(), due.is_round()),
        ([Part::TimeIntervals].into(), false)
    );
    schedule.read(&due, &BTreeMap::new(), later, 0.0);
    schedule.want(all.clone(), later);
    let round = schedule.next();
    assert_eq!(round, now + Duration::from_secs(60));
    let but_sources: BTreeSet<Part> = all
        .into_iter()
        .filter(|part| *part != Part::DataSources)
        .collect();
    assert_eq!(schedule.take(round, &BTreeSet::new()).parts, but_sources);
}

#[test]
fn what_cannot_be_read_is_tried_by_itself_and_seldom() {
    let counts = an_hour(NOTHING, &[Part::Silences]);
    assert_eq!(counts[&Part::Rules], 60);
    assert!((120..=200).contains(&counts[&Part::Silences]), "{counts:?}");
}

#[test]
fn a_grafana_that_is_down_is_tried_every_five_seconds_whatever_is_suspected() {
    let suspected = Suspected {
        everything: true,
        sources: false,
    };
    let counts = an_hour(suspected, &Part::ALWAYS);
    assert!((710..=790).contains(&counts[&Part::Rules]), "{counts:?}");
}

#[test]
fn settings_are_read_after_they_could_not_be_read_and_seldom_where_the_version_is_hidden() {
    let now = Instant::now();
    let mut schedule = Schedule::new(RESYNC, now);
    let (mut always, mut if_hidden) = (Vec::new(), Vec::new());
    let mut at = now;
    for round in 0..12 {
        let due = schedule.take(at, &BTreeSet::new());
        always.extend(due.settings.then_some(round));
        if_hidden.extend(due.settings_if_hidden.then_some(round));
        let failed = (round == 3).then(|| unavailable(Part::Settings)).into_iter();
        schedule.read(&due, &failed.collect(), at, 0.0);
        at += RESYNC;
    }
    assert_eq!(always, [4]);
    assert_eq!(if_hidden, [0, 10], "also where something can't be read");
}

const WATCHED: [Part; 1] = [Part::Folders];

/// Lets so many rounds pass, in which all is read but what `fails`. Returns in which of them the folders were.
fn rounds_with_folders(schedule: &mut Schedule, start: Instant, rounds: u32, fails: &[Part]) -> Vec<u32> {
    let read = |round: &u32| {
        let now = start + RESYNC * *round;
        let due = schedule.take(now, &WATCHED.into());
        assert!(due.is_round(), "{round}");
        let failed = fails.iter().copied().map(unavailable).collect();
        schedule.read(&due, &failed, now, 0.0);
        due.parts.contains(&Part::Folders)
    };
    (0..rounds).filter(read).collect()
}

#[test]
fn what_is_watched_is_read_in_every_tenth_round_also_where_something_else_never_can_be() {
    for fails in [&[][..], &[Part::DataSources]] {
        let start = Instant::now();
        let mut schedule = Schedule::new(RESYNC, start);
        let read = rounds_with_folders(&mut schedule, start, 31, fails);
        assert_eq!(read, [0, 10, 20, 30], "{fails:?}");
    }
}

#[test]
fn what_is_watched_is_read_too_when_anything_may_have_changed() {
    let start = Instant::now();
    let mut schedule = Schedule::new(RESYNC, start);
    rounds_with_folders(&mut schedule, start, 3, &[]);
    let everything = Suspected {
        everything: true,
        ..NOTHING
    };
    let later = start + RESYNC * 2 + Duration::from_secs(30);
    schedule.suspect(everything, later);
    let due = schedule.take(later, &WATCHED.into());
    assert!(
        due.round == Round::Whole && due.parts.contains(&Part::Folders),
        "{due:?}"
    );
}

#[test]
fn what_is_watched_no_more_is_read_at_once_but_not_again_and_again() {
    let start = Instant::now();
    let mut schedule = Schedule::new(RESYNC, start);
    rounds_with_folders(&mut schedule, start, 2, &[]);
    let mut now = start + RESYNC + Duration::from_secs(20);
    schedule.over(Part::Folders, now);
    assert_eq!(schedule.next(), now);
    let due = schedule.take(now, &BTreeSet::new());
    assert_eq!((&due.parts, due.round), (&WATCHED.into(), Round::Not));
    schedule.read(&due, &BTreeMap::new(), now, 0.0);
    assert_eq!(
        schedule.next(),
        start + RESYNC * 2,
        "the round comes when it would"
    );
    now += Duration::from_secs(1);
    schedule.over(Part::Folders, now);
    assert_eq!(schedule.next(), start + RESYNC * 2, "and that is soon enough");
    let round = schedule.take(start + RESYNC * 2, &BTreeSet::new());
    schedule.read(&round, &BTreeMap::new(), start + RESYNC * 2, 0.0);
    assert_eq!(schedule.next(), start + RESYNC * 3, "it was read with all");
}

#[test]
fn of_watches_that_end_together_each_part_is_read_at_once() {
    let start = Instant::now();
    let mut schedule = Schedule::new(RESYNC, start);
    rounds_with_folders(&mut schedule, start, 2, &[]);
    let now = start + RESYNC + Duration::from_secs(20);
    schedule.over(Part::Folders, now);
    schedule.over(Part::Rules, now);
    let due = schedule.take(now, &BTreeSet::new());
    assert_eq!(due.parts, [Part::Folders, Part::Rules].into());
}

#[test]
fn where_nothing_can_be_read_what_is_watched_is_tried_with_all() {
    let start = Instant::now();
    let mut schedule = Schedule::new(RESYNC, start);
    rounds_with_folders(&mut schedule, start, 2, &[]);
    let now = start + RESYNC * 2;
    let due = schedule.take(now, &WATCHED.into());
    assert!(!due.parts.contains(&Part::Folders));
    schedule.read(&due, &Part::ALWAYS.map(unavailable).into(), now, 0.0);
    let due = schedule.take(schedule.next(), &WATCHED.into());
    assert_eq!((due.parts.len(), due.is_round()), (Part::ALWAYS.len(), true));
}
