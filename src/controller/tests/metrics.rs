//! What the metrics say of resources and of Grafana.

use super::*;

/// The value of a series, `None` while there is none.
fn value(world: &World, series: &str) -> Option<f64> {
    let text = world.context.metrics.text().unwrap();
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(&format!("alertwright_{series} ")));
    line.map(|value| value.parse().unwrap())
}

fn rules(world: &World, reason: &str) -> Option<f64> {
    value(
        world,
        &format!("resources{{kind=\"AlertRule\",reason=\"{reason}\"}}"),
    )
}

/// Lets the watch tell of what the API server has.
fn told(world: &mut World, name: &str) -> AlertRule {
    let stored = world.server.get(&path("alertrules", "revel", name));
    let rule: AlertRule = serde_json::from_value(stored).unwrap();
    see(&world.context, &mut world.writers.rules, rule, news::about_rule)
}

#[tokio::test]
async fn resources_are_counted_by_the_reason_that_they_show() {
    let mut world = World::connected().await;
    let rule = Arc::new(world.rule("r", json!({"query": QUERY})));
    let wrong = Arc::new(world.rule("w", json!({"query": "sum("})));
    assert_eq!(rules(&world, ""), Some(2.0));
    for object in [rule, wrong] {
        crate::controller::pass::run(object, world.context.clone())
            .await
            .unwrap();
    }
    let rule = told(&mut world, "r");
    told(&mut world, "w");
    // Told again without a change, as each status that differs is.
    told(&mut world, "w");
    assert_eq!(rules(&world, ""), Some(0.0));
    assert_eq!(rules(&world, "Synced"), Some(1.0));
    assert_eq!(rules(&world, "Invalid"), Some(1.0));
    let gone = Event::Delete(rule);
    let before = world.writers.rules.apply(&gone);
    news::about_rule(&gone, before.as_deref(), &world.context);
    assert_eq!(rules(&world, "Synced"), Some(0.0));
    // What one listing has missed the next one mends.
    world.context.metrics.set_resources("AlertRule", "Invalid", 7);
    news::about_rule(&Event::InitDone, None, &world.context);
    assert_eq!(rules(&world, "Invalid"), Some(1.0));
}

#[tokio::test]
async fn a_grafana_that_does_not_answer_is_seen_in_the_metrics() {
    let series = "grafana_reachable{instance=\"default\"}";
    for (is_away, expected) in [(false, 1.0), (true, 0.0)] {
        let mut world = World::new();
        world.give_token();
        if is_away {
            world.grafana.does(|_| Does::Refuses(502, "no upstream"));
        }
        let instance = world.connect(json!({})).await;
        until("the first read", || instance.health() != Health::Starting).await;
        let declared = world.context.declared_instance("default").unwrap();
        instance::reconcile(declared.clone(), world.context.clone())
            .await
            .unwrap();
        assert_eq!(value(&world, series), Some(expected));
        let gone = Event::Delete((*declared).clone());
        let before = world.writers.instances.apply(&gone);
        news::about_instance(&gone, before.as_deref(), &world.context);
        assert_eq!(value(&world, series), None, "nothing is said of what is gone");

        // A pass that had begun by then: with the Secret there is, and without.
        for has_token in [true, false] {
            if !has_token {
                world
                    .server
                    .remove(&format!("/api/v1/namespaces/{HOME}/secrets/token"));
            }
            instance::reconcile(declared.clone(), world.context.clone())
                .await
                .unwrap();
            assert!(world.context.running.read().is_empty(), "nobody would end it");
            assert!(world.context.broken.read().is_empty());
            assert_eq!(value(&world, series), None);
        }
    }
}

#[tokio::test]
async fn active_silences_are_counted_by_what_they_were_made_for() {
    let mut world = World::connected().await;
    let silence = |name: &str, state: &str, labels: Value| -> Silence {
        let object = json!({
            "apiVersion": "alerting.letsrevel.io/v1alpha1", "kind": "Silence",
            "metadata": {
                "name": name, "namespace": "revel", "uid": name, "labels": labels,
                "ownerReferences": [{"apiVersion": "apps/v1", "kind": "Deployment", "name": "web", "uid": "uid"}],
            },
            "spec": {"matchers": ["a=b"], "comment": "counted", "duration": "1h"},
            "status": {"state": state},
        });
        serde_json::from_value(object).unwrap()
    };
    let rollout = json!({crate::domain::maintenance::generated::LABEL_WORKLOAD: "uid"});
    let mut see = |silence: Silence| {
        see(
            &world.context,
            &mut world.writers.silences,
            silence,
            news::about_silence,
        )
    };
    see(silence("by-hand", "Active", json!({})));
    see(silence("over", "Expired", json!({})));
    see(silence("rollout", "Active", rollout.clone()));
    see(silence("rollout", "Active", rollout.clone()));
    let now = |world: &World, source: &str| value(world, &format!("silences{{source=\"{source}\"}}"));
    assert_eq!(
        (now(&world, "by_hand"), now(&world, "workload")),
        (Some(1.0), Some(1.0))
    );
    let over = silence("rollout", "Expired", rollout);
    super::see(
        &world.context,
        &mut world.writers.silences,
        over,
        news::about_silence,
    );
    assert_eq!(now(&world, "workload"), Some(0.0));
    world.context.metrics.set_silences("by_hand", 7);
    news::about_silence(&Event::InitDone, None, &world.context);
    assert_eq!(now(&world, "by_hand"), Some(1.0));
}
