//! A Grafana, or whatever else answers, that means harm: what it costs is bounded.

use std::convert::Infallible;

use axum::body::Body;
use futures::{StreamExt, stream};

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

#[tokio::test]
async fn a_list_of_a_million_entries_is_read_only_where_there_may_be_so_many() {
    let list = format!("[{}1]", "0,".repeat(1_100_000));
    let url = serve_always(list).await;
    let transport = Transport::new(&connection(&url), Arc::new(())).unwrap();
    let error = transport.fetch::<Vec<u8>>(read()).await.unwrap_err();
    assert!(
        matches!(error, Error::TooMany { limit: 1_048_576, .. }),
        "{error:?}"
    );
    let many = transport.fetch::<Vec<u8>>(read().of_many()).await;
    assert_eq!(many.unwrap().len(), 1_100_001);
}

/// Pieces of one size, for ever.
fn endless() -> Body {
    let piece = Bytes::from(vec![b'x'; PIECE]);
    Body::from_stream(stream::repeat_with(move || Ok::<_, Infallible>(piece.clone())))
}

const PIECE: usize = 100;

/// A budget of so many answers of the largest size at once.
fn budget(large: u32) -> &'static Budget {
    Box::leak(Box::new(Budget::new(large * 10)))
}

/// As [`transport`], within a budget.
fn within(budget: &'static Budget, url: &str) -> Transport {
    let mut transport = transport(url);
    transport.budget = budget;
    transport
}

#[tokio::test]
async fn answers_without_end_hold_no_more_than_the_budget_and_keep_no_other_grafana_waiting() {
    let budget = budget(2);
    let url = serve(Router::new().fallback(any(async || endless()))).await;
    let good = serve(
        Router::new()
            .route("/api/small", any(async || "1"))
            .fallback(any(async || format!("\"{}\"", "x".repeat(9000)))),
    )
    .await;
    let (hostile, good) = (within(budget, &url), within(budget, &good));
    let endless = futures::future::join_all((0..3 * CONNECTIONS).map(|_| hostile.fetch::<Value>(read())));
    let others = async {
        for _ in 0..3 * CONNECTIONS {
            assert_eq!(good.fetch::<String>(read()).await.unwrap().len(), 9000);
            let small = Call::get("test.read", "api/small", &[]);
            assert_eq!(good.fetch::<u8>(small).await.unwrap(), 1);
        }
    };
    let (refused, ()) = tokio::join!(endless, others);
    for error in refused {
        assert!(matches!(error, Err(Error::TooLarge { .. })), "{error:?}");
    }
    // What is begun of each, and all of two.
    let most = CONNECTIONS * (1000 + PIECE) + 10_000 + PIECE + 10_000;
    let held = budget.counted.most();
    assert!(held <= most, "{held} of {most} bytes");
    assert!(held > 10_000, "{held} are too few to be counted");
}

#[tokio::test]
async fn all_grafanas_together_have_as_many_large_answers_read_as_the_budget_has_room_for() {
    let budget = budget(2);
    let (begun, goes_on) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
    let (beginning, going) = (begun.clone(), goes_on.clone());
    let router = Router::new()
        .route("/api/small", any(async || "1"))
        .fallback(any(async move || {
            let (beginning, going) = (beginning.clone(), going.clone());
            let rest = stream::once(async move {
                beginning.add_permits(1);
                going.acquire().await.unwrap().forget();
                Ok::<_, Infallible>(Bytes::from_static(b"\""))
            });
            let text = Bytes::from(format!("\"{}", "x".repeat(3000)));
            Body::from_stream(stream::iter([Ok(text)]).chain(rest))
        }));
    let url = serve(router).await;
    let grafanas: Vec<_> = (0..4).map(|_| within(budget, &url)).collect();
    let small = async || {
        let small = Call::get("test.read", "api/small", &[]);
        grafanas[3].fetch::<u8>(small).await.unwrap()
    };
    let large = |number: usize| Box::pin(grafanas[number].fetch::<String>(read()));
    let mut two = futures::future::join(large(0), large(1));
    let mut third = large(2);
    tokio::select! {
        _ = &mut two => panic!("they have no end yet"),
        () = async {
            while budget.counted.most() < 6000 {
                small().await;
            }
        } => {}
    }
    goes_on.add_permits(3);
    // All of it is there, and there is no room.
    tokio::select! {
        _ = &mut third => panic!("beside two others"),
        () = async {
            begun.acquire_many(3).await.unwrap().forget();
            while budget.counted.most() < 9000 {
                small().await;
            }
            for _ in 0..20 {
                small().await;
            }
        } => {}
    }
    let (first, second) = two.await;
    assert_eq!(first.unwrap().len(), 3000);
    assert_eq!(second.unwrap().len(), 3000);
    assert_eq!(third.await.unwrap().len(), 3000);
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

/// What others take of the time is theirs.
#[tokio::test]
async fn whoever_waits_for_others_to_be_read_is_not_late_for_that() {
    let budget = budget(1);
    let text = format!("\"{}\"", "x".repeat(3000));
    let url = serve_always(text).await;
    let mut transport = within(budget, &url);
    transport.limits.time = Duration::from_secs(1);
    let others = budget.set_aside(10_000).await;
    let mut large = Box::pin(transport.fetch::<String>(read()));
    let waits = tokio::time::timeout(2 * transport.limits.time, &mut large).await;
    assert!(waits.is_err(), "it is beside others: {waits:?}");
    drop(others);
    assert_eq!(large.await.unwrap().len(), 3000);
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
