//! A Grafana, or whatever else answers, that means harm: what it costs is bounded.

use std::convert::Infallible;

use axum::body::Body;
use futures::stream;

use super::*;

#[tokio::test]
async fn many_values_in_few_bytes_are_not_read() {
    let list = format!("[{}1]", "{},".repeat(300_000));
    let url = serve_always(list).await;
    let transport = Transport::new(&connection(&url), Arc::new(())).unwrap();
    for call in [read().of_one(), write()] {
        let error = transport.fetch::<Vec<Value>>(call).await.unwrap_err();
        assert!(
            matches!(error, Error::TooMany { limit: 262_144, .. }),
            "{error:?}"
        );
        assert!(error.to_string().contains("see that the address"), "{error}");
    }
    assert_eq!(
        transport.fetch::<Vec<Value>>(read()).await.unwrap().len(),
        300_001,
        "a list may have them"
    );
}

#[tokio::test]
async fn an_answer_about_one_object_may_not_be_as_large_as_a_list() {
    let url = serve_always(format!("\"{}\"", "x".repeat(5 << 20))).await;
    let transport = Transport::new(&connection(&url), Arc::new(())).unwrap();
    for call in [read().of_one(), write()] {
        let error = transport.fetch::<String>(call).await.unwrap_err();
        assert!(
            matches!(error, Error::TooLarge { limit: 4_194_304, .. }),
            "{error:?}"
        );
        assert!(error.to_string().contains("see that the address"), "{error}");
    }
    for call in [read(), write().of_many()] {
        assert!(transport.fetch::<String>(call).await.is_ok());
    }
}

/// There is always one more byte, so a deadline for each of them would never be over.
#[tokio::test]
async fn who_answers_byte_by_byte_is_not_waited_for_longer_than_others() {
    let drips = || {
        stream::unfold((), async |()| {
            tokio::task::yield_now().await;
            Some((Ok::<_, Infallible>(Bytes::from_static(b" ")), ()))
        })
    };
    let url = serve(Router::new().fallback(any(async move || Body::from_stream(drips())))).await;
    let limits = Limits {
        time: Duration::from_millis(100),
        ..LIMITS
    };
    let transport = Transport::with_limits(&connection(&url), Arc::new(()), limits).unwrap();
    let error = transport.fetch::<Value>(read()).await.unwrap_err();
    assert!(matches!(error, Error::Timeout { .. }), "{error:?}");
    let streamed = transport.stream::<Value>(read(), |body| serde_json::from_reader(body));
    let error = streamed.await.unwrap_err();
    assert!(matches!(error, Error::Timeout { .. }), "{error:?}");
}

#[tokio::test]
async fn one_large_answer_is_read_at_a_time_and_small_ones_beside_it() {
    let (begun, goes_on) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
    let (beginning, going) = (begun.clone(), goes_on.clone());
    // Both begin with more than is read of one beside others.
    let router = Router::new()
        .route("/api/small", any(async || "1"))
        .fallback(any(async move || {
            let (beginning, going) = (beginning.clone(), going.clone());
            Body::from_stream(stream::unfold(0, move |piece| {
                let (beginning, going) = (beginning.clone(), going.clone());
                async move {
                    let text = match piece {
                        0 => format!("\"{}", "x".repeat(3000)),
                        1 => {
                            beginning.add_permits(1);
                            going.acquire().await.unwrap().forget();
                            "\"".to_owned()
                        }
                        _ => return None,
                    };
                    Some((Ok::<_, Infallible>(Bytes::from(text)), piece + 1))
                }
            }))
        }));
    let limits = Limits { free: 1000, ..LIMITS };
    let url = serve(router).await;
    let transport = Transport::with_limits(&connection(&url), Arc::new(()), limits).unwrap();
    let large = || Box::pin(transport.fetch::<String>(read()));
    let (mut first, mut second) = (large(), large());
    let small = async || {
        transport
            .fetch::<u8>(Call::get("test.read", "api/small", &[]))
            .await
    };

    tokio::select! {
        _ = &mut first => panic!("it has no end yet"),
        () = async {
            while transport.large.available_permits() > 0 {
                small().await.unwrap();
            }
        } => {}
    }
    // All of the second one is there, but nobody reads it.
    goes_on.add_permits(2);
    tokio::select! {
        _ = &mut second => panic!("beside another one"),
        () = async {
            begun.acquire_many(2).await.unwrap().forget();
            for _ in 0..20 {
                small().await.unwrap();
            }
        } => {}
    }
    assert_eq!(first.await.unwrap().len(), 3000);
    assert_eq!(second.await.unwrap().len(), 3000);
    assert_eq!(transport.large.available_permits(), 1);
}
