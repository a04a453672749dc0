//! InhibitionRule.

use std::sync::Arc;
use std::time::Duration;

use super::bring::{bring, claimed, may_be_stored};
use super::clean_up::clean_up;
use super::kind::{BY, IN_USE, Named, Users};
use crate::api::{InhibitionRule, InhibitionRuleStatus};
use crate::controller::connection::Instance;
use crate::controller::context::Context;
use crate::controller::engine::claim::Key;
use crate::controller::engine::failure::{Failure, Retry};
use crate::controller::engine::managed::Managed;
use crate::controller::engine::store::Store;
use crate::controller::engine::trigger::Trigger;
use crate::controller::pass::{Reconcile, Report};
use crate::domain::changed::drift;
use crate::domain::lint::mistakes;
use crate::domain::notification::named::inhibition as domain;
use crate::grafana::Grafana;
use crate::grafana::api::Answer;
use crate::grafana::mirror::{Collection, Held, Subject};
use crate::grafana::model::{self, Found};

/// How soon it is looked again whether Grafana serves them. Nothing is asked of Grafana for that.
const UNSERVED: Duration = Duration::from_secs(60);

impl Reconcile for InhibitionRule {
    async fn reconcile(&self, context: &Context) -> Result<Report<InhibitionRuleStatus>, Failure> {
        let instance = context.instance(self)?;
        let facts = instance.facts()?;
        let is_served = instance.grafana.inhibition_rules.is_served();
        domain::refuse_what_is_too_new(is_served, facts.version).map_err(|refusal| Failure {
            retry: Retry::After(UNSERVED),
            ..refusal.into()
        })?;
        claimed(self, context)?;
        let wish = self.wish(context).await?;
        let brought = bring(self, &instance, context, &wish).await?;
        let mut status = self.status.clone().unwrap_or_default();
        status.name = Some(self.called().to_owned());
        status.stored = Some(drift::code(&wish));
        let report = Report {
            again: brought.stays.map(|_| IN_USE),
            warnings: domain::unheeded(facts.version, facts.toggles)
                .into_iter()
                .collect(),
            ..Report::synced(
                status,
                "stored in Grafana; it takes effect at Grafana's next poll of its configuration, 60 s by default",
            )
        };
        Ok(report.drifted(brought.drift))
    }

    async fn mistake(&self, context: &Context) -> Option<Failure> {
        let own = || mistakes::of_inhibition_rule(&self.spec, self.id());
        claimed(self, context)
            .err()
            .or_else(|| own().err().map(Failure::from))
    }

    fn decided_by(&self, _: &Instance) -> Option<Subject> {
        Some(<Self as Named>::subject(self.called().to_owned()))
    }

    fn may_be_stored(&self, context: &Context) -> bool {
        self.status.as_ref().is_some_and(|status| status.name.is_some()) || may_be_stored(self, context)
    }

    fn mark_stored(&self, context: &Context, status: &mut InhibitionRuleStatus) {
        if may_be_stored(self, context) {
            status.name.get_or_insert_with(|| self.called().to_owned());
        }
    }

    async fn clean_up(&self, context: &Context) -> Result<(), Failure> {
        clean_up(self, context).await
    }
}

impl Named for InhibitionRule {
    type Object = model::InhibitionRule;
    const CALLED: &'static str = "inhibition rule";

    fn called(&self) -> &str {
        self.spec.name.as_deref().unwrap_or(self.id())
    }

    async fn wish(&self, context: &Context) -> Result<model::InhibitionRule, Failure> {
        let instance = context.instance(self)?;
        // What a namespace holds back is its own.
        let is_bound = !instance.is_unrestricted(self.ns());
        let tenant = is_bound.then(|| instance.owners.namespace_pattern(self.ns()));
        Ok(domain::inhibition_rule(
            &self.spec,
            self.called(),
            tenant.as_deref(),
        )?)
    }

    fn is_same(one: &model::InhibitionRule, other: &model::InhibitionRule) -> bool {
        domain::is_same(one, other)
    }

    fn difference(found: &model::InhibitionRule, wish: &model::InhibitionRule) -> String {
        domain::difference(found, wish)
    }

    fn changed(found: &model::InhibitionRule, wish: &model::InhibitionRule) -> Vec<String> {
        domain::changed(found, wish)
    }

    fn stored(status: &InhibitionRuleStatus) -> Option<&str> {
        status.stored.as_deref()
    }

    /// Nothing names one.
    fn users(&self, _: &Instance, _: &Context, _: &str) -> Users {
        Users::default()
    }

    fn store(context: &Context) -> &Store<Self> {
        &context.stores.inhibition_rules
    }

    fn trigger(context: &Context) -> &Trigger<Self> {
        &context.triggers.inhibition_rules
    }

    fn key(place: Arc<str>, name: String) -> Key {
        Key::InhibitionRule(place, name)
    }

    fn subject(name: String) -> Subject {
        Subject::InhibitionRule(name)
    }

    fn mirrored(held: &mut Held) -> &mut Collection<String, Found<model::InhibitionRule>> {
        &mut held.inhibition_rules
    }

    fn held(held: &Held) -> &Collection<String, Found<model::InhibitionRule>> {
        &held.inhibition_rules
    }

    fn get<'a>(grafana: &'a Grafana, name: &'a str) -> Answer<'a, Option<Found<model::InhibitionRule>>> {
        grafana.inhibition_rules.get(name)
    }

    fn put<'a>(
        grafana: &'a Grafana,
        wish: &'a model::InhibitionRule,
        found: Option<&'a Found<model::InhibitionRule>>,
    ) -> Answer<'a, Found<model::InhibitionRule>> {
        grafana.inhibition_rules.put(wish, found, BY)
    }

    fn delete<'a>(grafana: &'a Grafana, found: &'a Found<model::InhibitionRule>) -> Answer<'a, ()> {
        grafana.inhibition_rules.delete(found)
    }
}
