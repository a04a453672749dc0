//! Every call and every fault; every call and a crash. A scenario of all kinds is run once to name its calls to Grafana and to the API server, and
//! then again for each of them and each thing that can go wrong with one call. What there is at its stages must be what there was undisturbed.
//!
//! A call is named by its class and its number among those: polls come in between by the clock, and would shift a number among all.
//!
//! `make test-faults` runs all cases; else each test takes a few, which lie evenly among them.

mod crashes;
mod faults;
mod leases;
mod outages;
mod rights;
mod scenario;
mod soak;
mod state;
mod steps;
mod stored;

use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter};
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use alertwright_testbed::control_plane::Watch;
use alertwright_testbed::operator::Operator;
use alertwright_testbed::proxy::{Call, Calls, Fault};
use alertwright_testbed::{ControlPlane, Grafana, Loki, Proxy, grafana};
use futures::FutureExt;
use futures::future::join_all;
use parking_lot::Mutex;

use crate::world;
use scenario::Scenario;
use state::Stages;

/// Whose calls go wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Grafana,
    ApiServer,
}

/// A call of the scenario.
#[derive(Debug, Clone)]
struct Place {
    /// Method and path, without what differs from world to world.
    class: String,
    /// How many of its class were before it.
    before: usize,
}

impl Display for Place {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} after {} of these", self.class, self.before)
    }
}

/// One thing that goes wrong, with one call.
#[derive(Debug, Clone)]
struct Case {
    call: Place,
    /// In words, for people.
    what: &'static str,
    fault: Fault,
    /// Whether the operator is killed as soon as the call is held, and started again.
    crash: bool,
}

/// How many calls of a class that only reads are taken: polls go on for as long as a run does.
const READS: usize = 3;
/// How many cases a test takes where not all are asked for.
const SAMPLE: usize = 4;
/// How many worlds there are side by side where all are asked for.
const WORLDS: usize = 8;

/// After how many cases, or seeds, a long run says how far it is.
const PROGRESS: usize = 20;

/// Which kinds of faults `make test-faults` runs, if it runs: all, or those with this in their name.
fn asked() -> Option<String> {
    std::env::var("ALERTWRIGHT_FAULTS").ok()
}

fn all() -> bool {
    asked().is_some()
}

/// An installation with a proxy on either side of the operator.
struct Between {
    plane: &'static ControlPlane,
    home: String,
    ns: String,
    grafana: Grafana,
    to_grafana: Proxy,
    to_api_server: Proxy,
    operator: Operator,
}

impl Between {
    async fn start() -> Self {
        let plane = ControlPlane::shared().await;
        world::install_crds(plane).await;
        Self::start_on(plane).await
    }

    async fn start_on(plane: &'static ControlPlane) -> Self {
        let (home, ns) = (plane.namespace("op").await, plane.namespace("team").await);
        let grafana = Grafana::start(grafana::Options::default())
            .await
            .expect("grafana starts");
        grafana
            .add_loki_datasource(Loki::shared().await, "loki", "Loki", true)
            .await;
        state::add_foreign(&grafana).await;
        let to_grafana = world::proxy_of(&grafana).await;
        let to_api_server = Proxy::of_api_server(plane).await;
        let kubeconfig = plane.operator_account(&home, Watch::Namespaces(&[&ns])).await;
        let text = std::fs::read_to_string(&kubeconfig).expect("a kubeconfig");
        let through = kubeconfig.with_extension("through");
        std::fs::write(&through, text.replace(&plane.url(), &to_api_server.url())).expect("a kubeconfig");
        let token = grafana.token_with_role("Admin").await;
        world::connect(plane, &home, &to_grafana.url(), &token, serde_json::json!({})).await;
        // One owner for all worlds: whatever names it is the same in each.
        let operator = world::operator_as("matrix", &home, &ns, &through)
            .start()
            .await
            .expect("the operator starts");
        Self {
            plane,
            home,
            ns,
            grafana,
            to_grafana,
            to_api_server,
            operator,
        }
    }

    fn proxy(&self, side: Side) -> &Proxy {
        match side {
            Side::Grafana => &self.to_grafana,
            Side::ApiServer => &self.to_api_server,
        }
    }

    /// Starts one in which the scenario was run once, with nothing in its way; gives what there was, where names of the world are in, and which
    /// calls there were.
    async fn start_and_run(side: Side) -> (Self, Stages, Calls) {
        let between = Self::start().await;
        let (stages, calls) = between.undisturbed(side).await;
        (between, stages, calls)
    }

    async fn undisturbed(&self, side: Side) -> (Stages, Calls) {
        self.proxy(side).reset();
        let stages = Scenario::of(self.plane, &self.ns, &self.grafana).run().await;
        (stages, self.proxy(side).requests())
    }

    /// Runs the scenario with this in its way, and says whether it was there: there may be fewer calls than there were.
    async fn run(&mut self, side: Side, case: &Case, expected: &Stages) -> bool {
        let scenario = Scenario::of(self.plane, &self.ns, &self.grafana).expecting(expected);
        let proxy = match side {
            Side::Grafana => &self.to_grafana,
            Side::ApiServer => &self.to_api_server,
        };
        proxy.reset();
        let fault = case.fault.clone().of_class(&case.call.class);
        proxy.fault(fault.after(case.call.before).times(1));
        let operator = &mut self.operator;
        let crash = async {
            if case.crash {
                proxy.held().await;
                operator.restart().await.expect("it starts again");
            }
            std::future::pending::<()>().await;
        };
        tokio::select! {
            _ = scenario.run() => {}
            () = crash => {}
        }
        let struck = proxy.requests().0.iter().any(|call| call.faulty) || proxy.was_held();
        proxy.clear_faults();
        if self.operator.ended().is_some() {
            self.operator.restart().await.expect("it starts again");
        }
        struck
    }
}

/// Runs these cases of each call, in as many worlds as there is room for, and fails with what went wrong in which.
async fn run(side: Side, kinds: &[(&'static str, Fault, bool)]) {
    let asked = asked().filter(|kind| kind != "all");
    let is_asked = |what: &str| asked.as_ref().is_none_or(|kind| what.contains(kind));
    let kinds: Vec<_> = kinds
        .iter()
        .filter(|(what, ..)| is_asked(what))
        .cloned()
        .collect();
    if kinds.is_empty() {
        return;
    }
    let (first, expected, calls) = Between::start_and_run(side).await;
    let first = Mutex::new(Some((first, expected)));
    let places = places(&calls);
    let cases = chosen(&places, &kinds);
    let (count, queue) = (cases.len(), Mutex::new(cases.into_iter()));
    let worlds = if all() { WORLDS } else { 1 };
    let tried = AtomicUsize::new(0);
    let work = async || {
        let (mut struck, mut failures) = (0, Vec::new());
        let taken = first.lock().take();
        let (mut between, mut expected) = match taken {
            Some(first) => first,
            None => anew(side).await,
        };
        loop {
            let Some(case) = queue.lock().next() else { break };
            let ended = AssertUnwindSafe(between.run(side, &case, &expected))
                .catch_unwind()
                .await;
            match ended {
                Ok(was_struck) => struck += usize::from(was_struck),
                Err(payload) => {
                    let why = payload
                        .downcast_ref::<String>()
                        .cloned()
                        .unwrap_or_else(|| "it panicked".to_owned());
                    let hit = hit(between.proxy(side));
                    let failure = format!("{}, {} ({hit}):\n{why}", case.what, case.call);
                    // The run may be long, and be ended before its end.
                    println!("FAILED {}", failure.lines().take(2).collect::<Vec<_>>().join(" "));
                    failures.push(failure);
                    // What this one has left must not count against the next.
                    (between, expected) = anew(side).await;
                }
            }
            let tried = tried.fetch_add(1, Ordering::Relaxed) + 1;
            if tried.is_multiple_of(PROGRESS) {
                println!("{side:?}: {tried} of {count} cases");
            }
        }
        (struck, failures)
    };
    let done = join_all((0..worlds).map(|_| work())).await;
    let failures: Vec<_> = done.iter().flat_map(|(_, failures)| failures).cloned().collect();
    let struck: usize = done.iter().map(|(struck, _)| struck).sum::<usize>() + failures.len();
    let kinds = kinds.len();
    println!(
        "{side:?}: {} calls of {}, {kinds} kinds, {count} cases; in {struck} the call was there or it failed, {} failed",
        places.len(),
        calls.len(),
        failures.len()
    );
    // Where hardly a call is struck nothing is tried. Of a few cases most may be of reads that a run on a busy machine does without.
    let least = if all() { count / 2 } else { 1 };
    assert!(struck >= least, "of {count} cases only {struck} had their call");
    assert!(
        failures.is_empty(),
        "{} of {count} cases failed:\n{}",
        failures.len(),
        failures.join("\n\n")
    );
}

async fn anew(side: Side) -> (Between, Stages) {
    let (between, expected, _) = Between::start_and_run(side).await;
    (between, expected)
}

/// The call that was struck, in words.
fn hit(proxy: &Proxy) -> String {
    let calls = proxy.requests();
    let struck = calls.0.iter().find(|call| call.faulty || call.status.is_none());
    struck.map_or_else(|| "not struck".to_owned(), ToString::to_string)
}

/// The calls of an undisturbed run that something is to go wrong with.
fn places(calls: &Calls) -> Vec<Place> {
    let mut seen = BTreeMap::<_, usize>::new();
    let place = |call: &Call| {
        let class = call.class();
        let count = seen.entry(class.clone()).or_default();
        let before = *count;
        *count += 1;
        (call.is_write() || before < READS).then_some(Place { class, before })
    };
    calls.0.iter().filter_map(place).collect()
}

/// All cases, or some that lie evenly among them and are of different kinds.
fn chosen(calls: &[Place], kinds: &[(&'static str, Fault, bool)]) -> Vec<Case> {
    let every: Vec<_> = calls
        .iter()
        .flat_map(|call| {
            kinds.iter().map(move |(what, fault, crash)| Case {
                call: call.clone(),
                what,
                fault: fault.clone(),
                crash: *crash,
            })
        })
        .collect();
    if all() {
        return every;
    }
    let step = every.len() / SAMPLE;
    (0..SAMPLE)
        .filter_map(|i| every.get(i * step + i % kinds.len()).cloned())
        .collect()
}

/// How long a stage may take with a fault in its way: a call that isn't answered costs twenty seconds.
const PATIENCE: Duration = Duration::from_secs(90);
