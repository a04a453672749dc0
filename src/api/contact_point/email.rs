//! E-mail.

use kube::KubeSchema;
use serde::{Deserialize, Serialize};

use super::super::reference::TextFrom;
use super::rules;

/// E-mail.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = rules::one_text("message")
)]
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
    /// The same, from a ConfigMap. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_from: Option<TextFrom>,
}
