//! The command line: arguments and environment, checked.

mod crds;
mod probe;
mod reference;
mod remove_finalizers;
mod run;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Grafana alerting as Kubernetes resources.
#[derive(Parser, Debug)]
#[command(name = "alertwright", version, about, long_about = None, max_term_width = 110)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    Run(Box<run::Run>),
    Crds(crds::Crds),
    RemoveFinalizers(remove_finalizers::RemoveFinalizers),
    Probe(probe::Probe),
}

impl Arguments {
    /// Does what the command says. Errors are told on standard error; the exit code is 1 then, and 2 for wrong arguments.
    pub fn execute(self) -> ExitCode {
        let done = match self.command {
            Command::Run(command) => command.execute(),
            Command::Crds(command) => command.execute(),
            Command::RemoveFinalizers(command) => command.execute(),
            Command::Probe(command) => command.execute(),
        };
        match done {
            Ok(()) => ExitCode::SUCCESS,
            // The command has told it in its own way.
            Err(error) if error.is_empty() => ExitCode::FAILURE,
            Err(error) => {
                let _ = writeln!(io::stderr(), "alertwright: {error}");
                ExitCode::FAILURE
            }
        }
    }
}
