//! The texts of integrations, under the names that the resource has for them: templates of notifications, most of them.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::api::ContactPointSpec;
use crate::api::contact_point::Integration;
use crate::domain::refusal::Refusal;
use crate::domain::rule::template;
use crate::grafana::model;

/// Fails with the name of a field whose template nothing closes: Grafana would find out with the first alert, and send none. What
/// comes from Secrets is not looked at.
pub(super) fn check(integration: &Integration) -> Result<(), Refusal> {
    for (field, text) in texts(integration) {
        template::check(&text).map_err(|e| Refusal::invalid(&field, e))?;
    }
    Ok(())
}

/// What a person should know: texts that are written as for a rule, which has other variables and functions than a notification.
pub(super) fn warnings(spec: &ContactPointSpec) -> Vec<String> {
    let all = spec.integrations.iter().enumerate();
    all.flat_map(|(i, integration)| {
        let all = texts(integration).into_iter();
        all.flat_map(move |(field, text)| {
            let unknown = template::unknown_to_notifications(&text).into_iter();
            unknown.map(move |unknown| format!("spec.integrations[{i}].{field}: {unknown}"))
        })
    })
    .collect()
}

/// The templates that the texts of an integration call, in its specification or in what Grafana shows of it.
fn called(integration: Value) -> BTreeSet<String> {
    let all = texts_in(integration).into_iter();
    all.flat_map(|(_, text)| {
        template::calls(&text)
            .into_iter()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    })
    .collect()
}

/// The templates that the texts of a specification call. What comes from elsewhere is not looked at.
pub(super) fn called_in(spec: &ContactPointSpec) -> BTreeSet<String> {
    let all = spec.integrations.iter();
    // A specification always serialises, into what the resource says.
    all.flat_map(|integration| called(serde_json::to_value(integration).unwrap_or_default()))
        .collect()
}

/// The templates that the settings of an integration in Grafana call. What Grafana hides is not seen.
pub(super) fn called_by(integration: &model::Integration) -> BTreeSet<String> {
    called(Value::Object(integration.settings.clone()))
}

/// Each text that holds an action of a template, behind its field.
fn texts(integration: &Integration) -> Vec<(String, String)> {
    // A specification always serialises, into what the resource says.
    texts_in(serde_json::to_value(integration).unwrap_or_default())
}

fn texts_in(integration: Value) -> Vec<(String, String)> {
    fn walk(value: Value, at: String, found: &mut Vec<(String, String)>) {
        match value {
            Value::String(text) if text.contains("{{") => found.push((at, text)),
            Value::Object(fields) => {
                for (key, value) in fields {
                    let dot = if at.is_empty() { "" } else { "." };
                    walk(value, format!("{at}{dot}{key}"), found);
                }
            }
            Value::Array(items) => {
                for (i, item) in items.into_iter().enumerate() {
                    walk(item, format!("{at}[{i}]"), found);
                }
            }
            _ => {}
        }
    }
    let mut found = Vec::new();
    walk(integration, String::new(), &mut found);
    found
}

#[cfg(test)]
mod tests {
    use serde_json::{from_value, json};

    use super::*;

    fn told(integration: &Value) -> Vec<String> {
        let spec = json!({"integrations": [{"email": {"addresses": ["a@example.com"]}}, integration]});
        let spec: ContactPointSpec = from_value(spec).unwrap();
        warnings(&spec)
    }

    #[test]
    fn the_templates_that_texts_call_are_found_wherever_a_text_is() {
        let spec = json!({"integrations": [
            {"slack": {"url": {"value": "https://x"}, "text": "{{ template \"text\" . }}", "title": "{{ .Status }} template \"none\""}},
            {"webhook": {"url": {"value": "https://x"}, "payload": {"template": "{{ tmpl.Exec `payload` . | data.ToJSON }}"}}},
            {"custom": {"type": "new", "settings": {"deep": [{"er": "{{- template \"deep\" . -}}"}]}}},
        ]});
        let spec: ContactPointSpec = from_value(spec).unwrap();
        let names = |names: &[&str]| {
            names
                .iter()
                .map(|name| (*name).to_owned())
                .collect::<BTreeSet<_>>()
        };
        assert_eq!(called_in(&spec), names(&["deep", "payload", "text"]));
        let settings = json!({"message": "{{ template \"text\" . }}", "url": "[REDACTED]"});
        let integration = model::Integration {
            settings: settings.as_object().cloned().unwrap(),
            ..model::Integration::default()
        };
        assert_eq!(called_by(&integration), names(&["text"]));
    }

    #[test]
    fn a_text_that_is_written_as_for_a_rule_is_told() {
        for (integration, field, word) in [
            (
                json!({"slack": {"url": {"value": "https://x"}, "text": "{{ $value }} is high"}}),
                "slack.text",
                "no variable $value",
            ),
            (
                json!({"slack": {"url": {"value": "https://x"}, "title": "{{ range .Alerts }}{{ $labels.host }}{{ end }}"}}),
                "slack.title",
                "no variable $labels",
            ),
            (
                json!({"pagerduty": {"integrationKey": {"secretKeyRef": {"name": "s", "key": "k"}}, "details": {"load": "{{ humanize .Values.B }}"}}}),
                "pagerduty.details.load",
                "no function humanize",
            ),
            (
                json!({"custom": {"type": "webhook", "settings": {"payload": {"template": "{{ query \"up\" }}"}}}}),
                "custom.settings.payload.template",
                "no function query",
            ),
            (
                json!({"slack": {"url": {"value": "https://x"}, "text": "{{ .Status }}\n {{ upper .Status }} {{ upper 1 }}"}}),
                "slack.text",
                "line 2, column 5: notifications have no function upper",
            ),
        ] {
            let told = told(&integration);
            assert_eq!(told.len(), 1, "{told:?}");
            let start = format!("spec.integrations[1].{field}: ");
            assert!(told[0].starts_with(&start), "{told:?}");
            assert!(told[0].contains(word), "{told:?}");
        }
    }

    #[test]
    fn what_notifications_have_or_may_have_is_not_told() {
        for text in [
            "{{ .CommonLabels.alertname }} {{ len .Alerts.Firing }}",
            "{{ range $i, $a := .Alerts }}{{ $i }}: {{ $a.Labels.host | toUpper }} {{ $.Status }}{{ end }}",
            "{{ $total := len .Alerts }}{{ $total }}",
            "{{ humanizeDuration (since .StartsAt) }} {{ tz \"Europe/Rome\" .StartsAt | date \"15:04\" }}",
            "{{ template \"team.title\" . }} {{ coll.Dict \"a\" 1 | data.ToJSON }} {{ time.Now }}",
            "{{ define \"x\" }}{{ $value := 1 }}{{ $value }}{{ end }}",
            "50 $value of nothing",
        ] {
            let slack = json!({"slack": {"url": {"value": "https://x"}, "text": text}});
            assert_eq!(told(&slack), Vec::<String>::new(), "{text}");
        }
    }
}
