//! Grafana away, slow or wrong; the operator killed; answers lost.

use std::collections::BTreeSet;
use std::time::Duration;

use alertwright::api::AlertRule;
use alertwright_testbed::proxy::Fault;
use alertwright_testbed::{any_release, apply, every_release, wait};
use serde_json::{Value, json};

use crate::rules::{QUIET, begin_delete, gone, in_grafana, quiet, resyncs, uid};
use crate::world::{self, SOON, World};

/// The titles of all rules in Grafana, one entry for each rule.
async fn titles(w: &World) -> Vec<String> {
    let title = |rule: &Value| {
        rule["grafana_alert"]["title"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    };
    let mut titles: Vec<_> = w.grafana.rules().await.iter().map(title).collect();
    titles.sort();
    titles
}

#[apply(every_release)]
async fn what_changes_while_grafana_is_down_is_in_sync_afterwards() {
    let mut w = world::start().await;
    for name in ["changed", "same", "leaving"] {
        w.put("AlertRule", name, quiet()).await;
    }
    for name in ["changed", "same", "leaving"] {
        uid(&w, name).await;
    }
    w.grafana.stop().await;
    w.put("AlertRule", "changed", json!({"query": QUIET, "for": "2m"}))
        .await;
    w.put("AlertRule", "new", quiet()).await;
    begin_delete(&w, "leaving").await;
    w.reason::<AlertRule>("changed", "Unavailable").await;
    w.reason::<AlertRule>("new", "Unavailable").await;
    w.reason::<AlertRule>("same", "Synced").await;
    w.grafana.start_again().await.expect("grafana starts again");
    assert_eq!(in_grafana(&w, "changed").await["for"], "2m");
    uid(&w, "new").await;
    uid(&w, "same").await;
    gone(&w, "leaving").await;
    assert_eq!(titles(&w).await, ["changed", "new", "same"]);
    assert_eq!(w.grafana.folders().await.len(), 1);
}

#[apply(any_release)]
async fn an_operator_killed_between_two_writes_goes_on_without_duplicates() {
    const COUNT: usize = 60;
    let mut w = world::start().await;
    w.proxy
        .fault(Fault::delay(Duration::from_millis(300)).on("POST", w.rules_at()));
    // Those that come while others of their group are written are written together.
    w.proxy
        .fault(Fault::delay(Duration::from_secs(3)).on("PUT", "/rule-groups/"));
    let documents: Vec<_> = (0..COUNT)
        .map(|i| {
            json!({
                "apiVersion": "alerting.letsrevel.io/v1alpha1", "kind": "AlertRule", "metadata": {"name": format!("r{i}")},
                "spec": {"query": QUIET, "group": format!("g{}", i % 6), "interval": "30s"},
            })
            .to_string()
        })
        .collect();
    w.apply(&documents.join("\n---\n")).await;
    wait::until("some have been written", SOON, async || {
        w.grafana.rules().await.len() >= 3
    })
    .await;
    w.operator.kill();
    let before = titles(&w).await.len();
    assert!(before < COUNT, "it was killed too late to show anything");
    w.proxy.clear_faults();
    w.operator.restart().await.expect("it starts again");
    for i in 0..COUNT {
        uid(&w, &format!("r{i}")).await;
    }
    let titles = titles(&w).await;
    let distinct: BTreeSet<_> = titles.iter().collect();
    assert_eq!((titles.len(), distinct.len()), (COUNT, COUNT));
    let rules = w.grafana.rules().await;
    assert!(rules.iter().all(|rule| rule["interval"] == "30s"));
    w.proxy.reset();
    resyncs(&w, 2).await;
    let writes = w.proxy.requests().writes();
    assert!(writes.is_empty(), "{writes}");
}

#[apply(any_release)]
async fn a_write_whose_answer_is_lost_is_not_repeated() {
    let w = world::start().await;
    for fault in [Fault::drop_after(), Fault::garbage()] {
        w.proxy.fault(fault.on("POST", w.rules_at()).times(1));
    }
    w.proxy
        .fault(Fault::drop_after().on("POST", "/api/folders").times(1));
    for name in ["a", "b", "c"] {
        w.put("AlertRule", name, quiet()).await;
    }
    for name in ["a", "b", "c"] {
        uid(&w, name).await;
    }
    assert_eq!(titles(&w).await, ["a", "b", "c"]);
    assert_eq!(w.grafana.folders().await.len(), 1);
    let calls = w.proxy.requests();
    assert_eq!(calls.of("POST", w.rules_at()).len(), 3, "{}", calls.writes());

    // The same for a change and for a deletion.
    w.proxy
        .fault(Fault::drop_after().on("PUT", w.rules_at()).times(1));
    w.put("AlertRule", "a", json!({"query": QUIET, "for": "2m"}))
        .await;
    assert_eq!(in_grafana(&w, "a").await["for"], "2m");
    w.proxy
        .fault(Fault::drop_after().on("DELETE", w.rules_at()).times(1));
    w.delete::<AlertRule>("b").await;
    assert_eq!(titles(&w).await, ["a", "c"]);
}

#[apply(any_release)]
async fn each_fault_of_grafana_has_its_reason_and_passes_by_itself() {
    let w = world::start().await;
    w.put("AlertRule", "bystander", quiet()).await;
    uid(&w, "bystander").await;
    let faults = [
        (
            "busy",
            Fault::status(429).retry_after(Duration::from_secs(2)),
            "Throttled",
        ),
        ("internal", Fault::status(500), "Unavailable"),
        ("gateway", Fault::status(502).body("<html>"), "Unavailable"),
        ("dropped", Fault::drop_before(), "Unavailable"),
    ];
    for (name, fault, reason) in faults {
        w.proxy.fault(fault.on("POST", w.rules_at()));
        w.put("AlertRule", name, quiet()).await;
        w.reason::<AlertRule>(name, reason).await;
        w.put(
            "AlertRule",
            "bystander",
            json!({"query": QUIET, "title": name.to_uppercase()}),
        )
        .await;
        uid(&w, "bystander").await;
        w.proxy.clear_faults();
        uid(&w, name).await;
    }
    // A slow Grafana is no reason to say anything.
    w.proxy.fault(
        Fault::delay(Duration::from_secs(2))
            .on("POST", w.rules_at())
            .times(1),
    );
    w.put("AlertRule", "slow", quiet()).await;
    uid(&w, "slow").await;

    // Reading fails: garbage, then refused credentials.
    for (name, fault, reason) in [
        (
            "garbage",
            Fault::garbage().on_path(w.rule_list_at()),
            "Unavailable",
        ),
        (
            "internal-read",
            Fault::status(500).on_path(w.rule_list_at()),
            "Unavailable",
        ),
        ("refused", Fault::status(401), "Unauthorized"),
    ] {
        w.proxy.fault(fault);
        let instance = async |expected: &str| {
            let api: kube::Api<alertwright::api::GrafanaInstance> =
                kube::Api::namespaced(w.client().await, &w.home);
            wait::until(&format!("the instance is {expected}"), 2 * SOON, async || {
                let status = api.get("default").await.ok()?.status?;
                let ready = status.conditions.into_iter().find(|c| c.type_ == "Ready")?;
                (ready.reason == expected).then_some(())
            })
            .await;
        };
        instance(reason).await;
        w.put("AlertRule", name, quiet()).await;
        w.reason::<AlertRule>(name, reason).await;
        w.reason::<AlertRule>("bystander", "Synced").await;
        w.proxy.clear_faults();
        instance("Synced").await;
        uid(&w, name).await;
    }
    let titles = titles(&w).await;
    let distinct: BTreeSet<_> = titles.iter().collect();
    assert_eq!(titles.len(), distinct.len(), "{titles:?}");
    assert_eq!(titles.len(), 9, "{titles:?}");
}

#[apply(any_release)]
async fn a_right_that_is_missing_for_writes_is_named_and_a_new_token_helps_at_once() {
    let w = world::start().await;
    let viewer = w.grafana.token_with_role("Viewer").await;
    world::connect(w.plane, &w.home, &w.proxy.url(), &viewer, json!({})).await;
    w.put("AlertRule", "r", quiet()).await;
    w.reason::<AlertRule>("r", "Unauthorized").await;
    let message = w.message::<AlertRule>("r").await;
    println!("{message}");
    assert!(!message.contains(&viewer), "{message}");
    let admin = w.grafana.token().await;
    world::connect(w.plane, &w.home, &w.proxy.url(), &admin, json!({})).await;
    uid(&w, "r").await;
    let log = w.operator.log();
    assert!(
        !log.contains(&viewer) && !log.contains(&admin),
        "a token is in the log"
    );
}
