//! Under which uid Grafana holds a resource's rule.

use crate::domain::ownership::{Owners, is_derived};
use crate::domain::refusal::Refusal;
use crate::grafana::api::Provenance;

/// Fails if the uid that is given by hand (`spec.uid`) is derived from another resource, as its form says: whoever is there first would
/// keep that one from its own rule. The resource's own, also by a former owner id, may be written down.
pub fn check(given: Option<&str>, owners: &Owners, (namespace, name): (&str, &str)) -> Result<(), Refusal> {
    let Some(uid) = given.filter(|uid| is_derived(uid)) else {
        return Ok(());
    };
    if owners.all().any(|owner| owner.rule_uid(namespace, name) == uid) {
        return Ok(());
    }
    Err(Refusal::invalid(
        "spec.uid",
        format!(
            "{uid} has the form of a uid that an operator derives from a resource, and isn't derived from this one; leave uid out, or choose another. What an operator with another owner id made for this resource is taken over once the GrafanaInstance names that id in spec.previousOwnerIDs"
        ),
    ))
}

/// Whether a rule that carries the mark of a resource is the resource's, and no copy of it: people copy rules, with their labels. It is, where
/// its uid is derived from the resource or `named` by it (its `spec.uid`, its status), and else where it is provisioned as only an API
/// provisions: what is made in Grafana's pages isn't.
pub fn is_original(
    (uid, provenance): (&str, Option<&str>),
    owners: &Owners,
    resource: (&str, &str),
    named: [Option<&str>; 2],
) -> bool {
    is_of((uid, owners), resource, named) || provenance == Provenance::Api.name()
}

/// Whether a uid is derived from a resource, also by a former owner id, or named by it.
pub fn is_of(
    (uid, owners): (&str, &Owners),
    (namespace, name): (&str, &str),
    named: [Option<&str>; 2],
) -> bool {
    named.contains(&Some(uid)) || owners.all().any(|owner| owner.rule_uid(namespace, name) == uid)
}

/// The uid of a resource's rule: the one that is given by hand (`spec.uid`), or the one that is derived from the resource. A rule that an
/// operator with a former owner id has made, or that was taken over from one, keeps the uid that it has, and with it its history in
/// Grafana and the links to it; `reported` is the one that the resource's status names.
///
/// `is_absent` says that Grafana surely has no rule of a uid; `marked` names the rules that carry a mark (`ownerID/namespace/name`) and are no copies.
pub fn uid(
    given: Option<&str>,
    owners: &Owners,
    (namespace, name): (&str, &str),
    reported: Option<&str>,
    is_absent: impl Fn(&str) -> bool,
    marked: impl Fn(&str) -> Vec<String>,
) -> String {
    if let Some(uid) = given {
        return uid.to_owned();
    }
    let derived = owners.now().rule_uid(namespace, name);
    if !is_absent(&derived) {
        return derived;
    }
    let kept = owners.all().find_map(|owner| {
        let mut uids = marked(&owner.label(namespace, name));
        uids.sort_unstable();
        let before = uids.iter().find(|uid| Some(uid.as_str()) == reported).cloned();
        before.or_else(|| uids.into_iter().next())
    });
    kept.unwrap_or(derived)
}

/// The rules that former owner ids have made for a resource, besides the one with this uid: they are doubles of it.
pub fn doubles(
    uid: &str,
    owners: &Owners,
    (namespace, name): (&str, &str),
    marked: impl Fn(&str) -> Vec<String>,
) -> Vec<String> {
    let former = owners.former().iter();
    former
        .flat_map(|owner| marked(&owner.label(namespace, name)))
        .filter(|other| other != uid)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ownership::Owner;

    const RESOURCE: (&str, &str) = ("shop", "errors");

    fn owners() -> Owners {
        Owners::new(
            Owner::parse("new").unwrap(),
            &["old".to_owned(), "older".to_owned()],
        )
    }

    /// The uid where Grafana holds these rules: uid, owner id in their mark.
    fn uid_among(given: Option<&str>, reported: Option<&str>, rules: &[(&str, &str)]) -> String {
        let marked = |mark: &str| marked_among(rules, mark);
        let is_absent = |uid: &str| !rules.iter().any(|(other, _)| *other == uid);
        uid(given, &owners(), RESOURCE, reported, is_absent, marked)
    }

    fn marked_among(rules: &[(&str, &str)], mark: &str) -> Vec<String> {
        let of_resource = rules.iter().filter(|(_, id)| format!("{id}/shop/errors") == mark);
        of_resource.map(|(uid, _)| (*uid).to_owned()).collect()
    }

    #[test]
    fn a_rule_that_a_former_owner_id_made_keeps_its_uid() {
        let derived = |id: &str| Owner::parse(id).unwrap().rule_uid("shop", "errors");
        let (new, old) = (derived("new"), derived("old"));
        assert_eq!(uid_among(None, None, &[]), new, "there is none");
        assert_eq!(uid_among(None, None, &[("x", "other")]), new, "somebody else's");
        assert_eq!(uid_among(None, None, &[(&old, "old")]), old, "it is taken over");
        assert_eq!(
            uid_among(None, None, &[("b", "older")]),
            "b",
            "and so is an older one"
        );
        // It stays where it is once it carries the present mark, whether or not the status has survived.
        assert_eq!(uid_among(None, None, &[(&old, "new")]), old);
        assert_eq!(uid_among(None, Some("c"), &[("b", "new"), ("c", "new")]), "c");
        assert_eq!(uid_among(None, None, &[("c", "new"), ("b", "new")]), "b");
        // The one that is derived from the present owner id comes first.
        assert_eq!(uid_among(None, Some(&old), &[(&old, "old"), (&new, "new")]), new);
        assert_eq!(uid_among(Some("mine"), None, &[(&old, "old")]), "mine");
    }

    #[test]
    fn a_copy_that_a_person_has_made_of_a_rule_is_not_the_resources() {
        let derived = |id: &str| Owner::parse(id).unwrap().rule_uid("shop", "errors");
        let other = Owner::parse("new").unwrap().rule_uid("shop", "others");
        let (new, old) = (derived("new"), derived("old"));
        for (uid, provenance, named, expected) in [
            (&*new, None, [None, None], true),
            (&*old, None, [None, None], true),
            (&*other, None, [None, None], false),
            ("sc61d", None, [None, None], false),
            ("sc61d", Some(""), [None, None], false),
            ("sc61d", Some("file"), [None, None], false),
            ("sc61d", Some("api"), [None, None], true),
            ("mine", None, [Some("mine"), None], true),
            ("kept", None, [None, Some("kept")], true),
        ] {
            assert_eq!(
                is_original((uid, provenance), &owners(), RESOURCE, named),
                expected,
                "{uid} {provenance:?} {named:?}"
            );
        }
    }

    #[test]
    fn a_uid_that_is_derived_from_another_resource_cannot_be_given_by_hand() {
        let derived = |id: &str, name: &str| Owner::parse(id).unwrap().rule_uid("shop", name);
        let is_taken = |uid: &str| check(Some(uid), &owners(), RESOURCE).is_ok();
        assert!(check(None, &owners(), RESOURCE).is_ok());
        for own in [
            "mine",
            "aw-mine",
            &derived("new", "errors"),
            &derived("older", "errors"),
        ] {
            assert!(is_taken(own), "{own}");
        }
        for other in [
            derived("new", "latency"),
            derived("old", "latency"),
            derived("other", "errors"),
            derived("new", "latency").to_uppercase(),
            derived("new", "errors").to_uppercase(),
        ] {
            assert!(!is_taken(&other), "{other}");
        }
        let message = check(Some(&derived("new", "latency")), &owners(), RESOURCE)
            .unwrap_err()
            .message;
        assert!(
            message.starts_with("spec.uid: ") && message.contains("leave uid out"),
            "{message}"
        );
    }

    #[test]
    fn doubles_are_what_former_owner_ids_made_besides() {
        let rules = [
            ("a", "new"),
            ("b", "old"),
            ("c", "older"),
            ("d", "other"),
            ("e", "new"),
        ];
        let marked = |mark: &str| marked_among(&rules, mark);
        assert_eq!(doubles("a", &owners(), RESOURCE, marked), ["b", "c"]);
        assert_eq!(doubles("b", &owners(), RESOURCE, marked), ["c"]);
    }
}
