//! Rooms to talk in: Discord, Google Chat, Microsoft Teams, Telegram and Webex.

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::reference::{SecretSource, TextFrom, UrlSource};
use super::super::schema;
use super::rules;

/// Discord.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = rules::one_text("message")
)]
pub struct Discord {
    /// Webhook URL; who has it can post, so it belongs into a Secret.
    pub url: UrlSource,
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
    /// URL of the picture. Default: Grafana's own.
    #[serde(default, rename = "avatarURL", skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 8192))]
    pub avatar_url: Option<String>,
    /// `true` keeps the webhook's own name instead of "Grafana". Default: `false`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub use_discord_username: Option<bool>,
    /// `true` puts the text below the title instead of above it; mentions in it reach nobody then. Needs Grafana 13.0. Default: `false`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub use_embed_description: Option<bool>,
}

/// Google Chat.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = rules::one_text("message")
)]
pub struct GoogleChat {
    /// Webhook URL of the space; who has it can post, so it belongs into a Secret.
    pub url: UrlSource,
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
    /// `true` leaves out the button that leads to Grafana. Needs Grafana 12.4. Default: `false`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hide_open_button: Option<bool>,
    /// `true` leaves out Grafana's version. Needs Grafana 12.4. Default: `false`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hide_version_info: Option<bool>,
}

/// Microsoft Teams.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = rules::one_text("message")
)]
pub struct Teams {
    /// URL of the workflow or incoming webhook. Grafana shows it to everybody who may read contact points, also where it comes from a Secret.
    pub url: UrlSource,
    /// Title, a notification template. Default: Grafana's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 8192))]
    pub title: Option<String>,
    /// Title of the section, a notification template. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 8192))]
    pub section_title: Option<String>,
    /// Text, a notification template. Default: Grafana's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 65536))]
    pub message: Option<String>,
    /// The same, from a ConfigMap. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_from: Option<TextFrom>,
}

/// Telegram.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = rules::one_text("message")
)]
pub struct Telegram {
    /// Token of the bot.
    pub bot_token: SecretSource,
    /// Id of the chat, for example `"-1001234567890"`.
    #[serde(rename = "chatID")]
    #[schemars(length(min = 1, max = 190))]
    pub chat_id: String,
    /// Id of the topic within the group, a number. Needs Grafana 10.3. Default: none.
    #[serde(default, rename = "messageThreadID", skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 190))]
    #[x_kube(
        validation = Rule::new("self.matches('^[0-9]{1,10}$') || self.contains('{{')")
            .message("the id of a topic is a whole number, such as \"42\"")
    )]
    pub message_thread_id: Option<String>,
    /// Text, a notification template. Default: Grafana's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 65536))]
    pub message: Option<String>,
    /// The same, from a ConfigMap. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_from: Option<TextFrom>,
    /// How Telegram reads the text: `HTML` (default), `Markdown`, `MarkdownV2`, or `None` for as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parse_mode: Option<ParseMode>,
    /// `true` shows no previews of links. Needs Grafana 10.2. Default: `false`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disable_web_page_preview: Option<bool>,
    /// `true` keeps the message from being forwarded and saved. Needs Grafana 10.2. Default: `false`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protect_content: Option<bool>,
    /// `true` sends it without a sound. Needs Grafana 10.2. Default: `false`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disable_notifications: Option<bool>,
}

/// How Telegram reads a text.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, PartialEq, Eq)]
#[schemars(transform = schema::values_only)]
#[allow(clippy::upper_case_acronyms, reason = "Telegram writes it so")]
pub enum ParseMode {
    /// As it is.
    None,
    /// As HTML.
    HTML,
    /// As Markdown in its first form.
    Markdown,
    /// As Markdown.
    MarkdownV2,
}

/// Cisco Webex.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = rules::one_text("message")
)]
pub struct Webex {
    /// Token of the bot.
    pub bot_token: SecretSource,
    /// Id of the room.
    #[serde(rename = "roomID")]
    #[schemars(length(min = 1, max = 1024))]
    pub room_id: String,
    /// Webex' API. Default: `https://webexapis.com/v1/messages`.
    #[serde(default, rename = "apiURL", skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 8192))]
    #[x_kube(validation = rules::is_url())]
    pub api_url: Option<String>,
    /// Text, a notification template. Default: Grafana's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 65536))]
    pub message: Option<String>,
    /// The same, from a ConfigMap. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_from: Option<TextFrom>,
}
