//! Another process on what the first one left: after a crash, and as the next leader.

use std::time::{Duration, Instant};

use alertwright_testbed::{Operator, proxy::Calls, wait};

use crate::{
    figure::Figure,
    steady::{PASSES, Set, WRITES, limit, memory},
    table::{Row, Table},
    world::{World, count},
};

/// How long Grafana must be left alone before a start counts as done.
const QUIET: Duration = Duration::from_secs(3);
/// How long a replica may take until it leads.
const PATIENCE: Duration = Duration::from_secs(60);

/// Kills the operator and starts it again on what it left.
pub(crate) async fn restart(world: &mut World, set: &Set<'_>, table: &mut Table) {
    world.proxy.reset();
    let begun = Instant::now();
    world.restart_operator().await;
    let calls = world.quiet(QUIET).await;
    let usage = world.operator().usage();
    said("after a restart", &calls, world.operator(), table).await;
    let row = Row::new(
        "after a restart: connections at once",
        Figure::count(world.proxy.open_at_most()),
    );
    table.push(row.at_most(8.0));
    table.push(Row::time(
        "after a restart: process start → Grafana has been read",
        read(&calls, begun),
    ));
    table.push(Row::time("after a restart: processor time", usage.cpu));
    let passes = Figure::Count(world.count(PASSES, "").await);
    table.push(Row::new("after a restart: passes", passes));
    let row = Row::new("after a restart: memory now / peak", memory(&usage));
    table.push(row.bytes(limit(set.fleet)));
}

/// Kills one of two replicas, the one that leads, and leaves the other in its place.
pub(crate) async fn leader_change(world: &mut World, table: &mut Table) {
    let replica = |name: &str| {
        let options = world.options().arg("--leader-elect").env("POD_NAME", name);
        async { options.start().await.expect("a replica starts") }
    };
    let mut first = replica("replica-a").await;
    // The one without an election goes when the first replica has the Lease; two that write the same write nothing.
    leads(&first).await;
    let other = replica("replica-b").await;
    world.replace_operator(other).await;
    world.quiet(QUIET).await;
    world.proxy.reset();
    first.kill();
    let killed = Instant::now();
    leads(world.operator()).await;
    let led = killed.elapsed();
    let calls = world.quiet(QUIET).await;
    let row = Row::time("the leader is killed → another leads", led);
    table.push(row.within(Duration::from_secs(15)));
    table.push(Row::time(
        "the leader is killed → Grafana has been read by another",
        read(&calls, killed),
    ));
    said("after a change of the leader", &calls, world.operator(), table).await;
}

/// What was read and written on both sides.
async fn said(when: &str, calls: &Calls, operator: &Operator, table: &mut Table) {
    let reads = calls.reads().without_states().len();
    let row = Row::new(format!("{when}: reads of Grafana"), Figure::count(reads));
    table.push(row.at_most(10.0));
    let writes = Figure::count(calls.writes().len());
    table.push(Row::new(format!("{when}: writes in Grafana"), writes).at_most(0.0));
    let writes = Figure::Count(count(operator, WRITES, "").await);
    table.push(Row::new(format!("{when}: writes to Kubernetes"), writes).at_most(0.0));
}

/// How long it took until all rules had been listed.
fn read(calls: &Calls, begun: Instant) -> Duration {
    let is_list = |path: &str| path.contains("/api/ruler/") || path.contains("/alertrules?");
    let listing = calls.0.iter().find(|call| is_list(&call.path));
    listing.map_or(Duration::ZERO, |call| {
        (call.at + call.took).saturating_duration_since(begun)
    })
}

async fn leads(replica: &Operator) {
    wait::until("the replica leads", PATIENCE, async || {
        replica.metric("alertwright_leader").await == Some(1.0)
    })
    .await;
}
