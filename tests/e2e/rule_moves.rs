//! Rules that move between groups and folders.

use std::collections::BTreeMap;

use alertwright::api::AlertRule;
use alertwright_testbed::{apply, every_release};
use serde_json::{Value, json};

use crate::alarm::assert_rests;
use crate::doors::is_ungrouped;
use crate::rules::{QUIET, in_grafana, uid};
use crate::world::{self, World};

const NAMES: [&str; 4] = ["a", "b", "c", "d"];

fn spec(folder: &str, group: &str, interval: &str) -> Value {
    json!({"query": QUIET, "folder": folder, "group": group, "interval": interval})
}

/// The place and interval of each rule in Grafana, by title: there is one of each, and none besides.
async fn places(w: &World) -> BTreeMap<String, [String; 3]> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let rules = w.grafana.rules().await;
    let count = rules.len();
    let all: BTreeMap<_, _> = rules
        .iter()
        .map(|rule| {
            let place = ["folder", "group", "interval"].map(|field| text(&rule[field]));
            (text(&rule["grafana_alert"]["title"]), place)
        })
        .collect();
    assert_eq!(all.len(), count, "one of each: {rules:#?}");
    all
}

async fn assert_in(w: &World, names: &[&str], folder: &str, group: &str, interval: &str) {
    for name in names {
        in_grafana(w, name).await;
    }
    let places = places(w).await;
    for name in names {
        let [at, of, every] = &places[*name];
        assert_eq!(
            (at.as_str(), every.as_str()),
            (folder, interval),
            "{name}: {places:#?}"
        );
        assert!(
            of == group || (w.rules_by_apis() && is_ungrouped(of)),
            "{name}: {places:#?}"
        );
    }
}

async fn uids(w: &World) -> Vec<String> {
    let mut all = Vec::new();
    for name in NAMES {
        all.push(uid(w, name).await);
    }
    all
}

#[apply(every_release)]
async fn a_whole_group_moves_to_another_name_folder_and_interval_under_its_uids_and_leaves_nothing_behind() {
    let w = world::start().await;
    let put_all = async |folder: &str, group: &str, interval: &str| {
        for name in NAMES {
            w.put("AlertRule", name, spec(folder, group, interval)).await;
        }
    };
    put_all("Here", "first", "20s").await;
    assert_in(&w, &NAMES, "Here", "first", "20s").await;
    let before = uids(&w).await;
    for (folder, group, interval) in [
        ("Here", "second", "20s"),
        ("There", "second", "20s"),
        ("Elsewhere", "third", "40s"),
        ("Here", "first", "20s"),
    ] {
        put_all(folder, group, interval).await;
        assert_in(&w, &NAMES, folder, group, interval).await;
        assert_eq!(places(&w).await.len(), NAMES.len());
        assert_eq!(uids(&w).await, before);
    }
    assert_rests(&w).await;
    for name in NAMES {
        w.delete::<AlertRule>(name).await;
    }
    assert!(w.grafana.rules().await.is_empty());
}

#[apply(every_release)]
async fn a_rule_that_moves_into_a_group_leaves_that_and_the_one_it_came_from_as_they_were() {
    let w = world::start().await;
    for name in ["a", "b"] {
        w.put("AlertRule", name, spec("Here", "from", "20s")).await;
        uid(&w, name).await;
    }
    for name in ["c", "d"] {
        w.put("AlertRule", name, spec("There", "to", "40s")).await;
    }
    let before = uids(&w).await;
    // The group has an interval, which an older rule says.
    w.put("AlertRule", "c", spec("Here", "from", "40s")).await;
    w.reason::<AlertRule>("c", "Conflict").await;
    let message = w.message::<AlertRule>("c").await;
    assert!(
        message.contains("spec.interval: the group is evaluated every"),
        "{message}"
    );
    assert_in(&w, &["a", "b"], "Here", "from", "20s").await;
    let [at, _, every] = &places(&w).await["c"];
    assert_eq!(
        (at.as_str(), every.as_str()),
        ("There", "40s"),
        "it stays where it was"
    );
    w.put("AlertRule", "c", spec("Here", "from", "20s")).await;
    assert_in(&w, &["a", "b", "c"], "Here", "from", "20s").await;
    assert_in(&w, &["d"], "There", "to", "40s").await;
    assert_eq!(uids(&w).await, before);
    assert_rests(&w).await;
}
