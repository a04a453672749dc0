//! Who calls what a template group defines, so that it can't go: contact points by their texts, and other groups by theirs.

use std::collections::BTreeSet;
use std::sync::Arc;

use kube::runtime::reflector::ObjectRef;

use super::kind::{Names, Users};
use crate::api::reference::DeletionPolicy;
use crate::api::{ContactPoint, NotificationTemplate};
use crate::controller::connection::Instance;
use crate::controller::context::Context;
use crate::controller::engine::by::By;
use crate::controller::engine::managed::Managed;
use crate::controller::notification::maker::makers;
use crate::domain::notification::contact_point::{templates_called_by, templates_called_in};
use crate::domain::notification::named::text;
use crate::grafana::model::{Integration, Template};

/// Those in Grafana that call what goes with the group of this name. Nothing else counts: who isn't there yet sends nothing, and who may use the Grafana could
/// keep everybody's templates by a text that is never stored.
pub(super) fn of(object: &NotificationTemplate, instance: &Instance, context: &Context, name: &str) -> Users {
    let Ok(memory) = Names::of(object, instance) else {
        return Users::default();
    };
    let own = memory.all();
    let is_own = |group: &str| group == name || own.iter().any(|own| own == group);
    let (names, mut others) = instance.mirror.read(|held| {
        let Some(group) = held.templates.lookup(name).present() else {
            return (BTreeSet::new(), Vec::new());
        };
        let others = held.templates.iter().map(|(_, found)| &found.object);
        let others: Vec<_> = others.filter(|other| other.name != name).collect();
        let names = text::only_defined_by(&group.object, others.iter().copied());
        let others = others.into_iter().filter(|other| !is_own(&other.name));
        (names, others.cloned().collect::<Vec<_>>())
    });
    if names.is_empty() {
        return Users::default();
    }
    others.sort_by(|a, b| a.name.cmp(&b.name));
    let mut users = Found {
        namespace: object.ns(),
        ..Found::default()
    };
    let names = users.groups(
        names,
        others,
        |group| {
            let (namespace, name) = memory.maker(group)?;
            let place = ObjectRef::new(&name).within(&namespace);
            context.stores.templates.at(&place, &instance.name)
        },
        instance,
    );
    users.contact_points(&names, instance, context);
    users.all
}

/// What was found so far.
#[derive(Default)]
struct Found<'a> {
    /// Of what is to go: what lies there too goes with it.
    namespace: &'a str,
    all: Users,
}

impl Found<'_> {
    /// Notes a resource that calls.
    fn note<K: Managed>(&mut self, object: &K) {
        let called = format!("{} {}/{}", K::KIND, object.ns(), object.id());
        let into = if object.ns() == self.namespace {
            &mut self.all.leaving
        } else {
            &mut self.all.staying
        };
        if !into.contains(&called) {
            into.push(called);
        }
    }

    /// Notes the groups that call one of these names. Those that are to go themselves aren't waited for, or two that call each other would never go; what calls
    /// them does, so what is returned are the names that contact points may call.
    fn groups(
        &mut self,
        mut names: BTreeSet<String>,
        mut others: Vec<Template>,
        maker: impl Fn(&str) -> Option<Arc<NotificationTemplate>>,
        instance: &Instance,
    ) -> BTreeSet<String> {
        loop {
            let (calling, rest): (Vec<_>, Vec<_>) = others
                .into_iter()
                .partition(|group| text::calls_any(group, &names));
            if calling.is_empty() {
                return names;
            }
            for group in calling {
                match maker(&group.name) {
                    Some(maker) if is_going(&maker, instance) => {
                        names.extend(text::defined(&group).into_iter().map(str::to_owned));
                    }
                    Some(maker) => self.note(&*maker),
                    None => self
                        .all
                        .staying
                        .push(format!("Grafana's template group {}", group.name)),
                }
            }
            others = rest;
        }
    }

    fn contact_points(&mut self, names: &BTreeSet<String>, instance: &Instance, context: &Context) {
        let (mut points, unknown) = instance.mirror.read(|held| {
            let points = held.contact_points.iter();
            let points = points.map(|(name, found)| (name.clone(), found.object.integrations.clone()));
            let unknown = held.contact_points.unknown_keys().cloned();
            (points.collect::<Vec<_>>(), unknown.collect::<Vec<_>>())
        });
        points.sort_by(|(a, _), (b, _)| a.cmp(b));
        for (name, integrations) in points {
            let all = makers(&name, &integrations, instance, context);
            // What somebody has changed in Grafana is put right.
            for maker in all.iter().filter(|maker| calls_in(maker, names)) {
                self.note(&**maker);
            }
            let calling: Vec<Integration> = integrations
                .into_iter()
                .filter(|integration| calls_by(integration, names))
                .collect();
            if calling.is_empty() {
                continue;
            }
            let of_these = makers(&name, &calling, instance, context);
            for maker in &of_these {
                self.note(&**maker);
            }
            if of_these.is_empty() {
                self.all.staying.push(format!("Grafana's contact point {name}"));
            }
        }
        // The answer of its write was lost.
        for name in unknown {
            let asking = context.stores.contact_points.by(&By::GrafanaName(name));
            let asking = asking
                .into_iter()
                .filter(|object| object.instance() == instance.name);
            for object in asking.filter(|object| !object.is_deleting() && calls_in(object, names)) {
                self.note(&*object);
            }
        }
    }
}

/// Whether a group goes with its resource, and soon.
fn is_going(maker: &NotificationTemplate, instance: &Instance) -> bool {
    maker.is_deleting() && instance.deletion_policy(maker.spec.deletion_policy) != DeletionPolicy::Orphan
}

fn calls_in(object: &ContactPoint, names: &BTreeSet<String>) -> bool {
    !object.is_deleting() && !templates_called_in(&object.spec).is_disjoint(names)
}

fn calls_by(integration: &Integration, names: &BTreeSet<String>) -> bool {
    !templates_called_by(integration).is_disjoint(names)
}
