//! Answers that Grafana didn't give, and those by which it asks to be left alone.

use super::*;

#[tokio::test]
async fn what_grafana_did_not_say_is_told_apart_and_not_repeated() {
    for (status, body) in [
        (502, ""),
        (502, "<html>password: hunter2</html>"),
        (404, "404 page not found, hunter2"),
        (405, "hunter2"),
        (413, ""),
        (400, "Client sent an HTTP request to an HTTPS server, hunter2."),
    ] {
        let error = refusal(status, HeaderMap::new(), body).await;
        assert_eq!(error.class(), Class::Transient, "{status} {body}");
        assert!(matches!(error, Error::NotGrafana { .. }), "{status} {body}");
        assert!(!format!("{error} {error:?}").contains("hunter2"));
    }
    // One that isn't read to its end is not an empty one.
    let page = "x".repeat(100 << 10);
    let error = refusal(404, HeaderMap::new(), page).await;
    assert!(matches!(error, Error::NotGrafana { .. }), "{error}");
    let cut_off = b"HTTP/1.1 404 Not Found\r\ncontent-length: 100\r\n\r\n";
    let error = transport(&serve_bytes(cut_off).await.0)
        .fetch::<Value>(read())
        .await;
    assert!(matches!(error, Err(Error::NotGrafana { .. })), "{error:?}");
    // A rule that isn't there is an empty answer of Grafana's.
    let error = refusal(404, HeaderMap::new(), "").await;
    assert_eq!(error.class(), Class::Missing);
}

#[tokio::test]
async fn a_write_that_grafana_does_not_acknowledge_may_have_been_carried_out() {
    for (status, body) in [(200, "<html>log in</html>"), (200, ""), (202, "ok")] {
        let url = serve_always((StatusCode::from_u16(status).unwrap(), body)).await;
        let error = transport(&url).send(write()).await.unwrap_err();
        assert!(
            matches!(error, Error::Decode { .. }),
            "{status} {body:?}: {error}"
        );
        assert!(error.outcome_unknown() && error.class() == Class::Transient);
    }
    for (status, body) in [(200, "{}"), (202, r#"{"message":"policies updated"}"#), (204, "")] {
        let url = serve_always((StatusCode::from_u16(status).unwrap(), body)).await;
        transport(&url).send(write()).await.unwrap();
    }
}

#[tokio::test]
async fn one_call_that_is_throttled_stops_all_others_before_they_are_sent() {
    for (status, body) in [(429, "{}"), (429, "slow down"), (503, "{}")] {
        let calls = Arc::new(AtomicUsize::new(0));
        let counted = calls.clone();
        let url = serve(Router::new().fallback(any(async move || {
            counted.fetch_add(1, Ordering::Relaxed);
            let status = StatusCode::from_u16(status).unwrap();
            (status, [(http::header::RETRY_AFTER, "200")], body)
        })))
        .await;
        let ended = Arc::new(Ended::default());
        let transport = Transport::new(&connection(&url), ended.clone()).unwrap();
        assert_eq!(transport.pause(), None);
        let _ = transport.send(write()).await.unwrap_err();
        for _ in 0..49 {
            let error = transport.send(write()).await.unwrap_err();
            assert!(matches!(error, Error::Paused { .. }), "{error}");
            assert!(!error.outcome_unknown());
            let Class::Throttled(Some(left)) = error.class() else {
                panic!("{error}");
            };
            assert!(
                left > Duration::from_secs(100) && left <= Duration::from_secs(200),
                "{left:?}"
            );
        }
        assert!(matches!(
            transport.fetch::<Value>(read()).await,
            Err(Error::Paused { .. })
        ));
        assert!(transport.pause().is_some());
        assert_eq!(calls.load(Ordering::Relaxed), 1, "{status} {body}");
        assert_eq!(ended.0.lock().len(), 1, "only what was sent is counted");
    }
}

#[tokio::test]
async fn a_server_that_is_away_for_a_moment_makes_no_pause() {
    let url = serve_always((StatusCode::SERVICE_UNAVAILABLE, "{}")).await;
    let transport = transport(&url);
    let error = transport.send(write()).await.unwrap_err();
    assert_eq!((error.class(), transport.pause()), (Class::Transient, None));
}

#[tokio::test]
async fn who_fails_is_sent_fewer_at_once_until_it_answers() {
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let answers = Arc::new(AtomicUsize::new(500));
    let (counted, highest, answering) = (now.clone(), most.clone(), answers.clone());
    let router = Router::new().fallback(any(async move || {
        highest.fetch_max(counted.fetch_add(1, Ordering::Relaxed) + 1, Ordering::Relaxed);
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        counted.fetch_sub(1, Ordering::Relaxed);
        let status = u16::try_from(answering.load(Ordering::Relaxed)).unwrap();
        (StatusCode::from_u16(status).unwrap(), "{}")
    }));
    let transport = transport(&serve(router).await);
    let at_once = async || {
        most.store(0, Ordering::Relaxed);
        futures::future::join_all((0..CONNECTIONS).map(|_| transport.fetch::<Value>(read()))).await;
        most.load(Ordering::Relaxed)
    };
    at_once().await;
    assert!(at_once().await <= CONNECTIONS / 2);
    assert!(at_once().await <= CONNECTIONS / 4);
    answers.store(200, Ordering::Relaxed);
    at_once().await;
    let again = transport.gate.allowed();
    assert_eq!(again, CONNECTIONS, "as before");
}
