//! Folders that a Grafana doesn't take.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

#[tokio::test]
async fn a_path_that_is_too_deep_names_the_cure_and_leaves_no_folder_behind() {
    let mut world = World::connected().await;
    world.grafana.hold(|held| held.deepest_folder = Some(3));
    let deep = world.rule("deep", json!({"query": QUERY, "folder": "A/B/C/D/E"}));
    deep.reconcile(&world.context).await.unwrap_err();
    let told = "spec.folder: this Grafana takes no folder with 3 above it; give a path of at most 3 titles";
    let failure = deep.reconcile(&world.context).await.unwrap_err();
    assert_eq!(failure.reason, Some(Reason::Invalid));
    assert!(failure.message.starts_with(told), "{}", failure.message);
    // To try it again makes folders and takes them away.
    assert!(matches!(failure.retry, Retry::After(again) if again > Duration::from_secs(3500)));
    assert!(world.grafana.hold(|held| held.folders.is_empty()));
    assert_eq!(world.grafana.count("folders.create"), 4, "nothing is made again");
    // What somebody else needs on the way there stays.
    let fits = world.rule("fits", json!({"query": QUERY, "folder": "A/B"}));
    fits.reconcile(&world.context).await.unwrap();
    let other = world.rule("other", json!({"query": QUERY, "folder": "A/X/Y/Z"}));
    other.reconcile(&world.context).await.unwrap_err();
    let titles = world.grafana.hold(|held| {
        let titles = held.folders.iter().map(|folder| folder.title.clone());
        titles.collect::<Vec<_>>()
    });
    assert_eq!(titles, ["A", "B"]);
}

#[tokio::test]
async fn a_folder_whose_title_differs_in_case_alone_is_named() {
    let mut world = World::connected().await;
    world.grafana.hold(|held| {
        held.folders.push(Folder {
            uid: "theirs".to_owned(),
            title: "shop".to_owned(),
            parent_uid: None,
        });
    });
    let rule = world.rule("r", json!({"query": QUERY, "folder": "Shop"}));
    let failure = rule.reconcile(&world.context).await.unwrap_err();
    assert_eq!(failure.reason, Some(Reason::Conflict));
    let told = r#"spec.folder: Grafana has a folder "shop" there and takes "Shop" for the same name; write it so here"#;
    assert!(failure.message.starts_with(told), "{}", failure.message);
}

#[tokio::test]
async fn a_title_that_a_folder_elsewhere_has_is_asked_for_once_where_grafana_takes_each_once() {
    // Its nested folders are there by a toggle.
    let (world, rule) = with_a_title_elsewhere("10.4.0").await;
    for _ in 0..3 {
        let failure = rule.reconcile(&world.context).await.unwrap_err();
        assert_eq!(failure.reason, Some(Reason::Conflict));
        assert!(
            failure.message.contains("has \"B\" elsewhere (uid b)"),
            "{}",
            failure.message
        );
        world.poll().await;
    }
    assert_eq!(world.grafana.count("folders.create"), 1);
}

/// A world of a Grafana of this version with the folders A and C/B, that refuses one more folder; and a rule that is to lie in A/B.
async fn with_a_title_elsewhere(version: &str) -> (World, AlertRule) {
    let mut world = World::new();
    world.grafana.hold(|held| {
        version.clone_into(&mut held.version);
        for (uid, title, parent) in [("a", "A", None), ("c", "C", None), ("b", "B", Some("c"))] {
            held.folders.push(Folder {
                uid: uid.to_owned(),
                title: title.to_owned(),
                parent_uid: parent.map(str::to_owned),
            });
        }
    });
    world.connect_and_read().await;
    world.grafana.does(|called| match called {
        "folders.create" => Does::Refuses(409, "a folder with the same name already exists"),
        _ => Does::Well,
    });
    let rule = world.rule("r", json!({"query": QUERY, "folder": "A/B"}));
    (world, rule)
}

#[tokio::test]
async fn a_newer_grafana_that_refuses_a_title_has_it_there_and_shows_it_late() {
    let (world, rule) = with_a_title_elsewhere("13.3.0").await;
    let failure = rule.reconcile(&world.context).await.unwrap_err();
    assert!(!failure.message.contains("elsewhere"), "{}", failure.message);
    // Somebody has made the folder in that very moment.
    world.grafana.hold(|held| {
        held.folders.push(Folder {
            uid: "theirs".to_owned(),
            title: "B".to_owned(),
            parent_uid: Some("a".to_owned()),
        });
    });
    world.poll().await;
    let report = rule.reconcile(&world.context).await.unwrap();
    assert_eq!(report.status.folder_uid.as_deref(), Some("theirs"));
}

#[tokio::test]
async fn what_somebody_has_put_into_a_folder_on_the_way_stays_when_the_path_is_too_deep() {
    let mut world = World::connected().await;
    world.grafana.hold(|held| held.deepest_folder = Some(3));
    let (grafana, made) = (world.grafana.clone(), AtomicUsize::new(0));
    world.grafana.does(move |called| {
        if called == "folders.create" && made.fetch_add(1, Ordering::Relaxed) == 3 {
            grafana.hold(|held| {
                let inside = held.folders.iter().find(|folder| folder.title == "B").unwrap();
                let rule = model::AlertRule {
                    uid: "theirs".to_owned(),
                    folder_uid: inside.uid.clone(),
                    ..model::AlertRule::default()
                };
                held.rules.insert("theirs".to_owned(), rule);
            });
        }
        Does::Well
    });
    let deep = world.rule("deep", json!({"query": QUERY, "folder": "A/B/C/D"}));
    deep.reconcile(&world.context).await.unwrap_err();
    let titles = world.grafana.hold(|held| {
        let titles = held.folders.iter().map(|folder| folder.title.clone());
        titles.collect::<Vec<_>>()
    });
    assert_eq!(titles, ["A", "B"]);
}

#[tokio::test]
async fn a_title_with_a_slash_is_another_folder_than_a_path_of_two() {
    let mut world = World::connected().await;
    for (name, folder) in [("one", r"A\/B"), ("two", "A/B")] {
        let rule = world.rule(name, json!({"query": QUERY, "folder": folder}));
        rule.reconcile(&world.context).await.unwrap();
    }
    let titles = world.grafana.hold(|held| {
        let titles = held.folders.iter().map(|folder| folder.title.clone());
        titles.collect::<Vec<_>>()
    });
    assert_eq!(titles, ["A/B", "A", "B"]);
}

#[tokio::test]
async fn a_folder_of_the_title_in_other_case_elsewhere_stands_in_nobodys_way() {
    let mut world = World::connected().await;
    world.grafana.hold(|held| {
        held.folders.push(Folder {
            uid: "elsewhere".to_owned(),
            title: "shop".to_owned(),
            parent_uid: Some("above".to_owned()),
        });
    });
    let rule = world.rule("r", json!({"query": QUERY, "folder": "Shop"}));
    world.grafana.does(|called| match called {
        "folders.create" => Does::Refuses(409, "a folder with the same name already exists"),
        _ => Does::Well,
    });
    let failure = rule.reconcile(&world.context).await.unwrap_err();
    assert!(!failure.message.contains("takes"), "{}", failure.message);
    world.grafana.does_well();
    rule.reconcile(&world.context).await.unwrap();
}
