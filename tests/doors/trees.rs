//! Policy trees, through every door that a release has.

use alertwright::grafana::Class;
use alertwright::grafana::api::{Concern, Provenance};
use alertwright::grafana::digest::RouteDigest;
use alertwright::grafana::model::TreeName;
use alertwright::grafana::model::{Found, Route, object_matcher};
use alertwright_testbed::proxy::Fault;
use alertwright_testbed::{apply, every_release, since_13};
use serde_json::{Value, json};

use crate::doors::{Door, Doors, Open};

fn own() -> TreeName {
    TreeName::default()
}

async fn found(door: &Door) -> Found<Route> {
    let found = door.client.trees.get(&own()).await.expect("an answer");
    found.expect("an organisation has a tree")
}

/// A tree of this receiver with our mark, values that end in quotes and all that a policy can say.
fn wish(receiver: &str) -> Route {
    let mark = json!([
        ["__alertwright_tree__", "=", "own/ns/tree"],
        ["__alertwright_tree__", "!=", "own/ns/tree"]
    ]);
    // As people may have written them.
    let raw = json!([
        ["r", "=", "\"a\""],
        ["r", "!=", "b\""],
        ["r", "=~", "\"\"c"],
        ["r", "!=", "\""]
    ]);
    let quoted: Vec<_> = [
        ("=", "\"a.b\""),
        ("!=", "c\""),
        ("=~", "\"d|e"),
        ("!~", "f \"g\" \\d"),
        ("=", ""),
    ]
    .map(|(operator, value)| object_matcher("l", operator, value))
    .into();
    let tree = json!({
        "receiver": receiver, "group_by": ["grafana_folder", "alertname"], "group_wait": "45s", "group_interval": "6m", "repeat_interval": "1d12h",
        "routes": [
            {"receiver": receiver, "object_matchers": mark},
            {"receiver": receiver, "object_matchers": quoted, "continue": true, "group_by": ["..."], "routes": [
                {"receiver": receiver, "object_matchers": [["a", "=~", "b|c"]], "group_wait": "0s", "repeat_interval": "2h"},
            ]},
            {"receiver": receiver, "object_matchers": raw},
            {"receiver": receiver},
        ],
    });
    tree_of(tree)
}

fn tree_of(tree: Value) -> Route {
    serde_json::from_value(tree).expect("a tree")
}

#[apply(every_release)]
async fn what_one_door_stores_of_the_tree_the_other_finds() {
    let open = Open::of(Concern::Notifications).await;
    for (from, to) in open.each_way() {
        let before = found(from).await;
        let receiver = before.object.receiver.clone().expect("a receiver");
        let wish = wish(&receiver);
        for by in [Provenance::None, Provenance::Api] {
            let now = found(from).await.revision;
            let put = from.client.trees.put(&own(), &wish, now.as_ref(), by).await;
            let state = put.expect("it is stored");
            let seen = found(to).await;
            assert_eq!(
                RouteDigest::of(&seen.object),
                RouteDigest::of(&wish),
                "{:?}",
                seen.object
            );
            assert_eq!(seen.provenance.as_deref(), by.name());
            assert_eq!(state.is_some(), from.is_newer());
            let all = to.client.trees.list().await.expect("a list").items;
            assert_eq!(all, [(own(), seen)]);
        }
        from.client.trees.remove(&own(), None).await.expect("it is reset");
        let reset = found(to).await;
        assert_eq!(
            (reset.object.receiver, reset.object.routes),
            (Some(receiver), Vec::new())
        );
        assert_eq!(reset.provenance, None);
    }
}

#[apply(every_release)]
async fn a_tree_that_is_another_by_now_is_not_overwritten_where_the_door_knows() {
    let open = Open::of(Concern::Notifications).await;
    for door in &open.doors {
        let before = found(door).await;
        let wish = wish(&before.object.receiver.clone().expect("a receiver"));
        let state = before.revision.clone();
        assert_eq!(state.is_some(), door.is_newer(), "{state:?}");
        let put = door
            .client
            .trees
            .put(&own(), &wish, state.as_ref(), Provenance::Api)
            .await;
        put.expect("it is stored");
        let again = door
            .client
            .trees
            .put(&own(), &before.object, state.as_ref(), Provenance::Api)
            .await;
        if state.is_some() {
            assert_eq!(again.expect_err("it is another by now").class(), Class::Conflict);
            assert_eq!(RouteDigest::of(&found(door).await.object), RouteDigest::of(&wish));
        }
        door.client.trees.remove(&own(), None).await.expect("it is reset");
    }
}

#[apply(every_release)]
async fn a_tree_in_older_words_goes_through_the_door_that_has_them() {
    let open = Open::of(Concern::Notifications).await;
    for door in &open.doors {
        let before = found(door).await;
        let receiver = before.object.receiver.clone().expect("a receiver");
        let older = tree_of(json!({"receiver": receiver, "routes": [
            {"receiver": receiver, "matchers": ["team=\"db\""]}, {"receiver": receiver, "match": {"team": "web"}},
            {"receiver": receiver, "match_re": {"team": "x.*"}},
        ]}));
        let put = door
            .client
            .trees
            .put(&own(), &older, before.revision.as_ref(), Provenance::Api)
            .await;
        put.expect("it is stored");
        assert_eq!(found(&open.doors[0]).await.object.routes, older.routes);
        // Both say the same of it, each in its words.
        assert_eq!(
            RouteDigest::of(&found(door).await.object),
            RouteDigest::of(&older)
        );
        door.client.trees.remove(&own(), None).await.expect("it is reset");
    }
}

#[apply(since_13)]
async fn where_the_door_that_has_older_words_is_gone_the_tree_is_said_in_the_newer_ones_or_refused() {
    let doors = Doors::of(Concern::Notifications).await;
    let door = &doors.platform;
    let before = found(door).await;
    let receiver = before.object.receiver.clone().expect("a receiver");
    let tree = |more: Value| {
        let mut branch = json!({"receiver": receiver, "matchers": ["team=~\"d\\\"b|\\\\d\"", "x!=y"], "match": {"team": "\"web\""}, "match_re": {"a": "x.*"}});
        branch
            .as_object_mut()
            .expect("a branch")
            .extend(more.as_object().cloned().expect("fields"));
        tree_of(
            json!({"receiver": receiver, "routes": [{"receiver": receiver, "object_matchers": [["b", "!~", "c"]], "routes": [branch]}]}),
        )
    };
    let older = tree(json!({}));
    for status in [404, 410] {
        door.proxy
            .fault(Fault::status(status).on_path("/api/v1/provisioning/"));
        let now = found(door).await.revision;
        let put = door
            .client
            .trees
            .put(&own(), &older, now.as_ref(), Provenance::Api)
            .await;
        assert!(put.expect("it is stored").is_some());
        assert_eq!(
            RouteDigest::of(&found(door).await.object),
            RouteDigest::of(&older)
        );
        // What there are no words for is no tree any more, and says which.
        let strange = tree(json!({"of_the_future": 1}));
        let now = found(door).await.revision;
        let put = door
            .client
            .trees
            .put(&own(), &strange, now.as_ref(), Provenance::Api)
            .await;
        let error = put.expect_err("it can't be said");
        assert_eq!(error.class(), Class::Rejected);
        assert!(error.to_string().contains("of_the_future"), "{error}");
        door.client.trees.remove(&own(), None).await.expect("it is reset");
        door.proxy.clear_faults();
    }
}

#[apply(every_release)]
async fn a_tree_beside_ours_is_listed_where_there_can_be_one_and_removed_by_its_name() {
    let open = Open::of(Concern::Notifications).await;
    let beside = TreeName("batch".to_owned());
    for door in &open.doors {
        let receiver = found(door).await.object.receiver.expect("a receiver");
        let tree = wish(&receiver);
        let put = door
            .client
            .trees
            .put(&beside, &tree, None, Provenance::None)
            .await;
        assert_eq!(door.client.trees.knows_names(), door.is_newer());
        if !door.is_newer() || !open.server.version().since(13, 2) {
            put.expect_err("there is one tree");
            continue;
        }
        assert!(put.expect("it is stored").is_some());
        let seen = door
            .client
            .trees
            .get(&beside)
            .await
            .expect("an answer")
            .expect("a tree");
        assert!(seen.revision.is_some());
        assert_eq!(RouteDigest::of(&seen.object), RouteDigest::of(&tree));
        let mut names = door.client.trees.list().await.expect("a list").items;
        names.sort_by(|(one, _), (other, _)| one.cmp(other));
        let names: Vec<_> = names.into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, [beside.clone(), own()]);
        let taken = door
            .client
            .trees
            .put(&beside, &tree, None, Provenance::None)
            .await;
        assert_eq!(taken.expect_err("it is taken").class(), Class::Conflict);
        let own_tree = found(door).await;
        let other = tree_of(json!({"receiver": receiver}));
        let put = door
            .client
            .trees
            .put(&beside, &other, seen.revision.as_ref(), Provenance::Api)
            .await;
        assert!(put.expect("it is another one now").is_some());
        let late = door
            .client
            .trees
            .put(&beside, &tree, seen.revision.as_ref(), Provenance::Api)
            .await;
        assert_eq!(late.expect_err("it was that").class(), Class::Conflict);
        let late = door.client.trees.remove(&beside, seen.revision.as_ref()).await;
        assert_eq!(late.expect_err("it was that").class(), Class::Conflict);
        let now = door.client.trees.get(&beside).await.expect("an answer");
        let now = now.expect("a tree");
        assert_eq!(
            (now.object.receiver.as_deref(), now.provenance.as_deref()),
            (Some(receiver.as_str()), Some("api"))
        );
        // That it can't be read doesn't say that it isn't there.
        door.proxy
            .fault(Fault::status(403).on_path("/routingtrees/batch"));
        door.client
            .trees
            .get(&beside)
            .await
            .expect_err("it can't be read");
        door.proxy.clear_faults();
        door.client
            .trees
            .remove(&beside, now.revision.as_ref())
            .await
            .expect("it goes");
        assert_eq!(found(door).await, own_tree);
        assert_eq!(door.client.trees.get(&beside).await.expect("an answer"), None);
    }
}
