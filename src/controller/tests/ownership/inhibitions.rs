//! Inhibition rules: whose alerts each holds back, whose it is, and what is said where Grafana has none.

use super::*;
use crate::api::InhibitionRule;
use crate::controller::engine::failure::{Failure, Retry};
use crate::domain::ownership::LABEL;
use crate::grafana::model::{Found, object_matcher};

impl World {
    pub(in crate::controller::tests) fn inhibition_rule(
        &mut self,
        name: &str,
        more: &Value,
    ) -> InhibitionRule {
        let mut spec = json!({"sourceMatchers": ["alertname=NodeDown"], "targetMatchers": ["severity=warning"], "equal": ["node"]});
        for (key, value) in more.as_object().unwrap() {
            spec[key] = value.clone();
        }
        let rule = made(&self.server, "inhibitionrules", name, spec);
        see(
            &self.context,
            &mut self.writers.inhibition_rules,
            rule,
            news::about_inhibition_rule,
        )
    }
}

/// A pass, once what it asks for has been read.
async fn pass(world: &World, object: &InhibitionRule) -> Result<Vec<String>, Failure> {
    if let Err(failure) = object.reconcile(&world.context).await
        && failure != Failure::not_yet()
    {
        return Err(failure);
    }
    world.poll().await;
    object
        .reconcile(&world.context)
        .await
        .map(|report| report.warnings)
}

/// What Grafana has, by name.
fn held(world: &World) -> BTreeMap<String, model::InhibitionRule> {
    world.grafana.hold(|held| {
        let all = held.inhibition_rules.iter();
        all.map(|(name, found)| (name.clone(), found.object.clone()))
            .collect()
    })
}

fn only(world: &World, name: &str) -> model::InhibitionRule {
    let held = held(world);
    assert_eq!(held.keys().collect::<Vec<_>>(), [name]);
    held[name].clone()
}

fn warnings() -> [(String, String, String); 1] {
    [object_matcher("severity", "=", "warning")]
}

/// Somebody else's.
fn by_hand(world: &World, rule: model::InhibitionRule) {
    let found = Found {
        object: rule,
        provenance: None,
        revision: None,
    };
    world.grafana.hold(|held| {
        let name = found.object.name.clone();
        held.inhibition_rules.insert(name, found);
    });
}

#[tokio::test]
async fn they_are_read_once_there_is_one_and_it_holds_back_its_own_namespaces_alerts_alone() {
    let mut world = world_with(&json!({}), |_| ()).await;
    world.poll().await;
    assert_eq!(world.grafana.count("inhibition_rules.list"), 0);
    let node = world.inhibition_rule("node", &json!({}));
    let told = pass(&world, &node).await.unwrap();
    assert!(
        told[0].contains("alertingMultiplePolicies"),
        "12.4 would heed none: {told:?}"
    );
    assert!(world.grafana.count("inhibition_rules.list") > 0);
    let tenant = object_matcher(LABEL, "=~", &world.instance().owners.namespace_pattern("revel"));
    let stored = only(&world, "node");
    assert_eq!(
        stored.source_matchers,
        [object_matcher("alertname", "=", "NodeDown")]
    );
    assert_eq!(stored.target_matchers[0], tenant);
    assert_eq!(stored.target_matchers[1..], warnings());
    pass(&world, &node).await.unwrap();
    assert_eq!(world.grafana.count("inhibition_rules.put"), 1, "it rests");

    let free = json!({"unrestrictedNamespaces": {"names": ["revel"]}});
    let mut world = world_with(&free, |held| held.version = "13.2.0".to_owned()).await;
    let node = world.inhibition_rule("node", &json!({}));
    assert_eq!(pass(&world, &node).await.unwrap(), [""; 0]);
    assert_eq!(only(&world, "node").target_matchers, warnings());
}

#[tokio::test]
async fn it_is_put_right_gets_another_name_and_goes() {
    let mut world = world_with(&json!({}), |_| ()).await;
    let node = world.inhibition_rule("node", &json!({}));
    pass(&world, &node).await.unwrap();
    let stored = only(&world, "node");
    let other = model::InhibitionRule {
        equal: Vec::new(),
        ..stored.clone()
    };
    by_hand(&world, other);
    drain(&mut world.receivers.inhibition_rules);
    world.poll().await;
    assert_eq!(drain(&mut world.receivers.inhibition_rules), 1, "it is another");
    pass(&world, &node).await.unwrap();
    assert_eq!(only(&world, "node"), stored);
    let renamed = world.inhibition_rule("node", &json!({"name": "node.down"}));
    pass(&world, &renamed).await.unwrap();
    only(&world, "node.down");
    renamed.clean_up(&world.context).await.unwrap();
    assert!(held(&world).is_empty());
}

#[tokio::test]
async fn somebody_elses_stays_with_the_difference_and_an_equal_one_becomes_ours() {
    let mut world = world_with(&json!({"unrestrictedNamespaces": {"names": ["revel"]}}), |_| ()).await;
    let theirs = model::InhibitionRule {
        name: "node".to_owned(),
        source_matchers: vec![object_matcher("alertname", "=", "NodeDown")],
        target_matchers: warnings().to_vec(),
        equal: vec!["cluster".to_owned()],
    };
    by_hand(&world, theirs.clone());
    let node = world.inhibition_rule("node", &json!({}));
    let failure = pass(&world, &node).await.unwrap_err();
    assert_eq!(failure.reason, Some(Reason::NotOwned));
    assert!(
        failure
            .message
            .ends_with("They differ: equal cluster there, and node here"),
        "{}",
        failure.message
    );
    node.clean_up(&world.context).await.unwrap();
    assert_eq!(only(&world, "node"), theirs);
    let equal = world.inhibition_rule("node", &json!({"equal": ["cluster"]}));
    pass(&world, &equal).await.unwrap();
    assert_eq!(world.grafana.count("inhibition_rules.put"), 0);
    equal.clean_up(&world.context).await.unwrap();
    assert!(held(&world).is_empty());
}

#[tokio::test]
async fn a_grafana_that_has_none_is_told_and_nothing_is_written() {
    for (version, words) in [
        ("12.4.0", "inhibition rules need Grafana 13.0; this one is 12.4"),
        ("13.3.0", "Let /apis through to it"),
    ] {
        let mut world = world_with(&json!({}), |held| {
            held.version = version.to_owned();
            held.unserved.insert("inhibitionrules");
        })
        .await;
        let node = world.inhibition_rule("node", &json!({}));
        let failure = pass(&world, &node).await.unwrap_err();
        assert_eq!(failure.reason, Some(Reason::Unsupported));
        assert!(failure.message.contains(words), "{}", failure.message);
        assert!(matches!(failure.retry, Retry::After(_)), "it may be there later");
        assert_eq!(world.grafana.count("inhibition_rules.put"), 0);
        node.clean_up(&world.context).await.unwrap();
        assert_eq!(world.grafana.count("inhibition_rules.get"), 0);
        // Another version tells them.
        world.grafana.hold(|held| held.version = "13.4.0".to_owned());
        drain(&mut world.receivers.inhibition_rules);
        world.poll().await;
        assert!(drain(&mut world.receivers.inhibition_rules) > 0);
    }
}

#[tokio::test]
async fn what_somebody_has_changed_stays_where_that_is_only_told_of() {
    let mut world = world_with(&json!({"driftPolicy": "Report"}), |_| ()).await;
    let node = world.inhibition_rule("node", &json!({}));
    node.reconcile(&world.context).await.err();
    world.poll().await;
    let report = node.reconcile(&world.context).await.unwrap();
    let mut node = node;
    let mut status = report.status;
    let ready = json!({
        "type": "Ready", "status": "True", "reason": "Synced", "message": "", "observedGeneration": 1,
        "lastTransitionTime": "2026-01-01T00:00:00Z",
    });
    status.conditions.push(serde_json::from_value(ready).unwrap());
    node.status = Some(status);
    let theirs = model::InhibitionRule {
        equal: Vec::new(),
        ..only(&world, "node")
    };
    by_hand(&world, theirs.clone());
    world.poll().await;
    let report = node.reconcile(&world.context).await.unwrap();
    assert_eq!(report.drift, ["equal"]);
    assert_eq!(only(&world, "node"), theirs);
    world.grafana.hold(|held| held.inhibition_rules.clear());
    world.poll().await;
    let report = node.reconcile(&world.context).await.unwrap();
    assert_eq!(report.drift, ["deleted"]);
    assert!(held(&world).is_empty());
}
