//! Log-ins, roles and what each may do.

use crate::prelude::*;

pub fn contracts() -> Vec<Contract> {
    let token = |role: &str| {
        [
            post("/api/serviceaccounts", json!({"name": "<account>", "role": role}))
                .is(201)
                .keep("/id", "id"),
            post("/api/serviceaccounts/<id>/tokens", json!({"name": "<account>"}))
                .is(200)
                .keep("/key", "key"),
        ]
    };
    let rights = Code("pkg/services/ngalert/api/authorization.go");
    vec![
        contract("a call without a log-in").case(
            always(),
            "is refused",
            REAL,
            [
                get(RULES).by(Caller::Nobody).is(401).says("Unauthorized"),
                get(POLICIES).by(Caller::Nobody).is(401),
                get(FOLDERS).by(Caller::Nobody).is(401),
                get(SILENCES).by(Caller::Nobody).is(401),
            ],
        ),
        contract("a call with a wrong password").case(
            always(),
            "is refused",
            REAL,
            [get(RULES)
                .by(Caller::User("nobody-of-this-name", "wrong"))
                .is(401)
                .says("nvalid username or password")],
        ),
        contract("a call with a token that there isn't").case(
            always(),
            "is refused",
            REAL,
            [get(RULES)
                .by(Caller::Nobody)
                .with(
                    "Authorization",
                    "Bearer glsa_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa_00000000",
                )
                .is(401)
                .says("nvalid API key")],
        ),
        contract("a token of a service account")
            .given(token("Viewer"))
            .case(
                always(),
                "opens its organisation, with the role that the account has",
                Documentation("HTTP API, service accounts"),
                [
                    get("/api/org")
                        .by(Caller::Token("key"))
                        .is(200)
                        .at("/id", "<org>"),
                    post(POINTS, point("p")).by(Caller::Token("key")).is(403),
                    patch("/api/serviceaccounts/<id>", json!({"role": "Admin"})).is(200),
                    post(POINTS, point("p"))
                        .by(Caller::Token("key"))
                        .eventually()
                        .is(202),
                ],
            ),
        contract("rules, contact points and the tree").case(
            always(),
            "aren't for somebody without a role",
            rights,
            [
                get(RULES).by(Caller::NoRole).is(403),
                get(POINTS).by(Caller::NoRole).is(403),
                get(POLICIES).by(Caller::NoRole).is(403),
            ],
        ),
        contract("a refusal for want of a right").case(
            always(),
            "names the right",
            [REAL, Documentation("issue #2046 of terraform-provider-grafana")],
            [post(TIMINGS, timing("t"))
                .by(Caller::Viewer)
                .is(403)
                .at("/title", "Access denied")
                .there("/accessErrorId")
                .says("Permissions needed")],
        ),
        contract("the rules that are provisioned, for an Editor")
            .case(
                before("10.1.0"),
                "are an administrator's",
                rights,
                [get(RULES).by(Caller::Editor).is(403)],
            )
            .unknown(since("10.1.0")),
        contract("a write of an Editor to what is provisioned")
            .given([folder("f")])
            .case(
                before("10.1.0"),
                "is an administrator's",
                rights,
                [
                    post(RULES, rule("f", "r")).by(Caller::Editor).is(403),
                    post(POINTS, point("p")).by(Caller::Editor).is(403),
                    put(POLICIES, json!({"receiver": "<p>"}))
                        .by(Caller::Editor)
                        .is(403),
                ],
            )
            .unknown(since("10.1.0")),
        contract("the states of rules").case(
            always(),
            "are for a Viewer",
            rights,
            [get(STATES).by(Caller::Viewer).is(200)],
        ),
        contract("the search of an organisation").case(
            always(),
            "is open to an Editor",
            Documentation("roles and permissions"),
            [get("/api/search?type=dash-folder").by(Caller::Editor).is(200)],
        ),
        contract("data sources and service accounts").case(
            always(),
            "are an administrator's",
            Documentation("roles and permissions"),
            [
                post("/api/datasources", json!({"name": "<d>", "type": "prometheus"}))
                    .by(Caller::Editor)
                    .is(403),
                post("/api/serviceaccounts", json!({"name": "<a>"}))
                    .by(Caller::Editor)
                    .is(403),
            ],
        ),
    ]
}
