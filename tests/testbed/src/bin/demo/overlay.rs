//! The example for a real Grafana, somebody's or a container: a copy with names and times that fit there.

use std::{
    fs,
    path::{Path, PathBuf},
};

use alertwright_testbed::Scratch;
use serde_json::{Value, json};

use crate::{
    failure::{Failure, Result},
    inbox::Channel,
    root,
};

/// What differs from `deploy/examples/demo`.
#[derive(Debug)]
pub(crate) struct Overlay<'a> {
    pub(crate) namespace: &'a str,
    /// The label `service` of the log lines, so that neither the application's own lines nor those of an earlier
    /// demonstration count.
    pub(crate) service: &'a str,
    /// The uid of the data source.
    pub(crate) datasource: &'a str,
    /// Where Grafana reaches the channels' server.
    pub(crate) sink_url: &'a str,
    /// Take over the tree that is there.
    pub(crate) adopt: bool,
}

/// The contact points, which get names of their own in Grafana.
const CONTACT_POINTS: [&str; 6] = [
    "default-email",
    "slack-payments-channel",
    "slack-security-channel",
    "slack-analytics-channel",
    "discord",
    "pagerduty-oncall",
];

impl Overlay<'_> {
    /// Writes it and gives the folder for `kubectl apply -k`.
    pub(crate) fn write(&self, scratch: &Scratch) -> Result<PathBuf> {
        let written = self.try_write(&scratch.join("examples"));
        written.map_err(|error| Failure::new("a copy of deploy/examples", error))
    }

    fn try_write(&self, to: &Path) -> std::io::Result<PathBuf> {
        for example in ["demo", "revel"] {
            let (from, to) = (root().join("deploy/examples").join(example), to.join(example));
            fs::create_dir_all(&to)?;
            for file in fs::read_dir(from)? {
                let file = file?;
                let text = fs::read_to_string(file.path())?;
                let text = text.replace(r#"service="revel""#, &format!(r#"service="{}""#, self.service));
                fs::write(to.join(file.file_name()), text)?;
            }
        }
        // A multiple of the base interval that every Grafana has.
        let interval = json!([{"op": "add", "path": "/spec/interval", "value": "10s"}]);
        fs::write(to.join("demo/interval.yaml"), interval.to_string())?;
        let own = to.join("own");
        fs::create_dir_all(&own)?;
        fs::write(own.join("kustomization.yaml"), self.kustomization().to_string())?;
        Ok(own)
    }

    /// JSON is YAML.
    fn kustomization(&self) -> Value {
        let patch = |kind: &str, name: &str, operations: Value| json!({"target": {"kind": kind, "name": name}, "patch": operations.to_string()});
        let replace = |path: &str, value: Value| json!({"op": "replace", "path": path, "value": value});
        let mut patches = vec![patch(
            "AlertRule",
            ".*",
            json!([replace("/spec/datasource", json!({"uid": self.datasource}))]),
        )];
        for name in CONTACT_POINTS {
            let in_grafana = json!(format!("{} {name}", self.namespace));
            let name_it = json!([{"op": "add", "path": "/spec/name", "value": in_grafana}]);
            patches.push(patch("ContactPoint", name, name_it));
        }
        // Real mail and real pages are for real people.
        for (name, channel) in [
            ("default-email", Channel::Email),
            ("pagerduty-oncall", Channel::PagerDuty),
        ] {
            let url = format!("{}{}", self.sink_url, channel.path());
            let webhook = json!([{"webhook": {"url": {"value": url}}}]);
            patches.push(patch(
                "ContactPoint",
                name,
                json!([replace("/spec/integrations", webhook)]),
            ));
        }
        if self.adopt {
            let adopt = json!({"alerting.letsrevel.io/adopt": "true"});
            let annotate = json!([{"op": "add", "path": "/metadata/annotations", "value": adopt}]);
            patches.push(patch("NotificationPolicy", "revel", annotate));
        }
        json!({
            "apiVersion": "kustomize.config.k8s.io/v1beta1",
            "kind": "Kustomization",
            "namespace": self.namespace,
            "resources": ["../demo"],
            "patches": patches,
        })
    }
}
