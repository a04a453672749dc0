//! Writing the AlertRules of an import: those that are otherwise than asked for, and no others.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Instant;

use futures::{StreamExt, stream};
use kube::api::{DeleteParams, Patch, PatchParams, Preconditions};
use kube::runtime::reflector::ObjectRef;
use kube::{Api, ResourceExt};

use crate::api::condition::Reason;
use crate::api::prometheus_rule_import::Remark;
use crate::api::{
    ANNOTATION_IMPORTED, ANNOTATION_SOURCE, AlertRule, IMPORT_FIELD_MANAGER, PrometheusRuleImport,
};
use crate::cluster::answer::{chain, code, is_conflict, is_missing};
use crate::controller::context::Context;
use crate::controller::engine::by::By;
use crate::controller::engine::failure::{Failure, Retry};
use crate::controller::engine::managed::Managed;
use crate::domain::import::Wish;
use crate::domain::import::stored::{is_as_asked, owner_reference};

/// How many writes are under way at the same time.
const AT_ONCE: usize = 8;
/// How many writes one pass makes: others wait for their turn, and what is asked for may change meanwhile.
const MOST: usize = 500;

/// What is to be done to one AlertRule.
enum Step<'a> {
    Apply(&'a AlertRule),
    Delete(Arc<AlertRule>),
}

/// What became of it.
enum Outcome {
    Done,
    /// It has changed meanwhile.
    Changed,
    /// The API server doesn't take it as it is.
    Refused(String),
}

/// Writes what is otherwise than asked for, and deletes what isn't asked for any more and `is_gone` says so. What the API server refuses for what
/// it is counts as skipped. False if there was more to do than one pass may.
pub(super) async fn all(
    import: &PrometheusRuleImport,
    context: &Context,
    wish: &mut Wish,
    is_gone: &(dyn Fn(&AlertRule) -> bool + Sync),
) -> Result<bool, Failure> {
    let uid = import.uid().unwrap_or_default();
    let mut there: HashMap<String, Arc<AlertRule>> = context
        .stores
        .rules
        .whole(&By::Owner(uid))
        .into_iter()
        .map(|rule| (rule.name_any(), rule))
        .collect();
    let now = Instant::now();
    let mut steps = Vec::new();
    let mut refused = BTreeMap::new();
    for asked in &wish.rules {
        let name = asked.name_any();
        let own = there.remove(&name);
        if own
            .as_ref()
            .is_some_and(|own| own.is_deleting() || is_as_asked(own, asked))
        {
            // One that is being deleted is made anew as soon as it is gone.
            continue;
        }
        if own.as_ref().is_some_and(|own| is_too_early(own, asked)) {
            continue;
        }
        if own.is_none()
            && let Some(stranger) = stranger(import, context, &name)
        {
            refused.insert(name, stranger);
        } else if let Some(refusal) = context.sources.refusal(&key(asked), fingerprint(asked), now) {
            refused.insert(name, refusal);
        } else {
            steps.push(Step::Apply(asked));
        }
    }
    let gone = there
        .into_values()
        .filter(|rule| !rule.is_deleting() && is_gone(rule));
    steps.extend(gone.map(Step::Delete));
    let mut is_all = steps.len() <= MOST;
    steps.truncate(MOST);
    let api: Api<AlertRule> = Api::namespaced(context.client.clone(), import.ns());
    let runs: Vec<_> = steps.into_iter().map(|step| run(&api, step)).collect();
    let mut outcomes = stream::iter(runs).buffer_unordered(AT_ONCE);
    let mut failure = None;
    while let Some((step, result)) = outcomes.next().await {
        match (step, result) {
            (Step::Apply(asked), Ok(Outcome::Refused(message))) => {
                context
                    .sources
                    .note(key(asked), fingerprint(asked), Some(message.clone()), now);
                refused.insert(asked.name_any(), message);
            }
            (Step::Apply(asked), Ok(Outcome::Done)) => {
                context.sources.note(key(asked), fingerprint(asked), None, now);
            }
            (_, Ok(Outcome::Changed)) => is_all = false,
            (Step::Delete(_), Ok(_)) => {}
            (_, Err(error)) => failure = Some(error),
        }
    }
    drop(outcomes);
    if let Some(error) = failure {
        return Err(failed(import, context, &error).await);
    }
    skip(wish, &refused);
    Ok(is_all)
}

/// Whether an AlertRule can't be taken out of a Grafana yet, for its status doesn't name those that it is in. A status that does is a change of the
/// rule, and brings the next pass.
fn is_too_early(own: &AlertRule, asked: &AlertRule) -> bool {
    let is_noted = own
        .status
        .as_ref()
        .is_some_and(|status| !status.instances.is_empty());
    let (now, then) = (own.wanted(), asked.wanted());
    !is_noted && (now.first() != then.first() || !now.iter().all(|name| then.contains(name)))
}

/// Why an AlertRule of a name can't be an import's, if one is there that isn't.
fn stranger(import: &PrometheusRuleImport, context: &Context, name: &str) -> Option<String> {
    let reference = ObjectRef::<AlertRule>::new(name).within(import.ns());
    let other = context.stores.rules.get(&reference)?;
    let own = owner_reference(import);
    let controller = other
        .owner_references()
        .iter()
        .find(|owner| owner.controller == Some(true));
    match controller {
        // An import of this name that is gone has left it to be collected as garbage.
        Some(owner)
            if owner.kind == own.kind && owner.name == own.name && owner.api_version == own.api_version =>
        {
            None
        }
        _ => Some(format!(
            "AlertRule {name} is there already and isn't this import's; delete it, or rename one of the two"
        )),
    }
}

async fn run<'a>(api: &Api<AlertRule>, step: Step<'a>) -> (Step<'a>, Result<Outcome, kube::Error>) {
    let result = match &step {
        Step::Apply(asked) => {
            let ours = PatchParams::apply(IMPORT_FIELD_MANAGER).force();
            let applied = api.patch(&asked.name_any(), &ours, &Patch::Apply(asked)).await;
            applied.map(|_| Outcome::Done)
        }
        Step::Delete(rule) => {
            // Not another one of that name.
            let only_this = DeleteParams {
                preconditions: Some(Preconditions {
                    uid: rule.metadata.uid.clone(),
                    resource_version: None,
                }),
                ..DeleteParams::default()
            };
            let deleted = api.delete(&rule.name_any(), &only_this).await;
            match deleted {
                Err(error) if is_missing(&error) => Ok(Outcome::Done),
                Err(error) if is_conflict(&error) => Ok(Outcome::Changed),
                other => other.map(|_| Outcome::Done),
            }
        }
    };
    let outcome = match (&step, result) {
        (_, Ok(outcome)) => Ok(outcome),
        (Step::Apply(_), Err(error)) if matches!(code(&error), Some(400 | 422)) => {
            Ok(Outcome::Refused(chain(&error)))
        }
        (_, Err(error)) => Err(error),
    };
    (step, outcome)
}

/// A failure that isn't one rule's.
async fn failed(import: &PrometheusRuleImport, context: &Context, error: &kube::Error) -> Failure {
    use kube::Resource;
    context.tell_if_refused(&import.object_ref(&()), error).await;
    Failure {
        is_of_kubernetes: true,
        ..Failure::new(
            Reason::Unavailable,
            format!("an AlertRule can't be written: {}", chain(error)),
            Retry::Backoff,
        )
    }
}

/// Takes what was refused out of what there is.
fn skip(wish: &mut Wish, refused: &BTreeMap<String, String>) {
    for rule in std::mem::take(&mut wish.rules) {
        let Some(message) = refused.get(rule.id()) else {
            wish.rules.push(rule);
            continue;
        };
        wish.skipped.push(Remark {
            source: rule
                .annotations()
                .get(ANNOTATION_SOURCE)
                .cloned()
                .unwrap_or_default(),
            group: None,
            rule: rule.spec.title.clone(),
            message: message.clone(),
        });
    }
}

fn key(rule: &AlertRule) -> String {
    format!("{}/{}", rule.ns(), rule.id())
}

fn fingerprint(rule: &AlertRule) -> &str {
    rule.annotations()
        .get(ANNOTATION_IMPORTED)
        .map_or("", String::as_str)
}
