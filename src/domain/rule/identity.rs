//! Under which uid Grafana holds a resource's rule.

use crate::domain::ownership::Owners;

/// The uid of a resource's rule: the one that is given by hand (`spec.uid`), or the one that is derived from the resource. A rule that an
/// operator with a former owner id has made, or that was taken over from one, keeps the uid that it has, and with it its history in
/// Grafana and the links to it; `reported` is the one that the resource's status names.
///
/// `is_absent` says that Grafana surely has no rule of a uid; `marked` names the rules that carry a mark (`ownerID/namespace/name`).
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
