//! A webhook of your own.

use std::collections::BTreeMap;

use kube::KubeSchema;
use serde::{Deserialize, Serialize};

use super::super::reference::{SecretSource, TextFrom, UrlSource, ValueSource};
use super::super::schema;
use super::http::{HttpConfig, HttpMethod, TlsConfig};
use super::rules;

/// A webhook.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = rules::basic_auth(),
    validation = rules::one_authorization(),
    validation = rules::scheme_has_credentials(),
    validation = rules::one_text("message")
)]
pub struct Webhook {
    /// Where to send it, for example `https://example.com/hook`.
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
    /// Further headers, which Grafana shows to everybody who may read contact points. Needs Grafana 12.0. Default: none.
    #[serde(
        default,
        deserialize_with = "schema::or_default",
        skip_serializing_if = "BTreeMap::is_empty"
    )]
    #[schemars(extend("maxProperties" = 32))]
    #[x_kube(validation = rules::header_names(), validation = rules::no_restricted_header())]
    pub headers: BTreeMap<String, ValueSource>,
    /// A body of your own, instead of the one that `title` and `message` are part of. Needs Grafana 12.0. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload: Option<Payload>,
    /// Has messages signed. Needs Grafana 11.6. Default: they aren't.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hmac_config: Option<HmacConfig>,
    /// TLS settings. Needs Grafana 11.4. Default: the system's certificate authorities.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls_config: Option<TlsConfig>,
    /// OAuth 2.0 and a proxy. Needs Grafana 12.1. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http_config: Option<HttpConfig>,
}

/// The body of a webhook.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("has(self.template) != has(self.templateFrom)")
        .message("give exactly one of template and templateFrom")
)]
pub struct Payload {
    /// The body, a notification template. Default: none, then `templateFrom`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 65536))]
    pub template: Option<String>,
    /// The same, from a ConfigMap. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template_from: Option<TextFrom>,
    /// What the template finds under `.Vars`. Default: nothing.
    #[serde(
        default,
        deserialize_with = "schema::or_default",
        skip_serializing_if = "BTreeMap::is_empty"
    )]
    #[schemars(extend("maxProperties" = 64))]
    pub vars: BTreeMap<String, String>,
}

/// How messages are signed: with HMAC and SHA-256.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct HmacConfig {
    /// The key that both sides know.
    pub secret: SecretSource,
    /// Header that has the signature. Default: `X-Grafana-Alerting-Signature`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 256))]
    pub header: Option<String>,
    /// Header that has the time, which is signed too then. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 256))]
    pub timestamp_header: Option<String>,
}
