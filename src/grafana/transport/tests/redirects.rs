//! A redirect could take the credentials, and what is secret in a body, to anybody.

use super::*;

#[tokio::test]
async fn a_redirect_is_not_followed_and_nobody_else_is_sent_anything() {
    let requests = Arc::new(AtomicUsize::new(0));
    let counted = requests.clone();
    let elsewhere = serve(Router::new().fallback(any(async move || {
        counted.fetch_add(1, Ordering::Relaxed);
        "{}"
    })))
    .await;
    for status in [301, 302, 303, 307, 308] {
        for body in ["", "{}"] {
            let location = [(http::header::LOCATION, format!("{elsewhere}/login"))];
            let url = serve_always((StatusCode::from_u16(status).unwrap(), location, body)).await;
            for call in [read(), write()] {
                let error = transport(&url).fetch::<Value>(call).await.unwrap_err();
                let is_told = matches!(error, Error::NotGrafana { status: told, .. } if told == status);
                assert!(is_told, "{status} {body:?}: {error:?}");
                assert!(error.to_string().contains("a redirect, which is not followed"));
            }
        }
    }
    assert_eq!(requests.load(Ordering::Relaxed), 0);
}
