//! The server itself: health, settings, data sources, organisations, service accounts, its Alertmanager.

use crate::prelude::*;

const CONFIG: &str = "/api/alertmanager/grafana/config/api/v1";

pub fn contracts() -> Vec<Contract> {
    let mut all = itself();
    all.extend(sources());
    all.extend(organisations());
    all.extend(alertmanager());
    all
}

fn itself() -> Vec<Contract> {
    vec![
        contract("the health").case(
            always(),
            "is told to everybody",
            Documentation("HTTP API, other"),
            [get("/api/health")
                .by(Caller::Nobody)
                .is(200)
                .has(json!({"database": "ok"}))
                .there("/version")
                .there("/commit")],
        ),
        contract("the API server in the health")
            .case(
                before("12.0.0"),
                "isn't told of",
                Documentation("OpenAPI"),
                [get("/api/health").is(200).lacks("/apiserver")],
            )
            .unknown(between("12.0.0", "13.0.0"))
            .case(
                since("13.0.0"),
                "is told of",
                Documentation("OpenAPI of 2026-04-14"),
                [get("/api/health").is(200).there("/apiserver")],
            ),
        contract("the health of a server that hides its version")
            .setting("auth.anonymous.hide_version=true")
            .case(
                always(),
                "has no version",
                Documentation("configuration"),
                [get("/api/health")
                    .by(Caller::Nobody)
                    .is(200)
                    .at("/database", "ok")
                    .lacks("/version")],
            ),
        contract("the settings").case(
            always(),
            "tell the version and the shortest interval",
            Code("pkg/api/frontendsettings.go"),
            [
                get("/api/health").is(200).keep("/version", "version"),
                get("/api/frontend/settings")
                    .is(200)
                    .at("/buildInfo/version", "<version>")
                    .at("/unifiedAlerting/minInterval", "10s")
                    .there("/featureToggles"),
            ],
        ),
        contract("an address that isn't known").case(
            always(),
            "is not found",
            Documentation("HTTP API"),
            [get("/api/nothing-of-this-name").is(404)],
        ),
    ]
}

fn sources() -> Vec<Contract> {
    const SOURCES: &str = "/api/datasources";
    let source = |name: &str| {
        let name = format!("<{name}>");
        json!({"uid": name, "name": name, "type": "prometheus", "access": "proxy", "url": "http://127.0.0.1:9"})
    };
    let docs = Documentation("HTTP API, data source");
    vec![
        contract("a data source POST").case(
            always(),
            "stores it",
            docs,
            [
                post(SOURCES, source("d"))
                    .is(200)
                    .at("/name", "<d>")
                    .at("/datasource/uid", "<d>")
                    .there("/id"),
                get(format!("{SOURCES}/uid/<d>"))
                    .is(200)
                    .at("/type", "prometheus"),
                get(SOURCES).is(200).at("/uid=<d>/name", "<d>"),
            ],
        ),
        contract("a data source POST with a name that is taken")
            .given([post(SOURCES, source("d")).is(200)])
            .case(
                always(),
                "is a conflict",
                [REAL, docs],
                [post(SOURCES, but(source("d"), json!({"uid": "<e>"}))).is(409)],
            ),
        contract("a data source POST with a uid that is taken")
            .given([post(SOURCES, source("d")).is(200)])
            .case(
                always(),
                "is a conflict",
                [REAL, docs],
                [post(SOURCES, but(source("d"), json!({"name": "<e>"}))).is(409)],
            ),
        contract("the secrets of a data source").case(
            always(),
            "are shown only by their names",
            [REAL, docs],
            [
                post(
                    SOURCES,
                    but(source("d"), json!({"secureJsonData": {"httpHeaderValue1": "s"}})),
                )
                .is(200),
                get(format!("{SOURCES}/uid/<d>"))
                    .is(200)
                    .at("/secureJsonFields/httpHeaderValue1", true)
                    .lacks("/secureJsonData"),
            ],
        ),
        contract("a data source with a uid of other symbols")
            .unknown(before("12.0.0"))
            .case(
                since("12.0.0"),
                "is refused",
                Documentation("what's new in 12.0"),
                [post(SOURCES, but(source("d"), json!({"uid": "<d> 1"}))).is(400)],
            ),
        contract("a data source that isn't there").case(
            always(),
            "is not found",
            docs,
            [
                get(format!("{SOURCES}/uid/<d>")).is(404),
                delete(format!("{SOURCES}/uid/<d>")).is(404),
            ],
        ),
        contract("a data source DELETE")
            .given([post(SOURCES, source("d")).is(200)])
            .case(
                always(),
                "removes it",
                docs,
                [
                    delete(format!("{SOURCES}/uid/<d>")).is(200),
                    get(format!("{SOURCES}/uid/<d>")).is(404),
                ],
            ),
        contract("a data source by its number")
            .given([post(SOURCES, source("d")).is(200).keep("/id", "id")])
            .case(
                before("13.0.0"),
                "is found",
                docs,
                [get(format!("{SOURCES}/<id>")).is(200).at("/uid", "<d>")],
            )
            .case(
                since("13.0.0"),
                "isn't found any more",
                Documentation("upgrade guide to 13.0"),
                [get(format!("{SOURCES}/<id>")).either([403, 404])],
            ),
    ]
}

fn organisations() -> Vec<Contract> {
    let docs = Documentation("HTTP API, organisation and service account");
    let make = || post("/api/orgs", json!({"name": "<o>"})).by(Caller::ServerAdmin);
    let account = |role: &str| post("/api/serviceaccounts", json!({"name": "<a>", "role": role}));
    vec![
        contract("an organisation POST").case(
            always(),
            "makes an organisation",
            docs,
            [
                make().is(200).keep("/orgId", "id"),
                get("/api/orgs/name/<o>")
                    .by(Caller::ServerAdmin)
                    .is(200)
                    .at("/id", "<id>"),
                delete("/api/orgs/<id>").by(Caller::ServerAdmin).is(200),
                get("/api/orgs/<id>").by(Caller::ServerAdmin).is(404),
            ],
        ),
        contract("an organisation POST with a name that is taken")
            .given([make().is(200)])
            .case(always(), "is a conflict", docs, [make().is(409)]),
        contract("the organisations of a server").case(
            always(),
            "aren't for an administrator of one of them",
            docs,
            [
                account("Admin").is(201).keep("/id", "id"),
                post("/api/serviceaccounts/<id>/tokens", json!({"name": "<a>"}))
                    .is(200)
                    .keep("/key", "key"),
                post("/api/orgs", json!({"name": "<o>"}))
                    .by(Caller::Token("key"))
                    .either([401, 403]),
            ],
        ),
        contract("a call in an organisation that isn't there")
            .case(
                before("10.1.0"),
                "is not found",
                REAL,
                [get(RULES)
                    .by(Caller::ServerAdmin)
                    .with("X-Grafana-Org-Id", "999999")
                    .is(404)],
            )
            .unknown(since("10.1.0")),
        contract("a service account POST").case(
            always(),
            "makes an account without tokens",
            docs,
            [
                account("Editor")
                    .is(201)
                    .at("/name", "<a>")
                    .at("/role", "Editor")
                    .at("/orgId", "<org>")
                    .keep("/id", "id"),
                get("/api/serviceaccounts/<id>/tokens").is(200).counts("/*", 0),
                get("/api/serviceaccounts/search?query=<a>")
                    .is(200)
                    .lists("/serviceAccounts/*/id", ["<id>"]),
            ],
        ),
        contract("a service account DELETE")
            .given([account("Viewer").is(201).keep("/id", "id")])
            .case(
                always(),
                "makes its tokens void",
                docs,
                [
                    post("/api/serviceaccounts/<id>/tokens", json!({"name": "<a>"}))
                        .is(200)
                        .keep("/key", "key"),
                    get("/api/org").by(Caller::Token("key")).is(200),
                    delete("/api/serviceaccounts/<id>").is(200),
                    get("/api/org").by(Caller::Token("key")).is(401),
                ],
            ),
        contract("a service account that is disabled")
            .given([account("Viewer").is(201).keep("/id", "id")])
            .case(
                always(),
                "is refused",
                docs,
                [
                    post("/api/serviceaccounts/<id>/tokens", json!({"name": "<a>"}))
                        .is(200)
                        .keep("/key", "key"),
                    patch("/api/serviceaccounts/<id>", json!({"isDisabled": true})).is(200),
                    get("/api/org").by(Caller::Token("key")).is(401),
                ],
            ),
    ]
}

fn alertmanager() -> Vec<Contract> {
    let test = |settings: serde_json::Value| {
        post(
            format!("{CONFIG}/receivers/test"),
            json!({"alert": {"labels": {"a": "b"}, "annotations": {}}, "receivers": [{
                "name": "<p>", "grafana_managed_receiver_configs": [{"name": "<p>", "type": "webhook", "settings": settings}],
            }]}),
        )
    };
    let gone = Documentation("what's new of 2026-04-07");
    vec![
        contract("the test of a contact point that nobody listens behind")
            .case(
                before("13.0.0"),
                "fails, and says why",
                [REAL, Code("pkg/services/ngalert/api/api_alertmanager.go")],
                [test(json!({"url": "http://127.0.0.1:9"}))
                    .is(207)
                    .at("/receivers/0/name", "<p>")
                    .at("/receivers/0/grafana_managed_receiver_configs/0/status", "failed")
                    .there("/receivers/0/grafana_managed_receiver_configs/0/error")
                    .there("/notified_at")],
            )
            .case(
                since("13.0.0"),
                "isn't known any more",
                gone,
                [test(json!({"url": "http://127.0.0.1:9"})).is(404)],
            ),
        contract("the test of a contact point without what its type needs")
            .case(
                before("13.0.0"),
                "is refused",
                [REAL, Code("pkg/services/ngalert/api/api_alertmanager.go")],
                [test(json!({})).is(400)],
            )
            .case(
                since("13.0.0"),
                "isn't known any more",
                gone,
                [test(json!({})).is(404)],
            ),
        contract("the test of no contact point")
            .case(
                before("10.1.0"),
                "is refused",
                REAL,
                [post(format!("{CONFIG}/receivers/test"), json!({"receivers": []})).is(400)],
            )
            .unknown(since("10.1.0")),
        contract("the whole configuration of the Alertmanager")
            .case(
                before("13.0.0"),
                "is told to an administrator",
                Code("pkg/services/ngalert/api/api_alertmanager.go"),
                [get(format!("{CONFIG}/alerts"))
                    .is(200)
                    .there("/alertmanager_config/route/receiver")
                    .no_header("Warning")],
            )
            .case(
                since("13.0.0"),
                "is told to an administrator, with a warning",
                gone,
                [get(format!("{CONFIG}/alerts"))
                    .is(200)
                    .there("/alertmanager_config/route/receiver")
                    .header("Warning", "299")],
            ),
        contract("the whole configuration of the Alertmanager for a Viewer")
            .unknown(before("13.0.0"))
            .case(
                since("13.0.0"),
                "is forbidden",
                gone,
                [get(format!("{CONFIG}/alerts")).by(Caller::Viewer).is(403)],
            ),
        contract("the status of the Alertmanager").case(
            always(),
            "is told to an administrator",
            Documentation("OpenAPI"),
            [get("/api/alertmanager/grafana/api/v2/status")
                .is(200)
                .there("/cluster")
                .there("/config")],
        ),
        contract("how the contact points fared")
            .given([post(POINTS, point("p")).is(202)])
            .case(
                always(),
                "is told by name",
                Unconfirmed("the endpoint is in the source of 10.0 and of 12; nobody read that of 13"),
                [get(format!("{CONFIG}/receivers"))
                    .eventually()
                    .is(200)
                    .there("/name=<p>/integrations/0/name")],
            ),
    ]
}
