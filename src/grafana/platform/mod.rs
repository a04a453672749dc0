//! The API that will replace `/api`: kinds below `/apis`, in the manner of Kubernetes. Serves what [`discovery`] has found.

mod discovery;
mod folders;
mod matcher;
mod named;
mod object;
mod place;
mod receivers;
mod rules;
mod titled;
mod trees;
mod watch;

pub(super) use discovery::{Discovery, Kind, Need};
pub(super) use folders::Folders;
pub(super) use named::{InhibitionRules, Templates, TimeIntervals};
pub(super) use {receivers::Receivers, rules::Rules, trees::Trees};
