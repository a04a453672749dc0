//! What must be there before anything begins: the API server, our types, and the rights to list them.

use std::fmt::Debug;
use std::time::Duration;

use k8s_openapi::NamespaceResourceScope;
use kube::api::{ListParams, PartialObjectMeta};
use kube::{Api, Client, Resource};
use tokio::time::sleep;
use tracing::warn;

use crate::api::{
    AlertRule, ContactPoint, GrafanaInstance, InhibitionRule, MaintenancePolicy, NotificationPolicy,
    NotificationTemplate, PrometheusRuleImport, Silence, TimeInterval,
};
use crate::cluster::answer::{chain, code, is_forbidden, is_missing};
use crate::domain::maintenance::migration::Job;
use crate::domain::maintenance::rollout::{DaemonSet, Deployment, StatefulSet};

/// How often an API server that can't be reached is tried.
const TRY: Duration = Duration::from_secs(2);

/// Waits until the API server answers. A watch of a type that isn't there, or that may not be listed, waits for ever without a
/// word, so this says it at once, with the cure.
///
/// Of several namespaces one that may be listed suffices: the others must not wait for one whose rights have gone.
pub(super) async fn installation(client: &Client, home: &str, namespaces: &[String]) -> Result<(), String> {
    let mut told = String::new();
    loop {
        match types(client, home, namespaces).await {
            Ok(()) => return Ok(()),
            Err(Trouble::Final(text)) => return Err(text),
            Err(Trouble::Passing(text)) => {
                if text != told {
                    warn!(error = text, "waiting for the API server");
                    told = text;
                }
                sleep(TRY).await;
            }
        }
    }
}

/// Why not everything is there.
enum Trouble {
    /// It may come by itself.
    Passing(String),
    /// A person has to do something.
    Final(String),
}

async fn types(client: &Client, home: &str, namespaces: &[String]) -> Result<(), Trouble> {
    somewhere::<AlertRule>(client, namespaces).await?;
    somewhere::<ContactPoint>(client, namespaces).await?;
    somewhere::<NotificationPolicy>(client, namespaces).await?;
    somewhere::<TimeInterval>(client, namespaces).await?;
    somewhere::<NotificationTemplate>(client, namespaces).await?;
    somewhere::<InhibitionRule>(client, namespaces).await?;
    somewhere::<Silence>(client, namespaces).await?;
    somewhere::<MaintenancePolicy>(client, namespaces).await?;
    somewhere::<PrometheusRuleImport>(client, namespaces).await?;
    somewhere::<Deployment>(client, namespaces).await?;
    somewhere::<StatefulSet>(client, namespaces).await?;
    somewhere::<DaemonSet>(client, namespaces).await?;
    somewhere::<Job>(client, namespaces).await?;
    listable::<GrafanaInstance>(client, Some(home)).await
}

/// A kind may be listed in one of the namespaces at least; in all where none is given.
async fn somewhere<K>(client: &Client, namespaces: &[String]) -> Result<(), Trouble>
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope>,
    PartialObjectMeta<K>: Debug + Clone,
{
    let mut first = None;
    for namespace in namespaces {
        match listable::<K>(client, Some(namespace)).await {
            Ok(()) => return Ok(()),
            Err(Trouble::Passing(text)) => return Err(Trouble::Passing(text)),
            Err(Trouble::Final(text)) => first = first.or(Some(text)),
        }
    }
    match first {
        Some(text) => Err(Trouble::Final(text)),
        None => listable::<K>(client, None).await,
    }
}

/// Lists one object of a kind.
async fn listable<K>(client: &Client, namespace: Option<&str>) -> Result<(), Trouble>
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope>,
    PartialObjectMeta<K>: Debug + Clone,
{
    let api: Api<PartialObjectMeta<K>> = match namespace {
        Some(namespace) => Api::namespaced(client.clone(), namespace),
        None => Api::all(client.clone()),
    };
    let Err(error) = api.list_metadata(&ListParams::default().limit(1)).await else {
        return Ok(());
    };
    let text = chain(&error);
    Err(if is_missing(&error) {
        let name = format!("{}.{}", K::plural(&()), K::group(&()));
        Trouble::Final(format!(
            "the CustomResourceDefinition {name} is not installed; install all of them with: alertwright crds | kubectl apply --server-side -f -"
        ))
    } else if is_forbidden(&error) {
        Trouble::Final(format!(
            "the ServiceAccount lacks rights: {text}; apply deploy/rbac.yaml"
        ))
    } else if code(&error).is_some_and(|code| (400..500).contains(&code) && code != 429) {
        Trouble::Final(format!("cannot list {}: {text}", K::plural(&())))
    } else {
        Trouble::Passing(text)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{Request, Response};
    use kube::client::{Body, ClientBuilder};
    use kube::core::Status;
    use tower::BoxError;

    /// An API server that answers lists of one type in its own way, and all others with an empty list.
    fn server(plural: &'static str, code: u16, body: &'static str) -> Client {
        let service = tower::service_fn(move |request: Request<Body>| async move {
            let path = request.uri().path().to_owned();
            let list = r#"{"kind":"PartialObjectMetadataList","apiVersion":"meta.k8s.io/v1","metadata":{},"items":[]}"#;
            let (code, body) = if path.contains(plural) {
                (code, body)
            } else {
                (200, list)
            };
            let answer = Response::builder().status(code);
            answer
                .body(Body::from(body.as_bytes().to_vec()))
                .map_err(BoxError::from)
        });
        ClientBuilder::new(service, "default").build()
    }

    async fn refusal(client: &Client, namespaces: &[&str]) -> String {
        let namespaces: Vec<String> = namespaces.iter().map(|&n| n.into()).collect();
        installation(client, "home", &namespaces)
            .await
            .expect_err("something is missing")
    }

    #[tokio::test]
    async fn a_type_that_is_not_installed_is_named_whichever_it_is() {
        for plural in ["alertrules", "silences", "grafanainstances"] {
            let text = refusal(&server(plural, 404, "404 page not found\n"), &[]).await;
            assert!(
                text.contains(&format!("{plural}.alerting.letsrevel.io is not installed"))
                    && text.contains("alertwright crds"),
                "{text}"
            );
        }
    }

    #[tokio::test]
    async fn a_right_that_is_missing_is_named_and_one_readable_namespace_suffices() {
        let status = Status::failure("cannot list resource jobs", "Forbidden").with_code(403);
        let body: &'static str = serde_json::to_string(&status).unwrap().leak();
        let text = refusal(&server("jobs", 403, body), &["team"]).await;
        assert_eq!(
            text,
            "the ServiceAccount lacks rights: cannot list resource jobs; apply deploy/rbac.yaml"
        );
        let closed = server("namespaces/closed", 403, body);
        let namespaces = ["closed".to_owned(), "open".to_owned()];
        assert_eq!(installation(&closed, "home", &namespaces).await, Ok(()));
        refusal(&closed, &["closed"]).await;
    }
}
