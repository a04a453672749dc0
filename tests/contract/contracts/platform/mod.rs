//! The kinds below `/apis`: what newer releases offer in the manner of Kubernetes.

mod discovery;
mod doors;
mod folders;
mod inhibitions;
mod intervals;
mod manners;
mod receiver_links;
mod receiver_origin;
mod receiver_tests;
mod receivers;
mod recording;
mod rights;
mod rule_groups;
mod rule_refusals;
mod rule_versions;
mod rules;
mod secrets;
mod sequences;
mod shared;
mod templates;
mod trees;

use serde_json::{Value, json};

use crate::harness::{
    call::{Call, Caller, delete, patch, post, put},
    contract::{Contract, Source, Sources, contract},
    version::{before, between, since},
};

/// All contracts, each with its area.
pub fn all() -> Vec<(&'static str, Vec<Contract>)> {
    vec![
        ("/apis discovery", discovery::contracts()),
        ("/apis manners", manners::contracts()),
        ("/apis rights", rights::contracts()),
        ("/apis receivers", receivers::contracts()),
        ("/apis secrets", secrets::contracts()),
        ("/apis receivers in use", receiver_links::contracts()),
        ("/apis provenance", receiver_origin::contracts()),
        ("/apis receiver tests", receiver_tests::contracts()),
        ("/apis routing trees", trees::contracts()),
        ("/apis time intervals", intervals::contracts()),
        ("/apis templates", templates::contracts()),
        ("/apis inhibition rules", inhibitions::contracts()),
        ("/apis alert rules", rules::contracts()),
        ("/apis refused rules", rule_refusals::contracts()),
        ("/apis versions of rules", rule_versions::contracts()),
        ("/apis groups of rules", rule_groups::contracts()),
        ("/apis recording rules", recording::contracts()),
        ("/apis rule sequences", sequences::contracts()),
        ("/apis folders", folders::contracts()),
        ("rules at both doors", doors::contracts()),
        ("notifications at both doors", shared::contracts()),
    ]
}

/// A group of kinds: since when it is served by default, before when, and as which version. The best version of each release.
struct Group {
    name: &'static str,
    served: &'static [(&'static str, Option<&'static str>, &'static str)],
}

const NOTIFICATIONS: Group = Group {
    name: "notifications.alerting.grafana.app",
    served: &[
        ("11.5.0", Some("13.0.0"), "v0alpha1"),
        ("13.0.0", None, "v1beta1"),
    ],
};

/// Notifications where their annotations count.
const CURRENT: Group = Group {
    name: NOTIFICATIONS.name,
    served: &[("13.0.0", None, "v1beta1")],
};

const RULES: Group = Group {
    name: "rules.alerting.grafana.app",
    served: &[
        ("13.0.0", Some("13.3.0"), "v0alpha1"),
        ("13.3.0", None, "v1beta1"),
    ],
};

const FOLDERS: Group = Group {
    name: "folder.grafana.app",
    served: &[("12.0.0", Some("13.0.0"), "v1beta1"), ("13.0.0", None, "v1")],
};

/// Where the kinds of a group are in one version.
struct At {
    group: &'static str,
    version: &'static str,
}

impl At {
    /// A kind's collection.
    fn of(&self, plural: &str) -> String {
        format!(
            "/apis/{}/{}/namespaces/<space>/{plural}",
            self.group, self.version
        )
    }

    /// An object, by its name or what its name was kept as.
    fn one(&self, plural: &str, name: &str) -> String {
        format!("{}/{name}", self.of(plural))
    }
}

impl Group {
    /// A contract that is the same in all versions of the group, with the addresses of each.
    fn contract<const N: usize>(
        &self,
        subject: &'static str,
        outcome: &'static str,
        sources: impl Into<Sources>,
        calls: impl Fn(&At) -> [Call; N],
    ) -> Contract {
        let sources = sources.into();
        let mut made = contract(subject);
        if let Some((first, ..)) = self.served.first() {
            made = made.absent(before(first));
        }
        for &(from, end, version) in self.served {
            let versions = end.map_or_else(|| since(from), |end| between(from, end));
            let at = At {
                group: self.name,
                version,
            };
            made = made.case(versions, outcome, sources.clone(), calls(&at));
        }
        made
    }
}

/// Notifications of a version, for contracts that differ by version.
const ALPHA: At = At {
    group: NOTIFICATIONS.name,
    version: "v0alpha1",
};
const BETA: At = At {
    group: NOTIFICATIONS.name,
    version: "v1beta1",
};

/// An object with a spec.
fn object(spec: Value) -> Value {
    Value::from_iter([("spec", spec)])
}

/// An object with a name and a spec, for the address that has the name.
fn named(name: &str, spec: Value) -> Value {
    Value::from_iter([("metadata", json!({"name": name})), ("spec", spec)])
}

/// What gives an object annotations.
fn annotated(annotations: Value) -> Value {
    Value::from_iter([("metadata", Value::from_iter([("annotations", annotations)]))])
}

/// A contact point with one webhook that nobody listens to. Its title is the name.
fn receiver(title: &str) -> Value {
    json!({"title": format!("<{title}>"), "integrations": [webhook(json!({}))]})
}

/// A webhook that nobody listens to, with further settings.
fn webhook(settings: Value) -> Value {
    let mut all = json!({"url": "http://127.0.0.1:9"});
    if let (Some(all), Value::Object(settings)) = (all.as_object_mut(), settings) {
        all.extend(settings);
    }
    json!({"type": "webhook", "version": "v1", "settings": all})
}

/// A rule that never fires and asks no data source, in a folder. Its title is the name.
fn rule(folder: &str, title: &str) -> Value {
    json!({
        "metadata": {"annotations": {"grafana.app/folder": format!("<{folder}>")}},
        "spec": {
            "title": format!("<{title}>"), "trigger": {"interval": "1m"}, "noDataState": "Ok", "execErrState": "Error",
            "expressions": {"A": {"source": true, "model": {"type": "math", "expression": "1 == 0"}}},
        },
    })
}

/// With changes by a merge patch: null takes a key out.
fn with(mut value: Value, changes: Value) -> Value {
    merge(&mut value, changes);
    value
}

fn merge(value: &mut Value, changes: Value) {
    match (value, changes) {
        (Value::Object(value), Value::Object(changes)) => {
            for (key, change) in changes {
                if change.is_null() {
                    value.remove(&key);
                } else {
                    merge(value.entry(key).or_insert(Value::Null), change);
                }
            }
        }
        (value, change) => *value = change,
    }
}

/// A patch of one of the two kinds that Grafana is known to take.
fn merge_patch(path: String, body: Value) -> Call {
    patch(path, body).with("Content-Type", "application/merge-patch+json")
}

fn json_patch(path: String, body: Value) -> Call {
    patch(path, body).with("Content-Type", "application/json-patch+json")
}

/// A deletion of one version.
fn delete_version(path: String, version: &str) -> Call {
    delete(path).send(json!({"preconditions": {"resourceVersion": version}}))
}

/// What is said of every refusal: a Status with code and reason.
trait Refusal {
    fn refused(self, code: u16, reason: &str) -> Self;
    fn detail(self, id: &str) -> Self;
}

impl Refusal for Call {
    fn refused(self, code: u16, reason: &str) -> Self {
        self.is(code)
            .at("/kind", "Status")
            .at("/status", "Failure")
            .at("/code", code)
            .at("/reason", reason)
    }

    /// The id of the error, which `/apis` has in another place.
    fn detail(self, id: &str) -> Self {
        self.at("/details/uid", id)
    }
}

/// Where an annotation is in an object.
fn note(name: &str) -> String {
    format!("/metadata/annotations/{}", name.replace('/', "~1"))
}

/// Where a label is in an object.
fn label(name: &str) -> String {
    format!("/metadata/labels/{}", name.replace('/', "~1"))
}

/// Makes a service account whose token is kept as `key`, with some rights and no role. Only Enterprise can, and the double with a licence.
fn with_rights(rights: &[&str]) -> Vec<Call> {
    let permissions: Vec<_> = rights.iter().map(|right| json!({"action": right})).collect();
    vec![
        post(
            "/api/serviceaccounts",
            json!({"name": "<account>", "role": "None"}),
        )
        .is(201)
        .keep("/id", "id"),
        post("/api/serviceaccounts/<id>/tokens", json!({"name": "<account>"})).keep("/key", "key"),
        post(
            "/api/access-control/roles",
            json!({"name": "<role>", "permissions": permissions}),
        )
        .keep("/uid", "role"),
        post(
            "/api/access-control/users/<id>/roles",
            json!({"roleUid": "<role>"}),
        ),
    ]
}

/// The setting with which single rights can be given.
const LICENCE: &str = "enterprise.license_path=/license.jwt";

/// Files of Grafana's source.
mod read {
    use super::Source::{self, Code};

    pub const RECEIVERS: Source = Code("pkg/tests/apis/alerting/notifications/receivers/receiver_test.go");
    pub const CONVERSIONS: Source = Code("pkg/registry/apps/alerting/notifications/receiver/conversions.go");
    pub const TREES: Source = Code("pkg/services/ngalert/notifier/routes/service.go");
    pub const INTERVALS: Source =
        Code("pkg/tests/apis/alerting/notifications/timeinterval/timeinterval_test.go");
    pub const TEMPLATES: Source =
        Code("pkg/tests/apis/alerting/notifications/templategroup/templates_group_test.go");
    pub const INHIBITIONS: Source =
        Code("pkg/tests/apis/alerting/notifications/inhibitionrule/inhibition_rule_test.go");
    pub const ERRORS: Source = Code("pkg/services/ngalert/models/errors.go");
    pub const RULES: Source = Code("pkg/registry/apps/alerting/rules/alertrule/compat.go");
    pub const RULE_STORAGE: Source = Code("pkg/registry/apps/alerting/rules/alertrule/legacy_storage.go");
    pub const RULE_TESTS: Source = Code("pkg/tests/apis/alerting/rules/alertrule/alertrule_test.go");
    pub const ADMISSION: Source = Code(
        "apps/alerting/rules/pkg/app/alertrule/validator.go; grafana-app-sdk k8s/apiserver/admission.go",
    );
    pub const DOORS: Source = Code("pkg/tests/apis/alerting/rules/compat/alertrule_test.go");
    pub const SERVER: Source = Code("k8s.io/apiserver endpoints/handlers");
}

/// A put of an object that was read or made, with changes.
fn update(path: String, name: &str, version: &str, body: Value) -> Call {
    put(
        path,
        with(
            body,
            json!({"metadata": {"name": name, "resourceVersion": version}}),
        ),
    )
}

/// Somebody with the token of `with_rights`.
const HOLDER: Caller = Caller::Token("key");
