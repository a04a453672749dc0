//! How long a change takes to reach Grafana, from the moment the API server has accepted it.

use std::time::{Duration, Instant};

use alertwright_testbed::{proxy::Call, wait};
use futures::future::join_all;
use k8s_openapi::api::apps::v1::Deployment;
use kube::{Api, api::ListParams};
use serde_json::Value;
use tokio::time::sleep;

use crate::{
    figure::{Figure, Samples},
    fleet::{self, Fleet},
    floor::Floor,
    table::{Row, Table},
    world::World,
};

const PATIENCE: Duration = Duration::from_secs(60);
/// Where silences are written.
const SILENCES: &str = "/api/alertmanager/grafana/api/v2/silences";
/// What a silence of a workload may take at most, of a hundred all but one.
const SILENCED: Duration = Duration::from_millis(100);

/// Changes rules one after the other.
pub(crate) async fn changes(
    world: &mut World,
    fleet: &Fleet,
    floor: &Floor,
    count: usize,
    table: &mut Table,
) {
    let tracker = world.tracker().await;
    let (mut samples, mut ready, mut bare) = (Samples::default(), Samples::default(), Samples::default());
    for i in 0..count {
        let (number, round) = (i % fleet.rules, 1 + i / fleet.rules);
        world.proxy.reset();
        let generation = world.apply(&fleet.rule(number, round)).await;
        let accepted = Instant::now();
        let stored = world
            .call("PUT", "/api/v1/provisioning/alert-rules/", PATIENCE)
            .await;
        samples.push((stored.at + stored.took).saturating_duration_since(accepted));
        // Its status is written too before the next one comes.
        let in_sync = tracker.until_rule(&fleet::rule_name(number), generation).await;
        ready.push(in_sync.saturating_duration_since(accepted));
        bare.push(floor.send(&stored).await);
    }
    let times = samples.len();
    let row = Row::new(
        format!("one change applied → in Grafana, {times} times"),
        Figure::Times(samples),
    );
    let (median, most) = (Duration::from_millis(10), Duration::from_millis(50));
    let row = row.floor(bare.percentile(50)).percentiles(Some(median), most);
    table.push(row.peer("25–76 ms, idle"));
    table.push(Row::new(
        format!("one change applied → Ready, {times} times"),
        Figure::Times(ready),
    ));
}

/// Changes the password of one contact point after the other.
pub(crate) async fn secrets(
    world: &mut World,
    fleet: &Fleet,
    floor: &Floor,
    count: usize,
    table: &mut Table,
) {
    let (mut samples, mut bare) = (Samples::default(), Samples::default());
    for i in 0..count {
        world.proxy.reset();
        world
            .apply(&fleet::secret(i % fleet.points, 1 + i / fleet.points))
            .await;
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
        Figure::Times(samples),
    );
    let row = row.floor(bare.percentile(50));
    table.push(
        row.percentiles(None, Duration::from_millis(100))
            .peer("not within 60 s"),
    );
}

/// Rolls out one Deployment after the other, many at once, and starts Jobs.
pub(crate) async fn workloads(
    world: &mut World,
    floor: &Floor,
    deployments: usize,
    at_once: usize,
    table: &mut Table,
) {
    let first = (0..deployments).map(|i| fleet::deployment(i, 0)).collect();
    world.apply_all(first).await;
    complete(world).await;
    // The first rollouts have their silences; those that follow are measured.
    world.quiet(Duration::from_secs(2)).await;
    let at_once = at_once.min(deployments);
    let what =
        format!("a rollout starts → its silence is active in Grafana, {deployments} Deployments there");
    let singles = (0..at_once).map(|i| fleet::deployment(i, 1)).collect();
    one_by_one(world, floor, &what, singles, table).await;
    let what = "a Job starts → its silence is active in Grafana";
    one_by_one(world, floor, what, (0..at_once).map(fleet::job).collect(), table).await;

    complete(world).await;
    world.quiet(Duration::from_secs(2)).await;
    world.proxy.reset();
    let applied = (0..at_once).map(async |i| {
        let object = fleet::deployment(i, 2);
        world.apply(&object).await;
        (name_of(&object), Instant::now())
    });
    let accepted = join_all(applied).await;
    let mut samples = Samples::default();
    for (name, accepted) in accepted {
        let found = silence_of(world, &name).await;
        samples.push((found.at + found.took).saturating_duration_since(accepted));
    }
    let row = Row::new(
        format!("{at_once} rollouts start at once → each has its silence"),
        Figure::Times(samples),
    );
    table.push(row.percentiles(None, SILENCED).peer("has none"));
}

/// Applies one after the other, and waits for the silence of each.
async fn one_by_one(world: &World, floor: &Floor, what: &str, objects: Vec<Value>, table: &mut Table) {
    let (mut samples, mut bare) = (Samples::default(), Samples::default());
    for object in objects {
        world.proxy.reset();
        world.apply(&object).await;
        let accepted = Instant::now();
        let active = silence_of(world, &name_of(&object)).await;
        samples.push((active.at + active.took).saturating_duration_since(accepted));
        bare.push(floor.send(&active).await);
        world.quiet(Duration::from_secs(1)).await;
    }
    let row = Row::new(format!("{what}, {} times", samples.len()), Figure::Times(samples));
    let row = row.floor(bare.percentile(50)).percentiles(None, SILENCED);
    table.push(row.peer("has none"));
}

/// Waits for the silence of a workload, and gives the call that made it: one that prolongs another has an id.
async fn silence_of(world: &World, name: &str) -> Call {
    wait::until(&format!("a silence of {name}"), PATIENCE, async || {
        let made = |call: &Call| {
            let silence = call.json();
            let comment = silence.get("comment").and_then(Value::as_str);
            let is_new = silence.get("id").is_none_or(Value::is_null);
            call.status.is_some() && is_new && comment.is_some_and(|comment| comment.ends_with(name))
        };
        let calls = world.proxy.requests().of("POST", SILENCES);
        calls.0.into_iter().find(made)
    })
    .await
}

/// Waits until no rollout goes on.
async fn complete(world: &World) {
    let api: Api<Deployment> = Api::namespaced(world.client.clone(), &world.namespace);
    wait::until("every Deployment is complete", PATIENCE * 3, async || {
        let all = api.list(&ListParams::default()).await?;
        let complete = |d: &Deployment| {
            d.status.as_ref().is_some_and(|status| {
                status.available_replicas == Some(1)
                    && status.replicas == Some(1)
                    && status.observed_generation == d.metadata.generation
            })
        };
        Ok::<_, kube::Error>(all.items.iter().all(complete).then_some(()))
    })
    .await;
}

fn name_of(object: &Value) -> String {
    let name = object.pointer("/metadata/name").and_then(Value::as_str);
    name.unwrap_or_default().to_owned()
}
