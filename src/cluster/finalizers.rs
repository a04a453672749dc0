//! Letting go of resources without a look at Grafana, so that they can be deleted when no operator runs.

use std::collections::HashSet;

use kube::api::{ListParams, PartialObjectMeta, Patch, PatchParams};
use kube::core::NamespaceResourceScope;
use kube::{Api, Client, Resource, ResourceExt};
use serde::de::DeserializeOwned;
use serde_json::json;

use super::answer::{is_conflict, is_missing};
use crate::api::{FIELD_MANAGER, FINALIZER};

/// How many looks in a row may find nothing but what somebody else changes at the same moment.
const IN_VAIN: usize = 10;

/// Why finalizers can't be taken off.
#[derive(thiserror::Error, Debug)]
pub enum Error {
    /// The API server doesn't do it.
    #[error(transparent)]
    Kube(#[from] kube::Error),
    /// Somebody puts them on again. An operator without leader election has no Lease that would tell of it.
    #[error("{0} has got its finalizer again: an operator is running; stop it first")]
    PutOnAgain(String),
}

/// What finalizers were taken off of, by the uids of the resources.
#[derive(Debug, Default)]
pub struct Freed(HashSet<String>);

/// How many resources of a kind in these namespaces, or in all if none is given, have our finalizer. Nothing is written.
pub async fn count<K>(client: &Client, namespaces: &[String]) -> Result<usize, Error>
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope>
        + Clone
        + DeserializeOwned
        + std::fmt::Debug,
{
    let mut count = 0;
    for api in apis::<K>(client, namespaces) {
        count += held(&api).await?.map_or(0, |held| held.len());
    }
    Ok(count)
}

fn apis<K>(client: &Client, namespaces: &[String]) -> Vec<Api<K>>
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope>,
{
    if namespaces.is_empty() {
        return vec![Api::all(client.clone())];
    }
    let each = namespaces.iter();
    each.map(|namespace| Api::namespaced(client.clone(), namespace))
        .collect()
}

impl Freed {
    /// Takes our finalizer off all resources of a kind in these namespaces, or in all if none is given; returns how many had it. Fails on one
    /// that has it although it was taken off before.
    ///
    /// A kind that isn't installed has none.
    pub async fn all_of<K>(&mut self, client: &Client, namespaces: &[String]) -> Result<usize, Error>
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope>
            + Clone
            + DeserializeOwned
            + std::fmt::Debug,
    {
        let mut removed = 0;
        for api in apis::<K>(client, namespaces) {
            let mut in_vain = 0;
            while let Some(held) = held(&api).await? {
                let before = removed;
                for object in &held {
                    let uid = object.uid().unwrap_or_default();
                    if self.0.contains(&uid) {
                        return Err(Error::PutOnAgain(path(object)));
                    }
                    if let_go(client, object).await? {
                        self.0.insert(uid);
                        removed += 1;
                    }
                }
                in_vain = if removed == before { in_vain + 1 } else { 0 };
                if in_vain == IN_VAIN
                    && let Some(object) = held.first()
                {
                    return Err(Error::PutOnAgain(path(object)));
                }
            }
        }
        Ok(removed)
    }
}

/// Kind, namespace and name.
fn path<K: Resource<DynamicType = ()>>(object: &PartialObjectMeta<K>) -> String {
    let namespace = object.namespace().unwrap_or_default();
    format!("{} {namespace}/{}", K::kind(&()), object.name_any())
}

/// The resources that have our finalizer, if any has.
async fn held<K>(api: &Api<K>) -> kube::Result<Option<Vec<PartialObjectMeta<K>>>>
where
    K: Resource<DynamicType = ()> + Clone + DeserializeOwned + std::fmt::Debug,
{
    match api.list_metadata(&ListParams::default()).await {
        Ok(mut list) => {
            list.items
                .retain(|object| object.finalizers().iter().any(|f| f == FINALIZER));
            Ok(Some(list.items).filter(|items| !items.is_empty()))
        }
        Err(error) if is_missing(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Returns `false` where the resource has changed meanwhile, or is gone.
async fn let_go<K>(client: &Client, object: &PartialObjectMeta<K>) -> kube::Result<bool>
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope>
        + Clone
        + DeserializeOwned
        + std::fmt::Debug,
{
    let api: Api<K> = Api::namespaced(client.clone(), &object.namespace().unwrap_or_default());
    let others: Vec<&String> = object
        .finalizers()
        .iter()
        .filter(|finalizer| *finalizer != FINALIZER)
        .collect();
    // With the resourceVersion that was read, so that nobody else's finalizer is lost.
    let patch = json!({"metadata": {"resourceVersion": object.resource_version(), "finalizers": others}});
    let params = PatchParams {
        field_manager: Some(FIELD_MANAGER.to_owned()),
        ..PatchParams::default()
    };
    match api
        .patch_metadata(&object.name_any(), &params, &Patch::Merge(patch))
        .await
    {
        Ok(_) => Ok(true),
        Err(error) if is_conflict(&error) || is_missing(&error) => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use http::{Method, Request, Response};
    use kube::client::{Body, ClientBuilder};
    use parking_lot::Mutex;
    use serde_json::Value;

    use super::*;
    use crate::api::AlertRule;

    /// What somebody does as soon as a finalizer is taken off.
    #[derive(Clone, Copy, PartialEq)]
    enum Somebody {
        DoesNothing,
        PutsItOnAgain,
        /// Before it is taken off each time: the resource is another one than was read.
        IsFaster,
    }

    /// What there is, and how often it was asked for a change.
    type Known = Arc<Mutex<(Vec<Value>, usize)>>;

    /// An API server that has two AlertRules with our finalizer and another one.
    fn server(somebody: Somebody) -> (Client, Known) {
        let rule = |name: &str| {
            json!({"apiVersion": "meta.k8s.io/v1", "kind": "PartialObjectMetadata", "metadata": {
                "name": name, "namespace": "shop", "uid": name, "resourceVersion": "1", "finalizers": ["else.org/x", FINALIZER],
            }})
        };
        let held = Arc::new(Mutex::new((vec![rule("a"), rule("b")], 0)));
        let known = held.clone();
        let service = tower::service_fn(move |request: Request<Body>| {
            let known = known.clone();
            async move {
                let (parts, body) = request.into_parts();
                let body = body.collect_bytes().await?;
                let mut known = known.lock();
                let (mut status, mut answer) = (
                    200,
                    json!({
                        "apiVersion": "meta.k8s.io/v1", "kind": "PartialObjectMetadataList", "metadata": {}, "items": known.0,
                    }),
                );
                if parts.method == Method::PATCH {
                    known.1 += 1;
                    let patch: Value = serde_json::from_slice(&body)?;
                    let name = parts.uri.path().rsplit('/').next().unwrap_or_default();
                    let rule = known.0.iter_mut().find(|rule| rule["metadata"]["name"] == name);
                    let rule = rule.ok_or("no such rule")?;
                    if somebody == Somebody::IsFaster {
                        status = 409;
                        answer = json!({"kind": "Status", "status": "Failure", "code": 409, "message": "", "reason": "Conflict"});
                    } else {
                        rule["metadata"]["finalizers"] = patch["metadata"]["finalizers"].clone();
                        answer = rule.clone();
                        if somebody == Somebody::PutsItOnAgain {
                            rule["metadata"]["finalizers"] = json!(["else.org/x", FINALIZER]);
                        }
                    }
                }
                let mut response = Response::new(Body::from(serde_json::to_vec(&answer)?));
                *response.status_mut() = u16::try_from(status)?.try_into()?;
                Ok::<_, tower::BoxError>(response)
            }
        });
        (ClientBuilder::new(service, "default").build(), held)
    }

    #[tokio::test]
    async fn our_finalizer_is_taken_off_and_nobody_elses() {
        let (client, held) = server(Somebody::DoesNothing);
        let mut freed = Freed::default();
        assert_eq!(freed.all_of::<AlertRule>(&client, &[]).await.unwrap(), 2);
        assert_eq!(freed.all_of::<AlertRule>(&client, &[]).await.unwrap(), 0);
        let held = held.lock();
        assert!(
            held.0
                .iter()
                .all(|rule| rule["metadata"]["finalizers"] == json!(["else.org/x"]))
        );
        assert_eq!(held.1, 2);
    }

    #[tokio::test]
    async fn an_operator_that_runs_all_the_same_ends_it_with_its_cure() {
        for (somebody, most) in [(Somebody::PutsItOnAgain, 2), (Somebody::IsFaster, 2 * IN_VAIN)] {
            let (client, held) = server(somebody);
            let error = Freed::default()
                .all_of::<AlertRule>(&client, &[])
                .await
                .unwrap_err();
            assert_eq!(
                error.to_string(),
                "AlertRule shop/a has got its finalizer again: an operator is running; stop it first"
            );
            assert_eq!(held.lock().1, most, "it doesn't go on for ever");
        }
    }
}
