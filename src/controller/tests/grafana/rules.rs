//! Its alert rules. Groups have the interval, as in the provisioning API.

use std::time::Duration;

use futures::FutureExt;

use super::{Double, Held, refusal};
use crate::grafana::Result;
use crate::grafana::api::watch::Listed;
use crate::grafana::api::{
    Answer, DEFAULT_INTERVAL, FoundRule, KeptInterval, OWNER_LABEL, Provenance, RuleWrite, Rules, Stored,
    Updated,
};
use crate::grafana::model::AlertRule;

impl Rules for Double {
    fn is_served(&self) -> Answer<'_, bool> {
        async { Ok(true) }.boxed()
    }

    fn list(&self) -> Answer<'_, Listed<FoundRule>> {
        self.call("rules.list", |held| {
            let rules = held.rules.keys().filter_map(|uid| held.found_rule(uid));
            let rules = rules.collect();
            Ok(held.telling.rules.listed(rules))
        })
    }
    #[cfg(feature = "cli")]
    fn whole(&self) -> Answer<'_, Vec<AlertRule>> {
        self.call("rules.list", |held| Ok(held.rules.values().cloned().collect()))
    }
    fn get<'a>(&'a self, uid: &'a str) -> Answer<'a, Option<FoundRule>> {
        let uid = uid.to_owned();
        self.call("rules.get", move |held| Ok(held.rules.get(&uid).map(found)))
    }
    fn put<'a>(&'a self, write: RuleWrite<'a>) -> Answer<'a, Stored> {
        async move {
            let is_without = write.found.is_some_and(|found| found.group.is_none());
            let rule = AlertRule {
                group: write.rule.group.clone().filter(|_| !is_without),
                interval: (write.interval_by_itself)(),
                ..write.rule.clone()
            };
            self.hold(|held| {
                let others = held.rules.values().filter(|other| {
                    other.uid != rule.uid
                        && (&other.folder_uid, &other.group) == (&rule.folder_uid, &rule.group)
                });
                held.others = others
                    .map(|other| (other.uid.clone(), (write.has_written)(&other.uid)))
                    .collect();
            });
            if !write.only_interval {
                self.send(rule.clone(), write.found.is_some()).await?;
            }
            let rule = AlertRule {
                interval: (write.interval_by_itself)(),
                ..rule
            };
            let has_moved = write
                .found
                .is_some_and(|found| (&found.folder_uid, &found.group) != (&rule.folder_uid, &rule.group));
            let is_well = rule.interval == write.rule.interval && !has_moved;
            let foreign = self.hold(|held| {
                let mut all = held.rules.values();
                let is_foreign = |other: &&AlertRule| {
                    (&other.folder_uid, &other.group) == (&rule.folder_uid, &rule.group)
                        && !other.labels.contains_key(OWNER_LABEL)
                };
                all.find(is_foreign).map(|other| other.uid.clone())
            });
            let kept = foreign.filter(|_| !is_well).map(|because_of| KeptInterval {
                interval: rule.interval,
                because_of,
            });
            let ended = if is_well || kept.is_some() {
                Ok(rule.interval)
            } else {
                self.set_interval(&rule, write.rule.interval).await
            };
            let (interval, failure) = match ended {
                Err(error) if write.only_interval => return Err(error),
                Err(error) => (rule.interval, Some(error)),
                Ok(interval) => (interval, None),
            };
            let rule = AlertRule { interval, ..rule };
            Ok(Stored {
                found: FoundRule::written(&rule, write.provenance),
                kept,
                is_of_group: !is_well && failure.is_none(),
                is_in_doubt: failure.as_ref().is_some_and(|error| !error.changed_nothing()),
                failure,
                turn: None,
            })
        }
        .boxed()
    }
    fn delete<'a>(&'a self, found: &'a FoundRule, _: Provenance) -> Answer<'a, ()> {
        let uid = found.uid.clone();
        self.call("rules.delete", move |held| {
            held.rules.remove(&uid);
            Ok(())
        })
    }
}

impl Held {
    /// A rule as lists show it.
    pub(super) fn found_rule(&self, uid: &str) -> Option<FoundRule> {
        Some(FoundRule {
            updated: Updated(self.updated.get(uid).copied()),
            ..found(self.rules.get(uid)?)
        })
    }
}

impl Double {
    fn send(&self, rule: AlertRule, is_there: bool) -> Answer<'_, ()> {
        let operation = if is_there { "rules.update" } else { "rules.create" };
        self.call(operation, move |held| {
            if is_there && !held.rules.contains_key(&rule.uid) {
                return Err(refusal("rules.update", 404, ""));
            }
            let mut others = held.rules.values().filter(|other| {
                other.uid != rule.uid && (&other.folder_uid, &other.group) == (&rule.folder_uid, &rule.group)
            });
            let interval = others.next().map_or(rule.interval, |other| other.interval);
            held.take(AlertRule { interval, ..rule });
            Ok(())
        })
    }

    async fn set_interval(&self, rule: &AlertRule, interval: Duration) -> Result<Duration> {
        self.call("rules.group", |_| Ok(())).await?;
        let (folder, group) = (rule.folder_uid.clone(), rule.group.clone());
        let set = move |held: &mut Held| {
            let members = held.rules.values_mut();
            let members = members.filter(|other| other.folder_uid == folder && other.group == group);
            members.for_each(|member| member.interval = interval);
            Ok(interval)
        };
        self.call("rules.put_group", set).await
    }
}

/// A rule that a test put there without an interval has that of a new group, and one that names nobody else is provisioned as ours are; an empty
/// name stands for nobody.
fn found(rule: &AlertRule) -> FoundRule {
    let interval = Some(rule.interval).filter(|interval| !interval.is_zero());
    let rule = AlertRule {
        interval: interval.unwrap_or(DEFAULT_INTERVAL),
        ..rule.clone()
    };
    FoundRule {
        provenance: rule
            .provenance
            .clone()
            .or(Provenance::Api.name().map(str::to_owned))
            .filter(|provenance| !provenance.is_empty()),
        ..FoundRule::of(&rule)
    }
}
