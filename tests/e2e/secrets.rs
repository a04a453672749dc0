//! Secrets: taken up at once when they change, and seen by nobody.

use alertwright::api::{ContactPoint, GrafanaInstance, NotificationPolicy};
use alertwright_testbed::control_plane::Watch;
use alertwright_testbed::{any_release, apply, wait};
use data_encoding::BASE64;
use k8s_openapi::api::core::v1::Secret;
use kube::Api;
use kube::api::ListParams;
use serde_json::{Value, json};

use crate::alarm::{annotate, assert_rests, everything_to, fire, secret, world};
use crate::world::{self, SOON, World};

fn hook(url: &str) -> Value {
    let credentials = json!({"secretKeyRef": {"name": "keys", "key": "token"}});
    json!({"integrations": [{"webhook": {"url": {"value": url}, "authorizationCredentials": credentials}}]})
}

/// What a resource of one Secret's name and key says while they are missing.
async fn says_what_is_missing(w: &World, name: &str, parts: [&str; 2]) {
    wait::until(&format!("{name} names {parts:?}"), SOON, async || {
        let message = w.message::<ContactPoint>(name).await;
        if parts.iter().all(|part| message.contains(part)) {
            wait::Seen::Yes(())
        } else {
            wait::not_yet(message)
        }
    })
    .await;
}

#[apply(any_release)]
async fn a_changed_secret_is_in_the_next_notification_after_one_write() {
    let (mut w, sinks) = world().await;
    secret(&w, "keys", json!({"token": "first-credentials\n"})).await;
    w.put(
        "ContactPoint",
        "hook",
        hook(&format!("{}/hook", sinks.http.url())),
    )
    .await;
    w.synced::<ContactPoint>("hook").await;
    w.put("NotificationPolicy", "tree", everything_to("hook")).await;
    w.synced::<NotificationPolicy>("tree").await;
    fire(&w, "one", json!({}), json!({})).await;
    let received = sinks.http.wait_for("/hook", SOON, |_| true).await;
    assert_eq!(received.headers["authorization"], "Bearer first-credentials");

    // Grafana masks it, so that nothing can be compared; still nothing is sent again.
    assert_rests(&w).await;
    w.operator.restart().await.expect("it starts again");
    assert_rests(&w).await;

    w.proxy.reset();
    secret(&w, "keys", json!({"token": "second-credentials"})).await;
    wait::until("one write", SOON, async || w.proxy.requests().writes().len() == 1).await;
    assert_rests(&w).await;
    fire(&w, "two", json!({}), json!({})).await;
    let second = |received: &alertwright_testbed::sink::Received| {
        received.headers["authorization"] == "Bearer second-credentials"
    };
    sinks.http.wait_for("/hook", SOON, second).await;

    // A Secret that is written without being changed is no reason to write.
    w.plane
        .kubectl(["label", "secret", "keys", "-n", &w.ns, "a=b"])
        .await
        .ok();
    assert_rests(&w).await;
}

/// A world whose operator may not watch Secrets.
async fn without_watch() -> World {
    let mut w = world::start().await;
    w.operator.terminate().await;
    w.kubeconfig = w
        .plane
        .operator_account_with(&w.home, Watch::Namespaces(&[&w.ns]), &["watchSecrets=false"])
        .await;
    for namespace in [&w.home, &w.ns] {
        let secrets: Api<Secret> = Api::namespaced(w.plane.client(&w.kubeconfig).await, namespace);
        wait::until("secrets can't be listed", SOON, async || {
            secrets.list(&ListParams::default()).await.is_err()
        })
        .await;
    }
    w.operator = world::operator(&w.home, &w.ns, &w.kubeconfig)
        .args(["--watch-secrets=false"])
        .start()
        .await
        .expect("the operator starts");
    w
}

#[apply(any_release)]
async fn an_operator_that_may_not_watch_secrets_takes_up_a_changed_one_at_the_resync() {
    let w = without_watch().await;
    secret(&w, "keys", json!({"token": "first-credentials"})).await;
    w.put("ContactPoint", "hook", hook("http://127.0.0.1:9/hook"))
        .await;
    w.synced::<ContactPoint>("hook").await;
    assert_rests(&w).await;
    w.proxy.reset();
    secret(&w, "keys", json!({"token": "second-credentials"})).await;
    wait::until("one write", SOON, async || w.proxy.requests().writes().len() == 1).await;
    assert_rests(&w).await;
}

#[apply(any_release)]
async fn a_token_that_was_revoked_first_and_renewed_later_is_taken_up_by_an_operator_that_may_not_watch_secrets()
 {
    let w = without_watch().await;
    w.put(
        "ContactPoint",
        "hook",
        json!({"integrations": [{"email": {"addresses": ["a@example.com"]}}]}),
    )
    .await;
    w.synced::<ContactPoint>("hook").await;
    let accounts = w.grafana.get("/api/serviceaccounts/search").await.ok();
    for account in accounts["serviceAccounts"].as_array().into_iter().flatten() {
        let revoked = format!("/api/serviceaccounts/{}", account["id"]);
        w.grafana.delete(&revoked).await.ok();
    }
    let instances: Api<GrafanaInstance> = Api::namespaced(w.client().await, &w.home);
    let is_now = async |reason: &str| {
        wait::until(&format!("the instance is {reason}"), SOON * 3, async || {
            let status = instances.get("default").await.ok()?.status?;
            let ready = status.conditions.into_iter().find(|c| c.type_ == "Ready")?;
            (ready.reason == reason).then_some(())
        })
        .await;
    };
    is_now("Unauthorized").await;
    // The pass that was asked for by the news is over when another one has read the same Secret.
    w.proxy.reset();
    wait::until("the old token is refused again", SOON * 3, async || {
        (!w.proxy.requests().0.is_empty()).then_some(())
    })
    .await;
    let token = json!({"token": w.grafana.token().await});
    let renewed =
        json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "grafana"}, "stringData": token});
    w.plane.apply(&renewed.to_string(), &w.home).await;
    is_now("Synced").await;
}

#[apply(any_release)]
async fn the_resend_annotation_sends_once() {
    let w = world::start().await;
    secret(&w, "keys", json!({"token": "credentials"})).await;
    w.put("ContactPoint", "hook", hook("http://127.0.0.1:9/hook"))
        .await;
    w.synced::<ContactPoint>("hook").await;
    for value in ["1", "2"] {
        w.proxy.reset();
        annotate(
            &w,
            "contactpoint",
            "hook",
            &format!("alerting.letsrevel.io/resend={value}"),
        )
        .await;
        let api = w.api::<ContactPoint>().await;
        wait::until("it was sent again", SOON, async || {
            api.get("hook")
                .await
                .is_ok_and(|hook| hook.status.and_then(|status| status.resent).as_deref() == Some(value))
        })
        .await;
        let calls = w.proxy.reset();
        assert_eq!(
            (calls.of("PUT", w.points_at()).len(), calls.writes().len()),
            (1, 1),
            "{calls}"
        );
        assert_rests(&w).await;
    }
}

#[apply(any_release)]
async fn a_missing_secret_or_key_is_named_and_missed_no_longer_than_it_is_missing() {
    let w = world::start().await;
    w.put("ContactPoint", "hook", hook("http://127.0.0.1:9/hook"))
        .await;
    w.reason::<ContactPoint>("hook", "DependencyMissing").await;
    says_what_is_missing(&w, "hook", ["keys", "token"]).await;
    secret(&w, "keys", json!({"other": "x"})).await;
    says_what_is_missing(&w, "hook", ["keys", "no key token"]).await;
    assert!(w.grafana.contact_point("hook").await.is_empty());
    secret(&w, "keys", json!({"token": "credentials"})).await;
    w.synced::<ContactPoint>("hook").await;

    // What is in Grafana stays there when the Secret goes.
    w.proxy.reset();
    w.plane
        .kubectl(["delete", "secret", "keys", "-n", &w.ns])
        .await
        .ok();
    w.reason::<ContactPoint>("hook", "DependencyMissing").await;
    assert_rests(&w).await;
    assert_eq!(w.grafana.contact_point("hook").await.len(), 1);
    // And the resource can go without it.
    w.delete::<ContactPoint>("hook").await;
    assert!(w.grafana.contact_point("hook").await.is_empty());
}

#[apply(any_release)]
async fn nothing_secret_is_seen_anywhere() {
    let w = world::start().await;
    let secrets = json!({
        "token": "s3cr3t-token", "slack": "http://127.0.0.1:9/s3cr3t-slack", "pd": "s3cr3t-pagerduty", "bad": "://s3cr3t-bad-url",
        "password": "s3cr3t-password",
    });
    secret(&w, "keys", secrets).await;
    let from = |key: &str| json!({"secretKeyRef": {"name": "keys", "key": key}});
    let good = json!([
        {"slack": {"url": from("slack")}},
        {"pagerduty": {"integrationKey": from("pd")}},
        {"webhook": {"url": {"value": "http://127.0.0.1:9"}, "username": "u", "password": from("password")}},
        {"custom": {"type": "telegram", "settings": {"chatid": "1"}, "secureSettings": {"bottoken": from("token")}}},
    ]);
    w.put("ContactPoint", "good", json!({"integrations": good})).await;
    w.synced::<ContactPoint>("good").await;
    w.put(
        "ContactPoint",
        "bad",
        json!({"integrations": [{"slack": {"url": from("bad")}}]}),
    )
    .await;
    w.reason::<ContactPoint>("bad", "Invalid").await;
    // Grafana and what lies on the way to it fail in every way that quotes a request.
    let echo = json!({"message": "cannot take http://127.0.0.1:9/s3cr3t-slack nor s3cr3t-pagerduty s3cr3t-password s3cr3t-token"});
    for status in [400, 500] {
        let fault = alertwright_testbed::proxy::Fault::status(status).body(echo.to_string());
        w.proxy.fault(fault.on("PUT", w.points_at()).times(1));
        w.proxy.reset();
        annotate(
            &w,
            "contactpoint",
            "good",
            &format!("alerting.letsrevel.io/resend={status}"),
        )
        .await;
        wait::until("it fails", SOON, async || {
            w.proxy.requests().0.iter().any(|call| call.faulty)
        })
        .await;
    }
    w.proxy.clear_faults();
    annotate(&w, "contactpoint", "good", "alerting.letsrevel.io/resend=last").await;
    w.synced::<ContactPoint>("good").await;

    let kubectl = async |args: &[&str]| w.plane.kubectl(args).await.ok();
    let memory = kubectl(&[
        "get",
        "secret",
        &w.memories().await[0],
        "-n",
        &w.home,
        "-o",
        "jsonpath={.data.memory\\.json}",
    ])
    .await;
    let memory = String::from_utf8(BASE64.decode(memory.as_bytes()).expect("base64")).expect("text");
    let codes: Value = serde_json::from_str(&memory).expect("JSON");
    let codes: Vec<_> = codes["sent"]
        .as_object()
        .into_iter()
        .flatten()
        .filter_map(|(_, code)| code.as_str())
        .collect();
    assert!(
        codes.iter().filter(|code| code.len() == 64).count() >= 4,
        "one code for each integration: {codes:?}"
    );
    let seen = [
        ("log", w.operator.log()),
        ("metrics", w.operator.metrics().await),
        ("memory", memory),
        (
            "resources",
            kubectl(&["get", "alerting", "-n", &w.ns, "-o", "yaml"]).await,
        ),
        (
            "instance",
            kubectl(&["get", "alerting", "-n", &w.home, "-o", "yaml"]).await,
        ),
        (
            "events",
            kubectl(&["get", "events.events.k8s.io", "-n", &w.ns, "-o", "yaml"]).await,
        ),
        (
            "events at home",
            kubectl(&["get", "events.events.k8s.io", "-n", &w.home, "-o", "yaml"]).await,
        ),
    ];
    for (place, text) in seen {
        assert!(!text.is_empty(), "{place} is empty");
        let found: Vec<_> = text.lines().filter(|line| line.contains("s3cr3t")).collect();
        assert!(found.is_empty(), "in the {place}: {found:#?}");
    }
}

#[apply(any_release)]
async fn a_lost_or_edited_memory_is_made_anew() {
    let w = world::start().await;
    secret(&w, "keys", json!({"token": "credentials"})).await;
    w.put("ContactPoint", "hook", hook("http://127.0.0.1:9/hook"))
        .await;
    w.synced::<ContactPoint>("hook").await;
    w.plane
        .kubectl(["label", "secret", &w.memories().await[0], "-n", &w.home, "a=b"])
        .await
        .ok();
    secret(&w, "keys", json!({"token": "credentials-2"})).await;
    assert_settles_after_a_write(&w).await;
    w.forget().await;
    secret(&w, "keys", json!({"token": "credentials-3"})).await;
    assert_settles_after_a_write(&w).await;
    assert_eq!(w.memories().await.len(), 1);
}

async fn assert_settles_after_a_write(w: &World) {
    wait::until("the integration is written", SOON, async || {
        !w.proxy.requests().of("PUT", w.points_at()).is_empty()
    })
    .await;
    assert_rests(w).await;
    w.synced::<ContactPoint>("hook").await;
}
