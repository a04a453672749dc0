//! Who is on call.

use crate::api::contact_point::{OnCall, Opsgenie, VictorOps};
use crate::domain::notification::contact_point::settings::Settings;

pub(super) fn oncall<'a>(given: &'a OnCall, settings: &mut Settings<'a>) {
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
}

pub(super) fn opsgenie<'a>(given: &'a Opsgenie, settings: &mut Settings<'a>) {
    settings.secret("apiKey", "apiKey", Some(&given.api_key));
    // Some releases insist on it.
    settings.set("apiUrl", Some(given.api_url.as_deref().unwrap_or(OPSGENIE)));
    settings.set("message", given.message.as_ref());
    settings.text(
        "description",
        "description",
        given.description.as_ref(),
        given.description_from.as_ref(),
    );
    settings.set("autoClose", given.auto_close);
    settings.set("overridePriority", given.override_priority);
    settings.set("sendTagsAs", given.send_tags_as);
    let responders = &given.responders;
    settings.set("responders", (!responders.is_empty()).then_some(responders));
}

pub(super) fn victorops<'a>(given: &'a VictorOps, settings: &mut Settings<'a>) {
    settings.url("url", "url", Some(&given.url));
    settings.set("messageType", given.message_type.as_ref());
    settings.set("title", given.title.as_ref());
    settings.text(
        "description",
        "description",
        given.description.as_ref(),
        given.description_from.as_ref(),
    );
}

/// Opsgenie's API.
const OPSGENIE: &str = "https://api.opsgenie.com/v2/alerts";
