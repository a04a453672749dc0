//! What Grafana refuses.

use alertwright::grafana::Class;
use alertwright::grafana::model::NotificationSettings;

use super::*;

type Change = fn(&mut AlertRule);

#[apply(since_13)]
async fn what_grafana_refuses_is_of_one_class_through_both_doors_and_leaves_all_as_it_was() {
    let doors = doors().await;
    let stored = put(&doors.provisioning, &plain("taken"), None)
        .await
        .expect("a rule");
    let cases: [(Class, Change); 7] = [
        (Class::Rejected, |rule| rule.condition = "Z".into()),
        (Class::Rejected, |rule| rule.title = "x".repeat(191)),
        (Class::Rejected, |rule| rule.no_data_state = "Bogus".into()),
        (Class::Rejected, |rule| rule.data.push(rule.data[0].clone())),
        (Class::Rejected, |rule| {
            rule.labels
                .insert("__grafana_receiver__".to_owned(), "x".to_owned());
        }),
        (Class::Missing, |rule| rule.folder_uid = "nowhere".into()),
        (Class::Conflict, |rule| rule.uid = "taken".into()),
    ];
    for door in [&doors.provisioning, &doors.platform] {
        for (number, (class, change)) in cases.iter().enumerate() {
            let mut wish = plain("r");
            change(&mut wish);
            let error = put(door, &wish, None).await.expect_err("a refusal");
            assert_eq!(error.class(), *class, "case {number}: {error}");
            assert_eq!(
                error.is_folder_missing(),
                *class == Class::Missing,
                "case {number}: {error}"
            );
            assert!(!error.outcome_unknown(), "case {number}: {error}");
        }
    }
    let nobody = AlertRule {
        notification_settings: Some(NotificationSettings {
            receiver: "nobody".to_owned(),
            ..NotificationSettings::default()
        }),
        ..plain("r")
    };
    for door in [&doors.provisioning, &doors.platform] {
        let error = put(door, &nobody, None).await.expect_err("a refusal");
        assert!(
            error.class() == Class::Rejected && error.to_string().contains("nobody"),
            "{error}"
        );
    }
    let odd = AlertRule {
        interval: Duration::from_millis(7300),
        ..plain("r")
    };
    let error = put(
        &doors.platform,
        &AlertRule {
            interval: Duration::ZERO,
            ..odd
        },
        None,
    )
    .await
    .expect_err("a refusal");
    assert_eq!(error.class(), Class::Rejected, "{error}");
    assert_eq!(
        list(&doors.platform).await.into_values().collect::<Vec<_>>(),
        [stored.found]
    );
}

#[apply(since_13)]
async fn a_recording_rule_makes_room_for_an_alert_rule_and_stays_where_that_is_refused() {
    let doors = doors().await;
    for (door, other) in doors.each_way() {
        let recording = json!({
            "uid": "r", "folderUID": FOLDER, "ruleGroup": "theirs", "title": "Theirs", "condition": "A", "noDataState": "OK", "execErrState": "OK",
            "for": "0s", "record": {"metric": "errors:sum", "from": "A", "target_datasource_uid": "p"},
            "data": [{"refId": "A", "datasourceUid": "loki-1", "relativeTimeRange": {"from": 600, "to": 0}, "model": {"expr": "x"}}],
        });
        doors
            .server
            .post("/api/v1/provisioning/alert-rules", recording)
            .await
            .ok();
        let there = get(door, "r").await.expect("a recording rule");
        assert_eq!(there.metric.as_deref(), Some("errors:sum"));
        let nobody = AlertRule {
            notification_settings: Some(NotificationSettings {
                receiver: "nobody".to_owned(),
                ..NotificationSettings::default()
            }),
            ..plain("r")
        };
        let changes: [Change; 3] = [
            |rule| rule.condition = "Z".into(),
            |rule| rule.folder_uid = "nowhere".into(),
            |rule| rule.no_data_state = "Bogus".into(),
        ];
        let wrong = changes.iter().map(|change| {
            let mut wrong = plain("r");
            change(&mut wrong);
            wrong
        });
        for wrong in wrong.chain([nobody]) {
            let error = put(door, &wrong, Some(&there)).await.expect_err("a refusal");
            assert!(!error.outcome_unknown(), "{error}");
            assert_eq!(get(other, "r").await.as_ref(), Some(&there), "{error}");
        }
        let Stored { found, .. } = put(door, &plain("r"), Some(&there)).await.expect("a rule");
        assert_eq!(found.metric, None);
        assert_eq!(get(other, "r").await.as_ref(), Some(&found));
        door.client
            .rules
            .delete(&found, Provenance::Api)
            .await
            .expect("it goes");
    }
}
