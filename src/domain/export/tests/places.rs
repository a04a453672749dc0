//! Where a rule would be, and as whose.

use std::collections::BTreeSet;

use super::rules::{by_hand, held, only, stored};
use super::*;
use crate::api::AlertRuleSpec;

#[test]
fn a_rule_of_ours_keeps_its_name_in_its_namespace_and_is_told_where_another_one_would_be_made() {
    let spec: AlertRuleSpec =
        serde_json::from_value(json!({"query": r#"rate({app="a"} [5m])"#, "datasource": {"uid": "loki"}}))
            .unwrap();
    let mut both = ["shop", "web"].map(|namespace| {
        let mut rule = stored(&spec, "errors");
        rule.labels
            .insert(OWNER_LABEL.to_owned(), format!("prod/{namespace}/errors"));
        rule
    });
    both[1].uid = owners().now().rule_uid("web", "errors");
    let ours = |namespace: Option<&str>| Asked {
        includes_ours: true,
        namespace: namespace.map(str::to_owned),
        ..asked()
    };
    let export = exported(&held(both.to_vec()), &ours(None));
    let names = export
        .resources
        .iter()
        .map(|one| (one.namespace.as_deref(), one.name.as_str()));
    assert_eq!(
        names.collect::<BTreeSet<_>>(),
        BTreeSet::from([(Some("shop"), "errors"), (Some("web"), "errors")])
    );
    assert!(export.is_whole());
    let export = exported(&held(both.to_vec()), &ours(Some("web")));
    let lost: Vec<_> = export.resources.iter().flat_map(|one| &one.lost).collect();
    assert_eq!(lost.len(), 1, "{lost:?}");
    assert!(lost[0].contains("that of AlertRule "), "{lost:?}");
}

#[test]
fn a_folder_whose_parents_nobody_showed_is_named_by_its_uid() {
    let mut held = held(vec![by_hand()]);
    held.folders[0].parent_uid = Some("hidden".to_owned());
    let export = exported(&held, &asked());
    let (_, spec) = only(&export);
    assert_eq!((spec.get("folder"), &spec["folderUID"]), (None, &json!("f")));
}

#[test]
fn labels_that_the_instance_would_add_are_told() {
    let asked = Asked {
        labels: BTreeMap::from([("cluster".to_owned(), "prod".to_owned())]),
        ..asked()
    };
    let export = exported(&held(vec![by_hand()]), &asked);
    assert!(only(&export).0.changes.contains(&"labels".to_owned()));
}

#[test]
fn what_is_asked_for_and_is_not_there_is_told_with_what_was_probably_meant() {
    let held = held(vec![by_hand()]);
    let rule = held.rules[0].clone();
    let folder = held.folders[0].title.clone();
    let list = |text: &str| vec![text.to_owned()];
    let unmet = |folders: Vec<String>, groups: Vec<String>, rules: Vec<String>| {
        let asked = Asked {
            folders,
            groups,
            rules,
            ..asked()
        };
        exported(&held, &asked).unmet
    };
    let none = Vec::new;
    assert_eq!(unmet(list(&folder), none(), list(&rule.title)), None);
    assert_eq!(unmet(list(&rule.folder_uid), none(), list(&rule.uid)), None);
    let slip = format!("{folder}s");
    assert_eq!(
        unmet(list(&slip), none(), none()),
        Some(format!("no rule is in folder {slip:?}; there is {folder:?}"))
    );
    assert_eq!(
        unmet(none(), list("nonsense"), none()),
        Some("no rule is of group \"nonsense\"".to_owned())
    );
    assert!(unmet(none(), none(), vec![rule.title.clone(), "nonsense".to_owned()]).is_some());
    assert_eq!(unmet(none(), none(), none()), None);
}

#[test]
fn a_rule_whose_folder_is_gone_is_told_and_may_be_asked_for() {
    let stray = |uid: &str, mark: Option<&str>| AlertRule {
        uid: uid.to_owned(),
        title: format!("Stray {uid}"),
        folder_uid: "gone".to_owned(),
        labels: mark
            .map(|mark| (OWNER_LABEL.to_owned(), mark.to_owned()))
            .into_iter()
            .collect(),
        ..AlertRule::default()
    };
    let held = Holdings {
        astray: vec![stray("a", None), stray("b", None), stray("c", Some("own/shop/c"))],
        ..held(Vec::new())
    };
    let of = |asked: Asked| {
        let export = exported(&held, &asked);
        let left = export
            .left
            .iter()
            .map(|left| left.called.clone())
            .collect::<Vec<_>>();
        (left, export.ours, export.unmet, export.resources.len())
    };
    assert_eq!(
        of(Asked::default()),
        (vec!["Stray a".to_owned(), "Stray b".to_owned()], 1, None, 0)
    );
    let one = Asked {
        rules: vec!["Stray b".to_owned()],
        ..Asked::default()
    };
    assert_eq!(of(one), (vec!["Stray b".to_owned()], 0, None, 0));
    let export = exported(&held, &Asked::default());
    assert!(
        !export.is_whole() && export.left[0].why.contains("of uid gone"),
        "{:?}",
        export.left
    );
    let others = Asked {
        kinds: [Kind::Silence].into(),
        ..Asked::default()
    };
    assert_eq!(of(others), (Vec::new(), 0, None, 0));
}
