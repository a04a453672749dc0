//! Grafanas that GrafanaInstances were connected to before: the connection, which alone still knows the login, and what resources had there.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use parking_lot::Mutex;

use super::Instance;
use crate::api::{
    AlertRule, ContactPoint, InhibitionRule, NotificationPolicy, NotificationTemplate, Silence, TimeInterval,
};
use crate::domain::changed::moved::End;

/// Most Grafanas that are kept of one GrafanaInstance, the last ones.
pub const MOST: usize = 8;

/// The resources of a GrafanaInstance, as they were when it left a Grafana.
#[derive(Debug, Clone, Default)]
#[allow(missing_docs, reason = "the kinds by their names")]
pub struct Resources {
    pub rules: Vec<Arc<AlertRule>>,
    pub silences: Vec<Arc<Silence>>,
    pub policies: Vec<Arc<NotificationPolicy>>,
    pub inhibition_rules: Vec<Arc<InhibitionRule>>,
    pub contact_points: Vec<Arc<ContactPoint>>,
    pub time_intervals: Vec<Arc<TimeInterval>>,
    pub templates: Vec<Arc<NotificationTemplate>>,
}

impl Instance {
    /// The same Grafana with the same login, for what stays behind when the GrafanaInstance leaves it. Nothing is known yet but which Grafana
    /// it is. `None` where that was never found out: nothing was made there then.
    pub fn to_leave(&self, grafana: &str) -> Option<Self> {
        let memory = self.memory.get()?.clone();
        let left = Self::new(
            format!("{} at {grafana}", self.name),
            self.spec.clone(),
            self.fingerprint.clone(),
            self.grafana.clone(),
            self.owners.clone(),
            self.rights.clone(),
            self.home.clone(),
        );
        left.recognised(memory);
        Some(Self {
            of: Some(self.name.clone()),
            ..left
        })
    }

    /// The GrafanaInstance whose resources are in it.
    pub fn declared(&self) -> &str {
        self.of.as_deref().unwrap_or(&self.name)
    }
}

impl Resources {
    /// Whether there are none.
    pub fn are_none(&self) -> bool {
        self.rules.is_empty()
            && self.silences.is_empty()
            && self.policies.is_empty()
            && self.inhibition_rules.is_empty()
            && self.contact_points.is_empty()
            && self.time_intervals.is_empty()
            && self.templates.is_empty()
    }
}

/// A Grafana that was left, with what is needed to remove something there.
pub struct Left {
    /// Which one, as people are told.
    pub grafana: String,
    /// The connection, under a name that no GrafanaInstance can have.
    pub instance: Arc<Instance>,
    /// What was there.
    pub resources: Resources,
}

/// What is to be told of one that was left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outlook {
    /// It is being found out whether it is another one.
    Compared,
    /// It is another one, and is left alone until so many resources are in sync where they are now.
    Waits(usize),
    /// What was made there is being removed.
    Goes,
    /// It is over.
    Over(End),
}

struct Record {
    grafana: String,
    /// `None` when it is over: neither the login nor the resources are kept then.
    left: Option<Arc<Left>>,
    outlook: Outlook,
}

/// All that were left by this process, by GrafanaInstance. Nothing of it is written anywhere.
#[derive(Default)]
pub struct Former {
    all: Mutex<BTreeMap<String, Vec<Record>>>,
    /// The folders that tell two Grafanas apart now, by their uids.
    probes: Mutex<BTreeSet<String>>,
}

impl Former {
    /// Notes that a folder is to tell two Grafanas apart, or is that no more.
    pub fn note_probe(&self, uid: &str, stands: bool) {
        let mut probes = self.probes.lock();
        if stands {
            probes.insert(uid.to_owned());
        } else {
            probes.remove(uid);
        }
    }

    /// Whether a folder tells two Grafanas apart now.
    pub fn is_probe(&self, uid: &str) -> bool {
        self.probes.lock().contains(uid)
    }

    /// Notes that a GrafanaInstance leaves a Grafana.
    pub fn leave(&self, name: &str, left: Left) {
        let record = Record {
            grafana: left.grafana.clone(),
            left: Some(Arc::new(left)),
            outlook: Outlook::Compared,
        };
        self.note(name, record);
    }

    /// The same where no resource was for it.
    pub fn leave_nothing(&self, name: &str, grafana: String) {
        let record = Record {
            grafana,
            left: None,
            outlook: Outlook::Over(End::Gone),
        };
        self.note(name, record);
    }

    fn note(&self, name: &str, record: Record) {
        let mut all = self.all.lock();
        let records = all.entry(name.to_owned()).or_default();
        records.retain(|known| known.grafana != record.grafana);
        records.push(record);
        let surplus = records.len().saturating_sub(MOST);
        records.drain(..surplus);
    }

    /// Notes that a GrafanaInstance is connected to a Grafana: one that it comes back to was not left.
    pub fn arrive(&self, name: &str, grafana: &str) {
        if let Some(records) = self.all.lock().get_mut(name) {
            records.retain(|record| record.grafana != grafana);
        }
    }

    /// Forgets all of a GrafanaInstance that is gone.
    pub fn forget(&self, name: &str) {
        self.all.lock().remove(name);
    }

    /// Those in which something may have to be removed.
    pub fn open(&self, name: &str) -> Vec<Arc<Left>> {
        let all = self.all.lock();
        let records = all.get(name).into_iter().flatten();
        records.filter_map(|record| record.left.clone()).collect()
    }

    /// Notes what is to be told of one. Whether that is news.
    pub fn tell(&self, name: &str, grafana: &str, outlook: Outlook) -> bool {
        let mut all = self.all.lock();
        let mut records = all.get_mut(name).into_iter().flatten();
        let Some(record) = records.find(|record| record.grafana == grafana && record.left.is_some()) else {
            return false;
        };
        if matches!(outlook, Outlook::Over(_)) {
            record.left = None;
        }
        let is_news = record.outlook != outlook;
        record.outlook = outlook;
        is_news
    }

    /// What is to be told of one, if this process has left it.
    pub fn outlook(&self, name: &str, grafana: &str) -> Option<Outlook> {
        let all = self.all.lock();
        let mut records = all.get(name)?.iter();
        let record = records.find(|record| record.grafana == grafana)?;
        Some(record.outlook.clone())
    }

    /// The connection of this name, if it is one that was left.
    pub fn connection(&self, name: &str) -> Option<Arc<Instance>> {
        let all = self.all.lock();
        let lefts = all.values().flatten().filter_map(|record| record.left.as_ref());
        let mut connections = lefts.map(|left| &left.instance);
        connections.find(|instance| instance.name == name).cloned()
    }
}
