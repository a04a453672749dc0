//! The server that contracts are tried on: one that is started for them, a double or a container, or a real one of somebody's.

use std::{
    collections::HashMap,
    env, fmt,
    time::{Duration, Instant},
};

use alertwright_testbed::{
    Grafana,
    grafana::{Options, Source, Version},
    http,
};
use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};

use super::{call::Caller, contract::Setup};

/// How long a new organisation may take until it has a policy tree: a real Grafana looks each minute.
const ORGANISATION: Duration = Duration::from_secs(150);

/// How often Grafana looks which rules are due, in seconds; intervals are multiples of it. It can't be set.
const BASE: u64 = 10;

/// How callers say who they are.
#[derive(Clone)]
pub enum Login {
    /// Name and password of an administrator of the server.
    Password(String, String),
    /// The token of an administrator of one organisation.
    Token(String),
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Password(user, _) => write!(f, "the password of {user}"),
            Self::Token(_) => f.write_str("a token"),
        }
    }
}

/// A running server, and the organisation that is used on it.
#[derive(Debug)]
pub struct Server {
    /// What names of this run begin with.
    pub run: String,
    url: String,
    login: Login,
    client: Client,
    organisation: i64,
    base: u64,
    accounts: HashMap<Caller, (i64, String)>,
    started: Option<Grafana>,
}

/// A server of somebody's, as the environment describes it.
#[derive(Debug, Clone)]
pub struct Given {
    url: String,
    login: Login,
}

impl Given {
    /// `GRAFANA_URL` with `GRAFANA_TOKEN`, or with `GRAFANA_USER` and `GRAFANA_PASSWORD`; or another source of servers.
    pub fn from_env() -> Result<Result<Self, Source>, String> {
        let variable = |name| env::var(name).ok().filter(|value| !value.is_empty());
        if let (Some(url), Some(token)) = (variable("GRAFANA_URL"), variable("GRAFANA_TOKEN")) {
            let url = url.trim_end_matches('/').to_owned();
            return Ok(Ok(Self {
                url,
                login: Login::Token(token),
            }));
        }
        match Source::chosen() {
            Ok(Source::Running(running)) => Ok(Ok(Self {
                url: running.url,
                login: Login::Password(running.user, running.password),
            })),
            Ok(other) => Ok(Err(other)),
            Err(error) => Err(format!(
                "{error}. Contracts take GRAFANA_TOKEN, too, of a service account with the role Admin"
            )),
        }
    }

    /// Whether it is known by the token of one organisation alone.
    pub fn is_token(&self) -> bool {
        matches!(self.login, Login::Token(_))
    }

    /// Its version, which it tells everybody unless it was told not to.
    pub async fn version(&self) -> Result<Version, String> {
        let address = format!("{}/api/health", self.url);
        let answer = http::client().get(&address).send().await;
        let answer = answer.map_err(|error| format!("{address}: {error}"))?;
        let health: Value = answer
            .json()
            .await
            .map_err(|error| format!("{address}: {error}"))?;
        let version = health.get("version").and_then(Value::as_str);
        let version = version.ok_or_else(|| format!("{address} hides the version: {health}"))?;
        version.parse().map_err(|error| format!("{address}: {error}"))
    }
}

impl Server {
    /// Starts a double of a release, or a container.
    pub async fn start(source: Source, version: Version, setup: &Setup, run: String) -> Result<Self, String> {
        let base = if setup.quick && source == Source::Double {
            1
        } else {
            BASE
        };
        let options = Options {
            source: Some(source),
            version,
            interval: Duration::from_secs(base),
            poll: Duration::from_millis(100),
            settings: setup.settings.iter().map(ToString::to_string).collect(),
            ..Options::default()
        };
        let started = Grafana::start(options).await.map_err(|error| error.to_string())?;
        let (user, password) = started.admin();
        let login = Login::Password(user.to_owned(), password.to_owned());
        let mut server = Self::new(started.url(), login, run);
        server.started = Some(started);
        server.base = base;
        server.organise().await?;
        Ok(server)
    }

    /// Makes an organisation on somebody's server; with a token, its own one is used.
    pub async fn given(given: Given, run: String) -> Result<Self, String> {
        let mut server = Self::new(given.url, given.login, run);
        server.organise().await?;
        Ok(server)
    }

    fn new(url: String, login: Login, run: String) -> Self {
        let client = http::builder().pool_max_idle_per_host(4).build();
        Self {
            run,
            url,
            login,
            client: client.expect("a plain client"),
            organisation: 0,
            base: BASE,
            accounts: HashMap::new(),
            started: None,
        }
    }

    /// Its version, if it was started here.
    pub fn version(&self) -> Option<Version> {
        self.started.as_ref().map(Grafana::version)
    }

    /// Whether the organisation was made for the tests, so that what there is only once in it may be changed.
    pub fn is_own(&self) -> bool {
        matches!(self.login, Login::Password(..))
    }

    /// All that it has logged; nothing of a server that isn't ours.
    pub fn log(&self) -> String {
        self.started.as_ref().map(Grafana::log).unwrap_or_default()
    }

    /// What `<soon>` stands for: the shortest interval of a group, in seconds.
    pub fn soon(&self) -> u64 {
        self.base
    }

    /// How long an answer that must come about may take: some evaluations of a rule.
    pub fn patience(&self) -> Duration {
        Duration::from_secs(10 * self.base.min(6))
    }

    /// What `<org>` stands for.
    pub fn organisation(&self) -> i64 {
        self.organisation
    }

    /// What `<space>` stands for: the organisation below `/apis`.
    pub fn namespace(&self) -> String {
        match self.organisation {
            1 => "default".to_owned(),
            organisation => format!("org-{organisation}"),
        }
    }

    async fn organise(&mut self) -> Result<(), String> {
        if self.is_own() {
            let body = json!({"name": format!("contract-{}", self.run)});
            let made = self
                .ask(Method::POST, "/api/orgs", Some(body), &Caller::ServerAdmin)
                .await?;
            self.organisation = made
                .get("orgId")
                .and_then(Value::as_i64)
                .ok_or("an organisation has no id")?;
        } else {
            let own = self.ask(Method::GET, "/api/org", None, &Caller::Admin).await?;
            self.organisation = own
                .get("id")
                .and_then(Value::as_i64)
                .ok_or("an organisation has no id")?;
        }
        let deadline = Instant::now() + ORGANISATION;
        loop {
            let tree = self
                .ask(Method::GET, "/api/v1/provisioning/policies", None, &Caller::Admin)
                .await;
            match tree {
                Ok(_) => return Ok(()),
                Err(error) if Instant::now() > deadline => {
                    return Err(format!("the organisation has no policy tree: {error}"));
                }
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    }

    /// Removes what was made on a server that isn't ours.
    pub async fn leave(&mut self) -> Result<(), String> {
        for (account, _) in std::mem::take(&mut self.accounts).into_values() {
            let path = format!("/api/serviceaccounts/{account}");
            self.ask(Method::DELETE, &path, None, &Caller::Admin).await?;
        }
        if self.is_own() {
            let path = format!("/api/orgs/{}", self.organisation);
            self.ask(Method::DELETE, &path, None, &Caller::ServerAdmin)
                .await?;
        }
        if let Some(started) = &mut self.started {
            started.stop().await;
        }
        Ok(())
    }

    /// Makes the callers of an exchange known to the server.
    pub async fn admit(&mut self, caller: &Caller) -> Result<(), String> {
        let role = match caller {
            Caller::Editor => "Editor",
            Caller::Viewer => "Viewer",
            Caller::NoRole => "None",
            _ => return Ok(()),
        };
        if self.accounts.contains_key(caller) {
            return Ok(());
        }
        let body = json!({"name": format!("contract-{}-{role}", self.run), "role": role});
        let account = self
            .ask(
                Method::POST,
                "/api/serviceaccounts",
                Some(body.clone()),
                &Caller::Admin,
            )
            .await?;
        let id = account
            .get("id")
            .and_then(Value::as_i64)
            .ok_or("a service account has no id")?;
        let path = format!("/api/serviceaccounts/{id}/tokens");
        let token = self.ask(Method::POST, &path, Some(body), &Caller::Admin).await?;
        let token = token
            .get("key")
            .and_then(Value::as_str)
            .ok_or("a token has no key")?;
        self.accounts.insert(caller.clone(), (id, token.to_owned()));
        Ok(())
    }

    /// A request of somebody.
    pub fn request(&self, method: Method, path: &str, caller: &Caller) -> RequestBuilder {
        let request = self.client.request(method, format!("{}{path}", self.url));
        match caller {
            // A token that was kept is put in by who knows it.
            Caller::Nobody | Caller::Token(_) => request,
            Caller::User(name, password) => request.basic_auth(name, Some(password)),
            Caller::Editor | Caller::Viewer | Caller::NoRole => {
                let (_, token) = self.accounts.get(caller).expect("an account that was admitted");
                request.bearer_auth(token)
            }
            Caller::Admin | Caller::ServerAdmin => match &self.login {
                Login::Token(token) => request.bearer_auth(token),
                Login::Password(name, password) => {
                    let request = request.basic_auth(name, Some(password));
                    if *caller == Caller::Admin {
                        request.header("X-Grafana-Org-Id", self.organisation)
                    } else {
                        request
                    }
                }
            },
        }
    }

    /// A call that must succeed, outside of any contract.
    pub async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
        caller: &Caller,
    ) -> Result<Value, String> {
        let what = format!("{method} {path}");
        let mut request = self.request(method, path, caller);
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await.map_err(|error| format!("{what}: {error}"))?;
        let status = answer.status();
        let text = answer.text().await.map_err(|error| format!("{what}: {error}"))?;
        if status.is_success() {
            Ok(serde_json::from_str(&text).unwrap_or_default())
        } else {
            Err(format!("{what} answers {status}: {text}"))
        }
    }
}
