//! What Grafana says of endpoints that it will take away.

use http::HeaderMap;

use crate::grafana::wire::Deprecation;

/// Longest replacement that is kept, in bytes: a path of `/apis`.
const REPLACEMENT_LIMIT: usize = 200;

/// What an answer says of its endpoint: in the headers `X-API-Deprecation-Date` and `X-API-Replacement` (pull request #121995; of rules from
/// 13.0 on, of notifications from 13.1 on).
pub(super) fn deprecation(headers: &HeaderMap) -> Option<Deprecation> {
    let text = |name: &str| headers.get(name)?.to_str().ok().map(str::trim);
    Some(Deprecation {
        since: text("x-api-deprecation-date")?.parse().ok()?,
        replacement: text("x-api-replacement")
            .filter(|path| !path.is_empty() && path.len() <= REPLACEMENT_LIMIT)
            .map(str::to_owned),
    })
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use jiff::civil::date;

    use super::*;

    fn of(headers: &[(&'static str, &'static str)]) -> Option<Deprecation> {
        let pairs = headers.iter();
        let pairs = pairs.map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value)));
        deprecation(&pairs.collect())
    }

    #[test]
    fn a_date_makes_a_deprecation_and_anything_else_none() {
        let path = "/apis/rules.alerting.grafana.app/v0alpha1/namespaces/default/alertrules";
        let since = date(2026, 4, 7);
        assert_eq!(
            of(&[
                ("x-api-deprecation-date", "2026-04-07"),
                ("x-api-replacement", path)
            ]),
            Some(Deprecation {
                since,
                replacement: Some(path.to_owned())
            })
        );
        assert_eq!(
            of(&[("x-api-deprecation-date", "2026-04-07")]),
            Some(Deprecation {
                since,
                replacement: None
            })
        );
        assert_eq!(of(&[("x-api-replacement", path)]), None);
        assert_eq!(of(&[("x-api-deprecation-date", "soon")]), None);
        assert_eq!(of(&[]), None);
    }
}
