//! When and how the states of alerts are read: page by page where Grafana can, and something else may have its turn between two pages.

use std::collections::HashSet;
use std::time::Duration;

use kube::runtime::reflector::ObjectRef;
use tokio::time::Instant;
use tracing::warn;

use crate::controller::alert_rule::{self, state};
use crate::controller::connection::Instance;
use crate::controller::context::Context;
use crate::domain::rule::states::{Change, Named, SeenState};
use crate::grafana::api::{AlertState, FoundRule, RuleState, StatesPage, Window};
use crate::grafana::error::steady::steady;

/// The states are read so rarely that it takes at most this share of the time.
const SHARE: u32 = 50;

/// How long states wait for passes over rules.
const GIVES_WAY: Duration = Duration::from_secs(30);
/// How often it is looked whether they still have to.
const LOOKS_AGAIN: Duration = Duration::from_secs(1);

/// What a page holds at most. For each Grafana up to 12.3 reads all rules, so there shouldn't be many of them.
const PAGE: Size = Size {
    groups: 500,
    rules: 2000,
};

/// How large a page is.
#[derive(Debug, Clone, Copy)]
pub(in crate::controller) struct Size {
    pub(in crate::controller) groups: u32,
    pub(in crate::controller) rules: u32,
}

/// The reading of one Grafana's states, in rounds of one page or more.
#[derive(Debug)]
pub(in crate::controller) struct StateReads {
    every: Duration,
    page: Size,
    next: Instant,
    round: Option<Round>,
    /// Since when a round that is due is put off.
    gives_way_since: Option<Instant>,
    /// The version of a Grafana whose pages don't end.
    endless: Option<String>,
}

/// A round under way.
#[derive(Debug, Default)]
struct Round {
    /// Where its next page begins.
    from: Option<String>,
    /// Where its pages have begun.
    begun: HashSet<String>,
    /// How long its answers have taken.
    took: Duration,
    /// When it had the last one.
    answered: Option<Instant>,
}

impl StateReads {
    /// A round is due at once, and then so often.
    pub(super) fn new(every: Duration, now: Instant) -> Self {
        Self::by_pages(every, now, PAGE)
    }

    /// The same with pages of another size.
    pub(in crate::controller) fn by_pages(every: Duration, now: Instant, page: Size) -> Self {
        Self {
            every,
            page,
            next: now,
            round: None,
            gives_way_since: None,
            endless: None,
        }
    }

    /// When the next page is due.
    pub(in crate::controller) fn next(&self) -> Instant {
        self.next
    }

    /// Puts off what is due before.
    pub(super) fn hold_until(&mut self, moment: Instant) {
        self.next = self.next.max(moment);
    }

    /// Whether the next round is put off, since many passes over rules are under way: that they are in Grafana and Ready is what people wait for, and
    /// what states they have there is asked later. But not for long.
    pub(in crate::controller) fn gives_way(&mut self, is_crowded: bool, now: Instant) -> bool {
        let since = *self.gives_way_since.get_or_insert(now);
        if self.round.is_some() || !is_crowded || now >= since + GIVES_WAY {
            self.gives_way_since = None;
            return false;
        }
        self.next = now + LOOKS_AGAIN;
        true
    }

    /// Reads a page. After the last one of a round what it has shown counts, and passes are asked for.
    pub(in crate::controller) async fn read(&mut self, instance: &Instance, context: &Context) {
        let version = instance.known_settings().and_then(|settings| settings.version);
        let version = version.unwrap_or_default();
        let is_whole = self.endless.as_ref() == Some(&version);
        let mut round = self.go_on(Instant::now()).unwrap_or_else(|| {
            instance.states.write().begin();
            Round::default()
        });
        let window = if is_whole {
            Window::Whole
        } else {
            Window::Page {
                from: round.from.as_deref(),
                groups: self.page.groups,
                rules: self.page.rules,
            }
        };
        let started = Instant::now();
        let answer = instance.grafana.states.page(window).await;
        let now = Instant::now();
        round.took += now - started;
        round.answered = Some(now);
        let Ok(StatesPage { states, next }) = answer else {
            return self.rest(round.took, now);
        };
        let shown = states
            .into_iter()
            .filter_map(|rule| shown(instance, context, &rule));
        instance.states.write().answer(shown);
        self.next = now;
        match next.filter(|_| !is_whole) {
            None => {
                // One that only says what the status says already needs no pass, but the status may be older than a pass under way that shows
                // what was known before: so only where nothing was.
                let changes = instance.states.write().end();
                for Change { rule, is_first } in changes {
                    if !(is_first && is_told(instance, context, &rule)) {
                        context.triggers.rules.one(&rule.0, &rule.1);
                    }
                }
                self.rest(round.took, now);
            }
            Some(next) if round.begun.insert(next.clone()) => {
                round.from = Some(next);
                self.round = Some(round);
            }
            // Up to 12.3 pages are in one order and their beginnings are looked for in another, where one folder's name is the beginning
            // of another's (api_prometheus.go).
            Some(_) => {
                warn!(
                    instance = instance.name,
                    version,
                    "grafana's pages of alert states lead back to where they began: they are read in one answer"
                );
                self.endless = Some(version);
            }
        }
    }

    /// The round under way, unless it was interrupted for so long that another would be due.
    fn go_on(&mut self, now: Instant) -> Option<Round> {
        self.round
            .take()
            .filter(|round| round.answered.is_some_and(|answered| now < answered + self.every))
    }

    fn rest(&mut self, took: Duration, now: Instant) {
        self.next = now + self.every.max(took * SHARE);
    }
}

/// Whose rule it is, if it is ours and no copy that somebody has made of it, and what is to be known of it.
fn shown(instance: &Instance, context: &Context, rule: &RuleState) -> Option<(Named, SeenState)> {
    let resource = instance.owners.resource(rule.owner.as_deref()?)?;
    if !is_original(instance, context, rule, resource) {
        return None;
    }
    let message = rule
        .last_error
        .as_deref()
        .filter(|_| rule.state == AlertState::Error);
    let seen = SeenState {
        state: rule.state,
        message: message.and_then(steady),
    };
    let (namespace, name) = resource;
    Some(((namespace.to_owned(), name.to_owned()), seen))
}

fn is_told(instance: &Instance, context: &Context, rule: &Named) -> bool {
    let reference = ObjectRef::new(&rule.1).within(&rule.0);
    let object = context.stores.rules.at(&reference, &instance.name);
    object.is_some_and(|object| state::is_shown(&object, instance.states.read().get(rule)))
}

fn is_original(instance: &Instance, context: &Context, rule: &RuleState, resource: (&str, &str)) -> bool {
    let object = context
        .stores
        .rules
        .get(&ObjectRef::new(resource.1).within(resource.0));
    let is_original =
        |found: &FoundRule| alert_rule::is_original(found, instance, resource, object.as_deref());
    instance.mirror.read(|held| {
        if let Some(uid) = &rule.uid {
            // One that isn't known yet has just been made, or is somebody's: its uid tells.
            let found = held.rules.lookup(uid).present();
            return found.map_or_else(
                || alert_rule::is_named(uid, instance, resource, object.as_deref()),
                is_original,
            );
        }
        // Below 11.0 a rule is told by where it is, if there is a copy.
        let marked = held.rules.marked(rule.owner.as_deref().unwrap_or_default());
        let mut copies = marked.iter().filter_map(|uid| held.rules.lookup(uid).present());
        !copies.any(|found| {
            found.title == rule.title && found.group.as_deref() == Some(&rule.group) && !is_original(found)
        })
    })
}
