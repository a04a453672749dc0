//! The API that will replace `/api`: kinds below `/apis`, in the manner of Kubernetes. Serves what [`discovery`] has found.

mod discovery;
mod folders;
mod object;
mod place;
#[expect(dead_code, reason = "what chooses it comes next")]
mod receivers;
#[expect(dead_code, reason = "what chooses it comes next")]
mod rules;
#[expect(dead_code, reason = "what chooses it comes next")]
mod templates;
#[expect(dead_code, reason = "what chooses it comes next")]
mod time_intervals;
mod titled;
#[expect(dead_code, reason = "what chooses it comes next")]
mod trees;
mod watch;

pub(super) use discovery::{Kind, find};
pub(super) use folders::Folders;
use place::Place;
#[expect(unused_imports, reason = "what chooses them comes next")]
pub(super) use {
    receivers::Receivers, rules::Rules, templates::Templates, time_intervals::TimeIntervals, trees::Trees,
};
