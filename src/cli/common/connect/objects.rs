//! The resources of a cluster as they are there, each kind as far as one may read it.

use std::collections::BTreeSet;
use std::fmt::Debug;

use futures::future::join_all;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::coordination::v1::Lease;
use kube::api::{ApiResource, DynamicObject, ListParams};
use kube::{Api, Resource};
use serde_json::Value;

use super::cluster::{Connected, LABELLED, PAGE};
use crate::api::GrafanaInstance;
use crate::api::schema::kept;
use crate::cluster::answer::{chain, is_forbidden, is_missing};
use crate::cluster::leader;
use crate::domain::lint::near::nearest;
use crate::domain::lint::object::Object;

/// Objects that are read together: of a kind, in a namespace or in all.
#[derive(Debug, Clone)]
pub(in super::super::super) struct Source {
    resource: ApiResource,
    namespace: Option<String>,
    labels: Option<&'static str>,
    /// The one object that is meant, where it is one.
    name: Option<&'static str>,
}

/// What could be read.
#[derive(Debug, Default)]
pub(in super::super::super) struct Read {
    /// Each source with its objects.
    pub(in super::super::super) sources: Vec<(Source, Vec<Object>)>,
    /// What could not, and why.
    pub(in super::super::super) notes: Vec<String>,
    /// The kinds of ours that one may not read, somewhere or nowhere.
    unread: BTreeSet<String>,
    /// What says something of the operator itself and can't be read, by its kind.
    unseen_around: BTreeSet<String>,
    /// Whether those of other namespaces than one can't be seen.
    is_narrow: bool,
}

/// A kind of ours.
pub(in super::super::super) struct Kind {
    /// How the API server finds it.
    pub(in super::super::super) resource: ApiResource,
    /// Whether it is read from the operator's own namespace alone.
    pub(in super::super::super) is_at_home: bool,
    /// Its short names.
    short: Vec<String>,
}

/// Every kind of ours.
fn kinds() -> Vec<Kind> {
    let all = kept::names().into_iter();
    all.map(|names| Kind {
        is_at_home: names.kind == GrafanaInstance::kind(&()),
        resource: kept::resource(&names),
        short: names.short_names.unwrap_or_default(),
    })
    .collect()
}

/// The kind that a word means: its name, its plural or its short name, as kubectl takes them.
pub(in super::super::super) fn kind(word: &str) -> Result<Kind, String> {
    let plain = word.to_ascii_lowercase();
    let all = kinds();
    let names: Vec<String> = all.iter().map(|kind| kind.resource.kind.clone()).collect();
    let is_it = |kind: &Kind| {
        kind.resource.kind.to_ascii_lowercase() == plain
            || kind.resource.plural == plain
            || kind.short.contains(&plain)
    };
    all.into_iter().find(is_it).ok_or_else(|| {
        let near = nearest(word, names.iter().map(String::as_str));
        let near = near.map_or_else(String::new, |near| format!("; did you mean {near}?"));
        format!("there is no kind {word}{near}")
    })
}

impl Read {
    /// Whether there are resources of ours that one may not read, where one looks.
    pub(in super::super::super) fn is_partial(&self) -> bool {
        !self.unread.is_empty()
    }

    /// Why nothing at all can be read, in one sentence with the cure.
    fn nothing(&self, narrow: Option<&str>) -> String {
        if self.unread.is_empty() {
            return self.notes.join("; ");
        }
        let place = narrow.map_or_else(
            || "in all namespaces".to_owned(),
            |namespace| format!("in namespace {namespace}"),
        );
        let all = self.notes.iter();
        let user = all.filter_map(|note| note.split_once("User \"")?.1.split_once('"'));
        let user = user
            .map(|(user, _)| format!(" (the cluster knows you as {user})"))
            .next();
        format!(
            "you may read none of alertwright's resources {place}{}: have the ClusterRole view bound to you there, with deploy/people.yaml applied (or rbac.aggregate of the chart set), which makes them part of it",
            user.unwrap_or_default()
        )
    }

    /// Whether something of the operator itself can't be read: of this kind.
    pub(in super::super::super) fn is_blind_to(&self, kind: &str) -> bool {
        self.unseen_around.contains(kind)
    }

    /// Whether all of a kind that count were read: no other namespace may have a part in it that can't be seen.
    pub(in super::super::super) fn is_whole(&self) -> bool {
        !self.is_partial() && !self.is_narrow
    }

    /// Whether there may be objects of a kind that one may not read.
    pub(in super::super::super) fn lacks(&self, kind: &str) -> bool {
        self.unread.contains(kind)
    }

    /// Why nothing follows from there being no such object in a namespace, where that is so: it may be one that can't be seen.
    pub(in super::super::super) fn unseen(&self, kind: &str, name: &str, namespace: &str) -> Option<String> {
        let has = |place: &Option<String>| place.as_deref().is_none_or(|own| own == namespace);
        let mut known = self.known().filter(|(own, _)| own == kind);
        let is_read = known.any(|(_, place)| has(&place));
        (!is_read && (self.lacks(kind) || self.is_narrow)).then(|| {
            format!(
                "whether there is {kind} {name} in namespace {namespace} isn't known: {} there can't be read",
                several(kind)
            )
        })
    }

    /// Of which kinds all objects are known: of a namespace, or of all where none is named. Of GrafanaInstances there are none elsewhere.
    pub(in super::super::super) fn known(&self) -> impl Iterator<Item = (String, Option<String>)> {
        self.sources.iter().map(|(source, _)| {
            let kind = source.resource.kind.clone();
            (kind, source.namespace.clone())
        })
    }

    /// All objects.
    pub(in super::super::super) fn objects(&self) -> Vec<Object> {
        let all = self
            .sources
            .iter()
            .flat_map(|(_, objects)| objects.iter().cloned());
        all.collect()
    }
}

impl Source {
    /// Where it is read.
    pub(in super::super::super) fn api(&self, cluster: &Connected) -> Api<DynamicObject> {
        let client = cluster.client.clone();
        match &self.namespace {
            Some(namespace) => Api::namespaced_with(client, namespace, &self.resource),
            None => Api::all_with(client, &self.resource),
        }
    }

    /// Which of them are meant, as fields and labels.
    pub(in super::super::super) fn selectors(&self) -> (Option<String>, Option<&'static str>) {
        (self.name.map(|name| format!("metadata.name={name}")), self.labels)
    }

    /// An object of it.
    pub(in super::super::super) fn object(&self, object: &DynamicObject) -> Object {
        let mut value = serde_json::to_value(object).unwrap_or_default();
        // Lists of Kubernetes' own kinds don't repeat them.
        if let Some(fields) = value.as_object_mut() {
            fields.insert(
                "apiVersion".to_owned(),
                Value::from(self.resource.api_version.clone()),
            );
            fields.insert("kind".to_owned(), Value::from(self.resource.kind.clone()));
        }
        Object::new(value, self.namespace.as_deref().unwrap_or_default())
    }

    fn of(resource: ApiResource, namespace: Option<&str>) -> Self {
        Self {
            resource,
            namespace: namespace.map(str::to_owned),
            labels: None,
            name: None,
        }
    }

    async fn list(&self, cluster: &Connected) -> kube::Result<Vec<Object>> {
        let api = self.api(cluster);
        let (fields, labels) = self.selectors();
        let mut parameters = ListParams::default().limit(PAGE);
        parameters.field_selector = fields;
        parameters.label_selector = labels.map(str::to_owned);
        let mut all = Vec::new();
        loop {
            let page = api.list(&parameters).await?;
            all.extend(page.items.iter().map(|object| self.object(object)));
            match page.metadata.continue_.filter(|token| !token.is_empty()) {
                Some(token) => parameters = parameters.continue_token(&token),
                None => return Ok(all),
            }
        }
    }

    fn called(&self) -> String {
        let place = match &self.namespace {
            Some(namespace) => format!(" in namespace {namespace}"),
            None => String::new(),
        };
        format!("{}{place}", several(&self.resource.kind))
    }
}

impl Connected {
    /// All resources that the operator watches, its GrafanaInstances, its Deployment and its Lease. Where one may not read all namespaces, those of this
    /// one are read. What may not be read, or isn't installed, is noted; it fails where the cluster can't be asked, or nothing may be read.
    pub(in super::super::super) async fn objects(&self, narrow: Option<&str>) -> Result<Read, String> {
        let mut read = self.resources(narrow).await?;
        self.around(&mut read).await;
        Ok(read)
    }

    /// The same without what says something of the operator itself.
    pub(in super::super::super) async fn resources(&self, narrow: Option<&str>) -> Result<Read, String> {
        let read = self.of_ours(|_| true, narrow).await?;
        if read.sources.is_empty() {
            return Err(read.nothing(narrow));
        }
        Ok(read)
    }

    /// What is in the operator's own namespace: its GrafanaInstances, its Deployment and its Lease, as far as one may read them.
    pub(in super::super::super) async fn at_home(&self) -> Result<Read, String> {
        let mut read = self.of_ours(|kind| kind.is_at_home, None).await?;
        self.around(&mut read).await;
        Ok(read)
    }

    async fn of_ours(&self, is_meant: impl Fn(&Kind) -> bool, narrow: Option<&str>) -> Result<Read, String> {
        let ours = kinds();
        let ours = ours.iter().filter(|kind| is_meant(kind));
        let found = join_all(ours.map(|kind| self.kind(kind, narrow))).await;
        let mut read = Read::default();
        for part in found {
            let part = part?;
            read.sources.extend(part.sources);
            read.unread.extend(part.unread);
            read.is_narrow |= part.is_narrow;
            for note in part.notes {
                if !read.notes.contains(&note) {
                    read.notes.push(note);
                }
            }
        }
        Ok(read)
    }

    /// Adds what says something of the operator itself.
    async fn around(&self, read: &mut Read) {
        let home = Some(self.home.as_str());
        let mut deployment = Source::of(ApiResource::erase::<Deployment>(&()), home);
        deployment.labels = Some(LABELLED);
        let mut lease = Source::of(ApiResource::erase::<Lease>(&()), home);
        lease.name = Some(leader::NAME);
        for (source, found) in join_all([deployment, lease].map(|source| self.one(source))).await {
            match found {
                Ok(objects) => read.sources.push((source, objects)),
                Err(error) => {
                    let why = chain(&error);
                    read.notes
                        .push(format!("{} can't be read: {why}", source.called()));
                    read.unseen_around.insert(source.resource.kind);
                }
            }
        }
    }

    async fn one(&self, source: Source) -> (Source, kube::Result<Vec<Object>>) {
        let found = source.list(self).await;
        (source, found)
    }

    async fn kind(&self, kind: &Kind, narrow: Option<&str>) -> Result<Read, String> {
        let of = |namespace: Option<&str>| Source::of(kind.resource.clone(), namespace);
        let sources = if kind.is_at_home {
            vec![of(Some(&self.home))]
        } else if self.watched.is_empty() {
            vec![of(None)]
        } else {
            self.watched.iter().map(|namespace| of(Some(namespace))).collect()
        };
        let mut read = Read::default();
        for source in sources {
            let (source, mut found) = self.one(source).await;
            let mut source = source;
            if found.as_ref().is_err_and(is_forbidden)
                && source.namespace.is_none()
                && let Some(namespace) = narrow
            {
                (source, found) = self.one(of(Some(namespace))).await;
                if found.is_ok() {
                    read.is_narrow = true;
                    read.notes.push(format!(
                        "resources of other namespaces than {namespace} can't be seen: what they have a part in isn't known"
                    ));
                }
            }
            match found {
                Ok(objects) => read.sources.push((source, objects)),
                Err(error) if is_forbidden(&error) => {
                    read.unread.insert(kind.resource.kind.clone());
                    let why = chain(&error);
                    read.notes
                        .push(format!("{} can't be read: {why}", source.called()));
                }
                Err(error) if is_missing(&error) => read.notes.push(format!(
                    "this cluster has no {}: alertwright, or this version of it, isn't installed",
                    several(&kind.resource.kind)
                )),
                Err(error) => return Err(format!("cannot list {}: {}", source.called(), chain(&error))),
            }
        }
        Ok(read)
    }
}

/// Several of a kind.
fn several(kind: &str) -> String {
    match kind.strip_suffix('y') {
        Some(stem) => format!("{stem}ies"),
        None => format!("{kind}s"),
    }
}

#[cfg(test)]
mod tests {
    use http::{Request, Response};
    use kube::Client;
    use kube::client::Body;
    use serde_json::json;

    use super::*;

    /// A cluster that answers lists of these paths, and no others.
    fn cluster(readable: &'static [&'static str]) -> Connected {
        let service = tower::service_fn(move |request: Request<Body>| async move {
            let path = request.uri().path();
            let (code, answer) = if readable.iter().any(|part| path.contains(part)) {
                let list = json!({"apiVersion": "v1", "kind": "List", "metadata": {}, "items": []});
                (200, list)
            } else {
                let why = json!({"apiVersion": "v1", "kind": "Status", "status": "Failure", "reason": "Forbidden", "message": "no", "code": 403});
                (403, why)
            };
            let answer = Body::from(answer.to_string().into_bytes());
            let answer = Response::builder().status(code).body(answer);
            Ok::<_, tower::BoxError>(answer?)
        });
        Connected::of(Client::new(service, "revel"), "home")
    }

    #[tokio::test]
    async fn who_may_not_look_at_the_operator_is_blind_to_it() {
        let read = async |readable| cluster(readable).at_home().await.unwrap();
        let some = read(&["/v1alpha1/", "/leases"]).await;
        assert!(some.is_blind_to("Deployment") && !some.is_blind_to("Lease"));
        assert!(!some.is_partial());
        let all = read(&["/v1alpha1/", "/leases", "/deployments"]).await;
        assert!(!all.is_blind_to("Deployment") && !all.is_blind_to("Lease"));
    }

    #[tokio::test]
    async fn who_may_read_nothing_is_told_so_once_with_the_cure() {
        let why = cluster(&[]).resources(Some("revel")).await.unwrap_err();
        assert!(
            why.starts_with("you may read none of alertwright's resources in namespace revel: have the ClusterRole view bound"),
            "{why}"
        );
        let why = cluster(&[]).resources(None).await.unwrap_err();
        assert!(why.contains("in all namespaces: "), "{why}");
        let refused = Read {
            unread: BTreeSet::from(["AlertRule".to_owned()]),
            notes: vec![r#"AlertRules can't be read: alertrules is forbidden: User "ann" cannot list resource "alertrules""#.to_owned()],
            ..Read::default()
        };
        assert!(refused.nothing(None).contains("(the cluster knows you as ann)"));
        let missing = Read {
            notes: vec![
                "this cluster has no AlertRules: alertwright, or this version of it, isn't installed"
                    .to_owned(),
            ],
            ..Read::default()
        };
        assert!(
            missing
                .nothing(None)
                .starts_with("this cluster has no AlertRules")
        );
    }

    #[tokio::test]
    async fn who_may_read_one_namespace_alone_has_not_looked_at_all() {
        let read = async |readable| cluster(readable).resources(Some("revel")).await.unwrap();
        let narrow = read(&["/namespaces/revel/", "/namespaces/home/grafanainstances"]).await;
        assert!(!narrow.is_whole() && !narrow.is_partial());
        let said =
            "resources of other namespaces than revel can't be seen: what they have a part in isn't known";
        assert_eq!(narrow.notes, [said]);
        let blind = read(&["/v1alpha1/alertrules", "/v1alpha1/notificationpolicies"]).await;
        assert!(blind.is_partial() && !blind.is_whole());
        assert!(blind.lacks("GrafanaInstance") && !blind.lacks("AlertRule"));
        let of = |read: &Read, namespace: &str| read.unseen("AlertRule", "a", namespace).is_some();
        assert!(!of(&narrow, "revel") && of(&narrow, "shop") && !of(&blind, "shop"));
        let why = read(&["/namespaces/home/grafanainstances"]).await;
        let why = why.unseen("AlertRule", "a", "revel");
        assert_eq!(
            why.as_deref(),
            Some(
                "whether there is AlertRule a in namespace revel isn't known: AlertRules there can't be read"
            )
        );
        let whole = read(&["/v1alpha1/"]).await;
        assert!(whole.is_whole() && whole.notes.is_empty(), "{:?}", whole.notes);
    }

    #[test]
    fn kinds_are_named_as_kubectl_takes_them() {
        for word in ["AlertRule", "alertrule", "alertrules", "arule"] {
            assert_eq!(
                kind(word).map(|kind| kind.resource.kind),
                Ok("AlertRule".to_owned())
            );
        }
        let why = kind("alertrul").err();
        assert!(why.is_some_and(|why| why.ends_with("did you mean AlertRule?")));
        for kind in kinds() {
            assert_eq!(
                several(&kind.resource.kind).to_ascii_lowercase(),
                kind.resource.plural
            );
        }
        assert_eq!(kinds().len(), crate::api::crds().len());
    }
}
