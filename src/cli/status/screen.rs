//! What is on the screen: from resources and a moment, without asking anybody.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use super::super::diff::asked::Selector;
use super::operator::{self, Operator};
use super::routes::{HeldBack, Perhaps, Quieted, told, ways};
use super::state::{Part, Why, parts};
use crate::api::DEFAULT_INSTANCE;
use crate::api::silence::{ACTIVE, PENDING};
use crate::domain::lint::object::{Object, Typed, is_ours};
use crate::domain::routing::clock::Zones;
use crate::domain::routing::trees::path;

/// What a severity is called, the worst first.
const SEVERITIES: [&[&str]; 5] = [
    &["critical", "page", "emergency", "disaster", "p1"],
    &["high", "error", "major", "p2"],
    &["warning", "medium", "minor", "p3"],
    &["low", "p4"],
    &["info", "notice", "none", "p5"],
];

/// Whose resources are shown.
#[derive(Default)]
pub(super) struct Shown<'a> {
    /// The namespace; all where there is none.
    pub(super) namespace: Option<&'a str>,
    /// The GrafanaInstance; all where there is none.
    pub(super) instance: Option<&'a str>,
    /// The labels.
    pub(super) selector: Option<&'a Selector>,
    /// Whether all resources of all namespaces are known, shown or not.
    pub(super) is_whole: bool,
    /// Whether the operator's Deployment can't be read.
    pub(super) is_blind: bool,
}

/// All that is shown.
#[derive(Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Screen {
    pub(super) instances: Vec<Instance>,
    pub(super) firing: Vec<Firing>,
    pub(super) not_in_sync: Vec<Waiting>,
    pub(super) in_error: Vec<Failing>,
    pub(super) silences: Silences,
    pub(super) operator: Operator,
    /// How many resources are looked at, GrafanaInstances aside.
    pub(super) resources: usize,
}

/// One Grafana.
#[derive(Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Instance {
    pub(super) name: String,
    pub(super) grafana: Option<String>,
    pub(super) version: Option<String>,
    pub(super) is_reachable: Option<bool>,
    pub(super) in_sync: Option<i64>,
    pub(super) not_in_sync: Option<i64>,
    /// The reason, where it isn't ready.
    pub(super) why: Option<Why>,
}

/// A rule whose alerts fire.
#[derive(Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Firing {
    pub(super) rule: String,
    pub(super) instance: String,
    pub(super) severity: Option<String>,
    pub(super) since: Option<Timestamp>,
    /// Who is told; `null` where that isn't known.
    pub(super) to: Option<Vec<String>>,
    /// Why that isn't known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) why_not: Option<String>,
    pub(super) silenced: Vec<Quieted>,
    /// Silences of which it isn't known whether they cover it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) perhaps_silenced: Vec<Perhaps>,
    pub(super) inhibited: Vec<HeldBack>,
}

impl Firing {
    /// Whether nobody is told of it now.
    pub(super) const fn is_quiet(&self) -> bool {
        !self.silenced.is_empty() || !self.inhibited.is_empty()
    }
}

/// A resource that isn't as it should be.
#[derive(Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Waiting {
    pub(super) kind: String,
    pub(super) namespace: String,
    pub(super) name: String,
    /// The GrafanaInstance, where it is one of several or not the default one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) instance: Option<String>,
    #[serde(flatten)]
    pub(super) why: Why,
}

/// A rule that can't be evaluated, or finds nothing to evaluate.
#[derive(Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Failing {
    pub(super) rule: String,
    pub(super) instance: String,
    pub(super) state: String,
    pub(super) since: Option<Timestamp>,
    pub(super) message: Option<String>,
    /// Who is told of the alert that Grafana has for it, `DatasourceNoData` or `DatasourceError`; nobody where it has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) to: Option<Vec<String>>,
    /// The Silences that cover that.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) silenced: Vec<Quieted>,
}

/// How many Silences there are.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Silences {
    pub(super) active: usize,
    pub(super) pending: usize,
    pub(super) next_to_end: Option<Ending>,
}

/// A Silence that ends.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Ending {
    pub(super) silence: String,
    pub(super) ends_at: Timestamp,
}

impl Screen {
    /// What is shown of these objects at a moment.
    pub(super) fn new(
        objects: &[Object],
        shown: &Shown<'_>,
        now: Timestamp,
        zones: Zones<'_>,
    ) -> Result<Self, String> {
        let is_meant = |object: &&Object| shown.has(object);
        let ours: Vec<&Object> = objects.iter().filter(is_meant).collect();
        let mut not_in_sync: Vec<Waiting> = ours.iter().flat_map(|object| waiting(object, shown)).collect();
        not_in_sync.sort_by(|a, b| {
            let key = |w: &Waiting| (w.why.is_ready, w.why.since);
            key(a)
                .cmp(&key(b))
                .then_with(|| (&a.namespace, &a.kind, &a.name).cmp(&(&b.namespace, &b.kind, &b.name)))
        });
        Ok(Self {
            instances: instances(objects, shown),
            firing: firing(objects, &ours, shown, now, zones)?,
            not_in_sync,
            in_error: in_error(objects, &ours, shown, now, zones)?,
            silences: silences(&ours, shown, now),
            operator: Operator {
                is_unseen: shown.is_blind,
                ..operator::operator(objects)
            },
            resources: ours
                .iter()
                .filter(|object| object.kind != "GrafanaInstance")
                .count(),
        })
    }

    /// Whether everything is as it should be, apart from alerts that fire and rules whose queries fail.
    pub(super) fn is_ready(&self) -> bool {
        let is_up = |instance: &Instance| {
            instance.is_reachable == Some(true) && instance.why.as_ref().is_none_or(|why| why.is_ready)
        };
        self.not_in_sync.iter().all(|waiting| waiting.why.is_ready) && self.instances.iter().all(is_up)
    }
}

impl Shown<'_> {
    fn has(&self, object: &Object) -> bool {
        if !is_ours(&object.value) {
            return false;
        }
        // GrafanaInstances are in the operator's namespace, whoever uses them.
        if object.kind == "GrafanaInstance" {
            return self.instance.is_none_or(|instance| instance == object.name);
        }
        self.namespace
            .is_none_or(|namespace| namespace == object.namespace)
            && self
                .selector
                .is_none_or(|selector| selector.chooses(&object.labels()))
            && (self.instance.is_none() || !self.parts(object).is_empty())
    }

    /// What a resource says of itself in the Grafanas that are shown.
    fn parts<'a>(&self, object: &'a Object) -> Vec<Part<'a>> {
        let is_shown = |part: &Part<'_>| self.instance.is_none() || part.instance == self.instance;
        parts(object).into_iter().filter(is_shown).collect()
    }
}

fn instances(objects: &[Object], shown: &Shown<'_>) -> Vec<Instance> {
    let all = objects
        .iter()
        .filter(|object| object.kind == "GrafanaInstance" && shown.has(object));
    let instance = |object: &Object| {
        let part = Part::whole(object);
        // Its status counts a moment later than its resources say so themselves.
        let counts = shown.is_whole.then(|| counts(objects, &object.name));
        let url = || object.spec().get("url").and_then(Value::as_str);
        Instance {
            name: object.name.clone(),
            grafana: part.text("url").or_else(url).map(str::to_owned),
            version: part.text("version").map(str::to_owned),
            is_reachable: part.is("reachable"),
            in_sync: counts.map_or_else(|| part.number("inSync"), |(well, _)| Some(well)),
            not_in_sync: counts.map_or_else(|| part.number("notInSync"), |(_, others)| Some(others)),
            why: part.why(object),
        }
    };
    let mut all: Vec<Instance> = all.map(instance).collect();
    all.sort_by(|a, b| a.name.cmp(&b.name));
    all
}

/// The kinds that a GrafanaInstance counts: those that have something in Grafana.
const COUNTED: [&str; 7] = [
    "AlertRule",
    "ContactPoint",
    "InhibitionRule",
    "NotificationPolicy",
    "NotificationTemplate",
    "Silence",
    "TimeInterval",
];

/// How many resources are in sync in a GrafanaInstance, and how many aren't, as the operator counts them.
fn counts(objects: &[Object], instance: &str) -> (i64, i64) {
    let ours = objects
        .iter()
        .filter(|object| is_ours(&object.value) && COUNTED.contains(&object.kind.as_str()));
    let parts = ours.flat_map(|object| parts(object).into_iter().map(move |part| (object, part)));
    let here = parts.filter(|(_, part)| part.instance == Some(instance));
    here.fold((0, 0), |(well, others), (object, part)| {
        if part.why(object).is_none_or(|why| why.is_ready) {
            (well + 1, others)
        } else {
            (well, others + 1)
        }
    })
}

fn waiting(object: &Object, shown: &Shown<'_>) -> Vec<Waiting> {
    let row = |instance: Option<String>, why: Why| Waiting {
        kind: object.kind.clone(),
        namespace: object.namespace.clone(),
        name: object.name.clone(),
        instance,
        why,
    };
    let all = parts(object);
    let is_instance = object.kind == "GrafanaInstance";
    let named = |instance: Option<&'_ str>| {
        let is_named = |name: &&str| all.len() > 1 || !is_instance && *name != DEFAULT_INSTANCE;
        instance.filter(is_named).map(str::to_owned)
    };
    if all.len() > 1 || shown.instance.is_some() {
        let here = shown.parts(object);
        let rows = here
            .iter()
            .filter_map(|part| Some(row(named(part.instance), part.why(object)?)));
        let rows: Vec<Waiting> = rows.collect();
        if !rows.is_empty() || shown.instance.is_some() {
            return rows;
        }
    }
    let only = match all.as_slice() {
        [only] => named(only.instance),
        _ => None,
    };
    Part::whole(object)
        .why(object)
        .map(|why| row(only, why))
        .into_iter()
        .collect()
}

/// The rules that have alerts, in each Grafana that is shown.
fn rules<'a>(ours: &[&'a Object], shown: &Shown<'_>) -> Vec<(&'a Object, Part<'a>)> {
    let rules = ours.iter().filter(|object| object.kind == "AlertRule");
    rules
        .flat_map(|rule| shown.parts(rule).into_iter().map(|part| (*rule, part)))
        .collect()
}

/// Those of them that are in such a state, by their Grafana.
fn by_instance<'a>(
    ours: &[&'a Object],
    shown: &Shown<'_>,
    is_meant: impl Fn(&Part<'a>) -> bool,
) -> BTreeMap<&'a str, Vec<(&'a Object, Part<'a>)>> {
    let mut found: BTreeMap<&str, Vec<(&Object, Part<'_>)>> = BTreeMap::new();
    for (rule, part) in rules(ours, shown) {
        if let Some(instance) = part.instance.filter(|_| is_meant(&part)) {
            found.entry(instance).or_default().push((rule, part));
        }
    }
    found
}

fn firing(
    objects: &[Object],
    ours: &[&Object],
    shown: &Shown<'_>,
    now: Timestamp,
    zones: Zones<'_>,
) -> Result<Vec<Firing>, String> {
    let mut all = Vec::new();
    for (instance, rules) in by_instance(ours, shown, Part::is_firing) {
        let only: Vec<&Object> = rules.iter().map(|(rule, _)| *rule).collect();
        let ways = ways(objects, instance, &only, now, zones)?;
        for ((rule, part), way) in rules.into_iter().zip(ways) {
            let (to, why_not) = match &way.answer {
                Ok(answer) => (Some(told(answer)), None),
                Err(why) => (None, Some(why.clone())),
            };
            all.push(Firing {
                rule: path(&rule.namespace, &rule.name),
                instance: instance.to_owned(),
                severity: severity(rule),
                since: part.moment("stateSince"),
                to,
                why_not,
                silenced: way.silenced,
                perhaps_silenced: way.perhaps,
                inhibited: way.inhibited,
            });
        }
    }
    all.sort_by(|a, b| {
        let key = |f: &Firing| (f.is_quiet(), rank(f.severity.as_deref()), f.since);
        key(a)
            .cmp(&key(b))
            .then_with(|| (&a.rule, &a.instance).cmp(&(&b.rule, &b.instance)))
    });
    Ok(all)
}

/// The severity that a rule gives its alerts.
pub(in super::super) fn severity(rule: &Object) -> Option<String> {
    let Some(Typed::AlertRule(typed)) = &rule.typed else {
        return None;
    };
    let labelled = || typed.spec.labels.get("severity").cloned();
    let own = rule.spec().get("severity").and_then(Value::as_str);
    own.map(str::to_owned).or_else(labelled)
}

/// How bad a severity is, the worst first.
pub(super) fn rank(severity: Option<&str>) -> usize {
    let severity = severity.unwrap_or_default().to_ascii_lowercase();
    let known = SEVERITIES
        .iter()
        .position(|words| words.contains(&severity.as_str()));
    known.unwrap_or(2)
}

fn in_error(
    objects: &[Object],
    ours: &[&Object],
    shown: &Shown<'_>,
    now: Timestamp,
    zones: Zones<'_>,
) -> Result<Vec<Failing>, String> {
    let is_failing = |part: &Part<'_>| matches!(part.text("state"), Some("Error" | "NoData"));
    let mut all = Vec::new();
    for (instance, rules) in by_instance(ours, shown, is_failing) {
        let only: Vec<&Object> = rules.iter().map(|(rule, _)| *rule).collect();
        let ways = ways(objects, instance, &only, now, zones)?;
        for ((rule, part), way) in rules.into_iter().zip(ways) {
            let has_alert = way.other_name.is_some();
            all.push(Failing {
                rule: path(&rule.namespace, &rule.name),
                instance: instance.to_owned(),
                state: part.text("state").unwrap_or_default().to_owned(),
                since: part.moment("stateSince"),
                message: part.text("stateMessage").map(str::to_owned),
                to: way.answer.as_ref().ok().map(told).filter(|_| has_alert),
                silenced: if has_alert { way.silenced } else { Vec::new() },
            });
        }
    }
    all.sort_by(|a, b| (&a.state, a.since, &a.rule).cmp(&(&b.state, b.since, &b.rule)));
    Ok(all)
}

fn silences(ours: &[&Object], shown: &Shown<'_>, now: Timestamp) -> Silences {
    let mut count = Silences::default();
    let mut ending = BTreeSet::new();
    for silence in ours.iter().filter(|object| object.kind == "Silence") {
        let parts = shown.parts(silence);
        let of = |state: &'static str| parts.iter().filter(move |part| part.text("state") == Some(state));
        if of(ACTIVE).next().is_some() {
            count.active += 1;
            let ends = of(ACTIVE)
                .filter_map(|part| part.moment("endsAt"))
                .filter(|end| *end > now);
            ending.extend(ends.map(|end| (end, path(&silence.namespace, &silence.name))));
        } else if of(PENDING).next().is_some() {
            count.pending += 1;
        }
    }
    count.next_to_end = ending
        .pop_first()
        .map(|(ends_at, silence)| Ending { silence, ends_at });
    count
}
