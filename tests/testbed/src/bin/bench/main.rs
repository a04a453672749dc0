//! What the operator costs and how fast it is, measured on the testbed and printed beside what it must reach.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program for people at a terminal: what fails ends it with a message"
)]

mod counts;
mod fleet;
mod floor;
mod latency;
mod machine;
mod recovery;
mod samples;
mod steady;
mod table;
mod tracker;
mod world;

use std::{path::PathBuf, time::Duration};

use alertwright_testbed::grafana::Version;
use clap::{Parser, ValueEnum};
use serde_json::json;

use counts::Door;
use fleet::Fleet;
use floor::Floor;
use steady::Set;
use table::{Row, Table};
use world::{Plane, World};

/// Measures the operator on the testbed and prints Markdown tables.
#[derive(Parser, Debug)]
struct Arguments {
    /// The operator's binary, a release build.
    #[arg(long)]
    operator: PathBuf,
    /// How many rules there are.
    #[arg(long, default_value_t = 1000)]
    rules: usize,
    /// Which sets of resources to measure.
    #[arg(long, value_enum, default_value = "both")]
    set: Sets,
    /// How often the operator reads everything, in seconds.
    #[arg(long, default_value_t = 60)]
    resync: u64,
    /// How many single changes are timed.
    #[arg(long, default_value_t = 300)]
    changes: usize,
    /// How many rollouts are timed.
    #[arg(long, default_value_t = 40)]
    rollouts: usize,
    /// How long Grafana is down, in seconds.
    #[arg(long, default_value_t = 60)]
    outage: u64,
    /// Leaves out single changes, rollouts, the outage and the correction.
    #[arg(long)]
    counts_only: bool,
    /// Only counts calls of Grafana, on each release and through each of its APIs.
    #[arg(long)]
    by_release: bool,
    /// The release of Grafana; with --by-release, only this one.
    #[arg(long)]
    release: Option<Version>,
    /// The API of rules and notifications; with --by-release, only this one. Through `platform` only counts are measured.
    #[arg(long, value_enum)]
    door: Option<Door>,
    /// A small set and short waits, to try the program itself. Its figures mean little.
    #[arg(long)]
    quick: bool,
}

impl Arguments {
    /// The release of Grafana, unless all are counted.
    fn version(&self) -> Version {
        self.release.unwrap_or_else(Version::chosen)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Sets {
    /// Groups of ten, then groups of one.
    Both,
    /// Groups of ten only.
    Tens,
    /// Groups of one only.
    Ones,
    /// 500 rules in 50 groups, the set that the best known operator was measured with.
    Peer,
}

#[tokio::main]
async fn main() {
    let mut arguments = Arguments::parse();
    if arguments.quick {
        arguments.rules = arguments.rules.min(100);
        arguments.resync = arguments.resync.min(5);
        arguments.changes = arguments.changes.min(30);
        arguments.rollouts = arguments.rollouts.min(5);
        arguments.outage = arguments.outage.min(5);
    }
    if arguments.door == Some(Door::Platform) {
        // What single changes and corrections take is looked for at the provisioning API's addresses.
        arguments.counts_only = true;
    }
    let plane = Plane::start(&arguments.operator).await;
    if arguments.by_release {
        let mut which = counts::all();
        which.retain(|(version, door)| {
            arguments.release.is_none_or(|release| release == *version)
                && arguments.door.is_none_or(|only| only == *door)
        });
        let fleet = Fleet::new(if arguments.quick { 50 } else { 500 }, 10);
        let (table, excesses) = counts::count(&plane, &fleet, &which).await;
        println!("{fleet}\n\n{table}");
        assert!(excesses.is_empty(), "too many calls: {excesses:#?}");
        return;
    }
    let grafana = world::start_grafana(arguments.version()).await.description();
    println!("{}", machine::describe(&arguments.operator, &grafana));
    let rules = arguments.rules;
    let fleets = match arguments.set {
        Sets::Both => vec![Fleet::new(rules, 10), Fleet::new(rules, 1)],
        Sets::Tens => vec![Fleet::new(rules, 10)],
        Sets::Ones => vec![Fleet::new(rules, 1)],
        Sets::Peer => vec![Fleet::new(500, 10)],
    };
    for (i, fleet) in fleets.iter().enumerate() {
        println!("\n{}", measure(&plane, fleet, &arguments, i == 0).await);
    }
}

/// Measures one set. Times of single changes don't depend on the grouping, so they are taken with the first set only.
async fn measure(plane: &Plane, fleet: &Fleet, arguments: &Arguments, is_first: bool) -> Table {
    let is_peer = arguments.set == Sets::Peer;
    let set = Set { fleet, is_peer };
    let mut table = Table::new(&fleet.to_string(), is_peer);
    let resync = Duration::from_secs(arguments.resync);
    let mut world = World::prepare(plane, fleet, arguments.version()).await;
    let mut spec = json!({"resyncInterval": format!("{}s", arguments.resync)});
    counts::open(&world, arguments.door.unwrap_or(Door::Provisioning), &mut spec);
    world.declare(spec).await;
    let floor = Floor::start(plane.loki(), arguments.version()).await;
    steady::first_sync(&mut world, &set, &floor, &mut table).await;
    steady::rest(&mut world, &set, resync, &mut table).await;
    steady::restart(&mut world, &set, &mut table).await;
    if is_first && !arguments.counts_only {
        latency::changes(&mut world, fleet, &floor, arguments.changes, &mut table).await;
        latency::secrets(&mut world, &floor, arguments.changes.div_ceil(10), &mut table).await;
        latency::rollouts(&mut world, &floor, arguments.rollouts, &mut table).await;
        recovery::outage(
            &mut world,
            fleet,
            &floor,
            Duration::from_secs(arguments.outage),
            &mut table,
        )
        .await;
        recovery::correction(&mut world, &floor, resync, &mut table).await;
        let usage = world.operator().usage();
        table.push(Row::new(
            "at the end: memory now / peak",
            machine::memory(usage.resident, usage.peak),
        ));
    }
    table
}
