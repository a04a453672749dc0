//! Templates whose deletion waits for what calls them.

use super::*;

/// An operator whose namespace `revel` is there, and stays.
async fn world() -> World {
    let world = world_with(&json!({}), |_| ()).await;
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "revel"}});
    world.server.set("/api/v1/namespaces/revel", namespace);
    world
}

/// What a contact point says of each notification.
fn saying(text: &str) -> Value {
    json!({"integrations": [{"slack": {"url": {"value": "https://example.com/hook"}, "text": text}}]})
}

/// A template of this name that is as if people had asked for its deletion.
fn going(world: &mut World, template: &NotificationTemplate) -> NotificationTemplate {
    let mut going = template.clone();
    going.metadata.deletion_timestamp = Some(serde_json::from_value(json!("2026-01-02T00:00:00Z")).unwrap());
    let writer = &mut world.writers.templates;
    see(&world.context, writer, going, news::about_template)
}

async fn stored(world: &mut World, name: &str, spec: Value) -> NotificationTemplate {
    let template = world.template(name, spec);
    pass(world, &template).await.unwrap();
    template
}

fn groups(world: &World) -> Vec<String> {
    world
        .grafana
        .hold(|held| held.templates.keys().cloned().collect())
}

/// Why it stays.
async fn stays(world: &World, template: &NotificationTemplate) -> String {
    let failure = template.clean_up(&world.context).await.expect_err("it is in use");
    assert_eq!(failure.reason, Some(Reason::InUse), "{}", failure.message);
    assert!(groups(world).iter().any(|group| group == template.id()));
    failure.message
}

#[tokio::test]
async fn a_template_that_a_contact_point_calls_stays_until_none_does_and_goes_at_once_then() {
    let mut world = world().await;
    let template = stored(&mut world, "texts", defining("slack.text")).await;
    let text = "{{ template \"slack.text\" . }}";
    let object = world.contact_point("team", saying(text));
    object.reconcile(&world.context).await.unwrap();
    let template = going(&mut world, &template);
    assert_eq!(
        stays(&world, &template).await,
        "notification template texts: ContactPoint revel/team still refers to it"
    );
    // Nor where somebody has changed the text in Grafana, for it is put right.
    world.grafana.hold(|held| held.points[0].settings.clear());
    world.poll().await;
    stays(&world, &template).await;

    let other = world.contact_point("team", saying("{{ .Status }} of slack.text"));
    drain(&mut world.receivers.templates);
    other.reconcile(&world.context).await.unwrap();
    assert_eq!(
        drain(&mut world.receivers.templates),
        1,
        "its deletion waits for that"
    );
    template.clean_up(&world.context).await.unwrap();
    assert_eq!(groups(&world), Vec::<String>::new());
}

#[tokio::test]
async fn a_template_goes_when_the_last_contact_point_goes_that_calls_it() {
    let mut world = world().await;
    let template = stored(&mut world, "texts", defining("slack.text")).await;
    let object = world.contact_point("team", saying("{{ template `slack.text` . }}"));
    object.reconcile(&world.context).await.unwrap();
    let template = going(&mut world, &template);
    stays(&world, &template).await;
    drain(&mut world.receivers.templates);
    object.clean_up(&world.context).await.unwrap();
    assert_eq!(drain(&mut world.receivers.templates), 1);
    template.clean_up(&world.context).await.unwrap();
}

#[tokio::test]
async fn a_template_that_is_called_by_what_people_have_made_waits_until_a_poll_shows_that_they_do_no_more() {
    let mut world = world().await;
    let template = stored(&mut world, "texts", defining("slack.text")).await;
    let settings = json!({"text": "{{ template \"slack.text\" . }}"});
    let group = model::Template {
        name: "theirs".to_owned(),
        content: "{{ define \"other\" }}{{ template \"slack.text\" . }}{{ end }}".to_owned(),
    };
    world.grafana.hold(|held| {
        held.points.push(Point {
            uid: "by-hand".to_owned(),
            name: "by hand".to_owned(),
            r#type: "slack".to_owned(),
            settings: settings.as_object().unwrap().clone(),
        });
        let found = Found {
            object: group,
            provenance: None,
            revision: None,
        };
        held.templates.insert("theirs".to_owned(), found);
    });
    world.poll().await;
    let template = going(&mut world, &template);
    assert_eq!(
        stays(&world, &template).await,
        "notification template texts: Grafana's template group theirs, Grafana's contact point by hand still refer to it"
    );
    world.grafana.hold(|held| {
        held.points.clear();
        held.templates.remove("theirs");
    });
    drain(&mut world.receivers.templates);
    world.poll().await;
    assert!(drain(&mut world.receivers.templates) > 0, "the poll shows it");
    template.clean_up(&world.context).await.unwrap();
}

#[tokio::test]
async fn templates_that_call_each_other_go_together_and_wait_for_who_calls_any_of_them() {
    let mut world = world().await;
    let calling = |name: &str, other: &str| json!({"template": format!("{{{{ define \"{name}\" }}}}{{{{ template \"{other}\" . }}}}{{{{ end }}}}")});
    let first = stored(&mut world, "first", calling("a", "b")).await;
    let second = stored(&mut world, "second", calling("b", "a")).await;
    let first = going(&mut world, &first);
    assert_eq!(
        stays(&world, &first).await,
        "notification template first: NotificationTemplate revel/second still refers to it"
    );
    let object = world.contact_point("team", saying("{{ template \"b\" . }}"));
    object.reconcile(&world.context).await.unwrap();
    let second = going(&mut world, &second);
    for template in [&first, &second] {
        let message = stays(&world, template).await;
        assert!(
            message.contains(": ContactPoint revel/team still refers"),
            "{message}"
        );
    }
    object.clean_up(&world.context).await.unwrap();
    drain(&mut world.receivers.templates);
    first.clean_up(&world.context).await.unwrap();
    assert!(
        drain(&mut world.receivers.templates) > 0,
        "others may have waited for it"
    );
    second.clean_up(&world.context).await.unwrap();
    assert_eq!(groups(&world), Vec::<String>::new());
}

#[tokio::test]
async fn what_another_group_defines_as_well_keeps_no_template_nor_does_its_former_name() {
    let mut world = world().await;
    stored(&mut world, "texts", defining("slack.text")).await;
    let object = world.contact_point("team", saying("{{ template \"slack.text\" . }}"));
    object.reconcile(&world.context).await.unwrap();
    let mut renamed = defining("slack.text");
    renamed["name"] = json!("renamed");
    stored(&mut world, "texts", renamed).await;
    assert_eq!(groups(&world), ["renamed"]);
    let mut without = defining("other");
    without["name"] = json!("again");
    let report = stored(&mut world, "texts", without)
        .await
        .reconcile(&world.context)
        .await
        .unwrap();
    assert!(
        report.message.contains("Under its former name renamed it stays"),
        "{}",
        report.message
    );
    assert_eq!(groups(&world), ["again", "renamed"]);
}

#[tokio::test]
async fn a_template_that_is_let_go_of_waits_for_nobody_and_stays() {
    let mut world = world().await;
    let mut spec = defining("slack.text");
    spec["deletionPolicy"] = json!("Orphan");
    let template = stored(&mut world, "texts", spec).await;
    let object = world.contact_point("team", saying("{{ template \"slack.text\" . }}"));
    object.reconcile(&world.context).await.unwrap();
    template.clean_up(&world.context).await.unwrap();
    assert_eq!(groups(&world), ["texts"]);
}

#[tokio::test]
async fn a_namespace_that_goes_waits_for_its_own_contact_points_and_for_nobody_elses() {
    // Its namespace isn't there any more.
    let mut world = world_with(&json!({}), |_| ()).await;
    let template = stored(&mut world, "texts", defining("slack.text")).await;
    let object = world.contact_point("team", saying("{{ template \"slack.text\" . }}"));
    object.reconcile(&world.context).await.unwrap();
    stays(&world, &template).await;
    object.clean_up(&world.context).await.unwrap();
    let spec = saying("{{ template \"slack.text\" . }}");
    let mut theirs: ContactPoint = made(&world.server, "contactpoints", "team", spec);
    theirs.metadata.namespace = Some("other".to_owned());
    let writer = &mut world.writers.contact_points;
    let theirs = see(&world.context, writer, theirs, news::about_contact_point);
    world.context.claims.forget(&object);
    theirs.reconcile(&world.context).await.unwrap();
    template.clean_up(&world.context).await.unwrap();
    assert_eq!(groups(&world), ["texts"]);
    let notes = world.server.notes();
    let told = "ContactPoint other/team still refers to it, so it stays in Grafana";
    assert!(notes.iter().any(|note| note.contains(told)), "{notes:?}");
}
