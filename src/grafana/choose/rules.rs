//! Rules: through the older API unless the newer one is asked for, or the older one isn't there any more.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures::FutureExt;
use parking_lot::RwLock;

use super::newer::{instead, is_closed, is_refused, read};
use super::turnover::{Course, Door, Known};
use crate::grafana::api::watch::Listed;
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
/// nothing is written through another one than before until that was told. What is read decides nothing, so it is read wherever it can be.
pub(super) struct Rules {
    older: Arc<dyn api::Rules>,
    company: Company,
    state: RwLock<State>,
}

#[derive(Default)]
struct State {
    is_asked: bool,
    /// Whether the older API has said that it isn't there, be it for its list or for a write: the two needn't go on the same day.
    gone: Gone,
    /// Which of the two has shown since the last choice that it isn't what it was taken for: there, or to be used.
    doubted: BTreeSet<Door>,
    /// What the newer API is called that is used; known from before also while it can't be seen.
    used: Option<Api>,
    newer: Option<Newer>,
    fallback: Option<Fallback>,
    refusal: Option<Refusal>,
    course: Course,
}

/// What of the older API isn't there any more.
#[derive(Default, Clone, Copy, PartialEq, Eq)]
struct Gone {
    list: bool,
    writes: bool,
}

impl Gone {
    fn is_any(self) -> bool {
        self.list || self.writes
    }
}

#[derive(Clone)]
struct Newer {
    api: Arc<dyn api::Rules>,
    kinds: [Kind; 2],
}

/// That the newer API has refused to write a rule. Rights may be for some folders or data sources only, so it says nothing of other rules.
struct Refusal {
    uid: String,
    why: String,
    /// Whether people have been told that what it refuses goes through the older one.
    is_told: bool,
}

/// What rules go through.
enum Way {
    Older,
    Newer(Arc<dyn api::Rules>),
    /// The newer one, as far as is known, and it can't be seen now.
    Unknown,
}

impl State {
    fn way(&self) -> Way {
        match (self.course.in_use, &self.newer) {
            (Some(Door::Platform), Some(newer)) => Way::Newer(newer.api.clone()),
            (Some(Door::Platform), None) => Way::Unknown,
            (None, _) if self.is_asked => Way::Unknown,
            (Some(Door::Provisioning) | None, _) => Way::Older,
        }
    }
}

impl Rules {
    pub(super) fn new(older: Arc<dyn api::Rules>, company: Company) -> Self {
        Self {
            older,
            company,
            state: RwLock::default(),
        }
    }

    pub(super) fn prefer(&self, preference: Preference) {
        let mut state = self.state.write();
        state.is_asked = preference.platform_rules;
        state.course.in_use = preference.rules_before.as_ref().map(|api| match api {
            Api::Provisioning => Door::Provisioning,
            Api::Platform(_) => Door::Platform,
        });
        state.used = preference.rules_before;
    }

    /// Looks whether the newer API is there and may be used, where it matters.
    pub(super) async fn look(
        &self,
        transport: &Arc<Transport>,
        discovery: &Discovery<'_>,
        settings: &Settings,
    ) -> Result<()> {
        let (is_asked, mut gone, is_doubted, in_use) = {
            let state = self.state.read();
            (
                state.is_asked,
                state.gone,
                state.doubted.contains(&Door::Platform),
                state.course.in_use,
            )
        };
        let is_used = in_use == Some(Door::Platform);
        if is_used && !is_asked {
            // That it is gone was seen by another process, and it may be back.
            gone = self.look_at_older().await?;
        }
        let is_gone = gone.is_any();
        let (mut newer, mut fallback) = (None, None);
        if is_asked || is_gone || is_used {
            newer = self.find(transport, discovery, settings).await?;
            fallback = newer.is_none().then_some(Fallback::NotServed);
        }
        // What is used already shows by its lists whether it still may be.
        if let Some(found) = &newer
            && (in_use == Some(Door::Provisioning) || is_doubted)
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
        state.used = state.newer.as_ref().map(Newer::name).or(state.used.take());
        state.fallback = fallback
            .filter(|_| known.is_wanted())
            .map(|fallback| if is_gone { Fallback::Neither } else { fallback });
        state.gone = gone;
        state.doubted.clear();
        Ok(())
    }

    /// What of the older API isn't there.
    async fn look_at_older(&self) -> Result<Gone> {
        let list = match self.older.list().await {
            Err(error) if error.class() == Class::Missing => true,
            answer => answer.map(|_| false)?,
        };
        let writes = list || !self.older.is_served().await?;
        Ok(Gone { list, writes })
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
        if settings.major().is_none_or(|major| major < 13) {
            versions.retain(|version| !version.contains("alpha"));
        }
        let [alerting, recording] = platform::Rules::PLURALS;
        let needs = [Need::to_write(alerting), Need::to_remove(recording)];
        let found = discovery.find(platform::Rules::GROUP, needs, &versions).await?;
        Ok(found.map(|kinds| platform::Rules::new(transport, kinds, namespace, self.company.clone())))
    }

    pub(super) fn is_stale(&self) -> bool {
        !self.state.read().doubted.is_empty()
    }

    /// Notes that these were told: makes the change that is due, and lets through the older API what the newer one refuses.
    pub(super) fn told(&self, capabilities: &Capabilities) {
        let mut state = self.state.write();
        if capabilities.change.as_ref().is_some_and(|change| !change.is_made) {
            state.course = state.course.make_switch();
            state.refusal = None;
        }
        if let (Some(Fallback::WritesRefused(_)), Some(refusal)) =
            (capabilities.fallbacks.get(&Concern::Rules), &mut state.refusal)
        {
            refusal.is_told = true;
        }
    }

    /// Notes what is chosen.
    pub(super) fn describe(&self, capabilities: &mut Capabilities) {
        let state = self.state.read();
        let newer = state.newer.as_ref();
        let refused = state.refusal.as_ref();
        let refused = refused.map(|refusal| Fallback::WritesRefused(refusal.why.clone()));
        let fallback = state.fallback.clone().or(refused);
        match state.way() {
            Way::Older => capabilities.note(Concern::Rules, None, fallback),
            Way::Newer(_) => {
                let kinds = newer.map(|newer| newer.kinds.as_slice());
                capabilities.note(Concern::Rules, kinds, fallback);
            }
            Way::Unknown => {
                let used = state.used.clone();
                capabilities.apis.extend(used.map(|api| (Concern::Rules, api)));
                capabilities
                    .fallbacks
                    .extend(fallback.map(|why| (Concern::Rules, why)));
            }
        }
        capabilities.change = state.course.switch.and_then(|switch| {
            let to = match switch.to {
                Door::Provisioning => Api::Provisioning,
                Door::Platform => newer?.name(),
            };
            Some(Change {
                to,
                why: switch.why,
                is_made: switch.is_made,
            })
        });
    }

    fn way(&self) -> Way {
        self.state.read().way()
    }

    /// Gives the answer of a write of a rule by the newer API. What is refused goes through the older one, once people have been told; the door of
    /// all others stays.
    async fn written<T>(
        &self,
        uid: &str,
        answer: Result<T>,
        older: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        match answer {
            Err(refused) if is_refused(&refused) => {
                if self.is_gone() {
                    Err(refused)
                } else if self.refuses(uid, &refused) {
                    instead(refused, older).await
                } else {
                    Err(Error::Unsettled {
                        operation: "rules.put",
                    })
                }
            }
            answer => answer.inspect(|_| self.took(uid)),
        }
    }

    fn is_gone(&self) -> bool {
        self.state.read().gone.is_any()
    }

    /// Notes that a rule is refused. Whether people have been told that there are such.
    fn refuses(&self, uid: &str, refused: &Error) -> bool {
        let mut state = self.state.write();
        let is_told = state.refusal.as_ref().is_some_and(|refusal| refusal.is_told);
        state.refusal = Some(Refusal {
            uid: uid.to_owned(),
            why: refused.without_words(),
            is_told,
        });
        is_told
    }

    /// Notes that a rule isn't refused.
    fn took(&self, uid: &str) {
        let mut state = self.state.write();
        state.refusal.take_if(|refusal| refusal.uid == uid);
    }

    /// Notes that the newer API has refused a list.
    fn doubt(&self) {
        self.state.write().doubted.insert(Door::Platform);
    }

    /// Notes whether the older API is there, by the answer of its list.
    fn seen<T>(&self, answer: &Result<T>) {
        let is_gone = match answer {
            Ok(_) => false,
            Err(error) if error.class() == Class::Missing => true,
            Err(_) => return,
        };
        self.notes(|gone| gone.list = is_gone);
    }

    /// Notes whether rules can be written through the older API, by the answer of a write.
    fn sent<T>(&self, answer: Result<T>) -> Result<T> {
        match &answer {
            Ok(_) => self.notes(|gone| gone.writes = false),
            Err(error) if error.is_no_address() => self.notes(|gone| gone.writes = true),
            Err(_) => {}
        }
        answer
    }

    fn notes(&self, note: impl FnOnce(&mut Gone)) {
        let mut state = self.state.write();
        let before = state.gone;
        note(&mut state.gone);
        if state.gone.is_any() != before.is_any() {
            state.doubted.insert(Door::Provisioning);
        }
    }

    fn listed(&self) {
        let mut state = self.state.write();
        state.course = state.course.listed();
    }
}

impl Newer {
    fn name(&self) -> Api {
        let [kind, _] = &self.kinds;
        Api::Platform(kind.group_version())
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
    fn is_served(&self) -> Answer<'_, bool> {
        async move {
            match self.way() {
                Way::Newer(newer) => newer.is_served().await,
                Way::Older | Way::Unknown => self.older.is_served().await,
            }
        }
        .boxed()
    }

    fn list(&self) -> Answer<'_, Listed<FoundRule>> {
        async move {
            let way = self.way();
            let Way::Newer(newer) = &way else {
                let answer = self.older.list().await;
                self.seen(&answer);
                if matches!(way, Way::Older) && answer.is_ok() {
                    self.listed();
                }
                return answer;
            };
            match newer.list().await {
                Err(closed) if is_closed(&closed) => {
                    let answer = instead(closed, self.older.list()).await;
                    answer.inspect(|_| self.doubt())
                }
                answer => answer.inspect(|_| self.listed()),
            }
        }
        .boxed()
    }

    #[cfg(feature = "cli")]
    fn whole(&self) -> Answer<'_, Vec<crate::grafana::model::AlertRule>> {
        async move {
            let Way::Newer(newer) = self.way() else {
                let answer = self.older.whole().await;
                self.seen(&answer);
                return answer;
            };
            match newer.whole().await {
                Err(closed) if is_closed(&closed) => instead(closed, self.older.whole()).await,
                answer => answer,
            }
        }
        .boxed()
    }

    #[cfg(feature = "cli")]
    fn named(&self) -> Answer<'_, Vec<crate::grafana::model::AlertRule>> {
        self.older.named()
    }

    fn get<'a>(&'a self, uid: &'a str) -> Answer<'a, Option<FoundRule>> {
        async move {
            match self.way() {
                Way::Newer(newer) => read(newer.get(uid).await, self.older.get(uid)).await,
                Way::Older | Way::Unknown => self.older.get(uid).await,
            }
        }
        .boxed()
    }

    fn put<'a>(&'a self, write: RuleWrite<'a>) -> Answer<'a, Stored> {
        async move {
            match self.way() {
                Way::Newer(newer) => {
                    let answer = newer.put(write).await;
                    self.written(&write.rule.uid, answer, self.older.put(write)).await
                }
                Way::Older => self.sent(self.older.put(write).await),
                Way::Unknown => Err(Error::Unsettled {
                    operation: "rules.put",
                }),
            }
        }
        .boxed()
    }

    fn delete<'a>(&'a self, found: &'a FoundRule, provenance: Provenance) -> Answer<'a, ()> {
        async move {
            match self.way() {
                Way::Newer(newer) => {
                    let answer = newer.delete(found, provenance).await;
                    self.written(&found.uid, answer, self.older.delete(found, provenance))
                        .await
                }
                Way::Older => self.sent(self.older.delete(found, provenance).await),
                Way::Unknown => Err(Error::Unsettled {
                    operation: "rules.delete",
                }),
            }
        }
        .boxed()
    }
}
