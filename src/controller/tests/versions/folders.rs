//! Folders that a Grafana doesn't take.

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
