//! The lease of a rollout's silence, whatever goes wrong with one write of it: from its first appearance on it covers the rollout without a gap as
//! long as that is healthy, which means that it gets further at least each half lease; and nothing is active longer than lease and linger after the
//! rollout has ended, or after the operator has died for good.

use std::fmt::Write as _;
use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

use alertwright_testbed::operator::Operator;
use alertwright_testbed::proxy::Fault;
use alertwright_testbed::{Grafana, Proxy, any_release, apply};
use futures::FutureExt;
use futures::future::join_all;
use k8s_openapi::api::apps::v1::Deployment;
use kube::Api;
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::time::sleep;

use super::{PATIENCE, Side, WORLDS, all, asked, crashes, faults};
use crate::silences::SILENCES;
use crate::workloads::{asking, deployment, roll, settled};
use crate::world::{self, World};

const LEASE: Duration = Duration::from_secs(16);
const LINGER: Duration = Duration::from_secs(2);
/// How far apart two looks are.
const LOOK: Duration = Duration::from_millis(50);
/// By how much more than lease and linger a silence may be seen: times are whole seconds, and rounded up; and looks take time on a busy machine.
const SLACK: Duration = Duration::from_secs(2);
/// How many worlds there are side by side where all are asked for. Where they are too many for the machine, rollouts are slow, and tell nothing.
const AT_ONCE: usize = WORLDS / 2;
/// How many writes the silence of a rollout takes: it opens, is extended twice, and is shortened. Its resource has a status after each.
const TO_GRAFANA: usize = 4;
const TO_API_SERVER: usize = 8;

/// What becomes of the operator when its call is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    GoesOn,
    IsRestarted,
    Dies,
}

/// One thing that goes wrong with one write of the silence.
#[derive(Debug, Clone)]
struct Case {
    side: Side,
    /// How many such writes of the rollout were before it.
    before: usize,
    what: &'static str,
    fault: Fault,
    fate: Fate,
}

/// A Deployment that gets a little further every few seconds, each of its rollouts for longer than a lease.
struct Rolling {
    w: World,
    to_api_server: Proxy,
    /// What the silence of its rollouts matches.
    matchers: Value,
    rollouts: usize,
}

impl Rolling {
    async fn start() -> Self {
        let mut w = world::start().await;
        w.operator.terminate().await;
        let to_api_server = Proxy::of_api_server(w.plane).await;
        let text = std::fs::read_to_string(&w.kubeconfig).expect("a kubeconfig");
        w.kubeconfig = w.kubeconfig.with_extension("through");
        std::fs::write(&w.kubeconfig, text.replace(&w.plane.url(), &to_api_server.url()))
            .expect("a kubeconfig");
        w.operator = world::operator(&w.home, &w.ns, &w.kubeconfig)
            .start()
            .await
            .expect("the operator starts");
        let seconds = |time: Duration| format!("{}s", time.as_secs());
        let slow = json!({
            "replicas": 6, "minReadySeconds": 2, "strategy": {"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
        });
        let object = deployment("web", &asking(&seconds(LEASE), &seconds(LINGER)), &slow);
        w.apply(&object.to_string()).await;
        let first = settled(&w, "web").await;
        let id = crate::silences::id(&first);
        let silences = w.grafana.silences().await;
        let of_first = silences.iter().find(|silence| silence["id"] == id.as_str());
        let matchers = of_first.expect("Grafana remembers it")["matchers"].clone();
        Self {
            w,
            to_api_server,
            matchers,
            rollouts: 1,
        }
    }

    /// A rollout with this in its way; says whether it was there.
    async fn run(&mut self, case: &Case) -> bool {
        let (proxy, method, path) = match case.side {
            Side::Grafana => (&self.w.proxy, "POST", SILENCES),
            Side::ApiServer => (&self.to_api_server, "PATCH", "/silences/"),
        };
        proxy.reset();
        let fault = case.fault.clone().on(method, path);
        proxy.fault(fault.after(case.before).times(1));
        self.rollouts += 1;
        roll(&self.w, "web", &self.rollouts.to_string(), &json!({})).await;
        let deployments = Api::namespaced(self.w.client().await, &self.w.ns);
        let mut watcher = Watcher {
            deployments,
            grafana: &self.w.grafana,
            matchers: &self.matchers,
            seen: Seen::default(),
        };
        let died = Mutex::new(None);
        let operator = &mut self.w.operator;
        tokio::select! {
            () = watcher.watch(&died) => {}
            () = meet(operator, proxy, case.fate, &died) => {}
        }
        let was_struck = proxy.requests().0.iter().any(|call| call.faulty) || proxy.was_held();
        proxy.clear_faults();
        if self.w.operator.ended().is_some() {
            self.w.operator.restart().await.expect("it starts again");
        }
        was_struck
    }
}

/// What happens to the operator when its call is held.
async fn meet(operator: &mut Operator, proxy: &Proxy, fate: Fate, died: &Mutex<Option<Instant>>) {
    if fate != Fate::GoesOn {
        proxy.held().await;
    }
    match fate {
        Fate::GoesOn => {}
        Fate::IsRestarted => operator.restart().await.expect("it starts again"),
        Fate::Dies => {
            operator.kill();
            *died.lock() = Some(Instant::now());
        }
    }
    std::future::pending::<()>().await;
}

/// Looks at the workload, and then at what is silenced.
struct Watcher<'a> {
    deployments: Api<Deployment>,
    grafana: &'a Grafana,
    matchers: &'a Value,
    seen: Seen,
}

/// What was seen so far.
struct Seen {
    began: Instant,
    /// When the silence appeared, and when the rollout was seen to be over.
    appeared: Option<Instant>,
    ended: Option<Instant>,
    /// The most pods of the new template and the fewest of others, and when that was seen first.
    furthest: (i32, i32),
    progress: Instant,
    /// Whether it ever got no further for more than half a lease. From then on the silence may lapse.
    has_stalled: bool,
    last: String,
    /// Each look that showed something else than the one before it.
    changes: String,
}

impl Default for Seen {
    fn default() -> Self {
        Self {
            began: Instant::now(),
            appeared: None,
            ended: None,
            furthest: (0, i32::MAX),
            progress: Instant::now(),
            has_stalled: false,
            last: String::new(),
            changes: String::new(),
        }
    }
}

impl Watcher<'_> {
    /// Watches a rollout until nothing is active any more.
    async fn watch(&mut self, died: &Mutex<Option<Instant>>) {
        loop {
            let (asked, is_dead) = (Instant::now(), *died.lock());
            let deployment = self.deployments.get("web").await.expect("the Deployment");
            let is_over = is_over(&deployment);
            let active = self.grafana.active_silences().await;
            let covers = active.iter().any(|silence| silence["matchers"] == *self.matchers);
            let seen = &mut self.seen;
            let now = Instant::now();
            seen.note(&deployment, &active, is_dead.is_some());
            if is_over {
                seen.ended.get_or_insert(now);
            }
            if covers {
                seen.appeared.get_or_insert(now);
            }
            // One that ended during the look has its linger.
            let is_healthy = !is_over && !seen.has_stalled && now - asked < LINGER;
            assert!(
                covers || !is_healthy || seen.appeared.is_none() || died.lock().is_some(),
                "the rollout is healthy and isn't silenced any more:\n{}",
                seen.changes
            );
            let Some(end) = is_dead.into_iter().chain(seen.ended).min() else {
                assert!(
                    seen.began.elapsed() < PATIENCE,
                    "it doesn't end:\n{}",
                    seen.changes
                );
                sleep(LOOK).await;
                continue;
            };
            let limit = LEASE + LINGER + SLACK;
            assert!(
                active.is_empty() || asked - end < limit,
                "a silence is active {:?} after the end, and {limit:?} are the most:\n{}",
                asked - end,
                seen.changes
            );
            // None comes back either, and the next rollout finds the last one over.
            if active.is_empty() && seen.ended.is_some_and(|ended| ended.elapsed() > LINGER + SLACK) {
                break;
            }
            sleep(LOOK).await;
        }
        if self.seen.has_stalled {
            println!(
                "leases: the rollout was too slow for a silence without a gap:\n{}",
                self.seen.changes
            );
        }
        let is_dead = died.lock().is_some();
        let appeared = self.seen.appeared.is_some();
        assert!(
            appeared || is_dead,
            "it was never silenced:\n{}",
            self.seen.changes
        );
    }
}

impl Seen {
    fn note(&mut self, deployment: &Deployment, active: &[Value], is_dead: bool) {
        let status = deployment.status.clone().unwrap_or_default();
        let updated = status.updated_replicas.unwrap_or_default();
        let others = status.replicas.unwrap_or_default() - updated;
        // What is told before its controller has seen the rollout is of the last one.
        if status.observed_generation >= deployment.metadata.generation
            && (updated > self.furthest.0 || others < self.furthest.1)
        {
            self.furthest = (self.furthest.0.max(updated), self.furthest.1.min(others));
            self.progress = Instant::now();
        }
        self.has_stalled |= self.ended.is_none() && self.progress.elapsed() > LEASE / 2;
        let ids: Vec<_> = active
            .iter()
            .map(|silence| format!("{} until {}", silence["id"], silence["endsAt"]))
            .collect();
        let now = format!(
            "{}{}{} updated, {} available, {} in all; active: {ids:?}",
            if is_dead { "operator dead; " } else { "" },
            if self.has_stalled { "too slow; " } else { "" },
            updated,
            status.available_replicas.unwrap_or_default(),
            status.replicas.unwrap_or_default(),
        );
        if now != self.last {
            let _ = writeln!(self.changes, "{:.2?} {now}", self.began.elapsed());
            self.last = now;
        }
    }
}

/// Whether the last rollout is over, as `kubectl rollout status` tells it, and its controller knows it too.
fn is_over(deployment: &Deployment) -> bool {
    let status = deployment.status.clone().unwrap_or_default();
    let wanted = deployment.spec.as_ref().and_then(|spec| spec.replicas);
    let is_told = status.conditions.iter().flatten().any(|condition| {
        condition.type_ == "Progressing" && condition.reason.as_deref() == Some("NewReplicaSetAvailable")
    });
    status.observed_generation >= deployment.metadata.generation
        && is_told
        && [
            status.updated_replicas,
            status.replicas,
            status.available_replicas,
        ] == [wanted; 3]
}

/// Runs one of the cases, or all of them side by side where they are asked for.
async fn run(sample: Case, every: Vec<Case>) {
    let asked = asked().filter(|kind| kind != "all");
    let is_asked = |case: &Case| asked.as_ref().is_none_or(|kind| case.what.contains(kind));
    let cases = if all() { every } else { vec![sample] };
    let cases: Vec<_> = cases.into_iter().filter(is_asked).collect();
    let (count, worlds) = (cases.len(), cases.len().min(AT_ONCE));
    let queue = Mutex::new(cases.into_iter());
    let work = async || {
        let (mut struck, mut failures, mut rolling) = (0, Vec::new(), None);
        loop {
            let Some(case) = queue.lock().next() else { break };
            let mut world = match rolling.take() {
                Some(world) => world,
                None => Rolling::start().await,
            };
            match AssertUnwindSafe(world.run(&case)).catch_unwind().await {
                Ok(was_struck) => {
                    struck += usize::from(was_struck);
                    rolling = Some(world);
                }
                Err(payload) => {
                    let why = payload.downcast_ref::<String>().cloned().unwrap_or_default();
                    let Case {
                        side,
                        before,
                        what,
                        fate,
                        ..
                    } = case;
                    let failure = format!("{what}, {side:?}, after {before} writes, {fate:?}:\n{why}");
                    println!("FAILED {failure}");
                    failures.push(failure);
                }
            }
        }
        (struck, failures)
    };
    let done = join_all((0..worlds).map(|_| work())).await;
    let failures: Vec<_> = done.iter().flat_map(|(_, failures)| failures).cloned().collect();
    let struck = done.iter().map(|(struck, _)| struck).sum::<usize>() + failures.len();
    println!(
        "leases: {count} cases; in {struck} the write was there or it failed, {} failed",
        failures.len()
    );
    assert!(
        struck * 2 >= count,
        "of {count} cases only {struck} had their write"
    );
    assert!(
        failures.is_empty(),
        "{} of {count} cases failed:\n{}",
        failures.len(),
        failures.join("\n\n")
    );
}

/// Each kind with each write of a side.
fn each(side: Side, kinds: &[(&'static str, Fault, bool)], fate: Fate) -> Vec<Case> {
    let writes = match side {
        Side::Grafana => TO_GRAFANA,
        Side::ApiServer => TO_API_SERVER,
    };
    let case = |before, (what, fault, _): &(&'static str, Fault, bool)| Case {
        side,
        before,
        what,
        fault: fault.clone(),
        fate,
    };
    (0..writes)
        .flat_map(|before| kinds.iter().map(move |kind| case(before, kind)))
        .collect()
}

fn of_faults(side: Side) -> Vec<Case> {
    // An answer that takes longer than a lease leaves a gap, however soon it is asked again.
    let mut kinds = faults::kinds(side);
    kinds.retain(|(what, ..)| *what != faults::TOO_LATE);
    each(side, &kinds, Fate::GoesOn)
}

fn of_crashes(fate: Fate) -> Vec<Case> {
    [Side::Grafana, Side::ApiServer]
        .into_iter()
        .flat_map(|side| each(side, &crashes::crashes(), fate))
        .collect()
}

/// The case of these that is tried wherever all aren't.
fn sample(cases: &[Case], side: Side, before: usize, what: &str) -> Case {
    let is_it = |case: &&Case| case.side == side && case.before == before && case.what.contains(what);
    cases.iter().find(is_it).expect("a case of this kind").clone()
}

#[apply(any_release)]
async fn a_rollout_is_silenced_all_the_while_and_no_longer_whatever_goes_wrong_with_a_write_to_grafana() {
    let cases = of_faults(Side::Grafana);
    run(sample(&cases, Side::Grafana, 1, "its answer lost"), cases).await;
}

#[apply(any_release)]
async fn a_rollout_is_silenced_all_the_while_and_no_longer_whatever_goes_wrong_with_a_write_to_the_api_server()
 {
    let cases = of_faults(Side::ApiServer);
    run(sample(&cases, Side::ApiServer, 4, "500"), cases).await;
}

#[apply(any_release)]
async fn a_rollout_is_silenced_all_the_while_and_no_longer_wherever_the_operator_is_killed_and_started_again()
{
    let cases = of_crashes(Fate::IsRestarted);
    run(sample(&cases, Side::Grafana, 1, "before"), cases).await;
}

#[apply(any_release)]
async fn no_silence_outlasts_its_lease_wherever_the_operator_died_for_good() {
    let cases = of_crashes(Fate::Dies);
    run(sample(&cases, Side::Grafana, 1, "after"), cases).await;
}
