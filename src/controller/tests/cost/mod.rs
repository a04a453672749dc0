//! What a pass looks at, and whom a change sends on a pass, doesn't grow with the number of resources.

mod counted;
mod crowd;
mod selected;
mod taken_over;
mod together;
mod workloads;

use ::kube::runtime::controller::Action;
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::*;
use crate::api::MaintenancePolicy;
use crate::controller::maintenance::{policy, workload};
use crate::controller::pass::{self, Reconcile};
use crate::controller::{instance, news};
use crate::domain::maintenance::migration::Job;
use crate::domain::maintenance::rollout::Deployment;
use crowd::{Costs, hook, in_any_crowd};

/// Where a kind's objects are and who is told of them.
trait Own: Indexed + DeserializeOwned {
    const PLURAL: &'static str;
    const ABOUT: About<Self>;
    fn writer(world: &mut World) -> (&Context, &mut Writer<Self>);
}

macro_rules! own {
    ($kind:ident, $plural:literal, $about:path, $writer:ident) => {
        impl Own for $kind {
            const PLURAL: &'static str = $plural;
            const ABOUT: About<Self> = $about;
            fn writer(world: &mut World) -> (&Context, &mut Writer<Self>) {
                (&world.context, &mut world.writers.$writer)
            }
        }
    };
}

own!(AlertRule, "alertrules", news::about_rule, rules);
own!(
    ContactPoint,
    "contactpoints",
    news::about_contact_point,
    contact_points
);
own!(
    NotificationPolicy,
    "notificationpolicies",
    news::about_policy,
    policies
);
own!(Silence, "silences", news::about_silence, silences);
own!(
    MaintenancePolicy,
    "maintenancepolicies",
    news::about_maintenance,
    maintenance
);
own!(Deployment, "deployments", news::about_rolling, deployments);
own!(Job, "jobs", news::about_job, jobs);

/// Lets the watch tell of an object.
fn seen<K: Own>(world: &mut World, object: &K) {
    let (context, writer) = K::writer(world);
    see(context, writer, object.clone(), K::ABOUT);
}

/// Lets the watch tell that an object is gone.
fn gone<K: Own>(world: &mut World, object: K) {
    let (context, writer) = K::writer(world);
    let event = Event::Delete(object);
    let before = writer.apply(&event);
    K::ABOUT(&event, before.as_deref(), context);
}

/// The object as the API server has it by now, of which the watch tells.
fn again<K: Own>(world: &mut World, object: &K) -> K {
    let name = object.meta().name.as_deref().unwrap();
    let stored = world.server.get(&path(K::PLURAL, "revel", name));
    let stored: K = serde_json::from_value(stored).unwrap();
    seen(world, &stored);
    stored
}

/// What has been done so far costs nothing.
fn at_rest(world: &mut World) {
    world.asked();
    crate::held::touched::take();
}

async fn run<K: Reconcile>(world: &World, object: &K) {
    pass::run(Arc::new(object.clone()), world.context.clone())
        .await
        .unwrap();
}

/// A pass that finds work, one that finds none, and what the watch tells between them.
async fn two_passes<K: Reconcile + Own>(world: &mut World, costs: &mut Costs, object: &K) -> K {
    run(world, object).await;
    costs.of("the first pass", world);
    let object = again(world, object);
    costs.of("its status is seen", world);
    let reason = K::conditions(object.status().unwrap())[0].reason.clone();
    assert_eq!(reason, "Synced", "{:?}", object.status());
    run(world, &object).await;
    costs.of("a pass at rest", world);
    object
}

/// A policy tree that sends everything to a contact point, both in Grafana.
async fn routed(world: &mut World) -> NotificationPolicy {
    let point = world.contact_point("own", json!({"integrations": [hook("own")]}));
    run(world, &point).await;
    again(world, &point);
    let policy = world.policy("own", json!({"receiver": "own"}));
    run(world, &policy).await;
    again(world, &policy)
}

async fn deletion<K: Reconcile + Own>(world: &mut World, costs: &mut Costs, mut object: K) {
    object.meta_mut().deletion_timestamp = Some(Time(world.context.now()));
    seen(world, &object);
    costs.of("it is to go", world);
    run(world, &object).await;
    costs.of("the last pass", world);
    gone(world, object);
    costs.of("it is gone", world);
}

#[tokio::test]
async fn an_alert_rule_costs_the_same_in_any_crowd() {
    in_any_crowd(async |world: &mut World, costs: &mut Costs| {
        for (name, selector) in [
            ("by-name", json!({"names": ["own"]})),
            ("by-label", json!({"matchLabels": {"team": "own"}})),
        ] {
            world.silence(name, json!({"alertRules": selector, "duration": "5000d"}));
        }
        let rule = world.rule("own", json!({"query": QUERY, "group": "shared"}));
        costs.of("it comes", world);
        let mut rule = two_passes(world, costs, &rule).await;
        rule.metadata.labels = Some([("team".to_owned(), "own".to_owned())].into());
        seen(world, &rule);
        costs.of("it gets a label", world);
        rule.spec.title = Some("Another".to_owned());
        seen(world, &rule);
        costs.of("it gets a title", world);
        run(world, &rule).await;
        costs.of("the pass after that", world);
        deletion(world, costs, rule).await;
    })
    .await;
}

#[tokio::test]
async fn a_contact_point_costs_the_same_in_any_crowd() {
    in_any_crowd(async |world: &mut World, costs: &mut Costs| {
        world.policy("root", json!({"receiver": "own"}));
        world.asked();
        let point = world.contact_point("own", json!({"integrations": [hook("own")]}));
        costs.of("it comes", world);
        let point = two_passes(world, costs, &point).await;
        let mut secret = Secret::default();
        secret.metadata.name = Some("own".to_owned());
        secret.metadata.namespace = Some("revel".to_owned());
        news::texts::secret_changed(&secret, &world.context);
        costs.of("its Secret changes", world);
        deletion(world, costs, point).await;
    })
    .await;
}

#[tokio::test]
async fn a_notification_policy_costs_the_same_in_any_crowd() {
    in_any_crowd(async |world: &mut World, costs: &mut Costs| {
        let policy = routed(world).await;
        at_rest(world);
        run(world, &policy).await;
        costs.of("a pass at rest", world);
        let younger = world.policy("younger", json!({"receiver": "own"}));
        world.asked();
        run(world, &younger).await;
        costs.of("a pass over one that comes too late", world);
        deletion_with_heirs(world, costs, policy).await;
    })
    .await;
}

/// Whoever waits for the tree is told when its holder is gone, and that are all others here.
async fn deletion_with_heirs(world: &mut World, costs: &mut Costs, mut policy: NotificationPolicy) {
    policy.metadata.deletion_timestamp = Some(Time(world.context.now()));
    seen(world, &policy);
    costs.of("it is to go", world);
    run(world, &policy).await;
    costs.of("the last pass", world);
}

#[tokio::test]
async fn what_somebody_changes_in_grafana_sends_the_same_on_a_pass_in_any_crowd() {
    Box::pin(in_any_crowd(async |world: &mut World, costs: &mut Costs| {
        routed(world).await;
        let rule = world.rule("own", json!({"query": QUERY, "group": "shared"}));
        run(world, &rule).await;
        let rule = again(world, &rule);
        let silence = world.silence(
            "own",
            json!({"matchers": ["severity=\"high\""], "duration": "5000d"}),
        );
        run(world, &silence).await;
        let silence = again(world, &silence);
        at_rest(world);
        costs.of_a_poll("nothing has changed", world).await;
        let uid = rule.status.unwrap().uid.unwrap();
        world.grafana.hold(|held| held.rules.remove(&uid));
        costs.of_a_poll("the rule is deleted", world).await;
        world
            .grafana
            .hold(|held| held.folders[0].title = "renamed".to_owned());
        costs.of_a_poll("its folder is renamed", world).await;
        world
            .grafana
            .hold(|held| held.points.retain(|point| point.name != "own"));
        costs.of_a_poll("the contact point is deleted", world).await;
        world
            .grafana
            .hold(|held| held.policy.as_mut().unwrap().receiver = Some("c-0".to_owned()));
        costs.of_a_poll("the tree is edited", world).await;
        let id = silence.status.unwrap().id;
        world
            .grafana
            .hold(|held| held.silences.retain(|silence| silence.id != id));
        costs.of_a_poll("the silence is deleted", world).await;
    }))
    .await;
}

#[tokio::test]
async fn a_silence_costs_the_same_in_any_crowd() {
    in_any_crowd(async |world: &mut World, costs: &mut Costs| {
        let mut rule = world.rule("own", json!({"query": QUERY, "group": "shared"}));
        rule.metadata.labels = Some([("team".to_owned(), "own".to_owned())].into());
        seen(world, &rule);
        world.asked();
        for (name, spec) in [
            ("by-name", json!({"alertRules": {"names": ["own"]}})),
            (
                "by-label",
                json!({"alertRules": {"matchLabels": {"team": "own"}}}),
            ),
            ("all", json!({"alertRules": {"all": true}})),
        ] {
            let mut spec = spec;
            spec["duration"] = json!("5000d");
            let silence = world.silence(name, spec);
            costs.of(name, world);
            let silence = two_passes(world, costs, &silence).await;
            deletion(world, costs, silence).await;
        }
        // What matchers reach is counted in a walk through the rules when it is new, and by no pass after that.
        let spec = json!({"matchers": ["severity=\"high\""], "duration": "5000d"});
        let silence = world.silence("by-matcher", spec);
        costs.of("by-matcher", world);
        run(world, &silence).await;
        crate::held::touched::take();
        let silence = again(world, &silence);
        costs.of("its status is seen", world);
        run(world, &silence).await;
        costs.of("a pass at rest", world);
        deletion(world, costs, silence).await;
    })
    .await;
}

fn rolling_out() -> Deployment {
    serde_json::from_value(json!({
        "metadata": {
            "name": "own", "namespace": "revel", "uid": "uid-own", "generation": 2, "creationTimestamp": "2026-01-01T00:00:00Z",
        },
        "spec": {"replicas": 2, "selector": {}, "template": {"metadata": {"name": "hash"}}},
        "status": {
            "observedGeneration": 2, "replicas": 3, "updatedReplicas": 1, "availableReplicas": 2,
            "conditions": [{"type": "Progressing", "status": "True", "reason": "ReplicaSetUpdated"}],
        },
    }))
    .unwrap()
}

fn running() -> Job {
    serde_json::from_value(a_run()).unwrap()
}

fn a_run() -> Value {
    json!({
        "metadata": {
            "name": "own", "namespace": "revel", "uid": "uid-own", "generation": 1, "creationTimestamp": "2026-01-01T00:00:00Z",
        },
        "spec": {"template": {}}, "status": {"startTime": jiff::Timestamp::now(), "active": 1},
    })
}

fn maintenance(world: &mut World) -> MaintenancePolicy {
    maintenance_by(world, &json!({}))
}

/// A policy that asks for silences like this one, or the same policy after an edit.
fn maintenance_by(world: &mut World, silence: &Value) -> MaintenancePolicy {
    let targets = json!([{"kind": "Deployment"}, {"kind": "Job"}]);
    let object = json!({
        "apiVersion": "alerting.letsrevel.io/v1alpha1", "kind": "MaintenancePolicy", "spec": {"targets": targets, "silence": silence},
        "metadata": {"name": "own", "namespace": "revel", "uid": "uid-own", "generation": 1},
    });
    world
        .server
        .set(&path("maintenancepolicies", "revel", "own"), object.clone());
    let policy = serde_json::from_value(object).unwrap();
    seen(world, &policy);
    policy
}

/// The silence that was opened for the workload.
fn opened(world: &World) -> Silence {
    let written = world.context.workloads.written_of("uid-own");
    assert_eq!(written.len(), 1, "a silence has been opened");
    written[0].stored.clone()
}

/// A workload that asks for a silence comes, gets one, goes on, and goes.
async fn life_of<K: Own, F>(
    world: &mut World,
    costs: &mut Costs,
    workload: K,
    pass: fn(Arc<K>, Arc<Context>) -> F,
) where
    F: Future<Output = Result<Action, workload::Error>>,
{
    maintenance(world);
    at_rest(world);
    seen(world, &workload);
    costs.of("it comes", world);
    for step in ["its first pass", "a pass while it goes on"] {
        pass(Arc::new(workload.clone()), world.context.clone())
            .await
            .unwrap();
        costs.of(step, world);
        seen(world, &opened(world));
        costs.of("its silence is seen", world);
    }
    let silence = opened(world);
    gone(world, workload);
    costs.of("it is gone", world);
    gone(world, silence);
    costs.of("its silence is gone", world);
}

#[tokio::test]
async fn a_deployment_costs_the_same_in_any_crowd() {
    Box::pin(in_any_crowd(async |world: &mut World, costs: &mut Costs| {
        life_of(world, costs, rolling_out(), workload::rolling).await;
    }))
    .await;
}

#[tokio::test]
async fn a_job_costs_the_same_in_any_crowd() {
    Box::pin(in_any_crowd(async |world: &mut World, costs: &mut Costs| {
        life_of(world, costs, running(), workload::job).await;
    }))
    .await;
}

#[tokio::test]
async fn a_maintenance_policy_costs_the_same_in_any_crowd() {
    in_any_crowd(async |world: &mut World, costs: &mut Costs| {
        let own = maintenance(world);
        at_rest(world);
        policy::reconcile(Arc::new(own.clone()), world.context.clone())
            .await
            .unwrap();
        costs.of("the first pass", world);
        let own = again(world, &own);
        costs.of("its status is seen", world);
        policy::reconcile(Arc::new(own), world.context.clone())
            .await
            .unwrap();
        costs.of("a pass at rest", world);
        seen(world, &rolling_out());
        costs.of("a Deployment comes", world);
        seen(world, &rolling_out());
        costs.of("a Deployment changes", world);
    })
    .await;
}

#[tokio::test]
async fn a_grafana_instance_costs_the_same_in_any_crowd() {
    in_any_crowd(async |world: &mut World, costs: &mut Costs| {
        let own = world.context.declared_instance("default").unwrap();
        instance::reconcile(own, world.context.clone()).await.unwrap();
        costs.of("the first pass", world);
        let stored = world.server.get(&path("grafanainstances", HOME, "default"));
        let own: GrafanaInstance = serde_json::from_value(stored).unwrap();
        let counted = own.status.as_ref().and_then(|status| status.not_in_sync);
        assert!(counted >= Some(40), "{:?}", own.status);
        see(
            &world.context,
            &mut world.writers.instances,
            own.clone(),
            news::about_instance,
        );
        costs.of("its status is seen", world);
        instance::reconcile(Arc::new(own), world.context.clone())
            .await
            .unwrap();
        costs.of("a pass at rest", world);
        let mut secret = Secret::default();
        secret.metadata.name = Some("token".to_owned());
        secret.metadata.namespace = Some(HOME.to_owned());
        news::texts::secret_changed(&secret, &world.context);
        costs.of("its Secret changes", world);
    })
    .await;
}
