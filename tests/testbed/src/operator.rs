//! The operator under test, as a process of its own.

use std::{
    env,
    ffi::OsStr,
    path::{Path, PathBuf},
    process::ExitStatus,
    time::Duration,
};

use crate::{
    Error, Result, Scratch, Usage, http, ports,
    process::{Process, Program},
};

const START: Duration = Duration::from_secs(30);

/// The operator as it is shipped, which `make static` builds: `ALERTWRIGHT_OPERATOR`, or the static binary in the target folder.
pub fn shipped() -> Result<PathBuf> {
    let path = env::var_os("ALERTWRIGHT_OPERATOR").map_or_else(
        || {
            let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
            // A relative one counts from the project's folder, where cargo and make run.
            let target = env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
            let target = root.join(target);
            if cfg!(target_os = "linux") {
                let triple = format!("{}-unknown-linux-gnu", env::consts::ARCH);
                target.join(triple).join("release/alertwright")
            } else {
                target.join("release/alertwright")
            }
        },
        PathBuf::from,
    );
    if path.is_file() {
        Ok(path)
    } else {
        Err(Error::NotShipped(path))
    }
}

/// How to run the operator.
#[derive(Debug)]
pub struct Options {
    program: Program,
    wait: bool,
}

impl Options {
    /// `alertwright run`, as whom the kubeconfig names. The binary is `env!("CARGO_BIN_EXE_alertwright")`, or
    /// [`shipped`] where the test is about what users get.
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
