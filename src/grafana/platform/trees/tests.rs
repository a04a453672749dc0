//! The calls against a server that answers as Grafana does.

use std::collections::BTreeMap;

use axum::Router;
use axum::extract::Request;
use axum::routing::{any, get};
use http::{Method, StatusCode};
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::*;
use crate::grafana::api::notifications::Trees as _;
use crate::grafana::error::Class;
use crate::grafana::transport::{Auth, Connection, Tls};

const TREES: &str = "/apis/notifications.alerting.grafana.app/v1beta1/namespaces/org-2/routingtrees";

/// What was sent: method, path and body.
type Sent = Arc<Mutex<Vec<(Method, String, Value)>>>;

async fn of(router: Router) -> Trees {
    // Another test may have been first.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let connection = Connection {
        url: format!("http://{}", listener.local_addr().unwrap())
            .parse()
            .unwrap(),
        auth: Auth::Token("token".into()),
        org_id: None,
        tls: Tls::default(),
        headers: Vec::new(),
        proxy: None,
        user_agent: "test".to_owned(),
    };
    let router = router.route("/api/health", get(async || r#"{"database": "ok"}"#));
    tokio::spawn(axum::serve(listener, router).into_future());
    let transport = Transport::new(&connection, Arc::new(())).unwrap();
    let (group, plural) = Trees::KIND;
    let kind = Kind {
        group,
        version: "v1beta1",
        plural,
        is_watchable: false,
    };
    Trees::new(Arc::new(transport), kind, "org-2".to_owned())
}

fn object(name: &str, receiver: &str) -> Value {
    json!({
        "kind": "RoutingTree", "metadata": {"name": name, "resourceVersion": format!("of {receiver}"), "annotations": {"grafana.com/provenance": "api"}},
        "spec": {"defaults": {"receiver": receiver}, "routes": [{"continue": false, "matchers": [{"type": "=", "label": "a", "value": "b"}]}]},
    })
}

/// A server of this list, and of these trees by name; it answers every write with what was sent, in another state.
fn server(listed: &Value, single: &[(&str, Value)]) -> (Router, Sent) {
    let (sent, page) = (
        Sent::default(),
        json!({"metadata": {}, "items": listed}).to_string(),
    );
    let single: BTreeMap<String, Value> = single
        .iter()
        .map(|(name, tree)| (format!("{TREES}/{name}"), tree.clone()))
        .collect();
    let noted = sent.clone();
    let answer = async move |request: Request| {
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let body = axum::body::to_bytes(request.into_body(), 1 << 20).await.unwrap();
        let body: Value = serde_json::from_slice(&body).unwrap_or_default();
        noted.lock().push((method.clone(), path.clone(), body.clone()));
        if method == Method::GET && path == TREES {
            return (StatusCode::OK, page);
        }
        if method == Method::GET {
            let missing =
                json!({"kind": "Status", "reason": "NotFound", "code": 404, "message": "Route not found"});
            return match single.get(&path) {
                Some(tree) => (StatusCode::OK, tree.to_string()),
                None => (StatusCode::NOT_FOUND, missing.to_string()),
            };
        }
        let mut stored = body;
        stored["metadata"]["resourceVersion"] = json!("next");
        (StatusCode::OK, stored.to_string())
    };
    let router = Router::new()
        .route(TREES, any(answer.clone()))
        .route(&format!("{TREES}/{{name}}"), any(answer));
    (router, sent)
}

fn named(name: &str) -> TreeName {
    TreeName(name.to_owned())
}

async fn listed(trees: &Trees) -> Vec<(String, Option<String>)> {
    let all = trees.list().await.unwrap().items.into_iter();
    all.map(|(TreeName(name), tree)| (name, tree.object.receiver))
        .collect()
}

#[tokio::test]
async fn a_tree_is_read_with_who_provisioned_it_and_its_state() {
    let (router, _) = server(&json!([]), &[("user-defined", object("user-defined", "ops"))]);
    let found = of(router).await.get(&TreeName::default()).await.unwrap().unwrap();
    let tree = json!({"receiver": "ops", "routes": [{"object_matchers": [["a", "=", "b"]]}]});
    let expected = Found {
        object: serde_json::from_value(tree).unwrap(),
        provenance: Some("api".to_owned()),
        revision: Some(Revision("of ops".to_owned())),
    };
    assert_eq!(found, expected);
}

#[tokio::test]
async fn a_list_has_the_default_tree_under_whichever_name_grafana_gives_it() {
    let ours = ("user-defined".to_owned(), Some("ops".to_owned()));
    let cases = [
        (
            json!([object("batch", "b"), object("user-defined", "ops")]),
            "user-defined batch",
        ),
        (
            json!([object("batch", "b"), object("default", "ops")]),
            "its name to be",
        ),
        (json!([object("user-defined", "ops")]), "alone"),
    ];
    for (list, what) in cases {
        let (router, _) = server(&list, &[]);
        let all = listed(&of(router).await).await;
        assert!(all.contains(&ours), "{what}: {all:?}");
        assert_eq!(all.len(), list.as_array().unwrap().len(), "{what}");
    }
    // One that people have called so stands beside it.
    let (router, _) = server(
        &json!([object("default", "d"), object("user-defined", "ops")]),
        &[],
    );
    let all = listed(&of(router).await).await;
    assert!(all.contains(&ours) && all.contains(&("default".to_owned(), Some("d".to_owned()))));
}

#[tokio::test]
async fn a_default_tree_that_no_list_has_and_no_look_finds_is_not_gone() {
    // The list leaves out what may not be seen.
    let (router, _) = server(&json!([]), &[("user-defined", object("user-defined", "ops"))]);
    assert_eq!(listed(&of(router).await).await.len(), 1);
    let (router, _) = server(&json!([object("batch", "b")]), &[]);
    let trees = of(router).await;
    assert_eq!(trees.list().await.unwrap_err().class(), Class::Missing);
    assert_eq!(
        trees.get(&TreeName::default()).await.unwrap_err().class(),
        Class::Missing
    );
    assert_eq!(trees.get(&named("other")).await.unwrap(), None);
}

#[tokio::test]
async fn a_tree_is_written_in_the_state_that_was_found_and_says_who_provisioned_it() {
    let (router, sent) = server(&json!([]), &[]);
    let trees = of(router).await;
    let tree: Route = serde_json::from_value(json!({"receiver": "ops"})).unwrap();
    let (found, own) = (Revision("of ops".to_owned()), TreeName::default());
    let next = trees
        .put(&own, &tree, Some(&found), Provenance::Api)
        .await
        .unwrap();
    assert_eq!(next, Some(Revision("next".to_owned())));
    trees.put(&own, &tree, None, Provenance::None).await.unwrap();
    trees
        .put(&named("batch"), &tree, None, Provenance::None)
        .await
        .unwrap();
    trees
        .put(&named("batch"), &tree, Some(&found), Provenance::None)
        .await
        .unwrap();
    trees.remove(&named("batch"), None).await.unwrap();
    trees.remove(&own, Some(&found)).await.unwrap();
    let body = |metadata: Value| {
        json!({
            "apiVersion": "notifications.alerting.grafana.app/v1beta1", "kind": "RoutingTree", "metadata": metadata,
            "spec": {"defaults": {"receiver": "ops"}, "routes": []},
        })
    };
    let api = json!({"grafana.com/provenance": "api"});
    let at = |name: &str| format!("{TREES}/{name}");
    let expected = [
        (
            Method::PUT,
            at("user-defined"),
            body(json!({"name": "user-defined", "resourceVersion": "of ops", "annotations": api})),
        ),
        (
            Method::PUT,
            at("user-defined"),
            body(json!({"name": "user-defined"})),
        ),
        (Method::POST, TREES.to_owned(), body(json!({"name": "batch"}))),
        (
            Method::PUT,
            at("batch"),
            body(json!({"name": "batch", "resourceVersion": "of ops"})),
        ),
        (Method::DELETE, at("batch"), Value::Null),
        (
            Method::DELETE,
            at("user-defined"),
            json!({"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": {"resourceVersion": "of ops"}}),
        ),
    ];
    assert_eq!(*sent.lock(), expected);
}

#[tokio::test]
async fn nothing_is_sent_of_a_tree_that_this_api_has_no_words_for() {
    let (router, sent) = server(&json!([]), &[]);
    let trees = of(router).await;
    let tree = json!({"receiver": "ops", "routes": [{"matchers": ["a=b"]}]});
    let tree: Route = serde_json::from_value(tree).unwrap();
    assert!(!Trees::can_say(&tree));
    let put = trees
        .put(&TreeName::default(), &tree, None, Provenance::Api)
        .await;
    let error = put.unwrap_err();
    assert_eq!(error.class(), Class::Rejected);
    assert_eq!(
        error.to_string(),
        "the API of routing trees has no words for the field matchers"
    );
    assert!(sent.lock().is_empty());
}
