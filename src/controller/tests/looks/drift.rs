//! `driftPolicy: Report`: what somebody changes in Grafana is told and left.

use serde::de::DeserializeOwned;

use super::super::grafana::Held;
use super::*;
use crate::controller::pass::{self, Reconcile};
use crate::grafana::mirror::Part;
use crate::grafana::model::Route;

/// A world whose instance only reports drift, or puts it right.
pub(super) async fn world(policy: &str) -> World {
    let mut world = World::new();
    connect(&mut world, policy).await;
    world
}

async fn connect(world: &mut World, policy: &str) {
    if let Some(before) = world.context.running.read().get("default") {
        before.stop.cancel();
    }
    let instance = world.connect(json!({"driftPolicy": policy})).await;
    until("the first read", || {
        !matches!(instance.health(), Health::Starting)
    })
    .await;
}

/// Runs a pass over a resource as the API server has it, and returns its reason and what has drifted.
pub(super) async fn said<K: Reconcile + DeserializeOwned>(
    world: &World,
    plural: &str,
    name: &str,
) -> (String, Vec<String>) {
    let at = path(plural, "revel", name);
    let object: K = serde_json::from_value(world.server.get(&at)).unwrap();
    pass::run(Arc::new(object), world.context.clone()).await.unwrap();
    let after: K = serde_json::from_value(world.server.get(&at)).unwrap();
    let drift = after
        .status()
        .map(|status| K::drift(&mut status.clone()).cloned().unwrap_or_default());
    (
        world.server.ready(&at).expect("a condition").0,
        drift.unwrap_or_default(),
    )
}

/// What was asked of Grafana that could change something, since so many calls.
fn writes(world: &World, since: usize) -> Vec<&'static str> {
    let ends = [
        "create",
        "update",
        "put",
        "put_group",
        "delete",
        "expire",
        "reset",
    ];
    let calls = world.grafana.calls().into_iter().skip(since);
    calls
        .filter(|call| ends.iter().any(|end| call.ends_with(&format!(".{end}"))))
        .collect()
}

fn drifted(fields: &[&str]) -> (String, Vec<String>) {
    let fields = fields.iter().map(|field| (*field).to_owned()).collect();
    ("Drifted".to_owned(), fields)
}

pub(super) fn synced() -> (String, Vec<String>) {
    ("Synced".to_owned(), Vec::new())
}

/// Somebody changes a time interval and a template.
pub(super) fn change_named(held: &mut Held) {
    let interval = held.time_intervals.get_mut("nights").unwrap();
    interval.object.time_intervals[0].weekdays = vec!["monday".to_owned()];
    let template = held.templates.get_mut("slack").unwrap();
    template.object.content = template.object.content.replace('1', "2");
}

/// The state that the status tells.
fn state(world: &World, plural: &str, name: &str) -> Value {
    world.server.get(&path(plural, "revel", name))["status"]["state"].clone()
}

/// Another specification of a resource.
pub(super) fn edit(world: &World, plural: &str, name: &str, spec: Value) {
    let at = path(plural, "revel", name);
    let mut object = world.server.get(&at);
    object["spec"] = spec;
    object["metadata"]["generation"] = json!(object["metadata"]["generation"].as_i64().unwrap() + 1);
    world.server.set(&at, object);
}

#[tokio::test]
async fn a_rule_that_somebody_changes_or_deletes_is_left_and_its_fields_are_told_until_it_is_edited() {
    let mut world = world("Report").await;
    world.rule("r", json!({"query": QUERY}));
    let rule = async |world: &World| said::<AlertRule>(world, "alertrules", "r").await;
    assert_eq!(rule(&world).await, synced());
    let before = world.grafana.hold(|held| held.rules.clone());
    let stored = |world: &World| {
        let mut status = world.server.get(&path("alertrules", "revel", "r"))["status"].take();
        status["stored"].take()
    };
    let as_stored = stored(&world);
    let since = world.grafana.calls().len();
    world.grafana.hold(|held| {
        for rule in held.rules.values_mut() {
            rule.title = "by hand".to_owned();
            rule.is_paused = true;
        }
    });
    world.poll().await;
    for _ in 0..2 {
        let (reason, mut fields) = rule(&world).await;
        fields.sort();
        assert_eq!((reason, fields), drifted(&["paused", "title"]));
        assert_eq!(state(&world, "alertrules", "r"), json!("Paused"));
        assert_eq!(
            stored(&world),
            as_stored,
            "what was stored stays what it is held against"
        );
    }
    let message = world.server.ready(&path("alertrules", "revel", "r")).unwrap().1;
    assert!(
        message.contains("title") && message.contains("driftPolicy"),
        "{message}"
    );

    // Gone, with its folder.
    let at = path("alertrules", "revel", "r");
    let mut object = world.server.get(&at);
    assert!(object["status"]["stateSince"].is_string());
    object["status"]["stateMessage"] = json!("no such table");
    world.server.set(&at, object);
    world.grafana.hold(|held| {
        held.rules.clear();
        held.folders.clear();
    });
    world.poll().await;
    assert_eq!(rule(&world).await, drifted(&["deleted"]));
    assert_eq!(
        state(&world, "alertrules", "r"),
        Value::Null,
        "what is gone is in no state"
    );
    let status = world.server.get(&at)["status"].take();
    assert_eq!(
        (&status["stateSince"], &status["stateMessage"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(writes(&world, since), [""; 0]);

    // Somebody puts it back.
    world.grafana.hold(|held| held.rules = before.clone());
    world.poll().await;
    assert_eq!(rule(&world).await, synced());

    world.grafana.hold(|held| {
        held.rules
            .values_mut()
            .for_each(|rule| rule.title = "by hand".to_owned());
    });
    world.poll().await;
    edit(&world, "alertrules", "r", json!({"query": QUERY, "for": "7m"}));
    assert_eq!(rule(&world).await, synced());
    let now = world
        .grafana
        .hold(|held| held.rules.values().next().cloned().unwrap());
    assert_eq!((now.title.as_str(), now.r#for.as_str()), ("r", "7m"));
}

#[tokio::test]
async fn a_rule_that_is_to_have_another_uid_by_now_is_made_and_not_told_as_gone() {
    let mut world = world("Report").await;
    world.rule("r", json!({"query": QUERY}));
    assert_eq!(said::<AlertRule>(&world, "alertrules", "r").await, synced());
    let at = path("alertrules", "revel", "r");
    let mut object = world.server.get(&at);
    object["status"]["uid"] = json!("former");
    world.server.set(&at, object);
    world.grafana.hold(|held| held.rules.clear());
    world.poll().await;
    assert_eq!(said::<AlertRule>(&world, "alertrules", "r").await, synced());
    assert_eq!(world.grafana.hold(|held| held.rules.len()), 1);
}

#[tokio::test]
async fn a_rule_that_is_gone_when_its_resource_is_edited_is_told_as_no_drift_and_else_as_one() {
    for (is_edited, expected) in [(false, Some(vec!["deleted".to_owned()])), (true, None)] {
        let mut world = world("Correct").await;
        world.rule("r", json!({"query": QUERY}));
        assert_eq!(said::<AlertRule>(&world, "alertrules", "r").await, synced());
        world.grafana.hold(|held| held.rules.clear());
        world.poll().await;
        if is_edited {
            edit(&world, "alertrules", "r", json!({"query": QUERY, "for": "7m"}));
        }
        let at = path("alertrules", "revel", "r");
        let rule: AlertRule = serde_json::from_value(world.server.get(&at)).unwrap();
        let report = rule.reconcile(&world.context).await.unwrap();
        assert_eq!(report.status.last_drift.map(|drift| drift.fields), expected);
        assert_eq!(world.grafana.hold(|held| held.rules.len()), 1);
    }
}

#[tokio::test]
async fn a_contact_point_tree_and_silence_that_somebody_changes_are_left_and_told_and_put_right_once_that_is_asked_for()
 {
    let mut world = world("Report").await;
    let hook = json!({"integrations": [{"webhook": {"url": {"value": "https://example.com/hook"}}}]});
    world.contact_point("team", hook);
    world.policy("tree", json!({"receiver": "team", "groupWait": "1m"}));
    world.silence("s", json!({"matchers": ["a=b"], "duration": "5000d"}));
    let point = async |world: &World| said::<ContactPoint>(world, "contactpoints", "team").await;
    let tree = async |world: &World| said::<NotificationPolicy>(world, "notificationpolicies", "tree").await;
    let silence = async |world: &World| said::<Silence>(world, "silences", "s").await;
    assert_eq!(point(&world).await, synced());
    assert_eq!(tree(&world).await, synced());
    assert_eq!(silence(&world).await, synced());

    let since = world.grafana.calls().len();
    world.grafana.hold(|held| {
        held.points[0]
            .settings
            .insert("url".to_owned(), json!("https://example.com/other"));
        let tree = held.policy.take().unwrap();
        held.policy = Some(Route {
            group_wait: Some("2m".to_owned()),
            ..tree
        });
        held.silences[0].comment = "by hand".to_owned();
    });
    world.poll().await;
    for _ in 0..2 {
        assert_eq!(point(&world).await, drifted(&["webhook.url"]));
        assert_eq!(tree(&world).await, drifted(&["group_wait"]));
        assert_eq!(silence(&world).await, drifted(&["comment"]));
        assert_eq!(state(&world, "silences", "s"), json!("Active"));
    }
    world.grafana.hold(|held| {
        held.points.clear();
        held.silences.clear();
    });
    world.poll().await;
    assert_eq!(point(&world).await, drifted(&["webhook: deleted"]));
    assert_eq!(silence(&world).await, drifted(&["deleted"]));
    assert_eq!(state(&world, "silences", "s"), json!("Expired"));
    assert_eq!(writes(&world, since), [""; 0]);

    connect(&mut world, "Correct").await;
    assert_eq!(point(&world).await, synced());
    assert_eq!(tree(&world).await, synced());
    assert_eq!(silence(&world).await, synced());
    let (points, wait) = world.grafana.hold(|held| {
        (
            held.points.len(),
            held.policy.as_ref().and_then(|tree| tree.group_wait.clone()),
        )
    });
    assert_eq!((points, wait.as_deref()), (1, Some("1m")));
}

#[tokio::test]
async fn a_time_interval_and_a_template_that_somebody_changes_are_left_and_told_and_put_right_once_that_is_asked_for()
 {
    let mut world = world("Report").await;
    world
        .instance()
        .suspicion
        .ask_for(&[Part::TimeIntervals, Part::Templates]);
    world.poll().await;
    world.time_interval(
        "nights",
        json!({"timeIntervals": [{"weekdays": ["sunday"], "months": ["may"]}]}),
    );
    world.template("slack", json!({"template": "{{ define \"a\" }}\n1\n{{ end }}"}));
    let interval = async |world: &World| said::<TimeInterval>(world, "timeintervals", "nights").await;
    let template =
        async |world: &World| said::<NotificationTemplate>(world, "notificationtemplates", "slack").await;
    assert_eq!(interval(&world).await, synced());
    assert_eq!(template(&world).await, synced());
    assert_eq!(interval(&world).await, synced());

    let since = world.grafana.calls().len();
    let before = world
        .grafana
        .hold(|held| (held.time_intervals.clone(), held.templates.clone()));
    world.grafana.hold(change_named);
    world.poll().await;
    for _ in 0..2 {
        assert_eq!(interval(&world).await, drifted(&["timeIntervals[0].weekdays"]));
        assert_eq!(template(&world).await, drifted(&["template: line 2"]));
    }
    world.grafana.hold(|held| {
        held.time_intervals.clear();
        held.templates.clear();
    });
    world.poll().await;
    assert_eq!(interval(&world).await, drifted(&["deleted"]));
    assert_eq!(template(&world).await, drifted(&["deleted"]));
    assert_eq!(writes(&world, since), [""; 0]);

    // Another connection reads what resources need, though none has its pass for that.
    let calls = ["time_intervals.list", "templates.list"];
    let counted = calls.map(|call| world.grafana.count(call));
    connect(&mut world, "Correct").await;
    for (call, before) in calls.into_iter().zip(counted) {
        world.grafana.called(call, before + 1).await;
    }
    let instance = world.instance();
    let parts = [Part::TimeIntervals, Part::Templates];
    until("a read of both", || instance.check(&parts).is_ok()).await;
    assert_eq!(interval(&world).await, synced());
    assert_eq!(template(&world).await, synced());
    let after = world
        .grafana
        .hold(|held| (held.time_intervals.clone(), held.templates.clone()));
    assert_eq!(after, before);
}

#[tokio::test]
async fn a_text_that_is_another_in_its_config_map_is_written_though_drift_is_only_told_of() {
    let mut world = world("Report").await;
    world.instance().suspicion.ask_for(&[Part::Templates]);
    world.poll().await;
    let texts = |text: &str| json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "texts", "namespace": "revel"}, "data": {"slack": text}});
    let at = "/api/v1/namespaces/revel/configmaps/texts";
    world.server.set(at, texts("one"));
    world.template(
        "slack",
        json!({"templateFrom": {"configMapKeyRef": {"name": "texts", "key": "slack"}}}),
    );
    let template =
        async |world: &World| said::<NotificationTemplate>(world, "notificationtemplates", "slack").await;
    assert_eq!(template(&world).await, synced());
    world
        .grafana
        .hold(|held| held.templates.get_mut("slack").unwrap().object.content = "by hand".to_owned());
    world.poll().await;
    assert_eq!(template(&world).await, drifted(&["template: line 1"]));
    world.server.set(at, texts("two"));
    assert_eq!(template(&world).await, synced());
    let content = world
        .grafana
        .hold(|held| held.templates["slack"].object.content.clone());
    assert!(content.contains("two"), "{content}");
}

#[tokio::test]
async fn a_secret_that_changes_is_sent_though_drift_is_only_told_of() {
    let mut world = world("Report").await;
    let secret = |value: &str| json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "hook", "namespace": "revel"}, "data": {"password": value}});
    let at = "/api/v1/namespaces/revel/secrets/hook";
    world.server.set(at, secret("Zmlyc3Q="));
    let hook = json!({"integrations": [{"webhook": {
        "url": {"value": "https://example.com/hook"}, "username": "u",
        "password": {"secretKeyRef": {"name": "hook", "key": "password"}},
    }}]});
    world.contact_point("team", hook);
    assert_eq!(
        said::<ContactPoint>(&world, "contactpoints", "team").await,
        synced()
    );
    world.server.set(at, secret("c2Vjb25k"));
    assert_eq!(
        said::<ContactPoint>(&world, "contactpoints", "team").await,
        synced()
    );
    let sent = world
        .grafana
        .hold(|held| held.points[0].settings["password"].clone());
    assert_eq!(sent, "second");
}

#[tokio::test]
async fn an_interval_that_is_kept_for_somebody_elses_rule_is_nobodys_change() {
    for is_foreign in [true, false] {
        let mut world = world("Report").await;
        world.rule("r", json!({"query": QUERY, "group": "g", "interval": "5m"}));
        world.rule("s", json!({"query": QUERY, "group": "g", "interval": "5m"}));
        let rule = async |world: &World, name: &str| said::<AlertRule>(world, "alertrules", name).await;
        assert_eq!(rule(&world, "r").await, synced());
        assert_eq!(rule(&world, "s").await, synced());
        let since = world.grafana.calls().len();
        world.grafana.hold(|held| {
            for rule in held.rules.values_mut() {
                rule.interval = Duration::from_secs(60);
                if rule.title == "s" && is_foreign {
                    rule.labels.clear();
                }
            }
        });
        world.poll().await;
        let expected = if is_foreign {
            synced()
        } else {
            drifted(&["interval"])
        };
        assert_eq!(rule(&world, "r").await, expected, "somebody else's: {is_foreign}");
        let message = world.server.ready(&path("alertrules", "revel", "r")).unwrap().1;
        assert_eq!(message.contains("because its rule"), is_foreign, "{message}");
        assert_eq!(writes(&world, since), [""; 0]);
    }
}

#[tokio::test]
async fn a_contact_point_that_is_to_be_sent_again_is_though_it_has_drifted() {
    let mut world = world("Report").await;
    let hook = json!({"integrations": [{"webhook": {"url": {"value": "https://example.com/hook"}}}]});
    world.contact_point("team", hook);
    let point = async |world: &World| said::<ContactPoint>(world, "contactpoints", "team").await;
    assert_eq!(point(&world).await, synced());
    world.grafana.hold(|held| {
        let settings = &mut held.points[0].settings;
        settings.insert("url".to_owned(), json!("https://example.com/other"));
    });
    world.poll().await;
    assert_eq!(point(&world).await, drifted(&["webhook.url"]));
    let at = path("contactpoints", "revel", "team");
    let mut object = world.server.get(&at);
    object["metadata"]["annotations"] = json!({ANNOTATION_RESEND: "1"});
    world.server.set(&at, object);
    assert_eq!(point(&world).await, synced());
    let url = world.grafana.hold(|held| held.points[0].settings["url"].clone());
    assert_eq!(url, "https://example.com/hook");
}
