//! What a concern has of the newer API: nothing, one that is tried, one that is used, or one that it was refused.

use std::collections::BTreeSet;
use std::sync::Arc;

use parking_lot::RwLock;

use crate::grafana::error::{Class, Error, Result};

/// The newer API of one concern. It is chosen when its first list is answered, so no call is made only to try it.
#[derive(Debug)]
pub(super) struct Newer<A>(RwLock<Stand<A>>);

#[derive(Debug)]
enum Stand<A> {
    /// It isn't there.
    Absent,
    /// It is there, and these lists haven't gone through it yet. Until they have, all else goes through the older one, and it counts for what it
    /// was before: refused or unknown.
    Tried {
        api: Arc<A>,
        lists: BTreeSet<&'static str>,
        refused: Option<String>,
    },
    /// It is used.
    Open(Arc<A>),
    /// It is there, and not for these credentials.
    Refused(String),
}

impl<A> Default for Newer<A> {
    fn default() -> Self {
        Self(RwLock::new(Stand::Absent))
    }
}

impl<A> Newer<A> {
    /// Notes what was found. What is used already isn't tried again; what was refused is, by these lists.
    pub(super) fn found(&self, api: Option<A>, lists: &[&'static str]) {
        let mut stand = self.0.write();
        let before = std::mem::replace(&mut *stand, Stand::Absent);
        let Some(api) = api.map(Arc::new) else { return };
        let tried = |refused| Stand::Tried {
            api: api.clone(),
            lists: lists.iter().copied().collect(),
            refused,
        };
        *stand = match before {
            Stand::Open(_) => Stand::Open(api),
            Stand::Absent => tried(None),
            Stand::Tried { refused, .. } => tried(refused),
            Stand::Refused(why) => tried(Some(why)),
        };
    }

    /// The API that is used.
    pub(super) fn open(&self) -> Option<Arc<A>> {
        match &*self.0.read() {
            Stand::Open(api) => Some(api.clone()),
            _ => None,
        }
    }

    /// The API that lists go through: also one that is tried.
    pub(super) fn to_list(&self) -> Option<Arc<A>> {
        match &*self.0.read() {
            Stand::Open(api) | Stand::Tried { api, .. } => Some(api.clone()),
            _ => None,
        }
    }

    /// Why it isn't used though it is there.
    pub(super) fn refused(&self) -> Option<String> {
        match &*self.0.read() {
            Stand::Refused(why) => Some(why.clone()),
            Stand::Tried { refused, .. } => refused.clone(),
            _ => None,
        }
    }

    /// Gives the answer of a list, by the older API if the newer one is closed.
    pub(super) async fn listed<T>(
        &self,
        list: &'static str,
        answer: Result<T>,
        older: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        if answer.is_ok() {
            self.passed(list);
        }
        self.answered(answer, older).await
    }

    /// Gives an answer of the newer API, by the older one if the newer one is closed. It is given up then until the next choice. What the
    /// older one refuses too is said in its words.
    pub(super) async fn answered<T>(
        &self,
        answer: Result<T>,
        older: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        match answer {
            Err(closed) if is_closed(&closed) => {
                let answer = older.await?;
                self.give_up(closed.to_string());
                Ok(answer)
            }
            answer => answer,
        }
    }

    /// The same of a write, which may miss what it is about: only a right that is missing closes it.
    pub(super) async fn written<T>(
        &self,
        answer: Result<T>,
        older: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        match answer {
            Err(closed) if closed.class() == Class::Forbidden => self.answered(Err(closed), older).await,
            answer => answer,
        }
    }

    /// Notes that it can't be used until the next choice.
    pub(super) fn give_up(&self, why: String) {
        *self.0.write() = Stand::Refused(why);
    }

    fn passed(&self, list: &'static str) {
        let mut stand = self.0.write();
        let Stand::Tried { api, lists, .. } = &mut *stand else {
            return;
        };
        lists.remove(list);
        if lists.is_empty() {
            *stand = Stand::Open(api.clone());
        }
    }
}

/// Whether the newer API isn't for these credentials, or not there any more: what stands in front of Grafana may say so too. That one object
/// isn't there is no error of these calls.
pub(super) fn is_closed(error: &Error) -> bool {
    match error {
        Error::NotGrafana { status, .. } => matches!(status, 403..=405 | 410),
        error => matches!(error.class(), Class::Forbidden | Class::Missing),
    }
}
