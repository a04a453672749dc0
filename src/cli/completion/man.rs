//! `alertwright man`: manual pages.

use std::fs;
use std::path::PathBuf;

use clap::Command as Parser;

use super::super::common::exit::{self, Exit};

/// Write the manual pages, one for each command.
#[derive(clap::Args, Debug)]
#[command(after_help = format!("Examples:\n  alertwright man --directory man\n  alertwright man --directory ~/.local/share/man/man1\n  alertwright man --directory man && man -l man/alertwright-check.1\n\n{}", exit::HELP_WITHOUT_NO))]
pub(in super::super) struct Man {
    /// The folder that they are written into.
    #[arg(long, value_name = "DIRECTORY")]
    directory: PathBuf,
}

impl Man {
    /// `parser` reads what they are about.
    pub(in super::super) fn execute(self, parser: Parser) -> Result<Exit, String> {
        let folder = self.directory;
        let written = fs::create_dir_all(&folder).and_then(|()| clap_mangen::generate_to(parser, &folder));
        written
            .map_err(|error| format!("cannot write the manual pages into {}: {error}", folder.display()))?;
        Ok(Exit::Done)
    }
}
