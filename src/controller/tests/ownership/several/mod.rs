//! Resources that are for several Grafanas.

mod parts;

mod side_by_side;

use ::kube::runtime::controller::Action;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::controller::pass::{self, Error};
use crate::grafana::api::OWNER_LABEL;

const RULE: &str = "/apis/alerting.letsrevel.io/v1alpha1/namespaces/revel/alertrules/r";

/// A world with a second Grafana, whose instance is `other`. Both have been read.
async fn two() -> (World, Double) {
    let mut world = World::connected().await;
    let other = world.beside("other", json!({"url": "http://other"})).await;
    (world, other)
}

impl World {
    /// Connects one more Grafana and has it read.
    pub(in crate::controller::tests) async fn beside(&mut self, name: &str, more: Value) -> Double {
        self.beside_as(Double::new(), name, more).await
    }

    /// The same with one that answers as it likes.
    async fn beside_as(&mut self, other: Double, name: &str, more: Value) -> Double {
        let first = std::mem::replace(&mut self.grafana, other.clone());
        let instance = self.connect_as(name, more, None).await;
        until("the other one has been read", || {
            !matches!(instance.health(), Health::Starting)
        })
        .await;
        self.grafana = first;
        other
    }

    /// Lets the watch tell of the rule as it is, with this change of its specification.
    fn rule_now(&mut self, spec: Option<Value>) -> AlertRule {
        let mut object = self.server.get(RULE);
        if let Some(spec) = spec {
            object["spec"] = spec;
            let generation = object["metadata"]["generation"].as_i64().unwrap();
            object["metadata"]["generation"] = json!(generation + 1);
            self.server.set(RULE, object.clone());
        }
        let rule = serde_json::from_value(object).unwrap();
        see(&self.context, &mut self.writers.rules, rule, news::about_rule)
    }

    /// A pass over the rule as it is, with this change of its specification. What it has written is seen afterwards.
    async fn pass(&mut self, spec: Option<Value>) -> Result<AlertRule, Error> {
        let rule = self.rule_now(spec);
        pass::run(Arc::new(rule), self.context.clone()).await?;
        Ok(self.rule_now(None))
    }

    fn status_writes(&self) -> usize {
        let writes = self.server.writes();
        writes.iter().filter(|write| write.ends_with("/status")).count()
    }
}

fn in_(instances: &[&str]) -> Value {
    json!({"query": QUERY, "instances": instances})
}

/// The instances that the status names, each with whether it is ready and its reason.
fn places(rule: &AlertRule) -> Vec<(String, String)> {
    let status = rule.status.clone().unwrap_or_default();
    let all = status.instances.into_iter().map(|at| {
        let ready = crate::api::condition::ready(&at.status.conditions);
        (
            at.instance,
            ready.map(|ready| ready.reason.clone()).unwrap_or_default(),
        )
    });
    all.collect()
}

fn of(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    let owned = |(a, b): &(&str, &str)| ((*a).to_owned(), (*b).to_owned());
    pairs.iter().map(owned).collect()
}

fn rules(grafana: &Double) -> Vec<String> {
    grafana.hold(|held| held.rules.keys().cloned().collect())
}

#[tokio::test]
async fn a_rule_goes_from_one_grafana_to_another_by_way_of_both_and_stays_the_same_rule() {
    let (mut world, other) = two().await;
    world.rule("r", json!({"query": QUERY}));
    let rule = world.pass(None).await.unwrap();
    let uid = rule.status.as_ref().unwrap().uid.clone().unwrap();
    assert_eq!(places(&rule), of(&[]), "for one instance all is as it was");

    let rule = world.pass(Some(in_(&["default", "other"]))).await.unwrap();
    assert_eq!(places(&rule), of(&[("default", "Synced"), ("other", "Synced")]));
    assert_eq!(rule.status.as_ref().unwrap().uid.as_ref(), Some(&uid));
    assert_eq!(world.server.ready(RULE).unwrap().0, "Synced");
    assert_eq!(
        [rules(&world.grafana), rules(&other)],
        [[uid.clone()], [uid.clone()]]
    );
    let calls = |world: &World| [world.grafana.calls(), other.calls()].map(|calls| calls.len());
    let (before, written) = (calls(&world), world.server.writes().len());
    let at_rest = world.pass(None).await.unwrap();
    assert_eq!(at_rest.status, rule.status);
    assert_eq!(calls(&world), before, "at rest nobody is asked");
    assert_eq!(world.server.writes().len(), written, "and nothing is written");

    let rule = world.pass(Some(in_(&["other"]))).await.unwrap();
    assert_eq!(places(&rule), of(&[]), "what it has left is forgotten");
    assert_eq!(rule.status.as_ref().unwrap().uid.as_ref(), Some(&uid));
    assert_eq!([rules(&world.grafana), rules(&other)], [vec![], vec![uid]]);
    let created = [world.grafana.count("rules.create"), other.count("rules.create")];
    assert_eq!(created, [1, 1]);
    let written = world.status_writes();
    let at_rest = world.pass(None).await.unwrap();
    assert_eq!((at_rest.status, world.status_writes()), (rule.status, written));
}

#[tokio::test]
async fn what_a_grafana_refuses_or_is_long_about_holds_no_other_one() {
    let (mut world, other) = two().await;
    other.does(|called| match called {
        "rules.create" => Does::Refuses(400, "not here"),
        _ => Does::Well,
    });
    world.rule("r", in_(&["default", "other"]));
    let rule = world.pass(None).await.unwrap();
    assert_eq!(places(&rule), of(&[("default", "Synced"), ("other", "Invalid")]));
    let (reason, message) = world.server.ready(RULE).unwrap();
    assert_eq!(reason, "Invalid");
    assert!(
        message.starts_with("GrafanaInstance other: ") && message.contains("not here"),
        "{message}"
    );
    assert!(!message.contains("default"), "{message}");

    // One that doesn't answer is the others' to wait for in no way.
    let answers = CancellationToken::new();
    let until_then = answers.clone();
    other.does(move |called| match called {
        "rules.create" => Does::Dawdles(until_then.clone()),
        _ => Does::Well,
    });
    let mut spec = in_(&["default", "other"]);
    spec["for"] = json!("7m");
    let rule = world.rule_now(Some(spec));
    let slow = tokio::spawn(pass::run(Arc::new(rule), world.context.clone()));
    let server = world.server.clone();
    until("the one that answers is told", || {
        let status = &server.get(RULE)["status"]["instances"][0];
        status["observedGeneration"] == 2 && status["conditions"][0]["reason"] == "Synced"
    })
    .await;
    assert!(!slow.is_finished());
    answers.cancel();
    slow.await.unwrap().unwrap();
    assert_eq!(world.server.ready(RULE).unwrap().0, "Synced");
}

#[tokio::test]
async fn a_deletion_waits_for_the_grafana_that_is_away_and_for_no_other() {
    let (mut world, other) = two().await;
    world.rule("r", in_(&["default", "other"]));
    world.pass(None).await.unwrap();
    other.does(|called| match called {
        "rules.delete" => Does::Refuses(502, "bad gateway"),
        _ => Does::Well,
    });
    let mut object = world.server.get(RULE);
    object["metadata"]["deletionTimestamp"] = json!("2026-01-02T00:00:00Z");
    world.server.set(RULE, object);
    let rule = world.pass(None).await.unwrap();
    assert_eq!(rules(&world.grafana), Vec::<String>::new());
    assert_eq!(rules(&other).len(), 1);
    assert_eq!(places(&rule), of(&[("other", "Unavailable")]));
    let (_, message) = world.server.ready(RULE).unwrap();
    assert!(
        message.starts_with("GrafanaInstance other: the deletion waits: ") && message.contains("bad gateway"),
        "{message}"
    );
    let before = world.grafana.calls().len();
    other.does_well();
    world.pass(None).await.unwrap();
    assert_eq!(rules(&other), Vec::<String>::new());
    assert_eq!(
        world.grafana.calls().len(),
        before,
        "where it is gone nothing more is asked"
    );
}

#[tokio::test]
async fn what_a_rule_leaves_stays_known_until_it_is_cleaned_up_there() {
    let (mut world, other) = two().await;
    world.rule("r", in_(&["default", "other"]));
    world.pass(None).await.unwrap();
    world.grafana.does(|called| match called {
        "rules.delete" => Does::Refuses(502, "bad gateway"),
        _ => Does::Well,
    });
    // While it is suspended nothing is taken out either.
    let mut suspended = in_(&["other"]);
    suspended["suspend"] = json!(true);
    let rule = world.pass(Some(suspended)).await.unwrap();
    assert_eq!(
        places(&rule),
        of(&[("other", "Suspended"), ("default", "Suspended")])
    );
    assert_eq!(world.grafana.count("rules.delete"), 0);
    let rule = world.pass(Some(in_(&["other"]))).await.unwrap();
    assert_eq!(
        places(&rule),
        of(&[("other", "Synced"), ("default", "Unavailable")])
    );
    let (reason, message) = world.server.ready(RULE).unwrap();
    assert_eq!(reason, "Unavailable");
    assert!(
        message.starts_with("GrafanaInstance default: is no longer among spec.instances"),
        "{message}"
    );
    world.grafana.does_well();
    let rule = world.pass(None).await.unwrap();
    assert_eq!(places(&rule), of(&[]));
    assert_eq!([rules(&world.grafana).len(), rules(&other).len()], [0, 1]);
}

#[tokio::test]
async fn what_is_let_go_of_stays_in_the_grafana_that_is_left() {
    let (mut world, other) = two().await;
    world.rule("r", in_(&["default", "other"]));
    world.pass(None).await.unwrap();
    let mut orphaned = in_(&["other"]);
    orphaned["deletionPolicy"] = json!("Orphan");
    let rule = world.pass(Some(orphaned)).await.unwrap();
    assert_eq!(places(&rule), of(&[]));
    assert_eq!([rules(&world.grafana).len(), rules(&other).len()], [1, 1]);
}

#[tokio::test]
async fn a_grafana_is_noted_before_anything_is_written_there() {
    let (mut world, other) = two().await;
    world.rule("r", in_(&["default", "other"]));
    world.server.close("/status");
    assert!(world.pass(None).await.is_err());
    let written = [world.grafana.count("rules.create"), other.count("rules.create")];
    assert_eq!(written, [0, 0]);
    world.server.open();
    world.pass(None).await.unwrap();
    assert_eq!([rules(&world.grafana).len(), rules(&other).len()], [1, 1]);
}

#[tokio::test]
async fn nothing_is_noted_nor_written_for_a_resource_that_has_changed_since_it_was_seen() {
    let (mut world, other) = two().await;
    let mut seen = world.rule("r", in_(&["default", "other"]));
    let stored = |world: &World, version: &str| {
        let mut object = world.server.get(RULE);
        object["metadata"]["resourceVersion"] = json!(version);
        world.server.set(RULE, object);
    };
    seen.metadata.resource_version = Some("8".to_owned());
    // Somebody may have taken an instance out of it meanwhile.
    stored(&world, "9");
    let due = pass::run(Arc::new(seen.clone()), world.context.clone());
    assert_ne!(due.await.unwrap(), Action::await_change());
    assert_eq!(places(&world.rule_now(None)), of(&[]));
    let written = |world: &World| [rules(&world.grafana).len(), rules(&other).len()];
    assert_eq!(written(&world), [0, 0]);
    stored(&world, "8");
    pass::run(Arc::new(seen), world.context.clone()).await.unwrap();
    assert_eq!(written(&world), [1, 1]);
}

#[tokio::test]
async fn a_namespace_that_one_grafana_does_not_allow_is_refused_there_alone() {
    let (mut world, _) = two().await;
    let closed = json!({"url": "http://closed", "allowedNamespaces": {"names": ["elsewhere"]}});
    let third = world.beside("closed", closed).await;
    world.rule("r", in_(&["default", "closed", "missing"]));
    let rule = world.pass(None).await.unwrap();
    let expected = [
        ("default", "Synced"),
        ("closed", "Invalid"),
        ("missing", "DependencyMissing"),
    ];
    assert_eq!(places(&rule), of(&expected));
    let (reason, message) = world.server.ready(RULE).unwrap();
    assert_eq!(reason, "Invalid", "what only a person can end comes first");
    assert!(
        message.starts_with("GrafanaInstance closed doesn't allow namespace revel")
            && message.contains("; GrafanaInstance missing is not there"),
        "{message}"
    );
    assert_eq!([rules(&world.grafana).len(), rules(&third).len()], [1, 0]);
}

#[tokio::test]
async fn two_instances_of_one_grafana_have_one_rule_of_a_resource_and_leaving_one_costs_it_nothing() {
    // Both name who logs in by the same Secret, or Grafana has told both the same organisation.
    one_rule_in_both(json!({})).await;
    one_rule_in_both(another_token()).await;
}

fn another_token() -> Value {
    json!({"auth": {"token": {"secretKeyRef": {"name": "another", "key": "token"}}}})
}

async fn one_rule_in_both(login: Value) {
    let (mut world, _) = two().await;
    let twin = world.beside("twin", login).await;
    world.rule("r", in_(&["default", "twin"]));
    let rule = world.pass(None).await.unwrap();
    assert_eq!(places(&rule), of(&[("default", "Synced"), ("twin", "Invalid")]));
    let (_, message) = world.server.ready(RULE).unwrap();
    assert!(
        message.contains(
            "GrafanaInstance twin: it is for the same Grafana and organisation as GrafanaInstance default"
        ),
        "{message}"
    );
    let mark = |rule: &crate::grafana::model::AlertRule| rule.labels.get(OWNER_LABEL).cloned();
    twin.hold(|held| held.rules = world.grafana.hold(|held| held.rules.clone()));
    let rule = world.pass(Some(in_(&["twin"]))).await.unwrap();
    assert_eq!(places(&rule), of(&[]));
    assert_eq!(
        world.grafana.count("rules.delete") + twin.count("rules.delete"),
        0
    );
    let marks = twin.hold(|held| held.rules.values().map(mark).collect::<Vec<_>>());
    assert_eq!(marks, [Some("own/revel/r".to_owned())]);
}

#[tokio::test]
async fn a_rule_leaves_no_grafana_that_may_be_the_one_where_it_stays() {
    let (mut world, _) = two().await;
    let twin = Double::new();
    twin.does(|called| match called {
        "server.organisation" => Does::Refuses(503, "away"),
        _ => Does::Well,
    });
    let twin = world.beside_as(twin, "twin", another_token()).await;
    world.rule("r", in_(&["default", "twin"]));
    let rule = world.pass(None).await.unwrap();
    assert_eq!(
        places(&rule),
        of(&[("default", "Synced"), ("twin", "Unavailable")])
    );
    let rule = world.pass(Some(in_(&["twin"]))).await.unwrap();
    assert_eq!(
        places(&rule),
        of(&[("twin", "Unavailable"), ("default", "Unavailable")])
    );
    let (_, message) = world.server.ready(RULE).unwrap();
    assert!(
        message.contains("whether GrafanaInstance twin is for the same organisation isn't known"),
        "{message}"
    );
    twin.does_well();
    let instance = world.context.running.read()["twin"].clone();
    poller::poll_all(&instance, &world.context, false).await;
    let rule = world.pass(None).await.unwrap();
    assert_eq!(places(&rule), of(&[]));
    assert_eq!(rules(&world.grafana).len(), 1, "it is the twin's");
}

#[tokio::test]
async fn a_rule_refers_to_a_contact_point_in_each_of_its_grafanas() {
    let (mut world, _) = two().await;
    let hook = json!({"integrations": [{"webhook": {"url": {"value": "https://example.com/hook"}}}]});
    let point = world.contact_point("team", hook);
    pass::run(Arc::new(point), world.context.clone()).await.unwrap();
    let mut spec = in_(&["default", "other"]);
    spec["notificationSettings"] = json!({"receiver": "team"});
    world.rule("r", spec);
    let rule = world.pass(None).await.unwrap();
    assert_eq!(places(&rule), of(&[("default", "Synced"), ("other", "Invalid")]));
    let (_, message) = world.server.ready(RULE).unwrap();
    assert!(
        message.contains("ContactPoint revel/team is for GrafanaInstance default, not for other"),
        "{message}"
    );
}

#[tokio::test]
async fn a_contact_point_and_a_policy_of_two_grafanas_are_in_both_and_leave_one_of_them() {
    let (mut world, other) = two().await;
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "revel"}});
    world.server.set("/api/v1/namespaces/revel", namespace);
    let both = json!(["default", "other"]);
    let hook = json!([{"webhook": {"url": {"value": "https://example.com/hook"}}}]);
    let point = world.contact_point("team", json!({"instances": both, "integrations": hook}));
    pass::run(Arc::new(point), world.context.clone()).await.unwrap();
    let at = path("contactpoints", "revel", "team");
    let point: ContactPoint = serde_json::from_value(world.server.get(&at)).unwrap();
    let point = see(
        &world.context,
        &mut world.writers.contact_points,
        point,
        news::about_contact_point,
    );
    let status = point.status.clone().unwrap();
    assert_eq!(
        (status.name.as_deref(), status.instances.len()),
        (Some("team"), 2)
    );
    let policy = world.policy("tree", json!({"instances": both, "receiver": "team"}));
    pass::run(Arc::new(policy), world.context.clone()).await.unwrap();
    let tree = path("notificationpolicies", "revel", "tree");
    assert_eq!(world.server.ready(&tree).unwrap().0, "Synced");
    let receiver = |grafana: &Double| grafana.hold(|held| held.policy.clone().unwrap().receiver.unwrap());
    assert_eq!([receiver(&world.grafana), receiver(&other)], ["team", "team"]);

    // What is still in use where it isn't wanted any more says who uses it there.
    let mut object = world.server.get(&at);
    object["spec"]["instances"] = json!(["other"]);
    object["metadata"]["generation"] = json!(2);
    world.server.set(&at, object.clone());
    let point: ContactPoint = serde_json::from_value(object).unwrap();
    let point = see(
        &world.context,
        &mut world.writers.contact_points,
        point,
        news::about_contact_point,
    );
    pass::run(Arc::new(point), world.context.clone()).await.unwrap();
    let (reason, message) = world.server.ready(&at).unwrap();
    assert_eq!(reason, "InUse", "{message}");
    assert!(
        message.contains("GrafanaInstance default: ")
            && message.contains("NotificationPolicy revel/tree still refers"),
        "{message}"
    );
    let points = |grafana: &Double| grafana.hold(|held| held.points.len());
    assert_eq!(points(&other), 1);
}
