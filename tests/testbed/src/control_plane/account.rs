//! Service accounts, and the operator's rights as its users install them.

use std::{
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

use super::{ControlPlane, apply};
use crate::{Error, Result, wait};

/// The rights that users install.
const MANIFEST: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/rbac.yaml");
/// The operator's service account, roles and bindings in it.
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

    /// Installs the operator's service account and its rights, as `deploy/rbac.yaml` has them, into a namespace, waits
    /// until they hold, and gives the kubeconfig that the operator is to run with.
    pub async fn operator_account(&self, namespace: &str, watch: Watch<'_>) -> PathBuf {
        let yaml = std::fs::read_to_string(MANIFEST);
        let yaml = yaml.unwrap_or_else(|error| panic!("cannot read {MANIFEST}: {error}"));
        let installed = self.install_operator(&yaml, namespace, watch).await;
        installed.unwrap_or_else(|error| panic!("{MANIFEST}: {error:?}"))
    }

    async fn install_operator(&self, yaml: &str, namespace: &str, watch: Watch<'_>) -> Result<PathBuf> {
        let client = self.admin().await;
        let kubeconfig = self.try_service_account(namespace, OPERATOR).await?;
        let manifest = apply::documents(yaml)?;
        for object in manifest
            .iter()
            .flat_map(|object| installed(object, namespace, watch))
        {
            apply::apply(&client, &object, namespace).await?;
        }
        for object in &manifest {
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

/// What an object of the manifest becomes for an operator in a namespace of its own.
fn installed(object: &Value, namespace: &str, watch: Watch<'_>) -> Vec<Value> {
    let mut object = object.clone();
    let subjects = object
        .get_mut("subjects")
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten();
    for subject in subjects.filter_map(|subject| subject.get_mut("namespace")) {
        *subject = namespace.into();
    }
    match (kind(&object), watch) {
        // Both are there.
        ("Namespace" | "ServiceAccount", _) => Vec::new(),
        ("ClusterRoleBinding", Watch::All) => vec![renamed(object, namespace)],
        ("ClusterRoleBinding", Watch::Namespaces(watched)) => {
            let mut binding = renamed(object, namespace);
            set(&mut binding, "/kind", "RoleBinding");
            let inside = |watched: &&str| {
                let mut binding = binding.clone();
                if let Some(metadata) = binding.get_mut("metadata").and_then(Value::as_object_mut) {
                    metadata.insert("namespace".to_owned(), (*watched).into());
                }
                binding
            };
            watched.iter().map(inside).collect()
        }
        _ => {
            set(&mut object, "/metadata/namespace", namespace);
            vec![object]
        }
    }
}

/// Gives an object a name that no other operator's has, and that of the operator's own binding isn't either.
fn renamed(mut object: Value, namespace: &str) -> Value {
    set(&mut object, "/metadata/name", &format!("{OPERATOR}-{namespace}"));
    object
}

/// Replaces a text that is there.
fn set(object: &mut Value, pointer: &str, text: &str) {
    if let Some(old) = object.pointer_mut(pointer) {
        *old = text.into();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn binding(kind: &str) -> Value {
        json!({
            "kind": kind,
            "metadata": {"name": "alertwright", "namespace": "alertwright-system"},
            "subjects": [{"name": "alertwright", "namespace": "alertwright-system"}],
        })
    }

    fn at(object: &Value, pointer: &str) -> Value {
        object.pointer(pointer).cloned().unwrap_or_default()
    }

    #[test]
    fn a_role_binding_follows_the_operator_into_its_namespace() {
        let installed = installed(&binding("RoleBinding"), "mine", Watch::All);
        let [installed] = installed.as_slice() else {
            panic!("one object: {installed:?}")
        };
        assert_eq!(at(installed, "/metadata/namespace"), "mine");
        assert_eq!(at(installed, "/metadata/name"), "alertwright");
        assert_eq!(at(installed, "/subjects/0/namespace"), "mine");
    }

    #[test]
    fn an_operator_of_named_namespaces_is_bound_in_each_and_not_cluster_wide() {
        let installed = installed(
            &binding("ClusterRoleBinding"),
            "mine",
            Watch::Namespaces(&["a", "b"]),
        );
        let namespaces: Vec<_> = installed
            .iter()
            .map(|object| at(object, "/metadata/namespace"))
            .collect();
        assert_eq!(namespaces, ["a", "b"]);
        assert!(installed.iter().all(|object| kind(object) == "RoleBinding"));
        assert!(
            installed
                .iter()
                .all(|object| at(object, "/metadata/name") == "alertwright-mine")
        );
    }
}
