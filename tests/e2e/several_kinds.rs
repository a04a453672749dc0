//! The kinds that go into two Grafanas beside rules, contact points and policies: what is said while one Grafana is away, and that nothing is left
//! where they aren't wanted any more.

use alertwright::api::{AlertRule, LABEL_IMPORT, PrometheusRuleImport};
use alertwright_testbed::proxy::Fault;
use alertwright_testbed::trial::Need;
use alertwright_testbed::{Grafana, Prometheus, any_release, apply, every_release, wait};
use kube::api::{Api, ApiResource, DeleteParams, DynamicObject, GroupVersionKind, ListParams};
use serde_json::{Value, json};

use crate::alarm::assert_rests;
use crate::inhibition_rules::RULES;
use crate::several::{second, uids, with};
use crate::world::{self, SOON, World};

const BOTH: [&str; 2] = ["default", "second"];

/// A kind of which one resource, `one`, is in both Grafanas. What it holds can be told from what it held before by a word.
#[derive(Debug, Clone, Copy)]
enum Thing {
    TimeInterval,
    NotificationTemplate,
    InhibitionRule,
    Silence,
}

impl Thing {
    fn spec(self, word: &str) -> Value {
        match self {
            Self::TimeInterval => json!({"timeIntervals": [{"weekdays": [word]}]}),
            Self::NotificationTemplate => {
                json!({"template": format!("{{{{ define \"one.title\" }}}}{word}{{{{ end }}}}")})
            }
            Self::InhibitionRule => {
                json!({"sourceMatchers": ["a=b"], "targetMatchers": ["c=d"], "equal": [word]})
            }
            Self::Silence => json!({"matchers": ["a=b"], "duration": "1h", "comment": word}),
        }
    }

    /// What a Grafana holds of the kind, each by its word.
    async fn held(self, grafana: &Grafana) -> Vec<String> {
        let (found, place) = match self {
            Self::TimeInterval => (grafana.mute_timings().await, "/time_intervals/0/weekdays/0"),
            Self::NotificationTemplate => (grafana.templates().await, "/template"),
            Self::InhibitionRule => {
                let list = grafana.get(RULES).await.ok();
                let items = list["items"].as_array().cloned();
                (items.unwrap_or_default(), "/spec/equal/0")
            }
            Self::Silence => (grafana.active_silences().await, "/comment"),
        };
        let word = |object: &Value| {
            let text = object.pointer(place).and_then(Value::as_str);
            let text = text.unwrap_or_else(|| panic!("no {place} in {object:#}"));
            let within = text.split_once("}}").and_then(|(_, rest)| rest.split_once("{{"));
            within.map_or(text, |(word, _)| word).to_owned()
        };
        found.iter().map(word).collect()
    }

    async fn put(self, w: &World, word: &str, instances: &[&str]) {
        w.put(&format!("{self:?}"), "one", with(self.spec(word), instances))
            .await;
    }

    async fn api(self, w: &World) -> Api<DynamicObject> {
        let kind = GroupVersionKind::gvk("alerting.letsrevel.io", "v1alpha1", &format!("{self:?}"));
        Api::namespaced_with(w.client().await, &w.ns, &ApiResource::from_gvk(&kind))
    }

    /// Its status, once `Ready` is this for the present generation.
    async fn is_ready(self, w: &World, ready: &str) -> Value {
        let api = self.api(w).await;
        wait::until(&format!("{self:?} has Ready: {ready}"), SOON, async || {
            let object = api.get("one").await.expect("it is there");
            let status = object.data["status"].clone();
            if says(&status).is_some_and(|says| {
                says["status"] == ready && says["observedGeneration"] == json!(object.metadata.generation)
            }) {
                wait::Seen::Yes(status)
            } else {
                wait::not_yet(status)
            }
        })
        .await
    }

    /// Deletes it without waiting for its end.
    async fn delete(self, w: &World) {
        let api = self.api(w).await;
        api.delete("one", &DeleteParams::default())
            .await
            .expect("it can be deleted");
    }

    async fn is_gone(self, w: &World) {
        let api = self.api(w).await;
        wait::until(&format!("{self:?} is gone"), SOON, async || {
            api.get_opt("one").await.is_ok_and(|found| found.is_none())
        })
        .await;
    }

    async fn becomes(self, grafana: &Grafana, words: &[&str]) {
        wait::until(&format!("{self:?} is {words:?}"), SOON, async || {
            let held = self.held(grafana).await;
            if held == words {
                wait::Seen::Yes(())
            } else {
                wait::not_yet(held)
            }
        })
        .await;
    }
}

/// The condition `Ready` of a status.
fn says(status: &Value) -> Option<&Value> {
    let conditions = status["conditions"].as_array()?;
    conditions.iter().find(|condition| condition["type"] == "Ready")
}

/// What the status says of each instance: its name and its `Ready`.
fn of_each(status: &Value) -> Vec<(&str, &str)> {
    let each = status["instances"].as_array().into_iter().flatten();
    each.map(|at| {
        let ready = says(at).expect("it is known");
        let (name, ready) = (&at["instance"], &ready["status"]);
        (name.as_str().expect("a name"), ready.as_str().expect("a word"))
    })
    .collect()
}

#[apply(every_release)]
async fn each_other_kind_is_in_two_grafanas_waits_for_one_that_is_away_and_leaves_nothing_where_it_goes() {
    let w = world::start().await;
    let (second, proxy) = second(&w).await;
    let mut things = vec![Thing::TimeInterval, Thing::NotificationTemplate, Thing::Silence];
    if w.notifications_by_apis() {
        things.push(Thing::InhibitionRule);
    }
    for thing in &things {
        thing.put(&w, "monday", &BOTH).await;
    }
    for thing in &things {
        let status = thing.is_ready(&w, "True").await;
        assert_eq!(of_each(&status), [("default", "True"), ("second", "True")]);
        assert_eq!(thing.held(&w.grafana).await, ["monday"], "{thing:?}");
        assert_eq!(thing.held(&second).await, ["monday"], "{thing:?}");
    }
    proxy.reset();
    assert_rests(&w).await;
    let calls = proxy.requests();
    assert!(calls.writes().is_empty(), "{calls}");

    proxy.fault(Fault::status(503));
    for thing in &things {
        thing.put(&w, "sunday", &BOTH).await;
    }
    for thing in &things {
        thing.becomes(&w.grafana, &["sunday"]).await;
        let status = thing.is_ready(&w, "False").await;
        assert_eq!(of_each(&status), [("default", "True"), ("second", "False")]);
        let message = says(&status).expect("it is told")["message"].clone();
        let message = message.as_str().expect("a message");
        assert!(message.starts_with("GrafanaInstance second: "), "{message}");
        assert_eq!(thing.held(&second).await, ["monday"], "{thing:?}");
    }
    proxy.clear_faults();
    for thing in &things {
        thing.is_ready(&w, "True").await;
        assert_eq!(thing.held(&second).await, ["sunday"], "{thing:?}");
    }

    for thing in &things {
        thing.put(&w, "sunday", &["default"]).await;
    }
    for thing in &things {
        let status = thing.is_ready(&w, "True").await;
        assert_eq!(status["instances"], Value::Null, "{thing:?}");
        assert!(thing.held(&second).await.is_empty(), "{thing:?}");
        assert_eq!(thing.held(&w.grafana).await, ["sunday"], "{thing:?}");
    }

    for thing in &things {
        thing.put(&w, "sunday", &BOTH).await;
    }
    for thing in &things {
        thing.is_ready(&w, "True").await;
        assert_eq!(thing.held(&second).await, ["sunday"], "{thing:?}");
    }
    proxy.fault(Fault::status(503));
    for thing in &things {
        thing.delete(&w).await;
    }
    for thing in &things {
        thing.becomes(&w.grafana, &[]).await;
        let status = thing.is_ready(&w, "False").await;
        assert_eq!(of_each(&status).last(), Some(&("second", "False")), "{thing:?}");
        assert_eq!(thing.held(&second).await, ["sunday"], "{thing:?}");
    }
    proxy.clear_faults();
    for thing in &things {
        thing.is_gone(&w).await;
        assert!(thing.held(&second).await.is_empty(), "{thing:?}");
    }
}

/// The import's only AlertRule, once its `Ready` is this for the present generation.
async fn rule_of_import(w: &World, ready: &str) -> AlertRule {
    let those = ListParams::default().labels(&format!("{LABEL_IMPORT}=mixins"));
    let api = w.api::<AlertRule>().await;
    wait::until(&format!("the rule has Ready: {ready}"), SOON, async || {
        let list = api.list(&those).await.expect("AlertRules");
        let [rule] = &list.items[..] else {
            return wait::not_yet(list.items.len());
        };
        let status = rule.status.clone().unwrap_or_default();
        let is_so = status.conditions.iter().any(|one| {
            one.type_ == "Ready" && one.status == ready && one.observed_generation == rule.metadata.generation
        });
        if is_so {
            wait::Seen::Yes(rule.clone())
        } else {
            wait::not_yet(status)
        }
    })
    .await
}

/// What its status says of each instance.
fn of_each_rule(rule: &AlertRule) -> Vec<(String, String)> {
    let status = serde_json::to_value(&rule.status).expect("a status is JSON");
    let each = of_each(&status).into_iter();
    each.map(|(name, ready)| (name.to_owned(), ready.to_owned()))
        .collect()
}

#[apply(any_release)]
async fn an_imports_rules_are_in_two_grafanas_wait_for_one_that_is_away_and_leave_nothing_where_they_go() {
    let w = world::start().await;
    w.grafana.needs(Need::FastRules);
    let (second, proxy) = second(&w).await;
    let prometheus = Prometheus::shared().await;
    for grafana in [&w.grafana, &second] {
        grafana
            .add_prometheus_datasource(prometheus, "metrics", "Metrics")
            .await;
    }
    crate::imports::install(&w, include_str!("imports/prometheusrules.yaml")).await;
    let source = async |alert: &str| {
        let rule = json!({"alert": alert, "expr": "vector(1) > 5"});
        let group = json!({"name": "g", "interval": "1s", "rules": [rule]});
        crate::imports::put(&w, "PrometheusRule", "web", group).await;
    };
    let import = json!({"datasource": {"name": "Metrics"}});
    let titles = async |grafana: &Grafana| {
        let rules = grafana.rules().await;
        let title = |rule: &Value| rule["grafana_alert"]["title"].as_str().map(str::to_owned);
        rules.iter().filter_map(title).collect::<Vec<_>>()
    };
    let each = |ready: [&str; 2]| BOTH.map(str::to_owned).into_iter().zip(ready.map(str::to_owned));
    source("First").await;
    w.put("PrometheusRuleImport", "mixins", with(import.clone(), &BOTH))
        .await;
    let rule = rule_of_import(&w, "True").await;
    assert!(of_each_rule(&rule).into_iter().eq(each(["True", "True"])));
    w.synced::<PrometheusRuleImport>("mixins").await;
    assert_eq!(
        [uids(&w.grafana).await, uids(&second).await],
        [1, 2].map(|_| vec![rule.status.clone().and_then(|status| status.uid).expect("a uid")])
    );
    assert_rests(&w).await;

    // Another alert takes the place of the one, while a Grafana is away: the former rule waits for it, and the new one too.
    proxy.fault(Fault::status(503));
    source("Second").await;
    wait::until("the one that answers has the other alert", SOON, async || {
        titles(&w.grafana).await == ["Second"]
    })
    .await;
    assert_eq!(titles(&second).await, ["First"]);
    w.synced::<PrometheusRuleImport>("mixins").await;
    proxy.clear_faults();
    let rule = rule_of_import(&w, "True").await;
    assert!(of_each_rule(&rule).into_iter().eq(each(["True", "True"])));
    assert_eq!(titles(&second).await, ["Second"]);

    w.put(
        "PrometheusRuleImport",
        "mixins",
        with(import.clone(), &["default"]),
    )
    .await;
    wait::until("nothing is left in the other one", SOON, async || {
        titles(&second).await.is_empty()
    })
    .await;
    let rule = rule_of_import(&w, "True").await;
    assert!(of_each_rule(&rule).is_empty());
    assert_eq!(titles(&w.grafana).await, ["Second"]);

    w.put("PrometheusRuleImport", "mixins", with(import, &BOTH)).await;
    wait::until("it is in both again", SOON, async || {
        titles(&second).await == ["Second"]
    })
    .await;
    w.delete::<PrometheusRuleImport>("mixins").await;
    wait::until("both have nothing of it", SOON, async || {
        uids(&w.grafana).await.is_empty() && uids(&second).await.is_empty()
    })
    .await;
}
