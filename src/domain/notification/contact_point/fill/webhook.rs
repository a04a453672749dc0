//! A webhook of your own.

use super::http::{client, tls};
use crate::api::contact_point::Webhook;
use crate::domain::notification::contact_point::settings::Settings;

pub(super) fn webhook<'a>(given: &'a Webhook, settings: &mut Settings<'a>) {
    settings.url("url", "url", Some(&given.url));
    settings.set("httpMethod", given.http_method);
    settings.set("username", given.username.as_ref());
    settings.secret("password", "password", given.password.as_ref());
    settings.set("authorization_scheme", given.authorization_scheme.as_ref());
    settings.secret(
        "authorizationCredentials",
        "authorization_credentials",
        given.authorization_credentials.as_ref(),
    );
    settings.set("maxAlerts", given.max_alerts.map(|n| n.to_string()));
    settings.set("title", given.title.as_ref());
    settings.text(
        "message",
        "message",
        given.message.as_ref(),
        given.message_from.as_ref(),
    );
    for (name, value) in &given.headers {
        settings.value(&format!("headers.{name}"), &format!("headers.{name}"), value);
    }
    if let Some(payload) = &given.payload {
        let (text, from) = (payload.template.as_ref(), payload.template_from.as_ref());
        settings.text("payload.template", "payload.template", text, from);
        settings.set(
            "payload.vars",
            (!payload.vars.is_empty()).then_some(&payload.vars),
        );
    }
    if let Some(hmac) = &given.hmac_config {
        settings.secret("hmacConfig.secret", "hmacConfig.secret", Some(&hmac.secret));
        settings.set("hmacConfig.header", hmac.header.as_ref());
        settings.set("hmacConfig.timestampHeader", hmac.timestamp_header.as_ref());
    }
    tls("tlsConfig", "tlsConfig", given.tls_config.as_ref(), settings);
    client(given.http_config.as_ref(), settings);
}
