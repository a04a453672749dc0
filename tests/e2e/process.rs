//! The operator's process: how it starts, what it waits for, and how it ends.

use std::time::Duration;

use alertwright::api::AlertRule;
use alertwright_testbed::control_plane::Watch;
use alertwright_testbed::{any_release, apply, wait};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::world::{self, SOON, World};

async fn holder(w: &World) -> String {
    let arguments = ["get", "lease", "alertwright", "--ignore-not-found", "-n", &w.home];
    let path = ["-o", "jsonpath={.spec.holderIdentity}"];
    w.plane.kubectl(&[&arguments[..], &path[..]].concat()).await.ok()
}

#[apply(any_release)]
async fn an_operator_that_is_asked_to_stop_ends_and_lets_go_of_the_lease_at_any_moment_of_its_life() {
    let mut w = world::start().await;
    w.operator.terminate().await;
    w.put(
        "AlertRule",
        "a",
        json!({"query": "sum(count_over_time({app=\"a\"} [5m])) > 1"}),
    )
    .await;
    for moment in [0, 20, 50, 80, 120, 200, 400, 800] {
        let mut operator = world::operator(&w.home, &w.ns, &w.kubeconfig)
            .args(["--leader-elect"])
            .env("POD_NAME", "replica")
            .without_wait()
            .start()
            .await
            .expect("it starts");
        // Not a wait for something: the moment is what differs.
        tokio::time::sleep(Duration::from_millis(moment)).await;
        operator.terminate().await;
        // Before everything has been listed there are no passes, and nothing that could be waited for.
        assert!(
            !operator.log().contains("passes under way were given up"),
            "after {moment} ms:\n{}",
            operator.log()
        );
        assert_eq!(
            holder(&w).await.trim(),
            "",
            "after {moment} ms:\n{}",
            operator.log()
        );
    }
}

/// Has the API server wait for a webhook that never answers whenever a GrafanaInstance is to be made in the operator's namespace. Returns
/// what listens, and the webhook's name.
async fn slow_to_make_instances(w: &World) -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("https://{}", listener.local_addr().expect("an address"));
    let name = format!("slow-{}", w.home);
    let webhook = json!({
        "name": "slow.example.com", "admissionReviewVersions": ["v1"], "sideEffects": "None", "timeoutSeconds": 30,
        "clientConfig": {"url": url}, "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": w.home}},
        "rules": [{"apiGroups": ["alerting.letsrevel.io"], "apiVersions": ["*"], "operations": ["CREATE"], "resources": ["grafanainstances"]}],
    });
    let configuration = json!({
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration", "metadata": {"name": name}, "webhooks": [webhook],
    });
    w.plane.apply(&configuration.to_string(), &w.home).await;
    let probe = json!({
        "apiVersion": "alerting.letsrevel.io/v1alpha1", "kind": "GrafanaInstance", "metadata": {"name": "probe"},
        "spec": {"url": "http://127.0.0.1:1", "auth": {"token": {"secretKeyRef": {"name": "s", "key": "k"}}}},
    });
    wait::until("the webhook is asked", SOON, async || {
        let args = [
            "create",
            "--dry-run=server",
            "--request-timeout=1s",
            "-n",
            &w.home,
            "-f",
            "-",
        ];
        let output = w.plane.kubectl_with_input(args, &probe.to_string()).await;
        (!output.success).then_some(())
    })
    .await;
    (listener, name)
}

#[apply(any_release)]
async fn an_operator_that_is_stopped_while_it_starts_lets_go_of_the_lease_that_it_has_just_taken() {
    let mut w = world::start().await;
    w.operator.terminate().await;
    let remove = ["delete", "grafanainstance", "default", "-n", &w.home];
    w.plane.kubectl(remove).await.ok();
    let (_listener, webhook) = slow_to_make_instances(&w).await;
    let mut operator = world::operator(&w.home, &w.ns, &w.kubeconfig)
        .args(["--leader-elect", "--grafana-url", &w.proxy.url()])
        .args(["--grafana-token-secret", "grafana/token"])
        .env("POD_NAME", "replica")
        .without_wait()
        .start()
        .await
        .expect("it starts");
    wait::until("it holds the Lease", SOON, async || {
        (holder(&w).await.trim() == "replica").then_some(())
    })
    .await;
    operator.terminate().await;
    let log = operator.log();
    assert_eq!(holder(&w).await.trim(), "", "{log}");
    let remove = ["delete", "validatingwebhookconfiguration", &webhook];
    w.plane.kubectl(remove).await.ok();
}

#[apply(any_release)]
async fn a_namespace_whose_rights_are_missing_keeps_no_other_one_waiting() {
    let mut w = world::start().await;
    w.operator.terminate().await;
    let closed = w.plane.namespace("closed").await;
    // Rights in one of two; the closed one comes first.
    let kubeconfig = w
        .plane
        .operator_account(&w.home, Watch::Namespaces(&[&w.ns]))
        .await;
    let both = format!("{closed},{}", w.ns);
    let operator = world::operator(&w.home, &both, &kubeconfig)
        .start()
        .await
        .expect("it becomes ready");
    w.put(
        "AlertRule",
        "open",
        json!({"query": "sum(count_over_time({app=\"a\"} [5m])) > 1"}),
    )
    .await;
    w.synced::<AlertRule>("open").await;
    let series = format!("alertwright_unwatched{{kind=\"AlertRule\",namespace=\"{closed}\"}}");
    assert_eq!(
        operator.metric(&series).await,
        Some(1.0),
        "{}",
        operator.metrics().await
    );

    // Each kind that may not be seen there is told of once, in one line and nobody else's words.
    let log = operator.log();
    let told = |kind: &str| {
        let lines = log
            .lines()
            .filter(|line| line.contains("WARN") && line.contains("cannot watch"));
        lines
            .filter(|line| line.contains(&format!("kind={kind} ")))
            .count()
    };
    assert_eq!(told("AlertRule"), 1, "{log}");
    assert!(!log.contains("Status {"), "{log}");

    // With the rights it is looked after like any other.
    w.plane
        .operator_account(&w.home, Watch::Namespaces(&[&w.ns, &closed]))
        .await;
    wait::until("the namespace is watched", SOON * 2, async || {
        operator.metric(&series).await.is_none()
    })
    .await;
}

#[apply(any_release)]
async fn a_replica_that_may_not_ask_for_the_lease_is_not_ready_and_says_so_once() {
    let mut w = world::start().await;
    w.operator.terminate().await;
    let read = ["get", "role", "alertwright", "-n", &w.home, "-o", "json"];
    let role: Value = serde_json::from_str(&w.plane.kubectl(read).await.ok()).expect("JSON");
    let rules: Vec<&Value> = role["rules"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|rule| rule["resources"] != json!(["leases"]))
        .collect();
    let write = async |rules: Value| {
        let patch = json!({"rules": rules}).to_string();
        let args = [
            "patch",
            "role",
            "alertwright",
            "-n",
            &w.home,
            "--type=merge",
            "-p",
            &patch,
        ];
        w.plane.kubectl(args).await.ok();
    };
    write(json!(rules)).await;
    let mut operator = world::operator(&w.home, &w.ns, &w.kubeconfig)
        .args(["--leader-elect"])
        .without_wait()
        .start()
        .await
        .expect("it starts");
    let url = format!("{}/readyz", operator.url());
    let said = wait::until("it has asked for the Lease", SOON, async || {
        let answer = reqwest::get(&url).await.ok()?;
        let status = answer.status().as_u16();
        let text = answer.text().await.ok()?;
        text.contains("leases").then_some((status, text))
    })
    .await;
    assert_eq!(said.0, 503, "{said:?}");
    assert!(said.1.starts_with("cannot take the Lease: "), "{said:?}");
    // It asks again and again, and gets it as soon as it may.
    write(role["rules"].clone()).await;
    operator.ready().await.expect("it becomes ready");
    let log = operator.log();
    assert_eq!(log.matches("cannot take the lease").count(), 1, "{log}");
    assert!(log.contains("holding the lease"), "{log}");
}
