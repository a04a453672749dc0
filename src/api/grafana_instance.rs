//! GrafanaInstance: the connection to one Grafana and organisation.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, LabelSelector};
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::duration::Duration;
use super::reference::{DatasourceRef, DeletionPolicy, SecretKeyRef, SecretSource, ValueSource};
use super::schema;

/// The connection to one Grafana and organisation.
#[derive(CustomResource, KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[kube(
    group = "alerting.letsrevel.io",
    version = "v1alpha1",
    kind = "GrafanaInstance",
    plural = "grafanainstances",
    shortname = "ginst",
    category = "alerting",
    namespaced,
    status = "GrafanaInstanceStatus",
    derive = "PartialEq",
    doc = "The connection to one Grafana and organisation. It is read from the operator's own namespace only.",
    printcolumn(name = "URL", type_ = "string", json_path = ".spec.url"),
    printcolumn(name = "Version", type_ = "string", json_path = ".status.version"),
    printcolumn(name = "In Sync", type_ = "integer", json_path = ".status.inSync"),
    printcolumn(name = "Not In Sync", type_ = "integer", json_path = ".status.notInSync"),
    printcolumn(
        name = "Ready",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Ready\")].status"
    ),
    printcolumn(
        name = "Reason",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Ready\")].reason"
    ),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp"),
    printcolumn(name = "Owner", type_ = "string", json_path = ".status.ownerID", priority = 1),
    printcolumn(
        name = "Orphans",
        type_ = "integer",
        json_path = ".status.orphans",
        priority = 1
    ),
    printcolumn(
        name = "Message",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Ready\")].message",
        priority = 1
    )
)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("!has(self.orgID) || !has(self.auth.token)")
        .message("orgID goes with auth.basic: a service account's token belongs to one organisation")
        .field_path(".orgID")
)]
pub struct GrafanaInstanceSpec {
    /// Grafana's address, a sub-path included, for example `http://grafana.monitoring:3000`.
    #[schemars(length(min = 1, max = 2048))]
    #[x_kube(
        validation = Rule::new(r"self.matches(r'^https?://[^\s@?#]+$')")
            .message("write an address such as http://grafana.monitoring:3000: http:// or https:// in front, no spaces, no user and password, nothing behind the path")
    )]
    pub url: String,
    /// Grafana's address for people, used in links. Default: `url`.
    #[serde(default, rename = "externalURL", skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 2048))]
    #[x_kube(
        validation = Rule::new(r"self.matches(r'^https?://[^\s@?#]+$')")
            .message("write an address such as http://grafana.monitoring:3000: http:// or https:// in front, no spaces, no user and password, nothing behind the path")
    )]
    pub external_url: Option<String>,
    /// How to log in; the Secrets are in the instance's namespace.
    pub auth: Auth,
    /// The organisation's number; only with basic authentication, since a service account's token belongs to one organisation. Default: the user's current one.
    #[serde(default, rename = "orgID", skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub org_id: Option<i64>,
    /// TLS settings for `https`. Default: the system's certificate authorities.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<Tls>,
    /// The data source of rules that name none. Default: Grafana's own default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_datasource: Option<DatasourceRef>,
    /// How often everything in Grafana is read and compared, at least `1s`. Default: `60s`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[x_kube(
        validation = Rule::new("self.matches('(^|[a-z])0*[1-9][0-9]*(y|w|d|h|m|s)([0-9]|$)')")
            .message("must be at least 1s: Grafana is asked that often")
    )]
    pub resync_interval: Option<Duration>,
    /// How often the alerts' states are read, at least `1s`. Default: `15s`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[x_kube(
        validation = Rule::new("self.matches('(^|[a-z])0*[1-9][0-9]*(y|w|d|h|m|s)([0-9]|$)')")
            .message("must be at least 1s: Grafana is asked that often")
    )]
    pub state_interval: Option<Duration>,
    /// Written in front of every folder title that isn't given by uid. Default: nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 100))]
    pub folder_prefix: Option<String>,
    /// Labels added to every rule, for example `cluster: production`. A rule's own label of the same name wins.
    #[serde(
        default,
        deserialize_with = "schema::or_default",
        skip_serializing_if = "BTreeMap::is_empty"
    )]
    #[schemars(extend("maxProperties" = 16))]
    #[x_kube(
        validation = Rule::new("self.all(k, k.matches('^[a-zA-Z_][a-zA-Z0-9_]*$') && !k.startsWith('__'))")
            .message("a label name consists of letters, digits and underscores and begins neither with a digit nor with __, which is reserved")
    )]
    pub labels: BTreeMap<String, String>,
    /// The `deletionPolicy` of resources that name none: `Delete` (default) or `Orphan`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_deletion_policy: Option<DeletionPolicy>,
    /// The namespaces whose resources may use this instance, by name or by their labels: `names: [shop]`, or `selector: {matchLabels: {grafana: shared}}`.
    /// Default: all that the operator watches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowed_namespaces: Option<AllowedNamespaces>,
    /// The namespaces that may hold the policy tree. Default: any allowed one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub root_policy_namespaces: Option<Namespaces>,
    /// The namespaces whose resources may take over what somebody else made in Grafana, with the annotation `alerting.letsrevel.io/adopt`.
    /// The operator's own always may. Default: all where `allowedNamespaces` is unset, else none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adopt_namespaces: Option<Namespaces>,
    /// What happens to rules and silences in Grafana that carry the operator's mark and whose resource isn't there: `Report` (default) tells
    /// of them in the status, an event and a metric, `Delete` removes them too, once ten resyncs in a row have found them (ten minutes by default), and
    /// none while this Grafana has no resource of that kind at all: a cluster that is built anew gets its resources one after another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub orphans: Option<OrphanPolicy>,
    /// Which of Grafana's APIs rules are written through: `Provisioning` (default), or `Platform`, the one below `/apis` that will replace it, from
    /// Grafana 13.0 on. Where `Platform` isn't served or is refused, `Provisioning` goes on, and the condition `APIFallback` says so; where
    /// `Provisioning` isn't there any more, `Platform` is taken without being asked for. A change is told before it is made, in the condition
    /// `RuleAPIChange` and an event: what `Platform` makes has no group in Grafana and can't get one later, so `group` of an AlertRule says
    /// nothing of it. What is there stays as it is, whichever made it.
    #[serde(default, rename = "ruleAPI", skip_serializing_if = "Option::is_none")]
    pub rule_api: Option<RuleApi>,
    /// The owner ids that this installation had before, the newest first. What they mark in Grafana is ours too, and gets the present one's
    /// mark. No other operator may still run under one of them. Default: none.
    #[serde(
        default,
        rename = "previousOwnerIDs",
        deserialize_with = "schema::or_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    #[schemars(length(max = 16), inner(length(min = 1, max = 40)))]
    #[x_kube(
        merge_strategy = ListMerge::Set,
        validation = Rule::new("self.all(id, id.matches('^[a-z0-9-]+$'))")
            .message("an owner id consists of lower-case letters, digits and dashes, as status.ownerID shows it")
    )]
    pub previous_owner_ids: Vec<String>,
    /// The namespaces whose silences may cover alerts of other namespaces. The operator's own always may. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unrestricted_namespaces: Option<Namespaces>,
    /// How many AlertRules one Silence may cover, those of maintenance included; one that would cover more is `Invalid` and says what it would have
    /// covered. Counted when it is written to Grafana. Default: no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub max_rules_per_silence: Option<i32>,
}

/// Every Secret and key that an instance refers to.
pub fn references(spec: &GrafanaInstanceSpec) -> BTreeSet<&SecretKeyRef> {
    fn maybe(source: Option<&ValueSource>) -> Option<&SecretKeyRef> {
        source.and_then(|source| source.secret_key_ref.as_ref())
    }
    let mut all = BTreeSet::new();
    all.extend(spec.auth.token.as_ref().map(|token| &token.secret_key_ref));
    if let Some(basic) = &spec.auth.basic {
        all.extend(maybe(Some(&basic.username)));
        all.insert(&basic.password.secret_key_ref);
    }
    if let Some(tls) = &spec.tls {
        all.extend(maybe(tls.ca.as_ref()));
        all.extend(maybe(tls.client_certificate.as_ref()));
        all.extend(tls.client_key.as_ref().map(|key| &key.secret_key_ref));
    }
    all
}

/// The namespaces that may use an instance: those that are named, and those whose labels are selected.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("has(self.names) || has(self.selector)")
        .message("give names, selector or both: names: [] allows none")
)]
pub struct AllowedNamespaces {
    /// The namespaces by name; an empty list names none. There are no wildcards. Default: none.
    #[serde(
        default,
        deserialize_with = "schema::or_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    #[schemars(length(max = 1024), inner(length(min = 1, max = 63)))]
    #[x_kube(
        merge_strategy = ListMerge::Set,
        validation = Rule::new("self.all(n, n.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$'))")
            .message("each is the name of one namespace, of lower-case letters, digits and dashes; there are no wildcards")
    )]
    pub names: Vec<String>,
    /// Chooses namespaces by their labels, as `matchLabels` and `matchExpressions` of Kubernetes do; `{}` chooses all. A change of a namespace's
    /// labels takes effect at once. The operator needs the right to list and watch namespaces for it, by a cluster-wide binding. Default: none is chosen so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selector: Option<LabelSelector>,
}

/// A choice of namespaces.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Namespaces {
    /// The namespaces by name; an empty list chooses none. There are no wildcards.
    #[schemars(length(max = 1024), inner(length(min = 1, max = 63)))]
    #[x_kube(
        merge_strategy = ListMerge::Set,
        validation = Rule::new("self.all(n, n.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$'))")
            .message("each is the name of one namespace, of lower-case letters, digits and dashes; there are no wildcards")
    )]
    pub names: Vec<String>,
}

impl Namespaces {
    /// Whether a namespace is among them.
    pub fn contains(&self, namespace: &str) -> bool {
        self.names.iter().any(|name| name == namespace)
    }
}

/// What happens to what carries the operator's mark and has no resource.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Copy, Debug, Default, PartialEq, Eq)]
#[schemars(transform = schema::values_only)]
pub enum OrphanPolicy {
    /// It is told of.
    #[default]
    Report,
    /// It is removed from Grafana, and told of.
    Delete,
}

/// Which of Grafana's APIs rules are written through.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Copy, Debug, Default, PartialEq, Eq)]
#[schemars(transform = schema::values_only)]
pub enum RuleApi {
    /// `/api`: the provisioning API.
    #[default]
    Provisioning,
    /// `/apis`: the API that will replace it.
    Platform,
}

/// How to log in; exactly one of the fields.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("has(self.token) != has(self.basic)").message("give exactly one of token and basic")
)]
pub struct Auth {
    /// A service account's token. The role Admin is the simplest that suffices.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<SecretSource>,
    /// A user's name and password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub basic: Option<BasicAuth>,
}

/// A user's name and password.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct BasicAuth {
    /// The user's name.
    pub username: ValueSource,
    /// The password.
    pub password: SecretSource,
}

/// TLS settings.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("has(self.clientCertificate) == has(self.clientKey)")
        .message("clientCertificate and clientKey belong together")
)]
pub struct Tls {
    /// Certificate authorities in PEM, trusted besides the system's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca: Option<ValueSource>,
    /// Client certificate in PEM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_certificate: Option<ValueSource>,
    /// Its key in PEM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_key: Option<SecretSource>,
    /// `true` trusts any certificate. For tests only. Default: `false`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub insecure_skip_verify: Option<bool>,
}

/// What is known of the Grafana.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct GrafanaInstanceStatus {
    /// The generation of the specification that this status speaks of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// Ready, and while they hold Reconciling and Stalled.
    #[serde(
        default,
        deserialize_with = "schema::or_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    #[schemars(schema_with = "schema::conditions")]
    pub conditions: Vec<Condition>,
    /// The address of the Grafana that it is connected to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The number of the organisation there that the credentials are for.
    #[serde(default, rename = "orgID", skip_serializing_if = "Option::is_none")]
    pub org_id: Option<i64>,
    /// Grafanas that it was connected to before, and what it made in each that may still be there, the last one at the end.
    #[serde(
        default,
        deserialize_with = "schema::or_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub left_behind: Vec<String>,
    /// Grafana's version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Whether Grafana answers. It may, and yet refuse a part of what is read; the condition says which.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reachable: Option<bool>,
    /// What marks this operator's objects in Grafana.
    #[serde(default, rename = "ownerID", skip_serializing_if = "Option::is_none")]
    pub owner_id: Option<String>,
    /// The value of the annotation `alerting.letsrevel.io/resend` that was last acted upon: what Grafana hides of the contact points is sent
    /// again, by a pass of each.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resent: Option<String>,
    /// How many resources are in sync.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_sync: Option<i64>,
    /// How many aren't.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_in_sync: Option<i64>,
    /// How many rules and silences in Grafana carry the operator's mark and have no resource.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub orphans: Option<i64>,
    /// The first ten of them.
    #[serde(
        default,
        deserialize_with = "schema::or_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub orphan_names: Vec<String>,
    /// Fields of our resources that this version of Grafana lacks.
    #[serde(
        default,
        deserialize_with = "schema::or_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub unsupported: Vec<String>,
    /// Which of Grafana's APIs is used, by concern: `provisioning`, or group and version of a newer one. `, watched` after it says that Grafana
    /// tells of changes as they happen.
    #[serde(
        default,
        deserialize_with = "schema::or_default",
        skip_serializing_if = "BTreeMap::is_empty"
    )]
    pub apis: BTreeMap<String, String>,
    /// What of Grafana's APIs is used here and will go, as Grafana says: each with the date since which it is deprecated. It works as before
    /// until then.
    #[serde(
        default,
        deserialize_with = "schema::or_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub deprecated: Vec<String>,
}
