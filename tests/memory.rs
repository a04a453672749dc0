//! What a rule takes in memory, counted by the allocator: in the watch's store, its index, the claims, and the mirror of Grafana.
//!
//! It is a test program of its own, since an allocator counts for all tests of a program, and has one test, since they run side by side.
#![allow(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a failure must fail the test, and the figures are for people"
)]

use std::sync::Arc;

use alertwright::api::AlertRule;
use alertwright::controller::engine::claim::AllClaims;
use alertwright::controller::engine::store;
use alertwright::domain::ownership::Owner;
use alertwright::grafana::api::{FoundRule, OWNER_LABEL};
use alertwright::grafana::mirror::Mirror;
use alertwright::grafana::model;
use kube::runtime::reflector;
use kube::runtime::watcher::Event;
use peak_alloc::PeakAlloc;
use serde_json::json;

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

fn named(number: usize) -> (String, String) {
    let namespace = format!("team-{:03}", number / 100);
    (namespace, format!("high-error-rate-{number:05}"))
}

/// Each in a namespace with ninety-nine others, and in a group of its own.
fn rule(owner: &Owner, number: usize) -> AlertRule {
    let (namespace, name) = named(number);
    let folder = owner.folder_uid(&namespace);
    let condition = |type_: &str, reason: &str, message: &str| {
        json!({
            "type": type_, "status": "True", "reason": reason, "message": message,
            "lastTransitionTime": "2026-01-01T00:00:10Z", "observedGeneration": 1,
        })
    };
    let rule = json!({
        "apiVersion": "alerting.letsrevel.io/v1alpha1", "kind": "AlertRule",
        "metadata": {
            "name": name, "namespace": namespace, "uid": format!("0f6b6ed5-6f9c-4b3e-9d0b-{number:012}"),
            "creationTimestamp": "2026-01-01T00:00:00Z", "resourceVersion": format!("{}", 100_000 + number), "generation": 1,
            "finalizers": ["alerting.letsrevel.io/cleanup"],
        },
        "spec": {
            "title": format!("High error rate {number}"),
            "query": "rate({service=\"revel\", level=\"error\"} |= \"unhandled_exception\" [5m]) > 0.1",
            "for": "2m", "severity": "critical", "labels": {"team": "backend", "component": "api"},
            "annotations": {"summary": "High error rate detected: {{ $value }} errors/sec"},
        },
        "status": {
            "observedGeneration": 1, "uid": owner.rule_uid(&namespace, &name), "folder": namespace, "folderUID": folder,
            "group": name, "url": format!("http://grafana.monitoring.svc:3000/alerting/grafana/{}/view", owner.rule_uid(&namespace, &name)),
            "state": "Normal", "stored": "sha256:1f0c1f0c1f0c1f0c",
            "conditions": [
                condition("Ready", "Synced", "in sync with Grafana"),
                condition("Accepted", "Accepted", "the specification can be used"),
                condition("Synced", "Synced", "in Grafana as specified"),
            ],
        },
    });
    serde_json::from_value(rule).expect("a rule")
}

/// The same as Grafana tells it.
fn found(owner: &Owner, number: usize) -> FoundRule {
    let (namespace, name) = named(number);
    FoundRule::of(&model::AlertRule {
        uid: owner.rule_uid(&namespace, &name),
        folder_uid: owner.folder_uid(&namespace),
        group: Some(name.clone()),
        title: format!("High error rate {number}"),
        provenance: Some("api".to_owned()),
        labels: [(OWNER_LABEL.to_owned(), owner.label(&namespace, &name))].into(),
        ..model::AlertRule::default()
    })
}

/// How much more is held for two thousand rules than for one thousand, for each rule.
fn bytes_per_rule<T>(filled: impl Fn(usize) -> T) -> usize {
    let bytes = |rules| {
        let before = ALLOCATOR.current_usage();
        let held = filled(rules);
        let after = ALLOCATOR.current_usage();
        drop(held);
        after - before
    };
    // What is made once and kept is made now.
    bytes(1);
    (bytes(2_000) - bytes(1_000)) / 1_000
}

#[test]
fn a_rule_takes_no_more_than_so_many_bytes_in_each_structure() {
    let owner = Owner::parse("monitoring").expect("an owner");
    let rules = |count| (0..count).map(|number| rule(&owner, number));
    let objects = bytes_per_rule(|count| {
        let (reader, mut writer) = reflector::store();
        for rule in rules(count) {
            writer.apply_watcher_event(&Event::Apply(rule));
        }
        (reader, writer)
    });
    let both = bytes_per_rule(|count| {
        let (reader, mut writer) = store::store();
        for rule in rules(count) {
            writer.apply(&Event::Apply(rule));
        }
        (reader, writer)
    });
    let claims = bytes_per_rule(|count| {
        let claims = AllClaims::new(owner.clone(), Arc::default());
        for rule in rules(count) {
            claims.note_all(&rule);
        }
        claims
    });
    let mirror = bytes_per_rule(|count| {
        let mirror = Mirror::default();
        mirror.write(|held| {
            let poll = held.rules.begin_poll();
            let all = (0..count).map(|number| found(&owner, number)).collect();
            held.rules.finish_poll(poll, all)
        });
        mirror
    });
    let measured = [
        ("kube's store", objects, 4_300),
        ("index", both - objects, 550),
        ("claims", claims, 1_000),
        ("mirror", mirror, 1_050),
    ];
    for (what, bytes, _) in measured {
        println!("{what}: {bytes} bytes a rule");
    }
    for (what, bytes, most) in measured {
        assert!(
            bytes <= most,
            "{what}: {bytes} bytes a rule, and {most} are enough"
        );
    }
}
