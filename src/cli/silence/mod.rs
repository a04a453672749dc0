//! `alertwright silence`: Silences on the spot, what there are, and their end.

mod adopt;
mod change;
mod covers;
mod end;
mod list;
mod make;
mod objects;
mod reconcile;
mod suspend;
mod text;
mod told;

use super::common::exit::{self, Exit};
use super::common::print::wrong;
pub(super) use adopt::Adopt;
pub(super) use reconcile::Reconcile;
pub(super) use suspend::{Resume, Suspend};

/// Silence alerts for a while, by a Silence resource; `list` shows those there are, and `end` ends one.
///
/// It is refused where it would cover no AlertRule, counted as the operator counts. Who may write Silences in the namespace, and read AlertRules, needs no other right, and
/// no Grafana. The comment ends with your name, as the API server knows it.
#[derive(clap::Args, Debug)]
#[command(
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    after_help = format!("Examples:\n  alertwright silence --rule high-error-rate -d 2h -c 'database upgrade'\n  alertwright silence -n revel 'team=\"web\"' 'severity!=\"critical\"' -d 30m -c 'deploy' --dry-run\n  alertwright silence -n revel --all -d 1h -c 'load test' --name load-test\n  alertwright silence list --within 8h\n  alertwright silence end load-test\n\n{}", exit::HELP_IN_PART)
)]
pub(super) struct Silence {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    make: make::Make,
}

#[derive(clap::Subcommand, Debug)]
enum Command {
    List(list::List),
    End(end::End),
}

impl Silence {
    pub(super) fn execute(self) -> Result<Exit, String> {
        match self.command {
            Some(Command::List(list)) => list.execute(),
            Some(Command::End(end)) => end.execute(),
            None if self.make.names_nothing() => wrong(
                "nothing is named that is to be silenced: give matchers, such as 'team=\"web\"', or --rule or --all",
            ),
            None => self.make.execute(),
        }
    }
}
