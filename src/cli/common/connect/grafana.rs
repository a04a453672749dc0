//! The Grafana: where it is, and as whom it is asked.

use std::env;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use kube::Api;
use secrecy::SecretString;

use super::super::dns;
use super::super::print::wrong;
use super::Connected;
use super::names;
use super::way::{is_address, nothing_but, on_the_way, unusable, unused, with_token};
use super::whose::Whose;
use crate::api::{DEFAULT_INSTANCE, GrafanaInstance, GrafanaInstanceSpec};
use crate::cluster::answer::chain;
use crate::cluster::identity::Identity;
use crate::controller::instance::connect;
use crate::grafana::transport::{Connection, Supervisor};
use crate::grafana::{Class, Company, Grafana};

/// What a token that somebody has is called in the environment.
const TOKEN: &str = "GRAFANA_TOKEN";
/// Where Grafana is, as its own tools call it.
const SERVER: &str = "GRAFANA_SERVER";

/// Which Grafana is meant, and as whom.
#[derive(clap::Args, Debug, Default)]
#[expect(clippy::doc_markdown, reason = "these are what help says")]
pub(in super::super::super) struct ToGrafana {
    /// The GrafanaInstance. Default: `default`. Its Secret is read unless there is a token of your own, in GRAFANA_TOKEN or --grafana-token-file.
    #[arg(short, long, value_name = "NAME", value_parser = dns::name, add = names::of("GrafanaInstance"))]
    pub(in super::super::super) instance: Option<String>,
    /// Grafana's address, with a token of your own. Default: GRAFANA_SERVER, else that of the GrafanaInstance.
    #[arg(long, env = "GRAFANA_URL", value_name = "URL", hide_env_values = true)]
    grafana_url: Option<String>,
    /// A file that holds a token of your own, which may read Grafana's alerting. Default: GRAFANA_TOKEN, else the GrafanaInstance's Secret.
    #[arg(long, value_name = "FILE")]
    grafana_token_file: Option<PathBuf>,
}

/// What help says of the GrafanaInstance where what is asked for may say it.
pub(in super::super::super) const INSTANCE: &str = "The GrafanaInstance. Default: that of the rule or contact point that is asked for, else `default`. Its Secret is read unless there is a token of your own, in GRAFANA_TOKEN or --grafana-token-file";

/// A Grafana that can be asked, and to which nothing is ever written.
pub(in super::super::super) struct Reached {
    /// What the GrafanaInstance says, of files where they have it, with the way on which Grafana was reached; where there is none, nothing but the address.
    pub(in super::super::super) spec: GrafanaInstanceSpec,
    /// The GrafanaInstance of the cluster, where there is one.
    pub(in super::super::super) declared: Option<GrafanaInstance>,
    /// What people should know of how it is reached.
    pub(in super::super::super) notes: Vec<String>,
    /// The client.
    pub(in super::super::super) grafana: Grafana,
    /// As whom it is asked.
    pub(in super::super::super) whose: Whose,
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
    /// Whether it can be reached without a cluster. Ends as for wrong arguments where the address isn't one that may be used.
    pub(in super::super::super) fn is_given(&self) -> bool {
        self.url().unwrap_or_else(|why| wrong(&why)).is_some()
    }

    /// The GrafanaInstance that is named, or the usual one.
    pub(in super::super::super) fn instance(&self) -> &str {
        self.instance.as_deref().unwrap_or(DEFAULT_INSTANCE)
    }

    /// Whether somebody asks with a token of their own.
    pub(in super::super::super) fn has_own_token(&self) -> bool {
        self.grafana_token_file.is_some() || env::var_os(TOKEN).is_some_and(|token| !token.is_empty())
    }

    /// The same of another GrafanaInstance.
    pub(in super::super::super) fn with_instance(&self, name: &str) -> Self {
        Self {
            instance: Some(name.to_owned()),
            grafana_url: self.grafana_url.clone(),
            grafana_token_file: self.grafana_token_file.clone(),
        }
    }

    /// The way to another GrafanaInstance, with its own Secret.
    pub(in super::super::super) fn to_other(name: &str) -> Self {
        Self {
            instance: Some(name.to_owned()),
            ..Self::default()
        }
    }

    fn url(&self) -> Result<Option<String>, String> {
        let named = self.grafana_url.clone().or_else(|| env::var(SERVER).ok());
        match named.filter(|url| !url.is_empty()) {
            Some(url) if !is_address(&url) => Err(format!(
                "the address of --grafana-url, GRAFANA_URL or {SERVER} {}",
                unusable(&url)
            )),
            url => Ok(url),
        }
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

    /// The GrafanaInstance of the cluster, if there is one, and the way to its Grafana: of it, or with an address of one's own. What files say doesn't lead
    /// anywhere: whoever writes them would be sent what only Grafana may see.
    async fn way(
        &self,
        cluster: Option<&Connected>,
        has_files: bool,
    ) -> Result<(Option<GrafanaInstance>, GrafanaInstanceSpec), String> {
        let url = self.url()?;
        let declared = match cluster {
            Some(cluster) => self.declared(cluster, (url.is_some(), has_files)).await?,
            None => None,
        };
        let mut spec = match (&declared, &url) {
            (Some(declared), _) => declared.spec.clone(),
            (None, Some(url)) => nothing_but(url)?,
            (None, None) => {
                return Err(format!(
                    "GrafanaInstance {} isn't known: name it with --instance, or set GRAFANA_URL and GRAFANA_TOKEN",
                    self.instance()
                ));
            }
        };
        if let Some(url) = url {
            // What the instance says of the way holds for its own address: a person's token goes to another one without it.
            if Identity::new(&spec.url, None) != Identity::new(&url, None) {
                spec.org_id = None;
                spec.tls = None;
                spec.headers.clear();
                spec.proxy_url = None;
                spec.proxy_auth = None;
            }
            spec.url = url;
        }
        Ok((declared, spec))
    }

    /// Prepares a client. A GrafanaInstance of files stands in the place of the cluster's, but for the way to Grafana.
    pub(in super::super::super) async fn reach(
        &self,
        cluster: Option<&Connected>,
        written: Option<&GrafanaInstance>,
    ) -> Result<Reached, String> {
        let token = self.token()?;
        let (declared, way) = self.way(cluster, written.is_some()).await?;
        let own = token.is_some().then_some(match &self.grafana_token_file {
            Some(_) => "the file of --grafana-token-file",
            None => TOKEN,
        });
        let whose = Whose {
            url: way.url.clone(),
            instance: self.instance().to_owned(),
            own,
        };
        let connection = match token {
            Some(token) => with_token(&way, token)?,
            None if self.url()?.is_some() => {
                return Err(format!(
                    "there is no token for {}: set {TOKEN}, or name a file with --grafana-token-file",
                    way.url
                ));
            }
            None => {
                let connection = self.of_instance(&way, cluster).await;
                connection.map_err(|why| whose.in_own_words(&why))?
            }
        };
        let (spec, notes) = match written {
            Some(written) => (
                on_the_way(&written.spec, &way),
                unused(self.instance(), &written.spec, &way, declared.is_some()),
            ),
            None => (way, None),
        };
        let grafana = Grafana::connect(&connection, Arc::new(Reader), Company::default());
        let grafana = grafana.map_err(|e| format!("cannot reach Grafana: {}", chain(&e)))?;
        Ok(Reached {
            spec,
            declared,
            grafana,
            whose,
            notes: notes.into_iter().collect(),
        })
    }

    /// A client of the address that is given, for what Grafana answers whoever asks.
    pub(in super::super::super) fn unauthenticated(&self) -> Result<Grafana, String> {
        let url = self.url()?.ok_or("no address is given: set GRAFANA_URL")?;
        let connection = with_token(&nothing_but(&url)?, SecretString::from("none"))?;
        let grafana = Grafana::connect(&connection, Arc::new(Reader), Company::default());
        grafana.map_err(|e| format!("cannot reach Grafana: {}", chain(&e)))
    }

    /// The GrafanaInstance in the cluster. Where Grafana's address is given it may be missing, or not for everybody to read.
    async fn declared(
        &self,
        cluster: &Connected,
        (is_optional, has_files): (bool, bool),
    ) -> Result<Option<GrafanaInstance>, String> {
        let (name, home) = (self.instance(), &cluster.home);
        let api: Api<GrafanaInstance> = Api::namespaced(cluster.client.clone(), home);
        match api.get_opt(name).await {
            Ok(Some(found)) => Ok(Some(found)),
            _ if is_optional => Ok(None),
            Ok(None) => Err(format!(
                "there is no GrafanaInstance {name} in namespace {home}{}: name another one with --instance, or the operator's namespace with --operator-namespace, or set GRAFANA_URL and GRAFANA_TOKEN",
                if has_files {
                    ", and one in files doesn't say where to send credentials"
                } else {
                    ""
                }
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
                self.instance()
            )
        };
        let values = connect::read(spec, &cluster.client, &cluster.home).await;
        let values = values.map_err(|failure| said(failure.message))?;
        connect::connection(spec, &values).map_err(|failure| said(failure.message))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;
    use crate::cluster::rehearsed::{Stage, rehearsed};

    /// Where nobody but the files says Grafana is.
    const ELSEWHERE: &str = "https://evil.example";

    fn instance(url: &str, secret: &str) -> serde_json::Value {
        json!({
            "apiVersion": "alerting.letsrevel.io/v1alpha1", "kind": "GrafanaInstance", "metadata": {"name": "default", "namespace": "home"},
            "spec": {
                "url": url, "auth": {"token": {"secretKeyRef": {"name": secret, "key": "token"}}}, "folderPrefix": secret,
                "headers": {"X-Key": {"secretKeyRef": {"name": secret, "key": "token"}}}, "proxyURL": url, "tls": {"insecureSkipVerify": true},
            },
        })
    }

    /// A cluster that holds these.
    fn cluster(objects: BTreeMap<String, serde_json::Value>) -> Connected {
        let stage = Stage {
            objects,
            ..Stage::default()
        };
        Connected::of(rehearsed(None, stage, &Arc::default()), "home")
    }

    fn asked(url: Option<&str>) -> ToGrafana {
        ToGrafana {
            instance: None,
            grafana_url: url.map(str::to_owned),
            grafana_token_file: None,
        }
    }

    #[tokio::test]
    async fn a_file_does_not_decide_where_credentials_are_sent() {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let path = "/apis/alerting.letsrevel.io/v1alpha1/namespaces/home/grafanainstances/default";
        let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "real", "namespace": "home"}, "stringData": {"token": "glsa_x"}});
        let there = instance("https://grafana.example", "real");
        let connected = cluster(BTreeMap::from([
            (path.to_owned(), there.clone()),
            ("namespaces/home/secrets/real".to_owned(), secret),
        ]));
        let there: GrafanaInstance = serde_json::from_value(there).unwrap();
        let written: GrafanaInstance = serde_json::from_value(instance(ELSEWHERE, "other")).unwrap();
        let reached = asked(None).reach(Some(&connected), Some(&written)).await.unwrap();
        let expected = GrafanaInstanceSpec {
            folder_prefix: Some("other".to_owned()),
            ..there.spec
        };
        assert_eq!(reached.spec, expected);
        let [note] = reached.notes.as_slice() else {
            panic!("{:?}", reached.notes)
        };
        assert!(
            note.contains("url, auth, headers, proxyURL") && !note.contains(ELSEWHERE),
            "{note}"
        );
        let alone = asked(Some("https://own.example"))
            .way(None, false)
            .await
            .unwrap()
            .1;
        let spec = on_the_way(&written.spec, &alone);
        assert_eq!(
            (spec.url.as_str(), spec.tls, spec.proxy_url),
            ("https://own.example", None, None)
        );
        assert!(spec.headers.is_empty() && spec.auth.token.is_none());
        let declared = async |url| asked(Some(url)).way(Some(&connected), false).await.unwrap().1;
        let apart = declared("https://own.example").await;
        assert_eq!((apart.url.as_str(), apart.tls), ("https://own.example", None));
        assert!(apart.headers.is_empty() && apart.proxy_url.is_none());
        assert!(declared("https://grafana.example/").await.tls.is_some());
        let unreached = asked(None)
            .reach(Some(&cluster(BTreeMap::new())), Some(&written))
            .await;
        assert!(unreached.err().is_some_and(|why| why.contains("GRAFANA_URL")));
    }

    #[test]
    fn an_address_that_may_hold_a_password_is_refused_and_not_repeated() {
        for url in [
            "https://admin:hunter2@host",
            "https://hunter2@host:no",
            "admin:hunter2@host",
            "https://host?token=hunter2",
            "https://host#hunter2",
            "hunter2",
        ] {
            let why = asked(Some(url)).url().unwrap_err();
            assert!(!why.contains("hunter2") && !why.contains("host#"), "{why}");
        }
        for url in ["https://host", "http://host:3000/grafana/"] {
            assert!(asked(Some(url)).is_given(), "{url}");
        }
    }
}
