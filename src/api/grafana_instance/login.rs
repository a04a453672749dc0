//! How to get to a Grafana: the login, certificates and headers.

use kube::KubeSchema;
use serde::{Deserialize, Serialize};

use super::super::reference::{SecretSource, TextSource, ValueSource};

/// Headers that nobody may set on an instance, in lower case: the operator's own, the connection's, and those that ask for a part of an answer, or for
/// none.
pub(super) const OWN_HEADERS: [&str; 28] = [
    "accept",
    "accept-charset",
    "accept-encoding",
    "authorization",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "expect",
    "host",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "keep-alive",
    "max-forwards",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "range",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "x-disable-provenance",
    "x-grafana-org-id",
];

/// How to log in; exactly one of the fields.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("has(self.token) != has(self.basic)").message("give exactly one of token and basic")
)]
pub struct Auth {
    /// A service account's token. The role Admin is the simplest that suffices. Default: none; it or `basic` is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<SecretSource>,
    /// A user's name and password. Default: none; it or `token` is given.
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
    /// Certificate authorities in PEM, trusted besides the system's. A bundle that cert-manager or trust-manager keeps in a ConfigMap may be read from there. Default: none.
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
