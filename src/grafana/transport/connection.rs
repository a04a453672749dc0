//! How to reach a Grafana, checked.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{ACCEPT, AUTHORIZATION, HeaderMap, HeaderName, HeaderValue, USER_AGENT};
use reqwest::{Certificate, Client, Identity, redirect};
use rustls::crypto::CryptoProvider;
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use crate::grafana::error::{Error, Result};

/// How long a connection may take to come about.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How long an idle connection is kept: longer than any usual resync, so that none opens at rest.
const IDLE_TIMEOUT: Duration = Duration::from_secs(300);

/// Most idle connections that are kept; the most that there are at all.
pub(super) const CONNECTIONS: usize = 8;

/// Headers that each request or its client sets by itself.
const OURS: [HeaderName; 4] = [AUTHORIZATION, ACCEPT, ORG_ID, USER_AGENT];

const ORG_ID: HeaderName = HeaderName::from_static("x-grafana-org-id");

/// How to reach a Grafana.
#[derive(Debug, Clone)]
pub struct Connection {
    /// Where it is; may have a path.
    pub url: Url,
    /// How to log in.
    pub auth: Auth,
    /// Organisation, for users who are in several. A token has its own.
    pub org_id: Option<i64>,
    /// Certificates.
    pub tls: Tls,
    /// Further headers of every request.
    pub headers: Vec<(String, SecretString)>,
    /// The proxy that leads there; `None`: the one that the environment names, if it does.
    pub proxy: Option<Proxy>,
    /// Sent as `User-Agent`.
    pub user_agent: String,
}

/// How to log in.
#[derive(Debug, Clone)]
pub enum Auth {
    /// Token of a service account.
    Token(SecretString),
    /// Name and password.
    Basic {
        /// Name of the user.
        user: String,
        /// Password of the user.
        password: SecretString,
    },
}

/// An HTTP proxy.
#[derive(Debug, Clone)]
pub struct Proxy {
    /// Its address, without credentials.
    pub url: String,
    /// Name and password.
    pub auth: Option<(String, SecretString)>,
}

/// Certificates, all in PEM.
#[derive(Debug, Clone, Default)]
pub struct Tls {
    /// Authorities that are trusted besides those of the system.
    pub ca_pem: Option<String>,
    /// Our own certificate, with `client_key_pem`.
    pub client_cert_pem: Option<String>,
    /// Our own key, with `client_cert_pem`.
    pub client_key_pem: Option<SecretString>,
    /// Trust any certificate.
    pub insecure_skip_verify: bool,
}

impl Connection {
    /// The address, if requests can be sent to it.
    pub(super) fn base(&self) -> Result<Url> {
        let url = &self.url;
        let what = if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
            "must begin with http:// or https://"
        } else if !url.username().is_empty() || url.password().is_some() {
            "must not hold credentials"
        } else if url.query().is_some() || url.fragment().is_some() {
            "must end with its path, without ? and # and what follows them"
        } else {
            return Ok(url.clone());
        };
        Err(Error::Configuration(format!("url: {what}")))
    }

    /// A client that logs in with every request and follows no redirect: one would take the credentials elsewhere.
    pub(super) fn client(&self) -> Result<Client> {
        if CryptoProvider::get_default().is_none() {
            return Err(Error::Configuration(
                "tls: no rustls provider is installed".to_owned(),
            ));
        }
        let mut client = Client::builder()
            .user_agent(self.user_agent.as_str())
            .default_headers(self.headers()?)
            .redirect(redirect::Policy::none())
            .connect_timeout(CONNECT_TIMEOUT)
            .pool_idle_timeout(IDLE_TIMEOUT)
            .pool_max_idle_per_host(CONNECTIONS)
            .tls_danger_accept_invalid_certs(self.tls.insecure_skip_verify);
        if let Some(pem) = &self.tls.ca_pem {
            client = client.tls_certs_merge(authorities(pem)?);
        }
        match (&self.tls.client_cert_pem, &self.tls.client_key_pem) {
            (Some(certificate), Some(key)) => client = client.identity(identity(certificate, key)?),
            (None, None) => {}
            _ => return Err(invalid("tls: clientCertificate and clientKey must come together")),
        }
        if let Some(proxy) = &self.proxy {
            client = client.proxy(proxy.through()?);
        }
        client
            .build()
            .map_err(|_| invalid("tls: these certificates and this key cannot be used"))
    }

    fn headers(&self) -> Result<HeaderMap> {
        let credentials = match &self.auth {
            Auth::Token(token) => format!("Bearer {}", token.expose_secret().trim()),
            Auth::Basic { user, password } => {
                format!(
                    "Basic {}",
                    STANDARD.encode(format!("{user}:{}", password.expose_secret()))
                )
            }
        };
        let mut authorization = HeaderValue::try_from(credentials).map_err(|_| {
            invalid("auth: the token, or the name and password, hold characters that cannot be sent")
        })?;
        authorization.set_sensitive(true);
        let mut headers = HeaderMap::from_iter([
            (AUTHORIZATION, authorization),
            (ACCEPT, HeaderValue::from_static("application/json")),
        ]);
        if let Some(org_id) = self.org_id {
            headers.insert(ORG_ID, HeaderValue::from(org_id));
        }
        for (name, value) in &self.headers {
            let at = |problem: &str| Error::Configuration(format!("headers[{name}]: {problem}"));
            let key = HeaderName::try_from(name.as_str()).map_err(|_| at("is no header's name"))?;
            if OURS.contains(&key) {
                return Err(at("the operator sets this header itself"));
            }
            let mut value = HeaderValue::try_from(value.expose_secret())
                .map_err(|_| at("holds what no header can: it must be one line of visible characters"))?;
            value.set_sensitive(true);
            if headers.insert(key, value).is_some() {
                return Err(at("stands there twice, in upper and lower case; leave one"));
            }
        }
        Ok(headers)
    }

    /// What is secret in every request: it may come back in a refusal.
    pub(super) fn secrets(&self) -> Vec<SecretString> {
        let login = match &self.auth {
            Auth::Token(token) => token,
            Auth::Basic { password, .. } => password,
        };
        let proxy = self.proxy.as_ref().and_then(|proxy| proxy.auth.as_ref());
        let proxy = proxy.map(|(_, password)| password);
        let headers = self.headers.iter().map(|(_, value)| value);
        [login].into_iter().chain(proxy).chain(headers).cloned().collect()
    }
}

impl Proxy {
    fn through(&self) -> Result<reqwest::Proxy> {
        let proxy = reqwest::Proxy::all(&self.url)
            .map_err(|_| invalid("proxyURL: is no address, such as http://proxy.example.com:3128"))?;
        Ok(match &self.auth {
            Some((user, password)) => proxy.basic_auth(user, password.expose_secret()),
            None => proxy,
        })
    }
}

fn authorities(pem: &str) -> Result<Vec<Certificate>> {
    match Certificate::from_pem_bundle(pem.as_bytes()) {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        _ => Err(invalid(
            "tls.ca: is no certificate in PEM, which begins with -----BEGIN CERTIFICATE-----",
        )),
    }
}

fn identity(certificate: &str, key: &SecretString) -> Result<Identity> {
    let pem = SecretString::from(format!("{certificate}\n{}", key.expose_secret()));
    Identity::from_pem(pem.expose_secret().as_bytes())
        .map_err(|_| {
            invalid("tls: clientCertificate and clientKey are no certificate and key in PEM, which begin with -----BEGIN")
        })
}

fn invalid(what: &str) -> Error {
    Error::Configuration(what.to_owned())
}
