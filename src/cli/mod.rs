//! The command line: arguments and environment, checked.

#[cfg(feature = "cli")]
mod check;
#[cfg(feature = "cli")]
mod color;
#[cfg(feature = "cli")]
mod connect;
mod crds;
#[cfg(feature = "cli")]
mod diff;
mod exit;
#[cfg(feature = "cli")]
mod export;
#[cfg(feature = "cli")]
mod files;
mod operator;
#[cfg(feature = "cli")]
mod print;
mod reference;
#[cfg(feature = "cli")]
mod route;
#[cfg(feature = "cli")]
mod test;

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use clap::{Command as Parser, CommandFactory, FromArgMatches, Subcommand};

use exit::Exit;
use operator::{probe, remove_finalizers, run};

/// How kubectl calls a plugin's file, and what people write then.
const PLUGIN: &str = "kubectl-alertwright";
const AS_PLUGIN: &str = "kubectl alertwright";

/// Grafana alerting as Kubernetes resources.
#[derive(clap::Parser, Debug)]
#[command(
    name = "alertwright",
    version,
    about,
    long_about = None,
    max_term_width = 110,
    after_help = "For the operator's own Deployment: run, remove-finalizers, probe (each has --help)."
)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    #[cfg(feature = "cli")]
    Check(Box<check::Check>),
    #[cfg(feature = "cli")]
    Diff(Box<diff::Diff>),
    #[cfg(feature = "cli")]
    Route(Box<route::Route>),
    #[cfg(feature = "cli")]
    Export(Box<export::Export>),
    #[cfg(feature = "cli")]
    #[command(subcommand)]
    Test(test::Test),
    Crds(crds::Crds),
    #[command(hide = true)]
    Run(Box<run::Run>),
    #[command(hide = true)]
    RemoveFinalizers(remove_finalizers::RemoveFinalizers),
    #[command(hide = true)]
    Probe(probe::Probe),
}

impl Arguments {
    /// The arguments that the process was started with. Wrong ones end it, with the exit code 2, as does a question for help, with 0.
    pub fn of_process() -> Self {
        let all: Vec<OsString> = std::env::args_os().collect();
        let matches = parser(all.first()).get_matches_from(all);
        Self::from_arg_matches(&matches).unwrap_or_else(|error| error.exit())
    }

    /// Does what the command says. Errors are told on standard error.
    pub fn execute(self) -> ExitCode {
        let done = match self.command {
            #[cfg(feature = "cli")]
            Command::Check(command) => command.execute(),
            #[cfg(feature = "cli")]
            Command::Diff(command) => command.execute(),
            #[cfg(feature = "cli")]
            Command::Route(command) => command.execute(),
            #[cfg(feature = "cli")]
            Command::Export(command) => command.execute(),
            #[cfg(feature = "cli")]
            Command::Test(command) => command.execute(),
            Command::Crds(command) => command.execute().map(|()| Exit::Done),
            Command::Run(command) => command.execute().map(|()| Exit::Done),
            Command::RemoveFinalizers(command) => command.execute().map(|()| Exit::Done),
            Command::Probe(command) => command.execute().map(|()| Exit::Done),
        };
        done.unwrap_or_else(|error| {
            // If it is empty, the command has told it in its own way.
            if !error.is_empty() {
                let _ = writeln!(io::stderr(), "alertwright: {error}");
            }
            Exit::Failed
        })
        .into()
    }
}

/// The parser of arguments for a program of this name: as a plugin of kubectl it speaks of itself as people call it.
fn parser(program: Option<&OsString>) -> Parser {
    let name = program.and_then(|program| Path::new(program).file_stem());
    let command = Arguments::command();
    if name.and_then(|name| name.to_str()) != Some(PLUGIN) {
        return command;
    }
    command.bin_name(AS_PLUGIN).mut_subcommands(|command| {
        match command.get_after_help().map(ToString::to_string) {
            Some(help) => {
                let help = help.replace("  alertwright ", &format!("  {AS_PLUGIN} "));
                command.after_help(help.replace("| alertwright ", &format!("| {AS_PLUGIN} ")))
            }
            None => command,
        }
    })
}

#[cfg(test)]
mod tests;
