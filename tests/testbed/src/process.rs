//! Programs that end with the process that started them.

use std::{
    ffi::{OsStr, OsString},
    fs::File,
    io::Write,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::time::sleep;

use crate::{Error, Result, log::Log, scratch::detach, wait};

/// Becomes the program. The background shell it leaves behind reads from us: end of input means that we are gone, and
/// it kills the program; a line means that the program has ended already and its pid may belong to another.
const LIFELINE: &str = r#"
exec 3<&0
(read -r _line <&3 || kill -KILL "$$") </dev/null >/dev/null 2>&1 &
exec "$0" "$@" 3<&- </dev/null
"#;

/// How long a program has to end on SIGTERM.
const GRACE: Duration = Duration::from_secs(20);

/// What to run.
#[derive(Debug)]
pub struct Program {
    name: String,
    path: PathBuf,
    args: Vec<OsString>,
    env: Vec<(OsString, OsString)>,
    clean: bool,
}

impl Program {
    /// A program without arguments, in this process's environment.
    pub fn new(name: &str, path: impl Into<PathBuf>) -> Self {
        Self {
            name: name.to_owned(),
            path: path.into(),
            args: Vec::new(),
            env: Vec::new(),
            clean: false,
        }
    }

    /// Adds one argument.
    #[must_use]
    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.args.push(arg.as_ref().to_owned());
        self
    }

    /// Adds `--name=value`, or `-name=value`, as the name has it.
    #[must_use]
    pub fn flag(self, name: &str, value: impl AsRef<OsStr>) -> Self {
        let mut arg = OsString::from(format!("{name}="));
        arg.push(value);
        self.arg(arg)
    }

    /// Adds arguments.
    #[must_use]
    pub fn args(self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        args.into_iter().fold(self, Self::arg)
    }

    /// Sets an environment variable.
    #[must_use]
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.env
            .push((name.as_ref().to_owned(), value.as_ref().to_owned()));
        self
    }

    /// Starts from an empty environment but for `PATH` and `HOME`, so that the developer's settings stay out.
    #[must_use]
    pub fn clean_env(mut self) -> Self {
        self.clean = true;
        self
    }

    /// Starts the program; what it prints is appended to the log file.
    pub fn spawn(&self, log: &Path) -> Result<Process> {
        let what = || format!("cannot start {}", self.name);
        let output = File::options()
            .create(true)
            .append(true)
            .open(log)
            .map_err(Error::io(what()))?;
        let mut sh = Command::new("sh");
        sh.arg("-c").arg(LIFELINE).arg(&self.path).args(&self.args);
        if self.clean {
            sh.env_clear();
            for name in ["PATH", "HOME"] {
                sh.envs(std::env::var_os(name).map(|value| (name, value)));
            }
        }
        sh.envs(self.env.iter().map(|(name, value)| (name, value)));
        sh.stdin(Stdio::piped())
            .stdout(output.try_clone().map_err(Error::io(what()))?)
            .stderr(output);
        detach(&mut sh);
        let child = sh.spawn().map_err(Error::io(what()))?;
        Ok(Process {
            child,
            log: Log::register(&self.name, log),
        })
    }
}

/// A running program. It is killed when this value is dropped or the process ends, even by SIGKILL.
#[derive(Debug)]
pub struct Process {
    child: Child,
    log: Arc<Log>,
}

impl Process {
    /// The program's process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Everything the program has printed so far.
    pub fn log(&self) -> String {
        let text = std::fs::read(&self.log.path).unwrap_or_default();
        String::from_utf8_lossy(&text).into_owned()
    }

    /// How the program ended, if it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        let status = self.child.try_wait().expect("our own child can be waited for");
        if status.is_some() {
            self.release();
        }
        status
    }

    /// Kills the program at once (SIGKILL).
    pub fn kill(&mut self) {
        if self.ended().is_none() {
            self.child.kill().expect("our own child can be killed");
            self.child.wait().expect("our own child can be waited for");
            self.release();
        }
    }

    /// Sends the program a signal, by its name without `SIG`.
    pub fn signal(&self, name: &str) {
        // By the shell's built-in: signals other than SIGKILL need unsafe code or another crate.
        let kill = Command::new("sh")
            .arg("-c")
            .arg(format!("kill -{name} {}", self.id()))
            .status();
        assert!(
            kill.is_ok_and(|status| status.success()),
            "cannot signal {}",
            self.log.name
        );
    }

    /// Asks the program to end (SIGTERM) and waits until it has.
    pub async fn terminate(&mut self) -> ExitStatus {
        if self.ended().is_none() {
            self.signal("TERM");
        }
        let deadline = Instant::now() + GRACE;
        loop {
            if let Some(status) = self.ended() {
                return status;
            }
            assert!(
                Instant::now() < deadline,
                "{} ignores SIGTERM:\n{}",
                self.log.name,
                self.log.tail()
            );
            sleep(Duration::from_millis(10)).await;
        }
    }

    /// Waits until the check succeeds; fails as soon as the program ends.
    pub async fn ready<E: std::fmt::Display>(
        &mut self,
        timeout: Duration,
        mut check: impl AsyncFnMut() -> Result<(), E>,
    ) -> Result<()> {
        let deadline = Instant::now() + timeout;
        loop {
            if let Some(status) = self.ended() {
                return Err(Error::Ended {
                    program: self.log.name.clone(),
                    status,
                    tail: self.log.tail(),
                });
            }
            let Err(seen) = check().await else { return Ok(()) };
            if Instant::now() > deadline {
                return Err(Error::NotReady {
                    program: self.log.name.clone(),
                    seconds: timeout.as_secs(),
                    seen: seen.to_string(),
                    tail: self.log.tail(),
                });
            }
            sleep(wait::POLL).await;
        }
    }

    /// Sends the background shell home without a kill.
    fn release(&mut self) {
        if let Some(mut lifeline) = self.child.stdin.take() {
            // It can only be gone already.
            let _ = lifeline.write_all(b"\n");
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}
