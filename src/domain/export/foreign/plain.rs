//! Plain texts of files that kubectl doesn't read: whoever reads them takes the text as it is written wherever a text belongs, `yes`, `1.10` and `0777` too.

use serde_json::Value;

use super::format::Format;

/// Fields of Alertmanager's configuration that are numbers, lengths of time or whether something is so: there `0` and `no` say nothing.
const NO_TEXTS: [&str; 26] = [
    "chat",
    "chat_id",
    "continue",
    "disable_notifications",
    "enable_http2",
    "expire",
    "follow_redirects",
    "force_implicit_tls",
    "insecure_skip_verify",
    "link_names",
    "max_alerts",
    "message_thread_id",
    "monospace",
    "proxy_from_environment",
    "reopen_duration",
    "require_tls",
    "retry",
    "send_resolved",
    "short",
    "short_fields",
    "smtp_force_implicit_tls",
    "smtp_require_tls",
    "timeout",
    "ttl",
    "update_alerts",
    "update_message",
];

/// Fields of it that hold whatever people put there.
const ANYTHING: [&str; 2] = ["fields", "payload"];

/// A document with its plain texts where texts belong. `written` is the same with all of them.
pub fn with_texts(format: Format, value: Value, written: Value) -> Value {
    if !matches!(
        format,
        Format::Prometheus | Format::Loki | Format::Alertmanager | Format::GrafanaFile
    ) {
        return value;
    }
    merged(format, &mut Vec::new(), value, written)
}

fn merged(format: Format, path: &mut Vec<String>, value: Value, written: Value) -> Value {
    match (value, written) {
        (Value::Object(fields), Value::Object(mut texts)) => {
            let fields = fields.into_iter().map(|(name, value)| {
                let text = texts.remove(&name).unwrap_or_else(|| value.clone());
                path.push(name);
                let own = merged(format, path, value, text);
                (path.pop().unwrap_or_default(), own)
            });
            Value::Object(fields.collect())
        }
        (Value::Array(items), Value::Array(texts)) => {
            let items = items.into_iter().zip(texts);
            items
                .map(|(value, text)| merged(format, path, value, text))
                .collect()
        }
        (value, text) if is_text(format, path, &value, &text) => text,
        (value, _) => value,
    }
}

/// Whether a text belongs here. Places in lists are none of the path.
fn is_text(format: Format, path: &[String], value: &Value, text: &Value) -> bool {
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    match format {
        Format::Prometheus | Format::Loki => matches!(
            path.as_slice(),
            ["groups", "name" | "interval"]
                | ["groups", "labels", _]
                | [
                    "groups",
                    "rules",
                    "alert" | "record" | "expr" | "for" | "keep_firing_for"
                ]
                | ["groups", "rules", "labels" | "annotations", _]
        ),
        Format::Alertmanager => {
            // In a mail it is its text.
            let is_html = matches!(path.as_slice(), ["receivers", "pushover_configs", "html"]);
            let is_other = is_html || path.last().is_some_and(|field| NO_TEXTS.contains(field));
            // Labels and headers are called as people like.
            let is_named = path
                .iter()
                .rev()
                .nth(1)
                .is_some_and(|above| above.contains("match") || matches!(*above, "headers" | "details"));
            let above = path.split_last().map_or(&[][..], |(_, above)| above);
            let is_free = above.iter().any(|field| ANYTHING.contains(field));
            is_named || (!is_free && !is_other)
        }
        Format::GrafanaFile => is_text_of_grafana(&path, value, text),
        _ => false,
    }
}

fn is_text_of_grafana(path: &[&str], value: &Value, text: &Value) -> bool {
    match path {
        ["groups", "name" | "folder" | "folderUid" | "interval"]
        | [
            "groups",
            "rules",
            "uid" | "title" | "condition" | "for" | "keepFiringFor" | "keep_firing_for" | "noDataState"
            | "execErrState" | "dashboardUid",
        ]
        | [
            "groups",
            "rules",
            "labels" | "annotations" | "notificationSettings" | "notification_settings" | "record",
            _,
        ]
        | ["groups", "rules", "data", "refId" | "queryType" | "datasourceUid"]
        | ["contactPoints", "name"]
        | ["contactPoints", "receivers", "uid" | "type"]
        | ["contactPoints", "receivers", "secureSettings", _]
        | ["templates", "name" | "template"] => true,
        ["policies" | "muteTimes", .., last] => !matches!(*last, "continue" | "orgId"),
        // It takes these for true and false by their names alone.
        ["contactPoints", "receivers", "settings", ..] | ["groups", "rules", "data", "model", ..] => {
            value.is_boolean()
                && text
                    .as_str()
                    .is_some_and(|text| !matches!(text.to_lowercase().as_str(), "true" | "false"))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(format: Format, value: &Value, written: &Value) -> Value {
        with_texts(format, value.clone(), written.clone())
    }

    #[test]
    fn a_rule_file_keeps_its_texts_as_they_are_written_and_its_numbers() {
        let value = json!({"groups": [{"name": true, "limit": 5, "labels": {"a": 1.1},
            "rules": [{"alert": 404, "expr": 1.0, "for": 0, "labels": {"b": 511, "c": null}, "annotations": {"d": false}}]}]});
        let written = json!({"groups": [{"name": "yes", "limit": "5", "labels": {"a": "1.10"},
            "rules": [{"alert": "404", "expr": "1.0", "for": "0", "labels": {"b": "0777", "c": null}, "annotations": {"d": "off"}}]}]});
        let expected = json!({"groups": [{"name": "yes", "limit": 5, "labels": {"a": "1.10"},
            "rules": [{"alert": "404", "expr": "1.0", "for": "0", "labels": {"b": "0777", "c": null}, "annotations": {"d": "off"}}]}]});
        for format in [Format::Prometheus, Format::Loki] {
            assert_eq!(read(format, &value, &written), expected);
        }
        // There the API server's reading counts.
        assert_eq!(read(Format::PrometheusRule, &value, &written), value);
    }

    #[test]
    fn alertmanagers_configuration_keeps_its_texts_and_what_is_so_or_not() {
        let value = json!({
            "route": {"receiver": true, "continue": true, "group_by": [1.1, "y"], "match": {"continue": true, "n": false, "payload": true}},
            "receivers": [{"name": true, "email_configs": [{"send_resolved": true, "to": 1, "require_tls": false}],
                "jira_configs": [{"fields": {"points": 5}}], "webhook_configs": [{"max_alerts": 0}], "pushover_configs": [{"html": false}]}]});
        let written = json!({
            "route": {"receiver": "on", "continue": "yes", "group_by": ["1.10", "y"], "match": {"continue": "yes", "n": "no", "payload": "yes"}},
            "receivers": [{"name": "on", "email_configs": [{"send_resolved": "yes", "to": "01", "require_tls": "no"}],
                "jira_configs": [{"fields": {"points": "5"}}], "webhook_configs": [{"max_alerts": "0"}], "pushover_configs": [{"html": "no"}]}]});
        let expected = json!({
            "route": {"receiver": "on", "continue": true, "group_by": ["1.10", "y"], "match": {"continue": "yes", "n": "no", "payload": "yes"}},
            "receivers": [{"name": "on", "email_configs": [{"send_resolved": true, "to": "01", "require_tls": false}],
                "jira_configs": [{"fields": {"points": 5}}], "webhook_configs": [{"max_alerts": 0}], "pushover_configs": [{"html": false}]}]});
        assert_eq!(read(Format::Alertmanager, &value, &written), expected);
    }

    #[test]
    fn a_file_of_grafanas_keeps_its_texts_and_no_other_values() {
        let value = json!({
            "groups": [{"name": 1, "rules": [{"title": true, "isPaused": true, "panelId": 5, "labels": {"a": false},
                "data": [{"refId": true, "model": {"instant": true, "word": true, "max": 5}}]}]}],
            "contactPoints": [{"name": 1, "receivers": [{"disableResolveMessage": true, "settings": {"singleEmail": true, "text": true}}]}],
            "policies": [{"orgId": 1, "receiver": 1, "routes": [{"continue": true, "object_matchers": [["a", "=", true]]}]}]});
        let written = json!({
            "groups": [{"name": "01", "rules": [{"title": "y", "isPaused": "yes", "panelId": "5", "labels": {"a": "no"},
                "data": [{"refId": "Y", "model": {"instant": "true", "word": "on", "max": "5"}}]}]}],
            "contactPoints": [{"name": "01", "receivers": [{"disableResolveMessage": "yes", "settings": {"singleEmail": "True", "text": "on"}}]}],
            "policies": [{"orgId": "1", "receiver": "01", "routes": [{"continue": "yes", "object_matchers": [["a", "=", "yes"]]}]}]});
        let expected = json!({
            "groups": [{"name": "01", "rules": [{"title": "y", "isPaused": true, "panelId": 5, "labels": {"a": "no"},
                "data": [{"refId": "Y", "model": {"instant": true, "word": "on", "max": 5}}]}]}],
            "contactPoints": [{"name": "01", "receivers": [{"disableResolveMessage": true, "settings": {"singleEmail": true, "text": "on"}}]}],
            "policies": [{"orgId": 1, "receiver": "01", "routes": [{"continue": true, "object_matchers": [["a", "=", "yes"]]}]}]});
        assert_eq!(read(Format::GrafanaFile, &value, &written), expected);
    }
}
