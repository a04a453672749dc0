//! Alert rules: `rules.alerting.grafana.app`. Each has its interval itself. A rule that is made here has no group and can't get any; one that was made with
//! a group stays in one, which gives all its rules one interval.

mod notification;
mod object;
mod spec;
mod watched;

use std::sync::Arc;

use futures::FutureExt;

use super::Kind;
use super::object::Object;
use super::place::Place;
use crate::grafana::api::watch::Listed;
use crate::grafana::api::{self, Answer, FoundRule, KeptInterval, Provenance, RuleWrite, Stored};
use crate::grafana::error::{Class, Error, Result};
#[cfg(feature = "cli")]
use crate::grafana::model::AlertRule;
use crate::grafana::transport::Transport;
use crate::grafana::turns::Company;
use object::{GROUP, State, found, sent};
use spec::Spec;

/// Most rules that one page has: some 3 MB of the largest, which are in memory while they become digests.
const PAGE: usize = 500;

/// What `kind` says of an alert rule, and of a recording rule.
const ALERT_RULE: &str = "AlertRule";
const RECORDING_RULE: &str = "RecordingRule";

/// The longest value that a selector may name, in bytes.
const LONGEST_LABEL: usize = 63;

/// The rules of an organisation.
pub(in crate::grafana) struct Rules {
    alerting: Place,
    recording: Place,
    company: Company,
}

impl Rules {
    /// Where these are: two kinds, which share uids, titles and places in groups.
    pub(in crate::grafana) const GROUP: &'static str = "rules.alerting.grafana.app";
    pub(in crate::grafana) const PLURALS: [&'static str; 2] = ["alertrules", "recordingrules"];

    /// In which versions, the best first: from 13.3 and from 13.0 on. Before, the alpha has other fields (what's new in 13.0 and 13.3).
    pub(in crate::grafana) const VERSIONS: [&'static str; 2] = ["v1beta1", "v0alpha1"];

    /// Those of one namespace.
    pub(in crate::grafana) fn new(
        transport: &Arc<Transport>,
        kinds: [Kind; 2],
        namespace: &str,
        company: Company,
    ) -> Self {
        let [alerting, recording] = kinds.map(|kind| Place {
            transport: transport.clone(),
            kind,
            namespace: namespace.to_owned(),
        });
        Self {
            alerting,
            recording,
            company,
        }
    }

    /// Which kinds these are.
    pub(in crate::grafana) fn kinds(&self) -> [&Kind; 2] {
        [&self.alerting.kind, &self.recording.kind]
    }

    /// Where a rule that records or doesn't is, and what its kind is called.
    fn of_kind(&self, records: bool) -> (&Place, &'static str) {
        if records {
            (&self.recording, RECORDING_RULE)
        } else {
            (&self.alerting, ALERT_RULE)
        }
    }

    async fn create(&self, write: &RuleWrite<'_>) -> Result<Stored> {
        let object = sent(write.rule, write.provenance, None, None)?;
        let (place, kind) = self.of_kind(write.rule.record.is_some());
        let made = place.create("rules.create", kind, &object).await?;
        Ok(stored(found(made), None, false))
    }

    async fn replace(&self, write: &RuleWrite<'_>, before: &FoundRule) -> Result<Stored> {
        let wish = write.rule.interval;
        let (place, _) = self.of_kind(write.rule.record.is_some());
        // One without a group stays so.
        let group = before
            .group
            .as_deref()
            .map(|own| write.rule.group.as_deref().unwrap_or(own));
        let stays = group.is_some_and(|group| is_in(before, &write.rule.folder_uid, group));
        let state = before.revision.as_ref().and_then(State::read);
        // Its state isn't known where it was found through the other API, and its group may have another interval since it was found.
        let now = if state.is_none() || (stays && before.interval == wish) {
            let now: Option<Object<Spec>> = place.get("rules.get", &before.uid).await?;
            Some(now.ok_or_else(gone)?)
        } else {
            None
        };
        let of_now = now.as_ref().map(|now| State::of(&now.metadata));
        let state = state.or(of_now).ok_or_else(gone)?;
        let has_wish = stays && now.map_or(before.interval, |now| found(now).interval) == wish;
        let company = match group {
            Some(group) if !has_wish => self.company_in(write, before, group).await?,
            _ => InGroup::default(),
        };
        let InGroup { rule: itself, kept } = company;
        let is_done = kept.is_some() || itself.as_ref().is_some_and(|itself| itself.interval == wish);
        if let Some(itself) = itself.filter(|_| write.only_interval && is_done) {
            return Ok(stored(itself, kept, true));
        }
        let object = |state: &State| -> Result<Object<Spec>> {
            let object = sent(
                write.rule,
                write.provenance,
                group.map(|group| (group, state)),
                Some(state),
            )?;
            Ok(match &kept {
                Some(kept) => Object {
                    spec: object.spec.every(kept.interval),
                    ..object
                },
                None => object,
            })
        };
        let put = self.put_object(&object(&state)?).await;
        let made = match put {
            // A sibling's write makes another version too: the race is lost only if the rule itself is another one.
            Err(lost) if lost.is_lost_race() => match place.get("rules.get", &before.uid).await? {
                Some(now) if is_still(before, &now) => {
                    self.put_object(&object(&State::of(&now.metadata))?).await?
                }
                _ => return Err(lost),
            },
            made => made?,
        };
        Ok(stored(found(made), kept, group.is_some()))
    }

    /// Puts a rule in the place of one of the other kind, an alert rule in that of a recording rule, or the other way round. They have one space of uids, so the one goes before the other comes. What
    /// is wrong with the new one must not cost the old one: so the new one is sent before as well, and Grafana minds the uid when it has found
    /// nothing else to mind (`CreateAlertRule` in `pkg/services/ngalert/provisioning/alert_rules.go`).
    async fn supersede(&self, write: &RuleWrite<'_>, other: &FoundRule) -> Result<Stored> {
        match self.create(write).await {
            Err(taken) if taken.class() == Class::Conflict => {}
            // It is gone meanwhile, or stays.
            answer => return answer,
        }
        api::Rules::delete(self, other, write.provenance).await?;
        let kind = if other.metric.is_some() {
            "recording"
        } else {
            "alert"
        };
        self.create(write).await.map_err(|error| without(error, kind))
    }

    async fn put_object(&self, object: &Object<Spec>) -> Result<Object<Spec>> {
        let (place, kind) = self.of_kind(object.spec.records());
        place
            .replace("rules.update", kind, &object.metadata.name, object)
            .await
    }

    /// What else is in the group that a rule is in or comes into, as far as it counts for the interval that is wished.
    async fn company_in(&self, write: &RuleWrite<'_>, before: &FoundRule, group: &str) -> Result<InGroup> {
        let folder = write.rule.folder_uid.as_str();
        let is_ours = |mark: &str| (self.company.is_ours)(mark);
        let mut seen = InGroup::default();
        for member in self.selected(&selector(folder, group)).await? {
            if !is_in(&member, folder, group) {
                continue;
            }
            if member.uid == before.uid {
                seen.rule = Some(member);
            } else if !member.owner.as_deref().is_some_and(is_ours) && member.interval != write.rule.interval
            {
                seen.kept.get_or_insert(KeptInterval {
                    interval: member.interval,
                    because_of: member.uid,
                });
            }
        }
        Ok(seen)
    }

    /// The rules that a selector of labels leaves.
    async fn selected(&self, selector: &str) -> Result<Vec<FoundRule>> {
        let mut all = Vec::new();
        for place in [&self.alerting, &self.recording] {
            let call = || match place.list("rules.list") {
                call if selector.is_empty() => call,
                call => call.query("labelSelector", selector),
            };
            all.extend(place.pages(call, PAGE, found).await?);
        }
        Ok(all)
    }

    async fn all(&self) -> Result<Listed<FoundRule>> {
        let listed = async |place: &Place| {
            let operations = ("rules.list", "rules.watch");
            place.listed(operations, PAGE, found).await
        };
        let alerting = listed(&self.alerting).await?;
        Ok(watched::both(alerting, listed(&self.recording).await?))
    }
}

impl api::Rules for Rules {
    fn is_served(&self) -> Answer<'_, bool> {
        // It wouldn't be used else.
        async { Ok(true) }.boxed()
    }

    fn list(&self) -> Answer<'_, Listed<FoundRule>> {
        self.all().boxed()
    }

    #[cfg(feature = "cli")]
    fn whole(&self) -> Answer<'_, Vec<AlertRule>> {
        async move {
            let mut all = Vec::new();
            for place in [&self.alerting, &self.recording] {
                all.extend(
                    place
                        .pages(|| place.list("rules.list"), PAGE, object::rule)
                        .await?,
                );
            }
            Ok(all)
        }
        .boxed()
    }

    fn get<'a>(&'a self, uid: &'a str) -> Answer<'a, Option<FoundRule>> {
        async move {
            for place in [&self.alerting, &self.recording] {
                if let Some(object) = place.get::<Spec>("rules.get", uid).await? {
                    return Ok(Some(found(object)));
                }
            }
            Ok(None)
        }
        .boxed()
    }

    fn put<'a>(&'a self, write: RuleWrite<'a>) -> Answer<'a, Stored> {
        async move {
            match write.found {
                None => self.create(&write).await,
                Some(before) if before.metric.is_some() != write.rule.record.is_some() => {
                    self.supersede(&write, before).await
                }
                Some(before) => self.replace(&write, before).await,
            }
        }
        .boxed()
    }

    fn delete<'a>(&'a self, found: &'a FoundRule, _: Provenance) -> Answer<'a, ()> {
        // Grafana takes the provenance that is stored, and looks at no version.
        let (place, _) = self.of_kind(found.metric.is_some());
        place.delete("rules.delete", &found.uid, None).boxed()
    }
}

/// What a look at a group has shown.
#[derive(Default)]
struct InGroup {
    /// The rule itself as it is now, if it is in the group.
    rule: Option<FoundRule>,
    /// Why it can't have the interval that is wished: the group has another one, and a rule that isn't ours, which would get it too.
    kept: Option<KeptInterval>,
}

fn is_in(rule: &FoundRule, folder: &str, group: &str) -> bool {
    rule.folder_uid == folder && rule.group.as_deref() == Some(group)
}

fn stored(found: FoundRule, kept: Option<KeptInterval>, is_of_group: bool) -> Stored {
    Stored {
        found,
        kept,
        is_of_group,
        failure: None,
        is_in_doubt: false,
        turn: None,
    }
}

/// Whether a rule is what it was found to be, in whatever version.
fn is_still(before: &FoundRule, now: &Object<Spec>) -> bool {
    found(now.clone()) == *before
}

/// What chooses the rules of a group, as far as a selector can say it: it takes only some texts for values (Kubernetes, "Labels and selectors").
fn selector(folder: &str, group: &str) -> String {
    let is_value = |text: &str| {
        let is_inner = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        let is_end = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric());
        text.len() <= LONGEST_LABEL
            && text.bytes().all(is_inner)
            && is_end(text.bytes().next())
            && is_end(text.bytes().last())
    };
    let labels = [(super::object::FOLDER, folder), (GROUP, group)];
    let chosen = labels.into_iter().filter(|(_, value)| is_value(value));
    let chosen: Vec<_> = chosen.map(|(label, value)| format!("{label}={value}")).collect();
    chosen.join(",")
}

/// A refusal of what a rule of the other kind had to go for.
fn without(error: Error, kind: &str) -> Error {
    match error {
        Error::Status {
            operation,
            status,
            message,
            message_id,
            retry_after,
        } => Error::Status {
            operation,
            status,
            message: format!("{message} (the {kind} rule that it takes the place of is gone already)"),
            message_id,
            retry_after,
        },
        other => other,
    }
}

/// A rule that was found and isn't there.
fn gone() -> Error {
    Error::Status {
        operation: "rules.get",
        status: 404,
        message: "the rule is gone".to_owned(),
        message_id: None,
        retry_after: None,
    }
}

#[cfg(test)]
mod tests;
