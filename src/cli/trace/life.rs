//! The life of one rule: from resources and a moment, without asking anybody.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use super::super::common::connect::hint;
use super::super::status::routes::{HeldBack, Perhaps, Quieted, Way, told, ways};
use super::super::status::screen::severity;
use super::super::status::state::{Part, Why, parts};
use crate::domain::lint::object::{Object, Typed};
use crate::domain::notification::contact_point;
use crate::domain::routing::answer::Answer;
use crate::domain::routing::clock::Zones;
use crate::domain::routing::trees::path;
use crate::domain::rule;
use crate::domain::rule::query::{Split, split};

/// All that is known of a rule.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Life {
    /// The resource, as namespace and name.
    pub(super) rule: String,
    pub(super) generation: Option<i64>,
    pub(super) created: Option<Timestamp>,
    pub(super) title: String,
    pub(super) severity: Option<String>,
    /// Whether it records, and has no alerts.
    pub(super) is_recording: bool,
    pub(super) query: Query,
    /// In each of its Grafanas.
    pub(super) grafanas: Vec<There>,
}

/// What is asked of the data source, and when the alert fires.
#[derive(Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Query {
    /// The queries by their names in Grafana, as they are sent.
    #[serde(serialize_with = "named")]
    pub(super) queries: Vec<(String, String)>,
    /// What the value is compared with, where that was split off.
    pub(super) comparison: Option<String>,
    /// Why nothing was split off, or which node decides.
    pub(super) note: Option<String>,
    pub(super) datasource: Option<String>,
    /// How long its condition must hold; none for what records.
    pub(super) r#for: Option<String>,
    pub(super) interval: String,
}

fn named<S: Serializer>(all: &[(String, String)], to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(
        all.iter()
            .map(|(name, query)| json!({"refId": name, "query": query})),
    )
}

/// A rule in one of its Grafanas.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct There {
    pub(super) instance: Option<String>,
    pub(super) folder: Option<String>,
    #[serde(rename = "folderUID")]
    pub(super) folder_uid: Option<String>,
    pub(super) group: Option<String>,
    pub(super) uid: Option<String>,
    pub(super) url: Option<String>,
    /// Since when it is in sync.
    pub(super) in_sync_since: Option<Timestamp>,
    /// Why it isn't as it should be.
    pub(super) why: Option<Why>,
    /// That the route is of specifications which Grafana doesn't have, where that is so: of the rule, or of policies.
    #[serde(skip)]
    pub(super) as_written: Vec<String>,
    pub(super) state: Option<String>,
    pub(super) state_since: Option<Timestamp>,
    pub(super) state_message: Option<String>,
    /// Where its alerts go; `null` where that isn't known.
    pub(super) route: Option<Answer>,
    /// Why that isn't known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) why_not: Option<String>,
    /// Labels whose values aren't known before it fires.
    pub(super) unknown_labels: Vec<String>,
    pub(super) silenced: Vec<Quieted>,
    /// Silences of which it isn't known whether they cover its alerts.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) perhaps_silenced: Vec<Perhaps>,
    /// What Grafana calls the alert that it has now, where that isn't its title: the route is of that one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) other_name: Option<&'static str>,
    /// The InhibitionRules that surely hold its alerts back now.
    pub(super) inhibited: Vec<HeldBack>,
    /// Whether the last notifications of those who are told went out.
    pub(super) deliveries: Vec<Delivery>,
}

/// The last notification of a contact point, whichever alert it was of.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Delivery {
    pub(super) contact_point: String,
    /// The resource, where it is one that can be seen.
    pub(super) resource: Option<String>,
    #[serde(rename = "delivery")]
    pub(super) said: Option<String>,
    /// When the attempt was since which that is so.
    pub(super) last_sent: Option<Timestamp>,
}

impl Life {
    /// The life of a rule at a moment, in one of its Grafanas or in all.
    pub(super) fn new(
        objects: &[Object],
        rule: &Object,
        instance: Option<&str>,
        now: Timestamp,
        zones: Zones<'_>,
    ) -> Result<Self, String> {
        let Some(Typed::AlertRule(typed)) = &rule.typed else {
            return Err(format!(
                "AlertRule {} can't be read: it is of another version than this program",
                path(&rule.namespace, &rule.name)
            ));
        };
        let meta = |field: &str| rule.value.get("metadata")?.get(field);
        let mut grafanas = Vec::new();
        for part in parts(rule) {
            if instance.is_some() && part.instance != instance {
                continue;
            }
            let way = ways(objects, part.instance.unwrap_or_default(), &[rule], now, zones)?;
            let way = way.into_iter().next().ok_or("nothing was asked")?;
            grafanas.push(there(objects, rule, &part, way));
        }
        if grafanas.is_empty() {
            return Err(format!(
                "AlertRule {} isn't for GrafanaInstance {}",
                path(&rule.namespace, &rule.name),
                instance.unwrap_or_default()
            ));
        }
        Ok(Self {
            rule: path(&rule.namespace, &rule.name),
            generation: meta("generation").and_then(Value::as_i64),
            created: meta("creationTimestamp").and_then(|time| time.as_str()?.parse().ok()),
            title: rule::title(&typed.spec, &rule.name).to_owned(),
            severity: severity(rule),
            is_recording: typed.spec.record.is_some(),
            query: query(rule),
            grafanas,
        })
    }
}

/// The rule of this name.
pub(super) fn find<'a>(objects: &'a [Object], namespace: &str, name: &str) -> Result<&'a Object, String> {
    let rules = || objects.iter().filter(|object| object.kind == "AlertRule");
    if let Some(found) = rules().find(|rule| rule.namespace == namespace && rule.name == name) {
        return Ok(found);
    }
    let hint = hint(
        namespace,
        name,
        rules().map(|rule| (&*rule.namespace, &*rule.name)),
    );
    Err(format!(
        "there is no AlertRule {name} in namespace {namespace}{hint}"
    ))
}

/// What the rule asks, as the operator takes it apart.
fn query(rule: &Object) -> Query {
    let spec = rule.spec();
    let text = |at: &str| spec.pointer(at).and_then(Value::as_str).map(str::to_owned);
    let source = ["/datasource/name", "/datasource/uid", "/datasource/type"];
    let is_record = spec.get("record").is_some();
    let mut query = Query {
        queries: Vec::new(),
        comparison: None,
        note: None,
        datasource: source.iter().find_map(|at| text(at)),
        r#for: (!is_record).then(|| text("/for").unwrap_or_else(|| "0s".to_owned())),
        interval: text("/interval").unwrap_or_else(|| "1m".to_owned()),
    };
    let Some(own) = text("/query") else {
        let nodes = spec.get("data").and_then(Value::as_array);
        let nodes = || nodes.into_iter().flatten();
        let sources: BTreeSet<&str> = nodes().filter_map(source_of).collect();
        let is_one = sources.len() == 1;
        query.datasource = Some(sources.into_iter().collect::<Vec<_>>().join(", "));
        query.datasource = query.datasource.filter(|sources| !sources.is_empty());
        query.queries = nodes()
            .map(|one| {
                let (name, asks) = node(one);
                let of = source_of(one).filter(|_| !is_one);
                (
                    name,
                    of.map_or(asks.clone(), |of| format!("{asks} (data source {of})")),
                )
            })
            .collect();
        query.note = if is_record {
            text("/record/metric").map(|metric| format!("recorded as {metric}"))
        } else {
            text("/condition").map(|condition| format!("{condition} decides"))
        };
        return query;
    };
    match split(&own) {
        Ok(Split::Comparison {
            query: asked,
            op,
            threshold,
        }) if !is_record => {
            query.queries.push(("A".to_owned(), asked.to_owned()));
            query.comparison = Some(format!("{} {threshold}", op.as_str()));
        }
        Ok(Split::Whole(whole, obstacle)) if !is_record => {
            query.queries.push(("A".to_owned(), whole.to_owned()));
            query.note = Some(format!("fires for each sample, because {obstacle}"));
        }
        Ok(_) => {
            query.queries.push(("A".to_owned(), own.trim().to_owned()));
            query.note = text("/record/metric").map(|metric| format!("recorded as {metric}"));
        }
        Err(error) => {
            query.queries.push(("A".to_owned(), own.clone()));
            query.note = Some(error.to_string());
        }
    }
    query
}

/// The data source that an entry of Grafana's own model asks; none for an expression.
fn source_of(node: &Value) -> Option<&str> {
    let uid = node.get("datasourceUid")?.as_str()?;
    (!matches!(uid, "__expr__" | "-100")).then_some(uid)
}

/// One query or expression of Grafana's own model: what it asks, wherever its type has that.
fn node(node: &Value) -> (String, String) {
    let name = node.get("refId").and_then(Value::as_str).unwrap_or_default();
    let asks = ["expr", "query", "expression", "rawSql"]
        .iter()
        .find_map(|field| node.get("model")?.get(field)?.as_str());
    let kind = node.pointer("/model/type").and_then(Value::as_str);
    let asks = asks.unwrap_or("(see spec.data)");
    (
        name.to_owned(),
        kind.map_or_else(|| asks.to_owned(), |kind| format!("{kind}: {asks}")),
    )
}

fn there(objects: &[Object], rule: &Object, part: &Part<'_>, way: Way) -> There {
    let text = |field: &str| part.text(field).map(str::to_owned);
    let (route, why_not) = match way.answer {
        Ok(answer) => (Some(answer), None),
        Err(why) => (None, Some(why)),
    };
    let mut names: Vec<&str> = Vec::new();
    for told in route.iter().flat_map(|answer| &answer.contact_points) {
        if !names.contains(&told.contact_point.as_str()) {
            names.push(&told.contact_point);
        }
    }
    let deliveries = names
        .into_iter()
        .map(|name| delivery(objects, part.instance, name))
        .collect();
    There {
        instance: part.instance.map(str::to_owned),
        folder: text("folder"),
        folder_uid: text("folderUID"),
        group: text("group"),
        uid: text("uid"),
        url: text("url"),
        in_sync_since: part.in_sync_since(),
        why: part.why(rule),
        as_written: part.as_written(rule).into_iter().chain(way.policies).collect(),
        state: text("state"),
        state_since: part.moment("stateSince"),
        state_message: text("stateMessage"),
        deliveries,
        route,
        why_not,
        unknown_labels: way.unknown,
        silenced: way.silenced,
        perhaps_silenced: way.perhaps,
        other_name: way.other_name,
        inhibited: way.inhibited,
    }
}

/// What became of the last notifications of the contact point with this name in a Grafana.
fn delivery(objects: &[Object], instance: Option<&str>, name: &str) -> Delivery {
    let found = objects.iter().find_map(|object| {
        let Some(Typed::ContactPoint(point)) = &object.typed else {
            return None;
        };
        if contact_point::name(&point.spec, &object.name) != name {
            return None;
        }
        let part = parts(object).into_iter().find(|part| part.instance == instance)?;
        Some((path(&object.namespace, &object.name), part))
    });
    Delivery {
        contact_point: name.to_owned(),
        said: found
            .as_ref()
            .and_then(|(_, part)| Some(part.text("delivery")?.to_owned())),
        last_sent: found.as_ref().and_then(|(_, part)| part.moment("lastSent")),
        resource: found.map(|(resource, _)| resource),
    }
}

impl There {
    /// Who is told.
    pub(super) fn told(&self) -> Option<Vec<String>> {
        self.route.as_ref().map(told)
    }
}
