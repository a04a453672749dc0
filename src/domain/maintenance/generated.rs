//! The generated Silence: its name, and how a window is written on it and read back.

use std::collections::BTreeMap;

use k8s_openapi::jiff::Timestamp;
use sha2::{Digest, Sha256};

use super::phase::Run;
use super::window::{Outcome, Window};

/// Label on a generated Silence: the workload's uid. Finds all silences of a workload, and tells an earlier one of the same name.
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

/// The Silence's name, the same whenever it is asked for: `deployment-web-k1b2m3n4`. Long names are cut and told apart by a hash.
pub fn silence_name(kind: &str, workload: &str, revision: &str) -> String {
    let kind = kind.to_ascii_lowercase();
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

    /// Reads a window back from a Silence's annotations and `endsAt`.
    pub fn from_annotations(
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
        })
    }
}

impl Outcome {
    const ALL: [Self; 6] = [
        Self::Succeeded,
        Self::Failed,
        Self::Gone,
        Self::Superseded,
        Self::Lapsed,
        Self::Overran,
    ];

    /// As the annotation has it, and the reason of the event.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Succeeded => "Succeeded",
            Self::Failed => "Failed",
            Self::Gone => "Gone",
            Self::Superseded => "Superseded",
            Self::Lapsed => "Lapsed",
            Self::Overran => "Overran",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.as_str() == text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(outcome: Option<Outcome>) -> Window {
        let opened: Timestamp = "2026-11-23T22:00:00Z".parse().unwrap();
        Window {
            run: Run {
                revision: "k1b2m3n4".into(),
                attempt: 7,
            },
            opened,
            ends: "2026-11-23T22:05:00Z".parse().unwrap(),
            progress: outcome.map(|_| "ReplicaSetUpdated@2026-11-23T22:00:03Z pods=3".into()),
            outcome,
        }
    }

    #[test]
    fn a_window_reads_back_as_it_was_written() {
        for outcome in Outcome::ALL.into_iter().map(Some).chain([None]) {
            let window = window(outcome);
            assert_eq!(
                Window::from_annotations(&window.to_annotations(), window.ends),
                Ok(window.clone())
            );
        }
    }

    #[test]
    fn every_annotation_that_is_written_is_listed_for_removal() {
        let window = window(Some(Outcome::Failed));
        let mut listed: Vec<_> = ANNOTATIONS.iter().map(ToString::to_string).collect();
        listed.sort();
        assert_eq!(window.to_annotations().into_keys().collect::<Vec<_>>(), listed);
    }

    #[test]
    fn a_changed_annotation_is_named() {
        for (annotation, value) in [
            (ANNOTATION_ATTEMPT, "x"),
            (ANNOTATION_OPENED, "yesterday"),
            (ANNOTATION_OUTCOME, "Fine"),
        ] {
            let mut annotations = window(None).to_annotations();
            annotations.insert(annotation.into(), value.into());
            assert_eq!(
                Window::from_annotations(&annotations, Timestamp::UNIX_EPOCH),
                Err(Unreadable { annotation })
            );
        }
    }

    #[test]
    fn a_short_name_says_everything() {
        assert_eq!(
            silence_name("Deployment", "web", "k1b2m3n4"),
            "deployment-web-k1b2m3n4"
        );
    }

    #[test]
    fn long_names_are_cut_to_a_label_value_and_stay_apart() {
        let long = |end: &str| format!("{}.{end}", "a".repeat(33));
        let names: Vec<_> = ["x".repeat(100), "y".repeat(100)]
            .iter()
            .map(|end| silence_name("Deployment", &long(end), "k1b2m3n4"))
            .collect();
        for name in &names {
            assert!(name.len() <= MAX_NAME, "{name}");
            assert!(
                name.chars()
                    .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "-.".contains(c))
            );
            assert!(name.ends_with("-k1b2m3n4"));
            assert!(!name.contains(".-"));
        }
        assert_ne!(names[0], names[1]);
    }
}
