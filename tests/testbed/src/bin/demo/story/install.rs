//! The operator and the example, installed as a user would.

use alertwright_testbed::operator;
use serde_json::{Value, json};

use super::Told;
use crate::{
    account,
    failure::{Failure, Result, ensure, until},
    grafana::text,
    inbox::Channel,
    root,
    stage::{Ground, Stage},
    workload::{Deployment, condition},
};

/// Revel as it runs before anything happens.
pub(super) const WEB: Deployment = Deployment {
    name: "web",
    version: "1",
    is_stuck: false,
    silences: None,
};
/// The other half of it, which says on itself what its rollouts silence.
pub(super) const WORKER: Deployment = Deployment {
    name: "worker",
    silences: Some("database-errors"),
    ..WEB
};

/// The kinds, the operator's account, the instance, and the operator.
pub(super) async fn operator(stage: &mut Stage) -> Told {
    let installs = match &stage.ground {
        Ground::Testbed(_) => true,
        Ground::Own(own) => own.installs_kinds,
    };
    if installs {
        let crds = root().join("crds");
        let applied = format!("apply --server-side -k {}", crds.display());
        let printed = stage.kubectl.run(&applied).await?;
        let count = printed.lines().count();
        stage
            .report
            .say(format!("$ kubectl apply --server-side -k crds   ({count} kinds)"));
        let kinds: Vec<_> = printed
            .lines()
            .filter_map(|line| line.split(' ').next())
            .collect();
        let wait = format!(
            "wait --for=condition=Established --timeout=60s {}",
            kinds.join(" ")
        );
        stage.kubectl.run(&wait).await?;
    } else {
        stage
            .report
            .say("the kinds are installed already, and stay as they are");
    }
    for namespace in [&stage.home, &stage.namespace] {
        stage.make_namespace(namespace).await?;
    }
    for deployment in [WEB, WORKER] {
        stage.kubectl.apply(&deployment.object(stage)).await?;
    }
    connect(stage).await?;
    let kubeconfig = account::install(stage).await?;
    stage.report.say(format!(
        "ServiceAccount {}/alertwright has the rights of deploy/rbac.yaml",
        stage.home
    ));
    for deployment in [WEB, WORKER] {
        let (name, namespace) = (deployment.name, &stage.namespace);
        stage
            .kubectl
            .run(&format!(
                "rollout status deployment/{name} -n {namespace} --timeout=120s"
            ))
            .await?;
    }
    stage
        .report
        .say("Revel runs: Deployments web and worker, 2 pods each");
    let mut options = operator::Options::new(&stage.binary, &kubeconfig)
        .args(["--operator-namespace", &stage.home])
        .args(["--owner-id", owner(stage)]);
    if stage.is_own() {
        options = options.args(["--watch-namespaces", &stage.namespace]);
    }
    let started = options.start().await;
    let started = started.map_err(|error| Failure::new("the operator to be ready", format!("{error:?}")))?;
    stage.operator = Some(started);
    let home = &stage.home;
    let instance = until(
        "GrafanaInstance default to be Ready",
        stage.pace.soon,
        async || {
            let get = format!("get grafanainstance default -n {home}");
            let instance = stage
                .kubectl
                .json(&get)
                .await
                .map_err(|failure| failure.to_string())?;
            condition(&instance, "Ready").map(|()| instance)
        },
    )
    .await?;
    stage.report.say("alertwright runs as that ServiceAccount");
    stage.show(&format!("get grafanainstances -n {home}")).await?;
    Ok(format!(
        "connected to Grafana {}",
        text(&instance, "/status/version")
    ))
}

fn owner(stage: &Stage) -> &str {
    if stage.is_own() { &stage.home } else { "demo" }
}

/// The connection to Grafana, which users fill in.
async fn connect(stage: &Stage) -> Result<()> {
    let home = &stage.home;
    let secret = json!({
        "apiVersion": "v1", "kind": "Secret",
        "metadata": {"name": "alertwright-grafana", "namespace": home},
        "stringData": {"token": stage.grafana.token},
    });
    let instance = json!({
        "apiVersion": "alerting.letsrevel.io/v1alpha1", "kind": "GrafanaInstance",
        "metadata": {"name": "default", "namespace": home},
        "spec": {
            "url": stage.grafana.url,
            "auth": {"token": {"secretKeyRef": {"name": "alertwright-grafana", "key": "token"}}},
            // The column STATE follows within a second instead of fifteen.
            "stateInterval": "1s",
            // The document groups by it.
            "labels": {"cluster": "demo"},
        },
    });
    stage.kubectl.apply(&secret).await?;
    stage.kubectl.apply(&instance).await
}

/// The example, until all of it is in sync.
pub(super) async fn example(stage: &mut Stage) -> Told {
    let namespace = &stage.namespace;
    let url = |channel: Channel| format!("{}{}", stage.sink_url, channel.path());
    let secret = json!({
        "apiVersion": "v1", "kind": "Secret",
        "metadata": {"name": "revel-alerting", "namespace": namespace},
        "stringData": {
            "slack-payments-url": url(Channel::SlackPayments),
            "slack-security-url": url(Channel::SlackSecurity),
            "slack-analytics-url": url(Channel::SlackAnalytics),
            "discord-url": url(Channel::Discord),
            "pagerduty-integration-key": "demo",
        },
    });
    stage.kubectl.apply(&secret).await?;
    stage
        .report
        .say("Secret revel-alerting holds the channels' addresses");
    let printed = stage
        .kubectl
        .run(&format!("apply -k {}", stage.example.display()))
        .await?;
    let count = printed.lines().count();
    stage.report.say(format!(
        "$ kubectl apply -k deploy/examples/demo   ({count} resources)"
    ));
    until("every resource to be Ready", stage.pace.soon, async || {
        let all = stage.kubectl.json(&format!("get alerting -n {namespace}")).await;
        unready(&all.map_err(|failure| failure.to_string())?)
    })
    .await?;
    stage.report.say("all are Ready");
    let printed = stage.kubectl.run(&format!("get alerting -n {namespace}")).await?;
    stage.report.say(format!(
        "$ kubectl get alerting -n {namespace}   (here without \"{GROUP}\", for its width)"
    ));
    stage.report.show(&without_group(&printed));
    let rules = in_grafana(stage).await?;
    ensure(rules == 10, "10 rules in Grafana's folder", || rules.to_string())?;
    until(
        "Grafana's Alertmanager to take up the routing",
        stage.pace.soon,
        async || stage.grafana.routes_to("slack-payments-channel").await,
    )
    .await?;
    stage.report.say(format!(
        "Grafana has {rules} rules in folder {namespace}, and its Alertmanager runs with the tree"
    ));
    Ok(format!("{count} resources Ready, {rules} rules in Grafana"))
}

/// What kubectl prints between kind and name when it is asked for several kinds.
const GROUP: &str = ".alerting.letsrevel.io";

/// kubectl's tables without the group, which make them wider than most terminals.
fn without_group(tables: &str) -> String {
    let spaces = " ".repeat(GROUP.len());
    let lines = tables.lines().map(|line| {
        let group = if line.starts_with("NAME") { &spaces } else { GROUP };
        line.replacen(group, "", 1)
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Names what is not Ready for its present generation.
fn unready(all: &Value) -> Result<(), String> {
    let items = all
        .pointer("/items")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    let unready = items.filter_map(|item| {
        if text(item, "/kind") == "AlertRule" && text(item, "/status/state").is_empty() {
            return Some(format!("{} has no state yet", text(item, "/metadata/name")));
        }
        let is_current = item.pointer("/status/observedGeneration") == item.pointer("/metadata/generation");
        let ready = condition(item, "Ready");
        (!is_current || ready.is_err()).then(|| {
            let (kind, name) = (text(item, "/kind"), text(item, "/metadata/name"));
            format!("{kind} {name} {}", ready.err().unwrap_or_default())
        })
    });
    let unready: Vec<_> = unready.collect();
    if unready.is_empty() {
        Ok(())
    } else {
        Err(unready.join("; "))
    }
}

/// How many rules Grafana itself has in the namespace's folder.
async fn in_grafana(stage: &Stage) -> Result<usize> {
    let path = format!("/api/ruler/grafana/api/v1/rules/{}", stage.namespace);
    let folders = stage.grafana.get("/api/ruler/grafana/api/v1/rules").await;
    let folders = folders.map_err(|seen| Failure::new(format!("an answer to {path}"), seen))?;
    let groups = folders
        .get(&stage.namespace)
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    let rules = groups.filter_map(|group| group.get("rules")?.as_array());
    Ok(rules.map(Vec::len).sum())
}
