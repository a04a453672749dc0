//! What stands between us and Grafana: headers for a gateway, and a proxy.

use super::*;

/// Answers with what it was sent: the address, and by name the headers.
async fn echo() -> String {
    serve(Router::new().fallback(any(async |request: Request| {
        let headers = request.headers().iter();
        let headers: BTreeMap<_, _> = headers
            .map(|(name, value)| (name.to_string(), value.to_str().unwrap_or_default().to_owned()))
            .collect();
        json!({"uri": request.uri().to_string(), "headers": headers}).to_string()
    })))
    .await
}

fn with_header(url: &str, name: &str, value: &str) -> Connection {
    Connection {
        headers: vec![(name.to_owned(), value.into())],
        ..connection(url)
    }
}

#[tokio::test]
async fn further_headers_go_with_every_request_and_take_nothing_from_our_own() {
    let access = with_header(&echo().await, "CF-Access-Client-Secret", "s3cret-of-access");
    let transport = Transport::new(&access, Arc::new(())).unwrap();
    let answer: Value = transport.fetch(read()).await.unwrap();
    assert_eq!(answer["headers"]["cf-access-client-secret"], "s3cret-of-access");
    assert_eq!(answer["headers"]["authorization"], "Bearer glsa_secret");
    assert!(!format!("{access:?}").contains("s3cret-of-access"));
}

#[tokio::test]
async fn a_name_and_password_log_in_with_every_request_and_an_organisation_goes_beside_them() {
    let login = Connection {
        auth: Auth::Basic {
            user: "admin".to_owned(),
            password: "pass:wörd".into(),
        },
        ..connection(&echo().await)
    };
    let asked = async |org_id: Option<i64>| {
        let connection = Connection {
            org_id,
            ..login.clone()
        };
        let transport = Transport::new(&connection, Arc::new(())).unwrap();
        transport.fetch::<Value>(read()).await.unwrap()["headers"].clone()
    };
    let own = asked(None).await;
    assert_eq!(own["authorization"], "Basic YWRtaW46cGFzczp3w7ZyZA==");
    assert!(own["x-grafana-org-id"].is_null(), "the user's own organisation");
    let second = asked(Some(2)).await;
    assert_eq!(
        (&second["authorization"], &second["x-grafana-org-id"]),
        (&own["authorization"], &json!("2"))
    );
    assert!(!format!("{login:?}").contains("pass:"));
}

#[tokio::test]
async fn a_header_that_cannot_be_is_refused_by_its_name_and_its_value_told_nowhere() {
    let refused = |name: &str, value: &str| {
        let transport = Transport::new(&with_header("http://grafana", name, value), Arc::new(()));
        transport.err().expect(name).to_string()
    };
    for (name, value, words) in [
        (
            "Authorization",
            "s3cret-of-access",
            "headers[Authorization]: the operator sets this header itself",
        ),
        ("X-Grafana-Org-Id", "2", "the operator sets this header itself"),
        (
            "X-A",
            "s3cret-of\naccess",
            "headers[X-A]: holds what no header can",
        ),
        ("X A", "s3cret-of-access", "headers[X A]: is no header's name"),
    ] {
        let error = refused(name, value);
        assert!(error.contains(words) && !error.contains("s3cret"), "{error}");
    }
    let mut twice = with_header("http://grafana", "X-A", "1");
    twice.headers.push(("x-a".to_owned(), "2".into()));
    let error = Transport::new(&twice, Arc::new(())).err().unwrap().to_string();
    assert!(error.contains("headers[x-a]: stands there twice"), "{error}");
}

#[tokio::test]
async fn what_refuses_may_repeat_what_it_was_sent_and_we_do_not() {
    let url = serve_always((
        StatusCode::FORBIDDEN,
        r#"{"message": "denied to Bearer glsa_secret with s3cret-of-access"}"#,
    ))
    .await;
    let access = with_header(&url, "CF-Access-Client-Secret", "s3cret-of-access");
    let transport = Transport::new(&access, Arc::new(())).unwrap();
    let error = transport.fetch::<Value>(read()).await.unwrap_err();
    let told = format!("{error} {error:?}");
    assert!(told.contains("denied to"), "{told}");
    assert!(
        !told.contains("s3cret-of") && !told.contains("glsa_secret"),
        "{told}"
    );
}

#[tokio::test]
async fn a_proxy_is_asked_for_the_whole_address_and_gets_its_own_login() {
    let proxy = Proxy {
        url: echo().await,
        auth: Some(("user".to_owned(), "s3cret-of-proxy".into())),
    };
    let through = Connection {
        proxy: Some(proxy),
        ..connection("http://grafana.invalid/sub")
    };
    let transport = Transport::new(&through, Arc::new(())).unwrap();
    let answer: Value = transport.fetch(read()).await.unwrap();
    let uri = answer["uri"].as_str().unwrap();
    assert!(uri.starts_with("http://grafana.invalid/sub/"), "{uri}");
    assert_eq!(
        answer["headers"]["proxy-authorization"],
        "Basic dXNlcjpzM2NyZXQtb2YtcHJveHk="
    );
    assert!(!format!("{through:?}").contains("s3cret"));
}

#[test]
fn what_stands_for_debugging_has_no_secret_in_it() {
    let plain = connection("https://grafana.example");
    for connection in [
        Connection {
            auth: Auth::Token("s3cr3t".into()),
            ..plain.clone()
        },
        Connection {
            auth: Auth::Basic {
                user: "user".to_owned(),
                password: "s3cr3t".into(),
            },
            ..plain.clone()
        },
        with_header("https://grafana.example", "X-Access", "s3cr3t"),
        Connection {
            proxy: Some(Proxy {
                url: "http://proxy".to_owned(),
                auth: Some(("user".to_owned(), "s3cr3t".into())),
            }),
            ..plain.clone()
        },
        Connection {
            tls: Tls {
                client_cert_pem: Some("certificate".to_owned()),
                client_key_pem: Some("s3cr3t".into()),
                ..Tls::default()
            },
            ..plain
        },
    ] {
        let shown = format!("{connection:?} {connection:#?}");
        assert!(
            shown.contains("grafana.example") && !shown.contains("s3cr3t"),
            "{shown}"
        );
    }
}

#[test]
fn what_is_told_of_a_call_in_a_trace_has_neither_query_nor_secret() {
    let call = Call::get("rules.get", "api/v1/rules", &["of glsa_secret_of_this_token"])
        .query("matcher", "of the query");
    let base = "https://grafana.example.com/sub/".parse().unwrap();
    let told = call.told(&base, &["glsa_secret_of_this_token"], 0);
    assert_eq!(told.template, "/sub/api/v1/rules/{name}");
    assert!(told.path.starts_with("/sub/api/v1/rules/of%20"), "{}", told.path);
    assert!(!told.path.contains("glsa_"), "{}", told.path);
    assert!(!told.path.contains("query"), "{}", told.path);
    assert_eq!(told.server, Some(("grafana.example.com".to_owned(), Some(443))));
}
