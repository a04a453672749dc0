//! What is on the screen, of resources as an API server gives them and at a moment of one's own.
#![allow(clippy::needless_pass_by_value, reason = "tests read better so")]

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::super::common::terminal::Look;
use super::super::diff::asked;
use super::screen::{Screen, Shown};
use super::text::{self, Clock, Manner, Parts};
use crate::domain::lint::object::Object;

const NOW: &str = "2026-11-27T21:00:00Z";

fn now() -> Timestamp {
    NOW.parse().unwrap()
}

/// A resource that has been in a cluster for a day.
fn object(kind: &str, path: &str, spec: Value, status: Value) -> Object {
    let (namespace, name) = path.split_once('/').unwrap();
    let value = json!({
        "apiVersion": "alerting.letsrevel.io/v1alpha1", "kind": kind, "spec": spec, "status": status,
        "metadata": {"namespace": namespace, "name": name, "generation": 2, "creationTimestamp": "2026-11-26T21:00:00Z"},
    });
    Object::new(value, "")
}

fn ready(reason: &str, is_ready: bool, message: &str) -> Value {
    let status = if is_ready { "True" } else { "False" };
    json!([{"type": "Ready", "status": status, "reason": reason, "message": message, "observedGeneration": 2, "lastTransitionTime": "2026-11-27T19:00:00Z"}])
}

fn rule(path: &str, more: Value, state: &str, since: &str) -> Object {
    let mut spec = json!({"query": "up > 5"});
    spec.as_object_mut()
        .unwrap()
        .extend(more.as_object().cloned().unwrap());
    let status = json!({"conditions": ready("Synced", true, "stored"), "state": state, "stateSince": since});
    object("AlertRule", path, spec, status)
}

fn silence(path: &str, spec: Value, state: &str, end: &str) -> Object {
    let status = json!({"conditions": ready("Synced", true, "stored"), "state": state, "endsAt": end});
    object("Silence", path, spec, status)
}

fn synced(kind: &str, path: &str, spec: Value) -> Object {
    object(
        kind,
        path,
        spec,
        json!({"conditions": ready("Synced", true, "stored")}),
    )
}

fn hook() -> Value {
    json!({"integrations": [{"webhook": {"url": {"value": "http://hook"}}}]})
}

/// A cluster in which something of everything is the case.
fn cluster() -> Vec<Object> {
    let tree = json!({
        "receiver": "email",
        "routes": [{"matchers": ["severity=critical"], "receiver": "pager", "continue": true}, {"matchers": ["severity=~\"critical|high\""], "receiver": "slack"}],
    });
    let mut rollout = silence(
        "revel/deployment-web-x",
        json!({"alertRules": {"names": ["stripe"]}, "startsAt": "2026-11-27T20:55:00Z", "endsAt": "2026-11-27T21:04:00Z"}),
        "Active",
        "2026-11-27T21:04:00Z",
    );
    let meta = rollout.value["metadata"].as_object_mut().unwrap();
    meta.insert(
        "labels".into(),
        json!({"alerting.letsrevel.io/maintenance-of": "u1"}),
    );
    meta.insert(
        "ownerReferences".into(),
        json!([{"apiVersion": "apps/v1", "kind": "Deployment", "name": "web", "uid": "u1"}]),
    );
    let rollout = Object::new(rollout.value, "");
    let load_test = json!({"alertRules": {"names": ["latency"]}, "startsAt": "2026-11-27T20:00:00Z", "endsAt": "2026-11-28T08:00:00Z"});
    let not_held = json!({"alertRules": {"names": ["errors"]}, "startsAt": "2026-11-27T20:00:00Z", "endsAt": "2026-11-28T08:00:00Z"});
    let mut failing = rule("shop/queue", json!({}), "Error", "2026-11-27T20:20:00Z");
    failing.value["status"]["stateMessage"] = json!("loki: too many\noutstanding requests");
    let down = json!({"url": "https://g.example", "version": "12.4.1", "reachable": true, "inSync": 214, "notInSync": 2, "conditions": ready("Synced", true, "m")});
    let missing = json!({"conditions": ready("DependencyMissing", false, "Secret revel-alerting has no key discord-url")});
    vec![
        object(
            "GrafanaInstance",
            "op/default",
            json!({"url": "https://g.example", "auth": {}}),
            down,
        ),
        synced("ContactPoint", "revel/email", hook()),
        synced("ContactPoint", "revel/pager", hook()),
        synced("ContactPoint", "revel/slack", hook()),
        synced("NotificationPolicy", "revel/tree", tree),
        rule(
            "shop/latency",
            json!({"severity": "warning"}),
            "Firing",
            "2026-11-27T18:00:00Z",
        ),
        rule(
            "revel/errors",
            json!({"labels": {"severity": "critical"}}),
            "Firing",
            "2026-11-27T20:58:00Z",
        ),
        rule(
            "revel/stripe",
            json!({"severity": "high"}),
            "Firing",
            "2026-11-27T20:46:00Z",
        ),
        rule(
            "revel/quiet",
            json!({"severity": "critical"}),
            "Normal",
            "2026-11-27T20:46:00Z",
        ),
        failing,
        object("ContactPoint", "revel/discord", hook(), missing),
        object("AlertRule", "shop/new", json!({"query": "up > 5"}), Value::Null),
        rollout,
        silence("shop/load-test", load_test, "Active", "2026-11-28T08:00:00Z"),
        silence("revel/elsewhere", not_held, "Expired", "2026-11-27T20:30:00Z"),
        silence(
            "revel/later",
            json!({"matchers": ["a=b"], "startsAt": "2026-12-01T00:00:00Z", "duration": "1h"}),
            "Pending",
            "2026-12-01T01:00:00Z",
        ),
        Object::new(
            json!({
                "apiVersion": "apps/v1", "kind": "Deployment", "status": {"readyReplicas": 1},
                "metadata": {"namespace": "op", "name": "alertwright"},
                "spec": {"replicas": 2, "template": {"spec": {"containers": [{"image": "ghcr.io:443/x/alertwright:0.1.0@sha256:ab"}]}}},
            }),
            "",
        ),
        Object::new(
            json!({"kind": "Lease", "metadata": {"namespace": "op", "name": "alertwright"}, "spec": {"holderIdentity": "alertwright-7c9f"}}),
            "",
        ),
    ]
}

fn screen(objects: &[Object], shown: &Shown<'_>) -> Screen {
    Screen::new(objects, shown, now(), &|_| None).unwrap()
}

fn said(screen: &Screen) -> String {
    said_of(screen, false)
}

fn said_of(screen: &Screen, is_partial: bool) -> String {
    shown(screen, is_partial, Look::default())
}

fn shown(screen: &Screen, is_partial: bool, look: Look) -> String {
    let parts = Parts {
        firing: true,
        not_ready: true,
        around: true,
    };
    let clock = Clock {
        now: now(),
        place: &TimeZone::UTC,
    };
    let manner = Manner {
        has_titles: true,
        is_partial,
        look,
    };
    text::all(screen, parts, &clock, manner)
}

#[test]
fn on_a_terminal_the_screen_is_as_wide_as_it_and_has_colours() {
    let screen = screen(&cluster(), &Shown::default());
    let narrow = shown(
        &screen,
        false,
        Look {
            has_color: false,
            width: Some(40),
        },
    );
    assert!(narrow.lines().all(|line| line.chars().count() <= 40), "{narrow}");
    assert!(
        narrow.contains("\nSILENCES  2 active, 1 pending, next to …\n"),
        "{narrow}"
    );
    let colored = shown(
        &screen,
        false,
        Look {
            has_color: true,
            width: None,
        },
    );
    for part in [
        "\u{1b}[1mINSTANCE\u{1b}[0m",
        "\u{1b}[32myes\u{1b}[0m",
        "\u{1b}[33m2\u{1b}[0m",
        "\u{1b}[31mcritical\u{1b}[0m",
        "\u{1b}[2mwarning\u{1b}[0m",
        "\u{1b}[31mDependencyMissing\u{1b}[0m",
        "\u{1b}[33mUnseen\u{1b}[0m",
        "\u{1b}[31mError\u{1b}[0m",
    ] {
        assert!(colored.contains(part), "{part:?}: {colored:?}");
    }
    assert!(!said(&screen).contains('\u{1b}'));
}

#[test]
fn one_screen_says_how_things_are() {
    let expected = "\
INSTANCE  GRAFANA            VERSION  REACHED  IN SYNC  NOT
default   https://g.example  12.4.1   yes      214      2

FIRING (3)    SEVERITY  SINCE  TO            SILENCED
revel/errors  critical  2m     pager, slack  –
revel/stripe  high      14m    slack         until 21:04 by rollout of web
shop/latency  warning   3h     email         until tomorrow 08:00 by shop/load-test

NOT IN SYNC (2)             REASON             FOR   WHAT
shop/alertrule/new          Unseen             24h   the operator hasn't looked at it yet
revel/contactpoint/discord  DependencyMissing  120m  Secret revel-alerting has no key discord-url

IN ERROR (1)  STATE  SINCE  TO     SILENCED  WHY
shop/queue    Error  40m    email  –         loki: too many outstanding requests

SILENCES  2 active, 1 pending, next to end: revel/deployment-web-x in 4m; those made in Grafana aren't looked at
OPERATOR  0.1.0, leader alertwright-7c9f, 1 of 2 replicas ready
";
    assert_eq!(said(&screen(&cluster(), &Shown::default())), expected);
}

#[test]
fn where_not_all_may_be_read_quiet_is_as_far_as_it_is_seen() {
    let nothing = screen(&[], &Shown::default());
    let first = |is_partial| said_of(&nothing, is_partial).lines().next().map(str::to_owned);
    let quiet = "Nothing fires, and there are no resources";
    assert_eq!(first(false), Some(format!("{quiet}.")));
    assert_eq!(first(true), Some(format!("{quiet}, as far as can be read.")));
}

#[test]
fn a_namespace_an_instance_and_labels_say_what_is_shown() {
    let all = cluster();
    let of = |shown: &Shown<'_>| {
        let screen = screen(&all, shown);
        let rules: Vec<String> = screen.firing.iter().map(|firing| firing.rule.clone()).collect();
        (rules, screen.not_in_sync.len(), screen.silences.active)
    };
    let shop = Shown {
        namespace: Some("shop"),
        ..Shown::default()
    };
    // Its alerts go by the tree of another namespace all the same.
    assert_eq!(of(&shop), (vec!["shop/latency".to_owned()], 1, 1));
    assert_eq!(screen(&all, &shop).firing[0].to, Some(vec!["email".to_owned()]));
    let other = Shown {
        instance: Some("staging"),
        ..Shown::default()
    };
    assert_eq!(of(&other), (vec![], 0, 0));
    let selector = asked::selector("team=x").unwrap();
    let labelled = Shown {
        selector: Some(&selector),
        ..Shown::default()
    };
    assert_eq!(of(&labelled), (vec![], 0, 0));
    assert_eq!(screen(&all, &labelled).instances.len(), 1);
}

#[test]
fn an_instance_counts_what_the_table_shows_where_all_is_known() {
    let mut all = cluster();
    for object in all
        .iter_mut()
        .filter(|object| object.kind == "TimeInterval" || object.name == "slack")
    {
        object.value["status"]["conditions"] = ready("Suspended", false, "spec.suspend");
    }
    let counts = |shown: &Shown<'_>| {
        let screen = screen(&all, shown);
        let waiting = screen.not_in_sync.iter().filter(|waiting| !waiting.why.is_ready);
        let counted = waiting
            .filter(|waiting| waiting.kind != "GrafanaInstance")
            .count();
        (
            screen.instances[0].in_sync,
            screen.instances[0].not_in_sync,
            counted,
        )
    };
    // Its status is a moment older.
    assert_eq!(counts(&Shown::default()).1, Some(2));
    let whole = Shown {
        is_whole: true,
        ..Shown::default()
    };
    let (well, others, shown) = counts(&whole);
    assert_eq!(others, i64::try_from(shown).ok());
    let of_kinds = all.iter().filter(|object| {
        !matches!(
            object.kind.as_str(),
            "GrafanaInstance" | "MaintenancePolicy" | "PrometheusRuleImport" | "Deployment" | "Lease"
        )
    });
    assert_eq!(
        well.zip(others).map(|(a, b)| a + b),
        i64::try_from(of_kinds.count()).ok()
    );
    // Whichever namespace is shown.
    let one = Shown {
        namespace: Some("shop"),
        ..whole
    };
    assert_eq!(counts(&one).1, others);
}

#[test]
fn a_silence_that_grafana_does_not_hold_silences_nothing() {
    let mut all = cluster();
    let firing = |all: &[Object]| screen(all, &Shown::default()).firing;
    assert!(firing(&all)[0].silenced.is_empty());
    for object in all.iter_mut().filter(|object| object.kind == "Silence") {
        object.value["status"]["state"] = json!("Active");
    }
    let errors = firing(&all)
        .into_iter()
        .find(|firing| firing.rule == "revel/errors");
    assert_eq!(errors.unwrap().silenced[0].silence, "revel/elsewhere");
}

#[test]
fn each_grafana_of_several_is_told_by_itself() {
    let at = |instance: &str, state: &str, reason: &str, is_ready: bool| json!({"instance": instance, "state": state, "conditions": ready(reason, is_ready, "m")});
    let status = json!({
        "conditions": ready("Unavailable", false, "in b"),
        "instances": [at("a", "Firing", "Synced", true), at("b", "Normal", "Unavailable", false)],
    });
    let all = [object(
        "AlertRule",
        "revel/r",
        json!({"query": "up > 5", "instances": ["a", "b"]}),
        status,
    )];
    let both = screen(&all, &Shown::default());
    assert_eq!((both.firing.len(), both.firing[0].instance.as_str()), (1, "a"));
    assert_eq!(both.firing[0].to, None, "no tree is known there");
    assert_eq!(both.not_in_sync.len(), 1);
    assert_eq!(both.not_in_sync[0].instance.as_deref(), Some("b"));
    let one = Shown {
        instance: Some("a"),
        ..Shown::default()
    };
    assert!(
        screen(&all, &one).is_ready(),
        "what is wrong in b is nothing to a"
    );
}

#[test]
fn what_counts_as_not_ready_is_what_the_exit_code_tells() {
    let of = |status: Value| {
        let all = [object("AlertRule", "revel/r", json!({"query": "up > 5"}), status)];
        let screen = screen(&all, &Shown::default());
        (
            screen.is_ready(),
            screen
                .not_in_sync
                .first()
                .map(|waiting| waiting.why.reason.clone()),
        )
    };
    assert_eq!(
        of(json!({"conditions": ready("Synced", true, "m")})),
        (true, None)
    );
    let drifted = Some("Drifted".to_owned());
    assert_eq!(
        of(json!({"conditions": ready("Drifted", true, "m")})),
        (true, drifted)
    );
    assert_eq!(of(Value::Null), (false, Some("Unseen".to_owned())));
    let mut old = ready("Synced", true, "m");
    old[0]["observedGeneration"] = json!(1);
    assert_eq!(
        of(json!({"conditions": old})),
        (false, Some("Outdated".to_owned()))
    );
    let away = json!({"reachable": false, "conditions": ready("Synced", true, "m")});
    let away = [object(
        "GrafanaInstance",
        "op/default",
        json!({"url": "https://g", "auth": {}}),
        away,
    )];
    assert!(!screen(&away, &Shown::default()).is_ready());
}

#[test]
fn text_of_resources_gives_no_commands_to_a_terminal() {
    let missing = json!({"conditions": ready("Invalid", false, "a\u{1b}[2Jb")});
    let all = [object("ContactPoint", "revel/c", hook(), missing)];
    let said = said(&screen(&all, &Shown::default()));
    assert!(
        !said.contains('\u{1b}') && said.contains("a\u{fffd}[2Jb"),
        "{said}"
    );
}

#[test]
fn what_waits_in_another_grafana_than_the_default_one_is_named_with_it_and_no_drift_has_an_age() {
    let all: Vec<Object> = [
        ("a", json!({"query": "up > 5", "instance": "stage"})),
        ("b", json!({"query": "up > 5"})),
    ]
    .into_iter()
    .map(|(name, spec)| {
        let status = json!({"conditions": ready("Drifted", true, "m")});
        object("AlertRule", &format!("revel/{name}"), spec, status)
    })
    .collect();
    let screen = screen(&all, &Shown::default());
    let told: Vec<_> = screen
        .not_in_sync
        .iter()
        .map(|waiting| {
            (
                waiting.name.as_str(),
                waiting.instance.as_deref(),
                waiting.why.since,
            )
        })
        .collect();
    assert_eq!(told, [("a", Some("stage"), None), ("b", None, None)]);
}
