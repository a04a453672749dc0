//! Time intervals, through every door that a release has.

use alertwright::grafana::api::{Concern, Provenance};
use alertwright::grafana::model::{Found, Period, Route, TimeInterval, TimeRange};
use alertwright::grafana::{Class, model::TreeName};
use alertwright_testbed::{apply, every_release};

use crate::doors::{Door, Open};

/// A time interval that says all that one can.
fn wish(name: &str) -> TimeInterval {
    let texts = |all: &[&str]| all.iter().map(|text| (*text).to_owned()).collect();
    let time = |start: &str, end: &str| TimeRange {
        start_time: start.to_owned(),
        end_time: end.to_owned(),
    };
    let whole = Period {
        times: vec![time("00:00", "06:30"), time("22:00", "24:00")],
        weekdays: texts(&["monday:friday", "sunday"]),
        days_of_month: texts(&["1:5", "-3:-1"]),
        months: texts(&["january:march", "12"]),
        years: texts(&["2026", "2027:2030"]),
        location: Some("Europe/Berlin".to_owned()),
    };
    let days = Period {
        weekdays: texts(&["saturday"]),
        ..Period::default()
    };
    TimeInterval {
        name: name.to_owned(),
        time_intervals: vec![whole, days],
    }
}

async fn found(door: &Door, name: &str) -> Option<Found<TimeInterval>> {
    door.client.time_intervals.get(name).await.expect("an answer")
}

async fn listed(door: &Door) -> Vec<TimeInterval> {
    let all = door.client.time_intervals.list().await.expect("a list");
    let mut all: Vec<_> = all.into_iter().map(|found| found.object).collect();
    all.sort_by(|one, other| one.name.cmp(&other.name));
    all
}

#[apply(every_release)]
async fn what_one_door_stores_of_a_time_interval_the_other_finds() {
    let open = Open::of(Concern::Notifications).await;
    for (place, (from, to)) in open.each_way().enumerate() {
        for (number, name) in ["nights", "a/b c", "\"quoted\" & <angled>?", "Ünïcode ✓"]
            .into_iter()
            .enumerate()
        {
            let name = format!("{name} {place}");
            let by = [Provenance::Api, Provenance::None][number % 2];
            let put = from.client.time_intervals.put(&wish(&name), None, by).await;
            let stored = put.expect("it is stored");
            let seen = found(to, &name).await.expect("it is there");
            assert_eq!(seen.object, stored.object, "{name}");
            assert_eq!(stored.object.name, name);
            assert_eq!(
                stored.object.time_intervals[0].location.as_deref(),
                Some("Europe/Berlin")
            );
            assert!(listed(to).await.contains(&stored.object), "{name}");
            // Before, nobody knows.
            if open.server.version().since(11, 6) {
                assert_eq!(seen.provenance.as_deref(), by.name(), "{name}");
                assert_eq!(stored.provenance, seen.provenance, "{name}");
            }
            // It is known again as what it is.
            let now = found(from, &name).await;
            let put = from.client.time_intervals.put(&stored.object, now.as_ref(), by);
            assert_eq!(
                put.await.expect("it is stored again").object,
                stored.object,
                "{name}"
            );
        }
    }
    assert_eq!(found(&open.doors[0], "nobody's").await, None);
}

#[apply(every_release)]
async fn a_time_interval_is_changed_in_the_state_that_was_found() {
    let open = Open::of(Concern::Notifications).await;
    for (from, to) in open.each_way() {
        let intervals = &from.client.time_intervals;
        intervals
            .put(&wish("a"), None, Provenance::Api)
            .await
            .expect("it is stored");
        let before = found(from, "a").await.expect("it is there");
        let less = TimeInterval {
            time_intervals: wish("a").time_intervals.split_off(1),
            ..wish("a")
        };
        intervals
            .put(&less, Some(&before), Provenance::Api)
            .await
            .expect("it is changed");
        assert_eq!(found(to, "a").await.expect("it is there").object, less);
        assert_eq!(before.revision.is_some(), open.server.version().since(11, 2));
        if before.revision.is_some() {
            let late = intervals.put(&wish("a"), Some(&before), Provenance::Api).await;
            assert_eq!(late.expect_err("it is another by now").class(), Class::Conflict);
            let late = intervals.delete(&before).await;
            assert_eq!(late.expect_err("it is another by now").class(), Class::Conflict);
            assert_eq!(found(to, "a").await.expect("it stays").object, less);
        }
        let taken = intervals.put(&wish("a"), None, Provenance::Api).await;
        assert_eq!(taken.expect_err("the name is taken").class(), Class::Conflict);
        let now = found(from, "a").await.expect("it is there");
        for _ in 0..2 {
            intervals.delete(&now).await.expect("it goes, or is gone");
        }
        assert_eq!(found(to, "a").await, None);
        let gone = intervals.put(&less, Some(&now), Provenance::Api).await;
        assert_eq!(gone.expect_err("it is gone").class(), Class::Missing);
    }
}

#[apply(every_release)]
async fn a_time_interval_that_gets_another_name_is_one_as_before() {
    let open = Open::of(Concern::Notifications).await;
    for (from, to) in open.each_way() {
        let intervals = &from.client.time_intervals;
        intervals
            .put(&wish("old"), None, Provenance::Api)
            .await
            .expect("it is stored");
        let before = found(from, "old").await.expect("it is there");
        let renamed = intervals.put(&wish("new"), Some(&before), Provenance::Api).await;
        let renamed = renamed.expect("it is renamed").object;
        assert_eq!(renamed.name, "new");
        assert_eq!(listed(to).await, [renamed]);
        let now = found(from, "new").await.expect("it is there");
        intervals.delete(&now).await.expect("it goes");
    }
}

#[apply(every_release)]
async fn a_time_interval_that_a_policy_names_is_in_use() {
    let open = Open::of(Concern::Notifications).await;
    for (from, to) in open.each_way() {
        let (intervals, trees) = (&from.client.time_intervals, &to.client.trees);
        intervals
            .put(&wish("a"), None, Provenance::Api)
            .await
            .expect("it is stored");
        let own = TreeName::default();
        let tree = trees.get(&own).await.expect("an answer").expect("a tree");
        let muted = Route {
            routes: vec![Route {
                receiver: tree.object.receiver.clone(),
                object_matchers: vec![("a".to_owned(), "=".to_owned(), "b".to_owned())],
                mute_time_intervals: vec!["a".to_owned()],
                ..Route::default()
            }],
            ..tree.object
        };
        let put = trees
            .put(&own, &muted, tree.revision.as_ref(), Provenance::Api)
            .await;
        put.expect("the tree is stored");
        let now = found(from, "a").await.expect("it is there");
        let refused = intervals.delete(&now).await.expect_err("it is in use");
        assert!(refused.is_in_use(), "{refused}");
        trees.remove(&own, None).await.expect("the tree is reset");
        intervals.delete(&now).await.expect("it goes");
    }
}
