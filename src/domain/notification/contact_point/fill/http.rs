//! What integrations that speak HTTP or TLS have in common.

use crate::api::contact_point::{HttpConfig, TlsConfig};
use crate::domain::notification::contact_point::settings::Settings;

/// TLS settings, which the resource and Grafana have at these places.
pub(super) fn tls<'a>(field: &str, key: &str, given: Option<&'a TlsConfig>, settings: &mut Settings<'a>) {
    let Some(given) = given else {
        return;
    };
    let at = |field: &str, key: &str, inner: (&str, &str)| {
        (format!("{field}.{}", inner.0), format!("{key}.{}", inner.1))
    };
    settings.set(&format!("{key}.insecureSkipVerify"), given.insecure_skip_verify);
    let (ours, theirs) = at(field, key, ("ca", "caCertificate"));
    settings.certificate(&ours, &theirs, given.ca.as_ref());
    let (ours, theirs) = at(field, key, ("clientCertificate", "clientCertificate"));
    settings.certificate(&ours, &theirs, given.client_certificate.as_ref());
    let (ours, theirs) = at(field, key, ("clientKey", "clientKey"));
    settings.secret(&ours, &theirs, given.client_key.as_ref());
}

/// How the HTTP client of a webhook works.
pub(super) fn client<'a>(given: Option<&'a HttpConfig>, settings: &mut Settings<'a>) {
    let Some(oauth2) = given.and_then(|given| given.oauth2.as_ref()) else {
        return;
    };
    let (field, key) = ("httpConfig.oauth2", "http_config.oauth2");
    settings.set(&format!("{key}.token_url"), Some(&oauth2.token_url));
    settings.set(&format!("{key}.client_id"), Some(&oauth2.client_id));
    settings.secret(
        &format!("{field}.clientSecret"),
        &format!("{key}.client_secret"),
        Some(&oauth2.client_secret),
    );
    let (scopes, parameters) = (&oauth2.scopes, &oauth2.endpoint_params);
    settings.set(&format!("{key}.scopes"), (!scopes.is_empty()).then_some(scopes));
    settings.set(
        &format!("{key}.endpoint_params"),
        (!parameters.is_empty()).then_some(parameters),
    );
    tls(
        &format!("{field}.tlsConfig"),
        &format!("{key}.tls_config"),
        oauth2.tls_config.as_ref(),
        settings,
    );
    if let Some(proxy) = &oauth2.proxy_config {
        let (field, key) = (format!("{field}.proxyConfig"), format!("{key}.proxy_config"));
        settings.set(&format!("{key}.proxy_url"), proxy.proxy_url.as_ref());
        settings.set(
            &format!("{key}.proxy_from_environment"),
            proxy.proxy_from_environment,
        );
        settings.set(&format!("{key}.no_proxy"), proxy.no_proxy.as_ref());
        for (name, value) in &proxy.proxy_connect_header {
            settings.value(
                &format!("{field}.proxyConnectHeader.{name}"),
                &format!("{key}.proxy_connect_header.{name}"),
                value,
            );
        }
    }
}
