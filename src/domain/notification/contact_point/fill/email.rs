//! E-mail.

use crate::api::contact_point::Email;
use crate::domain::notification::contact_point::settings::Settings;

pub(super) fn email<'a>(given: &'a Email, settings: &mut Settings<'a>) {
    settings.set("addresses", Some(given.addresses.join(";")));
    settings.set("singleEmail", Some(given.single_email.unwrap_or(false)));
    settings.set("subject", given.subject.as_ref());
    settings.text(
        "message",
        "message",
        given.message.as_ref(),
        given.message_from.as_ref(),
    );
}
