//! Inhibition rules, which only the newer door has.

use alertwright::grafana::Class;
use alertwright::grafana::api::{Concern, Provenance};
use alertwright::grafana::model::{InhibitionRule, object_matcher};
use alertwright_testbed::{apply, every_release};

use crate::doors::Open;

fn wish(name: &str) -> InhibitionRule {
    InhibitionRule {
        name: name.to_owned(),
        source_matchers: vec![
            object_matcher("alertname", "=", "Node \"down\""),
            object_matcher("env", "!=", ""),
        ],
        target_matchers: vec![
            object_matcher("severity", "=~", "warning|info"),
            object_matcher("team", "!~", "ops.*"),
        ],
        equal: vec!["node".to_owned(), "Ünïcode".to_owned()],
    }
}

#[apply(every_release)]
async fn an_inhibition_rule_is_stored_changed_and_deleted_in_the_state_that_was_found_where_there_are_such() {
    let open = Open::of(Concern::Notifications).await;
    let door = open.doors.last().expect("a door");
    let rules = &door.client.inhibition_rules;
    let is_there = open.server.version().since(13, 0);
    assert_eq!(rules.is_served(), is_there);
    if !is_there {
        door.proxy.reset();
        assert_eq!(rules.list().await.expect("nothing"), []);
        assert_eq!(rules.get("a").await.expect("an answer"), None);
        let put = rules.put(&wish("a"), None, Provenance::Api).await;
        assert!(!put.expect_err("there are none").outcome_unknown());
        assert_eq!(door.proxy.requests().len(), 0);
        return;
    }
    let get = async || rules.get("node.down-1").await.expect("an answer");
    assert_eq!(get().await, None);
    let wish = wish("node.down-1");
    let put = rules.put(&wish, None, Provenance::Api).await;
    assert_eq!(put.expect("it is stored").object, wish);
    let before = get().await.expect("it is there");
    assert_eq!(before.object, wish);
    let listed = rules.list().await.expect("a list");
    assert_eq!(listed, std::slice::from_ref(&before));
    let taken = rules.put(&wish, None, Provenance::Api).await;
    assert_eq!(taken.expect_err("the name is taken").class(), Class::Conflict);

    let less = InhibitionRule {
        equal: Vec::new(),
        ..wish.clone()
    };
    let put = rules.put(&less, Some(&before), Provenance::Api).await;
    assert_eq!(put.expect("it is changed").object, less);
    let late = rules.put(&wish, Some(&before), Provenance::Api).await;
    assert_eq!(late.expect_err("it is another by now").class(), Class::Conflict);
    let late = rules.delete(&before).await;
    assert_eq!(late.expect_err("it is another by now").class(), Class::Conflict);
    let now = get().await.expect("it is there");
    assert_eq!(now.object, less);
    for _ in 0..2 {
        rules.delete(&now).await.expect("it goes, or is gone");
    }
    assert_eq!(get().await, None);
    let gone = rules.put(&less, Some(&now), Provenance::Api).await;
    assert_eq!(gone.expect_err("it is gone").class(), Class::Missing);
}
