//! Values from Secrets, read when they are needed and kept by nobody.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::core::v1::Secret;
use kube::{Api, Client};

use crate::api::reference::SecretKeyRef;

/// Why a value couldn't be had from a Secret.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The Secret isn't there.
    #[error("Secret {0} is not there in namespace {2}; create it there with the key {1}")]
    NoSecret(String, String, String),
    /// The Secret lacks the key.
    #[error("Secret {0} has no key {1}; add it")]
    NoKey(String, String),
    /// There is nothing under the key.
    #[error("key {1} of Secret {0} is empty; write the value there")]
    Empty(String, String),
    /// The value isn't text.
    #[error("key {1} of Secret {0} is not UTF-8 text")]
    NotText(String, String),
    /// The API server couldn't be asked.
    #[error("cannot read Secret {0}")]
    Kube(String, #[source] kube::Error),
}

/// Reads every reference, with one request for each Secret. A line break at the end of a value is dropped: it comes from the
/// editor or the echo that made it.
pub async fn read(
    client: &Client,
    namespace: &str,
    references: BTreeSet<&SecretKeyRef>,
) -> Result<BTreeMap<SecretKeyRef, String>, Error> {
    let api: Api<Secret> = Api::namespaced(client.clone(), namespace);
    let mut values = BTreeMap::new();
    let mut open: Option<Secret> = None;
    for reference in references {
        let name = &reference.name;
        if open.as_ref().and_then(|secret| secret.metadata.name.as_ref()) != Some(name) {
            open = Some(
                api.get_opt(name)
                    .await
                    .map_err(|e| Error::Kube(name.clone(), e))?
                    .ok_or_else(|| {
                        Error::NoSecret(name.clone(), reference.key.clone(), namespace.to_owned())
                    })?,
            );
        }
        let bytes = open
            .as_ref()
            .and_then(|secret| secret.data.as_ref()?.get(&reference.key))
            .ok_or_else(|| Error::NoKey(name.clone(), reference.key.clone()))?;
        let text =
            std::str::from_utf8(&bytes.0).map_err(|_| Error::NotText(name.clone(), reference.key.clone()))?;
        let text = text.trim_end_matches(['\r', '\n']);
        if text.is_empty() {
            return Err(Error::Empty(name.clone(), reference.key.clone()));
        }
        values.insert(reference.clone(), text.to_owned());
    }
    Ok(values)
}
