use std::time::Duration;

use super::super::Verdict;
use super::*;
use crate::grafana::wire::Toggles;

fn told(version: &str, held: &[(&str, &str)]) -> Check {
    let mut permissions = Held::new();
    for (right, scope) in held {
        permissions
            .entry((*right).to_owned())
            .or_default()
            .push((*scope).to_owned());
    }
    let asked = Asked {
        version: Some(version.to_owned()),
        toggles: Toggles::default(),
        min_interval: Duration::from_secs(10),
        permissions: Ok(permissions),
        sources: Ok(Vec::new()),
        is_own_token: false,
    };
    token("token".to_owned(), &asked)
}

const VIEWER: [(&str, &str); 6] = [
    ("folders:read", "folders:*"),
    ("alert.rules:read", "folders:*"),
    ("datasources:read", "datasources:*"),
    ("datasources:query", "datasources:*"),
    ("alert.instances:read", ""),
    ("alert.notifications:read", ""),
];

/// What the role Editor has besides.
fn editor() -> Vec<(&'static str, &'static str)> {
    let more = [
        ("folders:create", "folders:uid:general"),
        ("alert.rules:create", "folders:*"),
        ("alert.rules:write", "folders:*"),
        ("alert.rules:delete", "folders:*"),
        ("alert.instances:create", ""),
        ("alert.instances:write", ""),
        ("alert.notifications:write", ""),
        (PROVENANCE, ""),
    ];
    VIEWER.into_iter().chain(more).collect()
}

#[test]
fn what_a_viewer_may_not_is_told_with_what_goes_without_it_and_the_cure() {
    let check = told("12.4.0", &VIEWER);
    assert_eq!(check.verdict, Verdict::Bad);
    assert_eq!(
        check.message,
        "it may not write rules, write contact points, write policies, write time intervals, write templates, make folders, write silences: it lacks \
         alert.provisioning:write (AlertRule), \
         alert.notifications:write and alert.provisioning.provenance:write (ContactPoint, NotificationPolicy, TimeInterval, NotificationTemplate), \
         folders:create (AlertRules whose folder isn't there), \
         alert.instances:create and alert.instances:write (Silence, MaintenancePolicy)"
    );
    let cure = check.cure.unwrap_or_default();
    assert!(
        cure.starts_with(
            "give the service account the role Admin, or, where Grafana has such (docs/install.md), "
        ) && cure.contains(PROVISIONING)
            && cure.contains(FOLDERS)
            && cure.contains(ALERTING),
        "{cure}"
    );
}

#[test]
fn the_rights_of_an_editor_are_enough_from_11_on_and_not_before() {
    for version in ["11.6.0", "12.4.0", "13.3.0"] {
        let check = told(version, &editor());
        assert_eq!(check.verdict, Verdict::Good, "{version}: {}", check.message);
        assert!(!check.message.contains("Admin"), "{}", check.message);
    }
    let older = told("10.4.0", &editor());
    assert_eq!(older.verdict, Verdict::Bad);
    assert!(
        older.message.contains("alert.provisioning:read (AlertRule)")
            && older.message.contains("alert.provisioning:write (AlertRule"),
        "{}",
        older.message
    );
}

#[test]
fn each_kind_goes_without_the_rights_of_its_own() {
    let without = |right: &str| {
        let fine = [
            ("alert.notifications.receivers:read", "receivers:*"),
            ("alert.notifications.receivers:create", ""),
            ("alert.notifications.receivers:write", "receivers:*"),
            ("alert.notifications.receivers:delete", "receivers:*"),
            ("alert.notifications.routes:read", ""),
            ("alert.notifications.routes:write", ""),
            ("alert.notifications.time-intervals:read", ""),
            ("alert.notifications.time-intervals:write", ""),
            ("alert.notifications.time-intervals:delete", ""),
            ("alert.notifications.templates:read", ""),
            ("alert.notifications.templates:write", ""),
            ("alert.notifications.templates:delete", ""),
            ("alert.notifications.inhibition-rules:read", ""),
            ("alert.notifications.inhibition-rules:write", ""),
            ("alert.notifications.inhibition-rules:delete", ""),
        ];
        let held: Vec<(&str, &str)> = editor()
            .into_iter()
            .chain(fine)
            .filter(|(held, _)| *held != right && !held.starts_with("alert.notifications:"))
            .collect();
        told("13.3.0", &held)
    };
    assert_eq!(
        without("none").verdict,
        Verdict::Good,
        "{}",
        without("none").message
    );
    for (right, of) in [
        ("alert.notifications.receivers:delete", "ContactPoint"),
        ("alert.notifications.routes:write", "NotificationPolicy"),
        ("alert.notifications.time-intervals:write", "TimeInterval"),
        ("alert.notifications.templates:delete", "NotificationTemplate"),
        ("alert.instances:write", "Silence, MaintenancePolicy"),
        ("alert.rules:delete", "AlertRule"),
        ("folders:create", "AlertRules whose folder isn't there"),
        ("datasources:read", "AlertRules with query"),
    ] {
        let check = without(right);
        assert_eq!(check.verdict, Verdict::Bad, "{right}: {}", check.message);
        assert!(
            check.message.ends_with(&format!("it lacks {right} ({of})")),
            "{}",
            check.message
        );
    }
    // Who has none of these needs no right to write them.
    let check = without("alert.notifications.inhibition-rules:write");
    assert_eq!(check.verdict, Verdict::Doubt, "{}", check.message);
    assert!(check.message.ends_with("(InhibitionRule)"), "{}", check.message);
}

#[test]
fn silences_of_single_rules_are_not_what_the_operator_writes() {
    let held: Vec<(&str, &str)> = editor()
        .into_iter()
        .filter(|(right, _)| !matches!(*right, "alert.instances:create" | "alert.instances:write"))
        .chain([
            ("alert.silences:create", "folders:*"),
            ("alert.silences:write", "folders:*"),
        ])
        .collect();
    let check = told("12.4.0", &held);
    assert_eq!(check.verdict, Verdict::Bad);
    assert!(
        check.message.starts_with("it may not write silences: "),
        "{}",
        check.message
    );
}

#[test]
fn rights_that_count_in_some_places_alone_are_told_with_these() {
    let narrow: Vec<(&str, &str)> = editor()
        .into_iter()
        .map(|(right, scope)| match right {
            "alert.rules:delete" => (right, "folders:uid:shop"),
            _ => (right, scope),
        })
        .collect();
    let check = told("12.4.0", &narrow);
    assert_eq!(check.verdict, Verdict::Doubt);
    assert!(
        check
            .message
            .contains("alert.rules:delete counts for folders:uid:shop alone"),
        "{}",
        check.message
    );
    // What counts for all that is provisioned needs none of it.
    let both: Vec<(&str, &str)> = narrow
        .into_iter()
        .chain([("alert.provisioning:read", ""), ("alert.provisioning:write", "")])
        .collect();
    assert_eq!(told("12.4.0", &both).verdict, Verdict::Good);
    for (scope, is_all) in [
        ("", true),
        ("*", true),
        ("folders:*", true),
        ("folders:uid:*", true),
        ("folders:uid:a", false),
        ("folders:uid:team-*", false),
    ] {
        assert_eq!(
            is_everywhere("alert.rules:write", &[scope.to_owned()]),
            is_all,
            "{scope}"
        );
    }
}
