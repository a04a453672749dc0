//! Groups, as `/apis` sees those that the older addresses have made.

use serde_json::{Value, json};

use super::{At, RULES, Refusal, label, merge_patch, read, rule, with};
use crate::{
    fixtures::{self, folder, group, group_of},
    harness::{
        call::{Call, get, post, put},
        contract::{
            Contract,
            Source::{Code, Unconfirmed},
        },
    },
};

const KIND: &str = "alertrules";
const GROUP: &str = "grafana.com/group";
const INDEX: &str = "grafana.com/group-index";

/// A group of two rules without a provenance.
fn made() -> [Call; 2] {
    [
        folder("f"),
        put(
            group_of("f"),
            group("f", [fixtures::rule("f", "a"), fixtures::rule("f", "b")]),
        )
        .unprovisioned()
        .is(200),
    ]
}

fn labels(at: &At, name: &str, labels: Value) -> Call {
    merge_patch(
        at.one(KIND, name),
        Value::from_iter([("metadata", Value::from_iter([("labels", labels)]))]),
    )
}

pub fn contracts() -> Vec<Contract> {
    let mut all = labelled();
    all.extend(moved());
    all
}

/// What the labels of a group say, and which can't be set.
fn labelled() -> Vec<Contract> {
    let groups = Code("apps/alerting/rules/pkg/app/util/group_validation.go");
    vec![
        RULES.contract(
            "a rule of a group below /apis",
            "says so in labels",
            read::DOORS,
            |at| {
                let [f, g] = made();
                [
                    f,
                    g,
                    get(at.one(KIND, "<a>"))
                        .at(&label(GROUP), "<group>")
                        .there(&label(INDEX)),
                    get(at.one(KIND, "<b>")).at(&label(GROUP), "<group>"),
                ]
            },
        ),
        RULES.contract(
            "a rule that /apis has made",
            "has no labels of a group",
            read::RULES,
            |at| {
                [
                    folder("f"),
                    post(at.of(KIND), rule("f", "r"))
                        .is(201)
                        .lacks(&label(GROUP))
                        .lacks(&label(INDEX)),
                ]
            },
        ),
        RULES.contract(
            "a label of a group on a rule without one",
            "is forbidden",
            [groups, read::RULE_TESTS],
            |at| {
                [
                    folder("f"),
                    post(at.of(KIND), rule("f", "r")).keep("/metadata/name", "name"),
                    labels(at, "<name>", json!({GROUP: "g", INDEX: "1"})).refused(403, "Forbidden"),
                ]
            },
        ),
        RULES.contract(
            "a label of a group without the index",
            "is forbidden",
            groups,
            |at| {
                let [f, g] = made();
                [
                    f,
                    g,
                    labels(at, "<a>", json!({INDEX: null})).refused(403, "Forbidden"),
                    labels(at, "<a>", json!({GROUP: null})).refused(403, "Forbidden"),
                ]
            },
        ),
    ]
}

/// What a change of one rule does to its siblings.
fn moved() -> Vec<Contract> {
    vec![
        RULES.contract(
            "another name of the group in the labels",
            "moves the rule",
            read::DOORS,
            |at| {
                let [f, g] = made();
                [
                    f,
                    g,
                    labels(at, "<a>", json!({GROUP: "<other>"}))
                        .is(200)
                        .at(&label(GROUP), "<other>"),
                    get(format!("{}/<a>", fixtures::RULES)).at("/ruleGroup", "<other>"),
                    get(format!("{}/<b>", fixtures::RULES)).at("/ruleGroup", "<group>"),
                ]
            },
        ),
        RULES.contract(
            "an interval of a rule of a group",
            "is that of its siblings too",
            read::RULES,
            |at| {
                let [f, g] = made();
                [
                    f,
                    g,
                    merge_patch(
                        at.one(KIND, "<a>"),
                        json!({"spec": {"trigger": {"interval": "2m"}}}),
                    )
                    .is(200)
                    .at("/spec/trigger/interval", "2m"),
                    get(at.one(KIND, "<b>")).at("/spec/trigger/interval", "2m"),
                    get(group_of("f")).at("/interval", 120),
                ]
            },
        ),
        RULES.contract(
            "a change of a rule of a group",
            "changes the version of its siblings",
            Code("pkg/services/ngalert/store/alert_rule.go"),
            |at| {
                let [f, g] = made();
                [
                    f,
                    g,
                    get(at.one(KIND, "<b>")).keep("/metadata/resourceVersion", "was"),
                    merge_patch(at.one(KIND, "<a>"), json!({"spec": {"title": "<c>"}})).is(200),
                    get(at.one(KIND, "<b>")).differs("/metadata/resourceVersion", "<was>"),
                ]
            },
        ),
        RULES.contract(
            "a PUT of a rule of a group without its labels",
            "takes it out of the group",
            Unconfirmed("the labels are said to be kept only if they are sent back"),
            |at| {
                let [f, g] = made();
                [
                    f,
                    g,
                    labels(at, "<a>", json!({GROUP: null, INDEX: null}))
                        .is(200)
                        .lacks(&label(GROUP)),
                ]
            },
        ),
        RULES.contract(
            "a list of the rules of a group",
            "is chosen by the label",
            Code("pkg/registry/apps/alerting/rules/common/selectors.go"),
            |at| {
                let [f, g] = made();
                [
                    f,
                    g,
                    post(
                        at.of(KIND),
                        with(rule("f", "c"), json!({"metadata": {"name": "<c>"}})),
                    )
                    .is(201),
                    get(format!("{}?labelSelector={GROUP}%3D<group>", at.of(KIND)))
                        .lists("/items/*/metadata/name", ["<a>", "<b>"]),
                    get(format!("{}?labelSelector=!{GROUP}", at.of(KIND)))
                        .lists("/items/*/metadata/name", ["<c>"]),
                    get(format!("{}?labelSelector={GROUP}", at.of(KIND))).counts("/items/*", 2),
                ]
            },
        ),
    ]
}
