//! What marks an object in Grafana as ours.

use data_encoding::{Encoding, Specification};
use sha2::{Digest, Sha256};

use crate::grafana::api::OWNER_LABEL;

/// How the author of every silence of ours begins.
const AUTHOR: &str = "alertwright ";

/// What uids begin with that are derived from resources.
const UID_PREFIX: &str = "aw-";

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
        format!("{AUTHOR}{}", self.label(namespace, name))
    }

    /// Who a silence says has made it that outlives its resource on purpose, until it ends by itself. It is no resource's any more.
    pub fn lingering_author(author: &str) -> String {
        author.replacen(AUTHOR, "alertwright lingering ", 1)
    }

    /// The resource that a silence's author names, if it is of this owner.
    pub fn silence_resource<'a>(&self, author: &'a str) -> Option<(&'a str, &'a str)> {
        self.resource(author.strip_prefix(AUTHOR)?)
    }

    /// A few characters that stand for the id where all of it is too long.
    pub fn code(&self) -> String {
        let mut code = self.uid(&["code"]).split_off(UID_PREFIX.len());
        code.truncate(8);
        code
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
        format!("{UID_PREFIX}{uid}")
    }
}

/// Whether a silence's author is a resource's, whoever's operator has written it, and also one that outlives its resource.
pub fn is_silence_author(author: &str) -> bool {
    author.starts_with(AUTHOR)
}

/// Whether a uid has the form of those that are derived from resources, whoever has derived it. Capital letters are no difference: the
/// database of a Grafana may take them for the small ones.
pub fn is_derived(uid: &str) -> bool {
    let uid = uid.to_ascii_lowercase();
    let hash = uid.strip_prefix(UID_PREFIX);
    hash.is_some_and(|hash| {
        hash.len() == UID_HASH && hash.bytes().all(|b| matches!(b, b'a'..=b'z' | b'2'..=b'7'))
    })
}

/// The owner ids whose objects in one Grafana are ours: the present one, and those that this installation had before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owners {
    now: Owner,
    former: Vec<Owner>,
}

impl Owners {
    /// The present owner id, and the former ones as a GrafanaInstance names them (`previousOwnerIDs`). What is no owner id, which the
    /// schema refuses, and the present one among them mean nothing.
    pub fn new(now: Owner, former: &[String]) -> Self {
        let mut known: Vec<Owner> = Vec::new();
        for id in former.iter().filter_map(|id| Owner::parse(id)) {
            if id != now && !known.contains(&id) {
                known.push(id);
            }
        }
        Self { now, former: known }
    }

    /// The present one: what is written carries it.
    pub fn now(&self) -> &Owner {
        &self.now
    }

    /// The former ones, in the order in which they were named.
    pub fn former(&self) -> &[Owner] {
        &self.former
    }

    /// The present one, then the former ones.
    pub fn all(&self) -> impl Iterator<Item = &Owner> {
        std::iter::once(&self.now).chain(&self.former)
    }

    /// The resource that a mark names (`ownerID/namespace/name`, as a rule's label has it), if the mark is ours, now or formerly.
    pub fn resource<'a>(&self, mark: &'a str) -> Option<(&'a str, &'a str)> {
        self.all().find_map(|owner| owner.resource(mark))
    }

    /// Whether a mark says that an object is this resource's, now or formerly.
    pub fn marks(&self, mark: &str, namespace: &str, name: &str) -> bool {
        self.resource(mark) == Some((namespace, name))
    }

    /// The resource that a silence's author names, if the author is ours, now or formerly.
    pub fn silence_resource<'a>(&self, author: &'a str) -> Option<(&'a str, &'a str)> {
        self.all().find_map(|owner| owner.silence_resource(author))
    }

    /// The matcher value (a regular expression) for every rule of a namespace, those that still carry a former mark included.
    pub fn namespace_pattern(&self, namespace: &str) -> String {
        format!("{}/{}/.+", self.pattern(), regex::escape(namespace))
    }

    /// The matcher value (a regular expression) for some rules of a namespace, those that still carry a former mark included.
    pub fn rules_pattern<'a>(&self, namespace: &str, names: impl Iterator<Item = &'a str>) -> String {
        let names: Vec<_> = names.map(regex::escape).collect();
        format!(
            "{}/{}/({})",
            self.pattern(),
            regex::escape(namespace),
            names.join("|")
        )
    }

    fn pattern(&self) -> String {
        let ids: Vec<_> = self.all().map(|owner| regex::escape(owner.as_str())).collect();
        match ids.as_slice() {
            [only] => only.clone(),
            ids => format!("({})", ids.join("|")),
        }
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

    fn owners(former: &[&str]) -> Owners {
        let former: Vec<String> = former.iter().map(|id| (*id).to_owned()).collect();
        Owners::new(owner(), &former)
    }

    #[test]
    fn what_a_former_owner_id_marks_is_ours_and_what_any_other_marks_is_not() {
        let owners = owners(&["old", "prod-1", "older", "old", "No Id"]);
        let former: Vec<_> = owners.former().iter().map(Owner::as_str).collect();
        assert_eq!(former, ["old", "older"]);
        for ours in ["prod-1/ns/a", "old/ns/a", "older/ns/a"] {
            assert_eq!(owners.resource(ours), Some(("ns", "a")), "{ours}");
            assert!(owners.marks(ours, "ns", "a") && !owners.marks(ours, "ns", "b"));
            let author = format!("alertwright {ours}");
            assert_eq!(owners.silence_resource(&author), Some(("ns", "a")), "{author}");
            let lingering = Owner::lingering_author(&author);
            assert_eq!(owners.silence_resource(&lingering), None, "{lingering}");
        }
        for foreign in ["prod/ns/a", "oldest/ns/a", "No Id/ns/a", "ns/a", ""] {
            assert_eq!(owners.resource(foreign), None, "{foreign}");
        }
    }

    #[test]
    fn patterns_cover_rules_that_still_carry_a_former_mark() {
        let owners = owners(&["old"]);
        let whole = |pattern: String| regex::Regex::new(&format!("^(?:{pattern})$")).unwrap();
        let namespace = whole(owners.namespace_pattern("ns"));
        let rules = whole(owners.rules_pattern("ns", ["a"].into_iter()));
        for ours in ["prod-1/ns/a", "old/ns/a"] {
            assert!(namespace.is_match(ours) && rules.is_match(ours), "{ours}");
        }
        for other in ["older/ns/a", "old/ns2/a", "prod-1old/ns/a"] {
            assert!(!namespace.is_match(other) && !rules.is_match(other), "{other}");
        }
    }

    #[test]
    fn a_uid_is_deterministic_valid_and_distinct() {
        let uid = owner().rule_uid("revel", "high-error-rate");
        assert_eq!(uid, owner().rule_uid("revel", "high-error-rate"));
        assert_eq!(uid.len(), 29);
        assert!(is_derived(&uid) && is_derived(&uid.to_uppercase()));
        for other in [
            "",
            "mine",
            &uid[1..],
            &uid[..28],
            &format!("{uid}a"),
            &uid.replace("aw-", "aw_"),
            &format!("{}1", &uid[..28]),
        ] {
            assert!(!is_derived(other), "{other}");
        }
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
        let pattern = regex::Regex::new(&format!("^(?:{})$", owners(&[]).namespace_pattern("rev"))).unwrap();
        assert!(pattern.is_match("prod-1/rev/a"));
        assert!(!pattern.is_match("prod-1/revel/a"));
        assert!(!pattern.is_match("prod-1x/rev/a"));
    }

    #[test]
    fn dots_in_rule_names_are_escaped() {
        let pattern = owners(&[]).rules_pattern("ns", ["a.b", "c"].into_iter());
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
