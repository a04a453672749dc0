//! What tells one Grafana and organisation from another.

use std::fmt;

use sha2::{Digest, Sha256};
use url::Url;

/// How the names of all Secrets begin that hold what is remembered of Grafanas.
pub(super) const MEMORY: &str = "alertwright-memory-";

/// One Grafana and organisation. No version of Grafana shows an identity of its own, so it is the address that it is reached at, and the
/// organisation's number as Grafana says it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Identity {
    url: String,
    organisation: Option<i64>,
}

impl Identity {
    /// The Grafana at an address; `organisation` is `None` where Grafana doesn't tell and nobody says it.
    pub fn new(url: &str, organisation: Option<i64>) -> Self {
        let plain = Url::parse(url).map_or_else(
            |_| url.to_owned(),
            |mut url| {
                url.set_query(None);
                url.set_fragment(None);
                url.to_string()
            },
        );
        Self {
            url: plain.trim_end_matches('/').to_owned(),
            organisation,
        }
    }

    /// Its address, written in one way.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The organisation's number.
    pub fn organisation(&self) -> Option<i64> {
        self.organisation
    }

    /// The name of the Secret that holds what is remembered of it.
    pub fn secret_name(&self) -> String {
        let mut hash = Sha256::new();
        hash.update(&self.url);
        hash.update([0]);
        hash.update(self.organisation.unwrap_or_default().to_le_bytes());
        let mut hash = data_encoding::HEXLOWER.encode(&hash.finalize());
        hash.truncate(16);
        format!("{MEMORY}{hash}")
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.url)?;
        self.organisation
            .map_or(Ok(()), |number| write!(f, " (organisation {number})"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_written_in_several_ways_is_one_grafana() {
        let plain = Identity::new("http://grafana.monitoring/sub", Some(1));
        for same in [
            "http://grafana.monitoring/sub/",
            "HTTP://Grafana.Monitoring:80/sub",
            "http://grafana.monitoring/sub/?x=y#z",
        ] {
            assert_eq!(Identity::new(same, Some(1)), plain, "{same}");
        }
        assert_eq!(
            plain.to_string(),
            "http://grafana.monitoring/sub (organisation 1)"
        );
    }

    #[test]
    fn another_address_or_organisation_is_another_grafana_with_a_secret_of_its_own() {
        let all = [
            ("http://a:3000", Some(1)),
            ("http://a:3000", Some(2)),
            ("http://a:3000", None),
            ("https://a:3000", Some(1)),
            ("http://a:3000/sub", Some(1)),
        ]
        .map(|(url, organisation)| Identity::new(url, organisation).secret_name());
        let distinct = std::collections::BTreeSet::from_iter(&all);
        assert_eq!(distinct.len(), all.len(), "{all:?}");
        // A Secret's name is a DNS name.
        assert!(all.iter().all(|name| name.len() == 35), "{all:?}");
    }
}
