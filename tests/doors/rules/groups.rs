//! Rules with a group and without, and the interval that those of one group share.

use super::*;

#[apply(since_13)]
async fn a_rule_without_a_group_stays_without_through_both_doors() {
    let doors = doors().await;
    let wish = plain("r");
    let stored = put(&doors.platform, &wish, None).await.expect("a rule");
    assert_eq!(stored.found.group, None);
    let mut found = stored.found;
    for (number, door) in (1..).zip([&doors.provisioning, &doors.platform, &doors.provisioning]) {
        let other = AlertRule {
            interval: Duration::from_secs(10 * number),
            folder_uid: if number % 2 == 0 { "g" } else { FOLDER }.to_owned(),
            title: format!("Title {number}"),
            ..wish.clone()
        };
        let stored = put(door, &other, Some(&found)).await.expect("a change");
        assert_eq!((&stored.found.group, &stored.kept), (&None, &None));
        assert_both_find(&doors, std::slice::from_ref(&other)).await;
        found = stored.found;
    }
    doors
        .provisioning
        .client
        .rules
        .delete(&found, Provenance::Api)
        .await
        .expect("it goes");
    assert_both_find(&doors, &[]).await;
}

#[apply(since_13)]
async fn a_rule_of_a_group_takes_its_siblings_along_and_none_that_is_not_ours() {
    let doors = doors().await;
    let member = |uid: &str, seconds: u64| AlertRule {
        group: Some("shared".to_owned()),
        interval: Duration::from_secs(seconds),
        ..plain(uid)
    };
    let intervals = async || {
        let found = list(&doors.platform).await;
        assert_eq!(found, list(&doors.provisioning).await);
        found
            .values()
            .map(|rule| rule.interval.as_secs())
            .collect::<Vec<_>>()
    };
    for uid in ["a", "b"] {
        put(&doors.provisioning, &member(uid, 60), None)
            .await
            .expect("a rule");
    }
    let found = list(&doors.platform).await;
    let stored = put(&doors.platform, &member("a", 30), Some(&found["a"]))
        .await
        .expect("a change");
    assert!(stored.is_of_group && stored.kept.is_none());
    assert_eq!(intervals().await, [30, 30]);
    // That one has been brought along, and was wished so too.
    doors.platform.proxy.reset();
    put(&doors.platform, &member("b", 30), Some(&found["b"]))
        .await
        .expect("an answer");
    let calls = doors.platform.proxy.reset();
    assert!(calls.writes().is_empty(), "{calls}");
    // A third of somebody else's.
    let foreign = json!({
        "uid": "z", "folderUID": FOLDER, "ruleGroup": "shared", "title": "Theirs", "condition": "A", "noDataState": "OK", "execErrState": "OK", "for": "0s",
        "data": [{"refId": "A", "datasourceUid": "__expr__", "relativeTimeRange": {"from": 0, "to": 0}, "model": {"type": "math", "expression": "1"}}],
    });
    doors
        .server
        .post("/api/v1/provisioning/alert-rules", foreign)
        .await
        .ok();
    for door in [&doors.platform, &doors.provisioning] {
        let found = list(door).await;
        let stored = put(door, &member("b", 120), Some(&found["b"]))
            .await
            .expect("a change");
        let kept = stored.kept.expect("the group keeps its interval");
        assert_eq!((kept.interval.as_secs(), kept.because_of.as_str()), (30, "z"));
        assert_eq!(stored.found.interval.as_secs(), 30);
        assert_eq!(intervals().await, [30, 30, 30]);
    }
    // What a group keeps is written by nobody, and a change of the rule changes nothing else.
    for door in [&doors.platform, &doors.provisioning] {
        let found = list(door).await;
        door.proxy.reset();
        let kept = AlertRule {
            title: found["b"].title.clone(),
            ..member("b", 120)
        };
        put(door, &kept, Some(&found["b"])).await.expect("an answer");
        let calls = door.proxy.reset();
        assert!(calls.writes().is_empty(), "{calls}");
        let group = format!("/api/v1/provisioning/folder/{FOLDER}/rule-groups/shared");
        let faster = json!({"title": "shared", "folderUid": FOLDER, "interval": 10});
        doors.server.put(&group, faster).await.ok();
        let changed = AlertRule {
            title: format!("Changed by {}", door.api(Concern::Rules)),
            ..member("b", 30)
        };
        put(door, &changed, Some(&found["b"])).await.expect("a change");
        assert_eq!(intervals().await, [10, 10, 10]);
        assert_eq!(list(door).await["b"].title, changed.title);
        let slower = json!({"title": "shared", "folderUid": FOLDER, "interval": 30});
        doors.server.put(&group, slower).await.ok();
    }
    // Into another group, which is made for it.
    let moved = AlertRule {
        group: Some("own".to_owned()),
        ..member("b", 120)
    };
    let stored = put(&doors.platform, &moved, Some(&list(&doors.platform).await["b"]))
        .await
        .expect("a move");
    assert_eq!(stored.found.group.as_deref(), Some("own"));
    assert_eq!(intervals().await, [30, 120, 30]);
}

#[apply(since_13)]
async fn a_sibling_that_was_written_costs_no_rule_its_turn_where_grafana_looks_at_versions() {
    let options = grafana::Options {
        settings: vec!["double.check_rule_versions=true".to_owned()],
        ..grafana::Options::default()
    };
    let doors = with(options).await;
    let member = |uid: &str, seconds: u64| AlertRule {
        group: Some("shared".to_owned()),
        interval: Duration::from_secs(seconds),
        ..plain(uid)
    };
    for uid in ["a", "b"] {
        put(&doors.provisioning, &member(uid, 60), None)
            .await
            .expect("a rule");
    }
    let found = list(&doors.platform).await;
    put(&doors.platform, &member("a", 30), Some(&found["a"]))
        .await
        .expect("a change");
    let before = FoundRule {
        interval: Duration::from_secs(30),
        ..found["b"].clone()
    };
    put(
        &doors.platform,
        &AlertRule {
            title: "New".to_owned(),
            ..member("b", 30)
        },
        Some(&before),
    )
    .await
    .expect("no race");
    // Somebody else's change is one.
    let error = put(&doors.platform, &member("b", 30), Some(&before))
        .await
        .expect_err("a race");
    assert!(error.is_lost_race(), "{error}");
}
