//! Whatever a person applies, the pass over it ends, in few calls, and keeps no other from theirs.
//!
//! Objects are made from the schemas, so that fields to come are tried too: texts from a list of what people write and of what has broken parsers,
//! numbers at their bounds, any fields left out. Many of them an API server would refuse; the operator doesn't rely on that.

mod agreed;
mod rest;
mod unread;

use std::fmt::Debug;
use std::panic::AssertUnwindSafe;

use futures::FutureExt;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use regex::Regex;
use serde_json::{Map, Value, json};

use super::*;
use crate::api::InhibitionRule;
use crate::api::condition::Reason;
use crate::controller::pass::{self, Reconcile};
use crate::grafana::mirror::Part;

/// How many objects of each kind are tried.
const OBJECTS: u64 = 400;
/// So many calls to Grafana a pass over one object makes at most: one for each of its integrations, and those around them.
const CALLS: usize = 40;

/// What people write, and what has broken parsers.
const TEXTS: [&str; 44] = [
    "",
    " ",
    "a",
    "A",
    "B",
    "5m",
    "1h30m",
    "0s",
    "-5m",
    "999999999999w",
    "1e9",
    "0",
    "-1",
    "1.5",
    "ü",
    "日本",
    "a b",
    "a\nb",
    "a\"b",
    "\\",
    "'",
    "`",
    "{{",
    "{{ $value }}",
    "{{ $labels.a | humanize }}",
    "{{ if }}{{ end }}",
    "}}",
    "severity=\"high\"",
    "severity=~\"(\"",
    "a!~\"b|c\"",
    "__alertwright__=~\".*\"",
    "alertname",
    "...",
    "sum(rate({a=\"b\"}[5m])) > 1",
    "up == bool 1 and on() vector(1)",
    "((((((((",
    "*/",
    "http://example.com",
    "https://[::1",
    "2026-01-01T00:00:00Z",
    "monday:friday",
    "09:00",
    "Europe/Berlin",
    "__expr__",
];

/// A value that a schema describes.
fn any(schema: &Value, deep: usize, rng: &mut StdRng) -> Value {
    if let Some(choices) = schema["enum"].as_array() {
        return choices.choose(rng).cloned().unwrap_or_default();
    }
    if schema["x-kubernetes-int-or-string"] == true {
        return if rng.random() {
            json!(rng.random_range(-1..200))
        } else {
            text(schema, rng).into()
        };
    }
    match schema["type"].as_str() {
        Some("object") if schema["properties"].is_object() => object(schema, deep, rng),
        Some("object") if schema["additionalProperties"].is_object() => (0..rng.random_range(0..3))
            .map(|_| {
                (
                    text(&Value::Null, rng),
                    any(&schema["additionalProperties"], deep + 1, rng),
                )
            })
            .collect::<Map<_, _>>()
            .into(),
        Some("array") => {
            let most = if deep > 6 { 1 } else { 4 };
            let count = rng.random_range(0..most);
            (0..count).map(|_| any(&schema["items"], deep + 1, rng)).collect()
        }
        Some("boolean") => json!(rng.random::<bool>()),
        Some("integer") => {
            let bound = |name: &str, other: i64| {
                schema[name]
                    .as_f64()
                    .map_or(Ok(other), |bound| format!("{bound:.0}").parse())
                    .unwrap()
            };
            let (least, most) = (
                bound("minimum", i32::MIN.into()),
                bound("maximum", i32::MAX.into()),
            );
            json!([least, most, 0, 1].choose(rng))
        }
        Some("number") => json!([0.0, -1.5, 1e300, 0.1].choose(rng)),
        Some("string") => text(schema, rng).into(),
        _ => unknown(deep, rng),
    }
}

/// All that is required, and of the rest any; of those that exclude each other often one alone.
fn object(schema: &Value, deep: usize, rng: &mut StdRng) -> Value {
    let properties = schema["properties"].as_object().expect("properties");
    let required = schema["required"].as_array().cloned().unwrap_or_default();
    let is_one = required.is_empty() && rng.random();
    let names: Vec<&String> = properties.keys().collect();
    let one = names.choose(rng).copied();
    let share = rng.random_range(0.0..1.0);
    let mut made = Map::new();
    for (name, schema) in properties {
        let is_in = if is_one {
            one == Some(name)
        } else {
            rng.random_bool(share)
        };
        if is_in || required.contains(&json!(name)) {
            made.insert(name.clone(), any(schema, deep + 1, rng));
        }
    }
    made.into()
}

fn text(schema: &Value, rng: &mut StdRng) -> String {
    if schema["format"] == "date-time" {
        let times = [
            "2020-01-01T00:00:00Z",
            "2999-12-31T23:59:59.999999Z",
            "2026-06-01T12:00:00+14:00",
            "2999-06-01T12:00:00.12345678901234Z",
        ];
        return (*times.choose(rng).expect("some")).to_owned();
    }
    if rng.random_bool(0.02) {
        return "x".repeat(rng.random_range(1..5000));
    }
    // Most of the time what the schema would let through, where the list has any.
    let pattern = schema["pattern"].as_str().filter(|_| rng.random_bool(0.9));
    let pattern = pattern.and_then(|pattern| Regex::new(pattern).ok());
    let fits: Vec<&str> = TEXTS
        .into_iter()
        .filter(|text| pattern.as_ref().is_none_or(|pattern| pattern.is_match(text)))
        .collect();
    (*fits.choose(rng).unwrap_or(&"a")).to_owned()
}

/// Any JSON.
fn unknown(deep: usize, rng: &mut StdRng) -> Value {
    match rng.random_range(0..6) {
        0 if deep < 8 => (0..rng.random_range(0..3))
            .map(|_| (text(&Value::Null, rng), unknown(deep + 1, rng)))
            .collect::<Map<_, _>>()
            .into(),
        1 if deep < 8 => (0..rng.random_range(0..3))
            .map(|_| unknown(deep + 1, rng))
            .collect(),
        2 => json!(rng.random::<i32>()),
        3 => Value::Null,
        _ => text(&Value::Null, rng).into(),
    }
}

/// What is tried of a kind.
struct Kind {
    crd: CustomResourceDefinition,
    /// A specification with which all is well, of which some fields are replaced by anything.
    good: Value,
    /// Its resources have one of so many names; of one each, those that exclude each other have their turns.
    names: u64,
}

/// The specification that this seed makes.
fn spec(kind: &Kind, seed: u64) -> Value {
    let rng = &mut StdRng::seed_from_u64(seed);
    let version = kind.crd.spec.versions[0].schema.clone();
    let schema = version
        .and_then(|schema| schema.open_api_v3_schema)
        .expect("a schema");
    let schema = serde_json::to_value(schema).unwrap()["properties"]["spec"].take();
    let mut spec = kind.good.clone();
    let share = rng.random_range(0.0..1.0);
    for (name, anything) in object(&schema, 0, rng).as_object().expect("an object") {
        let is_elsewhere = ["instance", "suspend"].contains(&name.as_str()) && rng.random_bool(0.9);
        if !is_elsewhere && rng.random_bool(share) {
            spec[name] = anything.clone();
        }
    }
    spec
}

/// Has a pass over many objects of a kind, and says how many of them there were, and how many were stored. The API server stores nothing that
/// doesn't have the types of the schema (`is_read`).
async fn try_many(
    world: &mut World,
    kind: Kind,
    is_read: fn(Value) -> bool,
    mut see: impl FnMut(&mut World, &str, Value) -> String,
    pass: impl AsyncFn(&World, Value),
) -> (u64, u64) {
    let (mut read, mut synced) = (0, 0);
    let name_of_kind = kind.crd.spec.names.kind.clone();
    for seed in 0..OBJECTS {
        let (spec, name) = (spec(&kind, seed), format!("any-{}", seed % kind.names));
        let metadata = json!({"name": name, "namespace": "revel"});
        let object = json!({"apiVersion": "alerting.letsrevel.io/v1alpha1", "kind": name_of_kind, "metadata": metadata, "spec": spec});
        if !is_read(object.clone()) {
            continue;
        }
        let found = agreed::found(object);
        read += 1;
        let place = see(world, &name, spec.clone());
        let object = world.server.get(&place);
        let before = world.grafana.calls().len();
        let is_done = AssertUnwindSafe(pass(world, object)).catch_unwind().await.is_ok();
        assert!(
            is_done,
            "{name_of_kind} of seed {seed}: the pass panics: {spec:#}"
        );
        let calls = world.grafana.calls().split_off(before);
        let of_passes = calls.iter().filter(|call| !call.starts_with("server."));
        assert!(
            of_passes.count() <= CALLS,
            "{name_of_kind} of seed {seed}: {calls:?}: {spec:#}"
        );
        let (reason, message) = world.server.ready(&place).expect("every pass says something");
        assert!(
            message.len() < 40_000,
            "{name_of_kind} of seed {seed}: a message of {} bytes",
            message.len()
        );
        agreed::assert(
            &found,
            &reason,
            &message,
            &format!("{name_of_kind} of seed {seed}: {spec:#}"),
        );
        synced += u64::from(reason == "Synced");
    }
    (read, synced)
}

fn is_read<K: DeserializeOwned>(object: Value) -> bool {
    serde_json::from_value::<K>(object).is_ok()
}

/// The same of a kind that has an object in Grafana.
async fn try_managed<K: Reconcile + DeserializeOwned + Debug>(
    world: &mut World,
    kind: Kind,
    mut see: impl FnMut(&mut World, &str, Value),
) -> (u64, u64) {
    let plural = kind.crd.spec.names.plural.clone();
    let see = |world: &mut World, name: &str, spec: Value| {
        see(world, name, spec);
        path(&plural, "revel", name)
    };
    let pass = async |world: &World, object: Value| {
        let object: K = serde_json::from_value(object).unwrap();
        drop(pass::run(Arc::new(object), world.context.clone()).await);
    };
    try_many(world, kind, is_read::<K>, see, pass).await
}

fn kind(kind: &str, good: Value, names: u64) -> Kind {
    let mut crds = crate::api::crds().into_iter();
    let crd = crds.find(|crd| crd.spec.names.kind == kind).expect("the kind");
    Kind { crd, good, names }
}

fn assert_enough(tried: &[(u64, u64)]) {
    let is_enough = |(read, synced): &(u64, u64)| *read >= OBJECTS / 2 && *synced >= 5;
    assert!(
        tried.iter().all(is_enough),
        "(tried, stored): {tried:?} of {OBJECTS}"
    );
}

#[test]
fn no_kind_is_left_out() {
    let mut tests = [include_str!("mod.rs"), include_str!("rest.rs")].concat();
    tests.retain(|letter| !letter.is_whitespace());
    for crd in crate::api::crds() {
        let kind = &crd.spec.names.kind;
        assert!(
            tests.contains(&format!("kind(\"{kind}\",")),
            "{kind} is tried nowhere"
        );
    }
}

#[tokio::test]
async fn whatever_is_applied_every_pass_ends_and_others_have_theirs() {
    let mut world = World::connected().await;
    // What time intervals, templates and inhibition rules are needed for waits until the poller has read them, which it does from then on.
    let parts = [Part::TimeIntervals, Part::Templates, Part::InhibitionRules];
    world.instance().suspicion.ask_for(&parts);
    world.poll().await;
    let webhook = json!({"integrations": [{"webhook": {"url": {"value": "https://example.com"}}}]});
    let tried = [
        try_managed::<AlertRule>(
            &mut world,
            kind("AlertRule", json!({"query": QUERY}), 20),
            |world, name, spec| drop(world.rule(name, spec)),
        )
        .await,
        try_managed::<ContactPoint>(
            &mut world,
            kind("ContactPoint", webhook.clone(), 20),
            |world, name, spec| drop(world.contact_point(name, spec)),
        )
        .await,
        try_managed::<NotificationPolicy>(
            &mut world,
            kind(
                "NotificationPolicy",
                json!({"receiverRef": {"grafanaName": "grafana-default-email"}}),
                1,
            ),
            |world, name, spec| drop(world.policy(name, spec)),
        )
        .await,
        try_managed::<Silence>(
            &mut world,
            kind(
                "Silence",
                json!({"duration": "1h", "matchers": ["a=\"b\""], "comment": "c"}),
                20,
            ),
            |world, name, spec| drop(world.silence(name, spec)),
        )
        .await,
        try_managed::<TimeInterval>(
            &mut world,
            kind(
                "TimeInterval",
                json!({"timeIntervals": [{"weekdays": ["sunday"]}]}),
                20,
            ),
            |world, name, spec| drop(world.time_interval(name, spec)),
        )
        .await,
        try_managed::<NotificationTemplate>(
            &mut world,
            kind("NotificationTemplate", json!({"template": "{{ .Status }}"}), 20),
            |world, name, spec| drop(world.template(name, spec)),
        )
        .await,
        try_managed::<InhibitionRule>(
            &mut world,
            kind(
                "InhibitionRule",
                json!({"sourceMatchers": ["a=b"], "targetMatchers": ["c=d"]}),
                20,
            ),
            |world, name, spec| {
                let rule: InhibitionRule = made(&world.server, "inhibitionrules", name, spec);
                let writer = &mut world.writers.inhibition_rules;
                see(&world.context, writer, rule, news::about_inhibition_rule);
            },
        )
        .await,
    ];
    assert_enough(&tried);

    let rule = world.rule("good", json!({"query": QUERY, "title": "one that no other has"}));
    let point = world.contact_point("good", webhook);
    assert_eq!(
        rule.reconcile(&world.context).await.unwrap().reason,
        Reason::Synced
    );
    assert_eq!(
        point.reconcile(&world.context).await.unwrap().reason,
        Reason::Synced
    );
}
