//! Time intervals, templates and inhibition rules: what has a name in Grafana and no place for a mark. Whose one is, is remembered.

pub mod inhibition;

use crate::api::notification::time_interval::{Period, TimeIntervalSpec};
use crate::domain::changed::drift::DELETED;
use crate::domain::refusal::Refusal;
use crate::domain::rule::template::check;
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

/// What follows from whose an object is. `is_same` says whether it is what is wished: then it is taken over without being asked for. What another
/// resource of ours has made never is: two that take it from each other would never come to rest.
pub fn decide(holder: &Holder, is_same: bool, adopt: bool) -> Decision {
    match holder {
        Holder::Nobody => Decision::Create,
        Holder::Us if is_same => Decision::Keep,
        Holder::Us => Decision::Correct,
        Holder::Other(None) if is_same => Decision::Claim,
        Holder::Other(None) if adopt => Decision::TakeOver,
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

/// The template group that Grafana should hold under a name. A text that defines nothing becomes one template of that name: the older API does that by
/// itself (`Validate` of its notification templates, 10.0 to 13.3), the newer one doesn't, so it is done here for both.
///
/// Fails where the text isn't closed somewhere, at `field`: the newer API says of a text that doesn't parse no more than that it doesn't. What is wrong
/// beyond that, such as a function that there isn't, depends on the version, and is Grafana's to say.
pub fn template(text: &str, name: &str, field: &str) -> Result<model::Template, Refusal> {
    check(text).map_err(|error| Refusal::invalid(field, error))?;
    let text = text.trim();
    let content = if defines(text) {
        text.to_owned()
    } else {
        format!(
            "{{{{ define \"{name}\" }}}}\n  {}\n{{{{ end }}}}",
            text.replace('\n', "\n  ")
        )
    };
    Ok(model::Template {
        name: name.to_owned(),
        content,
    })
}

fn defines(text: &str) -> bool {
    text.split("{{").skip(1).any(|action| {
        let action = action.strip_prefix('-').unwrap_or(action).trim_start();
        action
            .strip_prefix("define")
            .is_some_and(|rest| rest.starts_with([' ', '\t', '\r', '\n', '"', '`']))
    })
}

/// Whether two template groups have the same text. Grafana leaves out white space at both ends.
pub fn is_same_text(one: &model::Template, other: &model::Template) -> bool {
    one.content.trim() == other.content.trim()
}

/// Where somebody has changed the text of a template group: its first line that is another one.
pub fn changed_text(found: &model::Template, wish: &model::Template) -> Vec<String> {
    let same = same_lines(found.content.trim(), wish.content.trim());
    vec![format!("template: line {}", same + 1)]
}

/// How many lines two texts have in common before they differ.
fn same_lines(one: &str, other: &str) -> usize {
    let lines = one.lines().zip(other.lines());
    lines.take_while(|(a, b)| a == b).count()
}

/// The first line in which two template groups differ: first what Grafana has.
pub fn other_text(found: &model::Template, wish: &model::Template) -> String {
    let (found, wish) = (found.content.trim(), wish.content.trim());
    let same = same_lines(found, wish);
    let line = |text: &str| {
        text.lines()
            .nth(same)
            .map_or_else(|| "nothing".to_owned(), |line| format!("{:?}", quoted(line)))
    };
    format!(
        "in line {} it has {} there, and {} here",
        same + 1,
        line(found),
        line(wish)
    )
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
    use crate::api::condition::Reason;

    #[test]
    fn what_is_equal_becomes_ours_and_what_differs_only_where_it_is_asked_for() {
        let other = Holder::Other(None);
        let sibling = Holder::Other(Some("own/ns/name".to_owned()));
        for (holder, is_same, adopt, decision) in [
            (&Holder::Nobody, false, false, Decision::Create),
            (&Holder::Us, true, false, Decision::Keep),
            (&Holder::Us, false, false, Decision::Correct),
            (&other, true, false, Decision::Claim),
            (&other, true, true, Decision::Claim),
            (&other, false, true, Decision::TakeOver),
            (&other, false, false, Decision::NotOwned),
            (&sibling, true, true, Decision::NotOwned),
            (&sibling, false, true, Decision::NotOwned),
        ] {
            assert_eq!(
                decide(holder, is_same, adopt),
                decision,
                "{holder:?} {is_same} {adopt}"
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
        let text = |content: &str| model::Template {
            name: "t".to_owned(),
            content: content.to_owned(),
        };
        assert_eq!(
            other_text(&text("a\nb"), &text("a\nc\nd")),
            r#"in line 2 it has "b" there, and "c" here"#
        );
        assert_eq!(
            other_text(&text("a"), &text("a\nc")),
            r#"in line 2 it has nothing there, and "c" here"#
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

    #[test]
    fn a_text_that_defines_nothing_is_one_template_of_the_groups_name() {
        let content = |text| template(text, "mine", "spec.template").unwrap().content;
        assert_eq!(content(" a\nb \n"), "{{ define \"mine\" }}\n  a\n  b\n{{ end }}");
        for text in [
            "{{ define \"a\" }}{{ end }}",
            "{{define `a`}}x{{end}}",
            "x {{- define \"a\" -}}{{ end }}",
        ] {
            assert_eq!(content(text), text);
        }
        assert_ne!(content("{{ definer }}"), "{{ definer }}");
    }

    #[test]
    fn a_text_that_is_not_closed_is_refused_with_its_line_and_column() {
        for (text, place) in [
            ("{{ define \"a\" }}\n  {{ if .Alerts }}", "line 2, column 3"),
            ("a\n\n{{ end }}", "line 3, column 1"),
            ("a {{ .X }", "line 1, column 3"),
            ("{{ \"a }}", "line 1, column 4"),
            ("a\n {{ if }}{{ end }}", "line 2, column 2"),
            ("{{ with .X }}{{ else with }}{{ end }}", "line 1, column 14"),
        ] {
            let refusal = template(text, "mine", "spec.template").unwrap_err();
            assert_eq!(refusal.reason, Reason::Invalid);
            assert!(
                refusal.message.starts_with("spec.template: ") && refusal.message.contains(place),
                "{}",
                refusal.message
            );
        }
    }

    /// A text that may be a template, of the parts that tell one from another.
    const TEXT: &str = "(\\{\\{-? ?|define|block|template|end|if |with |range |else|\"a\"|`|/\\*|\\*/| ?-?\\}\\}|ü|\n| ){0,16}|(?s).{0,20}";

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
        fn whatever_a_template_says_what_is_stored_of_it_is_what_it_says_from_then_on(text in TEXT) {
            if let Ok(first) = template(&text, "mine", "spec.template") {
                let again = template(&first.content, "mine", "spec.template");
                prop_assert_eq!(again.ok(), Some(first));
            }
        }

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
            is_same in any::<bool>(), adopt in any::<bool>(),
        ) {
            match decide(&holder, is_same, adopt) {
                // Nothing is touched, now or later.
                Decision::NotOwned => prop_assert!(matches!(holder, Holder::Other(_))),
                Decision::Keep | Decision::Claim => {
                    prop_assert!(is_same);
                    prop_assert_eq!(decide(&Holder::Us, is_same, adopt), Decision::Keep);
                }
                Decision::Create | Decision::Correct | Decision::TakeOver => {
                    prop_assert_eq!(decide(&Holder::Us, true, adopt), Decision::Keep);
                }
            }
        }
    }
}
