//! Who manages a rule: the header `X-Disable-Provenance`, and what may change.

use crate::prelude::*;

const STORE: Source = Code("pkg/services/ngalert/provisioning/alert_rules.go");

pub fn contracts() -> Vec<Contract> {
    vec![
        contract("a rule that is written without provenance")
            .given([folder("f")])
            .case(
                always(),
                "has none",
                [REAL, STORE],
                [
                    stored(rule("f", "r")).unprovisioned().lacks("/provenance"),
                    get(format!("{RULES}/<r>")).is(200).lacks("/provenance"),
                ],
            ),
        contract("the header X-Disable-Provenance")
            .given([folder("f")])
            .case(
                always(),
                "counts by being there, whatever it says",
                Documentation("issue #2275 of grafana-operator"),
                [
                    stored(rule("f", "r")).with("X-Disable-Provenance", "false"),
                    get(format!("{RULES}/<r>")).is(200).lacks("/provenance"),
                ],
            ),
        contract("the provenance of a rule in the list")
            .given([folder("f"), stored(rule("f", "r"))])
            .case(
                before("10.1.0"),
                "is hidden",
                REAL,
                [get(RULES).is(200).there("/uid=<r>").lacks("/uid=<r>/provenance")],
            )
            .unknown(between("10.1.0", "10.4.0"))
            .case(
                since("10.4.0"),
                "is shown",
                Code("pkg/services/ngalert/api/api_provisioning.go"),
                [get(RULES).is(200).at("/uid=<r>/provenance", "api")],
            ),
        contract("a rule PUT that would take the provenance off")
            .given([folder("f"), stored(rule("f", "r"))])
            .case(
                before("12.1.0"),
                "is an error of the server",
                [REAL, STORE],
                [
                    put(format!("{RULES}/<r>"), rule("f", "r"))
                        .unprovisioned()
                        .is(500)
                        .says("cannot change provenance from 'api' to ''"),
                    get(format!("{RULES}/<r>")).is(200).at("/provenance", "api"),
                ],
            )
            .unknown(between("12.1.0", "13.0.0"))
            .case(
                since("13.0.0"),
                "is a conflict",
                Documentation("pull request #127699"),
                [
                    put(format!("{RULES}/<r>"), rule("f", "r"))
                        .unprovisioned()
                        .is(409)
                        .id("alerting.provenanceMismatch"),
                    get(format!("{RULES}/<r>")).is(200).at("/provenance", "api"),
                ],
            ),
        contract("a rule PUT that puts the provenance on")
            .given([folder("f"), stored(rule("f", "r")).unprovisioned()])
            .case(
                always(),
                "is accepted",
                STORE,
                [
                    put(format!("{RULES}/<r>"), rule("f", "r")).is(200),
                    get(format!("{RULES}/<r>")).is(200).at("/provenance", "api"),
                ],
            ),
        contract("a rule DELETE by somebody of no provenance")
            .given([folder("f"), stored(rule("f", "r"))])
            .case(
                before("10.1.0"),
                "is an error of the server",
                REAL,
                [
                    delete(format!("{RULES}/<r>")).unprovisioned().is(500),
                    get(format!("{RULES}/<r>")).is(200),
                ],
            )
            .unknown(between("10.1.0", "11.5.0"))
            .case(
                since("11.5.0"),
                "is a conflict",
                STORE,
                [
                    delete(format!("{RULES}/<r>"))
                        .unprovisioned()
                        .is(409)
                        .id("alerting.provenanceMismatch"),
                    get(format!("{RULES}/<r>")).is(200),
                ],
            ),
        contract("a rule DELETE of a rule without provenance")
            .given([folder("f"), stored(rule("f", "r")).unprovisioned()])
            .case(
                always(),
                "is accepted from everybody",
                STORE,
                [
                    delete(format!("{RULES}/<r>")).is(204),
                    get(format!("{RULES}/<r>")).is(404),
                ],
            ),
        contract("a rule POST beside a rule of somebody else's")
            .given([folder("f"), stored(rule("f", "theirs")).unprovisioned()])
            .case(
                always(),
                "leaves it alone",
                [REAL, STORE],
                [
                    stored(rule("f", "ours")),
                    put(
                        format!("{RULES}/<ours>"),
                        but(rule("f", "ours"), json!({"for": "1m"})),
                    )
                    .is(200),
                    get(format!("{RULES}/<theirs>")).is(200).lacks("/provenance"),
                ],
            ),
    ]
}
