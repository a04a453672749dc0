//! Service accounts, and the operator's rights as its users install them.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    path::{Path, PathBuf},
    time::Duration,
};

use k8s_openapi::api::{
    authentication::v1::{TokenRequest, TokenRequestSpec},
    authorization::v1::{ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec},
    core::v1::ServiceAccount,
};
use kube::{Api, api::PostParams};
use serde_json::{Value, json};
use tokio::{process::Command, sync::Mutex};

use super::{ControlPlane, apply};
use crate::{Error, Result, parts, wait};

/// The chart, whose rights the operator gets.
const CHART: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../charts/alertwright");
/// The release, and the operator's service account in it.
const OPERATOR: &str = "alertwright";

/// How long new rights take at most to hold.
const GRANTED: Duration = Duration::from_secs(10);

/// Which namespaces an operator has rights in.
#[derive(Debug, Clone, Copy)]
pub enum Watch<'a> {
    /// All, by a `ClusterRoleBinding`.
    All,
    /// These, by a `RoleBinding` of the `ClusterRole` in each.
    Namespaces(&'a [&'a str]),
}

impl ControlPlane {
    /// Makes a service account, and a kubeconfig with a token of it and its namespace as the default.
    pub async fn service_account(&self, namespace: &str, name: &str) -> PathBuf {
        self.try_service_account(namespace, name)
            .await
            .unwrap_or_else(|error| panic!("{error:?}"))
    }

    async fn try_service_account(&self, namespace: &str, name: &str) -> Result<PathBuf> {
        let client = self.admin().await;
        let account = json!({
            "apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name, "namespace": namespace},
        });
        apply::apply(&client, &account, namespace).await?;
        let api: Api<ServiceAccount> = Api::namespaced(client, namespace);
        let spec = TokenRequestSpec {
            expiration_seconds: Some(24 * 3600),
            ..TokenRequestSpec::default()
        };
        let request = TokenRequest {
            spec,
            ..TokenRequest::default()
        };
        let token = api
            .create_token_request(name, &PostParams::default(), &request)
            .await
            .map_err(Error::kube(format!("a token for {namespace}/{name}")))?
            .status
            .map(|status| status.token)
            .unwrap_or_default();
        self.servers
            .write_kubeconfig(&format!("{namespace}.{name}"), namespace, &token)
    }

    /// Installs the operator's service account and its rights, exactly as the chart renders them for a release in a namespace,
    /// waits until they hold, and gives the kubeconfig that the operator is to run with.
    pub async fn operator_account(&self, namespace: &str, watch: Watch<'_>) -> PathBuf {
        self.operator_account_with(namespace, watch, &[]).await
    }

    /// The same with more of the chart's values: `watchSecrets=false`, for example.
    pub async fn operator_account_with(&self, namespace: &str, watch: Watch<'_>, values: &[&str]) -> PathBuf {
        let installed = self.install_operator(namespace, watch, values).await;
        installed.unwrap_or_else(|error| panic!("the rights of {CHART}: {error:?}"))
    }

    async fn install_operator(&self, namespace: &str, watch: Watch<'_>, values: &[&str]) -> Result<PathBuf> {
        let client = self.admin().await;
        let kubeconfig = self.try_service_account(namespace, OPERATOR).await?;
        let rights = rendered(namespace, watch, values).await?;
        for object in &rights {
            apply::apply(&client, object, namespace).await?;
        }
        for object in &rights {
            match (kind(object), watch) {
                ("Role", _) => self.granted(&kubeconfig, object, Some(namespace)).await,
                ("ClusterRole", Watch::All) => self.granted(&kubeconfig, object, None).await,
                ("ClusterRole", Watch::Namespaces(watched)) => {
                    for watched in watched {
                        self.granted(&kubeconfig, object, Some(watched)).await;
                    }
                }
                _ => {}
            }
        }
        Ok(kubeconfig)
    }

    /// Waits until the first rule of a role holds: the API server learns of new roles and bindings by a watch.
    async fn granted(&self, kubeconfig: &Path, role: &Value, namespace: Option<&str>) {
        let first = |field: &str| {
            let value = role
                .pointer(&format!("/rules/0/{field}/0"))
                .and_then(Value::as_str);
            value.map(ToOwned::to_owned)
        };
        let review = SelfSubjectAccessReview {
            spec: SelfSubjectAccessReviewSpec {
                resource_attributes: Some(ResourceAttributes {
                    group: first("apiGroups"),
                    resource: first("resources"),
                    name: first("resourceNames"),
                    verb: first("verbs"),
                    namespace: namespace.map(ToOwned::to_owned),
                    ..ResourceAttributes::default()
                }),
                ..SelfSubjectAccessReviewSpec::default()
            },
            ..SelfSubjectAccessReview::default()
        };
        let api: Api<SelfSubjectAccessReview> = Api::all(self.client(kubeconfig).await);
        wait::until("the operator's rights hold", GRANTED, async || {
            let answer = api.create(&PostParams::default(), &review).await?;
            Ok::<_, kube::Error>(answer.status.filter(|status| status.allowed))
        })
        .await;
    }
}

fn kind(object: &Value) -> &str {
    object.get("kind").and_then(Value::as_str).unwrap_or_default()
}

/// What a rendering depends on: in how many namespaces there are rights, if not in all, and the chart's values.
type Choice = (Option<usize>, Vec<String>);

/// The chart's roles and bindings. They are rendered once for each number of namespaces and each choice of values, for names that stand for any.
async fn rendered(namespace: &str, watch: Watch<'_>, values: &[&str]) -> Result<Vec<Value>> {
    static RENDERED: Mutex<BTreeMap<Choice, String>> = Mutex::const_new(BTreeMap::new());
    let watched = match watch {
        Watch::All => None,
        Watch::Namespaces(watched) => Some(watched),
    };
    let choice = (
        watched.map(<[&str]>::len),
        values.iter().map(ToString::to_string).collect(),
    );
    let mut all = RENDERED.lock().await;
    let rights = match all.entry(choice) {
        Entry::Occupied(rights) => rights.into_mut(),
        Entry::Vacant(rights) => {
            let rendered = render(rights.key().0, values).await?;
            rights.insert(rendered)
        }
    };
    let mut rights = rights.replace(HOME, namespace);
    for (n, watched) in watched.unwrap_or_default().iter().enumerate() {
        rights = rights.replace(&stand_in(n), watched);
    }
    apply::documents(&rights)
}

/// Stands for the namespace of the release.
const HOME: &str = "namespace-of-release";

/// Stands for the n-th namespace that is watched.
fn stand_in(n: usize) -> String {
    format!("watched-{n}-namespace")
}

async fn render(watched: Option<usize>, values: &[&str]) -> Result<String> {
    let mut helm = Command::new(parts::path("helm")?);
    helm.args(["template", OPERATOR, CHART, "--namespace", HOME]);
    helm.args(["--show-only", "templates/rbac.yaml"]);
    if let Some(watched) = watched {
        let watched: Vec<String> = (0..watched).map(stand_in).collect();
        helm.arg("--set")
            .arg(format!("watchNamespaces={{{}}}", watched.join(",")));
    }
    helm.args(values.iter().flat_map(|value| ["--set", value]));
    let output = helm.output().await.map_err(Error::io("cannot start helm"))?;
    if !output.status.success() {
        return Err(Error::Yaml(String::from_utf8_lossy(&output.stderr).into_owned()));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
