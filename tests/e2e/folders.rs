//! Folders that a Grafana doesn't take: the rules in them say so, and what to do.

use alertwright::api::AlertRule;
use alertwright_testbed::{apply, every_release, since_11_6, wait};
use serde_json::json;

use crate::alarm::assert_rests;
use crate::rules::QUIET;
use crate::world::{self, SOON, World};

/// The titles of all folders, also of those within others.
async fn titles(w: &World) -> Vec<String> {
    let found = w.grafana.get("/api/search?type=dash-folder").await.ok();
    let folders = found.as_array().expect("a list").iter();
    let mut titles: Vec<String> = folders
        .map(|folder| folder["title"].as_str().expect("a title").to_owned())
        .collect();
    titles.sort();
    titles
}

#[apply(since_11_6)]
async fn a_path_that_is_too_deep_is_told_leaves_no_folder_behind_and_hurts_no_other_rule() {
    let w = world::start().await;
    // One title more than the most that Grafana takes by default.
    let deep = |path: &str| json!({"query": QUIET, "folder": path});
    w.put("AlertRule", "deep", deep("A/B/C/D/E/F/G")).await;
    w.reason::<AlertRule>("deep", "Invalid").await;
    let message = w.message::<AlertRule>("deep").await;
    assert!(
        message.contains("spec.folder: this Grafana takes no folder with")
            && message.contains("max_nested_folder_depth"),
        "{message}"
    );
    wait::until("what was made on the way is gone", SOON, async || {
        titles(&w).await.is_empty()
    })
    .await;
    w.put("AlertRule", "fits", deep("A/B")).await;
    w.synced::<AlertRule>("fits").await;
    assert_rests(&w).await;
    assert_eq!(titles(&w).await, ["A", "B"]);
    // With a path that fits it is there.
    w.put("AlertRule", "deep", deep("A/B/C")).await;
    w.synced::<AlertRule>("deep").await;
    assert_eq!(titles(&w).await, ["A", "B", "C"]);
}

#[apply(every_release)]
async fn a_folder_of_the_same_title_in_other_case_is_named_and_the_rule_follows_when_it_is_written_so() {
    let w = world::start().await;
    w.grafana
        .post("/api/folders", json!({"uid": "theirs", "title": "shop"}))
        .await
        .ok();
    let within = |folder: &str| json!({"query": QUIET, "folder": folder});
    w.put("AlertRule", "r", within("Shop")).await;
    w.reason::<AlertRule>("r", "Conflict").await;
    let message = w.message::<AlertRule>("r").await;
    let told = r#"spec.folder: Grafana has a folder "shop" there and takes "Shop" for the same name; write it so here"#;
    assert!(message.contains(told), "{message}");
    assert_eq!(titles(&w).await, ["shop"]);
    assert_rests(&w).await;
    w.put("AlertRule", "r", within("shop")).await;
    w.synced::<AlertRule>("r").await;
    assert_eq!(titles(&w).await, ["shop"]);
}
