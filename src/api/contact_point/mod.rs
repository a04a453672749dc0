//! ContactPoint: a named receiver with one or more integrations.
//!
//! The types of integrations are those that Grafana can make, with its meaning and our names. What is secret is a [`SecretSource`](super::reference::SecretSource),
//! or a `url` that lets everybody send who has it.

mod chat;
mod custom;
mod email;
mod http;
mod messenger;
mod on_call;
mod other;
mod queue;
mod rules;
mod slack;
mod webhook;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use kube::{CustomResource, KubeSchema};
use serde::{Deserialize, Serialize};

use super::reference::{At, DeletionPolicy};
use super::schema;

pub use chat::{Discord, GoogleChat, ParseMode, Teams, Telegram, Webex};
pub use custom::Custom;
pub use email::Email;
pub use http::{HttpConfig, HttpMethod, OAuth2, ProxyConfig, TlsConfig};
pub use messenger::{DingDing, DingDingMessage, Line, Pushover, Threema, WeCom, WeComMessage};
pub use on_call::{OnCall, Opsgenie, PagerDuty, Priority, Responder, SendTagsAs, VictorOps};
pub use other::{Alertmanager, Jira, SensuGo};
pub use queue::{Kafka, KafkaVersion, Mqtt, MqttFormat, Sigv4, Sns};
pub use slack::{MentionChannel, Slack};
pub use webhook::{HmacConfig, Payload, Webhook};

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
        name = "Last Sent",
        type_ = "date",
        json_path = ".status.lastSent",
        priority = 1
    ),
    printcolumn(
        name = "Delivery",
        type_ = "string",
        json_path = ".status.delivery",
        priority = 1
    ),
    printcolumn(
        name = "Drift",
        type_ = "string",
        json_path = ".status.drift",
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
pub struct ContactPointSpec {
    /// The GrafanaInstance that holds the contact point. Default: `default`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub instance: Option<String>,
    /// The GrafanaInstances that hold the contact point, at most 16, where there are several, instead of `instance`. A name may be added, and one that is taken out is cleaned up there as `deletionPolicy` says. Default: the one that `instance` names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 16), inner(length(min = 1, max = 253)))]
    pub instances: Option<Vec<String>>,
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
        "[has(self.alertmanager), has(self.dingding), has(self.discord), has(self.email), has(self.googlechat), has(self.jira), has(self.kafka), has(self.line), has(self.mqtt), has(self.oncall), has(self.opsgenie), has(self.pagerduty), has(self.pushover), has(self.sensugo), has(self.slack), has(self.sns), has(self.teams), has(self.telegram), has(self.threema), has(self.victorops), has(self.webex), has(self.webhook), has(self.wecom), has(self.custom)].filter(x, x).size() == 1"
    ).message("give exactly one of alertmanager, dingding, discord, email, googlechat, jira, kafka, line, mqtt, oncall, opsgenie, pagerduty, pushover, sensugo, slack, sns, teams, telegram, threema, victorops, webex, webhook, wecom and custom")
)]
pub struct Integration {
    /// `true` sends no notification when alerts resolve. Default: `false`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disable_resolve_message: Option<bool>,
    /// Another Alertmanager.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alertmanager: Option<Alertmanager>,
    /// DingTalk.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dingding: Option<DingDing>,
    /// Discord webhook.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub discord: Option<Discord>,
    /// E-mail, through the SMTP server that Grafana is configured with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<Email>,
    /// Google Chat.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub googlechat: Option<GoogleChat>,
    /// Jira: an issue for each group of alerts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jira: Option<Jira>,
    /// Kafka, through its REST proxy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kafka: Option<Kafka>,
    /// LINE Notify.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<Line>,
    /// An MQTT broker.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mqtt: Option<Mqtt>,
    /// Grafana OnCall.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oncall: Option<OnCall>,
    /// Opsgenie.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opsgenie: Option<Opsgenie>,
    /// PagerDuty, Events API v2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pagerduty: Option<PagerDuty>,
    /// Pushover.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pushover: Option<Pushover>,
    /// Sensu Go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sensugo: Option<SensuGo>,
    /// Slack, by incoming webhook or by token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slack: Option<Slack>,
    /// Amazon SNS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sns: Option<Sns>,
    /// Microsoft Teams.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub teams: Option<Teams>,
    /// Telegram.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub telegram: Option<Telegram>,
    /// Threema Gateway.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threema: Option<Threema>,
    /// VictorOps (Splunk On-Call).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub victorops: Option<VictorOps>,
    /// Cisco Webex.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webex: Option<Webex>,
    /// A webhook of your own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webhook: Option<Webhook>,
    /// WeCom.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wecom: Option<WeCom>,
    /// Any other integration that the connected Grafana knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub custom: Option<Custom>,
}

/// What became of the contact point.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct ContactPointStatus {
    /// The generation of the specification that this status speaks of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// The value of the annotation `alerting.letsrevel.io/reconcile-at` that was handled last: a pass has read Grafana for it, or found what is wrong with the resource. A request stands while Grafana can't be asked, and while the resource is suspended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_handled_reconcile_at: Option<String>,
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
    /// What became of the last notifications: `OK`, or which of its integrations couldn't send, and why, in Grafana's words. Nothing until
    /// one was sent, and after a change until the next one is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivery: Option<String>,
    /// When the last attempt was that led to `delivery`; without that, the last one before a change. It isn't written for every notification: it changes with
    /// `delivery`, between `OK` and a failure, and when the rest of the status does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_sent: Option<Time>,
    /// Where to look at it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The value of this resource's annotation `alerting.letsrevel.io/resend` that was last acted upon.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resent: Option<String>,
    /// What of it somebody has changed in Grafana, where the instance's `driftPolicy: Report` leaves that; `deleted` where it is gone from there.
    #[serde(
        default,
        deserialize_with = "schema::or_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub drift: Vec<String>,
    /// What became of it in each of its GrafanaInstances, where there are several, and in one that it leaves.
    #[serde(
        default,
        deserialize_with = "schema::or_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    #[schemars(schema_with = "schema::list_of_statuses")]
    pub instances: Vec<At<Self>>,
}
