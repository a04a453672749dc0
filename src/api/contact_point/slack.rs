//! Slack.

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::reference::{SecretSource, TextFrom, UrlSource};
use super::super::schema;
use super::rules;

/// Slack. Its Block Kit JSON can't be sent through Grafana: put the text into `title` and `text`.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("has(self.url) != has(self.token)").message("give exactly one of url and token"),
    validation = Rule::new("!has(self.token) || has(self.recipient)")
        .message("a token needs a recipient: the channel or user")
        .field_path(".recipient"),
    validation = rules::one_text("text")
)]
pub struct Slack {
    /// Incoming webhook URL; who has it can post, so it belongs into a Secret. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<UrlSource>,
    /// Bot token, instead of `url`. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<SecretSource>,
    /// Channel or user, for example `#alerts`; needed with `token`. Default: the webhook's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 190))]
    pub recipient: Option<String>,
    /// Name that the message is posted under. Default: `Grafana`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 8192))]
    pub username: Option<String>,
    /// Emoji for the picture, for example `:bell:`. Default: the app's own picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 8192))]
    pub icon_emoji: Option<String>,
    /// URL of the picture. Default: the app's own picture.
    #[serde(default, rename = "iconURL", skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 8192))]
    pub icon_url: Option<String>,
    /// User ids to mention, comma separated. Default: nobody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 8192))]
    pub mention_users: Option<String>,
    /// Group ids to mention, comma separated. Default: nobody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 8192))]
    pub mention_groups: Option<String>,
    /// Whom to mention in the channel: `here` (members who are online) or `channel` (all members). Default: nobody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mention_channel: Option<MentionChannel>,
    /// Slack's API, used with `token`. Default: `https://slack.com/api/chat.postMessage`.
    #[serde(default, rename = "endpointURL", skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 8192))]
    pub endpoint_url: Option<String>,
    /// Colour beside the message, a notification template. Needs Grafana 11.6. Default: Grafana's own, by firing and resolved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 8192))]
    pub color: Option<String>,
    /// Title, a notification template. Default: Grafana's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 8192))]
    pub title: Option<String>,
    /// Text, a notification template. Default: Grafana's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 65536))]
    pub text: Option<String>,
    /// The same, from a ConfigMap. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text_from: Option<TextFrom>,
    /// Footer, a notification template. Needs Grafana 12.4. Default: Grafana and its version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 8192))]
    pub footer: Option<String>,
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
