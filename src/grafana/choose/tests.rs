//! The choice against servers that have the newer API, have it not, or refuse it.

mod notifications;
mod refusals;
mod rules;
mod writes;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use http::StatusCode;
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::*;
use crate::grafana::transport::{Auth, Connection, Tls};

const LIST: &str = "/apis/folder.grafana.app/v1/namespaces/org-2/folders";

/// A Grafana that says of all versions of all groups that they are there, each of which is asked then.
async fn serve(router: Router) -> Grafana {
    let group = |name: &str, versions: &[&str]| {
        let versions: Value = versions
            .iter()
            .map(|version| json!({"version": version}))
            .collect();
        json!({"name": name, "versions": versions})
    };
    let groups = json!({"kind": "APIGroupList", "groups": [
        group("folder.grafana.app", &["v1", "v1beta1"]),
        group("notifications.alerting.grafana.app", &["v1beta1"]),
        group("rules.alerting.grafana.app", &["v1beta1", "v0alpha1"]),
    ]});
    let router = router.route("/apis", get(async move || groups.to_string()));
    connect(router).await
}

async fn connect(router: Router) -> Grafana {
    // Another test may have been first.
    let _ = rustls::crypto::ring::default_provider().install_default();
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
    Grafana::connect(&connection, Arc::new(()), Company::default()).unwrap()
}

fn settings(namespace: Option<&str>) -> Settings {
    Settings {
        version: Some("13.0.1".to_owned()),
        min_interval: Duration::from_secs(10),
        nested_folders: true,
        toggles: crate::grafana::wire::Toggles::default(),
        namespace: namespace.map(str::to_owned),
    }
}

/// A Grafana that serves these versions of folders with these verbs, and one folder by each API: `older` and `newer`.
fn with_folders(versions: &'static [&'static str], verbs: &'static [&'static str]) -> Router {
    let kinds = json!({"kind": "APIResourceList", "resources": [
        {"name": "folders/counts", "verbs": ["get"]}, {"name": "folders", "verbs": verbs},
    ]});
    let kinds = kinds.to_string();
    let router = Router::new().route("/api/search", get(async || r#"[{"uid": "older", "title": "t"}]"#));
    versions.iter().fold(router, |router, version| {
        let kinds = kinds.clone();
        let path = format!("/apis/folder.grafana.app/{version}");
        router.route(&path, get(async move || kinds))
    })
}

fn page(uids: &[&str], next: &str) -> String {
    let item = |uid: &&str| json!({"metadata": {"name": uid}, "spec": {"title": "t"}});
    json!({"metadata": {"continue": next}, "items": uids.iter().map(item).collect::<Value>()}).to_string()
}

async fn listed(grafana: &Grafana) -> Vec<String> {
    let folders = grafana.folders.list().await.unwrap().items;
    folders.into_iter().map(|folder| folder.uid).collect()
}

fn api_of_folders(grafana: &Grafana) -> String {
    grafana.apis.capabilities().apis[&Concern::Folders].to_string()
}

#[tokio::test]
async fn folders_are_listed_through_the_newer_api_page_by_page_where_it_is_there() {
    let router = with_folders(&["v1beta1", "v1"], &["create", "get", "list"]).route(
        LIST,
        get(async |request: Request| {
            if request.uri().query().unwrap().contains("continue=next") {
                page(&["c"], "")
            } else {
                page(&["a", "b"], "next")
            }
        }),
    );
    let grafana = serve(router).await;
    assert_eq!(
        listed(&grafana).await,
        ["older"],
        "nothing is chosen before it was looked for"
    );
    grafana.apis.choose(&settings(Some("org-2"))).await.unwrap();
    assert_eq!(
        api_of_folders(&grafana),
        "provisioning",
        "nothing is chosen before it has answered"
    );
    assert_eq!(listed(&grafana).await, ["a", "b", "c"]);
    assert_eq!(api_of_folders(&grafana), "folder.grafana.app/v1");
    // Once it is, another look changes nothing.
    grafana.apis.choose(&settings(Some("org-2"))).await.unwrap();
    assert_eq!(api_of_folders(&grafana), "folder.grafana.app/v1");
    assert!(grafana.apis.capabilities().watchable.is_empty());
}

#[tokio::test]
async fn a_kind_that_can_be_watched_is_known_to_be() {
    let list = LIST.replace("/v1/", "/v1beta1/");
    let router =
        with_folders(&["v1beta1"], &["get", "list", "watch"]).route(&list, get(async || page(&[], "")));
    let grafana = serve(router).await;
    grafana.apis.choose(&settings(Some("org-2"))).await.unwrap();
    listed(&grafana).await;
    assert_eq!(api_of_folders(&grafana), "folder.grafana.app/v1beta1");
    assert!(grafana.apis.capabilities().watchable.contains(&Concern::Folders));
}

#[tokio::test]
async fn without_the_newer_api_the_older_one_is_used_and_nothing_is_said() {
    let no_kind = Router::new()
        .route(
            "/apis/folder.grafana.app/v1",
            get(async || json!({"resources": null}).to_string()),
        )
        .route("/api/search", get(async || r#"[{"uid": "older", "title": "t"}]"#));
    let a_page = Router::new()
        .route(
            "/apis/folder.grafana.app/v1",
            get(async || "<html>Grafana</html>"),
        )
        .route("/api/search", get(async || r#"[{"uid": "older", "title": "t"}]"#));
    let nothing = Router::new().route("/api/search", get(async || r#"[{"uid": "older", "title": "t"}]"#));
    let a_stranger = nothing
        .clone()
        .fallback(any(async || (StatusCode::NOT_FOUND, "<html>no such page</html>")));
    for router in [
        no_kind,
        a_page,
        nothing,
        a_stranger,
        with_folders(&["v2"], &["get", "list"]),
        with_folders(&["v1"], &["get"]),
    ] {
        let grafana = serve(router).await;
        grafana.apis.choose(&settings(Some("org-2"))).await.unwrap();
        assert_eq!(api_of_folders(&grafana), "provisioning");
        assert_eq!(listed(&grafana).await, ["older"]);
        assert!(grafana.apis.capabilities().fallbacks.is_empty());
    }
    let grafana = serve(with_folders(&["v1"], &["get", "list"])).await;
    grafana.apis.choose(&settings(None)).await.unwrap();
    assert_eq!(
        api_of_folders(&grafana),
        "provisioning",
        "without a namespace there is no address"
    );
}

#[tokio::test]
async fn an_api_that_cannot_be_seen_now_changes_nothing() {
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = asked.clone();
    let kinds = json!({"resources": [{"name": "folders", "verbs": ["get", "list"]}]}).to_string();
    let router = Router::new()
        .route(
            "/apis/folder.grafana.app/v1",
            get(async move || -> Response {
                match counted.fetch_add(1, Ordering::Relaxed) {
                    0 => kinds.into_response(),
                    _ => (StatusCode::BAD_GATEWAY, "bad gateway").into_response(),
                }
            }),
        )
        .route(LIST, get(async || page(&[], "")));
    let grafana = serve(router).await;
    grafana.apis.choose(&settings(Some("org-2"))).await.unwrap();
    listed(&grafana).await;
    grafana.apis.choose(&settings(Some("org-2"))).await.unwrap_err();
    assert_eq!(api_of_folders(&grafana), "folder.grafana.app/v1");
}

#[tokio::test]
async fn where_the_newer_api_is_refused_the_older_one_is_used_and_neither_in_turn() {
    let status = json!({"kind": "Status", "status": "Failure", "reason": "Forbidden", "code": 403, "message": "folders is forbidden"});
    let missing = json!({"kind": "Status", "status": "Failure", "reason": "NotFound", "code": 404, "message": "folders is gone"});
    for (status, body, said) in [
        (StatusCode::FORBIDDEN, status.to_string(), "folders is forbidden"),
        (StatusCode::NOT_FOUND, missing.to_string(), "folders is gone"),
        // A gateway lets discovery through and nothing else.
        (
            StatusCode::FORBIDDEN,
            "<html>not here</html>".to_owned(),
            "not by grafana",
        ),
        (
            StatusCode::NOT_FOUND,
            "<html>not here</html>".to_owned(),
            "not by grafana",
        ),
        (
            StatusCode::METHOD_NOT_ALLOWED,
            json!({"message": "not this way"}).to_string(),
            "not this way",
        ),
    ] {
        let asked = Arc::new(AtomicUsize::new(0));
        let counted = asked.clone();
        let router = with_folders(&["v1"], &["get", "list"]).route(
            LIST,
            any(async move || {
                counted.fetch_add(1, Ordering::Relaxed);
                (status, body)
            }),
        );
        let grafana = serve(router).await;
        for choices in 1..=2 {
            grafana.apis.choose(&settings(Some("org-2"))).await.unwrap();
            // From the second choice on it stands all the while, or a status would say the one and the other in turn.
            assert_eq!(api_of_folders(&grafana), "provisioning");
            assert_eq!(grafana.apis.capabilities().fallbacks.len(), choices - 1);
            for _ in 0..3 {
                assert_eq!(listed(&grafana).await, ["older"]);
                assert_eq!(api_of_folders(&grafana), "provisioning");
            }
            assert_eq!(asked.load(Ordering::Relaxed), choices);
            let capabilities = grafana.apis.capabilities();
            let fallback = &capabilities.fallbacks[&Concern::Folders];
            assert!(
                matches!(fallback, Fallback::Refused(why) if why.contains(said)),
                "{fallback:?}"
            );
        }
    }
}

#[tokio::test]
async fn what_both_refuse_to_list_closes_nothing() {
    let is_refused = Arc::new(AtomicBool::new(false));
    let refused = is_refused.clone();
    let refusal = json!({"message": "not for you"}).to_string();
    let router = Router::new()
        .route(
            "/apis/folder.grafana.app/v1",
            get(async || json!({"resources": [{"name": "folders", "verbs": ["get", "list"]}]}).to_string()),
        )
        .fallback(any(async move |request: Request| -> Response {
            if refused.load(Ordering::Relaxed) {
                return (StatusCode::FORBIDDEN, refusal).into_response();
            }
            let is_newer = request.uri().path().starts_with("/apis");
            if is_newer {
                page(&["newer"], "")
            } else {
                "[]".to_owned()
            }
            .into_response()
        }));
    let grafana = serve(router).await;
    grafana.apis.choose(&settings(Some("org-2"))).await.unwrap();
    assert_eq!(listed(&grafana).await, ["newer"]);
    is_refused.store(true, Ordering::Relaxed);
    grafana.folders.list().await.unwrap_err();
    assert_eq!(api_of_folders(&grafana), "folder.grafana.app/v1");
    assert!(grafana.apis.capabilities().fallbacks.is_empty());
}

#[tokio::test]
async fn what_is_hidden_is_told_and_looked_for_again() {
    let is_hidden = Arc::new(AtomicBool::new(false));
    let hidden = is_hidden.clone();
    let kinds = json!({"resources": [{"name": "folders", "verbs": ["get", "list"]}]}).to_string();
    let router = Router::new()
        .route(
            "/apis/folder.grafana.app/v1",
            get(async move || -> Response {
                if hidden.load(Ordering::Relaxed) {
                    return (StatusCode::NOT_FOUND, "<html>no such page</html>").into_response();
                }
                kinds.into_response()
            }),
        )
        .route(LIST, get(async || page(&["newer"], "")))
        .route("/api/search", get(async || r#"[{"uid": "older", "title": "t"}]"#));
    let grafana = serve(router).await;
    for round in 1..=2 {
        grafana.apis.choose(&settings(Some("org-2"))).await.unwrap();
        assert_eq!(listed(&grafana).await, ["newer"], "round {round}");
        is_hidden.store(true, Ordering::Relaxed);
        for _ in 0..2 {
            grafana.apis.choose(&settings(Some("org-2"))).await.unwrap();
            assert_eq!(listed(&grafana).await, ["older"]);
            let capabilities = grafana.apis.capabilities();
            assert_eq!(
                capabilities.fallbacks.get(&Concern::Folders),
                Some(&Fallback::NotServed)
            );
            assert!(capabilities.is_improvable);
        }
        is_hidden.store(false, Ordering::Relaxed);
    }
    let older = Settings {
        version: Some("11.6.0".to_owned()),
        ..settings(Some("org-2"))
    };
    is_hidden.store(true, Ordering::Relaxed);
    grafana.apis.choose(&older).await.unwrap();
    assert!(
        grafana.apis.capabilities().fallbacks.is_empty(),
        "a version without it isn't one that hides it"
    );
}

#[tokio::test]
async fn what_this_version_may_have_is_looked_for_again_and_else_nothing() {
    for (version, is_improvable) in [
        (Some("11.6.0"), false),
        (Some("12.0.0"), true),
        (Some("13.0.1"), true),
        (None, true),
    ] {
        let grafana = serve(Router::new()).await;
        let settings = Settings {
            version: version.map(str::to_owned),
            ..settings(Some("org-2"))
        };
        assert!(!grafana.apis.capabilities().is_improvable);
        grafana.apis.choose(&settings).await.unwrap();
        let capabilities = grafana.apis.capabilities();
        assert_eq!(capabilities.is_improvable, is_improvable, "{version:?}");
        assert!(capabilities.fallbacks.is_empty());
    }
    // Version 12 has folders, and nothing else that is used by itself.
    let router = with_folders(&["v1"], &["get", "list"]).route(LIST, get(async || page(&[], "")));
    let grafana = serve(router).await;
    let settings = Settings {
        version: Some("12.4.0".to_owned()),
        ..settings(Some("org-2"))
    };
    grafana.apis.choose(&settings).await.unwrap();
    assert!(grafana.apis.capabilities().is_improvable, "it is tried");
    listed(&grafana).await;
    assert!(!grafana.apis.capabilities().is_improvable);
}

#[tokio::test]
async fn what_fails_for_a_while_is_no_refusal() {
    let router = with_folders(&["v1"], &["get", "list"]).route(
        LIST,
        any(async || (StatusCode::SERVICE_UNAVAILABLE, "<html>away</html>")),
    );
    let grafana = serve(router).await;
    grafana.apis.choose(&settings(Some("org-2"))).await.unwrap();
    grafana.folders.list().await.unwrap_err();
    assert!(grafana.apis.capabilities().fallbacks.is_empty());
}

/// What is asked below `/apis` of a Grafana of this version, which answers nothing there.
async fn asked(version: &str) -> Vec<String> {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let seen = asked.clone();
    let router = Router::new().fallback(any(async move |request: Request| {
        seen.lock().push(request.uri().path().to_owned());
        (StatusCode::NOT_FOUND, "<html>no such page</html>")
    }));
    let grafana = connect(router).await;
    let settings = Settings {
        version: Some(version.to_owned()),
        ..settings(Some("org-2"))
    };
    grafana.apis.choose(&settings).await.unwrap();
    std::mem::take(&mut *asked.lock())
}

#[tokio::test]
async fn little_is_asked_of_a_grafana_that_has_nothing_below_apis_or_hides_it() {
    assert_eq!(asked("11.6.0").await, Vec::<String>::new());
    let hidden = ["/apis", "/apis/notifications.alerting.grafana.app/v1beta1"];
    for version in ["12.4.0", "13.3.0"] {
        assert_eq!(asked(version).await, hidden, "folders lose nothing");
    }
}
