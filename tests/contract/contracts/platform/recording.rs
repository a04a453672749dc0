//! Recording rules.

use serde_json::{Value, json};

use super::{At, RULES, Refusal, merge_patch, note, read, with};
use crate::{
    fixtures::{self, folder},
    harness::{
        call::{Call, delete, get, post},
        contract::{
            Contract,
            Source::{Code, Unconfirmed},
        },
    },
};

const KIND: &str = "recordingrules";

fn record() -> Value {
    json!({
        "metadata": {"name": "<r>", "annotations": {"grafana.app/folder": "<f>"}},
        "spec": {
            "title": "<r>", "trigger": {"interval": "1m"}, "metric": "some_metric", "targetDatasourceUID": "target",
            "expressions": {"A": {"source": true, "model": {"type": "math", "expression": "1 + 1"}}},
        },
    })
}

fn made(at: &At) -> Call {
    post(at.of(KIND), record()).is(201)
}

pub fn contracts() -> Vec<Contract> {
    let compat = Code("pkg/registry/apps/alerting/rules/recordingrule/compat.go");
    vec![
        RULES.contract("a recording rule", "is shown with its metric and without what only alerts have", compat, |at| {
            [
                folder("f"),
                made(at)
                    .at("/kind", "RecordingRule")
                    .at("/spec/metric", "some_metric")
                    .at("/spec/targetDatasourceUID", "target")
                    .at("/spec/expressions/A/source", true)
                    .lacks("/spec/noDataState")
                    .lacks("/spec/for")
                    .lacks("/spec/annotations"),
                get(at.one(KIND, "<r>")).is(200),
                delete(at.one(KIND, "<r>")).is(200),
                get(at.one(KIND, "<r>")).is(404),
            ]
        }),
        RULES.contract("a recording rule, asked for as an alert rule", "isn't there", read::RULE_STORAGE, |at| {
            [
                folder("f"),
                made(at),
                get(at.one("alertrules", "<r>")).refused(404, "NotFound"),
                get(at.of("alertrules")).lacks("/items/metadata.name=<r>"),
                get(at.of(KIND)).there("/items/metadata.name=<r>"),
            ]
        }),
        RULES.contract("a recording rule at the older address", "is a rule with a record", compat, |at| {
            [
                folder("f"),
                made(at),
                get(format!("{}/<r>", fixtures::RULES))
                    .at("/record/metric", "some_metric")
                    .at("/record/from", "A")
                    .at("/record/target_datasource_uid", "target"),
            ]
        }),
        RULES.contract("a recording rule with a metric that there can't be", "is invalid", [
            Code("apps/alerting/rules/kinds/v0alpha1/recordingRule_spec.cue"),
            Unconfirmed("the admission may make 403 of it"),
        ], |at| {
            [
                folder("f"),
                post(at.of(KIND), with(record(), json!({"spec": {"metric": "no metric"}}))).refused(422, "Invalid").there("/details/causes/field=spec.metric"),
            ]
        }),
        RULES.contract("a list of recording rules by a field", "is chosen by the metric", Code("apps/alerting/rules/kinds/recordingRule.cue"), |at| {
            [
                folder("f"),
                made(at),
                get(format!("{}?fieldSelector=spec.metric%3Dsome_metric", at.of(KIND))).lists("/items/*/metadata/name", ["<r>"]),
                get(format!("{}?fieldSelector=spec.metric%3Dother", at.of(KIND))).counts("/items/*", 0),
            ]
        }),
        RULES.contract("a patch of a recording rule", "changes what it names", compat, |at| {
            [
                folder("f"),
                made(at),
                merge_patch(at.one(KIND, "<r>"), json!({"metadata": {"annotations": {"grafana.com/provenance": "api"}}, "spec": {"paused": true}}))
                    .is(200)
                    .at("/spec/paused", true)
                    .at(&note("grafana.com/provenance"), "api"),
            ]
        }),
    ]
}
