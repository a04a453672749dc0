//! Who is on call: OnCall, Opsgenie, PagerDuty and VictorOps.

use std::collections::BTreeMap;

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::reference::{SecretSource, TextFrom, UrlSource};
use super::super::schema;
use super::http::HttpMethod;
use super::rules;

/// Grafana OnCall.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = rules::basic_auth(),
    validation = rules::one_authorization(),
    validation = rules::scheme_has_credentials(),
    validation = rules::one_text("message")
)]
pub struct OnCall {
    /// URL of the integration; who has it can raise alerts, so it belongs into a Secret.
    pub url: UrlSource,
    /// How it is called: `POST` (default) or `PUT`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http_method: Option<HttpMethod>,
    /// User name for basic authentication. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 8192))]
    pub username: Option<String>,
    /// Password for basic authentication. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<SecretSource>,
    /// Scheme of the Authorization header. Default: `Bearer`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 8192))]
    pub authorization_scheme: Option<String>,
    /// Credentials of the Authorization header. Default: none.
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
    /// The same, from a ConfigMap. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_from: Option<TextFrom>,
}

/// Opsgenie.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = rules::one_text("description")
)]
pub struct Opsgenie {
    /// Key of the API.
    pub api_key: SecretSource,
    /// Opsgenie's API. Default: `https://api.opsgenie.com/v2/alerts`.
    #[serde(default, rename = "apiURL", skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 8192))]
    #[x_kube(validation = rules::is_url())]
    pub api_url: Option<String>,
    /// Title, a notification template. Default: Grafana's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 8192))]
    pub message: Option<String>,
    /// Text, a notification template. Default: Grafana's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 65536))]
    pub description: Option<String>,
    /// The same, from a ConfigMap. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description_from: Option<TextFrom>,
    /// `false` leaves an alert open when it resolves. Default: `true`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auto_close: Option<bool>,
    /// `false` leaves the priority alone that the annotation `og_priority` asks for. Default: `true`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub override_priority: Option<bool>,
    /// How labels are sent: as `tags` (default), `details` or `both`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub send_tags_as: Option<SendTagsAs>,
    /// Who is told. Needs Grafana 10.3. Default: as the rules of Opsgenie say.
    #[serde(
        default,
        deserialize_with = "schema::or_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    #[schemars(length(max = 50))]
    pub responders: Vec<Responder>,
}

/// How Opsgenie gets labels.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, PartialEq, Eq)]
#[schemars(transform = schema::values_only)]
#[serde(rename_all = "lowercase")]
pub enum SendTagsAs {
    /// As tags.
    Tags,
    /// As details.
    Details,
    /// As both.
    Both,
}

/// Somebody whom Opsgenie tells.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("has(self.id) || has(self.name) || has(self.username)")
        .message("give at least one of id, name and username")
)]
pub struct Responder {
    /// What it is: team, teams, user, escalation or schedule, or a notification template that yields one.
    #[serde(rename = "type")]
    #[schemars(length(min = 1, max = 1024))]
    #[x_kube(
        validation = Rule::new("self in ['team', 'teams', 'user', 'escalation', 'schedule'] || self.contains('{{')")
            .message("a responder is a team, teams, user, escalation or schedule, or a template that yields one")
    )]
    pub type_: String,
    /// Its id. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 1024))]
    pub id: Option<String>,
    /// Its name; for `teams` several, comma separated. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 1024))]
    pub name: Option<String>,
    /// A user's name for logging in. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 1024))]
    pub username: Option<String>,
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
    /// PagerDuty's API, for example the one in the EU, `https://events.eu.pagerduty.com/v2/enqueue`. Needs Grafana 11.0. Default:
    /// `https://events.pagerduty.com/v2/enqueue`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<UrlSource>,
    /// PagerDuty's severity for every alert: critical, error, warning or info, or a notification template that yields one. Default: critical.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    #[x_kube(
        validation = Rule::new("self in ['critical', 'error', 'warning', 'info'] || self.contains('{{')")
            .message("PagerDuty knows critical, error, warning and info; give one of them, a template that yields one, or severityMap for your own words")
    )]
    pub severity: Option<String>,
    /// PagerDuty priority by the label `severity` that the alerts have in common: `critical: P1`. It yields both PagerDuty's own
    /// severity (P1 critical, P2 error, P3 warning, P4 and P5 info) and the custom detail `priority`. A severity that isn't listed counts as critical. Default: none.
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
    /// Class of the event. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
    /// Component that is affected. Default: `Grafana`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub component: Option<String>,
    /// Group of components. Default: none.
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
    /// Link to the monitoring client. Default: Grafana's address.
    #[serde(default, rename = "clientURL", skip_serializing_if = "Option::is_none")]
    pub client_url: Option<String>,
    /// Further details, each a notification template. Default: Grafana's own.
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

/// VictorOps, which is Splunk On-Call now.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = rules::one_text("description")
)]
pub struct VictorOps {
    /// URL of the REST integration; who has it can raise alerts, so it belongs into a Secret.
    pub url: UrlSource,
    /// What an alert is: CRITICAL or WARNING, or a notification template that yields one. Default: CRITICAL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    #[x_kube(
        validation = Rule::new("self in ['CRITICAL', 'WARNING'] || self.contains('{{')")
            .message("a message is CRITICAL or WARNING, or a template that yields one")
    )]
    pub message_type: Option<String>,
    /// Title, a notification template. Default: Grafana's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 8192))]
    pub title: Option<String>,
    /// Text, a notification template. Default: Grafana's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 65536))]
    pub description: Option<String>,
    /// The same, from a ConfigMap. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description_from: Option<TextFrom>,
}
