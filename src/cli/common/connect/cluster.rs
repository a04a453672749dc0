//! The cluster, as kubectl finds it.

use std::env;
use std::ffi::OsString;
use std::fmt::Debug;
use std::path::PathBuf;

use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::authentication::v1::SelfSubjectReview;
use kube::api::{ListParams, PostParams};
use kube::config::Kubeconfig;
use kube::{Api, Client, Resource, ResourceExt};
use serde::de::DeserializeOwned;

use super::super::dns;
use crate::app::owner;
use crate::cluster::answer::{chain, is_forbidden};
use crate::cluster::client;
use crate::domain::ownership::Owner;

/// Where the operator is where nobody says it and none is found.
const USUAL: &str = "alertwright-system";

/// How the operator's Deployment is labelled by the chart and the manifests.
pub(super) const LABELLED: &str = "app.kubernetes.io/name=alertwright";

/// How many objects are listed at a time.
pub(super) const PAGE: u32 = 500;

/// Which cluster is meant, and where in it.
#[derive(clap::Args, Debug, Default)]
pub(in super::super::super) struct Cluster {
    #[command(flatten)]
    access: Access,
    /// The namespace. Default: that of the context.
    #[arg(short, long, value_parser = dns::namespace)]
    pub(in super::super::super) namespace: Option<String>,
    #[command(flatten)]
    operator: Home,
}

/// How kubectl finds it.
#[derive(clap::Args, Debug, Clone, Default)]
struct Access {
    /// The kubeconfig to use. Default: KUBECONFIG, else ~/.kube/config.
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,
    /// The context of the kubeconfig to use. Default: the current one.
    #[arg(long, value_name = "NAME")]
    context: Option<String>,
}

/// Where the operator is.
#[derive(clap::Args, Debug, Clone, Default)]
struct Home {
    /// The operator's own namespace. Default: that of the one Deployment labelled app.kubernetes.io/name=alertwright, else alertwright-system.
    #[arg(long, env = "ALERTWRIGHT_NAMESPACE", value_name = "NAMESPACE", value_parser = dns::namespace)]
    operator_namespace: Option<String>,
}

/// Whose resources are looked at.
#[derive(clap::Args, Debug, Default)]
pub(in super::super::super) struct Scope {
    #[command(flatten)]
    pub(in super::super::super) whole: Whole,
    #[command(flatten)]
    watched: Watched,
}

/// Whether more than one namespace is looked at.
#[derive(clap::Args, Debug, Clone, Default)]
pub(in super::super::super) struct Whole {
    /// All namespaces.
    #[arg(short = 'A', long, conflicts_with = "namespace")]
    pub(in super::super::super) all_namespaces: bool,
}

/// Where the operator looks.
#[derive(clap::Args, Debug, Clone, Default)]
pub(in super::super::super) struct Watched {
    /// The namespaces that the operator watches, comma separated. Default: all.
    #[arg(
        long,
        env = "WATCH_NAMESPACES",
        value_delimiter = ',',
        value_name = "NAMESPACES",
        value_parser = dns::watched
    )]
    watch_namespaces: Vec<String>,
}

/// A cluster that is asked beside files. In which namespace is said by the command itself.
#[derive(clap::Args, Debug, Default)]
pub(in super::super::super) struct Beside {
    #[command(flatten)]
    access: Access,
    #[command(flatten)]
    operator: Home,
    #[command(flatten)]
    watched: Watched,
}

/// A cluster in which no namespace but the operator's is meant.
#[derive(clap::Args, Debug, Default)]
pub(in super::super::super) struct Anywhere {
    #[command(flatten)]
    access: Access,
    #[command(flatten)]
    operator: Home,
}

impl Anywhere {
    /// Connects, as [`Cluster::connect`] does.
    pub(in super::super::super) async fn connect(&self) -> Result<Connected, String> {
        let cluster = Cluster {
            access: self.access.clone(),
            namespace: None,
            operator: self.operator.clone(),
        };
        cluster.connect(&Scope::default()).await
    }
}

impl Beside {
    /// Whether a cluster is named on the command line, which is for nothing where none is asked.
    pub(in super::super::super) fn is_named(&self) -> bool {
        self.access.kubeconfig.is_some() || self.access.context.is_some()
    }

    /// Connects, as [`Cluster::connect`] does.
    pub(in super::super::super) async fn connect(
        &self,
        namespace: Option<&str>,
    ) -> Result<Connected, String> {
        let cluster = Cluster {
            access: self.access.clone(),
            namespace: namespace.map(str::to_owned),
            operator: self.operator.clone(),
        };
        cluster.connect(&Scope::of(&self.watched)).await
    }
}

impl Scope {
    /// What the operator watches, and no namespace of it in particular.
    pub(in super::super::super) fn of(watched: &Watched) -> Self {
        Self {
            whole: Whole::default(),
            watched: watched.clone(),
        }
    }
}

/// A cluster that is connected.
pub(in super::super::super) struct Connected {
    pub(in super::super::super) client: Client,
    /// The namespace that is meant where none is named.
    pub(in super::super::super) namespace: String,
    /// The operator's own namespace.
    pub(in super::super::super) home: String,
    /// Who the kubeconfig says one is.
    user: Option<String>,
    /// The namespaces that the operator watches; none means all.
    pub(super) watched: Vec<String>,
}

#[cfg(test)]
impl Connected {
    /// One that this client reaches.
    pub(super) fn of(client: Client, home: &str) -> Self {
        Self {
            client,
            namespace: "default".to_owned(),
            home: home.to_owned(),
            user: None,
            watched: Vec::new(),
        }
    }
}

impl Cluster {
    /// Connects. Says why where no cluster is configured; whether one answers shows when it is asked.
    pub(in super::super::super) async fn connect(&self, scope: &Scope) -> Result<Connected, String> {
        if let Some(named) = &self.access.context
            && let Some(kubeconfig) = self.kubeconfig()
        {
            let contexts = kubeconfig.contexts.iter().map(|context| context.name.as_str());
            is_context(named, &contexts.collect::<Vec<_>>())?;
        }
        let config = match (&self.access.kubeconfig, &self.access.context) {
            (None, None) => client::config().await.map_err(|e| chain(&e)),
            (file, context) => client::config_of(file.as_deref(), context.as_deref())
                .await
                .map_err(|e| chain(&e)),
        };
        let config = config.map_err(|why| {
            let why = why.replace("'\"", "'").replace("\"'", "'");
            format!("no cluster is configured: {why}; set KUBECONFIG, or name a kubeconfig with --kubeconfig")
        })?;
        let server = config.cluster_url.to_string();
        let namespace = self.namespace.clone();
        let namespace = namespace.unwrap_or_else(|| config.default_namespace.clone());
        let client = client::plain(config);
        let client = client.map_err(|e| format!("cannot set up the Kubernetes client: {}", chain(&e)))?;
        let home = match &self.operator.operator_namespace {
            Some(named) => named.clone(),
            None => found_home(&client, &server).await?,
        };
        Ok(Connected {
            user: self.user(),
            client,
            namespace,
            home,
            watched: scope
                .watched
                .watch_namespaces
                .iter()
                .filter(|name| !name.is_empty())
                .cloned()
                .collect(),
        })
    }
}

impl Cluster {
    /// The cluster, and the namespace, that the words of a command line mean which isn't finished. Where the operator is, is looked for only if that is
    /// asked, for it takes a request.
    pub(in super::super::super) fn of_words(
        words: impl Iterator<Item = OsString>,
        seeks_operator: bool,
    ) -> Self {
        let words: Vec<String> = words.map(|word| word.to_string_lossy().into_owned()).collect();
        let value = |options: &[&str]| {
            let pairs = words
                .windows(2)
                .filter_map(|pair| <&[String; 2]>::try_from(pair).ok());
            let behind = pairs.filter(|[option, _]| options.contains(&option.as_str()));
            let behind = behind.map(|[_, value]| value.clone());
            let within = words.iter().filter_map(|word| {
                let (option, value) = word.split_once('=')?;
                options.contains(&option).then(|| value.to_owned())
            });
            behind.chain(within).next()
        };
        Self {
            access: Access {
                kubeconfig: value(&["--kubeconfig"]).map(PathBuf::from),
                context: value(&["--context"]),
            },
            namespace: value(&["-n", "--namespace"]),
            operator: Home {
                operator_namespace: if seeks_operator {
                    value(&["--operator-namespace"]).or_else(|| env::var("ALERTWRIGHT_NAMESPACE").ok())
                } else {
                    Some(USUAL.to_owned())
                },
            },
        }
    }

    /// The kubeconfig, if there is one that can be read.
    fn kubeconfig(&self) -> Option<Kubeconfig> {
        let read = match &self.access.kubeconfig {
            Some(file) => Kubeconfig::read_from(file),
            None => Kubeconfig::read(),
        };
        read.ok()
    }

    /// The names of its contexts.
    pub(super) fn contexts(&self) -> Vec<String> {
        let read = self.kubeconfig().unwrap_or_default();
        read.contexts.into_iter().map(|context| context.name).collect()
    }

    /// What the kubeconfig calls whom it logs in.
    fn user(&self) -> Option<String> {
        let read = self.kubeconfig()?;
        let current = self.access.context.as_ref().or(read.current_context.as_ref())?;
        let named = read.contexts.iter().find(|context| context.name == *current)?;
        named.context.as_ref()?.user.clone()
    }
}

/// Fails where a kubeconfig has no such context.
fn is_context(named: &str, contexts: &[&str]) -> Result<(), String> {
    if contexts.contains(&named) {
        return Ok(());
    }
    Err(match contexts {
        [] => format!("there is no context {named}: the kubeconfig has none"),
        all => format!(
            "there is no context {named} in the kubeconfig; there is {}",
            all.join(", ")
        ),
    })
}

/// Why a cluster doesn't answer, with where it is.
fn unanswered(error: &kube::Error, server: &str) -> String {
    let cure = match error {
        kube::Error::Api(refusal) if refusal.code == 401 => {
            "; log in again, or take another context: the API server doesn't take these credentials"
        }
        _ => "",
    };
    format!("cannot ask the cluster at {server}: {}{cure}", chain(error))
}

/// Where the operator is, if that can be seen.
async fn found_home(client: &Client, server: &str) -> Result<String, String> {
    let all: Api<Deployment> = Api::all(client.clone());
    let found = match all.list_metadata(&ListParams::default().labels(LABELLED)).await {
        Ok(found) => found,
        // Most people may not look into all namespaces.
        Err(error) if is_forbidden(&error) => return Ok(USUAL.to_owned()),
        Err(error) => return Err(unanswered(&error, server)),
    };
    let mut homes: Vec<String> = found.iter().filter_map(ResourceExt::namespace).collect();
    homes.dedup();
    match homes.as_slice() {
        [] => Ok(USUAL.to_owned()),
        [one] => Ok(one.clone()),
        several => Err(format!(
            "there are several operators, in {}: say which with --operator-namespace",
            several.join(" and ")
        )),
    }
}

impl Connected {
    /// Who the API server says one is, or the kubeconfig where an API server before 1.28 doesn't tell.
    pub(in super::super::super) async fn user(&self) -> String {
        let api: Api<SelfSubjectReview> = Api::all(self.client.clone());
        let review = api
            .create(&PostParams::default(), &SelfSubjectReview::default())
            .await;
        let told = review.ok().and_then(|review| review.status?.user_info?.username);
        let told = told.filter(|name| !name.is_empty()).or_else(|| self.user.clone());
        told.unwrap_or_else(|| "somebody".to_owned())
    }

    /// The resources of a kind that the operator watches.
    pub(in super::super::super) async fn list<K>(&self) -> Result<Vec<K>, String>
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope> + Clone + Debug + DeserializeOwned,
    {
        if self.watched.is_empty() {
            return list(Api::all(self.client.clone())).await;
        }
        let mut all = Vec::new();
        for namespace in &self.watched {
            all.extend(self.list_in(namespace).await?);
        }
        Ok(all)
    }

    /// The resources of a kind in a namespace.
    pub(in super::super::super) async fn list_in<K>(&self, namespace: &str) -> Result<Vec<K>, String>
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope> + Clone + Debug + DeserializeOwned,
    {
        list(Api::namespaced(self.client.clone(), namespace)).await
    }

    /// The owner id that the operator marks its objects in Grafana with, if it can be read and there is one.
    pub(in super::super::super) async fn owner(&self) -> Result<Option<Owner>, String> {
        owner::kept(&self.client, &self.home).await
    }
}

/// All objects, page by page.
async fn list<K>(api: Api<K>) -> Result<Vec<K>, String>
where
    K: Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned,
{
    let mut parameters = ListParams::default().limit(PAGE);
    let mut all = Vec::new();
    loop {
        let page = api.list(&parameters).await;
        let page = page.map_err(|e| format!("cannot list every {}: {}", K::kind(&()), chain(&e)))?;
        all.extend(page.items);
        match page.metadata.continue_.filter(|token| !token.is_empty()) {
            Some(token) => parameters = parameters.continue_token(&token),
            None => return Ok(all),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_context_that_is_not_there_is_told_with_those_that_are() {
        assert_eq!(is_context("a", &["a", "b"]), Ok(()));
        let why = is_context("nope", &["a", "b"]).unwrap_err();
        assert_eq!(why, "there is no context nope in the kubeconfig; there is a, b");
        assert!(is_context("nope", &[]).is_err_and(|why| why.ends_with("has none")));
    }

    #[test]
    fn a_cluster_that_does_not_answer_is_told_with_its_address_and_a_refusal_with_its_cure() {
        let server = "https://10.0.0.1:6443/";
        let refused = kube::core::Status::failure("Unauthorized", "Unauthorized").with_code(401);
        let said = unanswered(&kube::Error::Api(Box::new(refused)), server);
        assert!(said.contains(server) && said.contains("log in again"), "{said}");
        let away = unanswered(&kube::Error::Service("connection refused".into()), server);
        assert!(away.contains(server) && !away.contains("log in"), "{away}");
    }

    #[test]
    fn a_line_that_is_not_finished_says_where_names_are_looked_for() {
        let of = |line: &str| {
            let cluster = Cluster::of_words(line.split(' ').map(OsString::from), false);
            (
                cluster.namespace,
                cluster.access.context,
                cluster.access.kubeconfig,
            )
        };
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(
            of("alertwright silence end -n revel "),
            (some("revel"), None, None)
        );
        assert_eq!(
            of("alertwright --namespace=b silence --context c --kubeconfig=f end x"),
            (some("b"), some("c"), Some(PathBuf::from("f")))
        );
        assert_eq!(of("alertwright silence end"), (None, None, None));
        let home = |line: &str| {
            let words = line.split(' ').map(OsString::from);
            Cluster::of_words(words, true).operator.operator_namespace
        };
        assert_eq!(
            home("alertwright status --operator-namespace ops -i "),
            some("ops")
        );
    }
}
