//! What the resources that have an object in Grafana have in common.

pub mod together;

use std::fmt::Debug;

use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use k8s_openapi::jiff::Timestamp;
use kube::Resource;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::api::condition;
use crate::api::reference::{At, DeletionPolicy};
use crate::api::{
    ANNOTATION_RECONCILE, ANNOTATION_SHARED_WITH, AlertRule, ContactPoint, DEFAULT_INSTANCE, InhibitionRule,
    NotificationPolicy, NotificationTemplate, PrometheusRuleImport, Silence, TimeInterval,
};
use crate::api::{
    AlertRuleStatus, ContactPointStatus, InhibitionRuleStatus, NotificationPolicyStatus,
    NotificationTemplateStatus, PrometheusRuleImportStatus, SilenceStatus, TimeIntervalStatus,
};
use crate::domain::tenancy;
use crate::grafana::mirror::Part;

/// The longest request for a pass, which is copied into the status.
const LONGEST_REQUEST: usize = 64;

/// What an object carries, in this process alone, that was made in place of one that can't be read: what is wrong with it.
pub const UNREAD: &str = "alerting.letsrevel.io/unread";

/// What such an object carries beside it: which fields of its specification can't be read.
pub const UNREAD_FIELDS: &str = "alerting.letsrevel.io/unread-fields";

/// What stands there where there is no specification that could be read.
pub const ALL_FIELDS: &str = "*";

/// The fields that say in which Grafana a resource has which object, and whether that goes with it.
const WHEREABOUTS: [&str; 7] = [
    "instance",
    "instances",
    "deletionPolicy",
    "parentRef",
    "tree",
    "name",
    "uid",
];

/// The fields that say, besides, what a resource has that no other one can have.
const CLAIMS: [&str; 5] = ["folder", "folderUID", "title", "group", "interval"];

/// A resource that has an object in Grafana.
pub trait Managed:
    Resource<DynamicType = (), Scope = NamespaceResourceScope>
    + Clone
    + Debug
    + Serialize
    + DeserializeOwned
    + Send
    + Sync
    + 'static
{
    /// Its status.
    type Status: Serialize + Clone + PartialEq + Default + Debug + Send + Sync;

    /// The kind, as Kubernetes writes it.
    const KIND: &'static str;

    /// What must have been read of Grafana for a pass over it. Data sources are asked for only by rules that have one.
    const NEEDS: &'static [Part];

    /// What must have been read of Grafana for its clean-up.
    const NEEDS_TO_LEAVE: &'static [Part];

    /// Whether its status says what became of it in each of several Grafanas. An import's says it of none: its AlertRules do.
    const HAS_PLACES: bool = false;

    /// The status that was last seen.
    fn status(&self) -> Option<&Self::Status>;
    /// Its conditions.
    fn conditions(status: &Self::Status) -> &Vec<Condition>;
    /// Its conditions and observed generation, to be changed.
    fn observed(status: &mut Self::Status) -> (&mut Option<i64>, &mut Vec<Condition>);
    /// The request for a pass that was handled last, to be changed.
    fn handled(status: &mut Self::Status) -> &mut Option<String>;
    /// What of it somebody has changed in Grafana, to be changed.
    fn drift(_: &mut Self::Status) -> Option<&mut Vec<String>> {
        None
    }
    /// Whether somebody has changed it in Grafana, and that is only told of.
    fn is_drifted(&self) -> bool {
        false
    }
    /// The GrafanaInstance that it is for; the first one where there are several.
    fn instance(&self) -> &str;
    /// The GrafanaInstances that it is to be in, in the order in which they are written.
    fn wanted(&self) -> Vec<&str>;
    /// What became of it in each of several Grafanas, those that it leaves included; nothing where it is for one.
    fn places(_: &Self::Status) -> &[At<Self::Status>] {
        &[]
    }
    /// The same, to be changed.
    fn places_mut(_: &mut Self::Status) -> Option<&mut Vec<At<Self::Status>>> {
        None
    }
    /// The resource as it would be if it were for this instance alone, and had come to this there.
    #[must_use]
    fn only_in(&self, instance: &str, status: Option<Self::Status>) -> Self;
    /// What is said of it as a whole, the conditions aside, that has come to this in several Grafanas.
    fn together(_: &[(&str, &Self::Status)]) -> Self::Status {
        Self::Status::default()
    }
    /// The GrafanaInstances that it is for, of which it may leave some.
    fn instances(&self) -> Vec<String> {
        let parts = self.projections();
        if parts.is_empty() {
            let all = self.wanted().into_iter().map(str::to_owned);
            return all.take(if Self::HAS_PLACES { 1 } else { usize::MAX }).collect();
        }
        parts.iter().map(|part| part.instance().to_owned()).collect()
    }
    /// What it is in each Grafana, where there are several: to all but the pass over it a resource for several Grafanas is as many resources for
    /// one. Nothing where it is for one alone, and stands for itself. In a Grafana that it leaves it is one that is being deleted.
    ///
    /// A status that names no instances speaks of the first one.
    fn projections(&self) -> Vec<Self> {
        let noted = self.status().map_or(&[][..], Self::places);
        let wanted = self.wanted();
        // Nothing is written anywhere before it is noted, so there is nothing elsewhere to be cleaned up either.
        if !Self::HAS_PLACES || noted.is_empty() && (wanted.len() < 2 || self.is_deleting()) {
            return Vec::new();
        }
        let known = |name: &str| noted.iter().find(|at| at.instance == name);
        let stays = wanted.iter().enumerate().filter_map(|(i, name)| {
            let known = known(name);
            if self.is_deleting() {
                known?;
            }
            let alone = self.status().filter(|_| i == 0 && noted.is_empty());
            let status = known.map(|at| &at.status).or(alone);
            Some(self.only_in(name, status.cloned()))
        });
        let leaves = noted.iter().filter(|at| !wanted.contains(&at.instance.as_str()));
        let leaves = leaves.map(|at| {
            let mut part = self.only_in(&at.instance, Some(at.status.clone()));
            let meta = part.meta_mut();
            meta.deletion_timestamp = meta
                .deletion_timestamp
                .clone()
                .or_else(|| meta.creation_timestamp.clone())
                .or(Some(Time(Timestamp::UNIX_EPOCH)));
            part
        });
        stays.chain(leaves).collect()
    }
    /// Whether it is in Grafana as it is written now.
    fn is_stored(&self) -> bool {
        let is_ready = |status| condition::is_ready(Self::conditions(status), self.meta().generation);
        self.status().is_some_and(is_ready)
    }
    /// Whether Grafana is to be left as it is.
    fn is_suspended(&self) -> bool;
    /// Makes it as it would be if somebody resumed it.
    #[cfg(feature = "cli")]
    fn resume(&mut self);
    /// What happens in Grafana when it is deleted, if it says so itself.
    fn deletion_policy(&self) -> Option<DeletionPolicy>;

    /// What of its specification can't be read, if anything can't: the rest of it is all that is known.
    fn unread(&self) -> Option<&str> {
        self.annotation(UNREAD)
    }

    /// Whether this field of its specification can't be read.
    fn is_unread_in(&self, field: &str) -> bool {
        let fields = self.annotation(UNREAD_FIELDS).unwrap_or_default();
        fields
            .split(',')
            .any(|unread| unread == field || unread == ALL_FIELDS)
    }

    /// What of its specification can't be read, if it isn't known for that what it has in which Grafana, or whether that is to go.
    fn unread_whereabouts(&self) -> Option<&str> {
        let is_unread = WHEREABOUTS.iter().any(|field| self.is_unread_in(field));
        self.unread().filter(|_| is_unread)
    }

    /// Whether what it claims can't be read.
    fn has_unread_claims(&self) -> bool {
        self.unread().is_some()
            && WHEREABOUTS
                .iter()
                .chain(&CLAIMS)
                .any(|field| self.is_unread_in(field))
    }

    /// The request for a pass that stands in its annotation; one that is too long to be noted is none.
    fn requested(&self) -> Option<&str> {
        let asked = self.annotation(ANNOTATION_RECONCILE);
        asked.filter(|asked| !asked.is_empty() && asked.len() <= LONGEST_REQUEST)
    }

    /// Its namespace; every kind has one.
    fn ns(&self) -> &str {
        self.meta().namespace.as_deref().unwrap_or_default()
    }

    /// Its name.
    fn id(&self) -> &str {
        self.meta().name.as_deref().unwrap_or_default()
    }

    /// Whether it is being deleted.
    fn is_deleting(&self) -> bool {
        self.meta().deletion_timestamp.is_some()
    }

    /// Whether its owner shares it with a namespace.
    fn is_shared_with(&self, namespace: &str) -> bool {
        tenancy::is_shared_with(self.annotation(ANNOTATION_SHARED_WITH), namespace)
    }

    /// The value of an annotation.
    fn annotation(&self, key: &str) -> Option<&str> {
        self.meta().annotations.as_ref()?.get(key).map(String::as_str)
    }
}

/// The GrafanaInstances that a specification names.
pub fn names<'a>(one: Option<&'a str>, several: Option<&'a [String]>) -> Vec<&'a str> {
    match several {
        Some(several) if !several.is_empty() => several.iter().map(String::as_str).collect(),
        _ => vec![one.unwrap_or(DEFAULT_INSTANCE)],
    }
}

macro_rules! managed {
    ($kind:ident, $status:ident, needs $needs:expr, to leave $needs_to_leave:expr $(, $drifts:ident)? $(; $together:path)?) => {
        impl Managed for $kind {
            type Status = $status;
            const KIND: &'static str = stringify!($kind);
            const NEEDS: &'static [Part] = &$needs;
            const NEEDS_TO_LEAVE: &'static [Part] = &$needs_to_leave;

            fn status(&self) -> Option<&Self::Status> {
                self.status.as_ref()
            }
            fn conditions(status: &Self::Status) -> &Vec<Condition> {
                &status.conditions
            }
            fn observed(status: &mut Self::Status) -> (&mut Option<i64>, &mut Vec<Condition>) {
                (&mut status.observed_generation, &mut status.conditions)
            }
            fn handled(status: &mut Self::Status) -> &mut Option<String> {
                &mut status.last_handled_reconcile_at
            }
            $(
                fn drift(status: &mut Self::Status) -> Option<&mut Vec<String>> {
                    Some(&mut status.$drifts)
                }
                fn is_drifted(&self) -> bool {
                    self.status.as_ref().is_some_and(|status| !status.$drifts.is_empty())
                }
            )?
            fn instance(&self) -> &str {
                self.wanted().first().copied().unwrap_or_default()
            }
            fn wanted(&self) -> Vec<&str> {
                names(self.spec.instance.as_deref(), self.spec.instances.as_deref())
            }
            fn only_in(&self, instance: &str, status: Option<Self::Status>) -> Self {
                let mut part = Self {
                    status,
                    ..self.clone()
                };
                part.spec.instance = Some(instance.to_owned());
                part.spec.instances = None;
                part.metadata.managed_fields = None;
                part
            }
            $(
                const HAS_PLACES: bool = true;

                fn places(status: &Self::Status) -> &[At<Self::Status>] {
                    &status.instances
                }
                fn places_mut(status: &mut Self::Status) -> Option<&mut Vec<At<Self::Status>>> {
                    Some(&mut status.instances)
                }
                fn together(parts: &[(&str, &Self::Status)]) -> Self::Status {
                    $together(parts)
                }
            )?
            fn is_suspended(&self) -> bool {
                self.spec.suspend.unwrap_or(false)
            }
            #[cfg(feature = "cli")]
            fn resume(&mut self) {
                self.spec.suspend = None;
                self.metadata.generation = self.metadata.generation.map(|generation| generation + 1);
            }
            fn deletion_policy(&self) -> Option<DeletionPolicy> {
                self.spec.deletion_policy
            }
        }
    };
}

managed!(AlertRule, AlertRuleStatus,
    needs [Part::Settings, Part::Folders, Part::Rules], to leave [Part::Rules], drift; together::rule);
managed!(ContactPoint, ContactPointStatus,
    needs [Part::ContactPoints], to leave [Part::ContactPoints, Part::Policy], drift; together::contact_point);
managed!(NotificationPolicy, NotificationPolicyStatus,
    needs [Part::ContactPoints, Part::Policy], to leave [Part::Policy], drift; together::policy);
managed!(TimeInterval, TimeIntervalStatus,
    needs [Part::TimeIntervals], to leave [Part::TimeIntervals, Part::Policy, Part::Rules], drift; together::time_interval);
managed!(NotificationTemplate, NotificationTemplateStatus,
    needs [Part::Templates], to leave [Part::Templates, Part::ContactPoints], drift; together::template);
managed!(InhibitionRule, InhibitionRuleStatus,
    needs [Part::Settings, Part::InhibitionRules], to leave [Part::InhibitionRules], drift; together::inhibition_rule);
managed!(Silence, SilenceStatus,
    needs [Part::Silences], to leave [Part::Silences], drift; together::silence);
// What it makes is AlertRules, which need more, and are for several Grafanas themselves.
managed!(PrometheusRuleImport, PrometheusRuleImportStatus, needs [], to leave []);
