//! How long a change takes to reach Grafana, from the moment the API server has accepted it.

use std::time::{Duration, Instant};

use k8s_openapi::api::apps::v1::Deployment;
use kube::Api;
use tokio::time::sleep;

use crate::{
    fleet::{self, Fleet},
    floor::Floor,
    samples::Samples,
    table::{Row, Table},
    tracker::Tracker,
    world::World,
};

const PATIENCE: Duration = Duration::from_secs(60);

/// Changes rules one after the other.
pub(crate) async fn changes(
    world: &mut World,
    fleet: &Fleet,
    floor: &Floor,
    count: usize,
    table: &mut Table,
) {
    let tracker = Tracker::start(&world.client, &world.namespace).await;
    let (mut samples, mut bare) = (Samples::default(), Samples::default());
    for i in 0..count {
        let (number, round) = (i % fleet.rules, 1 + i / fleet.rules);
        world.proxy.reset();
        let generation = world.apply(&fleet.rule(number, round)).await;
        let accepted = Instant::now();
        let stored = world
            .call("PUT", "/api/v1/provisioning/alert-rules/", PATIENCE)
            .await;
        samples.push((stored.at + stored.took).saturating_duration_since(accepted));
        bare.push(floor.send(&stored).await);
        // Its status is written too before the next one comes.
        tracker.until_rule(&fleet::rule_name(number), generation).await;
    }
    let row = Row::new(
        format!("one change applied → in Grafana, {} times", samples.len()),
        samples.to_string(),
    );
    let row = row.floor(bare.to_string());
    table.push(row.goal("p50 ≤ 30 ms, p99 ≤ 100 ms").peer("25–76 ms, idle"));
}

/// Changes the password of one contact point after the other.
pub(crate) async fn secrets(world: &mut World, floor: &Floor, count: usize, table: &mut Table) {
    let (mut samples, mut bare) = (Samples::default(), Samples::default());
    for i in 0..count {
        world.proxy.reset();
        world.apply(&fleet::secret(i, 1 + i)).await;
        let accepted = Instant::now();
        let sent = world
            .call("PUT", "/api/v1/provisioning/contact-points/", PATIENCE)
            .await;
        samples.push((sent.at + sent.took).saturating_duration_since(accepted));
        bare.push(floor.send(&sent).await);
        sleep(Duration::from_millis(100)).await;
    }
    let row = Row::new(
        format!("a Secret changed → sent, {} times", samples.len()),
        samples.to_string(),
    );
    let row = row.floor(bare.to_string());
    table.push(row.goal("≤ 250 ms").peer("not within 60 s"));
}

/// Rolls out one Deployment after the other.
pub(crate) async fn rollouts(world: &mut World, floor: &Floor, count: usize, table: &mut Table) {
    world
        .apply_all((0..count).map(|i| fleet::deployment(i, 0)).collect())
        .await;
    let api: Api<Deployment> = Api::namespaced(world.client.clone(), &world.namespace);
    alertwright_testbed::wait::until("every Deployment is complete", PATIENCE * 2, async || {
        let all = api.list(&kube::api::ListParams::default()).await?;
        let complete = |d: &Deployment| d.status.as_ref().is_some_and(|s| s.available_replicas == Some(1));
        Ok::<_, kube::Error>(all.items.iter().all(complete).then_some(()))
    })
    .await;
    // The first rollouts have their silences; those that follow are measured.
    world.quiet(Duration::from_secs(2)).await;
    let (mut samples, mut bare) = (Samples::default(), Samples::default());
    for i in 0..count {
        world.proxy.reset();
        world.apply(&fleet::deployment(i, 1)).await;
        let accepted = Instant::now();
        let active = world
            .call("POST", "/api/alertmanager/grafana/api/v2/silences", PATIENCE)
            .await;
        samples.push((active.at + active.took).saturating_duration_since(accepted));
        bare.push(floor.send(&active).await);
        world.quiet(Duration::from_secs(1)).await;
    }
    let row = Row::new(
        format!(
            "a rollout starts → its silence is active in Grafana, {} times",
            samples.len()
        ),
        samples.to_string(),
    );
    let row = row.floor(bare.to_string());
    table.push(row.goal("p99 ≤ 250 ms").peer("has none"));
}
