//! `alertwright test`: whether something does what somebody expects.

mod contact_point;
mod lacking;
mod routes;
mod rule;

use super::common::exit::{self, Exit};

/// Try whether things are as they are expected to be.
#[derive(clap::Subcommand, Debug)]
#[command(
    after_help = format!("Examples:\n  alertwright test routes -f alerting/ routes.test.yaml\n  kustomize build . | alertwright test routes -f - routes.test.yaml\n  alertwright test rule -f alerting/payments.yaml\n  alertwright test contact-point -n revel pagerduty-oncall\n\n{}", exit::HELP_IN_PART)
)]
pub(super) enum Test {
    Routes(Box<routes::Routes>),
    Rule(Box<rule::Rule>),
    ContactPoint(Box<contact_point::TestContactPoint>),
}

impl Test {
    pub(super) fn execute(self) -> Result<Exit, String> {
        match self {
            Self::Routes(command) => command.execute(),
            Self::Rule(command) => command.execute(),
            Self::ContactPoint(command) => command.execute(),
        }
    }
}
