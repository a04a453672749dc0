//! NotificationTemplate.

use super::bring::{bring, claimed, may_be_stored};
use super::clean_up::clean_up;
use super::kind::{BY, IN_USE, Named, Users};
use crate::api::{NotificationTemplate, NotificationTemplateStatus};
use crate::cluster::referenced;
use crate::controller::connection::Instance;
use crate::controller::context::Context;
use crate::controller::engine::claim::Key;
use crate::controller::engine::failure::Failure;
use crate::controller::engine::managed::Managed;
use crate::controller::engine::store::Store;
use crate::controller::engine::trigger::Trigger;
use crate::controller::pass::{Reconcile, Report};
use crate::domain::changed::drift;
use crate::domain::links;
use crate::domain::notification::named as domain;
use crate::grafana::Grafana;
use crate::grafana::api::Answer;
use crate::grafana::mirror::{Collection, Held, Subject};
use crate::grafana::model::{self, Found};

impl Reconcile for NotificationTemplate {
    async fn reconcile(&self, context: &Context) -> Result<Report<NotificationTemplateStatus>, Failure> {
        let instance = context.instance(self)?;
        claimed(self, context)?;
        let wish = self.wish(context).await?;
        let brought = bring(self, &instance, context, &wish).await?;
        let mut status = self.status.clone().unwrap_or_default();
        status.name = Some(self.called().to_owned());
        status.url = Some(links::contact_points(instance.external_url()));
        status.stored = Some(drift::code(&wish));
        let report = Report {
            again: brought.stays.map(|_| IN_USE),
            ..Report::synced(
                status,
                "stored in Grafana; it takes effect at Grafana's next poll of its configuration, 60 s by default",
            )
        };
        Ok(report.drifted(brought.drift))
    }

    async fn mistake(&self, context: &Context) -> Option<Failure> {
        match claimed(self, context) {
            Ok(()) => self.wish(context).await.err(),
            Err(failure) => Some(failure),
        }
    }

    fn may_be_stored(&self, context: &Context) -> bool {
        self.status.as_ref().is_some_and(|status| status.name.is_some()) || may_be_stored(self, context)
    }

    fn mark_stored(&self, context: &Context, status: &mut NotificationTemplateStatus) {
        if may_be_stored(self, context) {
            status.name.get_or_insert_with(|| self.called().to_owned());
        }
    }

    async fn clean_up(&self, context: &Context) -> Result<(), Failure> {
        clean_up(self, context).await
    }
}

impl Named for NotificationTemplate {
    type Object = model::Template;
    const CALLED: &'static str = "notification template";

    fn called(&self) -> &str {
        self.spec.name.as_deref().unwrap_or(self.id())
    }

    async fn wish(&self, context: &Context) -> Result<model::Template, Failure> {
        let from = self.spec.template_from.iter();
        let references = from.map(|from| &from.config_map_key_ref).collect();
        let texts = referenced::texts(&context.client, self.ns(), references).await?;
        let mut read = texts.into_values();
        let (field, text) = match &self.spec.template {
            Some(text) => ("spec.template", Some(text.clone())),
            None => ("spec.templateFrom", read.next()),
        };
        Ok(domain::template(&text.unwrap_or_default(), self.called(), field)?)
    }

    fn is_same(one: &model::Template, other: &model::Template) -> bool {
        domain::is_same_text(one, other)
    }

    fn difference(found: &model::Template, wish: &model::Template) -> String {
        domain::other_text(found, wish)
    }

    fn changed(found: &model::Template, wish: &model::Template) -> Vec<String> {
        domain::changed_text(found, wish)
    }

    fn stored(status: &NotificationTemplateStatus) -> Option<&str> {
        status.stored.as_deref()
    }

    /// Nobody refers to a group: contact points use what it defines, in texts of their own.
    fn users(&self, _: &Instance, _: &Context, _: &str) -> Users {
        Users::default()
    }

    fn store(context: &Context) -> &Store<Self> {
        &context.stores.templates
    }

    fn trigger(context: &Context) -> &Trigger<Self> {
        &context.triggers.templates
    }

    fn key(place: String, name: String) -> Key {
        Key::Template(place, name)
    }

    fn subject(name: String) -> Subject {
        Subject::Template(name)
    }

    fn mirrored(held: &mut Held) -> &mut Collection<String, Found<model::Template>> {
        &mut held.templates
    }

    fn held(held: &Held) -> &Collection<String, Found<model::Template>> {
        &held.templates
    }

    fn get<'a>(grafana: &'a Grafana, name: &'a str) -> Answer<'a, Option<Found<model::Template>>> {
        grafana.templates.get(name)
    }

    fn put<'a>(
        grafana: &'a Grafana,
        wish: &'a model::Template,
        found: Option<&'a Found<model::Template>>,
    ) -> Answer<'a, Found<model::Template>> {
        grafana.templates.put(wish, found, BY)
    }

    fn delete<'a>(grafana: &'a Grafana, found: &'a Found<model::Template>) -> Answer<'a, ()> {
        grafana.templates.delete(found)
    }
}
