//! `alertwright test`: whether something does what somebody expects.

mod routes;
mod rule;

use super::common::exit::{self, Exit};

/// Try whether things are as they are expected to be.
#[derive(clap::Subcommand, Debug)]
#[command(after_help = format!("Examples:\n  alertwright test routes -f alerting/ routes.test.yaml\n  alertwright test routes -f alerting/ -R routes.test.yaml -o junit\n  kustomize build . | alertwright test routes -f - routes.test.yaml\n  alertwright test rule -f alerting/payments.yaml\n\n{}", exit::HELP))]
pub(super) enum Test {
    Routes(Box<routes::Routes>),
    Rule(Box<rule::Rule>),
}

impl Test {
    pub(super) fn execute(self) -> Result<Exit, String> {
        match self {
            Self::Routes(command) => command.execute(),
            Self::Rule(command) => command.execute(),
        }
    }
}
