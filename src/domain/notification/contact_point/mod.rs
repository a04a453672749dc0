//! ContactPoint → the integrations that Grafana should hold.

pub mod decision;
mod fill;
mod secret;
mod settings;
mod text;

use std::collections::{BTreeSet, HashMap};

use crate::api::condition::Reason;
use crate::api::contact_point::ContactPointSpec;
use crate::api::reference::{ConfigMapKeyRef, SecretKeyRef};
use crate::domain::ownership::Owner;
use crate::domain::refusal::Refusal;
use crate::domain::version::{self, Version};
use crate::grafana::model;
use fill::type_of;
use settings::Settings;

pub use settings::{Secrets, Values};

/// One integration as it should be, with the names of the settings that came from Secrets.
#[derive(Clone, PartialEq)]
pub struct Integration {
    /// As it is sent.
    pub sent: model::Integration,
    /// Settings that hold secrets; a dot leads into an object.
    pub secret_fields: Vec<String>,
}

/// The name in Grafana: `spec.name`, or the resource's name.
pub fn name<'a>(spec: &'a ContactPointSpec, name: &'a str) -> &'a str {
    spec.name.as_deref().unwrap_or(name)
}

/// Every key of a Secret, and of a ConfigMap, that the contact point refers to.
pub fn references(spec: &ContactPointSpec) -> (BTreeSet<&SecretKeyRef>, BTreeSet<&ConfigMapKeyRef>) {
    let (mut secrets, mut texts) = (BTreeSet::new(), BTreeSet::new());
    for integration in &spec.integrations {
        let mut settings = Settings::new(None, "");
        fill::fill(integration, &mut settings);
        secrets.extend(settings.secrets);
        texts.extend(settings.texts);
    }
    (secrets, texts)
}

/// What a person should know: a secret that stands in the clear, a text that Grafana can't read.
pub fn warnings(spec: &ContactPointSpec) -> Vec<String> {
    let mut warnings = secrets_in_the_clear(spec);
    warnings.extend(unknown_words(spec));
    warnings
}

/// The secrets that stand in the clear.
pub fn secrets_in_the_clear(spec: &ContactPointSpec) -> Vec<String> {
    secret::warnings(spec)
}

/// What texts say that notifications don't have.
pub fn unknown_words(spec: &ContactPointSpec) -> Vec<String> {
    text::warnings(spec)
}

/// The templates that the texts of a specification call.
pub fn templates_called_in(spec: &ContactPointSpec) -> BTreeSet<String> {
    text::called_in(spec)
}

/// The templates that the texts of an integration in Grafana call.
pub fn templates_called_by(integration: &model::Integration) -> BTreeSet<String> {
    text::called_by(integration)
}

/// Works out the integrations that Grafana should hold. Every reference must be in `values`.
pub fn integrations(
    spec: &ContactPointSpec,
    owner: &Owner,
    namespace: &str,
    resource: &str,
    values: &Values,
) -> Result<Vec<Integration>, Refusal> {
    let mut ordinals: HashMap<&str, usize> = HashMap::new();
    let mut integrations = Vec::with_capacity(spec.integrations.len());
    for (i, integration) in spec.integrations.iter().enumerate() {
        let type_ = type_of(integration);
        let mut settings = Settings::new(Some(values), fill::field_of(integration));
        fill::fill(integration, &mut settings);
        let (settings, secret_fields) = text::check(integration)
            .and_then(|()| settings.finish())
            .map_err(|refusal| of_integration(i, refusal))?;
        let ordinal = ordinals.entry(type_).or_default();
        integrations.push(Integration {
            sent: model::Integration {
                uid: owner.integration_uid(namespace, resource, type_, *ordinal),
                r#type: type_.to_owned(),
                settings,
                disable_resolve_message: integration.disable_resolve_message.unwrap_or(false),
                provenance: None,
            },
            secret_fields,
        });
        *ordinal += 1;
    }
    Ok(integrations)
}

/// Refuses a type or a field that this Grafana doesn't know: it would say nothing of a field, and do nothing with it.
pub fn refuse_what_is_too_new(spec: &ContactPointSpec, version: Version) -> Result<(), Refusal> {
    let missing = || {
        version::CONTACT_POINT_FIELDS
            .iter()
            .filter(|(_, since)| version < *since)
    };
    if missing().next().is_none() {
        return Ok(());
    }
    let mut fields = Vec::new();
    for (i, integration) in spec.integrations.iter().enumerate() {
        // A specification always serialises, into what the resource says.
        let written = serde_json::to_value(integration).unwrap_or_default();
        let is_used = |field: &str| {
            written
                .pointer(&format!("/{}", field.replace('.', "/")))
                .is_some()
        };
        let used = missing().filter(|(field, _)| is_used(field));
        fields.extend(used.map(|(field, since)| (format!("spec.integrations[{i}].{field}"), *since)));
    }
    match version::too_new(&fields, version) {
        None => Ok(()),
        Some(message) => Err(Refusal::new(Reason::Unsupported, message)),
    }
}

fn of_integration(i: usize, refusal: Refusal) -> Refusal {
    refusal.at(&format!("spec.integrations[{i}]."))
}

#[cfg(test)]
#[path = "contact_point_tests.rs"]
mod tests;
