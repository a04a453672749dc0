//! Alert rules: `/api/v1/provisioning/alert-rules`, the list through the ruler's API.

use std::time::Duration;

use futures::FutureExt;
use http::Method;

use super::intervals::{Ended, Place};
use super::wire::Rule;
use super::{Provisioning, listing};
use crate::grafana::api::{Answer, DEFAULT_INTERVAL, FoundRule, Provenance, RuleWrite, Rules, Stored};
use crate::grafana::error::Result;
use crate::grafana::model::AlertRule;
use crate::grafana::transport::Call;

const RULES: &str = "api/v1/provisioning/alert-rules";

impl Rules for Provisioning {
    fn list(&self) -> Answer<'_, Vec<FoundRule>> {
        let call = Call::get("rules.list", "api/ruler/grafana/api/v1/rules", &[]);
        self.transport.stream(call, listing::decode).boxed()
    }

    fn get<'a>(&'a self, uid: &'a str) -> Answer<'a, Option<FoundRule>> {
        async move {
            let Some(rule) = self.rule(uid).await? else {
                return Ok(None);
            };
            let group = self.group(&rule.folder_uid, &rule.group).await?;
            let interval = group.map_or(DEFAULT_INTERVAL, |group| Duration::from_secs(group.interval));
            Ok(Some(FoundRule::of(&rule.found(interval))))
        }
        .boxed()
    }

    fn put<'a>(&'a self, write: RuleWrite<'a>) -> Answer<'a, Stored> {
        async move {
            let place = Place::wished(&write);
            let before = write.found.map(Place::of);
            let all = before.iter().chain([&place]).map(Place::key);
            let turn = self.company.groups.lock_all(all).await;
            if !write.only_interval {
                self.send_rule(&write, &place).await?;
            }
            let Ended {
                interval,
                kept,
                is_of_group,
                failure,
            } = self.ensure_interval(&write, &place, before.as_ref()).await?;
            let rule = AlertRule {
                group: place.group,
                interval,
                ..write.rule.clone()
            };
            let found = match write.found {
                Some(found) if write.only_interval => FoundRule {
                    interval,
                    ..found.clone()
                },
                _ => FoundRule::written(&rule, write.provenance),
            };
            Ok(Stored {
                found,
                kept,
                is_of_group,
                failure,
                turn: Some(turn),
            })
        }
        .boxed()
    }

    fn delete<'a>(&'a self, found: &'a FoundRule, provenance: Provenance) -> Answer<'a, ()> {
        async move {
            let _turn = self.company.groups.lock(Place::of(found).key()).await;
            let uid = found.uid.as_str();
            let call = Call::new("rules.delete", Method::DELETE, RULES, &[uid]).provenance(provenance);
            let sent = self.transport.send(call).await;
            self.if_gone(sent, self.rule(uid)).await
        }
        .boxed()
    }
}

impl Provisioning {
    /// One rule, which doesn't tell the interval of its group.
    async fn rule(&self, uid: &str) -> Result<Option<Rule>> {
        let found = self.transport.fetch(Call::get("rules.get", RULES, &[uid])).await;
        self.if_present(found).await
    }

    /// Sends the rule itself: a new one takes the interval of its group, or [`DEFAULT_INTERVAL`] in a new one.
    async fn send_rule(&self, write: &RuleWrite<'_>, place: &Place) -> Result<()> {
        let body = Rule::sent(write.rule, place.name());
        let call = match write.found {
            None => Call::new("rules.create", Method::POST, RULES, &[]),
            Some(_) => Call::new("rules.update", Method::PUT, RULES, &[&write.rule.uid]),
        };
        let call = call.json(&body)?.provenance(write.provenance);
        self.transport.send(call).await
    }
}
