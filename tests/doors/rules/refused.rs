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
