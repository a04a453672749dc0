//! Imports: what is written, and when.

#![expect(
    clippy::needless_pass_by_value,
    reason = "json!(..) reads better without a borrow"
)]

use std::sync::Arc;

use ::kube::ResourceExt;
use ::kube::runtime::controller::Action;
use http::StatusCode;

use super::*;
use crate::api::{LABEL_IMPORT, PrometheusRuleImport};
use crate::cluster::prometheus::PrometheusRule;
use crate::controller::alert_rule::import::news as told;
use crate::controller::pass;

fn found(alerts: &[&str]) -> Value {
    let rules: Vec<Value> = alerts
        .iter()
        .map(|name| json!({"alert": name, "expr": "vector(0) > 5"}))
        .collect();
    json!({"groups": [{"name": "g", "rules": rules}]})
}

impl World {
    /// Makes an import; both kinds have been listed.
    fn import(&mut self, spec: Value) -> PrometheusRuleImport {
        for kind in crate::api::prometheus_rule_import::SourceKind::ALL {
            self.context.sources.set_listed(kind);
        }
        let import = made(&self.server, "prometheusruleimports", "own", spec);
        see(&self.context, &mut self.writers.imports, import, told::import)
    }

    fn prometheus_rule(&mut self, namespace: &str, name: &str, spec: Value) {
        let object: PrometheusRule = serde_json::from_value(json!({
            "metadata": {"name": name, "namespace": namespace}, "spec": spec,
        }))
        .unwrap();
        see(
            &self.context,
            &mut self.writers.prometheus_rules,
            object,
            told::source,
        );
    }

    /// A pass over the import as it is; its AlertRules are seen afterwards.
    async fn pass_over(&mut self, import: &PrometheusRuleImport) {
        pass::without_finalizer(Arc::new(import.clone()), self.context.clone())
            .await
            .unwrap();
        for rule in self.alert_rules() {
            see(&self.context, &mut self.writers.rules, rule, news::about_rule);
        }
    }

    fn alert_rules(&self) -> Vec<AlertRule> {
        let all = self.server.all("alertrules").into_iter();
        all.map(|rule| serde_json::from_value(rule).unwrap()).collect()
    }

    fn said_of_import(&self) -> (String, String) {
        self.server
            .ready(&path("prometheusruleimports", "revel", "own"))
            .unwrap()
    }

    fn writes_of_rules(&self) -> usize {
        let writes = self.server.writes();
        writes
            .iter()
            .filter(|write| write.contains("/alertrules/"))
            .count()
    }
}

#[tokio::test]
async fn an_alert_rule_is_written_once_for_each_alert_and_nothing_at_rest() {
    let mut world = World::connected().await;
    let import = world.import(json!({}));
    world.prometheus_rule("revel", "web", found(&["A", "B"]));
    world.prometheus_rule("elsewhere", "web", found(&["C"]));
    world.pass_over(&import).await;
    assert_eq!(world.writes_of_rules(), 2, "{:?}", world.server.writes());
    assert!(
        world
            .alert_rules()
            .iter()
            .all(|rule| rule.labels()[LABEL_IMPORT] == "own")
    );
    assert_eq!(world.said_of_import().0, "Synced");
    let writes = world.server.writes().len();
    let stored = serde_json::from_value(world.server.get(&path("prometheusruleimports", "revel", "own")));
    world.pass_over(&stored.unwrap()).await;
    assert_eq!(world.server.writes().len(), writes, "{:?}", world.server.writes());
}

#[tokio::test]
async fn an_import_that_selects_nothing_says_so() {
    let mut world = World::connected().await;
    world.prometheus_rule("revel", "web", found(&["A"]));
    let misspelt =
        json!({"kinds": ["PrometheusRule"], "selector": {"matchLabels": {"release": "promethues"}}});
    for (spec, told) in [
        (
            misspelt,
            Some(
                "Warning: spec.selector matches no PrometheusRule of namespace revel, so there is nothing to import",
            ),
        ),
        (
            json!({"kinds": ["VMRule"]}),
            Some("Warning: there is no VMRule of namespace revel, so there is nothing to import"),
        ),
        (json!({}), None),
    ] {
        let import = world.import(spec);
        world.pass_over(&import).await;
        let (reason, message) = world.said_of_import();
        assert_eq!(reason, "Synced");
        assert!(
            told.map_or(!message.contains("Warning"), |told| message.ends_with(told)),
            "{message}"
        );
    }
}

#[tokio::test]
async fn an_alert_that_is_gone_takes_its_rule_along_and_one_that_cannot_be_seen_does_not() {
    let mut world = World::connected().await;
    let import = world.import(json!({}));
    world.prometheus_rule("revel", "web", found(&["A", "B"]));
    world.pass_over(&import).await;
    let deletions = |world: &World| {
        let writes = world.server.writes();
        writes
            .into_iter()
            .filter(|write| write.starts_with("DELETE"))
            .count()
    };
    world.context.unwatched.is_missing("PrometheusRule", "");
    world.prometheus_rule("revel", "web", found(&["A"]));
    world.pass_over(&import).await;
    assert_eq!(deletions(&world), 0, "{:?}", world.server.writes());
    world.context.unwatched.ends("PrometheusRule", "");
    world.pass_over(&import).await;
    assert_eq!(deletions(&world), 1, "{:?}", world.server.writes());
}

#[tokio::test]
async fn nothing_is_written_before_the_kinds_have_been_listed_nor_while_it_is_suspended() {
    let mut world = World::connected().await;
    let import: PrometheusRuleImport = made(&world.server, "prometheusruleimports", "own", json!({}));
    let import = see(&world.context, &mut world.writers.imports, import, told::import);
    world.pass_over(&import).await;
    assert!(world.server.writes().is_empty(), "{:?}", world.server.writes());
    let suspended = world.import(json!({"suspend": true}));
    world.prometheus_rule("revel", "web", found(&["A"]));
    world.pass_over(&suspended).await;
    assert_eq!(world.writes_of_rules(), 0);
    assert_eq!(world.said_of_import().0, "Suspended");
}

#[tokio::test]
async fn other_namespaces_are_read_only_where_the_instance_lets_it() {
    let mut world = World::connected().await;
    let import = world.import(json!({"namespaces": {"all": true}}));
    world.prometheus_rule("elsewhere", "web", found(&["A"]));
    world.pass_over(&import).await;
    assert_eq!(world.writes_of_rules(), 0);
    let (reason, message) = world.said_of_import();
    assert!(
        reason == "Invalid" && message.contains("spec.unrestrictedNamespaces"),
        "{reason}: {message}"
    );
    world
        .connect(json!({"unrestrictedNamespaces": {"names": ["revel"]}}))
        .await;
    until("the settings are read", || world.instance().facts().is_ok()).await;
    world.pass_over(&import).await;
    assert_eq!(world.writes_of_rules(), 1);

    let mut world = World::connected().await;
    world.prometheus_rule("elsewhere", "web", found(&["A"]));
    for (names, reason) in [
        (json!(["revel"]), "Synced"),
        (json!(["revel", "elsewhere"]), "Invalid"),
    ] {
        let import = world.import(json!({"namespaces": {"names": names}}));
        world.pass_over(&import).await;
        assert_eq!(world.said_of_import().0, reason, "{names}");
    }
    assert_eq!(world.writes_of_rules(), 0);
}

#[tokio::test]
async fn what_the_api_server_refuses_is_named_and_is_not_sent_again_as_it_is() {
    let mut world = World::connected().await;
    let import = world.import(json!({}));
    world.prometheus_rule("revel", "web", found(&["A", "B"]));
    world
        .server
        .find(StatusCode::UNPROCESSABLE_ENTITY, "/alertrules/");
    world.pass_over(&import).await;
    world.server.open();
    assert_eq!(world.writes_of_rules(), 2);
    let status = &world.server.get(&path("prometheusruleimports", "revel", "own"))["status"];
    assert_eq!(
        (&status["rules"], &status["skipped"]),
        (&json!(0), &json!(2)),
        "{status}"
    );
    world.pass_over(&import).await;
    assert_eq!(world.writes_of_rules(), 2, "{:?}", world.server.writes());
    world.prometheus_rule(
        "revel",
        "web",
        json!({"groups": [{"name": "g", "rules": [{"alert": "A", "expr": "vector(1) > 5"}]}]}),
    );
    world.pass_over(&import).await;
    assert_eq!(world.writes_of_rules(), 3, "{:?}", world.server.writes());
}

#[tokio::test]
async fn a_rule_is_taken_out_of_a_grafana_only_once_its_status_names_those_that_it_is_in() {
    let mut world = World::connected().await;
    world.beside("other", json!({"url": "http://other"})).await;
    world.prometheus_rule("revel", "web", found(&["A"]));
    let both = world.import(json!({"instances": ["default", "other"]}));
    world.pass_over(&both).await;
    let instances = |world: &World| world.alert_rules()[0].spec.instances.clone().unwrap_or_default();
    assert_eq!(instances(&world), ["default", "other"]);
    let one = world.import(json!({"instances": ["other"]}));
    world.pass_over(&one).await;
    assert_eq!(
        instances(&world),
        ["default", "other"],
        "the API server would refuse it, for nobody knows yet where it is"
    );
    let rule = path("alertrules", "revel", &world.alert_rules()[0].name_any());
    let mut object = world.server.get(&rule);
    object["status"] = json!({"instances": [{"instance": "default"}, {"instance": "other"}]});
    world.server.set(&rule, object);
    for rule in world.alert_rules() {
        see(&world.context, &mut world.writers.rules, rule, news::about_rule);
    }
    world.pass_over(&one).await;
    assert_eq!(instances(&world), ["other"]);
}

#[tokio::test]
async fn an_alert_rule_of_somebody_elses_is_left_alone() {
    let mut world = World::connected().await;
    let import = world.import(json!({}));
    world.prometheus_rule("revel", "web", found(&["A"]));
    world.pass_over(&import).await;
    let name = world.alert_rules()[0].name_any();
    let at = path("alertrules", "revel", &name);
    let mut theirs = world.server.get(&at);
    theirs["metadata"]["ownerReferences"] = json!([]);
    theirs["spec"]["query"] = json!("up == 7");
    world.server.set(&at, theirs.clone());
    let theirs = serde_json::from_value(theirs).unwrap();
    see(&world.context, &mut world.writers.rules, theirs, news::about_rule);
    let writes = world.writes_of_rules();
    world.pass_over(&import).await;
    assert_eq!(world.writes_of_rules(), writes);
    let status = &world.server.get(&path("prometheusruleimports", "revel", "own"))["status"];
    let said = status["skippedRules"][0]["message"].as_str().unwrap_or_default();
    assert!(said.contains(&name), "{status}");
}

#[tokio::test]
async fn a_source_concerns_the_imports_that_select_it_or_did() {
    let mut world = World::connected().await;
    world.import(json!({"selector": {"matchLabels": {"team": "web"}}}));
    drain(&mut world.receivers.imports);
    let mut object: PrometheusRule =
        serde_json::from_value(json!({"metadata": {"name": "web", "namespace": "revel"}})).unwrap();
    let asked = |world: &mut World, object: &PrometheusRule| {
        see(
            &world.context,
            &mut world.writers.prometheus_rules,
            object.clone(),
            told::source,
        );
        drain(&mut world.receivers.imports)
    };
    assert_eq!(asked(&mut world, &object), 0);
    object.labels_mut().insert("team".into(), "web".into());
    assert_eq!(asked(&mut world, &object), 1);
    object.labels_mut().clear();
    assert_eq!(asked(&mut world, &object), 1, "it was selected before");
    object.metadata.namespace = Some("elsewhere".into());
    object.labels_mut().insert("team".into(), "web".into());
    assert_eq!(asked(&mut world, &object), 0);
}

#[tokio::test]
async fn an_import_whose_name_for_a_rule_somebody_elses_has_is_told_when_that_goes() {
    let mut world = World::connected().await;
    let import = world.import(json!({}));
    world.prometheus_rule("revel", "web", found(&["A"]));
    world.pass_over(&import).await;
    let name = world.alert_rules()[0].id().to_owned();

    let mut world = World::connected().await;
    let import = world.import(json!({}));
    let stranger = world.rule(&name, json!({"query": QUERY}));
    world.prometheus_rule("revel", "web", found(&["A"]));
    world.pass_over(&import).await;
    let stored = || world.server.get(&path("prometheusruleimports", "revel", "own"));
    assert_eq!(stored()["status"]["skipped"], 1, "{}", stored());
    drain(&mut world.receivers.imports);
    let gone = Event::Delete(stranger);
    let last = world.writers.rules.apply(&gone);
    news::about_rule(&gone, last.as_deref(), &world.context);
    assert_eq!(drain(&mut world.receivers.imports), 1);
    world.server.remove(&path("alertrules", "revel", &name));
    world.pass_over(&import).await;
    assert_eq!(world.alert_rules()[0].labels()[LABEL_IMPORT], "own");
}

#[tokio::test]
async fn what_is_not_selected_any_more_goes_whether_it_can_be_seen_or_not() {
    for (before, after, unseen) in [
        (json!({}), json!({"kinds": ["VMRule"]}), "revel"),
        (
            json!({"namespaces": {"names": ["elsewhere"]}}),
            json!({}),
            "elsewhere",
        ),
    ] {
        let mut world = World::connected().await;
        let may = json!({"unrestrictedNamespaces": {"names": ["revel"]}});
        world.connect(may).await;
        until("the settings are read", || world.instance().facts().is_ok()).await;
        let import = world.import(before);
        world.prometheus_rule(unseen, "web", found(&["A"]));
        world.pass_over(&import).await;
        assert_eq!(world.alert_rules().len(), 1, "{after}");
        world.context.unwatched.begins("PrometheusRule", unseen);
        let deletions = |world: &World| {
            let writes = world.server.writes().into_iter();
            writes.filter(|write| write.starts_with("DELETE")).count()
        };
        world.pass_over(&import).await;
        assert_eq!(deletions(&world), 0, "{after}");
        let changed = world.import(after.clone());
        world.pass_over(&changed).await;
        assert_eq!(deletions(&world), 1, "{after}: {:?}", world.server.writes());
        // One that has changed meanwhile isn't gone: what an API server answers may be older than what it has.
        world.server.find(StatusCode::CONFLICT, "/alertrules/");
        let again = pass::without_finalizer(Arc::new(changed), world.context.clone()).await;
        assert_ne!(again.unwrap(), Action::await_change(), "{after}");
    }
}

#[tokio::test]
async fn an_alert_rule_that_is_being_deleted_is_made_anew_when_it_is_gone_and_not_sooner() {
    let mut world = World::connected().await;
    let import = world.import(json!({}));
    world.prometheus_rule("revel", "web", found(&["A"]));
    world.pass_over(&import).await;
    let mut going = world.alert_rules().remove(0);
    going.metadata.deletion_timestamp = Some(serde_json::from_value(json!("2026-01-02T00:00:00Z")).unwrap());
    going.spec.query = Some("up == 7".to_owned());
    see(
        &world.context,
        &mut world.writers.rules,
        going.clone(),
        news::about_rule,
    );
    let writes = world.writes_of_rules();
    pass::without_finalizer(Arc::new(import.clone()), world.context.clone())
        .await
        .unwrap();
    assert_eq!(world.writes_of_rules(), writes, "{:?}", world.server.writes());
    world.writers.rules.apply(&Event::Delete(going));
    world.pass_over(&import).await;
    assert_eq!(world.writes_of_rules(), writes + 1, "{:?}", world.server.writes());
}

#[tokio::test]
async fn rules_in_another_language_than_the_data_source_are_told_on_the_import_and_nothing_is_written() {
    let mut world = World::connected().await;
    let of = |exprs: &[&str]| {
        let rules: Vec<Value> = exprs
            .iter()
            .map(|expr| json!({"alert": "A", "expr": expr}))
            .collect();
        json!({"groups": [{"name": "g", "rules": rules}]})
    };
    let import = world.import(json!({}));
    world.prometheus_rule("revel", "web", of(&["vector(0) > 5"]));
    world.pass_over(&import).await;
    assert_eq!(
        (world.writes_of_rules(), world.said_of_import().0.as_str()),
        (1, "Synced")
    );
    world.prometheus_rule(
        "revel",
        "web",
        of(&["up == 0", "up{a!=''} == 2", "vector(0) > 5"]),
    );
    world.pass_over(&import).await;
    let (reason, message) = world.said_of_import();
    assert_eq!(reason, "Invalid");
    let expected = "spec.datasource: data source Loki, the default, is of type loki, and the rules are PromQL; name the right one here";
    assert!(message.starts_with(expected), "{message}");
    assert_eq!(
        world.writes_of_rules(),
        1,
        "what is there stays: {:?}",
        world.server.writes()
    );
    // One right rule shows that the data source is meant.
    world.prometheus_rule(
        "revel",
        "web",
        of(&["up == 0", r#"count_over_time({a="b"} |= "x" [5m]) > 0"#]),
    );
    world.pass_over(&import).await;
    assert_eq!(world.said_of_import().0, "Synced");
    let status = &world.server.get(&path("prometheusruleimports", "revel", "own"))["status"];
    let said = status["skippedRules"][0]["message"].as_str().unwrap_or_default();
    assert!(said.contains("line 1, column 1: up is PromQL"), "{status}");
    assert_eq!(
        (&status["rules"], &status["skipped"]),
        (&json!(1), &json!(1)),
        "{status}"
    );
}
