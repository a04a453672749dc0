//! Other systems that keep alerts or work.

use crate::api::contact_point::{Alertmanager, Jira, SensuGo};
use crate::domain::notification::contact_point::settings::Settings;
use crate::domain::refusal::Refusal;

pub(super) fn alertmanager<'a>(given: &'a Alertmanager, settings: &mut Settings<'a>) {
    settings.set("url", Some(given.urls.join(",")));
    settings.set("basicAuthUser", given.username.as_ref());
    settings.secret("password", "basicAuthPassword", given.password.as_ref());
}

pub(super) fn jira<'a>(given: &'a Jira, settings: &mut Settings<'a>) {
    settings.set("api_url", Some(&given.api_url));
    settings.secret("user", "user", given.user.as_ref());
    settings.secret("password", "password", given.password.as_ref());
    settings.secret("apiToken", "api_token", given.api_token.as_ref());
    settings.set("project", Some(&given.project));
    settings.set("issue_type", Some(&given.issue_type));
    settings.set("summary", given.summary.as_ref());
    settings.text(
        "description",
        "description",
        given.description.as_ref(),
        given.description_from.as_ref(),
    );
    settings.set("labels", (!given.labels.is_empty()).then_some(&given.labels));
    settings.set("priority", given.priority.as_ref());
    settings.set("resolve_transition", given.resolve_transition.as_ref());
    settings.set("reopen_transition", given.reopen_transition.as_ref());
    match given.reopen_duration.as_ref().map(|text| (text, text.checked())) {
        Some((text, Ok(_))) => settings.set("reopen_duration", Some(text)),
        Some((_, Err(error))) => settings.refuse(Refusal::invalid("jira.reopenDuration", error)),
        None => {}
    }
    settings.set("wont_fix_resolution", given.wont_fix_resolution.as_ref());
    settings.set("dedup_key_field", given.dedup_key_field.as_ref());
    settings.set("fields", (!given.fields.is_empty()).then_some(&given.fields));
}

pub(super) fn sensugo<'a>(given: &'a SensuGo, settings: &mut Settings<'a>) {
    settings.url("url", "url", Some(&given.url));
    settings.secret("apiKey", "apikey", Some(&given.api_key));
    settings.set("entity", given.entity.as_ref());
    settings.set("check", given.check.as_ref());
    settings.set("handler", given.handler.as_ref());
    settings.set("namespace", given.namespace.as_ref());
    settings.text(
        "message",
        "message",
        given.message.as_ref(),
        given.message_from.as_ref(),
    );
}
