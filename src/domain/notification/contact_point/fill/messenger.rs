//! Messages to people.

use crate::api::contact_point::{DingDing, Line, Pushover, Threema, WeCom};
use crate::domain::notification::contact_point::settings::Settings;

pub(super) fn dingding<'a>(given: &'a DingDing, settings: &mut Settings<'a>) {
    settings.url("url", "url", Some(&given.url));
    settings.set("msgType", given.message_type);
    settings.set("title", given.title.as_ref());
    settings.text(
        "message",
        "message",
        given.message.as_ref(),
        given.message_from.as_ref(),
    );
}

pub(super) fn line<'a>(given: &'a Line, settings: &mut Settings<'a>) {
    settings.secret("token", "token", Some(&given.token));
    settings.set("title", given.title.as_ref());
    settings.text(
        "description",
        "description",
        given.description.as_ref(),
        given.description_from.as_ref(),
    );
}

pub(super) fn pushover<'a>(given: &'a Pushover, settings: &mut Settings<'a>) {
    settings.secret("apiToken", "apiToken", Some(&given.api_token));
    settings.secret("userKey", "userKey", Some(&given.user_key));
    settings.set("device", given.device.as_ref());
    settings.set("priority", given.priority.map(|n| n.to_string()));
    settings.set("okPriority", given.ok_priority.map(|n| n.to_string()));
    settings.set("retry", given.retry.map(|n| n.to_string()));
    settings.set("expire", given.expire.map(|n| n.to_string()));
    settings.set("sound", given.sound.as_ref());
    settings.set("okSound", given.ok_sound.as_ref());
    settings.set("uploadImage", given.upload_image);
    settings.set("title", given.title.as_ref());
    settings.text(
        "message",
        "message",
        given.message.as_ref(),
        given.message_from.as_ref(),
    );
}

pub(super) fn threema<'a>(given: &'a Threema, settings: &mut Settings<'a>) {
    settings.set("gateway_id", Some(&given.gateway_id));
    settings.set("recipient_id", Some(&given.recipient_id));
    settings.secret("apiSecret", "api_secret", Some(&given.api_secret));
    settings.set("title", given.title.as_ref());
    settings.text(
        "description",
        "description",
        given.description.as_ref(),
        given.description_from.as_ref(),
    );
}

pub(super) fn wecom<'a>(given: &'a WeCom, settings: &mut Settings<'a>) {
    settings.url("url", "url", given.url.as_ref());
    settings.secret("secret", "secret", given.secret.as_ref());
    settings.set("agent_id", given.agent_id.as_ref());
    settings.set("corp_id", given.corp_id.as_ref());
    settings.set("msgtype", given.message_type);
    settings.set("touser", given.to_user.as_ref());
    settings.set("title", given.title.as_ref());
    settings.text(
        "message",
        "message",
        given.message.as_ref(),
        given.message_from.as_ref(),
    );
}
