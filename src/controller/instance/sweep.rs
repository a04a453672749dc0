//! What is in Grafana under our mark, and whose resource isn't there: told, and removed where the instance says so.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use kube::Api;
use kube::api::ListParams;
use kube::runtime::events::EventType;
use kube::runtime::reflector::ObjectRef;
use tracing::{info, warn};

use crate::api::grafana_instance::OrphanPolicy;
use crate::api::{AlertRule, GrafanaInstanceStatus, Silence};
use crate::cluster::answer::chain;
use crate::controller::connection::Instance;
use crate::controller::context::Context;
use crate::controller::engine::by::{By, Indexed};
use crate::controller::engine::managed::Managed;
use crate::controller::engine::store::Store;
use crate::controller::{alert_rule, silence};
use crate::domain::changed::orphans::{self, Orphan};
use crate::domain::refusal::counted;
use crate::grafana::wire::SilenceState;

/// How many names a status and an event hold.
const NAMES: usize = 10;
/// How many orphans are removed after one poll.
const AT_ONCE: usize = 100;

/// Looks for orphans in what a poll has read. Where Grafana tells of changes as they happen, what is known is as good as read, so it counts; but nothing
/// is removed before it has been read: what a watch has missed may be somebody else's by now.
pub async fn after_poll(instance: &Arc<Instance>, context: &Context, is_read: bool) {
    // Before every kind has been listed nothing is known to be missing.
    if !context.is_ready() {
        return;
    }
    let Found {
        orphans: found,
        hidden,
        strangers,
    } = find(instance, context);
    let found = without_released(instance, context, found, hidden).await;
    *instance.strangers.lock() = strangers;
    let before = instance.orphans.lock().counted();
    let news = instance.orphans.lock().poll(found);
    if instance.spec.orphans == Some(OrphanPolicy::Delete) {
        if is_read {
            remove(instance, context).await;
        }
    } else if !news.is_empty() {
        let note = format!(
            "carry this operator's mark and have no resource: {}. Delete them in Grafana, or have it done with spec.orphans: Delete",
            names(&news).join(", ")
        );
        context
            .event_of_instance(&instance.name, EventType::Warning, "Orphans", "Sweep", &note)
            .await;
    }
    let counted = instance.orphans.lock().counted();
    if counted != before {
        // Its status says so.
        context.triggers.instances.one(&context.namespace, &instance.name);
    }
    for kind in [AlertRule::KIND, Silence::KIND] {
        let count = counted.iter().filter(|orphan| orphan.kind == kind).count();
        context.metrics.set_orphans(&instance.name, kind, count);
    }
}

/// Forgets the orphans of an instance that is gone.
pub fn forget(instance: &str, context: &Context) {
    for kind in [AlertRule::KIND, Silence::KIND] {
        context.metrics.forget_orphans(instance, kind);
    }
}

/// What the status says of orphans.
pub fn report(instance: &Instance, next: &mut GrafanaInstanceStatus) {
    let orphans = instance.orphans.lock();
    let those = orphans.counted();
    next.orphans = i64::try_from(those.len()).ok();
    next.orphan_names = names(&those);
}

/// What a person should know of rules that carry another owner id and the names of our resources.
pub fn warning(instance: &Instance) -> Option<String> {
    let strangers = instance.strangers.lock();
    let (owner, count) = strangers.first_key_value()?;
    let rules = counted(*count, "rule");
    let carry = if *count == 1 { "carries" } else { "carry" };
    Some(format!(
        "{rules} {carry} the owner id {owner} and the names of AlertRules that are here: if it is a former one of this operator, put it into spec.previousOwnerIDs, or both fire; if it is another operator's, they are told apart by their folders"
    ))
}

/// What there is without a resource.
#[derive(Default)]
struct Found {
    orphans: BTreeSet<Orphan>,
    /// What may be one, or not: its resource would be where we don't look. As it is remembered where it was left on purpose.
    hidden: BTreeSet<String>,
    /// By foreign owner ids how many of their rules are named like resources of ours.
    strangers: BTreeMap<String, usize>,
}

impl Found {
    /// Notes an object of ours, unless its resource is there.
    fn note<K: Managed + Indexed>(
        &mut self,
        store: &Store<K>,
        (namespace, name): (&str, &str),
        id: &str,
        context: &Context,
    ) {
        // Whichever instance it is for: another one may be for this same Grafana at another address.
        if store.get(&ObjectRef::new(name).within(namespace)).is_some() {
            return;
        }
        if !context.unwatched.sees(K::KIND, namespace) {
            self.hidden.insert(orphans::key(K::KIND, id));
            return;
        }
        self.orphans.insert(Orphan {
            kind: K::KIND,
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            id: id.to_owned(),
        });
    }
}

fn find(instance: &Instance, context: &Context) -> Found {
    let (rules, silences) = (&context.stores.rules, &context.stores.silences);
    let mut found = Found::default();
    instance.mirror.read(|held| {
        for rule in held.rules.iter() {
            let Some(mark) = rule.owner.as_deref() else {
                continue;
            };
            if let Some(resource) = instance.owners.resource(mark) {
                if alert_rule::is_original(rule, instance, resource, None) {
                    found.note(rules, resource, &rule.uid, context);
                }
            } else if let Some((owner, namespace, name)) = orphans::parts(mark)
                && let namesake = ObjectRef::new(name).within(namespace)
                && rules.at(&namesake, &instance.name).is_some()
            {
                *found.strangers.entry(owner.to_owned()).or_default() += 1;
            }
        }
        for (id, silence) in held.silences.iter() {
            if silence.state() != Some(SilenceState::Expired)
                && let Some(resource) = instance.owners.silence_resource(&silence.created_by)
            {
                found.note(silences, resource, id, context);
            }
        }
    });
    found
}

/// Leaves out what was left in Grafana on purpose, and forgets what was and isn't there any more. What is `hidden` is there.
async fn without_released(
    instance: &Instance,
    context: &Context,
    mut found: BTreeSet<Orphan>,
    hidden: BTreeSet<String>,
) -> BTreeSet<Orphan> {
    // Before it is known which Grafana this is, nothing is known of what was let go of in it.
    let Ok(memory) = instance.memory() else {
        return BTreeSet::new();
    };
    let released = memory.read(|memory| memory.released.clone());
    let mut there = hidden;
    there.extend(found.iter().map(Orphan::key));
    // Another instance may be for the same Grafana at another address, and its resources are let go of there.
    let everywhere: BTreeSet<String> = {
        let running = context.running.read();
        let memories = running.values().filter_map(|other| other.memory().ok());
        memories
            .flat_map(|memory| memory.read(|memory| memory.released.clone()))
            .collect()
    };
    found.retain(|orphan| !everywhere.contains(&orphan.key()));
    if !released.is_subset(&there) {
        let _turn = instance.rights.notifications.lock().await;
        let kept = memory.update(|memory| memory.released.retain(|key| there.contains(key)));
        if let Err(error) = kept.await {
            warn!(
                instance = instance.name,
                error = chain(&error),
                "cannot forget what was let go of"
            );
        }
    }
    found
}

/// Whether this Grafana has a resource of the kind at all. Without one the cluster may be new, and its resources may only be on their way.
fn has_any(kind: &str, instance: &Instance, context: &Context) -> bool {
    let of_instance = By::Instance(instance.name.clone());
    let stores = &context.stores;
    let count = if kind == AlertRule::KIND {
        stores.rules.count(&of_instance)
    } else {
        stores.silences.count(&of_instance)
    };
    count > 0
}

async fn remove(instance: &Arc<Instance>, context: &Context) {
    let mut removable = instance.orphans.lock().removable();
    removable.retain(|orphan| has_any(orphan.kind, instance, context));
    let mut gone = Vec::new();
    for orphan in removable.into_iter().take(AT_ONCE) {
        match remove_one(&orphan, instance, context).await {
            Ok(true) => {
                info!(instance = instance.name, %orphan, "orphan removed");
                instance.orphans.lock().removed(&orphan);
                gone.push(orphan);
            }
            Ok(false) => {}
            Err(error) => {
                warn!(instance = instance.name, %orphan, error, "cannot remove an orphan");
                break;
            }
        }
    }
    if !gone.is_empty() {
        let note = format!(
            "removed from Grafana, because they carried this operator's mark and had no resource: {}",
            names(&gone).join(", ")
        );
        context
            .event_of_instance(
                &instance.name,
                EventType::Normal,
                "OrphansDeleted",
                "Sweep",
                &note,
            )
            .await;
    }
}

/// Removes an orphan; `false` if its resource is there after all. Our stores may be behind, so the API server is asked.
async fn remove_one(orphan: &Orphan, instance: &Arc<Instance>, context: &Context) -> Result<bool, String> {
    let Orphan {
        namespace, name, id, ..
    } = orphan;
    let is_there = if orphan.kind == AlertRule::KIND {
        exists::<AlertRule>(context, namespace, name).await?
    } else {
        exists::<Silence>(context, namespace, name).await?
    };
    if is_there {
        return Ok(false);
    }
    let removed = if orphan.kind == AlertRule::KIND {
        alert_rule::remove(instance, id).await
    } else {
        silence::end(instance, id).await
    };
    removed.map_err(|failure| failure.message)?;
    Ok(true)
}

async fn exists<K: Managed>(context: &Context, namespace: &str, name: &str) -> Result<bool, String> {
    let api: Api<K> = Api::namespaced(context.client.clone(), namespace);
    // The operator may list them, and no more than that.
    let only = ListParams::default().fields(&format!("metadata.name={name}"));
    let found = api.list_metadata(&only).await.map_err(|e| chain(&e))?;
    Ok(found
        .items
        .iter()
        .any(|object| object.metadata.name.as_deref() == Some(name)))
}

fn names<'a>(orphans: impl IntoIterator<Item = &'a Orphan>) -> Vec<String> {
    orphans.into_iter().take(NAMES).map(Orphan::to_string).collect()
}
