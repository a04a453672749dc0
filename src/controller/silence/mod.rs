//! Silence: resolve, decide, apply, report.

mod adoption;
mod extent;
pub(super) mod listed;
mod stored;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::Api;
use kube::api::{DeleteParams, Preconditions};
use kube::runtime::reflector::ObjectRef;

use super::connection::Instance;
use super::context::Context;
use super::maintenance::jobs;
use super::pass::{self, Reconcile, Report};
use crate::api::condition::Reason;
use crate::api::reference::DeletionPolicy;
use crate::api::silence::{ACTIVE, EXPIRED, PENDING};
use crate::api::{AlertRule, Silence, SilenceStatus};
use crate::cluster::answer::{is_conflict, is_missing};
use crate::controller::engine::by::{By, labelled};
use crate::controller::engine::failure::Failure;
use crate::controller::engine::managed::Managed;
use crate::domain::lint::mistakes;
use crate::domain::ownership::{Owner, Owners};
use crate::domain::silence::{self, Decision, Selection, Surroundings, Wish};
use crate::grafana::wire::{Silence as WireSilence, SilenceState};
use stored::{apply, authors, expire, look_up, ours, past, put};
pub(super) use stored::{end, end_all, has_any};

impl Reconcile for Silence {
    async fn reconcile(&self, context: &Context) -> Result<Report<SilenceStatus>, Failure> {
        let instance = context.instance(self)?;
        if self.spec.alert_rules.is_some() && !context.unwatched.sees(AlertRule::KIND, self.ns()) {
            return Err(Failure::unseen(AlertRule::KIND));
        }
        let now = context.now();
        let (selection, mut warnings) = self.select(context, &instance);
        let around = self.around(&instance, now);
        let wish = silence::wish(&self.spec, &selection, &around)?;
        warnings.extend(silence::warning(&self.spec, &around));
        let authors = authors(self, &instance);
        let author = around.owners.now().silence_author(self.ns(), self.id());
        // A write of a pass that was cut off may still be under way.
        let turn = instance.object(&author).await;
        listed::ensure(self, context, &instance, &authors).await?;
        let known_id = self.known_id(context, &author);
        let mut held = ours(&instance, &authors);
        let mut decision = silence::decide(wish.as_ref(), &held, known_id.as_deref(), now);
        if matches!(decision, Decision::Write { update: None, .. })
            && let Some(found) = adoption::taken_over(self, context, &instance, now)
        {
            held.push(found);
            decision = silence::decide(wish.as_ref(), &held, known_id.as_deref(), now);
        }
        if let (Decision::Write { update: None, .. }, Some(known)) = (&decision, &known_id)
            && look_up(&instance, known, &authors).await?
        {
            held = ours(&instance, &authors);
            decision = silence::decide(wish.as_ref(), &held, Some(known), now);
        }
        let mut is_changed = false;
        if let Some(wish) = wish.as_ref().filter(|wish| self.is_stored_as(wish)) {
            let drift = silence::drift(&decision, wish, &held, now);
            is_changed = !drift.is_empty() && self.is_stored();
            if !drift.is_empty() && instance.only_reports_drift(self) {
                let state = silence::state_left(&decision, &held, now);
                let status = SilenceStatus {
                    state: Some(state.to_owned()),
                    ..self.status.clone().unwrap_or_default()
                };
                return Ok(Report {
                    again: Some(past(wish.ends_at, now)),
                    ..Report::synced(status, "").drifted(drift)
                });
            }
        }
        if let (Decision::Write { update: None, .. }, Some(wish)) = (&decision, &wish) {
            let asked = adoption::asked(self, context, &instance, wish, known_id.as_deref(), now).await?;
            warnings.extend(asked.beside);
            match asked.found {
                Some(found) => {
                    self.tell_of_adoption(context, &found).await;
                    held.push(found);
                    decision = silence::decide(Some(wish), &held, known_id.as_deref(), now);
                }
                None => self.check_extent(context, &instance, wish, &selection)?,
            }
        }
        let id = apply(self, &instance, &turn, wish.as_ref(), decision, now).await?;
        if is_changed {
            context.metrics.drift_corrected(Self::KIND);
        }
        adoption::settle(self, context, id.as_deref());
        if let Some(id) = &id {
            let written = (self.instance().to_owned(), author);
            context.silence_ids.lock().insert(written, id.clone());
        }
        let Some(wish) = wish else {
            let (_, ends_at) = silence::period(&self.spec, self.created(now))?;
            warnings.push("no AlertRule is selected, so nothing is silenced".into());
            let status = SilenceStatus {
                matches_rules: Some(0),
                ..SilenceStatus::default()
            };
            return Ok(Report {
                warnings,
                again: Some(past(ends_at, now)),
                ..Report::synced(status, "nothing to silence")
            });
        };
        self.report(context, &instance, &wish, &selection, id, warnings)
            .await
    }

    async fn mistake(&self, context: &Context) -> Option<Failure> {
        let owners = Owners::new(context.owner.clone(), &[]);
        let created = self.created(context.now());
        let own = mistakes::of_silence(&self.spec, &owners, (self.ns(), self.id()), created);
        own.err().map(Failure::from)
    }

    fn may_be_stored(&self, context: &Context) -> bool {
        let author = context.owner.silence_author(self.ns(), self.id());
        let running = context.connection(self.instance());
        self.known_id(context, &author).is_some()
            || running.is_some_and(|instance| {
                // Before anything was read nothing was written either.
                let is_lost = instance
                    .mirror
                    .read(|held| held.silences.is_loaded() && held.is_unknown_of(&author));
                is_lost || !ours(&instance, &authors(self, &instance)).is_empty()
            })
    }

    /// A silence that is over needs no Grafana in order to be so, and no rules that it would cover.
    async fn conclude(&self, context: &Context) -> Result<Option<Report<SilenceStatus>>, Failure> {
        let now = context.now();
        let Ok((starts_at, ends_at)) = silence::period(&self.spec, self.created(now)) else {
            return Ok(None);
        };
        let mut status = self.status.clone().unwrap_or_default();
        // What Grafana holds may end later than what is asked for now.
        let is_held = status.ends_at.as_ref().is_some_and(|time| time.0 > now)
            || context
                .running
                .read()
                .get(self.instance())
                .is_some_and(|instance| {
                    ours(instance, &authors(self, instance))
                        .iter()
                        .any(|found| found.ends_at > now && found.state() != Some(SilenceState::Expired))
                });
        if !context.is_ready() || ends_at > now || is_held {
            return Ok(None);
        }
        status.state = Some(EXPIRED.to_owned());
        status.starts_at = Some(Time(starts_at));
        status.ends_at = Some(Time(ends_at));
        self.expired(context, status, ends_at, now).await.map(Some)
    }

    async fn clean_up(&self, context: &Context) -> Result<(), Failure> {
        let author = context.owner.silence_author(self.ns(), self.id());
        let leaving = pass::leaving(self, context).await;
        let written = (self.instance().to_owned(), author.clone());
        context.silence_ids.lock().remove(&written);
        let Some(instance) = leaving? else {
            return Ok(());
        };
        if instance.deletion_policy(self.spec.deletion_policy) == DeletionPolicy::Orphan {
            let taken_over = adoption::taken_over(self, context, &instance, context.now());
            let held = ours(&instance, &authors(self, &instance))
                .into_iter()
                .chain(taken_over);
            let ids: Vec<String> = held.filter_map(|silence| silence.id).collect();
            return instance.let_go::<Self>(&ids).await;
        }
        let now = context.now();
        // A write of a pass that was cut off may still be under way.
        let turn = instance.object(&author).await;
        let authors = authors(self, &instance);
        listed::ensure(self, context, &instance, &authors).await?;
        let lingering = jobs::linger_of(self, context).await?.filter(|ends| *ends > now);
        let mut held = ours(&instance, &authors);
        held.extend(adoption::taken_over(self, context, &instance, now));
        for found in held {
            let Some(id) = found
                .id
                .clone()
                .filter(|_| found.state() != Some(SilenceState::Expired))
            else {
                continue;
            };
            match lingering {
                // A Job that is deleted right after its success still gets its linger. What lingers is let go of: it has no resource.
                Some(ends) => {
                    let body = WireSilence {
                        ends_at: ends.min(found.ends_at),
                        created_by: Owner::lingering_author(&found.created_by),
                        status: None,
                        ..found
                    };
                    put(&instance, &turn, body).await?;
                }
                None => expire(&instance, &turn, &id).await?,
            }
        }
        Ok(())
    }
}

/// Deletes a resource only if it is as it was seen: a rollback may just have opened it anew.
fn only_this_version(silence: &Silence) -> DeleteParams {
    DeleteParams {
        preconditions: Some(Preconditions {
            uid: silence.metadata.uid.clone(),
            resource_version: silence.metadata.resource_version.clone(),
        }),
        ..DeleteParams::default()
    }
}

impl Silence {
    fn around<'a>(&'a self, instance: &'a Instance, now: Timestamp) -> Surroundings<'a> {
        Surroundings {
            owners: &instance.owners,
            namespace: self.ns(),
            name: self.id(),
            created: self.created(now),
            unrestricted: instance.is_unrestricted(self.ns()),
        }
    }

    fn select(&self, context: &Context, instance: &Instance) -> (Selection, Vec<String>) {
        let rules = self.candidates(context, instance);
        let none = BTreeMap::new();
        let candidates = rules
            .iter()
            .map(|rule| (rule.id(), rule.metadata.labels.as_ref().unwrap_or(&none)));
        let (selection, missing) = silence::select(self.spec.alert_rules.as_ref(), candidates);
        let warnings = missing
            .into_iter()
            .map(|name| format!("spec.alertRules.names: there is no AlertRule {name} in this namespace"))
            .collect();
        (selection, warnings)
    }

    /// The rules that it may select: those that it names, and those that carry the rarest of the labels it asks for.
    fn candidates(&self, context: &Context, instance: &Instance) -> Vec<Arc<AlertRule>> {
        let rules = &context.stores.rules;
        let Some(selector) = self.spec.alert_rules.as_ref().filter(|s| s.all != Some(true)) else {
            return Vec::new();
        };
        let named = selector
            .names
            .iter()
            .map(|name| ObjectRef::new(name).within(self.ns()));
        let named = named.filter_map(|name| rules.at(&name, &instance.name));
        let labels = selector.match_labels.iter();
        let labels = labels.map(|label| By::Label(labelled(self.ns(), label)));
        let rarest = labels.min_by_key(|label| rules.count(label));
        let labelled = rarest.map(|label| rules.by(&label)).unwrap_or_default();
        let labelled = labelled
            .into_iter()
            .filter(|rule| !selector.names.iter().any(|name| name == rule.id()));
        let all = named.chain(labelled);
        all.filter(|rule| rule.instance() == instance.name).collect()
    }

    async fn report(
        &self,
        context: &Context,
        instance: &Instance,
        wish: &Wish,
        selection: &Selection,
        id: Option<String>,
        mut warnings: Vec<String>,
    ) -> Result<Report<SilenceStatus>, Failure> {
        let now = context.now();
        let before = self.status.clone().unwrap_or_default();
        let mut status = before.clone();
        let state = if id.is_none() {
            EXPIRED
        } else if wish.is_to_come(now) {
            PENDING
        } else {
            ACTIVE
        };
        let matchers: Vec<String> = wish.matchers.iter().map(silence::matcher_text).collect();
        let is_news = before.state.as_deref() != Some(state) || before.matchers != matchers;
        // Rules that come after it, as in one apply: told once, when there is the first of them.
        let may_be_more = !is_news && before.matches_rules == Some(0);
        if may_be_more && id.is_some() {
            status.matches_rules = i64::try_from(self.count_rules(context, instance, wish, selection)).ok();
        }
        if is_news && id.is_some() {
            status.matches_rules = i64::try_from(self.count_rules(context, instance, wish, selection)).ok();
            let alerts = instance
                .grafana
                .silences
                .alerts(&silence::filters(&wish.matchers))
                .await;
            let count = alerts
                .ok()
                .and_then(|alerts| silence::count(&wish.matchers, &alerts));
            status.matches_alerts = count.and_then(|n| i64::try_from(n).ok());
        }
        status.matchers = matchers;
        status.state = Some(state.to_owned());
        status.starts_at = Some(Time(wish.starts_at));
        status.ends_at = Some(Time(wish.ends_at));
        if id.is_some() {
            status.id = id.clone();
        }
        if id.is_none() {
            let report = self.expired(context, status, wish.ends_at, now).await?;
            return Ok(Report { warnings, ..report });
        }
        if state == ACTIVE {
            warnings.extend(self.nothing_covered(context, instance, &status, selection));
        }
        let next = if wish.is_to_come(now) {
            wish.starts_at
        } else {
            wish.ends_at
        };
        let again = Some(past(next, now));
        Ok(Report {
            again,
            warnings,
            ..Report::synced(status, self.stored_as(instance, selection))
        })
    }

    /// Says once that it takes over a silence that somebody made by hand.
    async fn tell_of_adoption(&self, context: &Context, found: &WireSilence) {
        let known = self.status.as_ref().and_then(|status| status.id.as_ref());
        if let Some(id) = found.id.as_ref().filter(|id| known != Some(id)) {
            context.adopted(self, &format!("silence {id}"), None).await;
        }
    }

    /// Whether it was stored with these matchers and for this time.
    fn is_stored_as(&self, wish: &Wish) -> bool {
        let texts: Vec<String> = wish.matchers.iter().map(silence::matcher_text).collect();
        let is = |stored: Option<&Time>, wished: Timestamp| {
            stored.is_some_and(|time| time.0.duration_since(wished).abs() <= SignedDuration::from_secs(1))
        };
        self.status.as_ref().is_some_and(|status| {
            status.matchers == texts
                && is(status.starts_at.as_ref(), wish.starts_at)
                && is(status.ends_at.as_ref(), wish.ends_at)
        })
    }

    /// When it was created.
    fn created(&self, now: Timestamp) -> Timestamp {
        let created = self.metadata.creation_timestamp.as_ref();
        created.map_or(now, |time| time.0)
    }

    /// The id in Grafana, as far as is known: the status shows it a little later than it was written.
    fn known_id(&self, context: &Context, author: &str) -> Option<String> {
        let key = (self.instance().to_owned(), author.to_owned());
        let written = context.silence_ids.lock().get(&key).cloned();
        written.or_else(|| self.status.as_ref()?.id.clone())
    }

    /// Its id in Grafana, as far as is known; of several Grafanas all that are.
    pub(in crate::controller) fn grafana_ids(&self, context: &Context) -> Option<String> {
        let author = context.owner.silence_author(self.ns(), self.id());
        let (alone, parts) = ([self.clone()], self.projections());
        let each = if parts.is_empty() { &alone[..] } else { &parts };
        let ids = each.iter().filter_map(|part| part.known_id(context, &author));
        Some(ids.collect::<Vec<_>>().join(" ")).filter(|ids| !ids.is_empty())
    }

    async fn expired(
        &self,
        context: &Context,
        status: SilenceStatus,
        ended: Timestamp,
        now: Timestamp,
    ) -> Result<Report<SilenceStatus>, Failure> {
        let again = self.retire(context, ended, now).await?;
        let message = format!("ended at {}", ended.round(jiff::Unit::Second).unwrap_or(ended));
        Ok(Report {
            reason: Reason::Expired,
            again,
            ..Report::synced(status, message)
        })
    }

    /// Deletes the resource once its time after the end is over; says when that will be.
    async fn retire(
        &self,
        context: &Context,
        ended: Timestamp,
        now: Timestamp,
    ) -> Result<Option<Duration>, Failure> {
        let Some(ttl) = mistakes::time_to_live(&self.spec)? else {
            return Ok(None);
        };
        let due = ended
            .saturating_add(SignedDuration::try_from(ttl).unwrap_or(SignedDuration::MAX))
            .unwrap_or(Timestamp::MAX);
        if due > now {
            return Ok(Duration::try_from(due.duration_since(now)).ok());
        }
        let api: Api<Silence> = Api::namespaced(context.client.clone(), self.ns());
        match api.delete(self.id(), &only_this_version(self)).await {
            Err(error) if is_missing(&error) => Ok(None),
            Err(error) if is_conflict(&error) => Ok(Some(pass::CHANGED)),
            result => {
                result?;
                Ok(None)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_silence_that_has_changed_since_it_was_seen_is_not_retired() {
        let seen: Silence = serde_json::from_value(serde_json::json!({
            "metadata": {"name": "s", "uid": "1", "resourceVersion": "10"}, "spec": {},
        }))
        .unwrap();
        let only = only_this_version(&seen).preconditions.unwrap();
        assert_eq!(
            (only.uid.as_deref(), only.resource_version.as_deref()),
            (Some("1"), Some("10"))
        );
    }
}
