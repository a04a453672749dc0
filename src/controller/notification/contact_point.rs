//! ContactPoint: resolve, decide, apply, report.

use std::sync::Arc;
use std::time::{Duration, Instant};

use kube::runtime::events::EventType;
use kube::{Resource, ResourceExt};
use tracing::info;

use super::maker::makers;
use super::tree;
use super::users::Users;
use crate::api::condition::Reason;
use crate::api::reference::DeletionPolicy;
use crate::api::{ANNOTATION_RESEND, ContactPoint, ContactPointStatus};
use crate::cluster::{namespace, secrets};
use crate::controller::connection::Instance;
use crate::controller::context::Context;
use crate::controller::engine::by::{By, named};
use crate::controller::engine::claim::Key;
use crate::controller::engine::failure::{Failure, Retry};
use crate::controller::engine::managed::Managed;
use crate::controller::engine::turns::Turn;
use crate::controller::pass::{self, Reconcile, Report};
use crate::domain::links;
use crate::domain::notification::contact_point::decision::{self, Plan, Step};
use crate::domain::notification::contact_point::{self, Integration, Secrets};
use crate::grafana::Grafana;
use crate::grafana::api::Provenance;
use crate::grafana::mirror::{Lookup, Subject};
use crate::grafana::wire;

/// How soon a deletion that waits for the policy tree looks again by itself: nothing tells when the namespace goes too.
const IN_USE: Duration = Duration::from_secs(10);

impl Reconcile for ContactPoint {
    async fn reconcile(&self, context: &Context) -> Result<Report<ContactPointStatus>, Failure> {
        let instance = context.instance(self)?;
        let name = contact_point::name(&self.spec, self.id()).to_owned();
        let (wish, values) = self.wish(context).await?;
        let resend = self.annotation(ANNOTATION_RESEND).map(str::to_owned);
        let is_resend =
            self.status.as_ref().is_some_and(|status| status.resent != resend) && resend.is_some();
        let secret_texts: Vec<&str> = values.values().map(String::as_str).collect();
        let synced = sync(self, &instance, context, &name, &wish, is_resend, &secret_texts).await?;
        if synced.is_written {
            // Policies wait for contact points that aren't in Grafana, be they new or lost with the whole Grafana, and for those of which
            // nothing is known while they are written.
            let policies = &context.triggers.policies;
            let here = By::Receiver(named(self.ns(), self.id()));
            policies.all_by(&context.stores.policies, &here);
            let by_name = By::GrafanaReceiver {
                instance: instance.name.clone(),
                name: name.clone(),
            };
            policies.all_by(&context.stores.policies, &by_name);
        }
        if let Some(taken) = synced.taken {
            context
                .adopted(self, &format!("contact point {name}"), Some(&taken))
                .await;
        }
        let mut status = self.status.clone().unwrap_or_default();
        status.types = Some(
            wish.iter()
                .map(|i| i.contact_point.r#type.as_str())
                .collect::<Vec<_>>()
                .join(","),
        );
        status.url = Some(links::contact_points(instance.external_url()));
        status.name = Some(name);
        status.resent = resend;
        Ok(Report {
            warnings: contact_point::warnings(&self.spec),
            ..Report::synced(
                status,
                "stored in Grafana; it takes effect at Grafana's next poll of its configuration, 60 s by default",
            )
        })
    }

    async fn mistake(&self, context: &Context) -> Option<Failure> {
        self.wish(context).await.err()
    }

    fn may_be_stored(&self, context: &Context) -> bool {
        let own = decision::uids(&self.spec, &context.owner, self.ns(), self.id());
        let running = context.running.read().get(self.instance()).cloned();
        self.status.as_ref().is_some_and(|status| status.name.is_some())
            || running.is_some_and(|instance| {
                // Remembered before the write that makes it.
                instance.memory().is_ok_and(|memory| {
                    memory.read(|memory| own.iter().any(|uid| memory.sent.contains_key(uid)))
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
        // Of a Grafana that has never answered there is nothing to forget.
        let forget = async || match instance.memory() {
            Ok(memory) => {
                memory
                    .update(|memory| own.iter().for_each(|uid| drop(memory.sent.remove(uid))))
                    .await
            }
            Err(_) => Ok(()),
        };
        if instance.deletion_policy(self.spec.deletion_policy) == DeletionPolicy::Orphan {
            let _writer = instance.rights.notifications.lock().await;
            return Ok(forget().await?);
        }
        let name = contact_point::name(&self.spec, self.id()).to_owned();
        let turn = instance.rights.notifications.lock().await;
        let is_ours =
            |i: &wire::ContactPoint| decision::is_made_for(i, &instance.owners, (self.ns(), self.id()));
        // Whoever refers to what somebody else made under this name doesn't refer to this resource.
        let known = match known(&instance, &name) {
            Some(known) => known,
            None => fresh(&instance, &name).await?,
        };
        let is_there = known.iter().any(is_ours);
        let users = Users::of(&instance, context, &name);
        let is_terminating = async || namespace::is_terminating(&context.client, self.ns()).await;
        if is_there && users.is_any() {
            let who = users.still_refer();
            if !is_terminating().await? {
                return Err(in_use(format!("{who} to it")));
            }
            // A namespace must never hang on its contact points.
            if !users.is_only_the_tree() || !tree::replace_receiver(&instance, &turn, &name).await? {
                self.leave(context, &format!("{who} to contact point {name}"))
                    .await;
                return Ok(forget().await?);
            }
        }
        let found = fresh(&instance, &name).await?;
        let (ours, left): (Vec<_>, Vec<_>) = found.into_iter().partition(is_ours);
        for integration in &ours {
            let deleted = take(&instance, &turn, &name, &Step::Delete(integration.uid.clone())).await;
            match deleted {
                // What the mirror doesn't show: a rule that the credentials can't see, or one of this very minute.
                Err(error) if error.is_in_use() => {
                    let who = crate::cluster::answer::chain(&error);
                    if !is_terminating().await? {
                        return Err(in_use(who));
                    }
                    self.leave(context, &who).await;
                    return Ok(forget().await?);
                }
                result => result.map_err(|e| instance.suspect(e.into()))?,
            }
        }
        instance.mirror.write(|held| {
            held.contact_points
                .written(name, (!left.is_empty()).then_some(left));
        });
        Ok(forget().await?)
    }
}

impl ContactPoint {
    /// The integrations that Grafana should hold, with the Secrets' values that they were made from. Needs no Grafana.
    async fn wish(&self, context: &Context) -> Result<(Vec<Integration>, Secrets), Failure> {
        let name = contact_point::name(&self.spec, self.id());
        let key = Key::ContactPoint(context.claims.place(self.instance()), name.to_owned());
        if let Some((older, _)) = context.claims.ahead(&key, self) {
            return Err(Failure::new(
                Reason::Conflict,
                format!(
                    "spec.name: ContactPoint {} is older and has the name {name} in Grafana; choose another",
                    older.path()
                ),
                Retry::OnChange,
            ));
        }
        let values =
            secrets::read(&context.client, self.ns(), contact_point::secret_refs(&self.spec)).await?;
        let wish = contact_point::integrations(&self.spec, &context.owner, self.ns(), self.id(), &values)?;
        Ok((wish, values))
    }

    /// Says that the contact point stays in Grafana, and why.
    async fn leave(&self, context: &Context, why: &str) {
        context
            .event(
                &self.object_ref(&()),
                EventType::Warning,
                "LeftBehind",
                "Delete",
                &format!("{why}, so it stays in Grafana"),
            )
            .await;
    }
}

/// The deletion waits for somebody to let go of it.
fn in_use(message: String) -> Failure {
    Failure::new(Reason::InUse, message, Retry::After(IN_USE))
}

/// What became of a contact point.
#[derive(Default)]
struct Synced {
    /// Whether anything was written.
    is_written: bool,
    /// Those integrations of somebody else, by name, that had to go because the contact point was taken over.
    taken: Option<String>,
}

/// Brings the integrations of this name to what is wished.
async fn sync(
    object: &ContactPoint,
    instance: &Arc<Instance>,
    context: &Context,
    name: &str,
    wish: &[Integration],
    is_resend: bool,
    secret_texts: &[&str],
) -> Result<Synced, Failure> {
    let memory = instance.memory()?;
    let decide = |found: &[wire::ContactPoint]| {
        memory.read(|memory| {
            decision::decide(
                wish,
                found,
                is_resend,
                |found| decision::is_made_for(found, &instance.owners, (object.ns(), object.id())),
                |integration| {
                    memory.sent.get(&integration.contact_point.uid)
                        == Some(&memory.code(&decision::message(integration)))
                },
            )
        })
    };
    if let Some(plan) = known(instance, name).map(|known| decide(&known))
        && plan.steps.is_empty()
        && plan.foreign.is_empty()
    {
        return Ok(Synced::default());
    }
    let turn = instance.rights.notifications.lock().await;
    // A POST under a name that somebody else has just taken would join it, so the look is fresh.
    let found = fresh(instance, name).await?;
    let plan = decide(&found);
    refuse_what_is_not_ours(object, instance, context, (name, &found), &plan)?;
    let messages: Vec<_> = wish.iter().map(decision::message).collect();
    let sent = (messages, object.annotation(ANNOTATION_RESEND));
    let attempt = instance
        .refused
        .attempt(format!("contact point {name}"), &sent, Instant::now())?;
    // Remembered before the writes: a crash in between leaves what is new to nobody, and nothing unsent that is sent only for its neighbours.
    let open: Vec<String> = memory.read(|memory| {
        let is_sent = |i: &Integration| {
            memory.sent.get(&i.contact_point.uid) == Some(&memory.code(&decision::message(i)))
        };
        let open = plan.steps.iter().filter_map(|step| match step {
            Step::Create(i) => (!memory.sent.contains_key(&i.contact_point.uid)).then_some(i),
            Step::Update(i) => (plan.steps.len() > 1 && is_sent(i)).then_some(i),
            Step::Delete(_) => None,
        });
        open.map(|i| i.contact_point.uid.clone()).collect()
    });
    if !open.is_empty() {
        memory
            .update(|memory| {
                memory
                    .sent
                    .extend(open.iter().map(|uid| (uid.clone(), String::new())));
            })
            .await?;
    }
    let foreign = plan.foreign.iter().map(|uid| Step::Delete(uid.clone()));
    let written = write(
        instance,
        &turn,
        name,
        plan.steps.iter().cloned().chain(foreign),
        secret_texts,
    )
    .await;
    info!(
        namespace = object.ns(),
        name = object.name_any(),
        sent = written.sent.len(),
        deleted = written.gone.len(),
        "contact point written"
    );
    memory
        .update(|memory| {
            for integration in &written.sent {
                let code = memory.code(&decision::message(integration));
                memory.sent.insert(integration.contact_point.uid.clone(), code);
            }
            for uid in &written.gone {
                memory.sent.remove(uid);
            }
        })
        .await?;
    attempt.ended(written.failure.map_or(Ok(()), Err), Instant::now())?;
    instance.mirror.write(|held| {
        let now_there = wish.iter().map(decision::as_found).collect();
        held.contact_points.written(name.to_owned(), Some(now_there));
    });
    let is_taken_over = !plan.is_ours && !plan.foreign.is_empty();
    Ok(Synced {
        is_written: true,
        taken: is_taken_over.then(|| decision::names(&found, &plan.foreign)),
    })
}

/// Fails if somebody else has made the contact point, and it isn't to be taken over or can't be.
fn refuse_what_is_not_ours(
    object: &ContactPoint,
    instance: &Instance,
    context: &Context,
    (name, found): (&str, &[wire::ContactPoint]),
    plan: &Plan,
) -> Result<(), Failure> {
    if plan.is_out_of_reach() {
        return Err(Failure::new(
            Reason::NotOwned,
            format!(
                "spec.name: Grafana's own contact point {name} has an integration without a uid, which can be neither replaced nor deleted by its API; choose another name"
            ),
            Retry::OnChange,
        ));
    }
    if plan.foreign.is_empty() || plan.is_ours {
        return Ok(());
    }
    // Two that took it over from each other would never come to rest.
    if let Some(maker) = makers(name, found, instance, context).first() {
        return Err(Failure::new(
            Reason::NotOwned,
            format!(
                "spec.name: ContactPoint {}/{} has made the contact point {name} that Grafana has; choose another name",
                maker.ns(),
                maker.id()
            ),
            Retry::OnChange,
        ));
    }
    if !instance.adopts(object) {
        return Err(Failure::new(
            Reason::NotOwned,
            format!(
                "spec.name: Grafana has a contact point {name} that this resource didn't make; choose another name, or {}. Its integrations would be lost for good then: {}",
                instance.how_to_adopt(object.ns()),
                decision::names(found, &plan.foreign)
            ),
            Retry::OnChange,
        ));
    }
    Ok(())
}

/// How far the writes of one contact point came.
#[derive(Default)]
struct Written {
    sent: Vec<Integration>,
    gone: Vec<String>,
    failure: Option<Failure>,
}

/// Takes the steps one after the other, up to the first that fails.
async fn write(
    instance: &Arc<Instance>,
    turn: &Turn,
    name: &str,
    steps: impl Iterator<Item = Step>,
    secret_texts: &[&str],
) -> Written {
    let mut written = Written::default();
    for step in steps {
        if let Err(error) = take(instance, turn, name, &step).await {
            written.failure = Some(instance.suspect(error.redact(secret_texts).into()));
            break;
        }
        match step {
            Step::Create(i) | Step::Update(i) => written.sent.push(*i),
            Step::Delete(uid) => written.gone.push(uid),
        }
    }
    written
}

/// Takes one step. What the contact point then is isn't known before the last one.
async fn take(instance: &Arc<Instance>, turn: &Turn, name: &str, step: &Step) -> crate::grafana::Result<()> {
    let step = step.clone();
    let call = async |grafana: Grafana| {
        let notifications = &grafana.notifications;
        match step {
            Step::Create(i) => {
                notifications
                    .create_contact_point(&i.contact_point, Provenance::Api)
                    .await
            }
            Step::Update(i) => {
                notifications
                    .update_contact_point(&i.contact_point, Provenance::Api)
                    .await
            }
            Step::Delete(uid) => notifications.delete_contact_point(&uid).await,
        }
    };
    let subject = Subject::ContactPoint(name.to_owned());
    instance.write(turn.clone(), subject, call, |_, ()| {}).await
}

/// What Grafana holds under this name, as far as is known.
fn known(instance: &Instance, name: &str) -> Option<Vec<wire::ContactPoint>> {
    let known = instance
        .mirror
        .read(|held| held.contact_points.lookup(&name.to_owned()).cloned());
    match known {
        Lookup::Present(found) => Some(found),
        Lookup::Absent => Some(Vec::new()),
        Lookup::Unknown => None,
    }
}

/// What Grafana holds under this name right now.
async fn fresh(instance: &Instance, name: &str) -> Result<Vec<wire::ContactPoint>, Failure> {
    instance
        .grafana
        .notifications
        .contact_points_named(name)
        .await
        .map_err(|e| instance.suspect(e.into()))
}
