//! Taking the errors out of a watch.

use std::sync::Arc;

use futures::StreamExt;
use futures::stream::{self, BoxStream};
use kube::runtime::watcher::{self, Event};
use tracing::{debug, info, warn};

use super::kinds::{Events, Watched};
use crate::cluster::answer;
use crate::controller::engine::unwatched::Unwatched;

/// So many refusals, and a namespace that was never listed counts as empty: its rights or the namespace itself are gone, and the
/// others mustn't wait for it.
const REFUSALS: u32 = 3;

/// Takes the errors out of a watch and tells them, each once. One of several namespaces that is refused again and again before it was ever
/// listed counts as listed and empty.
pub(super) fn calm<K: Watched>(
    events: BoxStream<'static, watcher::Result<Event<K>>>,
    mut calm: Calm,
) -> Events<K> {
    events
        .flat_map(move |event| stream::iter(calm.step(event)))
        .boxed()
}

/// What is known of the errors of one watch.
#[derive(Clone)]
pub(super) struct Calm {
    /// The namespace, where the watch is one of several.
    part: Option<String>,
    /// Whether the kind need not be there.
    is_optional: bool,
    unwatched: Arc<Unwatched>,
    trouble: Option<String>,
    refusals: u32,
    is_listed: bool,
}

impl Calm {
    /// Of a kind that must be there.
    pub(super) fn new(unwatched: &Arc<Unwatched>) -> Self {
        Self {
            part: None,
            is_optional: false,
            unwatched: unwatched.clone(),
            trouble: None,
            refusals: 0,
            is_listed: false,
        }
    }

    /// Of a kind that need not be there.
    pub(super) fn of_optional(unwatched: &Arc<Unwatched>) -> Self {
        Self {
            is_optional: true,
            ..Self::new(unwatched)
        }
    }

    /// The same for one of several namespaces.
    pub(super) fn of_part(&self, namespace: &str) -> Self {
        Self {
            part: Some(namespace.to_owned()),
            ..self.clone()
        }
    }

    fn step<K: Watched>(&mut self, event: watcher::Result<Event<K>>) -> Vec<Event<K>> {
        let kind = K::kind(&());
        let namespace = self.part.as_deref().unwrap_or_default();
        match event {
            Ok(Event::Init) => vec![Event::Init],
            Ok(event) => {
                if self.trouble.take().is_some() {
                    info!(%kind, namespace, "the watch goes on");
                }
                // Half a listing isn't seen yet.
                if !matches!(event, Event::InitApply(_)) {
                    self.refusals = 0;
                    self.unwatched.ends(&kind, namespace);
                }
                self.is_listed |= matches!(event, Event::InitDone);
                vec![event]
            }
            // A namespace that isn't there is listed as an empty one, so it is the kind that is missing.
            Err(error) if self.is_optional && answer::code_within(&error) == Some(404) => {
                let text = "not installed".to_owned();
                if self.trouble.as_ref() != Some(&text) {
                    info!(%kind, namespace, "not installed; it is looked for again every half a minute");
                }
                self.trouble = Some(text);
                self.unwatched.is_missing(&kind, namespace);
                self.count_as_empty()
            }
            Err(error) => {
                let text = answer::chain(&error);
                if self.trouble.as_ref() == Some(&text) {
                    debug!(%kind, namespace, error = text, "cannot watch");
                } else {
                    warn!(%kind, namespace, error = text, "cannot watch");
                }
                self.trouble = Some(text);
                if !matches!(answer::code_within(&error), Some(403 | 404)) {
                    return Vec::new();
                }
                self.refusals += 1;
                if self.refusals < REFUSALS {
                    return Vec::new();
                }
                self.unwatched.begins(&kind, namespace);
                if self.part.is_none() && !self.is_optional {
                    return Vec::new();
                }
                self.count_as_empty()
            }
        }
    }

    /// An empty listing, if there was none yet.
    fn count_as_empty<K: Watched>(&mut self) -> Vec<Event<K>> {
        if std::mem::replace(&mut self.is_listed, true) {
            return Vec::new();
        }
        vec![Event::Init, Event::InitDone]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{AlertRule, AlertRuleSpec};
    use crate::metrics::Metrics;
    use kube::ResourceExt;
    use kube::core::Status;

    type Watch = watcher::Result<Event<AlertRule>>;

    fn rule(name: &str, version: &str) -> AlertRule {
        let mut rule = AlertRule::new(name, AlertRuleSpec::default());
        rule.metadata.namespace = Some("team".into());
        rule.metadata.resource_version = Some(version.into());
        rule
    }

    fn refused(code: u16) -> Watch {
        let mut status = Status::failure("alertrules is forbidden", "Forbidden");
        status.code = code;
        Err(watcher::Error::InitialListFailed(kube::Error::Api(Box::new(
            status,
        ))))
    }

    fn unwatched() -> Arc<Unwatched> {
        Arc::new(Unwatched::new(&[], Arc::new(Metrics::new())))
    }

    fn told(event: &Event<AlertRule>) -> String {
        match event {
            Event::Init => "begin".into(),
            Event::InitApply(o) => format!("list {}", o.name_any()),
            Event::InitDone => "end".into(),
            Event::Apply(o) => format!("apply {}", o.name_any()),
            Event::Delete(o) => format!("delete {}", o.name_any()),
        }
    }

    async fn through(events: Vec<Watch>, part: Option<&str>, unwatched: &Arc<Unwatched>) -> Vec<String> {
        of(events, part, Calm::new(unwatched)).await
    }

    async fn of(events: Vec<Watch>, part: Option<&str>, manner: Calm) -> Vec<String> {
        let manner = part.map_or_else(|| manner.clone(), |part| manner.of_part(part));
        let calm = calm(stream::iter(events).boxed(), manner);
        calm.map(|event| told(&event)).collect().await
    }

    #[tokio::test]
    async fn a_namespace_that_may_not_be_listed_counts_as_empty_and_is_named_until_it_may() {
        let places = unwatched();
        let refusals = || vec![refused(403), refused(403), refused(403), refused(403)];
        assert_eq!(through(refusals(), Some("gone"), &places).await, ["begin", "end"]);
        assert!(!places.sees("AlertRule", "gone"));
        assert!(places.sees("AlertRule", "team"));
        let back = vec![Ok(Event::InitDone)];
        through(back, Some("gone"), &places).await;
        assert!(places.sees("AlertRule", "gone"));
    }

    #[tokio::test]
    async fn half_a_listing_is_not_seen_yet() {
        let places = unwatched();
        let refusals = vec![refused(403), refused(403), refused(403)];
        through(refusals, Some("late"), &places).await;
        let half = vec![Ok(Event::Init), Ok(Event::InitApply(rule("a", "1")))];
        let mut calm = Calm {
            refusals: REFUSALS,
            is_listed: true,
            ..Calm::new(&places).of_part("late")
        };
        for event in half {
            calm.step(event);
        }
        assert!(!places.sees("AlertRule", "late") && !places.sees_all("AlertRule"));
        calm.step::<AlertRule>(Ok(Event::InitDone));
        assert!(places.sees("AlertRule", "late") && places.sees_all("AlertRule"));
    }

    #[tokio::test]
    async fn what_may_be_listed_nowhere_is_waited_for() {
        let places = unwatched();
        let events = vec![refused(404), refused(404), refused(404), refused(404)];
        assert!(through(events, None, &places).await.is_empty());
        assert!(!places.sees("AlertRule", "team"));
    }

    #[tokio::test]
    async fn an_api_server_that_is_away_makes_no_namespace_empty() {
        let places = unwatched();
        let events = (0..5).map(|_| refused(503)).collect();
        assert!(through(events, Some("team"), &places).await.is_empty());
        assert!(places.sees("AlertRule", "team"));
    }

    #[tokio::test]
    async fn a_kind_that_need_not_be_there_counts_as_empty_and_as_unseen_until_it_is() {
        let places = unwatched();
        let optional = || Calm::of_optional(&places);
        let missing = || vec![refused(404), refused(404)];
        for part in [None, Some("team")] {
            assert_eq!(
                of(missing(), part, optional()).await,
                ["begin", "end"],
                "{part:?}"
            );
            assert!(!places.sees("AlertRule", "team"), "{part:?}");
            let installed = missing()
                .into_iter()
                .chain([Ok(Event::Init), Ok(Event::InitDone)])
                .collect();
            let told = of(installed, part, optional()).await;
            assert_eq!(told, ["begin", "end", "begin", "end"], "{part:?}");
            assert!(places.sees("AlertRule", "team"), "{part:?}");
        }
    }

    #[tokio::test]
    async fn a_kind_that_need_not_be_there_and_may_not_be_watched_keeps_nobody_waiting() {
        let places = unwatched();
        let refusals = vec![refused(403), refused(403), refused(403), refused(403)];
        let told = of(refusals, None, Calm::of_optional(&places)).await;
        assert_eq!(told, ["begin", "end"]);
        assert!(!places.sees("AlertRule", "team"));
    }
}
