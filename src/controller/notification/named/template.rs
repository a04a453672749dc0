//! NotificationTemplate.

use std::sync::Arc;
use std::time::Duration;

use kube::runtime::reflector::ObjectRef;

use super::bring::{bring, claimed, may_be_stored};
use super::callers;
use super::clean_up::clean_up;
use super::kind::{BY, IN_USE, Named, Names, Users};
use crate::api::condition::Reason;
use crate::api::{NotificationTemplate, NotificationTemplateStatus};
use crate::cluster::referenced;
use crate::controller::connection::Instance;
use crate::controller::context::Context;
use crate::controller::engine::claim::Key;
use crate::controller::engine::failure::{Failure, Retry};
use crate::controller::engine::managed::Managed;
use crate::controller::engine::store::Store;
use crate::controller::engine::trigger::Trigger;
use crate::controller::pass::{Reconcile, Report};
use crate::domain::changed::drift;
use crate::domain::notification::named::text;
use crate::domain::rule::template::unknown_to_notifications;
use crate::domain::version::links;
use crate::grafana::Grafana;
use crate::grafana::api::Answer;
use crate::grafana::mirror::{Collection, Held, Subject};
use crate::grafana::model::{self, Found};

/// How soon one looks again whose name another defines: that one is asked for nothing when it goes.
const TAKEN: Duration = Duration::from_secs(30);

impl Reconcile for NotificationTemplate {
    async fn reconcile(&self, context: &Context) -> Result<Report<NotificationTemplateStatus>, Failure> {
        let instance = context.instance(self)?;
        claimed(self, context)?;
        let wish = self.wish(context).await?;
        let given = self.spec.template.as_deref().unwrap_or_default();
        let unknown = unknown_to_notifications(given).into_iter();
        let unknown: Vec<String> = unknown
            .map(|unknown| format!("spec.template: {unknown}"))
            .collect();
        self.refuse_grafanas(&wish, &instance)?;
        let brought = bring(self, &instance, context, &wish).await;
        // Grafana's own words name neither the field nor the place.
        let brought = brought.map_err(|failure| match unknown.first() {
            Some(first) if failure.reason == Some(Reason::Invalid) => Failure {
                message: format!("{first}. {}", failure.message),
                ..failure
            },
            _ => failure,
        })?;
        if brought.is_written {
            // It may call others no more.
            context.tell_deleted_templates(&instance.name);
        }
        let mut status = self.status.clone().unwrap_or_default();
        status.name = Some(self.called().to_owned());
        status.url = Some(links::contact_points(instance.external_url()));
        status.stored = Some(drift::code(&wish));
        let message = brought.stored_as();
        let report = Report {
            again: brought.stays.map(|_| IN_USE),
            warnings: unknown
                .into_iter()
                .chain(self.doubled(&wish, &instance, context))
                .collect(),
            ..Report::synced(status, message)
        };
        Ok(report.drifted(brought.drift))
    }

    async fn mistake(&self, context: &Context) -> Option<Failure> {
        match claimed(self, context) {
            Ok(()) => self.wish(context).await.err(),
            Err(failure) => Some(failure),
        }
    }

    fn decided_by(&self, _: &Instance) -> Option<Subject> {
        Some(<Self as Named>::subject(self.called().to_owned()))
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
        clean_up(self, context).await?;
        context.tell_deleted_templates(self.instance());
        Ok(())
    }
}

impl NotificationTemplate {
    /// Where its text is given.
    fn field(&self) -> &'static str {
        match self.spec.template {
            Some(_) => "spec.template",
            None => "spec.templateFrom",
        }
    }

    /// Fails where it defines what Grafana's own texts are made of and its namespace may not, or may not any more: what Grafana has of it
    /// stays as it is then.
    fn refuse_grafanas(&self, wish: &model::Template, instance: &Instance) -> Result<(), Failure> {
        let defined = text::defined(wish);
        let Some(name) = defined.iter().find(|name| text::is_grafanas(name)) else {
            return Ok(());
        };
        if instance.is_unrestricted(self.ns()) {
            return Ok(());
        }
        let message = format!(
            "{}: the texts of everybody's notifications are made of Grafana's own template {name}, so only namespaces in spec.unrestrictedNamespaces of GrafanaInstance {} may define it; choose another name. What Grafana has of this resource stays until it is changed or deleted",
            self.field(),
            instance.name
        );
        Err(Failure::new(Reason::Invalid, message, Retry::OnChange))
    }

    /// What to know where another group in Grafana has come to define a name too that this one has there: the younger resource is told, and any that shares it
    /// with somebody in Grafana.
    fn doubled(&self, wish: &model::Template, instance: &Instance, context: &Context) -> Option<String> {
        let names = Names::of(self, instance).ok()?;
        let own = names.all();
        let age = |template: &Self| {
            let created = template.metadata.creation_timestamp.as_ref().map(|time| time.0);
            (created, template.ns().to_owned(), template.id().to_owned())
        };
        let whose = |group: &str| {
            let (namespace, id) = names.maker(group)?;
            context
                .stores
                .templates
                .at(&ObjectRef::new(&id).within(&namespace), &instance.name)
        };
        let is_younger = |group: &str| whose(group).is_some_and(|other| age(&other) > age(self));
        let (name, group) = instance.mirror.read(|held| {
            let others = held.templates.iter().map(|(_, found)| &found.object);
            let others = others.filter(|group| group.name != wish.name && !own.contains(&group.name));
            let others = others.filter(|group| !is_younger(&group.name));
            text::taken(&text::defined(wish), others)
                .map(|(name, group)| (name.to_owned(), group.name.clone()))
        })?;
        let who = whose(&group).map_or_else(
            || format!("Grafana's template group {group}"),
            |other| format!("NotificationTemplate {}/{}", other.ns(), other.id()),
        );
        Some(format!(
            "{who} defines {name} too, which there is once in a Grafana, for all contact points: which of the two they use is Grafana's choice. Choose another name for one of them"
        ))
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
        let text = self.spec.template.clone().or_else(|| read.next());
        Ok(text::template(
            &text.unwrap_or_default(),
            self.called(),
            self.field(),
        )?)
    }

    fn is_same(one: &model::Template, other: &model::Template) -> bool {
        text::is_same(one, other)
    }

    fn difference(found: &model::Template, wish: &model::Template) -> String {
        text::other(found, wish)
    }

    fn changed(found: &model::Template, wish: &model::Template) -> Vec<String> {
        text::changed(found, wish)
    }

    fn stored(status: &NotificationTemplateStatus) -> Option<&str> {
        status.stored.as_deref()
    }

    fn users(&self, instance: &Instance, context: &Context, name: &str) -> Users {
        callers::of(self, instance, context, name)
    }

    /// What a text defines is there for all contact points of the Grafana. Who has a name in Grafana keeps it; what is stored already is left alone.
    fn objection(
        &self,
        wish: &model::Template,
        found: Option<&Found<model::Template>>,
        instance: &Instance,
    ) -> Result<(), Failure> {
        let new = text::newly_defined(wish, found.map(|found| &found.object));
        let field = self.field();
        let names = Names::of(self, instance)?;
        // What it was called before goes once this is there.
        let own = names.all();
        let taken = instance.mirror.read(|held| {
            let others = held.templates.iter().map(|(_, found)| &found.object);
            let others = others.filter(|group| group.name != wish.name && !own.contains(&group.name));
            text::taken(&new, others).map(|(name, group)| (name.to_owned(), group.name.clone()))
        });
        let Some((name, group)) = taken else {
            return Ok(());
        };
        let (reason, who) = match names.maker(&group) {
            Some((namespace, id)) => (Reason::Conflict, format!("NotificationTemplate {namespace}/{id}")),
            None => (Reason::NotOwned, format!("Grafana's template group {group}")),
        };
        let message = format!(
            "{field}: {who} defines {name} already, which there is once in a Grafana, for all contact points; choose another name"
        );
        Err(Failure::new(reason, message, Retry::After(TAKEN)))
    }

    fn store(context: &Context) -> &Store<Self> {
        &context.stores.templates
    }

    fn trigger(context: &Context) -> &Trigger<Self> {
        &context.triggers.templates
    }

    fn key(place: Arc<str>, name: String) -> Key {
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
