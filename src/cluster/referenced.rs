//! Values from Secrets and ConfigMaps, read when they are needed and kept by nobody.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;

use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use kube::{Api, Client, Resource};
use serde::de::DeserializeOwned;

use crate::api::reference::{ConfigMapKeyRef, SecretKeyRef};

/// Why a value couldn't be had. Each begins with the kind of the object that it should come from.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The object isn't there.
    #[error("{0} {1} is not there in namespace {3}; create it there with the key {2}")]
    NoObject(String, String, String, String),
    /// The object lacks the key.
    #[error("{0} {1} has no key {2}; add it")]
    NoKey(String, String, String),
    /// There is nothing under the key.
    #[error("key {2} of {0} {1} is empty; write the value there")]
    Empty(String, String, String),
    /// The value isn't text.
    #[error("key {2} of {0} {1} is not UTF-8 text")]
    NotText(String, String, String),
    /// The API server couldn't be asked.
    #[error("cannot read {0} {1}")]
    Kube(String, String, #[source] kube::Error),
}

/// What a reference is to.
trait Reference: Clone + Ord {
    type Object: Resource<DynamicType = (), Scope = NamespaceResourceScope> + Clone + Debug + DeserializeOwned;
    fn parts(&self) -> (&str, &str);
    fn bytes<'a>(&self, object: &'a Self::Object) -> Option<&'a [u8]>;
}

impl Reference for SecretKeyRef {
    type Object = Secret;

    fn parts(&self) -> (&str, &str) {
        (&self.name, &self.key)
    }

    fn bytes<'a>(&self, secret: &'a Secret) -> Option<&'a [u8]> {
        Some(&secret.data.as_ref()?.get(&self.key)?.0)
    }
}

impl Reference for ConfigMapKeyRef {
    type Object = ConfigMap;

    fn parts(&self) -> (&str, &str) {
        (&self.name, &self.key)
    }

    fn bytes<'a>(&self, texts: &'a ConfigMap) -> Option<&'a [u8]> {
        Some(texts.data.as_ref()?.get(&self.key)?.as_bytes())
    }
}

/// Reads every reference to a Secret, with one request for each Secret. A line break at the end of a value is dropped: it comes from the
/// editor or the echo that made it.
pub async fn secrets(
    client: &Client,
    namespace: &str,
    references: BTreeSet<&SecretKeyRef>,
) -> Result<BTreeMap<SecretKeyRef, String>, Error> {
    read(client, namespace, references).await
}

/// Reads every reference to a ConfigMap, with one request for each ConfigMap, in the same way.
pub async fn texts(
    client: &Client,
    namespace: &str,
    references: BTreeSet<&ConfigMapKeyRef>,
) -> Result<BTreeMap<ConfigMapKeyRef, String>, Error> {
    read(client, namespace, references).await
}

async fn read<R: Reference>(
    client: &Client,
    namespace: &str,
    references: BTreeSet<&R>,
) -> Result<BTreeMap<R, String>, Error> {
    let api: Api<R::Object> = Api::namespaced(client.clone(), namespace);
    let kind = || R::Object::kind(&()).into_owned();
    let mut values = BTreeMap::new();
    let mut open: Option<R::Object> = None;
    for reference in references {
        let (name, key) = reference.parts();
        let place = || (kind(), name.to_owned(), key.to_owned());
        if open.as_ref().and_then(|object| object.meta().name.as_deref()) != Some(name) {
            let found = api.get_opt(name).await;
            let found = found.map_err(|e| Error::Kube(kind(), name.to_owned(), e))?;
            open = Some(found.ok_or_else(|| {
                let (kind, name, key) = place();
                Error::NoObject(kind, name, key, namespace.to_owned())
            })?);
        }
        let wrong = |error: fn(String, String, String) -> Error| {
            let (kind, name, key) = place();
            error(kind, name, key)
        };
        let bytes = open.as_ref().and_then(|object| reference.bytes(object));
        let bytes = bytes.ok_or_else(|| wrong(Error::NoKey))?;
        let text = std::str::from_utf8(bytes).map_err(|_| wrong(Error::NotText))?;
        let text = text.trim_end_matches(['\r', '\n']);
        if text.is_empty() {
            return Err(wrong(Error::Empty));
        }
        values.insert(reference.clone(), text.to_owned());
    }
    Ok(values)
}
