//! What is told of each kind is called what its list calls it.

use std::sync::Arc;

use axum::Router;
use axum::routing::get;
use futures::TryStreamExt;
use http::Uri;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::grafana::api::notifications::{ContactPoints, Trees as _};
use crate::grafana::api::watch::{Listed, Told};
use crate::grafana::model::TreeName;
use crate::grafana::platform::{Kind, Receivers, Trees};
use crate::grafana::transport::{Auth, Connection, Tls, Transport};

const GROUP: &str = "notifications.alerting.grafana.app";

/// A client of a server that lists these objects of a kind, tells these events once, and then says that nothing more will come.
async fn server(plural: &'static str, items: Value, events: Vec<Value>) -> (Arc<Transport>, Kind) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let gone = json!({"type": "ERROR", "object": {"kind": "Status", "code": 410}});
    let lines: Vec<_> = events.iter().chain([&gone]).map(Value::to_string).collect();
    let lines = lines.join("\n");
    let page = json!({"metadata": {"resourceVersion": "7"}, "items": items}).to_string();
    let answer = async move |uri: Uri| {
        let query = uri.query().unwrap_or_default().to_owned();
        if !query.contains("watch=true") {
            return page;
        }
        assert!(query.contains("resourceVersion=7&"), "{query}");
        lines
    };
    let router = Router::new()
        .route(
            &format!("/apis/{GROUP}/v1beta1/namespaces/default/{plural}"),
            get(answer),
        )
        .route(
            &format!("/apis/{GROUP}/v1beta1/namespaces/default/{plural}/user-defined"),
            get(async || tree("user-defined").to_string()),
        );
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
    tokio::spawn(axum::serve(listener, router).into_future());
    let kind = Kind {
        group: GROUP,
        version: "v1beta1",
        plural,
        is_watchable: true,
    };
    (Arc::new(Transport::new(&connection, Arc::new(())).unwrap()), kind)
}

/// All that is told up to the error, each by what it is called.
async fn told<T>(listed: Listed<T>, name: fn(T) -> String) -> Vec<Told<String>> {
    let mut all = Vec::new();
    let mut watch = listed.watch.expect("a watch");
    while let Ok(Some(told)) = watch.try_next().await {
        all.push(match told {
            Told::Works => Told::Works,
            Told::There(object) => Told::There(name(object)),
            Told::Gone(name) => Told::Gone(name),
        });
    }
    all
}

fn event(type_: &str, object: &Value) -> Value {
    json!({"type": type_, "object": object})
}

fn tree(name: &str) -> Value {
    json!({"metadata": {"name": name}, "spec": {"defaults": {"receiver": "ops"}, "routes": []}})
}

#[tokio::test]
async fn contact_points_are_called_by_their_titles_also_when_they_are_gone() {
    // The name of `on call`.
    let receiver =
        json!({"metadata": {"name": "b24gY2FsbA"}, "spec": {"title": "on call", "integrations": []}});
    let events = vec![event("MODIFIED", &receiver), event("DELETED", &receiver)];
    let (transport, kind) = server("receivers", json!([receiver]), events).await;
    let receivers = Receivers::new(transport, kind, "default".to_owned());
    let listed = receivers.list().await.unwrap();
    let name = "on call".to_owned();
    assert_eq!(
        told(listed, |found| found.object.name).await,
        [Told::Works, Told::There(name.clone()), Told::Gone(name)],
        "that it works comes first"
    );
}

#[tokio::test]
async fn the_default_tree_is_called_so_by_either_of_its_names() {
    let own = || TreeName::DEFAULT.to_owned();
    for (default, expected) in [
        ("user-defined", [own(), "beside".to_owned(), "default".to_owned()]),
        ("default", [own(), "beside".to_owned(), own()]),
    ] {
        let names = [default, "beside", "default"];
        let events = names.map(|name| event("MODIFIED", &tree(name))).to_vec();
        let (transport, kind) = server("routingtrees", json!([tree(default), tree("beside")]), events).await;
        let trees = Trees::new(transport, kind, "default".to_owned());
        let told = told(trees.list().await.unwrap(), |(TreeName(name), _)| name).await;
        let expected: Vec<_> = expected.into_iter().map(Told::There).collect();
        assert_eq!(
            told.split_first(),
            Some((&Told::Works, expected.as_slice())),
            "{default}"
        );
    }
}

#[tokio::test]
async fn trees_of_which_the_default_one_is_not_listed_are_not_watched() {
    let (transport, kind) = server("routingtrees", json!([tree("beside")]), Vec::new()).await;
    let trees = Trees::new(transport, kind, "default".to_owned());
    let listed = trees.list().await.unwrap();
    assert_eq!((listed.items.len(), listed.watch.is_some()), (2, false));
}
