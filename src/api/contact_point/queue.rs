//! Queues and brokers: Kafka, MQTT and Amazon SNS.

use std::collections::BTreeMap;

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::reference::{SecretSource, TextFrom};
use super::super::schema;
use super::http::TlsConfig;
use super::rules;

/// Kafka, through its REST proxy.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("!(has(self.apiVersion) && self.apiVersion == 'v3') || has(self.clusterID)")
        .message("apiVersion v3 needs clusterID")
        .field_path(".clusterID"),
    validation = rules::password_has_username(),
    validation = rules::one_text("details")
)]
pub struct Kafka {
    /// The REST proxy, for example `http://kafka-rest:8082`.
    #[serde(rename = "restProxyURL")]
    #[schemars(length(min = 1, max = 8192))]
    #[x_kube(validation = rules::is_url())]
    pub rest_proxy_url: String,
    /// Topic.
    #[schemars(length(min = 1, max = 249))]
    pub topic: String,
    /// User name for basic authentication. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 8192))]
    pub username: Option<String>,
    /// Password for basic authentication. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<SecretSource>,
    /// Version of the REST API: `v2` (default) or `v3`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_version: Option<KafkaVersion>,
    /// Id of the cluster; needed with `v3`. Default: none.
    #[serde(default, rename = "clusterID", skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 1024))]
    pub cluster_id: Option<String>,
    /// Title, a notification template. Default: Grafana's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 8192))]
    pub description: Option<String>,
    /// Text, a notification template. Default: Grafana's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 65536))]
    pub details: Option<String>,
    /// The same, from a ConfigMap. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub details_from: Option<TextFrom>,
}

/// A version of the REST proxy's API.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, PartialEq, Eq)]
#[schemars(transform = schema::values_only)]
#[serde(rename_all = "lowercase")]
pub enum KafkaVersion {
    /// The older one.
    V2,
    /// The newer one.
    V3,
}

/// An MQTT broker. Needs Grafana 11.2.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = rules::password_has_username(),
    validation = rules::one_text("message")
)]
pub struct Mqtt {
    /// The broker, for example `tcp://broker:1883` or `ssl://broker:8883`.
    #[serde(rename = "brokerURL")]
    #[schemars(length(min = 1, max = 8192))]
    #[x_kube(
        validation = Rule::new("self.matches('^[a-z]+://.')").message("a broker's URL begins with its scheme, such as tcp:// or ssl://")
    )]
    pub broker_url: String,
    /// Topic.
    #[schemars(length(min = 1, max = 1024))]
    pub topic: String,
    /// What is sent: `json` (default) with all that is known, or `text` alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_format: Option<MqttFormat>,
    /// Id of the client. Default: a random one.
    #[serde(default, rename = "clientID", skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub client_id: Option<String>,
    /// Text, a notification template. Default: Grafana's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 65536))]
    pub message: Option<String>,
    /// The same, from a ConfigMap. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_from: Option<TextFrom>,
    /// User name for basic authentication. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 8192))]
    pub username: Option<String>,
    /// Password for basic authentication. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<SecretSource>,
    /// Quality of service: `0` at most once, `1` at least once, `2` exactly once. Default: `0`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 2))]
    pub qos: Option<i32>,
    /// `true` has the broker keep the last message for those who subscribe later. Default: `false`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retain: Option<bool>,
    /// TLS settings. Default: the system's certificate authorities.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls_config: Option<TlsConfig>,
}

/// What is sent to a broker.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, PartialEq, Eq)]
#[schemars(transform = schema::values_only)]
#[serde(rename_all = "lowercase")]
pub enum MqttFormat {
    /// All that is known, as JSON.
    Json,
    /// The text alone.
    Text,
}

/// Amazon SNS. Needs Grafana 11.1.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("has(self.topicARN) || has(self.targetARN) || has(self.phoneNumber)")
        .message("give at least one of topicARN, targetARN and phoneNumber"),
    validation = rules::one_text("message")
)]
pub struct Sns {
    /// The API of SNS. Default: that of the region.
    #[serde(default, rename = "apiURL", skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 8192))]
    #[x_kube(validation = rules::is_url())]
    pub api_url: Option<String>,
    /// How requests are signed. Default: by the credentials that Grafana finds around itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sigv4: Option<Sigv4>,
    /// ARN of the topic. Default: none.
    #[serde(default, rename = "topicARN", skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    #[x_kube(validation = rules::is_arn())]
    pub topic_arn: Option<String>,
    /// ARN of the endpoint of a mobile platform. Default: none.
    #[serde(default, rename = "targetARN", skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    #[x_kube(validation = rules::is_arn())]
    pub target_arn: Option<String>,
    /// Number that gets a text message, such as `+390000000000`. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 190))]
    pub phone_number: Option<String>,
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
    /// Attributes of the message, each a notification template. Default: none.
    #[serde(
        default,
        deserialize_with = "schema::or_default",
        skip_serializing_if = "BTreeMap::is_empty"
    )]
    #[schemars(extend("maxProperties" = 64))]
    pub attributes: BTreeMap<String, String>,
}

/// How requests to AWS are signed.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("has(self.accessKey) == has(self.secretKey)")
        .message("accessKey and secretKey belong together")
)]
pub struct Sigv4 {
    /// Region, for example `eu-south-1`. Default: that of the credentials.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 190))]
    pub region: Option<String>,
    /// Access key. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_key: Option<SecretSource>,
    /// Secret key. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_key: Option<SecretSource>,
    /// Profile of Grafana's own AWS settings. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 190))]
    pub profile: Option<String>,
    /// ARN of a role to take. Default: none.
    #[serde(default, rename = "roleARN", skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    #[x_kube(validation = rules::is_arn())]
    pub role_arn: Option<String>,
}
