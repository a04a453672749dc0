//! Rules: through the older API unless the newer one is asked for, or the older one isn't there any more.

use std::sync::Arc;

use futures::FutureExt;
use parking_lot::RwLock;

use super::major;
use super::newer::is_closed;
use super::turnover::{Course, Door, Known};
use crate::grafana::api::{
    self, Answer, Api, Capabilities, Change, Concern, Fallback, FoundRule, Preference, Provenance, RuleWrite,
    Stored,
};
use crate::grafana::error::{Class, Error, Result};
use crate::grafana::platform::{self, Discovery, Kind, Need};
use crate::grafana::transport::Transport;
use crate::grafana::turns::Company;
use crate::grafana::wire::Settings;

/// Rules aren't the same through either API: what the newer one makes has no group. So it is used only where it is asked for, or must be; and
/// a change waits until it was told.
pub(super) struct Rules {
    older: Arc<dyn api::Rules>,
    company: Company,
    state: RwLock<State>,
}

#[derive(Default)]
struct State {
    is_asked: bool,
    /// Whether the older API has said that it isn't there.
    is_gone: bool,
    /// Whether that isn't taken into account yet.
    is_stale: bool,
    newer: Option<Newer>,
    fallback: Option<Fallback>,
    course: Course,
}

#[derive(Clone)]
struct Newer {
    api: Arc<dyn api::Rules>,
    kinds: [Kind; 2],
}

impl Rules {
    pub(super) fn new(older: Arc<dyn api::Rules>, company: Company) -> Self {
        Self {
            older,
            company,
            state: RwLock::default(),
        }
    }

    pub(super) fn prefer(&self, preference: &Preference) {
        let mut state = self.state.write();
        state.is_asked = preference.platform_rules;
        let before = preference.rules_before.as_ref();
        state.course.in_use = before.map(|api| match api {
            Api::Provisioning => Door::Provisioning,
            Api::Platform(_) => Door::Platform,
        });
    }

    /// Looks whether the newer API is there and may be used, where it matters.
    pub(super) async fn look(
        &self,
        transport: &Arc<Transport>,
        discovery: &Discovery<'_>,
        settings: &Settings,
    ) -> Result<()> {
        let (is_asked, mut is_gone, in_use) = {
            let state = self.state.read();
            (state.is_asked, state.is_gone, state.course.in_use)
        };
        let is_used = in_use == Some(Door::Platform);
        if is_used && !is_asked {
            // That it is gone was seen by another process, and it may be back.
            is_gone = match self.older.list().await {
                Err(error) if error.class() == Class::Missing => true,
                answer => answer.map(|_| false)?,
            };
        }
        let (mut newer, mut fallback) = (None, None);
        if is_asked || is_gone || is_used {
            newer = self.find(transport, discovery, settings).await?;
            fallback = newer.is_none().then_some(Fallback::NotServed);
        }
        // What is used already shows by its lists whether it still may be.
        if let (Some(found), Some(Door::Provisioning)) = (&newer, in_use)
            && let Err(error) = api::Rules::list(found).await
        {
            if !is_closed(&error) {
                return Err(error);
            }
            fallback = Some(Fallback::Refused(error.to_string()));
            newer = None;
        }
        let mut state = self.state.write();
        let known = Known {
            is_asked,
            is_gone,
            is_usable: newer.is_some(),
        };
        state.course = state.course.choose(known);
        state.newer = newer.map(Newer::from);
        state.fallback = fallback.filter(|_| known.is_wanted());
        (state.is_gone, state.is_stale) = (is_gone, false);
        Ok(())
    }

    /// The newer API, if this Grafana has a version of it that is usable. The alpha version is from 13.0 on; in 12 its fields still changed.
    async fn find(
        &self,
        transport: &Arc<Transport>,
        discovery: &Discovery<'_>,
        settings: &Settings,
    ) -> Result<Option<platform::Rules>> {
        let Some(namespace) = &settings.namespace else {
            return Ok(None);
        };
        let mut versions = platform::Rules::VERSIONS.to_vec();
        if major(settings).is_none_or(|major| major < 13) {
            versions.retain(|version| !version.contains("alpha"));
        }
        let [alerting, recording] = platform::Rules::PLURALS;
        let needs = [Need::to_write(alerting), Need::to_remove(recording)];
        let found = discovery.find(platform::Rules::GROUP, needs, &versions).await?;
        Ok(found.map(|kinds| platform::Rules::new(transport, kinds, namespace, self.company.clone())))
    }

    pub(super) fn is_stale(&self) -> bool {
        self.state.read().is_stale
    }

    /// Makes the change that is due.
    pub(super) fn change(&self) {
        let mut state = self.state.write();
        state.course = state.course.make_switch();
    }

    /// Notes what is chosen.
    pub(super) fn describe(&self, capabilities: &mut Capabilities) {
        let state = self.state.read();
        let newer = state.newer.as_ref();
        let used = newer.filter(|_| state.course.in_use == Some(Door::Platform));
        let kinds = used.map(|newer| newer.kinds.as_slice());
        capabilities.note(Concern::Rules, kinds, state.fallback.clone());
        capabilities.change = state.course.switch.and_then(|switch| {
            let to = match switch.to {
                Door::Provisioning => Api::Provisioning,
                Door::Platform => Api::Platform(newer?.kinds.first()?.group_version()),
            };
            Some(Change {
                to,
                why: switch.why,
                is_made: switch.is_made,
            })
        });
    }

    /// The newer API, while it is used.
    fn newer(&self) -> Option<Arc<dyn api::Rules>> {
        let state = self.state.read();
        let newer = state.newer.as_ref()?;
        (state.course.in_use == Some(Door::Platform)).then(|| newer.api.clone())
    }

    /// Gives an answer of the newer API, by the older one if the newer one is closed; it is given up then until the next choice.
    async fn answered<T>(&self, answer: Result<T>, older: impl Future<Output = Result<T>>) -> Result<T> {
        match answer {
            Err(closed) if is_closed(&closed) => self.given_up(&closed, older).await,
            answer => answer,
        }
    }

    /// The same of a write, which may miss what it is about.
    async fn written<T>(&self, answer: Result<T>, older: impl Future<Output = Result<T>>) -> Result<T> {
        match answer {
            Err(closed) if closed.class() == Class::Forbidden => self.given_up(&closed, older).await,
            answer => answer,
        }
    }

    async fn given_up<T>(&self, closed: &Error, older: impl Future<Output = Result<T>>) -> Result<T> {
        let answer = older.await?;
        let mut state = self.state.write();
        state.fallback = Some(Fallback::Refused(closed.to_string()));
        state.course = Course::through(Door::Provisioning);
        Ok(answer)
    }

    /// Notes whether the older API is there, by the answer of its list.
    fn seen<T>(&self, answer: &Result<T>) {
        let is_gone = match answer {
            Ok(_) => false,
            Err(error) if error.class() == Class::Missing => true,
            Err(_) => return,
        };
        let mut state = self.state.write();
        state.is_stale |= state.is_gone != is_gone;
        state.is_gone = is_gone;
    }

    fn listed(&self) {
        let mut state = self.state.write();
        state.course = state.course.listed();
    }
}

impl From<platform::Rules> for Newer {
    fn from(rules: platform::Rules) -> Self {
        Self {
            kinds: rules.kinds().map(Kind::clone),
            api: Arc::new(rules),
        }
    }
}

impl api::Rules for Rules {
    fn list(&self) -> Answer<'_, Vec<FoundRule>> {
        async move {
            let answer = if let Some(newer) = self.newer() {
                self.answered(newer.list().await, self.older.list()).await
            } else {
                let answer = self.older.list().await;
                self.seen(&answer);
                answer
            };
            answer.inspect(|_| self.listed())
        }
        .boxed()
    }

    fn get<'a>(&'a self, uid: &'a str) -> Answer<'a, Option<FoundRule>> {
        async move {
            match self.newer() {
                Some(newer) => self.answered(newer.get(uid).await, self.older.get(uid)).await,
                None => self.older.get(uid).await,
            }
        }
        .boxed()
    }

    fn put<'a>(&'a self, write: RuleWrite<'a>) -> Answer<'a, Stored> {
        async move {
            match self.newer() {
                Some(newer) => self.written(newer.put(write).await, self.older.put(write)).await,
                None => self.older.put(write).await,
            }
        }
        .boxed()
    }

    fn delete<'a>(&'a self, found: &'a FoundRule, provenance: Provenance) -> Answer<'a, ()> {
        async move {
            let Some(newer) = self.newer() else {
                return self.older.delete(found, provenance).await;
            };
            let answer = newer.delete(found, provenance).await;
            self.written(answer, self.older.delete(found, provenance)).await
        }
        .boxed()
    }
}
