//! PagerDuty's settings, with the mapping of severities to priorities.
//!
//! PagerDuty's Events API v2 knows the severities critical, error, warning and info; priorities P1 to P5 are the account's own.
//! A map of our severities to priorities therefore yields both: the severity that belongs to the priority, and the priority as
//! a custom detail, which PagerDuty's event rules can act upon.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::api::contact_point::{PagerDuty, Priority};
use crate::domain::notification::contact_point::settings::Settings;

pub(super) fn pagerduty<'a>(pagerduty: &'a PagerDuty, settings: &mut Settings<'a>) {
    settings.secret(
        "integrationKey",
        "integrationKey",
        Some(&pagerduty.integration_key),
    );
    settings.url("url", "url", pagerduty.url.as_ref());
    let mut details = pagerduty.details.clone();
    if pagerduty.severity_map.is_empty() {
        settings.set("severity", pagerduty.severity.as_ref());
    } else {
        settings.set(
            "severity",
            Some(choose(&pagerduty.severity_map, severity, "critical")),
        );
        details
            .entry("priority".into())
            .or_insert_with(|| choose(&pagerduty.severity_map, priority, priority(Priority::P1)));
    }
    settings.set("class", pagerduty.class.as_ref());
    settings.set("component", pagerduty.component.as_ref());
    settings.set("group", pagerduty.group.as_ref());
    settings.set("summary", pagerduty.summary.as_ref());
    settings.set("source", pagerduty.source.as_ref());
    settings.set("client", pagerduty.client.as_ref());
    settings.set("client_url", pagerduty.client_url.as_ref());
    settings.set("details", (!details.is_empty()).then_some(details));
}

/// A notification template that chooses by the severity the alerts have in common.
fn choose(
    map: &BTreeMap<String, Priority>,
    word: impl Fn(Priority) -> &'static str,
    otherwise: &str,
) -> String {
    let mut template = String::new();
    for (i, (name, chosen)) in map.iter().enumerate() {
        let keyword = if i == 0 { "if" } else { "else if" };
        let word = word(*chosen);
        // Names are of letters, digits, dots, dashes and underscores: nothing to escape.
        let _ = write!(
            template,
            r#"{{{{ {keyword} eq .CommonLabels.severity "{name}" }}}}{word}"#
        );
    }
    let _ = write!(template, "{{{{ else }}}}{otherwise}{{{{ end }}}}");
    template
}

fn severity(priority: Priority) -> &'static str {
    match priority {
        Priority::P1 => "critical",
        Priority::P2 => "error",
        Priority::P3 => "warning",
        Priority::P4 | Priority::P5 => "info",
    }
}

fn priority(priority: Priority) -> &'static str {
    match priority {
        Priority::P1 => "P1",
        Priority::P2 => "P2",
        Priority::P3 => "P3",
        Priority::P4 => "P4",
        Priority::P5 => "P5",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_severity_map_becomes_a_template_with_a_loud_default() {
        let map = BTreeMap::from([
            ("critical".to_owned(), Priority::P1),
            ("high".to_owned(), Priority::P2),
        ]);
        assert_eq!(
            choose(&map, severity, "critical"),
            r#"{{ if eq .CommonLabels.severity "critical" }}critical{{ else if eq .CommonLabels.severity "high" }}error{{ else }}critical{{ end }}"#
        );
        assert!(choose(&map, priority, "P1").contains(r#""high" }}P2"#));
    }
}
