//! A Grafana with its two doors.

use std::sync::Arc;

use alertwright::grafana::api::{Api, Concern, Preference};
use alertwright::grafana::transport::{Auth, Connection, Tls};
use alertwright::grafana::{Company, Grafana};
use alertwright_testbed::{Proxy, grafana};

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
        let platform = Door::open(&server, &token).await;
        platform.choose().await;
        assert_eq!(provisioning.api(concern), Api::Provisioning);
        assert!(
            matches!(platform.api(concern), Api::Platform(_)),
            "{:?}",
            platform.client.apis.capabilities()
        );
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
            user_agent: "alertwright-doors".to_owned(),
        };
        Self {
            client: Grafana::connect(&connection, Arc::new(()), company()).expect("a client"),
            proxy,
        }
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
        let newer = Door::open(&server, &token).await;
        newer.choose().await;
        let is_there = matches!(newer.api(concern), Api::Platform(_));
        assert!(
            !is_there || server.version().since(13, 0),
            "{:?}",
            newer.client.apis.capabilities()
        );
        let doors = std::iter::once(older).chain(is_there.then_some(newer)).collect();
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
