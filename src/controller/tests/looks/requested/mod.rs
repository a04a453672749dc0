//! Passes that somebody has asked for: what each reads in Grafana, and when a request counts as handled.

mod silences;
mod suspended;

use super::*;
use crate::api::{ANNOTATION_RECONCILE, InhibitionRule, PrometheusRuleImport};
use crate::controller::alert_rule::import::news as told;
use crate::controller::pass;
use crate::grafana::mirror::Subject;
use crate::grafana::model::Route;

/// A world of which nobody reads anything by himself any more.
async fn world() -> World {
    world_with(json!({})).await
}

async fn world_with(more: Value) -> World {
    let mut world = World::new();
    let instance = world.connect(more).await;
    until("the first read", || {
        !matches!(instance.health(), Health::Starting)
    })
    .await;
    let poller = world.poller.take().unwrap();
    poller.abort();
    assert!(poller.await.unwrap_err().is_cancelled());
    world
}

/// A pass over a resource as the API server has it, with what it asks of Grafana.
async fn pass<K: Reconcile + DeserializeOwned>(world: &World, plural: &str, name: &str) -> Vec<&'static str> {
    let before = world.grafana.calls().len();
    let object = object::<K>(world, plural, name);
    pass::run(Arc::new(object), world.context.clone()).await.unwrap();
    world.grafana.calls().split_off(before)
}

fn object<K: DeserializeOwned>(world: &World, plural: &str, name: &str) -> K {
    serde_json::from_value(world.server.get(&path(plural, "revel", name))).unwrap()
}

/// Brings a resource to rest.
async fn rests<K: Reconcile + DeserializeOwned>(world: &World, plural: &str, name: &str) {
    for _ in 0..4 {
        pass::<K>(world, plural, name).await;
        world.poll().await;
    }
    assert_eq!(pass::<K>(world, plural, name).await, [""; 0], "{plural} at rest");
    assert_eq!(reason(world, plural, name), "Synced");
}

fn reason(world: &World, plural: &str, name: &str) -> String {
    world.server.ready(&path(plural, "revel", name)).unwrap().0
}

/// Sets an annotation.
fn annotate(world: &World, plural: &str, name: &str, key: &str, value: &str) {
    let at = path(plural, "revel", name);
    let mut object = world.server.get(&at);
    object["metadata"]["annotations"][key] = json!(value);
    world.server.set(&at, object);
}

fn ask(world: &World, plural: &str, name: &str, value: &str) {
    annotate(world, plural, name, ANNOTATION_RECONCILE, value);
}

fn handled(world: &World, plural: &str, name: &str) -> Value {
    world.server.get(&path(plural, "revel", name))["status"]["lastHandledReconcileAt"].clone()
}

/// Asks for a pass over a resource at rest, which reads this, writes nothing to Grafana and one status; and is at rest again.
async fn reads_once<K: Reconcile + DeserializeOwned>(
    world: &World,
    plural: &str,
    name: &str,
    reads: &[&str],
) {
    rests::<K>(world, plural, name).await;
    ask(world, plural, name, "now");
    let writes = world.server.writes().len();
    assert_eq!(pass::<K>(world, plural, name).await, reads, "{plural}");
    assert_eq!(handled(world, plural, name), json!("now"), "{plural}");
    let writes = world.server.writes().split_off(writes);
    assert!(writes.len() == 1 && writes[0].ends_with("/status"), "{writes:?}");
    assert_eq!(pass::<K>(world, plural, name).await, [""; 0], "{plural} after it");
}

fn hook(url: &str) -> Value {
    json!({"integrations": [{"webhook": {"url": {"value": url}}}]})
}

impl World {
    fn import_of_nothing(&mut self) {
        for kind in crate::api::prometheus_rule_import::SourceKind::ALL {
            self.context.sources.set_listed(kind);
        }
        let import = made::<PrometheusRuleImport>(&self.server, "prometheusruleimports", "own", json!({}));
        see(&self.context, &mut self.writers.imports, import, told::import);
    }
}

#[tokio::test]
async fn a_request_reads_what_each_kind_decides_by_once_and_writes_nothing_to_grafana() {
    let mut world = world().await;
    world.rule("r", json!({"query": QUERY}));
    reads_once::<AlertRule>(&world, "alertrules", "r", &["rules.get"]).await;
    world.contact_point("team", hook("https://example.com/hook"));
    reads_once::<ContactPoint>(&world, "contactpoints", "team", &["contact_points.get"]).await;
    world.policy("tree", json!({"receiver": "team"}));
    reads_once::<NotificationPolicy>(&world, "notificationpolicies", "tree", &["policy.get"]).await;
    let times = json!({"timeIntervals": [{"weekdays": ["saturday"]}]});
    world.time_interval("weekend", times);
    reads_once::<TimeInterval>(&world, "timeintervals", "weekend", &["time_intervals.get"]).await;
    let text = r#"{{ define "own" }}x{{ end }}"#;
    world.template("own", json!({"template": text}));
    reads_once::<NotificationTemplate>(&world, "notificationtemplates", "own", &["templates.get"]).await;
    let inhibits = json!({"sourceMatchers": ["a=b"], "targetMatchers": ["c=d"]});
    let rule = made::<InhibitionRule>(&world.server, "inhibitionrules", "own", inhibits);
    see(
        &world.context,
        &mut world.writers.inhibition_rules,
        rule,
        news::about_inhibition_rule,
    );
    world.grafana.hold(|held| held.version = "13.3.0".to_owned());
    reads_once::<InhibitionRule>(&world, "inhibitionrules", "own", &["inhibition_rules.get"]).await;
    world.silence("s", json!({"matchers": ["a=b"], "duration": "5000d"}));
    reads_once::<Silence>(&world, "silences", "s", &["silences.list"]).await;

    // An import makes AlertRules, and asks no Grafana anything.
    world.import_of_nothing();
    let import = async |world: &World| {
        let import = object::<PrometheusRuleImport>(world, "prometheusruleimports", "own");
        let before = world.grafana.calls().len();
        pass::without_finalizer(Arc::new(import), world.context.clone())
            .await
            .unwrap();
        assert_eq!(world.grafana.calls().len(), before, "{:?}", world.grafana.calls());
    };
    import(&world).await;
    ask(&world, "prometheusruleimports", "own", "now");
    import(&world).await;
    assert_eq!(handled(&world, "prometheusruleimports", "own"), json!("now"));
}

#[tokio::test]
async fn a_branch_is_looked_for_in_its_roots_tree_and_its_root_writes_again_what_somebody_has_changed() {
    let mut world = world().await;
    world.contact_point("team", hook("https://example.com/hook"));
    world.policy("tree", json!({"receiver": "team"}));
    rests::<ContactPoint>(&world, "contactpoints", "team").await;
    rests::<NotificationPolicy>(&world, "notificationpolicies", "tree").await;
    world.policy(
        "branch",
        json!({"parentRef": {"name": "tree"}, "receiver": "team", "routes": [{"matchers": ["a=b"]}]}),
    );
    pass::<NotificationPolicy>(&world, "notificationpolicies", "tree").await;
    let reads = &["policy.get"];
    reads_once::<NotificationPolicy>(&world, "notificationpolicies", "branch", reads).await;

    drain(&mut world.receivers.policies);
    world.grafana.hold(|held| {
        let tree = held.policy.take().unwrap();
        let routes = tree.routes.into_iter().take(1).collect();
        held.policy = Some(Route { routes, ..tree });
    });
    ask(&world, "notificationpolicies", "branch", "later");
    pass::<NotificationPolicy>(&world, "notificationpolicies", "branch").await;
    assert_eq!(
        handled(&world, "notificationpolicies", "branch"),
        json!("now"),
        "not yet"
    );
    assert!(drain(&mut world.receivers.policies) > 0, "its root is asked");
    pass::<NotificationPolicy>(&world, "notificationpolicies", "tree").await;
    pass::<NotificationPolicy>(&world, "notificationpolicies", "branch").await;
    assert_eq!(handled(&world, "notificationpolicies", "branch"), json!("later"));
    assert_eq!(reason(&world, "notificationpolicies", "branch"), "Synced");
}

#[tokio::test]
async fn a_request_that_ends_before_it_has_read_leaves_to_others_what_was_known() {
    let mut world = world().await;
    world.contact_point("team", hook("https://example.com/hook"));
    rests::<ContactPoint>(&world, "contactpoints", "team").await;
    world.policy("tree", json!({"receiver": "team"}));
    rests::<NotificationPolicy>(&world, "notificationpolicies", "tree").await;
    world.policy(
        "branch",
        json!({"parentRef": {"name": "tree"}, "receiver": "team", "routes": [{"matchers": ["a=b"]}]}),
    );
    pass::<NotificationPolicy>(&world, "notificationpolicies", "tree").await;
    rests::<NotificationPolicy>(&world, "notificationpolicies", "branch").await;
    let at = path("contactpoints", "revel", "team");
    let mut object = world.server.get(&at);
    let url = json!({"secretKeyRef": {"name": "missing", "key": "url"}});
    object["spec"] = json!({"integrations": [{"webhook": {"url": url}}]});
    world.server.set(&at, object);
    ask(&world, "contactpoints", "team", "now");
    assert_eq!(
        pass::<ContactPoint>(&world, "contactpoints", "team").await,
        [""; 0]
    );
    assert_eq!(reason(&world, "contactpoints", "team"), "DependencyMissing");
    assert_eq!(handled(&world, "contactpoints", "team"), json!("now"));
    let branch = object_of_branch(&world);
    branch.reconcile(&world.context).await.unwrap();
    // A look that comes to nothing leaves it as well.
    ask(&world, "notificationpolicies", "branch", "now");
    world.grafana.does(|_| Does::Refuses(503, "away"));
    object_of_branch(&world)
        .reconcile(&world.context)
        .await
        .unwrap_err();
    branch.reconcile(&world.context).await.unwrap();
}

fn object_of_branch(world: &World) -> NotificationPolicy {
    object(world, "notificationpolicies", "branch")
}

#[tokio::test]
async fn a_request_stands_until_grafana_has_answered() {
    let mut world = world().await;
    world.rule("r", json!({"query": QUERY}));
    world.contact_point("team", hook("https://example.com/hook"));
    world.silence("s", json!({"matchers": ["a=b"], "duration": "5000d"}));
    rests::<AlertRule>(&world, "alertrules", "r").await;
    rests::<ContactPoint>(&world, "contactpoints", "team").await;
    rests::<Silence>(&world, "silences", "s").await;
    let all = [("alertrules", "r"), ("contactpoints", "team"), ("silences", "s")];
    let passes = async |world: &World| {
        [
            pass::<AlertRule>(world, "alertrules", "r").await,
            pass::<ContactPoint>(world, "contactpoints", "team").await,
            pass::<Silence>(world, "silences", "s").await,
        ]
        .concat()
    };
    let reads = ["rules.get", "contact_points.get", "silences.list"];
    for (plural, name) in all {
        ask(&world, plural, name, "now");
    }
    for (code, told) in [(503, "Unavailable"), (401, "Unauthorized"), (429, "Throttled")] {
        world.grafana.does(move |_| Does::Refuses(code, "no"));
        assert_eq!(passes(&world).await, reads, "{code}");
        for (plural, name) in all {
            assert_eq!(handled(&world, plural, name), Value::Null, "{plural} {code}");
            assert_eq!(reason(&world, plural, name), told, "{plural}");
        }
    }
    world.grafana.does_well();
    assert_eq!(passes(&world).await, reads);
    for (plural, name) in all {
        assert_eq!(handled(&world, plural, name), json!("now"), "{plural}");
        assert_eq!(reason(&world, plural, name), "Synced", "{plural}");
    }
    assert_eq!(passes(&world).await, [""; 0]);
}

#[tokio::test]
async fn what_is_wrong_with_a_resource_itself_answers_a_request() {
    let mut world = world().await;
    world.rule("r", json!({"query": "sum(rate(x[5m])) >"}));
    ask(&world, "alertrules", "r", "now");
    assert_eq!(pass::<AlertRule>(&world, "alertrules", "r").await, [""; 0]);
    assert_eq!(reason(&world, "alertrules", "r"), "Invalid");
    assert_eq!(handled(&world, "alertrules", "r"), json!("now"));
}

/// What a person has made.
fn by_hand(url: &str) -> Point {
    Point {
        name: "team".to_owned(),
        uid: "by-hand".to_owned(),
        r#type: "webhook".to_owned(),
        settings: [("url".to_owned(), json!(url))].into_iter().collect(),
    }
}

/// Nothing is known of the contact point any more, as after an answer that was lost.
fn forget(world: &World) {
    let subject = Subject::ContactPoint("team".to_owned());
    world.instance().mirror.write(|held| {
        held.begins(&subject);
        held.ends(&subject);
    });
}

#[tokio::test]
async fn a_request_finds_that_a_contact_point_of_somebody_elses_is_equal_by_now() {
    let mut world = world().await;
    world
        .grafana
        .hold(|held| held.points.push(by_hand("https://example.com/other")));
    world.poll().await;
    world.contact_point("team", hook("https://example.com/hook"));
    pass::<ContactPoint>(&world, "contactpoints", "team").await;
    assert_eq!(reason(&world, "contactpoints", "team"), "NotOwned");
    // Whether nothing is known of it at this moment makes no difference.
    for (value, is_unknown) in [("first", false), ("second", true)] {
        if is_unknown {
            forget(&world);
        }
        ask(&world, "contactpoints", "team", value);
        pass::<ContactPoint>(&world, "contactpoints", "team").await;
        assert_eq!(reason(&world, "contactpoints", "team"), "NotOwned");
    }
    // What polls show isn't what is there by now.
    world.poll().await;
    world
        .grafana
        .hold(|held| held.points[0] = by_hand("https://example.com/hook"));
    ask(&world, "contactpoints", "team", "now");
    pass::<ContactPoint>(&world, "contactpoints", "team").await;
    assert_eq!(reason(&world, "contactpoints", "team"), "Synced");
    assert_eq!(handled(&world, "contactpoints", "team"), json!("now"));
    let calls = world.grafana.calls();
    let writes = [
        "contact_points.put",
        "contact_points.create",
        "contact_points.update",
    ];
    assert!(calls.iter().all(|call| !writes.contains(call)), "{calls:?}");
}

#[tokio::test]
async fn a_contact_point_of_which_nothing_is_known_may_be_somebody_elses_equal_one() {
    let mut world = world().await;
    world
        .grafana
        .hold(|held| held.points.push(by_hand("https://example.com/hook")));
    world.poll().await;
    forget(&world);
    world.contact_point("team", hook("https://example.com/hook"));
    pass::<ContactPoint>(&world, "contactpoints", "team").await;
    assert_eq!(reason(&world, "contactpoints", "team"), "Synced");
}

#[tokio::test]
async fn a_request_finds_that_a_uid_is_free_by_now() {
    let mut world = world().await;
    let spec = json!({"query": QUERY, "uid": "by-hand"});
    world.rule("r", spec.clone());
    pass::<AlertRule>(&world, "alertrules", "r").await;
    // Another cluster's, say.
    world.grafana.hold(|held| {
        for rule in held.rules.values_mut() {
            rule.labels.clear();
            rule.title = "by hand".to_owned();
        }
    });
    world.poll().await;
    world.rule("r", spec);
    pass::<AlertRule>(&world, "alertrules", "r").await;
    assert_eq!(reason(&world, "alertrules", "r"), "NotOwned");
    world.grafana.hold(|held| held.rules.clear());
    ask(&world, "alertrules", "r", "now");
    pass::<AlertRule>(&world, "alertrules", "r").await;
    assert_eq!(reason(&world, "alertrules", "r"), "Synced");
    assert_eq!(handled(&world, "alertrules", "r"), json!("now"));
}

#[tokio::test]
async fn what_a_request_only_reads_is_no_news_and_an_answer_that_was_lost_is() {
    let mut world = world().await;
    world.contact_point("team", hook("https://example.com/hook"));
    rests::<ContactPoint>(&world, "contactpoints", "team").await;
    world.policy("tree", json!({"receiver": "team"}));
    let told = |world: &mut World| drain(&mut world.receivers.policies);
    ask(&world, "contactpoints", "team", "first");
    told(&mut world);
    pass::<ContactPoint>(&world, "contactpoints", "team").await;
    assert_eq!(told(&mut world), 1, "by the status alone");
    forget(&world);
    ask(&world, "contactpoints", "team", "second");
    pass::<ContactPoint>(&world, "contactpoints", "team").await;
    assert!(told(&mut world) > 1);
}

#[tokio::test]
async fn a_request_waits_for_the_grafanas_that_a_resource_is_for_and_for_none_that_it_leaves() {
    let mut world = world().await;
    let other = world.beside("other", json!({"url": "http://other"})).await;
    let spec = |instances: &[&str]| json!({"query": QUERY, "instances": instances});
    world.rule("r", spec(&["default", "other"]));
    pass::<AlertRule>(&world, "alertrules", "r").await;
    other.does(|_| Does::Refuses(503, "not now"));
    ask(&world, "alertrules", "r", "now");
    pass::<AlertRule>(&world, "alertrules", "r").await;
    assert_eq!(
        handled(&world, "alertrules", "r"),
        Value::Null,
        "one hasn't answered"
    );
    let at = path("alertrules", "revel", "r");
    let mut object = world.server.get(&at);
    object["spec"] = spec(&["default"]);
    object["metadata"]["generation"] = json!(2);
    world.server.set(&at, object);
    pass::<AlertRule>(&world, "alertrules", "r").await;
    let places = world.server.get(&at)["status"]["instances"].take();
    assert_eq!(
        places.as_array().map(Vec::len),
        Some(2),
        "it is still there: {places}"
    );
    assert_eq!(handled(&world, "alertrules", "r"), json!("now"));
}
