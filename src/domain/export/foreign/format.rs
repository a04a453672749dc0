//! Which format a document is in.

use std::fmt;

use serde_json::Value;

use crate::domain::rule::query::language::{self, Language};

/// A format that is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// monitoring.coreos.com PrometheusRule.
    PrometheusRule,
    /// operator.victoriametrics.com VMRule.
    VmRule,
    /// A rule file of Prometheus.
    Prometheus,
    /// A rule file of Loki.
    Loki,
    /// Alertmanager's configuration.
    Alertmanager,
    /// `AlertmanagerConfig` of monitoring.coreos.com, or `VMAlertmanagerConfig`.
    AlertmanagerConfig,
    /// A file of templates of Alertmanager.
    Template,
    /// What Grafana is provisioned with, or has exported.
    GrafanaFile,
    /// Resources of grafana.integreatly.org.
    GrafanaOperator,
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::PrometheusRule => "PrometheusRule",
            Self::VmRule => "VMRule",
            Self::Prometheus => "rule file of Prometheus",
            Self::Loki => "rule file of Loki",
            Self::Alertmanager => "configuration of Alertmanager",
            Self::AlertmanagerConfig => "AlertmanagerConfig",
            Self::Template => "file of templates",
            Self::GrafanaFile => "file of Grafana",
            Self::GrafanaOperator => "resource of grafana-operator",
        })
    }
}

/// Which format a document is in, if it is one that is read.
pub fn of(value: &Value) -> Option<Format> {
    let text = |field: &str| value.get(field).and_then(Value::as_str).unwrap_or_default();
    let group = text("apiVersion").split_once('/').map_or("", |(group, _)| group);
    match (group, text("kind")) {
        ("monitoring.coreos.com", "PrometheusRule") => return Some(Format::PrometheusRule),
        ("operator.victoriametrics.com", "VMRule") => return Some(Format::VmRule),
        ("monitoring.coreos.com", "AlertmanagerConfig")
        | ("operator.victoriametrics.com", "VMAlertmanagerConfig") => {
            return Some(Format::AlertmanagerConfig);
        }
        ("grafana.integreatly.org", kind) if OF_OPERATOR.contains(&kind) => {
            return Some(Format::GrafanaOperator);
        }
        ("", "") => {}
        _ => return None,
    }
    let is_list = |field: &str| value.get(field).is_some_and(Value::is_array);
    if is_list("receivers") && (value.get("route").is_some() || is_list("templates")) {
        return Some(Format::Alertmanager);
    }
    if is_of_grafana(value) {
        return Some(Format::GrafanaFile);
    }
    rules(value).map(|mut rules| {
        if rules.any(is_logql) {
            Format::Loki
        } else {
            Format::Prometheus
        }
    })
}

/// A service level objective, of which another program makes rules.
#[derive(Debug, PartialEq, Eq)]
pub struct Objective {
    /// What it is called: its kind, and its path.
    pub called: String,
    /// Its name, which the PrometheusRule that is made of it has too.
    pub name: String,
    /// That program.
    pub program: &'static str,
}

/// The objective that a document is, if it is one.
pub fn objective(value: &Value) -> Option<Objective> {
    let text = |at: &str| value.pointer(at).and_then(Value::as_str).unwrap_or_default();
    let (version, kind) = (text("/apiVersion"), text("/kind"));
    let group = version.split('/').next().unwrap_or_default();
    // What Sloth reads without a cluster.
    let is_plain =
        version.is_empty() && text("/version").starts_with("prometheus/") && value.get("slos").is_some();
    let (kind, program) = match (group, kind) {
        ("pyrra.dev", "ServiceLevelObjective") => (kind, "Pyrra"),
        ("sloth.slok.dev", "PrometheusServiceLevel") | ("openslo", "SLO") => (kind, "Sloth"),
        _ if is_plain => ("specification", "Sloth"),
        _ => return None,
    };
    let name = if is_plain {
        text("/service")
    } else {
        text("/metadata/name")
    };
    let namespace = text("/metadata/namespace");
    let path = if namespace.is_empty() {
        name.to_owned()
    } else {
        format!("{namespace}/{name}")
    };
    Some(Objective {
        called: format!("{kind} {path}"),
        name: name.to_owned(),
        program,
    })
}

impl Objective {
    /// Why it isn't carried over, and what is instead.
    pub fn why(&self) -> String {
        let rules = match self.program {
            "Pyrra" => format!(
                "kubectl get prometheusrule {} -o yaml, or pyrra generate",
                self.name
            ),
            _ => format!(
                "sloth generate, or kubectl get prometheusrule {} -o yaml",
                self.name
            ),
        };
        format!(
            "it is a service level objective and no alert rule: import the rules that {} makes of it ({rules})",
            self.program
        )
    }
}

/// Kinds of grafana-operator's resources that are read.
const OF_OPERATOR: [&str; 7] = [
    "GrafanaAlertRuleGroup",
    "GrafanaContactPoint",
    "GrafanaFolder",
    "GrafanaMuteTiming",
    "GrafanaNotificationPolicy",
    "GrafanaNotificationPolicyRoute",
    "GrafanaNotificationTemplate",
];

/// Whether a file is one of Grafana's: nobody else's has these lists, or rules with nodes.
fn is_of_grafana(value: &Value) -> bool {
    let list = |field: &str| {
        value
            .get(field)
            .and_then(Value::as_array)
            .map_or(&[][..], Vec::as_slice)
    };
    let has_own = ["contactPoints", "policies", "muteTimes"]
        .iter()
        .any(|field| !list(field).is_empty());
    let rules = || {
        list("groups")
            .iter()
            .filter_map(|group| group.get("rules")?.as_array())
            .flatten()
    };
    has_own
        || rules().any(|rule| rule.get("data").is_some())
        || list("templates")
            .iter()
            .any(|template| template.get("template").is_some())
}

/// The expressions of a rule file; `None` where it is none.
fn rules(value: &Value) -> Option<impl Iterator<Item = &str>> {
    let groups = value.get("groups")?.as_array()?;
    let rules = || {
        let rules = groups
            .iter()
            .filter_map(|group| group.get("rules")?.as_array())
            .flatten();
        rules.filter_map(|rule| rule.get("expr"))
    };
    let is_one = groups.is_empty() || rules().next().is_some();
    is_one.then(|| rules().filter_map(Value::as_str))
}

/// Whether an expression surely is Loki's.
fn is_logql(expr: &str) -> bool {
    language::sign(expr).is_some_and(|sign| sign.language == Language::LogQl)
}
