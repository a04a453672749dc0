//! What refusals say, in the forms of every API, and what answers say of their endpoint.

use super::*;

#[tokio::test]
async fn a_refusal_says_what_grafana_says() {
    let body = r#"{"message":"no such rule","messageId":"alerting.alert-rule.notFound","traceID":""}"#;
    let error = refusal(404, HeaderMap::new(), body).await;
    assert_eq!(error.class(), Class::Missing);
    assert_eq!(
        error.to_string(),
        "grafana refused test.read with status 404: no such rule"
    );
    assert!(
        matches!(error, Error::Status { message_id: Some(id), .. } if id == "alerting.alert-rule.notFound")
    );
}

#[tokio::test]
async fn a_refusal_in_other_words_is_understood() {
    for (body, message) in [
        ("null", "bad gateway"),
        (r#"{"message": ""}"#, "bad gateway"),
        (
            r#"{"status":"error","errorType":"server","error":"failure getting rules"}"#,
            "failure getting rules",
        ),
        (r#"{"message": "", "error": "no such route"}"#, "no such route"),
    ] {
        let error = refusal(502, HeaderMap::new(), body).await;
        assert_eq!(
            error.to_string(),
            format!("grafana refused test.read with status 502: {message}")
        );
        assert_eq!(error.class(), Class::Transient);
    }
}

#[tokio::test]
async fn a_status_object_of_the_newer_api_is_understood_with_the_fields_that_it_names() {
    for (body, message, id) in [
        (
            json!({"kind": "Status", "status": "Failure", "code": 409, "reason": "Conflict", "message": "Provided version 'a' does not match",
                "details": {"uid": "alerting.notifications.receivers.conflict", "causes": [{"field": "Name", "message": "\"team\""}]}}),
            "Provided version 'a' does not match; Name: \"team\"",
            Some("alerting.notifications.receivers.conflict"),
        ),
        (
            json!({"kind": "Status", "code": 422, "reason": "Invalid", "message": "invalid: spec.title: Required value",
                "details": {"name": "x", "causes": [{"reason": "FieldValueRequired", "field": "spec.title", "message": "Required value"}]}}),
            "invalid: spec.title: Required value",
            None,
        ),
        (
            json!({"kind": "Status", "code": 403, "message": "no access", "details": null}),
            "no access",
            None,
        ),
        (
            json!({"message": "no access", "details": "see the log"}),
            "no access",
            None,
        ),
    ] {
        let body = body.to_string();
        let error = refusal(409, HeaderMap::new(), body).await;
        assert_eq!(
            error.to_string(),
            format!("grafana refused test.read with status 409: {message}")
        );
        assert!(
            matches!(&error, Error::Status { message_id, .. } if message_id.as_deref() == id),
            "{error:?}"
        );
    }
}

#[tokio::test]
async fn what_grafana_will_take_away_is_noted_by_operation_and_counted_by_call() {
    let headers = [
        ("x-api-deprecation-date", "2026-04-07"),
        (
            "x-api-replacement",
            "/apis/notifications.alerting.grafana.app/v1beta1/namespaces/default/receivers",
        ),
        ("warning", "299 - \"This API is deprecated.\""),
    ];
    let url = serve_always((headers, "{}")).await;
    let ended = Arc::new(Ended::default());
    let transport = Transport::new(&connection(&url), ended.clone()).unwrap();
    transport.fetch::<Value>(read()).await.unwrap();
    transport.fetch::<Value>(read()).await.unwrap();
    assert_eq!(ended.1.load(Ordering::Relaxed), 2);
    let deprecated = transport.deprecated();
    assert_eq!(deprecated.keys().collect::<Vec<_>>(), [&"test.read"]);
    assert_eq!(deprecated["test.read"].since.to_string(), "2026-04-07");

    let plain = serve_always("{}").await;
    let transport = Transport::new(&connection(&plain), ended.clone()).unwrap();
    transport.fetch::<Value>(read()).await.unwrap();
    assert!(transport.deprecated().is_empty());
    assert_eq!(ended.1.load(Ordering::Relaxed), 2);
}
