//! Whose an object in Grafana is when the operator's owner id, or its cluster, is another one.

use alertwright::api::{AlertRule, ContactPoint, GrafanaInstance, Silence};
use alertwright_testbed::{any_release, apply, every_release, wait};
use kube::Api;
use serde_json::{Value, json};

use crate::rules::{in_grafana, merge, quiet, resyncs, uid};
use crate::world::{self, Reported, SOON, World};

/// Waits until the GrafanaInstance has this reason, and gives its message.
async fn instance_is(w: &World, reason: &str) -> String {
    let api: Api<GrafanaInstance> = Api::namespaced(w.client().await, &w.home);
    wait::until(&format!("the instance is {reason}"), SOON, async || {
        let instance = api.get("default").await.ok()?;
        let ready = instance.conditions().into_iter().find(|c| c.type_ == "Ready")?;
        (ready.reason == reason && ready.observed_generation == instance.metadata.generation)
            .then_some(ready.message)
    })
    .await
}

/// Declares the instance anew with these fields.
async fn declare(w: &World, more: Value) {
    world::connect(w.plane, &w.home, &w.proxy.url(), &w.grafana.token().await, more).await;
}

/// Runs the operator on under another owner id.
async fn run_as(w: &mut World, owner: &str) {
    w.operator.terminate().await;
    w.operator = world::operator_as(owner, &w.home, &w.ns, &w.kubeconfig)
        .start()
        .await
        .expect("the operator starts");
}

#[apply(every_release)]
async fn another_owner_id_doubles_nothing_and_takes_over_once_the_former_one_is_named() {
    let mut w = world::start().await;
    w.put("AlertRule", "r", quiet()).await;
    w.put("AlertRule", "goes", quiet()).await;
    w.put(
        "Silence",
        "s",
        json!({"duration": "1h", "alertRules": {"names": ["r"]}}),
    )
    .await;
    let hook = json!({"integrations": [{"webhook": {"url": {"value": "http://127.0.0.1:9/hook"}}}]});
    w.put("ContactPoint", "team", hook).await;
    let before = uid(&w, "r").await;
    uid(&w, "goes").await;
    w.synced::<Silence>("s").await;
    w.synced::<ContactPoint>("team").await;
    let rules = w.grafana.rules().await;

    let other = format!("{}-b", w.home);
    run_as(&mut w, &other).await;
    let message = instance_is(&w, "NotOwned").await;
    assert!(
        message.contains(&format!("put {} into spec.previousOwnerIDs", w.home)),
        "{message}"
    );
    assert_eq!(w.grafana.rules().await, rules);
    // What was said of the others stands; the instance alone says what is wrong with it.
    w.put("AlertRule", "new", quiet()).await;
    w.reason::<AlertRule>("new", "NotOwned").await;

    declare(&w, json!({"previousOwnerIDs": [w.home]})).await;
    instance_is(&w, "Synced").await;
    let mark = |name: &str| format!("{other}/{}/{name}", w.ns);
    wait::until("the rules carry the new mark", SOON, async || {
        let rules = w.grafana.rules().await;
        let marks: Vec<_> = rules
            .iter()
            .filter_map(|rule| rule["labels"]["__alertwright__"].as_str())
            .collect();
        if marks.len() == 3
            && ["r", "goes", "new"]
                .iter()
                .all(|name| marks.contains(&mark(name).as_str()))
        {
            wait::Seen::Yes(())
        } else {
            wait::not_yet(&rules)
        }
    })
    .await;
    assert_eq!(in_grafana(&w, "r").await["uid"], json!(before), "where it was");
    w.synced::<ContactPoint>("team").await;
    assert_eq!(w.grafana.contact_point("team").await.len(), 1);
    wait::until("one silence with the new mark is active", SOON, async || {
        let silences = w.grafana.active_silences().await;
        let authors: Vec<_> = silences.iter().map(|s| s["createdBy"].clone()).collect();
        if authors == [json!(format!("alertwright {}", mark("s")))] {
            wait::Seen::Yes(())
        } else {
            wait::not_yet(&silences)
        }
    })
    .await;
    // It is deleted as any other.
    w.delete::<AlertRule>("goes").await;
    w.delete::<AlertRule>("new").await;
    w.delete::<AlertRule>("r").await;
    assert!(w.grafana.rules().await.is_empty());
}

#[apply(any_release)]
async fn a_rule_whose_finalizer_was_taken_off_is_told_and_removed_only_where_the_instance_says_so() {
    let mut w = world::start().await;
    w.put("AlertRule", "lost", quiet()).await;
    w.put("AlertRule", "stays", quiet()).await;
    let mut left = quiet();
    left["deletionPolicy"] = json!("Orphan");
    w.put("AlertRule", "left", left).await;
    for name in ["lost", "stays", "left"] {
        uid(&w, name).await;
    }
    w.delete::<AlertRule>("left").await;
    w.operator.terminate().await;
    let patch = json!({"metadata": {"finalizers": null}});
    merge(&w, "lost", patch).await;
    w.delete::<AlertRule>("lost").await;
    w.operator.restart().await.expect("it starts again");

    let api: Api<GrafanaInstance> = Api::namespaced(w.client().await, &w.home);
    let named = async || {
        let status = api.get("default").await.ok().and_then(|instance| instance.status);
        status.map(|status| (status.orphans.unwrap_or_default(), status.orphan_names))
    };
    wait::until("the status names it", SOON, async || match named().await {
        Some((1, names)) if names[0].contains(&format!("AlertRule {}/lost", w.ns)) => wait::Seen::Yes(()),
        other => wait::not_yet(other),
    })
    .await;
    resyncs(&w, 2).await;
    assert_eq!(w.grafana.rules().await.len(), 3, "it is only told");
    let series = "alertwright_orphans{instance=\"default\",kind=\"AlertRule\"}";
    assert_eq!(w.operator.metric(series).await, Some(1.0));

    declare(&w, json!({"orphans": "Delete"})).await;
    // After ten resyncs.
    wait::until("it is removed", 3 * SOON, async || {
        w.grafana.rules().await.len() == 2
    })
    .await;
    resyncs(&w, 3).await;
    let rules = w.grafana.rules().await;
    assert_eq!(rules.len(), 2, "what was left on purpose stays: {rules:#?}");
}
