//! Alert rules: what one door has stored the other finds equal, whatever it is, and each goes on where the other was.

mod corpus;
mod groups;
mod refused;

use std::collections::BTreeMap;
use std::time::Duration;

use alertwright::domain::rule::decision;
use alertwright::grafana::Result;
use alertwright::grafana::api::{Concern, FoundRule, Provenance, RuleWrite, Stored};
use alertwright::grafana::digest::RuleDigest;
use alertwright::grafana::model::{AlertRule, NotificationSettings};
use alertwright_testbed::{apply, grafana, since_13};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

use crate::doors::{Door, Doors};
use corpus::{FOLDER, NIGHT, RECEIVER, any_rule, every_field, plain, recording, ten};

/// How many random rules are tried on each release, half of them from each side.
const RANDOM: usize = 40;

/// More rules than one page has.
const MANY: usize = 1100;

async fn doors() -> Doors {
    with(grafana::Options::default()).await
}

async fn with(options: grafana::Options) -> Doors {
    let doors = Doors::with(Concern::Rules, options).await;
    for (uid, title) in [(FOLDER, "Shop"), ("g", "Other")] {
        let made = doors.provisioning.client.folders.create(uid, title, None).await;
        made.expect("a folder");
    }
    let point =
        json!({"uid": "p", "name": RECEIVER, "type": "webhook", "settings": {"url": "http://127.0.0.1:1"}});
    doors
        .server
        .post("/api/v1/provisioning/contact-points", point)
        .await
        .ok();
    let night = json!({"name": NIGHT, "time_intervals": [{"weekdays": ["saturday"]}]});
    doors
        .server
        .post("/api/v1/provisioning/mute-timings", night)
        .await
        .ok();
    for door in [&doors.provisioning, &doors.platform] {
        door.proxy.reset();
    }
    doors
}

async fn put(door: &Door, rule: &AlertRule, found: Option<&FoundRule>) -> Result<Stored> {
    let by_itself = found.map_or(Duration::from_secs(60), |found| found.interval);
    // As the operator tells it.
    let only_interval = found.is_some_and(|found| RuleDigest::of(rule).changed(&found.digest).is_empty());
    let write = RuleWrite {
        rule,
        found,
        only_interval,
        interval_by_itself: &move || by_itself,
        has_written: &|_| Some(true),
        provenance: Provenance::Api,
    };
    door.client.rules.put(write).await
}

async fn list(door: &Door) -> BTreeMap<String, FoundRule> {
    let all = door.client.rules.list().await.expect("rules").items;
    let count = all.len();
    let all: BTreeMap<_, _> = all.into_iter().map(|rule| (rule.uid.clone(), rule)).collect();
    assert_eq!(all.len(), count, "each is listed once");
    all
}

async fn get(door: &Door, uid: &str) -> Option<FoundRule> {
    door.client.rules.get(uid).await.expect("an answer")
}

/// Fails unless a rule is found as it was wished; the group is what it could get.
#[track_caller]
fn assert_is(found: &FoundRule, wish: &AlertRule) {
    let wish = AlertRule {
        group: found.group.clone(),
        ..wish.clone()
    };
    let changed = RuleDigest::of(&wish).changed(&found.digest);
    assert!(changed.is_empty(), "{changed:?} of {wish:#?}");
    assert_eq!(found.interval, wish.interval, "{}", wish.uid);
    assert_eq!(found.provenance.as_deref(), Some("api"), "{}", wish.uid);
}

/// Fails unless both doors, by their lists and by single reads, find exactly these rules.
async fn assert_both_find(doors: &Doors, wishes: &[AlertRule]) {
    let (older, newer) = (list(&doors.provisioning).await, list(&doors.platform).await);
    assert_eq!(older, newer);
    assert_eq!(older.len(), wishes.len());
    for wish in wishes {
        assert_is(&older[&wish.uid], wish);
        for door in [&doors.provisioning, &doors.platform] {
            assert_eq!(get(door, &wish.uid).await.as_ref(), Some(&older[&wish.uid]));
        }
    }
}

#[apply(since_13)]
async fn what_one_door_has_stored_the_other_finds_equal_whichever_field_it_uses() {
    let wishes: Vec<_> = every_field()
        .into_iter()
        .chain(ten())
        .chain([recording("records")])
        .collect();
    let doors = doors().await;
    for (from, to) in doors.each_way() {
        for wish in &wishes {
            let stored = put(from, wish, None).await.expect("a rule");
            assert_is(&stored.found, wish);
            assert_eq!(get(to, &wish.uid).await, Some(stored.found), "{}", wish.uid);
        }
        assert_both_find(&doors, &wishes).await;
        for found in list(to).await.values() {
            to.client
                .rules
                .delete(found, Provenance::Api)
                .await
                .expect("it goes");
        }
        assert_both_find(&doors, &[]).await;
    }
}

#[apply(since_13)]
async fn each_door_changes_what_the_other_has_stored_and_writes_nothing_before() {
    let doors = doors().await;
    for (place, (from, to)) in doors.each_way().into_iter().enumerate() {
        let before: Vec<_> = every_field()
            .into_iter()
            .map(|rule| AlertRule {
                uid: format!("{}-{place}", rule.uid),
                ..rule
            })
            .collect();
        for wish in &before {
            put(from, wish, None).await.expect("a rule");
        }
        to.proxy.reset();
        let found = list(to).await;
        let calls = to.proxy.reset();
        assert!(calls.writes().is_empty(), "{calls}");
        // Each becomes what its neighbour was, in its own place.
        for (wish, next) in before.iter().zip(before.iter().cycle().skip(1)) {
            let next = AlertRule {
                uid: wish.uid.clone(),
                group: wish.group.clone(),
                ..next.clone()
            };
            let stored = put(to, &next, Some(&found[&wish.uid])).await.expect("a change");
            assert_is(&stored.found, &next);
            assert_eq!(stored.found.group, found[&wish.uid].group);
            assert_eq!(get(from, &wish.uid).await, Some(stored.found));
        }
    }
    assert_eq!(list(&doors.provisioning).await, list(&doors.platform).await);
}

#[apply(since_13)]
async fn a_recording_rule_is_changed_by_each_door_and_becomes_an_alert_rule_and_back() {
    let doors = doors().await;
    for (from, to) in doors.each_way() {
        let wish = recording("r");
        let stored = put(from, &wish, None).await.expect("a rule").found;
        let mut other = wish.clone();
        if let Some(record) = &mut other.record {
            "errors:rate5m".clone_into(&mut record.metric);
        }
        let stored = put(to, &other, Some(&stored)).await.expect("a change").found;
        assert_is(&stored, &other);
        assert_eq!(get(from, "r").await.as_ref(), Some(&stored));
        let alerts = AlertRule {
            group: stored.group.clone(),
            ..plain("r")
        };
        let stored = put(to, &alerts, Some(&stored))
            .await
            .expect("an alert rule")
            .found;
        assert_is(&stored, &alerts);
        assert_eq!(stored.metric, None);
        let stored = put(from, &wish, Some(&stored))
            .await
            .expect("a recording rule")
            .found;
        assert_is(&stored, &wish);
        assert_eq!(get(to, "r").await.as_ref(), Some(&stored));
        to.client
            .rules
            .delete(&stored, Provenance::Api)
            .await
            .expect("it goes");
        assert_both_find(&doors, &[]).await;
    }
}

#[apply(since_13)]
async fn any_rule_is_found_as_it_was_stored() {
    let doors = doors().await;
    let mut runner = TestRunner::default();
    for (place, (from, _)) in doors.each_way().into_iter().enumerate() {
        let mut wishes = Vec::new();
        for number in 0..RANDOM / 2 {
            let rule = any_rule(format!("random-{place}-{number}"));
            let wish = rule.new_tree(&mut runner).expect("a rule").current();
            if let Err(error) = put(from, &wish, None).await {
                panic!("{error}: {wish:#?}");
            }
            wishes.push(wish);
        }
        assert_both_find(&doors, &wishes).await;
        for found in list(from).await.values() {
            from.client
                .rules
                .delete(found, Provenance::Api)
                .await
                .expect("it goes");
        }
    }
}

#[apply(since_13)]
async fn each_step_in_the_life_of_a_rule_is_one_call_through_the_newer_door() {
    let doors = doors().await;
    let door = &doors.platform;
    let count = || door.proxy.reset().len();
    let wish = plain("r");
    let stored = put(door, &wish, None).await.expect("a rule");
    assert_eq!(count(), 1);
    let other = AlertRule {
        interval: Duration::from_secs(20),
        title: "Other".to_owned(),
        ..wish
    };
    let stored = put(door, &other, Some(&stored.found)).await.expect("a change");
    assert_eq!(count(), 1);
    assert_eq!(list(door).await.len(), 1);
    assert_eq!(count(), 2, "alert rules and recording rules");
    door.client
        .rules
        .delete(&stored.found, Provenance::Api)
        .await
        .expect("it goes");
    assert_eq!(count(), 1);
    door.client
        .rules
        .delete(&stored.found, Provenance::Api)
        .await
        .expect("it is gone");
    assert_eq!(count(), 2, "whether grafana is there is asked");
    // What was found through the other door doesn't say in which state it is here.
    put(&doors.provisioning, &other, None).await.expect("a rule");
    let found = get(&doors.provisioning, "r").await.expect("the rule");
    let again = AlertRule {
        title: "Again".to_owned(),
        ..other
    };
    put(door, &again, Some(&found)).await.expect("a change");
    assert_eq!(count(), 2);
}

#[apply(since_13)]
async fn a_list_of_many_rules_comes_in_pages() {
    let doors = doors().await;
    let rules: Vec<Value> = (0..MANY)
        .map(|number| {
            json!({
                "uid": format!("r-{number}"), "title": format!("Rule {number}"), "condition": "A", "noDataState": "OK", "execErrState": "OK", "for": "0s",
                "data": [{"refId": "A", "datasourceUid": "__expr__", "relativeTimeRange": {"from": 0, "to": 0}, "model": {"type": "math", "expression": "1 == 0"}}],
            })
        })
        .collect();
    let group = json!({"title": "many", "folderUid": FOLDER, "interval": 60, "rules": rules});
    let path = format!("/api/v1/provisioning/folder/{FOLDER}/rule-groups/many");
    doors.server.put(&path, group).await.ok();
    let newer = list(&doors.platform).await;
    let calls = doors.platform.proxy.reset();
    assert_eq!(calls.len(), 4, "{calls}");
    assert_eq!(newer.len(), MANY);
    assert_eq!(newer, list(&doors.provisioning).await);
}

#[apply(since_13)]
async fn what_somebody_else_has_made_is_found_equal() {
    let doors = doors().await;
    let data = json!([{"refId": "A", "datasourceUid": "loki-1", "relativeTimeRange": {"from": 600, "to": 0}, "model": {"expr": "x"}}]);
    let rule = |uid: &str, more: Value| {
        let mut rule = json!({
            "uid": uid, "folderUID": FOLDER, "ruleGroup": "theirs", "title": format!("Their {uid}"), "condition": "A", "noDataState": "OK",
            "execErrState": "OK", "for": "2m", "data": data, "labels": null, "annotations": null,
        });
        let more = more.as_object().cloned().unwrap_or_default();
        rule.as_object_mut().expect("an object").extend(more);
        rule
    };
    let path = "/api/v1/provisioning/alert-rules";
    doors.server.post(path, rule("alerts", json!({}))).await.ok();
    let recording = json!({"record": {"metric": "errors:sum", "from": "A", "target_datasource_uid": "p"}});
    doors.server.post(path, rule("records", recording)).await.ok();
    let edited = doors
        .server
        .write_as_frontend(reqwest::Method::POST, path, rule("edited", json!({})));
    edited.await.ok();
    let found = list(&doors.platform).await;
    assert_eq!(found, list(&doors.provisioning).await);
    assert_eq!(found["records"].metric.as_deref(), Some("errors:sum"));
    assert_eq!(found["edited"].provenance, None);
    assert_eq!(found["alerts"].provenance.as_deref(), Some("api"));
    for uid in ["alerts", "records", "edited"] {
        assert_eq!(
            get(&doors.platform, uid).await,
            get(&doors.provisioning, uid).await
        );
    }
}

/// Wherever a rule is given a tree of its own, both doors say the same of it.
#[apply(since_13)]
async fn a_policy_tree_of_a_rule_is_the_same_by_both_doors_and_a_difference_where_none_is_wished() {
    let options = grafana::Options {
        settings: vec!["feature_toggles.enable=alertingMultiplePolicies".to_owned()],
        ..grafana::Options::default()
    };
    let doors = with(options).await;
    let trees = "/apis/notifications.alerting.grafana.app/v1beta1/namespaces/default/routingtrees";
    let tree = json!({
        "apiVersion": "notifications.alerting.grafana.app/v1beta1", "kind": "RoutingTree", "metadata": {"name": "batch"},
        "spec": {"defaults": {"receiver": RECEIVER}, "routes": []},
    });
    doors.server.post(trees, tree).await.ok();
    let mut through = plain("r");
    through.notification_settings = Some(NotificationSettings {
        policy: Some("batch".to_owned()),
        ..NotificationSettings::default()
    });
    let wish = plain("r");
    // What `/apis` has made is in no group.
    let is_through = |found: &FoundRule| {
        let changed = RuleDigest::of(&through).changed(&found.digest);
        changed.iter().all(|field| *field == "group")
    };
    for (from, to) in doors.each_way() {
        let before = put(from, &wish, None).await.expect("a rule").found;
        let path = "/api/v1/provisioning/alert-rules/r";
        let mut body = doors.server.get(path).await.ok();
        body["notification_settings"] = json!({"receiver": "", "policy": "batch"});
        doors.server.put(path, body).await.ok();
        let found = get(to, "r").await.expect("the rule");
        assert_eq!(get(from, "r").await.as_ref(), Some(&found));
        assert_eq!(
            RuleDigest::of(&wish).changed(&found.digest).last(),
            Some(&"notificationSettings")
        );
        assert_ne!(found, before);
        let told = decision::lost(&wish, &found).expect("something of somebody else's");
        assert!(told.contains("policy tree"), "{told}");
        // One that is wished for is the same, whoever wrote it.
        assert!(is_through(&found));
        assert_eq!(found.tree.as_deref(), Some("batch"));
        let after = put(to, &wish, Some(&found)).await.expect("a change").found;
        assert_eq!(after, before);
        let written = put(from, &through, Some(&after)).await.expect("a tree").found;
        assert!(is_through(&written));
        assert_eq!(get(to, "r").await, Some(written.clone()));
        let after = put(to, &wish, Some(&written)).await.expect("a change").found;
        assert_eq!(get(from, "r").await, Some(after.clone()));
        let deleted = to.client.rules.delete(&after, Provenance::Api).await;
        deleted.expect("it goes");
    }
}
