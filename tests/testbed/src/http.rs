//! The HTTP client for talking to the parts.

use std::{sync::OnceLock, time::Duration};

use reqwest::{Client, StatusCode};

/// A client for plain HTTP on 127.0.0.1.
pub fn client() -> &'static Client {
    static CLIENT: OnceLock<Client> = OnceLock::new();
    CLIENT.get_or_init(|| builder().build().expect("a plain client"))
}

/// What all our clients have in common: no proxy, no kept connections, no redirects, 30 s for a call.
pub fn builder() -> reqwest::ClientBuilder {
    crypto();
    Client::builder()
        // A developer's HTTP_PROXY must not catch calls to 127.0.0.1.
        .no_proxy()
        // A kept connection belongs to the runtime of one test and would fail in the next.
        .pool_max_idle_per_host(0)
        .redirect(reqwest::redirect::Policy::none())
        .timeout(Duration::from_secs(30))
}

/// Makes ring the process's TLS provider; neither reqwest nor kube chooses one by itself here.
pub(crate) fn crypto() {
    // An error says that it is installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// Whether the URL answers 200; else what it answers, for messages.
pub(crate) async fn answers(client: &Client, url: &str) -> Result<(), String> {
    match client.get(url).timeout(Duration::from_secs(2)).send().await {
        Ok(answer) if answer.status() == StatusCode::OK => Ok(()),
        Ok(answer) => {
            let status = answer.status();
            Err(format!(
                "{url} answers {status}: {}",
                answer.text().await.unwrap_or_default().trim()
            ))
        }
        Err(error) => Err(crate::error::chain(&error)),
    }
}
