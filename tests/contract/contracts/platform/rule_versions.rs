//! Versions of alert rules, and whose they are.

use serde_json::{Value, json};

use super::{At, Group, RULES, Refusal, annotated, delete_version, merge_patch, note, read, rule, with};
use crate::{
    fixtures::{self, folder},
    harness::{
        call::{Call, delete, get, post, put},
        contract::{
            Contract,
            Source::{Code, Documentation, Unconfirmed},
            contract,
        },
        version::{before, since},
    },
};

const KIND: &str = "alertrules";
const NOTE: &str = "grafana.com/provenance";

/// Rules that know managers.
const MANAGED: Group = Group {
    name: RULES.name,
    served: &[
        ("13.1.0", Some("13.3.0"), "v0alpha1"),
        ("13.3.0", None, "v1beta1"),
    ],
};

fn own(annotations: Value) -> Value {
    with(
        with(rule("f", "r"), json!({"metadata": {"name": "<r>"}})),
        annotated(annotations),
    )
}

fn made(at: &At) -> Call {
    post(at.of(KIND), own(json!({}))).is(201)
}

pub fn contracts() -> Vec<Contract> {
    let service = Code("pkg/services/ngalert/provisioning/alert_rules.go");
    vec![
        RULES.contract("a PUT of a rule", "gives it the next version", read::RULE_TESTS, |at| {
            [
                folder("f"),
                made(at).at("/metadata/resourceVersion", "1"),
                put(at.one(KIND, "<r>"), with(own(json!({})), json!({"spec": {"title": "<s>"}}))).is(200).at("/metadata/resourceVersion", "2"),
                get(at.one(KIND, "<r>")).at("/spec/title", "<s>").at("/metadata/resourceVersion", "2"),
            ]
        }),
        RULES.contract(
            "a PUT of a rule for an old version",
            "overwrites the new one",
            [read::RULE_STORAGE, Documentation("documentation of 13.3 says that nothing is overwritten")],
            |at| {
                [
                    folder("f"),
                    made(at),
                    merge_patch(at.one(KIND, "<r>"), json!({"spec": {"title": "<s>"}})).is(200),
                    put(at.one(KIND, "<r>"), with(own(json!({})), json!({"metadata": {"resourceVersion": "1"}}))).is(200).at("/spec/title", "<r>"),
                ]
            },
        ),
        contract("a PUT of a rule for an old version where versions are checked")
            .setting("double.check_rule_versions=true")
            .absent(before("13.0.0"))
            .case(since("13.0.0"), "is a conflict", Documentation("documentation of 13.3; terraform-provider-grafana appplatform/errors.go"), [
                folder("f"),
                post(format!("/apis/{}/v0alpha1/namespaces/<space>/alertrules", RULES.name), own(json!({}))).is(201),
                merge_patch(format!("/apis/{}/v0alpha1/namespaces/<space>/alertrules/<r>", RULES.name), json!({"spec": {"title": "<s>"}})).is(200),
                put(
                    format!("/apis/{}/v0alpha1/namespaces/<space>/alertrules/<r>", RULES.name),
                    with(own(json!({})), json!({"metadata": {"resourceVersion": "1"}})),
                )
                .refused(409, "Conflict"),
                put(format!("/apis/{}/v0alpha1/namespaces/<space>/alertrules/<r>", RULES.name), own(json!({}))).is(200),
            ]),
        RULES.contract("a DELETE of a rule for another version", "deletes it all the same", read::RULE_STORAGE, |at| {
            [folder("f"), made(at), delete_version(at.one(KIND, "<r>"), "99").is(200), get(at.one(KIND, "<r>")).is(404)]
        }),
        RULES.contract("the provenance of a rule", "is the one that it is sent with", read::DOORS, |at| {
            [
                folder("f"),
                post(at.of(KIND), own(json!({NOTE: "api"}))).is(201).at(&note(NOTE), "api"),
                get(format!("{}/<r>", fixtures::RULES)).at("/provenance", "api"),
                delete(at.one(KIND, "<r>")).is(200),
            ]
        }),
        RULES.contract("a rule without a provenance", "says nothing of it", read::RULE_TESTS, |at| {
            [folder("f"), made(at).at(&note(NOTE), ""), get(format!("{}/<r>", fixtures::RULES)).lacks("/provenance")]
        }),
        RULES.contract("a PUT of a rule that takes its provenance off", "is a conflict", service, |at| {
            [
                folder("f"),
                post(at.of(KIND), own(json!({NOTE: "api"}))).is(201),
                put(at.one(KIND, "<r>"), own(json!({}))).refused(409, "Conflict").detail("alerting.provenanceMismatch"),
            ]
        }),
        RULES.contract("a PUT of a rule that gives it a provenance", "is accepted", service, |at| {
            [folder("f"), made(at), put(at.one(KIND, "<r>"), own(json!({NOTE: "api"}))).is(200).at(&note(NOTE), "api")]
        }),
        MANAGED.contract("a manager of a rule", "is kept, and means a provenance", read::RULES, |at| {
            [
                folder("f"),
                post(at.of(KIND), own(json!({"grafana.app/managedBy": "kubectl", "grafana.app/managerId": "me"})))
                    .is(201)
                    .at(&note("grafana.app/managedBy"), "kubectl")
                    .at(&note("grafana.app/managerId"), "me")
                    .at(&note(NOTE), "api"),
                get(format!("{}/<r>", fixtures::RULES)).at("/provenance", "api"),
            ]
        }),
        MANAGED.contract("a manager of a rule that doesn't agree with its provenance", "is refused", read::RULES, |at| {
            [
                folder("f"),
                post(at.of(KIND), own(json!({"grafana.app/managedBy": "repo", "grafana.app/managerId": "me", NOTE: "api"})))
                    .either([403, 500])
                    .says("inconsistent"),
            ]
        }),
        MANAGED.contract(
            "a rule that another manager has",
            "can't be taken over",
            Unconfirmed("terraform-provider-grafana appplatform says so; status and id are guessed"),
            |at| {
                [
                    folder("f"),
                    post(at.of(KIND), own(json!({"grafana.app/managedBy": "kubectl", "grafana.app/managerId": "me"}))).is(201),
                    put(at.one(KIND, "<r>"), own(json!({"grafana.app/managedBy": "kubectl", "grafana.app/managerId": "you"}))).either([403, 409]),
                ]
            },
        ),
    ]
}
