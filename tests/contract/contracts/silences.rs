//! `/api/alertmanager/grafana/api/v2`: silences and alerts.

use serde_json::Value;

use crate::prelude::*;

const ALERTMANAGER: Source = Code("api/v2 and silence of grafana/prometheus-alertmanager");
const NOTIFIER: Source = Code("notify/silences.go of grafana/alerting");
const ONE: &str = "/api/alertmanager/grafana/api/v2/silence";
const ALERTS: &str = "/api/alertmanager/grafana/api/v2/alerts";

/// A silence with the id of one that was kept.
fn again(changes: Value) -> Value {
    but(
        but(silence("s"), json!({"id": "<id>", "startsAt": "<start>"})),
        changes,
    )
}

pub fn contracts() -> Vec<Contract> {
    let mut all = writes();
    all.extend(updates());
    all.extend(refusals());
    all.extend(alerts());
    all
}

fn writes() -> Vec<Contract> {
    let one = || post(SILENCES, silence("s")).is(202).keep("/silenceID", "id");
    vec![
        contract("a silence POST").case(
            always(),
            "answers with its id",
            [REAL, ALERTMANAGER],
            [
                one(),
                get(format!("{ONE}/<id>"))
                    .is(200)
                    .at("/id", "<id>")
                    .at("/status/state", "active")
                    .at("/comment", "<s>")
                    .at("/endsAt", "2199-01-01T00:00:00.000Z")
                    .there("/updatedAt"),
                get(SILENCES).is(200).there("/id=<id>"),
            ],
        ),
        contract("the matchers of a silence").case(
            always(),
            "are read back as they were sent",
            ALERTMANAGER,
            [
                post(
                    SILENCES,
                    but(
                        silence("s"),
                        json!({"matchers": [
                            {"name": "b", "value": "1|2", "isRegex": true, "isEqual": true},
                            {"name": "a", "value": "x", "isRegex": false, "isEqual": false},
                        ]}),
                    ),
                )
                .is(202)
                .keep("/silenceID", "id"),
                get(format!("{ONE}/<id>")).is(200).at(
                    "/matchers",
                    json!([
                        {"name": "b", "value": "1|2", "isRegex": true, "isEqual": true},
                        {"name": "a", "value": "x", "isRegex": false, "isEqual": false},
                    ]),
                ),
            ],
        ),
        contract("a silence on labels as data sources have them").case(
            always(),
            "is stored, whatever characters their names hold",
            Documentation("grafana#73369"),
            [
                post(
                    SILENCES,
                    but(
                        silence("s"),
                        json!({"matchers": [{"name": "label.with.dots.and.slash\\test", "value": "warning", "isRegex": false, "isEqual": true}]}),
                    ),
                )
                .is(202)
                .keep("/silenceID", "id"),
                get(format!("{ONE}/<id>"))
                    .is(200)
                    .at("/matchers/0/name", "label.with.dots.and.slash\\test"),
            ],
        ),
        contract("who made a silence").case(
            always(),
            "is whoever was sent",
            ALERTMANAGER,
            [
                post(SILENCES, but(silence("s"), json!({"createdBy": "somebody else"})))
                    .is(202)
                    .keep("/silenceID", "id"),
                get(format!("{ONE}/<id>"))
                    .is(200)
                    .at("/createdBy", "somebody else"),
            ],
        ),
        contract("a silence from a time that is past").case(
            always(),
            "begins now",
            ALERTMANAGER,
            [
                one(),
                get(format!("{ONE}/<id>"))
                    .is(200)
                    .lacks("/startsAt=2026-01-01T00:00:00.000Z")
                    .at("/status/state", "active"),
                get(SILENCES)
                    .is(200)
                    .there("/id=<id>")
                    .lacks("/startsAt=2026-01-01T00:00:00.000Z"),
            ],
        ),
        contract("a silence from a time to come").case(
            always(),
            "is pending",
            ALERTMANAGER,
            [
                post(
                    SILENCES,
                    but(silence("s"), json!({"startsAt": "2198-01-01T00:00:00Z"})),
                )
                .is(202)
                .keep("/silenceID", "id"),
                get(format!("{ONE}/<id>"))
                    .is(200)
                    .at("/status/state", "pending")
                    .at("/startsAt", "2198-01-01T00:00:00.000Z"),
            ],
        ),
        contract("a silence DELETE").given([one()]).case(
            always(),
            "expires it, also twice, and it stays to be read",
            [REAL, ALERTMANAGER],
            [
                delete(format!("{ONE}/<id>")).is(200),
                get(format!("{ONE}/<id>")).is(200).at("/status/state", "expired"),
                delete(format!("{ONE}/<id>")).is(200),
                get(SILENCES).is(200).at("/id=<id>/status/state", "expired"),
            ],
        ),
        contract("a silence DELETE of an id that isn't there").case(
            always(),
            "is not found",
            [REAL, ALERTMANAGER],
            [delete(format!("{ONE}/00000000-0000-4000-8000-000000000000")).is(404)],
        ),
        contract("reading a silence that isn't there").case(
            always(),
            "is not found",
            [REAL, ALERTMANAGER],
            [get(format!("{ONE}/00000000-0000-4000-8000-000000000000")).is(404)],
        ),
        contract("silences with `filter`").given([one()]).case(
            always(),
            "are those that have the very matcher",
            ALERTMANAGER,
            [
                get(format!("{SILENCES}?filter=x%3D%22<s>%22"))
                    .is(200)
                    .lists("/*/id", ["<id>"]),
                get(format!("{SILENCES}?filter=x%3D~%22<s>%22"))
                    .is(200)
                    .counts("/*", 0),
                get(format!("{SILENCES}?filter=x%3D%22<s>%22&filter=y%3D%22z%22"))
                    .is(200)
                    .counts("/*", 0),
            ],
        ),
        contract("silences with a `filter` that is no matcher").case(
            always(),
            "are refused",
            ALERTMANAGER,
            [get(format!("{SILENCES}?filter=%3D%3D")).is(400)],
        ),
        contract("a silence of an Editor").case(
            always(),
            "is accepted",
            Documentation("roles and permissions"),
            [post(SILENCES, silence("s")).by(Caller::Editor).is(202)],
        ),
        contract("a silence of a Viewer").case(
            always(),
            "is forbidden",
            Documentation("roles and permissions"),
            [
                post(SILENCES, silence("s")).by(Caller::Viewer).is(403),
                get(SILENCES).by(Caller::Viewer).is(200),
            ],
        ),
    ]
}

fn updates() -> Vec<Contract> {
    let given = || {
        [
            post(SILENCES, silence("s")).is(202).keep("/silenceID", "id"),
            get(format!("{ONE}/<id>")).is(200).keep("/startsAt", "start"),
        ]
    };
    vec![
        contract("another end of a silence").given(given()).case(
            always(),
            "keeps its id",
            [REAL, ALERTMANAGER],
            [
                post(SILENCES, again(json!({"endsAt": "2190-01-01T00:00:00Z"})))
                    .is(202)
                    .at("/silenceID", "<id>"),
                get(format!("{ONE}/<id>"))
                    .is(200)
                    .at("/endsAt", "2190-01-01T00:00:00.000Z"),
            ],
        ),
        contract("another comment of a silence").given(given()).case(
            always(),
            "keeps its id",
            [REAL, ALERTMANAGER],
            [
                post(SILENCES, again(json!({"comment": "<s> again"})))
                    .is(202)
                    .at("/silenceID", "<id>"),
                get(format!("{ONE}/<id>")).is(200).at("/comment", "<s> again"),
            ],
        ),
        contract("other matchers of a silence").given(given()).case(
            always(),
            "make a new one, and end the old one",
            [REAL, ALERTMANAGER],
            [
                post(
                    SILENCES,
                    again(
                        json!({"matchers": [{"name": "y", "value": "z", "isRegex": false, "isEqual": true}]}),
                    ),
                )
                .is(202)
                .keep("/silenceID", "other"),
                get(format!("{ONE}/<id>")).is(200).at("/status/state", "expired"),
                get(format!("{ONE}/<other>"))
                    .is(200)
                    .at("/status/state", "active"),
            ],
        ),
        contract("matchers of a silence in another order")
            .given([
                post(SILENCES, but(silence("s"), two_matchers("a", "b")))
                    .is(202)
                    .keep("/silenceID", "id"),
                get(format!("{ONE}/<id>")).is(200).keep("/startsAt", "start"),
            ])
            .case(
                always(),
                "make a new one",
                ALERTMANAGER,
                [
                    post(SILENCES, again(two_matchers("b", "a")))
                        .is(202)
                        .keep("/silenceID", "other"),
                    get(format!("{ONE}/<id>")).is(200).at("/status/state", "expired"),
                    get(format!("{ONE}/<other>"))
                        .is(200)
                        .at("/status/state", "active"),
                ],
            ),
        contract("a silence POST with the id of one that has ended")
            .given(given())
            .case(
                always(),
                "makes a new one",
                ALERTMANAGER,
                [
                    delete(format!("{ONE}/<id>")).is(200),
                    post(SILENCES, again(json!({})))
                        .is(202)
                        .keep("/silenceID", "other"),
                    get(format!("{ONE}/<id>")).is(200).at("/status/state", "expired"),
                    get(format!("{ONE}/<other>"))
                        .is(200)
                        .at("/status/state", "active"),
                ],
            ),
        contract("a silence POST with an id that isn't there").case(
            always(),
            "is not found",
            ALERTMANAGER,
            [post(
                SILENCES,
                but(
                    silence("s"),
                    json!({"id": "00000000-0000-4000-8000-000000000000"}),
                ),
            )
            .is(404)],
        ),
    ]
}

fn two_matchers(first: &str, second: &str) -> Value {
    let matcher = |name: &str| json!({"name": name, "value": "1", "isRegex": false, "isEqual": true});
    json!({"matchers": [matcher(first), matcher(second)]})
}

fn refusals() -> Vec<Contract> {
    let refused = |changes: Value| [post(SILENCES, but(silence("s"), changes)).is(400)];
    let matcher = |name: &str, value: &str, regex: bool| json!({"matchers": [{"name": name, "value": value, "isRegex": regex, "isEqual": true}]});
    vec![
        contract("a silence that has ended already").case(
            always(),
            "is refused",
            [ALERTMANAGER, NOTIFIER],
            refused(json!({"startsAt": "2020-01-01T00:00:00Z", "endsAt": "2020-01-02T00:00:00Z"})),
        ),
        contract("a silence that ends before it begins").case(
            always(),
            "is refused",
            [ALERTMANAGER, NOTIFIER],
            refused(json!({"startsAt": "2199-01-02T00:00:00Z"})),
        ),
        contract("a silence without matchers").case(
            always(),
            "is refused",
            [ALERTMANAGER, NOTIFIER],
            refused(json!({"matchers": []})),
        ),
        contract("a silence that the absence of a label would match").case(
            always(),
            "is refused",
            [ALERTMANAGER, NOTIFIER],
            refused(matcher("a", "", false)),
        ),
        contract("a silence with something that is no expression").case(
            always(),
            "is refused",
            [ALERTMANAGER, NOTIFIER],
            refused(matcher("a", "(", true)),
        ),
        contract("a silence that is no JSON").case(
            always(),
            "is refused",
            ALERTMANAGER,
            [post(SILENCES, json!(null)).text("{").is(400)],
        ),
    ]
}

fn alerts() -> Vec<Contract> {
    let fires = || {
        [
            folder("f"),
            stored(but(
                rule("f", "r"),
                json!({"for": "0s", "data": [node("A", "1 > 0")], "labels": {"x": "<s>"}}),
            )),
            soon("f"),
            get(format!("{ALERTS}?filter=x%3D%22<s>%22"))
                .eventually()
                .is(200)
                .counts("/*", 1),
        ]
    };
    vec![
        contract("an alert that fires").quick().given(fires()).case(
            always(),
            "is in the list with its labels",
            ALERTMANAGER,
            [get(format!("{ALERTS}?filter=x%3D%22<s>%22"))
                .is(200)
                .at("/0/labels/alertname", "<r>")
                .at("/0/labels/grafana_folder", "<f>")
                .at("/0/status/state", "active")
                .there("/0/fingerprint")
                .there("/0/generatorURL")],
        ),
        contract("an alert that is silenced").quick().given(fires()).case(
            always(),
            "is suppressed, and says by what",
            ALERTMANAGER,
            [
                post(SILENCES, silence("s")).is(202).keep("/silenceID", "id"),
                get(format!("{ALERTS}?filter=x%3D%22<s>%22"))
                    .eventually()
                    .is(200)
                    .at("/0/status/state", "suppressed")
                    .at("/0/status/silencedBy", json!(["<id>"])),
                get(format!("{ALERTS}?filter=x%3D%22<s>%22&silenced=false"))
                    .is(200)
                    .counts("/*", 0),
            ],
        ),
    ]
}
