//! First sync and rest: what it takes to have everything in Grafana and keep it there.

use std::time::{Duration, Instant};

use alertwright_testbed::{Usage, grafana::Version};
use tokio::time::sleep;

use crate::{
    figure::{Figure, precise, ratio, time},
    fleet::Fleet,
    floor::{self, Floor},
    table::{Row, Table},
    world::{Plane, World},
};

/// How long anything may take before the benchmark gives up.
const PATIENCE: Duration = Duration::from_secs(600);
/// How many resyncs are watched at rest.
const RESYNCS: u32 = 5;

/// The operator's counters of its writes to the API server and of its passes.
pub(crate) const WRITES: &str = "alertwright_kubernetes_writes_total";
/// See [`WRITES`].
pub(crate) const PASSES: &str = "alertwright_reconciles_total";

/// What is measured with.
pub(crate) struct Set<'a> {
    /// The resources.
    pub(crate) fleet: &'a Fleet,
    /// Whether the peer was measured with the same.
    pub(crate) is_peer: bool,
}

/// Starts the operator on resources of which nothing is in Grafana yet; then the floors get what is there.
pub(crate) async fn first_sync(
    world: &mut World,
    plane: &Plane,
    set: &Set<'_>,
    floor: &Floor,
    table: &mut Table,
) {
    let fleet = set.fleet;
    let tracker = world.tracker().await;
    world.proxy.reset();
    let begun = Instant::now();
    world.start_operator().await;
    let ready = begun.elapsed();
    let in_sync = tracker.until_in_sync(fleet.resources(), PATIENCE).await - begun;
    let calls = world.proxy.requests();
    let connections = world.proxy.open_at_most();
    let usage = world.operator().usage();
    let (passes, statuses, writes) = (
        world.count(PASSES, "").await,
        world.count(WRITES, "/status\"").await,
        world.count(WRITES, "").await,
    );

    // Evaluated first: that is work for both Grafanas.
    tracker.until_evaluated(fleet.evaluated(), PATIENCE).await;
    let bare_grafana = floor.first_sync(&calls).await;
    let bare_kubernetes = if world.teams.is_empty() {
        floor::kubernetes(world, &plane.namespace().await).await
    } else {
        Duration::ZERO
    };

    let row = Row::new(
        "first sync: calls of Grafana",
        Figure::methods(&calls.without_states()),
    );
    let row = row.at_most(precise(budget(fleet, world.grafana.version())));
    table.push(row.peer("696, 576 writes"));
    table.push(Row::new(
        "first sync: bytes of Grafana's calls",
        Figure::Bytes(calls.bytes()),
    ));
    let row = Row::new("first sync: connections at once", Figure::count(connections)).at_most(8.0);
    table.push(row.peer("697"));
    let last = calls.writes().0.iter().map(|call| call.at + call.took).max();
    let stored = last.map_or(Duration::ZERO, |last| last - begun);
    let row = Row::time("first sync: process start → last write in Grafana", stored).floor(bare_grafana);
    table.push(if set.is_peer {
        row.within(Duration::from_secs(4)).peer("8.5 s")
    } else {
        row
    });
    let slower = bare_grafana.max(bare_kubernetes);
    let row = Row::time("first sync: process start → every resource Ready", in_sync);
    table.push(if bare_kubernetes.is_zero() {
        row
    } else {
        row.floor(slower).within(slower.mul_f64(1.3))
    });
    if !bare_kubernetes.is_zero() {
        table.push(Row::time(
            "a bare client of Kubernetes: a finalizer and a status for each resource",
            bare_kubernetes,
        ));
    }
    table.push(Row::time("first sync: process start → /readyz", ready));
    table.push(Row::time("first sync: processor time", usage.cpu));
    let each = |count: f64| Figure::Count((count / precise(fleet.resources()) * 100.0).round() / 100.0);
    table.push(Row::new("first sync: passes for each resource", each(passes)).at_most(1.2));
    table.push(Row::new("first sync: statuses for each resource", each(statuses)));
    let row = Row::new("first sync: writes to Kubernetes for each resource", each(writes));
    table.push(row.at_most(2.1));
    table.push(Row::new("first sync: memory now / peak", memory(&usage)));
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
        what("reads for each resync"),
        Figure::Count(ratio(reads, resyncs)),
    );
    table.push(row.at_most(8.0).peer("120"));
    table.push(Row::new(what("polls of states"), Figure::count(states)));
    table.push(Row::new(what("bytes of all calls"), Figure::Bytes(calls.bytes())));
    let row = Row::new(what("writes in Grafana"), Figure::count(calls.writes().len()));
    table.push(row.at_most(0.0).peer("71 for each"));
    let row = Row::new(what("new connections"), Figure::count(world.proxy.connections()));
    table.push(row.at_most(0.0).peer("191 for each"));
    let writes = Figure::Count(after.kubernetes - before.kubernetes);
    let row = Row::new(what("writes to Kubernetes"), writes);
    table.push(row.at_most(0.0).peer("71 for each"));
    table.push(Row::new(
        what("passes"),
        Figure::Count(after.passes - before.passes),
    ));
    let busy = after.usage.cpu.saturating_sub(before.usage.cpu);
    let row = Row::new(
        format!("at rest, a resync every {}: share of a core", time(resync)),
        Figure::Percent(busy.as_secs_f64() / elapsed.as_secs_f64() * 100.0),
    );
    table.push(row.percent(1.0).peer("10 % with 1,000 groups"));
    let row = Row::new("at rest: memory now / peak", memory(&after.usage));
    table.push(row.bytes(limit(set.fleet)).peer("63 MB, 74 MB with 1,000 groups"));
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
            passes: world.count(PASSES, "").await,
            usage: world.operator().usage(),
        }
    }
}

/// Memory now and at most.
pub(crate) fn memory(usage: &Usage) -> Figure {
    Figure::Memory {
        now: usage.resident,
        peak: usage.peak,
    }
}

/// A rule needs a write; from 11.5.2 on a group needs a look and a write at most. A contact point and a silence need a write, and so does the
/// tree. What else there is, the design allows as much for as with its own set of 500 rules in 50 groups.
fn budget(fleet: &Fleet, version: Version) -> usize {
    let others = fleet.resources() - fleet.rules - fleet.branches;
    if version >= Version::new(11, 5, 2) {
        fleet.rules.min(2 * fleet.groups()) + others + 19
    } else {
        fleet.rules + others + 69
    }
}

/// What memory may be at rest, in bytes.
pub(crate) fn limit(fleet: &Fleet) -> u64 {
    if fleet.resources() > 2000 {
        80_000_000
    } else {
        20_000_000
    }
}
