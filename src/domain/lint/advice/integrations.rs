//! Integrations that Grafana doesn't have.

use super::super::finding::{Finding, UNKNOWN_INTEGRATION};
use super::super::near::nearest;
use super::super::path::Path;
use crate::api::ContactPointSpec;

/// What Grafana calls those that it has, up to 13.3.
const KNOWN: [&str; 23] = [
    "prometheus-alertmanager",
    "dingding",
    "discord",
    "email",
    "googlechat",
    "jira",
    "kafka",
    "line",
    "mqtt",
    "oncall",
    "opsgenie",
    "pagerduty",
    "pushover",
    "sensugo",
    "slack",
    "sns",
    "teams",
    "telegram",
    "threema",
    "victorops",
    "webex",
    "webhook",
    "wecom",
];

/// The integrations of type `custom` that are of no type that there is.
pub(super) fn check(at: usize, spec: &ContactPointSpec) -> Vec<Finding> {
    let all = spec.integrations.iter().enumerate();
    let custom = all.filter_map(|(i, integration)| Some((i, integration.custom.as_ref()?.type_.as_str())));
    let unknown = custom.filter(|(_, called)| !KNOWN.iter().any(|known| known.eq_ignore_ascii_case(called)));
    unknown
        .map(|(i, called)| {
            let near = nearest(called, KNOWN);
            let near = near.map_or_else(String::new, |near| format!("; did you mean {near}?"));
            let path = Path::parse(&format!("spec.integrations[{i}].custom.type"));
            let message = format!(
                "no Grafana up to 13.3 has an integration of type {called:?}, and each refuses it{near}"
            );
            Finding::new(&UNKNOWN_INTEGRATION, at, path, message)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::api::schema::kept;

    #[test]
    fn every_type_with_fields_of_its_own_is_known() {
        let schema = serde_json::to_value(kept::schema("ContactPoint")).unwrap();
        let fields = &schema["properties"]["spec"]["properties"]["integrations"]["items"]["properties"];
        let of_types = fields.as_object().unwrap().keys();
        let of_types = of_types.filter(|field| !matches!(field.as_str(), "custom" | "disableResolveMessage"));
        let of_types: Vec<String> = of_types
            .map(|field| field.replace("alertmanager", "prometheus-alertmanager"))
            .collect();
        let mut known: Vec<String> = KNOWN.map(str::to_owned).to_vec();
        known.sort_unstable_by_key(|name| name.replace("prometheus-", ""));
        assert_eq!(of_types, known);
    }

    #[test]
    fn a_type_that_there_is_not_is_told_with_the_nearest() {
        let of = |called: &str| {
            let spec = json!({"integrations": [{"email": {"addresses": ["a@example.org"]}}, {"custom": {"type": called}}]});
            let found = check(0, &serde_json::from_value(spec).unwrap());
            found
                .into_iter()
                .map(|finding| format!("{} {}", finding.path, finding.message))
                .collect::<Vec<_>>()
        };
        assert_eq!(of("LINE"), Vec::<String>::new());
        assert_eq!(of("prometheus-alertmanager"), Vec::<String>::new());
        let said = of("slak").concat();
        assert!(
            said.starts_with("spec.integrations[1].custom.type no Grafana up to 13.3 has"),
            "{said}"
        );
        assert!(said.ends_with("did you mean slack?"), "{said}");
    }
}
