//! What became of notifications, in `kubectl get contactpoints`.

use alertwright::api::{ContactPoint, NotificationPolicy};
use alertwright_testbed::{apply, every_release, wait};
use serde_json::json;

use crate::alarm::{everything_to, fire, resyncs, secret, world};
use crate::world::{SOON, World};

/// Waits until the status says this of deliveries, and gives all of the contact point.
async fn delivers(w: &World, is: impl Fn(&str) -> bool) -> ContactPoint {
    wait::until("what became of notifications", SOON, async || {
        let found = w.synced::<ContactPoint>("team").await;
        let word = found
            .status
            .as_ref()
            .and_then(|status| status.delivery.as_deref());
        if word.is_some_and(&is) {
            wait::Seen::Yes(found)
        } else {
            wait::not_yet(word)
        }
    })
    .await
}

#[apply(every_release)]
async fn a_contact_point_that_cannot_deliver_says_why_and_is_written_when_that_changes_alone() {
    let (w, sinks) = world().await;
    sinks.http.refuse("/hook");
    let url = format!("{}/hook/s3cret-token", sinks.http.url());
    secret(&w, "hook", json!({"url": url})).await;
    let webhook = json!({"url": {"secretKeyRef": {"name": "hook", "key": "url"}}});
    w.put(
        "ContactPoint",
        "team",
        json!({"integrations": [{"webhook": webhook}]}),
    )
    .await;
    let made = w.synced::<ContactPoint>("team").await;
    let status = made.status.unwrap_or_default();
    assert_eq!(
        (status.delivery, status.last_sent),
        (None, None),
        "nothing was sent"
    );
    w.put("NotificationPolicy", "tree", everything_to("team")).await;
    w.synced::<NotificationPolicy>("tree").await;
    fire(&w, "boom", json!({"severity": "high"}), json!({})).await;

    let failing = delivers(&w, |word| word.starts_with("webhook: ")).await;
    let status = failing.status.unwrap_or_default();
    let word = status.delivery.unwrap_or_default();
    assert!(word.contains("403") && !word.contains("s3cret"), "{word}");
    assert!(status.last_sent.is_some(), "{word}");
    let event = w
        .plane
        .kubectl([
            "get",
            "events.events.k8s.io",
            "-n",
            &w.ns,
            "--field-selector",
            "reason=DeliveryFailed",
            "-o",
            "jsonpath={.items[*].note}",
        ])
        .await
        .ok();
    assert_eq!(event, word);

    sinks.http.refuse_nothing();
    let delivering = delivers(&w, |word| word == "OK").await;
    let row = w
        .plane
        .kubectl(["get", "contactpoints", "team", "-n", &w.ns, "-o", "wide"])
        .await
        .ok();
    assert!(
        row.contains("LAST SENT") && row.contains("DELIVERY") && row.contains("   OK "),
        "{row}"
    );

    let sent = sinks.http.received("/hook").len();
    fire(&w, "again", json!({"severity": "high"}), json!({})).await;
    wait::until("another notification", SOON, async || {
        sinks.http.received("/hook").len() > sent
    })
    .await;
    resyncs(&w, 2).await;
    let after = w.synced::<ContactPoint>("team").await;
    assert_eq!(
        after.metadata.resource_version, delivering.metadata.resource_version,
        "it goes on delivering: {:?}",
        after.status
    );
}
