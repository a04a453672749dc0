//! How it is told what has become of something, and where it is written: the same for whatever writes resources.

use std::path::PathBuf;

use super::color::Colors;
use super::print::{aside, note, print};
use super::terminal::Look;
use super::written::{self, Layout, Written};

/// Where resources are written.
#[derive(clap::Args, Debug)]
pub(in super::super) struct Place {
    /// Write a file for each resource into this directory, and a kustomization.yaml. Default: all of them on standard output.
    #[arg(short, long, value_name = "DIRECTORY")]
    pub(in super::super) directory: Option<PathBuf>,
    /// How files are laid out in the directory.
    #[arg(long, value_enum, default_value_t = Layout::Kind, requires = "directory")]
    pub(in super::super) layout: Layout,
    /// Overwrite files that are there, but not that of --secrets-file, in which somebody may have filled in what is nowhere else.
    #[arg(long, requires = "directory")]
    force: bool,
}

impl Place {
    /// Writes files, if a directory is asked for, and the Secrets into theirs.
    pub(in super::super) fn write(
        &self,
        written: &Written,
        secrets: Option<(PathBuf, String)>,
    ) -> Result<(), String> {
        written::write(written.files(), secrets, self.force)
    }
}

/// How it is told.
#[derive(clap::Args, Debug)]
pub(in super::super) struct Telling {
    /// How to report what was made: on standard output with --directory, else on standard error.
    #[arg(short, long, value_enum, default_value_t = Output::Table)]
    output: Output,
    #[command(flatten)]
    colors: Colors,
    /// No titles above the columns.
    #[arg(long)]
    no_headers: bool,
    /// Report nothing but errors.
    #[arg(short, long)]
    quiet: bool,
}

/// How the report is printed.
#[derive(clap::ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
enum Output {
    /// A line for each resource.
    Table,
    /// The same, however wide the terminal is.
    Wide,
    /// One JSON document.
    Json,
}

/// What there is to tell.
pub(in super::super) trait Report {
    /// A line for each resource, and for what is none; with titles above or without.
    fn table(&self, has_titles: bool, look: Look) -> String;
    /// The same as one document.
    fn json(&self) -> Result<String, String>;
    /// What there is to say of all of it.
    fn sentences(&self) -> Vec<String>;
}

impl Telling {
    /// Prints the resources, unless they are in files, and the report where the other isn't.
    pub(in super::super) fn tell(
        &self,
        report: &impl Report,
        written: &Written,
        place: &Place,
    ) -> Result<(), String> {
        if place.directory.is_none() {
            print(&written.stream())?;
        }
        if self.quiet {
            return Ok(());
        }
        let in_files = place.directory.is_some();
        let text = match self.output {
            Output::Table | Output::Wide => {
                let (color, is_wide) = (self.colors.color, self.output == Output::Wide);
                let look = if in_files {
                    Look::of_output(color, is_wide)
                } else {
                    Look::of_errors(color, is_wide)
                };
                report.table(!self.no_headers, look)
            }
            Output::Json => report.json()?,
        };
        if in_files {
            print(&text)?;
        } else {
            aside(&text);
        }
        if self.output != Output::Json {
            report.sentences().iter().for_each(|sentence| note(sentence));
        }
        Ok(())
    }
}
