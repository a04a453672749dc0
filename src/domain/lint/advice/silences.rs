//! Silences that cover more than people mean.

use std::time::Duration;

use jiff::Timestamp;

use super::super::finding::{BROAD_SILENCE, Finding};
use super::super::path::Path;
use crate::api::Silence;
use crate::domain::ownership::{Owner, Owners};
use crate::domain::silence::{self, Surroundings};

/// Nobody remembers for longer that something is silent.
const LONGEST: Duration = Duration::from_secs(31 * 24 * 3600);

pub(super) fn check(at: usize, silence: &Silence, namespace: &str, now: Timestamp) -> Vec<Finding> {
    let Some(owner) = Owner::parse("check") else {
        return Vec::new();
    };
    let owners = Owners::new(owner, &[]);
    let around = Surroundings {
        owners: &owners,
        namespace,
        name: "",
        created: now,
        unrestricted: false,
    };
    let mut found = Vec::new();
    if let Some(told) = silence::warning(&silence.spec, &around) {
        let told = told.trim_start_matches("spec.matchers: ").to_owned();
        found.push(Finding::new(
            &BROAD_SILENCE,
            at,
            Path::parse("spec.matchers"),
            told,
        ));
    }
    let length = silence::period(&silence.spec, now).ok().and_then(|(start, end)| {
        let length = end.duration_since(start);
        Duration::try_from(length).ok()
    });
    if length.is_some_and(|length| length > LONGEST) {
        let path = if silence.spec.ends_at.is_some() {
            "spec.endsAt"
        } else {
            "spec.duration"
        };
        let message = "this is silent for more than 31 days, which nobody will remember: pause the rule, or mute its route at certain times with a TimeInterval";
        found.push(Finding::new(&BROAD_SILENCE, at, Path::parse(path), message));
    }
    found
}
