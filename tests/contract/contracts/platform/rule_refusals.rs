//! Alert rules that are refused, and how.

use serde_json::{Value, json};

use super::{At, RULES, Refusal, read, rule, with};
use crate::{
    fixtures::folder,
    harness::{
        call::{Call, get, post},
        contract::{
            Contract,
            Source::{Code, Unconfirmed},
        },
    },
};

const KIND: &str = "alertrules";

/// A rule that the admission minds: 403, whatever it is.
fn refused(at: &At, changes: Value, says: &str) -> [Call; 2] {
    [
        folder("f"),
        post(at.of(KIND), with(rule("f", "r"), changes))
            .refused(403, "Forbidden")
            .at("/details/kind", KIND)
            .lacks("/details/uid")
            .says(says),
    ]
}

pub fn contracts() -> Vec<Contract> {
    let mut all = admission();
    all.extend(others());
    all
}

/// What the admission minds.
fn admission() -> Vec<Contract> {
    let groups = [
        Code("apps/alerting/rules/pkg/app/util/group_validation.go"),
        read::RULE_TESTS,
    ];
    let interval = [
        Code("apps/alerting/rules/pkg/app/util/validator.go"),
        read::RULE_TESTS,
    ];
    vec![
        RULES.contract("a POST of a rule with the labels of a group", "is forbidden", groups, |at| {
            refused(at, json!({"metadata": {"labels": {"grafana.com/group": "g", "grafana.com/group-index": "0"}}}), "cannot set group")
        }),
        RULES.contract("a POST of a rule without a folder", "is forbidden", read::ADMISSION, |at| {
            refused(at, json!({"metadata": {"annotations": {"grafana.app/folder": null}}}), "folder is required")
        }),
        RULES.contract("a POST of a rule into a folder that isn't there", "is forbidden", read::ADMISSION, |at| {
            refused(at, json!({"metadata": {"annotations": {"grafana.app/folder": "nowhere"}}}), "folder does not exist")
        }),
        RULES.contract("a rule with a provenance that there isn't", "is forbidden", read::ADMISSION, |at| {
            refused(at, json!({"metadata": {"annotations": {"grafana.com/provenance": "invalid"}}}), "invalid provenance status")
        }),
        RULES.contract("a rule without a source", "is forbidden", [read::ADMISSION, read::RULE_TESTS], |at| {
            refused(at, json!({"spec": {"expressions": {"A": {"source": null}}}}), "marked as source")
        }),
        RULES.contract("a rule with an interval that isn't a multiple of the base", "is forbidden", interval, |at| {
            refused(at, json!({"spec": {"trigger": {"interval": "15s"}}}), "multiple of base evaluation interval")
        }),
        RULES.contract("a rule with a title of 191 letters", "is forbidden", read::ADMISSION, |at| {
            refused(at, json!({"spec": {"title": "x".repeat(191)}}), "too long")
        }),
        RULES.contract("a rule with a label that is Grafana's own", "is forbidden", read::ADMISSION, |at| {
            refused(at, json!({"spec": {"labels": {"__grafana_receiver__": "x"}}}), "reserved")
        }),
        RULES.contract("a rule that waits for no time", "is forbidden, and has to say nothing of it", read::ADMISSION, |at| {
            refused(at, json!({"spec": {"for": "0s"}}), "must be greater than 0")
        }),
        RULES.contract("a rule with a receiver that isn't there", "is forbidden", [read::ADMISSION, Code("pkg/registry/apps/alerting/rules/register.go")], |at| {
            refused(at, json!({"spec": {"notificationSettings": {"type": "SimplifiedRouting", "receiver": "<nobody>"}}}), "<nobody>")
        }),
        RULES.contract("a rule with a routing tree that isn't there", "is forbidden", [read::ADMISSION, Code("pkg/registry/apps/alerting/rules/register.go")], |at| {
            refused(at, json!({"spec": {"notificationSettings": {"type": "NamedRoutingTree", "routingTree": "<nothing>"}}}), "<nothing>")
        }),
    ]
}

/// What others mind: the conversion, the schema, the server.
fn others() -> Vec<Contract> {
    let schema = [
        Code("apps/alerting/rules/pkg/app/validation/openapi.go"),
        Unconfirmed("the admission may make 403 of it"),
    ];
    vec![
        RULES.contract("a rule with two sources", "is refused without an id", [read::RULES, Unconfirmed("that a plain error becomes 500")], |at| {
            [
                folder("f"),
                post(at.of(KIND), with(rule("f", "r"), json!({"spec": {"expressions": {"B": {"source": true, "model": {"type": "math", "expression": "1 == 0"}}}}})))
                    .either([403, 422, 500])
                    .at("/kind", "Status")
                    .lacks("/details/uid")
                    .says("multiple queries marked as source"),
            ]
        }),
        RULES.contract("a POST of a rule whose name is to be generated", "is refused without an id", read::RULE_STORAGE, |at| {
            [
                folder("f"),
                post(at.of(KIND), with(rule("f", "r"), json!({"metadata": {"generateName": "r-"}})))
                    .is(500)
                    .at("/kind", "Status")
                    .says("generate-name is not supported"),
            ]
        }),
        RULES.contract("a rule with a state that there isn't", "is invalid, and the cause names the field", schema, |at| {
            [
                folder("f"),
                post(at.of(KIND), with(rule("f", "r"), json!({"spec": {"noDataState": "Bogus"}})))
                    .refused(422, "Invalid")
                    .there("/details/causes/field=spec.noDataState"),
            ]
        }),
        RULES.contract("a rule with a duration that can't be read", "is invalid, and the cause names the field", schema, |at| {
            [
                folder("f"),
                post(at.of(KIND), with(rule("f", "r"), json!({"spec": {"keepFiringFor": "soon"}})))
                    .refused(422, "Invalid")
                    .there("/details/causes/field=spec.keepFiringFor"),
            ]
        }),
        RULES.contract("a rule with several faults", "is invalid, with a cause for each", schema, |at| {
            [
                folder("f"),
                post(at.of(KIND), with(rule("f", "r"), json!({"spec": {"noDataState": "Bogus", "execErrState": "Bogus"}})))
                    .refused(422, "Invalid")
                    .there("/details/causes/field=spec.noDataState")
                    .there("/details/causes/field=spec.execErrState"),
            ]
        }),
        RULES.contract("a rule with a title that isn't a text", "is a bad request", read::SERVER, |at| {
            [folder("f"), post(at.of(KIND), with(rule("f", "r"), json!({"spec": {"title": 5}}))).refused(400, "BadRequest")]
        }),
        RULES.contract("a rule without a title", "is refused without an id", Unconfirmed("the older address calls it invalid in a plain error"), |at| {
            [
                folder("f"),
                post(at.of(KIND), with(rule("f", "r"), json!({"spec": {"title": ""}}))).either([403, 422, 500]).at("/kind", "Status").lacks("/details/uid"),
            ]
        }),
        RULES.contract("a POST of a rule with a uid that is taken", "is a conflict", Code("pkg/services/ngalert/models/errors.go, ErrAlertRuleConflict"), |at| {
            [
                folder("f"),
                post(at.of(KIND), with(rule("f", "r"), json!({"metadata": {"name": "<r>"}}))).is(201),
                post(at.of(KIND), with(rule("f", "s"), json!({"metadata": {"name": "<r>"}})))
                    .refused(409, "Conflict")
                    .detail("alerting.alert-rule.conflict"),
                get(at.one(KIND, "<r>")).at("/spec/title", "<r>"),
            ]
        }),
    ]
}
