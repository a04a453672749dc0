//! A real Grafana in a container of its own, by docker or podman.

use std::{
    fmt::Write,
    path::Path,
    process::{Child, Command, Output, Stdio},
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use tokio::time::sleep;

use super::{Image, Options, Source, Version};
use crate::{Error, Result, http, ports, scratch::detach, wait};

/// A first start migrates its database.
const START: Duration = Duration::from_secs(120);
/// How much of its log is quoted.
const TAIL: &str = "20";

/// Waits for the end of its input, and removes the container.
const REMOVE: &str = r#"
read -r _line
exec "$1" rm --force --volumes "$2"
"#;

/// A container; removed when this value is dropped or the process ends, even by SIGKILL.
#[derive(Debug)]
pub(super) struct Container {
    image: Image,
    name: String,
    port: u16,
    remover: Child,
}

impl Container {
    /// Creates and starts one, and waits until it answers. The engine fetches an image that isn't there.
    pub(super) async fn start(image: &Image, options: &Options) -> Result<Self> {
        static COUNT: AtomicUsize = AtomicUsize::new(1);
        let name = format!(
            "alertwright-{}-{}",
            std::process::id(),
            COUNT.fetch_add(1, Ordering::Relaxed)
        );
        let port = ports::free();
        let container = Self {
            remover: remover(&image.engine, &name)?,
            image: image.clone(),
            name,
            port,
        };
        let mut create = container.command("create");
        // It reaches data sources and sinks at 127.0.0.1, as the double does.
        create.args(["--name", &container.name, "--network", "host"]);
        for (name, value) in settings(options, Source::tagged(&image.name), port) {
            create.arg("--env").arg(format!("{}={value}", variable(&name)));
        }
        create.arg(&image.name);
        run(create).await?;
        container.start_again().await?;
        Ok(container)
    }

    /// Starts a stopped one, with the same data at the same address, and waits until it answers.
    pub(super) async fn start_again(&self) -> Result<()> {
        self.tell(&["start"]).await?;
        let health = format!("{}/api/health", self.url());
        let began = Instant::now();
        while let Err(seen) = http::answers(http::client(), &health).await {
            if began.elapsed() > START {
                return Err(Error::NotReady {
                    program: self.image.name.clone(),
                    seconds: START.as_secs(),
                    seen,
                    tail: self.log(&["--tail", TAIL]),
                });
            }
            sleep(wait::POLL).await;
        }
        Ok(())
    }

    pub(super) async fn stop(&self) {
        self.tell(&["stop"]).await.expect("a container that stops");
    }

    pub(super) fn kill(&self) {
        let mut kill = self.command("kill");
        let output = kill.arg(&self.name).output().expect("the engine runs");
        assert!(output.status.success(), "{}", said(&output));
    }

    /// What it has printed, as the engine's `logs` gives it with these options.
    pub(super) fn log(&self, options: &[&str]) -> String {
        let output = self.command("logs").args(options).arg(&self.name).output();
        output.map_or_else(|error| error.to_string(), |output| said(&output))
    }

    pub(super) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    fn command(&self, verb: &str) -> Command {
        let mut command = Command::new(&self.image.engine);
        command.arg(verb).stdin(Stdio::null());
        command
    }

    async fn tell(&self, words: &[&str]) -> Result<()> {
        let mut command = Command::new(&self.image.engine);
        command.args(words).arg(&self.name).stdin(Stdio::null());
        run(command).await
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        drop(self.remover.stdin.take());
        // Nothing to be done about a container that stays.
        let _ = self.remover.wait();
    }
}

/// Grafana's settings, `section.key` and value.
fn settings(options: &Options, version: Option<Version>, port: u16) -> Vec<(String, String)> {
    let seconds = |duration: Duration| format!("{}s", duration.as_secs().max(1));
    let poll = "unified_alerting.alertmanager_config_poll_interval";
    let mut settings = vec![
        ("server.http_addr".to_owned(), "127.0.0.1".to_owned()),
        ("server.http_port".to_owned(), port.to_string()),
        ("log.level".to_owned(), "warn".to_owned()),
        ("analytics.reporting_enabled".to_owned(), "false".to_owned()),
        ("analytics.check_for_updates".to_owned(), "false".to_owned()),
        (poll.to_owned(), seconds(options.poll)),
    ];
    settings.extend(options.all_settings());
    // Built in before 10.4, and always if the tag doesn't say what it is.
    if version.is_some_and(|version| version.since(10, 4)) {
        for name in ["scheduler_tick_interval", "min_interval"] {
            settings.push((format!("unified_alerting.{name}"), seconds(options.interval)));
        }
        let mut toggles = "configurableSchedulerTick".to_owned();
        settings.retain(|(name, value)| {
            let is_toggles = name == "feature_toggles.enable";
            if is_toggles {
                let _ = write!(toggles, ",{value}");
            }
            !is_toggles
        });
        settings.push(("feature_toggles.enable".to_owned(), toggles));
    }
    settings
}

/// The variable that overrides a setting in Grafana's environment (Grafana's documentation, "Override configuration
/// with environment variables").
fn variable(setting: &str) -> String {
    format!("GF_{}", setting.to_uppercase().replace(['.', '-'], "_"))
}

async fn run(command: Command) -> Result<()> {
    let what = format!("{command:?}");
    let output = tokio::process::Command::from(command).output().await;
    let output = output.map_err(Error::io(format!("cannot run {what}")))?;
    if output.status.success() {
        Ok(())
    } else {
        Err(Error::Ended {
            program: what,
            status: output.status,
            tail: said(&output),
        })
    }
}

fn said(output: &Output) -> String {
    let text = [&output.stdout[..], &output.stderr[..]].concat();
    String::from_utf8_lossy(&text).trim().to_owned()
}

fn remover(engine: &Path, name: &str) -> Result<Child> {
    let mut sh = Command::new("sh");
    sh.arg("-c").arg(REMOVE).arg("sh").arg(engine).arg(name);
    sh.stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    detach(&mut sh);
    sh.spawn()
        .map_err(Error::io("cannot start what removes the container"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value<'a>(settings: &'a [(String, String)], name: &str) -> Option<&'a str> {
        let found: Vec<_> = settings.iter().filter(|(other, _)| other == name).collect();
        assert!(found.len() < 2, "{name} twice: {found:?}");
        found.first().map(|(_, value)| value.as_str())
    }

    #[test]
    fn settings_become_grafanas_variables() {
        assert_eq!(
            variable("unified_alerting.min_interval"),
            "GF_UNIFIED_ALERTING_MIN_INTERVAL"
        );
        assert_eq!(variable("auth.anonymous.enabled"), "GF_AUTH_ANONYMOUS_ENABLED");
    }

    #[test]
    fn a_release_whose_tick_can_be_set_ticks_as_asked_besides_other_toggles() {
        let options = Options {
            settings: vec!["feature_toggles.enable=nestedFolders".to_owned()],
            ..Options::default()
        };
        let new = settings(&options, Some(Version::new(10, 4, 0)), 1);
        assert_eq!(
            value(&new, "unified_alerting.scheduler_tick_interval"),
            Some("1s")
        );
        assert_eq!(
            value(&new, "feature_toggles.enable"),
            Some("configurableSchedulerTick,nestedFolders")
        );
        let old = settings(&options, Some(Version::new(10, 0, 0)), 1);
        assert_eq!(value(&old, "unified_alerting.scheduler_tick_interval"), None);
        assert_eq!(value(&old, "feature_toggles.enable"), Some("nestedFolders"));
    }
}
