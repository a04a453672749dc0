//! One JSON document, for programs.

use serde_json::{Value, json};

use super::super::common::document::as_json;
use super::super::common::print::API_VERSION;
use super::tested::{Run, Tested};
use super::text::{shown_labels as shown, stamp};

pub(super) fn all(tested: &[Tested<'_>]) -> String {
    let rules: Vec<Value> = tested.iter().map(of).collect();
    let document = json!({"apiVersion": API_VERSION, "kind": "BacktestReport", "rules": rules});
    as_json(&document)
}

fn of(tested: &Tested<'_>) -> Value {
    let span = tested.span;
    json!({
        "namespace": tested.subject.object.namespace, "name": tested.subject.object.name, "title": tested.subject.rule.title,
        "from": stamp(span.from), "to": stamp(span.to), "stepSeconds": span.step, "evaluations": span.count(),
        "notes": tested.notes, "runs": tested.runs.iter().map(run).collect::<Vec<_>>(),
    })
}

fn run(run: &Run) -> Value {
    let past = &run.past;
    let firings = past.firings.iter().map(|firing| {
        json!({
            "alert": firing.of.to_string(), "started": stamp(firing.started), "ended": firing.ended.map(stamp),
            "seconds": firing.length(past.span), "peak": firing.peak, "labels": shown(&firing.labels),
        })
    });
    json!({
        "of": if run.called == "in Grafana" { "Grafana" } else { "resource" },
        "stepSeconds": past.span.step, "evaluations": past.span.count(),
        "count": past.of_condition().count(), "firingSeconds": past.fired(), "longestSeconds": past.longest(), "flaps": past.flaps(),
        "wouldPage": run.paged.as_ref().ok(), "evaluationsWithoutData": past.without_data, "failedEvaluations": past.failed.0,
        "firings": firings.collect::<Vec<_>>(),
    })
}
