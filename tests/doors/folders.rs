//! Folders: written through the older API whatever is chosen, and listed through either.

use alertwright::grafana::api::Concern;
use alertwright::grafana::wire::Folder;
use alertwright_testbed::{apply, since_12};
use serde_json::json;

use crate::doors::{Door, Doors};

async fn listed(door: &Door) -> Vec<Folder> {
    let mut folders = door.client.folders.list().await.expect("folders").items;
    folders.sort_by(|one, other| one.uid.cmp(&other.uid));
    folders
}

#[apply(since_12)]
async fn both_doors_find_the_same_folders_at_any_depth_and_write_nothing_for_it() {
    let doors = Doors::of(Concern::Folders).await;
    let titles = ["Shop", "a/b", "\"quoted\" & <angled>", "Ünïcode ✓", "general"];
    let mut wish = Vec::new();
    for (place, (from, _)) in doors.each_way().into_iter().enumerate() {
        let mut parent = None;
        for (depth, title) in titles.iter().enumerate() {
            // At the root, and then each within the one before.
            let folder = Folder {
                uid: format!("f-{place}-{depth}"),
                title: format!("{title} {place}"),
                parent_uid: parent.take(),
            };
            let made = from
                .client
                .folders
                .create(&folder.uid, &folder.title, folder.parent_uid.as_deref());
            assert_eq!(made.await.expect("a folder"), folder);
            parent = (depth % 2 == 0).then(|| folder.uid.clone());
            wish.push(folder);
        }
    }
    // Somebody else's.
    let other = json!({"uid": "g", "title": "Their own", "description": "d"});
    doors.server.post("/api/folders", other).await.ok();
    wish.push(Folder {
        uid: "g".to_owned(),
        title: "Their own".to_owned(),
        parent_uid: None,
    });
    for door in [&doors.provisioning, &doors.platform] {
        door.proxy.reset();
        assert_eq!(listed(door).await, wish);
        let calls = door.proxy.reset();
        assert!(calls.writes().is_empty(), "{calls}");
    }
}

#[apply(since_12)]
async fn a_folder_that_is_gone_is_gone_through_both_doors() {
    let doors = Doors::of(Concern::Folders).await;
    for (from, to) in doors.each_way() {
        let made = from.client.folders.create("f", "Shop", None).await;
        assert_eq!(made.expect("a folder").uid, "f");
        assert_eq!(listed(to).await.len(), 1);
        from.client.folders.delete("f").await.expect("it goes");
        assert_eq!(listed(to).await, []);
        assert_eq!(to.client.folders.get("f").await.expect("an answer"), None);
    }
}
