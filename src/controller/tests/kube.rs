//! An API server in this process: objects by their paths, and what was written.

use std::collections::BTreeMap;
use std::sync::Arc;

use http::{Method, Request, Response, StatusCode};
use kube::Client;
use kube::client::{Body, ClientBuilder};
use parking_lot::Mutex;
use serde_json::{Value, json};

/// One API server; clones are the same one.
#[derive(Clone, Default)]
pub(super) struct ApiServer(Arc<Inner>);

#[derive(Default)]
struct Inner {
    objects: Mutex<BTreeMap<String, Value>>,
    /// Writes to paths with this in them are refused, in this way.
    closed: Mutex<Option<(&'static str, StatusCode)>>,
    writes: Mutex<Vec<String>>,
    reads: Mutex<Vec<String>>,
}

impl ApiServer {
    pub(super) fn client(&self) -> Client {
        let server = self.clone();
        let service = tower::service_fn(move |request: Request<Body>| {
            let server = server.clone();
            async move {
                let (parts, body) = request.into_parts();
                let body = body.collect_bytes().await?;
                let (status, answer) = server.answer(&parts.method, parts.uri.path(), &body);
                let mut response = Response::new(Body::from(answer.to_string().into_bytes()));
                *response.status_mut() = status;
                Ok::<_, tower::BoxError>(response)
            }
        });
        ClientBuilder::new(service, "default").build()
    }

    /// What was written, as `METHOD path`.
    pub(super) fn writes(&self) -> Vec<String> {
        self.0.writes.lock().clone()
    }

    /// What was read, as paths.
    pub(super) fn reads(&self) -> Vec<String> {
        self.0.reads.lock().clone()
    }

    /// Makes an object, or replaces it.
    pub(super) fn set(&self, path: &str, object: Value) {
        self.0.objects.lock().insert(path.to_owned(), object);
    }

    /// Refuses writes to paths with this in them, as an admission policy does.
    pub(super) fn close(&self, part: &'static str) {
        *self.0.closed.lock() = Some((part, StatusCode::FORBIDDEN));
    }

    /// Refuses nothing any more.
    pub(super) fn open(&self) {
        *self.0.closed.lock() = None;
    }

    /// Finds writes to paths with this in them invalid, or in conflict: so it answers those of an object that has changed meanwhile.
    pub(super) fn find(&self, code: StatusCode, part: &'static str) {
        *self.0.closed.lock() = Some((part, code));
    }

    /// An object as it is; null where there is none.
    pub(super) fn get(&self, path: &str) -> Value {
        self.0.objects.lock().get(path).cloned().unwrap_or_default()
    }

    /// All objects of a type.
    pub(super) fn all(&self, plural: &str) -> Vec<Value> {
        let part = format!("/{plural}/");
        let objects = self.0.objects.lock();
        let found = objects.iter().filter(|(path, _)| path.contains(&part));
        found.map(|(_, object)| object.clone()).collect()
    }

    /// How many objects of a type there are.
    pub(super) fn count(&self, plural: &str) -> usize {
        let part = format!("/{plural}/");
        self.0
            .objects
            .lock()
            .keys()
            .filter(|path| path.contains(&part))
            .count()
    }

    /// The condition `Ready` of an object, as reason and message; `None` before there is one.
    pub(super) fn ready(&self, path: &str) -> Option<(String, String)> {
        let objects = self.0.objects.lock();
        let conditions = objects.get(path)?["status"]["conditions"].as_array()?;
        let ready = conditions.iter().find(|c| c["type"] == "Ready")?;
        Some((
            ready["reason"].as_str()?.to_owned(),
            ready["message"].as_str()?.to_owned(),
        ))
    }

    /// Takes an object away.
    pub(super) fn remove(&self, path: &str) {
        self.0.objects.lock().remove(path);
    }

    /// Reason and note of every event that was published, in no order.
    pub(super) fn notes(&self) -> Vec<String> {
        let objects = self.0.objects.lock();
        let events = objects.iter().filter(|(path, _)| path.contains("/events/"));
        let text = |event: &Value, field: &str| event[field].as_str().unwrap_or_default().to_owned();
        events
            .map(|(_, event)| format!("{}: {}", text(event, "reason"), text(event, "note")))
            .collect()
    }

    fn answer(&self, method: &Method, path: &str, body: &[u8]) -> (StatusCode, Value) {
        if *method == Method::GET {
            self.0.reads.lock().push(path.to_owned());
        } else {
            self.0.writes.lock().push(format!("{method} {path}"));
        }
        let closed = self.0.closed.lock().filter(|(part, _)| path.contains(part));
        if let Some((_, code)) = closed
            && *method != Method::GET
        {
            let reason = code.canonical_reason().unwrap_or_default();
            return refused(code, reason, "admission policy: not here");
        }
        let mut objects = self.0.objects.lock();
        let body = serde_json::from_slice(body).unwrap_or(Value::Null);
        match *method {
            Method::GET
                if ["/alertrules", "/silences", "/jobs"]
                    .iter()
                    .any(|plural| path.ends_with(plural)) =>
            {
                let within = format!("{path}/");
                let items: Vec<_> = objects
                    .iter()
                    .filter(|(path, _)| path.starts_with(&within))
                    .map(|(_, object)| json!({"metadata": object["metadata"]}))
                    .collect();
                let list = json!({
                    "kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1", "metadata": {}, "items": items,
                });
                (StatusCode::OK, list)
            }
            Method::GET => objects
                .get(path)
                .map_or_else(missing, |object| (StatusCode::OK, object.clone())),
            Method::POST => {
                let name = body["metadata"]["name"].as_str().unwrap_or("generated");
                let path = format!("{path}/{name}");
                (StatusCode::CREATED, versioned(&mut objects, path, body))
            }
            Method::PUT => (StatusCode::OK, versioned(&mut objects, path.to_owned(), body)),
            Method::PATCH => match objects.get_mut(path.trim_end_matches("/status")) {
                Some(object) => {
                    // What is meant for one version is for no other.
                    let only = body["metadata"]["resourceVersion"].as_str();
                    let version = object["metadata"]["resourceVersion"].as_str();
                    if only.is_some() && version.is_some() && only != version {
                        return refused(StatusCode::CONFLICT, "Conflict", "the object has been modified");
                    }
                    for part in ["status", "spec"] {
                        if let Some(part_of_it) = body.get(part) {
                            object[part] = part_of_it.clone();
                        }
                    }
                    (StatusCode::OK, object.clone())
                }
                // What is applied is made where it isn't there.
                None if body.get("kind").is_some() && !path.ends_with("/status") => (
                    StatusCode::CREATED,
                    versioned(&mut objects, path.to_owned(), body),
                ),
                None => missing(),
            },
            _ => (
                StatusCode::OK,
                json!({"kind": "Status", "apiVersion": "v1", "status": "Success"}),
            ),
        }
    }
}

fn versioned(objects: &mut BTreeMap<String, Value>, path: String, mut object: Value) -> Value {
    let version = objects
        .get(&path)
        .and_then(|o| o["metadata"]["resourceVersion"].as_str()?.parse().ok());
    object["metadata"]["resourceVersion"] = json!((version.unwrap_or(0u64) + 1).to_string());
    objects.insert(path, object.clone());
    object
}

fn missing() -> (StatusCode, Value) {
    refused(StatusCode::NOT_FOUND, "NotFound", "not found")
}

fn refused(code: StatusCode, reason: &str, message: &str) -> (StatusCode, Value) {
    let status = json!({
        "kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason, "message": message, "code": code.as_u16(),
    });
    (code, status)
}
