//! References to other objects, and fields that every kind shares.

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::schema;

/// What happens in Grafana when the resource is deleted.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq)]
#[schemars(transform = schema::values_only)]
pub enum DeletionPolicy {
    /// The object is removed from Grafana first; the resource waits for it.
    #[default]
    Delete,
    /// The object stays in Grafana and belongs to nobody.
    Orphan,
}

/// What became of a resource in one of several Grafanas.
#[derive(Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
pub struct At<S> {
    /// The GrafanaInstance.
    pub instance: String,
    /// The status of a resource that is for this one alone.
    #[serde(flatten)]
    pub status: S,
}

/// One key of a Secret in the resource's own namespace.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "camelCase")]
pub struct SecretKeyRef {
    /// Name of the Secret.
    #[schemars(length(min = 1, max = 253))]
    #[x_kube(
        validation = Rule::new("self.matches('^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$')")
            .message("the name of a Secret consists of lower-case letters, digits, dashes and dots, with a letter or digit at both ends")
    )]
    pub name: String,
    /// Key within the Secret's `data`.
    #[schemars(length(min = 1, max = 253))]
    #[x_kube(
        validation = Rule::new("self.matches('^[-._a-zA-Z0-9]+$')")
            .message("a key of a Secret consists of letters, digits, dashes, dots and underscores")
    )]
    pub key: String,
}

/// A value that is read from a Secret.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct SecretSource {
    /// The Secret and key that hold the value. A change of the Secret takes effect at once.
    pub secret_key_ref: SecretKeyRef,
}

/// One key of a ConfigMap in the resource's own namespace.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "camelCase")]
pub struct ConfigMapKeyRef {
    /// Name of the ConfigMap.
    #[schemars(length(min = 1, max = 253))]
    #[x_kube(
        validation = Rule::new("self.matches('^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$')")
            .message("the name of a ConfigMap consists of lower-case letters, digits, dashes and dots, with a letter or digit at both ends")
    )]
    pub name: String,
    /// Key within the ConfigMap's `data`.
    #[schemars(length(min = 1, max = 253))]
    #[x_kube(
        validation = Rule::new("self.matches('^[-._a-zA-Z0-9]+$')")
            .message("a key of a ConfigMap consists of letters, digits, dashes, dots and underscores")
    )]
    pub key: String,
}

/// A value that is written here or read from a Secret; exactly one of the two.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("has(self.value) != has(self.secretKeyRef)")
        .message("give exactly one of value and secretKeyRef"),
    validation = Rule::new("!has(self.value) || self.value != '[REDACTED]'")
        .message("[REDACTED] is what Grafana shows in place of a secret; take the secret from a Secret by secretKeyRef")
)]
pub struct ValueSource {
    /// The value itself, in the clear. Default: none, then `secretKeyRef`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 65536))]
    pub value: Option<String>,
    /// The Secret and key that hold the value. A change of the Secret takes effect at once. Default: none, then `value`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_key_ref: Option<SecretKeyRef>,
}

/// A URL that is written here or read from a Secret; exactly one of the two.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("has(self.value) != has(self.secretKeyRef)")
        .message("give exactly one of value and secretKeyRef")
)]
pub struct UrlSource {
    /// The URL itself, in the clear. Default: none, then `secretKeyRef`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 8192))]
    #[x_kube(
        validation = Rule::new("self == '[REDACTED]' || self.matches('^https?://')")
            .message("a URL begins with http:// or https://"),
        validation = Rule::new("self != '[REDACTED]'")
            .message("[REDACTED] is what Grafana shows in place of a secret; take the secret from a Secret by secretKeyRef")
    )]
    pub value: Option<String>,
    /// The Secret and key that hold the URL. A change of the Secret takes effect at once. Default: none, then `value`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_key_ref: Option<SecretKeyRef>,
}

/// A long text that is written here, or read from a ConfigMap or a Secret; exactly one of the three.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("[has(self.value), has(self.configMapKeyRef), has(self.secretKeyRef)].filter(x, x).size() == 1")
        .message("give exactly one of value, configMapKeyRef and secretKeyRef")
)]
pub struct TextSource {
    /// The text itself. Default: none, then one of the others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 65536))]
    #[x_kube(
        validation = Rule::new("self != '[REDACTED]'")
            .message("[REDACTED] is what Grafana shows in place of a secret; take it from a Secret by secretKeyRef")
    )]
    pub value: Option<String>,
    /// The ConfigMap and key that hold the text. A change of the ConfigMap takes effect at once. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config_map_key_ref: Option<ConfigMapKeyRef>,
    /// The Secret and key that hold the text. A change of the Secret takes effect at once. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_key_ref: Option<SecretKeyRef>,
}

/// A long text that is read from a ConfigMap.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct TextFrom {
    /// The ConfigMap and key that hold the text. A change of the ConfigMap takes effect at once.
    pub config_map_key_ref: ConfigMapKeyRef,
}

/// A Grafana data source; exactly one of the fields.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("[has(self.name), has(self.uid), has(self.type)].filter(x, x).size() == 1")
        .message("give exactly one of name, uid and type")
)]
pub struct DatasourceRef {
    /// The data source's name in Grafana. Default: none; one of `uid`, `name` and `type` is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 190))]
    pub name: Option<String>,
    /// The data source's uid in Grafana. Default: none; one of `uid`, `name` and `type` is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 190))]
    pub uid: Option<String>,
    /// The data source's plugin type, for example `loki`. There must be only one of it, or one that is Grafana's default. Default:
    /// none; one of `uid`, `name` and `type` is given.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 190))]
    pub type_: Option<String>,
}

/// A time interval; exactly one of `name` and `grafanaName`.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("has(self.name) != has(self.grafanaName)")
        .message("give exactly one of name and grafanaName"),
    validation = Rule::new("!has(self.__namespace__) || has(self.name)")
        .message("namespace goes with name")
)]
pub struct TimeIntervalRef {
    /// Name of a TimeInterval resource. Default: none, then `grafanaName`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub name: Option<String>,
    /// Its namespace; its owner allows that by the annotation `alerting.letsrevel.io/shared-with`. Default: this namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 63))]
    pub namespace: Option<String>,
    /// Name of a time interval in Grafana that isn't a TimeInterval resource. Default: none, then `name`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 190))]
    pub grafana_name: Option<String>,
}

/// A contact point; exactly one of `name` and `grafanaName`.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("has(self.name) != has(self.grafanaName)")
        .message("give exactly one of name and grafanaName"),
    validation = Rule::new("!has(self.__namespace__) || has(self.name)")
        .message("namespace goes with name")
)]
pub struct ReceiverRef {
    /// Name of a ContactPoint resource. Default: none; it or `grafanaName` is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub name: Option<String>,
    /// Its namespace; its owner allows that by the annotation `alerting.letsrevel.io/shared-with`. Default: this namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 63))]
    pub namespace: Option<String>,
    /// Name of a contact point in Grafana that isn't a ContactPoint resource. Default: none; it or `name` is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 190))]
    pub grafana_name: Option<String>,
}

/// A policy tree beside the default one; exactly one of `name` and `grafanaName`.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("has(self.name) != has(self.grafanaName)")
        .message("give exactly one of name and grafanaName"),
    validation = Rule::new("!has(self.__namespace__) || has(self.name)")
        .message("namespace goes with name"),
    validation = Rule::new("!has(self.grafanaName) || !(self.grafanaName in ['user-defined', 'default'])")
        .message("this is what Grafana calls the default tree, which alerts go through anyway")
        .field_path(".grafanaName")
)]
pub struct PolicyRef {
    /// Name of a NotificationPolicy that has a tree of its own: one with `tree` and without `parentRef`. Default: none; it or `grafanaName` is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub name: Option<String>,
    /// Its namespace; its owner allows that by the annotation `alerting.letsrevel.io/shared-with`. Default: this namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 63))]
    pub namespace: Option<String>,
    /// Name of a policy tree in Grafana that isn't a NotificationPolicy. Default: none; it or `name` is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 190))]
    pub grafana_name: Option<String>,
}
