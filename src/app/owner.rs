//! The owner id, which the operator keeps in a Secret where nobody gives one.

use k8s_openapi::api::core::v1::Secret;
use kube::api::PostParams;
use kube::{Api, Client};

use crate::cluster::answer::{chain, is_conflict};
use crate::domain::ownership::{Owner, base32};

/// The Secret that keeps the owner id where none is given.
const SECRET: &str = "alertwright-owner";
/// Its key.
const KEY: &str = "ownerID";

/// The owner id that is kept in the operator's own namespace; `None` where there is none yet.
pub async fn kept(client: &Client, namespace: &str) -> Result<Option<Owner>, String> {
    let api: Api<Secret> = Api::namespaced(client.clone(), namespace);
    let found = api.get_opt(SECRET).await;
    let found = found.map_err(|e| {
        format!(
            "cannot read the owner id in Secret {namespace}/{SECRET}: {}",
            chain(&e)
        )
    })?;
    found.map(|secret| read(&secret, namespace)).transpose()
}

/// The owner id that was generated when the operator first started here, or a new one.
pub async fn keep(client: &Client, namespace: &str) -> Result<Owner, String> {
    if let Some(owner) = kept(client, namespace).await? {
        return Ok(owner);
    }
    let api: Api<Secret> = Api::namespaced(client.clone(), namespace);
    let failed = |e: kube::Error| {
        format!(
            "cannot keep the owner id in Secret {namespace}/{SECRET}: {}",
            chain(&e)
        )
    };
    let id = base32().encode(&rand::random::<[u8; 10]>());
    let mut secret = Secret {
        string_data: Some([(KEY.to_owned(), id.clone())].into()),
        ..Secret::default()
    };
    secret.metadata.name = Some(SECRET.to_owned());
    match api.create(&PostParams::default(), &secret).await {
        Ok(_) => Owner::parse(&id).ok_or_else(|| "cannot generate an owner id".into()),
        // Another replica was faster.
        Err(error) if is_conflict(&error) => {
            let secret = api.get(SECRET).await.map_err(failed)?;
            read(&secret, namespace)
        }
        Err(error) => Err(failed(error)),
    }
}

fn read(secret: &Secret, namespace: &str) -> Result<Owner, String> {
    let bytes = secret.data.as_ref().and_then(|data| data.get(KEY));
    let id = bytes.and_then(|bytes| std::str::from_utf8(&bytes.0).ok());
    id.and_then(Owner::parse).ok_or_else(|| {
        format!("Secret {namespace}/{SECRET} holds no valid {KEY}: [a-z0-9-], at most 40 characters")
    })
}
