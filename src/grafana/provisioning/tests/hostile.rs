//! Names that somebody chose to reach another object, or to add a header.

use std::sync::Arc;

use parking_lot::Mutex;
use percent_encoding::percent_decode_str;

use super::*;

#[tokio::test]
async fn whatever_stands_in_a_name_it_is_that_name_and_nothing_else_of_a_request() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let recorder = seen.clone();
    let router = Router::new().fallback(any(async move |request: Request| {
        let (uri, headers) = (request.uri(), request.headers().len());
        let query = uri.query().map(str::to_owned);
        recorder.lock().push((uri.path().to_owned(), query, headers));
        (StatusCode::BAD_REQUEST, "{}")
    }));
    let grafana = grafana(router).await;
    let ask = async |name: &str| {
        let _ = grafana.rules.get(name).await;
        let _ = grafana.folders.get(name).await;
        let _ = grafana.folders.content(name).await;
        let _ = grafana.folders.delete(name).await;
        let _ = grafana.silences.get(name).await;
        let _ = grafana.silences.expire(name).await;
        let _ = grafana.time_intervals.get(name).await;
        let _ = grafana.templates.get(name).await;
        let _ = grafana.contact_points.get(name).await;
        std::mem::take(&mut *seen.lock())
    };
    let plain = ask("plain").await;
    assert!(plain.len() >= 9, "{plain:?}");
    for name in [
        "../../api/admin/users",
        "a/b",
        "a\\b",
        "a?x=1",
        "a#b",
        "a;b",
        "%2e%2e%2f",
        "a\r\nX-Disable-Provenance: true",
        "a&name=b",
        "{{ template \"x\" }}",
        "$(id)`'\"<>",
        "ü \u{202e}",
    ] {
        let asked = ask(name).await;
        assert_eq!(asked.len(), plain.len(), "{name:?}");
        for ((path, query, headers), (of_plain, plain_query, plain_headers)) in asked.iter().zip(&plain) {
            assert_eq!(headers, plain_headers, "{name:?} {path}");
            let segments = path
                .split('/')
                .map(|segment| percent_decode_str(segment).decode_utf8().unwrap());
            let expected = of_plain.split('/').map(|segment| segment.replace("plain", name));
            assert!(segments.eq(expected), "{name:?}: {path}");
            let pairs = |query: &Option<String>| -> Vec<(String, String)> {
                let query = query.as_deref().unwrap_or_default();
                url::form_urlencoded::parse(query.as_bytes())
                    .into_owned()
                    .collect()
            };
            let mut expected = pairs(plain_query);
            for (_, value) in &mut expected {
                *value = value.replace("plain", name);
            }
            assert_eq!(pairs(query), expected, "{name:?}: {path}");
        }
    }
}
