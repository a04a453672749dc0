//! Notification templates, through every door that a release has.

use alertwright::grafana::Class;
use alertwright::grafana::api::{Concern, Provenance};
use alertwright::grafana::model::{Found, Template};
use alertwright_testbed::{apply, every_release};

use crate::doors::{Door, Open};

fn wish(name: &str, text: &str) -> Template {
    Template {
        name: name.to_owned(),
        content: format!("{{{{ define \"{text}\" }}}}\n  {text} ✓ \"quoted\"\n{{{{ end }}}}"),
    }
}

async fn found(door: &Door, name: &str) -> Option<Found<Template>> {
    door.client.templates.get(name).await.expect("an answer")
}

async fn listed(door: &Door) -> Vec<Template> {
    let all = door.client.templates.list().await.expect("a list");
    all.into_iter().map(|found| found.object).collect()
}

#[apply(every_release)]
async fn what_one_door_stores_of_a_template_the_other_finds_and_nothing_that_grafana_brings_along() {
    let open = Open::of(Concern::Notifications).await;
    for (from, to) in open.each_way() {
        for (number, name) in ["slack", "a b", "Ünïcode ✓ & <angled>?"].into_iter().enumerate() {
            let by = [Provenance::Api, Provenance::None][number % 2];
            let wish = wish(name, "t");
            let put = from.client.templates.put(&wish, None, by).await;
            let stored = put.expect("it is stored");
            assert_eq!(stored.object, wish);
            let seen = found(to, name).await.expect("it is there");
            assert_eq!(seen.object, wish);
            assert_eq!(listed(to).await, [wish]);
            // Before, nobody knows.
            if open.server.version().since(11, 6) {
                assert_eq!(seen.provenance.as_deref(), by.name(), "{name}");
                assert_eq!(stored.provenance, seen.provenance, "{name}");
            }
            for _ in 0..2 {
                to.client
                    .templates
                    .delete(&seen)
                    .await
                    .expect("it goes, or is gone");
            }
            assert_eq!(found(from, name).await, None);
            assert_eq!(listed(from).await, []);
        }
    }
}

#[apply(every_release)]
async fn a_template_is_changed_in_the_state_that_was_found_also_under_another_name() {
    let open = Open::of(Concern::Notifications).await;
    for (from, to) in open.each_way() {
        let templates = &from.client.templates;
        templates
            .put(&wish("a", "one"), None, Provenance::Api)
            .await
            .expect("it is stored");
        let before = found(from, "a").await.expect("it is there");
        let put = templates
            .put(&wish("a", "two"), Some(&before), Provenance::Api)
            .await;
        put.expect("it is changed");
        assert_eq!(
            found(to, "a").await.expect("it is there").object,
            wish("a", "two")
        );
        assert_eq!(before.revision.is_some(), open.server.version().since(11, 2));
        if before.revision.is_some() {
            let late = templates
                .put(&wish("a", "three"), Some(&before), Provenance::Api)
                .await;
            assert_eq!(late.expect_err("it is another by now").class(), Class::Conflict);
            let late = templates.delete(&before).await;
            assert_eq!(late.expect_err("it is another by now").class(), Class::Conflict);
            assert_eq!(listed(to).await, [wish("a", "two")]);
        }
        let now = found(from, "a").await.expect("it is there");
        let put = templates
            .put(&wish("b", "two"), Some(&now), Provenance::Api)
            .await;
        assert_eq!(put.expect("it is renamed").object, wish("b", "two"));
        assert_eq!(listed(to).await, [wish("b", "two")]);
        let now = found(from, "b").await.expect("it is there");
        templates.delete(&now).await.expect("it goes");
    }
}
