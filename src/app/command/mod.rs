//! The commands of the operator's own Deployment, and the CustomResourceDefinitions. They are in every build.

mod crds;
mod probe;
mod reference;
mod remove_finalizers;
mod run;
mod schema;

use clap::Subcommand;

/// What the operator's own program can do.
#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    Crds(crds::Crds),
    #[command(hide = true)]
    Run(Box<run::Run>),
    #[command(hide = true)]
    RemoveFinalizers(remove_finalizers::RemoveFinalizers),
    #[command(hide = true)]
    Probe(probe::Probe),
}

impl Command {
    /// Does what the command says; an error has been told already if it is empty.
    pub(crate) fn execute(self) -> Result<(), String> {
        match self {
            Self::Crds(command) => command.execute(),
            Self::Run(command) => command.execute(),
            Self::RemoveFinalizers(command) => command.execute(),
            Self::Probe(command) => command.execute(),
        }
    }
}
