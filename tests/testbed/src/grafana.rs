//! Grafana: our double of a release (`grafana/README.md` says what is real in it), or a real one.

mod container;
mod double;
mod faults;
mod organisation;
mod readers;
mod rights;
mod source;
pub(crate) mod version;

use std::{sync::atomic::AtomicUsize, time::Duration};

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    Loki, Prometheus, Result, Usage, http,
    trial::{Need, not_run},
};

use container::Container;
use double::Double;
use organisation::Organisation;

pub use faults::{Alertmanager, Kept};
pub use rights::{Account, FixedRole, Right};
pub use source::{Image, Running, Source};
pub use version::{NotAVersion, Version};

/// How to run a Grafana.
#[derive(Debug, Clone)]
pub struct Options {
    /// Whether it is the double; `None` by default, which is what [`Source::chosen`] says.
    pub source: Option<Source>,
    /// The release that the double plays; [`Version::chosen`] by default. A real one has its own.
    pub version: Version,
    /// How often rules are evaluated; their own intervals must be multiples of it. A real Grafana has 10 s, and may be
    /// told otherwise from 10.4 on.
    pub interval: Duration,
    /// How soon a change of contact points, policies or timings takes effect. Grafana's default is 60 s.
    pub poll: Duration,
    /// The mail server, `HOST:PORT`, see [`crate::SmtpSink`]. Without one no mail is sent.
    pub smtp: Option<String>,
    /// Where `PagerDuty` events go, see [`crate::HttpSink`]. A real Grafana has no setting for it.
    pub pagerduty: Option<String>,
    /// Further settings, `section.key=value`.
    pub settings: Vec<String>,
}

impl Default for Options {
    fn default() -> Self {
        let second = Duration::from_secs(1);
        Self {
            source: None,
            version: Version::chosen(),
            interval: second,
            poll: second,
            smtp: None,
            pagerduty: None,
            settings: Vec::new(),
        }
    }
}

impl Options {
    /// The settings in Grafana's own names, those of the mail server among them.
    fn all_settings(&self) -> Vec<(String, String)> {
        let mail = self.smtp.iter().flat_map(|host| {
            [
                ("smtp.enabled", "true"),
                ("smtp.host", host),
                ("smtp.from_address", "grafana@example.com"),
                ("smtp.startTLS_policy", "NoStartTLS"),
            ]
        });
        let mail = mail.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let further = self.settings.iter().filter_map(|setting| {
            let (name, value) = setting.split_once('=')?;
            Some((name.to_owned(), value.to_owned()))
        });
        mail.chain(further).collect()
    }
}

/// A running Grafana. Its own calls are those of its administrator: a foreign user to the operator.
#[derive(Debug)]
pub struct Grafana {
    server: Server,
    version: Version,
    /// Rules can be evaluated each second.
    is_fast: bool,
    accounts: AtomicUsize,
}

#[derive(Debug)]
enum Server {
    Double(Box<Double>),
    Container(Container),
    Organisation(Organisation),
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
    /// Starts a Grafana with nothing in it, or makes an organisation with nothing in it, and waits until it answers.
    ///
    /// Ends the test as not run if the Grafana at hand can't be as the options say, see [`Grafana::needs`].
    pub async fn start(options: Options) -> Result<Self> {
        let source = match &options.source {
            Some(source) => source.clone(),
            None => Source::chosen()?,
        };
        let server = match &source {
            Source::Double => Server::Double(Box::new(Double::start(&options).await?)),
            Source::Image(image) => Server::Container(Container::start(image, &options).await?),
            Source::Running(running) => Server::Organisation(Organisation::new(running).await?),
        };
        let mut grafana = Self {
            server,
            version: options.version,
            is_fast: true,
            accounts: AtomicUsize::new(1),
        };
        if source != Source::Double {
            let (user, password) = grafana.admin();
            grafana.version = version::asked(&Running {
                url: grafana.url(),
                user: user.to_owned(),
                password: password.to_owned(),
            })
            .await?;
            grafana.is_fast = matches!(&source, Source::Image(image)
                if Source::tagged(&image.name).is_some_and(|version| version.since(10, 4)));
        }
        if options.smtp.is_some() {
            grafana.needs(Need::Mail);
        }
        if options.pagerduty.is_some() {
            grafana.needs(Need::PagerDuty);
        }
        if !options.settings.is_empty() {
            grafana.needs(Need::Settings);
        }
        Ok(grafana)
    }

    /// The release that it is, or plays.
    pub fn version(&self) -> Version {
        self.version
    }

    /// What it is, for people: `Grafana's double (13.3.0)`.
    pub fn description(&self) -> String {
        match &self.server {
            Server::Double(_) => format!("Grafana's double ({})", self.version),
            Server::Container(_) => format!("Grafana {} in a container", self.version),
            Server::Organisation(_) => format!("Grafana {} of your own", self.version),
        }
    }

    /// Goes on only if this Grafana has what the test needs; else the test ends as not run, see [`crate::trial`].
    pub fn needs(&self, need: Need) {
        let has = match (need, &self.server) {
            (_, Server::Double(_)) | (Need::Restart | Need::Mail | Need::Settings, Server::Container(_)) => {
                true
            }
            (Need::FastRules, _) => self.is_fast,
            _ => false,
        };
        if !has {
            not_run(&format!("{}, which {} has not", need.what(), self.description()));
        }
    }

    /// Ends Grafana: from now on connections are refused. Its data and its port are kept. Needs [`Need::Restart`].
    pub async fn stop(&mut self) {
        self.needs(Need::Restart);
        match &mut self.server {
            Server::Double(double) => {
                double.process.terminate().await;
            }
            Server::Container(container) => container.stop().await,
            Server::Organisation(_) => {}
        }
    }

    /// Ends Grafana without giving it time (SIGKILL). Needs [`Need::Restart`].
    pub fn kill(&mut self) {
        self.needs(Need::Restart);
        match &mut self.server {
            Server::Double(double) => double.process.kill(),
            Server::Container(container) => container.kill(),
            Server::Organisation(_) => {}
        }
    }

    /// Starts a stopped Grafana again, with the same data at the same address, and waits until it answers.
    pub async fn start_again(&mut self) -> Result<()> {
        self.needs(Need::Restart);
        match &mut self.server {
            Server::Double(double) => double.start_again().await,
            Server::Container(container) => container.start_again().await,
            Server::Organisation(_) => Ok(()),
        }
    }

    /// Ends Grafana, and starts another release with the same data at the same address. Needs [`Need::Upgrade`].
    pub async fn upgrade(&mut self, version: Version) -> Result<()> {
        self.needs(Need::Upgrade);
        self.version = version;
        match &mut self.server {
            Server::Double(double) => double.upgrade(version).await,
            Server::Container(_) | Server::Organisation(_) => Ok(()),
        }
    }

    /// The address.
    pub fn url(&self) -> String {
        match &self.server {
            Server::Double(double) => double.url(),
            Server::Container(container) => container.url(),
            Server::Organisation(organisation) => organisation.server.url.clone(),
        }
    }

    /// The administrator's name and password.
    pub fn admin(&self) -> (&str, &str) {
        match &self.server {
            Server::Organisation(Organisation { server, .. }) => (&server.user, &server.password),
            _ => ("admin", "admin"),
        }
    }

    /// Everything Grafana has logged: warnings and errors. Empty where the log is somebody else's.
    pub fn log(&self) -> String {
        match &self.server {
            Server::Double(double) => double.process.log(),
            Server::Container(container) => container.log(&[]),
            Server::Organisation(_) => String::new(),
        }
    }

    /// What the double costs; `None` while it is stopped, and for others.
    pub fn usage(&self) -> Option<Usage> {
        match &self.server {
            Server::Double(double) => Usage::of(double.process.id()),
            _ => None,
        }
    }

    /// The token of a new service account with the role Admin.
    pub async fn token(&self) -> String {
        self.token_with_role("Admin").await
    }

    /// The token of a new service account with a role: Admin, Editor or Viewer.
    pub async fn token_with_role(&self, role: &str) -> String {
        self.account(role).await.token
    }

    /// Adds a Loki as a data source.
    pub async fn add_loki_datasource(&self, loki: &Loki, uid: &str, name: &str, default: bool) {
        let datasource = json!({
            "uid": uid, "name": name, "type": "loki", "access": "proxy", "url": loki.url(), "isDefault": default,
        });
        self.post("/api/datasources", datasource).await.ok();
    }

    /// Adds a Prometheus as a data source; it isn't the default.
    pub async fn add_prometheus_datasource(&self, prometheus: &Prometheus, uid: &str, name: &str) {
        let datasource = json!({
            "uid": uid, "name": name, "type": "prometheus", "access": "proxy", "url": prometheus.url(),
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
        let request = http::client()
            .request(method, format!("{}{path}", self.url()))
            .basic_auth(user, Some(password));
        match &self.server {
            Server::Organisation(organisation) => request.header("X-Grafana-Org-Id", organisation.id),
            _ => request,
        }
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
