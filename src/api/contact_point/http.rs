//! What integrations that speak HTTP or TLS have in common.

use std::collections::BTreeMap;

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::reference::{SecretSource, TextSource, ValueSource};
use super::super::schema;
use super::rules;

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

/// TLS settings, in the words of those of a GrafanaInstance.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("has(self.clientCertificate) == has(self.clientKey)")
        .message("clientCertificate and clientKey belong together")
)]
pub struct TlsConfig {
    /// Certificate authorities in PEM. Default: the system's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca: Option<TextSource>,
    /// Client certificate in PEM. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_certificate: Option<TextSource>,
    /// Its key in PEM. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_key: Option<SecretSource>,
    /// `true` trusts any certificate. For tests only. Default: `false`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub insecure_skip_verify: Option<bool>,
}

/// How a webhook's HTTP client works.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct HttpConfig {
    /// OAuth 2.0 with client credentials. Default: none.
    #[serde(default, rename = "oauth2", skip_serializing_if = "Option::is_none")]
    pub oauth2: Option<OAuth2>,
}

/// OAuth 2.0 with client credentials.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct OAuth2 {
    /// Where tokens are had.
    #[serde(rename = "tokenURL")]
    #[schemars(length(min = 1, max = 8192))]
    #[x_kube(validation = rules::is_url())]
    pub token_url: String,
    /// Id of the client.
    #[serde(rename = "clientID")]
    #[schemars(length(min = 1, max = 1024))]
    pub client_id: String,
    /// Secret of the client.
    pub client_secret: SecretSource,
    /// What a token is asked for. Default: nothing in particular.
    #[serde(
        default,
        deserialize_with = "schema::or_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    #[schemars(length(max = 64), inner(length(min = 1, max = 1024)))]
    pub scopes: Vec<String>,
    /// Further parameters of the request for a token. Default: none.
    #[serde(
        default,
        deserialize_with = "schema::or_default",
        skip_serializing_if = "BTreeMap::is_empty"
    )]
    #[schemars(extend("maxProperties" = 32))]
    pub endpoint_params: BTreeMap<String, String>,
    /// TLS settings of the request for a token. Default: the system's certificate authorities.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls_config: Option<TlsConfig>,
    /// Proxy of the request for a token. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proxy_config: Option<ProxyConfig>,
}

/// A proxy.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("!(has(self.proxyFromEnvironment) && self.proxyFromEnvironment) || !(has(self.proxyURL) || has(self.noProxy))")
        .message("proxyFromEnvironment takes the place of proxyURL and noProxy"),
    validation = Rule::new("!has(self.noProxy) || has(self.proxyURL)").message("noProxy goes with proxyURL"),
    validation = Rule::new("!has(self.proxyConnectHeader) || has(self.proxyURL) || (has(self.proxyFromEnvironment) && self.proxyFromEnvironment)")
        .message("proxyConnectHeader goes with proxyURL or proxyFromEnvironment")
)]
pub struct ProxyConfig {
    /// Its address. Default: none.
    #[serde(default, rename = "proxyURL", skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 8192))]
    #[x_kube(validation = rules::is_url())]
    pub proxy_url: Option<String>,
    /// `true` takes the proxy from Grafana's own environment. Default: `false`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proxy_from_environment: Option<bool>,
    /// Addresses that are called without it, comma separated. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 8192))]
    pub no_proxy: Option<String>,
    /// Headers that the proxy gets. Default: none.
    #[serde(
        default,
        deserialize_with = "schema::or_default",
        skip_serializing_if = "BTreeMap::is_empty"
    )]
    #[schemars(extend("maxProperties" = 16))]
    #[x_kube(validation = rules::header_names())]
    pub proxy_connect_header: BTreeMap<String, ValueSource>,
}
