//! What a concern has of the newer API: nothing, one that is tried, one that is used, or one that it was refused.

use std::collections::BTreeSet;
use std::sync::Arc;

use parking_lot::RwLock;

use crate::grafana::api::Fallback;
use crate::grafana::error::{Class, Error, Result};

/// The newer API of one concern. Lists decide whether things are read through it, so no call is made only to try it, and writes whether they are
/// written through it. That a single object is refused decides nothing.
#[derive(Debug)]
pub(super) struct Newer<A>(RwLock<State<A>>);

#[derive(Debug)]
struct State<A> {
    stand: Stand<A>,
    /// What it has said to the last write that it hasn't taken.
    refusal: Option<Refusal>,
}

#[derive(Debug)]
enum Stand<A> {
    /// It isn't there.
    Absent {
        /// Whether this version may have it.
        is_expected: bool,
        /// Whether it was there before.
        was_there: bool,
    },
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

/// That it takes no writes.
#[derive(Debug)]
struct Refusal {
    why: String,
    /// Whether the next write is to try again.
    is_due: bool,
}

impl<A> Default for Newer<A> {
    fn default() -> Self {
        Self(RwLock::new(State {
            stand: Stand::Absent {
                is_expected: false,
                was_there: false,
            },
            refusal: None,
        }))
    }
}

impl<A> Newer<A> {
    /// Notes what was found, where this version should have it or not. What is used already isn't tried again; what was refused is, by these lists and
    /// by the next write.
    pub(super) fn found(&self, api: Option<A>, is_expected: bool, lists: &[&'static str]) {
        let mut state = self.0.write();
        let before = std::mem::replace(
            &mut state.stand,
            Stand::Absent {
                is_expected: false,
                was_there: false,
            },
        );
        let Some(api) = api.map(Arc::new) else {
            let was_there = match before {
                Stand::Absent { was_there, .. } => was_there,
                Stand::Tried { refused, .. } => refused.is_some(),
                Stand::Open(_) | Stand::Refused(_) => true,
            };
            state.stand = Stand::Absent {
                is_expected,
                was_there: was_there && is_expected,
            };
            return;
        };
        if let Some(refusal) = &mut state.refusal {
            refusal.is_due = true;
        }
        let tried = |refused| Stand::Tried {
            api: api.clone(),
            lists: lists.iter().copied().collect(),
            refused,
        };
        state.stand = match before {
            Stand::Open(_) => Stand::Open(api),
            Stand::Absent { .. } => tried(None),
            Stand::Tried { refused, .. } => tried(refused),
            Stand::Refused(why) => tried(Some(why)),
        };
    }

    /// The API that is used to read.
    pub(super) fn open(&self) -> Option<Arc<A>> {
        match &self.0.read().stand {
            Stand::Open(api) => Some(api.clone()),
            _ => None,
        }
    }

    /// The API that is used to write.
    pub(super) fn to_write(&self) -> Option<Arc<A>> {
        let state = self.0.read();
        match &state.stand {
            Stand::Open(api) if state.refusal.as_ref().is_none_or(|refusal| refusal.is_due) => {
                Some(api.clone())
            }
            _ => None,
        }
    }

    /// The API that lists go through: also one that is tried.
    pub(super) fn to_list(&self) -> Option<Arc<A>> {
        match &self.0.read().stand {
            Stand::Open(api) | Stand::Tried { api, .. } => Some(api.clone()),
            _ => None,
        }
    }

    /// Why it isn't used, or not for all, though it is there or was.
    pub(super) fn fallback(&self) -> Option<Fallback> {
        let state = self.0.read();
        let refused = match &state.stand {
            Stand::Refused(why) => Some(why),
            Stand::Tried { refused, .. } => refused.as_ref(),
            Stand::Absent { was_there: true, .. } => return Some(Fallback::NotServed),
            Stand::Absent { .. } => None,
            Stand::Open(_) => {
                let refusal = state.refusal.as_ref();
                return refusal.map(|refusal| Fallback::WritesRefused(refusal.why.clone()));
            }
        };
        refused.cloned().map(Fallback::Refused)
    }

    /// Whether it may be there, seen or not, and isn't used.
    pub(super) fn is_improvable(&self) -> bool {
        match &self.0.read().stand {
            Stand::Absent { is_expected, .. } => *is_expected,
            Stand::Tried { .. } | Stand::Refused(_) => true,
            Stand::Open(_) => false,
        }
    }

    /// Gives the answer of a list, by the older API if the newer one is closed. It is given up then until the next choice.
    pub(super) async fn listed<T>(
        &self,
        list: &'static str,
        answer: Result<T>,
        older: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        match answer {
            Err(closed) if is_closed(&closed) => {
                let why = closed.to_string();
                let answer = instead(closed, older).await?;
                self.give_up(why);
                Ok(answer)
            }
            answer => answer.inspect(|_| self.passed(list)),
        }
    }

    /// Gives the answer of a write, by the older API if the newer one doesn't let itself be written. If the older one takes it, so it does with the
    /// next ones, until the next choice.
    pub(super) async fn written<T>(
        &self,
        answer: Result<T>,
        older: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        match answer {
            Err(refused) if is_unwritable(&refused) => {
                let why = refused.without_words();
                let answer = instead(refused, older).await?;
                self.refused_to_write(why);
                Ok(answer)
            }
            answer => answer.inspect(|_| self.took()),
        }
    }

    /// Notes that it can't be used until the next choice.
    pub(super) fn give_up(&self, why: String) {
        self.0.write().stand = Stand::Refused(why);
    }

    /// Notes that it has refused a write that the older API has taken.
    pub(super) fn refused_to_write(&self, why: String) {
        self.0.write().refusal = Some(Refusal { why, is_due: false });
    }

    /// Notes that it has taken a write.
    pub(super) fn took(&self) {
        self.0.write().refusal = None;
    }

    fn passed(&self, list: &'static str) {
        let mut state = self.0.write();
        let Stand::Tried { api, lists, .. } = &mut state.stand else {
            return;
        };
        lists.remove(list);
        if lists.is_empty() {
            state.stand = Stand::Open(api.clone());
        }
    }
}

/// Gives the answer of a read of one thing, by the older API if the newer one refuses it. Nothing follows from it: rights may be for some objects only,
/// and users name what is read.
pub(super) async fn read<T>(answer: Result<T>, older: impl Future<Output = Result<T>>) -> Result<T> {
    match answer {
        Err(closed) if is_closed(&closed) => instead(closed, older).await,
        answer => answer,
    }
}

/// Gives the answer of the older API in the place of a refusal. What it refuses too is said in its words, unless it isn't there.
pub(super) async fn instead<T>(closed: Error, older: impl Future<Output = Result<T>>) -> Result<T> {
    older.await.map_err(|error| match error.class() {
        Class::Missing => closed,
        _ => error,
    })
}

/// Whether the newer API isn't for these credentials, or not there any more: what stands in front of Grafana may say so too. That one object
/// isn't there is no error of these calls.
pub(super) fn is_closed(error: &Error) -> bool {
    match error {
        Error::NotGrafana { status, .. } => matches!(status, 403..=405 | 410),
        error => matches!(error.class(), Class::Forbidden | Class::Missing) || error.status() == Some(405),
    }
}

/// Whether the newer API takes no write of these credentials, or lets nobody write. Who logs in with nothing that counts is refused by either, and what is
/// written may be missing.
pub(super) fn is_refused(error: &Error) -> bool {
    let is_forbidden = error.class() == Class::Forbidden && error.status() != Some(401);
    is_forbidden || error.status() == Some(405)
}

/// The same where it says nothing but that an object is somebody else's, which it says of any to who has no right to set a provenance
/// (`ValidateProvenanceRelaxed` in `pkg/services/ngalert/provisioning/validation`, 13.0). The older API knows whether it is.
pub(super) fn is_unwritable(error: &Error) -> bool {
    is_refused(error) || error.class() == Class::Foreign
}
