//! The calls against a server that answers as Grafana does.

#![expect(
    clippy::needless_pass_by_value,
    reason = "json!(..) reads better without a borrow"
)]

use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::routing::{any, get};
use http::{Method, StatusCode};
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::*;
use crate::grafana::error::Class;
use crate::grafana::model::{Integration, REDACTED, Revision};
use crate::grafana::transport::{Auth, Connection, Tls};

const RECEIVERS: &str = "/apis/notifications.alerting.grafana.app/v1beta1/namespaces/org-2/receivers";

/// The name of the contact point `on call`.
const NAME: &str = "b24gY2FsbA";

/// What was sent: method, path and body.
type Asked = Arc<Mutex<Vec<(Method, String, Value)>>>;

/// A server that has this receiver, or none, and answers writes with this.
async fn server(there: Value, answer: (u16, Value)) -> (Receivers, Asked) {
    // Another test may have been first.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let asked = Asked::default();
    let log = asked.clone();
    let answering = async move |request: Request| {
        let (parts, body) = request.into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        let path = parts
            .uri
            .path()
            .strip_prefix(RECEIVERS)
            .unwrap_or("elsewhere")
            .to_owned();
        if parts.method != Method::GET {
            let sent = serde_json::from_slice(&body).unwrap_or_default();
            log.lock().push((parts.method, path, sent));
            return (StatusCode::from_u16(answer.0).unwrap(), answer.1.to_string());
        }
        let listed = json!({"metadata": {}, "items": [there]}).to_string();
        match path.as_str() {
            "" => (StatusCode::OK, listed),
            _ if there.is_null() => (StatusCode::NOT_FOUND, r#"{"kind": "Status"}"#.to_owned()),
            _ => (StatusCode::OK, there.to_string()),
        }
    };
    let router = Router::new()
        .route("/api/health", get(async || r#"{"database": "ok"}"#))
        .fallback(any(answering));
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
    let transport = Transport::new(&connection, Arc::new(())).unwrap();
    let (group, plural) = Receivers::KIND;
    let kind = Kind {
        group,
        version: Receivers::VERSIONS[0],
        plural,
        is_watchable: false,
    };
    let receivers = Receivers::new(Arc::new(transport), kind, "org-2".to_owned());
    (receivers, asked)
}

fn object(integrations: Value) -> Value {
    json!({
        "kind": "Receiver", "metadata": {"name": NAME, "resourceVersion": "r1", "annotations": {"grafana.com/provenance": "api"}},
        "spec": {"title": "on call", "integrations": integrations},
    })
}

fn integration(uid: &str, settings: Value) -> Integration {
    Integration {
        uid: uid.to_owned(),
        r#type: "webhook".to_owned(),
        settings: settings.as_object().cloned().unwrap(),
        ..Integration::default()
    }
}

fn wish(integrations: Vec<Integration>) -> ContactPoint {
    ContactPoint {
        name: "on call".to_owned(),
        integrations,
    }
}

fn found(uids: &[&str]) -> Found<ContactPoint> {
    Found {
        object: wish(uids.iter().map(|uid| integration(uid, json!({}))).collect()),
        provenance: Some("api".to_owned()),
        revision: Some(Revision("r1".to_owned())),
    }
}

async fn put(receivers: &Receivers, wish: &ContactPoint, found: Option<&Found<ContactPoint>>) -> Sent {
    let write = ContactPointWrite {
        wish,
        found,
        changed: &[],
        kept: &[],
        provenance: Provenance::Api,
    };
    receivers.put(write).await
}

#[tokio::test]
async fn a_secret_that_is_stored_is_found_hidden_in_its_place_and_what_is_not_known_is_left_out() {
    let there = object(json!([
        {"uid": "a", "type": "webhook", "version": "v1", "variant": "webhook/v1", "disableResolveMessage": true,
            "settings": {"url": "https://x", "hmacConfig": {"header": "h"}},
            "secureFields": {"password": true, "hmacConfig.secret": true, "tlsConfig.clientKey": true, "authorization_credentials": false}},
        {"uid": null, "type": "email", "settings": null, "secureFields": null},
    ]));
    let (receivers, _) = server(there, (200, Value::Null)).await;
    let settings = json!({
        "url": "https://x", "password": REDACTED, "hmacConfig": {"header": "h", "secret": REDACTED}, "tlsConfig": {"clientKey": REDACTED},
    });
    let provenance = Some("api".to_owned());
    let expected = Found {
        object: wish(vec![
            Integration {
                disable_resolve_message: true,
                provenance: provenance.clone(),
                ..integration("a", settings)
            },
            Integration {
                r#type: "email".to_owned(),
                provenance: provenance.clone(),
                ..integration("", json!({}))
            },
        ]),
        provenance,
        revision: Some(Revision("r1".to_owned())),
    };
    assert_eq!(receivers.get("on call").await.unwrap().as_ref(), Some(&expected));
    assert_eq!(receivers.list().await.unwrap().items, [expected]);
}

#[tokio::test]
async fn what_grafana_does_not_have_is_not_there_and_one_without_integrations_is() {
    let (receivers, _) = server(Value::Null, (200, Value::Null)).await;
    assert_eq!(receivers.get("on call").await.unwrap(), None);
    let empty = json!({"metadata": {"name": NAME, "annotations": {"grafana.com/provenance": "none"}}, "spec": {"title": "on call"}});
    let (receivers, _) = server(empty, (200, Value::Null)).await;
    let found = receivers.get("on call").await.unwrap().unwrap();
    assert_eq!((found.object, found.provenance), (wish(Vec::new()), None));
}

#[tokio::test]
async fn a_contact_point_is_stored_whole_in_one_write_under_the_state_in_which_it_was_found() {
    let mut stored = object(json!([]));
    stored["metadata"]["resourceVersion"] = json!("r2");
    let (receivers, asked) = server(Value::Null, (201, stored)).await;
    let wish = wish(vec![
        integration("a", json!({"url": "https://x", "password": "s3cr3t"})),
        integration("b", json!({"url": "https://y"})),
    ]);
    let sent = put(&receivers, &wish, None).await;
    assert!(sent.failure.is_none() && sent.gone.is_empty());
    assert_eq!(
        (sent.sent, sent.revision),
        (
            vec!["a".to_owned(), "b".to_owned()],
            Some(Revision("r2".to_owned()))
        )
    );
    let sent = put(&receivers, &wish, Some(&found(&["b", "old"]))).await;
    assert_eq!((sent.sent.len(), sent.gone), (2, vec!["old".to_owned()]));
    let body = |metadata: Value| {
        let integration = |uid, settings: Value| json!({"uid": uid, "type": "webhook", "version": "v1", "disableResolveMessage": false, "settings": settings});
        json!({
            "apiVersion": "notifications.alerting.grafana.app/v1beta1", "kind": "Receiver", "metadata": metadata,
            "spec": {"title": "on call", "integrations": [
                integration("a", json!({"url": "https://x", "password": "s3cr3t"})), integration("b", json!({"url": "https://y"})),
            ]},
        })
    };
    let provenance = json!({"grafana.com/provenance": "api"});
    let expected = [
        (
            Method::POST,
            String::new(),
            body(json!({"annotations": provenance})),
        ),
        (
            Method::PUT,
            format!("/{NAME}"),
            body(json!({"name": NAME, "resourceVersion": "r1", "annotations": provenance})),
        ),
    ];
    assert_eq!(*asked.lock(), expected);
}

#[tokio::test]
async fn what_stays_when_others_are_taken_out_is_sent_back_as_it_was_with_its_stored_secrets() {
    let theirs = json!({"uid": "theirs", "type": "slack", "version": "v0mimir1", "disableResolveMessage": false, "settings": {"text": "t"},
        "secureFields": {"url": true}, "variant": "slack/v0"});
    let ours = json!({"uid": "ours", "type": "email", "version": "v1", "disableResolveMessage": false, "settings": {}});
    let (receivers, asked) = server(object(json!([theirs, ours])), (200, object(json!([theirs])))).await;
    let uids = ["ours".to_owned()];
    let sent = receivers.remove(&found(&["theirs", "ours"]), &uids).await;
    assert!(sent.failure.is_none() && sent.sent.is_empty());
    assert_eq!(sent.gone, uids);
    let (method, path, body) = asked.lock()[0].clone();
    assert_eq!((method, path), (Method::PUT, format!("/{NAME}")));
    assert_eq!(
        body["spec"],
        json!({"title": "on call", "integrations": [theirs]})
    );
    assert_eq!(body["metadata"]["resourceVersion"], "r1");
}

#[tokio::test]
async fn what_is_kept_is_sent_back_as_it_is_beside_what_is_wished() {
    let theirs = json!({"uid": "theirs", "type": "slack", "version": "v0mimir1", "disableResolveMessage": false, "settings": {"text": "t"},
        "secureFields": {"url": true}, "variant": "slack/v0"});
    let ours = |url| json!({"uid": "ours", "type": "webhook", "version": "v1", "disableResolveMessage": false, "settings": {"url": url}});
    let there = object(json!([theirs, ours("https://x"), {"uid": "old", "type": "email"}]));
    let (receivers, asked) = server(there.clone(), (200, there)).await;
    let write = ContactPointWrite {
        wish: &wish(vec![integration("ours", json!({"url": "https://y"}))]),
        found: Some(&found(&["theirs", "ours", "old"])),
        changed: &[],
        kept: &["theirs".to_owned()],
        provenance: Provenance::Api,
    };
    let sent = receivers.put(write).await;
    assert!(sent.failure.is_none(), "{:?}", sent.failure);
    assert_eq!(
        (sent.sent, sent.gone),
        (vec!["ours".to_owned()], vec!["old".to_owned()])
    );
    let (method, path, body) = asked.lock()[0].clone();
    assert_eq!((method, path), (Method::PUT, format!("/{NAME}")));
    assert_eq!(body["spec"]["integrations"], json!([ours("https://y"), theirs]));
    assert_eq!(body["metadata"]["resourceVersion"], "r1");
}

#[tokio::test]
async fn a_contact_point_goes_with_its_last_integration_in_the_state_in_which_it_was_found() {
    for there in [object(json!([])), Value::Null] {
        let answer = if there.is_null() {
            (404, json!({"kind": "Status"}))
        } else {
            (200, there.clone())
        };
        let (receivers, asked) = server(there, answer).await;
        let uids = ["a".to_owned(), "b".to_owned()];
        let sent = receivers.remove(&found(&["a", "b"]), &uids).await;
        assert!(sent.failure.is_none(), "{:?}", sent.failure);
        assert_eq!(sent.gone, uids);
        let (method, path, body) = asked.lock()[0].clone();
        assert_eq!((method, path), (Method::DELETE, format!("/{NAME}")));
        assert_eq!(body["preconditions"], json!({"resourceVersion": "r1"}));
    }
}

#[tokio::test]
async fn a_write_that_is_refused_has_changed_nothing_and_says_why_without_what_may_be_secret() {
    let refusal = |status: u16, id: &str, message: &str| {
        (
            status,
            json!({"kind": "Status", "message": message, "code": status, "details": {"uid": id}}),
        )
    };
    let notifications = "alerting.notifications";
    for (answer, class) in [
        (
            refusal(
                409,
                &format!("{notifications}.receivers.conflict"),
                "Provided version",
            ),
            Class::Conflict,
        ),
        (
            refusal(409, &format!("{notifications}.receivers.exists"), "exists"),
            Class::Conflict,
        ),
        (
            refusal(
                400,
                &format!("{notifications}.receivers.invalid"),
                "Invalid receiver: 'integration with UID \"a\" already exists'",
            ),
            Class::Conflict,
        ),
        (
            refusal(403, &format!("{notifications}.invalidProvenance"), "no"),
            Class::Foreign,
        ),
        (
            refusal(403, "", "You'll need additional permissions"),
            Class::Forbidden,
        ),
        (
            refusal(
                400,
                &format!("{notifications}.receivers.invalid"),
                "Invalid receiver: 'hooks/T0/s3cr3t'",
            ),
            Class::Rejected,
        ),
    ] {
        let (receivers, _) = server(Value::Null, answer.clone()).await;
        let wish = wish(vec![integration("a", json!({"url": "hooks/T0/s3cr3t"}))]);
        let sent = put(&receivers, &wish, Some(&found(&["a"]))).await;
        assert!(sent.sent.is_empty() && sent.gone.is_empty());
        let error = sent.failure.unwrap();
        assert_eq!(error.class(), class, "{error}");
        assert!(!error.to_string().contains("s3cr3t"), "{error}");
    }
    let used = refusal(
        409,
        &format!("{notifications}.receivers.used"),
        "Receiver is used by [policies]",
    );
    let (receivers, _) = server(object(json!([])), used).await;
    let sent = receivers.remove(&found(&["a"]), &["a".to_owned()]).await;
    assert!(sent.changed_nothing() && sent.failure.unwrap().is_in_use());
}
