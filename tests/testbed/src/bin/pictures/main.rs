//! `make pictures`: draws what is drawn by code, and records the demonstration.

#![allow(clippy::print_stderr, reason = "somebody waits for it")]

use std::{
    error::Error,
    fs,
    path::{Path, PathBuf},
    process::{ExitCode, Stdio},
    time::Instant,
};

use alertwright_testbed::picture::{drawn, folder, recording::Recording};
use clap::{Parser, Subcommand};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::Command,
};

/// Makes the pictures of docs/pictures that need no cluster of a test.
#[derive(Debug, Parser)]
struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Draws everything that is drawn by code, and the recording of the demonstration as a picture.
    Draw,
    /// Runs the demonstration and records it.
    Record {
        /// The operator's binary.
        #[arg(long)]
        operator: PathBuf,
        /// The demonstration's. Default: that beside this program
        #[arg(long)]
        demo: Option<PathBuf>,
    },
}

#[tokio::main]
async fn main() -> ExitCode {
    let made = match Arguments::parse().what {
        What::Draw => draw(),
        What::Record { operator, demo } => record(&operator, demo).await.and_then(|()| draw()),
    };
    match made {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("pictures: {error}");
            ExitCode::FAILURE
        }
    }
}

fn draw() -> Result<(), Box<dyn Error>> {
    for (name, picture) in drawn()? {
        fs::write(folder().join(name), picture)?;
    }
    Ok(())
}

/// What is said before the story begins is of the machine that it is told on.
const BEGIN: &str = "The operator runs";

async fn record(operator: &Path, demo: Option<PathBuf>) -> Result<(), Box<dyn Error>> {
    let beside = std::env::current_exe()?.with_file_name("demo");
    let mut demo = Command::new(demo.unwrap_or(beside))
        .arg("--operator")
        .arg(operator)
        .env("CLICOLOR_FORCE", "1")
        .env_remove("NO_COLOR")
        .env_remove("KEEP")
        .env_remove("GRAFANA_URL")
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let out = demo.stdout.take().ok_or("nothing to read from")?;
    let mut printed = BufReader::new(out).lines();
    let mut lines: Vec<(f64, String)> = Vec::new();
    let mut began = None;
    while let Some(line) = printed.next_line().await? {
        eprintln!("{line}");
        if began.is_none() && line.contains(BEGIN) {
            began = Some(Instant::now());
        }
        if let Some(began) = began {
            lines.push((began.elapsed().as_secs_f64(), line));
        }
    }
    let ended = demo.wait().await?;
    if !ended.success() {
        return Err(format!("the demonstration ended with {ended}; nothing is written").into());
    }
    let recording = Recording {
        title:
            "make demo: a payment alert fires, rollouts are silent while they go well, and a stuck one pages"
                .to_owned(),
        lines,
    };
    fs::create_dir_all(folder())?;
    fs::write(folder().join("demo.cast"), recording.cast())?;
    Ok(())
}
