//! What objects are found by.

/// Something that objects are found by. Instances, namespaces, uids and labels are given as they are written.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum By {
    /// Those for a GrafanaInstance: AlertRules, ContactPoints, NotificationPolicies, Silences, MaintenancePolicies.
    Instance(String),
    /// Those for a GrafanaInstance that are in sync, and those that aren't: the same kinds but for MaintenancePolicies.
    Synced(String, bool),
    /// Those for a GrafanaInstance that aren't in sync, by the reason that their condition `Ready` has: the same kinds.
    Waiting(String, String),
    /// Those for a GrafanaInstance that somebody has changed in Grafana, where that is only told of: the same kinds.
    Drifted(String),
    /// Those of a namespace: MaintenancePolicies, workloads, PrometheusRules, VMRules.
    Namespace(String),
    /// Workloads of any namespace that name this MaintenancePolicy.
    Policy(Named),
    /// AlertRules for an instance in a namespace.
    Rules {
        /// The GrafanaInstance.
        instance: String,
        /// The namespace.
        namespace: String,
    },
    /// AlertRules of a namespace that carry a label.
    Label(Labelled),
    /// AlertRules of a PrometheusRuleImport, by its uid.
    Owner(String),
    /// PrometheusRuleImports that read a namespace by its name.
    Reader(String),
    /// PrometheusRuleImports that read every namespace.
    ReaderOfAll,
    /// AlertRules for an instance in a folder: the one that they name by its uid, or the one that they were last in.
    Folder {
        /// The GrafanaInstance.
        instance: String,
        /// The folder's uid.
        uid: String,
    },
    /// AlertRules for an instance of which no folder is known yet.
    Unplaced(String),
    /// Silences that select the AlertRules of a namespace by labels, this one first. So each of them is found once.
    Selector(Labelled),
    /// Silences that select an AlertRule by name.
    Selected(Named),
    /// ContactPoints and GrafanaInstances that refer to a Secret.
    Secret(Named),
    /// ContactPoints, NotificationTemplates and GrafanaInstances that refer to a ConfigMap.
    ConfigMap(Named),
    /// ContactPoints for an instance that refer to any Secret.
    ReadsSecrets(String),
    /// ContactPoints for any instance that ask for this name in Grafana.
    GrafanaName(String),
    /// ContactPoints, TimeIntervals, NotificationTemplates and NotificationPolicies for an instance that are being deleted.
    Deleting(String),
    /// NotificationPolicies of which something can't be read.
    Unread,
    /// NotificationPolicies and AlertRules that refer to a ContactPoint.
    Receiver(Named),
    /// NotificationPolicies and AlertRules for an instance that refer to a contact point by its name in Grafana.
    GrafanaReceiver {
        /// The GrafanaInstance.
        instance: String,
        /// The name in Grafana.
        name: String,
    },
    /// NotificationPolicies that are branches of one.
    Branch(Named),
    /// AlertRules that refer to the tree of a NotificationPolicy.
    Tree(Named),
    /// AlertRules for an instance that refer to a policy tree by its name in Grafana.
    GrafanaTree {
        /// The GrafanaInstance.
        instance: String,
        /// The name in Grafana.
        name: String,
    },
    /// NotificationPolicies and AlertRules that refer to a TimeInterval.
    Interval(Named),
    /// NotificationPolicies and AlertRules for an instance that refer to a time interval by its name in Grafana.
    GrafanaInterval {
        /// The GrafanaInstance.
        instance: String,
        /// The name in Grafana.
        name: String,
    },
    /// AlertRules for an instance that refer to any time interval.
    Timed(String),
    /// Silences for an instance that ask to take over one that somebody made by hand and have none yet, by what their annotation says: `true`, or its id.
    Adopting {
        /// The GrafanaInstance.
        instance: String,
        /// What the annotation says.
        asked: String,
    },
    /// Silences for an instance that covered no AlertRule when that was counted last, by where one would have to be.
    CoversNone {
        /// The GrafanaInstance.
        instance: String,
        /// Where.
        near: Near,
    },
    /// Silences that a workload has, by its uid.
    Workload(String),
    /// Silences for an instance by their id in Grafana, and AlertRules by the uid that their status tells.
    Stored {
        /// The GrafanaInstance.
        instance: String,
        /// The id or uid in Grafana.
        id: String,
    },
}

/// Where AlertRules are that a Silence may cover.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Near {
    /// Anywhere in a namespace; for one of matchers alone this is its own.
    Namespace(String),
    /// It is this one.
    Rule(Named),
    /// They have this label.
    Label(Labelled),
}

/// Another object, by its name.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Named {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

impl Named {
    /// `namespace/name`, as messages name it.
    pub fn path(&self) -> String {
        format!("{}/{}", self.namespace, self.name)
    }
}

/// A label of objects of a namespace.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Labelled {
    /// The namespace.
    pub namespace: String,
    /// The label.
    pub label: String,
    /// Its value.
    pub value: String,
}

/// Of an object by namespace and name.
pub fn named(namespace: &str, name: &str) -> Named {
    Named {
        namespace: namespace.to_owned(),
        name: name.to_owned(),
    }
}

/// Of a label in a namespace.
pub fn labelled(namespace: &str, (label, value): (&String, &String)) -> Labelled {
    Labelled {
        namespace: namespace.to_owned(),
        label: label.clone(),
        value: value.clone(),
    }
}
