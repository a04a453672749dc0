//! How long it takes until all is as it should be again.

use std::time::{Duration, Instant};

use alertwright_testbed::proxy::{Call, Calls};
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::{
    figure::{Figure, time},
    fleet::Fleet,
    floor::Floor,
    table::{Row, Table},
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
    let tracker = world.tracker().await;
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
    let writes = world.proxy.requests().filter(|call| call.rules_written() > 0);
    let bare = floor.all(&writes).await;
    let row = Row::time(
        format!(
            "Grafana back after {} → all in sync, {CHANGED} changes among it",
            time(down)
        ),
        in_sync - back,
    );
    let row = row.floor(bare).within(Duration::from_secs(5));
    table.push(row.peer("130 s after 3 min"));
    table.push(Row::new("calls while Grafana was down", Figure::count(attempts)));
    let calls = Figure::methods(&world.proxy.requests());
    table.push(Row::new("calls until all was in sync again", calls));
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
    let writes = world.proxy.requests().filter(|call| call.rules_written() > 0);
    let bare = floor.all(&writes).await;
    let row = Row::time(
        format!(
            "{CHANGED} rules changed in Grafana → all corrected, a resync every {}",
            time(resync)
        ),
        took,
    );
    // The interval has a tenth of jitter.
    let row = row.floor(bare).within(resync.mul_f64(1.1));
    table.push(row.peer("up to 10 min"));
}
