//! AlertRule: resolve, decide, apply, report.

pub mod folder;
mod group;
mod mirrored;
mod title;

use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::Resource;
use kube::runtime::events::EventType;
use kube::runtime::reflector::ObjectRef;
use tracing::info;

use super::context::Context;
use super::pass::{self, Reconcile, Report};
use crate::api::alert_rule::Drift;
use crate::api::condition::{self, Reason};
use crate::api::duration;
use crate::api::reference::DeletionPolicy;
use crate::api::{AlertRule, AlertRuleStatus};
use crate::controller::connection::{self, Facts, Instance};
use crate::controller::engine::claim::Key;
use crate::controller::engine::failure::{Failure, Retry};
use crate::controller::engine::managed::Managed;
use crate::domain::links;
use crate::domain::ownership::Owners;
use crate::domain::refusal::Refusal;
use crate::domain::rule::decision::{self, Decision};
use crate::domain::rule::{self, Surroundings, Wish, identity, state_message};
use crate::domain::version::Version;
use crate::grafana::api::{AlertState, FoundRule, Provenance};
use crate::grafana::digest::RuleDigest;
use crate::grafana::mirror::{Lookup, Part};
use mirrored::Turns;

/// What `status.lastDrift` says of a rule that was gone from Grafana.
const DELETED: &str = "deleted";

impl Reconcile for AlertRule {
    async fn reconcile(&self, context: &Context) -> Result<Report<AlertRuleStatus>, Failure> {
        let instance = context.instance(self)?;
        let facts = instance.facts()?;
        identity::check(self.spec.uid.as_deref(), &instance.owners, (self.ns(), self.id()))?;
        let uid = mirrored::uid(self, &instance);
        Rivals::of(self, context, &uid).refuse(self, facts.version)?;
        // What can't be carried out makes no folder either.
        let mut wish = wish(self, &instance, &facts, &uid)?;
        // A write of a pass that was cut off may still be under way.
        let turn = instance.object(&uid).await;
        let folder = folder::ensure(&instance, self, &facts).await?;
        for other in context.claims.settle(self, &folder.uid) {
            context.triggers.rules.one(&other.namespace, &other.name);
        }
        // Others may name the folder otherwise.
        Rivals::of(self, context, &uid).refuse(self, facts.version)?;
        wish.rule.folder_uid.clone_from(&folder.uid);
        let turns = (turn, instance.group(&folder.uid, &wish.rule.rule_group).await);
        let found = mirrored::find(&instance, &wish.rule.uid).await?;
        let label = instance.owners.now().label(self.ns(), self.id());
        let is_ours = self.spec.uid.is_none() || self.was_ours(found.as_ref(), &instance);
        let may_claim = is_ours || self.may_adopt(found.as_ref(), &instance, context);
        let decision = decision::decide(&wish.rule, found.as_ref(), &label, may_claim);
        let drift = apply(self, context, &instance, &turns, &wish, &decision, found.as_ref()).await?;
        let mut warnings = wish.warnings.clone();
        warnings.extend(group::ensure_interval(&instance, &turns, &wish, &decision).await?);
        Ok(self.report(context, &instance, &wish, &folder, drift, warnings))
    }

    async fn mistake(&self, context: &Context) -> Option<Failure> {
        let declared = context.declared_instance(self.instance());
        let prefix = declared.as_ref().and_then(|i| i.spec.folder_prefix.as_deref());
        let id = (self.ns(), self.id());
        let former = declared.as_ref().map_or(&[][..], |i| &i.spec.previous_owner_ids);
        let owners = Owners::new(context.owner.clone(), former);
        let given = identity::check(self.spec.uid.as_deref(), &owners, id);
        let own = rule::check(&self.spec, &context.owner, id, prefix.unwrap_or_default());
        // Whether titles must differ depends on the version.
        let refusal = given
            .and(own)
            .and_then(|()| Rivals::of(self, context, &self.uid(context)).refuse(self, Version::SAME_TITLES));
        refusal.err().map(Failure::from)
    }

    fn may_be_stored(&self, context: &Context) -> bool {
        let uid = self.uid(context);
        self.status.as_ref().is_some_and(|status| status.uid.is_some())
            || context
                .running
                .read()
                .get(self.instance())
                .is_some_and(|instance| {
                    instance.mirror.read(|held| match held.rules.lookup(&uid) {
                        Lookup::Present(found) => self.was_ours(Some(found), instance),
                        Lookup::Absent => false,
                        // Before anything was read nothing was written either.
                        Lookup::Unknown => held.rules.is_loaded(),
                    })
                })
    }

    fn mark_stored(&self, context: &Context, status: &mut AlertRuleStatus) {
        status.uid.get_or_insert_with(|| self.uid(context));
    }

    async fn clean_up(&self, context: &Context) -> Result<(), Failure> {
        let Some(instance) = pass::leaving(self, context).await? else {
            return Ok(());
        };
        if instance.deletion_policy(self.spec.deletion_policy) == DeletionPolicy::Orphan {
            let derived = instance.owners.now().rule_uid(self.ns(), self.id());
            let is_ours = |found: &FoundRule| found.uid == derived || self.was_ours(Some(found), &instance);
            return instance
                .let_go::<Self>(&mirrored::all(self, &instance, is_ours))
                .await;
        }
        let reported = self.status.as_ref().and_then(|status| status.uid.clone());
        let uid = mirrored::uid(self, &instance);
        let mut uids = mirrored::doubles(self, &instance, &uid);
        uids.push(uid);
        uids.extend(reported.clone().filter(|uid| !uids.contains(uid)));
        let derived = instance.owners.now().rule_uid(self.ns(), self.id());
        for uid in uids {
            // A write of a pass that was cut off may still be under way.
            let turn = instance.object(&uid).await;
            let Some(found) = mirrored::find(&instance, &uid).await? else {
                continue;
            };
            if uid == derived || self.was_ours(Some(&found), &instance) {
                let turns = (turn, instance.group(&found.folder_uid, &found.group).await);
                mirrored::delete(&instance, &turns, &uid).await?;
            } else if reported.as_ref() == Some(&uid) {
                self.leave_behind(&found, &instance, context).await;
            }
        }
        Ok(())
    }
}

/// The older resources that stand in the way.
struct Rivals {
    uid: Option<String>,
    title: Option<String>,
    group: Option<(String, u64)>,
}

impl Rivals {
    fn of(object: &AlertRule, context: &Context, uid: &str) -> Self {
        let place = || context.claims.place(object.instance());
        let folder = context.claims.folder(object);
        let title = rule::title(&object.spec, object.id()).to_owned();
        let group = rule::group(&object.spec, object.id()).to_owned();
        let ahead = |key| {
            context
                .claims
                .ahead(&key, object)
                .map(|(claimant, value)| (claimant.path(), value))
        };
        Self {
            uid: ahead(Key::Uid(place(), uid.to_owned())).map(|(path, _)| path),
            title: ahead(Key::Title(place(), folder.clone(), title)).map(|(path, _)| path),
            group: ahead(Key::Group(place(), folder, group)),
        }
    }

    fn refuse(&self, object: &AlertRule, version: Version) -> Result<(), Refusal> {
        let conflict = |message| Err(Refusal::new(Reason::Conflict, message));
        if let Some(path) = &self.uid {
            return conflict(format!(
                "spec.uid: AlertRule {path} is older and has this uid; choose another"
            ));
        }
        if let Some(path) = &self.title
            && version < Version::SAME_TITLES
        {
            return conflict(format!(
                "spec.title: AlertRule {path} is older and has this title in the same folder, where Grafana {version} wants titles to be unique; choose another title or folder"
            ));
        }
        if let Some((path, seconds)) = &self.group {
            let own = rule::interval(&object.spec)?;
            if own.as_secs() != *seconds {
                return conflict(format!(
                    "spec.interval: the group is evaluated every {} as the older AlertRule {path} says, not every {}; make them equal or choose another group",
                    duration::format(Duration::from_secs(*seconds)),
                    duration::format(own)
                ));
            }
        }
        Ok(())
    }
}

fn wish(object: &AlertRule, instance: &Instance, facts: &Facts, uid: &str) -> Result<Wish, Failure> {
    let spec = &object.spec;
    let source = if rule::needs_source(spec) {
        let default = instance.spec.default_datasource.as_ref();
        let found = connection::source(facts, spec.datasource.as_ref(), default);
        if found.is_err() {
            // What can't be seen may be there.
            instance.check(&[Part::DataSources])?;
            instance.suspicion.of_sources();
        }
        Some(found?)
    } else {
        None
    };
    let mut wish = rule::wish(
        spec,
        &Surroundings {
            owner: instance.owners.now(),
            uid,
            namespace: object.ns(),
            name: object.id(),
            labels: &instance.spec.labels,
            source,
            external_url: instance.external_url(),
            version: facts.version,
            min_interval: facts.min_interval,
        },
    )?;
    // What can't be seen may be there.
    if instance.check(&[Part::DataSources]).is_ok() {
        wish.warnings.extend(rule::unknown_sources(spec, &facts.sources));
    }
    Ok(wish)
}

async fn apply(
    object: &AlertRule,
    context: &Context,
    instance: &Arc<Instance>,
    turns: &Turns,
    wish: &Wish,
    decision: &Decision,
    found: Option<&FoundRule>,
) -> Result<Option<Drift>, Failure> {
    let rule = &wish.rule;
    for double in mirrored::doubles(object, instance, &rule.uid) {
        info!(
            namespace = object.ns(),
            name = object.id(),
            uid = double,
            "double of a former owner id deleted"
        );
        mirrored::delete(instance, turns, &double).await?;
    }
    if *decision != Decision::NotOwned {
        title::free(object, context, instance, turns, rule, found).await?;
    }
    let written = |interval| FoundRule::written(rule, interval, Provenance::Api);
    match decision {
        Decision::Keep => return Ok(None),
        Decision::NotOwned => {
            return Err(Failure::new(
                Reason::NotOwned,
                format!(
                    "spec.uid: Grafana has a rule with uid {} that this resource didn't make; choose another uid, or {}{}",
                    rule.uid,
                    instance.how_to_adopt(object.ns()),
                    found
                        .and_then(decision::lost)
                        .map_or_else(String::new, |lost| format!(". Lost with that: {lost}"))
                ),
                Retry::OnChange,
            ));
        }
        Decision::Create => {
            let interval = group::interval(instance, rule).unwrap_or_else(|| {
                rule::default_interval(instance.facts().map_or(Duration::ZERO, |f| f.min_interval))
            });
            mirrored::create(instance, turns, rule, written(interval)).await?;
        }
        Decision::Update(_) => {
            let interval = found.map_or(wish.interval, |found| found.interval);
            mirrored::update(instance, turns, rule, written(interval)).await?;
        }
    }
    if let Some(found) =
        found.filter(|found| object.spec.uid.is_some() && !object.was_ours(Some(found), instance))
    {
        let what = format!("rule {} ({:?})", found.uid, found.title);
        context
            .adopted(object, &what, decision::lost(found).as_deref())
            .await;
    }
    let fields: &[&str] = match decision {
        Decision::Update(fields) => fields,
        _ => &[DELETED],
    };
    let stored = object.status.as_ref().and_then(|status| status.stored.as_deref());
    let is_drift = was_in_grafana(object, &rule.uid) && decision::is_drift(stored, found);
    info!(
        namespace = object.ns(),
        name = object.id(),
        uid = rule.uid,
        ?decision,
        is_drift,
        "rule written"
    );
    Ok(is_drift.then(|| Drift {
        fields: fields.iter().map(|field| (*field).to_owned()).collect(),
        corrected_at: Time(context.now()),
    }))
}

/// Whether the rule has been in Grafana as this generation asks for it.
fn was_in_grafana(object: &AlertRule, uid: &str) -> bool {
    object.status.as_ref().is_some_and(|status| {
        status.uid.as_deref() == Some(uid)
            && condition::is_ready(&status.conditions, object.metadata.generation)
    })
}

/// Removes a rule that has no resource.
pub(super) async fn remove(instance: &Arc<Instance>, uid: &str) -> Result<(), Failure> {
    let turn = instance.object(uid).await;
    let Some(found) = mirrored::find(instance, uid).await? else {
        return Ok(());
    };
    let turns = (turn, instance.group(&found.folder_uid, &found.group).await);
    mirrored::delete(instance, &turns, uid).await
}

impl AlertRule {
    /// Under which uid Grafana holds the rule, or would, as far as is known while it isn't connected.
    fn uid(&self, context: &Context) -> String {
        let running = context.running.read().get(self.instance()).cloned();
        running.map_or_else(
            || {
                let given = self.spec.uid.clone();
                given.unwrap_or_else(|| context.owner.rule_uid(self.ns(), self.id()))
            },
            |instance| mirrored::uid(self, &instance),
        )
    }

    /// Whether a rule carries this resource's mark, the present one or one of a former owner id.
    fn was_ours(&self, found: Option<&FoundRule>, instance: &Instance) -> bool {
        let mark = found.and_then(|found| found.owner.as_deref());
        mark.is_some_and(|mark| instance.owners.marks(mark, self.ns(), self.id()))
    }

    /// Whether a rule is to be taken over and may be: never from another resource.
    fn may_adopt(&self, found: Option<&FoundRule>, instance: &Instance, context: &Context) -> bool {
        let mark = found.and_then(|found| found.owner.as_deref());
        let maker = mark.and_then(|mark| instance.owners.resource(mark));
        let is_managed = maker.is_some_and(|(namespace, name)| {
            let maker = ObjectRef::new(name).within(namespace);
            context.stores.rules.get(&maker).is_some()
        });
        !is_managed && instance.adopts(self)
    }

    /// Says that the rule that the status names stays, because it carries somebody else's mark.
    async fn leave_behind(&self, found: &FoundRule, instance: &Instance, context: &Context) {
        let whose = match found.owner.as_deref() {
            None => "carries no mark of this operator any more".to_owned(),
            Some(mark) => format!(
                "carries the mark {mark}, which isn't this resource's. If it begins with a former owner id of this operator, delete the rule in Grafana, and name that id in spec.previousOwnerIDs of GrafanaInstance {} for all others",
                instance.name
            ),
        };
        let note = format!("Grafana's rule {} stays there: it {whose}", found.uid);
        context
            .event(
                &self.object_ref(&()),
                EventType::Warning,
                "LeftBehind",
                "Delete",
                &note,
            )
            .await;
    }

    fn report(
        &self,
        context: &Context,
        instance: &Instance,
        wish: &Wish,
        folder: &folder::Place,
        drift: Option<Drift>,
        warnings: Vec<String>,
    ) -> Report<AlertRuleStatus> {
        let mut status = self.status.clone().unwrap_or_default();
        status.uid = Some(wish.rule.uid.clone());
        status.folder = Some(folder.title.clone());
        status.folder_uid = Some(folder.uid.clone());
        status.group = Some(wish.rule.rule_group.clone());
        status.url = Some(links::rule(instance.external_url(), &wish.rule.uid));
        status.stored = Some(RuleDigest::of(&wish.rule).fingerprint());
        if drift.is_some() {
            status.last_drift = drift;
        }
        let key = (self.ns().to_owned(), self.id().to_owned());
        let (state, message) = if wish.rule.is_paused {
            (Some("Paused"), None)
        } else {
            let known = instance.states.read();
            let seen = known.get(&key);
            let message = seen.and_then(|seen| seen.message.clone());
            (seen.and_then(|seen| state_word(seen.state)), message)
        };
        // Until Grafana has evaluated the rule, or while it can't say, the last state stands.
        if let Some(state) = state
            && status.state.as_deref() != Some(state)
        {
            status.state = Some(state.to_owned());
            status.state_since = Some(Time(context.now()));
        }
        if state.is_some() {
            status.state_message = state_message::kept(status.state_message, message);
        }
        Report {
            warnings,
            ..Report::synced(status, "stored in Grafana")
        }
    }
}

fn state_word(state: AlertState) -> Option<&'static str> {
    match state {
        AlertState::Unknown => None,
        AlertState::Normal => Some("Normal"),
        AlertState::Recovering => Some("Recovering"),
        AlertState::Pending => Some("Pending"),
        AlertState::NoData => Some("NoData"),
        AlertState::Error => Some("Error"),
        AlertState::Firing => Some("Firing"),
    }
}
