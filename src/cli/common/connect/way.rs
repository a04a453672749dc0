//! The way to a Grafana: its address, and what files may say of it.

use secrecy::SecretString;
use serde_json::json;
use url::Url;

use crate::api::GrafanaInstanceSpec;
use crate::cluster::identity::Identity;
use crate::grafana::transport::{Auth, Connection, Tls};

/// What is known of a Grafana without a GrafanaInstance.
pub(super) fn nothing_but(url: &str) -> Result<GrafanaInstanceSpec, String> {
    serde_json::from_value(json!({"url": url, "auth": {}})).map_err(|e| e.to_string())
}

/// Whether it is an address as a GrafanaInstance takes it.
pub(super) fn is_address(url: &str) -> bool {
    let is_http = ["http://", "https://"]
        .iter()
        .any(|scheme| url.starts_with(scheme));
    let is_plain = !url.contains(|c: char| c.is_whitespace() || "@?#\\".contains(c));
    is_http && is_plain && Url::parse(url).is_ok()
}

/// Why an address is none, which isn't shown, for it may hold a password.
pub(super) fn unusable(url: &str) -> &'static str {
    if url.contains("://") {
        "isn't shown, for it may hold a password: write one such as https://grafana.example.com, with no user and password, no spaces and nothing behind the path"
    } else {
        "doesn't begin with https:// or http://: write one such as https://grafana.example.com"
    }
}

/// What files say of a Grafana that is reached on this way.
pub(super) fn on_the_way(written: &GrafanaInstanceSpec, way: &GrafanaInstanceSpec) -> GrafanaInstanceSpec {
    GrafanaInstanceSpec {
        url: way.url.clone(),
        auth: way.auth.clone(),
        org_id: way.org_id,
        tls: way.tls.clone(),
        headers: way.headers.clone(),
        proxy_url: way.proxy_url.clone(),
        proxy_auth: way.proxy_auth.clone(),
        ..written.clone()
    }
}

/// Says what of the way in files isn't used.
pub(super) fn unused(
    name: &str,
    written: &GrafanaInstanceSpec,
    way: &GrafanaInstanceSpec,
    is_declared: bool,
) -> Option<String> {
    let at = |spec: &GrafanaInstanceSpec| Identity::new(&spec.url, None);
    let mut other = Vec::new();
    if at(written) != at(way) {
        other.push("url");
    }
    if is_declared {
        let all = [
            ("auth", written.auth != way.auth),
            ("orgID", written.org_id != way.org_id),
            ("tls", written.tls != way.tls),
            ("headers", written.headers != way.headers),
            ("proxyURL", written.proxy_url != way.proxy_url),
            ("proxyAuth", written.proxy_auth != way.proxy_auth),
        ];
        other.extend(
            all.iter()
                .filter(|(_, differs)| *differs)
                .map(|(field, _)| *field),
        );
    }
    (!other.is_empty()).then(|| {
        format!(
            "GrafanaInstance {name} in the files has other values of {}, which aren't used: no file decides where credentials are sent, and Grafana is asked at {}",
            other.join(", "),
            way.url
        )
    })
}

/// As somebody with a token of their own, who needs no Secret.
pub(super) fn with_token(spec: &GrafanaInstanceSpec, token: SecretString) -> Result<Connection, String> {
    let url = Url::parse(&spec.url).map_err(|e| format!("{} is no address: {e}", spec.url))?;
    let tls = spec.tls.as_ref().map(|tls| Tls {
        ca_pem: tls.ca.as_ref().and_then(|ca| ca.value.clone()),
        insecure_skip_verify: tls.insecure_skip_verify.unwrap_or(false),
        ..Tls::default()
    });
    Ok(Connection {
        url,
        auth: Auth::Token(token),
        org_id: None,
        tls: tls.unwrap_or_default(),
        headers: Vec::new(),
        proxy: None,
        user_agent: concat!("alertwright/", env!("CARGO_PKG_VERSION")).to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_an_address_that_is_none_it_is_said_what_is_wrong_and_nothing_of_it() {
        assert!(unusable("localhost").starts_with("doesn't begin with https://"));
        let hidden = unusable("https://ann:secret@g");
        assert!(hidden.contains("may hold a password") && !hidden.contains("secret"));
        assert!(is_address("http://localhost:3000") && !is_address("localhost"));
    }
}
