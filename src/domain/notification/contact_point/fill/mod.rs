//! The settings of each type of integration, under Grafana's names.

mod chat;
mod custom;
mod email;
mod http;
mod messenger;
mod on_call;
mod other;
mod pagerduty;
mod queue;
mod slack;
mod webhook;

use super::settings::Settings;
use crate::api::contact_point::Integration as I;
use crate::domain::refusal::Refusal;

/// The integration's type as Grafana calls it; empty where the integration has none, which the schema refuses.
pub(super) fn type_of(integration: &I) -> &str {
    match integration {
        I {
            alertmanager: Some(_),
            ..
        } => "prometheus-alertmanager",
        I {
            dingding: Some(_), ..
        } => "dingding",
        I { discord: Some(_), .. } => "discord",
        I { email: Some(_), .. } => "email",
        I {
            googlechat: Some(_), ..
        } => "googlechat",
        I { jira: Some(_), .. } => "jira",
        I { kafka: Some(_), .. } => "kafka",
        I { line: Some(_), .. } => "LINE",
        I { mqtt: Some(_), .. } => "mqtt",
        I { oncall: Some(_), .. } => "oncall",
        I {
            opsgenie: Some(_), ..
        } => "opsgenie",
        I {
            pagerduty: Some(_), ..
        } => "pagerduty",
        I {
            pushover: Some(_), ..
        } => "pushover",
        I { sensugo: Some(_), .. } => "sensugo",
        I { slack: Some(_), .. } => "slack",
        I { sns: Some(_), .. } => "sns",
        I { teams: Some(_), .. } => "teams",
        I {
            telegram: Some(_), ..
        } => "telegram",
        I { threema: Some(_), .. } => "threema",
        I {
            victorops: Some(_), ..
        } => "victorops",
        I { webex: Some(_), .. } => "webex",
        I { webhook: Some(_), .. } => "webhook",
        I { wecom: Some(_), .. } => "wecom",
        I {
            custom: Some(custom), ..
        } => &custom.type_,
        _ => "",
    }
}

/// What the resource calls the type.
pub(super) fn field_of(integration: &I) -> &str {
    match integration {
        I { custom: Some(_), .. } => "custom",
        I {
            alertmanager: Some(_),
            ..
        } => "alertmanager",
        I { line: Some(_), .. } => "line",
        other => type_of(other),
    }
}

/// Puts together the settings of an integration, and notes what they refer to.
pub(super) fn fill<'a>(integration: &'a I, settings: &mut Settings<'a>) {
    match integration {
        I {
            alertmanager: Some(given),
            ..
        } => other::alertmanager(given, settings),
        I {
            dingding: Some(given),
            ..
        } => messenger::dingding(given, settings),
        I {
            discord: Some(given), ..
        } => chat::discord(given, settings),
        I {
            email: Some(given), ..
        } => email::email(given, settings),
        I {
            googlechat: Some(given),
            ..
        } => chat::google_chat(given, settings),
        I {
            jira: Some(given), ..
        } => other::jira(given, settings),
        I {
            kafka: Some(given), ..
        } => queue::kafka(given, settings),
        I {
            line: Some(given), ..
        } => messenger::line(given, settings),
        I {
            mqtt: Some(given), ..
        } => queue::mqtt(given, settings),
        I {
            oncall: Some(given), ..
        } => on_call::oncall(given, settings),
        I {
            opsgenie: Some(given),
            ..
        } => on_call::opsgenie(given, settings),
        I {
            pagerduty: Some(given),
            ..
        } => pagerduty::pagerduty(given, settings),
        I {
            pushover: Some(given),
            ..
        } => messenger::pushover(given, settings),
        I {
            sensugo: Some(given), ..
        } => other::sensugo(given, settings),
        I {
            slack: Some(given), ..
        } => slack::slack(given, settings),
        I { sns: Some(given), .. } => queue::sns(given, settings),
        I {
            teams: Some(given), ..
        } => chat::teams(given, settings),
        I {
            telegram: Some(given),
            ..
        } => chat::telegram(given, settings),
        I {
            threema: Some(given), ..
        } => messenger::threema(given, settings),
        I {
            victorops: Some(given),
            ..
        } => on_call::victorops(given, settings),
        I {
            webex: Some(given), ..
        } => chat::webex(given, settings),
        I {
            webhook: Some(given), ..
        } => webhook::webhook(given, settings),
        I {
            wecom: Some(given), ..
        } => messenger::wecom(given, settings),
        I {
            custom: Some(given), ..
        } => custom::custom(given, settings),
        _ => settings.refuse(Refusal::invalid("", "give exactly one type")),
    }
}

#[cfg(test)]
mod tests;
