//! ContactPoint → the integrations that Grafana should hold.

pub mod decision;
mod pagerduty;
mod secret;
mod settings;
mod text;

use std::collections::{BTreeSet, HashMap};

use serde_json::Value;

use crate::api::contact_point::{
    ContactPointSpec, Custom, Discord, Email, Integration as IntegrationSpec, Slack, Webhook,
};
use crate::api::reference::{SecretKeyRef, SecretSource, ValueSource};
use crate::api::schema::FREE_FORM_LEVELS;
use crate::domain::ownership::Owner;
use crate::domain::refusal::Refusal;
use crate::grafana::model::{self, REDACTED};
use settings::Settings;

pub use settings::Secrets;

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

/// Every Secret and key that the contact point refers to.
pub fn secret_refs(spec: &ContactPointSpec) -> BTreeSet<&SecretKeyRef> {
    spec.integrations.iter().flat_map(integration_refs).collect()
}

fn integration_refs(integration: &IntegrationSpec) -> Vec<&SecretKeyRef> {
    fn of(source: Option<&SecretSource>) -> Option<&SecretKeyRef> {
        source.map(|source| &source.secret_key_ref)
    }
    fn maybe(source: Option<&ValueSource>) -> Option<&SecretKeyRef> {
        source.and_then(|source| source.secret_key_ref.as_ref())
    }
    let mut refs = Vec::new();
    if let Some(slack) = &integration.slack {
        refs.extend(maybe(slack.url.as_ref()));
        refs.extend(of(slack.token.as_ref()));
    }
    refs.extend(
        integration
            .discord
            .as_ref()
            .and_then(|discord| maybe(Some(&discord.url))),
    );
    refs.extend(
        integration
            .pagerduty
            .as_ref()
            .map(|pagerduty| &pagerduty.integration_key.secret_key_ref),
    );
    if let Some(webhook) = &integration.webhook {
        refs.extend(maybe(Some(&webhook.url)));
        refs.extend(of(webhook.password.as_ref()));
        refs.extend(of(webhook.authorization_credentials.as_ref()));
    }
    if let Some(custom) = &integration.custom {
        refs.extend(
            custom
                .secure_settings
                .values()
                .map(|source| &source.secret_key_ref),
        );
    }
    refs
}

/// What a person should know: a secret that stands in the clear, a text that Grafana can't read.
pub fn warnings(spec: &ContactPointSpec) -> Vec<String> {
    let mut warnings = secret::warnings(spec);
    warnings.extend(text::warnings(spec));
    warnings
}

/// Works out the integrations that Grafana should hold. Every reference must be in `secrets`.
pub fn integrations(
    spec: &ContactPointSpec,
    owner: &Owner,
    namespace: &str,
    resource: &str,
    secrets: &Secrets,
) -> Result<Vec<Integration>, Refusal> {
    let mut ordinals: HashMap<&str, usize> = HashMap::new();
    let mut integrations = Vec::with_capacity(spec.integrations.len());
    for (i, integration) in spec.integrations.iter().enumerate() {
        let type_ = type_of(integration);
        let mut settings = Settings::new(secrets, integration.custom.is_none().then_some(type_));
        text::check(integration)
            .and_then(|()| fill(integration, &mut settings))
            .map_err(|r| Refusal::new(r.reason, format!("spec.integrations[{i}].{}", r.message)))?;
        let ordinal = ordinals.entry(type_).or_default();
        integrations.push(Integration {
            sent: model::Integration {
                uid: owner.integration_uid(namespace, resource, type_, *ordinal),
                r#type: type_.to_owned(),
                settings: settings.values,
                disable_resolve_message: integration.disable_resolve_message.unwrap_or(false),
                provenance: None,
            },
            secret_fields: settings.secret_fields,
        });
        *ordinal += 1;
    }
    Ok(integrations)
}

/// The integration's type as Grafana calls it; empty where the integration has none, which the schema refuses.
pub(super) fn type_of(integration: &IntegrationSpec) -> &str {
    match integration {
        IntegrationSpec { email: Some(_), .. } => "email",
        IntegrationSpec { slack: Some(_), .. } => "slack",
        IntegrationSpec { discord: Some(_), .. } => "discord",
        IntegrationSpec {
            pagerduty: Some(_), ..
        } => "pagerduty",
        IntegrationSpec { webhook: Some(_), .. } => "webhook",
        IntegrationSpec {
            custom: Some(custom), ..
        } => &custom.type_,
        _ => "",
    }
}

fn fill(integration: &IntegrationSpec, settings: &mut Settings<'_>) -> Result<(), Refusal> {
    match integration {
        IntegrationSpec {
            email: Some(email), ..
        } => {
            fill_email(email, settings);
            Ok(())
        }
        IntegrationSpec {
            slack: Some(slack), ..
        } => fill_slack(slack, settings),
        IntegrationSpec {
            discord: Some(discord),
            ..
        } => fill_discord(discord, settings),
        IntegrationSpec {
            pagerduty: Some(pagerduty),
            ..
        } => pagerduty::fill(pagerduty, settings),
        IntegrationSpec {
            webhook: Some(webhook),
            ..
        } => fill_webhook(webhook, settings),
        IntegrationSpec {
            custom: Some(custom), ..
        } => fill_custom(custom, settings),
        _ => Err(Refusal::invalid("", "give exactly one type")),
    }
}

fn fill_email(email: &Email, settings: &mut Settings<'_>) {
    settings.set("addresses", Some(email.addresses.join(";")));
    settings.set("singleEmail", Some(email.single_email.unwrap_or(false)));
    settings.set("subject", email.subject.as_ref());
    settings.set("message", email.message.as_ref());
}

fn fill_slack(slack: &Slack, settings: &mut Settings<'_>) -> Result<(), Refusal> {
    settings.url("url", slack.url.as_ref())?;
    settings.secret("token", slack.token.as_ref())?;
    settings.set("recipient", slack.recipient.as_ref());
    settings.set("username", slack.username.as_ref());
    settings.set("icon_emoji", slack.icon_emoji.as_ref());
    settings.set("icon_url", slack.icon_url.as_ref());
    settings.set("mentionUsers", slack.mention_users.as_ref());
    settings.set("mentionGroups", slack.mention_groups.as_ref());
    settings.set("mentionChannel", slack.mention_channel);
    settings.set("endpointUrl", slack.endpoint_url.as_ref());
    settings.set("title", slack.title.as_ref());
    settings.set("text", slack.text.as_ref());
    Ok(())
}

fn fill_discord(discord: &Discord, settings: &mut Settings<'_>) -> Result<(), Refusal> {
    settings.url("url", Some(&discord.url))?;
    settings.set("title", discord.title.as_ref());
    settings.set("message", discord.message.as_ref());
    settings.set("avatar_url", discord.avatar_url.as_ref());
    settings.set("use_discord_username", discord.use_discord_username);
    Ok(())
}

fn fill_webhook(webhook: &Webhook, settings: &mut Settings<'_>) -> Result<(), Refusal> {
    settings.url("url", Some(&webhook.url))?;
    settings.set("httpMethod", webhook.http_method);
    settings.set("username", webhook.username.as_ref());
    settings.secret("password", webhook.password.as_ref())?;
    settings.set("authorization_scheme", webhook.authorization_scheme.as_ref());
    settings.secret(
        "authorization_credentials",
        webhook.authorization_credentials.as_ref(),
    )?;
    settings.set("maxAlerts", webhook.max_alerts.map(|n| n.to_string()));
    settings.set("title", webhook.title.as_ref());
    settings.set("message", webhook.message.as_ref());
    Ok(())
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

fn fill_custom(custom: &Custom, settings: &mut Settings<'_>) -> Result<(), Refusal> {
    match &custom.settings {
        None => {}
        Some(all @ Value::Object(fields)) => {
            Refusal::if_deep("custom.settings", all)?;
            if let Some(path) = redacted(all) {
                return Err(Refusal::invalid(
                    &format!("custom.settings{path}"),
                    format!(
                        "{REDACTED} is what Grafana shows in place of a secret; take the secret from a Secret by secureSettings"
                    ),
                ));
            }
            settings.values.clone_from(fields);
        }
        Some(_) => return Err(Refusal::invalid("custom.settings", "must be an object")),
    }
    if let Some(path) = secret::given_twice(custom) {
        return Err(Refusal::invalid(
            &format!("custom.secureSettings[{path}]"),
            "is given in custom.settings too; take it out there, since what is secret stands in secureSettings alone",
        ));
    }
    for (path, source) in &custom.secure_settings {
        // Each dot leads one level deeper.
        if path.split('.').count() > FREE_FORM_LEVELS {
            return Err(Refusal::invalid(
                &format!("custom.secureSettings[{path}]"),
                format!("leads more than {FREE_FORM_LEVELS} levels deep; write it flatter"),
            ));
        }
        settings.secret(path, Some(source))?;
    }
    Ok(())
}

#[cfg(test)]
#[path = "contact_point_tests.rs"]
mod tests;
