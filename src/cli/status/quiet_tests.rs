//! What is told of Silences and of the alerts that Grafana has while a query returns nothing or fails.
#![allow(clippy::needless_pass_by_value, reason = "tests read better so")]

use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::super::common::exit::Exit;
use super::super::common::terminal::Look;
use super::Status;
use super::routes::{told, ways};
use super::screen::{Screen, Shown};
use super::text::{self, Clock, Manner, Parts};
use crate::domain::lint::object::Object;

fn object(kind: &str, name: &str, spec: Value, status: Value) -> Object {
    let value = json!({
        "apiVersion": "alerting.letsrevel.io/v1alpha1", "kind": kind, "spec": spec, "status": status,
        "metadata": {"namespace": "revel", "name": name, "generation": 2},
    });
    Object::new(value, "")
}

fn ready(reason: &str, is_ready: bool) -> Value {
    let status = if is_ready { "True" } else { "False" };
    json!([{"type": "Ready", "status": status, "reason": reason, "message": "m", "observedGeneration": 2, "lastTransitionTime": "2026-11-27T19:00:00Z"}])
}

fn rule(name: &str, more: Value, state: &str) -> Object {
    let mut spec = json!({"query": "up > 5"});
    spec.as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    object(
        "AlertRule",
        name,
        spec,
        json!({"conditions": ready("Synced", true), "state": state}),
    )
}

fn silence(name: &str, more: Value, status: Value) -> Object {
    let mut spec = json!({"startsAt": "2026-11-27T20:00:00Z", "endsAt": "2026-11-27T23:00:00Z"});
    spec.as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    object("Silence", name, spec, status)
}

fn active() -> Value {
    json!({"conditions": ready("Synced", true), "state": "Active", "endsAt": "2026-11-27T23:00:00Z"})
}

fn screen(all: &[Object]) -> Screen {
    let now = "2026-11-27T21:00:00Z".parse().unwrap();
    Screen::new(all, &Shown::default(), now, &|_| None).unwrap()
}

fn tree() -> [Object; 3] {
    let hook = json!({"integrations": [{"webhook": {"url": {"value": "http://hook"}}}]});
    let synced = || json!({"conditions": ready("Synced", true)});
    let tree = json!({"receiver": "email", "routes": [{"matchers": ["alertname=~\"Datasource.*\""], "receiver": "pager"}]});
    [
        object("ContactPoint", "email", hook.clone(), synced()),
        object("ContactPoint", "pager", hook, synced()),
        object("NotificationPolicy", "tree", tree, synced()),
    ]
}

#[test]
fn a_silence_is_told_though_nobody_knows_who_would_be_told() {
    let all = [
        rule("r", json!({}), "Firing"),
        silence("s", json!({"alertRules": {"names": ["r"]}}), active()),
    ];
    let firing = &screen(&all).firing[0];
    assert_eq!(firing.to, None);
    assert_eq!(firing.silenced[0].silence, "revel/s");
}

#[test]
fn a_silence_on_a_label_of_the_query_is_told_as_one_that_may_cover_it() {
    let [email, pager, tree] = tree();
    let all = [
        rule("r", json!({"severity": "high"}), "Firing"),
        silence("lv", json!({"matchers": ["level=\"error\""]}), active()),
        silence(
            "other",
            json!({"matchers": ["severity=low", "level=error"]}),
            active(),
        ),
        email,
        pager,
        tree,
    ];
    let firing = &screen(&all).firing[0];
    assert!(firing.silenced.is_empty() && !firing.is_quiet());
    let perhaps = &firing.perhaps_silenced;
    let perhaps: Vec<_> = perhaps
        .iter()
        .map(|one| (one.silence.as_str(), one.on.as_str()))
        .collect();
    assert_eq!(perhaps, [("revel/lv", "level=\"error\"")]);
}

#[test]
fn a_silence_in_whose_place_is_somebody_elses_may_cover_it() {
    let theirs = json!({"conditions": ready("NotOwned", false)});
    let invalid = json!({"conditions": ready("Invalid", false)});
    let names = || json!({"alertRules": {"names": ["r"]}});
    let all = [
        rule("r", json!({}), "Firing"),
        silence("theirs", names(), theirs),
        silence("wrong", names(), invalid),
    ];
    let perhaps = &screen(&all).firing[0].perhaps_silenced;
    assert_eq!(perhaps.len(), 1);
    assert_eq!(perhaps[0].silence, "revel/theirs");
    assert!(perhaps[0].on.contains("somebody else's"));
}

#[test]
fn what_cannot_be_evaluated_is_told_with_who_is_told_of_the_alert_that_grafana_has_for_it() {
    let [email, pager, tree] = tree();
    let all = [
        rule("loud", json!({"noDataState": "NoData"}), "NoData"),
        rule("calm", json!({}), "NoData"),
        rule("failing", json!({}), "Error"),
        rule("ignored", json!({"execErrState": "OK"}), "Error"),
        email,
        pager,
        tree,
    ];
    let screen = screen(&all);
    let told_of = |name: &str| {
        let path = format!("revel/{name}");
        let found = screen.in_error.iter().find(|failing| failing.rule == path);
        found.unwrap().to.clone()
    };
    let pager = Some(vec!["pager".to_owned()]);
    assert_eq!((told_of("loud"), told_of("failing")), (pager.clone(), pager));
    assert_eq!((told_of("calm"), told_of("ignored")), (None, None));
}

#[test]
fn the_alert_of_a_query_that_returns_nothing_has_the_title_of_its_rule_as_another_label() {
    let [email, pager, tree] = tree();
    let all = [
        rule(
            "r",
            json!({"noDataState": "NoData", "title": "R", "labels": {"team": "a"}}),
            "NoData",
        ),
        email,
        pager,
        tree,
    ];
    let now = "2026-11-27T21:00:00Z".parse().unwrap();
    let way = ways(&all, "default", &[&all[0]], now, &|_| None)
        .unwrap()
        .remove(0);
    let answer = way.answer.unwrap();
    assert_eq!(told(&answer), ["pager"]);
    for (label, value) in [
        ("alertname", "DatasourceNoData"),
        ("rulename", "R"),
        ("ref_id", "A"),
        ("team", "a"),
    ] {
        assert_eq!(answer.labels.get(label).map(String::as_str), Some(value));
    }
}

#[test]
fn where_what_fires_is_shown_alone_it_is_said_too_that_grafana_is_not_asked() {
    let said = |state: &str, around: bool| {
        let screen = screen(&[rule("r", json!({}), state)]);
        let parts = Parts {
            firing: true,
            not_ready: false,
            around,
        };
        let clock = Clock {
            now: "2026-11-27T21:00:00Z".parse().unwrap(),
            place: &TimeZone::UTC,
        };
        let manner = Manner {
            has_titles: true,
            is_partial: false,
            look: Look::default(),
        };
        text::all(&screen, parts, &clock, manner)
    };
    let note = "Silences made in Grafana aren't looked at.\n";
    assert!(said("Firing", false).ends_with(note));
    assert!(!said("Normal", false).contains("Silences") && !said("Firing", true).contains(note));
}

#[test]
fn a_rule_in_error_is_not_well_where_that_is_asked_for() {
    #[derive(clap::Parser)]
    struct Line {
        #[command(flatten)]
        status: Status,
    }
    let exit = |words: &[&str], state: &str| {
        let line = <Line as clap::Parser>::try_parse_from([&["x"], words].concat());
        let status = line.unwrap_or_else(|error| panic!("{error}")).status;
        status.exit(&screen(&[rule("r", json!({}), state)]), false)
    };
    let asked = ["--not-ready", "--exit-code"];
    assert_eq!(exit(&asked, "Error"), Exit::No);
    assert_eq!(exit(&asked, "NoData"), Exit::No);
    assert_eq!(exit(&asked, "Normal"), Exit::Done);
    assert_eq!(exit(&["--exit-code"], "Error"), Exit::Done);
}

#[test]
fn an_operator_that_may_not_be_looked_at_is_not_told_to_be_missing() {
    let said = |is_blind: bool| {
        let shown = Shown {
            is_blind,
            ..Shown::default()
        };
        let now = "2026-11-27T21:00:00Z".parse().unwrap();
        let screen = Screen::new(&[], &shown, now, &|_| None).unwrap();
        text::all(
            &screen,
            Parts {
                firing: false,
                not_ready: false,
                around: true,
            },
            &Clock {
                now,
                place: &TimeZone::UTC,
            },
            Manner {
                has_titles: true,
                is_partial: false,
                look: Look::default(),
            },
        )
    };
    assert!(said(true).contains("OPERATOR  not known, for its Deployment can't be read"));
    assert!(said(false).contains("OPERATOR  no Deployment of it is seen"));
}
