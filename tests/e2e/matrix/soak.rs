//! Hours in minutes: many edits, deletions, faults, crashes and changes by hand, in an order by chance. At the end there must be what there would be
//! had only the last edit of each been made, and when all is deleted there must be what was there before.
//!
//! `make soak` runs many seeds, `make test` one on each release. A seed gives the same steps whenever it is run: `make soak SEED=17`; where
//! it fails, steps are left out as long as it fails.

use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicUsize, Ordering};

use alertwright_testbed::{apply, on_releases};
use futures::FutureExt;
use futures::future::join_all;
use parking_lot::Mutex;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use super::steps::{Model, Step, steps};
use super::{Between, PROGRESS, WORLDS};

/// How many times steps are left out of a seed that fails.
const SHRINKS: usize = 40;

macro_rules! oldest_and_newest {
    ($($test:tt)*) => { on_releases! { v10_0_0 v13_3_0_provisioning v13_3_0_platform; $($test)* } };
}

#[apply(oldest_and_newest)]
async fn whatever_happens_in_whichever_order_the_end_is_as_the_last_edits_ask() {
    let seeds = seeds();
    let (count, worlds) = (seeds.len(), seeds.len().min(WORLDS));
    let queue = Mutex::new(seeds.into_iter());
    let tried = AtomicUsize::new(0);
    let work = async || {
        let mut failures = Vec::new();
        let mut world = None;
        loop {
            let Some(seed) = queue.lock().next() else { break };
            let mut tree = of_seed(seed);
            if let Err(why) = attempt(&mut world, &tree.current()).await {
                let (steps, why) = shrunk(&mut tree, why).await;
                println!("FAILED seed {seed}: {}", why.lines().next().unwrap_or_default());
                failures.push(format!("seed {seed}:\n{steps:#?}\n{why}"));
            }
            let tried = tried.fetch_add(1, Ordering::Relaxed) + 1;
            if tried.is_multiple_of(PROGRESS) {
                println!("{tried} of {count} seeds");
            }
        }
        failures
    };
    let failures = join_all((0..worlds).map(|_| work())).await.concat();
    println!("{count} seeds, {} failed", failures.len());
    assert!(
        failures.is_empty(),
        "{} of {count} seeds failed; run one again with `make soak SEED=…`\n{}",
        failures.len(),
        failures.join("\n\n")
    );
}

/// Which seeds: one that is asked for, so many, or the first.
fn seeds() -> Vec<u64> {
    let number = |name| std::env::var(name).ok()?.parse::<u64>().ok();
    match (number("ALERTWRIGHT_SEED"), number("ALERTWRIGHT_SEEDS")) {
        (Some(seed), _) => vec![seed],
        (None, Some(count)) => (0..count).collect(),
        (None, None) => vec![0],
    }
}

/// The steps of a seed, as they can be shrunk.
fn of_seed(seed: u64) -> Box<dyn ValueTree<Value = Vec<Step>>> {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    steps()
        .boxed()
        .new_tree(&mut runner)
        .expect("steps are made of anything")
}

/// Runs the steps in the world, or in a new one where the last one went wrong; or says what went wrong.
async fn attempt(world: &mut Option<Between>, steps: &[Step]) -> Result<(), String> {
    let mut between = match world.take() {
        Some(world) => world,
        None => Between::start().await,
    };
    let ended = AssertUnwindSafe(run(&mut between, steps)).catch_unwind().await;
    let ended = ended.map_err(|payload| {
        let said = payload.downcast_ref::<String>().cloned();
        said.unwrap_or_else(|| "it panicked".to_owned())
    });
    if ended.is_ok() {
        *world = Some(between);
    }
    ended
}

async fn run(between: &mut Between, steps: &[Step]) {
    let model = Model::after(steps);
    let before = between.clean().await;
    let expected = between.undisturbed_end(&model).await;
    between.delete_all(&before).await;
    between.apply_all().await;
    for (at, step) in steps.iter().enumerate() {
        between.take(step, &Model::after(&steps[..=at])).await;
    }
    between.converges(&model, &expected).await;
    between.delete_all(&before).await;
}

/// The fewest steps that still fail, and how; as many as there are where one seed isn't asked for by itself.
async fn shrunk(tree: &mut Box<dyn ValueTree<Value = Vec<Step>>>, mut why: String) -> (Vec<Step>, String) {
    let mut fewest = tree.current();
    if std::env::var_os("ALERTWRIGHT_SEED").is_none() {
        return (fewest, why);
    }
    let mut goes_on = tree.simplify();
    for _ in 0..SHRINKS {
        if !goes_on {
            break;
        }
        let steps = tree.current();
        goes_on = match attempt(&mut None, &steps).await {
            Ok(()) => tree.complicate(),
            Err(other) => {
                (fewest, why) = (steps, other);
                tree.simplify()
            }
        };
    }
    (fewest, why)
}
