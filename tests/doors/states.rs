//! The states of rules, which have one door alone: read page by page they are those of one answer.

use std::collections::BTreeSet;

use alertwright::grafana::api::Window;
use alertwright_testbed::{Grafana, apply, every_release, grafana};
use futures::{StreamExt, stream};
use serde_json::json;

use crate::doors::Door;

/// Makes groups of two rules in a folder.
async fn fill(grafana: &Grafana, folder: &str, groups: usize) {
    let made = json!({"uid": format!("uid-of-{folder}"), "title": folder});
    grafana.post("/api/folders", made).await.ok();
    let rule = |i: usize| {
        json!({
            "uid": format!("{folder}-{i}"), "title": format!("rule {i}"), "folderUID": format!("uid-of-{folder}"),
            "ruleGroup": format!("group {:03}", i / 2), "orgID": 1, "condition": "A", "for": "5m", "noDataState": "OK", "execErrState": "Error",
            "data": [{
                "refId": "A", "datasourceUid": "__expr__", "relativeTimeRange": {"from": 0, "to": 0},
                "model": {"type": "math", "expression": "1 == 0", "refId": "A"},
            }],
        })
    };
    stream::iter((0..2 * groups).map(rule))
        .for_each_concurrent(8, async |rule| {
            grafana.post("/api/v1/provisioning/alert-rules", rule).await.ok();
        })
        .await;
}

async fn start() -> (Grafana, Door) {
    let grafana = Grafana::start(grafana::Options::default()).await;
    let grafana = grafana.expect("grafana starts");
    let door = Door::open(&grafana, &grafana.token().await).await;
    (grafana, door)
}

type Shown = BTreeSet<(String, String, String)>;

/// Reads pages until they end or lead back, and gives what they show, how many there are, and whether they end.
async fn pages(door: &Door, groups: u32, rules: u32) -> (Shown, usize, bool) {
    let (mut shown, mut begun) = (Shown::new(), BTreeSet::new());
    let mut from: Option<String> = None;
    for count in 1.. {
        let window = Window::Page {
            from: from.as_deref(),
            groups,
            rules,
        };
        let page = door.client.states.page(window).await.expect("a page");
        shown.extend(
            page.states
                .into_iter()
                .map(|state| (state.folder, state.group, state.title)),
        );
        match page.next {
            None => return (shown, count, true),
            Some(next) if !begun.insert(next.clone()) => return (shown, count, false),
            next => from = next,
        }
    }
    unreachable!("a list that never ends")
}

async fn whole(door: &Door) -> Shown {
    let all = door.client.states.page(Window::Whole).await.expect("all states");
    assert_eq!(all.next, None);
    let states = all.states.into_iter();
    states
        .map(|state| (state.folder, state.group, state.title))
        .collect()
}

#[apply(every_release)]
async fn states_by_pages_are_those_of_one_answer_and_an_older_grafana_gives_one_answer() {
    let (grafana, door) = start().await;
    for folder in ["Shop", "Office", "Attic"] {
        fill(&grafana, folder, 20).await;
    }
    let all = whole(&door).await;
    assert_eq!(all.len(), 120);
    let (by_groups, count, ends) = pages(&door, 25, 1000).await;
    assert_eq!(by_groups, all);
    assert!(ends);
    let has_pages = grafana.version().since(11, 4);
    assert_eq!(count, if has_pages { 3 } else { 1 }, "pages of 25 groups");
    let (by_rules, count, ends) = pages(&door, 25, 30).await;
    assert_eq!(by_rules, all);
    assert!(ends);
    let counts_rules = grafana.version().since(12, 4);
    let wish = if counts_rules {
        4
    } else if has_pages {
        3
    } else {
        1
    };
    assert_eq!(count, wish, "pages of 15 groups with 30 rules");
}

/// Grafana's own mistake (`api_prometheus.go`), which the poller has to get over.
#[apply(every_release)]
async fn pages_lead_back_before_12_4_where_a_folders_name_begins_another() {
    let (grafana, door) = start().await;
    for folder in ["Team", "Team-EU"] {
        fill(&grafana, folder, 6).await;
    }
    let (shown, _, ends) = pages(&door, 4, 1000).await;
    let leads_back = grafana.version().since(11, 4) && !grafana.version().since(12, 4);
    assert_eq!(ends, !leads_back);
    assert_eq!(shown == whole(&door).await, !leads_back, "{shown:?}");
}
