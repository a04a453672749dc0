//! GrafanaInstance: the connection to one Grafana and organisation.

mod login;
mod status;

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::duration::Duration;
use super::reference::{ConfigMapKeyRef, DatasourceRef, DeletionPolicy, SecretKeyRef, ValueSource};
use super::schema;
use login::OWN_HEADERS;

pub use login::{Auth, BasicAuth, Tls};
pub use status::GrafanaInstanceStatus;

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
        name = "Drifted",
        type_ = "integer",
        json_path = ".status.drifted",
        priority = 1
    ),
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
        .field_path(".orgID"),
    validation = Rule::new("!has(self.proxyAuth) || has(self.proxyURL)")
        .message("proxyAuth goes with proxyURL, which is missing")
        .field_path(".proxyAuth")
)]
pub struct GrafanaInstanceSpec {
    /// Grafana's address, a sub-path included, for example `http://grafana.monitoring`.
    #[schemars(length(min = 1, max = 2048))]
    #[x_kube(
        validation = Rule::new(r"self.matches(r'^https?://[^\s@?#]+$')")
            .message("write an address such as http://grafana.monitoring: http:// or https:// in front, no spaces, no user and password, nothing behind the path")
    )]
    pub url: String,
    /// Grafana's address for people, used in links. Default: `url`.
    #[serde(default, rename = "externalURL", skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 2048))]
    #[x_kube(
        validation = Rule::new(r"self.matches(r'^https?://[^\s@?#]+$')")
            .message("write an address such as http://grafana.monitoring: http:// or https:// in front, no spaces, no user and password, nothing behind the path")
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
    /// Further headers of every request, for what stands in front of Grafana: `CF-Access-Client-Id` and `CF-Access-Client-Secret` of Cloudflare Access,
    /// for example. What the operator sets itself is refused. The values are shown nowhere. Default: none.
    #[serde(
        default,
        deserialize_with = "schema::or_default",
        skip_serializing_if = "BTreeMap::is_empty"
    )]
    #[schemars(extend("maxProperties" = 16))]
    #[x_kube(
        validation = Rule::new("self.all(name, name.matches('^[A-Za-z0-9_-]+$'))")
            .message("the name of a header consists of letters, digits, dashes and underscores"),
        validation = Rule::new(format!("self.all(name, !name.matches('(?i)^({})$'))", OWN_HEADERS.join("|")))
            .message("the operator sets this header itself, or the connection does: auth is for Authorization, orgID for X-Grafana-Org-Id, proxyAuth for Proxy-Authorization")
    )]
    pub headers: BTreeMap<String, ValueSource>,
    /// The HTTP proxy that leads to Grafana, for example `http://proxy.example.com:3128`; its credentials go into `proxyAuth`. Default: what the operator's own
    /// environment names (`HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY`), mostly none.
    #[serde(default, rename = "proxyURL", skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 2048))]
    #[x_kube(
        validation = Rule::new("!self.contains('@')")
            .message("write no user and password into the address: proxyAuth takes them from a Secret"),
        validation = Rule::new(r"self.contains('@') || self.matches(r'^https?://[^\s@/?#]+/?$')")
            .message("write an address such as http://proxy.example.com:3128: http:// or https:// in front, nothing behind host and port")
    )]
    pub proxy_url: Option<String>,
    /// How to log in to the proxy of `proxyURL`. Default: not at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proxy_auth: Option<BasicAuth>,
    /// The data source of rules that name none. Default: Grafana's own default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_datasource: Option<DatasourceRef>,
    /// How often everything in Grafana is read and compared, at least `1s`, without years and weeks and with at most 9999 of each other unit. Default: `60s`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[x_kube(
        validation = Rule::new("self.matches('(^|[a-z])0*[1-9][0-9]*(y|w|d|h|m|s)([0-9]|$)')")
            .message("must be at least 1s: Grafana is asked that often"),
        validation = Rule::new("!self.matches('[yw]|[0-9]{5}')")
            .message("has no years and weeks, and at most 9999 of each other unit: 1d is once a day")
    )]
    pub resync_interval: Option<Duration>,
    /// How often the alerts' states are read, at least `1s`, with the limits of `resyncInterval`. Default: `15s`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[x_kube(
        validation = Rule::new("self.matches('(^|[a-z])0*[1-9][0-9]*(y|w|d|h|m|s)([0-9]|$)')")
            .message("must be at least 1s: Grafana is asked that often"),
        validation = Rule::new("!self.matches('[yw]|[0-9]{5}')")
            .message("has no years and weeks, and at most 9999 of each other unit: 1d is once a day")
    )]
    pub state_interval: Option<Duration>,
    /// Written in front of every folder title that isn't given by uid. It may end with a space, or with `/` to put all into a folder. Default: nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 100))]
    #[x_kube(
        validation = Rule::new(r"!self.matches(r'^\s|^/|\s/|(^|[^\\])/[\s/]')")
            .message("no title in front of or behind a / is empty, or has spaces at its ends: Prod/ puts all into Prod; write \\/ for a slash within a title")
    )]
    pub folder_prefix: Option<String>,
    /// Labels added to every rule, for example `cluster: production`. A rule's own label of the same name wins. Default: none.
    #[serde(
        default,
        deserialize_with = "schema::or_default",
        skip_serializing_if = "BTreeMap::is_empty"
    )]
    #[schemars(extend("maxProperties" = 16))]
    #[x_kube(
        validation = Rule::new("self.all(k, k.matches('^[a-zA-Z_][a-zA-Z0-9_]*$') && !k.startsWith('__'))")
            .message("a label name consists of letters, digits and underscores and begins neither with a digit nor with __, which is reserved"),
        validation = Rule::new("!('alertname' in self)")
            .message("alertname is each rule's title, whatever its labels say")
    )]
    pub labels: BTreeMap<String, String>,
    /// The `deletionPolicy` of resources that name none: `Delete` (default) or `Orphan`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_deletion_policy: Option<DeletionPolicy>,
    /// What happens where somebody changes in Grafana what a resource has stored there: `Correct` (default) puts it right, `Report` leaves it, and tells of it in
    /// the resource's `status.drift` and as the reason `Drifted`. Either way a change of the resource itself, or of a Secret or ConfigMap that it refers to, is written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drift_policy: Option<DriftPolicy>,
    /// The namespaces whose resources may use this instance, by name or by their labels: `names: [shop]`, or `selector: {matchLabels: {grafana: shared}}`.
    /// Default: all that the operator watches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowed_namespaces: Option<AllowedNamespaces>,
    /// The namespaces that may hold the policy tree. Default: any allowed one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub root_policy_namespaces: Option<Namespaces>,
    /// The namespaces whose resources may take over what somebody else made in Grafana, with the annotation `alerting.letsrevel.io/adopt`, or without it
    /// what is equal to what they ask for.
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
    /// The namespaces that may reach past themselves: their Silences and InhibitionRules may cover alerts of other namespaces and of rules that aren't resources, their
    /// branches of the policy tree take anybody's alerts, and their PrometheusRuleImports may read the rules of other namespaces. The operator's own always may.
    /// Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unrestricted_namespaces: Option<Namespaces>,
    /// How many AlertRules one Silence may cover, those of maintenance included; one that would cover more is `Invalid` and says what it would have
    /// covered. Counted when it is written to Grafana. Default: no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub max_rules_per_silence: Option<i32>,
}

/// Every Secret and every ConfigMap that an instance refers to, with the keys.
pub fn references(spec: &GrafanaInstanceSpec) -> (BTreeSet<&SecretKeyRef>, BTreeSet<&ConfigMapKeyRef>) {
    let mut secrets = BTreeSet::new();
    secrets.extend(spec.auth.token.as_ref().map(|token| &token.secret_key_ref));
    for basic in [&spec.auth.basic, &spec.proxy_auth].into_iter().flatten() {
        secrets.extend(&basic.username.secret_key_ref);
        secrets.insert(&basic.password.secret_key_ref);
    }
    secrets.extend(
        spec.headers
            .values()
            .filter_map(|value| value.secret_key_ref.as_ref()),
    );
    let mut texts = BTreeSet::new();
    if let Some(tls) = &spec.tls {
        for text in [&tls.ca, &tls.client_certificate].into_iter().flatten() {
            secrets.extend(&text.secret_key_ref);
            texts.extend(&text.config_map_key_ref);
        }
        secrets.extend(tls.client_key.as_ref().map(|key| &key.secret_key_ref));
    }
    (secrets, texts)
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

/// What happens where somebody changes in Grafana what a resource has stored there.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Copy, Debug, Default, PartialEq, Eq)]
#[schemars(transform = schema::values_only)]
pub enum DriftPolicy {
    /// It is put right.
    #[default]
    Correct,
    /// It is left, and told of.
    Report,
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
