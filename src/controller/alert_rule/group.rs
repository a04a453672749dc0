//! The interval of a rule's group.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::mirrored::Turns;
use crate::api::duration;
use crate::controller::connection::Instance;
use crate::controller::engine::failure::Failure;
use crate::domain::ownership::LABEL;
use crate::domain::rule::Wish;
use crate::domain::rule::decision::Decision;
use crate::grafana::api::{FoundRule, Provenance};
use crate::grafana::mirror::Subject;
use crate::grafana::wire::AlertRule;

/// The interval of the group that the rule joins, if it is known to exist.
pub(super) fn interval(instance: &Instance, rule: &AlertRule) -> Option<Duration> {
    instance.mirror.read(|held| {
        let mut members = held.rules.in_group(&rule.folder_uid, &rule.rule_group);
        members
            .find(|member| member.uid != rule.uid)
            .map(|member| member.interval)
    })
}

/// Sets the interval of the group if it isn't as wished and all its rules are ours; else says why not.
pub(super) async fn ensure_interval(
    instance: &Arc<Instance>,
    turns: &Turns,
    wish: &Wish,
    decision: &Decision,
) -> Result<Option<String>, Failure> {
    let rule = &wish.rule;
    let known = instance
        .mirror
        .read(|held| held.rules.lookup(&rule.uid).present().map(|r| r.interval));
    let has_moved = matches!(decision, Decision::Update(fields) if fields.iter().any(|f| *f == "group" || *f == "folder"));
    if known == Some(wish.interval) && !has_moved {
        return Ok(None);
    }
    let rules = &instance.grafana.rules;
    let suspect = |e: crate::grafana::Error| instance.suspect(e.into());
    let Some(group) = rules
        .group(&rule.folder_uid, &rule.rule_group)
        .await
        .map_err(suspect)?
    else {
        return Err(Failure::again("the group is gone"));
    };
    // Grafana 10 lets a rule that moves keep its own interval, newer ones give it the group's: here both are as wished.
    if known == Some(wish.interval) && Duration::from_secs(group.interval) == wish.interval {
        return Ok(None);
    }
    let is_ours = |r: &AlertRule| {
        r.labels
            .get(LABEL)
            .is_some_and(|label| instance.owners.resource(label).is_some())
    };
    if let Some(foreign) = group.rules.iter().find(|r| !is_ours(r)) {
        return Ok(Some(format!(
            "spec.interval: the group keeps its {}, because its rule {} isn't ours; choose another group",
            duration::format(Duration::from_secs(group.interval)),
            foreign.uid
        )));
    }
    let subject = format!("group {}/{}", rule.folder_uid, rule.rule_group);
    let attempt = instance
        .refused
        .attempt(subject, &wish.interval, Instant::now())?;
    // As the mirror has them, with the interval that they get.
    let members: Vec<FoundRule> = instance.mirror.read(|held| {
        let members = group.rules.iter();
        let known = members.filter_map(|member| held.rules.lookup(&member.uid).cloned().present());
        known
            .map(|found| FoundRule {
                interval: wish.interval,
                ..found
            })
            .collect()
    });
    let uids = members.iter().map(|member| member.uid.clone()).collect();
    let (folder, title, interval) = (rule.folder_uid.clone(), rule.rule_group.clone(), wish.interval);
    let written = instance.write(
        turns.clone(),
        Subject::Rules(uids),
        move |grafana| async move {
            let rules = &grafana.rules;
            rules
                .set_group_interval(&folder, &title, interval, Provenance::Api)
                .await
        },
        |held, ()| members.into_iter().for_each(|member| held.rules.written(member)),
    );
    attempt.ended(written.await.map_err(suspect), Instant::now())?;
    Ok(None)
}
