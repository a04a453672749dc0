//! How many calls of Grafana the same resources take, on each release and through each of its APIs.

use std::{fmt, time::Duration};

use alertwright_testbed::{grafana::Version, proxy::Calls};
use clap::ValueEnum;
use serde_json::{Value, json};

use crate::{
    figure::Figure,
    fleet::Fleet,
    table,
    world::{Plane, World},
};

/// How long anything may take before it is given up.
const PATIENCE: Duration = Duration::from_secs(600);
/// So long that none comes while something else is counted.
const NO_RESYNC: &str = "1h";
/// The interval of the resyncs that are counted.
const RESYNC: &str = "5s";
/// How many resyncs are counted.
const RESYNCS: usize = 5;
/// How long Grafana must be left alone before something counts as done.
const QUIET: Duration = Duration::from_secs(3);

/// What rules and notifications go through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Door {
    /// `/api` alone: all there is, or the operator is behind a gateway that lets nothing else through.
    Provisioning,
    /// `/apis`: notifications by themselves, rules because the GrafanaInstance says so.
    Platform,
}

impl Door {
    fn other(self) -> Self {
        match self {
            Self::Provisioning => Self::Platform,
            Self::Platform => Self::Provisioning,
        }
    }

    /// Ends the count where it isn't what it is said to be.
    fn must_have_been_taken(self, calls: &Calls) {
        let wish = match self {
            Self::Provisioning => ["/api/ruler/", "/api/v1/provisioning/contact-points"],
            Self::Platform => ["/alertrules", "/receivers"],
        };
        for list in wish {
            assert!(
                calls
                    .of("GET", list)
                    .0
                    .iter()
                    .any(|call| call.status == Some(200)),
                "{self} wasn't taken for {list}:\n{:#?}",
                calls.by_class()
            );
        }
    }
}

/// What calls may not exceed, for 500 rules in 50 groups, 20 contact points and a tree.
const FIRST_SYNC: usize = 140;
/// Reads of each resync.
const READS: usize = 8;
/// Reads after a restart.
const RESTART: usize = 10;

impl fmt::Display for Door {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Provisioning => "provisioning",
            Self::Platform => "`/apis`",
        })
    }
}

/// Every release through every API that it has for rules and notifications.
pub(crate) fn all() -> Vec<(Version, Door)> {
    let doors = |version: Version| {
        let platform = version.since(13, 0).then_some((version, Door::Platform));
        std::iter::once((version, Door::Provisioning)).chain(platform)
    };
    Version::RELEASES.into_iter().flat_map(doors).collect()
}

/// Counts them all, and makes a table, and a list of what is more than it may be.
pub(crate) async fn count(plane: &Plane, fleet: &Fleet, which: &[(Version, Door)]) -> (String, Vec<String>) {
    let head = [
        "Grafana",
        "rules and notifications by",
        "first sync",
        "at rest, five resyncs",
        "after a restart",
        "after a change to the other API",
    ];
    let mut lines = vec![head.map(str::to_owned).to_vec()];
    let mut excesses = Vec::new();
    for &(version, door) in which {
        let counted = count_one(plane, fleet, version, door).await;
        for calls in counted.iter().flatten() {
            eprintln!("  {:?}", calls.by_class());
        }
        let found = excesses_of(version, door, &counted).into_iter();
        excesses.extend(found.map(|excess| format!("{version} by {door}: {excess}")));
        let cells = counted
            .map(|calls| calls.map_or_else(|| "–".to_owned(), |calls| Figure::methods(&calls).to_string()));
        let line = [version.to_string(), door.to_string()].into_iter().chain(cells);
        let line: Vec<String> = line.collect();
        eprintln!("  {}", line.join(" | "));
        lines.push(line);
    }
    (table::markdown(&lines), excesses)
}

/// What of this is more than it may be. Before 11.5.2 and through `/apis` each rule takes a write.
fn excesses_of(version: Version, door: Door, counted: &[Option<Calls>; 4]) -> Vec<String> {
    let [first, rest, restart, change] = counted;
    let writes_groups = door == Door::Provisioning && version >= Version::new(11, 5, 2);
    let len = |calls: &Option<Calls>| calls.as_ref().map_or(0, Calls::len);
    let writes = |calls: &Option<Calls>| calls.as_ref().map_or(0, |calls| calls.writes().len());
    [
        ("calls of the first sync", len(first), FIRST_SYNC, writes_groups),
        ("calls at rest", len(rest), READS * RESYNCS, true),
        ("calls after a restart", len(restart), RESTART, true),
        ("writes at rest", writes(rest), 0, true),
        ("writes after a restart", writes(restart), 0, true),
        ("writes after a change", writes(change), 0, true),
    ]
    .into_iter()
    .filter(|(_, found, most, is_promised)| *is_promised && found > most)
    .map(|(what, found, most, _)| format!("{found} {what}, at most {most} may be"))
    .collect()
}

/// First sync, rest, restart, and the change to the other API where there is one.
async fn count_one(plane: &Plane, fleet: &Fleet, version: Version, door: Door) -> [Option<Calls>; 4] {
    eprintln!("Grafana {version} by {door}");
    let mut world = World::prepare(plane, fleet, version).await;
    goes_through(&world, door, NO_RESYNC).await;
    let tracker = world.tracker().await;

    world.proxy.reset();
    world.start_operator().await;
    tracker.until_in_sync(fleet.resources(), PATIENCE).await;
    let first = world.quiet(QUIET).await.without_states();
    door.must_have_been_taken(&first);

    goes_through(&world, door, RESYNC).await;
    world.quiet(QUIET).await;
    world.proxy.reset();
    let rest = world.resyncs(RESYNCS, PATIENCE).await.without_states();

    goes_through(&world, door, NO_RESYNC).await;
    world.quiet(QUIET * 2).await;
    world.proxy.reset();
    world.restart_operator().await;
    let restart = world.quiet(QUIET).await.without_states();

    let change = if version.since(13, 0) {
        world.proxy.reset();
        goes_through(&world, door.other(), NO_RESYNC).await;
        let change = world.quiet(QUIET * 2).await.without_states();
        door.other().must_have_been_taken(&change);
        Some(change)
    } else {
        None
    };
    [Some(first), Some(rest), Some(restart), change]
}

/// Has the operator go through one API.
async fn goes_through(world: &World, door: Door, resync: &str) {
    let mut more = json!({"resyncInterval": resync, "stateInterval": NO_RESYNC});
    open(world, door, &mut more);
    world.declare(more).await;
}

/// Lets the operator through one API, by what is in front of Grafana and by what this adds to the specification of the instance.
pub(crate) fn open(world: &World, door: Door, spec: &mut Value) {
    match door {
        Door::Provisioning => world.proxy.only("/api/"),
        Door::Platform => {
            world.proxy.open();
            spec["ruleAPI"] = json!("Platform");
        }
    }
}
