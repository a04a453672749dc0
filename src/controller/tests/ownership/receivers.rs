//! Rules that name a contact point, and rules that become editable: what others have of it, and what must not be lost on the way.

use super::*;
use crate::api::condition::{self, Reason};
use crate::api::{ANNOTATION_SHARED_WITH, ContactPointStatus};
use crate::controller::notification::receiver;
use crate::controller::pass::{self, Reconcile};
use crate::domain::notification::receiver::Target;

/// A contact point that is being deleted, and a rule of ours that still has it.
async fn waiting() -> (World, AlertRule) {
    let mut world = World::connected().await;
    let hook = json!({"integrations": [{"webhook": {"url": {"value": "https://example.com/hook"}}}]});
    let point = world.contact_point("team", hook);
    point.reconcile(&world.context).await.unwrap();
    let rule = world.rule(
        "r",
        json!({"query": QUERY, "notificationSettings": {"receiver": "team"}}),
    );
    rule.reconcile(&world.context).await.unwrap();
    let mut going = point;
    going.metadata.deletion_timestamp = Some(serde_json::from_value(json!("2026-01-02T00:00:00Z")).unwrap());
    see(
        &world.context,
        &mut world.writers.contact_points,
        going,
        news::about_contact_point,
    );
    drain(&mut world.receivers.contact_points);
    (world, rule)
}

#[tokio::test]
async fn a_contact_point_that_waits_is_told_when_a_rule_lets_go_of_it_or_goes() {
    let (mut world, rule) = waiting().await;
    rule.clean_up(&world.context).await.unwrap();
    assert_eq!(drain(&mut world.receivers.contact_points), 1, "the rule is gone");

    let (mut world, _) = waiting().await;
    let other = world.rule("r", json!({"query": QUERY}));
    drain(&mut world.receivers.contact_points);
    other.reconcile(&world.context).await.unwrap();
    assert_eq!(
        drain(&mut world.receivers.contact_points),
        1,
        "it has another way"
    );
    other.reconcile(&world.context).await.unwrap();
    assert_eq!(drain(&mut world.receivers.contact_points), 0, "nothing is new");
}

#[tokio::test]
async fn a_rule_whose_contact_point_is_shared_with_it_no_more_says_where_its_alerts_go_on() {
    let mut world = World::connected().await;
    let hook = json!({"integrations": [{"webhook": {"url": {"value": "https://example.com/hook"}}}]});
    let mut point = world.contact_point("team", hook);
    point.reconcile(&world.context).await.unwrap();
    let mut own = |world: &mut World, shared_with: &str| {
        let annotations = [(ANNOTATION_SHARED_WITH.to_owned(), shared_with.to_owned())];
        point.metadata.annotations = Some(annotations.into());
        see(
            &world.context,
            &mut world.writers.contact_points,
            point.clone(),
            news::about_contact_point,
        );
        let settings = json!({"receiverRef": {"name": "team", "namespace": "revel"}});
        let spec = json!({"query": QUERY, "notificationSettings": settings});
        let mut rule: AlertRule = made(&world.server, "alertrules", "r", spec);
        rule.metadata.namespace = Some("bank".to_owned());
        see(&world.context, &mut world.writers.rules, rule, news::about_rule)
    };
    let rule = own(&mut world, "bank");
    rule.reconcile(&world.context).await.unwrap();
    let stored = world.grafana.hold(|held| held.rules.clone());
    let rule = own(&mut world, "shop");
    let failure = rule.reconcile(&world.context).await.unwrap_err();
    assert_eq!(failure.reason, Some(Reason::DependencyMissing));
    let (cause, way) = (
        "ContactPoint revel/team isn't shared with namespace bank",
        "the rule in Grafana stays as it is, and its alerts go on to contact point team",
    );
    assert!(
        failure.message.contains(cause) && failure.message.ends_with(way),
        "{}",
        failure.message
    );
    assert_eq!(world.grafana.hold(|held| held.rules.clone()), stored);
}

#[tokio::test]
async fn a_contact_point_that_waits_is_not_told_of_a_rule_that_keeps_it() {
    let (mut world, _) = waiting().await;
    let spec = json!({"query": QUERY, "for": "7m", "notificationSettings": {"receiver": "team"}});
    let changed = world.rule("r", spec);
    drain(&mut world.receivers.contact_points);
    changed.reconcile(&world.context).await.unwrap();
    assert_eq!(world.grafana.count("rules.update"), 1);
    assert_eq!(drain(&mut world.receivers.contact_points), 0);
}

#[tokio::test]
async fn a_rule_that_becomes_editable_with_what_grafana_refuses_stays_as_it_is() {
    let mut world = World::connected().await;
    let rule = world.rule("r", json!({"query": QUERY}));
    rule.reconcile(&world.context).await.unwrap();
    let before = world.grafana.hold(|held| held.rules.clone());
    world.grafana.does(|called| match called {
        "rules.update" => Does::Refuses(400, "invalid rule"),
        _ => Does::Well,
    });
    let changed = world.rule("r", json!({"query": QUERY, "editable": true, "for": "7m"}));
    let failure = changed.reconcile(&world.context).await.err().unwrap();
    assert_eq!(failure.reason, Some(Reason::Invalid), "{}", failure.message);
    assert_eq!(world.grafana.count("rules.delete"), 0);
    assert_eq!(world.grafana.hold(|held| held.rules.clone()), before);
}

/// A contact point that the tree sends to, and a rule of another namespace that asks for it by its name in Grafana.
async fn coveted() -> (World, ContactPoint, AlertRule) {
    let mut world = World::connected().await;
    let hook = json!({"integrations": [{"webhook": {"url": {"value": "https://example.com/hook"}}}]});
    let point = world.contact_point("pager", hook);
    point.reconcile(&world.context).await.unwrap();
    let policy = world.policy("root", json!({"receiver": "pager"}));
    policy.reconcile(&world.context).await.unwrap();
    let asking = json!({"query": QUERY, "notificationSettings": {"receiverRef": {"grafanaName": "pager"}}});
    let mut rule: AlertRule = made(&world.server, "alertrules", "thief", asking);
    rule.metadata.namespace = Some("bank".to_owned());
    let rule = see(&world.context, &mut world.writers.rules, rule, news::about_rule);
    (world, point, rule)
}

async fn is_refused(world: &World, rule: &AlertRule) {
    let failure = rule.reconcile(&world.context).await.unwrap_err();
    assert_eq!(failure.reason, Some(Reason::Invalid), "{}", failure.message);
    let whose = "pager belongs to ContactPoint revel/pager";
    assert!(failure.message.contains(whose), "{}", failure.message);
    assert_eq!(world.grafana.count("rules.create"), 0);
}

#[tokio::test]
async fn a_contact_point_belongs_to_its_namespace_while_it_is_written_and_after_an_answer_that_was_lost() {
    let (world, _, rule) = coveted().await;
    is_refused(&world, &rule).await;
    let instance = world.instance();
    instance
        .mirror
        .write(|held| held.contact_points.unknown("pager".to_owned()));
    is_refused(&world, &rule).await;
    // A write that is under way is waited for.
    let turn = instance.rights.notifications.lock().await;
    instance
        .mirror
        .write(|held| held.contact_points.begins("pager".to_owned()));
    let mut pass = Box::pin(rule.reconcile(&world.context));
    assert!(futures::poll!(pass.as_mut()).is_pending());
    drop(turn);
    let failure = pass.await.unwrap_err();
    assert_eq!(failure.reason, Some(Reason::Invalid), "{}", failure.message);
    assert_eq!(world.grafana.count("rules.create"), 0);
}

#[tokio::test]
async fn a_contact_point_that_somebody_has_emptied_belongs_to_its_namespace_all_the_same() {
    for is_empty in [false, true] {
        let (world, _, rule) = coveted().await;
        world.grafana.hold(|held| {
            held.points.clear();
            held.has_revisions = is_empty;
            held.empty_points.insert("pager".to_owned());
        });
        world.poll().await;
        is_refused(&world, &rule).await;
    }
}

#[tokio::test]
async fn a_tree_waits_for_the_contact_point_that_is_being_written_and_says_nothing_of_it() {
    let (world, _, _) = coveted().await;
    let policy: NotificationPolicy =
        serde_json::from_value(world.server.get(&path("notificationpolicies", "revel", "root"))).unwrap();
    let instance = world.instance();
    instance
        .mirror
        .write(|held| held.contact_points.unknown("pager".to_owned()));
    policy.reconcile(&world.context).await.unwrap();
}

#[tokio::test]
async fn of_what_is_not_known_nothing_is_said_but_that() {
    let (world, point, rule) = coveted().await;
    // Neither claims nor memory know whose it is.
    world.context.claims.forget(&point);
    let instance = world.instance();
    let target = Target::Grafana {
        name: "pager".to_owned(),
    };
    let name = || receiver::name_of(&target, rule.ns(), &world.context, &instance);
    instance
        .mirror
        .write(|held| held.contact_points.unknown("pager".to_owned()));
    assert_eq!(name().unwrap_err().reason, Reason::DependencyMissing);
    world.poll().await;
    assert_eq!(name().unwrap_err().reason, Reason::Invalid);
}

#[tokio::test]
async fn a_rule_whose_contact_point_is_shared_with_it_no_more_says_so_and_goes_on_as_it_is() {
    let mut world = World::connected().await;
    let hook = json!({"integrations": [{"webhook": {"url": {"value": "https://example.com/hook"}}}]});
    let mut point = world.contact_point("team", hook);
    let shared = [(crate::api::ANNOTATION_SHARED_WITH.to_owned(), "other".to_owned())];
    point.metadata.annotations = Some(BTreeMap::from(shared));
    let writer = &mut world.writers.contact_points;
    let point = see(&world.context, writer, point, news::about_contact_point);
    point.reconcile(&world.context).await.unwrap();
    let settings = json!({"receiverRef": {"name": "team", "namespace": "revel"}});
    let spec = json!({"query": QUERY, "notificationSettings": settings});
    let mut theirs: AlertRule = made(&world.server, "alertrules", "r", spec);
    theirs.metadata.namespace = Some("other".to_owned());
    let rule = see(&world.context, &mut world.writers.rules, theirs, news::about_rule);
    rule.reconcile(&world.context).await.unwrap();
    let held = |world: &World| {
        world.grafana.hold(|held| {
            let rules = held.rules.values();
            rules
                .map(|rule| rule.notification_settings.clone().unwrap().receiver)
                .collect::<Vec<_>>()
        })
    };
    assert_eq!(held(&world), ["team"]);

    let mut own = point;
    own.metadata.annotations = None;
    drain(&mut world.receivers.rules);
    let writer = &mut world.writers.contact_points;
    see(&world.context, writer, own, news::about_contact_point);
    assert_eq!(drain(&mut world.receivers.rules), 1, "it is told at once");
    let failure = rule.reconcile(&world.context).await.err().unwrap();
    assert_eq!(failure.reason, Some(Reason::DependencyMissing));
    let told = "ContactPoint revel/team isn't shared with namespace other";
    assert!(failure.message.contains(told), "{}", failure.message);
    assert_eq!(held(&world), ["team"], "its alerts reach somebody");
}

#[tokio::test]
async fn who_waits_for_a_contact_point_that_has_said_nothing_yet_says_nothing_either() {
    let mut world = World::connected().await;
    let hook = json!({"integrations": [{"webhook": {"url": {"value": "https://example.com/hook"}}}]});
    let mut point = world.contact_point("team", hook);
    let rule = world.rule(
        "r",
        json!({"query": QUERY, "notificationSettings": {"receiver": "team"}}),
    );
    let rule = Arc::new(rule);
    let said = |world: &World| world.server.ready(&path("alertrules", "revel", "r"));
    pass::run(rule.clone(), world.context.clone()).await.unwrap();
    assert_eq!(said(&world), None);

    let mut status = ContactPointStatus::default();
    let now = world.context.now();
    condition::report(
        &mut status.conditions,
        Reason::Unavailable,
        "no answer",
        Some(1),
        now,
    );
    point.status = Some(status);
    see(
        &world.context,
        &mut world.writers.contact_points,
        point,
        news::about_contact_point,
    );
    pass::run(rule, world.context.clone()).await.unwrap();
    let (reason, message) = said(&world).expect("a condition");
    assert_eq!(reason, "DependencyMissing");
    assert!(
        message.ends_with("ContactPoint revel/team is not in Grafana yet (Unavailable)"),
        "{message}"
    );
}
