//! Its alert rules.

use std::time::Duration;

use super::{Double, refusal};
use crate::grafana::api::{Answer, DEFAULT_INTERVAL, FoundRule, Provenance, Rules, Updated};
use crate::grafana::wire::{AlertRule, RuleGroup};

impl Rules for Double {
    fn list(&self) -> Answer<'_, Vec<FoundRule>> {
        self.call("rules.list", |held| {
            let rules = held.rules.values().map(|rule| FoundRule {
                updated: Updated(held.updated.get(&rule.uid).copied()),
                ..found(rule)
            });
            Ok(rules.collect())
        })
    }
    fn get<'a>(&'a self, uid: &'a str) -> Answer<'a, Option<FoundRule>> {
        let uid = uid.to_owned();
        self.call("rules.get", move |held| Ok(held.rules.get(&uid).map(found)))
    }
    fn create<'a>(&'a self, rule: &'a AlertRule, _: Provenance) -> Answer<'a, ()> {
        let rule = rule.clone();
        self.call("rules.create", move |held| {
            held.take(rule);
            Ok(())
        })
    }
    fn update<'a>(&'a self, rule: &'a AlertRule, _: Provenance) -> Answer<'a, ()> {
        let rule = rule.clone();
        self.call("rules.update", move |held| {
            if !held.rules.contains_key(&rule.uid) {
                return Err(refusal("rules.update", 404, ""));
            }
            held.take(rule);
            Ok(())
        })
    }
    fn delete<'a>(&'a self, uid: &'a str, _: Provenance) -> Answer<'a, ()> {
        let uid = uid.to_owned();
        self.call("rules.delete", move |held| {
            held.rules.remove(&uid);
            Ok(())
        })
    }
    fn group<'a>(&'a self, folder_uid: &'a str, group: &'a str) -> Answer<'a, Option<RuleGroup>> {
        let (folder_uid, title) = (folder_uid.to_owned(), group.to_owned());
        self.call("rules.group", move |held| {
            let rules = held.rules.values();
            let rules: Vec<_> = rules
                .filter(|r| r.folder_uid == folder_uid && r.rule_group == title)
                .cloned()
                .collect();
            Ok((!rules.is_empty()).then_some(RuleGroup {
                title,
                folder_uid,
                interval: DEFAULT_INTERVAL.as_secs(),
                rules,
            }))
        })
    }
    fn put_group<'a>(&'a self, _: &'a RuleGroup, _: Provenance) -> Answer<'a, ()> {
        self.call("rules.put_group", |_| Ok(()))
    }
    fn set_group_interval<'a>(
        &'a self,
        _: &'a str,
        _: &'a str,
        _: Duration,
        _: Provenance,
    ) -> Answer<'a, ()> {
        self.call("rules.put_group", |_| Ok(()))
    }
}

fn found(rule: &AlertRule) -> FoundRule {
    FoundRule::written(rule, DEFAULT_INTERVAL, Provenance::Api)
}
