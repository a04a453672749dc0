//! TimeInterval.

use std::collections::BTreeSet;
use std::sync::Arc;

use kube::runtime::reflector::ObjectRef;

use super::bring::{bring, claimed, may_be_stored};
use super::clean_up::clean_up;
use super::kind::{self, BY, IN_USE, Named, Users};
use crate::api::condition::Reason;
use crate::api::{NotificationPolicy, TimeInterval, TimeIntervalStatus};
use crate::controller::connection::Instance;
use crate::controller::context::Context;
use crate::controller::engine::by::{By, named};
use crate::controller::engine::claim::Key;
use crate::controller::engine::failure::Failure;
use crate::controller::engine::managed::Managed;
use crate::controller::engine::store::Store;
use crate::controller::engine::trigger::Trigger;
use crate::controller::notification::tree;
use crate::controller::notification::users::{
    any, asking, called, goes_with, in_tree, names_interval, policy_called, rule_called, wishing,
};
use crate::controller::pass::{Reconcile, Report};
use crate::domain::changed::drift;
use crate::domain::notification::named as domain;
use crate::domain::version::links;
use crate::grafana::Grafana;
use crate::grafana::api::Answer;
use crate::grafana::mirror::{Collection, Held, Subject};
use crate::grafana::model::{self, Found, TreeName};

/// Looks at what Grafana holds under this name if nothing is known of it. Whoever asks has the right to write, so no write is under way.
pub(in crate::controller::notification) async fn know(
    instance: &Instance,
    name: &str,
) -> Result<(), Failure> {
    let is_unknown = instance
        .mirror
        .read(|held| held.time_intervals.lookup(name).is_unknown());
    if is_unknown {
        kind::fresh::<TimeInterval>(instance, name).await?;
    }
    Ok(())
}

impl TimeInterval {
    /// Grafana's words for a time zone that it doesn't know name neither the field nor the cure.
    fn at_location(&self, failure: Failure) -> Failure {
        let mut periods = self.spec.time_intervals.iter().enumerate();
        let named = periods.find_map(|(i, period)| {
            let location = period.location.as_deref()?;
            (failure.reason == Some(Reason::Invalid) && failure.message.contains(location))
                .then_some((i, location))
        });
        match named {
            Some((i, location)) => Failure {
                message: format!(
                    "spec.timeIntervals[{i}].location: this Grafana doesn't take {location}; write the name that IANA has for the time zone, such as Europe/Berlin. {}",
                    failure.message
                ),
                ..failure
            },
            None => failure,
        }
    }
}

impl Reconcile for TimeInterval {
    async fn reconcile(&self, context: &Context) -> Result<Report<TimeIntervalStatus>, Failure> {
        let instance = context.instance(self)?;
        claimed(self, context)?;
        let wish = self.wish(context).await?;
        let brought = bring(self, &instance, context, &wish).await;
        let brought = brought.map_err(|failure| self.at_location(failure))?;
        if brought.is_written {
            // A tree is refused for an interval that Grafana lacks.
            tree::try_anew(&instance);
            for by in self.asked_for_by(&instance, self.called()) {
                context.tell_those_at_times(&by);
            }
        }
        let mut status = self.status.clone().unwrap_or_default();
        status.name = Some(self.called().to_owned());
        status.url = Some(links::policies(instance.external_url()));
        let message = brought.stored_as();
        status.stored = Some(drift::code(&wish));
        let report = Report {
            again: brought.stays.map(|_| IN_USE),
            ..Report::synced(status, message)
        };
        Ok(report.drifted(brought.drift))
    }

    async fn mistake(&self, context: &Context) -> Option<Failure> {
        claimed(self, context).err()
    }

    fn decided_by(&self, _: &Instance) -> Option<Subject> {
        Some(<Self as Named>::subject(self.called().to_owned()))
    }

    fn may_be_stored(&self, context: &Context) -> bool {
        self.status.as_ref().is_some_and(|status| status.name.is_some()) || may_be_stored(self, context)
    }

    fn mark_stored(&self, context: &Context, status: &mut TimeIntervalStatus) {
        if may_be_stored(self, context) {
            status.name.get_or_insert_with(|| self.called().to_owned());
        }
    }

    async fn clean_up(&self, context: &Context) -> Result<(), Failure> {
        clean_up(self, context).await
    }
}

impl TimeInterval {
    /// What those are found by who ask for it by a name that it has in Grafana, or had.
    fn asked_for_by(&self, instance: &Instance, name: &str) -> Vec<By> {
        let by_name = By::GrafanaInterval {
            instance: instance.name.clone(),
            name: name.to_owned(),
        };
        let is_now = name == self.called();
        let by_resource = is_now.then(|| By::Interval(named(self.ns(), self.id())));
        by_resource.into_iter().chain([by_name]).collect()
    }
}

impl Named for TimeInterval {
    type Object = model::TimeInterval;
    const CALLED: &'static str = "time interval";

    fn called(&self) -> &str {
        self.spec.name.as_deref().unwrap_or(self.id())
    }

    async fn wish(&self, _: &Context) -> Result<model::TimeInterval, Failure> {
        Ok(domain::time_interval(&self.spec, self.called()))
    }

    fn is_same(one: &model::TimeInterval, other: &model::TimeInterval) -> bool {
        domain::is_same_time(one, other)
    }

    fn difference(found: &model::TimeInterval, wish: &model::TimeInterval) -> String {
        domain::other_times(found, wish)
    }

    fn changed(found: &model::TimeInterval, wish: &model::TimeInterval) -> Vec<String> {
        domain::changed_times(found, wish)
    }

    fn stored(status: &TimeIntervalStatus) -> Option<&str> {
        status.stored.as_deref()
    }

    fn users(&self, instance: &Instance, context: &Context, name: &str) -> Users {
        let (trees, rules) = instance.mirror.read(|held| {
            let names_it = |route: &model::Route| names_interval(route, name);
            let trees = held.trees.iter();
            let trees = trees.filter(|(_, tree)| any(&tree.object, &names_it));
            let rules = held.rules.with_interval(name);
            (
                trees.map(|(name, _)| name.clone()).collect::<Vec<_>>(),
                rules.cloned().collect::<Vec<_>>(),
            )
        });
        let asked_for_by = self.asked_for_by(instance, name);
        let (mut neighbours, mut staying) = (BTreeSet::new(), BTreeSet::new());
        for rule in &rules {
            let goes = goes_with(rule, self.ns(), instance, context);
            let into = if goes { &mut neighbours } else { &mut staying };
            into.insert(called(rule, instance));
        }
        for rule in wishing(self, &asked_for_by, context) {
            let goes = rule.namespace == self.ns();
            let into = if goes { &mut neighbours } else { &mut staying };
            into.insert(rule_called(&rule));
        }
        let mut staying = Vec::from_iter(staying);
        let (mut roots, mut policies) = (Vec::new(), Vec::new());
        for tree in trees {
            let key = Key::Tree(context.claims.place(&instance.name), tree.clone());
            let holder = context.holder::<NotificationPolicy>(&key, instance);
            let holder = holder.map(|holder| named(&holder.namespace, &holder.name));
            let whose = match &tree {
                TreeName(_) if tree.is_default() => "Grafana's policy tree".to_owned(),
                TreeName(tree) => format!("Grafana's policy tree {tree}"),
            };
            for who in in_tree(&tree, instance, context, &|route| names_interval(route, name)) {
                match (who, &holder) {
                    (Some(branch), _) => policies.push(branch),
                    (None, Some(root)) => roots.push(root.clone()),
                    (None, None) => staying.insert(0, whose.clone()),
                }
            }
        }
        policies.extend(asking(self, &asked_for_by, instance, context));
        roots.sort();
        policies.sort();
        policies.dedup();
        let policies = roots.into_iter().chain(policies);
        let mut leaving = Vec::new();
        for (i, policy) in policies.enumerate() {
            let place = ObjectRef::new(&policy.name).within(&policy.namespace);
            let found = context.stores.policies.at(&place, &instance.name);
            let goes = policy.namespace == self.ns() || found.is_none_or(|policy| policy.is_deleting());
            let called = policy_called(&policy);
            if leaving.contains(&called) || staying.contains(&called) {
                continue;
            }
            if goes {
                leaving.push(called);
            } else {
                staying.insert(i.min(staying.len()), called);
            }
        }
        leaving.extend(neighbours);
        Users { leaving, staying }
    }

    fn store(context: &Context) -> &Store<Self> {
        &context.stores.time_intervals
    }

    fn trigger(context: &Context) -> &Trigger<Self> {
        &context.triggers.time_intervals
    }

    fn key(place: Arc<str>, name: String) -> Key {
        Key::TimeInterval(place, name)
    }

    fn subject(name: String) -> Subject {
        Subject::TimeInterval(name)
    }

    fn mirrored(held: &mut Held) -> &mut Collection<String, Found<model::TimeInterval>> {
        &mut held.time_intervals
    }

    fn held(held: &Held) -> &Collection<String, Found<model::TimeInterval>> {
        &held.time_intervals
    }

    fn get<'a>(grafana: &'a Grafana, name: &'a str) -> Answer<'a, Option<Found<model::TimeInterval>>> {
        grafana.time_intervals.get(name)
    }

    fn put<'a>(
        grafana: &'a Grafana,
        wish: &'a model::TimeInterval,
        found: Option<&'a Found<model::TimeInterval>>,
    ) -> Answer<'a, Found<model::TimeInterval>> {
        grafana.time_intervals.put(wish, found, BY)
    }

    fn delete<'a>(grafana: &'a Grafana, found: &'a Found<model::TimeInterval>) -> Answer<'a, ()> {
        grafana.time_intervals.delete(found)
    }
}
