//! Who may do what below `/apis`.

use serde_json::json;

use super::{
    CURRENT, FOLDERS, HOLDER, LICENCE, NOTIFICATIONS, RULES, Refusal, named, note, object, read, receiver,
    rule, with, with_rights,
};
use crate::{
    fixtures::{self, POINTS, folder, stored},
    harness::{
        call::{Caller, delete, get, post, put},
        contract::{
            Contract,
            Source::{Code, Unconfirmed},
        },
    },
};

const NOTE: &str = "grafana.com/provenance";

fn interval(name: &str) -> serde_json::Value {
    json!({"name": format!("<{name}>"), "time_intervals": [{"weekdays": ["saturday"]}]})
}

pub fn contracts() -> Vec<Contract> {
    let rule_rights = Code("pkg/registry/apps/alerting/rules/alertrule/authorize.go");
    let mut all = roles();
    all.extend([
        RULES.contract("an alert rule of a Viewer", "is forbidden", rule_rights, |at| {
            [
                folder("f"),
                post(at.of("alertrules"), rule("f", "r")).by(Caller::Viewer).refused(403, "Forbidden"),
                get(at.of("alertrules")).by(Caller::Viewer).is(200),
            ]
        }),
        RULES.contract("an alert rule of an Editor", "can be made and removed", rule_rights, |at| {
            [
                folder("f"),
                post(at.of("alertrules"), with(rule("f", "r"), json!({"metadata": {"name": "<r>"}}))).by(Caller::Editor).is(201),
                delete(at.one("alertrules", "<r>")).by(Caller::Editor).is(200),
            ]
        }),
        RULES
            .contract("the right to read what is provisioned", "opens no rules below /apis", rule_rights, |at| {
                [
                    folder("f"),
                    stored(fixtures::rule("f", "r")),
                    get(fixtures::RULES).by(HOLDER).is(200),
                    get(at.of("alertrules")).by(HOLDER).refused(403, "Forbidden"),
                    get(at.one("alertrules", "<r>")).by(HOLDER).refused(403, "Forbidden"),
                ]
            })
            .setting(LICENCE)
            .given(with_rights(&["alert.provisioning:read", "alert.provisioning:write"])),
        NOTIFICATIONS
            .contract(
                "the right to provision",
                "opens no notifications below /apis",
                Code("pkg/registry/apps/alerting/notifications/receiver/authorize.go"),
                |at| {
                    [
                        post(POINTS, fixtures::point("r")).by(HOLDER).is(202),
                        get(at.of("receivers")).by(HOLDER).is(200).counts("/items/*", 0),
                        post(at.of("receivers"), object(receiver("s"))).by(HOLDER).refused(403, "Forbidden"),
                        get(at.of("timeintervals")).by(HOLDER).refused(403, "Forbidden"),
                        get(at.of("templategroups")).by(HOLDER).refused(403, "Forbidden"),
                        get(at.of("routingtrees")).by(HOLDER).refused(403, "Forbidden"),
                    ]
                },
            )
            .setting(LICENCE)
            .given(with_rights(&["alert.provisioning:read", "alert.provisioning:write"])),
        NOTIFICATIONS
            .contract("the right to notifications", "opens nothing that is provisioned", read::RECEIVERS, |at| {
                [
                    post(at.of("timeintervals"), object(interval("i"))).by(HOLDER).is(201),
                    get(at.of("timeintervals")).by(HOLDER).is(200),
                    get(fixtures::RULES).by(HOLDER).is(403),
                ]
            })
            .setting(LICENCE)
            .given(with_rights(&["alert.notifications:read", "alert.notifications:write"])),
        CURRENT
            .contract("a provenance, by a caller who may not set one", "is forbidden", read::RECEIVERS, |at| {
                [
                    post(at.of("receivers"), with(object(receiver("r")), json!({"metadata": {"annotations": {NOTE: "api"}}})))
                        .by(HOLDER)
                        .refused(403, "Forbidden"),
                    post(at.of("receivers"), object(receiver("r"))).by(HOLDER).is(201),
                ]
            })
            .setting(LICENCE)
            .given(with_rights(&["alert.notifications:read", "alert.notifications:write"])),
        CURRENT
            .contract("what is provisioned, by a caller who may not set a provenance", "can't be written", read::RECEIVERS, |at| {
                [
                    post(POINTS, fixtures::point("r")).is(202),
                    get(at.of("receivers")).keep("/items/spec.title=<r>/metadata/name", "name").keep("/items/spec.title=<r>/metadata/resourceVersion", "version"),
                    put(
                        at.one("receivers", "<name>"),
                        with(named("<name>", receiver("r")), json!({"metadata": {"resourceVersion": "<version>", "annotations": {NOTE: "api"}}})),
                    )
                    .by(HOLDER)
                    .refused(403, "Forbidden"),
                    delete(at.one("receivers", "<name>")).by(HOLDER).refused(403, "Forbidden"),
                ]
            })
            .setting(LICENCE)
            .given(with_rights(&["alert.notifications:read", "alert.notifications:write"])),
        FOLDERS.contract("a folder of a Viewer", "is forbidden", Unconfirmed("the older address"), |at| {
            [post(at.of("folders"), named("<f>", json!({"title": "<f>"}))).by(Caller::Viewer).refused(403, "Forbidden")]
        }),
    ]);
    all
}

/// What roles may do with notifications.
fn roles() -> Vec<Contract> {
    vec![
        NOTIFICATIONS.contract(
            "a write of notifications by a Viewer",
            "is forbidden",
            read::RECEIVERS,
            |at| {
                [
                    post(at.of("receivers"), object(receiver("r")))
                        .by(Caller::Viewer)
                        .refused(403, "Forbidden"),
                    post(at.of("timeintervals"), object(interval("i")))
                        .by(Caller::Viewer)
                        .refused(403, "Forbidden"),
                    post(
                        at.of("templategroups"),
                        object(json!({"title": "<t>", "content": "x"})),
                    )
                    .by(Caller::Viewer)
                    .refused(403, "Forbidden"),
                    delete(at.one("routingtrees", "user-defined"))
                        .by(Caller::Viewer)
                        .refused(403, "Forbidden"),
                ]
            },
        ),
        NOTIFICATIONS.contract(
            "notifications",
            "can be read by a Viewer",
            read::RECEIVERS,
            |at| {
                [
                    get(at.of("receivers")).by(Caller::Viewer).is(200),
                    get(at.of("timeintervals")).by(Caller::Viewer).is(200),
                    get(at.of("templategroups")).by(Caller::Viewer).is(200),
                    get(at.of("routingtrees")).by(Caller::Viewer).is(200),
                ]
            },
        ),
        NOTIFICATIONS.contract(
            "notifications of an Editor",
            "can be written",
            read::INTERVALS,
            |at| {
                [
                    post(at.of("timeintervals"), object(interval("i")))
                        .by(Caller::Editor)
                        .is(201)
                        .keep("/metadata/name", "name"),
                    delete(at.one("timeintervals", "<name>"))
                        .by(Caller::Editor)
                        .is(200),
                    post(at.of("receivers"), object(receiver("r")))
                        .by(Caller::Editor)
                        .is(201),
                ]
            },
        ),
        NOTIFICATIONS.contract(
            "receivers, to a caller without a role",
            "are none in a list, and forbidden one by one",
            Code("pkg/registry/apps/alerting/notifications/receiver/authorize.go"),
            |at| {
                [
                    post(at.of("receivers"), object(receiver("r"))).keep("/metadata/name", "name"),
                    get(at.of("receivers"))
                        .by(Caller::NoRole)
                        .is(200)
                        .counts("/items/*", 0),
                    get(at.one("receivers", "<name>"))
                        .by(Caller::NoRole)
                        .refused(403, "Forbidden"),
                ]
            },
        ),
        NOTIFICATIONS.contract(
            "other notifications, to a caller without a role",
            "are forbidden",
            read::INTERVALS,
            |at| {
                [
                    get(at.of("timeintervals"))
                        .by(Caller::NoRole)
                        .refused(403, "Forbidden"),
                    get(at.of("routingtrees"))
                        .by(Caller::NoRole)
                        .refused(403, "Forbidden"),
                    get(at.one("timeintervals", "nothing"))
                        .by(Caller::NoRole)
                        .refused(403, "Forbidden"),
                ]
            },
        ),
        NOTIFICATIONS.contract(
            "what a caller may do with a receiver",
            "is said in annotations",
            read::RECEIVERS,
            |at| {
                let may = |right: &str| note(&format!("grafana.com/access/{right}"));
                [
                    post(at.of("receivers"), object(receiver("r"))).keep("/metadata/name", "name"),
                    get(at.one("receivers", "<name>"))
                        .at(&may("canWrite"), "true")
                        .at(&may("canDelete"), "true")
                        .at(&may("canAdmin"), "true"),
                    get(at.one("receivers", "<name>"))
                        .by(Caller::Editor)
                        .at(&may("canWrite"), "true")
                        .lacks(&may("canReadSecrets")),
                    get(at.one("receivers", "<name>"))
                        .by(Caller::Viewer)
                        .lacks(&may("canWrite"))
                        .lacks(&may("canAdmin")),
                ]
            },
        ),
        NOTIFICATIONS.contract(
            "a call below /apis without a log-in",
            "is refused",
            read::SERVER,
            |at| [get(at.of("timeintervals")).by(Caller::Nobody).is(401)],
        ),
    ]
}
