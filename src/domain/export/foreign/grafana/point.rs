//! One contact point. Values never get into what is said of it: they may be secret.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::super::alertmanager::{has_user, is_nothing, list, says_user, text};
use super::super::world::{Hidden, World};
use super::variables::Variables;
use crate::api::reference::SecretKeyRef;
use crate::grafana::model::{Integration, REDACTED};

/// One integration as it is written.
pub(super) struct Given<'a>(pub(super) &'a Value);

/// What names of settings end in, in small letters, whose values are secret.
const ENDINGS: [&str; 7] = [
    "token",
    "secret",
    "password",
    "credentials",
    "apikey",
    "key",
    "privatekey",
];

/// Settings that end so, and say no secret.
const OPEN: [&str; 2] = ["dedup_key_field", "responderskey"];

/// Types whose address is no secret.
const WITH_OPEN_URL: [&str; 3] = ["pagerduty", "prometheus-alertmanager", "jira"];

/// What it becomes.
#[derive(Default)]
pub(super) struct Made {
    pub(super) integrations: Vec<Integration>,
    pub(super) lost: Vec<String>,
    pub(super) remarks: Vec<String>,
}

impl<'a> Given<'a> {
    pub(super) fn of(value: &'a Value) -> Self {
        Self(value)
    }
}

pub(super) fn contact_point(
    called: &str,
    given: &[Given<'_>],
    variables: &Variables,
    world: &mut World,
) -> Made {
    let mut made = Made::default();
    // Texts that are secret: their variables are told with them.
    let mut told = BTreeSet::new();
    for (nth, Given(given)) in given.iter().enumerate() {
        let type_ = given.get("type").map(text).unwrap_or_default();
        let uid = format!("{called}/{nth}");
        let mut settings = given
            .get("settings")
            .and_then(Value::as_object)
            .cloned()
            .unwrap_or_default();
        for (field, value) in given
            .get("secureSettings")
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
        {
            settings.insert(field.clone(), REDACTED.into());
            told.insert(text(value));
            world.hide(&uid, field, hidden(value, field, variables, &mut made));
        }
        for field in with_user(&mut settings) {
            made.lost.push(format!(
                "{field}: an address in it says who asks, and only a setting by itself can be in a Secret"
            ));
        }
        let mut found = Vec::new();
        secrets("", &type_, &settings, &mut found);
        let mut integration = Integration {
            uid: uid.clone(),
            r#type: type_,
            settings: std::mem::take(&mut settings),
            disable_resolve_message: given
                .get("disableResolveMessage")
                .and_then(Value::as_bool)
                .unwrap_or_default(),
            provenance: None,
        };
        for (field, value) in found {
            integration.hide(&field);
            told.insert(text(&value));
            world.hide(&uid, &field, hidden(&value, &field, variables, &mut made));
        }
        for from in list(given, "valuesFrom") {
            let field = from.get("targetPath").map(text).unwrap_or_default();
            let part = |name: &str| Some(text(from.pointer(&format!("/valueFrom/secretKeyRef/{name}"))?));
            match (part("name"), part("key")) {
                (Some(name), Some(key)) => {
                    integration.hide(&field);
                    world.hide(&uid, &field, Hidden::Reference(SecretKeyRef { name, key }));
                }
                _ => made.lost.push(format!(
                    "valuesFrom of {field}: only keys of Secrets are referred to"
                )),
            }
        }
        made.integrations.push(integration);
    }
    made.lost.extend(variables.told_but(&told));
    made
}

/// Takes out what has an address with credentials within a list, and says what that was.
fn with_user(settings: &mut Map<String, Value>) -> Vec<String> {
    let of: Vec<String> = settings
        .iter()
        .filter(|(_, value)| has_user_in_list(value))
        .map(|(field, _)| field.clone())
        .collect();
    settings.retain(|field, _| !of.contains(field));
    of
}

fn has_user_in_list(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.iter().any(says_user),
        Value::Object(fields) => fields.values().any(has_user_in_list),
        _ => false,
    }
}

/// Settings that are to be hidden, with their values.
fn secrets(above: &str, type_: &str, settings: &Map<String, Value>, found: &mut Vec<(String, Value)>) {
    for (name, value) in settings.iter().filter(|(_, value)| !is_nothing(value)) {
        let path = format!("{above}{name}");
        match value {
            Value::Object(inner) => secrets(&format!("{path}."), type_, inner, found),
            value if is_secret(&path, type_, value) => found.push((path, value.clone())),
            _ => {}
        }
    }
}

fn is_secret(path: &str, type_: &str, value: &Value) -> bool {
    let name = path.rsplit('.').next().unwrap_or(path).to_lowercase();
    let Value::String(value) = value else {
        return false;
    };
    if value == REDACTED || has_user(value) {
        return true;
    }
    if name == "url" {
        return !WITH_OPEN_URL.contains(&type_) || value.contains('@');
    }
    // A header may be anything.
    let is_header = path.starts_with("headers.") && ["auth", "cookie"].iter().any(|part| name.contains(part));
    is_header || !OPEN.contains(&name.as_str()) && ENDINGS.iter().any(|ending| name.ends_with(ending))
}

/// What is known of a secret: Grafana's exports don't say it, and files may name where it is.
fn hidden(value: &Value, field: &str, variables: &Variables, made: &mut Made) -> Hidden {
    let value = text(value);
    if value == REDACTED {
        return Hidden::Nowhere;
    }
    if variables.are_in(&value) {
        made.remarks.push(format!(
            "{field} is a variable of Grafana's, or has one: what it stands for belongs into the Secret"
        ));
        return Hidden::Nowhere;
    }
    Hidden::Value(value)
}
