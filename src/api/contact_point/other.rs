//! Other systems that keep alerts or work: Alertmanager, Jira and Sensu Go.

use std::collections::BTreeMap;

use kube::KubeSchema;
use serde::{Deserialize, Serialize};

use super::super::duration::Duration;
use super::super::reference::{SecretSource, TextFrom, UrlSource};
use super::super::schema;
use super::rules;

/// Another Alertmanager.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = rules::basic_auth()
)]
pub struct Alertmanager {
    /// Addresses without a path of the API, such as `http://alertmanager:9093`; each gets the alerts.
    #[schemars(length(min = 1, max = 16), inner(length(min = 1, max = 1024)))]
    #[x_kube(
        validation = Rule::new("self.all(u, u.matches('^https?://[^, ]+$'))")
            .message("each entry is one URL and begins with http:// or https://")
    )]
    pub urls: Vec<String>,
    /// User name for basic authentication. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 8192))]
    pub username: Option<String>,
    /// Password for basic authentication. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<SecretSource>,
}

/// Jira. Needs Grafana 11.6.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("has(self.user) == has(self.password)").message("user and password belong together"),
    validation = Rule::new("has(self.apiToken) != has(self.user)").message("give apiToken, or user and password"),
    validation = rules::one_text("description")
)]
pub struct Jira {
    /// Jira's API with its version, for example `https://example.atlassian.net/rest/api/3`.
    #[serde(rename = "apiURL")]
    #[schemars(length(min = 1, max = 8192))]
    #[x_kube(validation = rules::is_url())]
    pub api_url: String,
    /// The user, on Jira Cloud an e-mail address; goes with `password`. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<SecretSource>,
    /// The user's password, on Jira Cloud an API token. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<SecretSource>,
    /// A personal access token of Jira Data Center, instead of `user` and `password`. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_token: Option<SecretSource>,
    /// Key of the project.
    #[schemars(length(min = 1, max = 1024))]
    pub project: String,
    /// Type of the issues, for example `Bug`.
    #[schemars(length(min = 1, max = 1024))]
    pub issue_type: String,
    /// Summary, a notification template. Default: Grafana's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 8192))]
    pub summary: Option<String>,
    /// Text, a notification template. Default: Grafana's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 65536))]
    pub description: Option<String>,
    /// The same, from a ConfigMap. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description_from: Option<TextFrom>,
    /// Labels of the issues, each a notification template. Default: none.
    #[serde(
        default,
        deserialize_with = "schema::or_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    #[schemars(length(max = 64), inner(length(max = 1024)))]
    pub labels: Vec<String>,
    /// Priority, a notification template. Default: Grafana's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 8192))]
    pub priority: Option<String>,
    /// Transition that closes an issue when its alerts resolve. Default: issues stay open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub resolve_transition: Option<String>,
    /// Transition that opens a closed issue again. Default: a new issue is made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub reopen_transition: Option<String>,
    /// How long after its end an issue is opened again rather than a new one made. Default: any time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reopen_duration: Option<Duration>,
    /// Issues with this resolution are never opened again. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub wont_fix_resolution: Option<String>,
    /// Number of the custom field that keeps which alerts an issue is for. Default: a label keeps it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 32))]
    #[x_kube(
        validation = Rule::new("self.matches('^[0-9]+$')").message("give the number of a custom field, such as \"10001\"")
    )]
    pub dedup_key_field: Option<String>,
    /// Further fields of the issues by Jira's names; a value that is no text is written as JSON. Default: none.
    #[serde(
        default,
        deserialize_with = "schema::or_default",
        skip_serializing_if = "BTreeMap::is_empty"
    )]
    #[schemars(extend("maxProperties" = 64))]
    pub fields: BTreeMap<String, String>,
}

/// Sensu Go.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = rules::one_text("message")
)]
pub struct SensuGo {
    /// Sensu's API, for example `https://sensu:8080`.
    pub url: UrlSource,
    /// Key of the API.
    pub api_key: SecretSource,
    /// Entity of the event. Default: `default`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 8192))]
    pub entity: Option<String>,
    /// Check of the event. Default: `default`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 8192))]
    pub check: Option<String>,
    /// Handler of the event. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 8192))]
    pub handler: Option<String>,
    /// Namespace of the event. Default: `default`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 8192))]
    pub namespace: Option<String>,
    /// Text, a notification template. Default: Grafana's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 65536))]
    pub message: Option<String>,
    /// The same, from a ConfigMap. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_from: Option<TextFrom>,
}
