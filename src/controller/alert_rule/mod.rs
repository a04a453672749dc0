//! AlertRule: resolve, decide, apply, report.

mod apply;
mod drifted;
pub mod folder;
pub mod import;
mod mirrored;
mod rivals;
pub(super) mod state;
mod title;

pub(in crate::controller) use mirrored::{is_named, is_original};

use std::sync::Arc;

use kube::runtime::reflector::ObjectRef;

use self::rivals::Rivals;
use super::context::Context;
use super::pass::{self, Reconcile, Report};
use crate::api::condition::Reason;
use crate::api::duration;
use crate::api::reference::DeletionPolicy;
use crate::api::{AlertRule, AlertRuleStatus};
use crate::controller::connection::{self, Facts, Instance};
use crate::controller::engine::failure::Failure;
use crate::controller::engine::managed::Managed;
use crate::controller::engine::turns::crowd::Company;
use crate::controller::notification::{interval, known, receiver, rule_tree};
use crate::domain::lint::mistakes;
use crate::domain::notification::settings::{self, Way};
use crate::domain::ownership::Owners;
use crate::domain::refusal::Refusal;
use crate::domain::rule::decision;
use crate::domain::rule::{self, Surroundings, Wish, identity};
use crate::domain::version::Version;
use crate::domain::version::links;
use crate::grafana::api::FoundRule;
use crate::grafana::mirror::{Lookup, Part};
use crate::grafana::model::NotificationSettings;

impl Reconcile for AlertRule {
    async fn reconcile(&self, context: &Context) -> Result<Report<AlertRuleStatus>, Failure> {
        let instance = context.instance(self)?;
        let facts = instance.facts()?;
        identity::check(self.spec.uid.as_deref(), &instance.owners, (self.ns(), self.id()))?;
        let uid = mirrored::uid(self, &instance);
        Rivals::of(self, context, &uid).refuse(self, facts.version)?;
        let (target, intervals) = (settings::target(&self.spec), settings::intervals(&self.spec));
        known::ensure(target, intervals, self.ns(), context, &instance).await?;
        // What can't be carried out makes no folder either.
        let mut wish = wish(self, context, &instance, &facts, &uid)?;
        // A write of a pass that was cut off may still be under way.
        let turn = instance.object(&uid).await;
        if pass::is_asked(self) {
            mirrored::look(&instance, &uid).await?;
        }
        if let Some(report) = self.drifted(context, &instance, &wish).await? {
            return Ok(report);
        }
        let folder = folder::ensure(&instance, self, &facts).await?;
        for other in context.claims.settle(self, &folder.uid) {
            context.triggers.rules.one(&other.namespace, &other.name);
        }
        // Others may name the folder otherwise.
        Rivals::of(self, context, &uid).refuse(self, facts.version)?;
        wish.rule.folder_uid.clone_from(&folder.uid);
        let found = mirrored::find(&instance, &wish.rule.uid).await?;
        let label = instance.owners.now().label(self.ns(), self.id());
        let is_ours = self.spec.uid.is_none() || self.was_ours(found.as_ref(), &instance);
        let may_claim = is_ours || self.may_adopt(found.as_ref(), &instance, context);
        let decision = decision::decide(&wish.rule, found.as_ref(), &label, may_claim);
        let applied = apply::apply(self, context, &instance, &turn, &wish, &decision, found.as_ref()).await?;
        Ok(self.report(context, &instance, wish, &folder, applied))
    }

    async fn mistake(&self, context: &Context) -> Option<Failure> {
        let declared = context.declared_instance(self.instance());
        let prefix = declared.as_ref().and_then(|i| i.spec.folder_prefix.as_deref());
        let id = (self.ns(), self.id());
        let former = declared.as_ref().map_or(&[][..], |i| &i.spec.previous_owner_ids);
        let owners = Owners::new(context.owner.clone(), former);
        let own = mistakes::of_rule(&self.spec, &owners, id, prefix.unwrap_or_default());
        // Whether titles must differ depends on the version.
        let refusal = own
            .and_then(|()| Rivals::of(self, context, &self.uid(context)).refuse(self, Version::SAME_TITLES));
        refusal.err().map(Failure::from)
    }

    fn may_be_stored(&self, context: &Context) -> bool {
        let uid = self.uid(context);
        self.status.as_ref().is_some_and(|status| status.uid.is_some())
            || context.connection(self.instance()).is_some_and(|instance| {
                instance.mirror.read(|held| match held.rules.lookup(&uid) {
                    Lookup::Present(found) => self.was_ours(Some(found), &instance),
                    Lookup::Absent => false,
                    // Before anything was read nothing was written either.
                    Lookup::Unknown => held.rules.is_loaded(),
                })
            })
    }

    fn company(&self, context: &Context) -> Option<Company> {
        let folder = self.spec.folder_uid.as_deref().or(self.spec.folder.as_deref());
        let group = rule::group(&self.spec, self.id());
        let running = context.running.read();
        let instance = running.get(self.instance());
        Some(Company {
            writes: format!("{}/{group}", folder.unwrap_or(self.ns())),
            approaches: instance.map(|instance| instance.rights.approaches.clone()),
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
                let held_something = found.receiver.is_some() || found.tree.is_some();
                mirrored::delete(&instance, &turn, found).await?;
                if held_something {
                    context.tell_waiting(&instance.name);
                }
            } else if reported.as_ref() == Some(&uid) {
                self.leave_behind(&found, &instance, context).await;
            }
        }
        Ok(())
    }
}

fn wish(
    object: &AlertRule,
    context: &Context,
    instance: &Instance,
    facts: &Facts,
    uid: &str,
) -> Result<Wish, Failure> {
    let spec = &object.spec;
    let source = if rule::needs_source(spec) {
        let default = instance.spec.default_datasource.as_ref();
        Some(seen(
            instance,
            connection::source(facts, spec.datasource.as_ref(), default),
        )?)
    } else {
        None
    };
    let target = spec
        .record
        .as_ref()
        .and_then(|record| record.target_datasource.as_ref());
    let target = target.map(|target| connection::named(facts, rule::record::TARGET, target));
    let target = seen(instance, target.transpose())?;
    let notification = notification(object, context, instance, facts, uid)?;
    let mut wish = rule::wish(
        spec,
        &Surroundings {
            owner: instance.owners.now(),
            uid,
            namespace: object.ns(),
            name: object.id(),
            labels: &instance.spec.labels,
            source,
            target,
            notification: notification.as_ref(),
            external_url: instance.external_url(),
            version: facts.version,
            toggles: facts.toggles,
            min_interval: facts.min_interval,
        },
    )?;
    // What can't be seen may be there.
    if instance.check(&[Part::DataSources]).is_ok() {
        wish.warnings.extend(rule::unknown_sources(spec, &facts.sources));
    }
    let doubts = rule::doubts(spec, &facts.sources);
    wish.warnings.extend(doubts.iter().map(ToString::to_string));
    Ok(wish)
}

/// A data source that was looked for: what can't be seen may be there.
fn seen<T>(instance: &Instance, found: Result<T, Refusal>) -> Result<T, Failure> {
    if found.is_err() {
        instance.check(&[Part::DataSources])?;
        instance.suspicion.of_sources();
    }
    Ok(found?)
}

/// What the rule's own notification settings become in Grafana, if it has some.
fn notification(
    object: &AlertRule,
    context: &Context,
    instance: &Instance,
    facts: &Facts,
    uid: &str,
) -> Result<Option<NotificationSettings>, Failure> {
    let spec = &object.spec;
    if spec.notification_settings.is_none() {
        return Ok(None);
    }
    // What this Grafana can't hold waits for nothing.
    settings::refuse_what_is_too_new(spec, facts.version, facts.toggles)?;
    if !settings::intervals(spec).is_empty() {
        instance.check(&[Part::TimeIntervals])?;
    }
    let way = if let Some(tree) = settings::tree(spec) {
        rule_tree::reach(
            &settings::place_of_policy(spec),
            "For the default tree leave notificationSettings out",
            instance,
        )?;
        instance.check(&[Part::Policy])?;
        let name = rule_tree::name_of(&tree, object.ns(), context, instance);
        name.map(Way::Tree)
            .map_err(|refusal| settings::at_policy(spec, refusal))
            .map(Some)
    } else if let Some(target) = settings::target(spec) {
        instance.check(&[Part::ContactPoints])?;
        let name = receiver::name_of(&target, object.ns(), context, instance);
        name.map(Way::Receiver)
            .map_err(|refusal| settings::at_receiver(spec, refusal))
            .map(Some)
    } else {
        Ok(None)
    };
    let settings = way.and_then(|way| {
        settings::settings(spec, way, |wanted| {
            interval::name_of(wanted, object.ns(), context, instance)
        })
    });
    let settings = settings.map_err(|refusal| {
        if refusal.reason != Reason::DependencyMissing {
            return refusal;
        }
        // What Grafana has refused for want of it is another thing once it is there.
        instance.refused.forget(uid);
        goes_on(refusal, instance, uid)
    });
    Ok(settings?)
}

/// Says as well which way the alerts of a rule go on that is in Grafana: it stays as it is there, for they shall reach somebody.
fn goes_on(refusal: Refusal, instance: &Instance, uid: &str) -> Refusal {
    let found = instance
        .mirror
        .read(|held| held.rules.lookup(uid).cloned().present());
    let way = found.and_then(|found| match (found.receiver, found.tree) {
        (Some(receiver), _) => Some(format!("to contact point {receiver}")),
        (None, Some(tree)) => Some(format!("through the policy tree {tree}")),
        (None, None) => None,
    });
    let Some(way) = way else { return refusal };
    let message = format!(
        "{}. Until then the rule in Grafana stays as it is, and its alerts go on {way}",
        refusal.message
    );
    Refusal { message, ..refusal }
}

/// Removes a rule that has no resource.
pub(super) async fn remove(instance: &Arc<Instance>, uid: &str) -> Result<(), Failure> {
    let turn = instance.object(uid).await;
    let Some(found) = mirrored::find(instance, uid).await? else {
        return Ok(());
    };
    mirrored::delete(instance, &turn, found).await
}

impl AlertRule {
    /// Under which uid Grafana holds the rule, or would, as far as is known while it isn't connected.
    fn uid(&self, context: &Context) -> String {
        context.connection(self.instance()).map_or_else(
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
        context.left_behind(self, &instance.name, &note).await;
    }

    fn report(
        &self,
        context: &Context,
        instance: &Instance,
        wish: Wish,
        folder: &folder::Place,
        applied: apply::Applied,
    ) -> Report<AlertRuleStatus> {
        let mut status = self.status.clone().unwrap_or_default();
        status.uid = Some(wish.rule.uid.clone());
        status.folder = Some(folder.title.clone());
        status.folder_uid = Some(folder.uid.clone());
        status.stored = Some(decision::fingerprint(&wish.rule, &applied.stored));
        status.group = applied.stored.group;
        status.url = Some(links::rule(instance.external_url(), &wish.rule.uid));
        if applied.drift.is_some() {
            context.metrics.drift_corrected(Self::KIND);
            status.last_drift = applied.drift;
        }
        let key = (self.ns().to_owned(), self.id().to_owned());
        let known = instance.states.read();
        state::show(&mut status, wish.rule.is_paused, known.get(&key), context.now());
        drop(known);
        let mut warnings = wish.warnings;
        warnings.extend(applied.kept.map(|kept| {
            format!(
                "spec.interval: the group keeps its {}, because its rule {} isn't ours, or only one of the two is editable; choose another group",
                duration::format(kept.interval),
                kept.because_of
            )
        }));
        Report {
            warnings,
            ..Report::synced(status, "stored in Grafana")
        }
    }
}
