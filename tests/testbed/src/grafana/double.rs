//! The double of Grafana: a process of ours (`tests/testbed/grafana`).

use std::time::Duration;

use super::{Options, Version};
use crate::{
    Result, Scratch, http, parts, ports,
    process::{Process, Program},
};

const START: Duration = Duration::from_secs(60);

/// A running double.
#[derive(Debug)]
pub(super) struct Double {
    port: u16,
    options: Options,
    program: Program,
    pub(super) process: Process,
    // Last, so that the folder goes after the program that writes to it.
    scratch: Scratch,
}

impl Double {
    /// Starts one with an empty store, and waits until it answers.
    pub(super) async fn start(options: &Options) -> Result<Self> {
        loop {
            match Self::start_once(options).await {
                Err(error) if error.is_port_clash() => {}
                done => return done,
            }
        }
    }

    async fn start_once(options: &Options) -> Result<Self> {
        let scratch = Scratch::new("grafana")?;
        let port = ports::free();
        let program = program(options, &scratch, port)?;
        let process = program.spawn(&scratch.join("grafana.log"))?;
        let mut double = Self {
            port,
            options: options.clone(),
            program,
            process,
            scratch,
        };
        double.ready().await?;
        Ok(double)
    }

    /// Starts it again, with the same data at the same address, and waits until it answers.
    pub(super) async fn start_again(&mut self) -> Result<()> {
        self.process.kill();
        self.process = self.program.spawn(&self.scratch.join("grafana.log"))?;
        self.ready().await
    }

    /// Starts another release on the same data at the same address, and waits until it answers.
    pub(super) async fn upgrade(&mut self, version: Version) -> Result<()> {
        self.process.terminate().await;
        self.options.version = version;
        self.program = program(&self.options, &self.scratch, self.port)?;
        self.start_again().await
    }

    async fn ready(&mut self) -> Result<()> {
        let health = format!("{}/api/health", self.url());
        self.process
            .ready(START, async || http::answers(http::client(), &health).await)
            .await
    }

    pub(super) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

fn program(options: &Options, scratch: &Scratch, port: u16) -> Result<Program> {
    let go = |duration: Duration| format!("{}ms", duration.as_millis());
    let mut program = Program::new("grafana", parts::path("grafana")?)
        .flag("-addr", format!("127.0.0.1:{port}"))
        .flag("-version", options.version.to_string())
        .flag("-data", scratch.join("data"))
        .flag("-interval", go(options.interval))
        .flag("-poll", go(options.poll));
    if let Some(url) = &options.pagerduty {
        program = program.flag("-pagerduty", url);
    }
    let settings = options.all_settings().into_iter();
    Ok(program.args(settings.map(|(name, value)| format!("cfg:{name}={value}"))))
}
