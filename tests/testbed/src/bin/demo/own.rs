//! The stage on the user's own cluster and Grafana: nothing there is changed for good.

mod removal;

use std::{
    net::{IpAddr, Ipv4Addr},
    path::PathBuf,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use alertwright_testbed::{HttpSink, Scratch};
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    arguments,
    failure::{Failure, Result, ensure},
    grafana::Api,
    inbox::Inbox,
    kubectl::Kubectl,
    overlay::Overlay,
    report::Report,
    stage::{Ground, Pace, Stage},
};

pub(crate) use removal::remove;

/// What has to be put back at the end.
#[derive(Debug)]
pub(crate) struct Own {
    /// Whether the custom resource definitions were absent.
    pub(crate) installs_kinds: bool,
    /// The policy tree that was there.
    tree: Value,
}

/// Looks whether the story may be told there, and prepares it.
pub(crate) async fn start(report: Arc<Report>, binary: PathBuf, arguments: &arguments::Own) -> Result<Stage> {
    let scratch = Scratch::new("demo");
    let scratch = scratch.map_err(|error| Failure::new("a temporary folder", format!("{error:?}")))?;
    let set = |value: Option<&String>, name: &str| {
        value
            .cloned()
            .ok_or_else(|| Failure::new(format!("{name} to be set"), "nothing"))
    };
    let kubeconfig = arguments.kubeconfig.clone().unwrap_or_default();
    let kubectl = Kubectl::new(&kubeconfig, scratch.path());
    let grafana = Api {
        url: set(arguments.grafana_url.as_ref(), "GRAFANA_URL")?,
        token: set(arguments.grafana_token.as_ref(), "GRAFANA_TOKEN")?,
    };
    let loki_url = set(arguments.loki_url.as_ref(), "LOKI_URL")?;
    let installs_kinds = is_free(&kubectl).await?;
    report.say(format!("your cluster answers ({})", kubeconfig.display()));
    let tree = replaceable_tree(&grafana, arguments.replace_tree).await?;
    report.say(format!(
        "your Grafana answers ({}); its policy tree is remembered",
        grafana.url
    ));

    let suffix = suffix();
    let home = format!("alertwright-demo-{suffix}");
    let namespace = format!("revel-demo-{suffix}");
    let is_local = arguments
        .sink_host
        .parse::<IpAddr>()
        .is_ok_and(|ip| ip.is_loopback());
    let listen = if is_local {
        Ipv4Addr::LOCALHOST
    } else {
        Ipv4Addr::UNSPECIFIED
    };
    let http = HttpSink::start_on(listen.into()).await;
    let sink_url = format!("http://{}:{}", arguments.sink_host, http.port());
    report.say(format!("channels listen at {sink_url}, for your Grafana"));
    let overlay = Overlay {
        namespace: &namespace,
        service: &namespace,
        datasource: &home,
        sink_url: &sink_url,
        adopt: arguments.replace_tree,
    };
    let example = overlay.write(&scratch)?;
    let datasource = json!({
        "uid": home, "name": home, "type": "loki", "access": "proxy", "url": loki_url, "isDefault": false,
    });
    let added = grafana
        .call(Method::POST, "/api/datasources", Some(&datasource))
        .await;
    added.map_err(|seen| Failure::new("a data source for LOKI_URL", seen))?;
    report.say(format!(
        "namespaces {home} and {namespace}, data source {home}; all go again at the end"
    ));
    Ok(Stage {
        report,
        kubectl,
        grafana,
        loki_url,
        service: namespace.clone(),
        inbox: Inbox { http, mail: None },
        sink_url,
        home,
        namespace,
        example,
        binary,
        operator: None,
        pace: Pace {
            soon: Duration::from_secs(180),
            min_ready: 15,
            deadline: 60,
            quiet: Duration::from_secs(5),
        },
        ground: Ground::Own(Own { installs_kinds, tree }),
        scratch,
    })
}

/// Fails if an alertwright runs there already: two would work on the same resources. Whether its kinds are absent.
async fn is_free(kubectl: &Kubectl) -> Result<bool> {
    let others = kubectl
        .run("get deployments -A -l app.kubernetes.io/name=alertwright -o name")
        .await?;
    ensure(others.trim().is_empty(), "a cluster without alertwright", || {
        others.trim().to_owned()
    })?;
    let kinds = kubectl
        .run("get crd alertrules.alerting.letsrevel.io --ignore-not-found -o name")
        .await?;
    Ok(kinds.trim().is_empty())
}

/// The tree that is there, if it may be replaced for a while.
async fn replaceable_tree(grafana: &Api, is_allowed: bool) -> Result<Value> {
    let tree = grafana.tree().await;
    let tree = tree.map_err(|seen| Failure::new("Grafana's policy tree", seen))?;
    let is_default = tree
        .get("routes")
        .and_then(Value::as_array)
        .is_none_or(Vec::is_empty);
    let expected = "the policy tree that Grafana ships with, or DEMO_REPLACE_TREE=1: while the \
        demonstration runs, your alerts would go nowhere else";
    ensure(is_default || is_allowed, expected, || {
        "a tree with routes".to_owned()
    })?;
    Ok(tree)
}

/// Tells demonstrations apart.
fn suffix() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    format!("{:05x}", now.as_secs() & 0xf_ffff)
}
