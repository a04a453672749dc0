//! Who may do what: log-ins, roles, service accounts.

use serde_json::json;

use crate::{
    contracts::REAL,
    fixtures::{RULES, folder, rule},
    harness::{
        call::{Caller, get, patch, post},
        contract::{
            Contract,
            Source::{Code, Documentation, Unconfirmed},
            contract,
        },
        version::always,
    },
};

pub fn contracts() -> Vec<Contract> {
    vec![
        contract("a call without a log-in").case(
            always(),
            "is refused",
            REAL,
            [get(RULES).by(Caller::Nobody).is(401).says("Unauthorized")],
        ),
        contract("a call with a wrong password").case(
            always(),
            "is refused",
            REAL,
            [get(RULES).by(Caller::User("<nobody>", "wrong")).is(401)],
        ),
        contract("a token of a service account")
            .given([
                post(
                    "/api/serviceaccounts",
                    json!({"name": "<account>", "role": "Viewer"}),
                )
                .is(201)
                .keep("/id", "id"),
                post("/api/serviceaccounts/<id>/tokens", json!({"name": "<account>"}))
                    .is(200)
                    .keep("/key", "key"),
            ])
            .case(
                always(),
                "opens its organisation, with the role that the account has",
                Documentation("HTTP API, service accounts"),
                [
                    get("/api/org")
                        .by(Caller::Token("key"))
                        .is(200)
                        .at("/id", "<org>"),
                    patch("/api/serviceaccounts/<id>", json!({"role": "Admin"})).is(200),
                    get(RULES).by(Caller::Token("key")).is(200),
                ],
            ),
        contract("a rule of a Viewer").given([folder("f")]).case(
            always(),
            "is refused",
            Code("pkg/services/ngalert/api/authorization.go"),
            [post(RULES, rule("f", "r"))
                .by(Caller::Viewer)
                .is(403)
                .at("/title", "Access denied")],
        ),
        contract("the rules of an organisation").case(
            always(),
            "aren't for somebody without a role",
            Unconfirmed("that a role is needed at all"),
            [get(RULES).by(Caller::NoRole).is(403)],
        ),
        contract("the search of an organisation").case(
            always(),
            "is open to an Editor",
            Documentation("roles and permissions"),
            [get("/api/search?type=dash-folder").by(Caller::Editor).is(200)],
        ),
    ]
}
