//! `/api/v1/provisioning/contact-points`.

use serde_json::Value;

use crate::prelude::*;

const SERVICE: Source = Code("pkg/services/ngalert/provisioning/contactpoints.go");
const API: Source = Code("pkg/services/ngalert/api/api_provisioning.go");
/// The pull request that turned 500 into 403, with those that brought it to older lines.
const MISMATCH: &str = "pull requests #127699 and #127812 to #127815";

/// A contact point of a type.
fn of(kind: &str, settings: Value) -> Value {
    but(point("p"), json!({"type": kind, "settings": settings}))
}

pub fn contracts() -> Vec<Contract> {
    let mut all = writes();
    all.extend(in_use());
    all
}

fn writes() -> Vec<Contract> {
    let one = || post(POINTS, point("p")).is(202);
    vec![
        contract("a contact point POST").case(
            always(),
            "stores an integration",
            [REAL, API],
            [
                one().at("/uid", "<p>").at("/name", "<p>").at("/type", "webhook"),
                get(POINTS)
                    .is(200)
                    .at("/uid=<p>/provenance", "api")
                    .at("/uid=<p>/disableResolveMessage", false),
            ],
        ),
        contract("a contact point POST without a uid").case(
            always(),
            "makes one up",
            API,
            [
                post(POINTS, but(point("p"), json!({"uid": null})))
                    .is(202)
                    .keep("/uid", "uid"),
                get(POINTS).is(200).at("/uid=<uid>/name", "<p>"),
            ],
        ),
        contract("a contact point POST with a uid that is taken")
            .given([one()])
            .case(
                before("11.5.0"),
                "is an error of the server",
                [REAL, Documentation("pull request #98970")],
                [post(POINTS, but(point("p"), json!({"name": "<q>"}))).is(500)],
            )
            .case(
                since("11.5.0"),
                "is a conflict",
                Documentation("pull request #98970"),
                [post(POINTS, but(point("p"), json!({"name": "<q>"})))
                    .is(409)
                    .id("alerting.notifications.contact-points.uidInUse")],
            ),
        contract("a contact point without a name")
            .case(
                before("12.3.0"),
                "is stored",
                [REAL, Documentation("pull request #113064")],
                [post(POINTS, but(point("p"), json!({"name": ""}))).is(202)],
            )
            .case(
                since("12.3.0"),
                "is refused",
                Documentation("pull request #113064"),
                [post(POINTS, but(point("p"), json!({"name": ""}))).is(400)],
            ),
        contract("a contact point of a type that there isn't").case(
            always(),
            "is refused",
            [REAL, SERVICE],
            [post(POINTS, of("pigeon", json!({"url": "http://127.0.0.1:9"})))
                .is(400)
                .says("invalid object specification")],
        ),
        contract("a contact point without what its type needs").case(
            always(),
            "is refused",
            [REAL, SERVICE],
            [post(POINTS, of("webhook", json!({})))
                .is(400)
                .says("invalid object specification")],
        ),
        contract("a body that is no JSON").case(
            always(),
            "is refused",
            [REAL, API],
            [post(POINTS, json!(null)).text("{").is(400)],
        ),
        contract("two contact points of one name").case(
            always(),
            "are one with two integrations",
            [REAL, SERVICE],
            [
                one(),
                post(
                    POINTS,
                    but(
                        of("email", json!({"addresses": "a@example.com"})),
                        json!({"uid": "<q>"}),
                    ),
                )
                .is(202),
                get(format!("{POINTS}?name=<p>"))
                    .is(200)
                    .lists("/*/uid", ["<p>", "<q>"]),
            ],
        ),
        contract("contact points with `name`")
            .given([one(), post(POINTS, point("q")).is(202)])
            .case(
                always(),
                "are those of exactly this name",
                API,
                [
                    get(format!("{POINTS}?name=<q>")).is(200).lists("/*/uid", ["<q>"]),
                    get(format!("{POINTS}?name=<none>")).is(200).counts("/*", 0),
                ],
            ),
        contract("the list of contact points")
            .given([post(POINTS, point("b")).is(202), post(POINTS, point("a")).is(202)])
            .case(
                always(),
                "is in the order of their names",
                SERVICE,
                [get(POINTS).is(200).lists("/type=webhook/uid", ["<a>", "<b>"])],
            ),
        contract("a contact point PUT").given([one()]).case(
            always(),
            "is accepted, and says so",
            [REAL, API],
            [
                put(
                    format!("{POINTS}/<p>"),
                    but(point("p"), json!({"disableResolveMessage": true})),
                )
                .is(202)
                .at("/message", "contactpoint updated"),
                get(POINTS).is(200).at("/uid=<p>/disableResolveMessage", true),
            ],
        ),
        contract("the uid in the body of a contact point PUT")
            .given([one()])
            .case(
                always(),
                "doesn't count",
                API,
                [
                    put(format!("{POINTS}/<p>"), but(point("p"), json!({"uid": "<q>"}))).is(202),
                    get(POINTS).is(200).there("/uid=<p>").lacks("/uid=<q>"),
                ],
            ),
        contract("a contact point PUT to a uid that isn't there").case(
            always(),
            "is not found",
            [REAL, SERVICE],
            [
                put(format!("{POINTS}/<p>"), point("p")).is(404),
                get(POINTS).is(200).lacks("/uid=<p>"),
            ],
        ),
        contract("a contact point DELETE").given([one()]).case(
            always(),
            "is accepted, and says so",
            [REAL, API],
            [
                delete(format!("{POINTS}/<p>"))
                    .is(202)
                    .at("/message", "contactpoint deleted"),
                get(POINTS).is(200).lacks("/uid=<p>"),
            ],
        ),
        contract("a contact point DELETE of a uid that isn't there").case(
            always(),
            "is accepted",
            [REAL, SERVICE],
            [delete(format!("{POINTS}/<p>")).is(202)],
        ),
        contract("a contact point DELETE by somebody of no provenance")
            .given([one()])
            .case(
                always(),
                "is accepted",
                SERVICE,
                [
                    delete(format!("{POINTS}/<p>")).unprovisioned().is(202),
                    get(POINTS).is(200).lacks("/uid=<p>"),
                ],
            ),
        contract("a contact point that is written without provenance").case(
            always(),
            "has none",
            [REAL, API],
            [
                one().unprovisioned(),
                get(POINTS).is(200).there("/uid=<p>").lacks("/uid=<p>/provenance"),
            ],
        ),
        contract("a contact point PUT that puts the provenance on")
            .given([one().unprovisioned()])
            .case(
                always(),
                "is accepted",
                SERVICE,
                [
                    put(format!("{POINTS}/<p>"), point("p")).is(202),
                    get(POINTS).is(200).at("/uid=<p>/provenance", "api"),
                ],
            ),
        contract("a contact point PUT that would take the provenance off")
            .given([one()])
            .case(
                before("11.6.17")
                    .and(between("12.0.0", "12.3.9"))
                    .and(between("12.4.0", "12.4.6"))
                    .and(between("13.0.0", "13.0.4")),
                "is an error of the server",
                [REAL, Documentation(MISMATCH)],
                [put(format!("{POINTS}/<p>"), point("p"))
                    .unprovisioned()
                    .is(500)
                    .says("cannot change provenance from 'api' to ''")],
            )
            .case(
                between("11.6.17", "12.0.0")
                    .and(between("12.3.9", "12.4.0"))
                    .and(between("12.4.6", "13.0.0"))
                    .and(since("13.0.4")),
                "is forbidden",
                Documentation(MISMATCH),
                [put(format!("{POINTS}/<p>"), point("p")).unprovisioned().is(403)],
            ),
        contract("contact points that are made at once")
            .case(
                before("13.3.0"),
                "race, and who loses is told of an error of the server",
                [REAL, Documentation("issue #81139")],
                [
                    post(
                        POINTS,
                        but(point("p"), json!({"uid": "<p>-<n>", "name": "<p>-<n>"})),
                    )
                    .at_once(8)
                    .either([202, 500]),
                    post(POINTS, point("p")).is(202),
                ],
            )
            .case(
                since("13.3.0"),
                "race, and who loses is told of a conflict",
                Documentation("pull request #131069"),
                [
                    post(
                        POINTS,
                        but(point("p"), json!({"uid": "<p>-<n>", "name": "<p>-<n>"})),
                    )
                    .at_once(8)
                    .either([202, 409]),
                    post(POINTS, point("p")).is(202),
                ],
            ),
        contract("an answer about contact points")
            .case(
                before("13.1.0"),
                "has no header that calls it deprecated",
                Documentation("pull request #121995"),
                [get(POINTS)
                    .is(200)
                    .no_header("X-API-Deprecation-Date")
                    .no_header("X-API-Replacement")],
            )
            .case(
                since("13.1.0"),
                "says in its headers that it is deprecated",
                Documentation("pull request #121995"),
                [get(POINTS)
                    .is(200)
                    .header("Warning", "299")
                    .header("X-API-Deprecation-Date", "2026-04-07")
                    .header("X-API-Replacement", "/apis/notifications.alerting.grafana.app")],
            ),
        contract("contact points of a Viewer's").case(
            always(),
            "are refused",
            Code("pkg/services/ngalert/api/authorization.go"),
            [post(POINTS, point("p"))
                .by(Caller::Viewer)
                .is(403)
                .at("/title", "Access denied")],
        ),
    ]
}

fn in_use() -> Vec<Contract> {
    let used = || {
        [
            post(POINTS, point("p")).is(202),
            put(POLICIES, json!({"receiver": "<p>"})).is(202),
        ]
    };
    let by_rule = || {
        [
            folder("f"),
            post(POINTS, point("p")).is(202),
            stored(but(
                rule("f", "r"),
                json!({"notification_settings": {"receiver": "<p>"}}),
            )),
        ]
    };
    vec![
        contract("a contact point DELETE of one that the tree uses")
            .given(used())
            .case(
                before("11.2.0"),
                "is an error of the server",
                [REAL, Documentation("pull request #90117")],
                [
                    delete(format!("{POINTS}/<p>")).is(500),
                    get(POINTS).is(200).there("/uid=<p>"),
                ],
            )
            .case(
                since("11.2.0"),
                "is a conflict",
                [Documentation("pull request #90117"), SERVICE],
                [
                    delete(format!("{POINTS}/<p>"))
                        .is(409)
                        .id("alerting.notifications.contact-points.referenced"),
                    get(POINTS).is(200).there("/uid=<p>"),
                ],
            ),
        contract("a contact point DELETE of one integration of two that the tree uses")
            .given(used())
            .case(
                always(),
                "is accepted",
                SERVICE,
                [
                    post(POINTS, but(point("q"), json!({"name": "<p>"}))).is(202),
                    delete(format!("{POINTS}/<q>")).is(202),
                    get(format!("{POINTS}?name=<p>")).is(200).lists("/*/uid", ["<p>"]),
                ],
            ),
        contract("a contact point DELETE of one that a rule uses")
            .given(by_rule())
            .unknown(before("11.2.0"))
            .case(
                since("11.2.0"),
                "is a conflict",
                SERVICE,
                [delete(format!("{POINTS}/<p>"))
                    .is(409)
                    .id("alerting.notifications.contact-points.used-by-rule")],
            ),
        contract("another name for a contact point that the tree uses")
            .given(used())
            .unknown(before("11.6.0"))
            .case(
                since("11.6.0"),
                "is written into the tree too",
                SERVICE,
                [
                    put(format!("{POINTS}/<p>"), but(point("p"), json!({"name": "<q>"}))).is(202),
                    get(POLICIES).is(200).at("/receiver", "<q>"),
                ],
            ),
        contract("another name for a contact point that a rule uses")
            .given(by_rule())
            .unknown(before("11.6.0"))
            .case(
                since("11.6.0"),
                "is written into the rule too",
                SERVICE,
                [
                    put(format!("{POINTS}/<p>"), but(point("p"), json!({"name": "<q>"}))).is(202),
                    get(format!("{RULES}/<r>"))
                        .is(200)
                        .at("/notification_settings/receiver", "<q>"),
                ],
            ),
        contract("the contact points of a new organisation")
            .given([post("/api/orgs", json!({"name": "<new>"}))
                .by(Caller::ServerAdmin)
                .is(200)
                .keep("/orgId", "new")])
            .case(
                before("12.4.0"),
                "are one e-mail without a uid",
                [REAL, Documentation("pull request #116368")],
                [get(POINTS)
                    .by(Caller::ServerAdmin)
                    .with("X-Grafana-Org-Id", "<new>")
                    .eventually()
                    .is(200)
                    .lists("/*/type", ["email"])
                    .lists("/*/uid", [""])
                    .lacks("/*/provenance")],
            )
            .case(
                since("12.4.0"),
                "are none",
                Documentation("pull request #116368"),
                [get(POINTS)
                    .by(Caller::ServerAdmin)
                    .with("X-Grafana-Org-Id", "<new>")
                    .eventually()
                    .is(200)
                    .counts("/*", 0)],
            ),
    ]
}
