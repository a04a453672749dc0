//! The API that will replace `/api`: kinds below `/apis`, in the manner of Kubernetes. Serves what [`discovery`] has found.

mod discovery;
mod folders;
mod object;
mod place;
mod receivers;
mod rules;
mod templates;
mod time_intervals;
mod titled;
mod trees;
mod watch;

pub(super) use discovery::{Discovery, Kind, Need};
pub(super) use folders::Folders;
pub(super) use {
    receivers::Receivers, rules::Rules, templates::Templates, time_intervals::TimeIntervals, trees::Trees,
};
