//! The kinds that have no object in Grafana: imports, policies of maintenance, instances.

use super::*;
use crate::api::{MaintenancePolicy, PrometheusRuleImport};
use crate::cluster::prometheus::PrometheusRule;
use crate::controller::alert_rule::import::news as told;
use crate::controller::instance;
use crate::controller::maintenance::{policy, workload};
use crate::domain::maintenance::rollout::Deployment;

/// Puts an object there as a person has applied it, and lets its watch tell.
fn applied<K: Indexed + DeserializeOwned>(
    world: &mut World,
    at: &str,
    object: &Value,
    writer: fn(&mut Writers) -> &mut Writer<K>,
    about: About<K>,
) -> String {
    world.server.set(at, object.clone());
    let object = serde_json::from_value(object.clone()).unwrap();
    see(&world.context, writer(&mut world.writers), object, about);
    at.to_owned()
}

fn object(kind: &str, namespace: &str, name: &str, spec: &Value) -> Value {
    json!({
        "apiVersion": "alerting.letsrevel.io/v1alpha1", "kind": kind, "spec": spec,
        "metadata": {"name": name, "namespace": namespace, "uid": format!("uid-{name}"), "generation": 1},
    })
}

#[tokio::test]
async fn whatever_an_import_says_its_passes_end() {
    let mut world = World::connected().await;
    for kind in crate::api::prometheus_rule_import::SourceKind::ALL {
        world.context.sources.set_listed(kind);
    }
    // What others have written is no better.
    let rules: Vec<Value> = TEXTS
        .iter()
        .map(|text| json!({"alert": text, "record": null, "expr": text, "for": text, "labels": {*text: text}, "annotations": {"a": text}}))
        .collect();
    let groups =
        json!({"groups": [{"name": "g", "interval": "x", "rules": rules}, {"name": 7}, {"rules": {}}]});
    for (name, spec) in [
        ("odd", groups),
        ("none", json!({})),
        ("wrong", json!({"groups": 3})),
    ] {
        let found: PrometheusRule = serde_json::from_value(json!({
            "metadata": {"name": name, "namespace": "revel", "labels": {"a": "b"}}, "spec": spec,
        }))
        .unwrap();
        see(
            &world.context,
            &mut world.writers.prometheus_rules,
            found,
            told::source,
        );
    }
    let seen = |world: &mut World, name: &str, spec: Value| {
        let at = path("prometheusruleimports", "revel", name);
        let object = object("PrometheusRuleImport", "revel", name, &spec);
        applied(world, &at, &object, |all| &mut all.imports, told::import)
    };
    let pass = async |world: &World, object: Value| {
        let object: PrometheusRuleImport = serde_json::from_value(object).unwrap();
        drop(pass::without_finalizer(Arc::new(object), world.context.clone()).await);
    };
    let tried = try_many(
        &mut world,
        kind("PrometheusRuleImport", json!({}), 20),
        is_read::<PrometheusRuleImport>,
        seen,
        pass,
    )
    .await;
    assert_enough(&[tried]);
}

#[tokio::test]
async fn whatever_a_maintenance_policy_says_its_passes_and_those_of_workloads_end() {
    let mut world = World::connected().await;
    let deployment = |name: &str, annotations: &Value| -> Deployment {
        serde_json::from_value(json!({
            "metadata": {"name": name, "namespace": "revel", "uid": format!("uid-{name}"), "generation": 2, "labels": {"a": "b"}, "annotations": annotations},
            "spec": {"selector": {}, "template": {}},
            "status": {"observedGeneration": 2, "replicas": 1, "updatedReplicas": 0, "unavailableReplicas": 1,
                "conditions": [{"type": "Progressing", "status": "True", "reason": "ReplicaSetUpdated"}]},
        }))
        .unwrap()
    };
    let named = TEXTS.iter().enumerate().map(|(i, text)| {
        let annotations = json!({"alerting.letsrevel.io/maintenance": text, "alerting.letsrevel.io/maintenance-policy": text});
        deployment(&format!("named-{i}"), &annotations)
    });
    let all: Vec<Deployment> = named.chain([deployment("plain", &json!({}))]).collect();
    for workload in &all {
        see(
            &world.context,
            &mut world.writers.deployments,
            workload.clone(),
            news::about_rolling,
        );
    }
    let seen = |world: &mut World, name: &str, spec: Value| {
        let at = path("maintenancepolicies", "revel", name);
        let object = object("MaintenancePolicy", "revel", name, &spec);
        applied(
            world,
            &at,
            &object,
            |all| &mut all.maintenance,
            news::about_maintenance,
        )
    };
    let plain = all.last().unwrap().clone();
    let pass = async |world: &World, object: Value| {
        let object: MaintenancePolicy = serde_json::from_value(object).unwrap();
        drop(policy::reconcile(Arc::new(object), world.context.clone()).await);
        drop(workload::rolling(Arc::new(plain.clone()), world.context.clone()).await);
    };
    let tried = try_many(
        &mut world,
        kind(
            "MaintenancePolicy",
            json!({"targets": [{"kind": "Deployment"}]}),
            5,
        ),
        is_read::<MaintenancePolicy>,
        seen,
        pass,
    )
    .await;
    assert_enough(&[tried]);
    for workload in all {
        drop(workload::rolling(Arc::new(workload), world.context.clone()).await);
    }
}

#[tokio::test]
async fn whatever_an_instance_says_its_passes_end_and_others_have_theirs() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut world = World::connected().await;
    world.give_token();
    let token = json!({"token": {"secretKeyRef": {"name": "token", "key": "token"}}});
    let good = json!({"url": "http://127.0.0.1:1", "auth": token});
    let seen = |world: &mut World, name: &str, mut spec: Value| {
        // Nobody is called.
        for url in ["url", "proxyURL"] {
            if spec[url].as_str().is_some_and(|text| text.contains("example")) {
                spec[url] = json!("http://127.0.0.1:1");
            }
        }
        let at = path("grafanainstances", HOME, name);
        let object = object("GrafanaInstance", HOME, name, &spec);
        applied(
            world,
            &at,
            &object,
            |all| &mut all.instances,
            news::about_instance,
        )
    };
    let connected = std::cell::Cell::new(0);
    let pass = async |world: &World, object: Value| {
        let object: GrafanaInstance = serde_json::from_value(object).unwrap();
        let name = object.metadata.name.clone().unwrap();
        drop(instance::reconcile(Arc::new(object), world.context.clone()).await);
        connected.set(connected.get() + u64::from(world.context.running.read().contains_key(&name)));
        instance::disconnect(&name, &world.context);
    };
    let (read, _) = try_many(
        &mut world,
        kind("GrafanaInstance", good, 5),
        is_read::<GrafanaInstance>,
        seen,
        pass,
    )
    .await;
    let connected = connected.get();
    assert!(
        read >= OBJECTS / 4 && connected >= 5,
        "{read} were tried, {connected} connected"
    );
    let rule = world.rule("good", json!({"query": QUERY}));
    let report = rule.reconcile(&world.context).await.unwrap();
    assert_eq!(report.reason, Reason::Synced);
}
