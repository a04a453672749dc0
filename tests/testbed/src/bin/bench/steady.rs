//! First sync, rest, and restart: what it takes to have everything in Grafana and keep it there.

use std::time::{Duration, Instant};

use alertwright_testbed::{Usage, grafana::Version, proxy::Calls};
use tokio::time::sleep;

use crate::{
    fleet::Fleet,
    floor::Floor,
    machine,
    samples::time,
    table::{Row, Table},
    tracker::Tracker,
    world::World,
};

/// How long anything may take before the benchmark gives up.
const PATIENCE: Duration = Duration::from_secs(600);
/// How many resyncs are watched at rest.
const RESYNCS: u32 = 5;
/// How long Grafana must be left alone before a start counts as done.
const QUIET: Duration = Duration::from_secs(3);

/// The operator's counters of its writes to the API server and of its passes.
const WRITES: &str = "alertwright_kubernetes_writes_total";
const PASSES: &str = "alertwright_reconciles_total";

/// What is measured with.
pub(crate) struct Set<'a> {
    /// The resources.
    pub(crate) fleet: &'a Fleet,
    /// Whether the peer was measured with the same.
    pub(crate) is_peer: bool,
}

/// Starts the operator on resources of which nothing is in Grafana yet; then the floor gets what is there.
pub(crate) async fn first_sync(world: &mut World, set: &Set<'_>, floor: &Floor, table: &mut Table) {
    let tracker = Tracker::start(&world.client, &world.namespace).await;
    world.proxy.reset();
    let begun = Instant::now();
    world.start_operator().await;
    let ready = begun.elapsed();
    let in_sync = tracker.until_in_sync(set.fleet.resources(), PATIENCE).await;
    let calls = world.proxy.requests();
    let connections = world.proxy.connections();
    let last = calls.writes().0.iter().map(|call| call.at + call.took).max();
    let usage = world.operator().usage();

    let goal = format!("≤ {}", budget(set.fleet, world.grafana.version()));
    let row = Row::new("first sync: calls of Grafana", by_method(&calls)).goal(goal);
    table.push(row.peer("696, 576 writes"));
    let row = Row::new("first sync: connections", connections.to_string()).goal("≤ 8");
    table.push(row.peer("697"));
    let stored = last.map_or(Duration::ZERO, |last| last - begun);
    // Evaluated first: that is work for both Grafanas.
    tracker.until_evaluated(set.fleet.rules, PATIENCE).await;
    let bare = floor.first_sync(&calls).await;
    let row = Row::new("first sync: process start → last write in Grafana", time(stored)).floor(time(bare));
    table.push(if set.is_peer {
        row.goal("≤ 4 s").peer("8.5 s")
    } else {
        row
    });
    table.push(Row::new(
        "first sync: process start → every resource Ready",
        time(in_sync - begun),
    ));
    table.push(Row::new("first sync: process start → /readyz", time(ready)));
    table.push(Row::new("first sync: processor time", time(usage.cpu)));
    table.push(Row::new("first sync: passes", passes_by_kind(world).await));
    let statuses = world.count(WRITES, "/status\"").await;
    table.push(Row::new(
        "first sync: status writes",
        format!("{statuses:.0} for {} resources", set.fleet.resources()),
    ));
    table.push(Row::new(
        "first sync: memory now / peak",
        machine::memory(usage.resident, usage.peak),
    ));
}

/// Leaves everything alone for some resyncs.
pub(crate) async fn rest(world: &mut World, set: &Set<'_>, resync: Duration, table: &mut Table) {
    // The last states must have been written; a state is read every 15 s.
    sleep(Duration::from_secs(20).min(resync * 2)).await;
    let before = Snapshot::take(world).await;
    world.proxy.reset();
    let begun = Instant::now();
    sleep(resync * RESYNCS).await;
    let elapsed = begun.elapsed();
    let calls = world.proxy.requests();
    let after = Snapshot::take(world).await;
    let reads = calls.reads().without_states().len();
    let states = calls.reads().len() - reads;
    // The interval has jitter, so the resyncs are counted by what each does once.
    let resyncs = calls.rule_lists().max(1);
    let what = |what: &str| format!("at rest, {resyncs} resyncs: {what}");
    let row = Row::new(
        what("reads for each resync, and state polls in all"),
        format!("{:.1}, {states}", ratio(reads, resyncs)),
    );
    table.push(row.goal("≤ 10").peer("120"));
    let row = Row::new(what("writes in Grafana"), calls.writes().len().to_string());
    table.push(row.goal("0").peer("71 for each"));
    let row = Row::new(what("new connections"), world.proxy.connections().to_string());
    table.push(row.goal("0").peer("191 for each"));
    let row = Row::new(
        what("writes to Kubernetes"),
        format!("{:.0}", after.kubernetes - before.kubernetes),
    );
    table.push(row.goal("0").peer("71 for each"));
    table.push(Row::new(
        what("passes"),
        format!("{:.0}", after.passes - before.passes),
    ));
    let share =
        after.usage.cpu.saturating_sub(before.usage.cpu).as_secs_f64() / elapsed.as_secs_f64() * 100.0;
    let row = Row::new(
        format!("at rest, a resync every {}: share of a core", time(resync)),
        format!("{share:.2} %"),
    );
    table.push(row.goal("≤ 1 %").peer("10 % with 1,000 groups"));
    let row = Row::new(
        "at rest: memory now / peak",
        machine::memory(after.usage.resident, after.usage.peak),
    );
    table.push(row.goal(limit(set.fleet)).peer("63 MB, 74 MB with 1,000 groups"));
}

/// Kills the operator and starts it again on what it left.
pub(crate) async fn restart(world: &mut World, set: &Set<'_>, table: &mut Table) {
    world.proxy.reset();
    let begun = Instant::now();
    world.restart_operator().await;
    let calls = world.quiet(QUIET).await;
    let is_list = |path: &str| path.contains("/api/ruler/") || path.contains("/alertrules?");
    let listing = calls.0.iter().find(|call| is_list(&call.path));
    let read = listing.map_or(begun, |call| call.at + call.took) - begun;
    let usage = world.operator().usage();
    let reads = calls.reads().without_states().len();
    let row = Row::new(
        "after a restart: reads, state polls, writes in Grafana",
        format!(
            "{reads}, {}, {}",
            calls.reads().len() - reads,
            calls.writes().len()
        ),
    );
    table.push(row.goal("≤ 10, –, 0"));
    table.push(
        Row::new(
            "after a restart: connections",
            world.proxy.connections().to_string(),
        )
        .goal("≤ 8"),
    );
    let writes = world.count(WRITES, "").await;
    table.push(Row::new("after a restart: writes to Kubernetes", format!("{writes:.0}")).goal("0"));
    table.push(Row::new(
        "after a restart: process start → Grafana has been read",
        time(read),
    ));
    table.push(Row::new(
        "after a restart: processor time, passes",
        format!("{}, {:.0}", time(usage.cpu), passes(world).await),
    ));
    let row = Row::new(
        "after a restart: memory now / peak",
        machine::memory(usage.resident, usage.peak),
    );
    table.push(row.goal(limit(set.fleet)));
}

struct Snapshot {
    usage: Usage,
    kubernetes: f64,
    passes: f64,
}

impl Snapshot {
    async fn take(world: &World) -> Self {
        Self {
            kubernetes: world.count(WRITES, "").await,
            passes: passes(world).await,
            usage: world.operator().usage(),
        }
    }
}

async fn passes(world: &World) -> f64 {
    world.count(PASSES, "").await
}

async fn passes_by_kind(world: &World) -> String {
    let mut text = Vec::new();
    for kind in ["AlertRule", "ContactPoint", "NotificationPolicy"] {
        let count = world.count(PASSES, &format!("kind=\"{kind}\"")).await;
        text.push(format!("{count:.0} {kind}"));
    }
    text.join(", ")
}

/// How many calls there are, in all and of each method.
pub(crate) fn by_method(calls: &Calls) -> String {
    let of = |method| calls.of(method, "").len();
    let (get, post, put, delete) = (of("GET"), of("POST"), of("PUT"), of("DELETE"));
    format!(
        "{}: {get} GET, {post} POST, {put} PUT, {delete} DELETE",
        calls.len()
    )
}

/// A rule needs a write; from 11.5.2 on a group needs a look and a write at most. What else there is, the design allows as much for as with
/// its own set of 500 rules in 50 groups.
fn budget(fleet: &Fleet, version: Version) -> usize {
    if version >= Version::new(11, 5, 2) {
        fleet.rules.min(2 * fleet.groups()) + 40
    } else {
        fleet.rules + 90
    }
}

fn limit(fleet: &Fleet) -> &'static str {
    if fleet.rules > 1000 {
        "≤ 100 MB"
    } else {
        "≤ 30 MB"
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts are small")]
fn ratio(count: usize, of: usize) -> f64 {
    count as f64 / of as f64
}
