//! Secrets that aren't in Grafana any more as they were sent, which nobody can see: sent again on demand, and after a backup.

use alertwright::api::{AlertRule, ContactPoint, GrafanaInstance, NotificationPolicy};
use alertwright_testbed::sink::Received;
use alertwright_testbed::{any_release, apply, below_12, since_13, wait};
use kube::Api;
use serde_json::json;

use crate::alarm::{Sinks, assert_rests, everything_to, fire, integration, secret, world};
use crate::world::{SOON, World};

const POINTS: &str = "/api/v1/provisioning/contact-points";

/// A contact point `hook` that all alerts go to, with credentials from the Secret `keys`.
async fn hook(w: &World, sinks: &Sinks) {
    secret(w, "keys", json!({"token": "right"})).await;
    let credentials = json!({"secretKeyRef": {"name": "keys", "key": "token"}});
    let url = format!("{}/hook", sinks.http.url());
    let webhook = json!({"url": {"value": url}, "authorizationCredentials": credentials});
    w.put(
        "ContactPoint",
        "hook",
        json!({"integrations": [{"webhook": webhook}]}),
    )
    .await;
    w.synced::<ContactPoint>("hook").await;
    w.put("NotificationPolicy", "tree", everything_to("hook")).await;
    w.synced::<NotificationPolicy>("tree").await;
}

/// Waits for a notification of a new alert with these credentials.
async fn is_notified(w: &World, sinks: &Sinks, alert: &str, credentials: &str) {
    fire(w, alert, json!({}), json!({})).await;
    let bearer = format!("Bearer {credentials}");
    let with = |received: &Received| {
        received.headers["authorization"] == bearer && received.body.to_string().contains(alert)
    };
    sinks.http.wait_for("/hook", SOON, with).await;
}

/// Waits until the operator has written so many contact points since the proxy's last reset, and has written nothing else of them.
async fn is_sent_once(w: &World) {
    wait::until("it was sent again", SOON, async || {
        !w.proxy.requests().of("PUT", w.points_at()).is_empty()
    })
    .await;
    w.synced::<ContactPoint>("hook").await;
    let calls = w.proxy.reset();
    assert_eq!(calls.of("PUT", w.points_at()).len(), 1, "{calls}");
    assert_rests(w).await;
}

/// Changes the credentials of the contact point in Grafana by hand.
async fn change(w: &World, credentials: &str) {
    let mut changed = integration(w, "hook", "webhook").await;
    changed["settings"]["authorization_credentials"] = json!(credentials);
    let path = format!("{POINTS}/{}", changed["uid"].as_str().unwrap_or_default());
    w.grafana.put(&path, changed).await.ok();
}

#[apply(since_13)]
async fn a_secret_that_is_changed_in_grafana_is_found_where_its_newer_api_is_used_and_put_right_by_one_write()
{
    let (mut w, sinks) = world().await;
    hook(&w, &sinks).await;
    assert_rests(&w).await;
    w.proxy.reset();
    change(&w, "wrong").await;
    if !w.notifications_by_apis() {
        // Nothing tells of it.
        assert_rests(&w).await;
        return;
    }
    is_sent_once(&w).await;
    // Somebody insists: the next change comes before anything is read again.
    change(&w, "wrong").await;
    wait::until("it was sent again", SOON, async || {
        !w.proxy.requests().of("PUT", w.points_at()).is_empty()
    })
    .await;
    change(&w, "again").await;
    wait::until("it was sent once more", SOON, async || {
        w.proxy.requests().of("PUT", w.points_at()).len() == 2
    })
    .await;
    w.synced::<ContactPoint>("hook").await;
    assert_rests(&w).await;
    is_notified(&w, &sinks, "alert-one", "right").await;
    w.operator.restart().await.expect("it starts again");
    assert_rests(&w).await;
}

// A newer one tells of it, as above.
#[apply(below_12)]
async fn a_secret_that_was_changed_in_grafana_is_put_right_once_by_the_annotation_of_the_instance() {
    let (mut w, sinks) = world().await;
    hook(&w, &sinks).await;
    change(&w, "wrong").await;
    is_notified(&w, &sinks, "alert-one", "wrong").await;
    assert_rests(&w).await;

    let instances: Api<GrafanaInstance> = Api::namespaced(w.client().await, &w.home);
    for value in ["1", "2"] {
        w.proxy.reset();
        let annotation = format!("alerting.letsrevel.io/resend={value}");
        let annotate = ["annotate", "--overwrite", "-n", &w.home, "ginst", "default"];
        let args: Vec<&str> = annotate.into_iter().chain([annotation.as_str()]).collect();
        w.plane.kubectl(args).await.ok();
        is_sent_once(&w).await;
        let status = instances.get("default").await.expect("it is there").status;
        assert_eq!(status.and_then(|status| status.resent).as_deref(), Some(value));
    }
    w.operator.restart().await.expect("it starts again");
    assert_rests(&w).await;
    is_notified(&w, &sinks, "alert-two", "right").await;
}

#[apply(any_release)]
async fn a_grafana_that_is_put_back_to_a_backup_from_before_a_secret_was_changed_gets_it_again_once() {
    let (w, sinks) = world().await;
    hook(&w, &sinks).await;
    let rule =
        |minutes: usize| json!({"query": "sum(rate({a=\"b\"}[5m])) > 1", "for": format!("{minutes}m")});
    w.put("AlertRule", "rule", rule(1)).await;
    let uid = w
        .synced::<AlertRule>("rule")
        .await
        .status
        .and_then(|status| status.uid);
    let uid = uid.expect("it is in Grafana");
    let updated = async || {
        let rules = w.grafana.rules().await;
        let alerts = rules.iter().map(|rule| &rule["grafana_alert"]);
        alerts
            .filter(|alert| alert["uid"] == uid)
            .map(|alert| alert["updated"].clone())
            .next()
    };
    let then = updated().await;
    w.grafana.snapshot("monday").await;

    secret(&w, "keys", json!({"token": "rotated"})).await;
    // Grafana's times are in seconds, and a change within one isn't seen to be later.
    let mut minutes = 1;
    while updated().await == then {
        minutes += 1;
        w.put("AlertRule", "rule", rule(minutes)).await;
        w.synced::<AlertRule>("rule").await;
    }
    is_notified(&w, &sinks, "alert-one", "rotated").await;
    assert_rests(&w).await;

    w.proxy.reset();
    w.grafana.restore("monday", &[]).await;
    is_sent_once(&w).await;
    let events = [
        "get",
        "events.events.k8s.io",
        "-n",
        &w.home,
        "-o",
        "jsonpath={.items[*].reason}",
    ];
    let events = w.plane.kubectl(events).await.ok();
    assert!(events.split(' ').any(|reason| reason == "Restored"), "{events}");
    is_notified(&w, &sinks, "alert-two", "rotated").await;
}
