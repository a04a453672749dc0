//! Two namespaces of one Grafana, and what one of them tries.

#![expect(
    clippy::needless_pass_by_value,
    reason = "json!(..) reads better without a borrow"
)]

use crate::api::{ANNOTATION_SHARED_WITH, InhibitionRule, PrometheusRuleImport};
use crate::controller::alert_rule::import::news as told;
use crate::controller::pass::{self, Reconcile};
use crate::controller::tests::*;

/// Whose things the namespace `revel` is after.
pub(super) const BANK: &str = "bank";

/// A resource of the namespace `bank`.
fn theirs<K: Managed + DeserializeOwned>(world: &World, plural: &str, name: &str, spec: Value) -> K {
    let mut object = json!({
        "apiVersion": "alerting.letsrevel.io/v1alpha1", "kind": K::KIND, "spec": spec,
        "metadata": {
            "name": name, "namespace": BANK, "uid": format!("uid-bank-{name}"), "generation": 1,
            "creationTimestamp": "2025-01-01T00:00:00Z", "finalizers": [FINALIZER],
        },
    });
    if name == "tree" {
        object["metadata"]["annotations"] = json!({ANNOTATION_SHARED_WITH: "revel"});
    }
    world.server.set(&path(plural, BANK, name), object.clone());
    serde_json::from_value(object).unwrap()
}

/// Passes over a resource until what it needs has been read.
async fn pass_over<K: Reconcile>(world: &World, object: &K) -> (String, String) {
    let plural = format!("{}s", K::KIND.to_lowercase()).replace("policys", "policies");
    for _ in 0..2 {
        pass::run(Arc::new(object.clone()), world.context.clone())
            .await
            .unwrap();
        world.poll().await;
    }
    let said = world.server.ready(&path(&plural, object.ns(), object.id()));
    said.unwrap_or_default()
}

/// A Grafana in which `bank` has a contact point, a time interval, a template, a rule, the default tree, in which others may have branches, and one
/// beside it, in which they may not.
pub(super) async fn of_two(instance: Value) -> World {
    let mut world = World::new();
    world.grafana.hold(|held| {
        held.version = "13.2.0".to_owned();
        held.has_revisions = true;
        held.points.push(Point {
            name: "by-hand".to_owned(),
            ..Point::default()
        });
    });
    for namespace in [BANK, "revel"] {
        let object = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}, "status": {"phase": "Active"}});
        world
            .server
            .set(&format!("/api/v1/namespaces/{namespace}"), object);
    }
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "hook", "namespace": BANK}, "data": {"url": "aHR0cHM6Ly9oLmV4YW1wbGU="}});
    world
        .server
        .set(&format!("/api/v1/namespaces/{BANK}/secrets/hook"), secret);
    let instance = world.connect(instance).await;
    until("the first read", || {
        !matches!(instance.health(), Health::Starting)
    })
    .await;
    let url = json!({"secretKeyRef": {"name": "hook", "key": "url"}});
    let point: ContactPoint = theirs(
        &world,
        "contactpoints",
        "team",
        json!({"integrations": [{"webhook": {"url": url}}]}),
    );
    let nights: TimeInterval = theirs(
        &world,
        "timeintervals",
        "nights",
        json!({"timeIntervals": [{"weekdays": ["monday"]}]}),
    );
    let text: NotificationTemplate = theirs(
        &world,
        "notificationtemplates",
        "words",
        json!({"template": "{{ define \"words\" }}x{{ end }}"}),
    );
    let rule: AlertRule = theirs(&world, "alertrules", "x", json!({"query": QUERY}));
    let tree: NotificationPolicy = theirs(
        &world,
        "notificationpolicies",
        "tree",
        json!({"receiver": "team"}),
    );
    let beside = json!({"receiver": "team", "tree": "batch"});
    let beside: NotificationPolicy = theirs(&world, "notificationpolicies", "beside", beside);
    let context = world.context.clone();
    let point = see(
        &context,
        &mut world.writers.contact_points,
        point,
        news::about_contact_point,
    );
    let nights = see(
        &context,
        &mut world.writers.time_intervals,
        nights,
        news::about_time_interval,
    );
    let text = see(&context, &mut world.writers.templates, text, news::about_template);
    let rule = see(&context, &mut world.writers.rules, rule, news::about_rule);
    let tree = see(&context, &mut world.writers.policies, tree, news::about_policy);
    let beside = see(&context, &mut world.writers.policies, beside, news::about_policy);
    for said in [
        pass_over(&world, &point).await,
        pass_over(&world, &nights).await,
        pass_over(&world, &text).await,
        pass_over(&world, &rule).await,
        pass_over(&world, &tree).await,
        pass_over(&world, &beside).await,
    ] {
        assert_eq!(said.0, "Synced", "{}", said.1);
    }
    world
}

/// Everything that Grafana has.
pub(super) fn held(world: &World) -> String {
    world.grafana.hold(|held| {
        format!(
            "{:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?}",
            held.rules,
            held.points,
            held.policy,
            held.other_trees,
            held.time_intervals,
            held.templates,
            held.inhibition_rules,
            held.silences
        )
    })
}

/// Tries it with one resource of the namespace `revel`, which is deleted again.
pub(super) async fn attempt(world: &mut World, kind: &str, name: &str, spec: Value) -> (String, String) {
    macro_rules! of {
        ($type:ty, $plural:literal, $writer:ident, $about:expr) => {{
            let object: $type = made(&world.server, $plural, name, spec);
            let object = see(&world.context, &mut world.writers.$writer, object, $about);
            let said = pass_over(world, &object).await;
            let gone = Event::Delete(object);
            let before = world.writers.$writer.apply(&gone);
            $about(&gone, before.as_deref(), &world.context);
            said
        }};
    }
    match kind {
        "AlertRule" => of!(AlertRule, "alertrules", rules, news::about_rule),
        "ContactPoint" => of!(
            ContactPoint,
            "contactpoints",
            contact_points,
            news::about_contact_point
        ),
        "TimeInterval" => of!(
            TimeInterval,
            "timeintervals",
            time_intervals,
            news::about_time_interval
        ),
        "NotificationTemplate" => {
            of!(
                NotificationTemplate,
                "notificationtemplates",
                templates,
                news::about_template
            )
        }
        "NotificationPolicy" => of!(
            NotificationPolicy,
            "notificationpolicies",
            policies,
            news::about_policy
        ),
        "Silence" => of!(Silence, "silences", silences, news::about_silence),
        "InhibitionRule" => {
            of!(
                InhibitionRule,
                "inhibitionrules",
                inhibition_rules,
                news::about_inhibition_rule
            )
        }
        "PrometheusRuleImport" => {
            for source in crate::api::prometheus_rule_import::SourceKind::ALL {
                world.context.sources.set_listed(source);
            }
            of!(
                PrometheusRuleImport,
                "prometheusruleimports",
                imports,
                told::import
            )
        }
        other => panic!("{other}"),
    }
}
