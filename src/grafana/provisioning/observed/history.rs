//! The history of states: `/api/v1/rules/history` where it is kept in a Loki, else `/api/annotations`.
//!
//! Source: `pkg/services/ngalert/state/historian` (loki.go: a frame of `time`, `line`, `labels`; annotation.go: one rule at a time, which is why annotations are read
//! themselves: all of them are to be had there), and the documentation "Annotations HTTP API".
//!
//! A Loki refuses to look over more time than its `max_query_length` (30d1h by default), and to give more lines than its `max_entries_limit_per_query` (5,000 by
//! default); Grafana tells that as a failure of its own. So it is asked in pieces of time, and for fewer lines where it refuses.

use std::collections::{BTreeMap, BTreeSet};

use futures::FutureExt;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::Value;

use crate::grafana::api::Answer;
use crate::grafana::api::history::{History, KeptIn, Past, StateChange};
use crate::grafana::error::{Class, Error, Result};
use crate::grafana::provisioning::Provisioning;
use crate::grafana::transport::Call;
use crate::grafana::wire::null_as_default;

/// How many annotations a page has.
const PAGE: usize = 5000;
/// How many lines a Loki is asked for, and for how many where it refuses.
const LINES: [usize; 3] = [PAGE, 1000, 100];
/// An answer with so many may have been cut, whatever was asked for.
const FEW: usize = 100;
/// How much time a Loki is asked for at once.
const PIECE: SignedDuration = SignedDuration::from_hours(7 * 24);
/// How many changes are read at most.
const MOST: usize = 200_000;
/// How often is asked at most.
const CALLS: usize = 1000;

/// A data frame, as far as it is read.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Frame {
    schema: Schema,
    data: Data,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Schema {
    fields: Vec<Field>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Field {
    name: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Data {
    values: Vec<Vec<Value>>,
}

/// A line of a Loki.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Line {
    previous: String,
    current: String,
    #[serde(rename = "ruleUID")]
    rule_uid: String,
    labels: BTreeMap<String, String>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Annotation {
    id: i64,
    alert_id: i64,
    #[serde(rename = "alertUID", deserialize_with = "null_as_default")]
    alert_uid: String,
    #[serde(deserialize_with = "null_as_default")]
    new_state: String,
    #[serde(deserialize_with = "null_as_default")]
    prev_state: String,
    /// Milliseconds.
    time: i64,
    #[serde(deserialize_with = "null_as_default")]
    text: String,
}

/// A rule by its number, which annotations name it by.
#[derive(Deserialize)]
struct Numbered {
    #[serde(default)]
    id: i64,
    uid: String,
}

/// Whether a Loki has it.
enum Kept {
    Here(Past),
    /// Elsewhere, or the Loki has failed, with why.
    Elsewhere(Option<Error>),
}

impl History for Provisioning {
    fn changes(&self, from: Timestamp, to: Timestamp) -> Answer<'_, Past> {
        async move {
            let failed = match self.of_loki(from, to).await? {
                Kept::Here(past) => return Ok(past),
                Kept::Elsewhere(failed) => failed,
            };
            let past = self.of_annotations(from, to).await?;
            match failed {
                // That nothing is kept isn't known of a history that can't be read.
                Some(error) if past.changes.is_empty() => Err(error),
                failed => Ok(Past {
                    failed: failed.map(|error| error.to_string()),
                    ..past
                }),
            }
        }
        .boxed()
    }
}

impl Provisioning {
    /// What a Loki keeps, the newest piece first.
    async fn of_loki(&self, from: Timestamp, to: Timestamp) -> Result<Kept> {
        let mut all: Vec<StateChange> = Vec::new();
        let mut known = BTreeSet::new();
        let mut limits = LINES.into_iter();
        let mut limit = limits.next().unwrap_or(PAGE);
        let begin = |end: Timestamp| end.checked_sub(PIECE).map_or(from, |start| start.max(from));
        let (mut start, mut end) = (begin(to), to);
        for _ in 0..CALLS {
            let call = Call::get("history.loki", "api/v1/rules/history", &[])
                .of_many()
                .query("from", start.as_second().to_string())
                .query("to", (end.as_second() + 1).to_string())
                .query("limit", limit.to_string());
            let frame: Frame = match self.transport.fetch(call).await {
                Ok(frame) => frame,
                // Where annotations keep it a rule must be named, and where nothing does there is no such address.
                Err(error) if matches!(error.class(), Class::Rejected | Class::Missing) => {
                    return Ok(Kept::Elsewhere(None));
                }
                Err(error) => match (error.status(), limits.next()) {
                    (Some(500..), _) if error.to_string().contains("ruleUID") => {
                        return Ok(Kept::Elsewhere(None));
                    }
                    (Some(500..), Some(less)) => {
                        limit = less;
                        continue;
                    }
                    (Some(500..), None) if all.is_empty() => return Ok(Kept::Elsewhere(Some(error))),
                    _ => return Err(error),
                },
            };
            let Some(lines) = lines(&frame) else {
                return Ok(Kept::Elsewhere(None));
            };
            let (count, oldest) = (lines.len(), lines.iter().map(|change| change.at).min());
            let before = all.len();
            all.extend(lines.into_iter().filter(|change| known.insert(key(change))));
            let is_news = all.len() > before;
            if all.len() >= MOST || (count >= limit && !is_news) {
                return Ok(Kept::Here(past(KeptIn::Loki, all, true)));
            }
            match oldest {
                Some(oldest) if count >= FEW && is_news => end = oldest,
                _ if start <= from => return Ok(Kept::Here(past(KeptIn::Loki, all, false))),
                _ => (start, end) = (begin(start), start),
            }
        }
        Ok(Kept::Here(past(KeptIn::Loki, all, true)))
    }

    async fn of_annotations(&self, from: Timestamp, to: Timestamp) -> Result<Past> {
        let call = Call::get("history.rules", "api/v1/provisioning/alert-rules", &[]).of_many();
        let rules: Vec<Numbered> = self.transport.fetch(call).await?;
        let numbers: BTreeMap<i64, String> = rules.into_iter().map(|rule| (rule.id, rule.uid)).collect();
        let mut seen = BTreeSet::new();
        let mut all = Vec::new();
        let mut end = to.as_millisecond();
        while seen.len() < MOST {
            let call = Call::get("history.annotations", "api/annotations", &[])
                .of_many()
                .query("type", "alert")
                .query("from", from.as_millisecond().to_string())
                .query("to", end.to_string())
                .query("limit", PAGE.to_string());
            let page: Vec<Annotation> = self.transport.fetch(call).await?;
            let (count, oldest) = (page.len(), page.iter().map(|one| one.time).min());
            let before = seen.len();
            for annotation in page {
                if seen.insert(annotation.id) {
                    all.extend(changed(annotation, &numbers));
                }
            }
            match oldest {
                Some(oldest) if count >= FEW && seen.len() > before => end = oldest,
                _ => return Ok(past(KeptIn::Annotations, all, count >= PAGE)),
            }
        }
        Ok(past(KeptIn::Annotations, all, true))
    }
}

fn key(change: &StateChange) -> (String, Timestamp, Vec<(String, String)>, String) {
    let labels = change
        .labels
        .iter()
        .map(|(name, value)| (name.clone(), value.clone()));
    (
        change.rule.clone(),
        change.at,
        labels.collect(),
        change.after.clone(),
    )
}

fn past(kept_in: KeptIn, mut changes: Vec<StateChange>, is_cut: bool) -> Past {
    changes.sort_by_key(|change| change.at);
    Past {
        kept_in,
        changes,
        is_cut,
        failed: None,
    }
}

/// The lines of a frame; `None` where it has none, as that of another back end.
fn lines(frame: &Frame) -> Option<Vec<StateChange>> {
    let place = |name: &str| frame.schema.fields.iter().position(|field| field.name == name);
    let column = |at: usize| frame.data.values.get(at).map(Vec::as_slice).unwrap_or_default();
    if frame.schema.fields.is_empty() {
        return None;
    }
    let (times, texts) = (column(place("time")?), column(place("line")?));
    let rows = times.iter().zip(texts);
    Some(rows.filter_map(|(time, line)| of_line(time, line)).collect())
}

fn of_line(time: &Value, line: &Value) -> Option<StateChange> {
    // JSON, or JSON in a text.
    let line: Line = match line {
        Value::String(text) => serde_json::from_str(text).ok()?,
        object => serde_json::from_value(object.clone()).ok()?,
    };
    Some(StateChange {
        rule: line.rule_uid,
        labels: line.labels,
        at: Timestamp::from_millisecond(time.as_i64()?).ok()?,
        before: line.previous,
        after: line.current,
    })
}

fn changed(annotation: Annotation, numbers: &BTreeMap<i64, String>) -> Option<StateChange> {
    let uid = Some(annotation.alert_uid).filter(|uid| !uid.is_empty());
    Some(StateChange {
        // What isn't there any more is told of nobody.
        rule: uid.or_else(|| numbers.get(&annotation.alert_id).cloned())?,
        labels: labels(&annotation.text),
        at: Timestamp::from_millisecond(annotation.time).ok()?,
        before: annotation.prev_state,
        after: annotation.new_state,
    })
}

/// The labels in the text of an annotation, `title {a=b, c=d} - Alerting`: Grafana writes them for people, so a value with `, ` in it is read as far as that.
fn labels(text: &str) -> BTreeMap<String, String> {
    let Some((_, rest)) = text.split_once('{') else {
        return BTreeMap::new();
    };
    let Some((inner, _)) = rest.rsplit_once('}') else {
        return BTreeMap::new();
    };
    let pairs = inner.split(", ").filter_map(|pair| pair.split_once('='));
    pairs
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_frame_of_a_loki_is_read_line_by_line_and_another_frame_is_none() {
        let line = json!({
            "schemaVersion": 1, "previous": "Pending", "current": "Alerting", "values": {"A": 3}, "condition": "B", "ruleTitle": "Errors", "ruleID": 7,
            "ruleUID": "aw-1", "labels": {"alertname": "Errors", "pod": "web-1"},
        });
        let frame: Frame = serde_json::from_value(json!({
            "schema": {"fields": [{"name": "time", "type": "time"}, {"name": "line", "type": "other"}, {"name": "labels", "type": "other"}]},
            "data": {"values": [[1_764_000_000_000_i64, 1_764_000_060_000_i64], [line, line.to_string()], [{}, {}]]},
        }))
        .unwrap();
        let read = lines(&frame).unwrap();
        assert_eq!(read.len(), 2);
        assert_eq!(
            (
                read[0].rule.as_str(),
                read[0].before.as_str(),
                read[0].after.as_str()
            ),
            ("aw-1", "Pending", "Alerting")
        );
        assert_eq!(read[1].labels["pod"], "web-1");
        assert_eq!(read[1].at.as_second() - read[0].at.as_second(), 60);
        let other = json!({"schema": {"fields": [{"name": "time"}, {"name": "prev"}, {"name": "next"}]}, "data": {"values": [[], [], []]}});
        assert_eq!(lines(&serde_json::from_value(other).unwrap()), None);
    }

    #[test]
    fn an_annotation_is_of_the_rule_that_it_names_by_its_uid_or_number() {
        let numbers = BTreeMap::from([(7, "aw-1".to_owned())]);
        let read = |value: Value| changed(serde_json::from_value(value).unwrap(), &numbers);
        let text = "Errors {alertname=Errors, pod=web-1} - Alerting";
        let annotation = json!({"id": 1, "alertId": 7, "alertName": "Errors", "newState": "Alerting", "prevState": "Pending", "time": 1_764_000_000_000_i64, "text": text, "tags": null, "data": {}});
        let one = read(annotation.clone()).unwrap();
        assert_eq!(
            (one.rule.as_str(), one.labels["pod"].as_str(), one.after.as_str()),
            ("aw-1", "web-1", "Alerting")
        );
        let mut named = annotation.clone();
        named["alertUID"] = json!("aw-2");
        assert_eq!(read(named).unwrap().rule, "aw-2");
        let mut gone = annotation;
        gone["alertId"] = json!(8);
        assert_eq!(read(gone), None);
    }
}
