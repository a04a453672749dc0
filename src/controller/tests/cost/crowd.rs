//! A crowd: so many other resources of each kind, and so many objects in Grafana. And what something costs in it.

use std::fmt::Write;

use ::kube::Resource;
use ::kube::runtime::reflector::ObjectRef;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use tokio::sync::mpsc::UnboundedReceiver;

use super::*;
use crate::api::{AlertRuleStatus, MaintenancePolicy, SilenceStatus};
use crate::domain::maintenance::migration::Job;
use crate::domain::maintenance::rollout::Deployment;
use crate::grafana::{model, wire};
use crate::held::touched;

impl World {
    /// A world with so many others of each kind: in the same namespace, group, folder and instance where they can be. Grafana is one
    /// in which titles within a folder are unique.
    async fn crowded(many: usize) -> Self {
        Self::with_others(many, many).await
    }

    /// The same with at least as many AlertRules as of all else.
    pub(super) async fn with_others(rules: usize, many: usize) -> Self {
        let mut world = Self::new();
        world.grafana.hold(|held| {
            held.version = "11.6.0".to_owned();
            let rule = model::AlertRule {
                folder_uid: "f-0".to_owned(),
                group: Some("shared".to_owned()),
                ..model::AlertRule::default()
            };
            for i in 0..rules {
                let uid = format!("r-{i}");
                let rule = model::AlertRule {
                    title: uid.clone(),
                    uid: uid.clone(),
                    ..rule.clone()
                };
                held.rules.insert(uid, rule);
                if i >= many {
                    continue;
                }
                held.folders.push(wire::Folder {
                    uid: format!("f-{i}"),
                    title: if i == 0 { "revel".to_owned() } else { format!("F {i}") },
                    parent_uid: None,
                });
                held.points.push(Point {
                    uid: format!("c-{i}"),
                    name: format!("c-{i}"),
                    r#type: "email".to_owned(),
                    ..Point::default()
                });
                held.silences.push(
                    serde_json::from_value(json!({
                        "id": format!("s-{i}"), "matchers": [], "startsAt": "2026-01-01T00:00:00Z", "endsAt": "2100-01-01T00:00:00Z",
                        "createdBy": format!("somebody-{i}"), "comment": "", "status": {"state": "active"},
                    }))
                    .unwrap(),
                );
            }
        });
        let secret = |name: &str, namespace: &str, value: &str| {
            json!({
                "apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": namespace}, "data": {"token": value},
            })
        };
        let home = format!("/api/v1/namespaces/{HOME}/secrets/token");
        world.server.set(&home, secret("token", HOME, "eA=="));
        let own = secret("own", "revel", "aHR0cHM6Ly9leGFtcGxlLmNvbQ==");
        world.server.set("/api/v1/namespaces/revel/secrets/own", own);
        world.gather(rules, many);
        let instance = world.connect(json!({})).await;
        until("the first read", || {
            !matches!(instance.health(), Health::Starting)
        })
        .await;
        // What it reads by itself from here on would count with whatever runs meanwhile. What the first read asks for comes at
        // once with it.
        world.poller.take().unwrap().abort();
        world.polled().await;
        touched::take();
        world
    }

    fn gather(&mut self, rules: usize, many: usize) {
        let mut rule: AlertRule = other(&json!({"query": QUERY, "group": "shared"}));
        rule.status = Some(AlertRuleStatus {
            folder_uid: Some("elsewhere".to_owned()),
            ..AlertRuleStatus::default()
        });
        let point: ContactPoint = other(&json!({"integrations": [hook("own")]}));
        let policy: NotificationPolicy = other(&json!({"receiver": "x"}));
        let named: Silence = other(&json!({"alertRules": {"names": ["x"]}, "duration": "5000d"}));
        let labelled: Silence =
            other(&json!({"alertRules": {"matchLabels": {"x": "x"}}, "duration": "5000d"}));
        let deployment: Deployment = other(&json!({"selector": {}, "template": {}}));
        let job: Job = other(&json!({"template": {}}));
        let maintenance: MaintenancePolicy = other(&json!({"targets": [{"kind": "Deployment"}]}));
        let instance: GrafanaInstance = other(&json!({"url": "http://x", "auth": {}}));
        for i in 0..rules {
            let context = &self.context;
            let mut rule = rule.clone();
            rule.metadata.labels = Some([("n".to_owned(), i.to_string())].into());
            // Older than the own one: the first of a group concerns all in it.
            rule.metadata.creation_timestamp = Some(Time(jiff::Timestamp::UNIX_EPOCH));
            see(
                context,
                &mut self.writers.rules,
                numbered(&rule, i),
                news::about_rule,
            );
            if i >= many {
                continue;
            }
            let mut point = numbered(&point, i);
            let url = &mut point.spec.integrations[0].webhook.as_mut().unwrap().url;
            url.secret_key_ref.as_mut().unwrap().name = format!("secret-{i}");
            see(
                context,
                &mut self.writers.contact_points,
                point,
                news::about_contact_point,
            );
            let mut policy = numbered(&policy, i);
            policy.spec.receiver = Some(format!("other-{i}"));
            see(context, &mut self.writers.policies, policy, news::about_policy);
            let mut silence = if i % 2 == 0 {
                named.clone()
            } else {
                labelled.clone()
            };
            let selector = silence.spec.alert_rules.as_mut().unwrap();
            if i % 2 == 0 {
                selector.names = vec![format!("other-{i}")];
            } else {
                selector.match_labels = [("n".to_owned(), i.to_string())].into();
            }
            let workload = "alerting.letsrevel.io/maintenance-of".to_owned();
            silence.metadata.labels = Some([(workload, format!("uid-{i}"))].into());
            let owner = json!([{"apiVersion": "apps/v1", "kind": "Deployment", "name": "own", "uid": format!("uid-{i}")}]);
            silence.metadata.owner_references = serde_json::from_value(owner).unwrap();
            silence.status = Some(SilenceStatus {
                state: Some("Active".to_owned()),
                matches_rules: Some(0),
                ..SilenceStatus::default()
            });
            see(
                context,
                &mut self.writers.silences,
                numbered(&silence, i),
                news::about_silence,
            );
            see(
                context,
                &mut self.writers.deployments,
                numbered(&deployment, i),
                news::about_rolling,
            );
            see(
                context,
                &mut self.writers.jobs,
                numbered(&job, i),
                news::about_job,
            );
            let mut maintenance = numbered(&maintenance, i);
            maintenance.metadata.namespace = Some(format!("namespace-{i}"));
            see(
                context,
                &mut self.writers.maintenance,
                maintenance,
                news::about_maintenance,
            );
            let mut instance = numbered(&instance, i);
            instance.metadata.namespace = Some(HOME.to_owned());
            see(
                context,
                &mut self.writers.instances,
                instance,
                news::about_instance,
            );
        }
    }

    /// Whom passes were asked for since the last time this was asked.
    pub(super) fn asked(&mut self) -> Vec<String> {
        fn of<K: Resource<DynamicType = ()>>(
            receiver: &mut UnboundedReceiver<ObjectRef<K>>,
            all: &mut Vec<String>,
        ) {
            while let Ok(asked) = receiver.try_recv() {
                let namespace = asked.namespace.unwrap_or_default();
                all.push(format!("{} {namespace}/{}", K::kind(&()), asked.name));
            }
        }
        let mut all = Vec::new();
        of(&mut self.receivers.rules, &mut all);
        of(&mut self.receivers.contact_points, &mut all);
        of(&mut self.receivers.policies, &mut all);
        of(&mut self.receivers.silences, &mut all);
        of(&mut self.receivers.instances, &mut all);
        of(&mut self.receivers.maintenance, &mut all);
        of(&mut self.receivers.deployments, &mut all);
        of(&mut self.receivers.stateful_sets, &mut all);
        of(&mut self.receivers.daemon_sets, &mut all);
        of(&mut self.receivers.rollouts, &mut all);
        of(&mut self.receivers.jobs, &mut all);
        all.sort();
        all.dedup();
        all
    }
}

impl World {
    /// Lets the poller read everything once more. Whom that asked for a pass.
    pub(super) async fn polled(&mut self) -> Vec<String> {
        poller::poll_all(&self.instance(), &self.context, false).await;
        self.asked()
    }
}

/// What each step has cost: how many entries of stores, mirrors and indexes it looked at, and whom it asked for a pass.
#[derive(Default)]
pub(super) struct Costs(String);

impl Costs {
    /// Notes what was done since the last note.
    pub(super) fn of(&mut self, step: &str, world: &mut World) {
        let touched = touched::take();
        let asked = world.asked();
        writeln!(self.0, "{step}: {touched} looked at, asked for {asked:?}").unwrap();
    }

    /// The same of a read of everything, which walks through everything by right: only whom it asked for a pass.
    pub(super) async fn of_a_poll(&mut self, step: &str, world: &mut World) {
        let asked = world.polled().await;
        touched::take();
        writeln!(self.0, "{step}: asked for {asked:?}").unwrap();
    }
}

/// Does something among ten others of each kind and among two hundred. Each step must cost the same.
pub(super) async fn in_any_crowd(what: impl AsyncFn(&mut World, &mut Costs)) {
    let mut costs = Vec::new();
    for many in [10, 200] {
        let mut world = World::crowded(many).await;
        let mut cost = Costs::default();
        what(&mut world, &mut cost).await;
        costs.push(cost.0);
    }
    assert!(!costs[0].is_empty(), "nothing was noted");
    assert_eq!(
        costs[0], costs[1],
        "\namong ten:\n{}\namong two hundred:\n{}",
        costs[0], costs[1]
    );
}

/// An integration whose address is in a Secret.
pub(super) fn hook(secret: &str) -> Value {
    json!({"webhook": {"url": {"secretKeyRef": {"name": secret, "key": "token"}}}})
}

fn other<K: Resource<DynamicType = ()> + DeserializeOwned>(spec: &Value) -> K {
    let object = json!({
        "apiVersion": K::api_version(&()), "kind": K::kind(&()), "spec": spec,
        "metadata": {"name": "other", "namespace": "revel", "generation": 1, "creationTimestamp": "2026-02-02T00:00:00Z"},
    });
    serde_json::from_value(object).unwrap()
}

fn numbered<K: Resource<DynamicType = ()> + Clone>(template: &K, i: usize) -> K {
    let mut object = template.clone();
    object.meta_mut().name = Some(format!("other-{i}"));
    object.meta_mut().uid = Some(format!("uid-{i}"));
    object
}
