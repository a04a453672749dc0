//! `/api/v1/provisioning/templates`.

use crate::prelude::*;

const SERVICE: Source = Code("pkg/services/ngalert/provisioning/templates.go");
const VERSIONS: Source = Documentation("OpenAPI of 2024-08-26, pull request #91195");
const VALIDATION: Source = Code("pkg/services/ngalert/api/tooling/definitions/alertmanager_validation.go");
const BOTH: &str = "{{- define \"x\" }}{{ end }}{{\tdefine \"y\" }}{{ end }}";
const TEXT: &str = "{{ define \"x\" }}text{{ end }}";

pub fn contracts() -> Vec<Contract> {
    let one = || template("t", TEXT).is(202);
    let at = format!("{TEMPLATES}/<t>");
    vec![
        contract("a template PUT").case(
            always(),
            "stores it, whether it was there or not",
            [REAL, SERVICE],
            [
                one().at("/name", "<t>"),
                get(at.clone()).is(200).at("/template", TEXT),
                template("t", "{{ define \"y\" }}other{{ end }}").is(202),
                get(at.clone())
                    .is(200)
                    .at("/template", "{{ define \"y\" }}other{{ end }}"),
                get(TEMPLATES).is(200).there("/name=<t>"),
            ],
        ),
        contract("a template that defines nothing").case(
            always(),
            "is wrapped in a definition of its own name",
            [REAL, SERVICE],
            [
                template("t", "bare text").is(202),
                get(at.clone())
                    .is(200)
                    .at("/template", "{{ define \"<t>\" }}\n  bare text\n{{ end }}"),
            ],
        ),
        contract("a template whose definitions trim what stands before them")
            .unknown(before("11.6.0"))
            .case(
                since("11.6.0"),
                "is wrapped all the same, and no template then",
                VALIDATION,
                [template("t", "{{- define \"x\" }}text{{ end }}").is(400)],
            ),
        contract("a template of which one definition doesn't trim what stands before it").case(
            always(),
            "is stored as it is",
            VALIDATION,
            [
                template("t", BOTH).is(202),
                get(at.clone()).is(200).at("/template", BOTH),
            ],
        ),
        contract("a template that can't be parsed")
            .case(
                before("10.1.0"),
                "is refused",
                Unconfirmed("what later releases do"),
                [template("t", "{{ define \"x\" }}").is(400)],
            )
            .unknown(between("10.1.0", "11.6.0"))
            .case(
                since("11.6.0"),
                "is refused, with a word of why",
                SERVICE,
                [template("t", "{{ define \"x\" }}")
                    .is(400)
                    .id("alerting.notifications.templates.invalidFormat")],
            ),
        contract("a template without text").case(
            always(),
            "is refused",
            SERVICE,
            [template("t", "").is(400)],
        ),
        contract("a template POST").case(
            always(),
            "isn't known",
            [REAL, Documentation("OpenAPI")],
            [post(TEMPLATES, json!({"name": "<t>", "template": TEXT})).either([404, 405])],
        ),
        contract("reading a template that isn't there").case(
            always(),
            "is not found",
            SERVICE,
            [get(at.clone()).is(404)],
        ),
        contract("a template DELETE").given([one()]).case(
            always(),
            "is 204, also when it is gone already",
            [REAL, SERVICE],
            [
                delete(at.clone()).is(204),
                get(at.clone()).is(404),
                delete(at.clone()).is(204),
            ],
        ),
        contract("the version of a template")
            .given([one()])
            .case(
                before("11.1.0"),
                "isn't known",
                VERSIONS,
                [get(at.clone()).is(200).lacks("/version")],
            )
            .unknown(between("11.1.0", "11.2.0"))
            .case(
                since("11.2.0"),
                "changes with its text, and only then",
                VERSIONS,
                [
                    get(at.clone()).is(200).keep("/version", "version"),
                    one().at("/version", "<version>"),
                    template("t", "other").is(202),
                    get(TEMPLATES)
                        .is(200)
                        .there("/name=<t>")
                        .lacks("/version=<version>"),
                ],
            ),
        contract("a template PUT of a version that is past")
            .given([one()])
            .unknown(before("11.2.0"))
            .case(
                since("11.2.0"),
                "is a conflict",
                [VERSIONS, SERVICE],
                [
                    get(at.clone()).is(200).keep("/version", "version"),
                    template("t", "other").is(202),
                    put(at.clone(), json!({"template": TEXT, "version": "<version>"}))
                        .is(409)
                        .id("alerting.notifications.conflict"),
                    get(at.clone())
                        .is(200)
                        .at("/template", "{{ define \"<t>\" }}\n  other\n{{ end }}"),
                ],
            ),
        contract("a template PUT of a version where there is no template")
            .unknown(before("11.2.0"))
            .case(
                since("11.2.0"),
                "is not found",
                [VERSIONS, SERVICE],
                [
                    put(at.clone(), json!({"template": TEXT, "version": "0123"})).is(404),
                    get(at.clone()).is(404),
                ],
            ),
        contract("a template DELETE of a version that is past")
            .given([one()])
            .unknown(before("11.2.0"))
            .case(
                since("11.2.0"),
                "is a conflict",
                [VERSIONS, SERVICE],
                [
                    get(at.clone()).is(200).keep("/version", "version"),
                    template("t", "other").is(202),
                    delete(format!("{at}?version=<version>"))
                        .is(409)
                        .id("alerting.notifications.conflict"),
                ],
            ),
        contract("a template PUT that takes the provenance off")
            .given([one()])
            .case(
                before("11.2.0"),
                "is accepted",
                [REAL, Documentation("terraform-provider-grafana")],
                [one().unprovisioned()],
            )
            .case(
                since("11.2.0"),
                "is forbidden",
                [Documentation("terraform-provider-grafana"), SERVICE],
                [template("t", TEXT)
                    .unprovisioned()
                    .is(403)
                    .id("alerting.notifications.invalidProvenance")],
            ),
        contract("the provenance of a template")
            .given([one()])
            .case(
                before("10.1.0"),
                "is hidden",
                REAL,
                [get(at.clone()).is(200).lacks("/provenance")],
            )
            .unknown(between("10.1.0", "11.6.0"))
            .case(
                since("11.6.0"),
                "is shown",
                SERVICE,
                [get(at.clone()).is(200).at("/provenance", "api")],
            ),
        contract("an answer about templates")
            .case(
                before("13.1.0"),
                "has no header that calls it deprecated",
                Documentation("pull request #121995"),
                [get(TEMPLATES).is(200).no_header("X-API-Deprecation-Date")],
            )
            .case(
                since("13.1.0"),
                "says in its headers that it is deprecated",
                Documentation("pull request #121995"),
                [get(TEMPLATES)
                    .is(200)
                    .header("X-API-Deprecation-Date", "2026-04-07")],
            ),
    ]
}
