//! Sending again what Grafana hides of all contact points: because the GrafanaInstance asks for it, or because Grafana was put back.
//!
//! It is forgotten what was sent; then every contact point's own pass sends it, once, and whatever happens in between.

use kube::ResourceExt;
use kube::runtime::events::EventType;
use kube::runtime::reflector::ObjectRef;
use tracing::{info, warn};

use crate::api::{ANNOTATION_RESEND, AlertRule, ContactPoint};
use crate::cluster::answer::chain;
use crate::cluster::memory::{Memory, Remembered};
use crate::controller::connection::Instance;
use crate::controller::context::Context;
use crate::controller::engine::by::Indexed;
use crate::controller::engine::claim::Key;
use crate::controller::engine::managed::Managed;
use crate::controller::engine::store::Store;
use crate::domain::changed::restored::Found;

/// What became of objects that stood as the last poll had shown them and that nobody of us has written since.
#[derive(Debug, Default)]
pub(super) struct Undone {
    /// The marks of rules that are what they were at an earlier time.
    pub(super) older_rules: Vec<String>,
    /// The marks of rules that are gone.
    pub(super) gone_rules: Vec<String>,
    /// The names of contact points that are gone.
    pub(super) gone_contact_points: Vec<String>,
}

impl Undone {
    /// Takes over more.
    pub(super) fn extend(&mut self, more: Self) {
        self.older_rules.extend(more.older_rules);
        self.gone_rules.extend(more.gone_rules);
        self.gone_contact_points.extend(more.gone_contact_points);
    }

    fn is_empty(&self) -> bool {
        let Self {
            older_rules,
            gone_rules,
            gone_contact_points,
        } = self;
        older_rules.is_empty() && gone_rules.is_empty() && gone_contact_points.is_empty()
    }
}

/// Sends again if the GrafanaInstance asks for it by a value of its annotation that wasn't acted upon. What can't be stored now is tried
/// with the next poll or pass.
pub(super) async fn as_asked(instance: &Instance, context: &Context) {
    let (Ok(memory), Some(asked)) = (instance.memory(), Asked::of(instance, context)) else {
        return;
    };
    if memory.read(|memory| asked.is_noted(memory)) {
        return;
    }
    let turn = instance.rights.notifications.lock().await;
    // The poller and the instance's pass both come here.
    if memory.read(|memory| asked.is_noted(memory)) {
        return;
    }
    let count = memory.read(|memory| memory.sent.len());
    let noted = memory.update(|memory| asked.note(memory)).await;
    drop(turn);
    if let Err(error) = noted {
        return cannot(instance, &error);
    }
    if asked.value.is_some() && count > 0 {
        // Who asks wants to see it tried.
        instance.refused.forget_all();
        trigger(context, memory);
        let why = format!("the annotation {ANNOTATION_RESEND} has a new value");
        tell(instance, context, EventType::Normal, "Resend", &why, count).await;
    }
}

/// The value of the annotation, once it was acted upon.
pub(super) fn acted_upon(instance: &Instance, context: &Context) -> Option<String> {
    let asked = Asked::of(instance, context)?;
    let is_noted = instance.memory().ok()?.read(|memory| asked.is_noted(memory));
    asked.value.filter(|_| is_noted)
}

/// Notes what a watch has told, for the next poll.
pub(super) fn told(instance: &Instance, context: &Context, undone: &Undone) {
    if !undone.is_empty() {
        let found = count(instance, context, undone);
        instance.restored.lock().told(found);
    }
}

/// Sends again if what a poll has found shows that Grafana was put back to what it was before.
pub(super) async fn after_poll(instance: &Instance, context: &Context, undone: &Undone) {
    let Ok(memory) = instance.memory() else { return };
    let found = count(instance, context, undone);
    let due = {
        let mut restored = instance.restored.lock();
        restored.poll(found);
        restored.due(context.now())
    };
    let Some(sign) = due else { return };
    let turn = instance.rights.notifications.lock().await;
    // Those that are gone are made anew, secrets and all. Where none is left, that is all there is to do.
    let left = instance.mirror.read(|held| {
        let found = held.contact_points.iter();
        let integrations = found.flat_map(|(_, found)| &found.object.integrations);
        memory.read(|memory| integrations.filter(|i| memory.sent.contains_key(&i.uid)).count())
    });
    if left > 0
        && let Err(error) = memory.update(Remembered::forget_sent).await
    {
        return cannot(instance, &error);
    }
    drop(turn);
    instance.restored.lock().done(context.now());
    if left > 0 {
        trigger(context, memory);
        let why = format!("a backup of Grafana seems to have been restored, as {sign}");
        tell(instance, context, EventType::Warning, "Restored", &why, left).await;
    }
}

/// What a GrafanaInstance's annotation asks for.
struct Asked {
    instance: String,
    value: Option<String>,
    /// How the value is remembered.
    code: Option<String>,
}

impl Asked {
    /// `None` where nobody knows.
    fn of(instance: &Instance, context: &Context) -> Option<Self> {
        let declared = context.declared_instance(&instance.name)?;
        let value = declared.annotations().get(ANNOTATION_RESEND).cloned();
        let memory = instance.memory().ok()?;
        Some(Self {
            instance: instance.name.clone(),
            code: value
                .as_ref()
                .map(|value| memory.read(|memory| memory.code(value.as_bytes()))),
            value,
        })
    }

    fn is_noted(&self, memory: &Remembered) -> bool {
        memory.resent.get(&self.instance) == self.code.as_ref()
    }

    /// Notes the value, and in the same write that everything is to be sent: neither is ever without the other.
    fn note(&self, memory: &mut Remembered) {
        match &self.code {
            Some(code) => {
                memory.resent.insert(self.instance.clone(), code.clone());
                memory.forget_sent();
            }
            None => drop(memory.resent.remove(&self.instance)),
        }
    }
}

/// Leaves out what has no resource for this instance: another instance, or a person, may have taken it away with good reason.
fn count(instance: &Instance, context: &Context, undone: &Undone) -> Found {
    fn is_here<K: Managed + Indexed>(store: &Store<K>, namespace: &str, name: &str, instance: &str) -> bool {
        let object = store.at(&ObjectRef::new(name).within(namespace), instance);
        object.is_some_and(|object| !object.is_deleting())
    }
    let (stores, name) = (&context.stores, &instance.name);
    let rules = |marks: &[String]| {
        let resources = marks.iter().filter_map(|mark| instance.owners.resource(mark));
        resources
            .filter(|(namespace, rule)| is_here::<AlertRule>(&stores.rules, namespace, rule, name))
            .count()
    };
    let place = context.claims.place(name);
    let contact_points = undone.gone_contact_points.iter().filter(|name| {
        let key = Key::ContactPoint(place.clone(), (*name).clone());
        let holder = context.holder::<ContactPoint>(&key, instance);
        holder.is_some_and(|h| is_here(&stores.contact_points, &h.namespace, &h.name, &instance.name))
    });
    Found {
        older: rules(&undone.older_rules),
        gone: rules(&undone.gone_rules) + contact_points.count(),
    }
}

/// Asks for a pass over all contact points in this Grafana, whichever of its instances they are for.
fn trigger(context: &Context, memory: &Memory) {
    let names: Vec<String> = {
        let running = context.running.read();
        let here = running
            .values()
            .filter(|other| other.memory().is_ok_and(|other| std::ptr::eq(other, memory)));
        here.map(|other| other.name.clone()).collect()
    };
    for name in names {
        let contact_points = &context.triggers.contact_points;
        contact_points.all_of(&context.stores.contact_points, &name);
    }
}

async fn tell(
    instance: &Instance,
    context: &Context,
    type_: EventType,
    reason: &str,
    why: &str,
    integrations: usize,
) {
    info!(
        instance = instance.name,
        integrations, why, "sending again what grafana hides"
    );
    let note =
        format!("what Grafana hides of {integrations} integrations of contact points is sent again: {why}");
    context
        .event_of_instance(&instance.name, type_, reason, "Resend", &note)
        .await;
}

fn cannot(instance: &Instance, error: &kube::Error) {
    warn!(
        instance = instance.name,
        error = chain(error),
        "cannot remember that secrets are to be sent again"
    );
}
