//! Rules that one door writes and the other reads: `/apis` and the older addresses.

use serde_json::{Value, json};

use super::{RULES, Refusal, label, merge_patch, note, read, rule, with};
use crate::{
    fixtures::{self, but, folder, group_of, node, stored},
    harness::{
        call::{delete, get, post, put},
        contract::{Contract, Source::Unconfirmed},
    },
};

const NOTE: &str = "grafana.com/provenance";
const SENTINEL: &str = "no_group_for_rule_<r>";

/// A rule that /apis makes, and its name is the contract's.
fn own() -> Value {
    with(rule("f", "r"), json!({"metadata": {"name": "<r>"}}))
}

/// The same, of whom the older addresses may change.
fn provisioned() -> Value {
    with(own(), json!({"metadata": {"annotations": {NOTE: "api"}}}))
}

fn older(name: &str) -> String {
    format!("{}/<{name}>", fixtures::RULES)
}

pub fn contracts() -> Vec<Contract> {
    let mut all = rules();
    all.extend(sentinels());
    all.extend(refusals());
    all
}

fn rules() -> Vec<Contract> {
    vec![
        RULES.contract(
            "a rule that /apis has made, at the older address",
            "is in a group of its own",
            read::DOORS,
            |at| {
                [
                    folder("f"),
                    post(at.of("alertrules"), own()).is(201),
                    get(older("r"))
                        .is(200)
                        .at("/title", "<r>")
                        .at("/folderUID", "<f>")
                        .at("/ruleGroup", SENTINEL)
                        .at("/condition", "A"),
                    get("/api/ruler/grafana/api/v1/rules").there(&format!("/*/name={SENTINEL}")),
                ]
            },
        ),
        RULES.contract(
            "a rule of several expressions, at the older address",
            "has all of them, in whatever order",
            read::RULES,
            |at| {
                let expressions = json!({
                    "A": {"source": null, "model": {"type": "math", "expression": "1 + 1"}},
                    "B": {"source": true, "model": {"type": "math", "expression": "$A > 3"}},
                });
                [
                    folder("f"),
                    post(
                        at.of("alertrules"),
                        with(own(), json!({"spec": {"expressions": expressions}})),
                    )
                    .is(201),
                    get(older("r"))
                        .at("/condition", "B")
                        .counts("/data/*", 2)
                        .at("/data/refId=A/model/expression", "1 + 1")
                        .at("/data/refId=B/model/expression", "$A > 3"),
                ]
            },
        ),
        RULES.contract(
            "the provenance of a rule that the older address has made",
            "is in an annotation",
            read::RULES,
            |at| {
                [
                    folder("f"),
                    stored(fixtures::rule("f", "r")),
                    get(at.one("alertrules", "<r>"))
                        .is(200)
                        .at(&note(NOTE), "api")
                        .at("/spec/title", "<r>")
                        .at("/spec/for", "5m0s"),
                ]
            },
        ),
        RULES.contract(
            "a provenance that /apis has written",
            "is that of the rule at the older address",
            read::RULES,
            |at| {
                [
                    folder("f"),
                    post(at.of("alertrules"), provisioned()).is(201),
                    get(older("r")).at("/provenance", "api"),
                    put(
                        older("r"),
                        but(
                            fixtures::rule("f", "r"),
                            json!({"ruleGroup": SENTINEL, "title": "<s>"}),
                        ),
                    )
                    .is(200),
                    get(at.one("alertrules", "<r>"))
                        .at("/spec/title", "<s>")
                        .at(&note(NOTE), "api"),
                ]
            },
        ),
        RULES.contract(
            "a write at the older address",
            "changes the version that /apis shows",
            read::DOORS,
            |at| {
                [
                    folder("f"),
                    stored(fixtures::rule("f", "r")),
                    get(at.one("alertrules", "<r>")).keep("/metadata/resourceVersion", "was"),
                    put(older("r"), but(fixtures::rule("f", "r"), json!({"title": "<s>"}))).is(200),
                    get(at.one("alertrules", "<r>"))
                        .at("/spec/title", "<s>")
                        .differs("/metadata/resourceVersion", "<was>"),
                ]
            },
        ),
        RULES.contract(
            "a patch of a rule that the older address has made",
            "is seen there, and the group stays",
            read::DOORS,
            |at| {
                [
                    folder("f"),
                    stored(fixtures::rule("f", "r")),
                    merge_patch(
                        at.one("alertrules", "<r>"),
                        json!({"spec": {"title": "<s>", "labels": {"team": "a"}}}),
                    )
                    .is(200)
                    .at(&label("grafana.com/group"), "<group>"),
                    get(older("r"))
                        .at("/title", "<s>")
                        .at("/labels/team", "a")
                        .at("/ruleGroup", "<group>"),
                ]
            },
        ),
        RULES.contract(
            "a DELETE of a rule below /apis",
            "removes it at the older address too",
            read::DOORS,
            |at| {
                [
                    folder("f"),
                    stored(fixtures::rule("f", "r")),
                    delete(at.one("alertrules", "<r>")).is(200),
                    get(older("r")).is(404),
                    get(group_of("f")).is(404),
                ]
            },
        ),
        RULES.contract(
            "a rule that the older address has removed",
            "isn't there below /apis",
            read::DOORS,
            |at| {
                [
                    folder("f"),
                    post(at.of("alertrules"), provisioned()).is(201),
                    delete(older("r")).is(204),
                    get(at.one("alertrules", "<r>")).refused(404, "NotFound"),
                ]
            },
        ),
        RULES.contract(
            "a rule whose condition isn't its last node",
            "says which expression is the source",
            read::RULES,
            |at| {
                [
                    folder("f"),
                    stored(but(
                        fixtures::rule("f", "r"),
                        json!({"condition": "A", "data": [node("A", "1 == 0"), node("B", "2 == 0")]}),
                    )),
                    get(at.one("alertrules", "<r>"))
                        .at("/spec/expressions/A/source", true)
                        .there("/spec/expressions/B")
                        .lacks("/spec/expressions/B/source"),
                ]
            },
        ),
    ]
}

/// Groups that stand for none.
fn sentinels() -> Vec<Contract> {
    vec![
        RULES.contract(
            "a PUT of a group with a rule that has none",
            "is refused",
            read::DOORS,
            |at| {
                [
                    folder("f"),
                    post(at.of("alertrules"), provisioned()).is(201),
                    put(group_of("f"), fixtures::group("f", [fixtures::rule("f", "r")])).is(400),
                    get(older("r")).at("/ruleGroup", SENTINEL),
                ]
            },
        ),
        RULES.contract(
            "a PUT of a group that stands for none, by its name",
            "changes its rule",
            read::DOORS,
            |at| {
                let body = but(
                    fixtures::group(
                        "f",
                        [but(
                            fixtures::rule("f", "r"),
                            json!({"title": "<s>", "ruleGroup": SENTINEL}),
                        )],
                    ),
                    json!({"title": SENTINEL}),
                );
                [
                    folder("f"),
                    post(at.of("alertrules"), provisioned()).is(201),
                    put(
                        format!("/api/v1/provisioning/folder/<f>/rule-groups/{SENTINEL}"),
                        body,
                    )
                    .is(200),
                    get(at.one("alertrules", "<r>"))
                        .at("/spec/title", "<s>")
                        .lacks(&label("grafana.com/group")),
                ]
            },
        ),
        RULES.contract(
            "a DELETE of a group that stands for none",
            "removes its rule",
            read::DOORS,
            |at| {
                [
                    folder("f"),
                    post(at.of("alertrules"), provisioned()).is(201),
                    delete(format!("/api/v1/provisioning/folder/<f>/rule-groups/{SENTINEL}")).is(204),
                    get(at.one("alertrules", "<r>")).refused(404, "NotFound"),
                ]
            },
        ),
    ]
}

/// What the older addresses can't do with them.
fn refusals() -> Vec<Contract> {
    let guessed = Unconfirmed("what the test calls an error; not which");
    vec![
        RULES.contract(
            "a rule without a group",
            "can't be moved into one at the older address",
            read::DOORS,
            |at| {
                [
                    folder("f"),
                    post(at.of("alertrules"), provisioned()).is(201),
                    put(older("r"), fixtures::rule("f", "r"))
                        .is(400)
                        .says("cannot move rule out of this group"),
                ]
            },
        ),
        RULES.contract(
            "a rule in a group that stands for none",
            "can't be made at the older address",
            [read::DOORS, guessed],
            |_| {
                [
                    folder("f"),
                    post(
                        fixtures::RULES,
                        but(fixtures::rule("f", "r"), json!({"ruleGroup": SENTINEL})),
                    )
                    .is(400),
                    get(older("r")).is(404),
                ]
            },
        ),
        RULES.contract(
            "a rule of a group that the older address has made",
            "can't be moved into one that stands for none",
            [read::DOORS, guessed],
            |at| {
                [
                    folder("f"),
                    post(at.of("alertrules"), own()).is(201),
                    stored(fixtures::rule("f", "s")),
                    put(
                        older("s"),
                        but(fixtures::rule("f", "s"), json!({"ruleGroup": SENTINEL})),
                    )
                    .is(400),
                ]
            },
        ),
    ]
}
