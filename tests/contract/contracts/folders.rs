//! `/api/folders` and `/api/search`.

use crate::prelude::*;

const API: Source = Code("pkg/api/folder.go");
const ERRORS: Source = Code("pkg/api/apierrors/folder.go");
const NESTED: Source = Documentation("what's new in 11.0");

pub fn contracts() -> Vec<Contract> {
    let mut all = writes();
    all.extend(changes());
    all.extend(nested());
    all.extend(search());
    all
}

fn writes() -> Vec<Contract> {
    vec![
        contract("a folder POST").case(
            always(),
            "answers with the folder",
            API,
            [
                folder("f")
                    .is(200)
                    .at("/uid", "<f>")
                    .at("/title", "<f>")
                    .at("/version", 1)
                    .there("/url")
                    .there("/created")
                    .there("/id"),
                get(format!("{FOLDERS}/<f>")).is(200).at("/title", "<f>"),
                get(format!("{FOLDERS}?limit=1000"))
                    .is(200)
                    .at("/uid=<f>/title", "<f>"),
            ],
        ),
        contract("the organisation of a folder")
            .given([folder("f")])
            .case(
                before("10.1.0"),
                "isn't told",
                Documentation("OpenAPI"),
                [get(format!("{FOLDERS}/<f>")).is(200).lacks("/orgId")],
            )
            .unknown(between("10.1.0", "10.4.0"))
            .case(
                since("10.4.0"),
                "is told",
                Documentation("OpenAPI of 2024-03-06"),
                [get(format!("{FOLDERS}/<f>")).is(200).at("/orgId", "<org>")],
            ),
        contract("a folder POST without a uid").case(
            always(),
            "makes one up",
            API,
            [
                post(FOLDERS, json!({"title": "<f>"})).is(200).keep("/uid", "uid"),
                get(format!("{FOLDERS}/<uid>")).is(200).at("/title", "<f>"),
            ],
        ),
        contract("a folder POST with a uid that is taken")
            .given([folder("f")])
            .case(
                before("10.1.0"),
                "fails a precondition",
                REAL,
                [post(FOLDERS, json!({"uid": "<f>", "title": "<g>"}))
                    .is(412)
                    .at("/status", "version-mismatch")],
            )
            .unknown(between("10.1.0", "11.6.0"))
            .case(
                since("11.6.0"),
                "is a conflict",
                ERRORS,
                [post(FOLDERS, json!({"uid": "<f>", "title": "<g>"})).either([409, 412])],
            ),
        contract("a folder POST with a title that is taken")
            .given([folder("f")])
            .case(
                before("13.0.0"),
                "is a conflict",
                [REAL, ERRORS],
                [post(FOLDERS, json!({"uid": "<g>", "title": "<f>"})).either([409, 412])],
            )
            .unknown(since("13.0.0")),
        contract("a folder without a title").case(
            always(),
            "is refused",
            [REAL, ERRORS],
            [post(FOLDERS, json!({"uid": "<f>", "title": ""})).is(400)],
        ),
        contract("a folder with a uid of other symbols").case(
            always(),
            "is refused",
            ERRORS,
            [post(FOLDERS, json!({"uid": "<f> 1", "title": "<f>"})).is(400)],
        ),
        contract("a folder with a uid of more than 40 symbols").case(
            always(),
            "is refused",
            ERRORS,
            [post(FOLDERS, json!({"uid": "x".repeat(41), "title": "<f>"})).is(400)],
        ),
        contract("reading a folder that isn't there").case(
            always(),
            "is not found",
            ERRORS,
            [get(format!("{FOLDERS}/<f>"))
                .is(404)
                .at("/status", "not-found")
                .says("folder not found")],
        ),
        contract("a folder of a Viewer").case(
            always(),
            "is forbidden",
            Documentation("roles and permissions"),
            [
                folder("f").by(Caller::Viewer).is(403),
                get(format!("{FOLDERS}/<f>")).is(404),
            ],
        ),
        contract("a folder of an Editor").case(
            always(),
            "is accepted",
            Documentation("roles and permissions"),
            [folder("f").by(Caller::Editor).is(200)],
        ),
    ]
}

fn changes() -> Vec<Contract> {
    let full = || [folder("f"), stored(rule("f", "r"))];
    vec![
        contract("a folder PUT of the version that is stored")
            .given([folder("f")])
            .case(
                always(),
                "is accepted, and counts up",
                API,
                [
                    put(format!("{FOLDERS}/<f>"), json!({"title": "<g>", "version": 1}))
                        .is(200)
                        .at("/title", "<g>")
                        .at("/version", 2),
                ],
            ),
        contract("a folder PUT of another version")
            .given([folder("f")])
            .case(
                always(),
                "fails a precondition",
                [REAL, ERRORS],
                [
                    put(format!("{FOLDERS}/<f>"), json!({"title": "<g>", "version": 7}))
                        .is(412)
                        .at("/status", "version-mismatch"),
                    get(format!("{FOLDERS}/<f>")).is(200).at("/title", "<f>"),
                ],
            ),
        contract("a folder PUT that overwrites")
            .given([folder("f")])
            .case(
                always(),
                "needs no version",
                [REAL, API],
                [put(
                    format!("{FOLDERS}/<f>"),
                    json!({"title": "<g>", "overwrite": true}),
                )
                .is(200)
                .at("/title", "<g>")],
            ),
        contract("a folder PUT to a uid that isn't there").case(
            always(),
            "is not found",
            ERRORS,
            [put(
                format!("{FOLDERS}/<f>"),
                json!({"title": "<g>", "overwrite": true}),
            )
            .is(404)],
        ),
        contract("a folder DELETE").given([folder("f")]).case(
            always(),
            "removes it",
            API,
            [
                delete(format!("{FOLDERS}/<f>")).is(200),
                get(format!("{FOLDERS}/<f>")).is(404),
                delete(format!("{FOLDERS}/<f>")).is(404),
            ],
        ),
        contract("a folder DELETE of one with rules").given(full()).case(
            always(),
            "is refused",
            [REAL, ERRORS],
            [
                delete(format!("{FOLDERS}/<f>"))
                    .is(400)
                    .says("folder contains alert rules"),
                get(format!("{RULES}/<r>")).is(200),
            ],
        ),
        contract("a folder DELETE that takes the rules along")
            .given(full())
            .case(
                always(),
                "removes both",
                [REAL, API],
                [
                    delete(format!("{FOLDERS}/<f>?forceDeleteRules=true")).is(200),
                    get(format!("{RULES}/<r>")).is(404),
                    get(format!("{FOLDERS}/<f>")).is(404),
                ],
            ),
        contract("the counts of what is in a folder")
            .given(full())
            .case(
                before("12.0.0"),
                "are named in the singular",
                API,
                [get(format!("{FOLDERS}/<f>/counts"))
                    .is(200)
                    .at("/alertrule", 1)
                    .at("/dashboard", 0)],
            )
            .case(
                since("12.0.0"),
                "are named as /apis names its kinds",
                Code("toFolderLegacyCounts"),
                [get(format!("{FOLDERS}/<f>/counts"))
                    .is(200)
                    .at("/alertrules", 1)
                    .lacks("/alertrule")],
            ),
        contract("the counts of a folder that isn't there").case(
            always(),
            "are not found",
            ERRORS,
            [get(format!("{FOLDERS}/<f>/counts")).is(404)],
        ),
    ]
}

fn nested() -> Vec<Contract> {
    let child = || post(FOLDERS, json!({"uid": "<c>", "title": "<c>", "parentUid": "<f>"}));
    vec![
        contract("a folder in a folder")
            .given([folder("f")])
            // A toggle before 11.0.
            .unknown(before("11.0.0"))
            .case(
                since("11.0.0"),
                "knows its parents",
                NESTED,
                [
                    child().is(200).at("/parentUid", "<f>"),
                    get(format!("{FOLDERS}/<c>"))
                        .is(200)
                        .lists("/parents/*/uid", ["<f>"]),
                    get(format!("{FOLDERS}?parentUid=<f>"))
                        .is(200)
                        .lists("/*/uid", ["<c>"]),
                    get(format!("{FOLDERS}?limit=1000"))
                        .is(200)
                        .there("/uid=<f>")
                        .lacks("/uid=<c>"),
                ],
            ),
        contract("two folders of one title in two places")
            .given([folder("f"), folder("g")])
            .unknown(before("11.0.0"))
            .case(
                since("11.0.0"),
                "are accepted",
                Documentation("issue #80408"),
                [
                    post(FOLDERS, json!({"uid": "<c>", "title": "<t>", "parentUid": "<f>"})).is(200),
                    post(FOLDERS, json!({"uid": "<d>", "title": "<t>", "parentUid": "<g>"})).is(200),
                ],
            ),
        contract("a folder in a folder that isn't there")
            .unknown(before("11.0.0"))
            .case(
                since("11.0.0"),
                "is refused",
                ERRORS,
                [child().either([400, 404])],
            ),
        contract("a folder that is moved")
            .given([folder("f"), folder("g")])
            .unknown(before("11.0.0"))
            .case(
                since("11.0.0"),
                "is elsewhere",
                NESTED,
                [
                    child().is(200),
                    post(format!("{FOLDERS}/<c>/move"), json!({"parentUid": "<g>"})).is(200),
                    get(format!("{FOLDERS}/<c>")).is(200).at("/parentUid", "<g>"),
                    post(format!("{FOLDERS}/<c>/move"), json!({"parentUid": ""})).is(200),
                    get(format!("{FOLDERS}/<c>")).is(200).lacks("/parents/*"),
                ],
            ),
        contract("a folder that is moved into itself")
            .given([folder("f")])
            .unknown(before("11.0.0"))
            .case(
                since("11.0.0"),
                "is refused",
                ERRORS,
                [
                    child().is(200),
                    post(format!("{FOLDERS}/<f>/move"), json!({"parentUid": "<c>"})).is(400),
                ],
            ),
        contract("a folder DELETE of one with folders")
            .given([folder("f")])
            .unknown(before("11.0.0"))
            .case(
                since("11.0.0"),
                "removes them all",
                NESTED,
                [
                    child().is(200),
                    delete(format!("{FOLDERS}/<f>")).is(200),
                    get(format!("{FOLDERS}/<c>")).is(404),
                ],
            ),
    ]
}

fn search() -> Vec<Contract> {
    let find = |rest: &str| {
        get(format!("/api/search?type=dash-folder&query=<f>{rest}"))
            .eventually()
            .is(200)
    };
    vec![
        contract("the search for a folder").given([folder("f")]).case(
            always(),
            "finds it, sooner or later",
            Documentation("HTTP API, search"),
            [find("")
                .at("/uid=<f>/title", "<f>")
                .at("/uid=<f>/type", "dash-folder")
                .lacks("/uid=<f>/folderTitle")],
        ),
        contract("the search for a folder in a folder")
            .given([folder("f")])
            .unknown(before("11.0.0"))
            .case(
                since("11.0.0"),
                "tells where it is",
                Documentation("HTTP API, search"),
                [
                    post(
                        FOLDERS,
                        json!({"uid": "<f>-c", "title": "<f>-c", "parentUid": "<f>"}),
                    )
                    .is(200),
                    find("-c")
                        .at("/uid=<f>-c/folderUid", "<f>")
                        .at("/uid=<f>-c/folderTitle", "<f>"),
                ],
            ),
        contract("the search page by page")
            .given([folder("f"), folder("f-2"), folder("f-3")])
            .case(
                always(),
                "gives each hit once",
                Documentation("HTTP API, search"),
                [
                    find("").counts("/*", 3),
                    find("&limit=2&page=1").counts("/*", 2),
                    find("&limit=2&page=2").counts("/*", 1),
                    find("&limit=2&page=3").counts("/*", 0),
                ],
            ),
        contract("the search for more than 5000").case(
            always(),
            "is refused",
            Code("pkg/api/search.go"),
            [get("/api/search?type=dash-folder&limit=5001").is(422)],
        ),
        contract("the description of a folder that is found")
            .given([post(
                FOLDERS,
                json!({"uid": "<f>", "title": "<f>", "description": "what for"}),
            )
            .is(200)])
            .case(
                before("12.3.0"),
                "isn't told",
                Documentation("OpenAPI of 2025-08-26"),
                [find("").there("/uid=<f>").lacks("/uid=<f>/description")],
            )
            .unknown(between("12.3.0", "12.4.0"))
            .case(
                since("12.4.0"),
                "is told",
                Documentation("OpenAPI of 2025-12-02"),
                [find("").at("/uid=<f>/description", "what for")],
            ),
    ]
}
