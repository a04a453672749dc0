//! Folders.

use serde_json::{Value, json};

use super::{FOLDERS, Refusal, merge_patch, named, note, update, with};
use crate::{
    fixtures::{RULES, folder, rule, stored},
    harness::{
        call::{delete, get, post, put},
        contract::{
            Contract,
            Source::{Code, Documentation, Unconfirmed},
        },
    },
};

const KIND: &str = "folders";

fn titled(name: &str) -> Value {
    let name = format!("<{name}>");
    named(&name, json!({"title": name}))
}

fn below(name: &str, parent: &str) -> Value {
    with(
        titled(name),
        json!({"metadata": {"annotations": {"grafana.app/folder": format!("<{parent}>")}}}),
    )
}

pub fn contracts() -> Vec<Contract> {
    let page = Documentation("HTTP API, folders (new API)");
    let guessed = Unconfirmed("the older address");
    vec![
        FOLDERS.contract(
            "a folder",
            "is made with the uid that was asked for",
            page,
            |at| {
                [
                    post(at.of(KIND), titled("f"))
                        .is(201)
                        .at("/kind", "Folder")
                        .at("/metadata/name", "<f>")
                        .at("/metadata/namespace", "<space>")
                        .at("/spec/title", "<f>")
                        .there("/metadata/resourceVersion"),
                    get(at.one(KIND, "<f>")).is(200).at("/spec/title", "<f>"),
                    get("/api/folders/<f>").is(200).at("/title", "<f>"),
                ]
            },
        ),
        FOLDERS.contract(
            "a folder that the server is to name",
            "has a name that begins as was asked",
            page,
            |at| {
                [
                    post(
                        at.of(KIND),
                        with(
                            titled("f"),
                            json!({"metadata": {"name": null, "generateName": "<f>-"}}),
                        ),
                    )
                    .is(201)
                    .keep("/metadata/name", "name"),
                    get("/api/folders/<name>").is(200).at("/title", "<f>"),
                ]
            },
        ),
        FOLDERS.contract(
            "a list right after a folder was made",
            "has it",
            Code("pkg/registry/apis/folders"),
            |at| {
                [
                    folder("f"),
                    get(format!("{}?limit=10000", at.of(KIND))).there("/items/metadata.name=<f>"),
                    delete("/api/folders/<f>"),
                    get(format!("{}?limit=10000", at.of(KIND))).lacks("/items/metadata.name=<f>"),
                ]
            },
        ),
        FOLDERS.contract("a list of folders with a limit", "is continued", page, |at| {
            [
                folder("f"),
                folder("g"),
                get(format!("{}?limit=1", at.of(KIND)))
                    .is(200)
                    .counts("/items/*", 1)
                    .keep("/metadata/continue", "more"),
                get(format!("{}?limit=1&continue=<more>", at.of(KIND)))
                    .is(200)
                    .counts("/items/*", 1),
            ]
        }),
        FOLDERS.contract(
            "a folder in a folder",
            "names its parent in an annotation",
            page,
            |at| {
                [
                    folder("f"),
                    post(at.of(KIND), below("g", "f"))
                        .is(201)
                        .at(&note("grafana.app/folder"), "<f>"),
                    get("/api/folders/<g>").at("/parentUid", "<f>"),
                ]
            },
        ),
        FOLDERS.contract(
            "a folder that the older address has put in another",
            "names its parent in an annotation",
            page,
            |at| {
                [
                    folder("f"),
                    post(
                        "/api/folders",
                        json!({"uid": "<g>", "title": "<g>", "parentUid": "<f>"}),
                    ),
                    get(at.one(KIND, "<g>")).at(&note("grafana.app/folder"), "<f>"),
                    get(at.one(KIND, "<f>")).lacks(&note("grafana.app/folder")),
                ]
            },
        ),
        FOLDERS.contract("a PUT of a folder", "renames it at both addresses", page, |at| {
            [
                post(at.of(KIND), titled("f")).keep("/metadata/resourceVersion", "version"),
                update(
                    at.one(KIND, "<f>"),
                    "<f>",
                    "<version>",
                    json!({"spec": {"title": "<g>"}}),
                )
                .is(200)
                .at("/spec/title", "<g>"),
                get("/api/folders/<f>").at("/title", "<g>"),
            ]
        }),
        FOLDERS.contract("a patch of a folder", "renames it", page, |at| {
            [
                folder("f"),
                merge_patch(at.one(KIND, "<f>"), json!({"spec": {"title": "<g>"}}))
                    .is(200)
                    .at("/spec/title", "<g>"),
                get("/api/folders/<f>").at("/title", "<g>"),
            ]
        }),
        FOLDERS.contract(
            "a folder that is renamed at the older address",
            "has another version",
            guessed,
            |at| {
                [
                    folder("f"),
                    get(at.one(KIND, "<f>")).keep("/metadata/resourceVersion", "was"),
                    put("/api/folders/<f>", json!({"title": "<g>", "overwrite": true})).is(200),
                    get(at.one(KIND, "<f>"))
                        .at("/spec/title", "<g>")
                        .differs("/metadata/resourceVersion", "<was>"),
                ]
            },
        ),
        FOLDERS.contract(
            "a folder with a uid that is taken",
            "is a conflict",
            guessed,
            |at| {
                [
                    folder("f"),
                    post(at.of(KIND), titled("f")).refused(409, "AlreadyExists"),
                ]
            },
        ),
        FOLDERS.contract("a folder in one that isn't there", "is refused", guessed, |at| {
            [post(at.of(KIND), below("g", "f"))
                .either([400, 404])
                .at("/kind", "Status")]
        }),
        FOLDERS.contract("a folder without a title", "is refused", guessed, |at| {
            [post(at.of(KIND), named("<f>", json!({"title": ""})))
                .either([400, 422])
                .at("/kind", "Status")]
        }),
        FOLDERS.contract("a folder that isn't there", "is a Status", page, |at| {
            [
                get(at.one(KIND, "<f>")).refused(404, "NotFound"),
                delete(at.one(KIND, "<f>")).refused(404, "NotFound"),
            ]
        }),
        FOLDERS.contract(
            "a DELETE of a folder",
            "removes it at both addresses",
            page,
            |at| {
                [
                    folder("f"),
                    delete(at.one(KIND, "<f>")).is(200),
                    get("/api/folders/<f>").is(404),
                    get(at.one(KIND, "<f>")).is(404),
                ]
            },
        ),
        FOLDERS.contract(
            "a DELETE of a folder with rules in it",
            "is refused",
            guessed,
            |at| {
                [
                    folder("f"),
                    stored(rule("f", "r")),
                    delete(at.one(KIND, "<f>"))
                        .either([400, 409])
                        .at("/kind", "Status"),
                    get(format!("{RULES}/<r>")).is(200),
                ]
            },
        ),
    ]
}
