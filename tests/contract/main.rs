//! How Grafana behaves, as HTTP exchanges with a name each, tried on each version of the testbed's double or on a real one.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a failure must fail the test, and the table is printed"
)]
#![allow(
    unreachable_pub,
    reason = "the modules of a test binary share what is public in them"
)]

mod contracts;
mod fixtures;
mod harness;
mod prelude;

use std::{collections::HashSet, env, process::ExitCode, sync::Arc};

use alertwright_testbed::grafana::Version;
use harness::{Suite, contract::Contract, report};
use libtest_mimic::{Arguments, Trial};

/// Prints how well each version is known, and tries nothing.
const TABLE: &str = "--table";

fn main() -> ExitCode {
    let contracts: Vec<_> = contracts::all()
        .into_iter()
        .flat_map(|(area, contracts)| {
            contracts
                .into_iter()
                .map(move |contract| (area, Arc::new(contract)))
        })
        .collect();
    if env::args().any(|argument| argument == TABLE) {
        let all = contracts.iter().map(|(_, contract)| contract.as_ref());
        println!("{}", report::known(&all, &Version::RELEASES));
        return ExitCode::SUCCESS;
    }
    let arguments = Arguments::from_args();
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let mut suite = match Suite::from_env(runtime) {
        Ok(suite) => suite,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    };
    let is_real = suite.is_real();
    let mut trials = vec![sound(&contracts)];
    trials.extend(suite.trials(&contracts));
    let versions = suite.versions();
    let conclusion = libtest_mimic::run(&arguments, trials);
    let (calls, mistakes) = suite.end();
    for mistake in &mistakes {
        eprintln!("something was left behind: {mistake}");
    }
    if is_real && !arguments.list {
        println!("Answered otherwise than expected:\n\n{}", calls.differences());
        let version = versions.first().map(ToString::to_string).unwrap_or_default();
        match calls.write(&version) {
            Ok(path) => println!("All calls: {}", path.display()),
            Err(error) => eprintln!("the table of all calls could not be written: {error}"),
        }
    }
    if mistakes.is_empty() {
        conclusion.exit_code()
    } else {
        ExitCode::FAILURE
    }
}

/// The contracts themselves are in order.
fn sound(contracts: &[(&'static str, Arc<Contract>)]) -> Trial {
    let mut mistakes = Vec::new();
    let mut names = HashSet::new();
    for (area, contract) in contracts {
        mistakes.extend(contract.mistakes());
        if !names.insert((*area, contract.subject)) {
            mistakes.push(format!(
                "two contracts of {area} are about \"{}\"",
                contract.subject
            ));
        }
    }
    Trial::test(
        "every contract has one case for each version, and a subject of its own in its area",
        move || {
            if mistakes.is_empty() {
                Ok(())
            } else {
                Err(mistakes.join("\n").into())
            }
        },
    )
}
