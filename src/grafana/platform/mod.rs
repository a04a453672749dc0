//! The API that will replace `/api`: kinds below `/apis`, in the manner of Kubernetes. Serves what [`discovery`] has found.

mod discovery;
mod folders;
#[expect(dead_code, reason = "what writes objects comes next")]
mod object;
#[expect(dead_code, reason = "what writes objects comes next")]
mod place;

pub(super) use discovery::{Kind, find};
pub(super) use folders::Folders;
