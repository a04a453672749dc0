//! Any integration, under Grafana's own names.

use serde_json::Value;

use crate::api::contact_point::Custom;
use crate::api::schema::FREE_FORM_LEVELS;
use crate::domain::notification::contact_point::secret;
use crate::domain::notification::contact_point::settings::Settings;
use crate::domain::refusal::Refusal;
use crate::grafana::model::REDACTED;

pub(super) fn custom<'a>(custom: &'a Custom, settings: &mut Settings<'a>) {
    if let Err(refusal) = check(custom) {
        settings.refuse(refusal);
    }
    if let Some(Value::Object(fields)) = &custom.settings {
        settings.values.clone_from(fields);
    }
    for (path, source) in &custom.secure_settings {
        settings.secret(&format!("secureSettings[{path}]"), path, Some(source));
    }
}

fn check(custom: &Custom) -> Result<(), Refusal> {
    match &custom.settings {
        None => {}
        Some(all @ Value::Object(_)) => {
            Refusal::if_deep("custom.settings", all)?;
            if let Some(path) = redacted(all) {
                return Err(Refusal::invalid(
                    &format!("custom.settings{path}"),
                    format!(
                        "{REDACTED} is what Grafana shows in place of a secret; take the secret from a Secret by secureSettings"
                    ),
                ));
            }
        }
        Some(_) => return Err(Refusal::invalid("custom.settings", "must be an object")),
    }
    if let Some(path) = secret::given_twice(custom) {
        return Err(Refusal::invalid(
            &format!("custom.secureSettings[{path}]"),
            "is given in custom.settings too; take it out there, since what is secret stands in secureSettings alone",
        ));
    }
    // Each dot leads one level deeper.
    let mut paths = custom.secure_settings.keys();
    match paths.find(|path| path.split('.').count() > FREE_FORM_LEVELS) {
        Some(path) => Err(Refusal::invalid(
            &format!("custom.secureSettings[{path}]"),
            format!("leads more than {FREE_FORM_LEVELS} levels deep; write it flatter"),
        )),
        None => Ok(()),
    }
}

/// Where settings hold Grafana's mask in place of a secret, as an export from Grafana does.
fn redacted(settings: &Value) -> Option<String> {
    let within = |key: String, value| redacted(value).map(|rest| key + &rest);
    match settings {
        Value::String(text) if text.trim() == REDACTED => Some(String::new()),
        Value::Object(fields) => (fields.iter()).find_map(|(key, value)| within(format!(".{key}"), value)),
        Value::Array(items) => {
            (items.iter().enumerate()).find_map(|(i, item)| within(format!("[{i}]"), item))
        }
        _ => None,
    }
}
