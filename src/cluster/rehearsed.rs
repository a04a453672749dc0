//! A cluster to which nothing is written: what is read comes from it, or from files; a write is answered as if it had been done.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use http::{Method, Request, Response, StatusCode};
use kube::Client;
use kube::client::{Body, ClientBuilder};
use parking_lot::Mutex;
use serde_json::{Value, json};

use super::identity::MEMORY;

/// What stands for the value of a Secret that can't be read: an address, since most are.
pub const UNKNOWN: &str = "https://secret.invalid/unknown";

/// What is known beside the cluster.
#[derive(Default)]
pub struct Stage {
    /// Objects of files, by the ends of their paths: `namespaces/revel/secrets/slack`.
    pub objects: BTreeMap<String, Value>,
    /// Which keys are asked of Secrets, by namespace and name.
    pub keys: BTreeMap<(String, String), BTreeSet<String>>,
}

/// What was read on the way.
#[derive(Default)]
pub struct Seen {
    /// The Secrets that couldn't be read.
    unread: Mutex<BTreeSet<String>>,
    /// The values of those that could.
    values: Mutex<BTreeSet<String>>,
}

impl Seen {
    /// The Secrets whose values aren't known, as namespace and name.
    pub fn unread(&self) -> Vec<String> {
        self.unread.lock().iter().cloned().collect()
    }

    /// Every value that came from a Secret, to be shown to nobody.
    pub fn values(&self) -> BTreeSet<String> {
        self.values.lock().clone()
    }

    fn note(&self, secret: &Value) {
        let data = secret.get("data").and_then(Value::as_object);
        let texts = data.into_iter().flat_map(|data| data.values());
        let texts = texts.filter_map(Value::as_str).filter_map(|text| {
            let bytes = data_encoding::BASE64.decode(text.as_bytes()).ok()?;
            String::from_utf8(bytes).ok()
        });
        let plain = secret.get("stringData").and_then(Value::as_object);
        let plain = plain.into_iter().flat_map(|data| data.values());
        let plain = plain.filter_map(Value::as_str).map(str::to_owned);
        let all = texts.chain(plain).map(|text| text.trim().to_owned());
        self.values.lock().extend(all.filter(|text| !text.is_empty()));
    }
}

/// A client to which the rest of the program may write as it does.
pub fn rehearsed(cluster: Option<Client>, stage: Stage, seen: &Arc<Seen>) -> Client {
    let namespace = cluster
        .as_ref()
        .map_or("default", Client::default_namespace)
        .to_owned();
    let (stage, seen) = (Arc::new(stage), seen.clone());
    let service = tower::service_fn(move |request: Request<Body>| {
        let (cluster, stage, seen) = (cluster.clone(), stage.clone(), seen.clone());
        async move {
            let (parts, body) = request.into_parts();
            let path = parts.uri.path().to_owned();
            if parts.method != Method::GET {
                let body = body.collect_bytes().await?;
                return Ok(answer(&done(&parts.method, &body)));
            }
            let real = match cluster {
                Some(cluster) => {
                    let response = cluster.send(Request::from_parts(parts, body)).await?;
                    let (parts, body) = response.into_parts();
                    let body = body.collect_bytes().await?;
                    let value: Value = serde_json::from_slice(&body).unwrap_or_default();
                    Some((parts.status, value))
                }
                None => None,
            };
            Ok::<_, tower::BoxError>(answer(&told(&path, real, &stage, &seen)))
        }
    });
    ClientBuilder::new(service, namespace).build()
}

/// What is answered to a read.
fn told(path: &str, real: Option<(StatusCode, Value)>, stage: &Stage, seen: &Seen) -> (StatusCode, Value) {
    let end = path.strip_prefix("/api/v1/").unwrap_or(path);
    // A file says what is to be in the place of what is there.
    if let Some(object) = stage.objects.get(end) {
        seen.note(object);
        return (StatusCode::OK, whole(object));
    }
    let secret = secret(end);
    if let Some((status, value)) = real
        && (secret.is_none() || status.is_success() || status == StatusCode::NOT_FOUND)
    {
        if secret.is_some() {
            seen.note(&value);
        }
        return (status, value);
    }
    let Some((namespace, name)) = secret else {
        return refused(StatusCode::FORBIDDEN, "Forbidden");
    };
    // What can't be read of the memory counts as if it had just begun.
    if name.starts_with(MEMORY) {
        seen.unread.lock().insert(format!("{namespace}/{name}"));
        return refused(StatusCode::NOT_FOUND, "NotFound");
    }
    let Some(keys) = stage.keys.get(&(namespace.to_owned(), name.to_owned())) else {
        return refused(StatusCode::NOT_FOUND, "NotFound");
    };
    seen.unread.lock().insert(format!("{namespace}/{name}"));
    let data: BTreeMap<_, _> = keys
        .iter()
        .map(|key| (key, data_encoding::BASE64.encode(UNKNOWN.as_bytes())))
        .collect();
    let secret = json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": namespace}, "data": data,
    });
    (StatusCode::OK, secret)
}

/// Namespace and name of the Secret that a path leads to.
fn secret(end: &str) -> Option<(&str, &str)> {
    let (namespace, rest) = end.strip_prefix("namespaces/")?.split_once('/')?;
    Some((namespace, rest.strip_prefix("secrets/")?))
}

/// A Secret of a file as an API server would give it: with all in `data`.
fn whole(object: &Value) -> Value {
    let mut object = object.clone();
    let plain = object.get("stringData").and_then(Value::as_object).cloned();
    if let (Some(plain), Some(fields)) = (plain, object.as_object_mut()) {
        fields.remove("stringData");
        let data = fields.entry("data").or_insert_with(|| json!({}));
        for (key, value) in plain {
            if let (Some(data), Some(text)) = (data.as_object_mut(), value.as_str()) {
                data.insert(key, data_encoding::BASE64.encode(text.as_bytes()).into());
            }
        }
    }
    object
}

/// What is answered to a write: what was sent.
fn done(method: &Method, body: &[u8]) -> (StatusCode, Value) {
    if *method == Method::DELETE {
        let status = json!({"kind": "Status", "apiVersion": "v1", "status": "Success"});
        return (StatusCode::OK, status);
    }
    let mut object: Value = serde_json::from_slice(body).unwrap_or_default();
    if let Some(meta) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        meta.insert("resourceVersion".to_owned(), json!("1"));
    }
    (StatusCode::OK, object)
}

fn refused(code: StatusCode, reason: &str) -> (StatusCode, Value) {
    let status = json!({
        "kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason, "message": reason, "code": code.as_u16(),
    });
    (code, status)
}

fn answer((status, value): &(StatusCode, Value)) -> Response<Body> {
    let mut response = Response::new(Body::from(value.to_string().into_bytes()));
    *response.status_mut() = *status;
    response
}
