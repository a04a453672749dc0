//! Silence: resolve, decide, apply, report.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::Api;
use kube::api::{DeleteParams, Preconditions};
use tracing::info;

use super::connection::Instance;
use super::context::Context;
use super::maintenance::workload;
use super::pass::{self, Reconcile, Report};
use crate::api::condition::Reason;
use crate::api::reference::DeletionPolicy;
use crate::api::{Silence, SilenceStatus};
use crate::cluster::answer::{is_conflict, is_missing};
use crate::controller::engine::failure::Failure;
use crate::controller::engine::managed::Managed;
use crate::domain::refusal::Refusal;
use crate::domain::silence::{self, Decision, Selection, Surroundings, Wish};
use crate::grafana::mirror::Lookup;
use crate::grafana::wire::{Silence as WireSilence, SilenceState};

impl Reconcile for Silence {
    async fn reconcile(&self, context: &Context) -> Result<Report<SilenceStatus>, Failure> {
        let instance = context.instance(self)?;
        let now = context.now();
        let (selection, mut warnings) = self.select(context, &instance);
        let created = self
            .metadata
            .creation_timestamp
            .as_ref()
            .map_or(now, |time| time.0);
        let around = Surroundings {
            owner: &context.owner,
            namespace: self.ns(),
            name: self.id(),
            created,
            unrestricted: instance.is_unrestricted(self.ns()),
        };
        let wish = silence::wish(&self.spec, &selection, &around)?;
        let known_id = self.status.as_ref().and_then(|status| status.id.clone());
        let author = around.owner.silence_author(self.ns(), self.id());
        read_again_if_lost(&instance, &author).await?;
        let ours = ours(&instance, &author);
        let decision = silence::decide(wish.as_ref(), &ours, known_id.as_deref(), now);
        let id = apply(self, &instance, wish.as_ref(), decision, now).await?;
        let Some(wish) = wish else {
            warnings.push("no AlertRule is selected, so nothing is silenced".into());
            let status = SilenceStatus {
                matches_rules: Some(0),
                ..SilenceStatus::default()
            };
            return Ok(Report {
                warnings,
                ..Report::synced(status, "nothing to silence")
            });
        };
        self.report(context, &instance, &wish, &selection, id, warnings)
            .await
    }

    async fn clean_up(&self, context: &Context) -> Result<(), Failure> {
        let Some(instance) = pass::leaving(self, context).await? else {
            return Ok(());
        };
        if instance.deletion_policy(self.spec.deletion_policy) == DeletionPolicy::Orphan {
            return Ok(());
        }
        let now = context.now();
        let author = context.owner.silence_author(self.ns(), self.id());
        read_again_if_lost(&instance, &author).await?;
        let lingering = workload::linger_of(self, context).filter(|ends| *ends > now);
        for found in ours(&instance, &author) {
            let Some(id) = found
                .id
                .clone()
                .filter(|_| found.state() != Some(SilenceState::Expired))
            else {
                continue;
            };
            match lingering {
                // A Job that is deleted right after its success still gets its linger.
                Some(ends) => {
                    let body = WireSilence {
                        ends_at: ends.min(found.ends_at),
                        status: None,
                        ..found
                    };
                    if body.ends_at != found_end(&instance, &id) {
                        put(&instance, &body).await?;
                    }
                }
                None => expire(&instance, &id).await?,
            }
        }
        Ok(())
    }
}

fn found_end(instance: &Instance, id: &str) -> Timestamp {
    instance
        .mirror
        .read(|held| held.silences.lookup(&id.to_owned()).present().map(|s| s.ends_at))
        .unwrap_or_default()
}

/// The silences in Grafana that this resource has made.
fn ours(instance: &Instance, author: &str) -> Vec<WireSilence> {
    instance.mirror.read(|held| {
        held.silences
            .iter()
            .map(|(_, silence)| silence)
            .filter(|s| s.created_by == author)
            .cloned()
            .collect()
    })
}

async fn apply(
    object: &Silence,
    instance: &Instance,
    wish: Option<&Wish>,
    decision: Decision,
    now: Timestamp,
) -> Result<Option<String>, Failure> {
    let (id, superfluous) = match (decision, wish) {
        (Decision::Keep { id, expire }, _) => (Some(id), expire),
        (Decision::Write { update, expire }, Some(wish)) => {
            let update = match update {
                Some(id) => as_stored(instance, &id).await?,
                None => None,
            };
            let body = silence::body(wish, update.as_ref(), now);
            let id = put(instance, &body).await?;
            info!(namespace = object.ns(), name = object.id(), id, until = %wish.ends_at, "silence written");
            (Some(id), expire)
        }
        (Decision::Write { .. }, None) => (None, Vec::new()),
        (Decision::Expired { expire }, _) => (None, expire),
    };
    for superfluous in superfluous.iter().filter(|other| Some(*other) != id.as_ref()) {
        expire(instance, superfluous).await?;
    }
    Ok(id)
}

/// The silence as Grafana holds it. It moves a start in the past to its own now, and takes an update with another start for
/// another silence, so what is remembered of our own write isn't good enough.
async fn as_stored(instance: &Instance, id: &str) -> Result<Option<WireSilence>, Failure> {
    let found = instance.grafana.silences.get(id).await;
    let found = found.map_err(|e| instance.suspect(e.into()))?;
    Ok(found.filter(|silence| silence.state() != Some(SilenceState::Expired)))
}

/// After a write whose answer was lost Grafana is asked what it holds: a new silence's id isn't known otherwise.
async fn read_again_if_lost(instance: &Instance, author: &str) -> Result<(), Failure> {
    if !instance
        .mirror
        .read(|held| held.silences.lookup(&lost_key(author)).is_unknown())
    {
        return Ok(());
    }
    let listed = instance
        .grafana
        .silences
        .list()
        .await
        .map_err(|e| instance.suspect(e.into()))?;
    instance.mirror.write(|held| {
        for mut silence in listed.into_iter().filter(|s| s.created_by == author) {
            silence.matchers.sort();
            silence.updated_at = None;
            if let Some(id) = silence.id.clone() {
                held.silences.written(id, Some(silence));
            }
        }
        held.silences.written(lost_key(author), None);
    });
    Ok(())
}

/// Under this key the mirror remembers that the answer of a write was lost.
fn lost_key(author: &str) -> String {
    format!("lost {author}")
}

async fn put(instance: &Instance, body: &WireSilence) -> Result<String, Failure> {
    let result = instance.grafana.silences.put(body).await;
    match result {
        Ok(id) => {
            instance.mirror.write(|held| {
                if let Some(old) = body.id.as_ref().filter(|old| **old != id) {
                    held.silences.unknown(old.clone());
                }
                let has_begun = body.starts_at <= Timestamp::now();
                let state = if has_begun {
                    SilenceState::Active
                } else {
                    SilenceState::Pending
                };
                let mut stored = body.clone();
                stored.id = Some(id.clone());
                stored.matchers.sort();
                stored.status = Some(crate::grafana::wire::SilenceStatus { state });
                held.silences.written(id.clone(), Some(stored));
            });
            Ok(id)
        }
        Err(error) => {
            // Also where Grafana refused: what it holds is then not what the mirror said.
            instance
                .mirror
                .write(|held| held.silences.unknown(lost_key(&body.created_by)));
            Err(instance.suspect(error.into()))
        }
    }
}

async fn expire(instance: &Instance, id: &str) -> Result<(), Failure> {
    let result = instance.grafana.silences.expire(id).await;
    let key = id.to_owned();
    instance.mirror.write(|held| {
        let Lookup::Present(found) = held.silences.lookup(&key).cloned() else {
            return;
        };
        if result.is_ok() {
            let status = Some(crate::grafana::wire::SilenceStatus {
                state: SilenceState::Expired,
            });
            held.silences.written(key, Some(WireSilence { status, ..found }));
        } else {
            held.silences.unknown(lost_key(&found.created_by));
        }
    });
    result.map_err(|e| instance.suspect(e.into()))
}

impl Silence {
    fn select(&self, context: &Context, instance: &Instance) -> (Selection, Vec<String>) {
        let rules = context
            .stores
            .rules
            .state_filter(|r| r.ns() == self.ns() && r.instance() == instance.name);
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

    async fn report(
        &self,
        context: &Context,
        instance: &Instance,
        wish: &Wish,
        selection: &Selection,
        id: Option<String>,
        warnings: Vec<String>,
    ) -> Result<Report<SilenceStatus>, Failure> {
        let now = context.now();
        let before = self.status.clone().unwrap_or_default();
        let mut status = before.clone();
        let state = if id.is_none() {
            "Expired"
        } else if wish.starts_at > now {
            "Pending"
        } else {
            "Active"
        };
        let matchers: Vec<String> = wish.matchers.iter().map(silence::matcher_text).collect();
        let is_news = before.state.as_deref() != Some(state) || before.matchers != matchers;
        if is_news && id.is_some() {
            status.matches_rules = i64::try_from(self.count_rules(context, instance, selection)).ok();
            status.matches_alerts = instance
                .grafana
                .silences
                .matching_alerts(&matchers)
                .await
                .ok()
                .and_then(|n| i64::try_from(n).ok());
        }
        status.matchers = matchers;
        status.state = Some(state.to_owned());
        status.starts_at = Some(Time(wish.starts_at));
        status.ends_at = Some(Time(wish.ends_at));
        if id.is_some() {
            status.id = id.clone();
        }
        let until = |moment: Timestamp| Duration::try_from(moment.duration_since(now)).unwrap_or_default();
        if id.is_none() {
            let again = self.retire(context, wish.ends_at, now).await?;
            let message = format!(
                "ended at {}",
                wish.ends_at.round(jiff::Unit::Second).unwrap_or(wish.ends_at)
            );
            return Ok(Report {
                reason: Reason::Expired,
                again,
                warnings,
                ..Report::synced(status, message)
            });
        }
        let next = if wish.starts_at > now {
            wish.starts_at
        } else {
            wish.ends_at
        };
        // A little later, so that the moment is surely past.
        let again = Some(until(next) + Duration::from_millis(100));
        Ok(Report {
            again,
            warnings,
            ..Report::synced(status, "stored in Grafana")
        })
    }

    fn count_rules(&self, context: &Context, instance: &Instance, selection: &Selection) -> usize {
        match selection {
            Selection::Rules(names) => names.len(),
            Selection::Namespace | Selection::Matchers => context
                .stores
                .rules
                .state_filter(|r| r.ns() == self.ns() && r.instance() == instance.name)
                .len(),
        }
    }

    /// Deletes the resource once its time after the end is over; says when that will be.
    async fn retire(
        &self,
        context: &Context,
        ended: Timestamp,
        now: Timestamp,
    ) -> Result<Option<Duration>, Failure> {
        let Some(ttl) = &self.spec.ttl_after_expiry else {
            return Ok(None);
        };
        let ttl = ttl
            .checked()
            .map_err(|e| Refusal::invalid("spec.ttlAfterExpiry", e))?;
        let due = ended
            .saturating_add(SignedDuration::try_from(ttl).unwrap_or(SignedDuration::MAX))
            .unwrap_or(Timestamp::MAX);
        if due > now {
            return Ok(Duration::try_from(due.duration_since(now)).ok());
        }
        let api: Api<Silence> = Api::namespaced(context.client.clone(), self.ns());
        let this_one = Preconditions {
            uid: self.metadata.uid.clone(),
            resource_version: None,
        };
        let parameters = DeleteParams {
            preconditions: Some(this_one),
            ..DeleteParams::default()
        };
        match api.delete(self.id(), &parameters).await {
            Err(error) if is_missing(&error) || is_conflict(&error) => {}
            result => {
                result?;
                context.metrics.kubernetes_write("Silence", "delete");
            }
        }
        Ok(None)
    }
}
