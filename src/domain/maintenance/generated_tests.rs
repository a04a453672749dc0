use serde_json::{Value, json};

use super::*;
use crate::api::silence::AlertRuleSelector;
use crate::domain::maintenance::window::Lease;

fn window(outcome: Option<Outcome>) -> Window {
    let opened: Timestamp = "2026-11-23T22:00:00Z".parse().unwrap();
    Window {
        run: Run {
            revision: "k1b2m3n4".into(),
            attempt: 7,
        },
        opened,
        ends: "2026-11-23T22:05:00Z".parse().unwrap(),
        progress: outcome.map(|_| "ReplicaSetUpdated@2026-11-23T22:00:03Z pods=3".into()),
        outcome,
        retires: false,
        in_force: false,
    }
}

#[test]
fn a_window_reads_back_as_it_was_written() {
    for outcome in Outcome::ALL.into_iter().map(Some).chain([None]) {
        let window = window(outcome);
        assert_eq!(
            Window::from_annotations(&window.to_annotations(), window.ends),
            Ok(window.clone())
        );
    }
}

#[test]
fn every_annotation_that_is_written_is_listed_for_removal() {
    let window = window(Some(Outcome::Failed));
    let mut listed: Vec<_> = ANNOTATIONS.iter().map(ToString::to_string).collect();
    listed.sort();
    assert_eq!(window.to_annotations().into_keys().collect::<Vec<_>>(), listed);
}

#[test]
fn a_changed_annotation_is_named() {
    for (annotation, value) in [
        (ANNOTATION_ATTEMPT, "x"),
        (ANNOTATION_OPENED, "yesterday"),
        (ANNOTATION_OUTCOME, "Fine"),
    ] {
        let mut annotations = window(None).to_annotations();
        annotations.insert(annotation.into(), value.into());
        assert_eq!(
            Window::from_annotations(&annotations, Timestamp::UNIX_EPOCH),
            Err(Unreadable { annotation })
        );
    }
}

#[test]
fn a_short_name_says_everything() {
    assert_eq!(
        silence_name("Deployment", "web", "k1b2m3n4", &places(Some("default"), None)),
        "deployment-web-k1b2m3n4"
    );
    let name = |named: &[&str]| {
        let named: Vec<String> = named.iter().copied().map(str::to_owned).collect();
        silence_name("Deployment", "web", "k1b2m3n4", &places(None, Some(&named)))
    };
    let elsewhere = [name(&["other"]), name(&["third"]), name(&["default", "other"])];
    for (i, name) in elsewhere.iter().enumerate() {
        assert!(name.starts_with("deployment-web-k1b2m3n4-"), "{name}");
        assert!(!elsewhere[..i].contains(name), "{elsewhere:?}");
    }
    assert_eq!(elsewhere[2], name(&["other", "default"]));
}

#[test]
fn a_silence_is_in_the_grafanas_that_are_asked_for_and_stays_there() {
    let owner: OwnerReference = serde_json::from_value(
        json!({"apiVersion": "apps/v1", "kind": "Deployment", "name": "web", "uid": "u"}),
    )
    .unwrap();
    let of = |known: Option<&Silence>, named: &[&str]| {
        let wanted = Maintenance {
            instances: named.iter().copied().map(str::to_owned).collect(),
            alert_rules: AlertRuleSelector::default(),
            matchers: Vec::new(),
            lease: Lease::default(),
            source: "a test".into(),
        };
        let kind = WorkloadKind::Deployment;
        silence(kind, &owner, "ns", &window(None), known, Some(&wanted))
    };
    let at = |silence: &Silence| (silence.spec.instance.clone(), silence.spec.instances.clone());
    let both = of(None, &["default", "other"]);
    assert_eq!(
        at(&both),
        (None, Some(vec!["default".to_owned(), "other".to_owned()]))
    );
    assert_eq!(at(&of(None, &["other"])), (Some("other".to_owned()), None));
    assert_eq!(at(&of(None, &[])), (None, None));
    for known in [&both, &of(None, &["other"])] {
        let edited = of(Some(known), &["third"]);
        assert_eq!(at(&edited), at(known), "what is open doesn't move");
        assert_eq!(edited.metadata.name, known.metadata.name);
    }
}

fn owned_by(uid: &str, owners: &Value) -> Silence {
    serde_json::from_value(json!({
        "metadata": {"name": "s", "labels": {LABEL_WORKLOAD: uid}, "ownerReferences": owners}, "spec": {},
    }))
    .unwrap()
}

#[test]
fn a_silence_is_a_workloads_only_if_that_owns_it() {
    let owner = |kind: &str, name: &str, uid: &str| json!({"apiVersion": "apps/v1", "kind": kind, "name": name, "uid": uid});
    let workload: OwnerReference = serde_json::from_value(owner("Deployment", "web", "2")).unwrap();
    for (uid, owners, is_its) in [
        ("2", json!([owner("Deployment", "web", "2")]), true),
        // What an earlier one of the name has left behind.
        ("1", json!([owner("Deployment", "web", "1")]), true),
        (
            "2",
            json!([owner("Deployment", "web", "1"), owner("Deployment", "web", "2")]),
            true,
        ),
        ("2", json!([]), false),
        ("2", json!([owner("ConfigMap", "mine", "9")]), false),
        ("1", json!([owner("StatefulSet", "web", "1")]), false),
        ("1", json!([owner("Deployment", "api", "1")]), false),
    ] {
        assert_eq!(is_of(&owned_by(uid, &owners), &workload), is_its, "{owners}");
    }
    assert_eq!(workload_of(&owned_by("2", &json!([]))), None);
    let plain: Silence = serde_json::from_value(json!({
        "metadata": {"name": "s", "ownerReferences": [owner("Deployment", "web", "2")]}, "spec": {},
    }))
    .unwrap();
    assert!(!is_of(&plain, &workload));
}

#[test]
fn another_name_is_a_name_too_and_another_for_each_workload() {
    let workload = |uid: &str| OwnerReference {
        uid: uid.to_owned(),
        ..OwnerReference::default()
    };
    for name in [
        "deployment-web-a".to_owned(),
        format!("{}.{}", "a".repeat(53), "b".repeat(9)),
    ] {
        let (one, two) = (
            other_name(&name, &workload("1")),
            other_name(&name, &workload("2")),
        );
        let start: String = name.chars().take(50).collect();
        assert_ne!(one, two);
        assert!(one.len() <= MAX_NAME && one.starts_with(&start), "{one}");
        assert!(!one.contains(".-"), "{one}");
    }
}

#[test]
fn long_names_are_cut_to_a_label_value_and_stay_apart() {
    let long = |end: &str| format!("{}.{end}", "a".repeat(33));
    let names: Vec<_> = ["x".repeat(100), "y".repeat(100)]
        .iter()
        .map(|end| silence_name("Deployment", &long(end), "k1b2m3n4", &[]))
        .collect();
    for name in &names {
        assert!(name.len() <= MAX_NAME, "{name}");
        assert!(
            name.chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "-.".contains(c))
        );
        assert!(name.ends_with("-k1b2m3n4"));
        assert!(!name.contains(".-"));
    }
    assert_ne!(names[0], names[1]);
}
