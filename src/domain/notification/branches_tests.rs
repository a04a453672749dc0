use std::collections::BTreeSet;

use proptest::prelude::*;
use regex::Regex;
use serde_json::json;

use super::*;
use crate::domain::notification::policy;
use crate::domain::notification::receiver::Target;
use crate::domain::notification::tree;
use crate::domain::ownership::{LABEL, Owner, Owners};

const NAMESPACES: [&str; 3] = ["shop", "shop-2", "bank.eu"];

fn owners() -> Owners {
    Owners::new(Owner::parse("prod").unwrap(), &["old".to_owned()])
}

/// A branch as the specification says it, called `namespace/name`; each contact point is called after itself, below the namespace.
fn branch_of(resource: &str, spec: serde_json::Value) -> Branch {
    let (namespace, name) = resource.split_once('/').unwrap();
    let spec: crate::api::NotificationPolicySpec = serde_json::from_value(spec).unwrap();
    let pattern = owners().namespace_pattern(namespace);
    let route = policy::branch(
        &spec,
        Some(&pattern),
        |target| match target {
            Target::ContactPoint { name, .. } => Ok(format!("{namespace}/{name}")),
            Target::Grafana { name } => Ok(name.clone()),
        },
        |interval| Ok(format!("{interval:?}")),
    );
    Branch {
        resource: (namespace.to_owned(), name.to_owned()),
        priority: spec.priority.unwrap_or(0),
        route: marked(route.unwrap(), &format!("prod/{resource}")),
    }
}

fn root() -> Route {
    let routes = json!([{"receiver": "pager", "object_matchers": [["severity", "=", "critical"]]}, {"receiver": "chat"}]);
    serde_json::from_value(json!({"receiver": "ops", "routes": routes})).unwrap()
}

/// The labels of an alert of a rule of this namespace.
fn alert<'a>(namespace: &str, labels: &[(&'a str, &'a str)]) -> BTreeMap<&'a str, String> {
    let owner = (LABEL, format!("prod/{namespace}/rule"));
    let labels = labels.iter().map(|(label, value)| (*label, (*value).to_owned()));
    labels.chain([owner]).collect()
}

/// Who gets an alert, as Alertmanager walks a tree; `None` if the route doesn't take it.
fn reached(route: &Route, alert: &BTreeMap<&str, String>) -> Option<Vec<String>> {
    let matches = route.object_matchers.iter().all(|(label, operator, value)| {
        let found = alert.get(label.as_str()).map_or("", String::as_str);
        let fits = || Regex::new(&format!("^(?:{value})$")).unwrap().is_match(found);
        match operator.as_str() {
            "=" => found == value,
            "!=" => found != value,
            "=~" => fits(),
            _ => !fits(),
        }
    });
    if !matches {
        return None;
    }
    let mut all = Vec::new();
    for child in &route.routes {
        if let Some(more) = reached(child, alert) {
            all.extend(more);
            if !child.r#continue {
                break;
            }
        }
    }
    if all.is_empty() {
        all.extend(route.receiver.clone());
    }
    Some(all)
}

fn names(tree: &Route) -> Vec<&str> {
    tree.routes.iter().filter_map(mark).collect()
}

#[test]
fn branches_stand_before_the_roots_own_routes_by_priority_then_namespace_then_name() {
    let any =
        |resource: &str, priority: i32| branch_of(resource, json!({"receiver": "a", "priority": priority}));
    let branches = vec![
        any("b/x", 0),
        any("a/z", 0),
        any("z/a", 10),
        any("a/a", -1),
        any("a/b", 0),
    ];
    let tree = assemble(root(), branches);
    assert_eq!(
        names(&tree),
        ["prod/z/a", "prod/a/b", "prod/a/z", "prod/b/x", "prod/a/a"]
    );
    assert_eq!(tree.routes[5..], root().routes);
    assert_eq!(tree.receiver, root().receiver);
    assert_eq!(assemble(root(), Vec::new()), root());
}

#[test]
fn what_a_branch_takes_goes_on_to_the_root_unless_it_is_exclusive() {
    let tree_with = |exclusive: Option<bool>| {
        let mut spec = json!({
            "receiver": "team", "matchers": ["severity!=\"info\""],
            "routes": [{"receiver": "phone", "matchers": ["severity=\"critical\""]}],
        });
        if let Some(exclusive) = exclusive {
            spec["exclusive"] = json!(exclusive);
        }
        assemble(root(), vec![branch_of("shop/own", spec)])
    };
    let gets = |tree: &Route, namespace: &str, severity: &str| {
        reached(tree, &alert(namespace, &[("severity", severity)])).unwrap()
    };
    for (exclusive, severity, expected) in [
        (None, "critical", vec!["shop/phone", "pager"]),
        (Some(false), "critical", vec!["shop/phone", "pager"]),
        (Some(false), "low", vec!["shop/team", "chat"]),
        (Some(true), "critical", vec!["shop/phone"]),
        (Some(true), "low", vec!["shop/team"]),
        (Some(true), "info", vec!["chat"]),
    ] {
        let tree = tree_with(exclusive);
        assert_eq!(
            gets(&tree, "shop", severity),
            expected,
            "{exclusive:?} {severity}"
        );
        let others = gets(&tree, "shop-2", severity);
        assert_eq!(others, [if severity == "critical" { "pager" } else { "chat" }]);
    }
}

#[test]
fn an_exclusive_branch_of_a_higher_priority_keeps_alerts_from_one_of_its_namespace_behind_it() {
    let first = branch_of(
        "shop/z",
        json!({"receiver": "first", "exclusive": true, "priority": 1}),
    );
    let second = branch_of("shop/a", json!({"receiver": "second", "exclusive": true}));
    let tree = assemble(root(), vec![second, first]);
    assert_eq!(reached(&tree, &alert("shop", &[])).unwrap(), ["shop/first"]);
}

#[test]
fn alerts_of_rules_that_still_carry_a_former_mark_reach_the_branch_too() {
    let tree = assemble(
        root(),
        vec![branch_of(
            "shop/own",
            json!({"receiver": "team", "exclusive": true}),
        )],
    );
    let former = BTreeMap::from([(LABEL, "old/shop/rule".to_owned())]);
    assert_eq!(reached(&tree, &former).unwrap(), ["shop/team"]);
    let nobodys = BTreeMap::new();
    assert_eq!(reached(&tree, &nobodys).unwrap(), ["chat"]);
}

#[test]
fn the_mark_of_a_branch_is_neither_that_of_the_tree_nor_one_that_people_have_written() {
    let branch = branch_of("shop/own", json!({"receiver": "team"}));
    let tree = tree::marked(assemble(root(), vec![branch.clone()]), "prod/infra/root");
    assert_eq!(tree::mark(&tree), Some("prod/infra/root"));
    assert_eq!(names(&tree), ["prod/shop/own"]);
    assert_eq!(find(&tree, "prod/shop/own"), Some(&branch.route));
    assert_eq!(find(&tree, "prod/infra/root"), None);
    let mut written = branch.route.clone();
    written.object_matchers.last_mut().unwrap().1 = "=".to_owned();
    assert_eq!(mark(&written), None, "a mark matches all alerts");
    let standing = Standing {
        position: 1,
        digest: digest(&branch.route),
    };
    assert_eq!(standings(&tree), BTreeMap::from([("prod/shop/own", standing)]));
}

#[test]
fn matchers_on_the_label_of_marks_are_refused() {
    let spec = json!({"receiver": "a", "matchers": ["__alertwright_tree__!=\"prod/shop/own\""]});
    let spec: crate::api::NotificationPolicySpec = serde_json::from_value(spec).unwrap();
    let refusal = policy::branch(&spec, None, |_| Ok("a".to_owned()), |_| Ok("b".to_owned())).unwrap_err();
    assert_eq!(
        refusal.message,
        "spec.matchers[0]: __alertwright_tree__ is the operator's own label"
    );
}

/// Any branch of one of the namespaces.
fn any_branch() -> impl Strategy<Value = (String, serde_json::Value)> {
    let matcher = prop::sample::select(vec![
        "severity=\"critical\"",
        "severity!~\"critical|high\"",
        "team=~\".*\"",
        "team=\"\"",
        "__alertwright__=~\".*\"",
    ]);
    let matchers = prop::collection::vec(matcher, 0..3);
    let resource =
        (0..NAMESPACES.len(), "[a-c]{1,2}").prop_map(|(i, name)| format!("{}/{name}", NAMESPACES[i]));
    (resource, matchers.clone(), matchers, -2..3i32, any::<bool>(), any::<bool>()).prop_map(
        |(resource, own, below, priority, exclusive, goes_on)| {
            let routes = json!([{"matchers": below, "continue": goes_on, "receiver": "below"}, {"receiver": "rest"}]);
            let spec = json!({
                "receiver": "own", "matchers": own, "priority": priority, "exclusive": exclusive, "routes": routes,
            });
            (resource, spec)
        },
    )
}

/// Any branches, each of another resource.
fn any_branches() -> impl Strategy<Value = Vec<Branch>> {
    prop::collection::btree_map("[a-z]{4}", any_branch(), 0..6).prop_map(|all| {
        let mut seen = BTreeSet::new();
        all.into_values()
            .filter(|(resource, _)| seen.insert(resource.clone()))
            .map(|(resource, spec)| branch_of(&resource, spec))
            .collect()
    })
}

fn any_alert() -> impl Strategy<Value = (&'static str, BTreeMap<&'static str, String>)> {
    let severity = prop::sample::select(vec!["", "critical", "high", "low"]);
    (
        0..NAMESPACES.len(),
        severity,
        prop::sample::select(vec!["", "web"]),
    )
        .prop_map(|(i, severity, team)| {
            (
                NAMESPACES[i],
                alert(NAMESPACES[i], &[("severity", severity), ("team", team)]),
            )
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_same_branches_in_any_order_make_the_same_tree((branches, other) in any_branches()
        .prop_flat_map(|all| (Just(all.clone()), Just(all).prop_shuffle())))
    {
        prop_assert_eq!(assemble(root(), branches), assemble(root(), other));
    }

    #[test]
    fn no_branch_ever_catches_an_alert_of_another_namespace(branches in any_branches(), (namespace, alert) in any_alert()) {
        let tree = assemble(root(), branches);
        for receiver in reached(&tree, &alert).unwrap() {
            if let Some((theirs, _)) = receiver.split_once('/') {
                prop_assert_eq!(theirs, namespace);
            }
        }
    }

    #[test]
    fn alerts_that_no_branch_takes_go_where_they_would_without_branches(branches in any_branches(), (_, alert) in any_alert()) {
        let is_taken = branches.iter().any(|branch| reached(&branch.route, &alert).is_some());
        let is_kept = branches.iter().any(|branch| !branch.route.r#continue && reached(&branch.route, &alert).is_some());
        let tree = assemble(root(), branches);
        let (with, without) = (reached(&tree, &alert).unwrap(), reached(&root(), &alert).unwrap());
        if !is_taken {
            prop_assert_eq!(&with, &without);
        }
        if !is_kept {
            prop_assert!(with.ends_with(&without), "{:?} {:?}", with, without);
        }
    }

    #[test]
    fn taking_a_branch_away_leaves_the_tree_without_its_route_and_nothing_else_changed(
        branches in any_branches(), which in any::<prop::sample::Index>())
    {
        prop_assume!(!branches.is_empty());
        let mut rest = branches.clone();
        let gone = rest.remove(which.index(branches.len()));
        let mut tree = assemble(root(), branches);
        tree.routes.retain(|route| mark(route) != mark(&gone.route));
        prop_assert_eq!(tree, assemble(root(), rest));
    }
}
