//! Which groups, versions, kinds and verbs there are.

use super::{ALPHA, FOLDERS, NOTIFICATIONS, RULES, Refusal, read};
use crate::harness::{
    call::{Call, Caller, delete, get},
    contract::{
        Contract, Source,
        Source::{Code, Documentation, Unconfirmed},
        contract,
    },
    version::{before, between, since},
};

fn group(name: &str) -> Call {
    get(format!("/apis/{name}"))
}

fn lists(name: &str, versions: &[&str]) -> Call {
    group(name)
        .is(200)
        .at("/kind", "APIGroup")
        .lists("/versions/*/version", versions.iter().copied())
        .at(
            "/preferredVersion/version",
            versions.first().copied().unwrap_or_default(),
        )
}

fn kinds(name: &str, version: &str) -> Call {
    get(format!("/apis/{name}/{version}"))
        .is(200)
        .at("/kind", "APIResourceList")
}

/// Grafana's frontend asks for this form, and its tests compare it.
const DISCOVERY: Source = Code("public/app/features/apiserver/discovery.ts; pkg/tests/apis/helper.go");

fn everything() -> Call {
    let version = |version: &str| {
        format!("application/json;g=apidiscovery.k8s.io;v={version};as=APIGroupDiscoveryList")
    };
    get("/apis")
        .with(
            "Accept",
            &format!("{},{},application/json", version("v2"), version("v2beta1")),
        )
        .is(200)
        .at("/kind", "APIGroupDiscoveryList")
}

pub fn contracts() -> Vec<Contract> {
    vec![
        contract("the group of notifications")
            .case(before("11.5.0"), "isn't served", Documentation("pull request #91550; on by default since 11.5"), [
                group(NOTIFICATIONS.name).is(404),
            ])
            .case(between("11.5.0", "13.0.0"), "is served as v0alpha1", Code("pkg/registry/apps/alerting/notifications/register.go"), [
                lists(NOTIFICATIONS.name, &["v0alpha1"]),
                kinds(NOTIFICATIONS.name, "v0alpha1"),
                get(format!("/apis/{}/v1beta1", NOTIFICATIONS.name)).is(404),
            ])
            .case(since("13.0.0"), "is served as v1beta1 and v0alpha1", Documentation("documentation of 13.0"), [
                lists(NOTIFICATIONS.name, &["v1beta1", "v0alpha1"]),
            ]),
        contract("the group of rules")
            .case(before("13.0.0"), "isn't served", Code("pkg/registry/apps/alerting/rules/register.go"), [group(RULES.name).is(404)])
            .case(between("13.0.0", "13.3.0"), "is served as v0alpha1", Code("pkg/registry/apps/alerting/rules/register.go"), [
                lists(RULES.name, &["v0alpha1"]),
            ])
            .case(since("13.3.0"), "is served as v1beta1 and v0alpha1", Documentation("what's new of 2026-10-22"), [
                lists(RULES.name, &["v1beta1", "v0alpha1"]),
            ]),
        contract("the group of rules with its toggle")
            .setting("feature_toggles.enable=kubernetesAlertingRules")
            .case(before("12.0.0"), "isn't served", Code("pkg/registry/apps/alerting/rules/register.go"), [group(RULES.name).is(404)])
            .case(between("12.0.0", "13.3.0"), "is served as v0alpha1", Code("pkg/registry/apps/alerting/rules/register_test.go"), [
                lists(RULES.name, &["v0alpha1"]),
            ])
            .case(since("13.3.0"), "is served as v1beta1 and v0alpha1", Documentation("what's new of 2026-10-22"), [
                lists(RULES.name, &["v1beta1", "v0alpha1"]),
            ]),
        contract("the group of folders")
            .case(before("12.0.0"), "isn't served", Documentation("what's new in 12.0"), [group(FOLDERS.name).is(404)])
            .case(between("12.0.0", "13.0.0"), "is served as v1beta1", Documentation("what's new in 12.0"), [
                lists(FOLDERS.name, &["v1beta1"]),
            ])
            .case(since("13.0.0"), "is served as v1 and v1beta1", Documentation("what's new in 13.0"), [
                lists(FOLDERS.name, &["v1", "v1beta1"]),
            ]),
        contract("the list of all groups")
            .absent(before("11.5.0"))
            .case(since("11.5.0"), "has those that are served", read::SERVER, [
                get("/apis").is(200).at("/kind", "APIGroupList").there(&format!("/groups/name={}", NOTIFICATIONS.name)),
            ]),
        contract("the list of all groups with their kinds")
            .absent(before("11.5.0"))
            .case(between("11.5.0", "13.0.0"), "is there for who asks for it", DISCOVERY, [everything()])
            .case(since("13.0.0"), "has the verbs of each kind", DISCOVERY, [
                everything()
                    .lists(
                        &format!("/items/metadata.name={}/versions/version=v1beta1/resources/resource=receivers/verbs/*", NOTIFICATIONS.name),
                        ["create", "delete", "deletecollection", "get", "list", "patch", "update"],
                    ),
            ]),
        contract("the kinds of notifications")
            .absent(before("11.5.0"))
            .case(between("11.5.0", "13.0.0"), "are four", Code("apps/alerting/notifications/kinds"), [
                kinds(NOTIFICATIONS.name, "v0alpha1")
                    .at("/resources/name=receivers/kind", "Receiver")
                    .at("/resources/name=routingtrees/kind", "RoutingTree")
                    .at("/resources/name=templategroups/kind", "TemplateGroup")
                    .at("/resources/name=timeintervals/kind", "TimeInterval")
                    .lacks("/resources/name=inhibitionrules"),
            ])
            .case(since("13.0.0"), "have inhibition rules too", Code("apps/alerting/notifications/kinds"), [
                kinds(NOTIFICATIONS.name, "v1beta1")
                    .at("/resources/name=receivers/namespaced", true)
                    .at("/resources/name=inhibitionrules/kind", "InhibitionRule"),
            ]),
        contract("the kinds of rules")
            .absent(before("13.0.0"))
            .case(between("13.0.0", "13.1.0"), "are two", Code("apps/alerting/rules/kinds/manifest.cue"), [
                kinds(RULES.name, "v0alpha1")
                    .at("/resources/name=alertrules/kind", "AlertRule")
                    .at("/resources/name=recordingrules/kind", "RecordingRule")
                    .lacks("/resources/name=rulesequences"),
            ])
            .case(
                since("13.1.0"),
                "have sequences too",
                Unconfirmed("terraform-provider-grafana appplatform/rulesequence_resource.go; perhaps a toggle is needed"),
                [kinds(RULES.name, "v0alpha1").at("/resources/name=rulesequences/kind", "RuleSequence")],
            ),
        NOTIFICATIONS.contract(
            "the verbs of notifications",
            "have patch and no watch",
            [read::SERVER, Code("pkg/registry/apps/alerting/notifications/*/legacy_storage.go")],
            |at| {
                [get(format!("/apis/{}/{}", at.group, at.version)).lists(
                    "/resources/name=timeintervals/verbs/*",
                    ["create", "delete", "deletecollection", "get", "list", "patch", "update"],
                )]
            },
        ),
        RULES.contract(
            "the verbs of rules",
            "have patch and no watch",
            [read::SERVER, read::RULE_STORAGE],
            |at| {
                [get(format!("/apis/{}/{}", at.group, at.version)).lists(
                    "/resources/name=alertrules/verbs/*",
                    ["create", "delete", "deletecollection", "get", "list", "patch", "update"],
                )]
            },
        ),
        NOTIFICATIONS.contract("a watch", "is refused", read::SERVER, |at| {
            [get(format!("{}?watch=true", at.of("receivers"))).refused(405, "MethodNotAllowed")]
        }),
        RULES.contract("a watch of rules", "is refused", [read::SERVER, read::RULE_STORAGE], |at| {
            [get(format!("{}?watch=true", at.of("alertrules"))).refused(405, "MethodNotAllowed")]
        }),
        NOTIFICATIONS.contract("a DELETE of all objects of a kind", "is refused", Code("routingtree/legacy_storage.go, DeleteCollection"), |at| {
            [
                delete(at.of("receivers")).refused(405, "MethodNotAllowed"),
                delete(at.of("timeintervals")).refused(405, "MethodNotAllowed"),
                delete(at.of("templategroups")).refused(405, "MethodNotAllowed"),
            ]
        }),
        RULES.contract("a DELETE of all rules", "is refused", read::RULE_STORAGE, |at| {
            [delete(at.of("alertrules")).refused(405, "MethodNotAllowed")]
        }),
        NOTIFICATIONS.contract("a kind that there isn't", "is not found", read::SERVER, |at| [get(at.of("dashboards")).is(404)]),
        NOTIFICATIONS.contract("the namespace of another organisation", "is forbidden", Code("pkg/services/apiserver/auth/authorizer"), |at| {
            [get(format!("/apis/{}/{}/namespaces/org-9999/receivers", at.group, at.version)).refused(403, "Forbidden")]
        }),
        NOTIFICATIONS.contract("a call to /apis without a log-in", "is refused", read::SERVER, |at| {
            [get(at.of("timeintervals")).by(Caller::Nobody).is(401)]
        }),
        contract("a kind of notifications where the group is only there by a toggle")
            .setting("feature_toggles.enable=alertingApiServer")
            .unknown(before("11.2.0"))
            .case(since("11.2.0"), "is served", Documentation("pull request #91550"), [get(ALPHA.of("timeintervals")).is(200)]),
    ]
}
