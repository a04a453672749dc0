//! A Grafana in this process: what it holds, what it was asked, and what it is told to answer instead.

mod contact_points;
mod folders;
mod held;
mod named;
mod rules;
mod server;
mod silences;
mod states;
mod telling;
mod trees;
pub(super) mod watching;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use jiff::Timestamp;
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::grafana::api::{Answer, Capabilities, Delivery, Folders, Grafana, Preference, RuleState};
use crate::grafana::model::{AlertRule, Found, InhibitionRule, Route, Template, TimeInterval};
use crate::grafana::wire::{DataSource, Deprecation, Folder, Silence, Toggles};
use crate::grafana::{Error, Result};
pub(super) use contact_points::Point;
use telling::Telling;

/// What Grafana does with a call.
#[derive(Clone)]
pub(super) enum Does {
    /// What it says.
    Well,
    /// Refuses it with this status and message.
    Refuses(u16, &'static str),
    /// Refuses it with this status and name of the error.
    RefusesAs(u16, &'static str),
    /// Takes it, and goes on with it only when this is cancelled, whether or not anybody still waits.
    Dawdles(CancellationToken),
}

/// What it holds.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is one thing that a test turns on"
)]
#[derive(Default)]
pub(super) struct Held {
    pub(super) version: String,
    /// Whether it tells its version to nobody who isn't logged in.
    pub(super) hides_version: bool,
    /// Its feature toggles.
    pub(super) toggles: Toggles,
    pub(super) sources: Vec<DataSource>,
    pub(super) folders: Vec<Folder>,
    /// Whether the index that lists of folders come from knows nothing yet.
    pub(super) index_lags: bool,
    /// How many folders may be one in another.
    pub(super) deepest_folder: Option<usize>,
    pub(super) rules: BTreeMap<String, AlertRule>,
    /// What the last write of a rule was told of the others in its group: their uids, and whether we have written them.
    pub(super) others: Vec<(String, Option<bool>)>,
    /// How rules do, each in a group of its own.
    pub(super) states: Vec<RuleState>,
    /// Where every page but the last leads to, wherever it ends.
    pub(super) lost_page: Option<usize>,
    pub(super) points: Vec<Point>,
    /// Contact points that have no integrations, by name: what knows revisions shows them.
    pub(super) empty_points: BTreeSet<String>,
    /// Who provisioned contact points, by name, where somebody did.
    pub(super) points_by: BTreeMap<String, String>,
    pub(super) policy: Option<Route>,
    /// Who provisioned the policy tree.
    pub(super) policy_by: Option<String>,
    /// Policy trees beside it, by their names.
    pub(super) other_trees: BTreeMap<String, Route>,
    /// Who provisioned those, where somebody did.
    pub(super) other_trees_by: BTreeMap<String, String>,
    /// Whether it is asked through the API that knows the default tree alone.
    pub(super) hides_trees: bool,
    /// Time intervals, templates and inhibition rules by name.
    pub(super) time_intervals: BTreeMap<String, Found<TimeInterval>>,
    pub(super) templates: BTreeMap<String, Found<Template>>,
    pub(super) inhibition_rules: BTreeMap<String, Found<InhibitionRule>>,
    /// Kinds that it doesn't serve.
    pub(super) unserved: BTreeSet<&'static str>,
    /// Whether it knows revisions.
    pub(super) has_revisions: bool,
    /// Trees that group by this label it refuses.
    pub(super) ungroupable: Option<&'static str>,
    /// What a write of a contact point puts before the name that a read has for the state.
    pub(super) states_of_writes: &'static str,
    pub(super) silences: Vec<Silence>,
    /// The labels of the alerts that there are.
    pub(super) alerts: Vec<BTreeMap<String, String>>,
    /// The last attempts to send notifications.
    pub(super) deliveries: Vec<Delivery>,
    /// What it says of operations that it will take away.
    pub(super) deprecated: BTreeMap<&'static str, Deprecation>,
    /// When each rule was last changed, where it was by a call; a second passes with each.
    pub(super) updated: BTreeMap<String, Timestamp>,
    pub(super) seconds: i64,
    /// The settings of contact points that it shows to nobody.
    pub(super) hidden: Vec<&'static str>,
    /// What folders go through, if not through this.
    pub(super) folders_through: Option<Arc<dyn Folders>>,
    /// Which APIs it has.
    pub(super) capabilities: Capabilities,
    /// What was wished of the choice between them.
    pub(super) preference: Preference,
    /// What it tells of as it happens.
    pub(super) telling: Telling,
}

type Rule = Box<dyn Fn(&'static str) -> Does + Send>;

#[derive(Default)]
struct Inner {
    held: Mutex<Held>,
    calls: Mutex<Vec<&'static str>>,
    called: Notify,
    rule: Mutex<Option<Rule>>,
}

/// One Grafana; clones are the same one.
#[derive(Clone, Default)]
pub(super) struct Double(Arc<Inner>);

impl Double {
    pub(super) fn new() -> Self {
        let double = Self::default();
        double.hold(|held| {
            held.version = "12.4.0".to_owned();
            held.sources = vec![source("loki", "Loki", "loki", true)];
            held.policy = Some(Route {
                receiver: Some("grafana-default-email".to_owned()),
                ..Route::default()
            });
        });
        double
    }

    /// The client of it.
    pub(super) fn client(&self) -> Grafana {
        let all = Arc::new(self.clone());
        Grafana {
            rules: all.clone(),
            states: all.clone(),
            folders: self
                .hold(|held| held.folders_through.clone())
                .unwrap_or_else(|| all.clone()),
            contact_points: all.clone(),
            trees: all.clone(),
            time_intervals: all.clone(),
            templates: all.clone(),
            inhibition_rules: all.clone(),
            #[cfg(feature = "cli")]
            testing: all.clone(),
            #[cfg(feature = "cli")]
            history: all.clone(),
            deliveries: all.clone(),
            #[cfg(feature = "cli")]
            queries: all.clone(),
            silences: all.clone(),
            server: all.clone(),
            apis: all,
        }
    }

    /// Looks at what it holds, or changes it behind the operator's back.
    pub(super) fn hold<T>(&self, look: impl FnOnce(&mut Held) -> T) -> T {
        look(&mut self.0.held.lock())
    }

    /// What it does with calls from now on.
    pub(super) fn does(&self, rule: impl Fn(&'static str) -> Does + Send + 'static) {
        *self.0.rule.lock() = Some(Box::new(rule));
    }

    /// Does what every call says from now on.
    pub(super) fn does_well(&self) {
        *self.0.rule.lock() = None;
    }

    /// How often it was asked this.
    pub(super) fn count(&self, operation: &str) -> usize {
        self.calls().iter().filter(|call| **call == operation).count()
    }

    /// Everything it was asked.
    pub(super) fn calls(&self) -> Vec<&'static str> {
        self.0.calls.lock().clone()
    }

    /// Waits until it was asked this so often.
    pub(super) async fn called(&self, operation: &str, times: usize) {
        let all = async {
            loop {
                let next = self.0.called.notified();
                let mut next = std::pin::pin!(next);
                next.as_mut().enable();
                if self.count(operation) >= times {
                    return;
                }
                next.await;
            }
        };
        let in_time = tokio::time::timeout(Duration::from_secs(20), all).await;
        assert!(
            in_time.is_ok(),
            "{operation} was not called {times} times: {:?}",
            self.calls()
        );
    }

    fn call<'a, T: Send + 'static>(
        &'a self,
        operation: &'static str,
        effect: impl FnOnce(&mut Held) -> Result<T> + Send + 'static,
    ) -> Answer<'a, T> {
        async move {
            self.0.calls.lock().push(operation);
            self.0.called.notify_waiters();
            let does = self
                .0
                .rule
                .lock()
                .as_ref()
                .map_or(Does::Well, |rule| rule(operation));
            match does {
                Does::Well => effect(&mut self.0.held.lock()),
                Does::Refuses(status, message) => Err(refusal(operation, status, message)),
                Does::RefusesAs(status, name) => Err(Error::Status {
                    operation,
                    status,
                    message: "no".to_owned(),
                    message_id: Some(name.to_owned()),
                    retry_after: None,
                }),
                Does::Dawdles(until) => {
                    let inner = self.0.clone();
                    let work = tokio::spawn(async move {
                        until.cancelled().await;
                        effect(&mut inner.held.lock())
                    });
                    work.await.unwrap()
                }
            }
        }
        .boxed()
    }
}

pub(super) fn source(uid: &str, name: &str, type_: &str, is_default: bool) -> DataSource {
    DataSource {
        uid: uid.to_owned(),
        name: name.to_owned(),
        r#type: type_.to_owned(),
        is_default,
    }
}

fn refusal(operation: &'static str, status: u16, message: &str) -> Error {
    Error::Status {
        operation,
        status,
        message: message.to_owned(),
        message_id: None,
        retry_after: None,
    }
}
