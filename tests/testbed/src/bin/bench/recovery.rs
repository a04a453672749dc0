//! How long it takes until all is as it should be again.

use std::time::{Duration, Instant};

use alertwright_testbed::proxy::{Call, Calls};
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::{
    fleet::Fleet,
    floor::Floor,
    samples::time,
    table::{Row, Table},
    tracker::Tracker,
    world::World,
};

/// How many rules are changed while Grafana is down, and behind the operator's back.
const CHANGED: usize = 20;

/// Stops Grafana for a time, and changes rules meanwhile.
pub(crate) async fn outage(
    world: &mut World,
    fleet: &Fleet,
    floor: &Floor,
    down: Duration,
    table: &mut Table,
) {
    let tracker = Tracker::start(&world.client, &world.namespace).await;
    world.grafana.stop().await;
    world.proxy.reset();
    let begun = Instant::now();
    for i in 0..CHANGED {
        world.apply(&fleet.rule(i, 1_000_000)).await;
    }
    sleep(down.saturating_sub(begun.elapsed())).await;
    let attempts = world.proxy.reset().len();
    world.grafana.start_again().await.expect("Grafana starts again");
    let back = Instant::now();
    let in_sync = tracker
        .until_in_sync(fleet.resources(), Duration::from_secs(300))
        .await;
    let bare = floor.all(&world.proxy.requests().writes()).await;
    let row = Row::new(
        format!(
            "Grafana back after {} → all in sync, {CHANGED} changes among it",
            time(down)
        ),
        time(in_sync - back),
    );
    table.push(row.floor(time(bare)).goal("≤ 15 s").peer("130 s after 3 min"));
    table.push(Row::new("calls while Grafana was down", attempts.to_string()));
}

/// Changes rules in Grafana as another user.
pub(crate) async fn correction(world: &mut World, floor: &Floor, resync: Duration, table: &mut Table) {
    let rules = world.grafana.get("/api/v1/provisioning/alert-rules").await.ok();
    let rules = rules.as_array().cloned().unwrap_or_default();
    world.proxy.reset();
    let begun = Instant::now();
    for rule in rules.iter().take(CHANGED) {
        let mut rule = rule.clone();
        let uid = rule
            .get("uid")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned();
        if let Some(rule) = rule.as_object_mut() {
            rule.insert("for".to_owned(), json!("17m"));
        }
        world
            .grafana
            .put(&format!("/api/v1/provisioning/alert-rules/{uid}"), rule)
            .await
            .ok();
    }
    let corrected = |calls: &Calls| {
        let written = calls.writes().0.iter().map(Call::rules_written).sum::<usize>();
        written >= CHANGED.min(rules.len())
    };
    alertwright_testbed::wait::until("the rules are corrected", resync * 3, async || {
        corrected(&world.proxy.requests())
    })
    .await;
    let took = begun.elapsed();
    let bare = floor.all(&world.proxy.requests().writes()).await;
    let row = Row::new(
        format!(
            "{CHANGED} rules changed in Grafana → all corrected, a resync every {}",
            time(resync)
        ),
        time(took),
    );
    table.push(row.floor(time(bare)).goal("≤ one resync").peer("up to 10 min"));
}
