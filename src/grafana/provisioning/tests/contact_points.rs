//! Contact points, integration by integration.

use std::sync::Arc as Shared;

use axum::routing::post;
use parking_lot::Mutex;

use super::*;
use crate::grafana::api::notifications::{ContactPointWrite, Sent};
use crate::grafana::model::{ContactPoint, Found, Integration};

fn contact_point(uids: &[&str]) -> ContactPoint {
    let integration = |uid: &&str| Integration {
        uid: (*uid).to_owned(),
        r#type: "webhook".to_owned(),
        settings: json!({"url": "hooks/T0/s3cr3t"}).as_object().cloned().unwrap(),
        ..Integration::default()
    };
    ContactPoint {
        name: "team".to_owned(),
        integrations: uids.iter().map(integration).collect(),
    }
}

fn found(uids: &[&str]) -> Found<ContactPoint> {
    Found {
        object: contact_point(uids),
        provenance: None,
        revision: None,
    }
}

/// Sends those of `wished` that `changed` names, where Grafana has `there`.
async fn put(grafana: &Grafana, there: &[&str], wished: &[&str], changed: &[&str]) -> Sent {
    let changed: Vec<String> = changed.iter().map(|uid| (*uid).to_owned()).collect();
    let write = ContactPointWrite {
        wish: &contact_point(wished),
        found: Some(&found(there)),
        changed: &changed,
        kept: &[],
        provenance: Provenance::Api,
    };
    grafana.contact_points.put(write).await
}

/// Updates an integration that is taken to be there.
pub(super) async fn update_integration(grafana: &Grafana) -> Result<()> {
    let sent = put(grafana, &["x"], &["x"], &["x"]).await;
    sent.failure.map_or(Ok(()), Err)
}

pub(super) async fn delete_integration(grafana: &Grafana) -> Result<()> {
    let (found, uids) = (found(&["x"]), ["x".to_owned()]);
    let sent = grafana.contact_points.remove(&found, &uids).await;
    assert_eq!(sent.gone.is_empty(), sent.failure.is_some());
    sent.failure.map_or(Ok(()), Err)
}

/// A Grafana that refuses to write the integration of this uid, and notes what it is asked.
fn refusing(uid: &'static str) -> (Router, Shared<Mutex<Vec<String>>>) {
    let asked: Shared<Mutex<Vec<String>>> = Shared::default();
    let log = asked.clone();
    let answer = async move |method: http::Method, path: String, body: String| {
        let sent: Value = serde_json::from_str(&body).unwrap_or_default();
        let named = sent["uid"].as_str().map_or(path, str::to_owned);
        log.lock().push(format!("{method} {named}"));
        let status = if named == uid {
            StatusCode::BAD_REQUEST
        } else {
            StatusCode::ACCEPTED
        };
        (status, r#"{"message": "no"}"#)
    };
    let created = answer.clone();
    let router = Router::new()
        .route(
            "/api/v1/provisioning/contact-points",
            post(async move |method: http::Method, body: String| created(method, String::new(), body).await),
        )
        .route(
            "/api/v1/provisioning/contact-points/{uid}",
            any(
                async move |method: http::Method, Path(uid): Path<String>, body: String| {
                    answer(method, uid, body).await
                },
            ),
        );
    (router, asked)
}

#[tokio::test]
async fn what_is_wished_is_sent_before_what_is_not_is_taken_out_and_what_has_not_changed_is_left_alone() {
    let (router, asked) = refusing("none");
    let grafana = grafana(router).await;
    let sent = put(
        &grafana,
        &["old", "kept", "changed"],
        &["kept", "changed", "new"],
        &["changed", "new"],
    )
    .await;
    assert_eq!(*asked.lock(), ["PUT changed", "POST new", "DELETE old"]);
    assert!(sent.failure.is_none());
    assert_eq!(
        (sent.sent.join(" "), sent.gone.join(" ")),
        ("changed new".to_owned(), "old".to_owned())
    );
    assert_eq!(sent.revision, None);
}

#[tokio::test]
async fn a_write_that_is_refused_half_way_tells_how_far_it_came_and_goes_no_further() {
    let (router, asked) = refusing("second");
    let grafana = grafana(router).await;
    let all = ["first", "second", "third"];
    let sent = put(&grafana, &["old"], &all, &all).await;
    assert_eq!(*asked.lock(), ["POST first", "POST second"]);
    assert_eq!(sent.sent, ["first"]);
    assert!(sent.gone.is_empty() && !sent.changed_nothing());
    assert_eq!(sent.failure.unwrap().class(), Class::Rejected);
    let sent = put(&grafana, &[], &all, &["second"]).await;
    assert!(sent.changed_nothing());

    let (found, uids) = (found(&all), all.map(str::to_owned));
    let sent = grafana.contact_points.remove(&found, &uids).await;
    assert_eq!(
        (sent.gone.join(" "), sent.failure.is_some()),
        ("first".to_owned(), true)
    );
}

#[tokio::test]
async fn settings_that_grafana_repeats_in_a_refusal_are_not_passed_on() {
    let router = Router::new().fallback(any(async |body: String| {
        let sent: Value = serde_json::from_str(&body).unwrap();
        let message = format!("invalid URL {} of {}", sent["settings"]["url"], sent["name"]);
        (StatusCode::BAD_REQUEST, json!({ "message": message }).to_string())
    }));
    let grafana = grafana(router).await;
    for there in [&[][..], &["x"]] {
        let error = put(&grafana, there, &["x"], &["x"])
            .await
            .failure
            .unwrap()
            .to_string();
        assert!(
            error.ends_with(r#"invalid URL "[REDACTED]" of "team""#),
            "{error}"
        );
    }
}

#[tokio::test]
async fn what_is_kept_is_neither_sent_nor_taken_out() {
    let (router, asked) = refusing("none");
    let grafana = grafana(router).await;
    let write = ContactPointWrite {
        wish: &contact_point(&["ours"]),
        found: Some(&found(&["theirs", "ours", "old"])),
        changed: &["ours".to_owned()],
        kept: &["theirs".to_owned()],
        provenance: Provenance::Api,
    };
    let sent = grafana.contact_points.put(write).await;
    assert_eq!(*asked.lock(), ["PUT ours", "DELETE old"]);
    assert_eq!(sent.gone, ["old"]);
}
