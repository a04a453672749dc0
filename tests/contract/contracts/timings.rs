//! `/api/v1/provisioning/mute-timings`.

use crate::prelude::*;

const SERVICE: Source = Code("pkg/services/ngalert/provisioning/mute_timings.go");
const VERSIONS: Source = Documentation("OpenAPI of 2024-08-26, pull request #88731");

pub fn contracts() -> Vec<Contract> {
    let mut all = writes();
    all.extend(versions());
    all
}

fn writes() -> Vec<Contract> {
    let one = || post(TIMINGS, timing("t")).is(201);
    let used = || {
        [
            one(),
            post(POINTS, point("p")).is(202),
            put(
                POLICIES,
                json!({"receiver": "<p>", "routes": [{"receiver": "<p>", "object_matchers": [["a", "=", "1"]], "mute_time_intervals": ["<t>"]}]}),
            )
            .is(202),
        ]
    };
    vec![
        contract("a mute timing POST").case(always(), "stores it", [REAL, SERVICE], [
            one().at("/name", "<t>"),
            get(format!("{TIMINGS}/<t>")).is(200).at("/name", "<t>").at("/time_intervals/0/weekdays", json!(["monday:friday"])),
            get(TIMINGS).is(200).there("/name=<t>"),
        ]),
        contract("all that a mute timing may say").case(always(), "is read back as it was sent", SERVICE, [
            post(TIMINGS, json!({"name": "<t>", "time_intervals": [{
                "times": [{"start_time": "06:00", "end_time": "24:00"}], "weekdays": ["monday:friday", "sunday"], "days_of_month": ["1:5", "-3:-1"],
                "months": ["1:3", "12"], "years": ["2025:2030"], "location": "Europe/Berlin",
            }]}))
            .is(201),
            get(format!("{TIMINGS}/<t>"))
                .is(200)
                .at("/time_intervals/0/times", json!([{"start_time": "06:00", "end_time": "24:00"}]))
                .at("/time_intervals/0/weekdays", json!(["monday:friday", "sunday"]))
                .at("/time_intervals/0/days_of_month", json!(["1:5", "-3:-1"]))
                .at("/time_intervals/0/years", json!(["2025:2030"]))
                .at("/time_intervals/0/location", "Europe/Berlin"),
        ]),
        contract("a mute timing POST with a name that is taken")
            .given([one()])
            .case(before("10.1.0"), "is refused", REAL, [post(TIMINGS, timing("t")).is(400)])
            .unknown(between("10.1.0", "11.6.0"))
            .case(since("11.6.0"), "is refused, with a word of why", SERVICE, [
                post(TIMINGS, timing("t")).is(400).id("alerting.notifications.time-intervals.nameExists"),
            ]),
        contract("a mute timing of something that is no time").case(always(), "is refused", SERVICE, [
            post(TIMINGS, json!({"name": "<t>", "time_intervals": [{"times": [{"start_time": "25:00", "end_time": "26:00"}]}]})).is(400),
            post(TIMINGS, json!({"name": "<t>", "time_intervals": [{"weekdays": ["someday"]}]})).is(400),
        ]),
        contract("a mute timing without a name").case(always(), "is refused", SERVICE, [
            post(TIMINGS, json!({"name": "", "time_intervals": []})).is(400),
        ]),
        contract("a mute timing whose name has a slash").case(always(), "is found when that is escaped", REAL, [
            post(TIMINGS, but(timing("t"), json!({"name": "<t>/1"}))).is(201),
            get(format!("{TIMINGS}/<t>%2F1")).is(200).at("/name", "<t>/1"),
            delete(format!("{TIMINGS}/<t>%2F1")).is(204),
        ]),
        contract("reading a mute timing that isn't there")
            .case(before("10.1.0"), "is not found, without a word", REAL, [get(format!("{TIMINGS}/<t>")).is(404).body("null")])
            .unknown(between("10.1.0", "11.6.0"))
            .case(since("11.6.0"), "is not found", SERVICE, [
                get(format!("{TIMINGS}/<t>")).is(404).id("alerting.notifications.time-intervals.notFound"),
            ]),
        contract("a mute timing PUT").given([one()]).case(always(), "is accepted, and answers with it", [REAL, SERVICE], [
            put(format!("{TIMINGS}/<t>"), json!({"name": "<t>", "time_intervals": [{"weekdays": ["sunday"]}]})).is(202).at("/name", "<t>"),
            get(format!("{TIMINGS}/<t>")).is(200).at("/time_intervals/0/weekdays", json!(["sunday"])).lacks("/time_intervals/0/times"),
        ]),
        contract("a mute timing PUT to a name that isn't there").case(always(), "is not found", [REAL, SERVICE], [
            put(format!("{TIMINGS}/<t>"), timing("t")).is(404),
        ]),
        contract("another name in the body of a mute timing PUT")
            .given([one()])
            .case(before("10.1.0"), "doesn't count", Code("pkg/services/ngalert/api/api_provisioning.go of 10.0"), [
                put(format!("{TIMINGS}/<t>"), but(timing("t"), json!({"name": "<u>"}))).is(202),
                get(format!("{TIMINGS}/<t>")).is(200),
                get(format!("{TIMINGS}/<u>")).is(404),
            ])
            .unknown(between("10.1.0", "11.6.0"))
            .case(since("11.6.0"), "is its new name", SERVICE, [
                put(format!("{TIMINGS}/<t>"), but(timing("t"), json!({"name": "<u>"}))).is(202),
                get(format!("{TIMINGS}/<u>")).is(200),
                get(format!("{TIMINGS}/<t>")).is(404),
            ]),
        contract("a mute timing DELETE").given([one()]).case(always(), "is 204, also when it is gone already", [REAL, SERVICE], [
            delete(format!("{TIMINGS}/<t>")).is(204),
            get(format!("{TIMINGS}/<t>")).is(404),
            delete(format!("{TIMINGS}/<t>")).is(204),
        ]),
        contract("a mute timing DELETE of one that the tree uses")
            .given(used())
            .case(before("10.1.0"), "is an error of the server", REAL, [
                delete(format!("{TIMINGS}/<t>")).is(500),
                get(format!("{TIMINGS}/<t>")).is(200),
            ])
            .unknown(between("10.1.0", "11.6.0"))
            .case(since("11.6.0"), "is a conflict", SERVICE, [
                delete(format!("{TIMINGS}/<t>")).is(409).id("alerting.notifications.time-intervals.used"),
                get(format!("{TIMINGS}/<t>")).is(200),
            ]),
        contract("a mute timing DELETE of one that a rule uses")
            .given([
                folder("f"),
                one(),
                post(POINTS, point("p")).is(202),
                stored(but(rule("f", "r"), json!({"notification_settings": {"receiver": "<p>", "mute_time_intervals": ["<t>"]}}))),
            ])
            .unknown(before("11.6.0"))
            .case(since("11.6.0"), "is a conflict", SERVICE, [
                delete(format!("{TIMINGS}/<t>")).is(409).id("alerting.notifications.time-intervals.used"),
            ]),
    ]
}

fn versions() -> Vec<Contract> {
    let one = || post(TIMINGS, timing("t")).is(201);
    vec![
        contract("the version of a mute timing")
            .given([one()])
            .case(
                before("11.1.0"),
                "isn't known",
                VERSIONS,
                [get(format!("{TIMINGS}/<t>")).is(200).lacks("/version")],
            )
            .unknown(between("11.1.0", "11.2.0"))
            .case(
                since("11.2.0"),
                "changes with its content, and only then",
                VERSIONS,
                [
                    get(format!("{TIMINGS}/<t>")).is(200).keep("/version", "version"),
                    put(format!("{TIMINGS}/<t>"), timing("t"))
                        .is(202)
                        .at("/version", "<version>"),
                    put(
                        format!("{TIMINGS}/<t>"),
                        json!({"name": "<t>", "time_intervals": []}),
                    )
                    .is(202)
                    .there("/version"),
                    get(TIMINGS)
                        .is(200)
                        .there("/name=<t>")
                        .lacks("/version=<version>"),
                ],
            ),
        contract("a mute timing PUT of a version that is past")
            .given([one()])
            .unknown(before("11.2.0"))
            .case(
                since("11.2.0"),
                "is a conflict",
                [VERSIONS, SERVICE],
                [
                    get(format!("{TIMINGS}/<t>")).is(200).keep("/version", "version"),
                    put(
                        format!("{TIMINGS}/<t>"),
                        json!({"name": "<t>", "version": "<version>", "time_intervals": []}),
                    )
                    .is(202),
                    put(
                        format!("{TIMINGS}/<t>"),
                        but(timing("t"), json!({"version": "<version>"})),
                    )
                    .is(409)
                    .id("alerting.notifications.conflict"),
                    put(format!("{TIMINGS}/<t>"), timing("t")).is(202),
                ],
            ),
        contract("a mute timing DELETE of a version that is past")
            .given([one()])
            .unknown(before("11.2.0"))
            .case(
                since("11.2.0"),
                "is a conflict",
                [VERSIONS, SERVICE],
                [
                    get(format!("{TIMINGS}/<t>")).is(200).keep("/version", "version"),
                    put(
                        format!("{TIMINGS}/<t>"),
                        json!({"name": "<t>", "time_intervals": []}),
                    )
                    .is(202),
                    delete(format!("{TIMINGS}/<t>?version=<version>"))
                        .is(409)
                        .id("alerting.notifications.conflict"),
                    get(format!("{TIMINGS}/<t>")).is(200),
                ],
            ),
        contract("a mute timing PUT that takes the provenance off")
            .given([one()])
            .case(
                before("11.2.0"),
                "is accepted",
                [REAL, Documentation("terraform-provider-grafana")],
                [put(format!("{TIMINGS}/<t>"), timing("t")).unprovisioned().is(202)],
            )
            .case(
                since("11.2.0"),
                "is forbidden",
                [Documentation("terraform-provider-grafana"), SERVICE],
                [put(format!("{TIMINGS}/<t>"), timing("t"))
                    .unprovisioned()
                    .is(403)
                    .id("alerting.notifications.invalidProvenance")],
            ),
        contract("the provenance of a mute timing")
            .given([one()])
            .case(
                before("10.1.0"),
                "is hidden",
                REAL,
                [get(format!("{TIMINGS}/<t>")).is(200).lacks("/provenance")],
            )
            .unknown(between("10.1.0", "11.6.0"))
            .case(
                since("11.6.0"),
                "is shown",
                SERVICE,
                [get(format!("{TIMINGS}/<t>")).is(200).at("/provenance", "api")],
            ),
    ]
}
