//! What the story is told on: a cluster with the operator, a Grafana, a Loki, and the channels.

use std::{path::PathBuf, sync::Arc, time::Duration};

use alertwright_testbed::{Operator, Scratch, loki};
use serde_json::{Value, json};

use crate::{
    failure::{Failure, Result},
    grafana::Api,
    inbox::Inbox,
    kubectl::Kubectl,
    logs::Lines,
    report::Report,
};

/// How many lines of a log are quoted.
const TAIL: usize = 15;

/// Whose servers these are; it lives as long as they should.
#[derive(Debug)]
pub(crate) enum Ground {
    /// Started for the demonstration, gone with it.
    Testbed(Box<crate::testbed::Testbed>),
    /// The user's: what is made there is removed at the end.
    Own(crate::own::Own),
}

/// How fast things go there.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    /// How long to wait for what should happen at once.
    pub(crate) soon: Duration,
    /// How long a pod must be ready until a rollout goes on, in seconds.
    pub(crate) min_ready: u32,
    /// When Kubernetes calls a rollout stuck, in seconds.
    pub(crate) deadline: u32,
    /// Longer than two group intervals: what has not arrived until then has not been sent.
    pub(crate) quiet: Duration,
}

/// All that steps use.
#[derive(Debug)]
pub(crate) struct Stage {
    pub(crate) report: Arc<Report>,
    pub(crate) kubectl: Kubectl,
    pub(crate) grafana: Api,
    /// Where log lines are pushed to.
    pub(crate) loki_url: String,
    /// The label `service` of the log lines.
    pub(crate) service: String,
    pub(crate) inbox: Inbox,
    /// Where Grafana reaches the channels' server.
    pub(crate) sink_url: String,
    /// The operator's namespace.
    pub(crate) home: String,
    /// The namespace of the example.
    pub(crate) namespace: String,
    /// The folder that `kubectl apply -k` gets.
    pub(crate) example: PathBuf,
    /// The operator's binary.
    pub(crate) binary: PathBuf,
    pub(crate) operator: Option<Operator>,
    pub(crate) pace: Pace,
    pub(crate) ground: Ground,
    // Last, so that the folder goes after what writes to it.
    pub(crate) scratch: Scratch,
}

impl Stage {
    pub(crate) fn is_own(&self) -> bool {
        matches!(self.ground, Ground::Own(_))
    }

    /// Pushes log lines of the application.
    pub(crate) async fn push(&self, lines: Lines) -> Result<()> {
        let text = lines.text();
        let labels = [("service", self.service.as_str()), ("level", lines.level)];
        let pushed = loki::push(&self.loki_url, &labels, &text).await;
        pushed.map_err(|seen| Failure::new("Loki to take log lines", seen))?;
        self.report.say(format!(
            "pushed {} log lines to Loki: {}",
            lines.count,
            text.first().map(String::as_str).unwrap_or_default()
        ));
        Ok(())
    }

    /// A resource of the example's namespace.
    pub(crate) async fn get(&self, kind: &str, name: &str) -> Result<Value> {
        let namespace = &self.namespace;
        self.kubectl
            .json(&format!("get {kind} {name} -n {namespace}"))
            .await
    }

    /// Prints a command and what it printed.
    pub(crate) async fn show(&self, words: &str) -> Result<()> {
        let printed = self.kubectl.run(words).await?;
        self.report.say(format!("$ kubectl {words}"));
        self.report.show(&printed);
        Ok(())
    }

    /// Makes a namespace.
    pub(crate) async fn make_namespace(&self, name: &str) -> Result<()> {
        let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
        self.kubectl.apply(&namespace).await
    }

    /// The ways in, for a look around.
    pub(crate) fn doors(&self) -> Vec<String> {
        let login = match &self.ground {
            Ground::Testbed(_) => "  (admin:admin; its API, there are no web pages)",
            Ground::Own(_) => "",
        };
        let mut doors = vec![
            format!("export KUBECONFIG={}", self.kubectl.kubeconfig().display()),
            format!("Grafana:  {}{login}", self.grafana.url),
            format!("Loki:     {}", self.loki_url),
        ];
        doors.extend(
            self.operator
                .as_ref()
                .map(|operator| format!("operator: {}/metrics", operator.url())),
        );
        doors
    }

    /// The ends of the logs that may explain a failure.
    pub(crate) fn logs(&self) -> Vec<(String, String)> {
        let mut logs = Vec::new();
        if let Some(operator) = &self.operator {
            logs.push(("alertwright".to_owned(), tail(&operator.log())));
        }
        if let Ground::Testbed(testbed) = &self.ground {
            logs.push(("Grafana".to_owned(), tail(&testbed.grafana.log())));
        }
        logs
    }
}

fn tail(log: &str) -> String {
    let lines: Vec<_> = log.lines().collect();
    let tail = lines.get(lines.len().saturating_sub(TAIL)..);
    tail.unwrap_or_default().join("\n")
}
