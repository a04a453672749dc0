//! ContactPoint: a named receiver with one or more integrations.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::reference::{DeletionPolicy, SecretSource, ValueSource};
use super::schema;

/// Where notifications go.
#[derive(CustomResource, KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[kube(
    group = "alerting.letsrevel.io",
    version = "v1alpha1",
    kind = "ContactPoint",
    plural = "contactpoints",
    shortname = "cpoint",
    category = "alerting",
    namespaced,
    status = "ContactPointStatus",
    derive = "PartialEq",
    doc = "A contact point in Grafana: a name, and the integrations that a notification for it goes to.",
    printcolumn(name = "Types", type_ = "string", json_path = ".status.types"),
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
    printcolumn(
        name = "Grafana Name",
        type_ = "string",
        json_path = ".status.name",
        priority = 1
    ),
    printcolumn(
        name = "Message",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Ready\")].message",
        priority = 1
    ),
    selectable = ".spec.instance",
    validation = Rule::new("(has(self.spec.name) ? self.spec.name : self.metadata.name) == (has(oldSelf.spec.name) ? oldSelf.spec.name : oldSelf.metadata.name)")
        .message("name is immutable: create a second ContactPoint and refer to it")
        .field_path(".spec.name")
)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("(has(self.instance) ? self.instance : 'default') == (has(oldSelf.instance) ? oldSelf.instance : 'default')")
        .message("instance is immutable: delete the resource and create it anew")
)]
pub struct ContactPointSpec {
    /// The GrafanaInstance that holds the contact point. Default: `default`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub instance: Option<String>,
    /// What happens in Grafana when this resource is deleted: `Delete` removes the contact point first (default, or as the instance says),
    /// `Orphan` leaves it there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deletion_policy: Option<DeletionPolicy>,
    /// `true` leaves Grafana as it is, whatever changes here, until it is unset. Default: `false`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspend: Option<bool>,
    /// The contact point's name in Grafana. Default: the resource's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 190))]
    pub name: Option<String>,
    /// The integrations; a notification goes to all of them.
    #[schemars(length(max = MOST_INTEGRATIONS))]
    #[x_kube(
        validation = Rule::new("self.size() > 0")
            .message("give at least one integration: Grafana's provisioning API has no contact point without one. For alerts that nobody is to get, take a webhook to an address that takes and drops them, or a Silence")
    )]
    pub integrations: Vec<Integration>,
}

/// How many integrations a contact point may have.
pub const MOST_INTEGRATIONS: usize = 100;

/// One integration; exactly one of the types.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new(
        "[has(self.email), has(self.slack), has(self.discord), has(self.pagerduty), has(self.webhook), has(self.custom)].filter(x, x).size() == 1"
    ).message("give exactly one of email, slack, discord, pagerduty, webhook and custom")
)]
pub struct Integration {
    /// `true` sends no notification when alerts resolve. Default: `false`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disable_resolve_message: Option<bool>,
    /// E-mail, through the SMTP server that Grafana is configured with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<Email>,
    /// Slack, by incoming webhook or by token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slack: Option<Slack>,
    /// Discord webhook.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub discord: Option<Discord>,
    /// PagerDuty, Events API v2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pagerduty: Option<PagerDuty>,
    /// A webhook of your own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webhook: Option<Webhook>,
    /// Any other integration that the connected Grafana knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub custom: Option<Custom>,
}

/// E-mail.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Email {
    /// Who gets it, one address an entry, for example `oncall@example.com`.
    #[schemars(length(min = 1, max = 64), inner(length(min = 3, max = 254)))]
    #[x_kube(
        merge_strategy = ListMerge::Set,
        validation = Rule::new("self.all(a, a.matches('^[^@;,]+@[^@;,]+$'))")
            .message("each entry is one e-mail address, such as oncall@example.com")
    )]
    pub addresses: Vec<String>,
    /// `true` sends one mail to all addresses instead of one to each. Default: `false`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub single_email: Option<bool>,
    /// Subject, a notification template. Default: Grafana's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 8192))]
    pub subject: Option<String>,
    /// Text, a notification template. Default: Grafana's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 65536))]
    pub message: Option<String>,
}

/// Slack. Its Block Kit JSON can't be sent through Grafana: put the text into `title` and `text`.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("has(self.url) != has(self.token)").message("give exactly one of url and token"),
    validation = Rule::new("!has(self.token) || has(self.recipient)")
        .message("a token needs a recipient: the channel or user")
        .field_path(".recipient"),
    validation = Rule::new("!has(self.url) || !has(self.url.value) || self.url.value == '[REDACTED]' || self.url.value.matches('^https?://')")
        .message("a URL begins with http:// or https://")
        .field_path(".url")
)]
pub struct Slack {
    /// Incoming webhook URL; who has it can post, so it belongs into a Secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<ValueSource>,
    /// Bot token, instead of `url`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<SecretSource>,
    /// Channel or user, for example `#alerts`; needed with `token`. Default: the webhook's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 190))]
    pub recipient: Option<String>,
    /// Name that the message is posted under.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// Emoji for the picture, for example `:bell:`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub icon_emoji: Option<String>,
    /// URL of the picture.
    #[serde(default, rename = "iconURL", skip_serializing_if = "Option::is_none")]
    pub icon_url: Option<String>,
    /// User ids to mention, comma separated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mention_users: Option<String>,
    /// Group ids to mention, comma separated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mention_groups: Option<String>,
    /// Whom to mention in the channel: `here` (members who are online) or `channel` (all members). Default: nobody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mention_channel: Option<MentionChannel>,
    /// Slack's API, if not the public one; used with `token`.
    #[serde(default, rename = "endpointURL", skip_serializing_if = "Option::is_none")]
    pub endpoint_url: Option<String>,
    /// Title, a notification template. Default: Grafana's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 8192))]
    pub title: Option<String>,
    /// Text, a notification template. Default: Grafana's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 65536))]
    pub text: Option<String>,
}

/// Whom Slack mentions.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, PartialEq, Eq)]
#[schemars(transform = schema::values_only)]
#[serde(rename_all = "lowercase")]
pub enum MentionChannel {
    /// Members who are online.
    Here,
    /// All members.
    Channel,
}

/// Discord.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("!has(self.url.value) || self.url.value == '[REDACTED]' || self.url.value.matches('^https?://')")
        .message("a URL begins with http:// or https://")
        .field_path(".url")
)]
pub struct Discord {
    /// Webhook URL; who has it can post, so it belongs into a Secret.
    pub url: ValueSource,
    /// Title, a notification template. Default: Grafana's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 8192))]
    pub title: Option<String>,
    /// Text, a notification template. Default: Grafana's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 65536))]
    pub message: Option<String>,
    /// URL of the picture.
    #[serde(default, rename = "avatarURL", skip_serializing_if = "Option::is_none")]
    pub avatar_url: Option<String>,
    /// `true` keeps the webhook's own name instead of "Grafana". Default: `false`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub use_discord_username: Option<bool>,
}

/// PagerDuty.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("!(has(self.severity) && has(self.severityMap))")
        .message("give severity or severityMap, not both")
)]
pub struct PagerDuty {
    /// Integration key of the service.
    pub integration_key: SecretSource,
    /// PagerDuty's severity for every alert: critical, error, warning or info, or a notification template that yields one. Default: critical.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    #[x_kube(
        validation = Rule::new("self in ['critical', 'error', 'warning', 'info'] || self.contains('{{')")
            .message("PagerDuty knows critical, error, warning and info; give one of them, a template that yields one, or severityMap for your own words")
    )]
    pub severity: Option<String>,
    /// PagerDuty priority by the label `severity` that the alerts have in common: `critical: P1`. It yields both PagerDuty's own
    /// severity (P1 critical, P2 error, P3 warning, P4 and P5 info) and the custom detail `priority`. A severity that isn't listed counts as critical.
    #[serde(
        default,
        deserialize_with = "schema::or_default",
        skip_serializing_if = "BTreeMap::is_empty"
    )]
    #[schemars(extend("minProperties" = 1, "maxProperties" = 16))]
    #[x_kube(
        validation = Rule::new("self.all(k, k.matches('^[A-Za-z0-9_.-]+$'))")
            .message("a severity consists of letters, digits, dots, dashes and underscores")
    )]
    pub severity_map: BTreeMap<String, Priority>,
    /// Class of the event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
    /// Component that is affected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub component: Option<String>,
    /// Group of components.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Summary, a notification template. Default: Grafana's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 8192))]
    pub summary: Option<String>,
    /// Source of the event. Default: Grafana's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Name of the monitoring client. Default: `Grafana`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// Link to the monitoring client.
    #[serde(default, rename = "clientURL", skip_serializing_if = "Option::is_none")]
    pub client_url: Option<String>,
    /// Further details, each a notification template.
    #[serde(
        default,
        deserialize_with = "schema::or_default",
        skip_serializing_if = "BTreeMap::is_empty"
    )]
    #[schemars(extend("maxProperties" = 64))]
    pub details: BTreeMap<String, String>,
}

/// PagerDuty's priorities.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, PartialEq, Eq)]
#[schemars(transform = schema::values_only)]
pub enum Priority {
    /// Critical.
    P1,
    /// Error.
    P2,
    /// Warning.
    P3,
    /// Info.
    P4,
    /// Info.
    P5,
}

/// A webhook.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("has(self.username) == has(self.password)")
        .message("username and password belong together"),
    validation = Rule::new("!(has(self.username) && has(self.authorizationCredentials))")
        .message("give username and password, or authorizationCredentials, not both"),
    validation = Rule::new("!has(self.authorizationScheme) || has(self.authorizationCredentials)")
        .message("authorizationScheme goes with authorizationCredentials, which are missing")
        .field_path(".authorizationScheme"),
    validation = Rule::new("!has(self.url.value) || self.url.value == '[REDACTED]' || self.url.value.matches('^https?://')")
        .message("a URL begins with http:// or https://")
        .field_path(".url")
)]
pub struct Webhook {
    /// Where to send it, for example `https://example.com/hook`.
    pub url: ValueSource,
    /// How it is called: `POST` (default) or `PUT`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http_method: Option<HttpMethod>,
    /// User name for basic authentication.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// Password for basic authentication.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<SecretSource>,
    /// Scheme of the Authorization header. Default: `Bearer`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorization_scheme: Option<String>,
    /// Credentials of the Authorization header.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorization_credentials: Option<SecretSource>,
    /// At most so many alerts in one message; `0` means all. Default: `0`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub max_alerts: Option<i32>,
    /// Title, a notification template. Default: Grafana's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 8192))]
    pub title: Option<String>,
    /// Text, a notification template. Default: Grafana's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 65536))]
    pub message: Option<String>,
}

/// How a webhook is called.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, PartialEq, Eq)]
#[schemars(transform = schema::values_only)]
#[allow(clippy::upper_case_acronyms, reason = "HTTP writes it so")]
pub enum HttpMethod {
    /// POST.
    POST,
    /// PUT.
    PUT,
}

/// An integration as Grafana's API takes it.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Custom {
    /// Grafana's name of the integration, for example `opsgenie`.
    #[serde(rename = "type")]
    #[schemars(length(min = 1, max = 63))]
    pub type_: String,
    /// Its settings under Grafana's own names, as its API takes them, nested at most 64 levels deep. What is secret belongs into `secureSettings`. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::free_form_object")]
    pub settings: Option<serde_json::Value>,
    /// Settings that come from Secrets, by Grafana's own name of the field; a dot leads into a nested field.
    #[serde(
        default,
        deserialize_with = "schema::or_default",
        skip_serializing_if = "BTreeMap::is_empty"
    )]
    #[schemars(extend("maxProperties" = 32))]
    pub secure_settings: BTreeMap<String, SecretSource>,
}

/// What became of the contact point.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct ContactPointStatus {
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
    /// The contact point's name in Grafana.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The types of its integrations.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub types: Option<String>,
    /// Where to look at it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The value of this resource's annotation `alerting.letsrevel.io/resend` that was last acted upon.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resent: Option<String>,
}
