//! What InhibitionRules hold back, as far as resources say.

#![expect(
    clippy::needless_pass_by_value,
    reason = "json!(..) reads better without a borrow"
)]

use serde_json::{Value, json};

use super::screen::{Screen, Shown};
use crate::domain::lint::object::Object;

fn object(kind: &str, name: &str, spec: Value, mut status: Value) -> Object {
    status["conditions"] = json!([{"type": "Ready", "status": "True", "reason": "Synced", "message": "stored", "observedGeneration": 2, "lastTransitionTime": "2026-11-27T19:00:00Z"}]);
    let value = json!({
        "apiVersion": "alerting.letsrevel.io/v1alpha1", "kind": kind, "spec": spec, "status": status,
        "metadata": {"namespace": "revel", "name": name, "generation": 2},
    });
    Object::new(value, "")
}

fn rule(name: &str, labels: Value, state: &str) -> Object {
    object(
        "AlertRule",
        name,
        json!({"query": "up > 5", "labels": labels}),
        json!({"state": state, "stateSince": "2026-11-27T20:00:00Z"}),
    )
}

/// A cluster with a node that is down and what runs on it.
struct Cluster {
    version: &'static str,
    source: Value,
    source_state: &'static str,
    target: Value,
    spec: Value,
    generation: i64,
}

impl Default for Cluster {
    fn default() -> Self {
        Self {
            version: "13.3.0",
            source: json!({"severity": "critical", "node": "a"}),
            source_state: "Firing",
            target: json!({"severity": "warning", "node": "a"}),
            spec: json!({"sourceMatchers": ["severity=critical"], "targetMatchers": ["severity=warning"], "equal": ["node"]}),
            generation: 2,
        }
    }
}

impl Cluster {
    fn screen(self) -> Screen {
        let mut inhibition = object("InhibitionRule", "node", self.spec, json!({"name": "node"}));
        inhibition.value["metadata"]["generation"] = self.generation.into();
        let objects = [
            object(
                "GrafanaInstance",
                "default",
                json!({"url": "http://g", "auth": {}}),
                json!({"version": self.version, "reachable": true}),
            ),
            object(
                "ContactPoint",
                "mail",
                json!({"integrations": [{"email": {"addresses": ["a@example.com"]}}]}),
                json!({}),
            ),
            object(
                "NotificationPolicy",
                "root",
                json!({"receiver": "mail"}),
                json!({}),
            ),
            rule("down", self.source, self.source_state),
            rule("latency", self.target, "Firing"),
            Object::new(inhibition.value, ""),
        ];
        let now = "2026-11-27T21:00:00Z".parse().unwrap();
        Screen::new(&objects, &Shown::default(), now, &|_| None).unwrap()
    }

    /// What holds the alerts of what runs on the node back.
    fn held(self) -> Vec<String> {
        let screen = self.screen();
        let of = |name: &str| screen.firing.iter().find(|firing| firing.rule == name);
        // Whatever holds back is not held back itself.
        assert!(of("revel/down").is_none_or(|firing| firing.inhibited.is_empty()));
        let all = of("revel/latency").unwrap().inhibited.iter();
        all.map(|held| format!("{} for {}", held.inhibition_rule, held.source))
            .collect()
    }
}

#[test]
fn an_alert_that_is_held_back_is_told_as_such_and_comes_last() {
    assert_eq!(Cluster::default().held(), ["revel/node for revel/down"]);
    let screen = Cluster {
        target: json!({"severity": "warning", "node": "a"}),
        source: json!({"severity": "critical", "node": "a"}),
        ..Cluster::default()
    }
    .screen();
    let order: Vec<&str> = screen.firing.iter().map(|firing| firing.rule.as_str()).collect();
    assert_eq!(order, ["revel/down", "revel/latency"]);
}

#[test]
fn what_is_not_surely_held_back_is_not_told_as_such() {
    let none = Vec::<String>::new();
    let of = |change: &dyn Fn(&mut Cluster)| {
        let mut cluster = Cluster::default();
        change(&mut cluster);
        cluster.held()
    };
    assert_eq!(of(&|c| c.source_state = "Pending"), none, "it doesn't fire");
    assert_eq!(
        of(&|c| c.source = json!({"severity": "critical", "node": "b"})),
        none,
        "another node"
    );
    // Its query may give it that label, and another value of it.
    assert_eq!(of(&|c| c.source = json!({"severity": "critical"})), none);
    assert_eq!(of(&|c| c.target = json!({"severity": "warning"})), none);
    assert_eq!(
        of(&|c| c.spec["targetMatchers"] = json!(["severity=warning", "team!=web"])),
        none
    );
    assert_eq!(of(&|c| c.generation = 3), none, "Grafana may hold another one");
    assert_eq!(
        of(&|c| c.version = "13.0.0"),
        none,
        "it keeps the rule and doesn't heed it"
    );
    // An alert that is on both sides is held back by none that is on both, too.
    let both = json!({"sourceMatchers": ["node=a"], "targetMatchers": ["severity=~\"critical|warning\""]});
    assert_eq!(of(&|c| c.spec = both.clone()), none);
}
