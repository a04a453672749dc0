//! Alert rules: `/api/v1/provisioning/alert-rules` and `/folder/.../rule-groups`, the list through the ruler's API.

use std::time::Duration;

use futures::FutureExt;
use http::Method;

use super::{Provisioning, listing};
use crate::grafana::api::{Answer, DEFAULT_INTERVAL, FoundRule, Provenance, Rules};
use crate::grafana::error::Result;
use crate::grafana::transport::Call;
use crate::grafana::wire::{AlertRule, RuleGroup};

const RULES: &str = "api/v1/provisioning/alert-rules";
const GROUPS: &str = "api/v1/provisioning/folder";

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
            let group = self.group(&rule.folder_uid, &rule.rule_group).await?;
            let interval = group.map_or(DEFAULT_INTERVAL, |group| Duration::from_secs(group.interval));
            Ok(Some(FoundRule::of(&rule, interval)))
        }
        .boxed()
    }

    fn create<'a>(&'a self, rule: &'a AlertRule, provenance: Provenance) -> Answer<'a, ()> {
        async move {
            let call = Call::new("rules.create", Method::POST, RULES, &[]).json(rule)?;
            self.transport.send(call.provenance(provenance)).await
        }
        .boxed()
    }

    fn update<'a>(&'a self, rule: &'a AlertRule, provenance: Provenance) -> Answer<'a, ()> {
        async move {
            let call = Call::new("rules.update", Method::PUT, RULES, &[&rule.uid]).json(rule)?;
            self.transport.send(call.provenance(provenance)).await
        }
        .boxed()
    }

    fn delete<'a>(&'a self, uid: &'a str, provenance: Provenance) -> Answer<'a, ()> {
        async move {
            let call = Call::new("rules.delete", Method::DELETE, RULES, &[uid]).provenance(provenance);
            let sent = self.transport.send(call).await;
            self.if_gone(sent, self.rule(uid)).await
        }
        .boxed()
    }

    fn group<'a>(&'a self, folder_uid: &'a str, group: &'a str) -> Answer<'a, Option<RuleGroup>> {
        async move {
            let call = Call::get("rules.group", GROUPS, &[folder_uid, "rule-groups", group]);
            self.if_present(self.transport.fetch(call).await).await
        }
        .boxed()
    }

    fn put_group<'a>(&'a self, group: &'a RuleGroup, provenance: Provenance) -> Answer<'a, ()> {
        async move {
            let names = [group.folder_uid.as_str(), "rule-groups", &group.title];
            let call = Call::new("rules.put_group", Method::PUT, GROUPS, &names).json(group)?;
            self.transport.send(call.provenance(provenance)).await
        }
        .boxed()
    }

    fn set_group_interval<'a>(
        &'a self,
        folder_uid: &'a str,
        group: &'a str,
        interval: Duration,
        provenance: Provenance,
    ) -> Answer<'a, ()> {
        async move {
            let group = RuleGroup {
                title: group.to_owned(),
                folder_uid: folder_uid.to_owned(),
                interval: interval.as_secs(),
                rules: Vec::new(),
            };
            self.put_group(&group, provenance).await
        }
        .boxed()
    }
}

impl Provisioning {
    /// One rule, which doesn't tell the interval of its group.
    async fn rule(&self, uid: &str) -> Result<Option<AlertRule>> {
        let found = self.transport.fetch(Call::get("rules.get", RULES, &[uid])).await;
        self.if_present(found).await
    }
}
