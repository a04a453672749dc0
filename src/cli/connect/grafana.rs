//! The Grafana: where it is, and as whom it is asked.

use std::env;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use kube::Api;
use secrecy::SecretString;
use serde_json::json;
use url::Url;

use super::Connected;
use crate::api::{DEFAULT_INSTANCE, GrafanaInstance, GrafanaInstanceSpec};
use crate::cluster::answer::chain;
use crate::controller::instance::connect;
use crate::grafana::transport::{Auth, Connection, Supervisor, Tls};
use crate::grafana::{Class, Company, Grafana};

/// What a token that somebody has is called in the environment.
const TOKEN: &str = "GRAFANA_TOKEN";
/// Where Grafana is, as its own tools call it.
const SERVER: &str = "GRAFANA_SERVER";

/// Which Grafana is meant, and as whom.
#[derive(clap::Args, Debug, Default)]
#[expect(clippy::doc_markdown, reason = "these are what help says")]
pub(in super::super) struct ToGrafana {
    /// The GrafanaInstance. Its Secret is read unless there is a token of your own, in GRAFANA_TOKEN or --grafana-token-file.
    #[arg(short, long, value_name = "NAME", default_value = DEFAULT_INSTANCE)]
    pub(in super::super) instance: String,
    /// Grafana's address, with a token of your own. Default: GRAFANA_SERVER, else that of the GrafanaInstance.
    #[arg(long, env = "GRAFANA_URL", value_name = "URL")]
    grafana_url: Option<String>,
    /// A file that holds a token of your own, which may read Grafana's alerting. Default: GRAFANA_TOKEN, else the GrafanaInstance's Secret.
    #[arg(long, value_name = "FILE")]
    grafana_token_file: Option<PathBuf>,
}

/// A Grafana that can be asked, and to which nothing is ever written.
pub(in super::super) struct Reached {
    /// What the GrafanaInstance says; where there is none, nothing but the address.
    pub(in super::super) spec: GrafanaInstanceSpec,
    /// The GrafanaInstance, where there is one.
    pub(in super::super) declared: Option<GrafanaInstance>,
    /// The client.
    pub(in super::super) grafana: Grafana,
}

/// Lets nothing be written: whatever a command does, its Grafana stays as it is.
struct Reader;

impl Supervisor for Reader {
    fn may_write(&self) -> bool {
        false
    }

    fn ended(&self, _: &'static str, _: Option<Class>, _: Duration) {}
}

impl ToGrafana {
    /// Whether it can be reached without a cluster.
    pub(in super::super) fn is_given(&self) -> bool {
        self.url().is_some()
    }

    fn url(&self) -> Option<String> {
        let named = self.grafana_url.clone().or_else(|| env::var(SERVER).ok());
        named.filter(|url| !url.is_empty())
    }

    /// The token that somebody has given.
    fn token(&self) -> Result<Option<SecretString>, String> {
        let read = match &self.grafana_token_file {
            Some(file) => {
                let name = file.display();
                Some(fs::read_to_string(file).map_err(|e| format!("cannot read the token in {name}: {e}"))?)
            }
            None => env::var(TOKEN).ok(),
        };
        let token = read.map(|token| token.trim().to_owned());
        match token {
            Some(empty) if empty.is_empty() && self.grafana_token_file.is_some() => {
                Err("the file of --grafana-token-file is empty: write a token into it".to_owned())
            }
            token => Ok(token.filter(|token| !token.is_empty()).map(SecretString::from)),
        }
    }

    /// Prepares a client, with what the GrafanaInstance of the cluster says, if there is a cluster, or of these files.
    pub(in super::super) async fn reach(
        &self,
        cluster: Option<&Connected>,
        written: Option<GrafanaInstance>,
    ) -> Result<Reached, String> {
        let (url, token) = (self.url(), self.token()?);
        let declared = match (written, cluster) {
            (Some(written), _) => Some(written),
            (None, Some(cluster)) => self.declared(cluster, url.is_some()).await?,
            (None, None) => None,
        };
        let mut spec = match (&declared, &url) {
            (Some(declared), _) => declared.spec.clone(),
            (None, Some(url)) => nothing_but(url)?,
            (None, None) => {
                return Err(format!(
                    "GrafanaInstance {} isn't known: name it with --instance, or set GRAFANA_URL and GRAFANA_TOKEN",
                    self.instance
                ));
            }
        };
        if let Some(url) = &url {
            spec.url.clone_from(url);
        }
        let connection = match token {
            Some(token) => own(&spec, token)?,
            None if url.is_some() => {
                return Err(format!(
                    "there is no token for {}: set {TOKEN}, or name a file with --grafana-token-file",
                    spec.url
                ));
            }
            None => self.of_instance(&spec, cluster).await?,
        };
        let grafana = Grafana::connect(&connection, Arc::new(Reader), Company::default());
        let grafana = grafana.map_err(|e| format!("cannot reach Grafana: {}", chain(&e)))?;
        Ok(Reached {
            spec,
            declared,
            grafana,
        })
    }

    /// The GrafanaInstance in the cluster. Where Grafana's address is given it may be missing, or not for everybody to read.
    async fn declared(
        &self,
        cluster: &Connected,
        is_optional: bool,
    ) -> Result<Option<GrafanaInstance>, String> {
        let (name, home) = (&self.instance, &cluster.home);
        let api: Api<GrafanaInstance> = Api::namespaced(cluster.client.clone(), home);
        match api.get_opt(name).await {
            Ok(Some(found)) => Ok(Some(found)),
            _ if is_optional => Ok(None),
            Ok(None) => Err(format!(
                "there is no GrafanaInstance {name} in namespace {home}: name another one with --instance, or the operator's namespace with --operator-namespace, or set GRAFANA_URL and GRAFANA_TOKEN"
            )),
            Err(error) => Err(format!(
                "cannot read GrafanaInstance {name} in namespace {home}: {}; set GRAFANA_URL and GRAFANA_TOKEN to go without it",
                chain(&error)
            )),
        }
    }

    /// As the GrafanaInstance itself logs in.
    async fn of_instance(
        &self,
        spec: &GrafanaInstanceSpec,
        cluster: Option<&Connected>,
    ) -> Result<Connection, String> {
        let Some(cluster) = cluster else {
            return Err(format!(
                "there is no token for {}: set {TOKEN}, or name a file with --grafana-token-file",
                spec.url
            ));
        };
        let said = |message: String| {
            format!(
                "cannot log in as GrafanaInstance {} does: {message}; with a token of your own in {TOKEN} no Secret is read",
                self.instance
            )
        };
        let values = connect::read(spec, &cluster.client, &cluster.home).await;
        let values = values.map_err(|failure| said(failure.message))?;
        connect::connection(spec, &values).map_err(|failure| said(failure.message))
    }
}

/// What is known of a Grafana without a GrafanaInstance.
fn nothing_but(url: &str) -> Result<GrafanaInstanceSpec, String> {
    serde_json::from_value(json!({"url": url, "auth": {}})).map_err(|e| e.to_string())
}

/// As somebody with a token of their own, who needs no Secret.
fn own(spec: &GrafanaInstanceSpec, token: SecretString) -> Result<Connection, String> {
    let url = Url::parse(&spec.url).map_err(|e| format!("{} is no address: {e}", spec.url))?;
    let tls = spec.tls.as_ref().map(|tls| Tls {
        ca_pem: tls.ca.as_ref().and_then(|ca| ca.value.clone()),
        insecure_skip_verify: tls.insecure_skip_verify.unwrap_or(false),
        ..Tls::default()
    });
    Ok(Connection {
        url,
        auth: Auth::Token(token),
        org_id: None,
        tls: tls.unwrap_or_default(),
        headers: Vec::new(),
        proxy: None,
        user_agent: concat!("alertwright/", env!("CARGO_PKG_VERSION")).to_owned(),
    })
}
