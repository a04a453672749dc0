//! The scenario: all kinds are made, changed, and deleted.

use alertwright_testbed::{ControlPlane, Grafana, wait};
use kube::api::{ApiResource, DeleteParams, DynamicObject};
use kube::{Api, Client};
use serde_json::{Value, json};

use super::PATIENCE;
use super::state::{self, Stages};

pub(super) const VERSION: &str = "alerting.letsrevel.io/v1alpha1";

/// All that the scenario makes: kind, plural, name.
pub(super) const RESOURCES: [(&str, &str, &str); 11] = [
    ("NotificationTemplate", "notificationtemplates", "texts"),
    ("ContactPoint", "contactpoints", "team"),
    ("ContactPoint", "contactpoints", "quiet"),
    ("TimeInterval", "timeintervals", "nights"),
    ("NotificationPolicy", "notificationpolicies", "tree"),
    ("InhibitionRule", "inhibitionrules", "cause"),
    ("AlertRule", "alertrules", "first"),
    ("AlertRule", "alertrules", "second"),
    ("AlertRule", "alertrules", "deep"),
    ("Silence", "silences", "by-labels"),
    ("Silence", "silences", "by-name"),
];

/// A run of it.
pub(super) struct Scenario<'a> {
    plane: &'static ControlPlane,
    ns: String,
    grafana: &'a Grafana,
    expected: Option<Stages>,
}

impl<'a> Scenario<'a> {
    pub(super) fn of(plane: &'static ControlPlane, ns: &str, grafana: &'a Grafana) -> Self {
        Self {
            plane,
            ns: ns.to_owned(),
            grafana,
            expected: None,
        }
    }

    /// Each stage ends when what there is is what there was undisturbed.
    pub(super) fn expecting(mut self, stages: &Stages) -> Self {
        self.expected = Some(stages.clone());
        self
    }

    pub(super) async fn run(self) -> Stages {
        let client = self.plane.admin().await;
        let expected = self.expected.as_ref();
        self.apply(false).await;
        self.settled(&client).await;
        let made = self.stage("made", expected.map(|stages| &stages.made)).await;
        self.apply(true).await;
        self.settled(&client).await;
        let changed = self
            .stage("changed", expected.map(|stages| &stages.changed))
            .await;
        self.delete(&client).await;
        let left = self.stage("left", expected.map(|stages| &stages.left)).await;
        Stages { made, changed, left }
    }

    /// Makes everything, or changes it all.
    pub(super) async fn apply(&self, changed: bool) {
        for object in resources(changed) {
            self.plane.apply(&object.to_string(), &self.ns).await;
        }
    }

    fn api(&self, client: &Client, kind: &str, plural: &str) -> Api<DynamicObject> {
        api(client, &self.ns, kind, plural)
    }

    /// Waits until everything is as it was when all was made undisturbed, or when all was changed.
    pub(super) async fn is(&self, changed: bool) {
        self.settled(&self.plane.admin().await).await;
        let stages = self.expected.as_ref().expect("what there was undisturbed");
        let (what, expected) = if changed {
            ("changed", &stages.changed)
        } else {
            ("made", &stages.made)
        };
        self.stage(what, Some(expected)).await;
    }

    /// Waits until each says that all is well.
    pub(super) async fn settle(&self) {
        self.settled(&self.plane.admin().await).await;
    }

    /// The same of all kinds but these.
    pub(super) async fn settle_but(&self, gone: &[&str]) {
        self.settled_but(&self.plane.admin().await, gone).await;
    }

    /// Waits until there is nothing but what isn't ours, and deletes what is left to be deleted.
    pub(super) async fn is_gone(&self) {
        self.delete(&self.plane.admin().await).await;
        let stages = self.expected.as_ref().expect("what there was undisturbed");
        self.stage("left", Some(&stages.left)).await;
    }

    /// Deletes everything and waits until nothing is left in the cluster.
    pub(super) async fn gone(&self) {
        self.delete(&self.plane.admin().await).await;
    }

    /// Waits until each says of its present generation that all is well, or that this Grafana has no such thing.
    async fn settled(&self, client: &Client) {
        self.settled_but(client, &[]).await;
    }

    async fn settled_but(&self, client: &Client, gone: &[&str]) {
        for (kind, plural, name) in RESOURCES {
            if gone.contains(&kind) {
                continue;
            }
            let api = self.api(client, kind, plural);
            wait::until(&format!("{kind} {name} is in sync"), PATIENCE, async || {
                let object = api.get(name).await.ok()?;
                let generation = object.metadata.generation;
                let conditions = object.data.pointer("/status/conditions")?.as_array()?;
                let ready = conditions.iter().find(|one| one["type"] == "Ready")?;
                let told = ready["observedGeneration"].as_i64() == generation;
                let well = ready["reason"] == "Synced" || ready["reason"] == "Unsupported";
                (told && well).then_some(())
            })
            .await;
        }
    }

    /// Deletes all at once and waits until nothing is left.
    async fn delete(&self, client: &Client) {
        for (kind, plural, name) in RESOURCES {
            let api = self.api(client, kind, plural);
            // Already gone is as good.
            let _ = api.delete(name, &DeleteParams::default()).await;
        }
        for (kind, plural, name) in RESOURCES {
            let api = self.api(client, kind, plural);
            wait::until(&format!("{kind} {name} is gone"), PATIENCE, async || {
                api.get_opt(name).await.is_ok_and(|found| found.is_none())
            })
            .await;
        }
    }

    /// What is in Grafana now; where it is known what there is to be, as soon as that is there.
    pub(super) async fn stage(&self, what: &str, expected: Option<&Value>) -> Value {
        let Some(expected) = expected else {
            return state::of(self.grafana).await;
        };
        wait::until(
            &format!("what is {what} is as undisturbed"),
            PATIENCE,
            async || {
                let found = state::of(self.grafana).await;
                if found == *expected {
                    wait::Seen::Yes(found)
                } else {
                    wait::Seen::NotYet(state::difference(expected, &found))
                }
            },
        )
        .await
    }
}

/// A kind of ours in a namespace.
pub(super) fn api(client: &Client, ns: &str, kind: &str, plural: &str) -> Api<DynamicObject> {
    let resource = ApiResource {
        group: "alerting.letsrevel.io".to_owned(),
        version: "v1alpha1".to_owned(),
        api_version: VERSION.to_owned(),
        kind: kind.to_owned(),
        plural: plural.to_owned(),
    };
    Api::namespaced_with(client.clone(), ns, &resource)
}

fn resource(kind: &str, name: &str, spec: &Value) -> Value {
    json!({"apiVersion": VERSION, "kind": kind, "metadata": {"name": name}, "spec": spec})
}

/// The Secret that they refer to, and all resources in the order of [`RESOURCES`], as they are at first or as they are then.
pub(super) fn resources(changed: bool) -> Vec<Value> {
    let or = |first: &str, then: &str| if changed { then } else { first }.to_owned();
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "keys"}, "stringData": {"token": or("first", "second")}});
    let template = json!({"template": or(r#"{{ define "say" }}first{{ end }}"#, r#"{{ define "say" }}second{{ end }}"#)});
    let credentials = json!({"secretKeyRef": {"name": "keys", "key": "token"}});
    let team = json!({"integrations": [
        {"webhook": {"url": {"value": "http://127.0.0.1:9/hook"}, "authorizationCredentials": credentials}},
        {"email": {"addresses": [or("a@example.com", "b@example.com")]}},
    ]});
    let quiet = json!({"integrations": [{"email": {"addresses": ["quiet@example.com"]}}]});
    let nights = json!({"timeIntervals": [{"weekdays": [or("saturday", "sunday")]}]});
    let route =
        json!({"matchers": ["severity=\"low\""], "receiver": "quiet", "muteTimeIntervals": ["nights"]});
    let tree =
        json!({"receiver": or("team", "quiet"), "groupBy": [or("alertname", "cluster")], "routes": [route]});
    let cause = json!({
        "sourceMatchers": ["alertname=cause"], "targetMatchers": [or("alertname=effect", "alertname=symptom")],
    });
    let query = r#"sum(count_over_time({app="nobody"} [5m])) > 1"#;
    let rule = |more: Value| {
        let mut spec = json!({"query": query, "for": or("1m", "2m"), "labels": {"team": or("a", "b")}});
        for (field, value) in more.as_object().into_iter().flatten() {
            spec[field] = value.clone();
        }
        spec
    };
    let grouped = rule(json!({"group": "together", "interval": or("30s", "40s")}));
    let deep = rule(json!({"folder": or("Top/Deep", "Top/Other"), "title": or("Deep", "Deeper")}));
    let by_labels = json!({"matchers": ["team=nobody"], "endsAt": "2100-01-01T00:00:00Z", "comment": or("first", "then")});
    let by_name = json!({
        "alertRules": {"names": [or("first", "second")]}, "endsAt": or("2100-01-01T00:00:00Z", "2100-01-02T00:00:00Z"), "comment": "by name",
    });
    vec![
        secret,
        resource("NotificationTemplate", "texts", &template),
        resource("ContactPoint", "team", &team),
        resource("ContactPoint", "quiet", &quiet),
        resource("TimeInterval", "nights", &nights),
        resource("NotificationPolicy", "tree", &tree),
        resource("InhibitionRule", "cause", &cause),
        resource("AlertRule", "first", &grouped),
        resource("AlertRule", "second", &grouped),
        resource("AlertRule", "deep", &deep),
        resource("Silence", "by-labels", &by_labels),
        resource("Silence", "by-name", &by_name),
    ]
}
