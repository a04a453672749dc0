//! What the operator is granted, and what it uses.

use std::collections::BTreeSet;

use alertwright_testbed::control_plane::Watch;
use alertwright_testbed::operator::Options;
use alertwright_testbed::proxy::{Call, Calls};
use alertwright_testbed::wait::{self, Seen};
use alertwright_testbed::{ControlPlane, Grafana, Proxy, any_release, apply, grafana};
use serde_json::{Value, json};

use super::scenario::resources;
use crate::silences::from_now;
use crate::workloads::{asking, deployment};
use crate::world::{self, SOON};

/// What `deploy/rbac.yaml` says, which the chart's rights are equal to.
const RIGHTS: &str = include_str!("../../../deploy/rbac.yaml");

/// One right: verb, group, resource, as `kubectl auth can-i` has them.
fn right(verb: &str, group: &str, resource: &str) -> String {
    let dot = if group.is_empty() { "" } else { "." };
    format!("{verb} {resource}{dot}{group}")
}

/// All that both roles grant. What is in both counts once: in its own namespace an operator of all namespaces needs no second right to it, one of named
/// namespaces does.
fn granted() -> BTreeSet<String> {
    let texts = |rule: &Value, field: &str| -> Vec<String> {
        let all = rule[field].as_array().into_iter().flatten();
        all.filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let mut rights = BTreeSet::new();
    for document in RIGHTS.split("\n---\n") {
        let document: Value = serde_saphyr::from_str(document).expect("a manifest");
        for rule in document["rules"].as_array().into_iter().flatten() {
            for group in texts(rule, "apiGroups") {
                for resource in texts(rule, "resources") {
                    let verbs = texts(rule, "verbs");
                    rights.extend(verbs.iter().map(|verb| right(verb, &group, &resource)));
                }
            }
        }
    }
    rights
}

/// The rights that a call needs; none is needed for what everybody may ask for.
fn needed(call: &Call) -> Vec<String> {
    let Some((verb, group, resource)) = asked(call) else {
        return Vec::new();
    };
    // What is applied and isn't there yet is created.
    let created = (verb == "patch" && call.status == Some(201)).then_some("create");
    let verbs = [Some(verb), created].into_iter().flatten();
    verbs.map(|verb| right(verb, group, &resource)).collect()
}

/// Verb, group and resource.
fn asked(call: &Call) -> Option<(&'static str, &str, String)> {
    let (path, query) = call.path.split_once('?').unwrap_or((&call.path, ""));
    let parts: Vec<_> = path.trim_matches('/').split('/').collect();
    let (group, rest) = match parts[..] {
        ["api", _, ref rest @ ..] => ("", rest),
        ["apis", group, _, ref rest @ ..] => (group, rest),
        _ => return None,
    };
    let rest = match *rest {
        ["namespaces", _, ref rest @ ..] if !rest.is_empty() => rest,
        ref rest => rest,
    };
    let (resource, name) = match *rest {
        [resource] => (resource.to_owned(), None),
        [resource, name] => (resource.to_owned(), Some(name)),
        [resource, name, sub] => (format!("{resource}/{sub}"), Some(name)),
        _ => return None,
    };
    let verb = match call.method.as_str() {
        "GET" if query.contains("watch=") => "watch",
        "GET" if name.is_some() => "get",
        "GET" => "list",
        "POST" => "create",
        "PUT" => "update",
        "PATCH" => "patch",
        _ => "delete",
    };
    Some((verb, group, resource))
}

fn used(calls: &Calls) -> BTreeSet<String> {
    calls.0.iter().flat_map(needed).collect()
}

#[apply(any_release)]
async fn everything_that_is_granted_is_used_and_nothing_else_is_tried() {
    // It watches all namespaces, so it must be alone.
    let plane = ControlPlane::start().await.expect("a control plane of our own");
    world::install_crds_anew(&plane).await;
    for definition in [
        include_str!("../imports/prometheusrules.yaml"),
        include_str!("../imports/vmrules.yaml"),
        include_str!("../maintenance_argo/rollouts.yaml"),
    ] {
        plane.apply(definition, "default").await;
    }
    let (home, ns) = (plane.namespace("op").await, plane.namespace("team").await);
    let grafana = Grafana::start(grafana::Options::default())
        .await
        .expect("grafana starts");
    let loki = alertwright_testbed::Loki::shared().await;
    grafana.add_loki_datasource(loki, "loki", "Loki", true).await;
    let token = grafana.token_with_role("Admin").await;
    let secret = json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "grafana"}, "stringData": {"token": token},
    });
    plane.apply(&secret.to_string(), &home).await;

    let proxy = Proxy::of_api_server(&plane).await;
    let kubeconfig = plane.operator_account(&home, Watch::All).await;
    let text = std::fs::read_to_string(&kubeconfig).expect("a kubeconfig");
    let through = kubeconfig.with_extension("through");
    std::fs::write(&through, text.replace(&plane.url(), &proxy.url())).expect("a kubeconfig");
    let _operator = Options::new(env!("CARGO_BIN_EXE_alertwright"), &through)
        .args(["--operator-namespace", &home, "--leader-elect"])
        .args([
            "--grafana-url",
            &grafana.url(),
            "--grafana-token-secret",
            "grafana/token",
        ])
        .env("POD_NAME", "replica")
        .start()
        .await
        .expect("the operator starts");

    let ours = |kind: &str, name: &str, spec: Value| {
        json!({
            "apiVersion": "alerting.letsrevel.io/v1alpha1", "kind": kind, "metadata": {"name": name}, "spec": spec,
        })
    };
    // Namespaces are chosen by their labels, an authority is read from a ConfigMap.
    let chosen = ours(
        "GrafanaInstance",
        "chosen",
        json!({
            "url": grafana.url(), "auth": {"token": {"secretKeyRef": {"name": "grafana", "key": "token"}}},
            "allowedNamespaces": {"selector": {"matchLabels": {"grafana": "chosen"}}},
            "tls": {"ca": {"configMapKeyRef": {"name": "bundle", "key": "ca.crt"}}},
        }),
    );
    plane.apply(&chosen.to_string(), &home).await;
    let texts = json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "texts"}, "data": {"slack": "{{ define \"more\" }}more{{ end }}"},
    });
    let group = json!({"name": "g", "rules": [{"alert": "Alert", "expr": "vector(1) > 0"}]});
    let sources = [
        ("monitoring.coreos.com/v1", "PrometheusRule"),
        ("operator.victoriametrics.com/v1beta1", "VMRule"),
    ];
    let source = |(version, kind): (&str, &str)| {
        json!({
            "apiVersion": version, "kind": kind, "metadata": {"name": "rules"}, "spec": {"groups": [group]},
        })
    };
    let import = json!({"datasource": {"name": "Loki"}});
    let rollouts = json!({"targets": [{"kind": "Rollout"}], "silence": {"lease": "30s"}});
    let others = [
        texts,
        ours(
            "NotificationTemplate",
            "more",
            json!({"templateFrom": {"configMapKeyRef": {"name": "texts", "key": "slack"}}}),
        ),
        ours(
            "Silence",
            "brief",
            json!({"matchers": ["a=b"], "endsAt": from_now(4), "ttlAfterExpiry": "1s"}),
        ),
        deployment("web", &asking("30s", "1s"), &json!({})),
        ours("MaintenancePolicy", "rollouts", rollouts),
        ours("PrometheusRuleImport", "imported", import),
    ];
    for object in resources(false)
        .into_iter()
        .chain(sources.map(source))
        .chain(others)
    {
        plane.apply(&object.to_string(), &ns).await;
    }
    let imported = ["get", "alertrules", "-n", &ns, "-o", "name"];
    wait::until("the alert is imported", SOON, async || {
        let names = plane.kubectl(imported).await.ok();
        (names.lines().count() > 3).then_some(())
    })
    .await;
    plane
        .kubectl(["delete", "prometheusrule,vmrule", "rules", "-n", &ns])
        .await
        .ok();
    plane
        .kubectl(["delete", "alertrule", "first", "-n", &ns])
        .await
        .ok();

    let granted = granted();
    wait::until("each right has been used", SOON, async || {
        let used = used(&proxy.requests());
        let unused: Vec<_> = granted.difference(&used).cloned().collect();
        if unused.is_empty() {
            Seen::Yes(())
        } else {
            Seen::NotYet(format!("not used: {unused:#?}"))
        }
    })
    .await;
    let refused = proxy.requests().filter(|call| call.status == Some(403));
    assert!(refused.is_empty(), "it asks for more than it may: {refused}");
}
