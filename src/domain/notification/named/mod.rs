//! Time intervals, templates and inhibition rules: what has a name in Grafana and no place for a mark. Whose one is, is remembered.

pub mod inhibition;
pub mod text;

use crate::api::notification::time_interval::{Period, TimeIntervalSpec};
use crate::domain::changed::drift::DELETED;
use crate::domain::tenancy::Adoption;
use crate::grafana::digest::{TimeIntervalDigest, said};
use crate::grafana::model;

/// How much of a text is quoted, in characters.
const QUOTED: usize = 60;

/// Whose an object is that Grafana holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Holder {
    /// There is none.
    Nobody,
    /// The resource's that asks.
    Us,
    /// Somebody else's, with the mark of the resource of ours that has made it, if one has.
    Other(Option<String>),
}

/// What to do with an object of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// It is as it should be, and ours.
    Keep,
    /// It is as it should be, and is ours from now on.
    Claim,
    /// It is to be made.
    Create,
    /// It is ours, and isn't as it should be.
    Correct,
    /// It is somebody else's and goes over to us.
    TakeOver,
    /// Somebody else made it.
    NotOwned,
}

/// What follows from whose an object is. `is_same` says whether it is what is wished: then it is taken over without being asked for, unless that is
/// forbidden. What another resource of ours has made never is: two that take it from each other would never come to rest.
pub fn decide(holder: &Holder, is_same: bool, adoption: Adoption) -> Decision {
    match holder {
        Holder::Nobody => Decision::Create,
        Holder::Us if is_same => Decision::Keep,
        Holder::Us => Decision::Correct,
        Holder::Other(None) if is_same && adoption != Adoption::Forbidden => Decision::Claim,
        Holder::Other(None) if adoption == Adoption::Asked => Decision::TakeOver,
        Holder::Other(_) => Decision::NotOwned,
    }
}

/// The time interval that Grafana should hold under a name.
pub fn time_interval(spec: &TimeIntervalSpec, name: &str) -> model::TimeInterval {
    model::TimeInterval {
        name: name.to_owned(),
        time_intervals: spec.time_intervals.iter().map(period).collect(),
    }
}

fn period(period: &Period) -> model::Period {
    let times = period.times.iter().map(|time| model::TimeRange {
        start_time: time.start_time.clone(),
        end_time: time.end_time.clone(),
    });
    model::Period {
        times: times.collect(),
        weekdays: period.weekdays.iter().map(|days| days.0.clone()).collect(),
        days_of_month: period.days_of_month.iter().map(|days| days.0.clone()).collect(),
        months: period.months.iter().map(|months| months.0.clone()).collect(),
        years: period.years.iter().map(|years| years.0.clone()).collect(),
        location: period.location.clone(),
    }
}

/// Whether it is the time for both at the same times.
pub fn is_same_time(one: &model::TimeInterval, other: &model::TimeInterval) -> bool {
    TimeIntervalDigest::of(one) == TimeIntervalDigest::of(other)
}

/// The fields that somebody has changed of a time interval, as the specification calls them: `timeIntervals[0].weekdays`. Neither order nor
/// number matters: a period that is there somewhere is there, and of the others the first stands for the first.
pub fn changed_times(found: &model::TimeInterval, wish: &model::TimeInterval) -> Vec<String> {
    let are_in = |all: &model::TimeInterval, one: &model::Period| {
        all.time_intervals.iter().any(|other| said(other) == said(one))
    };
    let wished = wish.time_intervals.iter().enumerate();
    let missing: Vec<_> = wished.filter(|(_, period)| !are_in(found, period)).collect();
    let mut others = found.time_intervals.iter().filter(|period| !are_in(wish, period));
    let mut changed = Vec::new();
    for (i, period) in missing {
        match others.next() {
            Some(other) => {
                let fields = FIELDS
                    .iter()
                    .filter(|(_, of)| said(&of(period)) != said(&of(other)));
                changed.extend(fields.map(|(name, _)| format!("timeIntervals[{i}].{name}")));
            }
            None => changed.push(format!("timeIntervals[{i}]: {DELETED}")),
        }
    }
    changed.extend(others.map(|_| "timeIntervals: added".to_owned()));
    changed
}

/// A period that says of another one field alone.
type Only = fn(&model::Period) -> model::Period;

/// The fields of a period.
const FIELDS: [(&str, Only); 6] = [
    ("times", |period| model::Period {
        times: period.times.clone(),
        ..model::Period::default()
    }),
    ("weekdays", |period| model::Period {
        weekdays: period.weekdays.clone(),
        ..model::Period::default()
    }),
    ("daysOfMonth", |period| model::Period {
        days_of_month: period.days_of_month.clone(),
        ..model::Period::default()
    }),
    ("months", |period| model::Period {
        months: period.months.clone(),
        ..model::Period::default()
    }),
    ("years", |period| model::Period {
        years: period.years.clone(),
        ..model::Period::default()
    }),
    ("location", |period| model::Period {
        location: period.location.clone(),
        ..model::Period::default()
    }),
];

/// What two time intervals say, where they differ: first what Grafana has.
pub fn other_times(found: &model::TimeInterval, wish: &model::TimeInterval) -> String {
    let all = |interval: &model::TimeInterval| {
        let said: Vec<String> = interval.time_intervals.iter().map(|p| quoted(&said(p))).collect();
        if said.is_empty() {
            "at no time".to_owned()
        } else {
            said.join(" or ")
        }
    };
    format!("it is {} there, and {} here", all(found), all(wish))
}

fn quoted(text: &str) -> String {
    if text.chars().count() <= QUOTED {
        return text.to_owned();
    }
    text.chars().take(QUOTED).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{from_value, json};

    use super::*;

    #[test]
    fn what_is_equal_becomes_ours_where_it_may_and_what_differs_only_where_it_is_asked_for() {
        use Adoption::{Asked, Equal, Forbidden};
        let other = Holder::Other(None);
        let sibling = Holder::Other(Some("own/ns/name".to_owned()));
        for (holder, is_same, adoption, decision) in [
            (&Holder::Nobody, false, Forbidden, Decision::Create),
            (&Holder::Us, true, Forbidden, Decision::Keep),
            (&Holder::Us, false, Forbidden, Decision::Correct),
            (&other, true, Forbidden, Decision::NotOwned),
            (&other, true, Equal, Decision::Claim),
            (&other, true, Asked, Decision::Claim),
            (&other, false, Asked, Decision::TakeOver),
            (&other, false, Equal, Decision::NotOwned),
            (&sibling, true, Asked, Decision::NotOwned),
            (&sibling, false, Asked, Decision::NotOwned),
        ] {
            assert_eq!(
                decide(holder, is_same, adoption),
                decision,
                "{holder:?} {is_same} {adoption:?}"
            );
        }
    }

    #[test]
    fn a_time_interval_says_in_grafana_what_it_says_here() {
        let spec: TimeIntervalSpec = from_value(json!({"timeIntervals": [{
            "times": [{"startTime": "22:00", "endTime": "24:00"}], "weekdays": ["monday:friday"], "daysOfMonth": ["-3:-1"],
            "months": ["december"], "years": ["2026:2030"], "location": "Europe/Berlin",
        }, {"weekdays": ["sunday"]}]}))
        .unwrap();
        let sent = serde_json::to_value(time_interval(&spec, "nights")).unwrap();
        let wished = json!({"name": "nights", "time_intervals": [{
            "times": [{"start_time": "22:00", "end_time": "24:00"}], "weekdays": ["monday:friday"], "days_of_month": ["-3:-1"],
            "months": ["december"], "years": ["2026:2030"], "location": "Europe/Berlin",
        }, {"weekdays": ["sunday"]}]});
        assert_eq!(sent, wished);
    }

    #[test]
    fn a_difference_is_told_in_both_words() {
        let interval = |periods| -> model::TimeInterval {
            from_value(json!({"name": "n", "time_intervals": periods})).unwrap()
        };
        let found = interval(json!([{"weekdays": ["saturday"]}, {"months": ["may"]}]));
        assert_eq!(
            other_times(&found, &interval(json!([]))),
            "it is weekdays saturday or months 5 there, and at no time here"
        );
    }

    #[test]
    fn what_somebody_has_changed_is_named_by_field_whatever_the_order_and_the_words() {
        let interval = |periods| -> model::TimeInterval {
            from_value(json!({"name": "n", "time_intervals": periods})).unwrap()
        };
        let all = json!({
            "times": [{"start_time": "22:00", "end_time": "24:00"}], "weekdays": ["monday:friday"], "days_of_month": ["1:5"],
            "months": ["january"], "years": ["2026"], "location": "Europe/Berlin",
        });
        let wish = interval(json!([all, {"weekdays": ["sunday"]}]));
        let changed = |periods| changed_times(&interval(periods), &wish);
        for (field, value, name) in [
            ("times", json!([]), "times"),
            ("weekdays", json!(["monday"]), "weekdays"),
            ("days_of_month", json!(["1:6"]), "daysOfMonth"),
            ("months", json!(["2"]), "months"),
            ("years", json!(["2027"]), "years"),
            ("location", json!(null), "location"),
        ] {
            let mut other = all.clone();
            other[field] = value;
            let field = format!("timeIntervals[0].{name}");
            assert_eq!(
                changed(json!([{"weekdays": ["Sunday"]}, other])),
                [field.as_str()]
            );
        }
        assert_eq!(
            changed(json!([{"weekdays": ["sunday"]}])),
            ["timeIntervals[0]: deleted"]
        );
        assert_eq!(
            changed(json!([{"weekdays": ["saturday"], "months": ["1"]}, {"years": ["2030"]}, all])),
            [
                "timeIntervals[1].weekdays",
                "timeIntervals[1].months",
                "timeIntervals: added"
            ]
        );
    }

    fn any_periods() -> impl Strategy<Value = Vec<model::Period>> {
        let any = |texts: &'static [&'static str]| {
            let text = prop::sample::select(texts).prop_map(str::to_owned);
            prop::collection::vec(text, 0..3)
        };
        let period = (
            any(&["sunday", "Sunday:sunday", "monday:friday"]),
            any(&["1", "january", "2:3"]),
            any(&["1:5", "01:5", "-3:-1"]),
            prop::option::of(prop::sample::select(&["UTC", "Europe/Berlin"][..])),
        );
        let period = period.prop_map(|(weekdays, months, days_of_month, location)| model::Period {
            weekdays,
            months,
            days_of_month,
            location: location.map(str::to_owned),
            ..model::Period::default()
        });
        prop::collection::vec(period, 0..4)
    }

    proptest! {
        #[test]
        fn something_is_named_as_changed_just_where_it_is_another_time(one in any_periods(), other in any_periods()) {
            let interval = |time_intervals| model::TimeInterval { name: "n".to_owned(), time_intervals };
            let (wish, found) = (interval(one), interval(other));
            prop_assert_eq!(changed_times(&found, &wish).is_empty(), is_same_time(&found, &wish));
            prop_assert!(changed_times(&wish, &wish).is_empty());
        }

        #[test]
        fn what_is_decided_of_an_object_and_carried_out_is_kept(
            holder in prop::sample::select(vec![Holder::Nobody, Holder::Us, Holder::Other(None), Holder::Other(Some("own/ns/name".to_owned()))]),
            is_same in any::<bool>(),
            adoption in prop::sample::select(vec![Adoption::Asked, Adoption::Equal, Adoption::Forbidden]),
        ) {
            match decide(&holder, is_same, adoption) {
                // Nothing is touched, now or later.
                Decision::NotOwned => prop_assert!(matches!(holder, Holder::Other(_))),
                Decision::Keep | Decision::Claim => {
                    prop_assert!(is_same);
                    prop_assert_eq!(decide(&Holder::Us, is_same, adoption), Decision::Keep);
                }
                Decision::Create | Decision::Correct | Decision::TakeOver => {
                    prop_assert_eq!(decide(&Holder::Us, true, adoption), Decision::Keep);
                }
            }
        }
    }
}
