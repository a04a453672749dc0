//! Messages to people: DingTalk, LINE, Pushover, Threema and WeCom.

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::reference::{SecretSource, TextFrom, UrlSource};
use super::super::schema;
use super::rules;

/// DingTalk.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = rules::one_text("message")
)]
pub struct DingDing {
    /// Webhook URL of the robot; who has it can post, so it belongs into a Secret.
    pub url: UrlSource,
    /// What the message looks like: `link` (default) or `actionCard`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_type: Option<DingDingMessage>,
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

/// What a message of DingTalk looks like.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, PartialEq, Eq)]
#[schemars(transform = schema::values_only)]
#[serde(rename_all = "camelCase")]
pub enum DingDingMessage {
    /// A link.
    Link,
    /// A card with a button.
    ActionCard,
}

/// LINE Notify, which LINE has shut down in March 2025; for a service of the same kind behind Grafana's address.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = rules::one_text("description")
)]
pub struct Line {
    /// Access token.
    pub token: SecretSource,
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

/// Pushover.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("!((has(self.priority) && self.priority == 2) || (has(self.okPriority) && self.okPriority == 2)) || (has(self.retry) && has(self.expire))")
        .message("priority 2 needs retry and expire: Pushover repeats it until somebody has seen it"),
    validation = rules::one_text("message")
)]
pub struct Pushover {
    /// Token of the application.
    pub api_token: SecretSource,
    /// Key of the user or group; several are comma separated.
    pub user_key: SecretSource,
    /// Devices, comma separated. Default: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 8192))]
    pub device: Option<String>,
    /// Priority of alerts: `-2` lowest, `-1` low, `0` normal, `1` high, `2` emergency. Default: `0`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = -2, max = 2))]
    pub priority: Option<i32>,
    /// Priority when they resolve, in the same way. Default: `0`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = -2, max = 2))]
    pub ok_priority: Option<i32>,
    /// Seconds after which an emergency is repeated, at least 30. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 30))]
    pub retry: Option<i32>,
    /// Seconds for which an emergency is repeated, at most 10800. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 10800))]
    pub expire: Option<i32>,
    /// Sound of alerts, by Pushover's name. Default: the user's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 190))]
    pub sound: Option<String>,
    /// Sound when they resolve. Default: the user's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 190))]
    pub ok_sound: Option<String>,
    /// `false` leaves out the picture of the panel. Default: `true`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upload_image: Option<bool>,
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

/// Threema Gateway.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = rules::one_text("description")
)]
pub struct Threema {
    /// Id of the gateway: `*` and seven more characters.
    #[serde(rename = "gatewayID")]
    #[schemars(length(min = 1, max = 8))]
    #[x_kube(validation = Rule::new("self.matches('^[*].{7}$')").message("a gateway id has 8 characters and begins with *"))]
    pub gateway_id: String,
    /// Id of the recipient, eight characters.
    #[serde(rename = "recipientID")]
    #[schemars(length(min = 1, max = 8))]
    #[x_kube(validation = Rule::new("self.size() == 8").message("a recipient id has 8 characters"))]
    pub recipient_id: String,
    /// Secret of the gateway.
    pub api_secret: SecretSource,
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

/// WeCom, by webhook or by an application of your own.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("has(self.url) != has(self.secret)").message("give exactly one of url and secret"),
    validation = Rule::new("has(self.secret) == has(self.agentID) && has(self.secret) == has(self.corpID)")
        .message("secret, agentID and corpID belong together"),
    validation = rules::one_text("message")
)]
pub struct WeCom {
    /// Webhook URL of the robot; who has it can post, so it belongs into a Secret. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<UrlSource>,
    /// Secret of the application, instead of `url`. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<SecretSource>,
    /// Id of the application; goes with `secret`. Default: none.
    #[serde(default, rename = "agentID", skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 190))]
    pub agent_id: Option<String>,
    /// Id of the company; goes with `secret`. Default: none.
    #[serde(default, rename = "corpID", skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 190))]
    pub corp_id: Option<String>,
    /// How the text is read: `markdown` (default) or `text`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_type: Option<WeComMessage>,
    /// Users that an application writes to, separated by `|`. Default: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 8192))]
    pub to_user: Option<String>,
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

/// How WeCom reads a text.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, PartialEq, Eq)]
#[schemars(transform = schema::values_only)]
#[serde(rename_all = "lowercase")]
pub enum WeComMessage {
    /// As Markdown.
    Markdown,
    /// As it is.
    Text,
}
