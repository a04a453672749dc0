//! The generated Silence: its name, and how a window is written on it and read back.

use std::collections::BTreeMap;
use std::time::Duration;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference, Time};
use k8s_openapi::jiff::Timestamp;
use sha2::{Digest, Sha256};

use super::phase::Run;
use super::window::{Outcome, Window};
use super::{Maintenance, places};
use crate::api::maintenance_policy::WorkloadKind;
use crate::api::silence::{ACTIVE, SilenceSpec, SilenceStatus};
use crate::api::{FIELD_MANAGER, FINALIZER, Silence, duration};

/// Label on a generated Silence: the workload's uid. With an owner it finds all silences of a workload, and tells an earlier one of the same name.
pub const LABEL_WORKLOAD: &str = "alerting.letsrevel.io/maintenance-of";
/// Annotation: [`Run::revision`].
pub const ANNOTATION_REVISION: &str = "alerting.letsrevel.io/maintenance-revision";
/// Annotation: [`Run::attempt`].
pub const ANNOTATION_ATTEMPT: &str = "alerting.letsrevel.io/maintenance-attempt";
/// Annotation: [`Window::opened`].
pub const ANNOTATION_OPENED: &str = "alerting.letsrevel.io/maintenance-opened";
/// Annotation: [`Window::progress`].
pub const ANNOTATION_PROGRESS: &str = "alerting.letsrevel.io/maintenance-progress";
/// Annotation: [`Window::outcome`]. Absent while the silence is a lease.
pub const ANNOTATION_OUTCOME: &str = "alerting.letsrevel.io/maintenance-outcome";

/// All of the above that [`Window::to_annotations`] may set: one that it doesn't set must go.
pub const ANNOTATIONS: [&str; 5] = [
    ANNOTATION_REVISION,
    ANNOTATION_ATTEMPT,
    ANNOTATION_OPENED,
    ANNOTATION_PROGRESS,
    ANNOTATION_OUTCOME,
];

/// A name of this length is a label value too.
const MAX_NAME: usize = 63;

/// An annotation of a generated Silence that somebody changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("annotation {annotation} of a generated silence is missing or unreadable")]
pub struct Unreadable {
    /// Its key.
    pub annotation: &'static str,
}

/// The GrafanaInstances of a Silence, as [`places`] has them.
pub fn places_of(silence: &SilenceSpec) -> Vec<String> {
    places(silence.instance.as_deref(), silence.instances.as_deref())
}

/// The Silence's name, the same whenever it is asked for: `deployment-web-k1b2m3n4`. Long names are cut and told apart by a hash.
/// A Silence can't move to another Grafana, so one for others than the default has a name of its own. `instances`: [`places`].
pub fn silence_name(kind: &str, workload: &str, revision: &str, instances: &[String]) -> String {
    let kind = kind.to_ascii_lowercase();
    let revision = &if instances.is_empty() {
        revision.to_owned()
    } else {
        let digest = Sha256::digest(instances.join(","));
        let digest: Vec<u8> = digest.iter().copied().take(3).collect();
        format!("{revision}-{}", data_encoding::BASE32_DNSSEC.encode(&digest))
    };
    let name = format!("{kind}-{workload}-{revision}");
    if name.len() <= MAX_NAME {
        return name;
    }
    let digest: Vec<u8> = Sha256::digest(workload).iter().copied().take(5).collect();
    let hash = data_encoding::BASE32_DNSSEC.encode(&digest);
    let room = MAX_NAME.saturating_sub(kind.len() + hash.len() + revision.len() + 3);
    let cut: String = workload.chars().take(room).collect();
    format!("{kind}-{}-{hash}-{revision}", cut.trim_end_matches(['-', '.']))
}

/// The name in the place of one that somebody else's Silence has: the same whenever it is asked for, and another for each workload.
pub fn other_name(name: &str, workload: &OwnerReference) -> String {
    let digest: Vec<u8> = Sha256::digest(format!("{name}/{}", workload.uid))
        .iter()
        .copied()
        .take(5)
        .collect();
    let hash = data_encoding::BASE32_DNSSEC.encode(&digest);
    let room = MAX_NAME.saturating_sub(hash.len() + 1);
    let cut: String = name.chars().take(room).collect();
    format!("{}-{hash}", cut.trim_end_matches(['-', '.']))
}

/// The uid of the workload that a Silence was generated for. People copy Silences with their labels and annotations, and may give one any name;
/// so it is a workload's only if that owns it too.
pub fn workload_of(silence: &Silence) -> Option<&str> {
    let uid = silence.metadata.labels.as_ref()?.get(LABEL_WORKLOAD)?;
    let mut owners = silence.metadata.owner_references.iter().flatten();
    owners.any(|owner| owner.uid == *uid).then_some(uid)
}

/// Whether a Silence was generated for a workload of this kind and name, be it an earlier one, which has left it to be collected as garbage.
pub fn is_of(silence: &Silence, workload: &OwnerReference) -> bool {
    let mut owners = silence.metadata.owner_references.iter().flatten();
    let is_it = |owner: &OwnerReference| {
        (&owner.api_version, &owner.kind, &owner.name)
            == (&workload.api_version, &workload.kind, &workload.name)
    };
    workload_of(silence).is_some() && owners.any(is_it)
}

impl Window {
    /// What the Silence has to carry, beside `endsAt`.
    pub fn to_annotations(&self) -> BTreeMap<String, String> {
        let outcome = self.outcome.map(|outcome| outcome.as_str().to_owned());
        [
            (ANNOTATION_REVISION, Some(self.run.revision.clone())),
            (ANNOTATION_ATTEMPT, Some(self.run.attempt.to_string())),
            (ANNOTATION_OPENED, Some(self.opened.to_string())),
            (ANNOTATION_PROGRESS, self.progress.clone()),
            (ANNOTATION_OUTCOME, outcome),
        ]
        .into_iter()
        .filter_map(|(key, value)| Some((key.to_owned(), value?)))
        .collect()
    }

    /// The window that a Silence stands for; none if it isn't a generated one, or what it carries can't be read.
    pub fn of(silence: &Silence) -> Option<Self> {
        let ends = silence.spec.ends_at.as_ref()?.0;
        let window = Self::from_annotations(silence.metadata.annotations.as_ref()?, ends).ok()?;
        Some(Self {
            retires: silence.spec.ttl_after_expiry.is_some(),
            in_force: Self::is_in_force(silence),
            ..window
        })
    }

    /// Grafana holds the silence as its resource is now; of several Grafanas each does.
    pub(crate) fn is_in_force(silence: &Silence) -> bool {
        let holds = |status: &SilenceStatus| {
            status.state.as_deref() == Some(ACTIVE)
                && status.observed_generation >= silence.metadata.generation
        };
        silence.status.as_ref().is_some_and(|status| {
            let mut each = status.instances.iter();
            holds(status) && each.all(|at| holds(&at.status))
        })
    }

    /// Reads a window back from a Silence's annotations and `endsAt`.
    pub(crate) fn from_annotations(
        annotations: &BTreeMap<String, String>,
        ends: Timestamp,
    ) -> Result<Self, Unreadable> {
        let get = |annotation| annotations.get(annotation).ok_or(Unreadable { annotation });
        let outcome = annotations
            .get(ANNOTATION_OUTCOME)
            .map(|text| Outcome::parse(text));
        Ok(Self {
            run: Run {
                revision: get(ANNOTATION_REVISION)?.clone(),
                attempt: get(ANNOTATION_ATTEMPT)?.parse().map_err(|_| Unreadable {
                    annotation: ANNOTATION_ATTEMPT,
                })?,
            },
            opened: get(ANNOTATION_OPENED)?.parse().map_err(|_| Unreadable {
                annotation: ANNOTATION_OPENED,
            })?,
            ends,
            progress: annotations.get(ANNOTATION_PROGRESS).cloned(),
            outcome: outcome
                .map(|known| {
                    known.ok_or(Unreadable {
                        annotation: ANNOTATION_OUTCOME,
                    })
                })
                .transpose()?,
            retires: false,
            in_force: false,
        })
    }
}

/// How long an ended silence stays to be looked at.
const HISTORY: Duration = Duration::from_secs(3600);

/// The Silence of a window. `known`: the one there is; what has ended keeps what it covered, and what is open stays in its Grafana.
///
/// It copies no labels and no annotations of the workload: a tool that tracks the workload by them would take the silence for
/// its own and remove it.
pub fn silence(
    kind: WorkloadKind,
    workload: &OwnerReference,
    namespace: &str,
    window: &Window,
    known: Option<&Silence>,
    maintenance: Option<&Maintenance>,
) -> Silence {
    let what = match kind {
        WorkloadKind::Job | WorkloadKind::CronJob => "run",
        WorkloadKind::Deployment
        | WorkloadKind::StatefulSet
        | WorkloadKind::DaemonSet
        | WorkloadKind::Rollout => "rollout",
    };
    let (instance, instances) = match (known, maintenance.map(|wanted| wanted.instances.as_slice())) {
        (Some(known), _) => (known.spec.instance.clone(), known.spec.instances.clone()),
        (None, None | Some([])) => (None, None),
        (None, Some([one])) => (Some(one.clone()), None),
        (None, Some(several)) => (None, Some(several.to_vec())),
    };
    let name = known
        .and_then(|known| known.metadata.name.clone())
        .unwrap_or_else(|| {
            silence_name(
                kind.as_str(),
                &workload.name,
                &window.run.revision,
                &places(instance.as_deref(), instances.as_deref()),
            )
        });
    let covered = match (maintenance, known) {
        (Some(wanted), Some(_)) if window.outcome.is_none_or(|o| o == Outcome::Succeeded) => {
            (wanted.matchers.clone(), Some(wanted.alert_rules.clone()))
        }
        (_, Some(known)) => (known.spec.matchers.clone(), known.spec.alert_rules.clone()),
        (Some(wanted), None) => (wanted.matchers.clone(), Some(wanted.alert_rules.clone())),
        (None, None) => (Vec::new(), None),
    };
    let (matchers, alert_rules) = covered;
    Silence {
        metadata: ObjectMeta {
            name: Some(name),
            namespace: Some(namespace.to_owned()),
            labels: Some(BTreeMap::from([
                (LABEL_WORKLOAD.to_owned(), workload.uid.clone()),
                (
                    "app.kubernetes.io/managed-by".to_owned(),
                    FIELD_MANAGER.to_owned(),
                ),
            ])),
            annotations: Some(window.to_annotations()),
            finalizers: Some(vec![FINALIZER.to_owned()]),
            owner_references: Some(vec![workload.clone()]),
            ..ObjectMeta::default()
        },
        spec: SilenceSpec {
            instance,
            instances,
            matchers,
            alert_rules,
            starts_at: Some(Time(window.opened)),
            ends_at: Some(Time(window.ends)),
            comment: Some(format!(
                "Maintenance: {what} of {} {namespace}/{}",
                kind.as_str(),
                workload.name
            )),
            ttl_after_expiry: window.retires.then(|| duration::Duration::from(HISTORY)),
            ..SilenceSpec::default()
        },
        status: None,
    }
}

impl Outcome {
    const ALL: [Self; 9] = [
        Self::Succeeded,
        Self::Failed,
        Self::Gone,
        Self::Superseded,
        Self::Lapsed,
        Self::Paused,
        Self::Overran,
        Self::Withdrawn,
        Self::Removed,
    ];

    /// As the annotation has it, and the reason of the event.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Succeeded => "Succeeded",
            Self::Failed => "Failed",
            Self::Gone => "Gone",
            Self::Superseded => "Superseded",
            Self::Lapsed => "Lapsed",
            Self::Paused => "Paused",
            Self::Overran => "Overran",
            Self::Withdrawn => "Withdrawn",
            Self::Removed => "Removed",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.as_str() == text)
    }
}

#[cfg(test)]
#[path = "generated_tests.rs"]
mod tests;
