//! What marks an object in Grafana as ours.

use data_encoding::{Encoding, Specification};
use sha2::{Digest, Sha256};

use crate::grafana::api::OWNER_LABEL;

/// How many base32 characters of a hash a uid carries: 130 bits.
const UID_HASH: usize = 26;

/// The id that tells one installation's objects in a Grafana from another's: `[a-z0-9-]{1,40}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner(String);

impl Owner {
    /// Checks an owner id.
    pub fn parse(id: &str) -> Option<Self> {
        let valid = (1..=40).contains(&id.len())
            && id
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        valid.then(|| Self(id.to_owned()))
    }

    /// The id itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The value of the label [`OWNER_LABEL`] on a rule: `ownerID/namespace/name`.
    pub fn label(&self, namespace: &str, name: &str) -> String {
        format!("{}/{namespace}/{name}", self.0)
    }

    /// The resource that a label's value names, if the label is of this owner.
    pub fn resource<'a>(&self, label: &'a str) -> Option<(&'a str, &'a str)> {
        label
            .strip_prefix(self.as_str())?
            .strip_prefix('/')?
            .split_once('/')
    }

    /// The matcher value (a regular expression) for every rule of a namespace.
    pub fn namespace_pattern(&self, namespace: &str) -> String {
        format!("{}/{}/.+", regex::escape(&self.0), regex::escape(namespace))
    }

    /// The matcher value (a regular expression) for some rules of a namespace.
    pub fn rules_pattern<'a>(&self, namespace: &str, names: impl Iterator<Item = &'a str>) -> String {
        let names: Vec<_> = names.map(regex::escape).collect();
        format!(
            "{}/{}/({})",
            regex::escape(&self.0),
            regex::escape(namespace),
            names.join("|")
        )
    }

    /// Uid of the rule that an AlertRule becomes.
    pub fn rule_uid(&self, namespace: &str, name: &str) -> String {
        self.uid(&[namespace, name])
    }

    /// Uid of one integration of a ContactPoint: the `ordinal`-th of its type.
    pub fn integration_uid(&self, namespace: &str, name: &str, type_: &str, ordinal: usize) -> String {
        self.uid(&["contact-point", namespace, name, type_, &ordinal.to_string()])
    }

    /// Uid of the folder with this title path.
    pub fn folder_uid(&self, path: &str) -> String {
        self.uid(&["folder", path])
    }

    /// Who a silence of ours says has made it.
    pub fn silence_author(&self, namespace: &str, name: &str) -> String {
        format!("alertwright {}", self.label(namespace, name))
    }

    /// The resource that a silence's author names, if it is of this owner.
    pub fn silence_resource<'a>(&self, author: &'a str) -> Option<(&'a str, &'a str)> {
        self.resource(author.strip_prefix("alertwright ")?)
    }

    fn uid(&self, parts: &[&str]) -> String {
        let mut hash = Sha256::new();
        hash.update(self.0.as_bytes());
        for part in parts {
            hash.update([0]);
            hash.update(part.as_bytes());
        }
        let mut uid = base32().encode(&hash.finalize());
        uid.truncate(UID_HASH);
        format!("aw-{uid}")
    }
}

/// The label name that ownership is kept under.
pub const LABEL: &str = OWNER_LABEL;

/// Lower-case base32 without padding: safe in uids and names.
pub fn base32() -> Encoding {
    let mut specification = Specification::new();
    specification.symbols.push_str("abcdefghijklmnopqrstuvwxyz234567");
    specification.encoding().unwrap_or(data_encoding::BASE32_NOPAD)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owner() -> Owner {
        Owner::parse("prod-1").unwrap()
    }

    #[test]
    fn a_uid_is_deterministic_valid_and_distinct() {
        let uid = owner().rule_uid("revel", "high-error-rate");
        assert_eq!(uid, owner().rule_uid("revel", "high-error-rate"));
        assert_eq!(uid.len(), 29);
        assert!(
            uid.strip_prefix("aw-")
                .unwrap()
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
        );
        let others = [
            owner().rule_uid("revel", "high-error-rat"),
            owner().rule_uid("revelhigh", "error-rate"),
            Owner::parse("prod-2")
                .unwrap()
                .rule_uid("revel", "high-error-rate"),
            owner().folder_uid("revel"),
        ];
        assert!(others.iter().all(|other| *other != uid));
    }

    #[test]
    fn a_label_names_its_resource_only_to_its_owner() {
        let label = owner().label("revel", "high.error-rate");
        assert_eq!(owner().resource(&label), Some(("revel", "high.error-rate")));
        assert_eq!(Owner::parse("prod").unwrap().resource(&label), None);
        assert_eq!(Owner::parse("prod-11").unwrap().resource(&label), None);
    }

    #[test]
    fn a_namespace_pattern_reaches_no_other_namespace() {
        let pattern = regex::Regex::new(&format!("^(?:{})$", owner().namespace_pattern("rev"))).unwrap();
        assert!(pattern.is_match("prod-1/rev/a"));
        assert!(!pattern.is_match("prod-1/revel/a"));
        assert!(!pattern.is_match("prod-1x/rev/a"));
    }

    #[test]
    fn dots_in_rule_names_are_escaped() {
        let pattern = owner().rules_pattern("ns", ["a.b", "c"].into_iter());
        let pattern = regex::Regex::new(&format!("^(?:{pattern})$")).unwrap();
        assert!(pattern.is_match("prod-1/ns/a.b"));
        assert!(!pattern.is_match("prod-1/ns/axb"));
    }

    #[test]
    fn owner_ids_are_checked() {
        for bad in ["", "Prod", "a/b", "a.b", &"x".repeat(41)] {
            assert_eq!(Owner::parse(bad), None, "{bad}");
        }
    }
}
