use serde_json::{Value, from_value, json};

use super::*;
use crate::api::{ContactPoint, NotificationPolicy, TimeInterval};

fn all() -> AllClaims {
    AllClaims::new(Owner::parse("own").unwrap(), Arc::default())
}

fn instance(more: &Value) -> GrafanaInstanceSpec {
    let mut spec = json!({
        "url": "http://grafana:3000",
        "auth": {"token": {"secretKeyRef": {"name": "grafana", "key": "token"}}},
    });
    spec.as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    from_value(spec).unwrap()
}

/// A resource that was created in this second of a minute.
fn object<K: Claiming>(path: &str, second: u8, spec: &Value) -> K {
    let (namespace, name) = path.split_once('/').unwrap();
    let created = format!("2026-01-01T00:00:{second:02}Z");
    from_value(json!({
        "apiVersion": "alerting.letsrevel.io/v1alpha1", "kind": K::KIND,
        "metadata": {"name": name, "namespace": namespace, "creationTimestamp": created},
        "spec": spec,
    }))
    .unwrap()
}

fn rule(path: &str, second: u8, more: &Value) -> AlertRule {
    let mut spec = json!({"query": "up == 0", "title": "Same", "group": "same"});
    spec.as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    object(path, second, &spec)
}

fn tree(path: &str, second: u8, instance: &str) -> NotificationPolicy {
    object(path, second, &json!({"receiver": "x", "instance": instance}))
}

fn point(path: &str, second: u8) -> ContactPoint {
    object(path, second, &json!({"name": "oncall", "integrations": []}))
}

fn paths(affected: &[Claimant]) -> Vec<String> {
    affected.iter().map(Claimant::path).collect()
}

/// Who stands before a rule with its title and its group.
fn ahead(all: &AllClaims, rule: &AlertRule) -> (Option<String>, Option<String>) {
    let place = || all.place(rule.instance());
    let title = Key::Title(place(), all.folder(rule), "Same".into());
    let group = Key::Group(place(), all.folder(rule), "same".into());
    let of = |key| all.ahead(&key, rule).map(|(claimant, _)| claimant.path());
    (of(title), of(group))
}

fn holder<K: Claiming>(all: &AllClaims, key: &Key) -> Option<String> {
    all.first::<K>(key).map(|(claimant, _)| claimant.path())
}

#[test]
fn who_may_not_use_an_instance_claims_nothing_in_it_and_does_when_it_may_later() {
    let all = all();
    let only = |names: &[&str]| instance(&json!({"allowedNamespaces": {"names": names}}));
    assert!(all.set_ground("default", Some(&only(&["revel"]))));
    let (older, younger) = (point("tenant/oncall", 1), point("revel/oncall", 2));
    let (older_rule, younger_rule) = (
        rule("tenant/r", 1, &json!({"folder": "F"})),
        rule("revel/r", 2, &json!({"folder": "F"})),
    );
    let note = || {
        let mut affected = paths(&all.note(&older));
        affected.extend(paths(&all.note(&younger)));
        affected.extend(paths(&all.note(&older_rule)));
        affected.extend(paths(&all.note(&younger_rule)));
        affected
    };
    note();
    let name = Key::ContactPoint(all.place("default"), "oncall".into());
    assert_eq!(
        holder::<ContactPoint>(&all, &name).as_deref(),
        Some("revel/oncall")
    );
    assert_eq!(ahead(&all, &younger_rule), (None, None));

    // The same again is no news.
    assert!(!all.set_ground("default", Some(&only(&["revel"]))));
    assert!(all.set_ground("default", Some(&only(&["revel", "tenant"]))));
    assert_eq!(note(), ["revel/oncall", "revel/r"], "they are told");
    assert_eq!(
        holder::<ContactPoint>(&all, &name).as_deref(),
        Some("tenant/oncall")
    );
    let older_path = || Some("tenant/r".to_owned());
    assert_eq!(ahead(&all, &younger_rule), (older_path(), older_path()));

    assert!(all.set_ground("default", Some(&only(&["revel"]))));
    assert_eq!(note(), ["revel/oncall", "revel/r"], "and told again");
    assert_eq!(
        holder::<ContactPoint>(&all, &name).as_deref(),
        Some("revel/oncall")
    );
}

#[test]
fn who_may_not_hold_the_tree_does_not_claim_it() {
    let all = all();
    let only = instance(&json!({"rootPolicyNamespaces": {"names": ["revel"]}}));
    let (older, younger) = (
        tree("tenant/tree", 1, "default"),
        tree("revel/tree", 2, "default"),
    );
    // The resources may be listed before the instance is.
    all.note(&older);
    all.note(&younger);
    assert!(all.set_ground("default", Some(&only)));
    all.note(&older);
    all.note(&younger);
    let key = Key::Tree(all.place("default"), TreeName::default());
    assert_eq!(
        holder::<NotificationPolicy>(&all, &key).as_deref(),
        Some("revel/tree")
    );
    assert!(all.set_ground("default", None));
    all.note(&older);
    let key = Key::Tree(all.place("default"), TreeName::default());
    assert_eq!(
        holder::<NotificationPolicy>(&all, &key).as_deref(),
        Some("tenant/tree")
    );
}

#[test]
fn a_folder_by_title_and_by_uid_is_one_folder_once_its_uid_is_known() {
    let all = all();
    all.set_ground("default", Some(&instance(&json!({"folderPrefix": "Prod "}))));
    let by_title = rule("a/older", 1, &json!({"folder": "Shop"}));
    let by_uid = rule("a/younger", 2, &json!({"folderUID": "f1"}));
    all.note(&by_title);
    all.note(&by_uid);
    assert_eq!(ahead(&all, &by_uid), (None, None), "nobody knows yet");
    assert_eq!(paths(&all.settle(&by_title, "f1")), ["a/younger"]);
    let older = || Some("a/older".to_owned());
    assert_eq!(ahead(&all, &by_uid), (older(), older()));
    // What a watch tells of the rule later doesn't take that back.
    assert!(all.note(&by_title).is_empty());
    assert_eq!(ahead(&all, &by_uid), (older(), older()));
    // Another rule of that title is there too, and one of another title isn't.
    let third = rule("a/third", 3, &json!({"folder": "Shop"}));
    all.note(&third);
    assert_eq!(ahead(&all, &third), (older(), older()));
    let elsewhere = rule("a/elsewhere", 3, &json!({"folder": "Other"}));
    all.note(&elsewhere);
    assert_eq!(ahead(&all, &elsewhere), (None, None));
}

#[test]
fn after_a_restart_the_status_says_which_folder_it_was() {
    let all = all();
    all.set_ground("default", Some(&instance(&json!({"folderPrefix": "Prod "}))));
    let mut by_title = rule("a/older", 1, &json!({"folder": "Shop"}));
    let status = json!({"folder": "Prod Shop", "folderUID": "f1"});
    by_title.status = Some(from_value(status).unwrap());
    let by_uid = rule("a/younger", 2, &json!({"folderUID": "f1"}));
    all.note(&by_title);
    all.note(&by_uid);
    let older = || Some("a/older".to_owned());
    assert_eq!(ahead(&all, &by_uid), (older(), older()));
    // It is to lie elsewhere by now.
    by_title.spec.folder = Some("Other".into());
    assert_eq!(paths(&all.note(&by_title)), ["a/younger"]);
    assert_eq!(ahead(&all, &by_uid), (None, None));
}

#[test]
fn an_older_rule_that_comes_into_a_group_sets_its_interval_for_nobody_who_is_in_it() {
    let all = all();
    all.set_ground("default", Some(&instance(&json!({}))));
    let stored = |path: &str, second, interval: &str, group: &str| {
        let mut rule = rule(
            path,
            second,
            &json!({"title": path, "folderUID": "f1", "interval": interval}),
        );
        let status = json!({"uid": path, "folder": "F", "folderUID": "f1", "group": group});
        rule.status = Some(from_value(status).unwrap());
        rule
    };
    let first = stored("plat/first", 2, "1m", "same");
    let second = stored("plat/second", 3, "1m", "same");
    all.note(&second);
    all.note(&first);
    // It was in another group, in another folder, or in none so far.
    let elsewhere = stored("t2/r", 1, "365d", "other");
    let mut moved = stored("t2/r", 1, "365d", "same");
    moved.status.as_mut().unwrap().folder_uid = Some("f2".to_owned());
    let fresh = json!({"title": "t2/r", "folderUID": "f1", "interval": "365d"});
    let fresh = rule("t2/r", 1, &fresh);
    for newcomer in [elsewhere, moved, fresh] {
        assert!(all.note(&newcomer).is_empty());
        let group = Key::Group(all.place("default"), all.folder(&newcomer), "same".into());
        let before = |rule: &AlertRule| {
            all.ahead(&group, rule)
                .map(|(first, seconds)| (first.path(), seconds))
        };
        let is_first = || Some(("plat/first".to_owned(), 60));
        assert_eq!(before(&newcomer), is_first());
        assert_eq!((before(&second), before(&first)), (is_first(), None));
    }
    // All agree on another one: the oldest of those in it leads, and the others follow, whoever comes first.
    assert!(all.note(&stored("plat/second", 3, "5m", "same")).is_empty());
    let told = paths(&all.note(&stored("plat/first", 2, "5m", "same")));
    assert_eq!(told, ["t2/r", "plat/second"]);
    // Who is in it as well counts by age, which is nothing to those who agree with it.
    let joined = stored("t2/r", 1, "5m", "same");
    assert!(all.note(&joined).is_empty());
    let group = Key::Group(all.place("default"), all.folder(&joined), "same".into());
    assert!(all.ahead(&group, &joined).is_none());
}

#[test]
fn what_a_resource_only_may_have_is_not_its() {
    let all = all();
    all.set_ground("default", Some(&instance(&json!({}))));
    let named = |path: &str, second, status: Value| {
        let mut point = point(path, second);
        point.status = Some(from_value(status).unwrap());
        point
    };
    all.note(&named("a/has", 2, json!({"name": "oncall", "types": "slack"})));
    // A write of it may have been on the way when its pass failed.
    all.note(&named("a/may", 1, json!({"name": "oncall"})));
    let key = Key::ContactPoint(all.place("default"), "oncall".into());
    assert_eq!(holder::<ContactPoint>(&all, &key).as_deref(), Some("a/has"));
    let uid = |path: &str, second, status: Value| {
        let mut rule = rule(path, second, &json!({"uid": "mine"}));
        rule.status = Some(from_value(status).unwrap());
        rule
    };
    all.note(&uid("a/has", 2, json!({"uid": "mine", "stored": "x"})));
    all.note(&uid("a/may", 1, json!({"uid": "mine"})));
    let key = Key::Uid(all.place("default"), "mine".into());
    assert_eq!(holder::<AlertRule>(&all, &key).as_deref(), Some("a/has"));
    let interval = |path: &str, second, status: Value| {
        let spec = json!({"name": "nights", "timeIntervals": []});
        let mut interval: TimeInterval = object(path, second, &spec);
        interval.status = Some(from_value(status).unwrap());
        interval
    };
    all.note(&interval("a/has", 2, json!({"name": "nights", "stored": "x"})));
    all.note(&interval("a/may", 1, json!({"name": "nights"})));
    let key = Key::TimeInterval(all.place("default"), "nights".into());
    assert_eq!(holder::<TimeInterval>(&all, &key).as_deref(), Some("a/has"));
}

#[test]
fn two_instances_of_one_grafana_have_one_set_of_names() {
    let all = all();
    all.set_ground("one", Some(&instance(&json!({}))));
    all.set_ground("two", Some(&instance(&json!({"url": "http://grafana:3000/"}))));
    all.set_ground("other", Some(&instance(&json!({"url": "http://elsewhere:3000"}))));
    for (path, second, name) in [("a/tree", 1, "one"), ("b/tree", 2, "two"), ("c/tree", 3, "other")] {
        all.note(&tree(path, second, name));
    }
    let before = |path: &str, second, name: &str| {
        let key = Key::Tree(all.place(name), TreeName::default());
        all.ahead(&key, &tree(path, second, name))
            .map(|(older, _)| older.path())
    };
    assert_eq!(before("b/tree", 2, "two").as_deref(), Some("a/tree"));
    assert_eq!(before("c/tree", 3, "other"), None);
}

#[test]
fn what_grafana_tells_of_organisations_makes_two_instances_one_or_parts_them() {
    let all = all();
    let by =
        |key: &str| instance(&json!({"auth": {"token": {"secretKeyRef": {"name": "grafana", "key": key}}}}));
    all.set_ground("one", Some(&by("one")));
    all.set_ground("two", Some(&by("two")));
    all.set_ground("other", Some(&instance(&json!({"url": "http://elsewhere:3000"}))));
    let answers = |all: &AllClaims| [all.are_one("one", "two"), all.are_one("one", "other")];
    assert_eq!(
        answers(&all),
        [None, Some(false)],
        "two tokens may be of one organisation"
    );
    assert!(all.set_organisation("one", Some(1)));
    assert_eq!(answers(&all), [None, Some(false)]);
    assert!(all.set_organisation("two", Some(2)));
    assert_eq!(answers(&all), [Some(false), Some(false)]);
    assert!(all.set_organisation("two", Some(1)));
    assert_eq!(answers(&all), [Some(true), Some(false)]);
    assert!(!all.set_organisation("two", Some(1)), "no news");
    // Other labels are no other place; another token may be.
    let mut labelled = by("two");
    labelled.labels = [("cluster".to_owned(), "prod".to_owned())].into();
    all.set_ground("two", Some(&labelled));
    assert_eq!(all.are_one("one", "two"), Some(true));
    all.set_ground("two", Some(&by("three")));
    assert_eq!(all.are_one("one", "two"), None);
    assert_eq!(all.are_one("one", "missing"), Some(false));
}

#[test]
fn a_rule_that_a_former_owner_id_has_named_is_still_the_resources() {
    let all = all();
    all.set_ground("default", Some(&instance(&json!({"previousOwnerIDs": ["old"]}))));
    let rule = rule("a/r", 1, &json!({}));
    all.note(&rule);
    for id in ["own", "old"] {
        let uid = Owner::parse(id).unwrap().rule_uid("a", "r");
        let key = Key::Uid(all.place("default"), uid);
        assert_eq!(holder::<AlertRule>(&all, &key).as_deref(), Some("a/r"), "{id}");
    }
}
