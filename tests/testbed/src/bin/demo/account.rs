//! The operator's ServiceAccount with the rights that users install.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::{
    failure::{Failure, Result, until},
    grafana::text,
    root,
    stage::Stage,
};

/// The name of the account, the roles and the bindings in the manifest.
const NAME: &str = "alertwright";

/// Installs `deploy/rbac.yaml` and gives a kubeconfig with a token of the account.
///
/// On a cluster of somebody else nothing cluster-wide is granted: the `ClusterRole` has a name of its own and is bound in
/// the example's namespace alone, as the manifest's comment says for an installation that watches a few namespaces.
pub(crate) async fn install(stage: &Stage) -> Result<PathBuf> {
    let home = &stage.home;
    let path = root().join("deploy/rbac.yaml");
    let unreadable = |error: String| Failure::new(format!("{} to be readable", path.display()), error);
    let yaml = std::fs::read_to_string(&path).map_err(|error| unreadable(error.to_string()))?;
    let objects: Vec<Value> =
        serde_saphyr::from_multiple(&yaml).map_err(|error| unreadable(error.to_string()))?;
    let account =
        json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": NAME, "namespace": home}});
    stage.kubectl.apply(&account).await?;
    for mut object in objects {
        if stage.is_own() {
            confine(&mut object, home, &stage.namespace);
        }
        stage.kubectl.apply(&object).await?;
    }
    let kubeconfig = kubeconfig(stage).await?;
    let operator = stage.kubectl.with(&kubeconfig);
    let namespace = &stage.namespace;
    until("the operator's rights to hold", stage.pace.soon, async || {
        operator
            .run(&format!("auth can-i patch alertrules -n {namespace}"))
            .await
    })
    .await?;
    Ok(kubeconfig)
}

/// Changes an object of the manifest so that it belongs to one demonstration.
fn confine(object: &mut Value, home: &str, watched: &str) {
    let is_cluster_wide = text(object, "/kind").starts_with("Cluster");
    let is_binding = text(object, "/kind") == "ClusterRoleBinding";
    set(object, "/metadata/namespace", home);
    set(object, "/subjects/0/namespace", home);
    if is_cluster_wide {
        set(object, "/metadata/name", home);
    }
    if is_binding {
        set(object, "/roleRef/name", home);
        set(object, "/kind", "RoleBinding");
        if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
            metadata.insert("namespace".to_owned(), watched.into());
        }
    }
}

/// Replaces a text that is there.
fn set(object: &mut Value, pointer: &str, text: &str) {
    if let Some(old) = object.pointer_mut(pointer) {
        *old = text.into();
    }
}

/// The kubeconfig we have, with the account's token in place of ours.
async fn kubeconfig(stage: &Stage) -> Result<PathBuf> {
    let home = &stage.home;
    let token = format!("create token {NAME} -n {home} --duration 12h");
    let token = stage.kubectl.run(&token).await?;
    let mut config = stage.kubectl.json("config view --raw --flatten --minify").await?;
    if let Some(user) = config.pointer_mut("/users/0/user") {
        *user = json!({"token": token.trim()});
    }
    stage
        .scratch
        .write("operator.kubeconfig", config.to_string())
        .map_err(|error| Failure::new("a kubeconfig for the operator", error))
}
