//! The operator under test, as a process of its own.

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
    process::ExitStatus,
    time::Duration,
};

use crate::{
    Result, Scratch, Usage, http, ports,
    process::{Process, Program},
};

const START: Duration = Duration::from_secs(30);

/// How to run the operator.
#[derive(Debug)]
pub struct Options {
    program: Program,
    wait: bool,
}

impl Options {
    /// `alertwright run`, as whom the kubeconfig names. The binary is as a rule `env!("CARGO_BIN_EXE_alertwright")`.
    ///
    /// Nothing of this process's environment is passed on.
    pub fn new(binary: impl Into<PathBuf>, kubeconfig: &Path) -> Self {
        let program = Program::new("alertwright", binary)
            .clean_env()
            .arg("run")
            .env("KUBECONFIG", kubeconfig);
        Self { program, wait: true }
    }

    /// Adds an argument.
    #[must_use]
    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.program = self.program.arg(arg);
        self
    }

    /// Adds arguments.
    #[must_use]
    pub fn args(self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        args.into_iter().fold(self, Self::arg)
    }

    /// Sets an environment variable.
    #[must_use]
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.program = self.program.env(name, value);
        self
    }

    /// Does not wait until the operator is ready.
    #[must_use]
    pub fn without_wait(mut self) -> Self {
        self.wait = false;
        self
    }

    /// Starts the operator and waits for `/readyz`.
    pub async fn start(self) -> Result<Operator> {
        let scratch = Scratch::new("operator")?;
        let address = format!("127.0.0.1:{}", ports::free());
        let program = self.program.arg("--http-address").arg(&address);
        let mut process = program.spawn(&scratch.join("alertwright.log"))?;
        if self.wait {
            ready(&mut process, &address).await?;
        }
        Ok(Operator {
            process,
            address,
            program,
            scratch,
        })
    }
}

/// A running operator.
#[derive(Debug)]
pub struct Operator {
    process: Process,
    address: String,
    program: Program,
    // Last, so that the folder goes after the program that writes to it.
    scratch: Scratch,
}

impl Operator {
    /// The address of its health and metrics server.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Waits until it is ready; fails as soon as it ends.
    pub async fn ready(&mut self) -> Result<()> {
        ready(&mut self.process, &self.address).await
    }

    /// Its metrics as text.
    pub async fn metrics(&self) -> String {
        let answer = http::client().get(format!("{}/metrics", self.url())).send().await;
        answer
            .expect("the operator's metrics")
            .text()
            .await
            .expect("the operator's metrics")
    }

    /// The value of a metric, by its name and labels as the text has them, such as `x_total{kind="AlertRule"}`.
    pub async fn metric(&self, series: &str) -> Option<f64> {
        let metrics = self.metrics().await;
        metrics
            .lines()
            .find_map(|line| line.strip_prefix(series)?.strip_prefix(' ')?.trim().parse().ok())
    }

    /// Everything it has logged, over all its lives.
    pub fn log(&self) -> String {
        self.process.log()
    }

    /// What it costs.
    pub fn usage(&self) -> Usage {
        Usage::of(self.process.id()).expect("a running operator on Linux")
    }

    /// How it ended, if it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.process.ended()
    }

    /// Kills it at once (SIGKILL).
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Stops it where it is (SIGSTOP), as a starved node would.
    pub fn pause(&self) {
        self.process.signal("STOP");
    }

    /// Lets it go on where it was stopped (SIGCONT).
    pub fn resume(&self) {
        self.process.signal("CONT");
    }

    /// Asks it to end (SIGTERM) and waits until it has.
    pub async fn terminate(&mut self) -> ExitStatus {
        self.process.terminate().await
    }

    /// Starts it again as before, killing it first if it runs, and waits until it is ready.
    pub async fn restart(&mut self) -> Result<()> {
        self.process.kill();
        self.process = self.program.spawn(&self.scratch.join("alertwright.log"))?;
        self.ready().await
    }
}

async fn ready(process: &mut Process, address: &str) -> Result<()> {
    let url = format!("http://{address}/readyz");
    process
        .ready(START, async || http::answers(http::client(), &url).await)
        .await
}
