//! Slack.

use crate::api::contact_point::Slack;
use crate::domain::notification::contact_point::settings::Settings;

pub(super) fn slack<'a>(given: &'a Slack, settings: &mut Settings<'a>) {
    settings.url("url", "url", given.url.as_ref());
    settings.secret("token", "token", given.token.as_ref());
    settings.set("recipient", given.recipient.as_ref());
    settings.set("username", given.username.as_ref());
    settings.set("icon_emoji", given.icon_emoji.as_ref());
    settings.set("icon_url", given.icon_url.as_ref());
    settings.set("mentionUsers", given.mention_users.as_ref());
    settings.set("mentionGroups", given.mention_groups.as_ref());
    settings.set("mentionChannel", given.mention_channel);
    settings.set("endpointUrl", given.endpoint_url.as_ref());
    settings.set("color", given.color.as_ref());
    settings.set("title", given.title.as_ref());
    settings.text("text", "text", given.text.as_ref(), given.text_from.as_ref());
    settings.set("footer", given.footer.as_ref());
}
