//! Links into Grafana Explore and other pages.

use serde_json::json;

use crate::grafana::wire::DataSource;

/// A link that opens Explore with a query over the last hour.
///
/// Written in the form with `left`, which every Grafana from 8 on reads.
pub fn explore(external_url: &str, source: &DataSource, query: &str) -> String {
    let state = json!({
        "datasource": source.uid,
        "queries": [{
            "refId": "A",
            "expr": query,
            "datasource": { "type": source.r#type, "uid": source.uid },
        }],
        "range": { "from": "now-1h", "to": "now" },
    });
    let left: String = url::form_urlencoded::byte_serialize(state.to_string().as_bytes()).collect();
    format!(
        "{}/explore?left={}",
        external_url.trim_end_matches('/'),
        left.replace('+', "%20")
    )
}

/// The page of an alert rule.
pub fn rule(external_url: &str, uid: &str) -> String {
    format!(
        "{}/alerting/grafana/{uid}/view",
        external_url.trim_end_matches('/')
    )
}

/// The page of all contact points.
pub fn contact_points(external_url: &str) -> String {
    format!("{}/alerting/notifications", external_url.trim_end_matches('/'))
}

/// The page of the policy tree.
pub fn policies(external_url: &str) -> String {
    format!("{}/alerting/routes", external_url.trim_end_matches('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_comes_back_out_of_its_link_and_holds_no_template_braces() {
        let source = DataSource {
            uid: "loki-1".into(),
            r#type: "loki".into(),
            ..DataSource::default()
        };
        let query = r#"{service="revel"} | line_format "{{.path}} + {{.event}}""#;
        let link = explore("http://grafana/sub/", &source, query);
        assert!(link.starts_with("http://grafana/sub/explore?left="), "{link}");
        assert!(!link.contains("{{") && !link.contains(' '), "{link}");
        let url = url::Url::parse(&link).unwrap();
        let (_, left) = url.query_pairs().next().unwrap();
        let state: serde_json::Value = serde_json::from_str(&left).unwrap();
        assert_eq!(state["queries"][0]["expr"], query);
        assert_eq!(state["datasource"], "loki-1");
    }
}
