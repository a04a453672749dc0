//! Discovery against servers that list everything, names alone, or nothing.

use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::response::IntoResponse;
use axum::routing::any;
use http::StatusCode;
use http::header::ACCEPT;
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::*;
use crate::grafana::transport::{Auth, Connection, Tls};

const GROUP: &str = "folder.grafana.app";

/// A server that answers these paths and nothing else, and the calls that it has had.
async fn serve(answers: Value) -> (Transport, Arc<Mutex<Vec<String>>>) {
    // Another test may have been first.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let calls: Arc<Mutex<Vec<String>>> = Arc::default();
    let seen = calls.clone();
    let router = Router::new().fallback(any(async move |request: Request| {
        let path = request.uri().path().to_owned();
        let accepted = request.headers()[ACCEPT].to_str().unwrap().to_owned();
        let is_list = path == "/apis";
        assert_eq!(accepted.contains("as=APIGroupDiscoveryList"), is_list, "{path}");
        let answer = match &answers[&path] {
            Value::Null => (StatusCode::NOT_FOUND, "<html>no such page</html>".to_owned()),
            Value::Number(status) => {
                let status = u16::try_from(status.as_u64().unwrap()).unwrap();
                (
                    StatusCode::from_u16(status).unwrap(),
                    json!({"message": "no"}).to_string(),
                )
            }
            Value::String(page) => (StatusCode::OK, page.clone()),
            body => (StatusCode::OK, body.to_string()),
        };
        seen.lock().push(path);
        answer.into_response()
    }));
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
    (Transport::new(&connection, Arc::new(())).unwrap(), calls)
}

/// A version with a kind that has these verbs, as the list of all groups has it.
fn version(name: &str, plural: &str, verbs: &[&str]) -> Value {
    json!({"version": name, "freshness": "Current", "resources": [{"resource": plural, "verbs": verbs}]})
}

fn everything(versions: &[Value]) -> Value {
    json!({"kind": "APIGroupDiscoveryList", "items": [
        {"metadata": {"name": "other.grafana.app"}, "versions": [version("v1", "folders", &["get", "list"])]},
        {"metadata": {"name": GROUP}, "versions": versions},
    ]})
}

fn names(versions: &[&str]) -> Value {
    let versions: Value = versions
        .iter()
        .map(|version| json!({"version": version}))
        .collect();
    json!({"kind": "APIGroupList", "groups": [{"name": GROUP, "versions": versions}]})
}

fn kinds(verbs: &[&str]) -> Value {
    json!({"kind": "APIResourceList", "resources": [{"name": "folders", "verbs": verbs}]})
}

async fn folders(discovery: &Discovery<'_>) -> Result<Option<String>> {
    let found = discovery
        .find(GROUP, [Need::to_read("folders")], &["v1", "v1beta1"])
        .await?;
    Ok(found.map(|[kind]| kind.group_version()))
}

#[tokio::test]
async fn one_call_tells_of_all_groups_with_their_kinds() {
    let beta = version("v1beta1", "folders", &["get", "list", "watch"]);
    let (transport, calls) =
        serve(json!({"/apis": everything(&[version("v1", "others", &["get", "list"]), beta])})).await;
    let discovery = Discovery::new(&transport);
    assert!(discovery.is_shown().await.unwrap());
    assert_eq!(
        folders(&discovery).await.unwrap().as_deref(),
        Some("folder.grafana.app/v1beta1")
    );
    let [kind] = discovery
        .find(GROUP, [Need::to_read("folders")], &["v1beta1"])
        .await
        .unwrap()
        .unwrap();
    assert!(kind.is_watchable);
    assert!(
        discovery
            .find("rules.grafana.app", [Need::to_read("rules")], &["v1"])
            .await
            .unwrap()
            .is_none()
    );
    let all = discovery
        .find(
            GROUP,
            [Need::to_read("folders"), Need::to_read("others")],
            &["v1", "v1beta1"],
        )
        .await
        .unwrap();
    assert!(all.is_none(), "both must be in one version");
    assert_eq!(*calls.lock(), ["/apis"]);
}

#[tokio::test]
async fn a_version_that_is_only_named_or_stale_is_asked_for_its_kinds() {
    let stale = json!({"version": "v1", "freshness": "Stale"});
    let older = json!({"version": "v1", "freshness": "Stale", "resources": []});
    for groups in [names(&["v1"]), everything(&[stale]), everything(&[older])] {
        let kinds = kinds(&["get", "list"]);
        let (transport, calls) = serve(json!({"/apis": groups, "/apis/folder.grafana.app/v1": kinds})).await;
        let discovery = Discovery::new(&transport);
        assert_eq!(
            folders(&discovery).await.unwrap().as_deref(),
            Some("folder.grafana.app/v1")
        );
        assert_eq!(*calls.lock(), ["/apis", "/apis/folder.grafana.app/v1"]);
    }
}

#[tokio::test]
async fn where_the_list_of_all_groups_is_not_answered_a_group_still_may_be() {
    for refusal in [
        Value::Null,
        json!(403),
        json!(406),
        json!("<html>Grafana</html>"),
        json!({"message": "hello"}),
    ] {
        let answers = json!({"/apis": refusal, "/apis/folder.grafana.app/v1beta1": kinds(&["get", "list"])});
        let (transport, calls) = serve(answers).await;
        let discovery = Discovery::new(&transport);
        assert!(!discovery.is_shown().await.unwrap(), "{refusal}");
        assert_eq!(
            folders(&discovery).await.unwrap().as_deref(),
            Some("folder.grafana.app/v1beta1")
        );
        let asked = [
            "/apis",
            "/apis/folder.grafana.app/v1",
            "/apis/folder.grafana.app/v1beta1",
        ];
        assert_eq!(*calls.lock(), asked, "{refusal}");
    }
}

#[tokio::test]
async fn what_may_be_over_soon_is_an_error_and_looked_at_again() {
    for status in [500, 502, 503] {
        let (transport, _) = serve(json!({"/apis": status})).await;
        let discovery = Discovery::new(&transport);
        for _ in 0..2 {
            folders(&discovery).await.unwrap_err();
        }
        discovery.is_shown().await.unwrap_err();
    }
}
