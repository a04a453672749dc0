//! Groups of rules, which have the interval in this API: `/api/v1/provisioning/folder/{folder}/rule-groups/{group}`.

use std::time::Duration;

use http::Method;
use serde_json::json;

use super::Provisioning;
use super::wire::{Member, RuleGroup, name_of};
use crate::grafana::api::{FoundRule, KeptInterval, RuleWrite};
use crate::grafana::error::{Error, Result};
use crate::grafana::transport::Call;

pub(super) const GROUPS: &str = "api/v1/provisioning/folder";

/// Where a rule is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    uid: String,
    folder_uid: String,
    pub(super) group: Option<String>,
}

impl Place {
    /// Where a rule was found.
    pub(super) fn of(found: &FoundRule) -> Self {
        Self {
            uid: found.uid.clone(),
            folder_uid: found.folder_uid.clone(),
            group: found.group.clone(),
        }
    }

    /// Where a rule is to be. One without a group stays so.
    pub(super) fn wished(write: &RuleWrite<'_>) -> Self {
        let is_without = write.found.is_some_and(|found| found.group.is_none());
        Self {
            uid: write.rule.uid.clone(),
            folder_uid: write.rule.folder_uid.clone(),
            group: write.rule.group.clone().filter(|_| !is_without),
        }
    }

    /// The name of its group, as this API has it.
    pub(super) fn name(&self) -> String {
        name_of(&self.uid, self.group.as_deref())
    }

    /// What the right to write there goes by.
    pub(super) fn key(&self) -> (String, String) {
        (self.folder_uid.clone(), self.name())
    }
}

/// What a rule's interval is after its write.
pub(super) struct Ended {
    pub(super) interval: Duration,
    pub(super) kept: Option<KeptInterval>,
    /// Whether the group was seen to have it, or given it.
    pub(super) is_of_group: bool,
    /// Why it isn't as wished, where the rule itself was sent before.
    pub(super) failure: Option<Error>,
    /// Whether it may be so all the same.
    pub(super) is_in_doubt: bool,
}

impl Ended {
    fn with(interval: Duration) -> Self {
        Self {
            interval,
            kept: None,
            is_of_group: false,
            failure: None,
            is_in_doubt: false,
        }
    }

    fn of_group(interval: Duration) -> Self {
        Self {
            is_of_group: true,
            ..Self::with(interval)
        }
    }
}

impl Provisioning {
    /// One group.
    pub(super) async fn group(&self, folder_uid: &str, name: &str) -> Result<Option<RuleGroup>> {
        let call = Call::get("rules.group", GROUPS, &[folder_uid, "rule-groups", name]).of_many();
        self.if_present(self.transport.fetch(call).await).await
    }

    /// Sets the interval of a rule's group if it isn't known to be as wished and all its rules are ours. To be called with the right to write
    /// there, after the rule itself was sent if it had to be. Fails only where nothing else was sent.
    pub(super) async fn ensure_interval(
        &self,
        write: &RuleWrite<'_>,
        place: &Place,
        before: Option<&Place>,
    ) -> Result<Ended> {
        let has_moved = before.is_some_and(|before| before != place);
        // Grafana 10 lets a rule that moves keep its own interval, newer ones give it the group's: here both are as wished.
        let known = match write.found {
            Some(found) if has_moved => found.interval,
            _ => (write.interval_by_itself)(),
        };
        if known == write.rule.interval && !has_moved {
            return Ok(Ended::with(known));
        }
        match self.set_interval(write, place, (known, has_moved)).await {
            Ok(Ended {
                failure: Some(failure),
                ..
            }) if write.only_interval => Err(failure),
            Err(failure) if !write.only_interval => Ok(Ended {
                failure: Some(failure),
                ..Ended::with(known)
            }),
            ended => ended,
        }
    }

    /// Fails where nothing was sent.
    async fn set_interval(
        &self,
        write: &RuleWrite<'_>,
        place: &Place,
        (known, has_moved): (Duration, bool),
    ) -> Result<Ended> {
        let (wish, name) = (write.rule.interval, place.name());
        let group = self.group(&place.folder_uid, &name).await?.ok_or_else(gone)?;
        let interval = Duration::from_secs(group.interval);
        if interval == wish && (known == wish || !has_moved) {
            return Ok(Ended::of_group(wish));
        }
        let is_ours = |rule: &Member| {
            let is_marked = rule.mark().is_some_and(|mark| (self.company.is_ours)(mark));
            is_marked && (rule.uid == place.uid || (write.has_written)(&rule.uid) != Some(false))
        };
        if let Some(foreign) = group.rules.iter().find(|rule| !is_ours(rule)) {
            let kept = KeptInterval {
                interval,
                because_of: foreign.uid.clone(),
            };
            return Ok(Ended {
                kept: Some(kept).filter(|_| interval != wish),
                ..Ended::of_group(interval)
            });
        }
        // Without rules the rules stay as they are.
        let body = json!({"title": name, "folderUid": place.folder_uid, "interval": wish.as_secs()});
        let names = [place.folder_uid.as_str(), "rule-groups", &name];
        let call = Call::new("rules.put_group", Method::PUT, GROUPS, &names).json(&body)?;
        let sent = self.transport.send(call.provenance(write.provenance)).await;
        let Err(failure) = sent else {
            return Ok(Ended::of_group(wish));
        };
        Ok(Ended {
            is_in_doubt: !failure.changed_nothing(),
            failure: Some(failure),
            ..Ended::with(known)
        })
    }
}

/// A group that can't be found though a rule has just been written into it: it was deleted meanwhile.
fn gone() -> Error {
    Error::Status {
        operation: "rules.group",
        status: 404,
        message: "the group is gone".to_owned(),
        message_id: None,
        retry_after: None,
    }
}
