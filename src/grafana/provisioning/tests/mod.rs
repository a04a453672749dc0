//! The calls against a server that answers as Grafana does: which address they use, and what they make of the answers.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, Request};
use axum::routing::{any, get};
use http::StatusCode;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::*;
use crate::grafana::Grafana;
use crate::grafana::api::{FoundRule, Provenance, RuleWrite, Stored};
use crate::grafana::approach::Approaches;
use crate::grafana::error::{Class, Error};
use crate::grafana::model::{AlertRule, TreeName};
use crate::grafana::transport::{Auth, Connection, Tls};

mod contact_points;
mod deep;
#[cfg(feature = "cli")]
mod history;
mod hostile;
mod rules;
mod together;

use contact_points::{delete_integration, update_integration};

async fn grafana(router: Router) -> Grafana {
    grafana_among(router, Company::default()).await
}

async fn grafana_among(router: Router, company: Company) -> Grafana {
    // Another test may have been first.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap())
        .parse()
        .unwrap();
    tokio::spawn(axum::serve(listener, router).into_future());
    let connection = Connection {
        url,
        auth: Auth::Token("token".into()),
        org_id: None,
        tls: Tls::default(),
        headers: Vec::new(),
        proxy: None,
        user_agent: "test".to_owned(),
    };
    Grafana::connect(&connection, Arc::new(()), company).unwrap()
}

fn rule(uid: &str) -> AlertRule {
    AlertRule {
        uid: uid.to_owned(),
        folder_uid: "f".to_owned(),
        group: Some("g".to_owned()),
        interval: MINUTE,
        ..AlertRule::default()
    }
}

fn found(uid: &str) -> FoundRule {
    FoundRule::of(&rule(uid))
}

const MINUTE: Duration = Duration::from_secs(60);

/// Writes a rule into a group whose rules have a minute, and are ours as their marks say.
async fn put(grafana: &Grafana, rule: &AlertRule, found: Option<&FoundRule>) -> Result<Stored> {
    put_among(grafana, rule, found, Some(true)).await
}

/// The same, where of the others in the group this is known: whether we have written them.
async fn put_among(
    grafana: &Grafana,
    rule: &AlertRule,
    found: Option<&FoundRule>,
    has_written: Option<bool>,
) -> Result<Stored> {
    let write = RuleWrite {
        rule,
        found,
        only_interval: false,
        interval_by_itself: &|| MINUTE,
        has_written: &|_| has_written,
        provenance: Provenance::Api,
    };
    grafana.rules.put(write).await
}

/// Answers 404 to everything with this body.
fn nowhere(body: &'static str) -> Router {
    Router::new().fallback(any(async move || (StatusCode::NOT_FOUND, body)))
}

/// A Grafana that has nothing.
fn empty(not_there: &'static str) -> Router {
    nowhere(not_there)
        .route("/api/health", get(async || r#"{"database": "ok"}"#))
        .route("/api/alertmanager/grafana/api/v2/silences", get(async || "[]"))
        .route("/api/v1/provisioning/contact-points", get(async || "[]"))
}

#[tokio::test]
async fn what_is_not_there_is_an_answer_to_reads_and_deletes_but_not_to_updates() {
    for body in ["", "null", r#"{"message": "not found"}"#] {
        let grafana = grafana(empty(body)).await;
        assert_eq!(grafana.rules.get("x").await.unwrap(), None);
        assert_eq!(grafana.folders.get("x").await.unwrap(), None);
        assert_eq!(grafana.folders.content("x").await.unwrap(), None);
        assert_eq!(grafana.silences.get("x").await.unwrap(), None);
        assert_eq!(grafana.trees.get(&TreeName::default()).await.unwrap(), None);
        grafana.rules.delete(&found("x"), Provenance::Api).await.unwrap();
        grafana.folders.delete("x").await.unwrap();
        grafana.silences.expire("x").await.unwrap();
        delete_integration(&grafana).await.unwrap();
    }
    let grafana = grafana(empty("null")).await;
    let update = put(&grafana, &rule("x"), Some(&found("x"))).await;
    assert_eq!(update.unwrap_err().class(), Class::Missing);
    let update = update_integration(&grafana).await;
    assert_eq!(update.unwrap_err().class(), Class::Missing);
}

#[tokio::test]
async fn nothing_is_gone_because_something_else_than_grafana_says_404() {
    // What Traefik, Envoy and Kong say without a route; and no health is Grafana's without its database.
    for body in [
        "404 page not found",
        "",
        "null",
        r#"{"message": "no Route matched with those values"}"#,
    ] {
        let elsewhere = nowhere(body).route("/else", get(async || "{}"));
        let another = nowhere(body).route("/api/health", get(async || r#"{"status": "UP"}"#));
        for router in [elsewhere, another] {
            let grafana = grafana(router).await;
            let answers = [
                grafana.rules.get("x").await.map(drop),
                grafana.folders.get("x").await.map(drop),
                grafana.folders.content("x").await.map(drop),
                grafana.trees.get(&TreeName::default()).await.map(drop),
                grafana.rules.delete(&found("x"), Provenance::Api).await,
                grafana.folders.delete("x").await,
            ];
            for answer in answers {
                let error = answer.expect_err(body);
                assert!(
                    matches!(error, Error::NotGrafana { status: 404, .. }),
                    "{body}: {error}"
                );
                assert_eq!(error.class(), Class::Transient);
            }
            assert!(grafana.silences.get("x").await.is_err());
            assert!(grafana.silences.expire("x").await.is_err());
            assert!(delete_integration(&grafana).await.is_err());
        }
    }
}

#[tokio::test]
async fn what_is_still_there_is_not_gone_though_its_deletion_was_answered_with_404() {
    let rule = json!({"uid": "x", "folderUID": "f", "ruleGroup": "g", "title": "T", "for": "5m", "data": []})
        .to_string();
    let silence = json!([{"id": "x", "matchers": [], "startsAt": "2026-01-01T00:00:00Z", "endsAt": "2026-01-02T00:00:00Z",
        "createdBy": "a", "comment": ""}])
    .to_string();
    let router = nowhere(r#"{"message": "Alertmanager does not exist for this organization"}"#)
        .route("/api/health", get(async || r#"{"database": "ok"}"#))
        .route(
            "/api/v1/provisioning/alert-rules/x",
            get(async move || rule).delete(async || StatusCode::NOT_FOUND),
        )
        .route(
            "/api/folders/x",
            get(async || r#"{"uid": "x", "title": "T"}"#).delete(async || StatusCode::NOT_FOUND),
        )
        .route(
            "/api/alertmanager/grafana/api/v2/silences",
            get(async move || silence),
        )
        .route(
            "/api/v1/provisioning/contact-points",
            get(async || r#"[{"uid": "x", "name": "n", "type": "email"}]"#),
        );
    let grafana = grafana(router).await;
    for answer in [
        grafana.rules.delete(&found("x"), Provenance::Api).await,
        grafana.folders.delete("x").await,
        grafana.silences.expire("x").await,
        delete_integration(&grafana).await,
    ] {
        let error = answer.unwrap_err();
        assert!(matches!(error, Error::NotGrafana { status: 404, .. }), "{error}");
    }
    assert!(grafana.silences.get("x").await.unwrap().is_some());
}

/// Serves so many folders at most `cap` at a time, and again from the beginning behind the last page if it `repeats`.
fn search(folders: usize, cap: usize, repeats: bool) -> Router {
    Router::new().route(
        "/api/search",
        get(async move |request: Request| {
            let query: BTreeMap<String, String> = parsed(request.uri().query().unwrap());
            let page: usize = query["page"].parse().unwrap();
            assert!(page < 20, "there is no end");
            let size = cap.min(query["limit"].parse().unwrap());
            let start = if repeats { (page - 1) * size % folders } else { (page - 1) * size };
            let folder = |i: usize| json!({"uid": format!("f{i}"), "title": "t", "type": "dash-folder", "folderUid": "parent"});
            (start..folders.min(start + size)).map(folder).collect::<Value>().to_string()
        }),
    )
}

fn parsed(query: &str) -> BTreeMap<String, String> {
    url::form_urlencoded::parse(query.as_bytes())
        .into_owned()
        .collect()
}

#[tokio::test]
async fn folders_are_listed_page_by_page_however_small_the_pages_are() {
    // Where it begins again, the last page is as full as the others.
    for (all, cap, repeats) in [
        (5001, 5000, false),
        (5001, 1000, false),
        (5001, 357, false),
        (5000, 1000, true),
        (4998, 357, true),
    ] {
        let folders = grafana(search(all, cap, repeats))
            .await
            .folders
            .list()
            .await
            .unwrap()
            .items;
        assert_eq!(folders.len(), all, "pages of {cap}");
        let last = folders.last().unwrap();
        assert_eq!(last.uid, format!("f{}", all - 1));
        assert_eq!(last.parent_uid.as_deref(), Some("parent"));
    }
}

#[tokio::test]
async fn a_folder_at_the_root_has_no_parent_whatever_an_answer_calls_the_root() {
    for root in [
        json!({}),
        json!({"folderUid": null}),
        json!({"folderUid": ""}),
        json!({"folderUid": "general"}),
        json!({"parentUid": ""}),
    ] {
        let mut folder = json!({"uid": "f", "title": "t"});
        folder
            .as_object_mut()
            .unwrap()
            .extend(root.as_object().cloned().unwrap());
        let found = json!([folder]).to_string();
        let router = Router::new().route("/api/search", get(async move || found));
        let folders = grafana(router).await.folders.list().await.unwrap().items;
        assert_eq!(folders[0].parent_uid, None, "{root}");
    }
}

#[tokio::test]
async fn library_panels_count_where_grafana_does_not_count_them_and_are_asked_for_only_there() {
    let router = Router::new()
        .route(
            "/api/folders/{uid}/counts",
            get(async |Path(uid): Path<String>| match uid.as_str() {
                "11" => r#"{"dashboard": 0, "librarypanel": 0, "alertrule": 0}"#,
                "12" => r#"{"folders": 0, "dashboards": 0, "library_elements": 0, "alertrules": 0}"#,
                "full" => r#"{"dashboard": 2}"#,
                _ => r#"{"dashboard": 0}"#,
            }),
        )
        .route(
            "/api/library-elements",
            get(async |request: Request| {
                assert!(request.uri().query().unwrap().contains("folderFilterUIDs=old"));
                json!({"result": {"totalCount": 3, "elements": [{}], "page": 1, "perPage": 1}}).to_string()
            }),
        );
    let folders = grafana(router).await.folders;
    assert_eq!(folders.content("11").await.unwrap(), Some(0));
    assert_eq!(folders.content("12").await.unwrap(), Some(0));
    assert_eq!(folders.content("full").await.unwrap(), Some(2));
    assert_eq!(folders.content("old").await.unwrap(), Some(3));
}
