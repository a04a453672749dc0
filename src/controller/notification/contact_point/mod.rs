//! ContactPoint: resolve, decide, apply, report.

mod delivered;
mod equal;
mod holds;
mod look;
pub(in crate::controller) mod revision;
mod sent;
mod stored;
mod strangers;

use std::sync::Arc;
use std::time::{Duration, Instant};

use kube::runtime::events::EventType;

use super::tree;
use super::users::{Users, rule_uid};
use crate::api::condition::Reason;
use crate::api::reference::DeletionPolicy;
use crate::api::{ANNOTATION_RESEND, ContactPoint, ContactPointStatus};
use crate::cluster::{namespace, referenced};
use crate::controller::connection::Instance;
use crate::controller::context::Context;
use crate::controller::engine::by::{By, named};
use crate::controller::engine::claim::{Key, standing};
use crate::controller::engine::failure::{Failure, Retry};
use crate::controller::engine::managed::Managed;
use crate::controller::pass::{self, Reconcile, Report};
use crate::domain::notification::contact_point::decision;
use crate::domain::notification::contact_point::{self, Integration, Values};
use crate::domain::notification::delivery::Before;
use crate::domain::version::links;
use crate::grafana::mirror::{Lookup, Subject};
use crate::grafana::model;
pub(super) use equal::uids;
pub(super) use look::know;
use look::{fresh, integrations, known};
use sent::Corrected;
use stored::{remove, sync};

/// How soon a deletion that waits for the policy tree looks again by itself: nothing tells when the namespace goes too.
const IN_USE: Duration = Duration::from_secs(10);

impl Reconcile for ContactPoint {
    async fn reconcile(&self, context: &Context) -> Result<Report<ContactPointStatus>, Failure> {
        let instance = context.instance(self)?;
        let name = contact_point::name(&self.spec, self.id()).to_owned();
        let (mut wish, values) = self.wish(context).await?;
        contact_point::refuse_what_is_too_new(&self.spec, instance.facts()?.version)?;
        let subject = Subject::ContactPoint(name.clone());
        let is_only_asked = instance.mirror.read(|held| held.is_doubted(&subject));
        let is_taken = equal::claim(self, &instance, context, (&name, &wish)).await?;
        instance
            .memory()?
            .read(|memory| equal::keep_uids(memory, &mut wish));
        let resend = self.annotation(ANNOTATION_RESEND).map(str::to_owned);
        let is_resend =
            self.status.as_ref().is_some_and(|status| status.resent != resend) && resend.is_some();
        instance
            .spoken
            .note(&name, values.secrets.values(), Instant::now());
        let synced = sync(self, &instance, context, &name, &wish, is_resend).await?;
        // What was read only because somebody asked for it is no news.
        let is_news = synced.is_sent || (synced.is_written && !is_only_asked);
        if is_news {
            instance.deliveries.write().forget(&name);
            // It may call templates no more.
            context.tell_deleted_templates(&instance.name);
            // Policies and rules wait for contact points that aren't in Grafana, be they new or lost with the whole Grafana, and for those
            // of which nothing is known while they are written.
            tree::try_anew(&instance);
            let by_name = By::GrafanaReceiver {
                instance: instance.name.clone(),
                name: name.clone(),
            };
            for receiver in [By::Receiver(named(self.ns(), self.id())), by_name] {
                for rule in context.stores.rules.by(&receiver) {
                    instance.refused.forget(&rule_uid(&rule, &instance));
                }
                context.tell_referrers(&receiver);
            }
        }
        if synced.corrected.is_some() {
            context.metrics.drift_corrected(Self::KIND);
        }
        if synced.corrected == Some(Corrected::Hidden) {
            let note = format!(
                "somebody has changed in Grafana what it hides of contact point {name}; it was sent again"
            );
            context
                .event_of(self, EventType::Warning, "Drift", "Reconcile", &note)
                .await;
        }
        if let Some(taken) = synced.taken.or_else(|| is_taken.then(String::new)) {
            let lost = Some(taken.as_str()).filter(|lost| !lost.is_empty());
            context
                .adopted(self, &format!("contact point {name}"), lost)
                .await;
        }
        if synced.drift.is_empty() {
            instance.spoken.stored(&name, Instant::now());
        }
        if let Some(failure) = synced.besides {
            return Err(failure);
        }
        let mut status = self.status.clone().unwrap_or_default();
        let before = match (is_news, pass::is_told(self)) {
            (true, _) => Before::IsVoid(instance.deliveries.read().void(&name)),
            (false, false) => Before::IsDue,
            (false, true) => Before::Stands,
        };
        delivered::tell(self, &instance, context, &name, before, &mut status).await;
        status.types = Some(
            wish.iter()
                .map(|i| i.sent.r#type.as_str())
                .collect::<Vec<_>>()
                .join(","),
        );
        status.url = Some(links::contact_points(instance.external_url()));
        status.name = Some(name);
        status.resent = resend;
        let stored =
            "stored in Grafana; it takes effect at Grafana's next poll of its configuration, 60 s by default";
        let report = Report {
            warnings: contact_point::warnings(&self.spec),
            ..Report::synced(status, stored)
        };
        Ok(report.drifted(synced.drift))
    }

    async fn mistake(&self, context: &Context) -> Option<Failure> {
        self.wish(context).await.err()
    }

    fn decided_by(&self, _: &Instance) -> Option<Subject> {
        Some(Subject::ContactPoint(
            contact_point::name(&self.spec, self.id()).to_owned(),
        ))
    }

    fn may_be_stored(&self, context: &Context) -> bool {
        let own = decision::uids(&self.spec, &context.owner, self.ns(), self.id());
        let running = context.connection(self.instance());
        self.status.as_ref().is_some_and(|status| status.name.is_some())
            || running.is_some_and(|instance| {
                // Remembered before the write that makes it.
                instance.memory().is_ok_and(|memory| {
                    memory.read(|memory| {
                        let own = equal::uids(memory, own);
                        own.iter().any(|uid| memory.sent.contains_key(uid))
                    })
                })
            })
    }

    fn mark_stored(&self, _: &Context, status: &mut ContactPointStatus) {
        status
            .name
            .get_or_insert_with(|| contact_point::name(&self.spec, self.id()).to_owned());
    }

    async fn clean_up(&self, context: &Context) -> Result<(), Failure> {
        let Some(instance) = pass::leaving(self, context).await? else {
            return Ok(());
        };
        let own = decision::uids(&self.spec, &context.owner, self.ns(), self.id());
        let name = contact_point::name(&self.spec, self.id()).to_owned();
        // Of a Grafana that has never answered there is nothing to forget. What was there counts too: the specification may not be readable.
        let forget = async |gone: &[String]| match instance.memory() {
            Ok(memory) => {
                instance.spoken.retire(&name, Instant::now());
                memory
                    .update(|memory| {
                        let (derived, mut own) = (&own, equal::uids(memory, own.clone()));
                        own.extend_from_slice(gone);
                        // One that never had the name says nothing of whoever has it.
                        if own.iter().any(|uid| memory.sent.contains_key(uid)) {
                            memory.revisions.remove(&name);
                        }
                        memory.sent.retain(|uid, _| !own.contains(uid));
                        let all = &mut memory.kept_uids;
                        all.retain(|uid, kept| !derived.contains(uid) && !gone.contains(kept));
                    })
                    .await
            }
            Err(_) => Ok(()),
        };
        if instance.deletion_policy(self.spec.deletion_policy) == DeletionPolicy::Orphan {
            let _writer = instance.rights.notifications.lock().await;
            return Ok(forget(&[]).await?);
        }
        let turn = instance.rights.notifications.lock().await;
        let is_ours = |i: &model::Integration| self.is_own(i, &instance);
        // Whoever refers to what somebody else made under this name doesn't refer to this resource.
        let known = match known(&instance, &name) {
            Lookup::Unknown => fresh(&instance, &name).await?,
            known => known.present(),
        };
        let is_there = integrations(known.as_ref()).iter().any(is_ours);
        if is_there {
            tree::know_all(&instance).await?;
        }
        let users = Users::of(self, &instance, context, &name);
        let is_terminating = async || namespace::is_terminating(&context.client, self.ns()).await;
        if is_there && users.is_any() {
            let who = users.still_refer();
            if !is_terminating().await? {
                return Err(in_use(format!("{who} to it")));
            }
            // A rule of the same namespace goes too, and lets go of it.
            if users.are_leaving() {
                return Err(in_use(format!("{who} to it")));
            }
            // A namespace must never hang on its contact points.
            if users.are_in_grafana()
                && (!users.is_only_the_tree() || !tree::replace_receiver(&instance, &turn, &name).await?)
            {
                self.leave(context, &format!("{who} to contact point {name}"))
                    .await;
                return Ok(forget(&[]).await?);
            }
        }
        let found = fresh(&instance, &name).await?;
        let ours = integrations(found.as_ref()).iter().filter(|i| is_ours(i));
        let ours: Vec<String> = ours.map(|integration| integration.uid.clone()).collect();
        let Some(found) = found.filter(|_| !ours.is_empty()) else {
            return Ok(forget(&[]).await?);
        };
        let removed = remove(&instance, &turn, found, ours.clone()).await;
        let failure = removed.failure.map(|error| instance.spoken.redact(&name, error));
        match failure {
            // What the mirror doesn't show: a rule that the credentials can't see, or one of this very minute.
            Some(error) if error.is_in_use() => {
                let who = crate::cluster::answer::chain(&error);
                if !is_terminating().await? {
                    // Who it is shows in the next poll.
                    instance.suspicion.of_everything();
                    drop(turn);
                    let gone = removed.gone.len();
                    return Err(in_use(
                        match self.put_back(&instance, context, &name, gone).await {
                            Ok(()) => who,
                            Err(why) => format!(
                                "{who}; {gone} of its integrations are gone, and can't be put back: {}",
                                why.message
                            ),
                        },
                    ));
                }
                if tree::ours_refers(&instance, &name).await?
                    && tree::replace_receiver(&instance, &turn, &name).await?
                {
                    return Err(Failure::again("the policy tree has sent to it until now"));
                }
                self.leave(context, &who).await;
            }
            Some(error) => return Err(instance.suspect(error.into())),
            None => {}
        }
        context.tell_deleted_templates(&instance.name);
        Ok(forget(&ours).await?)
    }
}

impl ContactPoint {
    /// The integrations that Grafana should hold, with the values that they were made from. Needs no Grafana.
    async fn wish(&self, context: &Context) -> Result<(Vec<Integration>, Values), Failure> {
        let name = contact_point::name(&self.spec, self.id());
        let key = Key::ContactPoint(context.claims.place(self.instance()), name.to_owned());
        if let Some((older, _)) = context.ahead(&key, self) {
            return Err(Failure::new(
                Reason::Conflict,
                format!(
                    "spec.name: ContactPoint {} {} has the name {name} in Grafana; choose another",
                    older.path(),
                    standing(&older, self)
                ),
                Retry::OnChange,
            ));
        }
        let (secrets, texts) = contact_point::references(&self.spec);
        let values = Values {
            secrets: referenced::secrets(&context.client, self.ns(), secrets).await?,
            texts: referenced::texts(&context.client, self.ns(), texts).await?,
        };
        let wish = contact_point::integrations(&self.spec, &context.owner, self.ns(), self.id(), &values)?;
        Ok((wish, values))
    }

    /// Whether Grafana has an integration that this resource has made, as far as the mirror shows.
    pub(in crate::controller) fn has_any(&self, instance: &Instance) -> bool {
        let name = contact_point::name(&self.spec, self.id());
        let found = known(instance, name).present();
        let mut all = integrations(found.as_ref()).iter();
        all.any(|i| self.is_own(i, instance))
    }

    /// Whether an integration is this resource's.
    fn is_own(&self, found: &model::Integration, instance: &Instance) -> bool {
        let resource = (self.ns(), self.id());
        match instance.memory() {
            Ok(memory) => memory.read(|memory| equal::is_own(memory, found, &instance.owners, resource)),
            Err(_) => decision::is_made_for(found, &instance.owners, resource),
        }
    }

    /// Makes it whole again, of which so much is gone: integrations go one by one through an API that refuses only the last of what is in use.
    async fn put_back(
        &self,
        instance: &Arc<Instance>,
        context: &Context,
        name: &str,
        gone: usize,
    ) -> Result<(), Failure> {
        if gone == 0 {
            return Ok(());
        }
        let (mut wish, values) = self.wish(context).await?;
        instance
            .memory()?
            .read(|memory| equal::keep_uids(memory, &mut wish));
        instance
            .spoken
            .note(name, values.secrets.values(), Instant::now());
        sync(self, instance, context, name, &wish, false).await?;
        Ok(())
    }

    /// Says that the contact point stays in Grafana, and why.
    async fn leave(&self, context: &Context, why: &str) {
        let note = format!("{why}, so it stays in Grafana");
        context.left_behind(self, self.instance(), &note).await;
    }
}

/// The deletion waits for somebody to let go of it.
fn in_use(message: String) -> Failure {
    Failure::new(Reason::InUse, message, Retry::After(IN_USE))
}
