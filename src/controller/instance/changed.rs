//! What differs in Grafana from what was known, and whom that concerns.

use crate::api::{
    AlertRule, ContactPoint, InhibitionRule, NotificationPolicy, NotificationTemplate, TimeInterval,
};
use crate::controller::connection::Instance;
use crate::controller::context::Context;
use crate::controller::engine::by::{By, named};
use crate::controller::engine::claim::Key;
use crate::controller::silence::listed;
use crate::grafana::model::TreeName;

/// Keys of what differs from what was known.
#[derive(Debug, Default)]
pub(super) struct Changed {
    pub(super) rules: Vec<String>,
    pub(super) folders: Vec<String>,
    pub(super) contact_points: Vec<String>,
    pub(super) trees: Vec<TreeName>,
    pub(super) silences: listed::Changed,
    pub(super) time_intervals: Vec<String>,
    pub(super) templates: Vec<String>,
    pub(super) inhibition_rules: Vec<String>,
    /// Version and limits.
    pub(super) settings: bool,
    /// These, or data sources.
    pub(super) facts: bool,
}

/// Asks for a pass over everything that this concerns; over no rules by their surroundings, where all rules are asked already: twice would be two
/// passes.
pub(super) fn trigger(instance: &Instance, context: &Context, changed: &Changed, rules_told: bool) {
    let (triggers, stores) = (&context.triggers, &context.stores);
    if changed.facts {
        // A data source may be there that wasn't.
        instance.refused.forget_all();
        if !rules_told {
            triggers.rules.all_of(&stores.rules, &instance.name);
        }
        // Another version has other fields.
        triggers.imports.all_of(&stores.imports, &instance.name);
        triggers
            .inhibition_rules
            .all_of(&stores.inhibition_rules, &instance.name);
    }
    if changed.settings {
        // So it is with their fields, and a policy may have a tree of its own.
        triggers
            .contact_points
            .all_of(&stores.contact_points, &instance.name);
        triggers.policies.all_of(&stores.policies, &instance.name);
    }
    let folders = if rules_told { &[][..] } else { &changed.folders };
    for uid in folders {
        let inside = By::Folder {
            instance: instance.name.clone(),
            uid: uid.clone(),
        };
        triggers.rules.all_by(&stores.rules, &inside);
    }
    if !folders.is_empty() {
        let unplaced = By::Unplaced(instance.name.clone());
        triggers.rules.all_by(&stores.rules, &unplaced);
    }
    trigger_rules(instance, context, &changed.rules);
    for name in &changed.contact_points {
        let key = Key::ContactPoint(context.claims.place(&instance.name), name.clone());
        if let Some(contact_point) = context.holder::<ContactPoint>(&key, instance) {
            triggers
                .contact_points
                .one(&contact_point.namespace, &contact_point.name);
            context.tell_referrers(&By::Receiver(named(
                &contact_point.namespace,
                &contact_point.name,
            )));
        }
        context.tell_referrers(&By::GrafanaReceiver {
            instance: instance.name.clone(),
            name: name.clone(),
        });
    }
    for name in &changed.trees {
        let tree = Key::Tree(context.claims.place(&instance.name), name.clone());
        if let Some(holder) = context.holder::<NotificationPolicy>(&tree, instance) {
            triggers.policies.one(&holder.namespace, &holder.name);
            // A root that doesn't write for the moment tells its branches nothing of where they stand now.
            let branches = By::Branch(named(&holder.namespace, &holder.name));
            triggers.policies.all_by(&stores.policies, &branches);
            let referring = By::Tree(named(&holder.namespace, &holder.name));
            triggers.rules.all_by(&stores.rules, &referring);
        }
        let referring = By::GrafanaTree {
            instance: instance.name.clone(),
            name: name.0.clone(),
        };
        triggers.rules.all_by(&stores.rules, &referring);
    }
    if !changed.trees.is_empty() || !changed.rules.is_empty() {
        context.tell_waiting(&instance.name);
    }
    if !changed.contact_points.is_empty() || !changed.templates.is_empty() {
        context.tell_deleted_templates(&instance.name);
    }
    trigger_named(instance, context, changed);
    listed::trigger(instance, context, &changed.silences);
}

/// The resource of what is only known by its name is the one that claims it.
fn trigger_named(instance: &Instance, context: &Context, changed: &Changed) {
    let triggers = &context.triggers;
    let place = context.claims.place(&instance.name);
    for name in &changed.time_intervals {
        let key = Key::TimeInterval(place.clone(), name.clone());
        if let Some(holder) = context.holder::<TimeInterval>(&key, instance) {
            triggers.time_intervals.one(&holder.namespace, &holder.name);
            context.tell_those_at_times(&By::Interval(named(&holder.namespace, &holder.name)));
        }
        context.tell_those_at_times(&By::GrafanaInterval {
            instance: instance.name.clone(),
            name: name.clone(),
        });
    }
    for name in &changed.templates {
        let key = Key::Template(place.clone(), name.clone());
        if let Some(holder) = context.holder::<NotificationTemplate>(&key, instance) {
            triggers.templates.one(&holder.namespace, &holder.name);
        }
    }
    for name in &changed.inhibition_rules {
        let key = Key::InhibitionRule(place.clone(), name.clone());
        if let Some(holder) = context.holder::<InhibitionRule>(&key, instance) {
            triggers.inhibition_rules.one(&holder.namespace, &holder.name);
        }
    }
}

/// The resource of a rule is the one that claims its uid, that its mark names, or whose status does.
fn trigger_rules(instance: &Instance, context: &Context, uids: &[String]) {
    let triggers = &context.triggers.rules;
    let place = context.claims.place(&instance.name);
    for uid in uids {
        let key = Key::Uid(place.clone(), uid.clone());
        if let Some(rule) = context.holder::<AlertRule>(&key, instance) {
            triggers.one(&rule.namespace, &rule.name);
            continue;
        }
        let found = instance.mirror.read(|held| held.rules.lookup(uid).cloned());
        let mark = found.present().and_then(|found| found.owner);
        if let Some((namespace, name)) = mark.as_deref().and_then(|mark| instance.owners.resource(mark)) {
            triggers.one(namespace, name);
            continue;
        }
        let stored = By::Stored {
            instance: instance.name.clone(),
            id: uid.clone(),
        };
        triggers.all_by(&context.stores.rules, &stored);
    }
}
