//! AlertRules that name a tree: what they wait for, what they get, and what waits for them.

use super::*;

/// A rule whose alerts go by these settings.
fn rule(world: &mut World, name: &str, settings: &Value) -> AlertRule {
    world.rule(name, json!({"query": QUERY, "notificationSettings": settings}))
}

fn through_own(world: &mut World) -> AlertRule {
    rule(world, "r", &json!({"policy": "own"}))
}

/// The trees that rules in Grafana name.
fn named(world: &World) -> Vec<String> {
    world.grafana.hold(|held| {
        let settings = held
            .rules
            .values()
            .filter_map(|rule| rule.notification_settings.clone());
        settings.filter_map(|settings| settings.policy).collect()
    })
}

/// Reason and message of a pass that fails.
async fn fails(world: &World, rule: &AlertRule) -> (Option<Reason>, String) {
    let failure = rule.reconcile(&world.context).await.map(|_| ()).unwrap_err();
    (failure.reason, failure.message)
}

/// The same resource, as it is while its deletion waits.
fn going(world: &mut World, policy: &NotificationPolicy) -> NotificationPolicy {
    let mut going = policy.clone();
    going.metadata.deletion_timestamp = Some(serde_json::from_value(json!("2026-01-02T00:00:00Z")).unwrap());
    see(
        &world.context,
        &mut world.writers.policies,
        going,
        news::about_policy,
    )
}

#[tokio::test]
async fn a_rule_waits_for_its_tree_gets_it_at_once_and_keeps_it() {
    let (mut world, _) = with_several_trees().await;
    let through = through_own(&mut world);
    let (reason, message) = fails(&world, &through).await;
    assert_eq!(reason, Some(Reason::DependencyMissing));
    assert_eq!(
        message,
        "spec.notificationSettings.policy: NotificationPolicy revel/own is not there; create it"
    );
    drain(&mut world.receivers.rules);
    let policy = root(&mut world, "own");
    assert_eq!(drain(&mut world.receivers.rules), 1, "it is there");
    let (reason, message) = fails(&world, &through).await;
    assert_eq!(reason, Some(Reason::DependencyMissing));
    assert_eq!(
        message,
        "spec.notificationSettings.policy: the tree of NotificationPolicy revel/own is not in Grafana yet"
    );
    policy.reconcile(&world.context).await.unwrap();
    assert!(drain(&mut world.receivers.rules) > 0, "Grafana has it");
    through.reconcile(&world.context).await.unwrap();
    assert_eq!(named(&world), [NAME]);
    world.poll().await;
    through.reconcile(&world.context).await.unwrap();
    assert_eq!(world.grafana.count("rules.create"), 1);
    assert_eq!(world.grafana.count("rules.update"), 0, "it rests");
    // What somebody else makes of it is put right.
    world.grafana.hold(|held| {
        held.rules
            .values_mut()
            .for_each(|rule| rule.notification_settings = None);
    });
    world.poll().await;
    through.reconcile(&world.context).await.unwrap();
    assert_eq!(named(&world), [NAME]);
}

#[tokio::test]
async fn a_tree_waits_for_the_rules_of_resources_that_name_it_and_goes_when_the_last_lets_go() {
    let (mut world, _) = with_several_trees().await;
    let policy = root(&mut world, "own");
    policy.reconcile(&world.context).await.unwrap();
    let through = through_own(&mut world);
    through.reconcile(&world.context).await.unwrap();
    let policy = going(&mut world, &policy);
    let in_use = |failure: Failure| {
        assert_eq!(failure.reason, Some(Reason::InUse), "{}", failure.message);
        assert_eq!(failure.message, "AlertRule revel/r still names policy tree batch");
    };
    in_use(policy.clean_up(&world.context).await.unwrap_err());
    // Nor while only the resource names it, for it is put right.
    world.grafana.hold(|held| held.rules.clear());
    world.poll().await;
    in_use(policy.clean_up(&world.context).await.unwrap_err());
    through.reconcile(&world.context).await.unwrap();
    assert_eq!(named(&world), [NAME]);
    let elsewhere = rule(&mut world, "r", &json!({"receiver": "team"}));
    drain(&mut world.receivers.policies);
    elsewhere.reconcile(&world.context).await.unwrap();
    assert_eq!(
        drain(&mut world.receivers.policies),
        1,
        "its deletion waits for that"
    );
    assert_eq!(named(&world), [""; 0]);
    policy.clean_up(&world.context).await.unwrap();
    assert_eq!(held(&world), None);
}

#[tokio::test]
async fn a_rule_that_goes_lets_go_of_its_tree_at_once() {
    let (mut world, _) = with_several_trees().await;
    let policy = root(&mut world, "own");
    policy.reconcile(&world.context).await.unwrap();
    let through = through_own(&mut world);
    through.reconcile(&world.context).await.unwrap();
    going(&mut world, &policy);
    drain(&mut world.receivers.policies);
    through.clean_up(&world.context).await.unwrap();
    assert_eq!(drain(&mut world.receivers.policies), 1);
}

#[tokio::test]
async fn a_namespace_that_goes_does_not_hang_on_a_rule_of_another_that_asks_for_its_tree_in_vain() {
    let (mut world, _) = with_several_trees().await;
    let policy = root(&mut world, "own");
    policy.reconcile(&world.context).await.unwrap();
    // Grafana has no rule of it, for something else is missing.
    rule(&mut world, "r", &json!({"policyRef": {"grafanaName": NAME}}));
    let waits = policy.clean_up(&world.context).await.unwrap_err();
    assert_eq!(waits.reason, Some(Reason::InUse));
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "revel", "deletionTimestamp": "2026-01-01T00:00:00Z"}});
    world.server.set("/api/v1/namespaces/revel", namespace);
    policy.clean_up(&world.context).await.unwrap();
    assert_eq!(held(&world), None);
}

#[tokio::test]
async fn a_namespace_that_goes_takes_its_rules_with_it_and_then_their_tree() {
    let (mut world, _) = with_several_trees().await;
    let policy = root(&mut world, "own");
    policy.reconcile(&world.context).await.unwrap();
    let through = through_own(&mut world);
    through.reconcile(&world.context).await.unwrap();
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "revel", "deletionTimestamp": "2026-01-01T00:00:00Z"}});
    world.server.set("/api/v1/namespaces/revel", namespace);
    let waits = policy.clean_up(&world.context).await.unwrap_err();
    assert_eq!(waits.reason, Some(Reason::InUse));
    through.clean_up(&world.context).await.unwrap();
    world.server.remove(&path("alertrules", "revel", "r"));
    world.writers.rules.apply(&Event::Delete(through));
    policy.clean_up(&world.context).await.unwrap();
    assert_eq!(held(&world), None);
}

#[tokio::test]
async fn a_rule_may_name_what_is_shared_with_it_and_no_other_tree_than_is_meant() {
    let (mut world, _) = with_several_trees().await;
    let own = root(&mut world, "own");
    own.reconcile(&world.context).await.unwrap();
    let second = root(&mut world, "second");
    assert_eq!(failure(&second, &world).await.reason, Some(Reason::Conflict));
    world.policy("default", json!({"receiver": "team"}));
    world.policy(
        "elsewhere",
        json!({"receiver": "team", "tree": NAME, "instance": "other"}),
    );
    world.policy(
        "branch",
        json!({"receiver": "team", "parentRef": {"name": "own"}}),
    );
    for (settings, reason, words) in [
        (
            json!({"policy": "default"}),
            Reason::Invalid,
            "policy: NotificationPolicy revel/default has the default tree",
        ),
        (
            json!({"policy": "branch"}),
            Reason::Invalid,
            "is a branch; name the root of its tree, which may be revel/own",
        ),
        (
            json!({"policy": "elsewhere"}),
            Reason::Invalid,
            "NotificationPolicy revel/elsewhere is for GrafanaInstance other, not for default",
        ),
        (
            json!({"policy": "second"}),
            Reason::DependencyMissing,
            "the tree of NotificationPolicy revel/second is not in Grafana yet",
        ),
        (
            json!({"policyRef": {"name": "own", "namespace": "ops"}}),
            Reason::DependencyMissing,
            "policyRef: NotificationPolicy ops/own is not there; create it",
        ),
        (
            json!({"policyRef": {"grafanaName": "nothing"}}),
            Reason::DependencyMissing,
            "policyRef: Grafana has no policy tree nothing; create it or correct grafanaName",
        ),
    ] {
        let rule = rule(&mut world, "r", &settings);
        let (told, message) = fails(&world, &rule).await;
        assert_eq!(told, Some(reason), "{message}");
        assert!(message.contains(words), "{message}");
    }
    let theirs = |world: &mut World, settings: Value| {
        let spec = json!({"query": QUERY, "notificationSettings": settings});
        let mut theirs: AlertRule = made(&world.server, "alertrules", "theirs", spec);
        theirs.metadata.namespace = Some("other".to_owned());
        see(&world.context, &mut world.writers.rules, theirs, news::about_rule)
    };
    for (settings, reason, words) in [
        (
            json!({"policyRef": {"name": "own", "namespace": "revel"}}),
            Reason::DependencyMissing,
            "NotificationPolicy revel/own isn't shared with namespace other",
        ),
        (
            json!({"policyRef": {"grafanaName": NAME}}),
            Reason::Invalid,
            "batch belongs to NotificationPolicy revel/own; refer to it by name and namespace",
        ),
    ] {
        let seen = theirs(&mut world, settings);
        let (told, message) = fails(&world, &seen).await;
        assert_eq!(told, Some(reason), "{message}");
        assert!(message.contains(words), "{message}");
    }
}

#[tokio::test]
async fn a_tree_does_not_wait_for_a_rule_that_may_not_name_it() {
    let (mut world, _) = with_several_trees().await;
    let own = root(&mut world, "own");
    own.reconcile(&world.context).await.unwrap();
    let settings = json!({"policyRef": {"name": "own", "namespace": "revel"}});
    let spec = json!({"query": QUERY, "notificationSettings": settings});
    let mut theirs: AlertRule = made(&world.server, "alertrules", "theirs", spec);
    theirs.metadata.namespace = Some("other".to_owned());
    see(&world.context, &mut world.writers.rules, theirs, news::about_rule);
    own.clean_up(&world.context).await.unwrap();
    assert_eq!(held(&world), None);
}

#[tokio::test]
async fn a_rule_whose_tree_is_shared_with_its_namespace_is_told_and_gets_it() {
    let (mut world, _) = with_several_trees().await;
    let own = root(&mut world, "own");
    own.reconcile(&world.context).await.unwrap();
    let settings = json!({"policyRef": {"name": "own", "namespace": "revel"}});
    let spec = json!({"query": QUERY, "notificationSettings": settings});
    let mut theirs: AlertRule = made(&world.server, "alertrules", "theirs", spec);
    theirs.metadata.namespace = Some("other".to_owned());
    let theirs = see(&world.context, &mut world.writers.rules, theirs, news::about_rule);
    fails(&world, &theirs).await;
    drain(&mut world.receivers.rules);
    let mut shared = own.clone();
    let annotation = ("alerting.letsrevel.io/shared-with".to_owned(), "other".to_owned());
    shared.metadata.annotations = Some([annotation].into());
    see(
        &world.context,
        &mut world.writers.policies,
        shared,
        news::about_policy,
    );
    assert_eq!(drain(&mut world.receivers.rules), 1);
    theirs.reconcile(&world.context).await.unwrap();
    assert_eq!(named(&world), [NAME]);
}

#[tokio::test]
async fn a_tree_of_grafanas_own_is_named_as_it_is_called_and_its_coming_is_told() {
    let (mut world, _) = with_several_trees().await;
    let through = rule(&mut world, "r", &json!({"policyRef": {"grafanaName": NAME}}));
    fails(&world, &through).await;
    drain(&mut world.receivers.rules);
    world
        .grafana
        .hold(|held| held.other_trees.insert(NAME.to_owned(), by_hand()));
    world.poll().await;
    assert_eq!(drain(&mut world.receivers.rules), 1);
    through.reconcile(&world.context).await.unwrap();
    assert_eq!(named(&world), [NAME]);
}

#[tokio::test]
async fn a_tree_that_is_ours_without_its_mark_or_is_being_written_is_still_there() {
    let (mut world, _) = with_several_trees().await;
    let own = root(&mut world, "own");
    own.reconcile(&world.context).await.unwrap();
    world
        .grafana
        .hold(|held| held.other_trees.get_mut(NAME).unwrap().routes.clear());
    world.poll().await;
    let through = through_own(&mut world);
    through.reconcile(&world.context).await.unwrap();
    // But not that of another one, which is refused it.
    root(&mut world, "second");
    let of_second = rule(&mut world, "s", &json!({"policy": "second"}));
    let (reason, message) = fails(&world, &of_second).await;
    assert_eq!(reason, Some(Reason::DependencyMissing), "{message}");
    let name = model::TreeName(NAME.to_owned());
    world
        .instance()
        .mirror
        .write(|held| held.trees.begins(name.clone()));
    through.reconcile(&world.context).await.unwrap();
    world.instance().mirror.write(|held| held.trees.stands(&name));
    // Somebody else's of this name is another one.
    world.grafana.hold(|held| {
        let marked = crate::domain::notification::tree::marked(by_hand(), "own/tenant/x");
        held.other_trees.insert(NAME.to_owned(), marked);
    });
    world.poll().await;
    let (reason, message) = fails(&world, &through).await;
    assert_eq!(reason, Some(Reason::DependencyMissing), "{message}");
}

#[tokio::test]
async fn where_there_is_one_tree_a_rule_that_names_another_is_unsupported_and_nothing_is_tried() {
    for (version, hides, words) in [
        ("12.4.0", false, "Grafana 12.4 has one policy tree"),
        ("13.1.0", false, "alertingMultiplePolicies"),
        ("13.2.0", true, "/apis"),
    ] {
        let (mut world, _) = with_several_trees().await;
        world.grafana.hold(|held| {
            held.version = version.to_owned();
            held.hides_trees = hides;
        });
        poller::poll_all(&world.instance(), &world.context, true).await;
        for settings in [
            json!({"policy": "own"}),
            json!({"policyRef": {"grafanaName": NAME}}),
        ] {
            let rule = rule(&mut world, "r", &settings);
            let (reason, message) = fails(&world, &rule).await;
            assert_eq!(reason, Some(Reason::Unsupported), "{version}: {message}");
            assert!(
                message.starts_with("spec.notificationSettings.policy") && message.contains(words),
                "{version}: {message}"
            );
        }
        assert_eq!(world.grafana.count("rules.create"), 0, "{version}");
    }
}

#[tokio::test]
async fn a_rule_that_already_goes_through_the_tree_is_taken_over_without_a_write() {
    let (mut world, _) = with_several_trees().await;
    let own = root(&mut world, "own");
    own.reconcile(&world.context).await.unwrap();
    let through = through_own(&mut world);
    through.reconcile(&world.context).await.unwrap();
    // Another operator of the same name finds it as it is.
    let mut world = world.restarted().await;
    a_contact_point(&mut world).await;
    root(&mut world, "own");
    let through = through_own(&mut world);
    let writes = |world: &World| {
        (
            world.grafana.count("rules.create"),
            world.grafana.count("rules.update"),
        )
    };
    let before = writes(&world);
    through.reconcile(&world.context).await.unwrap();
    assert_eq!(writes(&world), before);
}
