//! A Grafana in this process: what it holds, what it was asked, and what it is told to answer instead.

mod held;
mod server;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use jiff::Timestamp;
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::grafana::api::{
    Answer, Capabilities, DEFAULT_INTERVAL, Folders, FoundRule, Grafana, Notifications, Provenance,
    RuleState, Rules, Silences, Updated,
};
use crate::grafana::wire::{
    AlertRule, ContactPoint, DataSource, Deprecation, Folder, Route, RuleGroup, Silence, SilenceState,
    SilenceStatus,
};
use crate::grafana::{Error, Result};

/// What Grafana does with a call.
#[derive(Clone)]
pub(super) enum Does {
    /// What it says.
    Well,
    /// Refuses it with this status and message.
    Refuses(u16, &'static str),
    /// Takes it, and goes on with it only when this is cancelled, whether or not anybody still waits.
    Dawdles(CancellationToken),
}

/// What it holds.
#[derive(Default)]
pub(super) struct Held {
    pub(super) version: String,
    /// Whether it tells its version to nobody who isn't logged in.
    pub(super) hides_version: bool,
    pub(super) sources: Vec<DataSource>,
    pub(super) folders: Vec<Folder>,
    /// Whether the index that lists of folders come from knows nothing yet.
    pub(super) index_lags: bool,
    pub(super) rules: BTreeMap<String, AlertRule>,
    pub(super) points: Vec<ContactPoint>,
    pub(super) policy: Option<Route>,
    pub(super) silences: Vec<Silence>,
    /// What it says of operations that it will take away.
    pub(super) deprecated: BTreeMap<&'static str, Deprecation>,
    /// When each rule was last changed, where it was by a call; a second passes with each.
    pub(super) updated: BTreeMap<String, Timestamp>,
    pub(super) seconds: i64,
    /// The settings of contact points that it shows to nobody.
    pub(super) hidden: Vec<&'static str>,
    /// Which APIs it has.
    pub(super) capabilities: Capabilities,
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
            folders: all.clone(),
            notifications: all.clone(),
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

impl Rules for Double {
    fn list(&self) -> Answer<'_, Vec<FoundRule>> {
        self.call("rules.list", |held| {
            let rules = held.rules.values().map(|rule| FoundRule {
                updated: Updated(held.updated.get(&rule.uid).copied()),
                ..found(rule)
            });
            Ok(rules.collect())
        })
    }
    fn get<'a>(&'a self, uid: &'a str) -> Answer<'a, Option<FoundRule>> {
        let uid = uid.to_owned();
        self.call("rules.get", move |held| Ok(held.rules.get(&uid).map(found)))
    }
    fn create<'a>(&'a self, rule: &'a AlertRule, _: Provenance) -> Answer<'a, ()> {
        let rule = rule.clone();
        self.call("rules.create", move |held| {
            held.take(rule);
            Ok(())
        })
    }
    fn update<'a>(&'a self, rule: &'a AlertRule, _: Provenance) -> Answer<'a, ()> {
        let rule = rule.clone();
        self.call("rules.update", move |held| {
            if !held.rules.contains_key(&rule.uid) {
                return Err(refusal("rules.update", 404, ""));
            }
            held.take(rule);
            Ok(())
        })
    }
    fn delete<'a>(&'a self, uid: &'a str, _: Provenance) -> Answer<'a, ()> {
        let uid = uid.to_owned();
        self.call("rules.delete", move |held| {
            held.rules.remove(&uid);
            Ok(())
        })
    }
    fn group<'a>(&'a self, folder_uid: &'a str, group: &'a str) -> Answer<'a, Option<RuleGroup>> {
        let (folder_uid, title) = (folder_uid.to_owned(), group.to_owned());
        self.call("rules.group", move |held| {
            let rules = held.rules.values();
            let rules: Vec<_> = rules
                .filter(|r| r.folder_uid == folder_uid && r.rule_group == title)
                .cloned()
                .collect();
            Ok((!rules.is_empty()).then_some(RuleGroup {
                title,
                folder_uid,
                interval: DEFAULT_INTERVAL.as_secs(),
                rules,
            }))
        })
    }
    fn put_group<'a>(&'a self, _: &'a RuleGroup, _: Provenance) -> Answer<'a, ()> {
        self.call("rules.put_group", |_| Ok(()))
    }
    fn set_group_interval<'a>(
        &'a self,
        _: &'a str,
        _: &'a str,
        _: Duration,
        _: Provenance,
    ) -> Answer<'a, ()> {
        self.call("rules.put_group", |_| Ok(()))
    }
    fn states(&self) -> Answer<'_, Vec<RuleState>> {
        self.call("rules.states", |_| Ok(Vec::new()))
    }
}

fn found(rule: &AlertRule) -> FoundRule {
    FoundRule::written(rule, DEFAULT_INTERVAL, Provenance::Api)
}

impl Folders for Double {
    fn list(&self) -> Answer<'_, Vec<Folder>> {
        self.call("folders.list", |held| {
            Ok(if held.index_lags {
                Vec::new()
            } else {
                held.folders.clone()
            })
        })
    }
    fn get<'a>(&'a self, uid: &'a str) -> Answer<'a, Option<Folder>> {
        let uid = uid.to_owned();
        self.call("folders.get", move |held| {
            Ok(held.folders.iter().find(|f| f.uid == uid).cloned())
        })
    }
    fn create<'a>(&'a self, uid: &'a str, title: &'a str, parent_uid: Option<&'a str>) -> Answer<'a, Folder> {
        let folder = Folder {
            uid: uid.to_owned(),
            title: title.to_owned(),
            parent_uid: parent_uid.map(str::to_owned),
        };
        self.call("folders.create", move |held| {
            if held.folders.iter().any(|known| known.uid == folder.uid) {
                return Err(refusal(
                    "folders.create",
                    412,
                    "a folder with the same name already exists",
                ));
            }
            held.folders.push(folder.clone());
            Ok(folder)
        })
    }
    fn content<'a>(&'a self, _: &'a str) -> Answer<'a, Option<u64>> {
        self.call("folders.content", |_| Ok(Some(0)))
    }
    fn delete<'a>(&'a self, uid: &'a str) -> Answer<'a, ()> {
        let uid = uid.to_owned();
        self.call("folders.delete", move |held| {
            held.folders.retain(|f| f.uid != uid);
            Ok(())
        })
    }
}

impl Notifications for Double {
    fn contact_points(&self) -> Answer<'_, Vec<ContactPoint>> {
        self.call("contact_points.list", |held| Ok(held.shown()))
    }
    fn contact_points_named<'a>(&'a self, name: &'a str) -> Answer<'a, Vec<ContactPoint>> {
        let name = name.to_owned();
        self.call("contact_points.named", move |held| {
            let points = held.shown().into_iter();
            Ok(points.filter(|p| p.name == name).collect())
        })
    }
    fn create_contact_point<'a>(&'a self, point: &'a ContactPoint, _: Provenance) -> Answer<'a, ()> {
        let point = point.clone();
        self.call("contact_points.create", move |held| {
            held.points.push(point);
            Ok(())
        })
    }
    fn update_contact_point<'a>(&'a self, point: &'a ContactPoint, _: Provenance) -> Answer<'a, ()> {
        let point = point.clone();
        self.call("contact_points.update", move |held| {
            held.points.retain(|p| p.uid != point.uid);
            held.points.push(point);
            Ok(())
        })
    }
    fn delete_contact_point<'a>(&'a self, uid: &'a str) -> Answer<'a, ()> {
        let uid = uid.to_owned();
        self.call("contact_points.delete", move |held| {
            held.points.retain(|p| p.uid != uid);
            Ok(())
        })
    }
    fn policy(&self) -> Answer<'_, Option<Route>> {
        self.call("policy.get", |held| Ok(held.policy.clone()))
    }
    fn put_policy<'a>(&'a self, root: &'a Route, provenance: Provenance) -> Answer<'a, ()> {
        let root = Route {
            provenance: provenance.name().map(str::to_owned),
            ..root.clone()
        };
        self.call("policy.put", move |held| {
            held.policy = Some(root);
            Ok(())
        })
    }
    fn reset_policy(&self) -> Answer<'_, ()> {
        self.call("policy.reset", |held| {
            held.policy = Some(Route {
                receiver: Some("grafana-default-email".to_owned()),
                ..Route::default()
            });
            Ok(())
        })
    }
}

impl Silences for Double {
    fn list(&self) -> Answer<'_, Vec<Silence>> {
        self.call("silences.list", |held| Ok(held.silences.clone()))
    }
    fn get<'a>(&'a self, id: &'a str) -> Answer<'a, Option<Silence>> {
        let id = id.to_owned();
        self.call("silences.get", move |held| {
            Ok(held.silences.iter().find(|s| s.id.as_ref() == Some(&id)).cloned())
        })
    }
    fn put<'a>(&'a self, silence: &'a Silence) -> Answer<'a, String> {
        let mut silence = silence.clone();
        self.call("silences.put", move |held| {
            let number = held.silences.len();
            let id = silence.id.get_or_insert_with(|| format!("s{number}")).clone();
            silence.status = Some(SilenceStatus {
                state: SilenceState::Active,
            });
            held.silences.retain(|s| s.id.as_ref() != Some(&id));
            held.silences.push(silence);
            Ok(id)
        })
    }
    fn expire<'a>(&'a self, id: &'a str) -> Answer<'a, ()> {
        let id = id.to_owned();
        self.call("silences.expire", move |held| {
            held.silences.retain(|s| s.id.as_ref() != Some(&id));
            Ok(())
        })
    }
    fn alerts<'a>(&'a self, _: &'a [String]) -> Answer<'a, Vec<BTreeMap<String, String>>> {
        self.call("silences.alerts", |_| Ok(Vec::new()))
    }
}
