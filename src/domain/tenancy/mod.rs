//! Who may do what with an instance, and whether two instances are one Grafana.

pub mod selector;

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use kube::core::SelectorExt;
use url::Url;

use crate::api::condition::Reason;
use crate::api::grafana_instance::{Auth, Namespaces};
use crate::api::reference::{SecretKeyRef, ValueSource};
use crate::api::{ANNOTATION_SHARED_WITH, GrafanaInstanceSpec};
use crate::domain::refusal::Refusal;

/// A namespace, with its labels where they are known.
#[derive(Debug, Clone, Copy)]
pub struct Tenant<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its labels; `None` where it can't be seen, and no selector chooses it then.
    pub labels: Option<&'a BTreeMap<String, String>>,
}

/// Whether the owner of a resource shares it with a namespace, by the list of these in its annotation.
pub fn is_shared_with(list: Option<&str>, namespace: &str) -> bool {
    let entries = list.unwrap_or_default().split(',').map(str::trim);
    entries
        .filter(|entry| !entry.is_empty())
        .any(|entry| entry == "*" || entry == namespace)
}

/// Fails where a resource isn't shared with the namespace `from` that refers to it, by the list in its annotation.
pub fn refuse_unshared(
    kind: &str,
    (namespace, name): (&str, &str),
    from: &str,
    list: Option<&str>,
) -> Result<(), Refusal> {
    if namespace == from || is_shared_with(list, from) {
        return Ok(());
    }
    Err(Refusal::missing(format!(
        "{kind} {namespace}/{name} isn't shared with namespace {from}; its owner can, with the annotation {ANNOTATION_SHARED_WITH}"
    )))
}

/// Fails where a resource that is referred to is for other GrafanaInstances.
pub fn refuse_other_instance(
    kind: &str,
    (namespace, name): (&str, &str),
    instances: &[impl AsRef<str>],
    instance: &str,
) -> Result<(), Refusal> {
    let all: Vec<&str> = instances.iter().map(AsRef::as_ref).collect();
    if all.contains(&instance) {
        return Ok(());
    }
    Err(Refusal::new(
        Reason::Invalid,
        format!(
            "{kind} {namespace}/{name} is for GrafanaInstance {}, not for {instance}",
            all.join(", ")
        ),
    ))
}

/// The selector of the namespaces that may use the instance, if it has one.
pub fn selector(spec: &GrafanaInstanceSpec) -> Option<&LabelSelector> {
    spec.allowed_namespaces.as_ref()?.selector.as_ref()
}

/// What is wrong with that selector, if something is.
pub fn check(spec: &GrafanaInstanceSpec) -> Result<(), Refusal> {
    selector::of(selector(spec))
        .map(|_| ())
        .map_err(|mistake| Refusal::new(Reason::Invalid, format!("spec.allowedNamespaces.{mistake}")))
}

/// Whether resources of a namespace may use the instance: all may where it doesn't say.
pub fn may_use(spec: &GrafanaInstanceSpec, tenant: Tenant<'_>) -> bool {
    let Some(allowed) = &spec.allowed_namespaces else {
        return true;
    };
    let is_selected = |selector, labels| {
        let selector = selector::of(Some(selector));
        selector.is_ok_and(|selector| selector.matches(labels))
    };
    allowed.names.iter().any(|name| name == tenant.name)
        || allowed
            .selector
            .as_ref()
            .zip(tenant.labels)
            .is_some_and(|(selector, labels)| is_selected(selector, labels))
}

/// Whether a namespace may hold the policy tree: all that may use the instance where it doesn't say.
pub fn may_hold_tree(spec: &GrafanaInstanceSpec, tenant: Tenant<'_>) -> bool {
    may_use(spec, tenant) && may_be_root(spec, tenant.name)
}

/// Whether a namespace may hold the policy tree if it may use the instance.
pub fn may_be_root(spec: &GrafanaInstanceSpec, namespace: &str) -> bool {
    spec.root_policy_namespaces
        .as_ref()
        .is_none_or(|allowed| allowed.contains(namespace))
}

/// Whether resources of a namespace may take over what somebody else made in Grafana. Where the instance doesn't say, all may if it is
/// open to all, and none if it is open to some only. `home`, the operator's own namespace, always may.
pub fn may_adopt(spec: &GrafanaInstanceSpec, namespace: &str, home: &str) -> bool {
    namespace == home
        || spec
            .adopt_namespaces
            .as_ref()
            .map_or(spec.allowed_namespaces.is_none(), |may| may.contains(namespace))
}

/// What a resource takes over of what somebody else made in Grafana.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Adoption {
    /// Whatever has its name: it asks for that, and may.
    Asked,
    /// What is as it should be, so that nothing is lost by it.
    Equal,
    /// Nothing: its namespace may not.
    Forbidden,
}

/// Whether silences of a namespace may cover alerts of others; those of `home`, the operator's own namespace, always may.
pub fn is_unrestricted(spec: &GrafanaInstanceSpec, namespace: &str, home: &str) -> bool {
    let unrestricted = spec.unrestricted_namespaces.as_ref();
    namespace == home || unrestricted.is_some_and(|may: &Namespaces| may.contains(namespace))
}

/// Names the Grafana and organisation that an instance is for, as far as that can be known: its address, and the
/// organisation that Grafana has `told` of, or else the one that the instance asks for, or else who logs in. Two instances whose
/// places are equal are for the same one.
pub fn place(instance: &str, spec: &GrafanaInstanceSpec, told: Option<i64>) -> String {
    let Some(address) = address(spec) else {
        return format!("instance {instance}");
    };
    match told.or(spec.org_id) {
        Some(id) => format!("{address} (organisation {id})"),
        None => format!("{address} as {}", user(&spec.auth)),
    }
}

/// Where an instance's Grafana is.
fn address(spec: &GrafanaInstanceSpec) -> Option<String> {
    let url = Url::parse(&spec.url).ok()?;
    Some(url.as_str().trim_end_matches('/').to_owned())
}

/// Whether an instance may turn out to be for the same Grafana and organisation as another one whose place is a different one, because
/// Grafana hasn't told the organisation of one of them.
pub fn may_be_one(
    one: (&GrafanaInstanceSpec, Option<i64>),
    other: (&GrafanaInstanceSpec, Option<i64>),
) -> bool {
    let is_told = one.1.is_some() && other.1.is_some();
    !is_told && address(one.0).is_some() && address(one.0) == address(other.0)
}

/// Who logs in, by the Secrets that say so.
fn user(auth: &Auth) -> String {
    let token = auth.token.as_ref().map(|token| secret(&token.secret_key_ref));
    let basic = auth.basic.as_ref().map(|basic| text(&basic.username));
    token.or(basic).unwrap_or_default()
}

fn text(source: &ValueSource) -> String {
    match (&source.value, &source.secret_key_ref) {
        (Some(value), _) => value.clone(),
        (None, Some(reference)) => secret(reference),
        (None, None) => String::new(),
    }
}

fn secret(reference: &SecretKeyRef) -> String {
    format!("Secret {}/{}", reference.name, reference.key)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, from_value, json};

    use super::*;

    fn spec(more: &Value) -> GrafanaInstanceSpec {
        let mut spec = json!({
            "url": "http://grafana:3000",
            "auth": {"token": {"secretKeyRef": {"name": "grafana", "key": "token"}}},
        });
        spec.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        from_value(spec).unwrap()
    }

    #[test]
    fn a_resource_is_shared_with_whom_its_owner_names() {
        for (list, namespace, expected) in [
            (None, "a", false),
            (Some(""), "a", false),
            (Some("b, a"), "a", true),
            (Some("b,aa"), "a", false),
            (Some("*"), "a", true),
            // A namespace that isn't written down is none that is named.
            (Some("b,"), "", false),
        ] {
            assert_eq!(
                is_shared_with(list, namespace),
                expected,
                "{list:?}, {namespace:?}"
            );
        }
    }

    #[test]
    fn who_may_not_use_an_instance_may_not_hold_its_tree_either() {
        let tenant = |name| Tenant { name, labels: None };
        let open = spec(&json!({}));
        assert!(may_use(&open, tenant("a")) && may_hold_tree(&open, tenant("a")));
        let closed = spec(&json!({
            "allowedNamespaces": {"names": ["a", "b"]},
            "rootPolicyNamespaces": {"names": ["b", "c"]},
        }));
        let of = |namespace| {
            (
                may_use(&closed, tenant(namespace)),
                may_hold_tree(&closed, tenant(namespace)),
            )
        };
        assert_eq!(
            [of("a"), of("b"), of("c"), of("d")],
            [(true, false), (true, true), (false, false), (false, false)]
        );
    }

    #[test]
    fn namespaces_are_chosen_by_name_or_by_labels_and_by_no_selector_that_is_wrong_or_where_they_cannot_be_seen()
     {
        let both = spec(&json!({"allowedNamespaces": {
            "names": ["named"], "selector": {"matchExpressions": [{"key": "team", "operator": "In", "values": ["shop", "web"]}]},
        }}));
        let of = |spec: &GrafanaInstanceSpec, name, labels: Option<&str>| {
            let labels = labels.map(|team| BTreeMap::from([("team".to_owned(), team.to_owned())]));
            may_use(
                spec,
                Tenant {
                    name,
                    labels: labels.as_ref(),
                },
            )
        };
        let answers = [
            ("named", None),
            ("named", Some("x")),
            ("a", Some("web")),
            ("a", Some("x")),
            ("a", None),
        ];
        assert_eq!(
            answers.map(|(name, labels)| of(&both, name, labels)),
            [true, true, true, false, false]
        );
        assert_eq!(check(&both), Ok(()));
        let all = spec(&json!({"allowedNamespaces": {"selector": {}}}));
        assert!(of(&all, "a", Some("x")) && !of(&all, "a", None));
        let wrong = spec(
            &json!({"allowedNamespaces": {"selector": {"matchExpressions": [{"key": "team", "operator": "Not"}]}}}),
        );
        assert!(!of(&wrong, "a", Some("x")));
        let mistake = check(&wrong).unwrap_err().message;
        assert!(
            mistake.starts_with("spec.allowedNamespaces.selector.matchExpressions[0].operator: "),
            "{mistake}"
        );
    }

    #[test]
    fn all_may_adopt_until_the_instance_is_closed_to_some_or_names_who_may() {
        let closed = json!({"allowedNamespaces": {"names": ["a"]}});
        let named = json!({"adoptNamespaces": {"names": ["a"]}});
        let both = json!({"allowedNamespaces": {"names": ["a", "b"]}, "adoptNamespaces": {"names": ["b"]}});
        for (what, spec, expected) in [
            ("open", spec(&json!({})), [true, true, true]),
            ("closed", spec(&closed), [false, false, true]),
            ("named", spec(&named), [true, false, true]),
            ("both", spec(&both), [false, true, true]),
        ] {
            let may = ["a", "b", "home"].map(|namespace| may_adopt(&spec, namespace, "home"));
            assert_eq!(may, expected, "{what}");
        }
    }

    #[test]
    fn silences_cover_alerts_of_other_namespaces_only_from_home_and_where_the_instance_says_so() {
        let named = json!({"unrestrictedNamespaces": {"names": ["a"]}});
        for (what, spec, expected) in [
            ("unsaid", spec(&json!({})), [false, false, true]),
            ("named", spec(&named), [true, false, true]),
        ] {
            let may = ["a", "b", "home"].map(|namespace| is_unrestricted(&spec, namespace, "home"));
            assert_eq!(may, expected, "{what}");
        }
    }

    #[test]
    fn two_instances_are_in_one_place_only_where_that_is_sure() {
        let basic = |user: &str| json!({"username": {"value": user}, "password": {"secretKeyRef": {"name": "s", "key": "p"}}});
        let here = place("one", &spec(&json!({})), None);
        for (what, other, same) in [
            ("the same", json!({}), true),
            ("a slash more", json!({"url": "http://Grafana:3000/"}), true),
            ("another address", json!({"url": "http://grafana:3001"}), false),
            (
                "another token",
                json!({"auth": {"token": {"secretKeyRef": {"name": "grafana", "key": "other"}}}}),
                false,
            ),
            ("a user", json!({"auth": {"basic": basic("admin")}}), false),
        ] {
            assert_eq!(place("two", &spec(&other), None) == here, same, "{what}");
        }
        let below = |url: &str| place("x", &spec(&json!({"url": url})), None);
        assert_eq!(below("http://grafana/sub"), below("http://grafana/sub/"));
        let organisation = |user: &str, id: i64| {
            place(
                "x",
                &spec(&json!({"auth": {"basic": basic(user)}, "orgID": id})),
                None,
            )
        };
        assert_eq!(organisation("admin", 2), organisation("other", 2));
        assert_ne!(organisation("admin", 2), organisation("admin", 3));
        // What Grafana tells counts for more than what is asked for: a token is of one organisation whatever the header says.
        let told = |more: Value, told| place("x", &spec(&more), told);
        assert_eq!(told(json!({}), Some(2)), told(json!({"orgID": 3}), Some(2)));
        assert_eq!(told(json!({}), Some(3)), told(json!({"orgID": 3}), None));
        // An address that is none has no place but its own.
        let broken = spec(&json!({"url": "nonsense"}));
        assert_ne!(place("one", &broken, None), place("two", &broken, None));
    }

    #[test]
    fn two_places_may_turn_out_to_be_one_until_grafana_has_told_both_organisations() {
        let here = spec(&json!({}));
        let sub = spec(&json!({"url": "http://grafana:3000/sub"}));
        let broken = spec(&json!({"url": "nonsense"}));
        for (one, other, expected) in [
            ((&here, None), (&here, Some(1)), true),
            ((&here, Some(2)), (&here, Some(1)), false),
            ((&here, None), (&sub, None), false),
            ((&broken, None), (&broken, None), false),
        ] {
            assert_eq!(may_be_one(one, other), expected, "{one:?} {other:?}");
        }
    }
}
