//! A contact point → a ContactPoint, whose secrets are references to a Secret that somebody has to fill in.

use std::cell::RefCell;
use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::around::Around;
use super::fields;
use super::resource::{Resource, Spec};
use crate::api::ContactPointSpec;
use crate::api::contact_point::{Custom, Integration};
use crate::api::reference::{SecretKeyRef, SecretSource};
use crate::domain::notification::contact_point::decision::in_full;
use crate::domain::notification::contact_point::{self, Values};
use crate::grafana::digest::IntegrationDigest;
use crate::grafana::model::{self, ContactPoint};

/// What stands for any secret, also where a URL is expected.
const ANY_SECRET: &str = "https://secret.invalid/";

/// The longest key of a Secret.
const LONGEST_KEY: usize = 253;

/// What a Grafana begins with, until somebody changes it: `defaultAlertmanagerConfiguration` in `pkg/setting/setting_unified_alerting.go`.
const GRAFANAS_OWN: (&str, &str) = ("grafana-default-email", "<example@email.com>");

/// Whether nobody has made it. It is listed by the name of its integration, which has no uid. From 12.4 on a Grafana begins with one that has no integrations.
pub(super) fn is_grafanas_own(found: &ContactPoint) -> bool {
    let (name, addresses) = GRAFANAS_OWN;
    let is_own = |integration: &model::Integration| {
        integration.settings.get("addresses").and_then(Value::as_str) == Some(addresses)
    };
    match found.integrations.as_slice() {
        [] => true,
        [only] => (found.name == name || only.uid.is_empty()) && is_own(only),
        _ => false,
    }
}

/// The resource of a contact point, or why there can't be any.
pub(super) fn resource(found: &ContactPoint, name: &str, around: &Around<'_>) -> Result<Resource, String> {
    if found.uids().any(String::is_empty) {
        return Err("it has an integration without a uid, which no call can name".to_owned());
    }
    let secrets = RefCell::new(Vec::new());
    let mut customs = Vec::new();
    let mut integrations = Vec::new();
    for (integration, place) in found.integrations.iter().zip(places(found, name)) {
        let key = |field: &str| {
            let reference = SecretKeyRef {
                name: around.asked.secret.clone(),
                key: key(&place, field),
            };
            secrets.borrow_mut().push(reference.clone());
            reference
        };
        let typed = typed(integration, &key).filter(|typed| is_same(typed, integration, around));
        let typed = typed.filter(|typed| would_be_taken(typed, name, around));
        integrations.push(typed.unwrap_or_else(|| {
            customs.push(integration.r#type.clone());
            custom(integration, &key)
        }));
    }
    let mut secrets = secrets.into_inner();
    secrets.sort();
    secrets.dedup();
    let others = integrations.iter().zip(&found.integrations);
    let others = others.filter(|(own, found)| !is_same(own, found, around));
    let changes = others.map(|(_, found)| found.r#type.clone()).collect();
    let types: Vec<&str> = found.integrations.iter().map(|own| own.r#type.as_str()).collect();
    let resource = Resource {
        adopts: around.asked.adopts.then(|| "true".to_owned()),
        form: form(&types, &customs, secrets.len()),
        changes,
        secrets,
        ..Resource::new(
            Spec::ContactPoint(Box::new(spec(found, integrations, name, around))),
            name,
            around.asked.namespace.as_deref(),
            &found.name,
        )
    };
    resource.checked(&around.schemas)
}

/// What keys of Secrets begin with for each of its integrations.
fn places(found: &ContactPoint, name: &str) -> Vec<String> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let mut all = Vec::new();
    for integration in &found.integrations {
        let type_ = &integration.r#type;
        let nth = counts.entry(type_).or_default();
        *nth += 1;
        all.push(match *nth {
            1 => format!("{name}.{type_}"),
            nth => format!("{name}.{type_}-{nth}"),
        });
    }
    all
}

/// The keys of the Secret that holds what its integrations hide, each with the integration's uid and the field.
pub(super) fn keys(found: &ContactPoint, name: &str) -> Vec<(String, String, String)> {
    let integrations = found.integrations.iter().zip(places(found, name));
    let keys = integrations.flat_map(|(integration, place)| {
        let of = move |field: String| {
            let key = key(&place, &field);
            (integration.uid.clone(), field, key)
        };
        integration.redacted_fields().into_iter().map(of)
    });
    keys.collect()
}

fn spec(
    found: &ContactPoint,
    integrations: Vec<Integration>,
    name: &str,
    around: &Around<'_>,
) -> ContactPointSpec {
    ContactPointSpec {
        instance: around.asked.instance.clone(),
        name: Some(found.name.clone()).filter(|own| own != name),
        integrations,
        ..ContactPointSpec::default()
    }
}

fn form(types: &[&str], customs: &[String], secrets: usize) -> String {
    let mut form = types.join(", ");
    if !customs.is_empty() {
        form += "; custom: ";
        form += &customs.join(", ");
    }
    to_fill_in(&form, secrets)
}

/// What was made of it, with how many secrets there are to fill in, whatever was said of that.
pub(super) fn to_fill_in(form: &str, secrets: usize) -> String {
    let parts = form.split("; ").filter(|part| !part.ends_with(" to fill in"));
    let said = match secrets {
        0 => None,
        1 => Some("1 secret to fill in".to_owned()),
        many => Some(format!("{many} secrets to fill in")),
    };
    let all: Vec<String> = parts.map(str::to_owned).chain(said).collect();
    all.join("; ")
}

/// The key of a Secret for a field of an integration.
fn key(place: &str, field: &str) -> String {
    let may_be = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
    let key = format!("{place}.{field}").replace(|c| !may_be(c), "_");
    key.chars().take(LONGEST_KEY).collect()
}

/// An integration in the words that ContactPoints have for its type.
fn typed(found: &model::Integration, key: &dyn Fn(&str) -> SecretKeyRef) -> Option<Integration> {
    let secret = |field: &str| json!(key(field));
    let (called, settings) = fields::typed(&found.r#type, &found.settings, &secret)?;
    let typed: Integration = serde_json::from_value(json!({called: settings})).ok()?;
    Some(Integration {
        disable_resolve_message: found.disable_resolve_message.then_some(true),
        ..typed
    })
}

/// The same in Grafana's words, which is always possible.
fn custom(found: &model::Integration, key: &dyn Fn(&str) -> SecretKeyRef) -> Integration {
    let mut settings = found.settings.clone();
    let mut secure_settings = BTreeMap::new();
    for field in found.redacted_fields() {
        fields::remove(&mut settings, &field);
        let secret_key_ref = key(&field);
        secure_settings.insert(field, SecretSource { secret_key_ref });
    }
    Integration {
        disable_resolve_message: found.disable_resolve_message.then_some(true),
        custom: Some(Custom {
            type_: found.r#type.clone(),
            settings: (!settings.is_empty()).then_some(Value::Object(settings)),
            secure_settings,
        }),
        ..Integration::default()
    }
}

/// Whether it is the integration that was found, as a pass compares them.
fn is_same(own: &Integration, found: &model::Integration, around: &Around<'_>) -> bool {
    let spec = ContactPointSpec {
        integrations: vec![own.clone()],
        ..ContactPointSpec::default()
    };
    let (secrets, _) = contact_point::references(&spec);
    let secrets = secrets.into_iter().map(|at| (at.clone(), ANY_SECRET.to_owned()));
    let values = Values {
        secrets: secrets.collect(),
        ..Values::default()
    };
    let owner = around.owners.now();
    let wished = contact_point::integrations(&spec, owner, around.namespace(), "", &values);
    let Some(wished) = wished.ok().and_then(|all| all.into_iter().next()) else {
        return false;
    };
    let mut hidden = wished.secret_fields;
    hidden.extend(found.redacted_fields());
    let of = |integration| IntegrationDigest::of(&in_full(integration), &hidden);
    of(&wished.sent) == of(found)
}

/// Whether an API server would take it.
fn would_be_taken(own: &Integration, name: &str, around: &Around<'_>) -> bool {
    let spec = ContactPointSpec {
        integrations: vec![own.clone()],
        ..ContactPointSpec::default()
    };
    let resource = Resource::new(Spec::ContactPoint(Box::new(spec)), name, None, name);
    resource.refusal(&around.schemas).is_none()
}
