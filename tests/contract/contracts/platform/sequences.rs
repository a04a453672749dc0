//! Sequences of rules, which are evaluated one after the other.

use serde_json::{Value, json};

use super::{At, Group, RULES, Refusal, named, note, update, with};
use crate::{
    fixtures::folder,
    harness::{
        call::{Call, delete, get, post},
        contract::{
            Contract,
            Source::{Code, Unconfirmed},
            contract,
        },
        version::{before, between, since},
    },
};

const KIND: &str = "rulesequences";

/// Since there are sequences.
const SEQUENCES: Group = Group {
    name: RULES.name,
    served: &[
        ("13.1.0", Some("13.3.0"), "v0alpha1"),
        ("13.3.0", None, "v1beta1"),
    ],
};

/// A folder and a recording rule in it, with the same name as the folder has in the contract.
fn recorded(at: &At, folder: &str, name: &str) -> Call {
    let name = format!("<{name}>");
    post(
        at.of("recordingrules"),
        json!({
            "metadata": {"name": name, "annotations": {"grafana.app/folder": format!("<{folder}>")}},
            "spec": {
                "title": name, "trigger": {"interval": "1m"}, "metric": "some_metric", "targetDatasourceUID": "target",
                "expressions": {"A": {"source": true, "model": {"type": "math", "expression": "1 + 1"}}},
            },
        }),
    )
    .is(201)
}

/// A sequence of recording rules in the folder `<f>`.
fn sequence(name: &str, rules: &[&str]) -> Value {
    let rules: Vec<_> = rules
        .iter()
        .map(|rule| json!({"name": format!("<{rule}>")}))
        .collect();
    with(
        named(
            &format!("<{name}>"),
            json!({"trigger": {"interval": "1m"}, "recordingRules": rules}),
        ),
        json!({"metadata": {"annotations": {"grafana.app/folder": "<f>"}}}),
    )
}

pub fn contracts() -> Vec<Contract> {
    let validator = Code("apps/alerting/rules/pkg/app/rulesequence/validator.go");
    let tests = Code("pkg/tests/apis/alerting/rules/rulesequence/rulesequence_test.go");
    vec![
        contract("the kind of rule sequences")
            .absent(before("13.0.0"))
            .case(
                between("13.0.0", "13.1.0"),
                "isn't there yet",
                Code("apps/alerting/rules/kinds/manifest.cue"),
                [get("/apis/rules.alerting.grafana.app/v0alpha1/namespaces/<space>/rulesequences").is(404)],
            )
            .case(
                since("13.1.0"),
                "is there",
                tests,
                [
                    get("/apis/rules.alerting.grafana.app/v0alpha1/namespaces/<space>/rulesequences")
                        .is(200)
                        .at("/kind", "RuleSequenceList"),
                ],
            ),
        SEQUENCES.contract(
            "a sequence of recording rules",
            "can be made, read and removed",
            tests,
            |at| {
                [
                    folder("f"),
                    recorded(at, "f", "a"),
                    recorded(at, "f", "b"),
                    post(at.of(KIND), sequence("q", &["a", "b"]))
                        .is(201)
                        .at("/kind", "RuleSequence")
                        .at(&note("grafana.app/folder"), "<f>"),
                    get(at.one(KIND, "<q>"))
                        .is(200)
                        .lists("/spec/recordingRules/*/name", ["<a>", "<b>"]),
                    delete(at.one(KIND, "<q>")).is(200),
                    get(at.one(KIND, "<q>")).refused(404, "NotFound"),
                ]
            },
        ),
        SEQUENCES.contract(
            "a sequence without a recording rule",
            "is forbidden",
            validator,
            |at| {
                [
                    folder("f"),
                    post(at.of(KIND), sequence("q", &[]))
                        .refused(403, "Forbidden")
                        .says("at least one recording rule"),
                ]
            },
        ),
        SEQUENCES.contract("a sequence without a folder", "is forbidden", validator, |at| {
            [
                folder("f"),
                recorded(at, "f", "a"),
                post(
                    at.of(KIND),
                    with(sequence("q", &["a"]), json!({"metadata": {"annotations": null}})),
                )
                .refused(403, "Forbidden")
                .says("folder"),
            ]
        }),
        SEQUENCES.contract(
            "a sequence of a rule that isn't there",
            "is forbidden",
            validator,
            |at| {
                [
                    folder("f"),
                    post(at.of(KIND), sequence("q", &["a"]))
                        .refused(403, "Forbidden")
                        .says("does not exist"),
                ]
            },
        ),
        SEQUENCES.contract(
            "a sequence of a rule of another folder",
            "is forbidden",
            validator,
            |at| {
                [
                    folder("f"),
                    folder("g"),
                    recorded(at, "g", "a"),
                    post(at.of(KIND), sequence("q", &["a"]))
                        .refused(403, "Forbidden")
                        .says("same folder"),
                ]
            },
        ),
        SEQUENCES.contract(
            "a sequence of a rule that is in another",
            "is forbidden",
            validator,
            |at| {
                [
                    folder("f"),
                    recorded(at, "f", "a"),
                    post(at.of(KIND), sequence("q", &["a"])).is(201),
                    post(at.of(KIND), sequence("p", &["a"]))
                        .refused(403, "Forbidden")
                        .says("already belongs"),
                ]
            },
        ),
        SEQUENCES.contract(
            "a sequence that names a rule twice",
            "is forbidden",
            validator,
            |at| {
                [
                    folder("f"),
                    recorded(at, "f", "a"),
                    post(at.of(KIND), sequence("q", &["a", "a"]))
                        .refused(403, "Forbidden")
                        .says("multiple times"),
                ]
            },
        ),
        SEQUENCES.contract(
            "a sequence that the server is to name",
            "has a name that begins as was asked",
            tests,
            |at| {
                [
                    folder("f"),
                    recorded(at, "f", "a"),
                    post(
                        at.of(KIND),
                        with(
                            sequence("q", &["a"]),
                            json!({"metadata": {"name": null, "generateName": "<q>-"}}),
                        ),
                    )
                    .is(201)
                    .keep("/metadata/name", "name"),
                    get(at.one(KIND, "<name>")).is(200),
                ]
            },
        ),
        SEQUENCES.contract(
            "a PUT of an old version of a sequence",
            "is a conflict",
            Unconfirmed("unified storage is said to check versions; not tried"),
            |at| {
                [
                    folder("f"),
                    recorded(at, "f", "a"),
                    post(at.of(KIND), sequence("q", &["a"])).keep("/metadata/resourceVersion", "was"),
                    update(
                        at.one(KIND, "<q>"),
                        "<q>",
                        "<was>",
                        with(
                            sequence("q", &["a"]),
                            json!({"spec": {"trigger": {"interval": "2m"}}}),
                        ),
                    )
                    .is(200)
                    .at("/spec/trigger/interval", "2m"),
                    update(at.one(KIND, "<q>"), "<q>", "<was>", sequence("q", &["a"]))
                        .refused(409, "Conflict"),
                ]
            },
        ),
    ]
}
