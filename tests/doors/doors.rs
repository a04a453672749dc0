//! A Grafana with its two doors.

use std::sync::Arc;

use alertwright::grafana::api::{Api, Concern, Preference};
use alertwright::grafana::transport::{Auth, Connection, Tls};
use alertwright::grafana::{Company, Grafana};
use alertwright_testbed::Proxy;
use alertwright_testbed::grafana::{self, Version};

/// A Grafana, and a client through each of its doors.
pub(crate) struct Doors {
    /// The server, for what somebody else does to it.
    pub(crate) server: alertwright_testbed::Grafana,
    /// The provisioning API and its neighbours, below `/api`.
    pub(crate) provisioning: Door,
    /// The API below `/apis`, for what goes through it.
    pub(crate) platform: Door,
}

/// A client, and what counts its calls.
pub(crate) struct Door {
    /// As the operator has it.
    pub(crate) client: Grafana,
    /// What it goes through.
    pub(crate) proxy: Proxy,
    /// For what it was opened as the newer one.
    newer_for: Option<Concern>,
}

/// Whether a release has the newer API of a concern: where it has, a door that isn't that one is no second door.
fn has_newer(concern: Concern, version: Version) -> bool {
    match concern {
        Concern::Folders => version.since(12, 0),
        Concern::Notifications | Concern::Rules => version.since(13, 0),
    }
}

impl Doors {
    /// Starts a Grafana of the test's release and opens both of its doors for a concern. Nothing is counted yet.
    pub(crate) async fn of(concern: Concern) -> Self {
        Self::with(concern, grafana::Options::default()).await
    }

    /// The same with a Grafana of one's own.
    pub(crate) async fn with(concern: Concern, options: grafana::Options) -> Self {
        let server = alertwright_testbed::Grafana::start(options)
            .await
            .expect("grafana starts");
        let token = server.token().await;
        let provisioning = Door::open(&server, &token).await;
        let platform = Door::newer(&server, &token, concern).await;
        assert_eq!(provisioning.api(concern), Api::Provisioning);
        let platform = platform.expect("this release has the newer API");
        Self {
            server,
            provisioning,
            platform,
        }
    }

    /// Both, each with what it stores through and the other, which finds it.
    pub(crate) fn each_way(&self) -> [(&Door, &Door); 2] {
        [
            (&self.provisioning, &self.platform),
            (&self.platform, &self.provisioning),
        ]
    }
}

/// Rules are ours whose mark has our owner id.
fn company() -> Company {
    Company {
        is_ours: Arc::new(|mark| mark.starts_with("own/")),
        ..Company::default()
    }
}

impl Door {
    /// A client through the provisioning API, and what counts its calls.
    pub(crate) async fn open(server: &alertwright_testbed::Grafana, token: &str) -> Self {
        let proxy = Proxy::start(server.url()).await;
        let connection = Connection {
            url: proxy.url().parse().expect("an address"),
            auth: Auth::Token(token.into()),
            org_id: None,
            tls: Tls::default(),
            headers: Vec::new(),
            proxy: None,
            user_agent: "alertwright-doors".to_owned(),
        };
        Self {
            client: Grafana::connect(&connection, Arc::new(()), company()).expect("a client"),
            proxy,
            newer_for: None,
        }
    }

    /// A client through the newer API of a concern, where the release has it.
    async fn newer(server: &alertwright_testbed::Grafana, token: &str, concern: Concern) -> Option<Self> {
        let mut door = Self::open(server, token).await;
        door.choose().await;
        let is_there = has_newer(concern, server.version());
        let capabilities = door.client.apis.capabilities();
        let api = &capabilities.apis[&concern];
        assert_eq!(matches!(api, Api::Platform(_)), is_there, "{capabilities:?}");
        assert_eq!(capabilities.fallbacks.get(&concern), None, "{capabilities:?}");
        door.newer_for = is_there.then_some(concern);
        is_there.then_some(door)
    }

    /// Takes the newer API wherever it is there, as the first poll does: it is chosen once its lists are answered.
    async fn choose(&self) {
        let settings = self.client.server.settings().await.expect("settings");
        self.client.apis.prefer(Preference {
            platform_rules: true,
            rules_before: None,
        });
        self.client.apis.choose(&settings).await.expect("a choice");
        self.client.folders.list().await.expect("folders");
        self.client.contact_points.list().await.expect("contact points");
        self.client.trees.list().await.expect("trees");
        self.proxy.reset();
    }

    /// Whether notifications go through the newer API.
    pub(crate) fn is_newer(&self) -> bool {
        matches!(self.api(Concern::Notifications), Api::Platform(_))
    }

    /// The API that a concern goes through.
    pub(crate) fn api(&self, concern: Concern) -> Api {
        self.client.apis.capabilities().apis[&concern].clone()
    }
}

impl Drop for Door {
    /// A door that was given up on the way has shown what the other one does.
    fn drop(&mut self) {
        if let Some(concern) = self.newer_for.filter(|_| !std::thread::panicking()) {
            let capabilities = self.client.apis.capabilities();
            let is_open = matches!(capabilities.apis[&concern], Api::Platform(_));
            assert!(is_open, "the test ended through the other door: {capabilities:?}");
        }
    }
}

/// The doors that the test's release has for a concern: the older one always, the newer one where it is there.
pub(crate) struct Open {
    /// The server, for what somebody else does to it.
    pub(crate) server: alertwright_testbed::Grafana,
    /// The older one first.
    pub(crate) doors: Vec<Door>,
}

impl Open {
    /// Starts a Grafana of the test's release and opens its doors. Nothing is counted yet.
    pub(crate) async fn of(concern: Concern) -> Self {
        let server = alertwright_testbed::Grafana::start(grafana::Options::default())
            .await
            .expect("grafana starts");
        let token = server.token().await;
        let older = Door::open(&server, &token).await;
        assert_eq!(older.api(concern), Api::Provisioning);
        let newer = Door::newer(&server, &token, concern).await;
        let doors = std::iter::once(older).chain(newer).collect();
        Self { server, doors }
    }

    /// Each with what it stores through and what finds it, itself included.
    pub(crate) fn each_way(&self) -> impl Iterator<Item = (&Door, &Door)> {
        let doors = &self.doors;
        doors
            .iter()
            .flat_map(move |from| doors.iter().map(move |to| (from, to)))
    }
}
