//! The walk of `alertwright route`, compared with Alertmanager's own dispatcher: the same random trees and alerts, the same answers.
//!
//! The double of the testbed answers with the packages `dispatch` and `timeinterval` of Prometheus' Alertmanager, which is what Grafana builds on. Trees go
//! there as Grafana's API takes them. Where the two differ on purpose nothing is asked: Grafana reads any name of a label, as both do here, and has no
//! `labels` of a route.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use alertwright::domain::routing::clock;
use alertwright::domain::routing::walk::{Labels, Node};
use alertwright::grafana::model::{ObjectMatcher, Period, Route, TimeInterval, TimeRange, object_matcher};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use serde_json::{Value, json};

/// The double, a question a line and an answer a line.
pub(crate) struct Engine {
    child: Child,
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Engine {
    pub(crate) fn start(how: &str) -> Self {
        let path = alertwright_testbed::parts::path("grafana").expect("tests/testbed/build grafana");
        let mut child = Command::new(path)
            .arg(how)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the double");
        let questions = child.stdin.take().expect("a pipe");
        let answers = BufReader::new(child.stdout.take().expect("a pipe"));
        Self {
            child,
            questions,
            answers,
        }
    }

    pub(crate) fn ask(&mut self, question: &Value) -> Value {
        writeln!(self.questions, "{question}").expect("a question");
        let mut line = String::new();
        self.answers.read_line(&mut line).expect("an answer");
        let answer: Value = serde_json::from_str(&line).expect("JSON");
        assert_eq!(answer.get("error"), None, "{question}");
        answer
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Few names and values, so that they meet; some that must be quoted, are empty, or look like what they aren't.
fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => prop::sample::select(vec!["a", "b", "c"]).prop_map(str::to_owned),
        1 => prop::sample::select(vec!["grafana_folder", "with space", "größe", "a.b"]).prop_map(str::to_owned),
    ]
}

fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => prop::sample::select(vec!["x", "y", "xy", "xx"]).prop_map(str::to_owned),
        2 => Just(String::new()),
        2 => prop::sample::select(vec!["x|y", "é", "\"x\"", "x\ny", "X", ".", "\\d", "7", " x"]).prop_map(str::to_owned),
    ]
}

fn pattern() -> impl Strategy<Value = String> {
    let known = vec![
        "x",
        "x|y",
        "x.*",
        ".*",
        ".+",
        "",
        "(x|y)?",
        "^x$",
        "x$|y",
        "[^x]",
        "(?i)x",
        "\\d",
        "x?",
        ".",
        "é",
        "\"x\"",
        "(?s)x.y",
        "x.y",
        "\\.",
        "[[:alpha:]]+",
        "x|",
        "(?:x|y){2}",
        "\\w+",
        "\\bx\\b",
        "(?m)^x$",
    ];
    prop::sample::select(known).prop_map(str::to_owned)
}

fn matcher() -> impl Strategy<Value = ObjectMatcher> {
    prop_oneof![
        (name(), prop::sample::select(vec!["=", "!="]), value())
            .prop_map(|(label, operator, value)| object_matcher(&label, operator, &value)),
        (name(), prop::sample::select(vec!["=~", "!~"]), pattern())
            .prop_map(|(label, operator, value)| object_matcher(&label, operator, &value)),
    ]
}

fn grouping() -> impl Strategy<Value = Vec<String>> {
    prop_oneof![
        3 => Just(Vec::new()),
        1 => Just(vec!["...".to_owned()]),
        2 => prop::sample::subsequence(vec!["a".to_owned(), "b".to_owned(), "alertname".to_owned()], 1..=3),
    ]
}

fn period() -> impl Strategy<Value = Option<String>> {
    option::of(prop::sample::select(vec!["10s", "1m", "2h"]).prop_map(str::to_owned))
}

fn intervals() -> impl Strategy<Value = Vec<String>> {
    prop::sample::subsequence(vec!["nights".to_owned(), "weekends".to_owned()], 0..=2)
}

fn route() -> impl Strategy<Value = Route> {
    let receiver = option::weighted(
        0.7,
        prop::sample::select(vec!["r1", "r2", "r3"]).prop_map(str::to_owned),
    );
    let leaf = (
        (receiver, vec(matcher(), 0..3), any::<bool>(), grouping()),
        (period(), period(), period()),
        (intervals(), intervals()),
    );
    leaf.prop_map(
        |((receiver, object_matchers, r#continue, group_by), (wait, interval, repeat), (mute, active))| {
            Route {
                receiver,
                object_matchers,
                r#continue,
                group_by,
                group_wait: wait,
                group_interval: interval,
                repeat_interval: repeat,
                mute_time_intervals: mute,
                active_time_intervals: active,
                ..Route::default()
            }
        },
    )
}

fn tree() -> impl Strategy<Value = Route> {
    let nested = route().prop_recursive(4, 24, 5, |below| {
        (route(), vec(below, 0..5)).prop_map(|(route, routes)| Route { routes, ..route })
    });
    (route(), vec(nested, 0..6)).prop_map(|(root, routes)| Route {
        receiver: Some("root".to_owned()),
        object_matchers: Vec::new(),
        r#continue: false,
        mute_time_intervals: Vec::new(),
        active_time_intervals: Vec::new(),
        routes,
        ..root
    })
}

fn alerts() -> impl Strategy<Value = Vec<Labels>> {
    vec(btree_map(name(), value(), 0..4), 1..6)
}

/// What we say of each alert, in the words of the double.
fn ours(tree: &Route, alerts: &[Labels]) -> Result<Value, String> {
    let root = Node::of(tree)?;
    let told = |labels: &Labels| -> Result<Value, String> {
        let step = root.walk(labels).map_err(|untold| untold.to_string())?;
        let taken = step.taken();
        let told = taken.iter().filter_map(|way| way.last()).map(|(_, step)| {
            let (has, route) = (&step.node.has, step.node.route);
            let mut group_by = has.group_by.to_vec();
            group_by.sort();
            json!({
                "receiver": has.receiver, "group_by": group_by, "group_wait": has.group_wait, "group_interval": has.group_interval,
                "repeat_interval": has.repeat_interval, "mute": route.mute_time_intervals, "active": route.active_time_intervals,
            })
        });
        Ok(told.collect())
    };
    alerts.iter().map(told).collect()
}

#[test]
fn every_alert_goes_where_alertmanager_sends_it() {
    let engine = RefCell::new(Engine::start("-routes"));
    let seen = RefCell::new(BTreeMap::<usize, usize>::new());
    let mut runner = TestRunner::new(Config {
        cases: 3000,
        failure_persistence: None,
        ..Config::default()
    });
    let result = runner.run(&(tree(), alerts()), |(tree, alerts)| {
        let answer = engine.borrow_mut().ask(&json!({"tree": tree, "alerts": alerts}));
        let ours = ours(&tree, &alerts).map_err(TestCaseError::fail)?;
        for told in ours.as_array().into_iter().flatten() {
            let count = told.as_array().map_or(0, Vec::len);
            *seen.borrow_mut().entry(count).or_default() += 1;
        }
        prop_assert_eq!(&ours, &answer["told"], "ours, and Alertmanager's");
        Ok(())
    });
    if let Err(proptest::test_runner::TestError::Fail(reason, (tree, alerts))) = &result {
        let tree = serde_json::to_string_pretty(tree).unwrap();
        panic!("{reason}\nof the alerts {alerts:?}\nin the tree {tree}");
    }
    result.unwrap();
    // Trees of which nothing comes, or always the same, prove little.
    let seen = seen.into_inner();
    assert!(
        [1, 2, 3]
            .iter()
            .all(|count| seen.get(count).is_some_and(|times| *times > 500)),
        "{seen:?}"
    );
}

fn span(most: i64) -> impl Strategy<Value = String> {
    (1..=most, 1..=most, any::<bool>()).prop_map(|(one, other, is_one)| {
        if is_one {
            one.to_string()
        } else {
            format!("{}:{}", one.min(other), one.max(other))
        }
    })
}

/// Days of the month, some of them counted from its end. Alertmanager refuses those that go backwards in every month.
fn days() -> impl Strategy<Value = String> {
    prop_oneof![
        span(31),
        (1..=31_i64, 1..=31_i64).prop_map(|(one, other)| format!("-{}:-{}", one.max(other), one.min(other))),
        (1..=15_i64, 1..=10_i64).prop_map(|(begin, end)| format!("{begin}:-{end}")),
    ]
}

fn weekdays() -> impl Strategy<Value = String> {
    const DAYS: [&str; 7] = [
        "sunday",
        "Monday",
        "tuesday",
        "wednesday",
        "thursday",
        "friday",
        "saturday",
    ];
    (0..7_usize, 0..7_usize, any::<bool>()).prop_map(|(one, other, is_one)| {
        if is_one {
            DAYS[one].to_owned()
        } else {
            format!("{}:{}", DAYS[one.min(other)], DAYS[one.max(other)])
        }
    })
}

/// Of half hours, and so are many of the moments: what counts is the very minute at which one begins or ends.
fn times() -> impl Strategy<Value = TimeRange> {
    (0..48_u32, 1..=8_u32).prop_map(|(begin, length)| {
        let text = |half: u32| format!("{:02}:{:02}", half / 2, half % 2 * 30);
        TimeRange {
            start_time: text(begin),
            end_time: text((begin + length).min(48)),
        }
    })
}

fn stretch() -> impl Strategy<Value = Period> {
    let zones = vec![
        "UTC",
        "Europe/Berlin",
        "America/New_York",
        "Asia/Kolkata",
        "Pacific/Auckland",
    ];
    (
        (vec(times(), 0..3), vec(weekdays(), 0..3), vec(days(), 0..3)),
        (
            vec(span(12), 0..2),
            vec((2025..2028_i64).prop_map(|year| year.to_string()), 0..2),
        ),
        option::of(prop::sample::select(zones).prop_map(str::to_owned)),
    )
        .prop_map(
            |((times, weekdays, days_of_month), (months, years), location)| Period {
                times,
                weekdays,
                days_of_month,
                months,
                years,
                location,
            },
        )
}

/// Times near the ends of days and months, and near changes of clocks, and any others.
fn moments() -> impl Strategy<Value = Vec<Timestamp>> {
    let near = vec![
        "2026-03-29T01:00:00Z",
        "2026-10-25T01:00:00Z",
        "2026-02-28T23:00:00Z",
        "2027-12-31T23:30:00Z",
        "2026-11-01T06:00:00Z",
    ];
    let near = (prop::sample::select(near), -7200..7200_i64)
        .prop_map(|(text, off)| text.parse::<Timestamp>().unwrap().as_second() + off);
    let any = (1_735_689_600..1_830_297_600_i64, any::<bool>())
        .prop_map(|(second, is_exact)| if is_exact { second / 1800 * 1800 } else { second });
    vec(prop_oneof![near, any], 1..12).prop_map(|all| {
        all.into_iter()
            .map(|second| Timestamp::from_second(second).unwrap())
            .collect()
    })
}

/// A time zone, as the operating system has it.
fn zone(name: &str) -> Option<TimeZone> {
    TimeZone::tzif(name, &std::fs::read(format!("/usr/share/zoneinfo/{name}")).ok()?).ok()
}

#[test]
fn it_is_the_time_when_alertmanager_says_so() {
    let engine = RefCell::new(Engine::start("-routes"));
    let seen = RefCell::new((0, 0));
    let mut runner = TestRunner::new(Config {
        cases: 2000,
        failure_persistence: None,
        ..Config::default()
    });
    let result = runner.run(&(vec(stretch(), 1..3), moments()), |(periods, moments)| {
        let interval = TimeInterval {
            name: "any".to_owned(),
            time_intervals: periods,
        };
        let answer = engine
            .borrow_mut()
            .ask(&json!({"intervals": {"any": interval.time_intervals}, "times": moments}));
        for (at, expected) in moments.iter().zip(answer["times"]["any"].as_array().unwrap()) {
            let is_time = clock::is_time(&interval, *at, &zone);
            prop_assert_eq!(is_time, expected.as_bool(), "at {}", at);
            let mut seen = seen.borrow_mut();
            if is_time == Some(true) {
                seen.0 += 1;
            } else {
                seen.1 += 1;
            }
        }
        Ok(())
    });
    result.unwrap();
    let (is, is_not) = seen.into_inner();
    assert!(is > 500 && is_not > 500, "{is} {is_not}");
}
