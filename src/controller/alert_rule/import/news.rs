//! What the watches tell that concerns imports.

use std::collections::BTreeSet;

use kube::ResourceExt;
use kube::runtime::watcher::Event;

use crate::api::{AlertRule, PrometheusRuleImport};
use crate::cluster::prometheus::RuleSource;
use crate::controller::context::Context;
use crate::controller::engine::by::By;
use crate::controller::engine::managed::Managed;
use crate::controller::tally;
use crate::domain::import::selection::Selection;

/// As soon as there is an import, what it reads is watched.
pub fn import(event: &Event<PrometheusRuleImport>, before: Option<&PrometheusRuleImport>, context: &Context) {
    tally::count(event, before, &context.stores.imports, context);
    if matches!(event, Event::Apply(_) | Event::InitApply(_)) {
        context.sources.want();
    }
}

/// An object that others have written concerns the imports that select it, or did.
pub fn source<K: RuleSource + Clone>(event: &Event<K>, before: Option<&K>, context: &Context) {
    let object = match event {
        Event::Apply(object) | Event::Delete(object) => object,
        Event::InitDone => {
            context.sources.set_listed(K::KIND);
            return context.triggers.imports.all(&context.stores.imports);
        }
        Event::Init | Event::InitApply(_) => return,
    };
    let namespace = object.namespace().unwrap_or_default();
    let labels = || {
        [before, Some(object)]
            .into_iter()
            .flatten()
            .map(ResourceExt::labels)
    };
    let readers = [By::Reader(namespace), By::ReaderOfAll];
    for import in readers.iter().flat_map(|key| context.stores.imports.by(key)) {
        let selects = |selection: Selection| labels().any(|labels| selection.takes(labels));
        if Selection::of(&import).is_ok_and(selects) {
            context.triggers.imports.one(import.ns(), import.id());
        }
    }
}

/// Whether its status names the Grafanas that it is in. From then on it can leave one.
fn is_noted(rule: &AlertRule) -> bool {
    rule.status
        .as_ref()
        .is_some_and(|status| !status.instances.is_empty())
}

/// An AlertRule of an import that somebody else has changed or deleted is put right. One that is nobody's stands in the way of an import's of that
/// name until it goes.
pub fn rule(event: &Event<AlertRule>, before: Option<&AlertRule>, context: &Context) {
    let (rule, is_news) = match (event, before) {
        (Event::Delete(rule), _) => (rule, true),
        // A state that changes every few seconds is no news.
        (Event::Apply(rule), Some(before)) => (
            rule,
            rule.spec != before.spec
                || is_noted(rule) != is_noted(before)
                || rule.labels() != before.labels()
                || rule.annotations() != before.annotations()
                || rule.owner_references() != before.owner_references(),
        ),
        _ => return,
    };
    if !is_news {
        return;
    }
    let owners: BTreeSet<&str> = [Some(rule), before]
        .into_iter()
        .flatten()
        .flat_map(ResourceExt::owner_references)
        .filter(|owner| owner.kind == PrometheusRuleImport::KIND)
        .map(|owner| owner.name.as_str())
        .collect();
    if owners.is_empty() && matches!(event, Event::Delete(_)) {
        let beside = By::Namespace(rule.ns().to_owned());
        for import in context.stores.imports.by(&beside) {
            context.triggers.imports.one(import.ns(), import.id());
        }
    }
    for import in owners {
        context.triggers.imports.one(rule.ns(), import);
    }
}
