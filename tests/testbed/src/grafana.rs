//! Grafana, played by our double of a release (`grafana/README.md` says what is real in it).

mod readers;
mod version;

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    Loki, Result, Scratch, Usage, http, parts, ports,
    process::{Process, Program},
};

pub use version::{NotAVersion, Version};

const START: Duration = Duration::from_secs(60);

/// How to run a Grafana.
#[derive(Debug, Clone)]
pub struct Options {
    /// The release; [`Version::chosen`] by default.
    pub version: Version,
    /// How often rules are evaluated; their own intervals must be multiples of it. Grafana has 10 s built in.
    pub interval: Duration,
    /// How soon a change of contact points, policies or timings takes effect. Grafana's default is 60 s.
    pub poll: Duration,
    /// The mail server, `HOST:PORT`, see [`crate::SmtpSink`]. Without one no mail is sent.
    pub smtp: Option<String>,
    /// Where `PagerDuty` events go, see [`crate::HttpSink`]. This version has no setting for it.
    pub pagerduty: Option<String>,
    /// Further settings, `section.key=value`.
    pub settings: Vec<String>,
}

impl Default for Options {
    fn default() -> Self {
        let second = Duration::from_secs(1);
        Self {
            version: Version::chosen(),
            interval: second,
            poll: second,
            smtp: None,
            pagerduty: None,
            settings: Vec::new(),
        }
    }
}

/// A running Grafana. Its own calls are those of its administrator: a foreign user to the operator.
#[derive(Debug)]
pub struct Grafana {
    port: u16,
    program: Program,
    process: Process,
    accounts: AtomicUsize,
    // Last, so that the folder goes after the program that writes to it.
    scratch: Scratch,
}

/// What Grafana answered.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The body; null where it is empty or not JSON.
    pub body: Value,
}

impl Answer {
    /// The body of a call that must succeed.
    #[track_caller]
    pub fn ok(self) -> Value {
        assert!(
            self.status.is_success(),
            "Grafana answers {}: {}",
            self.status,
            self.body
        );
        self.body
    }
}

impl Grafana {
    /// Starts a Grafana with a new database and waits until it answers.
    pub async fn start(options: Options) -> Result<Self> {
        loop {
            match Self::start_once(&options).await {
                Err(error) if error.is_port_clash() || error.is_organisation_clash() => {}
                done => return done,
            }
        }
    }

    async fn start_once(options: &Options) -> Result<Self> {
        let scratch = Scratch::new("grafana")?;
        let port = ports::free();
        let program = program(options, &scratch, port)?;
        let process = program.spawn(&scratch.join("grafana.log"))?;
        let mut grafana = Self {
            port,
            program,
            process,
            accounts: AtomicUsize::new(1),
            scratch,
        };
        grafana.ready().await?;
        Ok(grafana)
    }

    /// Ends Grafana: from now on connections are refused. Its data and its port are kept.
    pub async fn stop(&mut self) {
        self.process.terminate().await;
    }

    /// Ends Grafana without giving it time (SIGKILL).
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Starts a stopped Grafana again, with the same data at the same address, and waits until it answers.
    pub async fn start_again(&mut self) -> Result<()> {
        self.process.kill();
        self.process = self.program.spawn(&self.scratch.join("grafana.log"))?;
        self.ready().await
    }

    async fn ready(&mut self) -> Result<()> {
        let health = format!("{}/api/health", self.url());
        self.process
            .ready(START, async || http::answers(http::client(), &health).await)
            .await
    }

    /// The address.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The administrator's name and password.
    pub fn admin(&self) -> (&'static str, &'static str) {
        ("admin", "admin")
    }

    /// Everything Grafana has logged: warnings and errors.
    pub fn log(&self) -> String {
        self.process.log()
    }

    /// What it costs; `None` while it is stopped.
    pub fn usage(&self) -> Option<Usage> {
        Usage::of(self.process.id())
    }

    /// The token of a new service account with the role Admin.
    pub async fn token(&self) -> String {
        self.token_with_role("Admin").await
    }

    /// The token of a new service account with a role: Admin, Editor or Viewer.
    pub async fn token_with_role(&self, role: &str) -> String {
        let name = format!("testbed-{}", self.accounts.fetch_add(1, Ordering::Relaxed));
        let account = self
            .post("/api/serviceaccounts", json!({"name": name, "role": role}))
            .await
            .ok();
        let id = account.get("id").cloned().unwrap_or_default();
        let token = self
            .post(
                &format!("/api/serviceaccounts/{id}/tokens"),
                json!({"name": name}),
            )
            .await
            .ok();
        token
            .get("key")
            .and_then(Value::as_str)
            .expect("the new token's key")
            .to_owned()
    }

    /// Adds a Loki as a data source.
    pub async fn add_loki_datasource(&self, loki: &Loki, uid: &str, name: &str, default: bool) {
        let datasource = json!({
            "uid": uid, "name": name, "type": "loki", "access": "proxy", "url": loki.url(), "isDefault": default,
        });
        self.post("/api/datasources", datasource).await.ok();
    }

    /// Reads a path.
    pub async fn get(&self, path: &str) -> Answer {
        self.call(Method::GET, path, None).await
    }

    /// Posts to a path.
    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.call(Method::POST, path, Some(body)).await
    }

    /// Puts to a path.
    pub async fn put(&self, path: &str, body: Value) -> Answer {
        self.call(Method::PUT, path, Some(body)).await
    }

    /// Deletes a path.
    pub async fn delete(&self, path: &str) -> Answer {
        self.call(Method::DELETE, path, None).await
    }

    /// Posts or puts as the web frontend does: what is written has no provenance, so it can be edited there.
    pub async fn write_as_frontend(&self, method: Method, path: &str, body: Value) -> Answer {
        self.send(
            self.request(method, path)
                .header("X-Disable-Provenance", "true")
                .json(&body),
        )
        .await
    }

    async fn call(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        let request = self.request(method, path);
        self.send(if let Some(body) = body {
            request.json(&body)
        } else {
            request
        })
        .await
    }

    fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let (user, password) = self.admin();
        http::client()
            .request(method, format!("{}{path}", self.url()))
            .basic_auth(user, Some(password))
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> Answer {
        let answer = request.send().await.expect("an answer of Grafana");
        let status = answer.status();
        let body = answer.bytes().await.expect("a whole answer of Grafana");
        Answer {
            status,
            body: serde_json::from_slice(&body).unwrap_or_default(),
        }
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
    if let Some(host) = &options.smtp {
        program = program
            .arg("cfg:smtp.enabled=true")
            .arg(format!("cfg:smtp.host={host}"))
            .arg("cfg:smtp.from_address=grafana@example.com")
            .arg("cfg:smtp.startTLS_policy=NoStartTLS");
    }
    Ok(program.args(options.settings.iter().map(|setting| format!("cfg:{setting}"))))
}
