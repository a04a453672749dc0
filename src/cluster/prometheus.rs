//! The kinds of others that hold rules for Prometheus: no more of them than is read.

use std::borrow::Cow;

use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::Resource;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::api::prometheus_rule_import::SourceKind;

/// A kind that holds rules for Prometheus.
pub trait RuleSource: Resource<DynamicType = (), Scope = NamespaceResourceScope> {
    /// Which one it is.
    const KIND: SourceKind;

    /// Its specification, as it was read.
    fn spec(&self) -> &Value;
}

macro_rules! source {
    ($kind:ident, $source:ident, $group:literal, $version:literal, $plural:literal, $doc:literal) => {
        #[doc = $doc]
        #[derive(Serialize, Deserialize, Clone, Debug, Default)]
        pub struct $kind {
            /// Its metadata.
            #[serde(default)]
            pub metadata: ObjectMeta,
            /// Its specification, as it was read.
            #[serde(default)]
            pub spec: Value,
        }

        impl Resource for $kind {
            type DynamicType = ();
            type Scope = NamespaceResourceScope;

            fn kind((): &()) -> Cow<'_, str> {
                stringify!($source).into()
            }
            fn group((): &()) -> Cow<'_, str> {
                $group.into()
            }
            fn version((): &()) -> Cow<'_, str> {
                $version.into()
            }
            fn plural((): &()) -> Cow<'_, str> {
                $plural.into()
            }
            fn meta(&self) -> &ObjectMeta {
                &self.metadata
            }
            fn meta_mut(&mut self) -> &mut ObjectMeta {
                &mut self.metadata
            }
        }

        impl RuleSource for $kind {
            const KIND: SourceKind = SourceKind::$source;

            fn spec(&self) -> &Value {
                &self.spec
            }
        }
    };
}

source!(
    PrometheusRule,
    PrometheusRule,
    "monitoring.coreos.com",
    "v1",
    "prometheusrules",
    "A PrometheusRule of prometheus-operator."
);
source!(
    VmRule,
    VMRule,
    "operator.victoriametrics.com",
    "v1beta1",
    "vmrules",
    "A VMRule of VictoriaMetrics' operator."
);
