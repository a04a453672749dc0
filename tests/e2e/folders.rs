//! Folders that a Grafana doesn't take: the rules in them say so, and what to do.

use alertwright::api::AlertRule;
use alertwright_testbed::{apply, every_release};
use serde_json::json;

use crate::alarm::assert_rests;
use crate::rules::QUIET;
use crate::world::{self, World};

async fn titles(w: &World) -> Vec<String> {
    let folders = w.grafana.folders().await;
    let titles = folders.iter().map(|folder| folder["title"].as_str());
    let mut titles: Vec<String> = titles.map(|title| title.expect("a title").to_owned()).collect();
    titles.sort();
    titles
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
