use serde_json::{Value, json};

use super::*;

fn silence(version: &str, change: impl FnOnce(&mut Value)) -> Arc<Silence> {
    let mut object = json!({
        "metadata": {
            "name": "deployment-web-a", "uid": "1", "generation": 1, "resourceVersion": version,
            "annotations": {
                "alerting.letsrevel.io/maintenance-revision": "a",
                "alerting.letsrevel.io/maintenance-attempt": "1",
                "alerting.letsrevel.io/maintenance-opened": "2026-11-23T22:00:00Z",
            },
        },
        "spec": {"alertRules": {"all": true}, "endsAt": "2026-11-23T22:05:00Z"},
    });
    change(&mut object);
    Arc::new(serde_json::from_value(object).unwrap())
}

fn written(stored: &Silence) -> Written {
    Written {
        window: Window::of(stored).unwrap(),
        asked: stored.spec.clone(),
        stored: stored.clone(),
    }
}

fn until(end: &'static str) -> impl FnOnce(&mut Value) {
    move |object| object["spec"]["endsAt"] = json!(end)
}

#[test]
fn what_was_written_counts_until_the_watch_shows_it() {
    let before = silence("9", |_| {});
    let own = written(&silence("10", until("2026-11-23T22:10:00Z")));
    for shown in [vec![], vec![before]] {
        let holding = hold(&shown, std::slice::from_ref(&own));
        assert_eq!(holding.windows.len(), 1);
        assert_eq!(holding.windows[0].window, own.window);
        assert!(!holding.windows[0].is_edited);
    }
}

#[test]
fn what_somebody_else_changed_is_noticed_and_not_believed() {
    let own = written(&silence("10", |_| {}));
    let earlier = |object: &mut Value| {
        object["metadata"]["annotations"]["alerting.letsrevel.io/maintenance-opened"] =
            json!("2026-11-23T23:00:00Z");
    };
    let gone = |object: &mut Value| {
        object["metadata"]["annotations"] = json!({});
    };
    let longer = silence("11", until("2026-11-24T22:05:00Z"));
    for edited in [longer, silence("11", earlier), silence("11", gone)] {
        let holding = hold(&[edited], std::slice::from_ref(&own));
        assert_eq!(holding.windows[0].window, own.window);
        assert!(holding.windows[0].is_edited);
    }
    let status = silence("11", |object| {
        object["metadata"]["labels"] = json!({"a": "b"});
        object["status"] = json!({"state": "Active", "observedGeneration": 1});
    });
    let holding = hold(&[status], &[own]);
    assert!(
        !holding.windows[0].is_edited,
        "a status and foreign labels are no edit"
    );
    assert!(holding.windows[0].window.in_force);
}

#[test]
fn a_silence_is_in_force_when_grafana_holds_it_as_its_resource_is_now() {
    let of = |state: &'static str, observed: i64| {
        let shown = silence("10", |object| {
            object["metadata"]["generation"] = json!(2);
            object["status"] = json!({"state": state, "observedGeneration": observed});
        });
        hold(&[shown], &[]).windows[0].window.in_force
    };
    assert!(of("Active", 2));
    assert!(!of("Active", 1) && !of("Pending", 2) && !of("Expired", 2));
}

#[test]
fn a_silence_of_several_grafanas_is_in_force_when_each_holds_it() {
    let of = |second: Value| {
        let shown = silence("10", |object| {
            object["metadata"]["generation"] = json!(2);
            object["status"] = json!({"state": "Active", "observedGeneration": 2, "instances": [
                {"instance": "default", "state": "Active", "observedGeneration": 2}, second,
            ]});
        });
        hold(&[shown], &[]).windows[0].window.in_force
    };
    assert!(of(
        json!({"instance": "second", "state": "Active", "observedGeneration": 2})
    ));
    assert!(!of(
        json!({"instance": "second", "state": "Active", "observedGeneration": 1})
    ));
    assert!(!of(json!({"instance": "second"})), "it may be away");
}

#[test]
fn of_two_silences_of_one_revision_the_later_one_is_the_window() {
    let elsewhere = silence("10", |object| {
        object["metadata"]["name"] = json!("deployment-web-a-other");
        object["metadata"]["annotations"]["alerting.letsrevel.io/maintenance-opened"] =
            json!("2026-11-23T22:03:00Z");
        object["spec"]["instance"] = json!("other");
    });
    let holding = hold(&[silence("10", |_| {}), elsewhere.clone()], &[]);
    assert_eq!(holding.windows.len(), 1);
    assert_eq!(holding.windows[0].silence, elsewhere);
    assert_eq!(holding.replaced.len(), 1);
}

#[test]
fn a_silence_that_is_going_gives_way_to_another_one_of_its_run_and_replaces_none() {
    let going = silence("10", |object| {
        object["metadata"]["uid"] = json!("going");
        object["metadata"]["deletionTimestamp"] = json!("2026-11-23T22:01:00Z");
    });
    let staying = silence("11", |_| {});
    for shown in [[going.clone(), staying.clone()], [staying.clone(), going.clone()]] {
        let holding = hold(&shown, &[]);
        assert_eq!(holding.windows.len(), 1);
        assert_eq!(holding.windows[0].silence, staying);
        assert_eq!(holding.replaced, []);
    }
}
