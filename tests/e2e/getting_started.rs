//! The page that newcomers follow: what it has them apply does what it says.

use std::time::Duration;

use alertwright::api::{AlertRule, ContactPoint, NotificationPolicy, Silence};
use alertwright_testbed::{Prometheus, any_release, apply, wait};
use kube::api::ListParams;

use crate::world::{self, SOON};

/// "Within two minutes", as the page says.
const FIRES: Duration = Duration::from_secs(120);

/// What the page has people apply, in its order.
fn steps() -> Vec<String> {
    let page = std::fs::read_to_string(world::root().join("docs/getting-started.md")).expect("the page");
    let here = page.split("<<'END'\n").skip(1);
    here.filter_map(|rest| rest.split_once("\nEND\n"))
        .map(|(manifest, _)| manifest.to_owned())
        .collect()
}

#[apply(any_release)]
async fn whoever_follows_the_page_has_a_rule_that_fires_and_a_rollout_that_is_silent() {
    let w = world::start().await;
    let prometheus = Prometheus::shared().await;
    w.grafana
        .add_prometheus_datasource(prometheus, "metrics", "Metrics")
        .await;
    let mut seen = String::new();
    for step in steps() {
        assert!(step.contains("namespace: default"), "{step}");
        w.apply(&step.replace("namespace: default", &format!("namespace: {}", w.ns)))
            .await;
        if step.contains("kind: AlertRule") {
            w.synced::<AlertRule>("hello").await;
            let rules = w.api::<AlertRule>().await;
            wait::until("the rule fires", FIRES, async || {
                let status = rules.get("hello").await.ok()?.status?;
                (status.state.as_deref() == Some("Firing")).then_some(())
            })
            .await;
            seen.push_str("fires ");
        }
        if step.contains("kind: NotificationPolicy") {
            w.synced::<ContactPoint>("team").await;
            w.synced::<NotificationPolicy>("root").await;
            seen.push_str("routed ");
        }
        if step.contains("kind: Deployment") {
            let silences = w.api::<Silence>().await;
            wait::until("the rollout is silent", SOON, async || {
                let all = silences.list(&ListParams::default()).await.ok()?;
                let mut states = all.items.iter().filter_map(|silence| silence.status.as_ref());
                states
                    .any(|status| status.state.as_deref() == Some("Active"))
                    .then_some(())
            })
            .await;
            seen.push_str("silent");
        }
    }
    assert_eq!(seen, "fires routed silent");
}
