//! Selectors by labels: what no object can have as a label selects nothing, so it is a mistake.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, LabelSelectorRequirement};
use kube::core::Selector;

/// A selector as it can be asked (none: all), or what is wrong with it and where.
pub fn of(selector: Option<&LabelSelector>) -> Result<Selector, String> {
    match selector {
        None => Ok(Selector::default()),
        Some(selector) => {
            check(selector)?;
            Selector::try_from(selector.clone()).map_err(|e| format!("selector: {e}"))
        }
    }
}

fn check(selector: &LabelSelector) -> Result<(), String> {
    for (key, value) in selector.match_labels.iter().flatten() {
        let at = |mistake| format!("selector.matchLabels[{key}]: {mistake}");
        check_key(key).and_then(|()| check_value(value)).map_err(at)?;
    }
    for (i, requirement) in selector.match_expressions.iter().flatten().enumerate() {
        check_requirement(requirement)
            .map_err(|(field, mistake)| format!("selector.matchExpressions[{i}].{field}: {mistake}"))?;
    }
    Ok(())
}

fn check_requirement(requirement: &LabelSelectorRequirement) -> Result<(), (&'static str, String)> {
    check_key(&requirement.key).map_err(|mistake| ("key", mistake))?;
    let values = requirement.values.as_deref().unwrap_or_default();
    let problem = match requirement.operator.as_str() {
        "In" | "NotIn" if values.is_empty() => "give at least one, since the operator is In or NotIn",
        "Exists" | "DoesNotExist" if !values.is_empty() => {
            "leave them out, since the operator is Exists or DoesNotExist"
        }
        "In" | "NotIn" | "Exists" | "DoesNotExist" => "",
        other => {
            let mistake = format!("{other:?} is none of In, NotIn, Exists and DoesNotExist");
            return Err(("operator", mistake));
        }
    };
    if !problem.is_empty() {
        return Err(("values", problem.to_owned()));
    }
    values
        .iter()
        .try_for_each(|value| check_value(value))
        .map_err(|mistake| ("values", mistake))
}

/// A label's key as Kubernetes validates it: a name of at most 63 characters, and before it perhaps a DNS subdomain and a slash.
fn check_key(key: &str) -> Result<(), String> {
    let (prefix, name) = key.split_once('/').map_or((None, key), |(p, n)| (Some(p), n));
    if is_name(name) && prefix.is_none_or(is_subdomain) {
        return Ok(());
    }
    Err(format!(
        "no label has the key {key:?}: write a name of at most 63 letters, digits, dashes, dots and underscores that begins and ends with a letter or digit, perhaps behind a domain and a slash, such as app.kubernetes.io/name"
    ))
}

fn check_value(value: &str) -> Result<(), String> {
    if value.is_empty() || is_name(value) {
        return Ok(());
    }
    Err(format!(
        "no label has the value {value:?}: write at most 63 letters, digits, dashes, dots and underscores, with a letter or digit at both ends"
    ))
}

fn is_name(text: &str) -> bool {
    let is_edge = |c: char| c.is_ascii_alphanumeric();
    text.len() <= 63
        && text.starts_with(is_edge)
        && text.ends_with(is_edge)
        && text.chars().all(|c| is_edge(c) || matches!(c, '-' | '_' | '.'))
}

fn is_subdomain(text: &str) -> bool {
    let is_edge = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let is_part = |part: &str| {
        part.starts_with(is_edge) && part.ends_with(is_edge) && part.chars().all(|c| is_edge(c) || c == '-')
    };
    text.len() <= 253 && text.split('.').all(is_part)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, from_value, json};

    use super::*;

    fn problem(selector: &Value) -> Option<String> {
        of(Some(&from_value(selector.clone()).unwrap())).err()
    }

    #[test]
    fn what_no_object_can_have_as_a_label_is_a_mistake() {
        let long = "x".repeat(64);
        for (selector, words) in [
            (
                json!({"matchLabels": {"not a label!": "x"}}),
                "selector.matchLabels[not a label!]: no label has the key",
            ),
            (
                json!({"matchLabels": {long.clone(): "x"}}),
                "no label has the key",
            ),
            (
                json!({"matchLabels": {"Example.com/app": "x"}}),
                "no label has the key",
            ),
            (json!({"matchLabels": {"/app": "x"}}), "no label has the key"),
            (json!({"matchLabels": {"a/b/c": "x"}}), "no label has the key"),
            (
                json!({"matchLabels": {"app": "x y"}}),
                "selector.matchLabels[app]: no label has the value \"x y\"",
            ),
            (json!({"matchLabels": {"app": long}}), "no label has the value"),
            (
                json!({"matchExpressions": [{"key": "a", "operator": "Exists"}, {"key": "a b", "operator": "Exists"}]}),
                "selector.matchExpressions[1].key: no label has the key",
            ),
            (
                json!({"matchExpressions": [{"key": "a", "operator": "in", "values": ["b"]}]}),
                "selector.matchExpressions[0].operator: \"in\" is none of In, NotIn, Exists and DoesNotExist",
            ),
            (
                json!({"matchExpressions": [{"key": "a", "operator": "In"}]}),
                "selector.matchExpressions[0].values: give at least one",
            ),
            (
                json!({"matchExpressions": [{"key": "a", "operator": "NotIn", "values": ["b", "-c"]}]}),
                "selector.matchExpressions[0].values: no label has the value \"-c\"",
            ),
            (
                json!({"matchExpressions": [{"key": "a", "operator": "DoesNotExist", "values": ["b"]}]}),
                "selector.matchExpressions[0].values: leave them out",
            ),
        ] {
            let problem = problem(&selector).unwrap_or_default();
            assert!(problem.contains(words), "{selector}: {problem:?} lacks {words:?}");
        }
    }

    #[test]
    fn what_an_object_can_have_as_a_label_is_none() {
        for selector in [
            json!({}),
            json!({"matchLabels": {"app.kubernetes.io/name": "Web_1.2-x", "A": "", "example.com/a.b_c-d": "1"}}),
            json!({"matchExpressions": [
                {"key": "tier", "operator": "In", "values": ["db", ""]},
                {"key": "tier", "operator": "NotIn", "values": ["x"]},
                {"key": "example.com/x", "operator": "Exists"},
                {"key": "y", "operator": "DoesNotExist", "values": []},
            ]}),
        ] {
            assert_eq!(problem(&selector), None, "{selector}");
        }
    }
}
