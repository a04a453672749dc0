//! Time intervals and templates, which have no place for a mark: whose one is, is remembered.

mod callers;

use super::*;
use crate::controller::engine::failure::{Failure, Retry};
use crate::grafana::model::{Found, Period};

fn on(day: &str) -> Value {
    json!({"timeIntervals": [{"weekdays": [day]}]})
}

/// What Grafana has of a name.
fn held(world: &World, name: &str) -> Option<String> {
    world.grafana.hold(|held| {
        let found = held.time_intervals.get(name)?;
        found.object.time_intervals.first()?.weekdays.first().cloned()
    })
}

/// Somebody else's.
fn by_hand(world: &World, name: &str, day: &str) {
    let found = Found {
        object: model::TimeInterval {
            name: name.to_owned(),
            time_intervals: vec![Period {
                weekdays: vec![day.to_owned()],
                ..Period::default()
            }],
        },
        provenance: None,
        revision: None,
    };
    world.grafana.hold(|held| {
        held.time_intervals.insert(name.to_owned(), found);
    });
}

/// A pass, once what it asks for has been read.
async fn pass<K: Reconcile>(world: &World, object: &K) -> Result<String, Failure> {
    if let Err(failure) = object.reconcile(&world.context).await
        && failure != Failure::not_yet()
    {
        return Err(failure);
    }
    world.poll().await;
    object
        .reconcile(&world.context)
        .await
        .map(|report| report.message)
}

#[tokio::test]
async fn they_are_read_only_once_there_is_a_resource_of_their_kind() {
    let mut world = world_with(&json!({}), |_| ()).await;
    world.poll().await;
    assert_eq!(world.grafana.count("time_intervals.list"), 0);
    let nights = world.time_interval("nights", on("sunday"));
    let failure = nights.reconcile(&world.context).await.map(|_| ()).unwrap_err();
    assert_eq!(failure, Failure::not_yet());
    // The poller is woken; nobody has to wait for the next round.
    world.grafana.called("time_intervals.list", 1).await;
    pass(&world, &nights).await.unwrap();
    assert_eq!(held(&world, "nights").as_deref(), Some("sunday"));
    assert_eq!(world.grafana.count("templates.list"), 0);
}

#[tokio::test]
async fn what_somebody_else_makes_between_what_is_noted_and_the_write_is_not_ours_after_a_crash() {
    let mut world = world_with(&json!({}), |_| ()).await;
    let nights = world.time_interval("nights", on("sunday"));
    world.grafana.does(|called| match called {
        "time_intervals.put" => Does::Refuses(503, "away"),
        _ => Does::Well,
    });
    pass(&world, &nights).await.unwrap_err();
    world.grafana.does_well();
    by_hand(&world, "nights", "monday");
    let mut world = world.restarted().await;
    let nights = world.time_interval("nights", on("sunday"));
    let failure = pass(&world, &nights).await.unwrap_err();
    assert_eq!(failure.reason, Some(Reason::NotOwned), "{}", failure.message);
    assert!(
        failure
            .message
            .contains("it is weekdays monday there, and weekdays sunday here"),
        "{}",
        failure.message
    );
    nights.clean_up(&world.context).await.unwrap();
    assert_eq!(held(&world, "nights").as_deref(), Some("monday"), "it stays");
}

#[tokio::test]
async fn what_was_made_right_before_a_crash_is_ours_also_where_more_is_wished_by_now() {
    let mut world = world_with(&json!({}), |_| ()).await;
    let nights = world.time_interval("nights", on("sunday"));
    let grafana = world.grafana.clone();
    world.grafana.does(move |called| {
        if called != "time_intervals.put" {
            return Does::Well;
        }
        // It is made, and the answer is lost.
        let made = Found {
            object: model::TimeInterval {
                name: "nights".to_owned(),
                time_intervals: vec![Period {
                    weekdays: vec!["sunday".to_owned()],
                    ..Period::default()
                }],
            },
            provenance: Some("api".to_owned()),
            revision: None,
        };
        grafana.hold(|held| held.time_intervals.insert("nights".to_owned(), made));
        Does::Refuses(503, "away")
    });
    pass(&world, &nights).await.unwrap_err();
    world.grafana.does_well();
    let mut world = world.restarted().await;
    let nights = world.time_interval("nights", on("tuesday"));
    pass(&world, &nights).await.unwrap();
    assert_eq!(held(&world, "nights").as_deref(), Some("tuesday"));
}

#[tokio::test]
async fn two_resources_never_take_it_from_each_other() {
    let mut world = world_with(&json!({}), |_| ()).await;
    let first = world.time_interval(
        "first",
        json!({"name": "shared", "timeIntervals": [{"weekdays": ["sunday"]}]}),
    );
    pass(&world, &first).await.unwrap();
    let second = json!({"name": "shared", "timeIntervals": [{"weekdays": ["monday"]}]});
    let second = adoption::adopting(world.time_interval("second", second));
    let failure = pass(&world, &second).await.unwrap_err();
    assert_eq!(failure.reason, Some(Reason::Conflict));
    // The claims alone know that both are for one Grafana; what is remembered knows it too.
    world.context.claims.forget(&first);
    let failure = pass(&world, &second).await.unwrap_err();
    assert_eq!(failure.reason, Some(Reason::NotOwned), "{}", failure.message);
    assert!(
        failure
            .message
            .contains("TimeInterval revel/first has made the time interval shared"),
        "{}",
        failure.message
    );
    second.clean_up(&world.context).await.unwrap();
    assert_eq!(held(&world, "shared").as_deref(), Some("sunday"));
    first.clean_up(&world.context).await.unwrap();
    assert_eq!(held(&world, "shared"), None);
}

#[tokio::test]
async fn of_two_that_have_each_others_name_one_gets_its_own_when_the_other_goes() {
    let mut world = world_with(&json!({}), |_| ()).await;
    let called = |name: &str| json!({"name": name, "timeIntervals": [{"weekdays": ["sunday"]}]});
    for name in ["one", "other"] {
        let made = world.time_interval(name, called(name));
        pass(&world, &made).await.unwrap();
    }
    let one = world.time_interval("one", called("other"));
    let other = world.time_interval("other", called("one"));
    for swapped in [&one, &other] {
        let failure = pass(&world, swapped).await.unwrap_err();
        assert_eq!(failure.reason, Some(Reason::NotOwned), "{}", failure.message);
    }
    drain(&mut world.receivers.time_intervals);
    one.clean_up(&world.context).await.unwrap();
    assert_eq!(
        drain(&mut world.receivers.time_intervals),
        1,
        "it waited for that"
    );
    pass(&world, &other).await.unwrap();
    assert_eq!(held(&world, "one").as_deref(), Some("sunday"));
    assert_eq!(held(&world, "other"), None);
}

#[tokio::test]
async fn what_is_equal_becomes_ours_and_nothing_is_written() {
    let mut world = world_with(&json!({}), |_| ()).await;
    by_hand(&world, "nights", "sunday");
    let nights = world.time_interval("nights", on("Sunday:sunday"));
    pass(&world, &nights).await.unwrap();
    pass(&world, &nights).await.unwrap();
    assert_eq!(world.grafana.count("time_intervals.put"), 0);
    nights.clean_up(&world.context).await.unwrap();
    assert_eq!(held(&world, "nights"), None);
}

#[tokio::test]
async fn what_is_equal_and_was_stored_is_ours_though_nobody_remembers_it_and_nobody_may_adopt() {
    let mut world = world_with(&json!({"adoptNamespaces": {"names": []}}), |_| ()).await;
    by_hand(&world, "nights", "sunday");
    let mut nights = world.time_interval("nights", on("sunday"));
    let failure = pass(&world, &nights).await.unwrap_err();
    assert_eq!(failure.reason, Some(Reason::NotOwned), "{}", failure.message);
    nights.status =
        serde_json::from_value(json!({"name": "nights", "observedGeneration": 1, "conditions": [{
            "type": "Ready", "status": "True", "reason": "Synced", "message": "", "observedGeneration": 1,
            "lastTransitionTime": "2026-01-01T00:00:00Z",
        }]}))
        .unwrap();
    pass(&world, &nights).await.unwrap();
    assert_eq!(world.grafana.count("time_intervals.put"), 0);
}

#[tokio::test]
async fn a_refused_template_is_not_sent_again_as_it_is() {
    let mut world = world_with(&json!({}), |_| ()).await;
    let template = world.template("slack", json!({"template": "{{ nothing }}"}));
    world.grafana.does(|called| match called {
        "templates.put" => Does::Refuses(400, "template: slack:1: function \"nothing\" not defined"),
        _ => Does::Well,
    });
    for _ in 0..3 {
        let failure = pass(&world, &template).await.unwrap_err();
        assert_eq!(failure.reason, Some(Reason::Invalid));
        assert!(matches!(failure.retry, Retry::After(_)));
    }
    assert_eq!(world.grafana.count("templates.put"), 1);
}

/// A text that defines a template of this name.
fn defining(name: &str) -> Value {
    json!({"template": format!("{{{{ define \"{name}\" }}}}x{{{{ end }}}}")})
}

#[tokio::test]
async fn a_template_keeps_its_name_for_whoever_has_it_in_grafana_and_gives_it_free_with_its_resource() {
    let mut world = world_with(&json!({}), |_| ()).await;
    let first = world.template("young", defining("slack.title"));
    pass(&world, &first).await.unwrap();
    let second = world.template("older", defining("slack.title"));
    let failure = pass(&world, &second).await.unwrap_err();
    assert_eq!(failure.reason, Some(Reason::Conflict));
    let whose = "NotificationTemplate revel/young defines slack.title already";
    assert!(failure.message.contains(whose), "{}", failure.message);
    assert_eq!(world.grafana.count("templates.put"), 1);
    // What is stored stays as it is where it asks for more than it may.
    let own = world.template("older", defining("own.title"));
    pass(&world, &own).await.unwrap();
    let more =
        json!({"template": "{{ define \"own.title\" }}{{ end }}{{ define \"slack.title\" }}{{ end }}"});
    let more = world.template("older", more);
    pass(&world, &more).await.unwrap_err();
    assert_eq!(world.grafana.count("templates.put"), 2);
    first.clean_up(&world.context).await.unwrap();
    pass(&world, &more).await.unwrap();
    assert_eq!(world.grafana.count("templates.put"), 3);
    // Under another name of its group it is its own still.
    let mut renamed = defining("slack.title");
    renamed["name"] = json!("renamed");
    let renamed = world.template("older", renamed);
    pass(&world, &renamed).await.unwrap();
    assert_eq!(world.grafana.count("templates.put"), 4);
}

#[tokio::test]
async fn a_name_that_somebody_defines_in_grafana_is_theirs_until_it_is_stored_for_a_resource() {
    let mut world = world_with(&json!({}), |_| ()).await;
    let theirs = Found {
        object: model::Template {
            name: "by-hand".to_owned(),
            content: "{{- define \"slack.title\" -}}theirs{{ end }}".to_owned(),
        },
        provenance: None,
        revision: None,
    };
    let put = |world: &World| {
        let theirs = theirs.clone();
        world
            .grafana
            .hold(|held| held.templates.insert("by-hand".to_owned(), theirs))
    };
    put(&world);
    let template = world.template("slack", defining("slack.title"));
    let failure = pass(&world, &template).await.unwrap_err();
    assert_eq!(failure.reason, Some(Reason::NotOwned));
    assert!(
        failure.message.contains("template group by-hand"),
        "{}",
        failure.message
    );
    world.grafana.hold(|held| held.templates.clear());
    world.poll().await;
    pass(&world, &template).await.unwrap();
    put(&world);
    world.poll().await;
    pass(&world, &template).await.unwrap();
    let report = template.reconcile(&world.context).await.unwrap();
    let told = "Grafana's template group by-hand defines slack.title too";
    assert!(
        report.warnings.len() == 1 && report.warnings[0].starts_with(told),
        "{:?}",
        report.warnings
    );
    let other = json!({"template": "{{ define \"slack.title\" }}y{{ end }}"});
    let other = world.template("slack", other);
    pass(&world, &other).await.unwrap();
}

#[tokio::test]
async fn what_everybodys_texts_are_made_of_is_defined_by_namespaces_alone_that_may_reach_everybody() {
    let unrestricted = json!({"unrestrictedNamespaces": {"names": ["revel"]}});
    for (instance, may) in [(json!({}), false), (unrestricted, true)] {
        let mut world = world_with(&instance, |_| ()).await;
        let template = world.template("slack", defining("default.title"));
        let result = pass(&world, &template).await;
        assert_eq!(result.is_ok(), may);
        assert_eq!(world.grafana.count("templates.put"), usize::from(may));
        if let Err(failure) = result {
            assert_eq!(failure.reason, Some(Reason::Invalid), "{}", failure.message);
            continue;
        }
        // Its namespace may no more: it says so, also where nothing is edited, and what Grafana has stays.
        let mut world = world.restarted().await;
        for text in ["x", "y"] {
            let edited = format!("{{{{ define \"default.title\" }}}}{text}{{{{ end }}}}");
            let edited = world.template("slack", json!({"template": edited}));
            let failure = pass(&world, &edited).await.unwrap_err();
            assert_eq!(failure.reason, Some(Reason::Invalid), "{}", failure.message);
        }
        assert_eq!(world.grafana.count("templates.put"), 1);
        let other = world.template("slack", defining("slack.title"));
        pass(&world, &other).await.unwrap();
        assert_eq!(world.grafana.count("templates.put"), 2);
    }
}

#[tokio::test]
async fn of_two_resources_that_have_come_to_define_one_name_the_younger_is_told() {
    let mut world = world_with(&json!({}), |_| ()).await;
    let older = world.template("a", defining("slack.title"));
    let younger = world.template("b", defining("other"));
    for template in [&older, &younger] {
        pass(&world, template).await.unwrap();
    }
    let doubled = defining("slack.title")["template"].as_str().unwrap().to_owned();
    world.grafana.hold(|held| {
        held.templates
            .get_mut("b")
            .unwrap()
            .object
            .content
            .clone_from(&doubled);
    });
    world.poll().await;
    let younger = world.template("b", json!({"template": doubled}));
    let warnings = younger.reconcile(&world.context).await.unwrap().warnings;
    let told = "NotificationTemplate revel/a defines slack.title too";
    assert!(
        warnings.len() == 1 && warnings[0].starts_with(told),
        "{warnings:?}"
    );
    let warnings = older.reconcile(&world.context).await.unwrap().warnings;
    assert_eq!(warnings, [""; 0]);
}
