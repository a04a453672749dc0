//! Rooms to talk in.

use crate::api::contact_point::{Discord, GoogleChat, Teams, Telegram, Webex};
use crate::domain::notification::contact_point::settings::Settings;

pub(super) fn discord<'a>(given: &'a Discord, settings: &mut Settings<'a>) {
    settings.url("url", "url", Some(&given.url));
    settings.set("title", given.title.as_ref());
    settings.text(
        "message",
        "message",
        given.message.as_ref(),
        given.message_from.as_ref(),
    );
    settings.set("avatar_url", given.avatar_url.as_ref());
    settings.set("use_discord_username", given.use_discord_username);
    settings.set("use_embed_description", given.use_embed_description);
}

pub(super) fn google_chat<'a>(given: &'a GoogleChat, settings: &mut Settings<'a>) {
    settings.url("url", "url", Some(&given.url));
    settings.set("title", given.title.as_ref());
    settings.text(
        "message",
        "message",
        given.message.as_ref(),
        given.message_from.as_ref(),
    );
    settings.set("hide_open_button", given.hide_open_button);
    settings.set("hide_version_info", given.hide_version_info);
}

pub(super) fn teams<'a>(given: &'a Teams, settings: &mut Settings<'a>) {
    settings.url("url", "url", Some(&given.url));
    settings.set("title", given.title.as_ref());
    settings.set("sectiontitle", given.section_title.as_ref());
    settings.text(
        "message",
        "message",
        given.message.as_ref(),
        given.message_from.as_ref(),
    );
}

pub(super) fn telegram<'a>(given: &'a Telegram, settings: &mut Settings<'a>) {
    settings.secret("botToken", "bottoken", Some(&given.bot_token));
    settings.set("chatid", Some(&given.chat_id));
    settings.set("message_thread_id", given.message_thread_id.as_ref());
    settings.text(
        "message",
        "message",
        given.message.as_ref(),
        given.message_from.as_ref(),
    );
    settings.set("parse_mode", given.parse_mode);
    settings.set("disable_web_page_preview", given.disable_web_page_preview);
    settings.set("protect_content", given.protect_content);
    settings.set("disable_notifications", given.disable_notifications);
}

pub(super) fn webex<'a>(given: &'a Webex, settings: &mut Settings<'a>) {
    settings.secret("botToken", "bot_token", Some(&given.bot_token));
    settings.set("room_id", Some(&given.room_id));
    settings.set("api_url", given.api_url.as_ref());
    settings.text(
        "message",
        "message",
        given.message.as_ref(),
        given.message_from.as_ref(),
    );
}
