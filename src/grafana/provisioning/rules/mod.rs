//! Alert rules: `/api/v1/provisioning/alert-rules`, the list through the ruler's API.

mod listing;

use std::time::Duration;

use futures::FutureExt;
use http::Method;

use super::Provisioning;
use super::groups::Wish;
use super::groups::queue::{Coming, Ended};
use super::intervals::{self, Place};
use super::wire::Rule;
use crate::grafana::api::watch::Listed;
use crate::grafana::api::{Answer, DEFAULT_INTERVAL, FoundRule, Provenance, RuleWrite, Rules, Stored};
use crate::grafana::approach;
use crate::grafana::error::{Class, Result};
use crate::grafana::model::AlertRule;
use crate::grafana::transport::Call;
use crate::grafana::turns::Turn;

const RULES: &str = "api/v1/provisioning/alert-rules";
const LIST: &str = "api/ruler/grafana/api/v1/rules";
/// The uid of no rule.
const NOBODY: &str = "alertwright-asks-whether-this-is-served";

impl Rules for Provisioning {
    fn list(&self) -> Answer<'_, Listed<FoundRule>> {
        let call = Call::get("rules.list", LIST, &[]).of_many();
        async move {
            let found = self.transport.stream(call, listing::decode).await;
            self.together.has_read();
            found.map(Listed::from)
        }
        .boxed()
    }

    #[cfg(feature = "cli")]
    fn whole(&self) -> Answer<'_, Vec<AlertRule>> {
        let call = Call::get("rules.list", LIST, &[]).of_many();
        self.transport.stream(call, listing::decode_whole).boxed()
    }

    #[cfg(feature = "cli")]
    fn named(&self) -> Answer<'_, Vec<AlertRule>> {
        let call = Call::get("rules.named", RULES, &[]).of_many();
        self.transport.stream(call, listing::decode_named).boxed()
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
            let is_move = before.as_ref().is_some_and(|before| before.key() != place.key());
            let turn = match self.with_others(&write, &place, before.as_ref()).await {
                Ended::Together(turn) => return Ok(stored_with_others(&write, place, turn)),
                Ended::Failed(error) => return Err(error),
                Ended::Alone(turn) => turn.filter(|_| !is_move),
            };
            let turn = if let Some(turn) = turn {
                turn
            } else {
                let all = before.iter().chain([&place]).map(Place::key);
                self.company.groups.lock_all(all).await
            };
            if !write.only_interval {
                self.send_rule(&write, &place).await?;
            }
            let intervals::Ended {
                interval,
                kept,
                is_of_group,
                failure,
                is_in_doubt,
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
                is_in_doubt,
                turn: Some(turn),
            })
        }
        .boxed()
    }

    fn delete<'a>(&'a self, found: &'a FoundRule, provenance: Provenance) -> Answer<'a, ()> {
        async move {
            let (key, uid) = (Place::of(found).key(), found.uid.as_str());
            let _turn = match self.delete_together(&key, uid, provenance).await {
                Ended::Together(_) => return Ok(()),
                Ended::Failed(error) => return Err(error),
                Ended::Alone(Some(turn)) => turn,
                Ended::Alone(None) => self.company.groups.lock(key).await,
            };
            let call = Call::new("rules.delete", Method::DELETE, RULES, &[uid]).provenance(provenance);
            let sent = self.transport.send(call).await;
            self.if_gone(sent, self.rule(uid)).await
        }
        .boxed()
    }

    fn is_served(&self) -> Answer<'_, bool> {
        async move {
            match self.rule(NOBODY).await {
                Err(error) if error.is_no_address() => Ok(false),
                Err(error) if error.class() != Class::Forbidden => Err(error),
                _ => Ok(true),
            }
        }
        .boxed()
    }
}

impl Provisioning {
    /// One rule, which doesn't tell the interval of its group.
    async fn rule(&self, uid: &str) -> Result<Option<Rule>> {
        let found = self
            .transport
            .fetch(Call::get("rules.get", RULES, &[uid]).of_one())
            .await;
        self.if_present(found).await
    }

    /// Writes a rule with the others that wait to be written into its group, if it may be written so: not where only a write of its own tells that
    /// the uid is somebody else's.
    async fn with_others(&self, write: &RuleWrite<'_>, place: &Place, before: Option<&Place>) -> Ended {
        let is_known = write.found.is_some() || (self.company.makes_uid)(&write.rule.uid);
        let is_rule_alone = place.group.is_none() || write.only_interval;
        if !self.writes_together() || !is_known || is_rule_alone {
            approach::arrived();
            return Ended::Alone(None);
        }
        let Ok(body) = serde_json::to_value(Rule::sent(write.rule, place.name())) else {
            return Ended::Alone(None);
        };
        let coming = Coming {
            wish: Wish {
                uid: write.rule.uid.clone(),
                title: write.rule.title.clone(),
                interval: write.rule.interval.as_secs(),
                provenance: write.provenance,
                body,
            },
            from: before.map(Place::key).filter(|from| *from != place.key()),
        };
        self.write_together(&place.key(), coming, write.has_written).await
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

/// What became of a rule that was written with others: the group, and all its rules, have the interval that is wished.
fn stored_with_others(write: &RuleWrite<'_>, place: Place, turn: Turn) -> Stored {
    let rule = AlertRule {
        group: place.group,
        ..write.rule.clone()
    };
    Stored {
        found: FoundRule::written(&rule, write.provenance),
        kept: None,
        is_of_group: true,
        failure: None,
        is_in_doubt: false,
        turn: Some(turn),
    }
}
