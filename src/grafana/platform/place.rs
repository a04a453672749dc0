//! The calls for the objects of one kind.

use std::collections::BTreeSet;
use std::sync::Arc;

use http::Method;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::Kind;
use super::object::{List, Metadata, Object};
use crate::grafana::error::{Error, Result};
use crate::grafana::presence;
use crate::grafana::transport::{Call, Transport};

/// Where the objects of one kind are.
#[derive(Clone)]
pub(super) struct Place {
    pub(super) transport: Arc<Transport>,
    pub(super) kind: Kind,
    /// The organisation's namespace.
    pub(super) namespace: String,
}

/// An object as it is sent.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a, S> {
    api_version: String,
    kind: &'a str,
    metadata: &'a Metadata,
    spec: &'a S,
}

/// How a deletion is to be made.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DeleteOptions<'a> {
    api_version: &'a str,
    kind: &'a str,
    preconditions: Preconditions<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Preconditions<'a> {
    resource_version: &'a str,
}

/// How a read of all pages ended.
enum Round<T> {
    /// With all of them, and the version of the first.
    Whole((Vec<T>, String)),
    /// Before the last: the next page isn't there any more.
    Expired(&'static str),
}

/// Most objects of a kind that are kept, and most pages that are read of them: each page may lead to one more.
const MOST: usize = 100_000;
const PAGES: usize = 1000;

/// Whether a page isn't there: with 410 a server of `/apis` says that its word for where to go on is too old (Kubernetes, "Retrieving large results
/// sets in chunks").
fn is_gone(error: &Error) -> bool {
    matches!(
        error,
        Error::Status {
            status: 404 | 410,
            ..
        } | Error::NotGrafana {
            status: 404 | 410,
            ..
        }
    )
}

impl Place {
    /// A read of the whole kind.
    pub(super) fn list(&self, operation: &'static str) -> Call {
        self.call(operation, Method::GET, None)
    }

    /// Everything of the kind, or what a query leaves of it, page by page: only one page is in memory as it was answered. It is begun anew once if a
    /// later page isn't there any more.
    pub(super) async fn pages<S, T>(
        &self,
        list: impl Fn() -> Call,
        size: usize,
        take: impl Fn(Object<S>) -> T,
    ) -> Result<Vec<T>>
    where
        S: DeserializeOwned + Send + 'static,
    {
        self.versioned_pages(list, size, take).await.map(|(all, _)| all)
    }

    /// The same, with the version from where a watch tells what isn't in it: that of the first page, since what was changed while later ones were read is
    /// told once more rather than never. Empty where the storage has none.
    pub(super) async fn versioned_pages<S, T>(
        &self,
        list: impl Fn() -> Call,
        size: usize,
        take: impl Fn(Object<S>) -> T,
    ) -> Result<(Vec<T>, String)>
    where
        S: DeserializeOwned + Send + 'static,
    {
        match self.round(&list, size, &take).await? {
            Round::Whole(whole) => Ok(whole),
            // What it was a list of isn't kept any more.
            Round::Expired(_) => match self.round(&list, size, &take).await? {
                Round::Whole(whole) => Ok(whole),
                Round::Expired(operation) => Err(Error::Unending { operation }),
            },
        }
    }

    /// One read of all pages.
    async fn round<S, T>(
        &self,
        list: &impl Fn() -> Call,
        size: usize,
        take: &impl Fn(Object<S>) -> T,
    ) -> Result<Round<T>>
    where
        S: DeserializeOwned + Send + 'static,
    {
        let (mut all, mut version) = (Vec::new(), None);
        let mut begun = BTreeSet::new();
        let mut next = String::new();
        loop {
            let mut call = list().query("limit", size.to_string());
            let operation = call.operation;
            if !next.is_empty() {
                call = call.query("continue", next);
            }
            let page: List<S> = match self.transport.fetch(call).await {
                // It was there a page ago, and says nothing against the API.
                Err(gone) if !begun.is_empty() && is_gone(&gone) => return Ok(Round::Expired(operation)),
                page => page?,
            };
            all.extend(page.items.into_iter().map(take));
            let version = version.get_or_insert(page.metadata.resource_version);
            next = page.metadata.r#continue;
            if all.len() > MOST || begun.len() > PAGES {
                return Err(Error::Unending { operation });
            }
            if next.is_empty() {
                return Ok(Round::Whole((all, std::mem::take(version))));
            }
            if !begun.insert(next.clone()) {
                return Err(Error::Unending { operation });
            }
        }
    }

    /// One object; `None` where Grafana is there and has none of this name.
    pub(super) async fn get<S>(&self, operation: &'static str, name: &str) -> Result<Option<Object<S>>>
    where
        S: DeserializeOwned + Send + 'static,
    {
        let found = self
            .transport
            .fetch(self.call(operation, Method::GET, Some(name)));
        presence::if_present(&self.transport, found.await).await
    }

    /// One object that is to be written again as it is: whole or not at all. `Missing` if there is none.
    pub(super) async fn get_whole<S>(&self, operation: &'static str, name: &str) -> Result<Object<S>>
    where
        S: DeserializeOwned + Send + 'static,
    {
        self.transport
            .fetch_whole(self.call(operation, Method::GET, Some(name)))
            .await
    }

    /// Creates an object of a kind that `apiVersion` calls so, and gives it as Grafana has stored it.
    pub(super) async fn create<S>(
        &self,
        operation: &'static str,
        kind: &str,
        object: &Object<S>,
    ) -> Result<Object<S>>
    where
        S: Serialize + for<'de> Deserialize<'de> + Send + 'static,
    {
        let call = self.call(operation, Method::POST, None);
        self.transport.fetch(call.json(&self.body(kind, object))?).await
    }

    /// Replaces the object of this name. `Missing` if there is none, and `Conflict` if it is in another state than the version says, where Grafana
    /// looks at that.
    pub(super) async fn replace<S>(
        &self,
        operation: &'static str,
        kind: &str,
        name: &str,
        object: &Object<S>,
    ) -> Result<Object<S>>
    where
        S: Serialize + for<'de> Deserialize<'de> + Send + 'static,
    {
        let call = self.call(operation, Method::PUT, Some(name));
        self.transport.fetch(call.json(&self.body(kind, object))?).await
    }

    /// Deletes an object, in this state only if one is given and Grafana looks at it. One that is gone is no error.
    pub(super) async fn delete(
        &self,
        operation: &'static str,
        name: &str,
        version: Option<&str>,
    ) -> Result<()> {
        let mut call = self.call(operation, Method::DELETE, Some(name));
        if let Some(resource_version) = version {
            call = call.json(&DeleteOptions {
                api_version: "v1",
                kind: "DeleteOptions",
                preconditions: Preconditions { resource_version },
            })?;
        }
        let sent = self.transport.send(call).await;
        presence::if_present(&self.transport, sent).await.map(drop)
    }

    fn body<'a, S>(&self, kind: &'a str, object: &'a Object<S>) -> Body<'a, S> {
        Body {
            api_version: self.kind.group_version(),
            kind,
            metadata: &object.metadata,
            spec: &object.spec,
        }
    }

    fn call(&self, operation: &'static str, method: Method, name: Option<&str>) -> Call {
        let path = format!("apis/{}/namespaces", self.kind.group_version());
        let names: Vec<&str> = [self.namespace.as_str(), self.kind.plural]
            .into_iter()
            .chain(name)
            .collect();
        let call = Call::new(operation, method, &path, &names);
        if name.is_some() { call.of_one() } else { call }
    }
}
