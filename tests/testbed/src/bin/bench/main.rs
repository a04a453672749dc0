//! What the operator costs and how fast it is, measured on the testbed and printed beside what it must reach.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program for people at a terminal: what fails ends it with a message"
)]

mod counts;
mod figure;
mod fleet;
mod floor;
mod latency;
mod machine;
mod recovery;
mod steady;
mod table;
mod takeover;
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
#[expect(clippy::struct_excessive_bools, reason = "flags of a command line")]
struct Arguments {
    /// The operator's binary, a release build.
    #[arg(long)]
    operator: PathBuf,
    /// How many rules there are.
    #[arg(long, default_value_t = 1000)]
    rules: usize,
    /// How many contact points there are, and routes of the tree that lead to them.
    #[arg(long, default_value_t = 100)]
    points: usize,
    /// Which sets of resources to measure.
    #[arg(long, value_enum, default_value = "all")]
    set: Sets,
    /// Rules that Grafana holds and doesn't evaluate: with thousands of them the machine is left to what is measured.
    #[arg(long)]
    paused: bool,
    /// How often the operator reads everything, in seconds.
    #[arg(long, default_value_t = 60)]
    resync: u64,
    /// How many single changes are timed.
    #[arg(long, default_value_t = 300)]
    changes: usize,
    /// How many Deployments there are.
    #[arg(long, default_value_t = 500)]
    deployments: usize,
    /// How many rollouts and Jobs are timed one after the other, and how many rollouts at once.
    #[arg(long, default_value_t = 50)]
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
    /// Writes each row into this file too, as an array of JSON objects.
    #[arg(long)]
    json: Option<PathBuf>,
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
    /// Groups of ten, groups of one, silences and branches.
    All,
    /// Groups of ten only.
    Tens,
    /// Groups of one only.
    Ones,
    /// 1,000 silences.
    Silences,
    /// 200 namespaces with a branch of the tree each.
    Branches,
    /// 500 rules in 50 groups, the set that the best known operator was measured with.
    Peer,
}

impl Sets {
    fn fleets(self, arguments: &Arguments) -> Vec<Fleet> {
        let rules = |size| Fleet::rules(arguments.rules, size, arguments.points).paused(arguments.paused);
        let many = |most: usize| if arguments.quick { most / 10 } else { most };
        match self {
            // Branches first: their operator watches all namespaces, and is to find nothing else there.
            Self::All => vec![
                Fleet::branches(many(200)),
                rules(10),
                rules(1),
                Fleet::silences(many(1000)),
            ],
            Self::Tens => vec![rules(10)],
            Self::Ones => vec![rules(1)],
            Self::Silences => vec![Fleet::silences(many(1000))],
            Self::Branches => vec![Fleet::branches(many(200))],
            Self::Peer => vec![Fleet::rules(500, 10, 20)],
        }
    }
}

#[tokio::main]
async fn main() {
    let mut arguments = Arguments::parse();
    if arguments.quick {
        arguments.rules = arguments.rules.min(100);
        arguments.points = arguments.points.min(20);
        arguments.resync = arguments.resync.min(5);
        arguments.changes = arguments.changes.min(30);
        arguments.deployments = arguments.deployments.min(10);
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
        let fleet = Fleet::rules(if arguments.quick { 50 } else { 500 }, 10, 20);
        let (table, excesses) = counts::count(&plane, &fleet, &which).await;
        println!("{fleet}\n\n{table}");
        assert!(excesses.is_empty(), "too many calls: {excesses:#?}");
        return;
    }
    let grafana = world::start_grafana(arguments.version()).await.description();
    println!("{}", machine::describe(&arguments.operator, &grafana));
    let mut rows = Vec::new();
    let mut are_timed = !arguments.counts_only;
    for fleet in arguments.set.fleets(&arguments) {
        // Times of single changes don't depend on the grouping.
        let is_timed = fleet.rules > 0 && std::mem::take(&mut are_timed);
        let table = measure(&plane, &fleet, &arguments, is_timed).await;
        println!("\n{table}");
        rows.extend(table.json());
    }
    if let Some(file) = &arguments.json {
        let text = serde_json::to_string_pretty(&rows).expect("rows are JSON");
        std::fs::write(file, text).unwrap_or_else(|error| panic!("cannot write {}: {error}", file.display()));
    }
}

/// Measures one set.
async fn measure(plane: &Plane, fleet: &Fleet, arguments: &Arguments, is_timed: bool) -> Table {
    let is_peer = arguments.set == Sets::Peer;
    let set = Set { fleet, is_peer };
    let mut table = Table::new(&fleet.to_string(), is_peer);
    let resync = Duration::from_secs(arguments.resync);
    let mut world = World::prepare(plane, fleet, arguments.version()).await;
    let mut spec = json!({"resyncInterval": format!("{}s", arguments.resync)});
    counts::open(&world, arguments.door.unwrap_or(Door::Provisioning), &mut spec);
    world.declare(spec).await;
    let floor = Floor::start(plane.loki(), arguments.version()).await;
    steady::first_sync(&mut world, plane, &set, &floor, &mut table).await;
    steady::rest(&mut world, &set, resync, &mut table).await;
    takeover::restart(&mut world, &set, &mut table).await;
    takeover::leader_change(&mut world, &mut table).await;
    if is_timed {
        latency::changes(&mut world, fleet, &floor, arguments.changes, &mut table).await;
        let secrets = arguments.changes.div_ceil(10);
        latency::secrets(&mut world, fleet, &floor, secrets, &mut table).await;
        let (deployments, at_once) = (arguments.deployments, arguments.rollouts);
        latency::workloads(&mut world, &floor, deployments, at_once, &mut table).await;
        let down = Duration::from_secs(arguments.outage);
        recovery::outage(&mut world, fleet, &floor, down, &mut table).await;
        recovery::correction(&mut world, &floor, resync, &mut table).await;
        let usage = world.operator().usage();
        table.push(Row::new("at the end: memory now / peak", steady::memory(&usage)));
    }
    table
}
