//! Folders below `/apis`, over HTTP, with `watch` as Kubernetes documents it ("Efficient detection of changes" in its API concepts): a list has
//! the version that it was made at; a watch tells of every change after a version, one JSON object a line, and then of those to come; it ends when the
//! server likes; a version that is too old is answered with 410, or with an event of it.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use futures::StreamExt;
use futures::stream::unfold;
use http::{StatusCode, Uri};
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::grafana::api::Folders;
use crate::grafana::transport::{Auth, Connection, Tls};
use crate::grafana::wire::Settings;
use crate::grafana::{Company, Grafana};

/// What it holds, and how it behaves.
pub(in crate::controller::tests) struct Held {
    version: usize,
    titles: BTreeMap<String, String>,
    /// Every change with its version.
    log: Vec<(usize, Value)>,
    /// The oldest version from which a watch may go on.
    oldest: usize,
    /// Changes up to this one are told.
    told_up_to: usize,
    /// Watches that began before this one end.
    cut: usize,
    /// Whether discovery shows `watch`.
    pub(in crate::controller::tests) has_verb: bool,
    /// How watches are answered that don't go on: with this status, or with an event of it.
    pub(in crate::controller::tests) refuses: Option<u16>,
    pub(in crate::controller::tests) tells_errors: bool,
    /// Whether lists are refused.
    pub(in crate::controller::tests) refuses_lists: bool,
    /// The versions that watches went on from.
    pub(in crate::controller::tests) watches: Vec<String>,
    pub(in crate::controller::tests) lists: usize,
    pub(in crate::controller::tests) looks: usize,
}

#[derive(Clone)]
pub(in crate::controller::tests) struct Watching {
    held: Arc<Mutex<Held>>,
    changes: Arc<watch::Sender<()>>,
    /// How many watches are open.
    open: Arc<AtomicUsize>,
}

/// While it is there, a watch is open.
struct Open(Arc<AtomicUsize>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Watching {
    /// One that holds these folders, and the folders of a client of it.
    pub(in crate::controller::tests) async fn with(
        folders: &[(&str, &str)],
        has_verb: bool,
    ) -> (Self, Arc<dyn Folders>) {
        // Another test may have been first.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let held = Held {
            version: 100,
            titles: folders
                .iter()
                .map(|(uid, title)| ((*uid).to_owned(), (*title).to_owned()))
                .collect(),
            log: Vec::new(),
            oldest: 0,
            told_up_to: usize::MAX,
            cut: 0,
            has_verb,
            refuses: None,
            tells_errors: false,
            refuses_lists: false,
            watches: Vec::new(),
            lists: 0,
            looks: 0,
        };
        let server = Self {
            held: Arc::new(Mutex::new(held)),
            changes: Arc::new(watch::Sender::new(())),
            open: Arc::default(),
        };
        let group = "/apis/folder.grafana.app/v1";
        let router = Router::new()
            .route("/apis", get(groups))
            .route(group, get(kinds))
            .route(&format!("{group}/namespaces/default/folders"), get(list_or_watch))
            .route("/api/folders/{uid}", get(look))
            .route("/api/health", get(async || r#"{"database": "ok"}"#))
            .route("/api/search", get(async || "[]"))
            .with_state(server.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(axum::serve(listener, router).into_future());
        let connection = Connection {
            url: url.parse().unwrap(),
            auth: Auth::Token("token".into()),
            org_id: None,
            tls: Tls::default(),
            headers: Vec::new(),
            proxy: None,
            user_agent: "test".to_owned(),
        };
        let client = Grafana::connect(&connection, Arc::new(()), Company::default()).unwrap();
        let settings = Settings {
            version: Some("13.0.1".to_owned()),
            min_interval: Duration::from_secs(10),
            nested_folders: true,
            toggles: crate::grafana::wire::Toggles::default(),
            namespace: Some("default".to_owned()),
        };
        client.apis.choose(&settings).await.unwrap();
        (server, client.folders)
    }

    /// Looks at what it holds, or changes how it behaves.
    pub(in crate::controller::tests) fn hold<T>(&self, look: impl FnOnce(&mut Held) -> T) -> T {
        let looked = look(&mut self.held.lock());
        self.changes.send_replace(());
        looked
    }

    /// Somebody gives a folder a title, or deletes it.
    pub(in crate::controller::tests) fn set(&self, uid: &str, title: Option<&str>) {
        self.hold(|held| {
            let before = held.titles.remove(uid);
            held.version += 1;
            let type_ = match (&before, title) {
                (_, None) => "DELETED",
                (None, Some(_)) => "ADDED",
                (Some(_), Some(_)) => "MODIFIED",
            };
            let title = title.map(str::to_owned);
            held.titles
                .extend(title.clone().map(|title| (uid.to_owned(), title)));
            let shown = object(uid, &title.or(before).unwrap_or_default(), held.version);
            held.log
                .push((held.version, json!({"type": type_, "object": shown})));
        });
    }

    /// Tells no more than this many of the changes that there were up to now and will be.
    pub(in crate::controller::tests) fn tells_only(&self, changes: usize) {
        self.hold(|held| held.told_up_to = 100 + changes);
    }

    /// Ends every watch.
    pub(in crate::controller::tests) fn cut(&self) {
        self.hold(|held| held.cut += 1);
    }

    /// Forgets the changes up to now: no watch can go on from before.
    pub(in crate::controller::tests) fn compact(&self) {
        self.hold(|held| held.oldest = held.version);
    }

    pub(in crate::controller::tests) fn version(&self) -> String {
        self.held.lock().version.to_string()
    }

    /// How many watches are open.
    pub(in crate::controller::tests) fn open(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }
}

fn object(uid: &str, title: &str, version: usize) -> Value {
    json!({
        "apiVersion": "folder.grafana.app/v1", "kind": "Folder",
        "metadata": {"name": uid, "namespace": "default", "resourceVersion": version.to_string()}, "spec": {"title": title},
    })
}

fn status(code: u16) -> Value {
    json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": format!("no watch: {code}"), "reason": "Expired", "code": code})
}

async fn groups() -> String {
    let versions = [json!({"groupVersion": "folder.grafana.app/v1", "version": "v1"})];
    json!({"kind": "APIGroupList", "groups": [{"name": "folder.grafana.app", "versions": versions}]})
        .to_string()
}

async fn kinds(State(server): State<Watching>) -> String {
    let mut verbs = vec!["get", "list"];
    verbs.extend(server.held.lock().has_verb.then_some("watch"));
    json!({"kind": "APIResourceList", "resources": [{"name": "folders", "verbs": verbs}]}).to_string()
}

async fn look(State(server): State<Watching>, Path(uid): Path<String>) -> Response {
    let mut held = server.held.lock();
    held.looks += 1;
    match held.titles.get(&uid) {
        Some(title) => json!({"uid": uid, "title": title}).to_string().into_response(),
        None => (StatusCode::NOT_FOUND, r#"{"message": "folder not found"}"#).into_response(),
    }
}

async fn list_or_watch(State(server): State<Watching>, uri: Uri) -> Response {
    let query = url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
    let query: BTreeMap<String, String> = query.into_owned().collect();
    if query.contains_key("watch") {
        return watch_from(&server, &query["resourceVersion"]);
    }
    let mut held = server.held.lock();
    if held.refuses_lists {
        return (StatusCode::FORBIDDEN, status(403).to_string()).into_response();
    }
    held.lists += 1;
    let items: Vec<Value> = held
        .titles
        .iter()
        .map(|(uid, title)| object(uid, title, held.version))
        .collect();
    json!({"metadata": {"resourceVersion": held.version.to_string()}, "items": items})
        .to_string()
        .into_response()
}

fn watch_from(server: &Watching, version: &str) -> Response {
    let mut held = server.held.lock();
    held.watches.push(version.to_owned());
    let since: usize = version.parse().unwrap();
    let refused = held.refuses.or((since < held.oldest).then_some(410));
    if let Some(code) = refused {
        let status = status(code);
        if held.tells_errors {
            return format!("{}\n", json!({"type": "ERROR", "object": status})).into_response();
        }
        return (StatusCode::from_u16(code).unwrap(), status.to_string()).into_response();
    }
    let bookmark =
        json!({"type": "BOOKMARK", "object": {"kind": "Folder", "metadata": {"resourceVersion": version}}});
    server.open.fetch_add(1, Ordering::Relaxed);
    let (open, cut, changes) = (Open(server.open.clone()), held.cut, server.changes.subscribe());
    let held = server.held.clone();
    let stream = unfold(
        (Some(bookmark), since, open, changes),
        move |(bookmark, since, open, mut changes)| {
            let held = held.clone();
            async move {
                if let Some(bookmark) = bookmark {
                    return Some((line(&bookmark), (None, since, open, changes)));
                }
                loop {
                    changes.borrow_and_update();
                    let (is_cut, next) = {
                        let held = held.lock();
                        let next = held.log.iter().find(|(version, _)| *version > since);
                        let next = next.filter(|(version, _)| *version <= held.told_up_to);
                        (held.cut > cut, next.cloned())
                    };
                    if let Some((version, event)) = next {
                        return Some((line(&event), (None, version, open, changes)));
                    }
                    if is_cut {
                        return None;
                    }
                    changes.changed().await.ok()?;
                }
            }
        },
    );
    Body::from_stream(stream.map(Ok::<_, Infallible>)).into_response()
}

fn line(event: &Value) -> Bytes {
    format!("{event}\n").into()
}
